//! The server's half of creates that are known again by a key, and of those that are made of a file.

use std::sync::Arc;

use sha2::{Digest, Sha256};

use super::answer::Answer;
use super::catalogue::Fault;
use super::files::{form, parts};
use super::kinds;
use super::proof::header;
use super::query::Query;
use super::route::Route;
use super::stand::Stand;
use crate::http::WireRequest;
use crate::plan::change::hex;
use crate::program::files::MadeOf;
use crate::program::system::{IdempotencyKey, KeyPlace, Resource};
use crate::value::{Map, Path, Value};

impl Stand {
    /// The body without the key, and the key. A key that is known is answered at once: nothing is made a second time.
    pub(super) fn known(
        &mut self,
        request: &WireRequest,
        resource: &Arc<Resource>,
        declared: Option<&IdempotencyKey>,
        mut body: Value,
        fault: Option<Fault>,
    ) -> Result<(Value, Option<String>), Answer> {
        let Some(declared) = declared else { return Ok((body, None)) };
        let key = match &declared.place {
            KeyPlace::Header(name) => header(request, name).map(str::to_owned),
            KeyPlace::Query(name) => Query::of(request).ok().and_then(|mut query| query.take(name)),
            KeyPlace::Field(path) => {
                let key = path.get(&body).and_then(Value::scalar_text);
                path.remove(&mut body);
                key
            }
        };
        let Some(key) = key.filter(|key| !key.is_empty()) else { return Ok((body, None)) };
        let Some((id, hash)) = self.keys.get(&(resource.name.clone(), key.clone())).cloned() else {
            return Ok((body, Some(key)));
        };
        let table = self.table(resource);
        let found = table.by_id(&id).and_then(|row| Some((row, table.get(row)?.clone())));
        if !declared.exists && hash != hash_of(request) {
            return Err(self.error(422, "this key was sent with another body before", "InvalidParameter"));
        }
        Err(match (declared.exists, found) {
            (false, Some((row, record))) => self.answered(request, resource, true, row, &record, fault),
            _ => self.error(409, "there is such a record already", "AlreadyExists"),
        })
    }

    /// The key is known from now on.
    pub(super) fn remember(
        &mut self,
        request: &WireRequest,
        resource: &Resource,
        key: Option<String>,
        record: &Value,
    ) {
        if let (Some(key), Some(id)) = (key, super::table::id_for(resource, record)) {
            self.keys.insert((resource.name.clone(), key), (id, hash_of(request)));
        }
    }

    /// A record that is made of a file: the other parts of the form are its fields.
    pub(super) fn filed(
        &mut self,
        request: &WireRequest,
        route: &Route,
        resource: &Arc<Resource>,
        made_of: &MadeOf,
        fault: Option<Fault>,
    ) -> Answer {
        let field = made_of.part.as_str();
        let kind = header(request, "content-type").unwrap_or_default().to_owned();
        let sent = request.body.clone().unwrap_or_default();
        let Some((all, Some(Value::Map(texts)))) = parts(&kind, &sent).map(|all| (all, form(&kind, &sent)))
        else {
            return self.error(415, "the body must be multipart/form-data", "InvalidRequest");
        };
        let Some((name, file)) =
            all.into_iter().find(|part| part.name == field).and_then(|part| Some((part.file.clone()?, part)))
        else {
            return self.error(
                400,
                &format!("the part `{field}` with a file name is missing"),
                "InvalidRequest",
            );
        };
        let of_wire = |name: &str| {
            let place = Path::key(name);
            resource.fields.iter().find(|one| one.write.as_ref() == Some(&place)).map(|one| one.name.clone())
        };
        let body: Map = texts
            .into_iter()
            .filter(|(name, _)| name != field)
            .map(|(name, value)| match (of_wire(&name), value.as_text()) {
                (Some(own), Some(text)) => (name, kinds::of_text(resource, &own, text)),
                _ => (name, value),
            })
            .collect();
        let declared = resource.create.as_ref().and_then(|call| call.idempotency_key.as_ref());
        let (body, key) = match self.known(request, resource, declared, Value::Map(body), fault) {
            Ok(keyed) => keyed,
            Err(answer) => return answer,
        };
        if let Err(answer) = self.parent_exists(route) {
            return answer;
        }
        let told = [("name", &name), ("type", &file.media)];
        let told: Map = told.map(|(name, text)| (name.to_owned(), Value::text(text.clone()))).into();
        let root = Value::Map(Map::from([("file".to_owned(), Value::Map(told))]));
        let read: Vec<(Path, Value)> = made_of
            .sandbox
            .iter()
            .map(|(at, text)| {
                let text = text.render(&root).unwrap_or_default();
                (at.clone(), kinds::of_text(resource, at, &text))
            })
            .collect();
        match self.written(key.as_deref(), route, resource, &body, None, &read) {
            Ok((row, record)) => {
                self.remember(request, resource, key, &record);
                let id = resource.key_of(&record).unwrap_or_default();
                self.add_file(&resource.name, &id, "create", &name, &file.media, file.content);
                self.answered(request, resource, true, row, &record, fault)
            }
            Err(answer) => answer,
        }
    }
}

fn hash_of(request: &WireRequest) -> String {
    hex(&Sha256::digest(request.body.as_deref().unwrap_or_default()))
}
