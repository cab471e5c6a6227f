//! What a gate says, in words, with the condition of the mapping and what it saw.

use std::collections::BTreeMap;

use super::gates::Explainer;
use super::held::{Condition, Held, HeldAt, Step};
use super::time;
use crate::plan::decide::{self, Record};
use crate::plan::document::{Progress, role_of};
use crate::plan::{Action, Change, Found, Gate, label};
use crate::program::document::{Document, Take};
use crate::program::expr::Expr;
use crate::program::mapping::{Origin, Register};
use crate::store::{Link, Result, RunRow};
use crate::value::{Map, Path, Side, Value};

/// How much of a long value is shown.
const SHOWN: usize = 80;

impl Explainer<'_> {
    #[allow(clippy::too_many_arguments)]
    pub(super) fn refused(
        &self,
        held: &mut Held,
        register: &Register,
        side: Side,
        record: &Record,
        change: &Change,
        code: &str,
        reason: &str,
    ) -> Result<()> {
        held.at = HeldAt::SetAside;
        held.code = Some(code.to_owned());
        reason.clone_into(&mut held.reason);
        match &change.held {
            Some(Gate::Valid) => {
                held.at = HeldAt::NotValid;
                let other = change.on(side.other());
                let other = match other {
                    Some(other) => self.decider.record(self.store, side.other(), other)?,
                    None => None,
                };
                for (side, record) in [(side, Some(record)), (side.other(), other.as_ref())] {
                    let Some(record) = record else { continue };
                    for (rule, _) in decide::broken(&self.decider.context(), register, side, record) {
                        held.conditions.push(self.condition(
                            register,
                            side,
                            record,
                            &rule.that,
                            &rule.origin,
                        ));
                    }
                }
            }
            Some(Gate::Many { side: on, records, entry }) => {
                let mut names = Vec::new();
                for at in records {
                    let found = self.decider.record(self.store, *on, at)?;
                    names.push(match found {
                        Some(found) => format!("{} '{}'", at.id, label(register, *on, &found)),
                        None => at.id.clone(),
                    });
                }
                let by: Vec<&str> = register
                    .matching
                    .get(*entry)
                    .into_iter()
                    .flatten()
                    .map(|index| register.rows[*index].labels[side].as_str())
                    .collect();
                held.reason = if *on == side {
                    format!(
                        "it is not linked yet: {} {} of {} with the same {} {}: {}",
                        names.len(),
                        if names.len() == 1 { "other record" } else { "other records" },
                        self.name(side),
                        by.join(" and "),
                        if names.len() == 1 { "matches the same one" } else { "match the same one" },
                        names.join(", ")
                    )
                } else {
                    format!(
                        "it is not linked yet: its {} {} {} records of {}: {}",
                        by.join(" and "),
                        if by.len() == 1 { "matches" } else { "match" },
                        names.len(),
                        self.name(*on),
                        names.join(", ")
                    )
                };
            }
            _ => {}
        }
        Ok(())
    }

    pub(super) fn in_doubt(&self, held: &mut Held, write: i64) -> Result<()> {
        held.at = HeldAt::InDoubt;
        held.write = Some(write);
        if let Some(intent) = self.store.intent(write)? {
            held.since = Some(time(intent.sent_at));
            held.attempts = Some(intent.attempt);
            held.retry_at = Some(time(intent.settle_until));
            let outcome = if intent.outcome.is_empty() { "no answer" } else { intent.outcome.as_str() };
            held.reason = match intent.state {
                crate::store::IntentState::InDoubt => format!(
                    "nobody knows whether write {write} to {} took effect ({outcome}): look, and settle it with \
                     `mapengine resolve --write {write}`",
                    self.name(intent.side)
                ),
                _ => format!(
                    "write {write} to {} has no answer yet ({outcome}): a run looks it up after the settle time",
                    self.name(intent.side)
                ),
            };
        }
        Ok(())
    }

    /// Nothing happens to it: which gate, or because there is nothing to do.
    pub(super) fn nothing(
        &self,
        held: &mut Held,
        register: &Register,
        side: Side,
        record: &Record,
        change: &Change,
    ) {
        let other = side.other();
        match &change.held {
            Some(Gate::Kind) => {
                held.at = HeldAt::OtherKind;
                held.reason = match &register.ends[other].by {
                    Some(by) => format!(
                        "its {by} is {}, and no kind of record of {} is meant by that",
                        by.get(&record.data).unwrap_or(&Value::Null),
                        self.name(other)
                    ),
                    None => format!("{} of {} do not belong to it", record.at.resource, self.name(side)),
                };
            }
            Some(Gate::Scope(of)) => {
                held.at = HeldAt::OutOfScope;
                let end = &register.ends[*of];
                let found = if *of == side { Some(record.clone()) } else { self.counterpart(*of, change) };
                if let (Some(scope), Some(found)) = (&end.scope, found) {
                    held.conditions.push(self.condition(register, *of, &found, scope, &end.scope_at));
                }
                held.reason = format!("the scope of {} leaves it out", self.name(*of));
            }
            Some(Gate::Take) => self.not_taken(held, register, side, record),
            Some(Gate::Parent) => {
                held.at = HeldAt::ParentNotLinked;
                let parent = register.part_of.as_ref().map_or_else(String::new, |(parent, _)| parent.clone());
                held.reason = if change.awaits.is_empty() {
                    format!("it names no record of {parent} that it is part of")
                } else {
                    format!("the record of {parent} that it is part of is not linked")
                };
            }
            Some(Gate::CreateWhen) => {
                held.at = HeldAt::CreateWhen;
                let end = &register.ends[side];
                if let Some(when) = &end.create_when {
                    held.conditions.push(self.condition(register, side, record, when, &end.create_when_at));
                }
                held.reason =
                    format!("{} has none like it, and one is made only when this holds", self.name(other));
            }
            Some(Gate::LinkOnly) => {
                held.at = HeldAt::LinkOnly;
                held.reason = format!("{} has none like it, and the register only links", self.name(other));
            }
            Some(Gate::OneWay) => {
                held.at = HeldAt::OneWay;
                held.reason = format!("{} has none like it, and none is made there", self.name(other));
            }
            Some(Gate::Write(_) | Gate::Valid | Gate::Many { .. }) | None => match change.found {
                Found::TargetMissing | Found::SourceMissing => {
                    held.at = HeldAt::Gone;
                    held.reason = format!("its record in {} is gone", self.name(other));
                }
                _ => {
                    held.at = HeldAt::Equal;
                    held.reason = match (&held.linked_to, register.is_document) {
                        (Some(id), true) => format!(
                            "it was carried to {} as {id}: every step is done, and there is nothing to carry back",
                            self.name(other)
                        ),
                        (Some(id), false) => format!(
                            "it is linked with {id} of {}, and both are equal by the mapping",
                            self.name(other)
                        ),
                        (None, _) => "there is nothing to do".to_owned(),
                    };
                }
            },
        }
    }

    pub(super) fn counterpart(&self, side: Side, change: &Change) -> Option<Record> {
        self.decider.record(self.store, side, change.on(side)?).ok().flatten()
    }

    pub(super) fn not_taken(&self, held: &mut Held, register: &Register, side: Side, record: &Record) {
        held.at = HeldAt::NotTaken;
        let Some(document) = self.decider.program.document(&register.name) else { return };
        match (&document.take, &document.flow) {
            (Take::Role(wanted), Some(flow)) => {
                let roles = self.decider.roles_of(document);
                let status = flow.field.get(&record.data).unwrap_or(&Value::Null);
                let here = match role_of(document, &roles, &record.data) {
                    Some(role) => format!("'{}' ({role})", roles.title_of(status)),
                    None => format!("{status}, which has no role"),
                };
                held.reason = format!(
                    "its status is {here}; those that are '{}' ({wanted}) travel",
                    roles.title(wanted)
                );
                held.conditions.push(Condition {
                    text: format!("take: {wanted}"),
                    place: document.take_at.text.clone(),
                    values: BTreeMap::from([(flow.field.to_string(), clip(status))]),
                });
            }
            (Take::When(when), _) => {
                held.reason = "it travels only when this holds".to_owned();
                held.conditions.push(self.condition(register, side, record, when, &document.take_at));
            }
            _ => {}
        }
    }

    /// There is something to do: why it was not done, or how far it is.
    pub(super) fn under_way(
        &self,
        held: &mut Held,
        side: Side,
        document: Option<&Document>,
        change: &Change,
        link: Option<&Link>,
    ) {
        let other = self.name(side.other());
        held.at = HeldAt::Next;
        held.reason = match (&change.action, document) {
            (Action::Create { side, .. }, _) => {
                format!("nothing holds it: the next run makes it in {}", self.name(*side))
            }
            (Action::Link, _) => {
                let id = change.on(side.other()).map_or("", |at| at.id.as_str());
                format!("nothing holds it: the next run links it with {id} of {other}")
            }
            (Action::Delete { side }, _) => format!("the next run removes it from {}", self.name(*side)),
            (Action::Unlink, _) => "the next run forgets the link".to_owned(),
            _ => {
                let fields: Vec<String> = Side::BOTH
                    .into_iter()
                    .flat_map(|side| {
                        change.fields[side]
                            .iter()
                            .map(move |field| format!("{}.{}", self.name(side), field.path))
                    })
                    .collect();
                format!("nothing holds it: the next run writes {}", fields.join(", "))
            }
        };
        if let (Some(document), Some(link)) = (document, link) {
            let progress = Progress::of(&link.base);
            let at = progress.next(&document.steps);
            let next = at.map(|at| document.steps[at].word().to_owned());
            let step =
                Step { done: at.unwrap_or(document.steps.len()) + 1, of: document.steps.len() + 1, next };
            match (&progress.undo, &step.next) {
                (Some(undo), _) => {
                    held.at = HeldAt::OnTheWay;
                    held.reason = format!("it is being taken back from {other}: {}", undo.reason);
                }
                (None, Some(word)) => {
                    held.at = HeldAt::OnTheWay;
                    held.reason =
                        format!("it is on the way: step {} of {}, `{word}`, is next", step.done + 1, step.of);
                }
                (None, None) => {}
            }
            held.step = Some(step);
        }
        if document.is_some_and(|document| document.on_demand) && link.is_none() {
            held.at = HeldAt::OnDemand;
            held.reason =
                format!("it goes to {other} only in a run that names it: `--only {}`", held.register);
            return;
        }
        match self.run.as_ref().and_then(stopped) {
            Some(stopped) if held.at == HeldAt::OnTheWay => {
                held.reason = format!("{}; {stopped}", held.reason);
            }
            Some(stopped) => {
                held.at = HeldAt::RunStopped;
                held.reason = stopped;
            }
            None => {}
        }
    }

    /// A condition with what it saw.
    fn condition(
        &self,
        register: &Register,
        side: Side,
        record: &Record,
        condition: &Expr,
        origin: &Origin,
    ) -> Condition {
        let root = decide::seen(&self.decider.context(), side, record);
        let own = Path::key(self.name(side));
        let values = condition.uses().into_iter().map(|path| {
            let field = path.strip_prefix(&own).unwrap_or_else(|| path.clone());
            let sensitive = register.rows.iter().any(|row| row.sensitive && row.paths(side).contains(&field));
            let value = if sensitive {
                "•••".to_owned()
            } else {
                clip(path.get(&root).unwrap_or(&Value::Null))
            };
            (path.to_string(), value)
        });
        Condition {
            text: condition.source().to_owned(),
            place: origin.text.clone(),
            values: values.collect(),
        }
    }
}

/// Why a run ended before it had carried out everything, if it did.
pub(super) fn stopped(run: &RunRow) -> Option<String> {
    if run.ended.is_none() {
        return Some("the last run did not come to its end".to_owned());
    }
    let refused: Vec<&str> = run
        .report
        .get("refused")
        .and_then(Value::as_list)
        .into_iter()
        .flatten()
        .filter_map(Value::as_text)
        .collect();
    match (&refused[..], run.report.get("error").and_then(Value::as_text)) {
        ([], None) => None,
        ([], Some(error)) => Some(format!("the last run failed: {error}")),
        (reasons, _) => Some(format!("the last run was held: {}", reasons.join("; "))),
    }
}

/// A value for people, the beginning of a long one.
pub(super) fn clip(value: &Value) -> String {
    let text = match value {
        Value::List(items) => format!("{} in a list", items.len()),
        Value::Map(map) if *map == Map::new() => "nothing".to_owned(),
        other => other.to_string(),
    };
    if text.chars().count() <= SHOWN {
        return text;
    }
    text.chars().take(SHOWN).collect::<String>() + "…"
}
