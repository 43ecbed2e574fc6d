//! The CI files: templates, filled from the answers.

use super::answers::{FolderInGit, PinnedPortal};

/// A CI system that a file can be written for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum CiSystem {
    Github,
    Gitlab,
}

impl CiSystem {
    /// The path of its file, from the root of the Git repository.
    pub(crate) const fn path(self) -> &'static str {
        match self {
            Self::Github => ".github/workflows/brandctl.yml",
            Self::Gitlab => ".gitlab-ci.yml",
        }
    }

    const fn template(self) -> &'static str {
        match self {
            Self::Github => include_str!("github.yml"),
            Self::Gitlab => include_str!("gitlab-ci.yml"),
        }
    }
}

/// The text of a system's file, for the repository with the file `manifest` in `folder`.
pub(super) fn text(system: CiSystem, manifest: &str, folder: &FolderInGit, portal: Option<&PinnedPortal>) -> String {
    let group = group(folder, portal);
    let folder = folder.prefix();
    let path = system.path();
    // In a repository that holds more than the brand, other changes should not start a plan.
    let limited = |lines: String| if folder.is_empty() { String::new() } else { lines };
    let file = if folder.is_empty() { String::new() } else { format!(" -f {folder}{manifest}") };
    system
        .template()
        .replace("@paths@\n", &limited(format!("    paths: [\"{folder}**\", {path}]\n")))
        .replace("@changes@\n", &limited(format!("      changes: [\"{folder}**/*\", {path}]\n")))
        .replace("@file@", &file)
        .replace("@folder@", folder)
        .replace("@group@", &group)
        .replace("@version@", env!("CARGO_PKG_VERSION"))
}

/// The name under which applies wait for each other: the portal's, or the folder's where no portal is named. GitLab takes
/// letters, digits and these signs.
pub(super) fn group(folder: &FolderInGit, portal: Option<&PinnedPortal>) -> String {
    let of = portal.map_or(folder.prefix().trim_end_matches('/'), PinnedPortal::host);
    let joint = if of.is_empty() { "" } else { "-" };
    format!("brandctl{joint}{of}").replace(|c: char| !c.is_ascii_alphanumeric() && !matches!(c, '-' | '_' | '.'), "-")
}
