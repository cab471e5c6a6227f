//! The language reference, made from the same types as the schemas.

use std::fmt::Write;

use serde_json::Value;

use super::args::SchemaKind;
use super::examples;
use crate::program::expr::catalogue;

/// The whole reference as Markdown.
pub fn markdown() -> String {
    let body = body();
    let mut out = String::from(
        "# The mapping language\n\nMade by `mapengine reference` from the types that read the files; the JSON Schemas in `schemas/` come from the same place.\n",
    );
    out.push_str("\n## Contents\n\n");
    for line in body.lines() {
        let Some((title, indent)) = line
            .strip_prefix("### ")
            .map(|title| (title, "  "))
            .or(line.strip_prefix("## ").map(|title| (title, "")))
        else {
            continue;
        };
        let _ = writeln!(out, "{indent}- [{title}](#{})", anchor(title, &out));
    }
    out + &body
}

/// Where a heading is found: as in Markdown of GitHub, a second one of a name has a number.
fn anchor(title: &str, before: &str) -> String {
    let name = title.to_lowercase().replace(' ', "-");
    let same = before.matches(&format!("- [{title}](#")).count();
    if same == 0 { name } else { format!("{name}-{same}") }
}

/// All but the head.
fn body() -> String {
    let mut out = String::new();
    for (kind, title) in [
        (SchemaKind::Mapping, "Mappings"),
        (SchemaKind::System, "Systems"),
        (SchemaKind::Cases, "Cases"),
        (SchemaKind::Connection, "Connections"),
        (SchemaKind::Sandbox, "Sandbox files"),
    ] {
        let Ok(schema) = serde_json::from_str::<Value>(&super::schema::text(kind)) else { continue };
        let _ = writeln!(out, "\n## {title}\n");
        describe(&mut out, &schema);
        for (name, definition) in schema.get("$defs").and_then(Value::as_object).into_iter().flatten() {
            let tells = ["properties", "oneOf", "description"];
            if tells.iter().any(|key| definition.get(*key).is_some()) {
                let _ = writeln!(out, "\n### {name}\n");
                describe(&mut out, definition);
            }
        }
    }
    let _ = writeln!(out, "\n## Bodies in XML\n\n{}", examples::xml());
    let _ = writeln!(out, "\n## Signed requests\n\n{}", examples::signature());
    out.push_str("\n## Expressions\n\nConditions and values are MiniJinja expressions over declared fields. Filters and tests:\n\n| name | what it does | example |\n| --- | --- | --- |\n");
    for entry in catalogue() {
        let _ = writeln!(
            out,
            "| `{}` | {} | `{}` |",
            entry.signature().replace('|', "\\|"),
            entry.doc,
            entry.example.source.replace('|', "\\|")
        );
    }
    out
}

fn describe(out: &mut String, schema: &Value) {
    if let Some(text) = schema.get("description").and_then(Value::as_str) {
        let _ = writeln!(out, "{text}\n");
    }
    let required: Vec<&str> = schema
        .get("required")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    if let Some(properties) = schema.get("properties").and_then(Value::as_object) {
        out.push_str("| key | kind | meaning |\n| --- | --- | --- |\n");
        for (name, property) in properties {
            let must = if required.contains(&name.as_str()) { " **required**" } else { "" };
            let text = property
                .get("description")
                .and_then(Value::as_str)
                .unwrap_or_default()
                .replace('\n', " ")
                .replace('|', "\\|");
            let _ = writeln!(out, "| `{name}`{must} | {} | {text} |", kind(property));
        }
    }
    // the long form of what may be short
    for long in schema.get("anyOf").and_then(Value::as_array).into_iter().flatten() {
        if long.get("properties").is_some() {
            describe(out, long);
        }
    }
    for variant in schema.get("oneOf").and_then(Value::as_array).into_iter().flatten() {
        if let Some(word) = variant.get("const").and_then(Value::as_str) {
            let text = variant.get("description").and_then(Value::as_str).unwrap_or_default();
            let _ = writeln!(out, "- `{word}`: {text}");
        }
    }
}

fn kind(schema: &Value) -> String {
    if let Some(name) = schema.get("$ref").and_then(Value::as_str) {
        return name.rsplit('/').next().unwrap_or_default().to_owned();
    }
    if let Some(choices) = schema.get("anyOf").and_then(Value::as_array) {
        let kinds: Vec<String> = choices.iter().map(kind).filter(|kind| kind != "null").collect();
        return kinds.join(" or ");
    }
    match schema.get("type") {
        Some(Value::String(word)) if word == "array" => {
            format!("list of {}", schema.get("items").map_or_else(String::new, kind))
        }
        Some(Value::String(word)) if word == "object" => schema
            .get("additionalProperties")
            .filter(|inner| inner.is_object())
            .map_or_else(|| "map".to_owned(), |inner| format!("map of {}", kind(inner))),
        Some(Value::String(word)) if word == "string" => "text".to_owned(),
        Some(Value::String(word)) => word.clone(),
        Some(Value::Array(words)) => {
            let words: Vec<&str> =
                words.iter().filter_map(Value::as_str).filter(|word| *word != "null").collect();
            words.join(" or ").replace("string", "text")
        }
        _ => "any".to_owned(),
    }
}
