//! Opening a state: is it ours, do we know its version, who holds it.

use std::path::Path;
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, ErrorCode, OpenFlags, OptionalExtension, params};

use super::Sqlite;
use super::schema::{APPLICATION, SCRATCH, STEPS};
use crate::store::{OpenError, Result};

/// How long another connection may hold the file before we give up.
const PATIENCE: Duration = Duration::from_secs(10);

/// After how many pages the log is written back into the file: fewer, longer writes than SQLite's 1,000.
const CHECKPOINT_PAGES: i64 = 16_000;

/// Which state this is, and how far it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::store) struct Identity {
    /// The id that this state was born with.
    pub(in crate::store) lineage: String,
    /// How many batches changed it.
    pub(in crate::store) serial: i64,
    /// The doubt about its origin that nobody has settled yet, as JSON.
    pub(in crate::store) doubt: Option<String>,
}

impl Sqlite {
    /// Opens or makes a state file for writing, and brings it to our version.
    pub(in crate::store) fn writable(path: &Path) -> Result<Sqlite, OpenError> {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
            | OpenFlags::SQLITE_OPEN_CREATE
            | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let failed = |error| refused(path, error);
        let connection = Connection::open_with_flags(path, flags).map_err(failed)?;
        connection.busy_timeout(PATIENCE).map_err(failed)?;
        known(&connection, path)?;
        let journal: String =
            connection.query_row("PRAGMA journal_mode = WAL", [], |row| row.get(0)).map_err(failed)?;
        if journal != "wal" {
            return Err(OpenError::Failed {
                path: path.to_owned(),
                why: "this disk cannot share memory between processes, as network disks cannot: keep the \
                      state on a local disk"
                    .to_owned(),
            });
        }
        connection.pragma_update(None, "wal_autocheckpoint", CHECKPOINT_PAGES).map_err(failed)?;
        Sqlite::prepared(connection).map_err(failed)
    }

    /// Opens a state file for reading, while another process may be writing.
    pub(in crate::store) fn readable(path: &Path) -> Result<Sqlite, OpenError> {
        Sqlite::existing(path, OpenFlags::SQLITE_OPEN_READ_ONLY)
    }

    fn existing(path: &Path, access: OpenFlags) -> Result<Sqlite, OpenError> {
        let failed = |error| refused(path, error);
        let connection =
            Connection::open_with_flags(path, access | OpenFlags::SQLITE_OPEN_NO_MUTEX).map_err(failed)?;
        connection.busy_timeout(PATIENCE).map_err(failed)?;
        let found = known(&connection, path)?;
        if found < STEPS.len() {
            return Err(OpenError::Older { found, known: STEPS.len() });
        }
        Sqlite::ready(connection).map_err(failed)
    }

    /// Opens a state that another process works on, to leave something in it: it is neither made nor brought forward.
    pub(in crate::store) fn guest(path: &Path) -> Result<Sqlite, OpenError> {
        Sqlite::existing(path, OpenFlags::SQLITE_OPEN_READ_WRITE)
    }

    /// An empty state that lives in memory.
    pub(in crate::store) fn in_memory() -> Result<Sqlite, OpenError> {
        Connection::open_in_memory()
            .and_then(Sqlite::prepared)
            .map_err(|error| refused(Path::new(":memory:"), error))
    }

    /// Brings a database to our version.
    pub(super) fn prepared(mut connection: Connection) -> rusqlite::Result<Sqlite> {
        migrate(&mut connection, STEPS)?;
        Sqlite::ready(connection)
    }

    fn ready(connection: Connection) -> rusqlite::Result<Sqlite> {
        connection.pragma_update(None, "synchronous", "FULL")?;
        connection.pragma_update(None, "foreign_keys", true)?;
        // 64 MiB: the inner pages of a million records
        connection.pragma_update(None, "cache_size", -65_536)?;
        // scratch rows may be many, whatever SQLite was built to do with them
        connection.pragma_update(None, "temp_store", "FILE")?;
        // without it, each statement with a limit is compiled anew whenever its values change
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
        connection.set_prepared_statement_cache_capacity(128);
        connection.execute_batch(SCRATCH)?;
        Ok(Sqlite { connection, scratch: 0 })
    }

    /// One statement without values, which is compiled once.
    pub(in crate::store) fn say(&self, sql: &str) -> Result<()> {
        self.connection.prepare_cached(sql)?.execute([])?;
        Ok(())
    }

    /// Which state this is.
    pub(in crate::store) fn identity(&self) -> Result<Identity> {
        let mut statement = self.connection.prepare_cached("SELECT lineage, serial, doubt FROM state")?;
        Ok(statement.query_row([], |row| {
            Ok(Identity { lineage: row.get(0)?, serial: row.get(1)?, doubt: row.get(2)? })
        })?)
    }

    /// Makes the holder of this token the only one whose batches are committed, and notes serial and doubt.
    pub(in crate::store) fn take_over(&mut self, token: &str, holder: &str, now: &Identity) -> Result<()> {
        let batch = self.connection.transaction()?;
        batch.execute(
            "INSERT OR REPLACE INTO lock (one, token, holder) VALUES (1, ?1, ?2)",
            [token, holder],
        )?;
        batch.execute("UPDATE state SET serial = ?1, doubt = ?2", params![now.serial, now.doubt])?;
        Ok(batch.commit()?)
    }

    /// Whether this token still stands; else the text of who took over.
    pub(in crate::store) fn holder_instead_of(&self, token: &str) -> Result<Option<String>> {
        let mut statement = self.connection.prepare_cached("SELECT token, holder FROM lock")?;
        let (holding, holder): (String, String) =
            statement.query_row([], |row| Ok((row.get(0)?, row.get(1)?)))?;
        Ok((holding != token).then_some(holder))
    }

    /// The next serial: this batch changes something.
    pub(in crate::store) fn next_serial(&self) -> Result<i64> {
        let mut statement =
            self.connection.prepare_cached("UPDATE state SET serial = serial + 1 RETURNING serial")?;
        Ok(statement.query_row([], |row| row.get(0))?)
    }

    /// The doubt about the state's origin is settled.
    pub(in crate::store) fn forget_doubt(&self) -> Result<()> {
        self.connection.execute("UPDATE state SET doubt = NULL WHERE doubt IS NOT NULL", [])?;
        Ok(())
    }
}

/// The schema version of a file, if it is ours (or still empty: 0).
fn known(connection: &Connection, path: &Path) -> Result<usize, OpenError> {
    let failed = |error| refused(path, error);
    let application: i64 =
        connection.query_row("PRAGMA application_id", [], |row| row.get(0)).map_err(failed)?;
    let version: i64 = connection.query_row("PRAGMA user_version", [], |row| row.get(0)).map_err(failed)?;
    let tables: i64 =
        connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0)).map_err(failed)?;
    let ours = application == APPLICATION || (application == 0 && version == 0 && tables == 0);
    let Ok(found) = usize::try_from(version) else { return Err(OpenError::Foreign(path.to_owned())) };
    if !ours {
        return Err(OpenError::Foreign(path.to_owned()));
    }
    if found > STEPS.len() {
        return Err(OpenError::Newer { found, known: STEPS.len() });
    }
    Ok(found)
}

/// Runs the steps that a state has not seen, each with its number in one transaction.
fn migrate(connection: &mut Connection, steps: &[&str]) -> rusqlite::Result<()> {
    let done: i64 = connection.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    for (step, number) in steps.iter().zip(1_i64..).skip(usize::try_from(done).unwrap_or(0)) {
        let batch = connection.transaction()?;
        batch.execute_batch(step)?;
        batch.pragma_update(None, "application_id", APPLICATION)?;
        batch.pragma_update(None, "user_version", number)?;
        if batch.query_row("SELECT 1 FROM state", [], |_| Ok(())).optional()?.is_none() {
            let lineage = uuid::Uuid::new_v4().to_string();
            batch.execute("INSERT INTO state (one, lineage, serial) VALUES (1, ?1, 0)", [lineage])?;
        }
        batch.commit()?;
    }
    Ok(())
}

/// Why a file could not be opened.
pub(super) fn refused(path: &Path, error: rusqlite::Error) -> OpenError {
    if error.sqlite_error_code() == Some(ErrorCode::NotADatabase) {
        return OpenError::Foreign(path.to_owned());
    }
    OpenError::Failed { path: path.to_owned(), why: crate::store::StoreError::from(error).0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file() -> (tempfile::TempDir, std::path::PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state.db");
        (folder, path)
    }

    #[test]
    fn a_state_is_made_as_promised() {
        let (_folder, path) = file();
        let store = Sqlite::writable(&path).unwrap();
        let pragma = |name: &str| -> String {
            store
                .connection
                .query_row(&format!("SELECT CAST({name} AS TEXT) FROM pragma_{name}"), [], |row| row.get(0))
                .unwrap()
        };
        assert_eq!(pragma("journal_mode"), "wal");
        assert_eq!(pragma("synchronous"), "2");
        assert_eq!(pragma("foreign_keys"), "1");
        assert_eq!(pragma("application_id"), APPLICATION.to_string());
        assert_eq!(pragma("user_version"), STEPS.len().to_string());
        let born = store.identity().unwrap();
        drop(store);
        assert_eq!(Sqlite::writable(&path).unwrap().identity().unwrap(), born);
    }

    #[test]
    fn a_newer_state_is_refused_and_left_alone() {
        let (_folder, path) = file();
        drop(Sqlite::writable(&path).unwrap());
        let raw = Connection::open(&path).unwrap();
        raw.pragma_update(None, "user_version", STEPS.len() as i64 + 1).unwrap();
        let expected = format!(
            "this state was written by a newer mapengine (schema {}, this one knows {}): update mapengine",
            STEPS.len() + 1,
            STEPS.len()
        );
        assert_eq!(Sqlite::writable(&path).err().unwrap().to_string(), expected);
        assert_eq!(Sqlite::readable(&path).err().unwrap().to_string(), expected);
    }

    #[test]
    fn a_file_of_somebody_else_is_refused_and_left_alone() {
        let (_folder, path) = file();
        Connection::open(&path).unwrap().execute_batch("CREATE TABLE mine (x)").unwrap();
        let before = std::fs::read(&path).unwrap();
        let message = Sqlite::writable(&path).err().unwrap().to_string();
        assert_eq!(message, format!("{} is not a state of mapengine: name another file", path.display()));
        assert_eq!(std::fs::read(&path).unwrap(), before);
        std::fs::write(
            &path,
            "a text that is longer than a database's header would be, by a good deal, and more than that",
        )
        .unwrap();
        assert!(matches!(Sqlite::writable(&path), Err(OpenError::Foreign(_))));
    }

    #[test]
    fn a_state_of_the_version_before_keeps_what_it_had() {
        let (_folder, path) = file();
        let mut old = Connection::open(&path).unwrap();
        migrate(&mut old, &STEPS[..3]).unwrap();
        old.execute("INSERT INTO fact VALUES ('cursor', '7')", []).unwrap();
        drop(old);
        let older = OpenError::Older { found: 3, known: STEPS.len() };
        assert_eq!(Sqlite::guest(&path).err(), Some(older));
        let state = Sqlite::writable(&path).unwrap();
        assert_eq!(crate::store::Log::fact(&state, "cursor").unwrap().as_deref(), Some("7"));
        assert_eq!(Sqlite::guest(&path).unwrap().leave(1, &crate::value::Value::Null).unwrap(), 1);
    }

    #[test]
    fn steps_run_once_each_and_a_broken_one_leaves_the_version_before() {
        let mut connection = Connection::open_in_memory().unwrap();
        migrate(&mut connection, STEPS).unwrap();
        let mut steps = STEPS.to_vec();
        steps.push("CREATE TABLE more (x); INSERT INTO more VALUES (7);");
        migrate(&mut connection, &steps).unwrap();
        migrate(&mut connection, &steps).unwrap();
        let rows: i64 = connection.query_row("SELECT count(*) FROM more", [], |row| row.get(0)).unwrap();
        assert_eq!(rows, 1);
        steps.push("CREATE TABLE half (x); CREATE TABLE more (x);");
        migrate(&mut connection, &steps).unwrap_err();
        let version: i64 = connection.query_row("PRAGMA user_version", [], |row| row.get(0)).unwrap();
        assert_eq!(version, STEPS.len() as i64 + 1);
        assert!(connection.prepare("SELECT * FROM half").is_err());
    }
}
