//! The way through the pages of one list: which request is next, and when it is over. Pure (reliability 4.10).

use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash, Hasher};

use super::{Page, links};
use crate::http::outcome::Reply;
use crate::http::types::Outgoing;
use crate::program::system::{NextLink, Pager, Paging};
use crate::value::{Path, Query, Segment, Value, nested};

/// More pages than this are no list.
const MOST_PAGES: u64 = 100_000;
/// So many empty pages one after the other are no list.
const MOST_EMPTY: u32 = 100;

/// Makes a link to the next page an address that may be asked, or says why it may not.
pub(super) type Follow<'f> = &'f dyn Fn(&Outgoing, &str) -> Result<String, String>;

/// Where a list is read.
#[derive(Debug)]
pub(super) struct Walk {
    first: Outgoing,
    pager: Pager,
    singleton: bool,
    /// Lists are what repeats: one record stands alone, none leaves nothing.
    repeats: bool,
    /// The name of the row around each record.
    around: Option<String>,
    /// Where a record holds its key.
    key: Option<Query>,
    next: Option<Place>,
    /// Records that came.
    came: u64,
    total: Option<u64>,
    /// How many pages the last answer says that there are.
    told_pages: Option<u64>,
    /// How many records a page really has.
    page_size: Option<u64>,
    pages: u64,
    empty: u32,
    seen: HashSet<u64>,
    problem: Option<String>,
}

/// Which page.
#[derive(Clone, Debug, Hash)]
enum Place {
    First,
    Token(String),
    /// From the n-th record, counted from 0.
    Record(u64),
    /// The n-th page, counted from 0.
    Page(u64),
    Link(String),
}

impl Walk {
    /// A walk that begins with this request.
    pub(super) fn new(first: Outgoing, pager: Pager, singleton: bool, repeats: bool) -> Walk {
        Walk {
            first,
            pager,
            singleton,
            repeats,
            around: None,
            key: None,
            next: Some(Place::First),
            came: 0,
            total: None,
            told_pages: None,
            page_size: None,
            pages: 0,
            empty: 0,
            seen: HashSet::new(),
            problem: None,
        }
    }

    /// The same, for records inside other rows.
    pub(super) fn inside(self, around: Option<String>) -> Walk {
        Walk { around, ..self }
    }

    /// The same, for records that hold their key here.
    pub(super) fn keyed(self, key: Option<Query>) -> Walk {
        Walk { key, ..self }
    }

    pub(super) fn pages(&self) -> u64 {
        self.pages
    }

    /// Whether there is no next page.
    pub(super) fn ended(&self) -> bool {
        self.next.is_none()
    }

    pub(super) fn problem(&self) -> Option<&str> {
        self.problem.as_deref()
    }

    /// Goes on, but what was read is not whole.
    pub(super) fn doubt(&mut self, problem: &str) {
        self.problem.get_or_insert_with(|| problem.to_owned());
    }

    /// Ends the walk before its end.
    pub(super) fn fail(&mut self, problem: &str) {
        self.next = None;
        self.problem.get_or_insert_with(|| problem.to_owned());
    }

    /// The next request, if there is one.
    pub(super) fn next_request(&self) -> Option<Outgoing> {
        self.next.as_ref().map(|place| self.request_at(place))
    }

    fn request_at(&self, place: &Place) -> Outgoing {
        let mut request = self.first.clone();
        if let Place::Link(address) = place {
            request.path.clone_from(address);
            request.query.clear();
            return request;
        }
        let mut set = |name: &str, value: String| {
            request.query.retain(|(other, _)| other != name);
            request.query.push((name.to_owned(), value));
        };
        if let Some((param, size)) = &self.pager.size {
            set(param, size.to_string());
        }
        match (&self.pager.kind, place) {
            (Paging::NextToken { param, .. } | Paging::AfterKey { param }, Place::Token(token)) => {
                set(param, token.clone());
            }
            (Paging::Offset { param, first }, place) => {
                set(param, (u64::from(*first) + place.number()).to_string())
            }
            (Paging::Page { param, first }, place) => {
                set(param, (u64::from(*first) + place.number()).to_string())
            }
            (Paging::Range { unit, size }, place) => {
                let from = place.number();
                let to = from + u64::from((*size).max(1)) - 1;
                request.headers.push(("range".into(), format!("{unit}={from}-{to}")));
            }
            _ => {}
        }
        request
    }

    /// Takes the answer to the last request.
    pub(super) fn accept(&mut self, reply: Reply, follow: Follow) -> Result<Page, String> {
        let place = self.next.take().ok_or("list more pages than there are")?;
        self.pages += 1;
        let range = match &self.pager.kind {
            Paging::Range { .. } => ContentRange::read(reply.header("content-range")),
            _ => ContentRange::default(),
        };
        let told = self.pager.total.as_ref().and_then(|query| number(query, reply.body.as_ref()?));
        let told = told.or_else(|| reply.header(self.pager.total_header.as_ref()?)?.trim().parse().ok());
        self.total = told.or(range.total).or(self.total);
        self.told_pages = self.pager.pages.as_ref().and_then(|query| number(query, reply.body.as_ref()?));
        let (place_after, token) = self.links(&reply)?;
        let capped = self.pager.capped.as_ref().and_then(|query| number(query, reply.body.as_ref()?));
        let date = reply.date;
        let status = reply.status;
        let mut records = self.records(reply)?;
        let count = records.len() as u64;
        self.page_size = capped.filter(|size| *size > 0).or(self.page_size).or((count > 0).then_some(count));

        if self.is_repeated(&records) {
            self.fail(&format!(
                "{}: page {} came twice: the system does not page as its file says",
                self.first.resource, self.pages
            ));
            records.clear();
            return Ok(Page { records, total: self.total, date });
        }
        self.came += count;
        self.empty = if count == 0 { self.empty + 1 } else { 0 };

        let next = match &self.pager.kind {
            Paging::None => None,
            Paging::NextToken { .. } => token.map(Place::Token),
            Paging::Link { .. } => place_after,
            Paging::Offset { .. } => self.after_records(&place, count),
            Paging::Page { .. } => self.after_page(&place),
            Paging::Range { .. } => self.after_range(status, &place, count, &range)?,
            Paging::AfterKey { .. } => self.after_last(&records)?,
        };
        self.go(&place, next, follow);
        Ok(Page { records, total: self.total, date })
    }

    /// Takes the next place, unless a rule forbids it.
    fn go(&mut self, place: &Place, next: Option<Place>, follow: Follow) {
        let what = &self.first.resource;
        let next = match next {
            Some(Place::Link(link)) => match follow(&self.request_at(place), &link) {
                Ok(address) => Some(Place::Link(address)),
                Err(problem) => {
                    return self.fail(&format!(
                        "{what}: the link to page {} leads elsewhere: {problem}",
                        self.pages + 1
                    ));
                }
            },
            other => other,
        };
        let Some(next) = next else {
            if let Some(total) = self.total.filter(|total| *total > self.came) {
                let problem = format!(
                    "{what}: the system says that there are {total} records, but only {} came",
                    self.came
                );
                self.fail(&problem);
            }
            return;
        };
        if !self.seen.insert(hash(&next)) {
            self.fail(&format!(
                "{what}: the same token or link for the next page came twice, after page {}",
                self.pages
            ));
        } else if self.pages >= MOST_PAGES {
            self.fail(&format!("{what}: there is no end after {MOST_PAGES} pages"));
        } else if self.empty >= MOST_EMPTY {
            self.fail(&format!(
                "{what}: {MOST_EMPTY} pages in a row were empty, and still there is a next one"
            ));
        } else {
            self.next = Some(next);
        }
    }

    /// The link and the token that an answer gives for the next page.
    fn links(&self, reply: &Reply) -> Result<(Option<Place>, Option<String>), String> {
        let text = |query: &Query| {
            let found = query.first(reply.body.as_ref()?)?.scalar_text()?;
            (!found.is_empty()).then_some(found)
        };
        let in_header = |name: &str| reply.header(name).map(str::trim).filter(|text| !text.is_empty());
        Ok(match &self.pager.kind {
            Paging::NextToken { header, body, .. } => {
                let by_header = header.as_ref().and_then(|name| in_header(name)).map(str::to_owned);
                (None, by_header.or_else(|| body.as_ref().and_then(text)))
            }
            Paging::Link { next } => {
                let next = match next {
                    NextLink::Body(at) => text(at),
                    NextLink::Header(name) => in_header(name).map(str::to_owned),
                    // a header that is half understood may hide the next page
                    NextLink::Links => links::next(reply.headers_named("link")).map_err(|problem| {
                        format!("list {}, but the header Link of its answer {problem}", self.first.resource)
                    })?,
                };
                (next.map(Place::Link), None)
            }
            _ => (None, None),
        })
    }

    /// Offset: the next begins after what came. Only the total or an empty page says that it is over, since a server
    /// may give less than it was asked for.
    fn after_records(&self, place: &Place, count: u64) -> Option<Place> {
        let begun = place.number();
        let next = match count {
            0 => begun + self.page_size.unwrap_or(1).max(1),
            _ => begun + count,
        };
        let more = match self.total {
            Some(total) if count == 0 => next < total,
            Some(total) => self.came < total && next < total,
            None => count > 0,
        };
        more.then_some(Place::Record(next))
    }

    fn after_page(&self, place: &Place) -> Option<Place> {
        let next = place.number() + 1;
        if let Some(pages) = self.told_pages {
            return (next < pages).then_some(Place::Page(next));
        }
        let more = match (self.total, self.page_size) {
            (Some(total), Some(size)) => self.came < total && next.saturating_mul(size) < total,
            (Some(total), None) => self.came < total && self.empty == 0,
            (None, _) => self.empty == 0,
        };
        more.then_some(Place::Page(next))
    }

    /// After the last record that came. Only an empty page, or the total, says that it is over.
    fn after_last(&self, records: &[Value]) -> Result<Option<Place>, String> {
        let Some(last) = records.last() else { return Ok(None) };
        if self.total.is_some_and(|total| self.came >= total) {
            return Ok(None);
        }
        let key = self.key.as_ref().and_then(|key| key.first(last)?.scalar_text());
        let key = key.filter(|key| !key.is_empty());
        let wanted = || format!("list {}, but the last record of a page has no key", self.first.resource);
        key.map(|key| Some(Place::Token(key))).ok_or_else(wanted)
    }

    fn after_range(
        &mut self,
        status: u16,
        place: &Place,
        count: u64,
        range: &ContentRange,
    ) -> Result<Option<Place>, String> {
        let begun = place.number();
        match (status, range.records) {
            // asked past the end
            (416, _) => Ok(None),
            // some servers give a part with 200, against RFC 9110: what counts is that they say which part
            (_, Some((from, _))) if from != begun => Err(format!(
                "list {} from record {begun}, but answered from record {from}",
                self.first.resource
            )),
            (_, Some(_)) => {
                // what came counts, not what the header says of its end: some servers leave the end out
                if count == 0 {
                    return Ok(None);
                }
                let next = begun + count;
                Ok(range.total.is_none_or(|total| next < total).then_some(Place::Record(next)))
            }
            (206, None) => Ok((count > 0).then_some(Place::Record(begun + count))),
            // the range was not heeded: this is all
            _ if begun == 0 => Ok(None),
            _ => Err(format!(
                "list {} from record {begun}, but answered {status} with another part",
                self.first.resource
            )),
        }
    }

    /// The records of an answer.
    fn records(&self, reply: Reply) -> Result<Vec<Value>, String> {
        let root = Path::root();
        let path = self.pager.records.as_ref().unwrap_or(&root);
        let (Some(name), Some((outer, inner))) = (&self.around, nested(path)) else {
            return self.rows(reply.body, path);
        };
        let mut records = Vec::new();
        for mut row in self.rows(reply.body, &outer)? {
            let inside = match inner.remove(&mut row) {
                Some(Value::List(items)) => items,
                Some(item @ Value::Map(_)) => vec![item],
                _ => Vec::new(),
            };
            for mut record in inside {
                if let Value::Map(map) = &mut record {
                    map.insert(name.clone(), row.clone());
                }
                records.push(record);
            }
        }
        Ok(records)
    }

    fn rows(&self, body: Option<Value>, path: &Path) -> Result<Vec<Value>, String> {
        let Some(body) = body else { return Ok(Vec::new()) };
        let place = if path.is_root() { "the whole answer".to_owned() } else { format!("`{path}`") };
        // `<list/>` is an empty list; an answer without it is none
        let empty = self.repeats
            && path.segments().split_last().is_some_and(|(_, way)| {
                let around = way.iter().fold(Path::root(), |path, segment| match segment {
                    Segment::Key(key) => path.join(&Path::key(key.clone())),
                    _ => path,
                });
                !around.is_root() && around.get(&body).is_some_and(|held| !matches!(held, Value::Text(_)))
            });
        match take(path, body) {
            Some(Value::List(records)) => Ok(records),
            Some(record @ Value::Map(_)) if self.singleton || self.repeats => Ok(vec![record]),
            Some(Value::Null) if self.repeats => Ok(Vec::new()),
            None if empty => Ok(Vec::new()),
            Some(other) => Err(format!(
                "list {}, but {place} is {}: a list of records is wanted",
                self.first.resource,
                other.kind()
            )),
            None => Err(format!(
                "list {}, but its answer has nothing at {place}: a list of records is wanted",
                self.first.resource
            )),
        }
    }

    /// Whether a page with exactly these records came before. A page without records says nothing.
    fn is_repeated(&mut self, records: &[Value]) -> bool {
        let (Some(first), Some(last)) = (records.first(), records.last()) else { return false };
        // both ends and the length tell two pages apart as well as all of it, at a hundredth of the cost
        let print = hash(&(records.len(), first.to_json(), last.to_json()));
        !self.seen.insert(print)
    }
}

impl Place {
    fn number(&self) -> u64 {
        match self {
            Place::Record(number) | Place::Page(number) => *number,
            Place::First | Place::Token(_) | Place::Link(_) => 0,
        }
    }
}

/// `records 0-99/1234`, `records 0-99/*`, `records */1234` (RFC 9110 section 14.4).
#[derive(Debug, Default, PartialEq)]
struct ContentRange {
    records: Option<(u64, u64)>,
    total: Option<u64>,
}

impl ContentRange {
    fn read(header: Option<&str>) -> ContentRange {
        let parts =
            header.and_then(|text| text.trim().split_once(' ')).and_then(|(_, rest)| rest.split_once('/'));
        let Some((records, total)) = parts else { return ContentRange::default() };
        let records = records
            .trim()
            .split_once('-')
            .and_then(|(from, to)| Some((from.parse().ok()?, to.parse().ok()?)));
        ContentRange { records: records.filter(|(from, to)| from <= to), total: total.trim().parse().ok() }
    }
}

/// What stands at a path, without a copy where it can be taken out.
fn take(path: &Path, mut body: Value) -> Option<Value> {
    if path.is_root() {
        return Some(body);
    }
    path.remove(&mut body).or_else(|| path.get(&body).cloned())
}

fn number(query: &Query, body: &Value) -> Option<u64> {
    query.first(body)?.scalar_text()?.trim().parse().ok()
}

pub(super) fn hash(thing: &impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    thing.hash(&mut hasher);
    hasher.finish()
}
