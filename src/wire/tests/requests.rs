//! Requests of changes, compared whole.

use super::*;

fn one(result: Result<Vec<String>, String>) -> String {
    match result {
        Ok(all) => all.join("\n"),
        Err(problem) => problem,
    }
}

#[test]
fn a_wrapped_create() {
    let system = system(WRAPPED);
    let customer = &system.resources["customer"];
    let record = r#"{"number":"C 1","name":"Acme","limit":12.50,"born":"2026-11-02","seen":"2026-11-02T08:09:10",
        "term":14,"override":true,"place":{"city":"Oslo","kind":"x"},"contacts":[{"id":1,"name":"Ann","note":"n"}]}"#;
    assert_eq!(
        one(creates(&system, customer, record)),
        concat!(
            r#"POST /customers {"number":{"value":"C 1"},"name":{"value":"Acme"},"limit":{"value":12.50},"#,
            r#""born":{"value":"2026-11-02"},"seen":{"value":"2026-11-02 08:09:10"},"active":{"value":true},"#,
            r#""term":{"value":{"id":{"value":1}}},"byTerm":{"value":true},"override":true,"#,
            r#""place":{"value":{"city":{"value":"Oslo"},"zone":{"value":null},"kind":{"value":"x"},"#,
            r#""how":{"value":"auto"}}},"contacts":[{"id":{"value":1},"name":{"value":"Ann"},"note":"n"}]}"#
        )
    );
}

#[test]
fn a_wrapped_update_sends_what_changes() {
    let system = system(WRAPPED);
    let customer = &system.resources["customer"];
    let now =
        r#"{"number":"a/ø","name":"Acme","level":"Gold","term":14,"place":{"city":"Oslo","zone":"Z1"}}"#;
    assert_eq!(
        one(updates(&system, customer, now, r#"{"name":"Acme 2","level":null,"term":60}"#)),
        concat!(
            r#"PUT /customers/b64(YS_DuA) {"name":{"value":"Acme 2"},"level":{"value":null},"#,
            r#""term":{"value":{"id":{"value":9}}},"byTerm":{"value":true}}"#
        )
    );
    // one member: what its siblings always send goes along, the others stay away
    assert_eq!(
        one(updates(&system, customer, now, r#"{"place.kind":"y"}"#)),
        concat!(
            r#"PUT /customers/b64(YS_DuA) {"place":{"value":{"zone":{"value":"Z1"},"kind":{"value":"y"},"#,
            r#""how":{"value":"auto"}}}}"#
        )
    );
    assert_eq!(
        one(updates(&system, customer, now, r#"{"place":{"city":null}}"#)),
        r#"PUT /customers/b64(YS_DuA) {"place":{"value":{"city":{"value":null},"zone":{"value":null}}}}"#
    );
}

#[test]
fn a_patch_sends_objects_whole() {
    let system = system(PATCHED);
    let item = &system.resources["item"];
    let now = r#"{"guid":"g-1","code":"A","price":{"amount":10.00,"currency":"NOK","shown":"10 kr"},
        "size":{"width":1,"unit":"inch","area":1},"kind":"Goods"}"#;
    assert_eq!(
        one(updates(&system, item, now, r#"{"price.amount":12.50,"size.width":2,"kind":null}"#)),
        concat!(
            r#"PATCH /items/g-1 [{"op":"Replace","path":"/price","value":{"amount":12.50,"currency":"NOK"}},"#,
            r#"{"op":"Replace","path":"/size","value":{"width":2,"unit":"inch"}},"#,
            r#"{"op":"Replace","path":"/kind","value":null}]"#
        )
    );
    assert_eq!(
        one(updates(&system, item, now, r#"{"price.currency":null,"['a~b/c']":"x"}"#)),
        concat!(
            r#"PATCH /items/g-1 [{"op":"Replace","path":"/price","value":{"amount":10.00,"currency":null}},"#,
            r#"{"op":"Replace","path":"/a~0b~1c","value":"x"}]"#
        )
    );
    assert_eq!(
        one(updates(&system, item, now, r#"{"size":null}"#)),
        r#"PATCH /items/g-1 [{"op":"Replace","path":"/size","value":null}]"#
    );
}

#[test]
fn everything_is_sent_where_a_system_wants_all() {
    let system = system(TAGGED);
    let party = &system.resources["party"];
    let now = r#"{"id":4,"name":"Acme","rate":33.3350,"born":"2026-11-02","size":{"width":1,"note":"n"}}"#;
    assert_eq!(
        one(updates(&system, party, now, r#"{"size.note":null,"seen":"2026-11-02T08:09:10Z"}"#)),
        concat!(
            r#"POST /parties/4 {"party":{"name":"Acme","rate":{"__class__":"Decimal","decimal":"33.3350"},"#,
            r#""born":{"__class__":"date","year":2026,"month":11,"day":2},"#,
            r#""size":{"width":{"__class__":"Decimal","decimal":"1"},"note":null},"#,
            r#""seen":{"__class__":"datetime","year":2026,"month":11,"day":2,"hour":8,"minute":9,"second":10}}}"#
        )
    );
}

#[test]
fn what_cannot_be_sent_is_named() {
    let system = system(WRAPPED);
    let customer = &system.resources["customer"];
    let update = |changes: &str| one(updates(&system, customer, r#"{"number":"1","name":"A"}"#, changes));
    let create = |record: &str| one(creates(&system, customer, record));
    for (told, message) in [
        (create(r#"{"number":"1"}"#), "Customer name (name): it is required and has no value"),
        (create(r#"{"name":"A","balance":1}"#), "balance: it cannot be written"),
        (create(r#"{"name":"A","contacts":[{"id":1}]}"#), "contacts.name: it is required and has no value"),
        (update(r#"{"name":null}"#), "Customer name (name): it is required and cannot be emptied"),
        (update(r#"{"number":"2"}"#), "number: it can be given when the record is made only"),
        (
            update(r#"{"place.since":"2026-11-02"}"#),
            "place.since: it can be given when the record is made only",
        ),
        (update(r#"{"balance":1}"#), "balance: it cannot be written"),
        (update(r#"{"nothing":1}"#), "nothing: customer has no such field"),
        (update(r#"{"place.nothing":1}"#), "place.nothing: there is no such field"),
        (
            update(r#"{"name":"1234567890123456789012345678901234567890123"}"#),
            "Customer name (name): it has 43 characters, 30 are allowed: shorten it, or let the row `truncate` it",
        ),
        (
            update(r#"{"place.city":"12345678901"}"#),
            "place.city: it has 11 characters, 10 are allowed: shorten it, or let the row `truncate` it",
        ),
        (update(r#"{"limit":123456.5}"#), "limit: 123456.5 has 6 digits before the point, 5 are allowed"),
        (
            update(r#"{"limit":1.125}"#),
            "limit: 1.125 has 3 places after the point, 2 are allowed: `round` it",
        ),
        (update(r#"{"limit":"much"}"#), "limit: exact decimal is declared, the value is \"much\""),
        (update(r#"{"active":"yes"}"#), "active: true/false is declared, the value is \"yes\""),
        (update(r#"{"born":"2026-02-30"}"#), "born: date is declared, the value is \"2026-02-30\""),
        (update(r#"{"level":"Tin"}"#), "level: it cannot be \"Tin\": it is one of Gold, Silver"),
        (update(r#"{"term":5}"#), "term: there is no term with days 5"),
        (update(r#"{"term":30}"#), "term: more than one term has days 30: 2, 7"),
        (update(r#"{"secret":{"a":"12345"}}"#), "secret: text is declared, the value is •••"),
    ] {
        assert_eq!(told, message);
    }
}

#[test]
fn values_take_the_declared_form() {
    let system = system(WRAPPED);
    let customer = &system.resources["customer"];
    let now = r#"{"number":"1","name":"A"}"#;
    assert_eq!(
        one(updates(&system, customer, now, r#"{"limit":"12.50","name":17,"born":"2026-11-02T00:00:00"}"#)),
        r#"PUT /customers/1 {"limit":{"value":12.50},"name":{"value":"17"},"born":{"value":"2026-11-02"}}"#
    );
}

#[test]
fn reads_and_removals_have_addresses_only() {
    let system = system(PATCHED);
    let item = &system.resources["item"];
    let now = json(r#"{"guid":"g/1"}"#);
    assert_eq!(shown(&get(&system, item, &now).unwrap()), "GET /items/g%2F1");
    let remove = Write::delete("item", now.clone());
    assert_eq!(shown(&encode(&system, item, &remove, &now, &Terms).unwrap()), "DELETE /items/g%2F1");
    assert_eq!(
        get(&system, item, &json("{}")).unwrap_err().to_string(),
        "guid: it is needed for the address of the call, and is missing"
    );
}

#[test]
fn lists_are_asked_for_what_changed_and_what_is_looked_for() {
    let system = system(PATCHED);
    let item = &system.resources["item"];
    let since = since_text(&system, item.cursor.as_ref().unwrap(), "2026-11-02T08:05:00Z");
    let filters = [("code".to_owned(), Value::text("A B")), ("changed".to_owned(), Value::text("x"))];
    let query = list_query(item, Some(&since), &filters);
    let query: Vec<String> = query.iter().map(|(name, value)| format!("{name}={value}")).collect();
    assert_eq!(query, ["changedSince=2026-11-02T07:55:00Z!", "order=up", "code=A B", "since=@x", "mode=ge"]);
    assert_eq!(list_query(item, None, &[]), []);
}

#[test]
fn the_new_key_is_found() {
    let wrapped = system(WRAPPED);
    let customer = &wrapped.resources["customer"];
    let location = [("Location".to_owned(), "https://x/api/customers/C%201/?a=b".to_owned())];
    assert_eq!(new_id(customer, 201, &location, None, &Value::Null).as_deref(), Some("C 1"));
    let system = system(PATCHED);
    let item = &system.resources["item"];
    let body = json(r#"{"guid":"g-9","code":"A"}"#);
    assert_eq!(new_id(item, 201, &[], Some(&body), &Value::Null).as_deref(), Some("g-9"));
    assert_eq!(new_id(item, 201, &[], None, &Value::Null), None);
    let list = json(r#"[{"guid":"g-9"}]"#);
    let found = record_in_reply(item, WriteEffect::Update, Some(&list));
    assert_eq!(found, Some(json(r#"{"guid":"g-9"}"#)));
    assert_eq!(record_in_reply(item, WriteEffect::Create, Some(&body)), Some(body.clone()));
    assert_eq!(record_in_get(item, &body), Some(body));
}

#[test]
fn emptied_fields_are_sent_as_the_system_says() {
    let system = system(SPOKEN);
    let card = &system.resources["card"];
    let now = r#"{"id":1,"name":"A","note":"n","short":"s","kind":"a","paid":true,"row":"r",
        "size":{"width":1.5,"note":"w"}}"#;
    let put = |changes: &str| one(updates(&system, card, now, changes));
    assert_eq!(
        put(r#"{"note":null,"short":null,"kind":null}"#),
        concat!(
            r#"PUT /cards/1 {"name":"A","always":null,"paid":1,"rows":[null,["r"]],"#,
            r#""size":{"width":1.5,"note":"w"},"short":"","kind":null}"#
        )
    );
    // members of an object, and the object itself
    assert_eq!(
        put(r#"{"size.width":null,"size.note":null}"#),
        concat!(
            r#"PUT /cards/1 {"name":"A","note":"n","short":"s","kind":"a","always":null,"paid":1,"#,
            r#""rows":[null,["r"]],"size":{"note":""}}"#
        )
    );
    assert_eq!(
        put(r#"{"size":null}"#),
        concat!(
            r#"PUT /cards/1 {"name":"A","note":"n","short":"s","kind":"a","always":null,"paid":1,"#,
            r#""rows":[null,["r"]]}"#
        )
    );
    assert_eq!(
        one(creates(&system, card, r#"{"name":"A","note":"","paid":false,"inner":"x"}"#)),
        r#"POST /cards {"name":"A","paid":0,"list":[{"code":"x"}]}"#
    );
}

#[test]
fn times_are_counted_where_a_field_or_its_encoding_says_so() {
    let system = system(SPOKEN);
    let card = &system.resources["card"];
    let create = |record: &str| one(creates(&system, card, record));
    let time = r#""2026-11-02T08:00:00Z""#;
    assert_eq!(
        create(&format!(
            r#"{{"name":"A","due":{time},"sent":"2026-11-02T10:00:00.25+02:00","told":{time}}}"#
        )),
        r#"POST /cards {"name":"A","due":1793606400,"sent":1793606400250,"told":"2026-11-02T08:00:00Z"}"#
    );
    assert_eq!(
        create(r#"{"name":"A","due":"2026-11-02T08:00:00.25Z"}"#),
        "due: it cannot be \"2026-11-02T08:00:00.25Z\": it is not whole: the system counts the seconds since 1970, and nothing below"
    );
    let cursor = card.cursor.as_ref().unwrap();
    let since = since_text(&system, cursor, "2026-11-02T08:00:00.75Z");
    assert_eq!(list_query(card, Some(&since), &[]), [("since".to_owned(), "gt:1793606340".to_owned())]);
}
