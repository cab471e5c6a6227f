//! Reports and changes as a person reads them.

use std::fmt::Write;
use std::time::Duration;

use anstyle::{AnsiColor, Style};

use super::why;
use crate::plan::{Action, Change};
use crate::run::{Entry, HeldAt, Report, Settled, Traced};
use crate::value::{Both, Side};

/// One number of a register.
type Count = fn(&crate::run::Counts) -> u64;

/// How many entries of a list are shown.
const SHOWN: usize = 12;

fn paint(text: &str, style: Style, color: bool) -> String {
    if color { format!("{style}{text}{style:#}") } else { text.to_owned() }
}

fn colored(color: AnsiColor) -> Style {
    color.on_default()
}

/// Text from a system on a terminal: no control characters (S12).
pub(super) fn clean(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

/// A length of time, for people.
pub(super) fn duration(duration: Duration) -> String {
    let seconds = duration.as_secs();
    match (seconds / 3600, seconds / 60 % 60, seconds % 60) {
        (0, 0, s) => format!("{s} s"),
        (0, m, 0) => format!("{m} min"),
        (0, m, s) => format!("{m} min {s} s"),
        (h, 0, _) => format!("{h} h"),
        (h, m, _) => format!("{h} h {m} min"),
    }
}

/// The end of a run or plan: counts by register, then what needs a person, waits, and is worth knowing.
pub(super) fn report(report: &Report, color: bool) -> String {
    let mut out = String::new();
    let planned = report.verb == "plan";
    let mut columns: Vec<(&str, Count)> = vec![
        (if planned { "to link" } else { "linked" }, |c| c.linked),
        (if planned { "to create" } else { "created" }, |c| c.created),
        (if planned { "to update" } else { "updated" }, |c| c.updated),
        (if planned { "to delete" } else { "deleted" }, |c| c.deleted),
        ("unchanged", |c| c.unchanged),
        ("waiting", |c| c.waiting),
        ("set aside", |c| c.set_aside),
    ];
    if report.registers.values().any(|counts| counts.in_doubt > 0) {
        columns.push(("in doubt", |c| c.in_doubt));
    }
    for one in &report.commands {
        let _ = writeln!(out, "{}", settled(one));
    }
    if !report.registers.is_empty() {
        let name_width = report.registers.keys().map(String::len).max().unwrap_or(0).max(8);
        let _ = write!(out, "{:name_width$}", "");
        for (title, _) in &columns {
            let _ = write!(out, "  {title:>9}");
        }
        out.push('\n');
        for (name, counts) in &report.registers {
            let _ = write!(out, "{name:name_width$}");
            for (title, count) in &columns {
                let number = count(counts);
                let text = if number == 0 { format!("{:>9}", "·") } else { format!("{number:>9}") };
                let style = match *title {
                    _ if number == 0 => Style::new().dimmed(),
                    "set aside" | "in doubt" => colored(AnsiColor::Red).bold(),
                    "waiting" => colored(AnsiColor::Yellow),
                    "unchanged" => Style::new(),
                    _ => colored(AnsiColor::Green).bold(),
                };
                let _ = write!(out, "  {}", paint(&text, style, color));
            }
            out.push('\n');
        }
    }
    if !report.missing_codes.is_empty() {
        let title = format!("codes that a table lacks ({})", report.missing_codes.len());
        let _ = writeln!(out, "\n{}", paint(&title, colored(AnsiColor::Red).bold(), color));
        for missing in &report.missing_codes {
            let who = paint(&format!("{}: ", missing.register), Style::new().bold(), color);
            let _ = writeln!(out, "  {who}{}", clean(&missing.to_string()));
        }
        out.push('\n');
    }
    section(&mut out, "set aside: a person has to look", &report.set_aside, colored(AnsiColor::Red), color);
    section(&mut out, "no answer yet, or in doubt", &report.in_doubt, colored(AnsiColor::Red), color);
    section(&mut out, "waiting", &report.waiting, colored(AnsiColor::Yellow), color);
    section(&mut out, "worth knowing", &report.notes, colored(AnsiColor::Cyan), color);
    if let Some(first) = report.on_demand.first() {
        let names = report.on_demand.join(", ");
        let _ = writeln!(out, "on demand, no new ones in this run: {names} (`--only {first}` takes them)");
    }
    if report.refused.is_empty() {
        let seconds = report.milliseconds as u128;
        let writes = match report.writes {
            0 => "nothing written".to_owned(),
            1 => "1 write".to_owned(),
            n => format!("{n} writes"),
        };
        let _ =
            writeln!(out, "{} · {} reads · {}.{:03} s", writes, report.reads, seconds / 1000, seconds % 1000);
    }
    out
}

/// What became of a command that was left.
pub(super) fn settled(one: &Settled) -> String {
    let not = if one.done { "" } else { "not done: " };
    clean(&format!("command {} ({}): {not}{}", one.command, one.asked, one.said))
}

fn section(out: &mut String, title: &str, entries: &[Entry], style: Style, color: bool) {
    if entries.is_empty() {
        return;
    }
    let _ = writeln!(out, "\n{}", paint(&format!("{title} ({})", entries.len()), style.bold(), color));
    for entry in entries.iter().take(SHOWN) {
        let code = if entry.code.starts_with("ME") { format!(" [{}]", entry.code) } else { String::new() };
        let who = match (entry.register.as_str(), entry.record.as_str()) {
            ("", _) => String::new(),
            (register, "") => format!("{register}: "),
            (register, record) => format!("{register} {}: ", clean(record)),
        };
        let _ = writeln!(
            out,
            "  {}{}{}",
            paint(&who, Style::new().bold(), color),
            clean(&entry.reason),
            paint(&code, Style::new().dimmed(), color)
        );
    }
    if entries.len() > SHOWN {
        let _ = writeln!(out, "  … and {} more (`--format json` has them all)", entries.len() - SHOWN);
    }
    out.push('\n');
}

/// The record that a run is about: what was found, what is planned with it, and what holds it back.
pub(super) fn traced(traced: &Traced, planned: Option<&Change>, names: &Both<String>, color: bool) -> String {
    let held = &traced.held;
    let of = held.side.as_ref().map_or_else(String::new, |side| format!(" of {side}"));
    let other =
        names.iter().find(|(_, name)| held.side.as_ref() != Some(name)).map_or("", |(_, name)| name.as_str());
    let linked = match &held.linked_to {
        Some(id) => format!("linked with {} of {other}", clean(id)),
        None => "not linked".to_owned(),
    };
    let mut out = String::new();
    let _ = writeln!(out, "{} '{}' is {}{of}, {linked}", held.register, clean(&held.label), clean(&held.id));
    let text = planned.map(|planned| change(planned, names, color)).unwrap_or_default();
    out.push_str(&text);
    match planned.map(|planned| &planned.action) {
        // the change has said the reason
        Some(Action::Wait { .. } | Action::SetAside { .. }) => why::held_details(&mut out, held, 0),
        // an earlier run set it aside: it is tried again
        _ if !text.is_empty() && matches!(held.at, HeldAt::SetAside | HeldAt::NotValid) => {
            let code = held.code.as_deref().unwrap_or_default();
            let _ = writeln!(out, "    set aside when it was tried last: {} [{code}]", clean(&held.reason));
            why::held_details(&mut out, held, 0);
        }
        _ if text.is_empty() => {
            why::held_text(&mut out, held, 0);
            for note in &traced.notes {
                let _ = writeln!(out, "    {}", paint(&clean(note), Style::new().dimmed(), color));
            }
        }
        _ => {}
    }
    out
}

/// One change with its fields.
pub(super) fn change(change: &Change, names: &Both<String>, color: bool) -> String {
    let mut out = String::new();
    let label = clean(&change.label);
    let head = |sign: &str, text: String, ansi: AnsiColor| {
        paint(&format!("{sign} {text}"), colored(ansi).bold(), color)
    };
    let line = match &change.action {
        Action::Create { side, resource } => head(
            "+",
            format!("{} '{label}' → new {resource} in {}", change.register, names[*side]),
            AnsiColor::Green,
        ),
        Action::Link => {
            head("=", format!("{} '{label}': the two are linked", change.register), AnsiColor::Cyan)
        }
        Action::Update => head("~", format!("{} '{label}'", change.register), AnsiColor::Yellow),
        Action::Delete { side } => head(
            "-",
            format!("{} '{label}' is removed from {}", change.register, names[*side]),
            AnsiColor::Red,
        ),
        Action::Unlink => {
            head("-", format!("{} '{label}': the link is forgotten", change.register), AnsiColor::Red)
        }
        Action::Wait { reason } => {
            head("…", format!("{} '{label}' waits: {}", change.register, clean(reason)), AnsiColor::Yellow)
        }
        Action::SetAside { code, reason, .. } => head(
            "!",
            format!("{} '{label}' is set aside: {} [{code}]", change.register, clean(reason)),
            AnsiColor::Red,
        ),
        Action::Nothing => return String::new(),
    };
    let _ = writeln!(out, "{line}");
    for side in Side::BOTH {
        for field in &change.fields[side] {
            let (old, new) = if field.sensitive {
                ("•••".to_owned(), "•••".to_owned())
            } else {
                (clean(&field.old.to_string()), clean(&field.new.to_string()))
            };
            let why = paint(&format!("{} ({})", field.reason, field.origin), Style::new().dimmed(), color);
            let values = if matches!(change.action, Action::Create { .. }) {
                paint(&new, colored(AnsiColor::Green), color)
            } else {
                format!(
                    "{} → {}",
                    paint(&old, colored(AnsiColor::Red), color),
                    paint(&new, colored(AnsiColor::Green), color)
                )
            };
            let _ = writeln!(out, "    {}.{}: {values}  {why}", names[side], field.path);
        }
    }
    for embed in change.embeds.iter().filter(|embed| !embed.found.is_empty()) {
        let names: Vec<String> = embed.found.iter().map(|file| clean(&file.name)).collect();
        let count = match names.len() {
            1 => "1 file".to_owned(),
            many => format!("{many} files"),
        };
        let names = paint(&names.join(", "), colored(AnsiColor::Green), color);
        let _ = writeln!(out, "    {}: {count} inside: {names}", embed.at);
    }
    for note in &change.notes {
        let _ = writeln!(out, "    {}", paint(&clean(&note.text), Style::new().dimmed(), color));
    }
    out
}
