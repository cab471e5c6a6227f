//! The calls of a resource, compiled.

use super::*;
use crate::program::actions::Accepted;
use crate::program::expr::Template;
use crate::program::files::MadeOf;
use crate::value::{Path, Query};

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
    /// The list field whose items its pages have so many of; none: pages have so many records.
    pub paged_by: Option<PagedBy>,
    /// How the records are fetched of which it gives the keys.
    pub then: Option<FetchCall>,
    /// What a whole read does not have is gone.
    pub absent_is_gone: bool,
}

/// The list field that page borders may cut.
#[derive(Clone, Debug)]
pub struct PagedBy {
    /// Its name.
    pub field: Path,
    /// Where a record of an answer holds the list.
    pub list: Path,
    /// Where an item holds its key.
    pub key: Query,
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
    /// Nothing at that place means that there is no such record.
    pub empty_is_gone: bool,
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
    /// The field whose value goes along as `If-Match`.
    pub if_match: Option<Path>,
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
    /// The field whose value goes along as `If-Match`.
    pub if_match: Option<Path>,
}
