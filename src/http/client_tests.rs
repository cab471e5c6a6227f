use std::cell::RefCell;

use super::super::outcome::LoggedCall;
use super::super::testing::{
    CANARY, FakeClock, Script, call, client, json, resource, setup, shop, template, with,
};
use super::*;
use crate::program::system::{Auth, CallKind};

fn get() -> Outgoing {
    call("GET", "/v1/customers", CallKind::List, None)
}

fn post() -> Outgoing {
    call("POST", "/v1/customers", CallKind::Create, Some(r#"{"name":"Acme","price":1.10}"#))
}

fn ms(script: &Script) -> Vec<u128> {
    script.at.borrow().iter().map(Duration::as_millis).collect()
}

const DOWN: &str = "cannot connect to https://shop.test: refused";

#[tokio::test]
async fn a_read_is_repeated_with_growing_waits() {
    let (client, script, _) = client(
        resource("customer"),
        [
            Err(NoAnswer::NotSent(DOWN.into())),
            Err(NoAnswer::Unknown("broke".into())),
            json(500, "{}"),
            with(200, &[("content-type", "application/json")], "[{\"cut"),
            json(408, ""),
            with(200, &[("date", "Thu, 01 Jan 2026 00:00:00 GMT")], "[1.50]"),
        ],
    );
    let reply = client.read(&get()).await.unwrap();
    assert_eq!(reply.body.unwrap().to_json(), "[1.50]");
    assert_eq!(reply.date, Some(super::super::testing::START_MS));
    assert_eq!(script.lines(), ["GET /api/v1/customers"; 6]);
    let at = ms(&script);
    for (n, pair) in at.windows(2).enumerate() {
        let (waited, whole) = (pair[1] - pair[0], 500 << n);
        assert!(waited >= whole / 2 && waited <= whole, "{n}: {waited}");
    }
}

#[tokio::test]
async fn a_read_gives_up_after_five_retries() {
    let (client, script, _) = client(resource("customer"), (0..6).map(|_| json(502, "")));
    let error = client.read(&get()).await.unwrap_err();
    assert_eq!(error.message, "shop failed when asked to list customer (502) (tried 6 times)");
    assert_eq!((error.class, error.status, script.lines().len()), (ErrorClass::Wait, Some(502), 6));
}

#[tokio::test]
async fn retry_after_is_heeded() {
    let (client, script, _) = client(
        resource("customer"),
        [
            with(429, &[("retry-after", "7")], "quota"),
            with(503, &[("retry-after", "Thu, 01 Jan 2026 00:00:17 GMT")], ""),
            with(429, &[("retry-after", "315360000")], ""),
            json(200, "[]"),
        ],
    );
    client.read(&get()).await.unwrap();
    assert_eq!(ms(&script), [0, 7_000, 17_000, 917_000]);
}

#[tokio::test]
async fn garbage_in_retry_after_is_backoff() {
    for text in ["-1", "soon", "0", "Thu, 01 Jan 2020 00:00:00 GMT"] {
        let (client, script, _) =
            client(resource("customer"), [with(429, &[("retry-after", text)], ""), json(200, "[]")]);
        client.read(&get()).await.unwrap();
        let waited = ms(&script)[1];
        assert!((250..=500).contains(&waited), "{text}: {waited}");
    }
}

#[tokio::test]
async fn all_wait_when_one_is_told_to() {
    let (client, script, _) = client(
        resource("customer"),
        [with(429, &[("retry-after", "30")], ""), json(200, "[]"), json(200, "[]"), json(200, "[]")],
    );
    let (first, second) = (get(), get());
    let later = async {
        tokio::task::yield_now().await;
        tokio::task::yield_now().await;
        client.read(&second).await
    };
    let (one, two) = tokio::join!(client.read(&first), later);
    assert!(one.is_ok() && two.is_ok());
    assert_eq!(ms(&script), [0, 30_000, 30_000]);
}

#[tokio::test]
async fn what_is_refused_is_not_repeated() {
    for (status, class) in [
        (400, ErrorClass::Refused),
        (403, ErrorClass::NotAllowed),
        (302, ErrorClass::Unknown),
        (402, ErrorClass::Unknown),
    ] {
        let (client, script, _) = client(resource("customer"), [json(status, "{}")]);
        assert_eq!(client.read(&get()).await.unwrap_err().class, class);
        assert_eq!(script.lines().len(), 1);
    }
}

#[tokio::test]
async fn a_write_goes_out_once() {
    for answer in [
        Err(NoAnswer::Unknown("the connection broke".into())),
        json(500, ""),
        json(503, ""),
        with(503, &[("retry-after", "1")], ""),
        json(307, ""),
        json(408, ""),
        json(202, "{}"),
        with(200, &[("content-type", "text/html")], "<html>"),
    ] {
        let (client, script, _) = client(resource("customer"), [answer]);
        let outcome = client.write(&post()).await;
        assert!(matches!(outcome, WriteOutcome::Unknown { prove_refused: None, .. }), "{outcome:?}");
        assert_eq!(script.lines(), ["POST /api/v1/customers"]);
    }
    let (client, script, _) = client(resource("customer"), [Err(NoAnswer::NotSent(DOWN.into()))]);
    assert_eq!(
        client.write(&post()).await,
        WriteOutcome::NotDone {
            class: ErrorClass::Wait,
            message: format!("shop could not be asked to create customer: {DOWN}"),
            status: None
        }
    );
    assert_eq!(script.lines().len(), 1);
}

#[tokio::test]
async fn a_write_that_was_asked_to_wait_goes_out_again() {
    let (client, script, _) =
        client(resource("customer"), [with(429, &[("retry-after", "20")], ""), json(201, r#"{"id":1}"#)]);
    let outcome = client.write(&post()).await;
    assert!(matches!(outcome, WriteOutcome::Done(Reply { status: 201, .. })), "{outcome:?}");
    assert_eq!(ms(&script), [0, 20_000]);
    let body = script.asked.borrow()[1].body.clone();
    assert_eq!(body.as_deref(), Some(&br#"{"name":"Acme","price":1.10}"#[..]));

    let (client, script, _) =
        super::super::testing::client(resource("customer"), (0..6).map(|_| json(429, "\"full\"")));
    assert_eq!(
        client.write(&post()).await,
        WriteOutcome::NotDone {
            class: ErrorClass::Wait,
            message: "shop cannot create customer now (429): full".into(),
            status: Some(429)
        }
    );
    assert_eq!(script.lines().len(), 6);
}

#[tokio::test]
async fn a_read_only_client_sends_no_write() {
    let clock = FakeClock::new();
    let script = Script::new(&clock, []);
    let client = Client::new(ClientSetup {
        access: Access::ReadOnly,
        ..setup(shop(Auth::None, resource("customer")), &clock, &script)
    })
    .unwrap();
    assert_eq!(
        client.write(&post()).await,
        WriteOutcome::NotDone {
            class: ErrorClass::NotAllowed,
            message: "this command may not write: POST customer is not sent".into(),
            status: None
        }
    );
    for hidden in [
        post(),
        call("POST", "/v1/customers", CallKind::List, None),
        call("GET", "/x", CallKind::Delete, None),
    ] {
        let error = client.read(&hidden).await.unwrap_err();
        assert_eq!(
            error.message,
            format!("{} customer is a write: it cannot be sent as a read", hidden.method)
        );
    }
    assert_eq!(script.lines(), [""; 0]);
}

#[tokio::test]
async fn nothing_is_sent_elsewhere() {
    let (client, script, _) = client(resource("customer"), []);
    let error =
        client.read(&call("GET", "https://evil.test/api/v1", CallKind::List, None)).await.unwrap_err();
    assert_eq!(
        error.message,
        "https://evil.test is another place than https://shop.test/api: nothing is sent there"
    );
    let outcome = client.write(&call("POST", "/../admin", CallKind::Create, None)).await;
    assert!(matches!(outcome, WriteOutcome::NotDone { class: ErrorClass::Refused, .. }), "{outcome:?}");
    let mut split = get();
    split.headers.push(("x-a".into(), "b\r\nx-admin: yes".into()));
    let error = client.read(&split).await.unwrap_err();
    assert_eq!(error.message, "header \"x-a\" would hold a line break or another control character");
    assert_eq!(script.lines(), [""; 0]);
}

#[tokio::test]
async fn headers_of_the_call_win() {
    let clock = FakeClock::new();
    let script = Script::new(&clock, [json(200, "{}")]);
    let mut system = shop(Auth::None, resource("customer"));
    system.headers = vec![("X-Company".into(), template("{{ credentials.client_id }}"))];
    let client = Client::new(setup(system, &clock, &script)).unwrap();
    let mut patch = post();
    patch.headers.push(("Content-Type".into(), "application/merge-patch+json".into()));
    let _ = client.write(&patch).await;
    assert_eq!(script.header(0, "content-type").as_deref(), Some("application/merge-patch+json"));
    assert_eq!(script.header(0, "accept").as_deref(), Some("application/json"));
    assert_eq!(script.header(0, "x-company").as_deref(), Some("me-1"));
    assert_eq!(script.asked.borrow()[0].headers.len(), 3);
}

#[tokio::test]
async fn no_secret_and_no_escape_in_messages_and_logs() {
    let clock = FakeClock::new();
    let echo = format!("{{\"error\":{{\"message\":\"bad \\u001b[31mkey {CANARY}\\r\\nfor you\"}}}}");
    let script = Script::new(
        &clock,
        [json(400, &echo), json(400, &echo), with(200, &[("set-cookie", CANARY), ("etag", "7")], "[]")],
    );
    let calls = Rc::new(RefCell::new(Vec::<LoggedCall>::new()));
    let heard = Rc::clone(&calls);
    let mut system = shop(
        Auth::Header(vec![("X-Key".into(), template("key {{ credentials.client_secret }}"))]),
        resource("customer"),
    );
    system.headers = vec![("X-Company".into(), template("{{ credentials.client_id }}"))];
    let client = Client::new(ClientSetup {
        log: Some(Rc::new(move |call: &LoggedCall| heard.borrow_mut().push(call.clone()))),
        ..setup(system, &clock, &script)
    })
    .unwrap();

    let error = client.read(&get()).await.unwrap_err();
    assert_eq!(error.message, "shop refused to list customer (400): bad [31mkey •••  for you");
    let outcome = client.write(&post()).await;
    let WriteOutcome::NotDone { message, .. } = &outcome else { panic!("{outcome:?}") };
    assert_eq!(message, "shop refused to create customer (400): bad [31mkey •••  for you");
    let mut keyed = get();
    keyed.query = vec![("key".into(), CANARY.into()), ("since".into(), "2026-01-01".into())];
    client.read(&keyed).await.unwrap();

    assert_eq!(script.header(2, "x-key"), Some(format!("key {CANARY}")));
    let calls = calls.borrow();
    assert_eq!(
        calls[2],
        LoggedCall {
            system: "shop".into(),
            call: Some(CallKind::List),
            resource: "customer".into(),
            method: "GET".into(),
            path: "/api/v1/customers".into(),
            query: vec![("key".into(), "•••".into()), ("since".into(), "2026-01-01".into())],
            request_headers: vec![("accept".into(), "application/json".into())],
            body: None,
            status: Some(200),
            answer_headers: vec![("etag".into(), "7".into())],
            problem: None,
            ms: 0,
        }
    );
    assert_eq!(calls[1].body.as_ref().unwrap().to_json(), r#"{"name":"Acme","price":1.10}"#);
    assert!(!format!("{calls:?} {client:?}").contains("canary"));
}

#[tokio::test]
async fn a_long_message_is_cut() {
    let (client, _, _) = client(resource("customer"), [with(400, &[], &"ä".repeat(5000))]);
    let message = client.read(&get()).await.unwrap_err().message;
    assert_eq!(message.chars().count(), LONGEST_MESSAGE + 1);
    assert!(message.ends_with("ä…"));
}

#[test]
fn a_connection_must_give_what_is_needed() {
    let clock = FakeClock::new();
    let script = Script::new(&clock, []);
    let with = |change: &dyn Fn(&mut ClientSetup)| {
        let mut setup = setup(shop(Auth::None, resource("customer")), &clock, &script);
        change(&mut setup);
        Client::new(setup).unwrap_err()
    };
    assert_eq!(
        with(&|setup| setup.credentials.clear()),
        "shop needs credentials that the connection does not give: client_id, client_secret"
    );
    assert_eq!(
        with(&|setup| {
            setup.credentials.insert("tenant".into(), "x".into());
        }),
        "shop has no such credentials: tenant"
    );
    assert_eq!(
        with(&|setup| setup.base_url = "http://shop.test".into()),
        "base_url: http://shop.test is not https: only an address on this machine may be plain http"
    );
    assert_eq!(
        with(&|setup| setup.token_url = Some("https://shop.test/token".into())),
        "a token_url is given, but shop uses no token: remove it"
    );
}
