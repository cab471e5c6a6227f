//! Documents: ends, items of lists, rows.

mod embed;
mod reconcile;
mod steps;

use std::sync::Arc;

use super::Compiler;
use super::names::{known_lists, place};
use super::registers::Direction;
use super::rows::Table;
use crate::diagnostic::{At, codes, suggest};
use crate::program::document::{Document, Each, Lines, Step, Take};
use crate::program::mapping::{Endpoint, Member, Register, Row};
use crate::program::system::{Field, Resource};
use crate::program::types::Type;
use crate::spec::documents as doc;
use crate::spec::mapping as spec;
use crate::value::{Both, Path, Side};

impl Compiler<'_> {
    pub(super) fn compile_documents(&mut self, mapping: &spec::Mapping) -> Vec<Document> {
        let mut documents = Vec::new();
        for (name, document) in mapping.documents.iter() {
            if mapping.registers.contains_key(&name.value) {
                self.error(
                    &codes::BAD_NAME,
                    name.span,
                    format!("`{name}` is a register already"),
                    Some("registers and documents share one set of names".to_owned()),
                );
                continue;
            }
            self.document = Some(given_by_lines(document, &self.sides));
            documents.extend(self.compile_document(mapping, name, document));
            self.document = None;
        }
        let rows: Vec<&Row> = documents.iter().flat_map(Document::all_rows).collect();
        self.check_references_of(&rows, mapping);
        documents
    }

    fn compile_document(
        &mut self,
        mapping: &spec::Mapping,
        name: &At<String>,
        document: &doc::Document,
    ) -> Option<Document> {
        let words = &document.words;
        if !self.is_on(words.when.as_ref()) {
            return None;
        }
        let (direction, source) = self.way(name, words.direction.as_ref())?;
        let target = source.other();
        let side_of = |this: &Self, side: Side| {
            let wanted = &this.sides[side].name;
            document.sides.iter().find(|(key, _)| key.value == *wanted).map(|(_, side)| side)
        };
        let from = side_of(self, source).cloned().unwrap_or_default();
        for (at, word) in [
            (side_of(self, target).and_then(|side| side.each.as_ref()), "each"),
            (side_of(self, target).and_then(|side| side.take.as_ref()), "take"),
        ]
        .into_iter()
        .map(|(at, word)| (at.map(|at| at.span), word))
        .chain([(side_of(self, target).and_then(|side| side.at_most.as_ref()).map(|at| at.span), "at_most")])
        .chain([(
            side_of(self, target).and_then(|side| side.related.iter().next()).map(|(at, _)| at.span),
            "related",
        )]) {
            if let Some(span) = at {
                let (to, of) = (self.sides[target].name.clone(), self.sides[source].name.clone());
                self.error(
                    &codes::BAD_DIRECTION,
                    span,
                    format!("`{word}` is about the records that travel; those of `{to}` are made"),
                    Some(format!("write it at `{of}`")),
                );
            }
        }
        let ends: Vec<(At<String>, spec::Endpoint)> = document
            .sides
            .iter()
            .map(|(key, side)| {
                let end = spec::Endpoint {
                    resource: side.resource.clone(),
                    one_of: side.one_of.clone(),
                    by: side.by.clone(),
                    scope: side.scope.clone(),
                    related: side.related.clone(),
                    ..spec::Endpoint::default()
                };
                (key.clone(), end)
            })
            .collect();
        let ends = self.endpoints(name, &ends, from.each.as_ref().map(|list| (source, list)))?;
        let each = self.each_of(source, &ends[source], &from);
        let types = Both::of(|side| self.end_type(&ends[side], &[]));
        let words_of_register = spec::RegisterWords {
            title: words.title.clone(),
            direction: words.direction.clone(),
            valid: words.valid.clone(),
            fields: words.fields.clone(),
            ..spec::RegisterWords::default()
        };
        let mut register = self.register_of(mapping, name, &words_of_register, ends)?;
        self.need_valid(&register);
        if let Some(text) = &words.called {
            let scope = match source {
                Side::Left => self.scope_with(Some(&types.left), None, Some(source)),
                Side::Right => self.scope_with(None, Some(&types.right), Some(source)),
            };
            if let Some(template) = self.template(text, &scope) {
                self.need_uses(source, &register.ends[source].clone(), template.uses());
                register.called = Some((source, template));
            }
        }
        register.matching = self.find_again(name, words, &register, target);
        let file = self.made_of_file(name, words.file.as_ref(), &register, source);
        let embed = self.embed_of_record(&words.embed, source, &register);
        let flow =
            words.status_flow.as_ref().and_then(|flow| self.flow(source, &register.ends[source], flow));
        self.roles_of_wrong_flow =
            words.status_flow.as_ref().filter(|_| flow.is_none()).map(|flow| flow.roles_written());
        let take = self.take(source, &register, from.take.as_ref(), flow.as_ref());
        let mut lines = Vec::new();
        for rows in &words.rows.0 {
            lines.push(self.lines(mapping, name, rows, &register, &types, &direction, source)?);
        }
        let roles = flow.as_ref();
        let refused = words.refused.as_ref().and_then(|refused| self.role(&refused.set_status, roles));
        let steps = self.doc_steps(mapping, name, words, &register, &types, source, roles);
        let becomes = words
            .becomes
            .as_ref()
            .and_then(|words| self.becomes(name, words, source, &register.ends[source]));
        // what is followed is what the record has become
        let (mut later, mut later_types) = (register.clone(), types.clone());
        if let Some(resource) = &becomes {
            let member = Member { resource: Arc::clone(resource), values: Vec::new() };
            later.ends[target] = Endpoint::of(vec![member]);
            later_types[target] = self.end_type(&later.ends[target], &[]);
        }
        let follow = words
            .follow
            .as_ref()
            .map(|follow| self.follow(mapping, name, follow, &later, &later_types, source, roles));
        if let (Some(flow), Some(spec)) = (&flow, &words.status_flow) {
            // where a role of `while` is unknown, nobody can say what leads on from there
            let whole = words.follow.as_ref().map_or(0, |one| one.during.len());
            let known = follow.as_ref().filter(|one| one.during.len() == whole);
            self.check_flow(flow, spec, &take, &steps, refused.as_deref(), known);
        }
        let reconcile = self.reconcile(name, words, &register, &types, &steps, becomes.as_ref());
        let at_most = from.at_most.as_ref().and_then(|number| self.at_most(number));
        self.blind_target(name, words, &register, target, &steps, follow.is_some());
        let followed = words.follow.as_ref().is_some_and(|follow| self.is_on(follow.when.as_ref()));
        Some(Document {
            source,
            becomes,
            on_demand: words.run.is_some(),
            take,
            take_at: from.take.as_ref().map(|take| self.origin(take.span)).unwrap_or_default(),
            at_most,
            each,
            lines,
            flow,
            refused,
            file,
            embed,
            steps,
            follow: follow.filter(|_| followed),
            twins: words.twins.is_some(),
            reconcile,
            register: Arc::new(register),
        })
    }

    fn way(&mut self, name: &At<String>, direction: Option<&At<String>>) -> Option<(Direction, Side)> {
        let Some(text) = direction else {
            let sides = (self.sides.left.name.clone(), self.sides.right.name.clone());
            self.error(
                &codes::BAD_DIRECTION,
                name.span,
                format!("document `{name}` does not say which way it goes"),
                Some(format!("add `direction: {} -> {}`, or the other way", sides.0, sides.1)),
            );
            return None;
        };
        let direction = self.direction(text)?;
        let source = match (direction.to.left, direction.to.right) {
            (false, true) => Side::Left,
            (true, false) => Side::Right,
            _ => {
                // a setting that says `none` switches it off
                if !direction.none {
                    let (left, right) = (&self.sides.left.name, &self.sides.right.name);
                    let help = format!("write `{left} -> {right}` or `{right} -> {left}`");
                    self.error(&codes::BAD_DIRECTION, text.span, "a document goes one way", Some(help));
                }
                return None;
            }
        };
        Some((direction, source))
    }

    /// What is made where nothing reads it can only be made.
    fn blind_target(
        &mut self,
        name: &At<String>,
        words: &doc::DocumentWords,
        register: &Register,
        target: Side,
        steps: &[Step],
        follows: bool,
    ) {
        let Some(member) =
            register.ends[target].members.iter().find(|member| member.resource.is_write_only())
        else {
            return;
        };
        let what = format!("{} of {} is never read", member.resource.name, self.sides[target].name);
        if words.on_unknown.is_none() {
            self.error(
                &codes::NO_FIND_AGAIN,
                name.span,
                format!("{what}, so that nothing is found again there"),
                Some("write `on_unknown: hold` instead of `find_again`".to_owned()),
            );
        }
        let reads = steps.iter().find(|step| !matches!(step, Step::SetStatus(_))).map(Step::word);
        if let Some(word) = reads.or(follows.then_some("follow")) {
            self.error(
                &codes::BAD_STEP,
                name.span,
                format!("{what}: `{word}` has nothing to look at"),
                Some("only `create` and `set_status` are possible".to_owned()),
            );
        }
    }

    fn at_most(&mut self, number: &At<u32>) -> Option<u64> {
        if number.value == 0 {
            self.error(
                &codes::WRONG_KIND,
                number.span,
                "a transfer of at most none takes nothing",
                Some("give it a number from 1, or leave `at_most` out".to_owned()),
            );
            return None;
        }
        Some(u64::from(number.value))
    }

    /// Turns the members of an end into the items of a list of theirs.
    pub(super) fn items(&mut self, side: Side, end: &mut Endpoint, list: &At<String>) -> Option<()> {
        let path = self.path(list)?;
        for member in &mut end.members {
            let parent = Arc::clone(&member.resource);
            let found = self.resolve(side, &parent, &path, list.span)?;
            let key = found.field.key.clone();
            let (true, Some(key), None) =
                (matches!(found.field.ty, Type::List(_)), key, found.field.pivot.as_ref())
            else {
                self.error(
                    &codes::BAD_ROWS,
                    list.span,
                    format!("the items of `{path}` cannot be told apart"),
                    Some("`each` names a list that says its `key` in the system file".to_owned()),
                );
                return None;
            };
            for field in &parent.fields {
                self.need(side, &parent.name, &field.name.to_string());
            }
            member.resource = Arc::new(item_of(&parent, &path, &found.field, &key));
        }
        Some(())
    }

    /// Which lists the members of an end are items of.
    fn each_of(&mut self, side: Side, end: &Endpoint, from: &doc::DocumentSide) -> Vec<Each> {
        let Some(list) = from.each.as_ref().and_then(|list| Path::parse(&list.value).ok()) else {
            return Vec::new();
        };
        let system = Arc::clone(&self.sides[side].system);
        let suffix = format!(".{list}");
        end.members
            .iter()
            .filter_map(|member| {
                let of = system.resources.get(member.resource.name.strip_suffix(&suffix)?)?;
                Some(Each { of: Arc::clone(of), list: list.clone(), item: Arc::clone(&member.resource) })
            })
            .collect()
    }

    fn need_valid(&mut self, register: &Register) {
        for valid in &register.valid {
            let end = register.ends[valid.side].clone();
            self.need_uses(valid.side, &end, valid.that.uses());
            self.need_uses(valid.side, &end, valid.otherwise.uses());
        }
    }

    /// The rows by whose fields a record is found again.
    fn find_again(
        &mut self,
        name: &At<String>,
        words: &doc::DocumentWords,
        register: &Register,
        target: Side,
    ) -> Vec<Vec<usize>> {
        let mut entry = Vec::new();
        for field in words.find_again.iter() {
            let found = register.rows.iter().position(|row| {
                row.writes[target] && matches!(row.paths(target), [one] if one.to_string() == field.value)
            });
            match found {
                Some(index) => entry.push(index),
                // that row is wrong, which was said
                None if self.gives(&words.fields, target, &field.value) => {}
                None => {
                    let names: Vec<String> = register
                        .rows
                        .iter()
                        .filter(|row| row.writes[target] && row.paths(target).len() == 1)
                        .map(|row| row.paths(target)[0].to_string())
                        .collect();
                    let help = match suggest(&field.value, names.iter().map(String::as_str)) {
                        Some(near) => format!("did you mean `{near}`?"),
                        None => format!("rows give {}", names.join(", ")),
                    };
                    self.error(
                        &codes::NO_FIND_AGAIN,
                        field.span,
                        format!("no row gives `{field}` of {} its value", self.sides[target].name),
                        Some(help),
                    );
                }
            }
        }
        // a key that is known always settles every unknown outcome
        let keyed = register.ends[target].members.iter().all(|member| {
            let key = member.resource.create.as_ref().and_then(|call| call.idempotency_key.as_ref());
            key.is_some_and(|key| key.kept.is_none())
        });
        if words.find_again.is_empty() && words.on_unknown.is_none() && !keyed {
            self.error(
                &codes::NO_FIND_AGAIN,
                name.span,
                format!("document `{name}` does not say how its record is found again"),
                Some(
                    "add `find_again: [ FIELD ]` with fields that our rows give, or `on_unknown: hold`"
                        .to_owned(),
                ),
            );
        }
        if entry.is_empty() { Vec::new() } else { vec![entry] }
    }

    fn take(
        &mut self,
        source: Side,
        register: &Register,
        text: Option<&At<String>>,
        flow: Option<&crate::program::document::Flow>,
    ) -> Take {
        let Some(text) = text else { return Take::All };
        if let Some(flow) = flow
            && flow.roles.contains(&text.value)
        {
            return Take::Role(text.value.clone());
        }
        if self.roles_of_wrong_flow.as_ref().is_some_and(|roles| roles.contains(&text.value)) {
            return Take::All;
        }
        let end = register.ends[source].clone();
        let ty = self.end_type(&end, &[]);
        let scope = match source {
            Side::Left => self.scope_with(Some(&ty), None, Some(source)),
            Side::Right => self.scope_with(None, Some(&ty), Some(source)),
        };
        match self.record_expr(source, &end, text, &scope) {
            Some(expr) => Take::When(expr),
            None => Take::All,
        }
    }

    #[allow(clippy::too_many_arguments)]
    fn lines(
        &mut self,
        mapping: &spec::Mapping,
        name: &At<String>,
        rows: &doc::Rows,
        register: &Register,
        types: &Both<Type>,
        direction: &Direction,
        source: Side,
    ) -> Option<Lines> {
        let target = source.other();
        let mut lists: Both<Option<(Path, Endpoint, Vec<Field>)>> = Both { left: None, right: None };
        let mut rows_of = None;
        for (key, text) in &rows.sides {
            let side = self.side(key)?;
            let path = self.path(text)?;
            let mut members = Vec::new();
            let mut fields: Vec<Field> = Vec::new();
            for member in &register.ends[side].members {
                let found = self.resolve(side, &member.resource, &path, text.span)?;
                let list = matches!(found.field.ty, Type::List(_)) && !found.field.fields.is_empty();
                if !list || side == target && (found.read_only || found.field.pivot.is_some()) {
                    let why = if list { "cannot be written" } else { "is no list of rows" };
                    let message = format!("`{text}` of {} {why}", self.sides[side].name);
                    self.error(&codes::BAD_ROWS, text.span, message, Some(known_lists(&member.resource)));
                    return None;
                }
                self.need(side, &member.resource.name, &found.top);
                if let Some(part) = &found.part {
                    self.need_part(side, &member.resource.name.clone(), part, &found.top);
                }
                let mut of_row = found.field.fields.clone();
                if side == source {
                    rows_of = found.field.pivot.as_ref().map(|pivot| pivot.resource.clone());
                    of_row.push(header(&member.resource, &path, &found.field));
                }
                fields.clone_from(&of_row);
                let row = Resource { fields: of_row, ..(*member.resource).clone() };
                members.push(Member { resource: Arc::new(row), values: member.values.clone() });
            }
            let end = Endpoint::of(members);
            lists[side] = Some((path, end, fields));
        }
        let (Some(left), Some(right)) = (lists.left, lists.right) else {
            self.error(
                &codes::BAD_ROWS,
                name.span,
                format!("the rows of `{name}` need a list on both sides"),
                Some(format!("add `{}: LIST` and `{}: LIST`", self.sides.left.name, self.sides.right.name)),
            );
            return None;
        };
        let ends = Both { left: left.1, right: right.1 };
        let row_types = Both::of(|side| self.end_type(&ends[side], &[]));
        // a row's own fields are those of the list, which is read whole: only the document's are needed
        let before = self.needs.clone();
        let compiled = self.rows(
            mapping,
            &rows.words.fields,
            &Table {
                register: &name.value,
                ends: &ends,
                types: &row_types,
                direction,
                master: Some(source),
                document: Some(types),
            },
        );
        let scope = match source {
            Side::Left => self.scope_with(Some(&types.left), None, None),
            Side::Right => self.scope_with(None, Some(&types.right), None),
        }
        .bare(&row_types[source]);
        let only = rows.words.scope.as_ref().and_then(|text| self.expr(text, &scope));
        self.needs = before;
        let uses: Vec<Path> = compiled
            .iter()
            .flat_map(Row::uses)
            .chain(only.iter().flat_map(|expr| expr.uses().into_iter().map(|path| path.to_owned())))
            .collect();
        for side in Side::BOTH {
            let prefix = Path::key(self.sides[side].name.clone());
            let named: Vec<Path> =
                uses.iter().filter(|path| path.strip_prefix(&prefix).is_some()).cloned().collect();
            self.need_uses(side, &register.ends[side].clone(), named);
        }
        for path in compiled.iter().flat_map(|row| row.paths(source)) {
            let Some(path) = path.strip_prefix(&Path::key("header")) else { continue };
            for member in &register.ends[source].members {
                if let Some(found) = place(&member.resource, &path) {
                    self.need(source, &member.resource.name, &found.top);
                }
            }
        }
        let embed = self.embed_of_rows(&rows.words.embed, source, rows_of.as_deref(), &ends);
        let order = match &rows.words.order {
            Some(text) => {
                let path = self.path(text)?;
                let resource = Arc::clone(&ends[source].members[0].resource);
                self.resolve(source, &resource, &path, text.span)?;
                Some(path)
            }
            None => None,
        };
        self.required_members(&ends[target], &compiled, target, name);
        let (left, right) = (left.0, right.0);
        let (from, to) = if source == Side::Left { (left, right) } else { (right, left) };
        Some(Lines { from, to, order, scope: only, embed, rows: compiled })
    }

    /// Every field that a row must have must be given.
    fn required_members(&mut self, end: &Endpoint, rows: &[Row], target: Side, name: &At<String>) {
        for member in &end.members {
            for field in &member.resource.fields {
                let needed = field.required && field.on_create.is_none() && field.assigned.is_none();
                let given = rows.iter().any(|row| {
                    (row.only.is_empty() || row.only.contains(&member.resource.name))
                        && row.paths(target).iter().any(|path| path.strip_prefix(&field.name).is_some())
                });
                if needed && !given {
                    self.error(
                        &codes::REQUIRED_WITHOUT_ROW,
                        name.span,
                        format!(
                            "a row of {} needs `{}` and nothing gives it",
                            member.resource.name, field.name
                        ),
                        Some(format!(
                            "add a row with `{}: {}` under `rows`",
                            self.sides[target].name, field.name
                        )),
                    );
                }
            }
        }
    }
}

/// The list of the other side that `rows` gives.
fn given_by_lines(document: &doc::Document, sides: &Both<crate::program::mapping::End>) -> Vec<Path> {
    document
        .words
        .rows
        .0
        .iter()
        .flat_map(|rows| &rows.sides)
        .filter(|(key, _)| Side::BOTH.into_iter().any(|side| sides[side].name == key.value))
        .filter_map(|(_, path)| Path::parse(&path.value).ok())
        .collect()
}

/// The record around an item of its list, as a field of the item.
fn header(parent: &Resource, list: &Path, field: &Field) -> Field {
    let around: Vec<Field> = parent.fields.iter().filter(|one| one.name != *list).cloned().collect();
    Field {
        name: Path::key("header"),
        ty: crate::program::system_compile::object_of(&around),
        fields: around,
        key: None,
        pivot: None,
        label: None,
        read_only: true,
        ..field.clone()
    }
}

/// An item of a list as a resource of its own: its members, and `header` for the record around it.
fn item_of(parent: &Resource, list: &Path, field: &Field, key: &Path) -> Resource {
    let around = Path::key("header");
    let mut fields = field.fields.clone();
    fields.push(header(parent, list, field));
    let cursor = parent.cursor.clone().map(|mut cursor| {
        cursor.fields = cursor.fields.iter().map(|field| around.join(field)).collect();
        cursor
    });
    Resource {
        name: format!("{}.{list}", parent.name),
        key: parent.key.iter().map(|one| around.join(one)).chain([key.clone()]).collect(),
        identity: None,
        scope: None,
        deleted: None,
        read_scopes: parent.read_scopes.clone(),
        write_scopes: parent.write_scopes.clone(),
        file_scopes: parent.file_scopes.clone(),
        get: None,
        create: None,
        update: None,
        delete: None,
        writable: false,
        cursor,
        search: Default::default(),
        parts: Default::default(),
        files: parent
            .files
            .iter()
            .filter_map(|(name, files)| Some((name.clone(), files.of_item(list, &around)?)))
            .collect(),
        attach: None,
        actions: Default::default(),
        fields,
        ..parent.clone()
    }
}
