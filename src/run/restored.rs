//! A state that may have forgotten something: a backup, or a state of another lineage (reliability 4.7).
//!
//! Everything is read and matched anew. A write that was under way when the state was lost may still arrive, so that nothing is sent
//! before the settle time is over; what is matched is linked meanwhile. The doubt ends with a whole run after that.

use super::apply::{Became, Stop};
use super::{Engine, RunError};
use crate::value::Side;

/// Since when the state is in doubt, in milliseconds since 1970, and which doubt that is: a backup may bring an older one along.
const SINCE: &str = "doubt_since";

impl Engine {
    /// Whether this run's state may have forgotten something; notes from when on it may write.
    pub(super) async fn look_for_doubt(&self) -> Result<bool, RunError> {
        if self.options.plan_only {
            return Ok(self.store.origin().is_doubtful());
        }
        if !self.store.is_doubtful().await? {
            return Ok(false);
        }
        let now = self.clock.now_ms();
        let doubt = serde_json::to_string(&self.store.origin()).unwrap_or_default();
        let since = self
            .store
            .call(move |store| {
                let known = store.fact(SINCE)?;
                let known = known.as_deref().and_then(|text| text.split_once(' '));
                if let Some((since, _)) = known.filter(|(_, of)| *of == doubt.as_str())
                    && let Ok(since) = since.parse::<i64>()
                {
                    return Ok(since);
                }
                store.set_fact(SINCE, Some(&format!("{now} {doubt}")))?;
                Ok(now)
            })
            .await?;
        let settle = Side::BOTH.map(|side| self.clients[side].settle_after()).into_iter().max();
        let settle = i64::try_from(settle.unwrap_or_default().as_millis()).unwrap_or(i64::MAX);
        let until = since.saturating_add(settle);
        if now < until {
            self.quiet_until.set(Some(until));
            self.note(
                "restored",
                format!(
                    "the state may have forgotten what was sent last: nothing is sent before {}",
                    shown(until)
                ),
            );
        }
        Ok(true)
    }

    /// A whole run that was allowed to write ends the doubt: what was forgotten is known again.
    pub(super) async fn end_doubt(&self) -> Result<(), RunError> {
        let part = !self.options.only.is_empty() || self.options.record.is_some();
        if part || self.options.plan_only || self.quiet_until.get().is_some() {
            return Ok(());
        }
        self.store.call(|store| store.set_fact(SINCE, None)).await?;
        Ok(self.store.origin_settled().await?)
    }

    /// Holds a write back while something that was sent before may still arrive, and to the end of a run that began in that time:
    /// what it has read does not show what arrived later.
    pub(super) fn may_send(&self) -> Result<(), Stop> {
        match self.quiet_until.get() {
            Some(until) => Err(Stop::Change(Became::Waiting(format!(
                "the state may have forgotten what was sent last: nothing is sent before {}",
                shown(until)
            )))),
            None => Ok(()),
        }
    }
}

fn shown(milliseconds: i64) -> String {
    let at = jiff::Timestamp::from_millisecond(milliseconds).unwrap_or(jiff::Timestamp::MAX);
    at.strftime("%Y-%m-%d %H:%M:%S UTC").to_string()
}
