//! Keeps to a system's rates: so many requests in a period, so many at once, and the quota that its answers tell.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;
use std::time::Duration;

use tokio::sync::{Semaphore, SemaphorePermit};

use super::types::WireResponse;
use crate::clock::Clock;
use crate::program::system::{Limits, Quota, Reserve};

/// The longest time that a quota can hold us back: a header is not always what it says.
const LONGEST_HOLD: Duration = Duration::from_secs(3600);
/// Below this part of the quota requests are spread over the time that is left.
const SPREAD_BELOW: u64 = 5;
/// A number of seconds above this is a moment, not a wait (some systems count from 1970).
const A_MOMENT: u64 = 1_000_000_000;

/// Decides when the next request may leave. Time is the clock's: a simulated run is paced in simulated time.
pub(super) struct Pacer {
    clock: Rc<dyn Clock>,
    rate: Option<(u32, Duration)>,
    quota: Option<Quota>,
    concurrent: usize,
    slots: Semaphore,
    state: RefCell<State>,
}

#[derive(Default)]
struct State {
    /// When the last requests left, at most as many as the rate allows in one period.
    left_at: VecDeque<Duration>,
    last: Option<Duration>,
    not_before: Duration,
    quota: Option<Left>,
}

/// What is left of a quota.
#[derive(Clone, Copy)]
struct Left {
    requests: u64,
    limit: Option<u64>,
    full_at: Duration,
}

/// The right to have one request under way; given back when dropped.
pub(super) struct Turn<'p> {
    _slot: SemaphorePermit<'p>,
}

impl Pacer {
    /// A pacer for these limits.
    pub(super) fn new(limits: &Limits, clock: Rc<dyn Clock>) -> Pacer {
        let concurrent = usize::try_from(limits.concurrent.max(1)).unwrap_or(1).min(Semaphore::MAX_PERMITS);
        Pacer {
            clock,
            rate: limits.rate.filter(|(requests, per)| *requests > 0 && !per.is_zero()),
            quota: limits.quota.clone(),
            concurrent,
            slots: Semaphore::new(concurrent),
            state: RefCell::default(),
        }
    }

    /// Waits until a request may leave.
    pub(super) async fn turn(&self) -> Turn<'_> {
        let slot = self.slots.acquire().await.expect("the semaphore is never closed");
        loop {
            let now = self.clock.monotonic();
            let wait = self.wait(now);
            if wait.is_zero() {
                self.leave(now);
                return Turn { _slot: slot };
            }
            self.clock.sleep(wait).await;
        }
    }

    /// Nothing leaves for this long: the system said so.
    pub(super) fn pause(&self, duration: Duration) {
        let until = self.clock.monotonic() + duration;
        let mut state = self.state.borrow_mut();
        state.not_before = state.not_before.max(until);
    }

    /// Learns the quota from an answer.
    pub(super) fn learn(&self, response: &WireResponse) {
        let Some(quota) = &self.quota else { return };
        let number = |name: &str| response.header(name).and_then(|text| text.trim().parse::<u64>().ok());
        let (Some(told), Some(reset)) = (number(&quota.remaining), number(&quota.reset_seconds)) else {
            return;
        };
        let seconds = if reset > A_MOMENT {
            reset.saturating_sub(u64::try_from(self.clock.now_ms() / 1000).unwrap_or(0))
        } else {
            reset
        };
        // the others under way may not be counted yet in what this answer tells
        let others = self.concurrent.saturating_sub(self.slots.available_permits() + 1);
        let others = u64::try_from(others).unwrap_or(u64::MAX);
        let mut state = self.state.borrow_mut();
        state.quota = Some(Left {
            requests: told.saturating_sub(others),
            limit: quota.limit.as_deref().and_then(number),
            full_at: self.clock.monotonic() + Duration::from_secs(seconds).min(LONGEST_HOLD),
        });
    }

    fn wait(&self, now: Duration) -> Duration {
        let mut state = self.state.borrow_mut();
        let mut at = state.not_before;
        if let Some((requests, per)) = self.rate
            && state.left_at.len() >= requests as usize
            && let Some(first) = state.left_at.front()
        {
            at = at.max(*first + per);
        }
        if let (Some(left), Some(quota)) = (state.quota, &self.quota) {
            if now >= left.full_at {
                state.quota = None;
            } else {
                at = at.max(by_quota(left, quota, now, state.last));
            }
        }
        at.saturating_sub(now)
    }

    fn leave(&self, now: Duration) {
        let mut state = self.state.borrow_mut();
        state.last = Some(now);
        if let Some((requests, _)) = self.rate {
            if state.left_at.len() >= requests as usize {
                state.left_at.pop_front();
            }
            state.left_at.push_back(now);
        }
        if let Some(left) = &mut state.quota {
            left.requests = left.requests.saturating_sub(1);
        }
    }
}

/// When the next request may leave by what is left of the quota.
fn by_quota(left: Left, quota: &Quota, now: Duration, last: Option<Duration>) -> Duration {
    let reserve = match quota.reserve {
        Reserve::Requests(requests) => requests,
        // without a limit nothing says what a percentage is of: leave one request
        Reserve::Percent(percent) => {
            left.limit.map_or(1, |limit| (limit.saturating_mul(percent)).div_ceil(100))
        }
    };
    let ours = left.requests.saturating_sub(reserve);
    if ours == 0 {
        return left.full_at;
    }
    let scarce = left.limit.is_some_and(|limit| left.requests < limit / SPREAD_BELOW);
    match last {
        Some(last) if scarce => {
            let until = left.full_at.saturating_sub(now);
            last + until / u32::try_from(ours).unwrap_or(u32::MAX)
        }
        _ => now,
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::FakeClock;
    use super::*;

    fn limits(rate: Option<(u32, u64)>, concurrent: u32) -> Limits {
        Limits { rate: rate.map(|(n, ms)| (n, Duration::from_millis(ms))), concurrent, quota: None }
    }

    fn with_quota(reserve: Reserve) -> Limits {
        let quota = Quota {
            remaining: "X-Remaining".into(),
            reset_seconds: "X-Reset".into(),
            limit: Some("X-Limit".into()),
            reserve,
        };
        Limits { rate: None, concurrent: 8, quota: Some(quota) }
    }

    fn answer(remaining: &str, reset: &str, limit: &str) -> WireResponse {
        let header = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        WireResponse {
            status: 200,
            headers: vec![
                header("x-remaining", remaining),
                header("x-reset", reset),
                header("x-limit", limit),
            ],
            body: bytes::Bytes::new(),
            file: None,
        }
    }

    async fn times(pacer: &Pacer, clock: &FakeClock, n: usize) -> Vec<u128> {
        let mut all = Vec::new();
        for _ in 0..n {
            let _turn = pacer.turn().await;
            all.push(clock.monotonic().as_millis());
        }
        all
    }

    #[tokio::test]
    async fn no_period_holds_more_than_the_rate() {
        let clock = FakeClock::new();
        let pacer = Pacer::new(&limits(Some((3, 1000)), 4), clock.clone());
        assert_eq!(times(&pacer, &clock, 8).await, [0, 0, 0, 1000, 1000, 1000, 2000, 2000]);
    }

    #[tokio::test]
    async fn only_so_many_are_under_way() {
        let clock = FakeClock::new();
        let pacer = Pacer::new(&limits(None, 2), clock.clone());
        let first = pacer.turn().await;
        let _second = pacer.turn().await;
        assert!(futures_util::poll!(Box::pin(pacer.turn())).is_pending());
        drop(first);
        assert!(futures_util::poll!(Box::pin(pacer.turn())).is_ready());
    }

    #[tokio::test]
    async fn a_pause_holds_for_all() {
        let clock = FakeClock::new();
        let pacer = Pacer::new(&limits(None, 2), clock.clone());
        pacer.pause(Duration::from_secs(55));
        pacer.pause(Duration::from_secs(5));
        assert_eq!(times(&pacer, &clock, 2).await, [55_000, 55_000]);
    }

    #[tokio::test]
    async fn the_reserve_is_left_to_others() {
        let clock = FakeClock::new();
        let pacer = Pacer::new(&with_quota(Reserve::Requests(10)), clock.clone());
        pacer.learn(&answer("12", "600", "1"));
        assert_eq!(times(&pacer, &clock, 4).await, [0, 0, 600_000, 600_000]);
    }

    #[tokio::test]
    async fn a_percentage_is_of_the_limit() {
        let clock = FakeClock::new();
        let pacer = Pacer::new(&with_quota(Reserve::Percent(5)), clock.clone());
        pacer.learn(&answer("50", "100", "1000"));
        assert_eq!(times(&pacer, &clock, 1).await, [100_000]);
    }

    #[tokio::test]
    async fn what_is_scarce_is_spread() {
        let clock = FakeClock::new();
        let pacer = Pacer::new(&with_quota(Reserve::Requests(0)), clock.clone());
        drop(pacer.turn().await);
        pacer.learn(&answer("10", "100", "1000"));
        let times = times(&pacer, &clock, 10).await;
        assert_eq!(times[0], 10_000);
        assert!(times.windows(2).all(|pair| pair[1] > pair[0]), "{times:?}");
        assert!(times[9] <= 101_000, "{times:?}");
    }

    #[tokio::test]
    async fn strange_quota_headers_do_no_harm() {
        let clock = FakeClock::new();
        let pacer = Pacer::new(&with_quota(Reserve::Requests(0)), clock.clone());
        pacer.learn(&answer("-1", "600", "100"));
        pacer.learn(&answer("0", "soon", "100"));
        assert_eq!(times(&pacer, &clock, 1).await, [0]);
        let moment = clock.now_ms() / 1000 + 30;
        pacer.learn(&answer("0", &moment.to_string(), "100"));
        assert_eq!(times(&pacer, &clock, 1).await, [30_000]);
        pacer.learn(&answer("0", "900000000", "100"));
        assert_eq!(times(&pacer, &clock, 1).await, [3_630_000]);
    }
}
