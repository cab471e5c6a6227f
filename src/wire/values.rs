//! Values of fields as a system wants them in a body.

use super::check::{check, fitted, is_assigned, named, shown};
use super::{LookupProblem, Lookups, WriteProblem, scalar};
use crate::program::system::{Emptied, Encoding, Field, Lookup, System};
use crate::program::types::Type;
use crate::value::{Map, Value};

/// Makes wire values.
pub(super) struct Values<'a> {
    pub system: &'a System,
    pub encoding: &'a Encoding,
    pub lookups: &'a dyn Lookups,
    /// A new record: what it requires has to be there.
    pub creating: bool,
}

/// Whether a value is checked: one that is sent again as it was read is not, the system holds it already.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Trust {
    /// It is new.
    New,
    /// It was read.
    AsRead,
}

impl Values<'_> {
    /// A value as the system wants it, after all checks. Everything empty is null, or what the system writes instead.
    pub(super) fn of(&self, field: &Field, value: &Value, trust: Trust) -> Result<Value, WriteProblem> {
        if empties(value, trust) {
            return Ok(match self.encoding.emptied(field) {
                Emptied::AsText => Value::text(""),
                Emptied::AsNull | Emptied::LeftOut => Value::Null,
            });
        }
        if let Some(lookup) = &field.lookup {
            if trust == Trust::New {
                check(field, value)?;
            }
            return self.key(field, lookup, value);
        }
        match (&field.ty, value) {
            (Type::Object(_), Value::Map(_)) => {
                self.members(&field.fields, value, trust, self.creating).map_err(|inner| within(field, inner))
            }
            (Type::List(ty), Value::List(items)) => items
                .iter()
                .map(|item| match field.fields.is_empty() {
                    true => self.scalar(field, ty, item, trust),
                    // an item is always sent whole
                    false => {
                        self.members(&field.fields, item, trust, true).map_err(|inner| within(field, inner))
                    }
                })
                .collect::<Result<Vec<_>, _>>()
                .map(Value::List),
            (Type::Object(_) | Type::List(_), other) => Err(WriteProblem::new(
                named(field),
                format!("{} is declared, the value is {}", field.ty, shown(field, other)),
            )),
            (ty, value) => self.scalar(field, ty, value, trust),
        }
    }

    /// Whether nothing is sent of a field with this value: what is absent is empty.
    pub(super) fn leaves_out(&self, field: &Field, value: &Value, trust: Trust) -> bool {
        empties(value, trust) && self.encoding.emptied(field) == Emptied::LeftOut
    }

    fn scalar(&self, field: &Field, ty: &Type, value: &Value, trust: Trust) -> Result<Value, WriteProblem> {
        let times = &self.system.times;
        if trust == Trust::AsRead {
            return Ok(scalar::write_of(field, ty, value, self.encoding, times));
        }
        let value = fitted(field, ty, value, times)?;
        check(field, &value)?;
        scalar::countable(ty, &value, scalar::time_form(field, self.encoding)).map_err(|problem| {
            WriteProblem::new(named(field), format!("it cannot be {}: {problem}", shown(field, &value)))
        })?;
        Ok(scalar::write_of(field, ty, &value, self.encoding, times))
    }

    fn key(&self, field: &Field, lookup: &Lookup, value: &Value) -> Result<Value, WriteProblem> {
        let target = &lookup.target;
        let value_shown = || shown(field, value);
        match self.lookups.find(lookup, value) {
            Ok(key) => Ok(key_value(self.system, lookup, &key)),
            Err(LookupProblem::None) => Err(WriteProblem::new(
                named(field),
                format!("there is no {} with {} {}", target.resource, target.field, value_shown()),
            )),
            Err(LookupProblem::Many(keys)) => Err(WriteProblem::new(
                named(field),
                format!(
                    "more than one {} has {} {}: {}",
                    target.resource,
                    target.field,
                    value_shown(),
                    keys.join(", ")
                ),
            )),
        }
    }

    /// An object from its members; `whole`: it is new with this body, so what it requires has to be in it.
    fn members(
        &self,
        fields: &[Field],
        value: &Value,
        trust: Trust,
        whole: bool,
    ) -> Result<Value, WriteProblem> {
        let mut out = Value::Map(Map::new());
        for member in fields {
            let given = member.name.get(value);
            let now = given.filter(|now| !now.is_empty()).cloned();
            let Some(write) = member.write.as_ref().filter(|_| !member.read_only) else { continue };
            let now = now.or_else(|| member.on_create.clone().filter(|_| whole && trust == Trust::New));
            // a null that is given empties the member, one that is missing leaves it alone
            let emptied = given.is_some()
                && trust == Trust::New
                && !whole
                && self.encoding.emptied(member) != Emptied::LeftOut;
            if now.is_none() && whole && trust == Trust::New && member.required && !is_assigned(member) {
                return Err(WriteProblem::new(named(member), "it is required and has no value"));
            }
            if now.is_some() || emptied || member.always_send {
                write.set(&mut out, self.of(member, &now.unwrap_or_default(), trust)?);
                for (path, constant) in &member.with {
                    path.set(&mut out, constant.clone());
                }
            }
        }
        Ok(out)
    }
}

/// Whether a value empties its field. An object that is given with nothing in it empties what it names.
fn empties(value: &Value, trust: Trust) -> bool {
    let names_members = trust == Trust::New && value.as_map().is_some_and(|map| !map.is_empty());
    value.is_empty() && !names_members
}

/// The key of a looked up record on the wire: a number where the key is one.
pub(super) fn key_value(system: &System, lookup: &Lookup, key: &str) -> Value {
    let field = system.resources.get(&lookup.target.resource).and_then(|target| match &target.key[..] {
        [key] => target.field(&key.to_string()),
        _ => None,
    });
    let text = Value::text(key);
    match field {
        Some(field) if field.ty == Type::Integer => {
            scalar::read(&Type::Integer, &text, &Encoding::default(), &system.times).unwrap_or(text)
        }
        _ => text,
    }
}

/// A problem of a member, named with the field it is in.
pub(super) fn within(field: &Field, inner: WriteProblem) -> WriteProblem {
    WriteProblem { field: format!("{}.{}", named(field), inner.field), message: inner.message }
}
