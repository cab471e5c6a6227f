//! The state of one connection: what both systems last said, what is linked, and every write under way.
//!
//! The contract speaks of records, links and intents, not of SQL, so that another database can stand
//! behind it. It is split into small traits, one for each question; [`Store`] is all of them. A store is
//! used through a [`Handle`]: jobs (closures over `&mut dyn Store`) are queued to the one thread that owns
//! the database, run in order, committed together, and answered only *after* the commit has reached the
//! disk. A job is atomic: its effects are all there or none, and a job that fails undoes only itself. A state
//! in memory has no thread: each job is done and committed where it is asked for.

mod firsts;
mod handle;
mod lineage;
mod lock;
mod open;
mod rows;
mod sqlite;
#[cfg(test)]
mod tests;
mod worker;

pub use firsts::Firsts;
pub use handle::Handle;
pub use lineage::Origin;
pub use lock::Lock;
pub use open::{Mode, OpenError, leave, reset};
pub use rows::*;

use crate::value::{Side, Value};

/// Why a store could not do something: the disk, another process, a newer version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoreError(pub String);

impl std::fmt::Display for StoreError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "state: {}", self.0)
    }
}

impl std::error::Error for StoreError {}

/// What a store answers.
pub type Result<T, E = StoreError> = std::result::Result<T, E>;

/// The mirror: each record of each side as it was last read.
///
/// A record is *dirty* from the moment it is new or its hash differs until somebody says [`Mirror::clean`]:
/// the work list of a run survives a crash by itself.
pub trait Mirror {
    /// Stores what a page of a list said. Answers for each row whether it was new or different (then it is
    /// dirty now); a record below another parent than before is different. `sweep` is the number of the
    /// complete read that this page belongs to, 0 for a delta, which leaves the number as it was.
    fn put_records(
        &mut self,
        side: Side,
        resource: &str,
        rows: &[RecordRow],
        sweep: i64,
    ) -> Result<Vec<bool>>;
    /// Stores what a write made of a record, or a read-back: not dirty afterwards. No complete read has seen it by
    /// that.
    fn put_clean(&mut self, side: Side, resource: &str, row: &RecordRow) -> Result<()>;
    /// One record.
    fn record(&self, side: Side, resource: &str, id: &str) -> Result<Option<StoredRecord>>;
    /// The records below a parent, in the order of their ids.
    fn children(&self, side: Side, resource: &str, parent: &str) -> Result<Vec<StoredRecord>>;
    /// Up to `limit` records in the order of their ids, starting after `after`, of one kind.
    fn records(
        &self,
        side: Side,
        resource: &str,
        which: Which,
        after: &str,
        limit: usize,
    ) -> Result<Vec<StoredRecord>>;
    /// How many there are of one kind.
    fn count(&self, side: Side, resource: &str, which: Which) -> Result<u64>;
    /// Takes a record off the work list, if its hash is still this one.
    fn clean(&mut self, side: Side, resource: &str, id: &str, hash: &str) -> Result<()>;
    /// Puts one record (or all, with `None`) on the work list. Answers how many are on it now for this call.
    fn mark_dirty(&mut self, side: Side, resource: &str, id: Option<&str>) -> Result<u64>;
    /// Forgets a record that is gone, and its match keys. Its link stays until somebody takes it away.
    fn remove_record(&mut self, side: Side, resource: &str, id: &str) -> Result<()>;
}

/// The match keys and the links of a register.
pub trait Links {
    /// Replaces the match keys of one record in a register: `keys[i]` belongs to the i-th `match` entry or
    /// `unique` rule; `None` where the record has no full key there.
    fn put_keys(
        &mut self,
        register: &str,
        side: Side,
        record: &RecordRef,
        keys: &[Option<String>],
    ) -> Result<()>;
    /// The records with this key, at most `limit`, in the order of their ids.
    fn by_key(
        &self,
        register: &str,
        side: Side,
        index: usize,
        key: &str,
        limit: usize,
    ) -> Result<Vec<RecordRef>>;
    /// The keys of one record in a register, with their places.
    fn keys_of(&self, register: &str, side: Side, record: &RecordRef) -> Result<Vec<(usize, String)>>;
    /// The link of a record in a register.
    fn link(&self, register: &str, side: Side, record: &RecordRef) -> Result<Option<Link>>;
    /// A link of this register by the id of a record alone: the first, where two resources of a side number alike.
    fn link_by_id(&self, register: &str, side: Side, id: &str) -> Result<Option<Link>>;
    /// Makes or replaces a link. A record has at most one link in a register: a second one is an error that
    /// names both.
    fn put_link(&mut self, link: &Link) -> Result<()>;
    /// Takes a link away; its records become dirty.
    fn remove_link(&mut self, register: &str, left: &RecordRef) -> Result<bool>;
    /// Up to `limit` links of a register in the order of their left ids, starting after `after`; more where the last id stands
    /// in more than one.
    fn links(&self, register: &str, after: &str, limit: usize) -> Result<Vec<Link>>;
    /// How many links a register has.
    fn count_links(&self, register: &str) -> Result<u64>;
    /// Gives links and everything else of a register another name (`was:`). Answers whether there was any. Facts
    /// are the caller's own; links under both names are an error.
    fn rename_register(&mut self, was: &str, now: &str) -> Result<bool>;
}

/// The journal: every write, before and after.
pub trait Journal {
    /// Writes an intent down; answers its number. Its request may leave once the job is committed.
    fn add_intent(&mut self, intent: &Intent) -> Result<i64>;
    /// Replaces an intent's state and outcome: target, lookup, state, attempt, times, outcome, `then`. What was
    /// planned (request, source, effect, program …) is never rewritten.
    fn set_intent(&mut self, intent: &Intent) -> Result<()>;
    /// One intent.
    fn intent(&self, id: i64) -> Result<Option<Intent>>;
    /// Every intent that is not settled (planned, sent, in doubt), oldest first.
    fn open_intents(&self) -> Result<Vec<Intent>>;
    /// Whether a record has an open intent: about to be written, or its own create under way (as source).
    fn open_intent_of(&self, register: &str, side: Side, at: &RecordRef) -> Result<Option<Intent>>;
    /// The last `limit` intents, newest first, of one record (written to, or the source) or of all.
    fn intents(&self, register: Option<&str>, id: Option<&str>, limit: usize) -> Result<Vec<Intent>>;
}

/// The scratch rows of a plan: they die with their run.
pub trait Scratch {
    /// Forgets the plan of an earlier run.
    fn clear_plan(&mut self) -> Result<()>;
    /// Adds rows at the end.
    fn add_changes(&mut self, rows: &[PlanRow]) -> Result<()>;
    /// A row is another change from now on: its action and what it says.
    fn set_change(&mut self, row: &PlanRow) -> Result<()>;
    /// Up to `limit` rows after the number `after`, in order; of one register or of all.
    fn changes(&self, register: Option<&str>, after: i64, limit: usize) -> Result<Vec<PlanRow>>;
    /// The row that holds a record already, if any.
    fn change_of(&self, register: &str, side: Side, at: &RecordRef) -> Result<Option<PlanRow>>;
    /// How many linked pairs of a register are planned to wait or to be set aside.
    fn count_held(&self, register: &str) -> Result<u64>;
    /// How many rows of each action a register has.
    fn count_changes(&self, register: &str) -> Result<Vec<(String, u64)>>;
}

/// What is set aside, what happened, and small facts.
pub trait Log {
    /// Sets a record aside, or replaces the reason; `since` of an older row stays.
    fn put_set_aside(&mut self, row: &SetAside) -> Result<()>;
    /// Takes it back. Answers whether it was there.
    fn remove_set_aside(&mut self, register: &str, side: Side, at: &RecordRef) -> Result<bool>;
    /// What is set aside of one record, if it is.
    fn set_aside_of(&self, register: &str, side: Side, at: &RecordRef) -> Result<Option<SetAside>>;
    /// Everything set aside, of one register or of all, oldest first.
    fn set_aside(&self, register: Option<&str>) -> Result<Vec<SetAside>>;
    /// Starts (`ended` is none) or ends a run.
    fn put_run(&mut self, run: &RunRow) -> Result<()>;
    /// The last runs, newest first.
    fn runs(&self, limit: usize) -> Result<Vec<RunRow>>;
    /// Notes that something happened to a record.
    fn add_event(&mut self, event: &EventRow) -> Result<()>;
    /// The last `limit` events of a run, or of a record, oldest first.
    fn events(
        &self,
        run: Option<&str>,
        record: Option<(&str, Side, &str)>,
        limit: usize,
    ) -> Result<Vec<EventRow>>;
    /// A small fact by name: cursor values, fingerprints, hashes, commands.
    fn fact(&self, name: &str) -> Result<Option<String>>;
    /// Sets or (with `None`) removes a fact.
    fn set_fact(&mut self, name: &str, value: Option<&str>) -> Result<()>;
    /// All facts whose names start so.
    fn facts(&self, prefix: &str) -> Result<Vec<(String, String)>>;
}

/// Commands that were left while another process worked on the state. They are left by [`leave`], past the handle
/// of the one who works; everything else is up to that one.
pub trait Commands {
    /// Those that nobody has taken up, in the order in which they were left.
    fn waiting_commands(&self) -> Result<Vec<CommandRow>>;
    /// Notes what became of one that waits. Answers whether it did wait.
    fn settle_command(&mut self, id: i64, state: CommandState, at: i64, outcome: &str) -> Result<bool>;
    /// The last `limit` commands, newest first.
    fn commands(&self, limit: usize) -> Result<Vec<CommandRow>>;
}

/// Everything a run needs of its state.
pub trait Store: Mirror + Links + Journal + Scratch + Log + Commands {}

impl<T: Mirror + Links + Journal + Scratch + Log + Commands> Store for T {}

/// A helper for callers: the data of a record, or null.
pub fn data_of(record: &Option<StoredRecord>) -> Value {
    record.as_ref().map_or(Value::Null, |record| record.data.clone())
}
