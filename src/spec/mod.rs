//! spec
pub mod cases;
pub mod connection;
pub mod mapping;
pub mod sandbox;
pub mod short;
pub mod system;
pub mod yaml;
