//! The invented ledger as an XML service, with the mapping that knows the JSON one: same results, other bytes.

mod common;

use common::{counts, edit, harness, harness_with, record, run, try_run};
use mapengine::value::{Side, Value};

const SHOP: &str = r#"
    customer:
      - { number: 1, name: Fjord AS, active: true, country: "NO", mainAddress: { street: Kaien 1, postalCode: "0150", city: Oslo } }
      - { number: 7, name: "Järvi & Pojat <Oy>", active: true, vatNumber: FI12345678 }
    item:
      - { code: A-1, name: Bolt, active: true, price.amount: "12.50", kind: Goods }
"#;

const LEDGER: &str = r#"
    customer:
      - { number: "10001", name: FJORD as, status: Active, vatNumber: "NO999" }
      - { number: "10002", name: Sjø AS, status: Active, invoiceAddress: { street: Brygga 2, postCode: "5003", city: Bergen } }
      - { number: "10003", name: Gammel AS, status: Inactive }
"#;

/// What both sides hold in the end, without what only one of the two ledgers has.
fn everything(harness: &mapengine::case::Harness) -> String {
    let mut out = String::new();
    for (side, resources) in
        [(Side::Left, &["customer", "item"][..]), (Side::Right, &["customer", "address", "item"][..])]
    {
        for resource in resources {
            for mut record in harness.company.stands[side].borrow().records(resource) {
                strip(&mut record);
                out.push_str(&format!("{side} {resource} {}\n", record.canonical().to_json()));
            }
        }
    }
    out
}

fn strip(value: &mut Value) {
    if let Value::Map(map) = value {
        map.retain(|name, _| !matches!(name.as_str(), "changed" | "created" | "guid" | "currency"));
        map.values_mut().for_each(strip);
    }
}

fn edits(harness: &mapengine::case::Harness) {
    edit(
        harness,
        Side::Right,
        "customer",
        &[("number", Value::text("10002"))],
        &[("name", Value::text("Sjø & Hav AS"))],
    );
    edit(
        harness,
        Side::Left,
        "item",
        &[("code", Value::text("A-1"))],
        &[("price.amount", Value::Number("0.0500".parse().unwrap())), ("active", Value::Bool(false))],
    );
}

#[test]
fn json_and_xml_come_to_the_same_end() {
    let mut ends = Vec::new();
    for mut harness in [harness(SHOP, LEDGER), harness_with("ledger_xml.yaml", SHOP, LEDGER)] {
        let report = run(&mut harness);
        assert_eq!(report.set_aside, vec![], "{report:#?}");
        assert_eq!(counts(&report, "customers").linked, 1);
        edits(&harness);
        run(&mut harness);
        run(&mut harness);
        let report = run(&mut harness);
        assert_eq!(report.writes, 0, "{report:#?}");
        ends.push(everything(&harness));
    }
    assert_eq!(ends[0], ends[1]);
}

#[test]
fn bodies_have_the_declared_order_and_attributes() {
    let mut harness = harness_with("ledger_xml.yaml", SHOP, LEDGER);
    run(&mut harness);
    edits(&harness);
    run(&mut harness);
    let stand = harness.company.stands.right.borrow();
    let bodies: Vec<String> = stand
        .log()
        .iter()
        .filter(|write| write.path.starts_with("/item.xml") || write.path.contains("customer.xml?method=add"))
        .map(|write| format!("{} {}", write.path, write.body.to_json()))
        .collect();
    assert_eq!(
        bodies,
        [
            r#"/customer.xml?method=add {"customer":{"base":{"@status":"Active","name":"Järvi & Pojat <Oy>","vatnumber":{"@type":"international","$text":"FI12345678"}}}}"#,
            r#"/item.xml?method=add {"item":{"number":"A-1","price":{"@type":"net","@currency":"EUR","$text":"12,50"},"description":"Bolt","status":"Active","unit":"pcs"}}"#,
            r#"/item.xml?method=edit&id=1 {"item":{"price":{"@type":"net","$text":"0,0500"},"status":"Inactive"}}"#,
        ]
    );
}

#[test]
fn a_refusal_inside_a_200_is_told_with_its_text() {
    let shop = r#"
    item: [ { code: "A-1-with-a-code-far-too-long", name: Bolt, active: true, kind: Goods } ]
"#;
    let mut harness = harness_with("ledger_xml.yaml", shop, "");
    // the engine refuses the length itself, so that the server is asked by hand here
    let report = try_run(&mut harness).unwrap();
    assert_eq!(report.set_aside.len(), 1, "{report:#?}");
    let mut stand = harness.company.stands.right.borrow_mut();
    let request = |body: &str| mapengine::http::WireRequest {
        method: "POST".into(),
        url: "http://127.0.0.1/item.xml?method=add".parse().unwrap(),
        headers: [
            ("x-api-key", "sandbox-api-key"),
            ("x-company", "sandbox-company"),
            ("content-type", "text/xml"),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .to_vec(),
        body: Some(body.as_bytes().to_vec().into()),
    };
    let mut told = |body: &str| match stand.handle(&request(body)) {
        mapengine::sandbox::Outcome::Answer(response) => {
            format!("{} {}", response.status, String::from_utf8_lossy(&response.body))
        }
        other => panic!("{other:?}"),
    };
    let failed = |text: &str| {
        format!(
            "200 <Root><responsestatus><status>FAILED</status><status>{text}</status></responsestatus></Root>"
        )
    };
    assert_eq!(
        told("<Root><item><description>x</description></item></Root>"),
        failed("INVALID_DATA :: number is required")
    );
    assert_eq!(
        told("<Root><item><status>Active</status><number>A</number></item></Root>"),
        failed("INVALID_DATA :: the elements do not stand in the order of the file")
    );
    assert_eq!(
        told("<!DOCTYPE Root><Root/>"),
        failed("INVALID_DATA :: the body is no XML: it has a DOCTYPE, which is refused")
    );
}

#[test]
fn a_record_that_changed_is_read_by_its_key() {
    let mut harness = harness_with("ledger_xml.yaml", SHOP, LEDGER);
    run(&mut harness);
    let sjo = record(&harness, Side::Left, "customer", "name", "Sjø AS");
    assert_eq!(sjo.get("mainAddress").and_then(|address| address.get("city")), Some(&Value::text("Bergen")));
}
