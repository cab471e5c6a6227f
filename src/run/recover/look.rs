//! Looking for what a write without an answer may have made.

use std::sync::Arc;

use super::holds_all;
use crate::http::Pages;
use crate::plan::translate::{same, values_at};
use crate::program::mapping::Register;
use crate::program::system::Resource;
use crate::run::Engine;
use crate::run::read::{PartOf, resources, row_of, wanted};
use crate::store::{RecordRef, RecordRow};
use crate::value::{Side, Value};
use crate::wire;

/// What looking came to.
pub(super) enum Hits {
    /// It is there, once.
    Found(Box<RecordRow>),
    /// It is not there.
    NotThere,
    /// More than one could be it.
    Many(Vec<String>),
    /// Nothing tells it from others.
    Unseen,
}

impl Hits {
    /// What the records that could be it come to.
    pub(super) fn of(mut found: Vec<RecordRow>) -> Hits {
        match found.len() {
            0 => Hits::NotThere,
            1 => Hits::Found(Box::new(found.remove(0))),
            _ => Hits::Many(found.into_iter().map(|row| row.id).collect()),
        }
    }
}

impl Engine {
    /// Looks for a record of a register by its match keys: by the server's filters where it has them.
    pub(super) async fn look_for(
        &self,
        register: &Register,
        side: Side,
        resource: &Arc<Resource>,
        record: &Value,
    ) -> Result<Hits, String> {
        for entry in &register.matching {
            let rows: Vec<_> = entry.iter().map(|index| &register.rows[*index]).collect();
            let wanted_values: Vec<Vec<Value>> =
                rows.iter().map(|row| values_at(row, side, record)).collect();
            if wanted_values.iter().any(|values| values.iter().all(Value::is_empty)) {
                continue;
            }
            let filters: Vec<(String, Value)> = rows
                .iter()
                .zip(&wanted_values)
                .filter_map(|(row, values)| {
                    Some((row.paths(side).first()?.to_string(), values.first()?.clone()))
                })
                .filter(|(field, _)| resource.search.contains_key(field))
                .collect();
            let found = self
                .search(side, resource, &filters, |data| {
                    rows.iter()
                        .zip(&wanted_values)
                        .all(|(row, values)| same(row.compare, &values_at(row, side, data), values))
                })
                .await?;
            let mut free = Vec::new();
            for row in found {
                let mut names: Vec<String> =
                    self.program.documents_with(side, &resource.name).map(str::to_owned).collect();
                names.push(register.name.clone());
                let at = RecordRef { resource: resource.name.clone(), id: row.id.clone() };
                let linked = self
                    .store
                    .read(move |store| {
                        for name in &names {
                            if store.link(name, side, &at)?.is_some() {
                                return Ok(true);
                            }
                        }
                        Ok(false)
                    })
                    .await
                    .map_err(|error| error.to_string())?;
                if !linked {
                    free.push(row);
                }
            }
            let twins = self.program.document(&register.name).is_some_and(|document| document.twins);
            if twins {
                // equal ones that are not linked are as good as each other
                free.truncate(1);
            }
            return Ok(Hits::of(free));
        }
        Ok(Hits::Unseen)
    }

    /// Looks for a child: among the children of its parent, the one that holds what was sent.
    pub(super) async fn look_for_part(
        &self,
        side: Side,
        resource: &Arc<Resource>,
        record: &Value,
    ) -> Result<Hits, String> {
        let Some(part_of) = self.part_of(side, &resource.name) else { return Ok(Hits::NotThere) };
        let parent = part_of.by.get(record).and_then(Value::scalar_text).unwrap_or_default();
        let below = resource.list.as_ref().is_some_and(|list| list.path.fields().next().is_some());
        let fields = wanted(&self.program, side, &resource.name);
        let mut hits = Vec::new();
        let mut pages = Pages::new(&self.clients[side], resource, Vec::new(), below.then_some(record))
            .map_err(|error| error.to_string())?;
        while let Some(page) = pages.next().await.map_err(|error| error.to_string())? {
            for wire_record in &page.records {
                let Ok(Some(mut data)) = self.decoded(side, resource, &fields, wire_record) else { continue };
                if below {
                    part_of.by.set(&mut data, Value::text(parent.clone()));
                }
                if part_of.by.get(&data).and_then(Value::scalar_text).as_deref() == Some(&parent)
                    && holds_all(&data, record)
                {
                    hits.extend(row_of(resource, data, Some(&part_of)));
                }
            }
        }
        if !pages.complete() {
            return Err("the list came incomplete".into());
        }
        Ok(Hits::of(hits))
    }

    pub(super) async fn search(
        &self,
        side: Side,
        resource: &Arc<Resource>,
        filters: &[(String, Value)],
        fits: impl Fn(&Value) -> bool,
    ) -> Result<Vec<RecordRow>, String> {
        let fields = wanted(&self.program, side, &resource.name);
        let query = wire::list_query(resource, None, filters);
        let mut pages =
            Pages::new(&self.clients[side], resource, query, None).map_err(|error| error.to_string())?;
        let mut found = Vec::new();
        while let Some(page) = pages.next().await.map_err(|error| error.to_string())? {
            for wire_record in &page.records {
                if let Ok(Some(data)) = self.decoded(side, resource, &fields, wire_record)
                    && fits(&data)
                {
                    found.extend(row_of(resource, data, None));
                }
            }
        }
        if !pages.complete() {
            return Err("the list came incomplete".into());
        }
        Ok(found)
    }

    pub(in crate::run) fn part_of(&self, side: Side, resource: &str) -> Option<PartOf> {
        resources(&self.program, side, &|_| true)
            .into_iter()
            .find(|(one, _)| one.name == resource)
            .and_then(|(_, part_of)| part_of)
    }
}
