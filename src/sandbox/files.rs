//! The server's half of files: lists, contents, uploads.

use std::sync::Arc;

use bytes::Bytes;

use super::answer::Answer;
use super::proof::media_type;
use super::query::Query;
use super::route::Route;
use super::stand::Stand;
use crate::http::WireRequest;
use crate::program::files::{FILE, Files, Which};
use crate::program::system::{Pager, Resource};
use crate::value::{Map, Path, Value};

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
            return list_of(files, &self.files(&resource.name, &id, name));
        }
        match (&files.which, wanted) {
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
                let all =
                    self.stored.iter().filter(|((of, _, list), _)| *of == resource.name && list == name);
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
        let body = request.body.clone().unwrap_or_default();
        let kind = request.headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("content-type"));
        let kind = kind.map(|(_, kind)| kind.as_str()).unwrap_or_default();
        let sent = match &attach.field {
            Some(field) => parts(kind, &body).and_then(|parts| {
                let part = parts.into_iter().find(|part| part.name == *field)?;
                Some((part.file?, part.media, part.content))
            }),
            None => {
                let name = attach.query.first().and_then(|(name, _)| Query::of(request).ok()?.take(name));
                let media = media_type(request);
                name.zip(media).map(|(name, media)| (name, media, body))
            }
        };
        let Some((name, media, content)) = sent else {
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

    fn id_at(&self, resource: &Resource, row: u64) -> String {
        self.table(resource).get(row).and_then(|record| resource.key_of(record)).unwrap_or_default()
    }
}

fn content(media: &str, body: Bytes) -> Answer {
    Answer { status: 200, headers: vec![("content-type".into(), media.to_owned())], body }
}

fn list_of(files: &Files, all: &[Stored]) -> Answer {
    let Which::Listed { id, name, media, pager, .. } = &files.which else { return Answer::empty(404) };
    let items = all.iter().map(|file| {
        let mut item = Value::Map(Map::new());
        for (at, text) in [(Some(id), &file.id), (Some(name), &file.name), (media.as_ref(), &file.media)] {
            if let Some(path) = at.and_then(crate::value::Query::as_path) {
                path.set(&mut item, Value::text(text.clone()));
            }
        }
        item
    });
    let items = Value::List(items.collect());
    let Pager { records, .. } = &**pager;
    match records {
        Some(path) if !path.is_root() => {
            let mut body = Value::Map(Map::new());
            path.set(&mut body, items);
            Answer::json(200, &body)
        }
        _ => Answer::json(200, &items),
    }
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
