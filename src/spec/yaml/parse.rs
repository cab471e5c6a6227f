//! YAML text to nodes, with limits and a place for everything that is wrong.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use serde_saphyr::granit_parser::{Event, Options, Parser, ScalarStyle, Span as YamlSpan, StrInput};

use super::node::{Kind, Node};
use super::{scalar, syntax};
use crate::diagnostic::{At, Diagnostic, Diagnostics, FileId, Sources, Span, codes};

/// The largest file that is read.
const MAX_BYTES: usize = 1024 * 1024;
/// The most values a file may have, aliases written out.
const MAX_NODES: usize = 50_000;
/// The most text a file may have, aliases written out.
const MAX_TEXT: usize = 4 * MAX_BYTES;
/// The deepest nesting, aliases written out.
const MAX_DEPTH: usize = 64;

/// Reads a YAML file's text. What is wrong is pushed to `diagnostics`; a file that is no YAML gives nothing.
///
/// A value that stands for an alias has the alias's place; what is inside of it has the place where it is
/// written, since only there it can be put right.
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
            format!("this file has {} KiB, at most {} are read", text.len().div_ceil(1024), MAX_BYTES / 1024);
        diagnostics.push(Diagnostic::error(&codes::TOO_LARGE, span, message));
        return None;
    }
    let mut options = Options::default();
    options.set_emit_comments(false);
    let parser = Parser::new_from_str_with_options(text, options);
    let mut reader = Reader {
        parser,
        file,
        text,
        anchors: HashMap::new(),
        total: Size::default(),
        anchored: Size::default(),
        diagnostics,
    };
    reader.document().ok()
}

struct Reader<'t, 'd> {
    parser: Parser<'t, StrInput<'t>>,
    file: FileId,
    text: &'t str,
    anchors: HashMap<usize, (Node, Size)>,
    /// What the tree has so far.
    total: Size,
    /// What is kept for aliases.
    anchored: Size,
    diagnostics: &'d mut Diagnostics,
}

/// How much a node is.
#[derive(Clone, Copy, Default)]
struct Size {
    nodes: usize,
    text: usize,
    depth: usize,
}

impl Size {
    fn of(node: &Node) -> Size {
        let mut size = Size { nodes: 1, text: 0, depth: 0 };
        let mut add = |inner: &Node| {
            let inner = Size::of(inner);
            size.nodes += inner.nodes;
            size.text += inner.text;
            size.depth = size.depth.max(inner.depth + 1);
        };
        match &node.kind {
            Kind::List(items) => items.iter().for_each(add),
            Kind::Map(entries) => {
                entries.iter().for_each(|(_, value)| add(value));
                size.text += entries.iter().map(|(key, _)| key.len()).sum::<usize>();
            }
            Kind::Text { text, .. } | Kind::Number(text) => size.text = text.len(),
            Kind::Null | Kind::Bool(_) => {}
        }
        size
    }

    fn add(&mut self, more: Size) {
        self.nodes += more.nodes;
        self.text += more.text;
    }

    /// What there is too much of.
    fn excess(&self) -> Option<String> {
        if self.nodes > MAX_NODES {
            Some(format!("more than {MAX_NODES} values, aliases written out"))
        } else if self.text > MAX_TEXT {
            Some(format!("more than {} MiB of text, aliases written out", MAX_TEXT / MAX_BYTES))
        } else {
            None
        }
    }
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
            Some(Err(error)) => self.refuse(syntax::diagnostic(&error, self.file, self.text)),
            None => Ok((Event::StreamEnd, YamlSpan::default())),
        }
    }

    fn document(&mut self) -> Read<Node> {
        let mut root = None;
        loop {
            let (event, span) = self.next()?;
            match event {
                Event::StreamStart | Event::DocumentEnd => {}
                Event::DocumentStart(..) if root.is_none() => {}
                Event::StreamEnd => break,
                Event::DocumentStart(..) => {
                    let span = self.span(span);
                    let diagnostic =
                        Diagnostic::error(&codes::TWO_DOCUMENTS, span, "a second document begins here");
                    return self.refuse(diagnostic.help("put it into a file of its own"));
                }
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

    fn count(&mut self, size: Size, span: Span) -> Read<()> {
        self.total.add(size);
        match self.total.excess() {
            Some(message) => self.refuse(Diagnostic::error(&codes::TOO_LARGE, span, message)),
            None => Ok(()),
        }
    }

    fn too_deep<T>(&mut self, span: Span) -> Read<T> {
        let message = format!("nested more than {MAX_DEPTH} deep");
        self.refuse(Diagnostic::error(&codes::TOO_LARGE, span, message))
    }

    fn node(&mut self, event: Event<'t>, at: YamlSpan, depth: usize) -> Read<Node> {
        let start = self.span(at);
        if depth > MAX_DEPTH {
            return self.too_deep(start);
        }
        self.no_tag(&event, start)?;
        let anchor = event.anchor_id();
        let node = match event {
            Event::Alias(id) => return self.alias(id, start, depth),
            Event::Scalar(text, style, ..) => self.scalar(&text, style, start)?,
            Event::SequenceStart(..) => self.list(start, depth)?,
            Event::MappingStart(..) => self.map(start, depth)?,
            _ => return self.refuse(Diagnostic::error(&codes::SYNTAX, start, "a value was expected here")),
        };
        self.keep(anchor, &node)?;
        Ok(node)
    }

    fn no_tag(&mut self, event: &Event<'t>, start: Span) -> Read<()> {
        if event.tag().is_none() {
            return Ok(());
        }
        // the tag stands before its value, which is all that the parser places
        let ends = [' ', '\n', '\r', '\t', ',', '[', ']', '{', '}'];
        let before = self.text.get(..start.start as usize).unwrap_or_default();
        let mark = before.rfind('!').unwrap_or(before.len());
        let from = before[..mark].rfind(ends).map_or(0, |at| at + 1);
        let end = self.text[mark..].find(ends).map_or(self.text.len(), |length| mark + length);
        let place = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
        let span = Span { start: place(from), end: place(end), ..start };
        let diagnostic = Diagnostic::error(&codes::TAG, span, "tags (`!…`) are not used here");
        self.refuse(diagnostic.help("leave it out; write text in quotes"))
    }

    /// Remembers a value that aliases may stand for.
    fn keep(&mut self, anchor: Option<usize>, node: &Node) -> Read<()> {
        let Some(anchor) = anchor else { return Ok(()) };
        let size = Size::of(node);
        self.anchored.add(size);
        if let Some(message) = self.anchored.excess() {
            return self.refuse(Diagnostic::error(&codes::TOO_LARGE, node.span, message));
        }
        self.anchors.insert(anchor, (node.clone(), size));
        Ok(())
    }

    fn alias(&mut self, id: usize, span: Span, depth: usize) -> Read<Node> {
        let Some((_, size)) = self.anchors.get(&id) else {
            let message = "this alias stands inside the value it is for";
            return self.refuse(Diagnostic::error(&codes::SYNTAX, span, message).help("write the value out"));
        };
        let size = *size;
        if depth + size.depth > MAX_DEPTH {
            return self.too_deep(span);
        }
        // counted before it is copied
        self.count(size, span)?;
        let kind = self.anchors.get(&id).map_or(Kind::Null, |(node, _)| node.kind.clone());
        Ok(Node { kind, span })
    }

    fn list(&mut self, start: Span, depth: usize) -> Read<Node> {
        self.count(Size { nodes: 1, ..Size::default() }, start)?;
        let mut items = Vec::new();
        loop {
            let (event, at) = self.next()?;
            if matches!(event, Event::SequenceEnd) {
                let end = self.span(at).end.max(start.end);
                return Ok(Node { kind: Kind::List(items), span: Span { end, ..start } });
            }
            items.push(self.node(event, at, depth + 1)?);
        }
    }

    fn map(&mut self, start: Span, depth: usize) -> Read<Node> {
        self.count(Size { nodes: 1, ..Size::default() }, start)?;
        let mut entries: Vec<(At<String>, Node)> = Vec::new();
        let mut seen: HashMap<String, Span> = HashMap::new();
        let mut end = start.end;
        loop {
            let (event, at) = self.next()?;
            if matches!(event, Event::MappingEnd) {
                let end = self.span(at).end.max(end);
                return Ok(Node { kind: Kind::Map(entries), span: Span { end, ..start } });
            }
            let key = self.key(event, at)?;
            let (event, at) = self.next()?;
            let value = self.node(event, at, depth + 1)?;
            match seen.entry(key.value.clone()) {
                Entry::Occupied(first) => {
                    let message = format!("`{key}` stands twice in this map");
                    let diagnostic = Diagnostic::error(&codes::DUPLICATE_KEY, key.span, message)
                        .label(*first.get(), "first here")
                        .help("remove one of them");
                    self.diagnostics.push(diagnostic);
                }
                Entry::Vacant(free) => {
                    free.insert(key.span);
                    end = end.max(value.span.end);
                    entries.push((key, value));
                }
            }
        }
    }

    fn key(&mut self, event: Event<'t>, at: YamlSpan) -> Read<At<String>> {
        let span = self.span(at);
        self.no_tag(&event, span)?;
        let anchor = event.anchor_id();
        let text = match event {
            // an empty key is read as `~` by the parser
            Event::Scalar(_, ScalarStyle::Plain, ..) if span.start == span.end => {
                let diagnostic = Diagnostic::error(&codes::SYNTAX, span, "a key is missing here");
                return self.refuse(diagnostic.help("write the key before its colon"));
            }
            Event::Scalar(text, style, ..) => {
                self.count(Size { text: text.len(), ..Size::default() }, span)?;
                if style == ScalarStyle::Plain {
                    self.plain_key(&text, span)?;
                }
                text.into_owned()
            }
            Event::Alias(id) => match self.alias(id, span, 0)?.kind {
                Kind::Text { text, .. } | Kind::Number(text) => text,
                Kind::Bool(yes) => yes.to_string(),
                _ => return self.no_key(span),
            },
            _ => return self.no_key(span),
        };
        self.keep(anchor, &Node { kind: Kind::Text { text: text.clone(), quoted: false }, span })?;
        Ok(At { value: text, span })
    }

    fn no_key<T>(&mut self, span: Span) -> Read<T> {
        let diagnostic = Diagnostic::error(&codes::SYNTAX, span, "a key must be a plain text");
        self.refuse(diagnostic.help("lists and maps cannot be keys"))
    }

    fn plain_key(&mut self, text: &str, span: Span) -> Read<()> {
        if text == "<<" {
            let diagnostic =
                Diagnostic::error(&codes::MERGE_KEY, span, "merge keys (`<<`) are not used here");
            return self
                .refuse(diagnostic.help(
                    "use `tables:` in a mapping, `defaults:`, `objects:` or `like:` in a system file",
                ));
        }
        self.ambiguous(text, span);
        Ok(())
    }

    fn scalar(&mut self, text: &str, style: ScalarStyle, span: Span) -> Read<Node> {
        self.count(Size { nodes: 1, text: text.len(), depth: 0 }, span)?;
        if style != ScalarStyle::Plain {
            return Ok(Node { kind: Kind::Text { text: text.to_owned(), quoted: true }, span });
        }
        self.ambiguous(text, span);
        Ok(Node { kind: scalar::plain(text), span })
    }

    /// Words that another YAML reader takes for true or false.
    fn ambiguous(&mut self, text: &str, span: Span) {
        if scalar::other_bool(text).is_some() {
            let message = format!("`{text}` is text here, but true or false to other YAML readers");
            let diagnostic = Diagnostic::warning(&codes::AMBIGUOUS, span, message)
                .help(format!("write \"{text}\", or true or false"));
            self.diagnostics.push(diagnostic);
        }
    }
}

#[cfg(test)]
mod tests;
