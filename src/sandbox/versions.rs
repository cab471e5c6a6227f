//! Versions of records, and `If-Match` (RFC 9110 section 13.1.1): who read an older one may not change the newer.

use super::answer::Answer;
use super::proof::header;
use super::stand::Stand;
use crate::http::WireRequest;
use crate::program::system::{CallKind, Resource};
use crate::program::types::Type;
use crate::value::{Path, Value};

/// Counts up what tells a record's version.
pub(super) fn count_up(resource: &Resource, record: &mut Value) {
    let update = resource.update.as_ref().and_then(|call| call.if_match.as_ref());
    let delete = resource.delete.as_ref().and_then(|call| call.if_match.as_ref());
    let same = update == delete;
    for field in update.into_iter().chain(delete.filter(|_| !same)) {
        let now = field.get(record).and_then(Value::scalar_text).and_then(|text| text.parse::<i64>().ok());
        let next = now.unwrap_or(0).saturating_add(1);
        let value = match resource.field_at(field) {
            Some((known, _)) if known.ty == Type::Integer => Value::from(next),
            _ => Value::text(next.to_string()),
        };
        field.set(record, value);
    }
}

impl Stand {
    /// Refuses a call whose `If-Match` names another version than the record has.
    pub(super) fn unchanged(
        &self,
        request: &WireRequest,
        resource: &Resource,
        call: CallKind,
        row: u64,
    ) -> Result<(), Answer> {
        let field: Option<&Path> = match call {
            CallKind::Update => resource.update.as_ref().and_then(|call| call.if_match.as_ref()),
            CallKind::Delete => resource.delete.as_ref().and_then(|call| call.if_match.as_ref()),
            _ => None,
        };
        let (Some(field), Some(wanted)) = (field, header(request, "if-match")) else { return Ok(()) };
        let now = self.table(resource).get(row).and_then(|record| field.get(record)?.scalar_text());
        let is_it = |tag: &str| tag == "*" || now.as_deref() == Some(tag.trim_matches('"'));
        if wanted.split(',').map(str::trim).any(is_it) {
            return Ok(());
        }
        Err(self.error(412, "the record was changed meanwhile", "PreconditionFailed"))
    }
}
