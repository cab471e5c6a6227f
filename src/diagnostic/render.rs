//! Drawing findings: for people, for programs, for GitHub.

use annotate_snippets::renderer::DecorStyle;
use annotate_snippets::{AnnotationKind, Level as Shown, Renderer, Snippet};

use super::{Diagnostic, Diagnostics, Level, Sources, Span};
use crate::value::{Map, Value};

/// How findings are drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// With the snippet, for people.
    Human {
        /// With colours.
        color: bool,
    },
    /// A JSON list.
    Json,
    /// GitHub Actions annotations.
    Github,
}

/// Draws findings in the order of their places.
pub fn render(diagnostics: &Diagnostics, sources: &Sources, format: Format) -> String {
    let sorted = diagnostics.sorted();
    match format {
        Format::Human { color } => {
            let renderer = if color { Renderer::styled() } else { Renderer::plain() };
            let renderer = renderer.decor_style(DecorStyle::Ascii);
            sorted.iter().map(|one| human(one, sources, &renderer) + "\n\n").collect()
        }
        Format::Json => {
            let all: Vec<Value> = sorted.iter().map(|one| json(one, sources)).collect();
            Value::List(all).to_json() + "\n"
        }
        Format::Github => sorted.iter().map(|one| github(one, sources) + "\n").collect(),
    }
}

fn human(diagnostic: &Diagnostic, sources: &Sources, renderer: &Renderer) -> String {
    let level = match diagnostic.level {
        Level::Error => Shown::ERROR,
        Level::Warning => Shown::WARNING,
    };
    let title = level.primary_title(diagnostic.code.title).id(diagnostic.code.id);
    let path = sources.path(diagnostic.span.file).map(|path| path.display().to_string());
    let mut groups = Vec::new();
    match (sources.text(diagnostic.span.file), path) {
        (Some(text), Some(path)) => {
            let mut snippet = Snippet::source(text).line_start(1).path(path).annotation(
                AnnotationKind::Primary.span(range(diagnostic.span, text)).label(diagnostic.message.as_str()),
            );
            for (span, label) in &diagnostic.labels {
                if span.file == diagnostic.span.file {
                    snippet = snippet
                        .annotation(AnnotationKind::Context.span(range(*span, text)).label(label.as_str()));
                }
            }
            let mut group = title.element(snippet);
            for help in &diagnostic.help {
                group = group.element(Shown::HELP.message(help.as_str()));
            }
            groups.push(group);
        }
        _ => {
            let mut group = title.element(Shown::NOTE.message(diagnostic.message.as_str()));
            for help in &diagnostic.help {
                group = group.element(Shown::HELP.message(help.as_str()));
            }
            groups.push(group);
        }
    }
    renderer.render(&groups).to_string()
}

/// At least one character is underlined, and never past the end.
fn range(span: Span, text: &str) -> std::ops::Range<usize> {
    let start = (span.start as usize).min(text.len());
    let mut end = (span.end as usize).clamp(start, text.len());
    // only the first line of a long node is underlined
    if let Some(line) = text.get(start..end).and_then(|part| part.find('\n')) {
        end = start + line;
    }
    if end == start {
        end = text[start..].chars().next().map_or(start, |one| start + one.len_utf8());
    }
    start..end
}

fn json(diagnostic: &Diagnostic, sources: &Sources) -> Value {
    let mut map = Map::new();
    map.insert("code".into(), Value::text(diagnostic.code.id));
    map.insert("title".into(), Value::text(diagnostic.code.title));
    map.insert("level".into(), Value::text(diagnostic.level.name()));
    map.insert("message".into(), Value::text(diagnostic.message.clone()));
    if let Some(path) = sources.path(diagnostic.span.file) {
        map.insert("file".into(), Value::text(path.display().to_string()));
    }
    if let (Some((line, column)), Some((end_line, end_column))) =
        (sources.line_col(diagnostic.span), sources.end_line_col(diagnostic.span))
    {
        for (name, number) in
            [("line", line), ("column", column), ("end_line", end_line), ("end_column", end_column)]
        {
            map.insert(name.into(), Value::from(number as u64));
        }
    }
    map.insert(
        "help".into(),
        Value::List(diagnostic.help.iter().map(|help| Value::text(help.clone())).collect()),
    );
    Value::Map(map)
}

fn github(diagnostic: &Diagnostic, sources: &Sources) -> String {
    let mut parts = Vec::new();
    if let Some(path) = sources.path(diagnostic.span.file) {
        parts.push(format!("file={}", property(&path.display().to_string())));
    }
    if let (Some((line, column)), Some((end_line, end_column))) =
        (sources.line_col(diagnostic.span), sources.end_line_col(diagnostic.span))
    {
        parts.push(format!("line={line},endLine={end_line},col={column},endColumn={end_column}"));
    }
    parts.push(format!("title={}", property(&format!("{} {}", diagnostic.code.id, diagnostic.code.title))));
    let mut message = diagnostic.message.clone();
    for help in &diagnostic.help {
        message.push_str("\nhelp: ");
        message.push_str(help);
    }
    format!("::{} {}::{}", diagnostic.level.name(), parts.join(","), data(&message))
}

/// What GitHub's workflow commands want escaped in a message.
fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// What they want escaped in a property.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::super::codes;
    use super::*;

    fn sample() -> (Diagnostics, Sources) {
        let mut sources = Sources::new();
        let file = sources.add("m.yaml", "mapping: x\nregisers:\n  a: 1\n");
        let mut all = Diagnostics::new();
        all.push(
            Diagnostic::error(
                &codes::UNKNOWN_KEY,
                Span { file, start: 11, end: 19 },
                "`regisers` is not known here",
            )
            .help("did you mean `registers`?"),
        );
        (all, sources)
    }

    #[test]
    fn for_people() {
        let (all, sources) = sample();
        assert_eq!(
            render(&all, &sources, Format::Human { color: false }),
            "error[ME0102]: unknown key\n --> m.yaml:2:1\n  |\n2 | regisers:\n  | ^^^^^^^^ `regisers` is not known here\n  |\n  = help: did you mean `registers`?\n\n"
        );
    }

    #[test]
    fn for_programs() {
        let (all, sources) = sample();
        assert_eq!(
            render(&all, &sources, Format::Json),
            "[{\"code\":\"ME0102\",\"title\":\"unknown key\",\"level\":\"error\",\"message\":\"`regisers` is not known here\",\"file\":\"m.yaml\",\"line\":2,\"column\":1,\"end_line\":2,\"end_column\":9,\"help\":[\"did you mean `registers`?\"]}]\n"
        );
    }

    #[test]
    fn for_github() {
        let (all, sources) = sample();
        assert_eq!(
            render(&all, &sources, Format::Github),
            "::error file=m.yaml,line=2,endLine=2,col=1,endColumn=9,title=ME0102 unknown key::`regisers` is not known here%0Ahelp: did you mean `registers`?\n"
        );
    }
}
