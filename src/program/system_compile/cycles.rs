//! Lookups that need each other: no value could ever be found.

use std::collections::HashSet;

use indexmap::IndexMap;

use super::findings::Findings;
use crate::diagnostic::{Diagnostic, codes};
use crate::program::system::{Field, Lookup};
use crate::value::Path;

/// One field of one resource.
type Node = (String, Path);

/// Reports every circle of lookups once, at the first of its fields.
pub(super) fn lookup_cycles(resources: &IndexMap<String, Vec<Field>>, found: &mut Findings) {
    let mut done = HashSet::new();
    for (resource, fields) in resources {
        for field in fields {
            walk((resource.clone(), field.name.clone()), resources, &mut Vec::new(), &mut done, found);
        }
    }
}

fn walk(
    node: Node,
    resources: &IndexMap<String, Vec<Field>>,
    way: &mut Vec<Node>,
    done: &mut HashSet<Node>,
    found: &mut Findings,
) {
    if done.contains(&node) {
        return;
    }
    if let Some(start) = way.iter().position(|earlier| *earlier == node) {
        report(&way[start..], resources, found);
        return;
    }
    let Some(field) = field(&node, resources) else { return };
    way.push(node.clone());
    for lookup in lookups(field) {
        let target = &lookup.target.resource;
        let used = lookup.only_where.iter().flat_map(|only_where| only_where.uses());
        for path in std::iter::once(lookup.target.field.clone()).chain(used) {
            walk((target.clone(), path), resources, way, done, found);
        }
    }
    way.pop();
    done.insert(node);
}

fn field<'f>((resource, path): &Node, resources: &'f IndexMap<String, Vec<Field>>) -> Option<&'f Field> {
    resources.get(resource)?.iter().find(|field| path.strip_prefix(&field.name).is_some())
}

/// The lookups of a field and of its members.
fn lookups(field: &Field) -> Vec<&Lookup> {
    field.lookup.iter().chain(field.fields.iter().flat_map(lookups)).collect()
}

fn report(circle: &[Node], resources: &IndexMap<String, Vec<Field>>, found: &mut Findings) {
    let Some(first) = circle.first() else { return };
    let Some(at) = field(first, resources) else { return };
    let mut names = circle.iter().map(|(resource, path)| format!("{resource}.{path}")).collect::<Vec<_>>();
    names.push(names[0].clone());
    found.add(
        Diagnostic::error(
            &codes::LOOKUP_CYCLE,
            at.span,
            format!("this lookup needs itself: {}", names.join(" → ")),
        )
        .help("let one of them be read as it is on the wire, with `ref` instead of `lookup`"),
    );
}
