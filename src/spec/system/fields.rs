//! The fields of a resource, and what is below a record.

use schemars::JsonSchema;
use serde::Deserialize;

use super::{Emptied, TimeForm};
use crate::diagnostic::At;
use crate::spec::short::{Paths, Short, ShortForm};
use crate::spec::yaml::Table;
use crate::value::Value;

/// Child records that have calls of their own.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Part {
    /// The resource of the children.
    pub resource: At<String>,
    /// The child's field that names the parent.
    pub by: At<String>,
}

/// One typed field. Short form: just the type.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Field {
    /// `text` · `integer` · `decimal` · `bool` · `date` · `time` · `id` · `choice` · `object` · `list`, or the name of an object type.
    #[serde(rename = "type")]
    pub kind: Option<At<String>>,
    /// What it is, for people and for completion in an editor.
    pub help: Option<String>,
    /// What it is called on the screen of the product: a text, or one for each language (`{ en: Name, sv: Namn }`).
    pub label: Option<ShortForm<Labels>>,
    /// `time`: how it is written, where that differs from the encoding: `text` · `epoch_seconds` · `epoch_millis` (a whole number
    /// of seconds or milliseconds since 1970, in UTC).
    #[serde(rename = "as")]
    pub form: Option<TimeForm>,
    /// `choice`: the allowed values.
    pub of: Vec<At<String>>,
    /// Its path on the wire, reading and writing. Default: its name.
    pub path: Option<At<String>>,
    /// Its path in answers, where that differs.
    pub read: Option<At<String>>,
    /// Its path in requests, where that differs.
    pub write: Option<At<String>>,
    /// Constants that are sent beside it whenever it is sent.
    pub with: Table<Value>,
    /// XML: attributes of its element, sent whenever it is sent: `{ type: net }`.
    pub attributes: Table<String>,
    /// `object`, `list`: the members.
    pub fields: Table<Option<ShortForm<Field>>>,
    /// `list`: the member that tells one item from another.
    pub key: Option<At<String>>,
    /// Must be there in a create.
    pub required: bool,
    /// Cannot be written.
    pub read_only: bool,
    /// Cannot be read.
    pub write_only: bool,
    /// Can be written in a create only.
    pub create_only: bool,
    /// The value it gets in a create where the mapping gives none.
    pub on_create: Option<At<Value>>,
    /// No two records may have the same.
    pub unique: bool,
    /// Who gives the value: `if_missing` (the system, where a create leaves it out), `by_series` (the system's number series).
    pub assigned: Option<Assigned>,
    /// `text`: at most so many characters. `integer`, `decimal`: at most so many digits before the point.
    pub max: Option<u32>,
    /// `decimal`: at most so many places after the point.
    pub places: Option<u32>,
    /// It holds the key of a record of this resource (or a field of it: `customer.number`).
    #[serde(rename = "ref")]
    pub reference: Option<At<String>>,
    /// On the wire stands the key of another record; the mapping sees this field of it: `country.code2`.
    pub lookup: Option<At<String>>,
    /// `lookup`: only records that satisfy this count when a value is turned into a key.
    #[serde(rename = "where")]
    pub only_where: Option<At<String>>,
    /// `lookup`: what a key without a record reads as: `set_aside` (default) or `none`.
    pub missing: Option<Missing>,
    /// It is (a value of) the one child record that matches; a `list`: all that match, read only.
    pub pivot: Option<Pivot>,
    /// `decimal`, read only: the exact sum of these fields of the same record (those that are empty do not count).
    pub sum: Paths,
    /// `text`, read only: of what stands there only what this regular expression finds – its first group, where it has one. Where it
    /// finds nothing, there is nothing: `"^([0-9]+) "`.
    pub extract: Option<At<String>>,
    /// `list`, read only: the days from one field of the same record to another. Each is an item with its `date`, which tells it
    /// from the others, and the `count` of all of them.
    pub days: Option<Days>,
    /// `list`: its items are files inside the message: which members hold what of a file. A mapping fills it by `embed`.
    pub embeds: Option<Embeds>,
    /// What the built-in stand-in answers here: an expression over the record. A real server computes it itself. At members of a
    /// list: the stand-in makes one item of them.
    pub sandbox: Option<At<String>>,
    /// Never put into the encoding's `wrap`.
    pub wrap: Option<bool>,
    /// Sent with every update, changed or not, also when empty.
    pub always_send: bool,
    /// How it is sent when it is emptied, where that differs from the encoding: `as_null` · `as_text` (`""`) · `left_out` (only in an
    /// update that is a PUT of the whole record, where what is absent is empty).
    pub emptied: Option<Emptied>,
    /// The unit of a number: `days`, `percent` …
    pub unit: Option<String>,
    /// `text`: more than one line is allowed.
    pub lines: bool,
    /// Personal or secret: messages and plans show `•••`.
    pub sensitive: bool,
}

/// What something is called, in more than one language.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Labels {
    /// The one text for all languages.
    #[serde(skip)]
    pub text: Option<String>,
    /// English.
    pub en: Option<String>,
    /// Swedish.
    pub sv: Option<String>,
    /// Norwegian (bokmål).
    pub nb: Option<String>,
    /// Finnish.
    pub fi: Option<String>,
}

impl Labels {
    /// The text in a language (`sv`); where there is none, the English one, else any.
    pub fn in_language(&self, code: &str) -> Option<&str> {
        let own = match code {
            "sv" => &self.sv,
            "nb" => &self.nb,
            "fi" => &self.fi,
            _ => &self.en,
        };
        [own, &self.text, &self.en, &self.sv, &self.nb, &self.fi].into_iter().find_map(Option::as_deref)
    }
}

impl Short for Labels {
    fn short(text: At<String>) -> Self {
        Labels { text: Some(text.value), ..Labels::default() }
    }
}

impl Short for Field {
    fn short(text: At<String>) -> Self {
        Field { kind: Some(text), ..Field::default() }
    }
}

/// Who gives a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Assigned {
    /// The system, where a create leaves it out.
    IfMissing,
    /// The system's number series, always.
    BySeries,
}

/// What a key without a record reads as.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Missing {
    /// The record is set aside.
    #[default]
    SetAside,
    /// Null.
    None,
}

/// The days from one field to another.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Days {
    /// The field with the first day: a `date`, or a `text` that begins with one. Empty: there are no days.
    pub from: At<String>,
    /// The field with the last day. Empty: the first is the only one. A text that ends at midnight does not count the day that
    /// begins then.
    pub to: At<String>,
}

/// How a file stands in an item of a list.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Embeds {
    /// The member (or members) with the name of the file.
    pub name: Paths,
    /// The member with its media type.
    #[serde(rename = "type")]
    pub media: Option<At<String>>,
    /// The member with its content, as base64.
    pub content: At<String>,
}

/// The one child record that matches. Where more than one does and no `pointer` names it, none is taken and the record is set
/// aside; a linked pair goes on with the child it was linked by.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Pivot {
    /// The name of the part.
    pub part: At<String>,
    /// The child's fields and the values they must have. A new child gets them. A `list` may leave it out: all children, in
    /// the order of their ids.
    #[serde(rename = "where", default)]
    pub only_where: Table<At<Value>>,
    /// The child's field that is the value. Without it, the child's fields are the members of this object.
    pub value: Option<At<String>>,
    /// A field of the parent that names the child, where more than one matches. Filled when a child is made and it is empty.
    pub pointer: Option<At<String>>,
}
