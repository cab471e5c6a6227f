//! Nodes to serde types: unknown keys, missing keys and wrong kinds are findings at their places.

use std::cell::RefCell;
use std::fmt;
use std::marker::PhantomData;

use serde::de::value::{StrDeserializer, StringDeserializer};
use serde::de::{self, DeserializeOwned, DeserializeSeed, EnumAccess, IntoDeserializer, MapAccess, SeqAccess, VariantAccess, Visitor};

use super::node::{Kind, Node};
use crate::diagnostic::{At, Diagnostic, Diagnostics, Span, codes, suggest};

/// Reads a type from a node. What is wrong is pushed to `diagnostics`; where a part that was needed is wrong,
/// there is no value.
pub fn from_node<T: DeserializeOwned>(node: &Node, diagnostics: &mut Diagnostics) -> Option<T> {
    let mark = FOUND.with(|found| found.borrow().len());
    let value = match T::deserialize(NodeDeserializer(node)) {
        Ok(value) => Some(value),
        Err(_) => {
            report_last();
            None
        }
    };
    FOUND.with(|found| {
        for diagnostic in found.borrow_mut().drain(mark..) {
            diagnostics.push(diagnostic);
        }
    });
    value
}

/// A type that looks at the node itself: short forms, open maps.
pub trait FromNode: Sized {
    /// Reads it; what is wrong is pushed.
    fn from_node(node: &Node, diagnostics: &mut Diagnostics) -> Option<Self>;
}

thread_local! {
    /// The finding of the last error that was made.
    static LAST: RefCell<Option<Diagnostic>> = const { RefCell::new(None) };
    /// Findings on the way: serde's traits leave no room to carry them.
    static FOUND: RefCell<Vec<Diagnostic>> = const { RefCell::new(Vec::new()) };
    /// The node that a [`FromNode`] type reads itself from.
    static NODE: RefCell<Vec<Node>> = const { RefCell::new(Vec::new()) };
}

fn push(diagnostic: Diagnostic) {
    FOUND.with(|found| found.borrow_mut().push(diagnostic));
}

/// The names by which types ask this deserializer for more than serde knows.
const LENIENT: &str = "$mapengine::Lenient";
const VIA_NODE: &str = "$mapengine::ViaNode";

/// Why a value could not be made. The finding itself waits in [`LAST`]: a generic caller sees only serde's
/// own error trait.
#[derive(Debug, Clone)]
pub(crate) struct Error;

impl Error {
    fn at(diagnostic: Diagnostic) -> Self {
        LAST.with(|last| *last.borrow_mut() = Some(diagnostic));
        Error
    }

    /// Errors made by serde have no place: they get that of the node they were made at.
    fn or_at(self, span: Span) -> Self {
        LAST.with(|last| {
            if let Some(diagnostic) = &mut *last.borrow_mut()
                && !diagnostic.span.is_known()
            {
                diagnostic.span = span;
            }
        });
        self
    }
}

/// Reports the finding of the error that was just met; none where it was reported already.
fn report_last() {
    if let Some(diagnostic) = LAST.with(|last| last.borrow_mut().take()) {
        push(diagnostic);
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the value is wrong")
    }
}

impl std::error::Error for Error {}

impl de::Error for Error {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Error::at(Diagnostic::error(&codes::WRONG_TYPE, Span::NONE, message.to_string()))
    }

    fn missing_field(field: &'static str) -> Self {
        Error::at(
            Diagnostic::error(&codes::MISSING_KEY, Span::NONE, format!("`{field}` is missing here"))
                .help(format!("add `{field}:`")),
        )
    }

    fn unknown_variant(variant: &str, expected: &'static [&'static str]) -> Self {
        let help = match suggest(variant, expected.iter().copied()) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("it can be {}", expected.join(", ")),
        };
        Error::at(Diagnostic::error(&codes::UNKNOWN_WORD, Span::NONE, format!("`{variant}` is not known here")).help(help))
    }
}

/// A deserializer over one node.
#[derive(Clone, Copy)]
struct NodeDeserializer<'n>(&'n Node);

impl NodeDeserializer<'_> {
    fn wrong<T>(self, wanted: &str) -> Result<T, Error> {
        let node = self.0;
        let mut diagnostic = Diagnostic::error(&codes::WRONG_TYPE, node.span, format!("{wanted} is wanted, this is {}", node.what()));
        match &node.kind {
            Kind::Number(text) if wanted == "text" => {
                diagnostic.code = &codes::TEXT_WANTED;
                diagnostic = diagnostic.help(format!("write it as \"{text}\""));
            }
            Kind::Bool(yes) if wanted == "text" => {
                diagnostic.code = &codes::TEXT_WANTED;
                diagnostic = diagnostic.help(format!("write it as \"{yes}\""));
            }
            Kind::Text { text, quoted: true } if wanted == "a number" || wanted == "true or false" => {
                diagnostic = diagnostic.help(format!("write {text} without quotes"));
            }
            _ => {}
        }
        Err(Error::at(diagnostic))
    }

    fn number<'de, V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        let Kind::Number(text) = &self.0.kind else { return self.wrong("a number") };
        let span = self.0.span;
        if let Ok(number) = text.parse::<u64>() {
            return visitor.visit_u64(number).map_err(|error: Error| error.or_at(span));
        }
        if let Ok(number) = text.parse::<i64>() {
            return visitor.visit_i64(number).map_err(|error: Error| error.or_at(span));
        }
        self.wrong("a whole number")
    }
}

macro_rules! numbers {
    ($($name:ident)*) => {
        $(fn $name<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
            self.number(visitor)
        })*
    };
}

impl<'de> de::Deserializer<'de> for NodeDeserializer<'_> {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        let span = self.0.span;
        match &self.0.kind {
            Kind::Null => visitor.visit_unit(),
            Kind::Bool(yes) => visitor.visit_bool(*yes),
            // a number keeps its digits: they are handed over as serde_json does it
            Kind::Number(text) => visitor.visit_map(Digits(Some(text.clone()))),
            Kind::Text { text, .. } => visitor.visit_str(text),
            Kind::List(items) => visitor.visit_seq(Items(items.iter())),
            Kind::Map(entries) => visitor.visit_map(Entries { entries: entries.iter(), value: None, known: None }),
        }
        .map_err(|error: Error| error.or_at(span))
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.0.kind {
            Kind::Bool(yes) => visitor.visit_bool(yes),
            _ => self.wrong("true or false"),
        }
    }

    numbers! { deserialize_u8 deserialize_u16 deserialize_u32 deserialize_u64 deserialize_i8 deserialize_i16 deserialize_i32 deserialize_i64 deserialize_f32 deserialize_f64 }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match &self.0.kind {
            Kind::Text { text, .. } => visitor.visit_str(text).map_err(|error: Error| error.or_at(self.0.span)),
            _ => self.wrong("text"),
        }
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.deserialize_str(visitor)
    }

    fn deserialize_char<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.deserialize_str(visitor)
    }

    fn deserialize_identifier<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.deserialize_str(visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.0.kind {
            Kind::Null => visitor.visit_none(),
            _ => visitor.visit_some(self),
        }
    }

    fn deserialize_unit<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.0.kind {
            Kind::Null => visitor.visit_unit(),
            _ => self.wrong("nothing"),
        }
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, Error> {
        self.deserialize_unit(visitor)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, name: &'static str, visitor: V) -> Result<V::Value, Error> {
        if name == crate::diagnostic::AT {
            return visitor.visit_seq(WithPlace { node: self.0, step: 0 });
        }
        if name == VIA_NODE {
            NODE.with(|nodes| nodes.borrow_mut().push(self.0.clone()));
            return visitor.visit_unit();
        }
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match &self.0.kind {
            Kind::List(items) => visitor.visit_seq(Items(items.iter())).map_err(|error: Error| error.or_at(self.0.span)),
            _ => self.wrong("a list"),
        }
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, Error> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(self, _: &'static str, _: usize, visitor: V) -> Result<V::Value, Error> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match &self.0.kind {
            Kind::Map(entries) => visitor
                .visit_map(Entries { entries: entries.iter(), value: None, known: None })
                .map_err(|error: Error| error.or_at(self.0.span)),
            _ => self.wrong("a map"),
        }
    }

    fn deserialize_struct<V: Visitor<'de>>(self, _: &'static str, fields: &'static [&'static str], visitor: V) -> Result<V::Value, Error> {
        let Kind::Map(entries) = &self.0.kind else { return self.wrong("a map") };
        // the place of a map that lacks something is its first line
        let span = entries.first().map_or(self.0.span, |(key, _)| key.span);
        visitor
            .visit_map(Entries { entries: entries.iter(), value: None, known: Some(fields) })
            .map_err(|error: Error| error.or_at(span))
    }

    fn deserialize_enum<V: Visitor<'de>>(self, _: &'static str, _: &'static [&'static str], visitor: V) -> Result<V::Value, Error> {
        match &self.0.kind {
            Kind::Text { text, .. } => {
                visitor.visit_enum(StrDeserializer::<Error>::new(text)).map_err(|error: Error| error.or_at(self.0.span))
            }
            Kind::Map(entries) if entries.len() == 1 => visitor.visit_enum(Variant(&entries[0])),
            _ => self.wrong("text"),
        }
    }

    fn deserialize_bytes<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Error> {
        self.wrong("text")
    }

    fn deserialize_byte_buf<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Error> {
        self.wrong("text")
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_unit()
    }
}

struct Items<'n>(std::slice::Iter<'n, Node>);

impl<'de> SeqAccess<'de> for Items<'_> {
    type Error = Error;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Error> {
        match self.0.next() {
            Some(node) => seed.deserialize(NodeDeserializer(node)).map(Some),
            None => Ok(None),
        }
    }
}

struct Entries<'n> {
    entries: std::slice::Iter<'n, (At<String>, Node)>,
    value: Option<&'n Node>,
    /// The fields of the struct that is read: other keys are findings, and skipped.
    known: Option<&'static [&'static str]>,
}

impl<'de> MapAccess<'de> for Entries<'_> {
    type Error = Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Error> {
        loop {
            let Some((key, value)) = self.entries.next() else { return Ok(None) };
            if let Some(known) = self.known
                && !known.contains(&key.value.as_str())
            {
                let help = match suggest(&key.value, known.iter().copied()) {
                    Some(near) => format!("did you mean `{near}`?"),
                    None => format!("known here: {}", known.join(", ")),
                };
                push(Diagnostic::error(&codes::UNKNOWN_KEY, key.span, format!("`{key}` is not known here")).help(help));
                continue;
            }
            self.value = Some(value);
            let node = Node { kind: Kind::Text { text: key.value.clone(), quoted: false }, span: key.span };
            return seed.deserialize(NodeDeserializer(&node)).map(Some);
        }
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Error> {
        match self.value.take() {
            Some(node) => seed.deserialize(NodeDeserializer(node)),
            None => Err(de::Error::custom("a value was asked for before its key")),
        }
    }
}

/// `At<T>`: the place, then the value.
struct WithPlace<'n> {
    node: &'n Node,
    step: u8,
}

impl<'de> SeqAccess<'de> for WithPlace<'_> {
    type Error = Error;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Error> {
        self.step += 1;
        if self.step == 1 {
            let Span { file, start, end } = self.node.span;
            let place = de::value::SeqDeserializer::<_, Error>::new([file, start, end].into_iter());
            return seed.deserialize(place).map(Some);
        }
        seed.deserialize(NodeDeserializer(self.node)).map(Some)
    }
}

/// A number as its digits, the way serde_json's `arbitrary_precision` hands them over.
struct Digits(Option<String>);

impl<'de> MapAccess<'de> for Digits {
    type Error = Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Error> {
        match self.0 {
            Some(_) => seed.deserialize(StrDeserializer::<Error>::new("$serde_json::private::Number")).map(Some),
            None => Ok(None),
        }
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Error> {
        let text: StringDeserializer<Error> = self.0.take().unwrap_or_default().into_deserializer();
        seed.deserialize(text)
    }
}

struct Variant<'n>(&'n (At<String>, Node));

impl<'de> EnumAccess<'de> for Variant<'_> {
    type Error = Error;
    type Variant = Self;

    fn variant_seed<V: DeserializeSeed<'de>>(self, seed: V) -> Result<(V::Value, Self), Error> {
        let value = seed.deserialize(StrDeserializer::<Error>::new(&self.0.0.value)).map_err(|error| error.or_at(self.0.0.span))?;
        Ok((value, self))
    }
}

impl<'de> VariantAccess<'de> for Variant<'_> {
    type Error = Error;

    fn unit_variant(self) -> Result<(), Error> {
        Err(Error::at(Diagnostic::error(&codes::WRONG_TYPE, self.0.0.span, "a single word is wanted, this is a map")))
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<T::Value, Error> {
        seed.deserialize(NodeDeserializer(&self.0.1))
    }

    fn tuple_variant<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, Error> {
        de::Deserializer::deserialize_seq(NodeDeserializer(&self.0.1), visitor)
    }

    fn struct_variant<V: Visitor<'de>>(self, fields: &'static [&'static str], visitor: V) -> Result<V::Value, Error> {
        de::Deserializer::deserialize_struct(NodeDeserializer(&self.0.1), "", fields, visitor)
    }
}

/// A value, or nothing where it was wrong: then the finding is pushed.
pub(crate) struct Lenient<T>(pub Option<T>);

impl<'de, T: de::Deserialize<'de>> de::Deserialize<'de> for Lenient<T> {
    fn deserialize<D: de::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Inner<T>(PhantomData<T>);
        impl<'de, T: de::Deserialize<'de>> Visitor<'de> for Inner<T> {
            type Value = Lenient<T>;
            fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
                f.write_str("a value")
            }
            fn visit_newtype_struct<D: de::Deserializer<'de>>(self, deserializer: D) -> Result<Lenient<T>, D::Error> {
                match T::deserialize(deserializer) {
                    Ok(value) => Ok(Lenient(Some(value))),
                    Err(_) => {
                        report_last();
                        Ok(Lenient(None))
                    }
                }
            }
        }
        deserializer.deserialize_newtype_struct(LENIENT, Inner(PhantomData))
    }
}

/// Reads a [`FromNode`] type through serde.
pub(crate) fn via<'de, T: FromNode, D: de::Deserializer<'de>>(deserializer: D) -> Result<T, D::Error> {
    struct Taken;
    impl Visitor<'_> for Taken {
        type Value = ();
        fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
            f.write_str("a node")
        }
        fn visit_unit<E>(self) -> Result<(), E> {
            Ok(())
        }
    }
    deserializer.deserialize_newtype_struct(VIA_NODE, Taken)?;
    let node = NODE.with(|nodes| nodes.borrow_mut().pop()).ok_or_else(|| de::Error::custom("this is read from YAML only"))?;
    let mut found = Diagnostics::new();
    let value = T::from_node(&node, &mut found);
    for diagnostic in &found {
        push(diagnostic.clone());
    }
    value.ok_or_else(reported)
}

/// An error whose finding was pushed already, as any deserializer's error type.
fn reported<E: de::Error>() -> E {
    let error = E::custom("the value is wrong");
    LAST.with(|last| last.borrow_mut().take());
    error
}

/// Implements serde's `Deserialize` for a [`FromNode`] type.
macro_rules! via_node {
    ($name:ident<$param:ident> where $($bound:tt)*) => {
        impl<'de, $param> serde::Deserialize<'de> for $name<$param> where $($bound)* {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                $crate::spec::yaml::via(deserializer)
            }
        }
    };
    ($name:ident) => {
        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                $crate::spec::yaml::via(deserializer)
            }
        }
    };
}
pub(crate) use via_node;
