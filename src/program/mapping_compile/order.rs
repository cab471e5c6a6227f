//! The order of registers: those that are referred to come first.

use super::Compiler;
use crate::diagnostic::codes;
use crate::program::mapping::{Register, Row, Step};
use crate::spec::mapping as spec;

impl Compiler<'_> {
    /// Every `ref` names a register (of this mapping, switched on or not) whose records it can mean.
    pub(super) fn check_references(&mut self, registers: &[Register], mapping: &spec::Mapping) {
        let rows: Vec<&Row> = registers.iter().flat_map(|register| &register.rows).collect();
        self.check_references_of(&rows, mapping);
    }

    /// The same for rows that stand elsewhere.
    pub(super) fn check_references_of(&mut self, rows: &[&Row], mapping: &spec::Mapping) {
        for row in rows {
            for step in &row.steps {
                let Step::Reference { register: target, .. } = step else { continue };
                if !mapping.registers.contains_key(target) {
                    let near = crate::diagnostic::suggest(target, mapping.registers.keys());
                    let help = near.map_or_else(
                        || {
                            format!(
                                "the registers are {}",
                                mapping.registers.keys().collect::<Vec<_>>().join(", ")
                            )
                        },
                        |near| format!("did you mean `{near}`?"),
                    );
                    self.error(
                        &codes::UNKNOWN_REGISTER,
                        row.origin.span,
                        format!("there is no register `{target}`"),
                        Some(help),
                    );
                }
            }
        }
    }

    /// Sorts registers by their references; a cycle is an error that names its members.
    pub(super) fn ordered(&mut self, registers: Vec<Register>) -> Vec<Register> {
        let mut waiting = registers;
        let mut done: Vec<Register> = Vec::new();
        while !waiting.is_empty() {
            let names: Vec<String> = waiting.iter().map(|register| register.name.clone()).collect();
            let ready =
                waiting.iter().position(|register| !register.needs.iter().any(|need| names.contains(need)));
            match ready {
                Some(index) => done.push(waiting.remove(index)),
                None => {
                    self.error(
                        &codes::CIRCLE,
                        waiting[0].origin.span,
                        format!("these registers refer to each other in a circle: {}", names.join(" → ")),
                        Some("one of the references must go: no order can satisfy them".to_owned()),
                    );
                    done.append(&mut waiting);
                }
            }
        }
        done
    }
}
