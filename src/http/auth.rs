//! Proves who a request is from: constant headers, or a token that is fetched once and renewed in time.

use std::rc::Rc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use tokio::sync::Mutex;

use super::address;
use super::line::Line;
use super::outcome::CallError;
use super::retry::MOST_RETRIES;
use super::token::{Fresh, TokenCall};
use crate::program::expr::Template;
use crate::program::signature::{Moment, Signed};
use crate::program::system::{Auth, Signature, System};
use crate::value::{Map, Value};

/// A token is renewed when this many percent of its life are over.
const RENEW_AT: u32 = 80;

/// A shorter proof is not taken for a secret: `2` or `v1` stands in many innocent texts.
const SHORTEST_PROOF: usize = 8;

/// The headers that a request carries, and which token they hold.
#[derive(Clone)]
pub(super) struct Proof {
    pub(super) headers: Rc<Vec<(String, String)>>,
    token: u64,
}

/// Makes proofs.
pub(super) enum Prover {
    /// Always the same headers.
    Constant(Proof),
    /// Headers over the request itself, made when it leaves.
    Signed { signature: Box<Signature>, credentials: Value, general: Proof },
    /// Headers that carry a token.
    Token { call: Box<TokenCall>, held: Mutex<Held> },
}

#[derive(Default)]
pub(super) struct Held {
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
        credentials: &Value,
        base: &address::Base,
        token_url: Option<&str>,
        line: &Line,
    ) -> Result<Prover, String> {
        let general = &system.headers;
        match &system.auth {
            Auth::ClientCredentials(call) => {
                let text = token_url.unwrap_or(&call.url);
                let url = if text.starts_with('/') {
                    base.join(text, &[])?
                } else {
                    address::parse("token_url", text)?
                };
                let call = TokenCall {
                    call: (**call).clone(),
                    url,
                    headers: call.headers.iter().chain(general).cloned().collect(),
                    credentials: credentials.clone(),
                    errors: system.errors.clone(),
                };
                Ok(Prover::Token { call: Box::new(call), held: Mutex::default() })
            }
            _ if token_url.is_some() => {
                Err(format!("a token_url is given, but {} uses no token: remove it", system.name))
            }
            Auth::Signature(signature) => {
                let headers = Rc::new(render_all(general, credentials, None)?);
                Ok(Prover::Signed {
                    signature: signature.clone(),
                    credentials: credentials.clone(),
                    general: Proof { headers, token: 0 },
                })
            }
            Auth::None => constant(general, credentials, Vec::new()),
            Auth::Header(headers) => {
                let own = render_all(headers, credentials, None)?;
                for (_, value) in &own {
                    hide(line, credentials, value);
                }
                constant(general, credentials, own)
            }
            Auth::Basic { user, password } => {
                let context = context(credentials, None, None);
                let pair = format!("{}:{}", render(user, &context)?, render(password, &context)?);
                let proof = STANDARD.encode(pair);
                line.scrubber.add(&proof);
                constant(general, credentials, vec![("authorization".into(), format!("Basic {proof}"))])
            }
        }
    }

    /// Whether each request has a proof of its own.
    pub(super) fn signs(&self) -> bool {
        matches!(self, Prover::Signed { .. })
    }

    /// The headers that prove this very request: a new time and a new id for each attempt.
    pub(super) fn sign(&self, request: Signed, line: &Line) -> Result<Vec<(String, String)>, String> {
        let Prover::Signed { signature, credentials, .. } = self else { return Ok(Vec::new()) };
        let id = uuid::Uuid::new_v4().simple().to_string();
        let moment = Moment::new(signature, line.clock.now_ms(), id);
        let headers = signature.headers(credentials, request, &moment)?;
        for (name, value) in &headers {
            check_header(name, value)?;
            // whatever may be shown is told by its own name; the rest is proof
            if signature.carries(name) {
                line.scrubber.add_token(value);
            }
        }
        Ok(headers)
    }

    /// Whether a refused proof can be replaced by a new one.
    pub(super) fn can_renew(&self) -> bool {
        matches!(self, Prover::Token { .. })
    }

    /// The proof for the next request. Whoever comes while a token is being fetched waits for that one.
    pub(super) async fn proof(&self, line: &Line) -> Result<Proof, CallError> {
        let (call, held) = match self {
            Prover::Constant(proof) | Prover::Signed { general: proof, .. } => return Ok(proof.clone()),
            Prover::Token { call, held } => (call, held),
        };
        let mut held = held.lock().await;
        let now = line.clock.monotonic();
        let retries = match &held.token {
            Some(token) if now < token.renew_at => return Ok(token.proof.clone()),
            // the old one still holds for a while: nobody has to wait for a system that is down
            Some(token) if now < token.ends_at => 0,
            _ => MOST_RETRIES,
        };
        match call.fetch(line, retries).await {
            Ok(Fresh { headers, life }) => {
                held.count += 1;
                let now = line.clock.monotonic();
                let proof = Proof { headers: Rc::new(headers), token: held.count };
                held.token = Some(Token {
                    proof: proof.clone(),
                    renew_at: now.saturating_add(life / 100 * RENEW_AT),
                    ends_at: now.saturating_add(life),
                    life,
                });
                Ok(proof)
            }
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
        if let Prover::Token { held, .. } = self {
            let mut held = held.lock().await;
            if held.token.as_ref().is_some_and(|token| token.proof.token == proof.token) {
                held.token = None;
            }
        }
    }
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

/// Rendered headers, none of which can become two.
pub(super) fn render_all(
    templates: &[(String, Template)],
    credentials: &Value,
    token: Option<&str>,
) -> Result<Vec<(String, String)>, String> {
    let context = context(credentials, token, None);
    templates
        .iter()
        .map(|(name, template)| {
            let value = render(template, &context)?;
            check_header(name, &value)?;
            Ok((name.clone(), value))
        })
        .collect()
}

fn check_header(name: &str, value: &str) -> Result<(), String> {
    if value.contains(|c: char| c.is_control()) || name.contains(|c: char| c.is_control() || c == ':') {
        return Err(format!("header {name:?} would hold a line break or another control character"));
    }
    Ok(())
}

fn constant(
    general: &[(String, Template)],
    credentials: &Value,
    own: Vec<(String, String)>,
) -> Result<Prover, String> {
    let mut headers = own;
    headers.extend(render_all(general, credentials, None)?);
    Ok(Prover::Constant(Proof { headers: Rc::new(headers), token: 0 }))
}

/// Hides what a header proves with, unless it is nothing but a credential that may be shown.
fn hide(line: &Line, credentials: &Value, value: &str) {
    let shown = credentials.as_map().is_some_and(|all| all.values().any(|one| one.as_text() == Some(value)));
    if !shown
        && let Some(proof) = value.rsplit(' ').next()
        && proof.len() >= SHORTEST_PROOF
    {
        line.scrubber.add(proof);
    }
}

#[cfg(test)]
#[path = "auth_tests.rs"]
mod tests;
