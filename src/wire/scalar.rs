//! Single values: dates, times and amounts in the forms that systems write.

use jiff::Timestamp;
use jiff::civil::{Date, DateTime};

use crate::program::system::{Encoding, Epoch, Field, Scalar, Times, Zone};
use crate::program::types::Type;
use crate::value::xml::element_text;
use crate::value::{Decimal, Map, Value, parse_decimal};

/// A value from the wire as the mapping sees it.
///
/// # Errors
/// What is there, where it is not of the declared type.
pub(super) fn read(ty: &Type, value: &Value, encoding: &Encoding, times: &Times) -> Result<Value, String> {
    read_with(ty, value, encoding, &encoding.time, times)
}

/// The same for a value of a field, which may have its own form of times.
///
/// # Errors
/// As there.
pub(super) fn read_of(
    field: &Field,
    ty: &Type,
    value: &Value,
    encoding: &Encoding,
    times: &Times,
) -> Result<Value, String> {
    read_with(ty, value, encoding, time_form(field, encoding), times)
}

/// How times of a field are written.
pub(super) fn time_form<'f>(field: &'f Field, encoding: &'f Encoding) -> &'f Scalar {
    field.time.as_ref().unwrap_or(&encoding.time)
}

/// What a field holds, in a message about something else that is there.
pub(super) fn declared(field: &Field, encoding: &Encoding) -> String {
    match time_form(field, encoding) {
        Scalar::Epoch(unit) if field.ty == Type::Time => {
            format!("{} in whole {} since 1970, up to the year 9999,", field.ty, unit.unit())
        }
        _ => field.ty.to_string(),
    }
}

fn read_with(
    ty: &Type,
    value: &Value,
    encoding: &Encoding,
    form: &Scalar,
    times: &Times,
) -> Result<Value, String> {
    let wrong = || Err(format!("{} is declared, the answer holds {}", ty, shown(value)));
    // an element with attributes is its text, unless it is taken as it is
    let value = match element_text(value) {
        Some(text) if encoding.is_xml() && !matches!(ty, Type::Any | Type::File | Type::Table(_)) => text,
        _ => value,
    };
    match (ty, value) {
        (_, Value::Null) => Ok(Value::Null),
        (Type::Any | Type::File | Type::Table(_), other) => Ok(other.clone()),
        (Type::Bool, Value::Bool(_)) => Ok(value.clone()),
        (Type::Bool, Value::Text(text)) if text.is_empty() => Ok(Value::Null),
        (Type::Bool, Value::Text(text)) => truth(text, encoding).map(Value::Bool).map_or_else(wrong, Ok),
        (Type::Text | Type::Choice(_) | Type::Id, Value::Text(_)) => Ok(value.clone()),
        // a number where text is declared keeps its digits: leading zeros cannot be lost, there are none
        (Type::Text | Type::Choice(_) | Type::Id, Value::Number(number)) => {
            Ok(Value::Text(number.normalize().to_string()))
        }
        (Type::Text | Type::Choice(_) | Type::Id, Value::Wide(digits)) => Ok(Value::text(digits.clone())),
        (Type::Integer, _) => match number(value, encoding) {
            // a whole number is calculated with in 64 bits
            Some(number) if number.fract().is_zero() && i64::try_from(number).is_ok() => {
                Ok(Value::Number(number.normalize()))
            }
            _ if value.is_empty() => Ok(Value::Null),
            _ => wrong(),
        },
        (Type::Decimal, _) => match number(value, encoding) {
            Some(number) => Ok(Value::Number(number)),
            None if value.is_empty() => Ok(Value::Null),
            None => wrong(),
        },
        (Type::Date, Value::Text(text)) if text.is_empty() => Ok(Value::Null),
        (Type::Date, Value::Text(text)) => match day(text, times) {
            Some(date) => Ok(Value::Text(date.to_string())),
            None => wrong(),
        },
        (Type::Date, Value::Map(map)) => {
            match tagged(map, &encoding.date).and_then(|parts| civil_of(&parts)) {
                Some(time) => Ok(Value::Text(time.date().to_string())),
                None => wrong(),
            }
        }
        (Type::Time, Value::Text(text)) if text.is_empty() => Ok(Value::Null),
        (Type::Time, _) => match (form, value) {
            (Scalar::Epoch(unit), value) => unit.time(value).map(|time| time.to_string()),
            (_, Value::Text(text)) => time(text, times),
            (form, Value::Map(map)) => {
                tagged(map, form).and_then(|parts| time(&civil_of(&parts)?.to_string(), times))
            }
            _ => None,
        }
        .map(Value::Text)
        .map_or_else(wrong, Ok),
        _ => wrong(),
    }
}

/// A value of a field as the system wants it.
pub(super) fn write_of(
    field: &Field,
    ty: &Type,
    value: &Value,
    encoding: &Encoding,
    times: &Times,
) -> Value {
    write_with(ty, value, encoding, time_form(field, encoding), times)
}

/// Why a time cannot be the number that the system wants; nothing is said of any other value.
///
/// # Errors
/// One sentence.
pub(super) fn countable(ty: &Type, value: &Value, form: &Scalar) -> Result<(), String> {
    let (Type::Time, Value::Text(text), Scalar::Epoch(unit)) = (ty, value, form) else { return Ok(()) };
    let unit_name = unit.unit();
    match text.parse::<Timestamp>().map(|time| unit.number(time)) {
        Ok((_, true)) => Ok(()),
        Ok((_, false)) => {
            Err(format!("it is not whole: the system counts the {unit_name} since 1970, and nothing below"))
        }
        Err(_) => Err(format!(
            "it carries no offset, so it is not known which moment it is: the system counts the {unit_name} since 1970"
        )),
    }
}

fn write_with(ty: &Type, value: &Value, encoding: &Encoding, form: &Scalar, times: &Times) -> Value {
    match (ty, value) {
        (Type::Bool, Value::Bool(yes)) => match (&encoding.bools, encoding.is_xml()) {
            (Some(texts), _) => {
                let texts = if *yes { &texts.yes } else { &texts.no };
                texts.first().map_or_else(|| value.clone(), |text| Value::text(text.clone()))
            }
            (None, true) => Value::Text(yes.to_string()),
            (None, false) => value.clone(),
        },
        (Type::Decimal, Value::Number(number)) => decimal(*number, encoding),
        (Type::Decimal, Value::Text(text)) => {
            parse_decimal(text).map_or_else(|| value.clone(), |n| decimal(n, encoding))
        }
        // XML has texts only: written here, so that what was sent looks like what will be read
        (Type::Integer, Value::Number(number)) if encoding.is_xml() => {
            Value::Text(number.normalize().to_string())
        }
        (Type::Date, Value::Text(text)) => match (&encoding.date, text.parse::<Date>()) {
            (Scalar::Tagged { tag, members }, Ok(date)) => {
                tag_with(tag, members, &[date.year().into(), date.month().into(), date.day().into()])
            }
            (_, Ok(date)) => match &times.send_date {
                Some(format) => Value::Text(date.strftime(format).to_string()),
                None => value.clone(),
            },
            _ => value.clone(),
        },
        (Type::Time, Value::Text(text)) => match (form, civil(text)) {
            (Scalar::Epoch(unit), Some(_)) => match counted(text, *unit) {
                Some(number) if encoding.is_xml() => Value::Text(number.to_string()),
                Some(number) => Value::from(number),
                None => value.clone(),
            },
            (Scalar::Tagged { tag, members }, Some(time)) => tag_with(
                tag,
                members,
                &[
                    time.year().into(),
                    time.month().into(),
                    time.day().into(),
                    time.hour().into(),
                    time.minute().into(),
                    time.second().into(),
                    i64::from(time.subsec_nanosecond() / 1000),
                ],
            ),
            _ => Value::Text(send_time(text, times)),
        },
        _ => value.clone(),
    }
}

/// The number that a time is in; of one without an offset as if it were UTC.
pub(super) fn counted(text: &str, unit: Epoch) -> Option<i64> {
    let time = civil(text)?.to_zoned(jiff::tz::TimeZone::UTC).ok()?.timestamp();
    Some(unit.number(time).0)
}

/// A time in the form the system wants, also for cursors.
pub(super) fn send_time(text: &str, times: &Times) -> String {
    match (&times.send_time, text.parse::<Timestamp>(), civil(text)) {
        (Some(format), Ok(time), _) => time.strftime(format).to_string(),
        (Some(format), _, Some(time)) => time.strftime(format).to_string(),
        (None, Ok(time), _) if times.zone == Zone::Offset => time.to_string(),
        (None, _, Some(time)) if times.zone != Zone::Offset => time.to_string(),
        _ => text.to_owned(),
    }
}

/// A day of the wire: ISO 8601, alone or with a time behind it; else in the system's own format.
fn day(text: &str, times: &Times) -> Option<Date> {
    let (head, rest) = (text.get(..10), text.get(10..).unwrap_or_default());
    if let Some(Ok(date)) = head.map(str::parse::<Date>)
        && (rest.is_empty() || rest.starts_with(['T', ' ']))
    {
        return Some(date);
    }
    let own = times.send_date.iter().chain(&times.read_dates);
    own.into_iter().find_map(|format| Date::strptime(format, text).ok())
}

/// A time of the wire: with its offset as UTC; without one by what the system means.
fn time(text: &str, times: &Times) -> Option<String> {
    if let Ok(time) = text.parse::<Timestamp>() {
        return Some(time.to_string());
    }
    if let Some(format) = &times.send_time
        && let Ok(time) = Timestamp::strptime(format, text)
    {
        return Some(time.to_string());
    }
    let own = || {
        let mut formats = times.send_time.iter().chain(&times.read_times);
        formats.find_map(|format| DateTime::strptime(format, text).ok())
    };
    let local = text.parse::<DateTime>().ok().or_else(own)?;
    match times.zone {
        Zone::None => Some(local.to_string()),
        // an offset that is missing although it is always there: UTC is the least surprising reading
        Zone::Utc | Zone::Offset => {
            Some(local.to_zoned(jiff::tz::TimeZone::UTC).ok()?.timestamp().to_string())
        }
    }
}

fn civil(text: &str) -> Option<DateTime> {
    match text.parse::<Timestamp>() {
        Ok(time) => Some(time.to_zoned(jiff::tz::TimeZone::UTC).datetime()),
        Err(_) => text.parse().ok(),
    }
}

/// A time moved back.
pub(super) fn before(text: &str, by: std::time::Duration) -> Option<String> {
    let by = jiff::SignedDuration::try_from(by).ok()?;
    if let Ok(time) = text.parse::<Timestamp>() {
        return Some(time.checked_sub(by).ok()?.to_string());
    }
    Some(text.parse::<DateTime>().ok()?.checked_sub(by).ok()?.to_string())
}

/// Whether a text says true or false.
fn truth(text: &str, encoding: &Encoding) -> Option<bool> {
    let is = |one: &&str| one.eq_ignore_ascii_case(text.trim());
    if let Some(texts) = &encoding.bools {
        let among = |all: &[String]| all.iter().any(|one| is(&one.as_str()));
        return if among(&texts.yes) { Some(true) } else { among(&texts.no).then_some(false) };
    }
    // the two spellings of XML Schema; a text in JSON is no truth
    match encoding.is_xml() {
        true if ["true", "1"].iter().any(is) => Some(true),
        true if ["false", "0"].iter().any(is) => Some(false),
        _ => None,
    }
}

/// Digits with a comma as digits with a point. A text with both says that one of them groups: nobody knows which.
fn with_point(text: &str) -> Option<Decimal> {
    match text.matches(',').count() {
        0 => parse_decimal(text),
        1 if !text.contains('.') => parse_decimal(&text.replace(',', ".")),
        _ => None,
    }
}

fn number(value: &Value, encoding: &Encoding) -> Option<Decimal> {
    match (value, &encoding.decimal) {
        (Value::Number(number), _) => Some(*number),
        (Value::Text(text), _) if encoding.comma => with_point(text),
        (Value::Text(text), _) => parse_decimal(text),
        (Value::Map(map), Scalar::Tagged { members, .. }) => match map.get(members.first()?)? {
            Value::Text(text) => parse_decimal(text),
            Value::Number(number) => Some(*number),
            _ => None,
        },
        _ => None,
    }
}

fn tagged(map: &Map, form: &Scalar) -> Option<Vec<i64>> {
    let Scalar::Tagged { members, .. } = form else { return None };
    members
        .iter()
        .map(|member| match map.get(member) {
            Some(Value::Number(number)) => i64::try_from(*number).ok(),
            None => Some(0),
            _ => None,
        })
        .collect()
}

/// Year, month, day, hour, minute, second and microsecond, as far as they are there; `None` where no calendar
/// has such a day.
fn civil_of(parts: &[i64]) -> Option<DateTime> {
    let at = |i: usize| parts.get(i).copied().unwrap_or_default();
    let small = |i: usize| i8::try_from(at(i)).ok();
    let nanoseconds = i32::try_from(at(6).checked_mul(1000)?).ok()?;
    DateTime::new(
        i16::try_from(at(0)).ok()?,
        small(1)?,
        small(2)?,
        small(3)?,
        small(4)?,
        small(5)?,
        nanoseconds,
    )
    .ok()
}

fn decimal(number: Decimal, encoding: &Encoding) -> Value {
    match &encoding.decimal {
        Scalar::Number if encoding.is_xml() => Value::Text(number.to_string()),
        Scalar::Number | Scalar::Epoch(_) => Value::Number(number),
        Scalar::Text if encoding.comma => Value::Text(number.to_string().replace('.', ",")),
        Scalar::Text => Value::Text(number.to_string()),
        Scalar::Tagged { tag, members } => {
            let mut map: Map =
                tag.iter().map(|(name, value)| (name.clone(), Value::text(value.clone()))).collect();
            if let Some(member) = members.first() {
                map.insert(member.clone(), Value::Text(number.to_string()));
            }
            Value::Map(map)
        }
    }
}

fn tag_with(tag: &[(String, String)], members: &[String], parts: &[i64]) -> Value {
    let mut map: Map = tag.iter().map(|(name, value)| (name.clone(), Value::text(value.clone()))).collect();
    for (member, part) in members.iter().zip(parts) {
        map.insert(member.clone(), Value::from(*part));
    }
    Value::Map(map)
}

/// A value in a message: short.
pub(super) fn shown(value: &Value) -> String {
    let text = value.to_string();
    if text.chars().count() > 40 { format!("{}…", text.chars().take(40).collect::<String>()) } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tagged_encoding() -> Encoding {
        let tag = |class: &str| vec![("__class__".to_owned(), class.to_owned())];
        let names = |all: &[&str]| all.iter().map(|one| (*one).to_owned()).collect();
        Encoding {
            decimal: Scalar::Tagged { tag: tag("Decimal"), members: names(&["decimal"]) },
            date: Scalar::Tagged { tag: tag("date"), members: names(&["year", "month", "day"]) },
            time: Scalar::Tagged {
                tag: tag("datetime"),
                members: names(&["year", "month", "day", "hour", "minute", "second", "microsecond"]),
            },
            ..Encoding::default()
        }
    }

    #[test]
    fn tagged_scalars_go_both_ways() {
        let (encoding, times) = (tagged_encoding(), Times { zone: Zone::Utc, ..Times::default() });
        for (ty, value, wire) in [
            (
                Type::Decimal,
                Value::Number("33.3350".parse().unwrap()),
                r#"{"__class__":"Decimal","decimal":"33.3350"}"#,
            ),
            (Type::Date, Value::text("2026-11-02"), r#"{"__class__":"date","year":2026,"month":11,"day":2}"#),
            (
                Type::Time,
                Value::text("2026-11-02T08:09:10Z"),
                r#"{"__class__":"datetime","year":2026,"month":11,"day":2,"hour":8,"minute":9,"second":10,"microsecond":0}"#,
            ),
        ] {
            let written = write(&ty, &value, &encoding, &times);
            assert_eq!(written.to_json(), wire);
            assert_eq!(read(&ty, &written, &encoding, &times), Ok(value));
        }
    }

    #[test]
    fn dates_and_times_are_one_form() {
        let (encoding, offset) = (Encoding::default(), Times::default());
        let read_time =
            |text: &str, times: &Times| read(&Type::Time, &Value::text(text), &encoding, times).unwrap();
        assert_eq!(read_time("2026-11-02T10:00:00+02:00", &offset), Value::text("2026-11-02T08:00:00Z"));
        let none = Times { zone: Zone::None, ..Times::default() };
        assert_eq!(read_time("2026-11-02T10:00:00.5", &none), Value::text("2026-11-02T10:00:00.5"));
        let date = read(&Type::Date, &Value::text("2023-12-31T00:00:00"), &encoding, &none);
        assert_eq!(date, Ok(Value::text("2023-12-31")));
    }

    #[test]
    fn days_that_no_calendar_has_are_no_dates() {
        let (encoding, times) = (tagged_encoding(), Times { zone: Zone::Utc, ..Times::default() });
        let read = |ty: &Type, wire: &str| {
            read(ty, &crate::value::from_json_str(wire).unwrap(), &encoding, &times).map(|v| v.to_json())
        };
        let wrong = |text: &str| Err(format!("date is declared, the answer holds {text}"));
        assert_eq!(read(&Type::Date, r#""2023-12-31x""#), wrong("\"2023-12-31x\""));
        assert_eq!(read(&Type::Date, r#""2023-02-29""#), wrong("\"2023-02-29\""));
        let tag = r#"{"year":2023,"month":2,"day":29}"#;
        assert_eq!(read(&Type::Date, tag), wrong(tag));
        let time = r#"{"year":2023,"month":2,"day":28,"hour":7,"microsecond":250000}"#;
        assert_eq!(read(&Type::Time, time), Ok(r#""2023-02-28T07:00:00.25Z""#.into()));
    }

    #[test]
    fn a_systems_own_format_is_read_too() {
        let times = Times {
            zone: Zone::Utc,
            send_date: Some("%d.%m.%Y".into()),
            send_time: Some("%d.%m.%Y %H:%M:%S".into()),
            ..Times::default()
        };
        let encoding = Encoding::default();
        for (ty, value, wire) in [
            (Type::Date, "2026-11-02", "02.11.2026"),
            (Type::Time, "2026-11-02T08:09:10Z", "02.11.2026 08:09:10"),
        ] {
            let written = write(&ty, &Value::text(value), &encoding, &times);
            assert_eq!(written, Value::text(wire));
            assert_eq!(read(&ty, &written, &encoding, &times), Ok(Value::text(value)));
        }
    }

    #[test]
    fn amounts_stay_exact_and_wrong_kinds_are_named() {
        let (encoding, times) = (Encoding::default(), Times::default());
        let amount = crate::value::from_json_str("0.0500001").unwrap();
        assert_eq!(read(&Type::Decimal, &amount, &encoding, &times), Ok(amount));
        assert_eq!(
            read(&Type::Decimal, &Value::text("much"), &encoding, &times),
            Err("exact decimal is declared, the answer holds \"much\"".to_owned())
        );
        assert_eq!(read(&Type::Integer, &Value::text("17"), &encoding, &times), Ok(Value::from(17_i64)));
        assert_eq!(read(&Type::Text, &Value::from(17_i64), &encoding, &times), Ok(Value::text("17")));
        let long = crate::value::from_json_str("123456789012345678901234567890123").unwrap();
        let digits = Value::text("123456789012345678901234567890123");
        assert_eq!(read(&Type::Id, &long, &encoding, &times), Ok(digits));
        assert_eq!(
            read(&Type::Integer, &Value::text("9223372036854775808"), &encoding, &times),
            Err("integer is declared, the answer holds \"9223372036854775808\"".to_owned())
        );
    }

    #[test]
    fn a_cursor_goes_back_in_the_systems_own_form() {
        let overlap = std::time::Duration::from_secs(600);
        let back = before("2026-11-02T08:00:00Z", overlap).unwrap();
        assert_eq!(send_time(&back, &Times::default()), "2026-11-02T07:50:00Z");
        let none =
            Times { zone: Zone::None, send_time: Some("%Y-%m-%d %H:%M:%S".into()), ..Times::default() };
        assert_eq!(send_time(&before("2026-11-02T08:00:00", overlap).unwrap(), &none), "2026-11-02 07:50:00");
    }

    #[test]
    fn times_are_counted() {
        let times = Times { zone: Zone::Utc, send_time: Some("%d.%m.%Y".into()), ..Times::default() };
        let json = Encoding { time: Scalar::Epoch(Epoch::Seconds), ..Encoding::default() };
        let xml = Encoding { kind: crate::program::system::EncodingKind::Xml, ..json.clone() };
        let millis = Scalar::Epoch(Epoch::Millis);
        for (encoding, form, value, wire) in [
            (&json, &json.time, "2026-11-02T08:00:00Z", "1793606400"),
            (&json, &millis, "2026-11-02T08:00:00.25Z", "1793606400250"),
            (&xml, &xml.time, "2026-11-02T08:00:00Z", "\"1793606400\""),
        ] {
            let value = Value::text(value);
            let written = write_with(&Type::Time, &value, encoding, form, &times);
            assert_eq!(written.to_json(), wire);
            assert_eq!(read_with(&Type::Time, &written, encoding, form, &times), Ok(value.clone()));
            assert_eq!(countable(&Type::Time, &value, form), Ok(()));
        }
        let wrong = |text: &str| read(&Type::Time, &crate::value::from_json_str(text).unwrap(), &json, &times);
        for text in ["1793606400.5", "1793606400250", "\"2026-11-02T08:00:00Z\"", "true"] {
            assert_eq!(wrong(text), Err(format!("time is declared, the answer holds {text}")));
        }
        assert_eq!(wrong("\"\""), Ok(Value::Null));
        let problem = |text: &str| countable(&Type::Time, &Value::text(text), &json.time).unwrap_err();
        assert_eq!(
            problem("2026-11-02T08:00:00.25Z"),
            "it is not whole: the system counts the seconds since 1970, and nothing below"
        );
        assert_eq!(
            problem("2026-11-02T08:00:00"),
            "it carries no offset, so it is not known which moment it is: the system counts the seconds since 1970"
        );
    }
}
