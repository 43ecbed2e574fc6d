//! The limit on method time: in addition to the bucket, each method may run for a number of seconds in a window. The
//! window has parts, and what was used in the oldest one is free again when that part leaves the window.

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use jiff::Timestamp;

use super::record::writes;
use super::wire::MethodTime;

/// The limit on method time. Portals give each method 480 s in 10 minutes, in ten parts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Operating {
    /// How long a method may run in one window.
    pub limit: Duration,
    /// How long a window is, in whole seconds.
    pub window: Duration,
    /// How many parts a window has, at least 1. A part begins with a method's first call after the last part ended, and is
    /// free again a window later.
    pub parts: u32,
    /// How much a command counts in addition to the time it took, so that a test can reach the limit.
    pub cost: Duration,
    /// Which commands have that cost.
    pub costly: Costly,
}

/// The commands that have an additional cost.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Costly {
    /// All of them.
    #[default]
    Every,
    /// Those that write.
    Writes,
}

impl Default for Operating {
    fn default() -> Self {
        let (limit, window) = (Duration::from_secs(480), Duration::from_secs(600));
        Self { limit, window, parts: 10, cost: Duration::ZERO, costly: Costly::default() }
    }
}

/// What a method used in one part of its window.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Part {
    /// When it begins; `None` for a part that nothing more is added to.
    begins: Option<Timestamp>,
    /// Seconds.
    used: f64,
    /// When it is free again, in seconds since 1970.
    reset_at: i64,
}

/// The method time that was used so far.
#[derive(Debug)]
pub(super) struct Meter {
    rules: Operating,
    blocks: bool,
    /// The parts that are not free again, the one that is free first at the front.
    used: HashMap<String, VecDeque<Part>>,
}

impl Meter {
    /// A meter at zero. Without rules it counts and never blocks.
    pub(super) fn new(rules: Option<Operating>) -> Self {
        Self { rules: rules.unwrap_or_default(), blocks: rules.is_some(), used: HashMap::new() }
    }

    /// Whether a method may run.
    pub(super) fn admits(&self, method: &str, now: Timestamp) -> bool {
        !self.blocks || self.time_used(method, now).operating < self.rules.limit.as_secs_f64()
    }

    /// Counts a command that took this many seconds, and returns the time that its method has used, including this
    /// command.
    pub(super) fn count(&mut self, method: &str, start: Timestamp, seconds: f64) -> MethodTime {
        let is_costly = self.rules.costly == Costly::Every || writes(method);
        let seconds = seconds + if is_costly { self.rules.cost.as_secs_f64() } else { 0.0 };
        let length = self.rules.window / self.rules.parts.max(1);
        let reset_at = self.fresh_reset(start);
        let parts = self.used.entry(method.to_owned()).or_default();
        parts.retain(|part| start.as_second() < part.reset_at);
        let is_open =
            |begins: Timestamp| Duration::try_from(start.duration_since(begins)).is_ok_and(|age| age < length);
        match parts.iter_mut().find(|part| part.begins.is_some_and(is_open)) {
            Some(part) => part.used += seconds,
            None => parts.push_back(Part { begins: Some(start), used: seconds, reset_at }),
        }
        self.time_used(method, start)
    }

    /// Counts seconds that another client used of a method's time, free again at this second.
    pub(super) fn spend(&mut self, method: &str, used: f64, reset_at: i64) {
        let parts = self.used.entry(method.to_owned()).or_default();
        let place = parts.partition_point(|part| part.reset_at <= reset_at);
        parts.insert(place, Part { begins: None, used, reset_at });
    }

    /// The time that a method has used in the window of `now`.
    pub(super) fn time_used(&self, method: &str, now: Timestamp) -> MethodTime {
        let parts = || self.used.get(method).into_iter().flatten().filter(|part| now.as_second() < part.reset_at);
        MethodTime {
            operating: parts().map(|part| part.used).sum(),
            reset_at: parts().map(|part| part.reset_at).min().unwrap_or_else(|| self.fresh_reset(now)),
        }
    }

    /// When what is used now is free again.
    fn fresh_reset(&self, now: Timestamp) -> i64 {
        now.as_second().saturating_add_unsigned(self.rules.window.as_secs())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::constant(second, 900_000_000)
    }

    fn time(operating: f64, reset_at: i64) -> MethodTime {
        MethodTime { operating, reset_at }
    }

    #[test]
    fn a_method_is_blocked_until_its_oldest_part_is_free() {
        let mut meter = Meter::new(Some(Operating::default()));
        for (index, operating) in [(0, 120.0), (1, 240.0), (2, 360.0), (3, 480.0)] {
            assert!(meter.admits("a", at(index * 100)));
            assert_eq!(meter.count("a", at(index * 100), 120.0), time(operating, 600));
        }
        assert!(!meter.admits("a", at(300)) && !meter.admits("a", at(599)));
        assert!(meter.admits("b", at(300)), "each method has its own");
        assert!(meter.admits("a", at(600)), "at the time that was given");
        assert_eq!(meter.time_used("a", at(600)), time(360.0, 700), "only the oldest part is free");
        assert_eq!(meter.count("a", at(700), 1.0), time(241.0, 800));
        assert_eq!(meter.count("a", at(5000), 1.0), time(1.0, 5600), "all of it, later");
    }

    #[test]
    fn calls_within_one_part_are_free_together() {
        let mut meter = Meter::new(Some(Operating::default()));
        for (second, operating, reset_at) in [(0, 10.0, 600), (59, 20.0, 600), (60, 30.0, 600), (119, 40.0, 600)] {
            assert_eq!(meter.count("a", at(second), 10.0), time(operating, reset_at));
        }
        assert_eq!(meter.time_used("a", at(600)), time(20.0, 660));
        let mut whole = Meter::new(Some(Operating { parts: 1, ..Operating::default() }));
        whole.count("a", at(0), 10.0);
        assert_eq!(whole.count("a", at(599), 10.0), time(20.0, 600));
        assert_eq!(whole.time_used("a", at(600)), time(0.0, 1200));
    }

    #[test]
    fn one_wait_may_not_be_enough() {
        let mut meter = Meter::new(Some(Operating::default()));
        meter.spend("a", 475.0, 60);
        meter.spend("a", 10.0, 10);
        assert_eq!(meter.time_used("a", at(5)), time(485.0, 10));
        assert!(!meter.admits("a", at(5)) && meter.admits("a", at(10)));
        meter.count("a", at(10), 5.0);
        assert_eq!(meter.time_used("a", at(11)), time(480.0, 60));
        assert!(!meter.admits("a", at(59)) && meter.admits("a", at(60)));
    }

    #[test]
    fn a_cost_counts_and_no_rules_block_nothing() {
        let cost = Duration::from_secs(480);
        let mut meter = Meter::new(Some(Operating { cost, ..Operating::default() }));
        assert!(meter.count("a", at(0), 0.5).operating > 480.0 && !meter.admits("a", at(1)));
        let mut meter = Meter::new(Some(Operating { cost, costly: Costly::Writes, ..Operating::default() }));
        assert_eq!(meter.count("a.list", at(0), 1.0).operating, 1.0);
        assert_eq!(meter.count("a.add", at(0), 1.0).operating, 481.0);
        let mut meter = Meter::new(None);
        assert_eq!(meter.count("a", at(0), 1000.0), time(1000.0, 600));
        assert!(meter.admits("a", at(1)));
    }
}
