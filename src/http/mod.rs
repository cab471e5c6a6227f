//! The network room: requests leave here and nowhere else.
//!
//! ```text
//!  Pages ──► Client ──► Line ──► Transport
//!   (walk)    (auth,     (pacing,   (Network, or the sandbox in process)
//!              verdict)   log)
//! ```
//!
//! - [`Network`] carries one request: one attempt, no redirect, no proxy, TLS verified, the body capped.
//! - [`Client`] speaks to one system: it proves who it is, keeps to the system's rates, repeats reads that
//!   failed by chance, and sends a write **once**. What an answer means is decided by the pure `verdict`.
//! - [`Pages`] reads a whole list, and says honestly whether it is whole.
//!
//! Three things are held here for the whole engine. A write with an unknown outcome is never repeated
//! (see [`WriteOutcome`]). A credential never leaves for another origin, and never stands in a message
//! or log (`secrets`). Time and randomness are arguments, so that a run can be simulated.

mod accepted;
mod address;
mod auth;
mod body;
mod client;
mod content;
#[cfg(test)]
mod end_to_end;
mod file;
mod line;
mod network;
mod outcome;
mod pacing;
mod pages;
mod payload;
mod retry;
mod secrets;
#[cfg(test)]
mod testing;
mod token;
mod types;
mod verdict;

pub use body::LARGEST;
pub use client::{Access, Client, ClientSetup};
pub use content::{Content, LARGEST_FILE};
pub use file::{Embedded, FileBody};
pub use line::Listener as CallListener;
pub use network::{Network, NetworkSetup};
pub use outcome::{CallError, LoggedCall, Reply, WriteOutcome};
pub use pages::{Page, Pages};
pub use payload::Payload;
pub use secrets::Scrubber;
pub use types::{NoAnswer, Outgoing, Transport, WireRequest, WireResponse};
