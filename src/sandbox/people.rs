//! What people see and do in a system's own screens: records with their parts in place, and changes of them.

use std::sync::Arc;

use super::calls::within;
use super::data::Problem;
use super::kinds::{checked, flat};
use super::stand::Stand;
use super::table::{id_for, index_text};
use crate::program::system::Resource;
use crate::value::{Map, Path, Value};
use crate::wire;

impl Stand {
    /// The ids of the records that have these values.
    pub fn find(&self, resource: &Resource, of: &Map) -> Vec<String> {
        let wanted: Vec<(Path, Value)> = flat(resource, &Path::root(), of)
            .into_iter()
            .map(|(path, value)| {
                let value = checked(&self.system, resource, &path, &value).unwrap_or(value);
                (path, value)
            })
            .collect();
        let table = self.table(resource);
        // one value that is a field of the record itself narrows it down
        let narrow = wanted.iter().find_map(|(path, value)| {
            let own =
                resource.field_at(path).is_some_and(|(field, rest)| field.pivot.is_none() && rest.is_root());
            let text = index_text(value).filter(|_| own)?;
            Some(table.with(path, &text))
        });
        let rows = narrow.unwrap_or_else(|| table.iter().map(|(row, _)| row).collect());
        rows.into_iter()
            .filter_map(|row| table.get(row))
            .filter(|record| within(resource, record))
            .filter(|record| {
                let record = self.assembled(resource, record);
                wanted.iter().all(|(path, wanted)| {
                    path.get(&record).unwrap_or(&Value::Null).canonical() == wanted.canonical()
                })
            })
            .filter_map(|record| id_for(resource, record))
            .collect()
    }

    /// Changes fields of a record, as a person would. Children are changed, made or removed with it.
    ///
    /// # Errors
    /// What is wrong.
    pub fn edit(&mut self, resource: &Arc<Resource>, id: &str, set: &Map) -> Result<(), String> {
        let table = self.table(resource);
        let Some((row, record)) = table.by_id(id).and_then(|row| Some((row, table.get(row)?.clone()))) else {
            return Err(format!("there is no {} {id}", resource.name));
        };
        let current = self.assembled(resource, &record);
        let (mut changes, mut problems) = (Vec::new(), Vec::new());
        for (path, value) in flat(resource, &Path::root(), set) {
            match checked(&self.system, resource, &path, &value) {
                Ok(value) => changes.push((path, value)),
                Err(found) => problems.extend(found.iter().map(ToString::to_string)),
            }
        }
        if !problems.is_empty() {
            return Err(problems.join("; "));
        }
        let writes = wire::plan_update(&self.system, resource, &current, &changes)
            .map_err(|problem| problem.to_string())?;
        self.tick(1000);
        let said = |problems: Vec<Problem>| {
            problems.into_iter().map(|problem| problem.text).collect::<Vec<_>>().join("; ")
        };
        let mut own = record;
        let mut touched = false;
        for write in writes {
            let Some(of) = self.system.resources.get(&write.resource).cloned() else { continue };
            if write.parent_field.is_none() {
                touched |= !write.fields.is_empty();
                for (path, value) in write.fields {
                    path.set(&mut own, value);
                }
                continue;
            }
            let child = write.child.as_deref().and_then(|child| self.table(&of).by_id(child));
            match child {
                Some(child) if write.effect == wire::WriteEffect::Delete => {
                    self.take_away(&of, child);
                }
                Some(child) => {
                    let mut held = self.table(&of).get(child).cloned().unwrap_or_default();
                    for (path, value) in write.fields {
                        path.set(&mut held, value);
                    }
                    self.keep(&of, held, Some(child)).map_err(said)?;
                }
                None => {
                    let mut held = wire::child_current(resource, &of, &write, &current);
                    for (path, value) in write.fields {
                        path.set(&mut held, value);
                    }
                    self.keep(&of, held, None).map_err(said)?;
                }
            }
        }
        if touched {
            self.keep(resource, own, Some(row)).map_err(said)?;
        }
        Ok(())
    }

    /// Removes a record with its children, as a person would.
    pub fn remove(&mut self, resource: &Resource, id: &str) {
        let Some(row) = self.table(resource).by_id(id) else { return };
        self.tick(1000);
        let Some(record) = self.take_away(resource, row) else { return };
        let Some(key) = resource.key_of(&record) else { return };
        for part in resource.parts.values() {
            let Some(of) = self.system.resources.get(&part.resource).cloned() else { continue };
            for child in self.table(&of).with(&part.by, &key) {
                self.take_away(&of, child);
            }
        }
    }

    /// One record with its children in place.
    pub fn record(&self, resource: &Resource, id: &str) -> Option<Value> {
        let table = self.table(resource);
        table.get(table.by_id(id)?).map(|record| self.assembled(resource, record))
    }

    /// All records of a resource with their children in place.
    pub fn records(&self, resource: &str) -> Vec<Value> {
        let Some(of) = self.system.resources.get(resource) else { return Vec::new() };
        self.table(of)
            .iter()
            .filter(|(_, record)| within(of, record))
            .map(|(_, record)| self.assembled(of, record))
            .collect()
    }

    fn assembled(&self, resource: &Resource, record: &Value) -> Value {
        let mut record = record.clone();
        if resource.parts.is_empty() {
            return record;
        }
        let key = resource.key_of(&record).unwrap_or_default();
        let children = |part: &str| -> Vec<(String, Value)> {
            let Some(part) = resource.parts.get(part) else { return Vec::new() };
            let Some(of) = self.system.resources.get(&part.resource) else { return Vec::new() };
            let table = self.table(of);
            table
                .with(&part.by, &key)
                .into_iter()
                .filter_map(|row| table.get(row))
                .filter_map(|child| Some((id_for(of, child)?, child.clone())))
                .collect()
        };
        // who edits a company by hand means the first
        wire::assemble(resource, &mut record, &children, &|_, all| all.first().map(|id| (*id).to_owned()));
        record
    }
}
