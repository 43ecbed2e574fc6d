//! JSON: versioned, complete also when a command fails.

use serde::Serialize;

use crate::domain::asset::Digest;
use crate::domain::document::{Document, FORMAT_VERSION, FindingDocument, Tool};
use crate::domain::finding::{Finding, Severity};
use crate::domain::journal::{Ending, RunState};
use crate::domain::report::{Report, Validation};

/// A plan and what became of it, as `schema/plan.schema.json` describes it.
///
/// # Errors
/// When it cannot be written as JSON, which no report can cause.
pub fn report(report: &Report) -> Result<String, serde_json::Error> {
    Ok(serde_json::to_string_pretty(&Document::of(report))? + "\n")
}

/// A plan and what became of it, from its document.
///
/// # Errors
/// As [`report`].
pub fn document(document: &Document) -> Result<String, serde_json::Error> {
    Ok(serde_json::to_string_pretty(document)? + "\n")
}

#[derive(Serialize)]
struct HistoryDocument<'a> {
    format_version: u32,
    tool: Tool,
    runs: Vec<RunLine<'a>>,
}

#[derive(Serialize)]
struct RunLine<'a> {
    run: &'a str,
    began: &'a str,
    portal: &'a str,
    plan_sha256: Digest,
    commit: Option<&'a str>,
    /// finished, interrupted, cut-short; null while it is open.
    ended: Option<Ending>,
    applied: usize,
    not_applied: usize,
}

impl<'a> From<&'a RunState> for RunLine<'a> {
    fn from(run: &'a RunState) -> Self {
        let applied = run.applied();
        Self {
            run: &run.run,
            began: &run.began,
            portal: &run.portal,
            plan_sha256: run.plan_sha256,
            commit: run.commit.as_deref(),
            ended: run.ended,
            applied,
            not_applied: run.steps.len() - applied,
        }
    }
}

/// The runs of a state folder.
///
/// # Errors
/// When it cannot be written as JSON, which no journal can cause.
pub fn history(runs: &[RunState]) -> Result<String, serde_json::Error> {
    let document = HistoryDocument {
        format_version: FORMAT_VERSION,
        tool: Tool::this(),
        runs: runs.iter().map(RunLine::from).collect(),
    };
    Ok(serde_json::to_string_pretty(&document)? + "\n")
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
        format_version: FORMAT_VERSION,
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
