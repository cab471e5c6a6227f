//! What a plain word is: YAML 1.2's core schema, without its guesses.

use super::node::Kind;

/// The kind of a plain (unquoted) scalar.
pub(super) fn plain(text: &str) -> Kind {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => Kind::Null,
        "true" => Kind::Bool(true),
        "false" => Kind::Bool(false),
        _ if is_number(text) => Kind::Number(text.to_owned()),
        _ => Kind::Text { text: text.to_owned(), quoted: false },
    }
}

/// What a YAML 1.1 reader makes of a plain word that is text here.
pub(super) fn other_bool(text: &str) -> Option<bool> {
    if text.len() > 5 || matches!(text, "true" | "false") {
        return None;
    }
    match text.to_ascii_lowercase().as_str() {
        "y" | "yes" | "on" | "true" => Some(true),
        "n" | "no" | "off" | "false" => Some(false),
        _ => None,
    }
}

/// Whether this is a JSON number: nothing is guessed from `0777`, `1_000`, `0x1F`, `.5`.
pub(super) fn is_number(text: &str) -> bool {
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

    #[test]
    fn numbers_keep_their_digits_and_are_never_guessed() {
        for text in ["0", "0.10", "-12", "1e5", "1.5E-3", "-0", "18446744073709551616"] {
            assert_eq!(plain(text), Kind::Number(text.into()));
        }
        for text in [
            "0777",
            "1_000",
            "0o17",
            "0x1F",
            ".5",
            "5.",
            "+1",
            ".inf",
            "-.INF",
            ".nan",
            "12:30",
            "2026-11-25",
            "1e",
            "-",
            "1.2.3",
            "１",
        ] {
            assert_eq!(plain(text), Kind::Text { text: text.into(), quoted: false });
        }
    }

    #[test]
    fn only_two_words_are_booleans() {
        assert_eq!(plain("true"), Kind::Bool(true));
        assert_eq!(plain("false"), Kind::Bool(false));
        for (text, other) in [
            ("NO", Some(false)),
            ("on", Some(true)),
            ("Yes", Some(true)),
            ("Off", Some(false)),
            ("y", Some(true)),
            ("TRUE", Some(true)),
            ("true", None),
            ("Norway", None),
            ("none", None),
        ] {
            assert_eq!(other_bool(text), other, "{text}");
        }
        assert_eq!(plain("NO"), Kind::Text { text: "NO".into(), quoted: false });
    }

    #[test]
    fn nothing_is_written_in_five_ways() {
        for text in ["", "~", "null", "Null", "NULL"] {
            assert_eq!(plain(text), Kind::Null);
        }
        assert_eq!(plain("nULL"), Kind::Text { text: "nULL".into(), quoted: false });
    }
}
