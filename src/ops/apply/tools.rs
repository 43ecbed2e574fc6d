//! The tools that apply needs besides the plan, and what it knows from the start.

use std::num::NonZeroUsize;
use std::time::Duration;

use crate::domain::report::NextCommands;
use crate::domain::state::ControlImage;
use crate::ops::observe::Reader;
use crate::ops::ports::{Interrupt, Runs};

/// The portal and the run folder, and the settings for their use.
pub struct Tools<'a, P> {
    /// The portal, for reading and writing.
    pub reader: Reader<'a, P>,
    /// Where the run is kept.
    pub runs: &'a dyn Runs,
    /// An entry that the plan does not change: its image proves that old images can be put back.
    pub control: Option<ControlImage>,
    /// Whether the user asked to stop.
    pub interrupt: &'a Interrupt,
    /// For how long a request without an answer may still be carried out after its last byte was sent.
    pub settle: Duration,
    /// How many batches of creates and deletes may be in flight.
    pub in_flight: NonZeroUsize,
    /// The commands that may follow the run.
    pub next: NextCommands,
}

/// Whether it is proven that old images can be put back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum WayBack {
    Unproven,
    /// It is proven, or the user does not require it (`--allow-unbacked`).
    Proven,
}
