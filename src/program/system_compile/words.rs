//! The words of a field: which contradict each other, and which belong to another type.

use super::findings::Findings;
use super::types::word;
use crate::diagnostic::{At, codes};
use crate::program::types::Type;
use crate::spec::system as spec;

/// Words that say opposite things, or that have nothing to do where they stand.
pub(super) fn contradictions(name: &At<String>, field: &spec::Field, found: &mut Findings) {
    let has_lookup = field.lookup.is_some();
    let pivot = field.pivot.is_some();
    let has_path = field.path.is_some() || field.read.is_some() || field.write.is_some();
    let pairs = [
        (
            field.read_only,
            "read_only",
            field.write_only,
            "write_only",
            "it could neither be read nor written",
        ),
        (
            field.read_only,
            "read_only",
            field.required,
            "required",
            "what cannot be written cannot be asked for in a create",
        ),
        (field.read_only, "read_only", field.create_only, "create_only", "it cannot be written at all"),
        (field.read_only, "read_only", field.on_create.is_some(), "on_create", "it cannot be written at all"),
        (field.read_only, "read_only", field.always_send, "always_send", "it cannot be written at all"),
        (field.read_only, "read_only", field.write.is_some(), "write", "it cannot be written at all"),
        (field.read_only, "read_only", field.emptied.is_some(), "emptied", "it cannot be written at all"),
        (field.create_only, "create_only", field.emptied.is_some(), "emptied", "it is never emptied"),
        (field.required, "required", field.emptied.is_some(), "emptied", "it is never emptied"),
        (pivot, "pivot", field.emptied.is_some(), "emptied", "its value stands in a child record"),
        (
            field.always_send,
            "always_send",
            field.emptied == Some(spec::Emptied::LeftOut),
            "emptied: left_out",
            "what is sent always is not left out",
        ),
        (
            field.read_only,
            "read_only",
            !field.with.is_empty(),
            "with",
            "nothing is sent beside what is not sent",
        ),
        (field.write_only, "write_only", field.read.is_some(), "read", "it cannot be read at all"),
        (field.create_only, "create_only", field.always_send, "always_send", "updates do not send it"),
        (
            field.required,
            "required",
            field.assigned.is_some(),
            "assigned",
            "the system gives what a create leaves out",
        ),
        (field.required, "required", field.on_create.is_some(), "on_create", "it is never missing"),
        (pivot, "pivot", has_lookup, "lookup", "its value stands in a child record"),
        (pivot, "pivot", field.reference.is_some(), "ref", "its value stands in a child record"),
        (pivot, "pivot", has_path, "path", "its value stands in a child record"),
        (!field.sum.is_empty(), "sum", has_path, "path", "it is added up from other fields"),
        (
            !field.sum.is_empty() && !field.read_only,
            "",
            true,
            "sum",
            "a sum is not written: make the field `read_only`",
        ),
        (field.days.is_some(), "days", has_path, "path", "it is worked out from other fields"),
        (field.read_only, "read_only", field.embeds.is_some(), "embeds", "it cannot be written at all"),
        (field.days.is_some(), "days", pivot, "pivot", "it is worked out from other fields"),
        (
            field.days.is_some(),
            "days",
            field.key.is_some(),
            "key",
            "a day is told from the others by its `date`",
        ),
        (
            field.days.is_some(),
            "days",
            !field.fields.is_empty(),
            "fields",
            "a day has the members `date` and `count`",
        ),
        (field.days.is_some(), "days", field.write_only, "write_only", "it is worked out from what is read"),
        (field.days.is_some(), "days", field.required, "required", "no system has it: it is worked out"),
        (
            !has_lookup,
            "",
            field.only_where.is_some(),
            "where",
            "`where` chooses among the records of a `lookup`",
        ),
        (
            !has_lookup,
            "",
            field.missing.is_some(),
            "missing",
            "`missing` is about a key without a record: it needs a `lookup`",
        ),
    ];
    for (one, one_word, other, other_word, why) in pairs {
        if one && other {
            let message = match one_word {
                "" => format!("`{other_word}` has nothing to do here"),
                _ => format!("`{one_word}` and `{other_word}` contradict each other"),
            };
            found.error_help(&codes::CONTRADICTION, name.span, message, why);
        }
    }
}

/// Words that belong to other types.
pub(super) fn words_of_type(name: &At<String>, field: &spec::Field, ty: &Type, found: &mut Findings) {
    if *ty == Type::Any {
        return;
    }
    let number = matches!(ty, Type::Integer | Type::Decimal);
    let text = *ty == Type::Text;
    let named_object =
        matches!(ty, Type::Object(_)) && field.kind.as_ref().is_some_and(|kind| kind.value != "object");
    let rules = [
        (field.form.is_some(), *ty == Type::Time, "as", "time"),
        (!field.of.is_empty(), matches!(ty, Type::Choice(_)), "of", "a choice"),
        (field.max.is_some(), text || number, "max", "text, integer and decimal"),
        (field.places.is_some(), *ty == Type::Decimal, "places", "decimal"),
        (field.unit.is_some(), number, "unit", "integer and decimal"),
        (field.lines, text, "lines", "text"),
        (field.key.is_some(), matches!(ty, Type::List(_)), "key", "list"),
        (field.days.is_some(), matches!(ty, Type::List(_)), "days", "list"),
        (field.embeds.is_some(), matches!(ty, Type::List(_)), "embeds", "list"),
        (
            !field.fields.is_empty(),
            matches!(ty, Type::List(_) | Type::Object(_)) && !named_object,
            "fields",
            "object and list",
        ),
    ];
    for (is_there, fits, key, of) in rules {
        if is_there && !fits {
            let written = field.kind.as_ref().map_or(word(ty), |kind| kind.value.as_str());
            let message = format!("`{key}` means nothing for the type {written}");
            found.error_help(
                &codes::WORD_OF_OTHER_TYPE,
                name.span,
                message,
                format!("it belongs to the type {of}"),
            );
        }
    }
    if field.emptied == Some(spec::Emptied::AsText) && matches!(ty, Type::List(_) | Type::Object(_)) {
        let message = format!("`emptied: as_text` means nothing for the type {}", word(ty));
        found.error_help(
            &codes::WORD_OF_OTHER_TYPE,
            name.span,
            message,
            "an object or a list is never a text",
        );
    }
    if field.max == Some(0) {
        let help = "write how long it may be at most, or leave `max` out";
        found.error_help(&codes::WORD_OF_OTHER_TYPE, name.span, "`max: 0` leaves room for nothing", help);
    }
}
