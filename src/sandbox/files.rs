//! The server's half of files: lists, contents, uploads.

use std::sync::Arc;

use bytes::Bytes;

use super::answer::Answer;
use super::list::envelope;
use super::pages::{Asked, Off, page};
use super::proof::media_type;
use super::query::Query;
use super::route::Route;
use super::stand::Stand;
use crate::http::WireRequest;
use crate::program::files::{Attach, FILE, Files, Which};
use crate::program::system::Resource;
use crate::value::{Map, Path, Value, from_json_slice};

/// A file of a record of a stand-in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stored {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Its media type.
    pub media: String,
    /// What is in it.
    pub content: Bytes,
    /// How many times it was sent.
    pub versions: u32,
}

impl Stand {
    /// The files of a record, by the name of `files`; what was attached where no such list is declared, by `attach`.
    pub fn files(&self, resource: &str, id: &str, name: &str) -> Vec<Stored> {
        let key = (resource.to_owned(), id.to_owned(), name.to_owned());
        self.stored.get(&key).cloned().unwrap_or_default()
    }

    /// Gives a record a file, as a person would.
    pub fn add_file(
        &mut self,
        resource: &str,
        id: &str,
        list: &str,
        name: &str,
        media: &str,
        content: Bytes,
    ) {
        let key = (resource.to_owned(), id.to_owned(), list.to_owned());
        let all = self.stored.entry(key).or_default();
        let number = all.len() + 1;
        all.push(Stored {
            id: format!("{id}-{number}"),
            name: name.to_owned(),
            media: media.to_owned(),
            content,
            versions: 1,
        });
    }

    /// Files of a data file, under `RESOURCE.FILES`: each says which record it belongs to (`of`) and its `name`, and may say its
    /// `type` and its `content`. Answers what is wrong with them.
    pub(super) fn give_files(&mut self, list: &str, files: &[Value]) -> Vec<String> {
        let of = list.split_once('.').and_then(|(of, name)| {
            let resource = self.system.resources.get(of)?.clone();
            let listed = matches!(resource.files.get(name)?.which, Which::Listed { .. });
            listed.then_some((resource, name))
        });
        let Some((resource, name)) = of else {
            return vec![format!("{} has no list of files {list}", self.system.name)];
        };
        let mut problems = Vec::new();
        for (i, file) in files.iter().enumerate() {
            let text = |word: &str| file.get(word).and_then(Value::as_text);
            let of = file.get("of").and_then(Value::as_map).cloned().unwrap_or_default();
            let ids = self.find(&resource, &of);
            let ([id], Some(given)) = (&ids[..], text("name")) else {
                problems.push(format!(
                    "{list} {}: it names a file, and by `of` the one record it belongs to ({} do)",
                    i + 1,
                    ids.len()
                ));
                continue;
            };
            let key = self.record(&resource, id).and_then(|record| resource.key_of(&record));
            let media = text("type").unwrap_or("application/pdf");
            let content = text("content").map_or_else(|| format!("%PDF-1.4 {given}"), str::to_owned);
            self.add_file(&resource.name, key.as_deref().unwrap_or(id), name, given, media, content.into());
        }
        problems
    }

    /// A list of files, or the content of one.
    pub(super) fn file(&mut self, request: &WireRequest, route: &Route) -> Answer {
        let resource = Arc::clone(&route.resource);
        let (name, of_list) = match route.name.strip_suffix("[]") {
            Some(name) => (name, true),
            None => (route.name.as_str(), false),
        };
        let Some(files) = resource.files.get(name) else {
            return self.error(404, "there is nothing here", "NotFound");
        };
        if let (false, Err(answer)) = (of_list, self.only(request, &route.taken, &[])) {
            return answer;
        }
        let own: Vec<_> =
            route.fields.iter().filter(|(field, _)| *field != Path::key(FILE)).cloned().collect();
        let wanted = route.fields.iter().find(|(field, _)| *field == Path::key(FILE)).map(|(_, id)| id);
        if of_list {
            let Some(row) = self.row(&resource, &Route { fields: own, ..route.clone() }) else {
                return self.missing(&resource);
            };
            let id = self.id_at(&resource, row);
            let all = self.files(&resource.name, &id, name);
            return self.list_of(request, route, files, &all).unwrap_or_else(|answer| answer);
        }
        match (&files.which, wanted) {
            (Which::Held { .. }, Some(wanted)) => match self.held(wanted) {
                Some(name) => content("application/pdf", format!("%PDF-1.4 {wanted} {name}").into()),
                None => self.error(404, "there is no such file", "NotFound"),
            },
            (Which::One { media, .. }, _) => {
                let Some(row) = self.row(&resource, &Route { fields: own, ..route.clone() }) else {
                    return self.missing(&resource);
                };
                let (media, id) =
                    (media.as_deref().unwrap_or("application/octet-stream"), self.id_at(&resource, row));
                let text = match media.contains("xml") {
                    true => {
                        format!("<?xml version=\"1.0\"?><record kind=\"{}\">{id}</record>", resource.name)
                    }
                    false => format!("%PDF-1.4 {} {id}", resource.name),
                };
                content(media, text.into())
            }
            (Which::Listed { .. }, Some(wanted)) => {
                // where more than one kind of record asks for contents at one address, the id tells
                let asked = |of: &String, list: &String| {
                    let known = self.system.resources.get(of).and_then(|one| one.files.get(list));
                    known.is_some_and(|known| known.get == files.get)
                };
                let all = self.stored.iter().filter(|((of, _, list), _)| asked(of, list));
                match all.flat_map(|(_, files)| files).find(|file| file.id == *wanted) {
                    Some(file) => content(&file.media, file.content.clone()),
                    None => self.error(404, "there is no such file", "NotFound"),
                }
            }
            _ => self.error(404, "there is nothing here", "NotFound"),
        }
    }

    /// Attaches a file to a record.
    pub(super) fn attach(&mut self, request: &WireRequest, route: &Route) -> Answer {
        let resource = Arc::clone(&route.resource);
        let Some(attach) = &resource.attach else {
            return self.error(404, "there is nothing here", "NotFound");
        };
        let Some(row) = self.row(&resource, route) else { return self.missing(&resource) };
        let id = self.id_at(&resource, row);
        let Some((name, media, content)) = sent(request, &resource) else {
            return self.error(400, "this body holds no file", "InvalidRequest");
        };
        let list = attach.list.clone().unwrap_or_else(|| "attach".to_owned());
        let key = (resource.name.clone(), id.clone(), list.clone());
        let same = self.stored.entry(key).or_default().iter_mut().find(|file| file.name == name);
        match same {
            Some(file) if attach.new_version => {
                file.content = content;
                file.versions += 1;
            }
            _ => self.add_file(&resource.name, &id, &list, &name, &media, content),
        }
        Answer::empty(204)
    }

    /// The page of a list of files that is asked for.
    fn list_of(
        &self,
        request: &WireRequest,
        route: &Route,
        files: &Files,
        all: &[Stored],
    ) -> Result<Answer, Answer> {
        let Which::Listed { id, name, media, pager, .. } = &files.which else {
            return Err(self.error(404, "there is nothing here", "NotFound"));
        };
        let refuse = |problem: String| self.error(400, &problem, "InvalidParameter");
        let mut query = Query::of(request).map_err(refuse)?.without(&route.taken);
        let asked = Asked {
            // files are told by no key of a record
            place_of: &|_| None,
            request,
            list: request.url.path(),
            count: all.len(),
            largest: self.largest_page,
            number: self.asked,
            fault: None,
        };
        let page = page(&asked, pager, &mut query).map_err(|off| match off {
            Off::Wrong(problem) => refuse(problem),
            Off::Past(unit) => Answer::empty(416).header("content-range", format!("{unit} */{}", all.len())),
        })?;
        query.nothing_left().map_err(refuse)?;
        let (from, to) = (page.from.min(all.len()), page.to.min(all.len()));
        let items = all[from..to].iter().map(|file| {
            let mut item = Value::Map(Map::new());
            for (at, text) in [(Some(id), &file.id), (Some(name), &file.name), (media.as_ref(), &file.media)]
            {
                if let Some(path) = at.and_then(crate::value::Query::as_path) {
                    path.set(&mut item, Value::text(text.clone()));
                }
            }
            item
        });
        let body = envelope(pager, items.collect(), all.len(), page.size, page.next.as_deref());
        let answer = Answer::json(page.status, &body);
        Ok(page.headers.into_iter().fold(answer, |answer, (name, value)| answer.header(&name, value)))
    }

    /// The name of a file that a record holds the id of. Ids of files are those of the whole system.
    fn held(&self, wanted: &str) -> Option<String> {
        self.system.resources.values().find_map(|resource| {
            resource.files.values().find_map(|files| {
                let Which::Held { field, id, name, .. } = &files.which else { return None };
                self.table(resource).iter().find_map(|(_, record)| {
                    let mut items = field.get_all(record).into_iter().filter_map(Value::as_list).flatten();
                    let text = |path: &Path, item: &Value| path.get(item).and_then(Value::scalar_text);
                    let item = items.find(|item| text(id, item).as_deref() == Some(wanted))?;
                    Some(text(name, item).unwrap_or_default())
                })
            })
        })
    }

    fn id_at(&self, resource: &Resource, row: u64) -> String {
        self.table(resource).get(row).and_then(|record| resource.key_of(record)).unwrap_or_default()
    }
}

fn content(media: &str, body: Bytes) -> Answer {
    Answer { status: 200, headers: vec![("content-type".into(), media.to_owned())], body }
}

/// The file that a request carries: its name, media type and content.
pub(super) fn sent(request: &WireRequest, resource: &Resource) -> Option<(String, String, Bytes)> {
    let attach = resource.attach.as_ref()?;
    let body = request.body.clone().unwrap_or_default();
    let kind = super::proof::header(request, "content-type").unwrap_or_default();
    match &attach.field {
        _ if !attach.related.is_empty() => {
            let (said, media, content) = related(kind, &body, attach)?;
            let (at, _) = attach.related.iter().find(|(_, text)| text.uses().contains(&file_name()))?;
            Some((said.get(at)?.as_text()?.to_owned(), media, content))
        }
        Some(field) => {
            let part = parts(kind, &body)?.into_iter().find(|part| part.name == *field)?;
            Some((part.file?, part.media, part.content))
        }
        None => {
            let name = attach.query.first().and_then(|(name, _)| Query::of(request).ok()?.take(name))?;
            Some((name, media_type(request)?, body))
        }
    }
}

/// What a request with a file says beside it.
pub(super) fn said(request: &WireRequest, resource: &Resource) -> Option<Value> {
    let attach = resource.attach.as_ref().filter(|attach| !attach.related.is_empty())?;
    let kind = super::proof::header(request, "content-type").unwrap_or_default();
    related(kind, request.body.as_deref()?, attach).map(|(said, ..)| said)
}

/// A multipart/related body: what is said of the file – a JSON object with what the system takes, and nothing else –, its media
/// type and its content.
fn related(kind: &str, body: &[u8], attach: &Attach) -> Option<(Value, String, Bytes)> {
    let mut words = kind.split("; ");
    let (of, boundary) = (words.next()?, words.next()?.strip_prefix("boundary=")?);
    if of != "multipart/related" || words.next() != Some("type=\"application/json\"") {
        return None;
    }
    let start = format!("--{boundary}\r\nContent-Type: application/json\r\n\r\n");
    let inner = body.strip_prefix(start.as_bytes())?;
    let inner = inner.strip_suffix(format!("\r\n--{boundary}--\r\n").as_bytes())?;
    let middle = format!("\r\n--{boundary}\r\nContent-Type: ");
    let at = inner.windows(middle.len()).position(|some| some == middle.as_bytes())?;
    let said = from_json_slice(&inner[..at]).ok()?;
    let rest = &inner[at + middle.len()..];
    let end = rest.windows(4).position(|four| four == b"\r\n\r\n")?;
    let media = std::str::from_utf8(&rest[..end]).ok()?.to_owned();
    let known = |name: &String| attach.related.iter().any(|(one, _)| one == name);
    if !said.as_map()?.keys().all(known) {
        return None;
    }
    Some((said, media, Bytes::copy_from_slice(&rest[end + 4..])))
}

fn file_name() -> Path {
    Path::key("file").join(&Path::key("name"))
}

/// A part of a multipart/form-data body (RFC 7578).
pub(super) struct Part {
    /// Its name in the form.
    pub name: String,
    /// The name of its file; none for a plain value.
    pub file: Option<String>,
    /// Its media type; plain text where it says none.
    pub media: String,
    /// What is in it.
    pub content: Bytes,
}

/// The parts of a multipart/form-data body.
pub(super) fn parts(kind: &str, body: &[u8]) -> Option<Vec<Part>> {
    let boundary = kind.strip_prefix("multipart/form-data; boundary=")?;
    let delimiter = format!("\r\n--{boundary}");
    let mut rest = body.strip_prefix(&delimiter.as_bytes()[2..])?;
    let mut all = Vec::new();
    while rest != b"--\r\n" {
        let inner = rest.strip_prefix(b"\r\n")?;
        let end = inner.windows(delimiter.len()).position(|window| window == delimiter.as_bytes())?;
        all.push(part(&inner[..end])?);
        rest = &inner[end + delimiter.len()..];
    }
    Some(all)
}

fn part(inner: &[u8]) -> Option<Part> {
    let split = inner.windows(4).position(|four| four == b"\r\n\r\n")?;
    let head = std::str::from_utf8(&inner[..split]).ok()?;
    let value = |line: &str, name: &str| {
        let from = line.find(&format!("; {name}=\""))? + name.len() + 4;
        Some(line[from..].split('"').next()?.to_owned())
    };
    let disposition = head.lines().find_map(|line| line.strip_prefix("Content-Disposition: form-data"))?;
    let media = head.lines().find_map(|line| line.strip_prefix("Content-Type: "));
    Some(Part {
        name: value(disposition, "name")?,
        file: value(disposition, "filename"),
        media: media.unwrap_or("text/plain").to_owned(),
        content: Bytes::copy_from_slice(&inner[split + 4..]),
    })
}

/// A form as a body: what is plain as text, a file as what it is.
pub(super) fn form(kind: &str, body: &[u8]) -> Option<Value> {
    let mut map = Map::new();
    for part in parts(kind, body)? {
        let text = |bytes: &[u8]| Value::text(String::from_utf8_lossy(bytes).into_owned());
        let value = match part.file {
            None => text(&part.content),
            Some(file) => Value::Map(Map::from([
                ("name".to_owned(), Value::text(file)),
                ("type".to_owned(), Value::text(part.media)),
                ("content".to_owned(), text(&part.content)),
            ])),
        };
        map.insert(part.name, value);
    }
    Some(Value::Map(map))
}
