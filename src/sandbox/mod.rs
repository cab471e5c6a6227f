//! Stand-ins: every system file gets a working server for free, in process or over HTTP.
//!
//! A [`Stand`] answers what the system file declares – auth, paging, cursors, encodings, number series, typed
//! validation – and is stricter than the real thing: unknown fields, wrong kinds, wrong shapes and missing
//! proof are refused. It names no product: everything it knows stands in the system file and the data file.

mod answer;
mod company;
mod data;
mod fault;
mod proof;
mod route;
mod serve;
mod stand;
mod table;
mod transport;

pub use company::{Company, CompanyError, credentials};
pub use fault::{FAULTS, Fault, Faults};
pub use serve::{Served, serve};
pub use stand::{LoggedWrite, Outcome, Stand};
pub use transport::InProcess;
