//! Documents carried through their steps.
//!
//! A document is one link in the state, made with its record on the other side; how far it is stands in the link, and every
//! write of it is an intent of its own in the journal. A step is done when that is on disk; a run that is cut goes on with the
//! next one.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::actions::held;
use super::apply::{Became, Stop};
use super::decider::Decider;
use super::documents::{Pair, Unread};
use super::outcome::told;
use super::send::{Sending, Sent};
use super::view::StoreView;
use super::{Engine, RunError};
use crate::plan::document::{self, Progress, Undo, Verdict};
use crate::plan::{Action, Change, NewValue, Record};
use crate::program::document::{Document, Step};
use crate::program::mapping::Row;
use crate::store::{Link, RecordRef};
use crate::value::{Map, Path, Side, Value};
use crate::wire;

impl Engine {
    /// Carries one document on: a change of the plan.
    pub(super) async fn carry_document(
        &self,
        decider: &Decider,
        document: &Arc<Document>,
        change: &Change,
    ) -> Result<Became, Stop> {
        match &change.action {
            Action::Wait { reason } => Ok(Became::Waiting(reason.clone())),
            Action::SetAside { code, reason, refused } => {
                let became =
                    Became::SetAside { code: code.clone(), reason: reason.clone(), refused: *refused };
                self.refuse(decider, document, change, became).await
            }
            Action::Create { side, resource } => {
                match self.make(decider, document, change, *side, resource).await {
                    Err(Stop::Change(became @ Became::SetAside { .. })) => {
                        self.refuse(decider, document, change, became).await
                    }
                    other => other,
                }
            }
            Action::Link => {
                let (Some(left), Some(right)) = (change.left.clone(), change.right.clone()) else {
                    return Ok(Became::Nothing);
                };
                let target = if document.source == Side::Left { &right } else { &left };
                self.still_there(document, target).await?;
                let (of, source) = (decider.clone(), document.source);
                let at = if source == Side::Left { left.clone() } else { right.clone() };
                let record = self.store.read(move |store| of.record(store, source, &at)).await?;
                let roles = decider.roles_of(document);
                // a state that was lost: its status says that all its steps are done
                let followed =
                    record.is_some_and(|record| document::is_followed(document, &roles, &record.data));
                let progress = match followed {
                    true => Progress::at_end(&document.steps),
                    false => Progress::made(&document.steps, BTreeMap::new()),
                };
                let link = Link {
                    register: document.register.name.clone(),
                    left,
                    right,
                    base: progress.to_value(),
                    since: self.clock.now_ms(),
                    how: "matched".into(),
                };
                let stored = link.clone();
                self.store.call(move |store| store.put_link(&stored)).await?;
                self.advance(decider, document, link, Became::Linked).await
            }
            Action::Update => {
                let (name, Some(left)) = (document.register.name.clone(), change.left.clone()) else {
                    return Ok(Became::Nothing);
                };
                let link = self.store.read(move |store| store.link(&name, Side::Left, &left)).await?;
                match link {
                    Some(link) => self.advance(decider, document, link, Became::Updated).await,
                    None => Ok(Became::Nothing),
                }
            }
            Action::Nothing | Action::Delete { .. } | Action::Unlink => Ok(Became::Nothing),
        }
    }

    /// What the mirror has, and a document is to be linked with, may be gone since: then it is forgotten, and the next run decides
    /// anew.
    async fn still_there(&self, document: &Document, target: &RecordRef) -> Result<(), Stop> {
        let side = document.target();
        let system = &self.program.sides[side].system;
        let Some(resource) = system.resources.get(&target.resource).filter(|one| one.get.is_some()) else {
            return Ok(());
        };
        if self.read_one(side, target).await?.is_some() {
            return Ok(());
        }
        self.forget(side, resource, &target.id).await.map_err(Stop::Run)?;
        let system = &self.program.sides[side].name;
        Err(Stop::Change(Became::Waiting(format!(
            "{} {} of {system}, which was found for it, is gone by now: the next run decides anew",
            target.resource, target.id
        ))))
    }

    /// Makes the record on the other side, linked in the same commit, and goes on.
    async fn make(
        &self,
        decider: &Decider,
        document: &Arc<Document>,
        change: &Change,
        side: Side,
        resource: &str,
    ) -> Result<Became, Stop> {
        let system = Arc::clone(&self.program.sides[side].system);
        let Some(resource) = system.resources.get(resource).cloned() else { return Ok(Became::Nothing) };
        let values = self.values(decider, change, side).await?;
        let mut record = Value::Map(Map::new());
        for (path, value) in &values {
            path.set(&mut record, value.clone());
        }
        let inside = self.embedded(document, change, &mut record).await?;
        let Some(main) = wire::plan_create(&system, &resource, &record)?.into_iter().next() else {
            return Ok(Became::Nothing);
        };
        let source = change.on(side.other()).cloned();
        let file = match (&document.file, &source) {
            (Some(name), Some(source)) => Some(self.file_of(document, source, &resource, name).await?),
            _ => None,
        };
        // what it was made from stands in the intent: a cut run, or an unknown outcome, does not lose it
        let content = match &source {
            Some(source) => self.content_hashes(decider, document, source).await?,
            None => BTreeMap::new(),
        };
        let progress = Progress::made(&document.steps, content);
        let sending = Sending {
            then: Value::Map(Map::from([("base".to_owned(), progress.to_value())])),
            links: true,
            file,
            embedded: inside.files.clone(),
            ..Sending::of(side, &resource, main, record)
        };
        let row = match self.send(decider, &document.register, source.clone(), sending).await? {
            Sent::Row(row) => row,
            Sent::Gone => {
                return Ok(Became::Waiting("the record it belongs to is gone; it is decided again".into()));
            }
        };
        let Some(source) = source else { return Ok(Became::Created) };
        let made = RecordRef { resource: resource.name.clone(), id: row.id };
        let (left, right) = if side == Side::Left { (made, source) } else { (source, made) };
        let name = document.register.name.clone();
        let link = Link {
            register: name,
            left,
            right,
            base: progress.to_value(),
            since: self.clock.now_ms(),
            how: "created".into(),
        };
        // told at once: what comes after it may fail
        self.tell_made(document, change, &link).await?;
        self.advance(decider, document, link, Became::Created).await
    }

    async fn content_hashes(
        &self,
        decider: &Decider,
        document: &Document,
        source: &RecordRef,
    ) -> Result<BTreeMap<String, String>, RunError> {
        let (side, decider, source) = (document.source, decider.clone(), source.clone());
        let record = self.store.read(move |store| decider.record(store, side, &source)).await?;
        Ok(record.map(|record| self.hashes_of_content(document, &record.data)).unwrap_or_default())
    }

    /// A document that cannot go: its source record gets the role for that, and the reason stays with it.
    async fn refuse(
        &self,
        decider: &Decider,
        document: &Arc<Document>,
        change: &Change,
        became: Became,
    ) -> Result<Became, Stop> {
        let (Some(role), Some(at)) = (&document.refused, change.on(document.source)) else {
            return Ok(became);
        };
        // what only a person can tell apart stays where it is; so does what was made already
        let held = matches!(&became, Became::SetAside { code, .. } if code == "ME0903" || code == "ME0902");
        let (name, side, of) = (document.register.name.clone(), document.source, at.clone());
        let made = self.store.read(move |store| store.link(&name, side, &of)).await?.is_some();
        if held || made || change.on(document.target()).is_some() {
            return Ok(became);
        }
        if decider.roles_of(document).status(role).is_none() {
            // the company has no status for those that are refused: it is set aside where it stands
            return Ok(became);
        }
        // whatever becomes of the status, the reason is kept with the record
        let status = match self.write_source(decider, document, at, None, &[], Some(role)).await {
            Ok(()) => return Ok(became),
            Err(Stop::Change(Became::SetAside { reason, .. } | Became::Waiting(reason))) => {
                format!("Its status stays as it is: {reason}")
            }
            Err(Stop::Change(Became::InDoubt(reason))) => format!("Its status is in doubt: {reason}"),
            Err(other) => return Err(other),
        };
        let Became::SetAside { code, reason, refused } = became else { return Ok(became) };
        Ok(Became::SetAside { code, reason: format!("{reason}. {status}"), refused })
    }

    /// Goes through the steps that are left, one after the other, each on disk before the next.
    async fn advance(
        &self,
        decider: &Decider,
        document: &Arc<Document>,
        mut link: Link,
        became: Became,
    ) -> Result<Became, Stop> {
        loop {
            let mut progress = Progress::of(&link.base);
            if let Some(undo) = progress.undo.clone() {
                let fits = match undo.deleted {
                    true => None,
                    false => self.fits_now(decider, document, &link, &undo).await?,
                };
                let Some(source) = fits else { return self.undo(decider, document, link).await };
                // somebody has corrected one of the two: it is not taken back any more
                if undo.sent.is_some_and(|sent| sent == self.hash_of_sent(document, &source.data)) {
                    progress.content = self.hashes_of_content(document, &source.data);
                }
                progress.undo = None;
                link = self.keep_progress(link, &progress).await?;
            }
            let Some(at) = progress.next(&document.steps) else { break };
            let step = &document.steps[at];
            match step {
                Step::Verify(verify) => {
                    let (left, right) = self.both_now(decider, document, &link, &progress).await?;
                    let names = Side::BOTH.map(|side| self.program.sides[side].name.as_str());
                    match document::verify(verify, &left.data, &right.data, names) {
                        Verdict::Fits => {}
                        Verdict::Missing(reason) => {
                            return Ok(Became::SetAside {
                                code: "ME0953".into(),
                                reason: format!("its total cannot be checked: {reason}"),
                                refused: false,
                            });
                        }
                        Verdict::Differs(reason) => {
                            let source = if document.source == Side::Left { &left } else { &right };
                            let sent = Some(self.hash_of_sent(document, &source.data));
                            let step = document::names(&document.steps).swap_remove(at);
                            progress.undo = Some(Undo { step, reason, deleted: false, sent });
                            link = self.keep_progress(link, &progress).await?;
                            return self.undo(decider, document, link).await;
                        }
                    }
                }
                Step::WriteBack { rows, set_status } => {
                    let (left, right) = self.both_now(decider, document, &link, &progress).await?;
                    let source = link.on(document.source).clone();
                    self.write_source(
                        decider,
                        document,
                        &source,
                        Some((&left, &right)),
                        rows,
                        set_status.as_deref(),
                    )
                    .await?;
                }
                Step::SetStatus(role) => {
                    let source = link.on(document.source).clone();
                    self.write_source(decider, document, &source, None, &[], Some(role)).await?;
                }
                Step::Action(step) => {
                    let when = step.when.as_ref();
                    // what was asked for is waited for, whatever is said now
                    if progress.asked.is_some()
                        || self.step_is_due(decider, document, when, &link, &progress).await?
                    {
                        link = self.act(decider, document, step, link, &mut progress).await?;
                    }
                }
                Step::Attach(step) => {
                    if self.step_is_due(decider, document, step.when.as_ref(), &link, &progress).await? {
                        link = self.attach(decider, document, step, link, &mut progress).await?;
                    }
                }
            }
            progress.step_done(&document.steps, at);
            link = self.keep_progress(link, &progress).await?;
        }
        self.follow(decider, document, &link).await?;
        self.clean_pair(decider, &link).await?;
        Ok(became)
    }

    /// Both records of a link as the mirror has them.
    pub(super) async fn pair(&self, decider: &Decider, link: &Link) -> Result<Pair, Stop> {
        let (of, at) = (decider.clone(), link.clone());
        Ok(self
            .store
            .read(move |store| {
                Ok((of.record(store, Side::Left, &at.left)?, of.record(store, Side::Right, &at.right)?))
            })
            .await?)
    }

    /// The children of a record that moves, where they are needed: payments of an invoice that is paid. They are not read for
    /// all that could move. Answers whether there are any to read.
    pub(super) async fn read_parts(&self, side: Side, record: &Record) -> Result<bool, Stop> {
        let system = Arc::clone(&self.program.sides[side].system);
        let Some(resource) = system.resources.get(&record.at.resource) else { return Ok(false) };
        let Some(key) = resource.key_of(&record.data) else { return Ok(false) };
        let mut any = false;
        for part in resource.parts.values() {
            let needed = self.program.needs[side].contains_key(&part.resource);
            let Some(child) = system.resources.get(&part.resource).filter(|_| needed) else { continue };
            any = true;
            match self.read_children(side, child, &resource.name, &part.by, &key).await {
                Ok(()) => {}
                Err(Unread::Run(error)) => return Err(Stop::Run(error)),
                Err(Unread::Document(reason)) => {
                    let reason = format!("{} of it cannot be read: {reason}", child.name);
                    return Err(Stop::Change(Became::Waiting(reason)));
                }
            }
        }
        Ok(any)
    }

    /// Writes to the source record: rows from the other side, and a role, in one request. The status is looked at just before:
    /// a move that is not legal from there is not made.
    pub(super) async fn write_source(
        &self,
        decider: &Decider,
        document: &Arc<Document>,
        at: &RecordRef,
        pair: Option<(&Record, &Record)>,
        rows: &[Row],
        role: Option<&str>,
    ) -> Result<(), Stop> {
        let side = document.source;
        let Some(now) = self.read_one(side, at).await? else {
            return Err(self.gone(document, side, at));
        };
        let mut values: Vec<(Path, Value)> = Vec::new();
        let mut detail = Map::new();
        let mut what = "status_set";
        if let Some((left, right)) = pair
            && !rows.is_empty()
        {
            let mut fresh = Record {
                at: at.clone(),
                hash: now.hash.clone(),
                data: now.data.clone(),
                changed_at: None,
                exists: Value::Null,
            };
            let (of, document_of) = (decider.clone(), Arc::clone(document));
            let (left, right, rows) = (left.clone(), right.clone(), rows.to_vec());
            let written = self
                .store
                .read(move |store| {
                    of.relate(store, side, &fresh.at.resource, &mut fresh.data)?;
                    let (left, right) = if side == Side::Left { (fresh, right) } else { (left, fresh) };
                    let view = StoreView { store, register_of: &of.program };
                    Ok(document::row_changes(
                        &of.context(),
                        &rows,
                        document_of.target(),
                        &left,
                        &right,
                        &view,
                    ))
                })
                .await?;
            let written = written.map_err(|problem| match problem {
                crate::plan::translate::Untranslatable::Wait(reason, _) => {
                    Stop::Change(Became::Waiting(reason))
                }
                crate::plan::translate::Untranslatable::SetAside(code, reason) => held(code, reason),
                crate::plan::translate::Untranslatable::NoCode(missing) => {
                    let (code, reason) = missing.refusal();
                    held(code, reason)
                }
            })?;
            detail = told(&self.program.sides[side].name, &written);
            if !written.is_empty() {
                what = "written_back";
            }
            for field in written {
                if let (Ok(path), NewValue::Value(value)) = (Path::parse(&field.path), field.new) {
                    values.push((path, value));
                }
            }
        }
        if let (Some(role), Some(flow)) = (role, &document.flow) {
            let roles = decider.roles_of(document);
            let here = document::role_of(document, &roles, &now.data);
            if here != Some(role) {
                let legal = here.is_some_and(|here| flow.sources(role).contains(&here));
                let Some(status) = roles.status(role).filter(|_| legal) else {
                    let status = flow.field.get(&now.data).cloned().unwrap_or_default();
                    let here = here.map_or_else(
                        || format!("{status}, which has no role"),
                        |here| format!("'{}'", roles.title(here)),
                    );
                    return Err(held(
                        "ME0950",
                        format!(
                            "its status is {here} now: no move of the mapping leads from there to '{}'",
                            roles.title(role)
                        ),
                    ));
                };
                let before = flow.field.get(&now.data).unwrap_or(&Value::Null);
                let told = [roles.title_of(before), roles.title(role), flow.origin.text.clone()];
                detail.insert(
                    format!("{}.{}", self.program.sides[side].name, flow.field),
                    Value::List(told.map(Value::text).to_vec()),
                );
                values.push((flow.field.clone(), status.clone()));
            }
        }
        if values.is_empty() {
            return Ok(());
        }
        let system = Arc::clone(&self.program.sides[side].system);
        let Some(resource) = system.resources.get(&at.resource).cloned() else { return Ok(()) };
        let name = document.register.name.clone();
        let from = at.clone();
        let link = self.store.read(move |store| store.link(&name, side, &from)).await?;
        let mut current = now.data;
        for write in wire::plan_update(&system, &resource, &current, &values)? {
            let sending = Sending::of(side, &resource, write, current.clone());
            let source = link.as_ref().map(|link| link.on(side.other()).clone());
            match self.send(decider, &document.register, source, sending).await? {
                Sent::Row(row) => current = row.data,
                Sent::Gone => return Err(self.gone(document, side, at)),
            }
        }
        let (left, right) = match (link, side) {
            (Some(link), _) => (Some(link.left.id), Some(link.right.id)),
            (None, Side::Left) => (Some(at.id.clone()), None),
            (None, Side::Right) => (None, Some(at.id.clone())),
        };
        self.tell_history(&document.register.name, left, right, what, detail).await?;
        Ok(())
    }

    pub(super) async fn keep_progress(&self, mut link: Link, progress: &Progress) -> Result<Link, Stop> {
        link.base = progress.to_value();
        let stored = link.clone();
        self.store.call(move |store| store.put_link(&stored)).await?;
        Ok(link)
    }

    /// Both records leave the work list, as they are in the mirror.
    async fn clean_pair(&self, decider: &Decider, link: &Link) -> Result<(), Stop> {
        let (decider, link) = (decider.clone(), link.clone());
        self.store
            .call(move |store| {
                for side in Side::BOTH {
                    let at = link.on(side);
                    if decider.may_clean(store, &link.register, side, at, true)?
                        && let Some(stored) = store.record(side, &at.resource, &at.id)?
                    {
                        store.clean(side, &at.resource, &at.id, &stored.row.hash)?;
                    }
                }
                Ok(())
            })
            .await?;
        Ok(())
    }
}
