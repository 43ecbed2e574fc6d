//! The leaky bucket in front of the REST engine: each request adds a drop, drops leak at a steady rate, and a request
//! that would overflow the bucket is refused without effect.

use std::time::Duration;

/// How fast a bucket leaks and how much it holds: 2 and 50 on most portals, 5 and 250 on the Enterprise plan.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RateLimit {
    /// Requests per second that leak out.
    pub rate_per_second: f64,
    /// Requests that fit in at once.
    pub burst: u32,
}

impl Default for RateLimit {
    fn default() -> Self {
        Self { rate_per_second: 2.0, burst: 50 }
    }
}

/// How full a bucket is.
#[derive(Debug, Clone, Copy)]
pub(super) struct BucketLevel {
    bucket: RateLimit,
    drops: f64,
    measured: Duration,
}

impl BucketLevel {
    /// An empty bucket. Times are counted from the start of the sandbox.
    pub(super) const fn empty(bucket: RateLimit) -> Self {
        Self { bucket, drops: 0.0, measured: Duration::ZERO }
    }

    /// Whether a request at `now` fits; if it does, it is in the bucket afterwards.
    pub(super) fn admit(&mut self, now: Duration) -> bool {
        let passed = now.saturating_sub(self.measured).as_secs_f64();
        self.measured = self.measured.max(now);
        self.drops = (self.drops - passed * self.bucket.rate_per_second).max(0.0);
        let fits = self.drops + 1.0 <= f64::from(self.bucket.burst);
        if fits {
            self.drops += 1.0;
        }
        fits
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn admitted(level: &mut BucketLevel, at: Duration, tries: usize) -> usize {
        (0..tries).filter(|_| level.admit(at)).count()
    }

    #[test]
    fn a_full_bucket_refuses_until_it_has_leaked() {
        let mut level = BucketLevel::empty(RateLimit { rate_per_second: 2.0, burst: 50 });
        assert_eq!(admitted(&mut level, Duration::ZERO, 60), 50);
        assert_eq!(admitted(&mut level, Duration::from_millis(400), 5), 0);
        assert_eq!(admitted(&mut level, Duration::from_millis(500), 5), 1);
        assert_eq!(admitted(&mut level, Duration::from_millis(2500), 9), 4);
        assert_eq!(admitted(&mut level, Duration::from_secs(3600), 60), 50, "it never holds more than the burst");
    }

    #[test]
    fn a_refused_request_adds_no_drop() {
        let mut level = BucketLevel::empty(RateLimit { rate_per_second: 1.0, burst: 1 });
        assert!(level.admit(Duration::ZERO));
        assert_eq!(admitted(&mut level, Duration::from_millis(900), 100), 0);
        assert!(level.admit(Duration::from_secs(1)));
    }

    #[test]
    fn a_clock_that_stands_still_or_steps_back_leaks_nothing() {
        let mut level = BucketLevel::empty(RateLimit { rate_per_second: 1.0, burst: 2 });
        assert_eq!(admitted(&mut level, Duration::from_secs(9), 3), 2);
        assert_eq!(admitted(&mut level, Duration::from_secs(1), 3), 0);
        assert_eq!(admitted(&mut level, Duration::from_secs(9), 3), 0);
    }
}
