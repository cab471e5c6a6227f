//! What becomes of a document: its steps, and what is followed afterwards.

use crate::diagnostic::{At, codes};
use crate::program::document::{Follow, FollowMove, Step, Verify};
use crate::program::expr::Expr;
use crate::program::mapping::{Register, Row};
use crate::program::mapping_compile::Compiler;
use crate::program::mapping_compile::names::{is_item, place};
use crate::program::mapping_compile::registers::{Both2, Direction};
use crate::program::mapping_compile::rows::Table;
use crate::program::types::Type;
use crate::spec::documents as doc;
use crate::spec::mapping as spec;
use crate::value::{Both, Decimal, Path, Side};

impl Compiler<'_> {
    #[allow(clippy::too_many_arguments)]
    pub(super) fn doc_steps(
        &mut self,
        mapping: &spec::Mapping,
        name: &At<String>,
        words: &doc::DocumentWords,
        register: &Register,
        types: &Both<Type>,
        source: Side,
        flow: Option<&crate::program::document::Flow>,
    ) -> Vec<Step> {
        let mut steps = Vec::new();
        for (i, step) in words.steps.iter().enumerate() {
            match step {
                doc::Step::Create(span) if i > 0 => {
                    self.error(
                        &codes::BAD_STEP,
                        *span,
                        "`create` comes first, and once",
                        Some("begin `steps` with `create`, and write it nowhere else".to_owned()),
                    );
                }
                doc::Step::Create(_) => {}
                _ if i == 0 => {
                    self.error(
                        &codes::BAD_STEP,
                        name.span,
                        format!("the steps of `{name}` do not begin with `create`"),
                        Some("write `- create` as the first step".to_owned()),
                    );
                }
                doc::Step::Verify(verify) => {
                    steps.extend(self.verify(name, verify, register, source, flow).map(Step::Verify));
                }
                doc::Step::WriteBack(back) => {
                    let rows = self.back_rows(mapping, &name.value, &back.fields, register, types, source);
                    let role = back.set_status.as_ref().and_then(|role| self.role(role, flow));
                    steps.push(Step::WriteBack { rows, set_status: role });
                }
                doc::Step::SetStatus(role) => {
                    steps.extend(self.role(role, flow).map(Step::SetStatus));
                }
                doc::Step::Action(action) => {
                    steps.extend(self.action_step(name, action, register, types).map(Step::Action));
                }
                doc::Step::Attach(attach) => {
                    steps.extend(self.attach_step(attach, register, types).map(Step::Attach));
                }
            }
        }
        self.undone_after_action(name, &steps);
        steps
    }

    /// Rows that go from the other side back to the source.
    fn back_rows(
        &mut self,
        mapping: &spec::Mapping,
        name: &str,
        fields: &crate::spec::yaml::List<spec::Row>,
        register: &Register,
        types: &Both<Type>,
        source: Side,
    ) -> Vec<Row> {
        let direction = Direction {
            link_only: false,
            none: false,
            chosen: false,
            to: Both2 { left: source == Side::Left, right: source == Side::Right },
        };
        let rows = self.rows(
            mapping,
            fields,
            &Table {
                register: name,
                ends: &register.ends,
                types,
                direction: &direction,
                master: Some(source.other()),
                document: None,
            },
        );
        self.no_items(fields, register, source);
        for side in Side::BOTH {
            for member in &register.ends[side].members {
                for path in rows.iter().flat_map(|row| row.paths(side)) {
                    if let Some(found) = place(&member.resource, path) {
                        self.need(side, &member.resource.name, &found.top);
                    }
                }
            }
        }
        rows
    }

    /// A record that is there is not changed by one item of a list: the list is a value as a whole.
    fn no_items(&mut self, fields: &crate::spec::yaml::List<spec::Row>, register: &Register, source: Side) {
        let name = self.sides[source].name.clone();
        let paths = fields.iter().flat_map(|row| &row.sides).filter(|(key, _)| key.value == name);
        for text in paths.flat_map(|(_, paths)| paths.iter()) {
            let members = &register.ends[source].members;
            let goes_in = |path: &Path| members.iter().any(|member| is_item(&member.resource, path));
            // a setting in a path tells the items of a list apart
            if text.value.contains("=settings.") || Path::parse(&text.value).is_ok_and(|path| goes_in(&path))
            {
                self.error(
                    &codes::BAD_STEP,
                    text.span,
                    format!("`{text}` is one item of a list, which cannot be written alone"),
                    Some("name a field of the record itself, or the list".to_owned()),
                );
            }
        }
    }

    fn verify(
        &mut self,
        name: &At<String>,
        verify: &doc::Verify,
        register: &Register,
        source: Side,
        flow: Option<&crate::program::document::Flow>,
    ) -> Option<Verify> {
        let equal = self.pair(name, &verify.equal, register, true)?;
        let same = match verify.same.is_empty() {
            true => None,
            false => Some(self.pair(name, &verify.same, register, false)?),
        };
        let tolerance = match &verify.tolerance {
            None => Decimal::ZERO,
            Some(text) => self.allowed(text)?,
        };
        let target = source.other();
        if verify.otherwise.delete {
            for member in &register.ends[target].members {
                if member.resource.delete.is_none() {
                    self.error(
                        &codes::BAD_STEP,
                        name.span,
                        format!(
                            "{} of {} cannot be deleted again",
                            member.resource.name, self.sides[target].name
                        ),
                        Some("leave `delete` out: then a person decides".to_owned()),
                    );
                }
            }
        }
        Some(Verify {
            equal,
            tolerance,
            ignore_sign: verify.sign.is_some(),
            same,
            delete: verify.otherwise.delete,
            set_status: verify.otherwise.set_status.as_ref().and_then(|role| self.role(role, flow)),
            origin: self.origin(name.span),
        })
    }

    /// One field of either side.
    fn pair(
        &mut self,
        name: &At<String>,
        table: &crate::spec::yaml::Table<At<String>>,
        register: &Register,
        amounts: bool,
    ) -> Option<Both<Path>> {
        let mut paths: Both<Option<Path>> = Both { left: None, right: None };
        for (key, text) in table.iter() {
            let side = self.side(key)?;
            let path = self.path(text)?;
            for member in &register.ends[side].members {
                let found = self.resolve(side, &member.resource, &path, text.span)?;
                self.need(side, &member.resource.name, &found.top);
                if amounts && !matches!(found.field.ty, Type::Decimal | Type::Integer) {
                    self.error(
                        &codes::WRONG_KIND,
                        text.span,
                        format!("`{path}` is {}, an amount is compared", found.field.ty),
                        Some("name a field that is a number; texts are compared under `same`".to_owned()),
                    );
                    return None;
                }
            }
            paths[side] = Some(path);
        }
        let (Some(left), Some(right)) = (paths.left, paths.right) else {
            let names = (self.sides.left.name.clone(), self.sides.right.name.clone());
            self.error(
                &codes::BAD_STEP,
                name.span,
                "a comparison names one field of either side",
                Some(format!("write `{{ {}: FIELD, {}: FIELD }}`", names.0, names.1)),
            );
            return None;
        };
        Some(Both { left, right })
    }

    #[allow(clippy::too_many_arguments)]
    pub(super) fn follow(
        &mut self,
        mapping: &spec::Mapping,
        name: &At<String>,
        follow: &doc::Follow,
        register: &Register,
        types: &Both<Type>,
        source: Side,
        flow: Option<&crate::program::document::Flow>,
    ) -> Follow {
        let during = follow.during.iter().filter_map(|role| self.role(role, flow)).collect();
        let scope = self.scope_with(Some(&types.left), Some(&types.right), None);
        let mut moves = Vec::new();
        for step in follow.moves.iter() {
            let to = self.role(&step.to, flow);
            let when = self.expr(&step.when, &scope);
            let say = step.say.as_ref().and_then(|say| self.template(say, &scope));
            self.need_of_both(register, when.as_ref(), say.as_ref());
            if let (Some(to), Some(when)) = (to, when) {
                moves.push(FollowMove { to, when, say });
            }
        }
        let refused = match &follow.refused {
            Some(refused) => {
                let (when, say) = (self.expr(&refused.when, &scope), self.template(&refused.say, &scope));
                self.need_of_both(register, when.as_ref(), say.as_ref());
                // it would be taken for the record that was made when it goes again
                if !register.matching.is_empty() {
                    self.error(
                        &codes::BAD_FLOW,
                        refused.when.span,
                        "what was refused goes again as a new record, and `find_again` would find the old one",
                        Some("leave `find_again` out: that needs an `idempotency_key` at `create` of the other side, or `on_unknown: hold`".to_owned()),
                    );
                }
                when.zip(say)
            }
            None => None,
        };
        let write = self.back_rows(mapping, &name.value, &follow.write, register, types, source);
        Follow { during, moves, refused, write }
    }

    /// Notes the fields of both records that a condition and a text read.
    fn need_of_both(
        &mut self,
        register: &Register,
        when: Option<&Expr>,
        say: Option<&crate::program::expr::Template>,
    ) {
        for side in Side::BOTH {
            let prefix = Path::key(self.sides[side].name.clone());
            let uses: Vec<Path> = when
                .iter()
                .flat_map(|when| when.uses())
                .map(|path| path.to_owned())
                .chain(say.iter().flat_map(|say| say.uses().into_iter().map(|path| path.to_owned())))
                .filter(|path| path.strip_prefix(&prefix).is_some())
                .collect();
            self.need_uses(side, &register.ends[side].clone(), uses);
        }
    }
}
