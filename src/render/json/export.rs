//! The published form of what `export` did.

use schemars::JsonSchema;
use serde::Serialize;

use crate::domain::asset::{Code, Digest, Kind};
use crate::domain::export::{ExportItem, ExportOutcome, ExportedFile};
use crate::domain::report::ExportReport;

/// What was exported.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(title = "brandctl export", deny_unknown_fields)]
pub(crate) struct ExportDocument {
    /// The folder that was written to.
    pub(crate) folder: String,
    /// The files that were written, relative to the folder; none if something prevented it.
    pub(crate) files: Vec<String>,
    /// The custom entries of the portal by kind and code.
    pub(crate) entries: Vec<ExportedDocument>,
    /// Counts.
    pub(crate) summary: ExportSummary,
}

/// One entry of the portal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub(crate) struct ExportedDocument {
    /// Icon or logo.
    pub(crate) kind: Kind,
    /// Its code, spelt as the portal spells it.
    pub(crate) code: Code,
    /// The outcome.
    pub(crate) became: Became,
    /// The file of its image, relative to the folder; null without one.
    pub(crate) file: Option<String>,
    /// The SHA-256 of that file.
    pub(crate) sha256: Option<Digest>,
    /// Why it is not declared; null if it is, or was not selected.
    pub(crate) why: Option<String>,
}

/// The outcome for an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Became {
    /// The manifest declares it.
    Declared,
    /// The manifest ignores it, because the rules would refuse it; its image is kept.
    SetAside,
    /// Its image could not be fetched; the manifest ignores it.
    Unfetched,
    /// It was not selected.
    LeftOut,
}

/// Counts of custom entries.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub(crate) struct ExportSummary {
    /// Declared.
    pub(crate) declared: usize,
    /// Ignored, with their images kept.
    pub(crate) set_aside: usize,
    /// Ignored, because their images could not be fetched.
    pub(crate) unfetched: usize,
    /// Not selected.
    pub(crate) left_out: usize,
}

impl From<&ExportReport> for ExportDocument {
    fn from(report: &ExportReport) -> Self {
        let entries: Vec<_> = report.items.iter().map(ExportedDocument::from).collect();
        let count = |became| entries.iter().filter(|entry| entry.became == became).count();
        Self {
            folder: report.folder.clone(),
            files: report.written.clone(),
            summary: ExportSummary {
                declared: count(Became::Declared),
                set_aside: count(Became::SetAside),
                unfetched: count(Became::Unfetched),
                left_out: count(Became::LeftOut),
            },
            entries,
        }
    }
}

impl From<&ExportItem> for ExportedDocument {
    fn from(ExportItem { address, outcome }: &ExportItem) -> Self {
        let (became, file, why) = match outcome {
            ExportOutcome::Declared(file) => (Became::Declared, Some(file), None),
            ExportOutcome::SetAside(file, why) => (Became::SetAside, Some(file), Some(why)),
            ExportOutcome::Unfetched(why) => (Became::Unfetched, None, Some(why)),
            ExportOutcome::LeftOut => (Became::LeftOut, None, None),
        };
        let (file, sha256) = file.map(|ExportedFile { path, sha256 }| (path.clone(), *sha256)).unzip();
        Self { kind: address.kind, code: address.code.clone(), became, file, sha256, why: why.cloned() }
    }
}
