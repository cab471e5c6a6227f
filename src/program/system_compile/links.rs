//! What fields have to do with other resources: `ref`, `lookup`, `pivot`, and parts.

use std::collections::HashMap;

use indexmap::IndexMap;

use super::fields::FieldTable;
use super::findings::Findings;
use super::shape::{Shape, object_type};
use super::templates::{condition, expression, path};
use super::types::{agree, fits, word};
use crate::diagnostic::{At, Diagnostic, Span, codes};
use crate::program::expr::Scope;
use crate::program::system::{Days, Field, FieldRef, Lookup, Part, Pivot};
use crate::program::types::Type;
use crate::spec::system as spec;
use crate::value::Path;

/// All resources of a system by name.
pub(super) type Shapes<'s> = IndexMap<String, Shape<'s>>;

/// Gives every pivot object the members that its child record has.
pub(super) fn pivot_objects(shapes: &mut Shapes) {
    let mut members: HashMap<(String, Path), Vec<Field>> = HashMap::new();
    for (name, shape) in shapes.iter() {
        for (field, pivot) in pivots(shape) {
            let child = shape.spec.parts.get(&pivot.part.value).and_then(|part| {
                let by = Path::parse(&part.by.value).ok()?;
                Some((shapes.get(&part.resource.value)?, by))
            });
            if let (Some((child, by)), None) = (child, &pivot.value) {
                let fixed =
                    pivot.only_where.keys().filter_map(|name| Path::parse(name).ok()).collect::<Vec<_>>();
                let own = |member: &&Field| {
                    let is_pivot = member.read.is_none() && member.write.is_none();
                    !is_pivot && member.name != by && !fixed.contains(&member.name)
                };
                let of = child.fields.iter().filter(own).cloned().collect();
                members.insert((name.clone(), field.name.clone()), of);
            }
        }
    }
    for (name, shape) in shapes.iter_mut() {
        for field in &mut shape.fields {
            if let Some(members) = members.remove(&(name.clone(), field.name.clone())) {
                let object = object_type(&members);
                field.ty = if matches!(field.ty, Type::List(_)) { Type::list(object) } else { object };
                field.fields = members;
            }
        }
    }
}

/// Gives the members that pivots took from their child what the child's own fields refer to.
pub(super) fn pivot_members(linked: &mut IndexMap<String, Vec<Field>>) {
    let children = linked.clone();
    for field in linked.values_mut().flatten() {
        let Some(of) = field.pivot.as_ref().filter(|pivot| pivot.value.is_none()) else { continue };
        let Some(child) = children.get(&of.resource) else { continue };
        for member in &mut field.fields {
            if let Some(own) = child.iter().find(|own| own.name == member.name) {
                member.reference = own.reference.clone();
                member.lookup = own.lookup.clone();
            }
        }
    }
}

/// The pivot fields of a resource that take their members from the child.
fn pivots<'f>(shape: &'f Shape) -> impl Iterator<Item = (&'f Field, &'f spec::Pivot)> {
    shape.fields.iter().filter_map(|field| {
        let written = shape.spec.fields.iter().find(|(name, _)| name.span == field.span)?;
        let written = written.1.as_ref()?;
        let takes_members = matches!(field.ty, Type::Object(_) | Type::List(_)) && field.fields.is_empty();
        Some((field, written.pivot.as_ref()?)).filter(|_| takes_members)
    })
}

/// Compiles the links of one resource's fields.
pub(super) fn links(
    system: &spec::System,
    shapes: &Shapes,
    shape: &Shape,
    found: &mut Findings,
) -> Vec<Field> {
    let mut fields = shape.fields.clone();
    let linker = Linker { system, shapes, shape };
    linker.table(&shape.spec.fields, &mut fields, found);
    fields
}

struct Linker<'a, 's> {
    system: &'a spec::System,
    shapes: &'a Shapes<'s>,
    shape: &'a Shape<'s>,
}

impl Linker<'_, '_> {
    fn table(&self, table: &FieldTable, fields: &mut [Field], found: &mut Findings) {
        for (name, written) in table.iter() {
            let field = fields.iter_mut().find(|field| field.span == name.span);
            if let (Some(written), Some(field)) = (written, field) {
                self.field(name, written, field, found);
            }
        }
    }

    fn field(&self, name: &At<String>, written: &spec::Field, field: &mut Field, found: &mut Findings) {
        if let Some(text) = &written.reference {
            field.reference = self.reference(text, &field.ty, found);
        }
        if let Some(text) = &written.lookup {
            field.lookup = self.lookup(text, written, &field.ty, found);
        }
        if let Some(pivot) = &written.pivot {
            field.pivot = self.pivot(name, pivot, field, found);
            field.read_only |= field.pivot.as_ref().is_some_and(|pivot| pivot.many);
            return;
        }
        field.sum = self.sum(written, field, found);
        field.days = written.days.as_ref().and_then(|days| self.days(days, field, found));
        field.read_only |= field.days.is_some();
        if let Some(text) = &written.sandbox {
            let scope = Scope::new().root("today", Type::Date).bare(&self.shape.record());
            field.sandbox = expression(text, &scope, found);
        }
        self.table(&written.fields, &mut field.fields, found);
        if let Some(object) = written.kind.as_ref().and_then(|kind| self.system.objects.get(&kind.value)) {
            for (name, written) in object.iter() {
                if let Some(field) = field.fields.iter_mut().find(|field| field.span == name.span) {
                    self.field(name, written, field, found);
                }
            }
        }
    }

    /// The fields whose sum it is.
    fn sum(&self, written: &spec::Field, field: &Field, found: &mut Findings) -> Vec<Path> {
        let mut paths = Vec::with_capacity(written.sum.len());
        for text in written.sum.iter() {
            let Some((path, of)) = field_of(self.shape, text, found) else { continue };
            if of.ty != Type::Decimal || field.ty != Type::Decimal {
                found.error_help(
                    &codes::WRONG_KIND,
                    text.span,
                    format!(
                        "`sum` adds decimals; `{text}` is {}, the field is {}",
                        word(&of.ty),
                        word(&field.ty)
                    ),
                    "declare both as `decimal`",
                );
            }
            if !of.sum.is_empty() || path == field.name {
                found.error_help(
                    &codes::CONTRADICTION,
                    text.span,
                    "a sum is made of fields that are read, not of sums",
                    "name the fields that the other sum is made of",
                );
            }
            paths.push(path);
        }
        paths
    }

    /// The fields between which its days are.
    fn days(&self, written: &spec::Days, field: &Field, found: &mut Findings) -> Option<Days> {
        if !self.shape.fields.iter().any(|own| own.span == field.span) {
            found.error_help(
                &codes::CONTRADICTION,
                written.from.span,
                "`days` are worked out for a record, not for what is inside one of its fields",
                "make it a field of the resource",
            );
            return None;
        }
        let mut day = |text: &At<String>| {
            let (path, of) = field_of(self.shape, text, found)?;
            if !matches!(of.ty, Type::Date | Type::Text | Type::Any) {
                let help = match of.ty {
                    Type::Time => {
                        "a `time` is kept in UTC, where the day may be another one: declare it as `date` or `text`"
                    }
                    _ => "name a field of type `date`, or a `text` that begins with one",
                };
                let message = format!("`days` goes from day to day; `{text}` is {}", word(&of.ty));
                found.error_help(&codes::WRONG_KIND, text.span, message, help);
                return None;
            }
            if of.read.is_none() {
                let message = format!(
                    "`days` is worked out from what the record itself holds; `{text}` is not read with it"
                );
                found.error_help(
                    &codes::CONTRADICTION,
                    text.span,
                    message,
                    "name a date that stands in the answer itself, not in a child and not only written",
                );
                return None;
            }
            Some(path)
        };
        let (from, to) = (day(&written.from), day(&written.to));
        Some(Days { from: from?, to: to? })
    }

    /// `customer`, or `customer.number`.
    fn target<'t>(
        &'t self,
        text: &At<String>,
        found: &mut Findings,
    ) -> Option<(&'t Shape<'t>, Option<(Path, &'t Field)>)> {
        let (resource, field) = match text.value.split_once('.') {
            Some((resource, field)) => (resource, Some(field)),
            None => (text.value.as_str(), None),
        };
        let resource = At { value: resource.to_owned(), span: text.span };
        let target = self.resource(&resource, found)?;
        let Some(field) = field else { return Some((target, None)) };
        let field = At { value: field.to_owned(), span: text.span };
        let field = field_of(target, &field, found)?;
        Some((target, Some(field)))
    }

    fn resource(&self, name: &At<String>, found: &mut Findings) -> Option<&Shape<'_>> {
        let shape = self.shapes.get(&name.value);
        if shape.is_none() {
            found.unknown(&codes::UNKNOWN_RESOURCE, name, "resource", self.shapes.keys().map(String::as_str));
        }
        shape
    }

    fn reference(&self, text: &At<String>, ty: &Type, found: &mut Findings) -> Option<FieldRef> {
        let (target, field) = self.target(text, found)?;
        let (path, field) = match field {
            Some(field) => field,
            None => single_key(target, text.span, found)?,
        };
        types_agree(text, ty, &path, field, target, found);
        Some(FieldRef { resource: target.name.value.clone(), field: path })
    }

    fn lookup(
        &self,
        text: &At<String>,
        written: &spec::Field,
        ty: &Type,
        found: &mut Findings,
    ) -> Option<Lookup> {
        let (target, field) = self.target(text, found)?;
        let Some((path, field)) = field else {
            let message = format!("which field of `{}` does the mapping see?", text.value);
            let help = format!("name it: `lookup: {}.code`", text.value);
            found.error_help(&codes::BAD_TARGET, text.span, message, help);
            return None;
        };
        if target.key.len() > 1 {
            let message = format!("`{}` has a key of more than one field", target.name.value);
            let help = "a lookup turns one key into one value: it needs a resource whose key is one field";
            found.error_help(&codes::BAD_TARGET, text.span, message, help);
            return None;
        }
        single_key(target, text.span, found)?;
        listed(target, text.span, "a lookup", found);
        types_agree(text, ty, &path, field, target, found);
        let only_where = written
            .only_where
            .as_ref()
            .and_then(|text| condition(text, &Scope::new().bare(&target.record()), found));
        Some(Lookup {
            target: FieldRef { resource: target.name.value.clone(), field: path },
            only_where,
            missing: written.missing.unwrap_or_default(),
        })
    }

    fn pivot(
        &self,
        name: &At<String>,
        written: &spec::Pivot,
        field: &Field,
        found: &mut Findings,
    ) -> Option<Pivot> {
        let Some(part) = self.shape.spec.parts.get(&written.part.value) else {
            found.unknown(&codes::UNKNOWN_PART, &written.part, "part", self.shape.spec.parts.keys());
            return None;
        };
        // an unknown resource is reported at the part
        let child = self.shapes.get(&part.resource.value)?;
        let only_where = self.pivot_where(written, child, found);
        let value = match &written.value {
            Some(text) => {
                let (path, of) = field_of(child, text, found)?;
                types_agree(text, &field.ty, &path, of, child, found);
                Some(path)
            }
            None => {
                self.pivot_members(name, field, child, found);
                None
            }
        };
        let pointer = match &written.pointer {
            Some(text) => {
                let (path, _) = field_of(self.shape, text, found)?;
                self.pointer(text, child, found);
                Some(path)
            }
            None => None,
        };
        Some(Pivot {
            part: written.part.value.clone(),
            resource: child.name.value.clone(),
            only_where,
            value,
            pointer,
            many: matches!(field.ty, Type::List(_)),
        })
    }

    fn pivot_where(
        &self,
        written: &spec::Pivot,
        child: &Shape,
        found: &mut Findings,
    ) -> Vec<(Path, crate::value::Value)> {
        let mut only_where = Vec::with_capacity(written.only_where.len());
        for (name, value) in written.only_where.iter() {
            let Some((path, field)) = field_of(child, name, found) else { continue };
            if let Err(wanted) = fits(&value.value, &field.ty) {
                let message = format!("`{}` cannot have this value: {wanted}", name.value);
                found.error_help(&codes::VALUE_TYPE, value.span, message, super::fields::value_of(&field.ty));
            }
            only_where.push((path, value.value.clone()));
        }
        only_where
    }

    /// Without `value` the field is an object whose members are the child's fields.
    fn pivot_members(&self, name: &At<String>, field: &Field, child: &Shape, found: &mut Findings) {
        if field.ty == Type::Any {
            return;
        }
        if !matches!(field.ty, Type::Object(_) | Type::List(_)) {
            let message = format!("which field of `{}` is the value?", child.name.value);
            let help =
                "name it as the pivot's `value`, or make the field an object: then it is the whole child";
            found.error_help(&codes::WORD_MISSING, name.span, message, help);
            return;
        }
        for member in &field.fields {
            let text = At { value: member.name.to_string(), span: member.span };
            if let Some((path, of)) = field_of(child, &text, found) {
                types_agree(&text, &member.ty, &path, of, child, found);
            }
        }
    }

    /// The pointer holds the child's key.
    fn pointer(&self, text: &At<String>, child: &Shape, found: &mut Findings) {
        let written = self.shape.spec.fields.get(&text.value).and_then(Option::as_ref);
        let points_at = written.and_then(|field| field.reference.as_ref()).map(|reference| &reference.value);
        if points_at.is_none_or(|at| at.split('.').next() != Some(child.name.value.as_str())) {
            let message = format!("the pointer `{}` does not say whose key it holds", text.value);
            let help = format!("give that field `ref: {}`", child.name.value);
            found.error_help(&codes::BAD_TARGET, text.span, message, help);
        }
    }
}

/// Compiles the parts of one resource.
pub(super) fn parts(shapes: &Shapes, shape: &Shape, found: &mut Findings) -> IndexMap<String, Part> {
    let mut parts = IndexMap::new();
    for (name, part) in shape.spec.parts.iter() {
        let Some(child) = shapes.get(&part.resource.value) else {
            found.unknown(
                &codes::UNKNOWN_RESOURCE,
                &part.resource,
                "resource",
                shapes.keys().map(String::as_str),
            );
            continue;
        };
        let Some((by, _)) = field_of(child, &part.by, found) else { continue };
        let written = child.spec.fields.get(&part.by.value).and_then(Option::as_ref);
        let points_at = written.and_then(|field| field.reference.as_ref()).map(|reference| &reference.value);
        if points_at.is_none_or(|at| at.split('.').next() != Some(shape.name.value.as_str())) {
            let message =
                format!("`{}` of `{}` does not say whose key it holds", part.by.value, child.name.value);
            found.add(
                Diagnostic::error(&codes::BAD_TARGET, part.by.span, message)
                    .help(format!("give that field `ref: {}`", shape.name.value)),
            );
        }
        listed(child, part.resource.span, "a part", found);
        parts.insert(name.value.clone(), Part { resource: child.name.value.clone(), by });
    }
    parts
}

/// A field of a resource by name, or a finding.
pub(super) fn field_of<'f>(
    shape: &'f Shape,
    name: &At<String>,
    found: &mut Findings,
) -> Option<(Path, &'f Field)> {
    path(name, found)?;
    let field = shape.field(&name.value);
    if field.is_none() {
        let names = shape.names();
        // not naming the resource itself keeps one mistake in `defaults` one mistake
        let what = match found.is_about(shape.name.span) {
            true => "field".to_owned(),
            false => format!("field of `{}`", shape.name.value),
        };
        found.unknown(&codes::UNKNOWN_FIELD, name, &what, names.iter().map(String::as_str));
    }
    field
}

/// Reports a resource whose records are searched, but cannot be listed.
fn listed(target: &Shape, place: Span, what: &str, found: &mut Findings) {
    let spec = target.spec;
    let has_list = match &spec.list {
        Some(list) => list.as_option().is_some(),
        None => spec.path.is_some(),
    };
    if !has_list || spec.singleton == Some(true) {
        let message = format!("`{}` has no list, and {what} searches one", target.name.value);
        found.error_help(
            &codes::BAD_TARGET,
            place,
            message,
            format!("give `{}` a `list`", target.name.value),
        );
    }
}

/// The one field by which a record is addressed.
fn single_key<'f>(target: &'f Shape, place: Span, found: &mut Findings) -> Option<(Path, &'f Field)> {
    match &target.key[..] {
        [key] => target.field(&key.to_string()),
        // that it is missing or wrong is reported there
        [] if target.key_is_wrong || target.spec.singleton != Some(true) => None,
        [] => {
            let message = format!("`{}` has no key: there is only one", target.name.value);
            let help = "leave `ref` out: what there is only one of needs no reference";
            found.error_help(&codes::BAD_TARGET, place, message, help);
            None
        }
        _ => {
            let message = format!("`{}` has a key of more than one field", target.name.value);
            let help = format!("name one field: `{}.{}`", target.name.value, target.key[0]);
            found.error_help(&codes::BAD_TARGET, place, message, help);
            None
        }
    }
}

fn types_agree(
    text: &At<String>,
    ty: &Type,
    path: &Path,
    other: &Field,
    target: &Shape,
    found: &mut Findings,
) {
    if !agree(ty, &other.ty) {
        let message = format!(
            "the field is {}, `{}` of `{}` is {}",
            word(ty),
            path,
            target.name.value,
            word(&other.ty)
        );
        let help = format!("declare it as {}", word(&other.ty));
        found.add(
            Diagnostic::error(&codes::WRONG_KIND, text.span, message)
                .label(other.span, "the other field")
                .help(help),
        );
    }
}
