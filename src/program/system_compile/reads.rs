//! How changed records are asked for, and what the server can filter by.

use std::time::Duration;

use indexmap::IndexMap;

use super::durations::parse_duration;
use super::encoding::time_form;
use super::findings::Findings;
use super::links::field_of;
use super::shape::Shape;
use super::templates::{condition, template};
use crate::diagnostic::codes;
use crate::program::expr::{Expr, Scope};
use crate::program::system::{Cursor, Encoding, Epoch, Field, Scalar, SearchParam, Zone};
use crate::program::types::Type;
use crate::spec::short::OrNone;
use crate::spec::yaml::Table;

/// How far before the last change seen the next read begins, where nothing is said.
const OVERLAP: Duration = Duration::from_secs(10 * 60);

/// Compiles the cursor of a resource.
pub(super) fn cursor(
    shape: &Shape,
    scope: &Scope,
    encoding: &Encoding,
    zone: Zone,
    found: &mut Findings,
) -> Option<Cursor> {
    let written = shape.spec.cursor.as_ref().and_then(OrNone::as_option)?;
    let mut fields = Vec::with_capacity(written.field.len());
    let mut forms = Vec::with_capacity(written.field.len());
    for name in written.field.iter() {
        let Some((path, field)) = field_of(shape, name, found) else { continue };
        if !matches!(field.ty, Type::Time | Type::Date | Type::Any) {
            let message = format!("`{}` does not say when a record changed: it is {}", name.value, field.ty);
            found.error_help(&codes::WRONG_KIND, name.span, message, "name a field of type time");
        } else if field.write_only {
            let message = format!("`{}` cannot be read", name.value);
            found.error_help(&codes::WRONG_KIND, name.span, message, "name a field that answers hold");
        }
        forms.push((name, epoch_of(field, encoding), field.ty == Type::Date));
        fields.push(path);
    }
    let form = match (written.form, forms.first()) {
        (Some(form), _) => epoch(&time_form(form)),
        (None, Some((_, own, _))) => *own,
        (None, None) => epoch(&encoding.time),
    };
    // a day, or a time by the company's own clock, may be hours away from the moment that a number means
    for (name, own, is_date) in forms {
        let (message, help) = match (own, form) {
            (None, Some(_)) if zone == Zone::None || is_date => (
                "does not tell which moment it is, so changes cannot be asked for by a number since 1970",
                "name a time that carries its offset or is such a number itself, or write `as: text`",
            ),
            (Some(_), None) if zone == Zone::None => (
                "is a moment, but the parameter a time by the company's own clock",
                "leave the cursor's `as` out: the parameter is then written as the field is",
            ),
            _ => continue,
        };
        found.error_help(&codes::CONTRADICTION, name.span, format!("`{}` {message}", name.value), help);
    }
    let overlap = match &written.overlap {
        None => OVERLAP,
        Some(text) => parse_duration(&text.value).unwrap_or_else(|help| {
            let message = format!("`{}` is not a length of time", text.value);
            found.error_help(&codes::BAD_DURATION, text.span, message, help);
            OVERLAP
        }),
    };
    let scope = scope.clone().root("since", Type::Text);
    Some(Cursor {
        param: written.param.clone(),
        with: pairs(&written.with),
        value: written.value.as_ref().and_then(|text| template(text, &scope, found)),
        form,
        fields,
        overlap,
    })
}

/// Compiles the condition by which an item is only what is left of a removed record.
pub(super) fn deleted(shape: &Shape, found: &mut Findings) -> Option<Expr> {
    let text = shape.spec.deleted.as_ref()?;
    if shape.spec.singleton == Some(true) {
        found.error_help(
            &codes::CONTRADICTION,
            text.span,
            "there is exactly one record, and nothing is left of it when it is gone",
            "take `deleted` away, or `singleton`",
        );
        return None;
    }
    let deleted = condition(text, &Scope::new().bare(&shape.record()), found)?;
    let uses = deleted.uses();
    if uses.is_empty() {
        found.error_help(
            &codes::WRONG_KIND,
            text.span,
            "this asks for no field: every record would count as removed, or none",
            "name the field that tells it: `deleted == true`",
        );
    }
    for path in uses {
        let field = shape.fields.iter().find(|field| path.strip_prefix(&field.name).is_some());
        let Some(field) = field.filter(|field| field.read.is_none() || field.is_made()) else { continue };
        found.error_help(
            &codes::WRONG_KIND,
            text.span,
            format!("`{}` does not stand in what is left of a record", field.name),
            "name a field that the item itself holds",
        );
    }
    Some(deleted)
}

fn epoch(form: &Scalar) -> Option<Epoch> {
    match form {
        Scalar::Epoch(unit) => Some(*unit),
        Scalar::Number | Scalar::Text | Scalar::Tagged { .. } => None,
    }
}

fn epoch_of(field: &Field, encoding: &Encoding) -> Option<Epoch> {
    epoch(field.time.as_ref().unwrap_or(&encoding.time)).filter(|_| field.ty == Type::Time)
}

/// Compiles the server-side filters of a resource.
pub(super) fn search(shape: &Shape, scope: &Scope, found: &mut Findings) -> IndexMap<String, SearchParam> {
    let mut search = IndexMap::new();
    for (name, written) in shape.spec.search.iter() {
        let Some((path, _)) = field_of(shape, name, found) else { continue };
        let scope = scope.clone().root("value", Type::Text);
        search.insert(
            path.to_string(),
            SearchParam {
                param: written.param.value.clone(),
                with: pairs(&written.with),
                value: written.value.as_ref().and_then(|text| template(text, &scope, found)),
            },
        );
    }
    search
}

fn pairs(table: &Table<String>) -> Vec<(String, String)> {
    table.iter().map(|(name, value)| (name.value.clone(), value.clone())).collect()
}
