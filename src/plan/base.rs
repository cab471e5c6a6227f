//! The base of a pair: what both sides held when they were last compared.

use crate::program::mapping::{Register, Row};
use crate::program::system::PARTS;
use crate::store::RecordRef;
use crate::value::{Map, Side, Value};

use super::change::FieldChange;
use super::context::{Context, Record};
use super::decide::{New, applicable, new_values};
use super::translate::{View, as_one, same, values_at};

/// The rows whose value on `side` was changed while we wrote others of them: somebody edited the record, or the system made
/// something of our write. It is no part of what both sides agreed on, but the next decision's to see.
pub fn moved(
    register: &Register,
    side: Side,
    before: &Record,
    after: &Record,
    other: &RecordRef,
    carried: &[FieldChange],
) -> Vec<String> {
    let new_child = |row: &Row| {
        let Some(member) = register.member(side, &before.at.resource) else { return false };
        let mut fields = row.paths(side).iter().filter_map(|path| member.resource.field_at(path));
        // a child that is made with our values brings what its system gives it
        fields.any(|(field, _)| {
            field.pivot.is_some() && field.name.get(&before.data).is_none_or(Value::is_empty)
        })
    };
    applicable(&register.rows, &before.at.resource, &other.resource)
        .filter(|row| carried.iter().all(|field| field.row != row.id))
        .filter(|row| {
            !same(row.compare, &values_at(row, side, &before.data), &values_at(row, side, &after.data))
        })
        .filter(|row| !new_child(row))
        .map(|row| row.id.clone())
        .collect()
}

/// The base of a pair: what both sides hold now, row by row; rows named in `keep` stay as they were.
pub fn base_of(
    context: &Context,
    register: &Register,
    left: &Record,
    right: &Record,
    old: &Value,
    keep: &[String],
    view: &dyn View,
) -> Value {
    let mut base = Map::new();
    for row in applicable(&register.rows, &left.at.resource, &right.at.resource) {
        if keep.contains(&row.id) {
            if let Some(before) = old.get(&row.id) {
                base.insert(row.id.clone(), before.clone());
            }
            continue;
        }
        let mut pair = [
            as_one(values_at(row, Side::Left, &left.data)),
            as_one(values_at(row, Side::Right, &right.data)),
        ];
        if row.computed.is_some() {
            for to in Side::BOTH {
                if row.writes[to] && !row.paths(to).is_empty() {
                    let root = context.root(Some(&left.data), Some(&right.data), Some(to.other()));
                    let source = if to == Side::Left { &right.data } else { &left.data };
                    let wanted = match new_values(row, to.other(), source, &root, None, view) {
                        Ok(Some(New::Values(values))) => as_one(values),
                        _ => Value::Null,
                    };
                    pair[to.other().index()] = wanted;
                }
            }
        }
        base.insert(row.id.clone(), Value::List(pair.to_vec()));
    }
    // which children they were compared by: a second one that fits later does not take their place
    let has_parts = |side: Side, record: &Record| {
        let member = register.member(side, &record.at.resource);
        member.is_some_and(|member| !member.resource.parts.is_empty())
    };
    if has_parts(Side::Left, left) || has_parts(Side::Right, right) {
        let parts = [left, right].map(|record| record.data.get(PARTS).cloned().unwrap_or_default());
        base.insert(PARTS.to_owned(), Value::List(parts.to_vec()));
    }
    Value::Map(base)
}
