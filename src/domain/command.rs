//! The two writes that the portal has, and what it can say to one.

use std::sync::Arc;

use super::asset::Address;
use super::retry::Class;

/// One write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// Adds an entry that does not exist.
    Add {
        /// Kind and code, spelt as the portal is to list it.
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
    /// The rest runs all the same (`halt: 0`).
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
        /// Whether asking again can change that.
        class: Class,
        /// The portal's error code, as a string whatever it was on the wire; may be empty or `0`.
        code: String,
        /// The portal's own words.
        description: String,
    },
    /// It was not run, because the batch halted before it.
    NotRun,
    /// The outcome is unknown, and why.
    Unknown(String),
}
