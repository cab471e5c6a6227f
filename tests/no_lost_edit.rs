//! Random edits on both sides, in random order, with crashes in between: run until quiet, and both sides are
//! equal by the rules, nothing is made twice, nothing is lost. A failure prints its seed. The city stands in an
//! address, a record of its own on both sides.

mod common;

use common::{Choices, Then, edit_at, harness, kill_after, pause_after, sweep};
use std::cell::RefCell;

use mapengine::case::Harness;
use mapengine::sandbox::Stand;
use mapengine::value::{Side, Value};

const COUNT: usize = 6;
const FIELDS: [&str; 3] = ["name", "vatNumber", "city"];

fn shop() -> String {
    let rows: Vec<String> = (1..=COUNT)
        .map(|n| format!("      - {{ number: {n}, name: Kunde {n} AS, active: true, mainAddress: {{ street: Vei {n}, city: Oslo }} }}"))
        .collect();
    format!("    customer:\n{}\n", rows.join("\n"))
}

fn until_quiet(harness: &mut Harness, seed: u64) {
    for _ in 0..8 {
        // the shop's addresses stand below their customer and do not touch it: only a sweep sees their changes
        if let Ok(report) = sweep(harness)
            && report.writes == 0
            && report.in_doubt.is_empty()
        {
            return;
        }
    }
    panic!("seed {seed}: it does not come to rest");
}

/// Somebody edits a field of the n-th customer.
fn put(stand: &RefCell<Stand>, side: Side, n: usize, field: &str, value: &str) {
    let number = 10_000 + n;
    let key = match side {
        Side::Left => Value::from(number as i64),
        Side::Right => Value::text(number.to_string()),
    };
    let path = match (field, side) {
        ("city", Side::Left) => "mainAddress.city",
        ("city", Side::Right) => "invoiceAddress.city",
        _ => field,
    };
    edit_at(stand, "customer", &[("number", key)], &[(path, Value::text(value))]);
}

/// What both sides hold of each customer, by the number they are linked by.
fn state(harness: &Harness, side: Side) -> Vec<(String, String, String, String)> {
    let text = |record: &Value, path: &str| {
        mapengine::value::Path::parse(path)
            .unwrap()
            .get(record)
            .and_then(Value::scalar_text)
            .unwrap_or_default()
    };
    let address = if side == Side::Left { "mainAddress.city" } else { "invoiceAddress.city" };
    let mut all: Vec<_> = harness.company.stands[side]
        .borrow()
        .records("customer")
        .iter()
        .map(|record| {
            (text(record, "number"), text(record, "name"), text(record, "vatNumber"), text(record, address))
        })
        .collect();
    all.sort();
    all
}

#[test]
fn every_edit_arrives_whatever_happens_in_between() {
    for seed in 1..=40_u64 {
        let mut choices = Choices::new(seed);
        let mut harness = harness(&shop(), "");
        until_quiet(&mut harness, seed);
        for round in 0..4 {
            // each field of a customer is edited on one side only: two sides at once are a conflict, which is a
            // person's business
            let mut edited = Vec::new();
            for n in 1..=COUNT {
                for field in FIELDS {
                    if choices.next(3) > 0 {
                        continue;
                    }
                    let side = if choices.next(2) == 0 { Side::Left } else { Side::Right };
                    put(
                        &harness.company.stands[side],
                        side,
                        n,
                        field,
                        &format!("{field} {seed} {round} {n}"),
                    );
                    edited.push((n, field));
                }
            }
            match choices.next(4) {
                // one more edit, while a run is under way; of a field that nobody else edits now
                3 => {
                    let (n, field) = (1 + choices.next(COUNT), FIELDS[choices.next(FIELDS.len())]);
                    let side = if choices.next(2) == 0 { Side::Left } else { Side::Right };
                    let (busy, at) =
                        (if choices.next(2) == 0 { Side::Left } else { Side::Right }, choices.next(25));
                    let free = !edited.contains(&(n, field));
                    let value = format!("{field} {seed} {round} {n} late");
                    let stand = std::rc::Rc::clone(&harness.company.stands[side]);
                    let mut made = false;
                    pause_after(&mut harness, busy, at, || {
                        if free {
                            put(&stand, side, n, field, &value);
                            made = true;
                        }
                        Then::GoOn
                    });
                    until_quiet(&mut harness, seed);
                    if made {
                        for side in Side::BOTH {
                            let held = state(&harness, side).into_iter().nth(n - 1).map(|row| match field {
                                "name" => row.1,
                                "vatNumber" => row.2,
                                _ => row.3,
                            });
                            assert_eq!(held.as_ref(), Some(&value), "seed {seed}, round {round}: in {side}");
                        }
                    }
                }
                0 => {
                    let at = choices.next(40);
                    kill_after(&mut harness, if choices.next(2) == 0 { Side::Left } else { Side::Right }, at);
                }
                1 => {
                    let fault = ["timeout_after_commit", "timeout_before", "error_after", "close_after"]
                        [choices.next(4)];
                    let side = if choices.next(2) == 0 { Side::Left } else { Side::Right };
                    harness.company.stands[side]
                        .borrow_mut()
                        .faults
                        .add(&format!("{fault}:update:*:1"))
                        .unwrap();
                }
                _ => {}
            }
            until_quiet(&mut harness, seed);
        }
        let last = sweep(&mut harness).unwrap_or_else(|(error, _)| panic!("seed {seed}: {error}"));
        assert_eq!((&last.set_aside[..], &last.waiting[..]), (&[][..], &[][..]), "seed {seed}");
        let (left, right) = (state(&harness, Side::Left), state(&harness, Side::Right));
        assert_eq!(left.len(), COUNT, "seed {seed}: {left:#?}");
        assert_eq!(left, right, "seed {seed}");
    }
}
