//! What a create may have beside its fields: a key by which it is known again, and a file it is made of.

use super::durations::duration;
use super::findings::Findings;
use super::shape::Shape;
use super::templates::{is_header, path, templates};
use crate::diagnostic::{At, codes};
use crate::program::expr::Scope;
use crate::program::files::MadeOf;
use crate::program::system::{Encoding, EncodingKind, Field, IdempotencyKey, KeyPlace};
use crate::program::types::Type;
use crate::spec::files::CreateFile;
use crate::spec::idempotency as spec;
use crate::spec::idempotency::Repeat;
use crate::value::Path;

/// Compiles where the key goes, and what a repeat is answered.
pub(super) fn key(
    shape: &Shape,
    written: &At<spec::IdempotencyKey>,
    made_of: Option<&MadeOf>,
    has_get: bool,
    found: &mut Findings,
) -> Option<IdempotencyKey> {
    let spec = &written.value;
    let place = match (&spec.header, &spec.query, &spec.field) {
        (Some(name), None, None) if is_header(&name.value) => KeyPlace::Header(name.value.clone()),
        (Some(name), None, None) => {
            let message = format!("`{name}` cannot be the name of a header");
            found.error_help(&codes::BAD_NAME, name.span, message, "use letters, digits and `-` (RFC 9110)");
            return None;
        }
        (None, Some(name), None) => KeyPlace::Query(name.value.clone()),
        (None, None, Some(at)) => {
            let place = path(at, found)?;
            if let Some(file) = made_of
                && (place.segments().len() != 1 || place == Path::key(file.part.clone()))
            {
                found.error_help(
                    &codes::BAD_IDEMPOTENCY_KEY,
                    at.span,
                    format!("`{at}` is no part of its own beside the file"),
                    "a form has one name for each part: write one that nothing else has",
                );
            }
            let taken = |field: &&Field| {
                field.write.as_ref().is_some_and(|write| {
                    write.strip_prefix(&place).is_some() || place.strip_prefix(write).is_some()
                })
            };
            if let Some(other) = shape.fields.iter().find(taken) {
                found.error_help(
                    &codes::BAD_IDEMPOTENCY_KEY,
                    at.span,
                    format!("`{at}` is where the field `{}` is written", other.name),
                    "make the field `read_only`: the engine gives it its value",
                );
            }
            KeyPlace::Field(place)
        }
        _ => {
            found.error_help(
                &codes::BAD_IDEMPOTENCY_KEY,
                written.span,
                "the key goes to exactly one place",
                "write `header`, `query` or `field`",
            );
            return None;
        }
    };
    let exists = spec.repeat == Some(Repeat::AlreadyExists);
    if exists && (!has_get || shape.key.len() != 1) {
        found.error_help(
            &codes::BAD_IDEMPOTENCY_KEY,
            written.span,
            "a repeat is refused as one that exists already, and the record cannot be read by its key",
            "give the resource one `key` and a `get`, or say `repeat: same_answer`",
        );
    }
    let kept =
        spec.kept.as_ref().map(|text| (text.span, duration(Some(text), std::time::Duration::MAX, found)));
    if let (true, Some((span, _))) = (exists, kept) {
        found.error_help(
            &codes::BAD_IDEMPOTENCY_KEY,
            span,
            "the key is the record's own: it is known as long as the record is there",
            "take `kept` away",
        );
    }
    Some(IdempotencyKey { place, exists, kept: kept.map(|(_, kept)| kept) })
}

/// Compiles the part that holds the file a record is made of. Beside it a form has room for plain values only.
pub(super) fn file(
    shape: &Shape,
    written: &CreateFile,
    encoding: &Encoding,
    found: &mut Findings,
) -> Option<MadeOf> {
    let told = Type::object([("name", Type::Text), ("type", Type::Text)]);
    let mut sandbox = Vec::new();
    for (name, text) in templates(&written.sandbox, &Scope::new().root("file", told), found) {
        match shape.fields.iter().find(|field| field.name.to_string() == name) {
            Some(field) => sandbox.push((field.name.clone(), text)),
            None => {
                let place = written.sandbox.iter().find(|(at, _)| at.value == name).map(|(at, _)| at);
                let names: Vec<String> = shape.fields.iter().map(|field| field.name.to_string()).collect();
                if let Some(at) = place {
                    found.unknown(&codes::UNKNOWN_FIELD, at, "field", names.iter().map(String::as_str));
                }
            }
        }
    }
    let mut problem = |message: String, help: &str| {
        found.error_help(&codes::BAD_FILES, written.field.span, message, help);
    };
    if encoding.kind != EncodingKind::Json || encoding.wrap.is_some() || encoding.envelope.is_some() {
        problem(
            "the parts of a form have no encoding of their own".into(),
            "write `encoding: { kind: json }` at `create`, without `wrap` and `envelope`",
        );
    }
    for field in &shape.fields {
        let Some(write) = &field.write else { continue };
        if *write == Path::key(written.field.value.clone()) {
            problem(
                format!("the field `{}` is written to the part of the file", field.name),
                "make it `read_only`",
            );
        } else if write.segments().len() != 1
            || matches!(field.ty, Type::Object(_) | Type::List(_) | Type::Any)
        {
            problem(
                format!("the field `{}` is no plain value: it has no place beside a file", field.name),
                "a form has one name and one text for each part: make the field `read_only`",
            );
        }
    }
    Some(MadeOf { part: written.field.value.clone(), sandbox })
}
