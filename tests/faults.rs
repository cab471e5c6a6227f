//! Faults and crashes: nothing made twice, nothing lost.

mod common;

use std::cell::Cell;
use std::collections::BTreeSet;
use std::rc::Rc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use common::{FAULTS, counts, harness, run, try_run};
use mapengine::case::QuickClock;
use mapengine::clock::{Clock, LocalFuture};
use mapengine::sandbox::Stand;
use mapengine::value::{Side, Value};

/// So many customers only the shop has.
fn shop(count: usize) -> String {
    let rows: Vec<String> =
        (1..=count).map(|n| format!("      - {{ number: {n}, name: Kunde {n} AS, active: true }}")).collect();
    format!("    customer:\n{}\n", rows.join("\n"))
}

fn names(stand: &Stand) -> Vec<String> {
    let mut names: Vec<String> =
        stand.records("customer").iter().filter_map(|one| one.get("name")?.scalar_text()).collect();
    names.sort();
    names
}

/// Each shop customer stands once in the ledger.
fn assert_each_once(harness: &mapengine::case::Harness, count: usize, what: &str) {
    let found = names(&harness.company.stands.right.borrow());
    let mut unique = found.clone();
    unique.dedup();
    assert_eq!(found.len(), unique.len(), "{what}: a customer was made twice: {found:?}");
    assert_eq!(found.len(), count, "{what}: a customer is lost: {found:?}");
}

/// Every fault at every write of a small run, then runs without faults until nothing is left to do.
#[test]
fn no_fault_makes_a_twin_or_loses_a_record() {
    for fault in FAULTS {
        for nth in 1..=4 {
            let mut harness = harness(&shop(4), "");
            harness
                .company
                .stands
                .right
                .borrow_mut()
                .faults
                .add(&format!("{fault}:create:customer:{nth}"))
                .unwrap();
            let mut quiet = false;
            for _ in 0..6 {
                let report = match try_run(&mut harness) {
                    Ok(report) => report,
                    Err(_) => continue,
                };
                if report.writes == 0 && report.in_doubt.is_empty() {
                    quiet = true;
                    break;
                }
            }
            assert!(quiet, "{fault} at create {nth}: it never came to rest");
            assert_each_once(&harness, 4, &format!("{fault} at create {nth}"));
        }
    }
}

/// A fault of an update: the edit arrives all the same, exactly once.
#[test]
fn an_edit_survives_every_fault_of_its_write() {
    for fault in [
        "timeout_after_commit",
        "timeout_before",
        "close_after",
        "error_after",
        "error_before",
        "html",
        "unavailable",
    ] {
        let mut harness = harness(&shop(2), "");
        run(&mut harness);
        common::edit(
            &harness,
            Side::Left,
            "customer",
            &[("name", Value::text("Kunde 1 AS"))],
            &[("vatNumber", Value::text("NO123"))],
        );
        harness.company.stands.right.borrow_mut().faults.add(&format!("{fault}:update:customer:1")).unwrap();
        for _ in 0..4 {
            let _ = try_run(&mut harness);
        }
        let record = common::record(&harness, Side::Right, "customer", "name", "Kunde 1 AS");
        assert_eq!(record.get("vatNumber"), Some(&Value::text("NO123")), "{fault}");
        assert_eq!(run(&mut harness).writes, 0, "{fault}: it does not come to rest");
    }
}

/// The run is stopped dead after its n-th request, as by a kill: the answer never comes back, and nothing
/// after it happens. Then it is started again on the same state.
#[test]
fn a_kill_at_every_request_of_a_run_of_fifty() {
    // how many requests an undisturbed run sends to each side
    let mut undisturbed = harness(&shop(50), "");
    run(&mut undisturbed);
    assert_each_once(&undisturbed, 50, "undisturbed");
    let requests = Side::BOTH.map(|side| undisturbed.company.stands[side].borrow().log().len());
    let kills =
        Side::BOTH.into_iter().flat_map(|side| (0..=requests[side.index()]).map(move |at| (side, at)));
    let kills: Vec<(Side, usize)> = kills.collect();
    let next = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(|| {
                while let Some((side, at)) = kills.get(next.fetch_add(1, Ordering::Relaxed)) {
                    killed_at(*side, *at);
                }
            });
        }
    });
}

/// A run that is killed after so many requests to a side, and started again until nothing is left to do.
fn killed_at(side: Side, at: usize) {
    let mut harness = harness(&shop(50), "");
    common::kill_after(&mut harness, side, at);
    for _ in 0..5 {
        if let Ok(report) = try_run(&mut harness)
            && report.writes == 0
            && report.in_doubt.is_empty()
        {
            break;
        }
    }
    assert_each_once(&harness, 50, &format!("killed after request {at} to the {side}"));
}

/// A writer that notes what it has done after each request, or before it, and looks at nothing. It is killed after a request.
fn naive(stand: &mut Stand, noted: &mut BTreeSet<usize>, before: bool, killed_at: Option<usize>) {
    let resource = stand.system().resources["customer"].clone();
    for (sent, n) in (1..=50).filter(|n| !noted.contains(n)).collect::<Vec<_>>().into_iter().enumerate() {
        if before {
            noted.insert(n);
            if killed_at == Some(sent) {
                return;
            }
        }
        let name = ("name".to_owned(), Value::text(format!("Kunde {n} AS")));
        stand.insert(&resource, &Value::Map([name].into_iter().collect())).unwrap();
        if killed_at == Some(sent) {
            return;
        }
        noted.insert(n);
    }
}

/// The check itself must be able to fail: a naive writer in the same place makes twins or loses records wherever it is killed.
#[test]
fn the_check_sees_the_twins_and_losses_of_a_naive_writer() {
    for before in [false, true] {
        for at in 0..50 {
            let harness = harness(&shop(50), "");
            let mut noted = BTreeSet::new();
            for killed_at in [Some(at), None] {
                naive(&mut harness.company.stands.right.borrow_mut(), &mut noted, before, killed_at);
            }
            let check = std::panic::AssertUnwindSafe(|| assert_each_once(&harness, 50, "naive"));
            assert!(std::panic::catch_unwind(check).is_err(), "killed at {at}: nothing was seen");
        }
    }
}

/// Two customers of the shop that a lost answer could confuse: the settle step holds what it cannot tell apart.
#[test]
fn what_cannot_be_told_apart_is_held() {
    let mut harness = harness(&shop(1), "");
    harness.company.stands.right.borrow_mut().faults.add("timeout_after_commit:create:customer:1").unwrap();
    let first = run(&mut harness);
    assert_eq!(first.in_doubt.len(), 1, "{first:#?}");
    // meanwhile a person makes the same one by hand
    {
        let mut stand = harness.company.stands.right.borrow_mut();
        let resource = stand.system().resources["customer"].clone();
        let record = Value::Map(
            [("name".to_owned(), Value::text("Kunde 1 AS")), ("status".to_owned(), Value::text("Active"))]
                .into_iter()
                .collect(),
        );
        stand.insert(&resource, &record).unwrap();
    }
    let report = run(&mut harness);
    assert!(!report.in_doubt.is_empty(), "{report:#?}");
    assert_eq!(counts(&report, "customers").created, 0);
    assert_eq!(names(&harness.company.stands.right.borrow()).len(), 2, "nothing more was made");
}

/// A create whose answer was lost is found again, and what was to follow it still follows: the number that the
/// ledger gave goes back, and the address is made.
#[test]
fn what_follows_a_create_follows_one_that_was_found_again() {
    let mut harness = harness(
        "    customer:\n      - { number: 1, name: Kunde 1 AS, active: true, mainAddress: { street: Vei 1, city: Oslo } }\n",
        "",
    );
    harness.company.stands.right.borrow_mut().faults.add("timeout_after_commit:create:customer:1").unwrap();
    for _ in 0..4 {
        let _ = try_run(&mut harness);
    }
    let made = common::record(&harness, Side::Right, "customer", "name", "Kunde 1 AS");
    let source = common::record(&harness, Side::Left, "customer", "name", "Kunde 1 AS");
    let number = |record: &Value| record.get("number").and_then(Value::scalar_text);
    assert!(number(&made).is_some());
    assert_eq!(number(&source), number(&made));
    assert_eq!(made.get("invoiceAddress").and_then(|one| one.get("city")), Some(&Value::text("Oslo")));
    assert_eq!(run(&mut harness).writes, 0);
}

/// A clock that is wrong.
struct Skewed {
    right: Rc<QuickClock>,
    days: Cell<i64>,
}

impl Clock for Skewed {
    fn now_ms(&self) -> i64 {
        self.right.now_ms() + self.days.get() * 24 * 3_600_000
    }

    fn monotonic(&self) -> Duration {
        self.right.monotonic()
    }

    fn sleep(&self, duration: Duration) -> LocalFuture<'_, ()> {
        self.right.sleep(duration)
    }
}

/// Our clock may be days before or behind theirs, and be set: each change is carried all the same, by their own times.
#[test]
fn a_clock_that_is_wrong_misses_no_change() {
    for days in [[3, 3, 3], [-3, -3, -3], [0, 3, -3], [3, -3, 0]] {
        let (mut harness, right) = common::timed_harness_of("shop_ledger", &shop(2), "    customer: []\n");
        let clock = Rc::new(Skewed { right, days: Cell::new(0) });
        harness.clock = Rc::<Skewed>::clone(&clock);
        run(&mut harness);
        let mut called = "Kunde 1 AS".to_owned();
        for (n, day) in days.into_iter().enumerate() {
            clock.days.set(day);
            let name = format!("Kunde {n} og {day} AS");
            let of = [("name", Value::text(called.clone()))];
            common::edit(&harness, Side::Left, "customer", &of, &[("name", Value::text(name.clone()))]);
            run(&mut harness);
            let found = names(&harness.company.stands.right.borrow());
            assert!(found.contains(&name), "{days:?}: {found:?}");
            called = name;
            assert_eq!(run(&mut harness).writes, 0, "{days:?}");
        }
    }
}

/// What has no answer yet is not sent early where our clock was wrong all the time, or is set back: it waits.
#[test]
fn a_clock_that_is_wrong_sends_nothing_early() {
    for days in [[3, 3], [-3, -3], [0, -3]] {
        let (mut harness, right) = common::timed_harness_of("shop_ledger", &shop(1), "    customer: []\n");
        let clock = Rc::new(Skewed { right: Rc::clone(&right), days: Cell::new(days[0]) });
        harness.clock = Rc::<Skewed>::clone(&clock);
        harness.settle_after = Some(Duration::from_secs(120));
        let fault = "late_arrival=60s:create:customer:1";
        harness.company.stands.right.borrow_mut().faults.add(fault).unwrap();
        assert_eq!(run(&mut harness).in_doubt.len(), 1, "{days:?}");
        clock.days.set(days[1]);
        for _ in 0..20 {
            right.advance(Duration::from_secs(30));
            let _ = try_run(&mut harness);
        }
        assert_each_once(&harness, 1, &format!("{days:?}"));
    }
}

/// A record that is removed while a list is read lets another one slip between two pages: the next whole read finds it.
#[test]
fn rows_that_move_between_pages_are_found_by_the_next_whole_read() {
    for at in 0..14 {
        let mut harness = harness(&shop(7), "");
        harness.company.stands.left.borrow_mut().largest_page = 2;
        let stand = Rc::clone(&harness.company.stands.left);
        common::pause_after(&mut harness, Side::Left, at, || {
            let mut stand = stand.borrow_mut();
            let customer = stand.system().resources["customer"].clone();
            let of = [("name".to_owned(), Value::text("Kunde 1 AS"))].into_iter().collect();
            let first = stand.find(&customer, &of).remove(0);
            stand.remove(&customer, &first);
            common::Then::GoOn
        });
        common::sweep(&mut harness).unwrap();
        let mut found = names(&harness.company.stands.right.borrow());
        // the first one may have gone out before it was removed
        found.retain(|name| name != "Kunde 1 AS");
        let expected: Vec<String> = (2..=7).map(|n| format!("Kunde {n} AS")).collect();
        assert_eq!(found, expected, "removed after request {at}");
    }
}
