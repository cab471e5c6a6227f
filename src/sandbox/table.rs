//! The records of one resource, found by id, key and parent.

use std::collections::HashMap;

use indexmap::IndexMap;

use crate::program::system::Resource;
use crate::value::{Path, Value};

/// The records of one resource in the order they were made.
#[derive(Clone, Debug, Default)]
pub(super) struct Table {
    rows: IndexMap<String, Value>,
    keys: HashMap<String, String>,
    /// The largest running number that was given.
    pub last_number: i64,
}

impl Table {
    pub(super) fn put(&mut self, resource: &Resource, record: Value) -> String {
        let id = resource.id_of(&record).unwrap_or_default();
        if let Some(before) = self.rows.get(&id).and_then(|before| resource.key_of(before)) {
            self.keys.remove(&before);
        }
        if let Some(key) = resource.key_of(&record) {
            self.keys.insert(key, id.clone());
        }
        self.rows.insert(id.clone(), record);
        id
    }

    pub(super) fn remove(&mut self, resource: &Resource, id: &str) -> Option<Value> {
        let record = self.rows.shift_remove(id)?;
        if let Some(key) = resource.key_of(&record) {
            self.keys.remove(&key);
        }
        Some(record)
    }

    pub(super) fn get(&self, id: &str) -> Option<&Value> {
        self.rows.get(id)
    }

    pub(super) fn by_key(&self, key: &str) -> Option<&Value> {
        self.rows.get(self.keys.get(key)?)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&String, &Value)> {
        self.rows.iter()
    }

    pub(super) fn len(&self) -> usize {
        self.rows.len()
    }

    /// The id of the record that has these texts in these fields.
    pub(super) fn find(&self, resource: &Resource, fields: &[(Path, String)]) -> Option<String> {
        if let [(field, text)] = fields {
            if resource.id_fields() == [field.clone()] && self.rows.contains_key(text) {
                return Some(text.clone());
            }
            if resource.key == [field.clone()] {
                return self.keys.get(text).cloned();
            }
        }
        self.rows
            .iter()
            .find(|(_, record)| {
                fields.iter().all(|(field, text)| {
                    field.get(record).and_then(Value::scalar_text).as_ref() == Some(text)
                })
            })
            .map(|(id, _)| id.clone())
    }
}
