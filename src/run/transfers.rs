//! Which documents a run takes: those on demand only where it names them, and only so many in one transfer.

use std::collections::BTreeSet;

use indexmap::IndexMap;

use super::decider::Decider;
use super::{Counts, Engine, RunError};
use crate::plan::document::Progress;
use crate::program::document::Document;
use crate::program::mapping::{Program, Row, Step};

/// How many links are looked at in one job of the store.
const LINKS: usize = 500;

/// The names of `--only`, with the registers that the documents among them refer to: what a document names has to be there when
/// it goes.
pub(super) fn with_references(program: &Program, only: &[String]) -> Vec<String> {
    let mut names: Vec<String> = only.to_vec();
    let mut queue: Vec<String> = only
        .iter()
        .filter_map(|name| program.document(name))
        .flat_map(|document| referred(document))
        .collect();
    while let Some(name) = queue.pop() {
        if names.contains(&name) {
            continue;
        }
        if let Some(register) = program.register(&name) {
            queue.extend(register.needs.iter().cloned());
            names.push(name);
        }
    }
    names
}

fn referred(document: &Document) -> BTreeSet<String> {
    let of = |row: &Row| {
        row.steps
            .iter()
            .filter_map(|step| match step {
                Step::Reference { register, .. } => Some(register.clone()),
                _ => None,
            })
            .collect::<Vec<_>>()
    };
    let rows = document.register.rows.iter().chain(document.lines.iter().flat_map(|lines| &lines.rows));
    rows.flat_map(of).collect()
}

impl Engine {
    /// Whether new ones of a document travel in this run.
    pub(super) fn takes_new(&self, document: &Document) -> bool {
        let name = &document.register.name;
        !document.on_demand
            || self.options.only.contains(name)
            || self.options.asked.contains(name)
            || self.options.record.as_ref().is_some_and(|record| record.register == *name)
    }

    /// Documents on demand that this run does not name are left alone as a whole, unless one of them is under way.
    pub(super) async fn leave_out(&self) -> Result<(), RunError> {
        let everything = self.options.only.is_empty() && self.options.record.is_none();
        for document in self.program.documents.iter().filter(|document| !self.takes_new(document)) {
            if everything && !self.options.recover_only {
                self.report.borrow_mut().on_demand.push(document.register.name.clone());
            }
            if !self.under_way(document).await? {
                self.left_out.borrow_mut().insert(document.register.name.clone());
            }
        }
        Ok(())
    }

    /// Whether one of them is not at the end of its steps, or is followed.
    async fn under_way(&self, document: &Document) -> Result<bool, RunError> {
        if document.steps.is_empty() && document.follow.is_none() {
            return Ok(false);
        }
        let mut after = String::new();
        loop {
            let (name, from) = (document.register.name.clone(), after);
            let links = self.store.read(move |store| store.links(&name, &from, LINKS)).await?;
            let Some(last) = links.last() else { return Ok(false) };
            let open = document.follow.is_some()
                || links.iter().any(|link| {
                    let progress = Progress::of(&link.base);
                    progress.next(&document.steps).is_some() || progress.undo.is_some()
                });
            if open {
                return Ok(true);
            }
            after = last.left.id.clone();
        }
    }

    /// How many new ones of a document one transfer takes. A plan of all has no end.
    pub(super) fn room(&self, document: &Document) -> Option<u64> {
        document.at_most.filter(|_| !(self.options.all && self.options.plan_only))
    }

    /// Plans the documents and carries them out, with brakes of their own (`decisions` 5): once, or, where all are asked for,
    /// again until none was held back, or until a transfer made nothing.
    pub(super) async fn transfer_documents(&self, decider: &Decider) -> Result<(), RunError> {
        let is_document = |name: &str| self.program.document(name).is_some();
        let mut earlier: IndexMap<String, Counts> = IndexMap::new();
        loop {
            let held_back = self.plan_documents(decider).await?;
            self.show_changes(&is_document).await?;
            if self.named.borrow().as_ref().is_some_and(|named| is_document(&named.register)) {
                self.trace(decider).await?;
            }
            // the brakes see all of it before the first write
            let to_come = if self.options.all && earlier.is_empty() { held_back } else { 0 };
            self.brake(&is_document, to_come).await?;
            let mut made = 0;
            for document in &self.program.documents {
                let name = &document.register.name;
                if !self.chosen(name) {
                    continue;
                }
                let mut counts = self.report.borrow().registers.get(name).copied().unwrap_or_default();
                let outcome = self.apply_register(decider, &document.register, &mut counts).await;
                made += counts.created + counts.linked;
                counts = earlier.get(name).map_or(counts, |earlier| counts.after(earlier));
                counts.pairs = self.pairs(name).await?;
                self.report.borrow_mut().registers.insert(name.clone(), counts);
                earlier.insert(name.clone(), counts);
                outcome?;
            }
            if !self.options.all || held_back == 0 || made == 0 {
                return Ok(());
            }
            // what still waits or is set aside is found, counted and named again
            {
                let mut report = self.report.borrow_mut();
                report.set_aside.retain(|entry| !is_document(&entry.register));
                report.waiting.retain(|entry| !is_document(&entry.register));
            }
            self.store.call(|store| store.clear_plan()).await?;
        }
    }
}
