//! The published form of what `usage` found out.

use schemars::JsonSchema;
use serde::Serialize;

use crate::domain::asset::Address;
use crate::domain::usage::UsageReport;
use crate::format::{CodeUsage, CoverageDocument};

/// Whether codes are in use.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(title = "brandctl usage", deny_unknown_fields)]
pub(crate) struct UsageDocument {
    /// What was searched; null if nothing was.
    pub(crate) coverage: Option<CoverageDocument>,
    /// The codes that were looked for, by kind and code.
    pub(crate) codes: Vec<CodeDocument>,
    /// Counts.
    pub(crate) summary: UsageSummary,
}

/// One code.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub(crate) struct CodeDocument {
    /// The entry, as in icon/acme-call.
    pub(crate) address: Address,
    /// What is known of its use.
    pub(crate) usage: CodeUsage,
}

/// Counts of codes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub(crate) struct UsageSummary {
    /// Codes that log entries name.
    pub(crate) used: usize,
    /// Codes that no log entry names; all log entries were read.
    pub(crate) not_seen: usize,
    /// Codes of unknown use.
    pub(crate) unknown: usize,
}

impl From<&UsageReport> for UsageDocument {
    fn from(report: &UsageReport) -> Self {
        let UsageReport { is_complete: _, evidence, findings: _ } = report;
        let usages = evidence.iter().flat_map(|evidence| evidence.usages.iter());
        let codes: Vec<_> = usages
            .map(|(address, usage)| CodeDocument { address: address.clone(), usage: usage.clone().into() })
            .collect();
        let count = |is: fn(&CodeUsage) -> bool| codes.iter().filter(|code| is(&code.usage)).count();
        Self {
            coverage: evidence.as_ref().map(|evidence| evidence.coverage.clone().into()),
            summary: UsageSummary {
                used: count(|usage| matches!(usage, CodeUsage::Used { .. })),
                not_seen: count(|usage| matches!(usage, CodeUsage::NotSeen)),
                unknown: count(|usage| matches!(usage, CodeUsage::Unknown { .. })),
            },
            codes,
        }
    }
}
