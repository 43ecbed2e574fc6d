//! The record of a request in a journal: its writes, and the portal's answer to each.

use serde::{Deserialize, Serialize};

use super::asset::{Address, Digest};
use super::command::{Answer, Command};

/// One write, without its bytes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
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

impl Write {
    pub(crate) const fn address(&self) -> &Address {
        match self {
            Self::Add { address, .. } | Self::Delete { address } => address,
        }
    }
}

impl From<&Command> for Write {
    fn from(command: &Command) -> Self {
        match command {
            Command::Add { address, png } => Self::Add { address: address.clone(), sha256: Digest::of(png) },
            Command::Delete { address } => Self::Delete { address: address.clone() },
        }
    }
}

/// The portal's answer to one write.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "said", rename_all = "kebab-case")]
pub enum Said {
    /// It took effect.
    Done,
    /// It was refused.
    Refused {
        /// The portal's error code.
        code: String,
        /// The portal's description.
        description: String,
    },
    /// It was not run.
    NotRun,
    /// Its result is unknown.
    Unknown {
        /// Why.
        why: String,
    },
}

impl From<&Answer> for Said {
    fn from(answer: &Answer) -> Self {
        match answer {
            Answer::Done => Self::Done,
            Answer::Refused { class: _, code, description } => {
                Self::Refused { code: code.clone(), description: description.clone() }
            }
            Answer::NotRun => Self::NotRun,
            Answer::Unknown(why) => Self::Unknown { why: why.clone() },
        }
    }
}
