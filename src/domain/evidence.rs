//! The evidence of the use of codes that a plan carries: what is known of each code, and what was read to know it. It is
//! collected in [`usage`](super::usage).

use std::collections::BTreeMap;

use super::asset::Address;

/// The known use of one code. "Unused" is not a value: that can never be known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Usage {
    /// Log entries name it.
    Used {
        /// How many of those that were read. There may be more.
        log_entries: u64,
        /// Some of them.
        samples: Vec<Sample>,
    },
    /// No log entry of the items that were asked for names it, and all of these were read. It may be used elsewhere.
    NotSeen,
    Unknown {
        why: String,
    },
}

/// A log entry that names a code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Sample {
    pub(crate) id: u64,
    /// Its CRM item, as in deal:12.
    pub(crate) item: String,
    pub(crate) title: String,
}

/// The log entries that were read, and those that were not.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Coverage {
    /// The CRM items that were asked for, as in deal:1-500; none when no code could be found in log entries.
    pub(crate) items: Vec<String>,
    /// How many these are.
    pub(crate) asked: usize,
    /// How many items had all their log entries read.
    pub(crate) read: usize,
    /// How many items had a part of their log entries read.
    pub(crate) cut: usize,
    /// How many the portal did not let read.
    pub(crate) unreadable: usize,
    /// How many it did not come to.
    pub(crate) not_reached: usize,
    pub(crate) log_entries: u64,
    pub(crate) troubles: Vec<ReadFailure>,
}

/// The reason why some items could not be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ReadFailure {
    /// The portal's reason.
    pub(crate) why: String,
    /// How many items it holds for.
    pub(crate) count: usize,
    /// Some of them.
    pub(crate) items: Vec<String>,
}

impl Coverage {
    /// Whether everything was read that was asked for.
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
    /// The known use of an entry. Of one that was not looked for, nothing is.
    pub(crate) fn of(&self, address: &Address) -> Usage {
        let unknown = || Usage::Unknown { why: "it was not looked for".to_owned() };
        self.usages.get(address).cloned().unwrap_or_else(unknown)
    }

    /// Whether the use of every code is known.
    pub(crate) fn is_determined(&self) -> bool {
        !self.usages.values().any(|usage| matches!(usage, Usage::Unknown { .. }))
    }
}
