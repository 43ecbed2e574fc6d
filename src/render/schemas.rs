//! The published schemas.

use std::fmt::Write as _;

use anstyle::Style;

use crate::domain::schemas::Schema;

const BOLD: Style = Style::new().bold();

/// A schema as its file has it.
///
/// # Errors
/// When it cannot be written as JSON, which no schema can cause.
pub fn text(schema: &Schema) -> serde_json::Result<String> {
    Ok(serde_json::to_string_pretty(&(schema.make)())? + "\n")
}

/// What there is, as a JSON object of names and what they describe.
///
/// # Errors
/// As [`text`].
pub fn names(schemas: &[Schema]) -> serde_json::Result<String> {
    let names: serde_json::Map<_, _> =
        schemas.iter().map(|schema| (schema.name.to_owned(), schema.describes.into())).collect();
    Ok(serde_json::to_string_pretty(&names)? + "\n")
}

/// What there is, a line each.
#[must_use]
pub fn list(schemas: &[Schema]) -> String {
    let width = schemas.iter().map(|schema| schema.name.len()).max().unwrap_or(0);
    let mut text = String::new();
    for schema in schemas {
        let _ = writeln!(text, "{BOLD}{:width$}{BOLD:#}  {}", schema.name, schema.describes);
    }
    text.push_str("\n`brandctl schema NAME` prints one.\n");
    text
}
