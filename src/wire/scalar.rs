//! Single values: dates, times and amounts in the forms that systems write.

use jiff::Timestamp;
use jiff::civil::{Date, DateTime};

use super::times::{civil, counted, day, send_time, time};
use crate::program::system::{Encoding, Field, Scalar, Times};
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
            format!("{} (whole {} since 1970, up to the year 9999)", field.ty, unit.unit())
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
        (Type::Bool, Value::Number(number)) => {
            truth(&number.normalize().to_string(), encoding).map(Value::Bool).map_or_else(wrong, Ok)
        }
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
pub(super) fn write_of(field: &Field, ty: &Type, value: &Value, encoding: &Encoding, times: &Times) -> Value {
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
                let text = if *yes { texts.yes.first() } else { texts.no.first() };
                match text.and_then(|text| parse_decimal(text)).filter(|_| texts.number) {
                    Some(number) => Value::Number(number),
                    None => text.map_or_else(|| value.clone(), |text| Value::text(text.clone())),
                }
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
    use crate::program::system::{Bools, Epoch, Zone};

    fn write(ty: &Type, value: &Value, encoding: &Encoding, times: &Times) -> Value {
        write_with(ty, value, encoding, &encoding.time, times)
    }

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
    fn truths_are_texts_or_numbers() {
        let texts = |all: &[&str]| all.iter().map(|one| (*one).to_owned()).collect();
        let bools = |number| Some(Bools { yes: texts(&["1", "Y"]), no: texts(&["0"]), number });
        let json = Encoding { bools: bools(false), ..Encoding::default() };
        let times = Times::default();
        let read = |wire: &str, encoding: &Encoding| {
            read(&Type::Bool, &crate::value::from_json_str(wire).unwrap(), encoding, &times)
        };
        for (wire, yes) in
            [("1", true), ("0", false), ("1.0", true), ("\"1\"", true), ("\"y\"", true), ("false", false)]
        {
            assert_eq!(read(wire, &json), Ok(Value::Bool(yes)), "{wire}");
        }
        for wire in ["2", "0.5", "\"no\""] {
            assert_eq!(read(wire, &json), Err(format!("true/false is declared, the answer holds {wire}")));
        }
        assert_eq!(read("1", &Encoding::default()), Err("true/false is declared, the answer holds 1".into()));
        let written =
            |encoding: &Encoding, yes| write(&Type::Bool, &Value::Bool(yes), encoding, &times).to_json();
        assert_eq!((written(&json, true), written(&json, false)), ("\"1\"".into(), "\"0\"".into()));
        let numbers = Encoding { bools: bools(true), ..Encoding::default() };
        assert_eq!((written(&numbers, true), written(&numbers, false)), ("1".into(), "0".into()));
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
        let wrong =
            |text: &str| read(&Type::Time, &crate::value::from_json_str(text).unwrap(), &json, &times);
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
