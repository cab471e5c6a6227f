//! One system's stand-in: a request in, an answer out, everything by the system file.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use indexmap::IndexMap;

use super::answer::Answer;
use super::catalogue::Fault;
use super::fault::{Faults, Hit, duration};
use super::proof::{Proof, Refusal};
use super::route::{Routed, calls, route};
use super::table::Table;
use crate::http::{WireRequest, WireResponse};
use crate::program::system::{CallKind, Field, Resource, System};
use crate::value::{Path, Value};
use crate::wire::{LookupProblem, Lookups};

/// What becomes of a request.
#[derive(Clone, Debug)]
pub enum Outcome {
    /// It is answered.
    Answer(WireResponse),
    /// It is answered after this time.
    Slow(WireResponse, Duration),
    /// It is answered a byte at a time.
    Dribble(WireResponse),
    /// The connection breaks in the middle of the answer.
    Cut(WireResponse),
    /// The connection is refused.
    Refused,
    /// The connection ends without an answer.
    Closed,
    /// Nothing comes any more.
    Silence,
}

/// A write that was asked for.
#[derive(Clone, Debug, PartialEq)]
pub struct LoggedWrite {
    /// `POST` …
    pub method: String,
    /// The path with its query.
    pub path: String,
    /// The headers. Those of the sandbox hold no real secret.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Value,
    /// The name of the file it carries.
    pub file: Option<String>,
    /// What was answered.
    pub status: u16,
}

/// When a request takes effect that came too late for its answer.
#[derive(Clone, Debug)]
enum Due {
    /// With the n-th request.
    Asked(u64),
    /// When the clock says so.
    Clock(Duration),
}

/// The largest page that is given, whatever is asked for.
const LARGEST_PAGE: usize = 1000;
/// After how many requests a late one arrives, where nothing else is said.
const LATE: u64 = 3;
/// After how many questions a write that was taken on has an outcome, where nothing else is said.
const QUESTIONS: u64 = 2;

/// A stand-in of one system.
pub struct Stand {
    pub(super) system: Arc<System>,
    pub(super) tables: IndexMap<String, Table>,
    pub(super) now_ms: i64,
    /// How many records were made up, by resource: what ids are made of.
    pub(super) made: BTreeMap<String, u64>,
    pub(super) seed: u64,
    /// What goes wrong.
    pub faults: Faults,
    /// The largest page that is given, whatever is asked for.
    pub largest_page: usize,
    pub(super) asked: u64,
    homes: BTreeMap<String, String>,
    proof: Proof,
    log: Vec<LoggedWrite>,
    reads: BTreeMap<String, u64>,
    late: Vec<(Due, WireRequest)>,
    clock: Duration,
    pub(super) taken: Vec<super::actions::Taken>,
    /// The keys of creates: resource and key, the id of the record that was made, and a hash of the body that made it.
    pub(super) keys: BTreeMap<(String, String), (String, String)>,
    pub(super) stored: BTreeMap<(String, String, String), Vec<super::files::Stored>>,
    /// After how many questions a write that was taken on has an outcome.
    pub(super) patience: u64,
}

impl Stand {
    /// A stand-in without records.
    pub(super) fn bare(
        system: Arc<System>,
        credentials: &BTreeMap<String, String>,
        now_ms: i64,
        seed: u64,
    ) -> Stand {
        Stand {
            tables: system
                .resources
                .values()
                .map(|one| (one.name.clone(), Table::new(asked_for(&system, one))))
                .collect(),
            homes: homes(&system),
            system,
            now_ms,
            made: BTreeMap::new(),
            seed,
            faults: Faults::seeded(seed),
            largest_page: LARGEST_PAGE,
            asked: 0,
            proof: Proof::new(credentials),
            log: Vec::new(),
            reads: BTreeMap::new(),
            late: Vec::new(),
            clock: Duration::ZERO,
            taken: Vec::new(),
            keys: BTreeMap::new(),
            stored: BTreeMap::new(),
            patience: 0,
        }
    }

    /// The system it stands for.
    pub fn system(&self) -> &Arc<System> {
        &self.system
    }

    /// What the stand-in's own clock says, in milliseconds since 1970. It goes on a second for each request.
    pub fn now_ms(&self) -> i64 {
        self.now_ms
    }

    /// Every write that was asked for and answered, in order.
    pub fn log(&self) -> &[LoggedWrite] {
        &self.log
    }

    /// Forgets what was asked for.
    pub fn clear_log(&mut self) {
        self.log.clear();
        self.reads.clear();
    }

    /// How many reads there were.
    pub fn reads(&self) -> u64 {
        self.reads.values().sum()
    }

    /// How many reads of each resource there were.
    pub fn reads_by_resource(&self) -> &BTreeMap<String, u64> {
        &self.reads
    }

    /// Tells what a clock outside says: what is late by time arrives when its time has come.
    pub fn pass(&mut self, clock: Duration) {
        self.clock = self.clock.max(clock);
        self.arrive();
    }

    /// Tells what time it is outside: signed requests must be of that time. Without it their time is not checked.
    pub fn tell_time(&mut self, now_ms: i64) {
        self.proof.tell_time(now_ms);
    }

    /// Answers one request.
    pub fn handle(&mut self, request: &WireRequest) -> Outcome {
        self.asked += 1;
        self.arrive();
        self.tick(1000);
        let routed = self.routed(request);
        let hit = routed.on().and_then(|(on, resource)| self.faults.next(on, resource));
        if let Some(hit) = &hit
            && let Some(outcome) = self.instead(hit, request)
        {
            return outcome;
        }
        if hit.as_ref().is_some_and(|hit| hit.fault == Fault::ExpiredToken) {
            self.proof.expire();
        }
        self.patience = match hit.as_ref().and_then(|hit| hit.value.as_deref()?.parse().ok()) {
            Some(questions) => questions,
            None => QUESTIONS,
        };
        let response = self.process(request, &routed, hit.as_ref().map(|hit| hit.fault));
        self.after(hit, response)
    }

    /// Which call a request is. `/users/me` is no user, where that is how the system says who we are.
    fn routed(&self, request: &WireRequest) -> Routed {
        let routed = route(&self.system, &request.method, &request.url);
        let is_whoami = self.system.whoami.as_ref().is_some_and(|one| one.get == request.url.path());
        match routed {
            Routed::Call(one)
                if is_whoami && one.call == CallKind::Get && self.row(&one.resource, &one).is_none() =>
            {
                Routed::Whoami
            }
            routed => routed,
        }
    }

    /// Time goes on.
    pub(super) fn tick(&mut self, by_ms: i64) {
        self.now_ms = self.now_ms.saturating_add(by_ms);
    }

    /// Lets requests take effect whose time has come.
    fn arrive(&mut self) {
        let (asked, clock) = (self.asked, self.clock);
        let is_due = |due: &Due| match due {
            Due::Asked(at) => *at <= asked,
            Due::Clock(at) => *at <= clock,
        };
        while let Some(at) = self.late.iter().position(|(due, _)| is_due(due)) {
            let (_, request) = self.late.remove(at);
            self.tick(1000);
            let system = Arc::clone(&self.system);
            let routed = route(&system, &request.method, &request.url);
            // nobody waits for this answer any more
            let _ = self.process(&request, &routed, None);
        }
    }

    /// What happens instead of the request being worked on.
    fn instead(&mut self, hit: &Hit, request: &WireRequest) -> Option<Outcome> {
        let answer = match hit.fault {
            Fault::Refused => return Some(Outcome::Refused),
            Fault::CloseBefore => return Some(Outcome::Closed),
            Fault::TimeoutBefore => return Some(Outcome::Silence),
            Fault::LateArrival | Fault::EffectLater => {
                let due = match hit.value.as_deref() {
                    None => Due::Asked(self.asked.saturating_add(LATE)),
                    Some(text) => match (text.parse::<u64>(), duration(text)) {
                        (Ok(count), _) => Due::Asked(self.asked.saturating_add(count.max(1))),
                        (_, Some(time)) => Due::Clock(self.clock.saturating_add(time)),
                        _ => Due::Asked(self.asked.saturating_add(LATE)),
                    },
                };
                self.late.push((due, request.clone()));
                if hit.fault == Fault::LateArrival {
                    return Some(Outcome::Silence);
                }
                Answer::empty(202)
            }
            Fault::TooMany => self.retry_after(Answer::plain(429, "too many requests"), hit),
            Fault::Unavailable => self.retry_after(Answer::plain(503, "unavailable"), hit),
            Fault::ErrorBefore => Answer::plain(500, "internal error"),
            Fault::GatewayBefore => Answer::plain(502, "bad gateway"),
            Fault::GatewayTimeoutBefore => Answer::plain(504, "gateway time-out"),
            Fault::Changed => self.error(412, "it was changed meanwhile", "Changed"),
            Fault::Conflict => self.error(409, "it collides with another change", "Conflict"),
            Fault::Invalid => self.error(400, "a rule of this system forbids it", "Invalid"),
            Fault::Forbidden => self.error(403, "this user may not do that", "Forbidden"),
            Fault::PreconditionMissing => {
                self.error(428, "say which version you mean", "PreconditionMissing")
            }
            _ => return None,
        };
        self.note(request, answer.status);
        Some(Outcome::Answer(answer.response(self.now_ms)))
    }

    fn retry_after(&self, answer: Answer, hit: &Hit) -> Answer {
        match hit.value.as_deref() {
            Some("none") => answer,
            Some("date") => answer.header("retry-after", super::answer::http_date(self.now_ms + 2000)),
            Some(text) => answer.header("retry-after", text),
            None => answer.header("retry-after", "1"),
        }
    }

    /// What becomes of the answer of a request that was worked on.
    fn after(&mut self, hit: Option<Hit>, response: WireResponse) -> Outcome {
        let Some(hit) = hit else { return Outcome::Answer(response) };
        let now_ms = self.now_ms;
        let other = |answer: Answer| Outcome::Answer(answer.response(now_ms));
        match hit.fault {
            Fault::TimeoutAfterCommit => Outcome::Silence,
            Fault::CloseAfter => Outcome::Closed,
            Fault::CutBody => Outcome::Cut(response),
            Fault::Slow => Outcome::Slow(response, hit.pause(Duration::from_secs(5))),
            Fault::Dribble => Outcome::Dribble(response),
            Fault::ShortBody => {
                let half = response.body.slice(..response.body.len() / 2);
                Outcome::Answer(WireResponse { body: half, ..response })
            }
            Fault::RandomBytes => {
                let noise: Vec<u8> = (0..64_u8).map(|i| i.wrapping_mul(151).wrapping_add(0x80)).collect();
                Outcome::Answer(WireResponse { body: noise.into(), ..response })
            }
            Fault::Html => other(Answer::html(200, "<html><body>Sign in</body></html>")),
            Fault::Empty => other(Answer::empty(200)),
            Fault::ErrorAfter => other(Answer::plain(500, "internal error")),
            Fault::GatewayAfter => other(Answer::plain(502, "bad gateway")),
            Fault::UnavailableAfter => other(Answer::plain(503, "unavailable")),
            Fault::GatewayTimeoutAfter => other(Answer::plain(504, "gateway time-out")),
            _ => Outcome::Answer(response),
        }
    }

    /// Works on a request.
    fn process(&mut self, request: &WireRequest, routed: &Routed, fault: Option<Fault>) -> WireResponse {
        let system = Arc::clone(&self.system);
        let answer = match routed {
            // the token call has a log of its own: nobody counts it as a write
            Routed::Token => {
                return self.proof.token(&system, request, self.now_ms, fault).response(self.now_ms);
            }
            _ => match self.proof.check(&system, request, self.now_ms) {
                Err(Refusal(status, kind, message)) => self.error(status, &message, kind),
                Ok(()) => self.answer(request, routed, fault),
            },
        };
        self.note(request, answer.status);
        if let Routed::Call(route) = routed
            && matches!(route.call, CallKind::List | CallKind::Get | CallKind::File)
        {
            *self.reads.entry(route.resource.name.clone()).or_default() += 1;
        }
        answer.response(self.now_ms)
    }

    fn answer(&mut self, request: &WireRequest, routed: &Routed, fault: Option<Fault>) -> Answer {
        if let Routed::Call(route) = routed
            && let Some(scope) = super::proof::not_granted(&self.system, &route.resource, route.call)
        {
            return self.error(403, &format!("the token lacks the scope {scope}"), "InsufficientApiScope");
        }
        match routed {
            Routed::Call(route) => match route.call {
                CallKind::List => self.list(request, route, fault),
                CallKind::Get if route.bulk => self.bulk(request, route, fault),
                CallKind::Get => self.get(request, route, fault),
                CallKind::Create if fault == Some(Fault::AnsweredLater) => {
                    let answer = self.write(request, route, fault);
                    self.later(request, route, answer)
                }
                CallKind::Create | CallKind::Update => self.write(request, route, fault),
                CallKind::Delete => self.delete(request, route),
                CallKind::Action => self.act(request, route, fault),
                CallKind::File => self.file(request, route),
                CallKind::Attach => self.attach(request, route),
            },
            Routed::Whoami => self.whoami(request),
            Routed::OtherMethod(allowed) => self
                .error(405, "this method is not allowed here", "InvalidRequest")
                .header("allow", allowed.join(", ")),
            Routed::Token | Routed::Nothing => match self.told(request) {
                Some(answer) => answer,
                None => self.error(404, "there is nothing here", "NotFound"),
            },
        }
    }

    /// Writes a write down.
    fn note(&mut self, request: &WireRequest, status: u16) {
        if request.method == "GET" {
            return;
        }
        let (mut file, mut said) = (None, None);
        let encoding = match route(&self.system, &request.method, &request.url) {
            Routed::Call(route) => {
                if route.call == CallKind::Attach {
                    file = super::files::sent(request, &route.resource).map(|(name, ..)| name);
                    said = super::files::said(request, &route.resource);
                }
                self.system.encoding_of(&route.resource.name, route.call).clone()
            }
            _ => self.system.encoding.clone(),
        };
        let kind = super::proof::header(request, "content-type");
        let read = |bytes: &[u8]| match kind {
            Some(kind) if kind.starts_with("multipart/form-data") => super::files::form(kind, bytes),
            kind => encoding.read(bytes, kind).ok(),
        };
        let body = request.body.as_deref().and_then(read).or(said).unwrap_or_default();
        let path = match request.url.query() {
            Some(query) => format!("{}?{query}", request.url.path()),
            None => request.url.path().to_owned(),
        };
        self.log.push(LoggedWrite {
            method: request.method.clone(),
            path,
            headers: request.headers.clone(),
            body,
            file,
            status,
        });
    }

    pub(super) fn error(&self, status: u16, message: &str, kind: &str) -> Answer {
        Answer::error(&self.system, status, message, kind)
    }

    /// The table that holds the records of a resource.
    pub(super) fn table(&self, resource: &Resource) -> &Table {
        &self.tables[self.home(&resource.name)]
    }

    pub(super) fn table_mut(&mut self, resource: &Resource) -> &mut Table {
        let home = self.homes.get(&resource.name).map_or(resource.name.as_str(), String::as_str).to_owned();
        self.tables.entry(home).or_default()
    }

    fn home<'n>(&'n self, name: &'n str) -> &'n str {
        self.homes.get(name).map_or(name, String::as_str)
    }

    /// The resources whose records are kept together with those of this one: it and its relatives by scope.
    pub(super) fn relatives(&self, resource: &Resource) -> Vec<Arc<Resource>> {
        let home = self.home(&resource.name);
        self.system.resources.values().filter(|other| self.home(&other.name) == home).cloned().collect()
    }
}

/// Resources with one path, told apart by a scope, are one kind of record on the server.
fn homes(system: &System) -> BTreeMap<String, String> {
    let mut homes = BTreeMap::new();
    for (i, resource) in system.resources.values().enumerate() {
        let home = system.resources.values().take(i).find(|other| {
            !resource.path.is_empty()
                && other.path == resource.path
                && (other.scope.is_some() || resource.scope.is_some())
        });
        let home = home.map_or(&resource.name, |other| homes.get(&other.name).unwrap_or(&other.name)).clone();
        homes.insert(resource.name.clone(), home);
    }
    homes
}

/// The fields by which records of a resource are asked for, by anybody.
fn asked_for(system: &System, resource: &Resource) -> Vec<Path> {
    let mut paths: Vec<Path> = resource.key.iter().chain(resource.id_fields()).cloned().collect();
    for (_, _, template, _) in calls(resource) {
        paths.extend(template.fields().cloned());
    }
    paths.extend(resource.search.keys().filter_map(|name| Path::parse(name).ok()));
    let own = resource.fields.iter().filter(|field| field.unique || field.reference.is_some());
    paths.extend(own.map(|field| field.name.clone()));
    for other in system.resources.values() {
        paths.extend(
            other.parts.values().filter(|part| part.resource == resource.name).map(|part| part.by.clone()),
        );
        pointed(&other.fields, &resource.name, &mut paths);
    }
    paths
}

/// The fields of a resource that fields of others point at.
fn pointed(fields: &[Field], resource: &str, paths: &mut Vec<Path>) {
    for field in fields {
        let targets = [field.reference.as_ref(), field.lookup.as_ref().map(|lookup| &lookup.target)];
        paths.extend(
            targets
                .into_iter()
                .flatten()
                .filter(|target| target.resource == resource)
                .map(|target| target.field.clone()),
        );
        pointed(&field.fields, resource, paths);
    }
}

impl Lookups for Stand {
    fn by_key(&self, resource: &str, key: &str) -> Option<Value> {
        let table = self.table(self.system.resources.get(resource)?);
        table.get(table.by_key(key)?).cloned()
    }

    fn find(&self, lookup: &crate::program::system::Lookup, value: &Value) -> Result<String, LookupProblem> {
        let Some(resource) = self.system.resources.get(&lookup.target.resource) else {
            return Err(LookupProblem::None);
        };
        let Some(text) = super::table::index_text(value) else { return Err(LookupProblem::None) };
        let table = self.table(resource);
        let mut hits: Vec<String> = table
            .with(&lookup.target.field, &text)
            .into_iter()
            .filter_map(|row| table.get(row))
            .filter(|record| {
                lookup.only_where.as_ref().is_none_or(|only| only.holds(*record).unwrap_or(false))
            })
            .filter_map(|record| resource.key_of(record))
            .collect();
        match (hits.pop(), hits.is_empty()) {
            (None, _) => Err(LookupProblem::None),
            (Some(only), true) => Ok(only),
            (Some(last), false) => {
                hits.push(last);
                Err(LookupProblem::Many(hits))
            }
        }
    }
}
