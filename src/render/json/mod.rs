//! What commands print as JSON: versioned, complete also when a command fails. A plan and what became of it is a
//! [`crate::format::Document`], because saved plans are read back; every other document is only printed, and a file here:
//! `schema/NAME.schema.json` describes it.
//!
//! These types are frozen: other programs read them.

use serde::Serialize;

use crate::text::escape_json;

mod doctor;
mod export;
mod history;
mod init;
mod list;
mod log;
mod rules;
pub mod schemas;
mod usage;
mod validation;

pub(crate) use doctor::DoctorDocument;
pub(crate) use export::ExportDocument;
pub(crate) use history::HistoryDocument;
pub(crate) use init::InitDocument;
pub use list::ListDocument;
pub(crate) use log::LogDocument;
pub(crate) use rules::RulesDocument;
pub(crate) use usage::UsageDocument;
pub use validation::ValidationDocument;

/// The document `D` of what is to be printed, such as `print::<ListDocument>(&list)`.
pub fn print<D: Serialize>(shown: impl Into<D>) -> serde_json::Result<String> {
    pretty(&shown.into())
}

/// A value as JSON for people and programs: on many lines, and nothing in it does anything to a terminal.
pub(crate) fn pretty(value: &impl Serialize) -> serde_json::Result<String> {
    Ok(escape_json(&serde_json::to_string_pretty(value)?) + "\n")
}
