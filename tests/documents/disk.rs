//! The disk of a random story: a state with what happens to it between runs and in the middle of one.

use std::path::{Path, PathBuf};

use mapengine::case::Harness;
use mapengine::store::{Handle, Mode, OpenError};

use super::common::Choices;

/// A state on a disk, with the backup that somebody made of it.
pub struct Disk {
    folder: tempfile::TempDir,
    backup: Option<Vec<u8>>,
    /// What the engine holds while somebody handles the file: another, empty state.
    meanwhile: Handle,
    /// The file beside the state as it was before the state was opened.
    older_mark: Option<Vec<u8>>,
}

/// What is on a disk at one moment of a run, without what the run or its orderly end would still bring there.
pub struct Moment {
    mark: Option<Vec<u8>>,
    state: Vec<u8>,
    log: Vec<u8>,
}

impl Disk {
    /// In memory where the machine has such a folder: what a disk does with barriers is not what is asked here.
    pub fn new(meanwhile: Handle) -> Disk {
        let memory = Path::new("/dev/shm");
        let folder = if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() };
        Disk { folder: folder.unwrap(), backup: None, meanwhile, older_mark: None }
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("state.db")
    }

    fn log(&self) -> PathBuf {
        self.folder.path().join("state.db-wal")
    }

    fn mark(&self) -> PathBuf {
        self.folder.path().join("state.db.serial")
    }

    pub fn open(&mut self, harness: &mut Harness) {
        self.older_mark = std::fs::read(self.mark()).ok();
        harness.store = Handle::open(&self.path(), Mode::Write).unwrap();
    }

    fn close(&self, harness: &mut Harness) {
        harness.store = self.meanwhile.clone();
    }

    /// What a person does to a state between two runs: keeps a copy, brings it back, or loses it.
    pub fn handle(&mut self, harness: &mut Harness, choices: &mut Choices) {
        self.close(harness);
        match (choices.next(4), &self.backup) {
            (0 | 1, None) => self.backup = Some(std::fs::read(self.path()).unwrap()),
            (0 | 1, Some(backup)) => std::fs::write(self.path(), backup).unwrap(),
            (2, _) => std::fs::remove_file(self.path()).unwrap(),
            _ => {}
        }
        self.open(harness);
    }

    /// A second process finds a run under way: it may not touch the state.
    pub fn is_locked(&self) {
        let second = Handle::open(&self.path(), Mode::Write);
        assert!(matches!(second, Err(OpenError::Locked { .. })), "a second process works on the state");
    }

    /// What the disk holds now. Nobody waits for the thread of the state: what it was not done with is not there.
    pub fn now(&self) -> Moment {
        // in this order: the mark never says more than the state
        let mark = std::fs::read(self.mark()).ok();
        let state = std::fs::read(self.path()).unwrap();
        Moment { mark, state, log: std::fs::read(self.log()).unwrap() }
    }

    /// The power was lost at a moment and is back. What was not synced then may be gone or torn: the end of the log after its last
    /// commit, and the name that a newer mark was given.
    pub fn lose_power(&mut self, harness: &mut Harness, mut moment: Moment, choices: &mut Choices) {
        self.close(harness);
        let synced = last_commit(&moment.log);
        match choices.next(3) {
            0 => moment.log.truncate(synced),
            1 => {
                let torn = synced + choices.next(1 + moment.log.len() - synced);
                moment.log.truncate(torn);
            }
            _ => {
                moment.log.truncate(synced);
                // half a frame of a commit that was on its way
                moment.log.extend((0..choices.next(5000)).map(|n| u8::try_from(n % 251).unwrap()));
            }
        }
        if choices.next(2) == 0 {
            moment.mark.clone_from(&self.older_mark);
        }
        std::fs::write(self.path(), &moment.state).unwrap();
        std::fs::write(self.log(), &moment.log).unwrap();
        match &moment.mark {
            Some(mark) => std::fs::write(self.mark(), mark).unwrap(),
            None => std::fs::remove_file(self.mark()).unwrap(),
        }
        self.open(harness);
    }
}

/// Where the last commit in a write-ahead log ends (SQLite's file format, section 4.1: a frame that names the size of the database
/// ends a commit; a frame with another salt is of an earlier use of the file).
fn last_commit(log: &[u8]) -> usize {
    const HEADER: usize = 32;
    const FRAME: usize = 24;
    let number = |at: usize| log.get(at..at + 4).map(|bytes| u32::from_be_bytes(bytes.try_into().unwrap()));
    let Some(page) = number(8) else { return 0 };
    let frame = FRAME + usize::try_from(page).unwrap();
    let ours = |at: &usize| at + frame <= log.len() && log[at + 8..at + 16] == log[16..24];
    let ends = (HEADER..).step_by(frame).take_while(ours).filter(|at| number(at + 4) != Some(0));
    ends.last().map_or(0, |at| at + frame)
}
