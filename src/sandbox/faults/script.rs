//! A running script: it counts requests and decides the faults of each.

use std::time::Duration;

use super::super::record::writes;
use super::super::wire::{CallRefusal, HttpAnswer};
use super::rule::{Cut, FaultAction, FaultRule, Faults, On, When};

/// What a script needs to know about a request.
pub(crate) struct RequestFacts<'a> {
    /// The method in lower case; `None` for a download or a page.
    pub(crate) method: Option<&'a str>,
    /// Whether the request is a download.
    pub(crate) download: bool,
    /// The methods of a batch's commands, in lower case.
    pub(crate) inner: &'a [String],
}

impl RequestFacts<'_> {
    fn writes_in_batch(&self) -> bool {
        self.inner.iter().any(|method| writes(method))
    }

    fn counted_by(&self, on: &On) -> bool {
        match on {
            On::Any => true,
            On::Download => self.download,
            On::Method(pattern) => {
                self.method.is_some_and(|method| names(pattern, method)) || self.counted_by(&On::Inner(pattern.clone()))
            }
            On::Inner(pattern) => self.inner.iter().any(|method| names(pattern, method)),
            On::Write => self.method.is_some_and(writes) || self.writes_in_batch(),
        }
    }
}

/// Whether a pattern names a method that is in lower case.
pub(super) fn names(pattern: &str, method: &str) -> bool {
    let pattern = pattern.to_ascii_lowercase();
    match pattern.strip_prefix('*') {
        Some(end) => method.ends_with(end),
        None => pattern == method,
    }
}

/// The faults of one request.
#[derive(Debug, Default)]
pub(crate) struct RequestFaults {
    /// How long the request waits first.
    pub(crate) delay: Duration,
    /// What happens instead of the work.
    pub(crate) early: Option<Early>,
    /// What happens to the answer of the work.
    pub(crate) late: Option<Late>,
    /// The methods that are not allowed inside a batch; `None` is every method that writes.
    not_inside: Vec<Option<String>>,
    /// After how many commands a batch ends.
    pub(crate) cut: Option<(usize, Cut)>,
}

/// What happens instead of the work.
#[derive(Debug)]
pub(crate) enum Early {
    Answer(HttpAnswer),
    Close,
}

/// What happens to the answer of the work.
#[derive(Debug)]
pub(crate) enum Late {
    Answer(HttpAnswer),
    Close,
    CloseAtOnce,
    Truncate(usize),
    Tear(usize),
}

/// A running script.
#[derive(Debug)]
pub(crate) struct Script {
    rules: Vec<(FaultRule, Count)>,
    pub(crate) lasting: LastingFaults,
}

/// The faults that continue once a rule has started them.
#[derive(Debug, Default)]
pub(crate) struct LastingFaults {
    refused: Vec<(String, CallRefusal)>,
    /// Whether no more files can be stored.
    pub(crate) disk_is_full: bool,
}

#[derive(Debug)]
struct Count {
    seen: u64,
    fired: u64,
    random: fastrand::Rng,
}

impl Count {
    /// A count of zero for the rule at `place`; each rule draws its own random numbers.
    fn new(rule: &FaultRule, place: u64) -> Self {
        let seed = if let When::Probability { seed, .. } = rule.when { seed } else { 0 };
        Self { seen: 0, fired: 0, random: fastrand::Rng::with_seed(seed.wrapping_add(place)) }
    }

    /// Counts a request and returns whether the rule applies to it.
    fn meets(&mut self, when: When) -> bool {
        self.seen += 1;
        let met = match when {
            When::Every => true,
            When::Nth(n) => self.seen == n,
            When::From(n) => self.seen >= n,
            When::Probability { per_million, .. } => self.random.u32(..1_000_000) < per_million,
        };
        self.fired += u64::from(met);
        met
    }
}

impl Script {
    /// A script with all counts at zero.
    pub(crate) fn new(faults: Faults) -> Self {
        let counted = faults.rules.into_iter().zip(0..).map(|(rule, place)| {
            let count = Count::new(&rule, place);
            (rule, count)
        });
        Self { rules: counted.collect(), lasting: LastingFaults::default() }
    }

    /// Counts a request and decides its faults.
    pub(crate) fn faults_of(&mut self, facts: &RequestFacts<'_>) -> RequestFaults {
        let mut faults = RequestFaults::default();
        for (rule, count) in &mut self.rules {
            if facts.counted_by(&rule.on) && count.meets(rule.when) {
                faults.add(&rule.action, count.fired, facts, &mut self.lasting);
            }
        }
        faults
    }

    /// Why a command of this method is refused, if it is.
    pub(crate) fn refusal(&self, method: &str) -> Option<CallRefusal> {
        self.lasting.refused.iter().find(|(pattern, _)| names(pattern, method)).map(|(_, refusal)| refusal.clone())
    }
}

impl RequestFaults {
    /// Whether a command of this method is not allowed inside a batch.
    pub(crate) fn forbids_inside(&self, method: &str) -> bool {
        let is_meant = |pattern: &Option<String>| match pattern {
            Some(pattern) => names(pattern, method),
            None => writes(method),
        };
        self.not_inside.iter().any(is_meant)
    }

    fn add(&mut self, action: &FaultAction, fired: u64, facts: &RequestFacts<'_>, lasting: &mut LastingFaults) {
        let mut early = |early| _ = self.early.get_or_insert(early);
        let mut late = |late| _ = self.late.get_or_insert(late);
        let refused = |refusal: CallRefusal| Early::Answer(HttpAnswer::refused(&refusal));
        match action {
            FaultAction::Status { code, body, content_type } => {
                early(Early::Answer(HttpAnswer::text(*code, content_type, body)));
            }
            FaultAction::StatusAfter { code, body, content_type } => {
                late(Late::Answer(HttpAnswer::text(*code, content_type, body)));
            }
            FaultAction::Html(status) => early(Early::Answer(HttpAnswer::page(*status))),
            FaultAction::Image { width, height } => early(Early::Answer(HttpAnswer::grey(*width, *height))),
            FaultAction::HtmlAfter(status) => late(Late::Answer(HttpAnswer::page(*status))),
            FaultAction::Delay(delay) => self.delay += *delay,
            FaultAction::DropBefore => early(Early::Close),
            FaultAction::DropAfter => late(Late::Close),
            FaultAction::DropDuring => late(Late::CloseAtOnce),
            FaultAction::TruncateBody(length) => late(Late::Truncate(*length)),
            FaultAction::TearBody(length) => late(Late::Tear(*length)),
            FaultAction::EmptyBody => late(Late::Truncate(0)),
            FaultAction::CutBatch { after, answer } => self.cut = self.cut.or(Some((*after, *answer))),
            FaultAction::RefuseCommand { method, code, description, status } if fired == 1 => {
                lasting.refused.push((method.clone(), CallRefusal::new(*status, code, description)));
            }
            FaultAction::NotAllowedInBatch if facts.writes_in_batch() => {
                early(refused(CallRefusal { status: 405, ..CallRefusal::NOT_IN_BATCH }));
            }
            FaultAction::NotAllowedInside { method } => self.not_inside.push(method.clone()),
            FaultAction::RateLimited(times) if fired <= *times => early(refused(CallRefusal::TOO_MANY_REQUESTS)),
            FaultAction::TimeLimit => early(refused(CallRefusal::TIME_LIMIT)),
            FaultAction::Overload => {
                early(refused(CallRefusal::new(503, "OVERLOAD_LIMIT", "REST API is blocked due to overload.")));
            }
            FaultAction::ExpiredToken => early(refused(CallRefusal::EXPIRED_TOKEN)),
            FaultAction::DiskFull => lasting.disk_is_full = true,
            FaultAction::RefuseCommand { .. } | FaultAction::NotAllowedInBatch | FaultAction::RateLimited(_) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn met(spec: When, place: usize, requests: usize) -> Vec<bool> {
        let mut faults = Faults::none();
        for _ in 0..place {
            faults = faults.and(On::Download, When::Every, FaultAction::EmptyBody);
        }
        let mut script = Script::new(faults.and(On::Any, spec, FaultAction::DropBefore));
        let facts = RequestFacts { method: Some("scope"), download: false, inner: &[] };
        (0..requests).map(|_| script.faults_of(&facts).early.is_some()).collect()
    }

    #[test]
    fn dice_fall_alike_for_a_seed_and_about_as_often_as_asked() {
        let chance = |seed| When::Probability { per_million: 100_000, seed };
        let first = met(chance(7), 0, 10_000);
        assert_eq!(met(chance(7), 0, 10_000), first);
        assert_ne!(met(chance(8), 0, 10_000), first);
        assert_ne!(met(chance(7), 1, 10_000), first, "two rules of one script draw differently");
        let count = first.iter().filter(|met| **met).count();
        assert!((900..1100).contains(&count), "{count} of 10,000");
        let always = When::Probability { per_million: 1_000_000, seed: 0 };
        assert!(met(always, 0, 1000).iter().all(|met| *met));
    }

    #[test]
    fn counts_say_which() {
        assert_eq!(met(When::Nth(2), 0, 4), [false, true, false, false]);
        assert_eq!(met(When::From(2), 0, 4), [false, true, true, true]);
        assert_eq!(met(When::Every, 0, 2), [true, true]);
    }
}
