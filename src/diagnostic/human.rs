//! One finding for people: its title, the line it is about, what is wrong, what to do.

use std::ops::Range;

use annotate_snippets::renderer::DecorStyle;
use annotate_snippets::{Annotation, AnnotationKind, Level as Shown, Origin, Renderer, Snippet};

use super::render::visible;
use super::{Diagnostic, Level, Sources, Span};

/// A place further away than this gets a snippet of its own.
const NEAR_LINES: usize = 100;
/// No snippet is shown of longer lines: nobody could read it.
const MAX_LINE: usize = 2000;

pub(super) fn human(diagnostic: &Diagnostic, sources: &Sources, color: bool) -> String {
    let level = match diagnostic.level {
        Level::Error => Shown::ERROR,
        Level::Warning => Shown::WARNING,
    };
    let mut group =
        level.primary_title(diagnostic.code.title).id(diagnostic.code.id).elements([] as [Origin; 0]);

    let mut notes = Vec::new();
    let message = visible(&diagnostic.message).replace('\n', " ");
    match Place::of(diagnostic.span, sources) {
        Some(place) if place.is_shown() => {
            let mut places = vec![(place, AnnotationKind::Primary, message)];
            for (span, text) in &diagnostic.labels {
                match Place::of(*span, sources) {
                    Some(place) if place.is_shown() => {
                        places.push((place, AnnotationKind::Context, visible(text).replace('\n', " ")));
                    }
                    _ => notes.push(visible(text)),
                }
            }
            for snippet in snippets(places) {
                group = group.element(snippet);
            }
        }
        Some(place) => {
            group = group.element(Origin::path(place.path()).line(place.line).char_column(place.column()));
            notes.push(visible(&diagnostic.message));
        }
        None => notes.push(visible(&diagnostic.message)),
    }
    for note in notes {
        group = group.element(Shown::NOTE.message(note));
    }
    for help in &diagnostic.help {
        group = group.element(Shown::HELP.message(visible(help)));
    }
    let renderer = if color { Renderer::styled() } else { Renderer::plain() };
    renderer.decor_style(DecorStyle::Ascii).render(&[group]).to_string()
}

/// A place and its line. Only lines that are shown are handed to the renderer: it would read the whole file
/// for every finding.
struct Place<'s> {
    span: Span,
    sources: &'s Sources,
    text: &'s str,
    line: usize,
    bytes: Range<usize>,
}

impl<'s> Place<'s> {
    fn of(span: Span, sources: &'s Sources) -> Option<Self> {
        let text = sources.text(span.file)?;
        let last = u32::try_from(text.len()).unwrap_or(u32::MAX);
        let (line, bytes) = sources.line(span.file, span.start.min(last))?;
        Some(Place { span, sources, text, line, bytes })
    }

    fn is_shown(&self) -> bool {
        self.bytes.len() <= MAX_LINE && self.sources.may_show(self.span.file)
    }

    fn path(&self) -> String {
        self.sources.path(self.span.file).map(|path| visible(&path.display().to_string())).unwrap_or_default()
    }

    fn column(&self) -> usize {
        self.sources.line_col(self.span).map_or(1, |(_, column)| column)
    }

    /// What is underlined: at least one character, whole ones, and of a long node only the first line.
    fn underlined(&self) -> Range<usize> {
        let start = self.text.floor_char_boundary(self.span.start as usize);
        let mut end =
            self.text.ceil_char_boundary(self.span.end as usize).clamp(start, self.bytes.end.max(start));
        if end == start {
            end = self.text[start..].chars().next().map_or(start, |one| start + one.len_utf8());
        }
        start..end
    }
}

/// Places near each other in one snippet, others in one each; the first is what it is about.
fn snippets(places: Vec<(Place<'_>, AnnotationKind, String)>) -> Vec<Snippet<'_, Annotation<'_>>> {
    let mut groups: Vec<Vec<(Place<'_>, AnnotationKind, String)>> = Vec::new();
    for one in places {
        let near = groups.iter_mut().find(|group| {
            let first = &group[0].0;
            first.span.file == one.0.span.file && first.line.abs_diff(one.0.line) <= NEAR_LINES
        });
        match near {
            Some(group) => group.push(one),
            None => groups.push(vec![one]),
        }
    }
    groups.into_iter().map(snippet).collect()
}

fn snippet(places: Vec<(Place<'_>, AnnotationKind, String)>) -> Snippet<'_, Annotation<'_>> {
    let first = &places[0].0;
    let path = first.path();
    let top = places.iter().map(|(place, ..)| place).min_by_key(|place| place.line).unwrap_or(first);
    let (line, start) = (top.line, top.bytes.start);
    let bottom = places.iter().map(|(place, ..)| place.bytes.end).max().unwrap_or(start);
    // with its line break: the place may be just there
    let end = first.text[bottom..].chars().next().map_or(bottom, |one| bottom + one.len_utf8());
    let source = &first.text[start..end];
    places.into_iter().fold(
        Snippet::source(source).line_start(line).path(path),
        |snippet, (place, kind, label)| {
            let Range { start: from, end: to } = place.underlined();
            snippet.annotation(kind.span(from - start..to.min(end) - start).label(label))
        },
    )
}

#[cfg(test)]
mod tests {
    use super::super::{Diagnostics, Format, codes, render};
    use super::*;

    fn shown(diagnostic: Diagnostic, sources: &Sources) -> String {
        let mut all = Diagnostics::new();
        all.push(diagnostic);
        render(&all, sources, Format::Human { color: false })
    }

    fn sample() -> (Sources, u32) {
        let mut sources = Sources::new();
        let file = sources.add("m.yaml", "mapping: x\nregisers:\n  a: é\u{1b}[31m\nb: 2");
        (sources, file)
    }

    #[test]
    fn a_finding() {
        let (sources, file) = sample();
        let finding = Diagnostic::error(
            &codes::UNKNOWN_KEY,
            Span { file, start: 11, end: 19 },
            "`regisers` is not known here",
        )
        .help("did you mean `registers`?");
        assert_eq!(
            shown(finding.clone(), &sources),
            "\
error[ME0102]: unknown key
 --> m.yaml:2:1
  |
2 | regisers:
  | ^^^^^^^^ `regisers` is not known here
  |
  = help: did you mean `registers`?

"
        );
        let mut all = Diagnostics::new();
        all.push(finding);
        let colored = render(&all, &sources, Format::Human { color: true });
        assert!(colored.starts_with("\u{1b}[1m\u{1b}[91merror[ME0102]"), "{colored:?}");
    }

    #[test]
    fn other_places_near_far_and_in_other_files() {
        let mut sources = Sources::new();
        let file = sources.add("a.yaml", format!("a: 1\nb: 2\n{}a: 3\n", "#\n".repeat(500)));
        let other = sources.add("b.yaml", "x: 1\n");
        let far = Span { file, start: 1010, end: 1011 };
        let finding = Diagnostic::error(&codes::DUPLICATE_KEY, far, "`a` stands twice")
            .label(Span { file, start: 0, end: 1 }, "first here")
            .label(Span { file: other, start: 0, end: 1 }, "and here")
            .label(Span::NONE, "and in a file made in code");
        assert_eq!(
            shown(finding, &sources),
            "\
error[ME0105]: a key stands twice
   --> a.yaml:503:1
    |
503 | a: 3
    | ^ `a` stands twice
    |
   ::: a.yaml:1:1
    |
  1 | a: 1
    | - first here
    |
   ::: b.yaml:1:1
    |
  1 | x: 1
    | - and here
    |
    = note: and in a file made in code

"
        );
    }

    #[test]
    fn what_would_do_something_to_a_terminal_is_shown() {
        let (sources, file) = sample();
        let finding = Diagnostic::error(
            &codes::WRONG_TYPE,
            Span { file, start: 26, end: 27 },
            "a\u{1b}[31m\nb\u{202e}",
        )
        .help("one\n\u{7}two");
        assert_eq!(
            shown(finding, &sources),
            "\
error[ME0104]: wrong kind of value
 --> m.yaml:3:6
  |
3 |   a: é␛[31m
  |      ^ a␛[31m b\u{fffd}
  |
  = help: one
          ␇two

"
        );
    }

    #[test]
    fn any_place_can_be_drawn() {
        let (sources, file) = sample();
        for start in 0..60 {
            for end in 0..60 {
                let text =
                    shown(Diagnostic::error(&codes::WRONG_TYPE, Span { file, start, end }, "x"), &sources);
                assert!(text.contains("--> m.yaml:") && text.contains('^'), "{start}..{end}: {text}");
            }
        }
        let text = shown(Diagnostic::error(&codes::WRONG_TYPE, Span::NONE, "x"), &sources);
        assert_eq!(text, "error[ME0104]: wrong kind of value\n |\n = note: x\n\n");
    }

    #[test]
    fn of_a_very_long_line_only_the_place_is_shown() {
        let mut sources = Sources::new();
        let file = sources.add("a.yaml", format!("a: [{}]\n", "x,".repeat(5000)));
        let finding =
            Diagnostic::error(&codes::WRONG_TYPE, Span { file, start: 4, end: 5 }, "a number is wanted");
        assert_eq!(
            shown(finding.help("h"), &sources),
            "error[ME0104]: wrong kind of value\n--> a.yaml:1:5\n = note: a number is wanted\n = help: h\n\n"
        );
    }
}
