//! What kind of value a field, a setting or an expression holds.

use std::fmt;
use std::sync::Arc;

use indexmap::IndexMap;

/// The declared type of a value, as far as the static check follows it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Type {
    /// Not declared: every name below it is allowed, and its kind is looked at when it is used.
    #[default]
    Any,
    /// True or false.
    Bool,
    /// Text.
    Text,
    /// A whole number of at most 64 bits.
    Integer,
    /// An exact decimal: amounts, prices, rates. No operator works on it.
    Decimal,
    /// A calendar date, as ISO 8601 text.
    Date,
    /// A date with time, as ISO 8601 text.
    Time,
    /// The id of a record: text that is only ever compared.
    Id,
    /// Text that is one of these values.
    Choice(Arc<[String]>),
    /// An ordered list of values of one type.
    List(Box<Type>),
    /// Named members, each of its own type; no others exist.
    Object(Arc<IndexMap<String, Type>>),
    /// Members under any name, all of one type (`settings.units`, `erp.dimension['CUSTOMER']`).
    Table(Box<Type>),
    /// The content of a file.
    File,
}

/// What an undeclared value's members are.
static ANY: Type = Type::Any;

impl Type {
    /// An object type from its members.
    pub fn object<N: Into<String>>(members: impl IntoIterator<Item = (N, Type)>) -> Type {
        Type::Object(Arc::new(members.into_iter().map(|(name, ty)| (name.into(), ty)).collect()))
    }

    /// A list type.
    pub fn list(item: Type) -> Type {
        Type::List(Box::new(item))
    }

    /// A table type: any key leads to a value of this type.
    pub fn table(value: Type) -> Type {
        Type::Table(Box::new(value))
    }

    /// A choice between texts.
    pub fn choice<T: Into<String>>(values: impl IntoIterator<Item = T>) -> Type {
        Type::Choice(values.into_iter().map(Into::into).collect())
    }

    /// The type of a member by name, or `None` where there cannot be such a member.
    pub fn member(&self, name: &str) -> Option<&Type> {
        match self {
            Type::Any => Some(&ANY),
            Type::Object(members) => members.get(name),
            Type::Table(value) => Some(value),
            _ => None,
        }
    }

    /// The type of a list's items, or `None` where this is no list.
    pub fn item(&self) -> Option<&Type> {
        match self {
            Type::Any => Some(&ANY),
            Type::List(item) => Some(item),
            _ => None,
        }
    }

    /// The members of an object type, for suggestions and completion.
    pub fn members(&self) -> Option<&IndexMap<String, Type>> {
        match self {
            Type::Object(members) => Some(members),
            _ => None,
        }
    }
}

impl fmt::Display for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Type::Any => f.write_str("anything"),
            Type::Bool => f.write_str("true/false"),
            Type::Text => f.write_str("text"),
            Type::Integer => f.write_str("integer"),
            Type::Decimal => f.write_str("exact decimal"),
            Type::Date => f.write_str("date"),
            Type::Time => f.write_str("time"),
            Type::Id => f.write_str("id"),
            Type::Choice(values) => write!(f, "one of {}", values.join(", ")),
            Type::List(item) => write!(f, "list of {item}"),
            Type::Object(_) => f.write_str("object"),
            Type::Table(value) => write!(f, "table of {value}"),
            Type::File => f.write_str("file"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shows_itself() {
        let ty = Type::list(Type::table(Type::choice(["A", "B", "C"])));
        assert_eq!(ty.to_string(), "list of table of one of A, B, C");
        assert_eq!(Type::Decimal.to_string(), "exact decimal");
        assert_eq!(Type::object([("a", Type::Id)]).to_string(), "object");
    }

    #[test]
    fn leads_to_members_and_items() {
        let ty = Type::object([("lines", Type::list(Type::Decimal)), ("units", Type::table(Type::Text))]);
        assert_eq!(ty.member("lines").and_then(Type::item), Some(&Type::Decimal));
        assert_eq!(ty.member("units").and_then(|units| units.member("h")), Some(&Type::Text));
        assert_eq!(ty.member("line"), None);
        assert_eq!(Type::Text.member("x"), None);
        assert_eq!(Type::Any.member("x").and_then(Type::item), Some(&Type::Any));
    }
}
