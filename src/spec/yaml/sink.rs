//! Where findings wait while serde is at work: its traits leave no room to carry them.

use std::cell::RefCell;
use std::fmt;

use serde::de;

use crate::diagnostic::{Diagnostic, Diagnostics, Span, codes, suggest};

/// The last error that was made.
enum Last {
    None,
    /// Its finding is not reported yet; with the key that is missing, where that is the finding.
    Waits(Box<Diagnostic>, Option<&'static str>),
    /// Its finding was reported where it was met.
    Reported,
}

thread_local! {
    static LAST: RefCell<Last> = const { RefCell::new(Last::None) };
    /// The keys that were reported as missing.
    static MISSED: RefCell<Vec<(Diagnostic, &'static str)>> = const { RefCell::new(Vec::new()) };
    /// The findings of each read that is going on, the innermost last.
    static FOUND: RefCell<Vec<Diagnostics>> = const { RefCell::new(Vec::new()) };
}

/// Runs a read; its findings come with the value.
pub(super) fn collect<T>(read: impl FnOnce() -> T) -> (T, Diagnostics) {
    FOUND.with(|found| found.borrow_mut().push(Diagnostics::new()));
    let value = read();
    let found = FOUND.with(|found| found.borrow_mut().pop()).unwrap_or_default();
    (value, found)
}

/// Reports a finding to the read that is going on.
pub(super) fn push(diagnostic: Diagnostic) {
    FOUND.with(|found| {
        if let Some(found) = found.borrow_mut().last_mut() {
            found.push(diagnostic);
        }
    });
}

/// Reports many.
pub(super) fn extend(diagnostics: Diagnostics) {
    FOUND.with(|found| {
        if let Some(found) = found.borrow_mut().last_mut() {
            found.extend(diagnostics);
        }
    });
}

/// How many keys were reported as missing.
pub(super) fn count_missed() -> usize {
    MISSED.with(|missed| missed.borrow().len())
}

/// The keys that were reported as missing after the first so many; they are forgotten.
pub(super) fn missed_after(count: usize) -> Vec<(Diagnostic, &'static str)> {
    MISSED.with(|missed| missed.borrow_mut().split_off(count))
}

/// Forgets the last error: one that follows is new.
pub(super) fn forget() {
    LAST.with(|last| *last.borrow_mut() = Last::None);
}

/// Reports the finding of the error that was just met, unless that was done already. False where the error is
/// none of ours: another format is being read.
pub(super) fn report_last() -> bool {
    match LAST.with(|last| last.replace(Last::None)) {
        Last::None => false,
        Last::Reported => true,
        Last::Waits(diagnostic, key) => {
            if let Some(key) = key {
                MISSED.with(|missed| missed.borrow_mut().push(((*diagnostic).clone(), key)));
            }
            push(*diagnostic);
            true
        }
    }
}

/// Gives the last error a place, if it has none.
pub(super) fn place_last(span: Span) {
    LAST.with(|last| {
        if let Last::Waits(diagnostic, _) = &mut *last.borrow_mut()
            && !diagnostic.span.is_known()
        {
            diagnostic.span = span;
        }
    });
}

/// An error whose finding was reported already, as any deserializer's error type.
pub(super) fn reported<E: de::Error>() -> E {
    let error = E::custom("the value is wrong");
    LAST.with(|last| *last.borrow_mut() = Last::Reported);
    error
}

/// Why a value could not be made. The finding itself waits: a generic caller sees only serde's own trait.
#[derive(Debug, Clone)]
pub(crate) struct Error;

impl Error {
    pub(super) fn at(diagnostic: Diagnostic) -> Self {
        LAST.with(|last| *last.borrow_mut() = Last::Waits(Box::new(diagnostic), None));
        Error
    }

    /// Errors made by serde have no place: they get that of the node they were made at.
    pub(super) fn or_at(self, span: Span) -> Self {
        place_last(span);
        self
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the value is wrong")
    }
}

impl std::error::Error for Error {}

impl de::Error for Error {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Error::at(Diagnostic::error(&codes::WRONG_TYPE, Span::NONE, message.to_string()))
    }

    fn invalid_type(unexpected: de::Unexpected<'_>, wanted: &dyn de::Expected) -> Self {
        Error::custom(format!("{wanted} is wanted, this is {}", words(unexpected)))
    }

    fn invalid_value(unexpected: de::Unexpected<'_>, wanted: &dyn de::Expected) -> Self {
        Error::invalid_type(unexpected, wanted)
    }

    fn invalid_length(length: usize, wanted: &dyn de::Expected) -> Self {
        Error::custom(format!("{wanted} is wanted, this has {length}"))
    }

    fn missing_field(field: &'static str) -> Self {
        let message = format!("`{field}` is missing here");
        let diagnostic =
            Diagnostic::error(&codes::MISSING_KEY, Span::NONE, message).help(format!("add `{field}:`"));
        LAST.with(|last| *last.borrow_mut() = Last::Waits(Box::new(diagnostic), Some(field)));
        Error
    }

    fn unknown_variant(variant: &str, expected: &'static [&'static str]) -> Self {
        let help = match suggest(variant, expected.iter().copied()) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("it can be {}", expected.join(", ")),
        };
        let message = format!("`{variant}` is not known here");
        Error::at(Diagnostic::error(&codes::UNKNOWN_WORD, Span::NONE, message).help(help))
    }
}

fn words(unexpected: de::Unexpected<'_>) -> String {
    use de::Unexpected::{Bool, Map, Option, Seq, Str, Unit};
    match unexpected {
        Bool(yes) => yes.to_string(),
        Str(text) => format!("`{text}`"),
        Unit | Option => "nothing".to_owned(),
        Seq => "a list".to_owned(),
        Map => "a map".to_owned(),
        other => other.to_string(),
    }
}
