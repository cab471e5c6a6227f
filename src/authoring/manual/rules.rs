//! The rule of a row, in words.

use super::page::Line;
use super::labels::Table;
use super::phrases::{Language, Phrase, Said};
use crate::program::expr::Expr;
use crate::program::mapping::{
    Apply, Compare, Computed, Conflict, Convert, IfMissing, Program, Register, Row, Step, Unlisted,
};
use crate::program::system::Resource;
use crate::spec::mapping as spec;
use crate::value::{Side, Value};

/// A longer expression is told by what it reads.
const LONGEST: usize = 110;

/// Says the rules of one mapping.
pub(super) struct Rules<'p> {
    pub program: &'p Program,
    pub language: Language,
}

impl Rules<'_> {
    pub(super) fn say(&self, phrase: impl Said, values: &[Line]) -> Line {
        Line::say(phrase, self.language, values)
    }

    /// What people call a side.
    pub(super) fn side(&self, side: Side) -> Line {
        Line::plain(self.program.sides[side].system.title.clone())
    }

    /// Which way a row goes.
    pub(super) fn arrow(row: &Row) -> &'static str {
        match (row.writes.left, row.writes.right) {
            (true, true) => "↔",
            (true, false) => "←",
            (false, true) => "→",
            (false, false) => "=",
        }
    }

    /// An expression; a setting by its own name.
    pub(super) fn expression(&self, expr: &Expr) -> Line {
        self.source(expr.source())
    }

    pub(super) fn source(&self, text: &str) -> Line {
        match text.trim().strip_prefix("settings.") {
            Some(name) if name.chars().all(|c| c.is_alphanumeric() || c == '_') => {
                self.say(Phrase::FromSetting, &[Line::code(name)])
            }
            _ => Line::code(text.trim()),
        }
    }

    /// A condition; a setting alone is on or off.
    pub(super) fn condition(&self, text: &str) -> Line {
        let text = text.trim();
        let (phrase, name) = match text.strip_prefix("not settings.") {
            Some(name) => (Phrase::SettingOff, Some(name)),
            None => (Phrase::SettingOn, text.strip_prefix("settings.")),
        };
        match name {
            Some(name) if name.chars().all(|c| c.is_alphanumeric() || c == '_') => {
                self.say(phrase, &[Line::code(name)])
            }
            _ => Line::code(text),
        }
    }

    /// The whole rule of a row.
    pub(super) fn rule(&self, table: &Table, row: &Row, written: Option<&spec::Row>) -> Line {
        let register: &Register = table.register;
        let mut parts: Vec<Line> = Vec::new();
        if let Some(Computed::Value(expr)) = &row.computed
            && expr.source().trim().starts_with("settings.")
        {
            parts.push(self.expression(expr));
        }
        let mut add = |phrase: Phrase, values: &[Line]| parts.push(self.say(phrase, values));
        match &row.computed {
            Some(Computed::Constant(value)) => add(Phrase::Constant, &[value_line(value)]),
            Some(Computed::Value(expr)) if expr.source().trim().starts_with("settings.") => {}
            Some(Computed::Value(expr)) if expr.source().len() > LONGEST => add(
                Phrase::CalculatedFrom,
                &[self.sources(table, row, expr), Line::plain(row.origin.text.clone())],
            ),
            Some(Computed::Value(expr)) => add(Phrase::Calculated, &[self.expression(expr)]),
            Some(Computed::Template(template)) => add(Phrase::Template, &[Line::code(template.source())]),
            None => {}
        }
        let by_setting =
            matches!(written.and_then(|row| row.words.values.as_ref()), Some(spec::Values::Setting(_)));
        for step in &row.steps {
            match step {
                Step::Join { with, .. } if with.contains('\n') => {
                    add(Phrase::Joined, &[self.say(Phrase::LineBreak, &[])]);
                }
                Step::Join { with, .. } => add(Phrase::Joined, &[Line::code(format!("\"{with}\""))]),
                Step::Codes { .. } if by_setting => add(Phrase::CodesSetting, &[]),
                Step::Codes { table, unlisted, .. } => {
                    for (left, right) in table {
                        let right = Line::join(right.iter().map(value_line), ", ");
                        add(Phrase::Codes, &[value_line(left), right]);
                    }
                    if *unlisted == Unlisted::Leave {
                        add(Phrase::CodesLeave, &[]);
                    }
                }
                Step::Reference { register, if_missing, .. } => {
                    let title =
                        self.program.register(register).map_or(register.as_str(), |one| one.title.as_str());
                    add(Phrase::Through, &[Line::plain(title)]);
                    add(
                        match if_missing {
                            IfMissing::Wait => Phrase::Waits,
                            IfMissing::Leave => Phrase::LeaveUnlinked,
                            IfMissing::SetAside => Phrase::AsideUnlinked,
                        },
                        &[],
                    );
                }
                Step::Convert(convert) => add(
                    match convert {
                        Convert::Text => Phrase::ToText,
                        Convert::Integer => Phrase::ToInteger,
                        Convert::Decimal => Phrase::ToDecimal,
                        Convert::Date => Phrase::ToDate,
                        Convert::Not => Phrase::Not,
                        Convert::Negate => Phrase::Negate,
                    },
                    &[],
                ),
                Step::Round(places) => add(Phrase::Rounded, &[Line::plain(places.to_string())]),
                Step::Multiply(by) => {
                    let said = written.and_then(|row| row.words.multiply.as_ref());
                    add(
                        Phrase::Times,
                        &[said.map_or_else(|| Line::plain(by.to_string()), |text| self.source(text))],
                    );
                }
            }
        }
        if let Some(expr) = &row.when {
            add(Phrase::When, &[self.condition(expr.source())]);
        }
        if let Some(expr) = &row.otherwise {
            add(Phrase::Otherwise, &[self.expression(expr)]);
        }
        if let Some(expr) = &row.default {
            add(Phrase::Default, &[self.expression(expr)]);
        }
        match row.apply {
            Apply::Always => {}
            Apply::CreateOnly => add(Phrase::CreateOnly, &[]),
            Apply::UpdateOnly => add(Phrase::UpdateOnly, &[]),
            Apply::IfEmpty => add(Phrase::IfEmpty, &[]),
        }
        for (yes, phrase) in
            [(row.key, Phrase::Key), (row.required, Phrase::Required), (row.clear, Phrase::Clear)]
        {
            if yes {
                add(phrase, &[]);
            }
        }
        match row.compare {
            Compare::Exact => {}
            Compare::Fold => add(Phrase::Fold, &[]),
            Compare::Digits => add(Phrase::Digits, &[]),
        }
        let both = row.writes.left && row.writes.right;
        if let (Some(master), true) = (row.master, both && row.master != register.master) {
            add(Phrase::MasterIs, &[self.side(master)]);
        }
        if row.conflict == Conflict::Later && both {
            add(Phrase::Later, &[]);
        }
        for side in Side::BOTH {
            if let (Some(max), true) = (row.truncate[side], row.writes[side]) {
                add(Phrase::Truncated, &[Line::plain(max.to_string()), self.side(side)]);
            }
        }
        if !row.only.is_empty() {
            let members = Side::BOTH.into_iter().flat_map(|side| &register.ends[side].members);
            let titles =
                members.filter(|one| row.only.contains(&one.resource.name)).map(|one| title(&one.resource));
            add(Phrase::OnlyFor, &[Line::plain(titles.collect::<Vec<_>>().join(", "))]);
        }
        Line::join(parts, "; ")
    }
}

/// What people call a kind of record.
pub(super) fn title(resource: &Resource) -> String {
    resource.title.clone().unwrap_or_else(|| resource.name.clone())
}

/// A constant or a code.
fn value_line(value: &Value) -> Line {
    match value.scalar_text() {
        Some(text) => Line::code(text),
        None => Line::code(value.to_json()),
    }
}
