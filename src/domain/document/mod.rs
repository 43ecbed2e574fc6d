//! The published forms: format 1, JSON. [`Document`] is a plan and what became of it, described by
//! `schema/plan.schema.json`; [`ValidationDocument`] is what `validate` found, described by `schema/validate.schema.json`;
//! [`RulesDocument`] is what `rules` explains, described by `schema/rules.schema.json`; [`HistoryDocument`] is what `history`
//! lists, described by `schema/history.schema.json`; [`ListDocument`] is what `list` found on a portal, described by
//! `schema/list.schema.json`; [`DoctorDocument`] is what `doctor` saw, described by `schema/doctor.schema.json`;
//! [`LogDocument`] is what `log` found or did, described by `schema/log.schema.json`; [`UsageDocument`] is what `usage` found
//! out, described by `schema/usage.schema.json`; [`InitDocument`] is what `init` wrote, described by
//! `schema/init.schema.json`; [`ExportDocument`] is what `export` did, described by `schema/export.schema.json`, and
//! [`SnapshotDocument`] the file `portal.json` that it writes, described by `schema/portal.schema.json`.
//!
//! These types are frozen: other programs read them. A plan that is saved carries the bytes too (`contents`), so that it
//! can be applied and restored from without the files it came from. `plan_sha256` covers everything but `contents`
//! (each of which is covered by its own digest) and what apply adds.

mod doctor;
mod export;
mod history;
mod init;
mod list;
mod log;
mod plan;
mod published;
mod rules;
mod saved;
mod snapshot;
mod usage;
mod validation;

pub use doctor::{CheckDocument, DoctorDocument, DoctorSummary};
pub use export::{Became, ExportDocument, ExportSummary, ExportedDocument};
pub use history::{HistoryDocument, RunSummary};
pub use init::InitDocument;
pub use list::{HeldDocument, ListDocument, ListSummary};
pub use log::LogDocument;
pub use plan::{
    ActionName, ChangeDocument, Document, FindingDocument, PlaceDocument, PreconditionDocument, RunDocument, Summary,
    Tool, UnmanagedDocument,
};
pub use published::Published;
pub use rules::{LevelName, RuleDocument, RulesDocument};
pub use saved::{BadPlan, SavedPlan};
pub use snapshot::{SnapshotDocument, SnapshotEntry};
pub use usage::{CodeDocument, UsageDocument, UsageSummary};
pub use validation::{ValidationDocument, ValidationSummary};

/// The version of the formats that this program writes and reads.
pub const FORMAT_VERSION: u32 = 1;

/// The JSON schema of [`Document`].
#[must_use]
pub fn schema() -> serde_json::Value {
    schema_of::<Document>()
}

/// The JSON schema of [`ValidationDocument`].
#[must_use]
pub fn validation_schema() -> serde_json::Value {
    schema_of::<ValidationDocument>()
}

/// The JSON schema of [`HistoryDocument`].
#[must_use]
pub fn history_schema() -> serde_json::Value {
    schema_of::<HistoryDocument>()
}

/// The JSON schema of [`ListDocument`].
#[must_use]
pub fn list_schema() -> serde_json::Value {
    schema_of::<ListDocument>()
}

/// The JSON schema of [`DoctorDocument`].
#[must_use]
pub fn doctor_schema() -> serde_json::Value {
    schema_of::<DoctorDocument>()
}

/// The JSON schema of [`LogDocument`].
#[must_use]
pub fn log_schema() -> serde_json::Value {
    schema_of::<LogDocument>()
}

/// The JSON schema of [`UsageDocument`].
#[must_use]
pub fn usage_schema() -> serde_json::Value {
    schema_of::<UsageDocument>()
}

/// The JSON schema of [`InitDocument`].
#[must_use]
pub fn init_schema() -> serde_json::Value {
    schema_of::<InitDocument>()
}

/// The JSON schema of [`ExportDocument`].
#[must_use]
pub fn export_schema() -> serde_json::Value {
    schema_of::<ExportDocument>()
}

/// The JSON schema of [`SnapshotDocument`].
#[must_use]
pub fn snapshot_schema() -> serde_json::Value {
    schema_of::<SnapshotDocument>()
}

/// The JSON schema of [`RulesDocument`].
#[must_use]
pub fn rules_schema() -> serde_json::Value {
    schema_of::<RulesDocument>()
}

fn schema_of<T: schemars::JsonSchema>() -> serde_json::Value {
    schemars::generate::SchemaSettings::draft07().into_generator().into_root_schema_for::<T>().to_value()
}
