//! The published schemas, for people.

use std::fmt::Write as _;

use super::json::schemas::SCHEMAS;
use super::style::BOLD;

/// The list of schemas, a line each.
pub fn list() -> String {
    let width = SCHEMAS.iter().map(|schema| schema.name.len()).max().unwrap_or(0);
    let mut text = String::new();
    for schema in SCHEMAS {
        let _ = writeln!(text, "{BOLD}{:width$}{BOLD:#}  {}", schema.name, schema.describes);
    }
    text.push_str("\n`brandctl schema NAME` prints one.\n");
    text
}
