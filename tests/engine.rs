//! The engine over the invented systems of `tests/systems`, against stand-ins in this process.

mod common;

use common::{counts, edit, harness, record, run};
use mapengine::case::Harness;
use mapengine::value::{Side, Value};

const SHOP: &str = r#"
    customer:
      - { number: 1, name: Fjord AS, active: true, country: "NO", mainAddress: { street: Kaien 1, postalCode: "0150", city: Oslo } }
      - { number: 7, name: Järvi Oy, active: true, vatNumber: FI12345678 }
    item:
      - { code: A-1, name: Bolt, active: true, price.amount: "12.50", kind: Goods }
"#;

const LEDGER: &str = r#"
    customer:
      - { number: "10001", name: FJORD as, status: Active, vatNumber: "NO999" }
      - { number: "10002", name: Sjø AS, status: Active, invoiceAddress: { street: Brygga 2, postCode: "5003", city: Bergen } }
      - { number: "10003", name: Gammel AS, status: Inactive }
"#;

#[test]
fn the_first_run_links_creates_and_fills() {
    let mut harness = harness(SHOP, LEDGER);
    let report = run(&mut harness);
    assert_eq!(report.set_aside, vec![], "{report:#?}");
    let customers = counts(&report, "customers");
    assert_eq!((customers.linked, customers.created, customers.set_aside), (1, 2, 0), "{report:#?}");
    assert_eq!(counts(&report, "items").created, 1);
    // the ledger is master of the number (first meeting), the shop's empty VAT number is filled
    let fjord = record(&harness, Side::Left, "customer", "name", "Fjord AS");
    assert_eq!(fjord.get("number"), Some(&Value::from(10001_i64)));
    assert_eq!(fjord.get("vatNumber"), Some(&Value::text("NO999")));
    // the ledger gave the new customer its number, and the shop has it
    let jarvi = record(&harness, Side::Right, "customer", "name", "Järvi Oy");
    assert_eq!(jarvi.get("number"), Some(&Value::text("10004")));
    // the address went along as a record of its own
    let sjo = record(&harness, Side::Left, "customer", "name", "Sjø AS");
    assert_eq!(sjo.get("mainAddress").and_then(|address| address.get("city")), Some(&Value::text("Bergen")));
    let fjord = record(&harness, Side::Right, "customer", "name", "FJORD as");
    assert_eq!(
        fjord.get("invoiceAddress").and_then(|address| address.get("postCode")),
        Some(&Value::text("0150"))
    );
    // an inactive customer of the ledger is not brought in
    assert!(
        harness
            .company
            .stands
            .left
            .borrow()
            .records("customer")
            .iter()
            .all(|one| one.get("name") != Some(&Value::text("Gammel AS")))
    );
    let bolt = record(&harness, Side::Right, "item", "number", "A-1");
    assert_eq!(bolt.get("price").map(Value::to_json).as_deref(), Some("12.50"));
    assert_eq!(bolt.get("unit"), Some(&Value::text("pcs")));
}

#[test]
fn the_second_run_writes_nothing() {
    let mut harness = harness(SHOP, LEDGER);
    run(&mut harness);
    run(&mut harness);
    for side in Side::BOTH {
        harness.company.stands[side].borrow_mut().clear_log();
    }
    let report = run(&mut harness);
    assert_eq!(report.writes, 0, "{report:#?}");
    for side in Side::BOTH {
        let stand = harness.company.stands[side].borrow();
        let writes: Vec<_> = stand.log().iter().filter(|write| !write.path.contains("token")).collect();
        assert_eq!(writes, Vec::<&mapengine::sandbox::LoggedWrite>::new());
    }
}

#[test]
fn edits_on_either_side_are_carried() {
    let mut harness = harness(SHOP, LEDGER);
    run(&mut harness);
    run(&mut harness);
    edit(
        &harness,
        Side::Left,
        "customer",
        &[("name", Value::text("Fjord AS"))],
        &[("name", Value::text("Fjord Holding AS"))],
    );
    edit(
        &harness,
        Side::Right,
        "customer",
        &[("name", Value::text("Sjø AS"))],
        &[("invoiceAddress.city", Value::text("Laksevåg"))],
    );
    let report = run(&mut harness);
    assert_eq!(counts(&report, "customers").updated, 2, "{report:#?}");
    record(&harness, Side::Right, "customer", "name", "Fjord Holding AS");
    let sjo = record(&harness, Side::Left, "customer", "name", "Sjø AS");
    assert_eq!(
        sjo.get("mainAddress").and_then(|address| address.get("city")),
        Some(&Value::text("Laksevåg"))
    );
    assert_eq!(run(&mut harness).writes, 0);
}

#[test]
fn a_child_edit_reaches_the_other_side_of_a_record_that_this_engine_made() {
    // the ledger's addresses name their customer by its number, the mirror holds it by its id: the index has to
    // know a record from the moment it was made
    let mut harness = harness(
        "    customer:\n      - { number: 1, name: Fjord AS, active: true, mainAddress: { street: Kaien 1, city: Oslo } }\n",
        "",
    );
    run(&mut harness);
    edit(
        &harness,
        Side::Right,
        "customer",
        &[("name", Value::text("Fjord AS"))],
        &[("invoiceAddress.city", Value::text("Bergen"))],
    );
    run(&mut harness);
    let fjord = record(&harness, Side::Left, "customer", "name", "Fjord AS");
    assert_eq!(fjord.get("mainAddress").and_then(|one| one.get("city")), Some(&Value::text("Bergen")));
}

#[test]
fn a_clash_with_a_record_that_was_made_a_moment_ago_is_seen() {
    let mut harness = harness("    customer:\n      - { number: 1, name: Fjord AS, active: true }\n", "");
    run(&mut harness);
    // a second one of the same name appears in the ledger itself
    let mut other = mapengine::value::Map::new();
    other.insert("name".into(), Value::text("fjord as"));
    other.insert("status".into(), Value::text("Active"));
    {
        let mut stand = harness.company.stands[Side::Right].borrow_mut();
        let resource = stand.system().resources["customer"].clone();
        stand.insert(&resource, &Value::Map(other)).unwrap();
    }
    let report = run(&mut harness);
    assert!(
        report.set_aside.iter().any(|one| one.reason.contains("is also that of customer")),
        "{report:#?}"
    );
}

/// A run may be cut between making a child and naming it in its parent: the next one names it.
#[test]
fn a_child_is_named_by_its_parent_wherever_the_run_was_cut() {
    let addressed = |harness: &Harness| {
        let stand = harness.company.stands.left.borrow();
        let made = stand.records("address").len();
        let named = |one: &Value| one.get("mainAddressGuid").is_some_and(|guid| !guid.is_empty());
        (made, stand.records("customer").iter().filter(|one| named(one)).count())
    };
    let mut cut = false;
    for requests in 1..40 {
        let (mut harness, clock) = common::timed_harness_of("shop_ledger", "", LEDGER);
        common::kill_after(&mut harness, Side::Left, requests);
        let (made, named) = addressed(&harness);
        cut |= made > named;
        clock.advance(std::time::Duration::from_secs(600));
        for _ in 0..2 {
            let report = run(&mut harness);
            assert_eq!(report.set_aside, vec![], "{requests}: {report:#?}");
        }
        assert_eq!(addressed(&harness), (1, 1), "cut after {requests} requests");
        assert_eq!(run(&mut harness).writes, 0);
    }
    assert!(cut, "no run was cut between the two");
}

/// What a server refused rests a while; where people make both sides equal meanwhile, nothing is left of it.
#[test]
fn a_refusal_is_forgotten_when_both_sides_are_equal() {
    let mut harness = harness(SHOP, LEDGER);
    run(&mut harness);
    let set = |harness: &Harness, side, vat: &str| {
        let of = match side {
            Side::Left => ("name", Value::text("Fjord AS")),
            Side::Right => ("number", Value::text("10001")),
        };
        edit(harness, side, "customer", &[of], &[("vatNumber", Value::text(vat))]);
    };
    set(&harness, Side::Left, "77");
    harness.company.stands.right.borrow_mut().faults.add("invalid:update:customer:1").unwrap();
    let report = run(&mut harness);
    let before = report.registers["customers"];
    assert_eq!((report.set_aside.len(), before.set_aside), (1, 1), "{report:#?}");
    assert_eq!(before.unchanged + before.set_aside, before.pairs, "a pair is counted once: {report:#?}");

    set(&harness, Side::Right, "77");
    let report = run(&mut harness);
    assert!(report.set_aside.is_empty(), "{report:#?}");
    assert_eq!(report.registers["customers"].unchanged, before.pairs);
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    assert_eq!(runtime.block_on(harness.store.read(|store| store.set_aside(None))).unwrap(), []);
}
