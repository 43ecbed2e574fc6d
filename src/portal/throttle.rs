//! Waiting: for a turn in the portal's bucket, for what the portal asks to wait for, and never beyond the command's time.

use std::sync::PoisonError;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::time::Instant;

use crate::domain::retry::{Class, Decision, decide};
use crate::ops::events::Event;
use crate::ops::ports::Urgency;

use super::client::{Client, Purpose};
use super::error::{self, Effect, Fault};
use super::http::RequestDeadline;

/// A write that waited longer than this is not sent without another look at the portal.
const LONG_WAIT: Duration = Duration::from_secs(30);
/// How long past the command's time a replace may be completed and what writes did may be found out.
const GRACE: Duration = Duration::from_secs(180);
/// Waits longer than this are announced.
const WORTH_TELLING: Duration = Duration::from_secs(1);

/// How often a request failed in each way that is worth repeating.
#[derive(Debug, Default)]
pub(super) struct Failures {
    busy: u32,
    transient: u32,
}

impl Client {
    /// Waits for a place in the portal's bucket. A write that has waited long since `begun` is not sent: its caller
    /// should look at the portal again first.
    pub(super) async fn take_turn(&self, purpose: Purpose, begun: Instant) -> Result<(), Fault> {
        let ordinary = purpose == Purpose::Write(Urgency::Ordinary);
        let headroom = if ordinary { self.rate.headroom } else { 0 };
        self.wait_for_hold(purpose).await?;
        let paid = |turns: u32| turns.checked_sub(1);
        let fresh = begun.elapsed() <= LONG_WAIT;
        if ordinary && fresh && self.unused_permits.fetch_update(Ordering::Relaxed, Ordering::Relaxed, paid).is_ok() {
            return Ok(());
        }
        let left = self.left(purpose);
        let turn = if left.is_zero() {
            None
        } else {
            self.bucket.lock().unwrap_or_else(PoisonError::into_inner).reserve(Instant::now(), headroom, left)
        };
        let wait = turn.ok_or_else(|| error::timed_out(self.access.host(), self.budget, Effect::None))?;
        self.pause("rate limited", wait).await;
        if ordinary && begun.elapsed() > LONG_WAIT {
            // The turn is kept: whoever looks again must not wait for another one.
            self.unused_permits.fetch_add(1, Ordering::Relaxed);
            let message = format!("{} let a write wait for {} s", self.access.host(), begun.elapsed().as_secs());
            return Err(Fault::new(Class::Waited, Effect::None, message, None));
        }
        Ok(())
    }

    /// Waits until the portal takes writes again. One that completes a replace is sent at once where there is no time to
    /// wait: a refusal costs it nothing.
    async fn wait_for_hold(&self, purpose: Purpose) -> Result<(), Fault> {
        let until = *self.held_until.lock().unwrap_or_else(PoisonError::into_inner);
        let told = until.map(|until| until.saturating_duration_since(Instant::now())).unwrap_or_default();
        if purpose == Purpose::Read || told.is_zero() {
            return Ok(());
        }
        match decide(Class::Busy, 0, Some(told), self.left(purpose), self.jitter()) {
            Decision::Again { after } => self.pause("writing used up its time on the portal", after).await,
            Decision::Stop if purpose == Purpose::Write(Urgency::Ordinary) => {
                let message = format!("{} takes no writes for another {} s", self.access.host(), told.as_secs());
                return Err(error::out_of_patience(Fault::new(Class::Busy, Effect::None, message, None)));
            }
            Decision::Stop => {}
        }
        Ok(())
    }

    /// The portal refused a write inside an answer, for the time that its method has used up.
    pub(super) fn hold_writes(&self) {
        let resets_at = *self.resets_at.lock().unwrap_or_else(PoisonError::into_inner);
        *self.held_until.lock().unwrap_or_else(PoisonError::into_inner) = resets_at;
    }

    /// Waits until it is time to send again; gives the fault back when there is no sense in that.
    pub(super) async fn wait_out(&self, purpose: Purpose, fault: Fault, failures: &mut Failures) -> Result<(), Fault> {
        let class = fault.class();
        let (count, why) = match class {
            Class::Busy => (&mut failures.busy, "the portal asked to slow down"),
            _ => (&mut failures.transient, "trying again"),
        };
        let code = fault.error.code.as_deref().unwrap_or_default();
        if code.eq_ignore_ascii_case("QUERY_LIMIT_EXCEEDED") {
            self.bucket.lock().unwrap_or_else(PoisonError::into_inner).fill(Instant::now());
        }
        let retry_after = if code.eq_ignore_ascii_case(error::USED_UP) {
            let resets_at = *self.resets_at.lock().unwrap_or_else(PoisonError::into_inner);
            resets_at.map(|at| at.saturating_duration_since(Instant::now())).max(fault.retry_after)
        } else {
            fault.retry_after
        };
        match decide(class, *count, retry_after, self.left(purpose), self.jitter()) {
            Decision::Again { after } => {
                *count += 1;
                self.pause(why, after).await;
                Ok(())
            }
            Decision::Stop if class == Class::Busy => Err(error::out_of_patience(fault)),
            Decision::Stop => Err(fault),
        }
    }

    pub(super) async fn pause(&self, why: &str, wait: Duration) {
        if wait > WORTH_TELLING {
            self.observer.observe(Event::Waiting { why: why.to_owned(), wait });
        }
        if !wait.is_zero() {
            tokio::time::sleep(wait).await;
        }
    }

    pub(super) fn note_reset(&self, resets_in: Option<Duration>) {
        if let Some(at) = resets_in.and_then(|wait| Instant::now().checked_add(wait)) {
            *self.resets_at.lock().unwrap_or_else(PoisonError::into_inner) = Some(at);
        }
    }

    /// Until when a request may wait for its answer. A write that was sent waits for its own time: to give up on it
    /// early would make its outcome unknown.
    pub(super) fn patience(&self, purpose: Purpose) -> RequestDeadline {
        match purpose {
            Purpose::Read => self.patience_until(self.deadline(purpose)),
            Purpose::Write(_) => {
                let own = self.write_timeout;
                RequestDeadline { until: Instant::now() + own, own, cut_short: false, budget: self.budget }
            }
        }
    }

    /// The patience of a read that ends with `deadline`.
    pub(super) fn patience_until(&self, deadline: Instant) -> RequestDeadline {
        let own = self.read_timeout;
        let until = Instant::now().checked_add(own).map_or(deadline, |until| until.min(deadline));
        RequestDeadline { until, own, cut_short: until == deadline, budget: self.budget }
    }

    /// Until when a request of this purpose may be sent.
    pub(super) fn deadline(&self, purpose: Purpose) -> Instant {
        match purpose {
            Purpose::Read if !self.winding_up.load(Ordering::Relaxed) => self.deadline,
            Purpose::Write(Urgency::Ordinary) => self.deadline,
            Purpose::Read | Purpose::Write(Urgency::Completing) => self.deadline + GRACE,
        }
    }

    pub(super) fn left(&self, purpose: Purpose) -> Duration {
        self.deadline(purpose).saturating_duration_since(Instant::now())
    }

    /// A number from 0 to 1, as a splitmix64 makes them. It spreads waits and is good for nothing else.
    fn jitter(&self) -> f64 {
        const STEP: u64 = 0x9e37_79b9_7f4a_7c15;
        let mut mixed = self.dice.fetch_add(STEP, Ordering::Relaxed).wrapping_add(STEP);
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        let high = u32::try_from((mixed ^ (mixed >> 31)) >> 32).unwrap_or(u32::MAX);
        f64::from(high) / f64::from(u32::MAX)
    }
}
