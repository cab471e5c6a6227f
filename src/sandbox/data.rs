//! The records of a stand-in: how they are completed, checked and changed.

use std::collections::BTreeMap;
use std::sync::Arc;

use indexmap::IndexMap;
use uuid::Uuid;

use super::stand::Stand;
use crate::program::system::{Assigned, Field, Resource, System};
use crate::program::types::Type;
use crate::value::{Map, Path, Segment, Value, parse_decimal};
use crate::wire;

/// The namespace of made-up ids: the same seed gives the same ones.
const IDS: Uuid = Uuid::from_u128(0x6d61_7065_6e67_696e_6500_7361_6e64_626f);

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
        let mut stand = Stand::bare(Arc::clone(&system), credentials, now_ms);
        let mut problems = Vec::new();
        // records that others look up in come first
        let mut order: Vec<&String> = records.keys().collect();
        order.sort_by_key(|name| {
            system.resources.get(*name).is_none_or(|resource| has_lookups(&resource.fields))
        });
        for name in order {
            let Some(resource) = system.resources.get(name).cloned() else {
                problems.push(format!("{} has no resource {name}", system.name));
                continue;
            };
            for (i, record) in records[name].iter().enumerate() {
                if let Err(found) = stand.insert(&resource, record) {
                    problems.extend(found.into_iter().map(|problem| format!("{name} {}: {problem}", i + 1)));
                }
            }
        }
        // a singleton that nobody gave is there all the same
        for resource in system.resources.values().filter(|resource| resource.singleton) {
            if stand.tables[&resource.name].len() == 0 {
                let _ = stand.insert(resource, &Value::Map(Map::new()));
            }
        }
        if problems.is_empty() { Ok(stand) } else { Err(problems) }
    }

    /// Puts a record there, as a person would in the system's own screen.
    ///
    /// # Errors
    /// Everything that is wrong with it.
    pub fn insert(&mut self, resource: &Arc<Resource>, record: &Value) -> Result<(), Vec<String>> {
        let mut problems = Vec::new();
        let mut own = Value::Map(Map::new());
        let mut children: Vec<(String, Value)> = Vec::new();
        let Some(map) = record.as_map() else { return Err(vec!["a record is a map".into()]) };
        for (path, value) in flat(resource, &Path::root(), map) {
            let Some((field, rest)) = resource.field_at(&path) else {
                problems.push(format!("{} has no field {path}", resource.name));
                continue;
            };
            if let Some(pivot) = &field.pivot {
                let mut child = Value::Map(Map::new());
                match &pivot.value {
                    Some(at) => at.set(&mut child, value),
                    None => child = value,
                }
                for (at, constant) in &pivot.only_where {
                    at.set(&mut child, constant.clone());
                }
                children.push((pivot.part.clone(), child));
                continue;
            }
            match kind(field, &rest, value) {
                Ok(value) => path.set(&mut own, value),
                Err(problem) => problems.push(format!("{path}: {problem}")),
            }
        }
        if !problems.is_empty() {
            return Err(problems);
        }
        let stored = self.store(resource, own, None).map_err(|(_, message)| vec![message])?;
        let key = resource.key_of(&stored).unwrap_or_default();
        // equal children are one: an address that is both billing and postal address
        let mut merged: Vec<(String, Value)> = Vec::new();
        for (part, child) in children {
            let twin = merged.iter_mut().find(|(other, held)| *other == part && same_but_flags(held, &child));
            match twin {
                Some((_, held)) => {
                    if let (Value::Map(held), Value::Map(child)) = (held, child) {
                        held.extend(child);
                    }
                }
                None => merged.push((part, child)),
            }
        }
        for (part, mut child) in merged {
            let Some(part) = resource.parts.get(&part) else { continue };
            let Some(of) = self.system.resources.get(&part.resource).cloned() else { continue };
            part.by.set(&mut child, Value::text(key.clone()));
            self.insert(&of, &child)?;
        }
        Ok(())
    }

    /// Completes and checks a record, and keeps it. Answers it as it is kept.
    ///
    /// # Errors
    /// A status and what is wrong.
    pub(super) fn store(
        &mut self,
        resource: &Arc<Resource>,
        mut record: Value,
        existing: Option<&str>,
    ) -> Result<Value, (u16, String)> {
        let creating = existing.is_none();
        if creating {
            self.made += 1;
            for field in &resource.fields {
                self.complete(resource, field, &mut record);
            }
        }
        self.stamp(resource, &mut record, creating);
        let id = resource.id_of(&record);
        for field in &resource.fields {
            let value = field.name.get(&record).cloned().unwrap_or_default();
            if value.is_empty() {
                continue;
            }
            let is_key = resource.key == [field.name.clone()];
            if field.unique || is_key {
                let twin = self.tables[&resource.name].iter().find(|(other, held)| {
                    existing != Some(other.as_str())
                        && field.name.get(held).is_some_and(|held| held.canonical() == value.canonical())
                });
                if twin.is_some() {
                    return Err((409, format!("{} {value} is there already", field.name)));
                }
            }
            if let Some(reference) = &field.reference
                && let Some(of) = self.system.resources.get(&reference.resource)
                && let Some(text) = value.scalar_text()
            {
                let known =
                    self.tables[&of.name].find(of, &[(reference.field.clone(), text.clone())]).is_some();
                if !known {
                    return Err((400, format!("{}: there is no {} {text}", field.name, reference.resource)));
                }
            }
            if let Some(lookup) = &field.lookup
                && matches!(
                    crate::wire::Lookups::find(self, lookup, &value),
                    Err(crate::wire::LookupProblem::None)
                )
            {
                return Err((400, format!("{}: there is no {} {value}", field.name, lookup.target.resource)));
            }
        }
        if id.is_none() {
            return Err((400, format!("{} has no key", resource.name)));
        }
        if let Some(before) = existing
            && id.as_deref() != Some(before)
        {
            self.tables[&resource.name].remove(resource, before);
        }
        self.tables[&resource.name].put(resource, record.clone());
        Ok(record)
    }

    /// Ids, numbers and defaults of a new record.
    fn complete(&mut self, resource: &Arc<Resource>, field: &Field, record: &mut Value) {
        if field.pivot.is_some() || field.name.get(record).is_some_and(|value| !value.is_empty()) {
            return;
        }
        if let Some(value) = &field.on_create {
            field.name.set(record, value.clone());
            return;
        }
        let is_key = resource.key.contains(&field.name) || resource.identity.as_ref() == Some(&field.name);
        match (&field.ty, field.assigned) {
            (Type::Id, _) if is_key => {
                let name = format!("{}/{}/{}", self.system.name, resource.name, self.made);
                field.name.set(record, Value::Text(Uuid::new_v5(&IDS, name.as_bytes()).to_string()));
            }
            (Type::Integer, _) if is_key || field.assigned.is_some() => {
                let next = self.largest(resource, &field.name) + 1;
                field.name.set(record, Value::from(next));
            }
            (_, Some(Assigned::BySeries | Assigned::IfMissing)) => {
                let next = self.next_in_series(resource, &field.name);
                field.name.set(record, Value::Text(next));
            }
            (Type::Bool, _) if field.write.is_some() || field.read_only => {}
            _ => {}
        }
    }

    fn largest(&mut self, resource: &Resource, field: &Path) -> i64 {
        let largest = self.tables[&resource.name]
            .iter()
            .filter_map(|(_, record)| match field.get(record) {
                Some(Value::Number(number)) => i64::try_from(*number).ok(),
                _ => None,
            })
            .max()
            .unwrap_or(0);
        // a number is never given twice, also after its record was removed
        let table = &mut self.tables[&resource.name];
        table.last_number = table.last_number.max(largest) + 1;
        table.last_number - 1
    }

    /// The next number of a series, as wide as the largest one.
    fn next_in_series(&mut self, resource: &Resource, field: &Path) -> String {
        let largest = self.tables[&resource.name]
            .iter()
            .filter_map(|(_, record)| field.get(record)?.scalar_text())
            .filter(|text| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()))
            .max_by_key(|text| (text.len(), text.clone()))
            .unwrap_or_else(|| "10000".into());
        let next = largest.parse::<i64>().unwrap_or(0).max(self.tables[&resource.name].last_number) + 1;
        self.tables[&resource.name].last_number = next;
        format!("{next:0width$}", width = largest.len())
    }

    /// When a record was made and changed.
    fn stamp(&mut self, resource: &Resource, record: &mut Value, creating: bool) {
        let Some(cursor) = &resource.cursor else { return };
        self.now_ms += 1000;
        let Ok(now) = jiff::Timestamp::from_millisecond(self.now_ms) else { return };
        let text = if self.system.times.zone == crate::program::system::Zone::None {
            now.to_zoned(jiff::tz::TimeZone::UTC).datetime().to_string()
        } else {
            now.to_string()
        };
        // of several fields the first is set by a change, the last by the making
        let field = if creating { cursor.fields.last() } else { cursor.fields.first() };
        if let Some(field) = field
            && (!creating || field.get(record).is_none_or(Value::is_empty))
        {
            field.set(record, Value::Text(text));
        }
    }

    /// The ids of the records that have these values.
    pub fn find(&self, resource: &Resource, of: &Map) -> Vec<String> {
        self.tables
            .get(&resource.name)
            .into_iter()
            .flat_map(|table| table.iter())
            .filter(|(_, record)| {
                let record = self.assembled(resource, record);
                of.iter().all(|(name, wanted)| {
                    Path::parse(name).is_ok_and(|path| {
                        path.get(&record).unwrap_or(&Value::Null).canonical()
                            == kind_at(resource, &path, wanted).canonical()
                    })
                })
            })
            .map(|(id, _)| id.clone())
            .collect()
    }

    /// Changes fields of a record, as a person would. Children are changed, made or removed with it.
    ///
    /// # Errors
    /// What is wrong.
    pub fn edit(&mut self, resource: &Arc<Resource>, id: &str, set: &Map) -> Result<(), String> {
        let Some(record) = self.tables[&resource.name].get(id).cloned() else {
            return Err(format!("there is no {} {id}", resource.name));
        };
        let current = self.assembled(resource, &record);
        let changes: Vec<(Path, Value)> = flat(resource, &Path::root(), set)
            .into_iter()
            .map(|(path, value)| {
                let value = kind_at(resource, &path, &value);
                (path, value)
            })
            .collect();
        let mut own = record;
        let mut touched = false;
        for write in wire::plan_update(&self.system, resource, &current, &changes)
            .map_err(|problem| problem.to_string())?
        {
            let Some(of) = self.system.resources.get(&write.resource).cloned() else { continue };
            if write.parent_field.is_none() {
                for (path, value) in write.fields {
                    path.set(&mut own, value);
                }
                touched = true;
                continue;
            }
            match write.child.clone() {
                Some(child) if write.effect == wire::WriteEffect::Delete => {
                    self.tables[&of.name].remove(&of, &child);
                }
                Some(child) => {
                    let mut held = self.tables[&of.name].get(&child).cloned().unwrap_or_default();
                    for (path, value) in write.fields {
                        path.set(&mut held, value);
                    }
                    self.store(&of, held, Some(&child)).map_err(|(_, message)| message)?;
                }
                None => {
                    let mut child = wire::child_current(resource, &of, &write, &current);
                    for (path, value) in write.fields {
                        path.set(&mut child, value);
                    }
                    self.store(&of, child, None).map_err(|(_, message)| message)?;
                }
            }
        }
        if touched {
            self.store(resource, own, Some(id)).map_err(|(_, message)| message)?;
        }
        Ok(())
    }

    /// Removes a record, as a person would.
    pub fn remove(&mut self, resource: &Resource, id: &str) {
        self.tables[&resource.name].remove(resource, id);
    }

    /// One record with its children in place.
    pub fn record(&self, resource: &Resource, id: &str) -> Option<Value> {
        self.tables.get(&resource.name)?.get(id).map(|record| self.assembled(resource, record))
    }

    /// All records of a resource with their children in place.
    pub fn records(&self, resource: &str) -> Vec<Value> {
        let Some(of) = self.system.resources.get(resource) else { return Vec::new() };
        self.tables[resource].iter().map(|(_, record)| self.assembled(of, record)).collect()
    }

    fn assembled(&self, resource: &Resource, record: &Value) -> Value {
        if resource.parts.is_empty() {
            return record.clone();
        }
        let key = resource.key_of(record).unwrap_or_default();
        let mut record = record.clone();
        let children = |part: &str| -> Vec<(String, Value)> {
            let Some(part) = resource.parts.get(part) else { return Vec::new() };
            self.tables
                .get(&part.resource)
                .into_iter()
                .flat_map(|table| table.iter())
                .filter(|(_, child)| part.by.get(child).and_then(Value::scalar_text).as_ref() == Some(&key))
                .map(|(id, child)| (id.clone(), child.clone()))
                .collect()
        };
        // a stand-in's own children always fit together
        let _ = wire::assemble(resource, &mut record, &children);
        record
    }
}

fn has_lookups(fields: &[Field]) -> bool {
    fields
        .iter()
        .any(|field| field.lookup.is_some() || field.reference.is_some() || has_lookups(&field.fields))
}

/// Members by their full names, as far as the resource names them.
fn flat(resource: &Resource, prefix: &Path, map: &Map) -> Vec<(Path, Value)> {
    let mut out = Vec::new();
    for (name, value) in map {
        let Ok(key) = Path::parse(name) else {
            out.push((prefix.join(&Path::key(name.clone())), value.clone()));
            continue;
        };
        let path = prefix.join(&key);
        let is_field = resource.fields.iter().any(|field| super::data::target(&field.name) == path);
        let deeper = resource
            .fields
            .iter()
            .any(|field| field.name.strip_prefix(&path).is_some_and(|rest| !rest.is_root()));
        match value {
            Value::Map(inner) if !is_field && deeper => out.extend(flat(resource, &path, inner)),
            _ => out.push((path, value.clone())),
        }
    }
    out
}

fn target(name: &Path) -> Path {
    match name.segments().split_last() {
        Some((Segment::All, way)) => way.iter().fold(Path::root(), |path, segment| match segment {
            Segment::Key(key) => path.join(&Path::key(key.clone())),
            _ => path,
        }),
        _ => name.clone(),
    }
}

/// Everything but true and false.
fn same_but_flags(one: &Value, other: &Value) -> bool {
    let plain = |value: &Value| match value {
        Value::Map(map) => Value::Map(
            map.iter()
                .filter(|(_, value)| !matches!(value, Value::Bool(_)))
                .map(|(k, v)| (k.clone(), v.clone()))
                .collect(),
        ),
        other => other.clone(),
    };
    plain(one).canonical() == plain(other).canonical()
}

/// A value of the data file as the field's own kind: amounts may be written as text.
fn kind(field: &Field, rest: &Path, value: Value) -> Result<Value, String> {
    if matches!(value, Value::Null) || !rest.is_root() {
        return Ok(value);
    }
    match (&field.ty, &value) {
        (Type::Decimal, Value::Text(text)) => {
            parse_decimal(text).map(Value::Number).ok_or_else(|| format!("{value} is no number"))
        }
        (Type::Decimal, Value::Number(_)) | (Type::Bool, Value::Bool(_)) | (Type::Any, _) => Ok(value),
        (Type::Integer, Value::Number(number)) if number.fract().is_zero() => Ok(value),
        (Type::Choice(of), Value::Text(text)) if !of.iter().any(|one| one == text) => {
            Err(format!("{value} is none of {}", of.join(", ")))
        }
        (Type::Text | Type::Id | Type::Date | Type::Time | Type::Choice(_), Value::Text(_)) => Ok(value),
        (Type::Object(_), Value::Map(_)) | (Type::List(_), Value::List(_)) => Ok(value),
        (_, Value::List(_)) if field.name.segments().last() == Some(&Segment::All) => Ok(value),
        (ty, value) => Err(format!("{ty} is declared, this is {}", value.kind())),
    }
}

fn kind_at(resource: &Resource, path: &Path, value: &Value) -> Value {
    match resource.field_at(path) {
        Some((field, rest)) => kind(field, &rest, value.clone()).unwrap_or_else(|_| value.clone()),
        None => value.clone(),
    }
}
