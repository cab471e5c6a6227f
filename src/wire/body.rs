//! A write as a request: names, wrappings and checks of the system's own.

use std::collections::BTreeSet;

use super::plan::{Write, WriteEffect, path_of};
use super::{LookupProblem, Lookups, WriteProblem, calls, scalar};
use crate::http::Outgoing;
use crate::program::system::{Assigned, CallKind, Encoding, EncodingKind, Field, Resource, Send, System};
use crate::program::types::Type;
use crate::value::{Map, Path, Segment, Value};

/// The request of a write. `current` is what is known of the record: for an update as it was last read, for
/// a child its key and its parent's ([`super::child_current`]).
///
/// # Errors
/// A field that cannot be written, does not fit, or is missing: with its name and what it is.
pub fn encode(
    system: &System,
    resource: &Resource,
    write: &Write,
    current: &Value,
    lookups: &dyn Lookups,
) -> Result<Outgoing, WriteProblem> {
    let missing = |what: &str| WriteProblem::new(resource.name.clone(), format!("it cannot be {what}"));
    let record = write.record(current);
    let outgoing = |method: &str, path, query: &_, body, call| Outgoing {
        method: method.to_owned(),
        path,
        query: calls::constant(query),
        headers: Vec::new(),
        body,
        call,
        resource: resource.name.clone(),
    };
    match write.effect {
        WriteEffect::Delete => {
            let call = resource.delete.as_ref().ok_or_else(|| missing("removed"))?;
            let path = path_of(&call.path, resource, &record)?;
            Ok(outgoing("DELETE", path, &call.query, None, CallKind::Delete))
        }
        WriteEffect::Create => {
            let call = resource.create.as_ref().ok_or_else(|| missing("made"))?;
            let path = path_of(&call.path, resource, &record)?;
            let body = Encoder { system, resource, encoding: &call.encoding, lookups }
                .create(&record, &call.path)?;
            Ok(outgoing("POST", path, &call.query, Some(body), CallKind::Create))
        }
        WriteEffect::Update => {
            let call = resource.update.as_ref().ok_or_else(|| missing("changed"))?;
            let path = path_of(&call.path, resource, current)?;
            let encoder = Encoder { system, resource, encoding: &call.encoding, lookups };
            let body = encoder.update(write, current, call.send)?;
            Ok(outgoing(call.method, path, &call.query, Some(body), CallKind::Update))
        }
    }
}

struct Encoder<'a> {
    system: &'a System,
    resource: &'a Resource,
    encoding: &'a Encoding,
    lookups: &'a dyn Lookups,
}

/// A body that is being built: its members, and which of them are never wrapped.
#[derive(Default)]
struct Body {
    root: Value,
    bare: BTreeSet<String>,
}

impl Encoder<'_> {
    fn create(
        &self,
        record: &Value,
        path: &crate::program::system::PathTemplate,
    ) -> Result<Value, WriteProblem> {
        let mut body = Body { root: Value::Map(Map::new()), bare: BTreeSet::new() };
        for field in &self.resource.fields {
            if field.pivot.is_some() {
                continue;
            }
            let given = field.name.get(record).filter(|value| !value.is_empty()).cloned();
            let value = given.or_else(|| field.on_create.clone());
            match value {
                Some(value) if field.write.is_some() && !field.read_only => {
                    self.put(field, &value, &mut body)?
                }
                // a field of the path alone, or one that the system gives
                Some(_) => {}
                None if field.required
                    && field.assigned.is_none()
                    && !path.fields().any(|one| *one == field.name) =>
                {
                    return Err(WriteProblem::new(named(field), "it is required and has no value"));
                }
                None => {}
            }
        }
        Ok(self.finished(body))
    }

    fn update(&self, write: &Write, current: &Value, send: Send) -> Result<Value, WriteProblem> {
        let mut body = Body { root: Value::Map(Map::new()), bare: BTreeSet::new() };
        let changed: Vec<&Path> = write.fields.iter().map(|(path, _)| path).collect();
        let record = write.record(current);
        // what an update sends beside what changes
        for field in &self.resource.fields {
            let untouched = !changed.iter().any(|path| path.strip_prefix(&field.name).is_some());
            let writable =
                field.write.is_some() && !field.read_only && !field.create_only && field.pivot.is_none();
            if writable && untouched && (send == Send::All || field.always_send) {
                let value = field.name.get(&record).cloned().unwrap_or_default();
                if !value.is_empty() || field.always_send {
                    self.put(field, &value, &mut body)?;
                }
            }
        }
        for (path, value) in &write.fields {
            let Some((field, rest)) = self.resource.field_at(path) else {
                return Err(WriteProblem::new(path.to_string(), "there is no such field"));
            };
            if field.create_only {
                return Err(WriteProblem::new(named(field), "it can be given when the record is made only"));
            }
            if field.required && value.is_empty() {
                return Err(WriteProblem::new(named(field), "it is required and cannot be emptied"));
            }
            if rest.is_root() {
                self.put(field, value, &mut body)?;
            } else {
                self.put_member(field, &rest, value, &record, &mut body)?;
            }
        }
        if self.encoding.kind == EncodingKind::JsonPatch {
            return self.patch(body, &record);
        }
        Ok(self.finished(body))
    }

    /// A whole field into the body.
    fn put(&self, field: &Field, value: &Value, body: &mut Body) -> Result<(), WriteProblem> {
        let Some(write) = field.write.as_ref().filter(|_| !field.read_only) else {
            return Err(WriteProblem::new(named(field), "it cannot be written"));
        };
        let encoded = self.value(field, value)?;
        write.set(&mut body.root, encoded);
        self.beside(field, write, body);
        Ok(())
    }

    /// One member of an object field; what its siblings always send goes along.
    fn put_member(
        &self,
        field: &Field,
        rest: &Path,
        value: &Value,
        record: &Value,
        body: &mut Body,
    ) -> Result<(), WriteProblem> {
        let found = field.fields.iter().find_map(|member| Some((member, rest.strip_prefix(&member.name)?)));
        let (Some((member, deeper)), Some(write)) = (found, &field.write) else {
            return Err(WriteProblem::new(format!("{}.{rest}", named(field)), "there is no such field"));
        };
        if member.read_only || field.read_only || member.write.is_none() || !deeper.is_root() {
            return Err(WriteProblem::new(format!("{}.{rest}", named(field)), "it cannot be written"));
        }
        for sibling in
            field.fields.iter().filter(|sibling| sibling.always_send && sibling.name != member.name)
        {
            if let Some(path) = &sibling.write {
                let at = write.join(path);
                if at.get(&body.root).is_none() {
                    let now = field.name.join(&sibling.name).get(record).cloned().unwrap_or_default();
                    at.set(&mut body.root, self.value(sibling, &now)?);
                }
            }
        }
        let at = write.join(member.write.as_ref().unwrap_or(&member.name));
        at.set(&mut body.root, self.value(member, value)?);
        self.beside(field, write, body);
        Ok(())
    }

    fn beside(&self, field: &Field, write: &Path, body: &mut Body) {
        for (path, constant) in &field.with {
            path.set(&mut body.root, constant.clone());
        }
        if !field.wrap {
            body.bare.insert(write.to_string());
        }
    }

    /// A value of a field as the system wants it, after all checks.
    fn value(&self, field: &Field, value: &Value) -> Result<Value, WriteProblem> {
        if value.is_empty() && !matches!(value, Value::Bool(_)) {
            return Ok(Value::Null);
        }
        check(field, value)?;
        if let Some(lookup) = &field.lookup {
            return match self.lookups.find(lookup, value) {
                Ok(key) => Ok(Value::Text(key)),
                Err(LookupProblem::None) => Err(WriteProblem::new(
                    named(field),
                    format!("there is no {} with {} {value}", lookup.target.resource, lookup.target.field),
                )),
                Err(LookupProblem::Several(keys)) => Err(WriteProblem::new(
                    named(field),
                    format!(
                        "several {} have {} {value}: {}",
                        lookup.target.resource,
                        lookup.target.field,
                        keys.join(", ")
                    ),
                )),
            };
        }
        match (&field.ty, value) {
            (Type::Object(_), Value::Map(_)) => {
                let mut out = Value::Map(Map::new());
                for member in &field.fields {
                    let (Some(write), false) = (&member.write, member.read_only) else { continue };
                    let now = member.name.get(value).cloned().unwrap_or_default();
                    if !now.is_empty() || member.always_send {
                        write.set(&mut out, self.value(member, &now)?);
                    }
                }
                Ok(out)
            }
            (Type::List(item), Value::List(items)) => items
                .iter()
                .map(|one| {
                    if field.fields.is_empty() {
                        return Ok(scalar::write(item, one, self.encoding, &self.system.times));
                    }
                    let mut out = Value::Map(Map::new());
                    for member in &field.fields {
                        let (Some(write), false) = (&member.write, member.read_only) else { continue };
                        let now = member.name.get(one).cloned().unwrap_or_default();
                        if !now.is_empty() {
                            write.set(&mut out, self.value(member, &now)?);
                        }
                    }
                    Ok(out)
                })
                .collect::<Result<Vec<_>, _>>()
                .map(Value::List),
            (ty, value) => Ok(scalar::write(ty, value, self.encoding, &self.system.times)),
        }
    }

    /// JSON Patch (RFC 6902): one operation for each top-level member; an object is sent whole.
    fn patch(&self, body: Body, record: &Value) -> Result<Value, WriteProblem> {
        let mut operations = Vec::new();
        let Value::Map(members) = body.root else { return Ok(Value::List(operations)) };
        for (name, mut value) in members {
            if matches!(value, Value::Map(_)) {
                value = self.whole(&name, value, record)?;
            }
            let mut operation = Map::new();
            operation.insert("op".into(), Value::text(self.encoding.patch_op.clone()));
            operation.insert(
                "path".into(),
                Value::Text(format!("/{}", name.replace('~', "~0").replace('/', "~1"))),
            );
            operation.insert("value".into(), value);
            operations.push(Value::Map(operation));
        }
        Ok(Value::List(operations))
    }

    /// A top-level object with what it holds now beside what changes; read-only members are left out.
    fn whole(&self, name: &str, changed: Value, record: &Value) -> Result<Value, WriteProblem> {
        let mut root = Value::Map(Map::new());
        for field in &self.resource.fields {
            let Some(write) = field.write.as_ref().filter(|_| !field.read_only && field.pivot.is_none())
            else {
                continue;
            };
            if write.segments().first() != Some(&Segment::Key(name.to_owned())) {
                continue;
            }
            let now = field.name.get(record).cloned().unwrap_or_default();
            if !now.is_empty() {
                write.set(&mut root, self.value(field, &now)?);
            }
        }
        let mut whole = root.get(name).cloned().unwrap_or_else(|| Value::Map(Map::new()));
        overlay(&mut whole, changed);
        Ok(whole)
    }

    fn finished(&self, body: Body) -> Value {
        let wrapped = match &self.encoding.wrap {
            Some(wrap) => wrapped(&body.root, wrap, "", &body.bare, true),
            None => body.root,
        };
        match &self.encoding.envelope {
            Some(envelope) => Value::Map(Map::from([(envelope.clone(), wrapped)])),
            None => wrapped,
        }
    }
}

fn overlay(target: &mut Value, change: Value) {
    match (target, change) {
        (Value::Map(target), Value::Map(change)) => {
            for (name, value) in change {
                overlay(target.entry(name).or_insert(Value::Null), value);
            }
        }
        (target, change) => *target = change,
    }
}

/// Every scalar and object in an object of one member; lists are not wrapped, what is in them is.
fn wrapped(value: &Value, wrap: &str, path: &str, bare: &BTreeSet<String>, root: bool) -> Value {
    let inner = match value {
        Value::Map(map) => Value::Map(
            map.iter()
                .map(|(name, member)| {
                    let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                    (name.clone(), wrapped(member, wrap, &path, bare, false))
                })
                .collect(),
        ),
        Value::List(items) => {
            return Value::List(
                items
                    .iter()
                    .map(|item| match item {
                        Value::Map(_) => wrapped(item, wrap, path, bare, true),
                        other => other.clone(),
                    })
                    .collect(),
            );
        }
        other => other.clone(),
    };
    if root || bare.contains(path) { inner } else { Value::Map(Map::from([(wrap.to_owned(), inner)])) }
}

/// Lengths, places and choices.
pub(super) fn check(field: &Field, value: &Value) -> Result<(), WriteProblem> {
    let problem = |message: String| Err(WriteProblem::new(named(field), message));
    if let (Some(max), Value::Text(text)) = (field.max, value) {
        let length = text.chars().count();
        if length > max as usize {
            return problem(format!(
                "it has {length} characters, {max} are allowed: shorten it, or let the row `truncate` it"
            ));
        }
    }
    if let Value::Number(number) = value {
        let plain = number.normalize();
        if let Some(max) = field.max {
            let digits = plain.trunc().abs().to_string();
            if digits != "0" && digits.len() > max as usize {
                return problem(format!(
                    "{plain} has {} digits before the point, {max} are allowed",
                    digits.len()
                ));
            }
        }
        if let Some(places) = field.places
            && plain.scale() > places
        {
            return problem(format!(
                "{plain} has {} places after the point, {places} are allowed: `round` it",
                plain.scale()
            ));
        }
    }
    if let (Type::Choice(of), Some(text)) = (&field.ty, value.as_text())
        && !of.iter().any(|one| one == text)
    {
        return problem(format!("it cannot be {value}: it is one of {}", of.join(", ")));
    }
    Ok(())
}

/// What people call a field: its label and its name.
fn named(field: &Field) -> String {
    match &field.label {
        Some(label) if *label != field.name.to_string() => format!("{label} ({})", field.name),
        _ => field.name.to_string(),
    }
}

/// Whether the system gives a value by itself.
pub(super) fn is_assigned(field: &Field) -> bool {
    matches!(field.assigned, Some(Assigned::BySeries | Assigned::IfMissing))
}
