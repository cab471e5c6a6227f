//! One write: an intent on disk before it leaves, its outcome on disk after.

use super::actions::held;
use super::apply::{Became, Stop};
use super::decider::Decider;
use super::read::row_of;
use super::removed::Item;
use super::{Engine, RunError, request};
use crate::http::{Embedded, FileBody, LARGEST, Outgoing, Reply, WriteOutcome};
use crate::program::actions::Action;
use crate::program::mapping::Register;
use crate::program::system::{ErrorClass, Resource};
use crate::store::{Effect, Intent, IntentState, Link, RecordRef, RecordRow};
use crate::value::{Map, Side, Value};
use crate::wire;

/// One write to one system, and the rows it carries.
pub(super) struct Sending {
    pub side: Side,
    pub resource: std::sync::Arc<Resource>,
    pub write: wire::Write,
    pub current: Value,
    /// What to do with the pair when it is done; `base` is what its new link holds.
    pub then: Value,
    /// The new record is linked to its source in the same commit that says it was made: between the two a
    /// crash would leave a record that nobody knows.
    pub links: bool,
    /// Another request than the one the write would be: an action, a file.
    pub request: Option<Outgoing>,
    /// The file that the record is made of.
    pub file: Option<FileBody>,
    /// The files inside its message.
    pub embedded: Vec<Embedded>,
    /// The document's link as it is when this is done, kept in the same commit: between the two a crash would leave a step that
    /// nobody knows was taken.
    pub after: Option<Link>,
    /// A file that goes to a record once, whatever leads there: the fact that says it did, kept in the same commit. The record
    /// belongs to others: nothing of it is read back.
    pub once: Option<String>,
}

impl Sending {
    /// A write of a record, with nothing beside it.
    pub fn of(
        side: Side,
        resource: &std::sync::Arc<Resource>,
        write: wire::Write,
        current: Value,
    ) -> Sending {
        Sending {
            side,
            resource: std::sync::Arc::clone(resource),
            write,
            current,
            then: Value::Null,
            links: false,
            request: None,
            file: None,
            embedded: Vec::new(),
            after: None,
            once: None,
        }
    }
}

/// What a write came to.
pub(super) enum Sent {
    Row(RecordRow),
    Gone,
}

impl Engine {
    /// One write: intent, request, outcome. Comes back with the record as the system has it now.
    pub(super) async fn send(
        &self,
        decider: &Decider,
        register: &Register,
        source: Option<RecordRef>,
        sending: Sending,
    ) -> Result<Sent, Stop> {
        self.may_send()?;
        let Sending {
            side,
            resource,
            write,
            current,
            then,
            links,
            request: given,
            file,
            embedded,
            after,
            once,
        } = sending;
        let system = std::sync::Arc::clone(&self.program.sides[side].system);
        let special = given.is_some();
        let mut outgoing = match given {
            Some(request) => request,
            None => wire::encode(&system, &resource, &write, &current, &*self.lookups.borrow()[side])?,
        };
        if file.is_some() {
            outgoing.file = file;
        }
        outgoing.embedded = embedded;
        let effect = match write.effect {
            wire::WriteEffect::Create => Effect::Create,
            wire::WriteEffect::Update => Effect::Update,
            wire::WriteEffect::Delete => Effect::Delete,
        };
        // made once for this create: it is in the journal before the request leaves, and every repeat takes it from there
        let key = resource.create.as_ref().filter(|_| effect == Effect::Create);
        let key = key.and_then(|call| call.idempotency_key.as_ref()).map(|declared| {
            let key = uuid::Uuid::new_v4().to_string();
            wire::with_key(&mut outgoing, &declared.place, &key);
            key
        });
        let now = self.clock.now_ms();
        let settle = i64::try_from(self.clients[side].settle_after().as_millis()).unwrap_or(i64::MAX);
        let mut intent = Intent {
            id: 0,
            run: self.run_id.clone(),
            register: register.name.clone(),
            side,
            resource: resource.name.clone(),
            target: if effect == Effect::Create { None } else { resource.id_of(&current) },
            source,
            effect,
            request: request::noted(&outgoing, key.as_deref()),
            lookup: lookup_of(&resource, &write, &current),
            program: self.program.hash.clone(),
            state: IntentState::Sent,
            attempt: 1,
            sent_at: now,
            settle_until: now.saturating_add(settle),
            outcome: String::new(),
            then,
        };
        if key.is_some() {
            if request::size_of_files(&outgoing) > LARGEST {
                let reason = format!("its file is larger than {} MiB", LARGEST / 1024 / 1024);
                return Err(held("ME0957", format!("{reason}: that is what a write with a key may hold")));
            }
            request::keep_content(&outgoing, &mut intent.then)
                .map_err(|error| held("ME0957", format!("its file cannot be read: {error}")))?;
        }
        let row = intent.clone();
        // on disk before it leaves
        intent.id = self.store.call(move |store| store.add_intent(&row)).await?;
        self.report.borrow_mut().writes += 1;
        let outcome = self.clients[side].write(&outgoing).await;
        let action = intent.then.get("action").and_then(Value::as_text);
        let action = action.and_then(|name| resource.actions.get(name));
        let outcome = match outcome {
            WriteOutcome::Done(reply) => self.unless_failed(side, action, reply),
            other => other,
        };
        match outcome {
            WriteOutcome::Done(reply) if once.is_some() => {
                intent.state = IntentState::Done;
                intent.outcome = reply.status.to_string();
                let row = RecordRow { id: String::new(), parent: None, data: current, hash: String::new() };
                self.store
                    .call(move |store| {
                        super::files::keep_attached(store, &intent)?;
                        store.set_intent(&intent)
                    })
                    .await?;
                Ok(Sent::Row(row))
            }
            WriteOutcome::Done(reply) => {
                let told = (!special).then_some(&reply);
                match self.after_write(side, &resource, &write, &current, told).await {
                    Ok(row) => {
                        intent.state = IntentState::Done;
                        request::forget_content(&mut intent.then);
                        intent.outcome = reply.status.to_string();
                        intent.target = row.as_ref().map(|row| row.id.clone()).or(intent.target.take());
                        let stored = row.clone();
                        let name = resource.name.clone();
                        let link = match (&row, &intent.source, links) {
                            (Some(row), Some(source), true) => {
                                let made = RecordRef { resource: resource.name.clone(), id: row.id.clone() };
                                let now = self.clock.now_ms();
                                let link = link_of(register, side, made, source.clone(), now, "created");
                                Some(Link {
                                    base: intent.then.get("base").cloned().unwrap_or_default(),
                                    ..link
                                })
                            }
                            _ => None,
                        };
                        let (decider, of) = (decider.clone(), register.name.clone());
                        self.store
                            .call(move |store| {
                                if let Some(row) = &stored {
                                    store.put_clean(side, &name, row)?;
                                    super::pointers::keep(store, &intent, &row.id)?;
                                    if let Some(register) = decider.program.register(&of).cloned() {
                                        let made = RecordRef { resource: name.clone(), id: row.id.clone() };
                                        decider.index(store, &register, side, &made)?;
                                        // the pair stays on the work list until its base is kept
                                        if let Some(at) = &intent.source {
                                            store.mark_dirty(side.other(), &at.resource, Some(&at.id))?;
                                        }
                                    }
                                    if let Some(link) = &link {
                                        store.put_link(link)?;
                                    }
                                } else if let Some(target) = &intent.target {
                                    store.remove_record(side, &name, target)?;
                                }
                                if let Some(after) = &after {
                                    store.put_link(after)?;
                                }
                                store.set_intent(&intent)
                            })
                            .await?;
                        match row {
                            Some(row) => Ok(Sent::Row(row)),
                            None => Ok(Sent::Row(RecordRow {
                                id: String::new(),
                                parent: None,
                                data: Value::Null,
                                hash: String::new(),
                            })),
                        }
                    }
                    Err(reason) => self.in_doubt(intent, reason).await,
                }
            }
            WriteOutcome::Unknown { message, prove_refused } => {
                if let (Some(prove), Value::Map(then)) = (prove_refused, &mut intent.then) {
                    then.insert("refused".into(), Value::text(prove));
                }
                self.in_doubt(intent, message).await
            }
            // it was not there before: the request came twice, and the first one made it
            WriteOutcome::NotDone { class: ErrorClass::AlreadyExists, message, .. } if key.is_some() => {
                self.in_doubt(intent, message).await
            }
            WriteOutcome::NotDone { class, message, status } => {
                request::forget_content(&mut intent.then);
                intent.state = IntentState::Failed;
                intent.outcome = match status {
                    Some(status) => format!("{status}: {message}"),
                    None => message.clone(),
                };
                let target = intent.target.clone();
                let stored = intent.clone();
                self.store.call(move |store| store.set_intent(&stored)).await?;
                match class {
                    ErrorClass::NotAllowed => Err(Stop::Run(RunError::refused(format!(
                        "{} does not allow this: {message}",
                        self.program.sides[side].name
                    )))),
                    ErrorClass::Gone if effect != Effect::Create => {
                        if let Some(target) = target {
                            self.forget(side, &resource, &target).await?;
                        }
                        Ok(Sent::Gone)
                    }
                    ErrorClass::ChangedMeanwhile => {
                        self.read_anew(side, &resource, &write, &current).await?;
                        Err(Stop::Change(Became::Waiting(message)))
                    }
                    ErrorClass::Wait => Err(Stop::Change(Became::Waiting(message))),
                    _ => Err(Stop::Change(Became::SetAside {
                        code: "ME0931".into(),
                        reason: format!("{} refused it: {message}", self.program.sides[side].name),
                        refused: true,
                    })),
                }
            }
        }
    }

    /// An action whose own answer says that it did not happen is refused, whatever the status is.
    fn unless_failed(&self, side: Side, action: Option<&Action>, reply: Reply) -> WriteOutcome {
        let failed = action.and_then(|action| Some((action, action.failed.as_ref()?)));
        let words = failed.and_then(|(action, failed)| Some((action, failed.words(reply.body.as_ref())?)));
        let Some((action, words)) = words else { return WriteOutcome::Done(reply) };
        let (system, status) = (&self.program.sides[side].name, reply.status);
        let message = format!(
            "{system} answered {status} when asked to {} it, and that it failed: {words}",
            action.name
        );
        WriteOutcome::NotDone {
            class: ErrorClass::Refused,
            message: self.clients[side].clean(&message),
            status: Some(status),
        }
    }

    async fn in_doubt(&self, mut intent: Intent, message: String) -> Result<Sent, Stop> {
        intent.outcome = message.clone();
        let (id, wait) = (intent.id, (intent.settle_until - self.clock.now_ms()).max(0) / 1000);
        let settled = match request::key(&intent.request) {
            Some(_) => "sent again with the same key",
            None => "looked up",
        };
        self.store.call(move |store| store.set_intent(&intent)).await?;
        Err(Stop::Change(Became::InDoubt(format!(
            "write {id} has no usable answer ({message}); it is {settled} in {wait} s, at the next run after that"
        ))))
    }

    /// Reads a record that is not as we knew it, so that the next decision is about what is there now. Where that fails, the
    /// next reading of its list has it.
    async fn read_anew(
        &self,
        side: Side,
        resource: &std::sync::Arc<Resource>,
        write: &wire::Write,
        current: &Value,
    ) -> Result<(), RunError> {
        if write.effect == wire::WriteEffect::Create || resource.get.is_none() {
            return Ok(());
        }
        let looks = wire::Write { effect: wire::WriteEffect::Update, ..wire::Write::nothing(&resource.name) };
        if let Ok(Some(row)) = self.after_write(side, resource, &looks, current, None).await {
            let name = resource.name.clone();
            self.store.call(move |store| store.put_records(side, &name, &[row], 0).map(|_| ())).await?;
        }
        Ok(())
    }

    /// The record as the system has it after a write: the answer, or one read. `None` after a delete.
    pub(super) async fn after_write(
        &self,
        side: Side,
        resource: &std::sync::Arc<Resource>,
        write: &wire::Write,
        current: &Value,
        reply: Option<&crate::http::Reply>,
    ) -> Result<Option<RecordRow>, String> {
        if write.effect == wire::WriteEffect::Delete {
            return Ok(None);
        }
        let fields = super::read::wanted(&self.program, side, &resource.name);
        let part_of = self.part_of(side, &resource.name);
        let system = &self.program.sides[side].system;
        let created_key = match write.effect {
            wire::WriteEffect::Create => reply.and_then(|reply| {
                wire::new_id(resource, reply.status, &reply.headers, reply.body.as_ref(), current)
            }),
            _ => None,
        };
        if let Some(reply) = reply
            && let Some(found) = wire::record_in_reply(resource, write.effect, reply.body.as_ref())
            && let Ok(Some(data)) = self.decoded(side, resource, &fields, &found)
            && let Some(row) =
                row_of(resource, with_parent(data, part_of.as_ref(), current), part_of.as_ref())
        {
            return Ok(Some(row));
        }
        if resource.is_write_only() && write.effect == wire::WriteEffect::Create {
            // without a key in the answer the pair has one of its own: nobody asks for it
            let id = created_key.unwrap_or_else(|| uuid::Uuid::new_v4().to_string());
            let hash = super::read::hash_of(current);
            return Ok(Some(crate::store::RecordRow { id, parent: None, hash, data: current.clone() }));
        }
        let mut key_record = current.clone();
        if write.effect == wire::WriteEffect::Create {
            let Some(key) = created_key else {
                return Err("the answer does not say which record was made".into());
            };
            if let [field] = &resource.key[..] {
                field.set(&mut key_record, Value::text(key));
            }
        }
        if resource.get.is_none() {
            // nothing to read back by: the record is taken as it was sent
            return row_of(resource, with_parent(key_record, part_of.as_ref(), current), part_of.as_ref())
                .map(Some)
                .ok_or_else(|| "the record has no key".into());
        }
        let outgoing = wire::get(system, resource, &key_record).map_err(|problem| problem.to_string())?;
        let reply = self.clients[side]
            .read(&outgoing)
            .await
            .map_err(|error| format!("it cannot be read back: {error}"))?;
        let found = reply
            .body
            .as_ref()
            .and_then(|body| wire::record_in_get(resource, body))
            .ok_or("it cannot be read back")?;
        let data = match self.item(side, resource, &fields, &found)? {
            Item::Record(data) => data,
            Item::Other => return Err("what was read back is of another kind".into()),
            Item::Removed(_) => return Err("what was read back was removed meanwhile".into()),
        };
        row_of(resource, with_parent(data, part_of.as_ref(), current), part_of.as_ref())
            .map(Some)
            .ok_or_else(|| "what was read back has no key".into())
    }
}

pub(super) fn link_of(
    register: &Register,
    made_on: Side,
    made: RecordRef,
    source: RecordRef,
    now: i64,
    how: &str,
) -> Link {
    let (left, right) = match made_on {
        Side::Left => (made, source),
        Side::Right => (source, made),
    };
    Link { register: register.name.clone(), left, right, base: Value::Null, since: now, how: how.to_owned() }
}

fn with_parent(mut data: Value, part_of: Option<&super::read::PartOf>, current: &Value) -> Value {
    if let Some(part_of) = part_of
        && part_of.by.get(&data).is_none_or(Value::is_empty)
        && let Some(parent) = part_of.by.get(current)
    {
        part_of.by.set(&mut data, parent.clone());
    }
    data
}

/// How a create is found again: by the record as it was sent.
fn lookup_of(resource: &Resource, write: &wire::Write, current: &Value) -> Value {
    let mut map = Map::new();
    map.insert("resource".into(), Value::text(resource.name.clone()));
    let record = match write.effect {
        wire::WriteEffect::Create => write.record(current),
        _ => current.clone(),
    };
    map.insert("record".into(), record);
    Value::Map(map)
}
