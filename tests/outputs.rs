//! What verbs tell programs is what the checked-in schemas say, and each verb's help names its schema.

use std::process::{Command, Output};

const MAPPING: &str = "mappings/examples/hello.yaml";
const WITH_DOCUMENTS: &str = "mappings/autoinvoice.yaml";

fn mapengine(data: &tempfile::TempDir, args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_mapengine"))
        .args(args)
        .env_remove("MAPENGINE_CONNECTION")
        .env("XDG_DATA_HOME", data.path())
        .output()
        .unwrap()
}

fn said(data: &tempfile::TempDir, args: &[&str]) -> serde_json::Value {
    let out = mapengine(data, args);
    let text = String::from_utf8(out.stdout).unwrap();
    serde_json::from_str(&text)
        .unwrap_or_else(|error| panic!("{args:?}: {error}: {text}{}", String::from_utf8_lossy(&out.stderr)))
}

fn fits(kind: &str, value: &serde_json::Value, from: &[&str]) {
    let text = std::fs::read_to_string(format!("schemas/{kind}.schema.json")).unwrap();
    let schema = jsonschema::validator_for(&serde_json::from_str(&text).unwrap()).unwrap();
    let errors: Vec<String> =
        schema.iter_errors(value).map(|error| format!("{}: {error}", error.instance_path())).collect();
    assert!(errors.is_empty(), "{from:?} is not what the schema `{kind}` says:\n{}", errors.join("\n"));
}

#[test]
fn the_output_of_every_verb_is_what_its_schema_says() {
    let data = tempfile::tempdir().unwrap();
    let wrong = "tests/rejected/mappings/master_of_no_side.yaml";
    // in this order: a plan before anything is done, then a run, then what it left
    for (kind, args, some) in [
        ("planned", vec!["plan", MAPPING, "--format", "json"], true),
        ("report", vec!["run", MAPPING, "--format", "json"], true),
        ("links", vec!["links", MAPPING, "--format", "json"], true),
        ("set-aside", vec!["set-aside", MAPPING, "--format", "json"], true),
        ("history", vec!["history", MAPPING, "--format", "json"], true),
        ("history", vec!["history", MAPPING, "--register", "customers", "--format", "json"], true),
        ("planned", vec!["plan", MAPPING, "--format", "json"], true),
        ("report", vec!["retry", MAPPING, "--format", "json"], true),
        ("report", vec!["recover", MAPPING, "--format", "json"], true),
        ("failed", vec!["report", "failed", WITH_DOCUMENTS, "--format", "json"], true),
        ("reconcile", vec!["report", "reconcile", WITH_DOCUMENTS, "--format", "json"], true),
        ("why-not", vec!["why-not", MAPPING, "customers:Elna Berg", "--format", "json"], true),
        ("why", vec!["why", MAPPING, "customers:ada@example.com", "--format", "json"], true),
        ("findings", vec!["validate", MAPPING, "--format", "json"], false),
        ("findings", vec!["validate", wrong, "--format", "json"], true),
        ("results", vec!["test", "mappings/examples/hello.test.yaml", "--format", "json"], true),
    ] {
        let value = said(&data, &args);
        let empty = value.as_array().is_some_and(Vec::is_empty);
        assert_eq!(!empty, some, "{args:?}: {value}");
        fits(kind, &value, &args);
    }
}

#[test]
fn a_schema_is_no_cloak_for_another_output() {
    let data = tempfile::tempdir().unwrap();
    let planned = said(&data, &["plan", MAPPING, "--format", "json"]);
    for kind in ["report", "plan", "links", "history", "set-aside", "findings", "results"] {
        let text = std::fs::read_to_string(format!("schemas/{kind}.schema.json")).unwrap();
        let schema = jsonschema::validator_for(&serde_json::from_str(&text).unwrap()).unwrap();
        assert!(!schema.is_valid(&planned), "what `plan` tells is taken for `{kind}`");
    }
    fits("plan", &planned["plan"], &["plan"]);
}

#[test]
fn the_help_of_every_verb_names_its_schema() {
    let data = tempfile::tempdir().unwrap();
    for (verb, kind) in [
        ("run", "report"),
        ("retry", "report"),
        ("recover", "report"),
        ("apply", "report"),
        ("plan", "planned"),
        ("links", "links"),
        ("history", "history"),
        ("set-aside", "set-aside"),
        ("why", "why"),
        ("why-not", "why-not"),
        ("validate", "findings"),
        ("test", "results"),
    ] {
        let help = String::from_utf8(mapengine(&data, &[verb, "--help"]).stdout).unwrap();
        let named: Vec<&str> =
            help.split("schemas/").skip(1).filter_map(|rest| rest.split(".schema.json").next()).collect();
        assert_eq!(named, [kind], "{verb} --help");
        let printed = mapengine(&data, &["schema", kind]);
        let kept = std::fs::read(format!("schemas/{kind}.schema.json")).unwrap();
        assert!(printed.stdout == kept, "`schema {kind}` prints another schema");
    }
}

#[test]
fn links_and_history_name_a_record_as_why_does() {
    let data = tempfile::tempdir().unwrap();
    let mapengine = |args: &[&str]| {
        std::process::Command::new(env!("CARGO_BIN_EXE_mapengine"))
            .args(args)
            .env("XDG_DATA_HOME", data.path())
            .output()
            .unwrap()
    };
    const MAPPING: &str = "mappings/examples/hello.yaml";
    mapengine(&["run", MAPPING]);
    let linked = String::from_utf8(mapengine(&["links", MAPPING, "--format", "json"]).stdout).unwrap();
    let links: serde_json::Value = serde_json::from_str(&linked).unwrap();
    let base = &links[0]["base"];
    let name =
        base.as_object().unwrap().iter().find(|(row, _)| row.starts_with("email")).unwrap().1[0].clone();
    let register = links[0]["register"].as_str().unwrap();
    let record = format!("{register}:{}", name.as_str().unwrap());
    for verb in ["links", "history"] {
        let found = mapengine(&[verb, MAPPING, "--record", &record, "--format", "json"]);
        let told: serde_json::Value = serde_json::from_slice(&found.stdout).unwrap();
        assert!(!told.as_array().unwrap().is_empty(), "{verb} {record}");
        let unknown = mapengine(&[verb, MAPPING, "--record", &format!("{register}:nosuch")]);
        assert_eq!(unknown.status.code(), Some(2), "{verb}");
        assert!(String::from_utf8_lossy(&unknown.stderr).contains("no record has this id, key or name"));
    }
}
