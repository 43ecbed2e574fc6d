//! An art rule: a row of the rulebook.

use crate::domain::asset::Code;
use crate::domain::finding::{Finding, Problem, Severity};

use super::piece::{AllArt, DecodedPiece};

/// An art rule.
pub struct ArtRule {
    /// Its id, as in the manifest's `rules`.
    pub id: &'static str,
    /// Its level unless the manifest sets another.
    pub(crate) default: Level,
    /// Whether the manifest may set another level. It may not if the portal itself would refuse or spoil such an image.
    pub adjustable: bool,
    /// Why it exists, in one sentence.
    pub why: &'static str,
    /// How to fix its findings.
    pub fix: &'static str,
    /// The source of the fact behind it.
    pub source: &'static str,
    pub(in crate::domain) check: RuleCheck,
}

/// The subject and the function of a rule's check.
pub(in crate::domain) enum RuleCheck {
    /// A code, where the manifest or a file's name spells it.
    Code(fn(&Code) -> Option<Problem>),
    Image(fn(&DecodedPiece<'_>) -> Option<Problem>),
    /// All images together: the findings name their places themselves.
    All(fn(&AllArt<'_>) -> Vec<Finding>),
    /// Something that is not art; the code that reads it makes the finding.
    Elsewhere,
}

impl ArtRule {
    /// The severity of a finding when the manifest sets this level, or none; `None` when the rule is off.
    pub(in crate::domain) fn severity(&self, set: Option<Level>) -> Option<Severity> {
        set.unwrap_or(self.default).severity()
    }

    /// A problem as a finding without a place.
    pub(in crate::domain) fn finding(&self, severity: Severity, problem: Problem) -> Finding {
        let help = problem.help.unwrap_or_else(|| self.fix.to_owned());
        // A rule that only warns is turned off.
        let help = if severity == Severity::Warning { help.replace(": warn}`", ": off}`") } else { help };
        Finding { severity, ..Finding::error(self.id, problem.message).help(help) }
    }

    /// The finding of this rule about a code where the manifest sets it to `set`.
    pub(in crate::domain) fn of_code(&self, code: &Code, set: Option<Level>) -> Option<Finding> {
        let RuleCheck::Code(check) = self.check else { return None };
        let severity = self.severity(set)?;
        check(code).map(|problem| self.finding(severity, problem))
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Level {
    /// Nothing is written until it is fixed.
    Error,
    /// Worth checking; it does not stop the command.
    Warn,
    Off,
}

impl Level {
    /// All levels, the worst first.
    pub(crate) const ALL: [Self; 3] = [Self::Error, Self::Warn, Self::Off];

    /// How the manifest spells it.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warn => "warn",
            Self::Off => "off",
        }
    }

    /// The severity of a finding at this level; `None` when there is none.
    pub(crate) const fn severity(self) -> Option<Severity> {
        match self {
            Self::Error => Some(Severity::Error),
            Self::Warn => Some(Severity::Warning),
            Self::Off => None,
        }
    }
}
