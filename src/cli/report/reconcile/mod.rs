//! `report reconcile`: the documents of both systems side by side, read anew.

mod compare;
mod look;
mod table;
mod totals;

use std::collections::BTreeMap;
use std::sync::Arc;

use schemars::JsonSchema;
use serde::Serialize;

use crate::plan::reckon::{Period, Sums};
use crate::program::mapping::Program;
use crate::run::Looked;
use crate::store::{Firsts, IntentState, Store, StoreError};
use crate::value::Side;
use look::Look;
pub(super) use table::table;
use totals::Totals;

/// The documents of both systems side by side (`report reconcile --format json`).
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct ReconcileReport {
    /// The mapping.
    pub mapping: String,
    /// The names of its two sides.
    pub sides: [String; 2],
    /// When both systems were read (RFC 3339).
    pub read: String,
    /// Only documents of this day and later ones count (`--since`).
    pub since: Option<String>,
    /// Only documents of this day and earlier ones count (`--until`).
    pub until: Option<String>,
    /// How many are of another time and in no list and no sum.
    pub left_out: u64,
    /// What the reading could not do, and what the mapping does not say, for people. Where the reading is incomplete, "missing" may
    /// be wrong.
    pub notes: Vec<String>,
    /// Every document, in the order of the mapping.
    pub documents: Vec<ReconciledDocument>,
    /// Sums of each document, kind and currency.
    pub totals: Vec<ControlTotal>,
    /// The VAT of each document, kind, currency and rate.
    pub vat: Vec<VatTotal>,
}

/// How a document stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// In both, and all amounts are the same: rows, headers, VAT by rate, as far as the mapping says what they are.
    Equal,
    /// In both; no amount of one is compared with the other: the mapping names none (`verify`, `reconcile`), or a side tells none.
    Linked,
    /// In both; amounts are apart, within what the mapping allows.
    WithinTolerance,
    /// In both; amounts or currencies differ, of both or of the rows and the header of one, or an amount is not there.
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
    /// The currency; none: the mapping does not say it, it is not there, or not the same on both sides.
    pub currency: Option<String>,
    /// The id on the first side.
    pub left: Option<String>,
    /// The id on the second side.
    pub right: Option<String>,
    /// The total of the header on the first side, as text.
    pub left_amount: Option<String>,
    /// The same on the second side.
    pub right_amount: Option<String>,
    /// The first less the second, as text; where a minus does not count (`sign: ignore`), of both without it.
    pub difference: Option<String>,
    /// What its rows come to on the first side; none: the mapping does not say it.
    pub left_rows: Option<ReconciledRows>,
    /// The same on the second side.
    pub right_rows: Option<ReconciledRows>,
    /// The rows of the first side less those of the second, without VAT, as text.
    pub net_difference: Option<String>,
    /// Since when it is linked or set aside, or when the write in doubt was sent (RFC 3339).
    pub since: Option<String>,
    /// When a report saw this difference first (RFC 3339): it is at least as old. None: there is none.
    pub first_seen: Option<String>,
    /// Why.
    pub reason: Option<String>,
}

/// What the rows of a document come to on one side.
#[derive(Clone, Debug, Default, PartialEq, Serialize, JsonSchema)]
pub struct ReconciledRows {
    /// Without VAT, as text; none: an amount is not there.
    pub net: Option<String>,
    /// Their VAT; none: the mapping does not say it, or it is not known of a row.
    pub vat: Option<String>,
    /// What the header says of the same: its total, or, where the VAT of the rows is not known, its total without VAT.
    pub header: Option<String>,
    /// The rows less the header; none: one of the two is not there.
    pub off: Option<String>,
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
    /// How many records, of sides of which the mapping names an amount, have none or no currency, and are in no sum.
    pub without_amount: u64,
    /// The sum of the rows on the first side, without VAT; none: the mapping does not say it.
    pub left_net: Option<String>,
    /// The same on the second side.
    pub right_net: Option<String>,
    /// The first less the second.
    pub net_difference: Option<String>,
    /// All rows on the first side less what their headers say of the same.
    pub left_off: Option<String>,
    /// The same on the second side.
    pub right_off: Option<String>,
    /// How many records have rows that cannot be added up, and are in no sum of rows.
    pub without_rows: u64,
}

/// What is of one rate of VAT in the documents of one kind and currency. Those that are not in scope do not count.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct VatTotal {
    /// The document in the mapping.
    pub document: String,
    /// What they are on the side that is written to: a resource.
    pub kind: String,
    /// The currency.
    pub currency: String,
    /// The rate in percent, as text; none: what has no rate.
    pub rate: Option<String>,
    /// Without VAT, on the first side; none: nobody tells it.
    pub left_net: Option<String>,
    /// The same on the second side.
    pub right_net: Option<String>,
    /// The first less the second; none: a side is not complete.
    pub net_difference: Option<String>,
    /// The VAT on the first side; none: nobody tells it.
    pub left_vat: Option<String>,
    /// The same on the second side.
    pub right_vat: Option<String>,
    /// The first less the second; none: a side is not complete.
    pub vat_difference: Option<String>,
    /// Why an amount is not there, or not complete.
    pub reason: Option<String>,
}

/// What one side says of a document.
#[derive(Default)]
struct Half(Option<Sums>);

/// What is asked for.
pub(super) struct Asked {
    /// Only this document.
    pub only: Option<String>,
    /// Only of this time.
    pub period: Period,
    /// When both systems were read (milliseconds since 1970).
    pub read: i64,
    /// What the reading could not do.
    pub notes: Vec<String>,
}

/// Everything that a fresh plan has left in a copy of the state.
pub(super) fn reconcile(
    program: &Arc<Program>,
    store: &dyn Store,
    asked: Asked,
    firsts: &mut Firsts,
) -> Result<ReconcileReport, StoreError> {
    let looked = Looked::of(program, store, asked.read)?;
    let mut documents = Vec::new();
    let mut totals = Totals::default();
    let (mut notes, mut left_out) = (asked.notes, 0);
    let mut in_doubt = store.open_intents()?;
    in_doubt.retain(|intent| intent.state == IntentState::InDoubt);
    for (index, document) in program.documents.iter().enumerate() {
        let name = &document.register.name;
        if asked.only.as_ref().is_some_and(|only| only != name) {
            continue;
        }
        let look = Look { program, store, document, in_doubt: &in_doubt, looked: &looked };
        if !asked.period.is_all() {
            notes.extend(look.undated());
        }
        let mut differences = BTreeMap::new();
        let first = documents.len();
        look.all(&mut |one, halves| {
            if !look.is_of(&asked.period, halves) {
                left_out += 1;
                // what is not looked at is as it was
                differences.insert(key(&one), None);
                return Ok(());
            }
            if let Some(what) = compare::difference(&look, &one, halves) {
                differences.insert(key(&one), Some(what));
            }
            if one.status != Standing::NotInScope {
                totals.add(&look, index, &one, halves)?;
            }
            documents.push(one);
            Ok(())
        })?;
        let known = firsts.renew(name, differences, asked.read);
        for one in &mut documents[first..] {
            one.first_seen = known.get(&key(one)).map(|since| super::time(*since));
        }
    }
    let (totals, vat) = totals.told(program)?;
    Ok(ReconcileReport {
        mapping: program.name.clone(),
        sides: Side::BOTH.map(|side| program.sides[side].name.clone()),
        read: super::time(asked.read),
        since: asked.period.since,
        until: asked.period.until,
        left_out,
        notes,
        documents,
        totals,
        vat,
    })
}

/// What tells a document of the report from the others.
fn key(one: &ReconciledDocument) -> String {
    [&one.left, &one.right].map(|id| id.as_deref().unwrap_or_default()).join("\n")
}

fn too_large() -> StoreError {
    StoreError("the amounts are too large to be added up exactly".to_owned())
}
