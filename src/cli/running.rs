//! `run`, `retry`, `plan`, `apply`, `recover`: everything that asks the systems.

use std::cell::{Cell, RefCell};
use std::collections::HashSet;
use std::io::Write;
use std::path::Path;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use super::args::{ApplyArgs, Format, PlanArgs, RunArgs, StateArgs, Target};
use super::display::Display;
use super::place::{self, Opening, Where};
use super::{Exit, Terminal, show};
use crate::case::Harness;
use crate::clock::{Clock, SystemClock};
use crate::http::{Access, CallListener, LoggedCall};
use crate::plan::Change;
use crate::plan::reckon::Period;
use crate::run::{Engine, Options, Report, RunError, Selected, Setup};
use crate::store::{Handle, Mode, Origin, reset};
use crate::value::{Map, Side, Value};

/// A saved plan.
#[derive(Debug, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
pub(super) struct SavedPlan {
    /// The mapping file.
    pub mapping: String,
    /// The hash of what was compiled from it and the settings: a changed mapping is refused.
    pub program: String,
    /// As many transfers as it takes were asked for.
    #[serde(default)]
    pub all: bool,
    /// What would be done; each with a fingerprint over both records and the fields.
    pub changes: Vec<SavedChange>,
}

/// One change of a saved plan.
#[derive(Debug, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
pub(super) struct SavedChange {
    /// The register.
    pub register: String,
    /// What people call the record.
    pub record: String,
    /// `create`, `update`, `link` …
    pub action: String,
    /// The fields that would be written: side and path, old and new value as text. Personal ones are hidden.
    pub fields: Vec<(String, String, String)>,
    /// It is applied only where it still would be exactly this.
    pub fingerprint: String,
}

pub(super) fn runtime() -> Option<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_current_thread().enable_all().build().ok()
}

/// A set flag ends a run at the next safe point: Ctrl-C and SIGTERM set it.
pub(super) async fn watch_signals(stop: Rc<Cell<bool>>) {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let (Ok(mut interrupt), Ok(mut terminate)) =
            (signal(SignalKind::interrupt()), signal(SignalKind::terminate()))
        else {
            return;
        };
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    }
    #[cfg(not(unix))]
    let _ = tokio::signal::ctrl_c().await;
    stop.set(true);
}

fn options(opening: &Opening, only: &[String], record: Option<&str>) -> Result<Options, String> {
    for name in only {
        if opening.program.register(name).is_none() {
            let names: Vec<&str> = opening.program.all().map(|register| register.name.as_str()).collect();
            let near = crate::diagnostic::suggest(name, names.iter().copied());
            let help = near.map_or_else(
                || format!("there are {}", names.join(", ")),
                |near| format!("did you mean `{near}`?"),
            );
            return Err(format!("--only {name}: there is no such register or document; {help}"));
        }
    }
    let record = match record {
        Some(text) => Some(
            Selected::parse(text, &opening.program, false).map_err(|reason| format!("--record {reason}"))?,
        ),
        None => None,
    };
    Ok(Options { only: only.to_vec(), record, ..Options::default() })
}

pub(super) fn bad(terminal: &Terminal, reason: impl std::fmt::Display) -> Exit {
    terminal.say(format_args!("error: {reason}"));
    Exit::BadInput
}

pub(super) fn failed(terminal: &Terminal, reason: impl std::fmt::Display) -> Exit {
    terminal.say(format_args!("error: {reason}"));
    Exit::Failed
}

/// `run` and `retry`.
pub(super) fn run(terminal: &Terminal, args: &RunArgs, retry: bool) -> Exit {
    let opening = match place::open(terminal, &args.target) {
        Ok(opening) => opening,
        Err(exit) => return exit,
    };
    let mut options = match options(&opening, &args.only, args.record.as_deref()) {
        Ok(options) => options,
        Err(reason) => return bad(terminal, reason),
    };
    (options.full, options.all) = (args.full, args.all);
    options.release_brakes = args.release_brakes;
    options.retry_all = retry;
    let log = match request_log(args.log_requests.as_deref()) {
        Ok(log) => log,
        Err(reason) => return bad(terminal, reason),
    };
    let Some(runtime) = runtime() else { return failed(terminal, "no runtime can be had") };
    let local = tokio::task::LocalSet::new();
    local.block_on(&runtime, async {
        let stop = Rc::new(Cell::new(false));
        tokio::task::spawn_local(watch_signals(Rc::clone(&stop)));
        let mut session = match Session::start(terminal, &opening, Access::ReadWrite, args, log) {
            Ok(session) => session,
            Err(exit) => return exit,
        };
        loop {
            let display = Display::new(terminal, args.format, args.record.is_some(), &opening);
            let outcome = session.once(terminal, &opening, options.clone(), &display, Rc::clone(&stop)).await;
            display.finish();
            let exit = session.report(terminal, args.format, &outcome);
            if !args.watch {
                return exit;
            }
            // a run that failed is tried again by the schedule; what is wrong with the input is not
            if exit == Exit::BadInput {
                return exit;
            }
            let wait = opening.program.every;
            if args.format == Format::Human {
                terminal.line(format_args!("next run in {}", show::duration(wait)));
            }
            let until = tokio::time::Instant::now() + wait;
            while tokio::time::Instant::now() < until {
                if stop.get() {
                    return Exit::Done;
                }
                tokio::time::sleep(Duration::from_millis(200).min(wait)).await;
            }
        }
    })
}

fn request_log(path: Option<&Path>) -> Result<Option<CallListener>, String> {
    let Some(path) = path else { return Ok(None) };
    let file = std::fs::OpenOptions::new()
        .create(true)
        .append(true)
        .open(path)
        .map_err(|error| format!("{}: {error}", path.display()))?;
    let file = RefCell::new(file);
    Ok(Some(Rc::new(move |call: &LoggedCall| {
        let mut map = Map::new();
        map.insert("system".into(), Value::text(call.system.clone()));
        map.insert("resource".into(), Value::text(call.resource.clone()));
        map.insert("method".into(), Value::text(call.method.clone()));
        map.insert("path".into(), Value::text(call.path.clone()));
        let pairs = |pairs: &[(String, String)]| {
            Value::List(
                pairs
                    .iter()
                    .map(|(a, b)| Value::List(vec![Value::text(a.clone()), Value::text(b.clone())]))
                    .collect(),
            )
        };
        map.insert("query".into(), pairs(&call.query));
        map.insert("headers".into(), pairs(&call.request_headers));
        map.insert("body".into(), call.body.clone().unwrap_or_default());
        map.insert("status".into(), call.status.map_or(Value::Null, |status| Value::from(u64::from(status))));
        // a log that cannot be written does not stop the work
        let _ = writeln!(file.borrow_mut(), "{}", Value::Map(map).to_json());
    })))
}

/// Where a command's runs go: real systems, or stand-ins.
enum Session {
    Real { store: Handle, access: Access, clock: Rc<dyn Clock>, log: Option<CallListener>, name: String },
    Sandbox { harness: Box<Harness>, first: bool },
}

type Outcome = Result<Report, (RunError, Box<Report>)>;

impl Session {
    fn start(
        terminal: &Terminal,
        opening: &Opening,
        access: Access,
        args: &RunArgs,
        log: Option<CallListener>,
    ) -> Result<Session, Exit> {
        let clock: Rc<dyn Clock> = Rc::new(SystemClock::default());
        match &opening.side {
            Where::Connection { name, .. } => {
                let store =
                    Handle::open(&opening.state, Mode::Write).map_err(|error| failed(terminal, error))?;
                Ok(Session::Real { store, access, clock, log, name: name.clone() })
            }
            Where::Sandbox { folder } => {
                let (company, anew) =
                    place::company(opening, folder, args.fresh).map_err(|error| bad(terminal, error))?;
                for text in &args.fault {
                    for side in Side::BOTH {
                        company.stands[side]
                            .borrow_mut()
                            .faults
                            .add(text)
                            .map_err(|error| bad(terminal, error))?;
                    }
                }
                if anew {
                    reset(&opening.state).map_err(|error| failed(terminal, error))?;
                }
                let store =
                    Handle::open(&opening.state, Mode::Write).map_err(|error| failed(terminal, error))?;
                let mut harness = Harness::new(Arc::clone(&opening.program), company, store, clock);
                harness.log = log;
                harness.settle_after = Some(Duration::ZERO);
                Ok(Session::Sandbox { harness: Box::new(harness), first: true })
            }
        }
    }

    /// A copy of the state, and clients that refuse to write.
    fn trial(terminal: &Terminal, opening: &Opening, fresh: bool, folder: &Path) -> Result<Session, Exit> {
        let clock: Rc<dyn Clock> = Rc::new(SystemClock::default());
        let open = |path: &Path| Handle::open(path, Mode::Trial).map_err(|error| failed(terminal, error));
        match &opening.side {
            Where::Connection { name, .. } => {
                let store = open(&opening.state)?;
                Ok(Session::Real { store, access: Access::ReadOnly, clock, log: None, name: name.clone() })
            }
            Where::Sandbox { folder: kept } => {
                let (company, anew) =
                    place::company(opening, kept, fresh).map_err(|error| bad(terminal, error))?;
                let store = open(&if anew { folder.join("none.db") } else { opening.state.clone() })?;
                let mut harness = Harness::new(Arc::clone(&opening.program), company, store, clock);
                harness.settle_after = Some(Duration::ZERO);
                Ok(Session::Sandbox { harness: Box::new(harness), first: true })
            }
        }
    }

    async fn once(
        &mut self,
        terminal: &Terminal,
        opening: &Opening,
        options: Options,
        display: &Rc<Display>,
        stop: Rc<Cell<bool>>,
    ) -> Outcome {
        match self {
            Session::Real { store, access, clock, log, name } => {
                let Where::Connection { ends, .. } = &opening.side else { return Err(wrong_session()) };
                warn_of_doubt(terminal, store).await;
                let refused = |reason: String| {
                    (RunError::Refused { reasons: vec![reason], bad_input: true }, Box::<Report>::default())
                };
                let clients =
                    place::clients(&opening.program, ends, clock, *access, log.as_ref()).map_err(refused)?;
                let engine = Engine::new(Setup {
                    program: Arc::clone(&opening.program),
                    store: store.clone(),
                    clients,
                    clock: Rc::clone(clock),
                    connection: Some(name.clone()),
                    run_id: uuid::Uuid::new_v4().to_string(),
                    options,
                    listener: display.listener(),
                    stop,
                });
                engine.run().await
            }
            Session::Sandbox { harness, first } => {
                harness.listener = display.listener();
                harness.stop = stop;
                let said = harness.company.before_run().map_err(|error| {
                    (
                        RunError::Refused { reasons: vec![error.to_string()], bad_input: true },
                        Box::<Report>::default(),
                    )
                })?;
                if display.human() {
                    let names = &opening.opened.systems;
                    terminal.line(format_args!(
                        "sandbox: built-in stand-ins of {} and {}, run {} (no connection was given; nothing leaves this machine)",
                        names.left.title,
                        names.right.title,
                        harness.company.run_number()
                    ));
                    for text in said {
                        terminal.line(format_args!("  meanwhile: {text}"));
                    }
                    if *first && harness.company.run_number() > 1 {
                        terminal.line("  (--fresh begins anew)");
                    }
                }
                *first = false;
                let outcome = harness.run(options).await;
                if let Err(error) = harness.company.save() {
                    terminal.say(format_args!("warning: the sandbox could not be kept: {error}"));
                }
                outcome
            }
        }
    }

    fn report(&self, terminal: &Terminal, format: Format, outcome: &Outcome) -> Exit {
        let (report, error) = match outcome {
            Ok(report) => (report, None),
            Err((error, report)) => (&**report, Some(error)),
        };
        match format {
            Format::Json => terminal.line(serde_json::to_string(report).unwrap_or_default()),
            Format::Human => terminal.text(&show::report(report, terminal.color)),
        }
        let exit = match error {
            None if report.needs_a_person() => Exit::NeedsPerson,
            None | Some(RunError::Stopped) => Exit::Done,
            Some(RunError::Refused { bad_input: true, .. }) => Exit::BadInput,
            Some(_) => Exit::Failed,
        };
        if let Some(error) = error {
            match error {
                RunError::Refused { reasons, .. } => {
                    for reason in reasons {
                        terminal.say(format_args!("refused: {reason}"));
                    }
                }
                RunError::Stopped => terminal.say("stopped at a safe point; the next run goes on from here"),
                RunError::Failed(reason) => terminal.say(format_args!("error: {reason}")),
            }
        }
        match self {
            // the sandbox is there to be looked at: its set aside records are no failure
            Session::Sandbox { .. } if exit == Exit::NeedsPerson => {
                if format == Format::Human {
                    terminal.line(
                        "with a connection this would have ended with exit code 3: records need a person",
                    );
                }
                Exit::Done
            }
            _ => exit,
        }
    }
}

fn wrong_session() -> (RunError, Box<Report>) {
    (RunError::Failed("the session does not fit its mapping".into()), Box::default())
}

/// A state that went back is said: what was made since is looked for before anything is made again.
async fn warn_of_doubt(terminal: &Terminal, store: &Handle) {
    if !store.is_doubtful().await.unwrap_or(true) {
        return;
    }
    let reason = match store.origin() {
        Origin::WentBack { serial, was: Some(was) } => {
            format!("it is older than what was written last (serial {serial}, it was {was})")
        }
        Origin::WentBack { .. } => {
            "the file beside it is gone, so nobody can say whether it is the newest".to_owned()
        }
        Origin::OtherLineage { .. } => "another state was here before".to_owned(),
        Origin::Fresh | Origin::Continued => return,
    };
    terminal.say(format_args!(
        "warning: this state may have forgotten something: {reason}. Everything is read and matched anew before any record is made, and nothing is sent before the settle time is over"
    ));
}

/// `plan`: decides on a copy of the state, with clients that refuse to write.
pub(super) fn plan(terminal: &Terminal, args: &PlanArgs) -> Exit {
    let opening = match place::open(terminal, &args.target) {
        Ok(opening) => opening,
        Err(exit) => return exit,
    };
    let mut options = match options(&opening, &args.only, args.record.as_deref()) {
        Ok(options) => options,
        Err(reason) => return bad(terminal, reason),
    };
    (options.full, options.all) = (args.full, args.all);
    options.plan_only = true;
    let folder = std::env::temp_dir().join(format!("mapengine-plan-{}", uuid::Uuid::new_v4()));
    if let Err(error) = std::fs::create_dir_all(&folder) {
        return failed(terminal, format_args!("{}: {error}", folder.display()));
    }
    let exit = plan_in(terminal, args, &opening, options, &folder);
    // the copy holds a company's data: it goes with the plan
    let _ = std::fs::remove_dir_all(&folder);
    exit
}

fn plan_in(terminal: &Terminal, args: &PlanArgs, opening: &Opening, options: Options, folder: &Path) -> Exit {
    let Some(runtime) = runtime() else { return failed(terminal, "no runtime can be had") };
    let local = tokio::task::LocalSet::new();
    local.block_on(&runtime, async {
        let display = Display::new(terminal, args.format, false, opening);
        display.keep.set(true);
        let mut session = match Session::trial(terminal, opening, args.fresh, folder) {
            Ok(session) => session,
            Err(exit) => return exit,
        };
        let outcome = match &mut session {
            Session::Sandbox { harness, .. } => {
                harness.listener = display.listener();
                if args.format == Format::Human {
                    terminal.line("sandbox: built-in stand-ins (no connection was given)");
                }
                harness.run(options).await
            }
            Session::Real { .. } => {
                session.once(terminal, opening, options, &display, Rc::new(Cell::new(false))).await
            }
        };
        display.finish();
        let changes = display.changes.borrow();
        let writing: Vec<&Change> = changes
            .iter()
            .filter(|change| change.writes() || matches!(change.action, crate::plan::Action::Link))
            .collect();
        match &outcome {
            Err(_) => {
                let exit = session.report(terminal, args.format, &outcome);
                return if exit == Exit::Done { Exit::Failed } else { exit };
            }
            Ok(report) if args.format == Format::Json => {
                let saved = saved(opening, args.all, &changes);
                let text = serde_json::json!({ "report": report, "plan": saved });
                terminal.line(text);
            }
            Ok(report) => {
                for change in changes.iter() {
                    terminal.text(&show::change(change, &opening.opened.names, terminal.color));
                }
                terminal.text(&show::report(report, terminal.color));
                if writing.is_empty() {
                    terminal.line("nothing would be written");
                }
            }
        }
        if let Some(path) = &args.out {
            let text = serde_json::to_string_pretty(&saved(opening, args.all, &changes)).unwrap_or_default();
            if let Err(error) = std::fs::write(path, text) {
                return failed(terminal, format_args!("{}: {error}", path.display()));
            }
        }
        if args.exit_code && !writing.is_empty() { Exit::Changes } else { Exit::Done }
    })
}

/// Reads both systems in full, with the rows of documents of a time, and plans, in a copy of the state. Answers the copy: what is
/// there, and what would become of it.
pub(super) fn look(
    terminal: &Terminal,
    opening: &Opening,
    period: &Period,
) -> Result<(Report, Handle), Exit> {
    let Some(runtime) = runtime() else { return Err(failed(terminal, "no runtime can be had")) };
    let local = tokio::task::LocalSet::new();
    local.block_on(&runtime, async {
        let display = Display::new(terminal, Format::Json, false, opening);
        // there is nothing in the temporary folder under this name, so that a state begins anew where the sandbox does
        let nowhere = std::env::temp_dir().join(format!("mapengine-none-{}", uuid::Uuid::new_v4()));
        let mut session = Session::trial(terminal, opening, false, &nowhere)?;
        // documents on demand, too, and as many as there are
        let only = opening.program.all().map(|register| register.name.clone()).collect();
        let options = Options {
            plan_only: true,
            full: true,
            all: true,
            only,
            rows: Some(period.clone()),
            ..Options::default()
        };
        let outcome = match &mut session {
            Session::Sandbox { harness, .. } => harness.run(options).await,
            Session::Real { .. } => {
                session.once(terminal, opening, options, &display, Rc::new(Cell::new(false))).await
            }
        };
        match outcome {
            Ok(report) => Ok((
                report,
                match session {
                    Session::Sandbox { harness, .. } => harness.store,
                    Session::Real { store, .. } => store,
                },
            )),
            Err(_) => {
                let exit = session.report(terminal, Format::Human, &outcome);
                Err(if exit == Exit::Done { Exit::Failed } else { exit })
            }
        }
    })
}

fn saved(opening: &Opening, all: bool, changes: &[Change]) -> SavedPlan {
    SavedPlan {
        mapping: opening.opened.path.display().to_string(),
        program: opening.program.hash.clone(),
        all,
        changes: changes
            .iter()
            .filter(|change| change.writes() || matches!(change.action, crate::plan::Action::Link))
            .map(|change| SavedChange {
                register: change.register.clone(),
                record: change.label.clone(),
                action: change.action.name().to_owned(),
                fields: Side::BOTH
                    .into_iter()
                    .flat_map(|side| change.fields[side].iter().map(move |field| (side, field)))
                    .map(|(side, field)| {
                        let hidden =
                            |text: String| if field.sensitive { "•••".to_owned() } else { text };
                        (
                            format!("{}.{}", opening.opened.names[side], field.path),
                            hidden(field.old.to_string()),
                            hidden(field.new.to_string()),
                        )
                    })
                    .collect(),
                fingerprint: change.fingerprint(),
            })
            .collect(),
    }
}

/// `apply`: only what was planned, and only where nothing moved since.
pub(super) fn apply(terminal: &Terminal, args: &ApplyArgs) -> Exit {
    let text = match std::fs::read_to_string(&args.plan) {
        Ok(text) => text,
        Err(error) => return bad(terminal, format_args!("{}: {error}", args.plan.display())),
    };
    let plan: SavedPlan = match serde_json::from_str(&text) {
        Ok(plan) => plan,
        Err(error) => {
            return bad(terminal, format_args!("{}: this is no saved plan: {error}", args.plan.display()));
        }
    };
    let target = Target {
        mapping: Some(plan.mapping.clone().into()),
        connection: args.connection.clone(),
        settings: Vec::new(),
    };
    let opening = match place::open(terminal, &target) {
        Ok(opening) => opening,
        Err(exit) => return exit,
    };
    if opening.program.hash != plan.program {
        return bad(
            terminal,
            "the mapping, a system file or a setting changed since the plan was made: plan again",
        );
    }
    // what was planned on demand was asked for then
    let all = plan.all;
    let asked = plan.changes.iter().map(|change| change.register.clone()).collect();
    let planned: HashSet<String> = plan.changes.into_iter().map(|change| change.fingerprint).collect();
    let Some(runtime) = runtime() else { return failed(terminal, "no runtime can be had") };
    let local = tokio::task::LocalSet::new();
    local.block_on(&runtime, async {
        let stop = Rc::new(Cell::new(false));
        tokio::task::spawn_local(watch_signals(Rc::clone(&stop)));
        let run_args = RunArgs {
            target,
            only: Vec::new(),
            all: false,
            record: None,
            full: false,
            watch: false,
            release_brakes: false,
            fresh: false,
            fault: Vec::new(),
            log_requests: None,
            format: args.format,
        };
        let mut session = match Session::start(terminal, &opening, Access::ReadWrite, &run_args, None) {
            Ok(session) => session,
            Err(exit) => return exit,
        };
        let display = Display::new(terminal, args.format, false, &opening);
        let options = Options { saved: Some(planned), asked, all, ..Options::default() };
        let outcome = match &mut session {
            // nothing happens in the sandbox between a plan and its apply
            Session::Sandbox { harness, .. } => {
                harness.listener = display.listener();
                let outcome = harness.run(options).await;
                if let Err(error) = harness.company.save() {
                    terminal.say(format_args!("warning: the sandbox could not be kept: {error}"));
                }
                outcome
            }
            Session::Real { .. } => session.once(terminal, &opening, options, &display, stop).await,
        };
        display.finish();
        session.report(terminal, args.format, &outcome)
    })
}

/// `recover`: a run that decides nothing new, only what is open.
pub(super) fn recover(terminal: &Terminal, args: &StateArgs) -> Exit {
    let run_args = RunArgs {
        target: args.target.clone(),
        only: Vec::new(),
        all: false,
        record: None,
        full: false,
        watch: false,
        release_brakes: false,
        fresh: false,
        fault: Vec::new(),
        log_requests: None,
        format: args.format,
    };
    let opening = match place::open(terminal, &run_args.target) {
        Ok(opening) => opening,
        Err(exit) => return exit,
    };
    let Some(runtime) = runtime() else { return failed(terminal, "no runtime can be had") };
    let local = tokio::task::LocalSet::new();
    local.block_on(&runtime, async {
        let mut session = match Session::start(terminal, &opening, Access::ReadOnly, &run_args, None) {
            Ok(session) => session,
            Err(exit) => return exit,
        };
        let display = Display::new(terminal, args.format, false, &opening);
        let options = Options { recover_only: true, ..Options::default() };
        let outcome = match &mut session {
            Session::Sandbox { harness, .. } => harness.run(options).await,
            Session::Real { .. } => {
                session.once(terminal, &opening, options, &display, Rc::new(Cell::new(false))).await
            }
        };
        display.finish();
        session.report(terminal, args.format, &outcome)
    })
}
