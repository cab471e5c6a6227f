//! The steps of a document, and what is followed afterwards, in plain words.

use super::Author;
use super::labels::Table;
use super::page::{Block, Line, Page};
use super::phrases::{Doc, Phrase};
use super::settings::sentence;
use crate::program::document::{ActionStep, AttachStep, Document, Step, Verify};
use crate::program::expr::Expr;
use crate::program::mapping::{Asks, Endpoint, Member, Register, Row};
use crate::value::{Path, Side};

impl Author<'_> {
    pub(super) fn steps(&self, page: &mut Page, document: &Document) {
        page.heading(4, self.text(Doc::Steps));
        let mut lines = vec![self.say(Doc::Create, &[self.rules.side(document.target())])];
        lines.extend(document.steps.iter().map(|step| match step {
            Step::Verify(verify) => self.verify(document, verify),
            Step::WriteBack { rows, set_status } => {
                let back = (!rows.is_empty()).then(|| self.back(document, &document.register, rows));
                let status = set_status.as_ref().map(|role| {
                    if rows.is_empty() {
                        self.say(Doc::SetStatus, &[self.rules.side(document.source), self.status(role)])
                    } else {
                        self.say(Doc::BackStatus, &[self.status(role)])
                    }
                });
                Line::join([back.unwrap_or_default(), status.unwrap_or_default()], " ")
            }
            Step::SetStatus(role) => {
                self.say(Doc::SetStatus, &[self.rules.side(document.source), self.status(role)])
            }
            Step::Action(action) => self.action(document, action),
            Step::Attach(attach) => self.attach(document, attach),
        }));
        page.blocks.push(Block::Numbered(lines));
        page.blocks.push(Block::Paragraph(self.say(Doc::HowSteps, &[])));
    }

    fn verify(&self, document: &Document, verify: &Verify) -> Line {
        let register = &document.register;
        let named = |side: Side, path: &Path| Line::strong(self.label_of(register, side, path));
        let (source, target) = (document.source, document.target());
        let mut said = vec![
            self.say(
                Doc::Verify,
                &[
                    named(target, &verify.equal[target]),
                    self.rules.side(target),
                    named(source, &verify.equal[source]),
                    self.rules.side(source),
                ],
            ),
            if verify.tolerance.is_zero() {
                self.say(Doc::Equal, &[])
            } else {
                self.say(Doc::Tolerance, &[Line::plain(verify.tolerance.to_string())])
            },
        ];
        if verify.ignore_sign {
            said.push(self.say(Doc::NoSign, &[]));
        }
        if let Some(same) = &verify.same {
            let ends = [target, source].map(|side| {
                let who = self.rules.side(side);
                self.say(Phrase::NamedAs, &[named(side, &same[side]), who])
            });
            said.push(self.say(Doc::MustBeSame, &ends));
        }
        let mut otherwise = Vec::new();
        if verify.delete {
            otherwise.push(self.say(Doc::ElseDelete, &[self.rules.side(target)]));
        }
        otherwise.push(match &verify.set_status {
            Some(role) => self.say(Doc::ElseStatus, &[self.rules.side(source), self.status(role)]),
            None => self.say(Doc::ElseAside, &[]),
        });
        said.push(self.say(Doc::Fails, &[Line::join(otherwise, "; ")]));
        Line::join(said, " ")
    }

    /// Rows that go back to the source: each field, where it comes from, and its rule.
    fn back(&self, document: &Document, register: &Register, rows: &[Row]) -> Line {
        let table = Table::of(register);
        let rows = rows.iter().map(|row| {
            let to = self.rules.fields(&table, row, document.source);
            let from = self.rules.fields(&table, row, document.target());
            let rule = self.rules.rule(&table, row, self.row_written(row));
            let line = if from.is_empty() { to } else { self.say(Doc::BackFrom, &[to, from]) };
            if rule.is_empty() { line } else { self.say(Phrase::NamedAs, &[line, rule]) }
        });
        self.say(Doc::WriteBack, &[self.rules.side(document.source), Line::join(rows, "; ")])
    }

    fn action(&self, document: &Document, action: &ActionStep) -> Line {
        let members = &document.register.ends[action.side].members;
        // the kinds of record may each tell in their own way when it is done
        let mut done: Vec<Line> = Vec::new();
        for member in members {
            if let Some(found) = member.resource.actions.get(&action.action) {
                let line = self.rules.expression(&found.done);
                if !done.contains(&line) {
                    done.push(line);
                }
            }
        }
        let values = [self.rules.side(action.side), Line::code(action.action.clone()), self.any(done)];
        self.only_if(self.say(Doc::Action, &values), action.when.as_ref())
    }

    fn attach(&self, document: &Document, attach: &AttachStep) -> Line {
        let register = &document.register;
        let from = attach.files.first().map_or(document.source, |(side, _)| *side);
        let files = Line::join(attach.files.iter().map(|(_, name)| Line::code(name.clone())), ", ");
        let to = match &attach.at {
            Some(elsewhere) => Line::plain(self.rules.title(&elsewhere.resource)),
            None => {
                let members = register.ends[attach.to].members.iter();
                Line::join(members.map(|one| Line::plain(self.rules.title(&one.resource))), ", ")
            }
        };
        let line = self.say(Doc::Attach, &[files, self.rules.side(from), to, self.rules.side(attach.to)]);
        let about =
            attach.about.as_ref().map(|text| self.say(Doc::About, &[Line::plain(sentence(text.source()))]));
        self.only_if(Line::join([line, about.unwrap_or_default()], " "), attach.when.as_ref())
    }

    fn only_if(&self, line: Line, when: Option<&Expr>) -> Line {
        let when = when.map(|when| self.say(Doc::OnlyIf, &[self.rules.condition(when.source())]));
        Line::join([line, when.unwrap_or_default()], " ")
    }

    pub(super) fn follow(&self, page: &mut Page, document: &Document) {
        page.heading(4, self.text(Doc::ComesBack));
        let Some(follow) = &document.follow else {
            page.blocks.push(Block::Paragraph(self.say(Doc::Nothing, &[])));
            return;
        };
        let during = self.any(follow.during.iter().map(|role| self.status(role)).collect());
        let when = self.written.documents.get(&document.register.name);
        let when = when.and_then(|one| one.words.follow.as_ref()?.when.as_ref());
        let line = self.say(Doc::While, &[during, self.rules.side(document.source)]);
        let only = when.map(|when| self.say(Doc::OnlyIf, &[self.rules.condition(when)]));
        page.blocks.push(Block::Paragraph(Line::join([line, only.unwrap_or_default()], " ")));
        let mut lines: Vec<Line> = follow
            .moves
            .iter()
            .map(|one| self.say(Doc::Moves, &[self.status(&one.to), self.rules.expression(&one.when)]))
            .collect();
        if let Some((when, reason)) = &follow.refused {
            let reason = if reason.source().len() > 80 {
                // a text put together of many fields is told by the system that gives it
                self.say(Doc::ReasonGiven, &[self.rules.side(document.target())])
            } else {
                Line::plain(sentence(reason.source()))
            };
            let values = [self.rules.expression(when), self.rules.side(document.target()), reason];
            lines.push(self.say(Doc::RefusedLater, &values));
        }
        if !follow.write.is_empty() {
            // what is read is what the record has become
            let question = self.program.exists.iter();
            let became = question
                .filter(|one| one.asks == Asks::Becomes && one.register == document.register.name)
                .map(|one| one.resource.clone())
                .next();
            let mut later = (*document.register).clone();
            if let Some(resource) = became {
                later.ends[document.target()] = Endpoint::of(vec![Member { resource, values: Vec::new() }]);
            }
            lines.push(self.back(document, &later, &follow.write));
        }
        if !lines.is_empty() {
            page.blocks.push(Block::Bullets(lines));
        }
    }

    fn any(&self, lines: Vec<Line>) -> Line {
        lines.into_iter().reduce(|one, two| self.say(Doc::Or, &[one, two])).unwrap_or_default()
    }

    /// What people call a field of a side's records.
    pub(super) fn label_of(&self, register: &Register, side: Side, path: &Path) -> String {
        let member = register.ends[side].members.first();
        member.map_or_else(|| path.to_string(), |one| self.rules.label(&one.resource, path))
    }
}
