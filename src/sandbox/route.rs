//! Which call of which resource a request is.

use std::sync::Arc;

use base64::Engine as _;

use super::fault::On;
use crate::program::system::{Auth, CallKind, PathEscape, PathTemplate, Piece, Resource, System};
use crate::value::Path;

/// A request that is a call of the system file.
#[derive(Clone, Debug)]
pub(super) struct Route {
    pub resource: Arc<Resource>,
    pub call: CallKind,
    /// Which of its kind, where the resource has more than one.
    pub name: String,
    /// The fields whose values stand in the path.
    pub fields: Vec<(Path, String)>,
    /// The parameters that the path template itself names.
    pub taken: Vec<String>,
    /// It fetches many by their keys.
    pub bulk: bool,
}

/// What a path leads to.
pub(super) enum Routed {
    Token,
    Call(Box<Route>),
    /// A whoami that is no call of a resource.
    Whoami,
    /// The path is known, the method is not: these are.
    OtherMethod(Vec<&'static str>),
    Nothing,
}

impl Routed {
    /// What rules of faults call it, and the resource.
    pub(super) fn on(&self) -> Option<(On, Option<&str>)> {
        match self {
            Routed::Token => Some((On::Token, None)),
            Routed::Whoami => Some((On::Whoami, None)),
            Routed::Call(route) => Some((On::Call(route.call), Some(&route.resource.name))),
            Routed::OtherMethod(_) | Routed::Nothing => None,
        }
    }
}

/// Finds the call with the most literal text in its path: `/customers/values` before `/customers/{id}`.
pub(super) fn route(system: &System, method: &str, url: &url::Url) -> Routed {
    let path = url.path();
    let whole = url.query().map(|query| format!("{path}?{query}"));
    if let Auth::ClientCredentials(flow) = &system.auth {
        let token = url::Url::parse(&flow.url).map_or_else(|_| flow.url.clone(), |url| url.path().to_owned());
        if path == token {
            return if method == "POST" { Routed::Token } else { Routed::OtherMethod(vec!["POST"]) };
        }
    }
    let mut best: Option<(usize, Route)> = None;
    let mut allowed: Vec<&'static str> = Vec::new();
    for resource in system.resources.values() {
        for (call, wanted, template, name) in calls(resource) {
            let escape = resource.encoding.path_escape;
            let asks =
                template.pieces.iter().any(|piece| matches!(piece, Piece::Text(text) if text.contains('?')));
            let fits = match (asks, &whole) {
                (false, _) => matched(template, path, escape),
                (true, Some(whole)) => matched(template, whole, escape),
                (true, None) => None,
            };
            let Some((literal, fields)) = fits else { continue };
            if wanted != method {
                if !allowed.contains(&wanted) {
                    allowed.push(wanted);
                }
                continue;
            }
            if best.as_ref().is_none_or(|(score, _)| literal > *score) {
                let taken = taken(template);
                best = Some((
                    literal,
                    Route { resource: Arc::clone(resource), call, name, fields, taken, bulk: false },
                ));
            }
        }
        if let Some(then) = resource.list.as_ref().and_then(|list| list.then.as_ref())
            && method == "GET"
            && best.is_none()
            && url.query_pairs().any(|(name, _)| name == then.param.as_str())
            && matched(&then.path, path, resource.encoding.path_escape).is_some()
        {
            let resource = Arc::clone(resource);
            let (fields, taken) = (Vec::new(), Vec::new());
            best = Some((
                0,
                Route { resource, call: CallKind::Get, name: String::new(), fields, taken, bulk: true },
            ));
        }
    }
    let whoami = system.whoami.as_ref().is_some_and(|whoami| whoami.get == path);
    match best {
        Some((_, route)) => Routed::Call(Box::new(route)),
        None if whoami && method == "GET" => Routed::Whoami,
        None if whoami => Routed::OtherMethod(vec!["GET"]),
        None if !allowed.is_empty() => Routed::OtherMethod(allowed),
        None => Routed::Nothing,
    }
}

/// The calls of a resource with their methods, paths and names.
pub(super) fn calls(resource: &Resource) -> Vec<(CallKind, &'static str, &PathTemplate, String)> {
    let mut all = Vec::new();
    if let Some(call) = &resource.list {
        all.push((CallKind::List, "GET", &call.path, String::new()));
    }
    if let Some(call) = &resource.get {
        all.push((CallKind::Get, "GET", &call.path, String::new()));
    }
    if let Some(call) = &resource.create {
        all.push((CallKind::Create, "POST", &call.path, String::new()));
    }
    if let Some(call) = &resource.update {
        all.push((CallKind::Update, call.method, &call.path, String::new()));
    }
    if let Some(call) = &resource.delete {
        all.push((CallKind::Delete, "DELETE", &call.path, String::new()));
    }
    if let Some(attach) = &resource.attach {
        all.push((CallKind::Attach, "POST", &attach.path, String::new()));
    }
    for files in resource.files.values() {
        if let crate::program::files::Which::Listed { path, .. } = &files.which {
            all.push((CallKind::File, "GET", path, format!("{}[]", files.name)));
        }
        all.push((CallKind::File, "GET", &files.get, files.name.clone()));
    }
    for action in resource.actions.values() {
        all.push((CallKind::Action, "POST", &action.path, action.name.clone()));
    }
    all
}

/// The names of the parameters that a path template sets.
fn taken(template: &PathTemplate) -> Vec<String> {
    let text = template.pieces.iter().map(|piece| match piece {
        Piece::Text(text) => text.as_str(),
        Piece::Field(_) => "x",
    });
    let text: String = text.collect();
    let Some((_, query)) = text.split_once('?') else { return Vec::new() };
    url::form_urlencoded::parse(query.as_bytes()).map(|(name, _)| name.into_owned()).collect()
}

/// The values in a path's places, and how much of it was literal.
fn matched(template: &PathTemplate, path: &str, escape: PathEscape) -> Option<(usize, Vec<(Path, String)>)> {
    let mut rest = path;
    let mut literal = 0;
    let mut fields = Vec::new();
    for (i, piece) in template.pieces.iter().enumerate() {
        match piece {
            Piece::Text(text) => {
                rest = rest.strip_prefix(text.as_str())?;
                literal += text.len();
            }
            Piece::Field(field) => {
                let segment = rest.find(['/', '?', '&']).unwrap_or(rest.len());
                // a value ends where its segment ends, or where the literal text after it begins
                let end = match template.pieces.get(i + 1) {
                    Some(Piece::Text(next)) if !next.starts_with(['/', '?', '&']) => {
                        rest[..segment].find(next.as_str())?
                    }
                    _ => segment,
                };
                let (text, after) = rest.split_at(end);
                if text.is_empty() {
                    return None;
                }
                fields.push((field.clone(), unescaped(text, escape)?));
                rest = after;
            }
        }
    }
    // behind a query of its own a call has what every call of it sends
    let ends = rest.is_empty() || path.contains('?') && rest.starts_with('&');
    ends.then_some((literal, fields))
}

fn unescaped(text: &str, escape: PathEscape) -> Option<String> {
    let text = percent_encoding::percent_decode_str(text).decode_utf8().ok()?.into_owned();
    match text.strip_prefix("b64(").and_then(|inner| inner.strip_suffix(')')) {
        Some(inner) if escape == PathEscape::B64 => {
            let bytes = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(inner).ok()?;
            String::from_utf8(bytes).ok()
        }
        _ => Some(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_taken_out_of_paths() {
        let template = |end: &str| PathTemplate {
            pieces: vec![
                Piece::Text("/items(".into()),
                Piece::Field(Path::key("code")),
                Piece::Text(end.into()),
            ],
        };
        let read = |end, path: &str, escape| matched(&template(end), path, escape);
        let found = |text: &str| vec![(Path::key("code"), text.to_owned())];
        assert_eq!(read(")", "/items(A%2F1)", PathEscape::Percent), Some((8, found("A/1"))));
        assert_eq!(read("/x", "/items(b64(QS8x)/x", PathEscape::B64), Some((9, found("A/1"))));
        assert_eq!(read("/x", "/items(b64(QS8x)/x", PathEscape::Percent), Some((9, found("b64(QS8x)"))));
        assert_eq!(read(")", "/items()", PathEscape::Percent), None);
        assert_eq!(read(")", "/items(A%FF)", PathEscape::Percent), None);
    }
}
