use std::rc::Rc;

use super::super::client::{Client, ClientSetup};
use super::super::outcome::WriteOutcome;
use super::super::testing::{
    CANARY, FakeClock, Script, call, json, path, resource, setup, shop, template, with,
};
use super::super::types::{NoAnswer, WireResponse};
use super::*;
use crate::program::system::{BodyKind, CallKind, ClientCredentials, ErrorClass};

fn oauth(body: BodyKind, granted: bool) -> Auth {
    Auth::ClientCredentials(Box::new(ClientCredentials {
        url: "/v1/token".into(),
        body,
        send: vec![
            ("client_id".into(), template("{{ credentials.client_id }}")),
            ("client_secret".into(), template("{{ credentials.client_secret }}")),
            ("scope".into(), template("{{ scopes }}")),
        ],
        token: path("access_token"),
        expires_in: path("access_token_expires_in"),
        default_life: Duration::from_secs(1800),
        granted: granted.then(|| path("scope")),
        scopes: vec!["customers:read".into(), "customers:write".into()],
        headers: vec![("Authorization".into(), template("Bearer {{ token }}"))],
    }))
}

type Answers = Vec<Result<WireResponse, NoAnswer>>;

fn client(auth: Auth, answers: Answers) -> (Client, Rc<Script>, Rc<FakeClock>) {
    let clock = FakeClock::new();
    let script = Script::new(&clock, answers);
    (Client::new(setup(shop(auth, resource("customer")), &clock, &script)).unwrap(), script, clock)
}

fn token(n: u32, seconds: u64) -> Result<WireResponse, NoAnswer> {
    json(200, &format!("{{\"access_token\":\"token-number-{n}\",\"access_token_expires_in\":{seconds}}}"))
}

fn get() -> super::super::types::Outgoing {
    call("GET", "/v1/customers", CallKind::List, None)
}

fn post() -> super::super::types::Outgoing {
    call("POST", "/v1/customers", CallKind::Create, Some("{}"))
}

#[tokio::test]
async fn a_header_and_basic() {
    let header = Auth::Header(vec![("X-Api-Key".into(), template("{{ credentials.client_secret }}"))]);
    let (client_, script, _) = client(header, vec![json(200, "[]")]);
    client_.read(&get()).await.unwrap();
    assert_eq!(script.header(0, "x-api-key").as_deref(), Some(CANARY));

    let basic = Auth::Basic {
        user: template("{{ credentials.client_id }}"),
        password: template("{{ credentials.client_secret }}"),
    };
    let proof = STANDARD.encode(format!("me-1:{CANARY}"));
    let (client_, script, _) =
        client(basic, vec![json(200, "[]"), json(401, &format!("\"what is {proof}?\""))]);
    client_.read(&get()).await.unwrap();
    assert_eq!(script.header(0, "authorization"), Some(format!("Basic {proof}")));
    let error = client_.read(&get()).await.unwrap_err();
    assert_eq!(error.message, "shop does not allow this user to list customer (401): what is •••?");
}

#[tokio::test]
async fn the_token_call_is_as_declared() {
    let (client_, script, _) = client(oauth(BodyKind::Json, false), vec![token(1, 3600), json(200, "[]")]);
    client_.read(&get()).await.unwrap();
    assert_eq!(script.lines(), ["POST /api/v1/token", "GET /api/v1/customers"]);
    let body = String::from_utf8(script.asked.borrow()[0].body.clone().unwrap().to_vec()).unwrap();
    assert_eq!(
        body,
        format!(
            "{{\"client_id\":\"me-1\",\"client_secret\":\"{CANARY}\",\"scope\":\"customers:read customers:write\"}}"
        )
    );
    assert_eq!(script.header(0, "content-type").as_deref(), Some("application/json"));
    assert_eq!(script.header(1, "authorization").as_deref(), Some("Bearer token-number-1"));

    let (client_, script, _) = client(oauth(BodyKind::Form, false), vec![token(1, 3600), json(200, "[]")]);
    client_.read(&get()).await.unwrap();
    let body = String::from_utf8(script.asked.borrow()[0].body.clone().unwrap().to_vec()).unwrap();
    assert_eq!(
        body,
        "client_id=me-1&client_secret=canary-s3cret%2F42&scope=customers%3Aread+customers%3Awrite"
    );
}

#[tokio::test]
async fn a_connection_may_give_the_token_address() {
    let clock = FakeClock::new();
    let script = Script::new(&clock, [token(1, 3600), json(200, "[]")]);
    let client = Client::new(ClientSetup {
        token_url: Some("https://login.test/connect".into()),
        ..setup(shop(oauth(BodyKind::Form, false), resource("customer")), &clock, &script)
    })
    .unwrap();
    client.read(&get()).await.unwrap();
    assert_eq!(script.asked.borrow()[0].url.as_str(), "https://login.test/connect");
    assert_eq!(script.header(0, "authorization"), None);
}

#[tokio::test]
async fn one_token_for_all_and_a_new_one_in_time() {
    let answers = vec![
        token(1, 1000),
        json(200, "[]"),
        json(200, "[]"),
        json(200, "[]"),
        token(2, 1000),
        json(200, "[]"),
    ];
    let (client_, script, clock) = client(oauth(BodyKind::Form, false), answers);
    let (a, b) = (get(), get());
    let (one, two) = tokio::join!(client_.read(&a), client_.read(&b));
    assert!(one.is_ok() && two.is_ok());
    clock.advance(Duration::from_secs(799));
    client_.read(&get()).await.unwrap();
    clock.advance(Duration::from_secs(1));
    client_.read(&get()).await.unwrap();
    let tokens: Vec<_> = (0..6).map(|n| script.header(n, "authorization").unwrap_or_default()).collect();
    let (first, second) = ("Bearer token-number-1", "Bearer token-number-2");
    assert_eq!(tokens, ["", first, first, first, "", second]);
}

#[tokio::test]
async fn a_life_that_makes_no_sense_is_the_default() {
    let strange = json(200, r#"{"access_token":"token-number-1","access_token_expires_in":-5}"#);
    let (client_, script, clock) = client(
        oauth(BodyKind::Form, false),
        vec![strange, json(200, "[]"), json(200, "[]"), token(2, 10), json(200, "[]")],
    );
    client_.read(&get()).await.unwrap();
    clock.advance(Duration::from_secs(1439));
    client_.read(&get()).await.unwrap();
    clock.advance(Duration::from_secs(2));
    client_.read(&get()).await.unwrap();
    assert_eq!(script.lines().iter().filter(|line| line.contains("token")).count(), 2);
}

#[tokio::test]
async fn a_refused_token_is_renewed_once() {
    let (client_, script, _) = client(
        oauth(BodyKind::Form, false),
        vec![token(1, 3600), json(401, ""), token(2, 3600), json(201, "{}")],
    );
    assert!(matches!(client_.write(&post()).await, WriteOutcome::Done(_)));
    assert_eq!(script.header(3, "authorization").as_deref(), Some("Bearer token-number-2"));

    let (client_, script, _) = client(
        oauth(BodyKind::Form, false),
        vec![token(1, 3600), json(401, ""), token(2, 3600), json(401, "")],
    );
    let error = client_.read(&get()).await.unwrap_err();
    assert_eq!(error.message, "shop does not allow this user to list customer (401)");
    assert_eq!(script.lines().len(), 4);
}

#[tokio::test]
async fn two_refused_requests_renew_it_once() {
    let (client_, script, _) = client(
        oauth(BodyKind::Form, false),
        vec![token(1, 3600), json(401, ""), json(401, ""), token(2, 3600), json(200, "[]"), json(200, "[]")],
    );
    let (a, b) = (get(), get());
    let (one, two) = tokio::join!(client_.read(&a), client_.read(&b));
    assert!(one.is_ok() && two.is_ok(), "{one:?} {two:?}");
    assert_eq!(script.lines().iter().filter(|line| line.contains("token")).count(), 2);
}

#[tokio::test]
async fn a_token_that_cannot_be_renewed_is_used_to_its_end() {
    let mut answers = vec![token(1, 1000), json(200, "[]")];
    answers.extend([json(503, ""), json(200, "[]"), token(2, 1000), json(200, "[]")]);
    let (client_, script, clock) = client(oauth(BodyKind::Form, false), answers);
    client_.read(&get()).await.unwrap();
    clock.advance(Duration::from_secs(850));
    client_.read(&get()).await.unwrap();
    assert_eq!(script.header(3, "authorization").as_deref(), Some("Bearer token-number-1"));
    // it is tried again a little later
    clock.advance(Duration::from_secs(50));
    client_.read(&get()).await.unwrap();
    assert_eq!(script.header(5, "authorization").as_deref(), Some("Bearer token-number-2"));
}

#[tokio::test]
async fn fewer_rights_than_asked_are_refused() {
    for scope in [r#""customers:read""#, r#"["customers:read"]"#, r#""a,customers:read""#] {
        let answer = json(200, &format!("{{\"access_token\":\"t-1234567\",\"scope\":{scope}}}"));
        let (client_, _, _) = client(oauth(BodyKind::Form, true), vec![answer]);
        assert_eq!(
            client_.read(&get()).await.unwrap_err().message,
            "shop granted fewer rights than are needed: customers:write missing; give them to these credentials"
        );
    }
    for scope in [r#""customers:write,customers:read""#, r#""customers:write customers:read x""#, "null"] {
        let answer = json(200, &format!("{{\"access_token\":\"t-1234567\",\"scope\":{scope}}}"));
        let (client_, _, _) = client(oauth(BodyKind::Form, true), vec![answer, json(200, "[]")]);
        client_.read(&get()).await.unwrap();
    }
}

#[tokio::test]
async fn a_token_call_that_fails_tells_why_without_the_secret() {
    let refused =
        json(400, &format!("{{\"error\":\"invalid_client\",\"error_description\":\"{CANARY} is wrong\"}}"));
    let (client_, _, _) = client(oauth(BodyKind::Form, false), vec![refused]);
    let error = client_.read(&get()).await.unwrap_err();
    assert_eq!(error.message, "shop gave no token (400): ••• is wrong: check the credentials");
    assert_eq!((error.class, error.status), (ErrorClass::NotAllowed, Some(400)));

    let (client_, script, _) = client(
        oauth(BodyKind::Form, false),
        vec![json(503, ""), Err(NoAnswer::Unknown("broke".into())), with(307, &[], "")],
    );
    let outcome = client_.write(&post()).await;
    assert_eq!(
        outcome,
        WriteOutcome::NotDone {
            class: ErrorClass::NotAllowed,
            message: "shop gave no token (307): check the token address".into(),
            status: Some(307)
        }
    );
    assert_eq!(script.lines(), ["POST /api/v1/token"; 3]);

    let (client_, _, _) = client(oauth(BodyKind::Form, false), vec![json(200, r#"{"token":"x"}"#)]);
    assert_eq!(
        client_.read(&get()).await.unwrap_err().message,
        "shop gave no token: its answer has nothing at `access_token`"
    );
}

#[tokio::test]
async fn a_token_is_never_shown() {
    let (client_, _, _) = client(
        oauth(BodyKind::Form, false),
        vec![token(1, 3600), json(400, "\"Bearer token-number-1 is no good\"")],
    );
    assert_eq!(
        client_.read(&get()).await.unwrap_err().message,
        "shop refused to list customer (400): Bearer ••• is no good"
    );
}

#[tokio::test]
async fn a_token_cannot_split_headers() {
    let (client_, script, _) =
        client(oauth(BodyKind::Form, false), vec![json(200, r#"{"access_token":"a\r\nX-Admin: yes"}"#)]);
    let error = client_.read(&get()).await.unwrap_err();
    assert_eq!(
        error.message,
        "header \"Authorization\" would hold a line break or another control character"
    );
    assert_eq!(script.lines().len(), 1);
}

/// A signature with a canary as its key.
fn signature() -> Auth {
    use crate::program::expr::Scope;
    use crate::program::system::{DigestForm, HashKind, Signature, Told};
    use crate::program::types::Type;
    use crate::value::charset::Charset;
    let template = |text: &str| {
        let names = ["timestamp", "unix", "transaction", "signature"];
        let scope = names.into_iter().fold(Scope::new(), |scope, name| scope.root(name, Type::Text));
        let request = ["method", "url"].map(|name| (name.to_owned(), Type::Text));
        let scope = scope.root("request", Type::object(request)).root("credentials", Type::table(Type::Text));
        crate::program::expr::Template::compile(text, &scope).unwrap()
    };
    let header = |name: &str, text: &str| (name.to_owned(), template(text));
    Auth::Signature(Box::new(Signature {
        hash: HashKind::HmacSha256,
        sign: ["{{ request.method }}", "{{ request.url }}", "{{ timestamp }}", "{{ transaction }}"]
            .map(template)
            .into(),
        join: "&".into(),
        key: vec![template("{{ credentials.client_secret }}")],
        charset: Charset::Latin1,
        digest: DigestForm::Base64,
        timestamp: "%Y-%m-%d %H:%M:%S.%3f".into(),
        skew: Duration::from_secs(60),
        headers: vec![
            header("X-User", "{{ credentials.client_id }}"),
            header("X-Time", "{{ timestamp }}"),
            header("X-Id", "{{ transaction }}"),
            header("X-Mac", "{{ signature }}"),
        ],
        told: Told { timestamp: Some("X-Time".into()), unix: None, transaction: Some("X-Id".into()) },
    }))
}

#[tokio::test]
async fn every_attempt_is_signed_anew() {
    use hmac::Mac;

    use crate::clock::Clock;
    let answers = vec![json(503, "{}"), json(200, "[]"), json(400, "{}")];
    let (client, script, clock) = client(signature(), answers);
    let before = clock.now_ms();
    let mut call = get();
    call.query = vec![("q".into(), "ä b&c".into())];
    client.read(&call).await.unwrap();
    client.write(&post()).await;
    let mut ids = std::collections::BTreeSet::new();
    for (i, (method, url)) in [
        ("GET", "https://shop.test/api/v1/customers?q=%C3%A4+b%26c"),
        ("GET", "https://shop.test/api/v1/customers?q=%C3%A4+b%26c"),
        ("POST", "https://shop.test/api/v1/customers"),
    ]
    .into_iter()
    .enumerate()
    {
        let header = |name| script.header(i, name).unwrap();
        let (time, id) = (header("x-time"), header("x-id"));
        let mut mac = hmac::Hmac::<sha2::Sha256>::new_from_slice(CANARY.as_bytes()).unwrap();
        mac.update(format!("{method}&{url}&{time}&{id}").as_bytes());
        assert_eq!(header("x-mac"), STANDARD.encode(mac.finalize().into_bytes()), "request {i}");
        assert_eq!(header("x-user"), "me-1");
        let written = jiff::civil::DateTime::strptime("%Y-%m-%d %H:%M:%S.%3f", &time).unwrap();
        let at = written.to_zoned(jiff::tz::TimeZone::UTC).unwrap().timestamp().as_millisecond();
        assert!((before..=clock.now_ms()).contains(&at), "{time}");
        assert!(ids.insert(id), "an id came twice");
        assert!(!format!("{time}{}", header("x-mac")).contains(CANARY));
    }
}

#[tokio::test]
async fn an_echoed_signature_is_masked() {
    let (client, script, _) = client(signature(), vec![json(400, "{}")]);
    client.write(&post()).await;
    let mac = script.header(0, "x-mac").unwrap();
    assert_eq!(client.scrubber().clean(&format!("expected {mac}")), "expected •••");
}
