//! `plan` and `apply`: what would be done, kept in a file, and done only as it was planned.

use std::cell::Cell;
use std::collections::HashSet;
use std::path::Path;
use std::rc::Rc;

use sha2::{Digest, Sha256};

use super::args::{ApplyArgs, Format, PlanArgs, RunArgs, Target};
use super::display::Display;
use super::place::{self, Opening};
use super::running::{Session, bad, failed, options, request_log, runtime, watch_signals};
use super::{Exit, Terminal, show};
use crate::http::{Access, CallListener};
use crate::plan::Change;
use crate::plan::change::hex;
use crate::run::{Options, Report};
use crate::store::{Handle, StoreError};
use crate::value::{Side, Value};

/// What `plan` tells programs.
#[derive(Debug, serde::Serialize, schemars::JsonSchema)]
pub(super) struct Planned {
    /// What a run would come to.
    report: Report,
    /// What would be done: the same as in a saved plan.
    plan: SavedPlan,
}

/// A saved plan.
#[derive(Debug, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
pub(super) struct SavedPlan {
    /// The mapping file.
    pub mapping: String,
    /// The hash of what was compiled from it and the settings: a changed mapping is refused.
    pub program: String,
    /// The name of the connection; none: the sandbox.
    pub connection: Option<String>,
    /// What tells the state from any other; none where nothing was in it yet.
    pub state: Option<String>,
    /// How often that state had been written to.
    pub serial: i64,
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
    /// The fields that would be written: side and path, old and new value as text. Of personal ones only a hash that is the same for the
    /// same value of that field and state.
    pub fields: Vec<(String, String, String)>,
    /// It is applied only where it still would be exactly this.
    pub fingerprint: String,
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
    let log = match request_log(terminal, args.log_requests.as_deref()) {
        Ok(log) => log,
        Err(reason) => return bad(terminal, reason),
    };
    let folder = std::env::temp_dir().join(format!("mapengine-plan-{}", uuid::Uuid::new_v4()));
    if let Err(error) = std::fs::create_dir_all(&folder) {
        return failed(terminal, format_args!("{}: {error}", folder.display()));
    }
    let exit = plan_in(terminal, args, &opening, options, &folder, log);
    // the copy holds a company's data: it goes with the plan
    let _ = std::fs::remove_dir_all(&folder);
    exit
}

fn plan_in(
    terminal: &Terminal,
    args: &PlanArgs,
    opening: &Opening,
    options: Options,
    folder: &Path,
    log: Option<CallListener>,
) -> Exit {
    let Some(runtime) = runtime() else { return failed(terminal, "no runtime can be had") };
    let local = tokio::task::LocalSet::new();
    local.block_on(&runtime, async {
        let display = Display::new(terminal, args.format, false, opening);
        display.keep.set(true);
        let mut session = match Session::trial(terminal, opening, args.fresh, folder, log) {
            Ok(session) => session,
            Err(exit) => return exit,
        };
        let at = match StateMark::of(session.store()).await {
            Ok(at) => at,
            Err(error) => return failed(terminal, error),
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
                let planned =
                    Planned { report: report.clone(), plan: saved(opening, &at, args.all, &changes) };
                terminal.line(serde_json::to_string(&planned).unwrap_or_default());
            }
            Ok(report) => {
                let record = display.record.borrow();
                if let Some(record) = &*record {
                    terminal.text(record);
                }
                for change in changes.iter().filter(|_| record.is_none()) {
                    terminal.text(&show::change(change, &opening.opened.names, terminal.color));
                }
                terminal.text(&show::report(report, terminal.color));
                if writing.is_empty() {
                    terminal.line("nothing would be written");
                }
            }
        }
        if let Some(path) = &args.out {
            let text =
                serde_json::to_string_pretty(&saved(opening, &at, args.all, &changes)).unwrap_or_default();
            if let Err(error) = std::fs::write(path, text) {
                return failed(terminal, format_args!("{}: {error}", path.display()));
            }
        }
        if args.exit_code && !writing.is_empty() { Exit::Changes } else { Exit::Done }
    })
}

/// Which state a plan was made on.
struct StateMark {
    lineage: String,
    serial: i64,
}

impl StateMark {
    async fn of(store: &Handle) -> Result<StateMark, StoreError> {
        Ok(StateMark { lineage: store.lineage().await?, serial: store.serial().await? })
    }

    /// What tells it from any other. A state that nothing was written to is made anew by whoever writes first.
    fn name(&self) -> Option<String> {
        (self.serial > 0).then(|| hashed(&["state", &self.lineage]))
    }

    /// A personal value. Nobody who has the plan alone can try out which one it is: the lineage does not stand in it.
    fn hidden(&self, field: &str, value: &str) -> String {
        if value == Value::Null.to_string() {
            value.to_owned()
        } else {
            hashed(&[&self.lineage, field, value])
        }
    }
}

fn hashed(parts: &[&str]) -> String {
    hex(&Sha256::digest(parts.join("\0").as_bytes())[..16])
}

fn saved(opening: &Opening, at: &StateMark, all: bool, changes: &[Change]) -> SavedPlan {
    SavedPlan {
        mapping: opening.opened.path.display().to_string(),
        program: opening.program.hash.clone(),
        connection: opening.side.connection().map(str::to_owned),
        state: at.name(),
        serial: at.serial,
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
                        let path = format!("{}.{}", opening.opened.names[side], field.path);
                        let told = |text: String| match field.sensitive {
                            true => at.hidden(&path, &text),
                            false => text,
                        };
                        let (old, new) = (told(field.old.to_string()), told(field.new.to_string()));
                        (path, old, new)
                    })
                    .collect(),
                fingerprint: change.fingerprint(),
            })
            .collect(),
    }
}

/// Why a plan is not one for this connection.
fn other_connection(planned: Option<&str>, given: Option<&str>) -> Option<String> {
    if planned == given {
        return None;
    }
    let again = "or plan again for this one";
    Some(match (planned, given) {
        (Some(planned), None) => format!(
            "the plan was made for the connection `{planned}`, and this is the sandbox: give its file with `--connection`, {again}"
        ),
        (None, Some(given)) => format!(
            "the plan was made on the sandbox, and this is the connection `{given}`: leave `--connection` out, {again}"
        ),
        _ => format!(
            "the plan was made for the connection `{}`, and this is `{}`: give the file of that one, {again}",
            planned.unwrap_or_default(),
            given.unwrap_or_default()
        ),
    })
}

/// Why a plan is not one for this state. One that was only written to since is: what moved is skipped.
fn other_state(plan: &SavedPlan, now: &StateMark) -> Option<String> {
    if plan.state.is_some() && plan.state != now.name() {
        return Some("this is another state than the one the plan was made on: plan again".to_owned());
    }
    (now.serial < plan.serial).then(|| {
        format!(
            "the state went back since the plan was made (serial {} then, {} now): plan again",
            plan.serial, now.serial
        )
    })
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
    if let Some(why) = other_connection(plan.connection.as_deref(), opening.side.connection()) {
        return bad(terminal, why);
    }
    if opening.program.hash != plan.program {
        return bad(
            terminal,
            "the mapping, a system file or a setting changed since the plan was made: plan again",
        );
    }
    // what was planned on demand was asked for then
    let all = plan.all;
    let asked = plan.changes.iter().map(|change| change.register.clone()).collect();
    let planned: HashSet<String> = plan.changes.iter().map(|change| change.fingerprint.clone()).collect();
    let Some(runtime) = runtime() else { return failed(terminal, "no runtime can be had") };
    let local = tokio::task::LocalSet::new();
    local.block_on(&runtime, async {
        let stop = Rc::new(Cell::new(false));
        tokio::task::spawn_local(watch_signals(Rc::clone(&stop)));
        let run_args = RunArgs { target, format: args.format, ..RunArgs::default() };
        let refused = |error| failed(terminal, error);
        let mut session =
            match Session::start(terminal, &opening, Access::ReadWrite, &run_args, None, &refused) {
                Ok(session) => session,
                Err(exit) => return exit,
            };
        let now = match StateMark::of(session.store()).await {
            Ok(now) => now,
            Err(error) => return failed(terminal, error),
        };
        if let Some(why) = other_state(&plan, &now) {
            return bad(terminal, why);
        }
        if now.serial > plan.serial {
            terminal
                .say("note: the state was written to since the plan was made: what moved since is skipped");
        }
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
