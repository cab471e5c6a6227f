//! Where standard output or the request log takes nothing more, a command does not end as if all was well.
#![cfg(target_os = "linux")]

use std::fs::{File, OpenOptions};
use std::path::Path;
use std::process::{Command, Stdio};

const MAPPING: &str = "mappings/examples/hello.yaml";

fn mapengine(data: &Path, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_mapengine"));
    command.args(args).env("XDG_DATA_HOME", data).env_remove("MAPENGINE_CONNECTION");
    command
}

fn full() -> File {
    OpenOptions::new().write(true).open("/dev/full").unwrap()
}

#[test]
fn what_cannot_be_printed_is_told_once_and_ends_with_1() {
    let data = tempfile::tempdir().unwrap();
    let commands: &[&[&str]] = &[
        &["run", MAPPING],
        &["run", MAPPING, "--format", "json"],
        &["run", MAPPING, "--record", "customers:1001"],
        &["plan", MAPPING, "--exit-code"],
        &["report", "failed", MAPPING, "--format", "csv"],
        &["set-aside", MAPPING],
        &["links", MAPPING],
        &["history", MAPPING, "--format", "json"],
        &["docs", MAPPING],
        &["schema", "mapping"],
        &["validate", MAPPING],
        &["explain"],
        &["--help"],
    ];
    for args in commands {
        let out = mapengine(data.path(), args).stdout(full()).output().unwrap();
        let said = String::from_utf8(out.stderr).unwrap();
        assert_eq!(out.status.code(), Some(1), "{args:?}: {said}");
        assert_eq!(
            said.matches(" cannot be written: No space left on device").count(),
            1,
            "{args:?}: {said}"
        );
    }
    // the runs themselves came to their end
    let out = mapengine(data.path(), &["history", MAPPING]).output().unwrap();
    let told = String::from_utf8(out.stdout).unwrap();
    assert!(told.contains("customers: linked 2, created 2, set aside 1"), "{told}");
    assert!(!told.contains("did not come to an end"), "{told}");
}

#[test]
fn a_full_request_log_is_told_and_the_run_goes_on() {
    let data = tempfile::tempdir().unwrap();
    for verb in ["run", "plan"] {
        let out = mapengine(data.path(), &[verb, MAPPING, "--log-requests", "/dev/full"]).output().unwrap();
        let said = String::from_utf8(out.stderr).unwrap();
        assert_eq!(out.status.code(), Some(1), "{verb}: {said}");
        let told = "error: the request log /dev/full cannot be written: No space left on device";
        assert_eq!(said.matches(told).count(), 1, "{verb}: {said}");
        assert!(String::from_utf8(out.stdout).unwrap().contains("customers"));
    }
}

#[test]
fn a_reader_that_went_away_is_no_failure() {
    let data = tempfile::tempdir().unwrap();
    let mut child = mapengine(data.path(), &["run", MAPPING])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let out = child.wait_with_output().unwrap();
    assert_eq!((out.status.code(), String::from_utf8(out.stderr).unwrap().as_str()), (Some(0), ""));
}
