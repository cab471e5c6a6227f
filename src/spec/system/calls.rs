//! The calls of a resource: list, get, create, update, delete.

use schemars::JsonSchema;
use serde::Deserialize;

use super::*;
use crate::diagnostic::At;
use crate::spec::actions::Accepted;
use crate::spec::files::CreateFile;
use crate::spec::idempotency::IdempotencyKey;
use crate::spec::short::{Paths, Short, ShortForm};
use crate::spec::yaml::Table;

/// The call that reads many. A path template of any call may hold a query: `/customer?method=edit&id={id}`.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ListCall {
    /// Path template. A field of the record in it (`{customer.guid}`) means: once per parent.
    pub get: Option<At<String>>,
    /// The name of the pager.
    pub pager: Option<At<String>>,
    /// Query that is always sent, as templates.
    pub query: Table<Paths>,
    /// Path of the records in the answer. Default: the pager's, or the answer itself.
    pub records: Option<At<String>>,
    /// The records stand inside other rows (`headings[*].items[*]`): the name under which each of them has the row
    /// around it, `heading`, for paths such as `heading.name`.
    pub around: Option<String>,
    /// A page has so many items of this list field of its records (`lines`), not so many records: a page border may cut a
    /// record, and the next page goes on with the same key. The parts are joined in their order, by the key of the items, and a
    /// record is taken once it is whole: no part of it stands on the page after. One that the list goes on with later, or does
    /// not come to the end of, is not taken: the list counts as incomplete then. For pagers of the kinds `page`, `next_token`
    /// and `link` without a total, which would be of nobody knows what.
    pub paged_by: Option<At<String>>,
    /// The list tells keys only: the records themselves are fetched many at a time.
    pub then: Option<FetchCall>,
    /// What it means where a whole read does not have a record that was there before. `gone`: it is no more; for a list that leaves
    /// nothing out. Default: nothing, for a resource without `get`; one that has it is asked for the record itself.
    pub absent: Option<At<EmptyRecord>>,
}

/// The call that fetches the records of which a list gave the keys.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FetchCall {
    /// Path.
    pub get: At<String>,
    /// Query that is always sent, as templates.
    #[serde(default)]
    pub query: Table<Paths>,
    /// Path of the key in a listed row.
    pub key: At<String>,
    /// The query parameter that takes the keys.
    pub param: String,
    /// What stands between two keys. Default `,`.
    pub join: Option<String>,
    /// So many keys in one request.
    pub at_most: At<u32>,
    /// Path of the records in the answer (or more paths: the first that is there counts).
    pub records: Paths,
}

/// The call that reads one.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct GetCall {
    /// Path template over the record's fields, `{path}` and `{key}`.
    pub get: Option<At<String>>,
    /// Query that is always sent, as templates.
    pub query: Table<Paths>,
    /// Path of the record in the answer. Default: the answer itself.
    pub record: Option<At<String>>,
    /// What it means where an answer that succeeds has nothing at `record`: a null, or an element without content. `gone`: there is no
    /// such record. Default: the answer cannot be understood. An answer that lacks the place itself is never understood.
    pub empty: Option<At<EmptyRecord>>,
}

/// What an empty record in an answer means.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum EmptyRecord {
    /// There is no such record.
    Gone,
}

impl Short for GetCall {
    fn short(text: At<String>) -> Self {
        GetCall { get: Some(text), ..GetCall::default() }
    }
}

/// The call that makes one.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct CreateCall {
    /// Path template.
    pub post: Option<At<String>>,
    /// Query that is always sent, as templates.
    pub query: Table<Paths>,
    /// Where the new record's key is in the answer.
    pub id: Option<ShortForm<NewId>>,
    /// Path of the whole new record in the answer, where the answer holds it: saves a read. `$` is the answer itself.
    pub record: Option<At<String>>,
    /// The encoding of this call, where it differs from the resource's.
    pub encoding: Option<At<Encoding>>,
    /// Where a key goes by which the system knows a repeated request again.
    pub idempotency_key: Option<At<IdempotencyKey>>,
    /// The record is made of a file. It is sent as multipart/form-data (RFC 7578); every other field is a part beside it.
    pub file: Option<CreateFile>,
    /// The system may take the write on and answer later: where its outcome is asked for.
    pub accepted: Option<Accepted>,
}

/// Where a new record's key is.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct NewId {
    /// Path in the answer's body.
    pub body: Option<At<String>>,
    /// A header of the answer.
    pub header: Option<String>,
    /// Only the last segment of that path counts (`Location: …/1042`).
    pub last_segment: bool,
}

impl Short for NewId {
    fn short(text: At<String>) -> Self {
        NewId { body: Some(text), ..NewId::default() }
    }
}

/// The call that changes one.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct UpdateCall {
    /// Path template of a PATCH.
    pub patch: Option<At<String>>,
    /// Path template of a PUT.
    pub put: Option<At<String>>,
    /// Path template of a POST.
    pub post: Option<At<String>>,
    /// Query that is always sent, as templates.
    pub query: Table<Paths>,
    /// Which fields are sent: `changed` (default), or `all` that can be written.
    pub send: Option<Send>,
    /// Path of the whole record in the answer, where the answer holds it: saves a read. `$` is the answer itself.
    pub record: Option<At<String>>,
    /// The field that tells a record's version: what was read of it is sent as `If-Match`, so that the server refuses the
    /// call where somebody changed the record meanwhile (RFC 9110 section 13.1.1).
    pub if_match: Option<At<String>>,
    /// The encoding of this call, where it differs from the resource's.
    pub encoding: Option<At<Encoding>>,
}

/// Which fields an update sends.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Send {
    /// Only what changes.
    #[default]
    Changed,
    /// Every field that can be written, changed or as it was read.
    All,
}

/// The call that removes one.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct DeleteCall {
    /// Path template.
    pub delete: Option<At<String>>,
    /// Query that is always sent, as templates.
    pub query: Table<Paths>,
    /// The field that tells a record's version, as in `update`.
    pub if_match: Option<At<String>>,
}

impl Short for DeleteCall {
    fn short(text: At<String>) -> Self {
        DeleteCall { delete: Some(text), ..DeleteCall::default() }
    }
}
