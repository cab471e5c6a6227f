//! The scopes a token is asked for: the system's own, and those of the resources that this mapping uses. No more is asked for
//! than is needed.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::program::document::{Document, Step};
use crate::program::mapping::Program;
use crate::program::system::{Auth, Field};
use crate::value::Side;

/// Adds what the mapping needs on one side.
pub(super) fn ask(program: &mut Program, side: Side) {
    let system = &program.sides[side].system;
    let Auth::ClientCredentials(call) = &system.auth else { return };
    let (read, written) = used(program, side);
    let mut scopes = call.scopes.clone();
    let resources =
        |names: BTreeSet<String>| names.into_iter().filter_map(|name| system.resources.get(&name));
    let wanted = resources(read)
        .map(|resource| &resource.read_scopes)
        .chain(resources(written).map(|resource| &resource.write_scopes))
        .chain(resources(with_files(program, side)).map(|resource| &resource.file_scopes));
    for scope in wanted.flatten() {
        if !scopes.contains(scope) {
            scopes.push(scope.clone());
        }
    }
    if scopes.len() == call.scopes.len() {
        return;
    }
    let mut own = (**system).clone();
    if let Auth::ClientCredentials(call) = &mut own.auth {
        call.scopes = scopes;
    }
    program.sides[side].system = Arc::new(own);
}

/// The resources that are read, and those that are written.
fn used(program: &Program, side: Side) -> (BTreeSet<String>, BTreeSet<String>) {
    let system = &program.sides[side].system;
    let mut read: BTreeSet<String> =
        program.facts.iter().filter(|fact| fact.side == side).map(|fact| fact.resource.clone()).collect();
    let mut written = BTreeSet::new();
    for register in program.all() {
        let document = program.document(&register.name);
        let writes = register.creates[side]
            || register.rows.iter().any(|row| row.writes[side])
            || document.is_some_and(|document| touches(document, side));
        for member in &register.ends[side].members {
            read.insert(member.resource.name.clone());
            if writes {
                written.insert(member.resource.name.clone());
                let parts = member.resource.parts.values().map(|part| part.resource.clone());
                written.extend(parts.filter(|part| program.needs[side].contains_key(part)));
                let each = document.and_then(|document| document.read_from(&member.resource.name));
                written.extend(each.map(|each| each.of.name.clone()));
            }
        }
    }
    let makes = program.documents.iter().filter(|document| document.source == side);
    let makes = makes.filter_map(|document| document.flow.as_ref()).filter(|flow| !flow.make.is_empty());
    written.extend(makes.filter_map(|flow| flow.of.as_ref()).map(|of| of.name.clone()));
    for (name, fields) in &program.needs[side] {
        read.insert(name.clone());
        let Some(resource) = system.resources.get(name) else { continue };
        for field in resource.fields.iter().filter(|field| fields.contains(&field.name.to_string())) {
            looked_up(field, &mut read);
        }
    }
    (read, written)
}

/// Whether a document changes the records of a side beside making them: their status, what is written back, an action.
fn touches(document: &Document, side: Side) -> bool {
    let source = document.source == side;
    source && (document.refused.is_some() || document.follow.is_some())
        || document.steps.iter().any(|step| match step {
            Step::Verify(verify) => source && verify.set_status.is_some(),
            Step::WriteBack { .. } | Step::SetStatus(_) => source,
            Step::Action(action) => action.side == side,
            Step::Attach(_) => false,
        })
}

/// The resources whose files travel, or that files are attached to.
fn with_files(program: &Program, side: Side) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for document in &program.documents {
        if document.source == side {
            names.extend(document.embeds().map(|embed| embed.of.name.clone()));
            if document.file.is_some() {
                let members = document.register.ends[side].members.iter();
                names.extend(members.map(|member| member.resource.name.clone()));
            }
        }
        for step in &document.steps {
            let Step::Attach(step) = step else { continue };
            let members = document.register.ends[side].members.iter();
            names.extend(members.map(|member| member.resource.name.clone()));
            if step.to == side {
                names.extend(step.at.iter().map(|elsewhere| elsewhere.resource.name.clone()));
            }
        }
    }
    names
}

fn looked_up(field: &Field, read: &mut BTreeSet<String>) {
    read.extend(field.lookup.as_ref().map(|lookup| lookup.target.resource.clone()));
    for member in &field.fields {
        looked_up(member, read);
    }
}
