//! The published form of what `log` found or did.

use schemars::JsonSchema;
use serde::Serialize;

use crate::domain::logmessage::{LogEntry, LogOutcome, LogReport};
use crate::format::{FORMAT_VERSION, FindingDocument, Tool, plan::split};

/// Timeline log entries, and what became of a command about them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(title = "brandctl log", deny_unknown_fields)]
pub struct LogDocument {
    /// The version of this format.
    pub format_version: u32,
    /// The program that asked.
    pub tool: Tool,
    /// The portal's host, or the sandbox's identity; null when none is known.
    pub portal: Option<String>,
    /// How the command ended.
    pub outcome: LogOutcome,
    /// The entries that were added, got or listed.
    pub entries: Vec<LogEntry>,
    /// The id of the entry that was deleted.
    pub deleted: Option<u64>,
    /// Findings that stop nothing.
    pub warnings: Vec<FindingDocument>,
    /// Findings that stop everything.
    pub errors: Vec<FindingDocument>,
}

impl From<&LogReport> for LogDocument {
    fn from(report: &LogReport) -> Self {
        let LogReport { portal, outcome, entries, deleted, findings } = report;
        let (errors, warnings) = split(findings);
        Self {
            format_version: FORMAT_VERSION,
            tool: Tool::this(),
            portal: portal.clone(),
            outcome: *outcome,
            entries: entries.clone(),
            deleted: *deleted,
            warnings,
            errors,
        }
    }
}
