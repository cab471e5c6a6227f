//! What a case file may say: given records, and what must come of them.

use schemars::JsonSchema;
use serde::Deserialize;

use super::yaml::{List, Table};
use crate::diagnostic::At;
use crate::value::Value;

/// Cases of a mapping: given records → expected changes, requests and messages. `NAME.test.yaml` stands beside `NAME.yaml`.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Cases {
    /// The mapping file, relative to this file.
    pub mapping: At<String>,
    /// Records that every case has: side, resource, records. Under
    /// `RESOURCE.FILES`: files of records, each with `of` (fields that tell the record), `name`, and perhaps `type` and `content`.
    #[serde(default)]
    pub given: Table<Table<List<Table<Value>>>>,
    /// Settings that every case has.
    #[serde(default)]
    pub settings: Table<At<Value>>,
    /// The cases.
    pub cases: List<Case>,
}

/// One case: an in-process run against the stand-ins with only these records.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Case {
    /// What it shows, one sentence.
    pub case: At<String>,
    /// The ids of the rules it stands for.
    #[serde(default)]
    pub rules: Vec<At<String>>,
    /// Settings that differ.
    #[serde(default)]
    pub settings: Table<At<Value>>,
    /// Only these registers and documents are run, as with `--only`. Default: all but the documents on demand.
    #[serde(default)]
    pub only: List<At<String>>,
    /// As many transfers as it takes, as with `--all`.
    #[serde(default)]
    pub all: bool,
    /// Records beside those of the file: side, resource, records by field names. Under
    /// `RESOURCE.FILES`: files of records, each with `of` (fields that tell the record), `name`, and perhaps `type` and `content`.
    #[serde(default)]
    pub given: Table<Table<List<Table<Value>>>>,
    /// Resources of the file's `given` that this case does not want.
    #[serde(default)]
    pub without: List<At<String>>,
    /// Records that are linked already.
    #[serde(default)]
    pub links: List<GivenLink>,
    /// What must come of the first run.
    #[serde(default)]
    pub expect: Expect,
    /// What happens then, and what must come of the next run; any number of times.
    #[serde(default)]
    pub then: List<Then>,
}

/// Two records that are linked already, found by their fields.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GivenLink {
    /// The register.
    pub register: At<String>,
    /// Fields that tell the left record.
    pub left: Table<Value>,
    /// Fields that tell the right record.
    pub right: Table<Value>,
}

/// Something that happens, and what must come of the next run.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Then {
    /// Changes by people: side, resource, and for each record the fields that tell it (`of`) and the fields it gets (`set`).
    #[serde(default)]
    pub edit: List<Edit>,
    /// Only these registers and documents are run. Default: as in the first run of the case.
    pub only: Option<List<At<String>>>,
    /// What must come of it.
    #[serde(default)]
    pub expect: Expect,
}

/// A change by a person in one system.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Edit {
    /// The side.
    pub side: At<String>,
    /// The resource.
    pub resource: At<String>,
    /// Fields that tell which record; none for a new one.
    #[serde(default)]
    pub of: Table<Value>,
    /// The fields it gets.
    #[serde(default)]
    pub set: Table<Value>,
    /// The record is removed.
    #[serde(default)]
    pub delete: bool,
}

/// What must come of a run. What is not named is not looked at, except that `requests` are all the writes.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Expect {
    /// The run is refused; a text that the reason holds. Nothing may have been written.
    pub refused: Option<At<String>>,
    /// Counts of the report, by register.
    pub counts: Table<ExpectCounts>,
    /// Fields that a record must have afterwards: side, resource, and for each record `of` and `is`.
    pub records: List<ExpectRecord>,
    /// Texts that the reasons of what is set aside, waiting or noted must hold, one each.
    pub messages: List<At<String>>,
    /// Every write that was sent, in any order: `[]` for none.
    pub requests: Option<List<ExpectRequest>>,
}

/// How many records of a register must have ended how. What is not named is not looked at.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ExpectCounts {
    /// Pairs that were found and linked.
    pub linked: Option<u64>,
    /// Records that were made.
    pub created: Option<u64>,
    /// Pairs of which fields were written.
    pub updated: Option<u64>,
    /// Records that were removed.
    pub deleted: Option<u64>,
    /// Linked pairs with nothing to do.
    pub unchanged: Option<u64>,
    /// Records that wait for another one.
    pub waiting: Option<u64>,
    /// Records that cannot go on.
    pub set_aside: Option<u64>,
    /// Writes without an answer.
    pub in_doubt: Option<u64>,
    /// All pairs that are linked afterwards.
    pub pairs: Option<u64>,
}

/// What a record must hold afterwards.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ExpectRecord {
    /// The side.
    pub side: At<String>,
    /// The resource.
    pub resource: At<String>,
    /// Fields that tell which record.
    pub of: Table<Value>,
    /// Fields it must have; null means empty.
    #[serde(default)]
    pub is: Table<Value>,
    /// There must be so many. Default 1.
    pub count: Option<u64>,
}

/// A write that must have been sent.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ExpectRequest {
    /// The side.
    pub side: At<String>,
    /// Method and path below the base address: `POST /v1/customer`.
    pub call: At<String>,
    /// The whole body, exactly.
    pub body: Option<At<Value>>,
    /// Parts of the body: path and value.
    #[serde(default)]
    pub holds: Table<Value>,
    /// The name of the file that it carries.
    pub file: Option<At<String>>,
}
