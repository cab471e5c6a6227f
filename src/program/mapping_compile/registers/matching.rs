//! How records of both sides find each other: keys, fields that no two share, conditions, the parent.

use crate::diagnostic::{At, codes, suggest};
use crate::program::mapping::{Endpoint, Row, Step, Unique, Valid};
use crate::program::mapping_compile::Compiler;
use crate::program::types::Type;
use crate::spec::mapping as spec;
use crate::value::{Both, Side};

impl Compiler<'_> {
    pub(super) fn matching(
        &mut self,
        words: &spec::RegisterWords,
        rows: &[Row],
        name: &At<String>,
    ) -> Vec<Vec<usize>> {
        let mut entries = Vec::new();
        for entry in words.matching.iter() {
            let mut indexes = Vec::new();
            for row_name in entry.iter() {
                let found = rows.iter().position(|row| {
                    row.is_two_sided()
                        && (row.left.len() == 1 && row.left[0].to_string() == row_name.value
                            || row.id == row_name.value)
                });
                // or it is called by its path on one of the sides
                let found = found.or_else(|| {
                    Side::BOTH.into_iter().find_map(|side| {
                        let path = row_name.value.strip_prefix(&self.sides[side].name)?.strip_prefix('.')?;
                        rows.iter().position(|row| {
                            row.is_two_sided() && matches!(row.paths(side), [one] if one.to_string() == path)
                        })
                    })
                });
                // one with many paths is called by the first of them
                let found = found.or_else(|| {
                    rows.iter().position(|row| {
                        row.is_two_sided()
                            && row.left.first().is_some_and(|one| one.to_string() == row_name.value)
                    })
                });
                match found {
                    Some(index) => indexes.push(index),
                    // that row is wrong, which was said
                    None if self.is_written(&words.fields, &row_name.value) => {}
                    None => {
                        let names: Vec<String> = rows
                            .iter()
                            .filter(|row| row.is_two_sided())
                            .filter_map(|row| Some(row.left.first()?.to_string()))
                            .collect();
                        let help = match suggest(&row_name.value, names.iter().map(String::as_str)) {
                            Some(near) => format!("did you mean `{near}`?"),
                            None if names.is_empty() => format!(
                                "add a row of both sides: `{{ {}: {row_name}, {}: FIELD }}`",
                                self.sides.left.name, self.sides.right.name
                            ),
                            None => format!(
                                "rows are named by their path in {}: {}",
                                self.sides.left.name,
                                names.join(", ")
                            ),
                        };
                        self.error(
                            &codes::NO_MATCH,
                            row_name.span,
                            format!("no row of `{name}` is called `{row_name}`"),
                            Some(help),
                        );
                    }
                }
            }
            if !indexes.is_empty() && indexes.len() == entry.len() {
                entries.push(indexes);
            }
        }
        if words.matching.is_empty() && self.document.is_none() {
            self.error(
                &codes::NO_MATCH,
                name.span,
                format!("register `{name}` does not say how unlinked records are recognised"),
                Some("add `match: [ NAME_OF_A_ROW ]`".to_owned()),
            );
        }
        entries
    }

    /// Whether a row of both sides with this left path was written.
    fn is_written(&self, rows: &[spec::Row], path: &str) -> bool {
        rows.iter().any(|row| {
            let first = |side: Side| {
                let paths = row.sides.iter().find(|(key, _)| key.value == self.sides[side].name);
                paths.and_then(|(_, paths)| paths.first())
            };
            first(Side::Right).is_some() && first(Side::Left).is_some_and(|one| one.value == path)
        })
    }

    /// Whether a row was written that gives this field of a side.
    pub(in crate::program::mapping_compile) fn gives(
        &self,
        rows: &[spec::Row],
        side: Side,
        path: &str,
    ) -> bool {
        let name = &self.sides[side].name;
        let sides = rows.iter().flat_map(|row| &row.sides).filter(|(key, _)| key.value == *name);
        sides.into_iter().any(|(_, paths)| paths.iter().any(|one| one.value == path))
    }

    pub(super) fn unique(
        &mut self,
        words: &spec::RegisterWords,
        ends: &Both<Endpoint>,
        types: &Both<Type>,
        rows: &[Row],
    ) -> Vec<Unique> {
        let mut out = Vec::new();
        for rule in words.unique.iter() {
            let Some(side) = self.side(&rule.side) else { continue };
            let Some(path) = self.path(&rule.field) else { continue };
            let mut ok = true;
            for member in ends[side].members.clone() {
                match self.resolve(side, &member.resource, &path, rule.field.span) {
                    Some(found) => self.need(side, &member.resource.name, &found.top),
                    None => ok = false,
                }
            }
            let scope = match side {
                Side::Left => self.scope_with(Some(&types.left), None, Some(side)),
                Side::Right => self.scope_with(None, Some(&types.right), Some(side)),
            };
            let when = match &rule.when {
                Some(text) => self.record_expr(side, &ends[side], text, &scope),
                None => None,
            };
            // compared as the row of that field is
            let compare = rows
                .iter()
                .find(|row| row.paths(side).first() == Some(&path))
                .map_or_else(Default::default, |row| row.compare);
            if ok {
                out.push(Unique { side, field: path, when, compare });
            }
        }
        out
    }

    pub(super) fn valid(&mut self, words: &spec::RegisterWords, types: &Both<Type>) -> Vec<Valid> {
        let mut out = Vec::new();
        for rule in words.valid.iter() {
            let side = match &rule.of {
                Some(of) => self.side(of),
                None => Side::BOTH
                    .into_iter()
                    .find(|side| rule.that.value.contains(&format!("{}.", self.sides[*side].name))),
            };
            let Some(side) = side else {
                if rule.of.is_none() {
                    self.error(
                        &codes::WHOSE_RECORDS,
                        rule.that.span,
                        "it is not clear which side's records this is about",
                        Some(format!(
                            "name a field with its side, `{}.FIELD`, or add `of:`",
                            self.sides.left.name
                        )),
                    );
                }
                continue;
            };
            let scope = match side {
                Side::Left => self.scope_with(Some(&types.left), None, Some(side)),
                Side::Right => self.scope_with(None, Some(&types.right), Some(side)),
            };
            let that = self.expr(&rule.that, &scope);
            let otherwise = self.template(&rule.otherwise, &scope);
            if let (Some(that), Some(otherwise)) = (that, otherwise) {
                out.push(Valid { side, that, otherwise, origin: self.origin(rule.that.span) });
            }
        }
        out
    }

    pub(super) fn part_of(&mut self, words: &spec::RegisterWords, rows: &[Row]) -> Option<(String, usize)> {
        let parent = words.part_of.as_ref()?;
        let found = rows.iter().position(|row| {
            row.is_two_sided()
                && row
                    .steps
                    .iter()
                    .any(|step| matches!(step, Step::Reference { register, .. } if *register == parent.value))
        });
        if found.is_none() {
            self.error(
                &codes::NO_PARENT,
                parent.span,
                format!("no row refers to `{parent}`"),
                Some(format!("a part names its parent in a row with `ref: {parent}`")),
            );
        }
        Some((parent.value.clone(), found?))
    }
}
