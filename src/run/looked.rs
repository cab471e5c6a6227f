//! What a run has read, as a report asks for it; and the rows of documents, which no other run reads again.

use std::sync::Arc;

use super::decider::Decider;
use super::documents::Unread;
use super::{Engine, RunError, explain};
use crate::plan::reckon::{self, Period};
use crate::plan::{Context, Record, document};
use crate::program::document::Document;
use crate::program::mapping::Program;
use crate::store::{RecordRef, Result, Store, Which};
use crate::value::Side;

/// How many records are looked at in one job of the store.
const CHUNK: usize = 200;

/// Records with their children in place, and what expressions over them see: as of the last run or plan in a state.
pub struct Looked(Decider);

impl Looked {
    /// What the state knows at a time.
    ///
    /// # Errors
    /// Those of the state.
    pub fn of(program: &Arc<Program>, store: &dyn Store, now_ms: i64) -> Result<Looked> {
        explain::decider(program, store, now_ms).map(Looked)
    }

    /// What expressions see beside a record.
    pub fn context(&self) -> Context<'_> {
        self.0.context()
    }

    /// A record, with its children in place.
    ///
    /// # Errors
    /// Those of the state.
    pub fn record(&self, store: &dyn Store, side: Side, at: &RecordRef) -> Result<Option<Record>> {
        self.0.record(store, side, at)
    }

    /// Why the rows of a record could not be read.
    ///
    /// # Errors
    /// Those of the state.
    pub fn unread(&self, store: &dyn Store, side: Side, record: &Record) -> Result<Option<String>> {
        let resource = self.0.program.sides[side].system.resources.get(&record.at.resource);
        match resource.and_then(|resource| resource.key_of(&record.data)) {
            Some(key) => store.fact(&unread(side, &record.at.resource, &key)),
            None => Ok(None),
        }
    }

    /// The one record that what a document made has become, where there is one.
    ///
    /// # Errors
    /// Those of the state.
    pub fn became(&self, store: &dyn Store, document: &Document, source: &Record) -> Result<Option<Record>> {
        Ok(self.0.successor(store, document, source)?.unwrap_or_default())
    }
}

/// Where it is kept that the rows of a record could not be read: in the copy that a report works on.
fn unread(side: Side, resource: &str, key: &str) -> String {
    format!("report:unread:{side}:{resource}:{key}")
}

impl Engine {
    /// The rows of documents that a report adds up, where they have a list of their own: of all that are linked, of those that
    /// would travel or are set aside, and of what is on the side that is written to.
    pub(super) async fn read_rows_for_report(
        &self,
        decider: &Decider,
        period: &Period,
    ) -> std::result::Result<(), RunError> {
        for document in &self.program.documents {
            for side in Side::BOTH {
                for member in &document.register.ends[side].members {
                    let mut parts = self.parts_of(side, &member.resource);
                    parts.retain(|(child, _)| self.program.report.fields[side].contains_key(&child.name));
                    let mut after = (!parts.is_empty()).then(String::new);
                    while let Some(from) = after {
                        let (now, of, name) =
                            (decider.clone(), Arc::clone(document), member.resource.name.clone());
                        let of_time = period.clone();
                        let (last, keys) = self
                            .store
                            .read(move |store| now.added_up(store, &of, side, &name, &from, &of_time))
                            .await?;
                        after = last;
                        for key in keys {
                            let parent = &member.resource.name;
                            for (child, part) in &parts {
                                let reason =
                                    match self.read_children(side, child, parent, &part.by, &key).await {
                                        Ok(()) => continue,
                                        Err(Unread::Run(error)) => return Err(error),
                                        Err(Unread::Document(reason)) => reason,
                                    };
                                let reason = format!("{} of it cannot be read: {reason}", child.name);
                                let fact = unread(side, parent, &key);
                                self.store.call(move |store| store.set_fact(&fact, Some(&reason))).await?;
                            }
                        }
                    }
                }
            }
        }
        Ok(())
    }
}

impl Decider {
    /// The keys of records whose rows a report adds up; and the last id that was looked at.
    fn added_up(
        &self,
        store: &dyn Store,
        document: &Document,
        side: Side,
        resource: &str,
        after: &str,
        period: &Period,
    ) -> Result<(Option<String>, Vec<String>)> {
        let name = &document.register.name;
        let rows = store.records(side, resource, Which::All, after, CHUNK)?;
        let last = rows.last().map(|row| row.id.clone());
        let (context, roles) = (self.context(), self.roles_of(document));
        let is_of = |side: Side, record: &Record| {
            let day = reckon::day(&context, side, &document.reconcile.sides[side], &record.data);
            day.is_none_or(|day| period.has(&day))
        };
        let mut keys = Vec::new();
        for row in rows {
            let record = Record::of(resource, row);
            let counts = match store.link(name, side, &record.at)? {
                Some(link) => {
                    let other = self.record(store, side.other(), link.on(side.other()))?;
                    is_of(side, &record) || other.is_some_and(|other| is_of(side.other(), &other))
                }
                None => {
                    is_of(side, &record)
                        && (side == document.target()
                            || document::chosen(&context, document, &roles, &record).unwrap_or(false)
                            || store.set_aside_of(name, side, &record.at)?.is_some())
                }
            };
            let member = document.register.member(side, resource).filter(|_| counts);
            keys.extend(member.and_then(|member| member.resource.key_of(&record.data)));
        }
        Ok((last, keys))
    }
}
