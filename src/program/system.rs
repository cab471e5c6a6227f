//! A compiled system: every name resolved, every default filled in, every path and template compiled.

use std::sync::Arc;
use std::time::Duration;

use indexmap::IndexMap;

use super::actions::{Accepted, Action};
use super::expr::{Expr, Template};
use super::files::{Attach, Files, MadeOf};
use super::types::Type;
use crate::diagnostic::Span;
use crate::value::charset::Charset;
use crate::value::xml::XmlForm;
use crate::value::{Path, Query, Value};

pub use crate::spec::system::{
    Assigned, BodyKind, CallKind, CredentialKind, DigestForm, EncodingKind, ErrorClass, HashKind, Labels,
    Missing, PathEscape, Prove, ScalarForm, Send, Zone,
};

/// A product's REST API, ready to be spoken to.
#[derive(Clone, Debug)]
pub struct System {
    /// Its name in messages.
    pub name: String,
    /// The product's name.
    pub title: String,
    /// The default address, without a slash at the end.
    pub base_url: String,
    /// What a connection must give.
    pub credentials: Vec<Credential>,
    /// How a request proves who it is from.
    pub auth: Auth,
    /// Headers of every request: templates over `credentials` and `token`.
    pub headers: Vec<(String, Template)>,
    /// Its rates.
    pub limits: Limits,
    /// How long one request may take.
    pub timeout: Duration,
    /// How long an unknown outcome may still turn into an effect.
    pub settle_after: Duration,
    /// Dates and times on the wire.
    pub times: Times,
    /// Bodies of calls that belong to no resource.
    pub encoding: Encoding,
    /// The read that says who we are.
    pub whoami: Option<Whoami>,
    /// What error answers mean.
    pub errors: Errors,
    /// Its kinds of record, in the order of the file.
    pub resources: IndexMap<String, Arc<Resource>>,
}

/// Something a connection must give.
#[derive(Clone, Debug)]
pub struct Credential {
    /// Its name.
    pub name: String,
    /// Whether it may be shown.
    pub kind: CredentialKind,
    /// Where a person finds it.
    pub help: Option<String>,
    /// Its value where the connection gives none.
    pub default: Option<String>,
}

/// How a request proves who it is from.
#[derive(Clone, Debug)]
pub enum Auth {
    /// No proof.
    None,
    /// Headers over `credentials`.
    Header(Vec<(String, Template)>),
    /// RFC 7617.
    Basic {
        /// The user name over `credentials`.
        user: Template,
        /// The password over `credentials`.
        password: Template,
    },
    /// RFC 6749 section 4.4.
    ClientCredentials(Box<ClientCredentials>),
    /// Each request is signed.
    Signature(Box<Signature>),
}

/// How requests are signed.
#[derive(Clone, Debug)]
pub struct Signature {
    /// The hash.
    pub hash: HashKind,
    /// The parts that are signed.
    pub sign: Vec<Template>,
    /// What stands between them.
    pub join: String,
    /// The parts of the key.
    pub key: Vec<Template>,
    /// The bytes of what is signed.
    pub charset: Charset,
    /// How the hash is written.
    pub digest: DigestForm,
    /// strftime format of the time.
    pub timestamp: String,
    /// How far a request's time may be from the server's.
    pub skew: Duration,
    /// Headers that carry it.
    pub headers: Vec<(String, Template)>,
    /// The header that is the time, the one that is the time in seconds, the one that is the request's id.
    pub told: Told,
}

/// The headers that tell a server what only the client knows.
#[derive(Clone, Debug, Default)]
pub struct Told {
    /// Holds `timestamp` alone.
    pub timestamp: Option<String>,
    /// Holds `unix` alone.
    pub unix: Option<String>,
    /// Holds `transaction` alone.
    pub transaction: Option<String>,
}

/// The client credentials flow with a system's own names.
#[derive(Clone, Debug)]
pub struct ClientCredentials {
    /// Path or address of the token call.
    pub url: String,
    /// How its body is written.
    pub body: BodyKind,
    /// What is sent: templates over `credentials` and `scopes`.
    pub send: Vec<(String, Template)>,
    /// Path of the token in the answer.
    pub token: Path,
    /// Path of its life in seconds.
    pub expires_in: Path,
    /// Its life where the answer does not say.
    pub default_life: Duration,
    /// Path of the granted scopes.
    pub granted: Option<Path>,
    /// The scopes asked for.
    pub scopes: Vec<String>,
    /// Headers that carry the token: templates over `credentials` and `token`.
    pub headers: Vec<(String, Template)>,
}

/// Rates.
#[derive(Clone, Debug, PartialEq)]
pub struct Limits {
    /// So many requests in such a time.
    pub rate: Option<(u32, Duration)>,
    /// So many at once.
    pub concurrent: u32,
    /// A quota told in headers.
    pub quota: Option<Quota>,
}

/// A quota told in headers.
#[derive(Clone, Debug, PartialEq)]
pub struct Quota {
    /// Header: requests left.
    pub remaining: String,
    /// Header: seconds until it is full again.
    pub reset_seconds: String,
    /// Header: its size.
    pub limit: Option<String>,
    /// How much is left to others.
    pub reserve: Reserve,
}

/// How much of a quota is left to others.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Reserve {
    /// So many requests.
    Requests(u64),
    /// So many percent of the limit.
    Percent(u64),
}

/// Dates and times on the wire.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Times {
    /// What a time without an offset means.
    pub zone: Zone,
    /// strftime format of a date that is sent; none: ISO 8601.
    pub send_date: Option<String>,
    /// strftime format of a time that is sent; none: ISO 8601 by `zone`.
    pub send_time: Option<String>,
    /// More strftime formats of dates that are read.
    pub read_dates: Vec<String>,
    /// More strftime formats of times that are read.
    pub read_times: Vec<String>,
}

/// The read that says who we are.
#[derive(Clone, Debug)]
pub struct Whoami {
    /// Its path.
    pub get: String,
    /// Its query.
    pub query: Vec<(String, Template)>,
    /// What tells one company and user from another.
    pub fields: Vec<Query>,
}

/// What error answers mean.
#[derive(Clone, Debug, Default)]
pub struct Errors {
    /// Paths of the text for people; none for `$text`, the whole body.
    pub message: Vec<Option<Query>>,
    /// Path of the kind.
    pub kind: Option<Query>,
    /// What stands between kind and message in one text.
    pub split: Option<String>,
    /// Where the body says whether it was done.
    pub outcome: Option<Outcome>,
    /// Rules in order.
    pub rules: Vec<ErrorRule>,
}

/// Where an answer's body says whether it was done.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// Path of what says it.
    pub path: Query,
    /// The values that say that it was done; none: anything there is a failure.
    pub done: Vec<String>,
}

/// What one kind of error answer means.
#[derive(Clone, Debug)]
pub struct ErrorRule {
    /// The HTTP status.
    pub status: Option<u16>,
    /// The kinds; empty: any.
    pub kinds: Vec<String>,
    /// A pattern for the message, `*` for any text.
    pub message: Option<String>,
    /// The calls; empty: any.
    pub calls: Vec<CallKind>,
    /// What it means.
    pub class: ErrorClass,
    /// Believed only after a search sees nothing.
    pub prove: Option<Prove>,
}

/// A way of paging.
#[derive(Clone, Debug)]
pub struct Pager {
    /// Which way, with its own settings.
    pub kind: Paging,
    /// The size asked for: parameter and number.
    pub size: Option<(String, u32)>,
    /// Path of the records.
    pub records: Option<Path>,
    /// Path of the total number.
    pub total: Option<Query>,
    /// Path of the page size that the server really gives.
    pub capped: Option<Query>,
}

/// The ways of paging.
#[derive(Clone, Debug)]
pub enum Paging {
    /// One answer holds all.
    None,
    /// The answer names the next page.
    NextToken {
        /// The parameter it is sent in.
        param: String,
        /// The header it comes in.
        header: Option<String>,
        /// The path it comes in.
        body: Option<Query>,
    },
    /// So many from the n-th.
    Offset {
        /// The parameter.
        param: String,
        /// Its first value.
        first: u32,
    },
    /// Page numbers.
    Page {
        /// The parameter.
        param: String,
        /// Its first value.
        first: u32,
    },
    /// `Range: unit=from-to` and `Content-Range`.
    Range {
        /// The unit.
        unit: String,
        /// The page size.
        size: u32,
    },
    /// The next page's address.
    Link {
        /// Its path in the answer.
        next: Query,
    },
    /// What comes after the key of the last record.
    AfterKey {
        /// The parameter it is sent in.
        param: String,
    },
}

/// One kind of record.
#[derive(Clone, Debug)]
pub struct Resource {
    /// Its name.
    pub name: String,
    /// For people.
    pub title: Option<String>,
    /// The same in each language.
    pub titles: Labels,
    /// What `{path}` stands for.
    pub path: String,
    /// The fields that address a record.
    pub key: Vec<Path>,
    /// The field that never changes, where that is another one.
    pub identity: Option<Path>,
    /// There is exactly one.
    pub singleton: bool,
    /// Whether the engine may write.
    pub writable: bool,
    /// A listed record is of this kind only when this holds (bare names are its fields).
    pub scope: Option<Expr>,
    /// The scopes that reading it needs, beside the system's own.
    pub read_scopes: Vec<String>,
    /// Those that writing it needs.
    pub write_scopes: Vec<String>,
    /// Those that its files need.
    pub file_scopes: Vec<String>,
    /// Reads many.
    pub list: Option<ListCall>,
    /// Reads one.
    pub get: Option<ReadCall>,
    /// Makes one.
    pub create: Option<CreateCall>,
    /// Changes one.
    pub update: Option<UpdateCall>,
    /// Removes one.
    pub delete: Option<DeleteCall>,
    /// Other things that can be done to one, by name.
    pub actions: IndexMap<String, Action>,
    /// Its files, by name.
    pub files: IndexMap<String, Files>,
    /// How a file is attached to one.
    pub attach: Option<Attach>,
    /// Body shapes.
    pub encoding: Encoding,
    /// How changed ones are asked for.
    pub cursor: Option<Cursor>,
    /// What the server can filter by: field name → parameter.
    pub search: IndexMap<String, SearchParam>,
    /// Children with calls of their own, by name.
    pub parts: IndexMap<String, Part>,
    /// Its fields, in the order of the file.
    pub fields: Vec<Field>,
    /// Where it stands in the system file.
    pub span: Span,
}

impl Resource {
    /// The field with this name.
    pub fn field(&self, name: &str) -> Option<&Field> {
        self.fields.iter().find(|field| field.name.to_string() == name)
    }

    /// The field that a path names or goes into, and the rest of the path below it.
    pub fn field_at(&self, path: &Path) -> Option<(&Field, Path)> {
        self.fields.iter().find_map(|field| Some((field, path.strip_prefix(&field.name)?)))
    }

    /// The fields whose text is the id that links keep.
    pub fn id_fields(&self) -> &[Path] {
        match &self.identity {
            Some(identity) => std::slice::from_ref(identity),
            None => &self.key,
        }
    }

    /// The id of a record: the text of its identity, else of its key, more of them joined by `/`.
    ///
    /// `None` where a part of it is missing.
    pub fn id_of(&self, record: &Value) -> Option<String> {
        if self.singleton && self.id_fields().is_empty() {
            return Some(self.name.clone());
        }
        text_of(self.id_fields(), record)
    }

    /// Whether records are made and never read.
    pub fn is_write_only(&self) -> bool {
        self.list.is_none() && self.get.is_none() && !self.singleton && self.create.is_some()
    }

    /// The key of a record, as a person and the API write it.
    pub fn key_of(&self, record: &Value) -> Option<String> {
        text_of(&self.key, record)
    }
}

fn text_of(paths: &[Path], record: &Value) -> Option<String> {
    let mut texts = Vec::with_capacity(paths.len());
    for path in paths {
        let text = path.get(record)?.scalar_text()?;
        if text.is_empty() {
            return None;
        }
        texts.push(text);
    }
    if texts.is_empty() { None } else { Some(texts.join("/")) }
}

/// A path with places for fields: `/v1/customers/{guid}`.
#[derive(Clone, Debug, PartialEq)]
pub struct PathTemplate {
    /// Literal text and fields in turn.
    pub pieces: Vec<Piece>,
}

/// A piece of a [`PathTemplate`].
#[derive(Clone, Debug, PartialEq)]
pub enum Piece {
    /// As it stands.
    Text(String),
    /// The value of a field of the record (or of the parent, for a list below a parent), escaped.
    Field(Path),
}

impl PathTemplate {
    /// The fields it needs.
    pub fn fields(&self) -> impl Iterator<Item = &Path> {
        self.pieces.iter().filter_map(|piece| match piece {
            Piece::Field(path) => Some(path),
            Piece::Text(_) => None,
        })
    }
}

/// Reads many.
#[derive(Clone, Debug)]
pub struct ListCall {
    /// Its path; fields in it mean once per parent.
    pub path: PathTemplate,
    /// Query that is always sent: templates over `credentials`.
    pub query: Vec<(String, Template)>,
    /// How it pages (with where the records are).
    pub pager: Pager,
    /// The name under which a record has the row around it, where records stand inside other rows.
    pub around: Option<String>,
    /// How the records are fetched of which it gives the keys.
    pub then: Option<FetchCall>,
}

/// Fetches records by their keys, many at a time.
#[derive(Clone, Debug)]
pub struct FetchCall {
    /// Its path.
    pub path: PathTemplate,
    /// Query that is always sent.
    pub query: Vec<(String, Template)>,
    /// Where a listed row holds the key.
    pub key: Query,
    /// The parameter that takes the keys.
    pub param: String,
    /// What stands between two keys.
    pub join: String,
    /// So many keys at once.
    pub at_most: usize,
    /// Where the records are; the first that is there counts.
    pub records: Vec<Path>,
}

/// Reads one.
#[derive(Clone, Debug)]
pub struct ReadCall {
    /// Its path.
    pub path: PathTemplate,
    /// Query that is always sent.
    pub query: Vec<(String, Template)>,
    /// Where the record is in the answer.
    pub record: Path,
}

/// Makes one.
#[derive(Clone, Debug)]
pub struct CreateCall {
    /// Its path.
    pub path: PathTemplate,
    /// Query that is always sent.
    pub query: Vec<(String, Template)>,
    /// Where the new key is.
    pub id: NewId,
    /// Where the whole new record is, where the answer holds it.
    pub record: Option<Path>,
    /// Its body.
    pub encoding: Encoding,
    /// How a repeated request is known again.
    pub idempotency_key: Option<IdempotencyKey>,
    /// The file it is made of.
    pub file: Option<MadeOf>,
    /// How its outcome is asked for, where it may be answered later.
    pub accepted: Option<Accepted>,
}

/// How a repeated create is known again.
#[derive(Clone, Debug)]
pub struct IdempotencyKey {
    /// Where the key is sent.
    pub place: KeyPlace,
    /// A repeated request is refused as one that exists already; the key is the new record's own. Otherwise it is answered as
    /// the first one was.
    pub exists: bool,
    /// How long it is known; none: always.
    pub kept: Option<std::time::Duration>,
}

/// Where an idempotency key is sent.
#[derive(Clone, Debug, PartialEq)]
pub enum KeyPlace {
    /// In this header.
    Header(String),
    /// In this parameter of the query.
    Query(String),
    /// At this path of the body.
    Field(Path),
}

/// Where a new record's key is.
#[derive(Clone, Debug)]
pub enum NewId {
    /// In the body.
    Body(Query),
    /// In a header; `last_segment`: only what stands after its last slash.
    Header {
        /// The header.
        name: String,
        /// Only what stands after the last slash.
        last_segment: bool,
    },
    /// The mapping gives the key itself.
    Given,
}

/// Changes one.
#[derive(Clone, Debug)]
pub struct UpdateCall {
    /// `PATCH`, `PUT` or `POST`.
    pub method: &'static str,
    /// Its path.
    pub path: PathTemplate,
    /// Query that is always sent.
    pub query: Vec<(String, Template)>,
    /// Which fields are sent.
    pub send: Send,
    /// Where the whole record is, where the answer holds it.
    pub record: Option<Path>,
    /// Its body.
    pub encoding: Encoding,
}

/// Removes one.
#[derive(Clone, Debug)]
pub struct DeleteCall {
    /// Its path.
    pub path: PathTemplate,
    /// Query that is always sent.
    pub query: Vec<(String, Template)>,
}

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

/// The texts for true and false: the first is written, all are read.
#[derive(Clone, Debug, PartialEq)]
pub struct Bools {
    /// For true.
    pub yes: Vec<String>,
    /// For false.
    pub no: Vec<String>,
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
    /// What a stand-in answers here.
    pub sandbox: Option<Expr>,
    /// Put into the encoding's `wrap`.
    pub wrap: bool,
    /// Sent with every update.
    pub always_send: bool,
    /// Personal or secret.
    pub sensitive: bool,
    /// Where it stands in the system file.
    pub span: Span,
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
