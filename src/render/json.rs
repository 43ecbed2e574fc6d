//! JSON: versioned, complete also when a command fails.

use serde::Serialize;

use crate::domain::document::{Document, FindingDocument, Tool};
use crate::domain::finding::{Finding, Severity};
use crate::domain::report::{Report, Validation};

/// A plan and what became of it, as `schema/plan.schema.json` describes it.
///
/// # Errors
/// When it cannot be written as JSON, which no report can cause.
pub fn report(report: &Report) -> Result<String, serde_json::Error> {
    Ok(serde_json::to_string_pretty(&Document::of(report))? + "\n")
}

#[derive(Serialize)]
struct ValidationDocument {
    format_version: u32,
    tool: Tool,
    findings: Vec<FindingDocument>,
    summary: ValidationSummary,
}

#[derive(Serialize)]
struct ValidationSummary {
    images: usize,
    errors: usize,
    warnings: usize,
}

/// What `validate` found.
///
/// # Errors
/// When it cannot be written as JSON, which no finding can cause.
pub fn validation(validation: &Validation) -> Result<String, serde_json::Error> {
    let count = |severity| validation.findings.iter().filter(|finding: &&Finding| finding.severity == severity).count();
    let document = ValidationDocument {
        format_version: crate::domain::document::FORMAT_VERSION,
        tool: Tool::this(),
        findings: validation.findings.iter().map(FindingDocument::from).collect(),
        summary: ValidationSummary {
            images: validation.images,
            errors: count(Severity::Error),
            warnings: count(Severity::Warning),
        },
    };
    Ok(serde_json::to_string_pretty(&document)? + "\n")
}
