//! Documents: each exactly once, to the cent, whatever happens on the way.

#[path = "../common/mod.rs"]
mod common;
mod disk;
mod lost;
mod matrix;
mod statuses;
mod stories;

use std::rc::Rc;
use std::time::Duration;

use common::{FAULTS, STATUSES, edit, kill_after, run, sweep, timed_harness_of, try_run};
use mapengine::case::{Harness, QuickClock};
use mapengine::run::Report;
use mapengine::value::{Side, Value};

/// One invoice of a story: what its total says, and whether that fits what the ledger will work out.
struct Invoice {
    fits: bool,
    credit: bool,
}

fn story(invoices: &[Invoice]) -> (Harness, Rc<QuickClock>) {
    let rows: Vec<String> = invoices
        .iter()
        .enumerate()
        .map(|(n, one)| {
            let sign = if one.credit { "-" } else { "" };
            let total = if one.fits { "125.00" } else { "125.06" };
            format!(
                "      - {{ guid: f-{n}, status.guid: s-2, credit: {}, customer.guid: c-1, date: \"2026-11-01\", currency: NOK, total: \"{sign}{total}\", rows: [ {{ guid: r-{n}, position: 1, item.guid: i-1, text: En, quantity: \"{sign}1\", price: \"100.00\" }} ] }}",
                one.credit
            )
        })
        .collect();
    let shop = format!(
        "    customer: [ {{ guid: c-1, number: 10001, name: Fjord AS, active: true }} ]\n    item: [ {{ guid: i-1, code: A-1, name: Bolt, active: true }} ]\n{STATUSES}    invoice:\n{}\n",
        rows.join("\n")
    );
    timed_harness_of(
        "shop_documents",
        &shop,
        "    customer: [ { number: \"10001\", name: Fjord AS, status: Active } ]\n    item: [ { number: A-1, description: Bolt, status: Active } ]\n",
    )
}

fn text(record: &Value, path: &str) -> String {
    let path = mapengine::value::Path::parse(path).unwrap();
    path.get(record).and_then(Value::scalar_text).unwrap_or_default()
}

/// What stands in the ledger for an invoice: numbers of the records that carry its mark.
fn made(harness: &Harness, n: usize) -> Vec<String> {
    let stand = harness.company.stands.right.borrow();
    ["invoice", "credit_note"]
        .iter()
        .flat_map(|resource| stand.records(resource))
        .filter(|record| text(record, "memo") == format!("f-{n}"))
        .map(|record| text(&record, "number"))
        .collect()
}

fn source(harness: &Harness, n: usize) -> Value {
    let stand = harness.company.stands.left.borrow();
    stand.records("invoice").into_iter().find(|one| text(one, "guid") == format!("f-{n}")).unwrap()
}

/// Every invoice that fits stands in the ledger once, with its number and the status in the shop; every other one does not.
fn check(harness: &Harness, invoices: &[Invoice], what: &str) {
    for (n, one) in invoices.iter().enumerate() {
        let (made, source) = (made(harness, n), source(harness, n));
        let status = text(&source, "status.guid");
        if one.fits {
            assert_eq!(made.len(), 1, "{what}: invoice {n} stands {} times in the ledger", made.len());
            assert!(
                ["s-3", "s-4", "s-5"].contains(&status.as_str()),
                "{what}: invoice {n} has status {status}"
            );
            assert_eq!(text(&source, "number"), made[0], "{what}: the number of invoice {n}");
        } else {
            assert_eq!(made, Vec::<String>::new(), "{what}: invoice {n} should have been taken back");
            assert_eq!(status, "s-0", "{what}: invoice {n}");
            assert_eq!(text(&source, "number"), "", "{what}: invoice {n}");
        }
    }
}

fn until_quiet(harness: &mut Harness, what: &str) {
    let mut last = String::new();
    for _ in 0..10 {
        match try_run(harness) {
            Ok(report) if report.writes == 0 && report.in_doubt.is_empty() => return,
            other => last = format!("{other:#?}"),
        }
    }
    panic!("{what}: it does not come to rest: {last}");
}

#[test]
fn the_cases_of_the_invented_systems_hold() {
    let out = std::process::Command::new(env!("CARGO_BIN_EXE_mapengine"))
        .args(["test", "tests/mappings"])
        .output()
        .unwrap();
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stdout));
}

/// Every fault at every write of a document: made, deleted again, written back.
#[test]
fn no_fault_makes_a_document_twice_or_loses_it() {
    for fault in FAULTS {
        for (side, write) in [
            (Side::Right, "create:invoice"),
            (Side::Right, "create:credit_note"),
            (Side::Right, "delete:invoice"),
            (Side::Left, "update:invoice"),
        ] {
            for nth in 1..=2 {
                let invoices = [
                    Invoice { fits: true, credit: false },
                    Invoice { fits: false, credit: false },
                    Invoice { fits: true, credit: true },
                    Invoice { fits: false, credit: false },
                    Invoice { fits: true, credit: true },
                ];
                let (mut harness, _) = story(&invoices);
                harness.company.stands[side]
                    .borrow_mut()
                    .faults
                    .add(&format!("{fault}:{write}:{nth}"))
                    .unwrap();
                let what = format!("{fault} at {write} {nth}");
                until_quiet(&mut harness, &what);
                // what a server refused rests a while before it is asked again
                for (n, one) in invoices.iter().enumerate() {
                    if *fault == "refused" && one.fits && text(&source(&harness, n), "status.guid") == "s-0" {
                        edit(
                            &harness,
                            Side::Left,
                            "invoice",
                            &[("guid", Value::text(format!("f-{n}")))],
                            &[("status.guid", Value::text("s-2"))],
                        );
                    }
                }
                retry_all(&mut harness, &what);
                check(&harness, &invoices, &what);
            }
        }
    }
}

/// Where the other side does not let go of it, a person corrects one of the two: then it stands, and goes on.
#[test]
fn what_was_corrected_by_hand_is_not_taken_back() {
    for (side, by) in [(Side::Right, "memo"), (Side::Left, "guid")] {
        for fault in ["unavailable", "conflict", "invalid"] {
            let what = format!("{fault}, corrected on the {side}");
            let invoices = [Invoice { fits: false, credit: false }];
            let (mut harness, _) = story(&invoices);
            harness.company.stands.right.borrow_mut().faults.add(&format!("{fault}:delete:invoice")).unwrap();
            for _ in 0..2 {
                let _ = try_run(&mut harness);
                assert_eq!(made(&harness, 0).len(), 1, "{what}: it could not be taken back");
                let status = text(&source(&harness, 0), "status.guid");
                assert_eq!(status, "s-2", "{what}: its status waits for that");
            }
            let field = if side == Side::Left { ("total", "125.00") } else { ("vat", "25.06") };
            let of = [(by, Value::text("f-0"))];
            edit(&harness, side, "invoice", &of, &[(field.0, Value::text(field.1))]);
            harness.company.stands.right.borrow_mut().faults.clear();
            retry_all(&mut harness, &what);
            check(&harness, &[Invoice { fits: true, credit: false }], &what);
        }
    }
}

/// A step that is refused after the making leaves the status alone: what stands in the ledger is not called failed.
/// Compensation is never silent: each step, its undo, and the number that is gone.
#[test]
fn the_history_tells_each_step_of_what_was_taken_back() {
    let (mut harness, _) =
        story(&[Invoice { fits: false, credit: false }, Invoice { fits: true, credit: false }]);
    run(&mut harness);
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let store = harness.store.clone();
    let events = |id: &'static str| {
        let read = store.read(move |store| store.events(None, Some(("invoices", Side::Left, id)), 100));
        runtime.block_on(read).unwrap()
    };
    let back = events("f-0");
    let what: Vec<&str> = back.iter().map(|event| event.what.as_str()).collect();
    assert_eq!(what, ["created", "deleted_again", "status_set", "set_aside"]);
    assert!(back[0].right.is_some() && back[1].right == back[0].right, "{back:?}");
    assert!(text(&back[1].detail, "reason").contains("0.06 apart"), "{:?}", back[1].detail);
    let carried = events("f-1");
    let what: Vec<&str> = carried.iter().map(|event| event.what.as_str()).collect();
    assert_eq!(what, ["created", "written_back"]);
}

/// It is put right while nobody knows yet whether it was deleted.
#[test]
fn what_is_corrected_while_it_is_taken_back_goes_anew() {
    for fault in ["timeout_after_commit", "timeout_before"] {
        let invoices = [Invoice { fits: false, credit: false }];
        let (mut harness, clock) = story(&invoices);
        let mut stand = harness.company.stands.right.borrow_mut();
        stand.faults.add(&format!("{fault}:delete:invoice:1")).unwrap();
        drop(stand);
        assert_eq!(run(&mut harness).in_doubt.len(), 1, "{fault}");
        let of = [("guid", Value::text("f-0"))];
        edit(&harness, Side::Left, "invoice", &of, &[("total", Value::text("125.00"))]);
        clock.advance(Duration::from_secs(3600));
        let was_deleted = fault == "timeout_after_commit";
        assert_eq!(run(&mut harness).waiting.len(), usize::from(was_deleted), "{fault}");
        until_quiet(&mut harness, fault);
        check(&harness, &[Invoice { fits: true, credit: false }], fault);
    }
}

#[test]
fn what_was_made_is_not_called_failed() {
    let (mut harness, _) = story(&[Invoice { fits: true, credit: false }]);
    harness.company.stands.left.borrow_mut().faults.add("invalid:update:invoice").unwrap();
    for _ in 0..2 {
        let _ = try_run(&mut harness);
        assert_eq!(made(&harness, 0).len(), 1);
        assert_eq!(text(&source(&harness, 0), "status.guid"), "s-2");
    }
    let asked = |harness: &Harness| {
        let stand = harness.company.stands.left.borrow();
        stand.log().iter().filter(|write| format!("{write:?}").contains("s-0")).count()
    };
    assert_eq!(asked(&harness), 0, "the shop was told that it failed");
    harness.company.stands.left.borrow_mut().faults.clear();
    retry_all(&mut harness, "let through");
    check(&harness, &[Invoice { fits: true, credit: false }], "let through");
}

/// The reason of a refusal stays with the record, also where the answer about its status never came.
#[test]
fn the_reason_of_a_refusal_survives_a_lost_answer() {
    let shop = format!(
        "    customer: [ {{ guid: c-1, number: 10001, name: Fjord AS, active: true }} ]\n{STATUSES}    invoice: [ {{ guid: f-0, status.guid: s-2, credit: false, customer.guid: c-1, date: \"2026-11-01\", currency: NOK, total: \"1.00\" }} ]\n"
    );
    let ledger = "    customer: [ { number: \"10001\", name: Fjord AS, status: Active } ]\n";
    let (mut harness, _) = timed_harness_of("shop_documents", &shop, ledger);
    harness.company.stands.left.borrow_mut().faults.add("timeout_after_commit:update:invoice:1").unwrap();
    until_quiet(&mut harness, "refused");
    assert_eq!(text(&source(&harness, 0), "status.guid"), "s-0");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    let kept = runtime.block_on(harness.store.read(|store| store.set_aside(Some("invoices")))).unwrap();
    assert!(kept.iter().any(|row| row.reason.contains("The invoice has no rows")), "{kept:#?}");
}

/// A document never goes without rows that could not be read; the run goes on, and the next one tries again.
#[test]
fn rows_that_cannot_be_read_hold_their_document() {
    for fault in ["html", "cut_body", "error_before", "refused"] {
        let invoices = [Invoice { fits: true, credit: false }, Invoice { fits: true, credit: false }];
        let (mut harness, _) = story(&invoices);
        let rule = format!("{fault}:list:invoice_row");
        harness.company.stands.left.borrow_mut().faults.add(&rule).unwrap();
        let first = try_run(&mut harness).unwrap_or_else(|(error, _)| panic!("{fault}: {error}"));
        let held = first.waiting.iter().filter(|one| one.reason.contains("rows cannot be read")).count();
        assert_eq!((held, made(&harness, 0).len()), (2, 0), "{fault}: {first:#?}");
        harness.company.stands.left.borrow_mut().faults.clear();
        until_quiet(&mut harness, fault);
        check(&harness, &invoices, fault);
    }
}

/// As a person who says `mapengine retry`, until nothing is left to do.
fn retry_all(harness: &mut Harness, what: &str) {
    retry_until(harness, what, |report| report.writes == 0 && report.in_doubt.is_empty());
}

/// The same until nothing waits for another run either.
fn retry_to_the_end(harness: &mut Harness, what: &str) {
    let at_rest =
        |report: &Report| report.writes == 0 && report.in_doubt.is_empty() && report.waiting.is_empty();
    retry_until(harness, what, at_rest);
}

fn retry_until(harness: &mut Harness, what: &str, at_rest: impl Fn(&Report) -> bool) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    let mut last = String::new();
    for _ in 0..10 {
        let options = mapengine::run::Options { retry_all: true, ..Default::default() };
        match runtime.block_on(harness.run(options)) {
            Ok(report) if at_rest(&report) => return,
            other => last = format!("{other:#?}"),
        }
    }
    panic!("{what}: it does not come to rest: {last}");
}

/// As a person who says `mapengine resolve --unlink` of each invoice whose record in the ledger is gone. Answers how many they are.
fn unlink_gone(harness: &Harness) -> usize {
    unlink(harness, "ME0955")
}

/// The same of each invoice that is set aside for one reason.
fn unlink(harness: &Harness, code: &'static str) -> usize {
    let program = std::sync::Arc::clone(&harness.program);
    let unlink = move |store: &mut dyn mapengine::store::Store| {
        let mut gone = store.set_aside(Some("invoices"))?;
        gone.retain(|row| row.code == code);
        for row in &gone {
            let command = mapengine::run::Command::Unlink(format!("invoices:{}", row.id));
            command.carry_out(&program, store, 0)?;
        }
        Ok(gone.len())
    };
    harness.store.call_blocking(unlink).unwrap()
}

/// One invoice that stands in the ledger, of which the shop knows nothing yet: the run was cut between two steps. `known`: the run
/// still took notice of the answer.
fn cut_after_making(known: bool) -> Harness {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    for requests in 1..200 {
        let (mut harness, _) = story(&[Invoice { fits: true, credit: false }]);
        kill_after(&mut harness, Side::Right, requests);
        let links = harness.store.read(|store| store.count_links("invoices"));
        if made(&harness, 0).len() == 1 && (runtime.block_on(links).unwrap() == 1) == known {
            assert_eq!(text(&source(&harness, 0), "status.guid"), "s-2");
            return harness;
        }
    }
    panic!("no run was cut there");
}

/// The one reason why the invoice is set aside, with its code, after a run that writes nothing.
fn held(harness: &mut Harness, what: &str) -> (String, String) {
    let report = run(harness);
    let [entry] = &report.set_aside[..] else { panic!("{what}: {report:#?}") };
    assert_eq!(report.writes, 0, "{what}: {report:#?}");
    (entry.code.clone(), entry.reason.clone())
}

fn set_invoice(harness: &Harness, set: &[(&str, Value)]) {
    edit(harness, Side::Left, "invoice", &[("guid", Value::text("f-0"))], set);
}

#[test]
fn an_invoice_that_is_changed_between_two_steps_is_held_until_that_is_undone() {
    for known in [true, false] {
        let mut harness = cut_after_making(known);
        let before = source(&harness, 0).get("total").cloned().unwrap();
        set_invoice(&harness, &[("total", Value::Number("125.01".parse().unwrap()))]);
        let (code, reason) = held(&mut harness, "changed");
        assert_eq!(code, "ME0954", "{reason}");
        assert!(reason.contains("it was changed in shop after it had been made in ledger"), "{reason}");
        assert_eq!(text(&source(&harness, 0), "status.guid"), "s-2");
        set_invoice(&harness, &[("total", before)]);
        retry_all(&mut harness, "undone");
        check(&harness, &[Invoice { fits: true, credit: false }], "undone");
    }
}

#[test]
fn an_invoice_that_vanishes_between_two_steps_is_held_and_what_was_made_stays() {
    for side in Side::BOTH {
        let mut harness = cut_after_making(true);
        let number = made(&harness, 0).remove(0);
        {
            let mut stand = harness.company.stands[side].borrow_mut();
            let resource = stand.system().resources["invoice"].clone();
            let key = if side == Side::Left { ("guid", "f-0") } else { ("number", number.as_str()) };
            let of = [(key.0.to_owned(), Value::text(key.1))].into_iter().collect();
            let id = stand.find(&resource, &of).remove(0);
            stand.remove(&resource, &id);
        }
        let name = if side == Side::Left { "shop" } else { "ledger" };
        for _ in 0..2 {
            let (code, reason) = held(&mut harness, name);
            assert_eq!(code, "ME0955", "{reason}");
            assert!(reason.starts_with(&format!("its record in {name} is gone")), "{reason}");
        }
        sweep(&mut harness).unwrap();
        retry_all(&mut harness, name);
        // nothing is made a second time, nothing is taken back, and the source is as it was
        match side {
            Side::Left => assert_eq!(made(&harness, 0), [number]),
            Side::Right => {
                assert_eq!(made(&harness, 0), Vec::<String>::new());
                assert_eq!(text(&source(&harness, 0), "status.guid"), "s-2");
                // until a person says so
                assert_eq!(unlink_gone(&harness), 1);
                let [waits] = &run(&mut harness).waiting[..] else { panic!("it does not go again") };
                assert!(waits.reason.contains("which was found for it, is gone by now"), "{waits:?}");
                retry_all(&mut harness, "forgotten");
                check(&harness, &[Invoice { fits: true, credit: false }], "forgotten");
            }
        }
    }
}

#[test]
fn a_status_that_somebody_moved_between_two_steps_is_not_overwritten() {
    let mut harness = cut_after_making(true);
    set_invoice(&harness, &[("status.guid", Value::text("s-1"))]);
    let (code, reason) = held(&mut harness, "moved");
    assert_eq!(code, "ME0950", "{reason}");
    assert!(reason.contains("its status is 'Draft' now"), "{reason}");
    assert_eq!(text(&source(&harness, 0), "number"), "");
    // set back, it goes on: the same record gets its number, no second one is made
    set_invoice(&harness, &[("status.guid", Value::text("s-2"))]);
    retry_all(&mut harness, "set back");
    check(&harness, &[Invoice { fits: true, credit: false }], "set back");
}

/// Who gives an invoice that was carried the status again that travels is told that it does not go, and how it would.
#[test]
fn an_invoice_that_stands_ready_again_is_not_left_out_in_silence() {
    let whole = [Invoice { fits: true, credit: false }];
    for gone in [false, true] {
        let (mut harness, _) = story(&whole);
        until_quiet(&mut harness, "made");
        let number = made(&harness, 0).remove(0);
        if gone {
            common::remove(&harness, Side::Right, "invoice", "memo", "f-0");
        }
        set_invoice(&harness, &[("status.guid", Value::text("s-2"))]);
        for full in [false, true, false] {
            let (code, reason) = held(&mut harness, "ready again");
            assert_eq!(code, "ME0961", "{reason}");
            assert!(reason.contains(&format!("was carried to ledger before, as {number}:")), "{reason}");
            assert!(reason.contains("`mapengine resolve --unlink invoices:f-0`"), "{reason}");
            if full {
                sweep(&mut harness).unwrap();
            }
        }
        // set right, nobody has to look any more
        set_invoice(&harness, &[("status.guid", Value::text("s-3"))]);
        assert_eq!(run(&mut harness).set_aside, vec![]);
        // forgotten, it goes again where there is none; else the one that is there is found
        set_invoice(&harness, &[("status.guid", Value::text("s-2"))]);
        held(&mut harness, "ready again");
        assert_eq!(unlink(&harness, "ME0961"), 1);
        retry_to_the_end(&mut harness, "forgotten");
        let now = made(&harness, 0);
        assert_eq!((now.len(), now == [number]), (1, !gone));
        assert_eq!(text(&source(&harness, 0), "status.guid"), "s-3");
    }
}

/// A server may show the status late that we gave it: that is nobody's doing, and looked at again when the settle time is over.
#[test]
fn a_status_that_shows_late_is_not_called_put_back() {
    let (mut harness, clock) = story(&[Invoice { fits: true, credit: false }]);
    harness.settle_after = Some(Duration::from_secs(300));
    until_quiet(&mut harness, "made");
    set_invoice(&harness, &[("status.guid", Value::text("s-2"))]);
    for _ in 0..2 {
        let report = run(&mut harness);
        assert_eq!((report.set_aside.len(), report.writes), (0, 0), "{report:#?}");
    }
    clock.advance(Duration::from_secs(301));
    assert_eq!(held(&mut harness, "over").0, "ME0961");
}

/// Where nothing reads what was made, a write without an answer is held for a person, and never sent again.
#[test]
fn what_nobody_reads_is_held_and_never_sent_twice() {
    for fault in ["timeout_after_commit", "timeout_before", "close_after"] {
        let shop = format!(
            "{STATUSES}    customer: [ {{ guid: c-1, number: 1, name: Fjord AS, active: true }} ]\n    invoice: [ {{ guid: f-1, status.guid: s-2, credit: false, customer.guid: c-1, date: \"2026-11-01\", currency: NOK, total: \"1.00\" }} ]\n"
        );
        let (mut harness, clock) = timed_harness_of("shop_slips", &shop, "    customer: []\n");
        harness.company.stands.right.borrow_mut().faults.add(&format!("{fault}:create:slip:1")).unwrap();
        let first = run(&mut harness);
        assert_eq!(first.in_doubt.len(), 1, "{fault}: {first:#?}");
        for _ in 0..3 {
            clock.advance(Duration::from_secs(3600));
            let report = run(&mut harness);
            assert_eq!(report.writes, 0, "{fault}: {report:#?}");
            let [doubt] = &report.in_doubt[..] else { panic!("{fault}: {report:#?}") };
            assert!(doubt.reason.contains("`mapengine resolve --write "), "{fault}: {doubt:?}");
        }
        let made = harness.company.stands.right.borrow().records("slip").len();
        assert_eq!(made, usize::from(fault != "timeout_before"), "{fault}");
        assert_eq!(text(&source(&harness, 1), "status.guid"), "s-2", "{fault}");
    }
}
