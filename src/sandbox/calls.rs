//! The server's half of the calls for one record: get, create, update, delete, and whoami.

use std::sync::Arc;

use super::answer::Answer;
use super::catalogue::Fault;
use super::kinds;
use super::proof::media_type;
use super::query::Query;
use super::route::Route;
use super::stand::Stand;
use crate::http::WireRequest;
use crate::program::expr::Template;
use crate::program::system::{
    CallKind, Encoding, EncodingKind, IdempotencyKey, KeyPlace, NewId, Resource, Whoami,
};
use crate::value::{Map, Path, Value};
use crate::wire;

impl Stand {
    /// A whoami that is no call of a resource: one company, always the same.
    pub(super) fn whoami(&mut self, request: &WireRequest) -> Answer {
        let system = Arc::clone(&self.system);
        let Some(whoami) = &system.whoami else {
            return self.error(404, "there is nothing here", "NotFound");
        };
        if let Err(answer) = self.only(request, &[], &whoami.query) {
            return answer;
        }
        let mut body = Value::Map(Map::new());
        self.company(whoami, &mut body);
        Answer::done(&system, 200, body, &system.encoding)
    }

    /// Says which company this is, where the data file does not.
    fn company(&self, whoami: &Whoami, body: &mut Value) {
        for field in &whoami.fields {
            if let Some(path) = field.as_path()
                && path.get(body).is_none_or(Value::is_empty)
            {
                path.set(body, Value::text(format!("sandbox {}", self.system.name)));
            }
        }
    }

    pub(super) fn get(&mut self, request: &WireRequest, route: &Route, fault: Option<Fault>) -> Answer {
        let resource = &route.resource;
        let Some(call) = &resource.get else { return self.error(405, "it cannot be read", "InvalidRequest") };
        if let Err(answer) = self.only(request, &route.taken, &call.query) {
            return answer;
        }
        let encoded = match self.row(resource, route) {
            Some(row) => self.shown(resource, row, fault),
            None => match self.remains(resource, &route.fields) {
                Some(left) => self.encoded_left(resource, left),
                None if call.empty_is_gone => Value::Null,
                None => return self.missing(resource),
            },
        };
        let mut body = placed(&call.record, encoded);
        if let Some(whoami) = self.system.whoami.as_ref().filter(|whoami| whoami.get == request.url.path()) {
            self.company(whoami, &mut body);
        }
        Answer::done(&self.system, 200, body, &resource.encoding)
    }

    pub(super) fn delete(&mut self, request: &WireRequest, route: &Route) -> Answer {
        let resource = Arc::clone(&route.resource);
        if let Some(call) = &resource.delete
            && let Err(answer) = self.only(request, &route.taken, &call.query)
        {
            return answer;
        }
        let Some(row) = self.row(&resource, route) else { return self.missing(&resource) };
        if let Err(answer) = self.unchanged(request, &resource, CallKind::Delete, row) {
            return answer;
        }
        self.take_away(&resource, row);
        Answer::nothing(&self.system, 204, &resource.encoding)
    }

    pub(super) fn write(&mut self, request: &WireRequest, route: &Route, fault: Option<Fault>) -> Answer {
        let creating = route.call == CallKind::Create;
        let resource = Arc::clone(&route.resource);
        let Some((query, encoding)) = body_of(&resource, route.call) else {
            return self.error(405, "it cannot be written", "InvalidRequest");
        };
        let declared = resource.create.as_ref().filter(|_| creating);
        let declared = declared.and_then(|call| call.idempotency_key.as_ref());
        let mut taken = route.taken.clone();
        if let Some(IdempotencyKey { place: KeyPlace::Query(name), .. }) = declared {
            taken.push(name.clone());
        }
        if let Err(answer) = self.only(request, &taken, query) {
            return answer;
        }
        if let Some(part) = resource.create.as_ref().filter(|_| creating).and_then(|call| call.file.clone()) {
            return self.filed(request, route, &resource, &part, fault);
        }
        let wanted = encoding.content_type();
        let wanted = wanted.split(';').next().unwrap_or_default();
        let patch = encoding.kind == EncodingKind::JsonPatch;
        match media_type(request).as_deref() {
            Some(kind) if kind == wanted || patch && kind == "application/json-patch+json" => {}
            _ => return self.error(415, &format!("the body must be {wanted}"), "InvalidRequest"),
        }
        let kind = super::proof::header(request, "content-type");
        let body = match encoding.read(request.body.as_deref().unwrap_or_default(), kind) {
            Ok(body) => body,
            Err(error) => {
                let problem = format!("the body is no {}: {error}", encoding.format());
                return self.error(400, &problem, "InvalidRequest");
            }
        };
        let (body, key) = match self.known(request, &resource, declared, body, fault) {
            Ok(keyed) => keyed,
            Err(answer) => return answer,
        };
        let row = match creating {
            true => None,
            // the body names the record: it is looked for when the body is read
            false if route.fields.is_empty() && !resource.singleton => None,
            false => match self.row(&resource, route) {
                Some(row) => Some(row),
                None => return self.missing(&resource),
            },
        };
        if creating && let Err(answer) = self.parent_exists(route) {
            return answer;
        }
        if let Some(row) = row
            && let Err(answer) = self.unchanged(request, &resource, route.call, row)
        {
            return answer;
        }
        // of relatives by scope the one is written whose body fits and whose scope holds
        let mut refused: Option<Answer> = None;
        for candidate in self.relatives(&resource) {
            let same_call = candidate.name == resource.name
                || super::route::calls(&candidate).iter().any(|(call, _, path, _)| {
                    *call == route.call
                        && super::route::calls(&resource)
                            .iter()
                            .any(|(own, _, other, _)| own == call && other == path)
                });
            if !same_call {
                continue;
            }
            match self.written(key.as_deref(), route, &candidate, &body, row, &[]) {
                Ok((row, record)) => {
                    self.remember(request, &candidate, key, &record);
                    return self.answered(request, &candidate, creating, row, &record, fault);
                }
                Err(answer) if candidate.name == resource.name || refused.is_none() => refused = Some(answer),
                Err(_) => {}
            }
        }
        refused.unwrap_or_else(|| self.error(400, "the body fits nothing", "InvalidRequest"))
    }

    /// Reads a body as one of this resource, and keeps what it says.
    pub(super) fn written(
        &mut self,
        key: Option<&str>,
        route: &Route,
        resource: &Arc<Resource>,
        body: &Value,
        row: Option<u64>,
        more: &[(Path, Value)],
    ) -> Result<(u64, Value), Answer> {
        let Some((_, encoding)) = body_of(resource, route.call) else {
            return Err(self.error(405, "it cannot be written", "InvalidRequest"));
        };
        let fields = wire::serve::decode_body(&self.system, resource, route.call, encoding, body, self)
            .map_err(|problems| self.error(400, &problems.join("; "), "InvalidParameter"))?;
        let row = match (row, route.call) {
            (None, CallKind::Update) => {
                let key = resource.key.iter().filter_map(|key| {
                    let (_, value) = fields.iter().find(|(path, _)| path == key)?;
                    Some((key.clone(), super::table::index_text(value)?))
                });
                let found = self.table(resource).find(&key.collect::<Vec<_>>());
                Some(found.ok_or_else(|| self.missing(resource))?)
            }
            (row, _) => row,
        };
        let mut record = row.and_then(|row| self.table(resource).get(row).cloned()).unwrap_or_default();
        if row.is_none() {
            record = Value::Map(Map::new());
            // what stands in the path of a create belongs to the record
            for (field, text) in &route.fields {
                field.set(&mut record, kinds::of_text(resource, field, text));
            }
        }
        for (path, value) in fields {
            let in_path = route.fields.iter().find(|(field, _)| row.is_none() && *field == path);
            if let Some((_, text)) = in_path
                && super::table::index_text(&value).as_ref() != Some(text)
            {
                let problem = format!("{path} is {text} in the address and {value} in the body");
                return Err(self.error(400, &problem, "InvalidParameter"));
            }
            path.set(&mut record, value);
        }
        for (path, value) in more {
            path.set(&mut record, value.clone());
        }
        let own = resource.create.as_ref().and_then(|call| call.idempotency_key.as_ref());
        if let (Some(key), true, [field]) = (key, own.is_some_and(|own| own.exists), &resource.key[..]) {
            field.set(&mut record, Value::text(key));
        }
        self.keep(resource, record, row).map_err(|problems| {
            let status = problems.iter().map(|problem| problem.status).min().unwrap_or(400);
            let text: Vec<String> = problems.into_iter().map(|problem| problem.text).collect();
            self.error(status, &text.join("; "), "InvalidOperation")
        })
    }

    pub(super) fn answered(
        &self,
        request: &WireRequest,
        resource: &Arc<Resource>,
        creating: bool,
        row: u64,
        record: &Value,
        fault: Option<Fault>,
    ) -> Answer {
        if !creating {
            return match resource.update.as_ref().and_then(|call| call.record.as_ref()) {
                Some(path) => {
                    let body = placed(path, self.shown(resource, row, fault));
                    Answer::done(&self.system, 200, body, &resource.encoding)
                }
                None => Answer::nothing(&self.system, 204, &resource.encoding),
            };
        }
        let Some(call) = &resource.create else { return Answer::empty(201) };
        let encoding = &call.encoding;
        if fault == Some(Fault::NoId) {
            return match (&call.id, &call.record) {
                (NewId::Body(_), _) | (_, Some(_)) => {
                    Answer::done(&self.system, 201, Value::Map(Map::new()), encoding)
                }
                _ => Answer::nothing(&self.system, 201, encoding),
            };
        }
        let told = match fault {
            Some(Fault::OtherRecord) => {
                self.another(resource, row).and_then(|row| self.table(resource).get(row))
            }
            _ => None,
        };
        let told = told.unwrap_or(record);
        let key = resource.key_of(told).unwrap_or_default();
        let mut body = call.record.as_ref().map(|path| placed(path, self.shown(resource, row, fault)));
        if let NewId::Body(path) = &call.id
            && let Some(path) = path.as_path()
            && body.as_ref().and_then(|body| path.get(body)).is_none_or(Value::is_empty)
        {
            let body = body.get_or_insert_with(|| Value::Map(Map::new()));
            let field = resource.key.first().and_then(|field| field.get(told)).cloned();
            path.set(body, field.unwrap_or_else(|| Value::text(key.clone())));
        }
        let answer = match body {
            Some(body) => Answer::done(&self.system, 201, body, encoding),
            None => Answer::nothing(&self.system, 201, encoding),
        };
        match &call.id {
            NewId::Header { name, last_segment: true } => {
                let escaped = percent_encoding::utf8_percent_encode(&key, percent_encoding::NON_ALPHANUMERIC);
                let origin = request.url.origin().ascii_serialization();
                answer.header(name, format!("{origin}{}/{escaped}", resource.path))
            }
            NewId::Header { name, last_segment: false } => answer.header(name, key),
            NewId::Body(_) | NewId::Given => answer,
        }
    }

    /// A record as the system shows it; another one where that is the fault.
    fn shown(&self, resource: &Resource, row: u64, fault: Option<Fault>) -> Value {
        let row = match fault {
            Some(Fault::OtherRecord) => self.another(resource, row).unwrap_or(row),
            _ => row,
        };
        match self.table(resource).get(row) {
            Some(record) => self.encoded(resource, record),
            None => match self.table(resource).left().get(&row) {
                Some(left) => self.encoded_left(resource, left),
                None => Value::Null,
            },
        }
    }

    /// A record on the wire: with the members of every relative it is one of.
    pub(super) fn encoded(&self, resource: &Resource, record: &Value) -> Value {
        let mut out = wire::serve::encode_answer(&self.system, resource, record, self);
        for relative in self.relatives(resource) {
            if relative.name != resource.name && within(&relative, record) {
                merge(&mut out, wire::serve::encode_answer(&self.system, &relative, record, self));
            }
        }
        out
    }

    fn another(&self, resource: &Resource, row: u64) -> Option<u64> {
        self.table(resource).iter().map(|(other, _)| other).find(|other| *other != row)
    }

    /// The record that a path names.
    pub(super) fn row(&self, resource: &Resource, route: &Route) -> Option<u64> {
        let table = self.table(resource);
        if route.fields.is_empty() && resource.singleton {
            return table.iter().next().map(|(row, _)| row);
        }
        table.find(&route.fields)
    }

    /// What stands in a path and is the key of another record must be there.
    pub(super) fn parent_exists(&self, route: &Route) -> Result<(), Answer> {
        for (field, text) in &route.fields {
            let reference = route.resource.field_at(field).and_then(|(field, _)| field.reference.as_ref());
            if let Some(reference) = reference
                && let Some(parent) = self.system.resources.get(&reference.resource)
                && self.table(parent).with(&reference.field, text).is_empty()
            {
                return Err(self.missing(parent));
            }
        }
        Ok(())
    }

    pub(super) fn missing(&self, resource: &Resource) -> Answer {
        self.error(404, &format!("there is no such {}", resource.name), "NotFound")
    }

    /// Only the declared query, all of it, and no body in a read.
    pub(super) fn only(
        &self,
        request: &WireRequest,
        taken: &[String],
        declared: &[(String, Template)],
    ) -> Result<(), Answer> {
        let refuse = |problem: String| self.error(400, &problem, "InvalidParameter");
        let mut query = Query::of(request).map_err(refuse)?.without(taken);
        query.constants(declared).map_err(refuse)?;
        query.nothing_left().map_err(refuse)
    }
}

fn body_of(resource: &Resource, call: CallKind) -> Option<(&[(String, Template)], &Encoding)> {
    match call {
        CallKind::Create => resource.create.as_ref().map(|call| (&call.query[..], &call.encoding)),
        CallKind::Update => resource.update.as_ref().map(|call| (&call.query[..], &call.encoding)),
        CallKind::List
        | CallKind::Get
        | CallKind::Delete
        | CallKind::Action
        | CallKind::File
        | CallKind::Attach => None,
    }
}

/// Whether a record is one of this resource.
pub(super) fn within(resource: &Resource, record: &Value) -> bool {
    resource.scope.as_ref().is_none_or(|scope| scope.holds(record).unwrap_or(false))
}

/// Members that are not there yet.
pub(super) fn merge(into: &mut Value, more: Value) {
    match (into, more) {
        (Value::Map(into), Value::Map(more)) => {
            for (name, value) in more {
                merge(into.entry(name).or_insert(Value::Null), value);
            }
        }
        (into @ Value::Null, more) => *into = more,
        _ => {}
    }
}

/// A record at its place in an answer: `[0]` is a list of one.
fn placed(path: &Path, record: Value) -> Value {
    if path.is_root() {
        return record;
    }
    let mut body = Value::Null;
    path.set(&mut body, record);
    body
}
