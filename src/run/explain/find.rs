//! The record that a person names: `REGISTER[:SIDE]:KEY`.

use std::sync::Arc;

use crate::plan::{Found, label};
use crate::program::mapping::{Program, Register};
use crate::run::decider::{Decider, Selected};
use crate::run::keys::key_slot;
use crate::store::{RecordRef, Result, Store, Which};
use crate::value::{Side, Value};

/// How many records are looked at in one query.
const CHUNK: usize = 500;

impl Selected {
    /// Reads `REGISTER[:SIDE]:KEY`.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn parse(text: &str, program: &Program) -> Result<Selected, String> {
        let mut parts = text.splitn(3, ':');
        let register = parts.next().unwrap_or_default();
        let (second, third) = (parts.next(), parts.next());
        let names: Vec<&str> = program.all().map(|register| register.name.as_str()).collect();
        if !names.contains(&register) {
            let near = crate::diagnostic::suggest(register, names.iter().copied());
            let help = near.map_or_else(
                || format!("there are {}", names.join(", ")),
                |near| format!("did you mean `{near}`?"),
            );
            return Err(format!("{text}: there is no register `{register}` ({help})"));
        }
        let (side, key) = match (second, third) {
            (Some(side), Some(key)) if program.side(side).is_some() => (program.side(side), key.to_owned()),
            // a key may hold a colon itself
            (Some(first), Some(rest)) => (None, format!("{first}:{rest}")),
            (Some(key), None) => (None, key.to_owned()),
            _ => return Err(format!("{text}: write REGISTER[:SIDE]:KEY")),
        };
        Ok(Selected { register: register.to_owned(), side, key })
    }

    /// As a person writes it.
    pub fn told(&self, program: &Program) -> String {
        match self.side {
            Some(side) => format!("{}:{}:{}", self.register, program.sides[side].name, self.key),
            None => format!("{}:{}", self.register, self.key),
        }
    }
}

/// The records that a person may mean, as of the last run in a state.
///
/// # Errors
/// Those of the state.
pub fn named(
    program: &Arc<Program>,
    store: &dyn Store,
    selected: &Selected,
) -> Result<Vec<(Side, RecordRef)>> {
    let run = super::known::last_run(store)?;
    let decider = super::known::decider(program, store, run.as_ref().map_or(0, |run| run.started))?;
    match program.register(&selected.register) {
        Some(register) => records(&decider, store, register, selected),
        None => Ok(Vec::new()),
    }
}

/// The one record that a person means; else why it is none, or which there are.
pub(in crate::run) fn one(
    decider: &Decider,
    store: &dyn Store,
    register: &Register,
    selected: &Selected,
) -> Result<Result<(Side, RecordRef), String>> {
    let found = records(decider, store, register, selected)?;
    let name = |side: Side| &decider.program.sides[side].name;
    match &found[..] {
        [one] => Ok(Ok(one.clone())),
        [] => Ok(Err(match selected.side {
            Some(side) => format!("{} has no record with this id, key or name", name(side)),
            None => format!(
                "neither {} nor {} has a record with this id, key or name",
                name(Side::Left),
                name(Side::Right)
            ),
        })),
        // the next run links them: they are one
        [(Side::Left, left), (Side::Right, right)]
            if match_each_other(decider, store, register, left, right)? =>
        {
            Ok(Ok((Side::Left, left.clone())))
        }
        many => {
            let mut names = Vec::new();
            for (side, at) in many {
                let called = decider.name_of(store, register, *side, at);
                names.push(format!("{}:{}:{} ({called})", register.name, name(*side), at.id));
            }
            Ok(Err(format!("{} records can be meant, name one of them: {}", many.len(), names.join(", "))))
        }
    }
}

/// Whether two that are not linked yet are found to be the same.
fn match_each_other(
    decider: &Decider,
    store: &dyn Store,
    register: &Register,
    left: &RecordRef,
    right: &RecordRef,
) -> Result<bool> {
    let source = decider.program.document(&register.name).map_or(Side::Left, |document| document.source);
    let (at, other) = if source == Side::Left { (left, right) } else { (right, left) };
    let Some(record) = decider.record(store, source, at)? else { return Ok(false) };
    let change = match decider.program.document(&register.name) {
        Some(document) => decider.decide_document(store, document, source, &record, &[])?,
        None => Some(decider.decide_one(store, register, source, record, &[])?),
    };
    Ok(change.is_some_and(|change| change.found == Found::Found && change.on(source.other()) == Some(other)))
}

/// The records that a person can mean. The two of a linked pair are one: the left one is answered.
pub(super) fn records(
    decider: &Decider,
    store: &dyn Store,
    register: &Register,
    selected: &Selected,
) -> Result<Vec<(Side, RecordRef)>> {
    let mut found: Vec<(Side, RecordRef)> = Vec::new();
    for side in Side::BOTH {
        if selected.side.is_some_and(|one| one != side) {
            continue;
        }
        for at in on_side(decider, store, register, side, &selected.key)? {
            let pair = store.link(&register.name, side, &at)?.map(|link| link.on(side.other()).clone());
            if !pair.is_some_and(|other| found.contains(&(side.other(), other))) {
                found.push((side, at));
            }
        }
    }
    Ok(found)
}

/// By id, else by key, else by what people call it: a value that links records.
fn on_side(
    decider: &Decider,
    store: &dyn Store,
    register: &Register,
    side: Side,
    key: &str,
) -> Result<Vec<RecordRef>> {
    let mut found = Vec::new();
    for member in &register.ends[side].members {
        if store.record(side, &member.resource.name, key)?.is_some() {
            found.push(RecordRef { resource: member.resource.name.clone(), id: key.to_owned() });
        }
    }
    if found.is_empty() {
        found = store.by_key(&register.name, side, key_slot(register), key, 20)?;
        found.retain(|at| register.member(side, &at.resource).is_some());
    }
    // a pair whose record is gone keeps its link
    if found.is_empty()
        && let Some(link) = store.link_by_id(&register.name, side, key)?
    {
        found.push(link.on(side).clone());
    }
    if !found.is_empty() {
        return Ok(found);
    }
    let names = register
        .rows
        .iter()
        .enumerate()
        .filter(|(index, row)| row.key || register.matching.iter().any(|entry| entry[..] == [*index]))
        .map(|(_, row)| row.paths(side))
        .filter(|paths| paths.len() == 1)
        .map(|paths| &paths[0]);
    let names: Vec<_> = names.collect();
    for member in &register.ends[side].members {
        let mut after = String::new();
        loop {
            let rows = store.records(side, &member.resource.name, Which::All, &after, CHUNK)?;
            let Some(last) = rows.last() else { break };
            after.clone_from(&last.row.id);
            for row in rows {
                let record = decider.assembled(store, side, &member.resource.name, row)?;
                let called = |value: &Value| value.scalar_text().as_deref() == Some(key);
                if member.resource.key_of(&record.data).as_deref() == Some(key)
                    || names.iter().any(|path| path.get(&record.data).is_some_and(called))
                    || label(register, side, &record) == key
                {
                    found.push(record.at);
                }
            }
        }
    }
    Ok(found)
}
