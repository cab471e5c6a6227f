//! Reading: every list once, page by page, into the mirror; changes only where a cursor allows it.

use std::collections::{BTreeSet, HashSet};
use std::sync::Arc;

use jiff::Timestamp;

use super::removed::Item;
use super::{Engine, Event, RunError};
use crate::http::Pages;
use crate::program::mapping::Program;
use crate::program::system::{ErrorClass, Resource};
use crate::store::{RecordRow, Which};
use crate::value::{Side, Value};
use crate::wire;

/// How the reads of a run went.
#[derive(Clone, Debug, Default)]
pub(super) struct Reads {
    /// Resources whose read was complete in this run (a sweep), by side.
    pub complete: HashSet<(Side, String)>,
    /// What came incomplete.
    pub incomplete: super::incomplete::Incomplete,
    /// How many records came.
    pub records: u64,
}

/// The resources a program reads on a side: those of its registers, then the parts they need.
pub(super) fn resources(
    program: &Program,
    side: Side,
    only: &dyn Fn(&str) -> bool,
) -> Vec<(Arc<Resource>, Option<PartOf>)> {
    let system = &program.sides[side].system;
    let mut out: Vec<(Arc<Resource>, Option<PartOf>)> = Vec::new();
    let mut seen = BTreeSet::new();
    for register in program.all().filter(|register| only(&register.name)) {
        let document = program.document(&register.name);
        for member in &register.ends[side].members {
            // items of a list are read with the record that holds them
            let each = document.and_then(|document| document.read_from(&member.resource.name));
            let resource = each.map_or(&member.resource, |each| &each.of);
            if seen.insert(resource.name.clone()) {
                out.push((Arc::clone(resource), None));
            }
        }
    }
    for question in program.exists.iter().filter(|one| one.there == side && only(&one.register)) {
        if seen.insert(question.resource.name.clone()) {
            out.push((Arc::clone(&question.resource), None));
        }
    }
    let parents: Vec<Arc<Resource>> = out.iter().map(|(resource, _)| Arc::clone(resource)).collect();
    for parent in parents {
        for part in parent.parts.values() {
            let part_of = PartOf { parent: parent.name.clone(), by: part.by.clone() };
            if let Some((_, of)) = out.iter_mut().find(|(one, _)| one.name == part.resource) {
                // a register's own records, too: read once, and known by their parents
                of.get_or_insert(part_of);
                continue;
            }
            let needed = program.needs[side].contains_key(&part.resource);
            if needed
                && seen.insert(part.resource.clone())
                && let Some(resource) = system.resources.get(&part.resource)
            {
                out.push((Arc::clone(resource), Some(part_of)));
            }
        }
    }
    out
}

/// Whose part a resource is.
#[derive(Clone, Debug)]
pub(super) struct PartOf {
    pub parent: String,
    pub by: crate::value::Path,
}

/// A record as the mirror holds it. The fields that only say when it changed do not count in its hash.
pub(super) fn row_of(resource: &Resource, data: Value, part_of: Option<&PartOf>) -> Option<RecordRow> {
    let id = resource.id_of(&data)?;
    let parent = part_of.and_then(|part| part.by.get(&data)).and_then(Value::scalar_text);
    let mut counted = data.clone();
    if let Some(cursor) = &resource.cursor {
        for field in &cursor.fields {
            field.remove(&mut counted);
        }
    }
    Some(RecordRow { id, parent, hash: hash_of(&counted), data })
}

/// A short hash of a value in its canonical form.
pub(super) fn hash_of(value: &Value) -> String {
    use sha2::{Digest, Sha256};
    let digest = Sha256::digest(value.canonical().to_json().as_bytes());
    crate::plan::change::hex(&digest[..12])
}

/// The names of the fields of a resource that a program needs.
pub(super) fn wanted(program: &Program, side: Side, resource: &str) -> BTreeSet<String> {
    program.needs[side].get(resource).cloned().unwrap_or_default()
}

impl Engine {
    /// Reads everything that the chosen registers need.
    pub(super) async fn read_all(&self) -> Result<Reads, RunError> {
        let mut reads = Reads::default();
        for side in Side::BOTH {
            let registers = |name: &str| self.chosen(name) && self.program.document(name).is_none();
            for (resource, part_of) in resources(&self.program, side, &registers) {
                self.read_resource(side, &resource, part_of.as_ref(), &mut reads).await?;
            }
        }
        Ok(reads)
    }

    /// Reads what the chosen documents need, but for the rows below them: those are read for the ones that travel.
    pub(super) async fn read_documents(&self) -> Result<(), RunError> {
        let mut reads = Reads::default();
        for side in Side::BOTH {
            let documents = |name: &str| self.chosen(name) && self.program.document(name).is_some();
            for (resource, part_of) in resources(&self.program, side, &documents) {
                if part_of.is_none() {
                    self.read_resource(side, &resource, None, &mut reads).await?;
                }
            }
        }
        Ok(())
    }

    async fn read_resource(
        &self,
        side: Side,
        resource: &Arc<Resource>,
        part_of: Option<&PartOf>,
        reads: &mut Reads,
    ) -> Result<(), RunError> {
        if resource.singleton || resource.is_write_only() {
            return Ok(());
        }
        let below = resource.list.as_ref().is_some_and(|list| list.path.fields().next().is_some());
        if below {
            if let Some(part_of) = part_of {
                return self.read_below(side, resource, part_of, reads).await;
            }
            return Ok(());
        }
        let name = format!("{}:{}", side, resource.name);
        let cursor_fact = format!("cursor:{name}");
        let sweep_fact = format!("sweep:{name}");
        let swept_fact = format!("swept_at:{name}");
        let program_fact = format!("read_by:{name}");
        let fields = wanted(&self.program, side, &resource.name);
        // other fields than last time: what is in the mirror lacks them
        let shape = fields.iter().cloned().collect::<Vec<_>>().join(",");
        let facts = (cursor_fact.clone(), sweep_fact.clone(), swept_fact.clone(), program_fact.clone());
        let (cursor, sweep, swept_at, shape_before) = self
            .store
            .read(move |store| {
                Ok((
                    store.fact(&facts.0)?,
                    store.fact(&facts.1)?,
                    store.fact(&facts.2)?,
                    store.fact(&facts.3)?,
                ))
            })
            .await?;
        let now = self.clock.now_ms();
        let due = swept_at
            .and_then(|text| text.parse::<i64>().ok())
            .is_none_or(|at| now - at >= i64::try_from(self.program.sweep.as_millis()).unwrap_or(i64::MAX));
        let delta = resource.cursor.is_some()
            && cursor.is_some()
            && !due
            && !self.full.get()
            && shape_before.as_deref() == Some(&shape);
        let mut query = Vec::new();
        if delta && let (Some(spec), Some(since)) = (&resource.cursor, &cursor) {
            let text = wire::since_text(&self.program.sides[side].system, spec, since);
            query = wire::list_query(resource, Some(&text), &[]);
        }
        let number = if delta { 0 } else { sweep.and_then(|text| text.parse::<i64>().ok()).unwrap_or(0) + 1 };
        let client = &self.clients[side];
        let mut pages = Pages::new(client, resource, query, None)?.read_ahead();
        let mut newest = cursor.clone().unwrap_or_default();
        let mut count = 0_u64;
        let by_clock = resource.cursor.as_ref().is_some_and(|cursor| cursor.fields.is_empty());
        let mut begun = false;
        let mut unread = 0_u64;
        while let Some(page) = pages.next().await? {
            // no field says when a record changed: the server's clock does, as it was when the list began
            if by_clock
                && !std::mem::replace(&mut begun, true)
                && let Some(at) = page.date.and_then(|ms| Timestamp::from_millisecond(ms).ok())
            {
                newest = at.to_string();
            }
            let mut rows = Vec::with_capacity(page.records.len());
            let mut removed = Vec::new();
            for wire_record in &page.records {
                match self.item(side, resource, &fields, wire_record) {
                    Ok(Item::Record(data)) => {
                        if let Some(at) = changed_at(resource, &data)
                            && later(&at, &newest)
                        {
                            newest = at;
                        }
                        match row_of(resource, data, part_of) {
                            Some(row) => {
                                removed.retain(|id| *id != row.id);
                                rows.push(row);
                            }
                            None => {
                                unread += 1;
                                self.note_unreadable(side, resource, "it has no key");
                            }
                        }
                    }
                    Ok(Item::Removed(left)) => {
                        if let Some(at) = changed_at(resource, &left)
                            && later(&at, &newest)
                        {
                            newest = at;
                        }
                        match resource.id_of(&left) {
                            Some(id) => {
                                rows.retain(|row: &RecordRow| row.id != id);
                                removed.push(id);
                            }
                            None => {
                                unread += 1;
                                self.note_unreadable(side, resource, "it was removed, and has no key");
                            }
                        }
                    }
                    Ok(Item::Other) => {}
                    Err(problem) => {
                        unread += 1;
                        self.note_unreadable(side, resource, &problem);
                    }
                }
            }
            count += rows.len() as u64;
            self.put_items(side, resource, &rows, number).await?;
            self.put_page(side, resource, rows, number, part_of).await?;
            self.forget_removed(side, resource, removed).await?;
            self.tell(Event::Read {
                side: self.program.sides[side].name.clone(),
                resource: resource.name.clone(),
                count,
            });
        }
        reads.records += count;
        if !pages.complete() {
            self.note(
                "unreadable",
                format!(
                    "the list of {} {} came incomplete: pages are missing, or came twice; nothing is called missing in this run, and nothing is made that could be in it",
                    self.program.sides[side].name, resource.name
                ),
            );
            reads.incomplete.lists.insert((side, resource.name.clone()));
            return Ok(());
        }
        if !delta {
            if self.gone_stage(side, resource, number, count, unread).await? {
                reads.complete.insert((side, resource.name.clone()));
            }
            let sets =
                [(sweep_fact, number.to_string()), (swept_fact, now.to_string()), (program_fact, shape)];
            self.store
                .call(move |store| {
                    for (name, value) in &sets {
                        store.set_fact(name, Some(value))?;
                    }
                    Ok(())
                })
                .await?;
        }
        if !newest.is_empty() {
            // every record up to here is on the work list on disk, so the cursor may move
            self.store.call(move |store| store.set_fact(&cursor_fact, Some(&newest))).await?;
        }
        Ok(())
    }

    pub(super) async fn put_page(
        &self,
        side: Side,
        resource: &Arc<Resource>,
        rows: Vec<RecordRow>,
        sweep: i64,
        part_of: Option<&PartOf>,
    ) -> Result<(), RunError> {
        let name = resource.name.clone();
        let parent = part_of.map(|part| part.parent.clone());
        let program = Arc::clone(&self.program);
        self.store
            .call(move |store| {
                let changed = store.put_records(side, &name, &rows, sweep)?;
                // a child that changed makes its parent a candidate
                if let Some(parent) = &parent {
                    for (row, changed) in rows.iter().zip(changed) {
                        if changed && let Some(key) = &row.parent {
                            for hit in super::keys::parent_of(&program, store, side, parent, key)? {
                                store.mark_dirty(side, &hit.resource, Some(&hit.id))?;
                            }
                        }
                    }
                }
                Ok(())
            })
            .await?;
        Ok(())
    }

    /// After a complete read: what was not seen is asked for once more, one by one; only a 404 means gone. Where nothing can be asked,
    /// the list itself may say so, unless a record of it (`unread`) could not be understood: it may be that one.
    ///
    /// Answers whether "gone" could be told for all of them.
    async fn gone_stage(
        &self,
        side: Side,
        resource: &Arc<Resource>,
        sweep: i64,
        seen: u64,
        unread: u64,
    ) -> Result<bool, RunError> {
        let name = resource.name.clone();
        let unseen = self.store.read(move |store| store.count(side, &name, Which::UnseenBy(sweep))).await?;
        if unseen == 0 {
            return Ok(true);
        }
        let side_name = &self.program.sides[side].name;
        if seen == 0 {
            self.note(
                super::report::EMPTY_SOURCE,
                format!(
                    "{side_name} gave no {} at all, {unseen} were known: nothing is called missing",
                    resource.name
                ),
            );
            return Ok(false);
        }
        if unseen > (seen / 10).max(20) {
            self.note(
                super::report::MANY_MISSING,
                format!(
                    "{unseen} {} of {side_name} were not in the list ({seen} were): too many to be true, nothing is called missing",
                    resource.name
                ),
            );
            return Ok(false);
        }
        let by_list = resource.list.as_ref().is_some_and(|list| list.absent_is_gone) && unread == 0;
        if resource.get.is_none() && !by_list {
            return Ok(false);
        }
        let mut after = String::new();
        loop {
            let (name, from) = (resource.name.clone(), after.clone());
            let rows = self
                .store
                .read(move |store| store.records(side, &name, Which::UnseenBy(sweep), &from, 100))
                .await?;
            let Some(last) = rows.last() else { return Ok(true) };
            after = last.id.clone();
            for row in rows {
                match resource.get {
                    Some(_) => self.ask_for(side, resource, &row.row, sweep, None).await?,
                    None => self.forget(side, resource, &row.row.id).await?,
                }
            }
        }
    }

    /// Asks for one record that its list did not have: only what the system calls gone is forgotten. `below`: its list stands below
    /// another record.
    pub(super) async fn ask_for(
        &self,
        side: Side,
        resource: &Arc<Resource>,
        row: &RecordRow,
        sweep: i64,
        below: Option<&PartOf>,
    ) -> Result<(), RunError> {
        let Ok(outgoing) = wire::get(&self.program.sides[side].system, resource, &row.data) else {
            return Ok(());
        };
        match self.clients[side].read(&outgoing).await {
            Ok(reply) => {
                let fields = wanted(&self.program, side, &resource.name);
                let found = reply.body.as_ref().and_then(|body| wire::record_in_get(resource, body));
                match found.map(|found| self.item(side, resource, &fields, &found)) {
                    Some(Ok(Item::Record(mut data))) => {
                        if let (Some(part), Some(parent)) = (below, &row.parent) {
                            part.by.set(&mut data, Value::text(parent.clone()));
                        }
                        if let Some(found) = row_of(resource, data, None) {
                            let found = vec![RecordRow { parent: row.parent.clone(), ..found }];
                            self.put_items(side, resource, &found, sweep).await?;
                            self.put_page(side, resource, found, sweep, None).await?;
                        }
                    }
                    Some(Ok(Item::Removed(_))) => self.forget(side, resource, &row.id).await?,
                    _ => {}
                }
            }
            Err(error) if error.class == ErrorClass::Gone => self.forget(side, resource, &row.id).await?,
            Err(error) => self.note_unreadable(side, resource, &error.to_string()),
        }
        Ok(())
    }

    /// A record is gone: it leaves the mirror, and what is linked to it is looked at.
    pub(super) async fn forget(
        &self,
        side: Side,
        resource: &Arc<Resource>,
        id: &str,
    ) -> Result<(), RunError> {
        let registers: Vec<String> = self
            .program
            .registers
            .iter()
            .filter(|register| register.member(side, &resource.name).is_some())
            .map(|register| register.name.clone())
            .collect();
        self.forget_items(side, resource, id).await?;
        let (name, id) = (resource.name.clone(), id.to_owned());
        let program = Arc::clone(&self.program);
        let parent = self.part_of(side, &name).map(|part| part.parent);
        self.store
            .call(move |store| {
                // a child that is gone makes its parent a candidate, too
                let key = store.record(side, &name, &id)?.and_then(|stored| stored.row.parent);
                if let (Some(parent), Some(key)) = (&parent, key) {
                    for hit in super::keys::parent_of(&program, store, side, parent, &key)? {
                        store.mark_dirty(side, &hit.resource, Some(&hit.id))?;
                    }
                }
                let gone = crate::store::RecordRef { resource: name.clone(), id: id.clone() };
                super::exists::gone(&program, store, side, &gone)?;
                for register in &registers {
                    if let Some(link) = store.link(register, side, &gone)? {
                        let other = link.on(side.other());
                        store.mark_dirty(side.other(), &other.resource, Some(&other.id))?;
                    }
                    store.put_keys(register, side, &gone, &[])?;
                }
                store.remove_record(side, &name, &id)
            })
            .await?;
        Ok(())
    }

    /// The link of a pair goes with the record that was removed; a document's link tells how far it is, and stays.
    pub(super) async fn forget_link(&self, intent: &crate::store::Intent) -> Result<(), RunError> {
        let (Some(target), None) = (&intent.target, self.program.document(&intent.register)) else {
            return Ok(());
        };
        let at = crate::store::RecordRef { resource: intent.resource.clone(), id: target.clone() };
        let (register, side) = (intent.register.clone(), intent.side);
        self.store
            .call(move |store| {
                if let Some(link) = store.link(&register, side, &at)? {
                    store.remove_link(&register, &link.left)?;
                }
                Ok(())
            })
            .await?;
        Ok(())
    }

    pub(super) fn note_unreadable(&self, side: Side, resource: &Resource, problem: &str) {
        self.note(
            "unreadable",
            format!(
                "a record of {} {} cannot be read: {problem}",
                self.program.sides[side].name, resource.name
            ),
        );
    }
}

/// When a record changed, as its system says.
pub fn changed_at(resource: &Resource, data: &Value) -> Option<String> {
    resource
        .cursor
        .as_ref()?
        .fields
        .iter()
        .filter_map(|field| field.get(data)?.scalar_text().filter(|text| !text.is_empty()))
        .next()
}

/// Whether one of the server's own times is later than another; texts that are no times are compared as texts.
pub(super) fn later(one: &str, other: &str) -> bool {
    match (one.parse::<Timestamp>(), other.parse::<Timestamp>()) {
        (Ok(one), Ok(other)) => one > other,
        _ => one > other,
    }
}
