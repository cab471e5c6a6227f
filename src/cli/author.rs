//! `new` and `docs`: files that a person goes on with, and the manual of a mapping.

use std::path::Path;
use std::sync::Arc;

use super::args::{DocsArgs, DocsFormat, DocsLanguage, NewMappingArgs, NewSystemArgs, NewWhat};
use super::{Exit, Terminal};
use crate::authoring::manual::{Form, Language, manual};
use crate::authoring::openapi::{self, Problem};
use crate::authoring::proposal::proposal;
use crate::diagnostic::{Code, Diagnostic, Diagnostics, Format, Sources, Span, codes, render};
use crate::program::mapping_compile::Answers;
use crate::program::open::Opened;
use crate::program::system_compile::compile_system;
use crate::spec::load::{load_system, system_text};
use crate::spec::yaml::foreign;
use crate::value::Both;

/// How a system is added, step by step.
const GUIDE: &str = include_str!("guide.md");

/// `new`.
pub(super) fn new(terminal: &Terminal, what: &NewWhat) -> Exit {
    match what {
        NewWhat::System(args) => system(terminal, args),
        NewWhat::Mapping(args) => mapping(terminal, args),
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
pub(super) fn put(terminal: &Terminal, out: Option<&Path>, text: &str) -> Result<(), Exit> {
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
        "next: look at each CHECK, take out what no mapping needs, then\n  mapengine validate {file}\n  mapengine new mapping {file} OTHER_SYSTEM.yaml\n`mapengine docs guide` tells the whole way"
    ));
    Exit::Done
}

/// `docs`.
pub(super) fn docs(terminal: &Terminal, args: &DocsArgs) -> Exit {
    let text = if args.what == Path::new("guide") && !args.what.exists() {
        GUIDE.to_owned()
    } else {
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

/// `new mapping`.
fn mapping(terminal: &Terminal, args: &NewMappingArgs) -> Exit {
    let (mut sources, mut found) = (Sources::new(), Diagnostics::new());
    let mut open = |path: &Path| {
        let spec = load_system(&mut sources, path, &mut found)?;
        compile_system(&spec, &sources, &mut found).map(Arc::new)
    };
    let (left, right) = (open(&args.left), open(&args.right));
    show(terminal, &found, &sources);
    let (Some(left), Some(right)) = (left, right) else { return Exit::BadInput };
    let folder = args.out.as_deref().and_then(Path::parent).unwrap_or(Path::new(""));
    let files = Both { left: seen_from(folder, &args.left), right: seen_from(folder, &args.right) };
    let Some(proposal) = proposal(&Both { left, right }, &files) else {
        terminal.say(
            "error: no resource of the two systems has a name like one of the other\n  help: write a mapping by hand: `mapengine docs guide` shows how",
        );
        return Exit::Failed;
    };
    if let Err(exit) = put(terminal, args.out.as_deref(), &proposal.text) {
        return exit;
    }
    let file = args.out.as_ref().map_or_else(|| "MAPPING".to_owned(), |path| path.display().to_string());
    for wrong in &proposal.wrong {
        terminal.say(format_args!("error: {wrong}"));
    }
    terminal.say(format_args!(
        "{} rows in {}: {}\nnext:\n  1. take out the registers and rows that are wrong; fill in the commented ones that are right\n  2. say who wins (`master`), what concerns the mapping (`scope`), by what records are recognised (`match`)\n  3. mapengine validate {file}\n  4. mapengine docs {file}                 read what you have written, in words\n  5. mapengine run {file}                  against stand-ins; then `plan` with a connection\n`mapengine docs guide` tells the whole way",
        proposal.rows,
        if proposal.registers.len() == 1 { "1 register".to_owned() } else { format!("{} registers", proposal.registers.len()) },
        proposal.registers.join(", ")
    ));
    if proposal.wrong.is_empty() { Exit::Done } else { Exit::BadInput }
}

/// The path of a file as a file in a folder names it.
fn seen_from(folder: &Path, file: &Path) -> String {
    let here = std::env::current_dir().unwrap_or_default();
    let whole = |path: &Path| {
        let path = here.join(path);
        std::path::absolute(&path).unwrap_or(path)
    };
    let (folder, file) = (whole(folder), whole(file));
    let (folder, file): (Vec<_>, Vec<_>) = (folder.components().collect(), file.components().collect());
    let same = folder.iter().zip(&file).take_while(|(one, two)| one == two).count();
    let up = folder[same..].iter().map(|_| "..".to_owned());
    let down = file[same..].iter().map(|part| part.as_os_str().to_string_lossy().into_owned());
    up.chain(down).collect::<Vec<_>>().join("/")
}
