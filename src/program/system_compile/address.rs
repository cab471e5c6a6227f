//! Addresses: the base, the token call, and paths below the base.

use url::Url;

use super::findings::Findings;
use crate::diagnostic::{At, codes};

/// Checks an address that a system is spoken to at, and gives it without a slash at its end.
///
/// # Errors
/// What is wrong with it and what to do.
pub fn check_base_url(text: &str) -> Result<String, (&'static str, &'static str)> {
    if text.contains(['{', '}']) {
        return Err((
            "an address has no places to fill",
            "write an example; a connection gives the company's own address",
        ));
    }
    let url = Url::parse(text)
        .map_err(|_| ("this is not an absolute address", "write it in full: https://api.example.com/rest"))?;
    let loopback = match url.host() {
        Some(url::Host::Domain(name)) => name == "localhost",
        Some(url::Host::Ipv4(ip)) => ip.is_loopback(),
        Some(url::Host::Ipv6(ip)) => ip.is_loopback(),
        None => {
            return Err(("this address names no server", "write it in full: https://api.example.com/rest"));
        }
    };
    match url.scheme() {
        "https" => {}
        "http" if loopback => {}
        "http" => {
            return Err((
                "credentials would travel unprotected over http",
                "use https; http is only for this machine",
            ));
        }
        _ => return Err(("only https is spoken", "begin the address with https://")),
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(("an address must not hold a user name or password", "declare them under `credentials`"));
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(("a base address ends with its path", "write the query at the calls that need it"));
    }
    Ok(text.trim_end_matches('/').to_owned())
}

/// The base address, checked.
pub(super) fn base_url(text: &At<String>, found: &mut Findings) -> String {
    check_base_url(&text.value).unwrap_or_else(|(message, help)| {
        found.error_help(&codes::BAD_ADDRESS, text.span, message, help);
        String::new()
    })
}

/// A path below the base, or an absolute address: where a token is fetched.
pub(super) fn token_url(text: &At<String>, found: &mut Findings) -> String {
    if text.value.contains("://") { base_url(text, found) } else { plain_path(text, found) }
}

/// A path without places for fields.
pub(super) fn plain_path(text: &At<String>, found: &mut Findings) -> String {
    if path_shape(text, found) && text.value.contains(['{', '}']) {
        found.error_help(
            &codes::PATH_TEMPLATE,
            text.span,
            "this path has no places to fill",
            "there is no record here whose fields could be filled in; write the path out",
        );
    }
    text.value.clone()
}

/// Whether a path below the base has the right form: `/v1/customers`.
pub(super) fn path_shape(text: &At<String>, found: &mut Findings) -> bool {
    shape(text, false, found)
}

/// The same for a call, which may tell itself from others by its query: `/customer?method=edit&id={id}`.
pub(super) fn call_shape(text: &At<String>, found: &mut Findings) -> bool {
    shape(text, true, found)
}

fn shape(text: &At<String>, may_ask: bool, found: &mut Findings) -> bool {
    let (message, help) = if text.value.contains("://") {
        ("a path is wanted, this is an address", "write only what follows the base address: /v1/customers")
    } else if !text.value.starts_with('/') {
        ("a path begins with `/`", "write it as /v1/customers; it is appended to the base address")
    } else if text.value.contains('#') || text.value.matches('?').count() > usize::from(may_ask) {
        ("a path holds no query", "write the query under `query`: { name: value }")
    } else if text.value.contains(char::is_whitespace) {
        ("a path holds no spaces", "write a space as %20")
    } else {
        return true;
    };
    found.error_help(&codes::BAD_ADDRESS, text.span, message, help);
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_https_and_this_machine() {
        assert_eq!(
            check_base_url("https://api.example.com/rest/").as_deref(),
            Ok("https://api.example.com/rest")
        );
        assert_eq!(check_base_url("http://127.0.0.1:8080").as_deref(), Ok("http://127.0.0.1:8080"));
        assert_eq!(check_base_url("http://[::1]:8080").as_deref(), Ok("http://[::1]:8080"));
        for bad in [
            "api.example.com",
            "http://api.example.com",
            "ftp://api.example.com",
            "https://me:secret@api.example.com",
            "https://api.example.com/?a=b",
            "https://api.example.com/{company}",
        ] {
            assert!(check_base_url(bad).is_err(), "{bad}");
        }
    }
}
