//! Where the values of a pair come from, as data.

use schemars::JsonSchema;
use serde::Serialize;

use crate::value::Value;

/// Where the values of a pair come from (`why --format json`).
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Why {
    /// The mapping.
    pub mapping: String,
    /// The register, or the document.
    pub register: String,
    /// When the last run that looked at both systems began (RFC 3339).
    pub as_of: Option<String>,
    /// The mapping or its settings changed since that run.
    pub changed_since: bool,
    /// The record of the first side.
    pub left: End,
    /// The record of the second side.
    pub right: End,
    /// How they were linked: `matched`, `created`, `adopted`, `by_hand`.
    pub how: String,
    /// When they were linked (RFC 3339).
    pub linked: String,
    /// Their fields, row by row of the mapping.
    pub fields: Vec<FieldWhy>,
}

/// One record of a pair.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct End {
    /// The name of its side.
    pub side: String,
    /// Its id.
    pub id: String,
    /// What people call it.
    pub label: String,
}

/// A row of the mapping, and what it did for one pair.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct FieldWhy {
    /// What stands in the record of the first side.
    pub left: Vec<Valued>,
    /// What stands in the record of the second side.
    pub right: Vec<Valued>,
    /// The side that the value came from last; none: nothing was carried, both were equal.
    pub from: Option<String>,
    /// What the value becomes on that way, in order.
    pub conversion: Vec<String>,
    /// What else the row says: conditions, defaults, who is master.
    pub rules: Vec<String>,
    /// File and line of the row.
    pub place: String,
    /// The row as it is written.
    pub text: String,
    /// When both agreed on it last, and in which run; none: they never did.
    pub given: Option<Given>,
    /// One side differs from what both agreed on: it was changed since.
    pub changed: bool,
}

/// A field and its value.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Valued {
    /// Side and path: `erp.vatRegistrationId`.
    pub field: String,
    /// What stands there, as of the last read.
    #[schemars(with = "serde_json::Value")]
    pub value: Value,
    /// What both agreed on, as this side returned it; null also where nothing was agreed on.
    #[schemars(with = "serde_json::Value")]
    pub agreed: Value,
}

/// When a value was carried, or found to be equal.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Given {
    /// What happened to the pair then: `created`, `updated`, `linked`, `written_back` …
    pub what: String,
    /// The field that was written; none: both were equal when they were linked.
    pub field: Option<String>,
    /// What stood there before, where the history knows it.
    #[schemars(with = "serde_json::Value")]
    pub old: Value,
    /// The run.
    pub run: Option<String>,
    /// When (RFC 3339).
    pub at: String,
}

/// Why it cannot be told where a value comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WhyError {
    /// The state knows no such record.
    NotFound(String),
    /// It is not linked: nothing was given.
    NotLinked(String),
    /// More than one pair can be meant.
    Many(Vec<String>),
    /// No row of the mapping reads or writes this field.
    NoField(String),
}

impl std::fmt::Display for WhyError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            WhyError::NotFound(text) | WhyError::NotLinked(text) | WhyError::NoField(text) => {
                f.write_str(text)
            }
            WhyError::Many(pairs) => write!(f, "more than one pair can be meant: {}", pairs.join("; ")),
        }
    }
}
