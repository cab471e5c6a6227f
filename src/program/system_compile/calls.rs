//! The calls of a resource: list, get, create, update, delete.

use indexmap::IndexMap;

use super::address::plain_path;
use super::encoding::encoding;
use super::findings::Findings;
use super::links::field_of;
use super::pagers::whole;
use super::shape::Shape;
use super::templates::{Use, path, path_template, queries, query};
use crate::diagnostic::{At, codes};
use crate::program::expr::{Scope, Template};
use crate::program::system::{
    CreateCall, DeleteCall, Encoding, EncodingKind, FetchCall, ListCall, NewId, PagedBy, Pager, Paging,
    PathTemplate, Piece, ReadCall, UpdateCall,
};
use crate::program::types::Type;
use crate::spec::short::OrNone;
use crate::spec::short::Paths;
use crate::spec::system as spec;
use crate::spec::yaml::Table;
use crate::value::{Path, Query, nested};

/// Compiles the calls of one resource.
pub(super) struct Calls<'a> {
    /// The resource.
    pub shape: &'a Shape<'a>,
    /// The pagers by name.
    pub pagers: &'a IndexMap<String, Pager>,
    /// What templates may use.
    pub scope: &'a Scope,
    /// The resource's own encoding.
    pub encoding: &'a Encoding,
}

impl Calls<'_> {
    fn template(&self, text: &At<String>, what: Use, found: &mut Findings) -> PathTemplate {
        path_template(text, self.shape.spec.path.as_ref(), self.shape, what, found)
    }

    /// The path of a call, or `{path}` where it says none.
    fn path_or_own(
        &self,
        call: &str,
        text: Option<&At<String>>,
        what: Use,
        found: &mut Findings,
    ) -> Option<PathTemplate> {
        match text.or(self.shape.spec.path.as_ref()) {
            Some(text) => Some(self.template(text, what, found)),
            None => {
                found.error_help(
                    &codes::WORD_MISSING,
                    self.shape.name.span,
                    format!("nothing says where `{call}` goes"),
                    "give the resource a `path`, or write the call's own",
                );
                None
            }
        }
    }

    fn query(&self, table: &Table<Paths>, found: &mut Findings) -> Vec<(String, Template)> {
        queries(table, self.scope, found)
    }

    /// Reads many: `GET {path}` where nothing else is said.
    pub(super) fn list(&self, found: &mut Findings) -> Option<ListCall> {
        let spec = self.shape.spec;
        let nothing = spec::ListCall::default();
        let written = match &spec.list {
            Some(OrNone::None) => return None,
            Some(OrNone::Some(call)) => call,
            None if spec.path.is_none() => return None,
            None => &nothing,
        };
        if let (Some(list), Some(own)) = (&written.pager, &spec.pager)
            && list.value != own.value
        {
            found.add(
                crate::diagnostic::Diagnostic::error(
                    &codes::CONTRADICTION,
                    own.span,
                    format!("two pagers: `{}` here and `{}` at `list`", own.value, list.value),
                )
                .label(list.span, "the other one")
                .help("keep one of them; in `defaults`, write `pager` beside `list`, so that a resource can replace it"),
            );
        }
        let mut pager = whole();
        if let Some(name) = written.pager.as_ref().or(spec.pager.as_ref()) {
            match self.pagers.get(&name.value) {
                Some(known) => pager = known.clone(),
                None => {
                    let known = self.pagers.keys().map(String::as_str);
                    found.unknown(&codes::UNKNOWN_PAGER, name, "pager", known);
                }
            }
        }
        if let Some(records) = &written.records {
            pager.records = path(records, found);
        }
        let inside = pager.records.as_ref().is_some_and(|records| nested(records).is_some());
        if inside != written.around.is_some() {
            let place = written.records.as_ref().map_or(self.shape.name.span, |records| records.span);
            let (message, help) = match inside {
                true => (
                    "these records stand inside other rows",
                    "write `around: heading`, a name for the row around each of them",
                ),
                false => (
                    "no row is around these records",
                    "leave `around` out, or write `records: rows[*].records`",
                ),
            };
            found.error_help(&codes::CONTRADICTION, place, message, help);
        }
        let paged_by = written.paged_by.as_ref().and_then(|name| self.paged_by(name, written, &pager, found));
        if let (Some(absent), Some(OrNone::Some(_))) = (&written.absent, &spec.get) {
            found.error_help(
                &codes::CONTRADICTION,
                absent.span,
                "a record that the list does not have is asked for by `get`",
                "leave `absent` out; it is for a resource that cannot be read one by one",
            );
        }
        Some(ListCall {
            paged_by,
            around: written.around.clone().filter(|_| inside),
            path: self.path_or_own("list", written.get.as_ref(), Use::List, found)?,
            query: self.query(&written.query, found),
            pager,
            then: written.then.as_ref().and_then(|then| self.fetch(then, found)),
            absent_is_gone: written.absent.is_some(),
        })
    }

    /// The list field that page borders may cut.
    fn paged_by(
        &self,
        name: &At<String>,
        written: &spec::ListCall,
        pager: &Pager,
        found: &mut Findings,
    ) -> Option<PagedBy> {
        let (path, field) = field_of(self.shape, name, found)?;
        // after so many records, or after a key, the rest of a record that was cut would be passed over
        if !matches!(pager.kind, Paging::Page { .. } | Paging::NextToken { .. } | Paging::Link { .. }) {
            found.error_help(
                &codes::CONTRADICTION,
                name.span,
                "this way of paging does not go on inside a record",
                "`paged_by` is for pagers of the kinds page, next_token and link",
            );
        }
        if pager.total.is_some() || pager.total_header.is_some() {
            found.error_help(
                &codes::CONTRADICTION,
                name.span,
                "a total of records or of their items: nothing says which",
                "name a pager without `total`: it reads until a page is empty, or names no next one",
            );
        }
        if written.then.is_some() {
            found.error_help(
                &codes::CONTRADICTION,
                name.span,
                "this list tells keys only, which no page border cuts",
                "leave `paged_by` out",
            );
        }
        let list = field.read.as_ref().and_then(Query::as_path);
        let key = field.key.as_ref().and_then(|key| field.fields.iter().find(|one| one.name == *key));
        match (list, key.and_then(|key| key.read.clone())) {
            (Some(list), Some(key)) if matches!(field.ty, Type::List(_)) => {
                Some(PagedBy { field: path, list: list.clone(), key })
            }
            _ => {
                found.error_help(
                    &codes::WRONG_KIND,
                    name.span,
                    format!("`{}` is no list that is read and whose items have a key", name.value),
                    "name a field of type list, and give it a `key`: an item that two pages hold counts once",
                );
                None
            }
        }
    }

    /// Fetches what a list gave the keys of.
    fn fetch(&self, written: &spec::FetchCall, found: &mut Findings) -> Option<FetchCall> {
        if written.at_most.value == 0 {
            found.error_help(
                &codes::CONTRADICTION,
                written.at_most.span,
                "no keys at once is no request",
                "write how many keys one request may hold",
            );
        }
        if written.records.is_empty() {
            found.error_help(
                &codes::WORD_MISSING,
                written.get.span,
                "nothing says where the records are in the answer",
                "write `records`: a path, or more of which the first that is there counts; `$` is the answer itself",
            );
        }
        Some(FetchCall {
            path: PathTemplate { pieces: vec![Piece::Text(plain_path(&written.get, found))] },
            query: self.query(&written.query, found),
            key: query(&written.key, found)?,
            param: written.param.clone(),
            join: written.join.clone().unwrap_or_else(|| ",".to_owned()),
            at_most: written.at_most.value as usize,
            records: written.records.iter().filter_map(|text| path(text, found)).collect(),
        })
    }

    /// Reads one; the one record there is, for a singleton.
    pub(super) fn get(&self, found: &mut Findings) -> Option<ReadCall> {
        let spec = self.shape.spec;
        let nothing = spec::GetCall::default();
        let written = match &spec.get {
            Some(OrNone::None) => return None,
            Some(OrNone::Some(call)) => &call.0,
            None if spec.singleton == Some(true) && spec.path.is_some() => &nothing,
            None => return None,
        };
        let record = match &written.record {
            Some(text) => path(text, found).unwrap_or_default(),
            None => Path::root(),
        };
        if let Some(empty) = &written.empty
            && record.is_root()
        {
            found.error_help(
                &codes::CONTRADICTION,
                empty.span,
                "an answer that is empty as a whole says nothing: a server that fails gives one, too",
                "write `record`, the path of the record in the answer, or leave `empty` out",
            );
        }
        Some(ReadCall {
            empty_is_gone: written.empty.is_some(),
            path: self.path_or_own("get", written.get.as_ref(), Use::One, found)?,
            query: self.query(&written.query, found),
            record,
        })
    }

    /// Makes one.
    pub(super) fn create(&self, has_get: bool, found: &mut Findings) -> Option<CreateCall> {
        let written = self.shape.spec.create.as_ref()?.as_option()?;
        let encoding = encoding(written.encoding.as_ref(), self.encoding, found);
        if encoding.kind == EncodingKind::JsonPatch {
            let given = written.encoding.as_ref().or(self.shape.spec.encoding.as_ref());
            let place = given.map_or(self.shape.name.span, |given| given.span);
            found.error_help(
                &codes::BAD_ENCODING,
                place,
                "a JSON Patch changes a record, it cannot make one",
                "write `encoding: { kind: json_patch }` at `update` only",
            );
        }
        let record = written.record.as_ref().and_then(|text| path(text, found));
        let file = match &written.file {
            Some(file) => super::idempotency::file(self.shape, file, &encoding, found),
            None => None,
        };
        Some(CreateCall {
            path: self.path_or_own("create", written.post.as_ref(), Use::Create, found)?,
            query: self.query(&written.query, found),
            id: self.new_id(written, record.as_ref(), found)?,
            record,
            encoding,
            idempotency_key: match &written.idempotency_key {
                Some(key) => Some(super::idempotency::key(self.shape, key, file.as_ref(), has_get, found)?),
                None => None,
            },
            file,
            accepted: match &written.accepted {
                Some(accepted) => Some(super::actions::accepted(accepted, found)?),
                None => None,
            },
        })
    }

    fn new_id(
        &self,
        written: &spec::CreateCall,
        record: Option<&Path>,
        found: &mut Findings,
    ) -> Option<NewId> {
        let Some(id) = &written.id else { return self.known_id(record, found) };
        match (&id.body, &id.header) {
            (Some(body), None) if !id.last_segment => query(body, found).map(NewId::Body),
            (None, Some(name)) => Some(NewId::Header { name: name.clone(), last_segment: id.last_segment }),
            (Some(body), _) => {
                found.error_help(
                    &codes::CREATE_WITHOUT_ID,
                    body.span,
                    "the new key comes from one place",
                    "say either its path in the `body`, or `{ header: Location, last_segment: true }`",
                );
                None
            }
            (None, None) => self.known_id(record, found),
        }
    }

    /// Where the new key is when nothing says so: in the whole record that is answered, or it was given.
    fn known_id(&self, record: Option<&Path>, found: &mut Findings) -> Option<NewId> {
        let shape = self.shape;
        if shape.key.is_empty() && shape.spec.access == Some(spec::Access::WriteOnly) {
            return Some(NewId::Given);
        }
        if shape.key_is_wrong || (shape.key.is_empty() && shape.spec.singleton != Some(true)) {
            return None;
        }
        let keys =
            shape.key.iter().filter_map(|key| Some(shape.field(&key.to_string())?.1)).collect::<Vec<_>>();
        if let (Some(record), [key]) = (record, &keys[..])
            && let Some(Query::Path(read)) = &key.read
        {
            return Some(NewId::Body(Query::Path(record.join(read))));
        }
        if keys.iter().all(|key| key.required && !key.read_only) {
            return Some(NewId::Given);
        }
        found.error_help(
            &codes::CREATE_WITHOUT_ID,
            shape.name.span,
            "nothing says where a new record's key is",
            "write `id` at `create`: a path in the answer, or `{ header: Location, last_segment: true }`; or mark the key `required` where the mapping gives it",
        );
        None
    }

    /// Changes one.
    pub(super) fn update(&self, found: &mut Findings) -> Option<UpdateCall> {
        let written = self.shape.spec.update.as_ref()?.as_option()?;
        let given = [("PATCH", &written.patch), ("PUT", &written.put), ("POST", &written.post)];
        let given = given.into_iter().filter_map(|(method, text)| Some((method, text.as_ref()?)));
        let given = given.collect::<Vec<_>>();
        let (method, text) = match &given[..] {
            [one] => *one,
            [] => {
                found.error_help(
                    &codes::UPDATE_METHOD,
                    self.shape.name.span,
                    "nothing says how a record is updated",
                    "write `update: { patch: \"{path}/{key}\" }`, or `put`, or `post`",
                );
                return None;
            }
            [(one, _), (other, text), ..] => {
                found.error_help(
                    &codes::UPDATE_METHOD,
                    text.span,
                    format!("an update is either a {one} or a {other}"),
                    format!(
                        "keep one; one that `defaults` gave is taken away with `{}: null`",
                        one.to_lowercase()
                    ),
                );
                return None;
            }
        };
        Some(UpdateCall {
            method,
            path: self.template(text, Use::One, found),
            query: self.query(&written.query, found),
            send: written.send.unwrap_or_default(),
            record: written.record.as_ref().and_then(|text| path(text, found)),
            if_match: self.version(written.if_match.as_ref(), found),
            encoding: encoding(written.encoding.as_ref(), self.encoding, found),
        })
    }

    /// The field that tells a record's version. It is sent back as it came, so that it is nothing that is read and written in
    /// two spellings.
    fn version(&self, name: Option<&At<String>>, found: &mut Findings) -> Option<Path> {
        let name = name?;
        let (path, field) = field_of(self.shape, name, found)?;
        let help = match field.ty {
            Type::Text | Type::Id | Type::Integer | Type::Any => None,
            _ => Some("name a field of type text or integer; two fields may `read` one place"),
        };
        if let Some(help) = help {
            let message = format!("a version is sent back as it came, and `{}` is {}", name.value, field.ty);
            found.error_help(&codes::WRONG_KIND, name.span, message, help);
        } else if field.write_only {
            let message = format!("`{}` cannot be read", name.value);
            found.error_help(&codes::WRONG_KIND, name.span, message, "name a field that answers hold");
        }
        Some(path)
    }

    /// Removes one.
    pub(super) fn delete(&self, found: &mut Findings) -> Option<DeleteCall> {
        let written = self.shape.spec.delete.as_ref()?.as_option()?;
        Some(DeleteCall {
            path: self.path_or_own("delete", written.delete.as_ref(), Use::One, found)?,
            query: self.query(&written.query, found),
            if_match: self.version(written.if_match.as_ref(), found),
        })
    }
}
