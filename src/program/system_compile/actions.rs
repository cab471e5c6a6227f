//! Calls that do something to a record, and writes that are answered later.

use std::time::Duration;

use indexmap::IndexMap;

use super::durations::duration;
use super::findings::Findings;
use super::links::field_of;
use super::shape::Shape;
use super::templates::{Use, condition, path, path_template, queries, query};
use crate::diagnostic::codes;
use crate::program::actions::{Accepted, Action, ActionFailed};
use crate::program::expr::Scope;
use crate::program::types::Type;
use crate::spec::actions as spec;
use crate::spec::yaml::Table;
use crate::value::{Path, Value};

/// How long an action may take, where nothing is said.
const WITHIN: Duration = Duration::from_secs(10 * 60);
/// How long an outcome is asked for, where nothing is said.
const ASKED: Duration = Duration::from_secs(5 * 60);
/// The status of a write that is answered later, where nothing is said.
const ACCEPTED: u16 = 202;

/// Compiles the actions of a resource.
pub(super) fn actions(
    shape: &Shape,
    has_get: bool,
    scope: &Scope,
    found: &mut Findings,
) -> IndexMap<String, Action> {
    let mut actions = IndexMap::new();
    for (name, written) in shape.spec.actions.iter() {
        if !shape.writable || !has_get {
            let (why, help) = match shape.writable {
                false => ("may not be written", "take `access: read_only` away, or the action"),
                true => {
                    ("cannot be read one by one, so nobody could see that it happened", "give it a `get`")
                }
            };
            found.error_help(
                &codes::BAD_ACTION,
                name.span,
                format!("`{name}` does something to a record that {why}"),
                help,
            );
            continue;
        }
        let own = shape.spec.path.as_ref();
        let path = path_template(&written.post, own, shape, Use::One, found);
        let done = condition(&written.done, &Scope::new().bare(&shape.record()), found);
        let mut sandbox = Vec::new();
        for (field, value) in written.sandbox.iter() {
            sandbox.extend(field_of(shape, field, found).map(|(path, _)| (path, value.clone())));
        }
        let failed = written.failed.as_ref().and_then(|failed| self::failed(failed, found));
        let Some(done) = done else { continue };
        if done.uses().is_empty() {
            found.error_help(
                &codes::BAD_ACTION,
                written.done.span,
                "this does not look at the record",
                "name a field that tells that it happened: \"status == 'Open'\"",
            );
        }
        actions.insert(
            name.value.clone(),
            Action {
                name: name.value.clone(),
                path,
                query: queries(&written.query, scope, found),
                body: written.body.as_ref().map(|body| body.value.clone()),
                done,
                within: duration(written.within.as_ref(), WITHIN, found),
                failed,
                sandbox,
            },
        );
    }
    actions
}

/// Compiles how an answer says that an action did not happen.
fn failed(written: &spec::ActionFailed, found: &mut Findings) -> Option<ActionFailed> {
    let message = written.message.as_ref().and_then(|text| query(text, found));
    let sandbox = constants(&written.sandbox, found);
    let when = condition(&written.when, &Scope::new().root("answer", Type::Any), found)?;
    if when.uses().is_empty() {
        found.error_help(
            &codes::BAD_ACTION,
            written.when.span,
            "this does not look at the answer",
            "name what in it tells that it failed: \"answer.result == 'Failed'\"",
        );
    }
    Some(ActionFailed { when, message, sandbox })
}

fn constants(table: &Table<Value>, found: &mut Findings) -> Vec<(Path, Value)> {
    table.iter().filter_map(|(name, value)| Some((path(name, found)?, value.clone()))).collect()
}

/// Compiles how the outcome of a write is asked for.
pub(super) fn accepted(written: &spec::Accepted, found: &mut Findings) -> Option<Accepted> {
    let status = written.status.unwrap_or(ACCEPTED);
    if !(200..300).contains(&status) {
        found.error_help(
            &codes::BAD_ACTION,
            written.poll.span,
            format!("status {status} does not take a write on"),
            "a write that is answered later is answered with a status of 200 to 299 first, mostly 202",
        );
    }
    let mut at = |text: &Option<crate::diagnostic::At<String>>| match text {
        Some(text) => query(text, found).map(Some),
        None => Some(None),
    };
    let (result, headers, content) = (at(&written.result)?, at(&written.headers)?, at(&written.content)?);
    let poll = query(&written.poll, found)?;
    let done = condition(&written.done, &Scope::new().root("answer", Type::Any), found)?;
    let within = duration(written.within.as_ref(), ASKED, found);
    let sandbox = match &written.sandbox {
        Some(sandbox) => [constants(&sandbox.running, found), constants(&sandbox.finished, found)],
        None => [Vec::new(), Vec::new()],
    };
    Some(Accepted { status, poll, done, result, headers, content, within, sandbox })
}
