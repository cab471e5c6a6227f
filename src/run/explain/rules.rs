//! What a row of the mapping does, in words.

use crate::program::mapping::{Apply, Compare, Computed, Convert, Program, Row, Step};
use crate::value::Side;

/// What a value becomes on its way from one side to the other, in order.
pub(super) fn conversion(row: &Row, from: Side) -> Vec<String> {
    let to = from.other();
    let mut out = Vec::new();
    match &row.computed {
        Some(Computed::Constant(value)) => out.push(format!("always {value}")),
        Some(Computed::Value(expr)) => out.push(format!("worked out: {expr}")),
        Some(Computed::Template(template)) => out.push(format!("text: {}", template.source())),
        None => {}
    }
    let mut steps: Vec<&Step> = row.steps.iter().collect();
    if from == Side::Right {
        steps.reverse();
    }
    for step in steps {
        out.push(match step {
            Step::Join { many, with, .. } if *many == from => format!("joined with {with:?}"),
            Step::Join { with, count, .. } => format!("split at {with:?} into {count}"),
            Step::Codes { setting: Some(setting), .. } => format!("by the code table in setting `{setting}`"),
            Step::Codes { .. } => "by the code table of the row".to_owned(),
            Step::Reference { register, .. } => format!("through the links of {register}"),
            Step::Convert(Convert::Not) => "the opposite".to_owned(),
            Step::Convert(Convert::Negate) => "with the other sign".to_owned(),
            Step::Convert(_) => format!("as {}", row.types[to]),
            Step::Round(places) => format!("rounded to {places} places"),
            Step::Multiply(factor) => format!("times {factor}"),
        });
    }
    if let Some(default) = &row.default {
        out.push(format!("where empty: {default}"));
    }
    if let Some(length) = row.truncate[to] {
        out.push(format!("cut to {length} characters"));
    }
    out
}

/// What else a row says: conditions, defaults, whose value counts.
pub(super) fn rules(row: &Row, program: &Program) -> Vec<String> {
    let mut out = Vec::new();
    if let Some(when) = &row.when {
        out.push(match &row.otherwise {
            Some(otherwise) => format!("when {when}, else {otherwise}"),
            None => format!("when {when}"),
        });
    }
    if let Some(master) = row.master {
        out.push(format!("{} is the master", program.sides[master].name));
    }
    match row.apply {
        Apply::Always => {}
        Apply::CreateOnly => out.push("only when the record is made".to_owned()),
        Apply::UpdateOnly => out.push("only after the record was made".to_owned()),
        Apply::IfEmpty => out.push("only where nothing stands".to_owned()),
        Apply::Never => out.push("records are only found by it".to_owned()),
    }
    match row.compare {
        Compare::Exact => {}
        Compare::Fold => out.push("compared without case and spaces".to_owned()),
        Compare::Digits => out.push("compared by its digits".to_owned()),
    }
    out
}
