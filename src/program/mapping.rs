//! A compiled mapping: both systems, and each register's rows with every name resolved.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use indexmap::IndexMap;
use rust_decimal::Decimal;

use super::document::Document;
use super::expr::{Expr, Template};
use super::system::{Labels, Resource, System};
use super::types::Type;
use crate::diagnostic::Span;
use crate::value::{Both, Path, Side, Value};

pub use crate::spec::mapping::{
    Apply, Compare, Conflict, Convert, IfMissing, Overflow, SettingKind, Unlisted,
};

/// A mapping that can be run.
#[derive(Clone, Debug)]
pub struct Program {
    /// Its name.
    pub name: String,
    /// Its title.
    pub title: String,
    /// A hash of everything that decides what it does: the files and the settings.
    pub hash: String,
    /// The two systems.
    pub sides: Both<End>,
    /// The time between two runs.
    pub every: Duration,
    /// The time between two complete reads.
    pub sweep: Duration,
    /// The time between two readings of all lists below a record that say nothing of changes.
    pub below: Duration,
    /// What a run may change at most.
    pub brakes: Brakes,
    /// The questions to the company.
    pub settings: IndexMap<String, Setting>,
    /// The company's answers, with defaults filled in: `{name: value}`.
    pub answers: Value,
    /// Questions answered before anything is written.
    pub checks: Vec<Check>,
    /// What is kept equal, in the order of their references.
    pub registers: Vec<Arc<Register>>,
    /// What travels once and then has a life, in the order of the file.
    pub documents: Vec<Arc<Document>>,
    /// Which fields of which resources are needed, beside keys, identities and cursor fields.
    pub needs: Both<IndexMap<String, BTreeSet<String>>>,
    /// Records that expressions read: singletons and records by key.
    pub facts: Vec<Fact>,
    /// What a report reads beside that: no run does.
    pub report: Needed,
    /// Questions about records of other resources.
    pub exists: Vec<Exists>,
}

/// What is read beside what runs need.
#[derive(Clone, Debug, Default)]
pub struct Needed {
    /// Fields of resources.
    pub fields: Both<IndexMap<String, BTreeSet<String>>>,
    /// Singletons and records by key.
    pub facts: Vec<Fact>,
}

/// The root of the records that stand with one: `related.NAME.FIELD`.
pub const RELATED: &str = "related";

/// What is asked about records of another resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asks {
    /// Whether there is one: `exists.NAME`.
    Whether,
    /// What a document's record has become.
    Becomes,
    /// Which one there is: `related.NAME`.
    Related,
}

/// What is asked about the records of another resource that stand with one of a register.
#[derive(Clone, Debug)]
pub struct Exists {
    /// What is asked.
    pub asks: Asks,
    /// The register or document that asks.
    pub register: String,
    /// The side of the records that are asked about.
    pub side: Side,
    /// The side of the other resource.
    pub there: Side,
    /// The resources that are asked about.
    pub of: Vec<String>,
    /// What the answer is called.
    pub name: String,
    /// The other resource.
    pub resource: Arc<Resource>,
    /// Their field, and ours: equal.
    pub pairs: Vec<(Path, Path)>,
    /// Which of them count.
    pub when: Option<Expr>,
}

impl Program {
    /// Both systems.
    pub fn systems(&self) -> Both<Arc<System>> {
        Both::of(|side| Arc::clone(&self.sides[side].system))
    }

    /// The names of the documents to whose records on a side those of a resource belong.
    pub fn documents_with(&self, side: Side, resource: &str) -> impl Iterator<Item = &str> {
        self.documents
            .iter()
            .filter(move |document| document.register.member(side, resource).is_some())
            .map(|document| document.register.name.as_str())
    }

    /// A register by its name, or the register-like part of a document.
    pub fn register(&self, name: &str) -> Option<&Arc<Register>> {
        self.all().find(|register| register.name == name)
    }

    /// All registers, then those of the documents.
    pub fn all(&self) -> impl Iterator<Item = &Arc<Register>> {
        self.registers.iter().chain(self.documents.iter().map(|document| &document.register))
    }

    /// A document by its name.
    pub fn document(&self, name: &str) -> Option<&Arc<Document>> {
        self.documents.iter().find(|document| document.register.name == name)
    }

    /// The side with this name in the mapping.
    pub fn side(&self, name: &str) -> Option<Side> {
        Side::BOTH.into_iter().find(|side| self.sides[*side].name == name)
    }
}

/// One side of a mapping.
#[derive(Clone, Debug)]
pub struct End {
    /// Its name in the mapping.
    pub name: String,
    /// Its system.
    pub system: Arc<System>,
}

/// What a run may change at most.
#[derive(Clone, Debug, PartialEq)]
pub struct Brakes {
    /// Records that are made.
    pub create: Brake,
    /// Records that are changed.
    pub update: Brake,
    /// Records that are removed.
    pub delete: Brake,
}

/// One brake.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Brake {
    /// So many records.
    Count(u64),
    /// So many percent of the records that are linked.
    Percent(u64),
}

impl std::fmt::Display for Brake {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Brake::Count(count) => write!(f, "{count}"),
            Brake::Percent(percent) => write!(f, "{percent}%"),
        }
    }
}

/// A question to the company.
#[derive(Clone, Debug)]
pub struct Setting {
    /// Its name.
    pub name: String,
    /// What kind of answer it takes.
    pub kind: SettingKind,
    /// What it is for.
    pub help: String,
    /// The possible answers.
    pub of: Vec<String>,
    /// The possible answers are the values of this field.
    pub from: Option<(Side, String, Path)>,
    /// The company must answer.
    pub required: bool,
    /// The answer where the company gives none.
    pub default: Option<Value>,
    /// The answer the sandbox uses where there is no default.
    pub sandbox: Option<Value>,
    /// The least.
    pub min: Option<Decimal>,
    /// The most.
    pub max: Option<Decimal>,
}

/// A question answered before anything is written.
#[derive(Clone, Debug)]
pub struct Check {
    /// Its name.
    pub id: String,
    /// What is asked.
    pub kind: CheckKind,
    /// When it is asked.
    pub when: Option<Expr>,
    /// What a person reads when it fails.
    pub otherwise: Option<Template>,
    /// Where it stands, for messages.
    pub origin: Origin,
}

/// What a check asks.
#[derive(Clone, Debug)]
pub enum CheckKind {
    /// A condition over settings and facts.
    That(Expr),
    /// A condition over each record of a register's side.
    Each {
        /// The register.
        register: String,
        /// The side.
        side: Side,
        /// The condition.
        that: Expr,
    },
    /// One read of each resource used on these sides.
    Access(Vec<Side>),
    /// A person confirms.
    Confirm(String),
}

/// Where something stands in the mapping, for run-time messages.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Origin {
    /// The place in the files.
    pub span: Span,
    /// `mappings/financials.yaml:99`.
    pub text: String,
}

/// A record that expressions read.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Fact {
    /// The side.
    pub side: Side,
    /// The resource.
    pub resource: String,
    /// Its key, where the resource is no singleton.
    pub key: Option<String>,
}

/// Records kept equal.
#[derive(Clone, Debug)]
pub struct Register {
    /// Its name.
    pub name: String,
    /// For people.
    pub title: String,
    /// The same in each language, where it was given.
    pub titles: Labels,
    /// The name it had before.
    pub was: Option<String>,
    /// Pairs are found and kept, nothing is written.
    pub link_only: bool,
    /// On which sides records may be created.
    pub creates: Both<bool>,
    /// Where changes come from, unless a row says otherwise.
    pub master: Option<Side>,
    /// Whose value counts at the first meeting.
    pub adopt: Option<Side>,
    /// Which records of each side belong to it.
    pub ends: Both<Endpoint>,
    /// Match entries in order: rows that all must agree.
    pub matching: Vec<Vec<usize>>,
    /// Fields that no two records of a side may share.
    pub unique: Vec<Unique>,
    /// In scope only when the parent is linked in that register; the row that names the parent.
    pub part_of: Option<(String, usize)>,
    /// What records must satisfy.
    pub valid: Vec<Valid>,
    /// Other actions than the default ones.
    pub situations: IndexMap<Situation, Reaction>,
    /// The field table.
    pub rows: Vec<Row>,
    /// Where it stands.
    pub origin: Origin,
    /// Registers whose links it needs.
    pub needs: Vec<String>,
    /// What people call a record of this side.
    pub called: Option<(Side, Template)>,
    /// It is the register-like part of a document: pairs are made once and not compared.
    pub is_document: bool,
}

impl Register {
    /// The member of a side that a resource is.
    pub fn member(&self, side: Side, resource: &str) -> Option<&Member> {
        self.ends[side].members.iter().find(|member| member.resource.name == resource)
    }
}

/// Which records of a side belong to a register.
#[derive(Clone, Debug)]
pub struct Endpoint {
    /// The resources, in the order of the mapping.
    pub members: Vec<Member>,
    /// The field of the *other* side that tells which member a record is.
    pub by: Option<Path>,
    /// Which records concern the mapping at all.
    pub scope: Option<Expr>,
    /// Where that stands.
    pub scope_at: Origin,
    /// A record is made on the other side only when this holds.
    pub create_when: Option<Expr>,
    /// Where that stands.
    pub create_when_at: Origin,
    /// What stands with each record, by its name: `related.NAME`.
    pub related: IndexMap<String, (Side, Arc<Resource>)>,
}

impl Endpoint {
    /// These resources, all of their records.
    pub fn of(members: Vec<Member>) -> Endpoint {
        Endpoint {
            members,
            by: None,
            scope: None,
            scope_at: Origin::default(),
            create_when: None,
            create_when_at: Origin::default(),
            related: IndexMap::new(),
        }
    }
}

/// One resource of an endpoint.
#[derive(Clone, Debug)]
pub struct Member {
    /// The resource.
    pub resource: Arc<Resource>,
    /// The values of the discriminator that mean it; the first is written.
    pub values: Vec<Value>,
}

/// A field that no two records of a side may share.
#[derive(Clone, Debug)]
pub struct Unique {
    /// The side.
    pub side: Side,
    /// The field.
    pub field: Path,
    /// Only these count.
    pub when: Option<Expr>,
    /// How values are compared.
    pub compare: Compare,
}

/// What a record must satisfy.
#[derive(Clone, Debug)]
pub struct Valid {
    /// The side whose records it is about.
    pub side: Side,
    /// The condition.
    pub that: Expr,
    /// The reason.
    pub otherwise: Template,
    /// Where it stands.
    pub origin: Origin,
}

/// The situations whose action may be changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Situation {
    /// Linked, the source is gone.
    SourceMissing,
    /// Linked, the target is gone.
    TargetMissing,
    /// Linked, left the scope.
    OutOfScope,
}

/// What happens in a situation instead of the default.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reaction {
    /// Nothing.
    Nothing,
    /// The record is set aside.
    SetAside,
    /// The link is forgotten.
    Unlink,
    /// The other record is removed: needs a complete read, a 404, a link and a brake above zero.
    Delete,
}

/// A row of a field table, with its place on both sides.
#[derive(Clone, Debug)]
pub struct Row {
    /// A stable name within its register: the key of its base.
    pub id: String,
    /// Where the left value is; empty for a computed left value.
    pub left: Vec<Path>,
    /// Where the right value is; empty for a computed right value.
    pub right: Vec<Path>,
    /// The types of the two ends (of one path, where many are joined).
    pub types: Both<Type>,
    /// What the value becomes on its way, in order, from left to right.
    pub steps: Vec<Step>,
    /// A computed value instead of the other side's.
    pub computed: Option<Computed>,
    /// On which sides it may be written.
    pub writes: Both<bool>,
    /// Whose value counts.
    pub master: Option<Side>,
    /// How two values are compared.
    pub compare: Compare,
    /// When it is written.
    pub apply: Apply,
    /// The row counts only when this holds.
    pub when: Option<Expr>,
    /// The value when `when` does not hold.
    pub otherwise: Option<Expr>,
    /// Used when the source is empty and the target is, too.
    pub default: Option<Expr>,
    /// It links the records.
    pub key: bool,
    /// The source must have it.
    pub required: bool,
    /// An emptied source empties the target.
    pub clear: bool,
    /// Only for these resources (of either side); empty: for all.
    pub only: Vec<String>,
    /// What happens when both sides changed it and there is no master.
    pub conflict: Conflict,
    /// A field that can be written in a create only, on either side.
    pub create_only: Both<bool>,
    /// The system gives the value by itself, on either side.
    pub assigned: Both<bool>,
    /// Text is cut to this length on either side.
    pub truncate: Both<Option<u32>>,
    /// What people call it on either side.
    pub labels: Both<String>,
    /// Its value is personal or secret.
    pub sensitive: bool,
    /// Where it stands.
    pub origin: Origin,
}

impl Row {
    /// Its paths on a side.
    pub fn paths(&self, side: Side) -> &[Path] {
        match side {
            Side::Left => &self.left,
            Side::Right => &self.right,
        }
    }

    /// The paths that its expressions read.
    pub fn uses(&self) -> Vec<Path> {
        let of = |expr: &Expr| expr.uses().into_iter().map(|path| path.to_owned()).collect::<Vec<_>>();
        let mut uses: Vec<Path> =
            [&self.when, &self.otherwise, &self.default].into_iter().flatten().flat_map(of).collect();
        match &self.computed {
            Some(Computed::Value(expr)) => uses.extend(of(expr)),
            Some(Computed::Template(template)) => {
                uses.extend(template.uses().into_iter().map(|path| path.to_owned()));
            }
            _ => {}
        }
        uses
    }

    /// Whether both sides have a path, so that values are compared rather than computed.
    pub fn is_two_sided(&self) -> bool {
        !self.left.is_empty() && !self.right.is_empty() && self.computed.is_none()
    }
}

/// What a value becomes on its way from left to right; each step knows its way back, or is one way.
#[derive(Clone, Debug)]
pub enum Step {
    /// Many texts on one side are one text on the other.
    Join {
        /// The side with many paths.
        many: Side,
        /// What stands between them.
        with: String,
        /// How many there are.
        count: usize,
        /// Which of them keeps the parts too many.
        overflow: Option<Overflow>,
    },
    /// A code table: left code and right codes.
    Codes {
        /// In order.
        table: Vec<(Value, Vec<Value>)>,
        /// The setting that holds it; none: it stands in the row.
        setting: Option<String>,
        /// What happens to a code that is not there.
        unlisted: Unlisted,
    },
    /// Through the links of a register.
    Reference {
        /// The register.
        register: String,
        /// What happens when it is not linked.
        if_missing: IfMissing,
        /// The field of the referenced record that stands in the row, on either side; none: its key.
        fields: Both<Option<Path>>,
    },
    /// A conversion; the way back by the type of the left side.
    Convert(Convert),
    /// Places after the point, half away from zero.
    Round(u32),
    /// Times an exact number.
    Multiply(Decimal),
}

/// A value that does not come from one path.
#[derive(Clone, Debug)]
pub enum Computed {
    /// Always this.
    Constant(Value),
    /// An expression over the source record, settings and facts.
    Value(Expr),
    /// A text.
    Template(Template),
}
