//! Answers to records.

use std::collections::BTreeSet;

use super::scalar;
use super::{Lookups, ReadProblem};
use crate::program::system::{Encoding, EncodingKind, Field, Missing, Resource, Send, System, Times};
use crate::program::types::Type;
use crate::value::{Map, Path, Query, Segment, Value};

/// A record as the mapping sees it: the wanted fields (`None`: all that can be read), and always those that
/// address it and say when it changed. Children are put in later ([`super::assemble`]).
///
/// Where an update replaces whole objects, the other fields in the same object are read too: they have to be
/// sent again, or they would be lost.
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
    if !matches!(wire, Value::Map(_)) {
        let message = format!("an object is declared, the answer holds {}", scalar::shown(wire));
        return Err(ReadProblem { field: resource.name.clone(), message });
    }
    let reader = Reader { encoding: &resource.encoding, times: &system.times, lookups };
    let mut record = Value::Map(Map::new());
    let made_of: BTreeSet<String> = resource
        .fields
        .iter()
        .filter(|field| wanted.is_none_or(|wanted| wanted.contains(&field.name.to_string())))
        .flat_map(Field::made_of)
        .map(Path::to_string)
        .collect();
    for field in &resource.fields {
        if field.is_made() {
            continue;
        }
        let Some(read) = field.read.as_ref().filter(|_| field.pivot.is_none() && !field.write_only) else {
            continue;
        };
        let name = field.name.to_string();
        let is_wanted = wanted.is_none_or(|wanted| wanted.contains(&name))
            || always(resource, field)
            || made_of.iter().any(|one| *one == name || one.starts_with(&format!("{name}.")));
        if is_wanted {
            reader
                .field(field, read, wire, &mut record)
                .map_err(|message| ReadProblem { field: name, message })?;
            if let Some(extract) = &field.extract {
                let part = field.name.get(&record).and_then(Value::as_text).and_then(|text| {
                    let found = extract.captures(text)?;
                    Some(Value::text(found.get(1).or(found.get(0))?.as_str()))
                });
                field.name.set(&mut record, part.unwrap_or_default());
            }
        } else if wanted.is_some_and(|wanted| sent_with(resource, field, wanted)) {
            // nobody asked for it: one that cannot be read does not stop the record
            let _ = reader.field(field, read, wire, &mut record);
        }
    }
    for field in resource.fields.iter().filter(|field| field.is_made()) {
        if wanted.is_none_or(|wanted| wanted.contains(&field.name.to_string())) {
            let made = match &field.days {
                Some(days) => super::days::days(days, &record),
                None => total(&field.sum, &record),
            };
            let made = made.map_err(|message| ReadProblem { field: field.name.to_string(), message })?;
            field.name.set(&mut record, made);
        }
    }
    Ok(record)
}

/// What is left of a removed record: its key, where it is there, and what tells that it is one. None where the item is a record.
///
/// # Errors
/// As [`decode`] for these fields; what the resource's condition stumbles over.
pub fn removed(
    system: &System,
    resource: &Resource,
    wire: &Value,
    lookups: &dyn Lookups,
) -> Result<Option<Value>, ReadProblem> {
    let Some(deleted) = &resource.deleted else { return Ok(None) };
    let uses = deleted.uses();
    let asked =
        uses.iter().filter_map(|path| resource.field_at(path)).map(|(field, _)| field.name.to_string());
    let left = decode(system, resource, Some(&asked.collect()), wire, lookups)?;
    match deleted.holds(&left) {
        Ok(holds) => Ok(holds.then_some(left)),
        Err(error) => Err(ReadProblem { field: resource.name.clone(), message: error.to_string() }),
    }
}

/// The exact sum of fields; null where none of them is there.
fn total(of: &[Path], record: &Value) -> Result<Value, String> {
    let mut sum = None;
    for path in of {
        match path.get(record) {
            Some(Value::Number(number)) => {
                let next = sum.unwrap_or_default();
                let next = number.checked_add(next).ok_or("the sum has too many digits")?;
                sum = Some(next);
            }
            Some(value) if !value.is_empty() => return Err(format!("{path} is {}", value.kind())),
            _ => {}
        }
    }
    Ok(sum.map_or(Value::Null, Value::Number))
}

fn always(resource: &Resource, field: &Field) -> bool {
    resource.key.contains(&field.name)
        || resource.identity.as_ref() == Some(&field.name)
        || resource.cursor.as_ref().is_some_and(|cursor| cursor.fields.contains(&field.name))
}

/// Whether an update of one of the wanted fields sends this one too.
fn sent_with(resource: &Resource, field: &Field, wanted: &BTreeSet<String>) -> bool {
    let (Some(update), Some(write)) = (&resource.update, &field.write) else { return false };
    if field.read_only {
        return false;
    }
    let top = write.segments().first();
    let shares_object = || {
        resource.fields.iter().any(|other| {
            other.write.as_ref().is_some_and(|other| other.segments().first() == top)
                && wanted.contains(&other.name.to_string())
        })
    };
    update.send == Send::All
        || field.always_send
        || (update.encoding.kind == EncodingKind::JsonPatch && shares_object())
}

/// Where a field stands in a record: `codes[*]` is the list `codes`.
pub(super) fn target(name: &Path) -> Path {
    match halves(name) {
        Some((list, rest)) if rest.is_root() => list,
        _ => name.clone(),
    }
}

/// What stands before the first `[*]` of a path, and what behind it.
pub(super) fn halves(path: &Path) -> Option<(Path, Path)> {
    let at = path.segments().iter().position(|segment| *segment == Segment::All)?;
    Some((Path::of(&path.segments()[..at]), Path::of(&path.segments()[at + 1..])))
}

/// The path of one item of a list.
pub(super) fn item(index: usize) -> Path {
    Path::of(&[Segment::Index(index)])
}

struct Reader<'a> {
    encoding: &'a Encoding,
    times: &'a Times,
    lookups: &'a dyn Lookups,
}

impl Reader<'_> {
    /// Puts what the wire holds for a field into a record (or into an object of one).
    fn field(&self, field: &Field, read: &Query, wire: &Value, record: &mut Value) -> Result<(), String> {
        let Some((list, below)) = halves(&field.name) else {
            let many = matches!(field.ty, Type::List(_)) && read.as_path().is_none_or(|p| !p.is_singular());
            let value = match many {
                true => Value::List(read.select(wire)),
                false => read.first(wire).unwrap_or_default(),
            };
            let value = self.typed(field, &value)?;
            if !matches!(value, Value::Null) {
                field.name.set(record, value);
            }
            return Ok(());
        };
        if below.is_root() {
            let items = read.select(wire);
            let items = items.iter().map(|item| self.typed(field, item)).collect::<Result<Vec<_>, _>>()?;
            list.set(record, Value::List(items));
            return Ok(());
        }
        // a member of every item: `rows[].price`
        let Some((wire_list, wire_below)) = read.as_path().and_then(halves) else { return Ok(()) };
        let items = match wire_list.get(wire) {
            Some(Value::List(items)) => &items[..],
            Some(alone @ Value::Map(_)) if self.encoding.is_xml() => std::slice::from_ref(alone),
            _ => &[],
        };
        for (i, held) in items.iter().enumerate() {
            let value = self.typed(field, wire_below.get(held).unwrap_or(&Value::Null))?;
            list.join(&item(i)).join(&below).set(record, value);
        }
        Ok(())
    }

    fn typed(&self, field: &Field, value: &Value) -> Result<Value, String> {
        if matches!(value, Value::Null) {
            return Ok(Value::Null);
        }
        let wrong = |value: &Value| {
            let held = if field.sensitive { value.kind().to_owned() } else { scalar::shown(value) };
            format!("{} is declared, the answer holds {held}", scalar::declared(field, self.encoding))
        };
        if let Some(lookup) = &field.lookup {
            let resource = &lookup.target.resource;
            let Some(key) = value.scalar_text() else {
                return Err(format!("the key of {resource} is declared, the answer holds {}", value.kind()));
            };
            if key.is_empty() {
                return Ok(Value::Null);
            }
            return match self.lookups.by_key(resource, &key) {
                Some(record) => Ok(lookup.target.field.get(&record).cloned().unwrap_or_default()),
                None if lookup.missing == Missing::None => Ok(Value::Null),
                None => Err(format!("there is no {resource} with the key {key}")),
            };
        }
        // XML does not tell a list of one from one
        let alone;
        let value = match (&field.ty, value) {
            (Type::List(_), Value::Map(_) | Value::Text(_)) if self.encoding.is_xml() => {
                alone = Value::List(vec![value.clone()]);
                &alone
            }
            _ => value,
        };
        match (&field.ty, value) {
            (Type::List(ty), Value::List(items)) => items
                .iter()
                .map(|one| match (&field.fields[..], one) {
                    ([], one) => {
                        scalar::read_of(field, ty, one, self.encoding, self.times).map_err(|_| wrong(one))
                    }
                    (members, Value::Map(_)) => self.members(members, one),
                    // an empty element is an item with nothing in it
                    (members, Value::Null) if self.encoding.is_xml() => {
                        self.members(members, &Value::Map(Map::new()))
                    }
                    (_, other) => Err(wrong(other)),
                })
                .collect::<Result<Vec<_>, _>>()
                .map(Value::List),
            (Type::Object(_), Value::Map(_)) => self.members(&field.fields, value),
            (Type::List(_) | Type::Object(_), other) => Err(wrong(other)),
            (ty, value) => {
                scalar::read_of(field, ty, value, self.encoding, self.times).map_err(|_| wrong(value))
            }
        }
    }

    fn members(&self, fields: &[Field], wire: &Value) -> Result<Value, String> {
        let mut record = Value::Map(Map::new());
        for field in fields {
            let Some(read) = field.read.as_ref().filter(|_| !field.write_only) else { continue };
            self.field(field, read, wire, &mut record)
                .map_err(|message| format!("{}: {message}", field.name))?;
        }
        Ok(record)
    }
}
