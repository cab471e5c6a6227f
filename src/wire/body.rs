//! A write as a request: names, wrappings and checks of the system's own.

use super::check::{is_assigned, named};
use super::order::in_order;
use super::plan::{Write, WriteEffect};
use super::values::{Trust, Values, within};
use super::wrap::{never_wrapped, wrapped};
use super::{Lookups, WriteProblem, calls};
use crate::http::Outgoing;
use crate::program::system::{CallKind, Encoding, EncodingKind, Field, PathTemplate, Resource, Send, System};
use crate::program::types::Type;
use crate::value::{Map, Path, Segment, Value};

/// The request of a write. `current` is what is known of the record: for an update as it was last read, for
/// a child its own fields and its parent's key ([`super::child_current`]).
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
    let escape = resource.encoding.path_escape;
    let outgoing = |method: &str, path, query: &_, body, call, if_match: Option<&Path>| Outgoing {
        method: method.to_owned(),
        path,
        query: calls::constant(query),
        headers: if_match.and_then(|field| calls::if_match(field, current)).into_iter().collect(),
        body,
        file: None,
        embedded: Vec::new(),
        call,
        resource: resource.name.clone(),
    };
    let encoder = |encoding, creating| Encoder {
        resource,
        encoding,
        values: Values { system, encoding, lookups, creating },
    };
    match write.effect {
        WriteEffect::Delete => {
            let call = resource.delete.as_ref().ok_or_else(|| missing("removed"))?;
            let path = calls::fill(&call.path, &record, escape)?;
            Ok(outgoing("DELETE", path, &call.query, None, CallKind::Delete, call.if_match.as_ref()))
        }
        WriteEffect::Create => {
            let call = resource.create.as_ref().ok_or_else(|| missing("made"))?;
            let path = calls::fill(&call.path, &record, escape)?;
            let body = encoder(&call.encoding, true).create(write, &record, &call.path)?;
            Ok(outgoing("POST", path, &call.query, Some(body), CallKind::Create, None))
        }
        WriteEffect::Update => {
            let call = resource.update.as_ref().ok_or_else(|| missing("changed"))?;
            let path = calls::fill(&call.path, current, escape)?;
            let body = encoder(&call.encoding, false).update(write, &record, call.send)?;
            let guard = call.if_match.as_ref();
            Ok(outgoing(call.method, path, &call.query, Some(body), CallKind::Update, guard))
        }
    }
}

struct Encoder<'a> {
    resource: &'a Resource,
    encoding: &'a Encoding,
    values: Values<'a>,
}

impl Encoder<'_> {
    fn create(&self, write: &Write, record: &Value, path: &PathTemplate) -> Result<Value, WriteProblem> {
        let mut body = Value::Map(Map::new());
        for field in self.resource.fields.iter().filter(|field| field.pivot.is_none()) {
            let in_path = path.fields().any(|one| *one == field.name);
            let asked = || write.fields.iter().any(|(path, _)| path.strip_prefix(&field.name).is_some());
            let given = field.name.get(record).filter(|value| !value.is_empty()).cloned();
            match given.or_else(|| field.on_create.clone()) {
                Some(value) if writable(field) => self.put(field, &value, Trust::New, &mut body)?,
                Some(_) if asked() && !in_path => return Err(not_written(named(field))),
                // a field of the path alone, or one that is only known
                Some(_) => {}
                None if field.required && !is_assigned(field) && !in_path => {
                    return Err(WriteProblem::new(named(field), "it is required and has no value"));
                }
                None => {}
            }
        }
        Ok(self.finished(body))
    }

    fn update(&self, write: &Write, record: &Value, send: Send) -> Result<Value, WriteProblem> {
        let mut body = Value::Map(Map::new());
        // what an update sends beside what changes
        for field in self.resource.fields.iter().filter(|field| writable(field) && !field.create_only) {
            let inside =
                |(path, _): &(Path, Value)| path.strip_prefix(&field.name).map(|rest| rest.is_root());
            let changes: Vec<bool> = write.fields.iter().filter_map(inside).collect();
            let value = field.name.get(record).cloned().unwrap_or_default();
            let sent = match changes.contains(&true) {
                true => false,
                // an object that is sent whole keeps its other members
                false if !changes.is_empty() => send == Send::All,
                false => field.always_send || (send == Send::All && !value.is_empty()),
            };
            if sent {
                self.put(field, &value, Trust::AsRead, &mut body)?;
            }
        }
        for (path, value) in &write.fields {
            let Some((field, rest)) = self.resource.field_at(path) else {
                return Err(WriteProblem::new(path.to_string(), "there is no such field"));
            };
            if rest.is_root() {
                changeable(field, value)?;
                self.put(field, value, Trust::New, &mut body)?;
            } else {
                if field.create_only {
                    changeable(field, value)?;
                }
                let at = field.write.as_ref().filter(|_| writable(field));
                let at = at.ok_or_else(|| not_written(named(field)))?;
                let holder = field.name.get(record).cloned().unwrap_or_default();
                self.put_member(field, at, &rest, value, &holder, &mut body)?;
                beside(field, &Path::root(), &mut body);
            }
        }
        if self.encoding.kind == EncodingKind::JsonPatch {
            return self.patch(body, record);
        }
        Ok(self.finished(body))
    }

    /// A whole field into the body.
    fn put(&self, field: &Field, value: &Value, trust: Trust, body: &mut Value) -> Result<(), WriteProblem> {
        let Some(write) = field.write.as_ref().filter(|_| writable(field)) else {
            return Err(not_written(named(field)));
        };
        if self.values.leaves_out(field, value, trust) {
            return Ok(());
        }
        write.set(body, self.values.of(field, value, trust)?);
        beside(field, &Path::root(), body);
        Ok(())
    }

    /// One member of an object field at `at`; what its siblings always send goes along. `holder` is the object
    /// as it will be.
    fn put_member(
        &self,
        field: &Field,
        at: &Path,
        rest: &Path,
        value: &Value,
        holder: &Value,
        body: &mut Value,
    ) -> Result<(), WriteProblem> {
        let found = field.fields.iter().find_map(|member| Some((member, rest.strip_prefix(&member.name)?)));
        let Some((member, deeper)) = found else {
            return Err(WriteProblem::new(format!("{}.{rest}", named(field)), "there is no such field"));
        };
        let Some(write) = member.write.as_ref().filter(|_| writable(member)) else {
            return Err(within(field, not_written(named(member))));
        };
        for sibling in field.fields.iter().filter(|one| one.always_send && one.name != member.name) {
            if let Some(path) = &sibling.write
                && at.join(path).get(body).is_none()
            {
                let now = sibling.name.get(holder).cloned().unwrap_or_default();
                let now =
                    self.values.of(sibling, &now, Trust::AsRead).map_err(|inner| within(field, inner))?;
                at.join(path).set(body, now);
            }
        }
        let place = at.join(write);
        if deeper.is_root() {
            changeable(member, value).map_err(|inner| within(field, inner))?;
            if self.values.leaves_out(member, value, Trust::New) {
                return Ok(());
            }
            let value = self.values.of(member, value, Trust::New).map_err(|inner| within(field, inner))?;
            place.set(body, value);
        } else {
            let holder = member.name.get(holder).cloned().unwrap_or_default();
            self.put_member(member, &place, &deeper, value, &holder, body)
                .map_err(|inner| within(field, inner))?;
        }
        beside(member, at, body);
        Ok(())
    }

    /// JSON Patch (RFC 6902): one operation for each top-level member; an object is sent whole.
    fn patch(&self, body: Value, record: &Value) -> Result<Value, WriteProblem> {
        let mut operations = Vec::new();
        let Value::Map(members) = body else { return Ok(Value::List(operations)) };
        for (name, mut value) in members {
            if matches!(value, Value::Map(_)) {
                value = self.whole(&name, value, record)?;
            }
            operations.push(Value::Map(Map::from([
                ("op".to_owned(), Value::text(self.encoding.patch_op.clone())),
                ("path".to_owned(), Value::Text(format!("/{}", name.replace('~', "~0").replace('/', "~1")))),
                ("value".to_owned(), value),
            ])));
        }
        Ok(Value::List(operations))
    }

    /// A top-level object with what it holds now beside what changes; read-only members are left out.
    fn whole(&self, name: &str, changed: Value, record: &Value) -> Result<Value, WriteProblem> {
        let mut root = Value::Map(Map::new());
        for field in self.resource.fields.iter().filter(|field| field.pivot.is_none() && writable(field)) {
            let Some(write) = &field.write else { continue };
            // a field that is the member itself and no object (a tagged date, say) is in the change already
            let is_part = write.segments().len() > 1 || matches!(field.ty, Type::Object(_));
            if !is_part || write.segments().first() != Some(&Segment::Key(name.to_owned())) {
                continue;
            }
            let now = field.name.get(record).cloned().unwrap_or_default();
            if !now.is_empty() {
                write.set(&mut root, self.values.of(field, &now, Trust::AsRead)?);
            }
        }
        let mut whole = root.get(name).cloned().unwrap_or_else(|| Value::Map(Map::new()));
        overlay(&mut whole, changed);
        Ok(whole)
    }

    fn finished(&self, body: Value) -> Value {
        let body = if self.encoding.is_xml() { in_order(self.resource, body) } else { body };
        let body = match &self.encoding.wrap {
            Some(wrap) => wrapped(&body, wrap, &never_wrapped(&self.resource.fields)),
            None => body,
        };
        match &self.encoding.envelope {
            Some(envelope) => Value::Map(Map::from([(envelope.clone(), body)])),
            None => body,
        }
    }
}

fn writable(field: &Field) -> bool {
    field.write.is_some() && !field.read_only
}

fn not_written(field: String) -> WriteProblem {
    WriteProblem::new(field, "it cannot be written")
}

/// Whether an update may give the field this value at all.
fn changeable(field: &Field, value: &Value) -> Result<(), WriteProblem> {
    if field.create_only {
        return Err(WriteProblem::new(named(field), "it can be given when the record is made only"));
    }
    if field.required && value.is_empty() {
        return Err(WriteProblem::new(named(field), "it is required and cannot be emptied"));
    }
    Ok(())
}

/// The constants that are sent with a field; their places are below `at`.
fn beside(field: &Field, at: &Path, body: &mut Value) {
    for (path, constant) in &field.with {
        at.join(path).set(body, constant.clone());
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
