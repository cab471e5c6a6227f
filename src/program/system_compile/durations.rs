//! Lengths of time: `500ms`, `10m`, `1h 30m`.

use std::time::Duration;

use jiff::SignedDuration;
use jiff::fmt::friendly::SpanParser;

use super::findings::Findings;
use crate::diagnostic::{At, codes};

/// Reads a length of time as people write it.
///
/// # Errors
/// What to do about it, where it is none.
pub fn parse_duration(text: &str) -> Result<Duration, &'static str> {
    static PARSER: SpanParser = SpanParser::new();
    const WRITE: &str = "write a number and a unit: `500ms`, `30s`, `10m`, `1h 30m`, `24h` for a day";
    let duration: SignedDuration = PARSER.parse_duration(text.trim()).map_err(|_| WRITE)?;
    Duration::try_from(duration).map_err(|_| "a length of time cannot be negative")
}

/// A length of time that must not be zero, or the default where none is given.
pub(super) fn duration(text: Option<&At<String>>, default: Duration, found: &mut Findings) -> Duration {
    let Some(text) = text else { return default };
    match parse_duration(&text.value) {
        Ok(Duration::ZERO) => {
            let help = "write how long it is, `30s`, or leave it out: then the default counts";
            found.error_help(&codes::BAD_DURATION, text.span, "this time must be longer than zero", help);
            default
        }
        Ok(duration) => duration,
        Err(help) => {
            let message = format!("`{}` is not a length of time", text.value);
            found.error_help(&codes::BAD_DURATION, text.span, message, help);
            default
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_people_write() {
        let seconds = |text| parse_duration(text).map(|duration| duration.as_secs_f64());
        assert_eq!(seconds("10m"), Ok(600.0));
        assert_eq!(seconds("1h 30m"), Ok(5400.0));
        assert_eq!(seconds("500ms"), Ok(0.5));
        assert_eq!(seconds("24h"), Ok(86_400.0));
        assert!(parse_duration("10").is_err());
        assert!(parse_duration("1 month").is_err());
        assert_eq!(parse_duration("10m ago"), Err("a length of time cannot be negative"));
    }
}
