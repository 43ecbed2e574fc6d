//! The journal of a run: what was about to be sent, what came of it, and how the run ended. Append-only, one JSON
//! object a line, for people and for the next run; never a secret, never an image.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::asset::{Address, Digest};
use super::command::{Answer, Command};
use super::report::StepResult;

/// The version of the journal's format.
pub const FORMAT_VERSION: u32 = 1;

/// One line of a journal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "entry", rename_all = "kebab-case")]
pub enum Entry {
    /// The run began: the plan and the old images are on disk.
    Begin {
        /// The version of the journal's format.
        format_version: u32,
        /// The run's id.
        run: String,
        /// The portal's identity.
        portal: String,
        /// The plan's digest.
        plan_sha256: Digest,
    },
    /// A request is about to leave.
    Intent {
        /// Its number in this run, from 1.
        request: u32,
        /// What it asks for, in order.
        commands: Vec<Write>,
    },
    /// A request was answered, or its answer was lost.
    Outcome {
        /// Its number.
        request: u32,
        /// What the portal said to each command; empty when the answer was lost.
        answers: Vec<Said>,
        /// Why the answer was lost, or the whole request refused.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        error: Option<String>,
    },
    /// A step ended.
    Step {
        /// The entry.
        address: Address,
        /// What became of it.
        #[serde(flatten)]
        result: StepResult,
    },
    /// The run ended: nothing of it is in flight.
    End {
        /// How many steps did not end as planned.
        not_applied: usize,
    },
}

/// One write, without its bytes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "write", rename_all = "lowercase")]
pub enum Write {
    /// An add.
    Add {
        /// The entry.
        address: Address,
        /// SHA-256 of the PNG.
        sha256: Digest,
    },
    /// A delete.
    Delete {
        /// The entry.
        address: Address,
    },
}

impl From<&Command> for Write {
    fn from(command: &Command) -> Self {
        match command {
            Command::Add { address, png } => Self::Add { address: address.clone(), sha256: Digest::of(png) },
            Command::Delete { address } => Self::Delete { address: address.clone() },
        }
    }
}

/// What the portal said to one write.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "said", rename_all = "kebab-case")]
pub enum Said {
    /// It took effect.
    Done,
    /// It was refused.
    Refused {
        /// The portal's error code.
        code: String,
        /// The portal's words.
        description: String,
    },
    /// It was not run.
    NotRun,
    /// The answer does not speak of it.
    Missing,
}

impl From<&Answer> for Said {
    fn from(answer: &Answer) -> Self {
        match answer {
            Answer::Done => Self::Done,
            Answer::Refused { code, description } => {
                Self::Refused { code: code.clone(), description: description.clone() }
            }
            Answer::NotRun => Self::NotRun,
            Answer::Missing => Self::Missing,
        }
    }
}
