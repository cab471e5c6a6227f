//! What the links and the plan say about a reference of one record to another.

use super::keys::key_slot;
use crate::plan::decide;
use crate::plan::translate::normal;
use crate::plan::{Action, Change, RefTarget, View};
use crate::program::mapping::{Compare, Program, Register};
use crate::store::{RecordRef, Result, Store};
use crate::value::{Both, Path, Side, Value};

/// The view of the links and the plan.
pub(super) struct StoreView<'a> {
    pub store: &'a dyn Store,
    pub register_of: &'a Program,
}

impl View for StoreView<'_> {
    fn reference(&self, register: &str, from: Side, value: &Value, fields: &Both<Option<Path>>) -> RefTarget {
        let text = value.scalar_text().unwrap_or_default();
        let Some(compiled) = self.register_of.register(register) else {
            return RefTarget::Missing(text);
        };
        let Ok(Some(at)) = self.find(compiled, from, &text, fields[from].as_ref()) else {
            return RefTarget::Missing(text);
        };
        if let Ok(Some(link)) = self.store.link(register, from, &at) {
            let there = link.on(from.other());
            return match self.value_of(compiled, from.other(), there, fields) {
                Some(value) => RefTarget::Linked(value),
                None => RefTarget::Missing(text),
            };
        }
        match self.store.change_of(register, from, &at) {
            Ok(Some(row)) => {
                let Ok(change) = serde_json::from_str::<Change>(&row.change) else {
                    return RefTarget::Missing(text);
                };
                match (&change.action, change.on(from.other())) {
                    (Action::Create { .. }, _) => RefTarget::Planned(at, change.label),
                    (Action::Link | Action::Update, Some(there)) => {
                        match self.value_of(compiled, from.other(), there, fields) {
                            Some(value) => RefTarget::Linked(value),
                            None => RefTarget::Missing(change.label),
                        }
                    }
                    (Action::SetAside { .. } | Action::Wait { .. }, _) => {
                        RefTarget::Held(format!("'{}' (it is set aside or waits)", change.label))
                    }
                    _ => RefTarget::Missing(format!("'{}'", change.label)),
                }
            }
            _ => RefTarget::Missing(text),
        }
    }
}

impl StoreView<'_> {
    /// The record that a reference means: by its id, else by its key; where the reference is another field, by what the register
    /// matches by, and then a key that looks the same is no answer.
    pub(super) fn find(
        &self,
        register: &Register,
        side: Side,
        text: &str,
        field: Option<&Path>,
    ) -> Result<Option<RecordRef>> {
        let members = &register.ends[side].members;
        let is_key = field.is_none_or(|field| {
            members.iter().any(|member| {
                member.resource.key.contains(field) || member.resource.identity.as_ref() == Some(field)
            })
        });
        if is_key {
            for member in members {
                if self.store.record(side, &member.resource.name, text)?.is_some() {
                    let resource = member.resource.name.clone();
                    return Ok(Some(RecordRef { resource, id: text.to_owned() }));
                }
            }
            let slot = key_slot(register);
            return Ok(self.store.by_key(&register.name, side, slot, text, 1)?.into_iter().next());
        }
        let matched = |entry: &&Vec<usize>| match &entry[..] {
            [row] => matches!(register.rows[*row].paths(side), [path] if Some(path) == field),
            _ => false,
        };
        let found = register.matching.iter().enumerate().find(|(_, entry)| matched(entry));
        let Some((slot, entry)) = found else { return Ok(None) };
        let mut record = Value::Map(crate::value::Map::new());
        register.rows[entry[0]].paths(side)[0].set(&mut record, Value::text(text));
        let Some(key) = decide::match_key(register, entry, side, &record, self) else { return Ok(None) };
        let mut hits = self.store.by_key(&register.name, side, slot, &key, 2)?.into_iter();
        // two of them are no answer
        Ok(hits.next().filter(|_| hits.next().is_none()))
    }

    fn value_of(
        &self,
        register: &Register,
        side: Side,
        at: &RecordRef,
        fields: &Both<Option<Path>>,
    ) -> Option<Value> {
        let stored = self.store.record(side, &at.resource, &at.id).ok()??;
        let field = match &fields[side] {
            Some(field) => field.clone(),
            None => register.member(side, &at.resource)?.resource.key.first()?.clone(),
        };
        field.get(&stored.row.data).cloned().filter(|value| !normal(Compare::Exact, value).is_empty())
    }
}
