//! The limit on method time: besides the bucket, each method may work for a number of seconds in a window, then it is
//! blocked until the window ends.

use std::collections::HashMap;
use std::time::Duration;

use jiff::Timestamp;

use super::wire::MethodTime;

/// The limit on method time. Portals give each method 480 s in 10 minutes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Operating {
    /// How long a method may work in one window.
    pub limit: Duration,
    /// How long a window is, in whole seconds. It begins with a method's first call after the last one ended.
    pub window: Duration,
    /// How much every command counts in addition to the time it took, so that a test can reach the limit.
    pub cost: Duration,
}

impl Default for Operating {
    fn default() -> Self {
        Self { limit: Duration::from_secs(480), window: Duration::from_secs(600), cost: Duration::ZERO }
    }
}

/// The method time that was used so far.
#[derive(Debug)]
pub(super) struct Meter {
    rules: Operating,
    blocks: bool,
    used: HashMap<String, MethodTime>,
}

impl Meter {
    /// A meter at zero. Without rules it counts and never blocks.
    pub(super) fn new(rules: Option<Operating>) -> Self {
        Self { rules: rules.unwrap_or_default(), blocks: rules.is_some(), used: HashMap::new() }
    }

    /// Whether a method may work.
    pub(super) fn admits(&self, method: &str, now: Timestamp) -> bool {
        !self.blocks || self.time_used(method, now).operating < self.rules.limit.as_secs_f64()
    }

    /// Counts a command that took this many seconds, and gives its method's time with it.
    pub(super) fn count(&mut self, method: &str, start: Timestamp, seconds: f64) -> MethodTime {
        let mut time = self.time_used(method, start);
        time.operating += seconds + self.rules.cost.as_secs_f64();
        self.used.insert(method.to_owned(), time);
        time
    }

    /// The time that a method has used in the window of `now`.
    pub(super) fn time_used(&self, method: &str, now: Timestamp) -> MethodTime {
        let now = now.as_second();
        let fresh = MethodTime { operating: 0.0, reset_at: now.saturating_add_unsigned(self.rules.window.as_secs()) };
        self.used.get(method).filter(|time| now < time.reset_at).copied().unwrap_or(fresh)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::constant(second, 900_000_000)
    }

    #[test]
    fn a_method_is_blocked_until_its_window_ends() {
        let mut meter = Meter::new(Some(Operating::default()));
        for second in 0..4 {
            assert!(meter.admits("a", at(second * 100)));
            assert_eq!(
                meter.count("a", at(second * 100), 120.0),
                MethodTime { operating: 120.0 * (second + 1) as f64, reset_at: 600 }
            );
        }
        assert!(!meter.admits("a", at(300)) && !meter.admits("a", at(599)));
        assert!(meter.admits("b", at(300)), "each method has its own");
        assert!(meter.admits("a", at(600)), "at the time that was given");
        assert_eq!(meter.count("a", at(700), 1.0), MethodTime { operating: 1.0, reset_at: 1300 });
    }

    #[test]
    fn a_cost_counts_and_no_rules_block_nothing() {
        let cost = Duration::from_secs(480);
        let mut meter = Meter::new(Some(Operating { cost, ..Operating::default() }));
        assert!(meter.count("a", at(0), 0.5).operating > 480.0 && !meter.admits("a", at(1)));
        let mut meter = Meter::new(None);
        assert_eq!(meter.count("a", at(0), 1000.0), MethodTime { operating: 1000.0, reset_at: 600 });
        assert!(meter.admits("a", at(1)));
    }
}
