//! Documents in a run: their statuses, what is read of them, and what is decided about each.
//!
//! Registers come first, so that what a document refers to is linked. What is decided is carried out in [`super::steps`].

use std::collections::BTreeMap;
use std::sync::Arc;

use super::decider::{Chunk, Decider, plan_row, planned};
use super::read::{row_of, wanted};
use super::ready_again::Again;
use super::view::StoreView;
use super::{Counts, Engine, Event, MissingCodes, RunError};
use crate::http::Pages;
use crate::plan::document::{self, Progress};
use crate::plan::flow::Roles;
use crate::plan::translate::MissingCode;
use crate::plan::{Action, Change, FieldChange, NewValue, Record};
use crate::program::document::{Document, Step};
use crate::program::system::{ErrorClass, Part, Resource};
use crate::store::{Link, PlanRow, RecordRef, Result as StoreResult, Store, Which};
use crate::value::{Map, Path, Side, Value};

/// The roles of every document's statuses, by the document's name.
pub(super) type AllRoles = BTreeMap<String, Roles>;

/// Documents whose rows cannot be read: resource and key, and why.
pub(super) type Unreadable = BTreeMap<(String, String), String>;

/// A record of the left side and what belongs to it at the right side, as far as each was there when it was read.
pub(super) type Pair = (Option<Record>, Option<Record>);

/// Why rows were not read.
pub(super) enum Unread {
    /// Nothing can be read.
    Run(RunError),
    /// These cannot.
    Document(String),
}

impl From<crate::http::CallError> for Unread {
    fn from(error: crate::http::CallError) -> Self {
        match error.class {
            ErrorClass::NotAllowed => Unread::Run(error.into()),
            _ => Unread::Document(error.to_string()),
        }
    }
}

impl From<crate::store::StoreError> for Unread {
    fn from(error: crate::store::StoreError) -> Self {
        Unread::Run(error.into())
    }
}

/// The fact that holds the statuses of a document's records that cannot go on, as JSON: what the state alone can be asked.
pub fn failed_fact(document: &str) -> String {
    format!("failed:{document}")
}

/// How many records are decided in one job of the store.
const CHUNK: usize = 200;

impl Engine {
    /// Reads what documents need and decides about each: plan rows in the state. Answers how many new ones found no room in this
    /// transfer.
    pub(super) async fn plan_documents(&self, decider: &Decider) -> Result<u64, RunError> {
        self.read_documents().await?;
        // what documents became is read with them
        self.answer_questions(decider).await?;
        let mut decider = decider.clone();
        self.name_record(&mut decider, true).await?;
        let mut held_back = 0;
        for document in self.program.documents.iter().filter(|document| self.chosen(&document.register.name))
        {
            let mut decider = decider.clone();
            decider.takes_new = self.takes_new(document);
            decider.room = self.room(document);
            decider.unreadable = Arc::new(self.read_rows(&decider, document).await?);
            self.index_register(&decider, &document.register).await?;
            let mut counts = Counts::default();
            let mut looked_at = 0;
            for side in [document.source, document.target()] {
                for member in &document.register.ends[side].members {
                    let mut after = String::new();
                    loop {
                        let (now, of, resource, from) =
                            (decider.clone(), Arc::clone(document), member.resource.name.clone(), after);
                        let chunk = self
                            .store
                            .call(move |store| now.document_chunk(store, &of, side, &resource, &from))
                            .await?;
                        looked_at += chunk.looked_at;
                        held_back += chunk.held_back;
                        decider.room = decider.room.map(|room| room.saturating_sub(chunk.new));
                        self.tell(Event::Decided {
                            register: document.register.name.clone(),
                            count: looked_at,
                        });
                        match chunk.last {
                            Some(last) => after = last,
                            None => break,
                        }
                    }
                }
            }
            self.list_embedded(document).await?;
            (counts.pairs, counts.unchanged) = self.pairs_and_unchanged(&document.register.name).await?;
            let (of, name) = (decider.clone(), document.register.name.clone());
            let missing = self.store.read(move |store| of.missing_codes(store, &name)).await?;
            let mut report = self.report.borrow_mut();
            report.missing_codes.extend(missing);
            report.registers.insert(document.register.name.clone(), counts);
        }
        Ok(held_back)
    }

    /// The rows of documents that travel are children with a list of their own: read for these alone. Answers those
    /// whose rows cannot be read, and why: such a document must not go without them.
    async fn read_rows(&self, decider: &Decider, document: &Arc<Document>) -> Result<Unreadable, RunError> {
        let side = document.source;
        let mut unreadable = Unreadable::new();
        if !decider.takes_new {
            return Ok(unreadable);
        }
        for member in &document.register.ends[side].members {
            let parts = self.parts_of(side, &member.resource);
            if parts.is_empty() {
                continue;
            }
            let mut after = String::new();
            loop {
                let (decider, of, resource, from) =
                    (decider.clone(), Arc::clone(document), member.resource.name.clone(), after);
                let (last, taken) =
                    self.store.read(move |store| decider.travelling(store, &of, &resource, &from)).await?;
                for (child, part) in &parts {
                    for key in &taken {
                        let parent = &member.resource.name;
                        match self.read_children(side, child, parent, &part.by, key).await {
                            Ok(()) => {}
                            Err(Unread::Run(error)) => return Err(error),
                            Err(Unread::Document(reason)) => {
                                unreadable.insert((parent.clone(), key.clone()), reason);
                            }
                        }
                    }
                }
                match last {
                    Some(last) => after = last,
                    None => break,
                }
            }
        }
        Ok(unreadable)
    }

    /// The children of a resource that the mapping needs, with their resources.
    pub(super) fn parts_of(&self, side: Side, resource: &Resource) -> Vec<(Arc<Resource>, Part)> {
        let of = &self.program.sides[side].system.resources;
        let needed = |part: &&Part| self.program.needs[side].contains_key(&part.resource);
        let parts = resource.parts.values().filter(needed);
        parts.filter_map(|part| Some((Arc::clone(of.get(&part.resource)?), part.clone()))).collect()
    }

    /// All children of one parent: those that are not there any more leave the mirror.
    pub(super) async fn read_children(
        &self,
        side: Side,
        child: &Arc<Resource>,
        parent: &str,
        by: &Path,
        key: &str,
    ) -> Result<(), Unread> {
        let fields = wanted(&self.program, side, &child.name);
        let part_of = super::read::PartOf { parent: parent.to_owned(), by: by.clone() };
        let mut record = Value::Map(Map::new());
        by.set(&mut record, Value::text(key));
        let below = child.list.as_ref().is_some_and(|list| list.path.fields().next().is_some());
        let mut pages = Pages::new(&self.clients[side], child, Vec::new(), below.then_some(&record))?;
        let mut rows = Vec::new();
        while let Some(page) = pages.next().await? {
            for wire_record in &page.records {
                let decoded = self.decoded(side, child, &fields, wire_record).map_err(Unread::Document)?;
                let Some(mut data) = decoded else { continue };
                if below {
                    by.set(&mut data, Value::text(key));
                }
                if by.get(&data).and_then(Value::scalar_text).as_deref() == Some(key) {
                    let row = row_of(child, data, Some(&part_of));
                    rows.push(row.ok_or_else(|| Unread::Document(format!("a {} has no key", child.name)))?);
                }
            }
        }
        if !pages.complete() {
            return Err(Unread::Document("the list came incomplete".into()));
        }
        let (name, key) = (child.name.clone(), key.to_owned());
        self.store
            .call(move |store| {
                for old in store.children(side, &name, &key)? {
                    if !rows.iter().any(|row| row.id == old.row.id) {
                        store.remove_record(side, &name, &old.row.id)?;
                    }
                }
                store.put_records(side, &name, &rows, 0).map(|_| ())
            })
            .await?;
        Ok(())
    }
}

impl Decider {
    pub(super) fn roles_of(&self, document: &Document) -> Roles {
        self.roles.get(&document.register.name).cloned().unwrap_or_default()
    }

    /// The keys of documents on the work list that travel now, for reading their rows.
    fn travelling(
        &self,
        store: &dyn Store,
        document: &Document,
        resource: &str,
        after: &str,
    ) -> StoreResult<(Option<String>, Vec<String>)> {
        let side = document.source;
        let rows = store.records(side, resource, Which::Dirty, after, CHUNK)?;
        let last = rows.last().map(|row| row.id.clone());
        let (context, roles) = (self.context(), self.roles_of(document));
        let mut keys = Vec::new();
        for row in rows {
            let record = Record::of(resource, row);
            if !self.is_meant(&document.register, side, &record.at) {
                continue;
            }
            let linked = store.link(&document.register.name, side, &record.at)?.is_some();
            if !linked && document::chosen(&context, document, &roles, &record).unwrap_or(false) {
                let member = document.register.member(side, resource);
                keys.extend(member.and_then(|member| member.resource.key_of(&record.data)));
            }
        }
        Ok((last, keys))
    }

    fn document_chunk(
        &self,
        store: &mut dyn Store,
        document: &Document,
        side: Side,
        resource: &str,
        after: &str,
    ) -> StoreResult<Chunk> {
        let rows = store.records(side, resource, Which::Dirty, after, CHUNK)?;
        let mut chunk = Chunk { last: rows.last().map(|row| row.id.clone()), ..Chunk::default() };
        let mut plan: Vec<PlanRow> = Vec::new();
        let name = document.register.name.clone();
        for row in rows {
            let at = RecordRef { resource: resource.to_owned(), id: row.id.clone() };
            if store.change_of(&name, side, &at)?.is_some() || planned(&plan, side, &at) {
                continue;
            }
            chunk.looked_at += 1;
            if !self.is_meant(&document.register, side, &at) {
                continue;
            }
            let record = self.assembled(store, side, resource, row)?;
            // a new one stays on the work list until somebody asks
            let new = side == document.source && store.link(&name, side, &record.at)?.is_none();
            if new && !self.takes_new && !self.forgot {
                continue;
            }
            let mut change = self.decide_document(store, document, side, &record, &plan)?;
            if new && !self.takes_new {
                // of a lost state: what was made before is linked again, or a person has to say which it was
                change = change.filter(|change| {
                    change.action == Action::Link || change.found == crate::plan::Found::Ambiguous
                });
                if change.is_none() {
                    continue;
                }
            }
            let nothing = change.as_ref().is_none_or(|change| change.action == Action::Nothing);
            let stays = change.as_ref().is_some_and(|change| change.stay);
            if nothing && !stays && self.may_clean(store, &name, side, &record.at, false)? {
                store.clean(side, &record.at.resource, &record.at.id, &record.hash)?;
            }
            let Some(change) = change else { continue };
            if nothing {
                if side == document.source && !self.is_refused(document, &record) {
                    store.remove_set_aside(&name, side, &record.at)?;
                }
                continue;
            }
            plan.push(plan_row(&self.with_room(document, change, &mut chunk)));
        }
        store.add_changes(&plan)?;
        Ok(chunk)
    }

    /// Decides about one record of a document's sides; none: nothing that stands there by itself concerns us.
    pub(super) fn decide_document(
        &self,
        store: &dyn Store,
        document: &Document,
        side: Side,
        record: &Record,
        plan: &[PlanRow],
    ) -> StoreResult<Option<Change>> {
        let link = store.link(&document.register.name, side, &record.at)?;
        Ok(match (&link, side == document.source) {
            (Some(link), true) => match self.resting(store, &document.register, side, record)? {
                Some(change) => Some(change),
                None => Some(self.decide_life(store, document, link)?),
            },
            (Some(link), false) => Some(self.decide_life(store, document, link)?),
            (None, true) => match self.resting(store, &document.register, side, record)? {
                Some(change) => Some(change),
                None => Some(self.decide_new_document(store, document, record.clone(), plan)?),
            },
            (None, false) => None,
        })
    }

    /// A new document that finds no room in this transfer waits for the next one.
    fn with_room(&self, document: &Document, mut change: Change, chunk: &mut Chunk) -> Change {
        if !matches!(change.action, Action::Create { .. } | Action::Link) {
            return change;
        }
        match (self.room, document.at_most) {
            (Some(room), Some(at_most)) if chunk.new >= room => {
                chunk.held_back += 1;
                let reason = format!(
                    "at most {at_most} go in one transfer: it goes with the next (`--all` makes as many as it takes)"
                );
                change.action = Action::Wait { reason };
            }
            _ => chunk.new += 1,
        }
        change
    }

    /// Whether a source record has the role of those that were refused: its reason stays.
    fn is_refused(&self, document: &Document, record: &Record) -> bool {
        let roles = self.roles_of(document);
        let Some(here) = document::role_of(document, &roles, &record.data) else { return false };
        document.failure_roles().contains(&here)
    }

    fn decide_new_document(
        &self,
        store: &dyn Store,
        document: &Document,
        record: Record,
        plan: &[PlanRow],
    ) -> StoreResult<Change> {
        let (register, side) = (&document.register, document.source);
        let context = self.context();
        let key =
            register.member(side, &record.at.resource).and_then(|one| one.resource.key_of(&record.data));
        let unreadable = key.and_then(|key| self.unreadable.get(&(record.at.resource.clone(), key)));
        if let Some(reason) = unreadable {
            let label = crate::plan::label(register, side, &record);
            let mut change = Change::new(&register.name, None, None, label, crate::plan::Found::Absent);
            match side {
                Side::Left => change.left = Some(record.at.clone()),
                Side::Right => change.right = Some(record.at.clone()),
            }
            change.action = Action::Wait { reason: format!("its rows cannot be read: {reason}") };
            return Ok(change);
        }
        let open = |at: &RecordRef| store.open_intent_of(&register.name, side, at);
        let (mut whole, mut unanswered) = (None, open(&record.at)?);
        // its record may have been one document, before its items were
        if let Some(holder) = super::items::holder_of(document, &record) {
            unanswered = unanswered.or(open(&holder)?);
            whole = store.link(&register.name, side, &holder)?;
        }
        // until a person has said which of many it was, it is as forgotten as before
        let many =
            store.set_aside_of(&register.name, side, &record.at)?.is_some_and(|row| row.code == "ME0903");
        let mut known = crate::plan::Known {
            open: unanswered.map(|intent| intent.id),
            whole: whole.map(|link| link.on(side).id.clone()),
            forgot: self.forgot || many,
            partial: self.came_incomplete(&document.register, side.other()),
            ..crate::plan::Known::default()
        };
        let keys = self.keys(store, &context, register, side, &record)?;
        for (index, key) in keys.iter().take(register.matching.len()).enumerate() {
            let Some(key) = key else { continue };
            for hit in store.by_key(&register.name, side.other(), index, key, 6)? {
                // one that this run links already is nobody else's, and neither is one of another document
                let mut claimed = planned(plan, side.other(), &hit);
                for name in self.program.documents_with(side.other(), &hit.resource) {
                    claimed = claimed
                        || store.change_of(name, side.other(), &hit)?.is_some()
                        || store.link(name, side.other(), &hit)?.is_some();
                }
                if !claimed {
                    known.matches.push(hit);
                }
            }
        }
        let view = StoreView { store, register_of: &self.program };
        Ok(document::decide_new(&context, document, &self.roles_of(document), &record, &known, &view))
    }

    /// Decides about a document that was made: what is left of it, or where the other side leads.
    fn decide_life(&self, store: &dyn Store, document: &Document, link: &Link) -> StoreResult<Change> {
        let register = &document.register;
        let left = self.record(store, Side::Left, &link.left)?;
        let right = self.record(store, Side::Right, &link.right)?;
        let named = if document.source == Side::Left { &left } else { &right };
        let label = named.as_ref().map_or_else(
            || link.on(document.source).id.clone(),
            |record| crate::plan::label(register, document.source, record),
        );
        let mut change = Change::new(
            &register.name,
            Some(link.left.clone()),
            Some(link.right.clone()),
            label,
            crate::plan::Found::Linked,
        );
        for (side, record) in [(Side::Left, &left), (Side::Right, &right)] {
            change.hashes[side] = record.as_ref().map(|record| record.hash.clone());
        }
        for side in Side::BOTH {
            if let Some(intent) = store.open_intent_of(&register.name, side, link.on(side))? {
                return Ok(crate::plan::decide::unanswered(change, intent.id));
            }
        }
        let progress = Progress::of(&link.base);
        let source = document.source;
        let roles = self.roles_of(document);
        let status = |to: &str, change: &mut Change| {
            let Some(flow) = &document.flow else { return };
            let record = if source == Side::Left { &left } else { &right };
            let old = record.as_ref().and_then(|record| document::role_of(document, &roles, &record.data));
            change.fields[source].push(FieldChange {
                path: flow.field.to_string(),
                old: old.map_or(Value::Null, |role| Value::text(roles.title(role))),
                new: NewValue::Value(Value::text(roles.title(to))),
                row: "status".into(),
                origin: flow.origin.text.clone(),
                reason: String::new(),
                sensitive: false,
            });
        };
        if progress.undo.is_some() {
            change.action = Action::Update;
            if let Some(undo) = &progress.undo {
                change.notes.push(crate::plan::Note {
                    kind: "taken_back".into(),
                    text: undo.reason.clone(),
                    lost: Value::Null,
                });
            }
            return Ok(change);
        }
        if let Some(at) = progress.next(&document.steps) {
            let step = &document.steps[at];
            change.action = Action::Update;
            if let Step::WriteBack { set_status: Some(to), .. } | Step::SetStatus(to) = step {
                status(to, &mut change);
            }
            return Ok(change);
        }
        let again =
            self.stands_again(store, document, link, if source == Side::Left { &left } else { &right })?;
        let told = |mut change: Change| match &again {
            Some(Again::Late) => {
                change.stay = true;
                change
            }
            Some(Again::Stands(reason)) => crate::plan::decide::set_aside(change, "ME0961", reason.clone()),
            None => change,
        };
        if document.follow.is_none() {
            return Ok(told(change));
        }
        let (left, right) = match self.followed(store, document, (left.clone(), right.clone()))? {
            Ok(pair) => pair,
            Err(reason) => return Ok(crate::plan::decide::set_aside(change, "ME0959", reason)),
        };
        let (Some(left), Some(right)) = (&left, &right) else { return Ok(told(change)) };
        let context = self.context();
        match document::refused_later(&context, document, &left.data, &right.data) {
            Ok(Some(_)) => {
                if let Some(to) = document.refused.as_deref().filter(|to| roles.status(to).is_some()) {
                    status(to, &mut change);
                }
                change.action = Action::Update;
                return Ok(change);
            }
            Ok(None) if again.is_some() => return Ok(told(change)),
            Ok(None) => {}
            Err(reason) => return Ok(crate::plan::decide::set_aside(change, "ME0902", reason)),
        }
        match document::next_move(&context, document, &roles, &left.data, &right.data) {
            Ok(Some(step)) => {
                status(&step.to.clone(), &mut change);
                change.action = Action::Update;
            }
            Ok(None) => {}
            Err(reason) => return Ok(crate::plan::decide::set_aside(change, "ME0902", reason)),
        }
        let record = if source == Side::Left { left } else { right };
        let follows =
            document.follow.as_ref().filter(|_| document::is_followed(document, &roles, &record.data));
        if let Some(follow) = follows {
            let view = StoreView { store, register_of: &self.program };
            match document::row_changes(&context, &follow.write, source.other(), left, right, &view) {
                Ok(fields) if fields.is_empty() => {}
                Ok(fields) => {
                    change.fields[source].extend(fields);
                    change.action = Action::Update;
                }
                Err(crate::plan::translate::Untranslatable::Wait(reason, records)) => {
                    change.action = Action::Wait { reason };
                    change.awaits = records;
                }
                Err(crate::plan::translate::Untranslatable::SetAside(code, reason)) => {
                    return Ok(crate::plan::decide::set_aside(change, code, reason));
                }
                Err(crate::plan::translate::Untranslatable::NoCode(missing)) => {
                    let (code, reason) = missing.refusal();
                    return Ok(crate::plan::decide::set_aside(change, code, reason));
                }
            }
        }
        Ok(change)
    }

    /// A pair as it is followed: with what the other side made of the record, nothing of it before that is there.
    pub(super) fn followed(
        &self,
        store: &dyn Store,
        document: &Document,
        (left, right): Pair,
    ) -> StoreResult<Result<Pair, String>> {
        let Some(resource) = &document.becomes else { return Ok(Ok((left, right))) };
        let source = if document.source == Side::Left { left } else { right };
        let became = match &source {
            Some(source) => self.successor(store, document, source)?,
            None => Ok(None),
        };
        Ok(match became {
            Ok(became) if document.source == Side::Left => Ok((source, became)),
            Ok(became) => Ok((became, source)),
            Err(many) => Err(format!(
                "it became more than one {} in {} ({}): see there what is sent and paid, and move its status by hand",
                resource.name,
                self.program.sides[document.target()].name,
                many.join(", ")
            )),
        })
    }

    /// What the documents of this run need and the code tables lack.
    fn missing_codes(&self, store: &dyn Store, document: &str) -> StoreResult<Vec<MissingCodes>> {
        let mut needed: BTreeMap<MissingCode, u64> = BTreeMap::new();
        let mut after = 0;
        loop {
            let rows = store.changes(Some(document), after, CHUNK)?;
            let Some(last) = rows.last() else { break };
            after = last.seq;
            for row in &rows {
                let Ok(change) = serde_json::from_str::<Change>(&row.change) else { continue };
                let codes: std::collections::BTreeSet<MissingCode> =
                    change.missing_codes.into_iter().collect();
                for code in codes {
                    *needed.entry(code).or_default() += 1;
                }
            }
        }
        Ok(needed
            .into_iter()
            .map(|(MissingCode { field, code, table }, documents)| MissingCodes {
                register: document.to_owned(),
                field,
                code,
                table,
                documents,
            })
            .collect())
    }
}
