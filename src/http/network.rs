//! The network itself: one request, one attempt.

use std::error::Error as _;
use std::path::PathBuf;
use std::sync::Once;
use std::time::Duration;

use reqwest::header::{CONTENT_ENCODING, HeaderMap, HeaderName, HeaderValue};
use reqwest::{Certificate, Method, redirect, retry};

use super::address::{check_secure, origin};
use super::body::{Body, LARGEST, too_large};
use super::content::LARGEST_FILE;
use super::payload::Payload;
use super::types::{NoAnswer, Transport, WireRequest, WireResponse};
use crate::clock::LocalFuture;

/// How the network is used.
#[derive(Clone, Debug)]
pub struct NetworkSetup {
    /// How long one request may take in all (the system's `timeout`).
    pub timeout: Duration,
    /// How long a connection may take to come about.
    pub connect_timeout: Duration,
    /// How long an answer may stand still.
    pub read_timeout: Duration,
    /// A file of further certificates (PEM) to trust beside the machine's own.
    pub extra_ca: Option<PathBuf>,
}

impl Default for NetworkSetup {
    fn default() -> Self {
        NetworkSetup {
            timeout: Duration::from_secs(60),
            connect_timeout: Duration::from_secs(10),
            read_timeout: Duration::from_secs(20),
            extra_ca: None,
        }
    }
}

/// Sends requests over TCP and TLS.
///
/// It follows no redirect, repeats nothing, uses no proxy, and has no switch that turns off the check of
/// certificates. Plain http is for this machine only.
#[derive(Debug)]
pub struct Network {
    reads: reqwest::Client,
    writes: reqwest::Client,
    timeout: Duration,
    /// Why https cannot be spoken on this machine.
    no_tls: Option<String>,
}

/// Connections of reads are kept this long.
const KEEP_FOR_READS: Duration = Duration::from_secs(60);
/// Many servers close an idle connection after 5 s; a write sent just then has an unknown outcome.
const KEEP_FOR_WRITES: Duration = Duration::from_secs(3);

impl Network {
    /// Makes the network ready.
    ///
    /// # Errors
    /// A sentence for a person: the certificate file cannot be read, or TLS cannot be set up.
    pub fn new(setup: &NetworkSetup) -> Result<Network, String> {
        static PROVIDER: Once = Once::new();
        PROVIDER.call_once(|| {
            // somebody else may have installed one before: theirs is as good
            let _ = rustls::crypto::ring::default_provider().install_default();
        });
        let certificates = match &setup.extra_ca {
            None => Vec::new(),
            Some(path) => {
                let show = path.display();
                let pem = std::fs::read(path)
                    .map_err(|error| format!("cannot read the certificates in {show}: {error}"))?;
                let found = Certificate::from_pem_bundle(&pem).map_err(|error| {
                    format!("{show} holds no certificates in PEM form: {}", last_cause(&error))
                })?;
                if found.is_empty() {
                    return Err(format!("{show} holds no certificates in PEM form"));
                }
                found
            }
        };
        // the connection must give up first: only then is it sure that nothing was sent
        let connect = setup.connect_timeout.min(setup.timeout / 2);
        let builder = |keep: Duration| {
            reqwest::Client::builder()
                .user_agent(concat!("mapengine/", env!("CARGO_PKG_VERSION")))
                .redirect(redirect::Policy::none())
                .retry(retry::never())
                .no_proxy()
                .referer(false)
                .connect_timeout(connect)
                .timeout(setup.timeout)
                .read_timeout(setup.read_timeout)
                .pool_idle_timeout(keep)
        };
        let trusting = |keep| match &certificates[..] {
            [] => builder(keep),
            some => builder(keep).tls_certs_merge(some.iter().cloned()),
        };
        // a machine without any certificates can still speak to itself (the served sandbox), but trusts nobody
        let no_tls = trusting(KEEP_FOR_READS).build().err().map(|error| {
            format!("TLS cannot be used on this machine: {}; install its CA certificates", last_cause(&error))
        });
        let build = |keep| match no_tls {
            None => trusting(keep).build(),
            Some(_) => builder(keep).tls_certs_only([]).build(),
        };
        let client =
            |keep| build(keep).map_err(|error| format!("cannot set up the network: {}", last_cause(&error)));
        Ok(Network {
            reads: client(KEEP_FOR_READS)?,
            writes: client(KEEP_FOR_WRITES)?,
            timeout: setup.timeout,
            no_tls,
        })
    }

    async fn attempt(&self, request: WireRequest<Payload>) -> Result<WireResponse, NoAnswer> {
        check_secure(&request.url).map_err(NoAnswer::NotSent)?;
        if let (Some(problem), "https") = (&self.no_tls, request.url.scheme()) {
            return Err(NoAnswer::NotSent(problem.clone()));
        }
        let place = origin(&request.url);
        let method = Method::from_bytes(request.method.as_bytes())
            .map_err(|_| NoAnswer::NotSent(format!("{:?} is no HTTP method", request.method)))?;
        let client = if method.is_safe() { &self.reads } else { &self.writes };
        let mut out = client.request(method, request.url).headers(headers(&request.headers)?);
        if let Some(body) = request.body {
            out = out.body(reqwest::Body::wrap(body.flow()));
        }
        let mut response = out.send().await.map_err(|error| self.no_answer(&error, &place))?;
        let status = response.status();
        let unknown = |problem: String| {
            NoAnswer::Unknown(format!("{place} answered {}, but {problem}", status.as_u16()))
        };
        let mut headers: Vec<_> = response
            .headers()
            .iter()
            .map(|(name, value)| {
                (name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned())
            })
            .collect();
        // a refusal is read like any other
        let for_file = request.for_file && status.is_success();
        let largest = if for_file { LARGEST_FILE } else { LARGEST };
        if response.content_length().is_some_and(|length| length > largest as u64) {
            return Err(unknown(too_large(largest)));
        }
        let encoding = headers
            .iter()
            .position(|(name, _)| name == CONTENT_ENCODING.as_str())
            .map(|at| headers.remove(at).1);
        let mut body = Body::new(encoding.as_deref(), for_file).map_err(unknown)?;
        loop {
            match response.chunk().await {
                Ok(Some(chunk)) => body.push(&chunk).map_err(unknown)?,
                Ok(None) => break,
                Err(error) if error.is_timeout() => {
                    return Err(unknown("its body did not come in time".into()));
                }
                Err(error) => return Err(unknown(format!("its body is cut ({})", last_cause(&error)))),
            }
        }
        let (body, file) = body.finish().map_err(unknown)?;
        Ok(WireResponse { status: status.as_u16(), headers, body, file })
    }

    /// Why there is no answer: "not sent" only where no byte of the request can have been written.
    fn no_answer(&self, error: &reqwest::Error, place: &str) -> NoAnswer {
        let cause = last_cause(error);
        if error.is_builder() {
            NoAnswer::NotSent(format!("the request cannot be made: {cause}"))
        } else if error.is_connect() {
            let cause = if error.is_timeout() { "it does not react".to_owned() } else { cause };
            NoAnswer::NotSent(format!("cannot connect to {place}: {cause}"))
        } else if error.is_timeout() {
            NoAnswer::Unknown(format!("{place} did not answer within {} s", self.timeout.as_secs_f32()))
        } else {
            NoAnswer::Unknown(format!("the connection to {place} broke before an answer came: {cause}"))
        }
    }
}

impl Transport for Network {
    fn send(&self, request: WireRequest<Payload>) -> LocalFuture<'_, Result<WireResponse, NoAnswer>> {
        Box::pin(self.attempt(request))
    }
}

fn headers(pairs: &[(String, String)]) -> Result<HeaderMap, NoAnswer> {
    let mut headers = HeaderMap::new();
    headers.insert("accept-encoding", HeaderValue::from_static("gzip"));
    for (name, value) in pairs {
        // the value may be a secret: only the name is told
        let bad = || {
            NoAnswer::NotSent(format!(
                "header {name:?} cannot be sent: its name or value holds a forbidden character"
            ))
        };
        let key = HeaderName::from_bytes(name.as_bytes()).map_err(|_| bad())?;
        let mut value = HeaderValue::from_str(value).map_err(|_| bad())?;
        value.set_sensitive(true);
        headers.append(key, value);
    }
    Ok(headers)
}

/// The innermost cause: the outer ones only say that a request failed, and name its address.
fn last_cause(error: &reqwest::Error) -> String {
    let mut text = None;
    let mut cause = error.source();
    while let Some(inner) = cause {
        text = Some(inner.to_string());
        cause = inner.source();
    }
    text.unwrap_or_else(|| "no reason was given".into())
}

#[cfg(test)]
#[path = "network_tests.rs"]
mod tests;

#[cfg(test)]
#[path = "tls_tests.rs"]
mod tls_tests;
