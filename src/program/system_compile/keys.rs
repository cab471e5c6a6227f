//! A resource's name, key and identity, and its fields by themselves.

use super::fields::Fields;
use super::findings::Findings;
use super::links::field_of;
use super::shape::Shape;
use crate::diagnostic::{At, codes};
use crate::program::types::Type;
use crate::spec::short::OrNone;
use crate::spec::system as spec;
use crate::value::Path;

/// Whether the engine may write records of this resource.
fn may_write(resource: &spec::Resource) -> bool {
    resource.access != Some(spec::Access::ReadOnly)
}

/// Whether records of this resource are ever sent.
fn is_written(resource: &spec::Resource) -> bool {
    let create = resource.create.as_ref().and_then(OrNone::as_option);
    let update = resource.update.as_ref().and_then(OrNone::as_option);
    may_write(resource) && (create.is_some() || update.is_some())
}

/// Compiles what a resource is by itself: fields and key.
pub(super) fn shape<'s>(
    system: &'s spec::System,
    name: &'s At<String>,
    resource: &'s spec::Resource,
    found: &mut Findings,
) -> Shape<'s> {
    plain_name(name, "resource", found);
    let fields = Fields { system, writable: is_written(resource) };
    let mut shape = Shape {
        name,
        spec: resource,
        key: Vec::new(),
        key_is_wrong: false,
        writable: may_write(resource),
        fields: fields.table(&resource.fields, &mut Vec::new(), found),
    };
    let singleton = resource.singleton == Some(true);
    if resource.key.is_empty() && !singleton && resource.access != Some(spec::Access::WriteOnly) {
        shape.key_is_wrong = true;
        found.error_help(
            &codes::KEY_MISSING,
            name.span,
            format!("`{}` has no key", name.value),
            "say which field (or fields) the API addresses a record by: `key: id`; or `singleton: true`",
        );
    }
    for text in resource.key.iter() {
        match addressing(&shape, text, "key", found) {
            Some(path) => shape.key.push(path),
            None => shape.key_is_wrong = true,
        }
    }
    if shape.key_is_wrong {
        shape.key.clear();
    }
    shape
}

/// The field that never changes, where that is not the key.
pub(super) fn identity(shape: &Shape, found: &mut Findings) -> Option<Path> {
    addressing(shape, shape.spec.identity.as_ref()?, "identity", found)
}

/// A field that tells one record from all others.
fn addressing(shape: &Shape, text: &At<String>, what: &str, found: &mut Findings) -> Option<Path> {
    let (path, field) = field_of(shape, text, found)?;
    let message = if !path.is_singular() || matches!(field.ty, Type::List(_) | Type::Object(_)) {
        format!("`{}` is not a single value, so it cannot be the {what}", text.value)
    } else if field.write_only {
        format!("`{}` cannot be read, so it cannot be the {what}", text.value)
    } else if is_pivot(shape, text) {
        format!("`{}` stands in a child record, so it cannot be the {what}", text.value)
    } else {
        return Some(path);
    };
    found.error_help(
        &codes::KEY_MISSING,
        text.span,
        message,
        "name a text, an id or a number that every record has",
    );
    None
}

fn is_pivot(shape: &Shape, text: &At<String>) -> bool {
    shape.spec.fields.get(&text.value).and_then(Option::as_ref).is_some_and(|field| field.pivot.is_some())
}

/// Names that expressions and mappings write down: letters, digits and `_`.
pub(super) fn plain_name(name: &At<String>, what: &str, found: &mut Findings) {
    let mut chars = name.value.chars();
    let starts_well = chars.next().is_some_and(|c| c.is_ascii_alphabetic() || c == '_');
    if !starts_well || !chars.all(|c| c.is_ascii_alphanumeric() || c == '_') {
        found.error_help(
            &codes::BAD_NAME,
            name.span,
            format!("`{}` cannot be the name of a {what}", name.value),
            "use letters, digits and `_`, beginning with a letter: it is written in expressions",
        );
    }
}
