//! Records as the engine sees them: one value model for JSON and XML, with exact decimals.
//!
//! Nothing in here goes through a binary float: a number on the wire is read from its own digits into a
//! [`Decimal`], and written back from it. A number that does not fit (28 digits) is kept as its digits
//! ([`Value::Wide`]) and refused only where a field reads it.

pub mod charset;
mod json;
mod path;
mod query;
mod side;
pub mod xml;

pub use json::{from_json_slice, from_json_str, parse_decimal};
pub use path::{Path, PathError, Segment, nested};
pub use query::Query;
pub use side::{Both, Side};

pub use rust_decimal::Decimal;

/// A list of named members in the order they were met (XML needs the order, people like it).
pub type Map = indexmap::IndexMap<String, Value>;

/// One value of a record.
///
/// Equality is by meaning: `1.0` equals `1.00`. Dates and times are [`Value::Text`] in ISO 8601; what a
/// text means is said by the declared type of its field.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Value {
    /// Present and null; also what a declared field that is missing reads as.
    #[default]
    Null,
    /// True or false.
    Bool(bool),
    /// An exact number.
    Number(Decimal),
    /// A number that does not fit an exact decimal, as its digits. Never calculated with.
    Wide(String),
    /// Text, also dates, times and ids.
    Text(String),
    /// An ordered list.
    List(Vec<Value>),
    /// Named members.
    Map(Map),
}

impl Value {
    /// A text value.
    pub fn text(text: impl Into<String>) -> Self {
        Value::Text(text.into())
    }

    /// Null, an empty text, an empty list, or a map whose members are all empty.
    ///
    /// This is the one definition of "missing" in a mapping (`decisions` 16): an empty source leaves the
    /// target alone.
    pub fn is_empty(&self) -> bool {
        match self {
            Value::Null => true,
            Value::Text(text) => text.is_empty(),
            Value::List(items) => items.is_empty(),
            Value::Map(map) => map.values().all(Value::is_empty),
            Value::Bool(_) | Value::Number(_) | Value::Wide(_) => false,
        }
    }

    /// Whether a condition holds for this value: false are null, `false`, zero and everything empty.
    pub fn is_true(&self) -> bool {
        match self {
            Value::Bool(yes) => *yes,
            Value::Number(number) => !number.is_zero(),
            other => !other.is_empty(),
        }
    }

    /// The text, if this is one.
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The members, if this is a map.
    pub fn as_map(&self) -> Option<&Map> {
        match self {
            Value::Map(map) => Some(map),
            _ => None,
        }
    }

    /// The items, if this is a list.
    pub fn as_list(&self) -> Option<&[Value]> {
        match self {
            Value::List(items) => Some(items),
            _ => None,
        }
    }

    /// A member of a map.
    pub fn get(&self, key: &str) -> Option<&Value> {
        self.as_map()?.get(key)
    }

    /// Plain text of a scalar, as it stands in a path, a query or a template: `12.50`, `true`, `Acme`.
    ///
    /// `None` for lists and maps; null is the empty text. An XML element with attributes is its text.
    pub fn scalar_text(&self) -> Option<String> {
        match self {
            Value::Null => Some(String::new()),
            Value::Bool(yes) => Some(yes.to_string()),
            Value::Number(number) => Some(number.to_string()),
            Value::Wide(digits) => Some(digits.clone()),
            Value::Text(text) => Some(text.clone()),
            Value::Map(_) => xml::element_text(self)?.scalar_text(),
            Value::List(_) => None,
        }
    }

    /// What kind of value this is, for messages.
    pub fn kind(&self) -> &'static str {
        match self {
            Value::Null => "nothing",
            Value::Bool(_) => "true/false",
            Value::Number(_) => "a number",
            Value::Wide(_) => "a number of too many digits",
            Value::Text(_) => "text",
            Value::List(_) => "a list",
            Value::Map(_) => "an object",
        }
    }

    /// The same value in its one canonical spelling: numbers without trailing zeros, empty members left
    /// out, members sorted. Two records are the same exactly when their canonical forms are.
    pub fn canonical(&self) -> Value {
        match self {
            Value::Number(number) => Value::Number(number.normalize()),
            Value::List(items) => Value::List(items.iter().map(Value::canonical).collect()),
            Value::Map(map) => {
                let mut sorted: Map = map
                    .iter()
                    .filter(|(_, value)| !value.is_empty())
                    .map(|(key, value)| (key.clone(), value.canonical()))
                    .collect();
                sorted.sort_keys();
                Value::Map(sorted)
            }
            other => other.clone(),
        }
    }

    /// JSON text of this value; numbers keep their digits.
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).expect("a value has text keys only, so it is always JSON")
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Value::Text(text.to_owned())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Value::Text(text)
    }
}

impl From<bool> for Value {
    fn from(yes: bool) -> Self {
        Value::Bool(yes)
    }
}

impl From<Decimal> for Value {
    fn from(number: Decimal) -> Self {
        Value::Number(number)
    }
}

impl From<i64> for Value {
    fn from(number: i64) -> Self {
        Value::Number(Decimal::from(number))
    }
}

impl From<u64> for Value {
    fn from(number: u64) -> Self {
        Value::Number(Decimal::from(number))
    }
}

impl From<Vec<Value>> for Value {
    fn from(items: Vec<Value>) -> Self {
        Value::List(items)
    }
}

impl From<Map> for Value {
    fn from(map: Map) -> Self {
        Value::Map(map)
    }
}

/// How a value is shown in messages and tables: text in quotes, money as its digits, nothing as `–`.
impl std::fmt::Display for Value {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Value::Null => f.write_str("–"),
            Value::Text(text) => write!(f, "{text:?}"),
            Value::Bool(yes) => write!(f, "{yes}"),
            Value::Number(number) => write!(f, "{number}"),
            Value::Wide(digits) => f.write_str(digits),
            Value::List(_) | Value::Map(_) => f.write_str(&self.to_json()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_by_meaning() {
        assert_eq!(from_json_str("[1.0]").unwrap(), from_json_str("[1.00]").unwrap());
        assert_ne!(Value::text("1.0"), Value::text("1.00"));
    }

    #[test]
    fn canonical_forgets_spelling_and_empties() {
        let left = from_json_str(r#"{"b":1.50,"a":"x","c":null}"#).unwrap();
        let right = from_json_str(r#"{"a":"x","b":1.5,"d":""}"#).unwrap();
        assert_eq!(left.canonical().to_json(), right.canonical().to_json());
    }

    #[test]
    fn a_zero_is_not_empty_but_false() {
        let zero = Value::from(0_i64);
        assert!(!zero.is_empty());
        assert!(!zero.is_true());
    }
}
