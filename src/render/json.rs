//! JSON: versioned, complete also when a command fails.

use serde::Serialize;

use crate::domain::document::{Document, HistoryDocument, ValidationDocument};
use crate::domain::journal::RunState;
use crate::domain::report::{Report, Validation};

/// A plan and what became of it, as `schema/plan.schema.json` describes it.
///
/// # Errors
/// When it cannot be written as JSON, which no report can cause.
pub fn report(report: &Report) -> Result<String, serde_json::Error> {
    document(&Document::of(report))
}

/// A plan and what became of it, from its document.
///
/// # Errors
/// As [`report`].
pub fn document(document: &Document) -> Result<String, serde_json::Error> {
    pretty(document)
}

/// The runs of a state folder, as `schema/history.schema.json` describes them.
///
/// # Errors
/// When it cannot be written as JSON, which no journal can cause.
pub fn history(runs: &[RunState]) -> Result<String, serde_json::Error> {
    pretty(&HistoryDocument::from(runs))
}

/// What `validate` found, as `schema/validate.schema.json` describes it.
///
/// # Errors
/// When it cannot be written as JSON, which no finding can cause.
pub fn validation(validation: &Validation) -> Result<String, serde_json::Error> {
    pretty(&ValidationDocument::from(validation))
}

fn pretty(document: &impl Serialize) -> Result<String, serde_json::Error> {
    Ok(serde_json::to_string_pretty(document)? + "\n")
}
