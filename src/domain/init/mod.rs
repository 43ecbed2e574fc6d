//! A new branding repository: all its files, made from a few answers. They pass `validate` without a finding.
//! The CI files are made from the templates in this folder, with the answers in the places marked by `@…@`.

mod answers;
mod ci;
mod manifest;
#[cfg(test)]
mod tests;
mod tool;

use std::collections::BTreeMap;
use std::sync::Arc;

use super::asset::{Address, Kind};
use super::export::SCHEMA;
use super::finding::Finding;
use super::report::ExportReport;
use ci::CiAnswers;

pub(crate) use super::export::MANIFEST;
pub(crate) use answers::{FolderInGit, Owned, PinnedPortal, pattern};
pub(crate) use ci::CiSystem;
pub(crate) use tool::Tool;

/// The paths that Git should ignore: the state folder, and what the CI files write.
const GITIGNORE: &[&str] = &[".brandctl/", "/brandctl-out/", "/plan.*", "/apply.*", "/drift.*", "/validate.*"];

/// The answers from which a branding repository is made.
#[derive(Debug, Clone)]
pub(crate) struct InitAnswers {
    /// What the manifest declares.
    pub(crate) brand: Brand,
    /// The portal that it is for; `None`: any.
    pub(crate) portal: Option<PinnedPortal>,
    /// The CI system that runs it; `None`: none that brandctl knows.
    pub(crate) ci: Option<CiSystem>,
    /// Where that system installs brandctl from; `None`: it has it.
    pub(crate) tool: Option<Tool>,
    /// Its folder in its Git repository.
    pub(crate) folder: FolderInGit,
}

/// A manifest and the art that it declares.
#[derive(Debug, Clone)]
#[expect(clippy::large_enum_variant, reason = "there is one of it")]
pub(crate) enum Brand {
    /// Sample art for these codes.
    Samples(Owned),
    /// The entries of a portal: the files of an export, by their paths in the folder.
    Exported(Vec<(String, Arc<[u8]>)>),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum FileContent {
    /// The whole of a file that does not exist yet.
    New(Vec<u8>),
    /// Lines that a file must have; those that it lacks are added at its end.
    Lines(&'static [&'static str]),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct WrittenFile {
    /// Its path from the root, with `/`.
    pub(crate) path: String,
    pub(crate) change: FileChange,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FileChange {
    Created,
    /// It got lines that it lacked.
    Extended,
    /// It already had every line.
    Unchanged,
}

/// The result of `init`.
#[derive(Debug, Clone, Default)]
pub(crate) struct InitReport {
    /// Where the files' paths begin: the root of the Git repository, or the branding repository itself outside of one.
    pub(crate) root: Option<String>,
    /// The manifest, as the user would name it.
    pub(crate) manifest: String,
    /// The CI system whose file was written.
    pub(crate) ci: Option<CiSystem>,
    /// Whether that file installs brandctl, so that its machine need not have it.
    pub(crate) installs: bool,
    /// The export, if it begins with the entries of a portal.
    pub(crate) export: Option<ExportReport>,
    /// Every file, sorted; none if it failed.
    pub(crate) files: Vec<WrittenFile>,
    /// Why nothing was written, or what could not be exported.
    pub(crate) findings: Vec<Finding>,
}

/// Every file, by its path from the root of the Git repository, with `/`.
pub(crate) fn files(answers: &InitAnswers) -> BTreeMap<String, FileContent> {
    let prefix = answers.folder.prefix();
    let inside = answers
        .brand
        .files(answers.portal.as_ref())
        .into_iter()
        .chain(surroundings())
        .map(|(name, content)| (format!("{prefix}{name}"), content));
    let InitAnswers { portal, tool, folder, .. } = answers;
    let asked = CiAnswers { manifest: MANIFEST, folder, portal: portal.as_ref(), tool: tool.as_ref() };
    let text = |system| ci::text(system, asked);
    let ci = answers.ci.map(|system| (system.path().to_owned(), new(text(system))));
    inside.chain(ci).collect()
}

impl Brand {
    /// The manifest, and the art that it declares. An export names its portal itself.
    fn files(&self, portal: Option<&PinnedPortal>) -> Vec<(String, FileContent)> {
        match self {
            Self::Samples(owns) => {
                let manifest = manifest::text(owns, portal, SCHEMA);
                let art = owns
                    .samples()
                    .into_iter()
                    .map(|Address { kind, code }| (format!("{}/{code}.png", kind.plural()), new(sample(kind))));
                std::iter::once((MANIFEST.to_owned(), new(manifest))).chain(art).collect()
            }
            Self::Exported(files) => files.iter().map(|(path, bytes)| (path.clone(), new(&**bytes))).collect(),
        }
    }
}

/// The files that go with any manifest.
fn surroundings() -> [(String, FileContent); 2] {
    let schema = format!("{:#}\n", super::manifest::schema());
    [(SCHEMA.to_owned(), new(schema)), (".gitignore".to_owned(), FileContent::Lines(GITIGNORE))]
}

fn new(bytes: impl Into<Vec<u8>>) -> FileContent {
    FileContent::New(bytes.into())
}

/// The sample art; its source drawing is in the same folder.
fn sample(kind: Kind) -> &'static [u8] {
    match kind {
        Kind::Icon => include_bytes!("sample-icon.png"),
        Kind::Logo => include_bytes!("sample-logo.png"),
    }
}
