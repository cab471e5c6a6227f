//! Creates with an idempotency key: each exactly once, without waiting and without looking, whatever happens on the way.

mod common;

use std::rc::Rc;
use std::time::Duration;

use common::{Choices, FAULTS, company, edit, harness_with_state, kill_after, record, run, try_run};
use mapengine::case::{Harness, QuickClock};
use mapengine::store::{Handle, Intent, IntentState, Mode};
use mapengine::value::{Side, Value};

const KINDS: [&str; 3] = ["letter", "notice", "card"];

fn yaml(each: usize) -> String {
    let rows = |row: &dyn Fn(usize) -> String| (0..each).map(row).collect::<String>();
    let invoices =
        rows(&|n| format!("      - {{ guid: letter-{n}, status.guid: s-2, number: {n}, credit: false }}\n"));
    let items = rows(&|n| format!("      - {{ code: notice-{n}, name: Item {n} }}\n"));
    let customers = rows(&|n| format!("      - {{ number: {n}, name: card-{n} }}\n"));
    format!(
        "sandbox: shop_post\nnow: \"2026-11-02T08:00:00Z\"\nsystems:\n  shop:\n    invoice_status:\n      - {{ guid: s-0, name: Failed, position: 1, active: true }}\n      - {{ guid: s-2, name: Ready, position: 3, active: true }}\n      - {{ guid: s-3, name: Transferred, position: 4, active: true }}\n    invoice:\n{invoices}    item:\n{items}    customer:\n{customers}  post: {{}}\n"
    )
}

fn story(each: usize) -> (Harness, Rc<QuickClock>) {
    let (company, clock) = company("shop_post", &yaml(each));
    let store = Handle::open(std::path::Path::new(""), Mode::InMemory).unwrap();
    (harness_with_state("shop_post", company, store, &clock), clock)
}

fn text(record: &Value, name: &str) -> String {
    record.get(name).and_then(Value::scalar_text).unwrap_or_default()
}

/// How many records the post office has of an invoice.
fn made(harness: &Harness, kind: &str, n: usize) -> usize {
    let stand = harness.company.stands.right.borrow();
    stand.records(kind).iter().filter(|record| text(record, "about") == format!("{kind}-{n}")).count()
}

fn status(harness: &Harness, guid: &str) -> String {
    record(harness, Side::Left, "invoice", "guid", guid)
        .get("status")
        .and_then(|status| status.get("guid"))
        .and_then(Value::scalar_text)
        .unwrap_or_default()
}

/// Every invoice stands in the post office once; a letter holds its invoice's file, and its invoice is sent.
fn check(harness: &Harness, each: usize, what: &str) {
    for kind in KINDS {
        for n in 0..each {
            assert_eq!(made(harness, kind, n), 1, "{what}: {kind}-{n}");
        }
    }
    for n in 0..each {
        assert_eq!(status(harness, &format!("letter-{n}")), "s-3", "{what}: letter-{n}");
        let letter = record(harness, Side::Right, "letter", "about", &format!("letter-{n}"));
        assert_eq!(
            (letter.get("copies"), letter.get("paper")),
            (Some(&Value::from(i64::try_from(n).unwrap())), Some(&Value::Bool(false))),
            "{what}"
        );
        let stand = harness.company.stands.right.borrow();
        let files = stand.files("letter", &text(&letter, "id"), "create");
        let [file] = &files[..] else { panic!("{what}: {files:?}") };
        let name = format!("letter-{n}.pdf");
        assert_eq!((file.name.as_str(), file.media.as_str()), (name.as_str(), "application/pdf"), "{what}");
        assert_eq!(file.content, format!("%PDF-1.4 invoice letter-{n}"), "{what}");
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

fn intents(harness: &Harness) -> Vec<Intent> {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(harness.store.read(|store| store.intents(None, None, 100))).unwrap()
}

/// The keys of the requests that reached the post office, in order.
fn keys(harness: &Harness, resource: &str) -> Vec<String> {
    let stand = harness.company.stands.right.borrow();
    stand
        .log()
        .iter()
        .filter(|write| {
            write.path.starts_with(&format!("/v1/{resource}"))
                || write.path.starts_with(&format!("/{resource}"))
        })
        .map(|write| {
            let header =
                write.headers.iter().find(|(name, _)| name == "Idempotency-Key").map(|(_, key)| key.clone());
            let query = write.path.split_once("once=").map(|(_, key)| key.to_owned());
            header.or(query).unwrap_or_else(|| text(&write.body, "uuid"))
        })
        .collect()
}

/// Every fault at every kind of create, with no time to settle in between.
#[test]
fn no_fault_makes_a_record_twice_or_loses_it() {
    let more = ["late_arrival=4", "effect_later=4", "no_id", "random_bytes", "conflict"];
    for fault in FAULTS.iter().chain(&more) {
        for kind in KINDS {
            for nth in 1..=2 {
                let (mut harness, _) = story(2);
                let rule = match fault.split_once('=') {
                    Some((fault, late)) => format!("{fault}={late}:create:{kind}:{nth}"),
                    None => format!("{fault}:create:{kind}:{nth}"),
                };
                harness.company.stands.right.borrow_mut().faults.add(&rule).unwrap();
                until_quiet(&mut harness, &rule);
                check(&harness, 2, &rule);
            }
        }
    }
}

/// The run is cut after every single request; the next one goes on with what stands in the journal.
#[test]
fn a_run_that_is_cut_anywhere_goes_on_with_the_same_key() {
    for side in Side::BOTH {
        for requests in 1..30 {
            let (mut harness, _) = story(2);
            kill_after(&mut harness, side, requests);
            let what = format!("cut after {requests} at {side}");
            until_quiet(&mut harness, &what);
            check(&harness, 2, &what);
        }
    }
}

/// The key is on disk before the request leaves: another process, with nothing but the file, sends the same bytes.
#[test]
fn the_key_survives_a_restart() {
    for fault in ["timeout_after_commit", "timeout_before"] {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("state.db");
        let (company, clock) = company("shop_post", &yaml(1));
        for kind in KINDS {
            let rule = format!("{fault}:create:{kind}:1");
            company.stands.right.borrow_mut().faults.add(&rule).unwrap();
        }
        let mut first =
            harness_with_state("shop_post", company, Handle::open(&path, Mode::Write).unwrap(), &clock);
        let report = run(&mut first);
        assert_eq!(report.in_doubt.len(), 3, "{report:#?}");
        let open = intents(&first);
        assert!(open.iter().all(
            |intent| intent.state == IntentState::Sent && intent.request.get("idempotency_key").is_some()
        ));
        let Harness { company, store, .. } = first;
        drop(store);
        let mut second =
            harness_with_state("shop_post", company, Handle::open(&path, Mode::Write).unwrap(), &clock);
        until_quiet(&mut second, fault);
        check(&second, 1, fault);
        for intent in open {
            let sent = keys(&second, &format!("{}s", intent.resource));
            let key = text(&intent.request, "idempotency_key");
            assert!(!sent.is_empty() && sent.iter().all(|one| *one == key), "{fault}: {key} {sent:?}");
        }
        // what is settled needs no repeat, and keeps no content
        for intent in intents(&second) {
            assert_eq!((intent.state, intent.then.get("content")), (IntentState::Done, None));
        }
    }
}

/// The check must be able to fail: an engine that made a new key for the repeat would make a second record.
#[test]
fn a_new_key_for_the_repeat_makes_it_twice() {
    let (mut harness, _) = story(1);
    for kind in KINDS {
        harness
            .company
            .stands
            .right
            .borrow_mut()
            .faults
            .add(&format!("timeout_after_commit:create:{kind}:1"))
            .unwrap();
    }
    run(&mut harness);
    for mut intent in intents(&harness) {
        let old = text(&intent.request, "idempotency_key");
        let json = intent.request.to_json().replace(&old, &uuid::Uuid::new_v4().to_string());
        let request = mapengine::value::from_json_str(&json).unwrap();
        let anew = Intent { id: 0, request, ..intent.clone() };
        intent.state = IntentState::Failed;
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime
            .block_on(harness.store.call(move |store| {
                store.set_intent(&intent)?;
                store.add_intent(&anew)
            }))
            .unwrap();
    }
    until_quiet(&mut harness, "new keys");
    assert_eq!(KINDS.map(|kind| made(&harness, kind, 0)), [2, 2, 2]);
}

/// Where the system forgets keys, an old one is not trusted: the outcome is for a person to say.
#[test]
fn a_key_that_was_forgotten_is_not_repeated() {
    for (passed, repeated) in [(Duration::from_secs(50 * 60), true), (Duration::from_secs(61 * 60), false)] {
        let (mut harness, clock) = story(1);
        harness.company.stands.right.borrow_mut().faults.add("timeout_before:create:card:1").unwrap();
        run(&mut harness);
        clock.advance(passed);
        let report = run(&mut harness);
        assert_eq!(made(&harness, "card", 0), usize::from(repeated), "{report:#?}");
        assert_eq!(report.in_doubt.is_empty(), repeated, "{report:#?}");
        let held = intents(&harness).iter().filter(|intent| intent.state == IntentState::InDoubt).count();
        assert_eq!(held, usize::from(!repeated));
    }
}

/// What is refused later counts as refused at once; mended, it goes as a new record, with a new key.
#[test]
fn what_is_refused_later_goes_again_as_a_new_record() {
    let (mut harness, _) = story(1);
    until_quiet(&mut harness, "sent");
    let of = [("about", Value::text("letter-0"))];
    let failed = [("status", Value::text("Failed")), ("reason", Value::text("No such address"))];
    {
        // the post office's own doing, not a person's: its fields are read only
        let mut stand = harness.company.stands.right.borrow_mut();
        let resource = stand.system().resources["letter"].clone();
        let of = of.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
        let id = stand.find(&resource, &of).remove(0);
        let set = failed.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
        stand.edit(&resource, &id, &set).unwrap();
    }
    let report = run(&mut harness);
    let [entry] = &report.set_aside[..] else { panic!("{report:#?}") };
    assert_eq!(
        (entry.code.as_str(), entry.reason.as_str()),
        ("ME0958", "post refused it later: No such address")
    );
    assert_eq!(status(&harness, "letter-0"), "s-0");
    until_quiet(&mut harness, "refused");
    assert_eq!(made(&harness, "letter", 0), 1);
    let ready = [("status.guid", Value::text("s-2"))];
    edit(&harness, Side::Left, "invoice", &[("guid", Value::text("letter-0"))], &ready);
    until_quiet(&mut harness, "mended");
    assert_eq!((made(&harness, "letter", 0), status(&harness, "letter-0").as_str()), (2, "s-3"));
    let keys = keys(&harness, "letters");
    assert_eq!(keys.len(), 2);
    assert_ne!(keys[0], keys[1]);
}

/// One random story: faults, late arrivals, cut runs. Nothing waits for anything.
fn tell(seed: u64) {
    let what = format!("seed {seed}");
    let mut choices = Choices::new(seed);
    let each = 1 + choices.next(3);
    let (mut harness, clock) = story(each);
    for _ in 0..3 {
        for _ in 0..choices.next(4) {
            let fault = [
                "timeout_after_commit",
                "timeout_before",
                "error_after",
                "close_after",
                "cut_body",
                "unavailable",
                "expired_token",
                "late_arrival=3",
                "late_arrival=30s",
                "late_arrival=30s",
            ][choices.next(10)];
            let call = ["create", "create", "get", "update", "*"][choices.next(5)];
            let side = if choices.next(4) == 0 { Side::Left } else { Side::Right };
            let nth = 1 + choices.next(4);
            harness.company.stands[side].borrow_mut().faults.add(&format!("{fault}:{call}:*:{nth}")).unwrap();
        }
        if choices.next(2) == 0 {
            let side = if choices.next(2) == 0 { Side::Left } else { Side::Right };
            kill_after(&mut harness, side, choices.next(20));
        } else {
            let _ = try_run(&mut harness);
        }
        clock.advance(Duration::from_secs([1, 20, 120][choices.next(3)]));
    }
    for side in Side::BOTH {
        harness.company.stands[side].borrow_mut().faults.clear();
    }
    until_quiet(&mut harness, &what);
    clock.advance(Duration::from_secs(120));
    until_quiet(&mut harness, &what);
    check(&harness, each, &what);
}

/// `SEEDS=N` tells more stories, `SEED=N` one.
#[test]
fn each_record_exactly_once_in_random_stories() {
    let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    if let Some(seed) = number("SEED") {
        return tell(seed);
    }
    for seed in 1..=number("SEEDS").unwrap_or(100) {
        tell(seed);
    }
}
