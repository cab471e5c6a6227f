//! Commands that were left while another process worked on the state.

use rusqlite::types::Type;
use rusqlite::{Row, params};

use super::{Sqlite, json, limited};
use crate::store::{CommandRow, CommandState, Commands, Result};
use crate::value::Value;

const COLUMNS: &str = "SELECT id, given, command, state, settled, outcome FROM command";

impl Sqlite {
    /// Leaves a command. One statement, and so one transaction of its own: the serial and the token belong to the
    /// process that works on the state.
    pub(in crate::store) fn leave(&self, left: i64, command: &Value) -> Result<i64> {
        self.connection.execute(
            "INSERT INTO command (given, command, state, outcome) VALUES (?1, ?2, 'waiting', '')",
            params![left, command.to_json()],
        )?;
        Ok(self.connection.last_insert_rowid())
    }
}

impl Commands for Sqlite {
    fn waiting_commands(&self) -> Result<Vec<CommandRow>> {
        let mut statement =
            self.connection.prepare_cached(&format!("{COLUMNS} WHERE state = 'waiting' ORDER BY id"))?;
        let found = statement.query_map([], command)?;
        Ok(found.collect::<rusqlite::Result<_>>()?)
    }

    fn settle_command(&mut self, id: i64, state: CommandState, at: i64, outcome: &str) -> Result<bool> {
        let settled = self
            .connection
            .prepare_cached(
                "UPDATE command SET state = ?2, settled = ?3, outcome = ?4 WHERE id = ?1 AND state = 'waiting'",
            )?
            .execute(params![id, word(state), at, outcome])?;
        Ok(settled > 0)
    }

    fn commands(&self, limit: usize) -> Result<Vec<CommandRow>> {
        let mut statement =
            self.connection.prepare_cached(&format!("{COLUMNS} ORDER BY id DESC LIMIT ?1"))?;
        let found = statement.query_map([limited(limit)], command)?;
        Ok(found.collect::<rusqlite::Result<_>>()?)
    }
}

fn word(state: CommandState) -> &'static str {
    match state {
        CommandState::Waiting => "waiting",
        CommandState::Done => "done",
        CommandState::Refused => "refused",
    }
}

fn command(row: &Row) -> rusqlite::Result<CommandRow> {
    let text: String = row.get(3)?;
    let state = [CommandState::Waiting, CommandState::Done, CommandState::Refused]
        .into_iter()
        .find(|state| word(*state) == text)
        .ok_or_else(|| rusqlite::Error::FromSqlConversionFailure(3, Type::Text, text.into()))?;
    Ok(CommandRow {
        id: row.get(0)?,
        left: row.get(1)?,
        command: json(row, 2)?,
        state,
        settled: row.get(4)?,
        outcome: row.get(5)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_waits_until_it_is_settled_once() {
        let mut store = Sqlite::in_memory().unwrap();
        let ids = ["a", "b"].map(|text| store.leave(7, &Value::text(text)).unwrap());
        let row = |id, text| CommandRow {
            id,
            left: 7,
            command: Value::text(text),
            state: CommandState::Waiting,
            settled: None,
            outcome: String::new(),
        };
        assert_eq!(store.waiting_commands().unwrap(), [row(ids[0], "a"), row(ids[1], "b")]);
        assert!(store.settle_command(ids[0], CommandState::Refused, 9, "gone").unwrap());
        assert!(!store.settle_command(ids[0], CommandState::Done, 10, "done").unwrap());
        assert_eq!(store.waiting_commands().unwrap(), [row(ids[1], "b")]);
        let refused = CommandRow {
            state: CommandState::Refused,
            settled: Some(9),
            outcome: "gone".into(),
            ..row(ids[0], "a")
        };
        assert_eq!(store.commands(9).unwrap(), [row(ids[1], "b"), refused]);
        assert_eq!(store.commands(1).unwrap(), [row(ids[1], "b")]);
    }
}
