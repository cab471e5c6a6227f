//! The journal: every write, before and after.

use rusqlite::types::Type;
use rusqlite::{OptionalExtension, Row, named_params, params};

use super::{Sqlite, json, limited, number, side};
use crate::store::{Effect, Intent, IntentState, Journal, RecordRef, Result, StoreError};
use crate::value::Side;

/// Every intent, with the columns that [`intent`] reads.
const SELECT: &str = "SELECT id, run, register, side, resource, target, source_resource, source_id, effect,
    request, lookup, program, state, attempt, sent_at, settle_until, outcome, after FROM intent";

/// Not settled. Spelled as in the indexes, or SQLite would not use them.
const OPEN: &str = "state IN ('planned', 'sent', 'in_doubt')";

impl Journal for Sqlite {
    fn add_intent(&mut self, intent: &Intent) -> Result<i64> {
        let mut statement = self.connection.prepare_cached(
            "INSERT INTO intent (run, register, side, resource, target, source_resource, source_id, effect,
                request, lookup, program, state, attempt, sent_at, settle_until, outcome, after)
             VALUES (:run, :register, :side, :resource, :target, :source_resource, :source_id, :effect,
                :request, :lookup, :program, :state, :attempt, :sent_at, :settle_until, :outcome, :after)",
        )?;
        let id = statement.insert(named_params! {
            ":run": intent.run,
            ":register": intent.register,
            ":side": number(intent.side),
            ":resource": intent.resource,
            ":target": intent.target,
            ":source_resource": intent.source.as_ref().map(|source| &source.resource),
            ":source_id": intent.source.as_ref().map(|source| &source.id),
            ":effect": effect_word(intent.effect),
            ":request": intent.request.to_json(),
            ":lookup": intent.lookup.to_json(),
            ":program": intent.program,
            ":state": state_word(intent.state),
            ":attempt": intent.attempt,
            ":sent_at": intent.sent_at,
            ":settle_until": intent.settle_until,
            ":outcome": intent.outcome,
            ":after": intent.then.to_json(),
        })?;
        Ok(id)
    }

    fn set_intent(&mut self, intent: &Intent) -> Result<()> {
        let mut statement = self.connection.prepare_cached(
            "UPDATE intent SET target = :target, lookup = :lookup, state = :state, attempt = :attempt,
                sent_at = :sent_at, settle_until = :settle_until, outcome = :outcome, after = :after
             WHERE id = :id",
        )?;
        let found = statement.execute(named_params! {
            ":id": intent.id,
            ":target": intent.target,
            ":lookup": intent.lookup.to_json(),
            ":state": state_word(intent.state),
            ":attempt": intent.attempt,
            ":sent_at": intent.sent_at,
            ":settle_until": intent.settle_until,
            ":outcome": intent.outcome,
            ":after": intent.then.to_json(),
        })?;
        if found == 0 {
            return Err(StoreError(format!("there is no intent {} whose outcome could be noted", intent.id)));
        }
        Ok(())
    }

    fn intent(&self, id: i64) -> Result<Option<Intent>> {
        let mut statement = self.connection.prepare_cached(&format!("{SELECT} WHERE id = ?1"))?;
        Ok(statement.query_row([id], intent).optional()?)
    }

    fn open_intents(&self) -> Result<Vec<Intent>> {
        let mut statement = self.connection.prepare_cached(&format!("{SELECT} WHERE {OPEN} ORDER BY id"))?;
        let found = statement.query_map([], intent)?;
        Ok(found.collect::<rusqlite::Result<_>>()?)
    }

    fn open_intent_of(&self, register: &str, side: Side, at: &RecordRef) -> Result<Option<Intent>> {
        let sql = format!(
            "{SELECT} WHERE id IN (
                SELECT id FROM intent WHERE register = ?1 AND side = ?2 AND target = ?4 AND resource = ?5 AND {OPEN}
                UNION ALL
                SELECT id FROM intent
                WHERE register = ?1 AND side = ?3 AND source_id = ?4 AND source_resource = ?5
                  AND effect = 'create' AND {OPEN}
             ) ORDER BY id LIMIT 1"
        );
        let mut statement = self.connection.prepare_cached(&sql)?;
        let values = params![register, number(side), number(side.other()), at.id, at.resource];
        Ok(statement.query_row(values, intent).optional()?)
    }

    fn intents(&self, register: Option<&str>, id: Option<&str>, limit: usize) -> Result<Vec<Intent>> {
        let of_record = match id {
            None => "?2 IS NULL",
            Some(_) => {
                "id IN (SELECT id FROM intent WHERE target = ?2
                        UNION SELECT id FROM intent WHERE source_id = ?2)"
            }
        };
        let sql =
            format!("{SELECT} WHERE (?1 IS NULL OR register = ?1) AND {of_record} ORDER BY id DESC LIMIT ?3");
        let mut statement = self.connection.prepare_cached(&sql)?;
        let found = statement.query_map(params![register, id, limited(limit)], intent)?;
        Ok(found.collect::<rusqlite::Result<_>>()?)
    }
}

fn effect_word(effect: Effect) -> &'static str {
    match effect {
        Effect::Create => "create",
        Effect::Update => "update",
        Effect::Delete => "delete",
    }
}

fn state_word(state: IntentState) -> &'static str {
    match state {
        IntentState::Planned => "planned",
        IntentState::Sent => "sent",
        IntentState::Done => "done",
        IntentState::Failed => "failed",
        IntentState::InDoubt => "in_doubt",
    }
}

/// The variant that is stored as this word.
fn by_word<T: Copy>(row: &Row, column: usize, all: &[T], word: fn(T) -> &'static str) -> rusqlite::Result<T> {
    let text = row.get_ref(column)?.as_str()?;
    all.iter().copied().find(|one| word(*one) == text).ok_or_else(|| {
        let unknown = format!("{text:?} is not known here");
        rusqlite::Error::FromSqlConversionFailure(column, Type::Text, unknown.into())
    })
}

fn intent(row: &Row) -> rusqlite::Result<Intent> {
    use IntentState::{Done, Failed, InDoubt, Planned, Sent};
    let source = match (row.get(6)?, row.get(7)?) {
        (Some(resource), Some(id)) => Some(RecordRef { resource, id }),
        _ => None,
    };
    Ok(Intent {
        id: row.get(0)?,
        run: row.get(1)?,
        register: row.get(2)?,
        side: side(row, 3)?,
        resource: row.get(4)?,
        target: row.get(5)?,
        source,
        effect: by_word(row, 8, &[Effect::Create, Effect::Update, Effect::Delete], effect_word)?,
        request: json(row, 9)?,
        lookup: json(row, 10)?,
        program: row.get(11)?,
        state: by_word(row, 12, &[Planned, Sent, Done, Failed, InDoubt], state_word)?,
        attempt: row.get(13)?,
        sent_at: row.get(14)?,
        settle_until: row.get(15)?,
        outcome: row.get(16)?,
        then: json(row, 17)?,
    })
}

#[cfg(test)]
pub(in crate::store) mod tests {
    use super::*;
    use crate::value::from_json_str;

    /// A create of a client from customer 1.
    pub(in crate::store) fn intent() -> Intent {
        Intent {
            id: 0,
            run: "run1".into(),
            register: "customers".into(),
            side: Side::Right,
            resource: "clients".into(),
            target: None,
            source: Some(RecordRef { resource: "customers".into(), id: "1".into() }),
            effect: Effect::Create,
            request: from_json_str(r#"{"method":"POST","path":"/clients","body":{"limit":10.00}}"#).unwrap(),
            lookup: from_json_str(r#"{"number":"1001"}"#).unwrap(),
            program: "p1".into(),
            state: IntentState::Planned,
            attempt: 0,
            sent_at: 0,
            settle_until: 0,
            outcome: String::new(),
            then: from_json_str(r#"{"base":{"name":["Acme","Acme"]}}"#).unwrap(),
        }
    }

    #[test]
    fn an_intent_comes_back_as_it_was_written() {
        let mut store = Sqlite::in_memory().unwrap();
        let id = store.add_intent(&intent()).unwrap();
        let written = Intent { id, ..intent() };
        assert_eq!(store.intent(id).unwrap(), Some(written.clone()));
        assert_eq!(store.intent(id).unwrap().unwrap().request.to_json(), written.request.to_json());
        assert_eq!(store.intent(id + 1).unwrap(), None);
    }

    #[test]
    fn an_outcome_never_rewrites_what_was_sent() {
        let mut store = Sqlite::in_memory().unwrap();
        let id = store.add_intent(&intent()).unwrap();
        let done = Intent {
            id,
            target: Some("A".into()),
            state: IntentState::Done,
            attempt: 1,
            sent_at: 100,
            settle_until: 900,
            outcome: "201 Created".into(),
            ..intent()
        };
        store.set_intent(&Intent { request: "changed".into(), ..done.clone() }).unwrap();
        assert_eq!(store.intent(id).unwrap(), Some(done.clone()));
        assert_eq!(
            store.set_intent(&Intent { id: 99, ..done }).unwrap_err().to_string(),
            "state: there is no intent 99 whose outcome could be noted"
        );
    }

    #[test]
    fn what_is_not_settled_is_open() {
        let mut store = Sqlite::in_memory().unwrap();
        let mut open = Vec::new();
        for state in [
            IntentState::Planned,
            IntentState::Done,
            IntentState::InDoubt,
            IntentState::Failed,
            IntentState::Sent,
        ] {
            let id = store.add_intent(&Intent { state, ..intent() }).unwrap();
            if !matches!(state, IntentState::Done | IntentState::Failed) {
                open.push(id);
            }
        }
        let found: Vec<i64> = store.open_intents().unwrap().iter().map(|intent| intent.id).collect();
        assert_eq!(found, open);
    }

    #[test]
    fn a_record_is_held_by_its_own_create_and_by_a_write_to_it() {
        let mut store = Sqlite::in_memory().unwrap();
        let create = store.add_intent(&intent()).unwrap();
        let update = Intent { target: Some("B".into()), effect: Effect::Update, ..intent() };
        let update =
            Intent { source: Some(RecordRef { resource: "customers".into(), id: "2".into() }), ..update };
        let update = Intent { id: store.add_intent(&update).unwrap(), ..update };
        let at = |side, id: &str| {
            let resource = if side == Side::Left { "customers" } else { "clients" };
            RecordRef { resource: resource.into(), id: id.into() }
        };
        let of = |store: &Sqlite, side, id: &str| {
            store.open_intent_of("customers", side, &at(side, id)).unwrap().map(|intent| intent.id)
        };
        assert_eq!(of(&store, Side::Left, "1"), Some(create));
        assert_eq!(of(&store, Side::Right, "1"), None);
        assert_eq!(of(&store, Side::Right, "B"), Some(update.id));
        assert_eq!(of(&store, Side::Left, "2"), None);
        let first = at(Side::Left, "1");
        assert_eq!(store.open_intent_of("projects", Side::Left, &first).unwrap(), None);
        let alike = RecordRef { resource: "suppliers".into(), ..first };
        assert_eq!(store.open_intent_of("customers", Side::Left, &alike).unwrap(), None);
        store.set_intent(&Intent { state: IntentState::Failed, ..update }).unwrap();
        assert_eq!(of(&store, Side::Right, "B"), None);
    }

    #[test]
    fn history_is_newest_first() {
        let mut store = Sqlite::in_memory().unwrap();
        let first = store.add_intent(&intent()).unwrap();
        let second = store.add_intent(&Intent { register: "projects".into(), ..intent() }).unwrap();
        let third = store.add_intent(&Intent { target: Some("1".into()), source: None, ..intent() }).unwrap();
        let of = |register, id, limit| -> Vec<i64> {
            store.intents(register, id, limit).unwrap().iter().map(|intent| intent.id).collect()
        };
        assert_eq!(of(None, None, 2), [third, second]);
        assert_eq!(of(Some("customers"), None, 9), [third, first]);
        assert_eq!(of(Some("customers"), Some("1"), 9), [third, first]);
        assert_eq!(of(None, Some("1"), 9), [third, second, first]);
        assert!(of(None, Some("7"), 9).is_empty());
    }

    #[test]
    fn the_questions_of_every_record_are_answered_by_indexes() {
        let store = Sqlite::in_memory().unwrap();
        for (sql, index) in [
            (format!("{SELECT} WHERE {OPEN} ORDER BY id"), "intent_open"),
            (
                format!("{SELECT} WHERE register = '' AND side = 1 AND target = '' AND {OPEN}"),
                "intent_open_target",
            ),
            (
                format!("{SELECT} WHERE register = '' AND side = 1 AND source_id = '' AND {OPEN}"),
                "intent_open_source",
            ),
            (
                "SELECT 1 FROM record WHERE side=1 AND resource='' AND id>'' AND dirty = 1".into(),
                "record_dirty",
            ),
        ] {
            let plan: String = store
                .connection
                .query_row(&format!("EXPLAIN QUERY PLAN {sql}"), [], |row| row.get("detail"))
                .unwrap();
            assert!(plan.contains(&format!("INDEX {index} ")) || plan.ends_with(index), "{sql}: {plan}");
        }
    }
}
