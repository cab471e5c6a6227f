//! The texts that findings point into.

use std::collections::BTreeSet;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::{FileId, Span};

/// The files of one command: their texts and where each line begins. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Sources {
    files: Vec<Arc<File>>,
    confidential: BTreeSet<PathBuf>,
}

#[derive(Debug)]
struct File {
    path: PathBuf,
    text: String,
    lines: Vec<u32>,
}

impl Sources {
    /// No file yet.
    pub fn new() -> Self {
        Sources::default()
    }

    /// Adds a file. One that was read before, and says the same, keeps its number: what is found in it twice
    /// then counts once.
    pub fn add(&mut self, path: impl Into<PathBuf>, text: impl Into<String>) -> FileId {
        let (path, text) = (path.into(), text.into());
        if let Some(known) = self.files.iter().position(|file| file.path == path && file.text == text) {
            return offset(known);
        }
        let mut lines = vec![0];
        lines.extend(text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n').map(|(i, _)| offset(i + 1)));
        self.files.push(Arc::new(File { path, text, lines }));
        offset(self.files.len() - 1)
    }

    /// The lines of this file are never shown: there may be secrets in them. Places in it are still named.
    pub fn keep_confidential(&mut self, path: impl Into<PathBuf>) {
        self.confidential.insert(path.into());
    }

    /// Whether lines of the file may be shown.
    pub(super) fn may_show(&self, file: FileId) -> bool {
        self.path(file).is_none_or(|path| !self.confidential.contains(path))
    }

    /// The path of a file, as it was given.
    pub fn path(&self, file: FileId) -> Option<&Path> {
        self.files.get(file as usize).map(|file| file.path.as_path())
    }

    /// The text of a file.
    pub fn text(&self, file: FileId) -> Option<&str> {
        self.files.get(file as usize).map(|file| file.text.as_str())
    }

    /// All texts, in the order they were added.
    pub fn texts(&self) -> impl Iterator<Item = &str> {
        self.files.iter().map(|file| file.text.as_str())
    }

    /// Line and column of a place, both from 1, columns in characters.
    pub fn line_col(&self, span: Span) -> Option<(usize, usize)> {
        self.position(span.file, span.start)
    }

    /// Line and column of a place's end.
    pub fn end_line_col(&self, span: Span) -> Option<(usize, usize)> {
        self.position(span.file, span.end)
    }

    fn position(&self, file: FileId, at: u32) -> Option<(usize, usize)> {
        let (line, range) = self.line(file, at)?;
        let text = self.text(file)?;
        let at = text.floor_char_boundary(at as usize);
        Some((line, text.get(range.start..at)?.chars().count() + 1))
    }

    /// The line at an offset: its number from 1, and its bytes without the line break.
    pub(super) fn line(&self, file: FileId, at: u32) -> Option<(usize, Range<usize>)> {
        let file = self.files.get(file as usize)?;
        if at as usize > file.text.len() {
            return None;
        }
        let line = file.lines.partition_point(|start| *start <= at).max(1);
        let start = *file.lines.get(line - 1)? as usize;
        let end = file.lines.get(line).map_or(file.text.len(), |next| *next as usize - 1);
        Some((line, start..end.max(start)))
    }

    /// `mappings/financials.yaml:99`, for messages at run time; empty for no place.
    pub fn place(&self, span: Span) -> String {
        match (self.path(span.file), self.line_col(span)) {
            (Some(path), Some((line, _))) => format!("{}:{line}", path.display()),
            _ => String::new(),
        }
    }

    /// The place of a part of a scalar: `range` counts bytes of its text. Exact for plain scalars, quoted ones
    /// without escapes and literal blocks; elsewhere (escapes, folded lines, aliases) the whole scalar.
    pub fn inner_span(&self, span: Span, text: &str, range: Range<usize>) -> Span {
        let spelled = self.text(span.file).and_then(|all| all.get(span.start as usize..span.end as usize));
        let (Some(spelled), true) = (spelled, range.start <= range.end && range.end <= text.len()) else {
            return span;
        };
        match (spelled_at(spelled, text, range.start), spelled_at(spelled, text, range.end)) {
            (Some(start), Some(end)) => {
                Span { file: span.file, start: span.start + offset(start), end: span.start + offset(end) }
            }
            _ => span,
        }
    }
}

/// Where a byte of a scalar's text stands in its spelling, if the two go side by side.
fn spelled_at(spelled: &str, text: &str, at: usize) -> Option<usize> {
    for quote in ['"', '\''] {
        if let Some(inner) = spelled.strip_prefix(quote).and_then(|rest| rest.strip_suffix(quote)) {
            return (inner == text).then_some(at + 1);
        }
    }
    if spelled == text {
        return Some(at);
    }
    // a literal block: each line of the text, behind an indentation
    let (mut spelled_start, mut text_start, mut found) = (0, 0, None);
    let mut spelled_lines = spelled.split_inclusive('\n');
    for text_line in text.split_inclusive('\n') {
        let Some(spelled_line) = spelled_lines.next() else { break };
        let (bare, wanted) = (spelled_line.trim_end_matches(['\r', '\n']), text_line.trim_end_matches('\n'));
        let indentation = bare.strip_suffix(wanted)?;
        if !indentation.bytes().all(|byte| byte == b' ') {
            return None;
        }
        if at >= text_start && at <= text_start + wanted.len() {
            found = Some(spelled_start + indentation.len() + at - text_start);
        }
        spelled_start += spelled_line.len();
        text_start += text_line.len();
    }
    // the end of the whole text is the end of its last line
    found.or_else(|| {
        (at == text.len() && text_start == text.len()).then_some(spelled_start.min(spelled.len()))
    })
}

/// Files are at most 1 MiB, so that every offset fits.
fn offset(at: usize) -> u32 {
    u32::try_from(at).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_and_columns_count_characters() {
        let mut sources = Sources::new();
        let file = sources.add("a.yaml", "é: 1\nnäme: x\n");
        assert_eq!(sources.line_col(Span { file, start: 0, end: 1 }), Some((1, 1)));
        assert_eq!(sources.line_col(Span { file, start: 13, end: 14 }), Some((2, 7)));
        assert_eq!(sources.place(Span { file, start: 13, end: 14 }), "a.yaml:2");
        assert_eq!(sources.place(Span::NONE), "");
    }

    #[test]
    fn a_place_inside_a_character_is_that_character() {
        let mut sources = Sources::new();
        let file = sources.add("a.yaml", "a: é b");
        assert_eq!(sources.line_col(Span { file, start: 4, end: 5 }), Some((1, 4)));
        assert_eq!(sources.line_col(Span { file, start: 99, end: 99 }), None);
        assert_eq!(sources.line_col(Span { file: 7, start: 0, end: 0 }), None);
    }

    /// What stands at the place of a part of the scalar that is spelled so.
    fn inner(spelled: &str, text: &str, part: &str) -> String {
        let mut sources = Sources::new();
        let all = format!("k: {spelled}");
        let file = sources.add("a.yaml", all.clone());
        let start = text.find(part).unwrap();
        let span = Span { file, start: 3, end: offset(all.len()) };
        let found = sources.inner_span(span, text, start..start + part.len());
        all[found.start as usize..found.end as usize].to_owned()
    }

    #[test]
    fn a_part_of_a_scalar_is_found_exactly() {
        for (spelled, text, part) in [
            ("abc == x", "abc == x", "== x"),
            ("\"abc == x\"", "abc == x", "x"),
            ("'abc == x'", "abc == x", "abc == x"),
            ("abc\n  def\n  g\n", "abc\ndef\ng\n", "ef"),
            ("abc\n  def\n  g\n", "abc\ndef\ng", "g"),
            ("abc\n    def\n", "abc\n  def\n", "def"),
            ("abc\r\n  def\r\n", "abc\ndef\n", "def"),
        ] {
            assert_eq!(inner(spelled, text, part), part, "{spelled:?}");
        }
        assert_eq!(inner("abc\n  def\n", "abc\ndef\n", "c\nd"), "c\n  d");
    }

    #[test]
    fn where_spelling_and_text_differ_the_whole_scalar_is_the_place() {
        for (spelled, text, part) in [
            ("\"\\x78 x\"", "x x", "x"),
            ("'it''s x'", "it's x", "x"),
            ("*x", "x", "x"),
            ("fold\n  ed\n", "fold ed", "ed"),
        ] {
            assert_eq!(inner(spelled, text, part), spelled);
        }
        let (sources, span) = (Sources::new(), Span { file: 0, start: 1, end: 2 });
        assert_eq!(sources.inner_span(span, "x", 0..1), span);
    }
}
