//! A saved plan is for one mapping, one connection and one state; what differs is said by its name.

use std::path::Path;
use std::process::{Command, Output};

const MAPPING: &str = "mappings/examples/hello.yaml";

fn mapengine(folder: &Path, args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_mapengine"))
        .args(args)
        .env_remove("MAPENGINE_CONNECTION")
        .env("XDG_DATA_HOME", folder.join("data"))
        .output()
        .unwrap()
}

/// The plan that was saved, changed by hand.
fn with(folder: &Path, name: &str, value: serde_json::Value) -> String {
    let mut plan: serde_json::Value =
        serde_json::from_str(&std::fs::read_to_string(folder.join("plan.json")).unwrap()).unwrap();
    plan[name] = value;
    let path = folder.join("changed.json");
    std::fs::write(&path, plan.to_string()).unwrap();
    path.to_str().unwrap().to_owned()
}

/// An apply that is refused, and why.
fn refused(folder: &Path, plan: &str, flags: &[&str]) -> String {
    let out = mapengine(folder, &[&["apply", plan], flags].concat());
    assert_eq!(out.status.code(), Some(2), "{}", String::from_utf8_lossy(&out.stdout));
    String::from_utf8(out.stderr).unwrap()
}

fn planned(folder: &Path) -> serde_json::Value {
    let path = folder.join("plan.json");
    let out = mapengine(folder, &["plan", MAPPING, "--out", path.to_str().unwrap()]);
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

#[test]
fn a_plan_for_another_connection_is_refused_by_its_name() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let plan = planned(folder);
    assert_eq!((&plan["connection"], &plan["state"]), (&serde_json::Value::Null, &serde_json::Value::Null));
    let connection = folder.join("acme.yaml");
    let ends = "systems:\n  shop: { base_url: \"http://127.0.0.1:1\", credentials: { api_key: k } }\n  \
                ledger: { base_url: \"http://127.0.0.1:1\", token_url: \"http://127.0.0.1:1/token\", credentials: { client_id: me, client_secret: s } }\n\
                state: \"sqlite:acme.db\"\n";
    std::fs::write(&connection, format!("connection: acme\n{ends}")).unwrap();
    let given = ["--connection", connection.to_str().unwrap()];
    let made = folder.join("plan.json");
    let why = refused(folder, made.to_str().unwrap(), &given);
    assert!(
        why.contains("made on the sandbox, and this is the connection `acme`: leave `--connection` out"),
        "{why}"
    );
    let why = refused(folder, &with(folder, "connection", "acme".into()), &[]);
    assert!(why.contains("made for the connection `acme`, and this is the sandbox: give its file"), "{why}");
    let why = refused(folder, &with(folder, "connection", "other".into()), &given);
    assert!(
        why.contains("made for the connection `other`, and this is `acme`: give the file of that one"),
        "{why}"
    );
    let why = refused(folder, &with(folder, "program", "0".into()), &[]);
    assert!(why.contains("the mapping, a system file or a setting changed"), "{why}");
}

#[test]
fn a_plan_on_another_state_is_refused_and_one_that_only_moved_on_is_not() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let first = planned(folder);
    assert_eq!(first["serial"], 0);
    assert!(mapengine(folder, &["run", MAPPING]).status.success());
    let plan = planned(folder);
    assert!(plan["serial"].as_i64().unwrap() > 0 && plan["state"].is_string(), "{plan}");
    let why = refused(folder, &with(folder, "state", "other".into()), &[]);
    assert!(why.contains("this is another state than the one the plan was made on: plan again"), "{why}");
    let why = refused(folder, &with(folder, "serial", 9999.into()), &[]);
    assert!(why.contains("the state went back since the plan was made (serial 9999 then, "), "{why}");
    let out = mapengine(folder, &["apply", &with(folder, "serial", 1.into())]);
    let said = String::from_utf8(out.stderr).unwrap();
    assert!(
        out.status.success() && said.contains("the state was written to since the plan was made: "),
        "{said}"
    );
}

#[test]
fn personal_values_stand_in_a_plan_as_hashes() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    // the same example, whose emails are personal
    for (from, to) in [
        (MAPPING, "mappings/hello.yaml"),
        ("mappings/examples/systems/shop.yaml", "mappings/systems/shop.yaml"),
        ("mappings/examples/systems/ledger.yaml", "mappings/systems/ledger.yaml"),
        ("mappings/examples/sandbox/hello.yaml", "mappings/sandbox/hello.yaml"),
    ] {
        let to = folder.join(to);
        std::fs::create_dir_all(to.parent().unwrap()).unwrap();
        let text = std::fs::read_to_string(from).unwrap();
        let marked = text.replace("phone:   { type: text", "phone:   { sensitive: true, type: text");
        std::fs::write(to, marked).unwrap();
    }
    let (mapping, path) = (folder.join("mappings/hello.yaml"), folder.join("plan.json"));
    let out = mapengine(folder, &["plan", mapping.to_str().unwrap(), "--out", path.to_str().unwrap()]);
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    let text = std::fs::read_to_string(&path).unwrap();
    assert!(!text.contains("+358") && !text.contains('•'), "{text}");
    let plan: serde_json::Value = serde_json::from_str(&text).unwrap();
    let fields = plan["changes"].as_array().unwrap().iter().flat_map(|one| one["fields"].as_array().unwrap());
    let phones: Vec<&serde_json::Value> = fields.filter(|one| one[0] == "shop.phone").collect();
    assert!(!phones.is_empty(), "{text}");
    for phone in phones {
        // nothing is nothing, and hides nobody
        assert_eq!(phone[1], "–");
        let hash = phone[2].as_str().unwrap();
        assert!(hash.len() == 32 && hash.chars().all(|one| one.is_ascii_hexdigit()), "{hash}");
    }
}
