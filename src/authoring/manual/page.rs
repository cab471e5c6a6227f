//! A page of headings, paragraphs, lists and tables, and its two forms: Markdown, and one HTML file.
//!
//! What comes from files is escaped here and nowhere else.

use std::fmt::Write;

use minijinja::HtmlEscape;

use super::phrases::{Language, Phrase, Said};
use crate::authoring::flow::{self, Drawing};

/// A piece of a line.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Piece {
    Plain(String),
    Strong(String),
    Code(String),
}

/// A line of text.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Line(pub Vec<Piece>);

impl Line {
    pub(super) fn plain(text: impl Into<String>) -> Line {
        Line(vec![Piece::Plain(text.into())])
    }

    pub(super) fn code(text: impl Into<String>) -> Line {
        Line(vec![Piece::Code(text.into())])
    }

    pub(super) fn strong(text: impl Into<String>) -> Line {
        Line(vec![Piece::Strong(text.into())])
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// A phrase with its places filled in.
    pub(super) fn say(phrase: impl Said, language: Language, values: &[Line]) -> Line {
        let mut line = Line::default();
        let mut rest = phrase.text(language);
        while let Some(open) = rest.find('{') {
            let Some(close) = rest[open..].find('}') else { break };
            line.push(Piece::Plain(rest[..open].to_owned()));
            let value = rest[open + 1..open + close].parse::<usize>().ok().and_then(|at| values.get(at));
            if let Some(value) = value {
                value.0.iter().for_each(|piece| line.push(piece.clone()));
            }
            rest = &rest[open + close + 1..];
        }
        line.push(Piece::Plain(rest.to_owned()));
        line
    }

    fn push(&mut self, piece: Piece) {
        match (self.0.last_mut(), piece) {
            (_, Piece::Plain(text)) if text.is_empty() => {}
            (Some(Piece::Plain(before)), Piece::Plain(text)) => before.push_str(&text),
            (_, piece) => self.0.push(piece),
        }
    }

    /// Lines one after the other, with a text between them.
    pub(super) fn join(lines: impl IntoIterator<Item = Line>, between: &str) -> Line {
        let mut out = Line::default();
        for line in lines.into_iter().filter(|line| !line.is_empty()) {
            if !out.is_empty() {
                out.push(Piece::Plain(between.to_owned()));
            }
            line.0.into_iter().for_each(|piece| out.push(piece));
        }
        out
    }

    /// The words alone.
    pub(super) fn text(&self) -> String {
        let words = self.0.iter().map(|piece| match piece {
            Piece::Plain(text) | Piece::Strong(text) | Piece::Code(text) => text.as_str(),
        });
        words.collect()
    }

    fn markdown(&self, in_table: bool) -> String {
        let mut out = String::new();
        for piece in &self.0 {
            match piece {
                Piece::Plain(text) => out.push_str(&escaped(text)),
                Piece::Strong(text) => {
                    let _ = write!(out, "**{}**", escaped(text));
                }
                Piece::Code(text) => {
                    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
                    let text = if in_table { text.replace('|', "\\|") } else { text };
                    let _ = if text.contains('`') {
                        write!(out, "`` {text} ``")
                    } else {
                        write!(out, "`{text}`")
                    };
                }
            }
        }
        out
    }

    fn html(&self) -> String {
        let mut out = String::new();
        for piece in &self.0 {
            let _ = match piece {
                Piece::Plain(text) => write!(out, "{}", HtmlEscape(text)),
                Piece::Strong(text) => write!(out, "<strong>{}</strong>", HtmlEscape(text)),
                Piece::Code(text) => write!(out, "<code>{}</code>", HtmlEscape(text)),
            };
        }
        out
    }
}

/// Text that means only itself in Markdown, in a table too.
fn escaped(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars() {
        match c {
            '\\' | '`' | '*' | '_' | '[' | ']' | '|' | '#' | '~' => {
                out.push('\\');
                out.push(c);
            }
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            '\n' | '\r' => out.push(' '),
            c => out.push(c),
        }
    }
    out
}

/// A part of a page.
#[derive(Clone, Debug)]
pub(super) enum Block {
    /// Level 2, 3 or 4, and its anchor.
    Heading(u8, String, String),
    Paragraph(Line),
    Bullets(Vec<Line>),
    Numbered(Vec<Line>),
    /// A status flow.
    Diagram(Drawing),
    /// A term and what it means.
    Facts(Vec<(String, Line)>),
    Table(Vec<String>, Vec<Vec<Line>>),
}

/// A page.
#[derive(Clone, Debug)]
pub(super) struct Page {
    pub title: String,
    pub subtitle: String,
    pub language: Language,
    pub blocks: Vec<Block>,
}

impl Page {
    pub(super) fn heading(&mut self, level: u8, text: impl Into<String>) {
        let anchor = format!("s{}", self.blocks.len());
        self.blocks.push(Block::Heading(level, text.into(), anchor));
    }

    pub(super) fn markdown(&self) -> String {
        let mut out = format!("# {}\n\n{}\n", escaped(&self.title), escaped(&self.subtitle));
        for block in &self.blocks {
            out.push('\n');
            match block {
                Block::Heading(level, text, _) => {
                    let _ = writeln!(out, "{} {}", "#".repeat(usize::from(*level)), escaped(text));
                }
                Block::Paragraph(line) => {
                    let _ = writeln!(out, "{}", line.markdown(false));
                }
                Block::Bullets(lines) => {
                    for line in lines {
                        let _ = writeln!(out, "- {}", line.markdown(false));
                    }
                }
                Block::Numbered(lines) => {
                    for (number, line) in lines.iter().enumerate() {
                        let _ = writeln!(out, "{}. {}", number + 1, line.markdown(false));
                    }
                }
                Block::Diagram(drawing) => {
                    let _ = writeln!(
                        out,
                        "```mermaid\n{}```",
                        // a fence in a name would end the block
                        flow::mermaid(std::slice::from_ref(drawing)).replace('`', "'")
                    );
                }
                Block::Facts(facts) => {
                    for (term, line) in facts {
                        let _ = writeln!(out, "- **{}:** {}", escaped(term), line.markdown(false));
                    }
                }
                Block::Table(head, rows) => {
                    let head: Vec<String> = head.iter().map(|text| escaped(text)).collect();
                    let _ = writeln!(out, "| {} |\n|{}", head.join(" | "), " --- |".repeat(head.len()));
                    for row in rows {
                        let cells: Vec<String> = row.iter().map(|line| line.markdown(true)).collect();
                        let _ = writeln!(out, "| {} |", cells.join(" | "));
                    }
                }
            }
        }
        out
    }

    pub(super) fn html(&self) -> String {
        let mut out = String::new();
        let _ = write!(
            out,
            "<!DOCTYPE html>\n<html lang=\"{}\">\n<head>\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>{}</title>\n<style>\n{}</style>\n</head>\n<body>\n<header>\n<h1>{}</h1>\n<p>{}</p>\n</header>\n",
            self.language.code(),
            HtmlEscape(&self.title),
            include_str!("page.css"),
            HtmlEscape(&self.title),
            HtmlEscape(&self.subtitle)
        );
        let _ = write!(out, "<nav>\n<h2>{}</h2>\n<ul>\n", HtmlEscape(Phrase::Contents.text(self.language)));
        for block in &self.blocks {
            if let Block::Heading(level @ 2..=3, text, anchor) = block {
                let _ = writeln!(
                    out,
                    "<li class=\"l{level}\"><a href=\"#{anchor}\">{}</a></li>",
                    HtmlEscape(text)
                );
            }
        }
        out.push_str("</ul>\n</nav>\n<main>\n");
        for (number, block) in self.blocks.iter().enumerate() {
            match block {
                Block::Heading(level, text, anchor) => {
                    let _ = writeln!(out, "<h{level} id=\"{anchor}\">{}</h{level}>", HtmlEscape(text));
                }
                Block::Paragraph(line) => {
                    let _ = writeln!(out, "<p>{}</p>", line.html());
                }
                Block::Bullets(lines) => {
                    let lines: Vec<String> =
                        lines.iter().map(|line| format!("<li>{}</li>\n", line.html())).collect();
                    let _ = writeln!(out, "<ul>\n{}</ul>", lines.concat());
                }
                Block::Numbered(lines) => {
                    let lines: Vec<String> =
                        lines.iter().map(|line| format!("<li>{}</li>\n", line.html())).collect();
                    let _ = writeln!(out, "<ol>\n{}</ol>", lines.concat());
                }
                Block::Diagram(drawing) => {
                    let moves: Vec<String> = drawing
                        .moves
                        .iter()
                        .map(|one| format!("<li>{}</li>\n", HtmlEscape(&flow::said(drawing, one))))
                        .collect();
                    let picture = flow::svg_in_page(drawing, &format!("tip{number}"), &drawing.name);
                    let moves = moves.concat();
                    let _ = writeln!(
                        out,
                        "<figure>\n{picture}<figcaption><ol>\n{moves}</ol></figcaption>\n</figure>"
                    );
                }
                Block::Facts(facts) => {
                    out.push_str("<dl>\n");
                    for (term, line) in facts {
                        let _ = writeln!(out, "<dt>{}</dt><dd>{}</dd>", HtmlEscape(term), line.html());
                    }
                    out.push_str("</dl>\n");
                }
                Block::Table(head, rows) => {
                    let head: Vec<String> = head
                        .iter()
                        .map(|text| format!("<th scope=\"col\">{}</th>", HtmlEscape(text)))
                        .collect();
                    let _ = write!(
                        out,
                        "<table class=\"c{}\">\n<thead><tr>{}</tr></thead>\n<tbody>\n",
                        head.len(),
                        head.concat()
                    );
                    for row in rows {
                        let cells: Vec<String> =
                            row.iter().map(|line| format!("<td>{}</td>", line.html())).collect();
                        let _ = writeln!(out, "<tr>{}</tr>", cells.concat());
                    }
                    out.push_str("</tbody>\n</table>\n");
                }
            }
        }
        out.push_str("</main>\n</body>\n</html>\n");
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_comes_from_files_means_only_itself() {
        let mut page = Page {
            title: "<script>".to_owned(),
            subtitle: "a & b".to_owned(),
            language: Language::En,
            blocks: Vec::new(),
        };
        page.heading(2, "x</h2><img src=x>");
        page.blocks.push(Block::Paragraph(Line(vec![
            Piece::Plain("<b>*|".to_owned()),
            Piece::Code("a < b | c".to_owned()),
        ])));
        let html = page.html();
        for bad in ["<script>", "<img", "<b>"] {
            assert!(!html.contains(bad), "{html}");
        }
        assert!(html.contains("<code>a &lt; b | c</code>"));
        assert!(page.markdown().contains("&lt;b&gt;\\*\\|`a < b | c`"), "{}", page.markdown());
    }

    #[test]
    fn phrases_are_filled_in() {
        let line = Line::say(Phrase::Else, Language::Sv, &[Line::code("a"), Line::plain("b")]);
        assert_eq!(line.markdown(false), "`a`, annars b");
    }
}
