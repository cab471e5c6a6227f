//! What requests say of the fields that answers hold.

use super::document::Operation;
use super::guess::Guess;
use super::resource::envelope;
use super::schema::{Field, Kind, Schemas};
use super::write::path_of;
use crate::authoring::text::scalar;
use crate::authoring::words::plain;

/// What a request writes.
#[derive(Default)]
pub(super) struct Body {
    pub fields: Vec<Field>,
    pub wrap: Option<String>,
    pub envelope: Option<String>,
}

pub(super) fn body<'d>(schemas: &Schemas<'_, 'd>, operation: &Operation<'d>, name: &str) -> Body {
    let Some(schema) = operation.body else { return Body::default() };
    let Kind::Object(mut fields) = schemas.kind(schema) else { return Body::default() };
    let mut found = Body::default();
    if let Some(inner) = envelope(&fields, name) {
        fields = fields
            .into_iter()
            .find(|one| one.name == inner)
            .map(|one| one.kind.members().to_vec())
            .unwrap_or_default();
        found.envelope = Some(inner);
    }
    let wrapper = |field: &Field| match field.kind.members() {
        [only] if plain(&only.name) == "value" => Some(only.name.clone()),
        _ => None,
    };
    let wrapped = fields.iter().filter(|field| wrapper(field).is_some()).count();
    if wrapped > 0 && wrapped * 2 >= fields.len() {
        found.wrap = fields.iter().find_map(wrapper);
        unwrap(&mut fields);
    }
    found.fields = fields;
    found
}

/// `{"name": {"value": "x"}}` is the text `name`.
fn unwrap(fields: &mut [Field]) {
    for field in fields {
        match &mut field.kind {
            Kind::Object(members) if members.len() == 1 && plain(&members[0].name) == "value" => {
                let inner = members.remove(0);
                field.kind = inner.kind;
                field.max = field.max.or(inner.max);
                if field.help.is_empty() {
                    field.help = inner.help;
                }
                if let Kind::Object(members) = &mut field.kind {
                    unwrap(members);
                }
            }
            kind => {
                field.bare = kind.is_scalar();
            }
        }
    }
}

pub(super) fn encoding(body: &Body) -> Option<Guess> {
    let wrap = body.wrap.as_ref().map(|name| format!(", wrap: {}", scalar(name)));
    let envelope = body.envelope.as_ref().map(|name| format!(", envelope: {}", scalar(name)));
    if wrap.is_none() && envelope.is_none() {
        return None;
    }
    let seen = match (&body.wrap, &body.envelope) {
        (Some(name), _) => format!("requests hold every value in an object with `{name}`"),
        (None, Some(name)) => format!("requests hold the record in `{name}`"),
        (None, None) => String::new(),
    };
    Some(Guess {
        text: format!("{{ kind: json{}{} }}", wrap.unwrap_or_default(), envelope.unwrap_or_default()),
        note: seen,
    })
}

pub(super) fn is_json_patch(kind: &Kind) -> bool {
    let Kind::List(fields) = kind else { return false };
    let has = |name: &str| fields.iter().any(|field| plain(&field.name) == name);
    has("path") && has("value") && (has("op") || has("operation"))
}

/// What requests say of the fields of an answer.
pub(super) fn combine(
    fields: &mut Vec<Field>,
    create: Option<&[Field]>,
    update: Option<&[Field]>,
    patch_list: bool,
    wrapped: bool,
) {
    for field in fields.iter_mut() {
        let in_create = create.and_then(|all| all.iter().find(|one| one.name == field.name));
        let in_update = update.and_then(|all| all.iter().find(|one| one.name == field.name));
        field.write_only = false;
        let Some(written) = in_create.or(in_update) else {
            // a JSON Patch names no fields: what a create cannot give, a patch perhaps can
            let unknown = create.is_none() && update.is_none();
            field.read_only |= !(unknown || (patch_list && create.is_none_or(<[Field]>::is_empty)));
            field.required = false;
            continue;
        };
        field.read_only |= written.read_only;
        field.required = in_create.is_some_and(|one| one.required) && !field.read_only;
        field.create_only =
            in_create.is_some() && in_update.is_none() && update.is_some() && !field.read_only;
        field.max = written.max.or(field.max);
        field.places = written.places.or(field.places);
        field.bare = wrapped && written.bare;
        if field.help.is_empty() {
            field.help.clone_from(&written.help);
        }
        differs(field, written);
    }
    let mut added: Vec<Field> = Vec::new();
    for written in create.into_iter().chain(update).flatten() {
        if written.read_only || fields.iter().chain(&added).any(|one| one.name == written.name) {
            continue;
        }
        let in_create = create.is_some_and(|all| all.iter().any(|one| one.name == written.name));
        let in_update = update.is_some_and(|all| all.iter().any(|one| one.name == written.name));
        added.push(Field {
            write_only: true,
            required: in_create && written.required,
            create_only: in_create && !in_update && update.is_some(),
            bare: wrapped && written.bare,
            ..written.clone()
        });
    }
    fields.extend(added);
}

/// Answers and requests have the field in different kinds.
fn differs(field: &mut Field, written: &Field) {
    let same = field.kind.word() == written.kind.word()
        || matches!((&field.kind, &written.kind), (Kind::Text | Kind::Id, Kind::Text | Kind::Id));
    if same {
        if let (Kind::Object(read), Kind::Object(write)) = (&mut field.kind, &written.kind) {
            combine(read, Some(write), Some(write), false, false);
        }
        return;
    }
    if written.kind.is_scalar() && matches!(field.kind, Kind::Object(_)) {
        let inner = field.kind.members().iter().find(|member| {
            member.kind.word() == written.kind.word()
                && ["id", "number", "code", "guid", "key"].contains(&plain(&member.name).as_str())
        });
        if let Some(inner) = inner {
            field.read = Some(format!("{}.{}", path_of(&field.name), path_of(&inner.name)));
            field.notes.push(format!("answers hold an object, requests {}", written.kind.word()));
            field.kind = written.kind.clone();
            return;
        }
    }
    field.notes.push(format!("requests hold it as {}: only read here", written.kind.word()));
    field.read_only = true;
    field.required = false;
    field.create_only = false;
}
