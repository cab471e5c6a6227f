//! Whether a state is the one it was: its lineage and serial, kept once more in a file beside it.

use std::fs::OpenOptions;
use std::io::Write;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::lock::{beside, private};
use super::sqlite::Identity;

/// Where a state comes from, as far as it can be told.
///
/// A state that went back or belongs to another lineage may not know of records that were created from it:
/// the engine looks before every create until somebody says [`super::Handle::origin_settled`]. Until then the
/// doubt survives in the state itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Origin {
    /// There was none before.
    Fresh,
    /// It is the one that was closed, or left, last time.
    Continued,
    /// It is older than the one that was here before: a backup, or a file that lost its log.
    WentBack {
        /// The serial that was found in it.
        serial: i64,
        /// The serial that was reached before; none where the file beside it is gone and nobody can say.
        was: Option<i64>,
    },
    /// A state of another lineage was here before: it was lost and this one is new, or this one was brought
    /// from somewhere else.
    OtherLineage {
        /// The lineage that was here before.
        was: String,
    },
}

impl Origin {
    /// Whether the state may have forgotten something that was done from it.
    pub fn is_doubtful(&self) -> bool {
        matches!(self, Origin::WentBack { .. } | Origin::OtherLineage { .. })
    }

    /// Compares what the state says with what the file beside it says.
    pub(super) fn of(state: &Identity, beside: Option<&Mark>) -> Origin {
        let now = Origin::told_by(state, beside);
        if now.is_doubtful() {
            return now;
        }
        // a doubt that nobody settled stays, also where all looks well by now
        state.doubt.as_deref().and_then(|doubt| serde_json::from_str(doubt).ok()).unwrap_or(now)
    }

    fn told_by(state: &Identity, beside: Option<&Mark>) -> Origin {
        match beside {
            None if state.serial == 0 => Origin::Fresh,
            None => Origin::WentBack { serial: state.serial, was: None },
            Some(mark) if mark.lineage != state.lineage => Origin::OtherLineage { was: mark.lineage.clone() },
            Some(mark) if state.serial < mark.serial => {
                Origin::WentBack { serial: state.serial, was: Some(mark.serial) }
            }
            Some(_) => Origin::Continued,
        }
    }
}

/// What the file beside a state says: `LINEAGE SERIAL`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Mark {
    pub(super) lineage: String,
    pub(super) serial: i64,
}

impl Mark {
    /// Reads the file beside a state; none where there is no (readable) one.
    pub(super) fn read(state: &Path) -> Option<Mark> {
        let text = std::fs::read_to_string(beside(state, "serial")).ok()?;
        let (lineage, serial) = text.trim().split_once(' ')?;
        Some(Mark { lineage: lineage.to_owned(), serial: serial.parse().ok()? })
    }

    /// Writes the file beside a state, whole and on disk, or not at all.
    pub(super) fn write(&self, state: &Path) -> std::io::Result<()> {
        let path = beside(state, "serial");
        let new: PathBuf = beside(state, "serial.new");
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(true);
        private(&mut options);
        let mut file = options.open(&new)?;
        writeln!(file, "{} {}", self.lineage, self.serial)?;
        file.sync_all()?;
        std::fs::rename(new, path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn state(serial: i64) -> Identity {
        Identity { lineage: "a".into(), serial, doubt: None }
    }

    fn mark(lineage: &str, serial: i64) -> Mark {
        Mark { lineage: lineage.into(), serial }
    }

    #[test]
    fn where_a_state_comes_from() {
        assert_eq!(Origin::of(&state(0), None), Origin::Fresh);
        assert_eq!(Origin::of(&state(5), Some(&mark("a", 5))), Origin::Continued);
        assert_eq!(Origin::of(&state(9), Some(&mark("a", 5))), Origin::Continued);
        let back = Origin::WentBack { serial: 4, was: Some(5) };
        assert_eq!(Origin::of(&state(4), Some(&mark("a", 5))), back);
        assert_eq!(Origin::of(&state(4), None), Origin::WentBack { serial: 4, was: None });
        assert_eq!(Origin::of(&state(0), Some(&mark("b", 5))), Origin::OtherLineage { was: "b".into() });
        let doubtful = Identity { doubt: Some(serde_json::to_string(&back).unwrap()), ..state(9) };
        assert_eq!(Origin::of(&doubtful, Some(&mark("a", 9))), back);
        // a backup of that time brings a doubt of its own
        let again = Origin::WentBack { serial: 9, was: Some(12) };
        assert_eq!(Origin::of(&doubtful, Some(&mark("a", 12))), again);
    }

    #[test]
    fn a_mark_is_read_as_written_and_garbage_is_none() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state.db");
        assert_eq!(Mark::read(&path), None);
        mark("a", 7).write(&path).unwrap();
        assert_eq!(Mark::read(&path), Some(mark("a", 7)));
        std::fs::write(beside(&path, "serial"), "a seven").unwrap();
        assert_eq!(Mark::read(&path), None);
    }
}
