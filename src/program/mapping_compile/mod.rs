//! From a mapping as it was written to a [`Program`]: every name resolved, every row checked on both sides.
//!
//! Findings are collected, never stopped at: a row that is wrong is left out and the rest is checked.

mod actions;
mod checks;
mod documents;
mod exists;
mod flow;
mod names;
mod order;
mod registers;
mod related;
mod rows;
mod scopes;
mod settings;
mod values;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use indexmap::IndexMap;
use sha2::{Digest, Sha256};

use super::expr::{Expr, Scope, Template};
use super::mapping::{Brake, Brakes, Fact, Origin, Program};
use super::system::System;
use super::system_compile::{parse_duration, record_type};
use super::types::Type;
use crate::diagnostic::{At, Code, Diagnostic, Diagnostics, Sources, Span, codes};
use crate::spec::mapping as spec;
use crate::value::{Both, Path, Segment, Side, Value};

pub use settings::Answers;

/// Compiles a mapping between two compiled systems.
///
/// `answers` say what the company chose: without them (for `validate`) every register is compiled, whatever
/// its `when`. Everything that is wrong is pushed to `diagnostics`; a program comes back only where nothing
/// is an error.
pub fn compile_mapping(
    mapping: &spec::Mapping,
    systems: Both<Arc<System>>,
    answers: &Answers,
    sources: &Sources,
    diagnostics: &mut Diagnostics,
) -> Option<Program> {
    let names: Vec<&At<String>> = mapping.systems.iter().map(|(name, _)| name).collect();
    if names.len() != 2 {
        return None; // the loader has said so
    }
    let sides = Both {
        left: super::mapping::End { name: names[0].value.clone(), system: systems.left },
        right: super::mapping::End { name: names[1].value.clone(), system: systems.right },
    };
    let resource_types = Both::of(|side| {
        sides[side]
            .system
            .resources
            .iter()
            .map(|(name, resource)| {
                let ty = record_type(resource);
                (name.clone(), if resource.singleton { ty } else { Type::table(ty) })
            })
            .collect()
    });
    let mut compiler = Compiler {
        sources,
        diagnostics,
        sides,
        settings: IndexMap::new(),
        answers: Value::Null,
        needs: Both::default(),
        report: super::mapping::Needed::default(),
        facts: BTreeSet::new(),
        exists: Vec::new(),
        validating: matches!(answers, Answers::None),
        setting_uses: BTreeSet::new(),
        wrong_settings: BTreeSet::new(),
        roles_of_wrong_flow: None,
        document: None,
        resource_types,
    };
    for (side, end) in [(Side::Left, names[0]), (Side::Right, names[1])] {
        compiler.side_name(side, end);
    }
    compiler.compile_settings(mapping, answers);
    let every = compiler.duration(mapping.schedule.every.as_ref(), Duration::from_secs(300));
    let sweep = compiler.duration(mapping.schedule.sweep.as_ref(), Duration::from_secs(24 * 3600));
    let below = compiler.duration(mapping.schedule.below.as_ref(), Duration::ZERO);
    let brakes = Brakes {
        create: compiler.brake(mapping.brakes.create.as_ref(), Brake::Count(500)),
        update: compiler.brake(mapping.brakes.update.as_ref(), Brake::Count(500)),
        delete: compiler.brake(mapping.brakes.delete.as_ref(), Brake::Count(0)),
    };
    let registers = compiler.compile_registers(mapping);
    let documents = compiler.compile_documents(mapping);
    let checks = compiler.compile_checks(mapping, &registers);
    compiler.unused(mapping);
    let mut program = Program {
        name: mapping.mapping.value.clone(),
        title: mapping.title.clone(),
        hash: hash(sources, &compiler.answers),
        sides: compiler.sides.clone(),
        every,
        sweep,
        below,
        brakes,
        settings: std::mem::take(&mut compiler.settings),
        answers: compiler.answers.clone(),
        checks,
        registers: registers.into_iter().map(Arc::new).collect(),
        documents: documents.into_iter().map(Arc::new).collect(),
        needs: std::mem::take(&mut compiler.needs),
        report: std::mem::take(&mut compiler.report),
        facts: facts(&compiler.facts),
        exists: std::mem::take(&mut compiler.exists),
    };
    for side in Side::BOTH {
        versions(&mut program, side);
        scopes::ask(&mut program, side);
    }
    (!diagnostics.has_errors()).then_some(program)
}

impl Program {
    /// The same program, which reads also what a report needs.
    #[must_use]
    pub fn for_report(&self) -> Program {
        let mut program = self.clone();
        for side in Side::BOTH {
            for (resource, fields) in &self.report.fields[side] {
                program.needs[side].entry(resource.clone()).or_default().extend(fields.iter().cloned());
            }
        }
        program.facts.extend(self.report.facts.iter().filter(|fact| !self.facts.contains(fact)).cloned());
        for side in Side::BOTH {
            scopes::ask(&mut program, side);
        }
        program
    }
}

/// What is written under the condition of its version is read with it.
fn versions(program: &mut Program, side: Side) {
    let resources = &program.sides[side].system.resources;
    for (name, fields) in &mut program.needs[side] {
        let Some(resource) = resources.get(name) else { continue };
        let update = resource.update.as_ref().and_then(|call| call.if_match.as_ref());
        let delete = resource.delete.as_ref().and_then(|call| call.if_match.as_ref());
        let found = update.into_iter().chain(delete).filter_map(|path| resource.field_at(path));
        fields.extend(found.map(|(field, _)| field.name.to_string()));
    }
}

fn facts(read: &BTreeSet<(Side, String, Option<String>)>) -> Vec<Fact> {
    let fact = |(side, resource, key): &(Side, String, Option<String>)| Fact {
        side: *side,
        resource: resource.clone(),
        key: key.clone(),
    };
    read.iter().map(fact).collect()
}

/// What decides what a program does: its files and the answers.
fn hash(sources: &Sources, answers: &Value) -> String {
    let mut hasher = Sha256::new();
    for text in sources.texts() {
        hasher.update(text.as_bytes());
        hasher.update([0]);
    }
    hasher.update(answers.to_json().as_bytes());
    hasher.finalize().iter().take(16).map(|byte| format!("{byte:02x}")).collect()
}

pub(super) struct Compiler<'a> {
    sources: &'a Sources,
    diagnostics: &'a mut Diagnostics,
    sides: Both<super::mapping::End>,
    settings: IndexMap<String, super::mapping::Setting>,
    answers: Value,
    needs: Both<IndexMap<String, BTreeSet<String>>>,
    report: super::mapping::Needed,
    facts: BTreeSet<(Side, String, Option<String>)>,
    exists: Vec<super::mapping::Exists>,
    validating: bool,
    setting_uses: BTreeSet<String>,
    /// What every resource of a side is in an expression: worked out once, asked for with every row.
    resource_types: Both<IndexMap<String, Type>>,
    /// Settings that are declared and wrong: what only follows from that is not reported.
    wrong_settings: BTreeSet<String>,
    /// The roles of a flow that is wrong itself.
    roles_of_wrong_flow: Option<Vec<String>>,
    /// A document is compiled: the fields of its other side that something else than its rows gives.
    document: Option<Vec<Path>>,
}

impl Compiler<'_> {
    /// One error.
    fn error(
        &mut self,
        code: &'static Code,
        span: Span,
        message: impl Into<String>,
        help: impl Into<Option<String>>,
    ) {
        let mut diagnostic = Diagnostic::error(code, span, message.into());
        if let Some(help) = help.into() {
            diagnostic = diagnostic.help(help);
        }
        self.diagnostics.push(diagnostic);
    }

    fn warning(
        &mut self,
        code: &'static Code,
        span: Span,
        message: impl Into<String>,
        help: impl Into<Option<String>>,
    ) {
        let mut diagnostic = Diagnostic::warning(code, span, message.into());
        if let Some(help) = help.into() {
            diagnostic = diagnostic.help(help);
        }
        self.diagnostics.push(diagnostic);
    }

    fn origin(&self, span: Span) -> Origin {
        Origin { span, text: self.sources.place(span) }
    }

    /// A side may not be called like a word of a row or register: `{ shop: …, value: … }` must stay clear.
    fn side_name(&mut self, side: Side, name: &At<String>) {
        let taken = spec::ROW_WORDS.contains(&name.value.as_str())
            || [
                "settings",
                "today",
                "now",
                "row",
                "header",
                "file",
                "title",
                "situations",
                "match",
                "unique",
            ]
            .contains(&name.value.as_str());
        if taken {
            self.error(
                &codes::SIDE_IS_A_WORD,
                name.span,
                format!("`{name}` is a word of the language and cannot name a side"),
                Some(format!("call the {side} side by its product, `erp` or `crm`")),
            );
        }
    }

    fn side(&mut self, name: &At<String>) -> Option<Side> {
        let found = Side::BOTH.into_iter().find(|side| self.sides[*side].name == name.value);
        if found.is_none() {
            self.error(
                &codes::UNKNOWN_SIDE,
                name.span,
                format!("`{name}` is no side of this mapping"),
                Some(format!("the sides are `{}` and `{}`", self.sides.left.name, self.sides.right.name)),
            );
        }
        found
    }

    fn duration(&mut self, text: Option<&At<String>>, default: Duration) -> Duration {
        let Some(text) = text else { return default };
        match parse_duration(&text.value) {
            Ok(duration) => duration,
            Err(help) => {
                self.error(
                    &codes::BAD_DURATION,
                    text.span,
                    format!("`{text}` is no length of time"),
                    Some(help.to_owned()),
                );
                default
            }
        }
    }

    fn brake(&mut self, limit: Option<&spec::Limit>, default: Brake) -> Brake {
        let Some(spec::Limit(text)) = limit else { return default };
        let parsed = match text.value.strip_suffix('%') {
            Some(percent) => percent.parse().ok().filter(|percent| *percent <= 100).map(Brake::Percent),
            None => text.value.parse().ok().map(Brake::Count),
        };
        parsed.unwrap_or_else(|| {
            self.error(
                &codes::BAD_BRAKE,
                text.span,
                format!("`{text}` is neither a number of records nor a share"),
                Some("write `500`, or `25%` of the records that are linked".to_owned()),
            );
            default
        })
    }

    /// Compiles an expression; its problems are shown inside the YAML scalar.
    fn expr(&mut self, text: &At<String>, scope: &Scope) -> Option<Expr> {
        match Expr::compile(&text.value, scope) {
            Ok(expr) => {
                self.note_uses(text, scope, &expr.uses());
                Some(expr)
            }
            Err(problems) => {
                self.expr_problems(text, problems);
                None
            }
        }
    }

    fn template(&mut self, text: &At<String>, scope: &Scope) -> Option<Template> {
        match Template::compile(&text.value, scope) {
            Ok(template) => {
                self.note_uses(text, scope, &template.uses());
                Some(template)
            }
            Err(problems) => {
                self.expr_problems(text, problems);
                None
            }
        }
    }

    fn expr_problems(&mut self, text: &At<String>, problems: Vec<super::expr::ExprProblem>) {
        for problem in problems {
            let span = self.sources.inner_span(text.span, &text.value, problem.range);
            self.error(&codes::BAD_EXPRESSION, span, problem.message, problem.help);
        }
    }

    /// Remembers which facts and settings an expression reads.
    fn note_uses(&mut self, text: &At<String>, scope: &Scope, uses: &[Path]) {
        for path in uses {
            let mut keys = path.segments().iter();
            let (Some(Segment::Key(root)), second) = (keys.next(), keys.next()) else { continue };
            let Some(Segment::Key(second)) = second else { continue };
            if root == "settings" {
                self.setting_uses.insert(second.clone());
                continue;
            }
            let Some(side) = Side::BOTH.into_iter().find(|side| self.sides[*side].name == *root) else {
                continue;
            };
            let Some(resource) = self.sides[side].system.resources.get(second) else { continue };
            // a field of the record that is called as a resource is stands for the record
            let meant = scope.get(root).and_then(|ty| ty.members()?.get(second));
            if meant != self.resource_types[side].get(second) {
                continue;
            }
            if resource.singleton {
                self.facts.insert((side, second.clone(), None));
            } else if let Some(Segment::Key(key)) = keys.next() {
                self.facts.insert((side, second.clone(), Some(key.clone())));
            } else if let Some(Type::Table(_)) = scope.get(root).and_then(|ty| ty.members()?.get(second)) {
                // only what is named here is read
                self.error(
                    &codes::BAD_EXPRESSION,
                    text.span,
                    format!("which record of `{root}.{second}` is meant must stand here: a computed key reads none"),
                    Some(format!("write the key itself: `{root}.{second}['KEY']`")),
                );
            }
        }
    }

    /// The scope every expression of a mapping has: settings, the time, and the facts of both sides.
    fn base_scope(&self) -> Scope {
        self.scope_with(None, None, None)
    }

    /// A scope with the records of either side; `bare`: the side whose fields need no prefix.
    fn scope_with(&self, left: Option<&Type>, right: Option<&Type>, bare: Option<Side>) -> Scope {
        let records = Both { left, right };
        let mut scope = Scope::new()
            .root("settings", self.settings_type())
            .root("today", Type::Date)
            .root("now", Type::Time);
        for side in Side::BOTH {
            let mut members = self.resource_types[side].clone();
            if let Some(Type::Object(fields)) = records[side] {
                members.extend(fields.iter().map(|(name, ty)| (name.clone(), ty.clone())));
            }
            scope = scope.root(self.sides[side].name.clone(), Type::Object(Arc::new(members)));
        }
        match bare.and_then(|side| records[side]) {
            Some(ty) => scope.bare(ty),
            None => scope,
        }
    }

    /// Remembers that a field of a resource is read.
    fn need(&mut self, side: Side, resource: &str, field: &str) {
        self.needs[side].entry(resource.to_owned()).or_default().insert(field.to_owned());
    }
}
