//! Carrying out a plan: each write is an intent on disk before it leaves, and an outcome on disk after.

use futures_util::StreamExt;

use super::decider::Decider;
use super::exchange::{Next, change_of};
use super::report::{Counts, Entry, Event};
use super::send::{Sending, Sent, link_of};
use super::view::StoreView;
use super::{Engine, RunError, pointers};
use crate::plan::{self, Action, Change, NewValue, Record, RefTarget, View};
use crate::program::mapping::{Register, Row};
use crate::program::system::Resource;
use crate::store::{Link, PlanRow, RecordRef};
use crate::value::{Map, Path, Side, Value};
use crate::wire;

/// How many changes are carried out at the same time. The systems' own limits hold beside it.
const AT_ONCE: usize = 64;
/// How many plan rows are taken from the state at a time.
const ROWS: usize = 512;

/// What became of one change.
#[derive(Debug)]
pub(super) enum Became {
    Linked,
    Created,
    Updated,
    Deleted,
    Waiting(String),
    SetAside { code: String, reason: String, refused: bool },
    InDoubt(String),
    Nothing,
}

/// Why a change stopped on its way.
pub(super) enum Stop {
    Run(RunError),
    Change(Became),
}

impl From<RunError> for Stop {
    fn from(error: RunError) -> Self {
        Stop::Run(error)
    }
}

impl From<crate::store::StoreError> for Stop {
    fn from(error: crate::store::StoreError) -> Self {
        Stop::Run(error.into())
    }
}

impl From<wire::WriteProblem> for Stop {
    fn from(problem: wire::WriteProblem) -> Self {
        Stop::Change(Became::SetAside { code: "ME0930".into(), reason: problem.to_string(), refused: false })
    }
}

impl Engine {
    /// Carries out the plan rows of one register.
    pub(super) async fn apply_register(
        &self,
        decider: &Decider,
        register: &Register,
        counts: &mut Counts,
    ) -> Result<(), RunError> {
        let name = register.name.clone();
        let total: u64 = self
            .store
            .read(move |store| store.count_changes(&name))
            .await?
            .iter()
            .filter(|(action, _)| !matches!(action.as_str(), "wait" | "set_aside"))
            .map(|(_, count)| count)
            .sum();
        let mut exchanges = self.exchanges(register).await?;
        let mut after = 0;
        let mut done = 0;
        let mut note = |change: Change, became: Became| {
            if !matches!(became, Became::Waiting(_) | Became::SetAside { .. }) {
                done += 1;
                self.tell(Event::Applied { register: register.name.clone(), done, total });
            }
            self.count(register, &change, became, counts);
            if self.stopping() { Err(RunError::Stopped) } else { Ok(()) }
        };
        loop {
            let name = register.name.clone();
            let rows = self.store.read(move |store| store.changes(Some(&name), after, ROWS)).await?;
            let Some(last) = rows.last() else { break };
            after = last.seq;
            let rows = rows.into_iter().filter(|row| !exchanges.waits(row.seq));
            let mut outcomes = futures_util::stream::iter(rows)
                .map(|row| self.apply_row(decider, register, row))
                .buffer_unordered(AT_ONCE);
            while let Some(outcome) = outcomes.next().await {
                let (change, became) = outcome?;
                note(change, became)?;
            }
        }
        // what gets a value that another one gave up comes after it
        while let Some(next) = exchanges.next() {
            let (Next::Apply(seq) | Next::Aside(seq)) = next;
            let name = register.name.clone();
            let rows = self.store.read(move |store| store.changes(Some(&name), seq - 1, 1)).await?;
            let Some(row) = rows.into_iter().next() else { continue };
            if next == Next::Aside(seq) {
                let change = change_of(&row)?;
                match self.step_aside(decider, register, &change, &mut exchanges).await {
                    Ok(()) => {}
                    Err(Stop::Change(became)) => {
                        exchanges.leave_out(seq);
                        self.record_outcome(decider, register, &change, &became).await?;
                        note(change, became)?;
                    }
                    Err(Stop::Run(error)) => return Err(error),
                }
                continue;
            }
            let (change, became) = self.apply_row(decider, register, row).await?;
            note(change, became)?;
        }
        Ok(())
    }

    fn count(&self, register: &Register, change: &Change, became: Became, counts: &mut Counts) {
        let entry = |code: &str, reason: String| Entry {
            register: register.name.clone(),
            record: change.label.clone(),
            code: code.to_owned(),
            reason,
        };
        let mut report = self.report.borrow_mut();
        for note in &change.notes {
            report.notes.push(entry(&note.kind, note.text.clone()));
        }
        match became {
            Became::Linked => counts.linked += 1,
            Became::Created => counts.created += 1,
            Became::Updated => counts.updated += 1,
            Became::Deleted => counts.deleted += 1,
            Became::Nothing => counts.unchanged += 1,
            Became::Waiting(reason) => {
                counts.waiting += 1;
                report.waiting.push(entry("waiting", reason));
            }
            Became::SetAside { code, reason, .. } => {
                counts.set_aside += 1;
                report.set_aside.push(entry(&code, reason));
            }
            Became::InDoubt(reason) => {
                counts.in_doubt += 1;
                report.in_doubt.push(entry("ME0940", reason));
            }
        }
    }

    async fn apply_row(
        &self,
        decider: &Decider,
        register: &Register,
        row: PlanRow,
    ) -> Result<(Change, Became), RunError> {
        let change = change_of(&row)?;
        let became = match self.carry_out(decider, register, &change).await {
            Ok(became) => became,
            Err(Stop::Change(became)) => became,
            Err(Stop::Run(error)) => return Err(error),
        };
        self.record_outcome(decider, register, &change, &became).await?;
        Ok((change, became))
    }

    async fn carry_out(
        &self,
        decider: &Decider,
        register: &Register,
        change: &Change,
    ) -> Result<Became, Stop> {
        if let Some(document) = self.program.document(&register.name) {
            return self.carry_document(decider, document, change).await;
        }
        match &change.action {
            Action::Nothing => Ok(Became::Nothing),
            Action::Wait { reason } => Ok(Became::Waiting(reason.clone())),
            Action::SetAside { code, reason, refused } => {
                Ok(Became::SetAside { code: code.clone(), reason: reason.clone(), refused: *refused })
            }
            Action::Unlink => {
                if let Some(left) = change.left.clone() {
                    let name = register.name.clone();
                    self.store.call(move |store| store.remove_link(&name, &left)).await?;
                }
                Ok(Became::Nothing)
            }
            Action::Create { side, resource } => {
                self.create(decider, register, change, *side, resource).await
            }
            Action::Link | Action::Update => self.update(decider, register, change).await,
            Action::Delete { side } => self.delete(decider, register, change, *side).await,
        }
    }

    /// The values of a change for one side, with references to new records resolved.
    pub(super) async fn values(
        &self,
        decider: &Decider,
        change: &Change,
        side: Side,
    ) -> Result<Vec<(Path, Value)>, Stop> {
        let fields = change.fields[side].clone();
        let decider = decider.clone();
        let resolved = self
            .store
            .read(move |store| {
                let view = StoreView { store, register_of: &decider.program };
                let mut out = Vec::with_capacity(fields.len());
                for field in &fields {
                    let value = match &field.new {
                        NewValue::Value(value) => Ok(value.clone()),
                        NewValue::Reference { register, source, label } => {
                            let from = side.other();
                            let fields = reference_fields(&decider, register, &field.row);
                            match view.reference(register, from, &Value::text(source.id.clone()), &fields) {
                                RefTarget::Linked(value) => Ok(value),
                                _ => Err(format!("{register} '{label}' was not made")),
                            }
                        }
                    };
                    match (Path::parse(&field.path), value) {
                        (Ok(path), Ok(value)) => out.push((path, value)),
                        (_, Err(reason)) => return Ok(Err(reason)),
                        (Err(error), _) => return Ok(Err(error.to_string())),
                    }
                }
                Ok(Ok(out))
            })
            .await?;
        resolved.map_err(|reason| Stop::Change(Became::Waiting(reason)))
    }

    async fn create(
        &self,
        decider: &Decider,
        register: &Register,
        change: &Change,
        side: Side,
        resource: &str,
    ) -> Result<Became, Stop> {
        let system = std::sync::Arc::clone(&self.program.sides[side].system);
        let Some(resource) = system.resources.get(resource).cloned() else { return Ok(Became::Nothing) };
        let values = self.values(decider, change, side).await?;
        let mut record = Value::Map(Map::new());
        for (path, value) in &values {
            path.set(&mut record, value.clone());
        }
        let mut writes = wire::plan_create(&system, &resource, &record)?.into_iter();
        let Some(main) = writes.next() else { return Ok(Became::Nothing) };
        let source = change.on(side.other()).cloned();
        let then = Value::Map(Map::from([("record".to_owned(), record.clone())]));
        let sending = Sending { then, links: true, ..Sending::of(side, &resource, main, record.clone()) };
        let row = match self.send(decider, register, source.clone(), sending).await? {
            Sent::Row(row) => row,
            Sent::Gone => {
                return Ok(Became::Waiting("the record it belongs to is gone; it is decided again".into()));
            }
        };
        let made = RecordRef { resource: resource.name.clone(), id: row.id.clone() };
        let Some(source) = source else { return Ok(Became::Created) };
        // what the other side gave by itself goes back at once: it has no base yet
        let mut change = change.clone();
        let unsent = |row: &Row| !change.fields[side].iter().any(|field| field.row == row.id);
        let given: Vec<String> = given_by(register, side, unsent).map(|row| row.id.clone()).collect();
        change.keep_base.extend(given);
        // the link stands before anything else is sent: a crash from here on finds the record again, and what
        // was not sent has no base, so that it is still carried then
        let link = link_of(register, side, made.clone(), source, self.clock.now_ms(), "created");
        let writes: Vec<wire::Write> = writes.collect();
        let mut keep = change.keep_base.clone();
        keep.extend(writes.iter().flat_map(|write| rows_of(&change, side, write)));
        self.put_link(decider, register, link.clone(), &keep).await?;
        let mut current = row.data;
        let failed = self.send_parts(decider, &change, side, &resource, writes, &mut current).await?;
        let from = link.on(side.other()).clone();
        // the pair leaves the work list when what goes back has arrived, too
        let planned = change.clone();
        if !change.keep_base.is_empty() {
            change.hashes = crate::value::Both::default();
        }
        let became = self.finish(decider, register, &change, link.clone(), failed, Became::Created).await?;
        if !change.keep_base.is_empty() && matches!(became, Became::Created) {
            let (again, name) = (decider.clone(), register.name.clone());
            let back = self
                .store
                .call(move |store| match again.program.register(&name).cloned() {
                    Some(register) => again.again(store, &register, side.other(), &from),
                    None => Ok(None),
                })
                .await?;
            if let Some(back) = back {
                return Ok(match self.update(decider, register, &back).await? {
                    Became::Updated => Became::Created,
                    other => other,
                });
            }
            return self.finish(decider, register, &planned, link, Vec::new(), became).await;
        }
        Ok(became)
    }

    async fn update(&self, decider: &Decider, register: &Register, change: &Change) -> Result<Became, Stop> {
        let (Some(left), Some(right)) = (change.left.clone(), change.right.clone()) else {
            return Ok(Became::Nothing);
        };
        let name = register.name.clone();
        let at = left.clone();
        let known = self.store.read(move |store| store.link(&name, Side::Left, &at)).await?;
        let unlinked = known.is_none();
        // one that stepped aside before is linked already
        let linking = unlinked || change.action == Action::Link;
        let link = known.unwrap_or_else(|| Link {
            register: register.name.clone(),
            left: left.clone(),
            right: right.clone(),
            base: Value::Null,
            since: self.clock.now_ms(),
            how: "matched".into(),
        });
        if unlinked {
            let link = link.clone();
            self.store.call(move |store| store.put_link(&link)).await?;
        }
        let mut failed: Vec<(String, Became)> = Vec::new();
        let mut moved: Vec<String> = Vec::new();
        for side in Side::BOTH {
            if change.fields[side].is_empty() {
                continue;
            }
            let values = self.values(decider, change, side).await?;
            let system = std::sync::Arc::clone(&self.program.sides[side].system);
            let Some(at) = change.on(side).cloned() else { continue };
            let Some(resource) = system.resources.get(&at.resource).cloned() else { continue };
            let Some(before) = self.known(decider, side, &at).await? else { continue };
            let mut current = before.data.clone();
            let writes = wire::plan_update(&system, &resource, &current, &values)?;
            failed.extend(self.send_parts(decider, change, side, &resource, writes, &mut current).await?);
            if let Some(after) = self.known(decider, side, &at).await? {
                let other = if side == Side::Left { &right } else { &left };
                moved.extend(plan::moved(register, side, &before, &after, other, &change.fields[side]));
            }
        }
        let became = if linking { Became::Linked } else { Became::Updated };
        if moved.is_empty() {
            return self.finish(decider, register, change, link, failed, became).await;
        }
        // the pair stays on the work list: what moved meanwhile is decided by the next run
        let mut change = change.clone();
        change.keep_base.append(&mut moved);
        change.hashes = crate::value::Both::default();
        self.finish(decider, register, &change, link, failed, became).await
    }

    /// A record as the mirror has it, with its children in place.
    pub(super) async fn known(
        &self,
        decider: &Decider,
        side: Side,
        at: &RecordRef,
    ) -> Result<Option<Record>, Stop> {
        let (decider, at) = (decider.clone(), at.clone());
        Ok(self.store.read(move |store| decider.record(store, side, &at)).await?)
    }

    async fn delete(
        &self,
        decider: &Decider,
        register: &Register,
        change: &Change,
        side: Side,
    ) -> Result<Became, Stop> {
        let system = std::sync::Arc::clone(&self.program.sides[side].system);
        let (Some(at), Some(left)) = (change.on(side).cloned(), change.left.clone()) else {
            return Ok(Became::Nothing);
        };
        let Some(resource) = system.resources.get(&at.resource).cloned() else { return Ok(Became::Nothing) };
        let (name, id) = (at.resource.clone(), at.id.clone());
        let Some(stored) = self.store.read(move |store| store.record(side, &name, &id)).await? else {
            return Ok(Became::Nothing);
        };
        let write = wire::Write::delete(&resource.name, stored.row.data.clone());
        let sending = Sending::of(side, &resource, write, stored.row.data);
        self.send(decider, register, change.on(side.other()).cloned(), sending).await?;
        let name = register.name.clone();
        self.store.call(move |store| store.remove_link(&name, &left)).await?;
        self.forget(side, &resource, &at.id).await?;
        Ok(Became::Deleted)
    }

    /// Sends the writes of one side of a pair in order: the record, then its children. One that fails does
    /// not stop the others; which rows failed is answered.
    async fn send_parts(
        &self,
        decider: &Decider,
        change: &Change,
        side: Side,
        parent: &std::sync::Arc<Resource>,
        writes: Vec<wire::Write>,
        current: &mut Value,
    ) -> Result<Vec<(String, Became)>, Stop> {
        let system = std::sync::Arc::clone(&self.program.sides[side].system);
        let mut failed = Vec::new();
        let Some(register) = self.program.register(&change.register) else { return Ok(failed) };
        for write in writes {
            let Some(resource) = system.resources.get(&write.resource).cloned() else { continue };
            let rows = rows_of(change, side, &write);
            let is_main = resource.name == parent.name && write.parent_field.is_none();
            let mut then = Map::from([(
                "rows".to_owned(),
                Value::List(rows.iter().map(|row| Value::text(row.clone())).collect()),
            )]);
            let pointer =
                write.pointer.clone().filter(|pointer| pointer.get(current).is_none_or(Value::is_empty));
            let names = pointer.as_ref().and_then(|pointer| pointers::to_name(parent, current, pointer));
            then.extend(names.map(|names| ("names".to_owned(), names)));
            let with_parent = if is_main {
                current.clone()
            } else {
                wire::child_current(parent, &resource, &write, current)
            };
            let sending =
                Sending { then: Value::Map(then), ..Sending::of(side, &resource, write, with_parent) };
            match self.send(decider, register, change.on(side.other()).cloned(), sending).await {
                Ok(Sent::Row(row)) if is_main => *current = row.data,
                Ok(Sent::Row(row)) => {
                    // a new child that its parent has to name
                    if let Some(pointer) = pointer {
                        let source = change.on(side.other()).cloned();
                        self.point(decider, register, source, side, parent, current, &pointer, &row.id)
                            .await?;
                    }
                }
                Ok(Sent::Gone) => {
                    let reason = Became::Waiting("it is gone; it is decided again".into());
                    failed.extend(rows.first().map(|row| (row.clone(), reason)));
                    failed.extend(rows.into_iter().skip(1).map(|row| (row, Became::Nothing)));
                }
                Err(Stop::Change(became)) => {
                    let mut rows = rows.into_iter();
                    failed.push((rows.next().unwrap_or_default(), became));
                    failed.extend(rows.map(|row| (row, Became::Nothing)));
                    if is_main {
                        // what was not sent is not carried
                        failed.extend(
                            change.fields[side].iter().map(|field| (field.row.clone(), Became::Nothing)),
                        );
                        break;
                    }
                }
                Err(stop) => return Err(stop),
            }
        }
        Ok(failed)
    }

    /// Both sides are as they will be: the new base is kept, and the pair leaves the work list.
    async fn finish(
        &self,
        decider: &Decider,
        register: &Register,
        change: &Change,
        link: Link,
        failed: Vec<(String, Became)>,
        became: Became,
    ) -> Result<Became, Stop> {
        let mut keep = change.keep_base.clone();
        keep.extend(failed.iter().map(|(row, _)| row.clone()));
        self.put_link(decider, register, link.clone(), &keep).await?;
        match failed.into_iter().map(|(_, became)| became).find(|became| !matches!(became, Became::Nothing)) {
            Some(problem) => Ok(problem),
            None => {
                let (decider, hashes) = (decider.clone(), change.hashes.clone());
                self.store
                    .call(move |store| {
                        for side in Side::BOTH {
                            let at = link.on(side);
                            if let Some(hash) = &hashes[side]
                                && decider.may_clean(store, &link.register, side, at, true)?
                            {
                                store.clean(side, &at.resource, &at.id, hash)?;
                            }
                        }
                        Ok(())
                    })
                    .await?;
                Ok(became)
            }
        }
    }

    async fn put_link(
        &self,
        decider: &Decider,
        register: &Register,
        mut link: Link,
        keep: &[String],
    ) -> Result<(), RunError> {
        let decider = decider.clone();
        let keep = keep.to_vec();
        let name = register.name.clone();
        self.store
            .call(move |store| {
                let Some(register) = decider.program.register(&name).cloned() else { return Ok(()) };
                if let Some(before) = store.link(&name, Side::Left, &link.left)? {
                    link.base = before.base;
                }
                if let Some(base) = decider.base(store, &register, &link, &keep)? {
                    link.base = base;
                }
                store.put_link(&link)?;
                for side in Side::BOTH {
                    decider.index(store, &register, side, link.on(side))?;
                }
                Ok(())
            })
            .await?;
        Ok(())
    }
}

/// The rows whose value a new record on `side` is given there, and which go back to its source: those of which that side is the master,
/// and of those that nobody is the master of the ones that the source had nothing for (`unsent`).
pub(super) fn given_by(
    register: &Register,
    side: Side,
    unsent: impl Fn(&Row) -> bool,
) -> impl Iterator<Item = &Row> {
    let given = move |row: &Row| row.master == Some(side) || (row.master.is_none() && unsent(row));
    register
        .rows
        .iter()
        .filter(move |row| row.is_two_sided() && row.assigned[side] && row.writes[side.other()] && given(row))
}

/// The rows whose fields a write carries; all of that side's where none is named, so that a write that fails
/// never makes an edit look carried.
fn rows_of(change: &Change, side: Side, write: &wire::Write) -> Vec<String> {
    let rows = |touched: bool| -> Vec<String> {
        let mut rows: Vec<String> = change.fields[side]
            .iter()
            .filter(|field| !touched || write.touches(&field.path))
            .map(|field| field.row.clone())
            .collect();
        rows.dedup();
        rows
    };
    let named = rows(true);
    if named.is_empty() { rows(false) } else { named }
}

/// The fields by which a row's reference names its record on either side.
fn reference_fields(decider: &Decider, register: &str, row: &str) -> crate::value::Both<Option<Path>> {
    decider
        .program
        .registers
        .iter()
        .flat_map(|one| &one.rows)
        .filter(|one| one.id == row)
        .flat_map(|one| &one.steps)
        .find_map(|step| match step {
            crate::program::mapping::Step::Reference { register: named, fields, .. } if named == register => {
                Some(fields.clone())
            }
            _ => None,
        })
        .unwrap_or_default()
}
