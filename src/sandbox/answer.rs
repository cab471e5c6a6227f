//! Answers, also wrong ones.

use bytes::Bytes;

use crate::http::WireResponse;
use crate::program::system::Errors;
use crate::value::{Map, Path, Query, Segment, Value};

/// An answer that is being made.
#[derive(Clone, Debug)]
pub(super) struct Answer {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Bytes,
}

impl Answer {
    pub(super) fn json(status: u16, body: &Value) -> Answer {
        Answer {
            status,
            headers: vec![("content-type".into(), "application/json".into())],
            body: Bytes::from(body.to_json()),
        }
    }

    pub(super) fn empty(status: u16) -> Answer {
        Answer { status, headers: Vec::new(), body: Bytes::new() }
    }

    pub(super) fn plain(status: u16, text: impl Into<String>) -> Answer {
        Answer {
            status,
            headers: vec![("content-type".into(), "text/plain".into())],
            body: Bytes::from(text.into()),
        }
    }

    pub(super) fn html(status: u16, text: &'static str) -> Answer {
        Answer { status, headers: vec![("content-type".into(), "text/html".into())], body: text.into() }
    }

    /// An error in the shape that the system file says errors have.
    pub(super) fn error(errors: &Errors, status: u16, message: &str, kind: &str) -> Answer {
        let Some(path) = errors.message.iter().flatten().find_map(Query::as_path) else {
            return Answer::plain(status, message);
        };
        let mut body = Value::Map(Map::new());
        first(path).set(&mut body, Value::text(message));
        if let Some(path) = errors.kind.as_ref().and_then(Query::as_path) {
            first(path).set(&mut body, Value::text(kind));
        }
        Answer::json(status, &body)
    }

    pub(super) fn header(mut self, name: &str, value: impl Into<String>) -> Answer {
        self.headers.push((name.to_ascii_lowercase(), value.into()));
        self
    }

    pub(super) fn response(self, now_ms: i64) -> WireResponse {
        let mut headers = self.headers;
        headers.push(("date".into(), http_date(now_ms)));
        WireResponse { status: self.status, headers, body: self.body }
    }
}

/// A time as HTTP writes it (RFC 9110 section 5.6.7).
pub(super) fn http_date(ms: i64) -> String {
    let time = jiff::Timestamp::from_millisecond(ms).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
    time.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string()
}

/// A path with the first item where it names all of them.
fn first(path: &Path) -> Path {
    path.segments().iter().fold(Path::root(), |out, segment| {
        let next = match segment {
            Segment::Key(key) => Path::key(key.clone()),
            Segment::Index(_) | Segment::All => Path::parse("$[0]").unwrap_or_default(),
        };
        out.join(&next)
    })
}
