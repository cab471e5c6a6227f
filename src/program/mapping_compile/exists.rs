//! Questions about records of other resources: `exists:` of a side of a register.

use std::sync::Arc;

use indexmap::IndexMap;

use super::Compiler;
use super::rows::Answered;
use crate::diagnostic::{At, codes};
use crate::program::expr::Scope;
use crate::program::mapping::{Asks, Endpoint, Exists, Member};
use crate::program::system::Resource;
use crate::program::system_compile::record_type;
use crate::program::types::Type;
use crate::spec::documents::Becomes;
use crate::spec::mapping as spec;
use crate::spec::yaml::Table;
use crate::value::{Path, Side};

impl Compiler<'_> {
    /// Compiles the questions of one side, and gives the scope in which their answers are known.
    pub(super) fn exists(
        &mut self,
        side: Side,
        register: &At<String>,
        end: &Endpoint,
        questions: &Table<spec::Exists>,
        scope: Scope,
    ) -> Scope {
        let mut answers: IndexMap<String, Type> = IndexMap::new();
        for (name, question) in questions.iter() {
            answers.insert(name.value.clone(), Type::Bool);
            if let Some(compiled) = self.question(side, register, end, name, question) {
                self.exists.push(compiled);
            }
        }
        if answers.is_empty() { scope } else { scope.root("exists", Type::object(answers)) }
    }

    fn question(
        &mut self,
        side: Side,
        register: &At<String>,
        end: &Endpoint,
        name: &At<String>,
        question: &spec::Exists,
    ) -> Option<Exists> {
        let resource = self.whole_list(side, &question.resource)?;
        let pairs = self.pairs(name, &question.pairs, (side, &resource), (side, end))?;
        let ty = record_type(&resource);
        let scope = match side {
            Side::Left => self.scope_with(Some(&ty), None, Some(side)),
            Side::Right => self.scope_with(None, Some(&ty), Some(side)),
        };
        let theirs = Endpoint::of(vec![Member { resource: Arc::clone(&resource), values: Vec::new() }]);
        let when = match &question.when {
            Some(text) => Some(self.record_expr(side, &theirs, text, &scope)?),
            None => None,
        };
        let of: Vec<String> = end.members.iter().map(|member| member.resource.name.clone()).collect();
        if self.asked_twice(side, name, &of) {
            return None;
        }
        Some(Exists {
            asks: Asks::Whether,
            register: register.value.clone(),
            side,
            there: side,
            of,
            name: name.value.clone(),
            resource,
            pairs,
            when,
        })
    }

    /// Whether a question of this name is asked of the same records already; that is told.
    pub(super) fn asked_twice(&mut self, side: Side, name: &At<String>, of: &[String]) -> bool {
        let twice = self.exists.iter().find(|one| {
            one.side == side && one.name == name.value && one.of.iter().any(|resource| of.contains(resource))
        });
        let Some(twice) = twice else { return false };
        let message = format!("`{name}` is asked by `{}` of the same records already", twice.register);
        let help = Some("give this question another name".to_owned());
        self.error(&codes::BAD_EXISTS, name.span, message, help);
        true
    }

    /// What the record that a document makes turns into: the resource, and how it is found from the source record.
    pub(super) fn becomes(
        &mut self,
        name: &At<String>,
        words: &Becomes,
        source: Side,
        end: &Endpoint,
    ) -> Option<Arc<Resource>> {
        let resource = self.whole_list(source.other(), &words.resource)?;
        let of = At { value: "becomes".to_owned(), span: words.resource.span };
        let pairs = self.pairs(&of, &words.pairs, (source.other(), &resource), (source, end))?;
        self.exists.push(Exists {
            asks: Asks::Becomes,
            register: name.value.clone(),
            side: source,
            there: source.other(),
            of: end.members.iter().map(|member| member.resource.name.clone()).collect(),
            name: of.value,
            resource: Arc::clone(&resource),
            pairs,
            when: None,
        });
        Some(resource)
    }

    /// A resource whose list can be read as a whole.
    pub(super) fn whole_list(&mut self, side: Side, name: &At<String>) -> Option<Arc<Resource>> {
        let resource = self.resource(side, name)?;
        let below = resource.list.as_ref().is_none_or(|list| list.path.fields().next().is_some());
        if below || resource.singleton {
            self.error(
                &codes::NOT_LISTED,
                name.span,
                format!(
                    "{} of {} has no list of its own, so that nothing can be said about all of it",
                    resource.name, self.sides[side].name
                ),
                Some("name a resource with a `list` whose path needs no other record".to_owned()),
            );
            return None;
        }
        Some(resource)
    }

    /// Which records of another resource stand with one of an end.
    pub(super) fn pairs(
        &mut self,
        name: &At<String>,
        written: &Table<At<String>>,
        (there, resource): (Side, &Resource),
        (side, end): (Side, &Endpoint),
    ) -> Option<Vec<(Path, Path)>> {
        if written.iter().next().is_none() {
            self.error(
                &codes::BAD_EXISTS,
                name.span,
                format!("`{name}` does not say which records of {} stand with this one", resource.name),
                Some("add `where: { THEIR_FIELD: OUR_FIELD }`".to_owned()),
            );
            return None;
        }
        let mut pairs = Vec::new();
        for (theirs, ours) in written.iter() {
            let their_path = self.path(theirs)?;
            self.scalar(there, resource, &their_path, theirs)?;
            let Answered::Is(ours) = self.answered(ours) else { return None };
            let path = self.path(&ours)?;
            match self.related_field(end, &path, &ours)? {
                Some((of, resource, field)) => self.scalar(of, &resource, &field, &ours)?,
                None => {
                    for member in &end.members {
                        self.scalar(side, &member.resource, &path, &ours)?;
                    }
                }
            }
            pairs.push((their_path, path));
        }
        Some(pairs)
    }

    /// A field that holds one value; it is noted as needed.
    fn scalar(&mut self, side: Side, resource: &Resource, path: &Path, text: &At<String>) -> Option<()> {
        let place = self.resolve(side, resource, path, text.span)?;
        if !path.is_singular() || matches!(place.field.ty, Type::List(_) | Type::Object(_)) {
            self.error(
                &codes::BAD_EXISTS,
                text.span,
                format!("`{text}` of {} is no single value: records are compared by one", resource.name),
                Some("name a field that holds one value, or one place of a list: `codes[0]`".to_owned()),
            );
            return None;
        }
        self.need(side, &resource.name, &place.top);
        Some(())
    }
}
