use super::*;

fn range_pager() -> Pager {
    Pager { size: None, ..pager(Paging::Range { unit: "records".into(), size: 2 }) }
}

fn link_pager(next: NextLink) -> Pager {
    pager(Paging::Link { next })
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
        || listed(Pager { records: Some(path("results")), ..link_pager(NextLink::Body(query("next"))) });
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

#[tokio::test]
async fn links_in_headers() {
    let links = || listed(link_pager(NextLink::Links));
    let page = |links: &[&str], body: &str| {
        with(200, &links.iter().map(|link| ("link", *link)).collect::<Vec<_>>(), body)
    };
    // among others, in a header of its own, relative; the last page has none
    let answers = vec![
        page(
            &[
                r#"</api/v1/customers?since=1>; rel="first", <https://shop.test/api/v1/customers?since=1&page=2>; rel="next""#,
            ],
            "[1]",
        ),
        page(
            &[r#"<?since=1>; rel=prev"#, r#"<?since=1&page=3>; title="a, \"b\" > c"; rel="last next""#],
            "[2]",
        ),
        page(&["<?since=1&page=2>; rel=prev"], "[3]"),
    ];
    assert_eq!(
        read(links(), answers).await,
        whole(&["[1]", "[2]", "[3]"], &["&size=2", "&page=2", "&page=3"])
    );
    // any other header is the address, the whole of it
    let answers = vec![
        with(200, &[("next-page", "https://shop.test/api/v1/customers?since=1&page=2")], "[1]"),
        with(200, &[("next-page", " ")], "[2]"),
    ];
    assert_eq!(
        read(listed(link_pager(NextLink::Header("Next-Page".into()))), answers).await,
        whole(&["[1]", "[2]"], &["&size=2", "&page=2"])
    );
    // the same origin, as for one in the body
    let answers = vec![page(&["<https://evil.test/api/v1/customers?page=2>; rel=next"], "[1]")];
    assert_eq!(
        read(links(), answers).await.problem.as_deref(),
        Some(
            "customer: the link to page 2 leads elsewhere: https://evil.test is another place than \
             https://shop.test/api: nothing is sent there"
        )
    );
    let again = "<?since=1&page=2>; rel=next";
    assert_eq!(
        read(links(), vec![page(&[again], "[1]"), page(&[again], "[2]")]).await.problem.as_deref(),
        Some("customer: the same token or link for the next page came twice, after page 2")
    );
}

#[tokio::test]
async fn a_link_header_that_is_not_understood_is_no_end() {
    let (client, _, _) =
        client(listed(link_pager(NextLink::Links)), [with(200, &[("link", "</x?page=2; rel=next")], "[1]")]);
    let customer = std::sync::Arc::clone(&client.system().resources["customer"]);
    let mut pages = Pages::new(&client, &customer, Vec::new(), None).unwrap();
    assert_eq!(
        pages.next().await.unwrap_err().message,
        "shop was asked to list customer, but the header Link of its answer has an address without an end at \
         \"</x?page=2; rel=next\""
    );
    assert!(!pages.complete());
}

#[tokio::test]
async fn a_total_in_a_header() {
    let counted = |kind| listed(Pager { total_header: Some("X-Total-Count".into()), ..pager(kind) });
    let total = |total: &str, body: &str| with(200, &[("x-total-count", total)], body);
    let answers = vec![total("3", "[1,2]"), total("3", "[3]")];
    assert_eq!(
        read(counted(Paging::Page { param: "page".into(), first: 1 }), answers).await,
        whole(&["[1,2]", "[3]"], &["&size=2&page=1", "&size=2&page=2"])
    );
    let answers = vec![
        with(200, &[("x-total-count", "4"), ("link", "<?since=1&page=2>; rel=next")], "[1,2]"),
        total("4", "[3]"),
    ];
    assert_eq!(
        read(counted(Paging::Link { next: NextLink::Links }), answers).await.problem.as_deref(),
        Some("customer: the system says that there are 4 records, but only 3 came")
    );
}
