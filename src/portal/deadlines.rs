//! The time limits of one portal's command: when the command ends, and how long one request may take. Nothing here reads
//! the clock; the present time comes in as a value.

use std::cell::Cell;
use std::time::Duration;

use tokio::time::Instant;

use crate::ops::ports::Urgency;

use super::limits::RequestPurpose;
use super::oauth::RENEWAL_TIMEOUT;

/// How long past the command's end a replace may be completed and the outcome of writes may be determined.
const GRACE_PERIOD: Duration = Duration::from_secs(180);

/// How long past the command's end brandctl waits to send the image of a replace while the portal has no time allowance
/// for it.
const ALLOWANCE_GRACE: Duration = Duration::from_secs(15 * 60);

/// The deadlines of a command and of each of its requests.
#[derive(Debug)]
pub struct Deadlines {
    end: Cell<Instant>,
    /// How long the command was given, for messages.
    budget: Duration,
    /// Whether reading is done to determine the outcome of writes.
    in_grace_period: Cell<bool>,
    /// How long the grace period is: longer once an allowance was waited for during it.
    grace: Cell<Duration>,
    /// Whether the announcement was made that the command continues past its end.
    announced: Cell<bool>,
    /// The longest that one read or download may take.
    pub read_timeout: Duration,
    /// The longest that one write may take. A portal continues a batch after its client is gone, so a short limit only
    /// makes outcomes unknown: keep it at 120 s or more, except in tests.
    pub write_timeout: Duration,
}

/// The deadline of one request.
#[derive(Debug, Clone, Copy)]
pub(super) struct RequestDeadline {
    /// When to give up.
    pub(super) until: Instant,
    /// How long the request may take, if the command does not end before.
    pub(super) timeout: Duration,
    /// Whether the command ends before.
    pub(super) cut_short: bool,
    /// How long the command was given.
    pub(super) budget: Duration,
}

impl Deadlines {
    /// The deadlines of a command that is given `budget` from `now` on.
    pub fn new(now: Instant, budget: Duration) -> Self {
        Self {
            end: Cell::new(now + budget),
            budget,
            in_grace_period: Cell::new(false),
            grace: Cell::new(GRACE_PERIOD),
            announced: Cell::new(false),
            read_timeout: Duration::from_secs(30),
            write_timeout: Duration::from_secs(120),
        }
    }

    /// How long the command was given.
    pub(super) const fn budget(&self) -> Duration {
        self.budget
    }

    /// Gives the command more time: as long as the user took to answer a question.
    pub(super) fn extend(&self, by: Duration) {
        self.end.set(self.end.get() + by);
    }

    /// From here on, reading is done to determine the outcome of writes and may continue past the command's end.
    pub(super) fn begin_grace_period(&self) {
        self.in_grace_period.set(true);
    }

    /// Whether the command's end comes before `at`.
    pub(super) fn ends_before(&self, at: Instant) -> bool {
        self.end.get() < at
    }

    /// How much time is left to wait for the allowance of what completes a replace.
    pub(super) fn left_for_allowance(&self, now: Instant) -> Duration {
        (self.end.get() + ALLOWANCE_GRACE).saturating_duration_since(now)
    }

    /// An allowance was waited for until now: what completes or examines writes has its grace period from here on.
    pub(super) fn renew_grace_period(&self, now: Instant) {
        let past = now.saturating_duration_since(self.end.get());
        self.grace.set(self.grace.get().max(past + GRACE_PERIOD));
    }

    /// The time until which a request may be sent.
    pub(super) fn until(&self, purpose: RequestPurpose) -> Instant {
        match purpose {
            RequestPurpose::Read if !self.in_grace_period.get() => self.end.get(),
            RequestPurpose::Write(Urgency::Ordinary | Urgency::Removing) => self.end.get(),
            RequestPurpose::Read | RequestPurpose::Write(Urgency::Completing) => self.end.get() + self.grace.get(),
        }
    }

    /// How much time is left to send a request.
    pub(super) fn left(&self, purpose: RequestPurpose, now: Instant) -> Duration {
        self.until(purpose).saturating_duration_since(now)
    }

    /// The time until which a request that is sent now may wait for its answer. A write that is sent in time gets its
    /// whole timeout: giving up on it early would make its outcome unknown. A write that is sent in the grace period
    /// gets the time that is left.
    pub(super) fn of_request(&self, purpose: RequestPurpose, now: Instant) -> RequestDeadline {
        match purpose {
            RequestPurpose::Read => self.of_read(purpose, now),
            RequestPurpose::Write(_) => {
                let (timeout, last) = (self.write_timeout, self.end.get() + self.grace.get());
                let until = (now + timeout).min(last);
                RequestDeadline { until, timeout, cut_short: until == last, budget: self.budget }
            }
        }
    }

    /// The command's end, if it was not announced yet that the command continues; the caller announces it at that time.
    pub(super) fn unannounced_end(&self) -> Option<Instant> {
        (!self.announced.get()).then(|| self.end.get())
    }

    /// Notes that it is announced, and returns for how long the command may continue at most.
    pub(super) fn announce(&self) -> Duration {
        self.announced.set(true);
        GRACE_PERIOD
    }

    /// The time until which a token renewal that begins now may wait for its answer, regardless of the command's own
    /// deadline.
    pub(super) fn of_renewal(&self, now: Instant) -> RequestDeadline {
        let timeout = RENEWAL_TIMEOUT;
        RequestDeadline { until: now + timeout, timeout, cut_short: false, budget: self.budget }
    }

    /// The time until which something that is read now, in order to send a request of this purpose, may wait for its answer.
    pub(super) fn of_read(&self, purpose: RequestPurpose, now: Instant) -> RequestDeadline {
        let (end, timeout) = (self.until(purpose), self.read_timeout);
        let until = now.checked_add(timeout).map_or(end, |until| until.min(end));
        RequestDeadline { until, timeout, cut_short: until == end, budget: self.budget }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ORDINARY: RequestPurpose = RequestPurpose::Write(Urgency::Ordinary);
    const COMPLETING: RequestPurpose = RequestPurpose::Write(Urgency::Completing);

    #[test]
    fn only_what_completes_or_examines_writes_may_go_on_past_the_end() {
        let now = Instant::now();
        let deadlines = Deadlines::new(now, Duration::from_secs(10));
        let left = |purpose| deadlines.left(purpose, now).as_secs();
        assert_eq!([RequestPurpose::Read, ORDINARY, COMPLETING].map(left), [10, 10, 190]);
        deadlines.begin_grace_period();
        assert_eq!([RequestPurpose::Read, ORDINARY, COMPLETING].map(left), [190, 10, 190]);
        deadlines.extend(Duration::from_secs(5));
        assert_eq!([RequestPurpose::Read, ORDINARY, COMPLETING].map(left), [195, 15, 195]);
        assert_eq!(deadlines.left(ORDINARY, now + Duration::from_secs(60)), Duration::ZERO);
    }

    #[test]
    fn an_allowance_is_waited_for_past_the_grace_period_which_then_begins_again() {
        let now = Instant::now();
        let deadlines = Deadlines::new(now, Duration::from_secs(10));
        let seconds = Duration::from_secs;
        assert_eq!(deadlines.left_for_allowance(now), seconds(910));
        assert!(deadlines.ends_before(now + seconds(11)) && !deadlines.ends_before(now + seconds(10)));
        deadlines.renew_grace_period(now + seconds(5));
        assert_eq!(deadlines.left(COMPLETING, now), seconds(190), "it has not begun");
        let late = now + seconds(410);
        assert_eq!((deadlines.left(COMPLETING, late), deadlines.left_for_allowance(late)), (seconds(0), seconds(500)));
        deadlines.begin_grace_period();
        deadlines.renew_grace_period(late);
        for purpose in [RequestPurpose::Read, COMPLETING] {
            assert_eq!(deadlines.left(purpose, late), seconds(180), "{purpose:?}");
        }
        assert_eq!(deadlines.left(ORDINARY, late), Duration::ZERO);
        assert_eq!(deadlines.of_request(COMPLETING, late).until, late + seconds(120));
        assert_eq!(deadlines.left_for_allowance(now + seconds(910)), Duration::ZERO, "once is enough");
    }

    #[test]
    fn the_commands_end_cuts_a_read_short_and_no_write() {
        let now = Instant::now();
        let deadlines = Deadlines::new(now, Duration::from_secs(60));
        let read = deadlines.of_request(RequestPurpose::Read, now);
        assert_eq!((read.until, read.cut_short), (now + Duration::from_secs(30), false));
        let read = deadlines.of_request(RequestPurpose::Read, now + Duration::from_secs(50));
        assert_eq!((read.until, read.cut_short), (now + Duration::from_secs(60), true));
        let write = deadlines.of_request(ORDINARY, now + Duration::from_secs(50));
        assert_eq!((write.until, write.cut_short), (now + Duration::from_secs(170), false));
        // Nothing continues for more than 180 s past the end.
        let write = deadlines.of_request(COMPLETING, now + Duration::from_secs(200));
        assert_eq!((write.until, write.cut_short), (now + Duration::from_secs(240), true));
    }
}
