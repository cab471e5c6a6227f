//! `plan` and `apply`: what would be done, kept in a file, and done only as it was planned.

use std::cell::Cell;
use std::collections::HashSet;
use std::path::Path;
use std::rc::Rc;

use super::args::{ApplyArgs, Format, PlanArgs, RunArgs, Target};
use super::display::Display;
use super::place::{self, Opening};
use super::running::{Session, bad, failed, options, request_log, runtime, watch_signals};
use super::{Exit, Terminal, show};
use crate::http::{Access, CallListener};
use crate::plan::Change;
use crate::run::{Options, Report};
use crate::value::Side;

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
    let log = match request_log(args.log_requests.as_deref()) {
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
                let planned = Planned { report: report.clone(), plan: saved(opening, args.all, &changes) };
                terminal.line(serde_json::to_string(&planned).unwrap_or_default());
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
        let run_args = RunArgs { target, format: args.format, ..RunArgs::default() };
        let refused = |error| failed(terminal, error);
        let mut session =
            match Session::start(terminal, &opening, Access::ReadWrite, &run_args, None, &refused) {
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
