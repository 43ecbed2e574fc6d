//! JSON: versioned, complete also when a command fails.

use crate::domain::document::{Document, ValidationDocument};
use crate::domain::report::{Report, Validation};

/// A plan and what became of it, as `schema/plan.schema.json` describes it.
///
/// # Errors
/// When it cannot be written as JSON, which no report can cause.
pub fn report(report: &Report) -> Result<String, serde_json::Error> {
    Ok(serde_json::to_string_pretty(&Document::of(report))? + "\n")
}

/// What `validate` found, as `schema/validate.schema.json` describes it.
///
/// # Errors
/// When it cannot be written as JSON, which no finding can cause.
pub fn validation(validation: &Validation) -> Result<String, serde_json::Error> {
    Ok(serde_json::to_string_pretty(&ValidationDocument::from(validation))? + "\n")
}
