//! Finding what a name or path means, or the nearest thing to it.

use std::sync::Arc;

use super::Compiler;
use crate::diagnostic::{At, Span, codes, suggest};
use crate::program::system::{Field, Resource};
use crate::program::types::Type;
use crate::value::{Path, Segment, Side};

/// What a path in a record is.
#[derive(Clone, Debug)]
pub(super) struct Place {
    /// The field, or the member of an object field, at the end of the path.
    pub field: Field,
    /// The name of the resource's own field that the path goes into: what must be read.
    pub top: String,
    /// Whether anything on the way is read-only.
    pub read_only: bool,
    /// Whether anything on the way can be written in a create only.
    pub create_only: bool,
    /// The pivot it goes through: the part's name.
    pub part: Option<String>,
}

impl Compiler<'_> {
    pub(super) fn path(&mut self, text: &At<String>) -> Option<Path> {
        match Path::parse(&text.value) {
            Ok(path) => Some(path),
            Err(problem) => {
                let span = self.sources.inner_span(
                    text.span,
                    &text.value,
                    problem.at..(problem.at + 1).min(text.value.len()),
                );
                self.error(
                    &codes::BAD_PATH,
                    span,
                    problem.message,
                    Some(
                        "a path is names with dots: `mainAddress.city`, `lines[*].price`, `codes[0]`"
                            .to_owned(),
                    ),
                );
                None
            }
        }
    }

    pub(super) fn resource(&mut self, side: Side, name: &At<String>) -> Option<Arc<Resource>> {
        let system = Arc::clone(&self.sides[side].system);
        if let Some(resource) = system.resources.get(&name.value) {
            return Some(Arc::clone(resource));
        }
        let near = suggest(&name.value, system.resources.keys().map(String::as_str));
        let help = match near {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!(
                "{} has {}",
                system.name,
                system.resources.keys().cloned().collect::<Vec<_>>().join(", ")
            ),
        };
        self.error(
            &codes::UNKNOWN_RESOURCE,
            name.span,
            format!("{} has no resource `{name}`", self.sides[side].name),
            Some(help),
        );
        None
    }

    /// What a path is in a resource, or an error with the nearest field.
    pub(super) fn resolve(
        &mut self,
        side: Side,
        resource: &Resource,
        path: &Path,
        span: Span,
    ) -> Option<Place> {
        if let Some(place) = place(resource, path) {
            return Some(place);
        }
        let names = all_paths(resource);
        let text = path.to_string();
        let help = match suggest(&text, names.iter().map(String::as_str)) {
            Some(near) => format!("did you mean `{near}`?"),
            None => {
                let shown: Vec<&str> = names.iter().take(12).map(String::as_str).collect();
                format!(
                    "its fields are {}{}",
                    shown.join(", "),
                    if names.len() > shown.len() { ", …" } else { "" }
                )
            }
        };
        self.error(
            &codes::UNKNOWN_FIELD,
            span,
            format!("{} of {} has no field `{text}`", resource.name, self.sides[side].name),
            Some(help),
        );
        None
    }
}

/// What a path is in a resource.
pub(super) fn place(resource: &Resource, path: &Path) -> Option<Place> {
    let wanted = generic(path);
    resource.fields.iter().find_map(|field| {
        let rest = wanted.strip_prefix(&generic(&field.name))?;
        let found = below(field, &rest)?;
        Some(Place {
            top: field.name.to_string(),
            read_only: field.read_only || found.read_only || !resource.writable,
            create_only: field.create_only || found.create_only,
            part: field.pivot.as_ref().map(|pivot| pivot.part.clone()),
            field: found,
        })
    })
}

/// Whether a path goes into an item of a list field.
pub(super) fn is_item(resource: &Resource, path: &Path) -> bool {
    let wanted = generic(path);
    let rest = resource.fields.iter().filter_map(|field| wanted.strip_prefix(&generic(&field.name)));
    rest.into_iter().any(|rest| rest.segments().iter().any(|segment| !matches!(segment, Segment::Key(_))))
}

/// A field's member at a path below it; the member's own type is at the end.
fn below(field: &Field, rest: &Path) -> Option<Field> {
    if rest.is_root() {
        return Some(field.clone());
    }
    if rest.segments() == [Segment::All] {
        // one item of a list of scalars
        let mut item = field.clone();
        item.ty = field.ty.item()?.clone();
        return Some(item);
    }
    let rest = match rest.segments().first() {
        Some(Segment::All) => Path::parse(&rest.to_string().replacen("[*].", "", 1)).ok()?,
        _ => rest.clone(),
    };
    field.fields.iter().find_map(|member| below(member, &rest.strip_prefix(&generic(&member.name))?))
}

/// A path with every position as `[*]`, for comparing with declared names.
fn generic(path: &Path) -> Path {
    if !path.segments().iter().any(|segment| matches!(segment, Segment::Index(_) | Segment::Where { .. })) {
        return path.clone();
    }
    let mut out = Path::root();
    for segment in path.segments() {
        let next = match segment {
            Segment::Index(_) | Segment::All | Segment::Where { .. } => Path::parse("$[*]"),
            Segment::Key(key) => Ok(Path::key(key.clone())),
        };
        if let Ok(next) = next {
            out = out.join(&next);
        }
    }
    out
}

/// Every path a mapping may name in a resource.
pub(super) fn all_paths(resource: &Resource) -> Vec<String> {
    fn add(prefix: &str, field: &Field, out: &mut Vec<String>) {
        let name =
            if prefix.is_empty() { field.name.to_string() } else { format!("{prefix}.{}", field.name) };
        out.push(name.clone());
        let prefix = if matches!(field.ty, Type::List(_)) { format!("{name}[*]") } else { name };
        for member in &field.fields {
            add(&prefix, member, out);
        }
    }
    let mut out = Vec::new();
    for field in &resource.fields {
        add("", field, &mut out);
    }
    out
}

/// The lists of a record whose items have fields, as help.
pub(super) fn known_lists(resource: &Resource) -> String {
    let lists = resource.fields.iter().filter(|field| matches!(field.ty, Type::List(_)));
    let names: Vec<String> =
        lists.filter(|field| !field.fields.is_empty()).map(|field| field.name.to_string()).collect();
    match names.is_empty() {
        true => format!("{} has no list whose items have fields", resource.name),
        false => format!("its lists are {}", names.join(", ")),
    }
}
