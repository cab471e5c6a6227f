//! Items of a record's list as records of their own: they come and go with the record that holds them.

use std::sync::Arc;

use super::read::row_of;
use super::report::{Entry, ITEM_GONE};
use super::{Engine, RunError};
use crate::plan::{self, Record};
use crate::program::document::{Document, Each};
use crate::program::system::Resource;
use crate::store::{Link, RecordRef, RecordRow, Result as StoreResult, Store};
use crate::value::{Path, Side};

/// The items of a record's list, each with the record around it.
pub(super) fn items(each: &Each, holder: &RecordRow) -> Vec<RecordRow> {
    let mut header = holder.data.clone();
    each.list.remove(&mut header);
    let items = each.list.get(&holder.data).and_then(crate::value::Value::as_list).unwrap_or_default();
    let row = |item: &crate::value::Value| {
        let mut item = item.clone();
        Path::key("header").set(&mut item, header.clone());
        Some(RecordRow { parent: Some(holder.id.clone()), ..row_of(&each.item, item, None)? })
    };
    items.iter().filter_map(row).collect()
}

/// The record whose list holds an item; none where the document is no item.
pub(super) fn holder_of(document: &Document, item: &Record) -> Option<RecordRef> {
    let each = document.read_from(&item.at.resource)?;
    Some(RecordRef { resource: each.of.name.clone(), id: each.of.id_of(item.data.get("header")?)? })
}

impl Engine {
    /// The lists of these records whose items are documents, with those documents.
    fn items_of(&self, resource: &str, side: Side) -> Vec<(Each, Vec<Arc<Document>>)> {
        let mut found: Vec<(Each, Vec<Arc<Document>>)> = Vec::new();
        for document in self.program.documents.iter().filter(|document| document.source == side) {
            for each in document.each.iter().filter(|each| each.of.name == resource) {
                match found.iter_mut().find(|(one, _)| one.item.name == each.item.name) {
                    Some((_, documents)) => documents.push(Arc::clone(document)),
                    None => found.push((each.clone(), vec![Arc::clone(document)])),
                }
            }
        }
        found
    }

    /// The items of records that were read. Those that are in no list any more leave the mirror: what did not travel yet never
    /// will. What did stays as it is, and a person is told once.
    pub(super) async fn put_items(
        &self,
        side: Side,
        holder: &Arc<Resource>,
        holders: &[RecordRow],
        sweep: i64,
    ) -> Result<(), RunError> {
        for (each, documents) in self.items_of(&holder.name, side) {
            let lists: Vec<(String, Vec<RecordRow>)> =
                holders.iter().map(|row| (row.id.clone(), items(&each, row))).collect();
            let name = each.item.name.clone();
            let of = documents.clone();
            let gone = self
                .store
                .call(move |store| {
                    let mut gone = Vec::new();
                    for (holder, items) in &lists {
                        for old in store.children(side, &name, holder)? {
                            if !items.iter().any(|item| item.id == old.row.id) {
                                gone.extend(leave(store, &of, side, &name, old.row)?);
                            }
                        }
                        store.put_records(side, &name, items, sweep)?;
                    }
                    Ok(gone)
                })
                .await?;
            self.tell_gone(&documents, side, gone);
        }
        Ok(())
    }

    /// The record that holds them is gone, and so are they.
    pub(super) async fn forget_items(
        &self,
        side: Side,
        holder: &Arc<Resource>,
        id: &str,
    ) -> Result<(), RunError> {
        for (each, documents) in self.items_of(&holder.name, side) {
            let (name, id, of) = (each.item.name.clone(), id.to_owned(), documents.clone());
            let gone = self
                .store
                .call(move |store| {
                    let mut gone = Vec::new();
                    for old in store.children(side, &name, &id)? {
                        gone.extend(leave(store, &of, side, &name, old.row)?);
                    }
                    Ok(gone)
                })
                .await?;
            self.tell_gone(&documents, side, gone);
        }
        Ok(())
    }

    fn tell_gone(&self, documents: &[Arc<Document>], side: Side, gone: Vec<(Link, RecordRow)>) {
        for (link, row) in gone {
            let Some(document) = documents.iter().find(|one| one.register.name == link.register) else {
                continue;
            };
            let record = Record {
                at: link.on(side).clone(),
                data: row.data,
                hash: row.hash,
                changed_at: None,
                exists: Default::default(),
            };
            let (here, there) = (&self.program.sides[side].name, &self.program.sides[side.other()].name);
            self.report.borrow_mut().notes.push(Entry {
                register: link.register.clone(),
                record: plan::label(&document.register, side, &record),
                code: ITEM_GONE.to_owned(),
                reason: format!(
                    "it is not in {here} any more, and was carried to {there} ({}) before: correct it there by hand",
                    link.on(side.other()).id
                ),
            });
        }
    }
}

/// An item leaves the list it was in. Answers the links of what has travelled: such an item stays in the mirror, below nothing.
fn leave(
    store: &mut dyn Store,
    documents: &[Arc<Document>],
    side: Side,
    name: &str,
    row: RecordRow,
) -> StoreResult<Vec<(Link, RecordRow)>> {
    let at = RecordRef { resource: name.to_owned(), id: row.id.clone() };
    let (mut links, mut open) = (Vec::new(), false);
    for document in documents {
        let register = &document.register.name;
        match store.link(register, side, &at)? {
            Some(link) => links.push((link, row.clone())),
            None => {
                open |= store.open_intent_of(register, side, &at)?.is_some();
                store.remove_set_aside(register, side, &at)?;
            }
        }
    }
    if !links.is_empty() {
        store.put_records(side, name, &[RecordRow { parent: None, ..row }], 0)?;
    } else if !open {
        store.remove_record(side, name, &at.id)?;
    }
    Ok(links)
}
