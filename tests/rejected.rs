//! Samples of what is refused, with the whole message: `tests/rejected/**/NAME.yaml` and `NAME.txt`.
//!
//! `UPDATE=1 cargo test --test rejected` writes the messages anew; read the difference before you commit it.
//! `tests/accepted` and `tests/systems` hold samples in which nothing is found.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use mapengine::case::open_cases;
use mapengine::diagnostic::{Diagnostics, Format, Sources, codes, render};
use mapengine::program::open::Opened;
use mapengine::program::system_compile::compile_system;
use mapengine::spec::load::{FileKind, file_kind, load_system};

/// Everything that is found in a file, by its kind.
fn check(path: &Path) -> (Sources, Diagnostics) {
    let (mut sources, mut found) = (Sources::new(), Diagnostics::new());
    // the tree is read twice: what is found in it then counts once
    let kind = file_kind(&mut Sources::new(), path, &mut Diagnostics::new());
    if kind == Some(FileKind::Cases) || path.starts_with("tests/rejected/cases") {
        open_cases(path, &mut sources, &mut found);
    } else if kind == Some(FileKind::Mapping) && !path.starts_with("tests/rejected/systems") {
        if let Some(opened) = Opened::read(path, &mut sources, &mut found) {
            opened.check(&sources, &mut found);
        }
    } else if let Some(system) = load_system(&mut sources, path, &mut found) {
        compile_system(&system, &sources, &mut found);
    }
    (sources, found)
}

fn samples(folder: &str) -> Vec<PathBuf> {
    fn walk(folder: &Path, files: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
            let path = entry.path();
            if path.is_dir() {
                walk(&path, files);
            } else if path.extension().is_some_and(|extension| extension == "yaml") {
                files.push(path);
            }
        }
    }
    let mut files = Vec::new();
    walk(Path::new(folder), &mut files);
    files.sort();
    files
}

#[test]
fn what_is_wrong_is_refused_with_these_words() {
    let update = std::env::var_os("UPDATE").is_some();
    let mut differences = Vec::new();
    let files = samples("tests/rejected");
    assert!(files.len() >= 30, "only {} samples", files.len());
    for file in files {
        let (sources, found) = check(&file);
        let message = render(&found, &sources, Format::Human { color: false });
        if !found.has_errors() {
            differences.push(format!("{} is accepted", file.display()));
        }
        for one in found.into_iter().filter(|one| one.help.iter().all(|help| help.trim().is_empty())) {
            differences.push(format!("{}: nobody says what to do: {}", file.display(), one.message));
        }
        let expected = file.with_extension("txt");
        if update {
            fs::write(&expected, &message).unwrap();
        } else if fs::read_to_string(&expected).unwrap_or_default() != message {
            differences.push(format!("{} is refused with other words:\n{message}", file.display()));
        }
    }
    assert!(differences.is_empty(), "{}", differences.join("\n"));
}

#[test]
fn every_code_about_systems_has_a_sample() {
    let shown: BTreeSet<&str> = samples("tests/rejected/systems")
        .iter()
        .flat_map(|file| check(file).1.into_iter().map(|found| found.code.id).collect::<Vec<_>>())
        .collect();
    // said of a mapping that needs a list
    let elsewhere = [codes::NOT_LISTED.id];
    let missing = codes::ALL
        .iter()
        .filter(|code| {
            code.id.starts_with("ME06") && !elsewhere.contains(&code.id) && !shown.contains(code.id)
        })
        .map(|code| format!("{} {}", code.id, code.title))
        .collect::<Vec<_>>();
    assert!(missing.is_empty(), "no sample shows {}", missing.join(", "));
}

#[test]
fn every_code_about_mappings_has_a_sample() {
    let shown: BTreeSet<&str> = samples("tests/rejected/mappings")
        .iter()
        .flat_map(|file| check(file).1.into_iter().map(|found| found.code.id).collect::<Vec<_>>())
        .collect();
    // said by a run, a connection or a warning alone, or of system files
    let elsewhere =
        ["ME0209", "ME0305", "ME0306", "ME0307", "ME0308", "ME0309", "ME0703", "ME0705", "ME0707", "ME0708"];
    let missing = codes::ALL
        .iter()
        .filter(|code| {
            ["ME02", "ME03", "ME04", "ME05", "ME07"].iter().any(|start| code.id.starts_with(start))
        })
        .filter(|code| !elsewhere.contains(&code.id) && !shown.contains(code.id))
        .map(|code| format!("{} {}", code.id, code.title))
        .collect::<Vec<_>>();
    assert!(missing.is_empty(), "no sample shows {}", missing.join(", "));
}

#[test]
fn what_is_right_is_accepted() {
    let files = [samples("tests/accepted"), samples("tests/systems"), samples("tests/mappings")].concat();
    assert!(files.len() >= 4, "only {} samples", files.len());
    for file in files {
        let (sources, found) = check(&file);
        assert!(found.is_empty(), "{}", render(&found, &sources, Format::Human { color: false }));
    }
}
