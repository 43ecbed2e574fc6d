//! The two writes that the portal offers, and its possible answers.

use std::sync::Arc;

use super::asset::Address;
use super::retry::Class;

/// One write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// Adds an entry that does not exist.
    Add {
        /// Kind and code, spelt as the portal will list it.
        address: Address,
        /// The PNG, byte for byte.
        png: Arc<[u8]>,
    },
    /// Deletes a custom entry.
    Delete {
        /// Kind and code, spelt as the portal lists it.
        address: Address,
    },
}

impl Command {
    pub(crate) const fn address(&self) -> &Address {
        match self {
            Self::Add { address, .. } | Self::Delete { address } => address,
        }
    }
}

/// The handling of the rest of a batch when one of its commands is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Halt {
    /// The rest runs anyway (`halt: 0`).
    Never,
    /// The rest does not run (`halt: 1`).
    OnError,
}

/// The portal's answer to one command of a request that it answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// It took effect.
    Done,
    /// It was refused and had no effect.
    Refused {
        /// Whether another attempt can succeed.
        class: Class,
        /// The portal's error code, always as a string; may be empty or `0`.
        code: String,
        /// The portal's description.
        description: String,
    },
    /// It was not run, because the batch halted before it.
    NotRun,
    /// The outcome is unknown, and why.
    Unknown(String),
}
