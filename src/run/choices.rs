//! Settings whose answers are values of a system (`from: erp.item_class.id`): an answer that does not stand there any more is told
//! before the first write, not by every record that it makes wrong.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::sync::Arc;

use super::{Engine, RunError, lookups};
use crate::diagnostic::suggest;
use crate::http::{CallError, Client};
use crate::program::system::{ErrorClass, Resource, System};
use crate::program::types::Type;
use crate::value::{Path, Side, Value};

/// How many of the possible answers are named.
const NAMED: usize = 8;

/// The records whose values a setting may be answered with; none of a resource that is not switched on, or that has no list.
pub(super) async fn possible(
    system: &Arc<System>,
    resource: &Arc<Resource>,
    client: &Client,
) -> Result<Vec<Value>, CallError> {
    if resource.list.is_none() {
        return Ok(Vec::new());
    }
    match lookups::read_all(system, resource, client).await {
        Ok(rows) => Ok(rows.into_iter().map(|(_, record)| record).collect()),
        Err(error) if error.class == ErrorClass::FeatureMissing => Ok(Vec::new()),
        Err(error) => Err(error),
    }
}

/// The answers that a system has for a setting, each with something that tells what it is, in the order of its list.
///
/// # Errors
/// Where the system cannot be asked.
pub async fn answers_of(
    system: &Arc<System>,
    resource: &str,
    field: &Path,
    client: &Client,
) -> Result<Vec<(String, Option<String>)>, CallError> {
    let Some(resource) = system.resources.get(resource) else { return Ok(Vec::new()) };
    let told = resource.fields.iter().find(|one| one.ty == Type::Text && one.name != *field);
    let records = possible(system, resource, client).await?;
    let answer = |record: &Value| {
        let value = field.get(record)?.scalar_text()?;
        let told = told.and_then(|told| told.name.get(record)?.scalar_text());
        Some((value, told.filter(|text| !text.is_empty())))
    };
    Ok(records.iter().filter_map(answer).collect())
}

impl Engine {
    /// Looks the answers up where the mapping or the settings are new: once, not in every run.
    pub(super) async fn check_choices(&self) -> Result<(), RunError> {
        let known = self.store.read(|store| store.fact("program")).await?;
        if known.as_deref() == Some(&self.program.hash) {
            return Ok(());
        }
        let mut records: BTreeMap<(Side, &str), Vec<Value>> = BTreeMap::new();
        let mut reasons = Vec::new();
        for setting in self.program.settings.values() {
            let Some((side, resource, field)) = &setting.from else { continue };
            let Some(answer) = self.program.answers.get(&setting.name).and_then(Value::scalar_text) else {
                continue;
            };
            if answer.is_empty() && !setting.required {
                continue; // left open
            }
            let system = &self.program.sides[*side].system;
            let Some(found) = system.resources.get(resource) else { continue };
            let key = (*side, resource.as_str());
            if let Entry::Vacant(place) = records.entry(key) {
                place.insert(possible(system, found, &self.clients[*side]).await?);
            }
            let values: Vec<String> =
                records[&key].iter().filter_map(|record| field.get(record)?.scalar_text()).collect();
            if values.is_empty() || values.contains(&answer) {
                continue;
            }
            let help = match suggest(&answer, values.iter().map(String::as_str)) {
                Some(near) => format!("did you mean '{near}'?"),
                None => {
                    let more = if values.len() > NAMED { ", …" } else { "" };
                    format!("there are {}{more}", values[..values.len().min(NAMED)].join(", "))
                }
            };
            reasons.push(format!(
                "setting `{}` is '{answer}', but no {resource} of {} has this {field}: {help}",
                setting.name, self.program.sides[*side].name
            ));
        }
        if reasons.is_empty() { Ok(()) } else { Err(RunError::Refused { reasons, bad_input: true }) }
    }
}
