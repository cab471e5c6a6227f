use super::super::testing::{call, path, query, resource, shop, with};
use super::*;
use crate::program::system::{Auth, CreateCall, PathTemplate, Prove, Send, UpdateCall};

fn system() -> System {
    let mut customer = resource("customer");
    let template = PathTemplate { pieces: Vec::new() };
    customer.create = Some(CreateCall {
        path: template.clone(),
        query: Vec::new(),
        id: NewId::Body(query("guid")),
        record: Some(crate::value::Path::root()),
        encoding: Default::default(),
        idempotency_key: None,
        file: None,
        accepted: None,
    });
    customer.update = Some(UpdateCall {
        method: "PUT",
        path: template,
        query: Vec::new(),
        send: Send::Changed,
        record: Some(path("data")),
        if_match: None,
        encoding: Default::default(),
    });
    shop(Auth::None, customer)
}

fn by_header() -> System {
    let mut system = system();
    let mut customer = resource("customer");
    customer.create = Some(CreateCall {
        path: PathTemplate { pieces: Vec::new() },
        query: Vec::new(),
        id: NewId::Header { name: "Location".into(), last_segment: true },
        record: None,
        encoding: Default::default(),
        idempotency_key: None,
        file: None,
        accepted: None,
    });
    system.resources.insert("customer".into(), std::sync::Arc::new(customer));
    system
}

fn rule(status: Option<u16>, class: ErrorClass) -> ErrorRule {
    ErrorRule { status, kinds: Vec::new(), message: None, calls: Vec::new(), class, prove: None }
}

/// The verdict in one line.
fn verdict(system: &System, kind: CallKind, status: u16, headers: &[(&str, &str)], body: &str) -> String {
    let method = if is_read(kind) { "GET" } else { "POST" };
    match judge(system, &call(method, "/x", kind, None), with(status, headers, body)) {
        Verdict::Done(reply) => {
            format!("done {} {}", reply.status, reply.body.map_or("-".into(), |body| body.to_json()))
        }
        Verdict::Accepted(reply) => format!("accepted {}", reply.status),
        Verdict::NotDone { class, status, message } => format!("not done, {class:?} {status:?}: {message}"),
        Verdict::Unknown { message, prove_refused: None, .. } => format!("unknown: {message}"),
        Verdict::Unknown { message, prove_refused: Some(words), .. } => {
            format!("unknown: {message} | {words}")
        }
    }
}

const JSON: &[(&str, &str)] = &[("content-type", "application/json; charset=utf-8")];

#[test]
fn what_is_known_not_done() {
    let system = system();
    let body = r#"{"error":{"message":"Name is required."}}"#;
    for (call, status, wanted) in [
        (
            CallKind::Create,
            400,
            "Refused Some(400): shop refused to create customer (400): Name is required.",
        ),
        (
            CallKind::Create,
            401,
            "NotAllowed Some(401): shop does not allow this user to create customer (401): Name is required.",
        ),
        (
            CallKind::List,
            403,
            "NotAllowed Some(403): shop does not allow this user to list customer (403): Name is required.",
        ),
        (
            CallKind::Create,
            404,
            "Refused Some(404): shop refused to create customer (404): Name is required.",
        ),
        (
            CallKind::Get,
            404,
            "Gone Some(404): shop has no such record to read customer (404): Name is required.",
        ),
        (
            CallKind::Delete,
            410,
            "Gone Some(410): shop has no such record to delete customer (410): Name is required.",
        ),
        (
            CallKind::Update,
            405,
            "Refused Some(405): shop refused to update customer (405): Name is required.",
        ),
        (
            CallKind::Create,
            409,
            "AlreadyExists Some(409): shop has such a record already, when asked to create customer (409): Name is required.",
        ),
        (
            CallKind::Update,
            409,
            "ChangedMeanwhile Some(409): somebody changed the record meanwhile when shop was asked to update customer (409): Name is required.",
        ),
        (
            CallKind::Update,
            412,
            "ChangedMeanwhile Some(412): somebody changed the record meanwhile when shop was asked to update customer (412): Name is required.",
        ),
        (
            CallKind::Update,
            428,
            "ChangedMeanwhile Some(428): somebody changed the record meanwhile when shop was asked to update customer (428): Name is required.",
        ),
        (
            CallKind::Create,
            413,
            "Refused Some(413): shop refused to create customer (413): Name is required.",
        ),
        (
            CallKind::Create,
            415,
            "Refused Some(415): shop refused to create customer (415): Name is required.",
        ),
        (
            CallKind::Create,
            422,
            "Refused Some(422): shop refused to create customer (422): Name is required.",
        ),
        (CallKind::Create, 429, "Wait Some(429): shop cannot create customer now (429): Name is required."),
    ] {
        assert_eq!(verdict(&system, call, status, JSON, body), format!("not done, {wanted}"));
    }
}

#[test]
fn what_nobody_knows() {
    let system = system();
    let create = |status, headers: &[(&str, &str)], body: &str| {
        verdict(&system, CallKind::Create, status, headers, body)
    };
    for status in [402, 408, 423, 500, 502, 503, 504, 599] {
        assert_eq!(
            create(status, &[], ""),
            format!("unknown: shop failed when asked to create customer ({status})")
        );
    }
    assert_eq!(
        create(503, &[("retry-after", "5")], ""),
        "unknown: shop failed when asked to create customer (503)"
    );
    assert_eq!(
        create(307, &[("location", "https://evil.test")], ""),
        "unknown: shop answered 307, a redirect, when asked to create customer: redirects are not followed, check the address"
    );
    assert_eq!(
        create(202, JSON, r#"{"guid":"1"}"#),
        "unknown: shop answered 202 when asked to create customer, but will do it later: whether it succeeds is not known"
    );
    for (headers, body, why) in [
        (
            &[("content-type", "text/html")][..],
            "<html>Log in</html>",
            "with a web page instead of JSON: a login page or a proxy may stand in between",
        ),
        (
            &[],
            " <!DOCTYPE html>",
            "with a web page instead of JSON: a login page or a proxy may stand in between",
        ),
        (&[("content-type", "text/plain")], "OK", "its body is no JSON"),
        (JSON, "", "without a body"),
        (
            JSON,
            r#"{"guid":"1","na"#,
            "its body is broken JSON: EOF while parsing a string at line 1 column 15",
        ),
        (JSON, r#"{"name":"x"}"#, "without the new record's key at `guid`"),
        (JSON, r#"{"guid":"","name":"x"}"#, "without the new record's key at `guid`"),
    ] {
        assert_eq!(
            create(201, headers, body),
            format!("unknown: shop answered 201 when asked to create customer, but {why}")
        );
    }
}

#[test]
fn no_answer() {
    let system = system();
    let judge = |answer| judge(&system, &call("POST", "/x", CallKind::Create, None), Err(answer));
    assert_eq!(
        judge(NoAnswer::NotSent("cannot connect to https://shop.test: refused".into())),
        Verdict::NotDone {
            class: ErrorClass::Wait,
            status: None,
            message:
                "shop could not be asked to create customer: cannot connect to https://shop.test: refused"
                    .into()
        }
    );
    assert_eq!(
        judge(NoAnswer::Unknown("it did not answer within 60 s".into())),
        Verdict::Unknown {
            status: None,
            message: "shop was asked to create customer, but it did not answer within 60 s".into(),
            prove_refused: None
        }
    );
}

#[test]
fn what_is_known_done() {
    assert_eq!(
        verdict(&system(), CallKind::Create, 201, JSON, r#"{"guid":"1"}"#),
        r#"done 201 {"guid":"1"}"#
    );
    assert_eq!(verdict(&by_header(), CallKind::Create, 201, &[("Location", "/v1/x/7")], ""), "done 201 -");
    assert_eq!(
        verdict(&by_header(), CallKind::Create, 201, &[], ""),
        "unknown: shop answered 201 when asked to create customer, but without the header Location, which names the new record"
    );
    assert_eq!(verdict(&by_header(), CallKind::Create, 200, &[("location", "/v1/x/7")], "OK"), "done 200 -");
    assert_eq!(
        verdict(&system(), CallKind::Update, 200, JSON, r#"{"data":{"a":1.50}}"#),
        r#"done 200 {"data":{"a":1.50}}"#
    );
    assert_eq!(verdict(&system(), CallKind::Update, 204, &[], ""), "done 204 -");
    assert_eq!(verdict(&system(), CallKind::Delete, 204, &[], ""), "done 204 -");
    assert_eq!(
        verdict(&system(), CallKind::Update, 200, JSON, "{}"),
        "unknown: shop answered 200 when asked to update customer, but without the record"
    );
    assert_eq!(
        verdict(&system(), CallKind::Update, 200, JSON, ""),
        "unknown: shop answered 200 when asked to update customer, but without a body"
    );
}

#[test]
fn a_read_needs_a_body() {
    assert_eq!(verdict(&system(), CallKind::List, 200, JSON, "[]"), "done 200 []");
    assert_eq!(verdict(&system(), CallKind::List, 204, &[], ""), "done 204 -");
    assert_eq!(
        verdict(&system(), CallKind::List, 200, &[], ""),
        "unknown: shop answered 200 when asked to list customer, but without a body"
    );
    assert_eq!(
        verdict(&system(), CallKind::List, 416, &[], ""),
        "unknown: shop failed when asked to list customer (416)"
    );
    let mut ranged = call("GET", "/x", CallKind::List, None);
    ranged.headers.push(("Range".into(), "records=100-199".into()));
    assert!(
        matches!(judge(&system(), &ranged, with(416, &[], "Range Not Satisfiable")), Verdict::Done(reply) if reply.body.is_none())
    );
}

#[test]
fn rules_come_first() {
    let mut system = system();
    system.errors.rules = vec![
        ErrorRule {
            kinds: vec!["AddonMissing".into(), "TrialExpired".into()],
            ..rule(Some(403), ErrorClass::FeatureMissing)
        },
        ErrorRule {
            message: Some("Id: * Error*".into()),
            calls: vec![CallKind::Create],
            prove: Some(Prove::Find),
            ..rule(Some(500), ErrorClass::Refused)
        },
        ErrorRule { message: Some("*maintenance*".into()), ..rule(None, ErrorClass::Wait) },
        ErrorRule { message: Some("*try later*".into()), ..rule(Some(200), ErrorClass::Wait) },
        ErrorRule { kinds: vec!["Strange".into()], ..rule(Some(400), ErrorClass::Unknown) },
    ];
    let say = |call, status, body: &str| verdict(&system, call, status, JSON, body);
    assert_eq!(
        say(CallKind::List, 403, r#"{"error":{"type":"TrialExpired","message":"Buy it"}}"#),
        "not done, FeatureMissing Some(403): the company in shop lacks the feature that is needed to list customer (403): Buy it"
    );
    assert_eq!(
        say(CallKind::List, 403, r#"{"error":{"type":"Other","message":"No"}}"#),
        "not done, NotAllowed Some(403): shop does not allow this user to list customer (403): No"
    );
    let mistake = r#"{"error":{"message":"Id: 4f. Error: 'County' cannot be empty"}}"#.replace("4f.", "4f");
    assert_eq!(
        say(CallKind::Create, 500, &mistake),
        "unknown: shop failed when asked to create customer (500): Id: 4f Error: 'County' cannot be empty | \
         shop refused to create customer (500): Id: 4f Error: 'County' cannot be empty"
    );
    assert_eq!(
        say(CallKind::Update, 500, &mistake),
        "unknown: shop failed when asked to update customer (500): Id: 4f Error: 'County' cannot be empty"
    );
    assert_eq!(
        say(CallKind::Create, 503, r#"{"error":{"message":"we are in maintenance"}}"#),
        "not done, Wait Some(503): shop cannot create customer now (503): we are in maintenance"
    );
    assert_eq!(
        say(CallKind::Create, 200, r#"{"guid":"1","note":"maintenance"}"#),
        r#"done 200 {"guid":"1","note":"maintenance"}"#
    );
    assert_eq!(
        say(CallKind::Create, 200, r#"{"error":{"message":"please try later"}}"#),
        "not done, Wait Some(200): shop cannot create customer now (200): please try later"
    );
    assert_eq!(
        say(CallKind::Create, 400, r#"{"error":{"type":"Strange","message":"?"}}"#),
        "unknown: shop failed when asked to create customer (400): ?"
    );
}

#[test]
fn the_words_come_from_the_paths() {
    let mut system = system();
    system.errors.message = vec![Some(query("error.details[*].message")), Some(query("message")), None];
    let say = |headers: &[(&str, &str)], body: &str| verdict(&system, CallKind::Create, 400, headers, body);
    let start = "not done, Refused Some(400): shop refused to create customer (400): ";
    assert_eq!(
        say(JSON, r#"{"error":{"details":[{"message":"a"},{"message":"b"}]},"message":"c"}"#),
        format!("{start}a; b")
    );
    assert_eq!(say(JSON, r#"{"error":{"details":[]},"message":"c"}"#), format!("{start}c"));
    assert_eq!(say(JSON, r#"{"other":1}"#), format!("{start}{{\"other\":1}}"));
    assert_eq!(say(JSON, "\"just text\""), format!("{start}just text"));
    assert_eq!(
        say(&[("content-type", "text/plain")], " quota exceeded! "),
        format!("{start}quota exceeded!")
    );
    assert_eq!(say(&[], "<html>secret page</html>"), format!("{start}a web page"));
    assert_eq!(say(&[], "<error>plain xml</error>"), format!("{start}a web page"));
    assert_eq!(
        say(&[("content-type", "application/xml")], "<error>no</error>"),
        format!("{start}<error>no</error>")
    );
}

#[test]
fn patterns() {
    for (pattern, text, fits) in [
        ("a*c", "abc", true),
        ("a*c", "ac", true),
        ("a*c", "abcd", false),
        ("*", "", true),
        ("abc", "abc", true),
        ("abc", "abcd", false),
        ("a*b*c", "a1b2b3c", true),
        ("*b*", "abc", true),
        ("ab*ba", "aba", false),
        ("", "x", false),
    ] {
        assert_eq!(glob(pattern, text), fits, "{pattern} {text}");
    }
}

/// A system that tells failures in the body of a 200, in XML.
fn xml_shop() -> crate::program::system::System {
    use crate::program::system::{EncodingKind, Outcome};
    let mut system = system();
    let mut customer =
        std::sync::Arc::into_inner(system.resources.shift_remove("customer").unwrap()).unwrap();
    let mut encoding = customer.encoding.clone();
    encoding.kind = EncodingKind::Xml;
    encoding.xml.root = Some("root".into());
    encoding.xml.lower = true;
    customer.encoding = encoding.clone();
    if let Some(create) = &mut customer.create {
        create.encoding = encoding.clone();
    }
    if let Some(update) = &mut customer.update {
        update.encoding = encoding.clone();
    }
    system.encoding = encoding;
    system.resources.insert("customer".into(), std::sync::Arc::new(customer));
    system.errors = Errors {
        message: vec![Some(query("responsestatus.status[1]"))],
        kind: Some(query("responsestatus.status[1]")),
        split: Some(" :: ".into()),
        outcome: Some(Outcome { path: query("responsestatus.status[0]"), done: vec!["OK".into()] }),
        rules: vec![
            ErrorRule { kinds: vec!["INVALID_DATA".into()], ..rule(None, ErrorClass::Refused) },
            ErrorRule { kinds: vec!["AUTHENTICATION_FAILED".into()], ..rule(None, ErrorClass::NotAllowed) },
        ],
    };
    system
}

#[test]
fn a_failure_stands_in_the_body_whatever_the_status_says() {
    let system = xml_shop();
    let told = |call: CallKind, status: u16, body: &str| {
        let method = if is_read(call) { "GET" } else { "POST" };
        let outgoing = crate::http::testing::call(method, "/x", call, None);
        let answer = crate::http::testing::with(status, &[("content-type", "text/html")], body);
        match judge(&system, &outgoing, answer) {
            Verdict::Accepted(_) => "accepted".into(),
            Verdict::Done(reply) => format!("done {}", reply.body.unwrap_or_default().to_json()),
            Verdict::NotDone { class, message, .. } => format!("not done, {class:?}: {message}"),
            Verdict::Unknown { message, .. } => format!("unknown: {message}"),
        }
    };
    let failed = |text: &str| {
        format!(
            "<Root><ResponseStatus><Status>FAILED</Status><Status>{text}</Status></ResponseStatus></Root>"
        )
    };
    let ok = "<Root><ResponseStatus><Status>OK</Status></ResponseStatus><List/></Root>";
    assert_eq!(told(CallKind::List, 200, ok), r#"done {"responsestatus":{"status":"OK"},"list":null}"#);
    for status in [200, 400] {
        assert_eq!(
            told(CallKind::Update, status, &failed("INVALID_DATA :: Not found :: 12")),
            format!("not done, Refused: shop refused to update customer ({status}): Not found :: 12")
        );
    }
    assert_eq!(
        told(CallKind::List, 200, &failed("AUTHENTICATION_FAILED :: who?")),
        "not done, NotAllowed: shop does not allow this user to list customer (200): who?"
    );
    // a code that no rule knows: of a write nobody knows, a read is not tried for ever
    assert_eq!(
        told(CallKind::Update, 200, &failed("NEW_CODE :: x")),
        "unknown: shop failed when asked to update customer (200): x"
    );
    assert_eq!(
        told(CallKind::List, 200, &failed("NEW_CODE :: x")),
        "not done, Refused: shop failed when asked to list customer (200): x"
    );
    assert_eq!(
        told(CallKind::Update, 200, "<Root><x/></Root>"),
        "unknown: shop answered 200 when asked to update customer, but its body does not say at `responsestatus.status[0]` whether it was done"
    );
    assert_eq!(
        told(CallKind::Update, 500, ok),
        "unknown: shop answered 500 when asked to update customer, and its body says that it was done"
    );
    assert_eq!(
        told(CallKind::List, 200, "<html><body>Sign in</body></html>"),
        "unknown: shop answered 200 when asked to list customer, but with a web page instead of XML: a login page or a proxy may stand in between"
    );
    assert_eq!(
        told(CallKind::List, 200, "<!DOCTYPE x><Root/>"),
        "unknown: shop answered 200 when asked to list customer, but its body is broken XML: it has a DOCTYPE, which is refused"
    );
}

#[test]
fn an_empty_record_is_gone_and_an_answer_without_it_is_not() {
    use crate::program::system::ReadCall;
    let told = |empty_is_gone: bool, call: CallKind, body: &str| {
        let mut system = xml_shop();
        let mut customer =
            std::sync::Arc::into_inner(system.resources.shift_remove("customer").unwrap()).unwrap();
        let template = PathTemplate { pieces: Vec::new() };
        customer.get =
            Some(ReadCall { path: template, query: Vec::new(), record: path("product"), empty_is_gone });
        system.resources.insert("customer".into(), std::sync::Arc::new(customer));
        let body = format!("<Root><ResponseStatus><Status>OK</Status></ResponseStatus>{body}</Root>");
        let answer = with(200, &[("content-type", "text/xml")], &body);
        match judge(&system, &crate::http::testing::call("GET", "/x", call, None), answer) {
            Verdict::NotDone { class: ErrorClass::Gone, message, .. } => message,
            Verdict::Done(_) => "done".into(),
            other => format!("{other:?}"),
        }
    };
    let gone = "shop has no such record to read customer (200): there is no such record";
    for empty in ["<Product/>", "<Product></Product>", "<Product>\n  </Product>"] {
        assert_eq!(told(true, CallKind::Get, empty), gone);
        assert_eq!(told(false, CallKind::Get, empty), "done");
        assert_eq!(told(true, CallKind::List, empty), "done");
    }
    // what lacks the record, or has anything in it, may be garbled: that is for those who read it
    for other in ["", "<Customer/>", "<Product>?</Product>", "<Product><x/></Product>", "<Product a=\"1\"/>"]
    {
        assert_eq!(told(true, CallKind::Get, other), "done", "{other}");
    }
}
