//! YAML as people write it: quotes only where they are needed, comments in one line.

/// A text as a YAML scalar.
pub(crate) fn scalar(text: &str) -> String {
    let plain = text.starts_with(|c: char| c.is_ascii_alphabetic() || matches!(c, '/' | '_' | '$'))
        && !text.ends_with([' ', ':'])
        && text.chars().all(|c| {
            c.is_alphanumeric()
                || matches!(c, ' ' | '_' | '-' | '/' | '.' | '$' | '(' | ')' | ';' | '+' | '=')
        })
        && !text.contains(" -")
        && !is_word(text);
    if plain { text.to_owned() } else { quoted(text) }
}

/// A text in double quotes.
pub(crate) fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            // C1 controls and separators are line breaks to some readers
            c if c.is_control() || matches!(c, '\u{2028}' | '\u{2029}' | '\u{feff}') => {
                out.push_str(&format!("\\u{:04x}", u32::from(c)));
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

/// Words that some reader of YAML takes for something else than text.
fn is_word(text: &str) -> bool {
    matches!(
        text.to_ascii_lowercase().as_str(),
        "true" | "false" | "yes" | "no" | "on" | "off" | "y" | "n" | "null" | "none" | "nan" | "inf"
    )
}

/// What a comment can hold: one line, at most so many characters.
pub(crate) fn one_line(text: &str, most: usize) -> String {
    let joined = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let joined: String = joined.chars().filter(|c| !c.is_control()).collect();
    if joined.chars().count() <= most {
        return joined;
    }
    let cut: String = joined.chars().take(most.saturating_sub(1)).collect();
    let cut = cut.rsplit_once(' ').map_or(cut.as_str(), |(before, _)| before);
    format!("{}…", cut.trim_end_matches([',', ';', ':', '.', ' ']))
}

/// The first sentence of a description, without the marks of a page.
pub(crate) fn first_sentence(text: &str, most: usize) -> String {
    let mut plain = one_line(text, 2000);
    for (mark, sign) in [
        ("<br>", " "),
        ("<br/>", " "),
        ("<p>", " "),
        ("</p>", " "),
        ("&gt;", ">"),
        ("&lt;", "<"),
        ("&quot;", "\""),
        ("&#39;", "'"),
        ("&nbsp;", " "),
        ("**", ""),
        ("`", ""),
        ("&amp;", "&"),
    ] {
        plain = plain.replace(mark, sign);
    }
    let line = one_line(&plain, 2000);
    let end = line.find(". ").unwrap_or(line.len());
    one_line(line[..end].trim_end_matches('.'), most)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::diagnostic::{Diagnostics, Sources};
    use crate::spec::yaml::{Kind, parse};

    #[test]
    fn every_text_reads_back_as_itself() {
        for text in [
            "Active",
            "no",
            "True",
            "12",
            "1.5",
            "",
            " x",
            "a: b",
            "a #b",
            "- a",
            "{a}",
            "it's",
            "\"q\"",
            "tab\there",
            "line\nbreak",
            "a\\b",
            "Åse",
            "@type",
            "%x",
            "a, b",
            "null",
            "~",
            "2026-01-01",
            "x:",
            "a -b",
            "\u{85}",
        ] {
            for yaml in [format!("k: {}", scalar(text)), format!("k: {{ v: {}, w: 1 }}", scalar(text))] {
                let mut found = Diagnostics::new();
                let node = parse(&mut Sources::new(), Path::new("t"), &yaml, &mut found).unwrap();
                assert!(!found.has_errors(), "{yaml}: {found:?}");
                let value = node.get("k").unwrap();
                let value = value.get("v").unwrap_or(value);
                assert!(
                    matches!(&value.kind, Kind::Text { text: read, .. } if read == text),
                    "{yaml}: {value:?}"
                );
            }
        }
    }

    #[test]
    fn comments_are_one_line() {
        assert_eq!(one_line("a\n  b\r\nc", 80), "a b c");
        assert_eq!(one_line("one two three four", 12), "one two…");
        assert_eq!(first_sentence("The name. It is long.", 80), "The name");
        assert_eq!(first_sentence("Settings &gt; <br>**Name**", 80), "Settings > Name");
    }
}
