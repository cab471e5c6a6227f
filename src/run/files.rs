//! Files of documents: fetched from one record, attached to the other, each once.

use std::sync::Arc;

use super::actions::held;
use super::apply::Stop;
use super::decider::Decider;
use super::send::{Sending, Sent};
use super::{Engine, RunError};
use crate::http::{CallError, FileBody, Pages};
use crate::plan::document::Progress;
use crate::program::document::{AttachStep, Document};
use crate::program::files::{Files, Which, plain_name};
use crate::program::system::{ErrorClass, ListCall, Resource};
use crate::store::{Intent, Link, RecordRow};
use crate::value::{Map, Side, Value};
use crate::wire;

/// What a file without a media type is.
const UNKNOWN: &str = "application/octet-stream";

/// One file that there is.
struct Found {
    /// What it is remembered by: the files' name and its id.
    key: String,
    id: String,
    name: String,
    media: Option<String>,
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
        let (left, right) = self.both_now(document, &link, progress).await?;
        let to = link.on(step.to).clone();
        let system = Arc::clone(&self.program.sides[step.to].system);
        let resource = system.resources.get(&to.resource).cloned();
        let Some((resource, attach)) = resource.as_ref().and_then(|one| Some((one, one.attach.as_ref()?)))
        else {
            return Err(held("ME0957", format!("nothing can be attached to {} any more", to.resource)));
        };
        let mut names: Vec<String> = Vec::new();
        for (side, name) in &step.files {
            let record = if *side == Side::Left { &left } else { &right };
            let from = self.program.sides[*side].system.resources.get(&record.at.resource).cloned();
            let Some((from, files)) = from.as_ref().and_then(|one| Some((one, one.files.get(name)?))) else {
                return Err(held("ME0957", format!("{} has no files `{name}` any more", record.at.resource)));
            };
            let all =
                self.listed(*side, from, files, &record.data).await.map_err(|error| match error.class {
                    ErrorClass::NotAllowed => Stop::Run(error.into()),
                    _ => Stop::Change(super::apply::Became::Waiting(error.to_string())),
                })?;
            for one in all {
                // two of one name must stay two, and each must be found by its own
                let name = free_name(&plain_name(&one.name), &names);
                names.push(name.clone());
                let key = format!("{}.{}", self.program.sides[*side].name, one.key);
                if progress.files.contains_key(&key) {
                    continue;
                }
                let content = self.fetched(*side, from, files, &record.data, &one).await?;
                let file = FileBody {
                    name: name.clone(),
                    media: one.media.clone().filter(|media| is_media(media)).unwrap_or(content.1),
                    content: content.0,
                    field: attach.field.clone(),
                };
                let hash = file.hash();
                progress.files.insert(key.clone(), hash.clone());
                let mut after = link.clone();
                after.base = progress.to_value();
                let current = if step.to == Side::Left { &left.data } else { &right.data };
                let text = |text: &str| Value::text(text.to_owned());
                let sending = Sending {
                    side: step.to,
                    resource: Arc::clone(resource),
                    write: wire::Write::nothing(&resource.name),
                    request: Some(wire::attach(resource, attach, current, file)?),
                    file: None,
                    current: current.clone(),
                    then: Value::Map(Map::from([
                        ("file".to_owned(), text(&key)),
                        ("name".to_owned(), text(&name)),
                        ("hash".to_owned(), text(&hash)),
                    ])),
                    links: false,
                    after: Some(after.clone()),
                };
                let source = Some(link.on(step.to.other()).clone());
                match self.send(decider, &document.register, source, sending).await? {
                    Sent::Row(_) => link = after,
                    Sent::Gone => {
                        let system = &self.program.sides[step.to].name;
                        return Err(held("ME0955", format!("its record in {system} is gone")));
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
        let mut all =
            self.listed(side, resource, files, record).await.map_err(|error| match error.class {
                ErrorClass::NotAllowed => Stop::Run(error.into()),
                _ => Stop::Change(super::apply::Became::Waiting(error.to_string())),
            })?;
        let Some(one) = all.pop() else {
            return Err(held("ME0957", format!("it has no file `{name}`")));
        };
        let content = self.fetched(side, resource, files, record, &one).await?;
        if content.0.is_empty() {
            return Err(held("ME0957", format!("its file {} is empty", one.name)));
        }
        Ok(FileBody {
            name: plain_name(&one.name),
            media: one.media.clone().filter(|media| is_media(media)).unwrap_or(content.1),
            content: content.0,
            field: made.create.as_ref().and_then(|create| create.file.as_ref()).map(|file| file.part.clone()),
        })
    }

    /// The files that there are of a record.
    async fn listed(
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
            Which::Listed { path, pager, id, name, media } => {
                let listing = Resource {
                    list: Some(ListCall {
                        path: path.clone(),
                        query: Vec::new(),
                        pager: (**pager).clone(),
                        around: None,
                        then: None,
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
    async fn fetched(
        &self,
        side: Side,
        resource: &Arc<Resource>,
        files: &Files,
        record: &Value,
        file: &Found,
    ) -> Result<(bytes::Bytes, String), Stop> {
        let outgoing = wire::file(resource, files, record, &file.id)?;
        match self.clients[side].read(&outgoing).await {
            Ok(reply) => {
                let kind = reply.header("content-type").filter(|kind| is_media(kind));
                let kind = kind.unwrap_or(UNKNOWN).to_owned();
                Ok((reply.raw.unwrap_or_default(), kind))
            }
            Err(error) if error.class == ErrorClass::NotAllowed => Err(Stop::Run(RunError::from(error))),
            Err(error) if error.class == ErrorClass::Wait => {
                Err(Stop::Change(super::apply::Became::Waiting(error.to_string())))
            }
            Err(error) => Err(held("ME0957", format!("its file {} cannot be read: {error}", file.name))),
        }
    }

    /// Whether a file whose upload got no answer is there: seen in the list of the record's files. `None`: it cannot be seen.
    pub(super) async fn is_attached(
        &self,
        intent: &Intent,
        resource: &Arc<Resource>,
        row: &RecordRow,
    ) -> Result<Option<bool>, CallError> {
        let name = intent.then.get("name").and_then(Value::as_text).unwrap_or_default();
        let attach = resource.attach.as_ref();
        let files = attach.and_then(|attach| resource.files.get(attach.list.as_ref()?));
        match (files, attach) {
            (Some(files), _) => {
                let found = self.listed(intent.side, resource, files, &row.data).await?;
                Ok(Some(found.iter().any(|one| one.name == name)))
            }
            // the same name is a new version: it is sent again without harm
            (None, Some(attach)) if attach.new_version => Ok(Some(false)),
            _ => Ok(None),
        }
    }
}

/// What a link holds when a file was seen to be attached.
pub(super) fn with_file(link: &mut Link, intent: &Intent) {
    let text = |name: &str| intent.then.get(name).and_then(Value::as_text).map(str::to_owned);
    if let (Some(key), Some(hash)) = (text("file"), text("hash")) {
        let mut progress = Progress::of(&link.base);
        progress.files.insert(key, hash);
        link.base = progress.to_value();
    }
}

fn is_media(text: &str) -> bool {
    text.contains('/') && !text.contains(char::is_control) && text.is_ascii()
}

/// A name that none of these is.
fn free_name(name: &str, taken: &[String]) -> String {
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
