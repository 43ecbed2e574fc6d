//! Exit codes: one table, the same in every format. `error.rs` decides which one applies.

use std::process::ExitCode;

/// The exit codes of the process. Other programs rely on these numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Exit {
    /// It worked, or there was nothing to do.
    Success = 0,
    /// An error, a usage error, or something that could not be determined.
    Error = 1,
    /// Changes are pending (`plan --detailed-exitcode`, `drift`).
    Changes = 2,
    /// At least one write took effect and at least one step did not end as planned.
    Partial = 3,
    /// A guard refused.
    Refused = 4,
    /// The plan is stale or not for this manifest.
    Stale = 5,
    /// The user asked to stop.
    Interrupted = 130,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}
