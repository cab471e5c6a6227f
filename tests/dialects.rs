//! One server in two dialects: recorded answers of a Redmine in JSON and in XML come to the same records, and what is
//! sent is the same but for its spelling.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::path::Path;
use std::rc::Rc;
use std::sync::Arc;

use mapengine::case::QuickClock;
use mapengine::clock::LocalFuture;
use mapengine::diagnostic::{Diagnostics, Format, Sources, render};
use mapengine::http::{
    Access, Client, ClientSetup, NoAnswer, Pages, Payload, Transport, WireRequest, WireResponse, WriteOutcome,
};
use mapengine::program::system::{Lookup, System};
use mapengine::program::system_compile::compile_system;
use mapengine::spec::load::load_system;
use mapengine::value::{Value, from_json_str};
use mapengine::wire::{self, LookupProblem, Lookups};

/// Answers with recorded bodies: by the last part of the path for a read, with the refusal for a write.
struct Recorded {
    kind: &'static str,
    sent: RefCell<Vec<String>>,
}

impl Transport for Recorded {
    fn send(&self, request: WireRequest<Payload>) -> LocalFuture<'_, Result<WireResponse, NoAnswer>> {
        let request = request.arrived().unwrap();
        let body = request.body.as_deref().map(|body| String::from_utf8_lossy(body).into_owned());
        let header = |name: &str| {
            let found = request.headers.iter().find(|(key, _)| key.eq_ignore_ascii_case(name));
            found.map(|(_, value)| value.clone()).unwrap_or_default()
        };
        let (status, name) = match request.method.as_str() {
            "GET" => (200, request.url.path().trim_start_matches('/').to_owned()),
            _ => (422, format!("refused.{}", self.kind)),
        };
        self.sent.borrow_mut().push(format!(
            "{} {} {} {}",
            request.method,
            request.url.path(),
            header("content-type"),
            body.unwrap_or_default()
        ));
        let body = std::fs::read(Path::new("tests/samples/redmine").join(&name)).unwrap();
        let kind = format!("application/{}; charset=utf-8", self.kind);
        let response = WireResponse {
            status,
            headers: vec![("content-type".into(), kind)],
            body: body.into(),
            file: None,
        };
        Box::pin(async move { Ok(response) })
    }
}

struct Nothing;

impl Lookups for Nothing {
    fn by_key(&self, _: &str, _: &str) -> Option<Value> {
        None
    }

    fn find(&self, _: &Lookup, _: &Value) -> Result<String, LookupProblem> {
        Err(LookupProblem::None)
    }
}

fn system(file: &str) -> Arc<System> {
    let (mut sources, mut found) = (Sources::new(), Diagnostics::new());
    let system = load_system(&mut sources, Path::new(file), &mut found)
        .and_then(|system| compile_system(&system, &sources, &mut found));
    let text = render(&found, &sources, Format::Human { color: false });
    Arc::new(system.filter(|_| text.is_empty()).unwrap_or_else(|| panic!("{text}")))
}

/// What a dialect comes to: the records of every list, what is sent for a new user, and why it is refused.
fn dialect(kind: &'static str) -> (Vec<String>, Vec<String>, String) {
    let file = if kind == "xml" { "redmine_xml" } else { "redmine" };
    let system = system(&format!("mappings/systems/{file}.yaml"));
    let transport = Rc::new(Recorded { kind, sent: RefCell::default() });
    let client = Client::new(ClientSetup {
        system: Arc::clone(&system),
        base_url: "http://127.0.0.1:3000".into(),
        token_url: None,
        credentials: BTreeMap::from([("api_key".to_owned(), "abcdefghij".to_owned().into())]),
        settle_after: None,
        limits: None,
        transport: Rc::<Recorded>::clone(&transport),
        clock: Rc::new(QuickClock::new(0)),
        access: Access::ReadWrite,
        seed: Some(1),
        log: None,
    })
    .unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    runtime.block_on(async {
        let mut records = Vec::new();
        for resource in ["user", "project"].map(|name| &system.resources[name]) {
            let mut pages = Pages::new(&client, resource, Vec::new(), None).unwrap();
            while let Some(page) = pages.next().await.unwrap() {
                assert_eq!(page.total, Some(2), "{}", resource.name);
                for record in page.records {
                    let record = wire::decode(&system, resource, None, &record, &Nothing).unwrap();
                    records.push(format!("{} {}", resource.name, record.canonical().to_json()));
                }
            }
            assert!(pages.complete(), "{:?}", pages.problem());
        }
        transport.sent.borrow_mut().clear();
        let user = &system.resources["user"];
        let new = r#"{"login":"ada","firstname":"Ada","lastname":"Löve & Co","mail":"ada@example.com","admin":false}"#;
        let writes = wire::plan_create(&system, user, &from_json_str(new).unwrap()).unwrap();
        let outgoing = wire::encode(&system, user, &writes[0], &Value::Null, &Nothing).unwrap();
        let refusal = match client.write(&outgoing).await {
            WriteOutcome::NotDone { class, message, .. } => format!("{class:?}: {message}"),
            other => panic!("{other:?}"),
        };
        (records, transport.sent.take(), refusal)
    })
}

#[test]
fn both_dialects_come_to_the_same_records() {
    let (json, sent_json, refused_json) = dialect("json");
    let (xml, sent_xml, refused_xml) = dialect("xml");
    assert_eq!(json.len(), 4);
    assert_eq!(json, xml);
    assert!(json[3].contains(r#""parent":1"#) && json[3].contains(r#""description":"a\nb""#), "{}", json[3]);
    assert_eq!(
        sent_json,
        [
            r#"POST /users.json application/json {"user":{"login":"ada","firstname":"Ada","lastname":"Löve & Co","mail":"ada@example.com","admin":false}}"#
        ]
    );
    assert_eq!(
        sent_xml,
        [
            "POST /users.xml application/xml; charset=utf-8 <?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<user><login>ada</login><firstname>Ada</firstname><lastname>Löve &amp; Co</lastname><mail>ada@example.com</mail><admin>false</admin></user>"
        ]
    );
    assert_eq!(refused_json, refused_xml);
    assert_eq!(
        refused_xml,
        "AlreadyExists: redmine has such a record already, when asked to create user (422): Email has already been taken; Last name cannot be blank; Login has already been taken"
    );
}
