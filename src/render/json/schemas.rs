//! The JSON schemas that brandctl publishes: of the manifest, of the files that are read back, and of what each command
//! prints as JSON.

use schemars::JsonSchema;

use serde::Serialize;

use super::envelope::{PRINTED_VERSION, Printed};
use super::plan::PlanFormats;
use super::validation::ValidationDocument;
use super::{
    DoctorDocument, ErrorDocument, ExportDocument, HistoryDocument, InitDocument, ListDocument, LogDocument,
    RulesDocument, SandboxDocument, UsageDocument,
};
use crate::domain::manifest;
use crate::domain::schema::identified;
use crate::format::{FORMAT_VERSION, SnapshotDocument};
use crate::render::style::BOLD;

/// One published schema.
pub struct Schema {
    /// Its name for `brandctl schema`: `schema/<name>.schema.json` is its file.
    pub name: &'static str,
    /// The version of the format that it describes; the newest if it describes several.
    pub version: u32,
    /// What it describes, in one clause.
    pub describes: &'static str,
    make: fn() -> serde_json::Value,
}

impl Schema {
    /// The schema of what a command prints.
    const fn printed<D>(name: &'static str, describes: &'static str) -> Self
    where
        Printed<D>: JsonSchema,
    {
        Self { name, version: PRINTED_VERSION, describes, make: schema_of::<Printed<D>> }
    }

    /// Makes it, from the types.
    pub fn schema(&self) -> serde_json::Value {
        identified((self.make)(), self.name, self.version)
    }
}

/// Every published schema, sorted by name.
pub const SCHEMAS: &[Schema] = &[
    Schema::printed::<DoctorDocument>("doctor", "the checks of `doctor`"),
    Schema::printed::<ErrorDocument>("error", "an error of a command line that names no command, or one without JSON"),
    Schema::printed::<ExportDocument>("export", "what `export` did"),
    Schema::printed::<HistoryDocument>("history", "the runs that `history` lists"),
    Schema::printed::<InitDocument>("init", "what `init` wrote"),
    Schema::printed::<ListDocument>("list", "what `list` found on a portal"),
    Schema::printed::<LogDocument>("log", "what `log` found or did"),
    Schema {
        name: "manifest",
        version: manifest::VERSION,
        describes: "brand.yaml, for editors",
        make: manifest::schema,
    },
    Schema {
        name: "plan",
        version: PRINTED_VERSION,
        describes: "a plan, and its outcome: plan, apply, drift, restore, show",
        make: schema_of::<PlanFormats>,
    },
    Schema {
        name: "portal",
        version: FORMAT_VERSION,
        describes: "portal.json, an export's snapshot of a portal",
        make: schema_of::<SnapshotDocument>,
    },
    Schema::printed::<RulesDocument>("rules", "the art rules that `rules` explains"),
    Schema::printed::<SandboxDocument>("sandbox", "what `sandbox` prints once it listens"),
    Schema::printed::<SchemasDocument>("schema", "the list that `schema` prints"),
    Schema::printed::<UsageDocument>("usage", "which log entries name a code, from `usage`"),
    Schema::printed::<ValidationDocument>("validate", "what `validate` found"),
];

fn schema_of<T: JsonSchema>() -> serde_json::Value {
    schemars::generate::SchemaSettings::draft07().into_generator().into_root_schema_for::<T>().to_value()
}

/// The published schema of that name.
pub fn of(name: &str) -> Option<serde_json::Value> {
    SCHEMAS.iter().find(|schema| schema.name == name).map(Schema::schema)
}

/// A schema as its file has it.
pub(crate) fn text(schema: &serde_json::Value) -> serde_json::Result<String> {
    Ok(serde_json::to_string_pretty(schema)? + "\n")
}

/// The list of schemas for people, a line for each.
pub(crate) fn list() -> String {
    let width = SCHEMAS.iter().map(|schema| schema.name.len()).max().unwrap_or(0);
    let lines =
        SCHEMAS.iter().map(|Schema { name, describes, .. }| format!("{BOLD}{name:width$}{BOLD:#}  {describes}\n"));
    lines.collect::<String>() + "\n`brandctl schema NAME` prints one.\n"
}

/// The published schemas.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(title = "brandctl schema", deny_unknown_fields)]
pub(crate) struct SchemasDocument {
    /// Every schema, sorted by name.
    pub(crate) schemas: Vec<SchemaDocument>,
}

/// One schema.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(rename = "NamedSchema", deny_unknown_fields)]
pub(crate) struct SchemaDocument {
    /// Its name: `brandctl schema NAME` prints it.
    pub(crate) name: &'static str,
    /// What it describes, in one clause.
    pub(crate) describes: &'static str,
}

impl Default for SchemasDocument {
    /// The list of all of them.
    fn default() -> Self {
        let schemas = SCHEMAS.iter().map(|Schema { name, describes, .. }| SchemaDocument { name, describes });
        Self { schemas: schemas.collect() }
    }
}
