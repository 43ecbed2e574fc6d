//! The published form of what `validate` found.

use schemars::JsonSchema;
use serde::Serialize;

use crate::domain::finding::Severity;
use crate::domain::report::Validation;
use crate::format::{FORMAT_VERSION, FindingDocument, Tool};

/// What `validate` found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(title = "brandctl validate", deny_unknown_fields)]
pub struct ValidationDocument {
    /// The version of this format.
    pub(crate) format_version: u32,
    /// The program that checked.
    pub(crate) tool: Tool,
    /// Everything found, sorted by file.
    pub(crate) findings: Vec<FindingDocument>,
    /// Counts.
    pub(crate) summary: ValidationSummary,
}

/// Counts of what was checked and found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub(crate) struct ValidationSummary {
    /// Images that were checked.
    pub(crate) images: usize,
    /// Findings that stop a plan.
    pub(crate) errors: usize,
    /// Findings that stop nothing.
    pub(crate) warnings: usize,
    /// Whether the check passed: without errors and, with `--deny-warnings`, without warnings.
    pub(crate) passed: bool,
}

impl From<&Validation> for ValidationDocument {
    fn from(validation: &Validation) -> Self {
        Self {
            format_version: FORMAT_VERSION,
            tool: Tool::this(),
            findings: validation.findings.iter().map(FindingDocument::from).collect(),
            summary: ValidationSummary {
                images: validation.images,
                errors: validation.count(Severity::Error),
                warnings: validation.count(Severity::Warning),
                passed: validation.passed(),
            },
        }
    }
}
