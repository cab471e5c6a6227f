//! What is said of a document: what travels, from where to where, when, with which fields, and what comes back.

use std::time::Duration;

use super::Author;
use super::labels::Table;
use super::page::{Block, Line, Page};
use super::phrases::{Doc, Phrase};
use super::settings::sentence;
use crate::program::document::{Document, Embed, Lines, Take, Told};
use crate::program::expr::Expr;
use crate::program::mapping::{Asks, Row};
use crate::value::{Both, Side};

impl Author<'_> {
    pub(super) fn documents(&self, page: &mut Page) {
        if self.program.documents.is_empty() {
            return;
        }
        page.heading(2, self.text(Doc::Documents));
        page.blocks.push(Block::Paragraph(self.say(Doc::Intro, &[])));
        let rows = self.program.documents.iter().map(|document| {
            vec![
                Line::plain(self.rules.named(&document.register)),
                self.travels_to(document),
                self.when(document),
            ]
        });
        let rows = rows.collect();
        let head = vec![self.text(Doc::Document), self.text(Phrase::Direction), self.text(Doc::WhenTravels)];
        page.blocks.push(Block::Table(head, rows));
        for document in &self.program.documents {
            self.document(page, document);
        }
    }

    fn travels_to(&self, document: &Document) -> Line {
        self.say(Phrase::OneWay, &[self.rules.side(document.source), self.rules.side(document.target())])
    }

    fn when(&self, document: &Document) -> Line {
        let when = if document.on_demand {
            let asked = Line::code(format!("--only {}", document.register.name));
            self.say(Doc::OnDemand, &[asked])
        } else {
            self.say(Doc::EveryRun, &[])
        };
        let most = document.at_most.map(|most| self.say(Doc::AtMost, &[Line::plain(most.to_string())]));
        Line::join([when, most.unwrap_or_default()], "; ")
    }

    fn document(&self, page: &mut Page, document: &Document) {
        let register = &document.register;
        let (source, target) = (document.source, document.target());
        page.heading(3, self.rules.named(register));
        let records = [source, target].map(|side| {
            let members =
                register.ends[side].members.iter().map(|one| Line::plain(self.rules.title(&one.resource)));
            Line::join([self.rules.side(side), Line::join(members, ", ")], ": ")
        });
        let facts = [
            (self.text(Phrase::Direction), self.travels_to(document)),
            (self.text(Phrase::Records), Line::join(records, " → ")),
            (self.text(Doc::WhenTravels), self.when(document)),
            (self.text(Doc::WhatTravels), self.what(document)),
            (self.text(Doc::Refusals), self.refusals(document)),
            (self.text(Doc::Unknown), self.unknown(document)),
        ];
        let reconciled = (self.text(Doc::Reconciled), self.reconciled(document));
        let reconciled = (!reconciled.1.is_empty()).then_some(reconciled);
        page.blocks.push(Block::Facts(facts.into_iter().chain(reconciled).collect()));
        let more = self.conditions(document);
        if !more.is_empty() {
            page.blocks.push(Block::Bullets(more));
        }
        if !document.lines.is_empty() {
            page.heading(4, self.text(Doc::Header));
        }
        self.field_table(page, document, &Table::of(register), &register.rows);
        for lines in &document.lines {
            self.lines(page, document, lines);
        }
        self.steps(page, document);
        self.follow(page, document);
        self.flow(page, document);
    }

    fn what(&self, document: &Document) -> Line {
        let taken = match &document.take {
            Take::All => self.say(Doc::AllOfThem, &[]),
            Take::Role(role) => self.say(Doc::WithRole, &[self.status(role)]),
            Take::When(when) => self.say(Doc::Those, &[self.rules.condition(when.source())]),
        };
        let scope = document.register.ends[document.source].scope.as_ref();
        let scope = scope.map(|scope| self.say(Doc::Those, &[self.rules.condition(scope.source())]));
        match (&document.take, scope) {
            (Take::All, Some(scope)) => scope,
            (_, scope) => Line::join([taken, scope.unwrap_or_default()], "; "),
        }
    }

    fn refusals(&self, document: &Document) -> Line {
        let target = self.rules.side(document.target());
        match &document.refused {
            Some(role) => {
                let values = [target, self.status(role), self.rules.side(document.source)];
                self.say(Doc::RefusedStatus, &values)
            }
            None => self.say(Doc::RefusedAside, &[target]),
        }
    }

    /// The amounts of either side that `report reconcile` puts side by side.
    fn reconciled(&self, document: &Document) -> Line {
        let code = |expr: &Expr| Line::code(expr.source());
        let sides = [document.source, document.target()].map(|side| {
            let told = &document.reconcile.sides[side];
            let amount = |told: &Told| match told {
                Told::Field(path) => Line::strong(self.label_of(&document.register, side, path)),
                Told::Worked(expr) => match expr.as_path() {
                    Some(path) => Line::strong(self.label_of(&document.register, side, &path)),
                    None => code(expr),
                },
            };
            let total = told.total.as_ref().map(|total| self.say(Doc::ReckonedTotal, &[amount(total)]));
            let net = told.net.as_ref().map(|net| self.say(Doc::ReckonedNet, &[amount(net)]));
            let rows = told.rows.as_ref().map(|rows| self.say(Doc::ReckonedRows, &[code(&rows.net)]));
            let rate = told.rates.as_ref().or(told.rows.as_ref()).and_then(|amounts| amounts.rate.as_ref());
            let rate = rate.map(|rate| self.say(Doc::ReckonedRate, &[code(rate)]));
            let all = Line::join([total, net, rows, rate].into_iter().flatten(), ", ");
            if all.is_empty() { all } else { Line::join([self.rules.side(side), all], ": ") }
        });
        Line::join(sides, "; ")
    }

    /// What becomes of a making that nobody answered.
    fn unknown(&self, document: &Document) -> Line {
        let (register, target) = (&document.register, document.target());
        let side = self.rules.side(target);
        let mut said = Vec::new();
        let keys = register.ends[target]
            .members
            .iter()
            .map(|member| member.resource.create.as_ref().and_then(|call| call.idempotency_key.as_ref()));
        let keys: Vec<_> = keys.collect();
        if keys.iter().all(Option::is_some) {
            said.push(self.say(Doc::ByKey, std::slice::from_ref(&side)));
        }
        // a key that is known always settles every one
        if keys.iter().any(|key| key.is_none_or(|key| key.kept.is_some())) {
            let table = Table::of(register);
            let rows = register.matching.iter().flatten().filter_map(|at| register.rows.get(*at));
            let fields = Line::join(rows.map(|row| self.rules.fields(&table, row, target)), " + ");
            said.push(if fields.is_empty() {
                self.say(Doc::Held, &[side])
            } else {
                let after = Line::plain(span(self.program.sides[target].system.settle_after));
                let phrase = if document.twins { Doc::FoundTwin } else { Doc::Found };
                self.say(phrase, &[after, side, fields])
            });
        }
        Line::join(said, "; ")
    }

    /// What else holds for a document.
    fn conditions(&self, document: &Document) -> Vec<Line> {
        let (register, source) = (&document.register, document.source);
        let mut lines = Vec::new();
        let written = self.written.documents.get(&register.name);
        if let Some(when) = written.and_then(|one| one.words.when.as_ref()) {
            lines.push(self.say(Phrase::OnlyWhen, &[self.rules.condition(when)]));
        }
        for each in &document.each {
            let list = Line::strong(self.rules.label(&each.of, &each.list));
            lines.push(self.say(Doc::Each, &[list, Line::plain(self.rules.title(&each.of))]));
        }
        lines.extend(Side::BOTH.into_iter().flat_map(|side| self.kinds(register, side)));
        if let Some(file) = &document.file {
            lines.push(self.say(Doc::MadeOfFile, &[Line::code(file.clone()), self.rules.side(source)]));
        }
        lines.extend(document.embed.as_ref().map(|embed| self.inside(embed, source)));
        for valid in &register.valid {
            let said = sentence(valid.otherwise.source());
            lines.push(self.say(Doc::Valid, &[self.rules.expression(&valid.that), Line::plain(said)]));
        }
        let related = self.program.exists.iter();
        for one in related.filter(|one| one.asks == Asks::Related && one.register == register.name) {
            let name = Line::code(format!("related.{}", one.name));
            let record = Line::plain(self.rules.title(&one.resource));
            let pairs = self.pairs(register, one);
            lines.push(self.say(Doc::Related, &[name, record, self.rules.side(one.there), pairs]));
        }
        let became = self.program.exists.iter();
        for question in became.filter(|one| one.asks == Asks::Becomes && one.register == register.name) {
            let pairs = self.pairs(register, question);
            let record = Line::plain(self.rules.title(&question.resource));
            lines.push(self.say(Doc::Becomes, &[self.rules.side(document.target()), record, pairs]));
        }
        lines
    }

    /// Files that go inside the message.
    fn inside(&self, embed: &Embed, source: Side) -> Line {
        self.say(Doc::Inside, &[Line::code(embed.files.clone()), self.rules.side(source)])
    }

    /// A table of fields that go from the source to the other side.
    fn field_table(&self, page: &mut Page, document: &Document, table: &Table, rows: &[Row]) {
        let (source, target) = (document.source, document.target());
        let rows = rows.iter().map(|row| {
            vec![
                self.rules.fields(table, row, source),
                Line::plain("→"),
                self.rules.fields(table, row, target),
                self.rules.rule(table, row, self.row_written(row)),
            ]
        });
        let rows = rows.collect();
        let [from, to] = [source, target].map(|side| self.program.sides[side].system.title.clone());
        page.blocks.push(Block::Table(vec![from, String::new(), to, self.text(Phrase::Rule)], rows));
    }

    fn lines(&self, page: &mut Page, document: &Document, lines: &Lines) {
        let register = &document.register;
        let source = document.source;
        let lists = Both::of(|side| if side == source { &lines.from } else { &lines.to });
        let label = |side: Side| {
            let member = register.ends[side].members.first();
            member.map(|one| self.rules.label(&one.resource, lists[side])).unwrap_or_default()
        };
        let ends = [Line::plain(label(source)), Line::plain(label(source.other()))];
        page.heading(4, self.say(Doc::Rows, &ends).text());
        let mut more = Vec::new();
        if let Some(scope) = &lines.scope {
            more.push(self.say(Doc::RowScope, &[self.rules.condition(scope.source())]));
        }
        let table = Table { register, lists: Some(lists) };
        if let Some(order) = &lines.order {
            let member = register.ends[source].members.first();
            let order = member.map(|one| self.rules.label_below(&one.resource, &lines.from, order));
            more.push(self.say(Doc::RowOrder, &[Line::strong(order.unwrap_or_default())]));
        }
        more.extend(lines.embed.as_ref().map(|embed| self.inside(embed, source)));
        if !more.is_empty() {
            page.blocks.push(Block::Bullets(more));
        }
        self.field_table(page, document, &table, &lines.rows);
    }
}

/// A time in the units that every language writes alike.
fn span(time: Duration) -> String {
    match time.as_secs() {
        seconds if seconds >= 3600 && seconds % 3600 == 0 => format!("{} h", seconds / 3600),
        seconds if seconds >= 60 && seconds % 60 == 0 => format!("{} min", seconds / 60),
        seconds => format!("{seconds} s"),
    }
}
