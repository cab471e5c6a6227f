//! Requests, answers and outcomes as plain data.

use bytes::Bytes;

use super::file::{Embedded, FileBody};
use crate::clock::LocalFuture;
use crate::program::system::CallKind;
use crate::value::Value;

/// One request below a system's base address, without credentials: what is journaled, logged and checked.
#[derive(Clone, Debug, PartialEq)]
pub struct Outgoing {
    /// `GET`, `POST` …
    pub method: String,
    /// Path below the base address, escaped, beginning with `/`; or a whole address of the same origin.
    pub path: String,
    /// Query, unescaped, in order.
    pub query: Vec<(String, String)>,
    /// Headers that belong to this call (a `Range`, say).
    pub headers: Vec<(String, String)>,
    /// The body; JSON or XML is made of it when it leaves.
    pub body: Option<Value>,
    /// A file that is sent instead of such a body; one that is a part of a form has the body's members as parts beside it.
    pub file: Option<FileBody>,
    /// Files inside the body: each stands where its mark is, as base64.
    pub embedded: Vec<Embedded>,
    /// What kind of call it is: decides retries and error classes.
    pub call: CallKind,
    /// The resource, for messages and error rules.
    pub resource: String,
}

/// One HTTP request as it goes over the wire.
#[derive(Clone)]
pub struct WireRequest {
    /// `GET`, `POST` …
    pub method: String,
    /// The whole address.
    pub url: url::Url,
    /// All headers, those with secrets too: never printed.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Option<Bytes>,
}

/// One HTTP answer.
#[derive(Clone, Debug)]
pub struct WireResponse {
    /// The status.
    pub status: u16,
    /// Headers, names in lower case.
    pub headers: Vec<(String, String)>,
    /// The whole body (capped).
    pub body: Bytes,
}

impl WireResponse {
    /// The first header with this name (any case).
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }
}

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NoAnswer {
    /// No byte of the request was written: it did not take effect (reliability 4.3).
    NotSent(String),
    /// It may have taken effect.
    Unknown(String),
}

/// What carries requests: the network, or the sandbox in process.
///
/// One call is one attempt: no redirect is followed, nothing is repeated.
pub trait Transport {
    /// Sends one request.
    fn send(&self, request: WireRequest) -> LocalFuture<'_, Result<WireResponse, NoAnswer>>;
}
