//! Cases: given records and what must come of them, each an in-process run of the engine.

use std::path::Path;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use super::harness::{Harness, QuickClock};
use crate::diagnostic::{At, Diagnostic, Diagnostics, Sources, codes};
use crate::program::mapping_compile::Answers;
use crate::program::open::Opened;
use crate::program::system::Resource;
use crate::run::{Options, Report, RunError};
use crate::sandbox::{Company, LoggedWrite};
use crate::spec::cases::{Case, Cases, Expect, ExpectRequest};
use crate::spec::load::load_cases;
use crate::spec::sandbox::Sandbox;
use crate::spec::yaml::{List, Table};
use crate::store::{Handle, Link, Mode, RecordRef};
use crate::value::{Map, Path as FieldPath, Side, Value};

/// What the clocks of every case say when it begins.
const NOW: &str = "2026-11-02T08:00:00Z";
/// The same in milliseconds since 1970.
const NOW_MS: i64 = 1_793_606_400_000;

/// How one case ended.
#[derive(Clone, Debug)]
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
    let Some(cases) = load_cases(sources, path, diagnostics) else { return Vec::new() };
    let mapping = path.parent().unwrap_or(Path::new("")).join(&cases.mapping.value);
    let Some(opened) = Opened::read(&mapping, sources, diagnostics) else { return Vec::new() };
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
        let problems = runtime.block_on(run_case(&opened, &cases, case, sources, diagnostics));
        results.push(CaseResult {
            case: case.case.value.clone(),
            rules: case.rules.iter().map(|rule| rule.value.clone()).collect(),
            place: sources.place(case.case.span),
            problems,
        });
    }
    results
}

async fn run_case(
    opened: &Opened,
    cases: &Cases,
    case: &Case,
    sources: &Sources,
    diagnostics: &mut Diagnostics,
) -> Vec<String> {
    let answers: Vec<(&str, &At<Value>)> = cases
        .settings
        .iter()
        .chain(case.settings.iter())
        .map(|(name, value)| (name.value.as_str(), value))
        .collect();
    let mut found = Diagnostics::new();
    let program = opened.program(&Answers::Case(answers), sources, &mut found);
    let Some(program) = program else {
        let said: Vec<String> = found.into_iter().map(|one| one.message.clone()).collect();
        diagnostics.push(Diagnostic::error(
            &codes::BAD_CASE,
            case.case.span,
            format!("its settings do not work: {}", said.join("; ")),
        ));
        return vec!["it could not be run".into()];
    };
    let data = Sandbox {
        sandbox: At::from(opened.mapping.mapping.value.clone()),
        now: At::from(NOW.to_owned()),
        systems: given(cases, case),
        events: List::default(),
    };
    let company = match Company::new(opened.names.clone(), &opened.systems, &data) {
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
    step(&mut harness, &case.expect, "", &mut problems).await;
    for (i, then) in case.then.iter().enumerate() {
        let name = format!("then {}: ", i + 1);
        for edit in then.edit.iter() {
            if let Err(problem) =
                harness.company.happen(&edit.side, &edit.resource, &edit.of, &edit.set, edit.delete)
            {
                problems.push(format!("{name}{problem}"));
            }
        }
        step(&mut harness, &then.expect, &name, &mut problems).await;
    }
    problems
}

/// The records of the file (without those the case does not want), then those of the case.
fn given(cases: &Cases, case: &Case) -> Table<Table<List<At<Value>>>> {
    let mut out: Table<Table<List<At<Value>>>> = Table::default();
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

fn map_of(table: &Table<Value>) -> Map {
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

async fn step(harness: &mut Harness, expect: &Expect, name: &str, problems: &mut Vec<String>) {
    for side in Side::BOTH {
        harness.company.stands[side].borrow_mut().clear_log();
    }
    let outcome = harness.run(Options::default()).await;
    let report = match (&outcome, &expect.refused) {
        (Err((RunError::Refused { reasons, .. }, _)), Some(wanted)) => {
            let text = reasons.join("\n");
            if !text.contains(&wanted.value) {
                problems.push(format!("{name}refused, but not with {:?}:\n{text}", wanted.value));
            }
            return;
        }
        (Err((error, _)), _) => {
            problems.push(format!("{name}the run failed: {error}"));
            return;
        }
        (Ok(_), Some(wanted)) => {
            problems.push(format!("{name}expected to be refused with {:?}, but it ran", wanted.value));
            return;
        }
        (Ok(report), None) => report,
    };
    counts(expect, report, name, problems);
    records(harness, expect, name, problems);
    let missing: Vec<String> = report.missing_codes.iter().map(ToString::to_string).collect();
    let said: Vec<&str> = report
        .set_aside
        .iter()
        .chain(&report.waiting)
        .chain(&report.notes)
        .chain(&report.in_doubt)
        .map(|entry| entry.reason.as_str())
        .chain(missing.iter().map(String::as_str))
        .collect();
    for wanted in expect.messages.iter() {
        if !said.iter().any(|text| text.contains(&wanted.value)) {
            problems.push(format!("{name}nothing said {:?}; said was: {}", wanted.value, said.join(" | ")));
        }
    }
    if let Some(requests) = &expect.requests {
        self::requests(harness, requests, name, problems);
    }
}

fn counts(expect: &Expect, report: &Report, name: &str, problems: &mut Vec<String>) {
    for (register, wanted) in expect.counts.iter() {
        let actual = report.registers.get(&register.value).copied().unwrap_or_default();
        for (word, number) in wanted.iter() {
            let found = match word.value.as_str() {
                "linked" => actual.linked,
                "created" => actual.created,
                "updated" => actual.updated,
                "deleted" => actual.deleted,
                "unchanged" => actual.unchanged,
                "waiting" => actual.waiting,
                "set_aside" => actual.set_aside,
                "in_doubt" => actual.in_doubt,
                other => {
                    problems.push(format!("{name}{register} has no count `{other}`"));
                    continue;
                }
            };
            if found != *number {
                let why: Vec<&str> = report
                    .set_aside
                    .iter()
                    .chain(&report.waiting)
                    .filter(|entry| entry.register == register.value)
                    .map(|entry| entry.reason.as_str())
                    .collect();
                problems.push(format!(
                    "{name}{register}.{word}: expected {number}, was {found} {}",
                    why.join(" | ")
                ));
            }
        }
    }
}

fn records(harness: &Harness, expect: &Expect, name: &str, problems: &mut Vec<String>) {
    for wanted in expect.records.iter() {
        let Some(side) = harness.program.side(&wanted.side) else {
            problems.push(format!("{name}`{}` is no side", wanted.side));
            continue;
        };
        let stand = harness.company.stands[side].borrow();
        let Some(resource): Option<Arc<Resource>> =
            stand.system().resources.get(&wanted.resource.value).cloned()
        else {
            problems.push(format!("{name}{} has no resource {}", wanted.side, wanted.resource));
            continue;
        };
        let ids = stand.find(&resource, &map_of(&wanted.of));
        let count = wanted.count.unwrap_or(1);
        if ids.len() as u64 != count {
            let of = Value::Map(map_of(&wanted.of));
            problems.push(format!(
                "{name}{} {} with {of}: expected {count}, found {}",
                wanted.side,
                wanted.resource,
                ids.len()
            ));
            continue;
        }
        for id in ids {
            let record = stand.record(&resource, &id).unwrap_or_default();
            for (field, value) in wanted.is.iter() {
                let actual = FieldPath::parse(field)
                    .ok()
                    .and_then(|path| path.get(&record).cloned())
                    .unwrap_or_default();
                let same = if value.is_empty() { actual.is_empty() } else { alike(&actual, value) };
                if !same {
                    problems.push(format!(
                        "{name}{} {} {field}: expected {value}, was {actual}",
                        wanted.side, wanted.resource
                    ));
                }
            }
        }
    }
}

/// Amounts may be written as text in a case.
fn alike(actual: &Value, wanted: &Value) -> bool {
    actual.canonical() == wanted.canonical()
        || matches!((actual, wanted), (Value::Number(number), Value::Text(text)) if crate::value::parse_decimal(text) == Some(*number))
}

fn requests(harness: &Harness, wanted: &List<ExpectRequest>, name: &str, problems: &mut Vec<String>) {
    let mut sent: Vec<(Side, LoggedWrite)> = Vec::new();
    for side in Side::BOTH {
        sent.extend(harness.company.stands[side].borrow().log().iter().cloned().map(|write| (side, write)));
    }
    for request in wanted.iter() {
        let fits = |(side, write): &(Side, LoggedWrite)| {
            harness.program.sides[*side].name == request.side.value
                && format!("{} {}", write.method, write.path) == request.call.value
                && request.body.as_ref().is_none_or(|body| body.value.canonical() == write.body.canonical())
                && request.holds.iter().all(|(path, value)| {
                    FieldPath::parse(path)
                        .ok()
                        .and_then(|path| path.get(&write.body).cloned())
                        .is_some_and(|found| alike(&found, value))
                })
        };
        match sent.iter().position(fits) {
            Some(at) => {
                sent.remove(at);
            }
            None => {
                let all: Vec<String> = sent.iter().map(|(_, write)| shown(write)).collect();
                problems.push(format!(
                    "{name}expected {} {}; sent was: {}",
                    request.side,
                    request.call,
                    all.join(" | ")
                ));
            }
        }
    }
    for (side, write) in sent {
        problems.push(format!("{name}not expected: {} {}", harness.program.sides[side].name, shown(&write)));
    }
}

fn shown(write: &LoggedWrite) -> String {
    format!("{} {} {}", write.method, write.path, write.body.to_json())
}
