//! Creates that the other system knows again: an unknown outcome is settled by sending the very same request once more.
//!
//! The request and its key come from the journal, so a restart changes nothing: either the first one made the record and the
//! repeat tells which it is, or the repeat makes it. There is never a second one.

use std::sync::Arc;

use super::decider::Decider;
use super::read::{row_of, wanted};
use super::{Engine, RunError, request};
use crate::http::{Outgoing, WriteOutcome};
use crate::program::mapping::Register;
use crate::program::system::{ErrorClass, IdempotencyKey, Resource};
use crate::store::{Intent, RecordRow};
use crate::value::{Map, Value};
use crate::wire;

/// What repeating came to.
enum Repeated {
    /// The record is there; the first request or this one made it.
    There(Box<RecordRow>),
    /// It is known that there is none: the system refused it.
    Refused(String),
    /// Not known yet.
    Open(String),
}

impl Engine {
    /// The request of a create, where it may be sent again: the system takes a key, and still knows it.
    pub(super) fn repeatable(&self, intent: &Intent, resource: &Resource) -> Option<Outgoing> {
        let key = resource.create.as_ref()?.idempotency_key.as_ref()?;
        if let Some(kept) = key.kept {
            // the repeat itself takes its time, too
            let kept = kept.saturating_sub(self.program.sides[intent.side].system.timeout);
            let until = intent.sent_at.saturating_add(i64::try_from(kept.as_millis()).unwrap_or(i64::MAX));
            if self.clock.now_ms() >= until {
                return None;
            }
        }
        request::keyed(&intent.request, &intent.then, &resource.name)
    }

    /// Settles a create by repeating it. Answers whether it is settled.
    pub(super) async fn settle_by_key(
        &self,
        decider: &Decider,
        register: &Register,
        mut intent: Intent,
        resource: &Arc<Resource>,
        outgoing: &Outgoing,
    ) -> Result<bool, RunError> {
        intent.attempt += 1;
        let noted = intent.clone();
        self.store.call(move |store| store.set_intent(&noted)).await?;
        self.report.borrow_mut().writes += 1;
        match self.repeat(&intent, resource, outgoing).await? {
            Repeated::There(row) => {
                let how = "adopted: it was repeated with the same key";
                self.found(decider, register, intent, resource, row, how).await?;
                Ok(true)
            }
            Repeated::Refused(message) => {
                self.not_there(intent, &format!("refused: {message}")).await?;
                Ok(true)
            }
            Repeated::Open(message) => {
                let settle = self.clients[intent.side].settle_after().as_millis();
                let settle = i64::try_from(settle).unwrap_or(i64::MAX);
                intent.settle_until = self.clock.now_ms().saturating_add(settle);
                intent.outcome.clone_from(&message);
                self.report_doubt(&intent, &format!("it was sent again with the same key: {message}"));
                self.store.call(move |store| store.set_intent(&intent)).await?;
                Ok(false)
            }
        }
    }

    async fn repeat(
        &self,
        intent: &Intent,
        resource: &Arc<Resource>,
        outgoing: &Outgoing,
    ) -> Result<Repeated, RunError> {
        let side = intent.side;
        let declared = resource.create.as_ref().and_then(|call| call.idempotency_key.as_ref());
        let exists = declared.is_some_and(|key: &IdempotencyKey| key.exists);
        let record = intent.lookup.get("record").cloned().unwrap_or_default();
        let (class, message) = match self.clients[side].write(outgoing).await {
            WriteOutcome::Done(reply) => {
                let write =
                    wire::Write { effect: wire::WriteEffect::Create, ..wire::Write::nothing(&resource.name) };
                return Ok(match self.after_write(side, resource, &write, &record, Some(&reply)).await {
                    Ok(Some(row)) => Repeated::There(Box::new(row)),
                    Ok(None) => Repeated::Open("its answer does not say which record was made".into()),
                    Err(reason) => Repeated::Open(reason),
                });
            }
            WriteOutcome::Unknown { message, .. } => return Ok(Repeated::Open(message)),
            WriteOutcome::NotDone { class, message, .. } => (class, message),
        };
        match class {
            ErrorClass::NotAllowed => Err(RunError::refused(format!(
                "{} does not allow this: {message}",
                self.program.sides[side].name
            ))),
            ErrorClass::Wait | ErrorClass::Unknown => Ok(Repeated::Open(message)),
            // whatever it says of the repeat: the record can be asked for by its key
            _ if exists => self.by_own_key(intent, resource, class, message).await,
            // the first one is still being worked on
            ErrorClass::AlreadyExists | ErrorClass::ChangedMeanwhile => Ok(Repeated::Open(message)),
            _ => Ok(Repeated::Refused(message)),
        }
    }

    /// The record whose own key is the key of its create.
    async fn by_own_key(
        &self,
        intent: &Intent,
        resource: &Arc<Resource>,
        class: ErrorClass,
        message: String,
    ) -> Result<Repeated, RunError> {
        let side = intent.side;
        let mut record = Value::Map(Map::new());
        if let ([field], Some(key)) = (&resource.key[..], request::key(&intent.request)) {
            field.set(&mut record, Value::text(key));
        }
        let Ok(outgoing) = wire::get(&self.program.sides[side].system, resource, &record) else {
            return Ok(Repeated::Open("the record cannot be read by its key".into()));
        };
        let reply = match self.clients[side].read(&outgoing).await {
            Ok(reply) => reply,
            Err(error) if error.class == ErrorClass::Gone => {
                return Ok(match class {
                    ErrorClass::AlreadyExists => Repeated::Open(format!("{message}; and it is not there")),
                    _ => Repeated::Refused(message),
                });
            }
            Err(error) if error.class == ErrorClass::NotAllowed => return Err(error.into()),
            Err(error) => return Ok(Repeated::Open(error.to_string())),
        };
        let fields = wanted(&self.program, side, &resource.name);
        let found = reply.body.as_ref().and_then(|body| wire::record_in_get(resource, body));
        let data = found.and_then(|found| self.decoded(side, resource, &fields, &found).ok().flatten());
        let row = data.and_then(|data| row_of(resource, data, self.part_of(side, &resource.name).as_ref()));
        Ok(match row {
            Some(row) => Repeated::There(Box::new(row)),
            None => Repeated::Open("what was read by its key cannot be understood".into()),
        })
    }
}
