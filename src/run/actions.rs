//! Actions of documents: sent once, and done only when the record says so.

use std::sync::Arc;

use super::Engine;
use super::apply::{Became, Stop};
use super::decider::Decider;
use super::send::{Sending, Sent};
use crate::plan::document::Progress;
use crate::program::document::{ActionStep, Document};
use crate::program::expr::Expr;
use crate::store::{Link, RecordRef};
use crate::value::{Map, Path, Segment, Side, Value};
use crate::wire;

impl Engine {
    /// Whether a step is to be taken at all.
    pub(super) async fn step_is_due(
        &self,
        decider: &Decider,
        document: &Arc<Document>,
        when: Option<&Expr>,
        link: &Link,
        progress: &Progress,
    ) -> Result<bool, Stop> {
        let Some(when) = when else { return Ok(true) };
        let context = decider.context();
        let of_records = when.uses().iter().any(|path: &Path| {
            matches!(path.segments().first(), Some(Segment::Key(root))
                if Side::BOTH.into_iter().any(|side| self.program.sides[side].name == *root))
        });
        let root = if of_records {
            let (left, right) = self.both_now(decider, document, link, progress).await?;
            context.root(Some(&left.data), Some(&right.data), None)
        } else {
            context.root(None, None, None)
        };
        when.holds(&root).map_err(|error| held("ME0902", error.to_string()))
    }

    /// Does something to one of the records. It is done when the record says so; until then the document waits. That it was sent
    /// is on disk with its outcome, so that it is not sent again. Where it was refused, by its status or by what its answer says
    /// ([`crate::program::actions::ActionFailed`]), nothing of that is kept: it is asked for again like all that is refused.
    pub(super) async fn act(
        &self,
        decider: &Decider,
        document: &Arc<Document>,
        step: &ActionStep,
        mut link: Link,
        progress: &mut Progress,
    ) -> Result<Link, Stop> {
        let side = step.side;
        let at = link.on(side).clone();
        let system = Arc::clone(&self.program.sides[side].system);
        let found = system.resources.get(&at.resource).cloned();
        let found = found.as_ref().and_then(|resource| Some((resource, resource.actions.get(&step.action)?)));
        let Some((resource, action)) = found else {
            return Err(held("ME0957", format!("{} has no action `{}` any more", at.resource, step.action)));
        };
        let gone = || self.gone(document, side, link.on(document.source));
        let mut row = self.read_one(side, &at).await?.ok_or_else(gone)?;
        let holds = |row: &crate::store::RecordRow| {
            action.done.holds(&row.data).map_err(|error| held("ME0902", error.to_string()))
        };
        if progress.asked.is_none() && !holds(&row)? {
            // what was changed meanwhile is not carried any further
            self.both_now(decider, document, &link, progress).await?;
            progress.asked = Some(self.clock.now_ms());
            let mut after = link.clone();
            after.base = progress.to_value();
            let sending = Sending {
                request: Some(wire::action(resource, action, &row.data)?),
                then: Value::Map(Map::from([("action".to_owned(), Value::text(step.action.clone()))])),
                after: Some(after.clone()),
                ..Sending::of(side, resource, wire::Write::nothing(&resource.name), row.data.clone())
            };
            let source = Some(link.on(side.other()).clone());
            match self.send(decider, &document.register, source, sending).await? {
                Sent::Row(now) => row = now,
                Sent::Gone => return Err(gone()),
            }
            link = after;
            let detail = Map::from([("action".to_owned(), Value::text(step.action.clone()))]);
            let (left, right) = (Some(link.left.id.clone()), Some(link.right.id.clone()));
            self.tell_history(&link.register, left, right, "asked", detail).await?;
        }
        if holds(&row)? {
            progress.asked = None;
            return Ok(link);
        }
        let since = progress.asked.unwrap_or_else(|| self.clock.now_ms());
        let what = format!(
            "{} was asked to {} it, and it is not done: `{}` does not hold",
            self.program.sides[side].name,
            step.action,
            action.done.source()
        );
        let waited = self.clock.now_ms().saturating_sub(since);
        if u128::try_from(waited).unwrap_or(0) < action.within.as_millis() {
            return Err(Stop::Change(Became::Waiting(format!("{what} yet"))));
        }
        Err(held(
            "ME0956",
            format!(
                "{what} after {} min. It is not asked again: do it there by hand, and it goes on by itself",
                waited / 60_000
            ),
        ))
    }
}

impl Engine {
    /// A document one record of which somebody removed. What was made is never made again by itself: the source may have travelled
    /// with it, and be paid.
    pub(super) fn gone(&self, document: &Document, side: Side, source: &RecordRef) -> Stop {
        let system = &self.program.sides[side].name;
        let name = &document.register.name;
        let reason = if side == document.source {
            format!("its record in {system} is gone")
        } else {
            format!(
                "its record in {system} is gone. It is not made again by itself: restore it, or forget the link with `mapengine resolve --unlink {name}:{}`, and it is decided anew",
                source.id
            )
        };
        held("ME0955", reason)
    }
}

/// A document that a person has to look at.
pub(super) fn held(code: &str, reason: String) -> Stop {
    Stop::Change(Became::SetAside { code: code.into(), reason, refused: false })
}
