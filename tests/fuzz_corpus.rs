//! Replays the fuzzers' corpora (`tests/corpus/NAME/…`): the shipped forms, what is refused, and everything that a
//! fuzzer ever broke the engine with. `fuzz/run.sh` looks for more.

mod fuzzed;

use std::fs;
use std::path::{Path, PathBuf};

/// Every file of a corpus, and its beginnings; both what is taken and what is refused has to be in it.
fn replay(name: &str, run: fn(&[u8]) -> bool) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus").join(name);
    let mut files: Vec<PathBuf> = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    assert!(files.len() >= 15, "only {} files in {}", files.len(), folder.display());
    let (mut taken, mut refused) = (0, 0);
    for file in files {
        let bytes = fs::read(&file).unwrap();
        // a panic inside says nothing of the file: shown only where the test fails
        println!("{}", file.display());
        match run(&bytes) {
            true => taken += 1,
            false => refused += 1,
        }
        for part in 1..8 {
            run(&bytes[..bytes.len() * part / 8]);
        }
    }
    assert!(taken >= 5 && refused >= 5, "{name}: {taken} taken, {refused} refused");
}

#[test]
fn mappings() {
    replay("mapping", fuzzed::mapping::run);
}

#[test]
fn xml_answers() {
    replay("xml", fuzzed::xml::run);
}

#[test]
fn json_answers() {
    replay("json", fuzzed::json::run);
}

#[test]
fn paths() {
    replay("path", fuzzed::path::run);
}

#[test]
fn templates() {
    replay("template", fuzzed::template::run);
}
