use super::*;
use crate::http::testing::{Script, client, json, path, query, resource, value, with};
use crate::http::types::{NoAnswer, WireResponse};
use crate::program::system::{NextLink, Pager, Paging, PathTemplate, Piece};

mod any_server;
mod cut_records;
mod keys_then_records;
mod ranges_and_links;

type Answer = Result<WireResponse, NoAnswer>;

fn listed(pager: Pager) -> Resource {
    let mut customer = resource("customer");
    let path = PathTemplate { pieces: vec![Piece::Text("/v1/customers".into())] };
    customer.list = Some(ListCall {
        path,
        query: Vec::new(),
        pager,
        around: None,
        paged_by: None,
        then: None,
        absent_is_gone: false,
    });
    customer
}

fn pager(kind: Paging) -> Pager {
    Pager {
        kind,
        size: Some(("size".into(), 2)),
        records: None,
        total: None,
        total_header: None,
        pages: None,
        capped: None,
    }
}

fn token_pager() -> Pager {
    pager(Paging::NextToken { param: "pageToken".into(), header: Some("NextPageToken".into()), body: None })
}

fn page_pager() -> Pager {
    Pager {
        records: Some(path("records")),
        total: Some(query("total")),
        ..pager(Paging::Page { param: "page".into(), first: 1 })
    }
}

fn offset_pager() -> Pager {
    pager(Paging::Offset { param: "firstRow".into(), first: 0 })
}

/// What was read of a list: the records of each page, whether it is whole, and what was asked.
#[derive(Debug, PartialEq)]
struct Read {
    pages: Vec<String>,
    problem: Option<String>,
    complete: bool,
    asked: Vec<String>,
}

async fn read(customer: Resource, answers: Vec<Answer>) -> Read {
    let (client, script, _) = client(customer, answers);
    let customer = std::sync::Arc::clone(&client.system().resources["customer"]);
    let mut pages = Pages::new(&client, &customer, vec![("since".into(), "1".into())], None).unwrap();
    let mut all = Vec::new();
    while let Some(page) = pages.next().await.unwrap() {
        all.push(Value::List(page.records).to_json());
    }
    Read { pages: all, problem: pages.problem(), complete: pages.complete(), asked: asked(&script) }
}

/// What was asked, without the common beginning.
fn asked(script: &Script) -> Vec<String> {
    let lines = script.lines().into_iter();
    let range = |n| script.header(n, "range").map(|range| format!(" {range}")).unwrap_or_default();
    lines.enumerate().map(|(n, line)| line.replace("GET /api/v1/customers?since=1", "") + &range(n)).collect()
}

fn whole(pages: &[&str], asked: &[&str]) -> Read {
    let texts = |list: &[&str]| list.iter().map(|text| (*text).to_owned()).collect();
    Read { pages: texts(pages), problem: None, complete: true, asked: texts(asked) }
}

fn broken(pages: &[&str], asked: &[&str], problem: &str) -> Read {
    Read { problem: Some(problem.into()), complete: false, ..whole(pages, asked) }
}

fn token(next: &str, body: &str) -> Answer {
    with(200, &[("nextpagetoken", next)], body)
}

#[tokio::test]
async fn one_answer() {
    let answers = vec![json(200, "[1,2,3]")];
    assert_eq!(
        read(listed(Pager { size: None, ..pager(Paging::None) }), answers).await,
        whole(&["[1,2,3]"], &[""])
    );
    assert_eq!(read(listed(pager(Paging::None)), vec![json(204, "")]).await, whole(&["[]"], &["&size=2"]));
}

#[tokio::test]
async fn tokens_in_a_header_and_in_the_body() {
    let answers = vec![token("a b", "[1,2]"), token("c", "[]"), json(200, "[3]")];
    assert_eq!(
        read(listed(token_pager()), answers).await,
        whole(&["[1,2]", "[3]"], &["&size=2", "&size=2&pageToken=a+b", "&size=2&pageToken=c"])
    );
    let by_body = Pager {
        records: Some(path("items")),
        ..pager(Paging::NextToken { param: "t".into(), header: None, body: Some(query("next")) })
    };
    let answers = vec![json(200, r#"{"items":[1],"next":"x"}"#), json(200, r#"{"items":[2],"next":null}"#)];
    assert_eq!(read(listed(by_body), answers).await, whole(&["[1]", "[2]"], &["&size=2", "&size=2&t=x"]));
}

#[tokio::test]
async fn what_comes_after_the_last_key() {
    let after = || listed(pager(Paging::AfterKey { param: "after".into() }));
    // a short page is not the last one: a server may give less than it was asked for
    let answers = vec![json(200, r#"[{"id":1},{"id":"b c"}]"#), json(200, r#"[{"id":7}]"#), json(200, "[]")];
    assert_eq!(
        read(after(), answers).await,
        whole(
            &[r#"[{"id":1},{"id":"b c"}]"#, r#"[{"id":7}]"#],
            &["&size=2", "&size=2&after=b+c", "&size=2&after=7"]
        )
    );
    // a server that does not heed the key is found out
    let answers = vec![json(200, r#"[{"id":1},{"id":2}]"#), json(200, r#"[{"id":3},{"id":2}]"#)];
    assert_eq!(
        read(after(), answers).await,
        broken(
            &[r#"[{"id":1},{"id":2}]"#, r#"[{"id":3},{"id":2}]"#],
            &["&size=2", "&size=2&after=2"],
            "customer: the same token or link for the next page came twice, after page 2"
        )
    );
}

#[tokio::test]
async fn a_token_that_comes_again_ends_it() {
    let answers = vec![token("string", "[1]"), token("string", "[2]")];
    assert_eq!(
        read(listed(token_pager()), answers).await,
        broken(
            &["[1]", "[2]"],
            &["&size=2", "&size=2&pageToken=string"],
            "customer: the same token or link for the next page came twice, after page 2"
        )
    );
}

#[tokio::test]
async fn a_page_that_comes_again_ends_it() {
    let answers = vec![token("a", "[1,2]"), token("b", "[1,2]")];
    assert_eq!(
        read(listed(token_pager()), answers).await,
        broken(
            &["[1,2]"],
            &["&size=2", "&size=2&pageToken=a"],
            "customer: page 2 came twice: the system does not page as its file says"
        )
    );
}

#[tokio::test]
async fn endless_empty_pages_end() {
    let answers = (0..200).map(|n| token(&n.to_string(), "[]")).collect();
    let read = read(listed(token_pager()), answers).await;
    assert_eq!(read.asked.len(), 100);
    assert_eq!(
        read.problem.as_deref(),
        Some("customer: 100 pages in a row were empty, and still there is a next one")
    );
}

#[tokio::test]
async fn page_numbers_with_a_total() {
    let answers = vec![
        json(200, r#"{"records":[1,2],"total":5}"#),
        json(200, r#"{"records":[3,4],"total":5}"#),
        json(200, r#"{"records":[5],"total":5}"#),
    ];
    assert_eq!(
        read(listed(page_pager()), answers).await,
        whole(&["[1,2]", "[3,4]", "[5]"], &["&size=2&page=1", "&size=2&page=2", "&size=2&page=3"])
    );
}

#[tokio::test]
async fn the_told_number_of_pages_ends_it() {
    let pager = Pager {
        records: Some(path("records")),
        pages: Some(query("pages")),
        ..pager(Paging::Page { param: "page".into(), first: 1 })
    };
    let answers = [r#"{"pages":2,"records":[{"id":1}]}"#, r#"{"pages":2,"records":[{"id":2}]}"#];
    let read = read(listed(pager), answers.map(|body| json(200, body)).to_vec()).await;
    assert_eq!((read.problem, read.pages.len(), read.asked.len()), (None, 2, 2));
}

#[tokio::test]
async fn a_page_size_that_is_silently_smaller_is_noticed() {
    // 100 are asked for and 2 given: neither the short page nor the numbers end it too early
    let mut pager = page_pager();
    pager.size = Some(("size".into(), 100));
    pager.total = Some(query("records[0].total"));
    pager.capped = Some(query("records[0].size"));
    let answers =
        vec![json(200, r#"{"records":[{"total":3,"size":2},{}]}"#), json(200, r#"{"records":[{"id":3}]}"#)];
    let read_ = read(listed(pager), answers).await;
    assert_eq!((read_.complete, read_.asked.len()), (true, 2));

    let mut pager = offset_pager();
    pager.size = Some(("size".into(), 100));
    let answers = vec![json(200, "[1,2]"), json(200, "[3,4]"), json(200, "[5]"), json(200, "[]")];
    let asked =
        ["&size=100&firstRow=0", "&size=100&firstRow=2", "&size=100&firstRow=4", "&size=100&firstRow=5"];
    assert_eq!(read(listed(pager), answers).await, whole(&["[1,2]", "[3,4]", "[5]"], &asked));
}

#[tokio::test]
async fn an_empty_page_in_the_middle_leaves_a_gap() {
    let answers = vec![
        json(200, r#"{"records":[1,2],"total":5}"#),
        json(200, r#"{"records":[],"total":5}"#),
        json(200, r#"{"records":[5],"total":5}"#),
    ];
    let read_ = read(listed(page_pager()), answers).await;
    assert_eq!(
        read_,
        broken(
            &["[1,2]", "[5]"],
            &["&size=2&page=1", "&size=2&page=2", "&size=2&page=3"],
            "customer: the system says that there are 5 records, but only 3 came"
        )
    );
    let mut pager = offset_pager();
    pager.total = Some(query("total"));
    pager.records = Some(path("r"));
    let answers = vec![
        json(200, r#"{"r":[1,2],"total":5}"#),
        json(200, r#"{"r":[],"total":5}"#),
        json(200, r#"{"r":[5],"total":5}"#),
    ];
    let read_ = read(listed(pager), answers).await;
    assert_eq!(read_.asked, ["&size=2&firstRow=0", "&size=2&firstRow=2", "&size=2&firstRow=4"]);
    assert!(!read_.complete);
}

#[tokio::test]
async fn a_list_that_shrinks_is_whole_when_the_last_total_came() {
    let answers =
        vec![json(200, r#"{"records":[1,2],"total":5}"#), json(200, r#"{"records":[3],"total":3}"#)];
    assert!(read(listed(page_pager()), answers).await.complete);
    let answers = vec![json(200, r#"{"records":[],"total":0}"#)];
    assert_eq!(read(listed(page_pager()), answers).await, whole(&["[]"], &["&size=2&page=1"]));
}

#[tokio::test]
async fn a_server_that_ignores_the_page_number_is_found_out() {
    let answers = vec![json(200, "[1,2]"), json(200, "[1,2]")];
    let read_ = read(listed(offset_pager()), answers).await;
    assert_eq!(
        read_.problem.as_deref(),
        Some("customer: page 2 came twice: the system does not page as its file says")
    );
    assert_eq!(read_.pages, ["[1,2]"]);
}

#[tokio::test]
async fn what_is_no_list_is_an_error() {
    for (body, wanted) in [
        (
            r#"{"data":{}}"#,
            "shop was asked to list customer, but its answer has nothing at `data.rows`: a list of records is wanted",
        ),
        (
            r#"{"data":{"rows":null}}"#,
            "shop was asked to list customer, but `data.rows` is nothing: a list of records is wanted",
        ),
        (
            r#"{"data":{"rows":{}}}"#,
            "shop was asked to list customer, but `data.rows` is an object: a list of records is wanted",
        ),
    ] {
        let pager = Pager { records: Some(path("data.rows")), ..pager(Paging::None) };
        let (client, _, _) = client(listed(pager), [json(200, body)]);
        let customer = std::sync::Arc::clone(&client.system().resources["customer"]);
        let mut pages = Pages::new(&client, &customer, Vec::new(), None).unwrap();
        assert_eq!(pages.next().await.unwrap_err().message, wanted);
        assert!(!pages.complete());
        assert_eq!(pages.problem().as_deref(), Some(wanted));
    }
}

#[tokio::test]
async fn a_singleton_is_a_list_of_one() {
    let mut one = listed(Pager { size: None, ..pager(Paging::None) });
    one.singleton = true;
    assert_eq!(read(one, vec![json(200, r#"{"name":"us"}"#)]).await, whole(&[r#"[{"name":"us"}]"#], &[""]));
}

#[tokio::test]
async fn a_list_below_a_parent() {
    let mut customer = listed(pager(Paging::None));
    customer.list.as_mut().unwrap().path = PathTemplate {
        pieces: vec![Piece::Text("/v1/p/".into()), Piece::Field(path("guid")), Piece::Text("/x".into())],
    };
    let (client, script, _) = client(customer, [json(200, "[]")]);
    let customer = std::sync::Arc::clone(&client.system().resources["customer"]);
    let parent = value(r#"{"guid":"a/b"}"#);
    Pages::new(&client, &customer, Vec::new(), Some(&parent)).unwrap().next().await.unwrap();
    assert_eq!(script.lines(), ["GET /api/v1/p/a%2Fb/x?size=2"]);
    let error = Pages::new(&client, &customer, Vec::new(), None).unwrap_err();
    assert_eq!(error.message, "cannot list customer: `guid` is needed for the path and is missing");
    let error = Pages::new(&client, &resource("thing"), Vec::new(), None).unwrap_err();
    assert_eq!(error.message, "thing cannot be listed");
}

#[tokio::test]
async fn the_next_page_is_asked_for_ahead() {
    let local = tokio::task::LocalSet::new();
    local
        .run_until(async {
            let (client, script, _) =
                client(listed(token_pager()), [token("a", "[1]"), token("b", "[2]"), json(200, "[3]")]);
            let customer = std::sync::Arc::clone(&client.system().resources["customer"]);
            let mut pages = Pages::new(&client, &customer, Vec::new(), None).unwrap().read_ahead();
            let mut got = Vec::new();
            let mut asked = Vec::new();
            while let Some(page) = pages.next().await.unwrap() {
                // the caller works
                for _ in 0..20 {
                    tokio::task::yield_now().await;
                }
                asked.push(script.lines().len());
                got.extend(page.records);
            }
            assert_eq!(Value::List(got).to_json(), "[1,2,3]");
            assert_eq!(asked, [2, 3, 3]);
            assert!(pages.complete());
        })
        .await;
}

#[tokio::test]
async fn a_list_that_is_dropped_asks_no_more() {
    let local = tokio::task::LocalSet::new();
    local
        .run_until(async {
            let (client, script, _) = client(listed(token_pager()), [token("a", "[1]")]);
            let customer = std::sync::Arc::clone(&client.system().resources["customer"]);
            let mut pages = Pages::new(&client, &customer, Vec::new(), None).unwrap().read_ahead();
            pages.next().await.unwrap();
            drop(pages);
            for _ in 0..20 {
                tokio::task::yield_now().await;
            }
            assert_eq!(script.lines().len(), 1);
        })
        .await;
}

#[test]
fn a_record_that_is_not_read_yet_is_not_whole() {
    let (client, _, _) = client(listed(token_pager()), []);
    let customer = std::sync::Arc::clone(&client.system().resources["customer"]);
    assert!(!Pages::new(&client, &customer, Vec::new(), None).unwrap().complete());
}
