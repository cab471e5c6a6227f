//! Requests, answers and outcomes as plain data.

use bytes::Bytes;

use super::content::Content;
use super::file::{Embedded, FileBody};
use super::payload::Payload;
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

/// One HTTP request: as it goes over the wire, its body is read while it is sent; as it came, its body is there.
#[derive(Clone)]
pub struct WireRequest<B = Bytes> {
    /// `GET`, `POST` …
    pub method: String,
    /// The whole address.
    pub url: url::Url,
    /// All headers, those with secrets too: never printed.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Option<B>,
    /// The answer is a file: its content goes to [`WireResponse::file`].
    pub for_file: bool,
}

impl WireRequest<Payload> {
    /// The request with its body in memory, as a server sees it.
    ///
    /// # Errors
    /// A file in it that cannot be read any more: nothing was sent.
    pub fn arrived(self) -> Result<WireRequest, NoAnswer> {
        let body = self.body.map(|body| body.whole()).transpose();
        let body = body.map_err(|error| NoAnswer::NotSent(format!("a file cannot be read: {error}")))?;
        Ok(WireRequest {
            method: self.method,
            url: self.url,
            headers: self.headers,
            body,
            for_file: self.for_file,
        })
    }
}

/// One HTTP answer.
#[derive(Clone, Debug)]
pub struct WireResponse {
    /// The status.
    pub status: u16,
    /// Headers, names in lower case.
    pub headers: Vec<(String, String)>,
    /// The whole body (capped); empty where it is kept as a file.
    pub body: Bytes,
    /// The content of a file that was asked for, where the carrier keeps it beside the memory.
    pub file: Option<Content>,
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
    fn send(&self, request: WireRequest<Payload>) -> LocalFuture<'_, Result<WireResponse, NoAnswer>>;
}
