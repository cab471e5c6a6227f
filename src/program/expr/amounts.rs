//! Filters and tests for exact decimals: all that may be done with an amount.
//!
//! A result that would lose digits is an error; rounding is always asked for.

use std::cmp::Ordering;

use minijinja::{Error, Value as Inner};
use rust_decimal::RoundingStrategy;

use super::catalogue::{Arg, Entry, Example, Group, Refusal, Want, param};
use super::convert::{exact, integer, is_null, kind_of, number};
use super::operators::failed;
use super::texts::count;
use crate::program::types::Type;
use crate::value::{Decimal, parse_decimal};

/// The most places an exact decimal has.
const MAX_PLACES: u32 = 28;

/// The amount in a value: a number, or text that is one; missing is `None`.
pub(super) fn amount(name: &str, value: Option<&Inner>) -> Result<Option<Decimal>, Error> {
    let Some(value) = value.filter(|value| !is_null(value)) else { return Ok(None) };
    if let Some(number) = number(value) {
        return Ok(Some(number));
    }
    match value.as_str() {
        Some("") => Ok(None),
        Some(text) => match parse_decimal(text) {
            Some(number) => Ok(Some(number)),
            None => Err(failed(format!("`{name}` takes a number, but met {text:?}"))),
        },
        None => Err(failed(format!("`{name}` takes a number, but met {}", kind_of(value)))),
    }
}

/// Adds without losing digits.
pub fn plus(one: Decimal, other: Decimal) -> Option<Decimal> {
    let sum = one.checked_add(other)?;
    // where the sum was rounded to fit, a part does not come back
    (sum.checked_sub(other)? == one && sum.checked_sub(one)? == other).then_some(sum)
}

/// Multiplies without losing digits.
pub(super) fn times(one: Decimal, other: Decimal) -> Option<Decimal> {
    let (one, other) = (one.normalize(), other.normalize());
    let mut mantissa = one.mantissa().checked_mul(other.mantissa())?;
    let mut scale = one.scale() + other.scale();
    while mantissa % 10 == 0 && scale > 0 {
        (mantissa, scale) = (mantissa / 10, scale - 1);
    }
    Decimal::try_from_i128_with_scale(mantissa, scale).ok()
}

/// Calculates with two amounts; native integers give a native integer, a missing one makes it missing.
fn calculate(
    name: &str,
    values: &[Inner],
    sum: fn(Decimal, Decimal) -> Option<Decimal>,
) -> Result<Inner, Error> {
    let (Some(one), Some(other)) = (amount(name, values.first())?, amount(name, values.get(1))?) else {
        return Ok(Inner::UNDEFINED);
    };
    let Some(result) = sum(one, other) else {
        return Err(failed(format!(
            "`{name}` of {one} and {other} has more digits than an exact decimal holds; round first"
        )));
    };
    let native = values.iter().all(Inner::is_integer);
    Ok(match integer(&result) {
        Some(integer) if native => Inner::from(integer),
        _ => exact(result),
    })
}

/// Changes one amount; a missing one stays missing.
fn change(name: &str, values: &[Inner], change: impl Fn(Decimal) -> Decimal) -> Result<Inner, Error> {
    let Some(number) = amount(name, values.first())? else { return Ok(Inner::UNDEFINED) };
    let result = change(number);
    let native = values.first().is_some_and(Inner::is_integer);
    Ok(match integer(&result) {
        Some(integer) if native => Inner::from(integer),
        _ => exact(result),
    })
}

/// Asks for the order of two amounts; a missing one never fulfils it.
fn ask(name: &str, values: &[Inner], holds: fn(Ordering) -> bool) -> Result<Inner, Error> {
    let (one, other) = (amount(name, values.first())?, amount(name, values.get(1))?);
    Ok(Inner::from(matches!((one, other), (Some(one), Some(other)) if holds(one.cmp(&other)))))
}

/// Integers stay integers, everything else is an exact decimal.
fn same_kind(values: &[Arg]) -> Result<Type, Refusal> {
    let whole = values.iter().all(|value| value.ty == Type::Integer && !value.exact);
    Ok(if whole { Type::Integer } else { Type::Decimal })
}

const BLANK: Entry = Entry {
    group: Group::Filter,
    name: "",
    doc: "",
    example: Example { source: "", given: "{}", gives: "null" },
    input: Want::Amount,
    params: &[],
    required: 0,
    gives: same_kind,
    run: |_| Ok(Inner::UNDEFINED),
};

const TWO: Entry = Entry { params: &[param("amount", Want::Amount)], required: 1, ..BLANK };

const TEST: Entry = Entry { group: Group::Test, gives: |_| Ok(Type::Bool), ..TWO };

/// The group.
pub(super) static ENTRIES: &[Entry] = &[
    Entry {
        name: "plus",
        doc: "The sum of two amounts.",
        example: Example {
            source: "net | plus(vat)",
            given: r#"{"net":10.10,"vat":"0.20"}"#,
            gives: "10.30",
        },
        run: |values| calculate("plus", values, plus),
        ..TWO
    },
    Entry {
        name: "minus",
        doc: "The difference of two amounts.",
        example: Example { source: "net | minus('0.05')", given: r#"{"net":10.10}"#, gives: "10.05" },
        run: |values| calculate("minus", values, |one, other| plus(one, -other)),
        ..TWO
    },
    Entry {
        name: "times",
        doc: "The product of two amounts, with all its digits.",
        example: Example {
            source: "price | times('1.5') | round(2)",
            given: r#"{"price":0.15}"#,
            gives: "0.23",
        },
        run: |values| calculate("times", values, times),
        ..TWO
    },
    Entry {
        name: "round",
        doc: "Rounded to this many places, two unless said, half away from zero.",
        example: Example { source: "price | round(1)", given: r#"{"price":-0.25}"#, gives: "-0.3" },
        params: &[param("places", Want::Count)],
        gives: |values| same_kind(&values[..1]),
        run: |values| {
            let places = count("round", values.get(1), 2)?;
            let places = u32::try_from(places).unwrap_or(MAX_PLACES).min(MAX_PLACES);
            change("round", values, |number| {
                number.round_dp_with_strategy(places, RoundingStrategy::MidpointAwayFromZero)
            })
        },
        ..BLANK
    },
    Entry {
        name: "negate",
        doc: "With the other sign.",
        example: Example { source: "sum | negate", given: r#"{"sum":12.50}"#, gives: "-12.50" },
        run: |values| change("negate", values, |number| -number),
        ..BLANK
    },
    Entry {
        name: "abs",
        doc: "Without its sign.",
        example: Example { source: "sum | abs", given: r#"{"sum":-12.50}"#, gives: "12.50" },
        run: |values| change("abs", values, |number| number.abs()),
        ..BLANK
    },
    Entry {
        name: "zero",
        doc: "Whether an amount is zero; a missing one is not.",
        example: Example { source: "balance is zero", given: r#"{"balance":0.00}"#, gives: "true" },
        params: &[],
        required: 0,
        run: |values| Ok(Inner::from(amount("zero", values.first())?.is_some_and(|number| number.is_zero()))),
        ..TEST
    },
    Entry {
        name: "less_than",
        doc: "Whether an amount is less than another.",
        example: Example { source: "x is less_than('10.00')", given: r#"{"x":9.99}"#, gives: "true" },
        run: |values| ask("less_than", values, Ordering::is_lt),
        ..TEST
    },
    Entry {
        name: "greater_than",
        doc: "Whether an amount is greater than another.",
        example: Example { source: "x is greater_than(y)", given: r#"{"x":9.99,"y":9.9}"#, gives: "true" },
        run: |values| ask("greater_than", values, Ordering::is_gt),
        ..TEST
    },
    Entry {
        name: "at_most",
        doc: "Whether an amount is not greater than another.",
        example: Example { source: "x is at_most(10)", given: r#"{"x":10.00}"#, gives: "true" },
        run: |values| ask("at_most", values, Ordering::is_le),
        ..TEST
    },
    Entry {
        name: "at_least",
        doc: "Whether an amount is not less than another.",
        example: Example { source: "x is at_least(10)", given: r#"{"x":9.99}"#, gives: "false" },
        run: |values| ask("at_least", values, Ordering::is_ge),
        ..TEST
    },
    Entry {
        name: "equal_to",
        doc: "Whether two amounts are the same number.",
        example: Example { source: "x is equal_to('1.5')", given: r#"{"x":1.50}"#, gives: "true" },
        run: |values| ask("equal_to", values, Ordering::is_eq),
        ..TEST
    },
];

#[cfg(test)]
mod tests {
    use super::*;

    fn number(text: &str) -> Decimal {
        parse_decimal(text).unwrap()
    }

    #[test]
    fn digits_are_never_lost_silently() {
        assert_eq!(times(number("0.10"), number("0.10")), Some(number("0.01")));
        assert_eq!(times(number("1e-20"), number("1e-20")), None);
        assert_eq!(times(number("79228162514264337593543950335"), number("2")), None);
        assert_eq!(plus(number("1e28"), number("0.01")), None);
        assert_eq!(plus(number("0.1"), number("0.2")), Some(number("0.3")));
        assert_eq!(plus(number("12.50"), number("-12.50")), Some(number("0")));
    }
}
