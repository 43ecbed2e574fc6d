//! All waiting of one portal's client: for a permit to send, for what the portal asks to wait for, and for a free place
//! to download. `limits` decides what to wait for; this file sleeps.

use std::cell::RefCell;
use std::hash::{BuildHasher as _, RandomState};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::{Instant, timeout_at};

use crate::domain::retry::{Class, Decision, decide};
use crate::ops::events::{Event, Observer};
use crate::ops::ports::PortalError;

use super::allowance::{PairsHeld, Shortage};
use super::error::{self, RequestError};
use super::limits::{Limits, NotPermitted, Rate, RequestPurpose, RetryCounts};
use super::wire::CallTime;

/// Waits longer than this are announced.
const MIN_ANNOUNCED_WAIT: Duration = Duration::from_millis(500);

/// The throttle that holds requests back until they may be sent.
pub struct Throttle {
    limits: RefCell<Limits>,
    download_slots: Semaphore,
    /// The observer that is notified of waits.
    observer: Arc<dyn Observer>,
}

impl Throttle {
    /// A throttle for one portal, with a limit on downloads at once.
    ///
    /// # Errors
    ///
    /// When a number is out of range; the class is `Configuration`.
    pub fn new(rate: Rate, downloads: usize, observer: Arc<dyn Observer>) -> Result<Self, PortalError> {
        if !(rate.per_second.is_finite() && rate.per_second > 0.0) || rate.burst == 0 {
            return Err(error::misconfigured("the request rate must be more than 0", "give --rps a number above 0"));
        }
        if downloads == 0 {
            let message = "the number of downloads at once must be more than 0";
            return Err(error::misconfigured(message, "set it to at least 1"));
        }
        Ok(Self {
            limits: RefCell::new(Limits::new(rate, Instant::now())),
            download_slots: Semaphore::new(downloads.min(Semaphore::MAX_PERMITS)),
            observer,
        })
    }

    /// The rate of requests.
    pub(super) fn rate(&self) -> Rate {
        self.limits.borrow().rate()
    }

    /// Waits for a permit to send a request that was begun at `begun`, at the latest until `deadline`. A write that has
    /// waited too long is not permitted: its caller must read the portal again first.
    pub(super) async fn permit(
        &self,
        purpose: RequestPurpose,
        begun: Instant,
        deadline: Instant,
    ) -> Result<(), NotPermitted> {
        let now = Instant::now();
        let hold = self.limits.borrow().hold(purpose, now, deadline.saturating_duration_since(now), jitter())?;
        self.pause("the portal's time allowance for writes is used up", hold).await;
        let (now, waited) = (Instant::now(), begun.elapsed());
        let left = deadline.saturating_duration_since(now);
        let wait = self.limits.borrow_mut().permit(purpose, now, waited, left)?;
        self.pause("rate limited", wait).await;
        self.limits.borrow_mut().confirm(purpose, begun.elapsed())
    }

    /// Waits until it is time to send again, or gives the failure back when it makes no sense to.
    pub(super) async fn wait_out(
        &self,
        failure: RequestError,
        retries: &mut RetryCounts,
        left: Duration,
    ) -> Result<(), RequestError> {
        let is_busy = failure.class() == Class::Busy;
        let now = Instant::now();
        let decision =
            self.limits.borrow_mut().after_failure(&failure.error, failure.retry_after, retries, now, left, jitter());
        match decision {
            Decision::Again { after } => {
                self.pause(if is_busy { "the portal asked to slow down" } else { "trying again" }, after).await;
                Ok(())
            }
            Decision::Stop if is_busy => Err(error::no_time_to_wait(failure)),
            Decision::Stop => Err(failure),
        }
    }

    /// Waits for a free place to download, at the latest until `deadline`.
    pub(super) async fn download_slot(&self, deadline: Instant) -> Option<SemaphorePermit<'_>> {
        // The semaphore is never closed, so only the time can run out here.
        timeout_at(deadline, self.download_slots.acquire()).await.ok()?.ok()
    }

    /// Notes when the time allowance of a method resets, counted from now.
    pub(super) fn note_reset(&self, resets_in: Option<Duration>) {
        self.limits.borrow_mut().note_reset(Instant::now(), resets_in);
    }

    /// Notes what an answer says about the time of a call to this method.
    pub(super) fn note_call(&self, method: &str, time: CallTime) {
        self.limits.borrow_mut().note_call(method, time, Instant::now());
    }

    /// Notes that a write was refused because its method used up its time allowance.
    pub(super) fn note_refusal(&self, method: &str) {
        self.limits.borrow_mut().note_refusal(method, Instant::now());
    }

    /// How many of these replaces, each given by the methods of its two halves, may be sent together. Without an
    /// allowance for even one, it waits until there is more, at the latest until `deadline`; after that the caller
    /// reads the portal again and asks again.
    pub(super) async fn permitted(&self, pairs: &[[String; 2]], deadline: Instant) -> Result<usize, PairsHeld> {
        let now = Instant::now();
        let Shortage { method, until } = match self.limits.borrow_mut().permitted(pairs, now) {
            Ok(count) => return Ok(count),
            Err(shortage) => shortage,
        };
        let (held, left) = (until.saturating_duration_since(now), deadline.saturating_duration_since(now));
        match decide(Class::Busy, 0, Some(held), left, jitter()) {
            Decision::Again { after } => {
                self.pause(
                    &format!("the portal's time allowance for {method} may not last for another replace"),
                    after,
                )
                .await;
                Err(PairsHeld::Waited(method, after))
            }
            Decision::Stop => Err(PairsHeld::NoTime(method, held)),
        }
    }

    /// How long the second half of a replace waits after its method was refused because its time allowance was used up.
    pub(super) fn wait_for_allowance(&self, method: &str) -> Duration {
        self.limits.borrow().wait_for_allowance(method, Instant::now(), jitter())
    }

    /// The observer that is notified of waits.
    pub(super) const fn observer(&self) -> &Arc<dyn Observer> {
        &self.observer
    }

    /// Waits, and announces it if that takes long.
    pub(super) async fn pause(&self, why: &str, wait: Duration) {
        if wait > MIN_ANNOUNCED_WAIT {
            self.observer.observe(Event::Waiting { why: why.to_owned(), wait });
        }
        if !wait.is_zero() {
            tokio::time::sleep(wait).await;
        }
    }
}

/// A random number from 0 to 1, to spread waits. Each `RandomState` has its own keys.
fn jitter() -> f64 {
    let high = u32::try_from(RandomState::new().hash_one(()) >> 32).unwrap_or(u32::MAX);
    f64::from(high) / f64::from(u32::MAX)
}
