//! What a command prints, and what becomes of what could not be printed.

use std::cell::Cell;
use std::io::{ErrorKind, Result, Write};
use std::rc::Rc;

use super::Exit;

/// What a command may do: print, in colours or not.
#[derive(Clone, Debug)]
pub(crate) struct Terminal {
    /// Whether standard output is coloured.
    pub color: bool,
    /// Whether a progress display makes sense.
    pub progress: bool,
    /// What could not be written.
    pub lost: Lost,
}

/// Whether something that was to be written is lost: a full disk under standard output, or under the request log. The work goes on,
/// but it must not end as if whoever reads it had it all.
#[derive(Clone, Debug, Default)]
pub(crate) struct Lost(Rc<Cell<bool>>);

impl Lost {
    /// Keeps the first failure, and tells it at once. A reader that went away (`| head`) has what it wanted.
    pub(crate) fn keep(&self, what: &str, written: Result<()>) {
        if let Err(error) = written
            && error.kind() != ErrorKind::BrokenPipe
            && !self.0.replace(true)
        {
            let _ = writeln!(anstream::stderr(), "error: {what} cannot be written: {error}");
        }
    }

    /// How a command ends after all: what is lost is a failure.
    fn end(&self, exit: Exit) -> Exit {
        match exit {
            Exit::Done | Exit::NeedsPerson | Exit::Changes if self.0.get() => Exit::Failed,
            exit => exit,
        }
    }
}

const OUTPUT: &str = "standard output";

impl Terminal {
    /// Prints a line. A closed pipe ends the output, not the work.
    pub(crate) fn line(&self, text: impl std::fmt::Display) {
        self.lost.keep(OUTPUT, writeln!(anstream::stdout(), "{text}"));
    }

    /// Prints text as it is.
    pub(crate) fn text(&self, text: &str) {
        self.lost.keep(OUTPUT, write!(anstream::stdout(), "{text}"));
    }

    /// Prints a line on standard error.
    pub(crate) fn say(&self, text: impl std::fmt::Display) {
        let _ = writeln!(anstream::stderr(), "{text}");
    }

    /// Prints a question: the answer stands on the same line.
    pub(crate) fn ask(&self, text: impl std::fmt::Display) {
        let _ = write!(anstream::stderr(), "{text}");
        let _ = anstream::stderr().flush();
    }

    /// The end of a command: what still waits in memory is written now.
    pub(crate) fn end(&self, exit: Exit) -> Exit {
        self.lost.keep(OUTPUT, anstream::stdout().flush());
        self.lost.end(exit)
    }
}
