//! Deciding: the work list of each register, chunk by chunk, on the store's own thread.
//!
//! `decide` itself is pure (room `plan`); here is what feeds it: the records with their children in place,
//! and the candidates from the index.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::keys::{entries, parent_of};
use super::view::StoreView;
use crate::plan::decide::{self, Known, Record};
use crate::plan::{Action, Change, Context};
use crate::program::mapping::{Program, Register};
use crate::program::system::PARTS;
use crate::store::{Link, PlanRow, RecordRef, Result, Store, StoredRecord, Which};
use crate::value::{Both, Path, Side, Value};
use crate::wire;

/// What deciding needs beside the state; it travels to the store's thread.
#[derive(Clone)]
pub(super) struct Decider {
    pub program: Arc<Program>,
    pub facts: Arc<Both<Value>>,
    pub today: String,
    pub now: String,
    pub now_ms: i64,
    /// What came incomplete in this run.
    pub incomplete: Arc<super::incomplete::Incomplete>,
    /// Sides whose registers' resources were read completely.
    pub complete: Arc<std::collections::HashSet<(Side, String)>>,
    /// Only this record is decided.
    pub named: Option<super::traced::Named>,
    /// Set aside records are tried again before their time.
    pub retry_all: bool,
    /// Registers and documents that this run leaves alone.
    pub left_alone: Arc<std::collections::HashSet<String>>,
    /// The roles of documents' statuses.
    pub roles: Arc<super::documents::AllRoles>,
    /// Documents whose rows cannot be read.
    pub unreadable: Arc<super::documents::Unreadable>,
    /// New documents are decided about.
    pub takes_new: bool,
    /// The state may have forgotten documents that were made: those that are followed are linked again.
    pub forgot: bool,
    /// So many new documents more in this transfer; none: any number.
    pub room: Option<u64>,
}

/// One record, chosen by its register, side and key.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Selected {
    /// The register.
    pub register: String,
    /// The side; none: either.
    pub side: Option<Side>,
    /// The key (or id) as a person writes it.
    pub key: String,
}

/// What one chunk of deciding came to.
#[derive(Clone, Debug, Default)]
pub(super) struct Chunk {
    /// The last id worked on; none when the list is at its end.
    pub last: Option<String>,
    /// How many were looked at.
    pub looked_at: u64,
    /// Changes with notes but nothing to do.
    pub noted: Vec<Change>,
    /// New documents that go.
    pub new: u64,
    /// New documents that would go, and find no room in this transfer.
    pub held_back: u64,
}

/// How many records are decided in one job of the store.
pub(super) const CHUNK: usize = 200;

impl Decider {
    pub(super) fn context(&self) -> Context<'_> {
        Context { program: &self.program, facts: &self.facts, today: &self.today, now: &self.now }
    }

    /// Whether a register, or a document, may take a record off the work list: not while another one of the same resource has still
    /// to look at it, in this run or because this run leaves it alone, or has planned something with it. While registers are carried
    /// out, the documents have not looked yet.
    pub(super) fn may_clean(
        &self,
        store: &dyn Store,
        name: &str,
        side: Side,
        at: &RecordRef,
        applying: bool,
    ) -> Result<bool> {
        let registers = self.program.registers.len();
        let mine = self.program.all().position(|one| one.name == name).unwrap_or_default();
        for (place, other) in self.program.all().enumerate() {
            if place == mine || other.member(side, &at.resource).is_none() {
                continue;
            }
            let later = if applying { mine < registers && place >= registers } else { place > mine };
            if later
                || self.left_alone.contains(&other.name)
                || store.change_of(&other.name, side, at)?.is_some()
            {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Second pass: decides about the records of one side's resource, and writes plan rows.
    pub(super) fn decide_chunk(
        &self,
        store: &mut dyn Store,
        register: &Register,
        side: Side,
        resource: &str,
        after: &str,
    ) -> Result<Chunk> {
        let rows = store.records(side, resource, Which::Dirty, after, CHUNK)?;
        let mut chunk = Chunk { last: rows.last().map(|row| row.id.clone()), ..Chunk::default() };
        let mut plan = Vec::new();
        for row in rows {
            let at = RecordRef { resource: resource.to_owned(), id: row.id.clone() };
            if store.change_of(&register.name, side, &at)?.is_some() || planned(&plan, side, &at) {
                continue;
            }
            chunk.looked_at += 1;
            if !self.is_meant(register, side, &at) {
                continue;
            }
            let record = self.assembled(store, side, resource, row)?;
            let change = self.decide_one(store, register, side, record, &plan)?;
            let nothing = change.action == Action::Nothing;
            if nothing && !change.stay {
                if change.found == crate::plan::Found::Linked {
                    self.refresh_base(store, register, &change)?;
                }
                for side in Side::BOTH {
                    if let (Some(at), Some(hash)) = (change.on(side), &change.hashes[side])
                        && self.may_clean(store, &register.name, side, at, false)?
                    {
                        store.clean(side, &at.resource, &at.id, hash)?;
                    }
                    if let Some(at) = change.on(side) {
                        store.remove_set_aside(&register.name, side, at)?;
                    }
                }
                if !change.notes.is_empty() {
                    chunk.noted.push(change);
                }
                continue;
            }
            if nothing {
                continue;
            }
            plan.push(plan_row(&change));
        }
        store.add_changes(&plan)?;
        Ok(chunk)
    }

    /// Whether a run looks at a record: at any, or only at the one that it is about.
    pub(super) fn is_meant(&self, register: &Register, side: Side, at: &RecordRef) -> bool {
        self.named.as_ref().is_none_or(|named| named.is(&register.name, side, at))
    }

    /// What a server refused is not sent again before its time, unless the record or the one it is linked to changed.
    pub(super) fn resting(
        &self,
        store: &dyn Store,
        register: &Register,
        side: Side,
        record: &Record,
    ) -> Result<Option<Change>> {
        if self.retry_all {
            return Ok(None);
        }
        let Some(row) = store.set_aside_of(&register.name, side, &record.at)? else { return Ok(None) };
        let link = store.link(&register.name, side, &record.at)?;
        let hash = hash_of(store, side, &record.at, link.as_ref())?;
        let same = row.values.get("hash").and_then(Value::as_text) == hash.as_deref();
        if !same || row.retry_at.is_none_or(|at| at <= self.now_ms) {
            return Ok(None);
        }
        let alone = |one: Side| (one == side).then(|| record.at.clone());
        let (left, right) = match link {
            Some(link) => (Some(link.left), Some(link.right)),
            None => (alone(Side::Left), alone(Side::Right)),
        };
        let mut change = Change::new(&register.name, left, right, row.label, crate::plan::Found::Linked);
        change.action = Action::SetAside { code: row.code, reason: row.reason, refused: true };
        Ok(Some(change))
    }

    /// Decides about one record; `plan` is what this job decided already.
    pub(super) fn decide_one(
        &self,
        store: &dyn Store,
        register: &Register,
        side: Side,
        record: Record,
        plan: &[PlanRow],
    ) -> Result<Change> {
        if let Some(change) = self.resting(store, register, side, &record)? {
            return Ok(change);
        }
        let change = self.decide(store, register, side, record, plan)?;
        self.kept_unique(store, register, change)
    }

    fn decide(
        &self,
        store: &dyn Store,
        register: &Register,
        side: Side,
        record: Record,
        plan: &[PlanRow],
    ) -> Result<Change> {
        let context = self.context();
        if let Some(link) = store.link(&register.name, side, &record.at)? {
            let change = self.decide_linked(store, &context, register, side, record, &link)?;
            return Ok(self.not_half_read(register, change));
        }
        let mut known = Known { partial: self.came_incomplete(register, side.other()), ..Known::default() };
        let keys = self.keys(store, &context, register, side, &record)?;
        self.clashes(store, register, side, &record, &keys, &mut known)?;
        known.open = store.open_intent_of(&register.name, side, &record.at)?.map(|intent| intent.id);
        let entries = entries(register);
        let mut other = None;
        for (index, key) in keys.iter().take(entries.len()).enumerate() {
            let Some(key) = key else { continue };
            let half = index >= register.matching.len();
            let hits = store.by_key(&register.name, side.other(), index, key, 6)?;
            let mut free = Vec::new();
            for hit in hits {
                match store.link(&register.name, side.other(), &hit)? {
                    Some(link) if !half => {
                        known.taken.get_or_insert((hit, link.on(side).id.clone()));
                    }
                    Some(_) => {}
                    None if claimed(store, register, side.other(), &hit, plan)? => {}
                    None => free.push(hit),
                }
            }
            if free.is_empty() {
                continue;
            }
            if half {
                let row = entries[index]
                    .last()
                    .map(|index| register.rows[*index].labels[side].clone())
                    .unwrap_or_default();
                known.half.get_or_insert((free.remove(0), row));
                continue;
            }
            for rival in store.by_key(&register.name, side, index, key, 6)? {
                if rival != record.at && store.link(&register.name, side, &rival)?.is_none() {
                    known.rivals.push(rival);
                }
            }
            known.taken = None;
            known.matches = free;
            known.entry = index;
            break;
        }
        self.living(store, &context, register, side, &record, &mut known)?;
        if let [one] = &known.matches[..] {
            other = match store.record(side.other(), &one.resource, &one.id)? {
                Some(stored) => Some(self.assembled(store, side.other(), &one.resource.clone(), stored)?),
                None => None,
            };
        }
        let view = StoreView { store, register_of: &self.program };
        let change =
            decide::decide_unlinked(&context, register, side, &record, other.as_ref(), &known, &view);
        Ok(self.not_half_read(register, change))
    }

    /// Where many match, those that would be made on the other side count before those that would not (F-13:
    /// of one name many times, the one that is active).
    fn living(
        &self,
        store: &dyn Store,
        context: &Context,
        register: &Register,
        side: Side,
        record: &Record,
        known: &mut Known,
    ) -> Result<()> {
        if known.matches.len() < 2 && known.rivals.is_empty() {
            return Ok(());
        }
        let lives = |side: Side, at: &RecordRef| -> Result<bool> {
            let Some(create_when) = &register.ends[side].create_when else { return Ok(true) };
            let found = self.record(store, side, at)?;
            Ok(found.is_some_and(|found| decide::holds(context, create_when, side, &found).unwrap_or(false)))
        };
        if known.matches.len() > 1 {
            let mut living = Vec::new();
            for at in &known.matches {
                if lives(side.other(), at)? {
                    living.push(at.clone());
                }
            }
            if living.len() == 1 {
                known.matches = living;
            }
        }
        if !known.rivals.is_empty() {
            let mut living = Vec::new();
            for at in &known.rivals {
                if lives(side, at)? {
                    living.push(at.clone());
                }
            }
            if lives(side, &record.at)? {
                known.rivals = living;
            } else if !living.is_empty() {
                // the match belongs to one that lives: this one has none
                known.matches.clear();
                known.rivals.clear();
            }
        }
        Ok(())
    }

    fn decide_linked(
        &self,
        store: &dyn Store,
        context: &Context,
        register: &Register,
        side: Side,
        record: Record,
        link: &Link,
    ) -> Result<Change> {
        let there = link.on(side.other()).clone();
        let other = match store.record(side.other(), &there.resource, &there.id)? {
            Some(stored) => Some(self.assembled(store, side.other(), &there.resource, stored)?),
            None => None,
        };
        let mut known = Known {
            complete: other.is_some()
                || self.complete.contains(&(side.other(), there.resource.clone()))
                || super::removed::was_removed(store, side.other(), &there)?,
            ..Known::default()
        };
        let keys = self.keys(store, context, register, side, &record)?;
        self.clashes(store, register, side, &record, &keys, &mut known)?;
        known.open = match store.open_intent_of(&register.name, side, &record.at)? {
            Some(intent) => Some(intent.id),
            None => store.open_intent_of(&register.name, side.other(), &there)?.map(|intent| intent.id),
        };
        let view = StoreView { store, register_of: &self.program };
        let (left, right) = match side {
            Side::Left => (Some(&record), other.as_ref()),
            Side::Right => (other.as_ref(), Some(&record)),
        };
        let mut change = decide::decide_linked(context, register, left, right, &link.base, &known, &view);
        // both ends of the link are named, also where one is gone
        change.left.get_or_insert_with(|| link.left.clone());
        change.right.get_or_insert_with(|| link.right.clone());
        // what the last complete read told stands until the next one
        if change.stay && change.action == Action::Nothing {
            for end in Side::BOTH {
                let told = store.set_aside_of(&register.name, end, link.on(end))?;
                if let Some(row) = told.filter(|row| row.code == crate::diagnostic::codes::RECORD_GONE.id) {
                    change.action = Action::SetAside { code: row.code, reason: row.reason, refused: false };
                }
            }
        }
        Ok(change)
    }

    /// Decides about a linked pair once more, outside of the plan: after a record was made.
    pub(super) fn again(
        &self,
        store: &mut dyn Store,
        register: &Register,
        side: Side,
        at: &RecordRef,
    ) -> Result<Option<Change>> {
        let (Some(record), Some(link)) =
            (self.record(store, side, at)?, store.link(&register.name, side, at)?)
        else {
            return Ok(None);
        };
        let change = self.decide_linked(store, &self.context(), register, side, record, &link)?;
        Ok(Some(change).filter(|change| change.action == Action::Update))
    }

    /// A pair that is equal again by itself gets a new base.
    fn refresh_base(&self, store: &mut dyn Store, register: &Register, change: &Change) -> Result<()> {
        let (Some(left), Some(_)) = (&change.left, &change.right) else { return Ok(()) };
        let Some(mut link) = store.link(&register.name, Side::Left, left)? else { return Ok(()) };
        if let Some(base) = self.base(store, register, &link, &change.keep_base)?
            && base != link.base
        {
            link.base = base;
            store.put_link(&link)?;
        }
        Ok(())
    }

    /// The base of a link from what the mirror holds now.
    pub(super) fn base(
        &self,
        store: &dyn Store,
        register: &Register,
        link: &Link,
        keep: &[String],
    ) -> Result<Option<Value>> {
        if register.is_document {
            // what its link holds is how far it is
            return Ok(Some(link.base.clone()));
        }
        let (Some(left), Some(right)) =
            (self.record(store, Side::Left, &link.left)?, self.record(store, Side::Right, &link.right)?)
        else {
            return Ok(None);
        };
        let view = StoreView { store, register_of: &self.program };
        Ok(Some(decide::base_of(&self.context(), register, &left, &right, &link.base, keep, &view)))
    }

    /// One record of the mirror with its children in place.
    pub(super) fn record(&self, store: &dyn Store, side: Side, at: &RecordRef) -> Result<Option<Record>> {
        match store.record(side, &at.resource, &at.id)? {
            Some(stored) => self.assembled(store, side, &at.resource, stored).map(Some),
            None => Ok(None),
        }
    }

    /// The record that a child names as its parent: by its id, else by its key.
    pub(super) fn parent(
        &self,
        store: &dyn Store,
        side: Side,
        resource: &str,
        key: &str,
    ) -> Result<Vec<RecordRef>> {
        parent_of(&self.program, store, side, resource, key)
    }

    pub(super) fn name_of(
        &self,
        store: &dyn Store,
        register: &Register,
        side: Side,
        at: &RecordRef,
    ) -> String {
        match self.record(store, side, at) {
            Ok(Some(record)) => format!("'{}'", decide::label(register, side, &record)),
            _ => at.id.clone(),
        }
    }

    /// A record of the mirror with its children in place.
    pub(super) fn assembled(
        &self,
        store: &dyn Store,
        side: Side,
        resource: &str,
        stored: StoredRecord,
    ) -> Result<Record> {
        let mut record = Record {
            exists: self.answers(store, side, resource, &stored.row)?,
            at: RecordRef { resource: resource.to_owned(), id: stored.row.id },
            hash: stored.row.hash,
            data: stored.row.data,
            changed_at: None,
        };
        self.relate(store, side, resource, &mut record.data)?;
        let Some(resource) = self.program.sides[side].system.resources.get(resource) else {
            return Ok(record);
        };
        record.changed_at = super::read::changed_at(resource, &record.data);
        // children name their parent by its key
        let key = resource.key_of(&record.data).unwrap_or_else(|| record.at.id.clone());
        let mut children: BTreeMap<String, Vec<(String, Value)>> = BTreeMap::new();
        for (name, part) in &resource.parts {
            if self.program.needs[side].contains_key(&part.resource) {
                let rows = store.children(side, &part.resource, &key)?;
                children
                    .insert(name.clone(), rows.into_iter().map(|row| (row.row.id, row.row.data)).collect());
            }
        }
        if !children.is_empty() {
            let bases = self.bases(store, side, &record.at)?;
            wire::assemble(
                resource,
                &mut record.data,
                &|part| children.get(part).cloned().unwrap_or_default(),
                &|field, all| linked_child(&bases, side, field, all),
            );
        }
        Ok(record)
    }

    /// The bases of the links that a record has.
    fn bases(&self, store: &dyn Store, side: Side, at: &RecordRef) -> Result<Vec<Value>> {
        let registers = self.program.registers.iter();
        let mut bases = Vec::new();
        for register in registers.filter(|register| register.member(side, &at.resource).is_some()) {
            bases.extend(store.link(&register.name, side, at)?.map(|link| link.base));
        }
        Ok(bases)
    }
}

/// Of more children that fit, the one that the pair was last compared by. A link that was made before that was kept goes on
/// with the first, as it did then.
fn linked_child(bases: &[Value], side: Side, field: &Path, all: &[&str]) -> Option<String> {
    let held = bases.iter().filter_map(Value::as_map).find_map(|base| match base.get(PARTS) {
        None => all.first().map(|id| (*id).to_owned()),
        Some(parts) => parts.as_list()?.get(side.index())?.as_map()?.get(&field.to_string())?.scalar_text(),
    });
    held.filter(|id| all.contains(&id.as_str()))
}

/// A hash of a record and of the one it is linked to: what a record that rests is known by.
pub(super) fn hash_of(
    store: &dyn Store,
    side: Side,
    at: &RecordRef,
    link: Option<&Link>,
) -> Result<Option<String>> {
    let Some(record) = store.record(side, &at.resource, &at.id)? else { return Ok(None) };
    let mut hash = record.row.hash;
    if let Some(other) = link.map(|link| link.on(side.other()))
        && let Some(record) = store.record(side.other(), &other.resource, &other.id)?
    {
        hash.push(' ');
        hash.push_str(&record.row.hash);
    }
    Ok(Some(hash))
}

pub(super) fn plan_row(change: &Change) -> PlanRow {
    PlanRow {
        seq: 0,
        register: change.register.clone(),
        left: change.left.clone(),
        right: change.right.clone(),
        action: change.action.name().to_owned(),
        change: serde_json::to_string(change)
            .expect("a change is plain data with text keys, so it is always JSON"),
    }
}

pub(super) fn planned(plan: &[PlanRow], side: Side, at: &RecordRef) -> bool {
    plan.iter().any(|row| match side {
        Side::Left => row.left.as_ref() == Some(at),
        Side::Right => row.right.as_ref() == Some(at),
    })
}

/// Whether a record is part of a planned pair already.
fn claimed(
    store: &dyn Store,
    register: &Register,
    side: Side,
    at: &RecordRef,
    plan: &[PlanRow],
) -> Result<bool> {
    if plan.iter().any(|row| {
        let here = match side {
            Side::Left => &row.left,
            Side::Right => &row.right,
        };
        here.as_ref() == Some(at) && row.left.is_some() && row.right.is_some()
    }) {
        return Ok(true);
    }
    Ok(store
        .change_of(&register.name, side, at)?
        .is_some_and(|row| row.left.is_some() && row.right.is_some()))
}
