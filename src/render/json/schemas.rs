//! The JSON schemas that brandctl publishes: of the manifest, of the files that are read back, and of what each command
//! prints as JSON.

use schemars::JsonSchema;

use super::{
    DoctorDocument, ExportDocument, HistoryDocument, InitDocument, ListDocument, LogDocument, RulesDocument,
    UsageDocument, ValidationDocument,
};
use crate::domain::manifest;
use crate::format::{Document, SnapshotDocument};
use crate::render::style::BOLD;

/// One published schema.
pub struct Schema {
    /// How `brandctl schema` calls it: `schema/<name>.schema.json` is its file.
    pub name: &'static str,
    /// What it describes, in one clause.
    pub describes: &'static str,
    /// Makes it, from the types.
    pub make: fn() -> serde_json::Value,
}

/// Every published schema, sorted by name.
pub const SCHEMAS: &[Schema] = &[
    Schema { name: "doctor", describes: "what `doctor` saw", make: schema_of::<DoctorDocument> },
    Schema { name: "export", describes: "what `export` did", make: schema_of::<ExportDocument> },
    Schema { name: "history", describes: "the runs that `history` lists", make: schema_of::<HistoryDocument> },
    Schema { name: "init", describes: "what `init` wrote", make: schema_of::<InitDocument> },
    Schema { name: "list", describes: "what `list` found on a portal", make: schema_of::<ListDocument> },
    Schema { name: "log", describes: "what `log` found or did", make: schema_of::<LogDocument> },
    Schema { name: "manifest", describes: "brand.yaml, for editors", make: manifest::schema },
    Schema {
        name: "plan",
        describes: "a plan, and what became of it: plan, apply, drift, restore, show",
        make: schema_of::<Document>,
    },
    Schema {
        name: "portal",
        describes: "portal.json, an export's snapshot of a portal",
        make: schema_of::<SnapshotDocument>,
    },
    Schema { name: "rules", describes: "the art rules that `rules` explains", make: schema_of::<RulesDocument> },
    Schema {
        name: "usage",
        describes: "which log entries name a code, from `usage`",
        make: schema_of::<UsageDocument>,
    },
    Schema { name: "validate", describes: "what `validate` found", make: schema_of::<ValidationDocument> },
];

fn schema_of<T: JsonSchema>() -> serde_json::Value {
    schemars::generate::SchemaSettings::draft07().into_generator().into_root_schema_for::<T>().to_value()
}

/// The published schema of that name.
pub fn of(name: &str) -> Option<serde_json::Value> {
    SCHEMAS.iter().find(|schema| schema.name == name).map(|schema| (schema.make)())
}

/// A schema as its file has it.
pub(crate) fn text(schema: &serde_json::Value) -> serde_json::Result<String> {
    Ok(serde_json::to_string_pretty(schema)? + "\n")
}

/// The list of schemas for people, a line each.
pub(crate) fn list() -> String {
    let width = SCHEMAS.iter().map(|schema| schema.name.len()).max().unwrap_or(0);
    let lines =
        SCHEMAS.iter().map(|Schema { name, describes, .. }| format!("{BOLD}{name:width$}{BOLD:#}  {describes}\n"));
    lines.collect::<String>() + "\n`brandctl schema NAME` prints one.\n"
}

/// The same as a JSON object of names and what they describe.
pub(crate) fn names() -> serde_json::Result<String> {
    let names: serde_json::Map<_, _> =
        SCHEMAS.iter().map(|schema| (schema.name.to_owned(), schema.describes.into())).collect();
    Ok(serde_json::to_string_pretty(&names)? + "\n")
}
