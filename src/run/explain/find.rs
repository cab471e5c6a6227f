//! The record that a person names: `REGISTER[:SIDE]:KEY`.

use crate::plan::label;
use crate::program::mapping::{Program, Register};
use crate::run::decider::{Decider, Selected};
use crate::run::keys::key_slot;
use crate::store::{RecordRef, Result, Store, Which};
use crate::value::{Side, Value};

/// How many records are looked at in one query.
const CHUNK: usize = 500;

impl Selected {
    /// Reads `REGISTER[:SIDE]:KEY`; with `documents`, their names count as well.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn parse(text: &str, program: &Program, documents: bool) -> Result<Selected, String> {
        let mut parts = text.splitn(3, ':');
        let register = parts.next().unwrap_or_default();
        let (second, third) = (parts.next(), parts.next());
        let names: Vec<&str> = program
            .all()
            .filter(|register| documents || !register.is_document)
            .map(|register| register.name.as_str())
            .collect();
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
