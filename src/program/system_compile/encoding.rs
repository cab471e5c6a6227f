//! How a record becomes a body and back.

use super::findings::Findings;
use crate::diagnostic::{At, Span, codes};
use crate::program::system::{Bools, Emptied, Encoding, EncodingKind, Epoch, Scalar, ScalarForm};
use crate::spec::system as spec;
use crate::value::parse_decimal;
use crate::value::xml::is_name;

/// Compiles an encoding over the one it differs from.
pub(super) fn encoding(
    written: Option<&At<spec::Encoding>>,
    base: &Encoding,
    found: &mut Findings,
) -> Encoding {
    let mut encoding = base.clone();
    let Some(At { value: written, span: place }) = written else { return encoding };
    let place = *place;
    if let Some(kind) = written.kind {
        encoding.kind = kind;
    }
    if let Some(wrap) = &written.wrap {
        encoding.wrap = Some(wrap.clone());
    }
    if let Some(envelope) = &written.envelope {
        encoding.envelope = Some(envelope.clone());
    }
    if let Some(patch_op) = &written.patch_op {
        encoding.patch_op = patch_op.clone();
    }
    if let Some(path_escape) = written.path_escape {
        encoding.path_escape = path_escape;
    }
    if let Some(written) = &written.xml {
        xml(written, &mut encoding, place, found);
    }
    if let Some(texts) = &written.bool {
        bools(texts, &mut encoding, place, found);
    }
    if let Some(decimal) = &written.decimal {
        encoding.comma = decimal.comma;
        if decimal.comma && decimal.form != ScalarForm::Text {
            found.error_help(
                &codes::BAD_ENCODING,
                place,
                "only a text can have a comma in place of a point",
                "write `decimal: { as: text, comma: true }`",
            );
        }
    }
    let mut scalar = |written: &Option<spec::TypedScalar>, into: &mut Scalar, what, members| {
        if let Some(written) = written
            && let Some(scalar) = typed_scalar(written, what, members, place, found)
        {
            *into = scalar;
        }
    };
    scalar(&written.decimal, &mut encoding.decimal, "decimal", 1);
    scalar(&written.date, &mut encoding.date, "date", 3);
    scalar(&written.time, &mut encoding.time, "time", 6);
    if let Some(emptied) = written.emptied {
        encoding.emptied = emptied;
    }
    if encoding.kind == EncodingKind::Xml && encoding.emptied == Emptied::AsText {
        found.error_help(
            &codes::BAD_ENCODING,
            place,
            "`emptied: as_text` says nothing in XML: an element with nothing in it is both",
            "leave it out",
        );
    }
    if encoding.kind == EncodingKind::JsonPatch && encoding.envelope.is_some() {
        found.error_help(
            &codes::BAD_ENCODING,
            place,
            "a JSON Patch body is a list: it has no `envelope`",
            "write `envelope: null` in the encoding of this call",
        );
    }
    encoding
}

fn xml(written: &spec::Xml, encoding: &mut Encoding, place: Span, found: &mut Findings) {
    if encoding.kind != EncodingKind::Xml {
        found.error_help(
            &codes::BAD_ENCODING,
            place,
            "`xml` says nothing of JSON",
            "write `kind: xml`, or leave it out",
        );
    }
    if let Some(root) = &written.root {
        if !is_name(root) {
            bad_element(root, place, found);
        }
        encoding.xml.root = Some(root.clone());
    }
    if let Some(names) = written.names {
        encoding.xml.lower = names == spec::XmlNames::Lower;
    }
    if let Some(charset) = written.charset {
        encoding.xml.charset = charset;
    }
    if let Some(declaration) = written.declaration {
        encoding.xml.declaration = declaration;
    }
    if let Some(kind) = &written.content_type {
        if kind.contains(';') || !kind.contains('/') {
            found.error_help(
                &codes::BAD_ENCODING,
                place,
                format!("`{kind}` is no content type"),
                "write it without parameters: text/xml; the character set is added",
            );
        }
        encoding.content_type = Some(kind.clone());
    }
}

/// Reports a name that no element can have.
pub(super) fn bad_element(name: &str, place: Span, found: &mut Findings) {
    found.error_help(
        &codes::BAD_ENCODING,
        place,
        format!("`{name}` cannot be the name of an XML element or attribute"),
        "use letters, digits, `_`, `-` and `.`, beginning with a letter",
    );
}

fn bools(texts: &spec::BoolTexts, encoding: &mut Encoding, place: Span, found: &mut Findings) {
    let same = |one: &String| texts.no.iter().any(|other| one.eq_ignore_ascii_case(other));
    if texts.yes.is_empty() || texts.no.is_empty() || texts.yes.iter().any(same) {
        found.error_help(
            &codes::BAD_ENCODING,
            place,
            "true and false each need a text of their own",
            "write `bool: { true: [\"1\"], false: [\"0\"] }`",
        );
    }
    let is_number = |texts: &[String]| texts.first().is_none_or(|text| parse_decimal(text).is_some());
    if texts.number && !(is_number(&texts.yes) && is_number(&texts.no)) {
        found.error_help(
            &codes::BAD_ENCODING,
            place,
            "what is written for true and false is no number",
            "write `bool: { true: [\"1\"], false: [\"0\"], number: true }`, or leave `number` out",
        );
    }
    encoding.bools = Some(Bools { yes: texts.yes.to_vec(), no: texts.no.to_vec(), number: texts.number });
}

fn typed_scalar(
    written: &spec::TypedScalar,
    what: &str,
    members: usize,
    place: Span,
    found: &mut Findings,
) -> Option<Scalar> {
    let mut refuse = |message: String, help: String| {
        found.error_help(&codes::BAD_ENCODING, place, message, help);
        None
    };
    let named = !written.tag.is_empty() || !written.members.is_empty();
    let is_epoch = matches!(written.form, ScalarForm::EpochSeconds | ScalarForm::EpochMillis);
    match written.form {
        _ if named && written.form != ScalarForm::Tagged => refuse(
            format!("`{what}` has `tag` or `members` but is not tagged"),
            "write `as: tagged`".to_owned(),
        ),
        ScalarForm::Number if what != "decimal" => refuse(
            format!("a {what} cannot be a JSON number"),
            match what {
                "time" => "write `as: text`, `as: tagged`, or what is counted: `as: epoch_seconds`, `as: epoch_millis`",
                _ => "write `as: text` or `as: tagged`",
            }
            .to_owned(),
        ),
        _ if is_epoch && what != "time" => refuse(
            format!("a {what} cannot be counted since 1970"),
            "only a `time` can: a number since 1970 is a moment, and no day of a calendar".to_owned(),
        ),
        ScalarForm::EpochSeconds => Some(Scalar::Epoch(Epoch::Seconds)),
        ScalarForm::EpochMillis => Some(Scalar::Epoch(Epoch::Millis)),
        ScalarForm::Number => Some(Scalar::Number),
        ScalarForm::Text => Some(Scalar::Text),
        // a time may have a seventh member, for what is less than a second
        ScalarForm::Tagged
            if written.members.len() != members && !(what == "time" && written.members.len() == 7) =>
        {
            refuse(
                format!(
                    "a tagged {what} names its members: {members} wanted, {} there",
                    written.members.len()
                ),
                match what {
                    "decimal" => "name the member that holds its digits: `members: [decimal]`".to_owned(),
                    "date" => "name them: `members: [year, month, day]`".to_owned(),
                    _ => "name them: `members: [year, month, day, hour, minute, second]`".to_owned(),
                },
            )
        }
        ScalarForm::Tagged => Some(Scalar::Tagged {
            tag: written.tag.iter().map(|(name, value)| (name.value.clone(), value.clone())).collect(),
            members: written.members.clone(),
        }),
    }
}

/// The form of one time that may differ from those around it.
pub(super) fn time_form(written: spec::TimeForm) -> Scalar {
    match written {
        spec::TimeForm::Text => Scalar::Text,
        spec::TimeForm::EpochSeconds => Scalar::Epoch(Epoch::Seconds),
        spec::TimeForm::EpochMillis => Scalar::Epoch(Epoch::Millis),
    }
}
