//! Collects what is wrong with a system file, each mistake once.
//!
//! What stands in `defaults`, in an object type or in a resource that others are `like` is compiled once
//! for every resource that gets it. A mistake there is one mistake: it is reported for the first resource,
//! which is named in a label.

use std::collections::HashSet;
use std::ops::Range;

use crate::diagnostic::{At, Code, Diagnostic, Diagnostics, Sources, Span, suggest};

/// Where findings go while a system is compiled.
pub(super) struct Findings<'d> {
    out: &'d mut Diagnostics,
    sources: &'d Sources,
    seen: HashSet<(&'static str, Span, String)>,
    errors: usize,
    owner: Option<Owner>,
}

/// The resource being compiled, and the part of the file that is its own.
struct Owner {
    key: Span,
    own: Range<u32>,
}

impl<'d> Findings<'d> {
    /// A collector that passes everything on.
    pub(super) fn new(sources: &'d Sources, out: &'d mut Diagnostics) -> Self {
        Findings { out, sources, seen: HashSet::new(), errors: 0, owner: None }
    }

    /// From now on findings are about this resource; `next` is the place of the one after it.
    pub(super) fn enter(&mut self, key: Span, next: Option<Span>) {
        let end = next.map_or(u32::MAX, |next| next.start);
        self.owner = Some(Owner { key, own: key.start..end });
    }

    /// Whether findings are about the resource whose name stands here.
    pub(super) fn is_about(&self, key: Span) -> bool {
        self.owner.as_ref().is_some_and(|owner| owner.key == key)
    }

    /// From now on findings are about no resource.
    pub(super) fn leave(&mut self) {
        self.owner = None;
    }

    /// The place of a part of a text.
    pub(super) fn inside(&self, text: &At<String>, range: Range<usize>) -> Span {
        self.sources.inner_span(text.span, &text.value, range)
    }

    /// How many errors there are.
    pub(super) fn errors(&self) -> usize {
        self.errors
    }

    /// Reports a mistake and what to do about it.
    pub(super) fn error_help(
        &mut self,
        code: &'static Code,
        span: Span,
        message: impl Into<String>,
        help: impl Into<String>,
    ) {
        self.add(Diagnostic::error(code, span, message).help(help));
    }

    /// Reports a mistake that was put together by the caller.
    pub(super) fn add(&mut self, mut diagnostic: Diagnostic) {
        self.errors += 1;
        if !self.seen.insert((diagnostic.code.id, diagnostic.span, diagnostic.message.clone())) {
            return;
        }
        if let Some(owner) = &self.owner
            && !owner.own.contains(&diagnostic.span.start)
        {
            diagnostic = diagnostic.label(owner.key, "for this resource");
        }
        self.out.push(diagnostic);
    }

    /// Reports a name that nothing has, with the nearest one that exists.
    ///
    /// `what` says what kind of name it is and where it was looked for: "resource", "field of `customer`".
    pub(super) fn unknown<'n>(
        &mut self,
        code: &'static Code,
        name: &At<String>,
        what: &str,
        known: impl IntoIterator<Item = &'n str>,
    ) {
        let known = known.into_iter().collect::<Vec<_>>();
        let diagnostic =
            Diagnostic::error(code, name.span, format!("there is no {what} named `{}`", name.value));
        self.add(match known_help(&name.value, &known) {
            Some(help) => diagnostic.help(help),
            None => diagnostic,
        });
    }
}

/// What to write instead of a name that does not exist: the nearest one, else the first few.
pub(super) fn known_help(name: &str, known: &[&str]) -> Option<String> {
    const SHOWN: usize = 12;
    if let Some(near) = suggest(name, known.iter().copied()) {
        return Some(format!("did you mean `{near}`?"));
    }
    match known.len() {
        0 => None,
        count if count > SHOWN => {
            Some(format!("known are {} and {} more", known[..SHOWN].join(", "), count - SHOWN))
        }
        _ => Some(format!("known are {}", known.join(", "))),
    }
}
