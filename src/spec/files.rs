//! Files of records: how they are listed, fetched and attached.

use schemars::JsonSchema;
use serde::Deserialize;

use super::short::Paths;
use super::yaml::Table;
use crate::diagnostic::At;

/// Files that belong to a record.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Files {
    /// Path template of a list of them, over the record's fields; without it (and without `field`) there is exactly one.
    pub list: Option<At<String>>,
    /// The record itself tells which there are: the field with the list, or one in every item of a list: `lines[*].attachments`.
    pub field: Option<At<String>>,
    /// The name of the pager of the list. Default: one answer holds all.
    pub pager: Option<At<String>>,
    /// Path template of the content, over the record's fields; `{file}` is the file's id.
    pub get: At<String>,
    /// `list`, `field`: path of the id in an item.
    pub id: Option<At<String>>,
    /// `list`, `field`: path of the file's name in an item. Without either: the name, as a template over the record's fields.
    pub name: At<String>,
    /// `list`, `field`: path of the media type in an item. Without either: the media type.
    #[serde(rename = "type")]
    pub media: Option<At<String>>,
}

/// How a file is attached to a record.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Attach {
    /// Path template of the POST, over the record's fields.
    pub post: At<String>,
    /// Query, as templates over `file.name` and `file.type`.
    #[serde(default)]
    pub query: Table<Paths>,
    /// Sent as multipart/form-data (RFC 7578), in the part of this name. Default: the content is the whole body.
    pub field: Option<At<String>>,
    /// Sent as multipart/related (RFC 2387): first a JSON object with these texts – templates over `file.name`, `file.type` and
    /// `file.about`, what the mapping says of it –, then the content. Empty ones are left out.
    #[serde(default)]
    pub related: Table<Paths>,
    /// What another file of the same name does. Default: it stands beside the first.
    pub same_name: Option<SameName>,
    /// The name in `files` by which an attached file is looked for after an unknown outcome.
    pub list: Option<At<String>>,
}

/// The file that a record is made of.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateFile {
    /// The part of the form it is sent in.
    pub field: At<String>,
    /// What the system reads out of the file, for its stand-in, which does not look into it: fields and templates over `file.name`
    /// and `file.type`.
    #[serde(default)]
    pub sandbox: Table<At<String>>,
}

/// What another file of the same name does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SameName {
    /// It is a new version of the first: sending it again does no harm.
    NewVersion,
}
