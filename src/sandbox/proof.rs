//! Who may: tokens are given, and every request must carry exactly what the system file says.

use std::collections::BTreeMap;

use base64::Engine as _;

use super::answer::Answer;
use crate::http::WireRequest;
use crate::program::expr::Template;
use crate::program::system::{Auth, BodyKind, ClientCredentials, System};
use crate::value::{Map, Value, from_json_slice};

/// How long a token lives, in seconds.
const LIFE: i64 = 3600;

/// The tokens that were given, and who they were given to.
#[derive(Clone, Debug)]
pub(super) struct Proof {
    credentials: Value,
    tokens: Vec<(String, i64)>,
    given: u64,
}

impl Proof {
    pub(super) fn new(credentials: &BTreeMap<String, String>) -> Proof {
        let map: Map =
            credentials.iter().map(|(name, value)| (name.clone(), Value::text(value.clone()))).collect();
        Proof { credentials: Value::Map(map), tokens: Vec::new(), given: 0 }
    }

    /// Makes every token invalid.
    pub(super) fn expire(&mut self) {
        self.tokens.clear();
    }

    /// Answers the token call, if this is one.
    pub(super) fn token(&mut self, system: &System, request: &WireRequest, now_ms: i64) -> Option<Answer> {
        let Auth::ClientCredentials(flow) = &system.auth else { return None };
        let wanted =
            url::Url::parse(&flow.url).map_or_else(|_| flow.url.clone(), |url| url.path().to_owned());
        if request.url.path() != wanted {
            return None;
        }
        if request.method != "POST" {
            return Some(Answer::plain(405, "the token call is a POST"));
        }
        let sent = match body(flow, request) {
            Ok(sent) => sent,
            Err(reason) => return Some(Answer::plain(400, reason)),
        };
        let root = self.root(None, Some(&flow.scopes.join(" ")));
        for (name, template) in &flow.send {
            let expected = template.render(&root).unwrap_or_default();
            if sent.get(name) != Some(&expected) {
                return Some(Answer::plain(401, format!("{name} is wrong or missing")));
            }
        }
        if let Some(extra) = sent.keys().find(|name| flow.send.iter().all(|(known, _)| known != *name)) {
            return Some(Answer::plain(400, format!("{extra} is not known")));
        }
        self.given += 1;
        let token = format!("token-{}-{}", system.name, self.given);
        self.tokens.push((token.clone(), now_ms + LIFE * 1000));
        let mut reply = Value::Map(Map::new());
        flow.token.set(&mut reply, Value::Text(token));
        flow.expires_in.set(&mut reply, Value::from(LIFE));
        if let Some(granted) = &flow.granted {
            granted.set(&mut reply, Value::Text(flow.scopes.join(" ")));
        }
        Some(Answer::json(200, &reply))
    }

    /// Whether a request carries the right proof.
    pub(super) fn holds(&self, system: &System, request: &WireRequest, now_ms: i64) -> bool {
        let carries = |headers: &[(String, Template)], token: Option<&str>| {
            let root = self.root(token, None);
            headers.iter().all(|(name, template)| {
                let expected = template.render(&root).unwrap_or_default();
                header(request, name) == Some(expected.as_str())
            })
        };
        let proven = match &system.auth {
            Auth::None => true,
            Auth::Header(headers) => carries(headers, None),
            Auth::Basic { user, password } => {
                let root = self.root(None, None);
                let pair = format!(
                    "{}:{}",
                    user.render(&root).unwrap_or_default(),
                    password.render(&root).unwrap_or_default()
                );
                let expected = format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(pair));
                header(request, "authorization") == Some(expected.as_str())
            }
            Auth::ClientCredentials(flow) => self
                .tokens
                .iter()
                .filter(|(_, until)| *until > now_ms)
                .any(|(token, _)| carries(&flow.headers, Some(token))),
        };
        proven && carries(&system.headers, self.tokens.last().map(|(token, _)| token.as_str()))
    }

    fn root(&self, token: Option<&str>, scopes: Option<&str>) -> Value {
        let mut root = Map::new();
        root.insert("credentials".into(), self.credentials.clone());
        root.insert("token".into(), token.map_or(Value::Null, Value::text));
        root.insert("scopes".into(), scopes.map_or(Value::Null, Value::text));
        Value::Map(root)
    }
}

fn header<'r>(request: &'r WireRequest, name: &str) -> Option<&'r str> {
    request.headers.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
}

fn body(flow: &ClientCredentials, request: &WireRequest) -> Result<BTreeMap<String, String>, String> {
    let bytes = request.body.as_deref().unwrap_or_default();
    match flow.body {
        BodyKind::Form => Ok(url::form_urlencoded::parse(bytes).into_owned().collect()),
        BodyKind::Json => {
            let value = from_json_slice(bytes).map_err(|error| format!("the body is no JSON: {error}"))?;
            let map = value.as_map().ok_or("the body is no object")?;
            Ok(map
                .iter()
                .map(|(name, value)| (name.clone(), value.scalar_text().unwrap_or_default()))
                .collect())
        }
    }
}
