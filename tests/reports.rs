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
