//! A run: effects in order. Read, decide, brake, apply, report.
//!
//! Registers are all read and decided first; the brakes look at the whole plan before the first write; then
//! the plan is carried out in the order of the registers' references. What cannot go on is set aside and
//! everything else continues. The engine prints nothing: it answers a [`Report`] and tells a listener events.

mod actions;
mod apply;
mod below;
mod braking;
mod checks;
mod choices;
mod commands;
mod decider;
mod documents;
mod embed;
mod exchange;
mod exists;
mod explain;
mod facts;
mod files;
mod follow;
mod history;
mod incomplete;
mod items;
mod keys;
mod looked;
mod lookups;
mod now;
mod outcome;
mod planned;
mod pointers;
mod read;
mod ready_again;
mod recover;
mod removed;
mod repeat;
mod report;
mod request;
mod restored;
mod send;
mod statuses;
mod steps;
mod taken_back;
mod traced;
mod transfers;
mod unique;
mod view;

use std::cell::{Cell, RefCell};
use std::collections::HashSet;
use std::rc::Rc;
use std::sync::Arc;

pub use choices::answers_of;
pub use commands::{Command, Settled, Verdict, take_up};
pub use decider::Selected;
pub use documents::failed_fact;
pub use explain::{
    Condition, End, FieldWhy, Given, Held, HeldAt, Step, Valued, Why, WhyError, WhyNot, records_named, why,
    why_not,
};
pub use facts::fingerprint_fact;
pub use keys::key_slot;
pub use looked::Looked;
pub use read::changed_at;
pub use report::{Counts, Entry, Event, MissingCodes, Report, Traced, TracedField};

use crate::clock::Clock;
use crate::http::{CallError, Client};
use crate::plan::Change;
use crate::plan::brakes;
use crate::program::mapping::Program;
use crate::store::{Handle, StoreError};
use crate::value::{Both, Side, Value};
use decider::Decider;

/// Why a run came to no end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RunError {
    /// It was refused before anything was written: a check, a brake, another company. All reasons.
    Refused {
        /// The reasons.
        reasons: Vec<String>,
        /// It is the connection or the mapping that is wrong (exit code 2).
        bad_input: bool,
    },
    /// A system or the state failed.
    Failed(String),
    /// It was asked to stop, and did so at a safe point.
    Stopped,
}

impl RunError {
    fn failed(reason: impl Into<String>) -> Self {
        RunError::Failed(reason.into())
    }

    fn refused(reason: impl Into<String>) -> Self {
        RunError::Refused { reasons: vec![reason.into()], bad_input: false }
    }
}

impl std::fmt::Display for RunError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            RunError::Refused { reasons, .. } => f.write_str(&reasons.join("\n")),
            RunError::Failed(reason) => f.write_str(reason),
            RunError::Stopped => f.write_str("stopped"),
        }
    }
}

impl std::error::Error for RunError {}

impl From<StoreError> for RunError {
    fn from(error: StoreError) -> Self {
        RunError::Failed(error.to_string())
    }
}

impl From<CallError> for RunError {
    fn from(error: CallError) -> Self {
        match error.class {
            crate::program::system::ErrorClass::NotAllowed => RunError::refused(error.to_string()),
            _ => RunError::Failed(error.to_string()),
        }
    }
}

/// What a run is to do.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Only decide: nothing is written to either system.
    pub plan_only: bool,
    /// Only these registers and documents (and nothing of the others, but for the registers that the documents refer to).
    pub only: Vec<String>,
    /// Documents on demand that are asked for beside those.
    pub asked: Vec<String>,
    /// As many transfers as it takes, where a document allows so many in one.
    pub all: bool,
    /// Only this record.
    pub record: Option<Selected>,
    /// Read everything, not only what changed.
    pub full: bool,
    /// Carry out only changes with these fingerprints (a saved plan).
    pub saved: Option<HashSet<String>>,
    /// Set aside records are tried again before their time.
    pub retry_all: bool,
    /// Only settle writes that are open.
    pub recover_only: bool,
    /// The brakes do not hold (said by a person, for this run).
    pub release_brakes: bool,
    /// For a report: the rows of documents of this time are read, not only of those that travel.
    pub rows: Option<crate::plan::reckon::Period>,
}

/// Told what happens while a run goes on.
pub type Listener = Rc<dyn Fn(Event)>;

/// Everything a run needs, brought together by the caller.
pub struct Setup {
    /// What is to be kept equal.
    pub program: Arc<Program>,
    /// The state of the connection.
    pub store: Handle,
    /// Both systems.
    pub clients: Both<Rc<Client>>,
    /// Time.
    pub clock: Rc<dyn Clock>,
    /// The connection's name; none in the sandbox.
    pub connection: Option<String>,
    /// The run's id, unique.
    pub run_id: String,
    /// What is to be done.
    pub options: Options,
    /// Told what happens.
    pub listener: Listener,
    /// Set by the caller to end the run at the next safe point.
    pub stop: Rc<Cell<bool>>,
}

/// One run.
pub struct Engine {
    program: Arc<Program>,
    store: Handle,
    clients: Both<Rc<Client>>,
    clock: Rc<dyn Clock>,
    run_id: String,
    options: Options,
    listener: Listener,
    stop: Rc<Cell<bool>>,
    report: RefCell<Report>,
    lookups: RefCell<Both<Rc<lookups::Tables>>>,
    /// Nothing is sent before this (milliseconds since 1970): see [`restored`].
    quiet_until: Cell<Option<i64>>,
    /// Everything is read, not only what changed.
    full: Cell<bool>,
    /// The state may have forgotten something.
    doubtful: Cell<bool>,
    left_out: RefCell<HashSet<String>>,
    /// The record that this run is about, when it is found.
    named: RefCell<Option<traced::Named>>,
    desk: files::Desk,
}

impl Engine {
    /// A run that has not begun.
    pub fn new(mut setup: Setup) -> Engine {
        setup.options.only = transfers::with_references(&setup.program, &setup.options.only);
        Engine {
            report: RefCell::new(Report {
                mapping: setup.program.name.clone(),
                connection: setup.connection.clone(),
                run: setup.run_id.clone(),
                verb: match (setup.options.plan_only, &setup.options.saved) {
                    (true, _) => "plan",
                    (false, Some(_)) => "apply",
                    (false, None) => "run",
                }
                .into(),
                ..Report::default()
            }),
            desk: files::Desk::default(),
            program: setup.program,
            store: setup.store,
            clients: setup.clients,
            clock: setup.clock,
            run_id: setup.run_id,
            options: setup.options,
            listener: setup.listener,
            stop: setup.stop,
            lookups: RefCell::new(Both::default()),
            quiet_until: Cell::new(None),
            full: Cell::new(false),
            doubtful: Cell::new(false),
            left_out: RefCell::default(),
            named: RefCell::default(),
        }
    }

    /// Runs. The report says what happened, also where the run was refused.
    ///
    /// # Errors
    /// [`RunError`] where it could not come to an end; what was done until then is on disk, and the next run
    /// goes on from there.
    pub async fn run(self) -> Result<Report, (RunError, Box<Report>)> {
        let started = self.clock.now_ms();
        let outcome = self.all(started).await;
        let mut report = self.report.borrow().clone();
        report.milliseconds = u64::try_from(self.clock.now_ms() - started).unwrap_or(0);
        report.reads = Side::BOTH.into_iter().map(|side| self.clients[side].reads_sent()).sum();
        if let Err(RunError::Refused { reasons, .. }) = &outcome {
            report.refused = reasons.clone();
        }
        if outcome.is_err() {
            // a state that fails here has its say in the outcome, or with the history
            let _ = self.doubt_access().await;
        }
        if let Err(error) = self.end_history(started, &report, &outcome).await {
            return Err((error, Box::new(report)));
        }
        match outcome {
            Ok(()) => Ok(report),
            Err(error) => Err((error, Box::new(report))),
        }
    }

    async fn all(&self, started: i64) -> Result<(), RunError> {
        let row = self.history_row(started, None, Value::Null);
        self.store.call(move |store| store.put_run(&row)).await?;
        self.rename_registers().await?;
        if !self.options.plan_only {
            self.take_up_commands().await?;
        }
        let doubtful = self.look_for_doubt().await?;
        self.doubtful.set(doubtful);
        self.full.set(self.options.full || doubtful);
        self.leave_out().await?;
        self.same_company().await?;
        self.check_access().await?;
        for side in Side::BOTH {
            let tables = lookups::Tables::read(&self.program, side, &self.clients[side]).await?;
            self.lookups.borrow_mut()[side] = Rc::new(tables);
        }
        let facts = Arc::new(self.read_facts().await?);
        let mut decider = self.decider(Arc::clone(&facts), HashSet::new());
        self.check_facts(&decider)?;
        self.check_choices().await?;
        decider.roles = Arc::new(self.recognise_flows().await?);
        if !self.options.plan_only {
            self.recover(&decider).await?;
            self.name_children(&decider).await?;
        }
        if self.options.recover_only {
            return Ok(());
        }
        self.new_program(&decider).await?;
        let reads = self.read_all().await?;
        decider.complete = Arc::new(reads.complete);
        decider.incomplete = Arc::new(reads.incomplete);
        self.answer_questions(&decider).await?;
        self.check_records(&decider).await?;
        self.store.call(|store| store.clear_plan()).await?;
        self.name_record(&mut decider, false).await?;
        for register in &self.program.registers {
            if self.chosen(&register.name) {
                self.decide_register(&decider, register).await?;
            }
        }
        if self.options.plan_only {
            decider.roles = self.make_statuses(&decider).await?;
            self.plan_documents(&decider).await?;
            if let Some(period) = &self.options.rows {
                self.read_rows_for_report(&decider, period).await?;
            }
            self.show_changes(&|_| true).await?;
            self.trace(&decider).await?;
            return self.count_plan().await;
        }
        let is_document = |name: &str| self.program.document(name).is_some();
        self.show_changes(&|name| !is_document(name)).await?;
        self.trace(&decider).await?;
        self.brake(&|name| !is_document(name), 0).await?;
        for register in &self.program.registers {
            if !self.chosen(&register.name) {
                continue;
            }
            let mut counts = self.report.borrow().registers.get(&register.name).copied().unwrap_or_default();
            let outcome = self.apply_register(&decider, register, &mut counts).await;
            counts.pairs = self.pairs(&register.name).await?;
            self.report.borrow_mut().registers.insert(register.name.clone(), counts);
            outcome?;
            if counts.created + counts.updated + counts.deleted + counts.in_doubt > 0 {
                self.refresh_lookups(register).await?;
            }
        }
        // documents come when what they refer to is there, and the statuses that they get
        decider.roles = self.make_statuses(&decider).await?;
        decider.left_alone = self.left_alone();
        self.transfer_documents(&decider).await?;
        if doubtful {
            self.end_doubt().await?;
        }
        Ok(())
    }

    /// What a register has just made may be looked up by the next one: classes, units, terms.
    async fn refresh_lookups(&self, register: &crate::program::mapping::Register) -> Result<(), RunError> {
        for side in Side::BOTH {
            let tables = Rc::clone(&self.lookups.borrow()[side]);
            let members = register.ends[side].members.iter().map(|member| member.resource.name.clone());
            let looked_up: Vec<String> = members.filter(|name| tables.holds(name)).collect();
            if !looked_up.is_empty() && register.rows.iter().any(|row| row.writes[side]) {
                let system = &self.program.sides[side].system;
                let tables = (*tables).clone().with(system, &self.clients[side], looked_up).await?;
                self.lookups.borrow_mut()[side] = Rc::new(tables);
            }
        }
        Ok(())
    }

    fn decider(&self, facts: Arc<Both<Value>>, complete: HashSet<(Side, String)>) -> Decider {
        let now_ms = self.clock.now_ms();
        let now =
            jiff::Timestamp::from_millisecond(now_ms).unwrap_or(jiff::Timestamp::UNIX_EPOCH).to_string();
        Decider {
            program: Arc::clone(&self.program),
            facts,
            today: now.get(..10).unwrap_or_default().to_owned(),
            now,
            now_ms,
            complete: Arc::new(complete),
            incomplete: Arc::default(),
            named: self.named.borrow().clone(),
            retry_all: self.options.retry_all,
            left_alone: self.left_alone(),
            roles: Arc::default(),
            unreadable: Arc::default(),
            takes_new: true,
            forgot: self.doubtful.get(),
            room: None,
        }
    }

    fn chosen(&self, register: &str) -> bool {
        let only = &self.options.only;
        let selected = self.options.record.as_ref().map(|record| record.register.as_str());
        (only.is_empty() || only.iter().any(|one| one == register))
            && selected.is_none_or(|one| one == register)
            && !self.left_out.borrow().contains(register)
    }

    /// Everything that this run does not look at.
    fn left_alone(&self) -> Arc<HashSet<String>> {
        let names = self.program.all().map(|register| &register.name);
        Arc::new(names.filter(|name| !self.chosen(name)).cloned().collect())
    }

    fn stopping(&self) -> bool {
        self.stop.get()
    }

    fn tell(&self, event: Event) {
        (self.listener)(event);
    }

    fn note(&self, code: &str, reason: String) {
        self.report.borrow_mut().notes.push(Entry {
            register: String::new(),
            record: String::new(),
            code: code.to_owned(),
            reason,
        });
    }

    /// `was:` gives the links of an old name to the new one.
    async fn rename_registers(&self) -> Result<(), RunError> {
        for register in &self.program.registers {
            if let Some(was) = &register.was {
                let (was, now) = (was.clone(), register.name.clone());
                self.store
                    .call(move |store| {
                        if store.count_links(&now)? == 0 {
                            store.rename_register(&was, &now)
                        } else {
                            Ok(false)
                        }
                    })
                    .await?;
            }
        }
        Ok(())
    }

    /// An edited mapping, or other settings: every record is compared once more (`decisions` 9). What was read beside
    /// the records is kept with the state.
    async fn new_program(&self, decider: &Decider) -> Result<(), RunError> {
        let decider = decider.clone();
        let hash = self.program.hash.clone();
        let resources: Vec<(Side, String)> = Side::BOTH
            .into_iter()
            .flat_map(|side| {
                read::resources(&self.program, side, &|_| true)
                    .into_iter()
                    .map(move |(resource, _)| (side, resource.name.clone()))
            })
            .collect();
        self.store
            .call(move |store| {
                if store.fact("program")?.as_deref() != Some(&hash) {
                    for (side, resource) in &resources {
                        store.mark_dirty(*side, resource, None)?;
                    }
                    store.set_fact("program", Some(&hash))?;
                }
                explain::keep(&decider, store)?;
                Ok(())
            })
            .await?;
        Ok(())
    }

    /// The match keys of everything on the work list of a register.
    async fn index_register(
        &self,
        decider: &Decider,
        register: &Arc<crate::program::mapping::Register>,
    ) -> Result<(), RunError> {
        for side in Side::BOTH {
            for member in &register.ends[side].members {
                let mut after = String::new();
                loop {
                    let (decider, register, resource, from) =
                        (decider.clone(), Arc::clone(register), member.resource.name.clone(), after);
                    let last = self
                        .store
                        .call(move |store| decider.index_chunk(store, &register, side, &resource, &from))
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

    async fn decide_register(
        &self,
        decider: &Decider,
        register: &Arc<crate::program::mapping::Register>,
    ) -> Result<(), RunError> {
        self.index_register(decider, register).await?;
        let mut counts = Counts::default();
        let mut looked_at = 0;
        for side in Side::BOTH {
            for member in &register.ends[side].members {
                let mut after = String::new();
                loop {
                    let (decider, of, resource, from) =
                        (decider.clone(), Arc::clone(register), member.resource.name.clone(), after);
                    let chunk = self
                        .store
                        .call(move |store| decider.decide_chunk(store, &of, side, &resource, &from))
                        .await?;
                    looked_at += chunk.looked_at;
                    for change in chunk.noted {
                        self.note_change(&change);
                    }
                    self.tell(Event::Decided { register: register.name.clone(), count: looked_at });
                    match chunk.last {
                        Some(last) => after = last,
                        None => break,
                    }
                }
            }
        }
        // a pair may be looked at from both sides, or, where nothing was on the work list, from none
        (counts.pairs, counts.unchanged) = self.pairs_and_unchanged(&register.name).await?;
        self.report.borrow_mut().registers.insert(register.name.clone(), counts);
        Ok(())
    }

    /// What is worth knowing of a change that does nothing else.
    fn note_change(&self, change: &Change) {
        let mut report = self.report.borrow_mut();
        for note in &change.notes {
            report.notes.push(Entry {
                register: change.register.clone(),
                record: change.label.clone(),
                code: note.kind.clone(),
                reason: note.text.clone(),
            });
        }
    }
}

/// How many pairs a register or a document has, and how many of them its plan does not touch.
fn pairs_and_unchanged(store: &dyn crate::store::Store, name: &str) -> crate::store::Result<(u64, u64)> {
    let planned = store.count_changes(name)?;
    let touched =
        planned.iter().filter(|(action, _)| matches!(action.as_str(), "update" | "delete" | "unlink"));
    let touched = touched.map(|(_, count)| count).sum::<u64>() + store.count_held(name)?;
    let pairs = store.count_links(name)?;
    Ok((pairs, pairs.saturating_sub(touched)))
}
