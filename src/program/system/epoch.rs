//! Times as numbers: whole seconds or milliseconds since 1970, in UTC. Exact: no time is rounded by being written so.

use jiff::Timestamp;

use crate::value::{Decimal, Value, parse_decimal};

/// What is counted since 1970.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Epoch {
    /// Seconds.
    Seconds,
    /// Milliseconds.
    Millis,
}

impl Epoch {
    /// What people call it.
    pub fn unit(self) -> &'static str {
        match self {
            Epoch::Seconds => "seconds",
            Epoch::Millis => "milliseconds",
        }
    }

    /// The time that a number (or its digits) stands for; none where it is no whole one, or is beyond the year 9999.
    pub fn time(self, value: &Value) -> Option<Timestamp> {
        let number: Decimal = match value {
            Value::Number(number) => *number,
            Value::Text(text) => parse_decimal(text)?,
            _ => return None,
        };
        let whole = i64::try_from(number).ok().filter(|_| number.fract().is_zero())?;
        match self {
            Epoch::Seconds => Timestamp::from_second(whole).ok(),
            Epoch::Millis => Timestamp::from_millisecond(whole).ok(),
        }
    }

    /// The number of the second or millisecond that a time is in, and whether it is the beginning of it.
    pub fn number(self, time: Timestamp) -> (i64, bool) {
        let each: i128 = match self {
            Epoch::Seconds => 1_000_000_000,
            Epoch::Millis => 1_000_000,
        };
        let all = time.as_nanosecond();
        // every time of a calendar with four digits for the year has few enough of them
        (i64::try_from(all.div_euclid(each)).unwrap_or_default(), all.rem_euclid(each) == 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_numbers_and_back() {
        let number = |text: &str| crate::value::from_json_str(text).unwrap();
        for (unit, value, time) in [
            (Epoch::Seconds, number("1793606400"), Some("2026-11-02T08:00:00Z")),
            (Epoch::Seconds, number("1793606400.000"), Some("2026-11-02T08:00:00Z")),
            (Epoch::Millis, Value::text("1793606400250"), Some("2026-11-02T08:00:00.25Z")),
            (Epoch::Seconds, number("0"), Some("1970-01-01T00:00:00Z")),
            (Epoch::Millis, number("-1"), Some("1969-12-31T23:59:59.999Z")),
            (Epoch::Seconds, number("1793606400.5"), None),
            (Epoch::Seconds, number("1793606400250"), None),
            (Epoch::Millis, number("123456789012345678901234567890"), None),
            (Epoch::Seconds, Value::text("soon"), None),
            (Epoch::Seconds, Value::Bool(true), None),
        ] {
            let read = unit.time(&value);
            assert_eq!(read.map(|time| time.to_string()).as_deref(), time, "{value}");
        }
        let number = |unit: Epoch, text: &str| unit.number(text.parse().unwrap());
        assert_eq!(number(Epoch::Seconds, "2026-11-02T08:00:00Z"), (1_793_606_400, true));
        assert_eq!(number(Epoch::Seconds, "2026-11-02T08:00:00.25Z"), (1_793_606_400, false));
        assert_eq!(number(Epoch::Millis, "2026-11-02T08:00:00.25Z"), (1_793_606_400_250, true));
        assert_eq!(number(Epoch::Seconds, "1969-12-31T23:59:59.5Z"), (-1, false));
    }
}
