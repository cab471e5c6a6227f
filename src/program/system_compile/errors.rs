//! What error answers look like and mean.

use super::findings::Findings;
use super::templates::query;
use crate::diagnostic::{Diagnostic, Span, codes};
use crate::program::system::{CallKind, ErrorClass, ErrorRule, Errors, Outcome};
use crate::spec::system as spec;

/// Compiles the error rules.
pub(super) fn errors(written: &spec::Errors, found: &mut Findings) -> Errors {
    let message = written.message.iter().filter_map(|text| match text.value.as_str() {
        "$text" => Some(None),
        _ => query(text, found).map(Some),
    });
    let message = message.collect();
    let mut rules: Vec<ErrorRule> = Vec::with_capacity(written.rules.len());
    for (i, rule) in written.rules.iter().enumerate() {
        let span = rule.span;
        check(i, rule, written, span, found);
        let compiled = ErrorRule {
            status: rule.status,
            kinds: rule.kind.iter().map(|kind| kind.value.clone()).collect(),
            message: rule.message.as_ref().map(|text| text.value.clone()),
            calls: rule.calls.clone(),
            class: rule.class,
            prove: rule.prove,
        };
        if let Some(earlier) =
            rules.iter().position(|earlier| !fits_all(earlier) && covers(earlier, &compiled))
        {
            refuse(
                i,
                span,
                &format!("is never reached: rule {} fits first", earlier + 1),
                "put the narrower rule first",
                found,
            );
        }
        rules.push(compiled);
    }
    if let (Some(_), None, true) = (&written.split, &written.kind, !written.message.is_empty()) {
        found.error_help(
            &codes::ERROR_RULE,
            written.message[0].span,
            "`split` takes the kind from the message, and nothing says where the kind stands",
            "write the same path as `errors.kind`",
        );
    }
    Errors {
        message,
        kind: written.kind.as_ref().and_then(|text| query(text, found)),
        split: written.split.clone(),
        outcome: written.outcome.as_ref().and_then(|outcome| {
            Some(Outcome { path: query(&outcome.path, found)?, done: outcome.done.to_vec() })
        }),
        rules,
    }
}

fn refuse(i: usize, span: Span, message: &str, help: &str, found: &mut Findings) {
    found.add(
        Diagnostic::error(&codes::ERROR_RULE, span, format!("rule {} of `errors.rules` {message}", i + 1))
            .help(help),
    );
}

fn check(i: usize, rule: &spec::ErrorRule, errors: &spec::Errors, span: Span, found: &mut Findings) {
    if rule.status.is_none() && rule.kind.is_empty() && rule.message.is_none() {
        refuse(i, span, "fits every answer", "say a `status`, a `kind` or a `message`", found);
    }
    if let Some(status) = rule.status
        && !(300..600).contains(&status)
    {
        refuse(
            i,
            span,
            &format!("is about the status {status}, which is no error"),
            "write 300 to 599",
            found,
        );
    }
    if !rule.kind.is_empty() && errors.kind.is_none() {
        refuse(
            i,
            span,
            "asks for a kind, and nothing says where it stands",
            "write its path as `errors.kind`",
            found,
        );
    }
    if rule.message.is_some() && errors.message.is_empty() {
        refuse(
            i,
            span,
            "asks for a message, and nothing says where it stands",
            "write its path as `errors.message`; `$text` is the whole body",
            found,
        );
    }
    if rule.prove.is_some() && rule.class != ErrorClass::Refused {
        refuse(
            i,
            span,
            "has `prove`, which makes sure that a record was refused",
            "write `class: refused`, or leave it out",
            found,
        );
    }
    let cannot: &[CallKind] = match rule.class {
        ErrorClass::Gone => &[CallKind::List, CallKind::Create],
        ErrorClass::AlreadyExists => &[CallKind::List, CallKind::Get, CallKind::Delete],
        ErrorClass::ChangedMeanwhile => &[CallKind::List, CallKind::Get, CallKind::Create],
        _ => &[],
    };
    for call in rule.calls.iter().filter(|call| cannot.contains(call)) {
        let (class, call) = (class_word(rule.class), call_word(*call));
        refuse(
            i,
            span,
            &format!("says `{class}` of `{call}`"),
            &format!("the answer of a {call} cannot mean that"),
            found,
        );
    }
}

/// Whether a rule fits every answer, which is reported by itself.
fn fits_all(rule: &ErrorRule) -> bool {
    rule.status.is_none() && rule.kinds.is_empty() && rule.message.is_none()
}

/// Whether an earlier rule takes every answer that a later one is for.
fn covers(earlier: &ErrorRule, later: &ErrorRule) -> bool {
    let status = earlier.status.is_none() || earlier.status == later.status;
    let kinds = earlier.kinds.is_empty()
        || (!later.kinds.is_empty() && later.kinds.iter().all(|kind| earlier.kinds.contains(kind)));
    let message = earlier.message.is_none() || earlier.message == later.message;
    let calls = earlier.calls.is_empty()
        || (!later.calls.is_empty() && later.calls.iter().all(|call| earlier.calls.contains(call)));
    status && kinds && message && calls
}

fn class_word(class: ErrorClass) -> &'static str {
    match class {
        ErrorClass::Refused => "refused",
        ErrorClass::NotAllowed => "not_allowed",
        ErrorClass::FeatureMissing => "feature_missing",
        ErrorClass::Gone => "gone",
        ErrorClass::ChangedMeanwhile => "changed_meanwhile",
        ErrorClass::AlreadyExists => "already_exists",
        ErrorClass::Wait => "wait",
        ErrorClass::Unknown => "unknown",
    }
}

fn call_word(call: CallKind) -> &'static str {
    match call {
        CallKind::List => "list",
        CallKind::Get => "get",
        CallKind::Create => "create",
        CallKind::Update => "update",
        CallKind::Delete => "delete",
        CallKind::Action => "action",
        CallKind::File => "file",
        CallKind::Attach => "attach",
    }
}
