//! The published form of what `validate` found.

use schemars::JsonSchema;
use serde::Serialize;

use super::envelope::{FindingOrder, Invoked, Printed};
use super::pretty;

use crate::domain::finding::Severity;
use crate::domain::report::Validation;

/// What `validate` found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(title = "brandctl validate", deny_unknown_fields)]
pub(crate) struct ValidationDocument {
    /// Counts.
    pub(crate) summary: ValidationSummary,
}

/// The document of a check. Its findings stay sorted by file.
pub fn print_validation(header: &Invoked, validation: &Validation) -> serde_json::Result<String> {
    pretty(&Printed::new(header, None, ValidationDocument::from(validation), &validation.findings, FindingOrder::Found))
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
            summary: ValidationSummary {
                images: validation.images,
                errors: validation.count(Severity::Error),
                warnings: validation.count(Severity::Warning),
                passed: validation.passed(),
            },
        }
    }
}
