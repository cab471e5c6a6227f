//! The rule of a row, in words.

use super::labels::Table;
use super::page::Line;
use super::phrases::{Language, Phrase, Said};
use super::settings::sentence;
use crate::program::expr::Expr;
use crate::program::mapping::{
    Apply, Compare, Computed, Conflict, Convert, IfMissing, Program, Register, Row, SettingKind, Step,
    Unlisted,
};
use crate::program::system::Resource;
use crate::spec::mapping as spec;
use crate::value::{Path, Side, Value};

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

    /// What people call a kind of record.
    pub(super) fn title(&self, resource: &Resource) -> String {
        let title = resource.titles.in_language(self.language.code());
        title.or(resource.title.as_deref()).unwrap_or(&resource.name).to_owned()
    }

    /// What people call a register or a document.
    pub(super) fn named(&self, register: &Register) -> String {
        register.titles.in_language(self.language.code()).unwrap_or(&register.title).to_owned()
    }

    /// The same by its name in the mapping.
    pub(super) fn register_named(&self, name: &str) -> String {
        self.program.register(name).map_or_else(|| name.to_owned(), |register| self.named(register))
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
        let text = text.trim();
        if let Some(name) = is_setting(text) {
            return self.say(Phrase::FromSetting, &[Line::code(name)]);
        }
        // an exact number is written as a text
        let number = text.strip_suffix("| decimal").map(|number| number.trim().trim_matches(['\'', '"']));
        match number {
            Some(number) if number.chars().all(|c| c.is_ascii_digit() || c == '.' || c == '-') => {
                Line::code(number)
            }
            _ => Line::code(text),
        }
    }

    /// A condition; one about a single setting is told in words.
    pub(super) fn condition(&self, text: &str) -> Line {
        let text = text.trim();
        let (off, rest) = match text.strip_prefix("not ") {
            Some(rest) => (true, rest.trim()),
            None => (false, text),
        };
        if let Some(name) = is_setting(rest) {
            let kind = self.program.settings.get(name).map(|one| one.kind);
            let phrase = match (off, kind == Some(SettingKind::Bool)) {
                (false, true) => Phrase::SettingOn,
                (true, true) => Phrase::SettingOff,
                (false, false) => Phrase::SettingAnswered,
                (true, false) => Phrase::SettingOpen,
            };
            return self.say(phrase, &[Line::code(name)]);
        }
        for (operator, phrase) in [(" == ", Phrase::SettingIs), (" != ", Phrase::SettingIsNot)] {
            let Some((name, value)) = text.split_once(operator) else { continue };
            let quoted = value.strip_prefix('\'').and_then(|rest| rest.strip_suffix('\''));
            if let (Some(name), Some(value)) = (is_setting(name), quoted)
                && !value.contains('\'')
            {
                return self.say(phrase, &[Line::code(name), Line::code(value)]);
            }
        }
        Line::code(text)
    }

    /// A computed value: a setting, a field, or an expression over some.
    fn computed(&self, table: &Table, row: &Row, source: &str, reads: &[Path]) -> Line {
        if is_setting(source.trim()).is_some() {
            return self.source(source);
        }
        let plain = matches!(reads, [one] if one.to_string() == source.trim());
        match reads {
            [one] if plain && self.source_of(table, row, one).is_some() => {
                self.say(Phrase::TakenFrom, &[self.sources(table, row, reads)])
            }
            _ if source.len() > LONGEST => {
                let place = Line::plain(row.origin.text.clone());
                self.say(Phrase::CalculatedFrom, &[self.sources(table, row, reads), place])
            }
            _ => self.say(Phrase::Calculated, &[Line::code(source.trim())]),
        }
    }

    /// The whole rule of a row.
    pub(super) fn rule(&self, table: &Table, row: &Row, written: Option<&spec::Row>) -> Line {
        let register: &Register = table.register;
        let mut parts: Vec<Line> = Vec::new();
        match &row.computed {
            Some(Computed::Constant(value)) => parts.push(self.say(Phrase::Constant, &[value_line(value)])),
            Some(Computed::Value(expr)) => {
                let reads: Vec<Path> = expr.uses().into_iter().map(|path| path.to_owned()).collect();
                parts.push(self.computed(table, row, expr.source(), &reads));
            }
            Some(Computed::Template(template)) if template.source().len() > LONGEST => {
                let sources = self.sources(table, row, &template.uses());
                let place = Line::plain(row.origin.text.clone());
                parts.push(self.say(Phrase::CalculatedFrom, &[sources, place]));
            }
            Some(Computed::Template(template)) => {
                parts.push(self.say(Phrase::Template, &[Line::plain(sentence(template.source()))]));
            }
            None => {}
        }
        let mut add = |phrase: Phrase, values: &[Line]| parts.push(self.say(phrase, values));
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
                    let title = self.register_named(register);
                    add(Phrase::Through, &[Line::plain(title)]);
                    add(
                        match if_missing {
                            IfMissing::Wait => Phrase::Waits,
                            IfMissing::Leave => Phrase::LeaveUnlinked,
                            IfMissing::LeaveOutOfScope => Phrase::LeaveOutside,
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
            Apply::Never => add(Phrase::Never, &[]),
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
            // the side that has kinds: one of the other may have the same name
            let ends = Side::BOTH.into_iter().map(|side| &register.ends[side].members);
            let members = ends.filter(|members| members.len() > 1).flatten();
            let titles = members
                .filter(|one| row.only.contains(&one.resource.name))
                .map(|one| self.title(&one.resource));
            add(Phrase::OnlyFor, &[Line::plain(titles.collect::<Vec<_>>().join(", "))]);
        }
        Line::join(parts, "; ")
    }
}

/// The name of a setting that stands alone.
fn is_setting(text: &str) -> Option<&str> {
    let name = text.strip_prefix("settings.")?;
    name.chars().all(|c| c.is_alphanumeric() || c == '_').then_some(name)
}

/// A constant or a code.
fn value_line(value: &Value) -> Line {
    match value.scalar_text() {
        Some(text) => Line::code(text),
        None => Line::code(value.to_json()),
    }
}
