//! A private copy of a state, for a plan: both systems are read into it, and nothing reaches the state.
//!
//! It is one of SQLite's unnamed databases: it spills to the folder of temporary files, and is gone when it is
//! closed, however the process ends.

use std::path::Path;

use rusqlite::Connection;

use super::Sqlite;
use super::open::refused;
use crate::store::OpenError;

/// What a plan decides by; settled intents, runs, events and commands are not its own. In the order of the keys.
const COPY: &str = "
DELETE FROM main.state;
INSERT INTO main.state SELECT * FROM whole.state;
INSERT INTO main.record SELECT * FROM whole.record;
INSERT INTO main.body SELECT * FROM whole.body;
INSERT INTO main.match_key SELECT * FROM whole.match_key;
INSERT INTO main.link SELECT * FROM whole.link;
INSERT INTO main.intent SELECT * FROM whole.intent WHERE state IN ('planned', 'sent', 'in_doubt');
INSERT INTO main.set_aside SELECT * FROM whole.set_aside;
INSERT INTO main.fact SELECT * FROM whole.fact;
";

impl Sqlite {
    /// Copies what a plan needs out of a state, or starts empty where there is none.
    pub(in crate::store) fn trial(path: &Path) -> Result<Sqlite, OpenError> {
        let failed = |error| refused(path, error);
        let trial = Connection::open("").and_then(Sqlite::prepared).map_err(failed)?;
        if !path.exists() {
            return Ok(trial);
        }
        // says whether the state is ours and of our version
        drop(Sqlite::readable(path)?);
        let unreadable = |why: &str| OpenError::Failed { path: path.to_owned(), why: why.to_owned() };
        let whole = path.canonicalize().map_err(|error| unreadable(&error.to_string()))?;
        let mut whole = url::Url::from_file_path(&whole)
            .map_err(|()| unreadable("its path cannot be spelled as a URL"))?;
        whole.set_query(Some("mode=ro"));
        let connection = &trial.connection;
        connection.execute("ATTACH ?1 AS whole", [whole.as_str()]).map_err(failed)?;
        connection.execute_batch(&format!("BEGIN; {COPY} COMMIT; DETACH whole;")).map_err(failed)?;
        Ok(trial)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::{Intent, IntentState, Journal, Log};

    #[test]
    fn a_table_is_copied_or_history() {
        let store = Sqlite::in_memory().unwrap();
        let mut tables = store
            .connection
            .prepare("SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite%'")
            .unwrap();
        let names = tables.query_map([], |row| row.get::<_, String>(0)).unwrap().map(Result::unwrap);
        let left_out: Vec<_> = names.filter(|name| !COPY.contains(&format!("FROM whole.{name}"))).collect();
        assert_eq!(left_out, ["lock", "run", "event", "command"]);
    }

    #[test]
    fn a_trial_starts_from_the_state_and_leaves_it_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("100% state?#.db");
        assert!(Sqlite::trial(&path).unwrap().open_intents().unwrap().is_empty());
        assert!(!path.exists());

        let mut state = Sqlite::writable(&path).unwrap();
        let intent = super::super::journal::tests::intent();
        state.add_intent(&Intent { state: IntentState::Done, ..intent.clone() }).unwrap();
        let open = state.add_intent(&intent).unwrap();
        state.set_fact("cursor", Some("1")).unwrap();

        let mut trial = Sqlite::trial(&path).unwrap();
        assert_eq!(trial.identity().unwrap(), state.identity().unwrap());
        assert_eq!(trial.intents(None, None, 9).unwrap(), [Intent { id: open, ..intent.clone() }]);
        trial.set_fact("cursor", Some("2")).unwrap();
        assert_eq!(trial.add_intent(&intent).unwrap(), open + 1);
        assert_eq!(state.fact("cursor").unwrap().as_deref(), Some("1"));
    }
}
