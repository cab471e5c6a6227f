//! Filters that make one kind of value of another, and the one for missing values.

use minijinja::{Error, Value as Inner};

use super::amounts::amount;
use super::catalogue::{Arg, Entry, Example, Group, Want, param};
use super::convert::{Wide, exact, integer, is_empty, is_null, kind_of};
use super::operators::failed;
use super::written::common;
use crate::program::types::Type;
use crate::value::Decimal;

/// Plain text of a single value: what a template prints. Missing is the empty text.
pub(super) fn plain(name: &str, value: &Inner) -> Result<String, Error> {
    match kind_of(value) {
        "nothing" => Ok(String::new()),
        kind @ ("a list" | "an object") => {
            Err(failed(format!("`{name}` takes a single value, but met {kind}")))
        }
        // MiniJinja prints True and False
        "true/false" => Ok(value.is_true().to_string()),
        _ => Ok(value.to_string()),
    }
}

const BLANK: Entry = Entry {
    group: Group::Filter,
    name: "",
    doc: "",
    example: Example { source: "", given: "{}", gives: "null" },
    input: Want::Scalar,
    params: &[],
    required: 0,
    gives: |_| Ok(Type::Text),
    run: |_| Ok(Inner::UNDEFINED),
};

/// The group.
pub(super) static ENTRIES: &[Entry] = &[
    Entry {
        name: "default",
        doc: "Another value where this one is missing or empty.",
        example: Example {
            source: "note | default('none given')",
            given: r#"{"note":""}"#,
            gives: r#""none given""#,
        },
        input: Want::Any,
        params: &[param("value", Want::Any)],
        required: 1,
        gives: |values| Ok(common(&values[0], values.get(1).unwrap_or(&Arg::default())).ty),
        run: |values| match values {
            [value, other] if is_empty(value) => Ok(other.clone()),
            [value, ..] => Ok(value.clone()),
            [] => Ok(Inner::UNDEFINED),
        },
        ..BLANK
    },
    Entry {
        name: "json",
        doc: "As compact JSON text; exact numbers keep their digits.",
        example: Example {
            source: "names | json",
            given: r#"{"names":["a","b"]}"#,
            gives: r#""[\"a\",\"b\"]""#,
        },
        input: Want::Any,
        run: |values| match values.first() {
            Some(value) => super::convert::outward(value)
                .map(|value| Inner::from(value.to_json()))
                .map_err(|_| failed("`json` met a value that cannot be JSON".to_owned())),
            None => Ok(Inner::UNDEFINED),
        },
        ..BLANK
    },
    Entry {
        name: "string",
        doc: "As text; a number becomes its digits.",
        example: Example { source: "number | string", given: r#"{"number":12.50}"#, gives: r#""12.50""# },
        run: |values| match values.first() {
            Some(value) if !is_null(value) => plain("string", value).map(Inner::from),
            _ => Ok(Inner::UNDEFINED),
        },
        ..BLANK
    },
    Entry {
        name: "integer",
        doc: "As an integer; anything that is none is an error.",
        example: Example { source: "code | integer", given: r#"{"code":"0042"}"#, gives: "42" },
        gives: |_| Ok(Type::Integer),
        run: |values| match amount("integer", values.first())? {
            None => Ok(Inner::UNDEFINED),
            Some(number) => match integer(&number) {
                Some(integer) => Ok(Inner::from(integer)),
                None => Err(failed(format!("{number} is no integer of 64 bits"))),
            },
        },
        ..BLANK
    },
    Entry {
        name: "decimal",
        doc: "As an exact decimal; text that is no number is an error.",
        example: Example { source: "rate | decimal | times(2)", given: r#"{"rate":"0.5"}"#, gives: "1" },
        gives: |_| Ok(Type::Decimal),
        run: |values| match values.first() {
            Some(value) if value.downcast_object_ref::<Wide>().is_some() => {
                Err(failed(format!("{value} has more digits than an exact decimal holds")))
            }
            value => Ok(amount("decimal", value)?.map_or(Inner::UNDEFINED, exact)),
        },
        ..BLANK
    },
    Entry {
        name: "date",
        doc: "The date of a time or of a text that begins with one.",
        example: Example {
            source: "sent | date",
            given: r#"{"sent":"2026-01-31T09:30:00Z"}"#,
            gives: r#""2026-01-31""#,
        },
        input: Want::Text,
        gives: |_| Ok(Type::Date),
        run: |values| {
            let Some(text) = super::texts::text("date", values.first())?.filter(|text| !text.is_empty())
            else {
                return Ok(Inner::UNDEFINED);
            };
            match text.get(..10).filter(|date| date.parse::<jiff::civil::Date>().is_ok()) {
                Some(date) => Ok(Inner::from(date)),
                None => Err(failed(format!("{text:?} does not begin with a date like 2026-01-31"))),
            }
        },
        ..BLANK
    },
    Entry {
        name: "year",
        doc: "The year of a date.",
        example: Example { source: "day | year", given: r#"{"day":"2026-01-31"}"#, gives: "2026" },
        input: Want::Text,
        gives: |_| Ok(Type::Integer),
        run: |values| {
            Ok(day("year", values.first())?
                .map_or(Inner::UNDEFINED, |day| Inner::from(i64::from(day.year()))))
        },
        ..BLANK
    },
    Entry {
        name: "month",
        doc: "The month of a date, 1 to 12.",
        example: Example { source: "day | month", given: r#"{"day":"2026-01-31"}"#, gives: "1" },
        input: Want::Text,
        gives: |_| Ok(Type::Integer),
        run: |values| {
            Ok(day("month", values.first())?
                .map_or(Inner::UNDEFINED, |day| Inner::from(i64::from(day.month()))))
        },
        ..BLANK
    },
    Entry {
        name: "weekday",
        doc: "The day of the week of a date: 1 is Monday, 7 is Sunday.",
        example: Example { source: "day | weekday", given: r#"{"day":"2026-01-31"}"#, gives: "6" },
        input: Want::Text,
        gives: |_| Ok(Type::Integer),
        run: |values| {
            Ok(day("weekday", values.first())?
                .map_or(Inner::UNDEFINED, |day| Inner::from(i64::from(day.weekday().to_monday_one_offset()))))
        },
        ..BLANK
    },
    Entry {
        name: "months_later",
        doc: "The date so many months later, or the last day of that month where it is shorter.",
        example: Example {
            source: "day | months_later(13)",
            given: r#"{"day":"2026-01-31"}"#,
            gives: r#""2027-02-28""#,
        },
        input: Want::Text,
        params: &[param("months", Want::Amount)],
        required: 1,
        gives: |_| Ok(Type::Date),
        run: |values| {
            let months = amount("months_later", values.get(1))?.and_then(|number| integer(&number));
            let (Some(day), Some(months)) = (day("months_later", values.first())?, months) else {
                return Ok(Inner::UNDEFINED);
            };
            let later = jiff::Span::new().try_months(months).and_then(|months| day.checked_add(months));
            match later {
                Ok(later) => Ok(Inner::from(later.to_string())),
                Err(_) => Err(failed(format!("{months} months from {day} is no date"))),
            }
        },
        ..BLANK
    },
    Entry {
        name: "hours_until",
        doc: "The hours from one time to another, with two places.",
        example: Example {
            source: "start | hours_until(end)",
            given: r#"{"start":"2026-01-31T08:00:00Z","end":"2026-01-31T15:20:00Z"}"#,
            gives: "7.33",
        },
        input: Want::Text,
        params: &[param("end", Want::Text)],
        required: 1,
        gives: |_| Ok(Type::Decimal),
        run: |values| {
            let (Some(start), Some(end)) =
                (instant("hours_until", values.first())?, instant("hours_until", values.get(1))?)
            else {
                return Ok(Inner::UNDEFINED);
            };
            let hours = Decimal::from(end.as_second() - start.as_second()) / Decimal::from(3600);
            Ok(exact(hours.round_dp_with_strategy(2, rust_decimal::RoundingStrategy::MidpointAwayFromZero)))
        },
        ..BLANK
    },
];

/// A time with its date.
fn instant(name: &str, value: Option<&Inner>) -> Result<Option<jiff::Timestamp>, Error> {
    let Some(text) = super::texts::text(name, value)?.filter(|text| !text.is_empty()) else {
        return Ok(None);
    };
    let local = || text.parse::<jiff::civil::DateTime>().ok()?.to_zoned(jiff::tz::TimeZone::UTC).ok();
    match text.parse().ok().or_else(|| local().map(|zoned| zoned.timestamp())) {
        Some(time) => Ok(Some(time)),
        None => Err(failed(format!("{text:?} is no time like 2026-01-31T08:00:00Z"))),
    }
}

/// The date that a text begins with.
fn day(name: &str, value: Option<&Inner>) -> Result<Option<jiff::civil::Date>, Error> {
    let Some(text) = super::texts::text(name, value)?.filter(|text| !text.is_empty()) else {
        return Ok(None);
    };
    match text.get(..10).and_then(|date| date.parse().ok()) {
        Some(day) => Ok(Some(day)),
        None => Err(failed(format!("{text:?} does not begin with a date like 2026-01-31"))),
    }
}
