//! Findings: a code, a place, what is wrong and what to do; drawn in one place.

pub mod codes;
mod render;
mod sources;
mod spans;

pub use codes::Code;
pub use render::{Format, render};
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

/// Everything that was found; each finding once.
#[derive(Clone, Debug, Default)]
pub struct Diagnostics {
    found: Vec<Diagnostic>,
}

impl Diagnostics {
    /// Nothing found yet.
    pub fn new() -> Self {
        Diagnostics::default()
    }

    /// Adds a finding; the same one at the same place counts once.
    pub fn push(&mut self, diagnostic: Diagnostic) {
        let known = self.found.iter().any(|one| {
            one.code.id == diagnostic.code.id
                && one.span == diagnostic.span
                && one.message == diagnostic.message
        });
        if !known {
            self.found.push(diagnostic);
        }
    }

    /// Adds all findings of another collection.
    pub fn extend(&mut self, other: Diagnostics) {
        for diagnostic in other.found {
            self.push(diagnostic);
        }
    }

    /// Whether anything cannot be run.
    pub fn has_errors(&self) -> bool {
        self.found.iter().any(|one| one.level == Level::Error)
    }

    /// Whether nothing was found.
    pub fn is_empty(&self) -> bool {
        self.found.is_empty()
    }

    /// How many findings there are.
    pub fn len(&self) -> usize {
        self.found.len()
    }

    /// The findings by file and place.
    pub fn sorted(&self) -> Vec<&Diagnostic> {
        let mut all: Vec<&Diagnostic> = self.found.iter().collect();
        all.sort_by_key(|one| (one.span.file, one.span.start, one.span.end));
        all
    }
}

impl<'d> IntoIterator for &'d Diagnostics {
    type Item = &'d Diagnostic;
    type IntoIter = std::slice::Iter<'d, Diagnostic>;
    fn into_iter(self) -> Self::IntoIter {
        self.found.iter()
    }
}

/// The known name that a wrong one was probably meant to be: at most a third of its letters differ, and
/// never more than three.
pub fn suggest<'n>(name: &str, known: impl IntoIterator<Item = &'n str>) -> Option<&'n str> {
    let limit = (name.chars().count() / 3).clamp(1, 3);
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
    }

    #[test]
    fn the_same_finding_counts_once() {
        let mut all = Diagnostics::new();
        for _ in 0..2 {
            all.push(Diagnostic::error(&codes::UNKNOWN_KEY, Span::NONE, "x"));
        }
        all.push(Diagnostic::warning(&codes::UNKNOWN_KEY, Span::NONE, "y"));
        assert_eq!(all.len(), 2);
        assert!(all.has_errors());
    }
}
