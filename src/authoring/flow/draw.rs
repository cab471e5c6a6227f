//! A status flow as a picture: text, SVG, Graphviz, Mermaid.

use std::fmt::Write;

use minijinja::HtmlEscape;

use super::{Drawing, Drawn, Role};

fn titled(role: &Role) -> String {
    if role.notes.is_empty() {
        role.name.clone()
    } else {
        format!("{} ({})", role.name, role.notes.join(", "))
    }
}

/// For a terminal: each role with the moves that lead away from it.
pub fn text(drawings: &[Drawing]) -> String {
    let mut out = String::new();
    for drawing in drawings {
        let _ = writeln!(out, "{}", drawing.name);
        let width = drawing.roles.iter().map(|role| role.name.chars().count()).max().unwrap_or(0);
        for (number, role) in drawing.roles.iter().enumerate() {
            let _ = writeln!(out, "  ● {}", titled(role));
            for one in drawing.moves.iter().filter(|one| one.from == number) {
                let sign = if one.own { "━━▶" } else { "──▷" };
                let _ = writeln!(out, "  │   {sign} {:width$}  {}", drawing.roles[one.to].name, one.text);
            }
        }
        out.push('\n');
    }
    out.push_str("━━▶ the mapping's own move   ──▷ somebody else's\n");
    out
}

/// For Graphviz.
pub fn dot(drawings: &[Drawing]) -> String {
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

/// For Mermaid.
pub fn mermaid(drawings: &[Drawing]) -> String {
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
pub fn svg(drawings: &[Drawing]) -> String {
    let (width, height, body) = picture(drawings, true);
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" {}\n<title>status flow</title>\n{}</svg>\n",
        frame(width, height),
        inside(&body, "tip")
    )
}

/// A move, where it is listed.
pub fn said(drawing: &Drawing, one: &Drawn) -> String {
    format!("{} → {}: {}", drawing.roles[one.from].name, drawing.roles[one.to].name, one.text)
}

/// The same as a part of an HTML page, which names the flow and lists the numbered moves itself. `id` tells its parts from those of other
/// pictures in the page, `title` is what a screen reader says.
pub fn svg_in_page(drawing: &Drawing, id: &str, title: &str) -> String {
    let (width, height, body) = picture(std::slice::from_ref(drawing), false);
    let title = HtmlEscape(title);
    format!("<svg {}\n<title>{title}</title>\n{}</svg>\n", frame(width, height), inside(&body, id))
}

fn frame(width: usize, height: usize) -> String {
    format!(
        "class=\"flow\" width=\"{width}\" height=\"{height}\" viewBox=\"0 0 {width} {height}\" role=\"img\">"
    )
}

/// The style holds for this picture only, also where more stand in one page; `tip` is the name of its arrow head.
fn inside(body: &str, tip: &str) -> String {
    let body = body.replace("url(#tip)", &format!("url(#{tip})"));
    format!(
        "<style>.flow text{{font:14px sans-serif;fill:#222}}.flow .name{{font-weight:bold;font-size:16px}}.flow .middle{{text-anchor:middle}}.flow .small{{font-size:11px}}.flow .role{{fill:#eef4ff;stroke:#3465a4}}.flow .bad{{fill:#fff0ee;stroke:#a43434}}.flow .move{{fill:none;stroke:#777;stroke-dasharray:5 3}}.flow .own{{stroke:#3465a4;stroke-width:2;stroke-dasharray:none}}.flow .number{{fill:#fff;stroke:#777}}</style>\n<defs><marker id=\"{tip}\" viewBox=\"0 0 8 8\" refX=\"8\" refY=\"4\" markerWidth=\"8\" markerHeight=\"8\" markerUnits=\"userSpaceOnUse\" orient=\"auto\"><path d=\"M0 0L8 4L0 8z\" fill=\"#444\"/></marker></defs>\n<rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n{body}"
    )
}

/// Width, height, and what is drawn. One that does not stand alone has its name and the list of its moves around it.
fn picture(drawings: &[Drawing], alone: bool) -> (usize, usize, String) {
    let mut body = String::new();
    let (mut top, mut widest) = (24, 0);
    for drawing in drawings {
        let back = drawing.moves.iter().filter(|one| one.to <= one.from).count();
        let longest = drawing.roles.iter().map(|role| titled(role).chars().count()).max().unwrap_or(0);
        // a wide letter of this size has 9 pixels
        let (x, width) = (24 + back * LANE, longest * 9 + 24);
        if alone {
            let name = HtmlEscape(&drawing.name);
            let _ = writeln!(body, "<text x=\"24\" y=\"{top}\" class=\"name\">{name}</text>");
        }
        let start = if alone { top + 16 } else { top };
        for (number, role) in drawing.roles.iter().enumerate() {
            let y = start + number * LAYER;
            let class = if role.failing { "role bad" } else { "role" };
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
            if alone {
                let line = format!("{}. {}", number + 1, said(drawing, one));
                widest = widest.max(48 + line.chars().count() * 8);
                let y = list + number * 20;
                let _ = writeln!(body, "<text x=\"24\" y=\"{y}\">{}</text>", HtmlEscape(&line));
            }
        }
        widest = widest.max(x + width + (lanes[1] + 1) * LANE);
        top = list + if alone { drawing.moves.len() * 20 + 32 } else { 0 };
    }
    (widest, top, body)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn odd() -> Vec<Drawing> {
        let move_of = |from, to, text: &str| Drawn { from, to, own: true, text: text.into() };
        let role =
            |name: &str, note: &str, failing| Role { name: name.into(), notes: vec![note.into()], failing };
        vec![Drawing {
            name: "a\"b</text><script>".into(),
            roles: vec![role("one", "is taken", false), role("two\\", "needs a person", true)],
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
    fn in_a_page_it_needs_nothing_and_meets_no_other() {
        let picture = svg_in_page(&odd()[0], "tip2", "flow of <a>");
        assert!(!picture.contains("http") && !picture.contains("a\"b"), "{picture}");
        assert!(picture.contains("<title>flow of &lt;a&gt;</title>"), "{picture}");
        assert!(picture.contains("id=\"tip2\"") && picture.contains("url(#tip2)"), "{picture}");
        assert!(!picture.contains("url(#tip)"), "{picture}");
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
