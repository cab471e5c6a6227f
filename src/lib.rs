//! mapengine
pub mod diagnostic;
pub mod program;
pub mod spec;
pub mod value;
