//! The scratch rows of a plan, in SQLite's temporary database.

use rusqlite::{OptionalExtension, Row, params};

use super::{Sqlite, limited};
use crate::store::{PlanRow, Result, Scratch};
use crate::value::Side;

/// Every row, with the columns that [`planned`] reads.
const SELECT: &str = "SELECT seq, register, left_id, right_id, action, change FROM plan";

impl Scratch for Sqlite {
    fn clear_plan(&mut self) -> Result<()> {
        self.scratch += self.connection.execute("DELETE FROM plan", [])? as u64;
        Ok(())
    }

    fn add_changes(&mut self, rows: &[PlanRow]) -> Result<()> {
        let mut statement = self.connection.prepare_cached(
            "INSERT INTO plan (register, left_id, right_id, action, change) VALUES (?1, ?2, ?3, ?4, ?5)",
        )?;
        for row in rows {
            statement.execute(params![row.register, row.left, row.right, row.action, row.change])?;
            self.scratch += 1;
        }
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

    fn change_of(&self, register: &str, side: Side, id: &str) -> Result<Option<PlanRow>> {
        let column = match side {
            Side::Left => "left_id",
            Side::Right => "right_id",
        };
        let sql = format!("{SELECT} WHERE register = ?1 AND {column} = ?2 ORDER BY seq LIMIT 1");
        let mut statement = self.connection.prepare_cached(&sql)?;
        Ok(statement.query_row([register, id], planned).optional()?)
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
        left: row.get(2)?,
        right: row.get(3)?,
        action: row.get(4)?,
        change: row.get(5)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(register: &str, left: Option<&str>, right: Option<&str>, action: &str) -> PlanRow {
        PlanRow {
            seq: 0,
            register: register.into(),
            left: left.map(Into::into),
            right: right.map(Into::into),
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
        assert_eq!(store.change_of("customers", Side::Right, "B").unwrap(), Some(numbered[2].clone()));
        assert_eq!(store.change_of("customers", Side::Left, "B").unwrap(), None);
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
