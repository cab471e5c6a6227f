//! Pivots: values of a record that are children with calls of their own.

use crate::program::system::{MANY_FIT, PARTS, Pivot, Resource};
use crate::value::{Map, Path, Value};

/// Which of the children that fit a pivot field is the one that counts, where that is known.
pub type Known<'a> = &'a dyn Fn(&Path, &[&str]) -> Option<String>;

/// Puts the values of the children in place; `children` gives the ids and decoded records of a part by its name. Of more than
/// one that fits, the one counts that the pointer names, else the one that is `known` to; else the field has no value and
/// stands in [`MANY_FIT`].
pub fn assemble(
    resource: &Resource,
    record: &mut Value,
    children: &dyn Fn(&str) -> Vec<(String, Value)>,
    known: Known,
) {
    let mut many_fit = Map::new();
    let mut ids = Map::new();
    for field in &resource.fields {
        let Some(pivot) = &field.pivot else { continue };
        let all = children(&pivot.part);
        let fitting: Vec<&(String, Value)> = all.iter().filter(|(_, child)| fits(pivot, child)).collect();
        if pivot.many {
            let items = fitting.iter().map(|(_, child)| match &pivot.value {
                Some(value) => value.get(child).cloned().unwrap_or_default(),
                None => child.clone(),
            });
            field.name.set(record, Value::List(items.collect()));
            continue;
        }
        let chosen = match fitting[..] {
            [] => continue,
            [one] => Some(one),
            _ => {
                let named =
                    |id: &Option<String>| fitting.iter().copied().find(|(one, _)| Some(one) == id.as_ref());
                let pointer = pivot.pointer.as_ref().and_then(|pointer| pointer.get(record));
                let all: Vec<&str> = fitting.iter().map(|(id, _)| id.as_str()).collect();
                named(&pointer.and_then(Value::scalar_text)).or_else(|| named(&known(&field.name, &all)))
            }
        };
        let Some((id, child)) = chosen else {
            let all = fitting.iter().map(|(id, _)| Value::text(id.clone())).collect();
            many_fit.insert(field.name.to_string(), Value::List(all));
            continue;
        };
        let value = match &pivot.value {
            Some(value) => value.get(child).cloned().unwrap_or_default(),
            None => child.clone(),
        };
        ids.insert(field.name.to_string(), Value::Text(id.clone()));
        field.name.set(record, value);
    }
    if let Value::Map(map) = record {
        for (hidden, held) in [(PARTS, ids), (MANY_FIT, many_fit)] {
            if !held.is_empty() {
                map.insert(hidden.to_owned(), Value::Map(held));
            }
        }
    }
}

fn fits(pivot: &Pivot, child: &Value) -> bool {
    pivot
        .only_where
        .iter()
        .all(|(path, wanted)| path.get(child).unwrap_or(&Value::Null).canonical() == wanted.canonical())
}
