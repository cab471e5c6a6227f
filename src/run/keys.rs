//! The index of a register: by which keys its records are found.

use super::decider::{CHUNK, Decider};
use super::view::StoreView;
use crate::plan::Context;
use crate::plan::decide::{self, Record};
use crate::plan::translate::normal;
use crate::program::mapping::{Program, Register};
use crate::store::{RecordRef, Result, Store, Which};
use crate::value::Side;

impl Decider {
    /// First pass: the match keys of every record on the work list.
    pub(super) fn index_chunk(
        &self,
        store: &mut dyn Store,
        register: &Register,
        side: Side,
        resource: &str,
        after: &str,
    ) -> Result<Option<String>> {
        let rows = store.records(side, resource, Which::Dirty, after, CHUNK)?;
        let last = rows.last().map(|row| row.id.clone());
        let context = self.context();
        for row in rows {
            let record = self.assembled(store, side, resource, row)?;
            let keys = self.keys(store, &context, register, side, &record)?;
            store.put_keys(&register.name, side, &record.at, &keys)?;
        }
        Ok(last)
    }

    /// The match keys of one record that this run made or changed: it is not on the work list, and still it must
    /// be found by what refers to it, and count where a value may stand only once.
    pub(super) fn index(
        &self,
        store: &mut dyn Store,
        register: &Register,
        side: Side,
        at: &RecordRef,
    ) -> Result<()> {
        self.note_answers(store, side, at)?;
        if register.member(side, &at.resource).is_none() {
            return Ok(());
        }
        let Some(record) = self.record(store, side, at)? else { return Ok(()) };
        let keys = self.keys(store, &self.context(), register, side, &record)?;
        store.put_keys(&register.name, side, &record.at, &keys)
    }

    /// The slots of a register's index for one record: match entries, halves of them, unique rules, the key. A
    /// unique rule's slot holds the value on the rule's own side, and on the other side the value that the record
    /// would give it there.
    pub(super) fn keys(
        &self,
        store: &dyn Store,
        context: &Context,
        register: &Register,
        side: Side,
        record: &Record,
    ) -> Result<Vec<Option<String>>> {
        let view = StoreView { store, register_of: &self.program };
        let inside = decide::in_scope(context, register, side, record).unwrap_or(false);
        let mut keys = Vec::new();
        for entry in entries(register) {
            keys.push(if inside {
                decide::match_key(register, &entry, side, &record.data, &view)
            } else {
                None
            });
        }
        let made = inside && self.is_made(store, context, register, side, record)?;
        for rule in &register.unique {
            let here = rule.side == side;
            let there = (!here && made).then(|| decide::made_of(context, register, side, record, &view));
            let data = match &there {
                Some(there) => there,
                None => &record.data,
            };
            let counts = inside
                && (here || made)
                && rule
                    .when
                    .as_ref()
                    .is_none_or(|when| decide::holds_for(context, when, rule.side, data).unwrap_or(false));
            let value = rule.field.get(data).filter(|value| !value.is_empty());
            keys.push(value.filter(|_| counts).map(|value| normal(rule.compare, value).to_json()));
        }
        keys.push(
            register
                .member(side, &record.at.resource)
                .and_then(|member| member.resource.key_of(&record.data)),
        );
        Ok(keys)
    }

    /// Whether a record stands on the other side, or would be made there.
    fn is_made(
        &self,
        store: &dyn Store,
        context: &Context,
        register: &Register,
        side: Side,
        record: &Record,
    ) -> Result<bool> {
        if register.unique.iter().all(|rule| rule.side == side) {
            return Ok(false);
        }
        let lives = register.ends[side]
            .create_when
            .as_ref()
            .is_none_or(|when| decide::holds(context, when, side, record).unwrap_or(false));
        Ok(lives || store.link(&register.name, side, &record.at)?.is_some())
    }
}

/// The match entries of a register, then each single row of those that have many: half a match never
/// links, but it is noticed (`decisions` 17).
pub(super) fn entries(register: &Register) -> Vec<Vec<usize>> {
    let parent = register.part_of.as_ref().map(|(_, index)| *index);
    let mut entries: Vec<Vec<usize>> = register.matching.clone();
    let mut halves: Vec<Vec<usize>> = Vec::new();
    for entry in &register.matching {
        let rows: Vec<usize> = entry.iter().copied().filter(|index| Some(*index) != parent).collect();
        if rows.len() < 2 {
            continue;
        }
        for row in rows {
            let half: Vec<usize> = parent.into_iter().chain([row]).collect();
            if !entries.contains(&half) && !halves.contains(&half) {
                halves.push(half);
            }
        }
    }
    entries.append(&mut halves);
    entries
}

/// The record that a child names as its parent: by its id, else by its key.
pub(super) fn parent_of(
    program: &Program,
    store: &dyn Store,
    side: Side,
    resource: &str,
    key: &str,
) -> Result<Vec<RecordRef>> {
    if store.record(side, resource, key)?.is_some() {
        return Ok(vec![RecordRef { resource: resource.to_owned(), id: key.to_owned() }]);
    }
    let mut found = Vec::new();
    for register in program.registers.iter().filter(|register| register.member(side, resource).is_some()) {
        for hit in store.by_key(&register.name, side, key_slot(register), key, 2)? {
            if hit.resource == resource && !found.contains(&hit) {
                found.push(hit);
            }
        }
    }
    Ok(found)
}

/// The slot of the index that holds a record's key.
pub fn key_slot(register: &Register) -> usize {
    entries(register).len() + register.unique.len()
}
