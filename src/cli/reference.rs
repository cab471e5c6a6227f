//! The language reference, made from the same types as the schemas.

use std::fmt::Write;

use serde_json::Value;

use super::args::SchemaKind;
use super::examples;
use crate::program::expr::catalogue;

/// The whole reference as Markdown.
pub fn markdown() -> String {
    let mut out = String::from(
        "# The mapping language\n\nMade by `mapengine reference` from the types that read the files; the JSON Schemas in `schemas/` come from the same place.\n",
    );
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
            if definition.get("properties").is_some() || definition.get("oneOf").is_some() {
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
