//! The records of one resource, found by id, by key and by the fields that others ask for: a list of ten
//! thousand records below ten thousand parents is not a walk over all of them for each.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use super::remains::Left;
use crate::program::system::Resource;
use crate::value::{Path, Value};

/// The records of one resource in the order they were made.
#[derive(Clone, Debug, Default)]
pub(super) struct Table {
    rows: BTreeMap<u64, Value>,
    ids: HashMap<String, u64>,
    keys: HashMap<String, u64>,
    index: Vec<(Path, HashMap<String, BTreeSet<u64>>)>,
    /// What is left of removed records, where the system tells of them.
    left: Left,
    next: u64,
    /// The largest number that was given, by field: never given twice, also after its record was removed.
    pub series: BTreeMap<String, Series>,
    /// The last list that was asked for, so that its pages are not looked for again and again.
    listed: Option<(String, Arc<Vec<u64>>)>,
    /// The part of the last list that was answered.
    pub last_page: Option<(usize, usize)>,
}

/// The largest number of a series: `C-0042` is the prefix `C-`, 4 digits and 42.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Series {
    pub prefix: String,
    pub width: usize,
    pub number: u64,
}

impl Series {
    /// The series that a number belongs to, if it ends in digits.
    pub(super) fn of(text: &str) -> Option<Series> {
        let digits = text.bytes().rev().take_while(u8::is_ascii_digit).count();
        let (prefix, tail) = text.split_at(text.len() - digits);
        // more digits than a number holds are no running number
        if digits == 0 || digits > 18 {
            return None;
        }
        Some(Series { prefix: prefix.to_owned(), width: digits, number: tail.parse().ok()? })
    }

    /// Whether this one goes on from here: plain digits before those with a prefix, then the larger number.
    pub(super) fn is_after(&self, other: &Series) -> bool {
        (self.prefix.is_empty(), self.number) > (other.prefix.is_empty(), other.number)
    }

    /// The next number, as wide as the largest one.
    pub(super) fn next(&self) -> String {
        format!("{}{:0width$}", self.prefix, self.number + 1, width = self.width)
    }

    /// The largest number, as it is written.
    pub(super) fn last(&self) -> String {
        format!("{}{:0width$}", self.prefix, self.number, width = self.width)
    }
}

impl Table {
    /// An empty table that finds records by these fields.
    pub(super) fn new(indexed: impl IntoIterator<Item = Path>) -> Table {
        let mut table = Table::default();
        for path in indexed {
            if table.index.iter().all(|(other, _)| *other != path) {
                table.index.push((path, HashMap::new()));
            }
        }
        table
    }

    /// Adds a record.
    pub(super) fn insert(&mut self, resource: &Resource, record: Value) -> u64 {
        self.next += 1;
        if !self.left.is_empty() {
            // it is there again
            let id = id_for(resource, &record);
            self.left.retain(|_, left| id_for(resource, left) != id);
        }
        self.replace(resource, self.next, record);
        self.next
    }

    /// Puts a record in the place of the one in this row.
    pub(super) fn replace(&mut self, resource: &Resource, row: u64, record: Value) {
        self.remove(resource, row);
        if let Some(id) = id_for(resource, &record) {
            self.ids.insert(id, row);
        }
        if let Some(key) = resource.key_of(&record) {
            self.keys.insert(key, row);
        }
        for (path, rows) in &mut self.index {
            if let Some(text) = path.get(&record).and_then(index_text) {
                rows.entry(text).or_default().insert(row);
            }
        }
        self.rows.insert(row, record);
    }

    /// Takes a record away.
    pub(super) fn remove(&mut self, resource: &Resource, row: u64) -> Option<Value> {
        self.listed = None;
        let record = self.rows.remove(&row)?;
        if let Some(id) = id_for(resource, &record).filter(|id| self.ids.get(id) == Some(&row)) {
            self.ids.remove(&id);
        }
        if let Some(key) = resource.key_of(&record).filter(|key| self.keys.get(key) == Some(&row)) {
            self.keys.remove(&key);
        }
        for (path, rows) in &mut self.index {
            if let Some(text) = path.get(&record).and_then(index_text)
                && let Some(hits) = rows.get_mut(&text)
            {
                hits.remove(&row);
                if hits.is_empty() {
                    rows.remove(&text);
                }
            }
        }
        Some(record)
    }

    /// Keeps what is left of the record that stood in this row.
    pub(super) fn bury(&mut self, row: u64, left: Value) {
        self.listed = None;
        self.left.insert(row, left);
    }

    /// Adds what is left of a record that was removed before.
    pub(super) fn insert_left(&mut self, left: Value) {
        self.next += 1;
        self.bury(self.next, left);
    }

    /// What is left of removed records.
    pub(super) fn left(&self) -> &Left {
        &self.left
    }

    pub(super) fn get(&self, row: u64) -> Option<&Value> {
        self.rows.get(&row)
    }

    /// The row of the record with this id.
    pub(super) fn by_id(&self, id: &str) -> Option<u64> {
        self.ids.get(id).copied()
    }

    /// The row of the record with this key.
    pub(super) fn by_key(&self, key: &str) -> Option<u64> {
        self.keys.get(key).copied()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (u64, &Value)> {
        self.rows.iter().map(|(row, record)| (*row, record))
    }

    pub(super) fn len(&self) -> usize {
        self.rows.len()
    }

    /// The rows with this text in this field, in the order they were made.
    pub(super) fn with(&self, path: &Path, text: &str) -> Vec<u64> {
        match self.index.iter().find(|(other, _)| other == path) {
            Some((_, rows)) => rows.get(text).into_iter().flatten().copied().collect(),
            None => self
                .iter()
                .filter(|(_, record)| path.get(record).and_then(index_text).as_deref() == Some(text))
                .map(|(row, _)| row)
                .collect(),
        }
    }

    /// The first row that has these texts in these fields.
    pub(super) fn find(&self, fields: &[(Path, String)]) -> Option<u64> {
        let ((first, text), rest) = fields.split_first()?;
        self.with(first, text).into_iter().find(|row| {
            self.get(*row).is_some_and(|record| {
                rest.iter().all(|(path, text)| path.get(record).and_then(index_text).as_ref() == Some(text))
            })
        })
    }

    /// The rows of a list, looked for once as long as nothing changes.
    pub(super) fn list(&mut self, name: &str, search: impl FnOnce(&Table) -> Vec<u64>) -> Arc<Vec<u64>> {
        if let Some((known, rows)) = &self.listed
            && known == name
        {
            return Arc::clone(rows);
        }
        let rows = Arc::new(search(self));
        self.listed = Some((name.to_owned(), Arc::clone(&rows)));
        rows
    }
}

/// The id of a record; the one record of a singleton has its name where it has no id.
pub(super) fn id_for(resource: &Resource, record: &Value) -> Option<String> {
    resource.id_of(record).or_else(|| resource.singleton.then(|| resource.name.clone()))
}

/// A value as others ask for it: `1.0` and `1` are one number; nothing is not found.
pub(super) fn index_text(value: &Value) -> Option<String> {
    match value {
        Value::Number(number) => Some(number.normalize().to_string()),
        other => other.scalar_text().filter(|text| !text.is_empty()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_series_goes_on_from_its_largest_number() {
        let next = |texts: &[&str]| {
            let mut largest: Option<Series> = None;
            for one in texts.iter().filter_map(|text| Series::of(text)) {
                if largest.as_ref().is_none_or(|largest| one.is_after(largest)) {
                    largest = Some(one);
                }
            }
            largest.map(|largest| largest.next())
        };
        assert_eq!(next(&["10001", "10003", "10002"]).as_deref(), Some("10004"));
        assert_eq!(next(&["007", "C-0900"]).as_deref(), Some("008"));
        assert_eq!(next(&["C-0042", "C-0007", "none"]).as_deref(), Some("C-0043"));
        assert_eq!(next(&["999"]).as_deref(), Some("1000"));
        assert_eq!(next(&["none", "12345678901234567890123"]), None);
    }
}
