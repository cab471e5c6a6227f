//! The one thread that owns the database: it takes what is queued, commits it together, and then answers.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use super::lineage::Mark;
use super::lock::Lock;
use super::sqlite::Sqlite;
use super::{Result, StoreError};

/// At most this many jobs are committed together …
const BATCH_JOBS: usize = 256;
/// … and no further one is begun after this time.
const BATCH_TIME: Duration = Duration::from_millis(5);
/// How far the file beside the state may be behind.
const MARK_EVERY: Duration = Duration::from_secs(1);

/// One job and the one who waits for it.
pub(super) trait Task: Send {
    /// Does the work and keeps its result. Answers whether it succeeded.
    fn run(&mut self, store: &mut Sqlite) -> bool;
    /// Hands the result over; with an error instead, where what it did was undone or never done.
    fn answer(self: Box<Self>, undone: Option<&StoreError>);
}

/// A job as it is queued.
pub(super) struct Message {
    pub(super) task: Box<dyn Task>,
    /// It only reads: it needs no commit, and waits for the one of the jobs before it.
    pub(super) reads: bool,
}

/// A job by its closure and its answer.
pub(super) struct Job<F, R, A> {
    pub(super) work: Option<F>,
    pub(super) result: Option<Result<R>>,
    pub(super) answer: A,
}

impl<F, R, A> Task for Job<F, R, A>
where
    F: FnOnce(&mut Sqlite) -> Result<R> + Send,
    A: FnOnce(Result<R>) + Send,
    R: Send,
{
    fn run(&mut self, store: &mut Sqlite) -> bool {
        let Some(work) = self.work.take() else { return false };
        // whatever the job did is rolled back, and its own data is dropped: nothing half-done can be seen
        let result = catch_unwind(AssertUnwindSafe(|| work(store))).unwrap_or_else(|panic| {
            let text = panic
                .downcast_ref::<&str>()
                .map(ToString::to_string)
                .or_else(|| panic.downcast_ref::<String>().cloned())
                .unwrap_or_default();
            Err(StoreError(format!(
                "a job broke off and was undone, which is a mistake in mapengine: {text}"
            )))
        });
        let succeeded = result.is_ok();
        self.result = Some(result);
        succeeded
    }

    fn answer(self: Box<Self>, undone: Option<&StoreError>) {
        let result = match (self.result, undone) {
            // its own failure says more than what came of the batch
            (Some(Err(error)), _) => Err(error),
            (_, Some(undone)) => Err(undone.clone()),
            (Some(done), None) => done,
            (None, None) => Err(StoreError("a job was not run".to_owned())),
        };
        (self.answer)(result);
    }
}

/// Who owns the database, with what it must know.
pub(super) struct Worker {
    pub(super) store: Sqlite,
    /// None where the state is never written.
    pub(super) held: Option<Held>,
    pub(super) commits: Arc<AtomicU64>,
}

/// What a writer holds.
pub(super) struct Held {
    /// Stands in the state as long as nobody took over.
    pub(super) token: String,
    /// The file whose neighbour tells the serial, and the lock; none in memory.
    pub(super) file: Option<(PathBuf, Lock)>,
    pub(super) mark: Mark,
    /// When the neighbour was last written, and whether it is behind.
    pub(super) marked: Instant,
    pub(super) behind: bool,
    /// Another process took over: the state and its neighbour are no longer ours.
    pub(super) lost: bool,
}

impl Worker {
    /// Works until no handle is left and the queue is empty.
    pub(super) fn work(mut self, queue: &Receiver<Message>) {
        while let Some(first) = self.next(queue) {
            self.take(first, || queue.try_recv().ok());
        }
        self.write_mark();
        if self.held.as_ref().is_some_and(|held| !held.lost) {
            // without it the log is read back at the next start: slower, not wrong
            let _ = self.store.connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()));
        }
        // the database is closed before the lock is given back
        let Worker { store, held, .. } = self;
        drop(store);
        drop(held);
    }

    /// Does one job, with what else there is where it writes.
    pub(super) fn take(&mut self, first: Message, more: impl Fn() -> Option<Message>) {
        if first.reads {
            self.read(first.task);
        } else {
            self.batch(first.task, more);
        }
    }

    /// The next job; the file beside the state is brought up to date while there is none.
    fn next(&mut self, queue: &Receiver<Message>) -> Option<Message> {
        while let Some(held) = self.held.as_ref().filter(|held| held.behind) {
            let Some(left) = MARK_EVERY.checked_sub(held.marked.elapsed()) else {
                self.write_mark();
                continue;
            };
            match queue.recv_timeout(left) {
                Ok(message) => return Some(message),
                Err(RecvTimeoutError::Timeout) => self.write_mark(),
                Err(RecvTimeoutError::Disconnected) => return None,
            }
        }
        queue.recv().ok()
    }

    /// Runs a job that only reads, on one unchanging view of the state.
    fn read(&mut self, mut task: Box<dyn Task>) {
        let begun = self.store.say("BEGIN DEFERRED");
        match begun {
            Ok(()) => {
                task.run(&mut self.store);
                self.roll_back();
                task.answer(None);
            }
            Err(error) => task.answer(Some(&error)),
        }
    }

    /// Runs a job and what else is queued, commits, and answers.
    fn batch(&mut self, first: Box<dyn Task>, more: impl Fn() -> Option<Message>) {
        if let Err(error) = self.begin() {
            return first.answer(Some(&error));
        }
        let started = Instant::now();
        let (mut done, mut reads) = (Vec::new(), Vec::new());
        let mut changed = false;
        let mut undone = None;
        let mut next = Some(Message { task: first, reads: false });
        while let Some(Message { mut task, reads: only_reads }) = next.take() {
            if only_reads {
                reads.push(task);
            } else {
                let ran = self.run(&mut task, done.is_empty());
                done.push(task);
                match ran {
                    Ok(wrote) => changed |= wrote,
                    Err(error) => {
                        undone = Some(error);
                        break;
                    }
                }
            }
            if done.len() + reads.len() < BATCH_JOBS && started.elapsed() < BATCH_TIME {
                next = more();
            }
        }
        let undone = match undone {
            Some(error) => {
                self.roll_back();
                Some(error)
            }
            None => self.commit(changed).err(),
        };
        for task in done {
            task.answer(undone.as_ref());
        }
        for task in reads {
            self.read(task);
        }
    }

    /// Begins a transaction, if the state is still ours.
    fn begin(&mut self) -> Result<()> {
        let Some(held) = &mut self.held else {
            return self.store.say("BEGIN DEFERRED");
        };
        self.store.say("BEGIN IMMEDIATE")?;
        let instead = self.store.holder_instead_of(&held.token);
        let problem = match instead {
            Ok(None) => return Ok(()),
            Ok(Some(holder)) => {
                held.lost = true;
                StoreError(format!("another process took over this state ({holder}): this one must stop"))
            }
            Err(error) => error,
        };
        self.roll_back();
        Err(problem)
    }

    /// Runs one job so that its failure undoes only itself. Answers whether it changed the state; an error
    /// means that the whole batch is lost.
    ///
    /// The first of a batch needs no savepoint, which would cost a copy of every page that it touches: there
    /// is nothing else yet that could be undone with it.
    fn run(&mut self, task: &mut Box<dyn Task>, first: bool) -> Result<bool> {
        if !first {
            self.store.say("SAVEPOINT job")?;
        }
        let before = self.store.news();
        let succeeded = task.run(&mut self.store);
        if self.store.connection.is_autocommit() {
            // a full disk or a broken one makes SQLite undo everything at once
            return Err(StoreError(
                "a job of the same moment failed so badly that all were undone".to_owned(),
            ));
        }
        if first {
            if !succeeded {
                self.roll_back();
                self.begin()?;
            }
        } else {
            if !succeeded {
                self.store.say("ROLLBACK TO job")?;
            }
            self.store.say("RELEASE job")?;
        }
        Ok(succeeded && self.store.news() > before)
    }

    fn commit(&mut self, changed: bool) -> Result<()> {
        let committed = self.try_commit(changed);
        if committed.is_err() {
            self.roll_back();
        }
        committed
    }

    fn try_commit(&mut self, changed: bool) -> Result<()> {
        let serial = if changed && self.held.is_some() { Some(self.store.next_serial()?) } else { None };
        self.store.say("COMMIT")?;
        if let (Some(serial), Some(held)) = (serial, &mut self.held) {
            held.mark.serial = serial;
            held.behind = true;
            self.commits.fetch_add(1, Ordering::Relaxed);
        }
        Ok(())
    }

    fn roll_back(&self) {
        if !self.store.connection.is_autocommit() {
            // fails only where there is nothing to roll back
            let _ = self.store.say("ROLLBACK");
        }
    }

    /// Writes the file beside the state, if it is behind.
    fn write_mark(&mut self) {
        let Some(held) = self.held.as_mut().filter(|held| held.behind && !held.lost) else { return };
        held.behind = false;
        held.marked = Instant::now();
        if let Some((path, _)) = &held.file {
            // it is a second witness: where it cannot be written, the state itself still stands
            let _ = held.mark.write(path);
        }
    }
}
