//! The statuses of documents: which is which role, and those that the mapping makes itself.
//!
//! A status is made before the documents, by a create in the journal like any other. It comes from no record, so that nothing is
//! linked: it is found again by its name.

use std::sync::Arc;

use super::apply::{Became, Stop};
use super::decider::Decider;
use super::documents::{AllRoles, failed_fact};
use super::outcome::told;
use super::report::Entry;
use super::send::{Sending, Sent};
use super::{Engine, Event, RunError};
use crate::http::Pages;
use crate::plan::flow::{self, Roles};
use crate::plan::translate::normal;
use crate::plan::{Action, Change, FieldChange, Found, NewValue};
use crate::program::document::{Document, Flow, Recognise};
use crate::program::mapping::Compare;
use crate::program::system::Resource;
use crate::store::{EventRow, Intent};
use crate::value::{Map, Path, Value};
use crate::wire;

/// The member of an intent's `then` that says it makes a status, and by which field that is found again.
const BY: &str = "status_by";

/// A status that is missing: where, and what it is called.
struct Missing<'d> {
    document: &'d Document,
    flow: &'d Flow,
    of: &'d Arc<Resource>,
    by: &'d Path,
    role: String,
    name: Value,
}

/// The field that the status of a write is found again by; none: the write makes no status.
pub(super) fn found_by(intent: &Intent) -> Option<Path> {
    Path::parse(intent.then.get(BY)?.as_text()?).ok()
}

/// Whether two values are the same name.
pub(super) fn same_name(one: Option<&Value>, other: Option<&Value>) -> bool {
    one.is_some()
        && one.map(|one| normal(Compare::Exact, one)) == other.map(|one| normal(Compare::Exact, one))
}

impl Engine {
    /// Reads the statuses and finds the roles. A set-up that cannot work is refused before anything is written.
    pub(super) async fn recognise_flows(&self) -> Result<AllRoles, RunError> {
        let mut all = AllRoles::new();
        let mut problems = Vec::new();
        for document in &self.program.documents {
            let name = document.register.name.clone();
            let chosen = self.chosen(&name);
            let Some(flow) = document.flow.as_ref().filter(|flow| chosen || self.prepares(flow)) else {
                all.insert(name, Roles::default());
                continue;
            };
            let mut statuses = Vec::new();
            if let Some(of) = &flow.of {
                let side = document.source;
                let system = &self.program.sides[side].system;
                let mut pages = Pages::new(&self.clients[side], of, Vec::new(), None)?;
                while let Some(page) = pages.next().await? {
                    for record in page.records {
                        if self.is_removed(side, of, &record) {
                            continue;
                        }
                        let data = wire::decode(system, of, None, &record, &*self.lookups.borrow()[side])
                            .map_err(|problem| RunError::failed(format!("{}: {problem}", of.name)))?;
                        if let Some(key) = of.key.first().and_then(|key| key.get(&data)).cloned() {
                            statuses.push((key, data));
                        }
                    }
                }
                if !pages.complete() {
                    return Err(RunError::failed(format!("the list of {} came incomplete", of.name)));
                }
            }
            match flow::recognise(flow, &statuses, &self.program.answers) {
                Ok(roles) => {
                    let failed = document.failure_roles();
                    let failed = failed.iter().flat_map(|role| roles.statuses(role)).cloned().collect();
                    let (fact, failed) = (failed_fact(&name), Value::List(failed).to_json());
                    self.store.call(move |store| store.set_fact(&fact, Some(&failed))).await?;
                    all.insert(name, roles);
                }
                // of a document that this run leaves alone nothing is asked
                Err(_) if !chosen => {
                    all.insert(name, Roles::default());
                }
                Err(reason) => problems.push(format!("{name}: {reason} ({})", flow.origin.text)),
            }
        }
        if problems.is_empty() {
            Ok(all)
        } else {
            Err(RunError::Refused { reasons: problems, bad_input: false })
        }
    }

    /// Whether a run makes the statuses of a document that it leaves alone: people need them before they ask for it.
    fn prepares(&self, flow: &Flow) -> bool {
        !flow.make.is_empty()
            && self.options.only.is_empty()
            && self.options.record.is_none()
            && !self.options.recover_only
    }

    /// Makes the statuses that are missing, or plans them; answers the roles with those that were made. A document whose status is
    /// still missing is left alone in this run.
    pub(super) async fn make_statuses(&self, decider: &Decider) -> Result<Arc<AllRoles>, RunError> {
        if decider.roles.values().all(|roles| roles.missing().is_empty()) {
            return Ok(Arc::clone(&decider.roles));
        }
        // what was in doubt may have been settled since
        let mut all = match self.options.plan_only {
            true => (*decider.roles).clone(),
            false => self.recognise_flows().await?,
        };
        let mut made: Vec<(Missing, Option<Value>)> = Vec::new();
        for document in &self.program.documents {
            let name = &document.register.name;
            let Some(roles) = all.get_mut(name) else { continue };
            let Some(flow) = &document.flow else { continue };
            let (Some(of), Recognise::Named { by: Some(by), .. }) = (&flow.of, &flow.recognise) else {
                continue;
            };
            for (role, called) in roles.missing().to_vec() {
                let missing = Missing { document, flow, of, by, role, name: called };
                let before = made.iter().find(|(one, _)| {
                    one.document.source == document.source
                        && one.of.name == of.name
                        && same_name(Some(&one.name), Some(&missing.name))
                });
                // two documents may share a status
                let key = match before {
                    Some((_, key)) => key.clone(),
                    None => self.make_status(decider, &missing).await?,
                };
                if let Some(key) = &key {
                    roles.made(&missing.role, key.clone());
                } else if !self.options.plan_only {
                    self.left_out.borrow_mut().insert(name.clone());
                }
                made.push((missing, key));
            }
        }
        let all = Arc::new(all);
        if !self.options.plan_only {
            let now = Decider { roles: Arc::clone(&all), ..decider.clone() };
            self.store.call(move |store| super::explain::keep(&now, store)).await?;
        }
        Ok(all)
    }

    /// Makes one status. None: it is not there yet, and the report says why.
    async fn make_status(&self, decider: &Decider, missing: &Missing<'_>) -> Result<Option<Value>, RunError> {
        let Missing { document, of, by, .. } = missing;
        let side = document.source;
        let change = planned(missing);
        let system = &self.program.sides[side].name;
        let entry = |code: &str, reason: String| Entry {
            register: document.register.name.clone(),
            record: change.label.clone(),
            code: code.to_owned(),
            reason,
        };
        if self.options.plan_only {
            self.tell(Event::Change(Box::new(change.clone())));
            let reason = format!("this {} is not in {system}: a run makes it", of.name);
            self.report.borrow_mut().notes.push(entry("status_made", reason));
            return Ok(None);
        }
        if self.options.saved.as_ref().is_some_and(|saved| !saved.contains(&change.fingerprint())) {
            let reason = "it is not as it was planned any more: skipped".to_owned();
            self.report.borrow_mut().notes.push(entry("moved", reason));
            return Ok(None);
        }
        let open = self.store.read(|store| store.open_intents()).await?;
        let under_way = open.iter().find(|intent| {
            let sent = intent.lookup.get("record").and_then(|record| by.get(record));
            intent.side == side
                && intent.resource == of.name
                && found_by(intent).is_some()
                && same_name(sent, Some(&missing.name))
        });
        if let Some(intent) = under_way {
            let reason = format!("whether write {} has made it is not known yet", intent.id);
            self.report.borrow_mut().waiting.push(entry("waiting", reason));
            return Ok(None);
        }
        match self.send_status(decider, missing).await {
            Ok(row) => {
                let event = EventRow {
                    run: self.run_id.clone(),
                    at: self.clock.now_ms(),
                    register: document.register.name.clone(),
                    left: (side == crate::value::Side::Left).then(|| row.id.clone()),
                    right: (side == crate::value::Side::Right).then(|| row.id.clone()),
                    what: "created".to_owned(),
                    detail: Value::Map(told(system, &change.fields[side])),
                };
                self.store.call(move |store| store.add_event(&event)).await?;
                let reason = format!("this {} was not in {system}: it is made", of.name);
                self.report.borrow_mut().notes.push(entry("status_made", reason));
                Ok(of.key.first().and_then(|key| key.get(&row.data)).cloned())
            }
            Err(Stop::Run(error)) => Err(error),
            Err(Stop::Change(became)) => {
                let mut report = self.report.borrow_mut();
                match became {
                    Became::SetAside { code, reason, .. } => report.set_aside.push(entry(&code, reason)),
                    Became::InDoubt(reason) => report.in_doubt.push(entry("ME0940", reason)),
                    Became::Waiting(reason) => report.waiting.push(entry("waiting", reason)),
                    _ => {}
                }
                Ok(None)
            }
        }
    }

    async fn send_status(
        &self,
        decider: &Decider,
        missing: &Missing<'_>,
    ) -> Result<crate::store::RecordRow, Stop> {
        let Missing { document, of, by, .. } = missing;
        let system = Arc::clone(&self.program.sides[document.source].system);
        let mut record = Value::Map(Map::new());
        for (path, value) in values(missing) {
            path.set(&mut record, value);
        }
        let gone = || Stop::Change(Became::Waiting("it was not made; it is tried again".into()));
        let write = wire::plan_create(&system, of, &record)?.into_iter().next().ok_or_else(gone)?;
        let then = Value::Map(Map::from([(BY.to_owned(), Value::text(by.to_string()))]));
        let sending = Sending { then, ..Sending::of(document.source, of, write, record) };
        match self.send(decider, &document.register, None, sending).await? {
            Sent::Row(row) => Ok(row),
            Sent::Gone => Err(gone()),
        }
    }
}

/// The fields of a status that is to be made.
fn values(missing: &Missing) -> Vec<(Path, Value)> {
    let name = (missing.by.clone(), missing.name.clone());
    let others = missing.flow.make.iter().filter(|(role, _)| *role == missing.role);
    std::iter::once(name).chain(others.flat_map(|(_, values)| values.clone())).collect()
}

/// The create as a plan shows it.
fn planned(missing: &Missing) -> Change {
    let side = missing.document.source;
    let label = missing.name.scalar_text().unwrap_or_default();
    let mut change = Change::new(&missing.document.register.name, None, None, label, Found::Absent);
    change.action = Action::Create { side, resource: missing.of.name.clone() };
    change.fields[side] = values(missing)
        .into_iter()
        .map(|(path, value)| FieldChange {
            path: path.to_string(),
            old: Value::Null,
            new: NewValue::Value(value),
            row: "status".into(),
            origin: missing.flow.origin.text.clone(),
            reason: String::new(),
            sensitive: false,
        })
        .collect();
    change
}
