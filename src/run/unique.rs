//! Fields that no two records may share: what a record, or a change of it, would collide with.

use crate::plan::Change;
use crate::plan::decide::{self, Known, Record};
use crate::program::mapping::Register;
use crate::store::{Result, Store};
use crate::value::{Side, Value};

use super::decider::*;
use super::keys::*;

impl Decider {
    pub(super) fn clashes(
        &self,
        store: &dyn Store,
        register: &Register,
        side: Side,
        record: &Record,
        keys: &[Option<String>],
        known: &mut Known,
    ) -> Result<()> {
        let first = entries(register).len();
        for (i, rule) in register.unique.iter().enumerate() {
            if rule.side != side {
                continue;
            }
            let Some(Some(key)) = keys.get(first + i) else { continue };
            let others: Vec<String> = store
                .by_key(&register.name, side, first + i, key, 6)?
                .into_iter()
                .filter(|one| *one != record.at)
                .map(|one| format!("{} {}", one.resource, self.name_of(store, register, side, &one)))
                .collect();
            if !others.is_empty() {
                known.clashes.push(format!(
                    "{} {} is also that of {}: it may stand only once in {}",
                    rule.field,
                    rule.field.get(&record.data).unwrap_or(&Value::Null),
                    others.join(" and "),
                    self.program.sides[side].name
                ));
            }
        }
        Ok(())
    }

    /// A change that would give a record a value which another one has, or which another change would give, where
    /// the value may stand only once: set aside. Records that share such a value are all set aside, so that a
    /// person says which is meant.
    pub(super) fn kept_unique(
        &self,
        store: &dyn Store,
        register: &Register,
        change: Change,
    ) -> Result<Change> {
        let mut clashes = Vec::new();
        for (i, rule) in register.unique.iter().enumerate() {
            let (to, from) = (rule.side, rule.side.other());
            let field = rule.field.to_string();
            let (Some(source), true) =
                (change.on(from), change.fields[to].iter().any(|one| one.path == field))
            else {
                continue;
            };
            let Some(record) = self.record(store, from, source)? else { continue };
            let slot = entries(register).len() + i;
            let keys = self.keys(store, &self.context(), register, from, &record)?;
            let Some(Some(key)) = keys.get(slot) else { continue };
            let mut others = Vec::new();
            for at in store.by_key(&register.name, to, slot, key, 6)? {
                if change.on(to) != Some(&at) {
                    others.push((to, at));
                }
            }
            for at in store.by_key(&register.name, from, slot, key, 6)? {
                // one that is linked counts by the record it is linked to, unless that one is still to be changed
                let changes = match store.link(&register.name, from, &at)? {
                    Some(link) => store.change_of(&register.name, from, &at)?.is_some_and(|row| {
                        serde_json::from_str::<Change>(&row.change)
                            .is_ok_and(|other| other.fields[to].iter().any(|one| one.path == field))
                            && !others.contains(&(to, link.on(to).clone()))
                    }),
                    None => true,
                };
                if at != *source && changes {
                    others.push((from, at));
                }
            }
            if !others.is_empty() {
                let names: Vec<String> = others
                    .iter()
                    .map(|(side, at)| {
                        format!(
                            "{} {} of {}",
                            at.resource,
                            self.name_of(store, register, *side, at),
                            self.program.sides[*side].name
                        )
                    })
                    .collect();
                clashes.push(format!(
                    "{} {} of {} may stand only once, and {} has it or would get it, too",
                    rule.field,
                    change.fields[to]
                        .iter()
                        .find(|one| one.path == field)
                        .map_or(String::new(), |one| one.new.to_string()),
                    self.program.sides[to].name,
                    names.join(" and ")
                ));
            }
        }
        Ok(if clashes.is_empty() { change } else { decide::set_aside(change, "ME0906", clashes.join("; ")) })
    }
}
