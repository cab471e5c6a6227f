//! One attempt: waits for its turn, sends, learns the quota, logs. No meaning, no repetition.

use std::rc::Rc;

use super::outcome::LoggedCall;
use super::pacing::Pacer;
use super::payload::Payload;
use super::retry::Backoff;
use super::secrets::Scrubber;
use super::types::{NoAnswer, Transport, WireRequest, WireResponse};
use crate::clock::Clock;
use crate::program::system::{CallKind, Quota};
use crate::value::Value;

/// Headers that are logged: a list of what may be seen, not of what must not.
const SEEN: &[&str] = &[
    "accept",
    "content-type",
    "content-length",
    "content-range",
    "date",
    "etag",
    "if-match",
    "location",
    "prefer",
    "range",
    "retry-after",
];

/// Who listens to the calls.
pub type Listener = Rc<dyn Fn(&LoggedCall)>;

/// The way to one system.
pub(super) struct Line {
    pub(super) system: String,
    pub(super) transport: Rc<dyn Transport>,
    pub(super) clock: Rc<dyn Clock>,
    pub(super) pacer: Pacer,
    pub(super) backoff: Backoff,
    pub(super) scrubber: Rc<Scrubber>,
    pub(super) quota: Option<Quota>,
    pub(super) log: Option<Listener>,
    /// How many requests were sent to read.
    pub(super) reads: std::cell::Cell<u64>,
}

/// What a request is, for the log.
pub(super) struct About<'a> {
    pub(super) call: Option<CallKind>,
    pub(super) resource: &'a str,
    pub(super) body: Option<&'a Value>,
}

impl Line {
    /// Sends once.
    pub(super) async fn attempt(
        &self,
        request: WireRequest<Payload>,
        about: About<'_>,
    ) -> Result<WireResponse, NoAnswer> {
        if matches!(about.call, Some(CallKind::List | CallKind::Get | CallKind::File)) {
            self.reads.set(self.reads.get() + 1);
        }
        let seen = self.log.is_some().then(|| request.clone());
        let turn = self.pacer.turn().await;
        let start = self.clock.monotonic();
        let answer = self.transport.send(request).await;
        let took = self.clock.monotonic().saturating_sub(start);
        if let Ok(response) = &answer {
            self.pacer.learn(response);
        }
        drop(turn);
        if let (Some(log), Some(request)) = (&self.log, seen) {
            let ms = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
            log(&self.logged(&request, &about, &answer, ms));
        }
        answer
    }

    fn logged(
        &self,
        request: &WireRequest<Payload>,
        about: &About<'_>,
        answer: &Result<WireResponse, NoAnswer>,
        ms: u64,
    ) -> LoggedCall {
        let mask = |text: &str| self.scrubber.mask(text);
        let pick = |headers: &[(String, String)]| {
            headers
                .iter()
                .filter(|(name, _)| self.is_seen(name))
                .map(|(name, value)| (name.to_ascii_lowercase(), mask(value)))
                .collect::<Vec<_>>()
        };
        let (status, answer_headers, problem) = match answer {
            Ok(response) => (Some(response.status), pick(&response.headers), None),
            Err(NoAnswer::NotSent(text) | NoAnswer::Unknown(text)) => {
                (None, Vec::new(), Some(self.scrubber.clean(text)))
            }
        };
        LoggedCall {
            system: self.system.clone(),
            call: about.call,
            resource: about.resource.to_owned(),
            method: request.method.clone(),
            path: mask(request.url.path()),
            query: request.url.query_pairs().map(|(name, value)| (name.into_owned(), mask(&value))).collect(),
            request_headers: pick(&request.headers),
            body: about.body.map(|body| self.scrubber.mask_value(body)),
            status,
            answer_headers,
            problem,
            ms,
        }
    }

    fn is_seen(&self, name: &str) -> bool {
        let is = |other: &str| name.eq_ignore_ascii_case(other);
        SEEN.iter().any(|seen| is(seen))
            || self.quota.as_ref().is_some_and(|quota| {
                is(&quota.remaining) || is(&quota.reset_seconds) || quota.limit.as_deref().is_some_and(is)
            })
    }
}
