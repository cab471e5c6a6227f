//! One company whose two systems are served by a process of their own, and what it holds, asked over HTTP.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde_json::{Value, json};

/// How long a write without an answer is left alone. Everything here is on one machine: what was sent has arrived.
pub const SETTLE: Duration = Duration::from_millis(300);

/// The binary under test: the one that was built with the tests, or the one that is named.
pub fn binary() -> PathBuf {
    std::env::var_os("MAPENGINE").map_or_else(|| env!("CARGO_BIN_EXE_mapengine").into(), PathBuf::from)
}

/// A company, its sandbox process and a connection to it; all of it ends with this value.
pub struct Company {
    folder: tempfile::TempDir,
    sandbox: Child,
    shop: Http,
    ledger: Http,
    connection: PathBuf,
    mapping: String,
}

impl Drop for Company {
    fn drop(&mut self) {
        let _ = self.sandbox.kill();
        let _ = self.sandbox.wait();
    }
}

impl Company {
    /// Serves a company: customers with addresses on either side and on both, items and projects in the shop.
    pub fn start() -> Company {
        Company::of("shop_ledger", &records())
    }

    /// Serves a company with invoices that are ready to travel: see [`INVOICES`].
    pub fn with_invoices() -> Company {
        Company::of("shop_documents", &invoices())
    }

    fn of(mapping: &str, records: &str) -> Company {
        let mapping = format!("mappings/{mapping}.yaml");
        let folder = tempfile::tempdir().unwrap();
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests");
        let copy = |from: &str| {
            let to = folder.path().join(from);
            std::fs::create_dir_all(to.parent().unwrap()).unwrap();
            std::fs::copy(root.join(from), to).unwrap();
        };
        copy(&mapping);
        copy("systems/shop.yaml");
        copy("systems/ledger.yaml");
        let data = folder.path().join("mappings/sandbox");
        std::fs::create_dir_all(&data).unwrap();
        std::fs::write(folder.path().join(mapping.replace("mappings/", "mappings/sandbox/")), records)
            .unwrap();

        let connection = folder.path().join("connection.yaml");
        let mut sandbox = Command::new(binary())
            .args(["sandbox", &mapping, "--connection-out", "connection.yaml"])
            // each write is answered a while after it took effect: a kill falls between the two
            .args(["--fault", "slow=10ms:create", "--fault", "slow=10ms:update"])
            .current_dir(folder.path())
            .env("XDG_DATA_HOME", folder.path())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut addresses = BTreeMap::new();
        for line in BufReader::new(sandbox.stdout.take().unwrap()).lines() {
            let line = line.unwrap();
            if let Some((name, address)) = line.split_once(" http://") {
                addresses.insert(name.trim().to_owned(), address.trim().to_owned());
            }
            if line.starts_with("Ctrl-C") {
                break;
            }
        }
        let text = std::fs::read_to_string(&connection).unwrap();
        let settle = format!("settle_after: {} ms\n    limits: {{ requests: 10000 }}", SETTLE.as_millis());
        std::fs::write(&connection, text.replace("settle_after: 1s", &settle)).unwrap();
        let shop = Http::shop(&addresses["shop"]);
        let ledger = Http::ledger(&addresses["ledger"]);
        Company { folder, sandbox, shop, ledger, connection, mapping }
    }

    /// The command of one run, not started.
    pub fn command(&self) -> Command {
        let mut command = Command::new(binary());
        command.args(["run", &self.mapping, "--format", "json", "--connection"]).arg(&self.connection);
        self.prepared(command)
    }

    /// A command that belongs to this company.
    pub fn prepared(&self, mut command: Command) -> Command {
        command
            .current_dir(self.folder.path())
            .env("XDG_DATA_HOME", self.folder.path())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    /// A file of this company's own.
    pub fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The state of the engine's runs.
    pub fn state(&self) -> PathBuf {
        let text = std::fs::read_to_string(&self.connection).unwrap();
        let state = text.lines().find_map(|line| line.strip_prefix("state: \"sqlite:"));
        self.file(state.unwrap().trim_end_matches('"'))
    }

    /// The address of the ledger, for other programs.
    pub fn ledger(&self) -> &str {
        &self.ledger.address
    }

    /// One run of the engine to its end: its report.
    pub fn run(&self, flags: &[&str]) -> Value {
        let output = self.command().args(flags).output().unwrap();
        let text = String::from_utf8_lossy(&output.stdout);
        serde_json::from_str(&text)
            .unwrap_or_else(|_| json!({ "failed": text, "said": String::from_utf8_lossy(&output.stderr) }))
    }

    /// What people do in both systems. Answers the new texts, each of which must arrive on the other side.
    pub fn edit(&self) -> Vec<String> {
        let mut texts = Vec::new();
        let mut new = |text: String| {
            texts.push(text.clone());
            text
        };
        for customer in self.shop.list("/customers?rows=100") {
            let guid = text(&customer["guid"]);
            let name = text(&customer["name"]);
            let set = |path: &str, field: &str, value: String| {
                self.shop.send("PATCH", path, &json!([{ "op": "Replace", "path": field, "value": value }]));
            };
            if ["Kunde 1 AS", "Kunde 2 AS", "Beide 1 AS"].contains(&name.as_str()) {
                set(&format!("/customers/{guid}"), "/vatNumber", new(format!("shop vat of {name}")));
            }
            if ["Kunde 3 AS", "Beide 1 AS", "Buch 1 AS"].contains(&name.as_str()) {
                let address = &self.shop.list(&format!("/customers/{guid}/addresses?rows=100"))[0];
                let path = format!("/addresses/{}", text(&address["guid"]));
                set(&path, "/city", new(format!("shop city of {name}")));
            }
        }
        for item in self.shop.list("/items?rows=100").iter().take(2) {
            let name = new(format!("new name of {}", text(&item["code"])));
            let path = format!("/items/{}", text(&item["guid"]));
            self.shop.send("PATCH", &path, &json!([{ "op": "Replace", "path": "/name", "value": name }]));
        }
        for customer in self.ledger.list("/customers?page=1&size=500") {
            let name = text(&customer["name"]);
            if ["Buch 2 AS", "Buch 3 AS", "Kunde 4 AS", "Beide 2 AS"].contains(&name.as_str()) {
                let value = new(format!("ledger vat of {name}"));
                let path = format!("/customers/internal/{}", text(&customer["id"]));
                self.ledger.send("PUT", &path, &json!({ "vatNumber": { "value": value } }));
            }
            if ["Buch 4 AS", "Kunde 5 AS", "Beide 3 AS"].contains(&name.as_str()) {
                let value = new(format!("ledger city of {name}"));
                let addresses = self.ledger.list("/addresses?page=1&size=500");
                let address = addresses.iter().find(|one| one["customer"] == customer["number"]).unwrap();
                let path = format!("/addresses/{}", text(&address["number"]));
                self.ledger.send("PUT", &path, &json!({ "city": { "value": value } }));
            }
        }
        texts
    }

    /// Everything the shop holds, a line each: what it is, and its values.
    pub fn in_shop(&self) -> Vec<(String, String)> {
        let mut found = Vec::new();
        let customers = self.shop.list("/customers?rows=100");
        for customer in &customers {
            let name = text(&customer["name"]);
            let values =
                [&customer["number"], &customer["vatNumber"], &customer["active"]].map(text).join("|");
            found.push((format!("customer {name}"), values));
            for address in
                self.shop.list(&format!("/customers/{}/addresses?rows=100", text(&customer["guid"])))
            {
                found.push((
                    format!("address of {name}"),
                    [&address["street"], &address["city"]].map(text).join("|"),
                ));
            }
        }
        for item in self.shop.list("/items?rows=100") {
            found.push((format!("item {}", text(&item["code"])), text(&item["name"])));
        }
        for project in self.shop.list("/projects?rows=100") {
            let whose = customers.iter().find(|one| one["guid"] == project["customer"]["guid"]).unwrap();
            let values = [&project["name"], &whose["number"]].map(text).join("|");
            found.push((format!("project {}", text(&project["number"])), values));
        }
        found.sort();
        found
    }

    /// What is wrong with the invoices, asked of both systems: each that fits stands in the ledger once and the shop has its
    /// number and status; each that does not is gone there and has failed here.
    pub fn wrong_invoices(&self) -> Vec<String> {
        let mut made: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for path in ["/invoices?page=1&size=500", "/credit-notes?page=1&size=500"] {
            for record in self.ledger.list(path) {
                made.entry(text(&record["memo"])).or_default().push(text(&record["number"]));
            }
        }
        let mut wrong = Vec::new();
        let sources = self.shop.list("/invoices?rows=100");
        if sources.len() != INVOICES {
            wrong.push(format!("{} invoices in the shop", sources.len()));
        }
        for source in sources {
            let guid = text(&source["guid"]);
            let there = made.remove(&guid).unwrap_or_default();
            let (status, number) = (text(&source["status"]["guid"]), text(&source["number"]));
            let n: usize = guid.trim_start_matches("f-").parse().unwrap();
            let right = match fits(n) {
                true => there.len() == 1 && status == "s-3" && number == there[0],
                false => there.is_empty() && status == "s-0" && number.is_empty(),
            };
            if !right {
                wrong.push(format!("{guid}: status {status}, number {number}, in the ledger {there:?}"));
            }
        }
        wrong.extend(made.keys().map(|memo| format!("{memo} of the ledger belongs to no invoice")));
        wrong
    }

    /// Everything the ledger holds, in the same words.
    pub fn in_ledger(&self) -> Vec<(String, String)> {
        let mut found = Vec::new();
        let customers = self.ledger.list("/customers?page=1&size=500");
        for customer in &customers {
            let active = (customer["status"] == "Active").to_string();
            let values = [&customer["number"], &customer["vatNumber"], &json!(active)].map(text).join("|");
            found.push((format!("customer {}", text(&customer["name"])), values));
        }
        for address in self.ledger.list("/addresses?page=1&size=500") {
            let whose = customers.iter().find(|one| one["number"] == address["customer"]).unwrap();
            let values = [&address["street"], &address["city"]].map(text).join("|");
            found.push((format!("address of {}", text(&whose["name"])), values));
        }
        for item in self.ledger.list("/items?page=1&size=500") {
            found.push((format!("item {}", text(&item["number"])), text(&item["description"])));
        }
        for project in self.ledger.list("/projects?page=1&size=500") {
            let values = [&project["description"], &project["customer"]["number"]].map(text).join("|");
            found.push((format!("project {}", text(&project["number"])), values));
        }
        found.sort();
        found
    }
}

/// How many invoices travel.
pub const INVOICES: usize = 20;

/// Whether what the ledger works out fits the total of an invoice.
fn fits(n: usize) -> bool {
    n % 4 != 3
}

fn invoices() -> String {
    let mut all = String::new();
    for n in 0..INVOICES {
        let (sign, credit) = if n % 5 == 4 { ("-", true) } else { ("", false) };
        let total = if fits(n) { "125.00" } else { "126.00" };
        let _ = writeln!(
            all,
            "      - {{ guid: f-{n}, status.guid: s-2, credit: {credit}, customer.guid: c-1, date: \"2026-11-01\", currency: NOK, total: \"{sign}{total}\", rows: [ {{ guid: r-{n}, position: 1, item.guid: i-1, text: En, quantity: \"{sign}1\", price: \"100.00\" }} ] }}"
        );
    }
    let mut statuses = String::new();
    let flags = [
        ("false", "false", "false"),
        ("true", "false", "false"),
        ("true", "true", "false"),
        ("true", "true", "true"),
    ];
    for (n, flag) in [0, 0, 1, 2, 2, 3].into_iter().enumerate() {
        let (locked, numbered, paid) = flags[flag];
        let _ = writeln!(
            statuses,
            "      - {{ guid: s-{n}, name: Status {n}, position: {n}, active: true, locked: {locked}, numbered: {numbered}, paid: {paid} }}"
        );
    }
    format!(
        "sandbox: shop_documents\nnow: \"2026-11-02T08:00:00Z\"\nsystems:\n  shop:\n    customer: [ {{ guid: c-1, number: 1, name: Fjord AS, active: true }} ]\n    item: [ {{ guid: i-1, code: A-1, name: Bolt, active: true }} ]\n    invoice_status:\n{statuses}    invoice:\n{all}  ledger:\n    customer: [ {{ name: Fjord AS, status: Active }} ]\n"
    )
}

/// The names of all records that both sides must hold in the end, sorted.
pub fn expected() -> Vec<String> {
    let mut all = Vec::new();
    for name in customers() {
        all.push(format!("customer {name}"));
        all.push(format!("address of {name}"));
    }
    all.extend((1..=4).map(|n| format!("item A{n}")));
    all.extend((1..=4).map(|n| format!("project {n}")));
    all.sort();
    all
}

fn customers() -> impl Iterator<Item = String> {
    let named = |prefix: &'static str, count: usize| (1..=count).map(move |n| format!("{prefix} {n} AS"));
    named("Kunde", 10).chain(named("Buch", 5)).chain(named("Beide", 3))
}

fn records() -> String {
    let guid = |n: usize| format!("11111111-0000-4000-8000-{n:012}");
    let (mut shop, mut ledger) = (String::new(), String::new());
    for (n, name) in (1..).zip(customers()) {
        let address = format!("{{ street: Vei {n}, city: Oslo {n} }}");
        if !name.starts_with("Buch") {
            let id = guid(n);
            let _ = writeln!(
                shop,
                "      - {{ guid: \"{id}\", number: {n}, name: {name}, active: true, vatNumber: V{n}, mainAddress: {address} }}"
            );
        }
        if !name.starts_with("Kunde") {
            let _ = writeln!(
                ledger,
                "      - {{ name: {name}, status: Active, vatNumber: V{n}, invoiceAddress: {address} }}"
            );
        }
    }
    let (mut items, mut projects) = (String::new(), String::new());
    for n in 1..=4 {
        let whose = guid(n);
        let _ = writeln!(
            items,
            "      - {{ code: A{n}, name: Thing {n}, active: true, price: {{ amount: {n}.50 }} }}"
        );
        let _ = writeln!(
            projects,
            "      - {{ number: {n}, name: Work {n}, customer: {{ guid: \"{whose}\" }}, closed: false, starts: \"2026-01-01\" }}"
        );
    }
    format!(
        "sandbox: shop_ledger\nnow: \"2026-11-02T08:00:00Z\"\nsystems:\n  shop:\n    customer:\n{shop}    item:\n{items}    project:\n{projects}  ledger:\n    customer:\n{ledger}"
    )
}

/// A scalar as text; nothing as nothing.
pub fn text(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// Requests of the test's own, so that what is found does not rest on the engine's reading.
pub struct Http {
    address: String,
    headers: String,
}

impl Http {
    /// The ledger at this address.
    pub fn ledger(address: &str) -> Http {
        let headers = "x-api-key: sandbox-api-key\r\nx-company: sandbox-company\r\n".to_owned();
        Http { address: address.to_owned(), headers }
    }

    fn shop(address: &str) -> Http {
        let mut http = Http { address: address.to_owned(), headers: String::new() };
        let wanted = json!({
            "client_id": "sandbox-client-id",
            "client_secret": "sandbox-client-secret",
            "scope": "customers:write items:write",
        });
        let token = text(&http.send("POST", "/token", &wanted)["token"]);
        http.headers = format!("authorization: Bearer {token}\r\nclient-id: sandbox-client-id\r\n");
        http
    }

    /// All records of a list; it fits on one page.
    pub fn list(&self, path: &str) -> Vec<Value> {
        let body = self.send("GET", path, &Value::Null);
        body.get("records").unwrap_or(&body).as_array().cloned().unwrap_or_else(|| panic!("{path}: {body}"))
    }

    /// One request with a connection of its own; it must succeed.
    pub fn send(&self, method: &str, path: &str, body: &Value) -> Value {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let mut stream = TcpStream::connect(&self.address).unwrap();
        let request = format!(
            "{method} {path} HTTP/1.1\r\nhost: {}\r\nconnection: close\r\ncontent-type: application/json\r\ncontent-length: {}\r\n{}\r\n{body}",
            self.address,
            body.len(),
            self.headers
        );
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
        assert!(head.starts_with("HTTP/1.1 2"), "{method} {path}: {answer}");
        if body.is_empty() { Value::Null } else { serde_json::from_str(body).unwrap() }
    }
}
