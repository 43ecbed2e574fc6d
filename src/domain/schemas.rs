//! The JSON schemas that brandctl publishes: of the manifest, and of what each command prints as JSON.

use super::{document, manifest};

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
    Schema { name: "doctor", describes: "what `doctor` saw", make: document::doctor_schema },
    Schema { name: "export", describes: "what `export` did", make: document::export_schema },
    Schema { name: "history", describes: "the runs that `history` lists", make: document::history_schema },
    Schema { name: "init", describes: "what `init` wrote", make: document::init_schema },
    Schema { name: "list", describes: "what `list` found on a portal", make: document::list_schema },
    Schema { name: "log", describes: "what `log` found or did", make: document::log_schema },
    Schema { name: "manifest", describes: "brand.yaml, for editors", make: manifest::schema },
    Schema {
        name: "plan",
        describes: "a plan, and what became of it: plan, apply, drift, restore, show",
        make: document::schema,
    },
    Schema {
        name: "portal",
        describes: "portal.json, an export's snapshot of a portal",
        make: document::snapshot_schema,
    },
    Schema { name: "rules", describes: "the art rules that `rules` explains", make: document::rules_schema },
    Schema { name: "usage", describes: "which log entries name a code, from `usage`", make: document::usage_schema },
    Schema { name: "validate", describes: "what `validate` found", make: document::validation_schema },
];
