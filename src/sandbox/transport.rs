//! A stand-in in process: the same requests, no socket.

use std::cell::RefCell;
use std::rc::Rc;

use super::stand::{Outcome, Stand};
use crate::clock::LocalFuture;
use crate::http::{NoAnswer, Transport, WireRequest, WireResponse};

/// Carries requests to a stand-in of this process.
#[derive(Clone)]
pub struct InProcess(pub Rc<RefCell<Stand>>);

impl Transport for InProcess {
    fn send(&self, request: WireRequest) -> LocalFuture<'_, Result<WireResponse, NoAnswer>> {
        let outcome = self.0.borrow_mut().handle(&request);
        Box::pin(async move {
            // others may go on meanwhile, as on a network
            tokio::task::yield_now().await;
            match outcome {
                Outcome::Answer(response) => Ok(response),
                Outcome::Refused => Err(NoAnswer::NotSent("nobody listens (sandbox fault)".into())),
                Outcome::Closed => Err(NoAnswer::Unknown("the connection was closed (sandbox fault)".into())),
                Outcome::Silence => Err(NoAnswer::Unknown("no answer came in time (sandbox fault)".into())),
                Outcome::Cut(mut response) => {
                    response.body = response.body.slice(..response.body.len() / 2);
                    Ok(response)
                }
            }
        })
    }
}
