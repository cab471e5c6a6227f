//! Who may: tokens are given, and every request must carry exactly what the system file says.

use std::collections::{BTreeMap, HashSet};

use base64::Engine as _;

use super::answer::Answer;
use super::catalogue::Fault;
use crate::http::WireRequest;
use crate::program::expr::Template;
use crate::program::signature::{Moment, Signed, body_sha256};
use crate::program::system::{Auth, BodyKind, ClientCredentials, Resource, Signature, System};
use crate::spec::system::CallKind;
use crate::value::{Map, Value, from_json_slice};

/// How long a token lives, in seconds.
const LIFE: i64 = 3600;

/// The tokens that were given, and who they were given to.
#[derive(Clone, Debug)]
pub(super) struct Proof {
    credentials: Value,
    tokens: Vec<(String, i64)>,
    given: u64,
    /// The ids of signed requests: none may come twice.
    transactions: HashSet<String>,
    /// What a clock outside says; none: the time of a request is not checked.
    wall_ms: Option<i64>,
}

/// Why a request is refused: a status, a kind and a sentence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Refusal(pub u16, pub &'static str, pub String);

/// The scope that a call needs and that no token of this mapping is asked for.
pub(super) fn not_granted<'a>(system: &System, resource: &'a Resource, call: CallKind) -> Option<&'a str> {
    let Auth::ClientCredentials(flow) = &system.auth else { return None };
    let granted = |scopes: &[String]| scopes.iter().all(|scope| flow.scopes.contains(scope));
    let needed = match call {
        // resources may share the path of their files' content
        CallKind::File
            if system
                .resources
                .values()
                .any(|one| !one.file_scopes.is_empty() && granted(&one.file_scopes)) =>
        {
            return None;
        }
        CallKind::List | CallKind::Get => &resource.read_scopes,
        CallKind::Create | CallKind::Update | CallKind::Delete | CallKind::Action => &resource.write_scopes,
        CallKind::File | CallKind::Attach => &resource.file_scopes,
    };
    needed.iter().find(|scope| !flow.scopes.contains(scope)).map(String::as_str)
}

impl Proof {
    pub(super) fn new(credentials: &BTreeMap<String, String>) -> Proof {
        let map: Map =
            credentials.iter().map(|(name, value)| (name.clone(), Value::text(value.clone()))).collect();
        Proof {
            credentials: Value::Map(map),
            tokens: Vec::new(),
            given: 0,
            transactions: HashSet::new(),
            wall_ms: None,
        }
    }

    /// Makes every token invalid.
    pub(super) fn expire(&mut self) {
        self.tokens.clear();
    }

    /// Tells what time it is outside.
    pub(super) fn tell_time(&mut self, now_ms: i64) {
        self.wall_ms = Some(now_ms);
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
    pub(super) fn check(
        &mut self,
        system: &System,
        request: &WireRequest,
        now_ms: i64,
    ) -> Result<(), Refusal> {
        if let Auth::Signature(signature) = &system.auth {
            self.signed(signature, request)?;
        }
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
            Auth::None | Auth::Signature(_) => true,
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

    /// Whether a request is signed as it should be, now, and for the first time.
    fn signed(&mut self, signature: &Signature, request: &WireRequest) -> Result<(), Refusal> {
        let refuse = |message: String| Refusal(401, "AuthenticationRequired", message);
        let told = |name: &Option<String>| match name {
            Some(name) => header(request, name)
                .filter(|text| !text.is_empty())
                .map(str::to_owned)
                .ok_or_else(|| refuse(format!("the header {name} is missing"))),
            None => Ok(String::new()),
        };
        let moment = Moment {
            timestamp: told(&signature.told.timestamp)?,
            unix: told(&signature.told.unix)?,
            transaction: told(&signature.told.transaction)?,
        };
        let hash = body_sha256(request.body.as_deref().unwrap_or_default());
        let given = Signed { method: &request.method, url: &request.url, body_sha256: &hash };
        let expected = signature
            .headers(&self.credentials, given, &moment)
            .map_err(|problem| refuse(format!("it cannot be checked: {problem}")))?;
        if let Some((name, _)) = expected.iter().find(|(name, value)| header(request, name) != Some(value)) {
            return Err(refuse(format!("the header {name} is missing or wrong")));
        }
        self.in_time(signature, &moment).map_err(refuse)?;
        if signature.told.transaction.is_some() && !self.transactions.insert(moment.transaction) {
            return Err(Refusal(400, "NotUnique", "a request with this id came before".into()));
        }
        Ok(())
    }

    fn in_time(&self, signature: &Signature, moment: &Moment) -> Result<(), String> {
        let written = signature.told.timestamp.is_some().then(|| {
            jiff::civil::DateTime::strptime(&signature.timestamp, &moment.timestamp)
                .ok()
                .and_then(|time| {
                    Some(time.to_zoned(jiff::tz::TimeZone::UTC).ok()?.timestamp().as_millisecond())
                })
                .ok_or_else(|| "its time is not written as it should be".to_owned())
        });
        let counted = signature.told.unix.is_some().then(|| {
            let seconds = moment.unix.parse::<i64>().ok().and_then(|seconds| seconds.checked_mul(1000));
            seconds.ok_or_else(|| "its time is no number of seconds".to_owned())
        });
        let times = [written.transpose()?, counted.transpose()?];
        if let [Some(written), Some(counted)] = times
            && written.abs_diff(counted) > 1000
        {
            return Err("its two times differ".into());
        }
        let skew = u64::try_from(signature.skew.as_millis()).unwrap_or(u64::MAX);
        match (times.into_iter().flatten().next(), self.wall_ms) {
            (Some(time), Some(now)) if time.abs_diff(now) > skew => {
                Err("its time is too far from the server's".into())
            }
            _ => Ok(()),
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
