//! How values and records stand in a body: JSON or XML, wrapped or plain.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::spec::yaml::{List, Table};
use crate::value::charset::Charset;

/// How a record becomes a request body and back.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Encoding {
    /// `json`, `json_patch` (RFC 6902: a list of operations), or `xml`. In XML an element is a member, its attribute
    /// `name.@attribute`; what repeats is a list; fields are sent in the order in which they stand in the file.
    pub kind: Option<EncodingKind>,
    /// `xml`: how documents are written and read.
    pub xml: Option<Xml>,
    /// Every scalar and object that is sent is put into an object with this one member: `{"name": {"value": "x"}}`.
    pub wrap: Option<String>,
    /// The whole body that is sent is put into an object with this one member: `{"user": {…}}`.
    pub envelope: Option<String>,
    /// `json_patch`: how the operation is spelled. Default `replace`.
    pub patch_op: Option<String>,
    /// How decimals are written and read. Default: a JSON number.
    pub decimal: Option<TypedScalar>,
    /// How a field that is emptied is sent: `as_null` (default), `as_text` (`""`; objects and lists stay null) or `left_out` (only in
    /// an update that is a PUT of the whole record). A field that differs says so itself.
    pub emptied: Option<Emptied>,
    /// The texts that stand for true and false. Default: a JSON `true`; in XML `true` and `false`, or `1` and `0`.
    pub bool: Option<BoolTexts>,
    /// How dates are written and read. Default: text.
    pub date: Option<TypedScalar>,
    /// How times are written and read, also in a cursor. Default: text. A field that differs says so itself (`as`).
    pub time: Option<TypedScalar>,
    /// How a key with reserved characters stands in a path: `percent` (default), or `b64` (`b64(…)`, base64url without padding).
    pub path_escape: Option<PathEscape>,
}

/// How an emptied field is sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Emptied {
    /// As null; in XML as an element with nothing in it.
    #[default]
    AsNull,
    /// As `""`.
    AsText,
    /// Not at all: what is absent is empty.
    LeftOut,
}

/// How XML documents are written and read. A document with a DOCTYPE is refused, no entity is expanded.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Xml {
    /// The element around every document that is sent and read (in any case); paths begin below it. Without it the
    /// `envelope` is the root element, and paths begin with the root's name.
    pub root: Option<String>,
    /// `as_written` (default), or `lower`: names in answers are read in lower case, for servers that spell them in
    /// more than one way. All paths are then written in lower case.
    pub names: Option<XmlNames>,
    /// The character set that is written. Answers are read in the one that they declare.
    pub charset: Option<Charset>,
    /// Whether a document that is sent begins with `<?xml …?>`. Default true.
    pub declaration: Option<bool>,
    /// The content type of what is sent. Default `application/xml`; the character set is added to it.
    pub content_type: Option<String>,
}

/// How names in answers are taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum XmlNames {
    /// As they are.
    AsWritten,
    /// In lower case.
    Lower,
}

/// The texts that stand for true and false: the first is written, all are read, in any case. A JSON number is read by its digits.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BoolTexts {
    /// For true.
    #[serde(rename = "true")]
    pub yes: List<String>,
    /// For false.
    #[serde(rename = "false")]
    pub no: List<String>,
    /// Whether the first is written as a JSON number: `1`, not `"1"`.
    #[serde(default)]
    pub number: bool,
}

/// How a body is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum EncodingKind {
    /// A JSON object.
    Json,
    /// A JSON Patch document (RFC 6902), one operation for each top-level member.
    JsonPatch,
    /// An XML document.
    Xml,
}

/// How a typed scalar is written on the wire.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TypedScalar {
    /// `number` (JSON number) · `text` · `tagged` (an object with a class name and members) · `epoch_seconds`, `epoch_millis` (a time
    /// as a whole number of seconds or milliseconds since 1970, in UTC; in XML its digits).
    #[serde(rename = "as")]
    pub form: ScalarForm,
    /// `tagged`: constant members that say which class it is: `{ __class__: Decimal }`.
    #[serde(default)]
    pub tag: Table<String>,
    /// `tagged`: the members that hold the value. A decimal has one; a date has year, month, day; a time also hour, minute, second.
    #[serde(default)]
    pub members: Vec<String>,
    /// `text`: a decimal is written with a comma; both are read.
    #[serde(default)]
    pub comma: bool,
}

/// The forms of a scalar on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ScalarForm {
    /// A JSON number.
    Number,
    /// A text.
    Text,
    /// An object with a class name.
    Tagged,
    /// Seconds since 1970.
    EpochSeconds,
    /// Milliseconds since 1970.
    EpochMillis,
}

/// The forms of one time that may differ from those around it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum TimeForm {
    /// A text.
    Text,
    /// Seconds since 1970.
    EpochSeconds,
    /// Milliseconds since 1970.
    EpochMillis,
}

/// How a key stands in a path.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum PathEscape {
    /// Percent-encoding (RFC 3986).
    #[default]
    Percent,
    /// `b64(…)` around base64url without padding, only where the key holds other than letters, digits, `-`, `_` and `.`.
    B64,
}
