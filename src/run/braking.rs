//! Before the first write: whether the whole plan may go.

use super::{Engine, RunError, brakes};
use crate::plan::Change;

impl Engine {
    /// The brakes look at the whole plan before the first write. `to_come` are new documents that this run makes later.
    pub(super) async fn brake(&self, of: &dyn Fn(&str) -> bool, to_come: u64) -> Result<(), RunError> {
        let mut all = Vec::new();
        for register in self.program.all().filter(|register| of(&register.name)) {
            let name = register.name.clone();
            let (planned, linked) = self
                .store
                .read(move |store| Ok((store.count_changes(&name)?, store.count_links(&name)?)))
                .await?;
            let mut counts = brakes::Counts { linked, ..brakes::Counts::default() };
            for (action, count) in planned {
                match action.as_str() {
                    "create" => counts.create += count,
                    "update" => counts.update += count,
                    "delete" => counts.delete += count,
                    // linking writes, too, where the two differ
                    "link" => counts.update += self.writing_links(&register.name).await?,
                    _ => {}
                }
            }
            all.push((register.name.clone(), counts));
        }
        if to_come > 0 {
            let counts = brakes::Counts { create: to_come, ..brakes::Counts::default() };
            all.push(("in later transfers".to_owned(), counts));
        }
        let held = brakes::check(&self.program.brakes, &all);
        if held.is_empty() || self.options.release_brakes {
            return Ok(());
        }
        let reasons = held
            .into_iter()
            .map(|reason| format!("{reason}. Nothing was written. Look at `mapengine plan`; `--release-brakes` lets this one run go"))
            .collect();
        Err(RunError::Refused { reasons, bad_input: false })
    }

    async fn writing_links(&self, register: &str) -> Result<u64, RunError> {
        let mut after = 0;
        let mut count = 0;
        loop {
            let name = register.to_owned();
            let rows = self.store.read(move |store| store.changes(Some(&name), after, 500)).await?;
            let Some(last) = rows.last() else { return Ok(count) };
            after = last.seq;
            count += rows
                .iter()
                .filter(|row| row.action == "link")
                .filter_map(|row| serde_json::from_str::<Change>(&row.change).ok())
                .filter(Change::writes)
                .count() as u64;
        }
    }
}
