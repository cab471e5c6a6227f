//! JSON in and out without a float in between.

use std::fmt;

use rust_decimal::Decimal;
use serde::de::{self, Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde::ser::{Serialize, SerializeMap, SerializeSeq, Serializer};

use super::{Map, Value};

/// How serde_json hands over a number's own digits (its `arbitrary_precision` feature).
const NUMBER_TOKEN: &str = "$serde_json::private::Number";

/// Reads JSON text. Numbers keep their digits; a member that stands twice is an error.
pub fn from_json_str(text: &str) -> Result<Value, serde_json::Error> {
    serde_json::from_str(text)
}

/// Reads JSON bytes; see [`from_json_str`].
pub fn from_json_slice(bytes: &[u8]) -> Result<Value, serde_json::Error> {
    serde_json::from_slice(bytes)
}

/// An exact decimal from its text (`12.50`, `-3`, `1e2`), or `None` where digits would be lost.
pub fn parse_decimal(text: &str) -> Option<Decimal> {
    let text = text.trim();
    if text.contains(['e', 'E']) {
        let number = Decimal::from_scientific(text).ok()?;
        // from_scientific rounds silently past 28 digits: believe it only where the digits come back
        let (mantissa, _) = text.split_once(['e', 'E'])?;
        // and silently what stands further behind the point
        Decimal::from_str_exact(mantissa).ok()?;
        let digits = mantissa.chars().filter(char::is_ascii_digit).collect::<String>();
        return (digits.trim_start_matches('0').len() <= 28).then_some(number);
    }
    Decimal::from_str_exact(text).ok()
}

/// Whether a text is a number of JSON (RFC 8259 section 6).
fn is_number(text: &str) -> bool {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    let text = text.strip_prefix('-').unwrap_or(text);
    let (mantissa, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, "0"));
    digits(whole)
        && (whole == "0" || !whole.starts_with('0'))
        && digits(fraction)
        && digits(exponent.strip_prefix(['+', '-']).unwrap_or(exponent))
}

fn number(digits: &str) -> Value {
    match parse_decimal(digits) {
        Some(number) => Value::Number(number),
        None => Value::Wide(digits.to_owned()),
    }
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ValueVisitor)
    }
}

struct ValueVisitor;

impl<'de> Visitor<'de> for ValueVisitor {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_bool<E>(self, yes: bool) -> Result<Value, E> {
        Ok(Value::Bool(yes))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Value, E> {
        Ok(Value::from(number))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Value, E> {
        Ok(Value::from(number))
    }

    /// Nothing is read through it: it is refused.
    fn visit_f64<E: de::Error>(self, _: f64) -> Result<Value, E> {
        Err(E::custom("a binary float where exact digits are wanted"))
    }

    fn visit_str<E>(self, text: &str) -> Result<Value, E> {
        Ok(Value::text(text))
    }

    fn visit_string<E>(self, text: String) -> Result<Value, E> {
        Ok(Value::Text(text))
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_none<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        Deserialize::deserialize(deserializer)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Value, A::Error> {
        let mut items = Vec::with_capacity(seq.size_hint().unwrap_or(0).min(1024));
        while let Some(item) = seq.next_element()? {
            items.push(item);
        }
        Ok(Value::List(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
        let mut map = Map::new();
        while let Some(key) = access.next_key::<String>()? {
            if map.is_empty() && key == NUMBER_TOKEN {
                let digits = access.next_value::<String>()?;
                // a member of that name looks the same; what is no number there would be written as it is
                return match is_number(&digits) {
                    true => Ok(number(&digits)),
                    false => Err(de::Error::custom(format!("a member has the name {NUMBER_TOKEN:?}"))),
                };
            }
            let value = access.next_value()?;
            if map.insert(key.clone(), value).is_some() {
                return Err(de::Error::custom(format!("member {key:?} stands twice")));
            }
        }
        Ok(Value::Map(map))
    }
}

impl Serialize for Value {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Value::Null => serializer.serialize_unit(),
            Value::Bool(yes) => serializer.serialize_bool(*yes),
            Value::Number(number) => {
                serde_json::Number::from_string_unchecked(number.to_string()).serialize(serializer)
            }
            Value::Wide(digits) => {
                serde_json::Number::from_string_unchecked(digits.clone()).serialize(serializer)
            }
            Value::Text(text) => serializer.serialize_str(text),
            Value::List(items) => {
                let mut seq = serializer.serialize_seq(Some(items.len()))?;
                for item in items {
                    seq.serialize_element(item)?;
                }
                seq.end()
            }
            Value::Map(map) => {
                let mut out = serializer.serialize_map(Some(map.len()))?;
                for (key, value) in map {
                    out.serialize_entry(key, value)?;
                }
                out.end()
            }
        }
    }
}

impl schemars::JsonSchema for Value {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Value".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!(true)
    }

    fn inline_schema() -> bool {
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_survive() {
        for text in ["0.10", "12345678901234567890.1234567", "-3", "18446744073709551616", "0.0500001"] {
            assert_eq!(from_json_str(text).unwrap().to_json(), text);
        }
    }

    #[test]
    fn too_many_digits_are_kept_as_digits() {
        let text = "0.12345678901234567890123456789012345";
        assert_eq!(from_json_str(text).unwrap(), Value::Wide(text.into()));
        assert!(
            matches!(from_json_str("-1.797e308").unwrap(), Value::Wide(digits) if digits.starts_with("-1.797e"))
        );
    }

    #[test]
    fn a_number_by_exponent_is_exact() {
        assert_eq!(from_json_str("1.5e3").unwrap(), Value::from(1500_i64));
        // 1e-32 is not zero
        assert_eq!(parse_decimal("0.0000000000000000000000000000000000001e5"), None);
    }

    #[test]
    fn what_is_no_number_does_not_become_one_by_the_name_of_a_member() {
        let named = |text: &str| from_json_str(&format!("{{{NUMBER_TOKEN:?}:{text}}}"));
        for text in
            [r#""1,\"b\":2""#, r#""""#, r#""-""#, r#"" 7 ""#, r#""01""#, r#""1.""#, r#""1_000""#, r#""1e""#]
        {
            let message = named(text).unwrap_err().to_string();
            assert!(message.contains("a member has the name"), "{text}: {message}");
        }
        assert_eq!(named(r#""-1.50E+2""#).unwrap(), Value::from(-150_i64));
    }

    #[test]
    fn a_member_twice_is_refused() {
        let message = from_json_str(r#"{"a":1,"a":2}"#).unwrap_err().to_string();
        assert!(message.contains("\"a\" stands twice"), "{message}");
    }
}
