//! The thread that owns the database: jobs in, one commit for all that is queued, answers after it.

use std::panic::AssertUnwindSafe;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc;
use std::thread::JoinHandle;

use tokio::sync::oneshot;

use super::guard::{Guard, Origin};
use super::sqlite::Sqlite;
use super::{Result, Store, StoreError};

/// How many jobs share one commit at most.
const BATCH: usize = 256;

/// Why a state cannot be opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OpenError {
    /// Another process works on it: who, as far as it says.
    Locked(String),
    /// The file or folder cannot be used.
    Failed(String),
}

impl std::fmt::Display for OpenError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            OpenError::Locked(holder) => write!(f, "another mapengine is working on this state ({holder})"),
            OpenError::Failed(reason) => f.write_str(reason),
        }
    }
}

impl std::error::Error for OpenError {}

impl From<StoreError> for OpenError {
    fn from(error: StoreError) -> Self {
        OpenError::Failed(error.to_string())
    }
}

/// Tells a job what became of its commit, so that it can answer.
type Deliver = Box<dyn FnOnce(Result<()>) + Send>;
type WriteJob = Box<dyn FnOnce(Result<&mut dyn Store>) -> (bool, Deliver) + Send>;
type ReadJob = Box<dyn FnOnce(&dyn Store) + Send>;

enum Job {
    Write(WriteJob),
    Read(ReadJob),
}

/// The way to a store: cheap to clone, usable from anywhere. The database is closed with the last one.
#[derive(Clone)]
pub struct Handle(Arc<Inner>);

struct Inner {
    jobs: Option<mpsc::Sender<Job>>,
    thread: Option<JoinHandle<()>>,
    commits: Arc<AtomicU64>,
    origin: Origin,
}

impl Drop for Inner {
    fn drop(&mut self) {
        // no sender, no jobs: the thread ends after what is queued
        drop(self.jobs.take());
        if let Some(thread) = self.thread.take() {
            // a panic of the thread was told to its jobs already
            let _ = thread.join();
        }
    }
}

impl std::fmt::Debug for Handle {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Handle")
    }
}

impl Handle {
    /// Opens (or makes) a state for writing; it is locked against other processes until it is closed.
    ///
    /// # Errors
    /// [`OpenError::Locked`] where another process works on it; else the file's own trouble.
    pub fn open(path: &Path) -> std::result::Result<Handle, OpenError> {
        if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            std::fs::create_dir_all(folder)
                .map_err(|error| OpenError::Failed(format!("{}: {error}", folder.display())))?;
        }
        let mut guard = Guard::lock(path)?;
        let mut store = Sqlite::open(path)?;
        let origin = guard.enter(&mut store)?;
        Ok(Handle::start(store, Some(guard), origin))
    }

    /// Opens a state for reading only; another process may work on it.
    ///
    /// # Errors
    /// Where there is none, or it is of another version.
    pub fn open_read_only(path: &Path) -> std::result::Result<Handle, OpenError> {
        if !path.exists() {
            return Err(OpenError::Failed(format!(
                "{}: there is no state yet; it is made by the first run",
                path.display()
            )));
        }
        Ok(Handle::start(Sqlite::open_read_only(path)?, None, Origin::Continued))
    }

    /// A state that is gone with the process.
    ///
    /// # Errors
    /// Where memory cannot be had.
    pub fn in_memory() -> std::result::Result<Handle, OpenError> {
        Ok(Handle::start(Sqlite::in_memory()?, None, Origin::Fresh))
    }

    /// A copy of a state, in a file of its own, for deciding without touching the state: `plan` works on it.
    /// Where there is no state yet, the copy is empty.
    ///
    /// # Errors
    /// Where the state cannot be read or the copy not be written.
    pub fn copy_of(path: &Path, copy: &Path) -> std::result::Result<Handle, OpenError> {
        if path.exists() {
            let store = Sqlite::open_read_only(path)?;
            store.copy_to(copy)?;
        }
        Ok(Handle::start(Sqlite::open(copy)?, None, Origin::Continued))
    }

    /// Removes a state with everything beside it.
    ///
    /// # Errors
    /// Where a file cannot be removed.
    pub fn remove(path: &Path) -> std::io::Result<()> {
        for suffix in ["", "-wal", "-shm", ".serial", ".lock"] {
            let mut name = path.as_os_str().to_owned();
            name.push(suffix);
            match std::fs::remove_file(PathBuf::from(name)) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
        }
        Ok(())
    }

    fn start(store: Sqlite, guard: Option<Guard>, origin: Origin) -> Handle {
        let (jobs, queue) = mpsc::channel();
        let commits = Arc::new(AtomicU64::new(0));
        let counted = Arc::clone(&commits);
        let thread = std::thread::Builder::new()
            .name("state".into())
            .spawn(move || Worker { store, guard, commits: counted }.work(&queue))
            .ok();
        Handle(Arc::new(Inner { jobs: Some(jobs), thread, commits, origin }))
    }

    /// Runs a job that may write. It is answered once its commit is on disk; a job that fails changes nothing.
    ///
    /// # Errors
    /// The job's own, or that of the commit: then nothing of it happened.
    pub async fn call<R: Send + 'static>(
        &self,
        job: impl FnOnce(&mut dyn Store) -> Result<R> + Send + 'static,
    ) -> Result<R> {
        self.queue_write(job).await.unwrap_or_else(|_| Err(closed()))
    }

    /// [`Handle::call`] outside of async code.
    ///
    /// # Errors
    /// As [`Handle::call`].
    pub fn call_blocking<R: Send + 'static>(
        &self,
        job: impl FnOnce(&mut dyn Store) -> Result<R> + Send + 'static,
    ) -> Result<R> {
        self.queue_write(job).blocking_recv().unwrap_or_else(|_| Err(closed()))
    }

    fn queue_write<R: Send + 'static>(
        &self,
        job: impl FnOnce(&mut dyn Store) -> Result<R> + Send + 'static,
    ) -> oneshot::Receiver<Result<R>> {
        let (answer, receiver) = oneshot::channel();
        let job: WriteJob = Box::new(move |store| {
            let result = store.and_then(|store| {
                std::panic::catch_unwind(AssertUnwindSafe(|| job(store))).unwrap_or_else(|_| {
                    Err(StoreError("a job failed unexpectedly; its changes were undone".into()))
                })
            });
            let kept = result.is_ok();
            let deliver: Deliver = Box::new(move |commit| {
                // nobody may wait any more: then nobody wants the answer
                let _ = answer.send(commit.and(result));
            });
            (kept, deliver)
        });
        self.queue(Job::Write(job));
        receiver
    }

    /// Runs a job that only reads. It sees everything that was queued before it.
    ///
    /// # Errors
    /// The job's own.
    pub async fn read<R: Send + 'static>(
        &self,
        job: impl FnOnce(&dyn Store) -> Result<R> + Send + 'static,
    ) -> Result<R> {
        self.queue_read(job).await.unwrap_or_else(|_| Err(closed()))
    }

    /// [`Handle::read`] outside of async code.
    ///
    /// # Errors
    /// As [`Handle::read`].
    pub fn read_blocking<R: Send + 'static>(
        &self,
        job: impl FnOnce(&dyn Store) -> Result<R> + Send + 'static,
    ) -> Result<R> {
        self.queue_read(job).blocking_recv().unwrap_or_else(|_| Err(closed()))
    }

    fn queue_read<R: Send + 'static>(
        &self,
        job: impl FnOnce(&dyn Store) -> Result<R> + Send + 'static,
    ) -> oneshot::Receiver<Result<R>> {
        let (answer, receiver) = oneshot::channel();
        self.queue(Job::Read(Box::new(move |store| {
            let result = std::panic::catch_unwind(AssertUnwindSafe(|| job(store)))
                .unwrap_or_else(|_| Err(StoreError("a job failed unexpectedly".into())));
            let _ = answer.send(result);
        })));
        receiver
    }

    fn queue(&self, job: Job) {
        if let Some(jobs) = &self.0.jobs {
            // a thread that is gone drops the job, and with it the answer's sender: the caller hears of it
            let _ = jobs.send(job);
        }
    }

    /// How many commits there were.
    pub fn commits(&self) -> u64 {
        self.0.commits.load(Ordering::Relaxed)
    }

    /// Whether the state is new, goes on, or went back.
    pub fn origin(&self) -> &Origin {
        &self.0.origin
    }
}

fn closed() -> StoreError {
    StoreError("the state is closed".into())
}

struct Worker {
    store: Sqlite,
    guard: Option<Guard>,
    commits: Arc<AtomicU64>,
}

impl Worker {
    fn work(mut self, queue: &mpsc::Receiver<Job>) {
        while let Ok(first) = queue.recv() {
            let mut next = Some(first);
            while let Some(job) = next.take() {
                match job {
                    Job::Read(job) => job(&self.store),
                    Job::Write(job) => {
                        let mut batch = vec![job];
                        // whatever waits already shares the commit; a read ends the batch, so that it sees it
                        while batch.len() < BATCH {
                            match queue.try_recv() {
                                Ok(Job::Write(job)) => batch.push(job),
                                Ok(read) => {
                                    next = Some(read);
                                    break;
                                }
                                Err(_) => break,
                            }
                        }
                        self.commit(batch);
                    }
                }
            }
        }
        if let Some(mut guard) = self.guard.take() {
            guard.leave(&self.store);
        }
    }

    fn commit(&mut self, batch: Vec<WriteJob>) {
        let mut answers = Vec::with_capacity(batch.len());
        let committed = self.transaction(batch, &mut answers);
        if committed.is_err() {
            // nothing of the batch happened; an open transaction must not stay
            let _ = self.store.db.execute_batch("ROLLBACK");
        } else {
            self.commits.fetch_add(1, Ordering::Relaxed);
            if let Some(guard) = &mut self.guard {
                guard.committed(&self.store);
            }
        }
        for answer in answers {
            answer(committed.clone());
        }
    }

    fn transaction(&mut self, batch: Vec<WriteJob>, answers: &mut Vec<Deliver>) -> Result<()> {
        let mut batch = batch.into_iter();
        let begun =
            self.store.db.execute_batch("BEGIN IMMEDIATE").map_err(StoreError::from).and_then(
                |()| match &self.guard {
                    Some(guard) => guard.check(&self.store),
                    None => Ok(()),
                },
            );
        if let Err(error) = begun {
            answers.extend(batch.map(|job| job(Err(error.clone())).1));
            return Err(error);
        }
        for job in batch.by_ref() {
            self.store.db.execute_batch("SAVEPOINT job")?;
            let (kept, answer) = job(Ok(&mut self.store));
            answers.push(answer);
            let end = if kept { "RELEASE job" } else { "ROLLBACK TO job; RELEASE job" };
            self.store.db.execute_batch(end)?;
        }
        if let Some(guard) = &mut self.guard {
            guard.count(&self.store)?;
        }
        self.store.db.execute_batch("COMMIT")?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::{Log, RecordRow, Which};
    use crate::value::{Side, Value};

    fn folder() -> tempfile::TempDir {
        tempfile::tempdir().unwrap()
    }

    #[tokio::test]
    async fn many_jobs_share_few_commits() {
        let dir = folder();
        let handle = Handle::open(&dir.path().join("s.db")).unwrap();
        let jobs: Vec<_> = (0..1000)
            .map(|i| handle.call(move |store| store.set_fact(&format!("f{i}"), Some("x"))))
            .collect();
        for job in futures_util::future::join_all(jobs).await {
            job.unwrap();
        }
        assert_eq!(handle.read(|store| Ok(store.facts("f")?.len())).await, Ok(1000));
        assert!(handle.commits() < 500, "{} commits", handle.commits());
    }

    #[tokio::test]
    async fn a_job_that_fails_or_panics_undoes_only_itself() {
        let handle = Handle::in_memory().unwrap();
        let good = handle.call(|store| store.set_fact("good", Some("1")));
        let bad = handle.call(|store| {
            store.set_fact("bad", Some("1"))?;
            Err::<(), _>(StoreError("no".into()))
        });
        let worse = handle.call(|store| {
            store.set_fact("worse", Some("1"))?;
            let nothing: Option<()> = None;
            nothing.expect("a panic in a job");
            Ok(())
        });
        let (good, bad, worse) = tokio::join!(good, bad, worse);
        assert_eq!(good, Ok(()));
        assert_eq!(bad, Err(StoreError("no".into())));
        assert!(worse.unwrap_err().0.contains("undone"));
        let names = handle
            .read(|store| Ok(store.facts("")?.into_iter().map(|(name, _)| name).collect::<Vec<_>>()))
            .await
            .unwrap();
        assert_eq!(names, ["good"]);
    }

    #[test]
    fn a_second_process_is_refused_and_told_who_holds_it() {
        let dir = folder();
        let path = dir.path().join("s.db");
        let first = Handle::open(&path).unwrap();
        let Err(OpenError::Locked(holder)) = Handle::open(&path) else { panic!("it was opened twice") };
        assert!(holder.starts_with(&format!("process {}", std::process::id())), "{holder}");
        drop(first);
        Handle::open(&path).unwrap();
    }

    #[test]
    fn reading_goes_beside_writing() {
        let dir = folder();
        let path = dir.path().join("s.db");
        let writer = Handle::open(&path).unwrap();
        writer.call_blocking(|store| store.set_fact("a", Some("1"))).unwrap();
        let reader = Handle::open_read_only(&path).unwrap();
        assert_eq!(reader.read_blocking(|store| store.fact("a")), Ok(Some("1".into())));
        assert!(reader.call_blocking(|store| store.set_fact("a", Some("2"))).is_err());
    }

    #[test]
    fn a_restored_backup_is_noticed() {
        let dir = folder();
        let path = dir.path().join("s.db");
        let backup = dir.path().join("backup.db");
        let handle = Handle::open(&path).unwrap();
        assert_eq!(*handle.origin(), Origin::Fresh);
        drop(handle);
        std::fs::copy(&path, &backup).unwrap();
        let handle = Handle::open(&path).unwrap();
        assert_eq!(*handle.origin(), Origin::Continued);
        handle.call_blocking(|store| store.set_fact("a", Some("1"))).unwrap();
        drop(handle);
        std::fs::copy(&backup, &path).unwrap();
        assert!(matches!(*Handle::open(&path).unwrap().origin(), Origin::WentBack { .. }));
        Handle::remove(&path).unwrap();
        assert_eq!(*Handle::open(&path).unwrap().origin(), Origin::Fresh);
    }

    #[test]
    fn a_newer_state_and_a_foreign_file_are_refused() {
        let dir = folder();
        let path = dir.path().join("s.db");
        drop(Handle::open(&path).unwrap());
        let db = rusqlite::Connection::open(&path).unwrap();
        db.pragma_update(None, "user_version", 99).unwrap();
        drop(db);
        let Err(error) = Handle::open(&path) else { panic!("it was opened") };
        assert_eq!(
            error.to_string(),
            "state: this state was written by a newer mapengine (version 99, this one knows 1): update mapengine"
        );
        let foreign = dir.path().join("other.db");
        rusqlite::Connection::open(&foreign).unwrap().execute_batch("CREATE TABLE x (y)").unwrap();
        let Err(error) = Handle::open(&foreign) else { panic!("it was opened") };
        assert!(error.to_string().contains("not a state of mapengine"), "{error}");
    }

    #[test]
    fn a_full_disk_fails_the_job_and_keeps_the_rest() {
        let dir = folder();
        let store = Sqlite::open(&dir.path().join("s.db")).unwrap();
        let pages: i64 = store.db.query_row("PRAGMA page_count", [], |row| row.get(0)).unwrap();
        // a file that cannot grow: what a full disk does
        store.db.pragma_update(None, "max_page_count", pages + 4).unwrap();
        let handle = Handle::start(store, None, Origin::Fresh);
        let row = |id: &str, size: usize| RecordRow {
            id: id.into(),
            parent: None,
            data: Value::text("x".repeat(size)),
            hash: id.into(),
        };
        let (first, big, last) = (row("first", 100), row("big", 1_000_000), row("last", 100));
        handle.call_blocking(move |store| store.put_records(Side::Left, "r", &[first], 1)).unwrap();
        assert!(handle.call_blocking(move |store| store.put_records(Side::Left, "r", &[big], 1)).is_err());
        handle.call_blocking(move |store| store.put_records(Side::Left, "r", &[last], 1)).unwrap();
        assert_eq!(handle.read_blocking(|store| store.count(Side::Left, "r", Which::All)), Ok(2));
    }
}
