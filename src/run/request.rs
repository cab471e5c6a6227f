//! A request as the journal holds it, and back: what was sent can be sent again, byte for byte.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;

use crate::http::{Content, Embedded, FileBody, Outgoing};
use crate::program::system::CallKind;
use crate::value::{Map, Value};

/// The member that holds a file's content: only while its request may have to be repeated.
const CONTENT: &str = "content";
/// The member that holds the contents of files inside the message by their marks; of the request, the marks alone.
const EMBEDDED: &str = "embedded";
/// The member that holds the key by which the system knows the request again.
const KEY: &str = "idempotency_key";

/// A request for the journal. With a key, all of it is kept: the repeat must not depend on what can be read by then.
pub(super) fn noted(outgoing: &Outgoing, key: Option<&str>) -> Value {
    let mut map = Map::new();
    map.insert("method".into(), Value::text(outgoing.method.clone()));
    map.insert("path".into(), Value::text(outgoing.path.clone()));
    if !outgoing.query.is_empty() {
        map.insert("query".into(), pairs(&outgoing.query));
    }
    if let Some(body) = &outgoing.body {
        map.insert("body".into(), body.clone());
    }
    if let Some(file) = &outgoing.file {
        // what was sent, not its content
        let size = i64::try_from(file.content.len()).unwrap_or(i64::MAX);
        let mut told = Map::new();
        told.insert("name".into(), Value::text(file.name.clone()));
        told.insert("type".into(), Value::text(file.media.clone()));
        told.insert("size".into(), Value::from(size));
        told.insert("sha256".into(), Value::text(file.content.hash()));
        if let (Some(_), Some(field)) = (key, &file.field) {
            told.insert("field".into(), Value::text(field.clone()));
        }
        map.insert("file".into(), Value::Map(told));
    }
    if let Some(key) = key {
        if !outgoing.embedded.is_empty() {
            let marks = outgoing.embedded.iter().map(|file| Value::text(file.mark.clone()));
            map.insert(EMBEDDED.into(), Value::List(marks.collect()));
        }
        if !outgoing.headers.is_empty() {
            map.insert("headers".into(), pairs(&outgoing.headers));
        }
        map.insert(KEY.into(), Value::text(key));
    }
    Value::Map(map)
}

/// How large the files of a request are.
pub(super) fn size_of_files(outgoing: &Outgoing) -> usize {
    let embedded = outgoing.embedded.iter().map(|file| &file.content);
    outgoing.file.iter().map(|file| &file.content).chain(embedded).map(Content::len).sum()
}

/// The contents of files, for as long as their request may have to be repeated: they stand beside the request, which never changes.
///
/// # Errors
/// One that cannot be read any more.
pub(super) fn keep_content(outgoing: &Outgoing, then: &mut Value) -> std::io::Result<()> {
    if outgoing.file.is_none() && outgoing.embedded.is_empty() {
        return Ok(());
    }
    if matches!(then, Value::Null) {
        *then = Value::Map(Map::new());
    }
    let Value::Map(then) = then else { return Ok(()) };
    if let Some(file) = &outgoing.file {
        then.insert(CONTENT.into(), Value::text(file.content.base64()?));
    }
    if !outgoing.embedded.is_empty() {
        let file = |file: &Embedded| Ok((file.mark.clone(), Value::text(file.content.base64()?)));
        let files: std::io::Result<Map> = outgoing.embedded.iter().map(file).collect();
        then.insert(EMBEDDED.into(), Value::Map(files?));
    }
    Ok(())
}

/// The create that the journal holds with its key; none where it was sent without one, or its outcome is known.
pub(super) fn keyed(request: &Value, then: &Value, resource: &str) -> Option<Outgoing> {
    request.get(KEY)?;
    let text = |value: &Value, name: &str| value.get(name).and_then(Value::as_text).map(str::to_owned);
    let file = match request.get("file") {
        None => None,
        Some(file) => Some(FileBody {
            name: text(file, "name")?,
            media: text(file, "type")?,
            content: Content::from(&BASE64.decode(text(then, CONTENT)?).ok()?[..]),
            field: text(file, "field"),
            related: Vec::new(),
        }),
    };
    let marks = request.get(EMBEDDED).and_then(Value::as_list).unwrap_or_default();
    let mut embedded = Vec::with_capacity(marks.len());
    for mark in marks {
        let mark = mark.as_text()?.to_owned();
        let content = Content::from(&BASE64.decode(text(then.get(EMBEDDED)?, &mark)?).ok()?[..]);
        embedded.push(Embedded { mark, content });
    }
    Some(Outgoing {
        method: text(request, "method")?,
        path: text(request, "path")?,
        query: unpaired(request.get("query")),
        headers: unpaired(request.get("headers")),
        body: request.get("body").cloned(),
        file,
        embedded,
        call: CallKind::Create,
        resource: resource.to_owned(),
    })
}

/// The key that a request was sent with.
pub(super) fn key(request: &Value) -> Option<&str> {
    request.get(KEY).and_then(Value::as_text)
}

/// The outcome is known: nothing will be repeated, and the content has no business here any more.
pub(super) fn forget_content(then: &mut Value) {
    if let Value::Map(then) = then {
        then.shift_remove(CONTENT);
        then.shift_remove(EMBEDDED);
    }
}

fn pairs(all: &[(String, String)]) -> Value {
    let pair = |(name, value): &(String, String)| {
        Value::List(vec![Value::text(name.clone()), Value::text(value.clone())])
    };
    Value::List(all.iter().map(pair).collect())
}

fn unpaired(value: Option<&Value>) -> Vec<(String, String)> {
    let pair = |pair: &Value| match pair.as_list()? {
        [name, value] => Some((name.as_text()?.to_owned(), value.as_text()?.to_owned())),
        _ => None,
    };
    value.and_then(Value::as_list).unwrap_or_default().iter().filter_map(pair).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::from_json_str;

    #[test]
    fn what_was_sent_with_a_key_comes_back_from_the_disk_as_it_was() {
        let content: Vec<u8> = (0..=255).collect();
        let sent = Outgoing {
            method: "POST".into(),
            path: "/letters?x=1".into(),
            query: vec![("a".into(), "b & c".into()), ("a".into(), String::new())],
            headers: vec![("Idempotency-Key".into(), "k-1".into())],
            body: Some(from_json_str(r#"{"z":10.00,"a":null,"b":["1"]}"#).unwrap()),
            file: Some(FileBody {
                name: "Räkning.xml".into(),
                media: "application/xml".into(),
                content: Content::from(&content[..]),
                field: Some("file".into()),
                related: Vec::new(),
            }),
            embedded: vec![Embedded::new(Content::from(&[0, 159, 146, 150][..]))],
            call: CallKind::Create,
            resource: "letter".into(),
        };
        let stored = from_json_str(&noted(&sent, Some("k-1")).to_json()).unwrap();
        let mut then = Value::Null;
        keep_content(&sent, &mut then).unwrap();
        assert_eq!(key(&stored), Some("k-1"));
        let back = keyed(&stored, &then, "letter").unwrap();
        assert_eq!(back, sent);
        assert_eq!(back.body.unwrap().to_json(), r#"{"z":10.00,"a":null,"b":["1"]}"#);
        // a settled one cannot be repeated, and what needs no repeat does not keep its content
        let plain = noted(&sent, None);
        assert_eq!(keyed(&plain, &then, "letter"), None);
        forget_content(&mut then);
        assert_eq!(
            (keyed(&stored, &then, "letter"), then.get(CONTENT), then.get(EMBEDDED)),
            (None, None, None)
        );
    }
}
