//! Where a record stopped on its way: what `decide` says beside its action, so that a person can be told.

use serde::{Deserialize, Serialize};

use crate::store::RecordRef;
use crate::value::{Side, Value};

/// The gate that held a record back, where its action alone does not say it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Gate {
    /// The value that tells which kind of record it becomes means none.
    Kind,
    /// The scope of this side's record.
    Scope(Side),
    /// What travels of a document: its status, or a condition.
    Take,
    /// The record it is part of is not linked.
    Parent,
    /// A write of it has no answer yet: its number.
    Write(i64),
    /// It does not satisfy what records must.
    Valid,
    /// Records that could be its counterpart, or that could be the counterpart's instead of it.
    Many {
        /// The side they stand on.
        side: Side,
        /// They.
        records: Vec<RecordRef>,
        /// The match entry by which they were found.
        entry: usize,
    },
    /// `create_when` does not hold.
    CreateWhen,
    /// Pairs are linked, nothing is made.
    LinkOnly,
    /// Nothing is made on the other side.
    OneWay,
}

/// A record that is waited for: what stands in the row that refers to it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Awaited {
    /// Its register.
    pub register: String,
    /// The side it stands on.
    pub side: Side,
    /// What the row says: its id or its key.
    pub value: Value,
    /// The field that this is, where it is neither.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
}
