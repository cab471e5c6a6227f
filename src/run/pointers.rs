//! Children that their parents name: a parent's `pointer` gets the child's id after the child was made.
//!
//! The two are writes of their own. What is still to be named is kept in the state, in the commit that says the child was made:
//! between the two a crash would leave a child that nobody points at.

use std::sync::Arc;

use super::apply::Stop;
use super::decider::Decider;
use super::send::{Sending, Sent};
use super::{Engine, RunError};
use crate::program::mapping::Register;
use crate::program::system::Resource;
use crate::store::{Intent, RecordRef, Result as StoreResult, Store};
use crate::value::{Map, Path, Side, Value, from_json_str};
use crate::wire;

/// The facts that hold what is still to be named: `name_child:` and the number of the child's write.
const FACTS: &str = "name_child:";

/// The parent and its field that a child's write has to fill, as it stands in the write's intent.
pub(super) fn to_name(parent: &Resource, current: &Value, pointer: &Path) -> Option<Value> {
    Some(Value::Map(Map::from([
        ("resource".to_owned(), Value::text(parent.name.clone())),
        ("id".to_owned(), Value::text(parent.id_of(current)?)),
        ("field".to_owned(), Value::text(pointer.to_string())),
    ])))
}

/// Keeps what is to be named now that the child is there: called in the commit that says so.
pub(super) fn keep(store: &mut dyn Store, intent: &Intent, child: &str) -> StoreResult<()> {
    let Some(parent) = intent.then.get("names") else { return Ok(()) };
    let fact = Value::Map(Map::from([
        ("register".to_owned(), Value::text(intent.register.clone())),
        ("side".to_owned(), Value::text(intent.side.to_string())),
        ("parent".to_owned(), parent.clone()),
        ("child".to_owned(), Value::text(child)),
    ]));
    store.set_fact(&format!("{FACTS}{}", intent.id), Some(&fact.to_json()))
}

impl Engine {
    /// Names every child that was made and not named: what a run that was cut has left.
    pub(super) async fn name_children(&self, decider: &Decider) -> Result<(), RunError> {
        let facts = self.store.read(|store| store.facts(FACTS)).await?;
        for (fact, text) in facts {
            let open = from_json_str(&text).unwrap_or_default();
            match self.name_child(decider, &open).await {
                // one that cannot be named is told by what refused it; it is tried again in the next run
                Ok(()) | Err(Stop::Change(_)) => {}
                Err(Stop::Run(error)) => return Err(error),
            }
            if !matches!(self.is_named(&open).await?, Some(false)) {
                self.store.call(move |store| store.set_fact(&fact, None)).await?;
            }
        }
        Ok(())
    }

    /// Names one child, unless that is done or a write of the parent is under way.
    async fn name_child(&self, decider: &Decider, open: &Value) -> Result<(), Stop> {
        if !matches!(self.is_named(open).await?, Some(false)) {
            return Ok(());
        }
        let (Some((side, parent, at, field)), Some(child)) =
            (self.parent_in(open), open.get("child").and_then(Value::as_text))
        else {
            return Ok(());
        };
        let Some(register) = open
            .get("register")
            .and_then(Value::as_text)
            .and_then(|name| self.program.register(name))
            .cloned()
        else {
            return Ok(());
        };
        let (of, name) = (decider.clone(), register.name.clone());
        let record = self
            .store
            .read(move |store| match store.open_intent_of(&name, side, &at)? {
                Some(_) => Ok(None),
                None => of.record(store, side, &at),
            })
            .await?;
        let Some(record) = record else { return Ok(()) };
        let mut current = record.data;
        self.point(decider, &register, None, side, &parent, &mut current, &field, child).await
    }

    /// Whether the parent names a child now; nothing where it cannot be said any more: another mapping, a parent that is gone.
    async fn is_named(&self, open: &Value) -> Result<Option<bool>, RunError> {
        let Some((side, _, at, field)) = self.parent_in(open) else { return Ok(None) };
        let stored = self.store.read(move |store| store.record(side, &at.resource, &at.id)).await?;
        Ok(stored.map(|stored| field.get(&stored.row.data).is_some_and(|value| !value.is_empty())))
    }

    fn parent_in(&self, open: &Value) -> Option<(Side, Arc<Resource>, RecordRef, Path)> {
        let side = open.get("side").and_then(Value::as_text)?;
        let side = Side::BOTH.into_iter().find(|one| one.to_string() == side)?;
        let parent = open.get("parent")?;
        let text = |name: &str| parent.get(name).and_then(Value::as_text);
        let resource = self.program.sides[side].system.resources.get(text("resource")?)?.clone();
        let at = RecordRef { resource: resource.name.clone(), id: text("id")?.to_owned() };
        Some((side, resource, at, Path::parse(text("field")?).ok()?))
    }

    /// Writes a child's id into its parent, which is then as its system returned it.
    #[expect(clippy::too_many_arguments, reason = "each says another thing of one write")]
    pub(super) async fn point(
        &self,
        decider: &Decider,
        register: &Register,
        source: Option<RecordRef>,
        side: Side,
        parent: &Arc<Resource>,
        current: &mut Value,
        field: &Path,
        child: &str,
    ) -> Result<(), Stop> {
        let system = Arc::clone(&self.program.sides[side].system);
        let values = vec![(field.clone(), Value::text(child))];
        for write in wire::plan_update(&system, parent, current, &values)? {
            let sending = Sending::of(side, parent, write, current.clone());
            if let Sent::Row(row) = self.send(decider, register, source.clone(), sending).await? {
                *current = row.data;
            }
        }
        Ok(())
    }
}
