//! mapengine keeps the records of two REST systems equal, from YAML.
//!
//! There is one story to learn:
//!
//! ```text
//!  YAML --load--> Spec --compile--> Program --read--> Pairs --decide--> Plan --apply--> Report
//!           |            |                    (effects)      (pure)        (effects)
//!  validate +------------+  stop: findings
//!  plan     +------------+---------------------+---------------+  stop: print; no write can leave the process
//!  run      +------------+---------------------+---------------+----------+
//!  test     +------------+   stand-ins answer instead of the systems; then compare
//! ```
//!
//! - [`spec`] is what the user wrote, with its places; [`program`] is what it means: every name resolved, every
//!   path and expression compiled and typed. After that nobody looks at YAML again.
//! - A **register** is kept equal; a **document** travels once and then has a life. Both are pairs of records with a
//!   link; a document's link holds how far it is, and each of its steps is a write of its own in the journal.
//! - [`plan`] decides: a pure function of one pair of records, what both last agreed on (the base), and what
//!   the state knows. Three-way compare, field by field.
//! - [`run`] has the effects in order: recover, read, check, decide, brake, apply; first the registers, then, when what
//!   they refer to is there, the documents. An intent is on disk
//!   before its request leaves, its outcome after; an unknown outcome is never repeated blindly.
//! - [`store`] keeps mirror, links, bases, cursors and intents; [`http`] carries requests; [`wire`] turns
//!   records into requests and answers into records; [`sandbox`] stands in for systems; [`case`] runs the engine
//!   against stand-ins; [`authoring`] helps to write the files and makes a mapping's manual; [`cli`] alone prints,
//!   reads the environment and exits.
//!
//! A room imports lower layers only (`tests/layers.rs` holds it):
//!
//! ```text
//! layer 8   cli
//! layer 7   case
//! layer 6   sandbox
//! layer 5   run
//! layer 4   http       store
//! layer 3   plan       wire        authoring
//! layer 2   program
//! layer 1   spec
//! layer 0   value      diagnostic     clock
//! ```
//!
//! Plain data crosses upwards where it describes what a lower room works on: `http::Outgoing` is what `wire`
//! makes, `store::RecordRef` is how `plan` names a record.
//!
//! Nothing in here names a product: what is special about one stands in its system file.

pub mod authoring;
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
