//! A document that is changed while it is on its way: its rows count as much as its header.

mod common;

use std::sync::Arc;

use common::{edit, harness_of, run, try_run};
use mapengine::case::Harness;
use mapengine::value::{Map, Path, Side, Value, parse_decimal};

/// An invoice that is made and whose number cannot be written back yet.
fn half_way() -> Harness {
    let mut harness = harness_of(
        "shop_dispatch",
        "    customer: [ { guid: c-1, number: 10001, name: Fjord AS, active: true } ]
    invoice_status: [ { guid: s-2, name: Ready, position: 3, active: true, locked: true, numbered: false, paid: false } ]
    invoice: [ { guid: f-1, status.guid: s-2, credit: false, customer.guid: c-1, date: \"2026-11-01\", currency: NOK, total: \"250.00\", rows: [ { guid: r-1, position: 1, text: En, quantity: \"1\", price: \"100.00\" }, { guid: r-2, position: 2, text: To, quantity: \"1\", price: \"100.00\" } ] } ]
",
        "    customer: [ { number: \"10001\", name: Fjord AS, status: Active } ]\n",
    );
    harness.company.stands.left.borrow_mut().faults.add("conflict:update:invoice:*").unwrap();
    let _ = try_run(&mut harness);
    harness.company.stands.left.borrow_mut().faults.clear();
    assert_eq!(harness.company.stands.right.borrow().records("invoice").len(), 1);
    harness
}

fn number(text: &str) -> Value {
    Value::Number(parse_decimal(text).unwrap())
}

fn row(harness: &Harness, guid: &str, set: &[(&str, Value)]) {
    edit(harness, Side::Left, "invoice_row", &[("guid", Value::text(guid))], set);
}

fn number_of(harness: &Harness) -> Value {
    let shop = harness.company.stands.left.borrow();
    Path::key("number").get(&shop.records("invoice")[0]).cloned().unwrap_or_default()
}

/// It is held, nothing is written; when the change is undone it goes on.
fn held_until(harness: &mut Harness, undo: impl FnOnce(&Harness)) {
    for _ in 0..2 {
        let report = run(harness);
        assert_eq!(report.writes, 0, "{report:#?}");
        let entry = report.set_aside.first().unwrap_or_else(|| panic!("{report:#?}"));
        assert_eq!(entry.code, "ME0954");
        assert!(
            entry.reason.contains("it was changed in shop after it had been made in ledger"),
            "{entry:?}"
        );
    }
    assert!(number_of(harness).is_empty());
    undo(harness);
    let report = run(harness);
    assert!(report.set_aside.is_empty(), "{report:#?}");
    assert_eq!(number_of(harness), number("10001"));
    assert_eq!(harness.company.stands.right.borrow().records("invoice").len(), 1);
}

#[test]
fn nothing_changed_and_it_goes_on() {
    let mut harness = half_way();
    let report = run(&mut harness);
    assert!(report.set_aside.is_empty(), "{report:#?}");
    assert_eq!(number_of(&harness), number("10001"));
}

#[test]
fn another_price_of_a_row_is_noticed() {
    let mut harness = half_way();
    row(&harness, "r-2", &[("price", number("99.00"))]);
    held_until(&mut harness, |harness| row(harness, "r-2", &[("price", number("100.00"))]));
}

#[test]
fn another_order_of_rows_is_noticed() {
    let mut harness = half_way();
    row(&harness, "r-2", &[("position", number("0"))]);
    held_until(&mut harness, |harness| row(harness, "r-2", &[("position", number("2"))]));
}

#[test]
fn a_row_more_is_noticed() {
    let mut harness = half_way();
    let resource = Arc::clone(&harness.company.stands.left.borrow().system().resources["invoice_row"]);
    let texts = [("guid", "r-3"), ("invoice.guid", "f-1"), ("text", "Tre")];
    let mut more: Map = texts.into_iter().map(|(name, text)| (name.to_owned(), Value::text(text))).collect();
    for (name, text) in [("position", "3"), ("quantity", "1"), ("price", "5.00")] {
        more.insert(name.into(), number(text));
    }
    harness.company.stands.left.borrow_mut().insert(&resource, &Value::Map(more)).unwrap();
    held_until(&mut harness, |harness| {
        harness.company.stands.left.borrow_mut().remove(&resource, "r-3");
    });
}

#[test]
fn a_row_less_is_noticed_and_a_new_status_is_no_change() {
    let mut harness = half_way();
    let resource = Arc::clone(&harness.company.stands.left.borrow().system().resources["invoice_row"]);
    let gone = harness.company.stands.left.borrow().record(&resource, "r-1").unwrap();
    harness.company.stands.left.borrow_mut().remove(&resource, "r-1");
    // what the document is not made from may change
    edit(&harness, Side::Left, "invoice", &[("guid", Value::text("f-1"))], &[("note", Value::text("later"))]);
    held_until(&mut harness, |harness| {
        harness.company.stands.left.borrow_mut().insert(&resource, &gone).unwrap();
    });
}
