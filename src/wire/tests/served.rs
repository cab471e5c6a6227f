//! The server's half against the client's: what one writes the other reads.

use proptest::prelude::*;

use super::serve::{decode_body, encode_answer};
use super::*;
use crate::program::system::CallKind;

fn body(system: &System, resource: &str, call: CallKind, body: &str) -> Result<String, Vec<String>> {
    let resource = &system.resources[resource];
    let encoding = match call {
        CallKind::Create => &resource.create.as_ref().unwrap().encoding,
        _ => &resource.update.as_ref().unwrap().encoding,
    };
    decode_body(system, resource, call, encoding, &json(body), &Terms).map(|found| {
        let told: BTreeMap<String, String> =
            found.iter().map(|(path, value)| (path.to_string(), value.to_json())).collect();
        told.iter().map(|(path, value)| format!("{path}={value}")).collect::<Vec<_>>().join(" ")
    })
}

fn problems(all: &[&str]) -> Result<String, Vec<String>> {
    Err(all.iter().map(|one| (*one).to_owned()).collect())
}

#[test]
fn every_mistake_in_a_wrapped_body_is_told() {
    let system = system(WRAPPED);
    assert_eq!(
        body(
            &system,
            "customer",
            CallKind::Create,
            r#"{"nothing":{"value":1},"level":{"value":"Tin"},"limit":12,"balance":{"value":1},"active":{"value":"yes"},
                "place":{"value":{"city":"Oslo"}},"term":{"value":{"id":{"value":"1"}}},"override":{"value":true},
                "contacts":[{"id":{"value":1}}],"byTerm":{"value":false}}"#
        ),
        problems(&[
            "nothing is not known or cannot be written",
            "level: it cannot be \"Tin\": it is one of Gold, Silver",
            "limit must be an object with the one member value",
            "balance is not known or cannot be written",
            "active: must be true/false, not \"yes\"",
            "place.city must be an object with the one member value",
            "term.id: there is no term with the key \"1\"",
            "override: must be true/false, not {\"value\":true}",
            "contacts: name is required",
            "byTerm has another value than it may have",
            "name is required",
        ])
    );
    assert_eq!(
        body(
            &system,
            "customer",
            CallKind::Update,
            r#"{"number":{"value":"2"},"name":{"value":null},"place":{"value":{"since":{"value":"2026-11-02"}}}}"#
        ),
        problems(&["number cannot be changed", "name is required", "place.since cannot be changed"])
    );
}

#[test]
fn every_mistake_in_a_patch_is_told() {
    let system = system(PATCHED);
    let patch = |text: &str| body(&system, "item", CallKind::Update, text);
    assert_eq!(
        patch(
            r#"[{"op":"replace","path":"/code","value":"A"},{"op":"Replace","path":"code","value":"A"},
                {"op":"Replace","path":"/code"},{"op":"Replace","path":"/nothing","value":1},
                {"op":"Replace","path":"/kind","value":"Tin"},{"op":"Replace","path":"/code","value":"A"},
                {"op":"Replace","path":"/code","value":"B"}]"#
        ),
        problems(&[
            "operation \"replace\" is not supported: only Replace",
            "\"code\" is no path",
            "/code: the operation has no value",
            "nothing is not known or cannot be written",
            "kind: it cannot be \"Tin\": it is one of Goods, Service",
            "/code is given twice",
        ])
    );
    assert_eq!(patch("{}"), problems(&["the body must be a list of operations"]));
}

#[test]
fn a_patched_object_is_replaced_whole() {
    let system = system(PATCHED);
    let patch = |text: &str| body(&system, "item", CallKind::Update, text);
    assert_eq!(
        patch(
            r#"[{"op":"Replace","path":"/price","value":{"amount":1.50}},{"op":"Replace","path":"/a~0b~1c","value":"x"}]"#
        ),
        Ok(r#"a~b/c="x" price.amount=1.50 price.currency=null"#.into())
    );
    assert_eq!(
        patch(r#"[{"op":"Replace","path":"/price","value":null}]"#),
        Ok("price.amount=null price.currency=null".into())
    );
    assert_eq!(patch(r#"[{"op":"Replace","path":"/price/amount","value":2}]"#), Ok("price.amount=2".into()));
}

#[test]
fn an_envelope_and_tags_are_exact() {
    let system = system(TAGGED);
    let create = |text: &str| body(&system, "party", CallKind::Create, text);
    assert_eq!(
        create(r#"{"name":"A"}"#),
        problems(&["the body must be an object with the one member party", "name is required"])
    );
    assert_eq!(
        create(
            r#"{"party":{"name":"A","rate":1.5,"born":{"__class__":"day","year":2026,"month":1,"day":1}}}"#
        ),
        problems(&[
            "rate: must be exact decimal, not 1.5",
            "born: must be date, not {\"__class__\":\"day\",\"year\":2026,\"month\":1…",
        ])
    );
    assert_eq!(
        create(r#"{"party":{"name":"A","rate":{"__class__":"Decimal","decimal":"1.50"}}}"#),
        Ok(r#"name="A" rate=1.50"#.into())
    );
}

fn text() -> impl Strategy<Value = Option<Value>> {
    prop::option::of("[a-zæøå'\"/~ -]{1,9}".prop_map(Value::Text))
}

fn decimal() -> impl Strategy<Value = Option<Value>> {
    prop::option::of(
        (-99_999_i64..99_999, 0_u32..=2)
            .prop_map(|(digits, scale)| Value::Number(crate::value::Decimal::new(digits, scale))),
    )
}

fn date() -> impl Strategy<Value = Option<Value>> {
    prop::option::of(
        (1_i64..9999, 1_i64..=12, 1_i64..=28)
            .prop_map(|(y, m, d)| Value::Text(format!("{y:04}-{m:02}-{d:02}"))),
    )
}

fn record(parts: Vec<(&str, Option<Value>)>) -> Value {
    let mut record = Value::Map(Map::new());
    for (name, value) in parts {
        if let Some(value) = value {
            path(name).set(&mut record, value);
        }
    }
    record
}

/// What the server understands of a create, as a record.
fn understood(system: &System, resource: &Resource, sent: &Value) -> Value {
    let write = plan_create(system, resource, sent).unwrap().remove(0);
    let request = encode(system, resource, &write, sent, &Terms).unwrap();
    let encoding = &resource.create.as_ref().unwrap().encoding;
    let body = from_json_str(&request.body.unwrap().to_json()).unwrap();
    let found = decode_body(system, resource, CallKind::Create, encoding, &body, &Terms).unwrap();
    let mut record = Value::Map(Map::new());
    for (path, value) in found {
        path.set(&mut record, value);
    }
    record
}

/// What the client reads of a record that the server shows.
fn read_back(system: &System, resource: &Resource, held: &Value) -> Value {
    let answer = from_json_str(&encode_answer(system, resource, held, &Terms).to_json()).unwrap();
    decode(system, resource, None, &answer, &Terms).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn wrapped_records_survive_both_ways(
        name in "[a-z ]{1,30}", limit in decimal(), born in date(), city in text(), zone in text(), note in text(),
        term in prop::option::of(prop::sample::select(vec![14_i64, 60])), active in any::<bool>(),
        level in prop::option::of(prop::sample::select(vec!["Gold", "Silver"])),
    ) {
        let system = system(WRAPPED);
        let customer = &system.resources["customer"];
        let contact = record(vec![("id", Some(Value::from(3_i64))), ("name", Some("Ann".into())), ("note", note)]);
        let limit = limit.filter(|limit| matches!(limit, Value::Number(n) if n.trunc().abs() < 100_000.into()));
        let sent = record(vec![
            ("number", Some("C-1".into())), ("name", Some(name.into())), ("limit", limit), ("born", born),
            ("seen", Some("2026-11-02T08:09:10".into())), ("term", term.map(Value::from)), ("place.city", city),
            ("place.zone", zone), ("active", Some(active.into())), ("level", level.map(Value::from)),
            ("contacts", Some(Value::List(vec![contact]))),
        ]);
        prop_assert_eq!(understood(&system, customer, &sent).canonical(), sent.canonical());
        prop_assert_eq!(read_back(&system, customer, &sent).canonical(), sent.canonical());
    }

    #[test]
    fn tagged_records_survive_both_ways(
        name in "[a-z ]{1,9}", rate in decimal(), born in date(), width in decimal(), note in text(),
        second in 0_i64..86_400,
    ) {
        let system = system(TAGGED);
        let party = &system.resources["party"];
        let seen = jiff::Timestamp::from_second(1_700_000_000 + second).unwrap();
        let sent = record(vec![
            ("name", Some(name.into())), ("rate", rate), ("born", born), ("seen", Some(Value::Text(seen.to_string()))),
            ("size.width", width), ("size.note", note),
        ]);
        prop_assert_eq!(understood(&system, party, &sent).canonical(), sent.canonical());
        let mut held = sent;
        path("id").set(&mut held, Value::from(4_i64));
        prop_assert_eq!(read_back(&system, party, &held).canonical(), held.canonical());
    }
}

#[test]
fn a_file_inside_a_body_is_base64() {
    let system = system(
        r#"
system: files
title: Files
base_url: https://files.example
auth: { kind: none }
whoami: { get: /me, fields: [ id ] }
resources:
  slip:
    path: /slips
    key: id
    access: write_only
    create: { post: "{path}", id: id }
    fields:
      id:     { type: id, read_only: true }
      papers: { type: list, embeds: { name: name, content: data }, fields: { name: text, data: text } }
"#,
    );
    let create = |text: &str| body(&system, "slip", CallKind::Create, text);
    assert_eq!(
        create(r#"{"papers":[{"name":"a.pdf","data":"JVBERg=="}]}"#).as_deref(),
        Ok(r#"papers=[{"name":"a.pdf","data":"JVBERg=="}]"#)
    );
    let wrong = problems(&["papers: data is not base64"]);
    assert_eq!(create(r#"{"papers":[{"name":"a.pdf","data":"file 7 of 4 bytes"}]}"#), wrong);
    assert_eq!(create(r#"{"papers":[{"name":"a.pdf"}]}"#), wrong);
}

#[test]
fn every_word_of_a_dialect_is_understood_and_no_other() {
    let system = system(SPOKEN);
    let create = |text: &str| body(&system, "card", CallKind::Create, text);
    assert_eq!(
        create(r#"{"name":"A","paid":1,"due":1793606400,"sent":1793606400250,"rows":[null,["r"]],"list":[{"code":"x"}]}"#),
        Ok(r#"due="2026-11-02T08:00:00Z" inner="x" name="A" paid=true row="r" sent="2026-11-02T08:00:00.25Z""#.into())
    );
    assert_eq!(
        create(
            r#"{"name":"A","paid":true,"due":"1793606400","told":1793606400,"note":null,"short":null,
                "rows":["x",["r",1]],"list":[{"other":1}]}"#
        ),
        problems(&[
            "paid: must be true/false, not true",
            "due: must be time (whole seconds since 1970, up to the year 9999), not \"1793606400\"",
            "told: must be time, not 1793606400",
            "note is emptied by being left out, not by null",
            "short is emptied by \"\", not by null",
            "rows[0] is not known or cannot be written",
            "rows[1][1] is not known or cannot be written",
            "list[0].other is not known or cannot be written",
        ])
    );
    // what is not there is empty; what is emptied in another way stays as it is
    assert_eq!(
        body(&system, "card", CallKind::Update, r#"{"name":"A","size":{"width":1}}"#),
        Ok(r#"due=null inner=null name="A" note=null paid=null row=null sent=null size.width=1 told=null"#
            .into())
    );
    assert_eq!(body(&system, "card", CallKind::Update, r#"{"note":"n"}"#), problems(&["name is required"]));
}

#[test]
fn a_time_that_cannot_be_read_as_it_is_sent_is_answered_as_it_is_read() {
    let text = TAGGED
        .replace("times: { zone: utc }", "times: { zone: utc, send_time: \"%s000\", read_times: [ \"%d.%m.%Y %H:%M\" ] }")
        .replace("      time: { as: tagged, tag: { __class__: datetime }, members: [ year, month, day, hour, minute, second ] }\n", "");
    let system = system(&text);
    let party = &system.resources["party"];
    let held = json(r#"{"id":1,"name":"A","seen":"2026-11-02T08:00:00Z"}"#);
    let answer = encode_answer(&system, party, &held, &Terms);
    assert_eq!(answer.get("seen"), Some(&Value::text("02.11.2026 08:00")));
    assert_eq!(read_back(&system, party, &held).canonical().to_json(), held.canonical().to_json());
}
