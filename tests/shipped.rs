//! What requirement rows say of the shipped mappings and no case can: how often they run, who must be allowed to what, what a person confirms.

mod common;

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use mapengine::program::mapping::CheckKind;

#[test]
fn they_run_as_often_as_the_rows_say() {
    // F-3: every five minutes; N-2: about every 40
    for (mapping, minutes) in [("financials", 5), ("netvisor", 40)] {
        let program = common::compiled(Path::new(&format!("mappings/{mapping}.yaml")));
        assert_eq!(program.every, Duration::from_secs(60 * minutes), "{mapping}");
    }
}

#[test]
fn a_person_confirms_that_both_companies_lie_under_one_licence() {
    // F-2: no API says it
    let program = common::compiled(Path::new("mappings/financials.yaml"));
    let confirmed = program.checks.iter().filter(|check| matches!(check.kind, CheckKind::Confirm(_)));
    assert!(confirmed.map(|check| check.id.as_str()).any(|id| id == "same_licence"));
}

#[test]
fn a_missing_role_is_said_before_anything_is_written() {
    // F-1, and the same of the other systems
    for (mapping, fault, said) in [
        ("financials", "forbidden:list:customer", "Financials Administrator and Financials User"),
        ("netvisor", "forbidden:list:customer", "The user lacks a right"),
    ] {
        let data = tempfile::tempdir().unwrap();
        let out = Command::new(env!("CARGO_BIN_EXE_mapengine"))
            .args(["run", &format!("mappings/{mapping}.yaml"), "--fault", fault])
            .env("XDG_DATA_HOME", data.path())
            .output()
            .unwrap();
        let told = String::from_utf8_lossy(&out.stderr);
        assert!(!out.status.success() && told.contains(said), "{mapping}: {told}");
    }
}
