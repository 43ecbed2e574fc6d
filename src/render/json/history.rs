//! The published form of the runs of a state folder.

use schemars::JsonSchema;
use serde::Serialize;

use crate::domain::asset::{Address, Digest};
use crate::domain::diff::Change;
use crate::domain::journal::{self, RunCommand};
use crate::domain::report::RecordedRun;
use crate::format::plan::ChangeParts;
use crate::format::{ActionName, StepOutcomeName, printed};

/// The runs of a state folder, the oldest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(title = "brandctl history", deny_unknown_fields)]
pub(crate) struct HistoryDocument {
    /// The runs.
    pub(crate) runs: Vec<RunSummary>,
}

/// One run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub(crate) struct RunSummary {
    /// Its id: the name of its folder.
    pub(crate) run: String,
    /// When it began, in RFC 3339.
    pub(crate) began: String,
    /// The portal's host, or the sandbox's identity.
    pub(crate) portal: String,
    /// The digest of the plan that it applied.
    pub(crate) plan_sha256: Digest,
    /// The commit that the manifest was at, with a `+` when the folder differed from it; null outside Git.
    pub(crate) commit: Option<String>,
    /// The command that made it; null for runs of older versions, whose journals do not say so.
    pub(crate) command: Option<RunCommandName>,
    /// How it ended; null while it is open.
    pub(crate) ended: Option<EndingName>,
    /// How many of its changes ended as planned; a rename is one change.
    pub(crate) applied: usize,
    /// How many of its changes did not.
    pub(crate) not_applied: usize,
    /// The changes of its plan, sorted by address; empty when its plan cannot be read, which a finding says.
    pub(crate) changes: Vec<RunChange>,
}

/// One change of a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub(crate) struct RunChange {
    /// The entry.
    pub(crate) address: Address,
    /// What the plan does to it.
    pub(crate) action: ActionName,
    /// The outcome; null if the run did not record it.
    pub(crate) outcome: Option<StepOutcomeName>,
    /// The SHA-256 of the image that it removes; null for a create, and when the image was unknown.
    pub(crate) old_sha256: Option<Digest>,
    /// Whether the run's folder holds a copy of that image: `restore` can put it back.
    pub(crate) copy: bool,
}

impl From<&[RecordedRun]> for HistoryDocument {
    fn from(runs: &[RecordedRun]) -> Self {
        Self { runs: runs.iter().map(RunSummary::from).collect() }
    }
}

impl From<&RecordedRun> for RunSummary {
    fn from(run: &RecordedRun) -> Self {
        let RecordedRun { state, changes, .. } = run;
        let (applied, all) = run.counts();
        Self {
            run: state.run.clone(),
            began: state.began.clone(),
            portal: state.portal.clone(),
            plan_sha256: state.plan_sha256,
            commit: state.commit.clone(),
            command: state.command.and_then(command_name),
            ended: state.ended.map(Into::into),
            applied,
            not_applied: all - applied,
            changes: changes.iter().map(|change| run_change(change, run)).collect(),
        }
    }
}

/// The command that made a run. `None` for one that this version does not have.
const fn command_name(command: RunCommand) -> Option<RunCommandName> {
    match command {
        RunCommand::Apply => Some(RunCommandName::Apply),
        RunCommand::Restore => Some(RunCommandName::Restore),
        RunCommand::Other => None,
    }
}

/// A command that makes runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(rename = "RunCommand")]
pub(crate) enum RunCommandName {
    /// `apply`.
    Apply,
    /// `restore`.
    Restore,
}

fn run_change(change: &Change, run: &RecordedRun) -> RunChange {
    let ChangeParts { address, action, precondition, .. } = change.into();
    let old_sha256 = precondition.sha256;
    RunChange {
        outcome: run.state.steps.get(&address).map(|step| step.outcome.into()),
        address,
        action,
        old_sha256,
        copy: old_sha256.is_some_and(|digest| run.copies.contains(&digest)),
    }
}

printed! {
    /// How a run ended.
    #[serde(rename_all = "kebab-case")]
    #[schemars(rename = "Ending")]
    EndingName = journal::Ending {
        /// Every step was tried.
        Finished,
        /// The user asked it to stop.
        Interrupted,
        /// It was killed, and a later command found out what it had done.
        CutShort,
    }
}
