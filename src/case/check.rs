//! Everything a case or a sandbox file names is there: sides, resources, registers, fields, counts.
//!
//! A misspelt name would not fail by itself: nothing is ever found under it, so `count: 0` always holds. So
//! names are resolved before anything runs, and what cannot fail is refused, too.

use std::path::Path;
use std::sync::Arc;

use crate::diagnostic::{At, Code, Diagnostic, Diagnostics, Level, Sources, Span, codes, suggest};
use crate::program::files::Which;
use crate::program::mapping::Program;
use crate::program::mapping_compile::Answers;
use crate::program::open::Opened;
use crate::program::system::Resource;
use crate::program::types::Type;
use crate::sandbox::misfits;
use crate::spec::cases::{Case, Cases, Expect, GivenLink};
use crate::spec::load::load_cases;
use crate::spec::sandbox::Sandbox;
use crate::spec::yaml::{List, Table};
use crate::value::{Path as FieldPath, Side, Value};

/// The methods of a write.
const WRITES: [&str; 4] = ["POST", "PUT", "PATCH", "DELETE"];

/// Reads a file of cases with its mapping, and checks every name in it. Nothing comes of a file with errors.
pub fn open_cases(
    path: &Path,
    sources: &mut Sources,
    diagnostics: &mut Diagnostics,
) -> Option<(Cases, Opened)> {
    let cases = load_cases(sources, path, diagnostics)?;
    let mapping = path.parent().unwrap_or(Path::new("")).join(&cases.mapping.value);
    if !mapping.exists() {
        diagnostics.push(
            Diagnostic::error(
                &codes::BAD_CASE,
                cases.mapping.span,
                format!("there is no file {}", mapping.display()),
            )
            .help("the path is relative to the folder of this file"),
        );
        return None;
    }
    let mut own = Diagnostics::new();
    let opened = Opened::read(&mapping, sources, &mut own);
    // without answers every register is compiled: a case may say that one which is not wanted does nothing
    let program = opened.as_ref().and_then(|opened| opened.program(&Answers::None, sources, &mut own));
    if let (Some(opened), Some(program)) = (&opened, &program) {
        let mut check = Check { opened, sources, found: &mut own };
        check.settings(&cases);
        check.given(&cases.given);
        for case in cases.cases.iter() {
            check.case(program, &cases, case);
        }
    }
    let sound = !own.has_errors();
    // what `validate` would only remark of the mapping is said there
    for one in own.into_iter().filter(|one| one.level == Level::Error) {
        diagnostics.push(one.clone());
    }
    opened.filter(|_| sound).map(|opened| (cases, opened))
}

/// Checks every name of a sandbox file.
pub fn check_sandbox(data: &Sandbox, opened: &Opened, sources: &Sources, diagnostics: &mut Diagnostics) {
    let mut check = Check { opened, sources, found: diagnostics };
    check.given(&data.systems);
    for event in data.events.iter() {
        check.edit(&event.side, &event.resource, &event.of, &event.set, event.delete);
    }
}

struct Check<'a> {
    opened: &'a Opened,
    sources: &'a Sources,
    found: &'a mut Diagnostics,
}

impl Check<'_> {
    fn error(&mut self, code: &'static Code, span: Span, message: String, help: Option<String>) {
        let diagnostic = Diagnostic::error(code, span, message);
        self.found.push(match help {
            Some(help) => diagnostic.help(help),
            None => diagnostic,
        });
    }

    /// An unknown name, with the nearest known one, or all of them.
    fn unknown(&mut self, code: &'static Code, name: &At<String>, message: String, known: &[&str]) {
        let help = match suggest(&name.value, known.iter().copied()) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("known here: {}", few(known)),
        };
        self.error(code, name.span, message, Some(help));
    }

    fn side(&mut self, name: &At<String>) -> Option<Side> {
        let names = &self.opened.names;
        let side = Side::BOTH.into_iter().find(|side| names[*side] == name.value);
        if side.is_none() {
            let known = [names.left.as_str(), names.right.as_str()];
            let message = format!("`{name}` is no side of the mapping");
            self.unknown(&codes::UNKNOWN_SIDE, name, message, &known);
        }
        side
    }

    fn resource(&mut self, side: Side, name: &At<String>) -> Option<Arc<Resource>> {
        let system = &self.opened.systems[side];
        let resource = system.resources.get(&name.value).cloned();
        if resource.is_none() {
            let known: Vec<&str> = system.resources.keys().map(String::as_str).collect();
            let message = format!("{} has no resource `{name}`", self.opened.names[side]);
            self.unknown(&codes::UNKNOWN_RESOURCE, name, message, &known);
        }
        resource
    }

    fn register(&mut self, program: &Program, name: &At<String>) -> bool {
        let found = program.register(&name.value).is_some();
        if !found {
            let known: Vec<&str> = program.all().map(|one| one.name.as_str()).collect();
            let message = format!("the mapping has no register `{name}`");
            self.unknown(&codes::UNKNOWN_REGISTER, name, message, &known);
        }
        found
    }

    /// A path that can be read.
    fn path(&mut self, text: &At<String>) -> bool {
        let Err(problem) = FieldPath::parse(&text.value) else { return true };
        let end = (problem.at + 1).min(text.value.len());
        let span = self.sources.inner_span(text.span, &text.value, problem.at..end);
        self.error(
            &codes::BAD_PATH,
            span,
            problem.message,
            Some("a path is names with dots: `mainAddress.city`, `lines[0].price`".to_owned()),
        );
        false
    }

    /// Fields with values that they can hold.
    fn values(&mut self, side: Side, resource: &Resource, values: &Table<Value>) {
        for (name, value) in values {
            if !self.path(name) {
                continue;
            }
            for misfit in misfits(&self.opened.systems[side], resource, &name.value, value) {
                let code = if misfit.unknown { &codes::UNKNOWN_FIELD } else { &codes::VALUE_TYPE };
                let help = match (misfit.near, misfit.known) {
                    (Some(near), _) => Some(format!("did you mean `{near}`?")),
                    (None, known) if known.is_empty() => self.declared(side, resource, name),
                    (None, known) => Some(format!("its fields are {}", few(&known))),
                };
                self.error(code, name.span, misfit.text, help);
            }
        }
    }

    /// What a value of a field has to be.
    fn declared(&self, side: Side, resource: &Resource, name: &At<String>) -> Option<String> {
        let path = FieldPath::parse(&name.value).ok()?;
        let ty = resource.field_at(&path).map_or(Type::Any, |(field, _)| field.ty.clone());
        let system = &self.opened.systems[side].title;
        Some(format!("write it as {} of {system} holds it: {ty}", resource.name))
    }

    fn given(&mut self, given: &Table<Table<List<Table<Value>>>>) {
        for (side, resources) in given {
            let Some(side) = self.side(side) else { continue };
            for (name, records) in resources {
                if name.value.contains('.') {
                    self.given_files(side, name, records);
                    continue;
                }
                let Some(resource) = self.resource(side, name) else { continue };
                for record in records.iter() {
                    self.values(side, &resource, record);
                }
            }
        }
    }

    /// Files of records: `RESOURCE.FILES`, each with the record it belongs to.
    fn given_files(&mut self, side: Side, name: &At<String>, files: &List<Table<Value>>) {
        let system = Arc::clone(&self.opened.systems[side]);
        let lists: Vec<String> = system
            .resources
            .values()
            .flat_map(|one| {
                let lists = one.files.values().filter(|files| matches!(files.which, Which::Listed { .. }));
                lists.map(|files| format!("{}.{}", one.name, files.name))
            })
            .collect();
        let of = name.value.split_once('.').map(|(of, _)| of).filter(|_| lists.contains(&name.value));
        let Some(resource) = of.and_then(|of| system.resources.get(of)) else {
            let known: Vec<&str> = lists.iter().map(String::as_str).collect();
            let message = format!("{} has no list of files `{name}`", self.opened.names[side]);
            self.unknown(&codes::UNKNOWN_RESOURCE, name, message, &known);
            return;
        };
        for file in files.iter() {
            for (word, value) in file {
                match (&*word.value, value) {
                    ("of", Value::Map(of)) => {
                        let of = of.iter().map(|(field, value)| {
                            (At { value: field.clone(), span: word.span }, value.clone())
                        });
                        self.values(side, resource, &Table(of.collect()));
                    }
                    ("name" | "type" | "content", Value::Text(_)) => {}
                    ("of", _) => {
                        let help = "write the fields that tell the record: `of: { FIELD: VALUE }`".to_owned();
                        let message = "`of` tells which record the file belongs to".to_owned();
                        self.error(&codes::BAD_CASE, word.span, message, Some(help));
                    }
                    ("name" | "type" | "content", _) => {
                        let message = format!("`{word}` of a file is a text");
                        let help = format!("write it in quotes: `{word}: \"…\"`");
                        self.error(&codes::BAD_CASE, word.span, message, Some(help));
                    }
                    _ => {
                        let message = format!("a file has no `{word}`");
                        self.unknown(
                            &codes::UNKNOWN_FIELD,
                            word,
                            message,
                            &["of", "name", "type", "content"],
                        );
                    }
                }
            }
        }
    }

    /// The settings of the file alone, and those of each case that has its own.
    fn settings(&mut self, cases: &Cases) {
        let plain = cases.cases.iter().find(|case| case.settings.is_empty());
        for case in plain.into_iter().chain(cases.cases.iter().filter(|case| !case.settings.is_empty())) {
            let mut found = Diagnostics::new();
            self.opened.program(&answers(cases, case), self.sources, &mut found);
            for one in found.into_iter().filter(|one| one.level == Level::Error) {
                let mut one = one.clone();
                if !one.span.is_known() {
                    one.span = case.case.span;
                }
                self.found.push(one);
            }
        }
    }

    fn case(&mut self, program: &Program, cases: &Cases, case: &Case) {
        self.given(&case.given);
        for name in case.without.iter() {
            self.without(cases, name);
        }
        for name in case
            .only
            .iter()
            .chain(case.then.iter().flat_map(|then| then.only.iter()).flat_map(|only| only.iter()))
        {
            self.register(program, name);
        }
        for link in case.links.iter() {
            self.link(program, link);
        }
        let steps = || std::iter::once(&case.expect).chain(case.then.iter().map(|then| &then.expect));
        if steps().all(expects_nothing) {
            self.error(
                &codes::BAD_CASE,
                case.case.span,
                "this case expects nothing, so it cannot fail".to_owned(),
                Some("say under `expect:` what must come of it; `requests: []` for no write".to_owned()),
            );
        }
        for expect in steps() {
            self.expect(program, expect);
        }
        for edit in case.then.iter().flat_map(|then| then.edit.iter()) {
            self.edit(&edit.side, &edit.resource, &edit.of, &edit.set, edit.delete);
        }
    }

    /// `without` takes away what the file gives.
    fn without(&mut self, cases: &Cases, name: &At<String>) {
        let mut known = Vec::new();
        for (side, resources) in &cases.given {
            for (resource, _) in resources {
                known.push(resource.value.clone());
                known.push(format!("{side}.{resource}"));
            }
        }
        if !known.contains(&name.value) {
            let known: Vec<&str> = known.iter().map(String::as_str).collect();
            let message = format!("the file gives no `{name}` that could be left out");
            self.unknown(&codes::UNKNOWN_RESOURCE, name, message, &known);
        }
    }

    fn link(&mut self, program: &Program, link: &GivenLink) {
        if !self.register(program, &link.register) {
            return;
        }
        let Some(register) = program.register(&link.register.value) else { return };
        for (side, of) in [(Side::Left, &link.left), (Side::Right, &link.right)] {
            let system = &self.opened.systems[side];
            // of many resources the one that fits best is meant
            let wrong = |resource: &Resource| -> usize {
                of.iter().map(|(name, value)| misfits(system, resource, &name.value, value).len()).sum()
            };
            let best = register.ends[side]
                .members
                .iter()
                .map(|member| &member.resource)
                .min_by_key(|one| wrong(one));
            if let Some(best) = best {
                let best = Arc::clone(best);
                self.values(side, &best, of);
            }
        }
    }

    /// A change by a person.
    fn edit(
        &mut self,
        side: &At<String>,
        resource: &At<String>,
        of: &Table<Value>,
        set: &Table<Value>,
        delete: bool,
    ) {
        if let Some(side) = self.side(side)
            && let Some(resource) = self.resource(side, resource)
        {
            self.values(side, &resource, of);
            self.values(side, &resource, set);
        }
        let wrong = match (delete, of.is_empty(), set.is_empty()) {
            (true, true, _) => ("what is deleted is told by `of`", "add `of: { FIELD: VALUE }`"),
            (true, false, false) => {
                ("a record that is deleted gets no fields", "leave out `set` or `delete`")
            }
            (false, _, true) => ("this changes nothing", "add `set`, or `delete: true`"),
            _ => return,
        };
        self.error(&codes::BAD_CASE, resource.span, wrong.0.to_owned(), Some(wrong.1.to_owned()));
    }

    fn expect(&mut self, program: &Program, expect: &Expect) {
        for text in expect.refused.iter().chain(expect.messages.iter()) {
            if text.value.trim().is_empty() {
                let help = "write some words of the reason".to_owned();
                self.error(
                    &codes::BAD_CASE,
                    text.span,
                    "every text holds the empty one".to_owned(),
                    Some(help),
                );
            }
        }
        for (register, _) in &expect.counts {
            self.register(program, register);
        }
        for record in expect.records.iter() {
            if let Some(side) = self.side(&record.side)
                && let Some(resource) = self.resource(side, &record.resource)
            {
                self.values(side, &resource, &record.of);
                self.values(side, &resource, &record.is);
            }
            if let (Some(0), Some((first, _))) = (record.count, record.is.iter().next()) {
                let message = "`count: 0` says that there is none, so `is` is never looked at".to_owned();
                self.error(&codes::BAD_CASE, first.span, message, Some("leave out one of them".to_owned()));
            }
        }
        for request in expect.requests.iter().flat_map(|requests| requests.iter()) {
            self.side(&request.side);
            let call = request.call.value.split_once(' ');
            if !call.is_some_and(|(method, path)| WRITES.contains(&method) && path.starts_with('/')) {
                self.error(
                    &codes::BAD_CASE,
                    request.call.span,
                    format!("`{}` is no write", request.call),
                    Some("write method and path below the base address: `POST /v1/customer`".to_owned()),
                );
            }
            for (path, _) in &request.holds {
                self.path(path);
            }
        }
    }
}

/// The answers of a file and a case to the settings; those of the case count.
pub(super) fn answers<'a>(cases: &'a Cases, case: &'a Case) -> Answers<'a> {
    Answers::Case(cases.settings.iter().chain(case.settings.iter()).collect())
}

fn expects_nothing(expect: &Expect) -> bool {
    expect.refused.is_none()
        && expect.counts.is_empty()
        && expect.records.is_empty()
        && expect.messages.is_empty()
        && expect.requests.is_none()
}

/// The first dozen of many names.
fn few(names: &[impl std::borrow::Borrow<str>]) -> String {
    const SHOWN: usize = 12;
    let more = if names.len() > SHOWN { ", …" } else { "" };
    names[..names.len().min(SHOWN)].join(", ") + more
}
