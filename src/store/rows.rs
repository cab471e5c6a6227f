//! The rows of the state, as plain data.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::value::{Side, Value};

/// A record's address within one side: which resource, and the id that never changes.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct RecordRef {
    /// The name of the resource in the system file.
    pub resource: String,
    /// The text of its `identity` field, or of its `key` where it has no other (more than one joined by `/`).
    pub id: String,
}

/// A record as it was read: the fields that the mapping needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordRow {
    /// See [`RecordRef::id`].
    pub id: String,
    /// The id of its parent, for parts and lists below a parent.
    pub parent: Option<String>,
    /// The record by field names.
    pub data: Value,
    /// A hash of `data` without the fields that only say when it changed.
    pub hash: String,
}

/// A record of the mirror.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredRecord {
    /// What was read.
    pub row: RecordRow,
    /// Whether it is on the work list.
    pub dirty: bool,
    /// The number of the last complete read that saw it.
    pub sweep: i64,
}

impl std::ops::Deref for StoredRecord {
    type Target = RecordRow;
    fn deref(&self) -> &RecordRow {
        &self.row
    }
}

/// Which records of a resource are meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Which {
    /// All.
    All,
    /// Those on the work list.
    Dirty,
    /// Those that this complete read did not see.
    UnseenBy(i64),
}

/// "This record here is that record there", and what both sides last agreed on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// The register's name.
    pub register: String,
    /// The left record.
    pub left: RecordRef,
    /// The right record.
    pub right: RecordRef,
    /// For each row of the field table that was ever carried or compared: the value on either side *as that
    /// side returned it* (`{row id: [left, right]}`).
    pub base: Value,
    /// When it was made (milliseconds since 1970, our clock; shown only).
    pub since: i64,
    /// How it came: `matched`, `created`, `adopted`, `by_hand`.
    pub how: String,
}

impl Link {
    /// The record on one side.
    pub fn on(&self, side: Side) -> &RecordRef {
        match side {
            Side::Left => &self.left,
            Side::Right => &self.right,
        }
    }
}

/// What a write does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Effect {
    /// Makes a record.
    Create,
    /// Changes fields of one.
    Update,
    /// Removes one.
    Delete,
}

/// Where a write stands (`decisions` 2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum IntentState {
    /// Written down, not sent.
    Planned,
    /// Its request may have left.
    Sent,
    /// It took effect.
    Done,
    /// It did not take effect, known for certain.
    Failed,
    /// Sent, no usable answer, and looking did not settle it: a person decides.
    InDoubt,
}

/// One HTTP write: before it is sent, and what came of it. Holds no secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Intent {
    /// Its number; 0 before it is stored.
    pub id: i64,
    /// The run that made it.
    pub run: String,
    /// The register (or document) it belongs to.
    pub register: String,
    /// The side that is written to.
    pub side: Side,
    /// The resource that is written to (a part's own, where it is a part).
    pub resource: String,
    /// The record that is written to; none for a create whose answer is not there.
    pub target: Option<String>,
    /// The record on the other side that it comes from.
    pub source: Option<RecordRef>,
    /// Create, update or delete.
    pub effect: Effect,
    /// The request without credentials, as JSON: method, path, query, headers, body.
    pub request: Value,
    /// How to find the record again after an unknown outcome, as JSON.
    pub lookup: Value,
    /// The hash of the program that planned it: it is settled by the rules it was made under.
    pub program: String,
    /// Where it stands.
    pub state: IntentState,
    /// How many times it was sent.
    pub attempt: u32,
    /// When it was last sent (milliseconds since 1970, our clock).
    pub sent_at: i64,
    /// Not before this may anyone look or send again (milliseconds since 1970).
    pub settle_until: i64,
    /// What came of it, for people: the status line, the system's message.
    pub outcome: String,
    /// What would be stored of the pair when it is done (base, link), as JSON.
    pub then: Value,
}

/// One change of a plan: scratch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlanRow {
    /// Its number; 0 before it is stored.
    pub seq: i64,
    /// The register.
    pub register: String,
    /// The left record, where there is one.
    pub left: Option<RecordRef>,
    /// The right record, where there is one.
    pub right: Option<RecordRef>,
    /// The action's name, for counting.
    pub action: String,
    /// The change as JSON.
    pub change: String,
}

/// A record that cannot go on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SetAside {
    /// The register.
    pub register: String,
    /// The side of the record that is named.
    pub side: Side,
    /// Its resource.
    pub resource: String,
    /// Its id.
    pub id: String,
    /// What a person calls it: number and name.
    pub label: String,
    /// The code of the reason (`ME09xx`).
    pub code: String,
    /// The reason, with what to do.
    pub reason: String,
    /// Its values, and the other side's where that helps.
    pub values: Value,
    /// Since when (milliseconds since 1970).
    pub since: i64,
    /// Not tried again by itself before this (milliseconds since 1970); none: at every run.
    pub retry_at: Option<i64>,
    /// How many times it was tried.
    pub attempts: u32,
}

/// One run, for the history.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RunRow {
    /// Its id.
    pub id: String,
    /// When it began (milliseconds since 1970).
    pub started: i64,
    /// When it ended; none while it goes on, or when it was killed.
    pub ended: Option<i64>,
    /// `run`, `apply`, `plan`, `recover`.
    pub verb: String,
    /// The hash of the program.
    pub program: String,
    /// How it ended, and the counts, as JSON.
    pub report: Value,
}

/// Something that happened to a record in a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct EventRow {
    /// The run.
    pub run: String,
    /// When (milliseconds since 1970).
    pub at: i64,
    /// The register.
    pub register: String,
    /// The left record's id.
    pub left: Option<String>,
    /// The right record's id.
    pub right: Option<String>,
    /// What happened: `created`, `updated`, `linked`, `set_aside`, `conflict`, `in_doubt`, `adopted` …
    pub what: String,
    /// Fields with old and new values, reasons, the losing value of a conflict.
    pub detail: Value,
}

/// What became of a command that was left.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum CommandState {
    /// Nobody has taken it up yet.
    Waiting,
    /// It was carried out.
    Done,
    /// It could not be carried out, and is not tried again.
    Refused,
}

/// A command that was left for whoever works on the state.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CommandRow {
    /// Its number.
    pub id: i64,
    /// When it was left (milliseconds since 1970).
    pub left: i64,
    /// The command, as JSON.
    pub command: Value,
    /// What became of it.
    pub state: CommandState,
    /// When that was (milliseconds since 1970).
    pub settled: Option<i64>,
    /// What was done, or why nothing could be done.
    pub outcome: String,
}
