//! The published form of what `log` found or did.

use schemars::JsonSchema;
use serde::Serialize;

use crate::domain::logmessage::{self, LogEntry, LogReport};
use crate::format::printed;

/// Timeline log entries, and the outcome of a command about them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(title = "brandctl log", deny_unknown_fields)]
pub(crate) struct LogDocument {
    /// How the command ended.
    pub(crate) outcome: LogOutcomeName,
    /// The entries that were added, got or listed.
    pub(crate) entries: Vec<LogEntryDocument>,
    /// The id of the entry that was deleted.
    pub(crate) deleted: Option<u64>,
}

impl From<&LogReport> for LogDocument {
    fn from(report: &LogReport) -> Self {
        let LogReport { portal: _, outcome, entries, deleted, findings: _ } = report;
        Self {
            outcome: (*outcome).into(),
            entries: entries.iter().map(LogEntryDocument::from).collect(),
            deleted: *deleted,
        }
    }
}

/// A log entry as the portal has it. Its texts can hold anything: whoever shows them escapes them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(rename = "LogEntry", deny_unknown_fields)]
pub(crate) struct LogEntryDocument {
    /// Its id.
    pub(crate) id: u64,
    /// When it was added, as the portal writes it: usually RFC 3339.
    pub(crate) created: String,
    /// Who added it: a user's id; null when the portal does not say.
    pub(crate) author: Option<u64>,
    /// Its title.
    pub(crate) title: String,
    /// Its text.
    pub(crate) text: String,
    /// The code of its icon.
    pub(crate) icon: String,
}

impl From<&LogEntry> for LogEntryDocument {
    fn from(entry: &LogEntry) -> Self {
        let LogEntry { id, created, author, title, text, icon } = entry.clone();
        Self { id, created, author, title, text, icon }
    }
}

printed! {
    /// How a command about log entries ended.
    #[serde(rename_all = "lowercase")]
    #[schemars(rename = "Outcome")]
    LogOutcomeName = logmessage::LogOutcome {
        /// It was done, unless an error in `findings` says otherwise.
        Done,
        /// It was not done.
        Failed,
        /// A write may have been done: its answer was lost.
        Unknown,
    }
}
