//! Settings and checks.

use super::Author;
use super::page::{Block, Line, Page};
use super::phrases::Phrase;
use crate::program::mapping::{CheckKind, SettingKind};
use crate::value::{Side, Value};

impl Author<'_> {
    pub(super) fn settings(&self, page: &mut Page) {
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
                        let label = resource.map(|one| {
                            format!("{} – {}", self.rules.title(one), self.rules.label(one, path))
                        });
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
                    (None, SettingKind::Direction) => {
                        let [one, other] = Side::BOTH;
                        let both = Line::code("both");
                        let both = self.say(Phrase::NamedAs, &[both, self.say(Phrase::BothWays, &[])]);
                        let none = self.say(Phrase::Neither, &[Line::code("none")]);
                        let answers = [self.one_way(one, other), self.one_way(other, one), both, none];
                        self.say(Phrase::OneOf, &[Line::join(answers, ", ")])
                    }
                    (None, SettingKind::Side) => {
                        let sides = Side::BOTH.map(|side| {
                            let answer = Line::code(self.program.sides[side].name.clone());
                            self.say(Phrase::NamedAs, &[answer, self.rules.side(side)])
                        });
                        self.say(Phrase::OneOf, &[Line::join(sides, ", ")])
                    }
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

    pub(super) fn checks(&self, page: &mut Page) {
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
                    let title = self.rules.register_named(register);
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

    /// The answer that names a direction.
    fn one_way(&self, from: Side, to: Side) -> Line {
        let [one, other] = [from, to].map(|side| self.program.sides[side].name.as_str());
        Line::code(format!("{one} -> {other}"))
    }
}

/// What is filled in: a field, how many there are, or some of a list.
fn filled(expression: &str) -> String {
    let mut parts = expression.split('|').map(str::trim);
    let first = parts.next().unwrap_or_default();
    let mut said = first.to_owned();
    for filter in parts {
        if filter == "length" {
            "n".clone_into(&mut said);
        } else if let Some(field) = filter.strip_prefix("map('").and_then(|rest| rest.strip_suffix("')")) {
            said = format!("{field}, …");
        }
    }
    said
}

/// A message as a person reads it before it was ever said: what is filled in stands in angle quotes.
pub(super) fn sentence(template: &str) -> String {
    let mut out = String::new();
    let mut rest = template;
    while let Some(open) = rest.find("{{") {
        let Some(close) = rest[open..].find("}}") else { break };
        out.push_str(&rest[..open]);
        out.push_str(&format!("‹{}›", filled(&rest[open + 2..open + close])));
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
        assert_eq!(
            sentence("{{ shop.rows | length }} rows: {{ shop.rows | map('text') | join(', ') }}"),
            "‹n› rows: ‹text, …›"
        );
    }
}
