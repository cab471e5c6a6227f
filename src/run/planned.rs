//! What was planned: told, compared with a saved plan, and counted where nothing is carried out.

use super::{Engine, Entry, Event, RunError};
use crate::plan::{Action, Change};

impl Engine {
    /// Tells the listener every planned change, and drops those that a saved plan does not hold.
    pub(super) async fn show_changes(&self, of: &dyn Fn(&str) -> bool) -> Result<(), RunError> {
        let mut after = 0;
        let mut kept = Vec::new();
        let mut skipped = 0_u64;
        loop {
            let rows = self.store.read(move |store| store.changes(None, after, 500)).await?;
            let Some(last) = rows.last() else { break };
            after = last.seq;
            for row in rows {
                if !of(&row.register) {
                    continue;
                }
                let Ok(change) = serde_json::from_str::<Change>(&row.change) else { continue };
                match &self.options.saved {
                    Some(saved) if change.writes() && !saved.contains(&change.fingerprint()) => {
                        skipped += 1;
                        self.report.borrow_mut().notes.push(Entry {
                            register: change.register.clone(),
                            record: change.label.clone(),
                            code: "moved".into(),
                            reason: "it is not as it was planned any more: skipped".into(),
                        });
                    }
                    Some(_) => kept.push(row),
                    // the record that a run is about is told as a whole
                    None if self.options.record.is_some() => {}
                    None => self.tell(Event::Change(Box::new(change))),
                }
            }
        }
        if self.options.saved.is_some() && skipped > 0 {
            self.store
                .call(move |store| {
                    store.clear_plan()?;
                    store.add_changes(&kept)
                })
                .await?;
        }
        Ok(())
    }

    /// A plan is counted as if it had been carried out.
    pub(super) async fn count_plan(&self) -> Result<(), RunError> {
        let mut after = 0;
        loop {
            let rows = self.store.read(move |store| store.changes(None, after, 500)).await?;
            let Some(last) = rows.last() else { return Ok(()) };
            after = last.seq;
            for row in rows {
                let Ok(change) = serde_json::from_str::<Change>(&row.change) else { continue };
                let mut report = self.report.borrow_mut();
                let entry = |code: &str, reason: &str| Entry {
                    register: change.register.clone(),
                    record: change.label.clone(),
                    code: code.to_owned(),
                    reason: reason.to_owned(),
                };
                let counts = report.registers.entry(row.register.clone()).or_default();
                match &change.action {
                    Action::Link => counts.linked += 1,
                    Action::Create { .. } => counts.created += 1,
                    Action::Update => counts.updated += 1,
                    Action::Delete { .. } => counts.deleted += 1,
                    Action::Wait { reason } => {
                        counts.waiting += 1;
                        let entry = entry("waiting", reason);
                        report.waiting.push(entry);
                    }
                    Action::SetAside { code, reason, .. } => {
                        counts.set_aside += 1;
                        let entry = entry(code, reason);
                        report.set_aside.push(entry);
                    }
                    Action::Nothing | Action::Unlink => {}
                }
                for note in &change.notes {
                    let entry = entry(&note.kind, &note.text);
                    report.notes.push(entry);
                }
            }
        }
    }
}
