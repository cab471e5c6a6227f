//! `mapengine test`: given records → expected changes, requests and messages, against the stand-ins.

mod cases;
mod harness;

pub use cases::{CaseResult, run_file};
pub use harness::{Harness, QuickClock};
