//! The faults that have to be survived (F01 … F26), each at every kind of write: a record that is made, one that is changed, one that is
//! taken back, and what is written back to a source. A cell is tried here, or says which test tries it, or why there is nothing to try.

use std::time::Duration;

use mapengine::value::{Side, Value};

use super::common::edit;
use super::{Invoice, check, retry_all, story, text, unlink_gone};

/// What is done with a fault at a kind of write.
enum Cell {
    /// These faults of the stand-in, one after the other, each in a story of its own.
    Try(&'static [&'static str]),
    /// The same, at the first list that either side is asked for.
    Lists(&'static [&'static str]),
    /// Another test does it.
    By(&'static str),
    /// There is nothing to try.
    Not(&'static str),
}

use Cell::{By, Lists, Not, Try};

/// The kinds of writes, and the call of a story that is one.
const WRITES: [(&str, Side, &str); 4] = [
    ("create", Side::Right, "create:invoice"),
    ("update", Side::Right, "update:customer"),
    ("delete", Side::Right, "delete:invoice"),
    ("write back", Side::Left, "update:invoice"),
];

const LISTS: &str = "a fault of lists, which are read before the first write";
const STATE: &str = "a fault of the state, which is the same for every write";

/// Each fault with its cells, in the order of [`WRITES`].
fn matrix() -> Vec<(&'static str, [Cell; 4])> {
    let each = |faults: &'static [&'static str]| [Try(faults), Try(faults), Try(faults), Try(faults)];
    let by = |test: &'static str| [By(test), By(test), By(test), By(test)];
    let once = |test: &'static str, why: &'static str| [By(test), Not(why), Not(why), Not(why)];
    vec![
        ("F01", each(&["timeout_after_commit", "timeout_before"])),
        ("F02", each(&["late_arrival=30s", "late_arrival=2"])),
        ("F03", each(&["close_before", "close_after"])),
        ("F04", each(&["cut_body", "short_body", "random_bytes"])),
        (
            "F05",
            [
                Try(&["html", "empty", "no_id", "other_record"]),
                Try(&["html", "empty", "other_record"]),
                Try(&["html", "empty"]),
                Try(&["html", "empty", "other_record"]),
            ],
        ),
        (
            "F06",
            each(&[
                "too_many",
                "too_many=-5",
                "too_many=315360000",
                "too_many=date",
                "too_many=none",
                "too_many=soon",
                "unavailable",
                "unavailable=none",
            ]),
        ),
        (
            "F07",
            each(&[
                "error_before",
                "error_after",
                "gateway_before",
                "gateway_after",
                "unavailable_after",
                "gateway_timeout_before",
                "gateway_timeout_after",
            ]),
        ),
        ("F08", each(&["slow=20s", "dribble"])),
        ("F09", each(&["expired_token"])),
        (
            "F10",
            [
                Lists(&[
                    "duplicate_page",
                    "empty_page",
                    "endless_pages",
                    "token_loop",
                    "shrinking_pages",
                    "foreign_link",
                ]),
                Not(LISTS),
                Not(LISTS),
                Not(LISTS),
            ],
        ),
        ("F11", once("rows_that_move_between_pages_are_found_by_the_next_whole_read", LISTS)),
        (
            "F12",
            [
                Not("only what is there has a version"),
                Try(&["changed", "conflict", "precondition_missing"]),
                By("what_was_corrected_by_hand_is_not_taken_back"),
                Try(&["changed", "conflict", "precondition_missing"]),
            ],
        ),
        (
            "F13",
            [
                By("a_clock_that_is_wrong_sends_nothing_early"),
                By("a_clock_that_is_wrong_misses_no_change"),
                Not("a clock says nothing of what is taken back"),
                Not("a clock says nothing of what is written back"),
            ],
        ),
        ("F14", by("a_killed_transfer_makes_each_invoice_exactly_once")),
        ("F15", once("a_full_disk_is_an_error_and_no_end", STATE)),
        ("F16", by("a_transfer_without_power_makes_each_invoice_exactly_once")),
        ("F17", by("the_second_is_refused_and_told_who_holds_it")),
        ("F18", by("each_document_exactly_once_in_random_stories")),
        (
            "F19",
            [
                Not("what is made takes nothing back"),
                Not("what is changed takes nothing back"),
                By("what_was_corrected_by_hand_is_not_taken_back"),
                Not("what is written back takes nothing back"),
            ],
        ),
        ("F20", once("the_tolerance_is_exact", "a total is compared when a record was made")),
        (
            "F21",
            [
                By("what_cannot_be_told_apart_is_held"),
                Not("the same change twice is the same record"),
                Not("what is gone is gone"),
                Not("the same change twice is the same record"),
            ],
        ),
        (
            "F22",
            [
                Not("it is read when it is made"),
                By("every_edit_arrives_whatever_happens_in_between"),
                By("what_is_corrected_while_it_is_taken_back_goes_anew"),
                By("an_invoice_that_is_changed_between_two_steps_is_held_until_that_is_undone"),
            ],
        ),
        ("F23", by("a_document_on_its_way_goes_on_wherever_it_was_cut")),
        ("F24", once("a_full_request_log_is_told_and_the_run_goes_on", "no write depends on it")),
        ("F25", each(&["refused"])),
        ("F26", once("a_gigabyte_is_refused_by_its_length", "answers of all calls are read the same way")),
    ]
}

/// Everything arrives, each thing once, whatever one fault does to one write.
fn survives(fault: &str, (kind, side, call): (&str, Side, &str)) {
    let what = format!("{fault} at {kind}");
    let invoices = [Invoice { fits: true, credit: false }, Invoice { fits: false, credit: false }];
    let (mut harness, clock) = story(&invoices);
    if kind == "update" {
        retry_all(&mut harness, &what);
        let of = [("guid", Value::text("c-1"))];
        edit(&harness, Side::Left, "customer", &of, &[("name", Value::text("Fjord og Fjell AS"))]);
    }
    let sides = if kind == "list" { Side::BOTH.to_vec() } else { vec![side] };
    for side in sides {
        harness.company.stands[side].borrow_mut().faults.add(&format!("{fault}:{call}:1")).unwrap();
    }
    for _ in 0..4 {
        let _ = super::try_run(&mut harness);
        clock.advance(Duration::from_secs(3600));
    }
    retry_all(&mut harness, &what);
    unlink_gone(&harness);
    retry_all(&mut harness, &what);
    check(&harness, &invoices, &what);
    let stand = harness.company.stands.right.borrow();
    let names: Vec<String> = stand.records("customer").iter().map(|one| text(one, "name")).collect();
    let expected = if kind == "update" { "Fjord og Fjell AS" } else { "Fjord AS" };
    assert_eq!(names, [expected], "{what}");
}

#[test]
fn every_fault_at_every_write_ends_well() {
    let sources = sources();
    let mut tried = 0;
    for (id, cells) in matrix() {
        for (cell, write) in cells.into_iter().zip(WRITES) {
            match cell {
                Try(faults) => {
                    for fault in faults {
                        survives(fault, write);
                        tried += 1;
                    }
                }
                Lists(faults) => {
                    for fault in faults {
                        survives(fault, ("list", Side::Left, "list:*"));
                        tried += 1;
                    }
                }
                By(test) => {
                    assert!(sources.contains(&format!("fn {test}(")), "{id}: there is no test `{test}`")
                }
                Not(why) => assert!(!why.is_empty(), "{id} at {}", write.0),
            }
        }
    }
    assert!(tried > 100, "{tried}");
    let ids: Vec<String> = matrix().iter().map(|(id, _)| (*id).to_owned()).collect();
    assert_eq!(ids, (1..=26).map(|n| format!("F{n:02}")).collect::<Vec<_>>());
}

/// All of src/ and tests/.
fn sources() -> String {
    let mut folders = vec!["src".into(), std::path::PathBuf::from("tests")];
    let mut all = String::new();
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|ext| ext == "rs") {
                all += &std::fs::read_to_string(path).unwrap();
            }
        }
    }
    all
}
