//! `links`, `set-aside`, `history`, `resolve`: looking at the state and settling it.

use super::args::{Format, ResolveArgs, StateArgs};
use super::place::{self, Opening};
use super::{Exit, Terminal};
use crate::program::mapping::Register;
use crate::run::keep_attached;
use crate::store::{Handle, IntentState, Link, Mode, RecordRef, Store, StoreError};
use crate::value::{Side, Value};

fn opened(terminal: &Terminal, args: &StateArgs) -> Result<(Opening, Handle), Exit> {
    let opening = place::open(terminal, &args.target)?;
    let store = Handle::open(&opening.state, Mode::ReadOnly).map_err(|error| {
        terminal.say(format_args!("error: {error}"));
        Exit::Failed
    })?;
    Ok((opening, store))
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

/// The key of `--record`, without register and side.
fn key_of(args: &StateArgs) -> Option<&str> {
    args.record.as_ref().and_then(|record| record.rsplit(':').next())
}

/// `links`.
pub(super) fn links(terminal: &Terminal, args: &StateArgs) -> Exit {
    let (opening, store) = match opened(terminal, args) {
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
                        (link, left, right)
                    })
                    .collect::<Vec<(Link, String, String)>>())
            });
            let rows = match rows {
                Ok(rows) => rows,
                Err(error) => return failed(terminal, &error),
            };
            let Some((last, ..)) = rows.last() else { break };
            after.clone_from(&last.left.id);
            for (link, left, right) in rows {
                if key_of(args).is_some_and(|key| {
                    key != left && key != right && key != link.left.id && key != link.right.id
                }) {
                    continue;
                }
                if shown >= args.limit && args.format == Format::Human {
                    terminal.line(format_args!("… (--limit {} shows more)", args.limit * 10));
                    return Exit::Done;
                }
                shown += 1;
                match args.format {
                    Format::Human => {
                        terminal.line(format_args!("{:12} {left:>12} = {right:12} {} {}", link.register, link.how, when(link.since)));
                        if args.record.is_some() {
                            for (row, pair) in link.base.as_map().into_iter().flatten() {
                                let side = |i: usize| pair.as_list().and_then(|pair| pair.get(i)).cloned().unwrap_or_default();
                                terminal.line(format_args!("    {row}: {} | {}", side(0), side(1)));
                            }
                        }
                    }
                    Format::Json => all.push(serde_json::json!({
                        "register": link.register, "left": link.left, "right": link.right, "left_key": left, "right_key": right,
                        "how": link.how, "since": link.since, "base": link.base,
                    })),
                }
            }
        }
    }
    finish(terminal, args, all, shown, "no links yet")
}

fn finish(
    terminal: &Terminal,
    args: &StateArgs,
    all: Vec<serde_json::Value>,
    shown: usize,
    nothing: &str,
) -> Exit {
    match args.format {
        Format::Json => terminal.line(serde_json::Value::Array(all)),
        Format::Human if shown == 0 => terminal.line(nothing),
        Format::Human => {}
    }
    Exit::Done
}

fn failed(terminal: &Terminal, error: &StoreError) -> Exit {
    terminal.say(format_args!("error: {error}"));
    Exit::Failed
}

/// `set-aside`.
pub(super) fn set_aside(terminal: &Terminal, args: &StateArgs) -> Exit {
    let (opening, store) = match opened(terminal, args) {
        Ok(opened) => opened,
        Err(exit) => return exit,
    };
    let rows = match store.read_blocking(|store| Ok((store.set_aside(None)?, store.open_intents()?))) {
        Ok(rows) => rows,
        Err(error) => return failed(terminal, &error),
    };
    let mut all = Vec::new();
    let mut shown = 0;
    for row in rows
        .0
        .into_iter()
        .filter(|row| wanted(args, &row.register))
        .filter(|row| key_of(args).is_none_or(|key| row.id == key || row.label.contains(key)))
    {
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
            Format::Json => all.push(serde_json::to_value(&row).unwrap_or_default()),
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
            Format::Json => all.push(serde_json::to_value(&intent).unwrap_or_default()),
        }
    }
    finish(terminal, args, all, shown, "nothing is set aside")
}

/// `history`.
pub(super) fn history(terminal: &Terminal, args: &StateArgs) -> Exit {
    let (opening, store) = match opened(terminal, args) {
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
            Err(error) => return failed(terminal, &error),
        };
        let program = &opening.program;
        let chosen: Vec<_> = events
            .into_iter()
            .filter(|event| wanted(args, &event.register))
            .filter(|event| {
                key_of(args).is_none_or(|key| {
                    let (program, key, event) = (program.clone(), key.to_owned(), event.clone());
                    let matched = store.read_blocking(move |store| {
                        let Some(register) = program.register(&event.register) else { return Ok(false) };
                        Ok([(Side::Left, &event.left), (Side::Right, &event.right)].into_iter().any(
                            |(side, id)| {
                                id.as_ref().is_some_and(|id| {
                                    *id == key
                                        || register.ends[side].members.iter().any(|member| {
                                            let at = RecordRef {
                                                resource: member.resource.name.clone(),
                                                id: id.clone(),
                                            };
                                            named(store, register, side, &at) == key
                                        })
                                })
                            },
                        ))
                    });
                    matched.unwrap_or(false)
                })
            })
            .collect();
        for event in chosen.iter().rev().take(limit).rev() {
            shown += 1;
            match args.format {
                Format::Human => {
                    let pair = [event.left.as_deref(), event.right.as_deref()]
                        .map(|id| id.unwrap_or("–"))
                        .join(" = ");
                    terminal.line(format_args!(
                        "{}  {} {}: {pair}",
                        when(event.at),
                        event.register,
                        event.what
                    ));
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
                Format::Json => all.push(serde_json::to_value(event).unwrap_or_default()),
            }
        }
        return finish(terminal, args, all, shown, "nothing happened to it yet");
    }
    let limit = args.limit;
    let runs = match store.read_blocking(move |store| store.runs(limit)) {
        Ok(runs) => runs,
        Err(error) => return failed(terminal, &error),
    };
    for run in runs {
        shown += 1;
        match args.format {
            Format::Human => {
                let ended = match run.ended {
                    Some(ended) => format!("{} ms", ended - run.started),
                    None => "did not come to an end".to_owned(),
                };
                terminal.line(format_args!("{}  {:6} {ended}", when(run.started), run.verb));
                for (name, counts) in
                    run.report.get("registers").and_then(Value::as_map).into_iter().flatten()
                {
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
            Format::Json => all.push(serde_json::to_value(&run).unwrap_or_default()),
        }
    }
    finish(terminal, args, all, shown, "no runs yet")
}

/// `resolve`.
pub(super) fn resolve(terminal: &Terminal, args: &ResolveArgs) -> Exit {
    let opening = match place::open(terminal, &args.target) {
        Ok(opening) => opening,
        Err(exit) => return exit,
    };
    let store = match Handle::open(&opening.state, Mode::Write) {
        Ok(store) => store,
        Err(error) => {
            terminal.say(format_args!("error: {error}"));
            return Exit::Failed;
        }
    };
    let result = if let Some(write) = args.write {
        resolve_write(&store, write, args)
    } else if let Some(text) = &args.unlink {
        unlink(&opening, &store, text)
    } else if let Some(text) = &args.link {
        link(&opening, &store, text)
    } else {
        terminal.say(
            "error: say what to settle: --write N with --adopt, --resend or --drop; --unlink; or --link",
        );
        return Exit::BadInput;
    };
    match result {
        Ok(text) => {
            terminal.line(text);
            Exit::Done
        }
        Err(error) => failed(terminal, &error),
    }
}

fn resolve_write(store: &Handle, write: i64, args: &ResolveArgs) -> Result<String, StoreError> {
    let (adopt, resend, drop) = (args.adopt.clone(), args.resend, args.drop);
    store.call_blocking(move |store| {
        let Some(mut intent) = store.intent(write)? else {
            return Err(StoreError(format!("there is no write {write}")));
        };
        if matches!(intent.state, IntentState::Done | IntentState::Failed) {
            return Err(StoreError(format!("write {write} is settled already: {}", intent.outcome)));
        }
        let said = match (adopt, resend, drop) {
            // a file: that it is there is what is kept, whatever id is said
            (Some(_), ..) if intent.then.get("file").is_some() => {
                keep_attached(store, &intent)?;
                if let Some(source) = &intent.source {
                    store.mark_dirty(intent.side.other(), &source.resource, Some(&source.id))?;
                }
                intent.state = IntentState::Done;
                intent.outcome = "said by hand: the file is there".into();
                format!("write {write} is settled: the file is there")
            }
            (Some(id), ..) => {
                let made = RecordRef { resource: intent.resource.clone(), id: id.clone() };
                if let Some(source) = intent.source.clone() {
                    let (left, right) = match intent.side {
                        Side::Left => (made, source.clone()),
                        Side::Right => (source.clone(), made),
                    };
                    store.put_link(&Link {
                        register: intent.register.clone(),
                        left,
                        right,
                        base: Value::Null,
                        since: intent.sent_at,
                        how: "by_hand".into(),
                    })?;
                    store.mark_dirty(intent.side.other(), &source.resource, Some(&source.id))?;
                }
                intent.state = IntentState::Done;
                intent.target = Some(id.clone());
                intent.outcome = format!("adopted by hand: {id}");
                format!("write {write} is settled: its record is {id}")
            }
            (None, true, _) => {
                if let Some(source) = &intent.source {
                    store.mark_dirty(intent.side.other(), &source.resource, Some(&source.id))?;
                }
                intent.state = IntentState::Failed;
                intent.outcome = "said by hand: it did not take effect".into();
                format!("write {write} is settled: it did not take effect. The next run decides anew")
            }
            (None, false, true) => {
                intent.state = IntentState::Failed;
                intent.outcome = "dropped by hand".into();
                format!("write {write} is dropped")
            }
            _ => return Err(StoreError("say --adopt ID, --resend or --drop".into())),
        };
        store.set_intent(&intent)?;
        Ok(said)
    })
}

/// The record that a key means on a side: by id, else by its key.
fn find(
    store: &dyn Store,
    register: &Register,
    side: Side,
    key: &str,
) -> Result<Option<RecordRef>, StoreError> {
    for member in &register.ends[side].members {
        if store.record(side, &member.resource.name, key)?.is_some() {
            return Ok(Some(RecordRef { resource: member.resource.name.clone(), id: key.to_owned() }));
        }
    }
    Ok(store.by_key(&register.name, side, crate::run::key_slot(register), key, 1)?.into_iter().next())
}

fn unlink(opening: &Opening, store: &Handle, text: &str) -> Result<String, StoreError> {
    let mut parts = text.splitn(2, ':');
    let (register, key) =
        (parts.next().unwrap_or_default().to_owned(), parts.next().unwrap_or_default().to_owned());
    let program = opening.program.clone();
    let key = Side::BOTH
        .into_iter()
        .find_map(|side| key.strip_prefix(&format!("{}:", opening.opened.names[side])).map(str::to_owned))
        .unwrap_or(key);
    store.call_blocking(move |store| {
        let Some(compiled) = program.register(&register) else {
            return Err(StoreError(format!("there is no register `{register}`")));
        };
        for side in Side::BOTH {
            if let Some(at) = find(store, compiled, side, &key)?
                && let Some(link) = store.link(&register, side, &at)?
            {
                store.remove_link(&register, &link.left)?;
                return Ok(format!(
                    "{register} {} and {} are not linked any more",
                    link.left.id, link.right.id
                ));
            }
            if let Some(link) = store.link_by_id(&register, side, &key)? {
                store.remove_link(&register, &link.left)?;
                return Ok(format!(
                    "{register} {} and {} are not linked any more",
                    link.left.id, link.right.id
                ));
            }
        }
        Err(StoreError(format!("{register} {key} is not linked")))
    })
}

fn link(opening: &Opening, store: &Handle, text: &str) -> Result<String, StoreError> {
    let parts: Vec<String> = text.splitn(3, ':').map(str::to_owned).collect();
    let [register, left, right] =
        <[String; 3]>::try_from(parts).map_err(|_| StoreError("write REGISTER:LEFT_KEY:RIGHT_KEY".into()))?;
    let program = opening.program.clone();
    store.call_blocking(move |store| {
        let Some(compiled) = program.register(&register) else {
            return Err(StoreError(format!("there is no register `{register}`")));
        };
        let (Some(left_at), Some(right_at)) =
            (find(store, compiled, Side::Left, &left)?, find(store, compiled, Side::Right, &right)?)
        else {
            return Err(StoreError(format!(
                "{left} or {right} is not known: it has to be read by a run first"
            )));
        };
        store.put_link(&Link {
            register: register.clone(),
            left: left_at.clone(),
            right: right_at.clone(),
            base: Value::Null,
            since: jiff::Timestamp::now().as_millisecond(),
            how: "by_hand".into(),
        })?;
        store.mark_dirty(Side::Left, &left_at.resource, Some(&left_at.id))?;
        Ok(format!("{register} {left} and {right} are linked; the next run compares them"))
    })
}
