//! The server's half of actions, and of writes that are answered later.

use std::sync::Arc;

use super::answer::Answer;
use super::catalogue::Fault;
use super::route::Route;
use super::stand::Stand;
use crate::http::WireRequest;
use crate::value::{Map, Query, Value, from_json_slice};

impl Stand {
    /// Does something to a record. What is done already is refused, as real systems do.
    pub(super) fn act(&mut self, request: &WireRequest, route: &Route, fault: Option<Fault>) -> Answer {
        let resource = Arc::clone(&route.resource);
        let Some(action) = resource.actions.get(&route.name) else {
            return self.error(404, "there is nothing here", "NotFound");
        };
        if let Err(answer) = self.only(request, &route.taken, &action.query) {
            return answer;
        }
        let body = match request.body.as_deref().map(|body| resource.encoding.read(body, None)) {
            None => None,
            Some(Ok(body)) => Some(body),
            Some(Err(error)) => {
                return self.error(400, &format!("the body cannot be read: {error}"), "InvalidRequest");
            }
        };
        if body.as_ref().map(Value::canonical) != action.body.as_ref().map(Value::canonical) {
            return self.error(400, "the body is not what this call takes", "InvalidParameter");
        }
        let Some(row) = self.row(&resource, route) else { return self.missing(&resource) };
        let Some(mut record) = self.table(&resource).get(row).cloned() else {
            return self.missing(&resource);
        };
        if action.done.holds(&record).unwrap_or(false) {
            return self.error(400, &format!("{} is done already", action.name), "InvalidOperation");
        }
        if let (Some(Fault::ActionFailed), Some(failed)) = (fault, &action.failed) {
            let mut body = Value::Map(Map::new());
            if let Some(path) = failed.message.as_ref().and_then(Query::as_path) {
                path.set(&mut body, Value::text("a rule of this system forbids it"));
            }
            for (path, value) in &failed.sandbox {
                path.set(&mut body, value.clone());
            }
            return Answer::done(&self.system, 200, body, &resource.encoding);
        }
        for (field, value) in &action.sandbox {
            field.set(&mut record, value.clone());
        }
        let record = self.stamped(&resource, record, false);
        self.table_mut(&resource).replace(&resource, row, record);
        Answer::empty(204)
    }
}

/// A write that was taken on: its answer, and after how many questions it is given.
#[derive(Clone, Debug)]
pub(super) struct Taken {
    resource: String,
    answer: Answer,
    questions: u64,
}

/// Below this path outcomes are asked for.
const OUTCOMES: &str = "/_outcomes/";

impl Stand {
    /// Keeps an answer back: it is asked for at an address of its own.
    pub(super) fn later(&mut self, request: &WireRequest, route: &Route, answer: Answer) -> Answer {
        let accepted = route.resource.create.as_ref().and_then(|create| create.accepted.as_ref());
        let Some(accepted) = accepted else { return answer };
        let origin = request.url.origin().ascii_serialization();
        let mut body = Value::Map(Map::new());
        if let Some(path) = accepted.poll.as_path() {
            path.set(&mut body, Value::text(format!("{origin}{OUTCOMES}{}", self.taken.len())));
        }
        let status = accepted.status;
        let questions = self.patience;
        self.taken.push(Taken { resource: route.resource.name.clone(), answer, questions });
        Answer::json(status, &body)
    }

    /// What came of a write that was taken on.
    pub(super) fn told(&mut self, request: &WireRequest) -> Option<Answer> {
        let rest = request.url.path().strip_prefix(OUTCOMES)?;
        let (number, of_content) = match rest.strip_suffix("/content") {
            Some(number) => (number, true),
            None => (rest, false),
        };
        let taken = self.taken.get_mut(number.parse::<usize>().ok()?)?;
        let resource = self.system.resources.get(&taken.resource)?;
        let accepted = resource.create.as_ref()?.accepted.as_ref()?;
        if of_content {
            let Answer { headers, body, .. } = taken.answer.clone();
            return Some(Answer { status: 200, headers, body });
        }
        let running = taken.questions > 0;
        taken.questions = taken.questions.saturating_sub(1);
        let mut body = match (running, &accepted.content) {
            (false, None) => from_json_slice(&taken.answer.body).unwrap_or(Value::Map(Map::new())),
            _ => Value::Map(Map::new()),
        };
        for (path, value) in &accepted.sandbox[usize::from(!running)] {
            path.set(&mut body, value.clone());
        }
        if running {
            return Some(Answer::json(200, &body));
        }
        let mut set = |query: &Option<crate::value::Query>, value: Value| {
            if let Some(path) = query.as_ref().and_then(crate::value::Query::as_path) {
                path.set(&mut body, value);
            }
        };
        set(&accepted.result, Value::from(i64::from(taken.answer.status)));
        let headers = taken.answer.headers.iter();
        set(
            &accepted.headers,
            Value::Map(headers.map(|(name, value)| (name.clone(), Value::text(value.clone()))).collect()),
        );
        if !taken.answer.body.is_empty() {
            let origin = request.url.origin().ascii_serialization();
            set(&accepted.content, Value::text(format!("{origin}{OUTCOMES}{number}/content")));
        }
        Some(Answer::json(200, &body))
    }
}
