//! Finding the documents of both systems in what was read, and how each stands.

use std::collections::HashMap;

use super::super::time;
use super::{Half, ReconciledDocument, Standing, compare};
use crate::plan::reckon::Period;
use crate::plan::{Action, Change, Record, reckon};
use crate::program::document::Document;
use crate::program::mapping::Program;
use crate::run::Looked;
use crate::store::{Intent, RecordRef, Store, StoreError, Which};
use crate::value::{Both, Side, Value};

/// How many records are looked at at once.
const CHUNK: usize = 500;

/// What is looked at.
pub(super) struct Look<'l> {
    pub program: &'l Program,
    pub store: &'l dyn Store,
    pub document: &'l Document,
    pub in_doubt: &'l [Intent],
    pub looked: &'l Looked,
}

type Sink<'s> = &'s mut dyn FnMut(ReconciledDocument, &Both<Half>) -> Result<(), StoreError>;

impl Look<'_> {
    /// What is said of sides whose records have no date that the mapping names.
    pub(super) fn undated(&self) -> Option<String> {
        let sides = Side::BOTH.into_iter().filter(|side| self.document.reconcile.sides[*side].date.is_none());
        let names: Vec<&str> = sides.map(|side| self.program.sides[side].name.as_str()).collect();
        (!names.is_empty()).then(|| {
            format!(
                "`{}` names no `date` of {} under `reconcile`: what is there alone counts, whatever its time",
                self.document.register.name,
                names.join(" and ")
            )
        })
    }

    /// Whether a document is of a time. A pair is where one of its records is; what has no date always is.
    pub(super) fn is_of(&self, period: &Period, halves: &Both<Half>) -> bool {
        let dated = halves.iter().filter(|(side, _)| self.document.reconcile.sides[*side].date.is_some());
        let mut days =
            dated.filter_map(|(_, half)| half.0.as_ref().map(|sums| sums.day.as_deref())).peekable();
        period.is_all() || days.peek().is_none() || days.any(|day| day.is_none_or(|day| period.has(day)))
    }

    pub(super) fn all(&self, sink: Sink) -> Result<(), StoreError> {
        let made = self.linked(sink)?;
        for member in &self.document.register.ends[self.document.source].members {
            self.each(self.document.source, &member.resource.name, &mut |row| {
                let (mut one, halves) = self.only_source(row)?;
                compare::alone(self, &mut one, &halves);
                sink(one, &halves)
            })?;
        }
        let target = self.document.target();
        for member in &self.document.register.ends[target].members {
            let resource = &member.resource.name;
            self.each(target, resource, &mut |row| {
                // what another document of the mapping has made is told there
                for other in self.program.documents_with(target, resource) {
                    if self.store.link(other, target, &row.at)?.is_some() {
                        return Ok(());
                    }
                }
                let mut one = self.blank(resource.clone(), Standing::Unknown);
                let twin = self.found_by(resource, &row.data).and_then(|key| made.get(&key));
                one.reason = Some("nothing of this mapping is linked to it".to_owned());
                if let Some(id) = twin {
                    one.status = Standing::Duplicate;
                    one.reason = Some(format!("equal to {id} in all fields of `find_again`: made twice?"));
                }
                let halves = self.halves(target, row)?;
                self.fill(&mut one, target, &row.at.id, &halves);
                compare::alone(self, &mut one, &halves);
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
                let mut rows = Both::default();
                for side in Side::BOTH {
                    rows[side] = self.present(side, link.on(side))?;
                }
                if let Some(row) = &rows[target]
                    && let Some(key) = self.found_by(&one.kind, &row.data)
                {
                    made.insert(key, row.at.id.clone());
                }
                let became = self.became(&mut rows)?;
                let mut halves = Both::default();
                for (side, row) in rows.iter() {
                    halves[side] = self.half(side, row.as_ref())?;
                }
                // what it has become need not have rows
                let side_of = &self.document.reconcile.sides[target];
                if let Some(sums) = halves[target].0.as_mut().filter(|_| became && side_of.rows.is_some())
                    && sums.rows.as_ref().is_some_and(|rows| rows.net.is_err())
                {
                    sums.rows = None;
                }
                for side in Side::BOTH {
                    let id = rows[side].as_ref().map_or(&link.on(side).id, |row| &row.at.id);
                    self.fill(&mut one, side, id, &halves);
                }
                one.since = Some(time(link.since));
                compare::both(self, &mut one, &halves, became)?;
                if became {
                    one.reason.get_or_insert(format!("{} became it", link.on(target).id));
                }
                let source = link.on(self.document.source);
                if let Some((_, reason, _)) = self.told(source)? {
                    one.reason.get_or_insert(reason);
                }
                sink(one, &halves)?;
            }
        }
    }

    /// Where what was made is gone, what it has become stands for it.
    fn became(&self, rows: &mut Both<Option<Record>>) -> Result<bool, StoreError> {
        let target = self.document.target();
        let Some(source) = rows[self.document.source].as_ref().filter(|_| rows[target].is_none()) else {
            return Ok(false);
        };
        let became = self.looked.became(self.store, self.document, source)?;
        rows[target] = match became {
            Some(record) => self.present(target, &record.at)?,
            None => None,
        };
        Ok(rows[target].is_some())
    }

    fn only_source(&self, row: &Record) -> Result<(ReconciledDocument, Both<Half>), StoreError> {
        let other = &self.document.register.ends[self.document.target()];
        let value = other.by.as_ref().map(|by| by.get(&row.data).cloned().unwrap_or_default().canonical());
        let kind = other.members.iter().find(|member| {
            value.as_ref().is_none_or(|value| member.values.iter().any(|one| one.canonical() == *value))
        });
        let kind = kind.map(|member| member.resource.name.clone()).unwrap_or_default();
        let mut one = self.blank(kind, Standing::NotInScope);
        if let Some((status, reason, since)) = self.told(&row.at)? {
            (one.status, one.reason, one.since) = (status, Some(reason), since);
        }
        let mut halves = self.halves(self.document.source, row)?;
        if one.status == Standing::NotInScope
            && let Some(sums) = &mut halves[self.document.source].0
        {
            // nobody has read them
            sums.rows = None;
        }
        self.fill(&mut one, self.document.source, &row.at.id, &halves);
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
            return Ok(Some((Standing::InDoubt, reason, Some(time(intent.sent_at)))));
        }
        let aside = self.store.set_aside_of(name, side, at)?;
        let aside = aside.filter(|row| row.resource == at.resource);
        let since = aside.as_ref().map(|row| time(row.since));
        let planned = self.store.change_of(name, side, at)?;
        let change = planned.and_then(|row| serde_json::from_str::<Change>(&row.change).ok());
        match change.map(|change| change.action) {
            Some(Action::Wait { reason, .. }) => return Ok(Some((Standing::Waiting, reason, since))),
            Some(Action::SetAside { reason, .. }) => return Ok(Some((Standing::SetAside, reason, since))),
            Some(Action::Create { .. } | Action::Link) => {
                let when = match self.document.on_demand {
                    true => format!("it goes with a run that names it: `--only {name}`"),
                    false => "it goes with the next run".to_owned(),
                };
                return Ok(Some((Standing::ToBeMade, when, None)));
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
        then: &mut dyn FnMut(&Record) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        let sweep = self.sweep(side, resource)?;
        let mut after = String::new();
        loop {
            let rows = self.store.records(side, resource, Which::All, &after, CHUNK)?;
            let Some(last) = rows.last() else { return Ok(()) };
            after.clone_from(&last.row.id);
            for row in rows.iter().filter(|row| row.sweep >= sweep) {
                let at = RecordRef { resource: resource.to_owned(), id: row.id.clone() };
                if self.store.link(&self.document.register.name, side, &at)?.is_none()
                    && let Some(record) = self.looked.record(self.store, side, &at)?
                {
                    then(&record)?;
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

    fn present(&self, side: Side, at: &RecordRef) -> Result<Option<Record>, StoreError> {
        let sweep = self.sweep(side, &at.resource)?;
        match self.store.record(side, &at.resource, &at.id)?.filter(|row| row.sweep >= sweep) {
            Some(_) => self.looked.record(self.store, side, at),
            None => Ok(None),
        }
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

    fn half(&self, side: Side, record: Option<&Record>) -> Result<Half, StoreError> {
        let Some(record) = record else { return Ok(Half::default()) };
        let told = &self.document.reconcile.sides[side];
        let mut sums = reckon::sums(&self.looked.context(), side, told, &record.data);
        if let Some(reason) = self.looked.unread(self.store, side, record)? {
            sums.without_rows(&reason);
        }
        Ok(Half(Some(sums)))
    }

    fn halves(&self, side: Side, record: &Record) -> Result<Both<Half>, StoreError> {
        let mut halves = Both::default();
        halves[side] = self.half(side, Some(record))?;
        Ok(halves)
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
            left_rows: None,
            right_rows: None,
            net_difference: None,
            since: None,
            first_seen: None,
            reason: None,
        }
    }

    fn fill(&self, one: &mut ReconciledDocument, side: Side, id: &str, halves: &Both<Half>) {
        let half = halves[side].0.as_ref();
        let amount = half.and_then(|sums| sums.total).map(|amount| amount.to_string());
        if let Some(currency) = half.and_then(|sums| sums.currency.clone()) {
            one.currency = Some(currency);
        }
        let rows = half.and_then(compare::rows);
        match side {
            Side::Left => (one.left, one.left_amount, one.left_rows) = (Some(id.to_owned()), amount, rows),
            Side::Right => {
                (one.right, one.right_amount, one.right_rows) = (Some(id.to_owned()), amount, rows)
            }
        }
    }
}
