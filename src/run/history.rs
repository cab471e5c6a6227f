//! What the state keeps of a run as a whole.

use super::{Engine, Report, RunError};
use crate::store::RunRow;
use crate::value::Value;

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
