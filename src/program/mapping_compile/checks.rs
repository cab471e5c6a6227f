//! Checks: questions answered before anything is written.

use super::Compiler;
use crate::diagnostic::{codes, suggest};
use crate::program::mapping::{Check, CheckKind, Register};
use crate::spec::mapping as spec;
use crate::value::Side;

impl Compiler<'_> {
    pub(super) fn compile_checks(&mut self, mapping: &spec::Mapping, registers: &[Register]) -> Vec<Check> {
        mapping.checks.iter().filter_map(|check| self.check(mapping, check, registers)).collect()
    }

    fn check(
        &mut self,
        mapping: &spec::Mapping,
        check: &spec::Check,
        registers: &[Register],
    ) -> Option<Check> {
        let base = self.base_scope();
        let when = match &check.when {
            Some(when) => Some(self.expr(when, &base)?),
            None => None,
        };
        let kinds = usize::from(check.that.is_some())
            + usize::from(!check.access.is_empty())
            + usize::from(check.confirm.is_some());
        // a condition may stand beside a sentence to confirm: the condition is what is asked by itself
        if kinds == 0 || (!check.access.is_empty() && kinds > 1) {
            self.error(
                &codes::BAD_CHECK,
                check.id.span,
                format!("check `{}` asks nothing, or two things", check.id),
                Some("give it one of `that`, `access`, `confirm`".to_owned()),
            );
            return None;
        }
        let mut scope = base;
        let kind = if let Some(each) = &check.each {
            let parts: Vec<&str> = each.value.split('.').collect();
            let (register, side) = match parts[..] {
                ["registers", register, side] => (register.to_owned(), side.to_owned()),
                _ => {
                    self.error(
                        &codes::BAD_CHECK,
                        each.span,
                        format!("`{each}` names no side of a register"),
                        Some(format!("write `registers.NAME.{}`", self.sides.left.name)),
                    );
                    return None;
                }
            };
            let side = self.side(&crate::diagnostic::At { value: side, span: each.span })?;
            let Some(found) = registers.iter().find(|one| one.name == register) else {
                // a register that is switched off has no records to ask
                if !mapping.registers.contains_key(&register) {
                    let help = match suggest(&register, mapping.registers.keys()) {
                        Some(near) => format!("did you mean `{near}`?"),
                        None if mapping.registers.is_empty() => "this mapping has no registers".to_owned(),
                        None => format!(
                            "the registers are {}",
                            mapping.registers.keys().collect::<Vec<_>>().join(", ")
                        ),
                    };
                    self.error(
                        &codes::UNKNOWN_REGISTER,
                        each.span,
                        format!("there is no register `{register}`"),
                        Some(help),
                    );
                }
                return None;
            };
            let ty = self.end_type(&found.ends[side], &[]);
            scope = match side {
                Side::Left => self.scope_with(Some(&ty), None, Some(side)),
                Side::Right => self.scope_with(None, Some(&ty), Some(side)),
            };
            let Some(that) = &check.that else {
                self.error(
                    &codes::BAD_CHECK,
                    each.span,
                    "`each` needs `that`",
                    Some("add `that: \"…\"`: what every record must satisfy".to_owned()),
                );
                return None;
            };
            let that = self.expr(that, &scope)?;
            let end = found.ends[side].clone();
            self.need_uses(side, &end, that.uses());
            CheckKind::Each { register, side, that }
        } else if let Some(that) = &check.that {
            CheckKind::That(self.expr(that, &scope)?)
        } else if let Some(confirm) = &check.confirm {
            CheckKind::Confirm(confirm.clone())
        } else {
            let sides: Vec<Side> = check.access.iter().filter_map(|name| self.side(name)).collect();
            CheckKind::Access(sides)
        };
        let otherwise = match &check.otherwise {
            Some(text) => {
                let template = self.template(text, &scope)?;
                if let CheckKind::Each { register, side, .. } = &kind
                    && let Some(found) = registers.iter().find(|one| one.name == *register)
                {
                    let end = found.ends[*side].clone();
                    self.need_uses(*side, &end, template.uses());
                }
                Some(template)
            }
            None => {
                if !matches!(kind, CheckKind::Confirm(_)) {
                    self.error(
                        &codes::BAD_CHECK,
                        check.id.span,
                        format!("check `{}` does not say what is wrong when it fails", check.id),
                        Some("add `else: \"…\"`: what is wrong and where a person puts it right".to_owned()),
                    );
                    return None;
                }
                None
            }
        };
        Some(Check { id: check.id.value.clone(), kind, when, otherwise, origin: self.origin(check.id.span) })
    }
}
