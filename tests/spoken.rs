//! What many servers say in ways of their own, end to end: pages and totals in headers, times and truth as numbers, what is left of
//! removed records, and how a field is emptied. The stand-ins check every request.

mod common;

use std::rc::Rc;

use common::{company, counts, edit, harness_with_state, record, remove, run, sweep};
use mapengine::case::{Harness, QuickClock};
use mapengine::http::WireRequest;
use mapengine::sandbox::Outcome;
use mapengine::store::{Handle, Mode};
use mapengine::value::{Side, Value};

fn story(tracker: &str, directory: &str) -> (Harness, Rc<QuickClock>) {
    let yaml = format!(
        "sandbox: tracker_directory\nnow: \"2026-11-02T08:00:00Z\"\nsystems:\n  tracker: {{ person: [ {tracker} ] }}\n  directory: {{ entry: [ {directory} ] }}\n"
    );
    let (company, clock) = company("tracker_directory", &yaml);
    let store = Handle::open(std::path::Path::new(""), Mode::InMemory).unwrap();
    (harness_with_state("tracker_directory", company, store, &clock), clock)
}

fn people(count: usize) -> String {
    let person = |n| format!("{{ id: {n}, mail: p{n}@example.com, name: Person {n}, active: true }}, ");
    (1..=count).map(person).collect()
}

const ADA: &str = "{ id: 1, mail: ada@example.com, name: Ada, phone: \"123\", note: Old, active: true, \
                   seen: \"2026-10-01T12:00:00.25Z\", born: \"1990-02-28T00:00:00Z\", badge: B-7 }";

/// The bodies that a side was sent, as JSON.
fn sent(harness: &Harness, side: Side) -> Vec<String> {
    let stand = harness.company.stands[side].borrow();
    stand
        .log()
        .iter()
        .map(|write| format!("{} {} {}", write.method, write.path, write.body.to_json()))
        .collect()
}

fn forget_log(harness: &Harness) {
    for side in Side::BOTH {
        harness.company.stands[side].borrow_mut().clear_log();
    }
}

/// What a request is answered: the status, the headers that are asked for, and the body.
fn asked(harness: &Harness, side: Side, address: &str, header: (&str, &str), told: &[&str]) -> String {
    let request = WireRequest {
        method: "GET".into(),
        url: address.parse().unwrap(),
        headers: vec![(header.0.into(), header.1.into())],
        body: None,
        for_file: false,
    };
    match harness.company.stands[side].borrow_mut().handle(&request) {
        Outcome::Answer(answer) => {
            let headers = told.iter().map(|name| answer.header(name).unwrap_or("none"));
            let headers: String = headers.map(|value| format!(" | {value}")).collect();
            format!("{}{headers} | {}", answer.status, String::from_utf8_lossy(&answer.body))
        }
        other => panic!("{other:?}"),
    }
}

const KEY: (&str, &str) = ("x-api-key", "sandbox-api-key");

#[test]
fn lists_are_read_to_their_end_by_headers() {
    let (mut harness, _) = story(&people(45), "{ mail: p45@example.com, name: Person 45, active: true }");
    let report = run(&mut harness);
    assert_eq!(report.notes, vec![], "{report:#?}");
    let people = counts(&report, "people");
    assert_eq!((people.linked, people.created), (1, 44), "{report:#?}");
    forget_log(&harness);
    let report = sweep(&mut harness).unwrap();
    assert_eq!((report.writes, &report.notes[..]), (0, &[][..]), "{report:#?}");
    // pages of 10 and of 7, each asked for once
    for (side, resource, pages) in [(Side::Left, "person", 5), (Side::Right, "entry", 7)] {
        assert_eq!(harness.company.stands[side].borrow().reads_by_resource()[resource], pages);
    }
    assert_eq!(
        asked(
            &harness,
            Side::Left,
            "https://tracker.example/people?per_page=45",
            KEY,
            &["link", "x-total-count"]
        )
        .split(" | ")
        .take(3)
        .collect::<Vec<_>>(),
        ["200", "none", "45"]
    );
}

#[test]
fn a_link_that_leads_elsewhere_ends_nothing() {
    let (mut harness, _) = story(&people(25), "");
    run(&mut harness);
    for side in Side::BOTH {
        harness.company.stands[side].borrow_mut().faults.add("foreign_link:list:*:1").unwrap();
    }
    let report = sweep(&mut harness).unwrap();
    let told = report.notes.iter().filter(|note| note.reason.contains("came incomplete")).count();
    assert_eq!((told, report.set_aside.len(), report.writes), (2, 0, 0), "{report:#?}");
}

#[test]
fn numbers_and_texts_are_one_time() {
    let (mut harness, _) = story(ADA, "");
    let report = run(&mut harness);
    assert_eq!(report.set_aside, vec![], "{report:#?}");
    assert_eq!(
        sent(&harness, Side::Right),
        [
            r#"POST /entries {"entry":{"mail":"ada@example.com","name":"Ada","phone":"123","note":"Old","active":"true","seen":"2026-10-01T12:00:00.25Z","born":"636163200","badge":"B-7"}}"#
        ]
    );
    assert_eq!(
        asked(&harness, Side::Left, "https://tracker.example/people/1", KEY, &[]),
        r#"200 | {"id":1,"mail":"ada@example.com","name":"Ada","phone":"123","note":"Old","active":1,"seen":1790856000250,"born":636163200,"codes":[[null,"B-7"]],"changed":1793606400,"removed":null}"#
    );
    // from the other side, to the millisecond, in a run that asks for what changed
    forget_log(&harness);
    let of = [("mail", Value::text("ada@example.com"))];
    let seen = [
        ("seen", Value::text("2026-11-01T10:00:00.001Z")),
        ("active", Value::Bool(false)),
        ("badge", Value::text("B-8")),
    ];
    edit(&harness, Side::Right, "entry", &of, &seen);
    let report = run(&mut harness);
    assert_eq!(counts(&report, "people").updated, 1, "{report:#?}");
    assert_eq!(
        sent(&harness, Side::Left),
        [r#"PATCH /people/1 {"active":0,"seen":1793527200001,"codes":[[null,"B-8"]]}"#]
    );
    assert_eq!(run(&mut harness).writes, 0);
}

#[test]
fn a_time_that_is_no_whole_number_is_set_aside() {
    let (mut harness, _) =
        story("", "{ id: 1, mail: ada@example.com, name: Ada, seen: \"2026-10-01T12:00:00.0001Z\" }");
    let report = run(&mut harness);
    let [entry] = &report.set_aside[..] else { panic!("{report:#?}") };
    assert_eq!(
        entry.reason,
        "seen: it cannot be \"2026-10-01T12:00:00.0001Z\": it is not whole: the system counts the milliseconds since 1970, and nothing below"
    );
    assert_eq!(report.writes, 0);
}

#[test]
fn changes_are_asked_for_by_numbers() {
    let (harness, _) = story(&people(3), "{ id: 1, mail: a@example.com, name: A }");
    let of = [("mail", Value::text("p2@example.com"))];
    edit(&harness, Side::Left, "person", &of, &[("name", Value::text("Other"))]);
    let now = harness.company.stands.left.borrow().now_ms() / 1000;
    let since = |since: i64| {
        let address = format!("https://tracker.example/people?since={since}");
        asked(&harness, Side::Left, &address, KEY, &["x-total-count"])
    };
    assert!(since(now).starts_with("200 | 1 | [{\"id\":2,"), "{}", since(now));
    assert!(since(now + 60).starts_with("200 | 0 | []"));
    let address = "https://tracker.example/people?since=2026-11-02T08:00:00Z";
    assert!(asked(&harness, Side::Left, address, KEY, &[]).starts_with("400 |"));
}

#[test]
fn what_is_left_of_a_removed_record_is_no_record() {
    for full in [false, true] {
        let tracker = format!("{}{{ id: 77, removed: true }}", people(2));
        let (mut harness, _) = story(&tracker, "");
        let report = run(&mut harness);
        assert_eq!(counts(&report, "people").created, 2, "{report:#?}");
        assert_eq!((report.notes.len(), report.set_aside.len()), (0, 0), "{report:#?}");
        // it still stands in the list
        let rest = asked(&harness, Side::Left, "https://tracker.example/people?per_page=45", KEY, &[]);
        assert!(rest.ends_with(r#",{"id":77,"changed":1793606400,"removed":1}]"#), "{rest}");

        remove(&harness, Side::Left, "person", "mail", "p1@example.com");
        remove(&harness, Side::Right, "entry", "mail", "p2@example.com");
        let mut next = || if full { sweep(&mut harness).unwrap() } else { run(&mut harness) };
        let report = next();
        let mut told: Vec<_> =
            report.set_aside.iter().map(|entry| (entry.code.as_str(), &entry.reason[..20])).collect();
        told.sort_unstable();
        assert_eq!(
            told,
            [("ME0909", "its record in direct"), ("ME0909", "its record in tracke")],
            "full: {full}: {report:#?}"
        );
        assert_eq!((report.writes, report.notes.len()), (0, 0), "{report:#?}");
        let again = next();
        assert_eq!((again.set_aside.len(), again.writes), (2, 0), "{again:#?}");
    }
}

/// In a list of changes already, and where the answer to the removal is lost: the rest that is read says that it was done.
#[test]
fn what_lost_its_source_is_removed_too() {
    for fault in [None, Some("timeout_after_commit"), Some("timeout_before")] {
        let yaml = "sandbox: tracker_directory\nnow: \"2026-11-02T08:00:00Z\"\nsystems:\n  tracker: { room: [ { name: Attic }, { name: Cellar } ] }\n  directory: {}\n";
        let (company, clock) = company("tracker_directory", yaml);
        let store = Handle::open(std::path::Path::new(""), Mode::InMemory).unwrap();
        let mut harness = harness_with_state("tracker_directory", company, store, &clock);
        let report = run(&mut harness);
        assert_eq!(counts(&report, "rooms").created, 2, "{report:#?}");
        remove(&harness, Side::Left, "room", "name", "Attic");
        forget_log(&harness);
        if let Some(fault) = fault {
            let rule = format!("{fault}:delete:room:1");
            harness.company.stands.right.borrow_mut().faults.add(&rule).unwrap();
            assert_eq!(run(&mut harness).in_doubt.len(), 1, "{fault}");
        }
        for _ in 0..2 {
            run(&mut harness);
        }
        let report = run(&mut harness);
        assert_eq!((report.writes, report.in_doubt.len()), (0, 0), "{fault:?}: {report:#?}");
        assert_eq!(report.notes, vec![], "{fault:?}: {report:#?}");
        let names: Vec<_> = harness.company.stands.right.borrow().records("room");
        assert_eq!(names.len(), 1, "{fault:?}: {names:?}");
        assert_eq!(names[0].get("name"), Some(&Value::text("Cellar")), "{fault:?}");
        let removals = sent(&harness, Side::Right);
        let wanted = if fault == Some("timeout_before") { 2 } else { 1 };
        assert!(removals.iter().all(|one| one.starts_with("DELETE /rooms/")), "{removals:?}");
        assert!(removals.len() <= wanted, "{fault:?}: {removals:?}");
    }
}

#[test]
fn a_field_is_emptied_as_each_system_wants_it() {
    let (mut harness, _) = story(ADA, "");
    run(&mut harness);
    let of = [("mail", Value::text("ada@example.com"))];
    edit(&harness, Side::Right, "entry", &of, &[("room", Value::text("12"))]);
    run(&mut harness);
    forget_log(&harness);
    let emptied = [("phone", Value::Null), ("note", Value::Null), ("seen", Value::Null)];
    edit(&harness, Side::Left, "person", &of, &emptied);
    run(&mut harness);
    // the whole record, without what is empty
    assert_eq!(
        sent(&harness, Side::Right),
        [
            r#"PUT /entries/1 {"entry":{"mail":"ada@example.com","name":"Ada","room":"12","active":"true","born":"636163200","badge":"B-7"}}"#
        ]
    );
    let held = record(&harness, Side::Right, "entry", "mail", "ada@example.com");
    let text = |name: &str| held.get(name).and_then(Value::scalar_text).unwrap_or_default();
    assert_eq!((text("phone"), text("note"), text("room")), (String::new(), String::new(), "12".into()));
    assert_eq!(run(&mut harness).writes, 0);

    let (mut harness, _) = story(ADA, "");
    run(&mut harness);
    forget_log(&harness);
    edit(&harness, Side::Right, "entry", &of, &emptied);
    run(&mut harness);
    assert_eq!(sent(&harness, Side::Left), [r#"PATCH /people/1 {"phone":"","note":null,"seen":""}"#]);
    assert_eq!(run(&mut harness).writes, 0);
}

/// The stand-ins are strict: what a system does not take is refused.
#[test]
fn another_dialect_is_refused() {
    let (harness, _) = story(ADA, "{ id: 1, mail: ada@example.com, name: Ada, phone: \"1\" }");
    let patch = |side: Side, address: &str, header: (&str, &str), kind: &str, method: &str, body: &str| {
        let request = WireRequest {
            method: method.into(),
            url: address.parse().unwrap(),
            headers: vec![(header.0.into(), header.1.into()), ("content-type".into(), kind.into())],
            body: Some(bytes::Bytes::from(body.to_owned())),
            for_file: false,
        };
        match harness.company.stands[side].borrow_mut().handle(&request) {
            Outcome::Answer(answer) => (answer.status, String::from_utf8_lossy(&answer.body).into_owned()),
            other => panic!("{other:?}"),
        }
    };
    let json = |body: &str| {
        patch(Side::Left, "https://tracker.example/people/1", KEY, "application/json", "PATCH", body)
    };
    for (body, problem) in [
        (r#"{"phone":null}"#, "phone is emptied by \"\", not by null"),
        (r#"{"active":true}"#, "active: must be true/false, not true"),
        (
            r#"{"born":"1990-02-28T00:00:00Z"}"#,
            "born: must be time (whole seconds since 1970, up to the year 9999), not \"1990-02-28T00:00:00Z\"",
        ),
        (r#"{"codes":[["A","B"]]}"#, "codes[0][0] is not known or cannot be written"),
    ] {
        let (status, answer) = json(body);
        assert_eq!(status, 400, "{body}: {answer}");
        let told = mapengine::value::from_json_str(&answer).unwrap();
        assert_eq!(told.get("message"), Some(&Value::text(problem)), "{body}");
    }
    assert_eq!(json(r#"{"phone":"","note":null,"codes":[[null,"C"]]}"#).0, 204);
    // basic authentication of the stand-in's user and password
    let login = ("authorization", "Basic c2FuZGJveC11c2VyOnNhbmRib3gtcGFzc3dvcmQ=");
    let xml = |body: &str| {
        let address = "https://directory.example/entries/1";
        patch(Side::Right, address, login, "application/xml", "PUT", body)
    };
    let (status, answer) = xml("<entry><mail>ada@example.com</mail><name>Ada</name><phone/></entry>");
    assert_eq!(status, 400);
    assert!(answer.contains("phone is emptied by being left out, not by null"), "{answer}");
    assert_eq!(xml("<entry><mail>ada@example.com</mail><name>Ada</name></entry>").0, 204);
    assert_eq!(
        record(&harness, Side::Right, "entry", "mail", "ada@example.com").get("phone"),
        Some(&Value::Null)
    );
}
