//! The JSON schemas that brandctl publishes: of the manifest, of the files that are read back, and of what each command
//! prints as JSON.

use schemars::JsonSchema;

use serde::Serialize;

use super::envelope::Printed;
use super::plan::PlanFormats;
use super::validation::ValidationDocument;
use super::{
    DoctorDocument, ErrorDocument, ExportDocument, HistoryDocument, InitDocument, ListDocument, LogDocument,
    RulesDocument, SandboxDocument, UsageDocument,
};
use crate::domain::manifest;
use crate::format::SnapshotDocument;
use crate::render::style::BOLD;

/// One published schema.
pub struct Schema {
    /// Its name for `brandctl schema`: `schema/<name>.schema.json` is its file.
    pub name: &'static str,
    /// What it describes, in one clause.
    pub describes: &'static str,
    /// Makes it, from the types.
    pub make: fn() -> serde_json::Value,
}

/// Every published schema, sorted by name.
pub const SCHEMAS: &[Schema] = &[
    Schema { name: "doctor", describes: "the checks of `doctor`", make: schema_of::<Printed<DoctorDocument>> },
    Schema {
        name: "error",
        describes: "an error of a command line that names no command, or one without JSON",
        make: schema_of::<Printed<ErrorDocument>>,
    },
    Schema { name: "export", describes: "what `export` did", make: schema_of::<Printed<ExportDocument>> },
    Schema { name: "history", describes: "the runs that `history` lists", make: schema_of::<Printed<HistoryDocument>> },
    Schema { name: "init", describes: "what `init` wrote", make: schema_of::<Printed<InitDocument>> },
    Schema { name: "list", describes: "what `list` found on a portal", make: schema_of::<Printed<ListDocument>> },
    Schema { name: "log", describes: "what `log` found or did", make: schema_of::<Printed<LogDocument>> },
    Schema { name: "manifest", describes: "brand.yaml, for editors", make: manifest::schema },
    Schema {
        name: "plan",
        describes: "a plan, and its outcome: plan, apply, drift, restore, show",
        make: schema_of::<PlanFormats>,
    },
    Schema {
        name: "portal",
        describes: "portal.json, an export's snapshot of a portal",
        make: schema_of::<SnapshotDocument>,
    },
    Schema {
        name: "rules",
        describes: "the art rules that `rules` explains",
        make: schema_of::<Printed<RulesDocument>>,
    },
    Schema {
        name: "sandbox",
        describes: "what `sandbox` prints once it listens",
        make: schema_of::<Printed<SandboxDocument>>,
    },
    Schema { name: "schema", describes: "the list that `schema` prints", make: schema_of::<Printed<SchemasDocument>> },
    Schema {
        name: "usage",
        describes: "which log entries name a code, from `usage`",
        make: schema_of::<Printed<UsageDocument>>,
    },
    Schema { name: "validate", describes: "what `validate` found", make: schema_of::<Printed<ValidationDocument>> },
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
