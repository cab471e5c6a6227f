//! The mirror: each record of each side as it was last read.

use rusqlite::{OptionalExtension, Row, named_params, params};

use super::{Sqlite, json, limited, number};
use crate::store::{Mirror, RecordRow, Result, StoredRecord, Which};
use crate::value::Side;

/// The columns that [`stored`] reads.
const COLUMNS: &str = "record.id, record.parent, body.data, record.hash, record.dirty, record.sweep";

impl Mirror for Sqlite {
    fn put_records(
        &mut self,
        side: Side,
        resource: &str,
        rows: &[RecordRow],
        sweep: i64,
    ) -> Result<Vec<bool>> {
        let mut news = Vec::with_capacity(rows.len());
        for row in rows {
            let same = self.see(side, resource, row, sweep)?;
            if !same {
                self.write(side, resource, row, true, sweep)?;
            }
            news.push(!same);
        }
        Ok(news)
    }

    fn put_clean(&mut self, side: Side, resource: &str, row: &RecordRow) -> Result<()> {
        self.write(side, resource, row, false, 0)
    }

    fn record(&self, side: Side, resource: &str, id: &str) -> Result<Option<StoredRecord>> {
        let sql = whole(
            "FROM record CROSS JOIN body USING (key)
             WHERE side = ?1 AND resource = ?2 AND id = ?3",
        );
        let mut statement = self.connection.prepare_cached(&sql)?;
        Ok(statement.query_row(params![number(side), resource, id], stored).optional()?)
    }

    fn children(&self, side: Side, resource: &str, parent: &str) -> Result<Vec<StoredRecord>> {
        let sql = whole(
            "FROM record INDEXED BY record_parent CROSS JOIN body USING (key)
             WHERE side = ?1 AND resource = ?2 AND parent = ?3 ORDER BY id",
        );
        let mut statement = self.connection.prepare_cached(&sql)?;
        let found = statement.query_map(params![number(side), resource, parent], stored)?;
        Ok(found.collect::<rusqlite::Result<_>>()?)
    }

    fn records(
        &self,
        side: Side,
        resource: &str,
        which: Which,
        after: &str,
        limit: usize,
    ) -> Result<Vec<StoredRecord>> {
        let (condition, sweep) = condition(which);
        let sql = whole(&format!(
            "FROM record CROSS JOIN body USING (key)
             WHERE side = :side AND resource = :resource AND id > :after AND {condition}
             ORDER BY id LIMIT :limit"
        ));
        let mut statement = self.connection.prepare_cached(&sql)?;
        let found = statement.query_map(
            named_params! {
                ":side": number(side), ":resource": resource, ":after": after, ":sweep": sweep,
                ":limit": limited(limit),
            },
            stored,
        )?;
        Ok(found.collect::<rusqlite::Result<_>>()?)
    }

    fn count(&self, side: Side, resource: &str, which: Which) -> Result<u64> {
        let (condition, sweep) = condition(which);
        let sql = format!(
            "SELECT count(*) FROM record WHERE side = :side AND resource = :resource AND {condition}"
        );
        let mut statement = self.connection.prepare_cached(&sql)?;
        let values = named_params! { ":side": number(side), ":resource": resource, ":sweep": sweep };
        Ok(statement.query_row(values, |row| row.get::<_, i64>(0))?.unsigned_abs())
    }

    fn clean(&mut self, side: Side, resource: &str, id: &str, hash: &str) -> Result<()> {
        self.connection
            .prepare_cached(
                "UPDATE record SET dirty = 0
                 WHERE side = ?1 AND resource = ?2 AND id = ?3 AND hash = ?4 AND dirty = 1",
            )?
            .execute(params![number(side), resource, id, hash])?;
        Ok(())
    }

    fn mark_dirty(&mut self, side: Side, resource: &str, id: Option<&str>) -> Result<u64> {
        let Some(id) = id else {
            self.connection
                .prepare_cached(
                    "UPDATE record SET dirty = 1 WHERE side = ?1 AND resource = ?2 AND dirty = 0",
                )?
                .execute(params![number(side), resource])?;
            return self.count(side, resource, Which::All);
        };
        let found = self
            .connection
            .prepare_cached("UPDATE record SET dirty = 1 WHERE side = ?1 AND resource = ?2 AND id = ?3")?
            .execute(params![number(side), resource, id])?;
        Ok(found as u64)
    }

    fn remove_record(&mut self, side: Side, resource: &str, id: &str) -> Result<()> {
        let key: Option<i64> = self
            .connection
            .prepare_cached("DELETE FROM record WHERE side = ?1 AND resource = ?2 AND id = ?3 RETURNING key")?
            .query_row(params![number(side), resource, id], |row| row.get(0))
            .optional()?;
        if let Some(key) = key {
            self.connection.prepare_cached("DELETE FROM body WHERE key = ?1")?.execute([key])?;
        }
        // a record that is gone must not be found by a match key
        self.connection
            .prepare_cached("DELETE FROM match_key WHERE side = ?1 AND resource = ?2 AND id = ?3")?
            .execute(params![number(side), resource, id])?;
        Ok(())
    }
}

impl Sqlite {
    /// Whether a record is known as it is; a complete read leaves its number. A delta writes nothing.
    fn see(&self, side: Side, resource: &str, row: &RecordRow, sweep: i64) -> Result<bool> {
        if sweep == 0 {
            let mut same = self.connection.prepare_cached(
                "SELECT 1 FROM record
                 WHERE side = ?1 AND resource = ?2 AND id = ?3 AND hash = ?4 AND parent IS ?5",
            )?;
            return Ok(same.exists(params![number(side), resource, row.id, row.hash, row.parent])?);
        }
        let mut same = self.connection.prepare_cached(
            "UPDATE record SET sweep = ?6
             WHERE side = ?1 AND resource = ?2 AND id = ?3 AND hash = ?4 AND parent IS ?5",
        )?;
        let seen = same.execute(params![number(side), resource, row.id, row.hash, row.parent, sweep])?;
        Ok(seen > 0)
    }

    /// Writes a record that is new or different. Sweep 0 keeps the number of the last complete read.
    fn write(&self, side: Side, resource: &str, row: &RecordRow, dirty: bool, sweep: i64) -> Result<()> {
        let key: Option<i64> = self
            .connection
            .prepare_cached(
                "UPDATE record SET parent = ?4, hash = ?5, dirty = ?6, sweep = iif(?7 = 0, sweep, ?7)
                 WHERE side = ?1 AND resource = ?2 AND id = ?3 RETURNING key",
            )?
            .query_row(params![number(side), resource, row.id, row.parent, row.hash, dirty, sweep], |row| {
                row.get(0)
            })
            .optional()?;
        let data = row.data.to_json();
        if let Some(key) = key {
            self.connection
                .prepare_cached("UPDATE body SET data = ?2 WHERE key = ?1")?
                .execute(params![key, data])?;
            return Ok(());
        }
        let key = self
            .connection
            .prepare_cached(
                "INSERT INTO record (side, resource, id, parent, hash, dirty, sweep)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
            )?
            .insert(params![number(side), resource, row.id, row.parent, row.hash, dirty, sweep])?;
        self.connection
            .prepare_cached("INSERT INTO body (key, data) VALUES (?1, ?2)")?
            .execute(params![key, data])?;
        Ok(())
    }
}

/// A query for whole records.
fn whole(rest: &str) -> String {
    format!("SELECT {COLUMNS} {rest}")
}

/// The condition of a kind, and the sweep in it. It always names `:sweep`, so that all kinds bind alike.
fn condition(which: Which) -> (&'static str, i64) {
    match which {
        Which::All => (":sweep = 0", 0),
        Which::Dirty => ("dirty = 1 AND :sweep = 0", 0),
        Which::UnseenBy(sweep) => ("sweep <> :sweep", sweep),
    }
}

fn stored(row: &Row) -> rusqlite::Result<StoredRecord> {
    Ok(StoredRecord {
        row: RecordRow { id: row.get(0)?, parent: row.get(1)?, data: json(row, 2)?, hash: row.get(3)? },
        dirty: row.get(4)?,
        sweep: row.get(5)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::{Links, RecordRef};
    use crate::value::from_json_str;

    fn row(id: &str, hash: &str) -> RecordRow {
        let data = from_json_str(&format!(r#"{{"id":"{id}","price":12.50}}"#)).unwrap();
        RecordRow { id: id.into(), parent: None, data, hash: hash.into() }
    }

    fn ids(records: &[StoredRecord]) -> Vec<&str> {
        records.iter().map(|record| record.id.as_str()).collect()
    }

    #[test]
    fn a_page_answers_what_is_new_or_different() {
        let mut store = Sqlite::in_memory().unwrap();
        let page = [row("1", "a"), row("2", "b"), row("1", "a")];
        assert_eq!(store.put_records(Side::Left, "customers", &page, 1).unwrap(), [true, true, false]);
        assert_eq!(store.put_records(Side::Right, "customers", &page[..1], 1).unwrap(), [true]);
        let page = [row("1", "a"), row("2", "c"), row("3", "d")];
        assert_eq!(store.put_records(Side::Left, "customers", &page, 2).unwrap(), [false, true, true]);
        let record = store.record(Side::Left, "customers", "2").unwrap().unwrap();
        assert_eq!(record, StoredRecord { row: row("2", "c"), dirty: true, sweep: 2 });
        assert_eq!(record.data.to_json(), r#"{"id":"2","price":12.50}"#);
        assert_eq!(store.record(Side::Left, "customers", "4").unwrap(), None);
    }

    #[test]
    fn a_record_that_moved_to_another_parent_is_different() {
        let mut store = Sqlite::in_memory().unwrap();
        let below = |parent: &str| RecordRow { parent: Some(parent.into()), ..row("1", "a") };
        store.put_records(Side::Left, "phases", &[below("p1"), row("0", "z")], 0).unwrap();
        assert_eq!(store.put_records(Side::Left, "phases", &[below("p1")], 0).unwrap(), [false]);
        assert_eq!(store.put_records(Side::Left, "phases", &[below("p2")], 0).unwrap(), [true]);
        assert_eq!(ids(&store.children(Side::Left, "phases", "p2").unwrap()), ["1"]);
        assert!(store.children(Side::Left, "phases", "p1").unwrap().is_empty());
    }

    #[test]
    fn a_delta_writes_nothing_for_what_it_knows() {
        let mut store = Sqlite::in_memory().unwrap();
        store.put_records(Side::Left, "customers", &[row("1", "a")], 7).unwrap();
        let before = store.news();
        assert_eq!(store.put_records(Side::Left, "customers", &[row("1", "a")], 0).unwrap(), [false]);
        assert_eq!(store.news(), before);
        assert_eq!(store.put_records(Side::Left, "customers", &[row("1", "b")], 0).unwrap(), [true]);
        assert_eq!(store.record(Side::Left, "customers", "1").unwrap().unwrap().sweep, 7);
    }

    #[test]
    fn a_complete_read_leaves_the_unseen() {
        let mut store = Sqlite::in_memory().unwrap();
        store
            .put_records(Side::Left, "customers", &[row("1", "a"), row("2", "b"), row("3", "c")], 1)
            .unwrap();
        store.put_records(Side::Left, "customers", &[row("1", "a"), row("3", "d")], 2).unwrap();
        let unseen = store.records(Side::Left, "customers", Which::UnseenBy(2), "", 10).unwrap();
        assert_eq!(ids(&unseen), ["2"]);
        assert_eq!(store.count(Side::Left, "customers", Which::UnseenBy(2)).unwrap(), 1);
        assert_eq!(store.count(Side::Left, "customers", Which::All).unwrap(), 3);
    }

    #[test]
    fn the_work_list_empties_only_for_the_hash_that_was_worked_on() {
        let mut store = Sqlite::in_memory().unwrap();
        store
            .put_records(Side::Left, "customers", &[row("1", "a"), row("2", "b"), row("3", "c")], 0)
            .unwrap();
        store.clean(Side::Left, "customers", "1", "a").unwrap();
        store.clean(Side::Left, "customers", "2", "older").unwrap();
        store.put_clean(Side::Left, "customers", &row("3", "written")).unwrap();
        store.put_clean(Side::Left, "customers", &row("4", "created")).unwrap();
        let dirty = store.records(Side::Left, "customers", Which::Dirty, "", 10).unwrap();
        assert_eq!(ids(&dirty), ["2"]);
        assert_eq!(store.record(Side::Left, "customers", "3").unwrap().unwrap().hash, "written");
        assert_eq!(store.mark_dirty(Side::Left, "customers", Some("1")).unwrap(), 1);
        assert_eq!(store.mark_dirty(Side::Left, "customers", Some("9")).unwrap(), 0);
        assert_eq!(store.count(Side::Left, "customers", Which::Dirty).unwrap(), 2);
        assert_eq!(store.mark_dirty(Side::Left, "customers", None).unwrap(), 4);
        assert_eq!(store.count(Side::Left, "customers", Which::Dirty).unwrap(), 4);
    }

    #[test]
    fn pages_go_on_after_the_last_id() {
        let mut store = Sqlite::in_memory().unwrap();
        let rows: Vec<_> = ["10", "9", "a", "B"].map(|id| row(id, "h")).into();
        store.put_records(Side::Left, "customers", &rows, 0).unwrap();
        let first = store.records(Side::Left, "customers", Which::All, "", 2).unwrap();
        assert_eq!(ids(&first), ["10", "9"]);
        assert_eq!(ids(&store.records(Side::Left, "customers", Which::All, "9", 9).unwrap()), ["B", "a"]);
    }

    #[test]
    fn a_record_that_is_gone_takes_its_keys_with_it() {
        let mut store = Sqlite::in_memory().unwrap();
        store.put_records(Side::Left, "customers", &[row("1", "a")], 0).unwrap();
        let record = RecordRef { resource: "customers".into(), id: "1".into() };
        store.put_keys("customers", Side::Left, &record, &[Some("acme".into())]).unwrap();
        store.remove_record(Side::Left, "customers", "1").unwrap();
        store.remove_record(Side::Left, "customers", "1").unwrap();
        assert_eq!(store.record(Side::Left, "customers", "1").unwrap(), None);
        assert!(store.by_key("customers", Side::Left, 0, "acme", 9).unwrap().is_empty());
        let bodies: i64 =
            store.connection.query_row("SELECT count(*) FROM body", [], |row| row.get(0)).unwrap();
        assert_eq!(bodies, 0);
    }
}
