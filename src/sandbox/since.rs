//! The server's half of cursors: the time that is asked for, however it is written.

use jiff::civil::DateTime;

use crate::program::system::{Cursor, Times};
use crate::value::{Map, Value};
use crate::wire::serve::time_asked;

/// What no time holds: where it comes out of a template, there stands the time.
const MARK: &str = "\u{1}since\u{1}";

/// The time in a parameter. The outer none: the template can not be turned round; the inner: it is no time.
pub(super) fn since(cursor: &Cursor, text: &str, times: &Times) -> Option<Option<DateTime>> {
    let text = match &cursor.value {
        None => text,
        Some(template) => {
            let names = Value::Map(Map::from([("since".to_owned(), Value::text(MARK))]));
            let rendered = template.render(&names).ok()?;
            let (before, after) = rendered.split_once(MARK)?;
            if after.contains(MARK) {
                return None;
            }
            match text.strip_prefix(before).and_then(|rest| rest.strip_suffix(after)) {
                Some(inner) => inner,
                None => return Some(None),
            }
        }
    };
    if let Some(unit) = cursor.form {
        let time = unit.time(&Value::text(text));
        return Some(time.map(|time| time.to_zoned(jiff::tz::TimeZone::UTC).datetime()));
    }
    time_asked(text, times)
}

/// A time with or without an offset, for comparing times of one system.
pub(super) fn instant(text: &str) -> Option<DateTime> {
    match text.parse::<jiff::Timestamp>() {
        Ok(time) => Some(time.to_zoned(jiff::tz::TimeZone::UTC).datetime()),
        Err(_) => text.parse().ok(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::program::expr::{Scope, Template};
    use crate::program::system::Epoch;
    use crate::program::types::Type;

    fn shown(template: Option<&str>, text: &str, times: &Times) -> String {
        asked(template, None, text, times)
    }

    fn asked(template: Option<&str>, form: Option<Epoch>, text: &str, times: &Times) -> String {
        let scope = Scope::new().root("since", Type::Text);
        let cursor = Cursor {
            param: "since".into(),
            with: Vec::new(),
            value: template.map(|source| Template::compile(source, &scope).unwrap()),
            form,
            fields: Vec::new(),
            overlap: std::time::Duration::ZERO,
        };
        match since(&cursor, text, times) {
            None => "cannot be turned round".into(),
            Some(None) => "no time".into(),
            Some(Some(time)) => time.to_string(),
        }
    }

    #[test]
    fn times_are_read_as_they_are_asked_for() {
        let iso = Times::default();
        assert_eq!(shown(None, "2026-11-02T10:00:00+02:00", &iso), "2026-11-02T08:00:00");
        assert_eq!(shown(None, "2026-11-02T10:00:00", &iso), "2026-11-02T10:00:00");
        assert_eq!(shown(None, "soon", &iso), "no time");
        let own = Times { send_time: Some("%d.%m.%Y %H:%M".into()), ..Times::default() };
        assert_eq!(shown(None, "02.11.2026 10:00", &own), "2026-11-02T10:00:00");
        let seconds = Times { send_time: Some("%s".into()), ..Times::default() };
        assert_eq!(shown(None, "1793606400", &seconds), "2026-11-02T08:00:00");
        let blind = Times { send_time: Some("%s000".into()), ..Times::default() };
        assert_eq!(shown(None, "1793606400000", &blind), "cannot be turned round");
        let quoted = Some("changed ge '{{ since }}'");
        assert_eq!(shown(quoted, "changed ge '2026-11-02T10:00:00Z'", &iso), "2026-11-02T10:00:00");
        assert_eq!(shown(quoted, "2026-11-02T10:00:00Z", &iso), "no time");
        assert_eq!(shown(Some("{{ since }}{{ since }}"), "xx", &iso), "cannot be turned round");
        let number = |template, unit, text| asked(template, Some(unit), text, &iso);
        assert_eq!(number(None, Epoch::Seconds, "1793606400"), "2026-11-02T08:00:00");
        assert_eq!(
            number(Some("ge:{{ since }}"), Epoch::Millis, "ge:1793606400250"),
            "2026-11-02T08:00:00.25"
        );
        assert_eq!(number(None, Epoch::Seconds, "2026-11-02T08:00:00Z"), "no time");
        assert_eq!(number(None, Epoch::Seconds, "1793606400.5"), "no time");
    }
}
