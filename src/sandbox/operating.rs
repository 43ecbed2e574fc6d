//! The limit on method time: beside the bucket, each method may work so many seconds in a window, then it is blocked
//! until the window ends.

use std::collections::HashMap;
use std::time::Duration;

use jiff::Timestamp;

use super::wire::Usage;

/// How much method time there is. Portals give each method 480 s in 10 minutes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Operating {
    /// How long a method may work in one window.
    pub limit: Duration,
    /// How long a window is, in whole seconds. It begins with a method's first call after the last one ended.
    pub window: Duration,
    /// What every command counts beside the time it took, so that the limit is within reach of a test.
    pub cost: Duration,
}

impl Default for Operating {
    fn default() -> Self {
        Self { limit: Duration::from_secs(480), window: Duration::from_secs(600), cost: Duration::ZERO }
    }
}

/// What the methods have worked so far.
#[derive(Debug)]
pub(super) struct Meter {
    rules: Operating,
    blocks: bool,
    spent: HashMap<String, Usage>,
}

impl Meter {
    /// Without rules it counts and never blocks.
    pub(super) fn new(rules: Option<Operating>) -> Self {
        Self { rules: rules.unwrap_or_default(), blocks: rules.is_some(), spent: HashMap::new() }
    }

    /// Whether a method may work.
    pub(super) fn admits(&self, method: &str, now: Timestamp) -> bool {
        !self.blocks || self.usage(method, now).operating < self.rules.limit.as_secs_f64()
    }

    /// Counts a command that took so many seconds, and gives what its method has cost with it.
    pub(super) fn count(&mut self, method: &str, start: Timestamp, seconds: f64) -> Usage {
        let mut usage = self.usage(method, start);
        usage.operating += seconds + self.rules.cost.as_secs_f64();
        self.spent.insert(method.to_owned(), usage);
        usage
    }

    /// What a method has cost in the window of `now`.
    pub(super) fn usage(&self, method: &str, now: Timestamp) -> Usage {
        let now = now.as_second();
        let fresh = Usage { operating: 0.0, reset_at: now.saturating_add_unsigned(self.rules.window.as_secs()) };
        self.spent.get(method).filter(|usage| now < usage.reset_at).copied().unwrap_or(fresh)
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
                Usage { operating: 120.0 * (second + 1) as f64, reset_at: 600 }
            );
        }
        assert!(!meter.admits("a", at(300)) && !meter.admits("a", at(599)));
        assert!(meter.admits("b", at(300)), "each method has its own");
        assert!(meter.admits("a", at(600)), "at the time that was told");
        assert_eq!(meter.count("a", at(700), 1.0), Usage { operating: 1.0, reset_at: 1300 });
    }

    #[test]
    fn a_cost_counts_and_no_rules_block_nothing() {
        let cost = Duration::from_secs(480);
        let mut meter = Meter::new(Some(Operating { cost, ..Operating::default() }));
        assert!(meter.count("a", at(0), 0.5).operating > 480.0 && !meter.admits("a", at(1)));
        let mut meter = Meter::new(None);
        assert_eq!(meter.count("a", at(0), 1000.0), Usage { operating: 1000.0, reset_at: 600 });
        assert!(meter.admits("a", at(1)));
    }
}
