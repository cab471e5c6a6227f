//! Children: put in place when read, written when changed.

use super::*;
use crate::program::system::{MANY_FIT, PARTS};

const NOW: &str = r#"{"number":"7","name":"Acme","phone":"1","phoneNote":"home",
    "mainAddress":{"number":"a1","main":true,"bill":true,"street":"S","city":"Oslo"},
    "billAddress":{"number":"a1","main":true,"bill":true,"street":"S","city":"Oslo"},
    "@parts":{"phone":"p1","phoneNote":"p1","mainAddress":"a1","billAddress":"a1"}}"#;

fn update(now: &str, changes: &str) -> Result<Vec<String>, String> {
    let system = system(WRAPPED);
    updates(&system, &system.resources["customer"], now, changes)
}

fn texts(all: &[&str]) -> Result<Vec<String>, String> {
    Ok(all.iter().map(|one| (*one).to_owned()).collect())
}

#[test]
fn values_of_one_child_are_one_write() {
    assert_eq!(
        update(NOW, r#"{"name":"B","phone":"2","phoneNote":"work"}"#),
        texts(&[
            r#"PUT /customers/7 {"name":{"value":"B"}}"#,
            r#"PUT /phones/p1 {"text":{"value":"2"},"note":{"value":"work"}}"#,
        ])
    );
    // the note of a phone can change alone, and go alone
    assert_eq!(update(NOW, r#"{"phoneNote":null}"#), texts(&[r#"PUT /phones/p1 {"note":{"value":null}}"#]));
    assert_eq!(update(NOW, r#"{"phone":null,"phoneNote":null}"#), texts(&["DELETE /phones/p1"]));
    let bare = r#"{"number":"7"}"#;
    assert_eq!(
        update(bare, r#"{"phone":"2","phoneNote":"work"}"#),
        texts(&[concat!(
            r#"POST /phones {"customer":{"value":"7"},"kind":{"value":"Mobile"},"text":{"value":"2"},"#,
            r#""note":{"value":"work"}}"#
        )])
    );
    assert_eq!(update(bare, r#"{"phone":null}"#), texts(&[]));
}

#[test]
fn a_shared_child_gets_one_value() {
    let whole = r#"PUT /addresses/a1 {"main":{"value":true},"bill":{"value":true},"city":{"value":"Oslo"},"street":{"value":"T"}}"#;
    assert_eq!(update(NOW, r#"{"mainAddress.street":"T","billAddress.street":"T"}"#), texts(&[whole]));
    let two = |one: &str, other: &str| {
        Err(format!(
            "{one}: two values for one shared part: {one} and {other} are the same record. Make them two, or give both the same value"
        ))
    };
    assert_eq!(update(NOW, r#"{"mainAddress.street":"T"}"#), two("mainAddress", "billAddress"));
    assert_eq!(
        update(NOW, r#"{"mainAddress.street":"T","billAddress.street":"U"}"#),
        two("billAddress", "mainAddress")
    );
    assert_eq!(
        update(NOW, r#"{"mainAddress.street":"T","billAddress.city":"Bergen"}"#),
        two("billAddress", "mainAddress")
    );
}

#[test]
fn equal_new_objects_are_one_child_with_both_marks() {
    let made = |tail: &str| format!(r#"POST /addresses {{"customer":{{"value":"7"}},{tail}}}"#);
    let both = r#""main":{"value":true},"bill":{"value":true},"street":{"value":"T"}"#;
    let (main, bill) = (
        r#""main":{"value":true},"street":{"value":"T"}"#,
        r#""bill":{"value":true},"street":{"value":"U"}"#,
    );
    let now = r#"{"number":"7"}"#;
    assert_eq!(
        update(now, r#"{"mainAddress":{"street":"T"},"billAddress.street":"T"}"#),
        Ok(vec![made(both)])
    );
    assert_eq!(
        update(now, r#"{"mainAddress.street":"T","billAddress.street":"U"}"#),
        Ok(vec![made(main), made(bill)])
    );
}

#[test]
fn what_is_marked_by_a_flag_is_not_removed() {
    let now = r#"{"number":"7","mainAddress":{"street":"S"},"@parts":{"mainAddress":"a1"}}"#;
    assert_eq!(
        update(now, r#"{"mainAddress":null}"#),
        Err("mainAddress: it cannot be emptied as a whole: its record is only marked by a flag. Empty its members".into())
    );
    assert_eq!(
        update(now, r#"{"mainAddress":"x"}"#),
        Err("mainAddress: object is declared, the value is text".into())
    );
}

#[test]
fn a_create_makes_the_record_first() {
    let system = system(WRAPPED);
    let customer = &system.resources["customer"];
    let record = json(r#"{"name":"Acme","phone":"1","mainAddress":{"street":"S"}}"#);
    let writes = plan_create(&system, customer, &record).unwrap();
    let told: Vec<String> = writes
        .iter()
        .map(|write| {
            let pointer = write.pointer.as_ref().map(Path::to_string).unwrap_or_default();
            let parent = write.parent_field.as_ref().map(Path::to_string).unwrap_or_default();
            format!("{:?} {} {parent} {pointer}", write.effect, write.resource)
        })
        .collect();
    assert_eq!(told, ["Create customer  ", "Create phone customer ", "Create address customer mainNumber"]);
    assert!(writes[1].touches("phone") && !writes[0].touches("phone") && writes[0].touches("name"));
}

#[test]
fn children_are_put_in_place() {
    let system = system(WRAPPED);
    let customer = &system.resources["customer"];
    let children = |part: &str| -> Vec<(String, Value)> {
        let rows: &[(&str, &str)] = match part {
            "phones" => &[
                ("p1", r#"{"kind":"Fax","text":"9"}"#),
                ("p2", r#"{"kind":"Mobile","text":"1","note":"home"}"#),
            ],
            _ => &[
                ("a1", r#"{"main":true,"street":"S"}"#),
                ("a2", r#"{"main":true,"bill":true,"street":"T"}"#),
            ],
        };
        rows.iter().map(|(id, row)| ((*id).to_owned(), json(row))).collect()
    };
    let mut record = json(r#"{"number":"7","mainNumber":"a2"}"#);
    assemble(customer, &mut record, &children, &|_, _| None);
    assert_eq!(
        record.to_json(),
        concat!(
            r#"{"number":"7","mainNumber":"a2","phone":"1","phoneNote":"home","#,
            r#""mainAddress":{"main":true,"bill":true,"street":"T"},"#,
            r#""billAddress":{"main":true,"bill":true,"street":"T"},"#,
            r#""@parts":{"phone":"p2","phoneNote":"p2","mainAddress":"a2","billAddress":"a2"}}"#
        )
    );
    let mut record = json(r#"{"number":"7"}"#);
    assemble(customer, &mut record, &|_| Vec::new(), &|_, _| None);
    assert_eq!(record.to_json(), r#"{"number":"7"}"#);
    // without a pointer two are too many, unless one is known
    let mut record = json(r#"{"number":"7"}"#);
    assemble(customer, &mut record, &children, &|_, _| None);
    assert_eq!(record.get("mainAddress"), None);
    assert_eq!(record.get(MANY_FIT).unwrap().to_json(), r#"{"mainAddress":["a1","a2"]}"#);
    let mut record = json(r#"{"number":"7"}"#);
    assemble(customer, &mut record, &children, &|field, all| {
        assert_eq!((field.to_string().as_str(), all), ("mainAddress", &["a1", "a2"][..]));
        Some("a2".to_owned())
    });
    assert_eq!(record.get(MANY_FIT), None);
    assert_eq!(record.get(PARTS).and_then(|parts| parts.get("mainAddress")), Some(&Value::text("a2")));
}
