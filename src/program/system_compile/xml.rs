//! What XML asks of a resource: names that elements can have, and paths that can fit.

use super::encoding::bad_element;
use super::findings::Findings;
use super::shape::Shape;
use crate::diagnostic::{Span, codes};
use crate::program::system::{Encoding, Field};
use crate::spec::short::ShortForm;
use crate::spec::system as spec;
use crate::value::xml::is_name;
use crate::value::{Path, Query, Segment};

/// Checks the fields and bodies of a resource against its encodings.
pub(super) fn check(shape: &Shape, own: &Encoding, writes: &[&Encoding], found: &mut Findings) {
    let is_xml = own.is_xml() || writes.iter().any(|one| one.is_xml());
    if !is_xml {
        for (name, field) in shape.spec.fields.iter() {
            let attributes = field.as_ref().is_some_and(|ShortForm(field)| !field.attributes.is_empty());
            if attributes {
                found.error_help(
                    &codes::BAD_ENCODING,
                    name.span,
                    format!("`{}` has attributes, and bodies of `{}` are JSON", name.value, shape.name.value),
                    "write `encoding: { kind: xml }`, or send constants by `with`",
                );
            }
        }
        return;
    }
    fields(&shape.fields, own, found);
    for encoding in writes.iter().filter(|one| one.is_xml()) {
        match (&encoding.xml.root, &encoding.envelope) {
            (None, None) => found.error_help(
                &codes::BAD_ENCODING,
                shape.name.span,
                format!("nothing says which element a document of `{}` is", shape.name.value),
                "write `encoding: { envelope: customer }`, the element around the fields; or `xml: { root: … }`",
            ),
            (_, Some(envelope)) if !is_name(envelope) => bad_element(envelope, shape.name.span, found),
            _ => {}
        }
    }
}

fn fields(all: &[Field], encoding: &Encoding, found: &mut Findings) {
    for field in all {
        let places = field.write.iter().chain(field.with.iter().map(|(path, _)| path));
        for key in places.flat_map(keys) {
            if !is_name(key.strip_prefix('@').unwrap_or(key)) {
                bad_element(key, field.span, found);
            }
        }
        if let Some(Query::Path(read)) = &field.read {
            lower(read, encoding, field.span, found);
        }
        fields(&field.fields, encoding, found);
    }
}

/// Reports a path that never fits, since names are read in lower case.
pub(super) fn lower(path: &Path, encoding: &Encoding, place: Span, found: &mut Findings) {
    if encoding.is_xml() && encoding.xml.lower && keys(path).any(|key| key.chars().any(char::is_uppercase)) {
        found.error_help(
            &codes::BAD_ENCODING,
            place,
            format!("`{path}` never fits: names are read in lower case"),
            format!("write `{}`", path.to_string().to_lowercase()),
        );
    }
}

fn keys(path: &Path) -> impl Iterator<Item = &str> {
    path.segments().iter().filter_map(|segment| match segment {
        Segment::Key(key) => Some(key.as_str()),
        Segment::Index(_) | Segment::All | Segment::Where { .. } => None,
    })
}

/// The system's own encoding: what every resource begins with.
pub(super) fn of_system(system: &spec::System, found: &mut Findings) -> Encoding {
    super::encoding::encoding(system.encoding.as_ref(), &Encoding::default(), found)
}
