//! What a register does in each situation, and which fields that needs.

use indexmap::IndexMap;

use crate::diagnostic::{At, codes, suggest};
use crate::program::mapping::{Reaction, Register, Situation};
use crate::program::mapping_compile::Compiler;
use crate::program::mapping_compile::names::place;
use crate::spec::mapping as spec;
use crate::value::Side;

use super::*;

impl Compiler<'_> {
    pub(super) fn situations(&mut self, words: &spec::RegisterWords) -> IndexMap<Situation, Reaction> {
        let mut out = IndexMap::new();
        for (name, reaction) in words.situations.iter() {
            let situation = match name.value.as_str() {
                "source_missing" => Situation::SourceMissing,
                "target_missing" => Situation::TargetMissing,
                "out_of_scope" => Situation::OutOfScope,
                other => {
                    let help = suggest(other, ["source_missing", "target_missing", "out_of_scope"])
                        .map_or_else(
                            || "only source_missing, target_missing and out_of_scope may be answered otherwise".to_owned(),
                            |near| format!("did you mean `{near}`?"),
                        );
                    self.error(
                        &codes::BAD_SITUATION,
                        name.span,
                        format!("`{other}` is no situation that can be changed"),
                        Some(help),
                    );
                    continue;
                }
            };
            let allowed: &[(&str, Reaction)] = match situation {
                Situation::SourceMissing => &[
                    ("nothing", Reaction::Nothing),
                    ("set_aside", Reaction::SetAside),
                    ("unlink", Reaction::Unlink),
                    ("delete", Reaction::Delete),
                ],
                Situation::TargetMissing => &[
                    ("nothing", Reaction::Nothing),
                    ("set_aside", Reaction::SetAside),
                    ("unlink", Reaction::Unlink),
                ],
                Situation::OutOfScope => &[
                    ("nothing", Reaction::Nothing),
                    ("set_aside", Reaction::SetAside),
                    ("unlink", Reaction::Unlink),
                ],
            };
            match allowed.iter().find(|(word, _)| *word == reaction.value) {
                Some((_, reaction)) => {
                    out.insert(situation, *reaction);
                }
                None => {
                    let words: Vec<&str> = allowed.iter().map(|(word, _)| *word).collect();
                    self.error(
                        &codes::BAD_SITUATION,
                        reaction.span,
                        format!("`{reaction}` is no answer to `{name}`"),
                        Some(format!("it can be {}", words.join(", "))),
                    );
                }
            }
        }
        out
    }

    /// What is to be removed must have a source that may be missing, and a call that removes it.
    pub(super) fn deletable(&mut self, register: &Register, words: &spec::RegisterWords) {
        let Some((_, word)) = words.situations.iter().find(|(name, _)| name.value == "source_missing") else {
            return;
        };
        if register.situations.get(&Situation::SourceMissing) != Some(&Reaction::Delete) {
            return;
        }
        let Some(master) = register.master else {
            // a side that the company chooses is one later
            if words.master.is_none() {
                self.error(
                    &codes::BAD_SITUATION,
                    word.span,
                    "without a master neither side is the source",
                    Some("give the register a `master` or a direction".to_owned()),
                );
            }
            return;
        };
        for member in &register.ends[master.other()].members {
            if member.resource.delete.is_none() {
                self.error(
                    &codes::BAD_SITUATION,
                    word.span,
                    format!(
                        "{} of {} cannot be removed: its system file has no `delete`",
                        member.resource.name,
                        self.sides[master.other()].name
                    ),
                    Some("say unlink, set_aside or nothing".to_owned()),
                );
            }
        }
    }

    /// A side that records are made on must have a create call, or the direction is wrong.
    pub(super) fn creatable(&mut self, register: &mut Register, name: &At<String>, direction: &Direction) {
        for side in Side::BOTH {
            let to = match side {
                Side::Left => direction.to.left,
                Side::Right => direction.to.right,
            };
            if !to {
                continue;
            }
            let writable = register.ends[side]
                .members
                .iter()
                .any(|member| member.resource.writable && member.resource.create.is_some());
            if !writable {
                register.creates[side] = false;
                let updatable = register.rows.iter().any(|row| row.writes[side]);
                if !updatable {
                    self.error(
                        &codes::BAD_DIRECTION,
                        name.span,
                        format!(
                            "nothing can be written to {} of {}",
                            register.ends[side]
                                .members
                                .iter()
                                .map(|member| member.resource.name.as_str())
                                .collect::<Vec<_>>()
                                .join(", "),
                            self.sides[side].name
                        ),
                        Some(format!(
                            "add `direction: {} -> {}`",
                            self.sides[side].name,
                            self.sides[side.other()].name
                        )),
                    );
                }
                continue;
            }
            self.required_rows(register, side, name);
        }
    }

    /// Every field that a create needs must have a row that gives it.
    pub(super) fn required_rows(&mut self, register: &Register, side: Side, name: &At<String>) {
        for member in &register.ends[side].members {
            let Some(create) = &member.resource.create else { continue };
            for field in member
                .resource
                .fields
                .iter()
                .filter(|field| field.required && field.on_create.is_none() && field.assigned.is_none())
            {
                let by = register.ends[side.other()].by.as_ref();
                let given = register.rows.iter().any(|row| {
                    row.writes[side]
                        && (row.only.is_empty() || row.only.contains(&member.resource.name) || {
                            register.ends[side.other()]
                                .members
                                .iter()
                                .any(|other| row.only.contains(&other.resource.name))
                        })
                        && row.paths(side).iter().any(|path| path.strip_prefix(&field.name).is_some())
                }) || by.is_some_and(|by| *by == field.name)
                    || self.document.as_ref().is_some_and(|given| given.contains(&field.name));
                if !given {
                    self.error(
                        &codes::REQUIRED_WITHOUT_ROW,
                        name.span,
                        format!(
                            "{} of {} cannot be made: `{}` is required and no row gives it",
                            member.resource.name, self.sides[side].name, field.name
                        ),
                        Some(format!("add a row with `{}: {}`", self.sides[side].name, field.name)),
                    );
                }
            }
            if create.file.is_some() && self.document.is_none() {
                self.error(
                    &codes::BAD_STEP,
                    name.span,
                    format!(
                        "{} of {} cannot be made: it is made of a file, and a register has none",
                        member.resource.name, self.sides[side].name
                    ),
                    Some("a document says `file: SIDE.NAME`; of a register only links can be kept: `direction: link_only`".to_owned()),
                );
            }
        }
    }

    /// Notes every field that the rows of a register read or write.
    pub(super) fn needs_of(&mut self, register: &Register) {
        for side in Side::BOTH {
            for member in &register.ends[side].members {
                for row in &register.rows {
                    for path in row.paths(side) {
                        if let Some(found) = place(&member.resource, path) {
                            self.need(side, &member.resource.name, &found.top);
                            if let Some(part) = &found.part {
                                self.need_part(side, &member.resource.name.clone(), part, &found.top);
                            }
                        }
                    }
                }
            }
        }
    }

    /// A pivot needs its children: what tells them, their parent, and their value.
    pub(in crate::program::mapping_compile) fn need_part(
        &mut self,
        side: Side,
        resource: &str,
        part: &str,
        field: &str,
    ) {
        let system = std::sync::Arc::clone(&self.sides[side].system);
        let Some(parent) = system.resources.get(resource) else { return };
        let Some(part) = parent.parts.get(part) else { return };
        let Some(child) = system.resources.get(&part.resource) else { return };
        let pivot = parent.field(field).and_then(|field| field.pivot.as_ref());
        self.need(side, &child.name, &part.by.to_string());
        if let Some(pivot) = pivot {
            for (path, _) in &pivot.only_where {
                if let Some(found) = place(child, path) {
                    self.need(side, &child.name, &found.top);
                }
            }
            if let Some(pointer) = pivot.pointer.as_ref().and_then(|pointer| place(parent, pointer)) {
                self.need(side, resource, &pointer.top);
            }
            match &pivot.value {
                Some(value) => {
                    if let Some(found) = place(child, value) {
                        self.need(side, &child.name, &found.top);
                    }
                }
                None => {
                    let all: Vec<String> = child.fields.iter().map(|field| field.name.to_string()).collect();
                    for name in all {
                        self.need(side, &child.name, &name);
                    }
                }
            }
        }
    }
}
