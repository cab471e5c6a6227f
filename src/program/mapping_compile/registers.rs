//! Registers: sides, direction, masters, matching, scope.

mod matching;
mod needs;

use indexmap::IndexMap;

use super::Compiler;
use super::names::place;
use crate::diagnostic::{At, Span, codes, suggest};
use crate::program::expr::Scope;
use crate::program::mapping::{Endpoint, Member, RELATED, Register, SettingKind, Step};
use crate::program::system_compile::record_type;
use crate::program::types::Type;
use crate::spec::mapping as spec;
use crate::value::{Both, Path, Segment, Side, Value};

/// A direction as it was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Direction {
    pub link_only: bool,
    /// The register is off.
    pub none: bool,
    /// Which sides may be written to.
    pub to: Both2,
    /// A setting says it: what has nothing to do in this direction has in another.
    pub chosen: bool,
}

/// Left and right flags that are `Copy`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Both2 {
    pub left: bool,
    pub right: bool,
}

/// `settings.NAME`: the name of the setting.
fn setting_name(text: &At<String>) -> Option<&str> {
    text.value.strip_prefix("settings.")
}

impl Compiler<'_> {
    pub(super) fn compile_registers(&mut self, mapping: &spec::Mapping) -> Vec<Register> {
        let mut registers = Vec::new();
        for (name, register) in mapping.registers.iter() {
            if let Some(compiled) = self.register(mapping, name, register) {
                registers.push(compiled);
            }
        }
        self.check_references(&registers, mapping);
        self.ordered(registers)
    }

    fn register(
        &mut self,
        mapping: &spec::Mapping,
        name: &At<String>,
        register: &spec::Register,
    ) -> Option<Register> {
        let words = &register.words;
        if !self.is_on(words.when.as_ref()) {
            return None;
        }
        let ends = self.endpoints(name, &register.sides, None)?;
        self.register_of(mapping, name, words, ends)
    }

    /// Whether a register or document is there by its `when`; all are for `validate`.
    pub(super) fn is_on(&mut self, when: Option<&At<String>>) -> bool {
        let Some(when) = when else { return true };
        let scope = self.base_scope();
        let Some(expr) = self.expr(when, &scope) else { return true };
        if self.validating {
            return true;
        }
        let mut root = crate::value::Map::new();
        root.insert("settings".into(), self.answers.clone());
        expr.holds(&Value::Map(root)).unwrap_or(false)
    }

    /// A register (or the part of a document that is like one) whose ends are known.
    pub(super) fn register_of(
        &mut self,
        mapping: &spec::Mapping,
        name: &At<String>,
        words: &spec::RegisterWords,
        ends: Both<Endpoint>,
    ) -> Option<Register> {
        let direction = match &words.direction {
            Some(text) => self.direction(text)?,
            None => Direction {
                link_only: false,
                none: false,
                to: Both2 { left: true, right: true },
                chosen: false,
            },
        };
        if direction.none && !self.validating {
            return None;
        }
        let one_way = match (direction.to.left, direction.to.right) {
            (false, true) => Some(Side::Left),
            (true, false) => Some(Side::Right),
            _ => None,
        };
        let stated = words.master.as_ref().and_then(|master| self.master(master));
        // a setting that says nothing new is no mistake: in another company it does
        let chosen =
            direction.chosen || words.master.as_ref().is_some_and(|master| setting_name(master).is_some());
        if let (Some(source), Some(stated), Some(at)) = (one_way, stated, &words.master)
            && source != stated
            && !chosen
        {
            let source = self.sides[source].name.clone();
            self.error(
                &codes::WRONG_MASTER,
                at.span,
                format!("this register goes one way from {source}: its master cannot be `{at}`"),
                Some("leave `master` out, or make the direction `both`".to_owned()),
            );
        }
        let adopt = words.adopt.as_ref().and_then(|adopt| self.side(adopt));
        let types = Both::of(|side| self.end_type(&ends[side], &[]));
        let master = one_way.or(stated);
        let rows = self.rows(
            mapping,
            &words.fields,
            &super::rows::Table {
                register: &name.value,
                ends: &ends,
                types: &types,
                direction: &direction,
                master,
                document: None,
            },
        );
        let matching = self.matching(words, &rows, name);
        let unique = self.unique(words, &ends, &types, &rows);
        let valid = self.valid(words, &types);
        let part_of = self.part_of(words, &rows);
        let mut compiled = Register {
            name: name.value.clone(),
            title: words
                .title
                .as_ref()
                .and_then(|titles| titles.in_language("en"))
                .map_or_else(|| name.value.replace('_', " "), str::to_owned),
            titles: words.title.as_ref().map(|titles| titles.0.clone()).unwrap_or_default(),
            was: words.was.as_ref().map(|was| was.value.clone()),
            link_only: direction.link_only,
            creates: Both { left: direction.to.left, right: direction.to.right },
            master,
            adopt,
            ends,
            matching,
            unique,
            part_of,
            valid,
            situations: self.situations(words),
            rows,
            origin: self.origin(name.span),
            needs: Vec::new(),
            called: None,
            is_document: self.document.is_some(),
        };
        self.creatable(&mut compiled, name, &direction);
        self.deletable(&compiled, words);
        self.needs_of(&compiled);
        let mut needs: Vec<String> = compiled
            .rows
            .iter()
            .flat_map(|row| &row.steps)
            .filter_map(|step| match step {
                Step::Reference { register, .. } => Some(register.clone()),
                _ => None,
            })
            .chain(compiled.part_of.iter().map(|(register, _)| register.clone()))
            .filter(|register| *register != compiled.name)
            .collect();
        needs.sort();
        needs.dedup();
        compiled.needs = needs;
        Some(compiled)
    }

    /// Both ends of a register, or of a document; `each`: the items of this list of one side.
    pub(super) fn endpoints(
        &mut self,
        name: &At<String>,
        sides: &[(At<String>, spec::Endpoint)],
        each: Option<(Side, &At<String>)>,
    ) -> Option<Both<Endpoint>> {
        for (key, _) in sides {
            if Side::BOTH.into_iter().all(|side| self.sides[side].name != key.value) {
                let (words, what) = match self.document {
                    Some(_) => (crate::spec::documents::DOCUMENT_WORDS, "a document"),
                    None => (spec::REGISTER_WORDS, "a register"),
                };
                let sides = [self.sides.left.name.clone(), self.sides.right.name.clone()];
                let near = suggest(&key.value, words.iter().copied().chain(sides.iter().map(String::as_str)));
                let help = near.map_or_else(
                    || {
                        format!(
                            "the sides are `{}` and `{}`; the words are {}",
                            sides[0],
                            sides[1],
                            words.join(", ")
                        )
                    },
                    |near| format!("did you mean `{near}`?"),
                );
                self.error(
                    &codes::UNKNOWN_SIDE,
                    key.span,
                    format!("`{key}` is neither a side nor a word of {what}"),
                    Some(help),
                );
            }
        }
        let mut found: [Option<Endpoint>; 2] = [None, None];
        for side in Side::BOTH {
            let side_name = self.sides[side].name.clone();
            let Some((_, end)) = sides.iter().find(|(key, _)| key.value == side_name) else {
                self.error(
                    &codes::NO_RECORDS,
                    name.span,
                    format!("`{name}` does not say which records of `{side_name}` it is about"),
                    Some(format!("add `{side_name}: {{ resource: … }}`")),
                );
                continue;
            };
            found[side.index()] = self.endpoint(side, name, end);
        }
        let [left, right] = found;
        let mut ends = Both { left: left?, right: right? };
        if let Some((side, list)) = each {
            self.items(side, &mut ends[side], list)?;
        }
        // scopes see the record of their side by bare names
        for side in Side::BOTH {
            let side_name = self.sides[side].name.clone();
            let Some((_, end)) = sides.iter().find(|(key, _)| key.value == side_name) else {
                continue;
            };
            self.related(side, name, &mut ends[side], &end.related);
            let ty = self.end_type(&ends[side], &[]);
            let scope = match side {
                Side::Left => self.scope_with(Some(&ty), None, Some(side)),
                Side::Right => self.scope_with(None, Some(&ty), Some(side)),
            };
            let scope = self.exists(side, name, &ends[side].clone(), &end.exists, scope);
            if let Some(text) = &end.scope {
                ends[side].scope = self.record_expr(side, &ends[side].clone(), text, &scope);
                ends[side].scope_at = self.origin(text.span);
            }
            if let Some(text) = &end.create_when {
                ends[side].create_when = self.record_expr(side, &ends[side].clone(), text, &scope);
                ends[side].create_when_at = self.origin(text.span);
            }
            if let Some(by) = &end.by {
                let by = self.discriminator(side, &mut ends, by);
                ends[side].by = by;
            }
        }
        Some(ends)
    }

    /// An expression over records of one side: what it reads is noted as needed.
    pub(super) fn record_expr(
        &mut self,
        side: Side,
        end: &Endpoint,
        text: &At<String>,
        scope: &Scope,
    ) -> Option<crate::program::expr::Expr> {
        let expr = self.expr(text, scope)?;
        self.need_uses(side, end, expr.uses());
        Some(expr)
    }

    /// Notes the fields of either side that an expression reads; bare names belong to `side`.
    pub(super) fn need_uses(
        &mut self,
        side: Side,
        end: &Endpoint,
        uses: impl IntoIterator<Item = impl std::borrow::Borrow<Path>>,
    ) {
        for path in uses {
            let path = path.borrow().clone();
            let mut path = path;
            let mut of = side;
            if let Some(Segment::Key(root)) = path.segments().first() {
                if root == "settings" || root == "today" || root == "now" {
                    continue;
                }
                if let Some(named) = Side::BOTH.into_iter().find(|one| self.sides[*one].name == *root) {
                    of = named;
                    path = path.strip_prefix(&Path::key(root.clone())).unwrap_or_default();
                }
            }
            if of != side || self.need_related(end, &path) {
                continue;
            }
            for member in &end.members {
                if let Some(found) = place(&member.resource, &path) {
                    self.need(of, &member.resource.name, &found.top);
                    if let Some(part) = &found.part {
                        self.need_part(of, &member.resource.name.clone(), part, &found.top);
                    }
                } else if let Some(Segment::Key(first)) = path.segments().first() {
                    // an object of dotted names: all below it
                    let tops: Vec<String> = member
                        .resource
                        .fields
                        .iter()
                        .filter(|field| field.name.segments().first() == Some(&Segment::Key(first.clone())))
                        .map(|field| field.name.to_string())
                        .collect();
                    for top in tops {
                        self.need(of, &member.resource.name, &top);
                    }
                }
            }
        }
    }

    fn endpoint(&mut self, side: Side, register: &At<String>, end: &spec::Endpoint) -> Option<Endpoint> {
        let mut members = Vec::new();
        match (&end.resource, end.one_of.is_empty()) {
            (Some(resource), true) => {
                members.push(Member { resource: self.resource(side, resource)?, values: Vec::new() });
            }
            (None, false) => {
                let mut seen: IndexMap<String, ()> = IndexMap::new();
                for (name, values) in end.one_of.iter() {
                    let Some(resource) = self.resource(side, name) else { continue };
                    for value in values.iter() {
                        if seen.insert(value.value.clone(), ()).is_some() {
                            self.error(
                                &codes::BAD_ONE_OF,
                                value.span,
                                format!("`{value}` stands for two resources"),
                                Some("give each value to one of them".to_owned()),
                            );
                        }
                    }
                    members.push(Member {
                        resource,
                        values: values.iter().map(|value| Value::text(value.value.clone())).collect(),
                    });
                }
                if end.by.is_none() {
                    let span = end.one_of.iter().next().map_or(register.span, |(name, _)| name.span);
                    self.error(
                        &codes::BAD_ONE_OF,
                        span,
                        "`one_of` needs `by`: the field of the other side that tells which".to_owned(),
                        Some(format!("add `by: {}.FIELD`", self.sides[side.other()].name)),
                    );
                }
            }
            (Some(resource), false) => {
                self.error(
                    &codes::BAD_ONE_OF,
                    resource.span,
                    "either `resource` or `one_of`, not both",
                    Some("leave `resource` out where records of many resources are meant".to_owned()),
                );
                return None;
            }
            (None, true) => {
                self.error(
                    &codes::NO_RECORDS,
                    register.span,
                    format!("`{}` of register `{register}` names no resource", self.sides[side].name),
                    Some("add `resource:`".to_owned()),
                );
                return None;
            }
        }
        for member in &members {
            // a document may be made where nothing reads it
            let made = self.document.is_some() && member.resource.is_write_only();
            if member.resource.list.is_none() && !member.resource.singleton && !made {
                self.error(
                    &codes::NOT_LISTED,
                    register.span,
                    format!(
                        "{} of {} cannot be listed, so it cannot be a register",
                        member.resource.name, self.sides[side].name
                    ),
                    Some("give it a `list` in the system file".to_owned()),
                );
            }
        }
        (!members.is_empty()).then(|| Endpoint::of(members))
    }

    /// `by: erp.type`, the field of the other side that tells which member a record is.
    fn discriminator(&mut self, side: Side, ends: &mut Both<Endpoint>, text: &At<String>) -> Option<Path> {
        let other = side.other();
        let path = self.path(text)?;
        let Some(field) = path.strip_prefix(&Path::key(self.sides[other].name.clone())) else {
            self.error(
                &codes::BAD_ONE_OF,
                text.span,
                format!("`by` names a field of the other side, and `{text}` is none"),
                Some(format!("write `by: {}.FIELD`", self.sides[other].name)),
            );
            return None;
        };
        for member in ends[other].members.clone() {
            let found = self.resolve(other, &member.resource, &field, text.span)?;
            self.need(other, &member.resource.name, &found.top);
            if let Type::Choice(of) = &found.field.ty {
                for value in ends[side].members.iter().flat_map(|member| &member.values) {
                    if let Some(text_value) = value.as_text()
                        && !of.iter().any(|one| one == text_value)
                    {
                        let near = suggest(text_value, of.iter().map(String::as_str));
                        self.error(
                            &codes::NEVER_THIS_VALUE,
                            text.span,
                            format!("{field} is never `{text_value}`"),
                            Some(near.map_or_else(
                                || format!("it is one of {}", of.join(", ")),
                                |near| format!("did you mean `{near}`?"),
                            )),
                        );
                    }
                }
            }
            for value in ends[side].members.iter_mut().flat_map(|member| &mut member.values) {
                let typed = match (&found.field.ty, value.as_text()) {
                    (Type::Bool, Some("true")) => Some(Value::Bool(true)),
                    (Type::Bool, Some("false")) => Some(Value::Bool(false)),
                    (Type::Integer, Some(text)) => crate::value::parse_decimal(text).map(Value::Number),
                    _ => None,
                };
                if let Some(typed) = typed {
                    *value = typed;
                }
            }
        }
        Some(field)
    }

    /// The type of a side's records: the fields of all its members together (or of those named).
    pub(super) fn end_type(&self, end: &Endpoint, only: &[String]) -> Type {
        let mut members: IndexMap<String, Type> = IndexMap::new();
        for member in &end.members {
            if !only.is_empty() && !only.contains(&member.resource.name) {
                continue;
            }
            if let Type::Object(fields) = record_type(&member.resource) {
                for (name, ty) in fields.iter() {
                    let merged = match (members.get(name), ty) {
                        (Some(Type::Object(one)), Type::Object(two)) => {
                            let mut all = (**one).clone();
                            all.extend(two.iter().map(|(key, value)| (key.clone(), value.clone())));
                            Type::Object(std::sync::Arc::new(all))
                        }
                        (Some(one), two) if one != two => Type::Any,
                        _ => ty.clone(),
                    };
                    members.insert(name.clone(), merged);
                }
            }
        }
        if !end.related.is_empty() {
            members.insert(RELATED.to_owned(), super::related::type_of(end));
        }
        Type::Object(std::sync::Arc::new(members))
    }

    pub(super) fn direction(&mut self, text: &At<String>) -> Option<Direction> {
        if let Some(name) = setting_name(text) {
            let answer =
                self.chosen(name, text, SettingKind::Direction, "direction", &codes::BAD_DIRECTION)?;
            let answer = answer.unwrap_or_else(|| "both".to_owned());
            let given = self.direction_text(&At { value: answer, span: text.span })?;
            return Some(Direction { chosen: true, ..given });
        }
        self.direction_text(text)
    }

    /// The master: a side by its name, or the one that a setting names. Unanswered, there is none.
    pub(super) fn master(&mut self, text: &At<String>) -> Option<Side> {
        let Some(name) = setting_name(text) else { return self.side(text) };
        let answer = self.chosen(name, text, SettingKind::Side, "side", &codes::WRONG_MASTER)??;
        self.side(&At { value: answer, span: text.span })
    }

    /// The answer to a setting that must be of this kind; `Some(None)`: not answered.
    fn chosen(
        &mut self,
        name: &str,
        text: &At<String>,
        kind: SettingKind,
        what: &str,
        code: &'static codes::Code,
    ) -> Option<Option<String>> {
        self.setting_uses.insert(name.to_owned());
        let Some(setting) = self.settings.get(name) else {
            self.unknown_setting(name, text.span);
            return None;
        };
        if setting.kind != kind {
            self.error(
                code,
                text.span,
                format!("the setting `{name}` is no {what}"),
                Some(format!("give it `type: {what}`")),
            );
            return None;
        }
        Some(self.answers.get(name).and_then(Value::as_text).map(str::to_owned))
    }

    pub(super) fn direction_text(&mut self, text: &At<String>) -> Option<Direction> {
        let both = |left, right| Both2 { left, right };
        let (l, r) = (self.sides.left.name.clone(), self.sides.right.name.clone());
        match text.value.as_str() {
            "both" => {
                return Some(Direction {
                    link_only: false,
                    none: false,
                    to: both(true, true),
                    chosen: false,
                });
            }
            "none" => {
                return Some(Direction {
                    link_only: false,
                    none: true,
                    to: both(false, false),
                    chosen: false,
                });
            }
            "link_only" => {
                return Some(Direction {
                    link_only: true,
                    none: false,
                    to: both(false, false),
                    chosen: false,
                });
            }
            _ => {}
        }
        let parts: Vec<&str> = text.value.split("->").map(str::trim).collect();
        if parts == [l.as_str(), r.as_str()] {
            Some(Direction { link_only: false, none: false, to: both(false, true), chosen: false })
        } else if parts == [r.as_str(), l.as_str()] {
            Some(Direction { link_only: false, none: false, to: both(true, false), chosen: false })
        } else {
            self.error(
                &codes::BAD_DIRECTION,
                text.span,
                format!("`{text}` is no direction"),
                Some(format!("write `both`, `link_only`, `{l} -> {r}` or `{r} -> {l}`")),
            );
            None
        }
    }

    pub(super) fn unknown_setting(&mut self, name: &str, span: Span) {
        if self.wrong_settings.contains(name) {
            return;
        }
        let help = match suggest(name, self.settings.keys().map(String::as_str)) {
            Some(near) => format!("did you mean `settings.{near}`?"),
            None => "declare it under `settings:`".to_owned(),
        };
        self.error(
            &codes::UNKNOWN_SETTING,
            span,
            format!("this mapping has no setting `{name}`"),
            Some(help),
        );
    }
}
