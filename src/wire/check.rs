//! Whether a value may be written to a field: kind, length, places and choices.

use super::{WriteProblem, scalar};
use crate::program::system::{Assigned, Encoding, Field, Times};
use crate::program::types::Type;
use crate::value::Value;

/// A value in the one form of its declared type: digits as a number, a number as text where text is declared.
///
/// # Errors
/// Where it is of another kind.
pub(super) fn fitted(field: &Field, ty: &Type, value: &Value, times: &Times) -> Result<Value, WriteProblem> {
    scalar::read(ty, value, &Encoding::default(), times)
        .map_err(|_| problem(field, format!("{ty} is declared, the value is {}", shown(field, value))))
}

/// Lengths, places and choices.
///
/// # Errors
/// What does not fit, with the length and what is allowed.
pub(super) fn check(field: &Field, value: &Value) -> Result<(), WriteProblem> {
    match value {
        Value::List(items) if field.fields.is_empty() => {
            return items.iter().try_for_each(|item| check(field, item));
        }
        Value::Text(text) => length(field, text)?,
        Value::Number(number) => {
            let plain = number.normalize();
            let digits = plain.trunc().abs().to_string();
            let named = || if field.sensitive { "it".to_owned() } else { plain.to_string() };
            if let Some(max) = field.max
                && digits != "0"
                && digits.len() > max as usize
            {
                let has = digits.len();
                let message = format!("{} has {has} digits before the point, {max} are allowed", named());
                return Err(problem(field, message));
            }
            if let Some(places) = field.places
                && plain.scale() > places
            {
                let has = plain.scale();
                let message =
                    format!("{} has {has} places after the point, {places} are allowed: `round` it", named());
                return Err(problem(field, message));
            }
        }
        _ => {}
    }
    let ty = match &field.ty {
        Type::List(item) => item,
        ty => ty,
    };
    if let (Type::Choice(of), Some(text)) = (ty, value.as_text())
        && !of.iter().any(|one| one == text)
    {
        let message = format!("it cannot be {}: it is one of {}", shown(field, value), of.join(", "));
        return Err(problem(field, message));
    }
    Ok(())
}

fn length(field: &Field, text: &str) -> Result<(), WriteProblem> {
    let length = text.chars().count();
    match field.max {
        Some(max) if length > max as usize => Err(problem(
            field,
            format!(
                "it has {length} characters, {max} are allowed: shorten it, or let the row `truncate` it"
            ),
        )),
        _ => Ok(()),
    }
}

fn problem(field: &Field, message: String) -> WriteProblem {
    WriteProblem::new(named(field), message)
}

/// A value in a message; of a sensitive field only that there is one.
pub(super) fn shown(field: &Field, value: &Value) -> String {
    if field.sensitive { "•••".to_owned() } else { scalar::shown(value) }
}

/// What people call a field: its label and its name.
pub(super) fn named(field: &Field) -> String {
    match &field.label {
        Some(label) if *label != field.name.to_string() => format!("{label} ({})", field.name),
        _ => field.name.to_string(),
    }
}

/// Whether the system gives a value by itself.
pub(super) fn is_assigned(field: &Field) -> bool {
    matches!(field.assigned, Some(Assigned::BySeries | Assigned::IfMissing))
}
