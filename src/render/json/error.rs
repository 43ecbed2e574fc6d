//! The published form of an error, if no command has a document for it.

use schemars::JsonSchema;
use serde::Serialize;

/// A command line that names no command, or one that does not print JSON.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(title = "brandctl error", deny_unknown_fields)]
pub(crate) struct ErrorDocument {}
