//! What happened in a run, as data.

use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::Serialize;

/// The report of a run or a plan.
#[derive(Clone, Debug, Default, Serialize, JsonSchema)]
pub struct Report {
    /// The mapping's name.
    pub mapping: String,
    /// The connection's name; none in the sandbox.
    pub connection: Option<String>,
    /// The run's id.
    pub run: String,
    /// `run`, `plan` or `apply`.
    pub verb: String,
    /// What became of the commands that were left while another run went on.
    pub commands: Vec<super::commands::Settled>,
    /// Counts for each register, in the order they were worked on.
    pub registers: IndexMap<String, Counts>,
    /// How many writes were sent.
    pub writes: u64,
    /// How many requests were sent to read.
    pub reads: u64,
    /// Codes that documents of this run need and code tables lack. What needs them is set aside, the rest goes.
    pub missing_codes: Vec<MissingCodes>,
    /// What is set aside, with reasons.
    pub set_aside: Vec<Entry>,
    /// What waits, and for what.
    pub waiting: Vec<Entry>,
    /// What has no answer yet, or needs a person.
    pub in_doubt: Vec<Entry>,
    /// What else is worth knowing.
    pub notes: Vec<Entry>,
    /// Documents of which no new ones travelled, because this run did not name them.
    pub on_demand: Vec<String>,
    /// `--record`: what was found of the record, and what was decided about it, before anything was written.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub record: Option<Traced>,
    /// Why the run stopped before it wrote anything; empty when it did not.
    pub refused: Vec<String>,
    /// How long it took, in milliseconds.
    pub milliseconds: u64,
}

/// The code of the note that a system gave nothing where something was known: somebody has to look at it.
pub(super) const EMPTY_SOURCE: &str = "empty_source";

/// The code of the note that too many known records were not in a list.
pub(super) const MANY_MISSING: &str = "many_missing";

/// The code of the note that an item left its list after it had become a document.
pub(super) const ITEM_GONE: &str = "item_gone";

impl Report {
    /// Whether a person has to do something.
    pub fn needs_a_person(&self) -> bool {
        let gone = |note: &Entry| [EMPTY_SOURCE, MANY_MISSING, ITEM_GONE].contains(&note.code.as_str());
        !self.set_aside.is_empty() || !self.in_doubt.is_empty() || self.notes.iter().any(gone)
    }
}

/// How many records of a register ended how.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Counts {
    /// Pairs that were found and linked.
    pub linked: u64,
    /// Records that were made.
    pub created: u64,
    /// Pairs of which fields were written.
    pub updated: u64,
    /// Records that were removed.
    pub deleted: u64,
    /// Linked pairs with nothing to do.
    pub unchanged: u64,
    /// Records that wait for another one.
    pub waiting: u64,
    /// Records that cannot go on.
    pub set_aside: u64,
    /// Writes without an answer.
    pub in_doubt: u64,
    /// All pairs that are linked now.
    pub pairs: u64,
}

impl Counts {
    /// The counts of a transfer and of those before it in the same run.
    pub(super) fn after(self, earlier: &Counts) -> Counts {
        let done = earlier.linked + earlier.created + earlier.updated;
        Counts {
            linked: self.linked + earlier.linked,
            created: self.created + earlier.created,
            updated: self.updated + earlier.updated,
            deleted: self.deleted + earlier.deleted,
            // a pair that was made or changed in this run is not unchanged
            unchanged: self.unchanged.saturating_sub(done),
            in_doubt: self.in_doubt + earlier.in_doubt,
            ..self
        }
    }
}

/// One record that is named in a report.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Entry {
    /// The register.
    pub register: String,
    /// What people call the record.
    pub record: String,
    /// The code of the reason.
    pub code: String,
    /// The reason, and what to do.
    pub reason: String,
}

/// The record that a run is about.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Traced {
    /// What it is, what it is linked with, and what holds it back, as `mapengine why-not` tells it.
    #[serde(flatten)]
    pub held: super::Held,
    /// What was decided: `create`, `update`, `link`, `wait`, `set_aside`, `unchanged` …
    pub action: String,
    /// The fields that would be written.
    pub fields: Vec<TracedField>,
    /// What else is worth knowing of it.
    pub notes: Vec<String>,
}

/// A field that would be written. The values of personal ones are hidden.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct TracedField {
    /// Side and path: `erp.name`.
    pub field: String,
    /// What stands there, as text.
    pub old: String,
    /// What would stand there, as text.
    pub new: String,
    /// Why, in a few words.
    pub reason: String,
    /// File and line of the row.
    pub place: String,
}

/// A code that documents need and a table lacks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct MissingCodes {
    /// The documents.
    pub register: String,
    /// What the field is called.
    pub field: String,
    /// The code.
    pub code: String,
    /// Where the table is: a setting, or the place of the row.
    pub table: String,
    /// How many documents need it.
    pub documents: u64,
}

impl std::fmt::Display for MissingCodes {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let MissingCodes { field, code, table, documents, .. } = self;
        let need = if *documents == 1 { "document needs" } else { "documents need" };
        write!(f, "{field} {code} is not in {table}: {documents} {need} it")
    }
}

/// Something that happens while a run goes on, for a progress display.
#[derive(Clone, Debug)]
pub enum Event {
    /// A page of a list came.
    Read {
        /// The side's name.
        side: String,
        /// The resource.
        resource: String,
        /// So many so far.
        count: u64,
    },
    /// Records of a register were compared.
    Decided {
        /// The register.
        register: String,
        /// So many so far.
        count: u64,
    },
    /// A change was carried out.
    Applied {
        /// The register.
        register: String,
        /// So many of this register so far.
        done: u64,
        /// Of so many.
        total: u64,
    },
    /// A sentence for people.
    Said(String),
    /// The record that the run is about, and what is planned with it.
    Record(Box<(Traced, Option<crate::plan::Change>)>),
    /// A change, for `plan`.
    Change(Box<crate::plan::Change>),
}
