//! What the fuzzers try, one function each: `fuzz/` gives them bytes without end, `tests/fuzz_corpus.rs` gives them
//! the files of `tests/corpus`.
//!
//! Each says whether the engine took the bytes or refused them; what must hold in either case is asserted.

pub mod json;
pub mod mapping;
pub mod path;
pub mod template;
pub mod xml;

use std::path::Path;

use mapengine::diagnostic::{Diagnostics, Format, Sources, render};
use mapengine::program::system::{Lookup, Resource, System};
use mapengine::program::system_compile::compile_system;
use mapengine::program::types::Type;
use mapengine::spec::load::system_text;
use mapengine::value::{Map, Value};
use mapengine::wire::{LookupProblem, Lookups, decode, encode, plan_create};

/// A system file as the engine has it.
fn system(name: &str, text: &str) -> System {
    let (mut sources, mut found) = (Sources::new(), Diagnostics::new());
    let system = system_text(&mut sources, Path::new(name), text, &mut found)
        .and_then(|system| compile_system(&system, &sources, &mut found));
    system.unwrap_or_else(|| panic!("{}", render(&found, &sources, Format::Human { color: false })))
}

/// No lookup finds anything.
struct Nothing;

impl Lookups for Nothing {
    fn by_key(&self, _: &str, _: &str) -> Option<Value> {
        None
    }

    fn find(&self, _: &Lookup, _: &Value) -> Result<String, LookupProblem> {
        Err(LookupProblem::None)
    }
}

/// Whether a value is one of a type: null always is.
fn fits(ty: &Type, value: &Value) -> bool {
    match (ty, value) {
        (_, Value::Null) | (Type::Any | Type::File | Type::Table(_), _) => true,
        (Type::Bool, Value::Bool(_)) | (Type::Decimal, Value::Number(_)) => true,
        (Type::Integer, Value::Number(number)) => number.fract().is_zero() && i64::try_from(*number).is_ok(),
        (Type::Text | Type::Choice(_) | Type::Date | Type::Time | Type::Id, Value::Text(_)) => true,
        (Type::List(item), Value::List(items)) => items.iter().all(|one| fits(item, one)),
        (Type::Object(members), Value::Map(map)) => {
            map.iter().all(|(name, value)| members.get(name).is_some_and(|ty| fits(ty, value)))
        }
        _ => false,
    }
}

/// Reads what came over the wire as a record of each resource of a system: what is read is as it is declared, and can
/// be written again. Says whether any resource took it.
fn records(system: &System, wire: &Value) -> bool {
    let mut any = false;
    for resource in system.resources.values() {
        let Ok(record) = decode(system, resource, None, wire, &Nothing) else { continue };
        any |= record.as_map().is_some_and(|members| !members.is_empty());
        for field in &resource.fields {
            // a list can stand in the way of what is declared below it
            if let (true, Some(value)) = (field.name.is_singular(), field.name.get(&record))
                && field.lookup.is_none()
            {
                assert!(fits(&field.ty, value), "{}.{} is {value}", resource.name, field.name);
            }
        }
        written(system, resource, &record);
    }
    any
}

/// Writes a record; it may be refused.
fn written(system: &System, resource: &Resource, record: &Value) {
    for write in plan_create(system, resource, record).into_iter().flatten() {
        let _ = encode(system, resource, &write, record, &Nothing);
    }
}

/// A record with something in every field.
fn full_record(resource: &Resource) -> Value {
    let mut record = Value::Map(Map::new());
    for field in &resource.fields {
        field.name.set(&mut record, sample(&field.ty));
    }
    record
}

fn sample(ty: &Type) -> Value {
    match ty {
        Type::Bool => Value::Bool(true),
        Type::Integer => Value::from(7_i64),
        Type::Decimal => Value::Number("12.50".parse().expect("a number")),
        Type::Date => Value::text("2026-11-26"),
        Type::Time => Value::text("2026-11-26T09:30:00Z"),
        Type::Choice(values) => values.first().map_or(Value::Null, |one| Value::text(one.clone())),
        Type::List(item) => Value::List(vec![sample(item)]),
        Type::Object(members) => {
            Value::Map(members.iter().map(|(name, ty)| (name.clone(), sample(ty))).collect())
        }
        Type::Any | Type::Text | Type::Id | Type::Table(_) | Type::File => Value::text("text"),
    }
}
