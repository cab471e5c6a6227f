//! When a report saw a difference first: a small file beside the state, so that it can be kept also while a run holds the lock
//! of the state. Nothing is decided by it.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::lock::{beside, private};
use super::{Result, StoreError};

/// The differences that reports have seen.
#[derive(Debug, Default)]
pub struct Firsts {
    path: PathBuf,
    /// By the document of the mapping, and what tells one from another.
    seen: BTreeMap<String, BTreeMap<String, First>>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct First {
    /// The difference.
    what: String,
    /// When it was seen first (milliseconds since 1970).
    since: i64,
}

impl Firsts {
    /// Where they are kept.
    pub(super) fn beside(state: &Path) -> PathBuf {
        beside(state, "differences")
    }

    /// Those of a state; none where no report has seen any.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn read(state: &Path) -> Result<Firsts> {
        let path = Firsts::beside(state);
        let failed = |why: String| StoreError(format!("{}: {why}", path.display()));
        let seen = match std::fs::read(&path) {
            Ok(text) => serde_json::from_slice(&text).map_err(|error| {
                failed(format!("{error}. Remove it: what it knows is when each difference was seen first"))
            })?,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => BTreeMap::new(),
            Err(error) => return Err(failed(error.to_string())),
        };
        Ok(Firsts { path, seen })
    }

    /// The differences of a document as they are now, each by what tells it from another; none: it was not looked at and is as it
    /// was. Answers since when each is known; what is another difference than before begins anew, and what is none any more is
    /// forgotten.
    pub fn renew(
        &mut self,
        document: &str,
        now: BTreeMap<String, Option<String>>,
        now_ms: i64,
    ) -> BTreeMap<String, i64> {
        let mut before = self.seen.remove(document).unwrap_or_default();
        let known: BTreeMap<String, First> = now
            .into_iter()
            .filter_map(|(one, what)| match (what, before.remove(&one)) {
                (None, None) => None,
                (None, Some(first)) => Some((one, first)),
                (Some(what), Some(first)) if first.what == what => Some((one, first)),
                (Some(what), _) => Some((one, First { what, since: now_ms })),
            })
            .collect();
        let since = known.iter().map(|(one, first)| (one.clone(), first.since)).collect();
        if !known.is_empty() {
            self.seen.insert(document.to_owned(), known);
        }
        since
    }

    /// Keeps them. The file is replaced as a whole: another report reads the old one or the new one.
    ///
    /// # Errors
    /// The disk, the permissions.
    pub fn keep(&self) -> Result<()> {
        let failed = |why: std::io::Error| StoreError(format!("{}: {why}", self.path.display()));
        if self.seen.is_empty() && !self.path.exists() {
            return Ok(());
        }
        let new = beside(&self.path, &std::process::id().to_string());
        let mut options = std::fs::OpenOptions::new();
        options.write(true).create(true).truncate(true);
        private(&mut options);
        let text = serde_json::to_vec(&self.seen).map_err(|error| StoreError(error.to_string()))?;
        let mut file = options.open(&new).map_err(failed)?;
        file.write_all(&text).and_then(|()| file.sync_all()).map_err(failed)?;
        std::fs::rename(&new, &self.path).map_err(failed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn now(all: &[(&str, &str)]) -> BTreeMap<String, Option<String>> {
        let what = |what: &str| (!what.is_empty()).then(|| what.to_owned());
        all.iter().map(|(one, is)| ((*one).to_owned(), what(is))).collect()
    }

    #[test]
    fn a_difference_is_as_old_as_it_is_the_same() {
        let folder = tempfile::tempdir().unwrap();
        let state = folder.path().join("state.db");
        let mut firsts = Firsts::read(&state).unwrap();
        firsts.renew("invoices", now(&[("a", "0.60"), ("b", "gone")]), 100);
        firsts.renew("costs", now(&[("a", "1.00")]), 100);
        firsts.keep().unwrap();
        let mut firsts = Firsts::read(&state).unwrap();
        let since = firsts.renew("invoices", now(&[("a", "0.60"), ("c", "gone")]), 200);
        assert_eq!(since, BTreeMap::from([("a".to_owned(), 100), ("c".to_owned(), 200)]));
        // another amount is another difference; the other document is as it was
        assert_eq!(firsts.renew("invoices", now(&[("a", "0.70"), ("b", "gone")]), 300)["a"], 300);
        firsts.keep().unwrap();
        let mut firsts = Firsts::read(&state).unwrap();
        // `b` was none for a while
        assert_eq!(firsts.renew("invoices", now(&[("b", "gone")]), 400)["b"], 300);
        assert_eq!(
            firsts.renew("costs", now(&[("a", ""), ("b", "")]), 400),
            BTreeMap::from([("a".to_owned(), 100)])
        );
        assert_eq!(firsts.renew("costs", now(&[("a", "1.00")]), 400)["a"], 100);
        super::super::reset(&state).unwrap();
        assert!(!Firsts::beside(&state).exists());
        assert!(!folder.path().read_dir().unwrap().any(|one| one.unwrap().file_name() != "state.db.lock"));
    }

    #[test]
    fn a_file_that_cannot_be_read_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let state = folder.path().join("state.db");
        std::fs::write(Firsts::beside(&state), "{").unwrap();
        let error = Firsts::read(&state).unwrap_err().to_string();
        assert!(error.contains("state.db.differences") && error.contains("Remove it"), "{error}");
    }
}
