//! Schedule and brakes, and what happens on errors.

use std::time::Duration;

use super::Author;
use super::page::{Block, Line, Page};
use super::phrases::{Doc, Phrase};

impl Author<'_> {
    pub(super) fn safety(&self, page: &mut Page) {
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

    pub(super) fn errors(&self, page: &mut Page) {
        page.heading(2, self.text(Phrase::Errors));
        let mut rows = Vec::new();
        let mut add = |found: Line, done: Line| rows.push(vec![found, done]);
        if !self.program.registers.is_empty() {
            for (found, done) in [
                (Phrase::SAbsent, Phrase::AAbsent),
                (Phrase::SFound, Phrase::AFound),
                (Phrase::SAmbiguous, Phrase::AAmbiguous),
                (Phrase::SConflict, Phrase::AConflict),
                (Phrase::SKeyChanged, Phrase::AKeyChanged),
                (Phrase::SSourceMissing, Phrase::ASourceMissing),
                (Phrase::STargetMissing, Phrase::ATargetMissing),
                (Phrase::SOutOfScope, Phrase::AOutOfScope),
            ] {
                add(self.say(found, &[]), self.say(done, &[]));
            }
        }
        if !self.program.documents.is_empty() {
            for (found, done) in
                [(Doc::SChanged, Doc::AChanged), (Doc::SCodes, Doc::ACodes), (Doc::SMoved, Doc::AMoved)]
            {
                add(self.say(found, &[]), self.say(done, &[]));
            }
        }
        for (found, done) in [
            (Phrase::SWaits, Phrase::AWaits),
            (Phrase::SRefused, Phrase::ARefused),
            (Phrase::SInDoubt, Phrase::AInDoubt),
        ] {
            add(self.say(found, &[]), self.say(done, &[]));
        }
        let head = [Phrase::Situation, Phrase::Action].map(|one| self.text(one)).to_vec();
        page.blocks.push(Block::Table(head, rows));
    }
}
