//! The server's half of every pager: which records of a list a request means, and what is told of the rest.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};

use super::catalogue::Fault;
use super::proof::header;
use super::query::Query;
use crate::http::WireRequest;
use crate::program::system::{NextLink, Pager, Paging};

/// A request for a part of a list.
pub(super) struct Asked<'a> {
    pub request: &'a WireRequest,
    /// The name of the list: tokens are good for this one only.
    pub list: &'a str,
    /// How many records it has.
    pub count: usize,
    /// The largest page there is.
    pub largest: usize,
    /// The number of the request: no two tokens are alike.
    pub number: u64,
    pub fault: Option<Fault>,
    /// Where the record with this key stands in the list.
    pub place_of: &'a dyn Fn(&str) -> Option<usize>,
}

/// A part of a list.
#[derive(Debug, PartialEq)]
pub(super) struct Page {
    pub from: usize,
    pub to: usize,
    /// The size that is really given.
    pub size: usize,
    /// The token or the address of the next page.
    pub next: Option<String>,
    pub status: u16,
    pub headers: Vec<(String, String)>,
}

/// Why there is no page.
#[derive(Debug, PartialEq)]
pub(super) enum Off {
    /// The request is wrong.
    Wrong(String),
    /// It asks past the end, counted in this unit.
    Past(String),
}

/// The parameter of next links: one that no system calls something else by.
const AFTER: &str = "_after";
/// How many records a page has where the request does not say.
const UNSAID: usize = 20;

/// Which part is asked for; the pager's own parameters are taken out of the query.
pub(super) fn page(asked: &Asked, pager: &Pager, query: &mut Query) -> Result<Page, Off> {
    let mut page = asked_for(asked, pager, query)?;
    if let Some(name) = &pager.total_header {
        page.headers.push((name.clone(), asked.count.to_string()));
    }
    Ok(page)
}

fn asked_for(asked: &Asked, pager: &Pager, query: &mut Query) -> Result<Page, Off> {
    let mut size = asked.largest;
    if let Some((param, _)) = &pager.size {
        size = match query.take(param) {
            None => UNSAID,
            Some(text) => text
                .parse()
                .ok()
                .filter(|size| *size > 0)
                .ok_or_else(|| Off::Wrong(format!("{param}: {text:?} is no number of records")))?,
        };
    }
    size = size.min(asked.largest).max(1);
    if asked.fault == Some(Fault::ShrinkingPages) {
        size = (size / 2).max(1);
    }
    let count = asked.count;
    let part = |from: usize| Page {
        from,
        to: from.saturating_add(size),
        size,
        next: None,
        status: 200,
        headers: Vec::new(),
    };
    match &pager.kind {
        Paging::None => Ok(Page { to: count, ..part(0) }),
        Paging::NextToken { param, header, .. } => {
            let given = query.take(param);
            let mut page = part(asked.place_of_token(given.as_deref())?);
            if let Some(from) = asked.next(&page) {
                let token = match (asked.fault, given) {
                    (Some(Fault::TokenLoop), Some(given)) => given,
                    _ => asked.token(from),
                };
                if let Some(header) = header {
                    page.headers.push((header.clone(), token.clone()));
                }
                page.next = Some(token);
            }
            Ok(page)
        }
        Paging::Link { next } => {
            let given = query.take(AFTER);
            let mut page = part(asked.place_of_token(given.as_deref())?);
            if let Some(from) = asked.next(&page) {
                let mut url = asked.request.url.clone();
                let others: Vec<(String, String)> = asked
                    .request
                    .url
                    .query_pairs()
                    .filter(|(name, _)| name != AFTER)
                    .map(|(name, value)| (name.into_owned(), value.into_owned()))
                    .collect();
                url.query_pairs_mut().clear().extend_pairs(others).append_pair(AFTER, &asked.token(from));
                let address = match asked.fault {
                    Some(Fault::TokenLoop) => asked.request.url.to_string(),
                    Some(Fault::ForeignLink) => {
                        format!("https://elsewhere.example{}?{}", url.path(), url.query().unwrap_or_default())
                    }
                    _ => url.to_string(),
                };
                if let Some(header) = next.header() {
                    let told = match next {
                        NextLink::Links => {
                            format!("<{}>; rel=\"self\", <{address}>; rel=\"next\"", asked.request.url)
                        }
                        _ => address.clone(),
                    };
                    page.headers.push((header.to_owned(), told));
                }
                page.next = Some(address);
            }
            Ok(page)
        }
        Paging::Offset { param, first } => {
            let from = counted(query, param, *first)?;
            Ok(asked.again(part(from)))
        }
        Paging::Page { param, first } => {
            let number = counted(query, param, *first)?;
            Ok(asked.again(part(number.saturating_mul(size))))
        }
        Paging::AfterKey { param } => {
            let from = match query.take(param) {
                None => 0,
                Some(key) => (asked.place_of)(&key)
                    .map(|place| place + 1)
                    .ok_or_else(|| Off::Wrong(format!("{param}: {key:?} is no key of this list")))?,
            };
            Ok(asked.again(part(from)))
        }
        Paging::Range { unit, size: declared } => asked.range(unit, *declared as usize),
    }
}

/// A place in a list that is counted from the pager's first number.
fn counted(query: &mut Query, param: &str, first: u32) -> Result<usize, Off> {
    let Some(text) = query.take(param) else { return Ok(0) };
    text.parse::<usize>()
        .ok()
        .and_then(|number| number.checked_sub(first as usize))
        .ok_or_else(|| Off::Wrong(format!("{param}: {text:?} is no number from {first}")))
}

impl Asked<'_> {
    /// Where the page after this one begins, if there is one.
    fn next(&self, page: &Page) -> Option<usize> {
        match self.fault {
            Some(Fault::EmptyPage) => Some(page.from),
            Some(Fault::EndlessPages | Fault::TokenLoop | Fault::ForeignLink) => {
                Some(page.to.min(self.count))
            }
            _ => (page.to < self.count).then_some(page.to),
        }
    }

    /// Past the end an endless list begins its last page again.
    fn again(&self, page: Page) -> Page {
        if self.fault == Some(Fault::EndlessPages) && page.from >= self.count {
            let from = self.count.saturating_sub(page.size);
            return Page { from, to: self.count, ..page };
        }
        page
    }

    /// A token that says nothing to anybody else, and is good for this list only.
    fn token(&self, from: usize) -> String {
        URL_SAFE_NO_PAD.encode(format!("{from}.{}.{}", self.number, self.mark()))
    }

    fn place_of_token(&self, token: Option<&str>) -> Result<usize, Off> {
        let Some(token) = token else { return Ok(0) };
        let read = || {
            let text = String::from_utf8(URL_SAFE_NO_PAD.decode(token).ok()?).ok()?;
            let mut parts = text.split('.');
            let from = parts.next()?.parse().ok()?;
            (parts.nth(1)? == self.mark()).then_some(from)
        };
        read().ok_or_else(|| Off::Wrong("this page token is not one of this list".into()))
    }

    fn mark(&self) -> String {
        URL_SAFE_NO_PAD.encode(&Sha256::digest(self.list.as_bytes())[..6])
    }

    /// RFC 9110 section 14: 206 with `Content-Range`, 416 past the end.
    fn range(&self, unit: &str, declared: usize) -> Result<Page, Off> {
        let whole =
            Page { from: 0, to: self.count, size: self.count, next: None, status: 200, headers: Vec::new() };
        let Some(text) = header(self.request, "range") else { return Ok(whole) };
        let parsed = text
            .strip_prefix(unit)
            .and_then(|rest| rest.strip_prefix('='))
            .and_then(|range| range.split_once('-'))
            .and_then(|(from, to)| Some((from.parse::<usize>().ok()?, to.parse::<usize>().ok()?)))
            .filter(|(from, to)| from <= to);
        let Some((from, last)) = parsed else {
            return Err(Off::Wrong(format!("the header Range must be {unit}=FROM-TO, not {text:?}")));
        };
        let mut size = (last - from).saturating_add(1).min(self.largest.max(1));
        if self.fault == Some(Fault::ShrinkingPages) {
            size = (declared.min(size) / 2).max(1);
        }
        if from >= self.count && self.fault == Some(Fault::EndlessPages) && self.count > 0 {
            let start = self.count.saturating_sub(size);
            let told = format!("{unit} {from}-{}/*", from.saturating_add(size - 1));
            let headers = vec![("content-range".to_owned(), told)];
            return Ok(Page { from: start, to: self.count, size, next: None, status: 206, headers });
        }
        if from >= self.count {
            return Err(Off::Past(unit.to_owned()));
        }
        let to = from.saturating_add(size).min(self.count);
        let total = match self.fault {
            Some(Fault::EndlessPages) => "*".to_owned(),
            _ => self.count.to_string(),
        };
        let told = format!("{unit} {from}-{}/{total}", to - 1);
        Ok(Page { from, to, size, next: None, status: 206, headers: vec![("content-range".into(), told)] })
    }
}
