//! Text as a path, and a JSON value behind its first line for it to go through: a path shows itself as it is read, and
//! what is put there is found there.

use mapengine::value::{Path, Query, Segment, Value, from_json_str, nested};

const RECORD: &str = r#"{"name":"Acme","codes":["A","B"],"price":{"@type":"net","$text":"5,00"},
    "lines":[{"no":1,"price":12.50,"tags":[{"kind":"colour","name":"red"}]},{"no":2,"price":null}],"main address":{}}"#;

/// Whether it is a path or a JSONPath.
pub fn run(bytes: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(bytes) else { return false };
    let (text, value) = text.split_once('\n').unwrap_or((text, RECORD));
    let value = from_json_str(value).unwrap_or_else(|_| from_json_str(RECORD).expect("JSON"));
    let query = Query::parse(text);
    if let Ok(query) = &query {
        let all = query.select(&value);
        if query.as_path().is_none() {
            assert_eq!(query.first(&value), all.into_iter().next());
        }
    }
    match Path::parse(text) {
        Ok(path) => singular(&path, &value),
        Err(error) => assert!(text.is_char_boundary(error.at), "{} of {text:?}", error.at),
    }
    query.is_ok()
}

fn singular(path: &Path, value: &Value) {
    let shown = path.to_string();
    if !path.is_root() {
        assert_eq!(Path::parse(&shown).as_ref(), Ok(path), "shown as {shown:?}");
    }
    if let Some((first, rest)) = path.split_first() {
        let first = Path::of(std::slice::from_ref(first));
        assert_eq!(first.join(&rest), *path);
        assert_eq!(path.strip_prefix(&first), Some(rest));
    }
    if let Some((list, inner)) = nested(path) {
        assert!(path.strip_prefix(&list).is_some() && !inner.is_root());
    }
    let plain = path.segments().iter().all(|step| matches!(step, Segment::Key(_) | Segment::Index(_)));
    let all = path.get_all(value);
    if plain {
        assert_eq!(path.get(value).into_iter().collect::<Vec<_>>(), all);
    }
    let mut changed = value.clone();
    path.set(&mut changed, Value::text("put"));
    if plain {
        let found = path.get(&changed).and_then(Value::scalar_text);
        assert_eq!(found.as_deref(), Some("put"), "{path} of {}", changed.to_json());
        if path.remove(&mut changed).is_some() {
            assert_eq!(path.get(&changed), None, "{path} of {}", changed.to_json());
        }
    }
}
