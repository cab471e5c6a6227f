//! YAML with places: text → [`Node`] tree → any serde type, every finding at its line and column.
//!
//! YAML 1.2 core, read strictly: only `true` and `false` are booleans, numbers keep their digits, keys may
//! stand once, merge keys and tags are refused. This is the only room that knows the YAML library.

mod access;
mod containers;
mod de;
mod fill;
mod foreign;
mod node;
mod parse;
mod scalar;
mod sink;
mod syntax;
mod via;

pub use containers::{List, Table};
pub use de::from_node;
pub use foreign::foreign;
pub use node::{Kind, Node};
pub use parse::parse;
pub use via::{FromNode, Raw};
pub(crate) use via::{via, via_node};
