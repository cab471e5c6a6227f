//! Cases: given records and what must come of them, each an in-process run of the engine.

use std::path::Path;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use schemars::JsonSchema;
use serde::Serialize;

use super::check::{answers, open_cases};
use super::expect::step;
use super::harness::{Harness, QuickClock};
use crate::diagnostic::{At, Diagnostics, Sources};
use crate::program::open::Opened;
use crate::run::Options;
use crate::sandbox::Company;
use crate::spec::cases::{Case, Cases};
use crate::spec::sandbox::Sandbox;
use crate::spec::yaml::{List, Table};
use crate::store::{Handle, Link, Mode, RecordRef};
use crate::value::{Map, Side, Value};

/// What the clocks of every case say when it begins.
const NOW: &str = "2026-11-02T08:00:00Z";
/// The same in milliseconds since 1970.
const NOW_MS: i64 = 1_793_606_400_000;

/// How one case ended.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct CaseResult {
    /// What it shows.
    pub case: String,
    /// The rules it stands for.
    pub rules: Vec<String>,
    /// Where it stands.
    pub place: String,
    /// What was not as expected: empty when it holds.
    pub problems: Vec<String>,
}

/// Runs the cases of a file whose name or rules hold `filter`. Findings in the file are pushed.
pub fn run_file(
    path: &Path,
    filter: Option<&str>,
    sources: &mut Sources,
    diagnostics: &mut Diagnostics,
) -> Vec<CaseResult> {
    let Some((cases, opened)) = open_cases(path, sources, diagnostics) else { return Vec::new() };
    let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_time().build() else {
        return Vec::new();
    };
    let mut results = Vec::new();
    for case in cases.cases.iter() {
        let chosen = filter
            .is_none_or(|text| case.case.contains(text) || case.rules.iter().any(|rule| rule.value == text));
        if !chosen {
            continue;
        }
        let problems = runtime.block_on(run_case(&opened, &cases, case, sources));
        results.push(CaseResult {
            case: case.case.value.clone(),
            rules: case.rules.iter().map(|rule| rule.value.clone()).collect(),
            place: sources.place(case.case.span),
            problems,
        });
    }
    results
}

async fn run_case(opened: &Opened, cases: &Cases, case: &Case, sources: &Sources) -> Vec<String> {
    // its settings were looked at before: what is wrong with them has been said
    let Some(program) = opened.program(&answers(cases, case), sources, &mut Diagnostics::new()) else {
        return vec!["it could not be run".into()];
    };
    let data = Sandbox {
        sandbox: At::from(opened.mapping.mapping.value.clone()),
        now: At::from(NOW.to_owned()),
        systems: given(cases, case),
        events: List::default(),
    };
    let company = match Company::new(opened.names.clone(), &program.systems(), &data) {
        Ok(company) => company,
        Err(error) => return error.0.into_iter().map(|problem| format!("given: {problem}")).collect(),
    };
    let store = match Handle::open(Path::new(""), Mode::InMemory) {
        Ok(store) => store,
        Err(error) => return vec![error.to_string()],
    };
    let mut harness = Harness::new(Arc::new(program), company, store, Rc::new(QuickClock::new(NOW_MS)));
    harness.settle_after = Some(Duration::ZERO);
    let mut problems = Vec::new();
    for link in case.links.iter() {
        if let Err(problem) = given_link(&harness, &link.register.value, &link.left, &link.right).await {
            problems.push(format!("links: {problem}"));
        }
    }
    if !problems.is_empty() {
        return problems;
    }
    let names = |only: &List<At<String>>| only.iter().map(|name| name.value.clone()).collect();
    let options = Options { only: names(&case.only), all: case.all, ..Options::default() };
    step(&mut harness, options.clone(), &case.expect, "", &mut problems).await;
    for (i, then) in case.then.iter().enumerate() {
        let name = format!("then {}: ", i + 1);
        for edit in then.edit.iter() {
            if let Err(problem) =
                harness.company.happen(&edit.side, &edit.resource, &edit.of, &edit.set, edit.delete)
            {
                problems.push(format!("{name}{problem}"));
            }
        }
        let mut options = options.clone();
        if let Some(only) = &then.only {
            options.only = names(only);
        }
        step(&mut harness, options, &then.expect, &name, &mut problems).await;
    }
    problems
}

/// The records of the file (without those the case does not want), then those of the case.
fn given(cases: &Cases, case: &Case) -> Table<Table<List<Table<Value>>>> {
    let mut out: Table<Table<List<Table<Value>>>> = Table::default();
    let all =
        cases.given.iter().map(|entry| (entry, true)).chain(case.given.iter().map(|entry| (entry, false)));
    for ((side, resources), shared) in all {
        let at = match out.0.iter().position(|(name, _)| name == side) {
            Some(at) => at,
            None => {
                out.0.push((side.clone(), Table::default()));
                out.0.len() - 1
            }
        };
        for (resource, records) in resources.iter() {
            let dropped = case
                .without
                .iter()
                .any(|name| name.value == resource.value || name.value == format!("{side}.{resource}"));
            if shared && dropped {
                continue;
            }
            let table = &mut out.0[at].1;
            match table.0.iter_mut().find(|(name, _)| name == resource) {
                Some((_, known)) => known.0.extend(records.iter().cloned()),
                None => table.0.push((resource.clone(), records.clone())),
            }
        }
    }
    out
}

pub(super) fn map_of(table: &Table<Value>) -> Map {
    table.iter().map(|(name, value)| (name.value.clone(), value.clone())).collect()
}

async fn given_link(
    harness: &Harness,
    register: &str,
    left: &Table<Value>,
    right: &Table<Value>,
) -> Result<(), String> {
    let Some(compiled) = harness.program.register(register).cloned() else {
        return Err(format!("there is no register `{register}`"));
    };
    let mut ends = Vec::new();
    for (side, of) in [(Side::Left, left), (Side::Right, right)] {
        let stand = harness.company.stands[side].borrow();
        let hit = compiled.ends[side].members.iter().find_map(|member| {
            let id = stand.find(&member.resource, &map_of(of)).into_iter().next()?;
            Some(RecordRef { resource: member.resource.name.clone(), id })
        });
        ends.push(hit.ok_or_else(|| format!("{register}: no {side} record has {}", Value::Map(map_of(of))))?);
    }
    let [left, right] = <[RecordRef; 2]>::try_from(ends).map_err(|_| "two ends".to_owned())?;
    let link = Link {
        register: register.to_owned(),
        left,
        right,
        base: Value::Null,
        since: NOW_MS,
        how: "by_hand".into(),
    };
    harness.store.call(move |store| store.put_link(&link)).await.map_err(|error| error.to_string())
}
