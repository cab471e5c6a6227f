//! The fields of records as a schema: every path that may be written, with its type and what it means.

use std::sync::Arc;

use serde_json::{Value, json};

use crate::program::system::{Field, Resource};
use crate::program::types::Type;

/// What stands in brackets: a position, or what tells an item. Quotes may hold anything.
const BRACKETS: &str = r#"\[(?:[^\]'"]|'[^']*'|"[^"]*")*\]"#;

/// The words that begin a path which is no field of the record.
const OTHER_ROOTS: [&str; 11] =
    ["settings", "related", "exists", "now", "today", "true", "false", "none", "True", "False", "None"];

/// The records of a side that a path is about: their resources, and their fields below each beginning.
#[derive(Clone, Debug, Default)]
pub(super) struct Records {
    /// What they are called among the definitions.
    pub name: String,
    /// Their resources, as `only` names them.
    pub resources: Vec<String>,
    parts: Vec<(String, Vec<Field>)>,
}

impl Records {
    /// The records of these resources together.
    pub fn of(side: &str, resources: &[Arc<Resource>]) -> Records {
        let names: Vec<String> = resources.iter().map(|resource| resource.name.clone()).collect();
        Records {
            name: format!("{side}.{}", names.join("-")),
            parts: resources.iter().map(|resource| (String::new(), resource.fields.clone())).collect(),
            resources: names,
        }
    }

    /// Whether nothing is known of them, so that nothing can be said of a path.
    pub fn is_empty(&self) -> bool {
        self.parts.is_empty()
    }

    /// These and others.
    pub fn and(mut self, others: Records) -> Records {
        if self.is_empty() {
            return others;
        }
        if !others.is_empty() && others.name != self.name {
            self.name = format!("{}-{}", self.name, others.name);
            self.parts.extend(others.parts);
            self.resources.extend(others.resources);
        }
        self
    }

    /// The same fields where their paths begin with a name.
    pub fn under(&self, root: &str) -> Records {
        let parts = self.parts.iter().map(|(prefix, fields)| (joined(root, prefix), fields.clone()));
        Records {
            name: format!("{root}.of.{}", self.name),
            resources: self.resources.clone(),
            parts: parts.collect(),
        }
    }

    /// What stands in an object or in the items of a list.
    pub fn below(&self, path: &str) -> Records {
        let plain = generic(path);
        let found = self.parts.iter().filter_map(|(prefix, fields)| {
            let rest = if prefix.is_empty() { &plain } else { after(&plain, prefix)? };
            Some((String::new(), members(fields, rest)?.to_vec()))
        });
        Records {
            name: format!("{}.{path}", self.name),
            resources: self.resources.clone(),
            parts: found.collect(),
        }
    }

    /// The items of a list, with the record around each as `header`.
    pub fn rows(&self, list: &str) -> Records {
        let mut items = self.below(list);
        if !items.is_empty() {
            let around = self.under("header").parts.into_iter().map(|(prefix, mut fields)| {
                fields.retain(|field| prefix != "header" || field.name.to_string() != list);
                (prefix, fields)
            });
            items.parts.extend(around);
            items.name = format!("{}.with.header", items.name);
        }
        items
    }

    /// The items of a list as records of their own.
    pub fn items(&self, list: &str) -> Records {
        let mut items = self.rows(list);
        items.resources = self.resources.iter().map(|name| format!("{name}.{list}")).collect();
        items
    }

    /// The schema of a path: each field with what it is, and items of lists by a pattern. `None` where nothing is known.
    pub fn schema(&self) -> Option<Value> {
        let (mut fields, mut lists) = (Vec::new(), Vec::new());
        for (prefix, all) in &self.parts {
            for field in all {
                described(prefix, field, &mut fields);
                if has_items(field) {
                    lists.push(pattern(&joined(prefix, &field.name.to_string()), field));
                }
            }
        }
        if fields.is_empty() {
            return None;
        }
        // the same name in two resources may be two things: both are said
        let mut known: Vec<(String, String)> = Vec::new();
        for (name, text) in fields {
            match known.iter_mut().find(|(one, _)| *one == name) {
                Some((_, said)) if said.contains(&text) => {}
                Some((_, said)) => said.push_str(&format!(" / {text}")),
                None => known.push((name, text)),
            }
        }
        let mut any: Vec<Value> =
            known.iter().map(|(name, text)| json!({ "const": name, "description": text })).collect();
        lists.sort();
        lists.dedup();
        if !lists.is_empty() {
            any.push(json!({ "type": "string", "pattern": format!("^(?:{})$", lists.join("|")) }));
        }
        // other ways to write the same
        any.push(json!({ "type": "string", "pattern": r#"^\$|\[['"]"# }));
        Some(json!({ "anyOf": any }))
    }

    /// The pattern of a text that names one thing of the record and no field of it: such a text is no expression.
    pub fn bare_pattern(&self, sides: [&str; 2]) -> String {
        let mut roots: Vec<String> =
            OTHER_ROOTS.into_iter().chain(sides).map(|root| format!("{}\\b", escaped(root))).collect();
        for (prefix, fields) in &self.parts {
            for field in fields {
                let name = joined(prefix, &field.name.to_string());
                if matches!(field.ty, Type::Any | Type::Table(_)) {
                    roots.push(format!("{}\\b", escaped(&name)));
                }
                // an object of dotted names
                let ends = name.match_indices('.').map(|(at, _)| at);
                roots.extend(ends.map(|at| format!("{}\\s*$", escaped(&name[..at]))));
            }
        }
        roots.sort();
        roots.dedup();
        format!(r"^\s*(?!(?:{}))[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*\s*$", roots.join("|"))
    }
}

fn joined(prefix: &str, name: &str) -> String {
    match (prefix, name) {
        ("", name) => name.to_owned(),
        (prefix, "") => prefix.to_owned(),
        (prefix, name) => format!("{prefix}.{name}"),
    }
}

/// What follows a name in a path whose brackets are all `[*]`.
fn after<'p>(path: &'p str, name: &str) -> Option<&'p str> {
    let rest = path.strip_prefix(name)?;
    let rest = rest.strip_prefix("[*]").unwrap_or(rest);
    if rest.is_empty() { Some(rest) } else { rest.strip_prefix('.') }
}

/// A path with every position as `[*]`.
fn generic(path: &str) -> String {
    let mut out = String::new();
    let mut parts = path.split('[');
    out.push_str(parts.next().unwrap_or_default());
    for part in parts {
        out.push_str("[*]");
        out.push_str(part.split_once(']').map_or("", |(_, rest)| rest));
    }
    out
}

fn members<'f>(fields: &'f [Field], path: &str) -> Option<&'f [Field]> {
    fields.iter().find_map(|field| match after(path, &generic(&field.name.to_string()))? {
        "" => (!field.fields.is_empty()).then_some(&field.fields[..]),
        rest => members(&field.fields, rest),
    })
}

fn has_items(field: &Field) -> bool {
    matches!(field.ty, Type::List(_) | Type::Any)
        || field.name.to_string().contains('[')
        || field.fields.iter().any(has_items)
}

fn pattern(name: &str, field: &Field) -> String {
    let parts: Vec<String> = generic(name).split("[*]").map(escaped).collect();
    let mut out = parts.join(BRACKETS);
    if matches!(field.ty, Type::List(_) | Type::Any) {
        out.push_str(&format!("(?:{BRACKETS})*"));
    }
    if !field.fields.is_empty() {
        let below: Vec<String> =
            field.fields.iter().map(|member| pattern(&member.name.to_string(), member)).collect();
        out.push_str(&format!("(?:\\.(?:{}))?", below.join("|")));
    }
    out
}

/// A text as a pattern that only it fits.
pub(super) fn escaped(text: &str) -> String {
    let mut out = String::new();
    for letter in text.chars() {
        if r"\.^$|?*+()[]{}/".contains(letter) {
            out.push('\\');
        }
        out.push(letter);
    }
    out
}

/// A field and the members of its objects, each with what it is.
fn described(prefix: &str, field: &Field, out: &mut Vec<(String, String)>) {
    let name = joined(prefix, &field.name.to_string());
    let mut text = match &field.label {
        Some(label) => format!("{label}: {}", field.ty),
        None => field.ty.to_string(),
    };
    for (yes, word) in
        [(field.required, "required"), (field.read_only, "read only"), (field.create_only, "given when made")]
    {
        if yes {
            text.push_str(", ");
            text.push_str(word);
        }
    }
    if let Some(help) = &field.help {
        text.push_str(". ");
        text.push_str(help);
    }
    out.push((name.clone(), text));
    if !matches!(field.ty, Type::List(_)) {
        for member in &field.fields {
            described(&name, member, out);
        }
    }
}
