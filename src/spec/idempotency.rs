//! How a system knows a repeated request again.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::diagnostic::At;

/// The system knows a repeated create by a key of ours and does not make a second record. The key (a UUID) is made for every
/// create, and is on disk before the request leaves: after an unknown outcome the very same request is sent again with it.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct IdempotencyKey {
    /// The header it is sent in: `Idempotency-Key`.
    pub header: Option<At<String>>,
    /// The query parameter it is sent in.
    pub query: Option<At<String>>,
    /// The path in the body it is sent at; the part of the form, where the record is made of a file.
    pub field: Option<At<String>>,
    /// What a repeated request is answered.
    pub repeat: Option<Repeat>,
    /// How long the system knows a key. An outcome that is unknown for longer is looked up as if there were no key. Default:
    /// always.
    pub kept: Option<At<String>>,
}

/// What a repeated request is answered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Repeat {
    /// What the first one was answered (default).
    #[default]
    SameAnswer,
    /// That there is such a record already (the error class `already_exists`): the key is the new record's own, and the record is
    /// read by it.
    AlreadyExists,
}
