//! Calls that do something to a record, and writes that are answered later.

use schemars::JsonSchema;
use serde::Deserialize;

use super::short::Paths;
use super::yaml::Table;
use crate::diagnostic::At;
use crate::value::Value;

/// Something that can be done to a record: a call of its own.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Action {
    /// Path template of the POST, over the record's fields, `{path}` and `{key}`.
    pub post: At<String>,
    /// Query that is always sent, as templates.
    #[serde(default)]
    pub query: Table<Paths>,
    /// The JSON body, as it stands here. Default: none.
    pub body: Option<At<Value>>,
    /// When it has happened: a condition over the record as it is read again. An answer alone is not believed, and an action that
    /// was sent is not sent again while nobody knows.
    pub done: At<String>,
    /// How long it may take until that holds. After that a person decides. Default 10m.
    pub within: Option<At<String>>,
    /// What its answer says where it did not happen although the status is a success. Then it is refused, with the system's words,
    /// and asked for again as what is refused: after a rest, when the record changes, or by `mapengine retry`.
    pub failed: Option<ActionFailed>,
    /// The fields that a stand-in gives the record.
    #[serde(default)]
    pub sandbox: Table<Value>,
}

/// How the answer to an action says that it did not happen.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ActionFailed {
    /// A condition over `answer`, the body: `answer.result == 'Failed'`. Only what certainly did not happen and will not.
    pub when: At<String>,
    /// Path in `answer` of the system's words.
    pub message: Option<At<String>>,
    /// What a stand-in answers with the fault `action_failed`.
    #[serde(default)]
    pub sandbox: Table<Value>,
}

/// A write that is taken on and answered later: where its outcome is asked for.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Accepted {
    /// The status that says so. Default 202.
    pub status: Option<u16>,
    /// Path of the address, in that answer, at which the outcome is asked for. Only below the system's own address.
    pub poll: At<String>,
    /// When the outcome is there: a condition over `answer`, what that address answers.
    pub done: At<String>,
    /// Path in `answer` of the status that the write came to: 400 and above is refused. Default: done is done.
    pub result: Option<At<String>>,
    /// Path in `answer` of an object with the headers that the write was answered with.
    pub headers: Option<At<String>>,
    /// Path in `answer` of an address with the body that the write was answered with. Default: the body is `answer` itself.
    pub content: Option<At<String>>,
    /// How long the outcome is asked for. After that nobody knows it: the record is looked for. Default 5m.
    pub within: Option<At<String>>,
    /// What a stand-in answers.
    pub sandbox: Option<AcceptedSandbox>,
}

/// What a stand-in answers when it is asked for an outcome.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct AcceptedSandbox {
    /// At first.
    pub running: Table<Value>,
    /// Then, beside what `result`, `headers` and `content` name.
    pub finished: Table<Value>,
}
