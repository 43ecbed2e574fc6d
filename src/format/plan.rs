//! The published form of a plan and of its outcome.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::domain::asset::{Address, Code, Digest};
use crate::domain::diff::{Action, Change};
use crate::domain::finding::{Finding, Place};
use crate::domain::guard::Verdict;
use crate::domain::origin::Origins;
use crate::domain::plan::Plan;
use crate::domain::report::{Against, Run};

use super::FORMAT_VERSION;
use super::facts::{
    AfterDocument, BeforeDocument, CodeUsage, CoverageDocument, OriginDocument, StepResultDocument, UnknownDocument,
    VerdictDocument,
};
use super::words::{AgainstName, ReasonName, SeverityName, UnmanagedName};

/// A plan and its outcome.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "brandctl plan, saved", rename = "SavedPlan")]
pub struct Document {
    /// The version of this format.
    #[schemars(extend("const" = FORMAT_VERSION))]
    pub(crate) format_version: u32,
    /// The program that made the plan.
    pub(crate) tool: Tool,
    /// The portal's host, or the sandbox's identity; null when it was not reached.
    pub portal: Option<String>,
    /// What was read instead of the portal; absent if the portal was read. A plan with this can be shown, not applied.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(crate) against: Option<AgainstName>,
    /// The changes, sorted by address.
    pub changes: Vec<ChangeDocument>,
    /// Custom entries that are left alone.
    pub(crate) unmanaged: Vec<UnmanagedDocument>,
    /// Entries whose content could not be fetched, which are left alone too.
    pub(crate) unknown: Vec<UnknownDocument>,
    /// The log entries that were read to determine whether codes are in use, if that was requested.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(crate) usage_coverage: Option<CoverageDocument>,
    /// The decision of each guard.
    pub(crate) guards: Vec<VerdictDocument>,
    /// Counts.
    pub(crate) summary: Summary,
    /// Warnings: findings that do not stop the command.
    pub(crate) warnings: Vec<FindingDocument>,
    /// Errors: findings that stop the command.
    pub(crate) errors: Vec<FindingDocument>,
    /// What apply did, if it began.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(crate) run: Option<RunDocument>,
    /// The digest of the plan; null when there is no plan.
    pub plan_sha256: Option<Digest>,
    /// In a saved plan: the bytes to upload and the bytes they replace, in base64, by their SHA-256.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[schemars(with = "Option<BTreeMap<String, String>>")]
    pub contents: Option<BTreeMap<Digest, String>>,
}

/// A program and its version.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Tool {
    /// `brandctl`.
    pub(crate) name: String,
    /// Its version.
    pub(crate) version: String,
}

impl Tool {
    /// This program.
    pub(crate) fn this() -> Self {
        Self { name: env!("CARGO_PKG_NAME").to_owned(), version: env!("CARGO_PKG_VERSION").to_owned() }
    }
}

/// What is done to an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum ActionName {
    /// Add it.
    Create,
    /// Delete it and add it again.
    Replace,
    /// Delete it.
    Delete,
}

/// One change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ChangeDocument {
    /// The entry.
    pub address: Address,
    /// What is done to it.
    pub action: ActionName,
    /// Why.
    pub(crate) reason: ReasonName,
    /// The other half of a rename: the entry with the other code.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(crate) rename: Option<Address>,
    /// Which side changed, according to the history of the repository.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(crate) origin: Option<OriginDocument>,
    /// The entry before the change; null for a create.
    pub before: Option<BeforeDocument>,
    /// The entry after the change; null for a delete.
    pub after: Option<AfterDocument>,
    /// What must be true of the code before the change is made.
    pub precondition: PreconditionDocument,
    /// Whether the code of a deleted or replaced entry is in use, if that was requested.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(crate) usage: Option<CodeUsage>,
    /// Its outcome, once apply began.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(crate) result: Option<StepResultDocument>,
}

/// What must be true of a code before a change is made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PreconditionDocument {
    /// Whether a custom entry must have the code.
    pub(crate) exists: bool,
    /// The spelling that the portal must list.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub code: Option<Code>,
    /// Its bytes must have this SHA-256, or look like the ones that had it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(crate) sha256: Option<Digest>,
}

/// A custom entry that is left alone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct UnmanagedDocument {
    /// The entry.
    pub(crate) address: Address,
    /// Why.
    pub(crate) why: UnmanagedName,
}

/// Counts.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Summary {
    /// Entries that are added.
    pub(crate) create: usize,
    /// Entries that are deleted and added again.
    pub(crate) replace: usize,
    /// Entries that are deleted.
    pub(crate) delete: usize,
    /// Declared entries that need no change.
    pub(crate) unchanged: usize,
    /// Custom entries that are left alone.
    pub(crate) unmanaged: usize,
    /// System entries, which are never touched.
    pub(crate) system: usize,
}

/// A finding.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FindingDocument {
    /// The check: the id of an art rule, or of a check of the manifest or the portal.
    pub(crate) rule: String,
    /// Its severity.
    pub(crate) severity: SeverityName,
    /// The file: the PNG for a finding about art, else the manifest; null when the finding is not about a file.
    pub(crate) path: Option<String>,
    /// Line in that file, from 1; null for a PNG.
    pub(crate) line: Option<usize>,
    /// Column in that line, in characters from 1; null for a PNG.
    pub(crate) column: Option<usize>,
    /// The entry that it is about, for example icon/acme-call.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(crate) address: Option<String>,
    /// Where the manifest declares that entry, if the finding is about its image and the entry has its own line.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(crate) declared: Option<PlaceDocument>,
    /// What is wrong.
    pub(crate) message: String,
    /// How to fix it.
    pub(crate) help: Option<String>,
}

/// A place in the manifest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PlaceDocument {
    /// Line, from 1.
    pub(crate) line: usize,
    /// Column in that line, in characters from 1.
    pub(crate) column: usize,
}

/// A run of apply.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RunDocument {
    /// Its id.
    pub(crate) id: String,
    /// Its folder, which holds the journal and the old images.
    pub(crate) folder: String,
}

/// The errors and the warnings.
pub(crate) fn split(findings: &[Finding]) -> (Vec<FindingDocument>, Vec<FindingDocument>) {
    let (errors, warnings): (Vec<&Finding>, Vec<&Finding>) = findings.iter().partition(|finding| finding.is_error());
    let documents = |findings: Vec<&Finding>| findings.into_iter().map(FindingDocument::from).collect();
    (documents(errors), documents(warnings))
}

impl From<&Finding> for FindingDocument {
    fn from(finding: &Finding) -> Self {
        let Finding { rule, severity, path, place, address, declared, message, help, related: _ } = finding;
        Self {
            rule: rule.to_string(),
            severity: (*severity).into(),
            path: path.clone(),
            line: place.as_ref().map(|place| place.line),
            column: place.as_ref().map(|place| place.column),
            address: address.as_ref().map(ToString::to_string),
            declared: declared.as_ref().map(|place| PlaceDocument { line: place.line, column: place.column }),
            message: message.clone(),
            help: help.clone(),
        }
    }
}

impl From<&FindingDocument> for Finding {
    fn from(document: &FindingDocument) -> Self {
        let FindingDocument { rule, severity, path, line, column, address, declared, message, help } = document;
        let place = |line, column| Place { line, column, bytes: 0..0 };
        Self {
            rule: rule.clone().into(),
            severity: (*severity).into(),
            path: path.clone(),
            place: line.zip(*column).map(|(line, column)| place(line, column)),
            address: address.as_ref().and_then(|address| address.parse().ok()),
            declared: declared.as_ref().map(|declared| place(declared.line, declared.column)),
            message: message.clone(),
            help: help.clone(),
            related: Vec::new(),
        }
    }
}

/// The parts of a change that are the same where it is saved and where it is printed.
pub(crate) struct ChangeParts {
    pub(crate) address: Address,
    pub(crate) action: ActionName,
    pub(crate) reason: ReasonName,
    pub(crate) rename: Option<Address>,
    pub(crate) before: Option<BeforeDocument>,
    pub(crate) after: Option<AfterDocument>,
    pub(crate) precondition: PreconditionDocument,
}

impl From<&Change> for ChangeParts {
    fn from(change: &Change) -> Self {
        let Change { address, action, reason, rename } = change;
        Self {
            address: address.clone(),
            action: match action {
                Action::Create(_) => ActionName::Create,
                Action::Replace(..) => ActionName::Replace,
                Action::Delete(_) => ActionName::Delete,
            },
            reason: (*reason).into(),
            rename: rename.clone(),
            before: action.before().cloned().map(Into::into),
            after: action.after().cloned().map(Into::into),
            precondition: PreconditionDocument {
                exists: action.before().is_some(),
                code: action.before().map(|before| before.code.clone()),
                sha256: action.before().and_then(|before| Some(before.content.as_ref()?.sha256)),
            },
        }
    }
}

impl From<&Change> for ChangeDocument {
    fn from(change: &Change) -> Self {
        let ChangeParts { address, action, reason, rename, before, after, precondition } = change.into();
        Self { address, action, reason, rename, origin: None, before, after, precondition, usage: None, result: None }
    }
}

impl From<&Run> for RunDocument {
    fn from(run: &Run) -> Self {
        Self { id: run.id.clone(), folder: run.folder.display().to_string() }
    }
}

impl UnmanagedDocument {
    /// The custom entries that a plan leaves alone.
    pub(crate) fn of(plan: &Plan) -> Vec<Self> {
        let unmanaged = plan.diff.unmanaged.iter();
        unmanaged.map(|(address, why)| Self { address: address.clone(), why: (*why).into() }).collect()
    }
}

impl Document {
    /// A document without a plan.
    pub(super) fn new(
        portal: Option<String>,
        against: Option<Against>,
        guards: &[Verdict],
        findings: &[Finding],
    ) -> Self {
        let (errors, warnings) = split(findings);
        Self {
            format_version: FORMAT_VERSION,
            tool: Tool::this(),
            portal,
            against: against.map(Into::into),
            guards: guards.iter().cloned().map(Into::into).collect(),
            warnings,
            errors,
            ..Self::default()
        }
    }

    /// Adds the outcome of the plan.
    pub fn add_run(&mut self, run: &Run) {
        self.run = Some(run.into());
        for change in &mut self.changes {
            change.result = run.steps.get(&change.address).cloned().map(Into::into);
        }
    }

    /// Adds the plan.
    pub(super) fn take(&mut self, plan: &Plan, origins: &Origins) {
        let counts = plan.counts();
        self.changes = plan
            .diff
            .changes
            .iter()
            .map(|change| ChangeDocument {
                usage: plan.usage(change).map(Into::into),
                origin: origins.get(&change.address).cloned().map(Into::into),
                ..ChangeDocument::from(change)
            })
            .collect();
        self.usage_coverage = plan.evidence.as_ref().map(|evidence| evidence.coverage.clone().into());
        self.unmanaged = UnmanagedDocument::of(plan);
        self.unknown = plan.diff.unknown.iter().cloned().map(Into::into).collect();
        self.summary = Summary {
            // Each half of a rename counts here.
            create: counts.create + counts.rename,
            replace: counts.replace,
            delete: counts.delete + counts.rename,
            unchanged: plan.diff.unchanged,
            unmanaged: plan.diff.unmanaged.len(),
            system: plan.diff.system,
        };
    }

    /// The findings from the time when it was made. For those about a manifest, its text is no longer available.
    pub(crate) fn findings(&self) -> Vec<Finding> {
        self.errors.iter().chain(&self.warnings).map(Finding::from).collect()
    }

    /// The origins of its changes, as far as they were examined when it was made.
    pub(crate) fn origins(&self) -> Origins {
        let changes = self.changes.iter();
        changes.filter_map(|change| Some((change.address.clone(), change.origin.clone()?.into()))).collect()
    }

    /// The digest of the plan that this document states, not counting what was added since.
    pub fn digest(&self) -> Result<Digest, serde_json::Error> {
        let mut plan = self.clone();
        plan.run = None;
        plan.plan_sha256 = None;
        plan.contents = None;
        for change in &mut plan.changes {
            change.result = None;
        }
        Ok(Digest::of(&serde_json::to_vec(&plan)?))
    }
}
