//! Short forms: a text where a map would say only one thing, `none` where there is nothing, one path or a list of them.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::DeserializeOwned;

use super::yaml::{FromNode, Kind, Node, from_node, via_node};
use crate::diagnostic::{At, Diagnostics};

/// A type that a single text can stand for.
pub trait Short: DeserializeOwned {
    /// What the text alone means.
    fn short(text: At<String>) -> Self;
}

/// `T`, or a text that stands for it.
#[derive(Clone, Debug, Default)]
pub struct ShortForm<T>(pub T);

impl<T> std::ops::Deref for ShortForm<T> {
    type Target = T;
    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T: Short> FromNode for ShortForm<T> {
    fn from_node(node: &Node, diagnostics: &mut Diagnostics) -> Option<Self> {
        match &node.kind {
            Kind::Text { text, .. } => Some(ShortForm(T::short(At { value: text.clone(), span: node.span }))),
            _ => from_node(node, diagnostics).map(ShortForm),
        }
    }
}

via_node!(ShortForm<T> where T: Short);

impl<T: JsonSchema> JsonSchema for ShortForm<T> {
    fn schema_name() -> Cow<'static, str> {
        format!("{}OrText", T::schema_name()).into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let long = generator.subschema_for::<T>();
        json_schema!({ "anyOf": [ { "type": "string" }, long ] })
    }

    fn inline_schema() -> bool {
        true
    }
}

/// `T`, or the word `none`.
#[derive(Clone, Debug)]
pub enum OrNone<T> {
    /// There is no such thing.
    None,
    /// There is.
    Some(T),
}

impl<T> OrNone<T> {
    /// What is there, if anything.
    pub fn as_option(&self) -> Option<&T> {
        match self {
            OrNone::None => None,
            OrNone::Some(value) => Some(value),
        }
    }
}

impl<T: DeserializeOwned> FromNode for OrNone<T> {
    fn from_node(node: &Node, diagnostics: &mut Diagnostics) -> Option<Self> {
        match &node.kind {
            Kind::Text { text, .. } if text == "none" => Some(OrNone::None),
            _ => from_node(node, diagnostics).map(OrNone::Some),
        }
    }
}

via_node!(OrNone<T> where T: DeserializeOwned);

impl<T: JsonSchema> JsonSchema for OrNone<T> {
    fn schema_name() -> Cow<'static, str> {
        format!("{}OrNone", T::schema_name()).into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let some = generator.subschema_for::<T>();
        json_schema!({ "anyOf": [ { "const": "none" }, some ] })
    }

    fn inline_schema() -> bool {
        true
    }
}

/// One text or a list of texts: paths, names, kinds.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Paths(pub Vec<At<String>>);

impl std::ops::Deref for Paths {
    type Target = [At<String>];
    fn deref(&self) -> &[At<String>] {
        &self.0
    }
}

impl FromNode for Paths {
    fn from_node(node: &Node, diagnostics: &mut Diagnostics) -> Option<Self> {
        match &node.kind {
            Kind::Text { text, .. } => Some(Paths(vec![At { value: text.clone(), span: node.span }])),
            _ => from_node(node, diagnostics).map(Paths),
        }
    }
}

via_node!(Paths);

impl JsonSchema for Paths {
    fn schema_name() -> Cow<'static, str> {
        "Paths".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "anyOf": [ { "type": "string" }, { "type": "array", "items": { "type": "string" } } ] })
    }

    fn inline_schema() -> bool {
        true
    }
}
