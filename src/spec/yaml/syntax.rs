//! What the YAML parser says, in words that tell what to do.

use serde_saphyr::granit_parser::{ErrorKind, ScanError};

use crate::diagnostic::{Diagnostic, FileId, Span, codes};

/// The finding for a text that is no YAML.
pub(super) fn diagnostic(error: &ScanError, file: FileId, text: &str) -> Diagnostic {
    let at = text.floor_char_boundary(error.marker().byte_offset().unwrap_or(0));
    let start = u32::try_from(at).unwrap_or(u32::MAX);
    let span = Span { file, start, end: start };
    let (message, help) = words(error.kind(), &text[at..]);
    if matches!(error.kind(), ErrorKind::RecursionLimitExceeded) {
        return Diagnostic::error(&codes::TOO_LARGE, span, "nested too deep");
    }
    let help = help.unwrap_or(if is_indented_by_tab(text, at) {
        "YAML is indented with spaces; a tab may be the reason"
    } else {
        "look at the indentation, colons and quotes around here"
    });
    Diagnostic::error(&codes::SYNTAX, span, message.unwrap_or_else(|| error.info())).help(help)
}

/// Message and help for the mistakes that people make; the parser's own words for the others.
fn words(kind: &ErrorKind, rest: &str) -> (Option<String>, Option<&'static str>) {
    const TAB: &str = "YAML is indented with spaces";
    let (message, help) = match kind {
        ErrorKind::UnknownAnchor => {
            let name: String =
                rest.chars().skip(1).take_while(|one| one.is_alphanumeric() || "_-".contains(*one)).collect();
            let help = "name a value above with `&`, or put the text in quotes where it begins with `*`";
            (format!("no value above is named `&{name}`"), help)
        }
        ErrorKind::UnexpectedCharacter { character } if character.is_control() => {
            let help = "remove it, or write it as an escape in double quotes";
            ("this character cannot stand in YAML".to_owned(), help)
        }
        ErrorKind::UnexpectedCharacter { character } => {
            (format!("a text cannot begin with `{character}`"), "put the text in quotes")
        }
        ErrorKind::UnclosedQuotedScalar => {
            ("this quote is not closed".to_owned(), "close it, or put the text in other quotes")
        }
        ErrorKind::MappingValueNotAllowed => {
            let help = "put a text with `: ` in it in quotes; else look at the indentation of this line";
            ("no value can begin at this colon".to_owned(), help)
        }
        ErrorKind::UnclosedFlowCollection { .. } => {
            ("this bracket is not closed".to_owned(), "close it, or look for a missing comma")
        }
        ErrorKind::UnknownQuotedScalarEscape => {
            let help = "in double quotes `\\` begins an escape: write `\\\\`, or use single quotes";
            ("this escape is not known".to_owned(), help)
        }
        ErrorKind::TabNotAllowed
        | ErrorKind::TabInBlockIndentation
        | ErrorKind::TabInIndentation
        | ErrorKind::TabAtBlockScalarStart => ("a tab stands here".to_owned(), TAB),
        _ => return (None, None),
    };
    (Some(message), Some(help))
}

/// Whether this line or the one before it begins with a tab.
fn is_indented_by_tab(text: &str, at: usize) -> bool {
    let end = text[at..].find('\n').map_or(text.len(), |line| at + line);
    let mut lines = text[..end].rsplit('\n').take(2);
    lines.any(|line| line.trim_start_matches(' ').starts_with('\t'))
}
