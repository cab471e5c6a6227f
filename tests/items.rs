//! Documents that are items of a list: they come and go with the record that holds them.

mod common;

use common::{edit, harness_of, run, sweep};
use mapengine::case::Harness;
use mapengine::run::Report;
use mapengine::store::{Link, RecordRef};
use mapengine::value::{Side, Value, from_json_str};

/// One bill of three rows. The shop does not know the project of the last yet.
fn story() -> Harness {
    harness_of(
        "shop_costs",
        "    customer: [ { guid: c-1, number: 1, name: Fjord AS } ]
    project:
      - { guid: p-1, number: 1, name: Kai, customer.guid: c-1 }
      - { guid: p-2, number: 9, name: Bro, customer.guid: c-1 }
",
        "    customer: [ { number: \"1\", name: Fjord AS, status: Active } ]
    project: [ { number: \"1\", description: Kai, customer: \"1\" }, { number: \"2\", description: Bro, customer: \"1\" } ]
    bill:
      - number: B-1
        status: Released
        date: \"2026-10-01\"
        rows:
          - { line: 1, text: Grus, amount: \"100.00\", project: \"1\" }
          - { line: 2, text: Sand, amount: \"50.00\", project: \"1\" }
          - { line: 3, text: Frakt, amount: \"9.00\", project: \"2\" }
      - { number: B-2, status: Draft, date: \"2026-10-02\", rows: [] }
",
    )
}

/// The rows of the bill as they are now.
fn rows(harness: &Harness, rows: &str) {
    let rows = from_json_str(rows).unwrap();
    edit(harness, Side::Right, "bill", &[("number", Value::text("B-1"))], &[("rows", rows)]);
}

fn costs(harness: &Harness) -> usize {
    harness.company.stands.left.borrow().records("cost").len()
}

/// What is noted of rows that are no more.
fn gone(report: &Report) -> Vec<&str> {
    report.notes.iter().filter(|note| note.code == "item_gone").map(|note| note.record.as_str()).collect()
}

#[test]
fn an_item_that_leaves_its_list_never_goes_later_and_one_that_went_is_told_once() {
    let mut harness = story();
    let report = run(&mut harness);
    assert_eq!((report.registers["costs"].created, costs(&harness)), (2, 2), "{report:#?}");
    assert!(gone(&report).is_empty());

    rows(&harness, r#"[{"line":1,"text":"Grus","amount":100.00,"project":"1"}]"#);
    let report = run(&mut harness);
    assert_eq!((gone(&report).len(), report.needs_a_person(), report.writes), (1, true, 0), "{report:#?}");
    assert_eq!((report.waiting.len(), report.set_aside.len()), (0, 0), "the third waits no more");

    // the project is there now: the row for which it was wanted is not
    edit(&harness, Side::Left, "project", &[("guid", Value::text("p-2"))], &[("number", Value::from(2_i64))]);
    let report = run(&mut harness);
    assert_eq!((costs(&harness), gone(&report).len(), report.needs_a_person()), (2, 0, false), "{report:#?}");

    // it is in the list again: what did not go before goes, what did does not go twice
    rows(
        &harness,
        r#"[{"line":1,"text":"Grus","amount":100.00,"project":"1"},{"line":2,"text":"Sand","amount":50.00,"project":"1"},{"line":3,"text":"Frakt","amount":9.00,"project":"2"}]"#,
    );
    let report = run(&mut harness);
    assert_eq!((report.registers["costs"].created, costs(&harness)), (1, 3), "{report:#?}");
}

#[test]
fn items_go_with_the_record_that_holds_them() {
    let mut harness = story();
    run(&mut harness);
    let bill = harness.company.stands.right.borrow().system().resources["bill"].clone();
    harness.company.stands.right.borrow_mut().remove(&bill, "B-1");
    let report = sweep(&mut harness).unwrap();
    assert_eq!((gone(&report).len(), report.writes), (2, 0), "{report:#?}");
    edit(&harness, Side::Left, "project", &[("guid", Value::text("p-2"))], &[("number", Value::from(2_i64))]);
    let report = run(&mut harness);
    assert_eq!((costs(&harness), gone(&report).len(), report.waiting.len()), (2, 0, 0), "{report:#?}");
}

#[test]
fn what_went_as_a_whole_does_not_go_again_in_parts() {
    let mut harness = story();
    let at = |resource: &str, id: &str| RecordRef { resource: resource.into(), id: id.into() };
    let link = Link {
        register: "costs".into(),
        left: at("cost", "k-0"),
        right: at("bill", "B-1"),
        base: Value::Null,
        since: 0,
        how: "created".into(),
    };
    let put = link.clone();
    harness.store.call_blocking(move |store| store.put_link(&put)).unwrap();
    for _ in 0..2 {
        let report = run(&mut harness);
        assert_eq!((report.writes, costs(&harness)), (0, 0), "{report:#?}");
        assert_eq!(report.set_aside.len(), 3);
        let all = report
            .set_aside
            .iter()
            .all(|entry| entry.code == "ME0960" && entry.reason.contains("part of B-1"));
        assert!(all, "{report:#?}");
    }
    // somebody says that it did not
    harness.store.call_blocking(move |store| store.remove_link("costs", &link.left).map(|_| ())).unwrap();
    let report = run(&mut harness);
    assert_eq!((report.registers["costs"].created, costs(&harness)), (2, 2), "{report:#?}");
}

#[test]
fn a_record_that_page_borders_cut_keeps_all_of_its_items() {
    for largest in 1..=4 {
        let mut harness = story();
        edit(
            &harness,
            Side::Left,
            "project",
            &[("guid", Value::text("p-2"))],
            &[("number", Value::from(2_i64))],
        );
        harness.company.stands.right.borrow_mut().largest_page = largest;
        let report = run(&mut harness);
        assert_eq!((report.registers["costs"].created, costs(&harness)), (3, 3), "{largest}: {report:#?}");
        // a list of changes is cut as well
        edit(
            &harness,
            Side::Right,
            "bill",
            &[("number", Value::text("B-1"))],
            &[("date", Value::text("2026-10-01"))],
        );
        for report in [run(&mut harness), sweep(&mut harness).unwrap()] {
            assert_eq!((gone(&report).len(), report.writes), (0, 0), "{largest}: {report:#?}");
        }
    }
}

#[test]
fn a_record_whose_rest_was_not_read_is_not_taken() {
    let mut harness = story();
    edit(&harness, Side::Left, "project", &[("guid", Value::text("p-2"))], &[("number", Value::from(2_i64))]);
    {
        let mut stand = harness.company.stands.right.borrow_mut();
        stand.largest_page = 2;
        // the first page comes twice: the list breaks off there
        stand.faults.add("duplicate_page:list:bill:2").unwrap();
    }
    let report = run(&mut harness);
    assert_eq!((report.writes, costs(&harness)), (0, 0), "{report:#?}");
    assert!(report.notes.iter().any(|note| note.code == "unreadable"), "{report:#?}");
    let report = run(&mut harness);
    assert_eq!((report.registers["costs"].created, costs(&harness)), (3, 3), "{report:#?}");
}
