//! Reads a whole list, page by page, and says honestly whether it is whole.

mod fetch;
mod links;
mod parts;
mod walk;

use tokio::task::JoinHandle;

use super::address::fill;
use super::client::Client;
use super::outcome::{CallError, Reply};
use super::types::Outgoing;
use crate::program::system::{CallKind, ErrorClass, FetchCall, ListCall, Resource};
use crate::value::{Path, Query, Value};
use parts::Parts;
use walk::Walk;

/// One page of a list.
#[derive(Clone, Debug, PartialEq)]
pub struct Page {
    /// The records, as they stand in the answer.
    pub records: Vec<Value>,
    /// How many records the whole list has, where the system says so.
    pub total: Option<u64>,
    /// The server's own time, in milliseconds since 1970.
    pub date: Option<i64>,
}

/// A list that is read page by page.
///
/// Records can come twice where they move between pages; [`Pages::complete`] says whether something may be
/// missing. After an error there is no next page.
#[derive(Debug)]
pub struct Pages {
    client: Client,
    walk: Walk,
    then: Option<FetchCall>,
    /// Where page borders cut records: what is not whole yet.
    parts: Option<Parts>,
    resource: String,
    ahead: Option<Ahead>,
    read_ahead: bool,
}

/// A request that is under way while its caller works; it ends with this value.
#[derive(Debug)]
struct Ahead(JoinHandle<Result<Reply, CallError>>);

impl Drop for Ahead {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Pages {
    /// The list of a resource. `query` is sent beside the list's own query; `parent` is the record whose fields
    /// stand in the path, by field names.
    ///
    /// # Errors
    /// Where the resource cannot be listed, or a field for the path is missing.
    pub fn new(
        client: &Client,
        resource: &Resource,
        query: Vec<(String, String)>,
        parent: Option<&Value>,
    ) -> Result<Pages, CallError> {
        let refused = |message: &str| client.error(ErrorClass::Refused, None, message);
        let Some(ListCall { path, query: own, pager, around, paged_by, then, .. }) = &resource.list else {
            return Err(refused(&format!("{} cannot be listed", resource.name)));
        };
        let path = fill(path, parent, resource.encoding.path_escape)
            .map_err(|problem| refused(&format!("cannot list {}: {problem}", resource.name)))?;
        let mut all = client.query(own)?;
        // what the caller asks for comes before what is always sent
        all.retain(|(name, _)| query.iter().all(|(other, _)| other != name));
        all.extend(query);
        let first = Outgoing {
            method: "GET".into(),
            path,
            query: all,
            headers: Vec::new(),
            body: None,
            file: None,
            embedded: Vec::new(),
            call: CallKind::List,
            resource: resource.name.clone(),
        };
        let walk = Walk::new(first, pager.clone(), resource.singleton, resource.encoding.is_xml())
            .inside(around.clone())
            .keyed(resource.key.first().and_then(|key| read_at(resource, key)));
        let ids = resource.id_fields().iter().filter_map(|key| read_at(resource, key));
        let parts = paged_by.clone().map(|by| Parts::new(by, ids.collect()));
        Ok(Pages {
            client: client.clone(),
            walk,
            then: then.clone(),
            parts,
            resource: resource.name.clone(),
            ahead: None,
            read_ahead: false,
        })
    }

    /// Asks for the next page while the caller works on this one.
    ///
    /// Only inside a [`tokio::task::LocalSet`] (or `LocalRuntime`): the request runs as a local task there.
    #[must_use]
    pub fn read_ahead(mut self) -> Pages {
        self.read_ahead = true;
        self
    }

    /// The next page; none after the last one. Empty pages are skipped, except the first. A record that a page border cut comes
    /// when it is whole; one of which the rest was not read does not come.
    ///
    /// # Errors
    /// Where a page cannot be read or is not a list.
    pub async fn next(&mut self) -> Result<Option<Page>, CallError> {
        loop {
            let page = self.next_page().await?;
            let Some(parts) = &mut self.parts else { return Ok(page) };
            let (mut whole, total, is_first) = match page {
                Some(page) => (parts.take(page.records, page.date), page.total, self.walk.pages() == 1),
                None if self.walk.problem().is_none() => (parts.rest(), None, false),
                None => {
                    parts.drop_rest();
                    return Ok(None);
                }
            };
            if self.walk.ended() && self.walk.problem().is_none() {
                let rest = parts.rest();
                whole.date = whole.date.or(rest.date);
                whole.records.extend(rest.records);
            }
            let parts::Whole { records, date, .. } = whole;
            match (records.is_empty(), self.walk.ended()) {
                (true, true) if !is_first => return Ok(None),
                (true, false) => {}
                _ => return Ok(Some(Page { records, total, date })),
            }
        }
    }

    async fn next_page(&mut self) -> Result<Option<Page>, CallError> {
        loop {
            let reply = match self.ahead.take() {
                Some(mut ahead) => match (&mut ahead.0).await {
                    Ok(reply) => reply,
                    // only when the runtime shuts down, or a defect of this room ended the task
                    Err(gone) => Err(self.client.error(
                        ErrorClass::Unknown,
                        None,
                        &format!("the next page was not read: {gone}"),
                    )),
                },
                None => match self.walk.next_request() {
                    Some(request) => self.client.read(&request).await,
                    None => return Ok(None),
                },
            };
            let page = reply.and_then(|reply| {
                let status = reply.status;
                let client = &self.client;
                let follow = |from: &Outgoing, link: &str| client.follow(from, link).map(String::from);
                let name = &client.system().name;
                self.walk.accept(reply, &follow).map_err(|problem| {
                    client.error(ErrorClass::Unknown, Some(status), &format!("{name} was asked to {problem}"))
                })
            });
            let page = match page {
                Ok(page) => page,
                Err(error) => {
                    self.walk.fail(&error.message);
                    return Err(error);
                }
            };
            if page.records.is_empty() && self.walk.pages() > 1 {
                continue;
            }
            if self.read_ahead
                && let Some(request) = self.walk.next_request()
            {
                let client = self.client.clone();
                self.ahead =
                    Some(Ahead(tokio::task::spawn_local(async move { client.read(&request).await })));
            }
            return self.fetched(page).await.map(Some);
        }
    }

    /// The records of a page whose rows are only keys.
    async fn fetched(&mut self, page: Page) -> Result<Page, CallError> {
        let Some(call) = &self.then else { return Ok(page) };
        match fetch::fetch(&self.client, &self.resource, call, &page.records).await {
            Ok(fetch::Fetched { records, problem }) => {
                if let Some(problem) = problem {
                    self.walk.doubt(&problem);
                }
                Ok(Page { records, ..page })
            }
            Err(error) => {
                self.ahead = None;
                self.walk.fail(&error.message);
                Err(error)
            }
        }
    }

    /// Whether the list was read to its end and nothing speaks against its being whole.
    pub fn complete(&self) -> bool {
        self.walk.ended() && self.problem().is_none()
    }

    /// Why the list may not be whole: names the rule that was broken.
    pub fn problem(&self) -> Option<String> {
        let parts = self.parts.as_ref().and_then(Parts::problem);
        let problem = self.walk.problem().map(str::to_owned);
        let problem = problem.or_else(|| parts.map(|problem| format!("{}: {problem}", self.resource)));
        problem.map(|problem| self.client.scrubber().clean(&problem))
    }
}

/// Where answers hold a field of a resource.
fn read_at(resource: &Resource, field: &Path) -> Option<Query> {
    match resource.field_at(field) {
        Some((field, _)) => field.read.clone(),
        None => Query::parse(&field.to_string()).ok(),
    }
}

#[cfg(test)]
mod tests;
