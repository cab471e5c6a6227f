//! A document that was carried, and stands in the status again from which documents travel.

use super::decider::Decider;
use crate::plan::{Record, document};
use crate::program::document::Document;
use crate::store::{Link, Result as StoreResult, Store};

/// What it means that the source of a document that came to its end is in the status that travels.
pub(super) enum Again {
    /// Our own write of its status is so young that what was read may be older.
    Late,
    /// It was put back: why it does not go.
    Stands(String),
}

impl Decider {
    /// Whether the source of a document that came to its end stands in the status again from which documents travel.
    pub(super) fn stands_again(
        &self,
        store: &dyn Store,
        document: &Document,
        link: &Link,
        source: &Option<Record>,
    ) -> StoreResult<Option<Again>> {
        let (Some(source), roles) = (source, self.roles_of(document)) else { return Ok(None) };
        if !document::is_ready_again(document, &roles, &source.data) {
            return Ok(None);
        }
        // what was read may be older than our own last write of it
        let (name, at) = (&document.register.name, link.on(document.source));
        let last = store
            .intents(Some(name), Some(&at.id), 20)?
            .into_iter()
            .find(|intent| intent.side == document.source && intent.target.as_ref() == Some(&at.id));
        if last.is_some_and(|intent| intent.settle_until > self.now_ms) {
            return Ok(Some(Again::Late));
        }
        let status = document.flow.as_ref().and_then(|flow| flow.field.get(&source.data)).cloned();
        Ok(Some(Again::Stands(format!(
            "it stands in '{}' again, and was carried to {} before, as {}: it does not go a second time by itself. If it shall, forget the link with `mapengine resolve --unlink {name}:{}`; if not, give it the status back that it had",
            roles.title_of(&status.unwrap_or_default()),
            self.program.sides[document.target()].name,
            link.on(document.target()).id,
            at.id
        ))))
    }
}
