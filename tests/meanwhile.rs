//! What somebody changes while we write: it is neither overwritten nor lost.

mod common;

use std::rc::Rc;

use common::{Then, edit, edit_at, edited_harness, pause_after, run};
use mapengine::case::Harness;
use mapengine::value::{Side, Value};

const SHOP: &str =
    "    customer:\n      - { guid: c-1, number: 7, name: Fjord AS, vatNumber: NO-1, active: true }\n";
const LEDGER: &str =
    "    customer:\n      - { id: 70, number: '7', name: Fjord AS, vatNumber: NO-1, status: Active }\n";
/// More requests than a run sends to one side.
const MOMENTS: usize = 14;

fn linked(edits: &[(&str, &str, &str)]) -> Harness {
    let mut harness = edited_harness(edits, SHOP, LEDGER);
    run(&mut harness);
    assert_eq!(run(&mut harness).writes, 0);
    harness
}

fn text(side: Side, harness: &Harness, name: &str) -> String {
    let records = harness.company.stands[side].borrow().records("customer");
    let [customer] = &records[..] else { panic!("{records:?}") };
    customer.get(name).and_then(Value::scalar_text).unwrap_or_default()
}

/// Our new name is on its way when somebody changes the VAT number on the other side, at every moment of the run. How many of
/// them lose one of the two, and how many made us wait.
fn raced(edits: &[(&str, &str, &str)]) -> (usize, usize) {
    let (mut lost, mut waited) = (0, 0);
    for requests in 0..MOMENTS {
        let mut harness = linked(edits);
        let name = [("name", Value::text("Fjord & Co"))];
        edit(&harness, Side::Left, "customer", &[("number", Value::from(7i64))], &name);
        let stand = Rc::clone(&harness.company.stands.right);
        let mut vat = "NO-1";
        pause_after(&mut harness, Side::Right, requests, || {
            edit_at(
                &stand,
                "customer",
                &[("number", Value::text("7"))],
                &[("vatNumber", Value::text("NO-2"))],
            );
            vat = "NO-2";
            Then::GoOn
        });
        waited += usize::from(text(Side::Right, &harness, "name") == "Fjord AS");
        for _ in 0..4 {
            run(&mut harness);
        }
        assert_eq!(run(&mut harness).writes, 0, "after {requests}");
        let met =
            |side| text(side, &harness, "name") == "Fjord & Co" && text(side, &harness, "vatNumber") == vat;
        lost += usize::from(!Side::BOTH.into_iter().all(met));
    }
    (lost, waited)
}

#[test]
fn another_field_that_is_edited_between_our_write_and_its_reading_back_still_travels() {
    assert_eq!(raced(&[]), (0, 0));
}
