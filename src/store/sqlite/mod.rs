//! The store in an SQLite file.
//!
//! One table for each question of the contract, JSON as text, times as milliseconds, sides as 0 and 1.
//! Every statement is prepared once. Transactions belong to the thread behind the handle, never to a method here.

mod commands;
mod journal;
mod links;
mod log;
mod mirror;
mod open;
mod schema;
mod scratch;
mod trial;

use rusqlite::types::Type;
use rusqlite::{Connection, ErrorCode, Row};

use super::StoreError;
use crate::value::{Side, Value, from_json_str};

pub(super) use open::Identity;

/// One open database.
pub(super) struct Sqlite {
    /// The one connection.
    pub(super) connection: Connection,
    /// How many row changes were scratch: they are no news to the state.
    scratch: u64,
}

impl Sqlite {
    /// How many rows were changed since the database was opened, scratch left out.
    pub(super) fn news(&self) -> u64 {
        self.connection.total_changes() - self.scratch
    }
}

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        let say = |what: &str| StoreError(format!("{what} ({error})"));
        match error.sqlite_error_code() {
            Some(ErrorCode::DiskFull) => say("the disk is full: make room and run again"),
            Some(ErrorCode::ReadOnly) => say("it was opened for reading only"),
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
                say("another process holds it for too long: run again when it is done")
            }
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => {
                say("the file is damaged: restore it from a backup")
            }
            Some(ErrorCode::SystemIoFailure | ErrorCode::CannotOpen) => {
                say("the file cannot be read or written: check the disk and its permissions")
            }
            _ => StoreError(error.to_string()),
        }
    }
}

/// A column that holds JSON.
fn json(row: &Row, column: usize) -> rusqlite::Result<Value> {
    let text = row.get_ref(column)?.as_str()?;
    from_json_str(text)
        .map_err(|error| rusqlite::Error::FromSqlConversionFailure(column, Type::Text, Box::new(error)))
}

/// A column that holds a side.
fn side(row: &Row, column: usize) -> rusqlite::Result<Side> {
    Ok(if row.get::<_, i64>(column)? == 0 { Side::Left } else { Side::Right })
}

/// How a side is stored.
fn number(side: Side) -> i64 {
    match side {
        Side::Left => 0,
        Side::Right => 1,
    }
}

/// A number as SQLite counts; more than it can count is -1, which as a limit is none.
fn limited(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(-1)
}
