//! Tests for any kind of value.

use minijinja::Value as Inner;

use super::amounts::amount;
use super::catalogue::{Arg, Entry, Example, Group, Refusal, Want, param};
use super::convert::{is_empty, is_null, number};
use super::operators::{self, Op, same};
use crate::program::types::Type;

/// Whether two single values are equal, amounts by their number.
pub(super) fn equal(name: &str, one: &Inner, other: &Inner) -> Result<bool, minijinja::Error> {
    if is_null(one) || is_null(other) || (number(one).is_none() && number(other).is_none()) {
        return same(name, one, other);
    }
    Ok(amount(name, Some(one))? == amount(name, Some(other))?)
}

/// Refuses to look for a value where it can never be; each comes with its words for the message, `at` is the
/// one to blame.
pub(super) fn comparable(
    (one, one_name): (&Arg, &str),
    (other, other_name): (&Arg, &str),
    at: usize,
) -> Result<(), Refusal> {
    // amounts are compared by their number, with any number or its text
    let numeric = |arg: &Arg| {
        let text = arg.text().is_some_and(|text| crate::value::parse_decimal(text).is_some());
        arg.may_be_exact() || text || matches!(arg.ty, Type::Integer | Type::Any)
    };
    if one.is_null()
        || other.is_null()
        || (one.may_be_exact() || other.may_be_exact()) && numeric(one) && numeric(other)
    {
        return Ok(());
    }
    operators::compare(Op::Eq, (one, one_name), (other, other_name)).map_err(|(message, help)| {
        // these are words and no source text
        let bare = |text: String| {
            [one_name, other_name].iter().fold(text, |text, name| text.replace(&format!("`{name}`"), name))
        };
        Refusal { at, message: bare(message), help: help.map(bare) }
    })
}

const BLANK: Entry = Entry {
    group: Group::Test,
    name: "",
    doc: "",
    example: Example { source: "", given: "{}", gives: "null" },
    input: Want::Any,
    params: &[],
    required: 0,
    gives: |_| Ok(Type::Bool),
    run: |_| Ok(Inner::UNDEFINED),
};

/// The group.
pub(super) static ENTRIES: &[Entry] = &[
    Entry {
        name: "none",
        doc: "Whether a value is missing or null.",
        example: Example { source: "note is none", given: r#"{"note":""}"#, gives: "false" },
        run: |values| Ok(Inner::from(values.first().is_none_or(is_null))),
        ..BLANK
    },
    Entry {
        name: "defined",
        doc: "Whether a value is there and not null.",
        example: Example { source: "note is defined", given: r#"{"note":""}"#, gives: "true" },
        run: |values| Ok(Inner::from(!values.first().is_none_or(is_null))),
        ..BLANK
    },
    Entry {
        name: "empty",
        doc: "Whether a value is missing, null, an empty text or list, or an object of such.",
        example: Example { source: "note is empty", given: r#"{"note":""}"#, gives: "true" },
        run: |values| Ok(Inner::from(values.first().is_none_or(is_empty))),
        ..BLANK
    },
    Entry {
        name: "one_of",
        doc: "Whether a value is among those of a list; amounts are compared by their number.",
        example: Example {
            source: "rate is one_of(['0', '25.5'])",
            given: r#"{"rate":25.50}"#,
            gives: "true",
        },
        input: Want::Scalar,
        params: &[param("values", Want::List)],
        required: 1,
        gives: |values| {
            let item = values[1].ty.item().cloned().unwrap_or_default();
            let item = Arg { exact: values[1].exact, ..Arg::of(item) };
            // amounts in quotes are a list of text
            if !(values[0].may_be_exact() && item.ty == Type::Text) {
                comparable((&values[0], "the value"), (&item, "an item of the list"), 1)?;
            }
            Ok(Type::Bool)
        },
        run: |values| {
            let [value, list] = values else { return Ok(Inner::from(false)) };
            if is_null(list) {
                return Ok(Inner::from(false));
            }
            for item in list.try_iter()? {
                if equal("one_of", value, &item)? {
                    return Ok(Inner::from(true));
                }
            }
            Ok(Inner::from(false))
        },
        ..BLANK
    },
];
