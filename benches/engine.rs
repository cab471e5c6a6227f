//! What the parts of a run cost: validating a mapping, deciding pairs, the wire, the journal.
//!
//! `cargo bench --bench engine`. The journal's two ways stand side by side as a ratio of the same moment, because a
//! disk is as fast as its neighbours let it be.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;
use std::time::{Duration, Instant};

use divan::Bencher;
use divan::counter::ItemsCount;
use mapengine::diagnostic::{Diagnostics, Format, Sources, render};
use mapengine::plan::decide::{Known, Record, base_of, decide_linked};
use mapengine::plan::{Context, RefTarget, View};
use mapengine::program::expr::{Expr, Scope};
use mapengine::program::mapping::Program;
use mapengine::program::open::Opened;
use mapengine::program::system::Lookup;
use mapengine::program::types::Type;
use mapengine::spec::yaml::parse;
use mapengine::store::{Effect, Handle, Intent, IntentState, Mode, RecordRef};
use mapengine::value::{Both, Path as FieldPath, Side, Value, from_json_str};
use mapengine::wire::{LookupProblem, Lookups};

fn main() {
    divan::main();
    journal();
}

/// A mapping of at least a thousand lines: the shipped one for two real system files, its larger registers again
/// and again under other names.
fn long_mapping() -> PathBuf {
    static FOLDER: LazyLock<tempfile::TempDir> = LazyLock::new(|| tempfile::tempdir().expect("a folder"));
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("mappings");
    let text = std::fs::read_to_string(root.join("financials.yaml")).expect("the shipped mapping");
    let block = |name: &str| -> String {
        let from = text.find(&format!("\n  {name}:")).expect("the register");
        let rest = &text[from + 1..];
        let register = |at: &usize| {
            let line = &rest[at + 1..];
            line.starts_with("  ") && line.as_bytes().get(2).is_some_and(u8::is_ascii_lowercase)
        };
        let ends = rest.match_indices('\n').map(|(at, _)| at).find(register);
        format!("{}\n", &rest[..ends.unwrap_or(rest.len())])
    };
    let registers = text.find("\nregisters:").expect("registers");
    let mut long = text[..registers + "\nregisters:\n".len()].to_owned();
    // the checks name these registers
    for name in ["items", "customers", "projects"] {
        long.push_str(&block(name));
    }
    for n in 2.. {
        if long.lines().count() >= 1000 {
            break;
        }
        for name in ["items", "customers"] {
            let _ =
                write!(long, "{}", block(name).replacen(&format!("  {name}:"), &format!("  {name}_{n}:"), 1));
        }
    }
    let systems = FOLDER.path().join("systems");
    std::fs::create_dir_all(&systems).expect("a folder");
    for name in ["severa.yaml", "visma_net.yaml"] {
        std::fs::copy(root.join("systems").join(name), systems.join(name)).expect("the system file");
    }
    let path = FOLDER.path().join("long.yaml");
    std::fs::write(&path, long).expect("a file");
    path
}

fn compile(path: &Path) -> Program {
    let mut sources = Sources::new();
    let mut found = Diagnostics::new();
    let opened = Opened::read(path, &mut sources, &mut found);
    let program = opened.and_then(|opened| opened.check(&sources, &mut found));
    assert!(!found.has_errors(), "{}", render(&found, &sources, Format::Human { color: false }));
    program.expect("no error, so there is a program")
}

/// Reads and checks a mapping of a thousand lines and its two system files. It must stay under 50 ms.
#[divan::bench]
fn validate_1000_lines(bencher: Bencher) {
    let path = long_mapping();
    bencher.bench_local(|| compile(&path));
}

/// Files of one, two and four: what a line costs must not grow with the file.
#[divan::bench(args = [10_000, 20_000, 40_000])]
fn yaml_lines(bencher: Bencher, lines: usize) {
    let text = (0..lines).map(|i| format!("k{i}: 1\n")).collect::<String>();
    bencher.counter(ItemsCount::new(lines)).bench_local(|| {
        let mut sources = Sources::new();
        let mut found = Diagnostics::new();
        parse(&mut sources, Path::new("large.yaml"), &text, &mut found).expect("a node").entries().len()
    });
}

/// A condition as scopes and rows have them.
#[divan::bench]
fn condition(bencher: Bencher) {
    let scope = Scope::new().root("status", Type::Text).root("number", Type::Integer);
    let expr = Expr::compile("status != 'Inactive' and number > 5", &scope).expect("an expression");
    let record = parsed(r#"{"status":"Active","number":12}"#);
    bencher.counter(ItemsCount::new(1_usize)).bench_local(|| assert_eq!(expr.holds(&record), Ok(true)));
}

/// Nothing here refers to another record.
struct Nothing;

impl View for Nothing {
    fn reference(&self, _: &str, _: Side, value: &Value, _: &Both<Option<FieldPath>>) -> RefTarget {
        RefTarget::Missing(value.to_string())
    }
}

impl Lookups for Nothing {
    fn by_key(&self, _: &str, _: &str) -> Option<Value> {
        None
    }

    fn find(&self, _: &Lookup, _: &Value) -> Result<String, LookupProblem> {
        Err(LookupProblem::None)
    }
}

fn shop_ledger() -> Program {
    compile(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/mappings/shop_ledger.yaml"))
}

fn parsed(text: &str) -> Value {
    from_json_str(text).expect("JSON")
}

fn pair(n: usize) -> Both<Record> {
    let record = |resource: &str, data: String| Record {
        at: RecordRef { resource: resource.to_owned(), id: n.to_string() },
        data: parsed(&data),
        hash: String::new(),
        changed_at: None,
        exists: mapengine::value::Value::Null,
    };
    let address = format!(r#""street":"Storgata {n}","city":"Oslo""#);
    Both {
        left: record(
            "customer",
            format!(
                r#"{{"guid":"g{n}","number":{n},"name":"Kunde {n} AS","active":true,"vatNumber":"NO{n}","mainAddress":{{{address},"postalCode":"0181"}}}}"#
            ),
        ),
        right: record(
            "customer",
            format!(
                r#"{{"id":{n},"number":"{n}","name":"Kunde {n} AS","status":"Active","vatNumber":"NO{n}","invoiceAddress":{{{address},"postCode":"0181"}}}}"#
            ),
        ),
    }
}

/// Decides so many linked pairs of which every `one_in`-th has an edit on the left; none with 0.
fn decide(bencher: Bencher, one_in: usize) {
    const PAIRS: usize = 1000;
    let program = shop_ledger();
    let facts = Both { left: Value::Null, right: Value::Null };
    let context =
        Context { program: &program, facts: &facts, today: "2026-11-02", now: "2026-11-02T08:00:00Z" };
    let register = program.register("customers").expect("the register");
    let pairs: Vec<(Both<Record>, Value)> = (0..PAIRS)
        .map(|n| {
            let mut pair = pair(n);
            let base = base_of(&context, register, &pair.left, &pair.right, &Value::Null, &[], &Nothing);
            if one_in > 0 && n % one_in == 0 {
                let field = FieldPath::parse("vatNumber").expect("a path");
                field.set(&mut pair.left.data, Value::text("edited"));
            }
            (pair, base)
        })
        .collect();
    bencher.counter(ItemsCount::new(PAIRS)).bench_local(|| {
        let writes = pairs.iter().filter(|(pair, base)| {
            let (left, right) = (Some(&pair.left), Some(&pair.right));
            decide_linked(&context, register, left, right, base, &Known::default(), &Nothing).writes()
        });
        assert_eq!(writes.count(), PAIRS.checked_div(one_in).unwrap_or(0));
    });
}

#[divan::bench]
fn decide_1000_pairs_unchanged(bencher: Bencher) {
    decide(bencher, 0);
}

#[divan::bench]
fn decide_1000_pairs_1_percent_changed(bencher: Bencher) {
    decide(bencher, 100);
}

/// A record of the wire, every value wrapped, as fields.
#[divan::bench]
fn wire_decode(bencher: Bencher) {
    let program = shop_ledger();
    let system = &program.sides.right.system;
    let resource = &system.resources["item"];
    let text = r#"{"id":7,"number":"A7","description":"Thing","status":"Active","price":12.50,"unit":"m"}"#;
    bencher.counter(ItemsCount::new(1_usize)).bench_local(|| {
        mapengine::wire::decode(system, resource, None, &parsed(text), &Nothing).expect("it can be read")
    });
}

/// Fields as the request that makes a record.
#[divan::bench]
fn wire_encode(bencher: Bencher) {
    let program = shop_ledger();
    let system = &program.sides.right.system;
    let resource = &system.resources["item"];
    let record =
        parsed(r#"{"number":"A7","description":"Thing","status":"Active","price":12.50,"unit":"m"}"#);
    bencher.counter(ItemsCount::new(1_usize)).bench_local(|| {
        let writes = mapengine::wire::plan_create(system, resource, &record).expect("it can be made");
        mapengine::wire::encode(system, resource, &writes[0], &record, &Nothing).expect("it can be sent").path
    });
}

fn intent() -> Intent {
    Intent {
        id: 0,
        run: "run".into(),
        register: "customers".into(),
        side: Side::Right,
        resource: "customer".into(),
        target: None,
        source: Some(RecordRef { resource: "customer".into(), id: "1".into() }),
        effect: Effect::Create,
        request: parsed(r#"{"method":"POST","path":"/customers","body":{"name":{"value":"Kunde 1 AS"}}}"#),
        lookup: parsed(r#"{"resource":"customer","record":{"name":"Kunde 1 AS"}}"#),
        program: "hash".into(),
        state: IntentState::Sent,
        attempt: 1,
        sent_at: 1,
        settle_until: 2,
        outcome: String::new(),
        then: Value::Null,
    }
}

/// Intents on disk: one commit each, against those of many writes under way committed together.
fn journal() {
    const INTENTS: u32 = 640;
    let folder = tempfile::tempdir().expect("a folder");
    let store = Handle::open(&folder.path().join("state.db"), Mode::Write).expect("a state");
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    let add = || store.call(|store| store.add_intent(&intent()));
    let timed = |at_once: u32| -> (Duration, u64) {
        let before = store.commits();
        let started = Instant::now();
        runtime.block_on(async {
            for _ in 0..INTENTS / at_once {
                let waiting: Vec<_> = (0..at_once).map(|_| add()).collect();
                for one in waiting {
                    one.await.expect("on disk");
                }
            }
        });
        (started.elapsed(), store.commits() - before)
    };
    println!("\n{INTENTS} intents on disk   one by one    64 at once   ratio   commits");
    for _ in 0..5 {
        let ((alone, many), (grouped, few)) = (timed(1), timed(64));
        println!(
            "{:>25.1?}  {:>12.1?}  {:>6.1}   {many} / {few}",
            alone,
            grouped,
            alone.as_secs_f64() / grouped.as_secs_f64()
        );
    }
}
