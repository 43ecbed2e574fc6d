//! The manifest as a document: its JSON Schema, from which editors complete and check.
//!
//! These types are never parsed: `meaning` reads a manifest, because it knows places and reports more. Tests compare
//! the two.

use std::collections::BTreeMap;

use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde_json::{Map, Value, json};

use crate::domain::rulebook::RULES;

use super::{Level, VERSION};
use crate::domain::rulebook::{FIXED_RULES, RULE_IDS};
use crate::domain::schema::identified;

/// The title of the schema.
pub(super) const TITLE: &str = "brandctl manifest";

/// The JSON Schema of a manifest, draft 7, as editors want it.
pub(crate) fn schema() -> Value {
    let settings = SchemaSettings::draft07().with(|settings| settings.inline_subschemas = true);
    let mut schema = settings.into_generator().into_root_schema_for::<ManifestDocument>().to_value();
    mark_down(&mut schema);
    identified(schema, "manifest", VERSION)
}

/// Editors show a description as plain text, backticks and all; they show this property as Markdown.
fn mark_down(schema: &mut Value) {
    match schema {
        Value::Object(members) => {
            if let Some(Value::String(text)) = members.get("description") {
                let text = json!(text);
                members.insert("markdownDescription".to_owned(), text);
            }
            members.values_mut().for_each(mark_down);
        }
        Value::Array(items) => items.iter_mut().for_each(mark_down),
        _ => {}
    }
}

/// What a branding repository declares: the custom timeline icons and logos of a Bitrix24 portal.
#[derive(Debug, JsonSchema)]
#[schemars(deny_unknown_fields, title = TITLE)]
#[expect(dead_code, reason = "only its schema is used")]
pub(crate) struct ManifestDocument {
    /// The version of this format.
    #[schemars(title = "Version", schema_with = "version")]
    pub(crate) version: u32,
    /// The only portal, or portals, that this manifest may be applied to. Any when absent.
    #[schemars(title = "Portal", schema_with = "portal")]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) portal: Option<Vec<String>>,
    /// Globs of the codes that this manifest is the source of truth for. `icon/` or `logo/` narrows one to a kind.
    #[schemars(title = "Owned codes", schema_with = "owned")]
    pub(crate) owns: Vec<String>,
    /// The icons, 24×24 pixels: code and path, or a folder. Without it, icons are not managed; `{}` declares none.
    #[schemars(title = "Icons", schema_with = "icons")]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) icons: Option<BTreeMap<String, EntryDocument>>,
    /// The logos, 60×60 pixels: code and path, or a folder. Without it, logos are not managed; `{}` declares none.
    #[schemars(title = "Logos", schema_with = "logos")]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) logos: Option<BTreeMap<String, EntryDocument>>,
    /// Globs of entries that are never deleted or replaced, declared or not.
    #[schemars(title = "Protected entries", schema_with = "protected")]
    #[serde(default)]
    pub(crate) protect: Vec<String>,
    /// Globs of owned entries that brandctl leaves alone.
    #[schemars(title = "Ignored entries", schema_with = "ignored")]
    #[serde(default)]
    pub(crate) ignore: Vec<String>,
    /// Limits for a run.
    #[schemars(title = "Policy", with = "PolicyDocument")]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) policy: Option<PolicyDocument>,
    /// The level of each art rule.
    #[schemars(title = "Art rules", schema_with = "rules")]
    #[serde(default)]
    pub(crate) rules: BTreeMap<String, String>,
}

/// Limits for a run.
#[derive(Debug, JsonSchema)]
#[schemars(deny_unknown_fields)]
#[expect(dead_code, reason = "only its schema is used")]
pub(crate) struct PolicyDocument {
    /// Delete owned entries that are not declared. Default: true; required when `owns` matches every code.
    #[schemars(title = "Delete what is not declared", with = "bool")]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) prune: Option<bool>,
    /// The most deletes of each kind in one run. Default: 10, or half of its owned entries if less, but at least 1.
    #[schemars(title = "Maximum number of deletes", schema_with = "max_deletes")]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) max_deletes: Option<u32>,
}

/// An entry, written as a mapping.
#[derive(Debug, JsonSchema)]
#[schemars(deny_unknown_fields)]
#[expect(dead_code, reason = "only its schema is used")]
pub(crate) struct EntryDocument {
    /// The PNG, relative to the manifest's folder.
    #[schemars(title = "File", schema_with = "file")]
    pub(crate) file: String,
}

/// The characters of a code: 1 to 255 printable ones of ASCII, no `$`, no space at either end.
const CODE: &str = "^[!-#%-~]([ -#%-~]{0,253}[!-#%-~])?$";

const CODE_IS: &str =
    "brandctl handles codes of 1 to 255 printable ASCII characters, without $ and without a space at either end";

const PATH: &str = "Write a path relative to the manifest's folder, with / between folders";

fn version(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": "integer", "const": VERSION, "default": VERSION })
}

fn host() -> Value {
    json!({
        "type": "string",
        "pattern": "^[^\\s/@?=#*,]+$",
        "patternErrorMessage": "Write only the portal's host, for example acme.bitrix24.com",
        "examples": ["acme.bitrix24.com"]
    })
}

fn portal(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "oneOf": [host(), { "type": "array", "items": host(), "minItems": 1 }] })
}

fn pattern() -> Value {
    json!({
        "type": "string",
        "pattern": "^(?!(?!(icon|logo)/)[iI][cC][oO][nN][sS]?/|(?!(icon|logo)/)[lL][oO][gG][oO][sS]?/|(icon|logo)/$)",
        "patternErrorMessage": "To narrow a pattern to one kind, write icon/… or logo/…, with at least one character after the slash",
        "minLength": 1
    })
}

fn owned(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": "array", "items": pattern(), "minItems": 1, "examples": [["acme-*"]] })
}

fn protected(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": "array", "items": pattern(), "examples": [["logo/acme-brand*"]] })
}

fn ignored(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": "array", "items": pattern(), "examples": [["icon/acme-lab-*"]] })
}

fn path(description: &str, example: &str) -> Value {
    json!({
        "type": "string",
        "description": description,
        "pattern": "^(?![A-Za-z]:)[^/\\\\][^\\\\]*$",
        "patternErrorMessage": PATH,
        "examples": [example]
    })
}

fn file(_: &mut SchemaGenerator) -> Schema {
    json_schema!({
        "type": "string",
        "pattern": "^(?![A-Za-z]:)[^/\\\\][^\\\\]*(?<!/)(?<!(^|/)\\.\\.)$",
        "patternErrorMessage": PATH,
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
                "propertyNames": { "pattern": CODE, "patternErrorMessage": CODE_IS },
                "additionalProperties": {
                    "oneOf": [
                        short,
                        generator.subschema_for::<EntryDocument>(),
                        { "type": "null", "description": format!("The file is {plural}/<code>.png.") }
                    ]
                },
                "examples": [{ example: format!("{plural}/{example}.png") }]
            },
            path("A folder: every *.png in it is declared, and its code is the file name without .png.", &format!("{plural}/"))
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

/// The text that an editor shows for a rule, and for each level that it may have.
fn rule(id: &str) -> Value {
    let description = RULES.iter().find(|rule| rule.id == id).map_or_else(
        || "The level of this rule's findings.".to_owned(),
        |rule| format!("Why: {}. Fix: {}. Default: {}.", rule.why, rule.fix, rule.default.name()),
    );
    let levels: &[Level] = if FIXED_RULES.contains(&id) { &[Level::Error] } else { &Level::ALL };
    let names: Vec<_> = levels.iter().map(|level| level.name()).collect();
    let meanings: Vec<_> = levels.iter().map(|level| meaning(*level)).collect();
    json!({ "type": "string", "title": id, "description": description, "enum": names, "enumDescriptions": meanings })
}

const fn meaning(level: Level) -> &'static str {
    match level {
        Level::Error => "Nothing is written until it is fixed.",
        Level::Warn => "Reported. It does not stop the command, unless warnings are denied.",
        Level::Off => "Not checked.",
    }
}

fn rules(_: &mut SchemaGenerator) -> Schema {
    let properties: Map<String, Value> = RULE_IDS.iter().map(|id| ((*id).to_owned(), rule(id))).collect();
    json_schema!({
        "type": "object",
        "properties": properties,
        "additionalProperties": false,
        "examples": [{ "low-contrast": "off" }]
    })
}
