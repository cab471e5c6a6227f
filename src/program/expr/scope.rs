//! The names an expression may use, and where their values come from.

use std::sync::Arc;

use indexmap::IndexMap;

use crate::program::types::Type;
use crate::value::Value;

/// The names an expression may use, with their types.
///
/// Named roots (`settings`, `row`, the names of both sides …) and, without a prefix, the members of one
/// object: the record the expression is about. A root hides a bare member of the same name.
#[derive(Clone, Debug, Default)]
pub struct Scope {
    roots: IndexMap<String, Type>,
    bare: Arc<IndexMap<String, Type>>,
}

impl Scope {
    /// A scope without names.
    pub fn new() -> Scope {
        Scope::default()
    }

    /// Adds a root, or replaces the one of that name.
    #[must_use]
    pub fn root(mut self, name: impl Into<String>, ty: Type) -> Scope {
        self.roots.insert(name.into(), ty);
        self
    }

    /// Makes the members of an object type usable without a prefix. Other types have none.
    #[must_use]
    pub fn bare(mut self, ty: &Type) -> Scope {
        if let Type::Object(members) = ty {
            self.bare = Arc::clone(members);
        }
        self
    }

    /// The type of a name.
    pub fn get(&self, name: &str) -> Option<&Type> {
        self.roots.get(name).or_else(|| self.bare.get(name))
    }

    /// All names, roots first.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.roots.keys().chain(self.bare.keys()).map(String::as_str)
    }

    /// The roots below which a name exists, for "did you mean".
    pub(crate) fn roots_with(&self, member: &str) -> impl Iterator<Item = &str> {
        self.roots
            .iter()
            .filter(move |(_, ty)| ty.members().is_some_and(|members| members.contains_key(member)))
            .map(|(name, _)| name.as_str())
    }
}

/// Where the values of an expression's names come from.
pub trait Names {
    /// The value of a root or bare member; `None` reads as null.
    fn name(&self, name: &str) -> Option<&Value>;
}

impl Names for Value {
    fn name(&self, name: &str) -> Option<&Value> {
        self.get(name)
    }
}

/// Names put together from borrowed records, so that none has to be copied for an evaluation.
#[derive(Clone, Debug, Default)]
pub struct Context<'v> {
    roots: Vec<(&'v str, &'v Value)>,
    bare: Option<&'v Value>,
}

impl<'v> Context<'v> {
    /// A context without names.
    pub fn new() -> Context<'v> {
        Context::default()
    }

    /// Adds a root; a later one of the same name wins.
    #[must_use]
    pub fn root(mut self, name: &'v str, value: &'v Value) -> Context<'v> {
        self.roots.push((name, value));
        self
    }

    /// The record whose members are used without a prefix.
    #[must_use]
    pub fn bare(mut self, record: &'v Value) -> Context<'v> {
        self.bare = Some(record);
        self
    }
}

impl Names for Context<'_> {
    fn name(&self, name: &str) -> Option<&Value> {
        match self.roots.iter().rev().find(|(root, _)| *root == name) {
            Some((_, value)) => Some(value),
            None => self.bare?.get(name),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::from_json_str;

    #[test]
    fn a_root_hides_a_bare_member() {
        let record = from_json_str(r#"{"number":1,"row":2}"#).unwrap();
        let row = Value::text("the row");
        let context = Context::new().root("row", &row).bare(&record);
        assert_eq!(context.name("row"), Some(&row));
        assert_eq!(context.name("number"), Some(&Value::from(1_i64)));
        assert_eq!(context.name("other"), None);

        let ty = Type::object([("number", Type::Integer), ("row", Type::Integer)]);
        let scope = Scope::new().root("row", Type::Text).bare(&ty);
        assert_eq!(scope.get("row"), Some(&Type::Text));
        assert_eq!(scope.names().collect::<Vec<_>>(), ["row", "number", "row"]);
    }
}
