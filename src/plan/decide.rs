//! What happens to one pair of records: a pure function of the pair, its base and its candidates.
//!
//! Three-way compare, row by row: what each side holds, what both last agreed on (the base), and who is the
//! master. The echo of our own writes, and what a system made of our value, are no changes, because the
//! base holds each side's value *as that side returned it*.

use crate::program::expr::Expr;
use crate::program::mapping::{
    Apply, Computed, Conflict, Program, Reaction, Register, Row, Situation, Valid,
};
use crate::store::{RecordRef, StoredRecord};
use crate::value::{Map, Path, Side, Value};

use super::change::{Action, Change, FieldChange, Found, NewValue, Note};
use super::gate::{Awaited, Gate};
use super::translate::{self, Translated, Untranslatable, View, as_many, as_one, normal, same, values_at};

/// A record of one side, as `decide` sees it.
#[derive(Clone, Debug)]
pub struct Record {
    /// Its address.
    pub at: RecordRef,
    /// Its fields, with the values of its children in place.
    pub data: Value,
    /// Its hash in the mirror.
    pub hash: String,
    /// When it changed, as its system says: for `conflict: later`.
    pub changed_at: Option<String>,
    /// The answers to the mapping's questions about records of other resources, by name.
    pub exists: Value,
}

impl Record {
    /// A record of the mirror.
    pub fn of(resource: &str, stored: StoredRecord) -> Record {
        Record {
            at: RecordRef { resource: resource.to_owned(), id: stored.row.id },
            data: stored.row.data,
            hash: stored.row.hash,
            changed_at: None,
            exists: Value::Null,
        }
    }
}

/// What the state knows beside the pair itself.
#[derive(Clone, Debug, Default)]
pub struct Known {
    /// Unlinked records of the other side that match, by the first match entry that found any.
    pub matches: Vec<RecordRef>,
    /// That entry.
    pub entry: usize,
    /// Other unlinked records of this side with the same match key.
    pub rivals: Vec<RecordRef>,
    /// A record of the other side that matches but is linked to another one.
    pub taken: Option<(RecordRef, String)>,
    /// A record that matches by half of a key of many rows.
    pub half: Option<(RecordRef, String)>,
    /// Rules about fields that no two may share, broken by this record: what to say.
    pub clashes: Vec<String>,
    /// A write of this record is under way: its number.
    pub open: Option<i64>,
    /// Both reads of this run were complete, so that "gone" may be said.
    pub complete: bool,
}

/// The context of expressions: everything but the records.
pub struct Context<'a> {
    /// The program.
    pub program: &'a Program,
    /// Singletons and keyed records that expressions read, by side: `{organization: {…}}`.
    pub facts: &'a crate::value::Both<Value>,
    /// Today and now, as texts.
    pub today: &'a str,
    /// Now, as text.
    pub now: &'a str,
}

impl Context<'_> {
    /// The value that expressions see: bare members of the source, both sides, settings, the time.
    pub fn root(&self, left: Option<&Value>, right: Option<&Value>, bare: Option<Side>) -> Value {
        let mut root = Map::new();
        let records = crate::value::Both { left, right };
        if let Some(Value::Map(map)) = bare.and_then(|side| records[side]) {
            root.extend(map.iter().map(|(key, value)| (key.clone(), value.clone())));
        }
        for side in Side::BOTH {
            let mut members = match &self.facts[side] {
                Value::Map(map) => map.clone(),
                _ => Map::new(),
            };
            if let Some(Value::Map(map)) = records[side] {
                members.extend(map.iter().map(|(key, value)| (key.clone(), value.clone())));
            }
            root.insert(self.program.sides[side].name.clone(), Value::Map(members));
        }
        root.insert("settings".into(), self.program.answers.clone());
        root.insert("today".into(), Value::text(self.today));
        root.insert("now".into(), Value::text(self.now));
        Value::Map(root)
    }
}

/// Whether a record is in the scope of its register; `Err` is the reason why that cannot be said.
pub fn in_scope(context: &Context, register: &Register, side: Side, record: &Record) -> Result<bool, String> {
    Ok(outside(context, register, side, record)?.is_none())
}

/// What keeps a record out of the scope of its register, if anything does.
pub(super) fn outside(
    context: &Context,
    register: &Register,
    side: Side,
    record: &Record,
) -> Result<Option<Gate>, String> {
    let end = &register.ends[side];
    if !end.members.iter().any(|member| member.resource.name == record.at.resource) {
        return Ok(Some(Gate::Kind));
    }
    // the other side's discriminator: a value that no member has is out of scope
    let other = &register.ends[side.other()];
    if let Some(by) = &other.by {
        let value = by.get(&record.data).cloned().unwrap_or_default();
        let known = other.members.iter().any(|member| {
            member.values.iter().any(|one| {
                normal(crate::program::mapping::Compare::Exact, one)
                    == normal(crate::program::mapping::Compare::Exact, &value)
            })
        });
        if !known {
            return Ok(Some(Gate::Kind));
        }
    }
    match &end.scope {
        Some(scope) => Ok((!holds(context, scope, side, record)?).then_some(Gate::Scope(side))),
        None => Ok(None),
    }
}

/// Whether a condition holds for one record (bare names are its fields).
pub fn holds(context: &Context, condition: &Expr, side: Side, record: &Record) -> Result<bool, String> {
    condition.holds(&seen(context, side, record)).map_err(|error| error.to_string())
}

/// What a condition over one record sees.
pub fn seen(context: &Context, side: Side, record: &Record) -> Value {
    let mut root = root_of(context, side, &record.data);
    if let (Value::Map(root), false) = (&mut root, record.exists.is_empty()) {
        root.insert("exists".into(), record.exists.clone());
    }
    root
}

/// The same for the fields of a record that need not exist yet.
pub fn holds_for(context: &Context, condition: &Expr, side: Side, data: &Value) -> Result<bool, String> {
    condition.holds(&root_of(context, side, data)).map_err(|error| error.to_string())
}

/// What an expression over one record sees.
fn root_of(context: &Context, side: Side, data: &Value) -> Value {
    let (left, right) = match side {
        Side::Left => (Some(data), None),
        Side::Right => (None, Some(data)),
    };
    context.root(left, right, Some(side))
}

/// The normal form of a record's match key for one entry, in the right side's terms; none where a part is
/// empty or has no counterpart.
pub fn match_key(
    register: &Register,
    entry: &[usize],
    side: Side,
    record: &Value,
    view: &dyn View,
) -> Option<String> {
    let mut parts = Vec::with_capacity(entry.len());
    for index in entry {
        let row = &register.rows[*index];
        let values = values_at(row, side, record);
        if values.iter().all(Value::is_empty) {
            return None;
        }
        let values = match side {
            Side::Right => values,
            Side::Left => match translate::translate(row, Side::Left, values, view) {
                Ok(Translated::Values(values)) => values,
                _ => return None,
            },
        };
        parts.push(values.iter().map(|value| normal(row.compare, value)).collect::<Vec<_>>());
    }
    Some(Value::List(parts.into_iter().map(Value::List).collect()).to_json())
}

/// What people call a record: its key and what it is matched by.
pub fn label(register: &Register, side: Side, record: &Record) -> String {
    if let Some((of, template)) = &register.called
        && *of == side
        && let Ok(text) = template.render(&record.data)
        && !text.trim().is_empty()
    {
        return text.split_whitespace().collect::<Vec<_>>().join(" ");
    }
    let mut parts: Vec<String> = Vec::new();
    let mut add = |value: &Value| {
        if let Some(text) = value.scalar_text()
            && !text.is_empty()
            && !parts.contains(&text)
            && parts.len() < 3
        {
            parts.push(text);
        }
    };
    let key_rows = register.rows.iter().filter(|row| row.key);
    let match_rows = register.matching.iter().flatten().map(|index| &register.rows[*index]);
    let named = register.rows.iter().filter(|row| row.required);
    for row in key_rows.chain(match_rows).chain(named) {
        for path in row.paths(side) {
            if !row.sensitive {
                add(path.get(&record.data).unwrap_or(&Value::Null));
            }
        }
    }
    if parts.is_empty() { record.at.id.clone() } else { parts.join(" ") }
}

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
            absent(context, register, side, record, change, view)
        }
    }
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

/// What a record in scope fails to satisfy: all of it, in one text.
pub(super) fn problems(
    context: &Context,
    register: &Register,
    side: Side,
    record: &Record,
    known: &Known,
) -> Option<(&'static str, String)> {
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
                if row.required
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

/// Decides about two linked records, either of which may be gone.
pub fn decide_linked(
    context: &Context,
    register: &Register,
    left: Option<&Record>,
    right: Option<&Record>,
    base: &Value,
    known: &Known,
    view: &dyn View,
) -> Change {
    match (left, right) {
        (Some(left), Some(right)) => {
            let mut change = linked_start(register, left, right, Found::Linked);
            if let Some(open) = known.open {
                return unanswered(change, open);
            }
            for (side, record) in [(Side::Left, left), (Side::Right, right)] {
                match outside(context, register, side, record) {
                    Ok(None) => {}
                    Ok(gate) => {
                        change.found = Found::OutOfScope;
                        change.held = gate;
                        match register.situations.get(&Situation::OutOfScope) {
                            Some(Reaction::Unlink) => change.action = Action::Unlink,
                            Some(Reaction::SetAside) => {
                                return set_aside(
                                    change,
                                    "ME0908",
                                    "it left the scope of the mapping".into(),
                                );
                            }
                            _ => {}
                        }
                        return change;
                    }
                    Err(reason) => return set_aside(change, "ME0902", reason),
                }
            }
            for (side, record) in [(Side::Left, left), (Side::Right, right)] {
                if let Some((code, reason)) = problems(context, register, side, record, known) {
                    change.held = (code == "ME0901").then_some(Gate::Valid);
                    return set_aside(change, code, reason);
                }
            }
            compare(context, register, left, right, base, view, Found::Linked)
        }
        (left, right) => gone(context, register, left, right, known),
    }
}

fn gone(
    context: &Context,
    register: &Register,
    left: Option<&Record>,
    right: Option<&Record>,
    known: &Known,
) -> Change {
    let (here, record) = match (left, right) {
        (Some(left), _) => (Side::Left, Some(left)),
        (None, right) => (Side::Right, right),
    };
    let missing = here.other();
    let Some(record) = record else {
        let mut change = Change::new(&register.name, None, None, String::new(), Found::SourceMissing);
        change.action = Action::Unlink;
        return change;
    };
    let mut change = start(register, here, record);
    // without a master both sides are targets; with one, the master's side is the source
    let source_gone = register.master == Some(missing);
    change.found = if source_gone { Found::SourceMissing } else { Found::TargetMissing };
    if !known.complete {
        return change;
    }
    let situation = if source_gone { Situation::SourceMissing } else { Situation::TargetMissing };
    match register.situations.get(&situation) {
        Some(Reaction::Nothing) => change,
        Some(Reaction::Unlink) => {
            change.action = Action::Unlink;
            change
        }
        Some(Reaction::Delete) => {
            change.action = Action::Delete { side: here };
            change
        }
        Some(Reaction::SetAside) => {
            let reason = format!("its record in {} is gone", context.program.sides[missing].name);
            set_aside(change, "ME0909", reason)
        }
        None if source_gone => change,
        None => {
            let reason = format!(
                "its record in {} is gone. It is not made again by itself: forget the link with `mapengine resolve`, or restore the record",
                context.program.sides[missing].name
            );
            set_aside(change, "ME0909", reason)
        }
    }
}

fn linked_start(register: &Register, left: &Record, right: &Record, found: Found) -> Change {
    let mut text = label(register, Side::Left, left);
    if text == left.at.id {
        text = label(register, Side::Right, right);
    }
    let mut change = Change::new(&register.name, Some(left.at.clone()), Some(right.at.clone()), text, found);
    change.hashes.left = Some(left.hash.clone());
    change.hashes.right = Some(right.hash.clone());
    change
}

/// Compares two existing records row by row.
fn compare(
    context: &Context,
    register: &Register,
    left: &Record,
    right: &Record,
    base: &Value,
    view: &dyn View,
    found: Found,
) -> Change {
    let mut change = linked_start(register, left, right, found);
    if found == Found::Linked
        && let Some(reason) = key_changed(context, register, left, right, base, view)
    {
        change.found = Found::KeyChanged;
        return set_aside(change, "ME0920", reason);
    }
    if register.link_only {
        return change;
    }
    let mut compared = Comparison {
        context,
        register,
        left,
        right,
        base,
        view,
        found,
        change,
        waits: Waits::default(),
        refusals: Vec::new(),
    };
    for row in applicable(&register.rows, &left.at.resource, &right.at.resource) {
        compared.row(row);
    }
    let Comparison { mut change, waits, refusals, .. } = compared;
    if let Some((code, _)) = refusals.first() {
        let code = code.clone();
        let text = refusals.into_iter().map(|(_, reason)| reason).collect::<Vec<_>>().join("; ");
        return set_aside(change, &code, text);
    }
    if !waits.reasons.is_empty() {
        return wait(change, waits);
    }
    if !change.fields.left.is_empty() || !change.fields.right.is_empty() {
        change.action = Action::Update;
    }
    change
}

/// A match key that differs on linked records (F-5): a serious error on this record, nothing else stops.
fn key_changed(
    context: &Context,
    register: &Register,
    left: &Record,
    right: &Record,
    base: &Value,
    view: &dyn View,
) -> Option<String> {
    // what tells the members apart counts as a key
    for side in Side::BOTH {
        let (record, other) = if side == Side::Left { (left, right) } else { (right, left) };
        if register.ends[side.other()].by.is_some()
            && target_resource(register, side, record).as_deref() != Some(other.at.resource.as_str())
        {
            return Some(format!(
                "it changed its kind in {} while it is linked to a {} of {}: change it back",
                context.program.sides[side].name,
                other.at.resource,
                context.program.sides[side.other()].name
            ));
        }
    }
    for row in register.rows.iter().filter(|row| row.key) {
        if base.get(&row.id).is_none() {
            continue;
        }
        let here = values_at(row, Side::Left, &left.data);
        let there = values_at(row, Side::Right, &right.data);
        let equal = match translate::translate(row, Side::Left, here.clone(), view) {
            Ok(Translated::Values(values)) => same(row.compare, &values, &there),
            _ => false,
        };
        if !equal {
            return Some(format!(
                "{} is {} in {} and {} in {}, but the two are linked by it: change it back, or forget the link with `mapengine resolve` ({})",
                row.labels[Side::Left],
                as_one(here),
                context.program.sides[Side::Left].name,
                as_one(there),
                context.program.sides[Side::Right].name,
                row.origin.text
            ));
        }
    }
    None
}

struct Comparison<'a> {
    context: &'a Context<'a>,
    register: &'a Register,
    left: &'a Record,
    right: &'a Record,
    base: &'a Value,
    view: &'a dyn View,
    found: Found,
    change: Change,
    waits: Waits,
    refusals: Vec<(String, String)>,
}

impl Comparison<'_> {
    fn record(&self, side: Side) -> &Record {
        match side {
            Side::Left => self.left,
            Side::Right => self.right,
        }
    }

    fn row(&mut self, row: &Row) {
        if row.is_two_sided() {
            self.two_sided(row);
        } else if row.computed.is_some() {
            for to in Side::BOTH {
                if row.writes[to] && !row.paths(to).is_empty() {
                    self.computed(row, to);
                }
            }
        }
    }

    fn based(&self, row: &Row) -> Option<(Value, Value)> {
        let pair = self.base.get(&row.id)?.as_list()?;
        Some((pair.first().cloned().unwrap_or_default(), pair.get(1).cloned().unwrap_or_default()))
    }

    /// Two values and their base: the heart of it.
    fn two_sided(&mut self, row: &Row) {
        let here = values_at(row, Side::Left, &self.left.data);
        let there = values_at(row, Side::Right, &self.right.data);
        let Some((base_left, base_right)) = self.based(row) else {
            self.first_meeting(row, &here, &there);
            return;
        };
        let left_changed = !same(row.compare, &here, &as_many(&base_left, here.len()));
        let right_changed = !same(row.compare, &there, &as_many(&base_right, there.len()));
        match (left_changed, right_changed) {
            (false, false) => {}
            (true, false) => self.one_changed(row, Side::Left),
            (false, true) => self.one_changed(row, Side::Right),
            (true, true) => {
                if !self.equal(row, &here, &there) {
                    self.conflict(row, here, there);
                }
            }
        }
    }

    fn equal(&self, row: &Row, here: &[Value], there: &[Value]) -> bool {
        matches!(
            translate::translate(row, Side::Left, here.to_vec(), self.view),
            Ok(Translated::Values(values)) if same(row.compare, &values, there)
        ) || matches!(
            translate::translate(row, Side::Right, there.to_vec(), self.view),
            Ok(Translated::Values(values)) if same(row.compare, here, &values)
        )
    }

    /// Only `changed` differs from the base: its value is carried, or the master's is put back.
    fn one_changed(&mut self, row: &Row, changed: Side) {
        let here = values_at(row, Side::Left, &self.left.data);
        let there = values_at(row, Side::Right, &self.right.data);
        if self.equal(row, &here, &there) {
            return;
        }
        let to = changed.other();
        match row.master {
            Some(master) if master != changed && row.writes[changed] && row.apply == Apply::Always => {
                let lost = as_one(values_at(row, changed, &self.record(changed).data));
                self.note_lost(row, changed, lost, "changed where it is not the master");
                self.carry(row, master, "put back: the master has another value");
            }
            _ if row.writes[to] => {
                let source = values_at(row, changed, &self.record(changed).data);
                if source.iter().all(Value::is_empty) && !row.clear {
                    self.change.notes.push(Note {
                        kind: "cleared".into(),
                        text: format!(
                            "{} was emptied in {}; {} keeps its value (the row does not say `clear: true`)",
                            row.labels[changed],
                            self.context.program.sides[changed].name,
                            self.context.program.sides[to].name
                        ),
                        lost: Value::Null,
                    });
                } else {
                    self.carry(row, changed, "changed");
                }
            }
            _ => {}
        }
    }

    fn conflict(&mut self, row: &Row, here: Vec<Value>, there: Vec<Value>) {
        let winner = row.master.or_else(|| match row.conflict {
            Conflict::Later => match (&self.left.changed_at, &self.right.changed_at) {
                (Some(left), Some(right)) if left > right => Some(Side::Left),
                (Some(left), Some(right)) if right > left => Some(Side::Right),
                _ => None,
            },
            Conflict::SetAside => None,
        });
        match winner {
            Some(winner) if row.writes[winner.other()] => {
                let lost = if winner == Side::Left { as_one(there) } else { as_one(here) };
                self.note_lost(row, winner.other(), lost, "changed on both sides");
                self.carry(row, winner, "changed on both sides: the master counts");
            }
            Some(_) => {}
            None => {
                self.change.keep_base.push(row.id.clone());
                let shown =
                    |value: Value| if row.sensitive { "•••".to_owned() } else { value.to_string() };
                self.refusals.push((
                    "ME0921".into(),
                    format!(
                        "{} was changed on both sides: {} in {}, {} in {}. Make them equal, or give the row a `master` ({})",
                        row.labels[Side::Left],
                        shown(as_one(here)),
                        self.context.program.sides[Side::Left].name,
                        shown(as_one(there)),
                        self.context.program.sides[Side::Right].name,
                        row.origin.text
                    ),
                ));
            }
        }
    }

    fn note_lost(&mut self, row: &Row, side: Side, lost: Value, why: &str) {
        let lost = if row.sensitive { Value::text("•••") } else { lost };
        self.change.notes.push(Note {
            kind: "conflict".into(),
            text: format!(
                "{} {why}: {lost} of {} is overwritten",
                row.labels[side], self.context.program.sides[side].name
            ),
            lost,
        });
    }

    /// No base: two existing records meet for the first time, or the row is new (`decisions` 9, 15).
    fn first_meeting(&mut self, row: &Row, here: &[Value], there: &[Value]) {
        // what counts only when a record is made is not compared
        if row.apply == Apply::CreateOnly || self.equal(row, here, there) {
            return;
        }
        let empty_left = here.iter().all(Value::is_empty);
        let empty_right = there.iter().all(Value::is_empty);
        let from = match row.master.or(self.register.adopt) {
            Some(side) => {
                let empty = if side == Side::Left { empty_left } else { empty_right };
                // an empty master does not empty the other side: it is filled from it
                Some(if empty && !row.clear { side.other() } else { side })
            }
            None if empty_left && !empty_right => Some(Side::Right),
            None if empty_right && !empty_left => Some(Side::Left),
            None => None,
        };
        match from {
            Some(from) if row.writes[from.other()] => {
                let reason = if self.found == Found::Found { "first meeting" } else { "the row is new" };
                self.carry(row, from, reason);
            }
            Some(_) => {}
            None => {
                let shown = |values: &[Value]| {
                    if row.sensitive { "•••".to_owned() } else { as_one(values.to_vec()).to_string() }
                };
                self.change.notes.push(Note {
                    kind: "differs".into(),
                    text: format!(
                        "{} differs at the first meeting and is left alone: {} in {}, {} in {}. Say `adopt:` whose value counts",
                        row.labels[Side::Left],
                        shown(here),
                        self.context.program.sides[Side::Left].name,
                        shown(there),
                        self.context.program.sides[Side::Right].name
                    ),
                    lost: Value::Null,
                });
            }
        }
    }

    /// Writes the value of `from` to the other side, by the row's rules.
    fn carry(&mut self, row: &Row, from: Side, reason: &str) {
        let to = from.other();
        let target = self.record(to).data.clone();
        let current = values_at(row, to, &target);
        if row.create_only[to] {
            self.change.notes.push(Note {
                kind: "fixed".into(),
                text: format!(
                    "{} differs, but {} of {} can be given when a record is made only",
                    row.labels[from], row.labels[to], self.context.program.sides[to].name
                ),
                lost: Value::Null,
            });
            return;
        }
        match row.apply {
            Apply::CreateOnly => return,
            Apply::IfEmpty if !current.iter().all(Value::is_empty) => return,
            _ => {}
        }
        let root = self.context.root(Some(&self.left.data), Some(&self.right.data), Some(from));
        let source = self.record(from).data.clone();
        match new_values(row, from, &source, &root, Some(&current), self.view) {
            Ok(None) => {
                if row.required && values_at(row, from, &source).iter().all(Value::is_empty) {
                    self.refusals.push(("ME0907".into(), format!("{} is missing", row.labels[from])));
                }
            }
            Ok(Some(new)) => push(&mut self.change.fields[to], row, to, &target, new, reason),
            Err(Untranslatable::Wait(reason, records)) => self.waits.add(reason, records),
            Err(Untranslatable::SetAside(code, reason)) => self.refusals.push((code.to_owned(), reason)),
            Err(Untranslatable::NoCode(missing)) => {
                let (code, reason) = missing.refusal();
                self.refusals.push((code.to_owned(), reason));
                self.change.missing_codes.push(missing);
            }
        }
    }

    /// A computed value on `to`: its source side is its master by nature.
    fn computed(&mut self, row: &Row, to: Side) {
        let first = self.found == Found::Found || self.based(row).is_none();
        match row.apply {
            Apply::CreateOnly => return,
            Apply::UpdateOnly | Apply::Always | Apply::IfEmpty => {}
        }
        let from = to.other();
        let target = self.record(to).data.clone();
        let current = values_at(row, to, &target);
        if row.apply == Apply::IfEmpty && !current.iter().all(Value::is_empty) {
            return;
        }
        let root = self.context.root(Some(&self.left.data), Some(&self.right.data), Some(from));
        let source = self.record(from).data.clone();
        match new_values(row, from, &source, &root, Some(&current), self.view) {
            Ok(None) => {}
            Ok(Some(New::Values(values))) => {
                if same(row.compare, &values, &current) {
                    return;
                }
                if let Some((left, right)) = self.based(row) {
                    let (wanted, stood) = if to == Side::Left { (right, left) } else { (left, right) };
                    // what the system made of our value is no change
                    if !first
                        && same(row.compare, &values, &as_many(&wanted, values.len()))
                        && same(row.compare, &current, &as_many(&stood, current.len()))
                    {
                        return;
                    }
                }
                push(&mut self.change.fields[to], row, to, &target, New::Values(values), "by the rule");
            }
            Ok(Some(new)) => push(&mut self.change.fields[to], row, to, &target, new, "by the rule"),
            Err(Untranslatable::Wait(reason, records)) => self.waits.add(reason, records),
            Err(Untranslatable::SetAside(code, reason)) => self.refusals.push((code.to_owned(), reason)),
            Err(Untranslatable::NoCode(missing)) => {
                let (code, reason) = missing.refusal();
                self.refusals.push((code.to_owned(), reason));
                self.change.missing_codes.push(missing);
            }
        }
    }
}

/// The base of a pair: what both sides hold now, row by row; rows named in `keep` stay as they were.
pub fn base_of(
    context: &Context,
    register: &Register,
    left: &Record,
    right: &Record,
    old: &Value,
    keep: &[String],
    view: &dyn View,
) -> Value {
    let mut base = Map::new();
    for row in applicable(&register.rows, &left.at.resource, &right.at.resource) {
        if keep.contains(&row.id) {
            if let Some(before) = old.get(&row.id) {
                base.insert(row.id.clone(), before.clone());
            }
            continue;
        }
        let mut pair = [
            as_one(values_at(row, Side::Left, &left.data)),
            as_one(values_at(row, Side::Right, &right.data)),
        ];
        if row.computed.is_some() {
            for to in Side::BOTH {
                if row.writes[to] && !row.paths(to).is_empty() {
                    let root = context.root(Some(&left.data), Some(&right.data), Some(to.other()));
                    let source = if to == Side::Left { &right.data } else { &left.data };
                    let wanted = match new_values(row, to.other(), source, &root, None, view) {
                        Ok(Some(New::Values(values))) => as_one(values),
                        _ => Value::Null,
                    };
                    pair[to.other().index()] = wanted;
                }
            }
        }
        base.insert(row.id.clone(), Value::List(pair.to_vec()));
    }
    Value::Map(base)
}
