//! What a failed call means, and how its message is found.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::diagnostic::At;
use crate::spec::short::Paths;
use crate::spec::yaml::List;

/// What error answers look like, and what they mean.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Errors {
    /// Paths of the text for people; the first that is there counts. `$text` is the whole body.
    #[serde(default)]
    pub message: Paths,
    /// Path of the kind of error, where there is one.
    pub kind: Option<At<String>>,
    /// Where one text holds the kind and the message: what stands between them (`" :: "`, split at the first).
    pub split: Option<String>,
    /// Where the body says whether it was done, whatever the HTTP status is: errors inside a 200.
    pub outcome: Option<Outcome>,
    /// Rules in order; the first that fits says what the answer means. Where none fits: 400, 401, 403, 404, 405, 409, 413, 415,
    /// 422, 429 did not take effect; everything else is unknown.
    #[serde(default)]
    pub rules: List<At<ErrorRule>>,
}

/// Where an answer's body says whether it was done. What it means that it was not is said by the rules; where none
/// fits, a read has failed and of a write nobody knows.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Outcome {
    /// Path of what says it.
    pub path: At<String>,
    /// The values that say that it was done; every answer must hold one. Without them, any value at the path is a
    /// failure (`{"errors": […]}`), and nothing there is success.
    #[serde(default)]
    pub done: List<String>,
}

/// What one kind of error answer means.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ErrorRule {
    /// The HTTP status.
    pub status: Option<u16>,
    /// The kinds of error (one or more).
    #[serde(default)]
    pub kind: Paths,
    /// A pattern for the message; `*` stands for any text.
    pub message: Option<At<String>>,
    /// The calls it is about. Default: all.
    #[serde(default)]
    pub calls: Vec<CallKind>,
    /// What it means.
    pub class: ErrorClass,
    /// `find`: believed only after the settle time, when a search sees nothing. For servers that answer plain mistakes with 500.
    pub prove: Option<Prove>,
}

/// How an error class is made sure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Prove {
    /// A search after the settle time sees nothing.
    Find,
}

/// A kind of call on a resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize, serde::Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum CallKind {
    /// Reads many.
    List,
    /// Reads one.
    Get,
    /// Makes one.
    Create,
    /// Changes one.
    Update,
    /// Removes one.
    Delete,
    /// Does something else to one.
    Action,
    /// Reads a file of one.
    File,
    /// Attaches a file to one.
    Attach,
}

/// What an error answer means: the closed list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize, serde::Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ErrorClass {
    /// The record is refused: it did not take effect and is set aside with the system's words.
    Refused,
    /// This user may not: the run stops.
    NotAllowed,
    /// The company lacks this feature: this call only.
    FeatureMissing,
    /// There is no such record.
    Gone,
    /// Somebody changed the record meanwhile: read again, decide again.
    ChangedMeanwhile,
    /// It exists already: look it up.
    AlreadyExists,
    /// Not done, come back later.
    Wait,
    /// Nobody knows whether it took effect.
    Unknown,
}
