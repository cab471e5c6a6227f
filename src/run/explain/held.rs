//! What holds a record back, as data.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;

/// What holds a record back (`why-not --format json`).
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct WhyNot {
    /// The mapping.
    pub mapping: String,
    /// What was asked for.
    pub asked: String,
    /// When the last run that looked at both systems began (RFC 3339); none: there was none yet.
    pub as_of: Option<String>,
    /// The mapping or its settings changed since that run: what is told is what the next run would find.
    pub changed_since: bool,
    /// One answer for each record that can be meant; the two of a linked pair are one.
    pub records: Vec<Held>,
}

impl WhyNot {
    /// Whether a person has to do something about any of them.
    pub fn needs_a_person(&self) -> bool {
        self.records.iter().any(Held::needs_a_person)
    }
}

/// One record and where it stopped.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Held {
    /// Its register, or its document.
    pub register: String,
    /// The name of its side; none: it was found on neither.
    pub side: Option<String>,
    /// Its id there.
    pub id: String,
    /// What people call it.
    pub label: String,
    /// The id of the record on the other side that it is linked with.
    pub linked_to: Option<String>,
    /// The first gate that holds it back.
    pub at: HeldAt,
    /// Why, in words.
    pub reason: String,
    /// The code of the reason, where it has one: `mapengine explain CODE` tells more.
    pub code: Option<String>,
    /// The conditions of the mapping that said so.
    pub conditions: Vec<Condition>,
    /// Set aside, or without an answer, since when (RFC 3339).
    pub since: Option<String>,
    /// How many times it was tried.
    pub attempts: Option<u32>,
    /// It is not tried again by itself before this (RFC 3339).
    pub retry_at: Option<String>,
    /// The number of the write that has no answer, for `mapengine resolve --write`.
    pub write: Option<i64>,
    /// How far the document is.
    pub step: Option<Step>,
    /// The records that it waits for, and what holds each of them.
    pub because: Vec<Held>,
}

impl Held {
    fn needs_a_person(&self) -> bool {
        matches!(self.at, HeldAt::SetAside | HeldAt::NotValid | HeldAt::InDoubt | HeldAt::RunStopped)
            || self.because.iter().any(Held::needs_a_person)
    }
}

/// The gates, in the order in which a record passes them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum HeldAt {
    /// The state knows no such record.
    NotFound,
    /// Its kind has no counterpart on the other side.
    OtherKind,
    /// The scope of its side leaves it out.
    OutOfScope,
    /// A document whose status (or `take`) is not the one that travels.
    NotTaken,
    /// A write of it has no answer yet, or is in doubt.
    InDoubt,
    /// What it is part of is not linked.
    ParentNotLinked,
    /// It does not satisfy what records must (`valid`).
    NotValid,
    /// It is set aside.
    SetAside,
    /// `create_when` does not hold.
    CreateWhen,
    /// A document that travels only in a run that names it.
    OnDemand,
    /// The register links records and makes none.
    LinkOnly,
    /// Nothing is made on the other side.
    OneWay,
    /// It waits for another record.
    Waits,
    /// Its counterpart is gone.
    Gone,
    /// The last run stopped before it came to it: a brake, a check, a failure.
    RunStopped,
    /// A document that is on its way.
    OnTheWay,
    /// Nothing holds it: the next run carries it.
    Next,
    /// It is linked, and there is nothing to do.
    Equal,
}

/// A condition of the mapping with the values that it saw.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Condition {
    /// As it is written.
    pub text: String,
    /// File and line.
    pub place: String,
    /// What it reads, and what stood there.
    pub values: BTreeMap<String, String>,
}

/// How far a document is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Step {
    /// How many steps are done, the making among them.
    pub done: usize,
    /// Of how many.
    pub of: usize,
    /// The word of the one that is next.
    pub next: Option<String>,
}
