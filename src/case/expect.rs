//! What came of a run, against what a case expects. Every difference is a sentence with both values.

use std::sync::Arc;

use super::cases::map_of;
use super::harness::Harness;
use crate::program::system::Resource;
use crate::run::{Options, Report, RunError};
use crate::sandbox::LoggedWrite;
use crate::spec::cases::{Expect, ExpectRequest};
use crate::spec::yaml::List;
use crate::value::{Path as FieldPath, Side, Value};

/// Runs once, and adds every difference from what is expected.
pub(super) async fn step(
    harness: &mut Harness,
    options: Options,
    expect: &Expect,
    name: &str,
    problems: &mut Vec<String>,
) {
    for side in Side::BOTH {
        harness.company.stands[side].borrow_mut().clear_log();
    }
    let report = match (harness.run(options).await, &expect.refused) {
        (Err((RunError::Refused { reasons, .. }, report)), Some(wanted)) => {
            let text = reasons.join("\n");
            if !text.contains(&wanted.value) {
                problems.push(format!("{name}refused, but not with {:?}:\n{text}", wanted.value));
            }
            *report
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
    let report = &report;
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
    // what is refused is refused before anything is written
    let none = List::default();
    if let Some(wanted) = expect.requests.as_ref().or(expect.refused.as_ref().map(|_| &none)) {
        requests(harness, wanted, name, problems);
    }
}

fn counts(expect: &Expect, report: &Report, name: &str, problems: &mut Vec<String>) {
    for (register, wanted) in expect.counts.iter() {
        let actual = report.registers.get(&register.value).copied().unwrap_or_default();
        for (word, number, found) in [
            ("linked", wanted.linked, actual.linked),
            ("created", wanted.created, actual.created),
            ("updated", wanted.updated, actual.updated),
            ("deleted", wanted.deleted, actual.deleted),
            ("unchanged", wanted.unchanged, actual.unchanged),
            ("waiting", wanted.waiting, actual.waiting),
            ("set_aside", wanted.set_aside, actual.set_aside),
            ("in_doubt", wanted.in_doubt, actual.in_doubt),
            ("pairs", wanted.pairs, actual.pairs),
        ] {
            if let Some(number) = number.filter(|number| *number != found) {
                let why: Vec<&str> = report
                    .set_aside
                    .iter()
                    .chain(&report.waiting)
                    .filter(|entry| entry.register == register.value)
                    .map(|entry| entry.reason.as_str())
                    .collect();
                let why = if why.is_empty() { String::new() } else { format!(": {}", why.join(" | ")) };
                problems.push(format!("{name}{register}.{word}: expected {number}, was {found}{why}"));
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
                && request.file.as_ref().is_none_or(|name| write.file.as_deref() == Some(&*name.value))
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
                let file = request.file.as_ref().map(|file| format!(" with the file {file}"));
                problems.push(format!(
                    "{name}expected {} {}{}; sent was: {}",
                    request.side,
                    request.call,
                    file.unwrap_or_default(),
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
    let file = write.file.as_ref().map(|name| format!(" with the file {name}")).unwrap_or_default();
    format!("{} {}{file} {}", write.method, write.path, write.body.to_json())
}
