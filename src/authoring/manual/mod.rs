//! The manual of an integration, made from its compiled mapping: what a person who uses it has to know.

mod page;
mod phrases;
mod rules;

use std::time::Duration;

pub use phrases::{Language, Phrase};

use page::{Block, Line, Page};
use rules::{Rules, title};

use crate::program::mapping::{CheckKind, Program, Reaction, Register, SettingKind, Situation};
use crate::spec::mapping as spec;
use crate::value::{Side, Value};

/// The forms of a manual.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// Markdown.
    Markdown,
    /// One HTML file that needs no other.
    Html,
}

/// Writes the manual of a mapping. `written` is the mapping as it was read: a compiled program has no conditions
/// of registers any more.
pub fn manual(program: &Program, written: &spec::Mapping, language: Language, form: Form) -> String {
    let author = Author { program, written, language, rules: Rules { program, language } };
    let page = author.page();
    match form {
        Form::Markdown => page.markdown(),
        Form::Html => page.html(),
    }
}

struct Author<'p> {
    program: &'p Program,
    written: &'p spec::Mapping,
    language: Language,
    rules: Rules<'p>,
}

impl Author<'_> {
    fn text(&self, phrase: Phrase) -> String {
        phrase.text(self.language).to_owned()
    }

    fn say(&self, phrase: Phrase, values: &[Line]) -> Line {
        self.rules.say(phrase, values)
    }

    fn page(&self) -> Page {
        let mut page = Page {
            title: self.program.title.clone(),
            subtitle: self.text(Phrase::Manual),
            language: self.language,
            blocks: Vec::new(),
        };
        self.overview(&mut page);
        page.heading(2, self.text(Phrase::Registers));
        for register in self.in_order() {
            self.register(&mut page, register);
        }
        self.settings(&mut page);
        self.checks(&mut page);
        self.safety(&mut page);
        self.errors(&mut page);
        page
    }

    /// Registers as they were written: a reader looks for them there.
    fn in_order(&self) -> impl Iterator<Item = &Register> {
        self.written.registers.keys().filter_map(|name| self.program.register(name)).map(AsRef::as_ref)
    }

    fn direction(&self, register: &Register) -> Line {
        let sides = [self.rules.side(Side::Left), self.rules.side(Side::Right)];
        let swapped = [sides[1].clone(), sides[0].clone()];
        let writes = |side: Side| register.creates[side] || register.rows.iter().any(|row| row.writes[side]);
        match (register.link_only, writes(Side::Left), writes(Side::Right)) {
            (true, ..) | (_, false, false) => self.say(Phrase::LinkOnly, &[]),
            (_, true, true) => self.say(Phrase::BothWays, &[]),
            (_, false, true) => self.say(Phrase::OneWay, &sides),
            (_, true, false) => self.say(Phrase::OneWay, &swapped),
        }
    }

    fn overview(&self, page: &mut Page) {
        page.heading(2, self.text(Phrase::KeptEqual));
        let sides = [self.rules.side(Side::Left), self.rules.side(Side::Right)];
        page.blocks.push(Block::Paragraph(self.say(Phrase::Intro, &sides)));
        let rows = self
            .in_order()
            .map(|register| {
                vec![
                    Line::plain(register.title.clone()),
                    self.direction(register),
                    register.master.map_or_else(
                        || if register.link_only { Line::default() } else { self.say(Phrase::NoMaster, &[]) },
                        |side| self.rules.side(side),
                    ),
                ]
            })
            .collect();
        let head = [Phrase::Register, Phrase::Direction, Phrase::Master];
        page.blocks.push(Block::Table(head.map(|one| self.text(one)).to_vec(), rows));
    }

    fn register(&self, page: &mut Page, register: &Register) {
        page.heading(3, register.title.clone());
        let mut facts: Vec<(String, Line)> = Vec::new();
        let mut add = |phrase: Phrase, line: Line| facts.push((self.text(phrase), line));
        let written = self.written.registers.get(&register.name);
        add(Phrase::Direction, self.direction(register));
        let records = Side::BOTH.map(|side| {
            let members = register.ends[side].members.iter().map(|one| Line::plain(title(&one.resource)));
            let named = Line::join(members, ", ");
            Line::join([self.rules.side(side), named], ": ")
        });
        add(Phrase::Records, Line::join(records, " · "));
        if !register.link_only {
            add(
                Phrase::NewRecords,
                match (register.creates.left, register.creates.right) {
                    (true, true) => self.say(Phrase::NewBoth, &[]),
                    (true, false) => self.say(Phrase::NewIn, &[self.rules.side(Side::Left)]),
                    (false, true) => self.say(Phrase::NewIn, &[self.rules.side(Side::Right)]),
                    (false, false) => self.say(Phrase::NewNowhere, &[]),
                },
            );
            add(
                Phrase::Master,
                match register.master {
                    Some(side) if register.creates[side] => {
                        self.say(Phrase::MasterIs, &[self.rules.side(side)])
                    }
                    Some(side) => self.rules.side(side),
                    None => self.say(Phrase::MasterNone, &[]),
                },
            );
        }
        add(Phrase::Matching, self.matching(register));
        page.blocks.push(Block::Facts(facts));
        let more = self.rules_of(register, written);
        if !more.is_empty() {
            page.blocks.push(Block::Bullets(more));
        }
        let by_span = |row: &crate::program::mapping::Row| {
            let tables = self.written.tables.iter().flat_map(|(_, rows)| rows.iter());
            let own = written.into_iter().flat_map(|one| one.words.fields.iter());
            own.chain(tables).find(|one| one.span == row.origin.span)
        };
        let rows = register
            .rows
            .iter()
            .map(|row| {
                vec![
                    self.rules.fields(register, row, Side::Left),
                    Line::plain(Rules::arrow(row)),
                    self.rules.fields(register, row, Side::Right),
                    self.rules.rule(register, row, by_span(row)),
                ]
            })
            .collect();
        let titles = Side::BOTH.map(|side| self.program.sides[side].system.title.clone());
        let [left, right] = titles;
        page.blocks.push(Block::Table(vec![left, String::new(), right, self.text(Phrase::Rule)], rows));
    }

    fn matching(&self, register: &Register) -> Line {
        let entries: Vec<Line> = register
            .matching
            .iter()
            .map(|entry| {
                let rows = entry.iter().filter_map(|at| register.rows.get(*at));
                let named = rows.map(|row| {
                    let side = if row.left.is_empty() { Side::Right } else { Side::Left };
                    self.rules.fields(register, row, side)
                });
                let line = Line::join(named, " + ");
                if entry.len() > 1 { self.say(Phrase::Together, &[line]) } else { line }
            })
            .collect();
        entries.into_iter().reduce(|one, two| self.say(Phrase::Else, &[one, two])).unwrap_or_default()
    }

    /// What else holds for a register.
    fn rules_of(&self, register: &Register, written: Option<&spec::Register>) -> Vec<Line> {
        let mut lines = Vec::new();
        if let Some(when) = written.and_then(|one| one.words.when.as_ref()) {
            lines.push(self.say(Phrase::OnlyWhen, &[self.rules.condition(when)]));
        }
        if let Some((parent, _)) = &register.part_of {
            let title = self.program.register(parent).map_or(parent.as_str(), |one| one.title.as_str());
            lines.push(self.say(Phrase::PartOf, &[Line::plain(title)]));
        }
        for side in Side::BOTH {
            let end = &register.ends[side];
            let who = self.rules.side(side);
            if let Some(scope) = &end.scope {
                let start = self.say(Phrase::Scope, std::slice::from_ref(&who));
                lines.push(Line::join([start, self.rules.expression(scope)], ": "));
            }
            if let Some(when) = &end.create_when {
                lines.push(self.say(Phrase::CreateWhen, &[who.clone(), self.rules.expression(when)]));
            }
            if end.members.len() > 1 {
                for member in end.members.iter().filter(|one| !one.values.is_empty()) {
                    let values = member.values.iter().filter_map(Value::scalar_text).map(Line::code);
                    let values = Line::join(values, ", ");
                    lines.push(self.say(Phrase::ByType, &[Line::plain(title(&member.resource)), values]));
                }
            }
        }
        for unique in &register.unique {
            let side = self.rules.side(unique.side);
            let members = &register.ends[unique.side].members;
            let label =
                members.first().map(|one| self.rules.label(&one.resource, &unique.field)).unwrap_or_default();
            lines.push(match &unique.when {
                None => self.say(Phrase::Unique, &[side, Line::strong(label)]),
                Some(when) => {
                    self.say(Phrase::UniqueWhen, &[side, Line::strong(label), self.rules.expression(when)])
                }
            });
        }
        for valid in &register.valid {
            let said = sentence(valid.otherwise.source());
            lines.push(self.say(
                Phrase::Valid,
                &[self.rules.side(valid.side), self.rules.expression(&valid.that), Line::plain(said)],
            ));
        }
        if let Some(side) = register.adopt {
            lines.push(self.say(Phrase::Adopt, &[self.rules.side(side)]));
        }
        for (situation, reaction) in &register.situations {
            let situation = match situation {
                Situation::SourceMissing => Phrase::SSourceMissing,
                Situation::TargetMissing => Phrase::STargetMissing,
                Situation::OutOfScope => Phrase::SOutOfScope,
            };
            let reaction = match reaction {
                Reaction::Nothing => Phrase::RNothing,
                Reaction::SetAside => Phrase::RSetAside,
                Reaction::Unlink => Phrase::RUnlink,
                Reaction::Delete => Phrase::RDelete,
            };
            lines.push(Line::join([self.say(situation, &[]), self.say(reaction, &[])], ": "));
        }
        lines
    }

    fn settings(&self, page: &mut Page) {
        if self.program.settings.is_empty() {
            return;
        }
        page.heading(2, self.text(Phrase::Settings));
        let rows = self
            .program
            .settings
            .values()
            .map(|setting| {
                let kind = match (&setting.from, setting.kind) {
                    (Some((side, resource, path)), _) => {
                        let resource = self.program.sides[*side].system.resources.get(resource);
                        let label =
                            resource.map(|one| format!("{} – {}", title(one), self.rules.label(one, path)));
                        self.say(
                            Phrase::OneFrom,
                            &[Line::plain(label.unwrap_or_default()), self.rules.side(*side)],
                        )
                    }
                    (None, SettingKind::Choice) => {
                        self.say(Phrase::OneOf, &[Line::join(setting.of.iter().map(Line::code), ", ")])
                    }
                    (None, SettingKind::Text) => self.say(Phrase::Text, &[]),
                    (None, SettingKind::Bool) => self.say(Phrase::YesNo, &[]),
                    (None, SettingKind::Integer) => self.say(Phrase::WholeNumber, &[]),
                    (None, SettingKind::Decimal) => self.say(Phrase::ExactNumber, &[]),
                    (None, SettingKind::Table) => self.say(Phrase::CodeTable, &[]),
                    (None, SettingKind::Direction) => self.say(Phrase::ADirection, &[]),
                    (None, SettingKind::Side) => self.say(
                        Phrase::OneOf,
                        &[Line::join(Side::BOTH.map(|side| self.rules.side(side)), ", ")],
                    ),
                };
                let required =
                    if setting.required { self.say(Phrase::MustAnswer, &[]) } else { Line::default() };
                let default = setting.default.as_ref().and_then(Value::scalar_text);
                let default = default.map(|text| self.say(Phrase::DefaultIs, &[Line::code(text)]));
                vec![
                    Line::code(setting.name.clone()),
                    Line::plain(setting.help.clone()),
                    Line::join([kind, required, default.unwrap_or_default()], "; "),
                ]
            })
            .collect();
        let head = [Phrase::Setting, Phrase::Meaning, Phrase::Answers];
        page.blocks.push(Block::Table(head.map(|one| self.text(one)).to_vec(), rows));
    }

    fn checks(&self, page: &mut Page) {
        if self.program.checks.is_empty() {
            return;
        }
        page.heading(2, self.text(Phrase::Checks));
        page.blocks.push(Block::Paragraph(self.say(Phrase::ChecksIntro, &[])));
        let lines = self.program.checks.iter().map(|check| {
            let said = check.otherwise.as_ref().map(|one| sentence(one.source())).unwrap_or_default();
            let line = match &check.kind {
                CheckKind::That(_) => Line::plain(said),
                CheckKind::Each { register, side, .. } => {
                    let title =
                        self.program.register(register).map_or(register.as_str(), |one| one.title.as_str());
                    self.say(
                        Phrase::EachRecord,
                        &[Line::plain(title), self.rules.side(*side), Line::plain(said)],
                    )
                }
                CheckKind::Access(sides) => {
                    let sides = Line::join(sides.iter().map(|side| self.rules.side(*side)), ", ");
                    self.say(Phrase::Access, &[sides, Line::plain(said)])
                }
                CheckKind::Confirm(text) => self.say(Phrase::Confirm, &[Line::plain(text.clone())]),
            };
            match &check.when {
                Some(when) => {
                    let when = self.say(Phrase::When, &[self.rules.condition(when.source())]);
                    Line::join([line, when], " – ")
                }
                None => line,
            }
        });
        page.blocks.push(Block::Bullets(lines.collect()));
    }

    fn safety(&self, page: &mut Page) {
        page.heading(2, self.text(Phrase::Safety));
        let times = [self.time(self.program.every), self.time(self.program.sweep)];
        page.blocks.push(Block::Paragraph(self.say(Phrase::Every, &times)));
        let brakes = &self.program.brakes;
        let brakes = [brakes.create, brakes.update, brakes.delete].map(|one| Line::plain(one.to_string()));
        page.blocks.push(Block::Paragraph(self.say(Phrase::BrakesAre, &brakes)));
        page.blocks.push(Block::Paragraph(self.say(Phrase::SourceEmpty, &[])));
    }

    fn time(&self, time: Duration) -> Line {
        let seconds = time.as_secs();
        let (number, phrase) = match seconds {
            s if s >= 3600 && s % 3600 == 0 => (s / 3600, Phrase::Hours),
            s if s >= 60 && s % 60 == 0 => (s / 60, Phrase::Minutes),
            s => (s, Phrase::Seconds),
        };
        self.say(phrase, &[Line::plain(number.to_string())])
    }

    fn errors(&self, page: &mut Page) {
        page.heading(2, self.text(Phrase::Errors));
        let rows = [
            (Phrase::SAbsent, Phrase::AAbsent),
            (Phrase::SFound, Phrase::AFound),
            (Phrase::SAmbiguous, Phrase::AAmbiguous),
            (Phrase::SConflict, Phrase::AConflict),
            (Phrase::SKeyChanged, Phrase::AKeyChanged),
            (Phrase::SSourceMissing, Phrase::ASourceMissing),
            (Phrase::STargetMissing, Phrase::ATargetMissing),
            (Phrase::SOutOfScope, Phrase::AOutOfScope),
            (Phrase::SWaits, Phrase::AWaits),
            (Phrase::SRefused, Phrase::ARefused),
            (Phrase::SInDoubt, Phrase::AInDoubt),
        ]
        .map(|(found, done)| vec![self.say(found, &[]), self.say(done, &[])])
        .to_vec();
        let head = [Phrase::Situation, Phrase::Action].map(|one| self.text(one)).to_vec();
        page.blocks.push(Block::Table(head, rows));
    }
}

/// A message as a person reads it before it was ever said: what is filled in stands in angle quotes.
fn sentence(template: &str) -> String {
    let mut out = String::new();
    let mut rest = template;
    while let Some(open) = rest.find("{{") {
        let Some(close) = rest[open..].find("}}") else { break };
        out.push_str(&rest[..open]);
        let inner = rest[open + 2..open + close].split('|').next().unwrap_or_default().trim();
        out.push_str(&format!("‹{inner}›"));
        rest = &rest[open + close + 2..];
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_filled_in_is_seen() {
        assert_eq!(
            sentence("Code '{{ code }}' is too long ({{ a.b | default('none') }})"),
            "Code '‹code›' is too long (‹a.b›)"
        );
    }
}
