//! mapengine
pub mod clock;
pub mod http;
pub mod value;
