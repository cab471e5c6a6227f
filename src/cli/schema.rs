//! `schema`: what an editor completes and checks with.

mod fields;
mod own;

use std::path::{Path, PathBuf};

use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, Schema};
use serde_json::{Value, json};

use super::args::{SchemaArgs, SchemaKind};
use super::planning::{Planned, SavedPlan};
use super::report::{FailedReport, ReconcileReport};
use super::state::{AsideTold, LinkTold, Past};
use super::{Exit, Terminal, place};
use crate::case::CaseResult;
use crate::diagnostic::{Diagnostics, Finding, Sources};
use crate::program::open::Opened;
use crate::run::{Report, Why, WhyNot};
use crate::spec::{cases::Cases, connection::Connection, mapping::Mapping, sandbox::Sandbox, system::System};

/// Every kind with the name of its file.
const KINDS: [(SchemaKind, &str); 17] = [
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
    (SchemaKind::Planned, "planned"),
    (SchemaKind::Links, "links"),
    (SchemaKind::History, "history"),
    (SchemaKind::SetAside, "set-aside"),
    (SchemaKind::Findings, "findings"),
    (SchemaKind::Results, "results"),
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
        SchemaKind::Planned => of::<Planned>(),
        SchemaKind::Links => of::<Vec<LinkTold>>(),
        SchemaKind::History => of::<Vec<Past>>(),
        SchemaKind::SetAside => of::<Vec<AsideTold>>(),
        SchemaKind::Findings => of::<Vec<Finding>>(),
        SchemaKind::Results => of::<Vec<CaseResult>>(),
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

/// The schema of each mapping in a folder: the name of its file (below the folder of the schemas) and its text.
///
/// # Errors
/// What is wrong with a mapping that cannot be read, as a person reads it.
pub fn mapping_schema_files(folder: &Path) -> Result<Vec<(String, String)>, String> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Ok(Vec::new()) };
    let mut paths: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "yaml"));
    paths.sort();
    let mut files = Vec::new();
    for path in paths {
        let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        // cases stand beside their mapping
        if name.ends_with(".test") {
            continue;
        }
        let (mut sources, mut found) = (Sources::new(), Diagnostics::new());
        let Some(opened) = Opened::read(&path, &mut sources, &mut found) else {
            return Err(format!("{} cannot be read: `mapengine validate` says why", path.display()));
        };
        files.push((format!("mappings/{name}.schema.json"), mapping_text(&opened)));
    }
    Ok(files)
}

fn write_all(folder: &Path) -> Result<(), String> {
    let mut files = schema_files();
    files.extend(mapping_schema_files(Path::new("mappings"))?);
    for (name, text) in files {
        let path = folder.join(name);
        let parent = path.parent().unwrap_or(folder);
        std::fs::create_dir_all(parent).map_err(|error| format!("{}: {error}", parent.display()))?;
        std::fs::write(&path, text).map_err(|error| format!("{}: {error}", path.display()))?;
    }
    Ok(())
}

/// `schema`.
pub(super) fn schema(terminal: &Terminal, args: &SchemaArgs) -> Exit {
    if let Some(folder) = &args.write {
        return match write_all(folder) {
            Ok(()) => Exit::Done,
            Err(error) => {
                terminal.say(format_args!("error: {error}"));
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

/// The schema of one mapping: the general one, with its own names and the fields of both its systems.
pub fn mapping_text(opened: &Opened) -> String {
    let mut schema = schema_of(SchemaKind::Mapping);
    let (overlay, definitions) = own::overlay(opened);
    if let Some(object) = schema.as_object_mut() {
        object.insert("title".into(), json!(format!("The mapping {}", opened.mapping.mapping)));
        object.insert("allOf".into(), json!([overlay]));
        if let Some(all) = object.get_mut("$defs").and_then(Value::as_object_mut) {
            all.extend(definitions);
        }
    }
    own::in_lines(&schema) + "\n"
}
