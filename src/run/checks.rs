//! Checks: asked before anything is written; every one that fails is shown.

use super::decider::Decider;
use super::{Engine, RunError};
use crate::plan::decide;
use crate::program::mapping::CheckKind;
use crate::program::system::ErrorClass;
use crate::store::Which;
use crate::value::{Side, Value};

/// How many records of one check are named.
const NAMED: usize = 5;

/// Where it is kept that the systems let us read what is used: the program's hash and the time.
const ACCESS_FACT: &str = "access";
/// How long that holds.
const ACCESS_FOR_MS: i64 = 3_600_000;

impl Engine {
    fn asked(&self, check: &crate::program::mapping::Check) -> bool {
        let root =
            Value::Map(crate::value::Map::from([("settings".to_owned(), self.program.answers.clone())]));
        check.when.as_ref().is_none_or(|when| when.holds(&root).unwrap_or(true))
    }

    /// One read of each resource that is used must be allowed (F-1). It is asked again after an hour, after a run that failed, and by
    /// another mapping: a page of each list is much for a run every few minutes.
    pub(super) async fn check_access(&self) -> Result<(), RunError> {
        if !self.program.checks.iter().any(|check| matches!(check.kind, CheckKind::Access(_))) {
            return Ok(());
        }
        let (now, hash) = (self.clock.now_ms(), self.program.hash.clone());
        let found = self.store.read(|store| store.fact(ACCESS_FACT)).await?;
        let at = found.as_deref().and_then(|fact| fact.strip_prefix(&hash)?.trim().parse::<i64>().ok());
        if !self.options.full && at.is_some_and(|at| (0..ACCESS_FOR_MS).contains(&(now - at))) {
            return Ok(());
        }
        self.ask_for_access().await?;
        self.store.call(move |store| store.set_fact(ACCESS_FACT, Some(&format!("{hash} {now}")))).await?;
        Ok(())
    }

    /// The next run asks for access again.
    pub(super) async fn doubt_access(&self) -> Result<(), RunError> {
        self.store.call(|store| store.set_fact(ACCESS_FACT, None)).await?;
        Ok(())
    }

    async fn ask_for_access(&self) -> Result<(), RunError> {
        let mut reasons = Vec::new();
        for check in &self.program.checks {
            let CheckKind::Access(sides) = &check.kind else { continue };
            if !self.asked(check) {
                continue;
            }
            for side in sides {
                for (resource, _) in super::read::resources(&self.program, *side, &|_| true) {
                    if resource.list.as_ref().is_none_or(|list| list.path.fields().next().is_some()) {
                        continue;
                    }
                    let mut pages =
                        crate::http::Pages::new(&self.clients[*side], &resource, Vec::new(), None)?;
                    if let Err(error) = pages.next().await {
                        match error.class {
                            ErrorClass::FeatureMissing => {
                                self.note(
                                    "feature_missing",
                                    format!("{}: {error}", self.program.sides[*side].name),
                                );
                            }
                            ErrorClass::NotAllowed => {
                                let text = check
                                    .otherwise
                                    .as_ref()
                                    .and_then(|text| text.render(&Value::Map(crate::value::Map::new())).ok())
                                    .unwrap_or_default();
                                reasons.push(format!(
                                    "check `{}`: {text} ({}: {error})",
                                    check.id, resource.name
                                ));
                            }
                            _ => return Err(error.into()),
                        }
                    }
                }
            }
        }
        refuse(reasons)
    }

    /// Conditions over settings and facts.
    pub(super) fn check_facts(&self, decider: &Decider) -> Result<(), RunError> {
        let root = decider.context().root(None, None, None);
        let mut reasons = Vec::new();
        for check in &self.program.checks {
            let CheckKind::That(that) = &check.kind else { continue };
            if !self.asked(check) {
                continue;
            }
            let holds = that.holds(&root).map_err(|error| {
                RunError::failed(format!("check `{}`: {error} ({})", check.id, check.origin.text))
            })?;
            if !holds {
                let text = check.otherwise.as_ref().map_or(Ok(String::new()), |text| text.render(&root));
                reasons.push(format!(
                    "check `{}`: {}",
                    check.id,
                    text.unwrap_or_else(|error| error.to_string())
                ));
            }
        }
        refuse(reasons)
    }

    /// Conditions over each record: on the first run they refuse, later the records concerned are set aside.
    pub(super) async fn check_records(&self, decider: &Decider) -> Result<(), RunError> {
        let mut reasons = Vec::new();
        for check in &self.program.checks {
            let CheckKind::Each { register, side, that } = &check.kind else { continue };
            let Some(register) = self.program.register(register).filter(|_| self.asked(check)) else {
                continue;
            };
            let side: Side = *side;
            let mut failed: Vec<String> = Vec::new();
            for member in &register.ends[side].members {
                let mut after = String::new();
                loop {
                    let (name, from) = (member.resource.name.clone(), after.clone());
                    let of = decider.clone();
                    let records = self
                        .store
                        .read(move |store| {
                            let rows = store.records(side, &name, Which::Dirty, &from, 500)?;
                            rows.into_iter()
                                .map(|row| of.assembled(store, side, &name, row))
                                .collect::<crate::store::Result<Vec<_>>>()
                        })
                        .await?;
                    let Some(last) = records.last() else { break };
                    after = last.at.id.clone();
                    for record in records {
                        if !decide::in_scope(&decider.context(), register, side, &record).unwrap_or(false) {
                            continue;
                        }
                        let (left, right) = match side {
                            Side::Left => (Some(&record.data), None),
                            Side::Right => (None, Some(&record.data)),
                        };
                        let root = decider.context().root(left, right, Some(side));
                        if !that.holds(&root).unwrap_or(false) {
                            let text =
                                check.otherwise.as_ref().map_or(Ok(String::new()), |text| text.render(&root));
                            failed.push(text.unwrap_or_else(|error| error.to_string()));
                        }
                    }
                }
            }
            if failed.is_empty() {
                continue;
            }
            let more = failed.len().saturating_sub(NAMED);
            failed.truncate(NAMED);
            let more = if more > 0 { format!("; and {more} more") } else { String::new() };
            reasons.push(format!("check `{}`: {}{more}", check.id, failed.join("; ")));
        }
        refuse(reasons)
    }
}

fn refuse(reasons: Vec<String>) -> Result<(), RunError> {
    if reasons.is_empty() { Ok(()) } else { Err(RunError::Refused { reasons, bad_input: false }) }
}
