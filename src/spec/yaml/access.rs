//! The parts of a node, one after the other, as serde asks for them.

use serde::de::value::{StrDeserializer, StringDeserializer};
use serde::de::{
    self, DeserializeSeed, EnumAccess, IntoDeserializer, MapAccess, SeqAccess, VariantAccess, Visitor,
};

use super::de::NodeDeserializer;
use super::fill::Filler;
use super::node::{Kind, Node};
use super::sink::Error;
use crate::diagnostic::{At, Diagnostic, Span, codes};

/// The elements of a list.
pub(super) struct Items<'n>(pub std::slice::Iter<'n, Node>);

impl<'de> SeqAccess<'de> for Items<'_> {
    type Error = Error;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Error> {
        self.0.next().map(|node| seed.deserialize(NodeDeserializer(node))).transpose()
    }
}

/// The entries of a map; of a struct only those that are `known`.
pub(super) struct Entries<'n> {
    entries: std::slice::Iter<'n, (At<String>, Node)>,
    value: Option<&'n Node>,
    known: Option<&'static [&'static str]>,
    /// Keys that are missing, and have something for the time of this read.
    filled: Vec<&'static str>,
}

impl<'n> Entries<'n> {
    pub(super) fn of(entries: &'n [(At<String>, Node)], known: Option<&'static [&'static str]>) -> Self {
        Entries { entries: entries.iter(), value: None, known, filled: Vec::new() }
    }

    /// With something at these keys, too.
    pub(super) fn with(self, filled: Vec<&'static str>) -> Self {
        Entries { filled, ..self }
    }
}

impl<'de> MapAccess<'de> for Entries<'_> {
    type Error = Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Error> {
        let known = self.known;
        let is_known = |key: &str| known.is_none_or(|known| known.contains(&key));
        let Some((key, value)) = self.entries.find(|(key, _)| is_known(&key.value)) else {
            let missing = self.filled.pop();
            return missing.map(|key| seed.deserialize(StrDeserializer::<Error>::new(key))).transpose();
        };
        self.value = Some(value);
        let node = Node { kind: Kind::Text { text: key.value.clone(), quoted: false }, span: key.span };
        seed.deserialize(NodeDeserializer(&node)).map(Some)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Error> {
        match self.value.take() {
            Some(node) => seed.deserialize(NodeDeserializer(node)),
            // a key that was filled in
            None => seed.deserialize(Filler),
        }
    }
}

/// `At<T>`: the place, then the value.
pub(super) struct WithPlace<'n> {
    pub node: &'n Node,
    pub place_given: bool,
}

impl<'de> SeqAccess<'de> for WithPlace<'_> {
    type Error = Error;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Error> {
        if std::mem::replace(&mut self.place_given, true) {
            return seed.deserialize(NodeDeserializer(self.node)).map(Some);
        }
        let Span { file, start, end } = self.node.span;
        let place = de::value::SeqDeserializer::<_, Error>::new([file, start, end].into_iter());
        seed.deserialize(place).map(Some)
    }
}

/// A number as its digits, the way serde_json's `arbitrary_precision` hands them over.
pub(super) struct Digits(pub Option<String>);

impl<'de> MapAccess<'de> for Digits {
    type Error = Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Error> {
        match self.0 {
            Some(_) => {
                seed.deserialize(StrDeserializer::<Error>::new("$serde_json::private::Number")).map(Some)
            }
            None => Ok(None),
        }
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Error> {
        let text: StringDeserializer<Error> = self.0.take().unwrap_or_default().into_deserializer();
        seed.deserialize(text)
    }
}

/// A variant of an enum: a word alone, or a key and what belongs to it.
pub(super) struct Variant<'n> {
    pub name: &'n str,
    pub span: Span,
    pub value: Option<&'n Node>,
}

impl Variant<'_> {
    fn value(&self) -> Result<NodeDeserializer<'_>, Error> {
        self.value.map(NodeDeserializer).ok_or_else(|| {
            let message = format!("`{}` needs a value", self.name);
            let help = format!("write `{}: …`", self.name);
            Error::at(Diagnostic::error(&codes::WRONG_TYPE, self.span, message).help(help))
        })
    }
}

impl<'de> EnumAccess<'de> for Variant<'_> {
    type Error = Error;
    type Variant = Self;

    fn variant_seed<V: DeserializeSeed<'de>>(self, seed: V) -> Result<(V::Value, Self), Error> {
        let name = StrDeserializer::<Error>::new(self.name);
        let value = seed.deserialize(name).map_err(|error| error.or_at(self.span))?;
        Ok((value, self))
    }
}

impl<'de> VariantAccess<'de> for Variant<'_> {
    type Error = Error;

    fn unit_variant(self) -> Result<(), Error> {
        if self.value.is_none() {
            return Ok(());
        }
        let message = format!("`{}` is a word alone, this is a map", self.name);
        let help = format!("write only {}", self.name);
        Err(Error::at(Diagnostic::error(&codes::WRONG_TYPE, self.span, message).help(help)))
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<T::Value, Error> {
        seed.deserialize(self.value()?)
    }

    fn tuple_variant<V: Visitor<'de>>(self, length: usize, visitor: V) -> Result<V::Value, Error> {
        de::Deserializer::deserialize_tuple(self.value()?, length, visitor)
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        de::Deserializer::deserialize_struct(self.value()?, "", fields, visitor)
    }
}
