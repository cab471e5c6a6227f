//! Files of records, and how they are attached.

use indexmap::IndexMap;

use super::findings::Findings;
use super::pagers::whole;
use super::shape::Shape;
use super::templates::{Use, path, path_template, queries, query, template};
use crate::diagnostic::{At, codes};
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
            None if written.field.is_some() => held(shape, written, found),
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
        // where many are told, the content is asked for with the id of one
        let many = written.list.is_some() || written.field.is_some();
        let with = if many { Some(with_file(shape)) } else { None };
        let get = path_template(&written.get, own, with.as_ref().unwrap_or(shape), Use::One, found);
        if many && which.is_some() && !get.fields().any(|field| *field == Path::key(FILE)) {
            found.error_help(
                &codes::BAD_FILES,
                written.get.span,
                "every file of the list would be the same",
                "write the file's id into the path: `/files/{file}`",
            );
        }
        if let Some(which) = which {
            files.insert(name.value.clone(), Files { name: name.value.clone(), which, get });
        }
    }
    files
}

/// Files that the record itself tells: the list is one of its fields, or one in every item of a list of it.
fn held(shape: &Shape, written: &spec::Files, found: &mut Findings) -> Option<Which> {
    let text = written.field.as_ref()?;
    let field = path(text, found)?;
    let items = shape.fields.iter().find_map(|top| {
        let rest = field.strip_prefix(&top.name)?;
        if rest.is_root() {
            return Some(top);
        }
        let rest = rest.strip_prefix(&Path::parse("a[*]").ok()?.split_first()?.1)?;
        top.fields.iter().find(|member| member.name == rest)
    });
    let Some(items) = items.filter(|field| matches!(field.ty, Type::List(_)) && !field.fields.is_empty())
    else {
        found.error_help(
            &codes::BAD_FILES,
            text.span,
            format!("`{text}` is no list of files that this record has"),
            "name a field of type `list` with `fields`, or one in a list: `lines[*].attachments`",
        );
        return None;
    };
    let mut member = |text: &At<String>| {
        let at = path(text, found)?;
        if items.fields.iter().any(|one| one.name == at) {
            return Some(at);
        }
        found.unknown(
            &codes::UNKNOWN_FIELD,
            text,
            "field of a file",
            items
                .fields
                .iter()
                .map(|one| one.name.to_string())
                .collect::<Vec<_>>()
                .iter()
                .map(String::as_str),
        );
        None
    };
    let media = match &written.media {
        Some(media) => Some(member(media)?),
        None => None,
    };
    let name = member(&written.name)?;
    let Some(id) = &written.id else {
        found.error_help(
            &codes::BAD_FILES,
            text.span,
            "nothing says where a file of this list has its id",
            "write `id: FIELD`",
        );
        return None;
    };
    Some(Which::Held { field, id: member(id)?, name, media })
}

fn one(shape: &Shape, written: &spec::Files, found: &mut Findings) -> Option<Which> {
    if let Some(id) = written.id.as_ref().or(written.pager.as_ref()) {
        found.error_help(
            &codes::BAD_FILES,
            id.span,
            "without a `list` or `field` there is exactly one file",
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
    let about = [("name", Type::Text), ("type", Type::Text), ("about", Type::Text)];
    let scope = Scope::new().root("file", Type::object(about));
    if let (Some(field), false) = (&written.field, written.related.is_empty()) {
        found.error_help(
            &codes::BAD_FILES,
            field.span,
            "a file is sent as multipart/form-data (`field`) or as multipart/related (`related`)",
            "take one of them away",
        );
    }
    Some(Attach {
        path: path_template(&written.post, shape.spec.path.as_ref(), shape, Use::One, found),
        query: queries(&written.query, &scope, found),
        related: queries(&written.related, &scope, found),
        field: written.field.as_ref().map(|field| field.value.clone()),
        new_version: written.same_name.is_some(),
        list: written.list.as_ref().map(|list| list.value.clone()),
    })
}
