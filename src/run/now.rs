//! Records of a document as their systems have them at this moment.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::Engine;
use super::apply::{Became, Stop};
use super::decider::Decider;
use super::documents::Unread;
use super::items::items;
use super::read::{hash_of, row_of, wanted};
use super::removed::Item;
use crate::plan::Record;
use crate::plan::document::{self, Progress};
use crate::program::document::Document;
use crate::program::system::ErrorClass;
use crate::store::{Link, RecordRef, RecordRow};
use crate::value::{Map, Side, Value};
use crate::wire;

impl Engine {
    /// Both records of a pair as they are now, the source with the rows below it. A source that changed since the document was
    /// made is held.
    pub(super) async fn both_now(
        &self,
        decider: &Decider,
        document: &Arc<Document>,
        link: &Link,
        progress: &Progress,
    ) -> Result<(Record, Record), Stop> {
        let mut records = Vec::with_capacity(2);
        for side in Side::BOTH {
            match self.one_now(decider, document, side, link.on(side)).await? {
                Some(record) => records.push(record),
                None => {
                    return Err(self.gone(document, side, link.on(document.source)));
                }
            }
        }
        let (Some(right), Some(left)) = (records.pop(), records.pop()) else {
            return Err(Stop::Change(Became::Nothing));
        };
        let source = if document.source == Side::Left { &left } else { &right };
        let now = self.hashes_of_content(document, &source.data);
        let changed = progress.changed(&now);
        if !changed.is_empty() {
            return Err(Stop::Change(Became::SetAside {
                code: "ME0954".into(),
                reason: format!(
                    "it was changed in {} after it had been made in {} ({}): undo the change, or correct both by hand and say `mapengine resolve`",
                    self.program.sides[document.source].name,
                    self.program.sides[document.target()].name,
                    changed.join(", ")
                ),
                refused: false,
            }));
        }
        Ok((left, right))
    }

    /// What a document is made from: a hash of each field.
    pub(super) fn hashes_of_content(&self, document: &Document, source: &Value) -> BTreeMap<String, String> {
        let name = &self.program.sides[document.source].name;
        match document::content_of(document, name, source, true) {
            Value::Map(fields) => fields.iter().map(|(name, value)| (name.clone(), hash_of(value))).collect(),
            _ => BTreeMap::new(),
        }
    }

    /// A hash of all of it without what is only compared with what the other side made.
    pub(super) fn hash_of_sent(&self, document: &Document, source: &Value) -> String {
        hash_of(&document::content_of(document, &self.program.sides[document.source].name, source, false))
    }

    /// One of the records of a document as it is now; none where it is gone.
    pub(super) async fn one_now(
        &self,
        decider: &Decider,
        document: &Document,
        side: Side,
        at: &RecordRef,
    ) -> Result<Option<Record>, Stop> {
        if side == document.source && document.read_from(&at.resource).is_some() {
            return self.item_now(decider, document, at).await;
        }
        let Some(row) = self.read_one(side, at).await? else { return Ok(None) };
        if side != document.source {
            return Ok(Some(Record {
                at: at.clone(),
                hash: row.hash,
                data: row.data,
                changed_at: None,
                exists: Value::Null,
            }));
        }
        let waits =
            |reason: String| Stop::Change(Became::Waiting(format!("its rows cannot be read: {reason}")));
        let member = document.register.member(side, &at.resource);
        for (child, part) in member.into_iter().flat_map(|member| self.parts_of(side, &member.resource)) {
            let key = member.and_then(|member| member.resource.key_of(&row.data)).unwrap_or(at.id.clone());
            match self.read_children(side, &child, &at.resource, &part.by, &key).await {
                Ok(()) => {}
                Err(Unread::Run(error)) => return Err(Stop::Run(error)),
                Err(Unread::Document(reason)) => return Err(waits(reason)),
            }
        }
        let (decider, at) = (decider.clone(), at.clone());
        Ok(self.store.read(move |store| decider.record(store, side, &at)).await?)
    }

    /// An item of a list is read with the record that holds it.
    async fn item_now(
        &self,
        decider: &Decider,
        document: &Document,
        at: &RecordRef,
    ) -> Result<Option<Record>, Stop> {
        let side = document.source;
        let Some(each) = document.read_from(&at.resource).cloned() else { return Ok(None) };
        let (name, id) = (at.resource.clone(), at.id.clone());
        let stored = self.store.read(move |store| store.record(side, &name, &id)).await?;
        let header = stored.as_ref().and_then(|stored| stored.row.data.get("header"));
        let Some(id) = header.and_then(|header| each.of.id_of(header)) else { return Ok(None) };
        let holder = RecordRef { resource: each.of.name.clone(), id };
        let Some(row) = self.read_one(side, &holder).await? else { return Ok(None) };
        let found = items(&each, &row).into_iter().find(|row| row.id == at.id);
        self.put_items(side, &each.of, &[row], 0).await?;
        if found.is_none() {
            return Ok(None);
        }
        let (decider, at) = (decider.clone(), at.clone());
        Ok(self.store.read(move |store| decider.record(store, side, &at)).await?)
    }

    /// One record as the system has it now; none where it is gone. The mirror has it then, too.
    pub(super) async fn read_one(&self, side: Side, at: &RecordRef) -> Result<Option<RecordRow>, Stop> {
        let system = &self.program.sides[side].system;
        let Some(resource) = system.resources.get(&at.resource).cloned() else { return Ok(None) };
        let (name, id) = (at.resource.clone(), at.id.clone());
        let stored = self.store.read(move |store| store.record(side, &name, &id)).await?;
        let known = stored.map_or_else(
            || {
                let mut record = Value::Map(Map::new());
                if let [field] = resource.id_fields() {
                    field.set(&mut record, Value::text(at.id.clone()));
                }
                record
            },
            |stored| stored.row.data,
        );
        // what cannot be read now is no reason to stop the others: it is tried again with the next run
        let waits = |reason: String| Stop::Change(Became::Waiting(reason));
        let outgoing = wire::get(system, &resource, &known)
            .map_err(|problem| waits(format!("{} {} cannot be read: {problem}", resource.name, at.id)))?;
        let fields = wanted(&self.program, side, &resource.name);
        let reply = match self.clients[side].read(&outgoing).await {
            Ok(reply) => reply,
            Err(error) if error.class == ErrorClass::Gone => return Ok(None),
            Err(error) if error.class == ErrorClass::NotAllowed => return Err(Stop::Run(error.into())),
            Err(error) => return Err(waits(error.to_string())),
        };
        let found = reply.body.as_ref().and_then(|body| wire::record_in_get(&resource, body));
        let item = found.map(|found| self.item(side, &resource, &fields, &found)).transpose();
        let data = match item {
            Ok(Some(Item::Record(data))) => Some(data),
            Ok(Some(Item::Removed(_))) => return Ok(None),
            Ok(Some(Item::Other) | None) => None,
            Err(problem) => {
                return Err(waits(format!("{} {} cannot be read: {problem}", resource.name, at.id)));
            }
        };
        let Some(row) = data.and_then(|data| row_of(&resource, data, None)) else {
            return Err(waits(format!("{} {} cannot be read", resource.name, at.id)));
        };
        let (name, stored) = (resource.name.clone(), row.clone());
        self.store.call(move |store| store.put_records(side, &name, &[stored], 0).map(|_| ())).await?;
        Ok(Some(row))
    }
}
