//! Match keys and links.

use std::fmt::Write as _;

use rusqlite::{Connection, OptionalExtension, Row, params};

use super::{Sqlite, json, limited, number};
use crate::store::{Link, Links, Mirror, RecordRef, Result, StoreError};
use crate::value::Side;

/// Every link, with the columns that [`link`] reads.
const SELECT: &str =
    "SELECT register, left_resource, left_id, right_resource, right_id, base, since, how FROM link";

impl Links for Sqlite {
    fn put_keys(
        &mut self,
        register: &str,
        side: Side,
        record: &RecordRef,
        keys: &[Option<String>],
    ) -> Result<()> {
        let known = self.keys_of(register, side, record)?;
        let keys: Vec<(usize, &String)> =
            keys.iter().enumerate().filter_map(|(place, key)| Some((place, key.as_ref()?))).collect();
        // most records keep their keys: only a difference is written
        for (place, _) in &known {
            if keys.iter().all(|(kept, _)| kept != place) {
                self.connection
                    .prepare_cached(
                        "DELETE FROM match_key
                         WHERE side = ?1 AND resource = ?2 AND id = ?3 AND register = ?4 AND place = ?5",
                    )?
                    .execute(params![number(side), record.resource, record.id, register, limited(*place)])?;
            }
        }
        for (place, key) in keys {
            if !known.iter().any(|was| was.0 == place && was.1 == *key) {
                self.connection
                    .prepare_cached(
                        "INSERT OR REPLACE INTO match_key (side, resource, id, register, place, key)
                         VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
                    )?
                    .execute(params![
                        number(side),
                        record.resource,
                        record.id,
                        register,
                        limited(place),
                        key
                    ])?;
            }
        }
        Ok(())
    }

    fn keys_of(&self, register: &str, side: Side, record: &RecordRef) -> Result<Vec<(usize, String)>> {
        let mut statement = self.connection.prepare_cached(
            "SELECT place, key FROM match_key
             WHERE side = ?1 AND resource = ?2 AND id = ?3 AND register = ?4",
        )?;
        let found = statement
            .query_map(params![number(side), record.resource, record.id, register], |row| {
                Ok((usize::try_from(row.get::<_, i64>(0)?).unwrap_or_default(), row.get(1)?))
            })?;
        Ok(found.collect::<rusqlite::Result<_>>()?)
    }

    fn by_key(
        &self,
        register: &str,
        side: Side,
        index: usize,
        key: &str,
        limit: usize,
    ) -> Result<Vec<RecordRef>> {
        let mut statement = self.connection.prepare_cached(
            "SELECT resource, id FROM match_key
             WHERE register = ?1 AND side = ?2 AND place = ?3 AND key = ?4 ORDER BY id, resource LIMIT ?5",
        )?;
        let found = statement
            .query_map(params![register, number(side), limited(index), key, limited(limit)], |row| {
                Ok(RecordRef { resource: row.get(0)?, id: row.get(1)? })
            })?;
        Ok(found.collect::<rusqlite::Result<_>>()?)
    }

    fn link(&self, register: &str, side: Side, record: &RecordRef) -> Result<Option<Link>> {
        let (resource, id) = columns(side);
        let sql = format!("{SELECT} WHERE register = ?1 AND {resource} = ?2 AND {id} = ?3");
        let mut statement = self.connection.prepare_cached(&sql)?;
        Ok(statement.query_row([register, &record.resource, &record.id], link).optional()?)
    }

    fn link_by_id(&self, register: &str, side: Side, id: &str) -> Result<Option<Link>> {
        let (_, column) = columns(side);
        let sql = format!("{SELECT} WHERE register = ?1 AND {column} = ?2 ORDER BY key LIMIT 1");
        let mut statement = self.connection.prepare_cached(&sql)?;
        Ok(statement.query_row([register, id], link).optional()?)
    }

    fn put_link(&mut self, link: &Link) -> Result<()> {
        for side in Side::BOTH {
            let Some(other) = self.link(&link.register, side, link.on(side))? else { continue };
            if other.left != link.left || other.right != link.right {
                return Err(twice(link, &other, side));
            }
        }
        self.connection
            .prepare_cached(
                "INSERT INTO link
                    (register, left_resource, left_id, right_resource, right_id, base, since, how)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
                 ON CONFLICT (register, left_resource, left_id)
                 DO UPDATE SET base = excluded.base, since = excluded.since, how = excluded.how",
            )?
            .execute(params![
                link.register,
                link.left.resource,
                link.left.id,
                link.right.resource,
                link.right.id,
                link.base.to_json(),
                link.since,
                link.how,
            ])?;
        Ok(())
    }

    fn remove_link(&mut self, register: &str, left: &RecordRef) -> Result<bool> {
        let Some(link) = self.link(register, Side::Left, left)? else { return Ok(false) };
        self.connection
            .prepare_cached("DELETE FROM link WHERE register = ?1 AND left_resource = ?2 AND left_id = ?3")?
            .execute(params![register, left.resource, left.id])?;
        for side in Side::BOTH {
            self.mark_dirty(side, &link.on(side).resource, Some(&link.on(side).id))?;
        }
        Ok(true)
    }

    fn links(&self, register: &str, after: &str, limit: usize) -> Result<Vec<Link>> {
        // a page never ends between two links of one id
        let sql = format!(
            "{SELECT} WHERE register = ?1 AND left_id > ?2 AND left_id <= (
                SELECT max(left_id) FROM (
                    SELECT left_id FROM link WHERE register = ?1 AND left_id > ?2 ORDER BY left_id LIMIT ?3))
             ORDER BY left_id, left_resource"
        );
        let mut statement = self.connection.prepare_cached(&sql)?;
        let found = statement.query_map(params![register, after, limited(limit)], link)?;
        Ok(found.collect::<rusqlite::Result<_>>()?)
    }

    fn count_links(&self, register: &str) -> Result<u64> {
        let mut statement =
            self.connection.prepare_cached("SELECT count(*) FROM link WHERE register = ?1")?;
        Ok(statement.query_row([register], |row| row.get::<_, i64>(0))?.unsigned_abs())
    }

    fn rename_register(&mut self, was: &str, now: &str) -> Result<bool> {
        if was == now {
            return Ok(false);
        }
        if self.count_links(was)? > 0 && self.count_links(now)? > 0 {
            return Err(StoreError(format!(
                "register {was:?} cannot become {now:?}, which has links of its own: take `was:` away, or \
                 remove the links of one of them"
            )));
        }
        let mut any = 0;
        for table in ["link", "match_key", "intent", "plan", "set_aside", "event"] {
            // where both names have a row for one record, the old register's is the one with a past
            any += rename(&self.connection, table, was, now)?;
        }
        Ok(any > 0)
    }
}

fn columns(side: Side) -> (&'static str, &'static str) {
    match side {
        Side::Left => ("left_resource", "left_id"),
        Side::Right => ("right_resource", "right_id"),
    }
}

fn rename(connection: &Connection, table: &str, was: &str, now: &str) -> Result<usize> {
    let sql = format!("UPDATE OR REPLACE {table} SET register = ?2 WHERE register = ?1");
    Ok(connection.execute(&sql, [was, now])?)
}

/// A record would get a second link.
fn twice(link: &Link, other: &Link, side: Side) -> StoreError {
    let mut text = format!("in register {:?}, ", link.register);
    let mine = link.on(side);
    let _ = write!(
        text,
        "the {side} record {}/{} cannot be linked with {}: it is already linked with {}. Remove that link first",
        mine.resource,
        mine.id,
        named(link.on(side.other())),
        named(other.on(side.other())),
    );
    StoreError(text)
}

fn named(record: &RecordRef) -> String {
    format!("{}/{}", record.resource, record.id)
}

fn link(row: &Row) -> rusqlite::Result<Link> {
    Ok(Link {
        register: row.get(0)?,
        left: RecordRef { resource: row.get(1)?, id: row.get(2)? },
        right: RecordRef { resource: row.get(3)?, id: row.get(4)? },
        base: json(row, 5)?,
        since: row.get(6)?,
        how: row.get(7)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::{Journal, Log, RecordRow, Which};
    use crate::value::{Value, from_json_str};

    fn record(resource: &str, id: &str) -> RecordRef {
        RecordRef { resource: resource.into(), id: id.into() }
    }

    fn link(left: &str, right: &str) -> Link {
        Link {
            register: "customers".into(),
            left: record("customers", left),
            right: record("clients", right),
            base: from_json_str(r#"{"name":["Acme","ACME"],"limit":[10.00,10]}"#).unwrap(),
            since: 1,
            how: "matched".into(),
        }
    }

    #[test]
    fn keys_are_replaced_and_found_in_order() {
        let mut store = Sqlite::in_memory().unwrap();
        for id in ["2", "1", "3"] {
            let keys = [Some("acme".into()), None, Some(format!("vat{id}"))];
            store.put_keys("customers", Side::Left, &record("customers", id), &keys).unwrap();
        }
        let found = store.by_key("customers", Side::Left, 0, "acme", 2).unwrap();
        assert_eq!(found, [record("customers", "1"), record("customers", "2")]);
        assert!(store.by_key("customers", Side::Right, 0, "acme", 2).unwrap().is_empty());
        assert!(store.by_key("customers", Side::Left, 2, "acme", 2).unwrap().is_empty());

        store.put_keys("customers", Side::Left, &record("customers", "1"), &[Some("other".into())]).unwrap();
        let found = store.by_key("customers", Side::Left, 0, "acme", 9).unwrap();
        assert_eq!(found, [record("customers", "2"), record("customers", "3")]);
        assert!(store.by_key("customers", Side::Left, 2, "vat1", 9).unwrap().is_empty());

        let before = store.news();
        store.put_keys("customers", Side::Left, &record("customers", "1"), &[Some("other".into())]).unwrap();
        assert_eq!(store.news(), before, "the same keys again write nothing");
    }

    #[test]
    fn a_link_is_found_from_both_sides() {
        let mut store = Sqlite::in_memory().unwrap();
        store.put_link(&link("1", "A")).unwrap();
        let found = store.link("customers", Side::Right, &record("clients", "A")).unwrap();
        assert_eq!(found, Some(link("1", "A")));
        assert_eq!(found.unwrap().base.to_json(), r#"{"name":["Acme","ACME"],"limit":[10.00,10]}"#);
        assert_eq!(store.link_by_id("customers", Side::Left, "1").unwrap(), Some(link("1", "A")));
        assert_eq!(store.link("customers", Side::Right, &record("suppliers", "A")).unwrap(), None);
        assert_eq!(store.link_by_id("projects", Side::Left, "1").unwrap(), None);
    }

    #[test]
    fn the_same_pair_again_is_an_update_and_another_pair_an_error() {
        let mut store = Sqlite::in_memory().unwrap();
        store.put_link(&link("1", "A")).unwrap();
        let newer = Link { base: Value::Null, since: 5, how: "by_hand".into(), ..link("1", "A") };
        store.put_link(&newer).unwrap();
        assert_eq!(store.links("customers", "", 9).unwrap(), [newer]);
        assert_eq!(
            store.put_link(&link("1", "B")).unwrap_err().to_string(),
            "state: in register \"customers\", the left record customers/1 cannot be linked with clients/B: it \
             is already linked with clients/A. Remove that link first"
        );
        assert_eq!(
            store.put_link(&link("2", "A")).unwrap_err().to_string(),
            "state: in register \"customers\", the right record clients/A cannot be linked with customers/2: \
             it is already linked with customers/1. Remove that link first"
        );
        assert_eq!(store.count_links("customers").unwrap(), 1);
    }

    #[test]
    fn a_link_that_is_taken_away_puts_its_records_on_the_work_list() {
        let mut store = Sqlite::in_memory().unwrap();
        let row = |id: &str| RecordRow { id: id.into(), parent: None, data: Value::Null, hash: "h".into() };
        store.put_clean(Side::Left, "customers", &row("1")).unwrap();
        store.put_clean(Side::Right, "clients", &row("A")).unwrap();
        store.put_link(&link("1", "A")).unwrap();
        assert!(!store.remove_link("customers", &record("customers", "2")).unwrap());
        assert!(store.remove_link("customers", &record("customers", "1")).unwrap());
        assert_eq!(store.link_by_id("customers", Side::Left, "1").unwrap(), None);
        assert_eq!(store.count(Side::Left, "customers", Which::Dirty).unwrap(), 1);
        assert_eq!(store.count(Side::Right, "clients", Which::Dirty).unwrap(), 1);
    }

    #[test]
    fn links_come_in_pages() {
        let mut store = Sqlite::in_memory().unwrap();
        for (left, right) in [("3", "A"), ("1", "B"), ("2", "C")] {
            store.put_link(&link(left, right)).unwrap();
        }
        assert_eq!(store.links("customers", "", 2).unwrap(), [link("1", "B"), link("2", "C")]);
        assert_eq!(store.links("customers", "2", 2).unwrap(), [link("3", "A")]);
    }

    #[test]
    fn two_resources_of_a_side_may_number_alike() {
        let mut store = Sqlite::in_memory().unwrap();
        let note = Link { left: record("notes", "1"), right: record("clients", "B"), ..link("1", "A") };
        store.put_link(&link("1", "A")).unwrap();
        store.put_link(&note).unwrap();
        assert_eq!(store.link("customers", Side::Left, &record("notes", "1")).unwrap(), Some(note.clone()));
        assert_eq!(store.links("customers", "", 1).unwrap(), [link("1", "A"), note]);
        assert!(store.remove_link("customers", &record("notes", "1")).unwrap());
        assert_eq!(store.links("customers", "", 9).unwrap(), [link("1", "A")]);
    }

    #[test]
    fn a_register_takes_everything_to_its_new_name() {
        let mut store = Sqlite::in_memory().unwrap();
        store.put_link(&link("1", "A")).unwrap();
        store.put_keys("customers", Side::Left, &record("customers", "1"), &[Some("acme".into())]).unwrap();
        store.add_intent(&super::super::journal::tests::intent()).unwrap();
        store.put_set_aside(&super::super::log::tests::aside("1")).unwrap();
        assert!(store.rename_register("customers", "clients").unwrap());
        assert!(!store.rename_register("customers", "clients").unwrap());
        assert_eq!(store.count_links("clients").unwrap(), 1);
        assert_eq!(store.by_key("clients", Side::Left, 0, "acme", 9).unwrap(), [record("customers", "1")]);
        assert_eq!(store.intents(Some("clients"), None, 9).unwrap().len(), 1);
        assert_eq!(store.set_aside(Some("clients")).unwrap().len(), 1);

        store.put_link(&link("1", "A")).unwrap();
        assert_eq!(
            store.rename_register("customers", "clients").unwrap_err().0,
            "register \"customers\" cannot become \"clients\", which has links of its own: take `was:` away, \
             or remove the links of one of them"
        );
    }
}
