//! Which call of which resource a request is.

use std::sync::Arc;

use base64::Engine as _;

use crate::program::system::{CallKind, PathTemplate, Piece, Resource, System};
use crate::value::Path;

/// A request that is a call of the system file.
#[derive(Clone, Debug)]
pub(super) struct Route {
    pub resource: Arc<Resource>,
    pub call: CallKind,
    /// The fields whose values stand in the path.
    pub fields: Vec<(Path, String)>,
}

/// What a path leads to.
pub(super) enum Routed {
    Call(Box<Route>),
    /// The path is known, the method is not.
    OtherMethod,
    Nothing,
}

/// Finds the call with the most literal text in its path: `/customers/values` before `/customers/{id}`.
pub(super) fn route(system: &System, method: &str, path: &str) -> Routed {
    let mut best: Option<(usize, Route)> = None;
    let mut other_method = false;
    for resource in system.resources.values() {
        for (call, wanted, template) in calls(resource) {
            let Some((literal, fields)) = matched(template, path) else { continue };
            if wanted != method {
                other_method = true;
                continue;
            }
            if best.as_ref().is_none_or(|(score, _)| literal > *score) {
                best = Some((literal, Route { resource: Arc::clone(resource), call, fields }));
            }
        }
    }
    match best {
        Some((_, route)) => Routed::Call(Box::new(route)),
        None if other_method => Routed::OtherMethod,
        None => Routed::Nothing,
    }
}

fn calls(resource: &Resource) -> Vec<(CallKind, &str, &PathTemplate)> {
    let mut all = Vec::new();
    if let Some(call) = &resource.list {
        all.push((CallKind::List, "GET", &call.path));
    }
    if let Some(call) = &resource.get {
        all.push((CallKind::Get, "GET", &call.path));
    }
    if let Some(call) = &resource.create {
        all.push((CallKind::Create, "POST", &call.path));
    }
    if let Some(call) = &resource.update {
        all.push((CallKind::Update, call.method, &call.path));
    }
    if let Some(call) = &resource.delete {
        all.push((CallKind::Delete, "DELETE", &call.path));
    }
    all
}

/// The values in a path's places, and how much of it was literal.
fn matched(template: &PathTemplate, path: &str) -> Option<(usize, Vec<(Path, String)>)> {
    let mut rest = path;
    let mut literal = 0;
    let mut fields = Vec::new();
    for piece in &template.pieces {
        match piece {
            Piece::Text(text) => {
                rest = rest.strip_prefix(text.as_str())?;
                literal += text.len();
            }
            Piece::Field(field) => {
                let end = rest.find('/').unwrap_or(rest.len());
                let (text, after) = rest.split_at(end);
                if text.is_empty() {
                    return None;
                }
                fields.push((field.clone(), unescaped(text)?));
                rest = after;
            }
        }
    }
    rest.is_empty().then_some((literal, fields))
}

fn unescaped(text: &str) -> Option<String> {
    let text = percent_encoding::percent_decode_str(text).decode_utf8().ok()?.into_owned();
    match text.strip_prefix("b64(").and_then(|inner| inner.strip_suffix(')')) {
        Some(inner) => {
            let bytes = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(inner).ok()?;
            String::from_utf8(bytes).ok()
        }
        None => Some(text),
    }
}
