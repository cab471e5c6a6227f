//! The answers to a mapping's questions about records of other resources (`exists:`), kept by an index.
//!
//! Each question has two lists in the state's index: what the records that count are found by, and what those that are asked about
//! look for. An answer that changes puts the records that are asked about on the work list: nothing else of them did.

use super::decider::Decider;
use super::{Engine, RunError};
use crate::plan::{Record, decide};
use crate::program::document::Document;
use crate::program::mapping::{Asks, Exists, Program, RELATED};
use crate::store::{RecordRef, RecordRow, Result, Store, Which};
use crate::value::{Map, Path, Side, Value};

/// How many records are looked at in one job of the store.
const CHUNK: usize = 500;

/// The list of the records that count.
fn found_by(question: &Exists) -> String {
    format!("exists:{}:{}", question.register, question.name)
}

/// The list of the records that are asked about.
fn looking_for(question: &Exists) -> String {
    format!("asks:{}:{}", question.register, question.name)
}

/// The values by which two records stand together; none where one of them is empty.
fn key<'p>(paths: impl Iterator<Item = &'p Path>, data: &Value) -> Option<String> {
    let values: Option<Vec<Value>> = paths
        .map(|path| Some(Value::text(path.get(data)?.scalar_text().filter(|text| !text.is_empty())?)))
        .collect();
    Some(Value::List(values?).to_json())
}

/// Those who ask whether a record of this key exists are looked at once more.
fn look_again(store: &mut dyn Store, question: &Exists, key: &str) -> Result<()> {
    for at in store.by_key(&looking_for(question), question.side, 0, key, usize::MAX)? {
        store.mark_dirty(question.side, &at.resource, Some(&at.id))?;
    }
    Ok(())
}

/// A record is gone: it counts no more.
pub(super) fn gone(program: &Program, store: &mut dyn Store, side: Side, at: &RecordRef) -> Result<()> {
    for question in counting(program, side, &at.resource) {
        for (_, key) in store.keys_of(&found_by(question), side, at)? {
            look_again(store, question, &key)?;
        }
        store.put_keys(&found_by(question), side, at, &[])?;
    }
    for question in asking(program, side, &at.resource) {
        store.put_keys(&looking_for(question), side, at, &[])?;
    }
    Ok(())
}

/// The questions that are asked about records of a resource.
fn asking<'p>(program: &'p Program, side: Side, resource: &str) -> impl Iterator<Item = &'p Exists> {
    program.exists.iter().filter(move |one| one.side == side && one.of.iter().any(|name| name == resource))
}

/// The questions that a resource's records answer.
fn counting<'p>(program: &'p Program, side: Side, resource: &str) -> impl Iterator<Item = &'p Exists> {
    program.exists.iter().filter(move |one| one.there == side && one.resource.name == resource)
}

impl Decider {
    /// What the questions about a record come to now, by their names.
    pub(super) fn answers(
        &self,
        store: &dyn Store,
        side: Side,
        resource: &str,
        row: &RecordRow,
    ) -> Result<Value> {
        let mut answers = Map::new();
        let asked = asking(&self.program, side, resource);
        for question in asked.filter(|question| question.asks == Asks::Whether) {
            let yes = match key(question.pairs.iter().map(|(_, ours)| ours), &row.data) {
                Some(key) => !store.by_key(&found_by(question), question.there, 0, &key, 1)?.is_empty(),
                None => false,
            };
            answers.insert(question.name.clone(), Value::Bool(yes));
        }
        Ok(if answers.is_empty() { Value::Null } else { Value::Map(answers) })
    }

    /// Puts the records that stand with one in their places: `related.NAME`. There is none where none fits, or more than one.
    pub(super) fn relate(
        &self,
        store: &dyn Store,
        side: Side,
        resource: &str,
        data: &mut Value,
    ) -> Result<()> {
        let asked = asking(&self.program, side, resource);
        for question in asked.filter(|question| question.asks == Asks::Related) {
            let key = key(question.pairs.iter().map(|(_, ours)| ours), data);
            let found = match &key {
                Some(key) => store.by_key(&found_by(question), question.there, 0, key, 2)?,
                None => Vec::new(),
            };
            let record = match &found[..] {
                [one] => store.record(question.there, &one.resource, &one.id)?,
                _ => None,
            };
            let record = record.map_or(Value::Null, |stored| stored.row.data);
            Path::key(RELATED).join(&Path::key(question.name.clone())).set(data, record);
        }
        Ok(())
    }

    /// Keeps the lists of the questions in which a record stands.
    pub(super) fn note_answers(&self, store: &mut dyn Store, side: Side, at: &RecordRef) -> Result<()> {
        let program = &self.program;
        let concerns = asking(program, side, &at.resource).next().is_some()
            || counting(program, side, &at.resource).next().is_some();
        if !concerns {
            return Ok(());
        }
        let Some(stored) = store.record(side, &at.resource, &at.id)? else { return Ok(()) };
        let mut data = stored.row.data;
        // one that stands with it may be found by another one
        self.relate(store, side, &at.resource, &mut data)?;
        let data = &data;
        for question in asking(program, side, &at.resource) {
            let ours = key(question.pairs.iter().map(|(_, ours)| ours), data);
            store.put_keys(&looking_for(question), side, at, &[ours])?;
        }
        for question in counting(program, side, &at.resource) {
            let counts = question
                .when
                .as_ref()
                .is_none_or(|when| decide::holds_for(&self.context(), when, side, data).unwrap_or(false));
            let now = key(question.pairs.iter().map(|(theirs, _)| theirs), data).filter(|_| counts);
            let before = store.keys_of(&found_by(question), side, at)?;
            let before = before.into_iter().map(|(_, key)| key).next();
            // what a document's record has become is followed, and what stands with one is read: each change of it counts
            if before == now && question.asks == Asks::Whether {
                continue;
            }
            for key in before.iter().chain(&now) {
                look_again(store, question, key)?;
            }
            store.put_keys(&found_by(question), side, at, &[now])?;
        }
        Ok(())
    }

    /// What the record that a document made has become: none yet, one, or the ids of many, of which nobody knows which counts.
    pub(super) fn successor(
        &self,
        store: &dyn Store,
        document: &Document,
        source: &Record,
    ) -> Result<std::result::Result<Option<Record>, Vec<String>>> {
        let name = &document.register.name;
        let question =
            self.program.exists.iter().find(|one| one.asks == Asks::Becomes && one.register == *name);
        let Some(question) = question else { return Ok(Ok(None)) };
        let Some(key) = key(question.pairs.iter().map(|(_, ours)| ours), &source.data) else {
            return Ok(Ok(None));
        };
        let found = store.by_key(&found_by(question), question.there, 0, &key, usize::MAX)?;
        match &found[..] {
            [] => Ok(Ok(None)),
            [one] => Ok(Ok(self.record(store, question.there, one)?)),
            many => Ok(Err(many.iter().map(|one| one.id.clone()).collect())),
        }
    }

    /// One part of a resource's work list; gives the last id.
    fn note_chunk(
        &self,
        store: &mut dyn Store,
        side: Side,
        resource: &str,
        after: &str,
    ) -> Result<Option<String>> {
        let rows = store.records(side, resource, Which::Dirty, after, CHUNK)?;
        let mut resources = self.program.sides[side].system.resources.values();
        let concerns = self.program.all().any(|register| register.member(side, resource).is_some())
            || resources.any(|one| one.parts.values().any(|part| part.resource == resource));
        for row in &rows {
            let at = RecordRef { resource: resource.to_owned(), id: row.id.clone() };
            self.note_answers(store, side, &at)?;
            if !concerns {
                // nobody else takes it off the work list
                store.clean(side, resource, &row.id, &row.hash)?;
            }
        }
        Ok(rows.last().map(|row| row.id.clone()))
    }
}

impl Engine {
    /// Brings the answers up to what was read: before the first decision, for every register, chosen in this run or not.
    pub(super) async fn answer_questions(&self, decider: &Decider) -> std::result::Result<(), RunError> {
        for question in &self.program.exists {
            // first those who ask, so that an answer that changes finds them
            let asking = question.of.iter().map(|name| (question.side, name));
            for (side, resource) in asking.chain([(question.there, &question.resource.name)]) {
                let mut after = String::new();
                loop {
                    let (decider, resource) = (decider.clone(), resource.clone());
                    let from = after;
                    let last = self
                        .store
                        .call(move |store| decider.note_chunk(store, side, &resource, &from))
                        .await?;
                    match last {
                        Some(last) => after = last,
                        None => break,
                    }
                }
            }
        }
        Ok(())
    }
}
