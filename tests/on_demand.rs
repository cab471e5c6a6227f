//! What the command line makes of documents on demand: the real program on the invented systems.

use std::process::{Command, Output};

const COMPANY: &str = r#"sandbox: shop_on_demand
now: "2026-11-02T08:00:00Z"
systems:
  shop:
    company: [ { id: s, name: Prøve AS, currency: NOK } ]
    customer: [ { guid: c-1, number: 10001, name: Fjord AS, active: true } ]
    item: [ { guid: i-1, code: A-1, name: Bolt, active: true } ]
    invoice_status:
      - { guid: s-2, name: Ready, position: 3, active: true, locked: true, numbered: false, paid: false }
      - { guid: s-3, name: Transferred, position: 4, active: true, locked: true, numbered: true, paid: false }
      - { guid: s-5, name: Paid, position: 6, active: true, locked: true, numbered: true, paid: true }
    invoice:
INVOICES
  ledger:
    organization: [ { number: "1", name: Prøve AS, currency.id: NOK } ]
    customer: [ { number: "10001", name: Fjord AS, status: Active } ]
"#;

fn company(invoices: u32) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for name in ["systems/shop.yaml", "systems/ledger.yaml", "mappings/shop_on_demand.yaml"] {
        let to = folder.path().join(name);
        std::fs::create_dir_all(to.parent().unwrap()).unwrap();
        std::fs::copy(format!("tests/{name}"), to).unwrap();
    }
    let invoices: Vec<String> = (1..=invoices)
        .map(|n| format!("      - {{ guid: f-{n}, status.guid: s-2, credit: false, customer.guid: c-1, date: \"2026-11-01\", currency: NOK, total: \"125.00\", rows: [ {{ guid: r-{n}, position: 1, item.guid: i-1, text: En, quantity: \"1\", price: \"100.00\" }} ] }}"))
        .collect();
    let sandbox = folder.path().join("mappings/sandbox");
    std::fs::create_dir_all(&sandbox).unwrap();
    std::fs::write(sandbox.join("shop_on_demand.yaml"), COMPANY.replace("INVOICES", &invoices.join("\n")))
        .unwrap();
    folder
}

fn mapengine(folder: &tempfile::TempDir, verb: &str, flags: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_mapengine"));
    command.arg(verb);
    if verb != "apply" {
        command.arg(folder.path().join("mappings/shop_on_demand.yaml"));
    }
    command
        .args(flags)
        .env_remove("MAPENGINE_CONNECTION")
        .env("XDG_DATA_HOME", folder.path().join("data"))
        .output()
        .unwrap()
}

fn said(folder: &tempfile::TempDir, verb: &str, flags: &[&str]) -> String {
    let out = mapengine(folder, verb, flags);
    assert!(out.status.success(), "{verb} {flags:?}: {}", String::from_utf8_lossy(&out.stderr));
    String::from_utf8(out.stdout).unwrap()
}

/// How many invoices a report counts as created.
fn created(text: &str) -> Option<u64> {
    let report: serde_json::Value = serde_json::from_str(text).unwrap();
    report["registers"]["invoices"]["created"].as_u64()
}

#[test]
fn a_plain_run_says_what_it_leaves_out_and_one_that_names_it_takes_it() {
    let folder = company(3);
    let plain = said(&folder, "run", &[]);
    assert!(
        plain.contains("on demand, no new ones in this run: invoices (`--only invoices` takes them)"),
        "{plain}"
    );
    let json = said(&folder, "run", &["--format", "json"]);
    let report: serde_json::Value = serde_json::from_str(&json).unwrap();
    let schema: serde_json::Value =
        serde_json::from_str(&std::fs::read_to_string("schemas/report.schema.json").unwrap()).unwrap();
    jsonschema::validate(&schema, &report).unwrap();
    assert_eq!((&report["on_demand"], &report["writes"]), (&serde_json::json!(["invoices"]), &0.into()));
    // two in one transfer, as the mapping says
    let named = said(&folder, "run", &["--only", "invoices", "--format", "json"]);
    assert_eq!(created(&named), Some(2), "{named}");
    assert!(!named.contains("\"on_demand\":[\"invoices\"]"), "{named}");
    let all = said(&folder, "run", &["--only", "invoices", "--all", "--format", "json"]);
    assert_eq!(created(&all), Some(1), "{all}");
}

#[test]
fn a_name_that_is_not_there_is_refused_with_the_documents_in_mind() {
    let folder = company(1);
    let out = mapengine(&folder, "run", &["--only", "invoicse"]);
    assert_eq!(out.status.code(), Some(2));
    let text = String::from_utf8_lossy(&out.stderr).into_owned();
    assert!(text.contains("there is no such register or document; did you mean `invoices`?"), "{text}");
}

#[test]
fn a_plan_of_all_is_applied_in_as_many_transfers_as_it_takes() {
    let folder = company(5);
    said(&folder, "run", &[]);
    let plan = folder.path().join("plan.json");
    let plan = plan.to_str().unwrap();
    let shown = said(&folder, "plan", &["--only", "invoices", "--all", "--out", plan]);
    assert_eq!(shown.matches("→ new invoice in ledger").count(), 5, "{shown}");
    let applied = said(&folder, "apply", &[plan, "--format", "json"]);
    assert_eq!(created(&applied), Some(5), "{applied}");
    // and without `--all` a plan shows one transfer
    let folder = company(5);
    said(&folder, "run", &[]);
    let shown = said(&folder, "plan", &["--only", "invoices"]);
    assert_eq!(shown.matches("→ new invoice in ledger").count(), 2, "{shown}");
}
