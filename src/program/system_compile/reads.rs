//! How changed records are asked for, and what the server can filter by.

use std::time::Duration;

use indexmap::IndexMap;

use super::durations::parse_duration;
use super::findings::Findings;
use super::links::field_of;
use super::shape::Shape;
use super::templates::template;
use crate::diagnostic::codes;
use crate::program::expr::Scope;
use crate::program::system::{Cursor, SearchParam};
use crate::program::types::Type;
use crate::spec::short::OrNone;
use crate::spec::yaml::Table;

/// How far before the last change seen the next read begins, where nothing is said.
const OVERLAP: Duration = Duration::from_secs(10 * 60);

/// Compiles the cursor of a resource.
pub(super) fn cursor(shape: &Shape, scope: &Scope, found: &mut Findings) -> Option<Cursor> {
    let written = shape.spec.cursor.as_ref().and_then(OrNone::as_option)?;
    let mut fields = Vec::with_capacity(written.field.len());
    for name in written.field.iter() {
        let Some((path, field)) = field_of(shape, name, found) else { continue };
        if !matches!(field.ty, Type::Time | Type::Date | Type::Any) {
            let message = format!("`{}` does not say when a record changed: it is {}", name.value, field.ty);
            found.error_help(&codes::WRONG_KIND, name.span, message, "name a field of type time");
        } else if field.write_only {
            let message = format!("`{}` cannot be read", name.value);
            found.error_help(&codes::WRONG_KIND, name.span, message, "name a field that answers hold");
        }
        fields.push(path);
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
        fields,
        overlap,
    })
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
