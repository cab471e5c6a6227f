//! What the command line tells of documents: the real program on the invented systems.

use std::process::{Command, Output};

fn mapengine(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_mapengine"))
        .args(args)
        .env_remove("MAPENGINE_CONNECTION")
        .output()
        .unwrap()
}

fn said(args: &[&str]) -> String {
    let out = mapengine(args);
    assert!(out.status.success(), "{args:?}: {}", String::from_utf8_lossy(&out.stderr));
    String::from_utf8(out.stdout).unwrap()
}

const MAPPING: &str = "tests/mappings/shop_documents.yaml";

#[test]
fn a_flow_says_whose_each_move_is_and_what_makes_it() {
    let text = said(&["flow", MAPPING]);
    let lines: Vec<String> =
        text.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect();
    for wanted in [
        "● failed (needs a person)",
        "│ ──▷ draft shop",
        "● ready (is taken)",
        "│ ━━▶ transferred mapping: write_back",
        "│ ━━▶ failed mapping: refused; verify, when shop.total and ledger.total differ",
        "│ ━━▶ part_paid mapping: follow, when ledger.balance is less_than(ledger.total)",
        "│ ━━▶ paid mapping: follow, when ledger.balance is zero",
    ] {
        assert!(lines.iter().any(|line| line == wanted), "{wanted}\n{text}");
    }
    // `costs` has no flow
    assert!(!text.contains("costs"), "{text}");
}

#[test]
fn a_flow_is_drawn_in_every_format() {
    let svg = said(&["flow", MAPPING, "--document", "invoices", "--format", "svg"]);
    assert!(svg.starts_with("<svg ") && svg.ends_with("</svg>\n"), "{svg}");
    let moves = svg.matches("marker-end").count();
    assert_eq!(moves, said(&["flow", MAPPING, "--format", "dot"]).matches(" -> ").count());
    assert_eq!(moves, said(&["flow", MAPPING, "--format", "mermaid"]).matches(" --> ").count());
    // nothing from outside but the name of the format
    assert_eq!(svg.matches("http").count(), 1, "{svg}");
}

#[test]
fn a_document_that_is_not_there_is_an_error_that_names_those_that_are() {
    let out = mapengine(&["flow", MAPPING, "--document", "invoice"]);
    assert_eq!(out.status.code(), Some(2));
    let text = String::from_utf8_lossy(&out.stderr).into_owned();
    assert!(text.contains("there is no document `invoice`; there are: invoices, costs"), "{text}");
    let none = mapengine(&["flow", "tests/mappings/shop_ledger.yaml"]);
    assert_eq!(none.status.code(), Some(2));
}

/// The mapping with a company whose invoices do not all go: its folder, after one run.
fn company() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for name in ["systems/shop.yaml", "systems/ledger.yaml", "mappings/shop_documents.yaml"] {
        let to = folder.path().join(name);
        std::fs::create_dir_all(to.parent().unwrap()).unwrap();
        std::fs::copy(format!("tests/{name}"), to).unwrap();
    }
    let sandbox = folder.path().join("mappings/sandbox");
    std::fs::create_dir_all(&sandbox).unwrap();
    std::fs::write(sandbox.join("shop_documents.yaml"), COMPANY).unwrap();
    let ran = of(&folder, &["run"], &[]);
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
    folder
}

fn of(folder: &tempfile::TempDir, verb: &[&str], flags: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_mapengine"))
        .args(verb)
        .arg(folder.path().join("mappings/shop_documents.yaml"))
        .args(flags)
        .env_remove("MAPENGINE_CONNECTION")
        .env("XDG_DATA_HOME", folder.path().join("data"))
        .output()
        .unwrap()
}

const COMPANY: &str = r#"sandbox: shop_documents
now: "2026-11-02T08:00:00Z"
systems:
  shop:
    company: [ { id: s, name: Prøve AS, currency: NOK } ]
    customer: [ { guid: c-1, number: 10001, name: Fjord AS, active: true } ]
    item: [ { guid: i-1, code: A-1, name: Bolt, active: true } ]
    invoice_status:
      - { guid: s-0, name: Failed, position: 1, active: true, locked: false, numbered: false, paid: false }
      - { guid: s-1, name: Draft, position: 2, active: true, locked: false, numbered: false, paid: false }
      - { guid: s-2, name: Ready, position: 3, active: true, locked: true, numbered: false, paid: false }
      - { guid: s-3, name: Transferred, position: 4, active: true, locked: true, numbered: true, paid: false }
      - { guid: s-4, name: Part paid, position: 5, active: true, locked: true, numbered: true, paid: false }
      - { guid: s-5, name: Paid, position: 6, active: true, locked: true, numbered: true, paid: true }
    invoice:
      - { guid: f-1, status.guid: s-2, credit: false, customer.guid: c-1, date: "2026-11-01", currency: NOK, total: "125.00", rows: [ { guid: r-1, position: 1, item.guid: i-1, text: En, quantity: "1", price: "100.00" } ] }
      - { guid: f-2, status.guid: s-2, credit: false, customer.guid: c-1, date: "2026-11-01", currency: NOK, total: "125.06", rows: [ { guid: r-2, position: 1, item.guid: i-1, text: En, quantity: "1", price: "100.00" } ] }
      - { guid: f-3, status.guid: s-2, credit: true, customer.guid: c-1, date: "2026-11-01", currency: NOK, total: "-10.50" }
      - { guid: f-4, status.guid: s-0, credit: false, customer.guid: c-1, date: "2026-11-01", currency: NOK, total: "77.00", rows: [ { guid: r-4, position: 1, item.guid: i-1, text: En, quantity: "1", price: "100.00" } ] }
  ledger:
    organization: [ { number: "1", name: Prøve AS, currency.id: NOK } ]
    customer: [ { number: "10001", name: Fjord AS, status: Active } ]
"#;

#[test]
fn failed_documents_are_told_in_every_format() {
    let folder = company();
    let report = |format: &str| {
        let out = of(&folder, &["report", "failed"], &["--format", format]);
        assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
        String::from_utf8(out.stdout).unwrap()
    };
    let json: serde_json::Value = serde_json::from_str(&report("json")).unwrap();
    let schema: serde_json::Value =
        serde_json::from_str(&std::fs::read_to_string("schemas/failed.schema.json").unwrap()).unwrap();
    jsonschema::validate(&schema, &json).unwrap();
    let documents = json["documents"].as_array().unwrap();
    // what went is not here
    assert_eq!(documents.len(), 3, "{json:#}");
    let by_id = |id: &str| documents.iter().find(|one| one["id"] == id).unwrap_or_else(|| panic!("{json:#}"));
    let apart = by_id("f-2");
    assert_eq!(apart["code"], "ME0951");
    assert_eq!(apart["left_amount"], "125.06");
    assert!(apart["reason"].as_str().unwrap().starts_with("the totals are 0.06 apart"), "{apart:#}");
    let empty = by_id("f-3");
    assert_eq!((&empty["left_amount"], &empty["right_amount"]), (&"-10.50".into(), &serde_json::Value::Null));
    assert_eq!(empty["reason"], "The invoice has no rows");
    // a person has put it there: no reason is kept, but it is among those that cannot go on
    let by_hand = by_id("f-4");
    assert_eq!((&by_hand["code"], &by_hand["left_amount"]), (&"status".into(), &"77.00".into()));
    assert!(by_hand["since"].as_str().unwrap().starts_with("2026-11-02"), "{by_hand:#}");
    assert!(json["as_of"].is_string(), "{json:#}");

    let csv = report("csv");
    assert!(csv.starts_with("document,label,side,id,shop,ledger,code,since,attempts,reason\r\n"), "{csv}");
    // a negative amount is a number, not text
    assert!(csv.lines().any(|line| line.contains(",f-3,-10.50,,")), "{csv}");
    let html = report("html");
    assert!(
        html.starts_with("<!doctype html>") && html.contains("<td class=\"number\">-10.50</td>"),
        "{html}"
    );
    assert!(!html.contains("http"), "{html}");
    let table = report("table");
    assert!(table.contains("125.06") && table.contains("The invoice has no rows"), "{table}");
}
