//! Nodes to serde types: unknown keys, missing keys and wrong kinds are findings at their places.

use std::collections::HashSet;

use serde::de::{self, DeserializeOwned, Visitor};

use super::access::{Digits, Entries, Items, Variant, WithPlace};
use super::fill;
use super::node::{Kind, Node};
use super::scalar::{is_number, other_bool};
use super::sink::{self, Error};
use super::via;
use crate::diagnostic::{AT, At, Diagnostic, Diagnostics, Level, Span, codes, suggest};

/// Reads a type from a node. What is wrong is pushed to `diagnostics`; where a part that was needed is wrong,
/// there is no value.
pub fn from_node<T: DeserializeOwned>(node: &Node, diagnostics: &mut Diagnostics) -> Option<T> {
    let attempt = || {
        sink::collect(|| {
            let value = T::deserialize(NodeDeserializer(node));
            value.map_err(|_| sink::report_last()).ok()
        })
    };
    let (before, filled) = (sink::count_missed(), fill::count());
    let (value, mut found) = attempt();
    // the first key that is missing ends the read of its map: with it filled in, the next one does
    let mut missed = sink::missed_after(before);
    while missed.iter().filter(|(one, key)| fill::add(one.span, key)).count() > 0 {
        attempt();
        missed = sink::missed_after(before);
        missed.retain(|(one, _)| {
            !(&found).into_iter().any(|known| known.span == one.span && known.message == one.message)
        });
        missed.iter().for_each(|(one, _)| found.push(one.clone()));
    }
    fill::forget_after(filled);
    // "true is wanted" says all about a `yes` that there is to say
    let wrong: HashSet<Span> =
        found.into_iter().filter(|one| one.level == Level::Error).map(|one| one.span).collect();
    if !wrong.is_empty() {
        diagnostics.retract(&codes::AMBIGUOUS, &wrong);
    }
    diagnostics.extend(found);
    value
}

/// A deserializer over one node.
#[derive(Clone, Copy)]
pub(super) struct NodeDeserializer<'n>(pub &'n Node);

impl NodeDeserializer<'_> {
    fn wrong<T>(self, wanted: &str) -> Result<T, Error> {
        Err(Error::at(self.unwanted(wanted)))
    }

    fn wrong_help<T>(self, wanted: &str, help: impl Into<String>) -> Result<T, Error> {
        Err(Error::at(self.unwanted(wanted).help(help)))
    }

    fn unwanted(self, wanted: &str) -> Diagnostic {
        let message = format!("{wanted} is wanted, this is {}", self.0.what());
        Diagnostic::error(&codes::WRONG_TYPE, self.0.span, message)
    }

    fn no_text<T>(self) -> Result<T, Error> {
        let help = match &self.0.kind {
            Kind::Number(digits) => format!("write it as \"{digits}\""),
            Kind::Bool(yes) => format!("write it as \"{yes}\""),
            Kind::Null => return self.wrong_help("text", "write a text here, or leave the key out"),
            _ => return self.wrong("text"),
        };
        let message = format!("text is wanted, this is {}", self.0.what());
        Err(Error::at(Diagnostic::error(&codes::TEXT_WANTED, self.0.span, message).help(help)))
    }

    fn no_bool<T>(self) -> Result<T, Error> {
        const WANTED: &str = "true or false";
        match &self.0.kind {
            Kind::Text { text, quoted: true } if text == "true" || text == "false" => {
                self.wrong_help(WANTED, format!("write {text} without quotes"))
            }
            Kind::Text { text, quoted: false } => match other_bool(text) {
                Some(yes) => self.wrong_help(WANTED, format!("write {yes}")),
                None => self.wrong(WANTED),
            },
            _ => self.wrong(WANTED),
        }
    }

    fn no_number<T>(self) -> Result<T, Error> {
        match &self.0.kind {
            Kind::Text { text, quoted: true } if is_number(text) => {
                self.wrong_help("a number", format!("write {text} without quotes"))
            }
            Kind::Text { text, quoted: false }
                if text.starts_with(|one: char| ".+-".contains(one) || one.is_ascii_digit()) =>
            {
                self.wrong_help("a number", "numbers are written like 10, -3 and 0.5")
            }
            _ => self.wrong("a number"),
        }
    }

    fn no_list<T>(self) -> Result<T, Error> {
        let one = match &self.0.kind {
            Kind::Number(text) | Kind::Text { text, quoted: false } => text.clone(),
            Kind::Text { text, quoted: true } => format!("{text:?}"),
            Kind::Bool(yes) => yes.to_string(),
            _ => return self.wrong("a list"),
        };
        if one.len() > 40 || one.contains([',', '\n', '[', ']', '{', '}', ':', '#']) {
            return self.wrong("a list");
        }
        self.wrong_help("a list", format!("write [{one}]"))
    }

    /// Each unknown key is a finding. They are looked for first, so that a wrong value does not hide them.
    fn report_unknown_keys(self, known: &'static [&'static str]) {
        for (key, _) in self.0.entries() {
            if known.contains(&key.value.as_str()) {
                continue;
            }
            let message = format!("`{key}` is not known here");
            let mut diagnostic = Diagnostic::error(&codes::UNKNOWN_KEY, key.span, message);
            diagnostic = match suggest(&key.value, known.iter().copied()) {
                Some(near) => diagnostic.help(format!("did you mean `{near}`?")),
                None if known.is_empty() => diagnostic.help("remove it: nothing can be said here"),
                None => diagnostic.help(format!("known here: {}", known.join(", "))),
            };
            sink::push(diagnostic);
        }
    }
}

/// Whole numbers of each size, read from their digits.
macro_rules! numbers {
    ($($name:ident $visit:ident $number:ty;)*) => {
        $(fn $name<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
            let Kind::Number(digits) = &self.0.kind else { return self.no_number() };
            match digits.parse::<$number>() {
                Ok(number) => visitor.$visit(number).map_err(|error: Error| error.or_at(self.0.span)),
                Err(_) => {
                    let wanted = if digits.contains(['.', 'e', 'E']) {
                        "a whole number".to_owned()
                    } else {
                        format!("a number from {} to {}", <$number>::MIN, <$number>::MAX)
                    };
                    let message = format!("{wanted} is wanted, this is {digits}");
                    Err(Error::at(Diagnostic::error(&codes::WRONG_TYPE, self.0.span, message)))
                }
            }
        })*
    };
}

impl<'de> de::Deserializer<'de> for NodeDeserializer<'_> {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match &self.0.kind {
            Kind::Null => visitor.visit_unit(),
            Kind::Bool(yes) => visitor.visit_bool(*yes),
            // a number keeps its digits: they are handed over as serde_json does it
            Kind::Number(digits) => visitor.visit_map(Digits(Some(digits.clone()))),
            Kind::Text { text, .. } => visitor.visit_str(text),
            Kind::List(items) => visitor.visit_seq(Items(items.iter())),
            Kind::Map(entries) => visitor.visit_map(Entries::of(entries, None)),
        }
        .map_err(|error: Error| error.or_at(self.0.span))
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.0.kind {
            Kind::Bool(yes) => visitor.visit_bool(yes).map_err(|error: Error| error.or_at(self.0.span)),
            _ => self.no_bool(),
        }
    }

    numbers! {
        deserialize_u8 visit_u8 u8;
        deserialize_u16 visit_u16 u16;
        deserialize_u32 visit_u32 u32;
        deserialize_u64 visit_u64 u64;
        deserialize_u128 visit_u128 u128;
        deserialize_i8 visit_i8 i8;
        deserialize_i16 visit_i16 i16;
        deserialize_i32 visit_i32 i32;
        deserialize_i64 visit_i64 i64;
        deserialize_i128 visit_i128 i128;
    }

    fn deserialize_f32<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.deserialize_f64(visitor)
    }

    /// No type of ours holds a binary float: digits would be lost.
    fn deserialize_f64<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Error> {
        self.wrong("an exact number")
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match &self.0.kind {
            Kind::Text { text, .. } => {
                visitor.visit_str(text).map_err(|error: Error| error.or_at(self.0.span))
            }
            _ => self.no_text(),
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

    fn deserialize_unit_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Error> {
        self.deserialize_unit(visitor)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Error> {
        match name {
            AT => visitor.visit_seq(WithPlace { node: self.0, place_given: false }),
            via::VIA_NODE => {
                via::hand_over(self.0);
                visitor.visit_unit()
            }
            _ => visitor.visit_newtype_struct(self),
        }
        .map_err(|error: Error| error.or_at(self.0.span))
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match &self.0.kind {
            Kind::List(items) => {
                visitor.visit_seq(Items(items.iter())).map_err(|error: Error| error.or_at(self.0.span))
            }
            _ => self.no_list(),
        }
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, length: usize, visitor: V) -> Result<V::Value, Error> {
        match &self.0.kind {
            Kind::List(items) if items.len() != length => {
                let message = format!("a list of {length} is wanted, this has {}", items.len());
                Err(Error::at(Diagnostic::error(&codes::WRONG_TYPE, self.0.span, message)))
            }
            _ => self.deserialize_seq(visitor),
        }
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        length: usize,
        visitor: V,
    ) -> Result<V::Value, Error> {
        self.deserialize_tuple(length, visitor)
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match &self.0.kind {
            Kind::Map(entries) => {
                visitor.visit_map(Entries::of(entries, None)).map_err(|error: Error| error.or_at(self.0.span))
            }
            _ => self.wrong("a map"),
        }
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        let Kind::Map(entries) = &self.0.kind else { return self.wrong("a map") };
        self.report_unknown_keys(fields);
        // the place of a map that lacks something is its first line
        let span = entries.first().map_or(self.0.span, |(At { span, .. }, _)| *span);
        let entries = Entries::of(entries, Some(fields)).with(fill::keys_at(span));
        visitor.visit_map(entries).map_err(|error: Error| error.or_at(span))
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        let span = self.0.span;
        let one_of = || format!("it can be {}", variants.join(", "));
        match &self.0.kind {
            Kind::Text { text, .. } => visitor
                .visit_enum(Variant { name: text, span, value: None })
                .map_err(|error: Error| error.or_at(span)),
            Kind::Map(entries) => match &entries[..] {
                [(key, value)] => {
                    visitor.visit_enum(Variant { name: &key.value, span: key.span, value: Some(value) })
                }
                _ => {
                    let message = format!("one key is wanted, this map has {}", entries.len());
                    Err(Error::at(Diagnostic::error(&codes::WRONG_TYPE, span, message).help(one_of())))
                }
            },
            _ => self.wrong_help("a word", one_of()),
        }
    }

    fn deserialize_bytes<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Error> {
        self.no_text()
    }

    fn deserialize_byte_buf<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Error> {
        self.no_text()
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_unit()
    }
}

#[cfg(test)]
mod tests;
