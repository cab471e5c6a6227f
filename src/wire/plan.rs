//! Which writes a change of one record takes: the record itself, then each child that holds a part of it.

use super::assemble::PARTS;
use super::{WriteProblem, calls};
use crate::program::system::{Field, Pivot, Resource, System};
use crate::value::{Map, Path, Value};

/// What a write does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WriteEffect {
    /// Makes a record.
    Create,
    /// Changes one.
    Update,
    /// Removes one.
    Delete,
}

/// One write to one resource.
#[derive(Clone, Debug, PartialEq)]
pub struct Write {
    /// The resource.
    pub resource: String,
    /// What it does.
    pub effect: WriteEffect,
    /// The fields and their new values, by the names of that resource.
    pub fields: Vec<(Path, Value)>,
    /// The child that is written to; none for the record itself and for a new child.
    pub child: Option<String>,
    /// The child's field that names the parent; none for the record itself.
    pub parent_field: Option<Path>,
    /// The parent's field that has to name a new child.
    pub pointer: Option<Path>,
    /// The parent's pivot fields that this write carries.
    pub pivots: Vec<Path>,
}

impl Write {
    /// The removal of a record.
    pub fn delete(resource: &str, _: Value) -> Write {
        Write {
            resource: resource.to_owned(),
            effect: WriteEffect::Delete,
            fields: Vec::new(),
            child: None,
            parent_field: None,
            pointer: None,
            pivots: Vec::new(),
        }
    }

    /// Whether it carries the field at this path of the (parent) record.
    pub fn touches(&self, path: &str) -> bool {
        let Ok(path) = Path::parse(path) else { return false };
        if self.parent_field.is_some() {
            self.pivots.iter().any(|pivot| path.strip_prefix(pivot).is_some())
        } else {
            self.fields.iter().any(|(field, _)| *field == path)
        }
    }

    /// The record as it is sent, over what is known of it.
    pub fn record(&self, current: &Value) -> Value {
        let mut record = current.clone();
        if let Value::Map(map) = &mut record {
            map.shift_remove(PARTS);
        }
        for (path, value) in &self.fields {
            path.set(&mut record, value.clone());
        }
        record
    }
}

/// The writes that make a record: itself, then its children.
///
/// # Errors
/// A field that does not exist or cannot be written.
pub fn plan_create(system: &System, resource: &Resource, record: &Value) -> Result<Vec<Write>, WriteProblem> {
    let mut changes = Vec::new();
    for field in &resource.fields {
        if let Some(value) = field.name.get(record) {
            leaves(field, &field.name, value, &mut changes);
        }
    }
    writes(system, resource, WriteEffect::Create, &Value::Map(Map::new()), &changes)
}

/// The members of an object one by one, so that only what is given is sent.
fn leaves(field: &Field, path: &Path, value: &Value, out: &mut Vec<(Path, Value)>) {
    match value {
        Value::Map(map)
            if !field.fields.is_empty()
                || field.pivot.as_ref().is_some_and(|pivot| pivot.value.is_none()) =>
        {
            for (name, value) in map {
                let inner = path.join(&Path::key(name.clone()));
                match field.fields.iter().find(|member| member.name == Path::key(name.clone())) {
                    Some(member) => leaves(member, &inner, value, out),
                    None => out.push((inner, value.clone())),
                }
            }
        }
        _ => out.push((path.clone(), value.clone())),
    }
}

/// The writes that change a record. `current` is the record with its children in place, as it was last read.
///
/// # Errors
/// A field that does not exist or cannot be written, or two values for one shared child.
pub fn plan_update(
    system: &System,
    resource: &Resource,
    current: &Value,
    changes: &[(Path, Value)],
) -> Result<Vec<Write>, WriteProblem> {
    writes(system, resource, WriteEffect::Update, current, changes)
}

fn writes(
    system: &System,
    resource: &Resource,
    effect: WriteEffect,
    current: &Value,
    changes: &[(Path, Value)],
) -> Result<Vec<Write>, WriteProblem> {
    let mut main = Write {
        resource: resource.name.clone(),
        effect,
        fields: Vec::new(),
        child: None,
        parent_field: None,
        pointer: None,
        pivots: Vec::new(),
    };
    let mut children: Vec<Write> = Vec::new();
    let mut touched: Vec<Path> = Vec::new();
    for (path, value) in changes {
        let Some((field, rest)) = resource.field_at(path) else {
            return Err(WriteProblem::new(path.to_string(), format!("{} has no such field", resource.name)));
        };
        match &field.pivot {
            None => main.fields.push((path.clone(), value.clone())),
            Some(_) if touched.contains(&field.name) => {}
            Some(pivot) => {
                touched.push(field.name.clone());
                let values: Vec<(Path, Value)> = changes
                    .iter()
                    .filter_map(|(path, value)| Some((path.strip_prefix(&field.name)?, value.clone())))
                    .collect();
                child(system, resource, field, pivot, current, values, &mut children)?;
            }
        }
        let _ = rest;
    }
    let mut all = Vec::new();
    if effect == WriteEffect::Create || !main.fields.is_empty() {
        all.push(main);
    }
    all.extend(children);
    shared(resource, current, &all)?;
    Ok(all)
}

/// The write of one pivot field: its child is changed, made or removed.
fn child(
    system: &System,
    resource: &Resource,
    field: &Field,
    pivot: &Pivot,
    current: &Value,
    values: Vec<(Path, Value)>,
    writes: &mut Vec<Write>,
) -> Result<(), WriteProblem> {
    let name = field.name.to_string();
    let known = current.get(PARTS).and_then(|parts| parts.get(&name)).and_then(Value::scalar_text);
    let parent_field = resource.parts.get(&pivot.part).map(|part| part.by.clone());
    let fields: Vec<(Path, Value)> = values
        .into_iter()
        .map(|(rest, value)| match &pivot.value {
            Some(path) => (path.clone(), value),
            None => (rest, value),
        })
        .collect();
    let empty = fields.iter().all(|(_, value)| value.is_empty());
    let write = |effect, fields, child: Option<String>| Write {
        resource: pivot.resource.clone(),
        effect,
        fields,
        child,
        parent_field: parent_field.clone(),
        pointer: pivot.pointer.clone(),
        pivots: vec![field.name.clone()],
    };
    match known {
        Some(id) if empty && pivot.value.is_some() => {
            let removable = system.resources.get(&pivot.resource).is_some_and(|child| child.delete.is_some());
            if !removable {
                return Err(WriteProblem::new(name, "it cannot be emptied: its record cannot be removed"));
            }
            writes.push(write(WriteEffect::Delete, Vec::new(), Some(id)));
        }
        Some(id) => {
            // several pivots may show one child: equal values are one write
            if let Some(same) = writes.iter_mut().find(|other| other.child.as_ref() == Some(&id)) {
                for (path, value) in fields {
                    match same.fields.iter().find(|(one, _)| *one == path) {
                        Some((_, other)) if other.canonical() != value.canonical() => {
                            return Err(two_values(&name, &same.pivots[0].to_string()));
                        }
                        Some(_) => {}
                        None => same.fields.push((path, value)),
                    }
                }
                same.pivots.push(field.name.clone());
            } else {
                writes.push(write(WriteEffect::Update, fields, Some(id)));
            }
        }
        None if empty => {}
        None => {
            let mut fields: Vec<(Path, Value)> =
                fields.into_iter().filter(|(_, value)| !value.is_empty()).collect();
            // a new child that holds the same as another new one serves both
            let twin = writes.iter_mut().find(|other| {
                other.effect == WriteEffect::Create
                    && other.resource == pivot.resource
                    && pivot.value.is_none()
                    && pivot.only_where.iter().all(|(path, value)| {
                        other.fields.iter().all(|(one, held)| one != path || held == value)
                    })
                    && plain(other, resource) == fields
            });
            if let Some(twin) = twin {
                twin.fields.extend(pivot.only_where.iter().cloned());
                twin.pivots.push(field.name.clone());
                twin.pointer = twin.pointer.take().or_else(|| pivot.pointer.clone());
                return Ok(());
            }
            fields.extend(pivot.only_where.iter().cloned());
            writes.push(write(WriteEffect::Create, fields, None));
        }
    }
    Ok(())
}

/// The fields of a new child without those that say which one it is.
fn plain(write: &Write, resource: &Resource) -> Vec<(Path, Value)> {
    let markers: Vec<&Path> = resource
        .fields
        .iter()
        .filter_map(|field| field.pivot.as_ref())
        .flat_map(|pivot| pivot.only_where.iter().map(|(path, _)| path))
        .collect();
    write.fields.iter().filter(|(path, _)| !markers.contains(&path)).cloned().collect()
}

/// A child that several pivots show must get the same from all of them: else one edit would silently change
/// another address.
fn shared(resource: &Resource, current: &Value, writes: &[Write]) -> Result<(), WriteProblem> {
    let Some(Value::Map(parts)) = current.get(PARTS) else { return Ok(()) };
    for write in writes {
        let Some(id) = &write.child else { continue };
        for (name, other) in parts {
            let Ok(path) = Path::parse(name) else { continue };
            if other.scalar_text().as_ref() == Some(id)
                && !write.pivots.contains(&path)
                && resource.field(name).is_some()
            {
                return Err(two_values(&write.pivots[0].to_string(), name));
            }
        }
    }
    Ok(())
}

fn two_values(one: &str, other: &str) -> WriteProblem {
    WriteProblem::new(
        one,
        format!(
            "two values for one shared part: {one} and {other} are the same record. Make them two, or give both the same value"
        ),
    )
}

/// What is known of a child when it is written: its key, and its parent's.
pub fn child_current(parent: &Resource, child: &Resource, write: &Write, current: &Value) -> Value {
    let mut record = Value::Map(Map::new());
    if let (Some(id), [key]) = (&write.child, child.id_fields()) {
        key.set(&mut record, Value::text(id.clone()));
    }
    if let Some(field) = &write.parent_field
        && let Some(key) = parent.key_of(current)
    {
        field.set(&mut record, Value::text(key));
    }
    record
}

/// For [`super::encode`]: the path of a call, with whatever is known of the record.
pub(super) fn path_of(
    template: &crate::program::system::PathTemplate,
    resource: &Resource,
    record: &Value,
) -> Result<String, WriteProblem> {
    calls::fill(template, record, resource.encoding.path_escape)
}
