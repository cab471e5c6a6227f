//! Answers to records.

use std::collections::BTreeSet;

use super::scalar;
use super::{Lookups, ReadProblem};
use crate::program::system::{Encoding, Field, Missing, Resource, System, Times};
use crate::program::types::Type;
use crate::value::{Map, Path, Segment, Value};

/// A record as the mapping sees it: the wanted fields (`None`: all that can be read), and always those that
/// address it and say when it changed. Children are put in later ([`super::assemble`]).
///
/// # Errors
/// The first field that is not as declared.
pub fn decode(
    system: &System,
    resource: &Resource,
    wanted: Option<&BTreeSet<String>>,
    wire: &Value,
    lookups: &dyn Lookups,
) -> Result<Value, ReadProblem> {
    let mut record = Value::Map(Map::new());
    for field in &resource.fields {
        if field.pivot.is_some() || field.write_only {
            continue;
        }
        let name = field.name.to_string();
        let always = resource.key.contains(&field.name)
            || resource.identity.as_ref() == Some(&field.name)
            || resource.cursor.as_ref().is_some_and(|cursor| cursor.fields.contains(&field.name));
        if !always && wanted.is_some_and(|wanted| !wanted.contains(&name)) {
            continue;
        }
        let Some(read) = &field.read else { continue };
        let is_list = field.name.segments().last() == Some(&Segment::All);
        let value =
            if is_list { Value::List(read.select(wire)) } else { read.first(wire).unwrap_or_default() };
        let value = typed(field, value, &resource.encoding, &system.times, lookups)
            .map_err(|message| ReadProblem { field: name, message })?;
        if !matches!(value, Value::Null) {
            target(&field.name).set(&mut record, value);
        }
    }
    Ok(record)
}

/// Where a field stands in a record: `codes[*]` is the list `codes`.
pub(super) fn target(name: &Path) -> Path {
    match name.segments().split_last() {
        Some((Segment::All, way)) => way.iter().fold(Path::root(), |path, segment| match segment {
            Segment::Key(key) => path.join(&Path::key(key.clone())),
            _ => path,
        }),
        _ => name.clone(),
    }
}

fn typed(
    field: &Field,
    value: Value,
    encoding: &Encoding,
    times: &Times,
    lookups: &dyn Lookups,
) -> Result<Value, String> {
    if matches!(value, Value::Null) {
        return Ok(Value::Null);
    }
    if let Some(lookup) = &field.lookup {
        let Some(key) = value.scalar_text().filter(|key| !key.is_empty()) else { return Ok(Value::Null) };
        return match lookups.by_key(&lookup.target.resource, &key) {
            Some(record) => Ok(lookup.target.field.get(&record).cloned().unwrap_or_default()),
            None if lookup.missing == Missing::None => Ok(Value::Null),
            None => Err(format!("there is no {} with the key {key}", lookup.target.resource)),
        };
    }
    match (&field.ty, value) {
        (Type::List(item), Value::List(items)) => items
            .into_iter()
            .map(|item_value| {
                if field.fields.is_empty() {
                    scalar::read(item, &item_value, encoding, times)
                } else {
                    members(&field.fields, &item_value, encoding, times, lookups)
                }
            })
            .collect::<Result<Vec<_>, _>>()
            .map(Value::List),
        (Type::Object(_), value @ Value::Map(_)) => members(&field.fields, &value, encoding, times, lookups),
        (Type::List(_) | Type::Object(_), other) => {
            Err(format!("{} is declared, the answer holds {}", field.ty, scalar::shown(&other)))
        }
        (ty, value) => scalar::read(ty, &value, encoding, times),
    }
}

fn members(
    fields: &[Field],
    value: &Value,
    encoding: &Encoding,
    times: &Times,
    lookups: &dyn Lookups,
) -> Result<Value, String> {
    let mut record = Value::Map(Map::new());
    for field in fields {
        let Some(read) = &field.read else { continue };
        let found = typed(field, read.first(value).unwrap_or_default(), encoding, times, lookups)
            .map_err(|message| format!("{}: {message}", field.name))?;
        if !matches!(found, Value::Null) {
            field.name.set(&mut record, found);
        }
    }
    Ok(record)
}
