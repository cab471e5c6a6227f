//! Steps that do something to a record.

use super::Compiler;
use crate::diagnostic::{At, codes, suggest};
use crate::program::document::{ActionStep, Step};
use crate::program::expr::Expr;
use crate::program::mapping::Register;
use crate::program::types::Type;
use crate::spec::documents as doc;
use crate::value::{Both, Path, Side};

impl Compiler<'_> {
    /// An action of one of the records.
    pub(super) fn action_step(
        &mut self,
        name: &At<String>,
        written: &doc::ActionStep,
        register: &Register,
        types: &Both<Type>,
    ) -> Option<ActionStep> {
        let [(key, action)] = &written.sides[..] else {
            let (left, right) = (self.sides.left.name.clone(), self.sides.right.name.clone());
            let place = written.sides.get(1).map_or(name.span, |(key, _)| key.span);
            self.error(
                &codes::BAD_STEP,
                place,
                "an action is one of one side",
                Some(format!("write `action: {{ {left}: NAME }}` or `action: {{ {right}: NAME }}`")),
            );
            return None;
        };
        let side = self.side(key)?;
        for member in &register.ends[side].members {
            let resource = &member.resource;
            let Some(known) = resource.actions.get(&action.value) else {
                let names: Vec<&str> = resource.actions.keys().map(String::as_str).collect();
                let help = match suggest(&action.value, names.iter().copied()) {
                    Some(near) => format!("did you mean `{near}`?"),
                    None if names.is_empty() => "actions are declared in the system file".to_owned(),
                    None => format!("it has {}", names.join(", ")),
                };
                self.error(
                    &codes::BAD_STEP,
                    action.span,
                    format!("{} of {} has no action `{action}`", resource.name, self.sides[side].name),
                    Some(help),
                );
                return None;
            };
            let uses = known.done.uses();
            self.need_uses(side, &register.ends[side].clone(), uses);
        }
        let when = self.step_when(written.words.when.as_ref(), register, types)?;
        Some(ActionStep { side, action: action.value.clone(), when })
    }

    /// The condition of a step, over both records; the outer `None` is a mistake.
    #[allow(clippy::option_option)]
    pub(super) fn step_when(
        &mut self,
        text: Option<&At<String>>,
        register: &Register,
        types: &Both<Type>,
    ) -> Option<Option<Expr>> {
        let Some(text) = text else { return Some(None) };
        let scope = self.scope_with(Some(&types.left), Some(&types.right), None);
        let when = self.expr(text, &scope)?;
        for side in Side::BOTH {
            let prefix = Path::key(self.sides[side].name.clone());
            let uses: Vec<Path> =
                when.uses().into_iter().filter(|path| path.strip_prefix(&prefix).is_some()).collect();
            self.need_uses(side, &register.ends[side].clone(), uses);
        }
        Some(Some(when))
    }

    /// What was done cannot be taken back: a check that deletes comes first.
    pub(super) fn undone_after_action(&mut self, name: &At<String>, steps: &[Step]) {
        let acted = steps.iter().position(|step| matches!(step, Step::Action(_)));
        let deletes = steps.iter().rposition(|step| matches!(step, Step::Verify(verify) if verify.delete));
        if let (Some(acted), Some(deletes)) = (acted, deletes)
            && acted < deletes
        {
            self.error(
                &codes::BAD_STEP,
                name.span,
                "a check deletes what an action has been done to",
                Some("write the `verify` before the `action`".to_owned()),
            );
        }
    }
}
