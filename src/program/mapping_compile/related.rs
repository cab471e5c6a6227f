//! Records that stand with a document's record: `related:` of its source.

use std::sync::Arc;

use indexmap::IndexMap;

use super::Compiler;
use super::names::place;
use crate::diagnostic::{At, codes, suggest};
use crate::program::mapping::{Asks, Endpoint, Exists, RELATED};
use crate::program::system::Resource;
use crate::program::system_compile::record_type;
use crate::program::types::Type;
use crate::spec::documents::Related;
use crate::spec::yaml::Table;
use crate::value::{Path, Segment, Side};

/// The name in `related.NAME.FIELD`, and the field; none for another path.
fn parts(path: &Path) -> Option<(String, Path)> {
    let rest = path.strip_prefix(&Path::key(RELATED))?;
    match rest.split_first()? {
        (Segment::Key(name), field) => Some((name.clone(), field)),
        _ => None,
    }
}

/// The records that stand with those of an end, as expressions see them.
pub(super) fn type_of(end: &Endpoint) -> Type {
    let records = end.related.iter().map(|(name, (_, resource))| (name.clone(), record_type(resource)));
    Type::object(records.collect::<IndexMap<String, Type>>())
}

impl Compiler<'_> {
    /// Compiles what stands with the records of an end. Each may be found by those that are named before it.
    pub(super) fn related(
        &mut self,
        side: Side,
        register: &At<String>,
        end: &mut Endpoint,
        related: &Table<Related>,
    ) {
        for (name, words) in related.iter() {
            let there = match &words.side {
                Some(text) => self.side(text),
                None => Some(side),
            };
            let Some(there) = there else { continue };
            let Some(resource) = self.whole_list(there, &words.resource) else { continue };
            let pairs = self.pairs(name, &words.pairs, (there, &resource), (side, end));
            // its type is known also where it is switched off
            end.related.insert(name.value.clone(), (there, Arc::clone(&resource)));
            if !self.is_on(words.when.as_ref()) {
                continue;
            }
            let Some(pairs) = pairs else { continue };
            let of: Vec<String> = end.members.iter().map(|member| member.resource.name.clone()).collect();
            // two documents of the same records may name the same
            let same = self.exists.iter().any(|one| {
                (one.asks, one.side, one.there) == (Asks::Related, side, there)
                    && (&one.name, &one.resource.name) == (&name.value, &resource.name)
                    && (&one.of, &one.pairs) == (&of, &pairs)
            });
            if !same && self.asked_twice(side, name, &of) {
                continue;
            }
            self.exists.push(Exists {
                asks: Asks::Related,
                register: register.value.clone(),
                side,
                there,
                of,
                name: name.value.clone(),
                resource,
                pairs,
                when: None,
            });
        }
    }

    /// Notes what an expression reads of a record that stands with one of an end. Answers whether the path is such a one.
    pub(super) fn need_related(&mut self, end: &Endpoint, path: &Path) -> bool {
        let Some((name, field)) = parts(path) else { return false };
        let Some((there, resource)) = end.related.get(&name) else { return false };
        if let Some(place) = place(resource, &field) {
            self.need(*there, &resource.name, &place.top);
        }
        true
    }

    /// A field of a record that stands with one of an end, where a path names one: its side, its resource and the path there.
    pub(super) fn related_field(
        &mut self,
        end: &Endpoint,
        path: &Path,
        text: &At<String>,
    ) -> Option<Option<(Side, Arc<Resource>, Path)>> {
        let Some((name, field)) = parts(path) else { return Some(None) };
        if let Some((there, resource)) = end.related.get(&name) {
            return Some(Some((*there, Arc::clone(resource), field)));
        }
        let help = match suggest(&name, end.related.keys().map(String::as_str)) {
            Some(near) => format!("did you mean `related.{near}`?"),
            None => "a record is found by those that are named before it".to_owned(),
        };
        let message = format!("no record `{name}` is named before this one");
        self.error(&codes::BAD_EXISTS, text.span, message, Some(help));
        None
    }
}
