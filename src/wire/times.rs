//! Times and days as texts: ISO 8601, or in a system's own formats.

use jiff::Timestamp;
use jiff::civil::{Date, DateTime};
use jiff::fmt::strtime::BrokenDownTime;
use jiff::tz::TimeZone;

use crate::program::system::{Epoch, Times, Zone};

/// The number that a time is in; of one without an offset as if it were UTC.
pub(super) fn counted(text: &str, unit: Epoch) -> Option<i64> {
    let time = civil(text)?.to_zoned(jiff::tz::TimeZone::UTC).ok()?.timestamp();
    Some(unit.number(time).0)
}

/// A time in the form the system wants, also for cursors.
pub(super) fn send_time(text: &str, times: &Times) -> String {
    match (&times.send_time, text.parse::<Timestamp>(), civil(text)) {
        (Some(format), Ok(time), _) => time.strftime(format).to_string(),
        (Some(format), _, Some(time)) => time.strftime(format).to_string(),
        (None, Ok(time), _) if times.zone == Zone::Offset => time.to_string(),
        (None, _, Some(time)) if times.zone != Zone::Offset => time.to_string(),
        _ => text.to_owned(),
    }
}

/// A day of the wire: ISO 8601, alone or with a time behind it; else in the system's own format.
pub(super) fn day(text: &str, times: &Times) -> Option<Date> {
    let (head, rest) = (text.get(..10), text.get(10..).unwrap_or_default());
    if let Some(Ok(date)) = head.map(str::parse::<Date>)
        && (rest.is_empty() || rest.starts_with(['T', ' ']))
    {
        return Some(date);
    }
    let own = times.send_date.iter().chain(&times.read_dates);
    own.into_iter().find_map(|format| Date::strptime(format, text).ok())
}

/// A time of the wire: with its offset as UTC; without one by what the system means.
pub(super) fn time(text: &str, times: &Times) -> Option<String> {
    if let Ok(time) = text.parse::<Timestamp>() {
        return Some(time.to_string());
    }
    let sent = times.send_time.as_ref().and_then(|format| by_format(format, text));
    let own = || times.read_times.iter().find_map(|format| by_format(format, text));
    let local = match (sent, text.parse::<DateTime>()) {
        (Some(Told::Moment(time)), _) => return Some(time.to_string()),
        (_, Ok(local)) | (Some(Told::Local(local)), _) => local,
        (None, Err(_)) => match own()? {
            Told::Moment(time) => return Some(time.to_string()),
            Told::Local(local) => local,
        },
    };
    match times.zone {
        Zone::None => Some(local.to_string()),
        // an offset that is missing although it is always there: UTC is the least surprising reading
        Zone::Utc | Zone::Offset => Some(local.to_zoned(TimeZone::UTC).ok()?.timestamp().to_string()),
    }
}

/// What a text in a system's own format tells.
enum Told {
    /// It carries its offset, or counts since 1970.
    Moment(Timestamp),
    /// It carries none.
    Local(DateTime),
}

fn by_format(format: &str, text: &str) -> Option<Told> {
    let parts = BrokenDownTime::parse(format, text).ok()?;
    match parts.to_timestamp() {
        Ok(time) => Some(Told::Moment(time)),
        Err(_) => parts.to_datetime().ok().map(Told::Local),
    }
}

/// Whether a time can be read in the format in which it is sent: `%s000` writes what it cannot read.
pub(super) fn is_read_as_sent(times: &Times) -> bool {
    let Some(format) = &times.send_time else { return true };
    let Ok(sample) = DateTime::constant(2026, 12, 31, 8, 30, 0, 0).to_zoned(TimeZone::UTC) else {
        return true;
    };
    by_format(format, &sample.strftime(format).to_string()).is_some()
}

/// A time without its offset; one with an offset in UTC.
pub(super) fn civil(text: &str) -> Option<DateTime> {
    match text.parse::<Timestamp>() {
        Ok(time) => Some(time.to_zoned(jiff::tz::TimeZone::UTC).datetime()),
        Err(_) => text.parse().ok(),
    }
}

/// A time moved back.
pub(super) fn before(text: &str, by: std::time::Duration) -> Option<String> {
    let by = jiff::SignedDuration::try_from(by).ok()?;
    if let Ok(time) = text.parse::<Timestamp>() {
        return Some(time.checked_sub(by).ok()?.to_string());
    }
    Some(text.parse::<DateTime>().ok()?.checked_sub(by).ok()?.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_goes_back_in_the_systems_own_form() {
        let overlap = std::time::Duration::from_secs(600);
        let back = before("2026-11-02T08:00:00Z", overlap).unwrap();
        assert_eq!(send_time(&back, &Times::default()), "2026-11-02T07:50:00Z");
        let none =
            Times { zone: Zone::None, send_time: Some("%Y-%m-%d %H:%M:%S".into()), ..Times::default() };
        assert_eq!(send_time(&before("2026-11-02T08:00:00", overlap).unwrap(), &none), "2026-11-02 07:50:00");
    }

    #[test]
    fn what_is_sent_is_read() {
        for (zone, send, sent) in [
            (Zone::Utc, "%d.%m.%Y %H:%M:%S", "02.11.2026 08:30:00"),
            (Zone::Offset, "%a, %d %b %Y %H:%M:%S GMT", "Mon, 02 Nov 2026 08:30:00 GMT"),
            (Zone::Offset, "%Y/%m/%d %H.%M %z", "2026/11/02 08.30 +0000"),
            (Zone::Offset, "%s", "1793608200"),
            (Zone::Utc, "%I:%M %p, %d/%m/%y", "08:30 AM, 02/11/26"),
        ] {
            let times = Times {
                zone,
                send_time: Some(send.into()),
                read_times: vec!["%H:%M %d.%m.%Y %z".into(), "%Y-%m-%d at %H:%M".into()],
                ..Times::default()
            };
            let text = send_time("2026-11-02T08:30:00Z", &times);
            assert_eq!(text, sent);
            assert!(is_read_as_sent(&times), "{send}");
            assert_eq!(time(&text, &times).as_deref(), Some("2026-11-02T08:30:00Z"), "{send}");
            // also in the formats of answers, by the offset that they carry
            assert_eq!(time("10:30 02.11.2026 +0200", &times).as_deref(), Some("2026-11-02T08:30:00Z"));
            assert_eq!(time("2026-11-02 at 08:30", &times).as_deref(), Some("2026-11-02T08:30:00Z"));
        }
        let blind = Times { send_time: Some("%s000".into()), ..Times::default() };
        assert!(!is_read_as_sent(&blind));
    }
}
