//! The published form of what `init` wrote.

use schemars::JsonSchema;
use serde::Serialize;

use crate::domain::init::{self, InitReport, WrittenFile};
use crate::format::{FORMAT_VERSION, FindingDocument, Tool, plan::split, printed};

use super::export::ExportedDocument;

/// The files of a new branding repository.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(title = "brandctl init", deny_unknown_fields)]
pub(crate) struct InitDocument {
    /// The version of this format.
    pub(crate) format_version: u32,
    /// The program that wrote them.
    pub(crate) tool: Tool,
    /// Where the files' paths begin: the root of the Git repository, or the folder itself outside of one; null when it
    /// failed before that was known.
    pub(crate) root: Option<String>,
    /// The host of the portal that it was begun from, or the sandbox's identity; null when it was not, or not reached.
    pub(crate) portal: Option<String>,
    /// What became of each custom entry of that portal, by kind and code; empty without one.
    pub(crate) entries: Vec<ExportedDocument>,
    /// Every file, sorted: all are written, or none.
    pub(crate) files: Vec<WrittenDocument>,
    /// Why nothing was written; where files were, which entries are ignored because their images could not be fetched.
    pub(crate) errors: Vec<FindingDocument>,
}

impl From<&InitReport> for InitDocument {
    fn from(report: &InitReport) -> Self {
        // The rest is for people, who are told what to do next.
        let InitReport { root, export, files, findings, manifest: _, ci: _ } = report;
        let (errors, _) = split(findings);
        let items = export.iter().flat_map(|export| &export.items);
        Self {
            format_version: FORMAT_VERSION,
            tool: Tool::this(),
            root: root.clone(),
            portal: export.as_ref().and_then(|export| export.portal.clone()),
            entries: items.map(ExportedDocument::from).collect(),
            files: files.iter().map(WrittenDocument::from).collect(),
            errors,
        }
    }
}

/// A file that was written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(rename = "Written", deny_unknown_fields)]
pub(crate) struct WrittenDocument {
    /// Its path from the root, with `/`.
    pub(crate) path: String,
    /// What was done to it.
    pub(crate) change: FileChangeName,
}

impl From<&WrittenFile> for WrittenDocument {
    fn from(WrittenFile { path, change }: &WrittenFile) -> Self {
        Self { path: path.clone(), change: (*change).into() }
    }
}

printed! {
    /// What was done to a file.
    #[serde(rename_all = "lowercase")]
    #[schemars(rename = "Change")]
    FileChangeName = init::FileChange {
        /// It is new.
        Created,
        /// It got lines that it lacked.
        Extended,
        /// It had what it must have.
        Unchanged,
    }
}
