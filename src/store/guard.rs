//! One writer at a time, and a state that went back is noticed (reliability 4.7, 4.8).
//!
//! An operating system lock on `STATE.lock` keeps other processes out and is freed by the kernel at a kill.
//! A token in the state itself is checked in every commit: whoever took over is not overwritten. `STATE.serial`
//! beside it holds the lineage and the last serial: a restored backup has a lower one.

use std::fs::{File, OpenOptions};
use std::io::{Read, Seek, Write};
use std::path::{Path, PathBuf};
use std::time::Instant;

use uuid::Uuid;

use super::sqlite::Sqlite;
use super::{Log, OpenError, Result, StoreError};

/// Where a state comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// It is new.
    Fresh,
    /// It goes on.
    Continued,
    /// It is older than what was written last: a restored backup.
    WentBack {
        /// What the file beside it says.
        last: u64,
        /// What the state says.
        found: u64,
    },
    /// It is not the state that was here before.
    OtherLineage,
}

const TOKEN: &str = "lock";
const LINEAGE: &str = "lineage";
const SERIAL: &str = "serial";

/// The lock and the serial of an open state.
pub(super) struct Guard {
    _lock: File,
    token: String,
    serial_path: PathBuf,
    lineage: String,
    serial: u64,
    noted: Instant,
}

fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

impl Guard {
    /// Takes the lock.
    pub(super) fn lock(path: &Path) -> std::result::Result<Guard, OpenError> {
        let lock_path = beside(path, ".lock");
        let failed = |error: std::io::Error| OpenError::Failed(format!("{}: {error}", lock_path.display()));
        let mut lock = OpenOptions::new()
            .create(true)
            .read(true)
            .write(true)
            .truncate(false)
            .open(&lock_path)
            .map_err(failed)?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(std::fs::TryLockError::WouldBlock) => {
                let mut holder = String::new();
                // who it is helps, but is not needed
                let _ = lock.read_to_string(&mut holder);
                return Err(OpenError::Locked(holder.trim().to_owned()));
            }
            Err(std::fs::TryLockError::Error(error)) => return Err(failed(error)),
        }
        let holder = format!(
            "process {}, since {}",
            std::process::id(),
            jiff::Timestamp::now().strftime("%Y-%m-%d %H:%M:%S UTC")
        );
        lock.set_len(0)
            .and_then(|()| lock.rewind())
            .and_then(|()| lock.write_all(holder.as_bytes()))
            .map_err(failed)?;
        Ok(Guard {
            _lock: lock,
            token: Uuid::new_v4().to_string(),
            serial_path: beside(path, ".serial"),
            lineage: String::new(),
            serial: 0,
            noted: Instant::now(),
        })
    }

    /// Says in the state who works on it now, and tells where the state comes from.
    pub(super) fn enter(&mut self, store: &mut Sqlite) -> Result<Origin> {
        let lineage = store.fact(LINEAGE)?;
        let serial = store.fact(SERIAL)?.and_then(|text| text.parse().ok()).unwrap_or(0);
        let noted = std::fs::read_to_string(&self.serial_path).ok().and_then(|text| {
            let (lineage, serial) = text.trim().split_once(' ')?;
            Some((lineage.to_owned(), serial.parse::<u64>().ok()?))
        });
        let origin = match (&lineage, noted) {
            (None, None) => Origin::Fresh,
            (None, Some(_)) => Origin::OtherLineage,
            (Some(here), Some((there, _))) if *here != there => Origin::OtherLineage,
            (Some(_), Some((_, last))) if last > serial => Origin::WentBack { last, found: serial },
            (Some(_), _) => Origin::Continued,
        };
        self.lineage = lineage.unwrap_or_else(|| Uuid::new_v4().to_string());
        self.serial = serial + 1;
        store.set_fact(LINEAGE, Some(&self.lineage))?;
        store.set_fact(TOKEN, Some(&self.token))?;
        store.set_fact(SERIAL, Some(&self.serial.to_string()))?;
        self.note();
        Ok(origin)
    }

    /// Whether this process still holds the state.
    pub(super) fn check(&self, store: &Sqlite) -> Result<()> {
        match store.fact(TOKEN)? {
            Some(token) if token == self.token => Ok(()),
            _ => Err(StoreError("another process took over this state".into())),
        }
    }

    /// Counts a commit, inside of it.
    pub(super) fn count(&mut self, store: &Sqlite) -> Result<()> {
        self.serial += 1;
        store
            .db
            .prepare_cached("UPDATE fact SET value = ?1 WHERE name = 'serial'")
            .and_then(|mut statement| statement.execute([self.serial.to_string()]))?;
        Ok(())
    }

    /// Notes the serial beside the state, once a second at most.
    pub(super) fn committed(&mut self, _: &Sqlite) {
        if self.noted.elapsed().as_secs() >= 1 {
            self.note();
        }
    }

    /// Notes the serial for the last time.
    pub(super) fn leave(&mut self, _: &Sqlite) {
        self.note();
    }

    /// The note is a help for noticing a restored backup; where it cannot be written, the state is still right.
    fn note(&mut self) {
        self.noted = Instant::now();
        let write = || -> std::io::Result<()> {
            let mut file = File::create(&self.serial_path)?;
            writeln!(file, "{} {}", self.lineage, self.serial)?;
            file.sync_data()
        };
        let _ = write();
    }
}
