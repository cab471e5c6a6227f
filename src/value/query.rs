//! What finds values to read: what a path cannot say is RFC 9535 JSONPath, and read only. A [`Query`] holds either.

use std::fmt;

use super::{Path, PathError, Value};

/// What finds values to read: a plain path, or RFC 9535 JSONPath for everything more.
#[derive(Clone, Debug)]
pub enum Query {
    /// The fast and writable kind.
    Path(Path),
    /// A JSONPath query, parsed once.
    JsonPath(Box<jsonpath_rust::parser::model::JpQuery>),
}

/// How many brackets may stand inside each other: for every three that never close, jsonpath-rust takes twice as long.
const DEEPEST: usize = 8;

/// How many brackets stand inside each other at most, those in quotes left out.
fn depth(text: &str) -> usize {
    let (mut deepest, mut now, mut quote) = (0, 0_usize, None);
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        match (character, quote) {
            ('\\', Some(_)) => {
                characters.next();
            }
            (_, Some(one)) if character == one => quote = None,
            (_, Some(_)) => {}
            ('\'' | '"', None) => quote = Some(character),
            ('[' | '(', None) => {
                now += 1;
                deepest = deepest.max(now);
            }
            (']' | ')', None) => now = now.saturating_sub(1),
            _ => {}
        }
    }
    deepest
}

impl Query {
    /// Reads a path, or a JSONPath where it is no path.
    ///
    /// # Errors
    /// The path's own error where the text is neither.
    pub fn parse(text: &str) -> Result<Query, PathError> {
        match Path::parse(text) {
            Ok(path) => Ok(Query::Path(path)),
            Err(error) if depth(text) > DEEPEST => Err(error),
            Err(error) => {
                let full = if text.starts_with('$') {
                    text.to_owned()
                } else if text.starts_with('[') {
                    format!("${text}")
                } else {
                    format!("$.{text}")
                };
                jsonpath_rust::parser::parse_json_path(&full)
                    .map(|query| Query::JsonPath(Box::new(query)))
                    .map_err(|_| error)
            }
        }
    }

    /// The plain path, where it is one.
    pub fn as_path(&self) -> Option<&Path> {
        match self {
            Query::Path(path) => Some(path),
            Query::JsonPath(_) => None,
        }
    }

    /// Every value found, in order.
    pub fn select(&self, value: &Value) -> Vec<Value> {
        match self {
            Query::Path(path) => path.get_all(value).into_iter().cloned().collect(),
            Query::JsonPath(query) => {
                let Ok(json) = serde_json::from_str::<serde_json::Value>(&value.to_json()) else {
                    return Vec::new();
                };
                jsonpath_rust::query::js_path_process(query, &json)
                    .map(|found| {
                        found
                            .into_iter()
                            .filter_map(|hit| super::from_json_str(&hit.val().to_string()).ok())
                            .collect()
                    })
                    .unwrap_or_default()
            }
        }
    }

    /// The first value found.
    pub fn first(&self, value: &Value) -> Option<Value> {
        match self {
            Query::Path(path) => path.get(value).cloned(),
            Query::JsonPath(_) => self.select(value).into_iter().next(),
        }
    }
}

impl fmt::Display for Query {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Query::Path(path) => path.fmt(f),
            Query::JsonPath(query) => write!(f, "{query}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::from_json_str;
    use super::*;

    #[test]
    fn more_than_a_path_is_jsonpath() {
        let record = from_json_str(
            r#"{"addresses":[{"type":"Billing","city":"Oslo"},{"type":"Office","city":"Bergen"}]}"#,
        )
        .unwrap();
        let query = Query::parse("addresses[?@.type=='Billing'].city").unwrap();
        assert!(query.as_path().is_none());
        assert_eq!(query.first(&record), Some(Value::text("Oslo")));
        assert!(Query::parse("a[?").is_err());
        assert_eq!(depth("a[?length(@.b[0]) > 1 && @.c == '[[[']"), 3);
        assert!(Query::parse(&"a[?length((@.".repeat(40)).is_err());
    }
}
