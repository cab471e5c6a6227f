//! Opening a state: who may, what was found, and where it came from.

use std::fs::OpenOptions;
use std::path::{Path, PathBuf};
use std::time::Instant;

use super::firsts::Firsts;
use super::lineage::{Mark, Origin};
use super::lock::{Lock, beside, private};
use super::sqlite::Sqlite;
use super::worker::Held;
use crate::value::Value;

/// What a state is opened for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// To work on it: takes the lock.
    Write,
    /// To look at it, also while another process works on it. Only scratch rows can be written.
    ReadOnly,
    /// To try something on a private copy (open intents only, no history), also while another process works on
    /// it. Everything can be written and nothing reaches the state.
    Trial,
    /// A new state in memory; the path says nothing.
    InMemory,
}

/// Why a state could not be opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OpenError {
    /// Another process works on it.
    Locked {
        /// Who, for people; empty where it could not be read.
        holder: String,
    },
    /// It was written by a newer version.
    Newer {
        /// Its schema version.
        found: usize,
        /// The newest that this version knows.
        known: usize,
    },
    /// It was written by an older version and was to be opened without writing.
    Older {
        /// Its schema version.
        found: usize,
        /// The one that this version reads.
        known: usize,
    },
    /// The file is something else.
    Foreign(PathBuf),
    /// The disk, the permissions.
    Failed {
        /// Which file.
        path: PathBuf,
        /// What went wrong.
        why: String,
    },
}

impl std::fmt::Display for OpenError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            OpenError::Locked { holder } => {
                f.write_str("another mapengine ")?;
                if !holder.is_empty() {
                    write!(f, "({holder}) ")?;
                }
                f.write_str("is working on this state: wait until it is done, or stop it")
            }
            OpenError::Newer { found, known } => write!(
                f,
                "this state was written by a newer mapengine (schema {found}, this one knows {known}): update \
                 mapengine"
            ),
            OpenError::Older { found, known } => write!(
                f,
                "this state was written by an older mapengine (schema {found}, this one reads {known}): run \
                 the mapping once, which brings it forward"
            ),
            OpenError::Foreign(path) => {
                write!(f, "{} is not a state of mapengine: name another file", path.display())
            }
            OpenError::Failed { path, why } => {
                write!(f, "the state {} cannot be opened: {why}", path.display())
            }
        }
    }
}

impl std::error::Error for OpenError {}

/// A database with what its thread must know.
pub(super) struct Opened {
    pub(super) store: Sqlite,
    pub(super) held: Option<Held>,
    pub(super) origin: Origin,
}

impl Opened {
    pub(super) fn by(path: &Path, mode: Mode) -> Result<Opened, OpenError> {
        match mode {
            Mode::Write => Opened::to_write(path),
            Mode::ReadOnly if !path.exists() => Opened::to_look(path, Sqlite::in_memory()?),
            Mode::ReadOnly => Opened::to_look(path, Sqlite::readable(path)?),
            Mode::Trial => Opened::to_look(path, Sqlite::trial(path)?),
            Mode::InMemory => {
                let token = uuid::Uuid::new_v4().to_string();
                Opened::taken(Sqlite::in_memory()?, path, None, token, Origin::Fresh)
            }
        }
    }

    fn to_write(path: &Path) -> Result<Opened, OpenError> {
        let token = uuid::Uuid::new_v4().to_string();
        let lock = Lock::take(path, &token)?;
        let mark = Mark::read(path);
        // made here, because SQLite gives a new file, its log and its index the permissions of the umask
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(false);
        private(&mut options);
        options.open(path).map_err(|why| failed(path, &why))?;
        let store = Sqlite::writable(path)?;
        let identity = store.identity().map_err(|why| failed(path, &why.0))?;
        let origin = Origin::of(&identity, mark.as_ref());
        let opened = Opened::taken(store, path, Some(lock), token, origin)?;
        if let Some(held) = &opened.held {
            // before the first batch: a state with a serial and no neighbour has lost it
            held.mark.write(path).map_err(|why| failed(&beside(path, "serial"), &why))?;
        }
        Ok(opened)
    }

    fn to_look(path: &Path, store: Sqlite) -> Result<Opened, OpenError> {
        let identity = store.identity().map_err(|why| failed(path, &why.0))?;
        let origin = Origin::of(&identity, Mark::read(path).as_ref());
        Ok(Opened { store, held: None, origin })
    }

    /// Makes this process the one whose batches count.
    fn taken(
        mut store: Sqlite,
        path: &Path,
        lock: Option<Lock>,
        token: String,
        origin: Origin,
    ) -> Result<Opened, OpenError> {
        let mut identity = store.identity().map_err(|why| failed(path, &why.0))?;
        if origin.is_doubtful() {
            identity.doubt = serde_json::to_string(&origin).ok();
        }
        if let Origin::WentBack { was: Some(was), .. } = origin {
            // one serial never stands for two different states
            identity.serial = identity.serial.max(was + 1);
        }
        let holder = lock.as_ref().map_or("this process", Lock::holder);
        store.take_over(&token, holder, &identity).map_err(|why| failed(path, &why.0))?;
        let held = Held {
            token,
            file: lock.map(|lock| (path.to_owned(), lock)),
            mark: Mark { lineage: identity.lineage, serial: identity.serial },
            marked: Instant::now(),
            behind: false,
            lost: false,
        };
        Ok(Opened { store, held: Some(held), origin })
    }
}

fn failed(path: &Path, why: &dyn std::fmt::Display) -> OpenError {
    OpenError::Failed { path: path.to_owned(), why: why.to_string() }
}

/// Leaves a command (as JSON) in a state that another process works on: one row more, without its lock and without touching what is
/// its own. Answers the command's number.
pub fn leave(path: &Path, left: i64, command: &Value) -> Result<i64, OpenError> {
    Sqlite::guest(path)?.leave(left, command).map_err(|why| failed(path, &why.0))
}

/// Deletes a state with what lies beside it. Its lock file stays.
pub fn reset(path: &Path) -> Result<(), OpenError> {
    let _lock = Lock::take(path, "reset")?;
    // in this order: a log without its file, or a file without its neighbour, is found out at the next start
    let files = [
        beside(path, "serial"),
        Firsts::beside(path),
        dashed(path, "-wal"),
        dashed(path, "-shm"),
        path.to_owned(),
    ];
    for file in files {
        match std::fs::remove_file(&file) {
            Err(why) if why.kind() != std::io::ErrorKind::NotFound => {
                return Err(OpenError::Failed { path: file, why: why.to_string() });
            }
            _ => {}
        }
    }
    Ok(())
}

fn dashed(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    PathBuf::from(name)
}
