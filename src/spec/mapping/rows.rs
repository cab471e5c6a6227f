//! What a row of a field table may say.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::Deserialize;

use super::{split, with_sides};
use crate::diagnostic::{At, Diagnostics};
use crate::spec::short::Paths;
use crate::spec::yaml::{FromNode, Kind, Node, Table, from_node, via_node};
use crate::value::Value;

/// A row of a field table.
#[derive(Clone, Debug)]
pub struct Row {
    /// Everything but the sides.
    pub words: RowWords,
    /// The sides: a path, or many paths with `join`.
    pub sides: Vec<(At<String>, Paths)>,
    /// The whole row.
    pub span: crate::diagnostic::Span,
}

/// The words of a row, beside its sides. The path of a side may name an item of a list by its position (`codes[0]`) or by a member
/// (`tags[kind='colour'].name`, `tags[kind=settings.x].name`): such an item is made where it is missing, two that fit are none, and
/// without an answer to the setting the row is off. What `constant`, `value` and `template` give goes through `ref`, `values`,
/// `convert`, `multiply` and `round`, too.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RowWords {
    /// Both sides are objects: the named table says how their members correspond.
    pub fields: Option<At<String>>,
    /// Always this value. Codes and amounts are text: "10", "0.00".
    pub constant: Option<At<Value>>,
    /// The value of an expression over the source record, `settings`, and singletons of both sides.
    pub value: Option<At<String>>,
    /// A text made by a template.
    pub template: Option<At<String>>,
    /// Many paths on one side are joined with this text, and split by it on the way back.
    pub join: Option<At<String>>,
    /// `join`: which path keeps the words too many when a text has more parts than there are paths: `first` or `last`. Without it the
    /// record is set aside.
    pub overflow: Option<At<Overflow>>,
    /// A code table: left value and right value (or many right values: the first is written, all are understood). Or `settings.x`.
    pub values: Option<Values>,
    /// What happens to a code that is not in the table: `set_aside` (default) or `leave`.
    pub unlisted: Option<Unlisted>,
    /// The value is a record's key: it is translated through the links of this register.
    #[serde(rename = "ref")]
    pub reference: Option<At<String>>,
    /// What happens when that record is not linked: `wait` (default), `leave` or `set_aside`.
    pub if_missing: Option<IfMissing>,
    /// `text`, `integer`, `decimal`, `date`, `not` (true and false swapped), `negate`.
    pub convert: Option<At<Convert>>,
    /// How two values are compared: `exact` (default), `fold` (case and spaces do not count), `digits` (only digits count).
    pub compare: Option<Compare>,
    /// Decimals: places after the point, half away from zero.
    pub round: Option<u32>,
    /// Decimals: times this setting or exact number. One way only; needs `round`.
    pub multiply: Option<At<String>>,
    /// Text: cut to the length of the target field.
    #[serde(default)]
    pub truncate: bool,
    /// An expression used when the source is empty and the target is, too.
    pub default: Option<At<String>>,
    /// The row counts only when this holds.
    pub when: Option<At<String>>,
    /// The value (an expression) when `when` does not hold. Without it the target is left alone.
    #[serde(rename = "else")]
    pub otherwise: Option<At<String>>,
    /// When the row is written: `always` (default), `create_only`, `update_only`, `if_empty`, `never` (records are only matched by it).
    pub apply: Option<Apply>,
    /// Whose value counts when both changed: the name of a side, or a setting of type `side`; `none`: no side's, whatever the
    /// register says.
    pub master: Option<At<String>>,
    /// One way only: `shop -> erp`.
    pub direction: Option<At<String>>,
    /// It links the records: written when a link is made, afterwards only compared; a later difference is a serious error.
    #[serde(default)]
    pub key: bool,
    /// The source must have it, else the record is set aside. Not where `when` says that the row does not count.
    #[serde(default)]
    pub required: bool,
    /// An emptied source empties the target.
    #[serde(default)]
    pub clear: bool,
    /// Only for these members of `one_of`.
    pub only: Paths,
    /// What happens when both sides changed it and there is no master: `set_aside` (default), or `later` (the later change counts).
    pub conflict: Option<Conflict>,
}

/// Names of [`RowWords`], used to tell words from sides.
pub const ROW_WORDS: &[&str] = &[
    "fields",
    "constant",
    "value",
    "template",
    "join",
    "overflow",
    "values",
    "unlisted",
    "ref",
    "if_missing",
    "convert",
    "compare",
    "round",
    "multiply",
    "truncate",
    "default",
    "when",
    "else",
    "apply",
    "master",
    "direction",
    "key",
    "required",
    "clear",
    "only",
    "conflict",
];

impl FromNode for Row {
    fn from_node(node: &Node, diagnostics: &mut Diagnostics) -> Option<Self> {
        let (words, rest) = split(node, ROW_WORDS, diagnostics)?;
        let path = |value: &Node, diagnostics: &mut Diagnostics| match value.kind {
            // no path is true or false: a word is meant that is none, which is said where the sides are known
            Kind::Bool(yes) => Some(Paths(vec![At { value: yes.to_string(), span: value.span }])),
            _ => from_node::<Paths>(value, diagnostics),
        };
        let sides =
            rest.into_iter().filter_map(|(key, value)| Some((key, path(&value, diagnostics)?))).collect();
        Some(Row { words, sides, span: node.span })
    }
}

via_node!(Row);

impl JsonSchema for Row {
    fn schema_name() -> Cow<'static, str> {
        "Row".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        with_sides::<RowWords, Paths>(generator)
    }
}

/// A code table.
#[derive(Clone, Debug)]
pub enum Values {
    /// A table of the company: `settings.units`.
    Setting(At<String>),
    /// Left code and right codes.
    Table(Table<Codes>),
}

impl FromNode for Values {
    fn from_node(node: &Node, diagnostics: &mut Diagnostics) -> Option<Self> {
        match &node.kind {
            Kind::Text { text, .. } => Some(Values::Setting(At { value: text.clone(), span: node.span })),
            _ => from_node(node, diagnostics).map(Values::Table),
        }
    }
}

via_node!(Values);

impl JsonSchema for Values {
    fn schema_name() -> Cow<'static, str> {
        "Values".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let table = generator.subschema_for::<Table<Codes>>();
        schemars::json_schema!({
            "description": "A code table: left value and right value (or many: the first is written, all are understood). Or `settings.x`.",
            "anyOf": [ { "type": "string", "pattern": "^settings\\." }, table ]
        })
    }
}

/// One code, or many of which the first is written and all are understood. Codes are read as the type of their field.
#[derive(Clone, Debug, Default)]
pub struct Codes(pub Vec<At<String>>);

impl std::ops::Deref for Codes {
    type Target = [At<String>];
    fn deref(&self) -> &[At<String>] {
        &self.0
    }
}

impl FromNode for Codes {
    fn from_node(node: &Node, diagnostics: &mut Diagnostics) -> Option<Self> {
        let code = |node: &Node, diagnostics: &mut Diagnostics| -> Option<At<String>> {
            match &node.kind {
                Kind::Bool(yes) => Some(At { value: yes.to_string(), span: node.span }),
                Kind::Number(text) => Some(At { value: text.clone(), span: node.span }),
                _ => from_node(node, diagnostics),
            }
        };
        match &node.kind {
            Kind::List(items) => {
                Some(Codes(items.iter().filter_map(|item| code(item, diagnostics)).collect()))
            }
            _ => code(node, diagnostics).map(|code| Codes(vec![code])),
        }
    }
}

via_node!(Codes);

impl JsonSchema for Codes {
    fn schema_name() -> Cow<'static, str> {
        "Codes".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        schemars::json_schema!({
            "anyOf": [
                { "type": ["string", "boolean", "integer"] },
                { "type": "array", "items": { "type": ["string", "boolean", "integer"] } }
            ]
        })
    }
}

/// Which path keeps the words too many when a joined text is split.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Overflow {
    /// The first: `Anna Maria Berg` becomes `Anna Maria` and `Berg`.
    First,
    /// The last: it becomes `Anna` and `Maria Berg`.
    Last,
}

/// What happens to a code that is not in the table.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Unlisted {
    /// The record is set aside, naming the code.
    #[default]
    SetAside,
    /// The target is left alone.
    Leave,
}

/// What happens when the referenced record is not linked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum IfMissing {
    /// The record waits.
    #[default]
    Wait,
    /// The target is left alone.
    Leave,
    /// The target is left alone where that record is out of the scope of its register, or nowhere; for one that is set aside or waits
    /// it waits.
    LeaveOutOfScope,
    /// The record is set aside.
    SetAside,
}

/// A conversion of a value on its way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Convert {
    /// To text, canonical digits.
    Text,
    /// To a whole number; what is none (`C17`, `007`) sets the record aside.
    Integer,
    /// To an exact number.
    Decimal,
    /// To a date (a time loses its time).
    Date,
    /// True becomes false and false true.
    Not,
    /// The number with the other sign.
    Negate,
}

/// How two values are compared.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Compare {
    /// As they are.
    #[default]
    Exact,
    /// Case and white space do not count.
    Fold,
    /// Only digits count.
    Digits,
}

/// When a row is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Apply {
    /// Whenever it differs.
    #[default]
    Always,
    /// When the record is made.
    CreateOnly,
    /// When the record exists already.
    UpdateOnly,
    /// When the target has no value.
    IfEmpty,
    /// Never: records are matched by it.
    Never,
}

/// What happens when both sides changed a row and there is no master.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Conflict {
    /// The record is set aside with both values shown.
    #[default]
    SetAside,
    /// The later change counts, as both systems say when the record changed (the fields of `cursor`, times with a zone, compared as
    /// instants). Where that is the same moment, or one does not say it, the record is set aside.
    Later,
}
