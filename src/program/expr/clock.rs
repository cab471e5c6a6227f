//! Functions. The clock is an argument: the caller gives `today` and `now`, so that a run has one time.

use minijinja::Value as Inner;

use super::catalogue::{Entry, Example, Group, Want};
use crate::program::types::Type;

const BLANK: Entry = Entry {
    group: Group::Function,
    name: "",
    doc: "",
    example: Example { source: "", given: "{}", gives: "null" },
    input: Want::Nothing,
    params: &[],
    required: 0,
    gives: |_| Ok(Type::Date),
    // the check puts the given value in the place of the call
    run: |_| Ok(Inner::UNDEFINED),
};

/// The group.
pub(super) static ENTRIES: &[Entry] = &[
    Entry {
        name: "today",
        doc: "The date of the run.",
        example: Example { source: "today()", given: r#"{"today":"2026-01-31"}"#, gives: r#""2026-01-31""# },
        ..BLANK
    },
    Entry {
        name: "now",
        doc: "The time of the run, in UTC.",
        example: Example {
            source: "now()",
            given: r#"{"now":"2026-01-31T09:30:00Z"}"#,
            gives: r#""2026-01-31T09:30:00Z""#,
        },
        gives: |_| Ok(Type::Time),
        ..BLANK
    },
];
