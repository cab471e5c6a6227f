//! Types that look at the node before they are read: short forms, open maps; and elements that may fail alone.

use std::cell::RefCell;
use std::fmt;
use std::marker::PhantomData;

use serde::de::{self, Deserialize, Deserializer, Visitor};

use super::node::Node;
use super::sink;
use crate::diagnostic::Diagnostics;

/// A type that looks at the node itself: short forms, open maps.
pub trait FromNode: Sized {
    /// Reads it; what is wrong is pushed.
    fn from_node(node: &Node, diagnostics: &mut Diagnostics) -> Option<Self>;
}

/// The name by which a type asks the deserializer for its node.
pub(super) const VIA_NODE: &str = "$mapengine::ViaNode";

thread_local! {
    /// The node that a [`FromNode`] type reads itself from.
    static NODE: RefCell<Option<Node>> = const { RefCell::new(None) };
}

/// Hands a node to the type that asked for it.
pub(super) fn hand_over(node: &Node) {
    NODE.with(|slot| *slot.borrow_mut() = Some(node.clone()));
}

/// Reads a [`FromNode`] type through serde.
pub(crate) fn via<'de, T: FromNode, D: Deserializer<'de>>(deserializer: D) -> Result<T, D::Error> {
    struct Taken;
    impl Visitor<'_> for Taken {
        type Value = ();
        fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
            f.write_str("a part of a YAML file")
        }
        fn visit_unit<E>(self) -> Result<(), E> {
            Ok(())
        }
    }
    deserializer.deserialize_newtype_struct(VIA_NODE, Taken)?;
    let node = NODE
        .with(|slot| slot.borrow_mut().take())
        .ok_or_else(|| de::Error::custom("this is read from YAML only"))?;
    let mut found = Diagnostics::new();
    let value = T::from_node(&node, &mut found);
    let said = found.has_errors();
    sink::extend(found);
    value.ok_or_else(|| {
        if said {
            return sink::reported();
        }
        let error = de::Error::custom("this value cannot be read");
        sink::place_last(node.span);
        error
    })
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

/// The node as it stands, for a type that is made of it later.
#[derive(Clone, Debug, PartialEq)]
pub struct Raw(pub Node);

impl FromNode for Raw {
    fn from_node(node: &Node, _: &mut Diagnostics) -> Option<Self> {
        Some(Raw(node.clone()))
    }
}

via_node!(Raw);

/// The name by which an element asks to fail alone.
const LENIENT: &str = "$mapengine::Lenient";

/// A value, or nothing where it was wrong: then the finding is reported.
pub(super) struct Lenient<T>(pub Option<T>);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Lenient<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Inner<T>(PhantomData<T>);
        impl<'de, T: Deserialize<'de>> Visitor<'de> for Inner<T> {
            type Value = Lenient<T>;
            fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
                f.write_str("a value")
            }
            fn visit_newtype_struct<D: Deserializer<'de>>(
                self,
                deserializer: D,
            ) -> Result<Lenient<T>, D::Error> {
                sink::forget();
                match T::deserialize(deserializer) {
                    Ok(value) => Ok(Lenient(Some(value))),
                    Err(_) if sink::report_last() => Ok(Lenient(None)),
                    // another format has nowhere to report to: the whole read fails
                    Err(error) => Err(error),
                }
            }
        }
        deserializer.deserialize_newtype_struct(LENIENT, Inner(PhantomData))
    }
}
