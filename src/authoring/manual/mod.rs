//! The manual of an integration, made from its compiled mapping: what a person who uses it has to know.

mod documents;
mod errors;
mod flows;
mod labels;
mod page;
mod phrases;
mod registers;
mod rules;
mod settings;
mod steps;

pub use phrases::Language;

use page::{Block, Line, Page};
use phrases::{Phrase, Said};
use rules::Rules;

use crate::program::mapping::{Program, Register, Row};
use crate::spec::documents::Step as WrittenStep;
use crate::spec::mapping as spec;
use crate::value::Side;

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
    fn text(&self, phrase: impl Said) -> String {
        phrase.text(self.language).to_owned()
    }

    fn say(&self, phrase: impl Said, values: &[Line]) -> Line {
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
        if !self.program.registers.is_empty() {
            page.heading(2, self.text(Phrase::Registers));
            for register in self.in_order() {
                self.register(&mut page, register);
            }
        }
        self.documents(&mut page);
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

    /// A row as it was written, wherever it stands.
    fn row_written(&self, row: &Row) -> Option<&spec::Row> {
        let registers = self.written.registers.iter().flat_map(|(_, one)| one.words.fields.iter());
        let tables = self.written.tables.iter().flat_map(|(_, rows)| rows.iter());
        let documents = self.written.documents.iter().flat_map(|(_, one)| {
            let words = &one.words;
            let below = words.rows.0.iter().flat_map(|rows| rows.words.fields.iter());
            let back = words.steps.iter().flat_map(|step| match step {
                WrittenStep::WriteBack(back) => back.fields.iter(),
                _ => [].iter(),
            });
            let later = words.follow.iter().flat_map(|follow| follow.write.iter());
            words.fields.iter().chain(below).chain(back).chain(later)
        });
        registers.chain(tables).chain(documents).find(|one| one.span == row.origin.span)
    }

    fn overview(&self, page: &mut Page) {
        let sides = [self.rules.side(Side::Left), self.rules.side(Side::Right)];
        if self.program.registers.is_empty() {
            page.blocks.push(Block::Paragraph(self.say(Phrase::Connected, &sides)));
            return;
        }
        page.heading(2, self.text(Phrase::KeptEqual));
        page.blocks.push(Block::Paragraph(self.say(Phrase::Intro, &sides)));
        let rows = self
            .in_order()
            .map(|register| {
                vec![
                    Line::plain(self.rules.named(register)),
                    self.direction(register),
                    match register.master {
                        _ if register.link_only => Line::default(),
                        Some(side) => self.master(register, self.rules.side(side)),
                        None => self.say(Phrase::NoMaster, &[]),
                    },
                ]
            })
            .collect();
        let head = [Phrase::Register, Phrase::Direction, Phrase::Master];
        page.blocks.push(Block::Table(head.map(|one| self.text(one)).to_vec(), rows));
    }
}
