//! JSON: versioned, complete also when a command fails.

use serde::Serialize;

use super::reorders;
use crate::domain::document::{Document, FindingDocument, Tool};
use crate::domain::finding::{Finding, Severity};
use crate::domain::report::{Report, Validation};

/// A plan and what became of it, as `schema/plan.schema.json` describes it.
///
/// # Errors
/// When it cannot be written as JSON, which no report can cause.
pub fn report(report: &Report) -> Result<String, serde_json::Error> {
    text(&Document::of(report))
}

/// Pretty-printed, with everything escaped that a terminal could take for a command: JSON itself allows the control
/// characters above 0x7E and the marks that change the direction of text. Outside strings there are none of them.
fn text(document: &impl Serialize) -> Result<String, serde_json::Error> {
    let pretty = serde_json::to_string_pretty(document)? + "\n";
    let mut safe = String::with_capacity(pretty.len());
    for character in pretty.chars() {
        // The control characters below that JSON leaves alone are its own line breaks. All of these fit in four digits.
        if (character.is_control() && character != '\n') || reorders(character) {
            safe.push_str(&format!("\\u{:04x}", u32::from(character)));
        } else {
            safe.push(character);
        }
    }
    Ok(safe)
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
    text(&document)
}
