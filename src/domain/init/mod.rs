//! A new branding repository: a few answers → every file that it begins with. What comes out passes `validate` without a
//! finding; the CI files are the templates beside this one, with the answers in the places that `@…@` marks.

mod answers;
mod ci;
mod manifest;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::Arc;

use schemars::JsonSchema;
use serde::Serialize;

use super::asset::{Address, Kind};
use super::finding::Finding;
use super::report::ExportReport;

pub use answers::{FolderInGit, Owned, Portal, pattern};
pub use ci::System;

/// The manifest's file.
pub const MANIFEST: &str = "brand.yaml";

/// What editors know of the manifest, beside it: they find it offline, and it is the one of the version that wrote it.
const SCHEMA: &str = "brand.schema.json";

/// What Git shall not keep: the state folder, and what the CI files write.
const IGNORED: &[&str] = &[".brandctl/", "/plan.*", "/apply.*", "/drift.*", "/validate.*"];

/// What a branding repository is begun with.
#[derive(Debug, Clone)]
pub struct Answers {
    /// What its manifest declares.
    pub brand: Brand,
    /// The portal that it is for; `None`: any.
    pub portal: Option<Portal>,
    /// Which CI system runs it; `None`: none that is known here.
    pub ci: Option<System>,
    /// Where it lies in its Git repository.
    pub folder: FolderInGit,
}

/// A manifest and the art that it declares.
#[derive(Debug, Clone)]
#[expect(clippy::large_enum_variant, reason = "there is one of it")]
pub enum Brand {
    /// Sample art for these codes.
    Samples(Owned),
    /// What a portal holds: the files of an export, by their paths in the folder.
    Exported(Vec<(String, Arc<[u8]>)>),
}

/// What is to be written to a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FileContent {
    /// The whole of a file that does not exist yet.
    New(Vec<u8>),
    /// Lines that a file must have; those of them that it lacks are added at its end.
    Lines(&'static [&'static str]),
}

/// A file that was written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Written {
    /// Its path from the root, with `/`.
    pub path: String,
    /// What was done to it.
    pub change: Change,
}

/// What was done to a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Change {
    /// It is new.
    Created,
    /// It got lines that it lacked.
    Extended,
    /// It had what it must have.
    Unchanged,
}

/// What `init` did, or why not.
#[derive(Debug, Clone, Default)]
pub struct Started {
    /// Where the files' paths begin: the root of the Git repository, or the branding repository itself outside of one.
    pub root: Option<String>,
    /// The manifest, as the user would name it.
    pub manifest: String,
    /// The CI system whose file was written.
    pub ci: Option<System>,
    /// What was exported, where it begins with what a portal holds.
    pub export: Option<ExportReport>,
    /// Every file, sorted; none when it failed.
    pub files: Vec<Written>,
    /// Why nothing was written, or what the portal would not give.
    pub findings: Vec<Finding>,
}

/// Every file, by its path from the root of the Git repository, with `/`.
#[must_use]
pub fn files(answers: &Answers) -> BTreeMap<String, FileContent> {
    let prefix = answers.folder.prefix();
    let inside = answers
        .brand
        .files(answers.portal.as_ref())
        .into_iter()
        .chain(surroundings())
        .map(|(name, content)| (format!("{prefix}{name}"), content));
    let ci = answers.ci.map(|system| (system.path().to_owned(), new(ci::text(system, answers))));
    inside.chain(ci).collect()
}

impl Brand {
    /// The manifest, and the art that it declares. An export names its portal itself.
    fn files(&self, portal: Option<&Portal>) -> Vec<(String, FileContent)> {
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

/// What goes with any manifest.
fn surroundings() -> [(String, FileContent); 2] {
    let schema = format!("{:#}\n", super::manifest::schema());
    [(SCHEMA.to_owned(), new(schema)), (".gitignore".to_owned(), FileContent::Lines(IGNORED))]
}

fn new(bytes: impl Into<Vec<u8>>) -> FileContent {
    FileContent::New(bytes.into())
}

/// The sample art; the drawing that it was made from is beside it.
fn sample(kind: Kind) -> &'static [u8] {
    match kind {
        Kind::Icon => include_bytes!("sample-icon.png"),
        Kind::Logo => include_bytes!("sample-logo.png"),
    }
}
