//! What would happen: pure functions from what both sides hold to changes as data.

mod base;
pub mod brakes;
pub mod change;
pub mod context;
pub mod decide;
pub mod document;
pub mod flow;
pub mod gate;
pub mod linked;
pub mod reckon;
pub mod translate;

pub use base::moved;
pub use change::{Action, Change, FieldChange, Found, NewValue, Note};
pub use decide::{
    Context, Known, Record, base_of, decide_linked, decide_unlinked, in_scope, label, match_key,
};
pub use gate::{Awaited, Gate};
pub use translate::{RefTarget, View};
