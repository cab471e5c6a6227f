//! A clock without waiting, a transport with a script, and small systems, for the tests of this room.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, VecDeque};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;

use super::payload::Payload;
use super::types::{NoAnswer, Outgoing, Transport, WireRequest, WireResponse};
use super::{Access, Client, ClientSetup};
use crate::clock::{Clock, LocalFuture};
use crate::program::expr::{Scope, Template};
use crate::program::system::{
    Auth, CallKind, Credential, CredentialKind, Errors, Limits, Resource, System, Times,
};
use crate::program::types::Type;
use crate::value::{Path, Query, Value, from_json_str};

/// Time that moves only by sleeping.
#[derive(Debug)]
pub(super) struct FakeClock {
    passed: Cell<Duration>,
}

impl FakeClock {
    pub(super) fn new() -> Rc<FakeClock> {
        Rc::new(FakeClock { passed: Cell::new(Duration::ZERO) })
    }

    pub(super) fn advance(&self, duration: Duration) {
        self.passed.set(self.passed.get() + duration);
    }
}

/// 2026-01-01T00:00:00Z.
pub(super) const START_MS: i64 = 1_767_225_600_000;

impl Clock for FakeClock {
    fn now_ms(&self) -> i64 {
        START_MS + i64::try_from(self.passed.get().as_millis()).unwrap()
    }

    fn monotonic(&self) -> Duration {
        self.passed.get()
    }

    fn sleep(&self, duration: Duration) -> LocalFuture<'_, ()> {
        let until = self.passed.get() + duration;
        Box::pin(async move {
            // others may go first, as they could while real time passes
            tokio::task::yield_now().await;
            self.passed.set(self.passed.get().max(until));
        })
    }
}

type Answer = Result<WireResponse, NoAnswer>;

/// Answers from a list, and remembers what was asked.
pub(super) struct Script {
    answers: RefCell<VecDeque<Answer>>,
    pub(super) asked: RefCell<Vec<WireRequest>>,
    pub(super) at: RefCell<Vec<Duration>>,
    clock: Rc<FakeClock>,
}

impl Script {
    pub(super) fn new(clock: &Rc<FakeClock>, answers: impl IntoIterator<Item = Answer>) -> Rc<Script> {
        Rc::new(Script {
            answers: RefCell::new(answers.into_iter().collect()),
            asked: RefCell::default(),
            at: RefCell::default(),
            clock: Rc::clone(clock),
        })
    }

    /// `METHOD path?query` of every request.
    pub(super) fn lines(&self) -> Vec<String> {
        self.asked
            .borrow()
            .iter()
            .map(|request| {
                let query = request.url.query().map(|query| format!("?{query}")).unwrap_or_default();
                format!("{} {}{query}", request.method, request.url.path())
            })
            .collect()
    }

    pub(super) fn header(&self, request: usize, name: &str) -> Option<String> {
        let asked = self.asked.borrow();
        asked[request]
            .headers
            .iter()
            .find(|(key, _)| key.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.clone())
    }
}

impl Transport for Script {
    fn send(&self, request: WireRequest<Payload>) -> LocalFuture<'_, Answer> {
        Box::pin(async move {
            self.asked.borrow_mut().push(request.arrived()?);
            self.at.borrow_mut().push(self.clock.monotonic());
            tokio::task::yield_now().await;
            self.answers.borrow_mut().pop_front().expect("the script has an answer for every request")
        })
    }
}

/// An answer of JSON.
pub(super) fn json(status: u16, body: &str) -> Answer {
    with(status, &[("content-type", "application/json")], body)
}

/// An answer with these headers.
pub(super) fn with(status: u16, headers: &[(&str, &str)], body: &str) -> Answer {
    Ok(WireResponse {
        status,
        headers: headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
        body: Bytes::copy_from_slice(body.as_bytes()),
        file: None,
    })
}

/// A template over everything this room offers.
pub(super) fn template(text: &str) -> Template {
    let scope = Scope::new()
        .root("credentials", Type::table(Type::Text))
        .root("token", Type::Text)
        .root("scopes", Type::Text);
    Template::compile(text, &scope).expect("the test's template compiles")
}

pub(super) fn query(text: &str) -> Query {
    Query::parse(text).unwrap()
}

pub(super) fn path(text: &str) -> Path {
    Path::parse(text).unwrap()
}

pub(super) fn value(json: &str) -> Value {
    from_json_str(json).unwrap()
}

/// A resource without calls.
pub(super) fn resource(name: &str) -> Resource {
    Resource {
        name: name.into(),
        title: None,
        titles: crate::program::system::Labels::default(),
        path: format!("/v1/{name}s"),
        key: vec![Path::key("id")],
        identity: None,
        singleton: false,
        writable: true,
        scope: None,
        deleted: None,
        read_scopes: Vec::new(),
        write_scopes: Vec::new(),
        file_scopes: Vec::new(),
        list: None,
        get: None,
        create: None,
        update: None,
        delete: None,
        actions: Default::default(),
        files: Default::default(),
        attach: None,
        encoding: Default::default(),
        cursor: None,
        search: Default::default(),
        parts: Default::default(),
        fields: Vec::new(),
        span: crate::diagnostic::Span::NONE,
    }
}

/// A system called `shop` with one resource `customer`.
pub(super) fn shop(auth: Auth, customer: Resource) -> System {
    let secret = |name: &str, kind| Credential { name: name.into(), kind, help: None, default: None };
    System {
        name: "shop".into(),
        title: "The Shop".into(),
        base_url: "https://shop.test/api".into(),
        credentials: vec![
            secret("client_id", CredentialKind::Text),
            secret("client_secret", CredentialKind::Secret),
        ],
        auth,
        headers: Vec::new(),
        limits: Limits { rate: None, concurrent: 4, quota: None },
        timeout: Duration::from_secs(60),
        settle_after: Duration::from_secs(900),
        times: Times::default(),
        encoding: Default::default(),
        whoami: None,
        errors: Errors {
            message: vec![Some(query("error.message")), None],
            kind: Some(query("error.type")),
            ..Errors::default()
        },
        resources: [("customer".to_owned(), Arc::new(customer))].into_iter().collect(),
    }
}

/// The secret that must never be seen.
pub(super) const CANARY: &str = "canary-s3cret/42";

/// A setup for a system over a script.
pub(super) fn setup(system: System, clock: &Rc<FakeClock>, script: &Rc<Script>) -> ClientSetup {
    let credentials: BTreeMap<_, _> = [("client_id", "me-1"), ("client_secret", CANARY)]
        .map(|(name, value)| (name.to_owned(), value.into()))
        .into();
    ClientSetup {
        base_url: system.base_url.clone(),
        system: Arc::new(system),
        token_url: None,
        credentials,
        settle_after: None,
        limits: None,
        transport: Rc::clone(script) as Rc<dyn Transport>,
        clock: Rc::clone(clock) as Rc<dyn Clock>,
        access: Access::ReadWrite,
        seed: Some(1),
        log: None,
    }
}

/// A client without authentication over a script, for a resource.
pub(super) fn client(
    customer: Resource,
    answers: impl IntoIterator<Item = Answer>,
) -> (Client, Rc<Script>, Rc<FakeClock>) {
    let clock = FakeClock::new();
    let script = Script::new(&clock, answers);
    let client = Client::new(setup(shop(Auth::None, customer), &clock, &script)).unwrap();
    (client, script, clock)
}

/// A call on `customer`.
pub(super) fn call(method: &str, path: &str, call: CallKind, body: Option<&str>) -> Outgoing {
    Outgoing {
        method: method.into(),
        path: path.into(),
        query: Vec::new(),
        headers: Vec::new(),
        body: body.map(value),
        file: None,
        embedded: Vec::new(),
        call,
        resource: "customer".into(),
    }
}
