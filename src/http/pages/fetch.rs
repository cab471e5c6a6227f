//! A list that gives keys: the records are fetched many at a time.

use crate::http::client::Client;
use crate::http::outcome::CallError;
use crate::http::types::Outgoing;
use crate::program::system::{CallKind, ErrorClass, FetchCall, Piece};
use crate::value::Value;

/// What came for the rows of one page.
pub(super) struct Fetched {
    pub records: Vec<Value>,
    /// Why a record may be missing.
    pub problem: Option<String>,
}

/// Fetches the records of listed rows, in their order as far as the system keeps it.
///
/// # Errors
/// What a request ended with. A batch that is refused is asked for again in halves: one bad key does not hide the
/// other records; a key alone that is gone was removed since the list was read.
pub(super) async fn fetch(
    client: &Client,
    resource: &str,
    call: &FetchCall,
    rows: &[Value],
) -> Result<Fetched, CallError> {
    let mut fetched = Fetched { records: Vec::with_capacity(rows.len()), problem: None };
    let text =
        |row: &Value| call.key.first(row).and_then(|key| key.scalar_text()).filter(|key| !key.is_empty());
    let keys: Vec<String> = rows.iter().filter_map(text).collect();
    if keys.len() < rows.len() {
        fetched.problem = Some(format!(
            "{resource}: {} listed rows have no key at `{}`",
            rows.len() - keys.len(),
            call.key
        ));
    }
    let mut batches: Vec<&[String]> = keys.chunks(call.at_most.max(1)).rev().collect();
    while let Some(batch) = batches.pop() {
        let reply = match client.read(&request(client, resource, call, batch)?).await {
            Ok(reply) => reply,
            Err(error)
                if batch.len() > 1 && matches!(error.class, ErrorClass::Gone | ErrorClass::Refused) =>
            {
                let (first, second) = batch.split_at(batch.len() / 2);
                batches.push(second);
                batches.push(first);
                continue;
            }
            Err(error) if error.class == ErrorClass::Gone => continue,
            Err(error) => return Err(error),
        };
        let body = reply.body.unwrap_or_default();
        let found = call.records.iter().find_map(|path| path.get(&body));
        let records = match found {
            Some(Value::List(records)) => records.clone(),
            Some(record @ Value::Map(_)) => vec![record.clone()],
            _ => Vec::new(),
        };
        if records.len() != batch.len() {
            fetched.problem = Some(format!(
                "{resource}: {} records were asked for by key, {} came",
                batch.len(),
                records.len()
            ));
        }
        fetched.records.extend(records);
    }
    Ok(fetched)
}

fn request(
    client: &Client,
    resource: &str,
    call: &FetchCall,
    keys: &[String],
) -> Result<Outgoing, CallError> {
    let path = call.path.pieces.iter().map(|piece| match piece {
        Piece::Text(text) => text.as_str(),
        // the compiler lets no field in: there is no record yet
        Piece::Field(_) => "",
    });
    let mut query = client.query(&call.query)?;
    query.push((call.param.clone(), keys.join(&call.join)));
    Ok(Outgoing {
        method: "GET".into(),
        path: path.collect(),
        query,
        headers: Vec::new(),
        body: None,
        file: None,
        embedded: Vec::new(),
        call: CallKind::Get,
        resource: resource.to_owned(),
    })
}
