//! The invented ledger as an XML service, with the mapping that knows the JSON one: same results, other bytes.

mod common;

use common::{counts, edit, harness, harness_with, record, remove, run, sweep, try_run};
use mapengine::http::WireRequest;
use mapengine::program::signature::{Moment, Signed};
use mapengine::program::system::Auth;
use mapengine::sandbox::{Outcome, Stand, credentials};
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
    let stand = harness.company.stands.right.borrow();
    let request = |body: &str| {
        signed(&stand, "POST", "/item.xml?method=add", Some(body), NOW, &format!("t-{}", body.len()))
    };
    let requests: Vec<_> = BODIES.iter().map(|body| request(body)).collect();
    drop(stand);
    let failed = |text: &str| {
        format!(
            "200 <Root><responsestatus><status>FAILED</status><status>INVALID_DATA :: {text}</status></responsestatus></Root>"
        )
    };
    let told: Vec<String> = requests.into_iter().map(|request| told(&harness, &request)).collect();
    assert_eq!(
        told,
        [
            failed("number is required"),
            failed("the elements do not stand in the order of the file"),
            failed("the body is no XML: it has a DOCTYPE, which is refused"),
        ]
    );
}

const BODIES: [&str; 3] = [
    "<Root><item><description>x</description></item></Root>",
    "<Root><item><status>Active</status><number>A</number></item></Root>",
    "<!DOCTYPE Root><Root/>",
];

const NOW: i64 = 1_793_606_400_123;

fn told(harness: &mapengine::case::Harness, request: &WireRequest) -> String {
    match harness.company.stands.right.borrow_mut().handle(request) {
        Outcome::Answer(response) => {
            format!("{} {}", response.status, String::from_utf8_lossy(&response.body))
        }
        other => panic!("{other:?}"),
    }
}

/// A request as a client of the company makes it.
fn signed(stand: &Stand, method: &str, path: &str, body: Option<&str>, at: i64, id: &str) -> WireRequest {
    let Auth::Signature(signature) = &stand.system().auth else { panic!("it signs nothing") };
    let all = credentials(stand.system()).into_iter().map(|(name, value)| (name, Value::Text(value)));
    let url = url::Url::parse(&format!("http://127.0.0.1{path}")).unwrap();
    let hash = mapengine::program::signature::body_sha256(body.unwrap_or_default().as_bytes());
    let request = Signed { method, url: &url, body_sha256: &hash };
    let moment = Moment::new(signature, at, id.to_owned());
    let mut headers = signature.headers(&Value::Map(all.collect()), request, &moment).unwrap();
    headers.push(("x-company".to_owned(), "sandbox-company".to_owned()));
    headers.push(("content-type".to_owned(), "text/xml".to_owned()));
    WireRequest {
        method: method.to_owned(),
        url,
        headers,
        body: body.map(|body| body.as_bytes().to_vec().into()),
        for_file: false,
    }
}

#[test]
fn the_stand_in_checks_signature_time_and_id() {
    let harness = harness_with("ledger_xml.yaml", SHOP, LEDGER);
    let make = |at: i64, id: &str| {
        signed(&harness.company.stands.right.borrow(), "GET", "/organization.xml", None, at, id)
    };
    harness.company.stands.right.borrow_mut().tell_time(NOW);
    let refused = |text: &str| {
        format!(
            "200 <Root><responsestatus><status>FAILED</status><status>{text}</status></responsestatus></Root>"
        )
    };
    let first = make(NOW, "a");
    assert!(told(&harness, &first).contains("<status>OK</status>"));
    // the very same request again
    assert_eq!(told(&harness, &first), refused("INVALID_DATA :: a request with this id came before"));
    assert!(told(&harness, &make(NOW - 120_000, "b")).contains("<status>OK</status>"));
    for (name, at) in [("c", NOW - 121_000), ("d", NOW + 121_000)] {
        let text = "AUTHENTICATION_FAILED :: its time is too far from the server&apos;s";
        assert_eq!(told(&harness, &make(at, name)), refused(text));
    }
    for (header, value) in
        [("X-Mac", "00"), ("X-Request", "f"), ("X-Time", "2026-11-02 08:00:00.000"), ("X-Unix", "1")]
    {
        let mut request = make(NOW, "e");
        request.headers.iter_mut().find(|(name, _)| name == header).unwrap().1 = value.to_owned();
        assert_eq!(
            told(&harness, &request),
            refused("AUTHENTICATION_FAILED :: the header X-Mac is missing or wrong"),
            "{header}"
        );
    }
    let mut other_place = make(NOW, "e");
    other_place.url.set_query(Some("a=b"));
    assert!(told(&harness, &other_place).contains("the header X-Mac is missing or wrong"));
}

#[test]
fn a_record_that_changed_is_read_by_its_key() {
    let mut harness = harness_with("ledger_xml.yaml", SHOP, LEDGER);
    run(&mut harness);
    let sjo = record(&harness, Side::Left, "customer", "name", "Sjø AS");
    assert_eq!(sjo.get("mainAddress").and_then(|address| address.get("city")), Some(&Value::text("Bergen")));
}

#[test]
fn an_empty_element_says_that_a_record_is_gone() {
    let shop = format!("{SHOP}      - {{ code: A-2, name: Nut, active: true, kind: Goods }}\n");
    let mut harness = harness_with("ledger_xml.yaml", &shop, LEDGER);
    assert_eq!(counts(&run(&mut harness), "items").created, 2);
    remove(&harness, Side::Right, "item", "number", "A-1");
    for _ in 0..2 {
        let report = sweep(&mut harness).unwrap_or_else(|(error, report)| panic!("{error}\n{report:#?}"));
        assert_eq!(report.writes, 0, "{report:#?}");
        assert_eq!(report.set_aside.len(), 1, "{report:#?}");
        assert_eq!(report.set_aside[0].code, "ME0909");
    }
}
