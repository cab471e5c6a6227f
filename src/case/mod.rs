//! `mapengine test`: given records → expected changes, requests and messages, against the stand-ins.

mod cases;
mod check;
mod expect;
mod harness;

pub use cases::{CaseResult, run_file};
pub use check::{check_sandbox, open_cases};
pub use harness::{Harness, QuickClock};
