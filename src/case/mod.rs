//! `mapengine test`: given records → expected changes, requests and messages, against the stand-ins.

mod harness;

pub use harness::{Harness, QuickClock};
