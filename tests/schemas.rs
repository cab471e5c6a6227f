//! The checked-in schemas and the reference are what the types say now, and an outside validator agrees with ours.

use std::path::{Path, PathBuf};

use mapengine::cli::{reference_text, schema_files};

fn yaml_as_json(path: &Path) -> serde_json::Value {
    let text = std::fs::read_to_string(path).unwrap();
    let value: mapengine::value::Value = {
        let mut sources = mapengine::diagnostic::Sources::new();
        let mut found = mapengine::diagnostic::Diagnostics::new();
        let node = mapengine::spec::yaml::parse(&mut sources, path, &text, &mut found).unwrap();
        mapengine::spec::yaml::from_node(&node, &mut found).unwrap()
    };
    serde_json::from_str(&value.to_json()).unwrap()
}

fn yaml_files(folder: &Path, out: &mut Vec<PathBuf>) {
    let mut entries: Vec<PathBuf> =
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    entries.sort();
    for entry in entries {
        if entry.is_dir() {
            yaml_files(&entry, out);
        } else if entry.extension().is_some_and(|extension| extension == "yaml") {
            out.push(entry);
        }
    }
}

/// The schema that belongs to a file, by its first words.
fn kind(value: &serde_json::Value) -> &'static str {
    let has = |key: &str| value.get(key).is_some();
    match () {
        () if has("system") => "system",
        () if has("connection") => "connection",
        () if has("sandbox") => "sandbox",
        () if has("cases") => "cases",
        () => "mapping",
    }
}

fn validator(kind: &str) -> jsonschema::Validator {
    let text = std::fs::read_to_string(format!("schemas/{kind}.schema.json")).unwrap();
    jsonschema::validator_for(&serde_json::from_str(&text).unwrap()).unwrap()
}

#[test]
fn the_schemas_are_fresh() {
    for (name, text) in schema_files() {
        let path = Path::new("schemas").join(&name);
        let kept = std::fs::read_to_string(&path).unwrap_or_default();
        assert!(kept == text, "{} is stale: run `mapengine schema --write schemas`", path.display());
    }
}

#[test]
fn the_reference_is_fresh() {
    let kept = std::fs::read_to_string("REFERENCE.md").unwrap_or_default();
    assert!(kept == reference_text(), "REFERENCE.md is stale: run `mapengine reference > REFERENCE.md`");
}

#[test]
fn the_outside_validator_accepts_every_file_we_ship() {
    let mut files = Vec::new();
    for folder in ["mappings", "tests/systems", "tests/mappings", "tests/accepted"] {
        yaml_files(Path::new(folder), &mut files);
    }
    assert!(files.len() > 5);
    for file in files {
        let value = yaml_as_json(&file);
        let errors: Vec<String> = validator(kind(&value))
            .iter_errors(&value)
            .map(|error| format!("{}: {error}", error.instance_path()))
            .collect();
        assert!(errors.is_empty(), "{}:\n{}", file.display(), errors.join("\n"));
    }
}

#[test]
fn the_outside_validator_refuses_what_is_refused_for_its_shape() {
    let mut files = Vec::new();
    yaml_files(Path::new("tests/rejected"), &mut files);
    let mut refused = 0;
    for file in files {
        let message = std::fs::read_to_string(file.with_extension("txt")).unwrap();
        // shape: unknown and missing keys, wrong kinds, unknown words
        let shape = ["ME0102", "ME0103", "ME0104", "ME0112", "ME0113"]
            .iter()
            .any(|code| message.contains(&format!("error[{code}]")));
        if !shape {
            continue;
        }
        let value = yaml_as_json(&file);
        assert!(!validator(kind(&value)).is_valid(&value), "{} is accepted by the schema", file.display());
        refused += 1;
    }
    assert!(refused > 3, "only {refused} samples are about shape");
}
