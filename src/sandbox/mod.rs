//! Stand-ins: every system file gets a working server for free, in process or over HTTP.
//!
//! A [`Stand`] answers what the system file declares – auth, paging, cursors, encodings, number series, typed
//! validation – and is stricter than the real thing: unknown fields, wrong kinds, wrong shapes and missing
//! proof are refused. It names no product: everything it knows stands in the system file and the data file.

mod actions;
mod answer;
mod calls;
mod catalogue;
mod company;
mod data;
mod fault;
mod files;
mod keyed;
mod kinds;
mod line;
mod list;
mod pages;
mod people;
mod proof;
mod query;
mod remains;
mod route;
mod serve;
mod since;
mod stand;
mod table;
mod transport;
mod versions;

#[cfg(test)]
mod tests;

pub use catalogue::{FAULTS, Fault};
pub use company::{Company, CompanyError, credentials};
pub use fault::Faults;
pub use files::Stored;
pub use kinds::{Misfit, misfits};
pub use serve::{Served, serve};
pub use stand::{LoggedWrite, Outcome, Stand};
pub use transport::{InProcess, Timed};
