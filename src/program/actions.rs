//! Compiled calls that do something to a record, and writes that are answered later.

use std::time::Duration;

use super::expr::{Expr, Template};
use super::system::PathTemplate;
use crate::value::{Path, Query, Value};

/// Something that can be done to a record.
#[derive(Clone, Debug)]
pub struct Action {
    /// Its name.
    pub name: String,
    /// The path of its POST.
    pub path: PathTemplate,
    /// Query that is always sent.
    pub query: Vec<(String, Template)>,
    /// The body.
    pub body: Option<Value>,
    /// When it has happened, over the record's own fields.
    pub done: Expr,
    /// How long that may take.
    pub within: Duration,
    /// What a stand-in makes of the record.
    pub sandbox: Vec<(Path, Value)>,
}

/// A write that is taken on and answered later.
#[derive(Clone, Debug)]
pub struct Accepted {
    /// The status that says so.
    pub status: u16,
    /// Where the address stands at which the outcome is asked for.
    pub poll: Query,
    /// When the outcome is there, over `answer`.
    pub done: Expr,
    /// Where the status stands that the write came to.
    pub result: Option<Query>,
    /// Where the headers stand.
    pub headers: Option<Query>,
    /// Where the address of the body stands.
    pub content: Option<Query>,
    /// How long the outcome is asked for.
    pub within: Duration,
    /// What a stand-in answers at first, and at last.
    pub sandbox: [Vec<(Path, Value)>; 2],
}
