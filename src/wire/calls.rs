//! Paths, queries and keys of calls.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::{WriteEffect, WriteProblem, times};
use crate::http::{FileBody, Outgoing};
use crate::program::actions::Action;
use crate::program::files::{Attach, FILE, Files};
use crate::program::system::{
    CallKind, Cursor, KeyPlace, NewId, PathEscape, PathTemplate, Piece, Resource, System,
};
use crate::value::{Map, Path, Value};

/// What stands unescaped in a path segment (RFC 3986 section 2.3).
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// A path with the record's values in its places.
///
/// # Errors
/// The field that is missing.
pub fn fill(template: &PathTemplate, record: &Value, escape: PathEscape) -> Result<String, WriteProblem> {
    let mut path = String::new();
    for piece in &template.pieces {
        match piece {
            Piece::Text(text) => path.push_str(text),
            Piece::Field(field) => {
                let text = field.get(record).and_then(Value::scalar_text).filter(|text| !text.is_empty());
                let Some(text) = text else {
                    return Err(WriteProblem::new(
                        field.to_string(),
                        "it is needed for the address of the call, and is missing",
                    ));
                };
                path.push_str(&escaped(&text, escape));
            }
        }
    }
    Ok(path)
}

fn escaped(text: &str, escape: PathEscape) -> String {
    use base64::Engine as _;
    let plain = text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte));
    // a segment of dots would be another path
    let dots = !text.is_empty() && text.bytes().all(|byte| byte == b'.');
    match escape {
        PathEscape::B64 if !plain || dots => {
            format!("b64({})", base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(text))
        }
        _ if dots => text.replace('.', "%2E"),
        _ => utf8_percent_encode(text, ESCAPED).to_string(),
    }
}

/// The read of one record.
///
/// # Errors
/// Where the resource has no such call, or a field for its path is missing.
pub fn get(_: &System, resource: &Resource, record: &Value) -> Result<Outgoing, WriteProblem> {
    let Some(call) = &resource.get else {
        return Err(WriteProblem::new(resource.name.clone(), "it cannot be read one by one"));
    };
    Ok(Outgoing {
        method: "GET".into(),
        path: fill(&call.path, record, resource.encoding.path_escape)?,
        query: constant(&call.query),
        headers: Vec::new(),
        body: None,
        file: None,
        embedded: Vec::new(),
        call: CallKind::Get,
        resource: resource.name.clone(),
    })
}

/// The header by which a server refuses to change what is not as it was read (RFC 9110 section 13.1.1): an entity tag in quotes,
/// also where the record tells it without. A record that tells no version goes without.
pub(super) fn if_match(field: &Path, current: &Value) -> Option<(String, String)> {
    let version = field.get(current)?.scalar_text().filter(|version| !version.is_empty())?;
    let quoted = version.ends_with('"') && (version.starts_with('"') || version.starts_with("W/\""));
    Some(("if-match".into(), if quoted { version } else { format!("\"{version}\"") }))
}

/// What does something to one record.
///
/// # Errors
/// Where a field for its path is missing.
pub fn action(resource: &Resource, action: &Action, record: &Value) -> Result<Outgoing, WriteProblem> {
    Ok(Outgoing {
        method: "POST".into(),
        path: fill(&action.path, record, resource.encoding.path_escape)?,
        query: constant(&action.query),
        headers: Vec::new(),
        body: action.body.clone(),
        file: None,
        embedded: Vec::new(),
        call: CallKind::Action,
        resource: resource.name.clone(),
    })
}

/// Puts the key into a create by which the system knows it again.
pub fn with_key(outgoing: &mut Outgoing, place: &KeyPlace, key: &str) {
    match place {
        KeyPlace::Header(name) => outgoing.headers.push((name.clone(), key.to_owned())),
        KeyPlace::Query(name) => outgoing.query.push((name.clone(), key.to_owned())),
        KeyPlace::Field(path) => {
            path.set(outgoing.body.get_or_insert_with(|| Value::Map(Map::new())), Value::text(key));
        }
    }
}

/// What reads the content of a file.
///
/// # Errors
/// Where a field for its path is missing.
pub fn file(resource: &Resource, files: &Files, record: &Value, id: &str) -> Result<Outgoing, WriteProblem> {
    let mut record = record.clone();
    Path::key(FILE).set(&mut record, Value::text(id));
    Ok(Outgoing {
        method: "GET".into(),
        path: fill(&files.get, &record, resource.encoding.path_escape)?,
        query: Vec::new(),
        headers: vec![("accept".into(), "*/*".into())],
        body: None,
        file: None,
        embedded: Vec::new(),
        call: CallKind::File,
        resource: resource.name.clone(),
    })
}

/// What attaches a file to a record.
///
/// # Errors
/// Where a field for its path is missing.
pub fn attach(
    resource: &Resource,
    attach: &Attach,
    record: &Value,
    mut file: FileBody,
    about: &str,
) -> Result<Outgoing, WriteProblem> {
    let about = about.to_owned();
    let named = [("name", &file.name), ("type", &file.media), ("about", &about)];
    let named: Map =
        named.map(|(name, text)| (name.to_owned(), Value::text(text.clone()))).into_iter().collect();
    let root = Value::Map(Map::from([("file".to_owned(), Value::Map(named))]));
    let render = |(name, template): &(String, crate::program::expr::Template)| {
        let value =
            template.render(&root).map_err(|error| WriteProblem::new(name.clone(), error.to_string()));
        Ok((name.clone(), value?))
    };
    let related: Vec<(String, String)> =
        attach.related.iter().map(render).collect::<Result<_, WriteProblem>>()?;
    file.related = related.into_iter().filter(|(_, text)| !text.is_empty()).collect();
    Ok(Outgoing {
        method: "POST".into(),
        path: fill(&attach.path, record, resource.encoding.path_escape)?,
        query: attach.query.iter().map(render).collect::<Result<_, WriteProblem>>()?,
        headers: Vec::new(),
        body: None,
        file: Some(file),
        embedded: Vec::new(),
        call: CallKind::Attach,
        resource: resource.name.clone(),
    })
}

/// A call's own query. It holds no credential (the compiler refuses that), so it can be rendered anywhere.
pub(super) fn constant(query: &[(String, crate::program::expr::Template)]) -> Vec<(String, String)> {
    let nothing = Value::Map(Map::from([("credentials".to_owned(), Value::Map(Map::new()))]));
    query
        .iter()
        .map(|(name, template)| (name.clone(), template.render(&nothing).unwrap_or_default()))
        .collect()
}

/// What a list is asked for: changes since a text of the server's own, and filters it offers.
pub fn list_query(
    resource: &Resource,
    since: Option<&str>,
    filters: &[(String, Value)],
) -> Vec<(String, String)> {
    let mut query = Vec::new();
    if let (Some(cursor), Some(since)) = (&resource.cursor, since) {
        let value = match &cursor.value {
            Some(template) => template
                .render(&Value::Map(Map::from([("since".to_owned(), Value::text(since))])))
                .unwrap_or_else(|_| since.to_owned()),
            None => since.to_owned(),
        };
        query.push((cursor.param.clone(), value));
        query.extend(cursor.with.iter().cloned());
    }
    for (field, value) in filters {
        let Some(search) = resource.search.get(field) else { continue };
        let text = value.scalar_text().unwrap_or_default();
        let value = match &search.value {
            Some(template) => template
                .render(&Value::Map(Map::from([("value".to_owned(), value.clone())])))
                .unwrap_or_else(|_| text.clone()),
            None => text,
        };
        query.push((search.param.clone(), value));
        query.extend(search.with.iter().cloned());
    }
    query
}

/// The text of a cursor: the time of the last change, moved back, in the form the server wants.
pub fn since_text(system: &System, cursor: &Cursor, last: &str) -> String {
    let back = times::before(last, cursor.overlap).unwrap_or_else(|| last.to_owned());
    match cursor.form.and_then(|unit| times::counted(&back, unit)) {
        Some(number) => number.to_string(),
        None => times::send_time(&back, &system.times),
    }
}

/// The key of a new record, as the answer tells it.
pub fn new_id(
    resource: &Resource,
    _: u16,
    headers: &[(String, String)],
    body: Option<&Value>,
    current: &Value,
) -> Option<String> {
    let create = resource.create.as_ref()?;
    match &create.id {
        NewId::Body(path) => path.first(body?)?.scalar_text().filter(|text| !text.is_empty()),
        NewId::Header { name, last_segment } => {
            let (_, text) = headers.iter().find(|(key, _)| key.eq_ignore_ascii_case(name))?;
            let text = if *last_segment {
                text.split(['?', '#']).next()?.trim_end_matches('/').rsplit('/').next()?
            } else {
                text.as_str()
            };
            let text = percent_encoding::percent_decode_str(text).decode_utf8().ok()?.into_owned();
            (!text.is_empty()).then_some(text)
        }
        NewId::Given => resource.key_of(current),
    }
}

/// The record in the answer of a read.
pub fn record_in_get(resource: &Resource, body: &Value) -> Option<Value> {
    let call = resource.get.as_ref()?;
    call.record.get(body).filter(|record| matches!(record, Value::Map(_))).cloned()
}

/// The whole record in the answer of a write, where the system file says that it is there.
pub fn record_in_reply(resource: &Resource, effect: WriteEffect, body: Option<&Value>) -> Option<Value> {
    let path = match effect {
        WriteEffect::Create => resource.create.as_ref()?.record.as_ref()?,
        WriteEffect::Update => resource.update.as_ref()?.record.as_ref()?,
        WriteEffect::Delete => return None,
    };
    path.get(body?).filter(|record| matches!(record, Value::Map(_))).cloned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::from_json_str;

    fn template() -> PathTemplate {
        PathTemplate {
            pieces: vec![
                Piece::Text("/items/".into()),
                Piece::Field(Path::key("number")),
                Piece::Text("/x".into()),
            ],
        }
    }

    #[test]
    fn keys_are_escaped() {
        let path = |key: &str, escape| {
            let record = Value::Map(Map::from([("number".to_owned(), Value::text(key))]));
            fill(&template(), &record, escape).map_err(|problem| problem.to_string())
        };
        assert_eq!(path("A-1", PathEscape::Percent), Ok("/items/A-1/x".into()));
        assert_eq!(path("a/../b?", PathEscape::Percent), Ok("/items/a%2F..%2Fb%3F/x".into()));
        assert_eq!(path("..", PathEscape::Percent), Ok("/items/%2E%2E/x".into()));
        assert_eq!(path(":/#mt@&*", PathEscape::B64), Ok("/items/b64(Oi8jbXRAJio)/x".into()));
        assert_eq!(
            path("", PathEscape::Percent),
            Err("number: it is needed for the address of the call, and is missing".into())
        );
    }

    #[test]
    fn a_version_stands_in_quotes_as_it_came() {
        let sent = |record: &str| if_match(&Path::key("v"), &from_json_str(record).unwrap());
        let header = |tag: &str| Some(("if-match".to_owned(), tag.to_owned()));
        assert_eq!(sent(r#"{"v": 17}"#), header("\"17\""));
        assert_eq!(sent(r#"{"v": "AAAA+/8="}"#), header("\"AAAA+/8=\""));
        assert_eq!(sent(r#"{"v": "\"17\""}"#), header("\"17\""));
        assert_eq!(sent(r#"{"v": "W/\"17\""}"#), header("W/\"17\""));
        assert_eq!(sent(r#"{"v": ""}"#), None);
        assert_eq!(sent("{}"), None);
    }

    #[test]
    fn a_location_gives_its_last_segment() {
        let record = from_json_str(r#"{"number":"7"}"#).unwrap();
        assert_eq!(fill(&template(), &record, PathEscape::Percent).unwrap(), "/items/7/x");
    }
}
