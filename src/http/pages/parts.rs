//! Records that page borders cut: their parts are joined, and a record is given out once it is whole.

use std::collections::{HashMap, HashSet};
use std::mem::take;

use super::walk::hash;
use crate::program::system::PagedBy;
use crate::value::{Path, Query, Value};

/// What of a list is not given out yet: the records of one page, since any of them may go on with the next one.
///
/// A record that came and comes again later, with other pages between, is not given out: whether it is the rest of a record, or
/// one that changed and moved while the list was read, nobody can say. The list counts as incomplete then, so that the
/// next run reads it again. To know them, one number of each record is kept, not the record.
#[derive(Debug)]
pub(super) struct Parts {
    by: PagedBy,
    /// Where a record holds its key.
    key: Vec<Query>,
    open: Vec<Open>,
    /// The server's time as it gave them.
    date: Option<i64>,
    /// What was given out, by its key: a hash of each.
    given: HashMap<u64, u64>,
    problem: Option<String>,
}

#[derive(Debug)]
struct Open {
    /// None: it tells no key, and stands alone.
    key: Option<String>,
    record: Value,
}

/// Records that are whole.
#[derive(Debug, Default)]
pub(super) struct Whole {
    pub records: Vec<Value>,
    /// The server's time as it gave the first part of them.
    pub date: Option<i64>,
}

impl Parts {
    pub(super) fn new(by: PagedBy, key: Vec<Query>) -> Parts {
        Parts { by, key, open: Vec::new(), date: None, given: HashMap::new(), problem: None }
    }

    /// Takes the records of a page. Answers those of the page before that it does not go on with.
    pub(super) fn take(&mut self, page: Vec<Value>, date: Option<i64>) -> Whole {
        let page: Vec<Open> =
            page.into_iter().map(|record| Open { key: self.key_of(&record), record }).collect();
        let mut whole = Whole { date: std::mem::replace(&mut self.date, date), ..Whole::default() };
        let here: HashSet<String> = page.iter().filter_map(|one| one.key.clone()).collect();
        let mut open: Vec<Open> = Vec::with_capacity(page.len());
        for one in take(&mut self.open) {
            match one.key.as_ref().is_some_and(|key| here.contains(key)) {
                true => open.push(one),
                false => whole.records.push(self.give(one)),
            }
        }
        if !open.is_empty() {
            // what began on an earlier page is as old as that page
            self.date = whole.date;
        }
        let mut places: HashMap<String, usize> = HashMap::new();
        places.extend(open.iter().enumerate().filter_map(|(at, one)| Some((one.key.clone()?, at))));
        for one in page {
            let Some(key) = one.key.clone() else {
                open.push(one);
                continue;
            };
            if let Some(at) = places.get(&key).copied() {
                self.join(&mut open[at].record, one.record);
            } else if let Some(before) = self.given.get(&hash(&key)) {
                if *before != hash(&one.record.to_json()) {
                    let problem = || format!("{key} came again after other pages, and not as it was");
                    self.problem.get_or_insert_with(problem);
                }
            } else {
                places.insert(key, open.len());
                open.push(one);
            }
        }
        self.open = open;
        whole
    }

    /// What is left when the list has come to its end.
    pub(super) fn rest(&mut self) -> Whole {
        let left = take(&mut self.open);
        let records = left.into_iter().map(|one| self.give(one)).collect();
        Whole { records, date: self.date }
    }

    /// Why a record may be missing.
    pub(super) fn problem(&self) -> Option<&str> {
        self.problem.as_deref()
    }

    /// Forgets what may not be whole.
    pub(super) fn drop_rest(&mut self) {
        self.open.clear();
    }

    fn give(&mut self, one: Open) -> Value {
        if let Some(key) = &one.key {
            self.given.insert(hash(key), hash(&one.record.to_json()));
        }
        one.record
    }

    fn key_of(&self, record: &Value) -> Option<String> {
        let texts: Option<Vec<String>> = self
            .key
            .iter()
            .map(|key| key.first(record)?.scalar_text().filter(|text| !text.is_empty()))
            .collect();
        texts.filter(|texts| !texts.is_empty()).map(|texts| texts.join("/"))
    }

    /// Puts the items of the second part behind those of the first. Where the list moved between two pages, an item comes twice:
    /// as it came last counts. What stands beside the list is as it came first, so that a change meanwhile is still to come.
    fn join(&self, first: &mut Value, mut second: Value) {
        let new = items(&self.by.list, &mut second);
        if new.is_empty() {
            return;
        }
        let mut all = items(&self.by.list, first);
        let key = |item: &Value| self.by.key.first(item).and_then(|key| key.scalar_text());
        let mut places: HashMap<String, usize> = HashMap::new();
        places.extend(all.iter().enumerate().filter_map(|(at, item)| Some((key(item)?, at))));
        for item in new {
            match key(&item).and_then(|key| places.get(&key)).copied() {
                Some(at) => all[at] = item,
                None => all.push(item),
            }
        }
        self.by.list.set(first, Value::List(all));
    }
}

/// Takes the items out of a record; one that stands alone is a list of one.
fn items(list: &Path, record: &mut Value) -> Vec<Value> {
    match list.remove(record) {
        Some(Value::List(items)) => items,
        Some(item @ Value::Map(_)) => vec![item],
        _ => Vec::new(),
    }
}
