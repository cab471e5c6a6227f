//! Telling from the state alone what holds a record back, and where its values come from.
//!
//! Nothing is asked of the systems and nothing is written: what a run read beside the records is kept with the state
//! ([`known`]), so that the same `decide` that a run uses can be asked again, as of that run.

mod find;
mod gates;
mod held;
mod known;
mod past;
mod rules;
mod values;
mod why;
mod words;

pub use find::named as records_named;
pub(super) use find::one;
pub(super) use gates::held;
pub use gates::why_not;
pub use held::{Condition, Held, HeldAt, Step, WhyNot};
pub(super) use known::{decider, keep};
pub use values::why;
pub use why::{End, FieldWhy, Given, Valued, Why, WhyError};

/// A time as the answers give it (RFC 3339).
fn time(ms: i64) -> String {
    jiff::Timestamp::from_millisecond(ms).map_or_else(|_| String::new(), |time| time.to_string())
}
