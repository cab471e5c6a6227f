//! Recovery: what was sent and has no outcome. Never repeated blindly (reliability 4.2, 4.3).
//!
//! A write that is open is left alone until its settle time is over; then the engine looks. A create that is
//! found once is adopted, one that is not found did not happen and is decided anew, more than one is held
//! for a person. Where the system takes a key, the create is repeated with it instead ([`super::repeat`]). An update is settled by reading the record: what it holds now is the truth.

mod look;

use std::sync::Arc;

use super::decider::Decider;
use super::read::{row_of, wanted};
use super::removed::Item;
use super::report::Entry;
use super::{Engine, RunError, request};
use crate::program::mapping::Register;
use crate::program::system::{ErrorClass, Resource};
use crate::store::{Effect, EventRow, Intent, IntentState, Link, RecordRef, RecordRow};
use crate::value::{Map, Side, Value};
use crate::wire;
use look::Hits;

/// What a person is asked about a write that nobody else can settle.
fn asked(intent: &Intent) -> String {
    format!(
        "{}. Look there, and say `mapengine resolve --write {id} --adopt ID` where it is there, `--write {id} --resend` where it is not",
        intent.outcome,
        id = intent.id
    )
}

impl Engine {
    /// Settles every open write whose time has come. Answers how many are still open.
    ///
    /// # Errors
    /// Only where the state fails: a system that cannot be asked leaves the write open.
    pub(super) async fn recover(&self, decider: &Decider) -> Result<u64, RunError> {
        let open = self.store.read(|store| store.open_intents()).await?;
        let mut left = 0;
        for intent in open {
            if intent.state == IntentState::InDoubt {
                self.report_doubt(&intent, &asked(&intent));
                left += 1;
                continue;
            }
            if intent.settle_until > self.clock.now_ms() {
                let seconds = (intent.settle_until - self.clock.now_ms()) / 1000;
                let resource = self.program.sides[intent.side].system.resources.get(&intent.resource);
                let next = match resource.and_then(|resource| self.repeatable(&intent, resource)) {
                    Some(_) => "sent again with the same key",
                    None => "looked up",
                };
                self.report_doubt(&intent, &format!("no answer came; it is {next} in {seconds} s"));
                left += 1;
                continue;
            }
            left += u64::from(!self.settle(decider, intent).await?);
        }
        Ok(left)
    }

    pub(super) fn report_doubt(&self, intent: &Intent, reason: &str) {
        let record = intent
            .target
            .clone()
            .or_else(|| intent.source.as_ref().map(|source| source.id.clone()))
            .unwrap_or_default();
        self.report.borrow_mut().in_doubt.push(Entry {
            register: intent.register.clone(),
            record,
            code: "ME0940".into(),
            reason: format!("write {} ({} {}): {reason}", intent.id, verb(intent.effect), intent.resource),
        });
    }

    /// Settles one write. Answers whether it is settled.
    async fn settle(&self, decider: &Decider, intent: Intent) -> Result<bool, RunError> {
        let side = intent.side;
        let Some(resource) = self.program.sides[side].system.resources.get(&intent.resource).cloned() else {
            self.report_doubt(&intent, "its resource is not in the system file any more");
            return Ok(false);
        };
        match intent.effect {
            _ if intent.then.get("once").is_some() => self.settle_file(intent, &resource).await,
            Effect::Create => self.settle_create(decider, intent, &resource).await,
            Effect::Update | Effect::Delete => self.settle_update(decider, intent, &resource).await,
        }
    }

    async fn settle_create(
        &self,
        decider: &Decider,
        intent: Intent,
        resource: &Arc<Resource>,
    ) -> Result<bool, RunError> {
        let side = intent.side;
        let Some(register) = self.program.register(&intent.register).cloned() else {
            self.report_doubt(&intent, "its register is not in the mapping any more");
            return Ok(false);
        };
        if let Some(outgoing) = self.repeatable(&intent, resource) {
            if self.may_send().is_err() {
                self.report_doubt(&intent, "it is sent again with the same key when writes are");
                return Ok(false);
            }
            return self.settle_by_key(decider, &register, intent, resource, &outgoing).await;
        }
        let record = intent.lookup.get("record").cloned().unwrap_or_default();
        let is_part = register.member(side, &resource.name).is_none();
        let looked = if let Some(by) = super::statuses::found_by(&intent) {
            let name = by.get(&record);
            let found =
                self.search(side, resource, &[], |data| super::statuses::same_name(by.get(data), name));
            found.await.map(Hits::of)
        } else if is_part {
            self.look_for_part(side, resource, &record).await
        } else {
            self.look_for(&register, side, resource, &record).await
        };
        let looked = match looked {
            Ok(looked) => looked,
            Err(reason) => {
                self.report_doubt(&intent, &format!("it cannot be looked up now: {reason}"));
                return Ok(false);
            }
        };
        match looked {
            Hits::Found(row) => {
                self.found(decider, &register, intent, resource, row, "adopted: it was there").await?;
                Ok(true)
            }
            Hits::NotThere => {
                let outcome = "it did not take effect: it is not there after the settle time";
                self.not_there(intent, outcome).await?;
                Ok(true)
            }
            Hits::Many(ids) => {
                self.leave_to_a_person(intent, format!("many records could be it: {}", ids.join(", "))).await
            }
            Hits::Unseen => {
                self.leave_to_a_person(intent, "nothing tells it from the others there".into()).await
            }
        }
    }

    /// Nobody but a person can settle a write.
    async fn leave_to_a_person(&self, mut intent: Intent, outcome: String) -> Result<bool, RunError> {
        intent.state = IntentState::InDoubt;
        intent.outcome = outcome;
        self.report_doubt(&intent, &asked(&intent));
        self.store.call(move |store| store.set_intent(&intent)).await?;
        Ok(false)
    }

    /// A create took effect: its record is linked, as if its answer had come.
    pub(super) async fn found(
        &self,
        decider: &Decider,
        register: &Register,
        mut intent: Intent,
        resource: &Arc<Resource>,
        row: Box<RecordRow>,
        how: &str,
    ) -> Result<(), RunError> {
        let side = intent.side;
        let is_part = register.member(side, &resource.name).is_none();
        intent.state = IntentState::Done;
        intent.outcome = how.to_owned();
        intent.target = Some(row.id.clone());
        request::forget_content(&mut intent.then);
        let made = RecordRef { resource: resource.name.clone(), id: row.id.clone() };
        let link = intent.source.clone().filter(|_| !is_part).map(|source| {
            let (left, right) = match side {
                Side::Left => (made.clone(), source),
                Side::Right => (source, made.clone()),
            };
            Link {
                register: register.name.clone(),
                left,
                right,
                base: intent.then.get("base").cloned().unwrap_or_default(),
                since: self.clock.now_ms(),
                how: "adopted".into(),
            }
        });
        self.adopt(decider, register, intent, resource, *row, link).await
    }

    /// Known now that it did not happen: the record is decided anew, and sent again if that says so.
    pub(super) async fn not_there(&self, mut intent: Intent, outcome: &str) -> Result<(), RunError> {
        intent.state = IntentState::Failed;
        intent.outcome = match intent.then.get("refused").and_then(Value::as_text) {
            Some(message) => format!("refused: {message}"),
            None => outcome.to_owned(),
        };
        request::forget_content(&mut intent.then);
        let (side, source) = (intent.side, intent.source.clone());
        self.store
            .call(move |store| {
                if let Some(source) = &source {
                    store.mark_dirty(side.other(), &source.resource, Some(&source.id))?;
                }
                store.set_intent(&intent)
            })
            .await?;
        Ok(())
    }

    async fn adopt(
        &self,
        decider: &Decider,
        register: &Register,
        intent: Intent,
        resource: &Arc<Resource>,
        row: RecordRow,
        link: Option<Link>,
    ) -> Result<(), RunError> {
        let decider = decider.clone();
        let register_name = register.name.clone();
        let name = resource.name.clone();
        let side = intent.side;
        let event = EventRow {
            run: self.run_id.clone(),
            at: self.clock.now_ms(),
            register: register_name.clone(),
            left: link.as_ref().map(|link| link.left.id.clone()),
            right: link.as_ref().map(|link| link.right.id.clone()),
            what: "adopted".into(),
            detail: Value::Map(Map::from([("write".to_owned(), Value::from(intent.id))])),
        };
        self.store
            .call(move |store| {
                store.put_clean(side, &name, &row)?;
                super::pointers::keep(store, &intent, &row.id)?;
                if let Some(register) = decider.program.register(&register_name).cloned() {
                    let made = RecordRef { resource: name.clone(), id: row.id.clone() };
                    decider.index(store, &register, side, &made)?;
                }
                if let Some(mut link) = link {
                    let source = link.on(side.other()).clone();
                    if store.link(&register_name, side.other(), &source)?.is_none() {
                        if link.base == Value::Null
                            && let Some(register) = decider.program.register(&register_name).cloned()
                        {
                            let keep = not_carried(&decider, store, &register, &link, side)?;
                            link.base = decider.base(store, &register, &link, &keep)?.unwrap_or_default();
                        }
                        store.put_link(&link)?;
                        store.add_event(&event)?;
                    }
                    // it is compared once more: the source may have changed meanwhile
                    store.mark_dirty(side.other(), &source.resource, Some(&source.id))?;
                }
                store.set_intent(&intent)
            })
            .await?;
        Ok(())
    }

    /// The record of an open write is not there any more.
    async fn is_gone(&self, resource: &Arc<Resource>, mut intent: Intent) -> Result<bool, RunError> {
        if let Some(target) = intent.target.clone() {
            self.forget(intent.side, resource, &target).await?;
        }
        let deleted = intent.effect == Effect::Delete;
        if deleted {
            self.forget_link(&intent).await?;
        }
        intent.state = if deleted { IntentState::Done } else { IntentState::Failed };
        intent.outcome = "it is gone".into();
        self.store.call(move |store| store.set_intent(&intent)).await?;
        Ok(true)
    }

    /// An update is settled by what the record holds now.
    async fn settle_update(
        &self,
        decider: &Decider,
        mut intent: Intent,
        resource: &Arc<Resource>,
    ) -> Result<bool, RunError> {
        let side = intent.side;
        let record = intent.lookup.get("record").cloned().unwrap_or_default();
        let part_of = self.part_of(side, &resource.name);
        if resource.get.is_none() {
            intent.state = IntentState::Failed;
            intent.outcome = "decided anew".into();
            self.store.call(move |store| store.set_intent(&intent)).await?;
            return Ok(true);
        }
        let Ok(outgoing) = wire::get(&self.program.sides[side].system, resource, &record) else {
            return Ok(false);
        };
        let fields = wanted(&self.program, side, &resource.name);
        let row = match self.clients[side].read(&outgoing).await {
            Ok(reply) => {
                let found = reply.body.as_ref().and_then(|body| wire::record_in_get(resource, body));
                match found.map(|found| self.item(side, resource, &fields, &found)) {
                    Some(Ok(Item::Removed(_))) => return self.is_gone(resource, intent).await,
                    Some(Ok(Item::Record(data))) => row_of(resource, data, part_of.as_ref()),
                    _ => None,
                }
            }
            Err(error) if error.class == ErrorClass::Gone => return self.is_gone(resource, intent).await,
            Err(error) => {
                self.report_doubt(&intent, &format!("it cannot be read now: {error}"));
                return Ok(false);
            }
        };
        let Some(row) = row else {
            self.report_doubt(&intent, "what was read cannot be understood");
            return Ok(false);
        };
        let attached = match intent.then.get("file") {
            None => None,
            Some(_) => match self.is_attached(&intent, resource, &row.data).await {
                Ok(Some(there)) => Some(there),
                Ok(None) => {
                    intent.state = IntentState::InDoubt;
                    intent.outcome = "whether the file is there cannot be seen".into();
                    self.report_doubt(&intent, super::files::NOT_SEEN);
                    self.store.call(move |store| store.set_intent(&intent)).await?;
                    return Ok(false);
                }
                Err(error) => {
                    self.report_doubt(&intent, &format!("its files cannot be listed now: {error}"));
                    return Ok(false);
                }
            },
        };
        let action = intent.then.get("action").and_then(Value::as_text);
        let took_effect = match action.map(|name| resource.actions.get(name)) {
            None => match attached {
                Some(there) => there,
                None => intent.effect == Effect::Update && differs(&row.data, &record),
            },
            Some(action) => match action.map(|action| action.done.holds(&row.data)) {
                Some(Ok(done)) => done,
                Some(Err(_)) | None => {
                    self.report_doubt(&intent, "whether it is done cannot be told from the record");
                    return Ok(false);
                }
            },
        };
        intent.state = if took_effect { IntentState::Done } else { IntentState::Failed };
        intent.outcome = if took_effect { "it took effect" } else { "it did not take effect" }.into();
        let name = resource.name.clone();
        let register_name = intent.register.clone();
        let rows: Vec<String> = intent
            .then
            .get("rows")
            .and_then(Value::as_list)
            .unwrap_or_default()
            .iter()
            .filter_map(|row| row.as_text().map(str::to_owned))
            .collect();
        let decider = decider.clone();
        let source = intent.source.clone();
        let parent = row.parent.clone();
        let parent_resource = part_of.map(|part| part.parent);
        self.store
            .call(move |store| {
                let row = RecordRow { parent: parent.clone(), ..row };
                store.put_records(side, &name, std::slice::from_ref(&row), 0)?;
                // whatever it was, the pair is compared again
                let at = match (&parent_resource, &parent) {
                    (Some(resource), Some(key)) => decider.parent(store, side, resource, key)?,
                    _ => vec![RecordRef { resource: name.clone(), id: row.id.clone() }],
                };
                for at in &at {
                    store.mark_dirty(side, &at.resource, Some(&at.id))?;
                }
                if let Some(source) = &source {
                    store.mark_dirty(side.other(), &source.resource, Some(&source.id))?;
                }
                if took_effect
                    && let Some(register) = decider.program.register(&register_name).cloned()
                    && let [at] = &at[..]
                    && let Some(mut link) = store.link(&register_name, side, at)?
                {
                    // the rows that were written have our value on this side now: that is their base, so that
                    // what the system made of it is no change
                    link.base = rebased(&decider, store, &register, &link, side, &rows)?;
                    store.put_link(&link)?;
                    super::files::keep_attached(store, &intent)?;
                }
                store.set_intent(&intent)
            })
            .await?;
        Ok(true)
    }
}

/// The rows of a record that was made and then found again which are still to be carried: its children may not have
/// been made, and what it was given may not have gone back. They get no base, or they would count as agreed.
fn not_carried(
    decider: &Decider,
    store: &dyn crate::store::Store,
    register: &Register,
    link: &Link,
    made: Side,
) -> crate::store::Result<Vec<String>> {
    let source = decider.record(store, made.other(), link.on(made.other()))?;
    let unsent = |row: &crate::program::mapping::Row| {
        source.as_ref().is_none_or(|source| {
            crate::plan::translate::values_at(row, made.other(), &source.data).iter().all(Value::is_empty)
        })
    };
    let mut rows: Vec<String> =
        super::apply::given_by(register, made, unsent).map(|row| row.id.clone()).collect();
    let (Some(source), Some(record)) = (&source, decider.record(store, made, link.on(made))?) else {
        return Ok(rows);
    };
    for row in register.rows.iter().filter(|row| row.is_two_sided() && row.writes[made]) {
        let empty = |side: Side, data: &Value| {
            crate::plan::translate::values_at(row, side, data).iter().all(Value::is_empty)
        };
        if !empty(made.other(), &source.data) && empty(made, &record.data) {
            rows.push(row.id.clone());
        }
    }
    Ok(rows)
}

/// The base after a write of `side` is known to have taken effect: the rows it carried have this side's present
/// value, which is no change. A row that had no base keeps none: it is compared as at a first meeting.
fn rebased(
    decider: &Decider,
    store: &dyn crate::store::Store,
    register: &Register,
    link: &Link,
    side: Side,
    rows: &[String],
) -> crate::store::Result<Value> {
    let Some(now) = decider.base(store, register, link, &[])? else { return Ok(link.base.clone()) };
    let mut base = match &link.base {
        Value::Map(map) => map.clone(),
        _ => Map::new(),
    };
    for row in rows {
        let (Some(Value::List(now)), Some(Value::List(mut pair))) = (now.get(row), base.get(row).cloned())
        else {
            continue;
        };
        if pair.len() != 2 {
            continue;
        }
        pair[side.index()] = now.get(side.index()).cloned().unwrap_or_default();
        base.insert(row.clone(), Value::List(pair));
    }
    Ok(Value::Map(base))
}

/// Whether a record, as it was read, has another value than before. What was known before may hold its children, too.
fn differs(data: &Value, before: &Value) -> bool {
    let nothing = Value::Null;
    data.as_map().is_some_and(|map| {
        map.iter().any(|(name, value)| {
            let before = before.get(name).unwrap_or(&nothing);
            value.canonical() != before.canonical() && !(value.is_empty() && before.is_empty())
        })
    })
}

/// Whether a record holds every value of another.
fn holds_all(data: &Value, wanted: &Value) -> bool {
    match wanted {
        Value::Map(map) => map.iter().all(|(key, value)| match data.get(key) {
            Some(found) => holds_all(found, value),
            None => value.is_empty(),
        }),
        other => other.is_empty() || data.canonical() == other.canonical(),
    }
}

fn verb(effect: Effect) -> &'static str {
    match effect {
        Effect::Create => "create",
        Effect::Update => "update",
        Effect::Delete => "delete",
    }
}
