//! The status flow of a document: the statuses, how each is recognised, and the picture.

use super::Author;
use super::page::{Block, Line, Page};
use super::phrases::{Doc, Phrase, Said, status_word};
use super::settings::sentence;
use crate::authoring::flow::{Cause, Words, drawing};
use crate::program::document::{Document, Flow, Named, Recognise, SequenceRole, Step};
use crate::program::system::Resource;
use crate::value::{Path, Side};

impl Author<'_> {
    /// A status in a sentence.
    pub(super) fn status(&self, role: &str) -> Line {
        Line::strong(self.status_name(role))
    }

    /// The word for a status where there is one, else the mapping's own.
    fn status_name(&self, role: &str) -> String {
        match status_word(role) {
            Some(word) => word.text(self.language).to_owned(),
            None => role.replace('_', " ").split_whitespace().collect::<Vec<_>>().join(" "),
        }
    }

    pub(super) fn flow(&self, page: &mut Page, document: &Document) {
        let Some(flow) = &document.flow else { return };
        page.heading(4, self.text(Doc::Flow));
        let field = Line::strong(self.label_of(&document.register, document.source, &flow.field));
        page.blocks
            .push(Block::Paragraph(self.say(Doc::FlowIntro, &[field, self.rules.side(document.source)])));
        let mut picture = drawing(document, flow, &Spoken { author: self, document });
        picture.name = self.rules.named(&document.register);
        page.blocks.push(Block::Diagram(picture));
        self.recognised(page, flow);
    }

    fn recognised(&self, page: &mut Page, flow: &Flow) {
        let label = |path: &Path| match &flow.of {
            Some(resource) => self.rules.label(resource, path),
            None => path.to_string(),
        };
        let mut rows = Vec::new();
        let mut row = |role: &str, how: Line| {
            // the mapping's own word, where the manual says another
            let own = (self.status_name(role) != role).then(|| Line::code(role));
            rows.push(vec![Line::join([self.status(role), own.unwrap_or_default()], " "), how]);
        };
        match &flow.recognise {
            Recognise::Named { only_where, roles, .. } => {
                if let Some(only) = only_where {
                    let only = self.say(Doc::OnlyStatuses, &[self.rules.condition(only.source())]);
                    page.blocks.push(Block::Paragraph(only));
                }
                for (role, named) in roles {
                    let how = match named {
                        Named::Status(value) => {
                            let value = value.scalar_text().unwrap_or_else(|| value.to_json());
                            self.say(Doc::Named, &[Line::code(value)])
                        }
                        Named::Setting(name) => self.by_setting(name),
                        Named::Rest => self.say(Doc::Rest, &[]),
                    };
                    let made = flow.make.iter().any(|(one, _)| one == role);
                    let made = made.then(|| self.say(Doc::MadeStatus, &[]));
                    row(role, Line::join([Some(how), made].into_iter().flatten(), "; "));
                }
            }
            Recognise::Sequence { order, only_where, flags, roles } => {
                let mut said = vec![self.say(Doc::InOrder, &[Line::strong(label(order))])];
                if let Some(only) = only_where {
                    said.push(self.say(Doc::OnlyStatuses, &[self.rules.condition(only.source())]));
                }
                page.blocks.push(Block::Paragraph(Line::join(said, " ")));
                for role in roles {
                    row(&role.role, self.in_sequence(role, flags, flow.of.as_deref()));
                }
            }
        }
        let head = vec![self.text(Doc::Status), self.text(Doc::RecognisedAs)];
        page.blocks.push(Block::Table(head, rows));
    }

    /// A status that a setting names, with the name it has where nobody answers.
    fn by_setting(&self, name: &str) -> Line {
        let setting = self.say(Phrase::FromSetting, &[Line::code(name)]);
        let default = self.program.settings.get(name).and_then(|one| one.default.as_ref()?.scalar_text());
        match default {
            Some(text) => {
                let default = self.say(Phrase::DefaultIs, &[Line::code(text)]);
                self.say(Phrase::NamedAs, &[setting, default])
            }
            None => setting,
        }
    }

    fn in_sequence(&self, role: &SequenceRole, flags: &[Path], of: Option<&Resource>) -> Line {
        let names = |paths: Vec<&Path>| {
            let labels = paths.into_iter().map(|path| match of {
                Some(resource) => Line::plain(self.rules.label(resource, path)),
                None => Line::plain(path.to_string()),
            });
            Line::join(labels, ", ")
        };
        let on = names(role.flags.iter().collect());
        let off: Vec<&Path> = flags.iter().filter(|flag| !role.flags.contains(flag)).collect();
        let without = if off.len() == 1 { Doc::WithoutOne } else { Doc::Without };
        let off = names(off);
        let mut said = Vec::new();
        for (names, phrase) in [(on, Doc::With), (off, without)] {
            if !names.is_empty() {
                said.push(self.say(phrase, &[names]));
            }
        }
        if role.repeat {
            said.push(self.say(Doc::Repeat, &[]));
        }
        if let Some(must) = &role.must {
            let otherwise = role.otherwise.as_ref().map(|one| sentence(one.source()));
            let otherwise = Line::plain(otherwise.unwrap_or_default());
            said.push(self.say(Doc::Must, &[self.rules.condition(must.source()), otherwise]));
        }
        Line::join(said, "; ")
    }
}

/// A drawing in the words of the manual.
struct Spoken<'p> {
    author: &'p Author<'p>,
    document: &'p Document,
}

impl Spoken<'_> {
    fn say(&self, phrase: Doc, values: &[Line]) -> String {
        self.author.say(phrase, values).text()
    }

    fn cause(&self, cause: &Cause) -> String {
        let text = |text: &str| [Line::plain(text.split_whitespace().collect::<Vec<_>>().join(" "))];
        match cause {
            Cause::Refused => self.say(Doc::CauseRefused, &[]),
            Cause::Verify(verify) => {
                let register = &self.document.register;
                let ends = Side::BOTH.map(|side| {
                    let label = Line::plain(self.author.label_of(register, side, &verify.equal[side]));
                    self.author.say(Phrase::NamedAs, &[label, self.author.rules.side(side)])
                });
                self.say(Doc::CauseVerify, &ends)
            }
            Cause::Step(Step::WriteBack { .. }) => self.say(Doc::CauseBack, &[]),
            Cause::Step(_) => self.say(Doc::CauseStatus, &[]),
            Cause::Follow(when) => self.say(Doc::CauseFollow, &text(when.source())),
            Cause::RefusedLater(when) => self.say(Doc::CauseLater, &text(when.source())),
        }
    }
}

impl Words for Spoken<'_> {
    fn name(&self, name: &str) -> String {
        self.author.status_name(name)
    }

    fn taken(&self) -> String {
        self.say(Doc::Taken, &[])
    }

    fn needs_person(&self) -> String {
        self.say(Doc::NeedsPerson, &[])
    }

    fn side(&self, side: Side) -> String {
        self.author.rules.side(side).text()
    }

    fn own(&self, causes: &[&Cause]) -> String {
        if causes.is_empty() {
            return self.say(Doc::NoStep, &[]);
        }
        let causes = causes.iter().map(|cause| self.cause(cause)).collect::<Vec<_>>().join("; ");
        self.say(Doc::Own, &[Line::plain(causes)])
    }
}
