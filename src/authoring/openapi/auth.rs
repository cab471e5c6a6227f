//! How a request proves who it is from: security schemes to the `auth` of a system file.

use serde_json::Value;

use super::document::Document;
use super::resource::Built;
use crate::authoring::text::{first_sentence, one_line, quoted, scalar};
use crate::authoring::words::snake_as_is;

/// The lines of `credentials` and `auth`.
#[derive(Default)]
pub(super) struct Proof {
    /// Name, `text` or `secret`, help.
    pub credentials: Vec<(String, &'static str, String)>,
    /// Lines of YAML below `auth:`, or the whole of it.
    pub auth: Vec<String>,
}

impl Proof {
    fn credential(&mut self, name: &str, kind: &'static str, help: &str) -> String {
        if self.credentials.iter().all(|(known, ..)| known != name) {
            self.credentials.push((name.to_owned(), kind, help.to_owned()));
        }
        quoted(&format!("{{{{ credentials.{name} }}}}"))
    }
}

/// What a scheme is to us; the less, the better.
fn rank(scheme: &Value) -> u8 {
    let text = |name: &str| scheme.get(name).and_then(Value::as_str).unwrap_or_default();
    match (text("type"), text("scheme").to_lowercase().as_str(), text("in")) {
        ("oauth2", ..) if client_credentials(scheme).is_some() => 0,
        ("basic", ..) | ("http", "basic", _) => 1,
        ("apiKey", _, "header") => 2,
        ("http", "bearer", _) => 3,
        ("oauth2" | "openIdConnect", ..) => 8,
        _ => 9,
    }
}

/// The client credentials flow: its token address and scopes.
fn client_credentials(scheme: &Value) -> Option<(&str, Option<&Value>)> {
    let flow = match scheme.get("flows") {
        Some(flows) => flows.get("clientCredentials")?,
        None if scheme.get("flow").and_then(Value::as_str) == Some("application") => scheme,
        None => return None,
    };
    Some((flow.get("tokenUrl").and_then(Value::as_str).unwrap_or_default(), flow.get("scopes")))
}

/// Chooses among the schemes that the calls ask for.
pub(super) fn proof(document: &Document, built: &[Built]) -> Proof {
    let schemes = if document.two {
        document.get("securityDefinitions")
    } else {
        document.get("components").get("securitySchemes").unwrap_or(&Value::Null)
    };
    let scheme = |name: &str| schemes.get(name).map(|one| document.resolve(one));
    let mut proof = Proof::default();
    // what most calls ask for, the kindest first
    let mut asked: Vec<(Vec<&str>, usize)> = Vec::new();
    for one in built.iter().flat_map(|one| &one.security) {
        let names: Vec<&str> = one.iter().map(|(name, _)| name.as_str()).collect();
        match asked.iter_mut().find(|(known, _)| *known == names) {
            Some(known) => known.1 += 1,
            None => asked.push((names, 1)),
        }
    }
    let best = |names: &[&str]| names.iter().filter_map(|name| scheme(name)).map(rank).min().unwrap_or(9);
    asked.sort_by_key(|(names, count)| (best(names), usize::MAX - count));
    let mut names: Vec<&str> = asked.first().map(|(names, _)| names.clone()).unwrap_or_default();
    let mut seen = "the calls ask for it";
    if names.is_empty()
        && let Some(all) = schemes.as_object()
    {
        let one = all.iter().min_by_key(|(_, one)| rank(document.resolve(one)));
        names.extend(one.map(|(name, _)| name.as_str()));
        seen = "no call says that it asks for it";
    }
    let mut found: Vec<(&str, &Value)> =
        names.iter().filter_map(|name| Some((*name, scheme(name)?))).collect();
    found.sort_by_key(|(_, one)| rank(one));
    let Some((name, main)) = found.first().copied() else {
        proof
            .auth
            .push("# CHECK: the document says nothing of how a request proves who it is from.".to_owned());
        proof.auth.push(
            "# auth: { kind: header, headers: { X-Api-Key: \"{{ credentials.api_key }}\" } }".to_owned(),
        );
        return proof;
    };
    // a key that goes along with another proof
    let mut headers: Vec<String> = Vec::new();
    for (_, other) in found.iter().skip(1).filter(|(_, one)| rank(one) == 2) {
        let (header, value) = api_key(&mut proof, other);
        headers.push(format!("{}: {value}", scalar(&header)));
    }
    let note = format!("  # CHECK: seen: {}; {seen}", one_line(name, 40));
    let own = match rank(main) {
        0 => return oauth(proof, main, built, name, &headers, &note),
        1 => {
            let user = proof.credential("user", "text", "The user of this integration");
            let password = proof.credential("password", "secret", "Its password");
            proof.auth.push(format!("auth: {{ kind: basic, user: {user}, password: {password} }}{note}"));
            if !headers.is_empty() {
                proof.auth.push(format!("headers: {{ {} }}", headers.join(", ")));
            }
            return proof;
        }
        2 => {
            let (header, value) = api_key(&mut proof, main);
            format!("{}: {value}", scalar(&header))
        }
        3 => {
            proof.credential(
                "access_token",
                "secret",
                "A token that does not end, from the product's settings",
            );
            "Authorization: \"Bearer {{ credentials.access_token }}\"".to_owned()
        }
        _ => {
            unspoken(&mut proof, name, main);
            return proof;
        }
    };
    headers.insert(0, own);
    proof.auth.push(format!("auth: {{ kind: header, headers: {{ {} }} }}{note}", headers.join(", ")));
    proof
}

/// The header of an API key, and the credential in it.
fn api_key(proof: &mut Proof, scheme: &Value) -> (String, String) {
    let header = scheme.get("name").and_then(Value::as_str).unwrap_or("X-Api-Key").to_owned();
    let help = scheme.get("description").and_then(Value::as_str).unwrap_or("Where is it found?");
    let mut name = snake_as_is(&header);
    if name.starts_with('_') || name == "authorization" {
        name = "api_key".to_owned();
    }
    let value = proof.credential(&name, "secret", &first_sentence(help, 80));
    (header, value)
}

fn oauth(
    mut proof: Proof,
    scheme: &Value,
    built: &[Built],
    name: &str,
    headers: &[String],
    note: &str,
) -> Proof {
    let Some((address, known)) = client_credentials(scheme) else { return proof };
    // a client id in a header is the same one, and no secret
    proof.credentials.retain(|(name, ..)| name != "client_id" && name != "client_secret");
    proof.credential("client_id", "text", "Given by the product where an integration is registered");
    proof.credential("client_secret", "secret", "Shown once, when the integration is registered");
    let mut scopes: Vec<&str> = Vec::new();
    for (scheme, asked) in built.iter().flat_map(|one| &one.security).flatten() {
        for scope in asked.iter().filter(|_| scheme == name) {
            if !scopes.contains(&scope.as_str()) {
                scopes.push(scope);
            }
        }
    }
    let plain_path = address.starts_with('/') && !address.contains(['{', '?', '#', ' ']);
    let absolute = address.starts_with("https://") && !address.contains(['{', '?', '#', ' ']);
    let (post, mark) = match address {
        _ if absolute => (address.to_owned(), String::new()),
        _ if plain_path => (
            address.to_owned(),
            "  # CHECK: the document gives a path only; is it below base_url?".to_owned(),
        ),
        "" => {
            ("/token".to_owned(), "  # CHECK: the document does not say where a token is fetched".to_owned())
        }
        other => (
            "/token".to_owned(),
            format!("  # CHECK: the document says {}; https is spoken only", one_line(other, 80)),
        ),
    };
    let mut send = vec![
        "grant_type: client_credentials".to_owned(),
        "client_id: \"{{ credentials.client_id }}\"".to_owned(),
        "client_secret: \"{{ credentials.client_secret }}\"".to_owned(),
    ];
    if !scopes.is_empty() {
        send.push("scope: \"{{ scopes }}\"".to_owned());
    }
    proof.auth.push(format!("auth:{note}"));
    proof.auth.push("  kind: oauth2_client_credentials".to_owned());
    proof.auth.push("  token:".to_owned());
    proof.auth.push(format!("    post: {}{mark}", scalar(&post)));
    proof.auth.push("    body: form  # CHECK: some want json".to_owned());
    proof.auth.push(format!("    send: {{ {} }}", send.join(", ")));
    if scopes.is_empty() {
        let names: Vec<&str> =
            known.and_then(Value::as_object).into_iter().flatten().map(|(name, _)| name.as_str()).collect();
        if !names.is_empty() {
            proof.auth.push(format!(
                "  # CHECK: no call says which scopes it needs; there are: {}",
                one_line(&names.join(", "), 300)
            ));
            proof.auth.push("  # scopes: [ … ]   and in `send`: scope: \"{{ scopes }}\"".to_owned());
        }
    } else {
        let list: Vec<String> = scopes.iter().map(|scope| quoted(scope)).collect();
        proof.auth.push(format!("  scopes: [ {} ]  # what the calls below ask for", list.join(", ")));
    }
    let mut all = vec!["Authorization: \"Bearer {{ token }}\"".to_owned()];
    all.extend(headers.iter().cloned());
    proof.auth.push(format!("  headers: {{ {} }}", all.join(", ")));
    proof
}

/// A proof that a program without a person cannot give, or that is not spoken.
fn unspoken(proof: &mut Proof, name: &str, scheme: &Value) {
    let text = |name: &str| scheme.get(name).and_then(Value::as_str).unwrap_or_default();
    let kind = format!("{} {} {}", text("type"), text("in"), text("flow"));
    let flows: Vec<&str> = scheme
        .get("flows")
        .and_then(Value::as_object)
        .into_iter()
        .flatten()
        .map(|(name, _)| name.as_str())
        .collect();
    let token = scheme
        .get("flows")
        .and_then(Value::as_object)
        .into_iter()
        .flatten()
        .find_map(|(_, flow)| flow.get("tokenUrl"))
        .or_else(|| scheme.get("tokenUrl"))
        .and_then(Value::as_str)
        .unwrap_or("/token");
    proof.auth.push(format!(
        "# CHECK: {} ({}) cannot be used by a program that runs alone. Ask the vendor for client credentials:",
        one_line(name, 40),
        one_line(&format!("{kind} {}", flows.join(" ")), 80)
    ));
    for line in [
        "# credentials: { client_id: { type: text }, client_secret: { type: secret } }".to_owned(),
        "# auth:".to_owned(),
        "#   kind: oauth2_client_credentials".to_owned(),
        format!(
            "#   token: {{ post: {}, send: {{ grant_type: client_credentials, client_id: \"{{{{ credentials.client_id }}}}\", client_secret: \"{{{{ credentials.client_secret }}}}\" }} }}",
            scalar(&one_line(token, 200))
        ),
        "#   headers: { Authorization: \"Bearer {{ token }}\" }".to_owned(),
    ] {
        proof.auth.push(line);
    }
}
