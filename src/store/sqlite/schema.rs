//! Tables, and how an older state becomes a newer one.

use rusqlite::Connection;

use super::super::{Result, StoreError};

/// Says that a file is ours ("ME01").
const APPLICATION_ID: i64 = 0x4D45_3031;

/// Each step brings the state one version further; steps are only ever added.
const STEPS: &[&str] = &["
    CREATE TABLE record (
        side INTEGER NOT NULL, resource TEXT NOT NULL, id TEXT NOT NULL,
        parent TEXT, data TEXT NOT NULL, hash TEXT NOT NULL, dirty INTEGER NOT NULL, sweep INTEGER NOT NULL,
        PRIMARY KEY (side, resource, id)
    ) WITHOUT ROWID;
    CREATE INDEX record_dirty ON record (side, resource, id) WHERE dirty = 1;
    CREATE INDEX record_parent ON record (side, resource, parent, id) WHERE parent IS NOT NULL;

    CREATE TABLE match_key (
        register TEXT NOT NULL, side INTEGER NOT NULL, slot INTEGER NOT NULL, value TEXT NOT NULL,
        resource TEXT NOT NULL, id TEXT NOT NULL,
        PRIMARY KEY (register, side, id, resource, slot)
    ) WITHOUT ROWID;
    CREATE INDEX match_value ON match_key (register, side, slot, value, id);

    CREATE TABLE link (
        register TEXT NOT NULL, left_resource TEXT NOT NULL, left_id TEXT NOT NULL,
        right_resource TEXT NOT NULL, right_id TEXT NOT NULL, base TEXT NOT NULL, since INTEGER NOT NULL, how TEXT NOT NULL,
        PRIMARY KEY (register, left_id)
    ) WITHOUT ROWID;
    CREATE UNIQUE INDEX link_right ON link (register, right_id);

    CREATE TABLE intent (
        id INTEGER PRIMARY KEY AUTOINCREMENT, run TEXT NOT NULL, register TEXT NOT NULL, side INTEGER NOT NULL,
        resource TEXT NOT NULL, target TEXT, source_resource TEXT, source_id TEXT, effect TEXT NOT NULL,
        request TEXT NOT NULL, lookup TEXT NOT NULL, program TEXT NOT NULL, state TEXT NOT NULL, attempt INTEGER NOT NULL,
        sent_at INTEGER NOT NULL, settle_until INTEGER NOT NULL, outcome TEXT NOT NULL, then_do TEXT NOT NULL
    );
    CREATE INDEX intent_open ON intent (register, side, target, source_id) WHERE state IN ('planned', 'sent', 'in_doubt');
    CREATE INDEX intent_record ON intent (register, target);

    CREATE TABLE set_aside (
        register TEXT NOT NULL, side INTEGER NOT NULL, id TEXT NOT NULL, row TEXT NOT NULL, since INTEGER NOT NULL,
        PRIMARY KEY (register, side, id)
    ) WITHOUT ROWID;

    CREATE TABLE run (id TEXT PRIMARY KEY, started INTEGER NOT NULL, row TEXT NOT NULL) WITHOUT ROWID;
    CREATE INDEX run_started ON run (started);

    CREATE TABLE event (
        seq INTEGER PRIMARY KEY AUTOINCREMENT, run TEXT NOT NULL, register TEXT NOT NULL, left_id TEXT, right_id TEXT, row TEXT NOT NULL
    );
    CREATE INDEX event_run ON event (run, seq);
    CREATE INDEX event_left ON event (register, left_id, seq);
    CREATE INDEX event_right ON event (register, right_id, seq);

    CREATE TABLE fact (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
"];

/// The version this program knows.
fn newest() -> i64 {
    i64::try_from(STEPS.len()).unwrap_or(i64::MAX)
}

/// Brings a state to the newest version; refuses one that is newer, or no state of ours.
pub(super) fn migrate(db: &mut Connection) -> Result<()> {
    let version = version(db)?;
    let transaction = db.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
    for step in STEPS.iter().skip(usize::try_from(version).unwrap_or(0)) {
        transaction.execute_batch(step)?;
    }
    transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
    transaction.pragma_update(None, "user_version", newest())?;
    transaction.commit()?;
    Ok(())
}

/// A state that is only read must be of the newest version.
pub(super) fn check(db: &Connection) -> Result<()> {
    let version = version(db)?;
    if version < newest() {
        return Err(StoreError(format!(
            "this state is of an older version ({version}): `mapengine run` brings it forward"
        )));
    }
    Ok(())
}

fn version(db: &Connection) -> Result<i64> {
    let version: i64 = db.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    let application: i64 = db.query_row("PRAGMA application_id", [], |row| row.get(0))?;
    let tables: i64 = db.query_row("SELECT count(*) FROM sqlite_master", [], |row| row.get(0))?;
    if application != APPLICATION_ID && tables > 0 {
        return Err(StoreError("this file is a database, but not a state of mapengine".into()));
    }
    if version > newest() {
        return Err(StoreError(format!(
            "this state was written by a newer mapengine (version {version}, this one knows {}): update mapengine",
            newest()
        )));
    }
    Ok(version)
}
