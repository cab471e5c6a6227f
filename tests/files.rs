//! Files of documents that go to records which many documents lead to: once each, whatever happens on the way.

mod common;

use std::path::Path as FilePath;

use common::{Choices, FAULTS, edit, harness_of, kill_after, run, try_run};
use mapengine::case::Harness;
use mapengine::run::{Options, Report};
use mapengine::store::{Handle, Mode};
use mapengine::value::{Side, Value};

/// Two bills of three projects. Two of their files have one name, and one name means no good.
fn story() -> Harness {
    harness_of(
        "shop_costs",
        "    customer: [ { guid: c-1, number: 1, name: Fjord AS } ]
    project:
      - { guid: p-1, number: 1, name: Kai, customer.guid: c-1 }
      - { guid: p-2, number: 2, name: Bro, customer.guid: c-1 }
      - { guid: p-3, number: 3, name: Vei, customer.guid: c-1 }
",
        "    customer: [ { number: \"1\", name: Fjord AS, status: Active } ]
    project:
      - { number: \"1\", description: Kai, customer: \"1\" }
      - { number: \"2\", description: Bro, customer: \"1\" }
      - { number: \"3\", description: Vei, customer: \"1\" }
    bill:
      - number: B-1
        status: Released
        date: \"2026-10-01\"
        supplier: Grus AS
        attachments: [ { id: a-1, name: faktura.pdf }, { id: a-2, name: \"../../etc/passwd\" } ]
        rows:
          - { line: 1, text: Grus, amount: \"100.00\", project: \"1\", attachments: [ { id: a-3, name: veiing.pdf } ] }
          - { line: 2, text: Frakt, amount: \"50.00\", project: \"1\" }
          - { line: 3, text: Grus, amount: \"70.00\", project: \"2\", attachments: [ { id: a-4, name: veiing.pdf } ] }
          - { line: 4, text: Gebyr, amount: \"9.00\" }
      - number: B-2
        status: Released
        date: \"2026-10-02\"
        supplier: Sand AS
        attachments: [ { id: a-5, name: faktura.pdf } ]
        rows:
          - { line: 1, text: Sand, amount: \"30.00\", project: \"1\", attachments: [ { id: a-6, name: \"\" } ] }
",
    )
}

/// The files of a project: what stands in them, in order, and how often each was sent.
fn files(harness: &Harness, project: &str) -> Vec<String> {
    let stand = harness.company.stands.left.borrow();
    let mut found: Vec<String> = stand
        .files("project", project, "files")
        .into_iter()
        .map(|file| {
            assert_eq!(file.versions, 1, "{}", file.name);
            assert!(!file.name.contains('/') && !file.name.is_empty(), "{}", file.name);
            String::from_utf8(file.content.to_vec()).unwrap().replace("%PDF-1.4 ", "")
        })
        .collect();
    found.sort();
    found
}

fn check(harness: &Harness, what: &str) {
    let sorted = |mut texts: Vec<&str>| {
        texts.sort_unstable();
        texts.into_iter().map(str::to_owned).collect::<Vec<_>>()
    };
    let all = vec!["a-1 faktura.pdf", "a-2 ../../etc/passwd", "a-3 veiing.pdf", "a-5 faktura.pdf", "a-6 "];
    assert_eq!(files(harness, "p-1"), sorted(all), "{what}: p-1");
    let all = vec!["a-1 faktura.pdf", "a-2 ../../etc/passwd", "a-4 veiing.pdf"];
    assert_eq!(files(harness, "p-2"), sorted(all), "{what}: p-2");
    assert!(files(harness, "p-3").is_empty(), "{what}: p-3");
    assert_eq!(harness.company.stands.left.borrow().records("cost").len(), 4, "{what}: costs");
}

fn fault(harness: &Harness, side: Side, text: &str) {
    harness.company.stands[side].borrow_mut().faults.add(text).unwrap();
}

fn settle(harness: &mut Harness, what: &str) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    let mut last = String::new();
    for _ in 0..12 {
        let options = Options { retry_all: true, ..Default::default() };
        match runtime.block_on(harness.run(options)) {
            Ok(report) if report.writes == 0 && report.in_doubt.is_empty() && report.waiting.is_empty() => {
                return;
            }
            other => last = format!("{other:#?}"),
        }
    }
    panic!("{what}: it does not come to rest: {last}");
}

/// How many uploads took effect.
fn sent(harness: &Harness) -> usize {
    let stand = harness.company.stands.left.borrow();
    stand.log().iter().filter(|write| write.path.ends_with("/files") && write.status < 300).count()
}

#[test]
fn a_file_goes_once_to_each_project_that_its_bill_names() {
    let mut harness = story();
    let report = run(&mut harness);
    assert_eq!((report.registers["costs"].created, report.waiting.len()), (4, 0), "{report:#?}");
    check(&harness, "one run");
    assert_eq!(sent(&harness), 8);
    // files of one name stay two, and each says which cost it belongs to
    let stand = harness.company.stands.left.borrow();
    let mut names: Vec<String> =
        stand.files("project", "p-1", "files").into_iter().map(|file| file.name).collect();
    names.sort();
    assert_eq!(names, ["faktura (2).pdf", "faktura.pdf", "file", "passwd", "veiing.pdf"]);
    drop(stand);
    assert_eq!(run(&mut harness).writes, 0);
    // a bill that is paid meanwhile is no other bill
    edit(
        &harness,
        Side::Right,
        "bill",
        &[("number", Value::text("B-1"))],
        &[("status", Value::text("Paid"))],
    );
    assert_eq!(run(&mut harness).writes, 0);
}

#[test]
fn no_fault_attaches_twice_or_not_at_all() {
    for name in FAULTS {
        for (side, call) in [
            (Side::Left, "attach:project"),
            (Side::Left, "file:project"),
            (Side::Left, "create:cost"),
            (Side::Right, "file:bill"),
            (Side::Right, "get:bill"),
        ] {
            for nth in 1..=2 {
                let what = format!("{name} at {call} {nth}");
                let mut harness = story();
                fault(&harness, side, &format!("{name}:{call}:{nth}"));
                let _ = try_run(&mut harness);
                settle(&mut harness, &what);
                check(&harness, &what);
            }
        }
    }
}

#[test]
fn without_an_answer_a_file_is_looked_for_and_not_sent_again() {
    let mut harness = story();
    fault(&harness, Side::Left, "timeout_after_commit:attach:project:1");
    let report: Report = run(&mut harness);
    assert_eq!(report.in_doubt.len(), 1, "{report:#?}");
    settle(&mut harness, "no answer");
    check(&harness, "no answer");
    assert_eq!(sent(&harness), 8);
}

#[test]
fn a_file_that_a_person_has_put_there_under_the_name_is_not_taken_for_ours() {
    let mut harness = story();
    harness.company.stands.left.borrow_mut().add_file(
        "project",
        "p-2",
        "files",
        "veiing.pdf",
        "application/pdf",
        "theirs".into(),
    );
    // the upload is lost on its way: what stands there under the name is the person's
    fault(&harness, Side::Left, "timeout_before:attach:project:*");
    let _ = try_run(&mut harness);
    harness.company.stands.left.borrow_mut().faults.clear();
    settle(&mut harness, "a person's file");
    let of_them = files(&harness, "p-2");
    assert_eq!(of_them, ["a-1 faktura.pdf", "a-2 ../../etc/passwd", "a-4 veiing.pdf", "theirs"]);
}

#[test]
fn a_state_that_was_lost_sends_no_file_again() {
    let mut harness = story();
    run(&mut harness);
    let before = sent(&harness);
    harness.store = Handle::open(FilePath::new(""), Mode::InMemory).unwrap();
    let report = run(&mut harness);
    assert_eq!(report.registers["costs"].linked, 4, "{report:#?}");
    assert_eq!(sent(&harness), before);
    check(&harness, "a lost state");
}

/// Random stories: faults and cut runs. `SEEDS=N` tells more of them, `SEED=N` one.
#[test]
fn each_file_exactly_once_in_random_stories() {
    let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    let seeds = match number("SEED") {
        Some(seed) => seed..=seed,
        None => 1..=number("SEEDS").unwrap_or(60),
    };
    for seed in seeds {
        let what = format!("seed {seed}");
        let mut choices = Choices::new(seed);
        let mut harness = story();
        for _ in 0..3 {
            for _ in 0..choices.next(3) {
                let name = FAULTS[choices.next(FAULTS.len())];
                let call = ["create", "attach", "file", "get", "*"][choices.next(5)];
                let side = if choices.next(3) == 0 { Side::Right } else { Side::Left };
                fault(&harness, side, &format!("{name}:{call}:*:{}", 1 + choices.next(4)));
            }
            if choices.next(2) == 0 {
                let side = if choices.next(3) == 0 { Side::Right } else { Side::Left };
                kill_after(&mut harness, side, choices.next(40));
            } else {
                let _ = try_run(&mut harness);
            }
        }
        for side in Side::BOTH {
            harness.company.stands[side].borrow_mut().faults.clear();
        }
        settle(&mut harness, &what);
        check(&harness, &what);
    }
}
