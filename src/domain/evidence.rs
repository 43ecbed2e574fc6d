//! The evidence of the use of codes that a plan carries: what is known of each code, and what was read to know it. It is
//! collected in [`usage`](super::usage).

use std::collections::BTreeMap;

use super::asset::Address;

/// The known use of one code. "Unused" is not a value: that can never be known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Usage {
    /// Log entries name it.
    Used {
        /// How many of the log entries that were read. There may be more.
        log_entries: u64,
        /// Some of them.
        samples: Vec<Sample>,
    },
    /// All log entries of the requested items were read, and none names it. It may be used elsewhere.
    NotSeen,
    Unknown {
        why: String,
    },
}

/// A log entry that names a code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Sample {
    pub(crate) id: u64,
    /// Its CRM item, for example deal:12.
    pub(crate) item: String,
    pub(crate) title: String,
}

/// The log entries that were read, and those that were not.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Coverage {
    /// The requested CRM items, for example deal:1-500; empty when log entries cannot name any of the codes.
    pub(crate) items: Vec<String>,
    /// The number of requested items.
    pub(crate) asked: usize,
    /// The number of items whose log entries were all read.
    pub(crate) read: usize,
    /// The number of items whose log entries were read in part.
    pub(crate) cut: usize,
    /// The number of items whose log entries the portal refused to return.
    pub(crate) unreadable: usize,
    /// The number of items that were not reached.
    pub(crate) not_reached: usize,
    pub(crate) log_entries: u64,
    pub(crate) troubles: Vec<ReadFailure>,
}

/// The reason why some items could not be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ReadFailure {
    /// The portal's reason.
    pub(crate) why: String,
    /// The number of items with this reason.
    pub(crate) count: usize,
    /// Some of them.
    pub(crate) items: Vec<String>,
}

impl Coverage {
    /// Whether everything that was requested was read.
    pub(crate) const fn is_whole(&self) -> bool {
        self.read == self.asked
    }
}

/// The known use of codes, and the coverage that it comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct UsageEvidence {
    pub(crate) coverage: Coverage,
    /// Every entry that was looked for, and what is known of it.
    pub(crate) usages: BTreeMap<Address, Usage>,
}

impl UsageEvidence {
    /// The known use of an entry. The use of an entry that was not looked for is unknown.
    pub(crate) fn of(&self, address: &Address) -> Usage {
        let unknown = || Usage::Unknown { why: "its use was not checked".to_owned() };
        self.usages.get(address).cloned().unwrap_or_else(unknown)
    }

    /// Whether the use of every code is known.
    pub(crate) fn is_determined(&self) -> bool {
        !self.usages.values().any(|usage| matches!(usage, Usage::Unknown { .. }))
    }
}
