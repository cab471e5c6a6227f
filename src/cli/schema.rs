//! `schema`: what an editor completes and checks with.

use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, Schema};
use serde_json::{Value, json};

use super::args::{SchemaArgs, SchemaKind};
use super::planning::SavedPlan;
use super::report::{FailedReport, ReconcileReport};
use super::{Exit, Terminal, place};
use crate::diagnostic::{Diagnostics, Sources};
use crate::program::open::Opened;
use crate::program::system::{Field, Resource};
use crate::program::types::Type;
use crate::run::{Report, Why, WhyNot};
use crate::spec::{cases::Cases, connection::Connection, mapping::Mapping, sandbox::Sandbox, system::System};

/// Every kind with the name of its file.
const KINDS: [(SchemaKind, &str); 11] = [
    (SchemaKind::System, "system"),
    (SchemaKind::Mapping, "mapping"),
    (SchemaKind::Cases, "cases"),
    (SchemaKind::Connection, "connection"),
    (SchemaKind::Sandbox, "sandbox"),
    (SchemaKind::Report, "report"),
    (SchemaKind::Plan, "plan"),
    (SchemaKind::Failed, "failed"),
    (SchemaKind::Why, "why"),
    (SchemaKind::WhyNot, "why-not"),
    (SchemaKind::Reconcile, "reconcile"),
];

fn of<T: JsonSchema>() -> Schema {
    SchemaSettings::draft2020_12().into_generator().into_root_schema_for::<T>()
}

/// The schema of a kind of file.
fn schema_of(kind: SchemaKind) -> Value {
    let schema = match kind {
        SchemaKind::System => of::<System>(),
        SchemaKind::Mapping => of::<Mapping>(),
        SchemaKind::Cases => of::<Cases>(),
        SchemaKind::Connection => of::<Connection>(),
        SchemaKind::Sandbox => of::<Sandbox>(),
        SchemaKind::Report => of::<Report>(),
        SchemaKind::Plan => of::<SavedPlan>(),
        SchemaKind::Failed => of::<FailedReport>(),
        SchemaKind::Why => of::<Why>(),
        SchemaKind::WhyNot => of::<WhyNot>(),
        SchemaKind::Reconcile => of::<ReconcileReport>(),
    };
    let mut value = schema.to_value();
    if kind == SchemaKind::System {
        let_null_remove(&mut value);
    }
    // editors put a reference to the schema into the file itself
    if let (
        Some(properties),
        SchemaKind::System
        | SchemaKind::Mapping
        | SchemaKind::Cases
        | SchemaKind::Connection
        | SchemaKind::Sandbox,
    ) = (value.get_mut("properties").and_then(Value::as_object_mut), kind)
    {
        properties.remove("$schema");
    }
    value
}

/// In a resource, and all that stands in one, a null takes away what `like` or `defaults` gave (`spec::expand`).
fn let_null_remove(schema: &mut Value) {
    let Some(all) = schema.get_mut("$defs").and_then(Value::as_object_mut) else { return };
    let mut names = vec!["Resource".to_owned()];
    let mut next = 0;
    while let Some(name) = names.get(next).cloned() {
        next += 1;
        let Some(definition) = all.get_mut(&name) else { continue };
        for below in references(definition) {
            if !names.contains(&below) {
                names.push(below);
            }
        }
        let required = definition.get("required").and_then(Value::as_array).cloned().unwrap_or_default();
        let properties = definition.get_mut("properties").and_then(Value::as_object_mut);
        for (key, property) in properties.into_iter().flatten() {
            if let Some(entries) = property.get_mut("additionalProperties").filter(|inner| inner.is_object())
            {
                let_null(entries);
            }
            if !required.iter().any(|one| one == key) {
                let_null(property);
            }
        }
    }
}

/// The definitions that a schema names.
fn references(schema: &Value) -> Vec<String> {
    match schema {
        Value::Object(members) => members
            .iter()
            .flat_map(|(key, value)| match (key.as_str(), value.as_str()) {
                ("$ref", Some(name)) => name.rsplit('/').next().map(str::to_owned).into_iter().collect(),
                _ => references(value),
            })
            .collect(),
        Value::Array(items) => items.iter().flat_map(references).collect(),
        _ => Vec::new(),
    }
}

fn let_null(schema: &mut Value) {
    let is_null = |schema: &Value| match schema.get("type") {
        Some(Value::String(word)) => word == "null",
        Some(Value::Array(words)) => words.iter().any(|word| word == "null"),
        _ => false,
    };
    let choices = schema.get("anyOf").and_then(Value::as_array);
    if is_null(schema) || choices.is_some_and(|choices| choices.iter().any(is_null)) {
        return;
    }
    let mut inner = schema.take();
    let said = inner.as_object_mut().and_then(|members| members.remove("description"));
    *schema = json!({ "anyOf": [inner, { "type": "null" }] });
    if let (Some(said), Some(members)) = (said, schema.as_object_mut()) {
        members.insert("description".to_owned(), said);
    }
}

/// The text of a schema file.
pub(super) fn text(kind: SchemaKind) -> String {
    serde_json::to_string_pretty(&schema_of(kind)).unwrap_or_default() + "\n"
}

/// Every schema file: its name and its text.
pub fn schema_files() -> Vec<(String, String)> {
    KINDS.iter().map(|(kind, name)| (format!("{name}.schema.json"), text(*kind))).collect()
}

/// `schema`.
pub(super) fn schema(terminal: &Terminal, args: &SchemaArgs) -> Exit {
    if let Some(folder) = &args.write {
        let written = std::fs::create_dir_all(folder).and_then(|()| {
            schema_files().into_iter().try_for_each(|(name, text)| std::fs::write(folder.join(name), text))
        });
        return match written {
            Ok(()) => Exit::Done,
            Err(error) => {
                terminal.say(format_args!("error: {}: {error}", folder.display()));
                Exit::Failed
            }
        };
    }
    match (args.kind, &args.file) {
        (None, _) => {
            for (_, name) in KINDS {
                terminal.line(format_args!("{name}.schema.json"));
            }
            Exit::Done
        }
        (Some(SchemaKind::Mapping), Some(file)) => {
            let mut sources = Sources::new();
            let mut found = Diagnostics::new();
            match Opened::read(file, &mut sources, &mut found) {
                Some(opened) => {
                    terminal.text(&mapping_text(&opened));
                    Exit::Done
                }
                None => place::refuse(terminal, &found, &sources),
            }
        }
        (Some(_), Some(_)) => {
            terminal.say("error: only a mapping has a schema of its own: `mapengine schema mapping FILE`");
            Exit::BadInput
        }
        (Some(kind), None) => {
            terminal.text(&text(kind));
            Exit::Done
        }
    }
}

/// The schema of one mapping: the general one, and for each register the field paths of both sides.
pub fn mapping_text(opened: &Opened) -> String {
    let mut schema = schema_of(SchemaKind::Mapping);
    let mut registers = serde_json::Map::new();
    for (name, register) in opened.mapping.registers.iter() {
        let mut sides = serde_json::Map::new();
        for side in crate::value::Side::BOTH {
            let side_name = &opened.names[side];
            let Some((_, end)) = register.sides.iter().find(|(key, _)| key.value == *side_name) else {
                continue;
            };
            let names = end
                .resource
                .iter()
                .map(|name| name.value.clone())
                .chain(end.one_of.keys().map(str::to_owned));
            let mut paths: Vec<Value> = Vec::new();
            for resource in names.filter_map(|name| opened.systems[side].resources.get(&name).cloned()) {
                described(&resource, &mut paths);
            }
            if paths.is_empty() {
                continue;
            }
            let one = json!({ "anyOf": paths });
            sides.insert(
                side_name.clone(),
                json!({ "description": format!("A field of {side_name}."), "anyOf": [one, { "type": "array", "items": one }] }),
            );
        }
        registers.insert(
            name.value.clone(),
            json!({ "properties": { "fields": { "items": { "properties": sides } } } }),
        );
    }
    let settings: Vec<&str> = opened.mapping.settings.keys().collect();
    if let Some(object) = schema.as_object_mut() {
        object.insert("title".into(), json!(format!("The mapping {}", opened.mapping.mapping)));
        let sides = json!([opened.names.left, opened.names.right]);
        object.insert(
            "allOf".into(),
            json!([{ "properties": {
                "registers": { "properties": registers },
                "systems": { "propertyNames": { "enum": sides } },
                "settings": { "propertyNames": { "enum": settings } }
            } }]),
        );
    }
    serde_json::to_string_pretty(&schema).unwrap_or_default() + "\n"
}

fn described(resource: &Resource, out: &mut Vec<Value>) {
    fn add(prefix: &str, field: &Field, out: &mut Vec<Value>) {
        let name =
            if prefix.is_empty() { field.name.to_string() } else { format!("{prefix}.{}", field.name) };
        let mut text = match &field.label {
            Some(label) => format!("{label}: {}", field.ty),
            None => field.ty.to_string(),
        };
        for (yes, word) in [
            (field.required, "required"),
            (field.read_only, "read only"),
            (field.create_only, "given when made"),
        ] {
            if yes {
                text.push_str(", ");
                text.push_str(word);
            }
        }
        if let Some(help) = &field.help {
            text.push_str(". ");
            text.push_str(help);
        }
        out.push(json!({ "const": name, "description": text }));
        if !matches!(field.ty, Type::List(_)) {
            for member in &field.fields {
                add(&name, member, out);
            }
        }
    }
    for field in &resource.fields {
        add("", field, out);
    }
}
