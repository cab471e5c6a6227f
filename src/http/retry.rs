//! How long to wait before the next try.

use std::cell::Cell;
use std::time::Duration;

use jiff::fmt::rfc2822::DateTimeParser;

/// How often a request that may be repeated is repeated.
pub(super) const MOST_RETRIES: u32 = 5;
/// The longest wait that a server can ask for.
const LONGEST_ASKED: Duration = Duration::from_secs(15 * 60);
const SHORTEST: Duration = Duration::from_millis(500);
const LONGEST: Duration = Duration::from_secs(30);

/// Growing waits with a random part, so that many clients do not come back at the same moment.
#[derive(Debug)]
pub(super) struct Backoff {
    state: Cell<u64>,
}

impl Backoff {
    /// The same seed gives the same waits.
    pub(super) fn new(seed: u64) -> Backoff {
        Backoff { state: Cell::new(seed) }
    }

    /// The wait before retry `n`, counted from 0: between half and the whole of 0.5 s · 2ⁿ, at most 30 s.
    pub(super) fn wait(&self, n: u32) -> Duration {
        let whole = SHORTEST.saturating_mul(1 << n.min(16)).min(LONGEST);
        let half = whole / 2;
        let parts = u32::try_from(self.random() % 1001).unwrap_or(0);
        half + half * parts / 1000
    }

    /// SplitMix64: a few lines are enough for jitter.
    fn random(&self) -> u64 {
        let state = self.state.get().wrapping_add(0x9e37_79b9_7f4a_7c15);
        self.state.set(state);
        let mixed = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }
}

/// What `Retry-After` asks for, at most 15 minutes; none where it is garbage, zero or in the past.
///
/// A date is compared with the server's own `Date` where it sent one, so that our clock does not matter.
pub(super) fn retry_after(header: Option<&str>, server_date: Option<i64>, now_ms: i64) -> Option<Duration> {
    let text = header?.trim();
    let wait = if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        // more digits than fit are simply very long
        Duration::from_secs(text.parse().unwrap_or(u64::MAX))
    } else {
        let left = http_date(text)?.saturating_sub(server_date.unwrap_or(now_ms));
        Duration::from_millis(u64::try_from(left).ok()?)
    };
    (!wait.is_zero()).then(|| wait.min(LONGEST_ASKED))
}

/// Milliseconds since 1970 of an HTTP date (`Sun, 06 Nov 1994 08:49:37 GMT`).
pub(super) fn http_date(text: &str) -> Option<i64> {
    DateTimeParser::new()
        .relaxed_weekday(true)
        .parse_timestamp(text.trim())
        .ok()
        .map(|time| time.as_millisecond())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_and_stay_below_half_a_minute() {
        let backoff = Backoff::new(7);
        for n in 0..40 {
            let wait = backoff.wait(n);
            let whole = SHORTEST.saturating_mul(1 << n.min(16)).min(LONGEST);
            assert!(wait >= whole / 2 && wait <= whole, "{n}: {wait:?}");
        }
    }

    #[test]
    fn the_same_seed_gives_the_same_waits() {
        let waits = |seed| {
            let backoff = Backoff::new(seed);
            (0..5).map(|n| backoff.wait(n)).collect::<Vec<_>>()
        };
        assert_eq!(waits(1), waits(1));
        assert_ne!(waits(1), waits(2));
    }

    #[test]
    fn retry_after_in_every_form() {
        let now = http_date("Sun, 06 Nov 1994 08:49:37 GMT").unwrap();
        assert_eq!(now, 784_111_777_000);
        let ask = |text: &str| retry_after(Some(text), None, now);
        assert_eq!(ask("5"), Some(Duration::from_secs(5)));
        assert_eq!(ask(" 55 "), Some(Duration::from_secs(55)));
        assert_eq!(ask("Sun, 06 Nov 1994 08:50:07 GMT"), Some(Duration::from_secs(30)));
        assert_eq!(ask("315360000"), Some(LONGEST_ASKED));
        assert_eq!(ask("99999999999999999999999999"), Some(LONGEST_ASKED));
        assert_eq!(ask("Sun, 06 Nov 2094 08:49:37 GMT"), Some(LONGEST_ASKED));
        for useless in ["-5", "0", "", "soon", "1.5", "Sun, 06 Nov 1994 08:00:00 GMT", "Sun, 99 Foo 1994"] {
            assert_eq!(ask(useless), None, "{useless}");
        }
        assert_eq!(retry_after(None, None, now), None);
    }

    #[test]
    fn the_servers_own_clock_counts() {
        let three_days = 3 * 24 * 3600 * 1000;
        let server = http_date("Sun, 06 Nov 1994 08:49:37 GMT").unwrap();
        let asked = retry_after(Some("Sun, 06 Nov 1994 08:49:57 GMT"), Some(server), server + three_days);
        assert_eq!(asked, Some(Duration::from_secs(20)));
    }
}
