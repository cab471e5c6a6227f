//! `new` and `docs`: files that a person goes on with, and the manual of a mapping.

use std::path::Path;

use super::args::{DocsArgs, DocsFormat, DocsLanguage, NewSystemArgs, NewWhat};
use super::{Exit, Terminal};
use crate::authoring::manual::{Form, Language, manual};
use crate::authoring::openapi::{self, Problem};
use crate::diagnostic::{Code, Diagnostic, Diagnostics, Format, Sources, Span, codes, render};
use crate::program::mapping_compile::Answers;
use crate::program::open::Opened;
use crate::program::system_compile::compile_system;
use crate::spec::load::system_text;
use crate::spec::yaml::foreign;

/// `new`.
pub(super) fn new(terminal: &Terminal, what: &NewWhat) -> Exit {
    match what {
        NewWhat::System(args) => system(terminal, args),
    }
}

fn refuse(
    terminal: &Terminal,
    code: &'static Code,
    message: impl Into<String>,
    help: impl Into<String>,
) -> Exit {
    let mut found = Diagnostics::new();
    found.push(Diagnostic::error(code, Span::NONE, message).help(help));
    show(terminal, &found, &Sources::new());
    Exit::BadInput
}

fn show(terminal: &Terminal, found: &Diagnostics, sources: &Sources) {
    if !found.is_empty() {
        terminal.say(render(found, sources, Format::Human { color: terminal.color }).trim_end());
    }
}

/// Writes a text to a file that is not there yet, or prints it.
fn put(terminal: &Terminal, out: Option<&Path>, text: &str) -> Result<(), Exit> {
    let Some(path) = out else {
        terminal.text(text);
        return Ok(());
    };
    if let Some(folder) = path.parent()
        && !folder.as_os_str().is_empty()
        && let Err(error) = std::fs::create_dir_all(folder)
    {
        terminal.say(format_args!("error: {}: {error}", folder.display()));
        return Err(Exit::Failed);
    }
    let written = std::fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .open(path)
        .and_then(|mut file| std::io::Write::write_all(&mut file, text.as_bytes()));
    written.map_err(|error| {
        if error.kind() == std::io::ErrorKind::AlreadyExists {
            // somebody may have worked on it
            terminal.say(format_args!(
                "error: {} is there already: name another file, or move it away",
                path.display()
            ));
            Exit::BadInput
        } else {
            terminal.say(format_args!("error: {}: {error}", path.display()));
            Exit::Failed
        }
    })
}

/// `new system`.
fn system(terminal: &Terminal, args: &NewSystemArgs) -> Exit {
    let text = match std::fs::read(&args.openapi) {
        Ok(bytes) => String::from_utf8_lossy(&bytes).trim_start_matches('\u{feff}').to_owned(),
        Err(error) => {
            let message = format!("{}: {error}", args.openapi.display());
            return refuse(terminal, &codes::CANNOT_READ, message, "look at its name and folder");
        }
    };
    let name = args.openapi.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let document = match foreign(&text) {
        Ok(document) => document,
        Err(reason) => {
            let message = format!("{name} is neither JSON nor YAML: {reason}");
            return refuse(
                terminal,
                &codes::NO_API,
                message,
                "give the document itself, not the page that shows it",
            );
        }
    };
    let skeleton = match openapi::skeleton(&document, &name, &args.resources) {
        Ok(skeleton) => skeleton,
        Err(Problem { message, help }) => {
            return refuse(terminal, &codes::NO_API, format!("{name}: {message}"), help);
        }
    };
    // what was made must be what `validate` takes
    let shown = args.out.clone().unwrap_or_else(|| Path::new("skeleton.yaml").to_owned());
    let (mut sources, mut found) = (Sources::new(), Diagnostics::new());
    if let Some(spec) = system_text(&mut sources, &shown, &skeleton.text, &mut found) {
        compile_system(&spec, &sources, &mut found);
    }
    if let Err(exit) = put(terminal, args.out.as_deref(), &skeleton.text) {
        return exit;
    }
    show(terminal, &found, &sources);
    let counted = skeleton.resources.len();
    terminal.say(format_args!(
        "{counted} resources, {} places to CHECK, {} paths left out{}",
        skeleton.checks,
        skeleton.left_out,
        if skeleton.left_out > 0 { " (their reasons stand at the end)" } else { "" }
    ));
    if found.has_errors() {
        terminal.say(
            "what is wrong above is to be put right by hand; with --resources only what is needed is written",
        );
        return Exit::BadInput;
    }
    let file = args.out.as_ref().map_or_else(|| "FILE".to_owned(), |path| path.display().to_string());
    terminal.say(format_args!(
        "next: look at each CHECK, take out what no mapping needs, then\n  mapengine validate {file}"
    ));
    Exit::Done
}

/// `docs`.
pub(super) fn docs(terminal: &Terminal, args: &DocsArgs) -> Exit {
    let text = {
        let (mut sources, mut found) = (Sources::new(), Diagnostics::new());
        let made = Opened::read(&args.what, &mut sources, &mut found).and_then(|opened| {
            let program = opened.program(&Answers::None, &sources, &mut found)?;
            let language = match args.language {
                DocsLanguage::En => Language::En,
                DocsLanguage::Sv => Language::Sv,
                DocsLanguage::Nb => Language::Nb,
                DocsLanguage::Fi => Language::Fi,
            };
            let form = match args.format {
                DocsFormat::Md => Form::Markdown,
                DocsFormat::Html => Form::Html,
            };
            Some(manual(&program, &opened.mapping, language, form))
        });
        show(terminal, &found, &sources);
        let Some(made) = made else { return Exit::BadInput };
        made
    };
    let Some(path) = &args.out else {
        terminal.text(&text);
        return Exit::Done;
    };
    match std::fs::write(path, text) {
        Ok(()) => Exit::Done,
        Err(error) => {
            terminal.say(format_args!("error: {}: {error}", path.display()));
            Exit::Failed
        }
    }
}
