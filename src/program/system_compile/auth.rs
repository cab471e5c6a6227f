//! Credentials, and how a request proves who it is from.

use std::time::Duration;

use super::address::token_url;
use super::durations::duration;
use super::findings::Findings;
use super::templates::{headers, path, template, templates};
use crate::diagnostic::{At, Span, codes};
use crate::program::expr::{Scope, Template};
use crate::program::system::{Auth, ClientCredentials, Credential, CredentialKind};
use crate::program::types::Type;
use crate::spec::system as spec;

/// Compiles what a connection must give.
pub(super) fn credentials(system: &spec::System, found: &mut Findings) -> Vec<Credential> {
    let mut credentials = Vec::with_capacity(system.credentials.len());
    for (name, written) in system.credentials.iter() {
        if written.kind == CredentialKind::Secret && written.default.is_some() {
            found.error_help(
                &codes::LITERAL_SECRET,
                name.span,
                format!("the secret `{}` stands in the file", name.value),
                "leave `default` out: a secret is given by a connection only",
            );
        }
        credentials.push(Credential {
            name: name.value.clone(),
            kind: written.kind,
            help: written.help.clone(),
            default: written.default.clone(),
        });
    }
    credentials
}

/// The names that every template of a system may use.
pub(super) fn credential_scope(system: &spec::System) -> Scope {
    let names = system.credentials.keys().map(|name| (name.to_owned(), Type::Text));
    Scope::new().root("credentials", Type::object(names))
}

/// That scope with the token, where there is one.
pub(super) fn header_scope(system: &spec::System) -> Scope {
    let scope = credential_scope(system);
    match system.auth.kind.value {
        spec::AuthKind::Oauth2ClientCredentials => scope.root("token", Type::Text),
        _ => scope,
    }
}

/// Compiles the proof.
pub(super) fn auth(system: &spec::System, found: &mut Findings) -> Auth {
    let written = &system.auth;
    unused(system, found);
    let scope = credential_scope(system);
    match written.kind.value {
        spec::AuthKind::None => Auth::None,
        spec::AuthKind::Header => {
            if written.headers.is_empty() {
                lacks(system, "headers", "headers: { X-Api-Key: \"{{ credentials.api_key }}\" }", found);
            }
            let compiled = headers(&written.headers, &scope, found);
            for (name, header) in &compiled {
                literal_proof(&written.headers, name, header, found);
            }
            Auth::Header(compiled)
        }
        spec::AuthKind::Basic => {
            let mut one = |word: &str, text: Option<&At<String>>| match text {
                Some(text) => template(text, &scope, found),
                None => {
                    lacks(system, word, &format!("{word}: \"{{{{ credentials.{word} }}}}\""), found);
                    None
                }
            };
            let user = one("user", written.user.as_ref());
            let password = one("password", written.password.as_ref());
            if let (Some(password), Some(text)) = (&password, &written.password)
                && password.uses().is_empty()
            {
                literal(text.span, "the password", found);
            }
            match (user, password) {
                (Some(user), Some(password)) => Auth::Basic { user, password },
                _ => Auth::None,
            }
        }
        spec::AuthKind::Oauth2ClientCredentials => client_credentials(system, found),
        spec::AuthKind::Signature => super::signature::signature(system, found),
    }
}

fn client_credentials(system: &spec::System, found: &mut Findings) -> Auth {
    let written = &system.auth;
    let Some(token) = &written.token else {
        lacks(
            system,
            "token",
            "token: { post: /oauth/token, send: { client_id: \"{{ credentials.client_id }}\" } }",
            found,
        );
        return Auth::None;
    };
    let scope = credential_scope(system).root("scopes", Type::Text);
    let send = templates(&token.send, &scope, found);
    for (name, sent) in &send {
        if name.to_ascii_lowercase().contains("secret") {
            literal_proof(&token.send, name, sent, found);
        }
    }
    let mut proof = headers(&written.headers, &header_scope(system), found);
    if written.headers.is_empty()
        && let Ok(bearer) = Template::compile("Bearer {{ token }}", &header_scope(system))
    {
        proof.push(("Authorization".to_owned(), bearer));
    }
    let reply = &written.reply;
    let url = token_url(&token.post, found);
    let (Some(token_path), Some(expires_in)) = (path(&reply.token, found), path(&reply.expires_in, found))
    else {
        return Auth::None;
    };
    Auth::ClientCredentials(Box::new(ClientCredentials {
        url,
        body: token.body,
        send,
        token: token_path,
        expires_in,
        default_life: duration(Some(&reply.default_expires_in), Duration::from_secs(30 * 60), found),
        granted: reply.scopes.as_ref().and_then(|text| path(text, found)),
        scopes: written.scopes.iter().map(|scope| scope.value.clone()).collect(),
        headers: proof,
    }))
}

fn kind_word(kind: spec::AuthKind) -> &'static str {
    match kind {
        spec::AuthKind::None => "none",
        spec::AuthKind::Header => "header",
        spec::AuthKind::Basic => "basic",
        spec::AuthKind::Oauth2ClientCredentials => "oauth2_client_credentials",
        spec::AuthKind::Signature => "signature",
    }
}

pub(super) fn lacks(system: &spec::System, setting: &str, example: &str, found: &mut Findings) {
    found.error_help(
        &codes::WORD_MISSING,
        system.auth.kind.span,
        format!("auth of kind {} needs `{setting}`", kind_word(system.auth.kind.value)),
        format!("for example `{example}`"),
    );
}

fn unused(system: &spec::System, found: &mut Findings) {
    use spec::AuthKind as Kind;
    let auth = &system.auth;
    let place = |table: &crate::spec::yaml::Table<At<String>>| table.iter().next().map(|(name, _)| name.span);
    let reply = [Some(&auth.reply.token), Some(&auth.reply.expires_in), auth.reply.scopes.as_ref()];
    let reply = reply.into_iter().flatten().map(|text| text.span).find(|span| *span != Span::NONE);
    let settings = [
        ("token", auth.token.as_ref().map(|token| token.post.span), &[Kind::Oauth2ClientCredentials][..]),
        ("reply", reply, &[Kind::Oauth2ClientCredentials]),
        ("scopes", auth.scopes.first().map(|scope| scope.span), &[Kind::Oauth2ClientCredentials]),
        ("headers", place(&auth.headers), &[Kind::Header, Kind::Oauth2ClientCredentials, Kind::Signature]),
        ("signature", auth.signature.as_ref().map(|one| one.hash.span), &[Kind::Signature]),
        ("user", auth.user.as_ref().map(|text| text.span), &[Kind::Basic]),
        ("password", auth.password.as_ref().map(|text| text.span), &[Kind::Basic]),
    ];
    for (setting, span, kinds) in settings {
        if let Some(span) = span
            && !kinds.contains(&auth.kind.value)
        {
            let of = kinds.iter().map(|kind| format!("`kind: {}`", kind_word(*kind)));
            let of = of.collect::<Vec<_>>().join(" or ");
            found.error_help(
                &codes::WORD_UNUSED,
                span,
                format!("auth of kind {} does not use `{setting}`", kind_word(auth.kind.value)),
                format!("leave it out, or write {of}"),
            );
        }
    }
}

/// A proof that uses no credential is a secret in the file.
fn literal_proof(
    table: &crate::spec::yaml::Table<At<String>>,
    name: &str,
    compiled: &Template,
    found: &mut Findings,
) {
    if let (true, Some(text)) = (compiled.uses().is_empty(), table.get(name)) {
        literal(text.span, &format!("`{name}`"), found);
    }
}

fn literal(place: Span, what: &str, found: &mut Findings) {
    found.error_help(
        &codes::LITERAL_SECRET,
        place,
        format!("{what} is the same for every company: a secret stands in the file"),
        "declare it under `credentials` and write \"{{ credentials.name }}\" here; headers that prove nothing belong to the system's own `headers`",
    );
}
