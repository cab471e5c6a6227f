//! Fields together: what a request body can hold.

use super::findings::Findings;
use super::shape::Shape;
use crate::diagnostic::{Diagnostic, Span, codes};
use crate::program::system::{CreateCall, Emptied, Field, Send, UpdateCall};
use crate::value::{Path, Segment};

/// What is left out empties a field only where the whole record is sent.
pub(super) fn left_out(shape: &Shape, update: Option<&UpdateCall>, found: &mut Findings) {
    let Some(update) = update else { return };
    if update.method == "PUT" && update.send == Send::All {
        return;
    }
    fn fields(all: &[Field], found: &mut Vec<Span>) {
        for field in all {
            if field.emptied == Some(Emptied::LeftOut) && !field.always_send {
                found.push(field.span);
            }
            fields(&field.fields, found);
        }
    }
    let mut places = Vec::new();
    fields(&shape.fields, &mut places);
    if update.encoding.emptied == Emptied::LeftOut {
        places.push(shape.name.span);
    }
    for place in places {
        found.error_help(
            &codes::CONTRADICTION,
            place,
            "what is left out stays as it is: this update does not send the whole record",
            "write `update: { put: \"{path}/{key}\", send: all }` where that is how the server takes it; else \
             `emptied: as_null` or `as_text`",
        );
    }
}

/// Two fields that are written to one place, or one inside the other.
pub(super) fn written_once(fields: &[Field], found: &mut Findings) {
    let mut places: Vec<(&Path, Span, &Path)> = Vec::new();
    for field in fields {
        if let Some(write) = &field.write {
            clash(&mut places, write, field, found);
        }
        written_once(&field.fields, found);
    }
    // constants come after all fields; more than one may send the same one
    for field in fields {
        for (constant, _) in &field.with {
            if let Some((.., name)) = places.iter().find(|(place, ..)| *place == constant) {
                let message = format!("`with` sends `{constant}`, which the field `{name}` is written to");
                let help = format!("leave `{constant}` out of `with`, or give `{name}` another `write`");
                found.error_help(&codes::SAME_PLACE, field.span, message, help);
            }
        }
    }
}

fn clash<'f>(
    places: &mut Vec<(&'f Path, Span, &'f Path)>,
    write: &'f Path,
    field: &'f Field,
    found: &mut Findings,
) {
    // an attribute stands beside the text of its element
    let below =
        |rest: Path| !matches!(rest.segments().first(), Some(Segment::Key(key)) if key.starts_with('@'));
    let overlaps = |place: &Path| {
        place.strip_prefix(write).is_some_and(below) || write.strip_prefix(place).is_some_and(below)
    };
    if let Some((place, span, name)) = places.iter().find(|(place, ..)| overlaps(place)) {
        let message = if *place == write {
            format!("`{}` and `{name}` are both written to `{write}`", field.name)
        } else {
            format!("`{}` is written to `{write}`, `{name}` to `{place}`: one inside the other", field.name)
        };
        found.add(
            Diagnostic::error(&codes::SAME_PLACE, field.span, message)
                .label(*span, "the other field")
                .help("make one of them `read_only`, or give it another `write` path"),
        );
    }
    places.push((write, field.span, &field.name));
}

/// A resource that is written but has nothing to write.
pub(super) fn something_to_write(
    shape: &Shape,
    create: Option<&CreateCall>,
    update: Option<&UpdateCall>,
    found: &mut Findings,
) {
    let writes = |field: &Field| !field.read_only;
    let in_update = |field: &Field| writes(field) && !field.create_only;
    let (call, cannot) = match (create, update) {
        (Some(call), _) if call.file.is_none() && !shape.fields.iter().any(writes) => ("create", "read_only"),
        (_, Some(_)) if !shape.fields.iter().any(in_update) => ("update", "read_only or create_only"),
        _ => return,
    };
    found.error_help(
        &codes::NOTHING_TO_WRITE,
        shape.name.span,
        format!("`{call}` has nothing to send: every field is {cannot}"),
        format!("write `{call}: none` or `access: read_only`, or let a field be written"),
    );
}
