//! What is left of removed records, where a system tells of them: `{ id: 7, deleted: true }` in its lists.

use std::collections::BTreeMap;

use super::stand::Stand;
use crate::program::expr::Expr;
use crate::program::system::{Field, Resource};
use crate::program::types::Type;
use crate::value::{Map, Path, Value};
use crate::wire::serve::encode_answer;

/// Whether a record is only what is left of one.
pub(super) fn is_left(resource: &Resource, record: &Value) -> bool {
    resource.deleted.as_ref().is_some_and(|deleted| deleted.holds(record).unwrap_or(false))
}

impl Stand {
    /// Takes a record away. What is left of it stays in the lists, where the system tells of removed ones.
    pub(super) fn take_away(&mut self, resource: &Resource, row: u64) -> Option<Value> {
        let record = self.table_mut(resource).remove(resource, row)?;
        if let Some(left) = self.left_of(resource, &record) {
            self.table_mut(resource).bury(row, left);
        }
        Some(record)
    }

    /// The key of a record, when it was removed, and what says that it was; none where no value of the fields says it.
    fn left_of(&self, resource: &Resource, record: &Value) -> Option<Value> {
        let deleted = resource.deleted.as_ref()?;
        let mut left = Value::Map(Map::new());
        let below = resource.list.iter().flat_map(|list| list.path.fields());
        for path in resource.key.iter().chain(resource.id_fields()).chain(below) {
            if let Some(value) = path.get(record) {
                path.set(&mut left, value.clone());
            }
        }
        let mut left = self.stamped(resource, left, false);
        if is_left(resource, &left) {
            return Some(left);
        }
        for path in deleted.uses() {
            let Some((field, rest)) = resource.field_at(&path) else { continue };
            let held = path.get(&left).cloned().unwrap_or_default();
            for value in self.candidates(deleted, if rest.is_root() { &field.ty } else { &Type::Any }) {
                path.set(&mut left, value);
                if is_left(resource, &left) {
                    return Some(left);
                }
            }
            path.set(&mut left, held);
        }
        None
    }

    /// Values that may say that a record was removed.
    fn candidates(&self, deleted: &Expr, ty: &Type) -> Vec<Value> {
        let now = jiff::Timestamp::from_millisecond(self.now_ms).unwrap_or_default().to_string();
        match ty {
            Type::Bool => vec![Value::Bool(true), Value::Bool(false)],
            Type::Choice(of) => of.iter().map(|one| Value::text(one.clone())).collect(),
            Type::Time => vec![Value::Text(now)],
            Type::Date => vec![Value::text(now.get(..10).unwrap_or_default())],
            Type::Integer | Type::Decimal => [1_i64, 0, -1].map(Value::from).to_vec(),
            // a text that the condition itself names: every second piece between quotes
            _ => deleted.source().split(['\'', '"']).skip(1).step_by(2).map(Value::text).collect(),
        }
    }

    /// What is left of a record on the wire: nothing but what is there.
    pub(super) fn encoded_left(&self, resource: &Resource, left: &Value) -> Value {
        let is_there = |field: &&Field| field.name.get(left).is_some_and(|value| !value.is_empty());
        let fields = resource.fields.iter().filter(is_there).cloned().collect();
        encode_answer(&self.system, &Resource { fields, ..resource.clone() }, left, self)
    }

    /// What is left of the record that these fields name.
    pub(super) fn remains(&self, resource: &Resource, fields: &[(Path, String)]) -> Option<&Value> {
        let named = |left: &&Value| {
            fields
                .iter()
                .all(|(path, text)| path.get(left).and_then(super::table::index_text).as_ref() == Some(text))
        };
        self.table(resource).left().values().find(named).filter(|_| !fields.is_empty())
    }
}

/// What is left of removed records, by the rows in which they stood.
pub(super) type Left = BTreeMap<u64, Value>;
