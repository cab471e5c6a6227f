//! Files of documents: fetched from one record, attached to the other, each once.

use std::sync::Arc;

use tokio::sync::{Mutex, Semaphore, SemaphorePermit};

use super::actions::held;
use super::apply::{Became, Stop};
use super::decider::Decider;
use super::send::{Sending, Sent};
use super::{Engine, RunError};
use crate::http::{CallError, Content, FileBody, Outgoing, Pages};
use crate::plan::Record;
use crate::plan::document::Progress;
use crate::program::document::{AttachStep, Document};
use crate::program::files::{Attach, Files, Which, plain_name};
use crate::program::system::{ErrorClass, ListCall, Resource};
use crate::store::{Intent, IntentState, Link, Result as StoreResult, Store};
use crate::value::{Map, Path, Side, Value};
use crate::wire;

/// What a file without a media type is.
const UNKNOWN: &str = "application/octet-stream";

/// One file that there is.
pub(super) struct Found {
    /// What it is remembered by: the files' name and its id.
    pub key: String,
    pub id: String,
    pub name: String,
    pub media: Option<String>,
}

/// So many files are under way at once: that bounds the room on the disk that they need.
const AT_ONCE: usize = 4;

/// What holds the files of a run apart.
pub(super) struct Desk {
    room: Semaphore,
    /// Taken while a file goes to a record that many documents lead to: of two that bring the same, the second sees the first.
    turn: Mutex<()>,
}

impl Default for Desk {
    fn default() -> Desk {
        Desk { room: Semaphore::new(AT_ONCE), turn: Mutex::new(()) }
    }
}

impl Desk {
    /// Room for the files of one request.
    pub(super) async fn room(&self) -> SemaphorePermit<'_> {
        // the semaphore is never closed
        self.room.acquire().await.expect("a semaphore that nobody closes gives room")
    }
}

/// What a file goes to.
struct Goal {
    side: Side,
    resource: Arc<Resource>,
    attach: Attach,
    record: Value,
    /// It belongs to others: what is there counts, and each file goes there once.
    elsewhere: bool,
}

/// What a file goes to a shared record as.
enum Way {
    /// It is there: this is the hash of its content, where it is known.
    There(String),
    /// Under this name.
    As(String),
}

impl Engine {
    /// Attaches the files of a step. Each is an intent of its own; that it was attached is on disk with its outcome.
    pub(super) async fn attach(
        &self,
        decider: &Decider,
        document: &Arc<Document>,
        step: &AttachStep,
        mut link: Link,
        progress: &mut Progress,
    ) -> Result<Link, Stop> {
        let (left, right) = self.both_now(decider, document, &link, progress).await?;
        let target = if step.to == Side::Left { &left } else { &right };
        let Some(goal) = self.goal(document, step, target)? else { return Ok(link) };
        let about = match &step.about {
            None => String::new(),
            Some(about) => {
                let root = decider.context().root(Some(&left.data), Some(&right.data), None);
                about.render(&root).map_err(|error| held("ME0902", error.to_string()))?
            }
        };
        let mut names: Vec<String> = Vec::new();
        for (side, name) in &step.files {
            let record = if *side == Side::Left { &left } else { &right };
            let from = document.register.member(*side, &record.at.resource).map(|member| &member.resource);
            let Some((from, files)) = from.and_then(|one| Some((one, one.files.get(name)?))) else {
                return Err(held("ME0957", format!("{} has no files `{name}` any more", record.at.resource)));
            };
            let all = self.listed(*side, from, files, &record.data).await.map_err(cannot_list)?;
            for one in all {
                // two of one name must stay two, and each must be found by its own
                let name = free_name(&plain_name(&one.name), &names);
                names.push(name.clone());
                let key = format!("{}.{}", self.program.sides[*side].name, one.key);
                if progress.files.contains_key(&key) {
                    continue;
                }
                let asked = wire::file(from, files, &record.data, &one.id)?;
                let _room = self.desk.room().await;
                let _turn = if goal.elsewhere { Some(self.desk.turn.lock().await) } else { None };
                let (name, once) = if goal.elsewhere {
                    let once = once(&goal, &asked);
                    match self.way(&goal, &once, &name, &link).await? {
                        Way::There(hash) => {
                            progress.files.insert(key, hash);
                            link = self.keep_progress(link, progress).await?;
                            continue;
                        }
                        Way::As(name) => (name, Some(once)),
                    }
                } else {
                    (name, None)
                };
                let (content, kind) = self.fetched(*side, &asked, &one).await?;
                let file = FileBody {
                    name: name.clone(),
                    media: one.media.clone().filter(|media| is_media(media)).unwrap_or(kind),
                    content,
                    field: goal.attach.field.clone(),
                    related: Vec::new(),
                };
                let hash = file.content.hash();
                progress.files.insert(key.clone(), hash.clone());
                let mut after = link.clone();
                after.base = progress.to_value();
                let text = |text: &str| Value::text(text.to_owned());
                let told = [
                    ("file", Some(&key)),
                    ("name", Some(&name)),
                    ("hash", Some(&hash)),
                    ("once", once.as_ref()),
                ];
                let told = told.into_iter().filter_map(|(name, told)| Some((name.to_owned(), text(told?))));
                let sending = Sending {
                    request: Some(wire::attach(&goal.resource, &goal.attach, &goal.record, file, &about)?),
                    then: Value::Map(told.collect()),
                    after: Some(after.clone()),
                    once,
                    ..Sending::of(
                        goal.side,
                        &goal.resource,
                        wire::Write::nothing(&goal.resource.name),
                        goal.record.clone(),
                    )
                };
                let source = Some(link.on(document.source).clone());
                match self.send(decider, &document.register, source, sending).await? {
                    Sent::Row(_) => {
                        link = after;
                        let told = [("file", name), ("sha256", hash)];
                        let detail = told.map(|(word, text)| (word.to_owned(), Value::text(text)));
                        let (left, right) = (Some(link.left.id.clone()), Some(link.right.id.clone()));
                        self.tell_history(&link.register, left, right, "attached", Map::from(detail)).await?;
                    }
                    Sent::Gone => {
                        return Err(self.gone(document, step.to, link.on(document.source)));
                    }
                }
            }
        }
        Ok(link)
    }

    /// The file that a document's record is made of.
    pub(super) async fn file_of(
        &self,
        document: &Document,
        source: &crate::store::RecordRef,
        made: &Resource,
        name: &str,
    ) -> Result<FileBody, Stop> {
        let side = document.source;
        let at = source.clone();
        let stored = self.store.read(move |store| store.record(side, &at.resource, &at.id)).await?;
        let resource = self.program.sides[side].system.resources.get(&source.resource).cloned();
        let files = resource.as_ref().and_then(|resource| resource.files.get(name));
        let (Some(stored), Some(resource), Some(files)) = (stored, &resource, files) else {
            return Err(held("ME0957", format!("{} has no files `{name}` any more", source.resource)));
        };
        let record = &stored.row.data;
        let mut all = self.listed(side, resource, files, record).await.map_err(cannot_list)?;
        let Some(one) = all.pop() else {
            return Err(held("ME0957", format!("it has no file `{name}`")));
        };
        let asked = wire::file(resource, files, record, &one.id)?;
        let _room = self.desk.room().await;
        let (content, kind) = self.fetched(side, &asked, &one).await?;
        if content.is_empty() {
            return Err(held("ME0957", format!("its file {} is empty", one.name)));
        }
        Ok(FileBody {
            name: plain_name(&one.name),
            media: one.media.clone().filter(|media| is_media(media)).unwrap_or(kind),
            content,
            field: made.create.as_ref().and_then(|create| create.file.as_ref()).map(|file| file.part.clone()),
            related: Vec::new(),
        })
    }

    /// What the files of a step go to. `None` where the record refers to nothing.
    fn goal(&self, document: &Document, step: &AttachStep, target: &Record) -> Result<Option<Goal>, Stop> {
        let (resource, record) = match &step.at {
            None => {
                let member = document.register.member(step.to, &target.at.resource);
                (member.map(|member| Arc::clone(&member.resource)), target.data.clone())
            }
            Some(at) => {
                let key = at.field.get(&target.data).filter(|key| !key.is_empty());
                let Some(key) = key.cloned() else { return Ok(None) };
                let mut record = Value::Map(Map::new());
                at.key.set(&mut record, key);
                (Some(Arc::clone(&at.resource)), record)
            }
        };
        let found = resource.and_then(|resource| Some((resource.attach.clone()?, resource)));
        let Some((attach, resource)) = found else {
            let reason = format!("nothing can be attached to {} any more", target.at.resource);
            return Err(held("ME0957", reason));
        };
        Ok(Some(Goal { side: step.to, resource, attach, record, elsewhere: step.at.is_some() }))
    }

    /// Whether a file is to go to a shared record, and under which name: one that no other file there has, or is on its way there
    /// with, so that it can be found again by it.
    async fn way(&self, goal: &Goal, once: &str, name: &str, link: &Link) -> Result<Way, Stop> {
        let fact = once.to_owned();
        let (there, open) =
            self.store.read(move |store| Ok((store.fact(&fact)?, store.open_intents()?))).await?;
        if let Some(hash) = there {
            return Ok(Way::There(hash));
        }
        let then =
            |intent: &Intent, word: &str| intent.then.get(word).and_then(Value::as_text).map(str::to_owned);
        if let Some(open) = open.iter().find(|intent| then(intent, "once").as_deref() == Some(once)) {
            let reason = format!(
                "write {} of its file {name} has no answer yet; it is looked up after the settle time",
                open.id
            );
            return Err(Stop::Change(Became::Waiting(reason)));
        }
        let list = goal.attach.list.as_ref().and_then(|list| goal.resource.files.get(list));
        let mut taken: Vec<String> = match list {
            Some(files) => {
                let found = self.listed(goal.side, &goal.resource, files, &goal.record).await;
                found.map_err(cannot_list)?.into_iter().map(|file| file.name).collect()
            }
            None => Vec::new(),
        };
        // a pair that was found, not made: a state that was lost has brought its files, too
        if link.how == "matched" && taken.iter().any(|one| one == name) {
            return Ok(Way::There("seen by its name".into()));
        }
        let id = goal.resource.id_of(&goal.record);
        let to_it = open.iter().filter(|intent| {
            intent.side == goal.side && intent.resource == goal.resource.name && intent.target == id
        });
        taken.extend(to_it.filter_map(|intent| then(intent, "name")));
        Ok(Way::As(free_name(name, &taken)))
    }

    /// The files that there are of a record.
    pub(super) async fn listed(
        &self,
        side: Side,
        resource: &Arc<Resource>,
        files: &Files,
        record: &Value,
    ) -> Result<Vec<Found>, CallError> {
        let refused = |message: String| CallError { class: ErrorClass::Refused, status: None, message };
        match &files.which {
            Which::One { name, media } => {
                let name = name.render(record).map_err(|error| refused(error.to_string()))?;
                let id = String::new();
                Ok(vec![Found { key: files.name.clone(), id, name, media: media.clone() }])
            }
            Which::Held { field, id, name, media } => {
                let lists = field.get_all(record).into_iter().filter_map(Value::as_list);
                let mut found = Vec::new();
                for item in lists.flatten() {
                    let text = |path: &Path| path.get(item).and_then(Value::scalar_text);
                    let Some(id) = text(id).filter(|id| !id.is_empty()) else {
                        return Err(refused(format!("a file of {} has no id", resource.name)));
                    };
                    found.push(Found {
                        key: format!("{}/{id}", files.name),
                        name: text(name).unwrap_or_default(),
                        media: media.as_ref().and_then(text),
                        id,
                    });
                }
                found.sort_by(|one, other| one.id.cmp(&other.id));
                found.dedup_by(|one, other| one.id == other.id);
                Ok(found)
            }
            Which::Listed { path, pager, id, name, media } => {
                let listing = Resource {
                    list: Some(ListCall {
                        path: path.clone(),
                        query: Vec::new(),
                        pager: (**pager).clone(),
                        around: None,
                        paged_by: None,
                        then: None,
                        absent_is_gone: false,
                    }),
                    ..(**resource).clone()
                };
                let mut pages = Pages::new(&self.clients[side], &listing, Vec::new(), Some(record))?;
                let mut found = Vec::new();
                while let Some(page) = pages.next().await? {
                    for item in page.records {
                        let text = |query: &crate::value::Query| {
                            query.first(&item).and_then(|value| value.scalar_text())
                        };
                        let Some(id) = text(id).filter(|id| !id.is_empty()) else {
                            return Err(refused(format!("a file of {} has no id", resource.name)));
                        };
                        found.push(Found {
                            key: format!("{}/{id}", files.name),
                            name: text(name).unwrap_or_default(),
                            media: media.as_ref().and_then(&text),
                            id,
                        });
                    }
                }
                if !pages.complete() {
                    return Err(refused("the list of files came incomplete".into()));
                }
                found.sort_by(|one, other| one.id.cmp(&other.id));
                found.dedup_by(|one, other| one.id == other.id);
                Ok(found)
            }
        }
    }

    /// The content of a file, and its media type as the system tells it.
    pub(super) async fn fetched(
        &self,
        side: Side,
        asked: &Outgoing,
        file: &Found,
    ) -> Result<(Content, String), Stop> {
        match self.clients[side].read(asked).await {
            Ok(reply) => {
                let kind = reply.header("content-type").filter(|kind| is_media(kind));
                let kind = kind.unwrap_or(UNKNOWN).to_owned();
                Ok((reply.raw.unwrap_or_else(|| Content::from(&b""[..])), kind))
            }
            Err(error) if error.class == ErrorClass::NotAllowed => Err(Stop::Run(RunError::from(error))),
            Err(error) if error.class == ErrorClass::Wait => {
                Err(Stop::Change(Became::Waiting(error.to_string())))
            }
            Err(error) => Err(held("ME0957", format!("its file {} cannot be read: {error}", file.name))),
        }
    }

    /// Whether a file whose upload got no answer is there: seen in the list of the record's files. `None`: it cannot be seen.
    pub(super) async fn is_attached(
        &self,
        intent: &Intent,
        resource: &Arc<Resource>,
        record: &Value,
    ) -> Result<Option<bool>, CallError> {
        let name = intent.then.get("name").and_then(Value::as_text).unwrap_or_default();
        let attach = resource.attach.as_ref();
        let files = attach.and_then(|attach| resource.files.get(attach.list.as_ref()?));
        match (files, attach) {
            (Some(files), _) => {
                let found = self.listed(intent.side, resource, files, record).await?;
                Ok(Some(found.iter().any(|one| one.name == name)))
            }
            // the same name is a new version: it is sent again without harm
            (None, Some(attach)) if attach.new_version => Ok(Some(false)),
            _ => Ok(None),
        }
    }
}

impl Engine {
    /// Settles a file that went to a shared record: nothing of that record is read but its files. Answers whether it is settled.
    pub(super) async fn settle_file(
        &self,
        mut intent: Intent,
        resource: &Arc<Resource>,
    ) -> Result<bool, RunError> {
        let record = intent.lookup.get("record").cloned().unwrap_or_default();
        let there = match self.is_attached(&intent, resource, &record).await {
            Ok(there) => there,
            Err(error) => {
                self.report_doubt(&intent, &format!("its files cannot be listed now: {error}"));
                return Ok(false);
            }
        };
        let Some(there) = there else {
            intent.state = IntentState::InDoubt;
            intent.outcome = "whether the file is there cannot be seen".into();
            self.report_doubt(&intent, NOT_SEEN);
            self.store.call(move |store| store.set_intent(&intent)).await?;
            return Ok(false);
        };
        intent.state = if there { IntentState::Done } else { IntentState::Failed };
        intent.outcome = if there { "it took effect" } else { "it did not take effect" }.into();
        self.store
            .call(move |store| {
                if there {
                    keep_attached(store, &intent)?;
                }
                if let Some(source) = &intent.source {
                    store.mark_dirty(intent.side.other(), &source.resource, Some(&source.id))?;
                }
                store.set_intent(&intent)
            })
            .await?;
        Ok(true)
    }
}

/// What a person reads about a file that cannot be looked for.
pub(super) const NOT_SEEN: &str =
    "whether the file is attached cannot be seen: look there, and say `mapengine resolve`";

/// Keeps that a file is attached: in the link of its document, and, where it goes to a record once, by itself.
pub(super) fn keep_attached(store: &mut dyn Store, intent: &Intent) -> StoreResult<()> {
    let text = |name: &str| intent.then.get(name).and_then(Value::as_text).map(str::to_owned);
    let (Some(key), Some(hash)) = (text("file"), text("hash")) else { return Ok(()) };
    if let Some(once) = text("once") {
        store.set_fact(&once, Some(&hash))?;
    }
    let Some(source) = &intent.source else { return Ok(()) };
    if let Some(mut link) = store.link(&intent.register, intent.side.other(), source)? {
        let mut progress = Progress::of(&link.base);
        progress.files.insert(key, hash);
        link.base = progress.to_value();
        store.put_link(&link)?;
    }
    Ok(())
}

/// The name of the fact that a file is attached to a record: what is fetched from one address is one file.
fn once(goal: &Goal, asked: &Outgoing) -> String {
    let id = goal.resource.id_of(&goal.record).unwrap_or_default();
    format!("file:{}:{}:{id}:{}", goal.side, goal.resource.name, asked.path)
}

pub(super) fn cannot_list(error: CallError) -> Stop {
    match error.class {
        ErrorClass::NotAllowed => Stop::Run(error.into()),
        _ => Stop::Change(Became::Waiting(error.to_string())),
    }
}

pub(super) fn is_media(text: &str) -> bool {
    text.contains('/') && !text.contains(char::is_control) && text.is_ascii()
}

/// A name that none of these is.
pub(super) fn free_name(name: &str, taken: &[String]) -> String {
    if !taken.iter().any(|one| one == name) {
        return name.to_owned();
    }
    let (stem, end) = match name.rsplit_once('.') {
        Some((stem, end)) => (stem, format!(".{end}")),
        None => (name, String::new()),
    };
    (2..)
        .map(|n| format!("{stem} ({n}){end}"))
        .find(|one| !taken.contains(one))
        .unwrap_or_else(|| name.to_owned())
}
