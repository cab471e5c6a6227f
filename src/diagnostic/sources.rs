//! The texts that findings point into.

use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::{FileId, Span};

/// The files of one command: their texts and where each line begins. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Sources {
    files: Vec<Arc<File>>,
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

    /// Adds a file.
    pub fn add(&mut self, path: impl Into<PathBuf>, text: impl Into<String>) -> FileId {
        let text = text.into();
        let mut lines = vec![0];
        lines.extend(text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n').map(|(i, _)| offset(i + 1)));
        self.files.push(Arc::new(File { path: path.into(), text, lines }));
        offset(self.files.len() - 1)
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
        let file = self.files.get(file as usize)?;
        let line = file.lines.partition_point(|start| *start <= at).max(1);
        let start = *file.lines.get(line - 1)? as usize;
        let column = file.text.get(start..at as usize)?.chars().count() + 1;
        Some((line, column))
    }

    /// `mappings/financials.yaml:99`, for messages at run time; empty for no place.
    pub fn place(&self, span: Span) -> String {
        match (self.path(span.file), self.line_col(span)) {
            (Some(path), Some((line, _))) => format!("{}:{line}", path.display()),
            _ => String::new(),
        }
    }

    /// The place of a part of a scalar: `range` counts bytes of its text. Where the scalar's spelling differs
    /// from its text (escapes, folded lines), the whole scalar is the answer.
    pub fn inner_span(&self, span: Span, text: &str, range: Range<usize>) -> Span {
        let Some(spelled) =
            self.text(span.file).and_then(|all| all.get(span.start as usize..span.end as usize))
        else {
            return span;
        };
        match spelled.find(text) {
            Some(at) if range.start <= range.end && range.end <= text.len() => Span {
                file: span.file,
                start: span.start + offset(at + range.start),
                end: span.start + offset(at + range.end),
            },
            _ => span,
        }
    }
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
    fn a_part_of_a_quoted_scalar_is_found() {
        let mut sources = Sources::new();
        let file = sources.add("a.yaml", "when: \"abc == x\"\n");
        let span = Span { file, start: 6, end: 16 };
        assert_eq!(sources.inner_span(span, "abc == x", 7..8), Span { file, start: 14, end: 15 });
        assert_eq!(sources.inner_span(span, "other", 0..1), span);
    }
}
