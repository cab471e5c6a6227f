//! What the state remembers of a pair: when each row's value was carried.

use super::time;
use super::values::Teller;
use super::why::Given;
use crate::program::mapping::Row;
use crate::store::{EventRow, Intent, IntentState, Link, Result};
use crate::value::{Side, Value};

/// How many writes of one record are looked through.
const WRITES: usize = 500;

/// What the state remembers of a pair: oldest first.
pub(super) struct Past {
    pub(super) events: Vec<EventRow>,
    pub(super) writes: Vec<Intent>,
}

impl Teller<'_> {
    pub(super) fn past(&self, link: &Link) -> Result<Past> {
        let name = &self.register.name;
        let mut past = Past { events: Vec::new(), writes: Vec::new() };
        for side in Side::BOTH {
            let other = link.on(side.other());
            for event in self.store.events(None, Some((name, side, &link.on(side).id)), usize::MAX)? {
                // what was made had no counterpart yet
                let there = if side == Side::Left { &event.right } else { &event.left };
                if there.as_ref().is_none_or(|id| *id == other.id) && !past.events.contains(&event) {
                    past.events.push(event);
                }
            }
            let writes = self.store.intents(Some(name), Some(&link.on(side).id), WRITES)?;
            for write in writes.into_iter().filter(|write| write.state == IntentState::Done) {
                if past.writes.iter().all(|one| one.id != write.id) {
                    past.writes.push(write);
                }
            }
        }
        past.events.sort_by_key(|event| event.at);
        past.writes.sort_by_key(|write| write.id);
        Ok(past)
    }

    /// The last time a row's value was carried, and to which side; else when both were found to be equal.
    pub(super) fn given(
        &self,
        row: &Row,
        link: &Link,
        agreed: bool,
        past: &Past,
    ) -> Option<(Option<Side>, Given)> {
        let mut last: Option<(i64, Option<Side>, Given)> = None;
        for event in &past.events {
            for side in Side::BOTH {
                for path in row.paths(side) {
                    let field = self.field_of(side, path);
                    let Some([old, _, origin]) = event.detail.get(&field).and_then(Value::as_list) else {
                        continue;
                    };
                    // one field may stand in more than one row
                    if event.what != "set_aside" && origin.as_text() == Some(&row.origin.text) {
                        let given = Given {
                            what: event.what.clone(),
                            field: Some(field),
                            old: old.clone(),
                            run: Some(event.run.clone()),
                            at: time(event.at),
                        };
                        last = Some((event.at, Some(side), given));
                    }
                }
            }
        }
        // what goes back to a record that was just made stands in the journal only
        for write in &past.writes {
            let rows = write.then.get("rows").and_then(Value::as_list).unwrap_or_default();
            let known = last
                .as_ref()
                .is_some_and(|(at, _, given)| *at >= write.sent_at || given.run.as_ref() == Some(&write.run));
            if !known
                && write.target.as_deref() == Some(&link.on(write.side).id)
                && rows.iter().any(|id| id.as_text() == Some(&row.id))
            {
                let given = Given {
                    what: "updated".into(),
                    field: row.paths(write.side).first().map(|path| self.field_of(write.side, path)),
                    old: Value::Null,
                    run: Some(write.run.clone()),
                    at: time(write.sent_at),
                };
                last = Some((write.sent_at, Some(write.side), given));
            }
        }
        match last {
            Some((_, side, given)) => Some((side, given)),
            None if agreed => {
                let event =
                    past.events.iter().find(|event| matches!(event.what.as_str(), "linked" | "created"));
                let given = Given {
                    what: "linked".into(),
                    field: None,
                    old: Value::Null,
                    run: event.map(|event| event.run.clone()),
                    at: time(event.map_or(link.since, |event| event.at)),
                };
                Some((None, given))
            }
            None => None,
        }
    }
}
