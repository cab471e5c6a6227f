//! The call that gives a token (RFC 6749 section 4.4, also with a system's own names).

use std::time::Duration;

use url::Url;

use super::auth::{context, render, render_all};
use super::line::{About, Line};
use super::outcome::CallError;
use super::payload::Payload;
use super::retry::{http_date, retry_after};
use super::types::{NoAnswer, WireRequest, WireResponse};
use super::verdict::words;
use crate::program::expr::Template;
use crate::program::system::{BodyKind, ClientCredentials, Encoding, ErrorClass, Errors};
use crate::value::{Map, Path, Value, from_json_slice};

/// How tokens are got.
pub(super) struct TokenCall {
    pub(super) call: ClientCredentials,
    pub(super) url: Url,
    /// What requests with the token carry.
    pub(super) headers: Vec<(String, Template)>,
    pub(super) credentials: Value,
    pub(super) errors: Errors,
}

/// What a new token is worth.
pub(super) struct Fresh {
    /// The headers of requests with it.
    pub(super) headers: Vec<(String, String)>,
    /// How long it lives, from now.
    pub(super) life: Duration,
}

impl TokenCall {
    /// Gets a token. The call changes nothing, so it is repeated like a read.
    pub(super) async fn fetch(&self, line: &Line, retries: u32) -> Result<Fresh, CallError> {
        let failed = |message: String| error(line, ErrorClass::NotAllowed, None, &message);
        let request = self.request().map_err(failed)?;
        let response = self.patiently(line, request, retries).await?;
        let answer = from_json_slice(&response.body).ok();
        let text = |path: &Path| {
            let found = path.get(answer.as_ref()?)?.scalar_text()?;
            (!found.is_empty()).then_some(found)
        };
        let Some(token) = text(&self.call.token) else {
            let place = &self.call.token;
            return Err(failed(format!(
                "{} gave no token: its answer has nothing at `{place}`",
                line.system
            )));
        };
        line.scrubber.add_token(&token);
        if let Some(problem) = missing_scopes(&self.call, answer.as_ref()) {
            return Err(failed(format!("{} {problem}", line.system)));
        }
        let life = text(&self.call.expires_in)
            .and_then(|seconds| seconds.trim().parse::<u64>().ok())
            .filter(|seconds| *seconds > 0)
            .map_or(self.call.default_life, Duration::from_secs);
        let headers = render_all(&self.headers, &self.credentials, Some(&token)).map_err(failed)?;
        Ok(Fresh { headers, life })
    }

    fn request(&self) -> Result<WireRequest<Payload>, String> {
        let context = context(&self.credentials, None, Some(&self.call.scopes.join(" ")));
        let mut pairs = Vec::with_capacity(self.call.send.len());
        for (name, template) in &self.call.send {
            pairs.push((name.clone(), render(template, &context)?));
        }
        let (kind, body) = match self.call.body {
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
            url: self.url.clone(),
            headers: vec![("accept".into(), "application/json".into()), ("content-type".into(), kind.into())],
            body: Some(Payload::from(body)),
            for_file: false,
        })
    }

    async fn patiently(
        &self,
        line: &Line,
        request: WireRequest<Payload>,
        retries: u32,
    ) -> Result<WireResponse, CallError> {
        let mut tries = 0;
        loop {
            let about = About { call: None, resource: "token", body: None };
            let (status, problem, asked) = match line.attempt(request.clone(), about).await {
                Ok(response) if (200..300).contains(&response.status) => return Ok(response),
                Ok(response) => {
                    let status = response.status;
                    let message =
                        format!("{} gave no token ({status}){}", line.system, told(&self.errors, &response));
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
            if tries >= retries {
                return Err(error(line, ErrorClass::Wait, status, &problem));
            }
            line.clock.sleep(asked.unwrap_or_else(|| line.backoff.wait(tries))).await;
            tries += 1;
        }
    }
}

/// The words of RFC 6749 section 5.2, or the system's own.
fn told(errors: &Errors, response: &WireResponse) -> String {
    let found = from_json_slice(&response.body).ok().and_then(|answer| {
        ["error_description", "error"].iter().find_map(|name| answer.get(name)?.as_text().map(str::to_owned))
    });
    let text = found.unwrap_or_else(|| words(errors, response, &Encoding::default()));
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

fn error(line: &Line, class: ErrorClass, status: Option<u16>, message: &str) -> CallError {
    CallError { class, status, message: line.scrubber.clean(message) }
}
