//! The days from one field of a record to another.

use jiff::civil::{Date, Time};

use crate::program::system::Days;
use crate::value::{Map, Value};

/// More days than this are a mistake in the record: ten years and a bit.
const MOST: usize = 4_000;

/// The days as a list, each with its date and the count of all of them.
///
/// # Errors
/// What is wrong with the two ends.
pub(super) fn days(of: &Days, record: &Value) -> Result<Value, String> {
    let text = |value: Option<&Value>| value.and_then(Value::scalar_text).filter(|text| !text.is_empty());
    let Some(from) = text(of.from.get(record)) else { return Ok(Value::List(Vec::new())) };
    let first = day(&from)?.0;
    let last = match text(of.to.get(record)) {
        None => first,
        Some(to) => match day(&to)? {
            (day, true) if day > first => day.yesterday().map_err(|error| error.to_string())?,
            (day, _) => day,
        },
    };
    if last < first {
        return Err(format!("it ends on {last}, before it begins on {first}"));
    }
    let all: Vec<Date> =
        first.series(jiff::Span::new().days(1)).take_while(|day| *day <= last).take(MOST + 1).collect();
    if all.len() > MOST {
        return Err(format!("from {first} to {last} are more than {MOST} days"));
    }
    let count = Value::from(i64::try_from(all.len()).unwrap_or(i64::MAX));
    let item = |day: &Date| {
        Value::Map(Map::from([
            ("date".to_owned(), Value::text(day.to_string())),
            ("count".to_owned(), count.clone()),
        ]))
    };
    Ok(Value::List(all.iter().map(item).collect()))
}

/// The date that a text begins with, and whether what follows is midnight.
fn day(text: &str) -> Result<(Date, bool), String> {
    let wrong = || format!("{text:?} does not begin with a date like 2026-01-31");
    let date = text.get(..10).and_then(|date| date.parse().ok()).ok_or_else(wrong)?;
    let rest = text.get(10..).unwrap_or_default();
    if rest.is_empty() {
        return Ok((date, false));
    }
    let clock = rest.strip_prefix(['T', 't', ' ']).ok_or_else(wrong)?;
    let clock = clock.split(['Z', 'z', '+', '-']).next().unwrap_or_default();
    let clock: Time = clock.parse().map_err(|_| wrong())?;
    Ok((date, clock == Time::midnight()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::Path;

    fn told(from: &str, to: &str) -> Result<String, String> {
        let of = Days { from: Path::key("from"), to: Path::key("to") };
        let record = Value::Map(Map::from([
            ("from".to_owned(), Value::text(from)),
            ("to".to_owned(), Value::text(to)),
        ]));
        let Value::List(items) = days(&of, &record)? else { return Err("no list".into()) };
        assert!(items.iter().all(|item| item.get("count") == Some(&Value::from(items.len() as i64))));
        let dates = items.iter().filter_map(|item| item.get("date").and_then(Value::as_text));
        Ok(dates.collect::<Vec<_>>().join(" "))
    }

    #[test]
    fn days_are_counted_by_the_calendar_of_the_record() {
        for (from, to, dates) in [
            ("2026-02-27", "2026-03-01", "2026-02-27 2026-02-28 2026-03-01"),
            ("2028-02-28", "2028-03-01", "2028-02-28 2028-02-29 2028-03-01"),
            ("2026-11-02", "2026-11-02", "2026-11-02"),
            ("2026-11-02", "", "2026-11-02"),
            ("", "2026-11-02", ""),
            // a clock that is put back makes no day more
            ("2026-10-24T00:00:00+03:00", "2026-10-26T00:00:00+02:00", "2026-10-24 2026-10-25"),
            ("2026-11-02T08:00:00", "2026-11-03T00:00", "2026-11-02"),
            ("2026-11-02 08:00:00", "2026-11-03 00:00:01", "2026-11-02 2026-11-03"),
            ("2026-11-02T00:00:00Z", "2026-11-02T00:00:00Z", "2026-11-02"),
            // a date without a clock is a whole day
            ("2026-11-02T00:00:00.000Z", "2026-11-03", "2026-11-02 2026-11-03"),
        ] {
            assert_eq!(told(from, to).as_deref(), Ok(dates), "{from} to {to}");
        }
    }

    #[test]
    fn ends_that_cannot_be_are_told() {
        for (from, to, reason) in [
            ("2026-11-02", "2026-11-01", "it ends on 2026-11-01, before it begins on 2026-11-02"),
            ("2026-11-02", "9999-12-31", "from 2026-11-02 to 9999-12-31 are more than 4000 days"),
            ("2.11.2026", "", "\"2.11.2026\" does not begin with a date like 2026-01-31"),
            (
                "2026-11-02",
                "2026-11-03T25:00",
                "\"2026-11-03T25:00\" does not begin with a date like 2026-01-31",
            ),
            ("2026-02-30", "", "\"2026-02-30\" does not begin with a date like 2026-01-31"),
        ] {
            assert_eq!(told(from, to), Err(reason.to_owned()), "{from} to {to}");
        }
    }
}
