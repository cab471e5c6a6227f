//! `report reconcile`: the documents of both systems side by side, read anew.

use std::collections::{BTreeMap, HashMap};

use schemars::JsonSchema;
use serde::Serialize;

use super::table::{Cell, Table};
use crate::plan::{Action, Change};
use crate::program::document::{Document, Step, Verify};
use crate::program::mapping::Program;
use crate::store::{Intent, IntentState, RecordRef, Store, StoreError, StoredRecord, Which};
use crate::value::{Decimal, Side, Value};

/// How many records are looked at at once.
const CHUNK: usize = 500;

/// The documents of both systems side by side (`report reconcile --format json`).
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct ReconcileReport {
    /// The mapping.
    pub mapping: String,
    /// The names of its two sides.
    pub sides: [String; 2],
    /// When both systems were read (RFC 3339).
    pub read: String,
    /// What the reading could not do, for people. Where there is any, "missing" may be wrong.
    pub notes: Vec<String>,
    /// Every document, in the order of the mapping.
    pub documents: Vec<ReconciledDocument>,
    /// Sums of each document, kind and currency.
    pub totals: Vec<ControlTotal>,
}

/// How a document stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// In both, and the amounts are the same.
    Equal,
    /// In both; the mapping compares no amounts of it (`verify`).
    Linked,
    /// In both; the amounts are apart, within what `verify` allows.
    WithinTolerance,
    /// In both; the amounts or currencies differ, or one amount is not there.
    Differs,
    /// Linked; its record on the first side is not there any more.
    GoneLeft,
    /// Linked; its record on the second side is not there any more.
    GoneRight,
    /// Linked; neither record is there any more.
    GoneBoth,
    /// Only on the side it comes from: it goes with the next run.
    ToBeMade,
    /// Only on the side it comes from: it waits.
    Waiting,
    /// Only on the side it comes from: a person has to look.
    SetAside,
    /// Only on the side it comes from, as far as is known: a write has no answer.
    InDoubt,
    /// Only on the side it comes from: the mapping does not take it.
    NotInScope,
    /// Only on the side that is written to, and equal to a linked one in every field of `find_again`.
    Duplicate,
    /// Only on the side that is written to: nothing of this mapping is linked to it.
    Unknown,
}

impl Standing {
    /// Its name, as in JSON.
    fn name(self) -> String {
        serde_json::to_value(self).ok().and_then(|name| Some(name.as_str()?.to_owned())).unwrap_or_default()
    }
}

/// One document.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct ReconciledDocument {
    /// Its document in the mapping.
    pub document: String,
    /// What it is on the side that is written to: a resource.
    pub kind: String,
    /// How it stands.
    pub status: Standing,
    /// The currency that `verify` compares; none: no such check, not there, or not the same on both sides.
    pub currency: Option<String>,
    /// The id on the first side.
    pub left: Option<String>,
    /// The id on the second side.
    pub right: Option<String>,
    /// The amount on the first side that `verify` compares, as text.
    pub left_amount: Option<String>,
    /// The same on the second side.
    pub right_amount: Option<String>,
    /// The first less the second, as text; where a minus does not count (`sign: ignore`), of both without it.
    pub difference: Option<String>,
    /// Since when it is linked or set aside, or when the write in doubt was sent (RFC 3339).
    pub since: Option<String>,
    /// Why.
    pub reason: Option<String>,
}

/// What the documents of one kind and currency come to. Those that are not in scope do not count.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct ControlTotal {
    /// The document in the mapping.
    pub document: String,
    /// What they are on the side that is written to: a resource.
    pub kind: String,
    /// The currency; none: of those whose currency is not known. Nothing is added up then.
    pub currency: Option<String>,
    /// How many there are on the first side.
    pub left_count: u64,
    /// How many there are on the second side.
    pub right_count: u64,
    /// The sum on the first side, as text; where a minus does not count (`sign: ignore`), without it.
    pub left_sum: Option<String>,
    /// The same on the second side.
    pub right_sum: Option<String>,
    /// The first less the second, as text.
    pub difference: Option<String>,
    /// How many records have no amount and are in no sum.
    pub without_amount: u64,
}

#[derive(Default)]
struct Sums {
    counts: [u64; 2],
    sums: [Decimal; 2],
    without: u64,
}

type Totals = BTreeMap<(usize, String, Option<String>), Sums>;

/// What one side says of a document.
#[derive(Default)]
struct Half {
    there: bool,
    amount: Option<Decimal>,
    currency: Option<String>,
}

/// Everything that a fresh plan has left in a copy of the state.
pub(super) fn reconcile(
    program: &Program,
    store: &dyn Store,
    only: Option<&str>,
    read: String,
    notes: Vec<String>,
) -> Result<ReconcileReport, StoreError> {
    let mut documents = Vec::new();
    let mut totals = Totals::new();
    let mut in_doubt = store.open_intents()?;
    in_doubt.retain(|intent| intent.state == IntentState::InDoubt);
    for (index, document) in program.documents.iter().enumerate() {
        if only.is_none_or(|name| name == document.register.name) {
            let look = Look { program, store, document, in_doubt: &in_doubt };
            look.all(&mut |one, halves| {
                if one.status != Standing::NotInScope {
                    add(&mut totals, index, look.verify(), &one, halves)?;
                }
                documents.push(one);
                Ok(())
            })?;
        }
    }
    let totals = totals
        .into_iter()
        .map(|((index, kind, currency), sums)| {
            // without a currency nobody knows whether these may be added up
            let sum = |sum: Decimal| currency.as_ref().map(|_| sum.to_string());
            Ok(ControlTotal {
                document: program.documents[index].register.name.clone(),
                kind,
                left_count: sums.counts[0],
                right_count: sums.counts[1],
                left_sum: sum(sums.sums[0]),
                right_sum: sum(sums.sums[1]),
                difference: sum(less(sums.sums[0], sums.sums[1])?),
                without_amount: sums.without,
                currency,
            })
        })
        .collect::<Result<_, StoreError>>()?;
    let sides = Side::BOTH.map(|side| program.sides[side].name.clone());
    Ok(ReconcileReport { mapping: program.name.clone(), sides, read, notes, documents, totals })
}

fn add(
    totals: &mut Totals,
    index: usize,
    verify: Option<&Verify>,
    one: &ReconciledDocument,
    halves: &[Half; 2],
) -> Result<(), StoreError> {
    for (i, half) in halves.iter().enumerate().filter(|(_, half)| half.there) {
        let sums = totals.entry((index, one.kind.clone(), half.currency.clone())).or_default();
        sums.counts[i] += 1;
        match half.amount {
            Some(amount) if half.currency.is_some() => {
                let sum = sums.sums[i].checked_add(counted(verify, amount));
                sums.sums[i] = sum.ok_or_else(too_large)?;
            }
            _ => sums.without += 1,
        }
    }
    Ok(())
}

fn counted(verify: Option<&Verify>, amount: Decimal) -> Decimal {
    if verify.is_some_and(|verify| verify.ignore_sign) { amount.abs() } else { amount }
}

fn less(one: Decimal, other: Decimal) -> Result<Decimal, StoreError> {
    one.checked_sub(other).ok_or_else(too_large)
}

fn too_large() -> StoreError {
    StoreError("the amounts are too large to be added up exactly".to_owned())
}

struct Look<'l> {
    program: &'l Program,
    store: &'l dyn Store,
    document: &'l Document,
    in_doubt: &'l [Intent],
}

type Sink<'s> = &'s mut dyn FnMut(ReconciledDocument, &[Half; 2]) -> Result<(), StoreError>;

impl Look<'_> {
    fn verify(&self) -> Option<&Verify> {
        self.document.steps.iter().find_map(|step| match step {
            Step::Verify(verify) => Some(verify),
            _ => None,
        })
    }

    fn all(&self, sink: Sink) -> Result<(), StoreError> {
        let made = self.linked(sink)?;
        for member in &self.document.register.ends[self.document.source].members {
            self.each(self.document.source, &member.resource.name, &mut |row| {
                let (one, halves) = self.only_source(&member.resource.name, row)?;
                sink(one, &halves)
            })?;
        }
        let target = self.document.target();
        for member in &self.document.register.ends[target].members {
            let resource = &member.resource.name;
            self.each(target, resource, &mut |row| {
                let mut one = self.blank(resource.clone(), Standing::Unknown);
                let twin = self.found_by(resource, &row.data).and_then(|key| made.get(&key));
                one.reason = Some("nothing of this mapping is linked to it".to_owned());
                if let Some(id) = twin {
                    one.status = Standing::Duplicate;
                    one.reason = Some(format!("equal to {id} in all fields of `find_again`: made twice?"));
                }
                let halves = self.halves(target, &row.data);
                self.fill(&mut one, target, &row.id, &halves);
                sink(one, &halves)
            })?;
        }
        Ok(())
    }

    /// The linked ones. Answers the ids on the side that is written to, by what they are found again by.
    fn linked(&self, sink: Sink) -> Result<HashMap<Vec<String>, String>, StoreError> {
        let (name, target) = (&self.document.register.name, self.document.target());
        let mut made = HashMap::new();
        let mut after = String::new();
        loop {
            let links = self.store.links(name, &after, CHUNK)?;
            let Some(last) = links.last() else { return Ok(made) };
            after.clone_from(&last.left.id);
            for link in links {
                let mut one = self.blank(link.on(target).resource.clone(), Standing::Equal);
                let mut halves = [Half::default(), Half::default()];
                for (side, half) in Side::BOTH.into_iter().zip(&mut halves) {
                    if let Some(row) = self.present(side, link.on(side))? {
                        *half = self.half(side, &row.data);
                        if side == target
                            && let Some(key) = self.found_by(&one.kind, &row.data)
                        {
                            made.insert(key, row.id.clone());
                        }
                    }
                }
                for side in Side::BOTH {
                    self.fill(&mut one, side, &link.on(side).id, &halves);
                }
                one.since = Some(super::time(link.since));
                self.compare(&mut one, &halves)?;
                let source = link.on(self.document.source);
                if let Some((_, reason, _)) = self.told(source)? {
                    one.reason.get_or_insert(reason);
                }
                sink(one, &halves)?;
            }
        }
    }

    fn compare(&self, one: &mut ReconciledDocument, [left, right]: &[Half; 2]) -> Result<(), StoreError> {
        let sides = &self.program.sides;
        let gone = |name: &str| format!("it is linked, but not there any more in {name}");
        (one.status, one.reason) = match (left.there, right.there) {
            (true, true) if self.verify().is_none() => (Standing::Linked, None),
            (true, true) => (Standing::Equal, None),
            (false, true) => (Standing::GoneLeft, Some(gone(&sides.left.name))),
            (true, false) => (Standing::GoneRight, Some(gone(&sides.right.name))),
            (false, false) => {
                (Standing::GoneBoth, Some("it is linked, but not there any more in both".into()))
            }
        };
        let Some(verify) = self.verify().filter(|_| left.there && right.there) else { return Ok(()) };
        if verify.same.is_some() && left.currency != right.currency {
            let shown = |half: &Half| half.currency.clone().unwrap_or_else(|| "none".into());
            one.status = Standing::Differs;
            one.currency = None;
            one.reason = Some(format!("the currencies differ: {} and {}", shown(left), shown(right)));
            return Ok(());
        }
        let (Some(here), Some(there)) = (left.amount, right.amount) else {
            one.status = Standing::Differs;
            one.reason = Some("an amount is not there".into());
            return Ok(());
        };
        let apart = less(counted(Some(verify), here), counted(Some(verify), there))?;
        one.difference = Some(apart.to_string());
        if apart.abs() > verify.tolerance {
            one.status = Standing::Differs;
            one.reason =
                Some(format!("the totals are {} apart, {} is allowed", apart.abs(), verify.tolerance));
        } else if !apart.is_zero() {
            one.status = Standing::WithinTolerance;
        }
        Ok(())
    }

    fn only_source(
        &self,
        resource: &str,
        row: &StoredRecord,
    ) -> Result<(ReconciledDocument, [Half; 2]), StoreError> {
        let other = &self.document.register.ends[self.document.target()];
        let value = other.by.as_ref().map(|by| by.get(&row.data).cloned().unwrap_or_default().canonical());
        let kind = other.members.iter().find(|member| {
            value.as_ref().is_none_or(|value| member.values.iter().any(|one| one.canonical() == *value))
        });
        let kind = kind.map(|member| member.resource.name.clone()).unwrap_or_default();
        let at = RecordRef { resource: resource.to_owned(), id: row.id.clone() };
        let mut one = self.blank(kind, Standing::NotInScope);
        if let Some((status, reason, since)) = self.told(&at)? {
            (one.status, one.reason, one.since) = (status, Some(reason), since);
        }
        let halves = self.halves(self.document.source, &row.data);
        self.fill(&mut one, self.document.source, &row.id, &halves);
        Ok((one, halves))
    }

    /// What the state and the fresh plan say of a source record: standing, why, since when.
    fn told(&self, at: &RecordRef) -> Result<Option<(Standing, String, Option<String>)>, StoreError> {
        let (name, side) = (&self.document.register.name, self.document.source);
        let open = self.in_doubt.iter().find(|intent| {
            intent.register == *name
                && (intent.source.as_ref() == Some(at)
                    || (intent.side == side && intent.target.as_ref() == Some(&at.id)))
        });
        if let Some(intent) = open {
            let reason = format!("write {}: {}", intent.id, intent.outcome);
            return Ok(Some((Standing::InDoubt, reason, Some(super::time(intent.sent_at)))));
        }
        let aside = self.store.set_aside_of(name, side, at)?;
        let aside = aside.filter(|row| row.resource == at.resource);
        let since = aside.as_ref().map(|row| super::time(row.since));
        let planned = self.store.change_of(name, side, at)?;
        let change = planned.and_then(|row| serde_json::from_str::<Change>(&row.change).ok());
        match change.map(|change| change.action) {
            Some(Action::Wait { reason, .. }) => return Ok(Some((Standing::Waiting, reason, since))),
            Some(Action::SetAside { reason, .. }) => return Ok(Some((Standing::SetAside, reason, since))),
            Some(Action::Create { .. } | Action::Link) => {
                return Ok(Some((Standing::ToBeMade, "it goes with the next run".into(), None)));
            }
            _ => {}
        }
        Ok(aside.map(|row| (Standing::SetAside, row.reason, since)))
    }

    /// All records of a resource that are there now and not linked.
    fn each(
        &self,
        side: Side,
        resource: &str,
        then: &mut dyn FnMut(&StoredRecord) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        let sweep = self.sweep(side, resource)?;
        let mut after = String::new();
        loop {
            let rows = self.store.records(side, resource, Which::All, &after, CHUNK)?;
            let Some(last) = rows.last() else { return Ok(()) };
            after.clone_from(&last.row.id);
            for row in rows.iter().filter(|row| row.sweep >= sweep) {
                let at = RecordRef { resource: resource.to_owned(), id: row.id.clone() };
                if self.store.link(&self.document.register.name, side, &at)?.is_none() {
                    then(row)?;
                }
            }
        }
    }

    /// The number of the last complete read. The mirror keeps what a careful run does not call missing yet: here only
    /// what was in the list counts.
    fn sweep(&self, side: Side, resource: &str) -> Result<i64, StoreError> {
        let read = self.document.read_from(resource).map_or(resource, |each| &each.of.name);
        let number = self.store.fact(&format!("sweep:{side}:{read}"))?;
        Ok(number.and_then(|text| text.parse().ok()).unwrap_or(0))
    }

    fn present(&self, side: Side, at: &RecordRef) -> Result<Option<StoredRecord>, StoreError> {
        let sweep = self.sweep(side, &at.resource)?;
        Ok(self.store.record(side, &at.resource, &at.id)?.filter(|row| row.sweep >= sweep))
    }

    /// The values by which a record is found again; none where one is not there.
    fn found_by(&self, resource: &str, data: &Value) -> Option<Vec<String>> {
        let register = &self.document.register;
        let mut key = vec![resource.to_owned()];
        for row in register.matching.first()? {
            for path in register.rows[*row].paths(self.document.target()) {
                let value = path.get(data).filter(|value| !matches!(value, Value::Null))?;
                key.push(value.canonical().to_json());
            }
        }
        Some(key)
    }

    fn half(&self, side: Side, data: &Value) -> Half {
        let verify = self.verify();
        Half {
            there: true,
            amount: verify.and_then(|verify| match verify.equal[side].get(data) {
                Some(Value::Number(number)) => Some(*number),
                _ => None,
            }),
            currency: verify
                .and_then(|verify| verify.same.as_ref())
                .and_then(|same| same[side].get(data))
                .and_then(Value::scalar_text),
        }
    }

    fn halves(&self, side: Side, data: &Value) -> [Half; 2] {
        let mut halves = [Half::default(), Half::default()];
        halves[usize::from(side == Side::Right)] = self.half(side, data);
        halves
    }

    fn blank(&self, kind: String, status: Standing) -> ReconciledDocument {
        ReconciledDocument {
            document: self.document.register.name.clone(),
            kind,
            status,
            currency: None,
            left: None,
            right: None,
            left_amount: None,
            right_amount: None,
            difference: None,
            since: None,
            reason: None,
        }
    }

    fn fill(&self, one: &mut ReconciledDocument, side: Side, id: &str, halves: &[Half; 2]) {
        let half = &halves[usize::from(side == Side::Right)];
        let amount = half.amount.map(|amount| amount.to_string());
        if half.currency.is_some() {
            one.currency.clone_from(&half.currency);
        }
        match side {
            Side::Left => (one.left, one.left_amount) = (Some(id.to_owned()), amount),
            Side::Right => (one.right, one.right_amount) = (Some(id.to_owned()), amount),
        }
    }
}

/// One table: the documents, then the totals.
pub(super) fn table(report: &ReconcileReport) -> Table {
    let text = |text: &Option<String>| Cell::Text(text.clone().unwrap_or_default());
    let number =
        |text: &Option<String>| Cell::Number(text.as_ref().and_then(|text| text.parse::<Decimal>().ok()));
    let documents = report.documents.iter().map(|one| {
        vec![
            Cell::Text(one.document.clone()),
            Cell::Text(one.kind.clone()),
            Cell::Text(one.status.name()),
            text(&one.currency),
            text(&one.left),
            number(&one.left_amount),
            text(&one.right),
            number(&one.right_amount),
            number(&one.difference),
            text(&one.since),
            text(&one.reason),
        ]
    });
    let totals = report.totals.iter().map(|one| {
        vec![
            Cell::Text(one.document.clone()),
            Cell::Text(one.kind.clone()),
            Cell::Text("total".into()),
            text(&one.currency),
            Cell::Number(Some(one.left_count.into())),
            number(&one.left_sum),
            Cell::Number(Some(one.right_count.into())),
            number(&one.right_sum),
            number(&one.difference),
            Cell::Text(String::new()),
            Cell::Text(match one.without_amount {
                0 => String::new(),
                without => format!("{without} without an amount or a currency"),
            }),
        ]
    });
    let [left, right] = &report.sides;
    let amount = |side: &str| format!("{side} amount");
    Table {
        title: format!("{}: documents of both systems", report.mapping),
        made: format!("both systems read at {}", report.read),
        columns: [
            "document",
            "kind",
            "status",
            "currency",
            left,
            &amount(left),
            right,
            &amount(right),
            "difference",
            "since",
            "reason",
        ]
        .map(str::to_owned)
        .to_vec(),
        rows: documents.chain(totals).collect(),
    }
}
