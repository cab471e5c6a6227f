//! The command line: the only room that prints, reads the environment and exits.

mod args;
mod author;
mod display;
mod examples;
mod findings;
mod flow;
mod place;
mod planning;
mod reference;
mod report;
mod running;
mod sandbox;
mod schema;
mod setup;
mod show;
mod state;
mod terminal;
mod why;

use std::io::IsTerminal;
use std::process::ExitCode;

use clap::{CommandFactory, Parser};

use args::{Cli, Color, Verb};
pub use reference::markdown as reference_text;
pub use schema::{mapping_schema_files, mapping_text, schema_files};
use terminal::{Lost, Terminal};

/// How a command ends (`mapengine --help`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// Done.
    Done = 0,
    /// Failed, or refused.
    Failed = 1,
    /// The spec, a flag or the connection is wrong.
    BadInput = 2,
    /// Done, but records need a person.
    NeedsPerson = 3,
    /// `plan --exit-code`: there are changes.
    Changes = 4,
}

/// Runs the command line of this process.
pub fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            // help and version are no mistakes
            let exit = if error.use_stderr() { Exit::BadInput } else { Exit::Done };
            let terminal = Terminal { color: false, progress: false, lost: Lost::default() };
            terminal.lost.keep("the help", error.print());
            return ExitCode::from(terminal.end(exit) as u8);
        }
    };
    let choice = match cli.color {
        Color::Auto => anstream::ColorChoice::Auto,
        Color::Always => anstream::ColorChoice::AlwaysAnsi,
        Color::Never => anstream::ColorChoice::Never,
    };
    choice.write_global();
    let color = match cli.color {
        Color::Auto => std::io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none(),
        Color::Always => true,
        Color::Never => false,
    };
    let terminal = Terminal { color, progress: std::io::stderr().is_terminal(), lost: Lost::default() };
    let exit = match cli.verb {
        Verb::Run(args) => running::run(&terminal, &args, false),
        Verb::Retry(args) => running::run(&terminal, &args, true),
        Verb::Setup(args) => setup::setup(&terminal, &args),
        Verb::Plan(args) => planning::plan(&terminal, &args),
        Verb::Apply(args) => planning::apply(&terminal, &args),
        Verb::Validate(args) => findings::validate(&terminal, &args),
        Verb::Explain { code } => findings::explain(&terminal, code.as_deref()),
        Verb::Schema(args) => schema::schema(&terminal, &args),
        Verb::Reference => {
            terminal.text(&reference::markdown());
            Exit::Done
        }
        Verb::Flow(args) => flow::flow(&terminal, &args),
        Verb::Test(args) => findings::test(&terminal, &args),
        Verb::Sandbox(args) => sandbox::sandbox(&terminal, &args),
        Verb::Links(args) => state::links(&terminal, &args),
        Verb::SetAside(args) => state::set_aside(&terminal, &args),
        Verb::History(args) => state::history(&terminal, &args),
        Verb::Resolve(args) => state::resolve(&terminal, &args),
        Verb::Recover(args) => running::recover(&terminal, &args),
        Verb::Docs(args) => author::docs(&terminal, &args),
        Verb::New { what } => author::new(&terminal, &what),
        Verb::Report(args) => report::report(&terminal, &args),
        Verb::Why(args) => why::why(&terminal, &args),
        Verb::WhyNot(args) => why::why_not(&terminal, &args),
        Verb::Completions { shell } => {
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut Cli::command(), "mapengine", &mut script);
            terminal.text(&String::from_utf8_lossy(&script));
            Exit::Done
        }
    };
    ExitCode::from(terminal.end(exit) as u8)
}
