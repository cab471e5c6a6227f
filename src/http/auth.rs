//! Proves who a request is from: constant headers, or a token that is fetched once and renewed in time.

use std::rc::Rc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use tokio::sync::Mutex;
use url::Url;

use super::address;
use super::line::{About, Line};
use super::outcome::CallError;
use super::retry::{MOST_RETRIES, http_date, retry_after};
use super::types::{NoAnswer, WireRequest, WireResponse};
use super::verdict::words;
use crate::program::expr::Template;
use crate::program::system::{Auth, BodyKind, ClientCredentials, ErrorClass, Errors, System};
use crate::value::{Map, Value, from_json_slice};

/// A token is renewed when this many percent of its life are over.
const RENEW_AT: u32 = 80;

/// The headers that a request carries, and which token they hold.
#[derive(Clone)]
pub(super) struct Proof {
    pub(super) headers: Rc<Vec<(String, String)>>,
    token: u64,
}

/// Makes proofs.
pub(super) struct Prover {
    credentials: Value,
    errors: Errors,
    kind: Kind,
}

enum Kind {
    Constant(Proof),
    Token { call: Box<ClientCredentials>, url: Url, headers: Vec<(String, Template)>, held: Mutex<Held> },
}

#[derive(Default)]
struct Held {
    token: Option<Token>,
    count: u64,
}

struct Token {
    proof: Proof,
    renew_at: Duration,
    ends_at: Duration,
    life: Duration,
}

impl Prover {
    /// A prover for a system; `credentials` is a map of all of them.
    pub(super) fn new(
        system: &System,
        credentials: Value,
        base: &address::Base,
        token_url: Option<&str>,
        line: &Line,
    ) -> Result<Prover, String> {
        let kind = match &system.auth {
            Auth::ClientCredentials(call) => {
                let text = token_url.unwrap_or(&call.url);
                let url = if text.starts_with('/') {
                    base.join(text, &[])?
                } else {
                    address::parse("token_url", text)?
                };
                let headers = call.headers.iter().chain(&system.headers).cloned().collect();
                Kind::Token { call: call.clone(), url, headers, held: Mutex::default() }
            }
            _ if token_url.is_some() => {
                return Err(format!("a token_url is given, but {} uses no token: remove it", system.name));
            }
            Auth::None => constant(&system.headers, &credentials, Vec::new())?,
            Auth::Header(headers) => {
                let own = render_all(headers, &credentials, None)?;
                for (_, value) in &own {
                    hide(line, &credentials, value);
                }
                constant(&system.headers, &credentials, own)?
            }
            Auth::Basic { user, password } => {
                let context = context(&credentials, None, None);
                let pair = format!("{}:{}", render(user, &context)?, render(password, &context)?);
                let proof = STANDARD.encode(pair);
                line.scrubber.add(&proof);
                constant(
                    &system.headers,
                    &credentials,
                    vec![("authorization".into(), format!("Basic {proof}"))],
                )?
            }
        };
        Ok(Prover { credentials, errors: system.errors.clone(), kind })
    }

    /// Whether a refused proof can be replaced by a new one.
    pub(super) fn can_renew(&self) -> bool {
        matches!(self.kind, Kind::Token { .. })
    }

    /// The proof for the next request. Whoever comes while a token is being fetched waits for that one.
    pub(super) async fn proof(&self, line: &Line) -> Result<Proof, CallError> {
        let (call, url, headers, held) = match &self.kind {
            Kind::Constant(proof) => return Ok(proof.clone()),
            Kind::Token { call, url, headers, held } => (call, url, headers, held),
        };
        let mut held = held.lock().await;
        let now = line.clock.monotonic();
        if let Some(token) = &held.token
            && now < token.renew_at
        {
            return Ok(token.proof.clone());
        }
        match self.fetch(line, call, url, headers, held.count + 1).await {
            Ok(token) => {
                held.count += 1;
                let proof = token.proof.clone();
                held.token = Some(token);
                Ok(proof)
            }
            // the old one still holds for a while: the renewal is tried again a little later
            Err(error) => match &mut held.token {
                Some(token) if line.clock.monotonic() < token.ends_at => {
                    token.renew_at = line.clock.monotonic() + token.life / 20;
                    Ok(token.proof.clone())
                }
                _ => Err(error),
            },
        }
    }

    /// Throws away a token that was refused, unless it has been replaced meanwhile.
    pub(super) async fn refused(&self, proof: &Proof) {
        if let Kind::Token { held, .. } = &self.kind {
            let mut held = held.lock().await;
            if held.token.as_ref().is_some_and(|token| token.proof.token == proof.token) {
                held.token = None;
            }
        }
    }

    async fn fetch(
        &self,
        line: &Line,
        call: &ClientCredentials,
        url: &Url,
        headers: &[(String, Template)],
        number: u64,
    ) -> Result<Token, CallError> {
        let failed = |message: String| error(line, ErrorClass::NotAllowed, None, &message);
        let request = self.request(call, url).map_err(failed)?;
        let response = patiently(line, &self.errors, request).await?;
        let answer = from_json_slice(&response.body).ok();
        let text = |path: &crate::value::Path| {
            answer
                .as_ref()
                .and_then(|answer| path.get(answer))
                .and_then(Value::scalar_text)
                .filter(|text| !text.is_empty())
        };
        let Some(token) = text(&call.token) else {
            return Err(failed(format!(
                "{} gave no token: its answer has nothing at `{}`",
                line.system, call.token
            )));
        };
        line.scrubber.add_token(&token);
        if let Some(problem) = missing_scopes(call, answer.as_ref()) {
            return Err(failed(format!("{} {problem}", line.system)));
        }
        let life = text(&call.expires_in)
            .and_then(|seconds| seconds.trim().parse::<u64>().ok())
            .filter(|seconds| *seconds > 0)
            .map_or(call.default_life, Duration::from_secs);
        let now = line.clock.monotonic();
        let headers = render_all(headers, &self.credentials, Some(&token)).map_err(failed)?;
        Ok(Token {
            proof: Proof { headers: Rc::new(headers), token: number },
            renew_at: now.saturating_add(life / 100 * RENEW_AT),
            ends_at: now.saturating_add(life),
            life,
        })
    }

    fn request(&self, call: &ClientCredentials, url: &Url) -> Result<WireRequest, String> {
        let context = context(&self.credentials, None, Some(&call.scopes.join(" ")));
        let mut pairs = Vec::with_capacity(call.send.len());
        for (name, template) in &call.send {
            pairs.push((name.clone(), render(template, &context)?));
        }
        let (kind, body) = match call.body {
            BodyKind::Form => (
                "application/x-www-form-urlencoded",
                url::form_urlencoded::Serializer::new(String::new()).extend_pairs(&pairs).finish(),
            ),
            BodyKind::Json => {
                let map: Map = pairs.into_iter().map(|(name, text)| (name, Value::Text(text))).collect();
                ("application/json", Value::Map(map).to_json())
            }
        };
        Ok(WireRequest {
            method: "POST".into(),
            url: url.clone(),
            headers: vec![("accept".into(), "application/json".into()), ("content-type".into(), kind.into())],
            body: Some(Bytes::from(body)),
        })
    }
}

/// A token call changes nothing: it is repeated like a read.
async fn patiently(line: &Line, errors: &Errors, request: WireRequest) -> Result<WireResponse, CallError> {
    let mut tries = 0;
    loop {
        let about = About { call: None, resource: "token", body: None };
        let (status, problem, asked) = match line.attempt(request.clone(), about).await {
            Ok(response) if (200..300).contains(&response.status) => return Ok(response),
            Ok(response) => {
                let status = response.status;
                let message = format!("{} gave no token ({status}){}", line.system, told(errors, &response));
                if !matches!(status, 408 | 429 | 500..=599) {
                    let hint = if (300..400).contains(&status) {
                        "check the token address"
                    } else {
                        "check the credentials"
                    };
                    return Err(error(
                        line,
                        ErrorClass::NotAllowed,
                        Some(status),
                        &format!("{message}: {hint}"),
                    ));
                }
                let date = response.header("date").and_then(http_date);
                (
                    Some(status),
                    message,
                    retry_after(response.header("retry-after"), date, line.clock.now_ms()),
                )
            }
            Err(NoAnswer::NotSent(cause) | NoAnswer::Unknown(cause)) => {
                (None, format!("{} gave no token: {cause}", line.system), None)
            }
        };
        if tries == MOST_RETRIES {
            return Err(error(line, ErrorClass::Wait, status, &problem));
        }
        line.clock.sleep(asked.unwrap_or_else(|| line.backoff.wait(tries))).await;
        tries += 1;
    }
}

/// The words of RFC 6749 section 5.2, or the system's own.
fn told(errors: &Errors, response: &WireResponse) -> String {
    let found = from_json_slice(&response.body).ok().and_then(|answer| {
        ["error_description", "error"].iter().find_map(|name| answer.get(name)?.as_text().map(str::to_owned))
    });
    let text = found.unwrap_or_else(|| words(errors, response));
    if text.is_empty() { text } else { format!(": {text}") }
}

fn missing_scopes(call: &ClientCredentials, answer: Option<&Value>) -> Option<String> {
    let granted = match call.granted.as_ref()?.get(answer?)? {
        // RFC 6749 section 5.1: left out means as asked
        Value::Null => return None,
        Value::List(items) => items.iter().filter_map(Value::scalar_text).collect::<Vec<_>>(),
        other => other.scalar_text()?.split([' ', ',']).map(str::to_owned).collect(),
    };
    let missing: Vec<&str> = call
        .scopes
        .iter()
        .map(String::as_str)
        .filter(|scope| !granted.iter().any(|given| given.trim() == *scope))
        .collect();
    (!missing.is_empty()).then(|| {
        format!(
            "granted fewer rights than are needed: {} missing; give them to these credentials",
            missing.join(", ")
        )
    })
}

/// Everything that templates of this room may name.
pub(super) fn context(credentials: &Value, token: Option<&str>, scopes: Option<&str>) -> Value {
    let mut map = Map::new();
    map.insert("credentials".into(), credentials.clone());
    if let Some(token) = token {
        map.insert("token".into(), Value::text(token));
    }
    if let Some(scopes) = scopes {
        map.insert("scopes".into(), Value::text(scopes));
    }
    Value::Map(map)
}

/// A rendered template.
pub(super) fn render(template: &Template, context: &Value) -> Result<String, String> {
    template.render(context).map_err(|error| error.to_string())
}

fn render_all(
    templates: &[(String, Template)],
    credentials: &Value,
    token: Option<&str>,
) -> Result<Vec<(String, String)>, String> {
    let context = context(credentials, token, None);
    templates
        .iter()
        .map(|(name, template)| {
            let value = render(template, &context)?;
            if value.contains(|c: char| c.is_control()) || name.contains(|c: char| c.is_control() || c == ':')
            {
                return Err(format!("header {name:?} would hold a line break or another control character"));
            }
            Ok((name.clone(), value))
        })
        .collect()
}

fn constant(
    general: &[(String, Template)],
    credentials: &Value,
    own: Vec<(String, String)>,
) -> Result<Kind, String> {
    let mut headers = own;
    headers.extend(render_all(general, credentials, None)?);
    Ok(Kind::Constant(Proof { headers: Rc::new(headers), token: 0 }))
}

/// Hides what a header proves with, unless it is nothing but a credential that may be shown.
fn hide(line: &Line, credentials: &Value, value: &str) {
    let shown = credentials.as_map().is_some_and(|all| all.values().any(|one| one.as_text() == Some(value)));
    if !shown && let Some(proof) = value.rsplit(' ').next() {
        line.scrubber.add(proof);
    }
}

fn error(line: &Line, class: ErrorClass, status: Option<u16>, message: &str) -> CallError {
    CallError { class, status, message: line.scrubber.clean(message) }
}

#[cfg(test)]
#[path = "auth_tests.rs"]
mod tests;
