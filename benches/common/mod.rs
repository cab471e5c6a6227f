//! What the benchmarks of whole runs share: two generated systems over loopback HTTP, and the files that describe them.

use std::fmt::Write as _;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// A system with one resource; `NAME` and `AT_ONCE` are filled in.
const SYSTEM: &str = r#"
system: NAME
title: NAME
base_url: https://NAME.example
credentials: { key: { type: secret, help: "none" } }
auth: { kind: header, headers: { X-Key: "{{ credentials.key }}" } }
limits: { concurrent: AT_ONCE }
pagers: { pages: { kind: page, page: { param: page, first: 0 }, size: { param: size, value: 500 } } }
resources:
  customer:
    path: /customers
    key: number
    pager: pages
    get: "{path}/{number}"
    create: { post: "{path}", id: number, record: $ }
    update: { put: "{path}/{number}", record: $ }
    fields:
      number:  { type: text, required: true }
      name:    { type: text, required: true }
      email:   text
      phone:   text
      vat:     text
      active:  bool
      limit:   { type: decimal, places: 2 }
      street:  text
      city:    text
      country: text
      note:    text
"#;

/// All of its fields, one way.
const MAPPING: &str = "
mapping: customers
title: Customers
systems: { source: source.yaml, target: target.yaml }
registers:
  customers:
    direction: source -> target
    source: { resource: customer }
    target: { resource: customer }
    match: [ number ]
    fields:
      - { source: number, target: number, key: true, required: true }
      - { source: name, target: name, required: true }
      - { source: email, target: email, compare: fold }
      - { source: phone, target: phone, compare: digits }
      - { source: vat, target: vat }
      - { source: active, target: active }
      - { source: limit, target: limit }
      - { source: street, target: street }
      - { source: city, target: city }
      - { source: country, target: country }
      - { source: note, target: note }
";

/// The n-th customer, the same whenever it is asked for.
pub fn record(n: u64) -> String {
    format!(
        r#"{{"number":"{n:09}","name":"Customer number {n} of a list AS","email":"post@{n}.example","phone":"+47 {n:08}","vat":"NO{n:09}MVA","active":{},"limit":{}.50,"street":"Storgata {n}","city":"Trondheim","country":"NO","note":"Delivers on weekdays before noon, ring at the back door; invoices go by email only."}}"#,
        !n.is_multiple_of(7),
        n % 9000
    )
}

/// Serves one system with so many records until the process ends. What is posted to it is counted, and stands at
/// the end of the list from then on. Every answer takes so long.
pub fn serve(held: Arc<AtomicU64>, latency: Duration) -> String {
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
    let address = listener.local_addr().expect("a bound address").to_string();
    std::thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            let held = Arc::clone(&held);
            std::thread::spawn(move || answer(&stream, &held, latency));
        }
    });
    address
}

/// Answers the requests of one connection.
fn answer(stream: &TcpStream, held: &AtomicU64, latency: Duration) -> Option<()> {
    stream.set_nodelay(true).ok()?;
    let mut reader = BufReader::new(stream);
    let mut writer = stream;
    loop {
        let mut first = String::new();
        if reader.read_line(&mut first).ok()? == 0 {
            return None;
        }
        let mut length = 0;
        loop {
            let mut line = String::new();
            reader.read_line(&mut line).ok()?;
            let line = line.trim_end().to_ascii_lowercase();
            if line.is_empty() {
                break;
            }
            if let Some(value) = line.strip_prefix("content-length:") {
                length = value.trim().parse().ok()?;
            }
        }
        let mut body = vec![0; length];
        reader.read_exact(&mut body).ok()?;
        if !latency.is_zero() {
            std::thread::sleep(latency);
        }
        let target = first.split(' ').nth(1)?;
        let (status, text) = if first.starts_with("POST") {
            held.fetch_add(1, Ordering::Relaxed);
            ("201 Created", String::from_utf8(body).ok()?)
        } else {
            let number = |name: &str| {
                let found = target.split(['?', '&']).find_map(|part| part.strip_prefix(name));
                found.and_then(|text| text.parse::<u64>().ok()).unwrap_or(0)
            };
            let (from, size) = (number("page=") * number("size="), number("size="));
            let mut text = String::from("[");
            for n in from..held.load(Ordering::Relaxed).min(from + size) {
                let _ = write!(text, "{}{}", if n == from { "" } else { "," }, record(n));
            }
            text.push(']');
            ("200 OK", text)
        };
        let head = format!(
            "HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
            text.len()
        );
        writer.write_all(&[head.as_bytes(), text.as_bytes()].concat()).ok()?;
    }
}

/// Writes the two system files, the mapping and a connection with a state on disk.
pub fn describe(folder: &Path, source: &str, target: &str, at_once: u32) {
    let write = |name: &str, text: &str| std::fs::write(folder.join(name), text).expect("a new file");
    for name in ["source", "target"] {
        let system = SYSTEM.replace("NAME", name).replace("AT_ONCE", &at_once.to_string());
        write(&format!("{name}.yaml"), &system);
    }
    write("customers.yaml", MAPPING);
    write(
        "connection.yaml",
        &format!(
            "connection: bench\nsystems:\n  source: {{ base_url: \"http://{source}\", credentials: {{ key: a }} }}\n  target: {{ base_url: \"http://{target}\", credentials: {{ key: a }} }}\nstate: sqlite:state.db\n"
        ),
    );
}

/// A run of these files by the real binary, or by the one that `MAPENGINE` names; what it prints goes to `out.txt`.
pub fn command(folder: &Path) -> Command {
    let binary: PathBuf =
        std::env::var_os("MAPENGINE").map_or_else(|| env!("CARGO_BIN_EXE_mapengine").into(), PathBuf::from);
    let mut command = Command::new(std::path::absolute(binary).expect("a path"));
    command
        .args(["run", "customers.yaml", "--connection", "connection.yaml", "--release-brakes"])
        .current_dir(folder)
        .stdin(Stdio::null())
        .stdout(std::fs::File::create(folder.join("out.txt")).expect("a new file"));
    command
}
