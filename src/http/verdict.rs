//! What an answer means: the table of reliability 4.3, the system's own rules first. Pure.

use super::content::Content;
use super::outcome::Reply;
use super::retry::http_date;
use super::types::{NoAnswer, Outgoing, WireResponse};
use crate::program::system::{CallKind, Encoding, ErrorClass, ErrorRule, Errors, NewId, Outcome, System};
use crate::value::{Value, from_json_slice};

/// What came of one attempt.
#[derive(Debug, PartialEq)]
pub(super) enum Verdict {
    /// It took effect, and the answer holds what it should hold.
    Done(Reply),
    /// It is taken on, and its outcome is asked for.
    Accepted(Reply),
    /// It did not take effect.
    NotDone { class: ErrorClass, status: Option<u16>, message: String },
    /// It may have taken effect.
    Unknown { status: Option<u16>, message: String, prove_refused: Option<String> },
}

/// Judges one attempt.
pub(super) fn judge(system: &System, outgoing: &Outgoing, answer: Result<WireResponse, NoAnswer>) -> Verdict {
    let what = format!("{} {}", verb(outgoing.call), outgoing.resource);
    let name = &system.name;
    let response = match answer {
        Ok(response) => response,
        Err(NoAnswer::NotSent(cause)) => {
            let message = format!("{name} could not be asked to {what}: {cause}");
            return Verdict::NotDone { class: ErrorClass::Wait, status: None, message };
        }
        Err(NoAnswer::Unknown(cause)) => {
            return unknown(None, format!("{name} was asked to {what}, but {cause}"));
        }
    };
    let status = response.status;
    let encoding = system.encoding_of(&outgoing.resource, outgoing.call);
    if outgoing.call == CallKind::File && status == 200 {
        return file(name, &what, response);
    }
    let body = Body::read(&response, encoding);
    if let Some(outcome) = &system.errors.outcome
        && let Body::Value(value) = &body
        && let Some(done) = says_done(outcome, value)
    {
        return match done {
            true if status < 300 => succeeded(system, outgoing, response, body, &what),
            // the body says that it was done, the status that it was not: nobody knows
            true => unknown(
                Some(status),
                format!("{name} answered {status} when asked to {what}, and its body says that it was done"),
            ),
            false => failed(system, outgoing, status, &body, &what),
        };
    }
    if status < 300 && !system.errors.rules.iter().any(|rule| rule.status == Some(status)) {
        return succeeded(system, outgoing, response, body, &what);
    }
    let told = Told::new(&system.errors, &body);
    if let Some(verdict) = by_rule(system, outgoing, status, &told, &what, false) {
        return verdict;
    }
    match status {
        200..=299 => succeeded(system, outgoing, response, body, &what),
        // asked past the end of a list: an answer like any other
        416 if is_read(outgoing.call) && has_range(outgoing) => Verdict::Done(reply(response, None)),
        300..=399 => {
            let message = format!(
                "{name} answered {status}, a redirect, when asked to {what}: redirects are not followed, check the address"
            );
            unknown(Some(status), message)
        }
        _ => match class_of(status, outgoing.call) {
            Some(class) => {
                let message = sentence(name, &what, class, status, &told.text);
                Verdict::NotDone { class, status: Some(status), message }
            }
            None => unknown(Some(status), sentence(name, &what, ErrorClass::Unknown, status, &told.text)),
        },
    }
}

/// What the first rule that fits says; `failed`: the body says so, whatever the status is.
fn by_rule(
    system: &System,
    outgoing: &Outgoing,
    status: u16,
    told: &Told,
    what: &str,
    failed: bool,
) -> Option<Verdict> {
    let name = &system.name;
    let rule = system.errors.rules.iter().find(|rule| fits(rule, status, told, outgoing.call, failed))?;
    let message = sentence(name, what, rule.class, status, &told.text);
    Some(match (rule.class, rule.prove) {
        (ErrorClass::Unknown, _) => unknown(Some(status), message),
        (_, Some(_)) if !is_read(outgoing.call) => Verdict::Unknown {
            status: Some(status),
            message: sentence(name, what, ErrorClass::Unknown, status, &told.text),
            prove_refused: Some(message),
        },
        (class, _) => Verdict::NotDone { class, status: Some(status), message },
    })
}

/// Whether a body says that it was done; none where it says nothing.
fn says_done(outcome: &Outcome, body: &Value) -> Option<bool> {
    let found = outcome.path.first(body).filter(|value| !value.is_empty());
    match (found, outcome.done.is_empty()) {
        (Some(_), true) => Some(false),
        (None, true) => None,
        (Some(value), false) => {
            let text = value.scalar_text().unwrap_or_default();
            Some(outcome.done.contains(&text))
        }
        (None, false) => None,
    }
}

/// An answer whose body says that it failed.
fn failed(system: &System, outgoing: &Outgoing, status: u16, body: &Body, what: &str) -> Verdict {
    let told = Told::new(&system.errors, body);
    if let Some(verdict) = by_rule(system, outgoing, status, &told, what, true) {
        return verdict;
    }
    let name = &system.name;
    match class_of(status, outgoing.call) {
        Some(class) => {
            let message = sentence(name, what, class, status, &told.text);
            Verdict::NotDone { class, status: Some(status), message }
        }
        // a read that failed by a rule nobody wrote will fail the next time too
        None if is_read(outgoing.call) => Verdict::NotDone {
            class: ErrorClass::Refused,
            status: Some(status),
            message: sentence(name, what, ErrorClass::Unknown, status, &told.text),
        },
        None => unknown(Some(status), sentence(name, what, ErrorClass::Unknown, status, &told.text)),
    }
}

/// What a status means where no rule says it; none where nobody knows.
fn class_of(status: u16, call: CallKind) -> Option<ErrorClass> {
    let on_one = matches!(
        call,
        CallKind::Get
            | CallKind::Update
            | CallKind::Delete
            | CallKind::Action
            | CallKind::File
            | CallKind::Attach
    );
    Some(match status {
        400 | 405 | 413 | 415 | 422 => ErrorClass::Refused,
        401 | 403 => ErrorClass::NotAllowed,
        404 if on_one => ErrorClass::Gone,
        404 => ErrorClass::Refused,
        410 if on_one => ErrorClass::Gone,
        409 if call == CallKind::Create => ErrorClass::AlreadyExists,
        409 | 412 | 428 => ErrorClass::ChangedMeanwhile,
        429 => ErrorClass::Wait,
        _ => return None,
    })
}

/// A success, unless the answer does not hold what it must hold.
fn succeeded(
    system: &System,
    outgoing: &Outgoing,
    response: WireResponse,
    body: Body,
    what: &str,
) -> Verdict {
    let name = &system.name;
    let status = response.status;
    let doubt = |why: &str| {
        unknown(Some(status), format!("{name} answered {status} when asked to {what}, but {why}"))
    };
    let format = system.encoding_of(&outgoing.resource, outgoing.call).format();
    let body = match body {
        Body::Value(value) => {
            if let Some(outcome) = system.errors.outcome.as_ref().filter(|outcome| !outcome.done.is_empty())
                && says_done(outcome, &value).is_none()
            {
                return doubt(&format!("its body does not say at `{}` whether it was done", outcome.path));
            }
            Some(value)
        }
        Body::Nothing => None,
        Body::Html => {
            return doubt(&format!(
                "with a web page instead of {format}: a login page or a proxy may stand in between"
            ));
        }
        // a text such as `OK` is no harm where no body is needed
        Body::Text(_) if !is_read(outgoing.call) && lacks(system, outgoing, &response, None).is_none() => {
            None
        }
        Body::Text(_) => return doubt(&format!("its body is no {format}")),
        Body::Broken(problem) => return doubt(&format!("its body is broken {format}: {problem}")),
    };
    if is_read(outgoing.call) {
        if let Some(body) = &body
            && names_nothing(system, outgoing, body)
        {
            let message = sentence(name, what, ErrorClass::Gone, status, "there is no such record");
            return Verdict::NotDone { class: ErrorClass::Gone, status: Some(status), message };
        }
        return match body {
            None if status != 204 => doubt("without a body"),
            body => Verdict::Done(reply(response, body)),
        };
    }
    let create = system.resources.get(&outgoing.resource).and_then(|resource| resource.create.as_ref());
    if outgoing.call == CallKind::Create
        && create.and_then(|create| create.accepted.as_ref()).is_some_and(|later| later.status == status)
    {
        return Verdict::Accepted(reply(response, body));
    }
    // whether an action happened is seen from the record, whatever the answer says
    if status == 202 && outgoing.call != CallKind::Action {
        return doubt("will do it later: whether it succeeds is not known");
    }
    match lacks(system, outgoing, &response, body.as_ref()) {
        Some(lack) => doubt(&lack),
        None => Verdict::Done(reply(response, body)),
    }
}

/// Whether an answer has the record's place with nothing in it, where the system file says that there is no such record then. An
/// answer without the place, or with anything in it, is read like any other.
fn names_nothing(system: &System, outgoing: &Outgoing, body: &Value) -> bool {
    let resource = system.resources.get(&outgoing.resource);
    let Some(call) = resource.and_then(|resource| resource.get.as_ref()) else { return false };
    outgoing.call == CallKind::Get
        && call.empty_is_gone
        && match call.record.get(body) {
            Some(Value::Null) => true,
            Some(Value::Map(members)) => members.is_empty(),
            _ => false,
        }
}

/// What a successful write's answer lacks, so that it cannot be believed.
fn lacks(
    system: &System,
    outgoing: &Outgoing,
    response: &WireResponse,
    body: Option<&Value>,
) -> Option<String> {
    let resource = system.resources.get(&outgoing.resource)?;
    let (id, record) = match outgoing.call {
        CallKind::Create => {
            resource.create.as_ref().map(|create| (Some(&create.id), create.record.as_ref()))?
        }
        // 204 says in so many words that there is no body: the record is read back
        CallKind::Update if response.status != 204 => (None, resource.update.as_ref()?.record.as_ref()),
        _ => return None,
    };
    if let Some(NewId::Header { name, .. }) = id
        && response.header(name).is_none_or(|value| value.trim().is_empty())
    {
        return Some(format!("without the header {name}, which names the new record"));
    }
    let id = match id {
        Some(NewId::Body(query)) => Some(query),
        _ => None,
    };
    if id.is_none() && record.is_none() {
        return None;
    }
    let Some(body) = body else { return Some("without a body".into()) };
    if let Some(query) = id
        && query.first(body).is_none_or(|id| id.is_empty())
    {
        return Some(format!("without the new record's key at `{query}`"));
    }
    match record {
        Some(path) if path.get(body).is_none_or(Value::is_empty) => Some("without the record".into()),
        _ => None,
    }
}

fn fits(rule: &ErrorRule, status: u16, told: &Told, call: CallKind, failed: bool) -> bool {
    // a success is only an error where the rule names its status, or its body says so
    let status_fits = rule.status.map_or(failed || status >= 400, |wanted| wanted == status);
    let kind_fits = rule.kinds.is_empty() || rule.kinds.iter().any(|kind| told.kinds.contains(kind));
    let call_fits = rule.calls.is_empty() || rule.calls.contains(&call);
    let message_fits =
        rule.message.as_deref().is_none_or(|pattern| told.messages.iter().any(|text| glob(pattern, text)));
    status_fits && kind_fits && call_fits && message_fits
}

/// Whether a text is of this pattern; `*` stands for any text.
fn glob(pattern: &str, text: &str) -> bool {
    let mut pieces = pattern.split('*');
    let first = pieces.next().unwrap_or_default();
    let Some(mut rest) = text.strip_prefix(first) else { return false };
    let mut pieces: Vec<&str> = pieces.collect();
    let Some(last) = pieces.pop() else { return rest.is_empty() };
    for piece in pieces {
        match rest.find(piece) {
            Some(at) => rest = &rest[at + piece.len()..],
            None => return false,
        }
    }
    rest.ends_with(last)
}

/// What an answer's body is.
enum Body {
    Nothing,
    Value(Value),
    Html,
    Text(String),
    Broken(String),
}

impl Body {
    fn read(response: &WireResponse, encoding: &Encoding) -> Body {
        let kind = response.header("content-type").unwrap_or_default().to_ascii_lowercase();
        let start = response.body.iter().position(|byte| !byte.is_ascii_whitespace());
        let Some(start) = start else { return Body::Nothing };
        if encoding.is_xml() {
            return Body::read_xml(response, encoding, response.body[start]);
        }
        match from_json_slice(&response.body) {
            // whatever it is called, a web page is no JSON
            Ok(value) => Body::Value(value),
            _ if kind.contains("html") || (response.body[start] == b'<' && !kind.contains("xml")) => {
                Body::Html
            }
            Err(error) if kind.contains("json") || matches!(response.body[start], b'{' | b'[') => {
                Body::Broken(error.to_string())
            }
            _ => Body::Text(String::from_utf8_lossy(&response.body).trim().to_owned()),
        }
    }

    fn read_xml(response: &WireResponse, encoding: &Encoding, first: u8) -> Body {
        let text = || String::from_utf8_lossy(&response.body).trim().to_owned();
        let page = || {
            let head = response.body.get(..512).unwrap_or(&response.body).to_ascii_lowercase();
            let has = |tag: &[u8]| head.windows(tag.len()).any(|window| window == tag);
            has(b"<html") || has(b"<!doctype html")
        };
        match encoding.read(&response.body, response.header("content-type")) {
            // a page can be well-formed
            _ if page() => Body::Html,
            Ok(value) => Body::Value(value),
            Err(problem) if first == b'<' || response.body.starts_with(b"\xef\xbb\xbf") => {
                Body::Broken(problem)
            }
            Err(_) => Body::Text(text()),
        }
    }
}

/// What an error answer says.
struct Told {
    /// For people, one text.
    text: String,
    /// Each message by itself, then all together: rules look at them.
    messages: Vec<String>,
    kinds: Vec<String>,
}

impl Told {
    fn new(errors: &Errors, body: &Body) -> Told {
        let whole = match body {
            Body::Nothing => String::new(),
            Body::Html => "a web page".into(),
            Body::Value(Value::Text(text)) => text.clone(),
            Body::Value(value) => value.to_json(),
            Body::Text(text) => text.clone(),
            Body::Broken(_) => "an answer that cannot be read".into(),
        };
        let json = match body {
            Body::Value(value) => Some(value),
            _ => None,
        };
        let texts = |query: &crate::value::Query| -> Vec<String> {
            let found = json.map(|json| query.select(json)).unwrap_or_default();
            found.iter().filter_map(Value::scalar_text).filter(|text| !text.is_empty()).collect()
        };
        let mut messages = errors
            .message
            .iter()
            .map(|path| path.as_ref().map_or_else(|| vec![whole.clone()], texts))
            .find(|found| found.iter().any(|text| !text.is_empty()))
            .unwrap_or_default();
        let mut kinds = errors.kind.as_ref().map(texts).unwrap_or_default();
        if let Some(split) = &errors.split {
            let half = |text: &String, at: usize| text.splitn(2, split.as_str()).nth(at).map(str::to_owned);
            kinds =
                kinds.iter().filter_map(|text| half(text, 0)).map(|kind| kind.trim().to_owned()).collect();
            messages = messages.iter().map(|text| half(text, 1).unwrap_or_else(|| text.clone())).collect();
        }
        let text = if messages.is_empty() { whole } else { messages.join("; ") };
        if !messages.contains(&text) {
            messages.push(text.clone());
        }
        Told { text, messages, kinds }
    }
}

/// The words for a person in an answer.
pub(super) fn words(errors: &Errors, response: &WireResponse, encoding: &Encoding) -> String {
    Told::new(errors, &Body::read(response, encoding)).text
}

fn sentence(name: &str, what: &str, class: ErrorClass, status: u16, text: &str) -> String {
    let start = match class {
        ErrorClass::Refused => format!("{name} refused to {what}"),
        ErrorClass::NotAllowed => format!("{name} does not allow this user to {what}"),
        ErrorClass::FeatureMissing => {
            format!("the company in {name} lacks the feature that is needed to {what}")
        }
        ErrorClass::Gone => format!("{name} has no such record to {what}"),
        ErrorClass::ChangedMeanwhile => {
            format!("somebody changed the record meanwhile when {name} was asked to {what}")
        }
        ErrorClass::AlreadyExists => format!("{name} has such a record already, when asked to {what}"),
        ErrorClass::Wait => format!("{name} cannot {what} now"),
        ErrorClass::Unknown => format!("{name} failed when asked to {what}"),
    };
    if text.is_empty() { format!("{start} ({status})") } else { format!("{start} ({status}): {text}") }
}

fn verb(call: CallKind) -> &'static str {
    match call {
        CallKind::List => "list",
        CallKind::Get => "read",
        CallKind::Create => "create",
        CallKind::Update => "update",
        CallKind::Delete => "delete",
        CallKind::Action => "do this to",
        CallKind::File => "read a file of",
        CallKind::Attach => "attach a file to",
    }
}

/// Whether a call changes nothing.
pub(super) fn is_read(call: CallKind) -> bool {
    matches!(call, CallKind::List | CallKind::Get | CallKind::File)
}

fn has_range(outgoing: &Outgoing) -> bool {
    outgoing.headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("range"))
}

fn unknown(status: Option<u16>, message: String) -> Verdict {
    Verdict::Unknown { status, message, prove_refused: None }
}

fn reply(response: WireResponse, body: Option<Value>) -> Reply {
    let date = response.header("date").and_then(http_date);
    Reply { status: response.status, headers: response.headers, body, raw: None, date }
}

/// A file is bytes; only a web page or nothing at all in its place is no file.
fn file(name: &str, what: &str, response: WireResponse) -> Verdict {
    let kind = response.header("content-type").unwrap_or_default().to_ascii_lowercase();
    let content = response.file.clone().unwrap_or_else(|| Content::from(&response.body[..]));
    if content.is_empty() || kind.contains("html") {
        let why = if content.is_empty() { "without a body" } else { "with a web page" };
        return unknown(Some(200), format!("{name} answered 200 when asked to {what}, but {why}"));
    }
    Verdict::Done(Reply { raw: Some(content), ..reply(response, None) })
}

#[cfg(test)]
#[path = "verdict_tests.rs"]
mod tests;
