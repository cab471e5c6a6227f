//! A mapping to begin with: registers and rows proposed by the names and types of two systems.
//!
//! Nothing is decided here that a person would not have to look at: every proposal has its score beside it, and what
//! does not fit together is a comment.

mod pairs;
mod similar;

use std::fmt::Write;
use std::path::Path;
use std::sync::Arc;

use pairs::{Pair, Proposed};

use super::text::{one_line, scalar};
use crate::diagnostic::{Diagnostic, Diagnostics, Level, Sources};
use crate::program::mapping_compile::{Answers, compile_mapping};
use crate::program::system::System;
use crate::spec::load::mapping_text;
use crate::spec::mapping::ROW_WORDS;
use crate::value::Both;

/// A mapping that a person goes on with.
#[derive(Clone, Debug)]
pub struct Proposal {
    /// The YAML text.
    pub text: String,
    /// The registers that were proposed.
    pub registers: Vec<String>,
    /// How many rows.
    pub rows: usize,
    /// What is still wrong with it, where that could not be told in a comment.
    pub wrong: Vec<String>,
}

/// Proposes a mapping; `files` are the systems' files as the mapping names them.
///
/// Nothing comes of two systems that have no resource in common.
pub fn proposal(systems: &Both<Arc<System>>, files: &Both<String>) -> Option<Proposal> {
    let names = side_names(&systems.left.name, &systems.right.name);
    let mut pairs = pairs::pairs(&systems.left, &systems.right);
    if pairs.is_empty() {
        return None;
    }
    let mut wrong = Vec::new();
    // a row that does not compile becomes a comment with its reason; a register that cannot be written is only linked
    for _ in 0..8 {
        let (text, places) = write(systems, files, &names, &pairs);
        let (mut sources, mut found) = (Sources::new(), Diagnostics::new());
        if let Some(mapping) = mapping_text(&mut sources, Path::new("mapping"), &text, &mut found) {
            compile_mapping(&mapping, systems.clone(), &Answers::None, &sources, &mut found);
        }
        wrong.clear();
        let mut moved = false;
        for problem in found.sorted().into_iter().filter(|one| one.level == Level::Error) {
            let line = sources.line_col(problem.span).map_or(0, |(line, _)| line);
            moved |= yield_to(&mut pairs, &places, line, problem);
            wrong.push(format!("{}: {}", problem.code.id, problem.message));
        }
        if !moved {
            break;
        }
    }
    pairs.retain(|pair| pair.rows.iter().any(|row| row.refused.is_none()));
    let (text, _) = write(systems, files, &names, &pairs);
    Some(Proposal {
        text,
        registers: pairs.iter().map(|pair| pair.name.clone()).collect(),
        rows: pairs.iter().flat_map(|pair| &pair.rows).filter(|row| row.refused.is_none()).count(),
        wrong,
    })
}

/// Takes back what a finding is about.
fn yield_to(
    pairs: &mut [Pair],
    places: &[(usize, usize, Option<usize>)],
    line: usize,
    problem: &Diagnostic,
) -> bool {
    let Some((_, pair, row)) = places.iter().rev().find(|(at, ..)| *at <= line) else { return false };
    let pair = &mut pairs[*pair];
    match row {
        Some(row) if pair.rows[*row].refused.is_none() => {
            pair.rows[*row].refused = Some(problem.message.clone());
            pair.settle();
            true
        }
        Some(_) => false,
        None if pair.direction != Some("link_only".to_owned()) => {
            pair.direction = Some("link_only".to_owned());
            pair.open.push(problem.message.clone());
            true
        }
        None => false,
    }
}

/// The names of the sides: those of the systems, where they can stand in a row.
fn side_names(left: &str, right: &str) -> Both<String> {
    const TAKEN: [&str; 12] = [
        "title",
        "match",
        "unique",
        "part_of",
        "valid",
        "situations",
        "was",
        "adopt",
        "settings",
        "source",
        "target",
        "record",
    ];
    let free = |name: &str| !ROW_WORDS.contains(&name) && !TAKEN.contains(&name);
    let named = |name: &str| if free(name) { name.to_owned() } else { format!("{name}_system") };
    let (left, right) = (named(left), named(right));
    let right = if left == right { format!("{right}_2") } else { right };
    Both { left, right }
}

/// The text, and the line on which each register and row begins.
fn write(
    systems: &Both<Arc<System>>,
    files: &Both<String>,
    names: &Both<String>,
    pairs: &[Pair],
) -> (String, Vec<(usize, usize, Option<usize>)>) {
    let mut out = String::new();
    let mut places = Vec::new();
    let _ = write!(
        out,
        "# Proposed from the names and types of two systems; nobody has decided anything yet. Behind each line stands\n# how alike the names are (of 100). Take out what is wrong, and the comments of what is right.\nmapping: {0}_{1}\ntitle: {2}\nsystems: {{ {0}: {3}, {1}: {4} }}\nbrakes: {{ create: 50, update: 50, delete: 0 }}  # small, until the first runs were looked at\n\nregisters:\n",
        names.left,
        names.right,
        scalar(&one_line(&format!("{} – {}", systems.left.title, systems.right.title), 120)),
        scalar(&files.left),
        scalar(&files.right)
    );
    for (at, pair) in pairs.iter().enumerate() {
        out.push('\n');
        places.push((out.lines().count() + 1, at, None));
        let _ = writeln!(
            out,
            "  {}:  # proposed: {} and {}, {} of 100",
            pair.name, pair.left.name, pair.right.name, pair.score
        );
        for open in &pair.open {
            let _ = writeln!(out, "    # open: {}", one_line(open, 240));
        }
        if let Some(direction) = &pair.direction {
            let direction = match direction.as_str() {
                "to left" => format!("{} -> {}", names.right, names.left),
                "to right" => format!("{} -> {}", names.left, names.right),
                other => other.to_owned(),
            };
            let _ = writeln!(out, "    direction: {direction}");
        } else {
            out.push_str(
                "    # direction: both ways; who wins is said row by row (`master: SIDE`) or here\n",
            );
        }
        let _ = writeln!(
            out,
            "    {}: {{ resource: {} }}  # which of them? scope: \"…\"\n    {}: {{ resource: {} }}",
            names.left, pair.left.name, names.right, pair.right.name
        );
        let (first, others) = pair.keys();
        let _ = write!(out, "    match: [ {} ]", first.map(|row| scalar(&row.left)).unwrap_or_default());
        out.push_str("  # proposed: by what are two records the same?");
        if !others.is_empty() {
            let _ = write!(out, " Or by {}", others.join(", "));
        }
        out.push_str("\n    fields:\n");
        for (row_at, row) in pair.rows.iter().enumerate() {
            places.push((out.lines().count() + 1, at, Some(row_at)));
            let _ = writeln!(out, "{}", line(row, names));
        }
        for (side, left_over) in [(&names.left, &pair.left_over.left), (&names.right, &pair.left_over.right)]
        {
            if !left_over.is_empty() {
                let _ = writeln!(out, "      # only in {side}: {}", one_line(&left_over.join(", "), 400));
            }
        }
    }
    (out, places)
}

fn line(row: &Proposed, names: &Both<String>) -> String {
    let mut words = vec![
        format!("{}: {}", names.left, scalar(&row.left)),
        format!("{}: {}", names.right, scalar(&row.right)),
    ];
    words.extend(row.words.iter().cloned());
    let note = if row.note.is_empty() { String::new() } else { format!("; {}", one_line(&row.note, 200)) };
    match &row.refused {
        None => format!("      - {{ {} }}  # {}{note}", words.join(", "), row.score),
        Some(reason) => {
            format!("      # - {{ {} }}  # {}{note}: {}", words.join(", "), row.score, one_line(reason, 200))
        }
    }
}
