//! The decision about a request that failed, as a pure function: sleeping happens elsewhere.

use std::time::Duration;

/// The class of a failure; see the table "The REST engine" of the portal's facts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// The portal asked to slow down (`QUERY_LIMIT_EXCEEDED`, `OPERATION_TIME_LIMIT`): it had no effect, wait and send again.
    Busy,
    /// It may be temporary: 5xx, a broken connection, a body that is not an answer. A write may have had its effect.
    Transient,
    /// The access token expired.
    Expired,
    /// The configuration is wrong (credentials, scope, rights, URL): only the user can fix it.
    Configuration,
    /// The portal refuses batches of this method (`ERROR_BATCH_METHOD_NOT_ALLOWED`).
    NoBatch,
    /// The portal refused it, and another attempt cannot change that.
    Refused,
    /// The command's time is up.
    Deadline,
    /// It was not sent: it waited for its turn so long that the portal may have changed.
    Waited,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Decision {
    /// Send the same request again after this time.
    Again {
        /// How long to wait first; always less than what was left.
        after: Duration,
    },
    Stop,
}

/// The number of retries after a transient failure.
const TRANSIENT_RETRIES: u32 = 4;
/// The first wait after a transient failure; it doubles with each.
const TRANSIENT_BASE: Duration = Duration::from_millis(500);
/// The first wait after an answer that asks to slow down; it doubles with each.
const BUSY_BASE: Duration = Duration::from_secs(1);
/// The longest wait of our own choosing.
const BUSY_CAP: Duration = Duration::from_secs(30);
/// The shortest remaining time in which another request is sent.
const WORTHWHILE: Duration = Duration::from_millis(200);

/// Decides about the failure number `attempt` of this class (0 for the first), given when the portal accepts requests
/// again, how much of the command's time is left, and a random number from 0 to 1.
///
/// It assumes that the request may be repeated: for a write, the caller must decide that.
pub(crate) fn decide(
    failure: Class,
    attempt: u32,
    retry_after: Option<Duration>,
    left: Duration,
    jitter: f64,
) -> Decision {
    let wait = match failure {
        Class::Transient if attempt < TRANSIENT_RETRIES => {
            let own = spread(doubled(TRANSIENT_BASE, attempt), jitter);
            retry_after.map_or(own, |asked| own.max(asked))
        }
        Class::Busy => {
            let own = spread(doubled(BUSY_BASE, attempt).min(BUSY_CAP), jitter);
            match retry_after {
                // Every client got the same time: they should not all return at that time.
                Some(asked) => own.max(asked.saturating_add(spread(TRANSIENT_BASE, jitter))),
                // Near the end, wait for half of the remaining time instead of giving up early.
                None if left >= 2 * WORTHWHILE => own.min(left / 2),
                None => own,
            }
        }
        Class::Transient
        | Class::Expired
        | Class::Configuration
        | Class::NoBatch
        | Class::Refused
        | Class::Deadline
        | Class::Waited => return Decision::Stop,
    };
    if wait < left { Decision::Again { after: wait } } else { Decision::Stop }
}

fn doubled(base: Duration, times: u32) -> Duration {
    base.saturating_mul(2_u32.saturating_pow(times))
}

/// A time between half of `wait` and all of it.
fn spread(wait: Duration, jitter: f64) -> Duration {
    let jitter = if jitter.is_finite() { jitter.clamp(0.0, 1.0) } else { 1.0 };
    wait.mul_f64(0.5f64.mul_add(jitter, 0.5))
}

#[cfg(test)]
mod tests {
    use super::*;

    const LONG: Duration = Duration::from_secs(600);

    fn waits(class: Class, jitter: f64) -> Vec<Option<Duration>> {
        (0..8)
            .map(|attempt| match decide(class, attempt, None, LONG, jitter) {
                Decision::Again { after } => Some(after),
                Decision::Stop => None,
            })
            .collect()
    }

    #[test]
    fn transient_failures_are_retried_four_times_with_doubling_waits() {
        let seconds = [0.5, 1.0, 2.0, 4.0].map(|s| Some(Duration::from_secs_f64(s)));
        assert_eq!(waits(Class::Transient, 1.0), [&seconds[..], &[None; 4]].concat());
    }

    #[test]
    fn jitter_takes_at_most_half() {
        let seconds = [0.25, 0.5, 1.0, 2.0].map(|s| Some(Duration::from_secs_f64(s)));
        assert_eq!(waits(Class::Transient, 0.0), [&seconds[..], &[None; 4]].concat());
        assert_eq!(waits(Class::Transient, f64::NAN), waits(Class::Transient, 1.0));
        assert_eq!(waits(Class::Transient, 7.0), waits(Class::Transient, 1.0));
    }

    #[test]
    fn busy_is_waited_out_with_a_cap() {
        let seconds = [1, 2, 4, 8, 16, 30, 30, 30].map(|s| Some(Duration::from_secs(s)));
        assert_eq!(waits(Class::Busy, 1.0), seconds);
        assert!(matches!(decide(Class::Busy, u32::MAX, None, LONG, 1.0), Decision::Again { .. }));
    }

    #[test]
    fn busy_keeps_trying_until_the_time_is_up() {
        let mut left = Duration::from_secs(10);
        let mut tries = 0;
        while let Decision::Again { after } = decide(Class::Busy, 5, None, left, 1.0) {
            assert!(after < left);
            left -= after;
            tries += 1;
            assert!(tries < 20, "it must end");
        }
        assert!(left < Duration::from_millis(500), "{left:?} were given away");
    }

    #[test]
    fn what_the_portal_says_is_waited_for() {
        let asked = Some(Duration::from_secs(90));
        let Decision::Again { after } = decide(Class::Busy, 0, asked, LONG, 0.0) else { unreachable!("there is time") };
        assert!(after >= Duration::from_secs(90));
        assert_eq!(decide(Class::Busy, 0, asked, Duration::from_secs(80), 0.0), Decision::Stop);
    }

    #[test]
    fn what_only_the_user_can_mend_is_never_retried() {
        for class in
            [Class::Expired, Class::Configuration, Class::NoBatch, Class::Refused, Class::Deadline, Class::Waited]
        {
            assert_eq!(decide(class, 0, Some(Duration::ZERO), LONG, 0.0), Decision::Stop, "{class:?}");
        }
    }

    #[test]
    fn nobody_comes_back_before_the_portal_said_or_exactly_then() {
        let said = Duration::from_secs(90);
        for (jitter, after) in [(0.0, said + TRANSIENT_BASE / 2), (1.0, said + TRANSIENT_BASE)] {
            assert_eq!(decide(Class::Busy, 0, Some(said), LONG, jitter), Decision::Again { after });
        }
        assert_eq!(decide(Class::Transient, 0, Some(said), LONG, 1.0), Decision::Again { after: said });
    }

    #[test]
    fn a_wait_of_our_own_is_not_cut_short_by_the_portal() {
        let early = Some(Duration::from_millis(1));
        assert_eq!(decide(Class::Busy, 4, early, LONG, 1.0), Decision::Again { after: Duration::from_secs(16) });
        assert_eq!(decide(Class::Transient, 3, early, LONG, 1.0), Decision::Again { after: Duration::from_secs(4) });
    }

    #[test]
    fn near_the_end_half_of_what_is_left_is_waited_while_that_is_worthwhile() {
        for (left, expected) in [
            (3000, Decision::Again { after: Duration::from_secs(1) }),
            (1000, Decision::Again { after: Duration::from_millis(500) }),
            (400, Decision::Again { after: WORTHWHILE }),
            (399, Decision::Stop),
        ] {
            assert_eq!(decide(Class::Busy, 0, None, Duration::from_millis(left), 1.0), expected, "{left} ms left");
        }
    }

    #[test]
    fn a_transient_failure_is_not_repeated_at_the_very_end() {
        let wait = Duration::from_millis(500);
        assert_eq!(decide(Class::Transient, 0, None, wait, 1.0), Decision::Stop, "no time would be left to ask");
        let left = wait + Duration::from_millis(1);
        assert_eq!(decide(Class::Transient, 0, None, left, 1.0), Decision::Again { after: wait });
    }

    #[test]
    fn nothing_is_retried_without_time() {
        for class in [Class::Transient, Class::Busy] {
            assert_eq!(decide(class, 0, None, Duration::ZERO, 0.0), Decision::Stop, "{class:?}");
        }
    }
}
