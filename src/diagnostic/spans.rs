//! Places in files, and values that know theirs.

use std::borrow::Cow;
use std::fmt;
use std::hash::{Hash, Hasher};

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::de::{self, Deserialize, Deserializer, SeqAccess, Visitor};
use serde::ser::{Serialize, Serializer};

/// The number of a file in its [`super::Sources`].
pub type FileId = u32;

/// A place in a file: byte offsets, the end excluded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Span {
    /// The file.
    pub file: FileId,
    /// Where it begins.
    pub start: u32,
    /// Where it ends.
    pub end: u32,
}

impl Span {
    /// No place: made in code, not in a file.
    pub const NONE: Span = Span { file: FileId::MAX, start: 0, end: 0 };

    /// Whether this is a place at all.
    pub fn is_known(self) -> bool {
        self.file != FileId::MAX
    }
}

impl Default for Span {
    fn default() -> Self {
        Span::NONE
    }
}

/// A value and where it stands. Two are equal when their values are.
#[derive(Clone, Debug, Default)]
pub struct At<T> {
    /// The value.
    pub value: T,
    /// Where it stands.
    pub span: Span,
}

impl<T> std::ops::Deref for At<T> {
    type Target = T;
    fn deref(&self) -> &T {
        &self.value
    }
}

impl<T> From<T> for At<T> {
    fn from(value: T) -> Self {
        At { value, span: Span::NONE }
    }
}

impl<T: fmt::Display> fmt::Display for At<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.value.fmt(f)
    }
}

impl<T: PartialEq> PartialEq for At<T> {
    fn eq(&self, other: &Self) -> bool {
        self.value == other.value
    }
}

impl<T: Eq> Eq for At<T> {}

impl<T: Hash> Hash for At<T> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.value.hash(state);
    }
}

impl<T: Serialize> Serialize for At<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.value.serialize(serializer)
    }
}

/// The name by which a deserializer that knows places is asked for one (`spec::yaml`).
pub(crate) const AT: &str = "$mapengine::At";

/// Only deserializers that know [`AT`] give the place; the others give the value alone.
impl<'de, T: Deserialize<'de>> Deserialize<'de> for At<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_newtype_struct(AT, AtVisitor(std::marker::PhantomData))
    }
}

struct AtVisitor<T>(std::marker::PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for AtVisitor<T> {
    type Value = At<T>;

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("a value")
    }

    /// Without a place.
    fn visit_newtype_struct<D: Deserializer<'de>>(self, deserializer: D) -> Result<At<T>, D::Error> {
        T::deserialize(deserializer).map(At::from)
    }

    /// The place, then the value.
    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<At<T>, A::Error> {
        let missing = || de::Error::custom("a place was expected");
        let (file, start, end) = seq.next_element()?.ok_or_else(missing)?;
        let value = seq.next_element()?.ok_or_else(missing)?;
        Ok(At { value, span: Span { file, start, end } })
    }
}

impl<T: JsonSchema> JsonSchema for At<T> {
    fn schema_name() -> Cow<'static, str> {
        T::schema_name()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        T::json_schema(generator)
    }

    fn inline_schema() -> bool {
        T::inline_schema()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_by_value_and_shown_as_the_value() {
        let here = At { value: "x".to_owned(), span: Span { file: 0, start: 1, end: 2 } };
        let there = At::from("x".to_owned());
        assert_eq!(here, there);
        assert_eq!(std::collections::HashSet::from([here.clone(), there]).len(), 1);
        assert_eq!((here.to_string(), here.len()), ("x".to_owned(), 1));
    }

    #[test]
    fn other_formats_have_no_places() {
        let read: At<Vec<At<u8>>> = serde_json::from_str("[1, 2]").unwrap();
        assert_eq!(read.value, [At::from(1), At::from(2)]);
        assert!(!read.span.is_known());
        assert_eq!(serde_json::to_string(&read).unwrap(), "[1,2]");
    }

    #[test]
    fn the_schema_is_that_of_the_value() {
        let schema = |schema: Schema| serde_json::to_string(&schema).unwrap();
        assert_eq!(schema(schemars::schema_for!(At<bool>)), schema(schemars::schema_for!(bool)));
    }
}
