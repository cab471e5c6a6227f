//! Lists that tell keys, rows inside rows, and what XML makes of lists.

use super::*;
use crate::program::system::{EncodingKind, FetchCall};

/// A list of keys whose records are fetched two at a time.
fn keyed() -> Resource {
    let mut customer = listed(Pager { size: None, records: Some(path("rows")), ..pager(Paging::None) });
    customer.list.as_mut().unwrap().then = Some(FetchCall {
        path: PathTemplate { pieces: vec![Piece::Text("/v1/customers".into())] },
        query: Vec::new(),
        key: query("key"),
        param: "keys".into(),
        join: ",".into(),
        at_most: 2,
        records: vec![path("all.one"), path("one")],
    });
    customer
}

fn in_xml(mut customer: Resource) -> Resource {
    customer.encoding.kind = EncodingKind::Xml;
    customer.encoding.xml.root = Some("root".into());
    customer
}

const KEYS: &str = r#"{"rows":[{"key":1},{"key":2},{"key":3}]}"#;
const FETCH: &str = "GET /api/v1/customers?keys=";

fn fetches(keys: &[&str]) -> Vec<String> {
    [String::new()].into_iter().chain(keys.iter().map(|keys| format!("{FETCH}{keys}"))).collect()
}

#[tokio::test]
async fn records_are_fetched_by_their_keys() {
    let answers = vec![
        json(200, KEYS),
        json(200, r#"{"all":{"one":[{"id":1},{"id":2}]}}"#),
        json(200, r#"{"one":{"id":3}}"#),
    ];
    let read = read(keyed(), answers).await;
    assert_eq!(read.pages, [r#"[{"id":1},{"id":2},{"id":3}]"#]);
    assert_eq!(read.asked, fetches(&["1%2C2", "3"]));
    assert!(read.complete, "{:?}", read.problem);
}

#[tokio::test]
async fn a_key_that_is_gone_does_not_hide_the_others() {
    let answers = vec![
        json(200, KEYS),
        json(404, "{}"),
        json(200, r#"{"one":{"id":1}}"#),
        json(404, "{}"),
        json(200, r#"{"one":{"id":3}}"#),
    ];
    let read = read(keyed(), answers).await;
    assert_eq!(read.pages, [r#"[{"id":1},{"id":3}]"#]);
    assert_eq!(read.asked, fetches(&["1%2C2", "1", "2", "3"]));
    assert!(read.complete, "{:?}", read.problem);
}

#[tokio::test]
async fn fewer_records_than_keys_are_not_the_whole() {
    let answers =
        vec![json(200, KEYS), json(200, r#"{"all":{"one":[{"id":1}]}}"#), json(200, r#"{"one":{"id":3}}"#)];
    let read = read(keyed(), answers).await;
    assert_eq!(read.pages, [r#"[{"id":1},{"id":3}]"#]);
    assert_eq!(read.problem.as_deref(), Some("customer: 2 records were asked for by key, 1 came"));
    assert!(!read.complete);
}

#[tokio::test]
async fn a_row_without_a_key_is_told() {
    let answers = vec![json(200, r#"{"rows":[{"name":"x"},{"key":3}]}"#), json(200, r#"{"one":{"id":3}}"#)];
    let read = read(keyed(), answers).await;
    assert_eq!(read.problem.as_deref(), Some("customer: 1 listed rows have no key at `key`"));
    assert!(!read.complete);
}

#[tokio::test]
async fn one_alone_and_none_in_xml() {
    let list = |records: &str| {
        in_xml(listed(Pager { size: None, records: Some(path(records)), ..pager(Paging::None) }))
    };
    let answer = |body: &str| vec![with(200, &[("content-type", "text/xml")], body)];
    let one = read(list("rows.row"), answer("<root><rows><row><id>1</id></row></rows></root>")).await;
    assert_eq!(one, whole(&[r#"[{"id":"1"}]"#], &[""]));
    let two = read(list("rows.row"), answer("<root><rows><row><a/></row><row/></rows></root>")).await;
    assert_eq!(two, whole(&[r#"[{"a":null},null]"#], &[""]));
    for empty in
        ["<root><rows/></root>", "<root><rows>\n</rows></root>", "<root><rows type=\"array\"/></root>"]
    {
        assert_eq!(read(list("rows.row"), answer(empty)).await, whole(&["[]"], &[""]), "{empty}");
    }
    // an answer without the list is no empty list
    let (client, _, _) = client(list("rows.row"), answer("<root><status>OK</status></root>"));
    let customer = std::sync::Arc::clone(&client.system().resources["customer"]);
    let mut pages = Pages::new(&client, &customer, Vec::new(), None).unwrap();
    assert_eq!(
        pages.next().await.unwrap_err().message,
        "shop was asked to list customer, but its answer has nothing at `rows.row`: a list of records is wanted"
    );
}

#[tokio::test]
async fn rows_inside_rows_know_what_is_around_them() {
    let mut inside = in_xml(listed(Pager {
        size: None,
        records: Some(path("heads.head[*].items.item[*]")),
        ..pager(Paging::None)
    }));
    inside.list.as_mut().unwrap().around = Some("head".into());
    let body = "<root><heads><head><name>A</name><items><item><id>1</id></item><item><id>2</id></item></items></head>\
                <head><name>B</name><items/></head><head><name>C</name><items><item><id>3</id></item></items></head></heads></root>";
    let read = read(inside, vec![with(200, &[("content-type", "text/xml")], body)]).await;
    assert_eq!(
        read.pages,
        [
            r#"[{"id":"1","head":{"name":"A","items":{}}},{"id":"2","head":{"name":"A","items":{}}},{"id":"3","head":{"name":"C","items":{}}}]"#
        ]
    );
}
