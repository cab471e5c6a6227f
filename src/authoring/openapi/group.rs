//! Paths to resources: a collection, and one record of it.

use serde_json::Value;

use super::document::{Document, Operation};
use crate::authoring::words::{plain, snake, words};

/// The calls of one resource.
pub(super) struct Group<'d> {
    /// The resource's name.
    pub name: String,
    /// The path of the collection (or of the one record there is).
    pub path: String,
    /// The path of one record, with the name of its parameter.
    pub item: Option<(String, String)>,
    pub list: Option<Operation<'d>>,
    pub get: Option<Operation<'d>>,
    pub create: Option<Operation<'d>>,
    /// With its method in lower case.
    pub update: Option<(&'static str, Operation<'d>)>,
    pub delete: bool,
}

impl Group<'_> {
    /// Whether a person means this one: by name, or by its path.
    pub(super) fn is_called(&self, wanted: &str) -> bool {
        let wanted = wanted.trim();
        self.name == wanted || self.path == wanted || self.name == snake(wanted)
    }
}

/// All resources of a document.
pub(super) struct Grouped<'d> {
    pub groups: Vec<Group<'d>>,
    /// Paths that are no resource, and why.
    pub left_out: Vec<(String, String)>,
    /// What stands before every path and differs from company to company: `/companies/{id}`.
    pub prefix: String,
}

/// Groups the paths of a document.
pub(super) fn group<'d>(document: &Document<'d>) -> Grouped<'d> {
    let all: Vec<(&str, &Value)> = document.paths().collect();
    let prefix = company_prefix(&all);
    let mut grouped = Grouped { groups: Vec::new(), left_out: Vec::new(), prefix: prefix.clone() };
    let mut items: Vec<(String, String, String, &Value)> = Vec::new();
    for (path, item) in &all {
        let short = path.strip_prefix(prefix.as_str()).unwrap_or(path);
        let trimmed = short.trim_end_matches('/');
        let (before, last) = trimmed.rsplit_once('/').unwrap_or(("", trimmed));
        let param = last.strip_prefix('{').and_then(|rest| rest.strip_suffix('}'));
        let odd = short.contains(['?', '#', ' ', '(', ')', ';', ',']);
        match param {
            _ if trimmed.is_empty() => {}
            _ if odd => grouped.left_out.push((short.to_owned(), "its path is no plain path".to_owned())),
            Some(param) if !before.contains('{') => {
                items.push((before.to_owned(), short.to_owned(), param.to_owned(), item));
            }
            None if !trimmed.contains('{') => grouped.groups.push(Group {
                name: String::new(),
                path: short.to_owned(),
                item: None,
                list: document.operation(item, "get"),
                get: None,
                create: document.operation(item, "post"),
                update: None,
                delete: false,
            }),
            _ => grouped.left_out.push((
                short.to_owned(),
                "it stands below one record: a `list` below a parent, whose field says `ref`".to_owned(),
            )),
        }
    }
    for (before, path, param, item) in items {
        let at = grouped.groups.iter().position(|one| one.path.trim_end_matches('/') == before);
        let group = match at {
            // more than one way to one record: the first counts
            Some(at) if grouped.groups[at].item.is_some() => {
                grouped.left_out.push((path, "another path leads to the same records".to_owned()));
                continue;
            }
            Some(at) => &mut grouped.groups[at],
            None => {
                let reason = "it leads to one record, and no call lists them";
                grouped.left_out.push((path, reason.to_owned()));
                continue;
            }
        };
        group.item = Some((path, param));
        group.get = document.operation(item, "get");
        group.update = ["patch", "put", "post"]
            .into_iter()
            .find_map(|method| Some((method, document.operation(item, method)?)));
        group.delete = item.get("delete").is_some();
    }
    let (groups, actions): (Vec<_>, Vec<_>) =
        grouped.groups.into_iter().partition(|one| one.list.is_some() || one.get.is_some());
    grouped.groups = groups;
    grouped
        .left_out
        .extend(actions.into_iter().map(|one| (one.path, "nothing of it can be read".to_owned())));
    names(&mut grouped.groups);
    grouped
}

/// Names by the last part of the path; with the part before it where two would be the same.
fn names(groups: &mut [Group]) {
    let last = |path: &str, n: usize| {
        let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
        let from = parts.len().saturating_sub(n);
        snake(&parts[from..].iter().flat_map(|part| words(part)).collect::<Vec<_>>().join("_"))
    };
    let paths: Vec<String> = groups.iter().map(|one| one.path.clone()).collect();
    let mut used: Vec<String> = Vec::new();
    for (group, path) in groups.iter_mut().zip(&paths) {
        let name = (1..=8).map(|n| last(path, n)).find(|name| !used.contains(name));
        group.name = name.unwrap_or_else(|| format!("{}_{}", last(path, 1), used.len()));
        used.push(group.name.clone());
    }
}

/// `/companies/{companyId}` where nearly every path begins with it.
fn company_prefix(all: &[(&str, &Value)]) -> String {
    let first_param = |path: &str| {
        let end = path.find('}')? + 1;
        path[end..].starts_with('/').then(|| path[..end].to_owned())
    };
    let mut counted: Vec<(String, usize)> = Vec::new();
    for prefix in all.iter().filter_map(|(path, _)| first_param(path)) {
        match counted.iter_mut().find(|(known, _)| *known == prefix) {
            Some(known) => known.1 += 1,
            None => counted.push((prefix, 1)),
        }
    }
    let most = counted.into_iter().max_by_key(|(_, count)| *count);
    // records below one record look the same where an API has one collection only: that collection is a path too
    match most {
        Some((prefix, count)) if count > 2 && count * 10 >= all.len() * 8 => {
            let collection = prefix.rsplit_once('/').map_or("", |(before, _)| before);
            let is_resource =
                all.iter().any(|(path, item)| plain(path) == plain(collection) && item.get("post").is_some());
            if is_resource { String::new() } else { prefix }
        }
        _ => String::new(),
    }
}
