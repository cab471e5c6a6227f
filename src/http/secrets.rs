//! Keeps secrets and control characters out of every text that leaves this room (reliability S2, S12).

use std::cell::RefCell;
use std::collections::VecDeque;
use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use percent_encoding::{NON_ALPHANUMERIC, percent_encode};

use crate::value::Value;

/// What stands in a secret's place.
const MASK: &str = "•••";

/// Tokens come and go; those that may still be echoed are the last few.
const TOKENS_KEPT: usize = 8;

/// The shortest piece of base64 that is looked for: shorter ones are found in innocent texts.
const SHORTEST_PIECE: usize = 8;

/// Knows the secrets of a connection and takes them out of texts.
#[derive(Default)]
pub struct Scrubber {
    fixed: RefCell<Vec<String>>,
    tokens: RefCell<VecDeque<Vec<String>>>,
}

impl fmt::Debug for Scrubber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Scrubber({} secrets)", self.fixed.borrow().len() + self.tokens.borrow().len())
    }
}

impl Scrubber {
    /// Adds a secret, in all spellings in which it may come back.
    pub fn add(&self, secret: &str) {
        self.fixed.borrow_mut().extend(spellings(secret));
    }

    /// Adds a token; the oldest is forgotten.
    pub fn add_token(&self, token: &str) {
        let mut tokens = self.tokens.borrow_mut();
        tokens.push_back(spellings(token));
        if tokens.len() > TOKENS_KEPT {
            tokens.pop_front();
        }
    }

    /// The text with every secret replaced by `•••`, control characters taken out, line breaks made spaces.
    pub fn clean(&self, text: &str) -> String {
        without_controls(&self.mask(text))
    }

    /// The text with every secret replaced by `•••`.
    pub fn mask(&self, text: &str) -> String {
        let fixed = self.fixed.borrow();
        let tokens = self.tokens.borrow();
        let mut found: Vec<&String> = fixed
            .iter()
            .chain(tokens.iter().flatten())
            .filter(|needle| text.contains(needle.as_str()))
            .collect();
        // a secret may be a part of another one: the longest first, so that no rest of it stays
        found.sort_by_key(|needle| std::cmp::Reverse(needle.len()));
        found.into_iter().fold(text.to_owned(), |text, needle| text.replace(needle.as_str(), MASK))
    }

    /// The value with every secret in its texts replaced by `•••`.
    pub fn mask_value(&self, value: &Value) -> Value {
        match value {
            Value::Text(text) => Value::Text(self.mask(text)),
            Value::List(items) => Value::List(items.iter().map(|item| self.mask_value(item)).collect()),
            Value::Map(map) => {
                Value::Map(map.iter().map(|(key, value)| (key.clone(), self.mask_value(value))).collect())
            }
            other => other.clone(),
        }
    }
}

fn spellings(secret: &str) -> Vec<String> {
    if secret.is_empty() {
        return Vec::new();
    }
    let percent = percent_encode(secret.as_bytes(), NON_ALPHANUMERIC).to_string();
    let form: String = url::form_urlencoded::byte_serialize(secret.as_bytes()).collect();
    let json = Value::text(secret).to_json();
    let mut all = vec![
        secret.to_owned(),
        percent.to_lowercase(),
        percent,
        form.to_lowercase(),
        form,
        json[1..json.len() - 1].to_owned(),
    ];
    for engine in [&STANDARD_NO_PAD, &URL_SAFE_NO_PAD] {
        all.push(engine.encode(secret));
        // inside the base64 of a longer text (`user:password`) the secret begins at any of three places of a group
        // of four characters; the characters at both ends also hold bits of the neighbours and are left out
        for before in 0..3 {
            let mut bytes = vec![0_u8; before];
            bytes.extend_from_slice(secret.as_bytes());
            let whole = bytes.len() / 3 * 4;
            let from = [0, 2, 3][before];
            let encoded = engine.encode(&bytes);
            if whole > from && whole - from >= SHORTEST_PIECE {
                all.push(encoded[from..whole].to_owned());
            }
        }
    }
    all.sort();
    all.dedup();
    all
}

/// The text on one line, without control characters and without marks that turn the direction of writing.
fn without_controls(text: &str) -> String {
    text.chars()
        .filter_map(|c| match c {
            '\n' | '\r' | '\t' | '\u{2028}' | '\u{2029}' => Some(' '),
            '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => None,
            c if c.is_control() => None,
            c => Some(c),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use base64::engine::general_purpose::STANDARD;

    use super::*;

    #[test]
    fn a_secret_is_masked_in_every_spelling() {
        let scrubber = Scrubber::default();
        let secret = "s3cret+/ canary\"9";
        scrubber.add(secret);
        let basic = STANDARD.encode(format!("someone:{secret}"));
        for text in [
            secret.to_owned(),
            STANDARD.encode(secret),
            percent_encode(secret.as_bytes(), NON_ALPHANUMERIC).to_string(),
            percent_encode(secret.as_bytes(), NON_ALPHANUMERIC).to_string().to_lowercase(),
            url::form_urlencoded::byte_serialize(secret.as_bytes()).collect(),
            Value::text(secret).to_json(),
        ] {
            let cleaned = scrubber.clean(&format!("before {text} after"));
            assert!(
                cleaned.starts_with("before ") && cleaned.contains(MASK) && cleaned.ends_with(" after"),
                "{cleaned}"
            );
            assert!(!cleaned.contains("anary"), "{cleaned}");
        }
        for user in ["a", "ab", "abc", "someone"] {
            let basic = STANDARD.encode(format!("{user}:{secret}"));
            assert!(scrubber.clean(&basic).contains(MASK), "{basic}");
        }
        assert!(!scrubber.clean(&basic).contains(&STANDARD.encode(secret)[4..12]));
    }

    #[test]
    fn the_longer_secret_goes_first() {
        let scrubber = Scrubber::default();
        scrubber.add("abc");
        scrubber.add("abc-long-tail");
        assert_eq!(scrubber.clean("x abc-long-tail y abc z"), "x ••• y ••• z");
    }

    #[test]
    fn an_empty_secret_masks_nothing() {
        let scrubber = Scrubber::default();
        scrubber.add("");
        assert_eq!(scrubber.clean("text"), "text");
    }

    #[test]
    fn terminal_escapes_do_not_get_through() {
        let scrubber = Scrubber::default();
        assert_eq!(scrubber.clean("a\u{1b}[31mred\u{7}\r\nb\u{202e}c\u{9b}d"), "a[31mred  bcd");
    }

    #[test]
    fn old_tokens_are_forgotten() {
        let scrubber = Scrubber::default();
        for n in 0..20 {
            scrubber.add_token(&format!("token-number-{n:02}"));
        }
        assert_eq!(scrubber.clean("token-number-19"), MASK);
        assert_eq!(scrubber.tokens.borrow().len(), TOKENS_KEPT);
        assert_eq!(format!("{scrubber:?}"), "Scrubber(8 secrets)");
    }
}
