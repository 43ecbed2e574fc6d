//! JSON: versioned, complete also when a command fails.

use serde::Serialize;

use super::reorders;
use crate::domain::doctor::Check;
use crate::domain::document::{
    DoctorDocument, Document, ExportDocument, HistoryDocument, InitDocument, ListDocument, LogDocument, RulesDocument,
    UsageDocument, ValidationDocument,
};
use crate::domain::init::Started;
use crate::domain::journal::RunState;
use crate::domain::list::Inventory;
use crate::domain::logmessage::LogReport;
use crate::domain::report::{ExportReport, Report, Validation};
use crate::domain::rules::ArtRule;
use crate::domain::usage::UsageReport;

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

/// What `list` found, as `schema/list.schema.json` describes it.
///
/// # Errors
/// When it cannot be written as JSON, which no entry can cause.
pub fn inventory(inventory: &Inventory) -> Result<String, serde_json::Error> {
    pretty(&ListDocument::from(inventory))
}

/// What `export` did, as `schema/export.schema.json` describes it.
///
/// # Errors
/// When it cannot be written as JSON, which no entry can cause.
pub fn exported(report: &ExportReport) -> Result<String, serde_json::Error> {
    pretty(&ExportDocument::from(report))
}

/// What `doctor` saw of a portal, as `schema/doctor.schema.json` describes it.
///
/// # Errors
/// When it cannot be written as JSON, which no check can cause.
pub fn checks(checks: &[Check], portal: Option<&str>) -> Result<String, serde_json::Error> {
    pretty(&DoctorDocument::of(checks, portal))
}

/// What `log` found or did, as `schema/log.schema.json` describes it.
///
/// # Errors
/// When it cannot be written as JSON, which no entry can cause.
pub fn log(report: &LogReport) -> Result<String, serde_json::Error> {
    pretty(&LogDocument::from(report))
}

/// What `usage` found out, as `schema/usage.schema.json` describes it.
///
/// # Errors
/// When it cannot be written as JSON, which no entry can cause.
pub fn usage(report: &UsageReport) -> Result<String, serde_json::Error> {
    pretty(&UsageDocument::from(report))
}

/// What `validate` found, as `schema/validate.schema.json` describes it.
///
/// # Errors
/// When it cannot be written as JSON, which no finding can cause.
pub fn validation(validation: &Validation) -> Result<String, serde_json::Error> {
    pretty(&ValidationDocument::from(validation))
}

/// What `init` wrote, as `schema/init.schema.json` describes it.
///
/// # Errors
/// When it cannot be written as JSON, which no answer can cause.
pub fn started(started: &Started) -> Result<String, serde_json::Error> {
    pretty(&InitDocument::from(started))
}

/// Art rules, as `schema/rules.schema.json` describes them.
///
/// # Errors
/// When it cannot be written as JSON, which no rule can cause.
pub fn rules(rules: &[&ArtRule]) -> Result<String, serde_json::Error> {
    pretty(&RulesDocument::from(rules))
}

/// Pretty-printed, with everything escaped that a terminal could take for a command: JSON itself allows the control
/// characters above 0x7E and the marks that change the direction of text. Outside strings there are none of them.
pub(super) fn pretty(document: &impl Serialize) -> Result<String, serde_json::Error> {
    let pretty = serde_json::to_string_pretty(document)? + "\n";
    let mut safe = String::with_capacity(pretty.len());
    for character in pretty.chars() {
        // The control characters below that JSON leaves alone are its own line breaks.
        if (character.is_control() && character != '\n') || reorders(character) {
            let units =
                character.encode_utf16(&mut [0; 2]).iter().map(|unit| format!("\\u{unit:04x}")).collect::<String>();
            safe.push_str(&units);
        } else {
            safe.push(character);
        }
    }
    Ok(safe)
}
