//! How values stand in a body, and the fields of a resource, compiled.

use std::time::Duration;

use super::*;
use crate::diagnostic::Span;
use crate::program::expr::{Expr, Template};
use crate::program::types::Type;
use crate::value::xml::XmlForm;
use crate::value::{Path, Query, Value};

/// Body shapes.
#[derive(Clone, Debug, PartialEq)]
pub struct Encoding {
    /// JSON, JSON Patch or XML.
    pub kind: EncodingKind,
    /// XML documents.
    pub xml: XmlForm,
    /// The content type of what is sent, where it is not the kind's own.
    pub content_type: Option<String>,
    /// The texts for true and false; none: the kind's own.
    pub bools: Option<Bools>,
    /// How emptied fields are sent.
    pub emptied: Emptied,
    /// Decimals are written with a comma.
    pub comma: bool,
    /// Every scalar and object that is sent stands in an object with this member.
    pub wrap: Option<String>,
    /// The whole body that is sent stands in an object with this member.
    pub envelope: Option<String>,
    /// How a JSON Patch operation is spelled.
    pub patch_op: String,
    /// Decimals on the wire.
    pub decimal: Scalar,
    /// Dates on the wire.
    pub date: Scalar,
    /// Times on the wire.
    pub time: Scalar,
    /// Keys in paths.
    pub path_escape: PathEscape,
}

impl Default for Encoding {
    fn default() -> Self {
        Encoding {
            kind: EncodingKind::Json,
            xml: XmlForm { declaration: true, ..XmlForm::default() },
            content_type: None,
            bools: None,
            emptied: Emptied::AsNull,
            comma: false,
            wrap: None,
            envelope: None,
            patch_op: "replace".into(),
            decimal: Scalar::Number,
            date: Scalar::Text,
            time: Scalar::Text,
            path_escape: PathEscape::Percent,
        }
    }
}

impl Encoding {
    /// How a field is sent when it is emptied.
    pub fn emptied(&self, field: &Field) -> Emptied {
        let is_scalar = !matches!(field.ty, Type::Object(_) | Type::List(_));
        match field.emptied.unwrap_or(self.emptied) {
            Emptied::AsText if !is_scalar || self.is_xml() => Emptied::AsNull,
            // what is sent always is not left out
            Emptied::LeftOut if field.always_send => Emptied::AsNull,
            emptied => emptied,
        }
    }
}

/// The texts for true and false: the first is written, all are read.
#[derive(Clone, Debug, PartialEq)]
pub struct Bools {
    /// For true.
    pub yes: Vec<String>,
    /// For false.
    pub no: Vec<String>,
    /// The first is written as a number.
    pub number: bool,
}

/// A scalar on the wire.
#[derive(Clone, Debug, PartialEq)]
pub enum Scalar {
    /// A JSON number.
    Number,
    /// A text.
    Text,
    /// An object with a class name.
    Tagged {
        /// Constant members.
        tag: Vec<(String, String)>,
        /// Members that hold the value.
        members: Vec<String>,
    },
    /// A time as a number since 1970.
    Epoch(Epoch),
}

/// How changed records are asked for.
#[derive(Clone, Debug)]
pub struct Cursor {
    /// The parameter.
    pub param: String,
    /// Sent beside it.
    pub with: Vec<(String, String)>,
    /// The parameter's value over `since`, where it is not the time itself.
    pub value: Option<Template>,
    /// The time is a number since 1970; none: a text.
    pub form: Option<Epoch>,
    /// The fields that say when a record changed; the first that is there counts.
    pub fields: Vec<Path>,
    /// How far before the last change seen the next read begins.
    pub overlap: Duration,
}

/// A server-side filter.
#[derive(Clone, Debug)]
pub struct SearchParam {
    /// The parameter.
    pub param: String,
    /// Sent beside it.
    pub with: Vec<(String, String)>,
    /// The parameter's value over `value`, where it is not the value itself.
    pub value: Option<Template>,
}

/// Children with calls of their own.
#[derive(Clone, Debug)]
pub struct Part {
    /// Their resource.
    pub resource: String,
    /// Their field that names the parent.
    pub by: Path,
}

/// One typed field, or a member of an object or list field (then its name and paths are relative to it).
#[derive(Clone, Debug)]
pub struct Field {
    /// The name that mappings use.
    pub name: Path,
    /// What it means.
    pub ty: Type,
    /// How a time is written, where that differs from the encoding.
    pub time: Option<Scalar>,
    /// What it is, for people.
    pub help: Option<String>,
    /// What it is called on the product's screen, in messages.
    pub label: Option<String>,
    /// The same in each language.
    pub labels: Labels,
    /// Where answers hold it; none where it cannot be read (or comes from a pivot).
    pub read: Option<Query>,
    /// Where requests hold it; none where it cannot be written (or goes to a pivot).
    pub write: Option<Path>,
    /// Constants sent beside it.
    pub with: Vec<(Path, Value)>,
    /// Members of an object or of a list's items.
    pub fields: Vec<Field>,
    /// The member that tells one item of a list from another.
    pub key: Option<Path>,
    /// Must be there in a create.
    pub required: bool,
    /// Cannot be written.
    pub read_only: bool,
    /// Cannot be read.
    pub write_only: bool,
    /// Only in a create.
    pub create_only: bool,
    /// Its value in a create where the mapping gives none.
    pub on_create: Option<Value>,
    /// No two records may have the same.
    pub unique: bool,
    /// Who gives it.
    pub assigned: Option<Assigned>,
    /// Most characters, or digits before the point.
    pub max: Option<u32>,
    /// Most places after the point.
    pub places: Option<u32>,
    /// It holds the key (or this field) of a record of that resource.
    pub reference: Option<FieldRef>,
    /// On the wire stands the key of a record; the mapping sees a field of it.
    pub lookup: Option<Lookup>,
    /// It is (a value of) the one child that matches, or a list of all that do.
    pub pivot: Option<Pivot>,
    /// It is the sum of these fields of the record.
    pub sum: Vec<Path>,
    /// Only what this finds is read of it.
    pub extract: Option<regex::Regex>,
    /// It is the list of the days from one field of the record to another.
    pub days: Option<Days>,
    /// Its items are files.
    pub embeds: Option<Embeds>,
    /// What a stand-in answers here.
    pub sandbox: Option<Expr>,
    /// Put into the encoding's `wrap`.
    pub wrap: bool,
    /// Sent with every update.
    pub always_send: bool,
    /// How it is sent when it is emptied, where that differs from the encoding.
    pub emptied: Option<Emptied>,
    /// Personal or secret.
    pub sensitive: bool,
    /// Where it stands in the system file.
    pub span: Span,
}

impl Field {
    /// The fields of the same record that it is worked out from: no system has it.
    pub fn made_of(&self) -> impl Iterator<Item = &Path> {
        self.sum.iter().chain(self.days.iter().flat_map(|days| [&days.from, &days.to]))
    }

    /// Whether it is worked out from other fields.
    pub fn is_made(&self) -> bool {
        !self.sum.is_empty() || self.days.is_some()
    }
}

/// The members of an item that hold a file.
#[derive(Clone, Debug, PartialEq)]
pub struct Embeds {
    /// Its name.
    pub name: Vec<Path>,
    /// Its media type.
    pub media: Option<Path>,
    /// Its content, as base64.
    pub content: Path,
}

/// The days from one field to another.
#[derive(Clone, Debug, PartialEq)]
pub struct Days {
    /// The first.
    pub from: Path,
    /// The last.
    pub to: Path,
}

/// A field of another resource.
#[derive(Clone, Debug, PartialEq)]
pub struct FieldRef {
    /// The resource.
    pub resource: String,
    /// The field; the key where none was named.
    pub field: Path,
}

/// On the wire stands the key of a record; the mapping sees a field of it.
#[derive(Clone, Debug)]
pub struct Lookup {
    /// Which resource and field.
    pub target: FieldRef,
    /// Only these count when a value becomes a key.
    pub only_where: Option<Expr>,
    /// What a key without a record reads as.
    pub missing: Missing,
}

/// The hidden member of an assembled record that says which child each pivot field came from.
pub const PARTS: &str = "@parts";

/// The hidden member of an assembled record that names the pivot fields for which more than one child could be meant, with the
/// children's ids. Such a field has no value.
pub const MANY_FIT: &str = "@many_fit";

/// The one child that matches.
#[derive(Clone, Debug)]
pub struct Pivot {
    /// The part's name.
    pub part: String,
    /// The children's resource.
    pub resource: String,
    /// The fields the child must have.
    pub only_where: Vec<(Path, Value)>,
    /// The child's field that is the value; none: the child is the object.
    pub value: Option<Path>,
    /// The parent's field that names the child where more than one matches.
    pub pointer: Option<Path>,
    /// All that match are a list, in the order of their ids.
    pub many: bool,
}
