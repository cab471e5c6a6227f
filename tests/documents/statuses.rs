//! Statuses that a mapping makes itself: each once, whatever becomes of the write, and no document before they are there.

use super::common::{FAULTS, kill_after, run, timed_harness_of, try_run};
use super::{text, until_quiet};
use mapengine::case::Harness;
use mapengine::run::Options;
use mapengine::value::Side;

const SHOP: &str = "
    invoice_status: [ { guid: s-2, name: Ready, position: 2, active: true } ]
    invoice: [ { guid: f-1, status.guid: s-2, credit: false, date: \"2026-11-01\" } ]
";

fn statuses(harness: &Harness) -> usize {
    let stand = harness.company.stands.left.borrow();
    stand.records("invoice_status").iter().filter(|one| text(one, "name") == "Transferred").count()
}

fn items(harness: &Harness) -> usize {
    harness.company.stands.right.borrow().records("item").len()
}

/// Something goes wrong at the side that has the statuses.
fn goes_wrong(harness: &Harness, fault: &str) {
    harness.company.stands.left.borrow_mut().faults.add(fault).unwrap();
}

#[test]
fn no_fault_makes_a_status_twice_or_lets_a_document_go_without_it() {
    for fault in FAULTS {
        let (mut harness, _) = timed_harness_of("shop_statuses", SHOP, "");
        goes_wrong(&harness, &format!("{fault}:create:invoice_status:1"));
        let first = try_run(&mut harness);
        // what goes before its status is there could not be moved on
        assert!(items(&harness) == 0 || statuses(&harness) == 1, "{fault}: {first:#?}");
        until_quiet(&mut harness, fault);
        assert_eq!((statuses(&harness), items(&harness)), (1, 1), "{fault}");
    }
}

#[test]
fn a_write_without_an_answer_is_waited_for_and_then_found_by_its_name() {
    let (mut harness, clock) = timed_harness_of("shop_statuses", SHOP, "");
    harness.settle_after = Some(std::time::Duration::from_secs(300));
    // it takes effect, and the list shows it late: looking again before the time is over would make another
    goes_wrong(&harness, "timeout_after_commit:create:invoice_status:1");
    let report = run(&mut harness);
    assert_eq!((report.in_doubt.len(), items(&harness)), (1, 0), "{report:#?}");
    assert!(report.in_doubt[0].reason.contains("it is looked up in 300 s"), "{report:#?}");
    clock.advance(std::time::Duration::from_secs(301));
    until_quiet(&mut harness, "found");
    assert_eq!((statuses(&harness), items(&harness)), (1, 1));
}

/// A run that was cut anywhere goes on without making one twice.
#[test]
fn a_run_that_is_killed_leaves_nothing_to_make_twice() {
    for side in Side::BOTH {
        for requests in 1..10 {
            let (mut harness, _) = timed_harness_of("shop_statuses", SHOP, "");
            kill_after(&mut harness, side, requests);
            let what = format!("cut after {requests} to {side}");
            until_quiet(&mut harness, &what);
            assert_eq!((statuses(&harness), items(&harness)), (1, 1), "{what}");
        }
    }
}

#[test]
fn a_plan_says_it_and_writes_nothing() {
    let (mut harness, _) = timed_harness_of("shop_statuses", SHOP, "");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    let plan = Options { plan_only: true, ..Options::default() };
    let report = runtime.block_on(harness.run(plan)).unwrap();
    assert_eq!((report.writes, statuses(&harness), items(&harness)), (0, 0, 0));
    let note = &report.notes[0];
    assert_eq!((note.code.as_str(), note.record.as_str()), ("status_made", "Transferred"), "{report:#?}");
    assert_eq!(note.reason, "this invoice_status is not in shop: a run makes it");
    // the document that would go is planned beside it
    assert_eq!(report.registers["slips"].created, 1, "{report:#?}");
}
