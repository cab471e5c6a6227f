//! `report`: what the state knows, for people who answer for the documents.

mod reconcile;
mod table;

use std::collections::BTreeSet;
use std::sync::Arc;

use schemars::JsonSchema;
use serde::Serialize;

use super::args::{FailedArgs, ReconcileArgs, ReportArgs, ReportFormat, ReportKind};
use super::place::{self, Opening};
use super::{Exit, Terminal, running};
use crate::plan::Record;
use crate::plan::reckon::Period;
use crate::program::document::{Document, Step};
use crate::run::{changed_at, failed_fact};
use crate::store::{Firsts, Handle, IntentState, Mode, RecordRef, StoreError, Which};
use crate::value::{Both, Decimal, Side, Value, from_json_str};
pub use reconcile::ReconcileReport;
pub(super) use table::{Cell, Table};

/// The documents that cannot go on (`report failed --format json`).
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct FailedReport {
    /// The mapping.
    pub mapping: String,
    /// The names of its two sides.
    pub sides: [String; 2],
    /// When this was made (RFC 3339).
    pub made: String,
    /// When the last run that looked at both systems began; none: there was none yet.
    pub as_of: Option<String>,
    /// The documents, longest first.
    pub documents: Vec<FailedDocument>,
}

/// A document that cannot go on.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct FailedDocument {
    /// Its document in the mapping.
    pub document: String,
    /// What a person calls it.
    pub label: String,
    /// The side of the record that is named.
    pub side: String,
    /// The id of its record there.
    pub id: String,
    /// The amount on the first side that `verify` compares, as text; none: no such check, or the record is not there.
    pub left_amount: Option<String>,
    /// The same on the second side.
    pub right_amount: Option<String>,
    /// The code of the reason; `in_doubt` for a write whose outcome nobody knows; `status` for a document that has the status of
    /// failed ones, and no reason is kept.
    pub code: String,
    /// The reason.
    pub reason: String,
    /// Since when (RFC 3339); empty where nobody knows.
    pub since: String,
    /// How many times it was tried.
    pub attempts: u32,
}

fn time(ms: i64) -> String {
    jiff::Timestamp::from_millisecond(ms).map_or_else(|_| String::new(), |time| time.to_string())
}

/// `report`.
pub(super) fn report(terminal: &Terminal, args: &ReportArgs) -> Exit {
    let told = match &args.kind {
        ReportKind::Failed(args) => failed(terminal, args),
        ReportKind::Reconcile(args) => reconciled(terminal, args),
    };
    told.unwrap_or_else(|exit| exit)
}

fn stopped(terminal: &Terminal, error: impl std::fmt::Display) -> Exit {
    terminal.say(format_args!("error: {error}"));
    Exit::Failed
}

fn failed(terminal: &Terminal, args: &FailedArgs) -> Result<Exit, Exit> {
    let opening = place::open(terminal, &args.target)?;
    let store = Handle::open(&opening.state, Mode::ReadOnly).map_err(|error| stopped(terminal, error))?;
    let report = failed_report(&opening, &store).map_err(|error| stopped(terminal, error))?;
    if args.format == ReportFormat::Table && report.documents.is_empty() {
        terminal.line("no document has failed");
    } else {
        terminal.text(&formatted(terminal, args.format, &report, &failed_table(&report))?);
    }
    Ok(Exit::Done)
}

fn reconciled(terminal: &Terminal, args: &ReconcileArgs) -> Result<Exit, Exit> {
    let mut opening = place::open(terminal, &args.target)?;
    opening.program = Arc::new(opening.program.for_report());
    let program = &opening.program;
    let names: Vec<&str> = program.documents.iter().map(|document| document.register.name.as_str()).collect();
    let unknown = args.document.as_deref().filter(|name| !names.contains(name));
    if names.is_empty() || unknown.is_some() {
        terminal.say(match unknown {
            Some(name) if !names.is_empty() => {
                format!("error: there is no document `{name}`; there are: {}", names.join(", "))
            }
            _ => "error: the mapping has no documents".to_owned(),
        });
        return Err(Exit::BadInput);
    }
    let period =
        Period { since: args.since.map(|day| day.to_string()), until: args.until.map(|day| day.to_string()) };
    let (looked, store) = running::look(terminal, &opening, &period)?;
    // what is noted of a record of a register is no matter of documents
    let of_reading = looked.notes.into_iter().filter(|note| note.register.is_empty());
    let notes: Vec<String> = of_reading.map(|note| note.reason).collect();
    for note in &notes {
        terminal.say(format_args!("warning: {note}"));
    }
    let mut firsts = Firsts::read(&opening.state).map_err(|error| stopped(terminal, error))?;
    let complete = notes.is_empty();
    let program = Arc::clone(program);
    let asked = reconcile::Asked {
        only: args.document.clone(),
        period,
        read: jiff::Timestamp::now().as_millisecond(),
        notes,
    };
    let (report, firsts) = store
        .read_blocking(move |store| {
            let report = reconcile::reconcile(&program, store, asked, &mut firsts)?;
            Ok((report, firsts))
        })
        .map_err(|error| stopped(terminal, error))?;
    // where the reading was not complete, what seems to be gone may be there
    if complete && let Err(error) = firsts.keep() {
        terminal.say(format_args!("warning: when differences were seen first is not kept: {error}"));
    }
    let text = formatted(terminal, args.format, &report, &reconcile::table(&report))?;
    match &args.out {
        Some(path) => std::fs::write(path, text)
            .map_err(|error| stopped(terminal, format_args!("{}: {error}", path.display())))?,
        None => terminal.text(&text),
    }
    Ok(Exit::Done)
}

fn formatted(
    terminal: &Terminal,
    format: ReportFormat,
    report: &impl Serialize,
    table: &Table,
) -> Result<String, Exit> {
    match format {
        ReportFormat::Json => serde_json::to_string_pretty(report)
            .map(|text| text + "\n")
            .map_err(|error| stopped(terminal, error)),
        ReportFormat::Csv => Ok(table.csv()),
        ReportFormat::Html => table.html().map_err(|error| stopped(terminal, error)),
        ReportFormat::Table => Ok(table.text()),
    }
}

fn failed_report(opening: &Opening, store: &Handle) -> Result<FailedReport, StoreError> {
    let program = &opening.program;
    let (rows, open, runs) =
        store.read_blocking(|store| Ok((store.set_aside(None)?, store.open_intents()?, store.runs(100)?)))?;
    let mut found: Vec<(i64, FailedDocument)> = Vec::new();
    for row in rows {
        let Some(document) = program.document(&row.register) else { continue };
        let amounts = amounts(document, |side| row.values.get(&program.sides[side].name));
        found.push((
            row.since,
            FailedDocument {
                document: row.register,
                label: row.label,
                side: program.sides[row.side].name.clone(),
                id: row.id,
                left_amount: amounts.left,
                right_amount: amounts.right,
                code: row.code,
                reason: row.reason,
                since: time(row.since),
                attempts: row.attempts,
            },
        ));
    }
    for intent in open.into_iter().filter(|intent| intent.state == IntentState::InDoubt) {
        if program.document(&intent.register).is_none() {
            continue;
        }
        let (side, id) = match (intent.target, intent.source) {
            (Some(id), _) => (intent.side, id),
            (None, Some(source)) => (intent.side.other(), source.id),
            (None, None) => (intent.side, String::new()),
        };
        found.push((
            intent.sent_at,
            FailedDocument {
                document: intent.register,
                label: id.clone(),
                side: program.sides[side].name.clone(),
                id,
                left_amount: None,
                right_amount: None,
                code: "in_doubt".into(),
                reason: format!("write {}: {}", intent.id, intent.outcome),
                since: time(intent.sent_at),
                attempts: intent.attempt,
            },
        ));
    }
    for document in &program.documents {
        let known: BTreeSet<String> = found
            .iter()
            .filter(|(_, one)| one.document == document.register.name)
            .map(|(_, one)| one.id.clone())
            .collect();
        found.extend(by_status(opening, store, document, &known)?);
    }
    found.sort_by_key(|(since, _)| *since);
    Ok(FailedReport {
        mapping: program.name.clone(),
        sides: Side::BOTH.map(|side| program.sides[side].name.clone()),
        made: time(jiff::Timestamp::now().as_millisecond()),
        as_of: runs
            .iter()
            .find(|run| run.verb != "recover" && run.ended.is_some())
            .map(|run| time(run.started)),
        documents: found.into_iter().map(|(_, one)| one).collect(),
    })
}

/// The source records that have the status of failed ones, but for those whose reason is known: a person has set it, or the state
/// was lost.
fn by_status(
    opening: &Opening,
    store: &Handle,
    document: &Arc<Document>,
    known: &BTreeSet<String>,
) -> Result<Vec<(i64, FailedDocument)>, StoreError> {
    let (side, name) = (document.source, document.register.name.clone());
    let fact = failed_fact(&name);
    let failed = store.read_blocking(move |store| store.fact(&fact))?;
    let failed = failed.and_then(|text| from_json_str(&text).ok());
    let failed: Vec<Value> =
        failed.iter().filter_map(Value::as_list).flatten().map(Value::canonical).collect();
    let Some(flow) = document.flow.as_ref().filter(|_| !failed.is_empty()) else { return Ok(Vec::new()) };
    let mut found = Vec::new();
    for member in &document.register.ends[side].members {
        let mut after = String::new();
        loop {
            let (resource, from) = (member.resource.name.clone(), after.clone());
            let rows =
                store.read_blocking(move |store| store.records(side, &resource, Which::All, &from, 500))?;
            let Some(last) = rows.last() else { break };
            after = last.row.id.clone();
            for row in rows.into_iter().map(|stored| stored.row) {
                let status = flow.field.get(&row.data).cloned().unwrap_or_default();
                if known.contains(&row.id) || !failed.contains(&status.canonical()) {
                    continue;
                }
                let since = changed_at(&member.resource, &row.data);
                let since = since.and_then(|text| text.parse::<jiff::Timestamp>().ok());
                let amounts = amounts(document, |one| (one == side).then_some(&row.data));
                let at = RecordRef { resource: member.resource.name.clone(), id: row.id.clone() };
                let record =
                    Record { at, hash: row.hash, data: row.data, changed_at: None, exists: Value::Null };
                found.push((
                    since.map_or(0, jiff::Timestamp::as_millisecond),
                    FailedDocument {
                        document: name.clone(),
                        label: crate::plan::label(&document.register, side, &record),
                        side: opening.program.sides[side].name.clone(),
                        id: row.id,
                        left_amount: amounts.left,
                        right_amount: amounts.right,
                        code: "status".into(),
                        reason: "it has the status of failed documents, and no reason is kept: somebody has set it".into(),
                        since: since.map_or_else(String::new, |since| since.to_string()),
                        attempts: 0,
                    },
                ));
            }
        }
    }
    Ok(found)
}

/// The two amounts that the document's check compares.
fn amounts<'v>(document: &Document, record: impl Fn(Side) -> Option<&'v Value>) -> Both<Option<String>> {
    let check = document.steps.iter().find_map(|step| match step {
        Step::Verify(verify) => Some(verify),
        _ => None,
    });
    Both::of(|side| match check?.equal[side].get(record(side)?)? {
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    })
}

fn failed_table(report: &FailedReport) -> Table {
    let number =
        |text: &Option<String>| Cell::Number(text.as_ref().and_then(|text| text.parse::<Decimal>().ok()));
    let [left, right] = &report.sides;
    Table {
        title: format!("{}: documents that failed", report.mapping),
        made: match &report.as_of {
            Some(at) => format!("as of the run of {at}"),
            None => "no run yet".to_owned(),
        },
        columns: ["document", "label", "side", "id", left, right, "code", "since", "attempts", "reason"]
            .map(str::to_owned)
            .to_vec(),
        rows: report
            .documents
            .iter()
            .map(|one| {
                vec![
                    Cell::Text(one.document.clone()),
                    Cell::Text(one.label.clone()),
                    Cell::Text(one.side.clone()),
                    Cell::Text(one.id.clone()),
                    number(&one.left_amount),
                    number(&one.right_amount),
                    Cell::Text(one.code.clone()),
                    Cell::Text(one.since.clone()),
                    Cell::Number(Some(one.attempts.into())),
                    Cell::Text(one.reason.clone()),
                ]
            })
            .collect(),
    }
}
