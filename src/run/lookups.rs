//! The records that lookups go through, read once per run and kept in memory: countries, currencies, terms.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use crate::http::{CallError, Client, Pages};
use crate::plan::translate::normal;
use crate::program::mapping::{Compare, Program};
use crate::program::system::{ErrorClass, Field, Lookup, Resource, System};
use crate::value::{Map, Side, Value};
use crate::wire::{self, LookupProblem, Lookups};

/// One side's lookup tables.
#[derive(Clone, Debug, Default)]
pub struct Tables {
    tables: BTreeMap<String, Arc<Table>>,
}

/// The records of one resource.
#[derive(Debug, Default)]
struct Table {
    /// In the order of their list, with their keys.
    rows: Vec<(String, Value)>,
    /// Where each key is first.
    at: HashMap<String, usize>,
}

impl Table {
    fn new(rows: Vec<(String, Value)>) -> Table {
        let mut at = HashMap::with_capacity(rows.len());
        for (index, (key, _)) in rows.iter().enumerate() {
            at.entry(key.clone()).or_insert(index);
        }
        Table { rows, at }
    }
}

impl Tables {
    /// Whether this resource is looked up in.
    pub fn holds(&self, resource: &str) -> bool {
        self.tables.contains_key(resource)
    }

    /// Reads every resource that a needed field looks up in.
    ///
    /// # Errors
    /// The first read that fails.
    pub async fn read(program: &Program, side: Side, client: &Client) -> Result<Tables, CallError> {
        let system = &program.sides[side].system;
        let mut wanted: BTreeSet<String> = BTreeSet::new();
        for (name, fields) in &program.needs[side] {
            if let Some(resource) = system.resources.get(name) {
                for field in &resource.fields {
                    if fields.contains(&field.name.to_string()) {
                        collect(field, &mut wanted);
                    }
                }
            }
        }
        Tables::default().with(system, client, wanted).await
    }

    /// The same with these resources read anew.
    ///
    /// # Errors
    /// The first read that fails.
    pub async fn with(
        mut self,
        system: &Arc<System>,
        client: &Client,
        names: impl IntoIterator<Item = String>,
    ) -> Result<Tables, CallError> {
        for name in names {
            let Some(resource) = system.resources.get(&name) else { continue };
            let rows = match read_all(system, resource, client).await {
                // nothing is found in what the company lacks: what needs it says so by itself
                Err(error) if error.class == ErrorClass::FeatureMissing => Vec::new(),
                other => other?,
            };
            self.tables.insert(name, Arc::new(Table::new(rows)));
        }
        Ok(self)
    }
}

fn collect(field: &Field, wanted: &mut BTreeSet<String>) {
    if let Some(lookup) = &field.lookup {
        wanted.insert(lookup.target.resource.clone());
    }
    for member in &field.fields {
        collect(member, wanted);
    }
}

fn looks_up(field: &Field) -> bool {
    field.lookup.is_some() || field.fields.iter().any(looks_up)
}

/// Every record of a resource with its key, without what is looked up elsewhere: nothing looks that up through it (the compiler
/// refuses chains).
pub(super) async fn read_all(
    system: &Arc<System>,
    resource: &Arc<Resource>,
    client: &Client,
) -> Result<Vec<(String, Value)>, CallError> {
    let mut pages = Pages::new(client, resource, Vec::new(), None)?;
    let plain: BTreeSet<String> =
        resource.fields.iter().filter(|field| !looks_up(field)).map(|field| field.name.to_string()).collect();
    let mut rows = Vec::new();
    while let Some(page) = pages.next().await? {
        for wire_record in page.records {
            if matches!(wire::removed(system, resource, &wire_record, &Tables::default()), Ok(Some(_))) {
                continue;
            }
            if let Ok(record) = wire::decode(system, resource, Some(&plain), &wire_record, &Tables::default())
                && let Some(key) = resource.key_of(&record)
            {
                rows.push((key, record));
            }
        }
    }
    Ok(rows)
}

impl Lookups for Tables {
    fn by_key(&self, resource: &str, key: &str) -> Option<Value> {
        let table = self.tables.get(resource)?;
        Some(table.rows[*table.at.get(key)?].1.clone())
    }

    fn find(&self, lookup: &Lookup, value: &Value) -> Result<String, LookupProblem> {
        let wanted = normal(Compare::Exact, value);
        let hits: Vec<&str> = self
            .tables
            .get(&lookup.target.resource)
            .into_iter()
            .flat_map(|table| &table.rows)
            .filter(|(_, record)| {
                lookup.target.field.get(record).is_some_and(|found| normal(Compare::Exact, found) == wanted)
                    && lookup.only_where.as_ref().is_none_or(|only| {
                        let root = match record {
                            Value::Map(map) => Value::Map(map.clone()),
                            _ => Value::Map(Map::new()),
                        };
                        only.holds(&root).unwrap_or(false)
                    })
            })
            .map(|(key, _)| key.as_str())
            .collect();
        match hits[..] {
            [one] => Ok(one.to_owned()),
            [] => Err(LookupProblem::None),
            _ => Err(LookupProblem::Many(hits.into_iter().map(str::to_owned).collect())),
        }
    }
}
