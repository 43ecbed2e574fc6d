//! The pace of lines about a wait: soon at first, and then at growing intervals, so that a log is not flooded.

use std::time::{Duration, Instant};

/// The quiet time after a line about something else: a portal that takes a second for each step needs no line
/// between two steps.
const AFTER_NEWS: Duration = Duration::from_secs(2);

/// When the next line about a wait is due.
#[derive(Debug)]
pub(super) struct Pace {
    /// The time that a wait may last before it is named.
    patience: Duration,
    quiet_since: Instant,
    due_after: Duration,
    /// The hold that was named last.
    last_hold: Option<NamedHold>,
}

/// A hold that was named.
#[derive(Debug)]
struct NamedHold {
    why: String,
    at: Instant,
    /// How long it was said to last.
    wait: Duration,
    /// For how long it need not be named again.
    gap: Duration,
}

impl Pace {
    /// A pace at which a wait is first named after `patience`.
    pub(super) fn new(patience: Duration) -> Self {
        Self { patience, quiet_since: Instant::now(), due_after: patience, last_hold: None }
    }

    /// A stage began.
    pub(super) fn begin(&mut self, now: Instant) {
        (self.quiet_since, self.due_after) = (now, self.patience);
    }

    /// A line about something else was printed.
    pub(super) fn heard(&mut self, now: Instant) {
        (self.quiet_since, self.due_after) = (now, AFTER_NEWS);
    }

    /// Whether it is time for a line.
    pub(super) fn is_due(&self, now: Instant) -> bool {
        now.saturating_duration_since(self.quiet_since) >= self.due_after
    }

    /// A line about the wait was printed.
    pub(super) fn said(&mut self, now: Instant) {
        (self.quiet_since, self.due_after) = (now, longer(self.due_after));
    }

    /// Whether a hold must be named now: it has a new reason, is longer than was announced, or was named a while ago. If
    /// so, it counts as named.
    pub(super) fn names_hold(&mut self, why: &str, wait: Duration, now: Instant) -> bool {
        // Messages show whole seconds.
        let seconds = |wait: Duration| wait.as_secs_f64().ceil();
        let last = self.last_hold.as_ref().filter(|last| last.why == why);
        let gap = match last {
            Some(last) if seconds(wait) <= seconds(last.wait) && now.saturating_duration_since(last.at) < last.gap => {
                return false;
            }
            Some(last) => longer(last.gap),
            None => longer(Duration::ZERO),
        };
        self.last_hold = Some(NamedHold { why: why.to_owned(), at: now, wait, gap });
        self.said(now);
        true
    }
}

/// The next longer interval.
fn longer(interval: Duration) -> Duration {
    const INTERVALS: [Duration; 3] = [Duration::from_secs(5), Duration::from_secs(15), Duration::from_secs(60)];
    let [.., longest] = INTERVALS;
    INTERVALS.into_iter().find(|next| *next > interval).unwrap_or(longest)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// At which tenths of a second of the first 200 s a line is due, when nothing else is said.
    fn lines(pace: &mut Pace, from: Instant) -> Vec<u64> {
        let due = |tenth: &u64| {
            let now = from + Duration::from_millis(100 * tenth);
            let is_due = pace.is_due(now);
            if is_due {
                pace.said(now);
            }
            is_due
        };
        (0..2000).filter(due).collect()
    }

    #[test]
    fn a_wait_is_named_soon_and_then_ever_more_rarely() {
        let now = Instant::now();
        let mut pace = Pace::new(Duration::from_millis(500));
        pace.begin(now);
        assert_eq!(lines(&mut pace, now), [5, 55, 205, 805, 1405]);
        pace.heard(now);
        assert_eq!(lines(&mut pace, now), [20, 70, 220, 820, 1420]);
    }

    #[test]
    fn a_hold_is_named_at_once_and_not_each_time() {
        let now = Instant::now();
        let mut pace = Pace::new(Duration::from_millis(500));
        let second = Duration::from_secs(1);
        let named =
            (0..2000).filter(|tenth| pace.names_hold("rate limited", second, now + Duration::from_millis(100 * tenth)));
        assert_eq!(named.collect::<Vec<_>>(), [0, 50, 200, 800, 1400]);
        assert!(pace.names_hold("another reason", second, now));
        assert!(!pace.names_hold("another reason", second, now));
        assert!(pace.names_hold("another reason", second * 2, now), "longer than was said");
    }
}
