//! What a user may write, typed and with its places, and nothing more: no name is looked up here.

pub mod actions;
pub mod cases;
pub mod connection;
pub mod documents;
pub mod expand;
pub mod files;
pub mod idempotency;
pub mod load;
pub mod mapping;
pub mod reconcile;
pub mod sandbox;
pub mod short;
pub mod system;
pub mod yaml;
