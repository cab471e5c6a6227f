//! The server's half of a list: what is asked for, which part of it, and how it is answered.

use std::ops::Range;
use std::sync::Arc;

use super::answer::Answer;
use super::catalogue::Fault;
use super::pages::{Asked, Off, page};
use super::query::Query;
use super::route::Route;
use super::since::{instant, since};
use super::stand::Stand;
use super::table::{Table, index_text};
use crate::http::WireRequest;
use crate::program::expr::Template;
use crate::program::system::{FetchCall, NextLink, Pager, Paging, Resource, Times};
use crate::value::{Map, Path, Segment, Value, nested};

/// What a listed record must be like.
enum Filter {
    /// This text in this field.
    Equal(Path, String),
    /// The template over the field's value gives this text.
    Rendered(Path, Template, String),
    /// It changed then or later.
    Since(jiff::civil::DateTime),
    /// It cannot be said here what is asked for: more is answered rather than less.
    Any,
}

impl Stand {
    pub(super) fn list(&mut self, request: &WireRequest, route: &Route, fault: Option<Fault>) -> Answer {
        match self.listed(request, route, fault) {
            Ok(answer) | Err(answer) => answer,
        }
    }

    fn listed(
        &mut self,
        request: &WireRequest,
        route: &Route,
        fault: Option<Fault>,
    ) -> Result<Answer, Answer> {
        let resource = Arc::clone(&route.resource);
        let system = Arc::clone(&self.system);
        let refuse = |problem: String| Answer::error(&system, 400, &problem, "InvalidParameter");
        let Some(call) = &resource.list else {
            return Err(self.error(405, "it cannot be listed", "InvalidRequest"));
        };
        let mut query = Query::of(request).map_err(refuse)?.without(&route.taken);
        query.constants(&call.query).map_err(refuse)?;
        let relatives = self.relatives(&resource);
        let (name, filters) =
            filters(&resource, &relatives, route, &mut query, &system.times).map_err(refuse)?;
        self.parent_exists(route)?;
        let rows = self.table_mut(&resource).list(&name, |table| search(table, &resource, &filters));
        let (keyed, of) = (self.table(&resource), &resource);
        let held = |row: u64| keyed.get(row).or_else(|| keyed.left().get(&row));
        let place_of = |key: &str| {
            rows.iter()
                .position(|row| held(*row).and_then(|record| of.key_of(record)).as_deref() == Some(key))
        };
        let spans = call.paged_by.as_ref().map(|by| {
            let count = |row: u64| held(row).map_or(1, |record| items_in(&by.field, record).max(1));
            let next = |end: &mut usize, row: &u64| {
                let begin = *end;
                *end += count(*row);
                Some(begin..*end)
            };
            rows.iter().scan(0, next).collect::<Vec<_>>()
        });
        let count = spans.as_ref().and_then(|spans| spans.last()).map_or(rows.len(), |span| span.end);
        let asked = Asked {
            place_of: &place_of,
            request,
            list: &name,
            count,
            largest: self.largest_page,
            number: self.asked,
            fault,
        };
        let page = page(&asked, &call.pager, &mut query).map_err(|off| match off {
            Off::Wrong(problem) => refuse(problem),
            Off::Past(unit) => Answer::empty(416).header("content-range", format!("{unit} */{count}")),
        })?;
        query.nothing_left().map_err(refuse)?;
        let part = (page.from.min(count), page.to.min(count));
        let last = self.table_mut(&resource).last_page.replace(part);
        let (from, to) = match (fault, last) {
            (Some(Fault::DuplicatePage), Some(last)) => last,
            (Some(Fault::EmptyPage), _) => (part.0, part.0),
            _ => part,
        };
        let table = self.table(&resource);
        let encoded = |row: &u64| match (table.get(*row), &call.then) {
            (Some(record), Some(then)) => Some(self.listed_key(&resource, then, record)),
            (Some(record), None) => Some(self.encoded(&resource, record)),
            (None, _) => table.left().get(row).map(|left| self.encoded_left(&resource, left)),
        };
        let items: Vec<Value> = match (&spans, &call.paged_by) {
            (Some(spans), Some(by)) => {
                let cut = |(row, span): (&u64, &Range<usize>)| {
                    let mut record = encoded(row)?;
                    if let Some(Value::List(items)) = by.list.remove(&mut record) {
                        let before = from.saturating_sub(span.start);
                        let here = span.end.min(to) - span.start.max(from);
                        let part = items.into_iter().skip(before).take(here).collect();
                        by.list.set(&mut record, Value::List(part));
                    }
                    Some(record)
                };
                let here = |(_, span): &(&u64, &Range<usize>)| span.start < to && span.end > from;
                rows.iter().zip(spans).filter(here).filter_map(cut).collect()
            }
            _ => rows.get(from..to).unwrap_or_default().iter().filter_map(encoded).collect(),
        };
        let items = match (&call.around, call.pager.records.as_ref().and_then(nested)) {
            (Some(name), Some((_, inner))) => grouped(items, name, &inner),
            _ => items,
        };
        let body = envelope(&call.pager, items, count, page.size, page.next.as_deref());
        let mut answer = Answer::done(&system, page.status, body, &resource.encoding);
        for (name, value) in page.headers {
            answer = answer.header(&name, value);
        }
        Ok(answer)
    }
}

impl Stand {
    /// A row of a list that tells keys only.
    fn listed_key(&self, resource: &Resource, then: &FetchCall, record: &Value) -> Value {
        let mut row = Value::Map(Map::new());
        // what else the row tells, a resource says that reads the same list without fetching
        let list = |one: &Resource| one.list.as_ref().map(|list| (list.path.clone(), list.then.is_none()));
        for relative in self.relatives(resource) {
            if let (Some((own, _)), Some((path, true))) = (list(resource), list(&relative))
                && own == path
            {
                super::calls::merge(
                    &mut row,
                    crate::wire::serve::encode_answer(&self.system, &relative, record, self),
                );
            }
        }
        if let Some(path) = then.key.as_path() {
            path.set(&mut row, Value::Text(resource.key_of(record).unwrap_or_default()));
        }
        row
    }

    /// Records by their keys; one that is not there is left out.
    pub(super) fn bulk(&mut self, request: &WireRequest, route: &Route, fault: Option<Fault>) -> Answer {
        let resource = Arc::clone(&route.resource);
        let Some(then) = resource.list.as_ref().and_then(|list| list.then.as_ref()) else {
            return self.error(405, "it cannot be read", "InvalidRequest");
        };
        let asked = Query::of(request).and_then(|mut query| {
            query.constants(&then.query)?;
            let keys = query.take(&then.param).unwrap_or_default();
            query.nothing_left().map(|()| keys)
        });
        let keys = match asked {
            Ok(keys) => keys,
            Err(problem) => return self.error(400, &problem, "InvalidParameter"),
        };
        let keys: Vec<&str> = keys.split(then.join.as_str()).collect();
        if keys.len() > then.at_most {
            return self.error(400, &format!("{} keys are too many", keys.len()), "InvalidParameter");
        }
        let table = self.table(&resource);
        let mut found: Vec<Value> = keys
            .iter()
            .filter_map(|key| table.get(table.by_key(key)?))
            .map(|record| self.encoded(&resource, record))
            .collect();
        if fault == Some(Fault::EmptyPage) {
            found.clear();
        }
        // many stand at the first place that is declared, one alone at the last
        let path = if keys.len() == 1 { then.records.last() } else { then.records.first() };
        let Some(path) = path else { return self.error(404, "there is nothing here", "NotFound") };
        let held = match (keys.len(), then.records.len(), found.pop()) {
            (1, 2.., Some(only)) => only,
            (1, 2.., None) => return self.error(404, "there is no such record", "NotFound"),
            (.., last) => {
                found.extend(last);
                Value::List(found)
            }
        };
        let mut body = Value::Null;
        if path.is_root() {
            body = held;
        } else {
            path.set(&mut body, held);
        }
        Answer::done(&self.system, 200, body, &resource.encoding)
    }
}

/// What is asked for, and a name of it: the same name, the same list.
fn filters(
    resource: &Resource,
    relatives: &[Arc<Resource>],
    route: &Route,
    query: &mut Query,
    times: &Times,
) -> Result<(String, Vec<Filter>), String> {
    let mut name = resource.name.clone();
    let mut all = Vec::new();
    let mut add = |label: &str, text: &str, filter: Filter| {
        // the length keeps two names apart, whatever stands in them
        name.push_str(&format!("|{label}={}:{text}", text.len()));
        all.push(filter);
    };
    if let Some(cursor) = &resource.cursor
        && let Some(text) = query.take(&cursor.param)
    {
        query.beside(&cursor.param, &cursor.with)?;
        let filter = match since(cursor, &text, times) {
            Some(Some(time)) => Filter::Since(time),
            Some(None) => return Err(format!("{}: {text:?} is no time", cursor.param)),
            None => Filter::Any,
        };
        add(&cursor.param, &text, filter);
    }
    for (field, search) in relatives.iter().flat_map(|relative| &relative.search) {
        let Ok(path) = Path::parse(field) else { continue };
        let Some(text) = query.take(&search.param) else { continue };
        query.beside(&search.param, &search.with)?;
        let filter = match &search.value {
            Some(template) => Filter::Rendered(path, template.clone(), text.clone()),
            None => Filter::Equal(path, text.clone()),
        };
        add(&search.param, &text, filter);
    }
    for (field, text) in &route.fields {
        add(&field.to_string(), text, Filter::Equal(field.clone(), text.clone()));
    }
    Ok((name, all))
}

fn search(table: &Table, resource: &Resource, filters: &[Filter]) -> Vec<u64> {
    let passes = |record: &Value| filters.iter().all(|filter| filter.passes(resource, record));
    let indexed = filters.iter().find_map(|filter| match filter {
        Filter::Equal(path, text) => Some(table.with(path, text)),
        _ => None,
    });
    let mut rows: Vec<u64> = match indexed {
        Some(rows) => rows.into_iter().filter(|row| table.get(*row).is_some_and(passes)).collect(),
        None => table.iter().filter(|(_, record)| passes(record)).map(|(row, _)| row).collect(),
    };
    // nobody can fetch by its key what was removed
    if resource.list.as_ref().is_some_and(|list| list.then.is_none()) && !table.left().is_empty() {
        rows.extend(table.left().iter().filter(|(_, left)| passes(left)).map(|(row, _)| *row));
        rows.sort_unstable();
    }
    rows
}

impl Filter {
    fn passes(&self, resource: &Resource, record: &Value) -> bool {
        match self {
            Filter::Equal(path, text) => path.get(record).and_then(index_text).as_ref() == Some(text),
            Filter::Rendered(path, template, text) => {
                let value = path.get(record).cloned().unwrap_or_default();
                let names = Value::Map(Map::from([("value".to_owned(), value)]));
                template.render(&names).is_ok_and(|rendered| rendered == *text)
            }
            Filter::Since(since) => {
                let changed = resource
                    .cursor
                    .iter()
                    .flat_map(|cursor| &cursor.fields)
                    .find_map(|field| index_text(field.get(record)?));
                changed.and_then(|text| instant(&text)).is_none_or(|at| at >= *since)
            }
            Filter::Any => true,
        }
    }
}

/// How many items a list field of a record has.
fn items_in(field: &Path, record: &Value) -> usize {
    field.get(record).and_then(Value::as_list).map_or(0, <[Value]>::len)
}

/// Records put back into the rows around them: each row stands once.
fn grouped(items: Vec<Value>, name: &str, inner: &Path) -> Vec<Value> {
    let mut rows: Vec<(String, Value, Vec<Value>)> = Vec::new();
    for mut item in items {
        let around = match &mut item {
            Value::Map(map) => map.shift_remove(name).unwrap_or_default(),
            _ => Value::Null,
        };
        let print = around.to_json();
        match rows.iter_mut().find(|(other, ..)| *other == print) {
            Some((.., inside)) => inside.push(item),
            None => rows.push((print, around, vec![item])),
        }
    }
    let row = |(_, mut around, inside): (String, Value, Vec<Value>)| {
        inner.set(&mut around, Value::List(inside));
        around
    };
    rows.into_iter().map(row).collect()
}

/// A page of a list as it is answered: the records in what the pager says stands around them.
pub(super) fn envelope(
    pager: &Pager,
    items: Vec<Value>,
    total: usize,
    size: usize,
    next: Option<&str>,
) -> Value {
    let mut body = Value::List(items);
    let records =
        pager.records.as_ref().map(|path| nested(path).map_or_else(|| path.clone(), |(outer, _)| outer));
    if let Some(path) = records.filter(|path| !path.is_root()) {
        let mut around = Value::Map(Map::new());
        path.set(&mut around, body);
        body = around;
    }
    let mut put = |path: Option<&Path>, value: Value| {
        let Some(path) = path else { return };
        match (path.segments().first(), &mut body) {
            // what is told about the list stands in each of its records
            (Some(Segment::Index(_) | Segment::All), Value::List(items)) => {
                let inner = path.segments()[1..].iter().fold(Path::root(), |inner, segment| match segment {
                    Segment::Key(key) => inner.join(&Path::key(key.clone())),
                    _ => inner,
                });
                for item in items {
                    inner.set(item, value.clone());
                }
            }
            (Some(Segment::Key(_)), body @ Value::Map(_)) => path.set(body, value),
            _ => {}
        }
    };
    put(pager.total.as_ref().and_then(|query| query.as_path()), Value::from(total as u64));
    put(pager.capped.as_ref().and_then(|query| query.as_path()), Value::from(size as u64));
    let pages = total.div_ceil(size.max(1)).max(1);
    put(pager.pages.as_ref().and_then(|query| query.as_path()), Value::from(pages as u64));
    if let Some(next) = next {
        match &pager.kind {
            Paging::Link { next: NextLink::Body(at) } => put(at.as_path(), Value::text(next)),
            Paging::NextToken { body: Some(at), .. } => put(at.as_path(), Value::text(next)),
            _ => {}
        }
    }
    body
}
