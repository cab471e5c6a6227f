//! Constants and code tables, typed by their fields.

use super::Compiler;
use crate::diagnostic::{At, Span, codes, suggest};
use crate::program::mapping::Unlisted;
use crate::program::types::Type;
use crate::spec::mapping as spec;
use crate::value::{Value, parse_decimal};

impl Compiler<'_> {
    /// A constant of the type of its field.
    pub(super) fn constant(&mut self, ty: &Type, constant: &At<Value>, label: &str) -> Option<Value> {
        match (ty, &constant.value) {
            (
                Type::Text | Type::Id | Type::Choice(_) | Type::Date | Type::Time,
                Value::Number(_) | Value::Bool(_),
            ) => {
                let text = constant.value.scalar_text().unwrap_or_default();
                self.error(
                    &codes::WRONG_KIND,
                    constant.span,
                    format!("{label} is {ty}, this is {}", constant.value.kind()),
                    Some(format!("codes are text: write \"{text}\"")),
                );
                None
            }
            (_, Value::Text(text)) => self.code(ty, &At { value: text.clone(), span: constant.span }, label),
            (Type::Bool, Value::Bool(_)) | (Type::Integer, Value::Number(_)) | (Type::Any, _) => {
                Some(constant.value.clone())
            }
            (Type::Decimal, Value::Number(number)) => {
                self.error(
                    &codes::WRONG_KIND,
                    constant.span,
                    format!("{label} is an amount, and amounts are written as text"),
                    Some(format!("write \"{number}\"")),
                );
                None
            }
            (_, value) => {
                self.error(
                    &codes::WRONG_KIND,
                    constant.span,
                    format!("{label} is {ty}, this is {}", value.kind()),
                    Some(format!("write it as {ty}")),
                );
                None
            }
        }
    }

    /// A code as it stands in a table or constant, read as the type of its field.
    pub(super) fn code(&mut self, ty: &Type, code: &At<String>, label: &str) -> Option<Value> {
        let text = &code.value;
        let value = match ty {
            Type::Bool => match text.as_str() {
                "true" => Some(Value::Bool(true)),
                "false" => Some(Value::Bool(false)),
                _ => None,
            },
            Type::Integer => parse_decimal(text).filter(|number| number.fract().is_zero()).map(Value::Number),
            Type::Decimal => parse_decimal(text).map(Value::Number),
            Type::Choice(of) => {
                if !of.iter().any(|one| one == text) {
                    let help = suggest(text, of.iter().map(String::as_str)).map_or_else(
                        || format!("it can be {}", of.join(", ")),
                        |near| format!("did you mean `{near}`?"),
                    );
                    self.error(
                        &codes::NEVER_THIS_VALUE,
                        code.span,
                        format!("{label} is never `{text}`"),
                        Some(help),
                    );
                    return None;
                }
                Some(Value::text(text.clone()))
            }
            Type::Object(_) | Type::List(_) | Type::Table(_) | Type::File => None,
            Type::Any | Type::Text | Type::Id | Type::Date | Type::Time => Some(Value::text(text.clone())),
        };
        if value.is_none() {
            self.error(
                &codes::WRONG_KIND,
                code.span,
                format!("{label} is {ty}, `{text}` is not"),
                Some(format!("write the codes as the values of {label}: {ty}")),
            );
        }
        value
    }

    /// A code table of the mapping or of the company.
    pub(super) fn code_table(
        &mut self,
        values: &spec::Values,
        left: Option<&Type>,
        right: Option<&Type>,
        unlisted: Unlisted,
    ) -> Option<Vec<(Value, Vec<Value>)>> {
        let (left, right) = (left.unwrap_or(&Type::Any), right.unwrap_or(&Type::Any));
        match values {
            spec::Values::Setting(text) => {
                let Some(name) = text.value.strip_prefix("settings.") else {
                    self.error(
                        &codes::UNKNOWN_SETTING,
                        text.span,
                        format!("`{text}` is no code table"),
                        Some("write the table here, or `settings.NAME`".to_owned()),
                    );
                    return None;
                };
                self.setting_uses.insert(name.to_owned());
                if !self.settings.contains_key(name) {
                    self.unknown_setting(name, text.span);
                    return None;
                }
                let Some(Value::Map(map)) = self.answers.get(name).cloned() else { return Some(Vec::new()) };
                let mut table = Vec::new();
                for (code, other) in map {
                    let at = |value: String| At { value, span: text.span };
                    let here = self.code(left, &at(code.clone()), name)?;
                    let there = self.code(right, &at(other.scalar_text().unwrap_or_default()), name)?;
                    table.push((here, vec![there]));
                }
                Some(table)
            }
            spec::Values::Table(codes_table) => {
                let mut table: Vec<(Value, Vec<Value>)> = Vec::new();
                let mut seen: Vec<(Value, Span)> = Vec::new();
                let mut fine = true;
                for (code, others) in codes_table.iter() {
                    let Some(here) = self.code(left, code, "the left field") else {
                        fine = false;
                        continue;
                    };
                    let mut there = Vec::new();
                    for other in &others.0 {
                        let Some(value) = self.code(right, other, "the right field") else {
                            fine = false;
                            continue;
                        };
                        if seen.iter().any(|(one, _)| *one == value) {
                            self.error(
                                &codes::CODE_TWICE,
                                other.span,
                                format!("`{other}` stands twice in this table"),
                                Some(
                                    "a code can mean one thing only, or the way back is not clear".to_owned(),
                                ),
                            );
                            fine = false;
                        }
                        seen.push((value.clone(), other.span));
                        there.push(value);
                    }
                    table.push((here, there));
                }
                if let (Type::Choice(of), Unlisted::SetAside) = (right, unlisted) {
                    let unreached: Vec<&str> = of
                        .iter()
                        .filter(|one| !seen.iter().any(|(value, _)| value.as_text() == Some(one)))
                        .map(String::as_str)
                        .collect();
                    if !unreached.is_empty()
                        && let Some((first, _)) = codes_table.iter().next()
                    {
                        self.warning(
                            &codes::CODES_LEFT_OUT,
                            first.span,
                            format!("the table does not say what {} mean", unreached.join(", ")),
                            Some(
                                "a record with such a code is set aside; add them, or say `unlisted: leave`"
                                    .to_owned(),
                            ),
                        );
                    }
                }
                fine.then_some(table)
            }
        }
    }
}
