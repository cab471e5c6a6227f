//! mapengine
pub mod clock;
pub mod http;
pub mod program;
pub mod value;
