//! Lists below a record: its children, one list for each parent.

use std::collections::BTreeSet;
use std::sync::Arc;

use futures_util::StreamExt;

use super::read::{PartOf, Reads, row_of, wanted};
use super::removed::Item;
use super::report::{EMPTY_SOURCE, MANY_MISSING};
use super::{Engine, RunError};
use crate::http::{CallError, Pages};
use crate::program::system::{ErrorClass, Resource};
use crate::store::Which;
use crate::value::{Map, Side, Value};

/// How many lists are read at once at most; the limits of the system decide below that.
const AT_ONCE: usize = 32;
/// How many parents are taken from the state at a time.
const PARENTS: usize = 200;

/// What came for one parent.
#[derive(Default)]
struct Children {
    count: u64,
    /// Known children that its whole list did not have, by their ids, with the parent's.
    unseen: Vec<(String, String)>,
    /// The parent, where its list came incomplete.
    half: Option<String>,
}

/// Whether a system says that what was asked for is not there.
fn is_gone(error: &CallError) -> bool {
    error.class == ErrorClass::Gone || matches!(error.status, Some(404 | 410))
}

impl Engine {
    /// A list below a parent is read for parents on the work list, and for all of them where the parents were read completely in
    /// this run. Where the children do not say when they changed (a child's change does not touch its parent), all are read again
    /// as often as the mapping's schedule says.
    pub(super) async fn read_below(
        &self,
        side: Side,
        resource: &Arc<Resource>,
        part_of: &PartOf,
        reads: &mut Reads,
    ) -> Result<(), RunError> {
        let read_at = format!("below_at:{side}:{}", resource.name);
        let all = self.full.get()
            || reads.complete.contains(&(side, part_of.parent.clone()))
            || (resource.cursor.is_none() && self.is_due(&read_at).await?);
        let which = if all { Which::All } else { Which::Dirty };
        let begun = self.clock.now_ms();
        let fields = wanted(&self.program, side, &resource.name);
        let (mut after, mut seen, mut unseen) = (String::new(), 0, Vec::new());
        loop {
            let (parent, from) = (part_of.parent.clone(), after.clone());
            let parents =
                self.store.read(move |store| store.records(side, &parent, which, &from, PARENTS)).await?;
            let Some(last) = parents.last() else { break };
            after = last.id.clone();
            let mut lists = futures_util::stream::iter(parents)
                .map(|parent| self.read_children_of(side, resource, part_of, parent.row.id, &fields))
                .buffer_unordered(AT_ONCE);
            while let Some(children) = lists.next().await {
                let children = children?;
                seen += children.count;
                unseen.extend(children.unseen);
                let half = children.half.map(|parent| (side, resource.name.clone(), parent));
                reads.incomplete.below.extend(half);
            }
        }
        reads.records += seen;
        self.forget_unseen(side, resource, part_of, all, seen, unseen).await?;
        if all {
            self.store.call(move |store| store.set_fact(&read_at, Some(&begun.to_string()))).await?;
        }
        Ok(())
    }

    /// Whether the time between two readings is over.
    async fn is_due(&self, read_at: &str) -> Result<bool, RunError> {
        let name = read_at.to_owned();
        let before = self.store.read(move |store| store.fact(&name)).await?;
        let Some(before) = before.and_then(|text| text.parse::<i64>().ok()) else { return Ok(true) };
        let passed = u128::try_from(self.clock.now_ms().saturating_sub(before));
        Ok(passed.is_ok_and(|passed| passed >= self.program.below.as_millis()))
    }

    async fn read_children_of(
        &self,
        side: Side,
        resource: &Arc<Resource>,
        part_of: &PartOf,
        parent: String,
        fields: &BTreeSet<String>,
    ) -> Result<Children, RunError> {
        let mut record = Value::Map(Map::new());
        part_of.by.set(&mut record, Value::text(parent.clone()));
        let mut pages = Pages::new(&self.clients[side], resource, Vec::new(), Some(&record))?;
        let (mut children, mut ids, mut whole) = (Children::default(), BTreeSet::new(), true);
        loop {
            let page = match pages.next().await {
                Ok(Some(page)) => page,
                Ok(None) => break,
                Err(error) if is_gone(&error) && self.forget_parent(side, part_of, &parent).await? => {
                    return Ok(children);
                }
                Err(error) => return Err(error.into()),
            };
            let (mut rows, mut removed) = (Vec::new(), Vec::new());
            for wire_record in &page.records {
                let problem = match self.item(side, resource, fields, wire_record) {
                    Ok(Item::Record(mut data)) => {
                        part_of.by.set(&mut data, Value::text(parent.clone()));
                        match row_of(resource, data, Some(part_of)) {
                            Some(row) => {
                                ids.insert(row.id.clone());
                                rows.push(row);
                                continue;
                            }
                            None => "it has no key".to_owned(),
                        }
                    }
                    Ok(Item::Removed(left)) => {
                        removed.extend(resource.id_of(&left));
                        continue;
                    }
                    Ok(Item::Other) => continue,
                    Err(problem) => problem,
                };
                whole = false;
                self.note_unreadable(side, resource, &problem);
            }
            children.count += rows.len() as u64;
            self.put_page(side, resource, rows, 0, Some(part_of)).await?;
            self.forget_removed(side, resource, removed).await?;
        }
        if whole && pages.complete() {
            let name = resource.name.clone();
            let of = parent.clone();
            let known = self.store.read(move |store| store.children(side, &name, &of)).await?;
            let unseen = known.into_iter().map(|child| child.row.id).filter(|id| !ids.contains(id));
            children.unseen = unseen.map(|id| (id, parent.clone())).collect();
        } else {
            children.half = Some(parent);
        }
        Ok(children)
    }

    /// What stands below a record is not found: whether that is because the record was removed since its own list was read. Then it
    /// is forgotten, and does not stop the others.
    async fn forget_parent(&self, side: Side, part_of: &PartOf, id: &str) -> Result<bool, RunError> {
        let resources = &self.program.sides[side].system.resources;
        let Some(resource) = resources.get(&part_of.parent).filter(|one| one.get.is_some()) else {
            return Ok(false);
        };
        let (name, id) = (part_of.parent.clone(), id.to_owned());
        let stored =
            |(name, id): (String, String)| self.store.read(move |store| store.record(side, &name, &id));
        if let Some(parent) = stored((name.clone(), id.clone())).await? {
            self.ask_for(side, resource, &parent.row, 0, None).await?;
        }
        Ok(stored((name, id)).await?.is_none())
    }

    /// Children that the whole list of their parent did not have are gone: where they can be read one by one, each is asked for first.
    /// What is too many to be true is left as it was.
    async fn forget_unseen(
        &self,
        side: Side,
        resource: &Arc<Resource>,
        part_of: &PartOf,
        all: bool,
        seen: u64,
        unseen: Vec<(String, String)>,
    ) -> Result<(), RunError> {
        if unseen.is_empty() {
            return Ok(());
        }
        let (system, name, count) = (&self.program.sides[side].name, &resource.name, unseen.len() as u64);
        if all && seen == 0 && resource.get.is_none() {
            let text =
                format!("{system} gave no {name} at all, {count} were known: nothing is called missing");
            self.note(EMPTY_SOURCE, text);
            return Ok(());
        }
        if count > (seen / 10).max(20) {
            self.note(
                MANY_MISSING,
                format!(
                    "{count} {name} of {system} were not in the lists of their records ({seen} were): too many to be true, nothing is called missing"
                ),
            );
            return Ok(());
        }
        for (id, parent) in unseen {
            let (name, one) = (resource.name.clone(), id.clone());
            let stored = self.store.read(move |store| store.record(side, &name, &one)).await?;
            // one that stands below another record by now has only moved
            let Some(stored) = stored.filter(|stored| stored.row.parent.as_ref() == Some(&parent)) else {
                continue;
            };
            match resource.get {
                Some(_) => self.ask_for(side, resource, &stored.row, 0, Some(part_of)).await?,
                None => self.forget(side, resource, &id).await?,
            }
        }
        Ok(())
    }
}
