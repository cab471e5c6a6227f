//! A state that was lost after documents were made: what is followed is found again, by one record or by a person.

use std::rc::Rc;
use std::time::Duration;

use mapengine::case::{Harness, QuickClock};
use mapengine::store::{Handle, Mode};
use mapengine::value::{Side, Value};

use super::common::{edit, run, sweep};
use super::{Invoice, made, source, story, text};

const SETTLE: Duration = Duration::from_secs(60);

/// One invoice that was made and transferred, then the state is gone; the first run after that may write again.
fn lost(before: impl FnOnce(&Harness)) -> (Harness, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state.db");
    let (mut harness, clock): (Harness, Rc<QuickClock>) = story(&[Invoice { fits: true, credit: false }]);
    harness.settle_after = Some(SETTLE);
    harness.store = Handle::open(&path, Mode::Write).unwrap();
    run(&mut harness);
    assert_eq!(text(&source(&harness, 0), "status.guid"), "s-3");
    harness.store = Handle::open(std::path::Path::new(""), Mode::InMemory).unwrap();
    std::fs::remove_file(&path).unwrap();
    harness.store = Handle::open(&path, Mode::Write).unwrap();
    before(&harness);
    run(&mut harness);
    clock.advance(SETTLE);
    (harness, folder)
}

#[test]
fn a_payment_after_a_lost_state_arrives() {
    let (mut harness, _folder) = lost(|_| {});
    let of = [("memo", Value::text("f-0"))];
    edit(&harness, Side::Right, "invoice", &of, &[("balance", Value::text("0.00"))]);
    run(&mut harness);
    assert_eq!(text(&source(&harness, 0), "status.guid"), "s-5");
    assert_eq!(made(&harness, 0).len(), 1);
    assert_eq!(run(&mut harness).writes, 0);
}

#[test]
fn of_two_that_could_be_it_a_person_says_which() {
    let (mut harness, _folder) = lost(|harness| {
        let mut stand = harness.company.stands.right.borrow_mut();
        let resource = stand.system().resources["invoice"].clone();
        let twin = stand.records("invoice").remove(0);
        let Value::Map(mut twin) = twin else { panic!("{twin}") };
        for own in ["number", "kid", "changed"] {
            twin.shift_remove(own);
        }
        stand.insert(&resource, &Value::Map(twin)).unwrap();
    });
    for _ in 0..3 {
        let report = run(&mut harness);
        let [entry] = &report.set_aside[..] else { panic!("{report:#?}") };
        assert_eq!(entry.code, "ME0903", "{entry:?}");
        assert_eq!(report.writes, 0, "{report:#?}");
        assert_eq!(text(&source(&harness, 0), "status.guid"), "s-3", "it is not called failed");
    }
    // the wrong one is put right: the other is followed
    let set = |harness: &Harness, number: &str, field: &str, value: &str| {
        let of = [("number", Value::text(number))];
        edit(harness, Side::Right, "invoice", &of, &[(field, Value::text(value))]);
    };
    set(&harness, "10002", "memo", "by hand");
    assert!(sweep(&mut harness).unwrap().set_aside.is_empty());
    set(&harness, "10001", "balance", "0.00");
    run(&mut harness);
    assert_eq!(text(&source(&harness, 0), "status.guid"), "s-5");
}
