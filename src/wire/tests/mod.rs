//! Whole records and whole requests, by systems of three kinds.

mod answers;
mod parts;
mod requests;
mod served;

use std::collections::BTreeMap;

use super::*;
use crate::diagnostic::{Diagnostics, Format, Sources, render};
use crate::http::Outgoing;
use crate::program::system::{Resource, System};
use crate::program::system_compile::compile_system;
use crate::spec::load::load_system;
use crate::value::{Map, Path, from_json_str};

/// Every value wrapped, PUT with what changes, lookups by numbers, children with flags.
const WRAPPED: &str = r#"
system: wrapped
title: Wrapped
base_url: https://wrapped.example/api
auth: { kind: none }
times: { zone: none, send_time: "%Y-%m-%d %H:%M:%S" }
whoami: { get: /me, fields: [ id ] }
pagers: { whole: { kind: none } }
defaults:
  encoding: { kind: json, wrap: value, path_escape: b64 }
  pager: whole
  key: number
  get: "{path}/{key}"
  create: { post: "{path}", id: { header: Location, last_segment: true } }
  update: { put: "{path}/{key}" }
objects:
  place:
    city: { type: text, max: 10 }
    zone: { type: text, read: zone.id, always_send: true }
    kind: { type: text, with: { how: auto } }
    since: { type: date, create_only: true }
resources:
  term: { path: /terms, key: id, access: read_only, fields: { id: integer, days: integer } }
  customer:
    path: /customers
    delete: "{path}/{key}"
    parts:
      phones: { resource: phone, by: customer }
      addresses: { resource: address, by: customer }
    fields:
      number:   { type: text, unique: true, create_only: true }
      name:     { type: text, required: true, max: 30, label: Customer name }
      level:    { type: choice, of: [Gold, Silver] }
      limit:    { type: decimal, max: 5, places: 2 }
      balance:  { type: decimal, read_only: true }
      born:     date
      seen:     time
      active:   { type: bool, on_create: true }
      term:     { type: integer, path: term.id, lookup: term.days, with: { byTerm: true } }
      secret:   { type: text, sensitive: true, max: 4 }
      override: { type: bool, write_only: true, wrap: false }
      place:    { type: place }
      tags[]:   { type: text, read_only: true }
      "prices[].amount": { type: decimal, read_only: true, read: "rows[*].price" }
      contacts:
        type: list
        key: id
        fields: { id: integer, name: { type: text, required: true }, note: { type: text, wrap: false } }
      phone:     { type: text, pivot: { part: phones, where: { kind: Mobile }, value: text } }
      phoneNote: { type: text, pivot: { part: phones, where: { kind: Mobile }, value: note } }
      mainAddress: { type: object, pivot: { part: addresses, where: { main: true }, pointer: mainNumber } }
      billAddress: { type: object, pivot: { part: addresses, where: { bill: true } } }
      mainNumber:  { type: text, ref: address }
  phone:
    path: /phones
    delete: "{path}/{key}"
    fields:
      number:   { type: text, read_only: true }
      customer: { type: text, ref: customer, required: true, create_only: true }
      kind:     { type: choice, of: [Mobile, Fax], create_only: true }
      text:     text
      note:     text
  address:
    path: /addresses
    update: { put: "{path}/{key}", send: all }
    fields:
      number:   { type: text, read_only: true }
      customer: { type: text, ref: customer, required: true, create_only: true }
      main:     bool
      bill:     bool
      street:   text
      city:     text
"#;

/// JSON Patch: a top-level object is sent whole.
const PATCHED: &str = r#"
system: patched
title: Patched
base_url: https://patched.example
auth: { kind: none }
times: { zone: offset }
whoami: { get: /me, fields: [ id ] }
pagers: { whole: { kind: none } }
defaults:
  pager: whole
  key: guid
  get: "{path}/{guid}"
  create: { post: "{path}", id: guid, record: $ }
  update: { patch: "{path}/{guid}", record: "[0]", encoding: { kind: json_patch, patch_op: Replace } }
resources:
  item:
    path: /items
    delete: "{path}/{guid}"
    search: { code: code, changed: { param: since, with: { mode: ge }, value: "@{{ value }}" } }
    cursor: { param: changedSince, with: { order: up }, value: "{{ since }}!", field: changed, overlap: 10m }
    fields:
      guid:           { type: id, read_only: true }
      changed:        { type: time, read_only: true }
      code:           { type: text, max: 20 }
      price.amount:   { type: decimal, places: 2 }
      price.currency: text
      price.shown:    { type: text, read_only: true }
      kind:           { type: choice, of: [Goods, Service] }
      size:
        type: object
        fields: { width: { type: decimal }, unit: { type: choice, of: [mm, cm] }, area: { type: decimal, read_only: true } }
      "a~b/c":        { type: text, path: "['a~b/c']" }
"#;

/// Tagged scalars and an envelope.
const TAGGED: &str = r#"
system: tagged
title: Tagged
base_url: https://tagged.example
auth: { kind: none }
times: { zone: utc }
whoami: { get: /me, fields: [ id ] }
pagers: { whole: { kind: none } }
resources:
  party:
    path: /parties
    pager: whole
    key: id
    get: "{path}/{id}"
    create: { post: "{path}", id: id, record: $ }
    update: { post: "{path}/{id}", send: all }
    encoding:
      envelope: party
      decimal: { as: tagged, tag: { __class__: Decimal }, members: [ decimal ] }
      date: { as: tagged, tag: { __class__: date }, members: [ year, month, day ] }
      time: { as: tagged, tag: { __class__: datetime }, members: [ year, month, day, hour, minute, second ] }
    fields:
      id:    { type: integer, read_only: true }
      name:  { type: text, required: true }
      rate:  decimal
      born:  date
      seen:  time
      size:  { type: object, fields: { width: decimal, note: text } }
"#;

/// PUT of the whole record, in which what is absent is empty; times that are counted; truth as numbers; places in lists.
const SPOKEN: &str = r#"
system: spoken
title: Spoken
base_url: https://spoken.example
auth: { kind: none }
whoami: { get: /me, fields: [ id ] }
pagers: { whole: { kind: none } }
encoding:
  emptied: left_out
  time: { as: epoch_seconds }
  bool: { "true": [ "1" ], "false": [ "0" ], number: true }
resources:
  card:
    path: /cards
    pager: whole
    key: id
    get: "{path}/{id}"
    create: { post: "{path}", id: id }
    update: { put: "{path}/{id}", send: all }
    cursor: { param: since, field: changed, value: "gt:{{ since }}", overlap: 1m }
    deleted: "state == 'gone' or size.lost"
    fields:
      id:      { type: integer, read_only: true }
      name:    { type: text, required: true }
      note:    text
      short:   { type: text, emptied: as_text }
      kind:    { type: choice, of: [a, b], emptied: as_null }
      always:  { type: text, always_send: true }
      paid:    bool
      due:     time
      sent:    { type: time, as: epoch_millis }
      told:    { type: time, as: text }
      row:     { type: text, path: "rows[1][0]" }
      inner:   { type: text, path: "list[0].code" }
      size:    { type: object, fields: { width: decimal, note: { type: text, emptied: as_text }, lost: { type: bool, read_only: true } } }
      changed: { type: time, read_only: true }
      state:   { type: text, read_only: true }
"#;

fn system(text: &str) -> System {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("system.yaml");
    std::fs::write(&path, text).unwrap();
    let (mut sources, mut found) = (Sources::new(), Diagnostics::new());
    let spec = load_system(&mut sources, &path, &mut found);
    let system = spec.and_then(|spec| compile_system(&spec, &sources, &mut found));
    system.unwrap_or_else(|| panic!("{}", render(&found, &sources, Format::Human { color: false })))
}

fn json(text: &str) -> Value {
    from_json_str(text).unwrap()
}

fn path(text: &str) -> Path {
    Path::parse(text).unwrap()
}

/// A small table of terms: key and days.
struct Terms;

impl Terms {
    const ROWS: [(&'static str, i64); 4] = [("1", 14), ("2", 30), ("7", 30), ("9", 60)];
}

impl Lookups for Terms {
    fn by_key(&self, resource: &str, key: &str) -> Option<Value> {
        assert_eq!(resource, "term");
        let (key, days) = Self::ROWS.iter().find(|(one, _)| *one == key)?;
        Some(json(&format!(r#"{{"id":{key},"days":{days}}}"#)))
    }

    fn find(&self, _: &Lookup, value: &Value) -> Result<String, LookupProblem> {
        let keys: Vec<String> = Self::ROWS
            .iter()
            .filter(|(_, days)| Value::from(*days) == *value)
            .map(|(key, _)| (*key).to_owned())
            .collect();
        match &keys[..] {
            [] => Err(LookupProblem::None),
            [one] => Ok(one.clone()),
            _ => Err(LookupProblem::Many(keys)),
        }
    }
}

/// A request in one text: method, address, body.
fn shown(outgoing: &Outgoing) -> String {
    let query: String = outgoing.query.iter().map(|(name, value)| format!("&{name}={value}")).collect();
    let body = outgoing.body.as_ref().map(Value::to_json).unwrap_or_default();
    format!("{} {}{query} {body}", outgoing.method, outgoing.path).trim_end().to_owned()
}

/// The requests that make a record, each in one text, or the problem.
fn creates(system: &System, resource: &Resource, record: &str) -> Result<Vec<String>, String> {
    let record = json(record);
    requests(system, resource, &record, plan_create(system, resource, &record))
}

/// The requests of changes (an object by dotted names) to a record.
fn updates(system: &System, resource: &Resource, now: &str, changes: &str) -> Result<Vec<String>, String> {
    let now = json(now);
    let changes: Vec<(Path, Value)> =
        json(changes).as_map().unwrap().iter().map(|(name, value)| (path(name), value.clone())).collect();
    requests(system, resource, &now, plan_update(system, resource, &now, &changes))
}

fn requests(
    system: &System,
    resource: &Resource,
    now: &Value,
    writes: Result<Vec<Write>, WriteProblem>,
) -> Result<Vec<String>, String> {
    writes
        .and_then(|writes| {
            writes
                .iter()
                .map(|write| {
                    let of = &system.resources[&write.resource];
                    let current = match write.parent_field {
                        Some(_) => child_current(resource, of, write, now),
                        None => now.clone(),
                    };
                    encode(system, of, write, &current, &Terms).map(|request| shown(&request))
                })
                .collect()
        })
        .map_err(|problem| problem.to_string())
}
