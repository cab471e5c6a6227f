//! What a change came to, on disk: set aside rows, history.

use super::apply::Became;
use super::decider::Decider;
use super::{Engine, RunError};
use crate::plan::{Change, FieldChange, NewValue};
use crate::program::mapping::Register;
use crate::store::{EventRow, SetAside, Store};
use crate::value::{Map, Side, Value};

impl Engine {
    /// What a change came to, on disk: set aside rows, history.
    pub(super) async fn record_outcome(
        &self,
        decider: &Decider,
        register: &Register,
        change: &Change,
        became: &Became,
    ) -> Result<(), RunError> {
        let side = if change.left.is_some() { Side::Left } else { Side::Right };
        let Some(at) = change.on(side).cloned() else { return Ok(()) };
        let now = self.clock.now_ms();
        let what = match became {
            Became::Linked => "linked",
            // each step of a document is told when it is done
            Became::Created if register.is_document => "",
            Became::Created => "created",
            Became::Updated => "updated",
            Became::Deleted => "deleted",
            Became::SetAside { .. } => "set_aside",
            Became::InDoubt(_) => "in_doubt",
            Became::Waiting(_) | Became::Nothing => "",
        };
        let mut detail = Map::new();
        for side in Side::BOTH {
            detail.extend(told(&self.program.sides[side].name, &change.fields[side]));
        }
        for embed in change.embeds.iter().filter(|embed| !embed.found.is_empty()) {
            let names = embed.found.iter().map(|file| Value::text(file.name.clone()));
            detail.insert(format!("files in {}", embed.at), Value::List(names.collect()));
        }
        for note in &change.notes {
            detail.insert(note.kind.clone(), Value::text(note.text.clone()));
        }
        let set_aside = match became {
            Became::SetAside { code, reason, refused } => {
                detail.insert("reason".into(), Value::text(reason.clone()));
                Some((code.clone(), reason.clone(), *refused))
            }
            Became::InDoubt(reason) => {
                detail.insert("reason".into(), Value::text(reason.clone()));
                None
            }
            _ => None,
        };
        let mut event = EventRow {
            run: self.run_id.clone(),
            at: now,
            register: register.name.clone(),
            left: change.left.as_ref().map(|one| one.id.clone()),
            right: change.right.as_ref().map(|one| one.id.clone()),
            what: what.to_owned(),
            detail: Value::Map(detail),
        };
        let (name, label) = (register.name.clone(), change.label.clone());
        let clears = matches!(
            became,
            Became::Linked | Became::Created | Became::Updated | Became::Deleted | Became::Nothing
        );
        let change_left = change.left.clone();
        let change_right = change.right.clone();
        let decider = decider.clone();
        self.store
            .call(move |store: &mut dyn Store| {
                let before = store.set_aside_of(&name, side, &at)?;
                // what was made has its id by now
                if event.what == "created"
                    && let Some(link) = store.link(&name, side, &at)?
                {
                    event.left = Some(link.left.id);
                    event.right = Some(link.right.id);
                }
                match &set_aside {
                    Some((code, reason, refused)) => {
                        let same = before.as_ref().is_some_and(|row| row.reason == *reason);
                        let resting =
                            before.as_ref().is_some_and(|row| row.retry_at.is_some_and(|retry| retry > now))
                                && *refused
                                && same;
                        let attempts = before.as_ref().map_or(0, |row| row.attempts) + u32::from(!resting);
                        let mut values = Map::new();
                        let link = store.link(&name, side, &at)?;
                        if let Some(hash) = super::decider::hash_of(store, side, &at, link.as_ref())? {
                            values.insert("hash".into(), Value::text(hash));
                        }
                        for (side, at) in [(Side::Left, &change_left), (Side::Right, &change_right)] {
                            if let Some(at) = at
                                && let Some(record) = store.record(side, &at.resource, &at.id)?
                            {
                                values.insert(decider.program.sides[side].name.clone(), record.row.data);
                            }
                        }
                        store.put_set_aside(&SetAside {
                            register: name.clone(),
                            side,
                            resource: at.resource.clone(),
                            id: at.id.clone(),
                            label,
                            code: code.clone(),
                            reason: reason.clone(),
                            values: Value::Map(values),
                            since: before.as_ref().map_or(now, |row| row.since),
                            retry_at: match (&before, *refused, resting) {
                                (Some(row), true, true) => row.retry_at,
                                (_, true, false) => Some(now + backoff(attempts)),
                                _ => None,
                            },
                            attempts,
                        })?;
                        if !same {
                            store.add_event(&event)?;
                        }
                    }
                    None => {
                        if clears && before.is_some() {
                            store.remove_set_aside(&name, side, &at)?;
                        }
                        if !event.what.is_empty() {
                            store.add_event(&event)?;
                        }
                    }
                }
                Ok(())
            })
            .await?;
        Ok(())
    }
}

/// The fields of one side as the history tells them: old and new value, and where their row stands.
pub(super) fn told(side: &str, fields: &[FieldChange]) -> Map {
    let told = fields.iter().map(|field| {
        let shown = |value: &Value| if field.sensitive { Value::text("•••") } else { value.clone() };
        let new = match &field.new {
            NewValue::Value(value) => shown(value),
            NewValue::Reference { .. } => Value::text(field.new.to_string()),
        };
        let values = vec![shown(&field.old), new, Value::text(field.origin.clone())];
        (format!("{side}.{}", field.path), Value::List(values))
    });
    told.collect()
}

/// How long a refused record rests: 15 minutes, doubled each time, a day at most.
fn backoff(attempts: u32) -> i64 {
    const MINUTE: i64 = 60_000;
    (15 * MINUTE * 2_i64.pow(attempts.saturating_sub(1).min(7))).min(24 * 60 * MINUTE)
}
