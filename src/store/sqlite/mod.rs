//! The store on one SQLite file: WAL, every commit on disk before it is answered.

mod journal;
mod links;
mod log;
mod mirror;
mod schema;
mod scratch;

use std::path::Path;

use rusqlite::{Connection, OpenFlags};

use super::{Result, StoreError};
use crate::value::{Side, Value, from_json_str};

/// A store on SQLite.
pub(super) struct Sqlite {
    pub(super) db: Connection,
}

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        StoreError(error.to_string())
    }
}

impl Sqlite {
    /// Opens (or makes) a state file for writing.
    pub(super) fn open(path: &Path) -> Result<Sqlite> {
        let db = Connection::open(path)?;
        private(path);
        db.pragma_update(None, "journal_mode", "WAL")?;
        // NORMAL may lose the last commits at a power loss: an intent would be gone while its request left
        db.pragma_update(None, "synchronous", "FULL")?;
        Sqlite::prepared(db, true)
    }

    /// Opens a state file for reading only; scratch rows of a plan live in memory.
    pub(super) fn open_read_only(path: &Path) -> Result<Sqlite> {
        let db = Connection::open_with_flags(
            path,
            OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX,
        )?;
        Sqlite::prepared(db, false)
    }

    /// Writes a copy into a file of its own.
    pub(super) fn copy_to(&self, path: &Path) -> Result<()> {
        self.db.execute("VACUUM INTO ?1", [path.to_string_lossy()])?;
        Ok(())
    }

    /// A store in memory.
    pub(super) fn in_memory() -> Result<Sqlite> {
        Sqlite::prepared(Connection::open_in_memory()?, true)
    }

    fn prepared(mut db: Connection, writable: bool) -> Result<Sqlite> {
        db.busy_timeout(std::time::Duration::from_secs(10))?;
        db.set_prepared_statement_cache_capacity(128);
        // plan rows die with their run: they are never in the state file
        db.pragma_update(None, "temp_store", "MEMORY")?;
        if writable {
            schema::migrate(&mut db)?;
        } else {
            schema::check(&db)?;
        }
        db.execute_batch(scratch::TABLE)?;
        Ok(Sqlite { db })
    }
}

/// The state holds a company's data: only its owner may read it.
fn private(path: &Path) {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        // where the mode cannot be set (a foreign file system), the file is still used
        let _ = std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600));
    }
    #[cfg(not(unix))]
    let _ = path;
}

fn side_number(side: Side) -> i64 {
    match side {
        Side::Left => 0,
        Side::Right => 1,
    }
}

fn side_of(number: i64) -> Side {
    if number == 0 { Side::Left } else { Side::Right }
}

/// A value from a JSON column.
fn value_of(text: &str) -> rusqlite::Result<Value> {
    from_json_str(text).map_err(|error| {
        rusqlite::Error::FromSqlConversionFailure(0, rusqlite::types::Type::Text, Box::new(error))
    })
}

/// A snake_case word of a serde enum, for a text column.
fn word<T: serde::Serialize>(value: T) -> String {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(word)) => word,
        _ => String::new(),
    }
}

fn from_word<T: serde::de::DeserializeOwned>(word: String) -> rusqlite::Result<T> {
    serde_json::from_value(serde_json::Value::String(word)).map_err(|error| {
        rusqlite::Error::FromSqlConversionFailure(0, rusqlite::types::Type::Text, Box::new(error))
    })
}

fn limit(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}
