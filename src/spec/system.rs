//! What a system file may say: how one product's REST API is spoken to.

use schemars::JsonSchema;
use serde::Deserialize;

use super::actions::{Accepted, Action};
use super::files::{Attach, CreateFile, Files};
use super::idempotency::IdempotencyKey;
use super::mapping::Limit;
use super::short::{OrNone, Paths, Short, ShortForm};
use super::yaml::{List, Table};
use crate::diagnostic::At;
use crate::value::Value;
use crate::value::charset::Charset;

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

/// How a request proves who it is from.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Auth {
    /// `none`; `header` (the headers below, from credentials); `basic` (`user` and `password`);
    /// `oauth2_client_credentials` (a token is fetched first, RFC 6749 section 4.4); `signature` (each request is signed).
    #[serde(default)]
    pub kind: At<AuthKind>,
    /// `oauth2_client_credentials`: the call that gives a token.
    pub token: Option<TokenCall>,
    /// `oauth2_client_credentials`: where the answer holds what.
    #[serde(default)]
    pub reply: TokenReply,
    /// `oauth2_client_credentials`: the scopes asked for. The answer must not grant fewer.
    #[serde(default)]
    pub scopes: Vec<At<String>>,
    /// Headers that carry the proof, as templates over `credentials` and `token`; of `signature` over `credentials`,
    /// `request.method`, `request.url`, `request.path`, `request.body_sha256`, `timestamp`, `unix`, `transaction`
    /// and `signature`.
    #[serde(default)]
    pub headers: Table<At<String>>,
    /// `signature`: what is signed, and how.
    pub signature: Option<Signature>,
    /// `basic`: the user name, as a template over `credentials`.
    pub user: Option<At<String>>,
    /// `basic`: the password, as a template over `credentials`.
    pub password: Option<At<String>>,
}

/// The ways of proving who a request is from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum AuthKind {
    /// No proof.
    #[default]
    None,
    /// Headers made from credentials.
    Header,
    /// HTTP basic authentication (RFC 7617).
    Basic,
    /// OAuth 2.0 client credentials (RFC 6749 section 4.4), also with names that differ from the RFC's.
    Oauth2ClientCredentials,
    /// Each request is signed: a hash over parts of it, its time, an id that no other has, and secrets.
    Signature,
}

/// What is signed, and how. Every attempt is signed anew, with the time of the attempt and an id of its own.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Signature {
    /// `hmac_sha256` (RFC 2104, with the `key`), or `sha256` (the secrets are parts that are signed).
    pub hash: At<HashKind>,
    /// The parts in their order, as templates over what `headers` may use but `signature`.
    pub sign: List<At<String>>,
    /// What stands between two parts, and between two parts of the key. Default nothing.
    #[serde(default)]
    pub join: String,
    /// `hmac_sha256`: the parts of the key, as templates over `credentials`.
    #[serde(default)]
    pub key: List<At<String>>,
    /// The character set of what is signed and of the key. A character that it lacks is an error, never `?`.
    #[serde(default)]
    pub charset: Charset,
    /// How the hash is written. Default `hex`.
    #[serde(default)]
    pub digest: DigestForm,
    /// strftime format of `timestamp`, in UTC. Default `%Y-%m-%dT%H:%M:%SZ`. (`unix` is the same time in seconds since 1970.)
    pub timestamp: Option<At<String>>,
    /// How far the time of a request may be from the server's: the stand-in refuses what is further. Default 5m.
    pub skew: Option<At<String>>,
    /// Known answers: each is computed when the file is checked, and must come out as it stands here.
    #[serde(default)]
    pub vectors: List<At<Vector>>,
}

/// A hash.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum HashKind {
    /// HMAC with SHA-256 (RFC 2104, FIPS 180-4).
    #[default]
    HmacSha256,
    /// SHA-256 over the parts (FIPS 180-4).
    Sha256,
}

/// How a hash is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum DigestForm {
    /// Hexadecimal, lower case.
    #[default]
    Hex,
    /// Hexadecimal, upper case.
    HexUpper,
    /// Base64 (RFC 4648 section 4).
    Base64,
}

/// A known answer of a signature.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Vector {
    /// The method. Default GET.
    pub method: Option<String>,
    /// The whole address with its query.
    pub url: String,
    /// The body. Default none.
    pub body: Option<String>,
    /// The time as it is written.
    pub timestamp: String,
    /// The time in seconds since 1970, where it is signed.
    pub unix: Option<String>,
    /// The request's id.
    #[serde(default)]
    pub transaction: String,
    /// Credentials of the known answer: invented or published ones.
    pub credentials: Table<String>,
    /// What must come out.
    pub signature: String,
}

/// The call that gives a token.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TokenCall {
    /// Path or address. A connection's `token_url` replaces it.
    pub post: At<String>,
    /// How the body is written: `form` or `json`.
    #[serde(default)]
    pub body: BodyKind,
    /// What is sent: name and template over `credentials` and `scopes` (joined by a space).
    pub send: Table<At<String>>,
}

/// How a body is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum BodyKind {
    /// `application/x-www-form-urlencoded`.
    #[default]
    Form,
    /// `application/json`.
    Json,
}

/// Where the answer of a token call holds what.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct TokenReply {
    /// Path of the token. Default `access_token`.
    pub token: At<String>,
    /// Path of its life in seconds. Default `expires_in`.
    pub expires_in: At<String>,
    /// Its life where the answer does not say. Default 30m.
    pub default_expires_in: At<String>,
    /// Path of the granted scopes; checked against those asked for where it is there.
    pub scopes: Option<At<String>>,
}

impl Default for TokenReply {
    fn default() -> Self {
        TokenReply {
            token: At::from("access_token".to_owned()),
            expires_in: At::from("expires_in".to_owned()),
            default_expires_in: At::from("30m".to_owned()),
            scopes: None,
        }
    }
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

/// A way of paging.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Pager {
    /// `none` (one answer holds all) · `next_token` (an answer names the next page) · `offset` (so many from the n-th) ·
    /// `page` (page numbers) · `range` (HTTP `Range` and `Content-Range` headers) · `link` (an address of the next page) ·
    /// `after_key` (what comes after the key of the last record).
    pub kind: PagerKind,
    /// How the page size is asked for. A server may silently give less; the engine notices.
    pub size: Option<PageSize>,
    /// `next_token`: where the token comes from and goes to.
    pub token: Option<PageToken>,
    /// `offset`: the parameter that says from which record.
    pub offset: Option<PageParam>,
    /// `page`: the parameter that says which page.
    pub page: Option<PageParam>,
    /// `range`: the unit in the `Range` header. Default `records`.
    pub unit: Option<String>,
    /// `after_key`: the parameter that gets the key of the last record.
    pub after: Option<String>,
    /// `link`: path of the next page's address in the answer; only the same origin is followed.
    pub next: Option<At<String>>,
    /// Path of the records in the answer. Default: the answer itself.
    pub records: Option<At<String>>,
    /// Path of the total number in the answer, where there is one.
    pub total: Option<At<String>>,
    /// Path of the page size that the server really gives, where it says so.
    pub capped: Option<At<String>>,
}

/// The ways of paging.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum PagerKind {
    /// One answer holds all.
    None,
    /// An answer names the next page.
    NextToken,
    /// So many from the n-th record.
    Offset,
    /// Page numbers.
    Page,
    /// HTTP `Range` and `Content-Range` headers (RFC 9110 section 14).
    Range,
    /// An address of the next page in the answer.
    Link,
    /// The key of the last record that came: the list is in the order of its keys.
    AfterKey,
}

/// How the page size is asked for.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PageSize {
    /// The query parameter. Not for `range`.
    pub param: Option<String>,
    /// How many records.
    pub value: u32,
}

/// Where the token of the next page comes from and goes to.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PageToken {
    /// The query parameter it is sent in.
    pub param: String,
    /// The answer's header it comes in.
    pub header: Option<String>,
    /// The path in the answer's body it comes in.
    pub body: Option<At<String>>,
}

/// A counting parameter.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PageParam {
    /// The query parameter.
    pub param: String,
    /// Its value for the first page. Default 0 for `offset`, 1 for `page`.
    pub first: Option<u32>,
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
    /// The list tells keys only: the records themselves are fetched many at a time.
    pub then: Option<FetchCall>,
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
}

impl Short for DeleteCall {
    fn short(text: At<String>) -> Self {
        DeleteCall { delete: Some(text), ..DeleteCall::default() }
    }
}

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
    /// The texts that stand for true and false. Default: a JSON `true`; in XML `true` and `false`, or `1` and `0`.
    pub bool: Option<BoolTexts>,
    /// How dates are written and read. Default: text.
    pub date: Option<TypedScalar>,
    /// How times are written and read. Default: text.
    pub time: Option<TypedScalar>,
    /// How a key with reserved characters stands in a path: `percent` (default), or `b64` (`b64(…)`, base64url without padding).
    pub path_escape: Option<PathEscape>,
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

/// The texts that stand for true and false: the first is written, all are read, in any case.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BoolTexts {
    /// For true.
    #[serde(rename = "true")]
    pub yes: List<String>,
    /// For false.
    #[serde(rename = "false")]
    pub no: List<String>,
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
    /// `number` (JSON number) · `text` · `tagged` (an object with a class name and members).
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
    /// What the built-in stand-in answers here: an expression over the record. A real server computes it itself.
    pub sandbox: Option<At<String>>,
    /// Never put into the encoding's `wrap`.
    pub wrap: Option<bool>,
    /// Sent with every update, changed or not, also when empty.
    pub always_send: bool,
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

/// The one child record that matches.
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
