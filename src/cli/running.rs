//! `run`, `retry`, `recover`: what carries changes; and the session that these and `plan` and `apply` share.

use std::cell::{Cell, RefCell};
use std::io::Write;
use std::path::Path;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use super::args::{Format, RunArgs, StateArgs};
use super::display::Display;
use super::place::{self, Opening, Where};
use super::{Exit, Terminal, show, state};
use crate::case::Harness;
use crate::clock::{Clock, SystemClock};
use crate::http::{Access, CallListener, LoggedCall};
use crate::plan::reckon::Period;
use crate::run::{Command, Engine, Options, Report, RunError, Selected, Setup};
use crate::store::{Handle, Mode, OpenError, Origin, reset};
use crate::value::{Map, Value};

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

pub(super) fn options(opening: &Opening, only: &[String], record: Option<&str>) -> Result<Options, String> {
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
        Some(text) => {
            Some(Selected::parse(text, &opening.program).map_err(|reason| format!("--record {reason}"))?)
        }
        None => None,
    };
    if let Some(record) =
        record.as_ref().filter(|record| !only.is_empty() && !only.contains(&record.register))
    {
        return Err(format!(
            "--record {}: `--only` leaves {} out",
            record.told(&opening.program),
            record.register
        ));
    }
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
    let log = match request_log(terminal, args.log_requests.as_deref()) {
        Ok(log) => log,
        Err(reason) => return bad(terminal, reason),
    };
    let Some(runtime) = runtime() else { return failed(terminal, "no runtime can be had") };
    let local = tokio::task::LocalSet::new();
    local.block_on(&runtime, async {
        let stop = Rc::new(Cell::new(false));
        tokio::task::spawn_local(watch_signals(Rc::clone(&stop)));
        let taken = |error| match unheld_flag(args) {
            None if retry => {
                let (only, record) = (args.only.clone(), options.record.clone());
                state::left_or_failed(terminal, &opening, &Command::Retry { only, record }, error)
            }
            Some(flag) if retry && matches!(error, OpenError::Locked { .. }) => failed(
                terminal,
                format_args!("{error}; a retry with `{flag}` cannot be left for it, one without can"),
            ),
            _ => failed(terminal, error),
        };
        let mut session = match Session::start(terminal, &opening, Access::ReadWrite, args, log, &taken) {
            Ok(session) => session,
            Err(exit) => return exit,
        };
        let mut last_left = 0;
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
            // asked to end while it ran: there is no next one
            if stop.get() {
                return Exit::Done;
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
                // a command that was left is no reason to begin twice, also where it could not be taken up
                let newest = session.newest_command().await;
                if newest > last_left {
                    last_left = newest;
                    if args.format == Format::Human {
                        terminal.line("a command was left: the next run begins now");
                    }
                    break;
                }
            }
        }
    })
}

/// A flag that only the process can follow that has the lock: with it a retry cannot be left for another.
fn unheld_flag(args: &RunArgs) -> Option<&'static str> {
    let flags = [
        (args.all, "--all"),
        (args.full, "--full"),
        (args.watch, "--watch"),
        (args.release_brakes, "--release-brakes"),
        (args.fresh, "--fresh"),
        (!args.fault.is_empty(), "--fault"),
        (args.log_requests.is_some(), "--log-requests"),
        (!args.target.settings.is_empty(), "--set"),
    ];
    flags.into_iter().find_map(|(given, flag)| given.then_some(flag))
}

pub(super) fn request_log(terminal: &Terminal, path: Option<&Path>) -> Result<Option<CallListener>, String> {
    let Some(path) = path else { return Ok(None) };
    let file = std::fs::OpenOptions::new()
        .create(true)
        .append(true)
        .open(path)
        .map_err(|error| format!("{}: {error}", path.display()))?;
    let (file, lost) = (RefCell::new(file), terminal.lost.clone());
    let name = format!("the request log {}", path.display());
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
        lost.keep(&name, writeln!(file.borrow_mut(), "{}", Value::Map(map).to_json()));
    })))
}

/// Where a command's runs go: real systems, or stand-ins.
pub(super) enum Session {
    Real { store: Handle, access: Access, clock: Rc<dyn Clock>, log: Option<CallListener>, name: String },
    Sandbox { harness: Box<Harness>, first: bool },
}

pub(super) type Outcome = Result<Report, (RunError, Box<Report>)>;

impl Session {
    pub(super) fn start(
        terminal: &Terminal,
        opening: &Opening,
        access: Access,
        args: &RunArgs,
        log: Option<CallListener>,
        taken: &dyn Fn(OpenError) -> Exit,
    ) -> Result<Session, Exit> {
        let clock: Rc<dyn Clock> = Rc::new(SystemClock::default());
        match &opening.side {
            Where::Connection { name, .. } => {
                let store = Handle::open(&opening.state, Mode::Write).map_err(taken)?;
                Ok(Session::Real { store, access, clock, log, name: name.clone() })
            }
            Where::Sandbox { folder } => {
                let (company, anew) =
                    place::company(opening, folder, args.fresh).map_err(|error| bad(terminal, error))?;
                for text in &args.fault {
                    company
                        .add_fault(text)
                        .map_err(|error| bad(terminal, format_args!("--fault {text}: {error}")))?;
                }
                if anew {
                    reset(&opening.state).map_err(|error| failed(terminal, error))?;
                }
                let store = Handle::open(&opening.state, Mode::Write).map_err(taken)?;
                let mut harness = Harness::new(Arc::clone(&opening.program), company, store, clock);
                harness.log = log;
                harness.settle_after = Some(Duration::ZERO);
                Ok(Session::Sandbox { harness: Box::new(harness), first: true })
            }
        }
    }

    /// Its state.
    pub(super) fn store(&self) -> &Handle {
        match self {
            Session::Real { store, .. } => store,
            Session::Sandbox { harness, .. } => &harness.store,
        }
    }

    /// The number of the last command that waits; 0 for none.
    async fn newest_command(&self) -> i64 {
        let waiting = self.store().read(|store| store.waiting_commands()).await;
        waiting.ok().and_then(|rows| rows.last().map(|row| row.id)).unwrap_or(0)
    }

    /// A copy of the state, and clients that refuse to write.
    pub(super) fn trial(
        terminal: &Terminal,
        opening: &Opening,
        fresh: bool,
        folder: &Path,
        log: Option<CallListener>,
    ) -> Result<Session, Exit> {
        let clock: Rc<dyn Clock> = Rc::new(SystemClock::default());
        let open = |path: &Path| Handle::open(path, Mode::Trial).map_err(|error| failed(terminal, error));
        match &opening.side {
            Where::Connection { name, .. } => {
                let store = open(&opening.state)?;
                Ok(Session::Real { store, access: Access::ReadOnly, clock, log, name: name.clone() })
            }
            Where::Sandbox { folder: kept } => {
                let (company, anew) =
                    place::company(opening, kept, fresh).map_err(|error| bad(terminal, error))?;
                let store = open(&if anew { folder.join("none.db") } else { opening.state.clone() })?;
                let mut harness = Harness::new(Arc::clone(&opening.program), company, store, clock);
                harness.log = log;
                harness.settle_after = Some(Duration::ZERO);
                Ok(Session::Sandbox { harness: Box::new(harness), first: true })
            }
        }
    }

    pub(super) async fn once(
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

    pub(super) fn report(&self, terminal: &Terminal, format: Format, outcome: &Outcome) -> Exit {
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
        let mut session = Session::trial(terminal, opening, false, &nowhere, None)?;
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

/// `recover`: a run that decides nothing new, only what is open.
pub(super) fn recover(terminal: &Terminal, args: &StateArgs) -> Exit {
    let run_args = RunArgs { target: args.target.clone(), format: args.format, ..RunArgs::default() };
    let opening = match place::open(terminal, &run_args.target) {
        Ok(opening) => opening,
        Err(exit) => return exit,
    };
    let Some(runtime) = runtime() else { return failed(terminal, "no runtime can be had") };
    let local = tokio::task::LocalSet::new();
    local.block_on(&runtime, async {
        let refused = |error| failed(terminal, error);
        let mut session =
            match Session::start(terminal, &opening, Access::ReadOnly, &run_args, None, &refused) {
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
