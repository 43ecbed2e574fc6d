//! The known limits of a portal, and when the next request may be sent. All of it is arithmetic: the present time and
//! random numbers come in as values, and sleeping happens in `throttle`.

use std::time::Duration;

use tokio::time::Instant;

use crate::domain::retry::{Class, Decision, decide};
use crate::ops::ports::{PortalError, Urgency};

use super::allowance::{Allowances, Shortage};
use super::bucket::RateBucket;
use super::wire::CallTime;

/// The longest that a write may wait. After that it is not sent before the portal is read again.
const MAX_WRITE_WAIT: Duration = Duration::from_secs(30);
/// The same for a write that removes something: anything that someone else adds between the reading and the write is
/// lost.
const MAX_REMOVAL_WAIT: Duration = Duration::from_secs(2);
/// The error code of a request that found the portal's bucket full.
const TOO_MANY_REQUESTS: &str = "QUERY_LIMIT_EXCEEDED";
/// The error code of a method that used up its time allowance. The portal's answers say when the allowance resets.
pub(super) const ALLOWANCE_USED_UP: &str = "OPERATION_TIME_LIMIT";

/// The purpose of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum RequestPurpose {
    Read,
    Write(Urgency),
}

/// The rate of requests.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rate {
    /// Requests per second in the long run; more than 0.
    pub per_second: f64,
    /// Requests at once after a pause; at least 1.
    pub burst: u32,
    /// How much of the burst writes leave to other integrations.
    pub headroom: u32,
}

impl Default for Rate {
    /// The rate that a portal allows on every plan but the largest.
    fn default() -> Self {
        Self { per_second: 2.0, burst: 50, headroom: 10 }
    }
}

/// The numbers of failures of one request, for each kind that is worth a retry.
#[derive(Debug, Default)]
pub(super) struct RetryCounts {
    busy: u32,
    transient: u32,
}

/// The reason why a request may not be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NotPermitted {
    /// The command's time is up before its turn comes.
    OutOfTime,
    /// The portal does not accept writes for this long, and the command's time is up before that.
    WritesHeld(Duration),
    /// It waited this long, so what is known about the portal may be out of date.
    WaitedTooLong(Duration),
}

/// The known limits of a portal.
#[derive(Debug)]
pub(super) struct Limits {
    rate: Rate,
    bucket: RateBucket,
    /// When the time allowance of the methods is filled up again, as last reported of any of them.
    allowance_resets_at: Option<Instant>,
    /// The known time allowance of each method.
    allowances: Allowances,
    /// Until when the portal refuses writes, as it said inside an answer.
    writes_held_until: Option<Instant>,
    /// Permits that were waited for and not used.
    unused_permits: u32,
}

impl Limits {
    /// The limits of a portal that nothing was sent to yet.
    pub(super) fn new(rate: Rate, now: Instant) -> Self {
        Self {
            rate,
            bucket: RateBucket::new(rate.per_second, rate.burst, now),
            allowance_resets_at: None,
            allowances: Allowances::default(),
            writes_held_until: None,
            unused_permits: 0,
        }
    }

    /// How fast requests may follow one another.
    pub(super) const fn rate(&self) -> Rate {
        self.rate
    }

    /// The time to wait until the portal takes writes again. A write that completes a replace does not wait before it
    /// was refused itself: a refusal costs it nothing, and until it takes effect an image is missing.
    pub(super) fn hold(
        &self,
        purpose: RequestPurpose,
        now: Instant,
        left: Duration,
        jitter: f64,
    ) -> Result<Duration, NotPermitted> {
        let held = self.writes_held_until.map_or(Duration::ZERO, |until| until.saturating_duration_since(now));
        if !is_ordinary(purpose) || held.is_zero() {
            return Ok(Duration::ZERO);
        }
        match decide(Class::Busy, 0, Some(held), left, jitter) {
            Decision::Again { after } => Ok(after),
            Decision::Stop => Err(NotPermitted::WritesHeld(held)),
        }
    }

    /// How many of these replaces, each given by the methods of its two halves, may be sent together without one
    /// stopping half way because the time allowance is used up. What is known about their methods says more than the
    /// refusal of some write.
    pub(super) fn permitted(&mut self, pairs: &[[String; 2]], now: Instant) -> Result<usize, Shortage> {
        let permitted = self.allowances.permitted(pairs, now)?;
        self.writes_held_until = None;
        Ok(permitted)
    }

    /// How long the second half of a replace waits after its method was refused because its time allowance was used up.
    pub(super) fn wait_for_allowance(&self, method: &str, now: Instant, jitter: f64) -> Duration {
        let blocked = self.allowances.blocked_until(method).map(|until| until.saturating_duration_since(now));
        match decide(Class::Busy, 0, blocked, Duration::MAX, jitter) {
            Decision::Again { after } => after,
            Decision::Stop => Duration::MAX,
        }
    }

    /// Takes the next permit for a request that has already `waited` this long, and returns the time until that permit.
    pub(super) fn permit(
        &mut self,
        purpose: RequestPurpose,
        now: Instant,
        waited: Duration,
        left: Duration,
    ) -> Result<Duration, NotPermitted> {
        if is_ordinary(purpose)
            && waited <= max_wait(purpose)
            && let Some(remaining) = self.unused_permits.checked_sub(1)
        {
            self.unused_permits = remaining;
            return Ok(Duration::ZERO);
        }
        let headroom = if is_ordinary(purpose) { self.rate.headroom } else { 0 };
        let wait = if left.is_zero() { None } else { self.bucket.reserve(now, headroom, left) };
        wait.ok_or(NotPermitted::OutOfTime)
    }

    /// Whether a permit may still be used once it was waited for. If not, it is kept, so that reading the portal again
    /// does not have to wait for another one.
    pub(super) fn confirm(&mut self, purpose: RequestPurpose, waited: Duration) -> Result<(), NotPermitted> {
        if waited > max_wait(purpose) {
            self.unused_permits += 1;
            return Err(NotPermitted::WaitedTooLong(waited));
        }
        Ok(())
    }

    /// Decides whether and when a request that failed is sent again. `retry_after` is what the answer's header says.
    pub(super) fn after_failure(
        &mut self,
        error: &PortalError,
        retry_after: Option<Duration>,
        retries: &mut RetryCounts,
        now: Instant,
        left: Duration,
        jitter: f64,
    ) -> Decision {
        let code = error.code.as_deref().unwrap_or_default();
        if code.eq_ignore_ascii_case(TOO_MANY_REQUESTS) {
            self.bucket.fill(now);
        }
        let retry_after = if code.eq_ignore_ascii_case(ALLOWANCE_USED_UP) {
            self.allowance_resets_at.map(|at| at.saturating_duration_since(now)).max(retry_after)
        } else {
            retry_after
        };
        let count = if error.class == Class::Busy { &mut retries.busy } else { &mut retries.transient };
        let decision = decide(error.class, *count, retry_after, left, jitter);
        if let Decision::Again { .. } = decision {
            *count += 1;
        }
        decision
    }

    /// Notes how long after `now` the time allowance of a method is filled up again.
    pub(super) fn note_reset(&mut self, now: Instant, resets_in: Option<Duration>) {
        if let Some(at) = resets_in.and_then(|wait| now.checked_add(wait)) {
            self.allowance_resets_at = Some(at);
        }
    }

    /// Notes what an answer says about the time of a call to this method.
    pub(super) fn note_call(&mut self, method: &str, time: CallTime, now: Instant) {
        self.allowances.note(method, time, now);
    }

    /// The portal refused a write because its method used up its time allowance: sends no writes until some of that is
    /// free again.
    pub(super) fn note_refusal(&mut self, method: &str, now: Instant) {
        self.allowances.note_refusal(method, now);
        self.writes_held_until = self.allowances.resets_at(method, now).or(self.allowance_resets_at);
    }
}

fn is_ordinary(purpose: RequestPurpose) -> bool {
    matches!(purpose, RequestPurpose::Write(urgency) if urgency.may_be_left_undone())
}

/// How long a request may wait and still be sent.
const fn max_wait(purpose: RequestPurpose) -> Duration {
    match purpose {
        RequestPurpose::Write(Urgency::Ordinary) => MAX_WRITE_WAIT,
        RequestPurpose::Write(Urgency::Removing) => MAX_REMOVAL_WAIT,
        RequestPurpose::Read | RequestPurpose::Write(Urgency::Completing) => Duration::MAX,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests fail by panicking")]
    use super::*;

    const ORDINARY: RequestPurpose = RequestPurpose::Write(Urgency::Ordinary);
    const COMPLETING: RequestPurpose = RequestPurpose::Write(Urgency::Completing);

    fn seconds(value: f64) -> Duration {
        Duration::from_secs_f64(value)
    }

    fn limits(now: Instant) -> Limits {
        Limits::new(Rate { per_second: 2.0, burst: 2, headroom: 1 }, now)
    }

    fn busy(code: &str) -> PortalError {
        PortalError { class: Class::Busy, code: Some(code.to_owned()), message: String::new(), hint: None }
    }

    #[test]
    fn only_ordinary_writes_leave_headroom_to_others() {
        let now = Instant::now();
        let mut limits = limits(now);
        let mut permit = |purpose, left| limits.permit(purpose, now, Duration::ZERO, seconds(left));
        assert_eq!(permit(ORDINARY, 60.0), Ok(Duration::ZERO));
        assert_eq!(permit(RequestPurpose::Read, 60.0), Ok(Duration::ZERO));
        assert_eq!(permit(COMPLETING, 60.0), Ok(seconds(0.5)));
        assert_eq!(permit(ORDINARY, 60.0), Ok(seconds(1.5)));
        assert_eq!(permit(ORDINARY, 1.0), Err(NotPermitted::OutOfTime));
        assert_eq!(permit(RequestPurpose::Read, 0.0), Err(NotPermitted::OutOfTime));
    }

    #[test]
    fn a_write_that_waited_long_is_not_sent_and_its_permit_is_the_next_ones() {
        let (now, long) = (Instant::now(), seconds(31.0));
        let mut limits = limits(now);
        assert_eq!(limits.confirm(ORDINARY, seconds(30.0)), Ok(()));
        let removing = RequestPurpose::Write(Urgency::Removing);
        assert_eq!(limits.confirm(removing, seconds(2.0)), Ok(()));
        assert_eq!(limits.confirm(removing, seconds(3.0)), Err(NotPermitted::WaitedTooLong(seconds(3.0))));
        assert_eq!(limits.permit(ORDINARY, now, Duration::ZERO, seconds(60.0)), Ok(Duration::ZERO));
        assert_eq!(limits.confirm(COMPLETING, long), Ok(()));
        assert_eq!(limits.confirm(RequestPurpose::Read, long), Ok(()));
        assert_eq!(limits.confirm(ORDINARY, long), Err(NotPermitted::WaitedTooLong(long)));
        let mut permit = |waited| limits.permit(ORDINARY, now, waited, seconds(60.0)).unwrap();
        // The first one takes its own permit: it has waited too long itself.
        assert_eq!([long, Duration::ZERO, Duration::ZERO].map(&mut permit), [0.0, 0.0, 0.5].map(seconds));
    }

    #[test]
    fn writes_wait_until_the_allowance_is_filled_up() {
        const METHOD: &str = "crm.timeline.icon.add";
        let now = Instant::now();
        let mut limits = limits(now);
        limits.note_refusal(METHOD, now);
        assert_eq!(limits.hold(ORDINARY, now, seconds(60.0), 0.0), Ok(Duration::ZERO), "nothing was reported yet");
        limits.note_reset(now, Some(seconds(20.0)));
        limits.note_reset(now, None);
        limits.note_refusal(METHOD, now);
        assert_eq!(limits.hold(RequestPurpose::Read, now, seconds(60.0), 0.0), Ok(Duration::ZERO));
        let wait = limits.hold(ORDINARY, now, seconds(60.0), 0.0).unwrap();
        assert!(wait >= seconds(20.0) && wait < seconds(21.0), "{wait:?}");
        assert_eq!(limits.hold(ORDINARY, now, seconds(10.0), 0.0), Err(NotPermitted::WritesHeld(seconds(20.0))));
        for left in [10.0, 60.0] {
            assert_eq!(limits.hold(COMPLETING, now, seconds(left), 0.0), Ok(Duration::ZERO), "an image is missing");
        }
        assert_eq!(limits.hold(ORDINARY, now + seconds(20.0), seconds(10.0), 0.0), Ok(Duration::ZERO));
        // The reset of the method itself says more than any other.
        let time = CallTime { took: 0.1, operating: Some(400.0), resets_in: Some(seconds(5.0)) };
        limits.note_call(METHOD, time, now);
        limits.note_refusal(METHOD, now);
        assert!(limits.hold(ORDINARY, now, seconds(60.0), 0.0).unwrap() < seconds(6.0));
    }

    #[test]
    fn a_replace_is_held_by_its_own_methods_alone() {
        let now = Instant::now();
        let mut limits = limits(now);
        let pairs = [["crm.timeline.icon.delete".to_owned(), "crm.timeline.icon.add".to_owned()]];
        limits.note_reset(now, Some(seconds(500.0)));
        limits.note_refusal(&pairs[0][1], now);
        let until = now + seconds(1.0);
        assert_eq!(limits.permitted(&pairs, now), Err(Shortage { method: pairs[0][1].clone(), until }));
        assert!(limits.hold(ORDINARY, now, seconds(300.0), 0.0).is_err());
        assert_eq!(limits.permitted(&pairs, until), Ok(1));
        assert_eq!(limits.hold(ORDINARY, until, seconds(300.0), 0.0), Ok(Duration::ZERO));
    }

    #[test]
    fn what_completes_a_replace_waits_for_its_own_methods_reset_or_ever_longer() {
        let now = Instant::now();
        let mut limits = limits(now);
        limits.note_reset(now, Some(seconds(500.0)));
        let mut wait = |method: &str, at: Instant| {
            limits.note_refusal(method, at);
            limits.wait_for_allowance(method, at, 1.0).as_secs_f64()
        };
        assert_eq!([wait("a", now), wait("a", now), wait("a", now)], [1.5, 2.5, 4.5]);
        let time = CallTime { took: 0.1, operating: Some(400.0), resets_in: Some(seconds(60.0)) };
        limits.note_call("a", time, now);
        let mut wait = |method: &str, at: Instant| {
            limits.note_refusal(method, at);
            limits.wait_for_allowance(method, at, 1.0).as_secs_f64()
        };
        assert_eq!((wait("a", now), wait("b", now)), (60.5, 1.5), "each method has its own");
        assert_eq!(wait("a", now + seconds(61.0)), 2.5, "the reset freed too little");
        assert_eq!(limits.wait_for_allowance("c", now, 1.0), seconds(1.0));
    }

    #[test]
    fn a_refusal_teaches_how_long_to_wait() {
        let now = Instant::now();
        let mut limits = limits(now);
        let mut retries = RetryCounts::default();
        limits.note_reset(now, Some(seconds(20.0)));
        let mut after = |limits: &mut Limits, code: &str, header: Option<f64>| {
            let retry_after = header.map(seconds);
            match limits.after_failure(&busy(code), retry_after, &mut retries, now, seconds(300.0), 1.0) {
                Decision::Again { after } => after.as_secs_f64(),
                Decision::Stop => f64::NAN,
            }
        };
        assert_eq!(after(&mut limits, "operation_time_limit", None), 20.5);
        assert_eq!(after(&mut limits, "OPERATION_TIME_LIMIT", Some(30.0)), 30.5);
        assert_eq!(after(&mut limits, "OTHER", None), 4.0, "each wait without a reset from the portal is longer");
        assert_eq!(limits.permit(RequestPurpose::Read, now, Duration::ZERO, seconds(60.0)), Ok(Duration::ZERO));
        after(&mut limits, "QUERY_LIMIT_EXCEEDED", None);
        assert_eq!(limits.permit(RequestPurpose::Read, now, Duration::ZERO, seconds(60.0)), Ok(seconds(0.5)));
    }
}
