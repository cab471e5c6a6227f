//! Why a record did not go: the first gate that held it back, told from the state alone.
//!
//! What is told is what `decide` decides over the mirror, as of the last run; nothing is asked of the systems and
//! nothing is written.

use std::sync::Arc;

use super::held::{Held, HeldAt, WhyNot};
use super::words::stopped;
use super::{find, known, time};
use crate::plan::{Action, Change, Gate, label};
use crate::program::mapping::{Program, Register};
use crate::run::decider::{Decider, Selected};
use crate::run::view::StoreView;
use crate::store::{Link, RecordRef, Result, RunRow, SetAside, Store, StoreError};
use crate::value::{Path, Side};

/// How far a chain of records that wait for each other is followed.
const DEPTH: usize = 12;

/// Tells what holds a record back.
///
/// # Errors
/// A state that cannot be read.
pub fn why_not(program: &Arc<Program>, store: &dyn Store, selected: &Selected) -> Result<WhyNot> {
    let run = known::last_run(store)?;
    let decider = known::decider(program, store, run.as_ref().map_or(0, |run| run.started))?;
    let explainer = Explainer { decider, store, run };
    let mut records = Vec::new();
    if let Some(register) = program.register(&selected.register) {
        for (side, at) in find::records(&explainer.decider, store, register, selected)? {
            records.push(explainer.explain(register, side, &at, &mut Vec::new())?.0);
        }
        if records.is_empty() {
            records.push(explainer.not_found(register, selected.side, &selected.key));
        }
    }
    Ok(WhyNot {
        mapping: program.name.clone(),
        asked: selected.told(program),
        as_of: explainer.run.as_ref().map(|run| time(run.started)),
        changed_since: explainer.run.as_ref().is_some_and(|run| run.program != program.hash),
        records,
    })
}

/// What holds a record back in the run that goes on, and what was decided about it: as its own decider sees it.
pub(in crate::run) fn held(
    decider: &Decider,
    store: &dyn Store,
    register: &str,
    side: Side,
    at: &RecordRef,
) -> Result<(Held, Option<Change>)> {
    // that an earlier run was held holds nothing back in this one
    let run = store.runs(100)?.into_iter().find(|run| run.verb != "recover" && stopped(run).is_none());
    let decider = decider.clone();
    let program = Arc::clone(&decider.program);
    let explainer = Explainer { decider, store, run };
    match program.register(register) {
        Some(register) => explainer.explain(register, side, at, &mut Vec::new()),
        None => Err(StoreError(format!("there is no register `{register}`"))),
    }
}

pub(super) struct Explainer<'a> {
    pub(super) decider: Decider,
    pub(super) store: &'a dyn Store,
    pub(super) run: Option<RunRow>,
}

impl Explainer<'_> {
    pub(super) fn name(&self, side: Side) -> &str {
        &self.decider.program.sides[side].name
    }

    fn not_found(&self, register: &Register, side: Option<Side>, key: &str) -> Held {
        let of = match side {
            Some(side) => self.name(side).to_owned(),
            None => format!("{} or {}", self.name(Side::Left), self.name(Side::Right)),
        };
        let document = self.decider.program.document(&register.name);
        let on_demand = self.run.is_some() && document.is_some_and(|document| document.on_demand);
        let reason = match (&self.run, self.run.as_ref().and_then(stopped)) {
            _ if on_demand => format!(
                "it is not known yet: new {} are looked at only in a run that names them: `--only {}`",
                register.name, register.name
            ),
            (None, _) => "there was no run yet: nothing is known of either system".to_owned(),
            (_, Some(stopped)) => format!("no read of {of} has shown it yet, and {stopped}"),
            _ => format!("the last read of {of} did not show it: is it there, and is the key right?"),
        };
        Held {
            register: register.name.clone(),
            side: side.map(|side| self.name(side).to_owned()),
            id: key.to_owned(),
            label: key.to_owned(),
            linked_to: None,
            at: if on_demand { HeldAt::OnDemand } else { HeldAt::NotFound },
            reason,
            code: None,
            conditions: Vec::new(),
            since: None,
            attempts: None,
            retry_at: None,
            write: None,
            step: None,
            because: Vec::new(),
        }
    }

    /// What holds one record, and what is decided about it; `seen` are those that wait for it already.
    fn explain(
        &self,
        register: &Register,
        side: Side,
        at: &RecordRef,
        seen: &mut Vec<(String, Side, RecordRef)>,
    ) -> Result<(Held, Option<Change>)> {
        let mut held = self.not_found(register, Some(side), &at.id);
        let link = self.store.link(&register.name, side, at)?;
        held.linked_to = link.as_ref().map(|link| link.on(side.other()).id.clone());
        let Some(record) = self.decider.record(self.store, side, at)? else {
            if let Some(link) = &link {
                held.at = HeldAt::Gone;
                held.reason = format!(
                    "it is gone from {}, but still linked with {} of {}",
                    self.name(side),
                    link.on(side.other()).id,
                    self.name(side.other())
                );
            }
            return Ok((held, None));
        };
        held.label = label(register, side, &record);
        let document = self.decider.program.document(&register.name);
        let change = match document {
            Some(document) => self.decider.decide_document(self.store, document, side, &record, &[])?,
            None => Some(self.decider.decide_one(self.store, register, side, record.clone(), &[])?),
        };
        let Some(change) = change else {
            held.at = HeldAt::OneWay;
            held.reason = format!(
                "{} go from {} to {}, and this one was not made by a run",
                register.name,
                self.name(side.other()),
                self.name(side)
            );
            return Ok((held, None));
        };
        let aside = self.set_aside(register, side, at, link.as_ref())?;
        if let Some(row) = &aside {
            held.since = Some(time(row.since));
            held.attempts = Some(row.attempts);
            held.retry_at = row.retry_at.map(time);
        }
        match (&change.action, aside) {
            (Action::SetAside { code, reason, .. }, _) => {
                self.refused(&mut held, register, side, &record, &change, code, reason)?
            }
            // what a server refused, or a document's check, is not decided anew: the state has it
            (action, Some(row)) if !change.stay && !matches!(action, Action::Wait { .. }) => {
                let valid = (row.code == "ME0901").then_some(Gate::Valid);
                let change = Change { held: valid, ..change.clone() };
                self.refused(&mut held, register, side, &record, &change, &row.code, &row.reason)?;
            }
            (Action::Wait { reason }, _) => {
                held.reason.clone_from(reason);
                match change.held {
                    Some(Gate::Write(write)) => self.in_doubt(&mut held, write)?,
                    _ => held.at = HeldAt::Waits,
                }
            }
            (Action::Nothing, _) => self.nothing(&mut held, register, side, &record, &change),
            _ => self.under_way(&mut held, side, document.map(Arc::as_ref), &change, link.as_ref()),
        }
        if seen.len() < DEPTH {
            seen.push((register.name.clone(), side, at.clone()));
            held.because = self.because(&change, seen)?;
            seen.pop();
        }
        Ok((held, Some(change)))
    }

    /// The row of the state that sets a record aside, or the record it is linked with.
    fn set_aside(
        &self,
        register: &Register,
        side: Side,
        at: &RecordRef,
        link: Option<&Link>,
    ) -> Result<Option<SetAside>> {
        let here = self.store.set_aside_of(&register.name, side, at)?;
        match (here, link) {
            (None, Some(link)) => {
                self.store.set_aside_of(&register.name, side.other(), link.on(side.other()))
            }
            (here, _) => Ok(here.filter(|row| row.resource == at.resource)),
        }
    }

    /// The records that a change waits for, and what holds each of them.
    fn because(&self, change: &Change, seen: &mut Vec<(String, Side, RecordRef)>) -> Result<Vec<Held>> {
        let mut because: Vec<Held> = Vec::new();
        let view = StoreView { store: self.store, register_of: &self.decider.program };
        for awaited in &change.awaits {
            let Some(register) = self.decider.program.register(&awaited.register) else { continue };
            let text = awaited.value.scalar_text().unwrap_or_default();
            let field = awaited.field.as_ref().and_then(|field| Path::parse(field).ok());
            let held = match view.find(register, awaited.side, &text, field.as_ref())? {
                // two that wait for each other are told once
                Some(at) if seen.contains(&(register.name.clone(), awaited.side, at.clone())) => continue,
                Some(at) => self.explain(register, awaited.side, &at, seen)?.0,
                None => self.not_found(register, Some(awaited.side), &text),
            };
            if !because.contains(&held) {
                because.push(held);
            }
        }
        Ok(because)
    }
}
