//! The real binary is killed with SIGKILL at many points of a run against served systems, then run until quiet:
//! nothing is made twice, nothing is lost, no edit is forgotten.
//!
//! Points are moments (the kill falls anywhere) and, where `strace` can be used, the k-th write to the state, fsync,
//! request or answer of a thread. `MAPENGINE_KILLS` says how many points each test has – `all`: every such call of the
//! run –, `MAPENGINE` which binary is killed. A naive writer goes through the same kills at the end: the check that finds nothing wrong with the engine
//! must find its twins and its losses.
#![cfg(unix)]

mod company;
mod power;

use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use company::{Company, Http, SETTLE, expected, text};
use serde_json::{Value, json};

/// The system calls at which something happens that a crash can fall before or after: a page or a barrier of the
/// state, the file beside it, a request, an answer.
const CALLS: [&str; 8] =
    ["fsync", "fdatasync", "pwrite64", "write", "rename", "writev", "sendto", "recvfrom"];

/// Where a process is killed.
#[derive(Clone, Debug)]
enum Point {
    /// So long after its start.
    After(Duration),
    /// When a thread of it enters this system call for the n-th time.
    At(&'static str, u32),
}

/// A small repeatable source of choices: the same point is the same in every run of the test.
fn choice(seed: usize, below: u64) -> u64 {
    let mut x = (seed as u64 + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    x ^= x >> 29;
    x = x.wrapping_mul(0xBF58_476D_1CE4_E5B9);
    (x ^ (x >> 32)) % below
}

/// How many points each test has; none: as many as there are calls.
fn points() -> Option<usize> {
    let Ok(text) = std::env::var("MAPENGINE_KILLS") else { return Some(6) };
    (text != "all").then(|| text.parse().expect("MAPENGINE_KILLS is a number, or `all`"))
}

/// Every call of a run.
fn every(most: &BTreeMap<&'static str, u32>) -> Vec<(&'static str, u32)> {
    most.iter().flat_map(|(call, most)| (1..=*most).map(move |nth| (*call, nth))).collect()
}

/// How many points there are, and the n-th of them: a share of them, or every call.
fn chosen(took: Duration, most: &BTreeMap<&'static str, u32>) -> (usize, impl Fn(usize) -> Point) {
    let (every, most, all) = (every(most), most.clone(), points().is_none());
    let count = points().unwrap_or(every.len());
    (count, move |n| if all { Point::At(every[n].0, every[n].1) } else { point(n, count, took, &most) })
}

/// The command under strace, where that is there and may trace.
fn strace(flags: &[&str], command: &Command) -> Command {
    let mut traced = Command::new("strace");
    traced.arg("-f").args(flags).arg(command.get_program()).args(command.get_args());
    for (name, value) in command.get_envs() {
        traced.env(name, value.unwrap_or_default());
    }
    traced
}

fn can_trace() -> bool {
    let mut command = Command::new("strace");
    command.args(["-o", "/dev/null", "true"]).stdout(Stdio::null()).stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}

/// Starts a command and takes the power away where a thread of it makes a call for the n-th time. Answers whether that happened before
/// the end, and how many writes did not arrive on the disk.
fn lose_power(company: &Company, command: &Command, call: &str, nth: u32, seed: usize) -> (bool, usize) {
    use std::os::unix::process::ExitStatusExt;
    let mut disk = power::Disk::of(&company.state());
    let log = company.file("trace.txt");
    let inject = format!("inject={call}:signal=SIGKILL:when={nth}");
    let trace = format!("trace={},{call}", power::CALLS);
    let flags = ["-xx", "-y", "-s", "10000000", "-o", log.to_str().unwrap(), "-e", &trace, "-e", &inject];
    let command = strace(&flags, command);
    let status = company.prepared(command).stdout(Stdio::null()).stderr(Stdio::null()).status().unwrap();
    for line in std::fs::read_to_string(&log).unwrap().lines() {
        disk.take(line);
    }
    let mut n = seed * 1000;
    let lost = disk.lose_power(|| {
        n += 1;
        choice(n, 2) == 0
    });
    (status.signal().is_some() || status.code() == Some(128 + 9), lost)
}

/// Starts a command and kills it at a point. Answers whether it was killed before it ended.
fn kill(company: &Company, command: Command, point: &Point) -> bool {
    use std::os::unix::process::ExitStatusExt;
    match point {
        Point::After(delay) => {
            let mut child =
                company.prepared(command).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
            std::thread::sleep(*delay);
            // this is SIGKILL
            child.kill().unwrap();
            child.wait().unwrap().signal().is_some()
        }
        Point::At(call, nth) => {
            let inject = format!("inject={call}:signal=SIGKILL:when={nth}");
            let trace = format!("trace={call}");
            let command = strace(&["-o", "/dev/null", "-e", &trace, "-e", &inject], &command);
            let status =
                company.prepared(command).stdout(Stdio::null()).stderr(Stdio::null()).status().unwrap();
            // strace ends as the traced process did
            status.signal().is_some() || status.code() == Some(128 + 9)
        }
    }
}

/// How long an undisturbed command takes, and how many of each call its busiest thread makes.
fn measure(
    start: &dyn Fn() -> Company,
    make: &dyn Fn(&Company) -> Command,
    begin: &dyn Fn(&Company),
) -> (Duration, BTreeMap<&'static str, u32>) {
    let company = start();
    begin(&company);
    let command = make(&company);
    let started = Instant::now();
    came_to_its_end(&company, command);
    let took = started.elapsed();
    let mut most = BTreeMap::new();
    if can_trace() {
        let company = start();
        begin(&company);
        let log = company.file("trace.txt");
        let trace = format!("trace={}", CALLS.join(","));
        let command = strace(&["-o", log.to_str().unwrap(), "-e", &trace], &make(&company));
        came_to_its_end(&company, command);
        let mut counts: BTreeMap<(String, &str), u32> = BTreeMap::new();
        for line in std::fs::read_to_string(&log).unwrap().lines() {
            let (thread, rest) = line.split_once(' ').unwrap_or_default();
            let called = CALLS.into_iter().find(|call| rest.trim_start().starts_with(&format!("{call}(")));
            if let Some(call) = called {
                *counts.entry((thread.to_owned(), call)).or_default() += 1;
            }
        }
        for ((_, call), count) in counts {
            let largest = most.entry(call).or_default();
            *largest = count.max(*largest);
        }
    }
    (took, most)
}

/// A run may end with records that need a person (exit code 3).
fn came_to_its_end(company: &Company, command: Command) {
    let output = company.prepared(command).output().unwrap();
    assert!(matches!(output.status.code(), Some(0 | 3)), "{}", String::from_utf8_lossy(&output.stderr));
}

/// The n-th of `count` points: every second one is a moment, the others go through the calls.
fn point(n: usize, count: usize, took: Duration, most: &BTreeMap<&'static str, u32>) -> Point {
    let calls: Vec<(&str, u32)> =
        CALLS.iter().filter_map(|call| most.get_key_value(call)).map(|(c, n)| (*c, *n)).collect();
    if n.is_multiple_of(2) || calls.is_empty() {
        // the first tenth of a run reads its mapping
        let permille = 100 + choice(n, 900);
        return Point::After(took * u32::try_from(permille).unwrap() / 1000);
    }
    let (call, most) = calls[(n / 2) % calls.len()];
    // the points of one call are spread over the run
    let step = (n / 2 / calls.len()) as u64;
    let steps = (count / 2 / calls.len()).max(1) as u64;
    let low = u64::from(most) * step.min(steps - 1) / steps;
    let nth = low + choice(n, (u64::from(most) / steps).max(1)) + 1;
    let call = CALLS.into_iter().find(|one| *one == call).unwrap();
    Point::At(call, u32::try_from(nth).unwrap())
}

/// Works on every point with as many threads as there are cores. Answers how
/// many were killed, and what was wrong.
fn at_every_point(
    count: usize,
    work: impl Fn(usize) -> (bool, Result<(), String>) + Sync,
) -> (usize, Vec<String>) {
    let (next, killed) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let wrong = std::sync::Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(2, usize::from) {
            scope.spawn(|| {
                loop {
                    let n = next.fetch_add(1, Ordering::Relaxed);
                    if n >= count {
                        return;
                    }
                    let (was_killed, outcome) = work(n);
                    killed.fetch_add(usize::from(was_killed), Ordering::Relaxed);
                    if let Err(problem) = outcome {
                        wrong.lock().unwrap().push(problem);
                    }
                }
            });
        }
    });
    (killed.into_inner(), wrong.into_inner().unwrap())
}

/// Runs until a run writes nothing and nothing is in doubt.
///
/// Every run reads everything: the shop's addresses do not touch their customer, so a delta does not see them.
fn until_quiet(company: &Company) -> Result<(), String> {
    let mut last = Value::Null;
    for _ in 0..10 {
        last = company.run(&["--full"]);
        let none = |list: &str| last[list].as_array().is_some_and(Vec::is_empty);
        if last["writes"] == 0 && none("in_doubt") && none("set_aside") && none("waiting") && none("refused")
        {
            let further = company.run(&[]);
            return if further["writes"] == 0 {
                Ok(())
            } else {
                Err(format!("a further run writes: {}", short(&further)))
            };
        }
        if !none("in_doubt") {
            std::thread::sleep(SETTLE);
        }
    }
    Err(format!("it does not come to rest: {}", short(&last)))
}

/// The part of a report that says what is wrong.
fn short(report: &Value) -> String {
    let lists = ["failed", "said", "refused", "set_aside", "waiting", "in_doubt", "writes"];
    let text = lists.map(|list| format!("{list} {}", report[list])).join(", ");
    text.chars().take(600).collect()
}

/// What is there twice, and what is not there at all.
fn twins_and_losses(found: &[String], expected: &[String]) -> (Vec<String>, Vec<String>) {
    let twins = found.windows(2).filter(|two| two[0] == two[1]).map(|two| two[0].clone()).collect();
    let lost = expected.iter().filter(|one| !found.contains(one)).cloned().collect();
    (twins, lost)
}

/// Both sides hold every record once, with the same values, and every new text.
fn verify(company: &Company, texts: &[String]) -> Result<(), String> {
    let (shop, ledger) = (company.in_shop(), company.in_ledger());
    for (side, found) in [("shop", &shop), ("ledger", &ledger)] {
        let names: Vec<String> = found.iter().map(|(name, _)| name.clone()).collect();
        let (twins, lost) = twins_and_losses(&names, &expected());
        if !twins.is_empty() || !lost.is_empty() || names.len() != expected().len() {
            return Err(format!("{side}: twice {twins:?}, lost {lost:?} of {}", names.len()));
        }
        let arrived =
            |text: &&String| found.iter().any(|(_, values)| values.split('|').any(|one| one == *text));
        let missing: Vec<&String> = texts.iter().filter(|text| !arrived(text)).collect();
        if !missing.is_empty() {
            return Err(format!("{side}: these edits are not there: {missing:?}"));
        }
    }
    let differ: Vec<_> = shop.iter().zip(&ledger).filter(|(a, b)| a != b).collect();
    if differ.is_empty() { Ok(()) } else { Err(format!("the sides differ: {differ:?}")) }
}

/// Kills runs of the engine at every point; every third point kills the run after it, too.
fn survives(
    start: impl Fn() -> Company + Sync,
    begin: impl Fn(&Company) -> Vec<String> + Sync,
    verify: impl Fn(&Company, &[String]) -> Result<(), String> + Sync,
) {
    let (took, most) = measure(&start, &|company| company.command(), &|company| {
        begin(company);
    });
    let (count, point) = chosen(took, &most);
    let (killed, wrong) = at_every_point(count, |n| {
        let point = point(n);
        let company = start();
        let texts = begin(&company);
        let killed = kill(&company, company.command(), &point);
        let mut again = None;
        if n % 3 == 0 {
            std::thread::sleep(SETTLE);
            let second = Point::After(took * u32::try_from(choice(n + count, 1000)).unwrap() / 1000);
            kill(&company, company.command(), &second);
            again = Some(second);
        }
        let outcome = until_quiet(&company).and_then(|()| verify(&company, &texts));
        (killed, outcome.map_err(|problem| format!("killed {point:?}, then {again:?}: {problem}")))
    });
    println!("{killed} of {count} runs were killed (an undisturbed one takes {took:?}; calls {most:?})");
    assert!(wrong.is_empty(), "{} of {count}:\n{}", wrong.len(), wrong.join("\n"));
    assert!(
        killed * 2 > count,
        "only {killed} of {count} runs were killed before their end: this proves little"
    );
}

/// The first run makes everything there is.
#[test]
fn a_killed_first_run_makes_nothing_twice_and_loses_nothing() {
    survives(Company::start, |_| Vec::new(), verify);
}

/// Both sides are equal, then people edit on both; the run that carries their edits is killed.
#[test]
fn a_killed_run_forgets_no_edit() {
    let begin = |company: &Company| {
        let first = company.run(&[]);
        assert!(first["writes"].as_u64().is_some_and(|writes| writes > 0), "{first}");
        company.edit()
    };
    survives(Company::start, begin, verify);
}

/// Twenty invoices, five of which do not fit and are taken back: made, checked, written back, each exactly once.
#[test]
fn a_killed_transfer_makes_each_invoice_exactly_once() {
    survives(
        Company::with_invoices,
        |_| Vec::new(),
        |company, _| {
            let wrong = company.wrong_invoices();
            if wrong.is_empty() { Ok(()) } else { Err(wrong.join("; ")) }
        },
    );
}

/// The power goes at a write or a barrier of the state, a request or an answer: of what no barrier followed, any part is on the disk.
#[test]
fn a_transfer_without_power_makes_each_invoice_exactly_once() {
    if !can_trace() {
        println!("skipped: strace is not here");
        return;
    }
    let (_, most) = measure(&Company::with_invoices, &|company| company.command(), &|_| {});
    let (every, all) = (every(&most), points().is_none());
    let calls: Vec<(&str, u32)> = most.into_iter().collect();
    let count = points().unwrap_or(every.len());
    let lost = AtomicUsize::new(0);
    let (killed, wrong) = at_every_point(count, |n| {
        let (call, most) = calls[n % calls.len()];
        let sampled = (call, u32::try_from(1 + choice(n, u64::from(most))).unwrap());
        let (call, nth) = if all { every[n] } else { sampled };
        let company = Company::with_invoices();
        let command = company.command();
        let (killed, writes) = lose_power(&company, &command, call, nth, n);
        lost.fetch_add(usize::from(writes > 0), Ordering::Relaxed);
        let outcome = until_quiet(&company).and_then(|()| {
            let wrong = company.wrong_invoices();
            if wrong.is_empty() { Ok(()) } else { Err(wrong.join("; ")) }
        });
        (killed, outcome.map_err(|problem| format!("no power at {call} {nth}: {problem}")))
    });
    let lost = lost.into_inner();
    println!("the power went in {killed} of {count} runs, in {lost} of them with writes that did not arrive");
    assert!(wrong.is_empty(), "{} of {count}:\n{}", wrong.len(), wrong.join("\n"));
    assert!(killed * 2 > count, "in only {killed} of {count} runs: this proves little");
    assert!(lost > 0, "no write was lost: this proves nothing");
}

/// Programs without a journal, killed in the same way: one notes a record after its request, one before it.
#[test]
fn the_check_sees_the_twins_and_losses_of_naive_writers() {
    if let Ok(kind) = std::env::var("NAIVE_WRITER") {
        return naive_writer(&kind);
    }
    let wanted: Vec<String> =
        expected().into_iter().filter(|name| name.starts_with("customer Kunde")).collect();
    let mut found = BTreeMap::new();
    for kind in ["after", "before"] {
        let command = |company: &Company| {
            let mut command = Command::new(std::env::current_exe().unwrap());
            command
                .args(["--exact", "the_check_sees_the_twins_and_losses_of_naive_writers"])
                .env("NAIVE_WRITER", kind)
                .env("NAIVE_LEDGER", company.ledger())
                .env("NAIVE_NOTES", company.file("notes.txt"));
            command
        };
        let (took, most) = measure(&Company::start, &command, &|_| {});
        let count = points().unwrap_or(24).min(24);
        let (_, wrong) = at_every_point(count, |n| {
            let company = Company::start();
            let killed = kill(&company, command(&company), &point(n, count, took, &most));
            assert!(company.prepared(command(&company)).output().unwrap().status.success());
            let names = company.in_ledger().into_iter().map(|(name, _)| name);
            let names: Vec<String> = names.filter(|name| name.starts_with("customer Kunde")).collect();
            let (twins, lost) = twins_and_losses(&names, &wanted);
            let right = twins.is_empty() && lost.is_empty();
            (killed, if right { Ok(()) } else { Err(format!("{} twins, {} lost", twins.len(), lost.len())) })
        });
        println!(
            "a naive writer that notes {kind} the request: {} of {count} kills went wrong: {wrong:?}",
            wrong.len()
        );
        found.insert(kind, wrong);
    }
    assert!(found["after"].iter().any(|wrong| wrong.contains("1 twins, 0 lost")), "{found:?}");
    assert!(found["before"].iter().any(|wrong| wrong.contains("0 twins, 1 lost")), "{found:?}");
}

/// Makes ten customers in the ledger, and notes each in a file so as not to make it again.
fn naive_writer(kind: &str) {
    let notes = std::env::var("NAIVE_NOTES").unwrap();
    let notes = Path::new(&notes);
    let ledger = Http::ledger(&std::env::var("NAIVE_LEDGER").unwrap());
    let mut done: Vec<String> =
        std::fs::read_to_string(notes).unwrap_or_default().lines().map(str::to_owned).collect();
    for n in 1..=10 {
        let name = format!("Kunde {n} AS");
        if done.contains(&name) {
            continue;
        }
        done.push(name.clone());
        let note = || {
            let file = std::fs::File::create(notes).unwrap();
            std::io::Write::write_all(&mut &file, done.join("\n").as_bytes()).unwrap();
            file.sync_all().unwrap();
        };
        if kind == "before" {
            note();
        }
        ledger.send("POST", "/customers", &json!({ "name": { "value": text(&json!(name)) } }));
        if kind == "after" {
            note();
        }
    }
}
