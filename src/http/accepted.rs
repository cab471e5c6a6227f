//! A write that is taken on and answered later: its outcome is asked for until it is there or the time is over.

use std::time::Duration;

use super::client::Client;
use super::outcome::{Reply, WriteOutcome};
use super::types::{Outgoing, WireResponse};
use super::verdict::{Verdict, judge};
use crate::program::actions::Accepted;
use crate::program::system::{CallKind, ErrorClass};
use crate::value::{Map, Value};

/// The first pause between two questions, and the longest.
const PAUSES: [Duration; 2] = [Duration::from_secs(1), Duration::from_secs(30)];

impl Client {
    /// What a write came to that was taken on.
    pub(super) async fn outcome(&self, outgoing: &Outgoing, reply: &Reply) -> WriteOutcome {
        let system = self.system();
        let create = system.resources.get(&outgoing.resource).and_then(|resource| resource.create.as_ref());
        let accepted = create.and_then(|create| create.accepted.as_ref());
        let found = match accepted {
            Some(accepted) => self.asked(outgoing, accepted, reply).await,
            None => Err("nothing says where its outcome is asked for".to_owned()),
        };
        let unknown = |why: &str| WriteOutcome::Unknown {
            message: self.clean(&format!("{} took it on, but {why}", system.name)),
            prove_refused: None,
        };
        let response = match found {
            Ok(response) => response,
            Err(why) => return unknown(&why),
        };
        // what it came to means what it would have meant as a straight answer
        match judge(system, outgoing, Ok(response)) {
            Verdict::Done(reply) => WriteOutcome::Done(reply),
            Verdict::NotDone { class, status, message } => {
                WriteOutcome::NotDone { class, message: self.clean(&message), status }
            }
            Verdict::Unknown { message, prove_refused, .. } => WriteOutcome::Unknown {
                message: self.clean(&message),
                prove_refused: prove_refused.map(|message| self.clean(&message)),
            },
            Verdict::Accepted(_) => unknown("it did so for ever"),
        }
    }

    /// The answer that the write would have had at once.
    async fn asked(
        &self,
        outgoing: &Outgoing,
        accepted: &Accepted,
        reply: &Reply,
    ) -> Result<WireResponse, String> {
        let clock = std::rc::Rc::clone(&self.0.line.clock);
        let said = reply.body.clone().unwrap_or_default();
        let address = accepted.poll.first(&said).and_then(|address| address.scalar_text());
        let address = address.ok_or("does not say where its outcome is asked for")?;
        let question = self.question(outgoing, &address)?;
        let start = clock.monotonic();
        let mut pause = PAUSES[0];
        let answer = loop {
            clock.sleep(pause).await;
            pause = (pause * 2).min(PAUSES[1]);
            match self.read(&question).await {
                Ok(reply) => {
                    let answer = reply.body.unwrap_or_default();
                    let root = Value::Map(Map::from([("answer".to_owned(), answer.clone())]));
                    if accepted.done.holds(&root).map_err(|error| error.to_string())? {
                        break answer;
                    }
                }
                // it may be there later, and the time is counted
                Err(error) if error.class == ErrorClass::Wait => {}
                Err(error) => return Err(format!("its outcome cannot be read: {error}")),
            }
            let waited = clock.monotonic().saturating_sub(start);
            if waited >= accepted.within {
                return Err(format!("it is still at it after {} s", waited.as_secs()));
            }
        };
        let status = match &accepted.result {
            None => 200,
            Some(result) => match result.first(&answer) {
                Some(Value::Number(number)) => {
                    u16::try_from(number).ok().filter(|status| (200..600).contains(status))
                }
                _ => None,
            }
            .ok_or_else(|| format!("its outcome has no status at `{result}`"))?,
        };
        let headers = accepted.headers.as_ref().and_then(|at| at.first(&answer));
        let mut headers: Vec<(String, String)> = headers
            .as_ref()
            .and_then(|headers| headers.as_map())
            .into_iter()
            .flatten()
            .filter_map(|(name, value)| {
                // a header may come as a list of its values
                let value = value.as_list().and_then(<[Value]>::first).unwrap_or(value);
                Some((name.to_ascii_lowercase(), value.scalar_text()?))
            })
            .filter(|(name, _)| name != "content-type")
            .collect();
        let body = match &accepted.content {
            None => Some(answer),
            Some(content) => match content.first(&answer).and_then(|address| address.scalar_text()) {
                None => None,
                Some(address) => match self.read(&self.question(outgoing, &address)?).await {
                    Ok(reply) => reply.body,
                    // the status is known: what is missing is only the words
                    Err(error) if error.class == ErrorClass::Gone => None,
                    Err(error) => return Err(format!("its outcome cannot be read: {error}")),
                },
            },
        };
        let encoding = self.system().encoding_of(&outgoing.resource, outgoing.call);
        let body = match body {
            Some(body) => encoding.write(&body)?.into(),
            None => bytes::Bytes::new(),
        };
        headers.push(("content-type".into(), encoding.content_type()));
        Ok(WireResponse { status, headers, body, file: None })
    }

    /// A read of an address that an answer named: only below the system's own address.
    fn question(&self, outgoing: &Outgoing, address: &str) -> Result<Outgoing, String> {
        let url = self.follow(outgoing, address)?;
        Ok(Outgoing {
            method: "GET".into(),
            path: url.to_string(),
            query: Vec::new(),
            headers: Vec::new(),
            body: None,
            file: None,
            embedded: Vec::new(),
            call: CallKind::Get,
            resource: outgoing.resource.clone(),
        })
    }
}

#[cfg(test)]
#[path = "accepted_tests.rs"]
mod tests;
