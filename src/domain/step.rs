//! Steps of a plan and their outcomes.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::asset::Address;

/// The outcome of one step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum StepOutcome {
    /// It took effect; the portal was read again to verify it.
    Applied,
    /// It did not take effect, or did not end as planned.
    Failed,
    /// It was never sent.
    Skipped,
    /// The new image was refused, and the old one is back.
    Recovered,
    /// Its outcome could not be determined.
    Unknown,
}

impl StepOutcome {
    /// Its name in output.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Applied => "applied",
            Self::Failed => "failed",
            Self::Skipped => "skipped",
            Self::Recovered => "recovered",
            Self::Unknown => "unknown",
        }
    }
}

/// What a portal has under the code of a step, as it was last read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LiveState {
    /// The new image.
    New,
    /// The old image.
    Old,
    /// Something else.
    Other,
    /// Nothing.
    Absent,
    /// It was not read since something was sent for the code, or its image could not be fetched.
    Unknown,
}

/// The outcome of one step, and its reason.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StepResult {
    /// The outcome.
    #[serde(rename = "fate")]
    pub outcome: StepOutcome,
    /// Why, when it is not applied: one sentence.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub why: Option<String>,
    /// Whether any of its writes took effect.
    pub wrote: bool,
}

/// The work of one step, as users count steps: a rename is one step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StepWork {
    /// An entry is added.
    Create,
    /// An entry is deleted and added again.
    Replace,
    /// An entry is deleted.
    Delete,
    /// An entry was added, and the one with its old code is deleted.
    Rename {
        /// The old code.
        from: Address,
    },
}

/// A step that ended just now, for people who watch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StepEnded {
    /// The entry; of a rename, the new one.
    pub address: Address,
    /// The planned work.
    pub work: StepWork,
    /// The outcome.
    pub result: StepResult,
    /// The time from its first request until now; `None` when none was sent.
    pub took: Option<Duration>,
    /// How many steps its last request was for.
    pub in_request: usize,
}
