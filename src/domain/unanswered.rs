//! Requests without an answer. A portal continues a request after its client is gone, so the request may still be
//! carried out for some time after its last byte was sent: its window. Until the window has passed, the entries that it
//! names may still change.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::asset::{Address, FoldedCode, Kind};

/// A moment: the time since 1970.
pub(crate) type Moment = Duration;

/// A code in the form in which portals compare.
pub(crate) type FoldedAddress = (Kind, FoldedCode);

/// The time between two readings that must agree to be trusted. A request may be carried out for `settle` after it was
/// sent.
pub(crate) fn apart(settle: Duration) -> Duration {
    settle.min(Duration::from_secs(5))
}

/// The requests of a run that were not answered, as its journal has them.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Unanswered {
    requests: BTreeMap<u32, Sent>,
    /// When later runs first saw requests whose time of sending is not known.
    seen: Vec<Moment>,
}

/// A request that may have left.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
struct Sent {
    codes: BTreeSet<Address>,
    /// When its last byte was sent, if that was recorded.
    at: Option<Moment>,
    /// Whether the journal records that it got no answer. Otherwise the answer may still be on its way.
    is_lost: bool,
}

/// What may still be carried out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct OpenWindow {
    /// For how long.
    pub(crate) left: Duration,
    /// The entries that the requests are for.
    pub(crate) codes: BTreeSet<Address>,
    /// Whether the time is counted from now, because the time when a request was sent was not recorded, or lies in the
    /// future.
    pub(crate) counts_from_now: bool,
}

impl Unanswered {
    /// A request is about to leave.
    pub(crate) fn intend(&mut self, request: u32, codes: impl Iterator<Item = Address>) {
        // brandctl does not use a number twice: then nothing is known about the request.
        let sent = self.requests.entry(request).or_default();
        sent.codes.extend(codes);
        (sent.at, sent.is_lost) = (None, false);
    }

    /// It got no answer. If the time of its last byte was not recorded, it was sent by now.
    pub(crate) fn note(&mut self, request: u32, at: Option<Moment>) {
        if let Some(sent) = self.requests.get_mut(&request) {
            sent.at = sent.at.or(at);
            sent.is_lost = true;
        }
    }

    /// It was sent again: the first time no longer counts.
    pub(crate) fn note_again(&mut self, request: u32, at: Option<Moment>) {
        if let Some(sent) = self.requests.get_mut(&request) {
            sent.at = at;
        }
    }

    /// It was answered, or did not leave.
    pub(crate) fn close(&mut self, request: u32) {
        self.requests.remove(&request);
    }

    /// A later run saw them.
    pub(crate) fn see(&mut self, at: Option<Moment>) {
        self.seen.extend(at);
    }

    /// The same, without the requests that may still be answered.
    pub(crate) fn lost(&self) -> Self {
        let is_lost = |sent: &Sent| sent.is_lost;
        let requests = self.requests.iter().filter(|(_, sent)| is_lost(sent));
        Self { requests: requests.map(|(number, sent)| (*number, sent.clone())).collect(), seen: self.seen.clone() }
    }

    /// What may still be carried out at this time, if a request may be for `settle`; `None` when nothing may.
    pub(crate) fn window(&self, now: Moment, settle: Duration) -> Option<OpenWindow> {
        let past = |at: &Moment| *at <= now;
        let seen = self.seen.iter().copied().filter(past).min();
        let mut open: Option<OpenWindow> = None;
        for Sent { codes, at, .. } in self.requests.values() {
            let since = at.filter(past).or(seen);
            let passed = since.map_or(Duration::ZERO, |since| now.saturating_sub(since));
            let left = settle.saturating_sub(passed);
            if left.is_zero() {
                continue;
            }
            let window = open.get_or_insert(OpenWindow { left, codes: BTreeSet::new(), counts_from_now: false });
            window.left = window.left.max(left);
            window.codes.extend(codes.iter().cloned());
            window.counts_from_now |= since.is_none();
        }
        open
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests fail by panicking")]
    use super::*;

    const SETTLE: Duration = Duration::from_secs(120);

    fn at(second: u64) -> Moment {
        Duration::from_secs(1_000_000 + second)
    }

    fn codes(names: &[&str]) -> BTreeSet<Address> {
        names.iter().map(|name| name.parse().unwrap()).collect()
    }

    fn intended(requests: &[(u32, &str)]) -> Unanswered {
        let mut unanswered = Unanswered::default();
        for (request, code) in requests {
            unanswered.intend(*request, codes(&[code]).into_iter());
        }
        unanswered
    }

    fn left(unanswered: &Unanswered, now: u64) -> Option<u64> {
        unanswered.window(at(now), SETTLE).map(|window| window.left.as_secs())
    }

    #[test]
    fn a_request_may_be_carried_out_until_its_window_has_passed() {
        let mut unanswered = intended(&[(1, "icon/a")]);
        unanswered.note(1, Some(at(0)));
        let window = unanswered.window(at(20), SETTLE).unwrap();
        let expected = OpenWindow { left: Duration::from_secs(100), codes: codes(&["icon/a"]), counts_from_now: false };
        assert_eq!(window, expected);
        assert_eq!([0, 119, 120, 500].map(|now| left(&unanswered, now)), [Some(120), Some(1), None, None]);
        assert_eq!(unanswered.window(at(0), Duration::ZERO), None);
    }

    #[test]
    fn the_last_byte_counts_and_not_the_moment_of_giving_up() {
        let mut unanswered = intended(&[(1, "icon/a")]);
        unanswered.note(1, Some(at(0)));
        unanswered.note(1, Some(at(60)));
        assert_eq!(left(&unanswered, 60), Some(60));
        unanswered.note_again(1, Some(at(90)));
        assert_eq!(left(&unanswered, 100), Some(110), "it was sent again");
    }

    #[test]
    fn what_was_answered_is_over() {
        let mut unanswered = intended(&[(1, "icon/a"), (2, "icon/b")]);
        for request in [1, 2] {
            unanswered.note(request, Some(at(0)));
        }
        unanswered.close(1);
        assert_eq!(unanswered.window(at(0), SETTLE).unwrap().codes, codes(&["icon/b"]));
        unanswered.close(2);
        assert_eq!(unanswered.window(at(0), SETTLE), None);
    }

    #[test]
    fn the_last_of_several_requests_decides() {
        let mut unanswered = intended(&[(1, "icon/a"), (2, "logo/a")]);
        unanswered.note(1, Some(at(0)));
        unanswered.note(2, Some(at(50)));
        assert_eq!(unanswered.window(at(60), SETTLE).unwrap().codes, codes(&["icon/a", "logo/a"]));
        assert_eq!(left(&unanswered, 60), Some(110));
        assert_eq!(unanswered.window(at(130), SETTLE).unwrap().codes, codes(&["logo/a"]));
    }

    #[test]
    fn without_a_time_it_counts_from_when_it_was_first_seen() {
        let mut unanswered = intended(&[(1, "icon/a")]);
        let window = unanswered.window(at(900), SETTLE).unwrap();
        assert_eq!((window.left, window.counts_from_now), (SETTLE, true));
        unanswered.see(Some(at(900)));
        let window = unanswered.window(at(930), SETTLE).unwrap();
        assert_eq!((window.left.as_secs(), window.counts_from_now), (90, false));
        unanswered.see(Some(at(950)));
        assert_eq!(left(&unanswered, 1010), Some(10), "the first look counts");
    }

    #[test]
    fn a_time_that_has_not_come_counts_as_seen_now() {
        let mut unanswered = intended(&[(1, "icon/a")]);
        unanswered.note(1, Some(at(5000)));
        let window = unanswered.window(at(0), SETTLE).unwrap();
        assert_eq!((window.left, window.counts_from_now), (SETTLE, true));
        unanswered.see(Some(at(0)));
        assert_eq!(left(&unanswered, 119), Some(1));
        assert_eq!(left(&unanswered, 120), None);
        // The clock was put back again: that look is now in the future too.
        assert!(unanswered.window(Duration::from_secs(999_940), SETTLE).unwrap().counts_from_now);
    }

    #[test]
    fn a_number_that_comes_twice_loses_its_time() {
        let mut unanswered = intended(&[(1, "icon/a")]);
        unanswered.note(1, Some(at(0)));
        unanswered.intend(1, codes(&["icon/b"]).into_iter());
        let window = unanswered.window(at(500), SETTLE).unwrap();
        assert_eq!((window.codes, window.counts_from_now), (codes(&["icon/a", "icon/b"]), true));
    }
}
