//! Files that go inside the message of a new document: listed when it is decided, read when it is made.

use std::sync::Arc;

use tokio::sync::SemaphorePermit;

use super::actions::held;
use super::apply::{Became, Stop};
use super::decider::plan_row;
use super::files::{Found, cannot_list, free_name, is_media};
use super::{Engine, RunError};
use crate::http::Embedded;
use crate::plan::change::{EmbeddedFile, Embedding};
use crate::plan::{Action, Change};
use crate::program::document::Document;
use crate::program::files::{Files, plain_name};
use crate::program::system::Resource;
use crate::store::PlanRow;
use crate::value::{Map, Path, Side, Value};
use crate::wire;

/// So much may the files of one message be together: no more than one answer.
const MOST: usize = crate::http::LARGEST;

/// How many changes are looked at in one job of the store.
const ROWS: usize = 200;

/// The files of one message, and their room in memory until it has left.
#[derive(Default)]
pub(super) struct Inside<'e> {
    pub files: Vec<Embedded>,
    _room: Option<SemaphorePermit<'e>>,
}

impl Engine {
    /// Lists the files that go inside what is to be made of a document. Where they cannot be listed, it waits.
    pub(super) async fn list_embedded(&self, document: &Arc<Document>) -> Result<(), RunError> {
        if document.embeds().next().is_none() {
            return Ok(());
        }
        let mut after = 0;
        loop {
            let name = document.register.name.clone();
            let rows = self.store.read(move |store| store.changes(Some(&name), after, ROWS)).await?;
            let Some(last) = rows.last() else { return Ok(()) };
            after = last.seq;
            for row in rows {
                let mut change: Change = serde_json::from_str(&row.change)
                    .map_err(|error| RunError::failed(format!("plan row: {error}")))?;
                if change.embeds.is_empty() || !matches!(change.action, Action::Create { .. }) {
                    continue;
                }
                match self.list_all(document, &mut change.embeds).await {
                    Ok(()) => {}
                    Err(Stop::Run(error)) => return Err(error),
                    Err(Stop::Change(became)) => {
                        change.action = match became {
                            Became::SetAside { code, reason, refused } => {
                                Action::SetAside { code, reason, refused }
                            }
                            Became::Waiting(reason) => {
                                Action::Wait { reason: format!("its files cannot be listed: {reason}") }
                            }
                            _ => continue,
                        };
                        change.fields = Default::default();
                        change.embeds.clear();
                    }
                }
                let row = PlanRow { seq: row.seq, ..plan_row(&change) };
                self.store.call(move |store| store.set_change(&row)).await?;
            }
        }
    }

    async fn list_all(&self, document: &Document, embeds: &mut [Embedding]) -> Result<(), Stop> {
        let side = document.source;
        for embed in embeds {
            let (resource, files) = self.owner(document, side, embed)?;
            let all = self.listed(side, &resource, &files, &embed.record).await.map_err(cannot_list)?;
            let mut names: Vec<String> = Vec::new();
            embed.found.clear();
            for one in all {
                // two of one name must stay two
                let name = free_name(&plain_name(&one.name), &names);
                names.push(name.clone());
                embed.found.push(EmbeddedFile { id: one.id, name, media: one.media });
            }
        }
        Ok(())
    }

    /// Whose files they are.
    fn owner(
        &self,
        document: &Document,
        side: Side,
        embed: &Embedding,
    ) -> Result<(Arc<Resource>, Files), Stop> {
        let own = document.register.member(side, &embed.resource).map(|member| &member.resource);
        let resource = own.or_else(|| self.program.sides[side].system.resources.get(&embed.resource));
        let found = resource.and_then(|one| Some((Arc::clone(one), one.files.get(&embed.files)?.clone())));
        found.ok_or_else(|| {
            held("ME0957", format!("{} has no files `{}` any more", embed.resource, embed.files))
        })
    }

    /// Reads the files of a change and gives the record their places. One that cannot be read holds the document.
    pub(super) async fn embedded(
        &self,
        document: &Document,
        change: &Change,
        record: &mut Value,
    ) -> Result<Inside<'_>, Stop> {
        if change.embeds.iter().all(|embed| embed.found.is_empty()) {
            return Ok(Inside::default());
        }
        let side = document.source;
        let room = self.desk.room().await;
        let (mut files, mut size) = (Vec::new(), 0);
        for embed in change.embeds.iter().filter(|embed| !embed.found.is_empty()) {
            let (resource, of) = self.owner(document, side, embed)?;
            let mut items = Vec::with_capacity(embed.found.len());
            for one in &embed.found {
                let asked = wire::file(&resource, &of, &embed.record, &one.id)?;
                let found = Found {
                    key: String::new(),
                    id: one.id.clone(),
                    name: one.name.clone(),
                    media: one.media.clone(),
                };
                let (content, kind) =
                    self.fetched(side, &asked, &found).await.map_err(|stop| match stop {
                        Stop::Change(Became::Waiting(reason)) => {
                            Stop::Change(Became::Waiting(format!("its file {}: {reason}", one.name)))
                        }
                        other => other,
                    })?;
                if content.is_empty() {
                    return Err(held("ME0957", format!("its file {} is empty", one.name)));
                }
                size += content.len();
                if size > MOST {
                    let most = MOST / 1024 / 1024;
                    let reason = format!(
                        "its files are larger than {most} MiB together: more do not go in one message"
                    );
                    return Err(held("ME0957", reason));
                }
                let file = Embedded::new(content);
                let media = one.media.clone().filter(|media| is_media(media)).unwrap_or(kind);
                items.push(item(embed, &one.name, media, &file)?);
                files.push(file);
            }
            place(&embed.at)?.set(record, Value::List(items));
        }
        Ok(Inside { files, _room: Some(room) })
    }
}

/// A file as an item of its list: its content is still the mark.
fn item(embed: &Embedding, name: &str, media: String, file: &Embedded) -> Result<Value, Stop> {
    let (names, kind, content) = &embed.members;
    let mut item = Value::Map(Map::new());
    for at in names {
        place(at)?.set(&mut item, Value::text(name));
    }
    if let Some(kind) = kind {
        place(kind)?.set(&mut item, Value::text(media));
    }
    place(content)?.set(&mut item, Value::text(file.mark.clone()));
    Ok(item)
}

fn place(text: &str) -> Result<Path, Stop> {
    Path::parse(text).map_err(|error| Stop::Run(RunError::failed(format!("plan row: {error}"))))
}
