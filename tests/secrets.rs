//! A secret of the connection stays where it is, whatever goes wrong: not in what the program prints, in no file that
//! it writes.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::thread;

const API_KEY: &str = "Kanari-fågel/92+x";
const CLIENT_SECRET: &str = "Hemlig-ärta=77&y";
const TOKEN: &str = "bearer-pollen-31415926";

/// A server that hands out a token, or not, and refuses everything else with its secrets and the whole request in the
/// answer.
fn echoing(token: bool, status: &'static str, secrets: &'static str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            thread::spawn(move || answer(stream, token, status, secrets));
        }
    });
    address
}

fn answer(mut stream: TcpStream, token: bool, status: &str, secrets: &str) {
    let mut request = Vec::new();
    let mut piece = [0; 4096];
    loop {
        let Ok(read @ 1..) = stream.read(&mut piece) else { return };
        request.extend_from_slice(&piece[..read]);
        let text = String::from_utf8_lossy(&request);
        let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
        let length = head
            .lines()
            .filter_map(|line| line.to_ascii_lowercase().strip_prefix("content-length:")?.trim().parse().ok())
            .next()
            .unwrap_or(0);
        if body.len() >= length {
            break;
        }
    }
    let text = String::from_utf8_lossy(&request).into_owned();
    let (status, body) = if token && text.split(' ').nth(1).is_some_and(|path| path.contains("token")) {
        ("200 OK", serde_json::json!({ "access_token": TOKEN, "token_type": "Bearer", "expires_in": 3600 }))
    } else {
        let said = format!("refused: {secrets} in {text}");
        (status, serde_json::json!({ "error": said, "message": said, "detail": [ { "message": said } ] }))
    };
    let body = body.to_string();
    let _ = write!(
        stream,
        "HTTP/1.1 {status}\r\ncontent-type: application/json\r\nx-echo: {secrets}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
        body.len()
    );
}

fn run(folder: &Path, args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_mapengine"))
        .args(args)
        .env("XDG_DATA_HOME", folder.join("data"))
        .env("RUST_LOG", "trace")
        .env("RUST_BACKTRACE", "full")
        .env_remove("MAPENGINE_CONNECTION")
        .output()
        .unwrap()
}

/// Nothing of a secret, in the spellings in which one could look for it.
fn no_secret_in(what: &str, bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    for piece in ["Kanari", "gel/92", "%2F92", "Hemlig", "rta=77", "rta%3D77", "pollen-31415926"] {
        assert!(!text.contains(piece), "`{piece}` stands in {what}:\n{text}");
    }
}

fn no_secret_below(folder: &Path, but: &Path) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            no_secret_below(&path, but);
        } else if path != but {
            no_secret_in(&path.display().to_string(), &fs::read(&path).unwrap());
        }
    }
}

/// Runs everything that takes a connection; how the first run ended, and what it said.
fn look_everywhere(shop: &str, api_key: &str, ledger: &str) -> (Option<i32>, String) {
    let folder = tempfile::tempdir().unwrap();
    let connection = folder.path().join("acme.yaml");
    fs::write(
        &connection,
        format!(
            "connection: acme\nsystems:\n  shop: {{ base_url: \"{shop}\", credentials: {{ api_key: \"{api_key}\" }} }}\n  \
             ledger: {{ base_url: \"{ledger}\", token_url: \"{ledger}/token\", credentials: {{ client_id: me, client_secret: \"{CLIENT_SECRET}\" }} }}\n\
             state: \"sqlite:acme.db\"\n"
        ),
    )
    .unwrap();
    let (path, log) = (connection.to_str().unwrap(), folder.path().join("requests.jsonl"));
    let (plan, log) = (folder.path().join("plan.json"), log.to_str().unwrap());
    let mapping = "mappings/examples/hello.yaml";
    let mut first = None;
    for args in [
        vec!["run", mapping, "--log-requests", log],
        vec!["run", mapping, "--format", "json", "--full", "--log-requests", log],
        vec!["retry", mapping, "--format", "json"],
        vec!["plan", mapping, "--format", "json", "--out", plan.to_str().unwrap()],
        vec!["recover", mapping],
        vec!["history", mapping, "--format", "json"],
        vec!["links", mapping, "--format", "json"],
        vec!["set-aside", mapping, "--format", "json"],
        vec!["report", "failed", mapping, "--format", "html"],
        vec!["docs", mapping],
        vec!["run", mapping, "--set", "colour=red"],
        vec!["run", mapping, "--verbose"],
    ] {
        let args = if args[0] == "docs" { args } else { [args, vec!["--connection", path]].concat() };
        let said = run(folder.path(), &args);
        no_secret_in(&format!("the output of {args:?}"), &said.stdout);
        no_secret_in(&format!("what {args:?} says"), &said.stderr);
        first.get_or_insert_with(|| (said.status.code(), String::from_utf8_lossy(&said.stderr).into_owned()));
    }
    assert!(folder.path().join("acme.db").exists());
    no_secret_below(folder.path(), &connection);
    first.unwrap()
}

#[test]
fn where_nobody_listens() {
    let address = {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        format!("http://{}", listener.local_addr().unwrap())
    };
    let (code, said) = look_everywhere(&address, API_KEY, &address);
    assert_eq!(code, Some(1), "{said}");
    assert!(!said.is_empty());
}

/// A shop that works; it ends with the test.
struct Shop(Child, String);

impl Shop {
    fn open() -> Shop {
        let mut child = Command::new(env!("CARGO_BIN_EXE_mapengine"))
            .args(["sandbox", "mappings/examples/hello.yaml"])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
        let address = line.split_whitespace().nth(1).unwrap().to_owned();
        Shop(child, address)
    }
}

impl Drop for Shop {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn where_a_server_repeats_the_key_in_its_refusal() {
    let shop = echoing(false, "401 Unauthorized", API_KEY);
    let (code, said) = look_everywhere(&shop, API_KEY, &shop);
    assert!(matches!(code, Some(1 | 2)), "{code:?} {said}");
    assert!(said.contains("•••"), "the answer's words are not told, or told whole: {said}");
}

#[test]
fn where_one_system_repeats_the_secret_of_the_other() {
    let shop = echoing(false, "401 Unauthorized", CLIENT_SECRET);
    let (code, said) = look_everywhere(&shop, API_KEY, &shop);
    assert!(matches!(code, Some(1 | 2)), "{code:?} {said}");
    assert!(said.contains("•••"), "the answer's words are not told, or told whole: {said}");
}

#[test]
fn where_the_token_call_repeats_the_secret_in_its_refusal() {
    let (shop, ledger) = (Shop::open(), echoing(false, "401 Unauthorized", CLIENT_SECRET));
    let (code, said) = look_everywhere(&shop.1, "sandbox-api-key", &ledger);
    assert!(matches!(code, Some(1 | 2)), "{code:?} {said}");
}

#[test]
fn where_a_server_repeats_the_token_in_its_refusal() {
    let shop = Shop::open();
    let ledger = echoing(true, "422 Unprocessable Content", TOKEN);
    let (code, said) = look_everywhere(&shop.1, "sandbox-api-key", &ledger);
    assert!(matches!(code, Some(1 | 2)), "{code:?} {said}");
    assert!(said.contains("•••"), "the answer's words are not told, or told whole: {said}");
}

#[test]
fn where_the_connection_itself_is_wrong() {
    for text in [
        "connection: acme\nsystems:\n  shop: { credentials: { token: SECRET } }\n  ledger: { credentials: { client_secret: SECRET } }\n",
        "connection: acme\nsystems:\n  shop: { credentials: [ SECRET ] }\n",
        "connection: acme\nsystems:\n  shop: { credentials: SECRET }\n",
        "connection: acme\nsystems:\n  shop: { credentials: { api_key: [ SECRET ] } }\n",
        "connection: acme\nsystems:\n  shop: { credentials: { api_key: \"SECRET } }\n",
        "connection: acme\nsystems:\n  shop: { api_key: SECRET, credentials: { api_key: SECRET, api_key: SECRET } }\n",
        "conection: acme\nsystems:\n  shop: { api_key: SECRET }\n",
        "{\"connection\": \"acme\", \"systems\": {\"shop\": {\"api_key\": \"SECRET\" \"x\"}}}\n",
    ] {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("acme.yaml");
        fs::write(&path, text.replace("SECRET", "Kanari-92")).unwrap();
        let path = path.to_str().unwrap();
        for args in [
            &["run", "mappings/examples/hello.yaml", "--connection", path][..],
            &["validate", path],
            &["validate", path, "--format", "json"],
            &["validate", path, "--format", "github"],
        ] {
            // without its first key nothing says that it is a connection
            if args[0] == "validate" && text.starts_with("conection") {
                continue;
            }
            let said = run(folder.path(), args);
            if args[0] == "run" {
                assert_eq!(said.status.code(), Some(2), "{text}");
                assert!(String::from_utf8_lossy(&said.stderr).contains("acme.yaml:"), "{text}");
            }
            no_secret_in(&format!("the output of {args:?} for {text}"), &said.stdout);
            no_secret_in(&format!("what {args:?} says of {text}"), &said.stderr);
        }
    }
}

#[test]
fn links_show_nothing_of_personal_fields() {
    let folder = tempfile::tempdir().unwrap();
    let mapping = "mappings/financials.yaml";
    assert!(run(folder.path(), &["run", mapping]).status.success());
    let args = ["links", mapping, "--register", "contacts", "--format", "json"];
    let all = String::from_utf8(run(folder.path(), &args).stdout).unwrap();
    let links: serde_json::Value = serde_json::from_str(&all).unwrap();
    let links = links.as_array().unwrap();
    let shown = links.iter().flat_map(|link| link["base"].as_object().unwrap());
    let (mails, names): (Vec<_>, Vec<_>) = shown.partition(|(row, _)| row.contains("email"));
    let hidden = |value: &serde_json::Value| value.is_null() || value == "•••";
    assert!(mails.iter().any(|(_, pair)| pair[0] == "•••" && pair[1] == "•••"), "{all}");
    assert!(mails.iter().all(|(_, pair)| pair.as_array().unwrap().iter().all(hidden)), "{all}");
    // what is not personal by the system files is shown
    assert!(names.iter().any(|(_, pair)| !hidden(&pair[0])), "{all}");
    let record = format!("contacts:{}", links[0]["left"]["id"].as_str().unwrap());
    let table =
        String::from_utf8(run(folder.path(), &["links", mapping, "--record", &record]).stdout).unwrap();
    assert!(table.contains("email") && table.contains("•••") && !table.contains('@'), "{table}");
}

#[cfg(unix)]
#[test]
fn secrets_in_a_file_that_everybody_may_read_are_warned_of() {
    use std::os::unix::fs::PermissionsExt;

    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("acme.yaml");
    fs::write(folder.path().join("secret"), "Kanari-92").unwrap();
    let with = |api_key: &str, secret: &str, mode: u32| {
        let mapping = fs::canonicalize("mappings/examples/hello.yaml").unwrap();
        fs::write(
            &path,
            format!(
                "connection: acme\nmapping: {}\nsystems:\n  shop: {{ base_url: \"http://127.0.0.1:1\", credentials: {{ api_key: \"{api_key}\" }} }}\n  \
                 ledger: {{ base_url: \"http://127.0.0.1:1\", credentials: {{ client_id: me, client_secret: \"{secret}\" }} }}\nstate: \"sqlite:acme.db\"\n",
                mapping.display()
            ),
        )
        .unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        let path = path.to_str().unwrap();
        let checked = run(folder.path(), &["validate", path]);
        assert_eq!(checked.status.code(), Some(0), "{}", String::from_utf8_lossy(&checked.stdout));
        let ran = run(folder.path(), &["plan", "--connection", path]);
        no_secret_in("what validate says", &checked.stdout);
        no_secret_in("what plan says", &ran.stderr);
        [checked.stdout, ran.stderr].map(|text| String::from_utf8(text).unwrap())
    };
    for said in with("Kanari-92", "${PATH}", 0o644) {
        let told = "everybody on this machine can read `api_key` of `shop` (the file has mode 0644)";
        assert!(said.contains("warning[ME0708]") && said.contains(told), "{said}");
        assert!(said.contains("acme.yaml:4:") && said.contains("chmod 600 "), "{said}");
    }
    for said in with("Kanari-92", "Hemlig", 0o604) {
        assert!(said.contains("`api_key` of `shop`, `client_secret` of `ledger`"), "{said}");
    }
    // for the owner alone, or not in the file: nothing to warn of
    let quiet = [with("Kanari-92", "Hemlig", 0o600), with("${PATH}", "file:secret", 0o644)];
    for said in quiet.iter().flatten() {
        assert!(!said.contains("ME0708"), "{said}");
    }
}
