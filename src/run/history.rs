//! What the state keeps of a run as a whole.

use super::outcome::told;
use super::{Engine, Report, RunError};
use crate::plan::Change;
use crate::program::document::Document;
use crate::store::{EventRow, Link, RunRow};
use crate::value::{Map, Value};

impl Engine {
    pub(super) fn history_row(&self, started: i64, ended: Option<i64>, report: Value) -> RunRow {
        RunRow {
            id: self.run_id.clone(),
            started,
            ended,
            verb: self.report.borrow().verb.clone(),
            program: self.program.hash.clone(),
            report,
        }
    }

    /// What happened to a record, for the history.
    pub(super) async fn tell_history(
        &self,
        register: &str,
        left: Option<String>,
        right: Option<String>,
        what: &str,
        detail: Map,
    ) -> Result<(), RunError> {
        let event = EventRow {
            run: self.run_id.clone(),
            at: self.clock.now_ms(),
            register: register.to_owned(),
            left,
            right,
            what: what.to_owned(),
            detail: Value::Map(detail),
        };
        Ok(self.store.call(move |store| store.add_event(&event)).await?)
    }

    /// That a document was made, with what it was made of.
    pub(super) async fn tell_made(
        &self,
        document: &Document,
        change: &Change,
        link: &Link,
    ) -> Result<(), RunError> {
        let target = document.target();
        let mut detail = told(&self.program.sides[target].name, &change.fields[target]);
        for embed in change.embeds.iter().filter(|embed| !embed.found.is_empty()) {
            let names = embed.found.iter().map(|file| Value::text(file.name.clone()));
            detail.insert(format!("files in {}", embed.at), Value::List(names.collect()));
        }
        let (left, right) = (Some(link.left.id.clone()), Some(link.right.id.clone()));
        self.tell_history(&link.register, left, right, "created", detail).await
    }

    pub(super) async fn end_history(
        &self,
        started: i64,
        report: &Report,
        outcome: &Result<(), RunError>,
    ) -> Result<(), RunError> {
        let text = serde_json::to_string(report).map_err(|error| RunError::failed(error.to_string()))?;
        let mut value =
            crate::value::from_json_str(&text).map_err(|error| RunError::failed(error.to_string()))?;
        if let Value::Map(map) = &mut value {
            // the lists are in the state already, record by record
            for list in ["set_aside", "waiting", "notes", "record"] {
                map.shift_remove(list);
            }
            if let Err(error) = outcome {
                map.insert("error".into(), Value::text(error.to_string()));
            }
        }
        let row = self.history_row(started, Some(self.clock.now_ms()), value);
        self.store.call(move |store| store.put_run(&row)).await?;
        Ok(())
    }
}
