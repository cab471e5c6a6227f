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
    company_of(COMPANY)
}

fn company_of(records: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for name in ["systems/shop.yaml", "systems/ledger.yaml", "mappings/shop_documents.yaml"] {
        let to = folder.path().join(name);
        std::fs::create_dir_all(to.parent().unwrap()).unwrap();
        std::fs::copy(format!("tests/{name}"), to).unwrap();
    }
    let sandbox = folder.path().join("mappings/sandbox");
    std::fs::create_dir_all(&sandbox).unwrap();
    std::fs::write(sandbox.join("shop_documents.yaml"), records).unwrap();
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
    organization: [ { number: "1", name: Prøve AS, currency: NOK } ]
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

/// A company in which every kind of document stands differently: two currencies, one that waits, one that was refused.
const ALL_KINDS: &str = r#"sandbox: shop_documents
now: "2026-11-02T08:00:00Z"
systems:
  shop:
    company: [ { id: s, name: Prøve AS, currency: NOK } ]
    customer: [ { guid: c-1, number: 10001, name: Fjord AS, active: true }, { guid: c-2, number: 10002, name: "", active: true } ]
    item: [ { guid: i-1, code: A-1, name: Bolt, active: true } ]
    invoice_status:
      - { guid: s-0, name: Failed, position: 1, active: true, locked: false, numbered: false, paid: false }
      - { guid: s-1, name: Draft, position: 2, active: true, locked: false, numbered: false, paid: false }
      - { guid: s-2, name: Ready, position: 3, active: true, locked: true, numbered: false, paid: false }
      - { guid: s-3, name: Transferred, position: 4, active: true, locked: true, numbered: true, paid: false }
      - { guid: s-4, name: Part paid, position: 5, active: true, locked: true, numbered: true, paid: false }
      - { guid: s-5, name: Paid, position: 6, active: true, locked: true, numbered: true, paid: true }
    invoice:
      - { guid: f-1, status.guid: s-2, credit: false, customer.guid: c-1, date: "2026-11-01", currency: NOK, total: "125.03", rows: [ { guid: r-1, position: 1, item.guid: i-1, text: En, quantity: "1", price: "100.00", vatRate: "25" } ] }
      - { guid: f-2, status.guid: s-2, credit: false, customer.guid: c-1, date: "2026-11-01", currency: NOK, total: "125.06", rows: [ { guid: r-2, position: 1, item.guid: i-1, text: En, quantity: "1", price: "100.00", vatRate: "25" } ] }
      - { guid: f-3, status.guid: s-2, credit: true, customer.guid: c-1, date: "2026-11-01", currency: NOK, total: "-125.00", rows: [ { guid: r-3, position: 1, item.guid: i-1, text: En, quantity: "-1", price: "100.00", vatRate: "25" } ] }
      - { guid: f-4, status.guid: s-2, credit: false, customer.guid: c-2, date: "2026-11-01", currency: NOK, total: "125.00", rows: [ { guid: r-4, position: 1, item.guid: i-1, text: En, quantity: "1", price: "100.00", vatRate: "25" } ] }
      - { guid: f-5, status.guid: s-2, credit: false, customer.guid: c-1, date: "2026-11-01", currency: EUR, total: "12.50", rows: [ { guid: r-5, position: 1, item.guid: i-1, text: En, quantity: "1", price: "10.00", vatRate: "25" } ] }
      - { guid: f-6, status.guid: s-1, credit: false, customer.guid: c-1, date: "2026-11-01", currency: NOK, total: "1.00" }
      - { guid: f-7, status.guid: s-2, credit: false, customer.guid: c-1, date: "2026-11-01", currency: NOK, total: "250.00", rows: [ { guid: r-7, position: 1, item.guid: i-1, text: To, quantity: "2", price: "100.00", vatRate: "25" } ] }
      - { guid: f-8, status.guid: s-2, credit: false, customer.guid: c-1, date: "2026-11-01", currency: NOK, total: "0.13", rows: [ { guid: r-8, position: 1, item.guid: i-1, text: Lite, quantity: "1", price: "0.10", vatRate: "25" } ] }
  ledger:
    organization: [ { number: "1", name: Prøve AS, currency: NOK } ]
    customer: [ { number: "10001", name: Fjord AS, status: Active } ]
"#;

/// The file in which the sandbox keeps its records.
fn kept(folder: &tempfile::TempDir) -> std::path::PathBuf {
    let data = folder.path().join("data/mapengine/sandbox");
    let one = std::fs::read_dir(data).unwrap().next().unwrap().unwrap();
    one.path().join("company.json")
}

#[test]
fn both_systems_are_reconciled_to_the_cent() {
    let folder = company_of(ALL_KINDS);
    // behind the engine's back: one is deleted, one is changed, one is made a second time, one by hand
    let path = kept(&folder);
    let mut data: serde_json::Value = serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
    let invoices = data["right"]["records"]["invoice"].as_array_mut().unwrap();
    let of = |invoices: &[serde_json::Value], memo: &str| {
        invoices.iter().position(|one| one["memo"] == memo).unwrap_or_else(|| panic!("{memo}: {invoices:#?}"))
    };
    let gone = of(invoices, "f-7");
    invoices.remove(gone);
    let changed = of(invoices, "f-1");
    invoices[changed]["net"] = "100.63".into();
    let mut twin = invoices[of(invoices, "f-5")].clone();
    twin["number"] = "90001".into();
    let mut by_hand = twin.clone();
    by_hand["number"] = "=90002".into();
    by_hand["memo"] = "<b>by hand</b>".into();
    invoices.extend([twin, by_hand]);
    std::fs::write(&path, data.to_string()).unwrap();
    let before = std::fs::read(&path).unwrap();

    let report = |flags: &[&str]| {
        let out = of_verb(&folder, flags);
        assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
        String::from_utf8(out.stdout).unwrap()
    };
    let json: serde_json::Value = serde_json::from_str(&report(&["--format", "json"])).unwrap();
    let schema: serde_json::Value =
        serde_json::from_str(&std::fs::read_to_string("schemas/reconcile.schema.json").unwrap()).unwrap();
    jsonschema::validate(&schema, &json).unwrap();
    let found: Vec<String> = json["documents"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| {
            let text = |name: &str| one[name].as_str().unwrap_or("-").to_owned();
            let id = if one["left"].is_null() { text("right") } else { text("left") };
            format!("{id} {} {} {}", text("status"), text("currency"), text("difference"))
        })
        .collect();
    for wanted in [
        "f-1 differs NOK -0.60",
        "f-2 set_aside NOK -",
        "f-3 equal NOK 0.00",
        "f-4 waiting NOK -",
        "f-5 equal EUR 0.00",
        "f-6 not_in_scope NOK -",
        "f-7 gone_right NOK -",
        "f-8 equal NOK 0.00",
        "90001 duplicate EUR -",
        "=90002 unknown EUR -",
    ] {
        assert!(found.iter().any(|one| one == wanted), "{wanted}\n{found:#?}");
    }
    assert_eq!(found.len(), 10, "{found:#?}");

    let totals: Vec<String> = json["totals"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| {
            ["kind", "currency", "left_count", "right_count", "left_sum", "right_sum", "difference"]
                .map(|name| one[name].as_str().map_or_else(|| one[name].to_string(), str::to_owned))
                .join(" ")
        })
        .collect();
    // left 125.03 + 125.06 + 125.00 + 250.00 + 0.13; right 125.63 + 0.13
    assert_eq!(
        totals,
        [
            "credit_note NOK 1 1 125.00 125 0.00",
            "invoice EUR 1 3 12.50 37.5 -25.00",
            "invoice NOK 5 2 625.22 125.76 499.46"
        ]
    );

    let csv = report(&["--format", "csv"]);
    assert!(csv.lines().any(|line| line.contains(",'=90002,")), "{csv}");
    assert!(csv.lines().any(|line| line.starts_with("invoices,invoice,differs,NOK,f-1,125.03,")), "{csv}");
    assert!(csv.lines().any(|line| line.contains(",-0.60,")), "{csv}");
    let html = report(&["--format", "html"]);
    assert!(html.contains("<td class=\"number\">499.46</td>"), "{html}");
    assert!(!html.contains("<script") && !html.contains("http"), "{html}");
    let file = folder.path().join("out.csv");
    assert_eq!(report(&["--format", "csv", "--document", "invoices", "--out", file.to_str().unwrap()]), "");
    assert_eq!(std::fs::read_to_string(&file).unwrap().lines().count(), 1 + 10 + 3 + 3);

    // nothing was written: neither system has moved, and the state does not know of the report
    assert_eq!(std::fs::read(&path).unwrap(), before);
    let wrong = of_verb(&folder, &["--document", "invoice"]);
    assert_eq!(wrong.status.code(), Some(2));
    let text = String::from_utf8_lossy(&wrong.stderr).into_owned();
    assert!(text.contains("there is no document `invoice`; there are: invoices, costs"), "{text}");
}

fn of_verb(folder: &tempfile::TempDir, flags: &[&str]) -> Output {
    of(folder, &["report", "reconcile"], flags)
}

/// The company again, with other invoices and a bill.
fn with_rows() -> String {
    let (before, _) = ALL_KINDS.split_once("    invoice:\n").unwrap();
    format!(
        r#"{before}    project: [ {{ guid: p-1, number: 1001, name: Bru, customer.guid: c-1 }} ]
    invoice:
      - {{ guid: f-1, status.guid: s-2, credit: false, customer.guid: c-1, date: "2026-11-01", currency: NOK, net: "100.00", total: "125.00", rows: [ {{ guid: r-1, position: 1, item.guid: i-1, text: En, quantity: "1", price: "100.00", vatRate: "25" }} ] }}
      - {{ guid: f-2, status.guid: s-2, credit: false, customer.guid: c-1, date: "2026-10-31", currency: NOK, net: "200.00", total: "250.00", rows: [ {{ guid: r-2, position: 1, item.guid: i-1, text: En, quantity: "1", price: "100.00", vatRate: "15" }}, {{ guid: r-3, position: 2, item.guid: i-1, text: To, quantity: "1", price: "100.00", vatRate: "35" }} ] }}
      - {{ guid: f-3, status.guid: s-2, credit: false, customer.guid: c-1, date: "2026-11-01", currency: NOK, net: "100.00", total: "125.03", rows: [ {{ guid: r-4, position: 1, item.guid: i-1, text: En, quantity: "1", price: "100.00", vatRate: "25.0" }} ] }}
      - {{ guid: f-4, status.guid: s-2, credit: true, customer.guid: c-1, date: "2026-11-01", currency: NOK, net: "-100.00", total: "-125.00", rows: [ {{ guid: r-5, position: 1, item.guid: i-1, text: En, quantity: "-2", price: "100.00", vatRate: "25" }}, {{ guid: r-6, position: 2, item.guid: i-1, text: To, quantity: "1", price: "100.00", vatRate: "25" }} ] }}
      - {{ guid: f-5, status.guid: s-2, credit: false, customer.guid: c-1, date: "2026-11-01", currency: EUR, net: "9.99", total: "12.49", rows: [ {{ guid: r-7, position: 1, item.guid: i-1, text: En, quantity: "3", price: "3.33", vatRate: "25" }} ] }}
      - {{ guid: f-6, status.guid: s-2, credit: false, customer.guid: c-2, date: "2026-11-01", currency: SEK, net: "100.00", total: "125.00", rows: [ {{ guid: r-8, position: 1, item.guid: i-1, text: En, quantity: "1", vatRate: "25" }} ] }}
  ledger:
    organization: [ {{ number: "1", name: Prøve AS, currency: NOK }} ]
    customer: [ {{ number: "10001", name: Fjord AS, status: Active }} ]
    project: [ {{ number: "1001", description: Bru, customer: "10001" }} ]
    bill: [ {{ number: "77", status: Released, date: "2026-11-01", supplier: Jern AS, rows: [ {{ line: 1, text: Stål, amount: "40.00", project: "1001" }}, {{ line: 2, text: Sand, amount: "5.00", project: "1001" }} ] }} ]
"#
    )
}

#[test]
fn rows_headers_and_vat_by_rate_are_reconciled_and_how_old_a_difference_is() {
    let folder = company_of(&with_rows());
    let path = kept(&folder);
    let change = |change: &dyn Fn(&mut serde_json::Value)| {
        let mut data = serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
        change(&mut data);
        std::fs::write(&path, data.to_string()).unwrap();
    };
    let with = |all: &mut serde_json::Value, field: &str, is: &str| -> usize {
        all.as_array().unwrap().iter().position(|one| one[field] == is).unwrap_or_else(|| panic!("{all:#}"))
    };
    // behind the engine's back
    change(&|data| {
        let rows = &mut data["left"]["records"]["invoice_row"];
        let row = with(rows, "guid", "r-1");
        rows[row]["price"] = "90.00".into();
        let costs = &mut data["left"]["records"]["cost"];
        let cost = with(costs, "text", "Stål, 77, Jern AS");
        costs[cost]["amount"] = "41.00".into();
    });
    let report = |flags: &[&str]| {
        let out = of_verb(&folder, flags);
        assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
        String::from_utf8(out.stdout).unwrap()
    };
    let told = |flags: &[&str]| -> serde_json::Value {
        let json = serde_json::from_str(&report(&[&["--format", "json"], flags].concat())).unwrap();
        let schema = std::fs::read_to_string("schemas/reconcile.schema.json").unwrap();
        jsonschema::validate(&serde_json::from_str(&schema).unwrap(), &json).unwrap();
        json
    };
    let json = told(&[]);
    let by_id = |json: &serde_json::Value, id: &str| {
        let all = json["documents"].as_array().unwrap();
        let found = all.iter().find(|one| one["left"] == id || one["right"] == id);
        found.unwrap_or_else(|| panic!("{id}: {json:#}")).clone()
    };
    let text = |one: &serde_json::Value, names: &[&str]| -> String {
        let of = |name: &&str| {
            name.split('.').fold(one, |value, name| &value[name]).as_str().unwrap_or("-").to_owned()
        };
        names.iter().map(of).collect::<Vec<_>>().join(" ")
    };
    let shown = |id: &str| {
        let names = ["status", "difference", "left_rows.off", "right_rows.off", "net_difference", "reason"];
        text(&by_id(&json, id), &names)
    };
    // the rows do not come to the header
    assert_eq!(
        shown("f-1"),
        "differs 0.00 -12.50 0 -10 the rows of shop come to 112.50, its header says 125.00; the rows are 10 apart without VAT; VAT at 25 %: -10 apart without VAT, the VAT -2.5"
    );
    // totals and rows are the same, the rates are not
    assert_eq!(
        shown("f-2"),
        "differs 0.00 0.00 0 0 VAT at 15 %: 100 apart without VAT, the VAT 15; VAT at 25 %: -200 apart without VAT, the VAT -50; VAT at 35 %: 100 apart without VAT, the VAT 35"
    );
    assert_eq!(shown("f-3"), "within_tolerance 0.03 -0.03 0 0 -");
    // a credit note is positive on the other side; one of its rows is no credit
    assert_eq!(shown("f-4"), "equal 0.00 0.00 0 0 -");
    assert_eq!(shown("f-5"), "equal 0.00 0.00 0.00 0.00 -");
    let waiting = by_id(&json, "f-6");
    assert_eq!(waiting["status"], "waiting");
    assert!(waiting["reason"].as_str().unwrap().ends_with("; shop: row 1 has no amount"), "{waiting:#}");

    let names = [
        "document",
        "kind",
        "currency",
        "left_sum",
        "right_sum",
        "left_net",
        "right_net",
        "left_off",
        "right_off",
    ];
    let totals: Vec<String> =
        json["totals"].as_array().unwrap().iter().map(|one| text(one, &names)).collect();
    assert_eq!(
        totals,
        [
            "invoices credit_note NOK 125.00 125 100 100 0.00 0",
            "invoices invoice EUR 12.49 12.49 9.99 9.99 0.00 0.00",
            "invoices invoice NOK 500.03 500 390 400 -12.53 0",
            "invoices invoice SEK 125.00 0 - 0 - 0",
            "costs cost NOK 46.00 45.00 - - - -",
        ]
    );
    assert_eq!(json["totals"][3]["without_rows"], 1);
    let names = [
        "kind",
        "currency",
        "rate",
        "left_net",
        "right_net",
        "net_difference",
        "left_vat",
        "right_vat",
        "vat_difference",
    ];
    let vat: Vec<String> = json["vat"].as_array().unwrap().iter().map(|one| text(one, &names)).collect();
    assert_eq!(
        vat,
        [
            "credit_note NOK 25 100 100 0 25 25 0",
            "invoice EUR 25 9.99 9.99 0.00 2.50 2.50 0.00",
            "invoice NOK 15 100 0 100 15 0 15",
            "invoice NOK 25 190 400 -210 47.5 100 -52.5",
            "invoice NOK 35 100 0 100 35 0 35",
        ]
    );

    // costs have no `verify`
    let cost = |json: &serde_json::Value| {
        let costs = json["documents"].as_array().unwrap().iter().filter(|one| one["document"] == "costs");
        let costs: Vec<_> = costs.cloned().collect();
        assert_eq!(costs.len(), 2, "{json:#}");
        costs.into_iter().find(|one| one["status"] == "differs").unwrap()
    };
    assert_eq!(text(&cost(&json), &["difference", "currency"]), "1.00 NOK");

    // a difference keeps its age while it is the same, also while a run holds the state
    assert_eq!(by_id(&json, "f-4")["first_seen"], serde_json::Value::Null);
    let first = cost(&json)["first_seen"].clone();
    assert!(first.is_string(), "{json:#}");
    let state = folder.path().join("data/mapengine/sandbox");
    let state = std::fs::read_dir(state).unwrap().next().unwrap().unwrap().path();
    let lock = std::fs::read_dir(&state).unwrap().map(|one| one.unwrap().path());
    let lock = lock.into_iter().find(|path| path.extension().is_some_and(|end| end == "lock")).unwrap();
    let held = std::fs::File::open(lock).unwrap();
    held.lock().unwrap();
    assert_eq!(cost(&told(&["--document", "costs"]))["first_seen"], first);
    change(&|data| {
        let costs = &mut data["left"]["records"]["cost"];
        let cost = with(costs, "text", "Stål, 77, Jern AS");
        costs[cost]["amount"] = "42.00".into();
    });
    let later = told(&[]);
    assert_ne!(cost(&later)["first_seen"], first);
    assert_eq!(by_id(&later, "f-1")["first_seen"], by_id(&json, "f-1")["first_seen"]);
    drop(held);

    // of one time on both sides
    let november = told(&["--since", "2026-11-01"]);
    assert_eq!((&november["left_out"], &november["since"]), (&1.into(), &"2026-11-01".into()));
    assert!(november["vat"].as_array().unwrap().iter().all(|one| one["rate"] == "25"), "{november:#}");
    let october = told(&["--until", "2026-10-31"]);
    assert_eq!(october["documents"].as_array().unwrap().len(), 1, "{october:#}");
    assert_eq!(by_id(&october, "f-2")["first_seen"], by_id(&json, "f-2")["first_seen"]);
    assert_eq!(of_verb(&folder, &["--since", "yesterday"]).status.code(), Some(2));

    let csv = report(&["--format", "csv"]);
    assert!(
        csv.contains("\r\ninvoices,invoice,VAT 25 %,NOK,,47.5,190,,,100,400,,-52.5,-210,,,\r\n"),
        "{csv}"
    );
    assert!(
        csv.lines()
            .next()
            .unwrap()
            .contains(",shop,shop amount,shop net of rows,shop rows less header,ledger,")
    );
    let html = report(&["--format", "html"]);
    assert!(html.contains("<td>VAT 25 %</td>") && html.contains("<td class=\"number\">-52.5</td>"), "{html}");
}

/// An order that is gone because it was invoiced is not missing: the invoice stands for it.
#[test]
fn what_an_order_has_become_stands_for_it() {
    let folder = tempfile::tempdir().unwrap();
    let global = |verb: &[&str]| {
        let out = Command::new(env!("CARGO_BIN_EXE_mapengine"))
            .args(verb)
            .arg("mappings/global.yaml")
            .env_remove("MAPENGINE_CONNECTION")
            .env("XDG_DATA_HOME", folder.path().join("data"))
            .output()
            .unwrap();
        assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
        String::from_utf8(out.stdout).unwrap()
    };
    global(&["run"]);
    global(&["run"]);
    let path = kept(&folder);
    let mut data: serde_json::Value = serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
    let invoice = data["right"]["records"]["invoice"][0].clone();
    let orders = data["right"]["records"]["order"].as_array_mut().unwrap();
    let made = orders.iter().position(|order| order["SeveraGUID"] == invoice["SeveraGUID"]).unwrap();
    let order = orders.remove(made);
    std::fs::write(&path, data.to_string()).unwrap();

    let json: serde_json::Value =
        serde_json::from_str(&global(&["report", "reconcile", "--format", "json"])).unwrap();
    let documents = json["documents"].as_array().unwrap();
    let one = documents.iter().find(|one| one["left"] == invoice["SeveraGUID"]).unwrap();
    assert_eq!(one["status"], "linked", "{one:#}");
    assert_eq!(one["right"].as_str().unwrap(), invoice["OrderCopyNo"].to_string());
    assert_eq!(one["reason"].as_str().unwrap(), format!("{} became it", order["OrderNo"].as_str().unwrap()));
}
