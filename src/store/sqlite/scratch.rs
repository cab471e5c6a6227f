//! The plan's scratch rows: a temporary table, gone with the process.

use rusqlite::{OptionalExtension, Row, params};

use super::super::{PlanRow, Result, Scratch};
use super::{Sqlite, limit};
use crate::value::Side;

/// Made at every opening. Temporary tables spill to disk by themselves where memory is short.
pub(super) const TABLE: &str = "
    CREATE TEMP TABLE plan (
        seq INTEGER PRIMARY KEY AUTOINCREMENT, register TEXT NOT NULL, left_id TEXT, right_id TEXT, action TEXT NOT NULL, change TEXT NOT NULL
    );
    CREATE INDEX temp.plan_left ON plan (register, left_id) WHERE left_id IS NOT NULL;
    CREATE INDEX temp.plan_right ON plan (register, right_id) WHERE right_id IS NOT NULL;
";

fn plan_row(row: &Row) -> rusqlite::Result<PlanRow> {
    Ok(PlanRow {
        seq: row.get(0)?,
        register: row.get(1)?,
        left: row.get(2)?,
        right: row.get(3)?,
        action: row.get(4)?,
        change: row.get(5)?,
    })
}

impl Scratch for Sqlite {
    fn clear_plan(&mut self) -> Result<()> {
        self.db.execute("DELETE FROM temp.plan", [])?;
        Ok(())
    }

    fn add_changes(&mut self, rows: &[PlanRow]) -> Result<()> {
        for row in rows {
            self.db
                .prepare_cached("INSERT INTO temp.plan (register, left_id, right_id, action, change) VALUES (?1, ?2, ?3, ?4, ?5)")?
                .execute(params![row.register, row.left, row.right, row.action, row.change])?;
        }
        Ok(())
    }

    fn changes(&self, register: Option<&str>, after: i64, count: usize) -> Result<Vec<PlanRow>> {
        let mut statement = self.db.prepare_cached(
            "SELECT seq, register, left_id, right_id, action, change FROM temp.plan WHERE seq > ?1 AND (?2 IS NULL OR register = ?2) ORDER BY seq LIMIT ?3",
        )?;
        let rows = statement.query_map(params![after, register, limit(count)], plan_row)?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    fn change_of(&self, register: &str, side: Side, id: &str) -> Result<Option<PlanRow>> {
        let column = match side {
            Side::Left => "left_id",
            Side::Right => "right_id",
        };
        Ok(self
            .db
            .prepare_cached(&format!(
                "SELECT seq, register, left_id, right_id, action, change FROM temp.plan WHERE register = ?1 AND {column} = ?2 LIMIT 1"
            ))?
            .query_row(params![register, id], plan_row)
            .optional()?)
    }

    fn count_changes(&self, register: &str) -> Result<Vec<(String, u64)>> {
        let mut statement = self.db.prepare_cached(
            "SELECT action, count(*) FROM temp.plan WHERE register = ?1 GROUP BY action ORDER BY action",
        )?;
        let rows = statement.query_map([register], |row| {
            let count: i64 = row.get(1)?;
            Ok((row.get(0)?, count.unsigned_abs()))
        })?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }
}
