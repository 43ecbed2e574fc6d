//! The events that a running use case announces; others show them to the user.

use std::time::Duration;

use super::ports::PortalError;

/// An event that is shown while a command runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// A stage began; `total` is how many items it has, when that is known.
    Stage {
        /// Which.
        stage: Stage,
        /// How many items it has.
        total: Option<usize>,
    },
    /// This many more items of the present stage are done.
    Advanced(usize),
    /// Nothing is sent for some time.
    Waiting {
        /// Why, in a few words: "rate limited".
        why: String,
        /// For how long.
        wait: Duration,
    },
    /// Something went wrong that does not stop the command, but needs somebody's hand: one sentence, as in an error.
    Warning(String),
    /// Something went wrong that does not stop the command, but it must not end as a success.
    Failed(PortalError),
}

/// The stages of a command, in the order in which they can come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stage {
    /// Checking the manifest and the art.
    Checking,
    /// Asking the portal for its lists.
    Listing,
    /// Fetching images.
    Downloading,
    /// Sending adds and deletes.
    Writing,
    /// Reading the log entries of CRM items.
    Scanning,
    /// Reading the portal again.
    Verifying,
}

/// A receiver of events.
pub trait Observer: Send + Sync {
    /// Takes one event. Must not block.
    fn observe(&self, event: Event);
}
