//! Findings: a code, a place, what is wrong and what to do; drawn in one place.

pub mod codes;
mod collector;
mod human;
mod render;
mod sources;
mod spans;

pub use codes::Code;
pub use collector::Diagnostics;
pub use render::{Finding, Format, render};
pub use sources::Sources;
pub(crate) use spans::AT;
pub use spans::{At, FileId, Span};

/// How bad a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// It cannot be run.
    Error,
    /// It can, but look at it.
    Warning,
}

impl Level {
    /// `error` or `warning`.
    pub fn name(self) -> &'static str {
        match self {
            Level::Error => "error",
            Level::Warning => "warning",
        }
    }
}

/// One finding.
#[derive(Clone, Debug)]
pub struct Diagnostic {
    /// What kind of finding.
    pub code: &'static Code,
    /// How bad it is.
    pub level: Level,
    /// What is wrong here: stands below the snippet.
    pub message: String,
    /// Where.
    pub span: Span,
    /// Other places that belong to it.
    pub labels: Vec<(Span, String)>,
    /// What to do.
    pub help: Vec<String>,
}

impl Diagnostic {
    /// An error.
    pub fn error(code: &'static Code, span: Span, message: impl Into<String>) -> Self {
        Diagnostic {
            code,
            level: Level::Error,
            message: message.into(),
            span,
            labels: Vec::new(),
            help: Vec::new(),
        }
    }

    /// A warning.
    pub fn warning(code: &'static Code, span: Span, message: impl Into<String>) -> Self {
        Diagnostic { level: Level::Warning, ..Diagnostic::error(code, span, message) }
    }

    /// Adds what to do.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help.push(help.into());
        self
    }

    /// Adds another place.
    #[must_use]
    pub fn label(mut self, span: Span, text: impl Into<String>) -> Self {
        self.labels.push((span, text.into()));
        self
    }
}

/// The known name that a wrong one was probably meant to be: at most a third of its letters differ, and
/// never more than three. So names of one or two letters are never guessed, but for their case.
pub fn suggest<'n>(name: &str, known: impl IntoIterator<Item = &'n str>) -> Option<&'n str> {
    let limit = (name.chars().count() / 3).min(3);
    let folded = name.to_lowercase();
    known
        .into_iter()
        .map(|one| (strsim::damerau_levenshtein(&folded, &one.to_lowercase()), one))
        .filter(|(distance, _)| *distance <= limit)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, one)| one)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn suggestions_have_a_limit() {
        assert_eq!(suggest("custmer", ["customer", "item"]), Some("customer"));
        assert_eq!(suggest("Name", ["name"]), Some("name"));
        assert_eq!(suggest("colour", ["item", "customer"]), None);
        assert_eq!(suggest("on", ["of", "no"]), None);
        assert_eq!(suggest("", ["a"]), None);
        assert_eq!(suggest("administrationes", ["administrators", "minis"]), Some("administrators"));
    }
}
