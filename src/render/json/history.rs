//! The published form of the runs of a state folder.

use schemars::JsonSchema;
use serde::Serialize;

use crate::domain::asset::Digest;
use crate::domain::journal::{self, RunState};
use crate::format::{FORMAT_VERSION, Tool, printed};

/// The runs of a state folder, the oldest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(title = "brandctl history", deny_unknown_fields)]
pub(crate) struct HistoryDocument {
    /// The version of this format.
    pub(crate) format_version: u32,
    /// The program that lists them.
    pub(crate) tool: Tool,
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
    /// How it ended; null while it is open.
    pub(crate) ended: Option<EndingName>,
    /// How many of its steps are as planned.
    pub(crate) applied: usize,
    /// How many are not.
    pub(crate) not_applied: usize,
}

impl From<&[RunState]> for HistoryDocument {
    fn from(runs: &[RunState]) -> Self {
        Self { format_version: FORMAT_VERSION, tool: Tool::this(), runs: runs.iter().map(RunSummary::from).collect() }
    }
}

impl From<&RunState> for RunSummary {
    fn from(run: &RunState) -> Self {
        let applied = run.applied();
        Self {
            run: run.run.clone(),
            began: run.began.clone(),
            portal: run.portal.clone(),
            plan_sha256: run.plan_sha256,
            commit: run.commit.clone(),
            ended: run.ended.map(Into::into),
            applied,
            not_applied: run.steps.len() - applied,
        }
    }
}

printed! {
    /// How a run came to its end.
    #[serde(rename_all = "kebab-case")]
    #[schemars(rename = "Ending")]
    EndingName = journal::Ending {
        /// Every step was tried.
        Finished,
        /// Somebody asked it to stop.
        Interrupted,
        /// It was killed, and a later command found out what it had done.
        CutShort,
    }
}
