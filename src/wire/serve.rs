//! The server's half, for stand-ins: the same tables the other way round, and strict.

use std::borrow::Cow;
use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use jiff::civil::DateTime;

use super::check::{check, is_assigned};
use super::order::is_in_order;
use super::read::{halves, item, target};
use super::values::key_value;
use super::{Lookups, scalar, times};
use crate::program::system::{
    Bools, CallKind, Emptied, Encoding, EncodingKind, Field, Lookup, Resource, Scalar, System, Times,
};
use crate::program::types::Type;
use crate::value::xml::{TEXT, element_text};
use crate::value::{Map, Path, Value};

/// A record as the system answers it: read names, keys for lookups, the system's own scalars.
pub fn encode_answer(system: &System, resource: &Resource, record: &Value, lookups: &dyn Lookups) -> Value {
    let mut out = Value::Map(Map::new());
    let times = answered(&system.times);
    for field in &resource.fields {
        // what is worked out is made by who reads; the system itself has no such member
        if field.pivot.is_some() || field.write_only || field.is_made() {
            continue;
        }
        let Some(read) = field.read.as_ref().and_then(|read| read.as_path()) else { continue };
        let answer = |value: &Value| answer(system, field, value, (&resource.encoding, &times), lookups);
        let Some((list, below)) = halves(&field.name) else {
            let encoded = answer(field.name.get(record).unwrap_or(&Value::Null));
            let place = target(read);
            // two fields may read one place: the one that has something tells it
            if !matches!(encoded, Value::Null) || place.get(&out).is_none() {
                place.set(&mut out, encoded);
            }
            continue;
        };
        // each item by itself: `codes[]`, `rows[].price`
        let items = list.get(record).and_then(Value::as_list).unwrap_or_default();
        let Some((list, place)) = halves(read) else { continue };
        if below.is_root() && items.is_empty() {
            list.set(&mut out, Value::List(Vec::new()));
        }
        for (i, held) in items.iter().enumerate() {
            let encoded = answer(below.get(held).unwrap_or(&Value::Null));
            list.join(&item(i)).join(&place).set(&mut out, encoded);
        }
    }
    out
}

/// How times stand in answers: as they are sent, unless that can not be read; then as the file says that they are read.
fn answered(written: &Times) -> Cow<'_, Times> {
    match times::is_read_as_sent(written) {
        true => Cow::Borrowed(written),
        false => Cow::Owned(Times { send_time: written.read_times.first().cloned(), ..written.clone() }),
    }
}

/// A time that a request asks for, for comparing it with others of the system. The outer none: the form in which the system
/// takes it can not be read; the inner: it is no time.
pub fn time_asked(text: &str, written: &Times) -> Option<Option<DateTime>> {
    times::is_read_as_sent(written).then(|| times::civil(&times::time(text, written)?))
}

fn answer(
    system: &System,
    field: &Field,
    value: &Value,
    (encoding, times): (&Encoding, &Times),
    lookups: &dyn Lookups,
) -> Value {
    if matches!(value, Value::Null) {
        return Value::Null;
    }
    if let Some(lookup) = &field.lookup {
        return match lookups.find(&any_of(lookup), value) {
            Ok(key) => key_value(system, lookup, &key),
            Err(super::LookupProblem::Many(keys)) => {
                keys.first().map_or(Value::Null, |key| key_value(system, lookup, key))
            }
            Err(super::LookupProblem::None) => Value::Null,
        };
    }
    let members = |value: &Value| {
        let mut out = Value::Map(Map::new());
        for member in &field.fields {
            if let Some(read) = member.read.as_ref().and_then(|read| read.as_path()) {
                let now = member.name.get(value).cloned().unwrap_or_default();
                read.set(&mut out, answer(system, member, &now, (encoding, times), lookups));
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
            Value::List(items.iter().map(|one| scalar::write_of(field, item, one, encoding, times)).collect())
        }
        (ty, value) => scalar::write_of(field, ty, value, encoding, times),
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
    if encoding.is_xml() {
        let inner = encoding.envelope.as_ref().and_then(|name| body.get(name)).unwrap_or(body);
        if !is_in_order(resource, inner) {
            reader.problems.push("the elements do not stand in the order of the file".into());
        }
    }
    let creating = call == CallKind::Create;
    if !creating {
        reader.absent();
    }
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
        if given && !matches!(field.ty, Type::List(_)) {
            reader.required_members(field, &field.name, creating);
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
            self.known.insert(at.to_string(), (target(name), field.clone()));
        }
        for (path, value) in &field.with {
            self.constants.insert(prefix.join(path).to_string(), value.clone());
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
            Value::Map(map) => self.members(map, &Path::root()),
            Value::Null if self.encoding.is_xml() => {}
            _ => self.problems.push("the body must be an object".into()),
        }
    }

    fn patch(&mut self, body: &Value) {
        let Some(operations) = body.as_list() else {
            self.problems.push("the body must be a list of operations".into());
            return;
        };
        let mut seen: Vec<String> = Vec::new();
        for operation in operations {
            let text =
                |name: &str| operation.get(name).and_then(Value::as_text).unwrap_or_default().to_owned();
            let (op, pointer) = (text("op"), text("path"));
            if op != self.encoding.patch_op {
                self.problems
                    .push(format!("operation {op:?} is not supported: only {}", self.encoding.patch_op));
                continue;
            }
            let Some(way) = pointer.strip_prefix('/') else {
                self.problems.push(format!("{pointer:?} is no path"));
                continue;
            };
            let Some(value) = operation.get("value") else {
                self.problems.push(format!("{pointer}: the operation has no value"));
                continue;
            };
            if seen.contains(&pointer) {
                self.problems.push(format!("{pointer} is given twice"));
                continue;
            }
            // RFC 6901 section 4
            let path = way.split('/').fold(Path::root(), |path, name| {
                path.join(&Path::key(name.replace("~1", "/").replace("~0", "~")))
            });
            self.member(&path, value);
            // the whole value is replaced: what an object does not hold is gone
            if matches!(value, Value::Map(_)) {
                self.empty_below(&path);
            }
            seen.push(pointer);
        }
    }

    fn members(&mut self, map: &Map, prefix: &Path) {
        for (name, value) in map {
            self.member(&prefix.join(&Path::key(name.clone())), value);
        }
    }

    /// Every field below a place that nothing was said about is null.
    fn empty_below(&mut self, place: &Path) {
        let below = format!("{place}.");
        for (path, (name, field)) in &self.known {
            let is_leaf = field.fields.is_empty() || matches!(field.ty, Type::List(_));
            let given = self.found.iter().any(|(one, _)| name.strip_prefix(one).is_some());
            if path.starts_with(&below) && is_leaf && !field.create_only && !given {
                self.found.push((name.clone(), Value::Null));
            }
        }
    }

    /// What is emptied by being left out, and is not there, is empty.
    fn absent(&mut self) {
        for (name, field) in self.known.values() {
            let is_there = |(one, _): &(Path, Value)| {
                one.strip_prefix(name).is_some() || name.strip_prefix(one).is_some()
            };
            if self.encoding.emptied(field) == Emptied::LeftOut
                && !field.create_only
                && !self.found.iter().any(is_there)
            {
                self.found.push((name.clone(), Value::Null));
            }
        }
    }

    /// The members that an object of a new record must have, and those that an old one keeps.
    fn required_members(&mut self, field: &Field, name: &Path, creating: bool) {
        for member in &field.fields {
            let name = name.join(&member.name);
            let about = |(path, _): &&(Path, Value)| path.strip_prefix(&name).is_some();
            let named = self.found.iter().any(|one| about(&one));
            let given = self.found.iter().filter(about).any(|(_, value)| !value.is_empty());
            if member.required
                && !given
                && (creating || named)
                && !is_assigned(member)
                && member.write.is_some()
            {
                self.problems.push(format!("{name} is required"));
            }
            if !creating && named && member.create_only {
                self.problems.push(format!("{name} cannot be changed"));
            }
            if given && !matches!(member.ty, Type::List(_)) {
                self.required_members(member, &name, creating);
            }
        }
    }

    fn member(&mut self, place: &Path, value: &Value) {
        let path = &place.to_string();
        if let (true, Some(text), Value::Map(map)) = (self.encoding.is_xml(), element_text(value), value) {
            for (name, attribute) in map.iter().filter(|(name, _)| *name != TEXT) {
                self.member(&place.join(&Path::key(name.clone())), attribute);
            }
            return self.member(place, text);
        }
        let known = self.known.get(path).map(|(_, field)| field);
        let wraps = known.is_none_or(|field| field.wrap);
        let is_list = known.is_some_and(|field| matches!(field.ty, Type::List(_)))
            || matches!(value, Value::List(_)) && self.has_places(path);
        let value = match &self.encoding.wrap {
            Some(wrap) if wraps && !is_list => match value.as_map() {
                Some(map) if map.len() == 1 && map.contains_key(wrap) => map[wrap].clone(),
                _ => {
                    self.problems.push(format!("{path} must be an object with the one member {wrap}"));
                    return;
                }
            },
            _ => value.clone(),
        };
        self.held(place, &value);
    }

    /// Whether fields are written to items of the list at a path: `lines[0][1]`.
    fn has_places(&self, path: &str) -> bool {
        let item = format!("{path}[");
        self.known.keys().chain(self.constants.keys()).any(|key| key.starts_with(&item))
    }

    /// What stands at a place, without what is wrapped around it.
    fn held(&mut self, place: &Path, value: &Value) {
        let path = &place.to_string();
        let below = format!("{path}.");
        let known = self.known.get(path).cloned();
        let inside = self.known.keys().any(|key| key.starts_with(&below));
        let constant = self.constants.get(path).cloned();
        match (known, value) {
            (None, Value::List(items)) if self.has_places(path) => {
                for (i, one) in items.iter().enumerate() {
                    let place = place.join(&item(i));
                    // an item before the one that is meant
                    let is_filler = *one == Value::Null && !self.known.contains_key(&place.to_string());
                    if !is_filler {
                        self.held(&place, one);
                    }
                }
            }
            // XML does not tell a list of one from one
            (None, Value::Map(_) | Value::Text(_)) if self.encoding.is_xml() && self.has_places(path) => {
                self.held(&place.join(&item(0)), value);
            }
            (_, Value::Map(map)) if inside => self.members(map, place),
            (Some((name, field)), value) => self.leaf(path, &name, &field, value),
            (None, Value::Null) if inside => self.empty_below(place),
            (None, value) => match constant {
                Some(wanted) if wanted == *value => {}
                Some(wanted) if self.encoding.is_xml() && wanted.scalar_text() == value.scalar_text() => {}
                Some(_) => self.problems.push(format!("{path} has another value than it may have")),
                None => self.problems.push(format!("{path} is not known or cannot be written")),
            },
        }
    }

    fn leaf(&mut self, path: &str, name: &Path, field: &Field, value: &Value) {
        let emptied = match (self.encoding.emptied(field), value) {
            (Emptied::AsText, Value::Text(text)) if text.is_empty() => true,
            (Emptied::AsText, Value::Null) => {
                return self.problems.push(format!("{path} is emptied by \"\", not by null"));
            }
            (Emptied::LeftOut, Value::Null) => {
                return self.problems.push(format!("{path} is emptied by being left out, not by null"));
            }
            (_, value) => matches!(value, Value::Null),
        };
        if emptied {
            // null empties an object with all its members
            self.found.push((name.clone(), Value::Null));
            return;
        }
        let typed = if let Some(lookup) = &field.lookup {
            let found = value.scalar_text().and_then(|key| {
                let record = self.lookups.by_key(&lookup.target.resource, &key)?;
                (key_value(self.system, lookup, &key) == *value || self.encoding.is_xml()).then_some(record)
            });
            match found {
                Some(record) => Ok(lookup.target.field.get(&record).cloned().unwrap_or_default()),
                None => Err(format!("there is no {} with the key {value}", lookup.target.resource)),
            }
        } else if let (Type::List(_), Value::List(items)) = (&field.ty, value) {
            self.items(field, items)
        } else if matches!(field.ty, Type::List(_)) && self.encoding.is_xml() {
            // one alone is a list of one
            self.items(field, std::slice::from_ref(value))
        } else {
            strict(field, &field.ty, value, self.encoding, &self.system.times)
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
                let ty = field.ty.item().unwrap_or(&Type::Any);
                out.push(strict(field, ty, item, self.encoding, &self.system.times)?);
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
                Value::Map(map) => reader.members(map, &Path::root()),
                _ => reader.problems.push("an item must be an object".into()),
            }
            // an item is always given whole
            reader.required_members(field, &Path::root(), true);
            if !reader.problems.is_empty() {
                return Err(reader.problems.join("; "));
            }
            let mut record = Value::Map(Map::new());
            for (path, value) in reader.found {
                path.set(&mut record, value);
            }
            if let Some(embeds) = &field.embeds
                && embeds
                    .content
                    .get(&record)
                    .and_then(Value::as_text)
                    .is_none_or(|text| BASE64.decode(text).is_err())
            {
                return Err(format!("{} is not base64", embeds.content));
            }
            out.push(record);
        }
        Ok(Value::List(out))
    }
}

/// A request must hold the declared kind exactly; an answer may be read more kindly.
fn strict(
    field: &Field,
    ty: &Type,
    value: &Value,
    encoding: &Encoding,
    times: &Times,
) -> Result<Value, String> {
    let tagged = |form: &Scalar| match (form, value) {
        (Scalar::Tagged { tag, .. }, Value::Map(map)) => {
            tag.iter().all(|(name, class)| map.get(name).and_then(Value::as_text) == Some(class))
        }
        (Scalar::Number, Value::Number(_)) => *ty == Type::Decimal,
        (Scalar::Epoch(_), Value::Number(_)) => true,
        (Scalar::Text, Value::Text(_)) => true,
        // a date is no number: text is what is left
        (Scalar::Number, Value::Text(_)) => *ty != Type::Decimal,
        _ => false,
    };
    let fits = match ty {
        // every scalar of XML is a text; whether it is one of its kind is seen when it is read
        _ if encoding.is_xml() => matches!(value, Value::Text(_)),
        Type::Text | Type::Id | Type::Choice(_) => matches!(value, Value::Text(_)),
        Type::Bool => match &encoding.bools {
            None => matches!(value, Value::Bool(_)),
            Some(Bools { number: true, .. }) => matches!(value, Value::Number(_)),
            Some(_) => matches!(value, Value::Text(_)),
        },
        Type::Integer => matches!(value, Value::Number(_)),
        Type::Decimal => tagged(&encoding.decimal),
        Type::Date => tagged(&encoding.date),
        Type::Time => tagged(scalar::time_form(field, encoding)),
        Type::Any | Type::File | Type::Table(_) => true,
        Type::List(_) | Type::Object(_) => false,
    };
    let wrong = || {
        let declared = if *ty == field.ty { scalar::declared(field, encoding) } else { ty.to_string() };
        format!("must be {declared}, not {}", scalar::shown(value))
    };
    if !fits {
        return Err(wrong());
    }
    scalar::read_of(field, ty, value, encoding, times).map_err(|_| wrong())
}
