//! The CI files: templates, filled from the answers.

use super::answers::{FolderInGit, PinnedPortal};
use super::tool::Tool;

/// A CI system that a file can be written for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum CiSystem {
    Github,
    Gitlab,
    /// Any other one: it runs a script.
    Shell,
}

/// The only actions that the GitHub file uses, by the commits of their releases.
const ACTIONS: [(&str, &str); 2] = [
    ("@checkout@", "actions/checkout@3d3c42e5aac5ba805825da76410c181273ba90b1 # v7.0.1"),
    ("@upload@", "actions/upload-artifact@bbbca2ddaa5d8feaa63e36b76fdaad77386f024f # v7.0.0"),
];

/// An official image with Git, curl and certificates.
const IMAGE: &str = "buildpack-deps:trixie-scm";

/// The shell lines that install brandctl, the same everywhere.
const INSTALL: &str = include_str!("install.sh");

impl CiSystem {
    pub(crate) const ALL: [Self; 3] = [Self::Github, Self::Gitlab, Self::Shell];

    /// The path of its file: from the root of the Git repository, or beside the manifest.
    pub(crate) const fn path(self) -> &'static str {
        match self {
            Self::Github => ".github/workflows/brandctl.yml",
            Self::Gitlab => ".gitlab-ci.yml",
            Self::Shell => "brandctl-ci.sh",
        }
    }

    /// Whether it only finds its file at the root of the Git repository.
    pub(crate) const fn reads_root(self) -> bool {
        match self {
            Self::Github | Self::Gitlab => true,
            Self::Shell => false,
        }
    }

    const fn template(self) -> &'static str {
        match self {
            Self::Github => include_str!("github.yml"),
            Self::Gitlab => include_str!("gitlab-ci.yml"),
            Self::Shell => include_str!("brandctl-ci.sh"),
        }
    }
}

/// The answers that a CI file depends on.
#[derive(Debug, Clone, Copy)]
pub(super) struct CiAnswers<'a> {
    /// The manifest's name in its folder.
    pub(super) manifest: &'a str,
    pub(super) folder: &'a FolderInGit,
    pub(super) portal: Option<&'a PinnedPortal>,
    /// Where brandctl comes from; `None`: the machine that runs the jobs has it.
    pub(super) tool: Option<&'a Tool>,
}

/// The text of a system's file.
pub(super) fn text(system: CiSystem, answers: CiAnswers<'_>) -> String {
    let CiAnswers { manifest, folder, portal, tool } = answers;
    let group = group(folder, portal);
    let folder = folder.prefix();
    let path = system.path();
    // In a repository that holds more than the brand, other changes should not start a plan.
    let limited = |lines: String| if folder.is_empty() { String::new() } else { lines };
    let file = if folder.is_empty() { String::new() } else { format!(" -f {folder}{manifest}") };
    let text = installing(system.template())
        .replace("@paths@\n", &limited(format!("    paths: [\"{folder}**\", {path}]\n")))
        .replace("@changes@\n", &limited(format!("      changes: [\"{folder}**/*\", {path}]\n")))
        .replace("@file@", &file)
        .replace("@folder@", folder)
        .replace("@group@", &group)
        .replace("@image@", IMAGE)
        .replace("@tool@", &tool.map(Tool::address).unwrap_or_default())
        .replace("@about-tool@", about(tool));
    ACTIONS.iter().fold(text, |text, (place, action)| text.replace(place, action))
}

/// The comment on the tool's address.
fn about(tool: Option<&Tool>) -> &'static str {
    match tool {
        None => "empty: the brandctl that the machine has. Or the https URL of an archive, with #sha256=SUM",
        Some(tool) if tool.is_pinned() => "the archive that every job installs",
        Some(_) => {
            "checked only against the sum beside the archive: pin it with the URL of the archive and #sha256=SUM"
        }
    }
}

/// A template with the lines that install brandctl, indented as their place is.
fn installing(template: &str) -> String {
    template.split_inclusive('\n').fold(String::new(), |text, line| match line.trim_end().strip_suffix("@install@") {
        Some(indent) => INSTALL.lines().fold(text, |text, line| text + indent + line + "\n"),
        None => text + line,
    })
}

/// The name under which applies wait for each other: the portal's, or the folder's where no portal is named. GitLab takes
/// letters, digits and these signs.
pub(super) fn group(folder: &FolderInGit, portal: Option<&PinnedPortal>) -> String {
    let of = portal.map_or(folder.prefix().trim_end_matches('/'), PinnedPortal::host);
    let joint = if of.is_empty() { "" } else { "-" };
    format!("brandctl{joint}{of}").replace(|c: char| !c.is_ascii_alphanumeric() && !matches!(c, '-' | '_' | '.'), "-")
}
