//! Answers, also wrong ones.

use bytes::Bytes;

use crate::http::WireResponse;
use crate::program::system::{Encoding, ErrorClass, Errors, System};
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

    /// A body as the system writes bodies.
    pub(super) fn value(status: u16, body: &Value, encoding: &Encoding) -> Answer {
        match encoding.write(body) {
            Ok(bytes) => Answer {
                status,
                headers: vec![("content-type".into(), encoding.content_type())],
                body: Bytes::from(bytes),
            },
            Err(problem) => Answer::plain(500, problem),
        }
    }

    /// A body that also says that it was done, where the system says so in bodies.
    pub(super) fn done(system: &System, status: u16, mut body: Value, encoding: &Encoding) -> Answer {
        let Some(outcome) = &system.errors.outcome else { return Answer::value(status, &body, encoding) };
        if let (Some(path), Some(done)) = (outcome.path.as_path(), outcome.done.first()) {
            path.set(&mut body, Value::text(done.clone()));
        }
        Answer::value(200, &body, encoding)
    }

    /// Nothing to tell but that it was done.
    pub(super) fn nothing(system: &System, status: u16, encoding: &Encoding) -> Answer {
        match &system.errors.outcome {
            Some(outcome) if !outcome.done.is_empty() => Answer::done(system, status, Value::Null, encoding),
            _ => Answer::empty(status),
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
    pub(super) fn error(system: &System, status: u16, message: &str, kind: &str) -> Answer {
        let errors = &system.errors;
        if errors.outcome.is_some() || errors.split.is_some() {
            return Answer::told(system, status, message, kind);
        }
        let Some(path) = errors.message.iter().flatten().find_map(Query::as_path) else {
            return Answer::plain(status, message);
        };
        let mut body = Value::Map(Map::new());
        first(path).set(&mut body, Value::text(message));
        if let Some(path) = errors.kind.as_ref().and_then(Query::as_path) {
            first(path).set(&mut body, Value::text(kind));
        }
        Answer::value(status, &body, &system.encoding)
    }

    /// An error that the body alone tells, in a 200.
    fn told(system: &System, status: u16, message: &str, kind: &str) -> Answer {
        let errors = &system.errors;
        let kind = own_kind(errors, status).unwrap_or(kind);
        let text = match &errors.split {
            Some(split) => format!("{kind}{split}{message}"),
            None => message.to_owned(),
        };
        let mut body = Value::Map(Map::new());
        let outcome = errors.outcome.as_ref();
        if let Some(path) = outcome.and_then(|outcome| outcome.path.as_path()) {
            first(path).set(&mut body, Value::text("FAILED"));
        }
        if let Some(path) = errors.kind.as_ref().and_then(Query::as_path) {
            first(path).set(&mut body, Value::text(if errors.split.is_some() { &text } else { kind }));
        }
        if let Some(path) = errors.message.iter().flatten().find_map(Query::as_path) {
            first(path).set(&mut body, Value::text(text));
        }
        Answer::value(if outcome.is_some() { 200 } else { status }, &body, &system.encoding)
    }

    pub(super) fn header(mut self, name: &str, value: impl Into<String>) -> Answer {
        self.headers.push((name.to_ascii_lowercase(), value.into()));
        self
    }

    pub(super) fn response(self, now_ms: i64) -> WireResponse {
        let mut headers = self.headers;
        headers.push(("date".into(), http_date(now_ms)));
        WireResponse { status: self.status, headers, body: self.body, file: None }
    }
}

/// A time as HTTP writes it (RFC 9110 section 5.6.7).
pub(super) fn http_date(ms: i64) -> String {
    let time = jiff::Timestamp::from_millisecond(ms).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
    time.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string()
}

/// A kind of the system's own that means what a status means.
fn own_kind(errors: &Errors, status: u16) -> Option<&str> {
    let class = match status {
        401 | 403 => ErrorClass::NotAllowed,
        404 => ErrorClass::Gone,
        409 => ErrorClass::AlreadyExists,
        429 | 503 => ErrorClass::Wait,
        400..=499 => ErrorClass::Refused,
        _ => ErrorClass::Unknown,
    };
    // a kind may stand in more than one rule: the first that it stands in says what it means
    let first =
        |kind: &String| errors.rules.iter().find(|rule| rule.kinds.contains(kind)).map(|rule| rule.class);
    let kind = |class| {
        let kinds = errors.rules.iter().flat_map(|rule| &rule.kinds);
        kinds.into_iter().find(|kind| first(kind) == Some(class)).map(String::as_str)
    };
    kind(class).or_else(|| kind(ErrorClass::Refused))
}

/// A path with the first item where it names all of them.
fn first(path: &Path) -> Path {
    path.segments().iter().fold(Path::root(), |out, segment| {
        let next = match segment {
            Segment::Key(key) => Path::key(key.clone()),
            Segment::Index(at) => Path::of(&[Segment::Index(*at)]),
            Segment::All | Segment::Where { .. } => Path::of(&[Segment::Index(0)]),
        };
        out.join(&next)
    })
}
