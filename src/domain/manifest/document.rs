//! The manifest as a document: its JSON Schema, from which editors complete and check.
//!
//! These types are never read into: a manifest is read by `meaning`, which knows places and says more. Tests hold the
//! two against each other.

use std::collections::BTreeMap;

use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde_json::{Map, Value, json};

use super::checks::{RULE_IDS, UNYIELDING_RULES};
use super::{Level, VERSION};

/// The JSON Schema of a manifest, draft 7, as editors want it.
#[must_use]
pub fn schema() -> Value {
    let settings = SchemaSettings::draft07().with(|settings| settings.inline_subschemas = true);
    settings.into_generator().into_root_schema_for::<ManifestDocument>().to_value()
}

/// What a branding repository declares: the custom timeline icons and logos of a Bitrix24 portal.
#[derive(Debug, JsonSchema)]
#[schemars(deny_unknown_fields, title = "brandctl manifest")]
pub struct ManifestDocument {
    /// The version of this format.
    #[schemars(schema_with = "version")]
    pub version: u32,
    /// The only portal, or portals, that this manifest may be applied to. Any when absent.
    #[schemars(schema_with = "portal")]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub portal: Option<Vec<String>>,
    /// The codes that this manifest is the source of truth for, as globs. `icon/…` or `logo/…` narrows one to a kind.
    #[schemars(schema_with = "owned")]
    pub owns: Vec<String>,
    /// The icons, 24×24 pixels: code and path, or a folder. Not managed when absent; `{}` owns none.
    #[schemars(schema_with = "icons")]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub icons: Option<BTreeMap<String, EntryDocument>>,
    /// The logos, 60×60 pixels: code and path, or a folder. Not managed when absent; `{}` owns none.
    #[schemars(schema_with = "logos")]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub logos: Option<BTreeMap<String, EntryDocument>>,
    /// Entries that are never deleted or replaced, declared or not, as globs.
    #[schemars(schema_with = "protected")]
    #[serde(default)]
    pub protect: Vec<String>,
    /// Entries that are left alone although owned, as globs.
    #[schemars(schema_with = "ignored")]
    #[serde(default)]
    pub ignore: Vec<String>,
    /// How far a run may go.
    #[schemars(with = "PolicyDocument")]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy: Option<PolicyDocument>,
    /// How bad findings of the art rules are.
    #[schemars(schema_with = "rules")]
    #[serde(default)]
    pub rules: BTreeMap<String, String>,
}

/// How far a run may go.
#[derive(Debug, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct PolicyDocument {
    /// Delete owned entries that are not declared. Default: true; to be written out when `owns` matches every code.
    #[schemars(with = "bool")]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prune: Option<bool>,
    /// How many deletes one run may do. Default: 10 or half of the owned entries of the kind, the less, at least 1.
    #[schemars(schema_with = "max_deletes")]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_deletes: Option<u32>,
}

/// An entry that is written as a mapping.
#[derive(Debug, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct EntryDocument {
    /// The PNG, relative to the manifest's folder.
    #[schemars(schema_with = "file")]
    pub file: String,
}

/// The characters of a code: 1 to 255 printable ones of ASCII, no `$`, no space at either end.
const CODE: &str = "^[!-#%-~]([ -#%-~]{0,253}[!-#%-~])?$";

fn version(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": "integer", "const": VERSION, "default": VERSION })
}

fn host() -> Value {
    json!({ "type": "string", "pattern": "^[^\\s/@?=#*,]+$", "examples": ["acme.bitrix24.com"] })
}

fn portal(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "oneOf": [host(), { "type": "array", "items": host(), "minItems": 1 }] })
}

fn patterns() -> Map<String, Value> {
    let pattern = json!({ "type": "string", "pattern": "^(?!icons/|logos/|icon/$|logo/$)", "minLength": 1 });
    Map::from_iter([("type".to_owned(), json!("array")), ("items".to_owned(), pattern)])
}

fn owned(_: &mut SchemaGenerator) -> Schema {
    let mut schema = patterns();
    schema.insert("minItems".to_owned(), json!(1));
    schema.insert("examples".to_owned(), json!([["acme-*"]]));
    schema.into()
}

fn protected(_: &mut SchemaGenerator) -> Schema {
    let mut schema = patterns();
    schema.insert("examples".to_owned(), json!([["logo/acme-brand*"]]));
    schema.into()
}

fn ignored(_: &mut SchemaGenerator) -> Schema {
    let mut schema = patterns();
    schema.insert("examples".to_owned(), json!([["icon/acme-lab-*"]]));
    schema.into()
}

fn path(description: &str, example: &str) -> Value {
    json!({
        "type": "string",
        "description": description,
        "pattern": "^(?![A-Za-z]:)(?!\\.\\.(/|$))[^/\\\\][^\\\\]*$",
        "examples": [example]
    })
}

fn file(_: &mut SchemaGenerator) -> Schema {
    json_schema!({
        "type": "string",
        "pattern": "^(?![A-Za-z]:)(?!\\.\\.(/|$))[^/\\\\][^\\\\]*(?<!/)$",
        "examples": ["icons/call.png"]
    })
}

fn section(generator: &mut SchemaGenerator, plural: &str, example: &str) -> Schema {
    let mut short = file(generator).to_value();
    if let Some(short) = short.as_object_mut() {
        short.insert("description".to_owned(), json!("The PNG, relative to the manifest's folder."));
    }
    json_schema!({
        "oneOf": [
            {
                "type": "object",
                "description": "Every code with its file.",
                "propertyNames": { "pattern": CODE },
                "additionalProperties": {
                    "oneOf": [
                        short,
                        generator.subschema_for::<EntryDocument>(),
                        { "type": "null", "description": format!("The file is {plural}/<code>.png.") }
                    ]
                },
                "examples": [{ example: format!("{plural}/{example}.png") }]
            },
            path("A folder: every *.png in it is declared, and its code is the file's stem.", &format!("{plural}/"))
        ]
    })
}

fn icons(generator: &mut SchemaGenerator) -> Schema {
    section(generator, "icons", "acme-call")
}

fn logos(generator: &mut SchemaGenerator) -> Schema {
    section(generator, "logos", "acme-brand")
}

fn max_deletes(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": "integer", "minimum": 0, "maximum": u32::MAX, "examples": [10] })
}

fn rules(_: &mut SchemaGenerator) -> Schema {
    let every = Level::ALL.map(Level::name);
    let properties: Map<String, Value> = RULE_IDS
        .iter()
        .map(|id| {
            let levels: &[&str] = if UNYIELDING_RULES.contains(id) { &[Level::Error.name()] } else { &every };
            ((*id).to_owned(), json!({ "type": "string", "enum": levels }))
        })
        .collect();
    json_schema!({
        "type": "object",
        "properties": properties,
        "additionalProperties": false,
        "examples": [{ "low-contrast": "off" }]
    })
}
