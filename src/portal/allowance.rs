//! The time allowance that a portal gives each of its methods, as arithmetic: how much of it is used, what a call
//! costs, and whether it lasts for both halves of a replace. The limit is unknown at first and is learned from answers.
//! Time comes in as values.

use std::collections::BTreeMap;
use std::time::Duration;

use tokio::time::Instant;

use crate::domain::retry::{Class, Decision, decide};

use super::wire::CallTime;

/// The time allowance of a method until answers show another one, in seconds.
const ASSUMED_LIMIT: f64 = 420.0;
/// The part of a limit that is kept in reserve.
const RESERVED_PART: f64 = 0.1;
/// How many more calls must fit in at least, each as costly as the costliest so far.
const RESERVED_CALLS: f64 = 2.0;
/// Two resets at most this far apart are the same one, reported at different times.
const SAME_RESET: Duration = Duration::from_millis(500);

/// The known time allowances of a portal's methods.
#[derive(Debug, Default)]
pub(super) struct Allowances {
    methods: BTreeMap<String, Allowance>,
}

/// A method whose allowance may not last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Shortage {
    pub(super) method: String,
    /// When there is more of it.
    pub(super) until: Instant,
}

/// The reason why no replace may be sent: a method, and how long it is until there is more of its time allowance.
#[derive(Debug)]
pub(super) enum PairsHeld {
    /// The command waited for it.
    Waited(String, Duration),
    /// The command's time is up before then.
    NoTime(String, Duration),
}

/// The known time allowance of one method.
#[derive(Debug)]
struct Allowance {
    limit: f64,
    /// How much of it is used, and when some of that is free again: from then on, how much is used is unknown.
    used: Option<(f64, Instant)>,
    /// The cost of the costliest call so far, in seconds.
    costliest: f64,
    /// How often it was refused since it last worked.
    refusals: u32,
    /// Until when it is refused.
    blocked_until: Option<Instant>,
}

impl Default for Allowance {
    fn default() -> Self {
        Self { limit: ASSUMED_LIMIT, used: None, costliest: 0.0, refusals: 0, blocked_until: None }
    }
}

impl Allowances {
    /// Notes what an answer says of a call to this method.
    pub(super) fn note(&mut self, method: &str, time: CallTime, now: Instant) {
        self.methods.entry(method.to_owned()).or_default().note(time, now);
    }

    /// Notes that a method was refused because its allowance is used up.
    pub(super) fn note_refusal(&mut self, method: &str, now: Instant) {
        self.methods.entry(method.to_owned()).or_default().note_refusal(now);
    }

    /// When some of what a method has used is free again, if that is known.
    pub(super) fn resets_at(&self, method: &str, now: Instant) -> Option<Instant> {
        Some(self.methods.get(method)?.known(now)?.1)
    }

    /// Until when a method is refused.
    pub(super) fn blocked_until(&self, method: &str) -> Option<Instant> {
        self.methods.get(method)?.blocked_until
    }

    /// How many of these replaces, each given by the methods of its two halves, may be sent together: the allowances
    /// must last for all of them. At least one, or the shortage that lasts longest.
    pub(super) fn permitted(&self, pairs: &[[String; 2]], now: Instant) -> Result<usize, Shortage> {
        let mut calls: BTreeMap<&str, u32> = BTreeMap::new();
        for (count, pair) in pairs.iter().enumerate() {
            let mut short = None;
            for method in pair {
                let calls = calls.entry(method).or_default();
                *calls += 1;
                let until = self.methods.get(method).and_then(|known| known.short_until(*calls, now));
                let shortage = until.map(|until| Shortage { method: method.clone(), until });
                short = shortage.into_iter().chain(short).max_by_key(|shortage| shortage.until);
            }
            match short {
                Some(shortage) if count == 0 => return Err(shortage),
                Some(_) => return Ok(count),
                None => {}
            }
        }
        Ok(pairs.len())
    }
}

impl Allowance {
    fn known(&self, now: Instant) -> Option<(f64, Instant)> {
        self.used.filter(|(_, resets_at)| now < *resets_at)
    }

    fn note(&mut self, time: CallTime, now: Instant) {
        (self.refusals, self.blocked_until) = (0, None);
        let mut cost = time.took;
        let resets_at = time.resets_in.and_then(|wait| now.checked_add(wait));
        if let Some(mut used) = time.operating {
            let mut earliest = resets_at;
            // Answers to requests that were in flight together come in any order.
            if let (Some((before, known)), Some(reset)) = (self.known(now), resets_at)
                && reset < known + SAME_RESET
            {
                cost = cost.max(used - before);
                used = used.max(before);
                earliest = Some(known.min(reset));
            }
            self.limit = self.limit.max(used);
            self.used = earliest.map(|at| (used, at));
        }
        self.costliest = self.costliest.max(cost);
    }

    fn note_refusal(&mut self, now: Instant) {
        let known = self.known(now);
        if let Some((used, _)) = known {
            self.limit = used;
        }
        let backoff = || match decide(Class::Busy, self.refusals, None, Duration::MAX, 1.0) {
            Decision::Again { after } => now.checked_add(after),
            Decision::Stop => None,
        };
        self.blocked_until = known.map(|(_, resets_at)| resets_at).or_else(backoff);
        self.refusals = self.refusals.saturating_add(1);
    }

    /// When there is more of the allowance, if it may not last for so many calls plus the reserve.
    fn short_until(&self, calls: u32, now: Instant) -> Option<Instant> {
        if let Some(until) = self.blocked_until.filter(|until| now < *until) {
            return Some(until);
        }
        // Without a reset there is nothing to wait for: such portals have no limit.
        let (used, resets_at) = self.known(now)?;
        let reserve = (self.limit * RESERVED_PART).max(self.costliest * RESERVED_CALLS);
        (self.costliest.mul_add(f64::from(calls), used) > self.limit - reserve).then_some(resets_at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ADD: &str = "crm.timeline.icon.add";
    const DELETE: &str = "crm.timeline.icon.delete";

    fn seconds(value: f64) -> Duration {
        Duration::from_secs_f64(value)
    }

    fn told(operating: f64, resets_in: f64) -> CallTime {
        CallTime { took: 0.1, operating: Some(operating), resets_in: Some(seconds(resets_in)) }
    }

    fn pairs(count: usize) -> Vec<[String; 2]> {
        vec![[DELETE.to_owned(), ADD.to_owned()]; count]
    }

    fn short(until: Instant) -> Result<usize, Shortage> {
        Err(Shortage { method: ADD.to_owned(), until })
    }

    #[test]
    fn nothing_is_held_while_nothing_is_known() {
        let now = Instant::now();
        let mut allowances = Allowances::default();
        assert_eq!(allowances.permitted(&pairs(25), now), Ok(25));
        allowances.note(ADD, CallTime { took: 1.0, operating: Some(479.9), resets_in: None }, now);
        assert_eq!(allowances.permitted(&pairs(25), now), Ok(25), "no portal without a reset has a limit");
        allowances.note(ADD, CallTime::default(), now);
        assert_eq!(allowances.permitted(&[], now), Ok(0));
    }

    #[test]
    fn a_pair_waits_for_the_reset_where_a_tenth_would_not_be_left() {
        let now = Instant::now();
        for (operating, expected) in [(0.0, Ok(1)), (377.8, Ok(1)), (378.0, short(now + seconds(60.0)))] {
            let mut allowances = Allowances::default();
            allowances.note(ADD, told(operating, 60.0), now);
            assert_eq!(allowances.permitted(&pairs(1), now), expected, "{operating}");
            // Then how much is used is unknown.
            assert_eq!(allowances.permitted(&pairs(1), now + seconds(60.0)), Ok(1));
        }
    }

    #[test]
    fn the_costliest_call_decides_how_many_pairs_fit() {
        let now = Instant::now();
        let mut allowances = Allowances::default();
        allowances.note(ADD, told(100.0, 60.0), now);
        allowances.note(ADD, told(130.0, 60.0), now);
        allowances.note(ADD, told(131.0, 60.0), now);
        // 420 less twice thirty, less 131: seven calls of thirty seconds.
        assert_eq!(allowances.permitted(&pairs(25), now), Ok(7));
        assert_eq!(allowances.permitted(&pairs(3), now), Ok(3));
        allowances.note(DELETE, told(340.0, 30.0), now);
        allowances.note(DELETE, told(360.0, 30.0), now);
        let until = now + seconds(30.0);
        assert_eq!(allowances.permitted(&pairs(25), now), Err(Shortage { method: DELETE.to_owned(), until }));
        let logos = vec![["crm.timeline.logo.delete".to_owned(), "crm.timeline.logo.add".to_owned()]; 25];
        assert_eq!(allowances.permitted(&logos, now), Ok(25), "each method has its own");
    }

    #[test]
    fn a_call_costs_what_it_took_or_what_was_counted() {
        let now = Instant::now();
        let mut allowances = Allowances::default();
        allowances.note(ADD, CallTime { took: 50.0, ..told(300.0, 60.0) }, now);
        assert_eq!(allowances.permitted(&pairs(1), now), short(now + seconds(60.0)));
        let mut allowances = Allowances::default();
        allowances.note(ADD, told(300.0, 60.0), now);
        // After a reset the difference says nothing.
        allowances.note(ADD, told(360.0, 60.0), now + seconds(60.0));
        assert_eq!(allowances.permitted(&pairs(1), now + seconds(60.0)), Ok(1));
    }

    #[test]
    fn the_longer_of_two_shortages_is_waited_for() {
        let now = Instant::now();
        let mut allowances = Allowances::default();
        allowances.note(DELETE, told(419.0, 10.0), now);
        allowances.note(ADD, told(419.0, 60.0), now);
        assert_eq!(allowances.permitted(&pairs(1), now), short(now + seconds(60.0)));
        assert_eq!(allowances.permitted(&pairs(1), now + seconds(60.0)), Ok(1));
    }

    #[test]
    fn the_limit_is_taught_by_answers_and_by_refusals() {
        let now = Instant::now();
        let mut allowances = Allowances::default();
        // More than was assumed was used: it is at least that.
        allowances.note(ADD, told(479.0, 60.0), now);
        let later = now + seconds(61.0);
        allowances.note(ADD, told(400.0, 60.0), later);
        assert_eq!(allowances.permitted(&pairs(1), later), Ok(1), "479 less a tenth");
        // It was refused at 400: it is at most that.
        allowances.note_refusal(ADD, later);
        assert_eq!(allowances.permitted(&pairs(1), later), short(later + seconds(60.0)));
        let later = later + seconds(61.0);
        allowances.note(ADD, told(359.0, 60.0), later);
        assert_eq!(allowances.permitted(&pairs(1), later), Ok(1));
        allowances.note(ADD, told(359.95, 60.0), later);
        assert_eq!(allowances.permitted(&pairs(1), later), short(later + seconds(60.0)), "400 less a tenth");
        allowances.note(ADD, told(600.0, 60.0), later + seconds(61.0));
        allowances.note(ADD, told(500.0, 60.0), later + seconds(122.0));
        assert_eq!(allowances.permitted(&pairs(1), later + seconds(122.0)), Ok(1), "600 less a tenth");
    }

    #[test]
    fn a_refusal_blocks_until_the_reset_or_ever_longer() {
        let now = Instant::now();
        let mut allowances = Allowances::default();
        let blocked = |allowances: &Allowances, at: Instant| allowances.blocked_until(ADD).map(|until| until - at);
        allowances.note_refusal(ADD, now);
        assert_eq!(blocked(&allowances, now), Some(seconds(1.0)));
        assert_eq!(allowances.permitted(&pairs(1), now), short(now + seconds(1.0)));
        allowances.note_refusal(ADD, now);
        assert_eq!(blocked(&allowances, now), Some(seconds(2.0)));
        for _ in 0..9 {
            allowances.note_refusal(ADD, now);
        }
        assert_eq!(blocked(&allowances, now), Some(seconds(30.0)));
        allowances.note(ADD, told(1.0, 60.0), now);
        assert_eq!(blocked(&allowances, now), None, "it worked");
        allowances.note_refusal(ADD, now + seconds(20.0));
        assert_eq!(blocked(&allowances, now), Some(seconds(60.0)));
        assert_eq!(allowances.resets_at(ADD, now), Some(now + seconds(60.0)));
        assert_eq!(allowances.resets_at(ADD, now + seconds(60.0)), None);
    }

    #[test]
    fn answers_may_come_in_any_order() {
        let now = Instant::now();
        let mut allowances = Allowances::default();
        allowances.note(ADD, told(370.0, 60.0), now);
        allowances.note(ADD, told(361.0, 60.2), now);
        assert_eq!(allowances.permitted(&pairs(25), now), Ok(25));
        allowances.note(ADD, told(379.0, 60.2), now);
        allowances.note(ADD, told(361.0, 60.0), now);
        assert_eq!(allowances.permitted(&pairs(1), now), short(now + seconds(60.0)));
        // A later reset means that the older part is free.
        allowances.note(ADD, told(200.0, 90.0), now);
        assert_eq!(allowances.permitted(&pairs(1), now), Ok(1));
    }
}
