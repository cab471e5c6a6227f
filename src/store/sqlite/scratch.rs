//! The scratch rows of a plan, in SQLite's temporary database.

use rusqlite::{OptionalExtension, Row, params};

use super::{Sqlite, limited};
use crate::store::{PlanRow, RecordRef, Result, Scratch};
use crate::value::Side;

/// Every row, with the columns that [`planned`] reads.
const SELECT: &str =
    "SELECT seq, register, left_resource, left_id, right_resource, right_id, action, change FROM plan";

impl Scratch for Sqlite {
    fn clear_plan(&mut self) -> Result<()> {
        self.scratch += self.connection.execute("DELETE FROM plan", [])? as u64;
        Ok(())
    }

    fn add_changes(&mut self, rows: &[PlanRow]) -> Result<()> {
        let mut statement = self.connection.prepare_cached(
            "INSERT INTO plan (register, left_resource, left_id, right_resource, right_id, action, change)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        )?;
        for row in rows {
            let ((left, left_id), (right, right_id)) =
                (columns(row.left.as_ref()), columns(row.right.as_ref()));
            statement.execute(params![
                row.register,
                left,
                left_id,
                right,
                right_id,
                row.action,
                row.change
            ])?;
            self.scratch += 1;
        }
        Ok(())
    }

    fn set_change(&mut self, row: &PlanRow) -> Result<()> {
        self.connection
            .prepare_cached("UPDATE plan SET action = ?2, change = ?3 WHERE seq = ?1")?
            .execute(params![row.seq, row.action, row.change])?;
        self.scratch += 1;
        Ok(())
    }

    fn changes(&self, register: Option<&str>, after: i64, limit: usize) -> Result<Vec<PlanRow>> {
        let of_register = match register {
            Some(_) => "register = ?1",
            None => "?1 IS NULL",
        };
        let sql = format!("{SELECT} WHERE {of_register} AND seq > ?2 ORDER BY seq LIMIT ?3");
        let mut statement = self.connection.prepare_cached(&sql)?;
        let found = statement.query_map(params![register, after, limited(limit)], planned)?;
        Ok(found.collect::<rusqlite::Result<_>>()?)
    }

    fn change_of(&self, register: &str, side: Side, at: &RecordRef) -> Result<Option<PlanRow>> {
        let sql = format!(
            "{SELECT} WHERE register = ?1 AND {side}_resource = ?2 AND {side}_id = ?3 ORDER BY seq LIMIT 1"
        );
        let mut statement = self.connection.prepare_cached(&sql)?;
        Ok(statement.query_row([register, &at.resource, &at.id], planned).optional()?)
    }

    fn count_held(&self, register: &str) -> Result<u64> {
        let mut statement = self.connection.prepare_cached(
            "SELECT count(*) FROM plan JOIN link ON link.register = plan.register
                AND link.left_resource = plan.left_resource AND link.left_id = plan.left_id
                AND link.right_resource = plan.right_resource AND link.right_id = plan.right_id
             WHERE plan.register = ?1 AND plan.action IN ('wait', 'set_aside')",
        )?;
        Ok(statement.query_row([register], |row| row.get::<_, i64>(0))?.unsigned_abs())
    }

    fn count_changes(&self, register: &str) -> Result<Vec<(String, u64)>> {
        let mut statement = self.connection.prepare_cached(
            "SELECT action, count(*) FROM plan WHERE register = ?1 GROUP BY action ORDER BY 1",
        )?;
        let found =
            statement.query_map([register], |row| Ok((row.get(0)?, row.get::<_, i64>(1)?.unsigned_abs())))?;
        Ok(found.collect::<rusqlite::Result<_>>()?)
    }
}

fn planned(row: &Row) -> rusqlite::Result<PlanRow> {
    Ok(PlanRow {
        seq: row.get(0)?,
        register: row.get(1)?,
        left: record(row, 2)?,
        right: record(row, 4)?,
        action: row.get(6)?,
        change: row.get(7)?,
    })
}

fn columns(at: Option<&RecordRef>) -> (Option<&str>, Option<&str>) {
    (at.map(|one| one.resource.as_str()), at.map(|one| one.id.as_str()))
}

/// What stands in two columns from this one on.
fn record(row: &Row, at: usize) -> rusqlite::Result<Option<RecordRef>> {
    let (resource, id): (Option<String>, Option<String>) = (row.get(at)?, row.get(at + 1)?);
    Ok(resource.zip(id).map(|(resource, id)| RecordRef { resource, id }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(resource: &str, id: &str) -> RecordRef {
        RecordRef { resource: resource.into(), id: id.into() }
    }

    fn row(register: &str, left: Option<&str>, right: Option<&str>, action: &str) -> PlanRow {
        PlanRow {
            seq: 0,
            register: register.into(),
            left: left.map(|id| at(register, id)),
            right: right.map(|id| at(register, id)),
            action: action.into(),
            change: "{}".into(),
        }
    }

    #[test]
    fn a_plan_is_read_in_order_and_forgotten() {
        let mut store = Sqlite::in_memory().unwrap();
        let rows = [
            row("customers", Some("1"), None, "create"),
            row("projects", Some("1"), Some("P"), "update"),
            row("customers", Some("2"), Some("B"), "update"),
            row("customers", None, Some("C"), "create"),
        ];
        store.add_changes(&rows).unwrap();
        let numbered: Vec<_> =
            rows.iter().zip(1..).map(|(row, seq)| PlanRow { seq, ..row.clone() }).collect();
        assert_eq!(store.changes(None, 0, 9).unwrap(), numbered);
        assert_eq!(store.changes(Some("customers"), 1, 1).unwrap(), numbered[2..3]);
        assert_eq!(
            store.change_of("customers", Side::Right, &at("customers", "B")).unwrap(),
            Some(numbered[2].clone())
        );
        assert_eq!(store.change_of("customers", Side::Left, &at("customers", "B")).unwrap(), None);
        assert_eq!(store.change_of("customers", Side::Right, &at("suppliers", "B")).unwrap(), None);
        let counts = store.count_changes("customers").unwrap();
        assert_eq!(counts, [("create".to_owned(), 2), ("update".to_owned(), 1)]);

        store.clear_plan().unwrap();
        assert!(store.changes(None, 0, 9).unwrap().is_empty());
    }

    #[test]
    fn a_plan_is_no_news_to_the_state() {
        let mut store = Sqlite::in_memory().unwrap();
        let before = store.news();
        store.add_changes(&[row("customers", Some("1"), None, "create")]).unwrap();
        store.clear_plan().unwrap();
        assert_eq!(store.news(), before);
    }
}
