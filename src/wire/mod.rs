//! Records to requests and answers to records: pure, no I/O, no clock.
//!
//! A *record* is a map with each field at its (dotted) name, as a mapping sees it. On the wire the same data
//! has the system's own names, wrappings, tagged scalars and keys of other records. The client's half reads
//! answers ([`decode`]) and makes requests ([`plan_create`], [`plan_update`], [`encode`]); the server's half,
//! used by the sandbox, does the same the other way round ([`serve`]).

mod assemble;
mod body;
mod calls;
mod check;
mod days;
mod order;
mod parts;
mod plan;
mod read;
mod scalar;
pub mod serve;
mod times;
mod values;
mod wrap;

pub use assemble::assemble;
pub use body::encode;
pub use calls::{
    action, attach, file, fill, get, list_query, new_id, record_in_get, record_in_reply, since_text, with_key,
};
pub use plan::{Write, WriteEffect, child_current, plan_create, plan_update};
pub use read::{decode, removed};

use crate::program::system::Lookup;
use crate::value::Value;

/// The tables that lookups go through: keys of records and the field that the mapping sees instead.
pub trait Lookups {
    /// The record with this key.
    fn by_key(&self, resource: &str, key: &str) -> Option<Value>;
    /// The key of the one record whose field has this value.
    ///
    /// # Errors
    /// Where there is none, or more than one.
    fn find(&self, lookup: &Lookup, value: &Value) -> Result<String, LookupProblem>;
}

/// Why a value has no key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LookupProblem {
    /// No record has it.
    None,
    /// Many have it: their keys.
    Many(Vec<String>),
}

/// Why a record on the wire cannot be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReadProblem {
    /// The field.
    pub field: String,
    /// What is wrong with it.
    pub message: String,
}

impl std::fmt::Display for ReadProblem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.field, self.message)
    }
}

impl std::error::Error for ReadProblem {}

/// Why a record cannot be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WriteProblem {
    /// The field.
    pub field: String,
    /// What is wrong with it.
    pub message: String,
}

impl WriteProblem {
    fn new(field: impl Into<String>, message: impl Into<String>) -> Self {
        WriteProblem { field: field.into(), message: message.into() }
    }
}

impl std::fmt::Display for WriteProblem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.field, self.message)
    }
}

impl std::error::Error for WriteProblem {}

#[cfg(test)]
mod tests;
