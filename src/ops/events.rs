//! The events that a running use case announces; other code shows them to the user.

use std::time::Duration;

use super::ports::PortalError;
use crate::domain::step::StepEnded;

/// An event that is shown while a command runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// A stage began; `total` is how many items it has, when that is known. Downloading is a part of the stage that it
    /// begins in; any other stage takes the place of the present one.
    Stage {
        /// The stage.
        stage: Stage,
        /// How many items it has.
        total: Option<usize>,
    },
    /// The images are downloaded: the stage that needed them continues.
    Downloaded,
    /// This many more items of the present stage are done.
    Advanced(usize),
    /// A step of a plan ended. It counts for the stage only by [`Event::Advanced`].
    Step(Box<StepEnded>),
    /// A write is sent: its answer is awaited.
    Sending,
    /// One of the writes that were sent is not awaited any more.
    Answered,
    /// Nothing is sent for some time.
    Waiting {
        /// Why, in a few words: "rate limited".
        why: String,
        /// For how long.
        wait: Duration,
    },
    /// Something went wrong that does not stop the command, but that the user must act on: one sentence, as in an error.
    Warning(String),
    /// Something went wrong that does not stop the command, but keeps it from ending as a success.
    Failed(PortalError),
}

/// The stages of a command, in the order in which they can come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stage {
    /// Checking the manifest and the art.
    Checking,
    /// Waiting for the portal, if nothing more is known.
    Asking,
    /// Finding out what an earlier run did.
    Settling,
    /// Asking the portal for its lists.
    Listing,
    /// Fetching images.
    Downloading,
    /// Reading what Git knows.
    History,
    /// Asking the portal for its lists again, before the first write.
    Rechecking,
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
