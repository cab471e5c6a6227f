//! A compiled system: every name resolved, every default filled in, every path and template compiled.

mod auth;
mod calls;
mod epoch;
mod fields;

pub use auth::*;
pub use calls::*;
pub use epoch::*;
pub use fields::*;

use std::sync::Arc;
use std::time::Duration;

use indexmap::IndexMap;

use super::actions::Action;
use super::expr::{Expr, Template};
use super::files::{Attach, Files};
use crate::diagnostic::Span;
use crate::value::{Path, Query, Value};

pub use crate::spec::system::{
    Assigned, BodyKind, CallKind, CredentialKind, DigestForm, Emptied, EncodingKind, ErrorClass, HashKind,
    Labels, Missing, PathEscape, Prove, ScalarForm, Send, Zone,
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
    /// Header with the total number.
    pub total_header: Option<String>,
    /// Where an answer says how many pages there are.
    pub pages: Option<Query>,
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
        /// Where it stands.
        next: NextLink,
    },
    /// What comes after the key of the last record.
    AfterKey {
        /// The parameter it is sent in.
        param: String,
    },
}

/// Where an answer has the address of the next page.
#[derive(Clone, Debug)]
pub enum NextLink {
    /// At this path of the body.
    Body(Query),
    /// The links of the header `Link` (RFC 8288): the one with `rel=next`.
    Links,
    /// The whole value of this header.
    Header(String),
}

impl NextLink {
    /// The header it stands in.
    pub fn header(&self) -> Option<&str> {
        match self {
            NextLink::Body(_) => None,
            NextLink::Links => Some("Link"),
            NextLink::Header(name) => Some(name),
        }
    }
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
    /// What an item is like that is only left of a removed record (bare names are its fields).
    pub deleted: Option<Expr>,
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
