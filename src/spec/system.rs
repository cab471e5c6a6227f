//! What a system file may say: how one product's REST API is spoken to.

mod auth;
mod calls;
mod encoding;
mod errors;
mod fields;
mod pagers;

pub use auth::*;
pub use calls::*;
pub use encoding::*;
pub use errors::*;
pub use fields::*;
pub use pagers::*;

use schemars::JsonSchema;
use serde::Deserialize;

use super::actions::Action;
use super::files::{Attach, Files};
use super::mapping::Limit;
use super::short::{OrNone, Paths, Short, ShortForm};
use super::yaml::{List, Table};
use crate::diagnostic::At;

/// A system: how one product's REST API is spoken to. One file per product; a mapping names it, a
/// connection gives the credentials.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct System {
    /// The system's name, used in messages and requests logs.
    pub system: At<String>,
    /// The product's name, as a person writes it.
    pub title: String,
    /// The default address. Every path below is relative to it; a connection may replace it.
    pub base_url: At<String>,
    /// What a connection must give: a name and what it is for. A `secret` is never printed or stored.
    #[serde(default)]
    pub credentials: Table<Credential>,
    /// How a request proves who it is from.
    #[serde(default)]
    pub auth: Auth,
    /// Headers sent with every request, as templates over `credentials`, `token` and `instance`.
    #[serde(default)]
    pub headers: Table<At<String>>,
    /// How fast and how many at once the system allows.
    #[serde(default)]
    pub limits: Limits,
    /// How long one request may take in all. Default 60s.
    pub timeout: Option<At<String>>,
    /// How long after a request with an unknown outcome it may still take effect. Only then does the engine
    /// look whether it did. Default 15m.
    pub settle_after: Option<At<String>>,
    /// How dates and times are written on the wire.
    #[serde(default)]
    pub times: Times,
    /// How bodies are written and read: `json`, or `xml`. A resource or a call may differ in its own `encoding`.
    pub encoding: Option<At<Encoding>>,
    /// The read that says which company and user this is. Its answer is remembered: another company behind
    /// the same connection, or an anonymous answer, is refused.
    pub whoami: Option<Whoami>,
    /// What error answers look like, and what they mean.
    #[serde(default)]
    pub errors: Errors,
    /// Ways of paging, named once and used by lists.
    #[serde(default)]
    pub pagers: Table<Pager>,
    /// What every resource below has unless it says otherwise. Maps are merged, lists replaced, null removes.
    pub defaults: Option<Resource>,
    /// Object types used by more than one field: a name and its fields.
    #[serde(default)]
    pub objects: Table<Table<ShortForm<Field>>>,
    /// The kinds of record this system has.
    pub resources: Table<Resource>,
}

/// Something a connection must give.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Credential {
    /// `text`, or `secret`: never printed, logged or stored.
    #[serde(rename = "type")]
    pub kind: CredentialKind,
    /// Where a person finds it.
    pub help: Option<String>,
    /// The value used by the sandbox and where the connection gives none. Not allowed for a secret.
    pub default: Option<String>,
}

/// Whether a credential may be shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum CredentialKind {
    /// May be shown.
    Text,
    /// Never shown.
    Secret,
}

/// How fast and how many at once a system allows.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Limits {
    /// Requests in each period `per`.
    pub requests: Option<At<u32>>,
    /// The period of `requests`. Default 1s.
    pub per: Option<At<String>>,
    /// Requests at the same time. Default 4.
    pub concurrent: Option<At<u32>>,
    /// A quota that answers tell in headers: the engine slows down before it is used up.
    pub quota: Option<Quota>,
}

/// A quota that the answers' headers tell.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Quota {
    /// Header with the number of requests left.
    pub remaining: String,
    /// Header with the seconds until the quota is full again.
    pub reset_seconds: String,
    /// Header with the size of the quota, where there is one.
    pub limit: Option<String>,
    /// How much is left to others: a number of requests, or a percentage of the limit. Default 0.
    pub reserve: Option<Limit>,
}

/// How dates and times are written on the wire.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Times {
    /// `offset` (the text carries its offset, RFC 3339), `utc` (no offset, UTC is meant), or `none` (no offset, the company's
    /// own clock is meant). Default offset.
    #[serde(default)]
    pub zone: Zone,
    /// strftime format of a date that is sent. Default `%Y-%m-%d`.
    pub send_date: Option<At<String>>,
    /// strftime format of a time that is sent, also in a cursor. Default RFC 3339 (or without its offset, by `zone`).
    pub send_time: Option<At<String>>,
    /// strftime formats of dates in answers, beside ISO 8601 and `send_date`: `["%d.%m.%Y"]`.
    #[serde(default)]
    pub read_dates: List<At<String>>,
    /// strftime formats of times in answers, beside ISO 8601 and `send_time`.
    #[serde(default)]
    pub read_times: List<At<String>>,
}

/// What a time without an offset means.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Zone {
    /// Every time carries its offset.
    #[default]
    Offset,
    /// No offset: UTC.
    Utc,
    /// No offset: the company's own clock; never converted.
    None,
}

/// The read that says which company and user this is.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Whoami {
    /// Path of the read.
    pub get: At<String>,
    /// Query of the read.
    #[serde(default)]
    pub query: Table<Paths>,
    /// Paths whose values tell one company from another. All must be there: an answer without them is anonymous.
    pub fields: List<At<String>>,
}

/// The scopes that a resource needs.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ResourceScopes {
    /// Where it is read.
    pub read: Vec<At<String>>,
    /// Where a mapping writes it, beside those.
    pub write: Vec<At<String>>,
    /// Where files of it travel, or are attached to it.
    pub files: Vec<At<String>>,
}

/// One kind of record.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Resource {
    /// What it is, for people: one text, or one for each language.
    pub title: Option<ShortForm<Labels>>,
    /// Copies another resource of this file, then merges what stands here: maps are merged, lists replaced, null removes.
    pub like: Option<At<String>>,
    /// The path, used as `{path}` in the calls.
    pub path: Option<At<String>>,
    /// The field (or fields) by which the API addresses a record.
    pub key: Paths,
    /// The field that never changes where the key may. Links keep this one.
    pub identity: Option<At<String>>,
    /// There is exactly one record: the read gives it.
    pub singleton: Option<bool>,
    /// `read_only` where the engine must not write; `write_only` where records can be made and no call reads them. Default
    /// `read_write`.
    pub access: Option<Access>,
    /// A condition that a listed record must satisfy to be of this kind.
    pub scope: Option<At<String>>,
    /// A condition by which an item of an answer is only what is left of a removed record: `deleted == true`. It is not read as a
    /// record, whatever it lacks: the record counts as gone. Its key must still be there.
    pub deleted: Option<At<String>>,
    /// `oauth2_client_credentials`: what is asked for beside the scopes of `auth`, only where a mapping uses this resource.
    pub scopes: ResourceScopes,
    /// The name of the pager used by the list.
    pub pager: Option<At<String>>,
    /// Reads many; `none` where there is no such call.
    pub list: Option<OrNone<ListCall>>,
    /// Reads one: a path template; `none` where there is no such call.
    pub get: Option<OrNone<ShortForm<GetCall>>>,
    /// Makes one; `none` where there is no such call.
    pub create: Option<OrNone<CreateCall>>,
    /// Changes one; `none` where there is no such call.
    pub update: Option<OrNone<UpdateCall>>,
    /// Removes one: a path template; `none` where there is no such call.
    pub delete: Option<OrNone<ShortForm<DeleteCall>>>,
    /// Other things that can be done to a record: a name and its call.
    pub actions: Table<Action>,
    /// The files that belong to a record: a name, and how they are read.
    pub files: Table<Files>,
    /// How a file is attached to a record.
    pub attach: Option<Attach>,
    /// How a record becomes a request body.
    pub encoding: Option<At<Encoding>>,
    /// How changed records are asked for; `none` where they cannot be.
    pub cursor: Option<OrNone<Cursor>>,
    /// The server answers only the fields it is asked for: the query parameter that names them.
    pub select: Option<Select>,
    /// Which fields the server can filter by: field name and query parameter. The engine always compares again.
    pub search: Table<ShortForm<SearchParam>>,
    /// Child records that have calls of their own: a name, their resource, and the child's field that names the parent.
    pub parts: Table<Part>,
    /// The fields by the names that mappings use.
    pub fields: Table<Option<ShortForm<Field>>>,
}

/// Whether the engine may write.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Access {
    /// It may.
    ReadWrite,
    /// It must not.
    ReadOnly,
    /// It may make records, and nothing reads them: what became of a write without an answer a person finds out. Such a
    /// resource needs no `key`.
    WriteOnly,
}

/// How changed records are asked for.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Cursor {
    /// The query parameter.
    pub param: String,
    /// What is sent beside it; `null` where the defaults say something and this list takes nothing.
    #[serde(default)]
    #[schemars(with = "Option<Table<String>>")]
    pub with: Table<String>,
    /// A template for the parameter's value over `since`, where it is not the time itself.
    pub value: Option<At<String>>,
    /// The field (or of a list, the first that is there) that says when a record changed. Without one the server's own
    /// clock counts: the `Date` of the answer that the last read began with.
    #[serde(default)]
    pub field: Paths,
    /// How the time is written: `text` · `epoch_seconds` · `epoch_millis`. Default: as the `field` is; without one, as the encoding's
    /// `time`.
    #[serde(rename = "as")]
    pub form: Option<TimeForm>,
    /// How far before the last seen change the next read begins. Default 10m.
    pub overlap: Option<At<String>>,
}

/// How a server is told which fields to answer.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Select {
    /// The query parameter.
    pub param: String,
    /// All fields in one parameter, with this between them. Without it the parameter is sent once for each field.
    pub join: Option<String>,
}

/// A server-side filter.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SearchParam {
    /// The query parameter.
    pub param: At<String>,
    /// What is sent beside it.
    #[serde(default)]
    pub with: Table<String>,
    /// A template for the parameter's value over `value`, where it is not the value itself.
    pub value: Option<At<String>>,
}

impl Short for SearchParam {
    fn short(text: At<String>) -> Self {
        SearchParam { param: text, with: Table::default(), value: None }
    }
}
