//! Children of a record that hold its pivot fields: which of them a change writes to.

use super::WriteProblem;
use super::plan::{Write, WriteEffect, leaves};
use crate::program::system::{Field, PARTS, Pivot, Resource, System};
use crate::value::{Path, Value};

/// The writes of the children of one record, as they are found.
pub(super) struct Parts<'a> {
    system: &'a System,
    resource: &'a Resource,
    current: &'a Value,
    changes: &'a [(Path, Value)],
    /// The writes so far.
    pub writes: Vec<Write>,
}

impl<'a> Parts<'a> {
    /// Without any yet.
    pub(super) fn new(
        system: &'a System,
        resource: &'a Resource,
        current: &'a Value,
        changes: &'a [(Path, Value)],
    ) -> Self {
        Parts { system, resource, current, changes, writes: Vec::new() }
    }

    /// The write of one pivot field: its child is changed, made or removed.
    ///
    /// # Errors
    /// Two values for one child, or a child that cannot be removed.
    pub(super) fn add(&mut self, field: &Field, pivot: &Pivot) -> Result<(), WriteProblem> {
        let known = self.child_of(field);
        let fields = self.fields_of(field, pivot)?;
        let write = |effect, fields, child: Option<String>| Write {
            resource: pivot.resource.clone(),
            effect,
            fields,
            child,
            parent_field: self.resource.parts.get(&pivot.part).map(|part| part.by.clone()),
            pointer: pivot.pointer.clone(),
            pivots: vec![field.name.clone()],
        };
        let emptied = match &pivot.value {
            Some(_) => fields.iter().all(|(_, value)| value.is_empty()),
            // the object itself is emptied, not each of its members
            None => fields.is_empty(),
        };
        match known {
            Some(id) if emptied && !self.still_used(field, &id) => {
                self.removable(field, pivot)?;
                match self.writes.iter_mut().find(|other| other.child.as_ref() == Some(&id)) {
                    Some(same) => same.pivots.push(field.name.clone()),
                    None => {
                        let new = write(WriteEffect::Delete, Vec::new(), Some(id));
                        self.writes.push(new);
                    }
                }
            }
            // more than one pivot may show one child: equal values are one write
            Some(id) => match self.writes.iter_mut().find(|other| other.child.as_ref() == Some(&id)) {
                Some(same) => join(same, field, fields)?,
                None => {
                    let new = write(WriteEffect::Update, fields, Some(id));
                    self.writes.push(new);
                }
            },
            None if fields.iter().all(|(_, value)| value.is_empty()) => {}
            None => {
                let mut fields = fields;
                fields.retain(|(_, value)| !value.is_empty());
                match self.twin(pivot, &fields) {
                    Some(i) => {
                        let twin = &mut self.writes[i];
                        join(twin, field, fields)?;
                        for (path, value) in &pivot.only_where {
                            if !twin.fields.iter().any(|(one, _)| one == path) {
                                twin.fields.push((path.clone(), value.clone()));
                            }
                        }
                        twin.pointer = twin.pointer.take().or_else(|| pivot.pointer.clone());
                    }
                    None => {
                        fields.extend(pivot.only_where.iter().cloned());
                        let new = write(WriteEffect::Create, fields, None);
                        self.writes.push(new);
                    }
                }
            }
        }
        Ok(())
    }

    /// The child that a pivot field came from.
    fn child_of(&self, field: &Field) -> Option<String> {
        self.current.get(PARTS)?.get(&field.name.to_string())?.scalar_text()
    }

    /// What a pivot field changes, by the child's fields; nothing where the whole object is emptied.
    fn fields_of(&self, field: &Field, pivot: &Pivot) -> Result<Vec<(Path, Value)>, WriteProblem> {
        let mut fields = Vec::new();
        for (path, value) in self.changes {
            let Some(rest) = path.strip_prefix(&field.name) else { continue };
            match (&pivot.value, value) {
                (Some(path), value) => fields.push((path.clone(), value.clone())),
                (None, Value::Map(_)) if rest.is_root() => leaves(field, &rest, value, &mut fields),
                (None, Value::Null) if rest.is_root() => {}
                (None, other) if rest.is_root() => {
                    let message = format!("object is declared, the value is {}", other.kind());
                    return Err(WriteProblem::new(field.name.to_string(), message));
                }
                (None, value) => fields.push((rest, value.clone())),
            }
        }
        Ok(fields)
    }

    /// Whether another value of this child stays when this one is emptied: then the child stays too.
    fn still_used(&self, field: &Field, id: &str) -> bool {
        self.resource.fields.iter().any(|other| {
            let Some(Pivot { value: Some(_), .. }) = &other.pivot else { return false };
            if other.name == field.name || self.child_of(other).as_deref() != Some(id) {
                return false;
            }
            let changed = self.changes.iter().find(|(path, _)| *path == other.name).map(|(_, value)| value);
            !changed.or_else(|| other.name.get(self.current)).unwrap_or(&Value::Null).is_empty()
        })
    }

    fn removable(&self, field: &Field, pivot: &Pivot) -> Result<(), WriteProblem> {
        let problem = |message: &str| Err(WriteProblem::new(field.name.to_string(), message));
        // one that is only marked by a flag is a record of its own, and may be in use elsewhere
        if pivot.value.is_none() && pivot.only_where.iter().any(|(_, value)| matches!(value, Value::Bool(_)))
        {
            return problem(
                "it cannot be emptied as a whole: its record is only marked by a flag. Empty its members",
            );
        }
        match self.system.resources.get(&pivot.resource) {
            Some(child) if child.delete.is_some() => Ok(()),
            _ => problem("it cannot be emptied: its record cannot be removed"),
        }
    }

    /// A new child among the writes that serves this pivot too: it is marked the same, or may be marked as both
    /// and holds the same.
    fn twin(&self, pivot: &Pivot, fields: &[(Path, Value)]) -> Option<usize> {
        let same_marks = |other: &Write| {
            let first = other.pivots.first().and_then(|name| self.resource.field_at(name));
            first.and_then(|(field, _)| field.pivot.as_ref()).is_some_and(|first| {
                first.part == pivot.part
                    && first.only_where.len() == pivot.only_where.len()
                    && first.only_where.iter().all(|mark| pivot.only_where.contains(mark))
            })
        };
        let fits = |other: &Write| {
            pivot.value.is_none()
                && pivot
                    .only_where
                    .iter()
                    .all(|(path, value)| other.fields.iter().all(|(one, held)| one != path || held == value))
                && self.plain(other) == fields
        };
        self.writes.iter().position(|other| {
            other.effect == WriteEffect::Create
                && other.resource == pivot.resource
                && (same_marks(other) || fits(other))
        })
    }

    /// The fields of a new child without those that say which one it is.
    fn plain(&self, write: &Write) -> Vec<(Path, Value)> {
        let pivots = self.resource.fields.iter().filter_map(|field| field.pivot.as_ref());
        let markers: Vec<&Path> =
            pivots.flat_map(|pivot| pivot.only_where.iter().map(|(path, _)| path)).collect();
        write.fields.iter().filter(|(path, _)| !markers.contains(&path)).cloned().collect()
    }

    /// A value that more than one pivot shows must get the same from all of them: else one edit would silently
    /// change another address.
    ///
    /// # Errors
    /// The two fields that show one child.
    pub(super) fn check_shared(&self) -> Result<(), WriteProblem> {
        for write in &self.writes {
            let (Some(id), Some(first)) = (&write.child, write.pivots.first()) else { continue };
            for other in &self.resource.fields {
                let Some(pivot) = &other.pivot else { continue };
                if self.child_of(other).as_ref() != Some(id) {
                    continue;
                }
                let given = self.fields_of(other, pivot)?;
                let shows = |path: &Path| pivot.value.as_ref().is_none_or(|value| value == path);
                let differs = write
                    .fields
                    .iter()
                    .any(|(path, _)| shows(path) && !given.iter().any(|(one, _)| one == path));
                let vanishes = write.effect == WriteEffect::Delete
                    && pivot.value.is_none()
                    && !write.pivots.contains(&other.name);
                if differs || vanishes {
                    let writer = write.pivots.iter().find(|name| **name != other.name).unwrap_or(first);
                    return Err(two_values(&writer.to_string(), &other.name.to_string()));
                }
            }
        }
        Ok(())
    }
}

/// Adds the values of one more pivot to the write of its child.
fn join(write: &mut Write, field: &Field, fields: Vec<(Path, Value)>) -> Result<(), WriteProblem> {
    for (path, value) in fields {
        match write.fields.iter().find(|(one, _)| *one == path) {
            Some((_, other)) if other.canonical() != value.canonical() => {
                return Err(two_values(&field.name.to_string(), &write.pivots[0].to_string()));
            }
            Some(_) => {}
            None => write.fields.push((path, value)),
        }
    }
    write.pivots.push(field.name.clone());
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
