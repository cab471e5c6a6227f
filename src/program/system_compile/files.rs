//! Files of records, and how they are attached.

use indexmap::IndexMap;

use super::findings::Findings;
use super::pagers::whole;
use super::shape::Shape;
use super::templates::{Use, path_template, queries, query, template};
use crate::diagnostic::codes;
use crate::program::expr::Scope;
use crate::program::files::{Attach, FILE, Files, Which};
use crate::program::system::{Field, Pager};
use crate::program::types::Type;
use crate::spec::files as spec;
use crate::value::Path;

/// Compiles the files of a resource.
pub(super) fn files(
    shape: &Shape,
    pagers: &IndexMap<String, Pager>,
    found: &mut Findings,
) -> IndexMap<String, Files> {
    let mut files = IndexMap::new();
    for (name, written) in shape.spec.files.iter() {
        let own = shape.spec.path.as_ref();
        let which = match &written.list {
            None => one(shape, written, found),
            Some(list) => {
                let path = path_template(list, own, shape, Use::One, found);
                let mut pager = whole();
                if let Some(name) = &written.pager {
                    match pagers.get(&name.value) {
                        Some(known) => pager = known.clone(),
                        None => found.unknown(
                            &codes::UNKNOWN_PAGER,
                            name,
                            "pager",
                            pagers.keys().map(String::as_str),
                        ),
                    }
                }
                let id = match &written.id {
                    Some(id) => query(id, found),
                    None => {
                        found.error_help(
                            &codes::BAD_FILES,
                            list.span,
                            "nothing says where a file of this list has its id",
                            "write `id: PATH`",
                        );
                        None
                    }
                };
                let media = match &written.media {
                    Some(media) => query(media, found).map(Some),
                    None => Some(None),
                };
                match (id, query(&written.name, found), media) {
                    (Some(id), Some(name), Some(media)) => {
                        Some(Which::Listed { path, pager: Box::new(pager), id, name, media })
                    }
                    _ => None,
                }
            }
        };
        let get = match &which {
            Some(Which::Listed { .. }) => {
                let with = with_file(shape);
                let path = path_template(&written.get, own, &with, Use::One, found);
                if !path.fields().any(|field| *field == Path::key(FILE)) {
                    found.error_help(
                        &codes::BAD_FILES,
                        written.get.span,
                        "every file of the list would be the same",
                        "write the file's id into the path: `/files/{file}`",
                    );
                }
                path
            }
            _ => path_template(&written.get, own, shape, Use::One, found),
        };
        if let Some(which) = which {
            files.insert(name.value.clone(), Files { name: name.value.clone(), which, get });
        }
    }
    files
}

fn one(shape: &Shape, written: &spec::Files, found: &mut Findings) -> Option<Which> {
    if let Some(id) = written.id.as_ref().or(written.pager.as_ref()) {
        found.error_help(
            &codes::BAD_FILES,
            id.span,
            "without a `list` there is exactly one file",
            "add `list: PATH`, or take this away",
        );
    }
    let name = template(&written.name, &Scope::new().bare(&shape.record()), found)?;
    Some(Which::One { name, media: written.media.as_ref().map(|media| media.value.clone()) })
}

/// The resource with one more name to fill in: a file's id.
fn with_file<'s>(shape: &Shape<'s>) -> Shape<'s> {
    let mut fields = shape.fields.clone();
    if let Some(like) = shape.fields.first().cloned() {
        fields.push(Field {
            name: Path::key(FILE),
            ty: Type::Id,
            fields: Vec::new(),
            pivot: None,
            write_only: false,
            reference: None,
            ..like
        });
    }
    Shape {
        name: shape.name,
        spec: shape.spec,
        key: shape.key.clone(),
        key_is_wrong: shape.key_is_wrong,
        writable: shape.writable,
        fields,
    }
}

/// Compiles how a file is attached.
pub(super) fn attach(
    shape: &Shape,
    files: &IndexMap<String, Files>,
    has_get: bool,
    found: &mut Findings,
) -> Option<Attach> {
    let written = shape.spec.attach.as_ref()?;
    if !shape.writable || !has_get {
        found.error_help(
            &codes::BAD_FILES,
            written.post.span,
            "files can be attached only to what may be written and can be read one by one",
            "give the resource a `get` and take `access: read_only` away, or take `attach` away",
        );
    }
    if let Some(list) = &written.list
        && !matches!(files.get(&list.value), Some(Files { which: Which::Listed { .. }, .. }))
    {
        found.error_help(
            &codes::BAD_FILES,
            list.span,
            format!("`{list}` is no list of files of this resource"),
            "name one of `files` that has a `list`",
        );
    }
    let file = Type::object([("name", Type::Text), ("type", Type::Text)]);
    Some(Attach {
        path: path_template(&written.post, shape.spec.path.as_ref(), shape, Use::One, found),
        query: queries(&written.query, &Scope::new().root("file", file), found),
        field: written.field.as_ref().map(|field| field.value.clone()),
        new_version: written.same_name.is_some(),
        list: written.list.as_ref().map(|list| list.value.clone()),
    })
}
