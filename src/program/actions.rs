//! Compiled calls that do something to a record, and writes that are answered later.

use std::time::Duration;

use super::expr::{Expr, Template};
use super::system::PathTemplate;
use crate::value::{Map, Path, Query, Value};

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
    /// How its answer says that it did not happen.
    pub failed: Option<ActionFailed>,
    /// What a stand-in makes of the record.
    pub sandbox: Vec<(Path, Value)>,
}

/// How the answer to an action says that it did not happen.
#[derive(Clone, Debug)]
pub struct ActionFailed {
    /// Whether it does, over `answer`.
    pub when: Expr,
    /// Where the system's words stand.
    pub message: Option<Query>,
    /// What a stand-in answers.
    pub sandbox: Vec<(Path, Value)>,
}

impl ActionFailed {
    /// The system's words where an answer says that it did not happen. What cannot be told is no failure: the record tells.
    pub fn words(&self, answer: Option<&Value>) -> Option<String> {
        let root = Value::Map(Map::from([("answer".to_owned(), answer?.clone())]));
        if !self.when.holds(&root).unwrap_or(false) {
            return None;
        }
        let words = self.message.as_ref().and_then(|at| at.first(answer?)?.scalar_text());
        let none = || format!("`{}`", self.when.source());
        Some(words.filter(|words| !words.is_empty()).unwrap_or_else(none))
    }
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
