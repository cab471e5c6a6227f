//! Client, network and a real server together: token, pages, and writes that go out once whatever happens.

use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::Router;
use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};

use super::testing::{CANARY, FakeClock, Script, call, path, resource, setup, shop, template};
use super::{Client, ClientSetup, Network, NetworkSetup, Pages, WriteOutcome};
use crate::clock::SystemClock;
use crate::program::system::{
    Auth, BodyKind, CallKind, ClientCredentials, ErrorClass, ListCall, Pager, Paging, PathTemplate, Piece,
};
use crate::value::Value;

#[derive(Default)]
struct Seen {
    tokens: AtomicUsize,
    reads: AtomicUsize,
    writes: AtomicUsize,
}

async fn token(State(seen): State<Arc<Seen>>, body: String) -> Response {
    let n = seen.tokens.fetch_add(1, Ordering::SeqCst);
    if !body.contains("client_secret=canary-s3cret%2F42") {
        return (StatusCode::UNAUTHORIZED, format!("{{\"error\":\"bad secret in {body}\"}}")).into_response();
    }
    format!("{{\"access_token\":\"token-number-{n}\",\"expires_in\":3600}}").into_response()
}

/// Three pages of a hundred; the first token is refused on the second page.
async fn list(State(seen): State<Arc<Seen>>, RawQuery(query): RawQuery, headers: HeaderMap) -> Response {
    seen.reads.fetch_add(1, Ordering::SeqCst);
    let page = match query.unwrap_or_default().split("pageToken=").nth(1) {
        None => 0,
        Some(token) => token.parse::<u32>().unwrap(),
    };
    let token = headers.get("authorization").and_then(|value| value.to_str().ok()).unwrap_or_default();
    if token != "Bearer token-number-1" && (page == 1 || token != "Bearer token-number-0") {
        return StatusCode::UNAUTHORIZED.into_response();
    }
    let records: Vec<String> =
        (page * 100..page * 100 + 100).map(|n| format!("{{\"id\":{n},\"price\":1.10}}")).collect();
    let body = format!("[{}]", records.join(","));
    if page < 2 {
        ([("NextPageToken", (page + 1).to_string())], body).into_response()
    } else {
        body.into_response()
    }
}

/// Takes effect, then does not answer in time.
async fn slow(State(seen): State<Arc<Seen>>) -> Response {
    seen.writes.fetch_add(1, Ordering::SeqCst);
    tokio::time::sleep(Duration::from_secs(30)).await;
    StatusCode::CREATED.into_response()
}

async fn redirect(State(seen): State<Arc<Seen>>) -> Response {
    seen.writes.fetch_add(1, Ordering::SeqCst);
    (StatusCode::TEMPORARY_REDIRECT, [("location", "/api/v1/redirect")]).into_response()
}

async fn refuse(State(seen): State<Arc<Seen>>, headers: HeaderMap, body: String) -> Response {
    seen.writes.fetch_add(1, Ordering::SeqCst);
    let kind = headers["content-type"].to_str().unwrap().to_owned();
    (StatusCode::BAD_REQUEST, format!("{{\"error\":{{\"message\":\"{kind} {}\"}}}}", body.replace('"', "'")))
        .into_response()
}

async fn server() -> (String, Arc<Seen>) {
    let seen = Arc::new(Seen::default());
    let routes = Router::new()
        .route("/api/token", post(token))
        .route("/api/v1/customers", get(list).post(slow))
        .route("/api/v1/redirect", post(redirect))
        .route("/api/v1/refuse", post(refuse))
        .with_state(Arc::clone(&seen));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}/api", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, routes).await });
    (address, seen)
}

fn client(address: &str, secret: &str) -> Client {
    let auth = Auth::ClientCredentials(Box::new(ClientCredentials {
        url: "/token".into(),
        body: BodyKind::Form,
        send: vec![("client_secret".into(), template("{{ credentials.client_secret }}"))],
        token: path("access_token"),
        expires_in: path("expires_in"),
        default_life: Duration::from_secs(60),
        granted: None,
        scopes: Vec::new(),
        headers: vec![("Authorization".into(), template("Bearer {{ token }}"))],
    }));
    let mut customer = resource("customer");
    let kind =
        Paging::NextToken { param: "pageToken".into(), header: Some("NextPageToken".into()), body: None };
    customer.list = Some(ListCall {
        path: PathTemplate { pieces: vec![Piece::Text("/v1/customers".into())] },
        query: Vec::new(),
        pager: Pager {
            kind,
            size: None,
            records: None,
            total: None,
            total_header: None,
            pages: None,
            capped: None,
        },
        around: None,
        paged_by: None,
        then: None,
        absent_is_gone: false,
    });
    let unused = FakeClock::new();
    let mut setup = setup(shop(auth, customer), &unused, &Script::new(&unused, []));
    setup.credentials.insert("client_secret".into(), secret.into());
    let network = NetworkSetup { timeout: Duration::from_millis(600), ..NetworkSetup::default() };
    Client::new(ClientSetup {
        base_url: address.into(),
        transport: Rc::new(Network::new(&network).unwrap()),
        clock: Rc::new(SystemClock::default()),
        ..setup
    })
    .unwrap()
}

#[tokio::test]
async fn a_list_is_read_through_an_expired_token() {
    let (address, seen) = server().await;
    let client = client(&address, CANARY);
    tokio::task::LocalSet::new()
        .run_until(async {
            let customer = Arc::clone(&client.system().resources["customer"]);
            let mut pages = Pages::new(&client, &customer, Vec::new(), None).unwrap().read_ahead();
            let mut records = Vec::new();
            while let Some(page) = pages.next().await.unwrap() {
                assert!(page.date.is_some());
                records.extend(page.records);
            }
            assert_eq!((records.len(), pages.complete()), (300, true));
            assert_eq!(records[299].to_json(), r#"{"id":299,"price":1.10}"#);
        })
        .await;
    assert_eq!((seen.tokens.load(Ordering::SeqCst), seen.reads.load(Ordering::SeqCst)), (2, 4));
}

#[tokio::test]
async fn a_write_goes_out_once_whatever_happens() {
    let (address, seen) = server().await;
    let client = client(&address, CANARY);
    let write = |path: &'static str| {
        let client = client.clone();
        async move { client.write(&call("POST", path, CallKind::Create, Some(r#"{"amount":0.10}"#))).await }
    };
    let outcome = write("/v1/customers").await;
    let WriteOutcome::Unknown { message, .. } = &outcome else { panic!("{outcome:?}") };
    assert!(message.ends_with("did not answer within 0.6 s"), "{message}");
    assert!(matches!(write("/v1/redirect").await, WriteOutcome::Unknown { .. }));
    assert_eq!(seen.writes.load(Ordering::SeqCst), 2);
    assert_eq!(
        write("/v1/refuse").await,
        WriteOutcome::NotDone {
            class: ErrorClass::Refused,
            message: "shop refused to create customer (400): application/json {'amount':0.10}".into(),
            status: Some(400),
        }
    );
    // a server that is gone: nothing was sent
    let gone = self::client("http://127.0.0.1:1/api", CANARY);
    let read = call("GET", "/v1/customers", CallKind::Get, None);
    let outcome = tokio::time::timeout(Duration::from_millis(100), gone.read(&read)).await;
    assert!(outcome.is_err(), "it is still being tried: {outcome:?}");
}

#[tokio::test]
async fn a_wrong_secret_is_told_without_it() {
    let (address, seen) = server().await;
    let client = client(&address, "canary+wrong/secret");
    let error = client.read(&call("GET", "/v1/customers", CallKind::List, None)).await.unwrap_err();
    assert_eq!(
        error.message,
        "shop gave no token (401): bad secret in client_secret=•••: check the credentials"
    );
    assert_eq!((seen.tokens.load(Ordering::SeqCst), error.class), (1, ErrorClass::NotAllowed));
    assert_eq!(Value::text(error.message).to_json().matches("canary").count(), 0);
}
