//! Every kind of expectation of a case can fail, and says both values when it does.

use std::path::Path;

use mapengine::case::{CaseResult, run_file};
use mapengine::diagnostic::{Diagnostics, Format, Sources, render};

/// Runs one case (the lines below `- case: …`) over the invented shop and ledger.
fn run(lines: &str) -> CaseResult {
    let folder = tempfile::tempdir().unwrap();
    let mapping = std::fs::canonicalize("tests/mappings/shop_ledger.yaml").unwrap();
    let file = folder.path().join("one.test.yaml");
    let indented: String = lines.trim_matches('\n').lines().map(|line| format!("    {line}\n")).collect();
    let text = format!("mapping: {}\ncases:\n  - case: One\n{indented}", mapping.display());
    std::fs::write(&file, text).unwrap();
    run_path(&file)
}

fn run_path(file: &Path) -> CaseResult {
    let (mut sources, mut found) = (Sources::new(), Diagnostics::new());
    let mut results = run_file(file, None, &mut sources, &mut found);
    let said = render(&found, &sources, Format::Human { color: false });
    assert_eq!(results.len(), 1, "{said}");
    results.remove(0)
}

/// The case fails with exactly these sentences, and holds when `wrong` is written as `right`.
fn fails(lines: &str, wrong: &str, right: &str, said: &[&str]) {
    assert!(lines.contains(wrong), "{lines}");
    assert_eq!(run(lines).problems, said);
    let holds = lines.replace(wrong, right);
    assert!(run(&holds).problems.is_empty(), "{:#?}", run(&holds).problems);
}

const ADA: &str = "given: { shop: { customer: [ { number: 1, name: Ada, active: true } ] } }\n";

#[test]
fn every_count_can_fail() {
    for (word, number) in [
        ("linked", 0),
        ("created", 1),
        ("updated", 0),
        ("deleted", 0),
        ("unchanged", 0),
        ("waiting", 0),
        ("set_aside", 0),
        ("in_doubt", 0),
        ("pairs", 1),
    ] {
        let lines = format!("{ADA}expect: {{ counts: {{ customers: {{ {word}: 7 }} }} }}");
        let said = format!("customers.{word}: expected 7, was {number}");
        fails(&lines, "7", &number.to_string(), &[&said]);
    }
}

#[test]
fn a_count_that_differs_says_why_records_were_set_aside() {
    let lines = "
given: { shop: { customer: [ { number: 1, name: Ada } ] }, ledger: { customer: [ { number: \"1\", name: Bea, status: Active } ] } }
expect: { counts: { customers: { created: 2, set_aside: 5 } } }
";
    let problems = run(lines).problems;
    assert_eq!(problems.len(), 2, "{problems:#?}");
    let said = problems.join("\n");
    assert!(said.contains("customers.created: expected 2, was 0"), "{said}");
    assert!(said.contains("customers.set_aside: expected 5, was 2"), "{said}");
    assert!(said.contains("has the same number but not the rest"), "{said}");
}

#[test]
fn the_number_of_records_can_fail() {
    let lines = format!(
        "{ADA}expect: {{ records: [ {{ side: ledger, resource: customer, of: {{ name: Ada }}, count: 0 }} ] }}"
    );
    fails(&lines, "count: 0", "count: 1", &["ledger customer with {\"name\":\"Ada\"}: expected 0, found 1"]);
    let lines = format!(
        "{ADA}expect: {{ records: [ {{ side: ledger, resource: customer, of: {{ name: Bea }} }} ] }}"
    );
    fails(&lines, "Bea", "Ada", &["ledger customer with {\"name\":\"Bea\"}: expected 1, found 0"]);
}

#[test]
fn a_field_can_fail() {
    let lines = format!(
        "{ADA}expect: {{ records: [ {{ side: ledger, resource: customer, of: {{ name: Ada }}, is: {{ status: Inactive, vatNumber: null }} }} ] }}"
    );
    fails(&lines, "Inactive", "Active", &["ledger customer status: expected \"Inactive\", was \"Active\""]);
    let lines = format!(
        "{ADA}expect: {{ records: [ {{ side: ledger, resource: customer, of: {{ name: Ada }}, is: {{ status: null }} }} ] }}"
    );
    fails(&lines, "null", "Active", &["ledger customer status: expected –, was \"Active\""]);
}

#[test]
fn a_message_can_fail() {
    let lines = "
given: { shop: { customer: [ { number: 1, name: Ada } ] }, ledger: { customer: [ { number: \"1\", name: Bea, status: Active } ] } }
expect: { messages: [ green cheese ] }
";
    let problems = run(lines).problems;
    assert_eq!(problems.len(), 1);
    assert!(problems[0].starts_with("nothing said \"green cheese\"; said was: "), "{problems:#?}");
    assert!(problems[0].contains("has the same number"), "{problems:#?}");
    assert!(run(&lines.replace("green cheese", "has the same number")).problems.is_empty());
}

const BOLT: &str = "given: { shop: { item: [ { code: A, name: Bolt, active: true } ] } }\n";

#[test]
fn writes_can_fail_both_ways() {
    let lines = format!("{BOLT}expect: {{ requests: [] }}");
    let problems = run(&lines).problems;
    assert_eq!(problems.len(), 1);
    assert!(problems[0].starts_with("not expected: ledger POST /items {"), "{problems:#?}");

    let all = |body: &str| {
        format!("{BOLT}expect: {{ requests: [ {{ side: ledger, call: POST /items, {body} }} ] }}")
    };
    assert_eq!(run(&all("holds: { description.value: Bolt }")).problems, [""; 0]);
    for wrong in [
        "holds: { description.value: Nut }",
        "holds: { desription.value: Bolt }",
        "body: { description: { value: Bolt } }",
    ] {
        let problems = run(&all(wrong)).problems;
        assert_eq!(problems.len(), 2, "{problems:#?}");
        assert!(
            problems[0].starts_with("expected ledger POST /items; sent was: POST /items {"),
            "{problems:#?}"
        );
        assert!(problems[1].starts_with("not expected: ledger POST /items"), "{problems:#?}");
    }
}

const TWO_CURRENCIES: &str = "
given:
  shop: { company: [ { id: s, currency: NOK } ], customer: [ { number: 1, name: Ada } ] }
  ledger: { organization: [ { number: l, currency: EUR } ] }
";

#[test]
fn a_refusal_can_fail_both_ways() {
    let lines = format!("{TWO_CURRENCIES}expect: {{ refused: The colours differ }}");
    fails(
        &lines,
        "The colours differ",
        "The currencies differ",
        &[
            "refused, but not with \"The colours differ\":\ncheck `same_currency`: The currencies differ: NOK / EUR",
        ],
    );
    let lines = format!("{ADA}expect: {{ refused: The currencies differ }}");
    assert_eq!(run(&lines).problems, ["expected to be refused with \"The currencies differ\", but it ran"]);
    let lines = format!("{TWO_CURRENCIES}expect: {{ requests: [] }}");
    assert_eq!(
        run(&lines).problems,
        ["the run failed: check `same_currency`: The currencies differ: NOK / EUR"]
    );
}

#[test]
fn what_is_expected_beside_a_refusal_is_looked_at() {
    let lines = format!(
        "{TWO_CURRENCIES}expect: {{ refused: The currencies differ, records: [ {{ side: ledger, resource: customer, of: {{ name: Ada }} }} ], messages: [ x ], counts: {{ customers: {{ created: 1 }} }} }}"
    );
    assert_eq!(
        run(&lines).problems,
        [
            "customers.created: expected 1, was 0",
            "ledger customer with {\"name\":\"Ada\"}: expected 1, found 0",
            "nothing said \"x\"; said was: "
        ]
    );
}

#[test]
fn what_comes_later_can_fail_and_says_in_which_step() {
    let lines = format!(
        "{ADA}then:
  - edit: [ {{ side: shop, resource: customer, of: {{ name: Ada }}, set: {{ vatNumber: \"7\" }} }} ]
    expect: {{ counts: {{ customers: {{ updated: 1 }} }} }}
  - expect: {{ counts: {{ customers: {{ unchanged: 0 }} }} }}"
    );
    fails(&lines, "unchanged: 0", "unchanged: 1", &["then 2: customers.unchanged: expected 0, was 1"]);
    let lines = format!(
        "{ADA}then:
  - edit: [ {{ side: shop, resource: customer, of: {{ name: Bea }}, set: {{ vatNumber: \"7\" }} }} ]
    expect: {{ requests: [] }}"
    );
    assert_eq!(run(&lines).problems, ["then 1: there is no customer with {\"name\":\"Bea\"}"]);
}

#[test]
fn given_links_must_be_found() {
    let lines = "
given: { shop: { customer: [ { number: 1, name: Ada } ] }, ledger: { customer: [ { number: \"9\", name: Bea, status: Active } ] } }
links: [ { register: customers, left: { number: 1 }, right: { number: \"8\" } } ]
expect: { counts: { customers: { created: 0 } } }
";
    let problems = run(lines).problems;
    assert_eq!(problems, ["links: customers: no right record has {\"number\":\"8\"}"]);
}
