//! Where a value comes from: the row of the mapping, what it became on its way, and the run that carried it.
//!
//! Told from the state alone: the link with what both sides last agreed on, the history, and the journal of writes.

use std::sync::Arc;

use super::past::Past;
use super::rules::{conversion, rules};
use super::why::{End, FieldWhy, Given, Valued, Why, WhyError};
use super::{find, known, time};
use crate::diagnostic::{Sources, Span, suggest};
use crate::plan::decide::{self, Record};
use crate::plan::document::items;
use crate::plan::label;
use crate::plan::translate::{as_many, same, values_at};
use crate::program::document::{Document, Lines, Step};
use crate::program::mapping::{Apply, Program, Register, Row};
use crate::run::decider::{Decider, Selected};
use crate::store::{Link, Result, Store};
use crate::value::{Both, Path, Side, Value};

/// How many fields a message lists.
const LISTED: usize = 12;

/// Tells where the values of a record come from; the key may end in `.FIELD`.
///
/// # Errors
/// A state that cannot be read.
pub fn why(
    program: &Arc<Program>,
    store: &dyn Store,
    selected: &Selected,
    sources: &Sources,
) -> Result<Result<Why, WhyError>> {
    let run = known::last_run(store)?;
    let decider = known::decider(program, store, run.as_ref().map_or(0, |run| run.started))?;
    let Some(register) = program.register(&selected.register) else {
        return Ok(Err(WhyError::NotFound(format!("there is no register `{}`", selected.register))));
    };
    let teller = Teller { decider, store, register, sources };
    // a key may hold a point itself: the longest one that is known counts
    let mut key = selected.key.as_str();
    let (found, field) = loop {
        let wanted = Selected { key: key.to_owned(), ..selected.clone() };
        let found = find::records(&teller.decider, store, register, &wanted)?;
        if !found.is_empty() {
            break (found, selected.key[key.len()..].strip_prefix('.'));
        }
        match key.rsplit_once('.') {
            Some((shorter, _)) => key = shorter,
            None => {
                return Ok(Err(WhyError::NotFound(format!(
                    "{} {}: no run has read it",
                    register.name, selected.key
                ))));
            }
        }
    };
    let mut links = Vec::new();
    for (side, at) in &found {
        if let Some(link) = store.link(&register.name, *side, at)? {
            links.push(link);
        }
    }
    let link = match &links[..] {
        [one] => one,
        [] => {
            return Ok(Err(WhyError::NotLinked(format!(
                "{} {key} is not linked, so nothing was given to it: `mapengine why-not` tells what holds it",
                register.name
            ))));
        }
        many => {
            let pairs = many.iter().map(|link| format!("{} = {}", link.left.id, link.right.id)).collect();
            return Ok(Err(WhyError::Many(pairs)));
        }
    };
    let records = Both {
        left: teller.decider.record(store, Side::Left, &link.left)?,
        right: teller.decider.record(store, Side::Right, &link.right)?,
    };
    let mut fields = teller.fields(link, &records)?;
    if let Some(field) = field {
        match teller.chosen(&fields, field, selected.side) {
            Ok(kept) => fields = kept,
            Err(text) => return Ok(Err(WhyError::NoField(text))),
        }
    }
    let end = |side: Side| End {
        side: program.sides[side].name.clone(),
        id: link.on(side).id.clone(),
        label: records[side].as_ref().map_or_else(String::new, |record| label(register, side, record)),
    };
    Ok(Ok(Why {
        mapping: program.name.clone(),
        register: register.name.clone(),
        as_of: run.as_ref().map(|run| time(run.started)),
        changed_since: run.is_some_and(|run| run.program != program.hash),
        left: end(Side::Left),
        right: end(Side::Right),
        how: link.how.clone(),
        linked: time(link.since),
        fields,
    }))
}

pub(super) struct Teller<'a> {
    decider: Decider,
    pub(super) store: &'a dyn Store,
    pub(super) register: &'a Arc<Register>,
    sources: &'a Sources,
}

impl Teller<'_> {
    fn name(&self, side: Side) -> &str {
        &self.decider.program.sides[side].name
    }

    pub(super) fn field_of(&self, side: Side, path: &Path) -> String {
        format!("{}.{path}", self.name(side))
    }

    fn fields(&self, link: &Link, records: &Both<Option<Record>>) -> Result<Vec<FieldWhy>> {
        let past = self.past(link)?;
        let (one, other) = (&link.left.resource, &link.right.resource);
        let mut fields: Vec<FieldWhy> = decide::applicable(&self.register.rows, one, other)
            .map(|row| self.row(row, link, records, &past))
            .collect();
        if let Some(document) = self.decider.program.document(&self.register.name) {
            fields.extend(self.lines(document, link, records, &past));
            let back = document.steps.iter().flat_map(|step| match step {
                Step::WriteBack { rows, .. } => &rows[..],
                _ => &[],
            });
            let follow = document.follow.iter().flat_map(|follow| &follow.write);
            let rows: Vec<Row> = back.chain(follow).cloned().collect();
            fields
                .extend(decide::applicable(&rows, one, other).map(|row| self.row(row, link, records, &past)));
        }
        fields.extend(self.others(&fields, records, &past));
        Ok(fields)
    }

    fn row(&self, row: &Row, link: &Link, records: &Both<Option<Record>>, past: &Past) -> FieldWhy {
        let base = link.base.get(&row.id).and_then(Value::as_list).filter(|_| !self.register.is_document);
        let mut changed = false;
        let sides: Both<Vec<Valued>> = Both::of(|side| {
            let now = records[side].as_ref().map(|record| values_at(row, side, &record.data));
            let now = now.unwrap_or_else(|| vec![Value::Null; row.paths(side).len()]);
            let agreed = base.and_then(|base| base.get(side.index())).map(|value| as_many(value, now.len()));
            if let Some(agreed) = &agreed
                && !now.is_empty()
            {
                changed |= !same(row.compare, &now, agreed);
            }
            row.paths(side)
                .iter()
                .zip(now)
                .enumerate()
                .map(|(i, (path, value))| Valued {
                    field: self.field_of(side, path),
                    value: masked(row, value),
                    agreed: masked(
                        row,
                        agreed.as_ref().and_then(|agreed| agreed.get(i)).cloned().unwrap_or_default(),
                    ),
                })
                .collect()
        });
        // two that are empty agree on nothing, and a rule that did not count is not told as equal
        let agreed = base.is_some_and(|base| {
            row.is_two_sided() && base.iter().any(|value| !value.is_empty())
                || row.apply != Apply::CreateOnly
                    && base.iter().all(|value| !value.is_empty())
                    && same(row.compare, &base[..1], &base[1..])
        });
        let given = self.given(row, link, agreed, past);
        let wrote = given.as_ref().and_then(|(side, _)| *side);
        // one way only: that way, also where nothing was to be written yet
        let only = Side::BOTH.into_iter().find(|side| row.writes[*side] && !row.writes[side.other()]);
        let to = wrote.or(only).unwrap_or(Side::Right);
        FieldWhy {
            left: sides.left,
            right: sides.right,
            from: wrote.map(|side| self.name(side.other()).to_owned()),
            conversion: conversion(row, to.other()),
            rules: rules(row, &self.decider.program),
            place: row.origin.text.clone(),
            text: self.text(row.origin.span),
            given: given.map(|(_, given)| given),
            changed,
        }
    }

    /// The rows below a document, column by column.
    fn lines(
        &self,
        document: &Document,
        link: &Link,
        records: &Both<Option<Record>>,
        past: &Past,
    ) -> Vec<FieldWhy> {
        let tables = document.lines.iter();
        tables.flat_map(|lines| self.table(document, lines, link, records, past)).collect()
    }

    /// The rows of one list.
    fn table(
        &self,
        document: &Document,
        lines: &Lines,
        link: &Link,
        records: &Both<Option<Record>>,
        past: &Past,
    ) -> Vec<FieldWhy> {
        let side = document.source;
        let source = records[side].as_ref().map(|record| items(lines, &record.data)).unwrap_or_default();
        let written = self.field_of(side.other(), &lines.to);
        let made = past.events.iter().rev().find_map(|event| {
            let [_, new, _] = event.detail.get(&written)?.as_list()? else { return None };
            Some((event, new.as_list().unwrap_or_default()))
        });
        let column = |list: &Path, side: Side, path: &Path, items: &[Value]| Valued {
            field: format!("{}[].{path}", self.field_of(side, list)),
            value: Value::List(
                items.iter().map(|item| path.get(item).cloned().unwrap_or_default()).collect(),
            ),
            agreed: Value::Null,
        };
        decide::applicable(&lines.rows, &link.left.resource, &link.right.resource)
            .map(|row| {
                let here: Vec<Valued> =
                    row.paths(side).iter().map(|path| column(&lines.from, side, path, &source)).collect();
                let items = made.map(|(_, items)| items).unwrap_or_default();
                let there: Vec<Valued> = row
                    .paths(side.other())
                    .iter()
                    .map(|path| column(&lines.to, side.other(), path, items))
                    .collect();
                let given = made.map(|(event, _)| Given {
                    what: event.what.clone(),
                    field: there.first().map(|one| one.field.clone()),
                    old: Value::Null,
                    run: Some(event.run.clone()),
                    at: time(event.at),
                });
                let (left, right) = if side == Side::Left { (here, there) } else { (there, here) };
                FieldWhy {
                    left,
                    right,
                    from: given.is_some().then(|| self.name(side).to_owned()),
                    conversion: conversion(row, side),
                    rules: rules(row, &self.decider.program),
                    place: row.origin.text.clone(),
                    text: self.text(row.origin.span),
                    given,
                    changed: false,
                }
            })
            .collect()
    }

    /// What was written and stands in no row: a status, the kind of a record.
    fn others(&self, told: &[FieldWhy], records: &Both<Option<Record>>, past: &Past) -> Vec<FieldWhy> {
        let mut others: Vec<FieldWhy> = Vec::new();
        for event in past.events.iter().rev() {
            for (field, value) in event.detail.as_map().into_iter().flatten() {
                let Some([old, _, origin]) = value.as_list() else { continue };
                let below = format!("{field}[].");
                let known = told
                    .iter()
                    .chain(&others)
                    .flat_map(|one| one.left.iter().chain(&one.right))
                    .any(|one| one.field == *field || one.field.starts_with(&below));
                let side =
                    Side::BOTH.into_iter().find(|side| field.starts_with(&format!("{}.", self.name(*side))));
                let (false, Some(side)) = (known || event.what == "set_aside", side) else { continue };
                let path = field.get(self.name(side).len() + 1..).and_then(|path| Path::parse(path).ok());
                let now = records[side]
                    .as_ref()
                    .zip(path)
                    .and_then(|(record, path)| path.get(&record.data).cloned());
                let valued = vec![Valued {
                    field: field.clone(),
                    value: now.unwrap_or_default(),
                    agreed: Value::Null,
                }];
                let (left, right) =
                    if side == Side::Left { (valued, Vec::new()) } else { (Vec::new(), valued) };
                others.push(FieldWhy {
                    left,
                    right,
                    from: None,
                    conversion: Vec::new(),
                    rules: Vec::new(),
                    place: origin.scalar_text().unwrap_or_default(),
                    text: String::new(),
                    given: Some(Given {
                        what: event.what.clone(),
                        field: Some(field.clone()),
                        old: old.clone(),
                        run: Some(event.run.clone()),
                        at: time(event.at),
                    }),
                    changed: false,
                });
            }
        }
        others
    }

    /// The rows that read or write a field: its name alone, or with its side; what is below it counts, too.
    fn chosen(&self, fields: &[FieldWhy], wanted: &str, side: Option<Side>) -> Result<Vec<FieldWhy>, String> {
        let names = Side::BOTH.map(|side| self.name(side));
        let is_wanted = |valued: &Valued, of: Option<Side>| {
            let own = of.map(|side| format!("{}.", self.name(side)));
            names.iter().any(|name| {
                let prefix = format!("{name}.");
                let Some(path) = valued.field.strip_prefix(&prefix) else { return false };
                let meant = |path: &str| {
                    path.strip_prefix(wanted)
                        .is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
                };
                own.as_ref().is_none_or(|own| *own == prefix) && (meant(path) || meant(&valued.field))
            })
        };
        for of in [side, None] {
            let kept: Vec<FieldWhy> = fields
                .iter()
                .filter(|field| field.left.iter().chain(&field.right).any(|one| is_wanted(one, of)))
                .cloned()
                .collect();
            if !kept.is_empty() {
                return Ok(kept);
            }
        }
        let known: Vec<&str> = fields
            .iter()
            .flat_map(|one| one.left.iter().chain(&one.right))
            .map(|one| one.field.as_str())
            .collect();
        let bare = known.iter().map(|field| field.split_once('.').map_or(*field, |(_, path)| path));
        let near = suggest(wanted, known.iter().copied().chain(bare));
        let help = near.map_or_else(
            || match known.len() {
                0..=LISTED => format!("its rows have {}", known.join(", ")),
                n => format!("its rows have {} and {} more", known[..LISTED].join(", "), n - LISTED),
            },
            |near| format!("did you mean `{near}`?"),
        );
        Err(format!("no row of {} reads or writes `{wanted}`; {help}", self.register.name))
    }

    /// A row as it is written, in one line.
    fn text(&self, span: Span) -> String {
        let text =
            self.sources.text(span.file).and_then(|all| all.get(span.start as usize..span.end as usize));
        text.unwrap_or_default().split_whitespace().collect::<Vec<_>>().join(" ")
    }
}

fn masked(row: &Row, value: Value) -> Value {
    if row.sensitive && !value.is_empty() { Value::text("•••") } else { value }
}
