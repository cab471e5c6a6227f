//! The compiled form of a mapping: what the texts of an integrator become before a run.

pub mod actions;
pub mod document;
pub mod expr;
pub mod files;
mod format;
pub mod mapping;
pub mod mapping_compile;
pub mod open;
pub mod signature;
pub mod system;
pub mod system_compile;
pub mod types;
