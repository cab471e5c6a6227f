//! What is set aside, what happened, and small facts.

use rusqlite::{OptionalExtension, Row, params};

use super::{Sqlite, json, limited, number, side};
use crate::store::{EventRow, Log, RecordRef, Result, RunRow, SetAside};
use crate::value::Side;

impl Log for Sqlite {
    fn put_set_aside(&mut self, row: &SetAside) -> Result<()> {
        self.connection
            .prepare_cached(
                "INSERT INTO set_aside (register, side, id, resource, label, code, reason, vals, since,
                    retry_at, attempts)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)
                 ON CONFLICT (register, side, resource, id) DO UPDATE SET
                    label = excluded.label, code = excluded.code, reason = excluded.reason,
                    vals = excluded.vals, retry_at = excluded.retry_at, attempts = excluded.attempts",
            )?
            .execute(params![
                row.register,
                number(row.side),
                row.id,
                row.resource,
                row.label,
                row.code,
                row.reason,
                row.values.to_json(),
                row.since,
                row.retry_at,
                row.attempts,
            ])?;
        Ok(())
    }

    fn remove_set_aside(&mut self, register: &str, side: Side, at: &RecordRef) -> Result<bool> {
        let found = self
            .connection
            .prepare_cached(
                "DELETE FROM set_aside WHERE register = ?1 AND side = ?2 AND resource = ?3 AND id = ?4",
            )?
            .execute(params![register, number(side), at.resource, at.id])?;
        Ok(found > 0)
    }

    fn set_aside_of(&self, register: &str, side: Side, at: &RecordRef) -> Result<Option<SetAside>> {
        let mut statement = self.connection.prepare_cached(
            "SELECT register, side, resource, id, label, code, reason, vals, since, retry_at, attempts
             FROM set_aside WHERE register = ?1 AND side = ?2 AND resource = ?3 AND id = ?4",
        )?;
        let mut found = statement.query_map(params![register, number(side), at.resource, at.id], aside)?;
        Ok(found.next().transpose()?)
    }

    fn set_aside(&self, register: Option<&str>) -> Result<Vec<SetAside>> {
        let mut statement = self.connection.prepare_cached(
            "SELECT register, side, resource, id, label, code, reason, vals, since, retry_at, attempts
             FROM set_aside WHERE ?1 IS NULL OR register = ?1 ORDER BY since, register, side, id",
        )?;
        let found = statement.query_map([register], aside)?;
        Ok(found.collect::<rusqlite::Result<_>>()?)
    }

    fn put_run(&mut self, run: &RunRow) -> Result<()> {
        self.connection
            .prepare_cached(
                "INSERT INTO run (id, started, ended, verb, program, report) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
                 ON CONFLICT (id) DO UPDATE SET started = excluded.started, ended = excluded.ended,
                    verb = excluded.verb, program = excluded.program, report = excluded.report",
            )?
            .execute(params![run.id, run.started, run.ended, run.verb, run.program, run.report.to_json()])?;
        Ok(())
    }

    fn runs(&self, limit: usize) -> Result<Vec<RunRow>> {
        // by number, not by time: our clock may have been set back
        let mut statement = self.connection.prepare_cached(
            "SELECT id, started, ended, verb, program, report FROM run ORDER BY num DESC LIMIT ?1",
        )?;
        let found = statement.query_map([limited(limit)], |row| {
            Ok(RunRow {
                id: row.get(0)?,
                started: row.get(1)?,
                ended: row.get(2)?,
                verb: row.get(3)?,
                program: row.get(4)?,
                report: json(row, 5)?,
            })
        })?;
        Ok(found.collect::<rusqlite::Result<_>>()?)
    }

    fn add_event(&mut self, event: &EventRow) -> Result<()> {
        self.connection
            .prepare_cached(
                "INSERT INTO event (run, at, register, left_id, right_id, what, detail)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
            )?
            .execute(params![
                event.run,
                event.at,
                event.register,
                event.left,
                event.right,
                event.what,
                event.detail.to_json(),
            ])?;
        Ok(())
    }

    fn events(
        &self,
        run: Option<&str>,
        record: Option<(&str, Side, &str)>,
        limit: usize,
    ) -> Result<Vec<EventRow>> {
        let of_run = match run {
            Some(_) => "run = ?1",
            None => "?1 IS NULL",
        };
        let of_record = match record {
            Some((_, Side::Left, _)) => "register = ?2 AND left_id = ?3",
            Some((_, Side::Right, _)) => "register = ?2 AND right_id = ?3",
            None => "?2 IS NULL AND ?3 IS NULL",
        };
        let sql = format!(
            "SELECT run, at, register, left_id, right_id, what, detail FROM event
             WHERE {of_run} AND {of_record} ORDER BY num DESC LIMIT ?4"
        );
        let mut statement = self.connection.prepare_cached(&sql)?;
        let values = params![run, record.map(|of| of.0), record.map(|of| of.2), limited(limit)];
        let found = statement.query_map(values, event)?;
        let mut found: Vec<EventRow> = found.collect::<rusqlite::Result<_>>()?;
        found.reverse();
        Ok(found)
    }

    fn fact(&self, name: &str) -> Result<Option<String>> {
        let mut statement = self.connection.prepare_cached("SELECT value FROM fact WHERE name = ?1")?;
        Ok(statement.query_row([name], |row| row.get(0)).optional()?)
    }

    fn set_fact(&mut self, name: &str, value: Option<&str>) -> Result<()> {
        match value {
            // a fact that stays as it is, is no news
            Some(value) => self
                .connection
                .prepare_cached(
                    "INSERT INTO fact (name, value) VALUES (?1, ?2)
                     ON CONFLICT (name) DO UPDATE SET value = excluded.value WHERE value <> excluded.value",
                )?
                .execute([name, value])?,
            None => self.connection.prepare_cached("DELETE FROM fact WHERE name = ?1")?.execute([name])?,
        };
        Ok(())
    }

    fn facts(&self, prefix: &str) -> Result<Vec<(String, String)>> {
        // the range is for the index, the comparison for the truth
        let mut statement = self.connection.prepare_cached(
            "SELECT name, value FROM fact
             WHERE name >= ?1 AND name < ?1 || char(0x10ffff) AND substr(name, 1, length(?1)) = ?1
             ORDER BY name",
        )?;
        let found = statement.query_map([prefix], |row| Ok((row.get(0)?, row.get(1)?)))?;
        Ok(found.collect::<rusqlite::Result<_>>()?)
    }
}

fn aside(row: &Row) -> rusqlite::Result<SetAside> {
    Ok(SetAside {
        register: row.get(0)?,
        side: side(row, 1)?,
        resource: row.get(2)?,
        id: row.get(3)?,
        label: row.get(4)?,
        code: row.get(5)?,
        reason: row.get(6)?,
        values: json(row, 7)?,
        since: row.get(8)?,
        retry_at: row.get(9)?,
        attempts: row.get(10)?,
    })
}

fn event(row: &Row) -> rusqlite::Result<EventRow> {
    Ok(EventRow {
        run: row.get(0)?,
        at: row.get(1)?,
        register: row.get(2)?,
        left: row.get(3)?,
        right: row.get(4)?,
        what: row.get(5)?,
        detail: json(row, 6)?,
    })
}

#[cfg(test)]
pub(in crate::store) mod tests {
    use super::*;
    use crate::value::{Value, from_json_str};

    /// Customer `id`, set aside.
    pub(in crate::store) fn aside(id: &str) -> SetAside {
        SetAside {
            register: "customers".into(),
            side: Side::Left,
            resource: "customers".into(),
            id: id.into(),
            label: format!("{id} Acme"),
            code: "ME0901".into(),
            reason: "both sides changed the name: choose one".into(),
            values: from_json_str(r#"{"limit":[10.00,null]}"#).unwrap(),
            since: 100,
            retry_at: None,
            attempts: 1,
        }
    }

    #[test]
    fn a_record_stays_set_aside_since_the_first_time() {
        let mut store = Sqlite::in_memory().unwrap();
        store.put_set_aside(&aside("2")).unwrap();
        store.put_set_aside(&SetAside { since: 50, ..aside("1") }).unwrap();
        let again =
            SetAside { reason: "gone".into(), since: 900, retry_at: Some(5), attempts: 2, ..aside("2") };
        store.put_set_aside(&again).unwrap();
        let expected = [SetAside { since: 50, ..aside("1") }, SetAside { since: 100, ..again }];
        assert_eq!(store.set_aside(None).unwrap(), expected);
        assert_eq!(store.set_aside(Some("customers")).unwrap(), expected);
        assert!(store.set_aside(Some("projects")).unwrap().is_empty());
        let second = RecordRef { resource: "customers".into(), id: "2".into() };
        let alike = RecordRef { resource: "suppliers".into(), ..second.clone() };
        assert!(!store.remove_set_aside("customers", Side::Left, &alike).unwrap());
        assert_eq!(store.set_aside_of("customers", Side::Left, &alike).unwrap(), None);
        assert!(store.remove_set_aside("customers", Side::Left, &second).unwrap());
        assert!(!store.remove_set_aside("customers", Side::Left, &second).unwrap());
    }

    #[test]
    fn a_run_is_started_and_ended() {
        let mut store = Sqlite::in_memory().unwrap();
        let run = |id: &str, ended| RunRow {
            id: id.into(),
            started: 1,
            ended,
            verb: "run".into(),
            program: "p".into(),
            report: Value::Null,
        };
        store.put_run(&run("z", None)).unwrap();
        store.put_run(&run("a", None)).unwrap();
        store.put_run(&run("z", Some(9))).unwrap();
        assert_eq!(store.runs(9).unwrap(), [run("a", None), run("z", Some(9))]);
        assert_eq!(store.runs(1).unwrap(), [run("a", None)]);
    }

    #[test]
    fn the_last_events_come_oldest_first() {
        let mut store = Sqlite::in_memory().unwrap();
        let event = |run: &str, left: Option<&str>, right: Option<&str>, what: &str| EventRow {
            run: run.into(),
            at: 7,
            register: "customers".into(),
            left: left.map(Into::into),
            right: right.map(Into::into),
            what: what.into(),
            detail: from_json_str(r#"{"name":["a","b"]}"#).unwrap(),
        };
        let all = [
            event("r1", Some("1"), None, "set_aside"),
            event("r1", Some("1"), Some("A"), "linked"),
            event("r2", Some("1"), Some("A"), "updated"),
            event("r2", Some("2"), Some("B"), "updated"),
        ];
        for event in &all {
            store.add_event(event).unwrap();
        }
        assert_eq!(store.events(None, None, 9).unwrap(), all);
        assert_eq!(store.events(Some("r2"), None, 9).unwrap(), all[2..]);
        assert_eq!(store.events(None, Some(("customers", Side::Left, "1")), 2).unwrap(), all[1..3]);
        assert_eq!(store.events(Some("r1"), Some(("customers", Side::Right, "A")), 9).unwrap(), all[1..2]);
        assert!(store.events(None, Some(("projects", Side::Left, "1")), 9).unwrap().is_empty());
    }

    #[test]
    fn facts_are_set_replaced_and_removed() {
        let mut store = Sqlite::in_memory().unwrap();
        for (name, value) in [("cursor/a", "1"), ("cursor/b", "2"), ("cursors", "3"), ("cursor/a", "4")] {
            store.set_fact(name, Some(value)).unwrap();
        }
        store.set_fact("cursor/b", None).unwrap();
        store.set_fact("nothing", None).unwrap();
        assert_eq!(store.fact("cursor/a").unwrap().as_deref(), Some("4"));
        assert_eq!(store.fact("cursor/b").unwrap(), None);
        assert_eq!(store.facts("cursor/").unwrap(), [("cursor/a".to_owned(), "4".to_owned())]);
        assert_eq!(store.facts("").unwrap().len(), 2);
        let before = store.news();
        store.set_fact("cursor/a", Some("4")).unwrap();
        assert_eq!(store.news(), before);
    }
}
