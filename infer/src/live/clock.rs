//! When something arrived, and how old that makes it now.
//! Nothing here waits or asks for the time on its own account except [`Stamp::now`]: ages are functions of
//! two moments, so that tests choose both. Linux only in one point: the monotonic clock is the whole
//! machine's there, so that another process can compute the age of what it reads.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use rustix::time::{ClockId, clock_gettime};

/// One moment on the clocks that matter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stamp {
    /// For ages within this process.
    pub at: Instant,
    /// Nanoseconds of CLOCK_MONOTONIC: for ages in another process on this machine.
    pub monotonic_ns: u64,
    /// Nanoseconds since 1970 in UTC: for logs; it jumps when the clock is set.
    pub unix_ns: u64,
}

impl Stamp {
    /// This moment.
    pub fn now() -> Self {
        let monotonic = clock_gettime(ClockId::Monotonic);
        let unix = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Self {
            at: Instant::now(),
            monotonic_ns: monotonic.tv_sec as u64 * 1_000_000_000 + monotonic.tv_nsec as u64,
            unix_ns: unix.as_nanos() as u64,
        }
    }

    /// Time since this moment; 0 before it.
    pub fn age(&self, now: Instant) -> Duration {
        now.saturating_duration_since(self.at)
    }
}

/// The age from which a result is stale.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limit(pub Duration);

impl Limit {
    /// Whether a result of this age must not be taken for the present.
    pub fn stale(self, age: Duration) -> bool {
        age > self.0
    }
}

/// Events per second, over the last two seconds where there were events.
#[derive(Debug, Default)]
pub struct Rate(std::collections::VecDeque<Instant>);

impl Rate {
    const SPAN: Duration = Duration::from_secs(2);

    /// Counts an event.
    pub fn count(&mut self, now: Instant) {
        self.forget(now);
        self.0.push_back(now);
    }

    /// Events per second; 0 while there are fewer than two. When events cease it falls with the time since
    /// the last one.
    pub fn per_second(&mut self, now: Instant) -> f64 {
        self.forget(now);
        match (self.0.front(), self.0.back()) {
            (Some(&first), Some(&last)) if last > first => {
                let usual = (last - first) / (self.0.len() as u32 - 1);
                1.0 / usual.max(now.saturating_duration_since(last)).as_secs_f64()
            }
            _ => 0.0,
        }
    }

    fn forget(&mut self, now: Instant) {
        // Two are kept however old they are, so that one frame in five seconds is a rate too.
        let old = |&t: &Instant| now.saturating_duration_since(t) > Self::SPAN;
        while self.0.len() > 2 && self.0.front().is_some_and(old) {
            self.0.pop_front();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_result_is_stale_only_beyond_the_limit() {
        let limit = Limit(Duration::from_millis(200));
        assert!(!limit.stale(Duration::from_millis(200)));
        assert!(limit.stale(Duration::from_nanos(200_000_001)));
    }

    #[test]
    fn an_age_counts_from_the_stamp_and_is_never_negative() {
        let stamp = Stamp::now();
        assert_eq!(stamp.age(stamp.at + Duration::from_millis(7)), Duration::from_millis(7));
        assert_eq!(stamp.age(stamp.at - Duration::from_millis(7)), Duration::ZERO);
        assert!(stamp.monotonic_ns > 0 && stamp.unix_ns > 1_600_000_000 * 1_000_000_000);
    }

    #[test]
    fn a_rate_is_that_of_the_last_two_seconds_and_falls_when_nothing_comes() {
        let (start, mut rate) = (Instant::now(), Rate::default());
        (0..100).for_each(|i| rate.count(start + Duration::from_millis(40 * i)));
        let now = start + Duration::from_millis(40 * 99);
        assert!((rate.per_second(now) - 25.0).abs() < 1e-9);
        assert!((rate.per_second(now + Duration::from_secs(4)) - 0.25).abs() < 1e-9);
    }
}
