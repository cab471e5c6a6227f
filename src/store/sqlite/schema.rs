//! The tables, step by step: a state of any older version is brought forward when it is opened for writing.

/// Says in the file's header that it is ours ("MAPE").
pub(super) const APPLICATION: i64 = 0x4d41_5045;

/// What makes each version out of the one before. Only ever append: a step that was released never changes.
pub(super) const STEPS: &[&str] = &[FIRST, SECOND, THIRD, FOURTH];

/// The tables of a run's scratch: they live in SQLite's temporary database, so they die with the run, cost no
/// fsync, and a state that was opened for reading can still hold a plan.
pub(super) const SCRATCH: &str = "
CREATE TEMP TABLE plan (
    seq      INTEGER PRIMARY KEY AUTOINCREMENT,
    register TEXT NOT NULL,
    left_resource TEXT,
    left_id  TEXT,
    right_resource TEXT,
    right_id TEXT,
    action   TEXT NOT NULL,
    change   TEXT NOT NULL
) STRICT;
CREATE INDEX temp.plan_register ON plan (register);
CREATE INDEX temp.plan_left ON plan (register, left_id) WHERE left_id IS NOT NULL;
CREATE INDEX temp.plan_right ON plan (register, right_id) WHERE right_id IS NOT NULL;
";

/// `record` is narrow, its data stands in `body` under the same key, and both lie in the order in which records
/// were first seen, which is mostly the order of every list: a complete read, which bumps the sweep of every
/// record, rewrites few pages.
const FIRST: &str = "
CREATE TABLE state (
    one     INTEGER PRIMARY KEY CHECK (one = 1),
    lineage TEXT NOT NULL,
    serial  INTEGER NOT NULL,
    doubt   TEXT
) STRICT;
CREATE TABLE lock (
    one    INTEGER PRIMARY KEY CHECK (one = 1),
    token  TEXT NOT NULL,
    holder TEXT NOT NULL
) STRICT;

CREATE TABLE record (
    key      INTEGER PRIMARY KEY,
    side     INTEGER NOT NULL,
    resource TEXT NOT NULL,
    id       TEXT NOT NULL,
    parent   TEXT,
    hash     TEXT NOT NULL,
    dirty    INTEGER NOT NULL,
    sweep    INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX record_id ON record (side, resource, id);
CREATE INDEX record_dirty ON record (side, resource, id) WHERE dirty = 1;
CREATE INDEX record_parent ON record (side, resource, parent, id) WHERE parent IS NOT NULL;
CREATE TABLE body (
    key  INTEGER PRIMARY KEY,
    data TEXT NOT NULL
) STRICT;

CREATE TABLE match_key (
    side     INTEGER NOT NULL,
    resource TEXT NOT NULL,
    id       TEXT NOT NULL,
    register TEXT NOT NULL,
    place    INTEGER NOT NULL,
    key      TEXT NOT NULL,
    PRIMARY KEY (side, resource, id, register, place)
) STRICT, WITHOUT ROWID;
CREATE INDEX match_key_key ON match_key (register, side, place, key, id, resource);

CREATE TABLE link (
    key            INTEGER PRIMARY KEY,
    register       TEXT NOT NULL,
    left_resource  TEXT NOT NULL,
    left_id        TEXT NOT NULL,
    right_resource TEXT NOT NULL,
    right_id       TEXT NOT NULL,
    base           TEXT NOT NULL,
    since          INTEGER NOT NULL,
    how            TEXT NOT NULL
) STRICT;
CREATE UNIQUE INDEX link_left ON link (register, left_id);
CREATE UNIQUE INDEX link_right ON link (register, right_id);

CREATE TABLE intent (
    id              INTEGER PRIMARY KEY AUTOINCREMENT,
    run             TEXT NOT NULL,
    register        TEXT NOT NULL,
    side            INTEGER NOT NULL,
    resource        TEXT NOT NULL,
    target          TEXT,
    source_resource TEXT,
    source_id       TEXT,
    effect          TEXT NOT NULL,
    request         TEXT NOT NULL,
    lookup          TEXT NOT NULL,
    program         TEXT NOT NULL,
    state           TEXT NOT NULL,
    attempt         INTEGER NOT NULL,
    sent_at         INTEGER NOT NULL,
    settle_until    INTEGER NOT NULL,
    outcome         TEXT NOT NULL,
    after           TEXT NOT NULL
) STRICT;
CREATE INDEX intent_open ON intent (id) WHERE state IN ('planned', 'sent', 'in_doubt');
CREATE INDEX intent_open_target ON intent (register, side, target)
    WHERE state IN ('planned', 'sent', 'in_doubt');
CREATE INDEX intent_open_source ON intent (register, side, source_id)
    WHERE state IN ('planned', 'sent', 'in_doubt');
CREATE INDEX intent_target ON intent (target) WHERE target IS NOT NULL;
CREATE INDEX intent_source ON intent (source_id) WHERE source_id IS NOT NULL;

CREATE TABLE set_aside (
    register TEXT NOT NULL,
    side     INTEGER NOT NULL,
    id       TEXT NOT NULL,
    resource TEXT NOT NULL,
    label    TEXT NOT NULL,
    code     TEXT NOT NULL,
    reason   TEXT NOT NULL,
    vals     TEXT NOT NULL,
    since    INTEGER NOT NULL,
    retry_at INTEGER,
    attempts INTEGER NOT NULL,
    PRIMARY KEY (register, side, id)
) STRICT, WITHOUT ROWID;

CREATE TABLE run (
    num     INTEGER PRIMARY KEY AUTOINCREMENT,
    id      TEXT NOT NULL UNIQUE,
    started INTEGER NOT NULL,
    ended   INTEGER,
    verb    TEXT NOT NULL,
    program TEXT NOT NULL,
    report  TEXT NOT NULL
) STRICT;

CREATE TABLE event (
    num      INTEGER PRIMARY KEY AUTOINCREMENT,
    run      TEXT NOT NULL,
    at       INTEGER NOT NULL,
    register TEXT NOT NULL,
    left_id  TEXT,
    right_id TEXT,
    what     TEXT NOT NULL,
    detail   TEXT NOT NULL
) STRICT;
CREATE INDEX event_run ON event (run);
CREATE INDEX event_left ON event (register, left_id) WHERE left_id IS NOT NULL;
CREATE INDEX event_right ON event (register, right_id) WHERE right_id IS NOT NULL;

CREATE TABLE fact (
    name  TEXT PRIMARY KEY,
    value TEXT NOT NULL
) STRICT, WITHOUT ROWID;
";

/// Two resources of one side may number their records alike: an invoice 10001 and a credit note 10001.
const SECOND: &str = "
DROP INDEX link_left;
DROP INDEX link_right;
CREATE UNIQUE INDEX link_left ON link (register, left_resource, left_id);
CREATE UNIQUE INDEX link_right ON link (register, right_resource, right_id);
CREATE INDEX link_left_id ON link (register, left_id);
CREATE INDEX link_right_id ON link (register, right_id);
";

/// … and two of them may be set aside at once.
const THIRD: &str = "
CREATE TABLE set_aside_now (
    register TEXT NOT NULL,
    side     INTEGER NOT NULL,
    id       TEXT NOT NULL,
    resource TEXT NOT NULL,
    label    TEXT NOT NULL,
    code     TEXT NOT NULL,
    reason   TEXT NOT NULL,
    vals     TEXT NOT NULL,
    since    INTEGER NOT NULL,
    retry_at INTEGER,
    attempts INTEGER NOT NULL,
    PRIMARY KEY (register, side, resource, id)
) STRICT, WITHOUT ROWID;
INSERT INTO set_aside_now SELECT * FROM set_aside;
DROP TABLE set_aside;
ALTER TABLE set_aside_now RENAME TO set_aside;
";

/// Commands that a second process leaves for the one that works on the state.
const FOURTH: &str = "
CREATE TABLE command (
    id      INTEGER PRIMARY KEY AUTOINCREMENT,
    given   INTEGER NOT NULL,
    command TEXT NOT NULL,
    state   TEXT NOT NULL,
    settled INTEGER,
    outcome TEXT NOT NULL
) STRICT;
CREATE INDEX command_waiting ON command (id) WHERE state = 'waiting';
";
