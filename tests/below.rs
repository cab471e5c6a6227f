//! Lists below a record: each costs a request, and a change of a child does not touch its parent.

mod common;

use std::time::Duration;

use common::{edit, edited_program, remove, run, timed_harness_of};
use mapengine::case::{Harness, QuickClock};
use mapengine::value::{Side, Value};

/// As many customers with an address each.
fn customers(count: usize, schedule: &str, get: &str) -> (Harness, std::rc::Rc<QuickClock>) {
    let (mut records, mut addresses, mut ledger) = (String::new(), String::new(), String::new());
    for n in 1..=count {
        ledger += &format!("      - {{ number: \"{}\", name: Fjord {n} AS, status: Active }}\n", 10_000 + n);
        records += &format!(
            "      - {{ guid: c-{n}, number: {}, name: Fjord {n} AS, active: true, mainAddressGuid: a-{n} }}\n",
            10_000 + n
        );
        addresses += &format!(
            "      - {{ guid: a-{n}, customer.guid: c-{n}, street: Gata {n}, city: Oslo, main: true }}\n"
        );
    }
    let shop = format!("    customer:\n{records}    address:\n{addresses}");
    let (mut harness, clock) = timed_harness_of("shop_ledger", &shop, &format!("    customer:\n{ledger}"));
    let list = "list: { get: \"/customers/{customer.guid}/addresses\" }";
    harness.program = edited_program(
        "shop_ledger",
        &[
            ("systems/shop.yaml", list, &format!("{list}\n    cursor: none\n    {get}")),
            ("shop_ledger.yaml", "brakes:", &format!("{schedule}\nbrakes:")),
        ],
    );
    (harness, clock)
}

/// The streets that the mirror knows.
fn streets(harness: &Harness) -> Vec<String> {
    let all = harness
        .store
        .read_blocking(|store| store.records(Side::Left, "address", mapengine::store::Which::All, "", 100))
        .unwrap();
    all.iter().filter_map(|one| one.row.data.get("street")?.scalar_text()).collect()
}

fn street(harness: &Harness, n: usize, street: &str) {
    let of = [("guid", Value::text(format!("a-{n}")))];
    edit(harness, Side::Left, "address", &of, &[("street", Value::text(street))]);
}

fn street_in_ledger(harness: &Harness, n: usize) -> String {
    let customer = common::record(harness, Side::Right, "customer", "name", &format!("Fjord {n} AS"));
    customer.get("invoiceAddress").and_then(|one| one.get("street")?.scalar_text()).unwrap_or_default()
}

#[test]
fn a_child_that_changed_alone_is_carried_with_the_next_run() {
    let (mut harness, _) = customers(3, "", "");
    run(&mut harness);
    assert_eq!(street_in_ledger(&harness, 2), "Gata 2");
    street(&harness, 2, "Torget 1");
    run(&mut harness);
    assert_eq!(street_in_ledger(&harness, 2), "Torget 1");
}

/// The schedule says how often all of them are read; those of a record that changed are read with it.
#[test]
fn lists_below_records_are_read_as_often_as_the_schedule_says() {
    let (mut harness, clock) = customers(40, "schedule: { below: 1h }", "");
    run(&mut harness);
    run(&mut harness);
    let quiet = run(&mut harness).reads;
    let (mut each_run, _) = customers(40, "", "");
    run(&mut each_run);
    run(&mut each_run);
    assert_eq!(run(&mut each_run).reads, quiet + 40);

    street(&harness, 2, "Torget 2");
    street(&harness, 3, "Torget 3");
    let of = [("guid", Value::text("c-3"))];
    edit(&harness, Side::Left, "customer", &of, &[("vatNumber", Value::text("NO 1"))]);
    run(&mut harness);
    assert_eq!(
        (street_in_ledger(&harness, 2), street_in_ledger(&harness, 3)),
        ("Gata 2".into(), "Torget 3".into())
    );
    clock.advance(Duration::from_secs(3600));
    run(&mut harness);
    assert_eq!(street_in_ledger(&harness, 2), "Torget 2");
}

/// A child that was removed is noticed, whether or not it can be asked for by itself.
#[test]
fn a_removed_child_is_forgotten() {
    for get in ["", "get: { get: \"/addresses/{guid}\" }"] {
        let (mut harness, _) = customers(3, "", get);
        run(&mut harness);
        assert_eq!(streets(&harness), ["Gata 1", "Gata 2", "Gata 3"]);
        remove(&harness, Side::Left, "address", "guid", "a-2");
        run(&mut harness);
        assert_eq!(streets(&harness), ["Gata 1", "Gata 3"], "{get}");
        // the customer stays as it is: an address that is gone does not empty the other one
        assert_eq!(street_in_ledger(&harness, 2), "Gata 2");
    }
}

/// A child that stands below another record now is not gone.
#[test]
fn a_child_that_moved_to_another_record_is_kept() {
    for (from, to) in [(1, 3), (3, 1)] {
        let (mut harness, _) = customers(3, "", "");
        run(&mut harness);
        let of = [("guid", Value::text(format!("a-{from}")))];
        edit(&harness, Side::Left, "address", &of, &[("customer.guid", Value::text(format!("c-{to}")))]);
        run(&mut harness);
        assert_eq!(streets(&harness), ["Gata 1", "Gata 2", "Gata 3"], "{from} to {to}");
    }
}

#[test]
fn too_many_removed_children_are_not_believed() {
    let (mut harness, _) = customers(50, "", "");
    run(&mut harness);
    for n in 1..=40 {
        remove(&harness, Side::Left, "address", "guid", &format!("a-{n}"));
    }
    let report = run(&mut harness);
    assert!(report.notes.iter().any(|note| note.code == "many_missing"), "{:#?}", report.notes);
    assert_eq!(streets(&harness).len(), 50);
}

/// A record that was removed between two complete reads does not stop the run that reads what stands below it.
#[test]
fn a_removed_parent_does_not_stop_a_run() {
    let (mut harness, _) = customers(3, "", "");
    run(&mut harness);
    remove(&harness, Side::Left, "customer", "guid", "c-2");
    street(&harness, 3, "Torget 3");
    run(&mut harness);
    assert_eq!(street_in_ledger(&harness, 3), "Torget 3");
}

/// A child is made only where the whole list of its parent shows that it is not there.
#[test]
fn what_may_stand_below_a_record_is_not_made_again() {
    let shop = "    customer: [ { guid: c-1, number: 1, name: Fjord AS, active: true } ]\n";
    let ledger = "    customer: [ { number: \"1\", name: Fjord AS, status: Active, invoiceAddress: { street: Gata 9, city: Oslo } } ]\n";
    let (mut harness, _) = timed_harness_of("shop_ledger", shop, ledger);
    harness.company.stands.left.borrow_mut().faults.add("endless_pages:list:address").unwrap();
    let addresses = |harness: &Harness| harness.company.stands.left.borrow().records("address").len();
    let first = run(&mut harness);
    assert_eq!((first.waiting.len(), addresses(&harness)), (1, 0), "{first:#?}");
    harness.company.stands.left.borrow_mut().faults.clear();
    assert!(run(&mut harness).waiting.is_empty());
    assert_eq!(addresses(&harness), 1);
}
