//! What a sandbox file may say: the records of the stand-ins, and what happens between runs.

use schemars::JsonSchema;
use serde::Deserialize;

use super::yaml::{List, Table};
use crate::diagnostic::At;
use crate::value::Value;

/// The records of the stand-ins, and what happens between runs. `mappings/sandbox/NAME.yaml` belongs to the mapping NAME.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Sandbox {
    /// The mapping's name.
    pub sandbox: At<String>,
    /// What the stand-ins' clocks say when it starts (RFC 3339). They go on a second for each request.
    pub now: At<String>,
    /// The records at the start: side, resource, records by field names. What is left out is made up: ids, times of change. Under
    /// `RESOURCE.FILES`: files of records, each with `of` (fields that tell the record), `name`, and perhaps `type` and `content`.
    pub systems: Table<Table<List<Table<Value>>>>,
    /// What happens between runs, as people would do it in the systems' own screens.
    #[serde(default)]
    pub events: List<Event>,
}

/// Something that happens before a run.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Event {
    /// The number of the run, counted from 1.
    pub before_run: u32,
    /// What a person would say of it.
    pub say: String,
    /// The side it happens in.
    pub side: At<String>,
    /// The resource.
    pub resource: At<String>,
    /// Fields that tell which record (all that match), none for a new one.
    #[serde(default)]
    pub of: Table<Value>,
    /// The fields it gets; for a new record all of them.
    #[serde(default)]
    pub set: Table<Value>,
    /// The record is removed.
    #[serde(default)]
    pub delete: bool,
    /// It happens only where it can: what it is about need not be there yet, as a document that travels on demand.
    #[serde(default)]
    pub optional: bool,
}
