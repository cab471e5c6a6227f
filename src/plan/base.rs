//! The base of a pair: what both sides held when they were last compared.

use crate::program::mapping::Register;
use crate::program::system::PARTS;
use crate::value::{Map, Side, Value};

use super::context::{Context, Record};
use super::decide::{New, applicable, new_values};
use super::translate::{View, as_one, values_at};

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
