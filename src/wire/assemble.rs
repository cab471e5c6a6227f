//! Pivots: values of a record that are children with calls of their own.

use super::ReadProblem;
use crate::program::system::{Pivot, Resource};
use crate::value::{Map, Value};

/// The hidden member of an assembled record that says which child each pivot field came from.
pub const PARTS: &str = "@parts";

/// Puts the values of the children in place; `children` gives the ids and decoded records of a part by its name.
///
/// # Errors
/// Where many children could be meant and nothing says which.
pub fn assemble(
    resource: &Resource,
    record: &mut Value,
    children: &dyn Fn(&str) -> Vec<(String, Value)>,
) -> Result<(), ReadProblem> {
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
            [one] => one,
            _ => {
                let pointed = pivot
                    .pointer
                    .as_ref()
                    .and_then(|pointer| pointer.get(record))
                    .and_then(Value::scalar_text);
                match fitting.iter().find(|(id, _)| pointed.as_ref() == Some(id)) {
                    Some(child) => child,
                    // without a pointer the oldest counts: a person who adds a second one is not punished
                    None => fitting[0],
                }
            }
        };
        let (id, child) = chosen;
        let value = match &pivot.value {
            Some(value) => value.get(child).cloned().unwrap_or_default(),
            None => child.clone(),
        };
        ids.insert(field.name.to_string(), Value::Text(id.clone()));
        field.name.set(record, value);
    }
    if !ids.is_empty()
        && let Value::Map(map) = record
    {
        map.insert(PARTS.to_owned(), Value::Map(ids));
    }
    Ok(())
}

fn fits(pivot: &Pivot, child: &Value) -> bool {
    pivot
        .only_where
        .iter()
        .all(|(path, wanted)| path.get(child).unwrap_or(&Value::Null).canonical() == wanted.canonical())
}
