//! `setup`: asks for what a connection needs and writes its file (F-26).
//!
//! Every question has the help that the system file or the mapping gives it. Secrets are not asked for: the file names the
//! environment variable, or the file, that holds each. Where both systems answer, the values that a setting may have are read
//! from them. At the end both are looked at as `plan` does, and the first run may follow.

use std::collections::BTreeMap;
use std::io::{BufRead, IsTerminal};
use std::path::Path;
use std::rc::Rc;

use super::args::{Format, PlanArgs, RunArgs, SetupArgs, Target};
use super::{Exit, Terminal, author, place, planning, running};
use crate::clock::{Clock, SystemClock};
use crate::diagnostic::{At, Diagnostics, Sources, codes};
use crate::http::{Access, Client};
use crate::program::mapping::{CheckKind, Program, Setting, SettingKind};
use crate::program::mapping_compile::Answers;
use crate::program::open::Opened;
use crate::program::system::{Auth, CredentialKind};
use crate::run::answers_of;
use crate::spec::load::connection_text;
use crate::value::{Both, Map, Side, Value, parse_decimal};

/// How many possible answers are listed.
const LISTED: usize = 20;

/// The person who answers.
struct Person<'t> {
    terminal: &'t Terminal,
    lines: std::io::Lines<std::io::StdinLock<'static>>,
}

/// The answers ended before the questions did.
struct Silent;

impl Person<'_> {
    /// One question; what stands in brackets is taken where the answer is empty.
    fn ask(&mut self, question: &str, default: Option<&str>) -> Result<String, Silent> {
        match default {
            Some(default) => self.terminal.ask(format_args!("{question} [{default}]: ")),
            None => self.terminal.ask(format_args!("{question}: ")),
        }
        let line = self.lines.next().and_then(Result::ok).ok_or(Silent)?;
        let answer = line.trim();
        if !std::io::stdin().is_terminal() {
            // nobody typed it here: the questions and answers are read all the same
            self.terminal.say(answer);
        }
        Ok(if answer.is_empty() { default.unwrap_or_default().to_owned() } else { answer.to_owned() })
    }

    /// The same until there is an answer.
    fn must(&mut self, question: &str, default: Option<&str>) -> Result<String, Silent> {
        loop {
            let answer = self.ask(question, default)?;
            if !answer.is_empty() {
                return Ok(answer);
            }
            self.terminal.say("  this one has to be answered");
        }
    }

    fn agrees(&mut self, question: &str) -> Result<bool, Silent> {
        Ok(matches!(self.ask(&format!("{question} (y/n)"), Some("n"))?.as_str(), "y" | "yes" | "Y"))
    }
}

/// `setup`.
pub(super) fn setup(terminal: &Terminal, args: &SetupArgs) -> Exit {
    let (mut sources, mut found) = (Sources::new(), Diagnostics::new());
    let program = Opened::read(&args.mapping, &mut sources, &mut found).and_then(|opened| {
        let program = opened.program(&Answers::None, &sources, &mut found)?;
        Some((opened, program))
    });
    let Some((opened, program)) = program else { return place::refuse(terminal, &found, &sources) };
    if args.out.exists() {
        terminal.say(format_args!(
            "error: {} is there already: name another file, or move it away",
            args.out.display()
        ));
        return Exit::BadInput;
    }
    let mut person = Person { terminal, lines: std::io::stdin().lock().lines() };
    match asked(&mut person, args, &opened, &program) {
        Ok(exit) => exit,
        Err(Silent) => {
            terminal.say("\nerror: the answers ended before the questions did; nothing was written");
            Exit::BadInput
        }
    }
}

fn asked(person: &mut Person, args: &SetupArgs, opened: &Opened, program: &Program) -> Result<Exit, Silent> {
    let terminal = person.terminal;
    let stem = args.out.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    let name = args.name.clone().unwrap_or(stem);
    terminal.say(format_args!("{}: a connection for {name}\n", program.title));
    let mut text = format!("connection: {}\n", quoted(&name));
    text.push_str(&format!("mapping: {}\n", quoted(&mapping_from(&args.out, &args.mapping))));
    text.push_str("systems:\n");
    text.push_str(&systems(person, opened)?);
    let clients = clients(terminal, args, opened, program, &text);
    let settings = settings(person, opened, program, clients.as_ref())?;
    if !settings.is_empty() {
        text.push_str("settings:\n");
        for (name, answer) in &settings {
            // JSON is YAML
            text.push_str(&format!("  {name}: {}\n", answer.to_json()));
        }
    }
    let confirmed = confirmed(person, program)?;
    if !confirmed.is_empty() {
        text.push_str(&format!("confirmed: [ {} ]\n", confirmed.join(", ")));
    }
    text.push_str(&format!("state: {}\n", quoted(&format!("sqlite:{name}.db"))));
    if let Err(exit) = author::put(terminal, Some(&args.out), &text) {
        return Ok(exit);
    }
    terminal.say(format_args!("\n{} is written", args.out.display()));
    Ok(first_run(person, args, clients.is_some()))
}

/// The mapping as the connection file names it: relative to that file where both are given so.
fn mapping_from(out: &Path, mapping: &Path) -> String {
    let beside = out.parent().filter(|folder| !folder.as_os_str().is_empty());
    let named = match beside {
        Some(folder) => mapping
            .strip_prefix(folder)
            .map(Path::to_path_buf)
            .or_else(|_| std::path::absolute(mapping))
            .unwrap_or_else(|_| mapping.to_owned()),
        None => mapping.to_owned(),
    };
    named.display().to_string()
}

/// Where the token call of another address probably is.
fn token_address(address: &str, url: &str) -> String {
    let path = url::Url::parse(url).map_or_else(|_| url.to_owned(), |url| url.path().to_owned());
    let root = url::Url::parse(address)
        .map_or_else(|_| address.to_owned(), |url| url.origin().ascii_serialization());
    format!("{root}{path}")
}

fn quoted(text: &str) -> String {
    Value::text(text).to_json()
}

/// The addresses and credentials of both systems.
fn systems(person: &mut Person, opened: &Opened) -> Result<String, Silent> {
    let mut text = String::new();
    for side in Side::BOTH {
        let (system, name) = (&opened.systems[side], &opened.names[side]);
        person.terminal.say(format_args!("{} ({name})", system.title));
        text.push_str(&format!("  {name}:\n"));
        let address = person.ask("  address", Some(&system.base_url))?;
        if address != system.base_url {
            text.push_str(&format!("    base_url: {}\n", quoted(&address)));
            if let Auth::ClientCredentials(flow) = &system.auth {
                let beside = token_address(&address, &flow.url);
                let token = person.ask("  address of its token call", Some(&beside))?;
                text.push_str(&format!("    token_url: {}\n", quoted(&token)));
            }
        }
        if system.credentials.is_empty() {
            continue;
        }
        text.push_str("    credentials:\n");
        for credential in &system.credentials {
            if let Some(help) = &credential.help {
                person.terminal.say(format_args!("  {}: {help}", credential.name));
            }
            let value = match credential.kind {
                CredentialKind::Secret => {
                    let variable = format!("{name}_{}", credential.name).to_uppercase();
                    let question = format!(
                        "  {}: the environment variable (or file:PATH) that holds it",
                        credential.name
                    );
                    match person.must(&question, Some(&variable))? {
                        file if file.starts_with("file:") => file,
                        variable => format!("${{{}}}", variable.trim_start_matches('$')),
                    }
                }
                CredentialKind::Text => {
                    person.must(&format!("  {}", credential.name), credential.default.as_deref())?
                }
            };
            text.push_str(&format!("      {}: {}\n", credential.name, quoted(&value)));
        }
    }
    Ok(text)
}

/// Clients that only read, where every secret is at hand.
fn clients(
    terminal: &Terminal,
    args: &SetupArgs,
    opened: &Opened,
    program: &Program,
    text: &str,
) -> Option<Both<Rc<Client>>> {
    let (mut sources, mut found) = (Sources::new(), Diagnostics::new());
    let connection = connection_text(&mut sources, &args.out, text, &mut found);
    let ends = connection.and_then(|connection| {
        place::ends(opened, &connection, &args.out, place::Secrets::Read, &sources, &mut found)
    });
    let clock: Rc<dyn Clock> = Rc::new(SystemClock::default());
    let clients = ends
        .filter(|_| !found.has_errors())
        .and_then(|ends| place::clients(program, &ends, &clock, Access::ReadOnly, None).ok());
    if clients.is_none() {
        terminal.say("\n(not every secret is at hand here: what the systems could tell is not looked up)");
        for one in (&found).into_iter().take(4) {
            terminal.say(format_args!("  {}", one.message));
        }
    }
    clients
}

/// The answers to the mapping's settings; those that are as the mapping has them are left out.
fn settings(
    person: &mut Person,
    opened: &Opened,
    program: &Program,
    clients: Option<&Both<Rc<Client>>>,
) -> Result<Map, Silent> {
    let mut answers = Map::new();
    if !program.settings.is_empty() {
        person.terminal.say("\nSettings");
    }
    for setting in program.settings.values() {
        person.terminal.say(format_args!("{}", setting.help));
        let possible = possible(person.terminal, program, setting, clients);
        for (value, told) in possible.iter().take(LISTED) {
            person.terminal.say(format_args!("    {value}  {}", told.as_deref().unwrap_or_default()));
        }
        if possible.len() > LISTED {
            person.terminal.say(format_args!("    … and {} more", possible.len() - LISTED));
        }
        let default = setting.default.as_ref().and_then(Value::scalar_text);
        loop {
            let question = format!("  {}{}", setting.name, kind(program, setting));
            let text = match setting.required && default.is_none() {
                true => person.must(&question, None)?,
                false => person.ask(&question, default.as_deref())?,
            };
            if text.is_empty() || Some(&text) == default.as_ref() {
                break;
            }
            let known = possible.is_empty() || possible.iter().any(|(value, _)| *value == text);
            match answer(opened, setting, &text) {
                Ok(_) if !known => person.terminal.say(format_args!("  `{text}` is none of them")),
                Ok(value) => {
                    answers.insert(setting.name.clone(), value);
                    break;
                }
                Err(problem) => person.terminal.say(format_args!("  {problem}")),
            }
        }
    }
    Ok(answers)
}

/// What kind of answer is wanted, in a word.
fn kind(program: &Program, setting: &Setting) -> String {
    let (left, right) = (&program.sides.left.name, &program.sides.right.name);
    match setting.kind {
        SettingKind::Bool => " (true, false)".to_owned(),
        SettingKind::Table => " (theirs=ours, …)".to_owned(),
        SettingKind::Direction => format!(" ({left} -> {right}, {right} -> {left}, both, none)"),
        SettingKind::Side => format!(" ({left}, {right})"),
        SettingKind::Choice if !setting.of.is_empty() => format!(" ({})", setting.of.join(", ")),
        _ => String::new(),
    }
}

/// The answers that a system has for a setting, with what tells them apart; none where it is not asked.
fn possible(
    terminal: &Terminal,
    program: &Program,
    setting: &Setting,
    clients: Option<&Both<Rc<Client>>>,
) -> Vec<(String, Option<String>)> {
    let (Some((side, resource, field)), Some(clients)) = (&setting.from, clients) else { return Vec::new() };
    let system = &program.sides[*side].system;
    let Some(runtime) = running::runtime() else { return Vec::new() };
    let local = tokio::task::LocalSet::new();
    local.block_on(&runtime, answers_of(system, resource, field, &clients[*side])).unwrap_or_else(|error| {
        terminal.say(format_args!("    ({} could not be asked: {error})", program.sides[*side].name));
        Vec::new()
    })
}

/// An answer as its kind has it, checked as a connection's is.
fn answer(opened: &Opened, setting: &Setting, text: &str) -> Result<Value, String> {
    let value = match setting.kind {
        SettingKind::Bool => match text {
            "true" | "yes" | "y" => Value::Bool(true),
            "false" | "no" | "n" => Value::Bool(false),
            _ => return Err("write true or false".to_owned()),
        },
        SettingKind::Integer => {
            Value::Number(parse_decimal(text).ok_or_else(|| "write a whole number".to_owned())?)
        }
        SettingKind::Table => {
            let mut table = Map::new();
            for pair in text.split(',').map(str::trim).filter(|pair| !pair.is_empty()) {
                let (theirs, ours) =
                    pair.split_once('=').ok_or_else(|| format!("`{pair}`: write THEIRS=OURS"))?;
                table.insert(theirs.trim().to_owned(), Value::text(ours.trim()));
            }
            Value::Map(table)
        }
        _ => Value::text(text),
    };
    let (name, given) = (At::from(setting.name.clone()), At::from(value.clone()));
    let mut found = Diagnostics::new();
    opened.program(&Answers::Case(vec![(&name, &given)]), &Sources::new(), &mut found);
    let mine = format!("`{}`", setting.name);
    let wrong = (&found).into_iter().find(|one| {
        one.code.id == codes::WRONG_ANSWER.id && one.message.contains(&mine)
            || one.code.id == codes::BAD_DIRECTION.id && one.message.contains(text)
            || one.code.id == codes::UNKNOWN_SIDE.id && one.message.contains(text)
    });
    match wrong {
        Some(wrong) => {
            Err(std::iter::once(&wrong.message).chain(&wrong.help).cloned().collect::<Vec<_>>().join(": "))
        }
        None => Ok(value),
    }
}

/// What only a person can say: the sentences that were agreed to.
fn confirmed(person: &mut Person, program: &Program) -> Result<Vec<String>, Silent> {
    let mut agreed = Vec::new();
    let sentences: BTreeMap<&str, &str> = program
        .checks
        .iter()
        .filter_map(|check| match &check.kind {
            CheckKind::Confirm(sentence) => Some((check.id.as_str(), sentence.as_str())),
            _ => None,
        })
        .collect();
    if !sentences.is_empty() {
        person.terminal.say("\nOnly a person can say this");
    }
    for (id, sentence) in sentences {
        if person.agrees(&format!("  {sentence}"))? {
            agreed.push(id.to_owned());
        } else {
            person.terminal.say("  see to it before the first run; it is not in the file");
        }
    }
    Ok(agreed)
}

/// Both systems are looked at, and the first run follows where somebody wants it.
fn first_run(person: &mut Person, args: &SetupArgs, reachable: bool) -> Exit {
    let terminal = person.terminal;
    let file = args.out.display();
    let target = Target { mapping: None, connection: Some(args.out.clone()), settings: Vec::new() };
    let look = "Look at both systems now? Every check is made and shown, nothing is written";
    if !reachable || !matches!(person.agrees(look), Ok(true)) {
        terminal.say(format_args!(
            "next:\n  mapengine plan --connection {file}\n  mapengine run  --connection {file}"
        ));
        return Exit::Done;
    }
    let exit = planning::plan(terminal, &PlanArgs { target: target.clone(), ..PlanArgs::default() });
    if !matches!(exit, Exit::Done | Exit::NeedsPerson) {
        terminal.say(format_args!("next: mend that, then\n  mapengine plan --connection {file}"));
        return exit;
    }
    if !matches!(person.agrees("Carry that out now"), Ok(true)) {
        terminal.say(format_args!("next:\n  mapengine run --connection {file}"));
        return exit;
    }
    running::run(terminal, &RunArgs { target, format: Format::Human, ..RunArgs::default() }, false)
}
