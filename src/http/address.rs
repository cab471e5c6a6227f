//! Addresses: where requests may go, and how paths are made (reliability S3, S14).

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use url::{Host, Url};

use crate::program::system::{PathEscape, PathTemplate, Piece};
use crate::value::Value;

/// RFC 3986 `unreserved` stays as it is.
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// A system's base address: the only place credentials are sent to.
#[derive(Clone, Debug)]
pub(super) struct Base {
    text: String,
    url: Url,
}

/// Whether a request to this address stays on this machine.
pub(super) fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name.eq_ignore_ascii_case("localhost"),
        Some(Host::Ipv4(ip)) => ip.is_loopback(),
        Some(Host::Ipv6(ip)) => ip.is_loopback(),
        None => false,
    }
}

/// Refuses addresses whose traffic others could read.
pub(super) fn check_secure(url: &Url) -> Result<(), String> {
    match url.scheme() {
        "https" => Ok(()),
        "http" if is_loopback(url) => Ok(()),
        _ => Err(format!("{} is not https: only an address on this machine may be plain http", origin(url))),
    }
}

/// `https://host:port`, for messages: no user, path or query.
pub(super) fn origin(url: &Url) -> String {
    url.origin().ascii_serialization()
}

/// An address as a person wrote it, checked.
pub(super) fn parse(what: &str, text: &str) -> Result<Url, String> {
    let url = Url::parse(text).map_err(|error| format!("{what} is not an address: {error}"))?;
    if url.host().is_none() {
        return Err(format!("{what} has no host"));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(format!("{what} holds a user name or password: give them as credentials"));
    }
    check_secure(&url).map_err(|problem| format!("{what}: {problem}"))?;
    Ok(url)
}

impl Base {
    /// Reads a base address.
    pub(super) fn new(text: &str) -> Result<Base, String> {
        let url = parse("base_url", text)?;
        if url.query().is_some() || url.fragment().is_some() {
            return Err("base_url has a query or a fragment: only origin and path are allowed".into());
        }
        let path = url.path().trim_end_matches('/');
        Ok(Base { text: format!("{}{path}", origin(&url)), url })
    }

    /// The whole address of a path below this one, or of an address that stands below it.
    pub(super) fn join(&self, path: &str, query: &[(String, String)]) -> Result<Url, String> {
        let mut url = if path.starts_with('/') {
            check_path(path)?;
            Url::parse(&format!("{}{path}", self.text))
                .map_err(|error| format!("{path:?} is not a path: {error}"))?
        } else {
            Url::parse(path).map_err(|error| format!("{path:?} is neither a path nor an address: {error}"))?
        };
        self.check_inside(&url)?;
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        Ok(url)
    }

    /// The address of a link in the answer to `from`; it must stand below this base address.
    pub(super) fn follow(&self, from: &Url, link: &str) -> Result<Url, String> {
        let url = from.join(link).map_err(|_| "the next page's link is not an address".to_owned())?;
        self.check_inside(&url)?;
        Ok(url)
    }

    fn check_inside(&self, url: &Url) -> Result<(), String> {
        if url.origin() != self.url.origin() || !url.username().is_empty() || url.password().is_some() {
            return Err(format!(
                "{} is another place than {}: nothing is sent there",
                origin(url),
                self.text
            ));
        }
        let prefix = self.url.path().trim_end_matches('/');
        let below =
            url.path().strip_prefix(prefix).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
        if below {
            Ok(())
        } else {
            Err(format!("{} is not below {}: nothing is sent there", url.path(), self.text))
        }
    }
}

/// Refuses what a URL parser would silently turn into another path.
fn check_path(path: &str) -> Result<(), String> {
    let steps = path.split(['?', '#']).next().unwrap_or_default();
    let dots = steps.split('/').any(|step| {
        let step = step.to_ascii_lowercase().replace("%2e", ".");
        step == "." || step == ".."
    });
    if dots || path.contains(['\\', '#']) || path.contains(char::is_control) {
        return Err(format!(
            "{path:?} is not a plain path: it holds `.`, `..`, `\\`, `#` or a control character"
        ));
    }
    Ok(())
}

/// A path template filled from a record.
pub(super) fn fill(
    template: &PathTemplate,
    record: Option<&Value>,
    escape: PathEscape,
) -> Result<String, String> {
    let mut path = String::new();
    for piece in &template.pieces {
        match piece {
            Piece::Text(text) => path.push_str(text),
            Piece::Field(field) => {
                let text = record
                    .and_then(|record| field.get(record))
                    .and_then(Value::scalar_text)
                    .unwrap_or_default();
                if text.is_empty() {
                    return Err(format!("`{field}` is needed for the path and is missing"));
                }
                path.push_str(
                    &escaped(&text, escape)
                        .ok_or_else(|| format!("`{field}` is {text:?}, which cannot stand in a path"))?,
                );
            }
        }
    }
    Ok(path)
}

fn escaped(text: &str, escape: PathEscape) -> Option<String> {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    match escape {
        PathEscape::B64 if !text.chars().all(plain) => Some(format!("b64({})", URL_SAFE_NO_PAD.encode(text))),
        // every server takes these two for steps, escaped or not
        _ if text == "." || text == ".." => None,
        _ => Some(utf8_percent_encode(text, ESCAPED).to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::{Path, from_json_str};

    fn base() -> Base {
        Base::new("https://api.example.test/rest-api/").unwrap()
    }

    #[test]
    fn joins_paths_and_queries() {
        let query = [
            ("since".to_owned(), "2026-01-01T00:00:00+02:00".to_owned()),
            ("q".to_owned(), "a b&c".to_owned()),
        ];
        assert_eq!(
            base().join("/v1/x%2Fy", &query).unwrap().as_str(),
            "https://api.example.test/rest-api/v1/x%2Fy?since=2026-01-01T00%3A00%3A00%2B02%3A00&q=a+b%26c"
        );
        assert_eq!(
            base().join("https://api.example.test/rest-api/v1/x?page=2", &[]).unwrap().as_str(),
            "https://api.example.test/rest-api/v1/x?page=2"
        );
    }

    #[test]
    fn nothing_leaves_the_base_address() {
        for path in [
            "https://evil.test/rest-api/v1",
            "http://api.example.test/rest-api/v1",
            "https://api.example.test:8443/rest-api/v1",
            "https://api.example.test/other",
            "https://api.example.test/rest-api-2/v1",
            "https://api.example.test/rest-api/../admin",
            "https://api.example.test@evil.test/rest-api/v1",
            "https://user@api.example.test/rest-api/v1",
            "/v1/../../admin",
            "/v1/%2e%2E/x",
            "/v1/..\\..\\admin",
            "/v1/a#b",
            "/v1/a\tb",
            "v1/x",
        ] {
            assert!(base().join(path, &[]).is_err(), "{path}");
        }
    }

    #[test]
    fn a_link_may_be_relative_but_not_elsewhere() {
        let from = base().join("/v1/x", &[]).unwrap();
        assert_eq!(
            base().follow(&from, "?page=2").unwrap().as_str(),
            "https://api.example.test/rest-api/v1/x?page=2"
        );
        assert_eq!(base().follow(&from, "/rest-api/v1/x/3").unwrap().path(), "/rest-api/v1/x/3");
        assert_eq!(
            base().follow(&from, "//evil.test/rest-api/v1/x?token=1").unwrap_err(),
            "https://evil.test is another place than https://api.example.test/rest-api: nothing is sent there"
        );
        assert_eq!(
            base().follow(&from, "/admin").unwrap_err(),
            "/admin is not below https://api.example.test/rest-api: nothing is sent there"
        );
    }

    #[test]
    fn only_this_machine_may_be_plain_http() {
        for good in ["http://127.0.0.1:8080", "http://localhost", "http://[::1]:1/x", "https://example.test"]
        {
            assert!(Base::new(good).is_ok(), "{good}");
        }
        assert_eq!(
            Base::new("http://example.test/x").unwrap_err(),
            "base_url: http://example.test is not https: only an address on this machine may be plain http"
        );
        assert!(
            Base::new("https://user:pass@example.test").unwrap_err().contains("give them as credentials")
        );
        assert!(Base::new("ftp://127.0.0.1").is_err());
        assert!(Base::new("http://127.0.0.1.evil.test").is_err());
    }

    #[test]
    fn keys_are_escaped() {
        let template = PathTemplate {
            pieces: vec![
                Piece::Text("/v1/projects/".into()),
                Piece::Field(Path::key("id")),
                Piece::Text("/tasks".into()),
            ],
        };
        let record = |id: &str| from_json_str(&format!(r#"{{"id":{id}}}"#)).unwrap();
        let fill = |id: &str, escape| fill(&template, Some(&record(id)), escape);
        assert_eq!(fill("12", PathEscape::Percent).unwrap(), "/v1/projects/12/tasks");
        assert_eq!(fill("\"a/b ä\"", PathEscape::Percent).unwrap(), "/v1/projects/a%2Fb%20%C3%A4/tasks");
        assert_eq!(fill("\"a-1_b.c\"", PathEscape::B64).unwrap(), "/v1/projects/a-1_b.c/tasks");
        assert_eq!(
            fill("\":/?#[]@&*+;\"", PathEscape::B64).unwrap(),
            "/v1/projects/b64(Oi8_I1tdQCYqKzs)/tasks"
        );
        assert_eq!(
            fill("\"..\"", PathEscape::Percent).unwrap_err(),
            "`id` is \"..\", which cannot stand in a path"
        );
        assert_eq!(
            fill("null", PathEscape::Percent).unwrap_err(),
            "`id` is needed for the path and is missing"
        );
    }
}
