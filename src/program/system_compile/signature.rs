//! Signed requests: every part is known, the server can check it, and known answers come out.

use std::time::Duration;

use super::auth::{credential_scope, lacks};
use super::durations::duration;
use super::findings::Findings;
use super::templates::{headers, template};
use crate::diagnostic::{At, codes};
use crate::program::expr::{Scope, Template};
use crate::program::signature::{Moment, Signed, body_sha256};
use crate::program::system::{Auth, CredentialKind, HashKind, Signature, Told};
use crate::program::types::Type;
use crate::spec::system as spec;
use crate::value::{Map, Value};

/// How far a request's time may be from the server's, where nothing is said.
const SKEW: Duration = Duration::from_secs(5 * 60);

/// The names that are signed.
fn scope(system: &spec::System) -> Scope {
    let request = ["method", "url", "path", "body_sha256"].map(|name| (name.to_owned(), Type::Text));
    ["timestamp", "unix", "transaction"]
        .into_iter()
        .fold(credential_scope(system), |scope, name| scope.root(name, Type::Text))
        .root("request", Type::object(request))
}

/// Compiles a signature.
pub(super) fn signature(system: &spec::System, found: &mut Findings) -> Auth {
    let auth = &system.auth;
    let Some(written) = &auth.signature else {
        lacks(
            system,
            "signature",
            "signature: { hash: hmac_sha256, key: [\"{{ credentials.key }}\"], sign: [\"{{ request.url }}\", \"{{ timestamp }}\"] }",
            found,
        );
        return Auth::None;
    };
    let scope = scope(system);
    let before = found.errors();
    let compiled = |texts: &[At<String>], found: &mut Findings| -> Vec<Template> {
        texts.iter().filter_map(|text| template(text, &scope, found)).collect()
    };
    let sign = compiled(&written.sign, found);
    let key = compiled(&written.key, found);
    let header_scope = scope.clone().root("signature", Type::Text);
    let signature = Signature {
        hash: written.hash.value,
        sign,
        join: written.join.clone(),
        key,
        charset: written.charset,
        digest: written.digest,
        timestamp: written.timestamp.as_ref().map_or("%Y-%m-%dT%H:%M:%SZ", |text| &text.value).to_owned(),
        skew: duration(written.skew.as_ref(), SKEW, found),
        headers: headers(&auth.headers, &header_scope, found),
        told: told(auth),
    };
    if let Some(format) = &written.timestamp {
        super::times::check_time(format, found);
    }
    if found.errors() == before {
        check(system, written, &signature, found);
    }
    if found.errors() == before {
        vectors(written, &signature, found);
    }
    Auth::Signature(Box::new(signature))
}

/// The headers that hold one name and nothing else.
fn told(auth: &spec::Auth) -> Told {
    let header = |name: &str| {
        let alone = |text: &str| {
            text.trim().strip_prefix("{{").and_then(|rest| rest.strip_suffix("}}")).map(str::trim)
                == Some(name)
        };
        auth.headers.iter().find(|(_, text)| alone(&text.value)).map(|(header, _)| header.value.clone())
    };
    Told { timestamp: header("timestamp"), unix: header("unix"), transaction: header("transaction") }
}

fn check(system: &spec::System, written: &spec::Signature, signature: &Signature, found: &mut Findings) {
    let mut refuse = |place, message: String, help: &str| {
        found.error_help(&codes::BAD_SIGNATURE, place, message, help);
    };
    let place = written.hash.span;
    let hmac = signature.hash == HashKind::HmacSha256;
    if hmac && signature.key.is_empty() {
        refuse(place, "an HMAC needs a key".into(), "write `key`: templates over `credentials`");
    }
    if !hmac && !signature.key.is_empty() {
        refuse(
            place,
            "a plain hash has no key".into(),
            "sign the secrets as parts, or write `hash: hmac_sha256`",
        );
    }
    if signature.sign.is_empty() {
        refuse(place, "nothing is signed".into(), "write `sign`: the parts in their order");
    }
    let uses = |templates: &[Template], name: &str| {
        templates.iter().any(|one| one.uses().iter().any(|path| path.to_string() == name))
    };
    let proving = if hmac { &signature.key } else { &signature.sign };
    let secret = system
        .credentials
        .iter()
        .filter(|(_, credential)| credential.kind == CredentialKind::Secret)
        .any(|(name, _)| uses(proving, &format!("credentials.{}", name.value)));
    if !secret {
        refuse(
            place,
            "no secret goes into the signature: anybody could make it".into(),
            "use a credential of type secret in the key (of an HMAC) or in the parts (of a plain hash)",
        );
    }
    let carried: Vec<Template> = signature.headers.iter().map(|(_, template)| template.clone()).collect();
    if !uses(&carried, "signature") {
        refuse(
            place,
            "no header carries the signature".into(),
            "write it under `headers`: { X-Signature: \"{{ signature }}\" }",
        );
    }
    for (name, header) in [
        ("timestamp", &signature.told.timestamp),
        ("unix", &signature.told.unix),
        ("transaction", &signature.told.transaction),
    ] {
        if header.is_none() && uses(&signature.sign, name) {
            refuse(
                place,
                format!(
                    "`{name}` is signed, and no header tells it: the server could not check the signature"
                ),
                "add a header that holds it alone",
            );
        }
    }
}

fn vectors(written: &spec::Signature, signature: &Signature, found: &mut Findings) {
    for vector in written.vectors.iter() {
        let mut refuse = |message: String| {
            found.error_help(
                &codes::BAD_SIGNATURE,
                vector.span,
                message,
                "compare the parts, their order, `join`, `charset` and `digest` with the product's documentation",
            );
        };
        let Ok(url) = url::Url::parse(&vector.url) else {
            refuse(format!("`{}` is no address", vector.url));
            continue;
        };
        let credentials: Map = vector
            .credentials
            .iter()
            .map(|(name, text)| (name.value.clone(), Value::text(text.clone())))
            .collect();
        let moment = Moment {
            timestamp: vector.timestamp.clone(),
            unix: vector.unix.clone().unwrap_or_default(),
            transaction: vector.transaction.clone(),
        };
        let hash = body_sha256(vector.body.as_deref().unwrap_or_default().as_bytes());
        let request =
            Signed { method: vector.method.as_deref().unwrap_or("GET"), url: &url, body_sha256: &hash };
        match signature.signature(&Value::Map(credentials), request, &moment) {
            Ok(made) if made == vector.signature => {}
            Ok(made) => refuse(format!("the known answer does not come out: it is {made}")),
            Err(problem) => refuse(format!("the known answer cannot be computed: {problem}")),
        }
    }
}
