//! Who may: tokens are given, and every request must carry exactly what the system file says.

use std::collections::BTreeMap;

use base64::Engine as _;

use super::answer::Answer;
use super::catalogue::Fault;
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

/// Why a request is refused: a status, a kind and a sentence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Refusal(pub u16, pub &'static str, pub String);

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

    /// Answers the token call.
    pub(super) fn token(
        &mut self,
        system: &System,
        request: &WireRequest,
        now_ms: i64,
        fault: Option<Fault>,
    ) -> Answer {
        let Auth::ClientCredentials(flow) = &system.auth else { return Answer::empty(404) };
        if let Err(Refusal(status, kind, message)) = self.asked(flow, request) {
            return Answer::error(system, status, &message, kind);
        }
        self.given += 1;
        self.tokens.retain(|(_, until)| *until > now_ms);
        let token = format!("token-{}-{}", system.name, self.given);
        self.tokens.push((token.clone(), now_ms.saturating_add(LIFE * 1000)));
        let mut reply = Value::Map(Map::new());
        flow.token.set(&mut reply, Value::Text(token));
        flow.expires_in.set(&mut reply, Value::from(LIFE));
        if let Some(granted) = &flow.granted {
            let count = flow.scopes.len().saturating_sub(usize::from(fault == Some(Fault::ScopeDropped)));
            granted.set(&mut reply, Value::Text(flow.scopes[..count].join(" ")));
        }
        Answer::json(200, &reply)
    }

    /// Whether the token call is made as the system file says, with the right secrets.
    fn asked(&self, flow: &ClientCredentials, request: &WireRequest) -> Result<(), Refusal> {
        let refuse = |status, kind, message: String| Err(Refusal(status, kind, message));
        if let Some((name, _)) = request.url.query_pairs().next() {
            return refuse(400, "InvalidParameter", format!("the parameter {name} is not known"));
        }
        let wanted = match flow.body {
            BodyKind::Form => "application/x-www-form-urlencoded",
            BodyKind::Json => "application/json",
        };
        if media_type(request).as_deref() != Some(wanted) {
            return refuse(415, "InvalidRequest", format!("the body must be {wanted}"));
        }
        let sent = match body(flow, request) {
            Ok(sent) => sent,
            Err(reason) => return refuse(400, "InvalidRequest", reason),
        };
        if let Some(extra) = sent.keys().find(|name| flow.send.iter().all(|(known, _)| known != *name)) {
            return refuse(400, "InvalidParameter", format!("{extra} is not known"));
        }
        let root = self.root(None, Some(&flow.scopes.join(" ")));
        for (name, template) in &flow.send {
            let expected = template.render(&root).unwrap_or_default();
            match sent.get(name) {
                Some(given) if *given == expected => {}
                Some(_) => return refuse(401, "AuthenticationRequired", format!("{name} is wrong")),
                None => return refuse(400, "InvalidParameter", format!("{name} is missing")),
            }
        }
        Ok(())
    }

    /// Whether a request carries the right proof, and the headers that every request carries.
    pub(super) fn check(&self, system: &System, request: &WireRequest, now_ms: i64) -> Result<(), Refusal> {
        let wrong = |headers: &[(String, Template)], token: Option<&str>| {
            let root = self.root(token, None);
            headers
                .iter()
                .find(|(name, template)| {
                    let expected = template.render(&root).unwrap_or_default();
                    header(request, name) != Some(expected.as_str())
                })
                .map(|(name, _)| name.clone())
        };
        let mut token = None;
        let proven = match &system.auth {
            Auth::None => true,
            Auth::Header(headers) => wrong(headers, None).is_none(),
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
            Auth::ClientCredentials(flow) => {
                token = self
                    .tokens
                    .iter()
                    .find(|(token, until)| *until > now_ms && wrong(&flow.headers, Some(token)).is_none());
                token.is_some()
            }
        };
        if !proven {
            return Err(Refusal(401, "AuthenticationRequired", "you are not signed in".into()));
        }
        match wrong(&system.headers, token.map(|(token, _)| token.as_str())) {
            Some(name) => {
                Err(Refusal(400, "InvalidRequest", format!("the header {name} is missing or wrong")))
            }
            None => Ok(()),
        }
    }

    fn root(&self, token: Option<&str>, scopes: Option<&str>) -> Value {
        let mut root = Map::new();
        root.insert("credentials".into(), self.credentials.clone());
        root.insert("token".into(), token.map_or(Value::Null, Value::text));
        root.insert("scopes".into(), scopes.map_or(Value::Null, Value::text));
        Value::Map(root)
    }
}

pub(super) fn header<'r>(request: &'r WireRequest, name: &str) -> Option<&'r str> {
    request.headers.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
}

/// The content type without its parameters.
pub(super) fn media_type(request: &WireRequest) -> Option<String> {
    header(request, "content-type")
        .map(|text| text.split(';').next().unwrap_or_default().trim().to_ascii_lowercase())
}

fn body(flow: &ClientCredentials, request: &WireRequest) -> Result<BTreeMap<String, String>, String> {
    let bytes = request.body.as_deref().unwrap_or_default();
    match flow.body {
        BodyKind::Form => {
            let mut sent = BTreeMap::new();
            for (name, value) in url::form_urlencoded::parse(bytes).into_owned() {
                if sent.insert(name.clone(), value).is_some() {
                    return Err(format!("{name} stands twice"));
                }
            }
            Ok(sent)
        }
        BodyKind::Json => {
            let value = from_json_slice(bytes).map_err(|error| format!("the body is no JSON: {error}"))?;
            let map = value.as_map().ok_or("the body is no object")?;
            map.iter()
                .map(|(name, value)| match value {
                    Value::Text(text) => Ok((name.clone(), text.clone())),
                    other => Err(format!("{name} must be text, not {}", other.kind())),
                })
                .collect()
        }
    }
}
