//! What an item of an answer is: a record, one of another kind, or what is left of a removed record.

use std::collections::BTreeSet;
use std::rc::Rc;
use std::sync::Arc;

use super::{Engine, RunError};
use crate::program::system::Resource;
use crate::store::{RecordRef, Result as StoreResult, Store};
use crate::value::{Side, Value};
use crate::wire;

/// What an item of an answer is.
pub(super) enum Item {
    /// A record, as the mapping sees it.
    Record(Value),
    /// A record of another kind: the resource's own scope does not hold.
    Other,
    /// What is left of a removed record: its key.
    Removed(Value),
}

/// Where it is kept that a system itself said of a record that it was removed.
fn removed_fact(side: Side, resource: &str, id: &str) -> String {
    format!("removed:{side}:{resource}:{id}")
}

/// Whether a record that the mirror lacks was removed by what its system itself said.
pub(super) fn was_removed(store: &dyn Store, side: Side, at: &RecordRef) -> StoreResult<bool> {
    Ok(store.fact(&removed_fact(side, &at.resource, &at.id))?.is_some())
}

impl Engine {
    /// A record as the mapping sees it; `None` where it is of another kind (the resource's own scope), or was removed.
    pub(super) fn decoded(
        &self,
        side: Side,
        resource: &Resource,
        fields: &BTreeSet<String>,
        wire_record: &Value,
    ) -> Result<Option<Value>, String> {
        match self.item(side, resource, fields, wire_record)? {
            Item::Record(data) => Ok(Some(data)),
            Item::Other | Item::Removed(_) => Ok(None),
        }
    }

    /// Whether an item of an answer is only what is left of a removed record.
    pub(super) fn is_removed(&self, side: Side, resource: &Resource, wire_record: &Value) -> bool {
        let system = &self.program.sides[side].system;
        let left = wire::removed(system, resource, wire_record, &*self.lookups.borrow()[side]);
        matches!(left, Ok(Some(_)))
    }

    /// What an item of an answer is, and the record as the mapping sees it.
    pub(super) fn item(
        &self,
        side: Side,
        resource: &Resource,
        fields: &BTreeSet<String>,
        wire_record: &Value,
    ) -> Result<Item, String> {
        let system = &self.program.sides[side].system;
        let lookups = Rc::clone(&self.lookups.borrow()[side]);
        if let Some(left) =
            wire::removed(system, resource, wire_record, &*lookups).map_err(|problem| problem.to_string())?
        {
            return Ok(Item::Removed(left));
        }
        let scoped: BTreeSet<String>;
        let fields = match &resource.scope {
            Some(scope) => {
                scoped =
                    fields.iter().cloned().chain(scope.uses().iter().map(|path| path.to_string())).collect();
                &scoped
            }
            None => fields,
        };
        let data = wire::decode(system, resource, Some(fields), wire_record, &*lookups)
            .map_err(|problem| problem.to_string())?;
        match &resource.scope {
            Some(scope) if !scope.holds(&data).map_err(|error| error.to_string())? => Ok(Item::Other),
            _ => Ok(Item::Record(data)),
        }
    }

    /// Records of which their system itself says that they were removed: those that are known leave the mirror, and what is
    /// linked to them is decided as after a complete read.
    pub(super) async fn forget_removed(
        &self,
        side: Side,
        resource: &Arc<Resource>,
        removed: Vec<String>,
    ) -> Result<(), RunError> {
        for id in removed {
            let (name, one) = (resource.name.clone(), id.clone());
            let known = self
                .store
                .call(move |store| {
                    let known = store.record(side, &name, &one)?.is_some();
                    if known {
                        store.set_fact(&removed_fact(side, &name, &one), Some("1"))?;
                    }
                    Ok(known)
                })
                .await?;
            if known {
                self.forget(side, resource, &id).await?;
            }
        }
        Ok(())
    }
}
