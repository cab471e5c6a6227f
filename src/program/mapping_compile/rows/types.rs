//! Whether both ends of a row, and what is between them, hold the same kind of value.

use crate::diagnostic::{At, codes};
use crate::program::mapping::{Apply, Convert, Row, Step};
use crate::program::mapping_compile::Compiler;
use crate::program::types::Type;
use crate::spec::mapping as spec;
use crate::value::{Both, Side};

use super::*;

impl Compiler<'_> {
    /// The register that is referred to must hold the resource that each end's key belongs to.
    pub(super) fn reference_target(
        &mut self,
        mapping: &spec::Mapping,
        reference: &At<String>,
        ends: &Both<Option<RowEnd>>,
    ) {
        let Some(register) = mapping.registers.get(&reference.value) else { return };
        for side in Side::BOTH {
            let Some(target) = ends[side].as_ref().and_then(|end| end.reference.as_ref()) else { continue };
            let name = self.sides[side].name.clone();
            let Some((_, end)) = register.sides.iter().find(|(key, _)| key.value == name) else { continue };
            let holds = end.resource.as_ref().is_some_and(|resource| resource.value == target.resource)
                || end.one_of.contains_key(&target.resource);
            if !holds {
                self.error(
                    &codes::NO_REFERENCE,
                    reference.span,
                    format!("register `{reference}` does not hold {} of {name}", target.resource),
                    Some(format!("name the register whose `{name}` is {}", target.resource)),
                );
                continue;
            }
            // where the value is computed nothing is looked for by this field: a part of the key will do
            let computed = ends[side.other()].is_none();
            if let Some(resource) = self.sides[side].system.resources.get(&target.resource).cloned()
                && !(computed && resource.key.contains(&target.field))
                && !matched_by(register, &self.sides.left.name, &name, &target.field)
                && resource.key != [target.field.clone()]
                && resource.identity.as_ref() != Some(&target.field)
            {
                self.error(
                    &codes::NO_REFERENCE,
                    reference.span,
                    format!(
                        "{} of {name} is referred to by `{}`, which is not its key",
                        target.resource, target.field
                    ),
                    Some("a reference goes by the key or the identity of a record, or by a field that the register matches by".to_owned()),
                );
            }
        }
    }

    /// The two ends of a row must hold the same kind of value after its steps.
    pub(super) fn check_types(&mut self, row: &spec::Row, ends: &Both<Option<RowEnd>>, steps: &[Step]) {
        let (Some(left), Some(right)) = (&ends.left, &ends.right) else { return };
        if steps
            .iter()
            .any(|step| matches!(step, Step::Codes { .. } | Step::Reference { .. } | Step::Join { .. }))
        {
            return;
        }
        let convert = steps.iter().find_map(|step| match step {
            Step::Convert(convert) => Some(*convert),
            _ => None,
        });
        if let Some(Convert::Not) = convert
            && (left.ty != Type::Bool || right.ty != Type::Bool)
        {
            self.error(
                &codes::WRONG_KIND,
                row.span,
                "`convert: not` is for two true/false fields",
                Some("say what corresponds to what: `values: { true: …, false: … }`".to_owned()),
            );
            return;
        }
        if convert.is_some() || alike(&left.ty, &right.ty) {
            if let (Type::Choice(one), Type::Choice(two), None) = (&left.ty, &right.ty, convert) {
                let missing: Vec<&str> =
                    one.iter().filter(|value| !two.contains(value)).map(String::as_str).collect();
                if !missing.is_empty() {
                    self.error(
                        &codes::NEVER_THIS_VALUE,
                        row.span,
                        format!("{} can be {}, {} cannot", left.label, missing.join(", "), right.label),
                        Some("say what corresponds to what with `values: { … }`".to_owned()),
                    );
                }
            }
            return;
        }
        let help = match (&left.ty, &right.ty) {
            (Type::Bool, _) | (_, Type::Bool) => {
                "say what corresponds to what: `values: { true: [Active], false: [Inactive] }`".to_owned()
            }
            (Type::Integer, Type::Text) | (Type::Text, Type::Integer) => {
                "add `convert: integer` (or `text`): it works both ways".to_owned()
            }
            (Type::Date, Type::Time) | (Type::Time, Type::Date) => "add `convert: date`".to_owned(),
            (Type::Decimal, Type::Text) | (Type::Text, Type::Decimal) => "add `convert: decimal`".to_owned(),
            (Type::Object(_), Type::Object(_)) => "add `fields:` with the name of a table".to_owned(),
            _ => "add `convert:`, or choose another field".to_owned(),
        };
        self.error(
            &codes::WRONG_KIND,
            row.span,
            format!(
                "{} of {} is {}, {} of {} is {}",
                left.label, self.sides.left.name, left.ty, right.label, self.sides.right.name, right.ty
            ),
            Some(help),
        );
    }

    pub(in crate::program::mapping_compile) fn check_value_type(
        &mut self,
        target: &Type,
        value: &Type,
        at: Option<&At<String>>,
        label: &str,
    ) {
        let Some(at) = at else { return };
        let fits = alike(target, value)
            || matches!(value, Type::Any)
            || matches!(
                (target, value),
                (
                    Type::Decimal | Type::Date | Type::Time | Type::Choice(_) | Type::Integer | Type::Id,
                    Type::Text
                )
            );
        if !fits {
            self.error(
                &codes::WRONG_KIND,
                at.span,
                format!("{label} is {target}, this gives {value}"),
                Some(wanted(target)),
            );
        }
    }

    /// Two rows may not give one field different values.
    pub(super) fn same_targets(&mut self, rows: &[Row]) {
        for (i, row) in rows.iter().enumerate() {
            for other in &rows[..i] {
                let overlap = row.only.is_empty()
                    || other.only.is_empty()
                    || row.only.iter().any(|one| other.only.contains(one));
                let conditional = row.when.is_some() && other.when.is_some();
                let moments = [row.apply, other.apply];
                let apart = moments.contains(&Apply::CreateOnly) && moments.contains(&Apply::UpdateOnly);
                if !overlap || conditional || apart {
                    continue;
                }
                for side in Side::BOTH {
                    if !row.writes[side] || !other.writes[side] {
                        continue;
                    }
                    if let Some(path) = row.paths(side).iter().find(|path| other.paths(side).contains(path)) {
                        let place = other.origin.text.clone();
                        self.error(
                            &codes::WRITTEN_TWICE,
                            row.origin.span,
                            format!(
                                "`{path}` of {} is written by another row already ({place})",
                                self.sides[side].name
                            ),
                            Some("keep one of them, or give both a `when`".to_owned()),
                        );
                    }
                }
            }
        }
    }
}

/// What an expression has to give.
fn wanted(target: &Type) -> String {
    match target {
        Type::Bool => "write a condition: `settings.x`, `a == b`, `x is not none`".to_owned(),
        Type::Decimal => "make an exact number of it: `… | decimal`".to_owned(),
        Type::Integer => "make a whole number of it: `… | integer`".to_owned(),
        Type::Text | Type::Id => "make text of it: `… | string`".to_owned(),
        Type::Date => "make a date of it: `… | date`".to_owned(),
        other => format!("write an expression that gives {other}"),
    }
}
