//! The calls of a resource as lines of its file.

use super::document::Operation;
use super::group::Group;
use super::guess;
use super::resource::{Built, envelope};
use super::schema::{Field, Kind, Schemas};
use super::write::{name_of, path_of};
use crate::authoring::text::{first_sentence, scalar};
use crate::authoring::words::plain;

pub(super) fn calls<'d>(
    built: &mut Built,
    group: &Group<'d>,
    record_path: Option<String>,
    records: Option<&(Option<String>, Vec<Field>)>,
    listed: &Kind,
    schemas: &Schemas<'_, 'd>,
    patch_list: bool,
) {
    match (&group.list, records) {
        (Some(list), Some((path, fields))) => {
            let mut pager = guess::pager(list, listed, path.as_deref());
            let required: Vec<&str> = list
                .params
                .iter()
                .filter(|one| one.required && one.place != "path")
                .map(|one| one.name)
                .collect();
            if !required.is_empty() {
                built.notes.push(format!(
                    "the list asks for {}: give it a `list: {{ get: \"{{path}}\", query: … }}`",
                    required.join(", ")
                ));
            }
            pager.note = first_sentence(&pager.note, 400);
            built.pager = Some(pager);
            built.cursor = guess::cursor(list, &built.fields).map(|cursor| match cursor {
                Ok(guess) if fields.iter().all(|field| !guess.text.contains(&path_of(&field.name))) => {
                    Err(format!("{}, but the list does not answer that field", guess.note))
                }
                other => other,
            });
            built.search = search(list, &built.fields);
        }
        _ => built.calls.push((
            "list: none".to_owned(),
            Some(match &group.list {
                Some(_) => "its GET answers no list that could be told".to_owned(),
                None => "there is no call that lists them: a register needs one".to_owned(),
            }),
        )),
    }
    let item = group.item.as_ref().map(|(path, param)| {
        let own = format!("{}/{{{param}}}", built.path);
        if *path == own { "{path}/{key}".to_owned() } else { path.replace(&format!("{{{param}}}"), "{key}") }
    });
    if let (Some(item), true) = (&item, group.get.is_some()) {
        match &record_path {
            Some(path) => {
                built.calls.push((format!("get: {{ get: \"{item}\", record: {} }}", scalar(path)), None));
            }
            None => built.calls.push((format!("get: \"{item}\""), None)),
        }
    }
    if let Some(create) = &group.create {
        built.calls.push(new_record(built, create, schemas));
    }
    if let (Some(item), Some((method, update))) = (&item, &group.update) {
        built.calls.push(changed_record(built, item, method, update, schemas, patch_list));
    }
    if let (Some(item), true) = (&item, group.delete) {
        built.calls.push((format!("delete: \"{item}\""), None));
    }
    let writes = |update: bool| {
        built.fields.iter().any(|field| {
            !field.read_only
                && field.kind.word() != "list"
                && field.kind.word() != "unknown"
                && !(update && field.create_only)
        })
    };
    let nothing = (!writes(false), !writes(true));
    built.calls.retain(|(text, _)| {
        !(text.starts_with("create:") && nothing.0 || text.starts_with("update:") && nothing.1)
    });
    if group.create.is_some() && nothing.0 || group.update.is_some() && nothing.1 {
        built.notes.push("a request that writes is there, but no field in it is described".to_owned());
    }
}

/// The record that an answer holds as a whole, so that no read is needed after a write.
fn answered<'d>(built: &Built, operation: &Operation<'d>, schemas: &Schemas<'_, 'd>) -> Option<String> {
    let answer = schemas.kind(operation.answer?);
    let has_key = |fields: &[Field]| fields.iter().any(|field| field.name == built.wire_key);
    match &answer {
        Kind::Object(members) if has_key(members) => Some("$".to_owned()),
        Kind::List(fields) if has_key(fields) => Some("[0]".to_owned()),
        Kind::Object(members) => {
            let inner = envelope(members, &built.name)?;
            let member = members.iter().find(|one| one.name == inner)?;
            has_key(member.kind.members()).then(|| path_of(&inner))
        }
        _ => None,
    }
}

fn new_record<'d>(
    built: &Built,
    create: &Operation<'d>,
    schemas: &Schemas<'_, 'd>,
) -> (String, Option<String>) {
    let given = built.fields.iter().any(|field| field.name == built.wire_key && field.required);
    let location = create.headers.iter().find(|name| plain(name) == "location");
    if let Some(record) = answered(built, create, schemas) {
        let key = path_of(&built.wire_key);
        let id = if record == "$" { key } else { format!("{record}.{key}") };
        return (
            format!("create: {{ post: \"{{path}}\", id: {}, record: {} }}", scalar(&id), scalar(&record)),
            None,
        );
    }
    if given {
        return ("create: { post: \"{path}\" }".to_owned(), Some("the mapping gives the key".to_owned()));
    }
    let text = "create: { post: \"{path}\", id: { header: Location, last_segment: true } }".to_owned();
    match location {
        Some(_) => (text, Some("is the key the last part of the Location header?".to_owned())),
        None => (
            text,
            Some("nothing says where a new record's key is: in the Location header (as here), or in the body (`id: PATH`)?".to_owned()),
        ),
    }
}

fn changed_record<'d>(
    built: &Built,
    item: &str,
    method: &str,
    update: &Operation<'d>,
    schemas: &Schemas<'_, 'd>,
    patch_list: bool,
) -> (String, Option<String>) {
    let record = answered(built, update, schemas).map(|path| format!(", record: {}", scalar(&path)));
    let record = record.unwrap_or_default();
    let (more, note) = match method {
        _ if patch_list => (
            ", encoding: { kind: json_patch }",
            Some("seen: a list of operations; which `op` does it understand (`patch_op`)?"),
        ),
        "put" => (
            ", send: all",
            Some("a PUT replaces (RFC 9110): `send: changed` where this one leaves alone what is left out"),
        ),
        "post" => ("", Some("seen: POST to one record; does it leave alone what is left out?")),
        _ => ("", None),
    };
    (format!("update: {{ {method}: \"{item}\"{record}{more} }}"), note.map(str::to_owned))
}

/// Query parameters named like a field.
fn search(list: &Operation, fields: &[Field]) -> Vec<(String, String)> {
    fields
        .iter()
        .filter(|field| {
            !field.write_only && matches!(field.kind, Kind::Text | Kind::Id | Kind::Integer | Kind::Choice(_))
        })
        .filter_map(|field| {
            let name = plain(&field.name);
            let fits = |param: &str| param == name || param == format!("{name}s");
            let param = list
                .params
                .iter()
                .find(|param| param.place == "query" && !param.deprecated && fits(&plain(param.name)))?;
            Some((name_of(&field.name), param.name.to_owned()))
        })
        .collect()
}
