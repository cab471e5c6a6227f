//! Lists that page by the items of their records: a page border cuts a record.

use super::*;
use crate::program::system::PagedBy;

fn by_lines() -> Resource {
    let mut customer = listed(Pager { size: None, ..pager(Paging::Page { param: "page".into(), first: 1 }) });
    let by = PagedBy { field: path("lines"), list: path("lines"), key: query("no") };
    customer.list.as_mut().unwrap().paged_by = Some(by);
    customer
}

/// A record with these lines, as it stands in answers.
fn part(id: u32, lines: &[(u32, &str)]) -> String {
    let lines: Vec<String> =
        lines.iter().map(|(no, text)| format!(r#"{{"no":{no},"t":"{text}"}}"#)).collect();
    format!(r#"{{"id":{id},"lines":[{}]}}"#, lines.join(","))
}

fn page(parts: &[String]) -> Answer {
    json(200, &format!("[{}]", parts.join(",")))
}

fn got(read: &Read) -> Vec<String> {
    read.pages.iter().map(|page| page.trim_matches(['[', ']']).to_owned()).collect()
}

#[tokio::test]
async fn parts_are_joined_over_as_many_pages_as_it_takes() {
    let answers = vec![
        page(&[part(1, &[(1, "a")]), part(2, &[(1, "b")])]),
        page(&[part(2, &[(2, "c"), (3, "d")])]),
        // the list moved by one line meanwhile: a line comes twice, as it came last counts
        page(&[part(2, &[(3, "e")]), part(3, &[(1, "f")])]),
        page(&[]),
    ];
    let read = read(by_lines(), answers).await;
    let whole = [part(1, &[(1, "a")]), part(2, &[(1, "b"), (2, "c"), (3, "e")]), part(3, &[(1, "f")])];
    let [first, second, third] = whole;
    assert_eq!(read.pages, [format!("[{first}]"), format!("[{second},{third}]")]);
    assert!(read.complete, "{:?}", read.problem);
}

#[tokio::test]
async fn parts_beside_each_other_are_joined_and_an_empty_list_is_whole() {
    // two that share a border: the page has parts of both
    let answers = vec![
        page(&[part(1, &[(1, "a")]), part(2, &[(1, "b")])]),
        page(&[part(1, &[(2, "c")]), part(2, &[(2, "d")])]),
        page(&[]),
    ];
    let both = read(by_lines(), answers).await;
    let whole = [part(1, &[(1, "a"), (2, "c")]), part(2, &[(1, "b"), (2, "d")])];
    assert_eq!(both.pages, [format!("[{}]", whole.join(","))]);
    assert_eq!(read(by_lines(), vec![page(&[])]).await.pages, ["[]"]);
    let one = read(by_lines(), vec![page(&[part(1, &[])]), page(&[])]).await;
    assert_eq!((got(&one).len(), one.complete), (1, true));
}

#[tokio::test]
async fn what_may_go_on_is_not_given_out_where_the_list_breaks_off() {
    let begun = || page(&[part(1, &[(1, "a")]), part(2, &[(1, "b")])]);
    // the same page again: nobody knows what comes after the second
    let read_ = read(by_lines(), vec![begun(), begun()]).await;
    assert!(read_.pages.iter().all(|page| page == "[]"), "{read_:?}");
    assert!(!read_.complete);

    let (client, _, _) = client(by_lines(), vec![begun(), page(&[part(2, &[(2, "c")])]), json(404, "{}")]);
    let customer = std::sync::Arc::clone(&client.system().resources["customer"]);
    let mut pages = Pages::new(&client, &customer, Vec::new(), None).unwrap();
    let first = pages.next().await.unwrap().unwrap();
    assert_eq!(Value::List(first.records).to_json(), format!("[{}]", part(1, &[(1, "a")])));
    assert!(pages.next().await.is_err());
    assert!(!pages.complete());
}

#[tokio::test]
async fn what_comes_again_after_other_pages_is_not_taken_for_a_record_of_its_own() {
    let [one, two, three] = [1, 2, 3].map(|id| part(id, &[(1, "a")]));
    let answers = |again: String| {
        let last = page(&[again, three.clone()]);
        vec![page(std::slice::from_ref(&one)), page(std::slice::from_ref(&two)), last, page(&[])]
    };
    let whole = [&one, &two, &three].map(|record| format!("[{record}]"));
    let other = read(by_lines(), answers(part(1, &[(2, "c")]))).await;
    let problem = "customer: 1 came again after other pages, and not as it was";
    assert_eq!(
        (&other.pages[..], other.problem.as_deref(), other.complete),
        (&whole[..], Some(problem), false)
    );
    // as it was: it only came twice
    let same = read(by_lines(), answers(one.clone())).await;
    assert_eq!((&same.pages[..], same.complete), (&whole[..], true), "{:?}", same.problem);
}
