//! What the engine's tests share: stand-ins of the invented systems, and runs over them.
#![allow(dead_code)]

use std::path::Path;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use mapengine::case::{Harness, QuickClock};
use mapengine::diagnostic::{Diagnostics, Format, Sources, render};
use mapengine::program::mapping_compile::Answers;
use mapengine::program::open::Opened;
use mapengine::run::{Counts, Options, Report, RunError};
use mapengine::sandbox::Company;
use mapengine::spec::load::load_sandbox;
use mapengine::store::{Handle, Mode};
use mapengine::value::{Side, Value};

const COUNTRIES: &str = "
    country: [ { name: Norway, code: \"NO\" }, { name: Finland, code: FI } ]
";

/// A harness over the invented systems with these records, given as YAML of a sandbox file's two sides.
pub fn harness(shop: &str, ledger: &str) -> Harness {
    harness_of(Path::new("tests/mappings/shop_ledger.yaml"), shop, ledger)
}

/// The same mapping with another file for the ledger: the mapping does not know what the ledger speaks.
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
    harness_of(&path, shop, ledger)
}

fn harness_of(mapping: &Path, shop: &str, ledger: &str) -> Harness {
    let mut sources = Sources::new();
    let mut found = Diagnostics::new();
    let opened = Opened::read(mapping, &mut sources, &mut found);
    let program = opened.as_ref().and_then(|opened| opened.program(&Answers::Sandbox, &sources, &mut found));
    let text = render(&found, &sources, Format::Human { color: false });
    let (Some(opened), Some(program)) = (opened, program) else { panic!("{text}") };
    let yaml = format!(
        "sandbox: shop_ledger\nnow: \"2026-11-02T08:00:00Z\"\nsystems:\n  shop:{COUNTRIES}{shop}\n  ledger:\n    country: [ {{ id: \"1\", iso: \"NO\" }}, {{ id: \"2\", iso: FI }} ]\n{ledger}\n"
    );
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("data.yaml");
    std::fs::write(&path, yaml).unwrap();
    let data = load_sandbox(&mut sources, &path, &mut found)
        .unwrap_or_else(|| panic!("{}", render(&found, &sources, Format::Human { color: false })));
    let company =
        Company::new(opened.names.clone(), &opened.systems, &data).unwrap_or_else(|error| panic!("{error}"));
    let clock = Rc::new(QuickClock::new(1_793_606_400_000));
    let mut harness =
        Harness::new(Arc::new(program), company, Handle::open(Path::new(""), Mode::InMemory).unwrap(), clock);
    harness.settle_after = Some(Duration::ZERO);
    harness
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

/// The first run is cut off after so many requests to one side, as by a kill: whatever is under way is dropped.
pub fn kill_after(harness: &mut Harness, side: Side, requests: usize) {
    let seen = |harness: &Harness| {
        let stand = harness.company.stands[side].borrow();
        stand.log().len() + usize::try_from(stand.reads()).unwrap()
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    let stand = Rc::clone(&harness.company.stands[side]);
    let before = seen(harness);
    runtime.block_on(async {
        let run = harness.run(Options::default());
        let watch = async {
            loop {
                tokio::task::yield_now().await;
                let now = {
                    let stand = stand.borrow();
                    stand.log().len() + usize::try_from(stand.reads()).unwrap()
                };
                if now >= before + requests {
                    return;
                }
            }
        };
        tokio::pin!(run);
        tokio::pin!(watch);
        // the future of the run is dropped where it stands: no code of it runs any more
        tokio::select! {
            biased;
            () = &mut watch => {}
            _ = &mut run => {}
        }
    });
}

pub fn counts(report: &Report, register: &str) -> Counts {
    report.registers[register]
}

pub fn edit(harness: &Harness, side: Side, resource: &str, of: &[(&str, Value)], set: &[(&str, Value)]) {
    let mut stand = harness.company.stands[side].borrow_mut();
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
