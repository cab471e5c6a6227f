//! Intents: every write, before and after.

use rusqlite::{OptionalExtension, Row, params};

use super::super::{Intent, Journal, RecordRef, Result};
use super::{Sqlite, from_word, limit, side_number, side_of, value_of, word};
use crate::value::Side;

const COLUMNS: &str = "id, run, register, side, resource, target, source_resource, source_id, effect, request, lookup, program, state, attempt, sent_at, settle_until, outcome, then_do";
const OPEN: &str = "state IN ('planned', 'sent', 'in_doubt')";

fn intent(row: &Row) -> rusqlite::Result<Intent> {
    let source_resource: Option<String> = row.get(6)?;
    let source_id: Option<String> = row.get(7)?;
    Ok(Intent {
        id: row.get(0)?,
        run: row.get(1)?,
        register: row.get(2)?,
        side: side_of(row.get(3)?),
        resource: row.get(4)?,
        target: row.get(5)?,
        source: source_resource.zip(source_id).map(|(resource, id)| RecordRef { resource, id }),
        effect: from_word(row.get(8)?)?,
        request: value_of(row.get_ref(9)?.as_str()?)?,
        lookup: value_of(row.get_ref(10)?.as_str()?)?,
        program: row.get(11)?,
        state: from_word(row.get(12)?)?,
        attempt: row.get(13)?,
        sent_at: row.get(14)?,
        settle_until: row.get(15)?,
        outcome: row.get(16)?,
        then: value_of(row.get_ref(17)?.as_str()?)?,
    })
}

impl Journal for Sqlite {
    fn add_intent(&mut self, intent: &Intent) -> Result<i64> {
        self.db
            .prepare_cached(
                "INSERT INTO intent (run, register, side, resource, target, source_resource, source_id, effect, request, lookup, program, state, attempt, sent_at, settle_until, outcome, then_do)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17)",
            )?
            .execute(params![
                intent.run,
                intent.register,
                side_number(intent.side),
                intent.resource,
                intent.target,
                intent.source.as_ref().map(|source| &source.resource),
                intent.source.as_ref().map(|source| &source.id),
                word(intent.effect),
                intent.request.to_json(),
                intent.lookup.to_json(),
                intent.program,
                word(intent.state),
                intent.attempt,
                intent.sent_at,
                intent.settle_until,
                intent.outcome,
                intent.then.to_json()
            ])?;
        Ok(self.db.last_insert_rowid())
    }

    fn set_intent(&mut self, intent: &Intent) -> Result<()> {
        self.db
            .prepare_cached(
                "UPDATE intent SET target = ?2, state = ?3, attempt = ?4, sent_at = ?5, settle_until = ?6, outcome = ?7, then_do = ?8 WHERE id = ?1",
            )?
            .execute(params![
                intent.id,
                intent.target,
                word(intent.state),
                intent.attempt,
                intent.sent_at,
                intent.settle_until,
                intent.outcome,
                intent.then.to_json()
            ])?;
        Ok(())
    }

    fn intent(&self, id: i64) -> Result<Option<Intent>> {
        Ok(self
            .db
            .prepare_cached(&format!("SELECT {COLUMNS} FROM intent WHERE id = ?1"))?
            .query_row([id], intent)
            .optional()?)
    }

    fn open_intents(&self) -> Result<Vec<Intent>> {
        let mut statement =
            self.db.prepare_cached(&format!("SELECT {COLUMNS} FROM intent WHERE {OPEN} ORDER BY id"))?;
        let rows = statement.query_map([], intent)?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    fn open_intent_of(&self, register: &str, side: Side, id: &str) -> Result<Option<Intent>> {
        // as the target on its own side, or as the source of a write to the other one
        Ok(self
            .db
            .prepare_cached(&format!(
                "SELECT {COLUMNS} FROM intent WHERE {OPEN} AND register = ?1 AND ((side = ?2 AND target = ?3) OR (side <> ?2 AND source_id = ?3)) LIMIT 1"
            ))?
            .query_row(params![register, side_number(side), id], intent)
            .optional()?)
    }

    fn intents(&self, register: Option<&str>, id: Option<&str>, count: usize) -> Result<Vec<Intent>> {
        let mut statement = self.db.prepare_cached(&format!(
            "SELECT {COLUMNS} FROM intent WHERE (?1 IS NULL OR register = ?1) AND (?2 IS NULL OR target = ?2 OR source_id = ?2) ORDER BY id DESC LIMIT ?3"
        ))?;
        let rows = statement.query_map(params![register, id, limit(count)], intent)?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }
}
