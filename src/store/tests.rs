//! The handle on real files: batches, crashes, two processes, full disks, lost and restored states.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::lock::beside;
use super::*;
use crate::value::Value;

/// Names the state that the child of the crash test writes to.
const CRASH: &str = "MAPENGINE_TEST_CRASH_STATE";

fn file() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state.db");
    (folder, path)
}

fn open(path: &Path) -> Handle {
    Handle::open(path, Mode::Write).unwrap()
}

fn set(handle: &Handle, name: &'static str, value: &'static str) -> Result<()> {
    handle.call_blocking(move |store| store.set_fact(name, Some(value)))
}

fn get(handle: &Handle, name: &'static str) -> Option<String> {
    handle.read_blocking(move |store| store.fact(name)).unwrap()
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
}

fn row(id: String, text: &str) -> RecordRow {
    RecordRow { id, parent: None, data: Value::text(text), hash: "h".into() }
}

#[test]
fn a_thousand_small_jobs_share_few_commits() {
    let (_folder, path) = file();
    let handle = open(&path);
    let jobs = (0..1_000).map(|number| {
        handle.call(move |store| {
            store.set_fact(&format!("fact/{number}"), Some("x"))?;
            Ok(number)
        })
    });
    let answers = runtime().block_on(futures_util::future::join_all(jobs));
    assert!(answers.into_iter().map(Result::unwrap).eq(0..1_000));
    assert_eq!(handle.read_blocking(|store| store.facts("fact/")).unwrap().len(), 1_000);
    assert!(handle.commits() < 200, "{} commits", handle.commits());
}

#[test]
fn a_job_is_all_or_nothing_and_fails_alone() {
    let (_folder, path) = file();
    let handle = open(&path);
    // the first job keeps the thread busy until all are queued, so that they share a batch
    let (go, wait) = std::sync::mpsc::channel::<()>();
    let busy = handle.call(move |_| wait.recv().map_err(|_| StoreError("no go".into())));
    let before = handle.call(|store| store.set_fact("before", Some("1")));
    let failing = handle.call(|store| {
        store.set_fact("half", Some("1"))?;
        Err::<(), _>(StoreError("no".into()))
    });
    let panicking = handle.call(|store| -> Result<()> {
        store.set_fact("half", Some("2"))?;
        panic!("boom {}", 7)
    });
    let after = handle.call(|store| store.fact("half"));
    go.send(()).unwrap();
    runtime().block_on(async {
        busy.await.unwrap();
        before.await.unwrap();
        assert_eq!(failing.await.unwrap_err(), StoreError("no".into()));
        assert_eq!(
            panicking.await.unwrap_err().to_string(),
            "state: a job broke off and was undone, which is a mistake in mapengine: boom 7"
        );
        assert_eq!(after.await.unwrap(), None);
    });
    assert_eq!(get(&handle, "before").as_deref(), Some("1"));
    assert_eq!(get(&handle, "half"), None);
}

#[test]
fn a_panic_in_a_read_is_an_error_too() {
    let handle = Handle::open(Path::new(""), Mode::InMemory).unwrap();
    assert!(handle.read_blocking(|_| -> Result<()> { panic!("boom") }).is_err());
    set(&handle, "a", "1").unwrap();
    assert_eq!(get(&handle, "a").as_deref(), Some("1"));
}

#[test]
fn a_read_sees_what_was_queued_before_it_and_costs_no_commit() {
    let (_folder, path) = file();
    let handle = open(&path);
    let write = handle.call(|store| store.set_fact("a", Some("1")));
    let read = handle.read(|store| store.fact("a"));
    runtime().block_on(async {
        assert_eq!(read.await.unwrap().as_deref(), Some("1"));
        write.await.unwrap();
    });
    let commits = handle.commits();
    get(&handle, "a");
    handle.call_blocking(|store| store.fact("a")).unwrap();
    assert_eq!(handle.commits(), commits);
}

#[test]
fn the_serial_counts_batches_that_changed_something() {
    let (_folder, path) = file();
    let handle = open(&path);
    let serial = |handle: &Handle| runtime().block_on(handle.serial()).unwrap();
    assert_eq!(serial(&handle), 0);
    set(&handle, "a", "1").unwrap();
    assert_eq!(serial(&handle), 1);
    let undone = handle.call_blocking(|store| {
        store.set_fact("a", Some("2"))?;
        Err::<(), _>(StoreError("no".into()))
    });
    undone.unwrap_err();
    let scratch = PlanRow {
        seq: 0,
        register: "r".into(),
        left: None,
        right: None,
        action: "create".into(),
        change: "{}".into(),
    };
    handle.call_blocking(move |store| store.add_changes(&[scratch])).unwrap();
    set(&handle, "a", "1").unwrap();
    assert_eq!(serial(&handle), 1);
    set(&handle, "a", "3").unwrap();
    assert_eq!(serial(&handle), 2);
}

#[test]
fn the_last_handle_finishes_what_is_queued() {
    let (_folder, path) = file();
    let handle = open(&path);
    for number in 0..500 {
        // queued at once, also where nobody waits
        drop(handle.call(move |store| store.set_fact(&format!("fact/{number}"), Some("x"))));
    }
    drop(handle.clone());
    drop(handle);
    let wal = std::fs::metadata(path.with_extension("db-wal")).map_or(0, |file| file.len());
    assert_eq!(wal, 0, "the log is written back");
    let handle = open(&path);
    assert_eq!(handle.read_blocking(|store| store.facts("fact/")).unwrap().len(), 500);
    assert_eq!(handle.origin(), Origin::Continued);
}

#[cfg(unix)]
#[test]
fn only_the_owner_may_read_a_state() {
    use std::os::unix::fs::PermissionsExt;
    let (folder, path) = file();
    let handle = open(&path);
    set(&handle, "a", "1").unwrap();
    let files: Vec<_> = std::fs::read_dir(folder.path()).unwrap().map(Result::unwrap).collect();
    assert!(files.len() >= 5, "{files:?}");
    for file in files {
        assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600, "{file:?}");
    }
}

#[test]
fn the_second_writer_is_refused_until_the_first_is_done() {
    let (_folder, path) = file();
    let first = open(&path);
    let refused = Handle::open(&path, Mode::Write).err().unwrap();
    let OpenError::Locked { holder } = &refused else { panic!("{refused}") };
    assert!(holder.starts_with(&format!("pid {} on ", std::process::id())), "{holder}");
    assert!(matches!(reset(&path), Err(OpenError::Locked { .. })));
    drop(first);
    open(&path);
}

#[test]
fn who_took_over_is_the_only_one_to_write() {
    let (_folder, path) = file();
    let first = open(&path);
    set(&first, "a", "first").unwrap();
    // somebody deletes the lock file of a running process
    std::fs::remove_file(beside(&path, "lock")).unwrap();
    let second = open(&path);
    set(&second, "a", "second").unwrap();
    let error = set(&first, "a", "first again").unwrap_err().to_string();
    assert!(error.starts_with("state: another process took over this state (pid "), "{error}");
    assert_eq!(get(&second, "a").as_deref(), Some("second"));
    drop(first);
    set(&second, "b", "1").unwrap();
    drop(second);
    assert_eq!(open(&path).origin(), Origin::Continued);
}

#[test]
fn a_command_is_left_beside_a_writer_and_moves_neither_its_serial_nor_its_hold() {
    let (_folder, path) = file();
    let command = Value::text("go");
    let missing = leave(&path, 7, &command).unwrap_err();
    assert!(matches!(missing, OpenError::Failed { .. }), "{missing}");
    let writer = open(&path);
    set(&writer, "a", "1").unwrap();
    let serial = runtime().block_on(writer.serial()).unwrap();
    assert_eq!(leave(&path, 7, &command).unwrap(), 1);
    assert_eq!(runtime().block_on(writer.serial()).unwrap(), serial);
    set(&writer, "a", "2").unwrap();
    let waiting = writer.read_blocking(|store| store.waiting_commands()).unwrap();
    assert_eq!(waiting.iter().map(|row| (row.id, &row.command)).collect::<Vec<_>>(), [(1, &command)]);
    writer
        .call_blocking(|store| {
            store.set_fact("half", Some("1"))?;
            store.settle_command(1, CommandState::Done, 9, "done")?;
            Err::<(), _>(StoreError("no".into()))
        })
        .unwrap_err();
    assert_eq!(writer.read_blocking(|store| store.waiting_commands()).unwrap().len(), 1);
    drop(writer);
    assert_eq!(open(&path).origin(), Origin::Continued);
}

#[test]
fn a_reader_works_beside_a_writer_and_writes_nothing() {
    let (_folder, path) = file();
    let writer = open(&path);
    set(&writer, "a", "1").unwrap();
    let reader = Handle::open(&path, Mode::ReadOnly).unwrap();
    assert_eq!(get(&reader, "a").as_deref(), Some("1"));
    set(&writer, "a", "2").unwrap();
    assert_eq!(get(&reader, "a").as_deref(), Some("2"));
    assert_eq!(reader.origin(), Origin::Continued);

    let change = PlanRow {
        seq: 0,
        register: "customers".into(),
        left: Some(RecordRef { resource: "customers".into(), id: "1".into() }),
        right: None,
        action: "create".into(),
        change: "{}".into(),
    };
    reader.call_blocking(move |store| store.add_changes(&[change])).unwrap();
    let count = |store: &dyn Store| store.count_changes("customers");
    assert_eq!(reader.read_blocking(count).unwrap(), [("create".to_owned(), 1)]);
    assert_eq!(writer.read_blocking(count).unwrap(), []);
    let error = set(&reader, "a", "3").unwrap_err().to_string();
    assert!(error.starts_with("state: it was opened for reading only"), "{error}");
    assert_eq!(reader.read_blocking(count).unwrap(), [("create".to_owned(), 1)]);
    drop(writer);
    assert_eq!(get(&reader, "a").as_deref(), Some("2"));
    drop(reader);
    let reader = Handle::open(&path, Mode::ReadOnly).unwrap();
    assert_eq!(get(&reader, "a").as_deref(), Some("2"));
}

#[test]
fn a_reader_makes_no_state_where_there_is_none() {
    let (folder, path) = file();
    for mode in [Mode::ReadOnly, Mode::Trial] {
        let reader = Handle::open(&path, mode).unwrap();
        assert_eq!(get(&reader, "a"), None);
        assert_eq!(reader.origin(), Origin::Fresh);
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    }
}

#[test]
fn a_trial_beside_a_writer_can_write_and_keeps_it_to_itself() {
    let (_folder, path) = file();
    let writer = open(&path);
    set(&writer, "a", "1").unwrap();
    let trial = Handle::open(&path, Mode::Trial).unwrap();
    set(&trial, "a", "2").unwrap();
    assert_eq!(get(&trial, "a").as_deref(), Some("2"));
    set(&writer, "b", "1").unwrap();
    assert_eq!(get(&writer, "a").as_deref(), Some("1"));
}

#[test]
fn a_restored_backup_is_found_out_until_it_is_settled() {
    let (_folder, path) = file();
    let handle = open(&path);
    assert_eq!(handle.origin(), Origin::Fresh);
    set(&handle, "a", "1").unwrap();
    drop(handle);
    let backup = std::fs::read(&path).unwrap();
    let handle = open(&path);
    assert_eq!(handle.origin(), Origin::Continued);
    set(&handle, "a", "2").unwrap();
    set(&handle, "a", "3").unwrap();
    drop(handle);

    std::fs::write(&path, backup).unwrap();
    let back = Origin::WentBack { serial: 1, was: Some(3) };
    assert_eq!(Handle::open(&path, Mode::ReadOnly).unwrap().origin(), back);
    let handle = open(&path);
    assert_eq!(handle.origin(), back);
    assert_eq!(runtime().block_on(handle.serial()).unwrap(), 4, "no serial stands for two states");
    drop(handle);
    let handle = open(&path);
    assert_eq!(handle.origin(), back);
    runtime().block_on(handle.origin_settled()).unwrap();
    drop(handle);
    assert_eq!(open(&path).origin(), Origin::Continued);
}

#[test]
fn a_lost_state_and_a_lost_neighbour_are_found_out() {
    let (_folder, path) = file();
    let handle = open(&path);
    set(&handle, "a", "1").unwrap();
    let lineage = runtime().block_on(handle.lineage()).unwrap();
    drop(handle);
    std::fs::remove_file(beside(&path, "serial")).unwrap();
    let handle = open(&path);
    assert_eq!(handle.origin(), Origin::WentBack { serial: 1, was: None });
    runtime().block_on(handle.origin_settled()).unwrap();
    drop(handle);

    std::fs::remove_file(&path).unwrap();
    assert_eq!(open(&path).origin(), Origin::OtherLineage { was: lineage });
}

#[test]
fn a_reset_state_is_fresh() {
    let (folder, path) = file();
    reset(&path).unwrap();
    let handle = open(&path);
    set(&handle, "a", "1").unwrap();
    drop(handle);
    reset(&path).unwrap();
    let left: Vec<_> =
        std::fs::read_dir(folder.path()).unwrap().map(|file| file.unwrap().file_name()).collect();
    assert_eq!(left, ["state.db.lock"]);
    let handle = open(&path);
    assert_eq!(handle.origin(), Origin::Fresh);
    assert_eq!(get(&handle, "a"), None);
}

#[test]
fn a_missing_folder_is_said() {
    let (folder, _) = file();
    let path = folder.path().join("nowhere/state.db");
    let message = Handle::open(&path, Mode::Write).err().unwrap().to_string();
    assert!(message.contains("nowhere/state.db.lock cannot be opened: No such file"), "{message}");
}

#[test]
fn a_full_disk_is_an_error_and_no_end() {
    let (_folder, path) = file();
    let handle = open(&path);
    set(&handle, "a", "1").unwrap();
    runtime().block_on(handle.sql("PRAGMA max_page_count = 60")).unwrap();
    // in one batch: a small job before, one that fills the disk, and one after
    let (go, wait) = std::sync::mpsc::channel::<()>();
    let busy = handle.call(move |_| wait.recv().map_err(|_| StoreError("no go".into())));
    let small = handle.call(|store| store.set_fact("small", Some("1")));
    let big = handle.call(|store| {
        let rows: Vec<_> = (0..100).map(|id| row(format!("{id}"), &"x".repeat(10_000))).collect();
        store.put_records(Side::Left, "customers", &rows, 1)
    });
    go.send(()).unwrap();
    let (small, big) = runtime().block_on(async {
        let _ = busy.await;
        (small.await, big.await)
    });
    let error = big.unwrap_err().to_string();
    assert!(error.starts_with("state: the disk is full: make room and run again"), "{error}");
    assert_eq!(get(&handle, "small").is_some(), small.is_ok(), "what was answered is what is there");
    assert_eq!(get(&handle, "a").as_deref(), Some("1"));
    assert_eq!(handle.read_blocking(|store| store.count(Side::Left, "customers", Which::All)).unwrap(), 0);
    set(&handle, "b", "1").unwrap();
    runtime().block_on(handle.sql("PRAGMA max_page_count = 1000000")).unwrap();
    handle
        .call_blocking(|store| store.put_records(Side::Left, "customers", &[row("1".into(), "x")], 1))
        .unwrap();
    drop(handle);
    check(&path);
    assert_eq!(get(&open(&path), "b").as_deref(), Some("1"));
}

#[test]
fn a_batch_that_cannot_be_committed_fails_as_a_whole() {
    let (_folder, path) = file();
    let handle = open(&path);
    set(&handle, "a", "1").unwrap();
    let rt = runtime();
    rt.block_on(handle.sql(
        "CREATE TABLE above (x PRIMARY KEY);
         CREATE TABLE below (x REFERENCES above DEFERRABLE INITIALLY DEFERRED)",
    ))
    .unwrap();
    for breaks in ["INSERT INTO below VALUES (1)", "ROLLBACK"] {
        let (go, wait) = std::sync::mpsc::channel::<()>();
        let busy = handle.call(move |_| wait.recv().map_err(|_| StoreError("no go".into())));
        let before = handle.call(|store| store.set_fact("a", Some("2")));
        let breaks = handle.sql(breaks);
        let read = handle.read(|store| store.fact("a"));
        go.send(()).unwrap();
        // whether they shared the batch is up to the clock; what was answered is what is there
        let (before, breaks, read) = rt.block_on(async { (before.await, breaks.await, read.await) });
        let _ = rt.block_on(busy);
        breaks.unwrap_err();
        let expected = if before.is_ok() { "2" } else { "1" };
        assert_eq!(read.unwrap().as_deref(), Some(expected));
        assert_eq!(get(&handle, "a").as_deref(), Some(expected));
        set(&handle, "a", "1").unwrap();
    }
}

/// Not a test of its own: the process that is killed by the next one.
#[test]
fn child_of_the_crash_test() {
    let Some(path) = std::env::var_os(CRASH) else { return };
    let handle = open(Path::new(&path));
    let writers: Vec<_> = (0..4)
        .map(|writer| {
            let handle = handle.clone();
            std::thread::spawn(move || {
                for number in 0.. {
                    let id = format!("{writer}-{number}");
                    let rows: Vec<_> = (0..20).map(|part| row(format!("{id}-{part}"), "x")).collect();
                    let written = handle.call_blocking({
                        let id = id.clone();
                        move |store| {
                            store.set_fact(&format!("job/{id}"), Some("x"))?;
                            store.put_records(Side::Left, "customers", &rows, 1)
                        }
                    });
                    written.unwrap();
                    println!("\nanswered {id}");
                }
            })
        })
        .collect();
    for writer in writers {
        writer.join().unwrap();
    }
}

#[test]
fn what_was_answered_survives_kill_9() {
    for kill_after in [1, 40, 150] {
        let (_folder, path) = file();
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "store::tests::child_of_the_crash_test", "--nocapture"])
            .env(CRASH, &path)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut answered = Vec::new();
        for line in lines {
            if let Some(id) = line.unwrap().strip_prefix("answered ") {
                answered.push(id.to_owned());
                if answered.len() == kill_after {
                    child.kill().unwrap();
                }
            }
        }
        child.wait().unwrap();
        assert!(answered.len() >= kill_after);
        check(&path);

        let handle = open(&path);
        assert_eq!(handle.origin(), Origin::Continued);
        let jobs = handle.read_blocking(|store| store.facts("job/")).unwrap();
        for id in &answered {
            assert!(
                jobs.iter().any(|(name, _)| name == &format!("job/{id}")),
                "job {id} was answered and lost"
            );
        }
        let records = handle.read_blocking(|store| store.count(Side::Left, "customers", Which::All)).unwrap();
        assert_eq!(records, jobs.len() as u64 * 20, "no job is there by half");
    }
}

fn check(path: &Path) {
    let raw = rusqlite::Connection::open(path).unwrap();
    let found: String = raw.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
    assert_eq!(found, "ok");
}
