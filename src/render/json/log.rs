//! The published form of what `log` found or did.

use schemars::JsonSchema;
use serde::Serialize;

use crate::domain::logmessage::{self, LogEntry, LogReport};
use crate::format::{FORMAT_VERSION, FindingDocument, Tool, plan::split, printed};

/// Timeline log entries, and what became of a command about them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(title = "brandctl log", deny_unknown_fields)]
pub(crate) struct LogDocument {
    /// The version of this format.
    pub(crate) format_version: u32,
    /// The program that asked.
    pub(crate) tool: Tool,
    /// The portal's host, or the sandbox's identity; null when none is known.
    pub(crate) portal: Option<String>,
    /// How the command ended.
    pub(crate) outcome: LogOutcomeName,
    /// The entries that were added, got or listed.
    pub(crate) entries: Vec<LogEntryDocument>,
    /// The id of the entry that was deleted.
    pub(crate) deleted: Option<u64>,
    /// Findings that stop nothing.
    pub(crate) warnings: Vec<FindingDocument>,
    /// Findings that stop everything.
    pub(crate) errors: Vec<FindingDocument>,
}

impl From<&LogReport> for LogDocument {
    fn from(report: &LogReport) -> Self {
        let LogReport { portal, outcome, entries, deleted, findings } = report;
        let (errors, warnings) = split(findings);
        Self {
            format_version: FORMAT_VERSION,
            tool: Tool::this(),
            portal: portal.clone(),
            outcome: (*outcome).into(),
            entries: entries.iter().map(LogEntryDocument::from).collect(),
            deleted: *deleted,
            warnings,
            errors,
        }
    }
}

/// A log entry as the portal has it. Its texts can hold anything: whoever shows them escapes them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(rename = "LogEntry", deny_unknown_fields)]
pub(crate) struct LogEntryDocument {
    /// Its id.
    pub(crate) id: u64,
    /// When it was added, as the portal writes it: RFC 3339, as a rule.
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
        /// It was done, as far as `errors` does not say otherwise.
        Done,
        /// It was not done.
        Failed,
        /// A write may have been done: its answer was lost.
        Unknown,
    }
}
