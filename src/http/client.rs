//! Speaks to one system: reads are repeated, writes are not.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};
use url::Url;

use super::address::Base;
use super::auth::{Proof, Prover, context, render};
use super::file;
use super::line::{About, Line, Listener};
use super::outcome::{CallError, Reply, WriteOutcome};
use super::pacing::Pacer;
use super::payload::Payload;
use super::retry::{Backoff, MOST_RETRIES, http_date, retry_after};
use super::secrets::Scrubber;
use super::types::{NoAnswer, Outgoing, Transport, WireRequest, WireResponse};
use super::verdict::{Verdict, is_read, judge};
use crate::clock::Clock;
use crate::program::expr::Template;
use crate::program::signature::Signed;
use crate::program::system::{CallKind, CredentialKind, ErrorClass, Limits, System};
use crate::value::{Map, Value};

/// Longer messages are cut: a person reads the beginning.
const LONGEST_MESSAGE: usize = 1000;

/// What a client may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Every write is refused before it leaves.
    ReadOnly,
    /// Writes may leave.
    ReadWrite,
}

/// What a client is made from.
pub struct ClientSetup {
    /// The system.
    pub system: Arc<System>,
    /// The address that the connection gives, or the system's own.
    pub base_url: String,
    /// The address of the token call, where the connection gives one.
    pub token_url: Option<String>,
    /// What the connection gives, by name.
    pub credentials: BTreeMap<String, SecretString>,
    /// The connection's settle time, where it gives one.
    pub settle_after: Option<Duration>,
    /// The connection's rates, where it gives them.
    pub limits: Option<Limits>,
    /// What carries requests. A request's time-out is the transport's ([`super::NetworkSetup::timeout`]).
    pub transport: Rc<dyn Transport>,
    /// The time.
    pub clock: Rc<dyn Clock>,
    /// Whether writes may leave.
    pub access: Access,
    /// Makes the random part of waits the same each time.
    pub seed: Option<u64>,
    /// Hears of every call.
    pub log: Option<Listener>,
}

/// Speaks to one system. Cheap to clone: clones share token, pace and secrets.
#[derive(Clone)]
pub struct Client(pub(super) Rc<Inner>);

pub(super) struct Inner {
    pub(super) system: Arc<System>,
    base: Base,
    credentials: Value,
    settle_after: Duration,
    access: Access,
    pub(super) line: Line,
    prover: Prover,
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Client({})", self.0.system.name)
    }
}

impl Client {
    /// A client for one system and connection. Nothing is sent yet.
    ///
    /// # Errors
    /// A sentence for a person: a credential is missing, or an address is wrong or not https.
    pub fn new(setup: ClientSetup) -> Result<Client, String> {
        let ClientSetup { system, base_url, token_url, credentials, settle_after, limits, .. } = setup;
        let base = Base::new(&base_url)?;
        let scrubber = Rc::new(Scrubber::default());
        let credentials = gather(&system, &credentials, &scrubber)?;
        let limits = limits.unwrap_or_else(|| system.limits.clone());
        let line = Line {
            system: system.name.clone(),
            transport: setup.transport,
            pacer: Pacer::new(&limits, Rc::clone(&setup.clock)),
            clock: setup.clock,
            backoff: Backoff::new(setup.seed.unwrap_or_else(|| uuid::Uuid::new_v4().as_u64_pair().0)),
            scrubber,
            quota: limits.quota,
            log: setup.log,
            reads: std::cell::Cell::new(0),
        };
        let prover = Prover::new(&system, &credentials, &base, token_url.as_deref(), &line)
            .map_err(|problem| line.scrubber.clean(&problem))?;
        let settle_after = settle_after.unwrap_or(system.settle_after);
        Ok(Client(Rc::new(Inner {
            system,
            base,
            credentials,
            settle_after,
            access: setup.access,
            line,
            prover,
        })))
    }

    /// How many requests it has sent to read.
    pub fn reads_sent(&self) -> u64 {
        self.0.line.reads.get()
    }

    /// The system it speaks to.
    pub fn system(&self) -> &Arc<System> {
        &self.0.system
    }

    /// How long an unknown outcome may still turn into an effect.
    pub fn settle_after(&self) -> Duration {
        self.0.settle_after
    }

    /// What takes this client's secrets out of a text.
    pub fn scrubber(&self) -> Rc<Scrubber> {
        Rc::clone(&self.0.line.scrubber)
    }

    /// The values of query templates over `credentials`.
    ///
    /// # Errors
    /// Where a template cannot be rendered.
    pub fn query(&self, templates: &[(String, Template)]) -> Result<Vec<(String, String)>, CallError> {
        if templates.is_empty() {
            return Ok(Vec::new());
        }
        let context = context(&self.0.credentials, None, None);
        templates
            .iter()
            .map(|(name, template)| {
                let value = render(template, &context).map_err(|problem| {
                    self.error(ErrorClass::Refused, None, &format!("query parameter {name}: {problem}"))
                })?;
                Ok((name.clone(), value))
            })
            .collect()
    }

    /// Reads. What failed by chance is repeated, at most five times; a 401 renews the token once.
    ///
    /// # Errors
    /// What the last answer means.
    pub async fn read(&self, outgoing: &Outgoing) -> Result<Reply, CallError> {
        if !is_read(outgoing.call) || !matches!(outgoing.method.as_str(), "GET" | "HEAD") {
            let message =
                format!("{} {} is a write: it cannot be sent as a read", outgoing.method, outgoing.resource);
            return Err(self.error(ErrorClass::NotAllowed, None, &message));
        }
        let mut tries = 0;
        let mut renewed = false;
        loop {
            let (verdict, asked) = match self.attempt(outgoing, &mut renewed).await? {
                Some(judged) => judged,
                None => continue,
            };
            let (status, message) = match verdict {
                Verdict::Done(reply) | Verdict::Accepted(reply) => return Ok(reply),
                Verdict::NotDone { class: ErrorClass::Wait, status, message } => (status, message),
                Verdict::NotDone { class, status, message } => {
                    return Err(self.error(class, status, &message));
                }
                // a redirect, or a status that nobody knows, will be there next time too
                Verdict::Unknown { status: Some(status @ 300..=499), message, .. } if status != 408 => {
                    return Err(self.error(ErrorClass::Unknown, Some(status), &message));
                }
                Verdict::Unknown { status, message, .. } => (status, message),
            };
            if tries == MOST_RETRIES {
                return Err(self.error(
                    ErrorClass::Wait,
                    status,
                    &format!("{message} (tried {} times)", tries + 1),
                ));
            }
            self.wait(status, asked, tries).await;
            tries += 1;
        }
    }

    /// Writes, once. Only what is known not to have taken effect is sent again: after a 401 with a new token, and
    /// when the system asks to come back later.
    pub async fn write(&self, outgoing: &Outgoing) -> WriteOutcome {
        if self.0.access == Access::ReadOnly {
            let message =
                format!("this command may not write: {} {} is not sent", outgoing.method, outgoing.resource);
            return WriteOutcome::NotDone { class: ErrorClass::NotAllowed, message, status: None };
        }
        let mut tries = 0;
        let mut renewed = false;
        loop {
            let (verdict, asked) = match self.attempt(outgoing, &mut renewed).await {
                Ok(Some(judged)) => judged,
                Ok(None) => continue,
                // the proof or the request could not be made: nothing was sent
                Err(CallError { class, status, message }) => {
                    return WriteOutcome::NotDone { class, message, status };
                }
            };
            match verdict {
                Verdict::Done(reply) => return WriteOutcome::Done(reply),
                Verdict::Accepted(reply) => return self.outcome(outgoing, &reply).await,
                Verdict::NotDone { class: ErrorClass::Wait, status: Some(status), .. }
                    if tries < MOST_RETRIES =>
                {
                    self.wait(Some(status), asked, tries).await;
                    tries += 1;
                }
                Verdict::NotDone { class, status, message } => {
                    return WriteOutcome::NotDone { class, message: self.clean(&message), status };
                }
                Verdict::Unknown { message, prove_refused, .. } => {
                    let prove_refused = prove_refused.map(|message| self.clean(&message));
                    return WriteOutcome::Unknown { message: self.clean(&message), prove_refused };
                }
            }
        }
    }

    /// One attempt and what it means; none where the token was refused and is renewed.
    async fn attempt(
        &self,
        outgoing: &Outgoing,
        renewed: &mut bool,
    ) -> Result<Option<(Verdict, Option<Duration>)>, CallError> {
        let inner = &*self.0;
        let proof = inner.prover.proof(&inner.line).await?;
        let request = self
            .request(outgoing, &proof)
            .map_err(|problem| self.error(ErrorClass::Refused, None, &problem))?;
        let about =
            About { call: Some(outgoing.call), resource: &outgoing.resource, body: outgoing.body.as_ref() };
        let answer = inner.line.attempt(request, about).await;
        if let Ok(WireResponse { status: 401, .. }) = &answer
            && inner.prover.can_renew()
            && !*renewed
        {
            *renewed = true;
            inner.prover.refused(&proof).await;
            return Ok(None);
        }
        let asked = self.asked_to_wait(&answer);
        Ok(Some((judge(&inner.system, outgoing, answer), asked)))
    }

    fn request(&self, outgoing: &Outgoing, proof: &Proof) -> Result<WireRequest<Payload>, String> {
        let url = self.0.base.join(&outgoing.path, &outgoing.query)?;
        let mut headers = outgoing.headers.clone();
        let mut add = |name: &str, value: &str| {
            if !headers.iter().any(|(key, _)| key.eq_ignore_ascii_case(name)) {
                headers.push((name.to_owned(), value.to_owned()));
            }
        };
        for (name, value) in proof.headers.iter() {
            add(name, value);
        }
        let encoding = self.0.system.encoding_of(&outgoing.resource, outgoing.call);
        add("accept", encoding.accept());
        let body = match (&outgoing.body, &outgoing.file) {
            (beside, Some(file)) => {
                let (body, kind) = file.body(beside.as_ref());
                add("content-type", &kind);
                Some(body)
            }
            (Some(body), None) => {
                add("content-type", &encoding.content_type());
                Some(file::filled(encoding.write(body)?, &outgoing.embedded)?)
            }
            (None, None) => None,
        };
        if self.0.prover.signs() {
            let hash = body.clone().unwrap_or_default().hash();
            let hash = hash.map_err(|error| format!("a file cannot be read: {error}"))?;
            let signed = Signed { method: &outgoing.method, url: &url, body_sha256: &hash };
            headers.extend(self.0.prover.sign(signed, &self.0.line)?);
        }
        if let Some((name, _)) = headers.iter().find(|(_, value)| value.contains(|c: char| c.is_control())) {
            return Err(format!("header {name:?} would hold a line break or another control character"));
        }
        let for_file = outgoing.call == CallKind::File;
        Ok(WireRequest { method: outgoing.method.clone(), url, headers, body, for_file })
    }

    /// The address of the link to a next page, where it stands below this system's address.
    pub(super) fn follow(&self, from: &Outgoing, link: &str) -> Result<Url, String> {
        self.0.base.follow(&self.0.base.join(&from.path, &from.query)?, link)
    }

    fn asked_to_wait(&self, answer: &Result<WireResponse, NoAnswer>) -> Option<Duration> {
        let response = answer.as_ref().ok().filter(|response| response.status >= 300)?;
        let date = response.header("date").and_then(http_date);
        retry_after(response.header("retry-after"), date, self.0.line.clock.now_ms())
    }

    /// Waits as the system asked, else longer each time. A system that is asked too much is left alone by all.
    async fn wait(&self, status: Option<u16>, asked: Option<Duration>, tries: u32) {
        let line = &self.0.line;
        let wait = asked.unwrap_or_else(|| line.backoff.wait(tries));
        if status == Some(429) || asked.is_some() {
            line.pacer.pause(wait);
        } else {
            line.clock.sleep(wait).await;
        }
    }

    /// A text of the system as it may be shown: without secrets, and not too long.
    pub fn clean(&self, message: &str) -> String {
        let clean = self.0.line.scrubber.clean(message);
        match clean.char_indices().nth(LONGEST_MESSAGE) {
            Some((at, _)) => format!("{}…", &clean[..at]),
            None => clean,
        }
    }

    pub(super) fn error(&self, class: ErrorClass, status: Option<u16>, message: &str) -> CallError {
        CallError { class, status, message: self.clean(message) }
    }
}

/// All credentials as one value, secrets told to the scrubber.
fn gather(
    system: &System,
    given: &BTreeMap<String, SecretString>,
    scrubber: &Scrubber,
) -> Result<Value, String> {
    let mut all = Map::new();
    let mut missing = Vec::new();
    for declared in &system.credentials {
        match given.get(&declared.name).map(|value| value.expose_secret()).or(declared.default.as_deref()) {
            Some(value) if !value.is_empty() => {
                // a text credential may be shown: a company's name, say
                if declared.kind == CredentialKind::Secret {
                    scrubber.add(value);
                }
                all.insert(declared.name.clone(), Value::text(value));
            }
            _ => missing.push(declared.name.as_str()),
        }
    }
    let known: BTreeSet<&str> = system.credentials.iter().map(|declared| declared.name.as_str()).collect();
    let unknown: Vec<&str> = given.keys().map(String::as_str).filter(|name| !known.contains(name)).collect();
    if !missing.is_empty() {
        return Err(format!(
            "{} needs credentials that the connection does not give: {}",
            system.name,
            missing.join(", ")
        ));
    }
    if !unknown.is_empty() {
        return Err(format!("{} has no such credentials: {}", system.name, unknown.join(", ")));
    }
    Ok(Value::Map(all))
}

#[cfg(test)]
#[path = "client_tests.rs"]
mod tests;
