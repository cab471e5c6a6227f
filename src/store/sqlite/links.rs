//! Match keys and links.

use rusqlite::{OptionalExtension, Row, params};

use super::super::{Link, Links, Mirror, RecordRef, Result, StoreError};
use super::{Sqlite, limit, side_number, value_of};
use crate::value::Side;

const COLUMNS: &str = "register, left_resource, left_id, right_resource, right_id, base, since, how";

fn link(row: &Row) -> rusqlite::Result<Link> {
    Ok(Link {
        register: row.get(0)?,
        left: RecordRef { resource: row.get(1)?, id: row.get(2)? },
        right: RecordRef { resource: row.get(3)?, id: row.get(4)? },
        base: value_of(row.get_ref(5)?.as_str()?)?,
        since: row.get(6)?,
        how: row.get(7)?,
    })
}

impl Links for Sqlite {
    fn put_keys(
        &mut self,
        register: &str,
        side: Side,
        record: &RecordRef,
        keys: &[Option<String>],
    ) -> Result<()> {
        self.db
            .prepare_cached(
                "DELETE FROM match_key WHERE register = ?1 AND side = ?2 AND id = ?3 AND resource = ?4",
            )?
            .execute(params![register, side_number(side), record.id, record.resource])?;
        for (slot, key) in keys.iter().enumerate() {
            if let Some(key) = key {
                self.db
                    .prepare_cached("INSERT INTO match_key (register, side, slot, value, resource, id) VALUES (?1, ?2, ?3, ?4, ?5, ?6)")?
                    .execute(params![register, side_number(side), limit(slot), key, record.resource, record.id])?;
            }
        }
        Ok(())
    }

    fn by_key(
        &self,
        register: &str,
        side: Side,
        index: usize,
        key: &str,
        count: usize,
    ) -> Result<Vec<RecordRef>> {
        let mut statement = self.db.prepare_cached(
            "SELECT resource, id FROM match_key WHERE register = ?1 AND side = ?2 AND slot = ?3 AND value = ?4 ORDER BY id LIMIT ?5",
        )?;
        let rows = statement
            .query_map(params![register, side_number(side), limit(index), key, limit(count)], |row| {
                Ok(RecordRef { resource: row.get(0)?, id: row.get(1)? })
            })?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    fn link(&self, register: &str, side: Side, record: &RecordRef) -> Result<Option<Link>> {
        Ok(self
            .link_by_id(register, side, &record.id)?
            .filter(|link| link.on(side).resource == record.resource))
    }

    fn link_by_id(&self, register: &str, side: Side, id: &str) -> Result<Option<Link>> {
        let column = match side {
            Side::Left => "left_id",
            Side::Right => "right_id",
        };
        Ok(self
            .db
            .prepare_cached(&format!("SELECT {COLUMNS} FROM link WHERE register = ?1 AND {column} = ?2"))?
            .query_row(params![register, id], link)
            .optional()?)
    }

    fn put_link(&mut self, link: &Link) -> Result<()> {
        for side in Side::BOTH {
            if let Some(other) = self.link_by_id(&link.register, side, &link.on(side).id)?
                && (other.left != link.left || other.right != link.right)
            {
                return Err(StoreError(format!(
                    "{} {} is linked to {} already, it cannot be linked to {}",
                    link.register,
                    link.on(side).id,
                    other.on(side.other()).id,
                    link.on(side.other()).id
                )));
            }
        }
        self.db
            .prepare_cached(&format!(
                "INSERT INTO link ({COLUMNS}) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) ON CONFLICT (register, left_id) DO UPDATE SET base = ?6"
            ))?
            .execute(params![
                link.register,
                link.left.resource,
                link.left.id,
                link.right.resource,
                link.right.id,
                link.base.to_json(),
                link.since,
                link.how
            ])?;
        Ok(())
    }

    fn remove_link(&mut self, register: &str, left: &RecordRef) -> Result<bool> {
        let Some(link) = self.link(register, Side::Left, left)? else { return Ok(false) };
        self.db
            .prepare_cached("DELETE FROM link WHERE register = ?1 AND left_id = ?2")?
            .execute(params![register, left.id])?;
        for side in Side::BOTH {
            let at = link.on(side);
            self.mark_dirty(side, &at.resource, Some(&at.id))?;
        }
        Ok(true)
    }

    fn links(&self, register: &str, after: &str, count: usize) -> Result<Vec<Link>> {
        let mut statement = self.db.prepare_cached(&format!(
            "SELECT {COLUMNS} FROM link WHERE register = ?1 AND left_id > ?2 ORDER BY left_id LIMIT ?3"
        ))?;
        let rows = statement.query_map(params![register, after, limit(count)], link)?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    fn count_links(&self, register: &str) -> Result<u64> {
        let count: i64 = self
            .db
            .prepare_cached("SELECT count(*) FROM link WHERE register = ?1")?
            .query_row([register], |row| row.get(0))?;
        Ok(count.unsigned_abs())
    }

    fn rename_register(&mut self, was: &str, now: &str) -> Result<bool> {
        let mut renamed = 0;
        for table in ["link", "match_key", "intent", "set_aside", "event"] {
            renamed += self.db.execute(
                &format!("UPDATE {table} SET register = ?2 WHERE register = ?1"),
                params![was, now],
            )?;
        }
        Ok(renamed > 0)
    }
}
