//! What the engine's tests share: stand-ins of the invented systems, and runs over them.
#![allow(dead_code)]

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::path::Path;
use std::rc::Rc;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use mapengine::case::{Harness, QuickClock};
use mapengine::diagnostic::{Diagnostics, Format, Sources, render};
use mapengine::program::mapping::Program;
use mapengine::program::mapping_compile::Answers;
use mapengine::program::open::Opened;
use mapengine::run::{Counts, Options, Report, RunError};
use mapengine::sandbox::{Company, Stand};
use mapengine::spec::load::load_sandbox;
use mapengine::store::{Handle, Mode};
use mapengine::value::{Both, Side, Value};

const COUNTRIES: &str = "
    country: [ { name: Norway, code: \"NO\" }, { name: Finland, code: FI } ]
";

/// The invoice statuses of the invented shop, as the flows of its mappings want them.
pub const STATUSES: &str = r#"
    invoice_status:
      - { guid: s-0, name: Failed, position: 1, active: true, locked: false, numbered: false, paid: false }
      - { guid: s-1, name: Draft, position: 2, active: true, locked: false, numbered: false, paid: false }
      - { guid: s-2, name: Ready, position: 3, active: true, locked: true, numbered: false, paid: false }
      - { guid: s-3, name: Transferred, position: 4, active: true, locked: true, numbered: true, paid: false }
      - { guid: s-4, name: Part paid, position: 5, active: true, locked: true, numbered: true, paid: false }
      - { guid: s-5, name: Paid, position: 6, active: true, locked: true, numbered: true, paid: true }
"#;

/// A harness over the invented systems with these records, given as YAML of a sandbox file's two sides.
pub fn harness(shop: &str, ledger: &str) -> Harness {
    harness_of("shop_ledger", shop, ledger)
}

/// The same for one of the mappings of `tests/mappings`.
pub fn harness_of(mapping: &str, shop: &str, ledger: &str) -> Harness {
    timed_harness_of(mapping, shop, ledger).0
}

/// The same mapping as [`harness`] with another file for the ledger: the mapping does not know what the ledger speaks.
pub fn harness_with(ledger_file: &str, shop: &str, ledger: &str) -> Harness {
    let mapping = std::fs::read_to_string("tests/mappings/shop_ledger.yaml").unwrap();
    let systems = std::env::current_dir().unwrap().join("tests/systems");
    let systems = systems.to_str().unwrap();
    let mapping = mapping
        .replace("../systems/ledger.yaml", &format!("{systems}/{ledger_file}"))
        .replace("../systems/shop.yaml", &format!("{systems}/shop.yaml"));
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("shop_ledger.yaml");
    std::fs::write(&path, mapping).unwrap();
    with_program(compiled(&path), "shop_ledger", shop, ledger).0
}

/// A mapping of `tests/mappings`, compiled once for all tests of a file.
fn program_of(mapping: &str) -> Arc<Program> {
    static COMPILED: Mutex<BTreeMap<String, Arc<Program>>> = Mutex::new(BTreeMap::new());
    let mut compiled = COMPILED.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    if let Some(program) = compiled.get(mapping) {
        return Arc::clone(program);
    }
    let program = self::compiled(Path::new(&format!("tests/mappings/{mapping}.yaml")));
    compiled.insert(mapping.to_owned(), Arc::clone(&program));
    program
}

pub fn compiled(path: &Path) -> Arc<Program> {
    let mut sources = Sources::new();
    let mut found = Diagnostics::new();
    let opened = Opened::read(path, &mut sources, &mut found);
    let program = opened.and_then(|opened| opened.program(&Answers::Sandbox, &sources, &mut found));
    let Some(program) = program else {
        panic!("{}", render(&found, &sources, Format::Human { color: false }));
    };
    Arc::new(program)
}

/// The same with its clock.
pub fn timed_harness_of(mapping: &str, shop: &str, ledger: &str) -> (Harness, Rc<QuickClock>) {
    with_program(program_of(mapping), mapping, shop, ledger)
}

fn with_program(program: Arc<Program>, mapping: &str, shop: &str, ledger: &str) -> (Harness, Rc<QuickClock>) {
    let (company, clock) = company_of(
        &program,
        &format!(
            "sandbox: {mapping}\nnow: \"2026-11-02T08:00:00Z\"\nsystems:\n  shop:{COUNTRIES}{shop}\n  ledger:\n    country: [ {{ id: \"1\", iso: \"NO\" }}, {{ id: \"2\", iso: FI }} ]\n{ledger}\n"
        ),
    );
    (harness_over(program, company, Handle::open(Path::new(""), Mode::InMemory).unwrap(), &clock), clock)
}

/// A company of a mapping of `tests/mappings` with the records of a whole sandbox file.
pub fn company(mapping: &str, yaml: &str) -> (Company, Rc<QuickClock>) {
    company_of(&program_of(mapping), yaml)
}

/// Runs over a company with a state of one's own.
pub fn harness_with_state(mapping: &str, company: Company, store: Handle, clock: &Rc<QuickClock>) -> Harness {
    harness_over(program_of(mapping), company, store, clock)
}

fn harness_over(program: Arc<Program>, company: Company, store: Handle, clock: &Rc<QuickClock>) -> Harness {
    let time: Rc<dyn mapengine::clock::Clock> = Rc::<QuickClock>::clone(clock);
    let mut harness = Harness::new(program, company, store, time);
    harness.settle_after = Some(Duration::ZERO);
    harness
}

fn company_of(program: &Arc<Program>, yaml: &str) -> (Company, Rc<QuickClock>) {
    let mut sources = Sources::new();
    let mut found = Diagnostics::new();
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("data.yaml");
    std::fs::write(&path, yaml).unwrap();
    let data = load_sandbox(&mut sources, &path, &mut found)
        .unwrap_or_else(|| panic!("{}", render(&found, &sources, Format::Human { color: false })));
    let names = Both { left: program.sides.left.name.clone(), right: program.sides.right.name.clone() };
    let systems =
        Both { left: Arc::clone(&program.sides.left.system), right: Arc::clone(&program.sides.right.system) };
    let company = Company::new(names, &systems, &data).unwrap_or_else(|error| panic!("{error}"));
    (company, Rc::new(QuickClock::new(1_793_606_400_000)))
}

/// Faults of a write that a run must survive.
pub const FAULTS: &[&str] = &[
    "timeout_after_commit",
    "timeout_before",
    "close_before",
    "close_after",
    "refused",
    "cut_body",
    "html",
    "empty",
    "too_many",
    "unavailable",
    "error_before",
    "error_after",
    "gateway_after",
    "expired_token",
];

/// A small repeatable source of choices (an xorshift; the same seed gives the same story).
pub struct Choices(u64);

impl Choices {
    pub fn new(seed: u64) -> Choices {
        Choices(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    pub fn next(&mut self, below: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % below as u64).unwrap()
    }
}

/// One run that must come to its end.
pub fn run(harness: &mut Harness) -> Report {
    try_run(harness).unwrap_or_else(|(error, report)| panic!("{error}\n{report:#?}"))
}

/// One run, whatever becomes of it.
pub fn try_run(harness: &mut Harness) -> Result<Report, (RunError, Box<Report>)> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    runtime.block_on(harness.run(Options::default()))
}

/// One run that reads everything, as the daily sweep does.
pub fn sweep(harness: &mut Harness) -> Result<Report, (RunError, Box<Report>)> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    runtime.block_on(harness.run(Options { full: true, ..Options::default() }))
}

/// The run is cut off after so many requests to one side, as by a kill: whatever is under way is dropped.
pub fn kill_after(harness: &mut Harness, side: Side, requests: usize) {
    pause_after(harness, side, requests, || Then::Kill);
}

/// What becomes of a run that was stopped where it stands.
pub enum Then {
    /// It is dropped: no code of it runs any more.
    Kill,
    /// It goes on, to its end.
    GoOn,
}

/// Stops a run where it stands after so many requests to one side, and does something meanwhile.
pub fn pause_after(harness: &mut Harness, side: Side, requests: usize, meanwhile: impl FnOnce() -> Then) {
    pause(harness, Options::default(), side, requests, meanwhile);
}

/// The same of a run that reads everything.
pub fn pause_sweep_after(
    harness: &mut Harness,
    side: Side,
    requests: usize,
    meanwhile: impl FnOnce() -> Then,
) {
    pause(harness, Options { full: true, ..Options::default() }, side, requests, meanwhile);
}

fn pause(
    harness: &mut Harness,
    options: Options,
    side: Side,
    requests: usize,
    meanwhile: impl FnOnce() -> Then,
) {
    let stand = Rc::clone(&harness.company.stands[side]);
    let seen = move || {
        let stand = stand.borrow();
        stand.log().len() + usize::try_from(stand.reads()).unwrap()
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    let before = seen();
    runtime.block_on(async {
        let run = harness.run(options);
        // looked at whenever the run has something to go on with, which is before each of its requests
        let watch = std::future::poll_fn(|_| match seen() < before + requests {
            true => std::task::Poll::Pending,
            false => std::task::Poll::Ready(()),
        });
        tokio::pin!(run);
        tokio::pin!(watch);
        tokio::select! {
            biased;
            () = &mut watch => if let Then::GoOn = meanwhile() { let _ = run.await; },
            _ = &mut run => {}
        }
    });
}

pub fn counts(report: &Report, register: &str) -> Counts {
    report.registers[register]
}

pub fn edit(harness: &Harness, side: Side, resource: &str, of: &[(&str, Value)], set: &[(&str, Value)]) {
    edit_at(&harness.company.stands[side], resource, of, set);
}

/// The same where the harness is busy.
pub fn edit_at(stand: &RefCell<Stand>, resource: &str, of: &[(&str, Value)], set: &[(&str, Value)]) {
    let mut stand = stand.borrow_mut();
    let of = of.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
    let set = set.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
    let found = stand.system().resources[resource].clone();
    let ids = stand.find(&found, &of);
    assert_eq!(ids.len(), 1, "{resource} {of:?}");
    stand.edit(&found, &ids[0], &set).unwrap();
}

pub fn record(harness: &Harness, side: Side, resource: &str, field: &str, value: &str) -> Value {
    let stand = harness.company.stands[side].borrow();
    let mut hits: Vec<Value> = stand
        .records(resource)
        .into_iter()
        .filter(|record| record.get(field) == Some(&Value::text(value)))
        .collect();
    assert_eq!(hits.len(), 1, "{resource} with {field} {value}: {hits:?}");
    hits.remove(0)
}

/// The mapping of [`harness`] with other words in it and in its systems: file, what stands there, what stands there instead.
pub fn edited_harness(edits: &[(&str, &str, &str)], shop: &str, ledger: &str) -> Harness {
    with_program(edited_program("shop_ledger", edits), "shop_ledger", shop, ledger).0
}

/// A mapping of `tests/mappings` with other words in it and in its systems.
pub fn edited_program(mapping: &str, edits: &[(&str, &str, &str)]) -> Arc<Program> {
    let dir = tempfile::tempdir().unwrap();
    let mapping = format!("mappings/{mapping}.yaml");
    for name in [&*mapping, "systems/shop.yaml", "systems/ledger.yaml"] {
        let mut text = std::fs::read_to_string(Path::new("tests").join(name)).unwrap();
        for (_, was, now) in edits.iter().filter(|(file, ..)| name.ends_with(file)) {
            assert!(text.contains(was), "{name} has no {was}");
            text = text.replace(was, now);
        }
        let path = dir.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    compiled(&dir.path().join(mapping))
}

/// Removes the one record that has this value, as a person would.
pub fn remove(harness: &Harness, side: Side, resource: &str, field: &str, value: &str) {
    let mut stand = harness.company.stands[side].borrow_mut();
    let found = stand.system().resources[resource].clone();
    let ids = stand.find(&found, &[(field.to_owned(), Value::text(value))].into_iter().collect());
    assert_eq!(ids.len(), 1, "{resource} with {field} {value}");
    stand.remove(&found, &ids[0]);
}
