//! The server's half, for stand-ins: the same tables the other way round, and strict.

use std::collections::BTreeMap;

use super::body::{check, is_assigned};
use super::{Lookups, scalar};
use crate::program::system::{CallKind, Encoding, EncodingKind, Field, Lookup, Resource, System};
use crate::program::types::Type;
use crate::value::{Map, Path, Segment, Value};

/// A record as the system answers it: read names, keys for lookups, the system's own scalars.
pub fn encode_answer(system: &System, resource: &Resource, record: &Value, lookups: &dyn Lookups) -> Value {
    let mut out = Value::Map(Map::new());
    for field in &resource.fields {
        if field.pivot.is_some() || field.write_only {
            continue;
        }
        let Some(read) = field.read.as_ref().and_then(|read| read.as_path()) else { continue };
        let name = super::read::target(&field.name);
        let value = name.get(record).cloned().unwrap_or_default();
        let encoded = answer(system, field, &value, &resource.encoding, lookups);
        match read.segments().split_last() {
            Some((Segment::All, way)) => {
                let path = way.iter().fold(Path::root(), |path, segment| match segment {
                    Segment::Key(key) => path.join(&Path::key(key.clone())),
                    _ => path,
                });
                path.set(&mut out, encoded);
            }
            _ => read.set(&mut out, encoded),
        }
    }
    out
}

fn answer(
    system: &System,
    field: &Field,
    value: &Value,
    encoding: &Encoding,
    lookups: &dyn Lookups,
) -> Value {
    if matches!(value, Value::Null) {
        return Value::Null;
    }
    if let Some(lookup) = &field.lookup {
        return match lookups.find(&any_of(lookup), value) {
            Ok(key) => Value::Text(key),
            Err(super::LookupProblem::Several(keys)) => {
                keys.into_iter().next().map_or(Value::Null, Value::Text)
            }
            Err(super::LookupProblem::None) => Value::Null,
        };
    }
    let members = |value: &Value| {
        let mut out = Value::Map(Map::new());
        for member in &field.fields {
            if let Some(read) = member.read.as_ref().and_then(|read| read.as_path()) {
                let now = member.name.get(value).cloned().unwrap_or_default();
                read.set(&mut out, answer(system, member, &now, encoding, lookups));
            }
        }
        out
    };
    match (&field.ty, value) {
        (Type::Object(_), Value::Map(_)) if !field.fields.is_empty() => members(value),
        (Type::List(_), Value::List(items)) if !field.fields.is_empty() => {
            Value::List(items.iter().map(members).collect())
        }
        (Type::List(item), Value::List(items)) => {
            Value::List(items.iter().map(|one| scalar::write(item, one, encoding, &system.times)).collect())
        }
        (ty, value) => scalar::write(ty, value, encoding, &system.times),
    }
}

/// When a record is shown, any record with the value will do.
fn any_of(lookup: &Lookup) -> Lookup {
    Lookup { only_where: None, ..lookup.clone() }
}

/// What a request body says, by field names; every mistake in it otherwise.
///
/// # Errors
/// All problems, each a sentence that names the member.
pub fn decode_body(
    system: &System,
    resource: &Resource,
    call: CallKind,
    encoding: &Encoding,
    body: &Value,
    lookups: &dyn Lookups,
) -> Result<Vec<(Path, Value)>, Vec<String>> {
    let mut reader = Reader {
        system,
        encoding,
        lookups,
        known: BTreeMap::new(),
        constants: BTreeMap::new(),
        found: Vec::new(),
        problems: Vec::new(),
    };
    for field in &resource.fields {
        if field.pivot.is_some() {
            continue;
        }
        reader.learn(field, &field.name, &Path::root(), true);
    }
    reader.body(body);
    let creating = call == CallKind::Create;
    for field in &resource.fields {
        let given = reader
            .found
            .iter()
            .any(|(path, value)| path.strip_prefix(&field.name).is_some() && !value.is_empty());
        let named = reader.found.iter().any(|(path, _)| path.strip_prefix(&field.name).is_some());
        if creating && field.required && !given && !is_assigned(field) && field.write.is_some() {
            reader.problems.push(format!("{} is required", field.name));
        }
        if !creating && named && field.create_only {
            reader.problems.push(format!("{} cannot be changed", field.name));
        }
        if !creating && field.required && named && !given {
            reader.problems.push(format!("{} is required", field.name));
        }
    }
    if reader.problems.is_empty() { Ok(reader.found) } else { Err(reader.problems) }
}

struct Reader<'a> {
    system: &'a System,
    encoding: &'a Encoding,
    lookups: &'a dyn Lookups,
    known: BTreeMap<String, (Path, Field)>,
    constants: BTreeMap<String, Value>,
    found: Vec<(Path, Value)>,
    problems: Vec<String>,
}

impl Reader<'_> {
    fn learn(&mut self, field: &Field, name: &Path, prefix: &Path, writable: bool) {
        let Some(write) = &field.write else { return };
        let at = prefix.join(write);
        let writable = writable && !field.read_only;
        let is_list = matches!(field.ty, Type::List(_));
        if !field.fields.is_empty() && !is_list {
            for member in &field.fields {
                self.learn(member, &name.join(&member.name), &at, writable);
            }
        }
        if writable {
            self.known.insert(at.to_string(), (super::read::target(name), field.clone()));
        }
        for (path, value) in &field.with {
            self.constants.insert(path.to_string(), value.clone());
        }
    }

    fn body(&mut self, body: &Value) {
        if self.encoding.kind == EncodingKind::JsonPatch {
            return self.patch(body);
        }
        let body = match &self.encoding.envelope {
            Some(envelope) => match body.as_map() {
                Some(map) if map.len() == 1 && map.contains_key(envelope) => &map[envelope],
                _ => {
                    self.problems.push(format!("the body must be an object with the one member {envelope}"));
                    return;
                }
            },
            None => body,
        };
        match body {
            Value::Map(map) => self.members(map, ""),
            _ => self.problems.push("the body must be an object".into()),
        }
    }

    fn patch(&mut self, body: &Value) {
        let Some(operations) = body.as_list() else {
            self.problems.push("the body must be a list of operations".into());
            return;
        };
        for operation in operations {
            let op = operation.get("op").and_then(Value::as_text).unwrap_or_default().to_owned();
            let path = operation.get("path").and_then(Value::as_text).unwrap_or_default().to_owned();
            if op != self.encoding.patch_op {
                self.problems
                    .push(format!("operation {op:?} is not supported: only {}", self.encoding.patch_op));
                continue;
            }
            let Some(name) = path.strip_prefix('/') else {
                self.problems.push(format!("{path:?} is no path"));
                continue;
            };
            let name = name.replace('/', ".");
            let value = operation.get("value").cloned().unwrap_or_default();
            self.member(&name, &value);
        }
    }

    fn members(&mut self, map: &Map, prefix: &str) {
        for (name, value) in map {
            let path = if prefix.is_empty() { name.clone() } else { format!("{prefix}.{name}") };
            self.member(&path, value);
        }
    }

    fn member(&mut self, path: &str, value: &Value) {
        let below = format!("{path}.");
        let known = self.known.get(path).cloned();
        let inside = self.known.keys().any(|key| key.starts_with(&below));
        let constant = self.constants.get(path).cloned();
        let wraps = known.as_ref().is_none_or(|(_, field)| field.wrap);
        let is_list = known.as_ref().is_some_and(|(_, field)| matches!(field.ty, Type::List(_)));
        let value = match &self.encoding.wrap {
            Some(wrap) if wraps && !is_list && constant.is_none() => match value.as_map() {
                Some(map) if map.len() == 1 && map.contains_key(wrap) => map[wrap].clone(),
                _ => {
                    self.problems.push(format!("{path} must be an object with the one member {wrap}"));
                    return;
                }
            },
            _ => value.clone(),
        };
        match (known, &value) {
            (_, Value::Map(map)) if inside => self.members(map, path),
            (Some((name, field)), value) => self.leaf(path, &name, &field, value),
            (None, Value::Null) if inside => {}
            (None, value) => match constant {
                Some(wanted)
                    if wanted == *value
                        || value.as_map().is_some_and(|map| map.values().any(|one| *one == wanted)) => {}
                Some(_) => self.problems.push(format!("{path} has another value than it may have")),
                None => self.problems.push(format!("{path} is not known or cannot be written")),
            },
        }
    }

    fn leaf(&mut self, path: &str, name: &Path, field: &Field, value: &Value) {
        if matches!(value, Value::Null) {
            // null empties an object with all its members
            self.found.push((name.clone(), Value::Null));
            return;
        }
        let typed = if let Some(lookup) = &field.lookup {
            match value.scalar_text().and_then(|key| self.lookups.by_key(&lookup.target.resource, &key)) {
                Some(record) => Ok(lookup.target.field.get(&record).cloned().unwrap_or_default()),
                None => Err(format!("there is no {} with the key {value}", lookup.target.resource)),
            }
        } else if let (Type::List(_), Value::List(items)) = (&field.ty, value) {
            self.items(field, items)
        } else {
            strict(&field.ty, value, self.encoding, &self.system.times)
        };
        match typed.and_then(|value| check(field, &value).map(|()| value).map_err(|problem| problem.message))
        {
            Ok(value) => self.found.push((name.clone(), value)),
            Err(message) => self.problems.push(format!("{path}: {message}")),
        }
    }

    fn items(&mut self, field: &Field, items: &[Value]) -> Result<Value, String> {
        let mut out = Vec::new();
        for item in items {
            if field.fields.is_empty() {
                out.push(item.clone());
                continue;
            }
            let mut reader = Reader {
                system: self.system,
                encoding: self.encoding,
                lookups: self.lookups,
                known: BTreeMap::new(),
                constants: BTreeMap::new(),
                found: Vec::new(),
                problems: Vec::new(),
            };
            for member in &field.fields {
                reader.learn(member, &member.name, &Path::root(), true);
            }
            match item {
                Value::Map(map) => reader.members(map, ""),
                _ => reader.problems.push("an item must be an object".into()),
            }
            if !reader.problems.is_empty() {
                return Err(reader.problems.join("; "));
            }
            let mut record = Value::Map(Map::new());
            for (path, value) in reader.found {
                path.set(&mut record, value);
            }
            out.push(record);
        }
        Ok(Value::List(out))
    }
}

/// A request must hold the declared kind exactly; an answer may be read more kindly.
fn strict(
    ty: &Type,
    value: &Value,
    encoding: &Encoding,
    times: &crate::program::system::Times,
) -> Result<Value, String> {
    let fits = match (ty, value) {
        (Type::Text | Type::Id | Type::Choice(_) | Type::Date | Type::Time, Value::Text(_))
        | (Type::Bool, Value::Bool(_))
        | (Type::Integer, Value::Number(_))
        | (Type::Any, _) => true,
        (Type::Date | Type::Time | Type::Decimal, Value::Map(_)) => true,
        (Type::Decimal, Value::Number(_)) => encoding.decimal == crate::program::system::Scalar::Number,
        (Type::Decimal, Value::Text(_)) => encoding.decimal == crate::program::system::Scalar::Text,
        _ => false,
    };
    if !fits {
        return Err(format!("must be {ty}, not {}", scalar::shown(value)));
    }
    scalar::read(ty, value, encoding, times)
        .map_err(|_| format!("must be {ty}, not {}", scalar::shown(value)))
}
