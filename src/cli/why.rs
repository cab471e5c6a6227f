//! `why` and `why-not`: where a value comes from, and what holds a record back. Nothing is asked and nothing is written.

use std::fmt::Write;

use super::args::{Format, WhyArgs};
use super::place::{self, Opening};
use super::report::{Cell, Table};
use super::show::clean;
use super::{Exit, Terminal};
use crate::run::{FieldWhy, Held, HeldAt, Selected, Valued, Why, WhyError, WhyNot};
use crate::store::{Handle, Mode};
use crate::value::Value;

/// How much of a value is shown in a table.
const SHOWN: usize = 36;

/// Opens the state and reads the name of the record.
fn opened(terminal: &Terminal, args: &WhyArgs) -> Result<(Opening, Handle, Selected), Exit> {
    let opening = place::open(terminal, &args.target)?;
    let selected = Selected::parse(&args.record, &opening.program).map_err(|reason| {
        terminal.say(format_args!("error: {reason}"));
        Exit::BadInput
    })?;
    let store = Handle::open(&opening.state, Mode::ReadOnly).map_err(|error| failed(terminal, &error))?;
    Ok((opening, store, selected))
}

fn failed(terminal: &Terminal, reason: &dyn std::fmt::Display) -> Exit {
    terminal.say(format_args!("error: {reason}"));
    Exit::Failed
}

fn json<T: serde::Serialize>(terminal: &Terminal, report: &T) {
    terminal.line(serde_json::to_string_pretty(report).unwrap_or_default());
}

/// `why`.
pub(super) fn why(terminal: &Terminal, args: &WhyArgs) -> Exit {
    let (opening, store, selected) = match opened(terminal, args) {
        Ok(opened) => opened,
        Err(exit) => return exit,
    };
    let (program, sources, wanted) = (opening.program.clone(), opening.sources.clone(), selected);
    let told = store.read_blocking(move |store| crate::run::why(&program, store, &wanted, &sources));
    match told {
        Err(error) => failed(terminal, &error),
        Ok(Err(error @ WhyError::NoField(_))) => {
            terminal.say(format_args!("error: {error}"));
            Exit::BadInput
        }
        Ok(Err(error)) => failed(terminal, &error),
        Ok(Ok(why)) => {
            match args.format {
                Format::Json => json(terminal, &why),
                Format::Human => terminal.text(&why_text(
                    &why,
                    opening.program.documents.iter().any(|one| one.register.name == why.register),
                )),
            }
            Exit::Done
        }
    }
}

/// `why-not`.
pub(super) fn why_not(terminal: &Terminal, args: &WhyArgs) -> Exit {
    let (opening, store, selected) = match opened(terminal, args) {
        Ok(opened) => opened,
        Err(exit) => return exit,
    };
    let program = opening.program.clone();
    let told = match store.read_blocking(move |store| crate::run::why_not(&program, store, &selected)) {
        Ok(told) => told,
        Err(error) => return failed(terminal, &error),
    };
    match args.format {
        Format::Json => json(terminal, &told),
        Format::Human => terminal.text(&why_not_text(&told)),
    }
    if told.needs_a_person() { Exit::NeedsPerson } else { Exit::Done }
}

/// A time for people.
fn time(text: &str) -> String {
    text.get(..19).unwrap_or(text).replace('T', " ")
}

fn head(out: &mut String, as_of: Option<&String>, changed: bool) {
    if changed {
        let _ = writeln!(
            out,
            "the mapping or its settings changed since the last run: the next one may decide otherwise"
        );
    }
    let _ = match as_of {
        Some(at) => writeln!(out, "as of the run of {}", time(at)),
        None => writeln!(out, "no run yet"),
    };
}

fn why_not_text(told: &WhyNot) -> String {
    let mut out = String::new();
    head(&mut out, told.as_of.as_ref(), told.changed_since);
    for held in &told.records {
        held_text(&mut out, held, 0);
    }
    out
}

/// What a person reads of a gate, before the reason.
fn gate(held: &Held) -> &'static str {
    match held.at {
        HeldAt::NotFound => "not found",
        HeldAt::OtherKind => "of no kind that is carried",
        HeldAt::OutOfScope => "out of scope",
        HeldAt::NotTaken => "does not travel yet",
        HeldAt::InDoubt => "in doubt",
        HeldAt::ParentNotLinked => "waits for what it is part of",
        HeldAt::NotValid => "not valid",
        HeldAt::SetAside => "set aside",
        HeldAt::CreateWhen => "not to be made",
        HeldAt::OnDemand => "goes when somebody asks",
        HeldAt::LinkOnly => "linked only, never made",
        HeldAt::OneWay => "nothing is made of it",
        HeldAt::Waits => "waits",
        HeldAt::Gone => "its counterpart is gone",
        HeldAt::RunStopped => "the run stopped",
        HeldAt::OnTheWay => "on the way",
        HeldAt::Next => "goes with the next run",
        HeldAt::Equal => "nothing to do",
    }
}

/// What holds a record back, with what waits for what below it.
pub(super) fn held_text(out: &mut String, held: &Held, depth: usize) {
    let pad = "    ".repeat(depth);
    let whose = held.side.as_ref().map_or_else(String::new, |side| format!(" of {side}"));
    let code = held.code.as_ref().map_or_else(String::new, |code| format!(" [{code}]"));
    let _ = writeln!(
        out,
        "{pad}{} '{}'{whose}: {}: {}{code}",
        held.register,
        clean(&held.label),
        gate(held),
        clean(&held.reason)
    );
    held_details(out, held, depth);
}

/// What stands below the reason: conditions with what they saw, since when, and the records that it waits for.
pub(super) fn held_details(out: &mut String, held: &Held, depth: usize) {
    let pad = "    ".repeat(depth);
    for condition in &held.conditions {
        let _ = writeln!(out, "{pad}    {}  ({})", clean(&condition.text), condition.place);
        for (name, value) in &condition.values {
            let _ = writeln!(out, "{pad}      {name} is {}", clean(value));
        }
    }
    let mut tried = Vec::new();
    tried.extend(held.since.as_ref().map(|since| format!("since {}", time(since))));
    tried.extend(
        held.attempts.map(|n| if n == 1 { "tried once".to_owned() } else { format!("tried {n} times") }),
    );
    tried.extend(held.retry_at.as_ref().map(|at| format!("not tried again before {}", time(at))));
    if !tried.is_empty() {
        let _ = writeln!(out, "{pad}    {}", tried.join(", "));
    }
    if !held.because.is_empty() {
        let _ = writeln!(out, "{pad}  because");
        for held in &held.because {
            held_text(out, held, depth + 1);
        }
    }
}

fn shown(value: &Value, limit: usize) -> String {
    clip(&clean(&value.to_string()), limit)
}

fn clip(text: &str, limit: usize) -> String {
    if text.chars().count() <= limit {
        return text.to_owned();
    }
    text.chars().take(limit.saturating_sub(1)).collect::<String>() + "…"
}

fn names(fields: &[Valued]) -> String {
    fields.iter().map(|one| one.field.as_str()).collect::<Vec<_>>().join(" + ")
}

fn values(fields: &[Valued], limit: usize) -> String {
    let text = fields.iter().map(|one| clean(&one.value.to_string())).collect::<Vec<_>>().join(" + ");
    clip(&text, limit)
}

fn agreed(fields: &[Valued], limit: usize) -> String {
    fields.iter().map(|one| shown(&one.agreed, limit)).collect::<Vec<_>>().join(" + ")
}

fn last(field: &FieldWhy) -> String {
    let Some(given) = &field.given else { return String::new() };
    let changed = if field.changed { "; changed since" } else { "" };
    format!("{} {}{changed}", given.what.replace('_', " "), time(&given.at))
}

/// The path of a field, or of the first of many, without its side.
fn path(fields: &[Valued]) -> String {
    let Some(first) = fields.first() else { return String::new() };
    let path = first.field.split_once('.').map_or(first.field.as_str(), |(_, path)| path);
    match fields.len() {
        1 => path.to_owned(),
        n => format!("{path} +{}", n - 1),
    }
}

fn why_text(why: &Why, is_document: bool) -> String {
    let mut out = String::new();
    head(&mut out, Some(why.as_of.as_ref().unwrap_or(&why.linked)), why.changed_since);
    let label = if why.left.label.is_empty() { &why.right.label } else { &why.left.label };
    let _ = writeln!(
        out,
        "{} '{}': {} {} = {} {}, {} {}",
        why.register,
        clean(label),
        why.left.side,
        why.left.id,
        why.right.side,
        why.right.id,
        why.how.replace('_', " "),
        time(&why.linked)
    );
    if why.fields.len() <= 3 {
        for field in &why.fields {
            field_text(&mut out, field, why, is_document);
        }
        return out;
    }
    let table = Table {
        title: String::new(),
        made: String::new(),
        columns: [
            why.left.side.as_str(),
            "value",
            "",
            why.right.side.as_str(),
            "value",
            "converted",
            "last",
            "row",
        ]
        .map(str::to_owned)
        .to_vec(),
        rows: why
            .fields
            .iter()
            .map(|field| {
                let way = match &field.from {
                    Some(from) if *from == why.left.side => "→",
                    Some(_) => "←",
                    None if field.given.is_some() && !field.left.is_empty() && !field.right.is_empty() => "=",
                    None => "",
                };
                [
                    path(&field.left),
                    values(&field.left, SHOWN),
                    way.to_owned(),
                    path(&field.right),
                    values(&field.right, SHOWN),
                    field.conversion.join(", "),
                    last(field),
                    field.place.clone(),
                ]
                .map(Cell::Text)
                .to_vec()
            })
            .collect(),
    };
    out.push_str(&table.text());
    out
}

fn field_text(out: &mut String, field: &FieldWhy, why: &Why, is_document: bool) {
    let sides = [&field.left, &field.right];
    out.push('\n');
    for fields in sides.into_iter().filter(|fields| !fields.is_empty()) {
        let _ = writeln!(out, "{} is {}", names(fields), values(fields, 200));
    }
    let _ = writeln!(out, "    {}", field.place);
    if !field.text.is_empty() {
        let _ = writeln!(out, "    {}", clean(&field.text));
    }
    if !field.conversion.is_empty() {
        let _ = writeln!(out, "    converted: {}", field.conversion.join(", "));
    }
    if !field.rules.is_empty() {
        let _ = writeln!(out, "    rules: {}", field.rules.join("; "));
    }
    match &field.given {
        None => {
            let _ = writeln!(out, "    nothing was carried by it yet");
        }
        Some(given) => {
            let run = given.run.as_ref().map_or_else(String::new, |run| format!(", run {run}"));
            let from = field.from.as_ref().map_or_else(String::new, |from| format!(" from {from}"));
            let _ = match (&given.field, &given.old) {
                (Some(to), Value::Null) => writeln!(
                    out,
                    "    carried{from} to {to} ({}) {}{run}",
                    given.what.replace('_', " "),
                    time(&given.at)
                ),
                (Some(to), old) => writeln!(
                    out,
                    "    carried{from} to {to} ({}), where {} stood, {}{run}",
                    given.what.replace('_', " "),
                    shown(old, 80),
                    time(&given.at)
                ),
                (None, _) => {
                    writeln!(out, "    both were equal when they were linked, {}{run}", time(&given.at))
                }
            };
        }
    }
    if !is_document && field.given.is_some() {
        for (fields, side) in sides.into_iter().zip([&why.left.side, &why.right.side]) {
            if !fields.is_empty() {
                let _ = writeln!(out, "    agreed: {} in {side}", agreed(fields, 200));
            }
        }
    }
    if field.changed {
        let _ = writeln!(out, "    changed since: the next run decides");
    }
}
