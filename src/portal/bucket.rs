//! The portal's rate limit as arithmetic: a bucket that leaks at a steady rate, into which each request pours one unit.
//! Time comes in as values.

use std::time::Duration;

use tokio::time::Instant;

/// A model of the portal's bucket. Its level can exceed its size: the excess is requests that wait for their permit.
#[derive(Debug, Clone)]
pub(super) struct RateBucket {
    leak_per_second: f64,
    size: f64,
    level: f64,
    at: Instant,
}

impl RateBucket {
    /// An empty bucket. The rate must be a positive number, the size at least 1.
    pub(super) fn new(leak_per_second: f64, size: u32, now: Instant) -> Self {
        Self { leak_per_second, size: f64::from(size.max(1)), level: 0.0, at: now }
    }

    /// Takes the next permit that leaves `headroom` of the bucket to others, and returns the time until then. When that
    /// is longer than `max_wait`, takes nothing and returns `None`.
    pub(super) fn reserve(&mut self, now: Instant, headroom: u32, max_wait: Duration) -> Option<Duration> {
        self.leak(now);
        let usable = (self.size - f64::from(headroom)).max(1.0);
        let excess = (self.level + 1.0 - usable).max(0.0);
        let wait = Duration::try_from_secs_f64(excess / self.leak_per_second).ok()?;
        if wait > max_wait {
            return None;
        }
        self.level += 1.0;
        Some(wait)
    }

    /// Notes that the portal reports its bucket as full: others use it too.
    pub(super) fn fill(&mut self, now: Instant) {
        self.leak(now);
        self.level = self.level.max(self.size);
    }

    fn leak(&mut self, now: Instant) {
        let passed = now.saturating_duration_since(self.at).as_secs_f64();
        self.level = passed.mul_add(-self.leak_per_second, self.level).max(0.0);
        self.at = self.at.max(now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LONG: Duration = Duration::from_secs(600);

    fn seconds(value: f64) -> Duration {
        Duration::from_secs_f64(value)
    }

    #[test]
    fn a_burst_is_free_and_the_rest_must_wait() {
        let start = Instant::now();
        let mut bucket = RateBucket::new(2.0, 50, start);
        for _ in 0..50 {
            assert_eq!(bucket.reserve(start, 0, LONG), Some(Duration::ZERO));
        }
        assert_eq!(bucket.reserve(start, 0, LONG), Some(seconds(0.5)));
        assert_eq!(bucket.reserve(start, 0, LONG), Some(seconds(1.0)));
    }

    #[test]
    fn time_empties_it() {
        let start = Instant::now();
        let mut bucket = RateBucket::new(2.0, 2, start);
        bucket.reserve(start, 0, LONG);
        bucket.reserve(start, 0, LONG);
        assert_eq!(bucket.reserve(start + seconds(0.5), 0, LONG), Some(Duration::ZERO));
        assert_eq!(bucket.reserve(start + seconds(0.5), 0, LONG), Some(seconds(0.5)));
        assert_eq!(bucket.reserve(start + seconds(60.0), 0, LONG), Some(Duration::ZERO));
    }

    #[test]
    fn headroom_is_left_to_others() {
        let start = Instant::now();
        let mut bucket = RateBucket::new(2.0, 50, start);
        for _ in 0..40 {
            assert_eq!(bucket.reserve(start, 10, LONG), Some(Duration::ZERO));
        }
        assert_eq!(bucket.reserve(start, 10, LONG), Some(seconds(0.5)));
        assert_eq!(bucket.reserve(start, 0, LONG), Some(Duration::ZERO), "a read need not wait for it");
    }

    #[test]
    fn headroom_beyond_the_bucket_still_lets_one_through() {
        let start = Instant::now();
        let mut bucket = RateBucket::new(2.0, 5, start);
        assert_eq!(bucket.reserve(start, 10, LONG), Some(Duration::ZERO));
        assert_eq!(bucket.reserve(start, 10, LONG), Some(seconds(0.5)));
    }

    #[test]
    fn a_permit_that_comes_too_late_is_not_taken() {
        let start = Instant::now();
        let mut bucket = RateBucket::new(1.0, 1, start);
        bucket.reserve(start, 0, LONG);
        assert_eq!(bucket.reserve(start, 0, seconds(0.9)), None);
        assert_eq!(bucket.reserve(start, 0, seconds(1.0)), Some(seconds(1.0)));
    }

    #[test]
    fn a_full_bucket_delays_the_next_request() {
        let start = Instant::now();
        let mut bucket = RateBucket::new(2.0, 50, start);
        bucket.fill(start);
        assert_eq!(bucket.reserve(start, 0, LONG), Some(seconds(0.5)));
    }

    #[test]
    fn a_clock_that_stands_still_or_a_tiny_rate_does_no_harm() {
        let start = Instant::now();
        let mut bucket = RateBucket::new(f64::MIN_POSITIVE, 1, start + seconds(5.0));
        assert_eq!(bucket.reserve(start, 0, LONG), Some(Duration::ZERO));
        assert_eq!(bucket.reserve(start, 0, Duration::MAX), None);
    }
}
