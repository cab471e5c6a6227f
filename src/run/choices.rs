//! Settings whose answers are values of a system (`from: erp.item_class.id`): an answer that does not stand there any more is told
//! before the first write, not by every record that it makes wrong.

use std::collections::BTreeMap;

use super::{Engine, RunError, lookups};
use crate::diagnostic::suggest;
use crate::program::system::ErrorClass;
use crate::value::{Side, Value};

/// How many of the possible answers are named.
const NAMED: usize = 8;

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
            let system = &self.program.sides[*side].system;
            let Some(found) = system.resources.get(resource) else { continue };
            if found.list.is_none() {
                continue;
            }
            if !records.contains_key(&(*side, resource.as_str())) {
                let rows = match lookups::read_all(system, found, &self.clients[*side]).await {
                    Ok(rows) => rows.into_iter().map(|(_, record)| record).collect(),
                    // what is not switched on has no values to compare with: the records say so
                    Err(error) if error.class == ErrorClass::FeatureMissing => Vec::new(),
                    Err(error) => return Err(error.into()),
                };
                records.insert((*side, resource), rows);
            }
            let values: Vec<String> = records[&(*side, resource.as_str())]
                .iter()
                .filter_map(|record| field.get(record)?.scalar_text())
                .collect();
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
