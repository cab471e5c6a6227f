//! Statuses that a run makes itself: which fields they get, and that they can be made and found again.

use crate::diagnostic::{At, codes};
use crate::program::document::{Flow, Named, Recognise};
use crate::program::mapping_compile::Compiler;
use crate::program::system::Resource;
use crate::spec::documents as doc;
use crate::value::{Map, Path, Side, Value};

impl Compiler<'_> {
    /// The roles of `make`, each with the fields of its status beside the name.
    pub(super) fn made_statuses(
        &mut self,
        source: Side,
        flow: &doc::StatusFlow,
        compiled: &Flow,
    ) -> Vec<(String, Vec<(Path, Value)>)> {
        let Some((first, _)) = flow.make.iter().next() else { return Vec::new() };
        let (Recognise::Named { by: Some(by), roles, .. }, Some(of)) = (&compiled.recognise, &compiled.of)
        else {
            self.error(
                &codes::BAD_FLOW,
                first.span,
                "a status that is made is found again by its name, and here no role is recognised by one",
                Some(
                    "give `roles`, and `name`: the field of the statuses that they are compared with"
                        .to_owned(),
                ),
            );
            return Vec::new();
        };
        if !of.writable || of.create.is_none() {
            self.error(
                &codes::BAD_FLOW,
                first.span,
                format!("{} of {} cannot be made", of.name, self.sides[source].name),
                Some("give it a `create` in the system file, or leave `make` out".to_owned()),
            );
            return Vec::new();
        }
        for path in of.key.iter().chain([by]) {
            self.need(source, &of.name, &path.to_string());
        }
        let mut made = Vec::new();
        for (role, fields) in flow.make.iter() {
            let Some(name) = self.role(role, Some(compiled)) else { continue };
            if roles.iter().any(|(one, named)| *one == name && matches!(named, Named::Rest)) {
                self.error(
                    &codes::BAD_FLOW,
                    role.span,
                    format!(
                        "`{role}` is every status that no other role names: it has no name to be made by"
                    ),
                    Some(format!("leave `{role}` out of `make`, or give it a status of its own in `roles`")),
                );
                continue;
            }
            let mut values = Vec::new();
            for (field, value) in fields.iter() {
                let Some(path) = self.path(field) else { continue };
                if path == *by {
                    let wrong = format!("the status of `{role}` is called as `roles` says");
                    self.error(
                        &codes::BAD_FLOW,
                        field.span,
                        wrong,
                        Some(format!("leave `{field}` out here")),
                    );
                    continue;
                }
                let value = self.status_value(source, of, &path, field, value);
                values.extend(value.map(|value| (path, value)));
            }
            self.status_is_whole(source, of, by, role, fields.iter().map(|(field, _)| field));
            made.push((name, values));
        }
        made
    }

    /// One field of a status: what is written there, or what the answers give.
    fn status_value(
        &mut self,
        source: Side,
        of: &Resource,
        path: &Path,
        field: &At<String>,
        value: &At<Value>,
    ) -> Option<Value> {
        let place = self.resolve(source, of, path, field.span)?;
        if place.read_only {
            self.error(
                &codes::BAD_FLOW,
                field.span,
                format!("`{field}` of {} cannot be written", of.name),
                Some(format!("leave `{field}` out: the system gives it")),
            );
            return None;
        }
        self.need(source, &of.name, &place.top);
        let Value::Text(text) = &value.value else {
            return self.constant(&place.field.ty, value, &field.value);
        };
        let text = At { value: text.clone(), span: value.span };
        let scope = self.base_scope();
        let expr = self.expr(&text, &scope)?;
        let settings = Path::key("settings");
        if let Some(other) = expr.uses().into_iter().find(|path| path.strip_prefix(&settings).is_none()) {
            self.error(
                &codes::BAD_FLOW,
                text.span,
                format!("a status is made before any record is looked at: `{other}` is not known then"),
                Some("only `settings` can be asked here".to_owned()),
            );
            return None;
        }
        self.check_value_type(&place.field.ty, expr.ty(), Some(&text), &field.value);
        let root = Value::Map(Map::from([("settings".to_owned(), self.answers.clone())]));
        expr.eval(&root).ok().filter(|value| !value.is_empty())
    }

    /// Every field that a create of a status needs.
    fn status_is_whole<'f>(
        &mut self,
        source: Side,
        of: &Resource,
        by: &Path,
        role: &At<String>,
        given: impl Iterator<Item = &'f At<String>>,
    ) {
        let given: Vec<Path> = given.filter_map(|field| Path::parse(&field.value).ok()).collect();
        let missing = of.fields.iter().find(|field| {
            field.required
                && field.on_create.is_none()
                && field.assigned.is_none()
                && field.name != *by
                && !given.iter().any(|path| path.strip_prefix(&field.name).is_some())
        });
        if let Some(field) = missing {
            self.error(
                &codes::REQUIRED_WITHOUT_ROW,
                role.span,
                format!(
                    "{} of {} cannot be made: `{}` is required",
                    of.name, self.sides[source].name, field.name
                ),
                Some(format!("give it here: `{}: …`", field.name)),
            );
        }
        if !of.fields.iter().any(|field| field.name == *by && !field.read_only) {
            self.error(
                &codes::BAD_FLOW,
                role.span,
                format!("`{by}` of {} cannot be written, and a status is found again by it", of.name),
                Some("let `name` be a field that a create gives, or leave `make` out".to_owned()),
            );
        }
    }
}
