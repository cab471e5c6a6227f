//! mapengine
pub mod case;
pub mod cli;
pub mod clock;
pub mod diagnostic;
pub mod http;
pub mod plan;
pub mod program;
pub mod run;
pub mod sandbox;
pub mod spec;
pub mod store;
pub mod value;
pub mod wire;
