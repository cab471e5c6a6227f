//! Whether the user that we come as may read what is used: asked before anything is written, and not by every run.

mod common;

use std::time::Duration;

use common::{edited_program, run, timed_harness_of, try_run};
use mapengine::case::{Harness, QuickClock};
use mapengine::value::Side;

fn checked() -> (Harness, std::rc::Rc<QuickClock>) {
    let (mut harness, clock) = timed_harness_of(
        "shop_ledger",
        "    customer: [ { guid: c-1, number: 10001, name: Fjord AS, active: true } ]\n",
        "    customer: []\n",
    );
    let check = "checks:\n  - { id: roles, access: [shop, ledger], else: \"A role is missing\" }";
    harness.program = edited_program("shop_ledger", &[("shop_ledger.yaml", "checks:", check)]);
    (harness, clock)
}

fn forbid(harness: &Harness, side: Side, rule: &str) {
    harness.company.stands[side].borrow_mut().faults.add(rule).unwrap();
}

fn refusal(harness: &mut Harness) -> String {
    let (error, report) = try_run(harness).unwrap_err();
    assert_eq!(report.writes, 0, "{report:#?}");
    error.to_string()
}

#[test]
fn a_missing_role_is_said_before_anything_is_written() {
    let (mut harness, _) = checked();
    forbid(&harness, Side::Right, "forbidden:list:project");
    let text = refusal(&mut harness);
    assert!(text.starts_with("check `roles`: A role is missing (project: "), "{text}");
}

#[test]
fn a_role_that_is_lost_later_is_found_by_the_list_and_then_named() {
    let (mut harness, _) = checked();
    run(&mut harness);
    forbid(&harness, Side::Right, "forbidden:list:project");
    let text = refusal(&mut harness);
    assert!(text.contains("project") && text.contains("(403)"), "{text}");
    let text = refusal(&mut harness);
    assert!(text.starts_with("check `roles`: A role is missing (project: "), "{text}");
    harness.company.stands.right.borrow_mut().faults.clear();
    run(&mut harness);
}

/// A page of each list is much for a run every few minutes.
#[test]
fn access_is_asked_for_once_an_hour() {
    let (mut harness, clock) = checked();
    let first = run(&mut harness).reads;
    run(&mut harness);
    let quiet = run(&mut harness).reads;
    clock.advance(Duration::from_secs(3600));
    let asking = run(&mut harness).reads;
    assert!(quiet < asking && asking <= first, "{first}, {quiet}, {asking}");
    assert_eq!(run(&mut harness).reads, quiet);
}

/// A field of the record that is called as a resource is (`customer.guid` of an invoice) is no record of that resource.
#[test]
fn a_field_named_as_a_resource_is_read_from_the_record() {
    let valid =
        "    valid:\n      - { that: \"shop.customer.guid is not none\", else: \"It has no customer\" }\n";
    let program = edited_program("shop_documents", &[("shop_documents.yaml", "    valid:\n", valid)]);
    let facts: Vec<_> = program.facts.iter().map(|fact| (&*fact.resource, fact.key.as_deref())).collect();
    assert!(!facts.contains(&("customer", Some("guid"))), "{facts:?}");
}

/// A table that the company lacks is an empty one: what looks nothing up in it goes on.
#[test]
fn a_lookup_that_the_company_lacks_is_empty() {
    let (mut harness, _) = checked();
    let rule = (
        "systems/shop.yaml",
        "{ status: 403, class: not_allowed }",
        "{ status: 403, class: feature_missing }",
    );
    harness.program = edited_program("shop_ledger", &[rule]);
    forbid(&harness, Side::Left, "forbidden:list:country");
    assert_eq!(run(&mut harness).registers["customers"].created, 1);
}
