//! What came of a call, as plain data.

use std::fmt;

use super::content::Content;
use crate::program::system::{CallKind, ErrorClass};
use crate::value::Value;

/// An answer that was understood.
#[derive(Clone, Debug, PartialEq)]
pub struct Reply {
    /// The status.
    pub status: u16,
    /// Headers, names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body with exact numbers; none where the answer has none.
    pub body: Option<Value>,
    /// The content of a file, as it came.
    pub raw: Option<Content>,
    /// The server's own time (`Date`), in milliseconds since 1970.
    pub date: Option<i64>,
}

impl Reply {
    /// The first header with this name (any case).
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers_named(name).next()
    }

    /// Every header with this name (any case), in order.
    pub fn headers_named<'r>(&'r self, name: &str) -> impl Iterator<Item = &'r str> {
        self.headers.iter().filter(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }
}

/// Why a read gave nothing. The message is one sentence for a person, without secrets and control characters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallError {
    /// What it means. [`ErrorClass::Wait`] is everything that may be better later.
    pub class: ErrorClass,
    /// The status, where there was an answer.
    pub status: Option<u16>,
    /// What happened.
    pub message: String,
}

impl fmt::Display for CallError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for CallError {}

/// What came of one write.
///
/// `Unknown` is never repeated by this room: whoever asked waits until the system's settle time is over
/// and looks whether the write took effect (reliability 4.2).
#[derive(Clone, Debug, PartialEq)]
pub enum WriteOutcome {
    /// It took effect, and the answer holds what it should hold.
    Done(Reply),
    /// It did not take effect.
    NotDone {
        /// What it means.
        class: ErrorClass,
        /// The system's words in one sentence.
        message: String,
        /// The status, where there was an answer.
        status: Option<u16>,
    },
    /// Nobody knows whether it took effect.
    Unknown {
        /// What happened.
        message: String,
        /// Where a search after the settle time sees nothing, this is how the system refused it.
        prove_refused: Option<String>,
    },
}

/// One call, as it is logged and held against a contract: without credentials.
#[derive(Clone, Debug, PartialEq)]
pub struct LoggedCall {
    /// The system's name.
    pub system: String,
    /// What kind of call it was; none for a token call.
    pub call: Option<CallKind>,
    /// The resource; `token` for a token call.
    pub resource: String,
    /// `GET`, `POST` …
    pub method: String,
    /// The path with the base address's own path.
    pub path: String,
    /// The query, unescaped.
    pub query: Vec<(String, String)>,
    /// Headers of the request that are known to hold no secret.
    pub request_headers: Vec<(String, String)>,
    /// The body that was sent; never that of a token call.
    pub body: Option<Value>,
    /// The status; none where no answer came.
    pub status: Option<u16>,
    /// Headers of the answer that are known to hold no secret.
    pub answer_headers: Vec<(String, String)>,
    /// Why no answer came.
    pub problem: Option<String>,
    /// How long it took, without the wait for its turn.
    pub ms: u64,
}
