//! Lists that came incomplete: what could stand in them is not made, and what stands below a record is not filled.

use std::collections::HashSet;

use super::decider::Decider;
use crate::plan::{Action, Change};
use crate::program::mapping::Register;
use crate::value::{Path, Side};

/// What came incomplete in a run.
#[derive(Clone, Debug, Default)]
pub(super) struct Incomplete {
    /// Resources whose list did.
    pub lists: HashSet<(Side, String)>,
    /// Resources whose list below a record did, with the record's id.
    pub below: HashSet<(Side, String, String)>,
}

impl Decider {
    /// Whether a list came incomplete in which a record's counterpart could be.
    pub(super) fn came_incomplete(&self, register: &Register, side: Side) -> bool {
        let mut members = register.ends[side].members.iter();
        members.any(|member| self.incomplete.lists.contains(&(side, member.resource.name.clone())))
    }

    /// A change that writes to what stands below a record waits where not all of that came: what seems to lack may be there.
    pub(super) fn not_half_read(&self, register: &Register, mut change: Change) -> Change {
        if self.incomplete.lists.is_empty() && self.incomplete.below.is_empty() {
            return change;
        }
        for side in Side::BOTH {
            let Some(at) = change.on(side).cloned() else { continue };
            let Some(member) = register.member(side, &at.resource) else { continue };
            let half = member.resource.parts.iter().find(|(_, part)| {
                let (list, id) = (part.resource.clone(), at.id.clone());
                self.incomplete.lists.contains(&(side, list.clone()))
                    || self.incomplete.below.contains(&(side, list, id))
            });
            let Some((name, part)) = half else { continue };
            let of_part = |path: &str| {
                let Ok(path) = Path::parse(path) else { return false };
                member.resource.fields.iter().any(|field| {
                    path.strip_prefix(&field.name).is_some()
                        && field.pivot.as_ref().is_some_and(|pivot| pivot.part == *name)
                })
            };
            if change.fields[side].iter().any(|field| of_part(&field.path)) {
                let there = &self.program.sides[side].name;
                change.action = Action::Wait {
                    reason: format!(
                        "the list of {there} {} came incomplete in this run: it is read again in the next one",
                        part.resource
                    ),
                };
                change.fields = Default::default();
                return change;
            }
        }
        change
    }
}
