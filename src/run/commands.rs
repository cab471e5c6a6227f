//! What a person settles by hand: at once, or left in the state while another process works on it (`decisions` 13).
//!
//! A command changes the state only. It and the note that it is done are one job of the store: after a kill it
//! still waits, or it is done.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::decider::Selected;
use super::files::keep_attached;
use super::keys::key_slot;
use super::{Engine, RunError, explain};
use crate::program::mapping::{Program, Register};
use crate::store::{
    CommandRow, CommandState, Handle, IntentState, Link, RecordRef, Result, SetAside, Store, StoreError,
};
use crate::value::{Side, Value, from_json_str};

/// A command of a person to the state.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Command {
    /// What is set aside is tried again before its time.
    Retry {
        /// Only of these registers and documents; none: of all.
        only: Vec<String>,
        /// Only this record.
        record: Option<Selected>,
    },
    /// A write without an outcome is settled.
    Settle {
        /// Its number.
        write: i64,
        /// As what.
        verdict: Verdict,
    },
    /// The link of a record is forgotten: `REGISTER[:SIDE]:KEY`.
    Unlink(String),
    /// Two records are linked: `REGISTER:LEFT_KEY:RIGHT_KEY`.
    Link(String),
}

/// What a person knows of a write without an outcome.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// It took effect: this is the record.
    Adopt(String),
    /// It did not take effect.
    Resend,
    /// It does not matter any more.
    Drop,
}

/// What became of a command that was left in the state.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Settled {
    /// Its number.
    pub command: i64,
    /// The command as a person would write it.
    pub asked: String,
    /// Whether it was carried out; if not, it is not tried again.
    pub done: bool,
    /// What was done, or why nothing could be done.
    pub said: String,
}

impl std::fmt::Display for Command {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Command::Retry { only, record } => {
                f.write_str("retry")?;
                only.iter().try_for_each(|name| write!(f, " --only {name}"))?;
                record.iter().try_for_each(|record| {
                    let side = record.side.map_or_else(String::new, |side| format!("{side}:"));
                    write!(f, " --record {}:{side}{}", record.register, record.key)
                })
            }
            Command::Settle { write, verdict } => {
                write!(f, "resolve --write {write} ")?;
                match verdict {
                    Verdict::Adopt(id) => write!(f, "--adopt {id}"),
                    Verdict::Resend => f.write_str("--resend"),
                    Verdict::Drop => f.write_str("--drop"),
                }
            }
            Command::Unlink(text) => write!(f, "resolve --unlink {text}"),
            Command::Link(text) => write!(f, "resolve --link {text}"),
        }
    }
}

impl Command {
    /// The command of a row of the state.
    ///
    /// # Errors
    /// Another version left it, and this one does not know it.
    pub fn of(row: &CommandRow) -> Result<Command> {
        serde_json::from_str(&row.command.to_json())
            .map_err(|error| StoreError(format!("this version does not know the command ({error})")))
    }

    /// As it is left in the state.
    pub fn to_value(&self) -> Value {
        serde_json::to_string(self).ok().and_then(|text| from_json_str(&text).ok()).unwrap_or_default()
    }

    /// Whether the mapping has what the command names: asked before it is left, so that a slip is said at once.
    ///
    /// # Errors
    /// It names what is not there.
    pub fn check(&self, program: &Program) -> Result<()> {
        match self {
            Command::Retry { only, record } => {
                let on_demand =
                    |name: &str| program.document(name).is_some_and(|document| document.on_demand);
                let named = only.iter().chain(record.iter().map(|record| &record.register));
                match named.into_iter().find(|name| on_demand(name)) {
                    Some(name) => Err(StoreError(format!(
                        "{name} travel on demand, only in a run that names them: that cannot be left for another"
                    ))),
                    None => Ok(()),
                }
            }
            Command::Settle { .. } => Ok(()),
            Command::Unlink(text) => named(program, text).map(|_| ()),
            Command::Link(text) => {
                let [register, ..] = three(text)?;
                named(program, &register).map(|_| ())
            }
        }
    }

    /// Carries it out. Answers what was done, for people.
    ///
    /// # Errors
    /// It cannot be done, and why.
    pub fn carry_out(&self, program: &Arc<Program>, store: &mut dyn Store, now_ms: i64) -> Result<String> {
        match self {
            Command::Retry { only, record } => retry(program, store, only, record.as_ref()),
            Command::Settle { write, verdict } => settle(store, *write, verdict),
            Command::Unlink(text) => unlink(program, store, text),
            Command::Link(text) => link(program, store, text, now_ms),
        }
    }
}

/// Carries out what was left in the state, each once, in order.
///
/// # Errors
/// The state's own trouble. What a command cannot do is its outcome.
pub async fn take_up(store: &Handle, program: &Arc<Program>, now_ms: i64) -> Result<Vec<Settled>> {
    let mut all = Vec::new();
    for row in store.read(|store| store.waiting_commands()).await? {
        let id = row.id;
        let asked = Command::of(&row);
        let program = Arc::clone(program);
        let text = asked.as_ref().map_or_else(|_| row.command.to_json(), Command::to_string);
        let done = store
            .call(move |store| {
                let said = asked?.carry_out(&program, store, now_ms)?;
                store.settle_command(id, CommandState::Done, now_ms, &said)?;
                Ok(said)
            })
            .await;
        let settled = match done {
            Ok(said) => Settled { command: id, asked: text, done: true, said },
            // nothing of it was kept
            Err(StoreError(why)) => {
                let said = why.clone();
                store
                    .call(move |store| store.settle_command(id, CommandState::Refused, now_ms, &why))
                    .await?;
                Settled { command: id, asked: text, done: false, said }
            }
        };
        all.push(settled);
    }
    Ok(all)
}

impl Engine {
    /// What was left while another run went on comes before everything else of this one.
    pub(super) async fn take_up_commands(&self) -> Result<(), RunError> {
        let settled = take_up(&self.store, &self.program, self.clock.now_ms()).await?;
        self.report.borrow_mut().commands = settled;
        Ok(())
    }
}

fn named<'a>(program: &'a Program, text: &str) -> Result<&'a Register> {
    let name = text.split(':').next().unwrap_or_default();
    program
        .register(name)
        .map(|register| &**register)
        .ok_or_else(|| StoreError(format!("there is no register `{name}`")))
}

fn three(text: &str) -> Result<[String; 3]> {
    let parts: Vec<String> = text.splitn(3, ':').map(str::to_owned).collect();
    parts.try_into().map_err(|_| StoreError("write REGISTER:LEFT_KEY:RIGHT_KEY".into()))
}

/// What waits for its time waits no longer: the run that goes on tries it.
fn retry(
    program: &Arc<Program>,
    store: &mut dyn Store,
    only: &[String],
    record: Option<&Selected>,
) -> Result<String> {
    let meant = record.map(|record| ends(program, store, record)).transpose()?;
    let mut count = 0;
    for row in store.set_aside(None)? {
        let at = (row.side, RecordRef { resource: row.resource.clone(), id: row.id.clone() });
        let other = record.is_some_and(|record| record.register != row.register);
        if other
            || meant.as_ref().is_some_and(|meant| !meant.contains(&at))
            || !(only.is_empty() || only.contains(&row.register))
        {
            continue;
        }
        count += 1;
        if row.retry_at.is_some() {
            store.put_set_aside(&SetAside { retry_at: None, ..row })?;
        }
    }
    match (count, record) {
        (0, Some(record)) => Err(StoreError(format!("{} {} is not set aside", record.register, record.key))),
        (0, None) => Ok("nothing is set aside".to_owned()),
        (1, _) => Ok("1 record that is set aside is tried again".to_owned()),
        (count, _) => Ok(format!("{count} records that are set aside are tried again")),
    }
}

/// The record that a person means, and the one that it is linked with.
fn ends(program: &Arc<Program>, store: &dyn Store, record: &Selected) -> Result<Vec<(Side, RecordRef)>> {
    let register = named(program, &record.register)?;
    let decider = explain::decider(program, store, 0)?;
    let (side, at) = explain::one(&decider, store, register, record)?
        .map_err(|reason| StoreError(format!("{}: {reason}", record.told(program))))?;
    Ok(match store.link(&register.name, side, &at)? {
        Some(link) => vec![(Side::Left, link.left), (Side::Right, link.right)],
        None => vec![(side, at)],
    })
}

fn settle(store: &mut dyn Store, write: i64, verdict: &Verdict) -> Result<String> {
    let Some(mut intent) = store.intent(write)? else {
        return Err(StoreError(format!("there is no write {write}")));
    };
    if matches!(intent.state, IntentState::Done | IntentState::Failed) {
        return Err(StoreError(format!("write {write} is settled already: {}", intent.outcome)));
    }
    let said = match verdict {
        // a file: that it is there is what is kept, whatever id is said
        Verdict::Adopt(_) if intent.then.get("file").is_some() => {
            keep_attached(store, &intent)?;
            intent.state = IntentState::Done;
            intent.outcome = "said by hand: the file is there".into();
            format!("write {write} is settled: the file is there")
        }
        Verdict::Adopt(id) => {
            let made = RecordRef { resource: intent.resource.clone(), id: id.clone() };
            if let Some(source) = intent.source.clone() {
                let (left, right) = match intent.side {
                    Side::Left => (made, source),
                    Side::Right => (source, made),
                };
                put_link(store, &intent.register, left, right, intent.sent_at)?;
            }
            intent.state = IntentState::Done;
            intent.target = Some(id.clone());
            intent.outcome = format!("adopted by hand: {id}");
            format!("write {write} is settled: its record is {id}")
        }
        Verdict::Resend => {
            intent.state = IntentState::Failed;
            intent.outcome = "said by hand: it did not take effect".into();
            format!("write {write} is settled: it did not take effect. The next run decides anew")
        }
        Verdict::Drop => {
            intent.state = IntentState::Failed;
            intent.outcome = "dropped by hand".into();
            format!("write {write} is dropped")
        }
    };
    if let (Some(source), true) = (&intent.source, *verdict != Verdict::Drop) {
        store.mark_dirty(intent.side.other(), &source.resource, Some(&source.id))?;
    }
    store.set_intent(&intent)?;
    Ok(said)
}

fn put_link(
    store: &mut dyn Store,
    register: &str,
    left: RecordRef,
    right: RecordRef,
    since: i64,
) -> Result<()> {
    let register = register.to_owned();
    store.put_link(&Link { register, left, right, base: Value::Null, since, how: "by_hand".into() })
}

/// The record that a key means on a side: by id, else by its key.
fn find(store: &dyn Store, register: &Register, side: Side, key: &str) -> Result<Option<RecordRef>> {
    for member in &register.ends[side].members {
        if store.record(side, &member.resource.name, key)?.is_some() {
            return Ok(Some(RecordRef { resource: member.resource.name.clone(), id: key.to_owned() }));
        }
    }
    Ok(store.by_key(&register.name, side, key_slot(register), key, 1)?.into_iter().next())
}

fn unlink(program: &Program, store: &mut dyn Store, text: &str) -> Result<String> {
    let register = named(program, text)?;
    let key = text.split_once(':').map_or("", |(_, key)| key);
    let key = Side::BOTH
        .into_iter()
        .find_map(|side| key.strip_prefix(&format!("{}:", program.sides[side].name)))
        .unwrap_or(key);
    let name = &register.name;
    for side in Side::BOTH {
        let found = match find(store, register, side, key)? {
            Some(at) => store.link(name, side, &at)?,
            None => None,
        };
        let found = match found {
            Some(link) => Some(link),
            None => store.link_by_id(name, side, key)?,
        };
        if let Some(link) = found {
            store.remove_link(name, &link.left)?;
            return Ok(format!("{name} {} and {} are not linked any more", link.left.id, link.right.id));
        }
    }
    Err(StoreError(format!("{name} {key} is not linked")))
}

fn link(program: &Program, store: &mut dyn Store, text: &str, now_ms: i64) -> Result<String> {
    let [name, left, right] = three(text)?;
    let register = named(program, &name)?;
    let (Some(left_at), Some(right_at)) =
        (find(store, register, Side::Left, &left)?, find(store, register, Side::Right, &right)?)
    else {
        return Err(StoreError(format!("{left} or {right} is not known: it has to be read by a run first")));
    };
    put_link(store, &name, left_at.clone(), right_at, now_ms)?;
    store.mark_dirty(Side::Left, &left_at.resource, Some(&left_at.id))?;
    Ok(format!("{name} {left} and {right} are linked; the next run compares them"))
}
