//! What a row's value on one side is in the terms of the other.

use serde::{Deserialize, Serialize};

use super::gate::Awaited;
use crate::program::mapping::{Compare, Convert, IfMissing, Overflow, Row, Step, Unlisted};
use crate::program::types::Type;
use crate::store::RecordRef;
use crate::value::{Decimal, Path, Side, Value, parse_decimal};

/// What a record that is referred to is on the other side.
#[derive(Clone, Debug, PartialEq)]
pub enum RefTarget {
    /// It is linked: this is the value on the other side.
    Linked(Value),
    /// It is made by this same plan, from this record.
    Planned(RecordRef, String),
    /// It is not linked. What people call it, and why, as far as is known.
    Missing(String),
    /// It will be: it is set aside or waits. What people call it.
    Held(String),
}

/// What `decide` may ask of the state: a read-only view.
pub trait View {
    /// The other side's value for a reference: `value` stands on `from` and names a record of `register`.
    fn reference(
        &self,
        register: &str,
        from: Side,
        value: &Value,
        fields: &crate::value::Both<Option<Path>>,
    ) -> RefTarget;
}

/// A value in the other side's terms.
#[derive(Clone, Debug, PartialEq)]
pub enum Translated {
    /// These values, one for each path of the other side.
    Values(Vec<Value>),
    /// The key of a record that this plan makes.
    Reference {
        /// Its register.
        register: String,
        /// The record it is made from.
        source: RecordRef,
        /// What people call it.
        label: String,
    },
    /// The other side is left alone.
    Leave,
}

/// Why a value has no counterpart.
#[derive(Clone, Debug, PartialEq)]
pub enum Untranslatable {
    /// The record waits, and for what.
    Wait(String, Vec<Awaited>),
    /// The record is set aside: code and reason.
    SetAside(&'static str, String),
    /// The record is set aside, because a code table lacks a code.
    NoCode(MissingCode),
}

/// A code that a table lacks.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct MissingCode {
    /// What the row's field is called.
    pub field: String,
    /// The code, as messages show it.
    pub code: String,
    /// Where the table is: the setting, or where the row stands.
    pub table: String,
}

impl MissingCode {
    /// Code and reason of a record that needs it.
    pub fn refusal(&self) -> (&'static str, String) {
        let MissingCode { field, code, table } = self;
        ("ME0910", format!("code {code} of {field} is not in the code table ({table}): add it there"))
    }
}

/// The field by which a row's reference names its record on a side; none: its id or key.
pub fn reference_field(row: &Row, side: Side) -> Option<String> {
    row.steps.iter().find_map(|step| match step {
        Step::Reference { fields, .. } => fields[side].as_ref().map(Path::to_string),
        _ => None,
    })
}

/// The values of a row on a side, as they stand in its record.
pub fn values_at(row: &Row, side: Side, record: &Value) -> Vec<Value> {
    row.paths(side).iter().map(|path| path.get(record).cloned().unwrap_or_default()).collect()
}

/// Many values as one, for the base and for messages.
pub fn as_one(mut values: Vec<Value>) -> Value {
    if values.len() == 1 { values.remove(0) } else { Value::List(values) }
}

/// One value of the base as many.
pub fn as_many(value: &Value, count: usize) -> Vec<Value> {
    match value {
        Value::List(items) if count != 1 => items.clone(),
        other => vec![other.clone()],
    }
}

/// Whether two rows of values are the same by the row's rule: nothing, null and the empty text are one.
pub fn same(compare: Compare, left: &[Value], right: &[Value]) -> bool {
    let count = left.len().max(right.len());
    (0..count).all(|i| same_value(compare, left.get(i), right.get(i)))
}

fn same_value(compare: Compare, left: Option<&Value>, right: Option<&Value>) -> bool {
    normal(compare, left.unwrap_or(&Value::Null)) == normal(compare, right.unwrap_or(&Value::Null))
}

/// The form of a value by which it is compared.
pub fn normal(compare: Compare, value: &Value) -> Value {
    if value.is_empty() {
        return Value::Null;
    }
    match compare {
        Compare::Exact => value.canonical(),
        Compare::Fold => match value.scalar_text() {
            Some(text) => Value::Text(text.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase()),
            None => value.canonical(),
        },
        Compare::Digits => match value.scalar_text() {
            Some(text) => Value::Text(text.chars().filter(char::is_ascii_digit).collect()),
            None => value.canonical(),
        },
    }
}

/// The value of a two-sided row on `from`, in the terms of the other side.
///
/// # Errors
/// [`Untranslatable`] where a code is not in the table, a number is none, text has too many parts, or a
/// record that is referred to is not linked.
pub fn translate(
    row: &Row,
    from: Side,
    values: Vec<Value>,
    view: &dyn View,
) -> Result<Translated, Untranslatable> {
    let mut values = values;
    let forward = from == Side::Left;
    let mut steps: Vec<&Step> = row.steps.iter().collect();
    if !forward {
        steps.reverse();
        // `multiply` goes one way only, whichever that is: what comes of it is rounded
        let place = |wanted: fn(&Step) -> bool| steps.iter().position(|step| wanted(step));
        if let (Some(round), Some(multiply)) =
            (place(|step| matches!(step, Step::Round(_))), place(|step| matches!(step, Step::Multiply(_))))
            && round < multiply
        {
            steps.swap(round, multiply);
        }
    }
    for step in steps {
        if values.iter().all(Value::is_empty) && !matches!(step, Step::Join { .. }) {
            continue;
        }
        match step {
            Step::Join { many, with, count, overflow } => {
                values = if *many == from {
                    vec![join(&values, with)]
                } else {
                    split(row, from, &values, with, *count, *overflow)?
                };
            }
            Step::Codes { table, setting, unlisted } => match code(table, forward, &values[0]) {
                Some(found) => values = vec![found],
                None if *unlisted == Unlisted::Leave => return Ok(Translated::Leave),
                None => {
                    return Err(Untranslatable::NoCode(MissingCode {
                        field: row.labels[from].clone(),
                        code: values[0].to_string(),
                        table: match setting {
                            Some(name) => format!("setting `{name}`"),
                            None => row.origin.text.clone(),
                        },
                    }));
                }
            },
            Step::Reference { register, if_missing, fields } => {
                match view.reference(register, from, &values[0], fields) {
                    RefTarget::Linked(value) => values = vec![value],
                    RefTarget::Planned(source, label) => {
                        return Ok(Translated::Reference { register: register.clone(), source, label });
                    }
                    target @ (RefTarget::Missing(_) | RefTarget::Held(_)) => {
                        let (what, held) = match target {
                            RefTarget::Held(what) => (what, true),
                            RefTarget::Missing(what) => (what, false),
                            _ => continue,
                        };
                        // a computed value has no field, and stands for the one that it is written to
                        let label = [from, from.other()].map(|side| &*row.labels[side]);
                        let label = label.into_iter().find(|label| !label.is_empty()).unwrap_or_default();
                        let reason = format!("{label} {what} of {register} is not linked yet");
                        return match if_missing {
                            IfMissing::LeaveOutOfScope if !held => Ok(Translated::Leave),
                            IfMissing::Wait | IfMissing::LeaveOutOfScope => Err(Untranslatable::Wait(
                                reason,
                                vec![Awaited {
                                    register: register.clone(),
                                    side: from,
                                    value: values[0].clone(),
                                    field: fields[from].as_ref().map(Path::to_string),
                                }],
                            )),
                            IfMissing::Leave => Ok(Translated::Leave),
                            IfMissing::SetAside => Err(Untranslatable::SetAside("ME0911", reason)),
                        };
                    }
                }
            }
            Step::Convert(convert) => {
                let target = if forward { *convert } else { inverse(*convert, &row.types[Side::Left]) };
                values = vec![converted(row, from, target, &values[0])?];
            }
            Step::Round(places) => {
                values = vec![number(row, from, &values[0]).map(|n| Value::Number(rounded(n, *places)))?]
            }
            Step::Multiply(factor) => {
                let exact = number(row, from, &values[0])?.checked_mul(*factor).ok_or_else(|| {
                    Untranslatable::SetAside(
                        "ME0912",
                        format!("{} times {factor} has too many digits", row.labels[from]),
                    )
                })?;
                values = vec![Value::Number(exact)];
            }
        }
    }
    let to = from.other();
    if let Some(limit) = row.truncate[to] {
        for value in &mut values {
            if let Value::Text(text) = value
                && text.chars().count() > limit as usize
            {
                *text = text.chars().take(limit as usize).collect::<String>().trim_end().to_owned();
            }
        }
    }
    Ok(Translated::Values(values))
}

/// Rounds half away from zero (`language.md`: rounding is always explicit).
pub fn rounded(number: Decimal, places: u32) -> Decimal {
    number.round_dp_with_strategy(places, rust_decimal::RoundingStrategy::MidpointAwayFromZero)
}

fn join(values: &[Value], with: &str) -> Value {
    let parts: Vec<String> =
        values.iter().filter(|value| !value.is_empty()).filter_map(Value::scalar_text).collect();
    if parts.is_empty() { Value::Null } else { Value::Text(parts.join(with)) }
}

fn split(
    row: &Row,
    from: Side,
    values: &[Value],
    with: &str,
    count: usize,
    overflow: Option<Overflow>,
) -> Result<Vec<Value>, Untranslatable> {
    let text = values.first().and_then(Value::scalar_text).unwrap_or_default().replace("\r\n", "\n");
    let text = text.trim_end_matches(with);
    let mut parts: Vec<&str> = match overflow {
        _ if text.is_empty() => Vec::new(),
        None => text.split(with).collect(),
        Some(Overflow::Last) => text.splitn(count, with).collect(),
        Some(Overflow::First) => text.rsplitn(count, with).collect(),
    };
    if overflow == Some(Overflow::First) {
        parts.reverse();
    }
    if parts.len() > count {
        return Err(Untranslatable::SetAside(
            "ME0913",
            format!(
                "{} has {} parts, {} has room for {count}",
                row.labels[from],
                parts.len(),
                row.labels[from.other()]
            ),
        ));
    }
    Ok((0..count).map(|i| parts.get(i).map_or(Value::Null, |part| Value::text(*part))).collect())
}

fn code(table: &[(Value, Vec<Value>)], forward: bool, value: &Value) -> Option<Value> {
    let wanted = normal(Compare::Exact, value);
    if forward {
        let (_, right) = table.iter().find(|(left, _)| normal(Compare::Exact, left) == wanted)?;
        right.first().cloned()
    } else {
        let (left, _) =
            table.iter().find(|(_, right)| right.iter().any(|one| normal(Compare::Exact, one) == wanted))?;
        Some(left.clone())
    }
}

/// What undoes a conversion: it is told by the type of the left side.
fn inverse(convert: Convert, left: &Type) -> Convert {
    match convert {
        Convert::Not | Convert::Negate => convert,
        Convert::Text | Convert::Integer | Convert::Decimal | Convert::Date => match left {
            Type::Integer => Convert::Integer,
            Type::Decimal => Convert::Decimal,
            Type::Date => Convert::Date,
            _ => Convert::Text,
        },
    }
}

fn number(row: &Row, from: Side, value: &Value) -> Result<Decimal, Untranslatable> {
    let found = match value {
        Value::Number(number) => Some(*number),
        Value::Text(text) => parse_decimal(text),
        _ => None,
    };
    found.ok_or_else(|| not_a(row, from, value, "a number"))
}

fn not_a(row: &Row, from: Side, value: &Value, what: &str) -> Untranslatable {
    Untranslatable::SetAside("ME0914", format!("{} is {value}, which is not {what}", row.labels[from]))
}

fn converted(row: &Row, from: Side, convert: Convert, value: &Value) -> Result<Value, Untranslatable> {
    // a row between a number and a text names one conversion for both ways: what is to come out decides
    let convert = match (convert, &row.types[from.other()]) {
        (Convert::Text | Convert::Integer | Convert::Decimal, Type::Integer) => Convert::Integer,
        (Convert::Text | Convert::Integer | Convert::Decimal, Type::Decimal) => Convert::Decimal,
        (Convert::Text | Convert::Integer | Convert::Decimal, Type::Text | Type::Id) => Convert::Text,
        (other, _) => other,
    };
    match convert {
        Convert::Text => match value {
            Value::Number(number) => Ok(Value::Text(number.normalize().to_string())),
            other => other.scalar_text().map(Value::Text).ok_or_else(|| not_a(row, from, value, "a text")),
        },
        Convert::Integer => {
            if let Value::Text(text) = value {
                let canonical = text == "0" || !text.trim_start_matches('-').starts_with('0');
                if !canonical {
                    return Err(not_a(row, from, value, "a number without leading zeros"));
                }
            }
            let number = number(row, from, value).map_err(|_| not_a(row, from, value, "a whole number"))?;
            if number.fract().is_zero() {
                Ok(Value::Number(number.normalize()))
            } else {
                Err(not_a(row, from, value, "a whole number"))
            }
        }
        Convert::Decimal => number(row, from, value).map(Value::Number),
        Convert::Date => match value.as_text() {
            Some(text) if text.len() >= 10 && text.is_char_boundary(10) => Ok(Value::text(&text[..10])),
            _ => Err(not_a(row, from, value, "a date")),
        },
        Convert::Not => match value {
            Value::Bool(yes) => Ok(Value::Bool(!yes)),
            _ => Err(not_a(row, from, value, "true or false")),
        },
        Convert::Negate => Ok(Value::Number(-number(row, from, value)?)),
    }
}
