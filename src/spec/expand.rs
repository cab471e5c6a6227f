//! Fills in what the resources of a system file share: `defaults` and `like`.
//!
//! A resource is the `defaults`, then what the resource it is `like` writes itself, then what it writes
//! itself. Maps are merged, everything else is replaced by the later one, and a null takes away what was
//! there before. It happens on the tree, before anything is typed, so that every value keeps its place in
//! the file.

use super::yaml::{Kind, Node};
use crate::diagnostic::{At, Diagnostic, Diagnostics, codes, suggest};

/// What a resource of which there is only one does not take from `defaults`: there is no list to page
/// through, no key, and nothing to make or remove.
const NOT_FOR_SINGLETONS: &[&str] =
    &["key", "identity", "pager", "list", "get", "create", "update", "delete", "cursor", "search"];

/// Writes `defaults` and `like` out into the resources of a system file.
pub fn expand_system(mut node: Node, diagnostics: &mut Diagnostics) -> Node {
    let Kind::Map(entries) = &mut node.kind else { return node };
    let defaults = entries.iter().find(|(key, _)| key.value == "defaults").map(|(_, value)| value.clone());
    if let Some(like) = defaults.as_ref().and_then(|defaults| member(defaults, "like")) {
        diagnostics.push(
            Diagnostic::error(&codes::LIKE, like.span, "`defaults` cannot be like a resource")
                .help("write `like` at the resource that is like another"),
        );
    }
    let Some((_, resources)) = entries.iter_mut().find(|(key, _)| key.value == "resources") else {
        return node;
    };
    let Kind::Map(resources) = &mut resources.kind else { return node };
    let own = resources.clone();
    for (name, resource) in resources.iter_mut() {
        if !matches!(resource.kind, Kind::Map(_)) {
            continue;
        }
        let like = like(name, resource, &own, diagnostics);
        let singleton = is_singleton(resource) || like.as_ref().is_some_and(is_singleton);
        let mut whole = defaults.as_ref().map(|defaults| fitting(defaults, singleton));
        for layer in like.into_iter().chain([resource.clone()]) {
            whole = Some(match whole {
                Some(below) => merge(below, layer),
                None => layer,
            });
        }
        if let Some(whole) = whole {
            *resource = whole;
        }
    }
    // what was written out has done its work
    entries.retain(|(key, _)| key.value != "defaults");
    node
}

/// The own text of the resource that this one is like.
fn like(
    name: &At<String>,
    resource: &Node,
    own: &[(At<String>, Node)],
    diagnostics: &mut Diagnostics,
) -> Option<Node> {
    let like = member(resource, "like")?;
    // another kind of value is reported when the resource is typed
    let Kind::Text { text, .. } = &like.kind else { return None };
    let mut refuse = |message: String, help: Option<String>| {
        let diagnostic = Diagnostic::error(&codes::LIKE, like.span, message);
        diagnostics.push(match help {
            Some(help) => diagnostic.help(help),
            None => diagnostic,
        });
        None
    };
    if *text == name.value {
        return refuse(
            format!("`{text}` cannot be like itself"),
            Some("name another resource, or leave `like` out".to_owned()),
        );
    }
    let Some((_, target)) = own.iter().find(|(key, _)| key.value == *text) else {
        let near = suggest(text, own.iter().map(|(key, _)| key.value.as_str()));
        let names: Vec<&str> = own.iter().map(|(key, _)| key.value.as_str()).collect();
        let help = near.map_or_else(
            || format!("the resources are {}", names.join(", ")),
            |near| format!("did you mean `{near}`?"),
        );
        let help = Some(help);
        return refuse(format!("there is no resource named `{text}`"), help);
    };
    match member(target, "like").map(|next| &next.kind) {
        Some(Kind::Text { text: next, .. }) => refuse(
            format!("`{text}` is itself like `{next}`"),
            Some(if *next == name.value {
                "one of the two must stand by itself".to_owned()
            } else {
                format!("write `like: {next}`, and what differs from it")
            }),
        ),
        _ => Some(target.clone()),
    }
}

/// The part of the defaults that a resource takes.
fn fitting(defaults: &Node, singleton: bool) -> Node {
    let mut defaults = defaults.clone();
    if let (true, Kind::Map(entries)) = (singleton, &mut defaults.kind) {
        entries.retain(|(key, _)| !NOT_FOR_SINGLETONS.contains(&key.value.as_str()));
    }
    defaults
}

fn is_singleton(resource: &Node) -> bool {
    matches!(member(resource, "singleton").map(|node| &node.kind), Some(Kind::Bool(true)))
}

/// What is written below, with what is written above it merged in.
fn merge(below: Node, above: Node) -> Node {
    match (below.kind, above.kind) {
        (Kind::Map(mut merged), Kind::Map(entries)) => {
            for (key, value) in entries {
                match merged.iter().position(|(known, _)| known.value == key.value) {
                    Some(at) if matches!(value.kind, Kind::Null) => {
                        merged.remove(at);
                    }
                    Some(at) => {
                        let known = std::mem::replace(&mut merged[at].1, value.clone());
                        merged[at] = (key, merge(known, value));
                    }
                    None => merged.push((key, value)),
                }
            }
            Node { kind: Kind::Map(merged), span: above.span }
        }
        (_, kind) => Node { kind, span: above.span },
    }
}

fn member<'n>(node: &'n Node, name: &str) -> Option<&'n Node> {
    let Kind::Map(entries) = &node.kind else { return None };
    entries.iter().find(|(key, _)| key.value == name).map(|(_, value)| value)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::diagnostic::Sources;
    use crate::spec::yaml::parse;

    fn expanded(text: &str) -> (Node, Diagnostics) {
        let mut found = Diagnostics::new();
        let node = parse(&mut Sources::new(), Path::new("s.yaml"), text, &mut found).unwrap();
        (expand_system(node, &mut found), found)
    }

    /// A node as one line, for comparing.
    fn line(node: &Node) -> String {
        match &node.kind {
            Kind::Null => "null".to_owned(),
            Kind::Bool(yes) => yes.to_string(),
            Kind::Number(text) | Kind::Text { text, .. } => text.clone(),
            Kind::List(items) => format!("[{}]", items.iter().map(line).collect::<Vec<_>>().join(", ")),
            Kind::Map(entries) => {
                let entries = entries.iter().map(|(key, value)| format!("{}: {}", key.value, line(value)));
                format!("{{{}}}", entries.collect::<Vec<_>>().join(", "))
            }
        }
    }

    fn resource(text: &str, name: &str) -> String {
        let (node, found) = expanded(text);
        assert!(found.is_empty(), "{found:?}");
        line(node.get("resources").unwrap().get(name).unwrap())
    }

    #[test]
    fn maps_are_merged_and_everything_else_replaced() {
        let text = "
defaults: { key: id, fields: { id: id, changed: { type: time, read_only: true } }, list: { query: { a: one } } }
resources:
  a: { key: [k, l], fields: { changed: time, id: { type: text } }, list: { query: { b: two } } }
";
        assert_eq!(
            resource(text, "a"),
            "{key: [k, l], fields: {id: {type: text}, changed: time}, list: {query: {a: one, b: two}}}"
        );
    }

    #[test]
    fn a_null_takes_away_what_like_and_defaults_gave() {
        let text = "
defaults: { key: id, fields: { id: id, changed: time } }
resources:
  a: { path: /a, fields: { name: text, changed: date } }
  b: { like: a, path: /b, fields: { changed: null, name: null } }
";
        assert_eq!(resource(text, "b"), "{key: id, fields: {id: id}, path: /b, like: a}");
    }

    #[test]
    fn a_null_that_takes_nothing_away_stays_to_be_reported() {
        let text = "
defaults: { fields: { id: id } }
resources: { a: { fields: { nmae: null } } }
";
        assert_eq!(resource(text, "a"), "{fields: {id: id, nmae: null}}");
    }

    #[test]
    fn a_singleton_takes_no_calls_and_no_key() {
        let text = "
defaults: { key: id, get: \"{path}/{id}\", pager: p, encoding: { kind: json }, fields: { id: id } }
resources: { a: { singleton: true, path: /a } }
";
        assert_eq!(
            resource(text, "a"),
            "{encoding: {kind: json}, fields: {id: id}, singleton: true, path: /a}"
        );
    }

    #[test]
    fn defaults_are_like_nothing() {
        let (_, found) = expanded("defaults: { like: a }\nresources: { a: { path: /a } }\n");
        let messages = found.sorted().iter().map(|one| one.message.clone()).collect::<Vec<_>>();
        assert_eq!(messages, ["`defaults` cannot be like a resource"]);
    }
}
