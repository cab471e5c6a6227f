//! Helps a person to write files: a system file from an API description, a mapping from two systems, and the
//! manual of a mapping.
//!
//! What is written here is read by people first: every guess stands beside a comment that says what was seen and
//! what to check. Nothing here reads or writes files; texts come in and texts go out.

pub mod flow;
pub mod manual;
pub mod openapi;
pub mod proposal;
pub(crate) mod text;
pub(crate) mod words;
