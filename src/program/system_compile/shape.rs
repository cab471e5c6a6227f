//! What is known of a resource while its calls are compiled: its key and its fields.

use std::sync::Arc;

use indexmap::IndexMap;

use crate::diagnostic::At;
use crate::program::system::{Field, Resource};
use crate::program::types::Type;
use crate::spec::system as spec;
use crate::value::{Path, Segment};

/// A resource whose fields are compiled.
pub(super) struct Shape<'s> {
    /// Its name, where it stands in the file.
    pub name: &'s At<String>,
    /// What was written.
    pub spec: &'s spec::Resource,
    /// The fields that address a record.
    pub key: Vec<Path>,
    /// A key was written, but it is wrong: what only follows from that is not reported.
    pub key_is_wrong: bool,
    /// Whether the engine may write.
    pub writable: bool,
    /// Its fields.
    pub fields: Vec<Field>,
}

impl Shape<'_> {
    /// The field of this name (a member of an object field too), and its whole path.
    pub(super) fn field(&self, name: &str) -> Option<(Path, &Field)> {
        let path = Path::parse(name).ok()?;
        let field = find(&self.fields, &path)?;
        Some((path, field))
    }

    /// The names of all fields and members, for suggestions.
    pub(super) fn names(&self) -> Vec<String> {
        let mut names = Vec::new();
        collect(&self.fields, &Path::root(), &mut names);
        names
    }

    /// The type of a record.
    pub(super) fn record(&self) -> Type {
        object_type(&self.fields)
    }
}

fn find<'f>(fields: &'f [Field], path: &Path) -> Option<&'f Field> {
    fields.iter().find_map(|field| {
        let rest = path.strip_prefix(&field.name)?;
        match field.ty {
            _ if rest.is_root() => Some(field),
            Type::Object(_) => find(&field.fields, &rest),
            _ => None,
        }
    })
}

fn collect(fields: &[Field], before: &Path, names: &mut Vec<String>) {
    for field in fields {
        let path = before.join(&field.name);
        names.push(path.to_string());
        if matches!(field.ty, Type::Object(_)) {
            collect(&field.fields, &path, names);
        }
    }
}

/// The type of a record of this resource, as expressions see it.
///
/// Dotted names are nested: a field named `unitPrice.amount` is the member `amount` of `unitPrice`, and
/// `projects[].guid` the member of each item of a list.
pub fn record_type(resource: &Resource) -> Type {
    object_type(&resource.fields)
}

/// The type of an object with these fields.
pub(in crate::program) fn object_type(fields: &[Field]) -> Type {
    nest(fields.iter().map(|field| (field.name.segments(), &field.ty)).collect())
}

fn nest(entries: Vec<(&[Segment], &Type)>) -> Type {
    let mut members: IndexMap<String, Vec<(&[Segment], &Type)>> = IndexMap::new();
    let mut items = Vec::new();
    for (path, ty) in entries {
        match path {
            [] => return ty.clone(),
            [Segment::Key(name), rest @ ..] => members.entry(name.clone()).or_default().push((rest, ty)),
            [_, rest @ ..] => items.push((rest, ty)),
        }
    }
    if !items.is_empty() {
        return Type::list(nest(items));
    }
    Type::Object(Arc::new(members.into_iter().map(|(name, entries)| (name, nest(entries))).collect()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dotted_names_are_nested() {
        let paths = ["name", "unitPrice.amount", "unitPrice.currency", "tags[]", "projects[].guid"]
            .map(|text| Path::parse(text).unwrap());
        let ty = nest(paths.iter().map(|path| (path.segments(), &Type::Text)).collect());
        let price = Type::object([("amount", Type::Text), ("currency", Type::Text)]);
        assert_eq!(
            ty,
            Type::object([
                ("name", Type::Text),
                ("unitPrice", price),
                ("tags", Type::list(Type::Text)),
                ("projects", Type::list(Type::object([("guid", Type::Text)]))),
            ])
        );
    }
}
