//! From an OpenAPI document (2.0, 3.0, 3.1) to the skeleton of a system file.
//!
//! ```text
//! document (any version) -> groups of paths -> resources with typed fields -> guesses -> YAML with comments
//! ```
//!
//! What the document does not say is a comment in the skeleton, never a value that looks certain.

mod auth;
mod bodies;
mod calls;
mod document;
mod group;
mod guess;
mod resource;
mod schema;
mod write;

use serde_json::Value;

use crate::diagnostic::suggest;

/// Why no skeleton can be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// What is wrong.
    pub message: String,
    /// What to do.
    pub help: String,
}

impl Problem {
    fn new(message: impl Into<String>, help: impl Into<String>) -> Problem {
        Problem { message: message.into(), help: help.into() }
    }
}

/// A system file that a person goes on with.
#[derive(Clone, Debug)]
pub struct Skeleton {
    /// The YAML text.
    pub text: String,
    /// The resources that were written.
    pub resources: Vec<String>,
    /// How many places say `CHECK`.
    pub checks: usize,
    /// How many paths were left out, with their reasons in the text.
    pub left_out: usize,
}

/// Writes the skeleton of a system file.
///
/// `only` names the resources (or their paths) that are wanted; empty: all.
///
/// # Errors
/// It is no OpenAPI document, has nothing that can be read as records, or lacks a resource that was asked for.
pub fn skeleton(document: &Value, file_name: &str, only: &[String]) -> Result<Skeleton, Problem> {
    let document = document::Document::new(document)?;
    let grouped = group::group(&document);
    let mut groups = grouped.groups;
    if !only.is_empty() {
        for wanted in only {
            if !groups.iter().any(|one| one.is_called(wanted)) {
                let names = groups.iter().map(|one| one.name.as_str());
                let help = match suggest(wanted, names.clone()) {
                    Some(near) => format!("did you mean `{near}`?"),
                    None => format!("there are: {}", names.collect::<Vec<_>>().join(", ")),
                };
                return Err(Problem::new(format!("the document has no resource `{wanted}`"), help));
            }
        }
        groups.retain(|one| only.iter().any(|wanted| one.is_called(wanted)));
    }
    let mut left_out = if only.is_empty() { grouped.left_out } else { Vec::new() };
    let mut built = Vec::new();
    for group in &groups {
        match resource::build(&document, group) {
            Ok(resource) => built.push(resource),
            Err(reason) => left_out.push((group.path.clone(), reason)),
        }
    }
    if built.is_empty() {
        let reasons: Vec<String> =
            left_out.iter().take(5).map(|(path, reason)| format!("{path}: {reason}")).collect();
        return Err(Problem::new(
            "no path of this document answers records with a key",
            if reasons.is_empty() {
                "a resource needs a GET that answers JSON".to_owned()
            } else {
                reasons.join("; ")
            },
        ));
    }
    resource::references(&mut built);
    let pagers = guess::share_pagers(&mut built);
    let proof = auth::proof(&document, &built);
    let text = write::write(&document, file_name, &grouped.prefix, &proof, &pagers, &built, &left_out);
    let checks = text.matches("CHECK").count();
    Ok(Skeleton {
        resources: built.into_iter().map(|one| one.name).collect(),
        checks,
        left_out: left_out.len(),
        text,
    })
}
