//! What is done to a document after it was made: each thing once, whatever happens on the way.

mod common;

use std::time::Duration;

use common::{Choices, FAULTS, edit, harness_of, kill_after, try_run};
use mapengine::case::Harness;
use mapengine::run::Report;
use mapengine::value::{Path, Side, Value};

fn story(count: usize) -> Harness {
    let rows: Vec<String> = (0..count)
        .map(|n| format!(
            "      - {{ guid: f-{n}, status.guid: s-2, credit: false, customer.guid: c-1, date: \"2026-11-01\", currency: NOK, total: \"125.00\", rows: [ {{ guid: r-{n}, position: 1, text: En, quantity: \"1\", price: \"100.00\" }} ] }}"
        ))
        .collect();
    let harness = harness_of(
        "shop_dispatch",
        &format!(
            "    customer: [ {{ guid: c-1, number: 10001, name: Fjord AS, active: true }} ]\n    invoice_status: [ {{ guid: s-2, name: Ready, position: 3, active: true, locked: true, numbered: false, paid: false }} ]\n    invoice:\n{}\n",
            rows.join("\n")
        ),
        "    customer: [ { number: \"10001\", name: Fjord AS, status: Active } ]\n",
    );
    for n in 0..count {
        let mut shop = harness.company.stands.left.borrow_mut();
        for (name, content) in FILES {
            shop.add_file(
                "invoice",
                &format!("f-{n}"),
                "files",
                name,
                "application/pdf",
                content.to_vec().into(),
            );
        }
    }
    harness
}

/// Names as people give them, or as somebody does who means no good.
const FILES: [(&str, &[u8]); 3] = [
    ("kvitto.pdf", b"%PDF one"),
    ("kvitto.pdf", b"%PDF two\r\n--x\r\n\x00\xff"),
    ("../../etc/a\"b.pdf", b"%PDF three"),
];

/// The files that are attached to an invoice of the ledger: names, contents, how often they came.
fn attached(harness: &Harness, number: &str) -> Vec<(String, Vec<u8>, u32)> {
    let stand = harness.company.stands.right.borrow();
    let files = stand.files("invoice", number, "attachments");
    files.into_iter().map(|file| (file.name, file.content.to_vec(), file.versions)).collect()
}

fn fault(harness: &Harness, side: Side, text: &str) {
    harness.company.stands[side].borrow_mut().faults.add(text).unwrap();
}

fn text(record: &Value, path: &str) -> String {
    Path::parse(path).unwrap().get(record).and_then(Value::scalar_text).unwrap_or_default()
}

fn invoices(harness: &Harness) -> Vec<Value> {
    harness.company.stands.right.borrow().records("invoice")
}

/// How many requests of this kind took effect.
fn took(harness: &Harness, end: &str) -> usize {
    let stand = harness.company.stands.right.borrow();
    stand.log().iter().filter(|write| write.path.ends_with(end) && write.status < 300).count()
}

/// How many were sent, whatever the answer.
fn sent(harness: &Harness, end: &str) -> usize {
    let stand = harness.company.stands.right.borrow();
    stand.log().iter().filter(|write| write.path.ends_with(end)).count()
}

fn run(harness: &mut Harness) -> Report {
    try_run(harness).unwrap_or_else(|(error, report)| panic!("{error}\n{report:#?}"))
}

fn retry_all(harness: &mut Harness, what: &str) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    let mut last = String::new();
    for _ in 0..12 {
        let options = mapengine::run::Options { retry_all: true, ..Default::default() };
        match runtime.block_on(harness.run(options)) {
            Ok(report) if report.writes == 0 && report.in_doubt.is_empty() && report.waiting.is_empty() => {
                return;
            }
            other => last = format!("{other:#?}"),
        }
    }
    panic!("{what}: it does not come to rest: {last}");
}

fn check(harness: &Harness, count: usize, what: &str) {
    let made = invoices(harness);
    for n in 0..count {
        let mine: Vec<&Value> = made.iter().filter(|one| text(one, "memo") == format!("f-{n}")).collect();
        assert_eq!(mine.len(), 1, "{what}: invoice {n} stands {} times", mine.len());
        assert_eq!(text(mine[0], "status"), "Open", "{what}: invoice {n}");
        let files = |name: &str, content: &[u8]| (name.to_owned(), content.to_vec(), 1);
        assert_eq!(
            attached(harness, &text(mine[0], "number")),
            [
                files(&format!("f-{n}.pdf"), format!("%PDF-1.4 invoice f-{n}").as_bytes()),
                files("kvitto.pdf", FILES[0].1),
                files("kvitto (2).pdf", FILES[1].1),
                files("ab.pdf", FILES[2].1),
            ],
            "{what}: the files of invoice {n}"
        );
    }
    // the stand-in refuses what is done already: nothing was asked for that had happened
    let stand = harness.company.stands.right.borrow();
    for write in stand.log().iter().filter(|write| write.path.ends_with("/release")) {
        assert_ne!(write.status, 400, "{what}: {} was asked for again", write.path);
    }
}

#[test]
fn no_fault_releases_twice_or_not_at_all() {
    for fault_name in FAULTS {
        for (side, call) in [
            (Side::Right, "action"),
            (Side::Right, "get"),
            (Side::Right, "create"),
            (Side::Right, "attach"),
            (Side::Right, "file"),
            (Side::Left, "file"),
        ] {
            for nth in 1..=2 {
                let what = format!("{fault_name} at {call} {nth}");
                let mut harness = story(2);
                fault(&harness, side, &format!("{fault_name}:{call}:invoice:{nth}"));
                let _ = try_run(&mut harness);
                retry_all(&mut harness, &what);
                check(&harness, 2, &what);
                assert_eq!(took(&harness, "/release"), 2, "{what}");
            }
        }
    }
}

#[test]
fn what_is_asked_for_and_not_done_waits_and_is_not_asked_for_again() {
    let mut harness = story(1);
    fault(&harness, Side::Right, "effect_later=1000:action");
    let report = run(&mut harness);
    assert!(
        report
            .waiting
            .iter()
            .any(|entry| entry.reason.contains("`status in ['Open', 'Closed']` does not hold yet")),
        "{report:#?}"
    );
    for _ in 0..3 {
        let report = run(&mut harness);
        assert_eq!((report.writes, report.waiting.len()), (0, 1), "{report:#?}");
    }
    assert_eq!(sent(&harness, "/release"), 1);
    // somebody does it by hand
    harness.company.stands.right.borrow_mut().faults.clear();
    edit(
        &harness,
        Side::Right,
        "invoice",
        &[("memo", Value::text("f-0"))],
        &[("status", Value::text("Open"))],
    );
    let report = run(&mut harness);
    assert_eq!((report.writes, report.waiting.len()), (0, 0), "{report:#?}");
    assert_eq!(sent(&harness, "/release"), 1);
}

#[test]
fn what_does_not_happen_in_time_is_a_persons() {
    let mut harness = story(1);
    fault(&harness, Side::Right, "effect_later=1000:action");
    run(&mut harness);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    let clock = std::rc::Rc::clone(&harness.clock);
    runtime.block_on(clock.sleep(Duration::from_secs(11 * 60)));
    let report = run(&mut harness);
    assert!(
        report
            .set_aside
            .iter()
            .any(|entry| entry.code == "ME0956" && entry.reason.contains("do it there by hand")),
        "{report:#?}"
    );
    assert_eq!((report.writes, sent(&harness, "/release")), (0, 1));
    edit(
        &harness,
        Side::Right,
        "invoice",
        &[("memo", Value::text("f-0"))],
        &[("status", Value::text("Closed"))],
    );
    let report = run(&mut harness);
    assert!(report.set_aside.is_empty(), "{report:#?}");
    assert_eq!(sent(&harness, "/release"), 1);
}

#[test]
fn what_is_refused_is_asked_for_again_when_it_is_mended() {
    let mut harness = story(1);
    // a server that is busy, then one that says no
    fault(&harness, Side::Right, "conflict:action");
    let report = run(&mut harness);
    assert_eq!(report.waiting.len(), 1, "{report:#?}");
    harness.company.stands.right.borrow_mut().faults.clear();
    run(&mut harness);
    check(&harness, 1, "after a conflict");
}

/// Time goes on.
fn pass(harness: &Harness, minutes: u64) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    runtime.block_on(std::rc::Rc::clone(&harness.clock).sleep(Duration::from_secs(minutes * 60)));
}

#[test]
fn what_its_answer_says_failed_is_set_aside_and_asked_for_again_after_a_rest() {
    let mut harness = story(1);
    fault(&harness, Side::Right, "action_failed:action");
    let failed = |report: &Report| {
        let words = "asked to release it, and that it failed: a rule of this system forbids it";
        report.set_aside.len() == 1
            && report.waiting.is_empty()
            && report.set_aside[0].code == "ME0931"
            && report.set_aside[0].reason.contains(words)
    };
    let report = run(&mut harness);
    assert!(failed(&report), "{report:#?}");
    // it rests: no run asks in a loop
    for _ in 0..3 {
        let report = run(&mut harness);
        assert!(failed(&report), "{report:#?}");
        assert_eq!((report.writes, sent(&harness, "/release")), (0, 1));
    }
    pass(&harness, 16);
    let report = run(&mut harness);
    assert!(failed(&report), "{report:#?}");
    assert_eq!((report.writes, sent(&harness, "/release")), (1, 2));
    // the rest is longer now
    pass(&harness, 16);
    assert!(failed(&run(&mut harness)));
    assert_eq!(sent(&harness, "/release"), 2);
    // its cause is mended, and somebody says so
    harness.company.stands.right.borrow_mut().faults.clear();
    retry_all(&mut harness, "after a failure");
    assert_eq!(sent(&harness, "/release"), 3);
    check(&harness, 1, "after a failure");
    assert!(run(&mut harness).set_aside.is_empty());
}

#[test]
fn what_failed_is_asked_for_again_when_the_record_changes_and_not_where_it_is_done() {
    for (field, value, asked) in [("date", "2026-11-02", 2), ("status", "Open", 1)] {
        let mut harness = story(1);
        fault(&harness, Side::Right, "action_failed:action:invoice:1");
        run(&mut harness);
        assert_eq!(sent(&harness, "/release"), 1);
        let of = [("memo", Value::text("f-0"))];
        edit(&harness, Side::Right, "invoice", &of, &[(field, Value::text(value))]);
        let report = run(&mut harness);
        assert!(report.set_aside.is_empty() && report.waiting.is_empty(), "{field}: {report:#?}");
        assert_eq!(sent(&harness, "/release"), asked, "{field}");
        check(&harness, 1, field);
    }
}

#[test]
fn a_failure_without_an_answer_is_looked_at_before_anything_is_asked_for_again() {
    for lost in ["timeout_after_commit", "close_after", "cut_body"] {
        let mut harness = story(1);
        fault(&harness, Side::Right, "action_failed:action:invoice:1");
        fault(&harness, Side::Right, &format!("{lost}:action:invoice:2"));
        run(&mut harness);
        for _ in 0..2 {
            retry_all(&mut harness, lost);
        }
        check(&harness, 1, lost);
        // it failed, it took effect and nobody heard of it, and that was all
        assert_eq!(sent(&harness, "/release"), 2, "{lost}");
    }
}

#[test]
fn what_is_taken_on_is_asked_for_until_it_is_there() {
    let mut harness = story(2);
    fault(&harness, Side::Right, "answered_later:create:invoice");
    let report = run(&mut harness);
    assert_eq!(report.registers["invoices"].created, 2, "{report:#?}");
    check(&harness, 2, "answered later");
}

#[test]
fn what_is_taken_on_and_refused_is_refused_with_its_reason() {
    let mut harness = story(1);
    fault(&harness, Side::Right, "answered_later:create:invoice");
    // its customer is removed there behind the engine's back: what only the ledger knows
    let at = [("guid", Value::text("f-0"))];
    edit(&harness, Side::Left, "invoice", &at, &[("status.guid", Value::Null)]);
    run(&mut harness);
    {
        let mut stand = harness.company.stands.right.borrow_mut();
        let customer = stand.system().resources["customer"].clone();
        let ids = stand.find(&customer, &[("number".to_owned(), Value::text("10001"))].into_iter().collect());
        stand.remove(&customer, &ids[0]);
    }
    edit(&harness, Side::Left, "invoice", &at, &[("status.guid", Value::text("s-2"))]);
    let report = run(&mut harness);
    assert!(
        report
            .set_aside
            .iter()
            .any(|entry| entry.code == "ME0931" && entry.reason.contains("there is no customer 10001")),
        "{report:#?}"
    );
    assert!(invoices(&harness).is_empty());
}

#[test]
fn what_is_never_answered_is_looked_for() {
    let mut harness = story(1);
    fault(&harness, Side::Right, "answered_later=100000:create:invoice:1");
    let report = run(&mut harness);
    assert!(
        report.in_doubt.iter().any(|entry| entry.reason.contains("it is still at it after")),
        "{report:#?}"
    );
    retry_all(&mut harness, "never answered");
    check(&harness, 1, "never answered");
}

#[test]
fn without_an_answer_a_file_is_looked_for_and_not_sent_again() {
    let mut harness = story(1);
    fault(&harness, Side::Right, "timeout_after_commit:attach:invoice:2");
    let report = run(&mut harness);
    assert_eq!(report.in_doubt.len(), 1, "{report:#?}");
    run(&mut harness);
    check(&harness, 1, "no answer");
    assert_eq!(took(&harness, "/attachments"), 4);
}

/// Random stories: faults and cut runs. `SEEDS=N` tells more of them, `SEED=N` one.
#[test]
fn each_thing_exactly_once_in_random_stories() {
    let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    let seeds = match number("SEED") {
        Some(seed) => seed..=seed,
        None => 1..=number("SEEDS").unwrap_or(60),
    };
    for seed in seeds {
        let what = format!("seed {seed}");
        let mut choices = Choices::new(seed);
        let count = 1 + choices.next(4);
        let mut harness = story(count);
        for _ in 0..3 {
            for _ in 0..choices.next(3) {
                let name = [
                    "timeout_after_commit",
                    "timeout_before",
                    "error_after",
                    "error_before",
                    "close_after",
                    "cut_body",
                    "unavailable",
                    "expired_token",
                    "effect_later",
                    "answered_later",
                ][choices.next(10)];
                let call = match name {
                    "effect_later" => "action",
                    "answered_later" => "create",
                    _ => ["create", "update", "action", "attach", "file", "*"][choices.next(6)],
                };
                let side = if choices.next(4) == 0 { Side::Left } else { Side::Right };
                fault(&harness, side, &format!("{name}:{call}:*:{}", 1 + choices.next(3)));
            }
            if choices.next(2) == 0 {
                let side = if choices.next(3) == 0 { Side::Left } else { Side::Right };
                kill_after(&mut harness, side, choices.next(30));
            } else {
                let _ = try_run(&mut harness);
            }
        }
        for side in Side::BOTH {
            harness.company.stands[side].borrow_mut().faults.clear();
        }
        retry_all(&mut harness, &what);
        check(&harness, count, &what);
        assert_eq!(invoices(&harness).len(), count, "{what}");
    }
}
