//! Rows of field tables: both ends found and put together.

mod conversions;
mod later;
mod lengths;
mod objects;
mod types;

use std::sync::Arc;

use super::Compiler;
use super::names::Place;
use super::registers::Direction;
use crate::diagnostic::{At, codes, suggest};
use crate::program::expr::Scope;
use crate::program::mapping::{Apply, Computed, Conflict, Endpoint, Row};
use crate::program::system::Resource;
use crate::program::types::Type;
use crate::spec::mapping as spec;
use crate::spec::yaml::List;
use crate::value::{Both, Path, Segment, Side, Value};

/// The register whose table is compiled.
pub(super) struct Table<'t> {
    pub register: &'t str,
    pub ends: &'t Both<Endpoint>,
    pub types: &'t Both<Type>,
    pub direction: &'t Direction,
    pub master: Option<Side>,
    /// The rows are those of the rows of a document: the types of the document itself, which has its sides' names.
    pub document: Option<&'t Both<Type>>,
}

/// What one end of a row is in every resource it counts for.
struct RowEnd {
    paths: Vec<Path>,
    ty: Type,
    read_only: bool,
    create_only: bool,
    /// It stands in a child with calls of its own.
    part: bool,
    assigned: bool,
    max: Option<u32>,
    label: String,
    sensitive: bool,
    reference: Option<crate::program::system::FieldRef>,
    members: Vec<crate::program::system::Field>,
}

/// The resources of a side that a row is about.
fn members_of(table: &Table, side: Side, only: &[String]) -> Vec<Arc<Resource>> {
    let members = &table.ends[side].members;
    let named_here = only.iter().any(|one| members.iter().any(|member| member.resource.name == *one));
    members
        .iter()
        .filter(|member| !named_here || only.contains(&member.resource.name))
        .map(|member| Arc::clone(&member.resource))
        .collect()
}

/// What became of a path with answers in it.
pub(super) enum Answered {
    /// This path.
    Is(At<String>),
    /// The company gave no answer.
    None,
    /// It names no setting.
    Wrong,
}

/// Whether a register matches its records by this field of a side alone.
fn matched_by(register: &spec::Register, left: &str, side: &str, field: &Path) -> bool {
    let only = |row: &spec::Row, side: &str| match row.sides.iter().find(|(key, _)| key.value == side) {
        Some((_, paths)) if paths.len() == 1 => Some(paths[0].value.clone()),
        _ => None,
    };
    register.words.matching.iter().any(|entry| {
        entry.len() == 1
            && register.words.fields.iter().any(|row| {
                only(row, left).as_ref() == Some(&entry[0].value)
                    && only(row, side) == Some(field.to_string())
            })
    })
}

/// The members that tell the items on the way of a path: of `tags[kind='colour'].name` it is `tags[*].kind`.
fn told_by(path: &Path) -> Vec<Path> {
    let segments = path.segments();
    let members = segments.iter().enumerate().filter_map(|(i, segment)| match segment {
        Segment::Where { member, .. } => {
            let way = Path::of(&segments[..i]).join(&Path::of(&[Segment::All]));
            Some(way.join(&Path::key(member.clone())))
        }
        _ => None,
    });
    members.collect()
}

impl Compiler<'_> {
    pub(super) fn rows(
        &mut self,
        mapping: &spec::Mapping,
        rows: &List<spec::Row>,
        table: &Table,
    ) -> Vec<Row> {
        let mut out = Vec::new();
        for row in rows.iter() {
            self.row(mapping, row, table, &Both::default(), &mut out);
        }
        self.same_targets(&out);
        out
    }

    fn row(
        &mut self,
        mapping: &spec::Mapping,
        row: &spec::Row,
        table: &Table,
        prefix: &Both<Path>,
        out: &mut Vec<Row>,
    ) {
        let words = &row.words;
        for (key, _) in &row.sides {
            if Side::BOTH.into_iter().all(|side| self.sides[side].name != key.value) {
                let sides = [self.sides.left.name.clone(), self.sides.right.name.clone()];
                let known = spec::ROW_WORDS.iter().copied().chain(sides.iter().map(String::as_str));
                let help = suggest(&key.value, known).map_or_else(
                    || {
                        format!(
                            "the sides are `{}` and `{}`; the words of a row are {}",
                            sides[0],
                            sides[1],
                            spec::ROW_WORDS.join(", ")
                        )
                    },
                    |near| format!("did you mean `{near}`?"),
                );
                self.error(
                    &codes::UNKNOWN_SIDE,
                    key.span,
                    format!("`{key}` is neither a side nor a word of a row"),
                    Some(help),
                );
                return;
            }
        }
        let only = self.only(words, table);
        let Some(only) = only else { return };
        // a place that is told by an answer is not there without the answer
        let mut row = row.clone();
        for (_, paths) in &mut row.sides {
            for text in &mut paths.0 {
                match self.answered(text) {
                    Answered::Is(answered) => *text = answered,
                    Answered::None | Answered::Wrong => return,
                }
            }
        }
        let row = &row;
        let mut ends: Both<Option<RowEnd>> = Both { left: None, right: None };
        for side in Side::BOTH {
            let name = self.sides[side].name.clone();
            let Some((_, paths)) = row.sides.iter().find(|(key, _)| key.value == name) else { continue };
            match self.row_end(side, table, &only, paths, &prefix[side]) {
                Some(end) => ends[side] = Some(end),
                None => return, // what only follows from a wrong path is not reported
            }
        }
        if let Some(name) = &words.fields {
            self.object_row(mapping, row, name, table, &ends, prefix, out);
            return;
        }
        if words.conflict == Some(Conflict::Later) {
            self.tells_later(table, &only, &ends, row.span);
        }
        let (left, right) = (ends.left, ends.right);
        let computed_words = [words.constant.is_some(), words.value.is_some(), words.template.is_some()];
        let computed_count = computed_words.into_iter().filter(|yes| *yes).count();
        let side_count = usize::from(left.is_some()) + usize::from(right.is_some());
        let wrong = match (side_count, computed_count) {
            (2, 0) | (1, 1) => None,
            (0, _) => Some((
                "a row names a field of at least one side",
                format!("add `{}: FIELD`", self.sides.left.name),
            )),
            (1, 0) => Some((
                "this row has one side and no value for it",
                format!(
                    "name the field of `{}`, or give `constant`, `value` or `template`",
                    if left.is_some() { &self.sides.right.name } else { &self.sides.left.name }
                ),
            )),
            (2, _) => Some((
                "a row has either two sides or a computed value, not both",
                "leave one of the sides out: the computed value is for the other".to_owned(),
            )),
            _ => Some(("a row has one of `constant`, `value` and `template`", "keep one of them".to_owned())),
        };
        if let Some((message, help)) = wrong {
            self.error(&codes::BAD_ROW, row.span, message, Some(help));
            return;
        }
        let ends = Both { left, right };
        let direction = match &words.direction {
            Some(text) => {
                let Some(direction) = self.direction(text) else { return };
                direction
            }
            None => *table.direction,
        };
        let mut writes = Both::of(|side| {
            let register_allows = match side {
                Side::Left => table.direction.to.left,
                Side::Right => table.direction.to.right,
            };
            let row_allows = match side {
                Side::Left => direction.to.left,
                Side::Right => direction.to.right,
            };
            let writable = ends[side].as_ref().is_some_and(|end| !end.read_only);
            words.apply != Some(Apply::Never) && register_allows && row_allows && writable
        });
        let steps = self.steps(mapping, row, &ends);
        let Some(steps) = steps else { return };
        let one_way = words.multiply.is_some() || words.otherwise.is_some();
        if one_way && writes.left && writes.right {
            self.error(
                &codes::ONE_WAY_ONLY,
                row.span,
                "`multiply` and `else` have no way back",
                Some(format!(
                    "add `direction: {} -> {}`, or the other way",
                    self.sides.left.name, self.sides.right.name
                )),
            );
            writes.left = false;
        }
        if !writes.left && !writes.right && !table.direction.link_only {
            let span = row.span;
            let names: Vec<String> = Side::BOTH
                .into_iter()
                .filter_map(|side| {
                    let end = ends[side].as_ref()?;
                    end.read_only
                        .then(|| format!("{} of {} cannot be written", end.label, self.sides[side].name))
                })
                .collect();
            // a key that only links is fine: it is compared, never written
            let compared = words.key || words.apply == Some(Apply::Never);
            if !(compared || names.is_empty() && table.direction.chosen) {
                let why = if names.is_empty() {
                    "the directions leave nothing".to_owned()
                } else {
                    names.join(", ")
                };
                self.error(
                    &codes::WRITES_NOTHING,
                    span,
                    format!("this row writes nothing: {why}"),
                    Some("remove it, or change its direction".to_owned()),
                );
                return;
            }
        }
        // a row may be without the master that its register has
        let none = words.master.as_ref().is_some_and(|master| master.value == "none");
        let row_master = words.master.as_ref().filter(|_| !none).and_then(|master| self.master(master));
        let only_target = match (writes.left, writes.right) {
            (true, false) => Some(Side::Right),
            (false, true) => Some(Side::Left),
            _ => None,
        };
        let master = only_target.or(row_master).or(table.master.filter(|_| !none));
        let source = master.or(only_target);
        let asks = [&words.when, &words.otherwise, &words.default, &words.value, &words.template];
        let scope = match asks.iter().any(|text| text.is_some()) {
            true => self.row_scope(table, &only, &ends, source),
            false => Scope::new(),
        };
        let compiled_expr = |this: &mut Self,
                             text: &Option<At<String>>|
         -> Option<Option<crate::program::expr::Expr>> {
            match text {
                Some(text) => {
                    let expr = this.expr(text, &scope)?;
                    for side in Side::BOTH {
                        let end = table.ends[side].clone();
                        let bare = if source == Some(side) || source.is_none() { side } else { side.other() };
                        if bare == side {
                            this.need_uses(side, &end, expr.uses());
                        } else {
                            // only names with this side's prefix belong here
                            let named: Vec<Path> = expr
                                .uses()
                                .into_iter()
                                .filter(|path| {
                                    path.strip_prefix(&Path::key(this.sides[side].name.clone())).is_some()
                                })
                                .collect();
                            this.need_uses(side, &end, named);
                        }
                    }
                    Some(Some(expr))
                }
                None => Some(None),
            }
        };
        let Some(when) = compiled_expr(self, &words.when) else { return };
        if words.otherwise.is_none() && when.as_ref().is_some_and(|when| self.never(when)) {
            return;
        }
        let (Some(otherwise), Some(default), Some(value)) = (
            compiled_expr(self, &words.otherwise),
            compiled_expr(self, &words.default),
            compiled_expr(self, &words.value),
        ) else {
            return;
        };
        self.check_lengths(row, &ends, &writes, default.as_ref());
        let computed = match (&words.constant, value, &words.template) {
            (Some(constant), _, _) => {
                let target = if ends.left.is_some() { Side::Left } else { Side::Right };
                let Some(end) = &ends[target] else { return };
                let Some(value) = self.constant(&end.ty, constant, &end.label) else { return };
                Some(Computed::Constant(value))
            }
            (_, Some(value), _) => {
                let target = if ends.left.is_some() { Side::Left } else { Side::Right };
                if let Some(end) = &ends[target]
                    && steps.is_empty()
                {
                    self.check_value_type(&end.ty, value.ty(), row.words.value.as_ref(), &end.label);
                }
                Some(Computed::Value(value))
            }
            (_, _, Some(template)) => {
                let Some(template) = self.template(template, &scope) else { return };
                for side in Side::BOTH {
                    let end = table.ends[side].clone();
                    self.need_uses(side, &end, template.uses());
                }
                Some(Computed::Template(template))
            }
            _ => None,
        };
        if computed.is_none() {
            self.check_types(row, &ends, &steps);
        }
        let left_paths = ends.left.as_ref().map(|end| end.paths.clone()).unwrap_or_default();
        let right_paths = ends.right.as_ref().map(|end| end.paths.clone()).unwrap_or_default();
        let mut id = match (left_paths.is_empty(), right_paths.is_empty()) {
            (false, false) => format!("{} = {}", shown(&left_paths), shown(&right_paths)),
            (false, true) => format!("{} :=", shown(&left_paths)),
            _ => format!("=: {}", shown(&right_paths)),
        };
        if !only.is_empty() {
            id = format!("{id} ({})", only.join(", "));
        }
        if words.when.is_some() && out.iter().any(|other| other.id == id) {
            id = format!("{id} #{}", out.len());
        }
        let label = |side: Side| ends[side].as_ref().map_or_else(String::new, |end| end.label.clone());
        let max = |side: Side| ends[side].as_ref().and_then(|end| end.max).filter(|_| words.truncate);
        out.push(Row {
            id,
            types: Both {
                left: ends.left.as_ref().map_or(Type::Any, |end| end.ty.clone()),
                right: ends.right.as_ref().map_or(Type::Any, |end| end.ty.clone()),
            },
            steps,
            computed,
            create_only: Both::of(|side| ends[side].as_ref().is_some_and(|end| end.create_only)),
            assigned: Both::of(|side| ends[side].as_ref().is_some_and(|end| end.assigned)),
            master,
            compare: words.compare.unwrap_or_default(),
            apply: words.apply.unwrap_or(Apply::Always),
            when,
            otherwise,
            default,
            key: words.key,
            required: words.required,
            clear: words.clear,
            only,
            conflict: words.conflict.unwrap_or_default(),
            truncate: Both { left: max(Side::Left), right: max(Side::Right) },
            labels: Both { left: label(Side::Left), right: label(Side::Right) },
            sensitive: Side::BOTH
                .into_iter()
                .any(|side| ends[side].as_ref().is_some_and(|end| end.sensitive)),
            origin: self.origin(row.span),
            writes,
            left: left_paths,
            right: right_paths,
        });
    }

    /// `only:` names members of a `one_of` of either side.
    fn only(&mut self, words: &spec::RowWords, table: &Table) -> Option<Vec<String>> {
        let known: Vec<String> = Side::BOTH
            .into_iter()
            .flat_map(|side| table.ends[side].members.iter().map(|member| member.resource.name.clone()))
            .collect();
        let mut only = Vec::new();
        let mut fine = true;
        for name in words.only.iter() {
            if known.contains(&name.value) {
                only.push(name.value.clone());
            } else {
                let help = suggest(&name.value, known.iter().map(String::as_str)).map_or_else(
                    || format!("its resources are {}", known.join(", ")),
                    |near| format!("did you mean `{near}`?"),
                );
                self.error(
                    &codes::UNKNOWN_RESOURCE,
                    name.span,
                    format!("register `{}` has no resource `{name}`", table.register),
                    Some(help),
                );
                fine = false;
            }
        }
        fine.then_some(only)
    }

    fn row_end(
        &mut self,
        side: Side,
        table: &Table,
        only: &[String],
        paths: &crate::spec::short::Paths,
        prefix: &Path,
    ) -> Option<RowEnd> {
        let members = members_of(table, side, only);
        let mut parsed = Vec::new();
        let mut first: Option<Place> = None;
        let (mut read_only, mut create_only, mut part) = (false, false, false);
        for text in paths.iter() {
            let path = prefix.join(&self.path(text)?);
            if !path.is_singular() {
                self.error(
                    &codes::MANY_VALUES,
                    text.span,
                    format!("`{text}` names many values"),
                    Some("a row carries one value: name one position, `[0]`".to_owned()),
                );
                return None;
            }
            for resource in &members {
                let found = self.resolve(side, resource, &path, text.span)?;
                for member in told_by(&path) {
                    self.resolve(side, resource, &member, text.span)?;
                }
                read_only |= found.read_only;
                create_only |= found.create_only;
                part |= found.part.is_some();
                if first.is_none() {
                    first = Some(found);
                }
            }
            parsed.push(path);
        }
        let first = first?;
        let label = first.field.label.clone().unwrap_or_else(|| shown(&parsed));
        Some(RowEnd {
            paths: parsed,
            ty: first.field.ty.clone(),
            read_only,
            create_only,
            part,
            assigned: first.field.assigned.is_some(),
            max: first.field.max,
            label,
            sensitive: first.field.sensitive,
            reference: first.field.reference.clone(),
            members: first.field.fields.clone(),
        })
    }

    /// Whether the company's answers alone say that a condition does not hold: what such a row needs is not read.
    fn never(&self, when: &crate::program::expr::Expr) -> bool {
        let settings = Path::key("settings");
        let by_answers = when.uses().into_iter().all(|path| path.strip_prefix(&settings).is_some());
        let root = Value::Map(crate::value::Map::from([("settings".to_owned(), self.answers.clone())]));
        // a register may match or count by a row, whenever it is written
        self.document.is_some() && by_answers && !self.validating && !when.holds(&root).unwrap_or(true)
    }

    /// A path with the company's answers in it: of `tags[kind=settings.colour].name` it is `tags[kind='red'].name`.
    pub(super) fn answered(&mut self, text: &At<String>) -> Answered {
        let mut out = text.value.clone();
        while let Some(from) = out.find("=settings.") {
            let rest = &out[from + "=settings.".len()..];
            let Some(length) = rest.find(']') else { break };
            let name = rest[..length].to_owned();
            if !self.settings.contains_key(&name) {
                self.unknown_setting(&name, text.span);
                return Answered::Wrong;
            }
            self.setting_uses.insert(name.clone());
            let answer = match self.answers.get(&name).and_then(Value::scalar_text) {
                Some(answer) if !answer.is_empty() => answer,
                // any text will do to look at the rest of the row
                _ if self.validating => name.clone(),
                _ => return Answered::None,
            };
            let quote = if answer.contains('\'') { '"' } else { '\'' };
            let end = from + "=settings.".len() + length;
            out.replace_range(from + 1..end, &format!("{quote}{answer}{quote}"));
        }
        Answered::Is(At { value: out, span: text.span })
    }

    fn row_scope(
        &self,
        table: &Table,
        only: &[String],
        ends: &Both<Option<RowEnd>>,
        source: Option<Side>,
    ) -> Scope {
        let types = Both::of(|side| {
            let named_here = only
                .iter()
                .any(|one| table.ends[side].members.iter().any(|member| member.resource.name == *one));
            if named_here { self.end_type(&table.ends[side], only) } else { table.types[side].clone() }
        });
        // the source of a computed row is the side it does not name
        let bare = match (&ends.left, &ends.right) {
            (Some(_), None) => Some(Side::Right),
            (None, Some(_)) => Some(Side::Left),
            _ => source,
        };
        match (table.document, bare) {
            (Some(document), Some(bare)) => {
                self.scope_with(Some(&document.left), Some(&document.right), None).bare(&types[bare])
            }
            _ => self.scope_with(Some(&types.left), Some(&types.right), bare),
        }
    }
}

/// Whether two types hold the same kind of value, so that no conversion is needed.
fn alike(one: &Type, two: &Type) -> bool {
    match (one, two) {
        (Type::Any, _) | (_, Type::Any) => true,
        (Type::Text | Type::Choice(_), Type::Text | Type::Choice(_)) => true,
        (Type::Id, Type::Id | Type::Text) | (Type::Text, Type::Id) => true,
        (Type::Integer, Type::Decimal) | (Type::Decimal, Type::Integer) => true,
        (Type::List(one), Type::List(two)) => alike(one, two),
        (Type::Object(_), _) | (_, Type::Object(_)) => false,
        (one, two) => one == two,
    }
}

fn shown(paths: &[Path]) -> String {
    paths.iter().map(Path::to_string).collect::<Vec<_>>().join(" + ")
}
