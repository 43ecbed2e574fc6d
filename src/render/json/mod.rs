//! What commands print as JSON: versioned, complete also when a command fails. Each document is a file here, and
//! `schema/NAME.schema.json` describes it; `envelope` has what all of them begin and end with. The form of a plan that is
//! read back is [`crate::format::Document`].
//!
//! These types are frozen: other programs read them.

use serde::Serialize;

use crate::text::escape_json;

mod doctor;
mod envelope;
mod error;
mod export;
mod history;
mod init;
mod list;
mod log;
mod plan;
mod rules;
mod sandbox;
pub mod schemas;
mod usage;
mod validation;

pub(crate) use doctor::DoctorDocument;
pub use envelope::{Invoked, print};
pub(crate) use error::ErrorDocument;
pub(crate) use export::ExportDocument;
pub(crate) use history::HistoryDocument;
pub(crate) use init::InitDocument;
pub use list::ListDocument;
pub(crate) use log::LogDocument;
pub use plan::PlanDocument;
pub(crate) use rules::RulesDocument;
pub(crate) use sandbox::{SandboxDocument, WebhookDocument};
pub(crate) use schemas::SchemasDocument;
pub(crate) use usage::UsageDocument;
pub use validation::print_validation;

/// A value as JSON for people and programs: on many lines, and without characters that a terminal interprets.
pub(crate) fn pretty(value: &impl Serialize) -> serde_json::Result<String> {
    Ok(escape_json(&serde_json::to_string_pretty(value)?) + "\n")
}
