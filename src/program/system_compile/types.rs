//! Types of fields: what a word means, what agrees, and which constants fit.

use std::str::FromStr;

use crate::program::types::Type;
use crate::value::{Value, parse_decimal};

/// The words for types that every system has.
pub(super) const WORDS: &[&str] =
    &["text", "integer", "decimal", "bool", "date", "time", "id", "choice", "object", "list"];

/// The type that a word means by itself; `None` for those that need more (`choice`, `object`, `list`).
pub(super) fn simple(word: &str) -> Option<Type> {
    Some(match word {
        "text" => Type::Text,
        "integer" => Type::Integer,
        "decimal" => Type::Decimal,
        "bool" => Type::Bool,
        "date" => Type::Date,
        "time" => Type::Time,
        "id" => Type::Id,
        _ => return None,
    })
}

/// What people call this type when they write it.
pub(super) fn word(ty: &Type) -> &'static str {
    match ty {
        Type::Any => "anything",
        Type::Bool => "bool",
        Type::Text => "text",
        Type::Integer => "integer",
        Type::Decimal => "decimal",
        Type::Date => "date",
        Type::Time => "time",
        Type::Id => "id",
        Type::Choice(_) => "choice",
        Type::List(_) => "list",
        Type::Object(_) | Type::Table(_) => "object",
        Type::File => "file",
    }
}

/// Whether a value of the one type can stand where the other is declared: texts, ids and choices are all
/// text on the wire, everything else must be the same.
pub(super) fn agree(one: &Type, other: &Type) -> bool {
    let is_text = |ty: &Type| matches!(ty, Type::Text | Type::Id | Type::Choice(_));
    match (one, other) {
        (Type::Any, _) | (_, Type::Any) => true,
        _ if is_text(one) => is_text(other),
        _ => word(one) == word(other),
    }
}

/// Whether a constant is a value of this type.
///
/// # Errors
/// What is wanted instead.
pub(super) fn fits(value: &Value, ty: &Type) -> Result<(), String> {
    let fits = match (ty, value) {
        (Type::Any, _) | (_, Value::Null) => true,
        (Type::Bool, Value::Bool(_)) | (Type::Text | Type::Id, Value::Text(_)) => true,
        (Type::Integer, Value::Number(number)) => number.is_integer() && i64::try_from(*number).is_ok(),
        (Type::Decimal, Value::Number(_)) => true,
        (Type::Decimal, Value::Text(text)) => parse_decimal(text).is_some(),
        (Type::Date, Value::Text(text)) => jiff::civil::Date::from_str(text).is_ok(),
        (Type::Time, Value::Text(text)) => {
            jiff::Timestamp::from_str(text).is_ok() || jiff::civil::DateTime::from_str(text).is_ok()
        }
        (Type::Choice(of), Value::Text(text)) => of.iter().any(|one| one == text),
        (Type::List(item), Value::List(items)) => {
            return items.iter().try_for_each(|value| fits(value, item));
        }
        (Type::Object(members), Value::Map(map)) => {
            return map.iter().try_for_each(|(name, value)| match members.get(name) {
                Some(ty) => fits(value, ty),
                None => Err(format!("there is no member `{name}`")),
            });
        }
        (Type::Table(item), Value::Map(map)) => return map.values().try_for_each(|value| fits(value, item)),
        _ => false,
    };
    if fits { Ok(()) } else { Err(wanted(value, ty)) }
}

fn wanted(value: &Value, ty: &Type) -> String {
    let shown = match value {
        Value::Text(text) => format!("the text \"{text}\""),
        Value::List(_) | Value::Map(_) => value.kind().to_owned(),
        other => format!("`{}`", other.scalar_text().unwrap_or_default()),
    };
    let wanted = match ty {
        Type::Choice(of) => format!("one of {}", of.join(", ")),
        Type::Date => "a date such as 2026-12-31".to_owned(),
        Type::Time => "a time such as 2026-12-31T08:00:00Z".to_owned(),
        Type::Text | Type::Id => "a text in quotes".to_owned(),
        Type::Integer => "a whole number".to_owned(),
        Type::Decimal => "an amount such as \"12.50\"".to_owned(),
        Type::Bool => "true or false".to_owned(),
        other => format!("{other}"),
    };
    format!("{shown} is there, {wanted} is wanted")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn constants_fit_their_type() {
        for (value, ty) in [
            (Value::from(1_i64), Type::Integer),
            (Value::text("1.50"), Type::Decimal),
            (Value::text("2026-12-31"), Type::Date),
            (Value::text("2026-12-31T08:00:00Z"), Type::Time),
            (Value::text("A"), Type::choice(["A", "B"])),
            (Value::Null, Type::Text),
        ] {
            assert_eq!(fits(&value, &ty), Ok(()), "{value} as {ty}");
        }
        assert_eq!(
            fits(&Value::from(1_i64), &Type::Text).unwrap_err(),
            "`1` is there, a text in quotes is wanted"
        );
        assert_eq!(
            fits(&Value::text("C"), &Type::choice(["A", "B"])).unwrap_err(),
            "the text \"C\" is there, one of A, B is wanted"
        );
    }

    #[test]
    fn texts_agree() {
        assert!(agree(&Type::Id, &Type::Text));
        assert!(agree(&Type::choice(["A"]), &Type::Text));
        assert!(!agree(&Type::Integer, &Type::Text));
        assert!(!agree(&Type::Integer, &Type::Decimal));
    }
}
