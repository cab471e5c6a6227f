//! What a mapping may answer otherwise: the later change of two, and the removal of what lost its source.

mod common;

use common::{counts, edit, edited_harness, kill_after, record, remove, run, sweep, try_run};
use mapengine::case::Harness;
use mapengine::run::{Report, RunError};
use mapengine::value::{Side, Value};

const LATER: &[(&str, &str, &str)] = &[
    (
        "shop_ledger.yaml",
        "{ shop: vatNumber, ledger: vatNumber, clear: true }",
        "{ shop: vatNumber, ledger: vatNumber, conflict: later }",
    ),
    ("systems/ledger.yaml", "zone: none, send_time: \"%Y-%m-%dT%H:%M:%S\"", "zone: utc"),
];

const FJORD: [&str; 2] = [
    "    customer: [ { number: 1, name: Fjord AS, active: true, vatNumber: A } ]\n",
    "    customer: [ { number: \"1\", name: Fjord AS, status: Active, vatNumber: A } ]\n",
];

fn changed(harness: &Harness, side: Side) -> i64 {
    let time = record(harness, side, "customer", "name", "Fjord AS").get("changed").cloned().unwrap();
    let text = time.scalar_text().unwrap();
    let text = if text.ends_with('Z') { text } else { format!("{text}Z") };
    text.parse::<jiff::Timestamp>().unwrap().as_millisecond()
}

/// Both sides change the number, `left` and `right` times; every change is a second of that side's clock.
fn both_change(harness: &Harness, later: Option<Side>) {
    let set = |side: Side, value: &str| {
        edit(
            harness,
            side,
            "customer",
            &[("name", Value::text("Fjord AS"))],
            &[("vatNumber", Value::text(value))],
        );
    };
    set(Side::Left, "shop");
    set(Side::Right, "ledger");
    for _ in 0..100 {
        let (left, right) = (changed(harness, Side::Left), changed(harness, Side::Right));
        let is = match left.cmp(&right) {
            std::cmp::Ordering::Greater => Some(Side::Left),
            std::cmp::Ordering::Less => Some(Side::Right),
            std::cmp::Ordering::Equal => None,
        };
        if is == later {
            return;
        }
        let (side, value) = match (later, left < right) {
            (Some(Side::Left), _) | (None, true) => (Side::Left, "shop"),
            _ => (Side::Right, "ledger"),
        };
        set(side, value);
    }
    panic!("the clocks of the two never came to it");
}

#[test]
fn of_two_changes_the_later_counts() {
    for (later, value) in [(Side::Left, "shop"), (Side::Right, "ledger")] {
        let mut harness = edited_harness(LATER, FJORD[0], FJORD[1]);
        run(&mut harness);
        both_change(&harness, Some(later));
        let report = run(&mut harness);
        assert_eq!(report.set_aside, vec![], "{later}");
        assert_eq!(counts(&report, "customers").updated, 1);
        for side in Side::BOTH {
            let fjord = record(&harness, side, "customer", "name", "Fjord AS");
            assert_eq!(fjord.get("vatNumber"), Some(&Value::text(value)), "{side}");
        }
        assert_eq!(run(&mut harness).writes, 0);
    }
}

#[test]
fn two_changes_of_one_moment_are_set_aside() {
    let mut harness = edited_harness(LATER, FJORD[0], FJORD[1]);
    run(&mut harness);
    both_change(&harness, None);
    let report = run(&mut harness);
    assert_eq!(report.writes, 0, "{report:#?}");
    assert_eq!(report.set_aside[0].code, "ME0921");
    assert!(
        report.set_aside[0]
            .reason
            .contains("\"shop\" in shop, \"ledger\" in ledger, and which was later cannot be told"),
        "{report:#?}"
    );
    // one of them is changed once more: now it is the later one
    edit(
        &harness,
        Side::Right,
        "customer",
        &[("name", Value::text("Fjord AS"))],
        &[("vatNumber", Value::text("ledger again"))],
    );
    let report = run(&mut harness);
    assert_eq!(report.set_aside, vec![], "{report:#?}");
    let fjord = record(&harness, Side::Left, "customer", "name", "Fjord AS");
    assert_eq!(fjord.get("vatNumber"), Some(&Value::text("ledger again")));
}

const ITEMS: &str = r#"
    item:
      - { code: A-1, name: Bolt, active: true, price.amount: "1.00", kind: Goods }
      - { code: A-2, name: Nut,  active: true, price.amount: "2.00", kind: Goods }
      - { code: A-3, name: Cog,  active: true, price.amount: "3.00", kind: Goods }
"#;

/// Items that lost their source are removed, as many as the brake says.
fn removing(brake: &str, scope: &str) -> Harness {
    let edits = [
        (
            "shop_ledger.yaml",
            "    ledger: { resource: item }\n    match: [ code ]\n",
            &*format!(
                "    ledger: {{ resource: item{scope} }}\n    match: [ code ]\n    situations: {{ source_missing: delete }}\n"
            ),
        ),
        ("shop_ledger.yaml", "update: 5000 }", &*format!("update: 5000{brake} }}")),
        (
            "systems/ledger.yaml",
            "  item:\n    path: /items\n",
            "  item:\n    path: /items\n    delete: \"{path}/internal/{id}\"\n",
        ),
    ];
    let mut harness = edited_harness(&edits, ITEMS, "");
    assert_eq!(counts(&run(&mut harness), "items").created, 3);
    assert_eq!(run(&mut harness).writes, 0);
    harness
}

fn swept(harness: &mut Harness) -> Report {
    sweep(harness).unwrap_or_else(|(error, report)| panic!("{error}\n{report:#?}"))
}

fn items(harness: &Harness) -> usize {
    harness.company.stands.right.borrow().records("item").len()
}

fn links(harness: &Harness) -> u64 {
    harness.store.read_blocking(|store| store.count_links("items")).unwrap()
}

#[test]
fn what_lost_its_source_is_removed_after_a_complete_read_and_no_sooner() {
    let mut harness = removing(", delete: 5", "");
    remove(&harness, Side::Left, "item", "code", "A-2");
    // a list of what changed does not tell
    assert_eq!(counts(&run(&mut harness), "items").deleted, 0);
    let report = swept(&mut harness);
    assert_eq!((counts(&report, "items").deleted, counts(&report, "items").pairs), (1, 2), "{report:#?}");
    assert_eq!((items(&harness), links(&harness)), (2, 2));
    record(&harness, Side::Right, "item", "number", "A-1");
    for report in [run(&mut harness), swept(&mut harness)] {
        assert_eq!((report.writes, counts(&report, "items").pairs), (0, 2), "{report:#?}");
    }
}

#[test]
fn a_brake_at_zero_refuses_every_removal() {
    let mut harness = removing("", "");
    remove(&harness, Side::Left, "item", "code", "A-2");
    for _ in 0..2 {
        let (error, _) = sweep(&mut harness).unwrap_err();
        assert!(
            matches!(&error, RunError::Refused { reasons, .. } if reasons[0].starts_with("this run would remove 1 records (items 1), the brake `delete: 0` allows 0")),
            "{error}"
        );
        // a run between two complete reads knows nothing new, and forgets nothing
        let report = run(&mut harness);
        assert_eq!((report.writes, items(&harness), links(&harness)), (0, 3, 3), "{report:#?}");
    }
}

#[test]
fn a_list_that_is_cut_and_a_get_that_fails_remove_nothing() {
    for fault in [
        "empty:list:item:*",
        "cut_body:list:item:*",
        "unavailable:get:item:*",
        "error_before:get:item:*",
        "html:get:item:*",
    ] {
        let mut harness = removing(", delete: 5", "");
        remove(&harness, Side::Left, "item", "code", "A-2");
        harness.company.stands.left.borrow_mut().faults.add(fault).unwrap();
        // the run may fail; what it must not do is remove anything
        let _ = sweep(&mut harness);
        assert_eq!((items(&harness), links(&harness)), (3, 3), "{fault}");
        let _ = try_run(&mut harness);
        assert_eq!((items(&harness), links(&harness)), (3, 3), "{fault}");
        harness.company.stands.left.borrow_mut().faults.clear();
        assert_eq!(counts(&swept(&mut harness), "items").deleted, 1, "{fault}");
        assert_eq!((items(&harness), links(&harness)), (2, 2), "{fault}");
    }
}

#[test]
fn a_whole_list_says_what_is_gone_where_nothing_else_can_be_asked() {
    let by_list = |absent: &str| {
        let list = format!("    get: none\n    list: {{ get: \"{{path}}\"{absent} }}\n    cursor: none\n");
        let edits = [
            ("systems/shop.yaml", "    path: /items\n", &*format!("    path: /items\n{list}")),
            (
                "shop_ledger.yaml",
                "    ledger: { resource: item }\n    match: [ code ]\n",
                "    ledger: { resource: item }\n    match: [ code ]\n    situations: { source_missing: set_aside }\n",
            ),
        ];
        let mut harness = edited_harness(&edits, ITEMS, "");
        assert_eq!(counts(&run(&mut harness), "items").created, 3);
        harness
    };
    let mut harness = by_list(", absent: gone");
    // a list that does not come, comes in pieces or comes empty says nothing
    for fault in ["empty:list:item:*", "cut_body:list:item:*", "html:list:item:*"] {
        harness.company.stands.left.borrow_mut().faults.add(fault).unwrap();
        if let Ok(report) = try_run(&mut harness) {
            assert_eq!(report.set_aside, vec![], "{fault}");
        }
        harness.company.stands.left.borrow_mut().faults.clear();
    }
    remove(&harness, Side::Left, "item", "code", "A-2");
    for _ in 0..2 {
        let report = run(&mut harness);
        assert_eq!(report.set_aside.len(), 1, "{report:#?}");
        assert_eq!((&*report.set_aside[0].code, report.writes), ("ME0909", 0));
    }
    for code in ["A-1", "A-3"] {
        remove(&harness, Side::Left, "item", "code", code);
    }
    let report = run(&mut harness);
    assert!(report.notes.iter().any(|note| note.code == "empty_source"), "{report:#?}");
    assert_eq!(report.set_aside.len(), 1, "{report:#?}");
    // of a list that may leave something out nothing follows
    let mut harness = by_list("");
    remove(&harness, Side::Left, "item", "code", "A-2");
    assert_eq!(run(&mut harness).set_aside, vec![]);
}

#[test]
fn an_unknown_outcome_of_a_removal_is_looked_up_and_the_link_goes_with_it() {
    for fault in ["timeout_after_commit", "close_after", "timeout_before", "error_after"] {
        let mut harness = removing(", delete: 5", "");
        remove(&harness, Side::Left, "item", "code", "A-2");
        harness.company.stands.right.borrow_mut().faults.add(&format!("{fault}:delete:item:1")).unwrap();
        let _ = sweep(&mut harness);
        for _ in 0..3 {
            let _ = sweep(&mut harness);
        }
        let report = swept(&mut harness);
        assert_eq!(report.writes, 0, "{fault}: {report:#?}");
        assert_eq!((items(&harness), links(&harness)), (2, 2), "{fault}: {report:#?}");
    }
}

#[test]
fn what_left_the_scope_is_not_removed_with_its_source() {
    let mut harness = removing(", delete: 5", ", scope: \"status == 'Active'\"");
    remove(&harness, Side::Left, "item", "code", "A-2");
    edit(
        &harness,
        Side::Right,
        "item",
        &[("number", Value::text("A-2"))],
        &[("status", Value::text("Inactive"))],
    );
    let report = swept(&mut harness);
    assert_eq!((counts(&report, "items").deleted, items(&harness)), (0, 3), "{report:#?}");
}

#[test]
fn a_gone_record_stays_set_aside_between_complete_reads() {
    let mut harness = edited_harness(&[], FJORD[0], FJORD[1]);
    run(&mut harness);
    run(&mut harness);
    remove(&harness, Side::Left, "customer", "name", "Fjord AS");
    // another customer, or the system would give none at all
    {
        let mut stand = harness.company.stands.left.borrow_mut();
        let resource = stand.system().resources["customer"].clone();
        let other =
            [("number", Value::from(9_i64)), ("name", Value::text("Sjø AS")), ("active", Value::Bool(true))];
        let other = other.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        stand.insert(&resource, &Value::Map(other)).unwrap();
    }
    let gone = |report: &Report| {
        report
            .set_aside
            .iter()
            .filter(|one| one.code == "ME0909")
            .map(|one| one.reason.clone())
            .collect::<Vec<_>>()
    };
    let first = gone(&swept(&mut harness));
    assert_eq!(first.len(), 1);
    assert_eq!(gone(&run(&mut harness)), first);
    assert_eq!(gone(&run(&mut harness)), first);
    assert_eq!(gone(&swept(&mut harness)), first);
}

const TWO: &str = r#"
    customer: [ { number: "1", name: Fjord AS, status: Active } ]
    address:
      - { number: 21, customer: "1", kind: Invoice, street: Kaien 1, city: Oslo }
      - { number: 22, customer: "1", kind: Invoice, street: Brygga 2, city: Bergen }
      - { number: 23, customer: "1", kind: Delivery, street: Torget 3, city: Moss }
"#;

const NO_ADDRESS: &str = "    customer: [ { number: 1, name: Fjord AS, active: true } ]\n";

fn street(harness: &Harness) -> Option<Value> {
    let fjord = record(harness, Side::Left, "customer", "name", "Fjord AS");
    fjord.get("mainAddress").and_then(|address| address.get("street")).cloned()
}

#[test]
fn of_two_children_that_fit_none_is_taken() {
    let mut harness = edited_harness(&[], NO_ADDRESS, TWO);
    let report = run(&mut harness);
    assert_eq!(report.set_aside.len(), 1, "{report:#?}");
    assert_eq!(report.set_aside[0].code, "ME0915");
    assert_eq!(
        report.set_aside[0].reason,
        "invoiceAddress can be each of 2 records (address) of ledger: 21, 22. Nothing says which: remove what is too many, or change what marks it"
    );
    assert_eq!(street(&harness), None);
    // one that must be made is not made with either
    let mut alone = edited_harness(&[], "", TWO);
    let report = run(&mut alone);
    assert_eq!((report.writes, &*report.set_aside[0].code), (0, "ME0915"), "{report:#?}");
    remove(&harness, Side::Right, "address", "street", "Kaien 1");
    let report = swept(&mut harness);
    assert_eq!(report.set_aside, vec![], "{report:#?}");
    assert_eq!(street(&harness), Some(Value::text("Brygga 2")));
}

#[test]
fn of_two_children_the_one_that_is_linked_goes_on() {
    // the new one comes first in every order of ids
    let one = TWO
        .replace("      - { number: 21, customer: \"1\", kind: Invoice, street: Kaien 1, city: Oslo }\n", "");
    let mut harness = edited_harness(&[], NO_ADDRESS, &one);
    run(&mut harness);
    assert_eq!(street(&harness), Some(Value::text("Brygga 2")));
    {
        let mut stand = harness.company.stands.right.borrow_mut();
        let resource = stand.system().resources["address"].clone();
        let new = [
            ("number", Value::from(1_i64)),
            ("customer", Value::text("1")),
            ("kind", Value::text("Invoice")),
            ("street", Value::text("Nygata 9")),
        ];
        let new = new.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        stand.insert(&resource, &Value::Map(new)).unwrap();
    }
    let report = swept(&mut harness);
    assert_eq!((report.writes, &report.set_aside), (0, &vec![]), "{report:#?}");
    let set = |harness: &Harness, side, resource, of: (&str, &str), field, value: &str| {
        edit(harness, side, resource, &[(of.0, Value::text(of.1))], &[(field, Value::text(value))]);
    };
    set(&harness, Side::Right, "address", ("street", "Brygga 2"), "street", "Brygga 4");
    swept(&mut harness);
    assert_eq!(street(&harness), Some(Value::text("Brygga 4")));
    // the other way it goes to the linked one, too
    set(&harness, Side::Left, "customer", ("name", "Fjord AS"), "mainAddress.street", "Brygga 6");
    swept(&mut harness);
    record(&harness, Side::Right, "address", "street", "Brygga 6");
    record(&harness, Side::Right, "address", "street", "Nygata 9");
    // without it two others would have to be told apart
    set(&harness, Side::Right, "address", ("street", "Torget 3"), "city", "Moss");
    remove(&harness, Side::Right, "address", "street", "Brygga 6");
    let report = swept(&mut harness);
    assert_eq!(report.set_aside, vec![], "{report:#?}");
    assert_eq!(street(&harness), Some(Value::text("Nygata 9")));
}

/// What a row asks for, it asks only of the records that it counts for.
#[test]
fn a_value_is_required_only_where_its_row_counts() {
    let edits = [(
        "shop_ledger.yaml",
        "{ shop: vatNumber, ledger: vatNumber, clear: true }",
        "{ shop: vatNumber, ledger: vatNumber, required: true, when: \"shop.email is not none\" }",
    )];
    let shop = "    customer:\n      - { guid: c-1, name: Fjord AS, active: true }\n      - { guid: c-2, name: Havn AS, active: true, email: post@havn.example }\n";
    let mut harness = edited_harness(&edits, shop, "");
    let report = run(&mut harness);
    assert_eq!((counts(&report, "customers").created, report.set_aside.len()), (1, 1), "{report:#?}");
    assert_eq!(report.set_aside[0].code, "ME0907");
    assert!(report.set_aside[0].reason.contains("vatNumber is missing"), "{report:#?}");
    record(&harness, Side::Right, "customer", "name", "Fjord AS");
}

/// Nobody is the master of a number that both keep: who makes a record gives it, and where that is the side which had none sent,
/// it goes back to where the record comes from.
#[test]
fn a_number_that_was_given_goes_back_where_nobody_is_its_master() {
    let edits = [
        (
            "systems/shop.yaml",
            "number:         { type: integer, unique: true, assigned: if_missing }",
            "number: { type: integer }",
        ),
        (
            "shop_ledger.yaml",
            "key: true, master: ledger, convert: integer",
            "key: true, master: none, convert: integer",
        ),
    ];
    let fjord = |harness: &Harness| {
        let [shop, ledger] = Side::BOTH.map(|side| {
            let name = Value::text("Fjord AS");
            let mut all = harness.company.stands[side].borrow().records("customer");
            all.retain(|one| one.get("name") == Some(&name));
            let numbers = all.iter().map(|one| one.get("number").and_then(Value::scalar_text));
            numbers.collect::<Vec<_>>()
        });
        assert_eq!((shop.len(), ledger.len()), (1, 1));
        assert!(ledger[0].is_some());
        assert_eq!(shop, ledger);
    };
    let fresh = || {
        edited_harness(
            &edits,
            "    customer: [ { name: Fjord AS, active: true }, { number: 7, name: Havn AS, active: true } ]\n",
            "",
        )
    };
    let mut harness = fresh();
    let report = run(&mut harness);
    assert_eq!((counts(&report, "customers").created, report.set_aside), (2, vec![]));
    fjord(&harness);
    assert_eq!(
        record(&harness, Side::Right, "customer", "name", "Havn AS").get("number"),
        Some(&Value::text("7"))
    );
    edit(
        &harness,
        Side::Left,
        "customer",
        &[("name", Value::text("Fjord AS"))],
        &[("vatNumber", Value::text("A"))],
    );
    let report = run(&mut harness);
    assert_eq!((counts(&report, "customers").updated, report.set_aside), (1, vec![]));
    assert_eq!(run(&mut harness).writes, 0);
    // also where the run is cut anywhere
    for side in Side::BOTH {
        for requests in 1..12 {
            let mut harness = fresh();
            kill_after(&mut harness, side, requests);
            for _ in 0..3 {
                let _ = try_run(&mut harness);
            }
            let report = run(&mut harness);
            assert_eq!(
                (report.writes, &report.set_aside[..]),
                (0, &[][..]),
                "{side} {requests}: {report:#?}"
            );
            fjord(&harness);
        }
    }
}

/// What is given where the row's master is the other side, and that one has nothing, stays: nobody is told that it is overwritten.
#[test]
fn what_the_master_lacks_stays_and_is_not_called_overwritten() {
    let mut harness = edited_harness(
        &[(
            "shop_ledger.yaml",
            "{ shop: country, ledger: country }",
            "{ shop: country, ledger: country, master: shop }",
        )],
        "    customer: [ { guid: c-1, number: 10001, name: Fjord AS, active: true } ]\n",
        "    customer: [ { number: \"10001\", name: Fjord AS, status: Active } ]\n",
    );
    run(&mut harness);
    edit(
        &harness,
        Side::Right,
        "customer",
        &[("number", Value::text("10001"))],
        &[("country", Value::text("FI"))],
    );
    let report = run(&mut harness);
    let notes: Vec<&str> = report.notes.iter().map(|note| note.reason.as_str()).collect();
    assert_eq!(report.writes, 0, "{report:#?}");
    assert!(notes.iter().any(|note| note.contains("shop has none, so that it stays")), "{notes:?}");
    assert!(!notes.iter().any(|note| note.contains("overwritten")), "{notes:?}");
}
