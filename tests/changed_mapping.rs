//! A mapping that changes while documents are on their way, or have arrived: nothing of them is done again.

mod common;

use common::{STATUSES, edit, edited_program, harness_of, kill_after, record, run, sweep};
use mapengine::case::Harness;
use mapengine::value::{Side, Value};

const SHOP: &str = r#"
    customer: [ { guid: c-1, number: 10001, name: Fjord AS, active: true } ]
    item: [ { guid: i-1, code: A-1, name: Bolt, active: true } ]
    invoice:
      - { guid: f-1, status.guid: s-2, credit: false, customer.guid: c-1, date: "2026-11-01", currency: NOK, total: "125.00",
          rows: [ { guid: r-1, position: 1, item.guid: i-1, text: En, quantity: "1", price: "100.00" } ] }
"#;
const LEDGER: &str = "    customer: [ { number: \"10001\", name: Fjord AS, status: Active } ]\n";

/// The mapping without its check, as it was when the documents travelled.
const UNCHECKED: &str = r#"      - verify:
          equal: { shop: total, ledger: total }
          same: { shop: currency, ledger: currency }
          tolerance: "0.05"
          sign: ignore
          else: { delete: true, set_status: failed }
"#;

fn before() -> Harness {
    let mut harness = harness_of("shop_documents", &format!("{STATUSES}{SHOP}"), LEDGER);
    harness.program = edited_program("shop_documents", &[("shop_documents.yaml", UNCHECKED, "")]);
    harness
}

fn status(harness: &Harness) -> String {
    let invoice = record(harness, Side::Left, "invoice", "guid", "f-1");
    let status = mapengine::value::Path::parse("status.guid").unwrap();
    status.get(&invoice).and_then(Value::scalar_text).unwrap_or_default()
}

/// A step is put in front of those that were done.
fn gains_a_check(harness: &mut Harness) {
    harness.program = edited_program("shop_documents", &[]);
}

#[test]
fn a_document_that_arrived_is_left_alone_when_the_mapping_gains_a_step() {
    let mut harness = before();
    run(&mut harness);
    assert_eq!(status(&harness), "s-3");
    edit(
        &harness,
        Side::Right,
        "invoice",
        &[("memo", Value::text("f-1"))],
        &[("balance", Value::text("0.00"))],
    );
    run(&mut harness);
    assert_eq!(status(&harness), "s-5");
    gains_a_check(&mut harness);
    for _ in 0..2 {
        let report = sweep(&mut harness).unwrap();
        assert_eq!((report.writes, status(&harness).as_str()), (0, "s-5"), "{report:#?}");
    }
}

#[test]
fn a_document_on_its_way_goes_on_wherever_it_was_cut() {
    for requests in 0..30 {
        let mut harness = before();
        kill_after(&mut harness, Side::Right, requests);
        gains_a_check(&mut harness);
        for _ in 0..3 {
            run(&mut harness);
        }
        let report = sweep(&mut harness).unwrap();
        assert_eq!(
            (report.writes, status(&harness).as_str()),
            (0, "s-3"),
            "cut after {requests}: {report:#?}"
        );
        let made = harness.company.stands.right.borrow().records("invoice").len();
        assert_eq!(made, 1, "cut after {requests}");
    }
}
