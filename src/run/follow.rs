//! Documents after their last step: what the other side leads to, and what it refuses later.

use std::sync::Arc;

use super::apply::{Became, Stop};
use super::decider::Decider;
use super::documents::Pair;
use super::{Engine, Entry};
use crate::plan::document;
use crate::program::document::{Document, Take};
use crate::store::Link;
use crate::value::Side;

impl Engine {
    /// What is looked at after the last step: a move that the other side leads to, and rows that follow it.
    pub(super) async fn follow(
        &self,
        decider: &Decider,
        document: &Arc<Document>,
        link: &Link,
    ) -> Result<(), Stop> {
        let Some(follow) = &document.follow else { return Ok(()) };
        let roles = decider.roles_of(document);
        let (Some(mut left), Some(mut right)) = self.followed_pair(decider, document, link).await? else {
            return Ok(());
        };
        let context = decider.context();
        let told =
            |reason: String| Stop::Change(Became::SetAside { code: "ME0902".into(), reason, refused: false });
        let refused = document::refused_later(&context, document, &left.data, &right.data).map_err(told)?;
        if let Some(reason) = refused {
            return Err(self.refuse_later(decider, document, link, reason).await?);
        }
        let target = document.target();
        let moved = document::next_move(&context, document, &roles, &left.data, &right.data);
        if matches!(moved, Ok(Some(_)))
            && self.read_parts(target, if target == Side::Left { &left } else { &right }).await?
            && let (Some(one), Some(other)) = self.followed_pair(decider, document, link).await?
        {
            (left, right) = (one, other);
        }
        let step =
            document::next_move(&context, document, &roles, &left.data, &right.data).map_err(|reason| {
                Stop::Change(Became::SetAside { code: "ME0902".into(), reason, refused: false })
            })?;
        if step.is_none() && follow.write.is_empty() {
            return Ok(());
        }
        let source = link.on(document.source).clone();
        let to = step.map(|step| step.to.as_str());
        self.write_source(decider, document, &source, Some((&left, &right)), &follow.write, to).await?;
        if let Some(say) = step.and_then(|step| step.say.as_ref()) {
            let root = context.root(Some(&left.data), Some(&right.data), None);
            if let Ok(text) = say.render(&root) {
                self.report.borrow_mut().notes.push(Entry {
                    register: document.register.name.clone(),
                    record: crate::plan::label(
                        &document.register,
                        document.source,
                        if document.source == Side::Left { &left } else { &right },
                    ),
                    code: "followed".into(),
                    reason: text,
                });
            }
        }
        Ok(())
    }

    /// The other side took it and refused it later: the status first, then the link ends, so that a run that is cut between the two
    /// goes on here. Without a status for those that are refused, the link stays until a person has moved it.
    async fn refuse_later(
        &self,
        decider: &Decider,
        document: &Arc<Document>,
        link: &Link,
        reason: String,
    ) -> Result<Stop, Stop> {
        let roles = decider.roles_of(document);
        let source = link.on(document.source).clone();
        let Some(now) = self.read_one(document.source, &source).await? else {
            return Err(self.gone(document, document.source, &source));
        };
        let set_aside = Stop::Change(Became::SetAside {
            code: "ME0958".into(),
            reason: format!("{} refused it later: {reason}", self.program.sides[document.target()].name),
            refused: true,
        });
        let here = document::role_of(document, &roles, &now.data);
        let followed = document
            .follow
            .as_ref()
            .is_some_and(|follow| here.is_some_and(|here| follow.during.iter().any(|one| one == here)));
        if followed {
            let Some(role) = document.refused.as_deref().filter(|role| roles.status(role).is_some()) else {
                return Ok(set_aside);
            };
            self.write_source(decider, document, &source, None, &[], Some(role)).await?;
        }
        let (name, left, at) = (link.register.clone(), link.left.clone(), source);
        let side = document.source;
        self.store
            .call(move |store| {
                store.remove_link(&name, &left)?;
                // it is decided anew: it may travel again by now
                store.mark_dirty(side, &at.resource, Some(&at.id))
            })
            .await?;
        match (&document.take, set_aside) {
            (Take::Role(taken), Stop::Change(Became::SetAside { reason, .. })) if here == Some(taken) => {
                let reason = format!("{reason}. It goes again, as a new record, with the next run");
                Ok(Stop::Change(Became::Waiting(reason)))
            }
            (_, set_aside) => Ok(set_aside),
        }
    }

    /// The pair as it is followed.
    async fn followed_pair(
        &self,
        decider: &Decider,
        document: &Arc<Document>,
        link: &Link,
    ) -> Result<Pair, Stop> {
        let pair = self.pair(decider, link).await?;
        let (of, document) = (decider.clone(), Arc::clone(document));
        let followed = self.store.read(move |store| of.followed(store, &document, pair)).await?;
        followed.map_err(|reason| {
            Stop::Change(Became::SetAside { code: "ME0959".into(), reason, refused: false })
        })
    }
}
