use super::*;

fn range_pager() -> Pager {
    Pager { size: None, ..pager(Paging::Range { unit: "records".into(), size: 2 }) }
}

fn part(range: &str, body: &str) -> Answer {
    with(206, &[("content-range", range)], body)
}

#[tokio::test]
async fn ranges_with_and_without_a_total() {
    let answers = vec![part("records 0-1/3", "[1,2]"), part("records 2-2/3", "[3]")];
    assert_eq!(
        read(listed(range_pager()), answers).await,
        whole(&["[1,2]", "[3]"], &[" records=0-1", " records=2-3"])
    );
    let answers = vec![part("records 0-1/*", "[1,2]"), with(416, &[], "past the end")];
    assert_eq!(
        read(listed(range_pager()), answers).await,
        whole(&["[1,2]"], &[" records=0-1", " records=2-3"])
    );
    // a part with 200
    let answers = vec![
        with(200, &[("content-range", "records 0-1/3")], "[1,2]"),
        with(200, &[("content-range", "records 2-2/3")], "[3]"),
    ];
    assert!(read(listed(range_pager()), answers).await.complete);
    // the range is not heeded
    assert_eq!(
        read(listed(range_pager()), vec![json(200, "[1,2,3]")]).await,
        whole(&["[1,2,3]"], &[" records=0-1"])
    );
    let answers = vec![with(416, &[("content-range", "records */0")], "")];
    assert_eq!(read(listed(range_pager()), answers).await, whole(&["[]"], &[" records=0-1"]));
    let answers = vec![part("records 0-1/5", "[1,2]"), with(416, &[("content-range", "records */5")], "")];
    let read_ = read(listed(range_pager()), answers).await;
    assert_eq!(
        read_.problem.as_deref(),
        Some("customer: the system says that there are 5 records, but only 2 came")
    );
}

#[tokio::test]
async fn a_part_from_elsewhere_is_an_error() {
    let (client, _, _) =
        client(listed(range_pager()), [part("records 0-1/5", "[1,2]"), part("records 0-1/5", "[3,4]")]);
    let customer = std::sync::Arc::clone(&client.system().resources["customer"]);
    let mut pages = Pages::new(&client, &customer, Vec::new(), None).unwrap();
    pages.next().await.unwrap();
    let error = pages.next().await.unwrap_err();
    assert_eq!(error.message, "shop was asked to list customer from record 2, but answered from record 0");
    assert_eq!(pages.next().await, Ok(None));
    assert!(!pages.complete());
}

#[tokio::test]
async fn links_are_followed_at_home_only() {
    let linked =
        || listed(Pager { records: Some(path("results")), ..pager(Paging::Link { next: query("next") }) });
    let answers = vec![
        json(200, r#"{"results":[1],"next":"https://shop.test/api/v1/customers?since=1&page=2"}"#),
        json(200, r#"{"results":[2],"next":"?since=1&page=3"}"#),
        json(200, r#"{"results":[3],"next":null}"#),
    ];
    assert_eq!(
        read(linked(), answers).await,
        whole(&["[1]", "[2]", "[3]"], &["&size=2", "&page=2", "&page=3"])
    );

    let answers = vec![json(200, r#"{"results":[1],"next":"https://evil.test/api/v1/customers?page=2"}"#)];
    assert_eq!(
        read(linked(), answers).await,
        broken(
            &["[1]"],
            &["&size=2"],
            "customer: the link to page 2 leads elsewhere: https://evil.test is another place than \
             https://shop.test/api: nothing is sent there"
        )
    );
    let again = r#"{"results":[NUMBER],"next":"/api/v1/customers?since=1&page=2"}"#;
    let answers = vec![json(200, &again.replace("NUMBER", "1")), json(200, &again.replace("NUMBER", "2"))];
    assert_eq!(
        read(linked(), answers).await.problem.as_deref(),
        Some("customer: the same token or link for the next page came twice, after page 2")
    );
}
