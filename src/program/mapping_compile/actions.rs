//! Steps that do something to a record.

use super::Compiler;
use crate::diagnostic::{At, codes, suggest};
use crate::program::document::{ActionStep, AttachStep, Elsewhere, Step};
use crate::program::expr::Expr;
use crate::program::files::{Files, Which};
use crate::program::mapping::Register;
use crate::program::types::Type;
use crate::spec::documents as doc;
use crate::value::{Both, Path, Side};

impl Compiler<'_> {
    /// An action of one of the records.
    pub(super) fn action_step(
        &mut self,
        name: &At<String>,
        written: &doc::ActionStep,
        register: &Register,
        types: &Both<Type>,
    ) -> Option<ActionStep> {
        let [(key, action)] = &written.sides[..] else {
            let (left, right) = (self.sides.left.name.clone(), self.sides.right.name.clone());
            let place = written.sides.get(1).map_or(name.span, |(key, _)| key.span);
            self.error(
                &codes::BAD_STEP,
                place,
                "an action is one of one side",
                Some(format!("write `action: {{ {left}: NAME }}` or `action: {{ {right}: NAME }}`")),
            );
            return None;
        };
        let side = self.side(key)?;
        for member in &register.ends[side].members {
            let resource = &member.resource;
            let Some(known) = resource.actions.get(&action.value) else {
                let names: Vec<&str> = resource.actions.keys().map(String::as_str).collect();
                let help = match suggest(&action.value, names.iter().copied()) {
                    Some(near) => format!("did you mean `{near}`?"),
                    None if names.is_empty() => "actions are declared in the system file".to_owned(),
                    None => format!("it has {}", names.join(", ")),
                };
                self.error(
                    &codes::BAD_STEP,
                    action.span,
                    format!("{} of {} has no action `{action}`", resource.name, self.sides[side].name),
                    Some(help),
                );
                return None;
            };
            let uses = known.done.uses();
            self.need_uses(side, &register.ends[side].clone(), uses);
        }
        let when = self.step_when(written.words.when.as_ref(), register, types)?;
        Some(ActionStep { side, action: action.value.clone(), when })
    }

    /// The file of the source that a document's record is made of: where the other side needs one, and only there.
    pub(super) fn made_of_file(
        &mut self,
        name: &At<String>,
        written: Option<&At<String>>,
        register: &Register,
        source: Side,
    ) -> Option<String> {
        let target = source.other();
        for member in &register.ends[target].members {
            let needed = member.resource.create.as_ref().is_some_and(|create| create.file.is_some());
            let (of, system) = (&member.resource.name, &self.sides[target].name);
            let (message, help) = match (needed, written) {
                (true, None) => (
                    format!("{of} of {system} is made of a file, and `{name}` has none"),
                    format!("add `file: {}.NAME`, with a name of `files` in its system file", self.sides[source].name),
                ),
                (false, Some(_)) => (
                    format!("{of} of {system} is not made of a file"),
                    "the system file says with `create: { file }` which part holds it; `attach` is a step of its own".to_owned(),
                ),
                _ => continue,
            };
            self.error(&codes::BAD_STEP, written.map_or(name.span, |text| text.span), message, Some(help));
            return None;
        }
        let text = written?;
        let (side, file) = self.file_named(text, register, source)?;
        if side != source {
            let message = format!("`{text}` is a file of the record that is to be made of it");
            let help = format!("write `{}.NAME`", self.sides[source].name);
            self.error(&codes::BAD_STEP, text.span, message, Some(help));
            return None;
        }
        for member in &register.ends[source].members {
            if let Some(Files { which: Which::Listed { .. } | Which::Held { .. }, .. }) =
                member.resource.files.get(&file)
            {
                let message = format!("`{text}` are many files, and a record is made of one");
                let help = "name files without a `list` or a `field`, or carry them with the step `attach`";
                self.error(&codes::BAD_STEP, text.span, message, Some(help.to_owned()));
                return None;
            }
        }
        Some(file)
    }

    /// Whose files a text like `shop.pdf` names, and their name.
    fn file_named(&mut self, text: &At<String>, register: &Register, usual: Side) -> Option<(Side, String)> {
        let named = text.value.split_once('.').and_then(|(side, name)| {
            let side = Side::BOTH.into_iter().find(|one| self.sides[*one].name == side)?;
            Some((side, name.to_owned()))
        });
        let Some((side, name)) = named else {
            let side = self.sides[usual].name.clone();
            self.error(
                &codes::BAD_STEP,
                text.span,
                format!("`{text}` does not say whose files"),
                Some(format!("write `{side}.NAME`, with a name of `files` in its system file")),
            );
            return None;
        };
        for member in &register.ends[side].members {
            let Some(known) = member.resource.files.get(&name) else {
                let names: Vec<&str> = member.resource.files.keys().map(String::as_str).collect();
                let help = match suggest(&name, names.iter().copied()) {
                    Some(near) => format!("did you mean `{near}`?"),
                    None if names.is_empty() => "files are declared in the system file".to_owned(),
                    None => format!("it has {}", names.join(", ")),
                };
                let (of, system) = (&member.resource.name, &self.sides[side].name);
                let message = format!("{of} of {system} has no files `{name}`");
                self.error(&codes::BAD_STEP, text.span, message, Some(help));
                return None;
            };
            self.need_uses(side, &register.ends[side].clone(), known.fields());
        }
        Some((side, name))
    }

    /// Files that go along.
    pub(super) fn attach_step(
        &mut self,
        written: &doc::AttachStep,
        register: &Register,
        types: &Both<Type>,
    ) -> Option<AttachStep> {
        let (to, at) = self.attached_to(&written.to, register)?;
        let mut files = Vec::new();
        for text in written.files.iter() {
            files.push(self.file_named(text, register, to.other())?);
        }
        let when = self.step_when(written.when.as_ref(), register, types)?;
        let about = match &written.about {
            None => None,
            Some(text) => {
                let scope = self.scope_with(Some(&types.left), Some(&types.right), None);
                let about = self.template(text, &scope)?;
                for side in Side::BOTH {
                    let prefix = Path::key(self.sides[side].name.clone());
                    let uses: Vec<Path> = about
                        .uses()
                        .into_iter()
                        .filter(|path| path.strip_prefix(&prefix).is_some())
                        .collect();
                    self.need_uses(side, &register.ends[side].clone(), uses);
                }
                Some(about)
            }
        };
        Some(AttachStep { files, to, at, about, when })
    }

    /// What files are attached to: a side's record, or one that a field of it refers to.
    fn attached_to(&mut self, to: &At<String>, register: &Register) -> Option<(Side, Option<Elsewhere>)> {
        let (name, field) = match to.value.split_once('.') {
            Some((name, field)) => (name.to_owned(), Some(field.to_owned())),
            None => (to.value.clone(), None),
        };
        let side = self.side(&At { value: name, span: to.span })?;
        let system = std::sync::Arc::clone(&self.sides[side].system);
        let path = match &field {
            Some(field) => Some(self.path(&At { value: field.clone(), span: to.span })?),
            None => None,
        };
        let mut at = None;
        for member in &register.ends[side].members {
            let mut resource = std::sync::Arc::clone(&member.resource);
            if let Some(path) = &path {
                let place = self.resolve(side, &resource, path, to.span)?;
                self.need(side, &resource.name, &place.top);
                let referred = place.field.reference.as_ref();
                let known = referred.and_then(|to| Some((to, system.resources.get(&to.resource)?)));
                // it is known by its key alone: nothing of it is read
                let Some((target, known)) = known.filter(|(to, known)| known.key == [to.field.clone()])
                else {
                    self.error(
                        &codes::BAD_STEP,
                        to.span,
                        format!("`{path}` of {} refers to no record by its key", resource.name),
                        Some("the system file says with `ref: RESOURCE` what a field refers to".to_owned()),
                    );
                    return None;
                };
                resource = std::sync::Arc::clone(known);
                let one = Elsewhere {
                    field: path.clone(),
                    resource: std::sync::Arc::clone(known),
                    key: target.field.clone(),
                };
                at = Some(one);
            }
            let Some(attach) = &resource.attach else {
                let system = self.sides[side].name.clone();
                self.error(
                    &codes::BAD_STEP,
                    to.span,
                    format!("nothing can be attached to {} of {system}", resource.name),
                    Some("the system file says with `attach` how a file is attached".to_owned()),
                );
                return None;
            };
            let listed = attach.list.as_ref().and_then(|list| resource.files.get(list));
            let paths = listed.map(Files::fields).unwrap_or_default();
            let paths: Vec<Path> = paths.into_iter().chain(attach.path.fields().cloned()).collect();
            match &at {
                None => self.need_uses(side, &register.ends[side].clone(), paths),
                Some(at) => {
                    if let Some(other) = paths.iter().find(|path| **path != at.key) {
                        let message = format!(
                            "attaching to {} needs its `{other}`, which nothing tells",
                            resource.name
                        );
                        let help = "what is referred to is known by its key alone".to_owned();
                        self.error(&codes::BAD_STEP, to.span, message, Some(help));
                        return None;
                    }
                    if attach.list.is_none() {
                        let message = format!("the files of {} cannot be listed", resource.name);
                        let help = "say `list` at its `attach`: by their names it is known what is there";
                        self.error(&codes::BAD_STEP, to.span, message, Some(help.to_owned()));
                        return None;
                    }
                }
            }
        }
        Some((side, at))
    }

    /// The condition of a step, over both records; the outer `None` is a mistake.
    #[allow(clippy::option_option)]
    pub(super) fn step_when(
        &mut self,
        text: Option<&At<String>>,
        register: &Register,
        types: &Both<Type>,
    ) -> Option<Option<Expr>> {
        let Some(text) = text else { return Some(None) };
        let scope = self.scope_with(Some(&types.left), Some(&types.right), None);
        let when = self.expr(text, &scope)?;
        for side in Side::BOTH {
            let prefix = Path::key(self.sides[side].name.clone());
            let uses: Vec<Path> =
                when.uses().into_iter().filter(|path| path.strip_prefix(&prefix).is_some()).collect();
            self.need_uses(side, &register.ends[side].clone(), uses);
        }
        Some(Some(when))
    }

    /// What was done cannot be taken back: a check that deletes comes first.
    pub(super) fn undone_after_action(&mut self, name: &At<String>, steps: &[Step]) {
        let acted = steps.iter().position(|step| matches!(step, Step::Action(_)));
        let deletes = steps.iter().rposition(|step| matches!(step, Step::Verify(verify) if verify.delete));
        if let (Some(acted), Some(deletes)) = (acted, deletes)
            && acted < deletes
        {
            self.error(
                &codes::BAD_STEP,
                name.span,
                "a check deletes what an action has been done to",
                Some("write the `verify` before the `action`".to_owned()),
            );
        }
    }
}
