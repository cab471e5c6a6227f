//! The wrapping of bodies: `{"name": {"value": "x"}}`.

use std::collections::BTreeSet;

use crate::program::system::Field;
use crate::value::{Map, Path, Value};

/// The places of all fields that are never wrapped.
pub(super) fn never_wrapped(fields: &[Field]) -> BTreeSet<String> {
    let mut places = BTreeSet::new();
    collect(fields, &Path::root(), &mut places);
    places
}

fn collect(fields: &[Field], before: &Path, places: &mut BTreeSet<String>) {
    for field in fields {
        let Some(write) = &field.write else { continue };
        let at = before.join(write);
        collect(&field.fields, &at, places);
        if !field.wrap {
            places.insert(at.to_string());
        }
    }
}

/// A body with every scalar and object in an object of one member, itself not; lists are not wrapped, what is
/// in their items is.
pub(super) fn wrapped(body: &Value, wrap: &str, bare: &BTreeSet<String>) -> Value {
    inside(body, wrap, &Path::root(), bare)
}

fn inside(value: &Value, wrap: &str, path: &Path, bare: &BTreeSet<String>) -> Value {
    match value {
        Value::Map(map) => Value::Map(
            map.iter()
                .map(|(name, member)| {
                    let path = path.join(&Path::key(name.clone()));
                    let inner = inside(member, wrap, &path, bare);
                    let plain = matches!(inner, Value::List(_)) || bare.contains(&path.to_string());
                    let member =
                        if plain { inner } else { Value::Map(Map::from([(wrap.to_owned(), inner)])) };
                    (name.clone(), member)
                })
                .collect(),
        ),
        Value::List(items) => Value::List(items.iter().map(|item| inside(item, wrap, path, bare)).collect()),
        other => other.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::from_json_str;

    #[test]
    fn every_level_but_lists_and_what_is_bare() {
        let body = from_json_str(r#"{"a":"x","b":{"c":1,"d":null},"e":[{"f":true,"g":2}],"h":["t"],"i":3}"#);
        let bare = BTreeSet::from(["i".to_owned(), "e.g".to_owned()]);
        assert_eq!(
            wrapped(&body.unwrap(), "value", &bare).to_json(),
            concat!(
                r#"{"a":{"value":"x"},"b":{"value":{"c":{"value":1},"d":{"value":null}}},"#,
                r#""e":[{"f":{"value":true},"g":2}],"h":["t"],"i":3}"#
            )
        );
    }
}
