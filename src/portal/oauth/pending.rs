//! The renewals that are in progress: the code that ends a command, its runtime or its process waits for them.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::timeout;

/// The longest that a renewal may take once its refresh token may have been sent, regardless of the command's own
/// deadline.
pub(in crate::portal) const RENEWAL_TIMEOUT: Duration = Duration::from_secs(30);

/// The renewals of one client or several that must not be cut off: the server accepts each refresh token once, so an
/// answer that is not waited for is lost permanently. Clones share them.
#[derive(Debug, Clone, Default)]
pub struct PendingRenewals(Arc<watch::Sender<State>>);

#[derive(Debug, Clone, Copy, Default)]
struct State {
    pending: usize,
    /// Whether the process is about to end: no further renewal may begin.
    closed: bool,
}

impl PendingRenewals {
    /// Counts one more as in progress until the value is dropped; `None` when the process is about to end.
    pub(in crate::portal) fn begin(&self) -> Option<PendingRenewal> {
        let begun = self.0.send_if_modified(|state| {
            state.pending += usize::from(!state.closed);
            !state.closed
        });
        begun.then(|| PendingRenewal(self.clone()))
    }

    /// Whether one is in progress.
    pub(crate) fn are_pending(&self) -> bool {
        self.0.borrow().pending > 0
    }

    /// Waits until none is in progress.
    pub async fn finished(&self) {
        // The sender is part of this value: it stays while someone waits.
        let _ = self.0.subscribe().wait_for(|state| state.pending == 0).await;
    }

    /// Lets no further renewal begin, and waits until none is in progress, for at most as long as one may take.
    pub(crate) async fn close(&self) {
        self.0.send_modify(|state| state.closed = true);
        let _ = timeout(RENEWAL_TIMEOUT, self.finished()).await;
    }
}

/// A renewal that is in progress.
#[derive(Debug)]
pub(in crate::portal) struct PendingRenewal(PendingRenewals);

impl Drop for PendingRenewal {
    fn drop(&mut self) {
        self.0.0.send_modify(|state| state.pending -= 1);
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests fail by panicking")]
    use super::*;

    #[tokio::test]
    async fn the_end_of_a_process_waits_for_those_under_way_and_lets_no_more_begin() {
        let renewals = PendingRenewals::default();
        assert!(!renewals.are_pending());
        renewals.finished().await;
        let [first, second] = [(); 2].map(|()| renewals.begin().unwrap());
        drop(first);
        assert!(renewals.are_pending());
        assert!(timeout(Duration::from_millis(10), renewals.finished()).await.is_err());
        let closing = tokio::spawn({
            let renewals = renewals.clone();
            async move { renewals.close().await }
        });
        tokio::task::yield_now().await;
        assert!(renewals.begin().is_none() && !closing.is_finished());
        drop(second);
        closing.await.unwrap();
    }
}
