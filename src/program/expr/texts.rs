//! Filters and tests for text.

use std::sync::Arc;

use minijinja::value::{Object, ObjectRepr};
use minijinja::{Error, Value as Inner};

use super::MAX_OUTPUT;
use super::catalogue::{Entry, Example, Group, Want, param};
use super::convert::{is_null, kind_of};
use super::operators::{failed, too_large};
use crate::program::types::Type;

/// A compiled regular expression, as a constant of an expression.
#[derive(Debug)]
pub(super) struct Pattern(pub regex::Regex);

impl Object for Pattern {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Plain
    }
}

/// Compiles a regular expression; the error is one line.
///
/// # Errors
/// Why it is none, or that it is too large.
pub fn pattern(text: &str) -> Result<regex::Regex, String> {
    const MAX_SIZE: usize = 1 << 20;
    match regex::RegexBuilder::new(text).size_limit(MAX_SIZE).build() {
        Ok(regex) => Ok(regex),
        Err(regex::Error::CompiledTooBig(_)) => Err("it is too large".to_owned()),
        Err(error) => {
            let message = error.to_string();
            let last = message.lines().last().unwrap_or_default();
            Err(last.trim_start_matches("error: ").to_owned())
        }
    }
}

/// The text of a value that must be text; missing is `None`.
pub(super) fn text<'v>(name: &str, value: Option<&'v Inner>) -> Result<Option<&'v str>, Error> {
    match value {
        None => Ok(None),
        Some(value) if is_null(value) => Ok(None),
        Some(value) => match value.as_str() {
            Some(text) => Ok(Some(text)),
            None => Err(failed(format!("`{name}` takes text, but met {}", kind_of(value)))),
        },
    }
}

/// A non-negative number, or the default where it is left out.
pub(super) fn count(name: &str, value: Option<&Inner>, default: usize) -> Result<usize, Error> {
    match value {
        Some(value) if !is_null(value) => value
            .as_usize()
            .ok_or_else(|| failed(format!("`{name}` wants a number that is not negative, but met {value}"))),
        _ => Ok(default),
    }
}

/// A text no longer than the limit.
pub(super) fn limited(text: String) -> Result<Inner, Error> {
    if text.len() > MAX_OUTPUT { Err(too_large()) } else { Ok(Inner::from(text)) }
}

/// Changes a text; a missing one stays missing.
fn change(name: &str, values: &[Inner], change: impl Fn(&str) -> String) -> Result<Inner, Error> {
    match text(name, values.first())? {
        Some(text) => limited(change(text)),
        None => Ok(Inner::UNDEFINED),
    }
}

/// Asks two texts something; a missing one never fulfils it.
fn ask(name: &str, values: &[Inner], holds: fn(&str, &str) -> bool) -> Result<Inner, Error> {
    let (one, other) = (text(name, values.first())?, text(name, values.get(1))?);
    Ok(Inner::from(matches!((one, other), (Some(one), Some(other)) if holds(one, other))))
}

const BLANK: Entry = Entry {
    group: Group::Filter,
    name: "",
    doc: "",
    example: Example { source: "", given: "{}", gives: "null" },
    input: Want::Text,
    params: &[],
    required: 0,
    gives: |_| Ok(Type::Text),
    run: |_| Ok(Inner::UNDEFINED),
};

const TEST: Entry = Entry { group: Group::Test, required: 1, gives: |_| Ok(Type::Bool), ..BLANK };

/// The group.
pub(super) static ENTRIES: &[Entry] = &[
    Entry {
        name: "upper",
        doc: "All letters as capitals.",
        example: Example { source: "name | upper", given: r#"{"name":"Åbo"}"#, gives: r#""ÅBO""# },
        run: |values| change("upper", values, str::to_uppercase),
        ..BLANK
    },
    Entry {
        name: "lower",
        doc: "All letters small.",
        example: Example { source: "name | lower", given: r#"{"name":"ÅBO"}"#, gives: r#""åbo""# },
        run: |values| change("lower", values, str::to_lowercase),
        ..BLANK
    },
    Entry {
        name: "trim",
        doc: "Without white space at both ends.",
        example: Example { source: "name | trim", given: r#"{"name":" Acme  "}"#, gives: r#""Acme""# },
        run: |values| change("trim", values, |text| text.trim().to_owned()),
        ..BLANK
    },
    Entry {
        name: "fold",
        doc: "For comparing names: small letters, and single spaces for any white space.",
        example: Example {
            source: "name | fold",
            given: r#"{"name":"  ACME \t Oy "}"#,
            gives: r#""acme oy""#,
        },
        run: |values| {
            change("fold", values, |text| {
                text.to_lowercase().split_whitespace().collect::<Vec<_>>().join(" ")
            })
        },
        ..BLANK
    },
    Entry {
        name: "base64",
        doc: "The text in base64 (RFC 4648 section 4), with padding.",
        example: Example { source: "name | base64", given: r#"{"name":"Åse"}"#, gives: r#""w4VzZQ==""# },
        run: |values| {
            use base64::Engine as _;
            change("base64", values, |text| base64::engine::general_purpose::STANDARD.encode(text))
        },
        ..BLANK
    },
    Entry {
        name: "digits",
        doc: "Only the digits 0 to 9 of a text.",
        example: Example {
            source: "vat | digits",
            given: r#"{"vat":"FI 1234567-8"}"#,
            gives: r#""12345678""#,
        },
        run: |values| change("digits", values, |text| text.chars().filter(char::is_ascii_digit).collect()),
        ..BLANK
    },
    Entry {
        name: "truncate",
        doc: "At most this many characters from the start.",
        example: Example {
            source: "name | truncate(4)", given: r#"{"name":"Överby"}"#, gives: r#""Över""#
        },
        params: &[param("length", Want::Count)],
        required: 1,
        run: |values| {
            let length = count("truncate", values.get(1), usize::MAX)?;
            change("truncate", values, |text| text.chars().take(length).collect())
        },
        ..BLANK
    },
    Entry {
        name: "replace",
        doc: "Every place of one text put in place by another.",
        example: Example {
            source: "phone | replace(' ', '')",
            given: r#"{"phone":"040 12 34"}"#,
            gives: r#""0401234""#,
        },
        params: &[param("from", Want::Text), param("to", Want::Text)],
        required: 2,
        run: |values| {
            let from = text("replace", values.get(1))?.unwrap_or_default();
            let to = text("replace", values.get(2))?.unwrap_or_default();
            let Some(text) = text("replace", values.first())? else { return Ok(Inner::UNDEFINED) };
            if from.is_empty() {
                return Ok(Inner::from(text));
            }
            // how long it gets is known before it is made
            let found = text.matches(from).count();
            if text.len() - found * from.len() + found.saturating_mul(to.len()) > MAX_OUTPUT {
                return Err(too_large());
            }
            Ok(Inner::from(text.replace(from, to)))
        },
        ..BLANK
    },
    Entry {
        name: "split",
        doc: "The parts of a text between separators, as a list.",
        example: Example {
            source: "tags | split(',')",
            given: r#"{"tags":"a,b,c"}"#,
            gives: r#"["a","b","c"]"#,
        },
        params: &[param("separator", Want::Text)],
        required: 1,
        gives: |_| Ok(Type::list(Type::Text)),
        run: |values| {
            let Some(separator) = text("split", values.get(1))?.filter(|separator| !separator.is_empty())
            else {
                return Err(failed("`split` wants a separator that is not empty"));
            };
            let text = text("split", values.first())?.unwrap_or_default();
            if text.is_empty() {
                return Ok(Inner::from(Vec::<Inner>::new()));
            }
            Ok(Inner::from(text.split(separator).map(Inner::from).collect::<Vec<_>>()))
        },
        ..BLANK
    },
    Entry {
        name: "starts_with",
        doc: "Whether a text begins with another.",
        example: Example {
            source: "number is starts_with('VG')",
            given: r#"{"number":"VG 12"}"#,
            gives: "true",
        },
        params: &[param("start", Want::Text)],
        run: |values| ask("starts_with", values, |text, start| text.starts_with(start)),
        ..TEST
    },
    Entry {
        name: "ends_with",
        doc: "Whether a text ends with another.",
        example: Example { source: "file is ends_with('.pdf')", given: r#"{"file":"a.pdf"}"#, gives: "true" },
        params: &[param("end", Want::Text)],
        run: |values| ask("ends_with", values, |text, end| text.ends_with(end)),
        ..TEST
    },
    Entry {
        name: "matching",
        doc: "Whether a regular expression finds something in a text.",
        example: Example {
            source: "code is matching('^[1-9][0-9]*$')",
            given: r#"{"code":"012"}"#,
            gives: "false",
        },
        params: &[param("pattern", Want::Pattern)],
        run: |values| {
            let pattern = values.get(1).and_then(|value| value.downcast_object_ref::<Pattern>());
            let found = match (text("matching", values.first())?, pattern) {
                (Some(text), Some(pattern)) => pattern.0.is_match(text),
                _ => false,
            };
            Ok(Inner::from(found))
        },
        ..TEST
    },
];
