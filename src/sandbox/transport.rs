//! A stand-in in process: the same requests, no socket.

use std::cell::RefCell;
use std::rc::Rc;

use super::stand::{Outcome, Stand};
use crate::clock::{Clock, LocalFuture};
use crate::http::{NoAnswer, Payload, Transport, WireRequest, WireResponse};

/// Carries requests to a stand-in of this process. Nothing takes time: what does not come is missing at once.
#[derive(Clone)]
pub struct InProcess(pub Rc<RefCell<Stand>>);

impl InProcess {
    /// The same by a clock: slow answers take their time, and what is late by time arrives in time.
    pub fn timed(self, clock: Rc<dyn Clock>) -> Timed {
        Timed { stand: self.0, clock }
    }
}

/// Carries requests to a stand-in of this process, by a clock.
#[derive(Clone)]
pub struct Timed {
    stand: Rc<RefCell<Stand>>,
    clock: Rc<dyn Clock>,
}

impl Transport for InProcess {
    fn send(&self, request: WireRequest<Payload>) -> LocalFuture<'_, Result<WireResponse, NoAnswer>> {
        let outcome = request.arrived().map(|request| self.0.borrow_mut().handle(&request));
        Box::pin(async move {
            // others may go on meanwhile, as on a network
            tokio::task::yield_now().await;
            arrived(outcome?)
        })
    }
}

impl Transport for Timed {
    fn send(&self, request: WireRequest<Payload>) -> LocalFuture<'_, Result<WireResponse, NoAnswer>> {
        let outcome = request.arrived().map(|request| {
            let mut stand = self.stand.borrow_mut();
            stand.pass(self.clock.monotonic());
            stand.tell_time(self.clock.now_ms());
            stand.handle(&request)
        });
        Box::pin(async move {
            let outcome = outcome?;
            match &outcome {
                Outcome::Slow(_, pause) => self.clock.sleep(*pause).await,
                _ => tokio::task::yield_now().await,
            }
            arrived(outcome)
        })
    }
}

fn arrived(outcome: Outcome) -> Result<WireResponse, NoAnswer> {
    let unknown = |text: &str| Err(NoAnswer::Unknown(format!("{text} (sandbox fault)")));
    match outcome {
        Outcome::Answer(response) | Outcome::Slow(response, _) => Ok(response),
        Outcome::Refused => Err(NoAnswer::NotSent("nobody listens (sandbox fault)".into())),
        Outcome::Closed => unknown("the connection was closed"),
        Outcome::Silence => unknown("no answer came in time"),
        Outcome::Cut(response) => unknown(&format!("it answered {}, but its body is cut", response.status)),
        Outcome::Dribble(response) => {
            unknown(&format!("it answered {}, but its body did not come in time", response.status))
        }
    }
}
