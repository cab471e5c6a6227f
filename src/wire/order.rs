//! The order of elements: an XML sequence is as it is declared, whatever changed first.

use crate::program::system::{Field, Resource};
use crate::program::types::Type;
use crate::value::{Map, Path, Value};

/// A body with its members in the order in which the fields stand in the system file.
pub(super) fn in_order(resource: &Resource, body: Value) -> Value {
    sorted(body, &model(&resource.fields))
}

/// Whether the elements of a body stand in that order; attributes have none.
pub(super) fn is_in_order(resource: &Resource, body: &Value) -> bool {
    let bare = without_attributes(body);
    in_order(resource, bare.clone()).to_json() == bare.to_json()
}

fn without_attributes(value: &Value) -> Value {
    match value {
        Value::Map(map) => {
            let elements = map.iter().filter(|(name, _)| !name.starts_with('@'));
            Value::Map(elements.map(|(name, value)| (name.clone(), without_attributes(value))).collect())
        }
        Value::List(items) => Value::List(items.iter().map(without_attributes).collect()),
        other => other.clone(),
    }
}

/// What a whole body looks like: every place once, lists with one item.
fn model(fields: &[Field]) -> Value {
    let mut whole = Value::Map(Map::new());
    place(fields, &Path::root(), &mut whole);
    whole
}

fn place(fields: &[Field], before: &Path, whole: &mut Value) {
    for field in fields {
        let Some(write) = &field.write else { continue };
        let at = before.join(write);
        if matches!(field.ty, Type::List(_)) && !field.fields.is_empty() {
            at.set(whole, Value::List(vec![model(&field.fields)]));
        } else {
            at.set(whole, Value::text("x"));
            place(&field.fields, &at, whole);
        }
        for (constant, _) in &field.with {
            before.join(constant).set(whole, Value::text("x"));
        }
    }
}

fn sorted(value: Value, model: &Value) -> Value {
    match (value, model) {
        (Value::Map(mut map), Value::Map(order)) => {
            let mut out = Map::new();
            let attributes = order.iter().filter(|(name, _)| name.starts_with('@'));
            for (name, inner) in attributes.chain(order.iter().filter(|(name, _)| !name.starts_with('@'))) {
                if let Some(value) = map.shift_remove(name) {
                    out.insert(name.clone(), sorted(value, inner));
                }
            }
            out.extend(map);
            Value::Map(out)
        }
        (Value::List(items), Value::List(order)) => match order.first() {
            Some(inner) => Value::List(items.into_iter().map(|item| sorted(item, inner)).collect()),
            None => Value::List(items),
        },
        (value, _) => value,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::from_json_str;

    #[test]
    fn members_stand_as_in_the_model() {
        let value = |text: &str| from_json_str(text).unwrap();
        let model = value(r#"{"a":{"x":1,"y":2,"@t":1},"l":[{"p":1,"q":2}],"b":1}"#);
        let body = value(r#"{"b":9,"z":0,"l":[{"q":2,"p":1},{"q":3}],"a":{"y":2,"@t":0,"x":1}}"#);
        assert_eq!(
            sorted(body, &model).to_json(),
            r#"{"a":{"@t":0,"x":1,"y":2},"l":[{"p":1,"q":2},{"q":3}],"b":9,"z":0}"#
        );
    }
}
