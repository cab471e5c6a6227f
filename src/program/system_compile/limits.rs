//! Rates and quotas.

use std::time::Duration;

use super::durations::duration;
use super::findings::Findings;
use crate::diagnostic::codes;
use crate::program::system::{Limits, Quota, Reserve};
use crate::spec::system as spec;

/// Requests at the same time where nothing is said.
const CONCURRENT: u32 = 4;

/// Compiles the rates of a system.
pub(super) fn limits(written: &spec::Limits, found: &mut Findings) -> Limits {
    let per = duration(written.per.as_ref(), Duration::from_secs(1), found);
    for (word, number) in [("requests", &written.requests), ("concurrent", &written.concurrent)] {
        if let Some(number) = number
            && number.value == 0
        {
            found.error_help(
                &codes::BAD_NUMBER,
                number.span,
                format!("`limits.{word}: 0` would never send anything"),
                "write how many the system allows, or leave it out",
            );
        }
    }
    if let (Some(per), None) = (&written.per, &written.requests) {
        found.error_help(
            &codes::WORD_UNUSED,
            per.span,
            "`per` is the period of `requests`, which is missing",
            "write both: { requests: 8, per: 1s }",
        );
    }
    Limits {
        rate: written.requests.as_ref().map(|requests| (requests.value.max(1), per)),
        concurrent: written.concurrent.as_ref().map_or(CONCURRENT, |concurrent| concurrent.value.max(1)),
        quota: written.quota.as_ref().map(|quota| compile_quota(quota, found)),
    }
}

fn compile_quota(written: &spec::Quota, found: &mut Findings) -> Quota {
    let mut reserve = Reserve::Requests(0);
    if let Some(text) = &written.reserve {
        let text = &text.0;
        let (digits, percent) = match text.value.strip_suffix('%') {
            Some(digits) => (digits, true),
            None => (text.value.as_str(), false),
        };
        match digits.trim().parse::<u64>() {
            Ok(share) if percent && share <= 100 => reserve = Reserve::Percent(share),
            Ok(requests) if !percent => reserve = Reserve::Requests(requests),
            _ => found.error_help(
                &codes::BAD_NUMBER,
                text.span,
                format!("`{}` is neither a number of requests nor a share", text.value),
                "write 100, or 5%",
            ),
        }
        if percent && written.limit.is_none() {
            found.error_help(
                &codes::WORD_MISSING,
                text.span,
                "a share is a share of the limit, and no header tells it",
                "name the header as `limit`, or write a number of requests",
            );
        }
    }
    Quota {
        remaining: written.remaining.clone(),
        reset_seconds: written.reset_seconds.clone(),
        limit: written.limit.clone(),
        reserve,
    }
}
