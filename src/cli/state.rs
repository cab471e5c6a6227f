//! `links`, `set-aside`, `history`, `resolve`: looking at the state and settling it.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::Serialize;

use super::args::{Format, ResolveArgs, StateArgs};
use super::place::{self, Opening};
use super::running::{bad, failed, runtime};
use super::{Exit, Terminal, show};
use crate::program::mapping::{Member, Register};
use crate::program::system::PARTS;
use crate::run::{Command, Selected, Verdict, records_named, take_up};
use crate::store::{
    CommandRow, CommandState, EventRow, Handle, Intent, Link, Mode, OpenError, RecordRef, RunRow, SetAside,
    Store, leave,
};
use crate::value::{Side, Value};

/// The record that is asked for: what was written, and what it names.
#[derive(Clone, Default)]
struct Asked {
    key: Option<String>,
    named: Vec<(Side, RecordRef)>,
}

impl Asked {
    /// Whether a record is the one that is asked for: it is named, or its id or key is what was written.
    fn is(&self, side: Side, id: &str, key: &str) -> bool {
        self.key.as_deref().is_none_or(|asked| {
            asked == id || asked == key || self.named.iter().any(|(of, at)| *of == side && at.id == id)
        })
    }
}

fn opened(terminal: &Terminal, args: &StateArgs) -> Result<(Opening, Handle, Asked), Exit> {
    let opening = place::open(terminal, &args.target)?;
    let of_record = args.record.as_ref().and_then(|record| record.split(':').next());
    for name in args.register.as_deref().into_iter().chain(of_record) {
        if opening.program.register(name).is_none() {
            let names: Vec<&str> = opening.program.all().map(|register| register.name.as_str()).collect();
            terminal.say(format_args!(
                "error: there is no register or document `{name}`; there are {}",
                names.join(", ")
            ));
            return Err(Exit::BadInput);
        }
    }
    let store = Handle::open(&opening.state, Mode::ReadOnly).map_err(|error| {
        terminal.say(format_args!("error: {error}"));
        Exit::Failed
    })?;
    let Some(text) = &args.record else { return Ok((opening, store, Asked::default())) };
    let selected = Selected::parse(text, &opening.program).map_err(|reason| {
        terminal.say(format_args!("error: {reason}"));
        Exit::BadInput
    })?;
    let (program, key) = (opening.program.clone(), selected.key.clone());
    let named = store.read_blocking(move |store| records_named(&program, store, &selected));
    let named = named.map_err(|error| failed(terminal, error))?;
    Ok((opening, store, Asked { key: Some(key), named }))
}

fn when(ms: i64) -> String {
    jiff::Timestamp::from_millisecond(ms)
        .map_or_else(|_| String::new(), |time| time.strftime("%Y-%m-%d %H:%M:%S").to_string())
}

/// A record as people know it: its key, where the mirror still has it.
fn named(store: &dyn Store, register: &Register, side: Side, at: &RecordRef) -> String {
    let key = store
        .record(side, &at.resource, &at.id)
        .ok()
        .flatten()
        .and_then(|record| register.member(side, &at.resource)?.resource.key_of(&record.row.data));
    key.unwrap_or_else(|| at.id.clone())
}

fn wanted(args: &StateArgs, register: &str) -> bool {
    let of_record = args.record.as_ref().and_then(|record| record.split(':').next());
    args.register.as_deref().or(of_record).is_none_or(|one| one == register)
}

/// What a pair agreed on, without the values of personal and secret fields. A row that the mapping has no more says nothing of its
/// field: it is hidden, too.
fn hidden(register: &Register, base: Value) -> Value {
    let Value::Map(mut rows) = base else { return base };
    for (name, pair) in rows.iter_mut().filter(|(name, _)| *name != PARTS) {
        let row = register.rows.iter().find(|row| row.id == *name);
        if row.is_none_or(|row| row.sensitive) {
            *pair = masked(std::mem::take(pair));
        }
    }
    Value::Map(rows)
}

/// `•••` in place of each value; what is empty stays empty.
fn masked(value: Value) -> Value {
    match value {
        Value::List(values) => Value::List(values.into_iter().map(masked).collect()),
        value if value.is_empty() => value,
        _ => Value::text("•••"),
    }
}

/// `links`.
pub(super) fn links(terminal: &Terminal, args: &StateArgs) -> Exit {
    let (opening, store, asked) = match opened(terminal, args) {
        Ok(opened) => opened,
        Err(exit) => return exit,
    };
    let mut all = Vec::new();
    let mut shown = 0;
    for register in opening.program.registers.iter().filter(|register| wanted(args, &register.name)) {
        let mut after = String::new();
        loop {
            let (program, name, from) = (opening.program.clone(), register.name.clone(), after.clone());
            let rows = store.read_blocking(move |store| {
                let Some(register) = program.register(&name) else { return Ok(Vec::new()) };
                Ok(store
                    .links(&name, &from, 500)?
                    .into_iter()
                    .map(|link| {
                        let left = named(store, register, Side::Left, &link.left);
                        let right = named(store, register, Side::Right, &link.right);
                        let base = hidden(register, link.base);
                        (Link { base, ..link }, left, right)
                    })
                    .collect::<Vec<(Link, String, String)>>())
            });
            let rows = match rows {
                Ok(rows) => rows,
                Err(error) => return failed(terminal, error),
            };
            let Some((last, ..)) = rows.last() else { break };
            after.clone_from(&last.left.id);
            for (link, left, right) in rows {
                if !asked.is(Side::Left, &link.left.id, &left)
                    && !asked.is(Side::Right, &link.right.id, &right)
                {
                    continue;
                }
                if shown >= args.limit && args.format == Format::Human {
                    terminal.line(format_args!("… (--limit {} shows more)", args.limit * 10));
                    return Exit::Done;
                }
                shown += 1;
                match args.format {
                    Format::Human => {
                        terminal.line(format_args!(
                            "{:12} {left:>12} = {right:12} {} {}",
                            link.register,
                            link.how,
                            when(link.since)
                        ));
                        if args.record.is_some() {
                            for (row, pair) in
                                link.base.as_map().into_iter().flatten().filter(|(row, _)| *row != PARTS)
                            {
                                let side = |i: usize| {
                                    pair.as_list().and_then(|pair| pair.get(i)).cloned().unwrap_or_default()
                                };
                                terminal.line(format_args!("    {row}: {} | {}", side(0), side(1)));
                            }
                        }
                    }
                    Format::Json => all.push(LinkTold {
                        register: link.register,
                        left: link.left,
                        right: link.right,
                        left_key: left,
                        right_key: right,
                        how: link.how,
                        since: link.since,
                        base: link.base,
                    }),
                }
            }
        }
    }
    finish(terminal, args, &asked, all, shown, "no links yet")
}

fn finish<T: Serialize>(
    terminal: &Terminal,
    args: &StateArgs,
    asked: &Asked,
    all: Vec<T>,
    shown: usize,
    nothing: &str,
) -> Exit {
    if let (Some(record), 0, true) = (&args.record, shown, asked.named.is_empty()) {
        terminal.say(format_args!("error: --record {record}: no record has this id, key or name"));
        return Exit::BadInput;
    }
    match args.format {
        Format::Json => terminal.line(serde_json::to_string(&all).unwrap_or_default()),
        Format::Human if shown == 0 => terminal.line(nothing),
        Format::Human => {}
    }
    Exit::Done
}

/// `set-aside`.
pub(super) fn set_aside(terminal: &Terminal, args: &StateArgs) -> Exit {
    let (opening, store, asked) = match opened(terminal, args) {
        Ok(opened) => opened,
        Err(exit) => return exit,
    };
    let rows = match store.read_blocking(|store| Ok((store.set_aside(None)?, store.open_intents()?))) {
        Ok(rows) => rows,
        Err(error) => return failed(terminal, error),
    };
    let mut all = Vec::new();
    let mut shown = 0;
    for row in rows.0.into_iter().filter(|row| wanted(args, &row.register)).filter(|row| {
        asked.is(row.side, &row.id, &row.id)
            || asked.key.as_deref().is_some_and(|key| row.label.contains(key))
    }) {
        shown += 1;
        match args.format {
            Format::Human => {
                let again =
                    row.retry_at.map_or_else(String::new, |at| format!("; tried again after {}", when(at)));
                terminal.line(format_args!(
                    "{} '{}' in {} [{}] since {}{again}",
                    row.register,
                    row.label,
                    opening.opened.names[row.side],
                    row.code,
                    when(row.since)
                ));
                terminal.line(format_args!("    {}", row.reason));
            }
            Format::Json => all.push(AsideTold::Record(Box::new(row))),
        }
    }
    for intent in rows.1.into_iter().filter(|intent| wanted(args, &intent.register)) {
        shown += 1;
        match args.format {
            Format::Human => {
                terminal.line(format_args!(
                    "write {} of {} to {}: {:?}, sent {}",
                    intent.id,
                    intent.register,
                    opening.opened.names[intent.side],
                    intent.state,
                    when(intent.sent_at)
                ));
                terminal.line(format_args!(
                    "    {} · looked up after {}",
                    intent.outcome,
                    when(intent.settle_until)
                ));
            }
            Format::Json => all.push(AsideTold::Write(Box::new(intent))),
        }
    }
    finish(terminal, args, &asked, all, shown, "nothing is set aside")
}

/// `history`.
pub(super) fn history(terminal: &Terminal, args: &StateArgs) -> Exit {
    let (opening, store, asked) = match opened(terminal, args) {
        Ok(opened) => opened,
        Err(exit) => return exit,
    };
    let mut all = Vec::new();
    let mut shown = 0;
    if args.record.is_some() || args.register.is_some() {
        let limit = args.limit;
        let events = store.read_blocking(move |store| {
            let mut events = Vec::new();
            for run in store.runs(1000)?.into_iter().rev() {
                events.extend(store.events(Some(&run.id), None, 100_000)?);
            }
            Ok(events)
        });
        let events = match events {
            Ok(events) => events,
            Err(error) => return failed(terminal, error),
        };
        let program = &opening.program;
        let chosen: Vec<_> = events
            .into_iter()
            .filter(|event| wanted(args, &event.register))
            .filter(|event| {
                let (program, asked, event) = (program.clone(), asked.clone(), event.clone());
                let matched = store.read_blocking(move |store| {
                    let Some(register) = program.register(&event.register) else { return Ok(false) };
                    let is = |side: Side, id: &String| {
                        let key = |member: &Member| {
                            let resource = member.resource.name.clone();
                            named(store, register, side, &RecordRef { resource, id: id.clone() })
                        };
                        register.ends[side].members.iter().any(|member| asked.is(side, id, &key(member)))
                    };
                    Ok(event.left.iter().any(|id| is(Side::Left, id))
                        || event.right.iter().any(|id| is(Side::Right, id)))
                });
                matched.unwrap_or(false)
            })
            .collect();
        for event in chosen.iter().rev().take(limit).rev() {
            shown += 1;
            match args.format {
                Format::Human => tell_event(terminal, event),
                Format::Json => all.push(Past::Event(event.clone())),
            }
        }
        return finish(terminal, args, &asked, all, shown, "nothing happened to it yet");
    }
    let limit = args.limit;
    let rows = store.read_blocking(move |store| Ok((store.runs(limit)?, store.commands(limit)?)));
    let (runs, commands) = match rows {
        Ok(rows) => rows,
        Err(error) => return failed(terminal, error),
    };
    // both are in the order of their numbers, which a clock that was set back does not change
    let mut runs = runs.into_iter().map(Past::Run).peekable();
    let mut commands = commands.into_iter().map(Past::Command).peekable();
    let past = std::iter::from_fn(|| match (runs.peek(), commands.peek()) {
        (Some(run), Some(command)) if command.at() < run.at() => runs.next(),
        (_, Some(_)) => commands.next(),
        _ => runs.next(),
    });
    for one in past.take(limit) {
        shown += 1;
        match args.format {
            Format::Human => one.tell(terminal),
            Format::Json => all.push(one),
        }
    }
    finish(terminal, args, &asked, all, shown, "no runs yet")
}

/// A link, for programs.
#[derive(Serialize, JsonSchema)]
pub(super) struct LinkTold {
    /// The register or document.
    register: String,
    /// The left record.
    left: RecordRef,
    /// The right record.
    right: RecordRef,
    /// What people know the left record by.
    left_key: String,
    /// What people know the right record by.
    right_key: String,
    /// How it came: `matched`, `created`, `adopted`, `by_hand`.
    how: String,
    /// When it was made (milliseconds since 1970).
    since: i64,
    /// What both sides last agreed on: for each row of the field table the left and the right value.
    base: Value,
}

/// What needs a person, for programs.
#[derive(Serialize, JsonSchema)]
#[serde(untagged)]
pub(super) enum AsideTold {
    /// A record that is set aside.
    Record(Box<SetAside>),
    /// A write without an outcome.
    Write(Box<Intent>),
}

/// What stands in the history: of the whole, runs and commands; of one register or record, what happened to it.
#[derive(Serialize, JsonSchema)]
#[serde(untagged)]
pub(super) enum Past {
    /// A run.
    Run(RunRow),
    /// A command that was left for a run.
    Command(CommandRow),
    /// Something that happened to a record.
    Event(EventRow),
}

impl Past {
    fn at(&self) -> i64 {
        match self {
            Past::Run(run) => run.started,
            Past::Command(command) => command.settled.unwrap_or(command.left),
            Past::Event(event) => event.at,
        }
    }

    fn tell(&self, terminal: &Terminal) {
        match self {
            Past::Run(run) => tell_run(terminal, run),
            Past::Event(event) => tell_event(terminal, event),
            Past::Command(row) => {
                let asked = Command::of(row).map_or_else(|_| row.command.to_json(), |one| one.to_string());
                let became = match row.state {
                    CommandState::Waiting => "waits for the next run".to_owned(),
                    CommandState::Done => row.outcome.clone(),
                    CommandState::Refused => format!("not done: {}", row.outcome),
                };
                terminal.line(format_args!("{}  command {}: {asked}", when(self.at()), row.id));
                terminal.line(format_args!("    {became}"));
            }
        }
    }
}

fn tell_event(terminal: &Terminal, event: &EventRow) {
    let pair = [event.left.as_deref(), event.right.as_deref()].map(|id| id.unwrap_or("–")).join(" = ");
    terminal.line(format_args!("{}  {} {}: {pair}", when(event.at), event.register, event.what));
    for (name, value) in event.detail.as_map().into_iter().flatten() {
        match value.as_list() {
            Some([old, new, origin]) => {
                terminal.line(format_args!(
                    "    {name}: {old} → {new}  ({})",
                    origin.scalar_text().unwrap_or_default()
                ));
            }
            _ => terminal.line(format_args!("    {name}: {value}")),
        }
    }
}

fn tell_run(terminal: &Terminal, run: &RunRow) {
    let ended = match run.ended {
        Some(ended) => format!("{} ms", ended - run.started),
        None => "did not come to an end".to_owned(),
    };
    terminal.line(format_args!("{}  {:6} {ended}", when(run.started), run.verb));
    for (name, counts) in run.report.get("registers").and_then(Value::as_map).into_iter().flatten() {
        let parts: Vec<String> = counts
            .as_map()
            .into_iter()
            .flatten()
            .filter(|(word, count)| *word != "pairs" && count.is_true())
            .map(|(word, count)| format!("{} {count}", word.replace('_', " ")))
            .collect();
        if !parts.is_empty() {
            terminal.line(format_args!("    {name}: {}", parts.join(", ")));
        }
    }
    if let Some(error) = run.report.get("error").and_then(Value::as_text) {
        terminal.line(format_args!("    {error}"));
    }
}

/// `resolve`.
pub(super) fn resolve(terminal: &Terminal, args: &ResolveArgs) -> Exit {
    let opening = match place::open(terminal, &args.target) {
        Ok(opening) => opening,
        Err(exit) => return exit,
    };
    let command = match command_of(args) {
        Ok(command) => command,
        Err(why) => return bad(terminal, why),
    };
    let store = match Handle::open(&opening.state, Mode::Write) {
        Ok(store) => store,
        Err(error) => return left_or_failed(terminal, &opening, &command, error),
    };
    let Some(runtime) = runtime() else { return failed(terminal, "no runtime can be had") };
    let now = jiff::Timestamp::now().as_millisecond();
    // what was left before comes before
    match runtime.block_on(take_up(&store, &opening.program, now)) {
        Ok(settled) => settled.iter().for_each(|one| terminal.line(show::settled(one))),
        Err(error) => return failed(terminal, error),
    }
    let program = Arc::clone(&opening.program);
    match store.call_blocking(move |store| command.carry_out(&program, store, now)) {
        Ok(text) => {
            terminal.line(text);
            Exit::Done
        }
        Err(error) => failed(terminal, error),
    }
}

fn command_of(args: &ResolveArgs) -> Result<Command, &'static str> {
    let verdict = match (&args.adopt, args.resend, args.drop) {
        (Some(id), ..) => Some(Verdict::Adopt(id.clone())),
        (None, true, _) => Some(Verdict::Resend),
        (None, false, true) => Some(Verdict::Drop),
        (None, false, false) => None,
    };
    match (args.write, verdict, &args.unlink, &args.link) {
        (Some(write), Some(verdict), ..) => Ok(Command::Settle { write, verdict }),
        (Some(_), None, ..) => Err("say --adopt ID, --resend or --drop"),
        (None, _, Some(text), _) => Ok(Command::Unlink(text.clone())),
        (None, _, None, Some(text)) => Ok(Command::Link(text.clone())),
        (None, _, None, None) => {
            Err("say what to settle: --write N with --adopt, --resend or --drop; --unlink; or --link")
        }
    }
}

/// Where another process works on the state, a command is left in it.
pub(super) fn left_or_failed(
    terminal: &Terminal,
    opening: &Opening,
    command: &Command,
    error: OpenError,
) -> Exit {
    let OpenError::Locked { holder } = &error else { return failed(terminal, error) };
    if let Err(why) = command.check(&opening.program) {
        return failed(terminal, why);
    }
    let now = jiff::Timestamp::now().as_millisecond();
    match leave(&opening.state, now, &command.to_value()) {
        Ok(number) => {
            let holder = if holder.is_empty() { String::new() } else { format!(" ({holder})") };
            terminal.line(format_args!(
                "left as command {number} for the mapengine that works on this state{holder}: it carries it out when its next run begins. `mapengine history` tells what came of it"
            ));
            Exit::Done
        }
        Err(why) => {
            terminal.say(format_args!("error: {error}"));
            failed(terminal, format_args!("and nothing could be left for it: {why}"))
        }
    }
}
