//! The way to a store: jobs for the one thread that owns it, or for whoever has one, where it lives in memory.

use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Sender, channel, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use super::lineage::Origin;
use super::open::{Mode, OpenError, Opened};
use super::sqlite::Sqlite;
use super::worker::{Job, Message, Worker};
use super::{Result, Store, StoreError};

/// A state that is open, for as many users as hold a clone.
///
/// Jobs run in the order in which they were queued. When the last clone is dropped, what is queued is
/// finished and the file is closed. A job must not ask for another job of the same handle: there is only one to
/// do them.
#[derive(Clone)]
pub struct Handle {
    inner: Arc<Inner>,
}

struct Inner {
    owner: Owner,
    origin: Origin,
    commits: Arc<AtomicU64>,
}

/// Who does the jobs.
enum Owner {
    /// A thread of its own: a disk may make it wait. Both are there until the handle is dropped.
    Thread { queue: Option<Sender<Message>>, thread: Option<JoinHandle<()>> },
    /// Whoever has a job: memory makes nobody wait, and handing each job to a thread costs more than the job.
    Caller(Box<Mutex<Worker>>),
}

impl Handle {
    /// Opens a state, or makes it where there is none.
    pub fn open(path: &Path, mode: Mode) -> Result<Handle, OpenError> {
        let Opened { store, held, origin } = Opened::by(path, mode)?;
        let commits = Arc::new(AtomicU64::new(0));
        let worker = Worker { store, held, commits: commits.clone() };
        let owner = if mode == Mode::InMemory {
            Owner::Caller(Box::new(Mutex::new(worker)))
        } else {
            let (queue, jobs) = channel();
            let thread = std::thread::Builder::new()
                .name("state".to_owned())
                .spawn(move || worker.work(&jobs))
                .map_err(|why| OpenError::Failed { path: path.to_owned(), why: why.to_string() })?;
            Owner::Thread { queue: Some(queue), thread: Some(thread) }
        };
        Ok(Handle { inner: Arc::new(Inner { owner, origin, commits }) })
    }

    /// Queues a job at once and answers when it is on disk, or was undone.
    ///
    /// The job runs whether or not somebody waits for the answer.
    pub fn call<F, R>(&self, work: F) -> impl Future<Output = Result<R>> + Send + use<F, R>
    where
        F: FnOnce(&mut dyn Store) -> Result<R> + Send + 'static,
        R: Send + 'static,
    {
        self.ask(false, |store| work(store))
    }

    /// Like [`Handle::call`], outside of async code.
    pub fn call_blocking<F, R>(&self, work: F) -> Result<R>
    where
        F: FnOnce(&mut dyn Store) -> Result<R> + Send + 'static,
        R: Send + 'static,
    {
        self.ask_blocking(false, |store| work(store))
    }

    /// Queues a job that only reads: it costs no commit and sees at least everything that was queued before.
    pub fn read<F, R>(&self, work: F) -> impl Future<Output = Result<R>> + Send + use<F, R>
    where
        F: FnOnce(&dyn Store) -> Result<R> + Send + 'static,
        R: Send + 'static,
    {
        self.ask(true, |store| work(store))
    }

    /// Like [`Handle::read`], outside of async code.
    pub fn read_blocking<F, R>(&self, work: F) -> Result<R>
    where
        F: FnOnce(&dyn Store) -> Result<R> + Send + 'static,
        R: Send + 'static,
    {
        self.ask_blocking(true, |store| work(store))
    }

    /// Where the state came from when it was opened.
    pub fn origin(&self) -> Origin {
        self.inner.origin.clone()
    }

    /// Notes that a doubtful origin is dealt with: the next to open the state finds it [`Origin::Continued`].
    pub fn origin_settled(&self) -> impl Future<Output = Result<()>> + Send + use<> {
        self.ask(false, |store| store.forget_doubt())
    }

    /// Whether the state may have forgotten something, and nobody has settled that yet.
    pub fn is_doubtful(&self) -> impl Future<Output = Result<bool>> + Send + use<> {
        self.ask(true, |store| Ok(store.identity()?.doubt.is_some()))
    }

    /// How many batches changed the state since it was made.
    pub fn serial(&self) -> impl Future<Output = Result<i64>> + Send + use<> {
        self.ask(true, |store| Ok(store.identity()?.serial))
    }

    /// The id that the state was made with.
    pub fn lineage(&self) -> impl Future<Output = Result<String>> + Send + use<> {
        self.ask(true, |store| Ok(store.identity()?.lineage))
    }

    /// How many batches this handle has brought to the disk.
    pub fn commits(&self) -> u64 {
        self.inner.commits.load(Ordering::Relaxed)
    }

    /// SQL as a job, to make things go wrong.
    #[cfg(test)]
    pub(super) fn sql(&self, sql: &'static str) -> impl Future<Output = Result<()>> + use<> {
        self.ask(false, move |store| Ok(store.connection.execute_batch(sql)?))
    }

    fn ask<F, R>(&self, reads: bool, work: F) -> impl Future<Output = Result<R>> + Send + use<F, R>
    where
        F: FnOnce(&mut Sqlite) -> Result<R> + Send + 'static,
        R: Send + 'static,
    {
        let (answer, waiting) = tokio::sync::oneshot::channel();
        self.queue(reads, work, |result| {
            // nobody may be waiting any more
            let _ = answer.send(result);
        });
        async { waiting.await.unwrap_or_else(|_| Err(ended())) }
    }

    fn ask_blocking<F, R>(&self, reads: bool, work: F) -> Result<R>
    where
        F: FnOnce(&mut Sqlite) -> Result<R> + Send + 'static,
        R: Send + 'static,
    {
        let (answer, waiting) = sync_channel(1);
        self.queue(reads, work, move |result| {
            let _ = answer.send(result);
        });
        waiting.recv().unwrap_or_else(|_| Err(ended()))
    }

    /// Where the thread is gone, the answer is dropped, which the one who waits is told.
    fn queue<F, R, A>(&self, reads: bool, work: F, answer: A)
    where
        F: FnOnce(&mut Sqlite) -> Result<R> + Send + 'static,
        A: FnOnce(Result<R>) + Send + 'static,
        R: Send + 'static,
    {
        let message = Message { task: Box::new(Job { work: Some(work), result: None, answer }), reads };
        match &self.inner.owner {
            Owner::Thread { queue, .. } => {
                if let Some(queue) = queue {
                    let _ = queue.send(message);
                }
            }
            // a job that breaks off is undone and told of: nothing is left half-done behind the lock
            Owner::Caller(worker) => {
                worker.lock().unwrap_or_else(PoisonError::into_inner).take(message, || None);
            }
        }
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        let Owner::Thread { queue, thread } = &mut self.owner else { return };
        drop(queue.take());
        if let Some(thread) = thread.take()
            // a job may hold the last clone: the thread cannot wait for itself
            && thread.thread().id() != std::thread::current().id()
        {
            let _ = thread.join();
        }
    }
}

fn ended() -> StoreError {
    StoreError("the thread of the state has ended: start again".to_owned())
}
