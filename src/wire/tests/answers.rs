//! Answers as records.

use std::collections::BTreeSet;

use super::*;

fn read(system: &System, resource: &str, wanted: Option<&[&str]>, wire: &str) -> Result<String, String> {
    let wanted: Option<BTreeSet<String>> =
        wanted.map(|names| names.iter().map(|name| (*name).to_owned()).collect());
    decode(system, &system.resources[resource], wanted.as_ref(), &json(wire), &Terms)
        .map(|record| record.to_json())
        .map_err(|problem| problem.to_string())
}

#[test]
fn a_record_has_the_mappings_names_and_kinds() {
    let system = system(WRAPPED);
    let wire = r#"{"number":17,"name":"Acme","level":"Tin","limit":"12.50","born":"2023-12-31T00:00:00","extra":1,
        "seen":"2026-11-02T10:00:00.5","term":{"id":2},"place":{"city":"Oslo","zone":{"id":"Z"}},"override":true,
        "tags":["a",2],"rows":[{"price":1.5},{"price":null},{"price":"2.50"}],"contacts":[{"id":"4","name":"Ann"}]}"#;
    assert_eq!(
        read(&system, "customer", None, wire),
        Ok(concat!(
            r#"{"number":"17","name":"Acme","level":"Tin","limit":12.50,"born":"2023-12-31","#,
            r#""seen":"2026-11-02T10:00:00.5","term":30,"place":{"city":"Oslo","zone":"Z"},"tags":["a","2"],"#,
            r#""prices":[{"amount":1.5},{"amount":null},{"amount":2.50}],"contacts":[{"id":4,"name":"Ann"}]}"#
        )
        .to_owned())
    );
    assert_eq!(
        read(&system, "customer", Some(&["name"]), wire),
        Ok(r#"{"number":"17","name":"Acme"}"#.into())
    );
}

#[test]
fn what_is_not_as_declared_is_named() {
    let system = system(WRAPPED);
    let customer = |wire: &str| read(&system, "customer", None, wire).unwrap_err();
    for (wire, message) in [
        ("[]", "customer: an object is declared, the answer holds []"),
        (r#"{"limit":true}"#, "limit: exact decimal is declared, the answer holds true"),
        (r#"{"born":20231231}"#, "born: date is declared, the answer holds 20231231"),
        (r#"{"secret":{"a":"hidden"}}"#, "secret: text is declared, the answer holds an object"),
        (r#"{"place":"Oslo"}"#, "place: object is declared, the answer holds \"Oslo\""),
        (r#"{"place":{"city":[1]}}"#, "place: city: text is declared, the answer holds [1]"),
        (r#"{"contacts":{}}"#, "contacts: list of object is declared, the answer holds {}"),
        (r#"{"contacts":[{"id":"x"}]}"#, "contacts: id: integer is declared, the answer holds \"x\""),
        (r#"{"contacts":["x"]}"#, "contacts: list of object is declared, the answer holds \"x\""),
        (r#"{"term":{"id":99}}"#, "term: there is no term with the key 99"),
        (r#"{"term":{"id":{}}}"#, "term: the key of term is declared, the answer holds an object"),
    ] {
        assert_eq!(customer(wire), message);
    }
}

#[test]
fn what_an_update_must_send_again_is_read_too() {
    let system = system(PATCHED);
    let wire = r#"{"guid":"g","changed":"2026-11-02T10:00:00+02:00","code":"A",
        "price":{"amount":1,"currency":"NOK","shown":"1 kr"},"kind":"Goods"}"#;
    assert_eq!(
        read(&system, "item", Some(&["price.amount"]), wire),
        Ok(r#"{"guid":"g","changed":"2026-11-02T08:00:00Z","price":{"amount":1,"currency":"NOK"}}"#.into())
    );
    // nobody asked for it: it stops nothing
    assert_eq!(
        read(&system, "item", Some(&["price.amount"]), r#"{"guid":"g","price":{"amount":1,"currency":[]}}"#),
        Ok(r#"{"guid":"g","price":{"amount":1}}"#.into())
    );
}

#[test]
fn counted_times_are_read_and_others_are_named() {
    let system = system(SPOKEN);
    let card = |wire: &str| read(&system, "card", None, wire);
    assert_eq!(
        card(
            r#"{"due":1793606400,"sent":"1793606400250","told":"2026-11-02T08:00:00+00:00","paid":0,"rows":[[1],["r"]]}"#
        ),
        Ok(concat!(
            r#"{"paid":false,"due":"2026-11-02T08:00:00Z","sent":"2026-11-02T08:00:00.25Z","#,
            r#""told":"2026-11-02T08:00:00Z","row":"r"}"#
        )
        .into())
    );
    for (wire, message) in [
        (
            r#"{"due":1793606400.5}"#,
            "due: time (whole seconds since 1970, up to the year 9999) is declared, the answer holds 1793606400.5",
        ),
        (
            r#"{"due":1793606400250}"#,
            "due: time (whole seconds since 1970, up to the year 9999) is declared, the answer holds 1793606400250",
        ),
        (r#"{"told":1793606400}"#, "told: time is declared, the answer holds 1793606400"),
        (r#"{"paid":2}"#, "paid: true/false is declared, the answer holds 2"),
    ] {
        assert_eq!(card(wire), Err(message.into()));
    }
}

#[test]
fn what_is_left_of_a_removed_record_is_told_apart() {
    let system = system(SPOKEN);
    let left = |wire: &str| {
        removed(&system, &system.resources["card"], &json(wire), &Terms)
            .map(|left| left.map(|left| left.to_json()))
            .map_err(|problem| problem.to_string())
    };
    let told = |text: &str| Ok(Some(text.to_owned()));
    assert_eq!(left(r#"{"id":7,"state":"gone"}"#), told(r#"{"id":7,"state":"gone"}"#));
    // what else it holds does not matter, whatever it is
    assert_eq!(
        left(r#"{"id":7,"size":{"lost":1},"changed":1793606400,"due":"soon"}"#),
        told(r#"{"id":7,"size":{"lost":true},"changed":"2026-11-02T08:00:00Z"}"#)
    );
    assert_eq!(left(r#"{"state":"gone"}"#), told(r#"{"state":"gone"}"#));
    assert_eq!(left(r#"{"id":7,"name":"A","size":{"lost":0}}"#), Ok(None));
    assert_eq!(left(r#"{"id":7}"#), Ok(None));
    assert_eq!(left(r#"{"id":7,"state":[1]}"#), Err("state: text is declared, the answer holds [1]".into()));
}

#[test]
fn a_part_of_a_text_is_read_where_it_is_there() {
    let system = system(
        "system: s\ntitle: S\nbase_url: https://example.test\nresources:\n  item:\n    path: /items\n    list: { get: /items }\n    key: id\n    fields:\n      id: id\n      name: text\n      number: { type: text, read: name, read_only: true, extract: \"^([0-9]+) \" }\n      word: { type: text, read: name, read_only: true, extract: \"[A-Z][a-z]+\" }\n",
    );
    let item = |wire: &str| read(&system, "item", Some(&["number", "word"]), wire);
    for (name, number, word) in [
        ("\"501 Harbour 2\"", "\"501\"", "\"Harbour\""),
        ("\"harbour\"", "null", "null"),
        ("null", "null", "null"),
    ] {
        let read = item(&format!(r#"{{"id":"1","name":{name}}}"#));
        assert_eq!(read, Ok(format!(r#"{{"id":"1","number":{number},"word":{word}}}"#)));
    }
}
