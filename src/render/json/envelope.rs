//! The envelope of every printed document: how the command went, before its results, and the findings, after them.

use std::borrow::Cow;
use std::time::Duration;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::Serialize;
use serde_json::{Map, Value};

use super::pretty;
use crate::domain::finding::Finding;
use crate::format::{FindingDocument, Tool};

/// The version of the documents that are printed. Files that are read back have versions of their own.
pub(super) const PRINTED_VERSION: u32 = 2;

/// The command that prints a document, and how it went.
#[derive(Debug, Clone)]
pub struct Invoked {
    /// The command, as the user types it; `None` if the line names none.
    pub command: Option<String>,
    /// When it began, in RFC 3339.
    pub started: String,
    /// For how long it has been running.
    pub elapsed: Duration,
    /// How the process ends, as far as that is decided.
    pub exit_code: u8,
}

/// A document `D` in its envelope.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Printed<D> {
    #[serde(flatten)]
    header: Header,
    #[serde(flatten)]
    body: D,
    #[serde(flatten)]
    footer: Footer,
}

/// The beginning of a document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
struct Header {
    /// The version of this format.
    #[schemars(extend("const" = PRINTED_VERSION))]
    format_version: u32,
    /// The program that printed this.
    tool: Tool,
    /// The command, such as `plan` or `log add`; null when the command line names none.
    command: Option<String>,
    /// The portal's host, or the sandbox's identity, also when it could not be reached; null when there is none.
    portal: Option<String>,
    /// When the command began, in RFC 3339.
    started: String,
    /// How many milliseconds it took until this was printed.
    elapsed_ms: u64,
    /// The exit code of the process. In a file of `--report`, the code before outputs were written: if a report cannot be
    /// written, the code is 1 on standard output only.
    exit_code: u8,
    /// Whether the command did what it is for: the exit code is 0, or 2, which means that changes are pending.
    ok: bool,
}

/// The end of a document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
struct Footer {
    /// The findings: a code that is missing on the portal first, then errors, then warnings. Those of `validate` are
    /// sorted by file instead.
    findings: Vec<FindingDocument>,
}

/// The order of the findings in a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FindingOrder {
    /// The worst first.
    Worst,
    /// As they were found.
    Found,
}

impl<D> Printed<D> {
    pub(crate) fn new(
        header: &Invoked,
        portal: Option<&str>,
        body: D,
        findings: &[Finding],
        order: FindingOrder,
    ) -> Self {
        let Invoked { command, started, elapsed, exit_code } = header.clone();
        let header = Header {
            format_version: PRINTED_VERSION,
            tool: Tool::this(),
            command,
            portal: portal.map(str::to_owned),
            started,
            elapsed_ms: u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX),
            exit_code,
            ok: matches!(exit_code, 0 | 2),
        };
        let mut findings: Vec<_> = findings.iter().collect();
        if order == FindingOrder::Worst {
            findings.sort_by_key(|finding| (finding.rule != "missing", finding.severity));
        }
        let footer = Footer { findings: findings.into_iter().map(FindingDocument::from).collect() };
        Self { header, body, footer }
    }
}

/// Makes the document `D` to print, such as `print::<ListDocument>(&header, portal, &list, &list.findings)`.
pub fn print<D: Serialize>(
    header: &Invoked,
    portal: Option<&str>,
    shown: impl Into<D>,
    findings: &[Finding],
) -> serde_json::Result<String> {
    pretty(&Printed::new(header, portal, shown.into(), findings, FindingOrder::Worst))
}

impl<D: JsonSchema> JsonSchema for Printed<D> {
    fn schema_name() -> Cow<'static, str> {
        D::schema_name()
    }

    fn schema_id() -> Cow<'static, str> {
        format!("{}::Printed<{}>", module_path!(), D::schema_id()).into()
    }

    /// One object with the properties of all three parts: a document with any other is not valid.
    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let parts = [Header::json_schema(generator), D::json_schema(generator), Footer::json_schema(generator)];
        let mut whole = parts.get(1).and_then(Schema::as_object).cloned().unwrap_or_default();
        let (mut properties, mut required) = (Map::new(), Vec::new());
        for part in &parts {
            properties.extend(part.get("properties").and_then(Value::as_object).cloned().unwrap_or_default());
            required.extend(part.get("required").and_then(Value::as_array).cloned().unwrap_or_default());
        }
        whole.insert("properties".to_owned(), properties.into());
        whole.insert("required".to_owned(), required.into());
        whole.into()
    }
}
