//! What is said of a register.

use super::Author;
use super::labels::Table;
use super::page::{Block, Line, Page};
use super::phrases::Phrase;
use super::rules::Rules;
use super::settings::sentence;
use crate::program::mapping::{Asks, Exists, Reaction, Register, Row, Situation};
use crate::spec::mapping as spec;
use crate::value::{Side, Value};

impl Author<'_> {
    pub(super) fn direction(&self, register: &Register) -> Line {
        let words = self.written.registers.get(&register.name).and_then(|one| one.words.direction.as_ref());
        match words.and_then(|text| text.value.trim().strip_prefix("settings.")) {
            Some(setting) => self.say(Phrase::BySetting, &[Line::code(setting), self.way(register)]),
            None => self.way(register),
        }
    }

    /// Which way a register goes with the answers that were given, or the settings' own.
    fn way(&self, register: &Register) -> Line {
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

    pub(super) fn register(&self, page: &mut Page, register: &Register) {
        page.heading(3, self.rules.named(register));
        let mut facts: Vec<(String, Line)> = Vec::new();
        let mut add = |phrase: Phrase, line: Line| facts.push((self.text(phrase), line));
        let written = self.written.registers.get(&register.name);
        add(Phrase::Direction, self.direction(register));
        let records = Side::BOTH.map(|side| {
            let members =
                register.ends[side].members.iter().map(|one| Line::plain(self.rules.title(&one.resource)));
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
                self.master(
                    register,
                    match register.master {
                        Some(side) if register.creates[side] => {
                            self.say(Phrase::MasterIs, &[self.rules.side(side)])
                        }
                        Some(side) => self.rules.side(side),
                        None => self.say(Phrase::MasterNone, &[]),
                    },
                ),
            );
        }
        add(Phrase::Matching, self.matching(register));
        page.blocks.push(Block::Facts(facts));
        let more = self.rules_of(register, written);
        if !more.is_empty() {
            page.blocks.push(Block::Bullets(more));
        }
        let table = Table::of(register);
        let rows = register.rows.iter().map(|row| {
            let mut rule = self.rules.rule(&table, row, self.row_written(row));
            let mut arrow = Rules::arrow(row);
            // what has nothing to do in the direction of the default answer has in another
            if !row.writes.left && !row.writes.right && !register.link_only {
                let to = self.row_direction(row).unwrap_or(match row.left.is_empty() {
                    true => Side::Right,
                    false => Side::Left,
                });
                if register.creates[to.other()] && !register.creates[to] {
                    arrow = if to == Side::Left { "←" } else { "→" };
                    let ends = [self.rules.side(to.other()), self.rules.side(to)];
                    let way = self.say(Phrase::OnlyToward, &[self.say(Phrase::OneWay, &ends)]);
                    rule = Line::join([rule, way], "; ");
                }
            }
            let [left, right] = Side::BOTH.map(|side| self.rules.fields(&table, row, side));
            vec![left, Line::plain(arrow), right, rule]
        });
        let rows = rows.collect();
        let titles = Side::BOTH.map(|side| self.program.sides[side].system.title.clone());
        let [left, right] = titles;
        page.blocks.push(Block::Table(vec![left, String::new(), right, self.text(Phrase::Rule)], rows));
    }

    /// The master, by whose setting where one says it.
    pub(super) fn master(&self, register: &Register, master: Line) -> Line {
        let words = self.written.registers.get(&register.name).and_then(|one| one.words.master.as_ref());
        match words.and_then(|text| text.value.trim().strip_prefix("settings.")) {
            Some(setting) => self.say(Phrase::BySetting, &[Line::code(setting), master]),
            None => master,
        }
    }

    /// The side that a row of its own direction goes to.
    fn row_direction(&self, row: &Row) -> Option<Side> {
        let direction = self.row_written(row)?.words.direction.as_ref()?;
        let (_, to) = direction.value.split_once("->")?;
        self.program.side(to.trim())
    }

    fn matching(&self, register: &Register) -> Line {
        let entries: Vec<Line> = register
            .matching
            .iter()
            .map(|entry| {
                let rows = entry.iter().filter_map(|at| register.rows.get(*at));
                let named = rows.map(|row| {
                    let side = if row.left.is_empty() { Side::Right } else { Side::Left };
                    self.rules.fields(&Table::of(register), row, side)
                });
                let line = Line::join(named, " + ");
                if entry.len() > 1 { self.say(Phrase::Together, &[line]) } else { line }
            })
            .collect();
        entries.into_iter().reduce(|one, two| self.say(Phrase::Else, &[one, two])).unwrap_or_default()
    }

    /// Where a side has many kinds of record: which is meant when.
    pub(super) fn kinds(&self, register: &Register, side: Side) -> Vec<Line> {
        let end = &register.ends[side];
        let (Some(by), true) = (&end.by, end.members.len() > 1) else { return Vec::new() };
        let by = register.ends[side.other()].members.first().map(|one| self.rules.label(&one.resource, by));
        let by = Line::strong(by.unwrap_or_default());
        let kinds = end.members.iter().filter(|one| !one.values.is_empty()).map(|member| {
            let values = member.values.iter().filter_map(Value::scalar_text).map(Line::code);
            let kind = Line::plain(self.rules.title(&member.resource));
            self.say(Phrase::KindWhere, &[kind, by.clone(), Line::join(values, ", ")])
        });
        kinds.collect()
    }

    /// What is asked about records of other resources.
    fn questions(&self, register: &Register, side: Side) -> Vec<Line> {
        let asked = self
            .program
            .exists
            .iter()
            .filter(|one| one.register == register.name && one.side == side && one.asks == Asks::Whether);
        let lines = asked.map(|one| {
            let name = Line::code(format!("exists.{}", one.name));
            let there = [
                name,
                self.rules.side(one.there),
                Line::plain(self.rules.title(&one.resource)),
                self.pairs(register, one),
            ];
            let line = self.say(Phrase::Exists, &there);
            match &one.when {
                Some(when) => {
                    Line::join([line, self.say(Phrase::Counted, &[self.rules.expression(when)])], "; ")
                }
                None => line,
            }
        });
        lines.collect()
    }

    /// Their field and ours, equal.
    pub(super) fn pairs(&self, register: &Register, exists: &Exists) -> Line {
        let ours = register.ends[exists.side].members.first();
        let pairs = exists.pairs.iter().map(|(theirs, own)| {
            let own = ours.map(|one| self.rules.label(&one.resource, own)).unwrap_or_default();
            Line::plain(format!("{} = {own}", self.rules.label(&exists.resource, theirs)))
        });
        Line::join(pairs, ", ")
    }

    /// What else holds for a register.
    fn rules_of(&self, register: &Register, written: Option<&spec::Register>) -> Vec<Line> {
        let mut lines = Vec::new();
        if let Some(when) = written.and_then(|one| one.words.when.as_ref()) {
            lines.push(self.say(Phrase::OnlyWhen, &[self.rules.condition(when)]));
        }
        if let Some((parent, _)) = &register.part_of {
            let title = self.rules.register_named(parent);
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
            lines.extend(self.kinds(register, side));
            lines.extend(self.questions(register, side));
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
}
