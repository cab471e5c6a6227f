//! One system's stand-in: a request in, an answer out, everything by the system file.

use std::collections::BTreeMap;
use std::sync::Arc;

use indexmap::IndexMap;

use super::answer::Answer;
use super::fault::{Fault, Faults};
use super::proof::Proof;
use super::route::{Route, Routed, route};
use super::table::Table;
use crate::http::{WireRequest, WireResponse};
use crate::plan::translate::normal;
use crate::program::mapping::Compare;
use crate::program::system::{CallKind, Encoding, Lookup, NewId, Paging, Resource, System};
use crate::value::{Map, Path, Segment, Value, from_json_slice};
use crate::wire::{self, LookupProblem, Lookups};

/// What becomes of a request.
#[derive(Clone, Debug)]
pub enum Outcome {
    /// It is answered.
    Answer(WireResponse),
    /// The connection is refused.
    Refused,
    /// The connection ends without an answer.
    Closed,
    /// Nothing comes any more.
    Silence,
    /// The answer ends in the middle.
    Cut(WireResponse),
}

/// A write that was asked for.
#[derive(Clone, Debug, PartialEq)]
pub struct LoggedWrite {
    /// `POST` …
    pub method: String,
    /// The path with its query.
    pub path: String,
    /// The body.
    pub body: Value,
    /// What was answered.
    pub status: u16,
}

/// The largest page that is given, whatever is asked for.
const LARGEST_PAGE: usize = 1000;

/// A stand-in of one system.
pub struct Stand {
    pub(super) system: Arc<System>,
    pub(super) tables: IndexMap<String, Table>,
    pub(super) now_ms: i64,
    pub(super) made: u64,
    proof: Proof,
    /// What goes wrong.
    pub faults: Faults,
    log: Vec<LoggedWrite>,
    reads: u64,
    last_page: Option<Answer>,
}

impl Stand {
    pub(super) fn bare(system: Arc<System>, credentials: &BTreeMap<String, String>, now_ms: i64) -> Stand {
        Stand {
            tables: system.resources.keys().map(|name| (name.clone(), Table::default())).collect(),
            system,
            now_ms,
            made: 0,
            proof: Proof::new(credentials),
            faults: Faults::default(),
            log: Vec::new(),
            reads: 0,
            last_page: None,
        }
    }

    /// The system it stands for.
    pub fn system(&self) -> &Arc<System> {
        &self.system
    }

    /// Every write that was asked for, in order.
    pub fn log(&self) -> &[LoggedWrite] {
        &self.log
    }

    /// Forgets what was asked for.
    pub fn clear_log(&mut self) {
        self.log.clear();
    }

    /// How many reads there were.
    pub fn reads(&self) -> u64 {
        self.reads
    }

    /// Answers one request.
    pub fn handle(&mut self, request: &WireRequest) -> Outcome {
        self.now_ms += 1000;
        let now_ms = self.now_ms;
        if let Some(answer) = self.proof.token(&Arc::clone(&self.system), request, now_ms) {
            return Outcome::Answer(answer.response(now_ms));
        }
        let routed = route(&self.system, &request.method, request.url.path());
        let fault = match &routed {
            Routed::Call(found) => self.faults.next(found.call, &found.resource.name),
            _ => None,
        };
        match fault {
            Some(Fault::Refused) => return Outcome::Refused,
            Some(Fault::CloseBefore) => return Outcome::Closed,
            Some(Fault::TimeoutBefore) => return Outcome::Silence,
            Some(Fault::ExpiredToken) => self.proof.expire(),
            _ => {}
        }
        let answer = self.answer(request, routed, fault);
        let is_write = request.method != "GET";
        if is_write {
            let body = request
                .body
                .as_deref()
                .map(|bytes| from_json_slice(bytes).unwrap_or_default())
                .unwrap_or_default();
            let path = match request.url.query() {
                Some(query) => format!("{}?{query}", request.url.path()),
                None => request.url.path().to_owned(),
            };
            self.log.push(LoggedWrite { method: request.method.clone(), path, body, status: answer.status });
        } else {
            self.reads += 1;
        }
        let response = answer.response(now_ms);
        match fault {
            Some(Fault::TimeoutAfterCommit) => Outcome::Silence,
            Some(Fault::CloseAfter) => Outcome::Closed,
            Some(Fault::CutBody) => Outcome::Cut(response),
            _ => Outcome::Answer(response),
        }
    }

    fn answer(&mut self, request: &WireRequest, routed: Routed, fault: Option<Fault>) -> Answer {
        if !self.proof.holds(&self.system, request, self.now_ms) {
            return self.error(401, "you are not signed in", "AuthenticationRequired");
        }
        match fault {
            Some(Fault::TooMany) => {
                return Answer::plain(429, "too many requests").header("retry-after", "1");
            }
            Some(Fault::Unavailable) => return Answer::plain(503, "unavailable").header("retry-after", "1"),
            Some(Fault::ErrorBefore) => return Answer::plain(500, "internal error"),
            Some(Fault::Changed) => return self.error(412, "it was changed meanwhile", "Changed"),
            _ => {}
        }
        let answer = match routed {
            Routed::Call(found) => self.call(request, &found, fault),
            Routed::OtherMethod => self.error(405, "this method is not allowed here", "InvalidRequest"),
            Routed::Nothing => {
                self.whoami(request).unwrap_or_else(|| self.error(404, "there is nothing here", "NotFound"))
            }
        };
        match fault {
            Some(Fault::Html) => Answer {
                headers: vec![("content-type".into(), "text/html".into())],
                body: "<html>Sign in</html>".into(),
                status: 200,
            },
            Some(Fault::Empty) => Answer::empty(200),
            Some(Fault::ErrorAfter) => Answer::plain(500, "internal error"),
            Some(Fault::GatewayAfter) => Answer::plain(502, "bad gateway"),
            _ => answer,
        }
    }

    pub(super) fn error(&self, status: u16, message: &str, kind: &str) -> Answer {
        Answer::error(&self.system.errors, status, message, kind)
    }

    /// A whoami that is no call of a resource: one company, always the same.
    fn whoami(&self, request: &WireRequest) -> Option<Answer> {
        let whoami = self.system.whoami.as_ref()?;
        if request.method != "GET" || request.url.path() != whoami.get {
            return None;
        }
        let mut body = Value::Null;
        self.company(whoami, &mut body);
        Some(Answer::json(200, &body))
    }

    fn call(&mut self, request: &WireRequest, route: &Route, fault: Option<Fault>) -> Answer {
        match route.call {
            CallKind::List => self.list(request, route, fault),
            CallKind::Get => self.get(request, route),
            CallKind::Create | CallKind::Update => self.write(request, route),
            CallKind::Delete => self.delete(request, route),
        }
    }

    fn get(&mut self, request: &WireRequest, route: &Route) -> Answer {
        let resource = &route.resource;
        let Some(call) = &resource.get else { return self.error(405, "it cannot be read", "InvalidRequest") };
        if let Some(problem) = unknown_query(request, &call.query, &[]) {
            return self.error(400, &problem, "InvalidParameter");
        }
        let table = &self.tables[&resource.name];
        let record = if resource.singleton && route.fields.is_empty() {
            table.iter().next().map(|(_, record)| record)
        } else {
            table.find(resource, &route.fields).and_then(|id| table.get(&id))
        };
        let Some(record) = record else {
            return self.error(404, &format!("there is no such {}", resource.name), "NotFound");
        };
        let encoded = wire::serve::encode_answer(&self.system, resource, record, self);
        let mut body = placed(&call.record, encoded);
        if let Some(whoami) = self.system.whoami.as_ref().filter(|whoami| whoami.get == request.url.path()) {
            self.company(whoami, &mut body);
        }
        Answer::json(200, &body)
    }

    /// Says which company this is, where the data file does not.
    fn company(&self, whoami: &crate::program::system::Whoami, body: &mut Value) {
        for field in &whoami.fields {
            if let Some(path) = field.as_path()
                && path.get(body).is_none_or(Value::is_empty)
            {
                path.set(body, Value::text(format!("sandbox {}", self.system.name)));
            }
        }
    }

    fn delete(&mut self, request: &WireRequest, route: &Route) -> Answer {
        let resource = Arc::clone(&route.resource);
        if let Some(call) = &resource.delete
            && let Some(problem) = unknown_query(request, &call.query, &[])
        {
            return self.error(400, &problem, "InvalidParameter");
        }
        let Some(id) = self.tables[&resource.name].find(&resource, &route.fields) else {
            return self.error(404, &format!("there is no such {}", resource.name), "NotFound");
        };
        self.tables[&resource.name].remove(&resource, &id);
        Answer::empty(204)
    }

    fn write(&mut self, request: &WireRequest, route: &Route) -> Answer {
        let resource = Arc::clone(&route.resource);
        let creating = route.call == CallKind::Create;
        let (query, encoding): (_, Encoding) = match (&resource.create, &resource.update) {
            (Some(call), _) if creating => (&call.query, call.encoding.clone()),
            (_, Some(call)) => (&call.query, call.encoding.clone()),
            _ => return self.error(405, "it cannot be written", "InvalidRequest"),
        };
        if let Some(problem) = unknown_query(request, query, &[]) {
            return self.error(400, &problem, "InvalidParameter");
        }
        let content = request.headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("content-type"));
        if !content.is_some_and(|(_, value)| value.starts_with("application/json")) {
            return self.error(415, "the body must be application/json", "InvalidRequest");
        }
        let body = match from_json_slice(request.body.as_deref().unwrap_or_default()) {
            Ok(body) => body,
            Err(error) => return self.error(400, &format!("the body is no JSON: {error}"), "InvalidRequest"),
        };
        let existing = if creating {
            None
        } else {
            match self.tables[&resource.name].find(&resource, &route.fields) {
                Some(id) => Some(id),
                None => return self.error(404, &format!("there is no such {}", resource.name), "NotFound"),
            }
        };
        let fields =
            match wire::serve::decode_body(&self.system, &resource, route.call, &encoding, &body, self) {
                Ok(fields) => fields,
                Err(problems) => return self.error(400, &problems.join("; "), "InvalidParameter"),
            };
        let mut record = match &existing {
            Some(id) => self.tables[&resource.name].get(id).cloned().unwrap_or_default(),
            None => Value::Map(Map::new()),
        };
        // what stands in the path of a create belongs to the record
        if creating {
            for (field, text) in &route.fields {
                field.set(&mut record, Value::text(text.clone()));
            }
        }
        for (path, value) in fields {
            path.set(&mut record, value);
        }
        match self.store(&resource, record, existing.as_deref()) {
            Ok(record) => self.written(&resource, &record, creating),
            Err((status, message)) => self.error(status, &message, "InvalidOperation"),
        }
    }

    fn written(&self, resource: &Resource, record: &Value, creating: bool) -> Answer {
        let encoded = wire::serve::encode_answer(&self.system, resource, record, self);
        if !creating {
            return match resource.update.as_ref().and_then(|call| call.record.as_ref()) {
                Some(path) => Answer::json(200, &placed(path, encoded)),
                None => Answer::empty(204),
            };
        }
        let Some(call) = &resource.create else { return Answer::empty(201) };
        let key = resource.key_of(record).unwrap_or_default();
        let mut body = call.record.as_ref().map(|path| placed(path, encoded));
        match &call.id {
            NewId::Body(path) => {
                let known =
                    body.as_ref().and_then(|body| path.first(body)).is_some_and(|value| !value.is_empty());
                if !known && let Some(path) = path.as_path() {
                    let body = body.get_or_insert_with(|| Value::Map(Map::new()));
                    let shown = resource.key.first().and_then(|field| field.get(record)).cloned();
                    path.set(body, shown.unwrap_or_else(|| Value::text(key.clone())));
                }
                body.map_or_else(|| Answer::empty(201), |body| Answer::json(201, &body))
            }
            NewId::Header { name, last_segment } => {
                let escaped = percent_encoding::utf8_percent_encode(&key, percent_encoding::NON_ALPHANUMERIC)
                    .to_string();
                let value =
                    if *last_segment { format!("http://sandbox{}/{escaped}", resource.path) } else { key };
                body.map_or_else(|| Answer::empty(201), |body| Answer::json(201, &body)).header(name, value)
            }
            NewId::Given => body.map_or_else(|| Answer::empty(201), |body| Answer::json(201, &body)),
        }
    }

    fn list(&mut self, request: &WireRequest, route: &Route, fault: Option<Fault>) -> Answer {
        let resource = Arc::clone(&route.resource);
        let Some(call) = resource.list.clone() else {
            return self.error(405, "it cannot be listed", "InvalidRequest");
        };
        let mut rest: Vec<(String, String)> =
            request.url.query_pairs().map(|(name, value)| (name.into_owned(), value.into_owned())).collect();
        let constant = |rest: &mut Vec<(String, String)>, name: &str, value: &str| {
            let at = rest.iter().position(|(one, other)| one == name && other == value);
            at.map(|at| rest.remove(at)).is_some()
        };
        for (name, value) in rendered(&call.query) {
            if !constant(&mut rest, &name, &value) {
                return self.error(
                    400,
                    &format!("the parameter {name}={value} is missing"),
                    "InvalidParameter",
                );
            }
        }
        // what is asked for is filtered by field; the page is taken from what is left
        let mut wanted: Vec<(Path, String, Filter)> = Vec::new();
        if let Some(cursor) = &resource.cursor
            && let Some(at) = rest.iter().position(|(name, _)| *name == cursor.param)
        {
            let (_, since) = rest.remove(at);
            for (name, value) in &cursor.with {
                if !constant(&mut rest, name, value) {
                    return self.error(
                        400,
                        &format!("{} needs {name}={value} beside it", cursor.param),
                        "InvalidParameter",
                    );
                }
            }
            wanted.push((Path::root(), since, Filter::Since));
        }
        for (field, search) in &resource.search {
            let Some(at) = rest.iter().position(|(name, _)| *name == search.param) else { continue };
            let Ok(path) = Path::parse(field) else { continue };
            let (_, value) = rest.remove(at);
            for (name, beside) in &search.with {
                constant(&mut rest, name, beside);
            }
            let filter = match &search.value {
                Some(template) => Filter::Rendered(template.clone()),
                None => Filter::Equal,
            };
            wanted.push((path, value, filter));
        }
        for (field, text) in &route.fields {
            wanted.push((field.clone(), text.clone(), Filter::Equal));
        }
        let records: Vec<Value> = self.tables[&resource.name]
            .iter()
            .map(|(_, record)| record)
            .filter(|record| {
                wanted.iter().all(|(path, text, filter)| passes(&resource, record, path, text, filter))
            })
            .cloned()
            .collect();
        let page = match self.page(request, &call.pager, &mut rest, records.len(), fault) {
            Ok(page) => page,
            Err(answer) => return answer,
        };
        if let Some((name, _)) = rest.first() {
            return self.error(400, &format!("the parameter {name} is not known"), "InvalidParameter");
        }
        if fault == Some(Fault::DuplicatePage)
            && let Some(answer) = self.last_page.clone()
        {
            return answer;
        }
        let items: Vec<Value> = records
            .get(page.from.min(records.len())..page.to.min(records.len()))
            .unwrap_or_default()
            .iter()
            .map(|record| wire::serve::encode_answer(&self.system, &resource, record, self))
            .collect();
        let mut body = Value::List(items);
        for (path, number) in [(&call.pager.total, records.len()), (&call.pager.capped, LARGEST_PAGE)] {
            if let Some(path) = path.as_ref().and_then(|path| path.as_path())
                && let Some(Segment::Index(0)) = path.segments().first()
                && let Value::List(items) = &mut body
            {
                // the number stands in every record
                let inner = path.strip_prefix(&Path::parse("$[0]").unwrap_or_default()).unwrap_or_default();
                for item in items {
                    inner.set(item, Value::from(number as u64));
                }
            }
        }
        if let Some(records_path) = &call.pager.records {
            let mut envelope = Value::Map(Map::new());
            records_path.set(&mut envelope, body);
            body = envelope;
        }
        if let (Some(path), Value::Map(_)) =
            (call.pager.total.as_ref().and_then(|path| path.as_path()), &body)
        {
            path.set(&mut body, Value::from(records.len() as u64));
        }
        if let (Paging::Link { next }, Some(url)) = (&call.pager.kind, &page.next)
            && let Some(path) = next.as_path()
        {
            path.set(&mut body, Value::text(url.clone()));
        }
        if let (Paging::NextToken { body: Some(at), .. }, Some(token)) = (&call.pager.kind, &page.next)
            && let Some(path) = at.as_path()
        {
            path.set(&mut body, Value::text(token.clone()));
        }
        let mut answer = Answer::json(page.status, &body);
        for (name, value) in page.headers {
            answer = answer.header(&name, value);
        }
        self.last_page = Some(answer.clone());
        answer
    }

    /// Which records of `count` are asked for, by the pager's own parameters (which are taken out of `rest`).
    fn page(
        &self,
        request: &WireRequest,
        pager: &crate::program::system::Pager,
        rest: &mut Vec<(String, String)>,
        count: usize,
        fault: Option<Fault>,
    ) -> Result<Page, Answer> {
        let mut take = |name: &str| rest.iter().position(|(one, _)| one == name).map(|at| rest.remove(at).1);
        let number = |text: Option<String>, default: usize| match text {
            Some(text) => text
                .parse::<usize>()
                .map_err(|_| self.error(400, &format!("{text} is no number"), "InvalidParameter")),
            None => Ok(default),
        };
        let size = match &pager.size {
            Some((param, _)) => number(take(param), 20)?.clamp(1, LARGEST_PAGE),
            None => LARGEST_PAGE,
        };
        let whole = |from: usize, to: usize| Page { from, to, next: None, status: 200, headers: Vec::new() };
        match &pager.kind {
            Paging::None => Ok(whole(0, count)),
            Paging::NextToken { param, header, .. } => {
                let from = match take(param) {
                    Some(token) => match token
                        .strip_prefix("after-")
                        .and_then(|text| text.parse::<usize>().ok())
                    {
                        Some(from) => from,
                        None => {
                            return Err(self.error(400, "this page token is not known", "InvalidParameter"));
                        }
                    },
                    None => 0,
                };
                let mut page = whole(from, from + size);
                if page.to < count || fault == Some(Fault::EndlessPages) {
                    let token = format!("after-{}", page.to);
                    if let Some(header) = header {
                        page.headers.push((header.clone(), token.clone()));
                    }
                    page.next = Some(token);
                }
                Ok(page)
            }
            Paging::Offset { param, first } => {
                let from = number(take(param), *first as usize)?.saturating_sub(*first as usize);
                Ok(whole(from, from + size))
            }
            Paging::Page { param, first } => {
                let page = number(take(param), *first as usize)?.saturating_sub(*first as usize);
                Ok(whole(page * size, (page + 1) * size))
            }
            Paging::Range { unit, .. } => {
                let wanted = request
                    .headers
                    .iter()
                    .find(|(name, _)| name.eq_ignore_ascii_case("range"))
                    .map(|(_, value)| value.as_str());
                let Some((from, to)) = wanted
                    .and_then(|value| value.strip_prefix(&format!("{unit}=")))
                    .and_then(|range| range.split_once('-'))
                    .and_then(|(from, to)| {
                        Some((from.parse::<usize>().ok()?, to.parse::<usize>().ok()? + 1))
                    })
                else {
                    return Ok(whole(0, count));
                };
                if from >= count {
                    return Err(Answer::empty(416).header("content-range", format!("{unit} */{count}")));
                }
                let to = to.min(count);
                let mut page = whole(from, to);
                page.status = 206;
                page.headers.push(("content-range".into(), format!("{unit} {from}-{}/{count}", to - 1)));
                Ok(page)
            }
            Paging::Link { .. } => {
                let from = number(take("from"), 0)?;
                let mut page = whole(from, from + size);
                if page.to < count || fault == Some(Fault::EndlessPages) {
                    let mut url = request.url.clone();
                    let others: Vec<(String, String)> = request
                        .url
                        .query_pairs()
                        .filter(|(name, _)| name != "from")
                        .map(|(a, b)| (a.into_owned(), b.into_owned()))
                        .collect();
                    url.query_pairs_mut()
                        .clear()
                        .extend_pairs(others)
                        .append_pair("from", &page.to.to_string());
                    page.next = Some(url.to_string());
                }
                Ok(page)
            }
        }
    }
}

struct Page {
    from: usize,
    to: usize,
    next: Option<String>,
    status: u16,
    headers: Vec<(String, String)>,
}

enum Filter {
    Equal,
    Rendered(crate::program::expr::Template),
    Since,
}

fn passes(resource: &Resource, record: &Value, path: &Path, text: &str, filter: &Filter) -> bool {
    match filter {
        Filter::Equal => path.get(record).and_then(Value::scalar_text).as_deref() == Some(text),
        Filter::Rendered(template) => {
            let value = path.get(record).cloned().unwrap_or_default();
            template
                .render(&Value::Map(Map::from([("value".to_owned(), value)])))
                .is_ok_and(|rendered| rendered == text)
        }
        Filter::Since => {
            let changed = resource
                .cursor
                .iter()
                .flat_map(|cursor| &cursor.fields)
                .find_map(|field| field.get(record)?.scalar_text().filter(|text| !text.is_empty()));
            match (changed, instant(text)) {
                (Some(changed), Some(since)) => instant(&changed).is_none_or(|at| at >= since),
                _ => true,
            }
        }
    }
}

/// A time with or without an offset, for comparing times of one system.
fn instant(text: &str) -> Option<jiff::civil::DateTime> {
    match text.parse::<jiff::Timestamp>() {
        Ok(time) => Some(time.to_zoned(jiff::tz::TimeZone::UTC).datetime()),
        Err(_) => text.replacen(' ', "T", 1).parse().ok(),
    }
}

fn rendered(query: &[(String, crate::program::expr::Template)]) -> Vec<(String, String)> {
    let nothing = Value::Map(Map::new());
    query
        .iter()
        .map(|(name, template)| (name.clone(), template.render(&nothing).unwrap_or_default()))
        .collect()
}

fn unknown_query(
    request: &WireRequest,
    known: &[(String, crate::program::expr::Template)],
    more: &[&str],
) -> Option<String> {
    request
        .url
        .query_pairs()
        .find(|(name, _)| known.iter().all(|(one, _)| one != name) && !more.contains(&name.as_ref()))
        .map(|(name, _)| format!("the parameter {name} is not known"))
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

impl Lookups for Stand {
    fn by_key(&self, resource: &str, key: &str) -> Option<Value> {
        self.tables.get(resource)?.by_key(key).cloned()
    }

    fn find(&self, lookup: &Lookup, value: &Value) -> Result<String, LookupProblem> {
        let Some(resource) = self.system.resources.get(&lookup.target.resource) else {
            return Err(LookupProblem::None);
        };
        let wanted = normal(Compare::Exact, value);
        let hits: Vec<String> = self.tables[&resource.name]
            .iter()
            .filter(|(_, record)| {
                lookup.target.field.get(record).is_some_and(|found| normal(Compare::Exact, found) == wanted)
                    && lookup.only_where.as_ref().is_none_or(|only| only.holds(*record).unwrap_or(false))
            })
            .filter_map(|(_, record)| resource.key_of(record))
            .collect();
        match hits.len() {
            0 => Err(LookupProblem::None),
            1 => Ok(hits.into_iter().next().unwrap_or_default()),
            _ => Err(LookupProblem::Several(hits)),
        }
    }
}
