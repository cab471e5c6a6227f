//! The checked-in schemas and the reference are what the types say now, and an outside validator agrees with ours.

use std::path::{Path, PathBuf};

use mapengine::cli::{mapping_schema_files, mapping_text, reference_text, schema_files};

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
    let of_mappings = mapping_schema_files(Path::new("mappings")).unwrap();
    assert!(of_mappings.len() > 3);
    for (name, text) in schema_files().into_iter().chain(of_mappings) {
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

/// The schema of a mapping, made now.
fn own_schema(file: &Path) -> jsonschema::Validator {
    let mut sources = mapengine::diagnostic::Sources::new();
    let mut found = mapengine::diagnostic::Diagnostics::new();
    let opened = mapengine::program::open::Opened::read(file, &mut sources, &mut found).unwrap();
    jsonschema::validator_for(&serde_json::from_str(&mapping_text(&opened)).unwrap()).unwrap()
}

fn mappings() -> Vec<PathBuf> {
    let mut files = Vec::new();
    for folder in ["mappings", "tests/mappings"] {
        yaml_files(Path::new(folder), &mut files);
    }
    files.retain(|file| {
        let value = yaml_as_json(file);
        kind(&value) == "mapping" && value.get("systems").is_some()
    });
    files
}

#[test]
fn every_mapping_is_accepted_by_its_own_schema() {
    let files = mappings();
    assert!(files.len() > 15);
    for file in files {
        let value = yaml_as_json(&file);
        let errors: Vec<String> = own_schema(&file)
            .iter_errors(&value)
            .map(|error| format!("{}: {}", error.instance_path(), error.schema_path()))
            .collect();
        assert!(errors.is_empty(), "{}:\n{}", file.display(), errors.join("\n"));
    }
}

#[test]
fn a_shipped_mapping_names_its_own_schema() {
    for (name, _) in mapping_schema_files(Path::new("mappings")).unwrap() {
        let stem = name.trim_start_matches("mappings/").trim_end_matches(".schema.json");
        let text = std::fs::read_to_string(format!("mappings/{stem}.yaml")).unwrap();
        assert_eq!(text.lines().next(), Some(&*format!("# yaml-language-server: $schema=../schemas/{name}")));
    }
}

/// A mapping with something else at a place: a member of an object, or a new item of a list.
fn slipped(mapping: &serde_json::Value, at: &str, slip: serde_json::Value) -> serde_json::Value {
    let mut value = mapping.clone();
    let (around, last) = at.rsplit_once('/').unwrap();
    let around = value.pointer_mut(around).unwrap_or_else(|| panic!("there is no {around}"));
    match around {
        serde_json::Value::Array(items) => items.insert(last.parse().unwrap(), slip),
        serde_json::Value::Object(members) => {
            members.insert(last.to_owned(), slip);
        }
        other => panic!("{other} has no members"),
    }
    value
}

#[test]
fn slips_are_refused_by_the_mappings_own_schema() {
    use serde_json::json;
    let slips = [
        // fields of the right records, at every place that names one
        ("/registers/customers/fields/0", json!({ "severa": "nmae", "erp": "name" })),
        ("/registers/customers/fields/0", json!({ "severa": ["name", "nmae"], "erp": "name", "join": " " })),
        ("/registers/customers/fields/0", json!({ "severa": "name", "erp": "header.name" })),
        ("/registers/customers/fields/0", json!({ "severa": "name", "erp": "mainAddress.ctiy" })),
        ("/registers/customers/fields/0", json!({ "sevra": "name", "erp": "name" })),
        ("/registers/customers/match/0", json!(["nope"])),
        ("/registers/customers/unique/0/field", json!("nope")),
        ("/registers/items/severa/by", json!("erp.tpye")),
        ("/registers/branches/erp/scope", json!("isActve")),
        ("/tables/address/0", json!({ "severa": "ctiy", "erp": "city" })),
        ("/settings/work_class/from", json!("erp.item_class.idd")),
        ("/documents/costs/fields/0", json!({ "severa": "description", "erp": "header.dat" })),
        ("/documents/costs/fields/0", json!({ "severa": "description", "erp": "date" })),
        ("/documents/costs/find_again/0", json!("nope")),
        ("/documents/costs/erp/each", json!("linse")),
        ("/documents/costs/steps/1/attach/to", json!("severa.project.giud")),
        ("/documents/costs/steps/1/attach/files/0", json!("erp.atachments")),
        ("/documents/costs/reconcile/erp/date", json!("header.dat")),
        ("/documents/costs/reconcile/severa/currency", json!("unitCost.currencycode")),
        ("/documents/invoices/find_again/0", json!("nope")),
        ("/documents/invoices/fields/0", json!({ "severa": "projects[0].giud", "erp": "project" })),
        ("/documents/invoices/rows/order", json!("sortOder")),
        ("/documents/invoices/rows/severa", json!("row")),
        ("/documents/invoices/rows/fields/0", json!({ "severa": "nmae", "erp": "description" })),
        ("/documents/invoices/rows/fields/0", json!({ "severa": "header.compny", "erp": "branchNumber" })),
        ("/documents/invoices/rows/fields/0", json!({ "severa": "header.company", "erp": "header.branch" })),
        ("/documents/invoices/steps/1/verify/equal/erp", json!("totl")),
        ("/documents/invoices/steps/1/verify/same/severa", json!("currencyCode")),
        (
            "/documents/invoices/steps/2/write_back/fields/0",
            json!({ "severa": "nmae", "erp": "referenceNumber" }),
        ),
        (
            "/documents/invoices/steps/2/write_back/fields/0",
            json!({ "severa": "number", "erp": "refNumber" }),
        ),
        ("/documents/invoices/follow/write/0", json!({ "severa": "nmae", "erp": "referenceNumber" })),
        ("/documents/invoices/status_flow/field", json!("status.giud")),
        ("/documents/invoices/status_flow/order", json!("sortOder")),
        ("/documents/invoices/status_flow/flags/0", json!("isReadonly")),
        ("/documents/invoices/reconcile/severa/rows/rate", json!("vatRat")),
        // sides
        ("/systems/third", json!("systems/erp.yaml")),
        ("/registers/customers/sevra", json!({ "resource": "customer" })),
        ("/documents/invoices/sevra", json!({ "resource": "invoice" })),
        ("/documents/invoices/rows/sevra", json!("rows")),
        ("/documents/invoices/steps/4/action", json!({ "epr": "release" })),
        ("/registers/customers/adopt", json!("epr")),
        ("/registers/customers/master", json!("epr")),
        ("/registers/customers/unique/0/in", json!("epr")),
        ("/registers/customers/fields/0", json!({ "severa": "name", "erp": "name", "master": "epr" })),
        ("/checks/0/access/0", json!("epr")),
        // resources
        ("/registers/customers/severa/resource", json!("custmer")),
        ("/registers/items/severa/one_of/prodct", json!(["x"])),
        ("/documents/invoices/erp/one_of/invoic", json!([true])),
        ("/documents/invoices/severa/related", json!({ "buyer": { "resource": "custmer", "where": {} } })),
        ("/registers/items/fields/0", json!({ "severa": "name", "erp": "description", "only": "prodct" })),
        // names of the mapping
        ("/registers/contacts/part_of", json!("nope")),
        (
            "/registers/contacts/fields/0",
            json!({ "severa": "customer.guid", "erp": "businessAccount", "ref": "nope" }),
        ),
        (
            "/registers/customers/fields/0",
            json!({ "severa": "visitAddress", "erp": "mainAddress", "fields": "adress" }),
        ),
        ("/checks/4/each", json!("registers.custmers.severa")),
        ("/documents/invoices/severa/take", json!("redy")),
        ("/documents/invoices/refused/set_status", json!("nope")),
        ("/documents/invoices/steps/1/verify/else/set_status", json!("nope")),
        ("/documents/invoices/steps/2/write_back/set_status", json!("nope")),
        ("/documents/invoices/steps/0", json!({ "set_status": "nope" })),
        ("/documents/invoices/steps/3/attach/files/0", json!("severa.nope")),
        ("/documents/invoices/steps/4/action/erp", json!("nope")),
        ("/documents/invoices/status_flow/moves/0/to", json!("nope")),
        ("/documents/invoices/status_flow/moves/0/by", json!("nope")),
        ("/documents/invoices/follow/while/0", json!("nope")),
        ("/documents/invoices/follow/moves/0/to", json!("nope")),
        // settings that stand alone
        ("/registers/customers/direction", json!("settings.nope")),
        ("/registers/customers/direction", json!("severa -> epr")),
        ("/registers/customers/when", json!("settings.nope")),
        ("/documents/invoices/steps/4/action/when", json!("settings.nope")),
        (
            "/registers/customers/fields/0",
            json!({ "severa": "name", "erp": "name", "when": "not settings.nope" }),
        ),
        (
            "/registers/customers/fields/0",
            json!({ "severa": "name", "erp": "name", "values": "settings.nope" }),
        ),
        (
            "/documents/costs/fields/0",
            json!({ "severa": "quantity", "erp": "cost", "multiply": "settings.nope" }),
        ),
        (
            "/documents/invoices/fields/0",
            json!({ "severa": "projects[guid=settings.nope].guid", "erp": "note" }),
        ),
        ("/registers/customers/fields/0", json!({ "severa": "name", "value": "nmae" })),
        ("/documents/invoices/rows/fields/0", json!({ "erp": "description", "value": "quantty" })),
        ("/settings/costs/default", json!("cost_only")),
        ("/registers/customers/situations", json!({ "source_missing": "delte" })),
    ];
    let file = Path::new("mappings/financials.yaml");
    let (mapping, own) = (yaml_as_json(file), own_schema(file));
    let general = validator("mapping");
    for (at, slip) in slips {
        let value = slipped(&mapping, at, slip.clone());
        assert!(general.is_valid(&value), "{at}: {slip} is refused by the general schema already");
        assert!(!own.is_valid(&value), "{at}: {slip} is accepted");
    }
}

#[test]
fn whatever_a_path_or_an_expression_may_be_is_accepted_by_the_mappings_own_schema() {
    use serde_json::json;
    let fine = [
        ("/documents/invoices/fields/0", json!({ "severa": "projects[0].guid", "erp": "project" })),
        ("/documents/invoices/fields/0", json!({ "severa": "projects[guid='a.b]'].guid", "erp": "project" })),
        (
            "/documents/invoices/fields/0",
            json!({ "severa": "projects[guid=settings.non_project_code].guid", "erp": "note" }),
        ),
        ("/documents/invoices/fields/0", json!({ "severa": "$.customer.guid", "erp": "['note']" })),
        (
            "/documents/invoices/rows/fields/0",
            json!({ "severa": "header.projects[0].guid", "erp": "description" }),
        ),
        ("/documents/invoices/severa/take", json!("isCreditNote")),
        ("/documents/invoices/severa/take", json!("number is none")),
        ("/registers/customers/direction", json!("severa->erp")),
        ("/registers/customers/match/0", json!("name = name")),
        ("/registers/customers/fields/0", json!({ "erp": "status", "value": "isActive" })),
        ("/registers/customers/fields/0", json!({ "severa": "name", "value": "settings.costs" })),
        (
            "/registers/customers/fields/0",
            json!({ "severa": "name", "value": "'TEMP'", "when": "mainAddress is not none" }),
        ),
        ("/documents/costs/fields/0", json!({ "severa": "description", "value": "header" })),
        ("/registers/customers/fields/0", json!({ "severa": "name", "erp": "name", "master": "none" })),
        (
            "/registers/new",
            json!({ "severa": { "resource": "customer" }, "erp": { "resource": "customer" }, "match": ["name"], "fields": [{ "severa": "name", "erp": "name" }] }),
        ),
        ("/settings/new", json!({ "type": "bool", "help": "A new one" })),
    ];
    let file = Path::new("mappings/financials.yaml");
    let (mapping, own) = (yaml_as_json(file), own_schema(file));
    for (at, text) in fine {
        let value = slipped(&mapping, at, text.clone());
        let errors: Vec<String> =
            own.iter_errors(&value).map(|error| error.schema_path().to_string()).collect();
        assert!(errors.is_empty(), "{at}: {text} is refused: {}", errors.join(", "));
    }
}
