//! Helps a person to write files: a system file from an API description.
//!
//! What is written here is read by people first: every guess stands beside a comment that says what was seen and
//! what to check. Nothing here reads or writes files; texts come in and texts go out.

pub mod openapi;
pub(crate) mod text;
pub(crate) mod words;
