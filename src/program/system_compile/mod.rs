//! Compiles a system file: resolves every name, fills in every default, checks everything that can be
//! checked without the server, and collects all that it finds.
//!
//! The order: what stands by itself (address, credentials, auth, limits, errors, pagers) → the fields of every
//! resource by themselves → what fields have to do with other resources → the calls, which need all of it.
//! One file a topic.

mod actions;
mod address;
mod auth;
mod bodies;
mod calls;
mod cycles;
mod durations;
mod encoding;
mod errors;
mod fields;
mod files;
mod findings;
mod idempotency;
mod keys;
mod limits;
mod links;
mod pagers;
mod reads;
mod shape;
mod signature;
mod templates;
#[cfg(test)]
mod tests;
mod times;
mod types;
mod whoami;
mod words;
mod xml;

use std::sync::Arc;
use std::time::Duration;

use indexmap::IndexMap;

pub use address::check_base_url;
pub use durations::parse_duration;
pub(super) use shape::object_type as object_of;
pub use shape::record_type;

use calls::Calls;
use durations::duration;
use findings::Findings;
use links::Shapes;

use super::expr::Scope;
use super::system::{Encoding, Field, Limits, Pager, Resource, System, Zone};
use crate::diagnostic::{Diagnostics, Sources, Span};
use crate::spec::system as spec;

/// How long one request may take, where nothing is said.
const TIMEOUT: Duration = Duration::from_secs(60);

/// How long an unknown outcome may still turn into an effect, where nothing is said.
const SETTLE_AFTER: Duration = Duration::from_secs(15 * 60);

/// Compiles a system file; `None` where something is wrong with it, all of which is in `diagnostics`.
pub fn compile_system(
    system: &spec::System,
    sources: &Sources,
    diagnostics: &mut Diagnostics,
) -> Option<System> {
    let found = &mut Findings::new(sources, diagnostics);
    keys::plain_name(&system.system, "system", found);
    let compiled = System {
        name: system.system.value.clone(),
        title: system.title.clone(),
        base_url: address::base_url(&system.base_url, found),
        credentials: auth::credentials(system, found),
        auth: auth::auth(system, found),
        headers: templates::headers(&system.headers, &auth::header_scope(system), found),
        limits: limits::limits(&system.limits, found),
        timeout: duration(system.timeout.as_ref(), TIMEOUT, found),
        settle_after: duration(system.settle_after.as_ref(), SETTLE_AFTER, found),
        times: times::times(&system.times, found),
        encoding: xml::of_system(system, found),
        whoami: whoami::whoami(system, found),
        errors: errors::errors(&system.errors, found),
        resources: resources(system, found),
    };
    if found.errors() == 0 { Some(compiled) } else { None }
}

/// Compiles rates alone: those of a connection that differ from its system's.
pub fn compile_limits(written: &spec::Limits, sources: &Sources, diagnostics: &mut Diagnostics) -> Limits {
    limits::limits(written, &mut Findings::new(sources, diagnostics))
}

fn resources(system: &spec::System, found: &mut Findings) -> IndexMap<String, Arc<Resource>> {
    let pagers = pagers::pagers(system, found);
    fields::object_types(system, found);
    let scope = auth::credential_scope(system);
    let places = places(system);
    let enter = |name: Span, found: &mut Findings| found.enter(name, next_place(&places, name));

    let mut shapes = Shapes::new();
    for (name, resource) in system.resources.iter() {
        enter(name.span, found);
        shapes.insert(name.value.clone(), keys::shape(system, name, resource, found));
    }
    links::pivot_objects(&mut shapes);
    let mut linked: IndexMap<String, Vec<Field>> = IndexMap::new();
    for (name, shape) in &shapes {
        enter(shape.name.span, found);
        linked.insert(name.clone(), links::links(system, &shapes, shape, found));
    }
    found.leave();
    links::pivot_members(&mut linked);
    cycles::lookup_cycles(&linked, found);
    for (name, fields) in linked {
        if let Some(shape) = shapes.get_mut(&name) {
            shape.fields = fields;
        }
    }
    // its findings were reported with the system
    let base = xml::of_system(system, &mut Findings::new(&Sources::new(), &mut Diagnostics::new()));
    let mut resources = IndexMap::with_capacity(shapes.len());
    for (name, shape) in &shapes {
        enter(shape.name.span, found);
        let compiled = resource(&shapes, shape, &pagers, &scope, (&base, system.times.zone), found);
        resources.insert(name.clone(), Arc::new(compiled));
    }
    found.leave();
    resources
}

/// Where the resources stand, in the order of the file.
fn places(system: &spec::System) -> Vec<Span> {
    let mut places = system.resources.iter().map(|(name, _)| name.span).collect::<Vec<_>>();
    places.sort_by_key(|span| span.start);
    places
}

fn next_place(places: &[Span], here: Span) -> Option<Span> {
    places.iter().find(|place| place.start > here.start).copied()
}

fn resource(
    shapes: &Shapes,
    shape: &shape::Shape,
    pagers: &IndexMap<String, Pager>,
    scope: &Scope,
    (base, zone): (&Encoding, Zone),
    found: &mut Findings,
) -> Resource {
    let spec = shape.spec;
    let encoding = encoding::encoding(spec.encoding.as_ref(), base, found);
    let calls = Calls { shape, pagers, scope, encoding: &encoding };
    let singleton = spec.singleton == Some(true);
    let blind = spec.access == Some(crate::spec::system::Access::WriteOnly);
    if blind {
        whoami::read_all_the_same(shape, found);
    }
    let list = if singleton || blind { None } else { calls.list(found) };
    let get = if blind { None } else { calls.get(found) };
    if !blind && list.is_none() && get.is_none() && (spec.path.is_none() || !singleton) {
        whoami::cannot_be_read(shape, found);
    }
    let writable = shape.writable;
    let create = if writable { calls.create(get.is_some(), found) } else { None };
    let update = if writable { calls.update(found) } else { None };
    let delete = if writable { calls.delete(found) } else { None };
    bodies::something_to_write(shape, create.as_ref(), update.as_ref(), found);
    bodies::written_once(&shape.fields, found);
    bodies::left_out(shape, update.as_ref(), found);
    let has_get = get.is_some();
    let doings = actions::actions(shape, has_get, scope, found);
    let filed = files::files(shape, pagers, found);
    let create_encoding = create.as_ref().map(|call| &call.encoding);
    let writes: Vec<&Encoding> =
        create_encoding.into_iter().chain(update.as_ref().map(|call| &call.encoding)).collect();
    xml::check(shape, &encoding, &writes, found);
    let (mut list, mut get, mut create, mut update) = (list, get, create, update);
    if let Some(select) = &spec.select {
        let asked = templates::selection(select, &shape.fields);
        let queries = [
            list.as_mut().map(|call| &mut call.query),
            get.as_mut().map(|call| &mut call.query),
            create.as_mut().map(|call| &mut call.query),
            update.as_mut().map(|call| &mut call.query),
        ];
        for query in queries.into_iter().flatten() {
            query.extend(asked.iter().cloned());
        }
    }
    Resource {
        name: shape.name.value.clone(),
        title: spec.title.as_ref().and_then(|titles| titles.in_language("en")).map(str::to_owned),
        titles: spec.title.as_ref().map(|titles| titles.0.clone()).unwrap_or_default(),
        path: spec.path.as_ref().map(|path| path.value.clone()).unwrap_or_default(),
        key: shape.key.clone(),
        identity: keys::identity(shape, found),
        singleton,
        writable,
        scope: spec
            .scope
            .as_ref()
            .and_then(|text| templates::condition(text, &Scope::new().bare(&shape.record()), found)),
        deleted: reads::deleted(shape, found),
        read_scopes: spec.scopes.read.iter().map(|scope| scope.value.clone()).collect(),
        write_scopes: spec.scopes.write.iter().map(|scope| scope.value.clone()).collect(),
        file_scopes: spec.scopes.files.iter().map(|scope| scope.value.clone()).collect(),
        cursor: reads::cursor(shape, scope, &encoding, zone, found),
        search: reads::search(shape, scope, found),
        parts: links::parts(shapes, shape, found),
        list,
        get,
        create,
        update,
        delete,
        actions: doings,
        attach: files::attach(shape, &filed, has_get, found),
        files: filed,
        fields: shape.fields.clone(),
        span: shape.name.span,
        encoding,
    }
}
