//! How long lists come in pages.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::diagnostic::At;

/// A way of paging.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Pager {
    /// `none` (one answer holds all) · `next_token` (an answer names the next page) · `offset` (so many from the n-th) ·
    /// `page` (page numbers) · `range` (HTTP `Range` and `Content-Range` headers) · `link` (the answer tells the next page's address) ·
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
    /// `link`: path of the next page's address in the answer; only the same origin is followed. Either this or `header`.
    pub next: Option<At<String>>,
    /// `link`: the answer's header with the next page's address; only the same origin is followed. Of `Link` (RFC 8288) the
    /// link with `rel="next"` counts; the whole value of any other header is the address.
    pub header: Option<At<String>>,
    /// Path of the records in the answer. Default: the answer itself.
    pub records: Option<At<String>>,
    /// Path of the total number in the answer, where there is one.
    pub total: Option<At<String>>,
    /// The answer's header with the total number, where it stands in one: `X-Total-Count`. Either this or `total`.
    pub total_header: Option<At<String>>,
    /// `page`: path of the number of pages in the answer, where it tells one.
    pub pages: Option<At<String>>,
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
    /// An address of the next page, in the answer's body or in a header.
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
