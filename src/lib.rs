//! mapengine
pub mod value;
