//! What is set aside, what happened, and small facts.

use rusqlite::{OptionalExtension, params};

use super::super::{EventRow, Log, Result, RunRow, SetAside, StoreError};
use super::{Sqlite, limit, side_number};
use crate::value::Side;

fn json<T: serde::Serialize>(row: &T) -> Result<String> {
    serde_json::to_string(row).map_err(|error| StoreError(error.to_string()))
}

fn parsed<T: serde::de::DeserializeOwned>(text: &str) -> Result<T> {
    serde_json::from_str(text)
        .map_err(|error| StoreError(format!("a row of the state cannot be read: {error}")))
}

impl Sqlite {
    fn rows<T: serde::de::DeserializeOwned>(
        &self,
        sql: &str,
        params: impl rusqlite::Params,
    ) -> Result<Vec<T>> {
        let mut statement = self.db.prepare_cached(sql)?;
        let mut rows = statement.query(params)?;
        let mut out = Vec::new();
        while let Some(row) = rows.next()? {
            out.push(parsed(row.get_ref(0)?.as_str().map_err(|error| StoreError(error.to_string()))?)?);
        }
        Ok(out)
    }
}

impl Log for Sqlite {
    fn put_set_aside(&mut self, row: &SetAside) -> Result<()> {
        self.db
            .prepare_cached(
                "INSERT INTO set_aside (register, side, id, row, since) VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT DO UPDATE SET row = ?4",
            )?
            .execute(params![row.register, side_number(row.side), row.id, json(row)?, row.since])?;
        Ok(())
    }

    fn remove_set_aside(&mut self, register: &str, side: Side, id: &str) -> Result<bool> {
        let removed = self
            .db
            .prepare_cached("DELETE FROM set_aside WHERE register = ?1 AND side = ?2 AND id = ?3")?
            .execute(params![register, side_number(side), id])?;
        Ok(removed > 0)
    }

    fn set_aside_of(&self, register: &str, side: Side, id: &str) -> Result<Option<SetAside>> {
        let rows = self.rows(
            "SELECT row FROM set_aside WHERE register = ?1 AND side = ?2 AND id = ?3",
            params![register, side_number(side), id],
        )?;
        Ok(rows.into_iter().next())
    }

    fn set_aside(&self, register: Option<&str>) -> Result<Vec<SetAside>> {
        self.rows(
            "SELECT row FROM set_aside WHERE (?1 IS NULL OR register = ?1) ORDER BY since, register, id",
            [register],
        )
    }

    fn put_run(&mut self, run: &RunRow) -> Result<()> {
        self.db
            .prepare_cached(
                "INSERT INTO run (id, started, row) VALUES (?1, ?2, ?3) ON CONFLICT DO UPDATE SET row = ?3",
            )?
            .execute(params![run.id, run.started, json(run)?])?;
        Ok(())
    }

    fn runs(&self, count: usize) -> Result<Vec<RunRow>> {
        self.rows("SELECT row FROM run ORDER BY started DESC, id DESC LIMIT ?1", [limit(count)])
    }

    fn add_event(&mut self, event: &EventRow) -> Result<()> {
        self.db
            .prepare_cached(
                "INSERT INTO event (run, register, left_id, right_id, row) VALUES (?1, ?2, ?3, ?4, ?5)",
            )?
            .execute(params![event.run, event.register, event.left, event.right, json(event)?])?;
        Ok(())
    }

    fn events(
        &self,
        run: Option<&str>,
        record: Option<(&str, Side, &str)>,
        count: usize,
    ) -> Result<Vec<EventRow>> {
        let (register, left, right) = match record {
            Some((register, Side::Left, id)) => (Some(register), Some(id), None),
            Some((register, Side::Right, id)) => (Some(register), None, Some(id)),
            None => (None, None, None),
        };
        self.rows(
            "SELECT row FROM event WHERE (?1 IS NULL OR run = ?1) AND (?2 IS NULL OR register = ?2)
             AND (?3 IS NULL OR left_id = ?3) AND (?4 IS NULL OR right_id = ?4) ORDER BY seq LIMIT ?5",
            params![run, register, left, right, limit(count)],
        )
    }

    fn fact(&self, name: &str) -> Result<Option<String>> {
        Ok(self
            .db
            .prepare_cached("SELECT value FROM fact WHERE name = ?1")?
            .query_row([name], |row| row.get(0))
            .optional()?)
    }

    fn set_fact(&mut self, name: &str, value: Option<&str>) -> Result<()> {
        match value {
            Some(value) => self
                .db
                .prepare_cached(
                    "INSERT INTO fact (name, value) VALUES (?1, ?2) ON CONFLICT DO UPDATE SET value = ?2",
                )?
                .execute(params![name, value])?,
            None => self.db.prepare_cached("DELETE FROM fact WHERE name = ?1")?.execute([name])?,
        };
        Ok(())
    }

    fn facts(&self, prefix: &str) -> Result<Vec<(String, String)>> {
        let mut statement = self.db.prepare_cached(
            "SELECT name, value FROM fact WHERE substr(name, 1, length(?1)) = ?1 ORDER BY name",
        )?;
        let rows = statement.query_map([prefix], |row| Ok((row.get(0)?, row.get(1)?)))?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }
}
