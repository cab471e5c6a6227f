//! What happens to one pair of records: a pure function of the pair, its base and its candidates.
//!
//! Here is what becomes of a record without a counterpart, and what decisions are made of; pairs are compared in [`super::linked`].

use crate::diagnostic::codes;
use crate::program::expr::Expr;
use crate::program::mapping::{Apply, Computed, Register, Row, Valid};
use crate::program::system::MANY_FIT;
use crate::store::RecordRef;
use crate::value::{Map, Path, Side, Value};

use super::change::{Action, Change, FieldChange, Found, NewValue};
use super::gate::{Awaited, Gate};
use super::translate::{self, Translated, Untranslatable, View, as_many, same, values_at};

pub use super::base::base_of;
pub(super) use super::context::outside;
pub use super::context::{Context, Known, Record, holds, holds_for, in_scope, label, match_key, seen};
use super::linked::compare;
pub use super::linked::decide_linked;

/// Decides about an unlinked record.
pub fn decide_unlinked(
    context: &Context,
    register: &Register,
    side: Side,
    record: &Record,
    other: Option<&Record>,
    known: &Known,
    view: &dyn View,
) -> Change {
    let mut change = start(register, side, record);
    match outside(context, register, side, record) {
        Ok(None) => {}
        Ok(gate) => {
            change.found = Found::OutOfScope;
            change.held = gate;
            return change;
        }
        Err(reason) => return set_aside(change, "ME0902", reason),
    }
    if let Some(open) = known.open {
        return unanswered(change, open);
    }
    if let Some(change) = part_of(register, side, record, view, &change) {
        return change;
    }
    if let Some(problem) = problems(context, register, side, record, known) {
        change.held = (problem.0 == "ME0901").then_some(Gate::Valid);
        return set_aside(change, problem.0, problem.1);
    }
    if known.matches.len() > 1 || !known.rivals.is_empty() {
        change.found = Found::Ambiguous;
        let mut names: Vec<&str> = known.matches.iter().map(|one| one.id.as_str()).collect();
        let (on, records) =
            if known.matches.len() > 1 { (side.other(), &known.matches) } else { (side, &known.rivals) };
        change.held = Some(Gate::Many { side: on, records: records.clone(), entry: known.entry });
        let text = if known.matches.len() > 1 {
            format!(
                "it matches more than one record of {}: {}",
                context.program.sides[side.other()].name,
                names.join(", ")
            )
        } else {
            names = known.rivals.iter().map(|one| one.id.as_str()).collect();
            format!(
                "other records of {} match the same one: {}",
                context.program.sides[side].name,
                names.join(", ")
            )
        };
        return set_aside(
            change,
            "ME0903",
            format!("{text}. Make their match keys differ, or link the right pair by hand"),
        );
    }
    // what would not be made on the other side anyway is in nobody's way
    let lives = register.ends[side]
        .create_when
        .as_ref()
        .is_none_or(|create_when| holds(context, create_when, side, record).unwrap_or(true));
    if !lives && known.matches.is_empty() {
        change.held = Some(Gate::CreateWhen);
        return change;
    }
    if let Some((taken, linked_to)) = &known.taken {
        change.found = Found::Ambiguous;
        let reason = format!(
            "its match key belongs to {} of {}, which is linked to {linked_to} already",
            taken.id,
            context.program.sides[side.other()].name
        );
        return set_aside(change, "ME0904", reason);
    }
    match other {
        Some(other) if known.matches.len() == 1 => found(context, register, side, record, other, known, view),
        _ => {
            if let Some((half, text)) = &known.half {
                change.found = Found::Ambiguous;
                let reason = format!(
                    "{} of {} has the same {text} but not the rest of the match key: is it the same? Link them by hand, or make them differ",
                    half.id,
                    context.program.sides[side.other()].name
                );
                return set_aside(change, "ME0905", reason);
            }
            let change = absent(context, register, side, record, change, view);
            if known.partial { not_seen(context, side, change) } else { change }
        }
    }
}

/// What would be made waits where the list that it could stand in came incomplete: it may be there already.
pub(super) fn not_seen(context: &Context, side: Side, change: Change) -> Change {
    let Action::Create { resource, .. } = &change.action else { return change };
    let there = &context.program.sides[side.other()].name;
    let mut waits = Waits::default();
    waits.reasons.push(format!(
        "the list of {there} {resource} came incomplete in this run: it may be there already, and is looked for again in the next one"
    ));
    wait(change, waits)
}

pub(super) fn start(register: &Register, side: Side, record: &Record) -> Change {
    let (left, right) = match side {
        Side::Left => (Some(record.at.clone()), None),
        Side::Right => (None, Some(record.at.clone())),
    };
    let mut change = Change::new(&register.name, left, right, label(register, side, record), Found::Absent);
    change.hashes[side] = Some(record.hash.clone());
    change
}

/// A change that cannot go on.
pub fn set_aside(mut change: Change, code: &str, reason: String) -> Change {
    change.action = Action::SetAside { code: code.to_owned(), reason, refused: false };
    change.fields = Default::default();
    // nothing is written, so nothing is overwritten
    change.notes.clear();
    change
}

pub(super) fn wait(mut change: Change, waits: Waits) -> Change {
    change.action = Action::Wait { reason: waits.reasons.join("; ") };
    change.awaits = waits.records;
    change.fields = Default::default();
    change
}

/// A change whose last write has no answer yet.
pub fn unanswered(mut change: Change, write: i64) -> Change {
    change.held = Some(Gate::Write(write));
    let mut waits = Waits::default();
    let reason = format!("write {write} of it has no answer yet; it is looked up after the settle time");
    waits.add(reason, Vec::new());
    wait(change, waits)
}

/// What a record waits for: in words, and the records that are to come first.
#[derive(Default)]
pub(super) struct Waits {
    pub reasons: Vec<String>,
    pub records: Vec<Awaited>,
}

impl Waits {
    pub(super) fn add(&mut self, reason: String, records: Vec<Awaited>) {
        self.reasons.push(reason);
        self.records.extend(records);
    }
}

/// In scope only when the parent is linked: else nothing happens, and it is looked at again.
fn part_of(
    register: &Register,
    side: Side,
    record: &Record,
    view: &dyn View,
    change: &Change,
) -> Option<Change> {
    let (parent, index) = register.part_of.as_ref()?;
    let row = &register.rows[*index];
    let values = values_at(row, side, &record.data);
    let linked = !values.iter().all(Value::is_empty)
        && matches!(
            translate::translate(row, side, values.clone(), view),
            Ok(Translated::Values(_) | Translated::Reference { .. })
        );
    if linked {
        return None;
    }
    let mut change = change.clone();
    change.found = Found::OutOfScope;
    change.held = Some(Gate::Parent);
    change.stay = true;
    change.awaits = values
        .into_iter()
        .filter(|value| !value.is_empty())
        .map(|value| Awaited {
            register: parent.clone(),
            side,
            value,
            field: translate::reference_field(row, side),
        })
        .collect();
    Some(change)
}

/// The rules that a record in scope breaks, and what each says.
pub fn broken<'r>(
    context: &Context,
    register: &'r Register,
    side: Side,
    record: &Record,
) -> Vec<(&'r Valid, String)> {
    let (left, right) = match side {
        Side::Left => (Some(&record.data), None),
        Side::Right => (None, Some(&record.data)),
    };
    let mut broken = Vec::new();
    let root = context.root(left, right, Some(side));
    for valid in register.valid.iter().filter(|valid| valid.side == side) {
        match valid.that.holds(&root) {
            Ok(true) => {}
            Ok(false) => {
                let reason = valid.otherwise.render(&root).unwrap_or_else(|error| error.to_string());
                broken.push((valid, reason));
            }
            Err(error) => broken.push((valid, error.to_string())),
        }
    }
    broken
}

/// Of a field that the mapping uses, more than one child could be meant, and nothing says which: no value is taken from any.
pub(super) fn many_fit(context: &Context, side: Side, record: &Record) -> Option<(&'static str, String)> {
    let needed = context.program.needs[side].get(&record.at.resource)?;
    let end = &context.program.sides[side];
    let resource = end.system.resources.get(&record.at.resource)?;
    let (name, ids) = record.data.get(MANY_FIT)?.as_map()?.iter().find(|(name, _)| needed.contains(*name))?;
    let field = resource.fields.iter().find(|field| field.name.to_string() == *name)?;
    let ids: Vec<String> = ids.as_list()?.iter().filter_map(Value::scalar_text).collect();
    let pivot = field.pivot.as_ref()?;
    let says = match &pivot.pointer {
        Some(pointer) => format!("say in {pointer} which one counts"),
        None => "remove what is too many, or change what marks it".to_owned(),
    };
    Some((
        codes::MANY_CHILDREN.id,
        format!(
            "{} can be each of {} records ({}) of {}: {}. Nothing says which: {says}",
            field.label.as_deref().unwrap_or(name),
            ids.len(),
            pivot.resource,
            end.name,
            ids.join(", ")
        ),
    ))
}

/// What a record in scope fails to satisfy: all of it, in one text.
pub(super) fn problems(
    context: &Context,
    register: &Register,
    side: Side,
    record: &Record,
    known: &Known,
) -> Option<(&'static str, String)> {
    if let Some(problem) = many_fit(context, side, record) {
        return Some(problem);
    }
    let reasons: Vec<String> =
        broken(context, register, side, record).into_iter().map(|(_, reason)| reason).collect();
    if !reasons.is_empty() {
        return Some(("ME0901", reasons.join("; ")));
    }
    (!known.clashes.is_empty()).then(|| ("ME0906", known.clashes.join("; ")))
}

fn found(
    context: &Context,
    register: &Register,
    side: Side,
    record: &Record,
    other: &Record,
    known: &Known,
    view: &dyn View,
) -> Change {
    let (left, right) = match side {
        Side::Left => (record, other),
        Side::Right => (other, record),
    };
    let mut change = compare(context, register, left, right, &Value::Null, view, Found::Found);
    if matches!(change.action, Action::Nothing | Action::Update) {
        change.action = Action::Link;
    }
    let _ = known;
    change
}

/// Decides about a record without a match: made on the other side, or nothing.
pub(super) fn absent(
    context: &Context,
    register: &Register,
    side: Side,
    record: &Record,
    mut change: Change,
    view: &dyn View,
) -> Change {
    let to = side.other();
    if register.link_only || !register.creates[to] {
        change.held = Some(if register.link_only { Gate::LinkOnly } else { Gate::OneWay });
        return change;
    }
    if let Some(create_when) = &register.ends[side].create_when {
        match holds(context, create_when, side, record) {
            Ok(true) => {}
            Ok(false) => {
                change.held = Some(Gate::CreateWhen);
                return change;
            }
            Err(reason) => return set_aside(change, "ME0902", reason),
        }
    }
    let Some(resource) = target_resource(register, side, record) else {
        change.found = Found::OutOfScope;
        change.held = Some(Gate::Kind);
        return change;
    };
    if !register
        .member(to, &resource)
        .is_some_and(|member| member.resource.create.is_some() && member.resource.writable)
    {
        change.held = Some(Gate::OneWay);
        return change;
    }
    let mut writes = Vec::new();
    let (left, right) = match side {
        Side::Left => (Some(&record.data), None),
        Side::Right => (None, Some(&record.data)),
    };
    let root = context.root(left, right, Some(side));
    let mut waits = Waits::default();
    let mut refusals: Vec<(&'static str, String)> = Vec::new();
    // what tells the members of the other side apart is written first
    if let Some(by) = &register.ends[side].by
        && let Some(value) =
            register.member(side, &record.at.resource).and_then(|member| member.values.first())
    {
        writes.push(FieldChange {
            path: by.to_string(),
            old: Value::Null,
            new: NewValue::Value(value.clone()),
            row: "by".into(),
            origin: register.origin.text.clone(),
            reason: "kind of record".into(),
            sensitive: false,
        });
    }
    for row in applicable(&register.rows, &record.at.resource, &resource) {
        // what the other side gives by itself, and is master of, is left to it and carried back
        let given = row.master == Some(to) && row.assigned[to];
        if !row.writes[to] || row.apply == Apply::UpdateOnly || given {
            continue;
        }
        match new_values(row, side, &record.data, &root, None, view) {
            Ok(None) => {
                if demanded(row, &root)
                    && row.paths(side).iter().all(|path| path.get(&record.data).is_none_or(Value::is_empty))
                {
                    refusals.push(("ME0907", format!("{} is missing", row.labels[side])));
                }
            }
            Ok(Some(new)) => push(&mut writes, row, to, &Value::Null, new, "new"),
            Err(Untranslatable::Wait(reason, records)) => waits.add(reason, records),
            Err(Untranslatable::SetAside(code, reason)) => refusals.push((code, reason)),
            Err(Untranslatable::NoCode(missing)) => {
                refusals.push(missing.refusal());
                change.missing_codes.push(missing);
            }
        }
    }
    if let Some((code, _)) = refusals.first() {
        let code = *code;
        let text = refusals.into_iter().map(|(_, reason)| reason).collect::<Vec<_>>().join("; ");
        return set_aside(change, code, text);
    }
    if !waits.reasons.is_empty() {
        return wait(change, waits);
    }
    change.action = Action::Create { side: to, resource };
    change.fields[to] = writes;
    change
}

/// What a record gives the other side, as far as it can be said: the values of all rows that write there.
pub fn made_of(
    context: &Context,
    register: &Register,
    side: Side,
    record: &Record,
    view: &dyn View,
) -> Value {
    let to = side.other();
    let mut made = Value::Map(Map::new());
    let Some(resource) = target_resource(register, side, record) else { return made };
    let (left, right) = match side {
        Side::Left => (Some(&record.data), None),
        Side::Right => (None, Some(&record.data)),
    };
    let root = context.root(left, right, Some(side));
    for row in applicable(&register.rows, &record.at.resource, &resource) {
        if row.writes[to]
            && let Ok(Some(New::Values(values))) = new_values(row, side, &record.data, &root, None, view)
        {
            for (path, value) in row.paths(to).iter().zip(values) {
                path.set(&mut made, value);
            }
        }
    }
    made
}

/// The resource that a record becomes on the other side.
pub fn target_resource(register: &Register, side: Side, record: &Record) -> Option<String> {
    let other = &register.ends[side.other()];
    match &other.by {
        Some(by) => {
            let value = by.get(&record.data).cloned().unwrap_or_default().canonical();
            let member = other
                .members
                .iter()
                .find(|member| member.values.iter().any(|one| one.canonical() == value))?;
            Some(member.resource.name.clone())
        }
        None => other.members.first().map(|member| member.resource.name.clone()),
    }
}

/// The rows that count for a pair of resources.
pub fn applicable<'r>(rows: &'r [Row], one: &'r str, other: &'r str) -> impl Iterator<Item = &'r Row> {
    rows.iter()
        .filter(move |row| row.only.is_empty() || row.only.iter().any(|only| only == one || only == other))
}

/// What a row gives.
pub(super) enum New {
    Values(Vec<Value>),
    Reference { register: String, source: RecordRef, label: String },
}

/// What a row gives the other side of `from`; none: it is left alone. `current` are the target's values now.
pub(super) fn new_values(
    row: &Row,
    from: Side,
    source: &Value,
    root: &Value,
    current: Option<&[Value]>,
    view: &dyn View,
) -> Result<Option<New>, Untranslatable> {
    let failed = |error: &dyn std::fmt::Display| {
        Untranslatable::SetAside("ME0902", format!("{error} ({})", row.origin.text))
    };
    let count = row.paths(from.other()).len().max(1);
    if let Some(when) = &row.when
        && !when.holds(root).map_err(|error| failed(&error))?
    {
        return match &row.otherwise {
            Some(otherwise) => {
                Ok(some_values(as_many(&otherwise.eval(root).map_err(|error| failed(&error))?, count), row))
            }
            None => Ok(None),
        };
    }
    let given = match &row.computed {
        Some(Computed::Constant(value)) => vec![value.clone()],
        Some(Computed::Value(value)) => vec![value.eval(root).map_err(|error| failed(&error))?],
        Some(Computed::Template(template)) => {
            vec![Value::Text(template.render(root).map_err(|error| failed(&error))?)]
        }
        None => values_at(row, from, source),
    };
    let values = match translate::translate(row, from, given, view)? {
        Translated::Values(values) => values,
        Translated::Leave => return Ok(None),
        Translated::Reference { register, source, label } => {
            return Ok(Some(New::Reference { register, source, label }));
        }
    };
    if values.iter().all(Value::is_empty)
        && let Some(default) = &row.default
        && current.is_none_or(|current| current.iter().all(Value::is_empty))
    {
        return Ok(some_values(as_many(&default.eval(root).map_err(|error| failed(&error))?, count), row));
    }
    Ok(some_values(values, row))
}

/// Whether a row must have a value: one that does not count for this record asks for none.
pub(super) fn demanded(row: &Row, root: &Value) -> bool {
    let counts = |when: &Expr| row.otherwise.is_some() || when.holds(root).unwrap_or(true);
    row.required && row.when.as_ref().is_none_or(counts)
}

fn some_values(values: Vec<Value>, row: &Row) -> Option<New> {
    if values.iter().all(Value::is_empty) && !row.clear { None } else { Some(New::Values(values)) }
}

pub(super) fn push(
    writes: &mut Vec<FieldChange>,
    row: &Row,
    to: Side,
    target: &Value,
    new: New,
    reason: &str,
) {
    let mut add = |path: &Path, new: NewValue| {
        let old = path.get(target).cloned().unwrap_or_default();
        writes.push(FieldChange {
            path: path.to_string(),
            old,
            new,
            row: row.id.clone(),
            origin: row.origin.text.clone(),
            reason: reason.to_owned(),
            sensitive: row.sensitive,
        });
    };
    match new {
        New::Values(values) => {
            for (path, value) in row.paths(to).iter().zip(values) {
                let old = path.get(target).cloned().unwrap_or_default();
                if !same(row.compare, std::slice::from_ref(&old), std::slice::from_ref(&value))
                    || reason == "key"
                {
                    // a part that does not differ is not sent; nothing is sent for nothing in a new record
                    if !(target == &Value::Null && value.is_empty()) {
                        add(path, NewValue::Value(value));
                    }
                }
            }
        }
        New::Reference { register, source, label } => {
            if let Some(path) = row.paths(to).first() {
                add(path, NewValue::Reference { register, source, label });
            }
        }
    }
}
