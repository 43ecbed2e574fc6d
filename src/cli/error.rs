//! The reasons why a command did not finish, and its exit code: each error gets its kind, its message and its hints here,
//! and each exit code is decided here.

use std::io;

use crate::domain::finding::Finding;
use crate::domain::guard::Refusal;
use crate::domain::report::{FailureKind, Report};
use crate::domain::usage::TooMany;
use crate::ops::apply::NotApplied;
use crate::ops::ports::PortalError;
use crate::store::files::is_unexpected;
use crate::store::lock::LockError;
use crate::store::state_dir::StateError;

use super::exit::Exit;

/// The reason why a command did not finish.
#[derive(Debug)]
pub(super) struct Failure {
    pub(super) kind: FailureKind,
    /// The findings about it; empty if the report has them already.
    pub(super) findings: Vec<Finding>,
}

impl Failure {
    pub(super) fn new(kind: FailureKind, finding: Finding) -> Self {
        Self { kind, findings: vec![finding] }
    }

    /// The failure to write a plan as JSON.
    pub(super) fn unpublished(error: &serde_json::Error) -> Self {
        Self::new(FailureKind::Store, Finding::error("plan", format!("the plan cannot be written as JSON: {error}")))
    }

    /// The options do not fit together.
    pub(super) fn usage(message: impl Into<String>) -> Self {
        Self::new(FailureKind::Usage, Finding::error("usage", message))
    }

    /// The failure for input that is not valid.
    pub(super) const fn invalid(findings: Vec<Finding>) -> Self {
        Self { kind: FailureKind::Invalid, findings }
    }

    /// The plan is not for the portal or the manifest as they are now.
    pub(super) const fn stale(findings: Vec<Finding>) -> Self {
        Self { kind: FailureKind::Stale, findings }
    }

    /// The user asked to stop before everything was done.
    pub(super) fn interrupted(message: impl Into<String>) -> Self {
        Self::new(FailureKind::Interrupted, Finding::error("interrupted", message).help("run it again"))
    }

    /// The system lacks the resources to wait for something.
    pub(super) fn no_runtime(error: &io::Error) -> Self {
        Self::new(FailureKind::System, Finding::error("system", error.to_string()))
    }
}

/// Something that was read, such as the manifest or a saved plan, is not valid or does not exist.
impl From<Box<Finding>> for Failure {
    fn from(finding: Box<Finding>) -> Self {
        Self::new(FailureKind::Invalid, *finding)
    }
}

impl From<PortalError> for Failure {
    fn from(error: PortalError) -> Self {
        let finding = Finding::error("portal", error.message);
        let finding = match error.hint {
            Some(hint) => finding.help(hint),
            None => finding,
        };
        Self::new(FailureKind::Portal(error.class), finding)
    }
}

impl From<TooMany> for Failure {
    fn from(error: TooMany) -> Self {
        Self::usage(error.to_string())
    }
}

impl From<LockError> for Failure {
    fn from(error: LockError) -> Self {
        let help = match error {
            LockError::Io(error) if is_unexpected(&error) => return StateError::from(error).into(),
            LockError::Held(_) => "wait until it has ended, then plan again",
            LockError::Io(ref error) if error.kind() == io::ErrorKind::Unsupported => {
                "use --state-dir to name a folder on a local disk"
            }
            LockError::Io(_) => "apply keeps old images there: use --state-dir to name a writable folder",
        };
        Self::new(FailureKind::Store, Finding::error("lock", error.to_string()).help(help))
    }
}

/// The state folder is not used.
impl From<StateError> for Failure {
    fn from(error: StateError) -> Self {
        Self::new(FailureKind::Store, Finding::error("state", error.to_string()).help(error.help()))
    }
}

/// The report has the verdicts of the guards already.
impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Findings(findings) => Self::stale(findings),
            Refusal::Guards => Self { kind: FailureKind::Refused, findings: Vec::new() },
        }
    }
}

impl From<NotApplied> for Failure {
    fn from(error: NotApplied) -> Self {
        match error {
            NotApplied::Stale(findings) => Self::stale(findings),
            NotApplied::Portal(error) => error.into(),
            NotApplied::Interrupted => Self::interrupted(error.to_string()),
            NotApplied::Store(_) => Self::new(FailureKind::Store, Finding::error("apply", error.to_string())),
        }
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

/// The exit code of `plan`: 130 > 1 > 4 > 2 > 0.
pub(super) fn exit_of_plan(report: &Report, detail: Detail) -> Exit {
    match exit_of_reading(report.failure, report.has_errors()) {
        Exit::Success if report.refused() => Exit::Refused,
        Exit::Success if detail == Detail::Changes && report.has_changes() => Exit::Changes,
        exit => exit,
    }
}

/// The exit code of `drift`: 130 > 1 > 2 > 0.
pub(super) fn exit_of_drift(report: &Report) -> Exit {
    match exit_of_reading(report.failure, report.has_errors()) {
        Exit::Success if report.has_changes() => Exit::Changes,
        exit => exit,
    }
}

/// The exit code of a command without a plan: 130 > 1 > 0.
pub(super) fn exit_of_reading(failure: Option<FailureKind>, has_errors: bool) -> Exit {
    if failure == Some(FailureKind::Interrupted) {
        Exit::Interrupted
    } else if has_errors {
        Exit::Error
    } else {
        Exit::Success
    }
}

/// The exit code of `apply` and `restore`: 130 > 5 > 3 > 4 > 1 > 0. A user who stops them gets 130, even if everything
/// was done.
pub(super) fn exit_of_apply(report: &Report, asked_to_stop: bool) -> Exit {
    if asked_to_stop {
        Exit::Interrupted
    } else if report.is_stale() {
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
