//! YAML text to nodes, with limits and a place for everything that is wrong.

use std::collections::HashMap;

use serde_saphyr::granit_parser::{Event, Parser, ScalarStyle, Span as YamlSpan};

use super::node::{Kind, Node};
use crate::diagnostic::{At, Diagnostic, Diagnostics, FileId, Sources, Span, codes};

/// The largest file that is read.
const MAX_BYTES: usize = 1024 * 1024;
/// The most nodes a file may have, aliases written out.
const MAX_NODES: usize = 50_000;
/// The deepest nesting.
const MAX_DEPTH: usize = 64;

/// Reads a YAML file's text. What is wrong is pushed to `diagnostics`; a file that is no YAML gives nothing.
pub fn parse(
    sources: &mut Sources,
    path: &std::path::Path,
    text: &str,
    diagnostics: &mut Diagnostics,
) -> Option<Node> {
    let file = sources.add(path, text);
    if text.len() > MAX_BYTES {
        let span = Span { file, start: 0, end: 0 };
        let message =
            format!("this file has {} KiB, at most {} are read", text.len() / 1024, MAX_BYTES / 1024);
        diagnostics.push(Diagnostic::error(&codes::TOO_LARGE, span, message));
        return None;
    }
    let mut reader = Reader {
        parser: Parser::new_from_str(text),
        file,
        text,
        anchors: HashMap::new(),
        nodes: 0,
        diagnostics,
    };
    reader.document().ok()
}

struct Reader<'t, 'd> {
    parser: Parser<'t, serde_saphyr::granit_parser::StrInput<'t>>,
    file: FileId,
    text: &'t str,
    anchors: HashMap<usize, Node>,
    nodes: usize,
    diagnostics: &'d mut Diagnostics,
}

/// The finding was pushed already.
struct Refused;

type Read<T> = Result<T, Refused>;

impl<'t> Reader<'t, '_> {
    fn refuse<T>(&mut self, diagnostic: Diagnostic) -> Read<T> {
        self.diagnostics.push(diagnostic);
        Err(Refused)
    }

    fn span(&self, span: YamlSpan) -> Span {
        let range = span.byte_range().unwrap_or(0..0);
        let clamp = |at: usize| u32::try_from(at.min(self.text.len())).unwrap_or(u32::MAX);
        Span { file: self.file, start: clamp(range.start), end: clamp(range.end) }
    }

    fn next(&mut self) -> Read<(Event<'t>, YamlSpan)> {
        match self.parser.next_event() {
            Some(Ok(event)) => Ok(event),
            Some(Err(error)) => {
                let at = u32::try_from(error.marker().byte_offset().unwrap_or(0).min(self.text.len()))
                    .unwrap_or(0);
                let span = Span { file: self.file, start: at, end: at };
                let help = if self.text.contains('\t') {
                    "YAML is indented with spaces; a tab may be the reason"
                } else {
                    "look at the indentation, colons and quotes around here"
                };
                self.refuse(Diagnostic::error(&codes::SYNTAX, span, error.info()).help(help))
            }
            None => Ok((Event::StreamEnd, YamlSpan::default())),
        }
    }

    fn document(&mut self) -> Read<Node> {
        let mut root = None;
        loop {
            let (event, span) = self.next()?;
            match event {
                Event::StreamStart | Event::DocumentStart(..) if root.is_none() => {}
                Event::DocumentEnd => {}
                Event::StreamEnd => break,
                Event::DocumentStart(..) => {
                    let span = self.span(span);
                    let diagnostic =
                        Diagnostic::error(&codes::TWO_DOCUMENTS, span, "a second document begins here");
                    return self.refuse(diagnostic.help("put it into a file of its own"));
                }
                Event::StreamStart => {}
                other => root = Some(self.node(other, span, 0)?),
            }
        }
        match root {
            Some(Node { kind: Kind::Null, .. }) | None => {
                let span = Span { file: self.file, start: 0, end: 0 };
                self.refuse(Diagnostic::error(&codes::EMPTY_FILE, span, "this file is empty"))
            }
            Some(root) => Ok(root),
        }
    }

    fn count(&mut self, nodes: usize, span: Span) -> Read<()> {
        self.nodes += nodes;
        if self.nodes > MAX_NODES {
            let message = format!("more than {MAX_NODES} values, aliases written out");
            return self.refuse(Diagnostic::error(&codes::TOO_LARGE, span, message));
        }
        Ok(())
    }

    fn node(&mut self, event: Event<'t>, at: YamlSpan, depth: usize) -> Read<Node> {
        let start = self.span(at);
        if depth > MAX_DEPTH {
            let message = format!("nested more than {MAX_DEPTH} deep");
            return self.refuse(Diagnostic::error(&codes::TOO_LARGE, start, message));
        }
        self.count(1, start)?;
        if event.tag().is_some() {
            let diagnostic = Diagnostic::error(&codes::TAG, start, "tags (`!…`) are not used here");
            return self.refuse(diagnostic.help("leave it out; write text in quotes"));
        }
        let anchor = event.anchor_id().unwrap_or(0);
        let node = match event {
            Event::Scalar(text, style, ..) => self.scalar(&text, style, start),
            Event::SequenceStart(..) => {
                let mut items = Vec::new();
                let mut span = start;
                loop {
                    let (event, at) = self.next()?;
                    if matches!(event, Event::SequenceEnd) {
                        span.end = self.span(at).end.max(span.end);
                        break;
                    }
                    items.push(self.node(event, at, depth + 1)?);
                }
                Node { kind: Kind::List(items), span }
            }
            Event::MappingStart(..) => self.map(start, depth)?,
            Event::Alias(id) => {
                let Some(target) = self.anchors.get(&id).cloned() else {
                    return self.refuse(Diagnostic::error(
                        &codes::SYNTAX,
                        start,
                        "this alias points into itself",
                    ));
                };
                self.count(size(&target), start)?;
                Node { span: start, ..target }
            }
            _ => return self.refuse(Diagnostic::error(&codes::SYNTAX, start, "a value was expected here")),
        };
        if anchor != 0 {
            self.anchors.insert(anchor, node.clone());
        }
        Ok(node)
    }

    fn map(&mut self, start: Span, depth: usize) -> Read<Node> {
        let mut entries: Vec<(At<String>, Node)> = Vec::new();
        let mut span = start;
        loop {
            let (event, at) = self.next()?;
            if matches!(event, Event::MappingEnd) {
                span.end = self.span(at).end.max(span.end);
                return Ok(Node { kind: Kind::Map(entries), span });
            }
            let key_span = self.span(at);
            let Event::Scalar(text, style, ..) = event else {
                let diagnostic = Diagnostic::error(&codes::SYNTAX, key_span, "a key must be a plain text");
                return self.refuse(diagnostic);
            };
            if style == ScalarStyle::Plain {
                if text == "<<" {
                    let diagnostic =
                        Diagnostic::error(&codes::MERGE_KEY, key_span, "merge keys (`<<`) are not used here");
                    return self.refuse(diagnostic.help(
                        "use `tables:` in a mapping, `defaults:`, `objects:` or `like:` in a system file",
                    ));
                }
                self.ambiguous(&text, key_span);
            }
            let key = At { value: text.into_owned(), span: key_span };
            let (event, at) = self.next()?;
            let value = self.node(event, at, depth + 1)?;
            if let Some((first, _)) = entries.iter().find(|(other, _)| other.value == key.value) {
                let diagnostic = Diagnostic::error(
                    &codes::DUPLICATE_KEY,
                    key.span,
                    format!("`{key}` stands twice in this map"),
                )
                .label(first.span, "first here")
                .help("remove one of them");
                self.diagnostics.push(diagnostic);
                continue;
            }
            span.end = span.end.max(value.span.end);
            entries.push((key, value));
        }
    }

    fn scalar(&mut self, text: &str, style: ScalarStyle, span: Span) -> Node {
        if style != ScalarStyle::Plain {
            return Node { kind: Kind::Text { text: text.to_owned(), quoted: true }, span };
        }
        let kind = match text {
            "" | "~" | "null" | "Null" | "NULL" => Kind::Null,
            "true" => Kind::Bool(true),
            "false" => Kind::Bool(false),
            _ if is_number(text) => Kind::Number(text.to_owned()),
            _ => {
                self.ambiguous(text, span);
                Kind::Text { text: text.to_owned(), quoted: false }
            }
        };
        Node { kind, span }
    }

    /// Words that another YAML reader takes for true or false.
    fn ambiguous(&mut self, text: &str, span: Span) {
        const WORDS: [&str; 8] = ["y", "n", "yes", "no", "on", "off", "true", "false"];
        let folded = text.to_lowercase();
        if WORDS.contains(&folded.as_str()) && text != "true" && text != "false" {
            let diagnostic = Diagnostic::warning(
                &codes::AMBIGUOUS,
                span,
                format!("`{text}` is text here, but true or false to other YAML readers"),
            )
            .help(format!("write \"{text}\", or true or false"));
            self.diagnostics.push(diagnostic);
        }
    }
}

fn size(node: &Node) -> usize {
    match &node.kind {
        Kind::List(items) => 1 + items.iter().map(size).sum::<usize>(),
        Kind::Map(entries) => 1 + entries.iter().map(|(_, value)| 1 + size(value)).sum::<usize>(),
        _ => 1,
    }
}

/// A JSON number: digits are never guessed from `0777`, `1_000`, `0x1F`, `.5`.
fn is_number(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let (mantissa, exponent) = match digits.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (digits, None),
    };
    let (whole, fraction) = match mantissa.split_once('.') {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (mantissa, None),
    };
    let all_digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    all_digits(whole)
        && (whole == "0" || !whole.starts_with('0'))
        && fraction.is_none_or(all_digits)
        && exponent.is_none_or(|exponent| all_digits(exponent.strip_prefix(['+', '-']).unwrap_or(exponent)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnostic::{Format, render};

    fn read(text: &str) -> (Option<Node>, String) {
        let mut sources = Sources::new();
        let mut found = Diagnostics::new();
        let node = parse(&mut sources, std::path::Path::new("t.yaml"), text, &mut found);
        (node, render(&found, &sources, Format::Human { color: false }))
    }

    fn kind(text: &str) -> Kind {
        let (node, messages) = read(&format!("a: {text}\n"));
        assert_eq!(messages, "");
        node.unwrap().get("a").unwrap().kind.clone()
    }

    #[test]
    fn scalars_by_the_core_schema_only() {
        assert_eq!(kind("0.10"), Kind::Number("0.10".into()));
        assert_eq!(kind("-12"), Kind::Number("-12".into()));
        for text in ["0777", "1_000", "0x1F", ".5", "+1", "2026-11-25", ".inf"] {
            assert_eq!(kind(text), Kind::Text { text: text.into(), quoted: false }, "{text}");
        }
        assert_eq!(kind("true"), Kind::Bool(true));
        assert_eq!(kind("~"), Kind::Null);
        assert_eq!(kind("\"10\""), Kind::Text { text: "10".into(), quoted: true });
    }

    #[test]
    fn norway_is_warned_of() {
        let (node, messages) = read("country: NO\n");
        assert_eq!(node.unwrap().get("country").unwrap().what(), "text");
        assert_eq!(
            messages,
            "warning[ME0107]: a word that other readers take for true or false\n --> t.yaml:1:10\n  |\n1 | country: NO\n  |          ^^ `NO` is text here, but true or false to other YAML readers\n  |\n  = help: write \"NO\", or true or false\n\n"
        );
    }

    #[test]
    fn a_key_twice_names_both_places() {
        let (_, messages) = read("a: 1\nb: 2\na: 3\n");
        assert!(messages.contains("t.yaml:3:1"), "{messages}");
        assert!(messages.contains("first here"), "{messages}");
    }

    #[test]
    fn what_is_refused() {
        for (text, code) in [
            ("<<: 1\n", "ME0106"),
            ("a: !x 1\n", "ME0109"),
            ("a: 1\n---\nb: 2\n", "ME0110"),
            ("", "ME0111"),
            ("a: [1\nb: 2\n", "ME0101"),
            ("? [a]\n: 1\n", "ME0101"),
        ] {
            let (node, messages) = read(text);
            assert!(node.is_none(), "{text}");
            assert!(messages.contains(code), "{text}: {messages}");
        }
    }

    #[test]
    fn a_bomb_is_refused_at_once() {
        let mut text = String::from("a0: &a0 [1,1,1,1,1,1,1,1,1]\n");
        for i in 1..10 {
            let parts = vec![format!("*a{}", i - 1); 9].join(",");
            text.push_str(&format!("a{i}: &a{i} [{parts}]\n"));
        }
        let (node, messages) = read(&text);
        assert!(node.is_none());
        assert!(messages.contains("ME0108"), "{messages}");
        let (node, messages) = read(&"[".repeat(5000));
        assert!(node.is_none() && !messages.is_empty());
    }

    #[test]
    fn places_are_exact() {
        let (node, _) = read("outer:\n  inner: \"väl\"   # x\n  list: [a, b]\n");
        let node = node.unwrap();
        let inner = node.get("outer").unwrap().get("inner").unwrap();
        assert_eq!((inner.span.start, inner.span.end), (16, 22));
        let list = node.get("outer").unwrap().get("list").unwrap();
        assert_eq!(list.span.end - list.span.start, 6);
    }
}
