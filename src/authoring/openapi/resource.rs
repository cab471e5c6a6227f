//! One resource of a system file: what its calls say together.

use super::bodies::{body, combine, encoding, is_json_patch};
use super::calls::calls;
use super::document::{Document, Operation};
use super::group::Group;
use super::guess::{self, Guess};
use super::schema::{Field, Kind, Schemas};
use super::write::{name_of, path_of};
use crate::authoring::text::{first_sentence, scalar};
use crate::authoring::words::plain;

/// A resource as it will be written.
pub(super) struct Built {
    pub name: String,
    pub title: String,
    pub path: String,
    /// There is exactly one record.
    pub singleton: bool,
    /// The key field; empty for a singleton.
    pub key: String,
    /// The key on the wire.
    pub wire_key: String,
    /// What to check about the key.
    pub key_note: Option<String>,
    pub pager: Option<Guess>,
    pub pager_name: String,
    /// Lines of calls: text and note.
    pub calls: Vec<(String, Option<String>)>,
    pub cursor: Option<Result<Guess, String>>,
    /// Field and query parameter.
    pub search: Vec<(String, String)>,
    pub encoding: Option<Guess>,
    pub fields: Vec<Field>,
    /// Notes about the whole resource.
    pub notes: Vec<String>,
    /// References by field path.
    pub refs: Vec<(String, String)>,
    /// What the operations ask for: scheme names with scopes.
    pub security: Vec<Vec<(String, Vec<String>)>>,
    /// Paths of the text for people in answers that say what is wrong.
    pub failure: Vec<String>,
}

/// Builds a resource from its calls.
///
/// # Errors
/// Why it cannot be one.
pub(super) fn build<'d>(document: &Document<'d>, group: &Group<'d>) -> Result<Built, String> {
    let schemas = Schemas { document };
    let answer = |operation: Option<&Operation<'d>>| {
        operation
            .and_then(|one| one.answer)
            .map(|schema| schemas.kind(schema))
            .unwrap_or(Kind::Unknown(String::new()))
    };
    let listed = answer(group.list.as_ref());
    let records = guess::records(&listed, &group.name);
    let one = answer(group.get.as_ref());
    let (record_path, mut fields) = record(&one, &group.name);
    let mut notes = Vec::new();
    if fields.is_empty()
        && let Some((_, of_list)) = &records
    {
        fields.clone_from(of_list);
    }
    let singleton = records.is_none() && group.get.is_none();
    if singleton {
        if group.create.is_some() {
            return Err("its GET answers no list of records".to_owned());
        }
        fields = record(&listed, &group.name).1;
    } else if let Some((_, of_list)) = &records {
        let missing: Vec<&str> = fields
            .iter()
            .filter(|field| of_list.iter().all(|other| other.name != field.name))
            .map(|field| field.name.as_str())
            .collect();
        if !missing.is_empty() {
            notes.push(format!(
                "the list lacks {}: read one by one, or take them out",
                first_sentence(&missing.join(", "), 60)
            ));
        }
    }
    if fields.is_empty() || fields.iter().all(|field| matches!(field.kind, Kind::Unknown(_))) {
        return Err("its answer is not described as records".to_owned());
    }
    let create = group.create.as_ref().filter(|_| !singleton).map(|one| body(&schemas, one, &group.name));
    let update = group.update.as_ref().map(|(_, one)| body(&schemas, one, &group.name));
    let patch_list = group.update.as_ref().is_some_and(|(_, one)| one.json_patch)
        || group
            .update
            .as_ref()
            .is_some_and(|(_, one)| one.body.is_some_and(|schema| is_json_patch(&schemas.kind(schema))));
    let encoding = create.as_ref().or(update.as_ref()).and_then(encoding);
    combine(
        &mut fields,
        create.as_ref().map(|body| &body.fields[..]),
        update.as_ref().filter(|_| !patch_list).map(|body| &body.fields[..]),
        patch_list,
        encoding.as_ref().is_some_and(|guess| guess.text.contains("wrap:")),
    );
    let mut built = Built {
        name: group.name.clone(),
        title: group.name.replace('_', " ").trim().to_owned(),
        path: group.path.clone(),
        singleton,
        key: String::new(),
        wire_key: String::new(),
        key_note: None,
        pager: None,
        pager_name: String::new(),
        calls: Vec::new(),
        cursor: None,
        search: Vec::new(),
        encoding,
        fields,
        notes,
        refs: Vec::new(),
        security: security(document, group),
        failure: failure(&schemas, group),
    };
    if singleton {
        built.fields.iter_mut().for_each(|field| {
            field.required = false;
            field.write_only = false;
        });
        let path = record(&listed, &group.name).0;
        if let Some(path) = path {
            built.calls.push((format!("get: {{ get: \"{{path}}\", record: {} }}", scalar(&path)), None));
        }
        if built.fields.iter().all(|field| !field.kind.is_scalar() && field.kind.members().is_empty()) {
            return Err("its answer holds no value".to_owned());
        }
        return Ok(built);
    }
    let param = group.item.as_ref().map(|(_, param)| param.as_str());
    let Some((at, sure)) = guess::key(&built.fields, param, &group.name) else {
        return Err(match param {
            Some(param) => format!("no field of its records looks like {{{param}}}, which addresses one"),
            None => "no field of its records looks like a key".to_owned(),
        });
    };
    built.key = name_of(&built.fields[at].name);
    built.wire_key.clone_from(&built.fields[at].name);
    built.key_note = match (sure, param) {
        (true, _) => None,
        (false, Some(param)) => Some(format!("the path says {{{param}}}: is that this field?")),
        (false, None) => Some("guessed by its name".to_owned()),
    };
    key_field(&mut built.fields[at], create.is_some());
    calls(&mut built, group, record_path, records.as_ref(), &listed, &schemas, patch_list);
    Ok(built)
}

/// The record in an answer: where it is, and its fields.
fn record(answer: &Kind, name: &str) -> (Option<String>, Vec<Field>) {
    match answer {
        Kind::Object(members) => match &members[..] {
            // { "customer": { … } }, perhaps beside scalars about the answer itself
            _ if envelope(members, name).is_some() => {
                let inner = envelope(members, name).unwrap_or_default();
                let fields = members
                    .iter()
                    .find(|one| one.name == inner)
                    .map(|one| one.kind.members().to_vec())
                    .unwrap_or_default();
                (Some(path_of(&inner)), fields)
            }
            _ => (None, members.clone()),
        },
        // a list of one
        Kind::List(fields) => (Some("[0]".to_owned()), fields.clone()),
        _ => (None, Vec::new()),
    }
}

/// The one member that holds the whole record.
pub(super) fn envelope(members: &[Field], name: &str) -> Option<String> {
    let objects: Vec<&Field> = members.iter().filter(|one| matches!(one.kind, Kind::Object(_))).collect();
    let [only] = objects[..] else { return None };
    let called = plain(&only.name);
    let fits = members.len() == 1 || ["data", "result", "record", "item"].contains(&called.as_str());
    let own = plain(name);
    (fits && (called == own || ["data", "result", "record", "item"].contains(&called.as_str())))
        .then(|| only.name.clone())
}

/// A key is given by the system, or by whoever makes the record.
fn key_field(field: &mut Field, created: bool) {
    field.create_only = false;
    field.notes.clear();
    if created && !field.read_only && !field.required {
        // the server numbers what a create leaves out
        field.notes.push("may a new record bring its own?".to_owned());
    }
}

/// Schemes and scopes that the calls ask for; empty where the document asks once for all.
fn security<'d>(document: &Document<'d>, group: &Group<'d>) -> Vec<Vec<(String, Vec<String>)>> {
    let calls = [
        group.list.as_ref(),
        group.get.as_ref(),
        group.create.as_ref(),
        group.update.as_ref().map(|one| &one.1),
    ];
    let all = document.get("security");
    calls
        .into_iter()
        .flatten()
        .flat_map(|call| call.security.unwrap_or(all).as_array().into_iter().flatten())
        .filter_map(|one| one.as_object())
        .map(|one| {
            let scopes = |value: &serde_json::Value| {
                let list = value.as_array().into_iter().flatten();
                list.filter_map(|scope| scope.as_str()).map(str::to_owned).collect::<Vec<_>>()
            };
            one.iter().map(|(name, value)| (name.clone(), scopes(value))).collect::<Vec<_>>()
        })
        .filter(|one| !one.is_empty())
        .collect()
}

/// Where an answer says in words what is wrong.
fn failure<'d>(schemas: &Schemas<'_, 'd>, group: &Group<'d>) -> Vec<String> {
    let calls = [
        group.create.as_ref(),
        group.update.as_ref().map(|one| &one.1),
        group.get.as_ref(),
        group.list.as_ref(),
    ];
    let Some(kind) = calls
        .into_iter()
        .flatten()
        .find_map(|call| schemas.document.failure(call))
        .map(|schema| schemas.kind(schema))
    else {
        return Vec::new();
    };
    let mut found = Vec::new();
    texts(&kind, "", 3, &mut found);
    found.sort_by_key(|(rank, path)| (*rank, path.len()));
    found.into_iter().map(|(_, path)| path).take(2).collect()
}

fn texts(kind: &Kind, before: &str, depth: usize, out: &mut Vec<(usize, String)>) {
    const WORDS: [&str; 11] = [
        "message",
        "detail",
        "errormessage",
        "errordescription",
        "error",
        "text",
        "msg",
        "reason",
        "errortext",
        "title",
        "description",
    ];
    let members = match kind {
        Kind::Object(members) | Kind::List(members) => members,
        _ => return,
    };
    let before = if matches!(kind, Kind::List(_)) { format!("{before}[*]") } else { before.to_owned() };
    for member in members {
        let path = if before.is_empty() {
            path_of(&member.name)
        } else {
            format!("{before}.{}", path_of(&member.name))
        };
        if let (Kind::Text, Some(rank)) =
            (&member.kind, WORDS.iter().position(|word| *word == plain(&member.name)))
        {
            out.push((rank, path));
        } else if depth > 0 {
            texts(&member.kind, &path, depth - 1, out);
        }
    }
}

/// Fields that are named like another resource and its key hold that key.
pub(super) fn references(built: &mut [Built]) {
    let targets: Vec<(String, String, &'static str)> = built
        .iter()
        .filter(|one| !one.singleton)
        .filter_map(|one| {
            let key = one.fields.iter().find(|field| field.name == one.wire_key)?;
            Some((one.name.clone(), key.name.clone(), word(&key.kind)))
        })
        .collect();
    for resource in built.iter_mut() {
        let mut refs = Vec::new();
        for field in &resource.fields {
            let path = name_of(&field.name);
            if path == resource.key {
                continue;
            }
            let target = |name: &str, kind: &Kind| {
                targets.iter().find(|(resource, key, of)| {
                    plain(&format!("{resource}{key}")) == plain(name) && *of == word(kind)
                })
            };
            if field.kind.is_scalar() {
                refs.extend(target(&field.name, &field.kind).map(|(to, ..)| (path, to.clone())));
                continue;
            }
            for member in field.kind.members().iter().filter(|member| member.kind.is_scalar()) {
                let name = format!("{}{}", field.name, member.name);
                refs.extend(
                    target(&name, &member.kind)
                        .map(|(to, ..)| (format!("{path}.{}", name_of(&member.name)), to.clone())),
                );
            }
        }
        resource.refs = refs;
    }
}

/// Kinds that agree have one word: every text is text on the wire.
fn word(kind: &Kind) -> &'static str {
    match kind {
        Kind::Text | Kind::Id | Kind::Choice(_) => "text",
        other => other.word(),
    }
}
