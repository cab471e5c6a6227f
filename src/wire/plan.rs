//! Which writes a change of one record takes: the record itself, then each child that holds a part of it.

use super::WriteProblem;
use super::parts::Parts;
use crate::program::system::{Field, MANY_FIT, PARTS, Resource, System};
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

    /// No field: what is done to the record is said by the request itself.
    pub fn nothing(resource: &str) -> Write {
        Write { effect: WriteEffect::Update, ..Write::delete(resource, Value::Null) }
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
            map.shift_remove(MANY_FIT);
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
pub(super) fn leaves(field: &Field, path: &Path, value: &Value, out: &mut Vec<(Path, Value)>) {
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
    let mut parts = Parts::new(system, resource, current, changes);
    let mut touched: Vec<&Path> = Vec::new();
    for (path, value) in changes {
        let Some((field, _)) = resource.field_at(path) else {
            return Err(WriteProblem::new(path.to_string(), format!("{} has no such field", resource.name)));
        };
        match &field.pivot {
            None => main.fields.push((path.clone(), value.clone())),
            Some(_) if touched.contains(&&field.name) => {}
            Some(pivot) => {
                touched.push(&field.name);
                parts.add(field, pivot)?;
            }
        }
    }
    parts.check_shared()?;
    let children = parts.writes;
    let mut all = Vec::new();
    if effect == WriteEffect::Create || !main.fields.is_empty() {
        all.push(main);
    }
    all.extend(children);
    Ok(all)
}

/// What is known of a child when it is written: what its parent shows of it, its key, and its parent's.
pub fn child_current(parent: &Resource, child: &Resource, write: &Write, current: &Value) -> Value {
    let mut record = Value::Map(Map::new());
    if write.child.is_some() {
        for (name, pivot) in
            write.pivots.iter().filter_map(|name| Some((name, parent.field_at(name)?.0.pivot.as_ref()?)))
        {
            match (&pivot.value, name.get(current)) {
                (Some(path), Some(value)) => path.set(&mut record, value.clone()),
                (None, Some(Value::Map(map))) => record = Value::Map(map.clone()),
                _ => {}
            }
            for (path, value) in &pivot.only_where {
                path.set(&mut record, value.clone());
            }
        }
    }
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
