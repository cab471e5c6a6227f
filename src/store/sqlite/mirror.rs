//! The mirror: each record of each side as it was last read.

use rusqlite::{OptionalExtension, Row, params};

use super::super::{Mirror, RecordRow, Result, StoredRecord, Which};
use super::{Sqlite, limit, side_number, value_of};
use crate::value::Side;

const COLUMNS: &str = "id, parent, data, hash, dirty, sweep";

fn stored(row: &Row) -> rusqlite::Result<StoredRecord> {
    Ok(StoredRecord {
        row: RecordRow {
            id: row.get(0)?,
            parent: row.get(1)?,
            data: value_of(row.get_ref(2)?.as_str()?)?,
            hash: row.get(3)?,
        },
        dirty: row.get(4)?,
        sweep: row.get(5)?,
    })
}

impl Sqlite {
    fn put(&mut self, side: Side, resource: &str, row: &RecordRow, sweep: i64, dirty: bool) -> Result<()> {
        self.db
            .prepare_cached(
                "INSERT INTO record (side, resource, id, parent, data, hash, dirty, sweep) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
                 ON CONFLICT DO UPDATE SET parent = ?4, data = ?5, hash = ?6, dirty = ?7, sweep = max(sweep, ?8)",
            )?
            .execute(params![side_number(side), resource, row.id, row.parent, row.data.to_json(), row.hash, dirty, sweep])?;
        Ok(())
    }
}

impl Mirror for Sqlite {
    fn put_records(
        &mut self,
        side: Side,
        resource: &str,
        rows: &[RecordRow],
        sweep: i64,
    ) -> Result<Vec<bool>> {
        let mut changed = Vec::with_capacity(rows.len());
        for row in rows {
            let known: Option<(String, Option<String>)> = self
                .db
                .prepare_cached(
                    "SELECT hash, parent FROM record WHERE side = ?1 AND resource = ?2 AND id = ?3",
                )?
                .query_row(params![side_number(side), resource, row.id], |row| Ok((row.get(0)?, row.get(1)?)))
                .optional()?;
            match known {
                Some((hash, parent)) if hash == row.hash && parent == row.parent => {
                    // a delta says nothing about completeness: an unchanged row needs no write
                    if sweep > 0 {
                        self.db
                            .prepare_cached("UPDATE record SET sweep = ?4, data = ?5 WHERE side = ?1 AND resource = ?2 AND id = ?3")?
                            .execute(params![side_number(side), resource, row.id, sweep, row.data.to_json()])?;
                    }
                    changed.push(false);
                }
                _ => {
                    self.put(side, resource, row, sweep, true)?;
                    changed.push(true);
                }
            }
        }
        Ok(changed)
    }

    fn put_clean(&mut self, side: Side, resource: &str, row: &RecordRow) -> Result<()> {
        self.put(side, resource, row, 0, false)
    }

    fn record(&self, side: Side, resource: &str, id: &str) -> Result<Option<StoredRecord>> {
        Ok(self
            .db
            .prepare_cached(&format!(
                "SELECT {COLUMNS} FROM record WHERE side = ?1 AND resource = ?2 AND id = ?3"
            ))?
            .query_row(params![side_number(side), resource, id], stored)
            .optional()?)
    }

    fn children(&self, side: Side, resource: &str, parent: &str) -> Result<Vec<StoredRecord>> {
        let mut statement = self.db.prepare_cached(&format!(
            "SELECT {COLUMNS} FROM record WHERE side = ?1 AND resource = ?2 AND parent = ?3 ORDER BY id"
        ))?;
        let rows = statement.query_map(params![side_number(side), resource, parent], stored)?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    fn records(
        &self,
        side: Side,
        resource: &str,
        which: Which,
        after: &str,
        count: usize,
    ) -> Result<Vec<StoredRecord>> {
        let (condition, sweep) = condition(which);
        let mut statement = self.db.prepare_cached(&format!(
            "SELECT {COLUMNS} FROM record WHERE side = ?1 AND resource = ?2 AND id > ?3 AND {condition} AND ?4 >= 0 ORDER BY id LIMIT ?5"
        ))?;
        let rows =
            statement.query_map(params![side_number(side), resource, after, sweep, limit(count)], stored)?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    fn count(&self, side: Side, resource: &str, which: Which) -> Result<u64> {
        let (condition, sweep) = condition(which);
        let sweep_name = condition.replace("?4", "?3");
        let count: i64 = self
            .db
            .prepare_cached(&format!(
                "SELECT count(*) FROM record WHERE side = ?1 AND resource = ?2 AND {sweep_name} AND ?3 >= 0"
            ))?
            .query_row(params![side_number(side), resource, sweep], |row| row.get(0))?;
        Ok(count.unsigned_abs())
    }

    fn clean(&mut self, side: Side, resource: &str, id: &str, hash: &str) -> Result<()> {
        self.db
            .prepare_cached("UPDATE record SET dirty = 0 WHERE side = ?1 AND resource = ?2 AND id = ?3 AND hash = ?4 AND dirty = 1")?
            .execute(params![side_number(side), resource, id, hash])?;
        Ok(())
    }

    fn mark_dirty(&mut self, side: Side, resource: &str, id: Option<&str>) -> Result<u64> {
        let count = match id {
            Some(id) => self
                .db
                .prepare_cached("UPDATE record SET dirty = 1 WHERE side = ?1 AND resource = ?2 AND id = ?3")?
                .execute(params![side_number(side), resource, id])?,
            None => self
                .db
                .prepare_cached("UPDATE record SET dirty = 1 WHERE side = ?1 AND resource = ?2")?
                .execute(params![side_number(side), resource])?,
        };
        Ok(count as u64)
    }

    fn remove_record(&mut self, side: Side, resource: &str, id: &str) -> Result<()> {
        self.db
            .prepare_cached("DELETE FROM record WHERE side = ?1 AND resource = ?2 AND id = ?3")?
            .execute(params![side_number(side), resource, id])?;
        Ok(())
    }
}

/// The condition for one kind of record, with the sweep as `?4`.
fn condition(which: Which) -> (&'static str, i64) {
    match which {
        Which::All => ("1 = 1", 0),
        Which::Dirty => ("dirty = 1", 0),
        Which::UnseenBy(sweep) => ("sweep < ?4", sweep),
    }
}
