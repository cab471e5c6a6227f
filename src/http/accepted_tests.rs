use super::super::outcome::WriteOutcome;
use super::super::testing::{call, client, json, query, resource};
use crate::program::actions::Accepted;
use crate::program::expr::{Expr, Scope};
use crate::program::system::{CallKind, CreateCall, NewId, PathTemplate, Resource};
use crate::program::types::Type;

fn invoice() -> Resource {
    let mut invoice = resource("customer");
    let scope = Scope::new().root("answer", Type::Any);
    invoice.create = Some(CreateCall {
        path: PathTemplate { pieces: Vec::new() },
        query: Vec::new(),
        id: NewId::Header { name: "Location".into(), last_segment: true },
        record: None,
        encoding: Default::default(),
        idempotency_key: None,
        file: None,
        accepted: Some(Accepted {
            status: 202,
            poll: query("state"),
            done: Expr::compile("answer.status in ['Finished', 'Failed']", &scope).unwrap(),
            result: Some(query("code")),
            headers: Some(query("headers")),
            content: Some(query("content")),
            within: std::time::Duration::from_secs(120),
            sandbox: Default::default(),
        }),
    });
    invoice
}

/// What came of a write, in one line, and what was asked.
async fn outcome(answers: &[(u16, &str)]) -> (String, Vec<String>) {
    let (client, script, _) =
        client(invoice(), answers.iter().map(|(status, body)| json(*status, body)).collect::<Vec<_>>());
    let outcome = client.write(&call("POST", "/v1/customers", CallKind::Create, Some("{}"))).await;
    let line = match outcome {
        WriteOutcome::Done(reply) => {
            format!("done {} {}", reply.status, reply.header("location").unwrap_or_default())
        }
        WriteOutcome::NotDone { class, message, .. } => format!("{class:?}: {message}"),
        WriteOutcome::Unknown { message, .. } => format!("unknown: {message}"),
    };
    (line, script.lines())
}

const TAKEN: (u16, &str) = (202, r#"{"state":"https://shop.test/api/v1/state/7"}"#);
const RUNNING: (u16, &str) = (200, r#"{"status":"Started","code":0}"#);

#[tokio::test]
async fn the_outcome_is_what_a_straight_answer_would_have_been() {
    let finished = r#"{"status":"Finished","code":201,"headers":{"Location":["/v1/customers/9"]}}"#;
    let (line, asked) = outcome(&[TAKEN, RUNNING, RUNNING, (200, finished)]).await;
    assert_eq!(line, "done 201 /v1/customers/9");
    assert_eq!(asked[0], "POST /api/v1/customers");
    assert_eq!(asked[1..], ["GET /api/v1/state/7"; 3]);
}

#[tokio::test]
async fn finished_is_not_success() {
    let finished = r#"{"status":"Finished","code":400,"content":"/api/v1/state/7/content"}"#;
    let (line, asked) =
        outcome(&[TAKEN, (200, finished), (200, r#"{"error":{"message":"Date is closed."}}"#)]).await;
    assert_eq!(line, "Refused: shop refused to create customer (400): Date is closed.");
    assert_eq!(asked[2], "GET /api/v1/state/7/content");
}

#[tokio::test]
async fn what_nobody_can_tell_is_unknown() {
    for (answers, wanted) in [
        (vec![(202, "{}")], "does not say where its outcome is asked for"),
        (vec![(202, r#"{"state":"https://elsewhere.test/api/v1/state/7"}"#)], "nothing is sent there"),
        (vec![TAKEN, (200, r#"{"status":"Failed","code":0}"#)], "its outcome has no status at `code`"),
        (vec![TAKEN, (404, "{}")], "its outcome cannot be read"),
        (
            vec![TAKEN, (200, r#"{"status":"Finished","code":500}"#)],
            "shop failed when asked to create customer",
        ),
        (vec![TAKEN, (200, r#"{"status":"Finished","code":201}"#)], "without the header Location"),
        ([vec![TAKEN], vec![RUNNING; 20]].concat(), "it is still at it after"),
    ] {
        let (line, asked) = outcome(&answers).await;
        assert!(line.starts_with("unknown: ") && line.contains(wanted), "{line}");
        assert_eq!(asked.iter().filter(|line| line.starts_with("POST")).count(), 1, "sent once");
    }
}
