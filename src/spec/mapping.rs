//! What a mapping may say: what is kept equal between two systems.

mod rows;

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::Deserialize;

use super::short::{Paths, ShortForm};
use super::system::Labels;
use super::yaml::{FromNode, Kind, List, Node, Table, from_node, via_node};
use crate::diagnostic::{At, Diagnostics};
use crate::value::Value;
pub use rows::*;

/// A mapping: what is kept equal between two systems. Shared by many companies; a connection is one company.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Mapping {
    /// The mapping's name.
    pub mapping: At<String>,
    /// Its title, for people.
    pub title: String,
    /// The two systems: the name each side has in this file, and its system file (relative to this file). The first is the left one.
    pub systems: Table<At<String>>,
    /// When it runs by itself.
    #[serde(default)]
    pub schedule: Schedule,
    /// What a run may change at most; asked before the first write. Default: create 500, update 500, delete 0.
    #[serde(default)]
    pub brakes: Brakes,
    /// What a company chooses, with help texts.
    #[serde(default)]
    pub settings: Table<Setting>,
    /// Questions answered before anything is written.
    #[serde(default)]
    pub checks: List<Check>,
    /// Field tables used by name in more than one place.
    #[serde(default)]
    pub tables: Table<List<Row>>,
    /// What is kept equal: a name and its two sides.
    #[serde(default)]
    pub registers: Table<Register>,
    /// What travels once and then has a life: invoices, payments, costs.
    #[serde(default)]
    pub documents: Table<super::documents::Document>,
}

/// When a mapping runs by itself (`--watch`).
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Schedule {
    /// The time between two runs: `5m`, `1h`. Default 5m.
    pub every: Option<At<String>>,
    /// The time between two complete reads; the runs between them read changes only. Default 24h.
    pub sweep: Option<At<String>>,
    /// The time between two readings of lists that stand below a record and say nothing of changes, which cost one request for each
    /// record: `1h`. The runs between them read those of records that changed. Default: each run reads all of them.
    pub below: Option<At<String>>,
}

/// What a run may change at most: a number (`500`) or a share of the records that are linked (`25%`).
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Brakes {
    /// Records that are made.
    pub create: Option<Limit>,
    /// Records that are changed.
    pub update: Option<Limit>,
    /// Records that are removed.
    pub delete: Option<Limit>,
}

/// A number of records, or a share of those linked.
#[derive(Clone, Debug, PartialEq)]
pub struct Limit(pub At<String>);

impl FromNode for Limit {
    fn from_node(node: &Node, diagnostics: &mut Diagnostics) -> Option<Self> {
        match &node.kind {
            Kind::Number(text) => Some(Limit(At { value: text.clone(), span: node.span })),
            _ => from_node(node, diagnostics).map(Limit),
        }
    }
}

via_node!(Limit);

impl JsonSchema for Limit {
    fn schema_name() -> Cow<'static, str> {
        "Limit".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        schemars::json_schema!({
            "description": "A number of records (500), or a share of those linked (25%).",
            "anyOf": [ { "type": "integer", "minimum": 0 }, { "type": "string", "pattern": "^[0-9]+%?$" } ]
        })
    }
}

/// A question to the company.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Setting {
    /// What kind of answer it takes.
    #[serde(rename = "type")]
    pub kind: SettingKind,
    /// What it is for: shown to the person who answers.
    pub help: String,
    /// `choice`: the possible answers.
    #[serde(default)]
    pub of: Vec<At<String>>,
    /// `choice`: the possible answers are the values of this field: `erp.customer_class.id`.
    pub from: Option<At<String>>,
    /// The answer where the company gives none.
    pub default: Option<At<Value>>,
    /// The company must answer.
    #[serde(default)]
    pub required: bool,
    /// `integer`, `decimal`: the least, as text.
    pub min: Option<At<String>>,
    /// `integer`, `decimal`: the most, as text.
    pub max: Option<At<String>>,
    /// The answer the built-in sandbox uses where there is no default.
    pub sandbox: Option<At<Value>>,
}

/// The kinds of answer a setting takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SettingKind {
    /// One of many.
    Choice,
    /// Any text.
    Text,
    /// True or false.
    Bool,
    /// A whole number.
    Integer,
    /// An exact number, as text.
    Decimal,
    /// A code table: their code and ours.
    Table,
    /// A direction: `both`, `none`, or one way by the sides' names.
    Direction,
    /// One of the two sides, by its name: who is the master.
    Side,
}

/// A question answered before anything is written.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Check {
    /// Its name.
    pub id: At<String>,
    /// A condition over `settings` and the resources of both sides: a singleton by its name (`shop.company.name`), a record by its key
    /// (`erp.dimension['CUSTOMER'].length`).
    pub that: Option<At<String>>,
    /// `that` is asked for every record of this register's side: `registers.customers.shop`. Bare names are the record's fields.
    pub each: Option<At<String>>,
    /// One read of each resource that the mapping uses on these sides must be allowed.
    #[serde(default)]
    pub access: Vec<At<String>>,
    /// A sentence that a person confirms at set-up. Never stops a run.
    pub confirm: Option<String>,
    /// When it is asked: an expression over `settings`.
    pub when: Option<At<String>>,
    /// What a person reads when it fails: a template.
    #[serde(rename = "else")]
    pub otherwise: Option<At<String>>,
}

/// Records kept equal in both systems.
#[derive(Clone, Debug)]
pub struct Register {
    /// Everything but the two sides.
    pub words: RegisterWords,
    /// The sides, by the names of `systems:`.
    pub sides: Vec<(At<String>, Endpoint)>,
}

/// The words of a register, beside its two sides.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RegisterWords {
    /// What it is called, for people: one text, or one for each language.
    pub title: Option<ShortForm<Labels>>,
    /// The register is there only when this holds: an expression over `settings`.
    pub when: Option<At<String>>,
    /// Where records may be created: `both` (default), one way (`shop -> erp`), `link_only` (pairs are found and kept, nothing is
    /// written), or a setting of type `direction`.
    pub direction: Option<At<String>>,
    /// Where changes come from: the name of a side, or a setting of type `side`. A row may say otherwise. New records may still appear
    /// on both sides; `direction` says that. A one-way register has its source as master.
    pub master: Option<At<String>>,
    /// When two existing records meet for the first time and differ in a row without a master: whose value counts. Without it they are
    /// left alone and listed.
    pub adopt: Option<At<String>>,
    /// How unlinked records are recognised: names of rows (by the left path, of many by the first; or by a side and its path,
    /// `erp.code`); a nested list means all of them together. Entries in order.
    #[serde(rename = "match")]
    pub matching: List<Paths>,
    /// Fields that no two records of a side may share: those that do are set aside, naming each other.
    pub unique: List<Unique>,
    /// In scope only when its parent is linked in this register, and matched among that parent's records only.
    pub part_of: Option<At<String>>,
    /// What a record must satisfy, else it is set aside with the reason.
    pub valid: List<Valid>,
    /// Other answers to situations of linked records: to `source_missing` (the master's record is gone: `nothing`, `set_aside`,
    /// `unlink` or `delete`), `target_missing` and `out_of_scope` (`nothing`, `set_aside` or `unlink`). `delete` removes the other
    /// record, after a complete read and a 404, as far as `brakes: { delete }` allows, which is 0 unless it is said.
    pub situations: Table<At<String>>,
    /// The name this register had before: its links are kept.
    pub was: Option<At<String>>,
    /// The field table: one table for both directions.
    pub fields: List<Row>,
}

/// Names of [`RegisterWords`], used to tell words from sides.
pub const REGISTER_WORDS: &[&str] = &[
    "title",
    "when",
    "direction",
    "master",
    "adopt",
    "match",
    "unique",
    "part_of",
    "valid",
    "situations",
    "was",
    "fields",
];

impl FromNode for Register {
    fn from_node(node: &Node, diagnostics: &mut Diagnostics) -> Option<Self> {
        let (words, rest) = split(node, REGISTER_WORDS, diagnostics)?;
        let sides = rest
            .into_iter()
            .filter_map(|(key, value)| Some((key, from_node::<Endpoint>(&value, diagnostics)?)))
            .collect();
        Some(Register { words, sides })
    }
}

via_node!(Register);

impl JsonSchema for Register {
    fn schema_name() -> Cow<'static, str> {
        "Register".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        with_sides::<RegisterWords, Endpoint>(generator)
    }
}

/// Which records of a side belong to a register.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Endpoint {
    /// The resource of the system file.
    pub resource: Option<At<String>>,
    /// Many resources are one register: resource and the values of `by` that belong to it. The first value is written when a record is
    /// made on the other side; other values are out of scope.
    pub one_of: Table<Codes>,
    /// The field of the other side that tells which: `erp.type`.
    pub by: Option<At<String>>,
    /// Which records concern the mapping at all. Leaving the scope never deletes.
    pub scope: Option<At<String>>,
    /// A record is made on the other side only when this holds; linked ones are kept equal all the same.
    pub create_when: Option<At<String>>,
    /// Questions about records of other resources of the same side. `scope` and `create_when` read the answers, true or false, as
    /// `exists.NAME`.
    pub exists: Table<Exists>,
    /// What stands with a document's record.
    #[serde(skip)]
    pub related: Table<super::documents::Related>,
}

/// Whether a record of another resource stands with this one: `won: { resource: project, where: { customer.guid: guid }, when: "…" }`.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Exists {
    /// The other resource of the same side. All of it is read.
    pub resource: At<String>,
    /// Which of its records stand with this one: their field and ours, equal.
    #[serde(rename = "where")]
    pub pairs: Table<At<String>>,
    /// Only those that satisfy this count. Bare names are their fields.
    pub when: Option<At<String>>,
}

/// A field that no two records of a side may share.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Unique {
    /// The side.
    #[serde(rename = "in")]
    pub side: At<String>,
    /// The field.
    pub field: At<String>,
    /// Only records that satisfy this count.
    pub when: Option<At<String>>,
}

/// What a record must satisfy.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Valid {
    /// The condition, over the sides' records.
    pub that: At<String>,
    /// The reason when it does not hold: a template.
    #[serde(rename = "else")]
    pub otherwise: At<String>,
    /// Which side's records it is about. Default: the side that `that` names.
    pub of: Option<At<String>>,
}

/// The sides of a map node: names of the mapping's own, not yet typed.
pub(super) type Sides = Vec<(At<String>, Node)>;

/// Splits a map node into its words (typed) and the rest (sides).
pub(super) fn split<W: serde::de::DeserializeOwned>(
    node: &Node,
    words: &[&str],
    diagnostics: &mut Diagnostics,
) -> Option<(W, Sides)> {
    let Kind::Map(entries) = &node.kind else {
        // let the typed reader say what is wanted
        return from_node::<W>(node, diagnostics).map(|words| (words, Vec::new()));
    };
    let (known, rest): (Vec<_>, Vec<_>) =
        entries.iter().cloned().partition(|(key, _)| words.contains(&key.value.as_str()));
    let typed = from_node(&Node { kind: Kind::Map(known), span: node.span }, diagnostics)?;
    Some((typed, rest))
}

/// The schema of words plus any number of sides.
pub(super) fn with_sides<W: JsonSchema, S: JsonSchema>(generator: &mut SchemaGenerator) -> Schema {
    let mut schema = W::json_schema(generator);
    let side = generator.subschema_for::<S>();
    schema.insert("additionalProperties".into(), side.to_value());
    schema
}
