//! Drawing findings: for people, for programs, for GitHub.

use schemars::JsonSchema;
use serde::Serialize;

use super::human::human;
use super::{Diagnostic, Diagnostics, Sources};

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
    let left_out = diagnostics.left_out();
    let all = diagnostics.sorted().into_iter().chain(&left_out);
    match format {
        Format::Human { color } => all.map(|one| human(one, sources, color) + "\n\n").collect(),
        Format::Json => {
            let all: Vec<Finding> = all.map(|one| json(one, sources)).collect();
            serde_json::to_string(&all).unwrap_or_default() + "\n"
        }
        Format::Github => all.map(|one| github(one, sources) + "\n").collect(),
    }
}

/// A finding for programs.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Finding {
    /// Its code: `mapengine explain CODE` tells more.
    code: &'static str,
    /// What the code means.
    title: &'static str,
    /// `error` or `warning`.
    level: &'static str,
    /// What is wrong.
    message: String,
    /// The file it is in.
    #[serde(skip_serializing_if = "Option::is_none")]
    file: Option<String>,
    /// The line where it begins, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    line: Option<usize>,
    /// The character of that line, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    column: Option<usize>,
    /// The line where it ends.
    #[serde(skip_serializing_if = "Option::is_none")]
    end_line: Option<usize>,
    /// The character of that line.
    #[serde(skip_serializing_if = "Option::is_none")]
    end_column: Option<usize>,
    /// What to do.
    help: Vec<String>,
}

fn json(diagnostic: &Diagnostic, sources: &Sources) -> Finding {
    let places = sources.line_col(diagnostic.span).zip(sources.end_line_col(diagnostic.span));
    let (begin, end) = places.unzip();
    Finding {
        code: diagnostic.code.id,
        title: diagnostic.code.title,
        level: diagnostic.level.name(),
        message: diagnostic.message.clone(),
        file: sources.path(diagnostic.span.file).map(|path| path.display().to_string()),
        line: begin.map(|(line, _)| line),
        column: begin.map(|(_, column)| column),
        end_line: end.map(|(line, _)| line),
        end_column: end.map(|(_, column)| column),
        help: diagnostic.help.clone(),
    }
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
    visible(text).replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// What they want escaped in a property.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

/// The same text without characters that do something to a terminal or a log: they are shown instead. Texts
/// come from files and from other systems.
pub(super) fn visible(text: &str) -> String {
    let shown = |one: char| match one {
        '\n' => one,
        '\t' => ' ',
        '\0'..='\u{1f}' => char::from_u32(0x2400 + u32::from(one)).unwrap_or('\u{fffd}'),
        '\u{7f}' => '\u{2421}',
        // what turns the direction of writing, and what is not seen
        '\u{80}'..='\u{9f}'
        | '\u{200b}'..='\u{200f}'
        | '\u{202a}'..='\u{202e}'
        | '\u{2066}'..='\u{2069}'
        | '\u{feff}' => '\u{fffd}',
        _ => one,
    };
    text.chars().map(shown).collect()
}

#[cfg(test)]
mod tests {
    use super::super::{Level, Span, codes};
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

    #[test]
    fn github_is_given_nothing_that_it_could_take_for_a_command() {
        let (_, mut sources) = sample();
        let file = sources.add("a,b:c%.yaml", "x: 1\n");
        let mut all = Diagnostics::new();
        let message = "100 %\r\n::error::\u{1b}[31m";
        all.push(Diagnostic::warning(&codes::AMBIGUOUS, Span { file, start: 0, end: 1 }, message));
        assert_eq!(
            render(&all, &sources, Format::Github),
            "::warning file=a%2Cb%3Ac%25.yaml,line=1,endLine=1,col=1,endColumn=2,title=ME0107 a word that other readers take for true or false::100 %25␍%0A::error::␛[31m\n"
        );
    }

    #[test]
    fn without_a_place() {
        let mut all = Diagnostics::new();
        all.push(Diagnostic::error(&codes::CANNOT_READ, Span::NONE, "x.yaml: there is no such file"));
        let sources = Sources::new();
        assert_eq!(
            render(&all, &sources, Format::Json),
            "[{\"code\":\"ME0114\",\"title\":\"the file cannot be read\",\"level\":\"error\",\"message\":\"x.yaml: there is no such file\",\"help\":[]}]\n"
        );
        assert_eq!(
            render(&all, &sources, Format::Github),
            "::error title=ME0114 the file cannot be read::x.yaml: there is no such file\n"
        );
        assert_eq!(render(&Diagnostics::new(), &sources, Format::Json), "[]\n");
        assert_eq!(Level::Warning.name(), "warning");
    }
}
