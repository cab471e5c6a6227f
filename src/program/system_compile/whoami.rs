//! The read that says who we are, and whether a resource can be read at all.

use super::address::plain_path;
use super::auth::credential_scope;
use super::findings::Findings;
use super::shape::Shape;
use super::templates::{queries, query};
use crate::diagnostic::codes;
use crate::program::system::Whoami;
use crate::spec::short::OrNone;
use crate::spec::system as spec;

/// Compiles the read that says who we are.
pub(super) fn whoami(system: &spec::System, found: &mut Findings) -> Option<Whoami> {
    let written = system.whoami.as_ref()?;
    if written.fields.is_empty() {
        found.error_help(
            &codes::WORD_MISSING,
            written.get.span,
            "`whoami` names nothing that tells one company from another",
            "write `fields`: the paths of a company's id or name in the answer",
        );
    }
    Some(Whoami {
        get: plain_path(&written.get, found),
        query: queries(&written.query, &credential_scope(system), found),
        fields: written.fields.iter().filter_map(|text| query(text, found)).collect(),
    })
}

/// Reports a resource without `list` and `get`.
pub(super) fn cannot_be_read(shape: &Shape, found: &mut Findings) {
    let has_calls =
        |none: bool| if none { "write a `list` or a `get`" } else { "give it a `path`, a `list` or a `get`" };
    found.error_help(
        &codes::NO_READ,
        shape.name.span,
        format!("records of `{}` cannot be read", shape.name.value),
        has_calls(shape.spec.path.is_some()),
    );
}

/// Reports a read of a resource that is said to have none.
pub(super) fn read_all_the_same(shape: &Shape, found: &mut Findings) {
    let list = shape.spec.list.as_ref().and_then(OrNone::as_option).is_some();
    let get = shape.spec.get.as_ref().and_then(OrNone::as_option).is_some();
    if list || get {
        found.error_help(
            &codes::CONTRADICTION,
            shape.name.span,
            format!("`{}` is `write_only`, and has a call that reads it", shape.name.value),
            "leave `access` out, or write `list: none` and `get: none`",
        );
    }
}
