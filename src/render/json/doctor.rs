//! The published form of the checks of `doctor`.

use schemars::JsonSchema;
use serde::Serialize;

use crate::domain::doctor::{self, DoctorCheck, Health};
use crate::format::printed;

/// Checks of everything that apply needs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(title = "brandctl doctor", deny_unknown_fields)]
pub(crate) struct DoctorDocument {
    /// Whether every check was made, and none failed.
    pub(crate) ready: bool,
    /// Every check once, always in the same order.
    pub(crate) checks: Vec<CheckDocument>,
    /// Counts.
    pub(crate) summary: DoctorSummary,
}

/// One check.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub(crate) struct CheckDocument {
    /// What was checked.
    pub(crate) check: SubjectName,
    /// How it went.
    pub(crate) health: HealthName,
    /// What was found.
    pub(crate) message: String,
    /// How to fix it.
    pub(crate) help: Option<String>,
}

/// Counts of checks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub(crate) struct DoctorSummary {
    /// Checks that passed.
    pub(crate) ok: usize,
    /// Checks with a warning: apply would work.
    pub(crate) warnings: usize,
    /// Checks that failed: apply would fail.
    pub(crate) failed: usize,
    /// Checks that were not made.
    pub(crate) skipped: usize,
}

impl From<&[DoctorCheck]> for DoctorDocument {
    fn from(checks: &[DoctorCheck]) -> Self {
        let count = |health| checks.iter().filter(|check| check.health == health).count();
        let failed = count(Health::Failed);
        Self {
            ready: failed == 0 && !checks.is_empty(),
            checks: checks.iter().map(CheckDocument::from).collect(),
            summary: DoctorSummary {
                ok: count(Health::Ok),
                warnings: count(Health::Warning),
                failed,
                skipped: count(Health::Skipped),
            },
        }
    }
}

impl From<&DoctorCheck> for CheckDocument {
    fn from(check: &DoctorCheck) -> Self {
        let DoctorCheck { subject, health, message, help } = check;
        Self { check: (*subject).into(), health: (*health).into(), message: message.clone(), help: help.clone() }
    }
}

printed! {
    /// What is checked, in the order of the document.
    #[serde(rename_all = "lowercase")]
    #[schemars(rename = "Subject")]
    SubjectName = doctor::DoctorSubject {
        /// The credentials' form, and the files that options name.
        Config,
        /// The manifest, and whether it is for this portal.
        Manifest,
        /// The state folder.
        State,
        /// The host's addresses, or the proxy's.
        Dns,
        /// A connection to one of them.
        Tcp,
        /// The certificate.
        Tls,
        /// The portal's clock against ours.
        Clock,
        /// Whether the portal knows the credentials.
        Credentials,
        /// What the credentials allow.
        Scope,
        /// Whether the user is an administrator.
        Rights,
        /// Whether the portal has the methods.
        Methods,
        /// Whether images can be read back.
        Downloads,
        /// How fast requests may follow one another.
        Limits,
    }
}

printed! {
    /// How a check went.
    #[serde(rename_all = "lowercase")]
    #[schemars(rename = "Health")]
    HealthName = doctor::Health {
        /// It passed.
        Ok,
        /// A warning; apply would work.
        Warning,
        /// Apply would fail.
        Failed,
        /// It was not made.
        Skipped,
    }
}
