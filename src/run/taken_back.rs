//! Taking a document back that did not stand its check.

use std::sync::Arc;

use super::Engine;
use super::apply::{Became, Stop};
use super::decider::Decider;
use super::send::Sending;
use crate::plan::Record;
use crate::plan::document::{self, Progress, Undo, Verdict};
use crate::program::document::{Document, Step};
use crate::store::{Link, RecordRef};
use crate::value::{Map, Side, Value};
use crate::wire;

impl Engine {
    /// Whether a document that is to be taken back stands its check by now. One whose record is gone does not.
    pub(super) async fn fits_now(
        &self,
        decider: &Decider,
        document: &Document,
        link: &Link,
        undo: &Undo,
    ) -> Result<Option<Record>, Stop> {
        let Some(verify) = check_of(document, undo) else { return Ok(None) };
        let (left, right) = (
            self.one_now(decider, document, Side::Left, &link.left).await?,
            self.one_now(decider, document, Side::Right, &link.right).await?,
        );
        let (Some(left), Some(right)) = (left, right) else { return Ok(None) };
        let names = Side::BOTH.map(|side| self.program.sides[side].name.as_str());
        let fits = document::verify(verify, &left.data, &right.data, names) == Verdict::Fits;
        Ok(fits.then_some(if document.source == Side::Left { left } else { right }))
    }

    /// Whether the source of a document is not any more what the document was made from.
    async fn is_changed(
        &self,
        decider: &Decider,
        document: &Document,
        source: &RecordRef,
        progress: &Progress,
    ) -> Result<bool, Stop> {
        let now = self.one_now(decider, document, document.source, source).await?;
        Ok(now.is_some_and(|now| !progress.changed(&self.hashes_of_content(document, &now.data)).is_empty()))
    }

    /// Takes a document back that did not stand its check: the record on the other side first, then the status.
    pub(super) async fn undo(
        &self,
        decider: &Decider,
        document: &Arc<Document>,
        mut link: Link,
    ) -> Result<Became, Stop> {
        let mut progress = Progress::of(&link.base);
        let Some(mut undo) = progress.undo.clone() else { return Ok(Became::Nothing) };
        let Some(verify) = check_of(document, &undo) else {
            let reason = format!("{}; the step that said so is not in the mapping any more", undo.reason);
            return Ok(Became::SetAside { code: "ME0952".into(), reason, refused: false });
        };
        let target = document.target();
        let at = link.on(target).clone();
        if verify.delete && !undo.deleted {
            if let Some(row) = self.read_one(target, &at).await? {
                let Some(resource) = self.program.sides[target].system.resources.get(&at.resource).cloned()
                else {
                    return Ok(Became::Nothing);
                };
                let sending = Sending::of(
                    target,
                    &resource,
                    wire::Write::delete(&resource.name, row.data.clone()),
                    row.data,
                );
                let source = Some(link.on(document.source).clone());
                match self.send(decider, &document.register, source, sending).await {
                    Ok(_) => {}
                    Err(Stop::Change(Became::SetAside { reason, .. })) => {
                        return Ok(Became::SetAside {
                            code: "ME0952".into(),
                            reason: format!(
                                "{}. It could not be taken back: {reason}. Correct one of the two by hand",
                                undo.reason
                            ),
                            refused: true,
                        });
                    }
                    Err(other) => return Err(other),
                }
            }
            let detail = Map::from([("reason".to_owned(), Value::text(undo.reason.clone()))]);
            let (left, right) = (Some(link.left.id.clone()), Some(link.right.id.clone()));
            self.tell_history(&link.register, left, right, "deleted_again", detail).await?;
            undo.deleted = true;
            progress.undo = Some(undo.clone());
            link = self.keep_progress(link, &progress).await?;
        }
        let source = link.on(document.source).clone();
        // what was put right meanwhile did not fail: it goes anew
        let mended = undo.deleted && self.is_changed(decider, document, &source, &progress).await?;
        if let (Some(role), false) = (&verify.set_status, mended) {
            self.write_source(decider, document, &source, None, &[], Some(role)).await?;
        }
        if undo.deleted {
            let (name, left, gone) = (link.register.clone(), link.left.clone(), at.clone());
            let side = document.source;
            self.store
                .call(move |store| {
                    store.remove_link(&name, &left)?;
                    if mended {
                        store.mark_dirty(side, &source.resource, Some(&source.id))?;
                    }
                    store.put_keys(&name, target, &gone, &[])?;
                    store.remove_record(target, &gone.resource, &gone.id)
                })
                .await?;
        }
        if mended {
            let target = &self.program.sides[target].name;
            return Ok(Became::Waiting(format!(
                "{}; it was deleted again in {target}, and has changed meanwhile: the next run decides it anew",
                undo.reason
            )));
        }
        let what = if undo.deleted {
            format!("; it was deleted again in {}", self.program.sides[target].name)
        } else {
            String::new()
        };
        Ok(Became::SetAside {
            code: "ME0951".into(),
            reason: format!("{}{what}", undo.reason),
            refused: false,
        })
    }
}

/// The step that wants a document taken back.
fn check_of<'d>(document: &'d Document, undo: &Undo) -> Option<&'d crate::program::document::Verify> {
    let named = document::names(&document.steps).iter().position(|name| *name == undo.step);
    match document.steps.get(named.or_else(|| undo.step.parse().ok())?) {
        Some(Step::Verify(verify)) => Some(verify),
        _ => None,
    }
}
