//! `flow`: the status flow of each document, drawn.

use std::fmt::Write;

use minijinja::HtmlEscape;

use super::args::{FlowArgs, FlowFormat};
use super::show::clean;
use super::{Exit, Terminal, place};
use crate::program::document::{Document, Flow, Step, Take};
use crate::program::mapping::Program;
use crate::value::Side;

/// What is drawn: one document.
struct Drawing {
    /// The document's name.
    name: String,
    /// The roles in the order of the file, each with what is worth saying of it.
    roles: Vec<(String, Vec<&'static str>)>,
    moves: Vec<Drawn>,
}

/// One legal move: numbers of roles, whose it is, and what makes it.
struct Drawn {
    from: usize,
    to: usize,
    own: bool,
    text: String,
}

/// `flow`.
pub(super) fn flow(terminal: &Terminal, args: &FlowArgs) -> Exit {
    let opening = match place::open(terminal, &args.target) {
        Ok(opening) => opening,
        Err(exit) => return exit,
    };
    let program = &opening.program;
    if let Some(name) = &args.document
        && program.document(name).is_none()
    {
        let names: Vec<&str> = program.documents.iter().map(|one| one.register.name.as_str()).collect();
        terminal.say(format_args!("error: there is no document `{name}`; there are: {}", names.join(", ")));
        return Exit::BadInput;
    }
    let drawings: Vec<Drawing> = program
        .documents
        .iter()
        .filter(|one| args.document.as_ref().is_none_or(|name| *name == one.register.name))
        .filter_map(|one| Some(drawing(program, one, one.flow.as_ref()?)))
        .collect();
    if drawings.is_empty() {
        terminal.say("error: no document here has a `status_flow`");
        return Exit::BadInput;
    }
    terminal.text(&match args.format {
        FlowFormat::Text => text(&drawings),
        FlowFormat::Dot => dot(&drawings),
        FlowFormat::Svg => svg(&drawings),
        FlowFormat::Mermaid => mermaid(&drawings),
    });
    Exit::Done
}

fn drawing(program: &Program, document: &Document, flow: &Flow) -> Drawing {
    let makers = makers(program, document, flow);
    let moves = flow
        .moves
        .iter()
        .filter_map(|one| {
            let place = |role: &str| flow.roles.iter().position(|name| name == role);
            let text = match one.by {
                Some(side) => program.sides[side].name.clone(),
                None => {
                    let by: Vec<&str> = makers
                        .iter()
                        .filter(|made| made.from.contains(&one.from) && made.to == one.to)
                        .map(|made| made.what.as_str())
                        .collect();
                    if by.is_empty() {
                        "mapping (no step makes it)".to_owned()
                    } else {
                        format!("mapping: {}", by.join("; "))
                    }
                }
            };
            Some(Drawn {
                from: place(&one.from)?,
                to: place(&one.to)?,
                own: one.by.is_none(),
                text: clean(&text),
            })
        })
        .collect();
    let failing = document.refused.iter().chain(document.steps.iter().filter_map(|step| match step {
        Step::Verify(verify) => verify.set_status.as_ref(),
        _ => None,
    }));
    let failing: Vec<&String> = failing.collect();
    let roles = flow
        .roles
        .iter()
        .map(|role| {
            let mut notes = Vec::new();
            if matches!(&document.take, Take::Role(taken) if taken == role) {
                notes.push("is taken");
            }
            if failing.contains(&role) {
                notes.push("needs a person");
            }
            (clean(role), notes)
        })
        .collect();
    Drawing { name: clean(&document.register.name), roles, moves }
}

/// Something in the mapping that gives a source record a role.
struct Maker {
    /// The roles it can have at that time.
    from: Vec<String>,
    to: String,
    what: String,
}

/// Everything that moves a record of this document, in the order of the file: each step starts where the one before it left
/// the record.
fn makers(program: &Program, document: &Document, flow: &Flow) -> Vec<Maker> {
    let mut all = Vec::new();
    let mut at = match &document.take {
        Take::Role(role) => vec![role.clone()],
        Take::All | Take::When(_) => flow.roles.clone(),
    };
    let mut make = |from: &[String], to: &str, what: String| {
        all.push(Maker { from: from.to_vec(), to: to.to_owned(), what });
    };
    if let Some(role) = &document.refused {
        make(&at, role, "refused".to_owned());
    }
    for step in &document.steps {
        match step {
            Step::Verify(verify) => {
                if let Some(role) = &verify.set_status {
                    let [left, right] =
                        Side::BOTH.map(|side| format!("{}.{}", program.sides[side].name, verify.equal[side]));
                    make(&at, role, format!("verify, when {left} and {right} differ"));
                }
            }
            Step::WriteBack { set_status: Some(role), .. } | Step::SetStatus(role) => {
                make(&at, role, step.word().to_owned());
                at = vec![role.clone()];
            }
            Step::WriteBack { set_status: None, .. } | Step::Action(_) | Step::Attach(_) => {}
        }
    }
    if let Some(follow) = &document.follow {
        for one in &follow.moves {
            make(&follow.during, &one.to, format!("follow, when {}", one.when.source()));
        }
        if let (Some((when, _)), Some(refused)) = (&follow.refused, &document.refused) {
            make(&follow.during, refused, format!("refused later, when {}", when.source()));
        }
    }
    all
}

fn titled(role: &(String, Vec<&'static str>)) -> String {
    if role.1.is_empty() { role.0.clone() } else { format!("{} ({})", role.0, role.1.join(", ")) }
}

/// For a terminal: each role with the moves that lead away from it.
fn text(drawings: &[Drawing]) -> String {
    let mut out = String::new();
    for drawing in drawings {
        let _ = writeln!(out, "{}", drawing.name);
        let width = drawing.roles.iter().map(|role| role.0.chars().count()).max().unwrap_or(0);
        for (number, role) in drawing.roles.iter().enumerate() {
            let _ = writeln!(out, "  ● {}", titled(role));
            for one in drawing.moves.iter().filter(|one| one.from == number) {
                let sign = if one.own { "━━▶" } else { "──▷" };
                let _ = writeln!(out, "  │   {sign} {:width$}  {}", drawing.roles[one.to].0, one.text);
            }
        }
        out.push('\n');
    }
    out.push_str("━━▶ the mapping's own move   ──▷ somebody else's\n");
    out
}

fn dot(drawings: &[Drawing]) -> String {
    let quoted = |text: &str| format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""));
    let mut out = String::from("digraph flow {\n  rankdir=LR;\n  node [shape=box, style=rounded];\n");
    for (n, drawing) in drawings.iter().enumerate() {
        let _ = writeln!(out, "  subgraph cluster_{n} {{\n    label={};", quoted(&drawing.name));
        for (number, role) in drawing.roles.iter().enumerate() {
            let _ = writeln!(out, "    d{n}_{number} [label={}];", quoted(&titled(role)));
        }
        for one in &drawing.moves {
            let style = if one.own { "bold" } else { "dashed" };
            let (from, to, label) = (one.from, one.to, quoted(&one.text));
            let _ = writeln!(out, "    d{n}_{from} -> d{n}_{to} [label={label}, style={style}];");
        }
        out.push_str("  }\n");
    }
    out.push_str("}\n");
    out
}

fn mermaid(drawings: &[Drawing]) -> String {
    // what the syntax uses itself is written as the number of the character
    let safe = |text: &str| {
        text.chars().fold(String::new(), |mut out, c| {
            if "\"#;:<>{}%".contains(c) {
                let _ = write!(out, "#{};", u32::from(c));
            } else {
                out.push(c);
            }
            out
        })
    };
    let mut out = String::from("stateDiagram-v2\n");
    for (n, drawing) in drawings.iter().enumerate() {
        let _ = writeln!(out, "  state \"{}\" as d{n} {{", safe(&drawing.name));
        for (number, role) in drawing.roles.iter().enumerate() {
            let _ = writeln!(out, "    state \"{}\" as d{n}_{number}", safe(&titled(role)));
        }
        for one in &drawing.moves {
            let _ = writeln!(out, "    d{n}_{} --> d{n}_{}: {}", one.from, one.to, safe(&one.text));
        }
        out.push_str("  }\n");
    }
    out
}

/// How far apart the layers are.
const LAYER: usize = 64;
/// How far apart the lanes beside them are.
const LANE: usize = 26;

/// One file without anything from outside. Each role is a layer of its own, in the order of the file; every move has a lane
/// of its own beside them (forwards to the right, back to the left) with a number that the list below explains: however long
/// names are, nothing lies on anything else.
fn svg(drawings: &[Drawing]) -> String {
    let mut body = String::new();
    let (mut top, mut widest) = (24, 0);
    for drawing in drawings {
        let back = drawing.moves.iter().filter(|one| one.to <= one.from).count();
        let longest = drawing.roles.iter().map(|role| titled(role).chars().count()).max().unwrap_or(0);
        // a wide letter of this size has 9 pixels
        let (x, width) = (24 + back * LANE, longest * 9 + 24);
        let _ =
            writeln!(body, "<text x=\"24\" y=\"{top}\" class=\"name\">{}</text>", HtmlEscape(&drawing.name));
        let start = top + 16;
        for (number, role) in drawing.roles.iter().enumerate() {
            let y = start + number * LAYER;
            let class = if role.1.contains(&"needs a person") { "role bad" } else { "role" };
            let _ = writeln!(
                body,
                "<rect x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"40\" rx=\"8\" class=\"{class}\"/><text x=\"{}\" y=\"{}\" class=\"middle\">{}</text>",
                x + width / 2,
                y + 25,
                HtmlEscape(&titled(role))
            );
        }
        let mut lanes = [0, 0];
        let list = start + drawing.roles.len() * LAYER + 8;
        for (number, one) in drawing.moves.iter().enumerate() {
            let forward = one.to > one.from;
            lanes[usize::from(forward)] += 1;
            let out = lanes[usize::from(forward)] * LANE;
            let (edge, lane) = if forward { (x + width, x + width + out) } else { (x, x - out) };
            // arrows leave in the lower and arrive in the upper half of a box, each move at a height of its own
            let shift = number * 3 % 17;
            let (from, to) = (start + one.from * LAYER + 21 + shift, start + one.to * LAYER + 2 + shift);
            let class = if one.own { "move own" } else { "move" };
            let middle = (from + to) / 2;
            let _ = writeln!(
                body,
                "<path d=\"M{edge} {from}H{lane}V{to}H{edge}\" class=\"{class}\" marker-end=\"url(#tip)\"/><circle cx=\"{lane}\" cy=\"{middle}\" r=\"10\" class=\"number\"/><text x=\"{lane}\" y=\"{}\" class=\"middle small\">{}</text>",
                middle + 4,
                number + 1
            );
            let line = format!(
                "{}. {} → {}: {}",
                number + 1,
                drawing.roles[one.from].0,
                drawing.roles[one.to].0,
                one.text
            );
            widest = widest.max(48 + line.chars().count() * 8);
            let _ =
                writeln!(body, "<text x=\"24\" y=\"{}\">{}</text>", list + number * 20, HtmlEscape(&line));
        }
        widest = widest.max(x + width + (lanes[1] + 1) * LANE);
        top = list + drawing.moves.len() * 20 + 32;
    }
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{widest}\" height=\"{top}\" viewBox=\"0 0 {widest} {top}\" role=\"img\">\n<title>status flow</title>\n<style>text{{font:14px sans-serif;fill:#222}}.name{{font-weight:bold;font-size:16px}}.middle{{text-anchor:middle}}.small{{font-size:11px}}.role{{fill:#eef4ff;stroke:#3465a4}}.bad{{fill:#fff0ee;stroke:#a43434}}.move{{fill:none;stroke:#777;stroke-dasharray:5 3}}.own{{stroke:#3465a4;stroke-width:2;stroke-dasharray:none}}.number{{fill:#fff;stroke:#777}}</style>\n<defs><marker id=\"tip\" viewBox=\"0 0 8 8\" refX=\"8\" refY=\"4\" markerWidth=\"8\" markerHeight=\"8\" markerUnits=\"userSpaceOnUse\" orient=\"auto\"><path d=\"M0 0L8 4L0 8z\" fill=\"#444\"/></marker></defs>\n<rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n{body}</svg>\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn odd() -> Vec<Drawing> {
        let move_of = |from, to, text: &str| Drawn { from, to, own: true, text: text.into() };
        vec![Drawing {
            name: "a\"b</text><script>".into(),
            roles: vec![("one".into(), vec!["is taken"]), ("two\\".into(), vec!["needs a person"])],
            moves: vec![move_of(0, 1, "mapping: x < 1 && y: \"z\""), move_of(1, 0, "shop")],
        }]
    }

    #[test]
    fn every_format_escapes_what_it_uses_itself() {
        let svg = svg(&odd());
        assert!(!svg.contains("<script>") && svg.contains("&lt;script&gt;"), "{svg}");
        assert!(svg.contains("x &lt; 1 &amp;&amp; y"), "{svg}");
        let dot = dot(&odd());
        assert!(dot.contains(r#"label="a\"b</text><script>";"#), "{dot}");
        assert!(dot.contains(r#"[label="two\\ (needs a person)"];"#), "{dot}");
        let mermaid = mermaid(&odd());
        assert!(mermaid.contains("state \"a#34;b#60;/text#62;#60;script#62;\" as d0 {"), "{mermaid}");
        assert!(mermaid.contains("d0_0 --> d0_1: mapping#58; x #60; 1 && y#58; #34;z#34;"), "{mermaid}");
    }

    #[test]
    fn a_move_back_has_its_lane_on_the_left() {
        let svg = svg(&odd());
        let numbers: Vec<usize> = svg
            .lines()
            .filter_map(|line| line.split("<path d=\"M").nth(1)?.split(['H', 'V', ' ']).nth(2)?.parse().ok())
            .collect();
        let [forward, back] = numbers[..] else { panic!("{svg}") };
        assert!(back < 24 + LANE && forward > 24 + LANE, "{svg}");
    }
}
