//! `validate`, `explain`, `test`: what is wrong with files, before anything runs.

use std::path::{Path, PathBuf};

use super::args::{FindingFormat, Format as Output, TestArgs, ValidateArgs};
use super::{Exit, Terminal, place};
use crate::case::{check_sandbox, open_cases, run_file};
use crate::diagnostic::{Diagnostic, Diagnostics, Format, Sources, Span, codes, render};
use crate::program::open::Opened;
use crate::program::system_compile::compile_system;
use crate::sandbox::Company;
use crate::spec::load::{FileKind, file_kind, load_sandbox, load_system};

/// The YAML files of paths: files as they are, folders with everything below them, sorted.
fn files(paths: &[PathBuf]) -> Result<Vec<PathBuf>, String> {
    fn add(path: &Path, out: &mut Vec<PathBuf>) -> std::io::Result<()> {
        let mut entries: Vec<PathBuf> = std::fs::read_dir(path)?
            .map(|entry| entry.map(|entry| entry.path()))
            .collect::<Result<_, _>>()?;
        entries.sort();
        for entry in entries {
            let hidden = entry.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.'));
            if entry.is_dir() && !hidden {
                add(&entry, out)?;
            } else if entry.extension().is_some_and(|extension| extension == "yaml" || extension == "yml") {
                out.push(entry);
            }
        }
        Ok(())
    }
    let mut out = Vec::new();
    for path in paths {
        if path.is_dir() {
            add(path, &mut out).map_err(|error| format!("{}: {error}", path.display()))?;
        } else {
            out.push(path.clone());
        }
    }
    Ok(out)
}

/// `validate`.
pub(super) fn validate(terminal: &Terminal, args: &ValidateArgs) -> Exit {
    let paths = match files(&args.paths) {
        Ok(paths) => paths,
        Err(reason) => {
            terminal.say(format_args!("error: {reason}"));
            return Exit::BadInput;
        }
    };
    let mut sources = Sources::new();
    let mut found = Diagnostics::new();
    let mut checked = 0;
    for path in &paths {
        let known = validate_file(path, &mut sources, &mut found);
        checked += usize::from(known);
        // a folder may hold YAML of others; a file that was named is meant
        if !known && args.paths.contains(path) {
            let message = format!("{}: nothing says what kind of file this is", path.display());
            found.push(
                Diagnostic::error(&codes::UNKNOWN_FILE, Span::NONE, message)
                    .help("it begins with `system`, `mapping`, `connection`, `cases` or `sandbox`"),
            );
        }
    }
    let format = match args.format {
        FindingFormat::Human => Format::Human { color: terminal.color },
        FindingFormat::Json => Format::Json,
        FindingFormat::Github => Format::Github,
    };
    terminal.text(&render(&found, &sources, format));
    if checked == 0 && found.is_empty() {
        return nothing_found(
            terminal,
            &args.paths,
            "no file that begins with `system`, `mapping`, `connection`, `cases` or `sandbox`",
        );
    }
    let errors = found.into_iter().filter(|one| one.level == crate::diagnostic::Level::Error).count();
    let warnings = found.len() - errors;
    if args.format == FindingFormat::Human {
        let counted =
            |n: usize, what: &str| if n == 1 { format!("1 {what}") } else { format!("{n} {what}s") };
        match (errors, warnings) {
            (0, 0) => terminal.line(format_args!("{} checked, nothing wrong", counted(checked, "file"))),
            _ => terminal.line(format_args!(
                "{} checked: {}, {}",
                counted(checked, "file"),
                counted(errors, "error"),
                counted(warnings, "warning")
            )),
        }
    }
    if errors > 0 { Exit::BadInput } else { Exit::Done }
}

/// Nobody asks to look at nothing: a path is wrong, or a name.
fn nothing_found(terminal: &Terminal, paths: &[PathBuf], what: &str) -> Exit {
    let paths: Vec<String> = paths.iter().map(|path| path.display().to_string()).collect();
    terminal.say(format_args!("error: {}: {what} was found", paths.join(", ")));
    Exit::BadInput
}

/// Whether it is a file of ours.
fn validate_file(path: &Path, sources: &mut Sources, found: &mut Diagnostics) -> bool {
    // the kind is looked up in a copy: the file is read once more by its own reader
    let mut aside = Sources::new();
    let mut unknown = Diagnostics::new();
    let Some(kind) = file_kind(&mut aside, path, &mut unknown) else {
        // read again, so that what is wrong points into the shared sources
        let before = found.len();
        let _ = file_kind(sources, path, found);
        return found.len() > before;
    };
    match kind {
        FileKind::System => {
            if let Some(spec) = load_system(sources, path, found) {
                compile_system(&spec, sources, found);
            }
        }
        FileKind::Mapping => {
            if let Some(opened) = Opened::read(path, sources, found) {
                opened.check(sources, found);
            }
        }
        FileKind::Connection => {
            place::check_connection(path, sources, found);
        }
        FileKind::Cases => {
            open_cases(path, sources, found);
        }
        FileKind::Sandbox => {
            let Some(data) = load_sandbox(sources, path, found) else { return true };
            // mappings/sandbox/NAME.yaml belongs to mappings/NAME.yaml
            let mapping = path
                .parent()
                .and_then(Path::parent)
                .unwrap_or(Path::new(""))
                .join(format!("{}.yaml", data.sandbox));
            let mut silent = Diagnostics::new();
            let Some(opened) = Opened::read(&mapping, &mut Sources::new(), &mut silent) else { return true };
            let mut own = Diagnostics::new();
            check_sandbox(&data, &opened, sources, &mut own);
            // records that hold what they may still need each other
            if !own.has_errors()
                && let Err(error) = Company::new(opened.names.clone(), &opened.systems, &data)
            {
                for problem in error.0 {
                    own.push(Diagnostic::error(&codes::BAD_CASE, data.sandbox.span, problem));
                }
            }
            found.extend(own);
        }
    }
    true
}

/// `explain`.
pub(super) fn explain(terminal: &Terminal, code: Option<&str>) -> Exit {
    let Some(id) = code else {
        for code in codes::ALL {
            terminal.line(format_args!("{}  {}", code.id, code.title));
        }
        return Exit::Done;
    };
    match codes::find(id) {
        Some(code) => {
            terminal.line(format_args!("{}: {}\n\n{}", code.id, code.title, code.explain));
            Exit::Done
        }
        None => {
            terminal.say(format_args!("error: there is no code `{id}` (`mapengine explain` lists them all)"));
            Exit::BadInput
        }
    }
}

/// A file that was named and holds no cases.
fn no_cases(path: &Path, kind: Option<FileKind>, sources: &mut Sources, found: &mut Diagnostics) {
    let before = found.len();
    // what is wrong with it as YAML says more
    let _ = file_kind(sources, path, found);
    if found.len() == before {
        let what = kind.map_or_else(|| "something else".to_owned(), |kind| kind.to_string());
        let message = format!("{}: {} is wanted, this is {what}", path.display(), FileKind::Cases);
        found.push(Diagnostic::error(&codes::UNKNOWN_FILE, Span::NONE, message));
    }
}

/// `test`.
pub(super) fn test(terminal: &Terminal, args: &TestArgs) -> Exit {
    let paths = if args.paths.is_empty() { vec![PathBuf::from("mappings")] } else { args.paths.clone() };
    let asked = paths;
    let paths = match files(&asked) {
        Ok(paths) => paths,
        Err(reason) => {
            terminal.say(format_args!("error: {reason}"));
            return Exit::BadInput;
        }
    };
    let mut sources = Sources::new();
    let mut found = Diagnostics::new();
    let (mut passed, mut failed) = (0, 0);
    let mut all = Vec::new();
    for path in paths {
        match file_kind(&mut Sources::new(), &path, &mut Diagnostics::new()) {
            Some(FileKind::Cases) => {}
            // a folder holds other files too; one that was named is meant
            other => {
                if args.paths.contains(&path) {
                    no_cases(&path, other, &mut sources, &mut found);
                }
                continue;
            }
        }
        for result in run_file(&path, args.filter.as_deref(), &mut sources, &mut found) {
            let ok = result.problems.is_empty();
            passed += u32::from(ok);
            failed += u32::from(!ok);
            match args.format {
                Output::Human => {
                    if !ok {
                        terminal.line(format_args!("FAILED  {} ({})", result.case, result.place));
                        for problem in &result.problems {
                            terminal.line(format_args!("        {problem}"));
                        }
                    }
                }
                Output::Json => all.push(result),
            }
        }
    }
    if !found.is_empty() {
        terminal.say(render(&found, &sources, Format::Human { color: terminal.color }).trim_end());
    }
    match args.format {
        Output::Human => terminal.line(format_args!("{passed} passed, {failed} failed")),
        Output::Json => terminal.line(serde_json::to_string(&all).unwrap_or_default()),
    }
    if passed + failed == 0 && !found.has_errors() {
        let what = match &args.filter {
            Some(filter) => format!("no case with `{filter}` in its name or among its rules"),
            None => "no case".to_owned(),
        };
        return nothing_found(terminal, &asked, &what);
    }
    if found.has_errors() {
        Exit::BadInput
    } else if failed > 0 {
        Exit::Failed
    } else {
        Exit::Done
    }
}
