//! What a decision is made from: a record as it was read, what is known of its surroundings, and what conditions may ask.

use crate::program::expr::Expr;
use crate::program::mapping::{Program, Register, Row};
use crate::program::types::Type;
use crate::store::{RecordRef, StoredRecord};
use crate::value::{Map, Side, Value};

use super::gate::Gate;
use super::translate::{self, Translated, View, normal, values_at};

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
    /// The record that holds this item went as one document before: its id.
    pub whole: Option<String>,
    /// The state may have forgotten documents that were made.
    pub forgot: bool,
    /// The list of the other side came incomplete in this run: what matches may be there and was not seen.
    pub partial: bool,
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
    // an id that a system gives its records says nothing to people
    let is_own_id = |row: &&Row| {
        Side::BOTH.iter().any(|side| match row.paths(*side) {
            [path] => register.ends[*side].members.iter().any(|member| {
                let field = member.resource.field_at(path);
                member.resource.key.contains(path) && field.is_some_and(|(field, _)| field.ty == Type::Id)
            }),
            _ => false,
        })
    };
    let match_rows = register.matching.iter().flatten().map(|index| &register.rows[*index]);
    let match_rows = match_rows.filter(|row| !is_own_id(row));
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
