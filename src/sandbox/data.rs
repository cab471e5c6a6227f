//! The records of a stand-in: how they are completed, checked and kept.

use std::collections::BTreeMap;
use std::sync::Arc;

use indexmap::IndexMap;
use uuid::Uuid;

use super::calls::within;
use super::kinds::{checked, field_at, flat};
use super::remains::is_left;
use super::stand::Stand;
use super::table::{Series, id_for, index_text};
use crate::program::system::{Assigned, Field, Resource, System, Zone};
use crate::program::types::Type;
use crate::value::{Map, Path, Value};
use crate::wire::{LookupProblem, Lookups};

/// The namespace of made-up ids: the same seed gives the same ones.
const IDS: Uuid = Uuid::from_u128(0x6d61_7065_6e67_696e_6500_7361_6e64_626f);
/// Where a series begins that has no number yet.
const BEFORE_FIRST: Series = Series { prefix: String::new(), width: 5, number: 10000 };

/// Why a record is not kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Problem {
    /// 400, or 409 where something of the kind is there already.
    pub status: u16,
    pub text: String,
}

/// A record of a data file, split into itself and its children.
struct Prepared {
    resource: Arc<Resource>,
    own: Value,
    children: Vec<Child>,
    label: String,
}

/// A child that a record is given with, at one pivot field or more.
struct Child {
    part: String,
    /// What was given, before it was told apart from other children.
    given: Value,
    record: Value,
}

impl Stand {
    /// A stand-in with records by field names. What is left out is made up.
    ///
    /// # Errors
    /// Everything that is wrong with the records, with the resource and record it is about.
    pub fn new(
        system: Arc<System>,
        credentials: &BTreeMap<String, String>,
        records: &IndexMap<String, Vec<Value>>,
        now_ms: i64,
    ) -> Result<Stand, Vec<String>> {
        Stand::seeded(system, credentials, records, now_ms, 1)
    }

    /// As [`Stand::new`], with a seed for made-up ids and for faults with a percentage.
    ///
    /// # Errors
    /// As there.
    pub fn seeded(
        system: Arc<System>,
        credentials: &BTreeMap<String, String>,
        records: &IndexMap<String, Vec<Value>>,
        now_ms: i64,
        seed: u64,
    ) -> Result<Stand, Vec<String>> {
        let mut stand = Stand::bare(Arc::clone(&system), credentials, now_ms, seed);
        let mut problems = Vec::new();
        let mut all = Vec::new();
        let (files, records): (Vec<_>, Vec<_>) = records.iter().partition(|(name, _)| name.contains('.'));
        for (name, records) in records {
            let Some(resource) = system.resources.get(name) else {
                problems.push(format!("{} has no resource {name}", system.name));
                continue;
            };
            for (i, record) in records.iter().enumerate() {
                let label = format!("{name} {}: ", i + 1);
                match prepared(&system, resource, record, label.clone()) {
                    Ok(one) => all.push(one),
                    Err(found) => problems.extend(found.into_iter().map(|text| format!("{label}{text}"))),
                }
            }
        }
        // numbers that are given come before those that are made up, whatever the order
        for one in &all {
            stand.learn(&one.resource, &one.own);
        }
        let rows: Vec<_> = all.into_iter().flat_map(|one| stand.place(one)).collect();
        // only now is everything there that a record can refer to
        for (resource, row, label) in rows {
            let found = stand.problems_at(&resource, row);
            problems.extend(found.into_iter().map(|problem| format!("{label}{}", problem.text)));
        }
        // a singleton that nobody gave is there all the same
        for resource in system.resources.values().filter(|resource| resource.singleton) {
            if stand.table(resource).len() == 0 {
                let record = stand.completed(resource, Value::Map(Map::new()), true);
                stand.table_mut(resource).insert(resource, record);
            }
        }
        for (name, files) in files {
            problems.extend(stand.give_files(name, files));
        }
        if problems.is_empty() { Ok(stand) } else { Err(problems) }
    }

    /// Puts a record there, as a person would in the system's own screen.
    ///
    /// # Errors
    /// Everything that is wrong with it; then nothing is kept.
    pub fn insert(&mut self, resource: &Arc<Resource>, record: &Value) -> Result<(), Vec<String>> {
        let one = prepared(&self.system, resource, record, String::new())?;
        self.tick(1000);
        let rows = self.place(one);
        let mut problems = Vec::new();
        for (resource, row, label) in &rows {
            let found = self.problems_at(resource, *row);
            problems.extend(found.into_iter().map(|problem| format!("{label}{}", problem.text)));
        }
        if problems.is_empty() {
            return Ok(());
        }
        for (resource, row, _) in rows {
            self.table_mut(&resource).remove(&resource, row);
        }
        Err(problems)
    }

    /// Completes a record and its children, and puts them there unchecked.
    fn place(&mut self, one: Prepared) -> Vec<(Arc<Resource>, u64, String)> {
        let Prepared { resource, own, children, label } = one;
        if is_left(&resource, &own) {
            let left = self.stamped(&resource, own, true);
            self.table_mut(&resource).insert_left(left);
            return Vec::new();
        }
        let record = self.completed(&resource, own, true);
        let key = resource.key.first().and_then(|field| field.get(&record)).cloned().unwrap_or_default();
        let row = self.table_mut(&resource).insert(&resource, record);
        let mut rows = vec![(Arc::clone(&resource), row, label.clone())];
        for child in children {
            let Some(part) = resource.parts.get(&child.part) else { continue };
            let Some(of) = self.system.resources.get(&part.resource).cloned() else { continue };
            let mut record = child.record;
            let by = of.field_at(&part.by).map(|(field, _)| &field.ty);
            // a parent's key is written as its child's field wants it
            let key = match (by, &key) {
                (Some(Type::Text | Type::Id), Value::Number(_)) => {
                    Value::Text(index_text(&key).unwrap_or_default())
                }
                _ => key.clone(),
            };
            part.by.set(&mut record, key);
            let record = self.completed(&of, record, true);
            let row = self.table_mut(&of).insert(&of, record);
            rows.push((of, row, format!("{label}{}: ", child.part)));
        }
        rows
    }

    /// Completes and checks a record that the API was given, and keeps it.
    ///
    /// # Errors
    /// Everything that is wrong with it.
    pub(super) fn keep(
        &mut self,
        resource: &Arc<Resource>,
        record: Value,
        row: Option<u64>,
    ) -> Result<(u64, Value), Vec<Problem>> {
        let creating = row.is_none();
        let record = match creating {
            true => self.completed(resource, record, false),
            false => self.stamped(resource, record, false),
        };
        let problems = self.problems(resource, &record, row);
        if !problems.is_empty() {
            return Err(problems);
        }
        self.learn(resource, &record);
        let row = match row {
            Some(row) => {
                self.table_mut(resource).replace(resource, row, record.clone());
                if is_left(resource, &record) {
                    // a change that says that it is removed removes it
                    self.table_mut(resource).remove(resource, row);
                    self.table_mut(resource).bury(row, record.clone());
                }
                row
            }
            None => self.table_mut(resource).insert(resource, record.clone()),
        };
        Ok((row, record))
    }

    /// Ids, numbers and times of a new record, and (`by_hand`) what its fields begin with.
    fn completed(&mut self, resource: &Arc<Resource>, mut record: Value, by_hand: bool) -> Value {
        let made = self.made.entry(resource.name.clone()).or_default();
        *made += 1;
        let name = format!("{}/{}/{}/{made}", self.seed, self.system.name, resource.name);
        for field in &resource.fields {
            if field.pivot.is_some() || field.name.get(&record).is_some_and(|value| !value.is_empty()) {
                continue;
            }
            if let Some(value) = field.on_create.as_ref().filter(|_| by_hand) {
                field.name.set(&mut record, value.clone());
                continue;
            }
            let is_key =
                resource.key.contains(&field.name) || resource.identity.as_ref() == Some(&field.name);
            let given_by_server = is_key && (field.read_only || field.write.is_none());
            let numbered = matches!(field.assigned, Some(Assigned::BySeries | Assigned::IfMissing));
            match &field.ty {
                Type::Id if is_key => {
                    let id = Uuid::new_v5(&IDS, name.as_bytes()).to_string();
                    field.name.set(&mut record, Value::Text(id));
                }
                Type::Integer if is_key || field.assigned.is_some() => {
                    let number = self.number(resource, field, Series { number: 0, width: 1, ..BEFORE_FIRST });
                    let number = number.parse::<i64>().unwrap_or(i64::MAX);
                    field.name.set(&mut record, Value::from(number));
                }
                _ if numbered || given_by_server && field.ty == Type::Text => {
                    let number = self.number(resource, field, BEFORE_FIRST);
                    field.name.set(&mut record, Value::Text(number));
                }
                _ => {}
            }
        }
        self.worked_out(resource, &mut record);
        let record = self.stamped(resource, record, true);
        self.learn(resource, &record);
        record
    }

    /// What a real server works out by itself, as the system file says for the stand-in: totals, balances.
    fn worked_out(&self, resource: &Resource, record: &mut Value) {
        for field in &resource.fields {
            let one_item =
                matches!(field.ty, Type::List(_)) && field.fields.iter().any(|of| of.sandbox.is_some());
            if field.sandbox.is_none() && !one_item
                || field.name.get(record).is_some_and(|value| !value.is_empty())
            {
                continue;
            }
            let mut root = record.as_map().cloned().unwrap_or_default();
            let now = jiff::Timestamp::from_millisecond(self.now_ms).unwrap_or_default().to_string();
            root.insert("today".into(), Value::text(now.get(..10).unwrap_or_default()));
            let root = Value::Map(root);
            let worked =
                |field: &Field| field.sandbox.as_ref().and_then(|expression| expression.eval(&root).ok());
            let value = match one_item {
                true => {
                    let mut item = Value::Map(Map::new());
                    for of in &field.fields {
                        of.name.set(&mut item, worked(of).unwrap_or_default());
                    }
                    Some(Value::List(vec![item]))
                }
                false => worked(field),
            };
            // one that cannot be worked out is left empty, as a server would leave it
            if let Some(value) = value {
                field.name.set(record, value);
            }
        }
    }

    /// The next number of a field's series.
    fn number(&mut self, resource: &Resource, field: &Field, before: Series) -> String {
        let series = &self.table(resource).series;
        series.get(&field.name.to_string()).unwrap_or(&before).next()
    }

    /// Remembers the numbers of a record, so that none of them is given again.
    pub(super) fn learn(&mut self, resource: &Resource, record: &Value) {
        for field in &resource.fields {
            let is_key =
                resource.key.contains(&field.name) || resource.identity.as_ref() == Some(&field.name);
            if field.pivot.is_some() || !is_key && field.assigned.is_none() {
                continue;
            }
            let Some(one) = field.name.get(record).and_then(index_text).as_deref().and_then(Series::of)
            else {
                continue;
            };
            let series = &mut self.table_mut(resource).series;
            let name = field.name.to_string();
            if series.get(&name).is_none_or(|largest| one.is_after(largest)) {
                series.insert(name, one);
            }
        }
    }

    /// When a record was made and changed.
    pub(super) fn stamped(&self, resource: &Resource, mut record: Value, creating: bool) -> Value {
        super::versions::count_up(resource, &mut record);
        let Some(cursor) = &resource.cursor else { return record };
        let Ok(now) = jiff::Timestamp::from_millisecond(self.now_ms) else { return record };
        let text = match self.system.times.zone {
            Zone::None => now.to_zoned(jiff::tz::TimeZone::UTC).datetime().to_string(),
            Zone::Offset | Zone::Utc => now.to_string(),
        };
        // of more than one field the first is set by a change, the last by the making
        let field = if creating { cursor.fields.last() } else { cursor.fields.first() };
        if let Some(field) = field
            && (!creating || field.get(&record).is_none_or(Value::is_empty))
        {
            field.set(&mut record, Value::Text(text));
        }
        record
    }

    /// What is wrong with a record that is there already.
    fn problems_at(&self, resource: &Resource, row: u64) -> Vec<Problem> {
        match self.table(resource).get(row) {
            Some(record) => self.problems(resource, record, Some(row)),
            None => Vec::new(),
        }
    }

    /// What is wrong with a record in the company of the others.
    pub(super) fn problems(&self, resource: &Resource, record: &Value, row: Option<u64>) -> Vec<Problem> {
        let mut problems = Vec::new();
        let mut wrong = |status, text| problems.push(Problem { status, text });
        let table = self.table(resource);
        // what nobody reads needs no key
        let keyless = resource.key.is_empty() && resource.is_write_only();
        if id_for(resource, record).is_none() && !keyless {
            wrong(400, format!("{} has no key", resource.name));
        }
        if !within(resource, record) {
            wrong(400, format!("it is no {}: its scope does not hold", resource.name));
        }
        if let (true, Some(key)) = (resource.key.len() > 1, resource.key_of(record))
            && table.by_key(&key).is_some_and(|other| row != Some(other))
        {
            wrong(409, format!("{} {key} is there already", resource.name));
        }
        for field in &resource.fields {
            let Some(text) = field.name.get(record).and_then(index_text) else { continue };
            let only_key =
                resource.key == [field.name.clone()] || resource.id_fields() == [field.name.clone()];
            if (field.unique || only_key)
                && table.with(&field.name, &text).iter().any(|other| row != Some(*other))
            {
                wrong(409, format!("{} {text} is there already", field.name));
            }
            if let Some(reference) = &field.reference
                && let Some(of) = self.system.resources.get(&reference.resource)
                && self.table(of).with(&reference.field, &text).is_empty()
            {
                wrong(400, format!("{}: there is no {} {text}", field.name, reference.resource));
            }
            if let Some(lookup) = &field.lookup
                && let Some(value) = field.name.get(record)
                && Lookups::find(self, lookup, value) == Err(LookupProblem::None)
            {
                wrong(400, format!("{}: there is no {} {value}", field.name, lookup.target.resource));
            }
        }
        problems
    }
}

/// A record of a data file by its parts, checked as far as it can be alone.
fn prepared(
    system: &System,
    resource: &Arc<Resource>,
    record: &Value,
    label: String,
) -> Result<Prepared, Vec<String>> {
    let Some(map) = record.as_map() else { return Err(vec!["a record is a map".into()]) };
    let mut problems = Vec::new();
    let mut own = Value::Map(Map::new());
    let mut pivots: IndexMap<String, Value> = IndexMap::new();
    for (path, value) in flat(resource, &Path::root(), map) {
        let value = match checked(system, resource, &path, &value) {
            Ok(value) => value,
            Err(found) => {
                problems.extend(found.iter().map(ToString::to_string));
                continue;
            }
        };
        match field_at(resource, &path).filter(|(field, _)| field.pivot.is_some()) {
            Some(_) if value.is_empty() => {}
            Some((field, rest)) => rest.set(pivots.entry(field.name.to_string()).or_default(), value),
            None => path.set(&mut own, value),
        }
    }
    if is_left(resource, &own) && resource.id_of(&own).is_none() {
        problems.push("what is left of a removed record needs its key".into());
    }
    if !problems.is_empty() {
        return Err(problems);
    }
    let mut children: Vec<Child> = Vec::new();
    for (name, given) in pivots {
        let Some(pivot) = resource.field(&name).and_then(|field| field.pivot.as_ref()) else { continue };
        if let (true, Value::List(items)) = (pivot.many, &given) {
            for item in items {
                let mut record = item.clone();
                for (at, constant) in &pivot.only_where {
                    at.set(&mut record, constant.clone());
                }
                children.push(Child { part: pivot.part.clone(), given: item.clone(), record });
            }
            continue;
        }
        // equal children are one, unless something must tell them apart: billing and postal address in one
        let twin = children.iter_mut().find(|other| {
            other.part == pivot.part
                && pivot.value.is_none()
                && other.given.canonical() == given.canonical()
                && pivot.only_where.iter().all(|(at, constant)| {
                    at.get(&other.record).is_none_or(|there| there.is_empty() || there == constant)
                })
        });
        let child = match twin {
            Some(twin) => twin,
            None => {
                let record = match &pivot.value {
                    Some(at) => {
                        let mut record = Value::Map(Map::new());
                        at.set(&mut record, given.clone());
                        record
                    }
                    None => given.clone(),
                };
                children.push(Child { part: pivot.part.clone(), given, record });
                let Some(last) = children.last_mut() else { continue };
                last
            }
        };
        for (at, constant) in &pivot.only_where {
            at.set(&mut child.record, constant.clone());
        }
    }
    Ok(Prepared { resource: Arc::clone(resource), own, children, label })
}
