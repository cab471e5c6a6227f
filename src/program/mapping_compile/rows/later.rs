//! `conflict: later`: whether the two systems can tell it.

use super::{RowEnd, Table, members_of};
use crate::diagnostic::{Span, codes};
use crate::program::mapping_compile::Compiler;
use crate::program::system::Zone;
use crate::value::{Both, Side};

impl Compiler<'_> {
    /// `conflict: later` asks both systems when a record changed: both must say it, as a time with a zone, of what the row
    /// writes and not of a record around it.
    pub(super) fn tells_later(
        &mut self,
        table: &Table,
        only: &[String],
        ends: &Both<Option<RowEnd>>,
        span: Span,
    ) {
        for side in Side::BOTH {
            let name = self.sides[side].name.clone();
            let members = members_of(table, side, only);
            let problem = if self.sides[side].system.times.zone == Zone::None {
                Some(format!("the times of {name} have no zone"))
            } else if let Some(one) = members.iter().find(|one| one.cursor.is_none()) {
                Some(format!("{} of {name} does not say when it changed (`cursor`)", one.name))
            } else {
                let inside = ends[side].as_ref().is_some_and(|end| end.part);
                inside.then(|| format!("the value stands in a record of its own in {name}"))
            };
            if let Some(problem) = problem {
                self.error(
                    &codes::BAD_ROW,
                    span,
                    format!("which change is later cannot be told: {problem}"),
                    Some("give the row a `master`, or leave `conflict` out".to_owned()),
                );
                return;
            }
        }
    }
}
