//! `setup` (F-26): questions and answers through the real program, against stand-ins that are served over HTTP.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, Command, Stdio};

const PROGRAM: &str = env!("CARGO_BIN_EXE_mapengine");

/// Stand-ins of a mapping's systems; they end with the test.
struct Served(Child, Vec<String>);

impl Served {
    fn of(mapping: &str) -> Served {
        let mut child = Command::new(PROGRAM)
            .args(["sandbox", mapping])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let addresses: Vec<String> = lines
            .map(|line| line.unwrap())
            .filter_map(|line| Some(line.split_whitespace().nth(1)?.to_owned()))
            .filter(|word| word.starts_with("http://"))
            .take(2)
            .collect();
        Served(child, addresses)
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Runs `setup` with these answers; exit code, what it said, what it printed.
fn setup(
    folder: &std::path::Path,
    mapping: &str,
    secret: Option<&str>,
    answers: &[&str],
) -> (i32, String, String) {
    let mut command = Command::new(PROGRAM);
    command
        .args(["setup", mapping, "--out"])
        .arg(folder.join("acme.yaml"))
        .env("XDG_DATA_HOME", folder)
        .env_remove("SEVERA_CLIENT_SECRET")
        .env_remove("ERP_CLIENT_SECRET")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    if let Some(secret) = secret {
        command.env("SEVERA_CLIENT_SECRET", secret).env("ERP_CLIENT_SECRET", secret);
    }
    let mut child = command.spawn().unwrap();
    let text = answers.join("\n") + "\n";
    child.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stderr), text(output.stdout))
}

#[test]
fn a_company_is_set_up_and_its_first_run_follows() {
    let mapping = std::env::current_dir().unwrap().join("mappings/financials.yaml");
    let mapping = mapping.to_str().unwrap();
    let served = Served::of(mapping);
    let [left, right] = &served.1[..] else { panic!("{:?}", served.1) };
    let folder = tempfile::tempdir().unwrap();
    let systems =
        [left, "", "sandbox-client-id", "", right, "", "sandbox-client-id", "", "sandbox-tenant-id"];
    // a class that is not there is asked for again, and so is what is no number
    let settings = ["STDD", "STD", "GOODS", "LABOUR", "TRAVEL", "maybe", "true", "true"];
    let more = ["t=HOUR, h=HOUR, stk=PCS, pcs=PCS, km=KM", "", "", "", "costs_and_fees", "much", "1.5"];
    let last = ["y", "y", "n"];
    let answers: Vec<&str> = [&systems[..], &settings[..], &more[..], &last[..]].concat();
    let (code, said, printed) = setup(folder.path(), mapping, Some("sandbox-client-secret"), &answers);
    assert!(said.contains("    KEY  Nøkkelkunder"), "{said}");
    assert!(said.contains("`STDD` is none of them"), "{said}");
    assert!(said.contains("write true or false"), "{said}");
    assert!(said.contains("`cost_multiplier` takes an exact number"), "{said}");
    // what the first run would stumble over is shown at once
    assert_eq!(code, 0, "{said}\n{printed}");
    assert!(printed.contains("set aside: a person has to look"), "{printed}");
    assert!(said.contains("mapengine run --connection"), "{said}");
    let written = std::fs::read_to_string(folder.path().join("acme.yaml")).unwrap();
    for line in [
        "connection: \"acme\"",
        "      client_secret: \"${ERP_CLIENT_SECRET}\"",
        "  customer_class: \"STD\"",
        "  costs: \"costs_and_fees\"",
        "confirmed: [ same_licence ]",
        "state: \"sqlite:acme.db\"",
    ] {
        assert!(written.lines().any(|one| one == line), "{line} is not in\n{written}");
    }
    assert!(!format!("{written}{said}{printed}").contains("sandbox-client-secret"));
    // it is there now: nothing of it is overwritten
    let (code, said, _) = setup(folder.path(), mapping, None, &[]);
    assert_eq!(code, 2);
    assert!(said.contains("is there already"), "{said}");
}

#[test]
fn without_the_secrets_the_file_is_written_all_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let answers = ["", "id", "file:secret.txt", "", "id", "", "tenant", "STD", "A", "B", "C"];
    let rest = ["", "", "", "", "", "", "", "", "n"];
    let mapping = "mappings/financials.yaml";
    let (code, said, _) = setup(folder.path(), mapping, None, &[&answers[..], &rest[..]].concat());
    assert_eq!(code, 0, "{said}");
    assert!(said.contains("not every secret is at hand"), "{said}");
    assert!(said.contains("mapengine plan --connection"), "{said}");
    let written = std::fs::read_to_string(folder.path().join("acme.yaml")).unwrap();
    assert!(written.contains("client_secret: \"file:secret.txt\""), "{written}");
    assert!(!written.contains("confirmed"), "{written}");
}

#[test]
fn answers_that_end_too_early_write_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let (code, said, _) = setup(folder.path(), "mappings/financials.yaml", None, &["", "id"]);
    assert_eq!(code, 2, "{said}");
    assert!(said.contains("nothing was written"), "{said}");
    assert!(!folder.path().join("acme.yaml").exists());
}
