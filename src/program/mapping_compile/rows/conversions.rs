//! What a row's value goes through: joins, references, code tables, conversions.

use super::RowEnd;
use crate::diagnostic::codes;
use crate::program::mapping::Step;
use crate::program::mapping_compile::Compiler;
use crate::spec::mapping as spec;
use crate::value::{Both, Decimal, Side, Value, parse_decimal};

impl Compiler<'_> {
    /// What a value goes through on its way, in order.
    pub(super) fn steps(
        &mut self,
        mapping: &spec::Mapping,
        row: &spec::Row,
        ends: &Both<Option<RowEnd>>,
    ) -> Option<Vec<Step>> {
        let words = &row.words;
        let mut steps = Vec::new();
        let many: Vec<Side> = Side::BOTH
            .into_iter()
            .filter(|side| ends[*side].as_ref().is_some_and(|end| end.paths.len() > 1))
            .collect();
        match (&words.join, &many[..]) {
            (Some(join), [side]) => steps.push(Step::Join {
                many: *side,
                with: join.value.clone(),
                count: ends[*side].as_ref().map_or(0, |end| end.paths.len()),
                overflow: words.overflow.as_ref().map(|overflow| overflow.value),
            }),
            (None, []) => {
                if let Some(overflow) = &words.overflow {
                    self.error(
                        &codes::BAD_ROW,
                        overflow.span,
                        "`overflow` is for a row with `join`: it says which of its paths keeps the parts too many",
                        Some("leave `overflow` out, or name many paths and add `join`".to_owned()),
                    );
                    return None;
                }
            }
            (Some(join), _) => {
                self.error(
                    &codes::BAD_ROW,
                    join.span,
                    "`join` is for a row with many paths on exactly one side",
                    Some("leave `join` out, or write a list of paths on one side".to_owned()),
                );
                return None;
            }
            (None, _) => {
                self.error(
                    &codes::BAD_ROW,
                    row.span,
                    "many paths on one side need `join`: the text that stands between them",
                    Some("add `join: \"\\n\"` or `join: \", \"`".to_owned()),
                );
                return None;
            }
        }
        if let Some(reference) = &words.reference {
            let fields = Both::of(|side| {
                ends[side].as_ref().and_then(|end| end.reference.as_ref()).map(|one| one.field.clone())
            });
            for side in Side::BOTH {
                if let Some(end) = &ends[side]
                    && end.reference.is_none()
                {
                    self.error(
                        &codes::NO_REFERENCE,
                        row.span,
                        format!(
                            "`{}` of {} holds no key of another record",
                            end.label, self.sides[side].name
                        ),
                        Some("say so in the system file: `ref: RESOURCE`".to_owned()),
                    );
                    return None;
                }
            }
            self.reference_target(mapping, reference, ends);
            steps.push(Step::Reference {
                register: reference.value.clone(),
                if_missing: words.if_missing.unwrap_or_default(),
                fields,
            });
        }
        if let Some(values) = &words.values {
            let table = self.code_table(
                values,
                ends.left.as_ref().map(|end| &end.ty),
                ends.right.as_ref().map(|end| &end.ty),
                words.unlisted.unwrap_or_default(),
            )?;
            let setting = match values {
                spec::Values::Setting(name) => name.value.strip_prefix("settings.").map(str::to_owned),
                spec::Values::Table(_) => None,
            };
            steps.push(Step::Codes { table, setting, unlisted: words.unlisted.unwrap_or_default() });
        }
        if let Some(convert) = &words.convert {
            steps.push(Step::Convert(convert.value));
        }
        if let Some(multiply) = &words.multiply {
            let factor = match multiply.value.strip_prefix("settings.") {
                Some(name) => {
                    self.setting_uses.insert(name.to_owned());
                    if !self.settings.contains_key(name) {
                        self.unknown_setting(name, multiply.span);
                        return None;
                    }
                    match self.answers.get(name) {
                        Some(Value::Number(number)) => Some(*number),
                        _ if self.validating => Some(Decimal::ONE),
                        _ => None,
                    }
                }
                None => parse_decimal(&multiply.value),
            };
            let Some(factor) = factor else {
                self.error(
                    &codes::WRONG_KIND,
                    multiply.span,
                    format!("`{multiply}` is no exact number"),
                    Some("write it as text, \"1.5\", or `settings.NAME` of a decimal".to_owned()),
                );
                return None;
            };
            if words.round.is_none() {
                self.error(
                    &codes::ONE_WAY_ONLY,
                    multiply.span,
                    "`multiply` needs `round`: how many places the result has",
                    Some("add `round: 2`".to_owned()),
                );
            }
            steps.push(Step::Multiply(factor));
        }
        if let Some(round) = words.round {
            steps.push(Step::Round(round));
        }
        Some(steps)
    }
}
