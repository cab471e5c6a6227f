//! Status flows: roles, how they are recognised, and that the life they describe can be lived.

use std::sync::Arc;

mod make;

use super::Compiler;
use crate::diagnostic::{At, Span, codes, suggest};
use crate::program::document::{Flow, Follow, Move, Named, Recognise, SequenceRole, Step, Take};
use crate::program::expr::{Expr, Scope};
use crate::program::mapping::Endpoint;
use crate::program::system_compile::record_type;
use crate::program::types::Type;
use crate::spec::documents as doc;
use crate::value::{Path, Side, Value};

impl Compiler<'_> {
    pub(super) fn flow(&mut self, source: Side, end: &Endpoint, flow: &doc::StatusFlow) -> Option<Flow> {
        let field = self.path(&flow.field)?;
        let mut of = None;
        for member in &end.members {
            let found = self.resolve(source, &member.resource, &field, flow.field.span)?;
            self.need(source, &member.resource.name, &found.top);
            of = found.field.reference.as_ref().map(|reference| reference.resource.clone());
        }
        let of = of.and_then(|of| self.sides[source].system.resources.get(&of).cloned());
        let mut roles: Vec<String> = Vec::new();
        let recognise = match (flow.roles.is_empty(), flow.sequence.is_empty()) {
            (false, true) => {
                let named = self.named_roles(flow, of.as_deref());
                roles.extend(named.iter().map(|(role, _)| role.clone()));
                let by = match (&flow.name, &of) {
                    (Some(text), Some(of)) => {
                        let path = self.path(text)?;
                        self.resolve(source, of, &path, text.span)?;
                        Some(path)
                    }
                    (Some(text), None) => {
                        self.error(
                            &codes::BAD_FLOW,
                            text.span,
                            "`name` chooses among records; these statuses are values",
                            Some("leave `name` out, or give the field a `ref` in the system file".to_owned()),
                        );
                        None
                    }
                    (None, _) => None,
                };
                Recognise::Named { by, only_where: self.only_where(flow, of.as_deref()), roles: named }
            }
            (true, false) => self.sequence(source, flow, of.as_ref(), &mut roles)?,
            _ => {
                self.error(
                    &codes::BAD_FLOW,
                    flow.field.span,
                    "a status flow has either `roles` or a `sequence`",
                    Some("`roles: { ready: Approved }` by name, `sequence` by order and flags".to_owned()),
                );
                return None;
            }
        };
        let mut compiled = Flow {
            field,
            of,
            recognise,
            roles,
            moves: Vec::new(),
            make: Vec::new(),
            origin: self.origin(flow.field.span),
        };
        compiled.moves = self.moves(flow, &compiled);
        compiled.make = self.made_statuses(source, flow, &compiled);
        Some(compiled)
    }

    fn named_roles(
        &mut self,
        flow: &doc::StatusFlow,
        of: Option<&crate::program::system::Resource>,
    ) -> Vec<(String, Named)> {
        let mut named = Vec::new();
        for (role, status) in flow.roles.iter() {
            if status.value == "*" {
                let moved = flow
                    .moves
                    .iter()
                    .any(|one| one.by.value == "mapping" && one.to.iter().any(|to| to.value == role.value));
                let twice = named.iter().any(|(_, other)| matches!(other, Named::Rest));
                let wrong = match (of, moved, twice) {
                    (None, _, _) => Some(
                        "the statuses are values: nobody knows which there are beside those that are named",
                    ),
                    (_, true, _) => {
                        Some("`\"*\"` is many statuses, so that the mapping cannot move a record there")
                    }
                    (_, _, true) => Some("two roles cannot both be what is left"),
                    _ => None,
                };
                if let Some(wrong) = wrong {
                    let help = match (of, twice) {
                        (None, _) => "name the status itself, as its field holds it",
                        (_, true) => "keep `\"*\"` at one of them, and give the other its status",
                        _ => "name the status that the mapping moves to",
                    };
                    self.error(&codes::BAD_FLOW, status.span, wrong, Some(help.to_owned()));
                }
                named.push((role.value.clone(), Named::Rest));
                continue;
            }
            let value = match status.value.strip_prefix("settings.") {
                Some(setting) => {
                    self.setting_uses.insert(setting.to_owned());
                    // the role is there all the same
                    if !self.settings.contains_key(setting) {
                        self.unknown_setting(setting, status.span);
                    }
                    Named::Setting(setting.to_owned())
                }
                None => Named::Status(Value::text(status.value.clone())),
            };
            named.push((role.value.clone(), value));
        }
        named
    }

    /// Which statuses count.
    fn only_where(
        &mut self,
        flow: &doc::StatusFlow,
        of: Option<&crate::program::system::Resource>,
    ) -> Option<Expr> {
        let text = flow.only_where.as_ref()?;
        let Some(of) = of else {
            self.error(
                &codes::BAD_FLOW,
                text.span,
                "`where` chooses among records; these statuses are values",
                Some("leave `where` out, or give the field a `ref` in the system file".to_owned()),
            );
            return None;
        };
        self.expr(text, &Scope::new().bare(&record_type(of)))
    }

    fn sequence(
        &mut self,
        source: Side,
        flow: &doc::StatusFlow,
        of: Option<&Arc<crate::program::system::Resource>>,
        roles: &mut Vec<String>,
    ) -> Option<Recognise> {
        let Some(of) = of else {
            self.error(
                &codes::BAD_FLOW,
                flow.field.span,
                "a `sequence` is recognised among records, and this field holds no key of any",
                Some(
                    "give the field a `ref` in the system file, or name the roles: `roles: { ready: … }`"
                        .to_owned(),
                ),
            );
            return None;
        };
        let Some(order) = &flow.order else {
            self.error(
                &codes::BAD_FLOW,
                flow.field.span,
                "a `sequence` needs `order`: the field that orders the statuses",
                Some("add `order: FIELD`, with a field of the statuses".to_owned()),
            );
            return None;
        };
        let order_path = self.path(order)?;
        self.resolve(source, of, &order_path, order.span)?;
        let mut flags = Vec::new();
        for flag in flow.flags.iter() {
            let path = self.path(flag)?;
            let found = self.resolve(source, of, &path, flag.span)?;
            if found.field.ty != Type::Bool {
                self.error(
                    &codes::WRONG_KIND,
                    flag.span,
                    format!("`{flag}` is {}, a flag is true or false", found.field.ty),
                    Some("name a true/false field of the statuses; others can be asked in `must`".to_owned()),
                );
            }
            flags.push(path);
        }
        let scope = Scope::new().bare(&record_type(of));
        let only_where = self.only_where(flow, Some(of));
        let mut out = Vec::new();
        for entry in flow.sequence.iter() {
            if roles.contains(&entry.role.value) {
                self.error(
                    &codes::BAD_FLOW,
                    entry.role.span,
                    format!("the role `{}` stands twice", entry.role),
                    Some("write `repeat: true` where more than one status in a row has it".to_owned()),
                );
            }
            roles.push(entry.role.value.clone());
            let mut on = Vec::new();
            for flag in entry.flags.iter() {
                match flags.iter().find(|known| known.to_string() == flag.value) {
                    Some(path) => on.push(path.clone()),
                    None => {
                        let names: Vec<String> = flags.iter().map(Path::to_string).collect();
                        let help = match suggest(&flag.value, names.iter().map(String::as_str)) {
                            Some(near) => format!("did you mean `{near}`?"),
                            None => "list it under `flags`".to_owned(),
                        };
                        self.error(
                            &codes::BAD_FLOW,
                            flag.span,
                            format!("`{flag}` is no flag of this flow"),
                            Some(help),
                        );
                    }
                }
            }
            out.push(SequenceRole {
                role: entry.role.value.clone(),
                flags: on,
                repeat: entry.repeat,
                must: entry.must.as_ref().and_then(|text| self.expr(text, &scope)),
                otherwise: entry.otherwise.as_ref().and_then(|text| self.template(text, &scope)),
            });
        }
        // the same flags twice in a row with a repeat before could be read in more than one way
        for (one, next) in
            flow.sequence.iter().zip(out.iter().skip(1)).zip(&out).map(|((at, next), one)| ((at, one), next))
        {
            let (at, one) = one;
            if one.repeat && one.flags == next.flags {
                self.error(
                    &codes::BAD_FLOW,
                    at.role.span,
                    format!(
                        "`{}` may repeat, and `{}` after it has the same flags: where does it end?",
                        one.role, next.role
                    ),
                    Some("add a flag that tells the two apart to `flags`".to_owned()),
                );
            }
        }
        Some(Recognise::Sequence { order: order_path, only_where, flags, roles: out })
    }

    fn moves(&mut self, flow: &doc::StatusFlow, compiled: &Flow) -> Vec<Move> {
        let mut moves = Vec::new();
        for one in flow.moves.iter() {
            let by = match one.by.value.as_str() {
                "mapping" => None,
                _ => match self.side(&one.by) {
                    Some(side) => Some(side),
                    None => continue,
                },
            };
            for from in one.from.iter() {
                for to in one.to.iter() {
                    let (Some(from), Some(to)) =
                        (self.role(from, Some(compiled)), self.role(to, Some(compiled)))
                    else {
                        continue;
                    };
                    if from != to {
                        moves.push(Move { from, to, by });
                    }
                }
            }
        }
        moves
    }

    /// A role by its name.
    pub(super) fn role(&mut self, name: &At<String>, flow: Option<&Flow>) -> Option<String> {
        let known = match (flow, &self.roles_of_wrong_flow) {
            (Some(flow), _) => flow.roles.clone(),
            (None, Some(written)) => written.clone(),
            (None, None) => Vec::new(),
        };
        if known.contains(&name.value) {
            return flow.map(|_| name.value.clone());
        }
        let help = match (
            flow.is_some() || self.roles_of_wrong_flow.is_some(),
            suggest(&name.value, known.iter().map(String::as_str)),
        ) {
            (false, _) => "declare the roles in `status_flow`".to_owned(),
            (_, Some(near)) => format!("did you mean `{near}`?"),
            (_, None) => format!("the roles are {}", known.join(", ")),
        };
        self.error(&codes::UNKNOWN_ROLE, name.span, format!("there is no role `{name}`"), Some(help));
        None
    }

    /// That the life can be lived: what the mapping does is legal, every role is reached, and the mapping does not go round
    /// by itself.
    pub(super) fn check_flow(
        &mut self,
        flow: &Flow,
        spec: &doc::StatusFlow,
        take: &Take,
        steps: &[Step],
        refused: Option<&str>,
        follow: Option<&Follow>,
    ) {
        let span = spec.field.span;
        let illegal = |this: &mut Self, from: &str, to: &str, what: &str| {
            if from != to
                && !flow.moves.iter().any(|one| one.by.is_none() && one.from == from && one.to == to)
            {
                this.error(
                    &codes::ILLEGAL_MOVE,
                    span,
                    format!("{what} leads from `{from}` to `{to}`, and no move of the mapping does"),
                    Some(format!("add {{ from: {from}, to: {to}, by: mapping }} to `moves`")),
                );
            }
        };
        if let Take::Role(taken) = take {
            let mut here = taken.clone();
            if let Some(refused) = refused {
                illegal(self, taken, refused, "`refused`");
            }
            for step in steps {
                match step {
                    Step::Verify(verify) => {
                        if let Some(to) = &verify.set_status {
                            illegal(self, &here, to, "`verify`");
                        }
                    }
                    Step::WriteBack { set_status: Some(to), .. } | Step::SetStatus(to) => {
                        illegal(self, &here, to, &format!("`{}`", step.word()));
                        here.clone_from(to);
                    }
                    Step::WriteBack { .. } | Step::Action(_) | Step::Attach(_) => {}
                }
            }
            if !flow.moves.iter().any(|one| one.from == *taken && one.by.is_none()) {
                self.error(
                    &codes::BAD_FLOW,
                    span,
                    format!("`{taken}` travels, and no move of the mapping leads on from it"),
                    Some("a document that stays where it was would travel for ever".to_owned()),
                );
            }
        }
        for follow in follow.into_iter() {
            match refused {
                Some(to) if follow.refused.is_some() => {
                    for from in &follow.during {
                        illegal(self, from, to, "`refused` of `follow`");
                    }
                }
                None if follow.refused.is_some() => {
                    self.error(
                        &codes::BAD_FLOW,
                        span,
                        "`follow` refuses a document, and nothing says what happens to one that is refused",
                        Some("add `refused: { set_status: ROLE }`".to_owned()),
                    );
                }
                _ => {}
            }
            for step in &follow.moves {
                let reached = follow.during.iter().any(|from| {
                    *from == step.to
                        || flow
                            .moves
                            .iter()
                            .any(|one| one.by.is_none() && one.from == *from && one.to == step.to)
                });
                if !reached {
                    self.error(
                        &codes::ILLEGAL_MOVE,
                        span,
                        format!(
                            "`follow` leads to `{}`, and no move of the mapping does from {}",
                            step.to,
                            follow.during.join(", ")
                        ),
                        Some(format!("add {{ from: ROLE, to: {}, by: mapping }} to `moves`", step.to)),
                    );
                }
            }
        }
        self.check_reached(flow, spec, take);
        self.check_circle(flow, spec);
    }

    /// Documents come into being in the first role, or in the one that travels; from there moves lead to every other one.
    fn check_reached(&mut self, flow: &Flow, spec: &doc::StatusFlow, take: &Take) {
        let taken = match take {
            Take::Role(role) => Some(role),
            Take::All | Take::When(_) => None,
        };
        let mut reached: Vec<&String> = flow.roles.first().into_iter().chain(taken).collect();
        let mut i = 0;
        while i < reached.len() {
            let here = reached[i];
            let next = flow.moves.iter().filter(|one| one.from == *here).map(|one| &one.to);
            for role in next {
                if !reached.contains(&role) {
                    reached.push(role);
                }
            }
            i += 1;
        }
        for role in flow.roles.iter().filter(|role| !reached.contains(role)) {
            let from: Vec<&str> =
                flow.moves.iter().filter(|one| one.to == *role).map(|one| one.from.as_str()).collect();
            let (message, help) = match from.is_empty() {
                true => (
                    format!("no move leads to `{role}`"),
                    "say whose it is: { from: …, to: …, by: mapping } or the name of a side".to_owned(),
                ),
                false => (
                    format!(
                        "nothing leads to `{role}` from where documents begin: moves come from {} only",
                        from.join(", ")
                    ),
                    format!(
                        "documents begin as {}: say how they get on from there",
                        flow.roles.first().into_iter().chain(taken).cloned().collect::<Vec<_>>().join(" or ")
                    ),
                ),
            };
            self.error(&codes::BAD_FLOW, span_of(spec, role), message, Some(help));
        }
    }

    /// A circle of moves that are all the mapping's own would never end.
    fn check_circle(&mut self, flow: &Flow, spec: &doc::StatusFlow) {
        for start in &flow.roles {
            // each role with the one that led to it
            let mut reached: Vec<(&str, usize)> = vec![(start, 0)];
            let mut i = 0;
            while i < reached.len() {
                let here = reached[i].0;
                for one in flow.moves.iter().filter(|one| one.by.is_none() && one.from == here) {
                    if one.to == *start {
                        let mut way = vec![start.as_str()];
                        let mut at = i;
                        while at != 0 {
                            way.push(reached[at].0);
                            at = reached[at].1;
                        }
                        way.push(start);
                        way.reverse();
                        let way = way.join(" → ");
                        self.error(
                            &codes::BAD_FLOW,
                            span_of(spec, start),
                            format!("the mapping's own moves go round for ever: {way}"),
                            Some("one move of every circle is somebody else's".to_owned()),
                        );
                        return;
                    }
                    if !reached.iter().any(|(role, _)| *role == one.to) {
                        reached.push((&one.to, i));
                    }
                }
                i += 1;
            }
        }
    }
}

/// Where a role is declared.
fn span_of(spec: &doc::StatusFlow, role: &str) -> Span {
    let named = spec.roles.iter().map(|(name, _)| name);
    let declared = named.chain(spec.sequence.iter().map(|one| &one.role)).find(|name| name.value == role);
    declared.map_or(spec.field.span, |name| name.span)
}
