//! What somebody changes while we write: it is neither overwritten nor lost.

mod common;

use std::rc::Rc;

use common::{Then, edit, edit_at, edited_harness, pause_after, pause_sweep_after, remove, run, sweep};
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

/// Whole records are written, so that an old one would take back what it does not know.
const WHOLE: (&str, &str, &str) = (
    LEDGER_FILE,
    "update: { put: \"{path}/internal/{id}\" }",
    "update: { put: \"{path}/internal/{id}\", send: all }",
);
const GUARDED: (&str, &str, &str) = (
    LEDGER_FILE,
    "update: { put: \"{path}/internal/{id}\" }",
    "update: { put: \"{path}/internal/{id}\", send: all, if_match: revision }",
);
const REVISION: (&str, &str, &str) =
    (LEDGER_FILE, "fields: { changed:", "fields: { revision: { type: integer, read_only: true }, changed:");
const LEDGER_FILE: &str = "systems/ledger.yaml";

#[test]
fn with_a_version_a_write_meets_only_what_was_read() {
    let (lost, waited) = raced(&[REVISION, GUARDED]);
    assert_eq!(lost, 0);
    assert!(waited > 0, "no write met a newer record");
}

#[test]
fn without_a_version_a_whole_record_overwrites() {
    let (lost, _) = raced(&[REVISION, WHOLE]);
    assert!(lost > 0);
}

/// The version goes along in quotes, and our own writes do not stand in our way.
#[test]
fn writes_carry_the_version_that_was_read_last() {
    let mut harness = linked(&[REVISION, GUARDED]);
    for name in ["One", "Two", "Three"] {
        edit(
            &harness,
            Side::Left,
            "customer",
            &[("number", Value::from(7i64))],
            &[("name", Value::text(name))],
        );
        let report = run(&mut harness);
        assert_eq!((report.writes, &report.waiting[..]), (1, &[][..]), "{report:#?}");
        assert_eq!(text(Side::Right, &harness, "name"), name);
    }
    let stand = harness.company.stands.right.borrow();
    let headers = stand.log().iter().flat_map(|write| &write.headers);
    let sent: Vec<&str> = headers
        .filter(|(name, _)| name.eq_ignore_ascii_case("if-match"))
        .map(|(_, version)| version.as_str())
        .collect();
    assert_eq!(sent, ["\"1\"", "\"2\"", "\"3\""]);
}

/// A record that somebody has just taken up again is not removed in the same breath.
#[test]
fn what_is_edited_meanwhile_is_not_removed() {
    const ITEMS: &str = r#"
    item:
      - { code: A-1, name: Bolt, active: true, price.amount: "1.00", kind: Goods }
      - { code: A-2, name: Nut,  active: true, price.amount: "2.00", kind: Goods }
"#;
    let edits = [
        REVISION,
        (
            "shop_ledger.yaml",
            "    ledger: { resource: item }\n    match: [ code ]\n",
            "    ledger: { resource: item, scope: \"unit != 'kept'\" }\n    match: [ code ]\n    situations: { source_missing: delete }\n",
        ),
        ("shop_ledger.yaml", "update: 5000 }", "update: 5000, delete: 5 }"),
        (
            LEDGER_FILE,
            "  item:\n    path: /items\n",
            "  item:\n    path: /items\n    delete: { delete: \"{path}/internal/{id}\", if_match: revision }\n",
        ),
    ];
    let mut kept = 0;
    for requests in 0..MOMENTS {
        let mut harness = edited_harness(&edits, ITEMS, "");
        run(&mut harness);
        run(&mut harness);
        remove(&harness, Side::Left, "item", "code", "A-1");
        let stand = Rc::clone(&harness.company.stands.right);
        let mut edited = false;
        pause_sweep_after(&mut harness, Side::Right, requests, || {
            // it may be gone by now
            edited = stand.borrow().records("item").len() == 2;
            if edited {
                edit_at(&stand, "item", &[("number", Value::text("A-1"))], &[("unit", Value::text("kept"))]);
            }
            Then::GoOn
        });
        for _ in 0..3 {
            sweep(&mut harness).unwrap();
        }
        let left = stand.borrow().records("item").len() - 1;
        assert_eq!(left == 1, edited, "after {requests}");
        kept += left;
    }
    assert!(kept > 0 && kept < MOMENTS);
}
