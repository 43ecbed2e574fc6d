//! The published form of what `init` wrote.

use schemars::JsonSchema;
use serde::Serialize;

use crate::domain::init::{self, InitReport, WrittenFile};
use crate::format::printed;

use super::export::ExportedDocument;

/// The files of a new branding repository.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(title = "brandctl init", deny_unknown_fields)]
pub(crate) struct InitDocument {
    /// The folder where the files' paths begin: the root of the Git repository, or the folder itself outside of one; null
    /// if `init` failed before that was known.
    pub(crate) root: Option<String>,
    /// The outcome for each custom entry of the portal that the repository starts with, by kind and code; empty without
    /// one.
    pub(crate) entries: Vec<ExportedDocument>,
    /// Every file, sorted: all are written, or none.
    pub(crate) files: Vec<WrittenDocument>,
}

impl From<&InitReport> for InitDocument {
    fn from(report: &InitReport) -> Self {
        // The rest is for people, who see the next steps.
        let InitReport { root, export, files, findings: _, manifest: _, ci: _, installs: _ } = report;
        let items = export.iter().flat_map(|export| &export.items);
        Self {
            root: root.clone(),
            entries: items.map(ExportedDocument::from).collect(),
            files: files.iter().map(WrittenDocument::from).collect(),
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
        /// It already had them.
        Unchanged,
    }
}
