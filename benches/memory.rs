//! Peak memory of whole runs of the real binary, as a ratio between list lengths: it must not grow with the list.
//!
//! Two generated systems are served over loopback HTTP, page by page; neither side of it is ever held in memory.
//! The first run links 99 % of the records and makes the rest, the second finds all of them unchanged. Each run is
//! a process of its own with an SQLite file on disk.
//!
//! `cargo bench --bench memory` takes 10,000 and 100,000 records; `-- --records 1000000` (may be repeated) others.
//! `MAPENGINE` names another binary.

use std::fmt::Write as _;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

const SYSTEM: &str = r#"
system: NAME
title: NAME
base_url: https://NAME.example
credentials: { key: { type: secret, help: "none" } }
auth: { kind: header, headers: { X-Key: "{{ credentials.key }}" } }
limits: { concurrent: 32 }
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

const MAPPING: &str = "
mapping: memory
title: Memory
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
fn record(n: u64) -> String {
    format!(
        r#"{{"number":"{n:09}","name":"Customer number {n} of a list AS","email":"post@{n}.example","phone":"+47 {n:08}","vat":"NO{n:09}MVA","active":{},"limit":{}.50,"street":"Storgata {n}","city":"Trondheim","country":"NO","note":"Delivers on weekdays before noon, ring at the back door; invoices go by email only."}}"#,
        !n.is_multiple_of(7),
        n % 9000
    )
}

/// Serves one system with so many records until the process ends. What is posted to it is counted, and stands at
/// the end of the list from then on.
fn serve(held: Arc<AtomicU64>) -> String {
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
    let address = listener.local_addr().expect("a bound address").to_string();
    std::thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            let held = Arc::clone(&held);
            std::thread::spawn(move || answer(&stream, &held));
        }
    });
    address
}

/// Answers the requests of one connection.
fn answer(stream: &TcpStream, held: &AtomicU64) -> Option<()> {
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

/// One run in a process of its own: its peak memory in KiB, its time, and the end of what it printed.
fn run(folder: &Path) -> (u64, Duration, String) {
    let binary: PathBuf =
        std::env::var_os("MAPENGINE").map_or_else(|| env!("CARGO_BIN_EXE_mapengine").into(), PathBuf::from);
    let started = Instant::now();
    let mut child = Command::new(std::path::absolute(binary).expect("a path"))
        .args(["run", "memory.yaml", "--connection", "connection.yaml", "--release-brakes"])
        .current_dir(folder)
        .stdin(Stdio::null())
        .stdout(std::fs::File::create(folder.join("out.txt")).expect("a new file"))
        .spawn()
        .expect("the binary runs");
    let status = format!("/proc/{}/status", child.id());
    let mut peak = 0;
    let ended = loop {
        // the mark only rises: the last look before the end misses a few milliseconds of it
        let text = std::fs::read_to_string(&status).unwrap_or_default();
        let mark = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let mark = mark.and_then(|text| text.trim().trim_end_matches(" kB").parse().ok());
        peak = mark.map_or(peak, |mark: u64| mark.max(peak));
        if let Some(ended) = child.try_wait().expect("the child can be waited for") {
            break ended;
        }
        std::thread::sleep(Duration::from_millis(5));
    };
    let took = started.elapsed();
    let said = std::fs::read_to_string(folder.join("out.txt")).unwrap_or_default();
    assert!(ended.success(), "{ended}: {said}");
    (peak, took, said.lines().last().unwrap_or_default().to_owned())
}

fn main() {
    let mut arguments = std::env::args().skip(1);
    let mut counts = Vec::new();
    while let Some(argument) = arguments.next() {
        if argument == "--records" {
            counts.push(arguments.next().and_then(|text| text.parse().ok()).expect("--records NUMBER"));
        }
    }
    if counts.is_empty() {
        counts = vec![10_000, 100_000];
    }
    if !Path::new("/proc/self/status").exists() {
        println!("peak memory is read from /proc, which is not here");
        return;
    }
    let mut smallest: Option<[u64; 2]> = None;
    println!("   records  run  peak MiB   ratio      time  end of the report");
    for count in counts {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let source = serve(Arc::new(AtomicU64::new(count)));
        let target = serve(Arc::new(AtomicU64::new(count - count / 100)));
        for name in ["source", "target"] {
            std::fs::write(folder.path().join(format!("{name}.yaml")), SYSTEM.replace("NAME", name))
                .expect("a new file");
        }
        std::fs::write(folder.path().join("memory.yaml"), MAPPING).expect("a new file");
        let connection = format!(
            "connection: memory\nsystems:\n  source: {{ base_url: \"http://{source}\", credentials: {{ key: a }} }}\n  target: {{ base_url: \"http://{target}\", credentials: {{ key: a }} }}\nstate: sqlite:state.db\n"
        );
        std::fs::write(folder.path().join("connection.yaml"), connection).expect("a new file");
        let runs = [run(folder.path()), run(folder.path())];
        let first = *smallest.get_or_insert([runs[0].0, runs[1].0]);
        for (i, (peak, took, said)) in runs.into_iter().enumerate() {
            println!(
                "{count:>10}  {:>3}  {:>8.1}  {:>6.2}  {:>7.1} s  {said}",
                i + 1,
                peak as f64 / 1024.0,
                peak as f64 / first[i] as f64,
                took.as_secs_f64()
            );
        }
    }
}
