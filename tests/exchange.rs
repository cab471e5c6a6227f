//! Values that may stand only once and cross: they are exchanged, whatever happens on the way, and no other value goes anywhere.

mod common;

use std::time::Duration;

use common::{FAULTS, kill_after, timed_harness_of, try_run};
use mapengine::case::{Harness, QuickClock};
use mapengine::value::{Side, Value};

/// What the shop numbers 1 … 4 the ledger numbers 2, 3, 1 and 5: a circle of three, and one that is free.
const NUMBERS: [(&str, &str, &str); 4] =
    [("Alfa", "1", "2"), ("Beta", "2", "3"), ("Gamma", "3", "1"), ("Delta", "4", "5")];

fn crossing() -> (Harness, std::rc::Rc<QuickClock>) {
    let (mut shop, mut ledger) = ("    customer:\n".to_owned(), "    customer:\n".to_owned());
    for (n, (name, here, there)) in NUMBERS.into_iter().enumerate() {
        shop += &format!("      - {{ guid: c-{n}, number: {here}, name: {name} AS, active: true }}\n");
        ledger += &format!("      - {{ number: \"{there}\", name: {name} AS, status: Active }}\n");
    }
    timed_harness_of("shop_ledger", &shop, &ledger)
}

fn numbers(harness: &Harness, side: Side) -> Vec<(String, String)> {
    let text =
        |record: &Value, field: &str| record.get(field).and_then(Value::scalar_text).unwrap_or_default();
    let records = harness.company.stands[side].borrow().records("customer");
    let mut all: Vec<_> =
        records.iter().map(|record| (text(record, "name"), text(record, "number"))).collect();
    all.sort();
    all
}

/// Runs until nothing is left to do: both sides have the ledger's numbers, and nothing else was touched.
fn ends_well(harness: &mut Harness, clock: &QuickClock, what: &str) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    for _ in 0..8 {
        let options = mapengine::run::Options { retry_all: true, ..Default::default() };
        if let Ok(report) = runtime.block_on(harness.run(options))
            && report.writes == 0
            && report.in_doubt.is_empty()
        {
            break;
        }
        clock.advance(Duration::from_secs(3600));
    }
    let mut expected: Vec<_> =
        NUMBERS.iter().map(|(name, _, there)| (format!("{name} AS"), (*there).to_owned())).collect();
    expected.sort();
    for side in Side::BOTH {
        assert_eq!(numbers(harness, side), expected, "{what}: {side}");
    }
}

#[test]
fn crossing_numbers_are_exchanged() {
    let (mut harness, clock) = crossing();
    let first = common::run(&mut harness);
    assert!(first.set_aside.is_empty() && first.waiting.is_empty(), "{first:#?}");
    assert_eq!(common::counts(&first, "customers").linked, 4);
    assert_eq!(common::run(&mut harness).writes, 0);
    ends_well(&mut harness, &clock, "undisturbed");
}

#[test]
fn an_exchange_survives_a_kill_at_every_request() {
    let (mut undisturbed, _) = crossing();
    common::run(&mut undisturbed);
    for side in Side::BOTH {
        let requests = undisturbed.company.stands[side].borrow().log().len();
        let reads = undisturbed.company.stands[side].borrow().reads();
        for at in 0..=requests + usize::try_from(reads).unwrap() {
            let (mut harness, clock) = crossing();
            kill_after(&mut harness, side, at);
            ends_well(&mut harness, &clock, &format!("killed after request {at} to the {side}"));
        }
    }
}

/// A write that steps aside may get no answer, be refused, or arrive late: nobody's number is what somebody held meanwhile.
#[test]
fn an_exchange_survives_every_fault_of_its_writes() {
    for fault in FAULTS.iter().chain(&["late_arrival=60s", "changed", "conflict", "invalid"]) {
        for nth in 1..=5 {
            let (mut harness, clock) = crossing();
            harness.settle_after = Some(Duration::from_secs(120));
            let rule = format!("{fault}:update:customer:{nth}");
            harness.company.stands.left.borrow_mut().faults.add(&rule).unwrap();
            let _ = try_run(&mut harness);
            clock.advance(Duration::from_secs(3600));
            ends_well(&mut harness, &clock, &rule);
        }
    }
}
