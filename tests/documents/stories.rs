//! Random stories of documents: faults, requests that arrive late, cut runs, states that are restored, a second process, losses
//! of power; then nothing more goes wrong, and each document must be there exactly once.
//!
//! `SEEDS=N cargo test --test documents random` tells more of them, `SEED=N` one.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use mapengine::value::{Side, Value};

use super::common::{Choices, Then, edit, pause_after, record, try_run};
use super::disk::Disk;
use super::{Invoice, check, made, retry_all, retry_to_the_end, source, story, text, unlink_gone};

/// How long a request may be under way in a story before it takes effect, and how long the engine waits for that.
const LATE: &str = "late_arrival=30s";
const SETTLE: Duration = Duration::from_secs(60);

/// One random story: invoices that fit and that do not, faults, late arrivals, cut runs, payments; every fourth with a state on a
/// disk, which may be restored or lost, and in a loss of power. Then nothing more goes wrong.
fn tell(seed: u64, settle: Duration) {
    let what = format!("seed {seed}");
    let mut choices = Choices::new(seed);
    let invoices: Vec<Invoice> = (0..2 + choices.next(4))
        .map(|_| Invoice { fits: choices.next(3) > 0, credit: choices.next(4) == 0 })
        .collect();
    let (mut harness, clock) = story(&invoices);
    harness.settle_after = Some(settle);
    let mut disk = seed.is_multiple_of(4).then(|| Disk::new(harness.store.clone()));
    if let Some(disk) = &mut disk {
        disk.open(&mut harness);
    }
    for _ in 0..if disk.is_some() { 5 } else { 3 } {
        for _ in 0..choices.next(3) {
            let fault = [
                "timeout_after_commit",
                "timeout_before",
                "error_after",
                "error_before",
                "close_after",
                "cut_body",
                "unavailable",
                "expired_token",
                LATE,
                LATE,
            ][choices.next(10)];
            let call = ["create", "update", "delete", "*"][choices.next(4)];
            let side = if choices.next(3) == 0 { Side::Left } else { Side::Right };
            let nth = 1 + choices.next(3);
            harness.company.stands[side].borrow_mut().faults.add(&format!("{fault}:{call}:*:{nth}")).unwrap();
        }
        if choices.next(2) == 0 {
            let side = if choices.next(2) == 0 { Side::Left } else { Side::Right };
            let (requests, end) = (choices.next(30), choices.next(6));
            let mut moment = None;
            pause_after(&mut harness, side, requests, || {
                if let Some(disk) = &disk {
                    moment = (end < 2).then(|| disk.now());
                    disk.is_locked();
                }
                if end < 4 { Then::Kill } else { Then::GoOn }
            });
            if let (Some(disk), Some(moment)) = (&mut disk, moment) {
                disk.lose_power(&mut harness, moment, &mut choices);
            }
        } else {
            let _ = try_run(&mut harness);
        }
        clock.advance(Duration::from_secs([1, 20, 120][choices.next(3)]));
        if let Some(disk) = &mut disk {
            disk.handle(&mut harness, &mut choices);
        }
        // somebody pays
        let n = choices.next(invoices.len());
        if let ([number], false) = (&made(&harness, n)[..], invoices[n].credit)
            && text(&source(&harness, n), "status.guid") == "s-3"
        {
            // what was paid stays paid, also while the move to "paid" is still under way
            let of = [("number", Value::text(number.clone()))];
            let paid = text(&record(&harness, Side::Right, "invoice", "number", number), "balance") == "0.00";
            let balance = ["0.00", "10.00"][choices.next(2)];
            if !paid {
                edit(&harness, Side::Right, "invoice", &of, &[("balance", Value::text(balance))]);
            }
        }
    }
    for side in Side::BOTH {
        harness.company.stands[side].borrow_mut().faults.clear();
    }
    clock.advance(2 * SETTLE);
    retry_all(&mut harness, &what);
    if disk.is_some() {
        // a backup knows of a record that was taken back since: a person says that it may go
        unlink_gone(&harness);
    }
    clock.advance(2 * SETTLE);
    retry_to_the_end(&mut harness, &what);
    check(&harness, &invoices, &what);
    for (n, one) in invoices.iter().enumerate() {
        // what was paid is paid
        if one.fits && !one.credit {
            let stand = harness.company.stands.right.borrow();
            let mine = |record: &Value| text(record, "memo") == format!("f-{n}");
            let record = stand.records("invoice").into_iter().find(mine).unwrap();
            let wanted = match text(&record, "balance").as_str() {
                "125" | "125.00" => "s-3",
                "0" | "0.00" => "s-5",
                _ => "s-4",
            };
            assert_eq!(text(&source(&harness, n), "status.guid"), wanted, "{what}: invoice {n}, {record}");
        }
    }
}

#[test]
fn each_document_exactly_once_in_random_stories() {
    let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    if let Some(seed) = number("SEED") {
        return tell(seed, SETTLE);
    }
    let seeds = number("SEEDS").unwrap_or(500);
    // more than the machine has at once: a story on a disk waits for its state now and then
    let threads = 2 * std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let next = AtomicU64::new(1);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed > seeds {
                        return;
                    }
                    tell(seed, SETTLE);
                }
            });
        }
    });
}

/// The check must be able to fail: without the wait, a write that arrives late is made twice.
#[test]
fn the_same_stories_without_the_wait_fail() {
    let failed = (1..=200).any(|seed| std::panic::catch_unwind(|| tell(seed, Duration::ZERO)).is_err());
    assert!(failed, "no story failed");
}
