//! Texts as bytes in the character sets that XML documents come in.

use std::borrow::Cow;

use encoding_rs::{Encoding, ISO_8859_15, UTF_8};
use schemars::JsonSchema;
use serde::Deserialize;

/// A character set that is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
pub enum Charset {
    /// UTF-8.
    #[default]
    #[serde(rename = "utf-8")]
    Utf8,
    /// ISO-8859-1 (Latin 1).
    #[serde(rename = "iso-8859-1")]
    Latin1,
    /// ISO-8859-15 (Latin 9: with the euro sign).
    #[serde(rename = "iso-8859-15")]
    Latin9,
}

impl Charset {
    /// Its name in declarations.
    pub fn name(self) -> &'static str {
        match self {
            Charset::Utf8 => "UTF-8",
            Charset::Latin1 => "ISO-8859-1",
            Charset::Latin9 => "ISO-8859-15",
        }
    }

    /// The bytes of a text.
    ///
    /// # Errors
    /// The first character that the set does not have: nothing is ever sent as `?`.
    pub fn encode(self, text: &str) -> Result<Vec<u8>, char> {
        let mut bytes = Vec::with_capacity(text.len());
        for c in text.chars() {
            match self.byte(c) {
                Some(byte) => bytes.push(byte),
                None if self == Charset::Utf8 => {
                    bytes.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes())
                }
                None => return Err(c),
            }
        }
        Ok(bytes)
    }

    /// Whether the set has this character.
    pub fn has(self, c: char) -> bool {
        self == Charset::Utf8 || self.byte(c).is_some()
    }

    fn byte(self, c: char) -> Option<u8> {
        match self {
            _ if c.is_ascii() => u8::try_from(c).ok(),
            Charset::Utf8 => None,
            // encoding_rs follows the web, where this name means windows-1252: its table has other characters
            Charset::Latin1 => u8::try_from(u32::from(c)).ok(),
            Charset::Latin9 => match ISO_8859_15.encode(c.encode_utf8(&mut [0; 4])) {
                (bytes, _, false) => bytes.first().copied().filter(|_| bytes.len() == 1),
                _ => None,
            },
        }
    }
}

/// The text of bytes: in the set that a mark at their beginning says, else that of `told` (a header), else that of
/// `declared`, else UTF-8.
///
/// # Errors
/// A set that is not known, or bytes that are no text in it.
pub fn decode<'b>(
    bytes: &'b [u8],
    told: Option<&str>,
    declared: Option<&str>,
) -> Result<Cow<'b, str>, String> {
    let (set, bytes) = match Encoding::for_bom(bytes) {
        Some((set, length)) => (set, &bytes[length..]),
        None => match told.or(declared) {
            Some(label) => match Encoding::for_label(label.as_bytes()) {
                Some(set) => (set, bytes),
                None => return Err(format!("the character set {label:?} is not known")),
            },
            None => (UTF_8, bytes),
        },
    };
    set.decode_without_bom_handling_and_without_replacement(bytes)
        .ok_or_else(|| format!("some of its bytes are no text in {}", set.name()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn characters_have_the_bytes_of_their_set() {
        assert_eq!(Charset::Utf8.encode("ä€").unwrap(), "ä€".as_bytes());
        assert_eq!(Charset::Latin1.encode("Demokäyttäjä").unwrap(), b"Demok\xe4ytt\xe4j\xe4");
        assert_eq!(Charset::Latin1.encode("5 €"), Err('€'));
        assert_eq!(Charset::Latin9.encode("5 €").unwrap(), b"5 \xa4");
        assert_eq!(Charset::Latin9.encode("¤"), Err('¤'));
    }

    #[test]
    fn the_mark_goes_before_the_header_and_the_header_before_the_declaration() {
        assert_eq!(decode(b"\xef\xbb\xbf\xc3\xa4", Some("iso-8859-1"), None).unwrap(), "ä");
        assert_eq!(decode(b"\xe4", Some("iso-8859-1"), Some("utf-8")).unwrap(), "ä");
        assert_eq!(decode(b"\xa4", None, Some("ISO-8859-15")).unwrap(), "€");
        assert_eq!(decode(b"\xe4", None, None).unwrap_err(), "some of its bytes are no text in UTF-8");
        assert_eq!(
            decode(b"a", Some("klingon"), None).unwrap_err(),
            "the character set \"klingon\" is not known"
        );
    }
}
