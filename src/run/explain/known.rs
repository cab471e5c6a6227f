//! What a run read beside the records, kept with the state: so that what was decided can be told without the systems.

use std::collections::HashSet;
use std::sync::Arc;

use crate::plan::flow::Roles;
use crate::program::mapping::Program;
use crate::run::decider::Decider;
use crate::run::documents::AllRoles;
use crate::store::{Result, RunRow, Store, StoreError};
use crate::value::{Both, Map, Side, Value, from_json_str};

/// The name under which the singletons and keyed records are kept.
const FACTS: &str = "read:facts";

/// The name under which the roles of a document's statuses are kept.
fn roles_fact(document: &str) -> String {
    format!("read:roles:{document}")
}

/// Keeps what this run read. A fact that stays as it is costs nothing.
pub(in crate::run) fn keep(decider: &Decider, store: &mut dyn Store) -> Result<()> {
    let facts = Side::BOTH.map(|side| (side.to_string(), decider.facts[side].clone()));
    store.set_fact(FACTS, Some(&Value::Map(Map::from(facts)).to_json()))?;
    for (document, roles) in &*decider.roles {
        // a run of other registers has not looked
        if *roles != Roles::default() {
            store.set_fact(&roles_fact(document), Some(&roles.to_value().to_json()))?;
        }
    }
    Ok(())
}

/// The last run that looked at both systems; none: there was none yet.
pub(super) fn last_run(store: &dyn Store) -> Result<Option<RunRow>> {
    Ok(store.runs(100)?.into_iter().find(|run| run.verb != "recover"))
}

/// A decider as of a time, over what the state knows.
pub(in crate::run) fn decider(program: &Arc<Program>, store: &dyn Store, now_ms: i64) -> Result<Decider> {
    let kept = |name: &str| -> Result<Value> {
        match store.fact(name)? {
            Some(text) => from_json_str(&text).map_err(|error| StoreError(format!("{name}: {error}"))),
            None => Ok(Value::Null),
        }
    };
    let facts = kept(FACTS)?;
    let facts = Both::of(|side| facts.get(&side.to_string()).cloned().unwrap_or_default());
    let mut roles = AllRoles::new();
    for document in &program.documents {
        let name = &document.register.name;
        roles.insert(name.clone(), Roles::of_value(&kept(&roles_fact(name))?));
    }
    // a record that the mirror does not hold is gone: only a complete read, or the system itself, said so
    let mut complete = HashSet::new();
    for side in Side::BOTH {
        for register in program.all() {
            complete.extend(
                register.ends[side].members.iter().map(|member| (side, member.resource.name.clone())),
            );
        }
    }
    let now = jiff::Timestamp::from_millisecond(now_ms).unwrap_or(jiff::Timestamp::UNIX_EPOCH).to_string();
    Ok(Decider {
        program: Arc::clone(program),
        facts: Arc::new(facts),
        today: now.get(..10).unwrap_or_default().to_owned(),
        now,
        now_ms,
        complete: Arc::new(complete),
        incomplete: Arc::default(),
        named: None,
        retry_all: false,
        left_alone: Arc::default(),
        roles: Arc::new(roles),
        unreadable: Arc::default(),
        takes_new: true,
        forgot: false,
        room: None,
    })
}
