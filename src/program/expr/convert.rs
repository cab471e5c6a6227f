//! Values in and out of the expression engine, exact on the way.
//!
//! A declared integer becomes a native one. Every other number becomes an opaque object that only our own
//! filters and tests open, so that no operator can push it through a binary float.

use std::fmt;
use std::sync::Arc;

use indexmap::IndexMap;
use minijinja::Value as Inner;
use minijinja::value::{Enumerator, Object, ObjectRepr, ValueKind};
use rust_decimal::prelude::ToPrimitive;

use super::MAX_OUTPUT;
use crate::program::types::Type;
use crate::value::{Decimal, Map, Value, parse_decimal};

/// An exact decimal inside the engine.
#[derive(Debug)]
pub(super) struct Exact(pub Decimal);

impl Object for Exact {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Plain
    }

    fn is_true(self: &Arc<Self>) -> bool {
        !self.0.is_zero()
    }

    fn render(self: &Arc<Self>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// A number of too many digits inside the engine: carried through, never calculated with.
#[derive(Debug)]
pub(super) struct Wide(pub String);

impl Object for Wide {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Plain
    }

    fn render(self: &Arc<Self>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Named members inside the engine. Unlike a MiniJinja map it is false when all its members are empty, as
/// [`Value::is_true`] has it.
#[derive(Debug)]
pub(super) struct Record(pub IndexMap<String, Inner>);

impl Object for Record {
    fn get_value(self: &Arc<Self>, key: &Inner) -> Option<Inner> {
        self.0.get(key.as_str()?).cloned()
    }

    fn get_value_by_str(self: &Arc<Self>, key: &str) -> Option<Inner> {
        self.0.get(key).cloned()
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::Values(self.0.keys().map(|key| Inner::from(key.as_str())).collect())
    }

    fn enumerator_len(self: &Arc<Self>) -> Option<usize> {
        Some(self.0.len())
    }

    fn is_true(self: &Arc<Self>) -> bool {
        !self.0.values().all(is_empty)
    }
}

/// Missing and null are one thing.
pub(super) fn is_null(value: &Inner) -> bool {
    value.is_undefined() || value.is_none()
}

/// [`Value::is_empty`] inside the engine.
pub(super) fn is_empty(value: &Inner) -> bool {
    match value.kind() {
        ValueKind::Undefined | ValueKind::None => true,
        ValueKind::String => value.as_str().is_some_and(str::is_empty),
        ValueKind::Seq | ValueKind::Iterable => value.len() == Some(0),
        ValueKind::Map => !value.is_true(),
        _ => false,
    }
}

/// The exact number inside, whichever way it is held. Text is not a number.
pub(super) fn number(value: &Inner) -> Option<Decimal> {
    if let Some(exact) = value.downcast_object_ref::<Exact>() {
        return Some(exact.0);
    }
    value.is_integer().then(|| value.as_i64()).flatten().map(Decimal::from)
}

/// An exact decimal for the engine.
pub(super) fn exact(number: Decimal) -> Inner {
    Inner::from_object(Exact(number))
}

/// What a value is, for messages.
pub(super) fn kind_of(value: &Inner) -> &'static str {
    if value.downcast_object_ref::<Exact>().is_some() {
        return "an exact decimal";
    }
    if value.downcast_object_ref::<Wide>().is_some() {
        return "a number of too many digits";
    }
    match value.kind() {
        ValueKind::Undefined | ValueKind::None => "nothing",
        ValueKind::Bool => "true/false",
        ValueKind::Number => "an integer",
        ValueKind::String => "text",
        ValueKind::Seq | ValueKind::Iterable => "a list",
        _ => "an object",
    }
}

/// A value for the engine, by its declared type. The error says what it holds instead.
pub(super) fn inward(value: &Value, ty: &Type) -> Result<Inner, String> {
    match (value, ty) {
        (Value::Null, _) => Ok(Inner::UNDEFINED),
        (Value::Bool(yes), Type::Bool | Type::Any) => Ok(Inner::from(*yes)),
        (Value::Number(number), Type::Integer) => match integer(number) {
            Some(number) => Ok(Inner::from(number)),
            None => Err(format!("holds {number}, which is no integer of 64 bits")),
        },
        (Value::Number(number), Type::Decimal | Type::Any) => Ok(exact(*number)),
        (Value::Number(number), Type::Id) => Ok(Inner::from(number.to_string())),
        (Value::Wide(digits), Type::Any) => Ok(Inner::from_object(Wide(digits.clone()))),
        (Value::Wide(digits), Type::Id) => Ok(Inner::from(digits.as_str())),
        // a setting's amount is written in quotes, so that no reader of YAML takes it for a float
        (Value::Text(text), Type::Decimal) if text.is_empty() => Ok(Inner::UNDEFINED),
        (Value::Text(text), Type::Decimal) => match parse_decimal(text) {
            Some(number) => Ok(exact(number)),
            None => Err(format!("holds {text:?}, which is no number")),
        },
        (
            Value::Text(text),
            Type::Text | Type::Id | Type::Date | Type::Time | Type::Choice(_) | Type::File | Type::Any,
        ) => Ok(Inner::from(text.as_str())),
        (Value::List(items), Type::List(_) | Type::Any) => {
            let item_type = ty.item().unwrap_or(&Type::Any);
            let items = items.iter().map(|item| inward(item, item_type));
            Ok(Inner::from(items.collect::<Result<Vec<_>, _>>()?))
        }
        (Value::Map(map), Type::Object(_) | Type::Table(_) | Type::File | Type::Any) => record(map, ty),
        (other, ty) => Err(format!("holds {} where its type is {ty}", other.kind())),
    }
}

fn record(map: &Map, ty: &Type) -> Result<Inner, String> {
    let mut members = IndexMap::with_capacity(map.len());
    for (key, value) in map {
        let value = inward(value, ty.member(key).unwrap_or(&Type::Any))
            .map_err(|message| format!("has a member `{key}` that {message}"))?;
        members.insert(key.clone(), value);
    }
    Ok(Inner::from_object(Record(members)))
}

/// The number as a native integer, if that loses nothing.
pub(super) fn integer(number: &Decimal) -> Option<i64> {
    number.fract().is_zero().then(|| number.to_i64()).flatten()
}

/// Why a value could not come out of the engine.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Refused {
    /// It holds more text than the limit.
    TooLarge,
    /// It is of a kind that no record holds.
    Kind(String),
}

/// A value from the engine.
pub(super) fn outward(value: &Inner) -> Result<Value, Refused> {
    let mut budget = MAX_OUTPUT;
    out(value, &mut budget)
}

fn out(value: &Inner, budget: &mut usize) -> Result<Value, Refused> {
    let mut spend = |bytes: usize| {
        *budget = budget.checked_sub(bytes).ok_or(Refused::TooLarge)?;
        Ok(())
    };
    if let Some(exact) = value.downcast_object_ref::<Exact>() {
        return Ok(Value::Number(exact.0));
    }
    if let Some(wide) = value.downcast_object_ref::<Wide>() {
        return Ok(Value::Wide(wide.0.clone()));
    }
    if let Some(record) = value.downcast_object_ref::<Record>() {
        let members = record.0.iter().map(|(key, value)| {
            *budget = budget.checked_sub(key.len()).ok_or(Refused::TooLarge)?;
            Ok((key.clone(), out(value, budget)?))
        });
        return Ok(Value::Map(members.collect::<Result<Map, Refused>>()?));
    }
    match value.kind() {
        ValueKind::Undefined | ValueKind::None => Ok(Value::Null),
        ValueKind::Bool => Ok(Value::Bool(value.is_true())),
        ValueKind::Number if value.is_integer() => match value.as_i64() {
            Some(number) => Ok(Value::from(number)),
            None => Err(Refused::Kind("an integer of more than 64 bits".into())),
        },
        ValueKind::String => {
            let text = value.as_str().unwrap_or_default();
            spend(text.len())?;
            Ok(Value::text(text))
        }
        ValueKind::Seq | ValueKind::Iterable => {
            let items = value.try_iter().map_err(|_| Refused::Kind("a list that cannot be read".into()))?;
            items.map(|item| out(&item, budget)).collect::<Result<_, _>>().map(Value::List)
        }
        other => Err(Refused::Kind(other.to_string())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::from_json_str;

    #[test]
    fn values_come_back_as_they_went_in() {
        let text = r#"{"a":0.10,"b":[1,null,{"c":"x","d":12345678901234567890.50}],"e":true,"f":-1.797e+308,"g":{}}"#;
        let value = from_json_str(text).unwrap();
        assert_eq!(outward(&inward(&value, &Type::Any).unwrap()).unwrap().to_json(), text);
    }

    #[test]
    fn a_declared_integer_is_native() {
        assert!(inward(&Value::from(7_i64), &Type::Integer).unwrap().is_integer());
        assert_eq!(
            inward(&from_json_str("7.5").unwrap(), &Type::Integer).unwrap_err(),
            "holds 7.5, which is no integer of 64 bits"
        );
        assert_eq!(inward(&from_json_str("7.00").unwrap(), &Type::Integer).unwrap().as_i64(), Some(7));
    }

    #[test]
    fn what_does_not_fit_its_type_is_said() {
        let ty = Type::object([("lines", Type::list(Type::object([("code", Type::Text)])))]);
        let value = from_json_str(r#"{"lines":[{"code":1}]}"#).unwrap();
        assert_eq!(
            inward(&value, &ty).unwrap_err(),
            "has a member `lines` that has a member `code` that holds a number where its type is text"
        );
        assert_eq!(
            inward(&Value::text("abc"), &Type::Decimal).unwrap_err(),
            "holds \"abc\", which is no number"
        );
    }

    #[test]
    fn truth_is_that_of_values() {
        for text in ["{}", r#"{"a":""}"#, r#"{"a":{"b":null}}"#, "[]", "0", "0.00", "\"\"", "null", "false"] {
            let value = from_json_str(text).unwrap();
            assert_eq!(inward(&value, &Type::Any).unwrap().is_true(), value.is_true(), "{text}");
        }
        for text in [r#"{"a":false}"#, "[null]", "0.01", "\"0\"", "true"] {
            let value = from_json_str(text).unwrap();
            assert!(inward(&value, &Type::Any).unwrap().is_true(), "{text}");
        }
    }

    #[test]
    fn what_comes_out_has_a_limit() {
        let items = vec![Inner::from("x".repeat(1000)); 100];
        assert_eq!(outward(&Inner::from(items)), Err(Refused::TooLarge));
    }
}
