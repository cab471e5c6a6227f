//! How dates and times are written.

use jiff::civil::{Date, DateTime};
use jiff::fmt::strtime;
use jiff::tz::TimeZone;

use super::findings::Findings;
use crate::diagnostic::{At, codes};
use crate::program::system::Times;
use crate::spec::system as spec;

/// Checks the form of a time.
pub(super) fn check_time(format: &At<String>, found: &mut Findings) {
    if let Ok(time) = DateTime::constant(2026, 12, 31, 8, 30, 15, 0).to_zoned(TimeZone::UTC) {
        check(Some(format), |format| strtime::format(format, &time), found);
    }
}

/// Compiles the forms of dates and times.
pub(super) fn times(written: &spec::Times, found: &mut Findings) -> Times {
    let date = Date::constant(2026, 12, 31);
    check(written.send_date.as_ref(), |format| strtime::format(format, date), found);
    let time = DateTime::constant(2026, 12, 31, 8, 30, 15, 0).to_zoned(TimeZone::UTC);
    if let Ok(time) = time {
        check(written.send_time.as_ref(), |format| strtime::format(format, &time), found);
    }
    // what a format writes it must be able to read
    for format in written.read_dates.iter() {
        check(
            Some(format),
            |format| round(strtime::format(format, date)?, |text| Date::strptime(format, text)),
            found,
        );
    }
    let time = DateTime::constant(2026, 12, 31, 8, 30, 15, 0);
    for format in written.read_times.iter() {
        check(
            Some(format),
            |format| round(strtime::format(format, time)?, |text| DateTime::strptime(format, text)),
            found,
        );
    }
    let texts = |list: &[At<String>]| list.iter().map(|text| text.value.clone()).collect();
    Times {
        read_dates: texts(&written.read_dates),
        read_times: texts(&written.read_times),
        zone: written.zone,
        send_date: written.send_date.as_ref().map(|text| text.value.clone()),
        send_time: written.send_time.as_ref().map(|text| text.value.clone()),
    }
}

fn round<T>(text: String, read: impl Fn(&str) -> Result<T, jiff::Error>) -> Result<String, jiff::Error> {
    read(&text).map(|_| text)
}

fn check(
    format: Option<&At<String>>,
    try_it: impl Fn(&str) -> Result<String, jiff::Error>,
    found: &mut Findings,
) {
    let Some(format) = format else { return };
    let works = try_it(&format.value).is_ok_and(|text| text != format.value);
    if !works {
        found.error_help(
            &codes::BAD_FORMAT,
            format.span,
            format!("`{}` does not write a date or time", format.value),
            "write it in the words of strftime: %Y-%m-%d, or %Y-%m-%dT%H:%M:%S",
        );
    }
}
