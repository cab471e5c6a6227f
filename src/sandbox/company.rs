//! Both systems of a mapping with one company's records, kept between runs in a folder of their own.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use indexmap::IndexMap;
use sha2::{Digest, Sha256};

use super::serve::{Served, serve};
use super::stand::Stand;
use super::table::Series;
use crate::plan::change::hex;
use crate::program::system::System;
use crate::spec::sandbox::{Event, Sandbox};
use crate::spec::yaml::Table;
use crate::value::{Both, Map, Side, Value, from_json_str};

/// What made-up ids are made of: the same in every run.
const SEED: u64 = 1;

/// What cannot be made of a sandbox file.
#[derive(Clone, Debug)]
pub struct CompanyError(pub Vec<String>);

impl std::fmt::Display for CompanyError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0.join("\n"))
    }
}

impl std::error::Error for CompanyError {}

/// Both stand-ins, and what happens between runs.
pub struct Company {
    names: Both<String>,
    /// The stand-ins.
    pub stands: Both<Rc<RefCell<Stand>>>,
    events: Vec<Event>,
    folder: Option<PathBuf>,
    seed: String,
    runs: u32,
}

/// The credentials of the sandbox: made up, or the declared default.
pub fn credentials(system: &System) -> BTreeMap<String, String> {
    system
        .credentials
        .iter()
        .map(|credential| {
            let value = credential
                .default
                .clone()
                .unwrap_or_else(|| format!("sandbox-{}", credential.name.replace('_', "-")));
            (credential.name.clone(), value)
        })
        .collect()
}

impl Company {
    /// Adds a rule of faults to both stand-ins; see [`super::Faults::add`].
    ///
    /// # Errors
    /// What is wrong with it. A resource that neither system has would never strike.
    pub fn add_fault(&self, text: &str) -> Result<(), String> {
        if let Some(resource) = super::Faults::resource_of(text)? {
            let systems = Side::BOTH.map(|side| Arc::clone(self.stands[side].borrow().system()));
            let names = || systems.iter().flat_map(|system| system.resources.keys()).map(String::as_str);
            if !names().any(|name| name == resource) {
                let near = crate::diagnostic::suggest(&resource, names());
                let known: Vec<String> = Side::BOTH
                    .into_iter()
                    .zip(&systems)
                    .map(|(side, system)| {
                        let names: Vec<&str> = system.resources.keys().map(String::as_str).collect();
                        format!("{} has {}", self.names[side], names.join(", "))
                    })
                    .collect();
                let help = near.map_or_else(String::new, |near| format!(", did you mean `{near}`?"));
                return Err(format!("there is no resource `{resource}`{help} ({})", known.join("; ")));
            }
        }
        for side in Side::BOTH {
            self.stands[side].borrow_mut().faults.add(text)?;
        }
        Ok(())
    }

    /// The company of a sandbox file, in memory only.
    ///
    /// # Errors
    /// Everything that is wrong with its records.
    pub fn new(
        names: Both<String>,
        systems: &Both<Arc<System>>,
        data: &Sandbox,
    ) -> Result<Company, CompanyError> {
        let now = data.now.value.parse::<jiff::Timestamp>().map_err(|_| {
            CompanyError(vec![format!("now: `{}` is no time (write 2026-11-02T08:00:00Z)", data.now)])
        })?;
        let mut problems = Vec::new();
        for name in data.systems.keys() {
            if name != names.left && name != names.right {
                problems.push(format!("`{name}` is no side of the mapping"));
            }
        }
        let mut stands: Vec<Option<Stand>> = Vec::new();
        for side in Side::BOTH {
            let records = data.systems.get(&names[side]).map(records_of).unwrap_or_default();
            match Stand::seeded(
                Arc::clone(&systems[side]),
                &credentials(&systems[side]),
                &records,
                now.as_millisecond(),
                SEED,
            ) {
                Ok(stand) => stands.push(Some(stand)),
                Err(found) => {
                    problems.extend(found.into_iter().map(|problem| format!("{}: {problem}", names[side])));
                    stands.push(None);
                }
            }
        }
        let mut stands = stands.into_iter().flatten();
        match (stands.next(), stands.next(), problems.is_empty()) {
            (Some(left), Some(right), true) => Ok(Company {
                names,
                stands: Both { left: Rc::new(RefCell::new(left)), right: Rc::new(RefCell::new(right)) },
                events: data.events.0.clone(),
                folder: None,
                seed: String::new(),
                runs: 0,
            }),
            _ => Err(CompanyError(problems)),
        }
    }

    /// The company as the last run left it, or as its file says where there was none, the file has changed, or
    /// `fresh` is asked for. The second value says whether it begins anew: then the engine's state must, too.
    ///
    /// # Errors
    /// Everything that is wrong with its records; the folder's own trouble.
    pub fn open(
        names: Both<String>,
        systems: &Both<Arc<System>>,
        data: &Sandbox,
        text: &str,
        folder: &Path,
        fresh: bool,
    ) -> Result<(Company, bool), CompanyError> {
        let seed = hex(&Sha256::digest(text.as_bytes())[..8]);
        let mut company = Company::new(names, systems, data)?;
        company.folder = Some(folder.to_owned());
        company.seed.clone_from(&seed);
        let kept = std::fs::read_to_string(folder.join("company.json"))
            .ok()
            .and_then(|text| from_json_str(&text).ok());
        if let Some(kept) =
            kept.filter(|kept| !fresh && kept.get("seed").and_then(Value::as_text) == Some(&seed))
        {
            company.restore(&kept, systems);
            return Ok((company, false));
        }
        Ok((company, true))
    }

    fn restore(&mut self, kept: &Value, systems: &Both<Arc<System>>) {
        let number = |value: Option<&Value>| match value {
            Some(Value::Number(number)) => i64::try_from(*number).unwrap_or(0),
            _ => 0,
        };
        self.runs = u32::try_from(number(kept.get("runs"))).unwrap_or(0);
        for side in Side::BOTH {
            let Some(side_kept) = kept.get(&side.to_string()) else { continue };
            let mut stand = Stand::bare(
                Arc::clone(&systems[side]),
                &credentials(&systems[side]),
                number(side_kept.get("now")),
                SEED,
            );
            for (name, made) in side_kept.get("made").and_then(Value::as_map).into_iter().flatten() {
                stand.made.insert(name.clone(), u64::try_from(number(Some(made))).unwrap_or(0));
            }
            for (name, records) in side_kept.get("records").and_then(Value::as_map).into_iter().flatten() {
                let Some(resource) = systems[side].resources.get(name) else { continue };
                for record in records.as_list().unwrap_or_default() {
                    stand.learn(resource, record);
                    stand.table_mut(resource).insert(resource, record.clone());
                }
            }
            for (name, left) in side_kept.get("left").and_then(Value::as_map).into_iter().flatten() {
                let Some(resource) = systems[side].resources.get(name) else { continue };
                for one in left.as_list().unwrap_or_default() {
                    stand.table_mut(resource).insert_left(one.clone());
                }
            }
            // also numbers of records that are gone are not given again
            for (name, fields) in side_kept.get("series").and_then(Value::as_map).into_iter().flatten() {
                let Some(resource) = systems[side].resources.get(name) else { continue };
                for (field, last) in fields.as_map().into_iter().flatten() {
                    if let Some(series) = last.as_text().and_then(Series::of) {
                        stand.table_mut(resource).series.insert(field.clone(), series);
                    }
                }
            }
            for (name, keys) in side_kept.get("keys").and_then(Value::as_map).into_iter().flatten() {
                for (key, id) in keys.as_map().into_iter().flatten() {
                    if let Some([Value::Text(id), Value::Text(hash)]) = id.as_list() {
                        stand.keys.insert((name.clone(), key.clone()), (id.clone(), hash.clone()));
                    }
                }
            }
            *self.stands[side].borrow_mut() = stand;
        }
    }

    /// Keeps the company for the next run.
    ///
    /// # Errors
    /// The folder's own trouble.
    pub fn save(&self) -> std::io::Result<()> {
        let Some(folder) = &self.folder else { return Ok(()) };
        let mut out = Map::new();
        out.insert("seed".into(), Value::text(self.seed.clone()));
        out.insert("runs".into(), Value::from(i64::from(self.runs)));
        for side in Side::BOTH {
            let stand = self.stands[side].borrow();
            let records: Map = stand
                .tables
                .iter()
                .map(|(name, table)| {
                    (name.clone(), Value::List(table.iter().map(|(_, record)| record.clone()).collect()))
                })
                .collect();
            let left: Map = stand
                .tables
                .iter()
                .filter(|(_, table)| !table.left().is_empty())
                .map(|(name, table)| (name.clone(), Value::List(table.left().values().cloned().collect())))
                .collect();
            let series: Map = stand
                .tables
                .iter()
                .filter(|(_, table)| !table.series.is_empty())
                .map(|(name, table)| {
                    let last =
                        table.series.iter().map(|(field, one)| (field.clone(), Value::Text(one.last())));
                    (name.clone(), Value::Map(last.collect()))
                })
                .collect();
            let mut keys = Map::new();
            for ((name, key), (id, hash)) in &stand.keys {
                let of = keys.entry(name.clone()).or_insert_with(|| Value::Map(Map::new()));
                if let Value::Map(of) = of {
                    let made = [id, hash].map(|text| Value::text(text.clone()));
                    of.insert(key.clone(), Value::List(made.to_vec()));
                }
            }
            let kept = Map::from([
                ("keys".to_owned(), Value::Map(keys)),
                ("now".to_owned(), Value::from(stand.now_ms)),
                (
                    "made".to_owned(),
                    Value::Map(stand.made.iter().map(|(name, n)| (name.clone(), Value::from(*n))).collect()),
                ),
                ("series".to_owned(), Value::Map(series)),
                ("records".to_owned(), Value::Map(records)),
                ("left".to_owned(), Value::Map(left)),
            ]);
            out.insert(side.to_string(), Value::Map(kept));
        }
        std::fs::create_dir_all(folder)?;
        let path = folder.join("company.json");
        let part = folder.join("company.json.part");
        std::fs::write(&part, Value::Map(out).to_json())?;
        std::fs::rename(part, path)
    }

    /// Lets happen what happens before the next run. Answers what a person would say of it.
    ///
    /// # Errors
    /// An event that cannot happen.
    pub fn before_run(&mut self) -> Result<Vec<String>, CompanyError> {
        self.runs += 1;
        let mut said = Vec::new();
        let mut problems = Vec::new();
        for event in self.events.iter().filter(|event| event.before_run == self.runs) {
            match self.happen(&event.side, &event.resource, &event.of, &event.set, event.delete) {
                Ok(()) => said.push(event.say.clone()),
                Err(_) if event.optional => {}
                Err(problem) => {
                    problems.push(format!("before run {}: {}: {problem}", event.before_run, event.say))
                }
            }
        }
        if problems.is_empty() { Ok(said) } else { Err(CompanyError(problems)) }
    }

    /// Serves both stand-ins over HTTP on 127.0.0.1; port 0 is a free one.
    ///
    /// # Errors
    /// Where a port cannot be had, or somebody else still holds a stand-in.
    pub fn serve(self, ports: Both<u16>) -> std::io::Result<Both<Served>> {
        let one = |stand: Rc<RefCell<Stand>>, port| match Rc::try_unwrap(stand) {
            Ok(stand) => serve(stand.into_inner(), port, Duration::ZERO),
            Err(_) => Err(std::io::Error::other("the stand-in is still in use in this process")),
        };
        let Both { left, right } = self.stands;
        Ok(Both { left: one(left, ports.left)?, right: one(right, ports.right)? })
    }

    /// The number of the run that is going on.
    pub fn run_number(&self) -> u32 {
        self.runs
    }

    /// Something a person does in one of the systems: changes, makes or removes records.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn happen(
        &self,
        side: &str,
        resource: &str,
        of: &Table<Value>,
        set: &Table<Value>,
        delete: bool,
    ) -> Result<(), String> {
        let Some(side) = Side::BOTH.into_iter().find(|one| self.names[*one] == side) else {
            return Err(format!("`{side}` is no side of the mapping"));
        };
        let mut stand = self.stands[side].borrow_mut();
        let Some(found) = stand.system().resources.get(resource).cloned() else {
            return Err(format!("{} has no resource {resource}", self.names[side]));
        };
        let of = map_of(of);
        let set = map_of(set);
        stand.tick(60_000);
        if of.is_empty() {
            return stand.insert(&found, &Value::Map(set)).map_err(|problems| problems.join("; "));
        }
        let ids = stand.find(&found, &of);
        if ids.is_empty() {
            return Err(format!("there is no {resource} with {}", Value::Map(of)));
        }
        for id in ids {
            if delete {
                stand.remove(&found, &id);
            } else {
                stand.edit(&found, &id, &set)?;
            }
        }
        Ok(())
    }
}

/// A table of the YAML as a map.
fn map_of(table: &Table<Value>) -> Map {
    table.iter().map(|(name, value)| (name.value.clone(), value.clone())).collect()
}

fn records_of(resources: &Table<crate::spec::yaml::List<Table<Value>>>) -> IndexMap<String, Vec<Value>> {
    resources
        .iter()
        .map(|(name, records)| {
            (name.value.clone(), records.iter().map(|record| Value::Map(map_of(record))).collect())
        })
        .collect()
}
