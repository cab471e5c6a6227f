//! Values of data files and of events, checked against what the system file declares.

use std::fmt;

use crate::diagnostic::suggest;
use crate::program::system::{Field, Resource, System};
use crate::program::types::Type;
use crate::value::{Map, Path, Segment, Value, parse_decimal};

/// Why a value cannot be what its field holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Misfit {
    /// What is wrong, with the path.
    pub text: String,
    /// There is no such field or member; else the value is of the wrong kind.
    pub unknown: bool,
    /// The nearest name that there is.
    pub near: Option<String>,
    /// All names that there are, for an unknown one.
    pub known: Vec<String>,
}

impl Misfit {
    fn wrong(text: String) -> Misfit {
        Misfit { text, unknown: false, near: None, known: Vec::new() }
    }
}

impl fmt::Display for Misfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)?;
        match &self.near {
            Some(near) => write!(f, "; did you mean {near}?"),
            None => Ok(()),
        }
    }
}

/// What is wrong with a field and its value, as a data file or a case gives them.
pub fn misfits(system: &System, resource: &Resource, name: &str, value: &Value) -> Vec<Misfit> {
    let one = Map::from([(name.to_owned(), value.clone())]);
    flat(resource, &Path::root(), &one)
        .into_iter()
        .filter_map(|(path, value)| checked(system, resource, &path, &value).err())
        .flatten()
        .collect()
}

/// Members by their full names, as far as the resource names them.
pub(super) fn flat(resource: &Resource, prefix: &Path, map: &Map) -> Vec<(Path, Value)> {
    let mut out = Vec::new();
    for (name, value) in map {
        let Ok(key) = Path::parse(name) else {
            out.push((prefix.join(&Path::key(name.clone())), value.clone()));
            continue;
        };
        let path = prefix.join(&key);
        let is_field = resource.fields.iter().any(|field| target(&field.name) == path);
        let deeper = resource
            .fields
            .iter()
            .any(|field| field.name.strip_prefix(&path).is_some_and(|rest| !rest.is_root()));
        match value {
            Value::Map(inner) if !is_field && deeper => out.extend(flat(resource, &path, inner)),
            _ => out.push((path, value.clone())),
        }
    }
    out
}

/// The field that a path names or goes into (a list without its `[*]`), and the rest below it.
pub(super) fn field_at<'r>(resource: &'r Resource, path: &Path) -> Option<(&'r Field, Path)> {
    resource.fields.iter().find_map(|field| Some((field, path.strip_prefix(&target(&field.name))?)))
}

/// The place of a field: of `codes[*]` it is `codes`.
pub(super) fn target(name: &Path) -> Path {
    match name.segments().split_last() {
        Some((Segment::All, way)) => way.iter().fold(Path::root(), |path, segment| match segment {
            Segment::Key(key) => path.join(&Path::key(key.clone())),
            _ => path,
        }),
        _ => name.clone(),
    }
}

/// A value for the field at a path, as the field's own kind: amounts may be written as text.
///
/// # Errors
/// Everything that is wrong with it.
pub(super) fn checked(
    system: &System,
    resource: &Resource,
    path: &Path,
    value: &Value,
) -> Result<Value, Vec<Misfit>> {
    let Some((field, rest)) = field_at(resource, path) else {
        return Err(vec![unknown(&resource.name, path, resource.fields.iter().map(|field| &field.name))]);
    };
    if let Some(pivot) = &field.pivot {
        // what is given at a pivot field is (a value of) a child
        let Some(of) = system.resources.get(&pivot.resource) else { return Ok(value.clone()) };
        if let (true, true, Value::List(items)) = (pivot.many, rest.is_root(), value) {
            let (mut out, mut problems) = (Vec::new(), Vec::new());
            for item in items {
                match of_child(system, of, &field.name, &pivot.value.clone().unwrap_or_default(), item) {
                    Ok(item) => out.push(item),
                    Err(found) => problems.extend(found),
                }
            }
            return if problems.is_empty() { Ok(Value::List(out)) } else { Err(problems) };
        }
        let inner = pivot.value.clone().unwrap_or_default().join(&rest);
        if !inner.is_root() {
            return checked(system, of, &inner, value).map_err(|all| below(&field.name, &rest, all));
        }
        return of_child(system, of, &field.name, &inner, value);
    }
    let mut problems = Vec::new();
    let many = field.name.segments().last() == Some(&Segment::All);
    let out = match value {
        Value::List(items) if many => Value::List(
            items.iter().map(|item| of_field(field, &Path::root(), item, path, &mut problems)).collect(),
        ),
        _ => of_field(field, &rest, value, path, &mut problems),
    };
    if problems.is_empty() { Ok(out) } else { Err(problems) }
}

/// A child, or a value of it, as its own fields want it.
fn of_child(
    system: &System,
    of: &Resource,
    field: &Path,
    inner: &Path,
    value: &Value,
) -> Result<Value, Vec<Misfit>> {
    if !inner.is_root() {
        return checked(system, of, inner, value).map_err(|all| below(field, &Path::root(), all));
    }
    let map = match value {
        Value::Null => return Ok(Value::Null),
        Value::Map(map) => map,
        other => {
            let text = format!("{field}: an object is declared, this is {}", other.kind());
            return Err(vec![Misfit::wrong(text)]);
        }
    };
    let (mut out, mut problems) = (Value::Map(Map::new()), Vec::new());
    for (inner, value) in flat(of, &Path::root(), map) {
        match checked(system, of, &inner, &value) {
            Ok(value) => inner.set(&mut out, value),
            Err(all) => problems.extend(below(field, &Path::root(), all)),
        }
    }
    if problems.is_empty() { Ok(out) } else { Err(problems) }
}

fn below(field: &Path, rest: &Path, problems: Vec<Misfit>) -> Vec<Misfit> {
    let prefix = if rest.is_root() { format!("{field}.") } else { format!("{field}: ") };
    problems
        .into_iter()
        .map(|problem| Misfit {
            text: format!("{prefix}{}", problem.text),
            near: problem.near.map(|near| format!("{field}.{near}")),
            known: problem.known.into_iter().map(|name| format!("{field}.{name}")).collect(),
            ..problem
        })
        .collect()
}

fn unknown<'p>(what: &str, path: &Path, known: impl Iterator<Item = &'p Path>) -> Misfit {
    let names: Vec<String> = known.map(Path::to_string).collect();
    let near = suggest(&path.to_string(), names.iter().map(String::as_str)).map(str::to_owned);
    Misfit { text: format!("{path}: {what} has no such field"), unknown: true, near, known: names }
}

/// A value inside a field, by the field's members or its type.
fn of_field(field: &Field, rest: &Path, value: &Value, at: &Path, problems: &mut Vec<Misfit>) -> Value {
    if let Some((Segment::Index(_) | Segment::All | Segment::Where { .. }, inner)) = rest.split_first() {
        // one item of a list
        let Some(item) = field.ty.item() else {
            problems.push(Misfit::wrong(format!("{at}: {} is declared, no list", field.ty)));
            return value.clone();
        };
        let item = Field { ty: item.clone(), ..field.clone() };
        return of_field(&item, &inner, value, at, problems);
    }
    if !rest.is_root() {
        let member = field.fields.iter().find_map(|member| Some((member, rest.strip_prefix(&member.name)?)));
        return match member {
            Some((member, inner)) => of_field(member, &inner, value, at, problems),
            None if field.fields.is_empty() => value.clone(),
            None => {
                problems.push(unknown(
                    &field.name.to_string(),
                    at,
                    field.fields.iter().map(|member| &member.name),
                ));
                value.clone()
            }
        };
    }
    let members = |map: &Map, at: &Path, problems: &mut Vec<Misfit>| {
        let mut out = Value::Map(Map::new());
        for (name, value) in map {
            let path = Path::parse(name).unwrap_or_else(|_| Path::key(name.clone()));
            let member = field.fields.iter().find(|member| target(&member.name) == path);
            let inner = at.join(&path);
            match member {
                Some(member) => path.set(&mut out, of_field(member, &Path::root(), value, &inner, problems)),
                None => problems.push(unknown(
                    &field.name.to_string(),
                    &inner,
                    field.fields.iter().map(|member| &member.name),
                )),
            }
        }
        out
    };
    match (&field.ty, value) {
        (Type::Object(_), Value::Map(map)) if !field.fields.is_empty() => members(map, at, problems),
        (Type::List(_), Value::List(items)) if !field.fields.is_empty() => Value::List(
            items
                .iter()
                .enumerate()
                .map(|(i, item)| {
                    let at = at.join(&Path::of(&[Segment::Index(i)]));
                    match item {
                        Value::Map(map) => members(map, &at, problems),
                        other => {
                            let text = format!("{at}: an object is declared, this is {}", other.kind());
                            problems.push(Misfit::wrong(text));
                            other.clone()
                        }
                    }
                })
                .collect(),
        ),
        (ty, value) => of_type(ty, value).unwrap_or_else(|problem| {
            problems.push(Misfit::wrong(format!("{at}: {problem}")));
            value.clone()
        }),
    }
}

/// A value of a type.
fn of_type(ty: &Type, value: &Value) -> Result<Value, String> {
    let same = || Ok(value.clone());
    match (ty, value) {
        (_, Value::Null) | (Type::Any | Type::File | Type::Table(_), _) => same(),
        (Type::Decimal, Value::Text(text)) => {
            parse_decimal(text).map(Value::Number).ok_or_else(|| format!("{value} is no number"))
        }
        (Type::Decimal, Value::Number(_)) | (Type::Bool, Value::Bool(_)) => same(),
        (Type::Integer, Value::Number(number)) if number.fract().is_zero() => same(),
        (Type::Choice(of), Value::Text(text)) if !of.iter().any(|one| one == text) => {
            Err(format!("{value} is none of {}", of.join(", ")))
        }
        (Type::Date, Value::Text(text)) if text.parse::<jiff::civil::Date>().is_err() => {
            Err(format!("{value} is no date (write 2026-11-02)"))
        }
        (Type::Time, Value::Text(text)) if super::since::instant(text).is_none() => {
            Err(format!("{value} is no time (write 2026-11-02T08:00:00Z)"))
        }
        (Type::Text | Type::Id | Type::Choice(_) | Type::Date | Type::Time, Value::Text(_)) => same(),
        (Type::Text | Type::Id, Value::Number(number)) => {
            Err(format!("{ty} is declared, this is a number: write \"{number}\""))
        }
        (Type::List(item), Value::List(items)) => {
            items.iter().map(|one| of_type(item, one)).collect::<Result<_, _>>().map(Value::List)
        }
        (Type::Object(members), Value::Map(map)) => {
            match map.keys().find(|name| !members.contains_key(*name)) {
                Some(name) if !members.is_empty() => Err(format!("there is no member {name}")),
                _ => same(),
            }
        }
        (ty, value) => Err(format!("{ty} is declared, this is {}", value.kind())),
    }
}

/// A text out of a path as the field's own kind.
pub(super) fn of_text(resource: &Resource, field: &Path, text: &str) -> Value {
    let is_number = resource
        .field_at(field)
        .is_some_and(|(field, rest)| rest.is_root() && matches!(field.ty, Type::Integer | Type::Decimal));
    let is_bool = resource
        .field_at(field)
        .is_some_and(|(field, rest)| rest.is_root() && matches!(field.ty, Type::Bool));
    match (parse_decimal(text), text) {
        (Some(number), _) if is_number => Value::Number(number),
        (_, "true" | "false") if is_bool => Value::Bool(text == "true"),
        _ => Value::text(text),
    }
}
