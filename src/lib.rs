//! mapengine
pub mod program;
pub mod value;
