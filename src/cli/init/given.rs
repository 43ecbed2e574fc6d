//! What is given to `init`, by options or by answers.

use clap::ValueEnum;

use crate::domain::init::{CiSystem, Owned, PinnedPortal, Tool};
use crate::domain::scope::Pattern;

/// The CI system that a file is written for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Ci {
    /// GitHub Actions: .github/workflows/brandctl.yml
    Github,
    /// GitLab CI: .gitlab-ci.yml
    Gitlab,
    /// Any other: brandctl-ci.sh, a script for its jobs
    Shell,
    /// No CI file
    None,
}

impl Ci {
    pub(super) const fn system(self) -> Option<CiSystem> {
        match self {
            Self::Github => Some(CiSystem::Github),
            Self::Gitlab => Some(CiSystem::Gitlab),
            Self::Shell => Some(CiSystem::Shell),
            Self::None => None,
        }
    }
}

/// The answers so far, checked.
#[derive(Debug, Default)]
pub(super) struct Answers {
    pub(super) source: Option<Source>,
    pub(super) portal: Option<PinnedPortal>,
    pub(super) ci: Option<Ci>,
    /// `Some(None)`: the machine that runs the CI file has brandctl.
    pub(super) tool: Option<Option<Tool>>,
}

/// The answers to all questions.
#[derive(Debug)]
pub(super) struct Complete {
    pub(super) source: Source,
    pub(super) portal: Option<PinnedPortal>,
    pub(super) ci: Ci,
    /// `None`: whoever runs the CI file has brandctl.
    pub(super) tool: Option<Tool>,
}

/// The source of the first entries, and the codes that the repository owns.
#[derive(Debug)]
pub(super) enum Source {
    Samples(Owned),
    /// What the portal holds; without a pattern, each code of it.
    Portal(Option<Pattern>),
}

/// Reads where CI installs brandctl from; `None` if its machine has it.
pub(super) fn tool(text: &str) -> Result<Option<Tool>, String> {
    if text == "none" { Ok(None) } else { Tool::parse(text).map(Some) }
}
