//! What was found so far: each finding once, a bounded number of them.

use std::collections::HashSet;

use super::{Code, Diagnostic, Level, Span, codes};

/// So many errors, and so many warnings, are kept: the rest is counted.
const MOST: usize = 1000;

/// Everything that was found; each finding once.
///
/// After a thousand errors or warnings the rest is only counted, so that no file makes endless work.
#[derive(Clone, Debug, Default)]
pub struct Diagnostics {
    found: Vec<Diagnostic>,
    known: HashSet<(&'static str, Span, String)>,
    errors: usize,
    left_out: LeftOut,
}

#[derive(Clone, Copy, Debug, Default)]
struct LeftOut {
    errors: usize,
    warnings: usize,
}

impl Diagnostics {
    /// Nothing found yet.
    pub fn new() -> Self {
        Diagnostics::default()
    }

    /// Adds a finding; the same one at the same place counts once.
    pub fn push(&mut self, diagnostic: Diagnostic) {
        let is_error = diagnostic.level == Level::Error;
        let kept = if is_error { self.errors } else { self.found.len() - self.errors };
        if kept == MOST {
            let count = if is_error { &mut self.left_out.errors } else { &mut self.left_out.warnings };
            *count += 1;
            return;
        }
        if self.known.insert((diagnostic.code.id, diagnostic.span, diagnostic.message.clone())) {
            self.errors += usize::from(is_error);
            self.found.push(diagnostic);
        }
    }

    /// Adds all findings of another collection.
    pub fn extend(&mut self, other: Diagnostics) {
        for diagnostic in other.found {
            self.push(diagnostic);
        }
        self.left_out.errors += other.left_out.errors;
        self.left_out.warnings += other.left_out.warnings;
    }

    /// Takes findings of one kind at these places back: errors there say more.
    pub(crate) fn retract(&mut self, code: &'static Code, spans: &HashSet<Span>) {
        let (known, errors) = (&mut self.known, &mut self.errors);
        self.found.retain(|one| {
            let stays = one.code != code || !spans.contains(&one.span);
            if !stays {
                known.remove(&(one.code.id, one.span, one.message.clone()));
                *errors -= usize::from(one.level == Level::Error);
            }
            stays
        });
    }

    /// Whether anything cannot be run.
    pub fn has_errors(&self) -> bool {
        self.errors > 0
    }

    /// Whether nothing was found.
    pub fn is_empty(&self) -> bool {
        self.found.is_empty()
    }

    /// How many findings are kept.
    pub fn len(&self) -> usize {
        self.found.len()
    }

    /// The findings by file and place.
    pub fn sorted(&self) -> Vec<&Diagnostic> {
        let mut all: Vec<&Diagnostic> = self.found.iter().collect();
        all.sort_by_key(|one| (one.span.file, one.span.start, one.span.end));
        all
    }

    /// What is said of the findings that were only counted.
    pub(super) fn left_out(&self) -> Option<Diagnostic> {
        let LeftOut { errors, warnings } = self.left_out;
        let message = match (errors, warnings) {
            (0, 0) => return None,
            (0, _) => format!("{warnings} more warnings are not shown"),
            (_, 0) => format!("{errors} more errors are not shown"),
            _ => format!("{errors} more errors and {warnings} more warnings are not shown"),
        };
        let level = if errors > 0 { Level::Error } else { Level::Warning };
        let diagnostic = Diagnostic { level, ..Diagnostic::error(&codes::TOO_MANY, Span::NONE, message) };
        Some(diagnostic.help("put the first ones right and look again"))
    }
}

impl<'d> IntoIterator for &'d Diagnostics {
    type Item = &'d Diagnostic;
    type IntoIter = std::slice::Iter<'d, Diagnostic>;
    fn into_iter(self) -> Self::IntoIter {
        self.found.iter()
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Format, Sources, render};
    use super::*;

    fn span(start: u32) -> Span {
        Span { file: 0, start, end: start + 1 }
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

    #[test]
    fn by_file_and_place_whatever_came_first() {
        let mut all = Diagnostics::new();
        for start in [7, 3, 5] {
            all.push(Diagnostic::warning(&codes::AMBIGUOUS, span(start), "x"));
        }
        assert_eq!(all.sorted().iter().map(|one| one.span.start).collect::<Vec<_>>(), [3, 5, 7]);
        assert!(!all.has_errors());
    }

    #[test]
    fn a_thousand_are_kept_and_the_rest_is_counted() {
        let mut all = Diagnostics::new();
        for start in 0..1200 {
            all.push(Diagnostic::warning(&codes::AMBIGUOUS, span(start), "x"));
        }
        all.push(Diagnostic::error(&codes::UNKNOWN_KEY, span(0), "y"));
        assert_eq!(all.len(), 1001);
        assert!(all.has_errors());
        let shown = render(&all, &Sources::new(), Format::Github);
        assert!(shown.ends_with(
            "::warning title=ME0117 more findings than are shown::200 more warnings are not shown%0Ahelp: put the first ones right and look again\n"
        ));
    }

    #[test]
    fn what_was_taken_back_can_be_found_again() {
        let mut all = Diagnostics::new();
        let push = |all: &mut Diagnostics| all.push(Diagnostic::error(&codes::AMBIGUOUS, span(1), "x"));
        push(&mut all);
        all.retract(&codes::AMBIGUOUS, &HashSet::from([span(2)]));
        assert_eq!(all.len(), 1);
        all.retract(&codes::AMBIGUOUS, &HashSet::from([span(1)]));
        assert!(all.is_empty() && !all.has_errors());
        push(&mut all);
        assert_eq!(all.len(), 1);
    }
}
