//! Exit codes: one table, the same in every format.

use std::process::ExitCode;

use crate::domain::report::Report;

/// How the process ends. Other programs rely on these numbers.
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
    /// Somebody asked to stop.
    Interrupted = 130,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

/// Whether pending changes have an exit code of their own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Detail {
    /// They end in success.
    Plain,
    /// They end in [`Exit::Changes`].
    Changes,
}

/// 130 > 1 > 4 > 2 > 0.
pub(super) fn of_plan(report: &Report, detail: Detail) -> Exit {
    if report.interrupted {
        Exit::Interrupted
    } else if report.has_errors() {
        Exit::Error
    } else if report.refused() {
        Exit::Refused
    } else {
        of_changes(report, detail)
    }
}

/// 130 > 1 > 2 > 0.
pub(super) fn of_drift(report: &Report) -> Exit {
    if report.interrupted {
        Exit::Interrupted
    } else if report.has_errors() {
        Exit::Error
    } else {
        of_changes(report, Detail::Changes)
    }
}

fn of_changes(report: &Report, detail: Detail) -> Exit {
    if detail == Detail::Changes && report.has_changes() { Exit::Changes } else { Exit::Success }
}

/// Of what only reads, beside the report of its session: 130 > 1 > 0.
pub(super) fn of_reading(report: &Report, has_errors: bool) -> Exit {
    if report.interrupted {
        Exit::Interrupted
    } else if has_errors {
        Exit::Error
    } else {
        Exit::Success
    }
}

/// 130 > 5 > 3 > 4 > 1 > 0.
pub(super) fn of_apply(report: &Report, interrupted: bool) -> Exit {
    if interrupted {
        Exit::Interrupted
    } else if report.stale {
        Exit::Stale
    } else if report.partly_applied() {
        Exit::Partial
    } else if report.run.is_none() && report.refused() {
        Exit::Refused
    } else if report.has_errors() || report.has_failed_steps() {
        Exit::Error
    } else {
        Exit::Success
    }
}
