//! The published form of a plan and of what became of it: format 1, JSON, described by `schema/plan.schema.json`.
//!
//! These types are frozen: other programs read them. A plan that is saved carries the bytes too (`contents`), so that it
//! can be applied and restored from without the files it came from. `plan_sha256` covers everything but `contents`
//! (each of which is covered by its own digest) and what apply adds.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::asset::{Address, Code, Digest};
use super::diff::{Action, After, Before, Change, Reason, Unknown};
use super::finding::{Finding, Severity};
use super::guard::Verdict;
use super::ownership::Unmanaged;
use super::plan::{Contents, Plan, Precondition};
use super::report::{Report, StepResult};

/// The version of the format that this program writes and reads.
pub const FORMAT_VERSION: u32 = 1;

/// A plan, and what became of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "brandctl plan")]
pub struct Document {
    /// The version of this format.
    pub format_version: u32,
    /// The program that made the plan.
    pub tool: Tool,
    /// The portal's host, or the sandbox's identity; null when it was not reached.
    pub portal: Option<String>,
    /// The changes, sorted by address.
    pub changes: Vec<ChangeDocument>,
    /// Custom entries that are left alone.
    pub unmanaged: Vec<UnmanagedDocument>,
    /// Entries whose content could not be fetched, which are left alone too.
    pub unknown: Vec<Unknown>,
    /// What each guard said.
    pub guards: Vec<Verdict>,
    /// Counts.
    pub summary: Summary,
    /// Findings that stop nothing.
    pub warnings: Vec<FindingDocument>,
    /// Findings that stop everything.
    pub errors: Vec<FindingDocument>,
    /// What apply did, when it began.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub run: Option<RunDocument>,
    /// The digest of the plan; null when there is no plan.
    pub plan_sha256: Option<Digest>,
    /// In a saved plan: the bytes to upload and the bytes they replace, in base64, by their SHA-256.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[schemars(with = "Option<BTreeMap<String, String>>")]
    pub contents: Option<BTreeMap<Digest, String>>,
}

/// A program and its version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Tool {
    /// `brandctl`.
    pub name: String,
    /// Its version.
    pub version: String,
}

impl Tool {
    /// This program.
    #[must_use]
    pub fn this() -> Self {
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
    pub reason: Reason,
    /// The other half of a rename.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub rename: Option<Address>,
    /// What it was; null for a create.
    pub before: Option<Before>,
    /// What it shall be; null for a delete.
    pub after: Option<After>,
    /// What must be true of the code for the change to be made.
    pub precondition: PreconditionDocument,
    /// What became of it, once apply began.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub result: Option<StepResult>,
}

/// What must be true of a code for a change to be made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PreconditionDocument {
    /// Whether a custom entry must have the code.
    pub exists: bool,
    /// The spelling that the portal must list.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub code: Option<Code>,
    /// Its bytes must have this SHA-256, or look like the ones that had it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub sha256: Option<Digest>,
}

/// A custom entry that is left alone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct UnmanagedDocument {
    /// The entry.
    pub address: Address,
    /// Why.
    pub why: Unmanaged,
}

/// Counts.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Summary {
    /// Adds.
    pub create: usize,
    /// Deletes followed by adds.
    pub replace: usize,
    /// Deletes.
    pub delete: usize,
    /// Declared entries that need no change.
    pub unchanged: usize,
    /// Custom entries that are left alone.
    pub unmanaged: usize,
    /// System entries, which are never touched.
    pub system: usize,
}

/// A finding.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FindingDocument {
    /// Which check: a rule id, or one of the checks of manifest and portal.
    pub rule: String,
    /// How bad it is.
    pub severity: Severity,
    /// The file: the PNG for a finding about art, else the manifest; null when it is about no file.
    pub path: Option<String>,
    /// Line in that file, from 1; null for a PNG.
    pub line: Option<usize>,
    /// Column in that line, in characters from 1; null for a PNG.
    pub column: Option<usize>,
    /// The entry it is about, as in icon/acme-call.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub address: Option<String>,
    /// What is wrong.
    pub message: String,
    /// What to do about it.
    pub help: Option<String>,
}

/// A run of apply.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RunDocument {
    /// Its id.
    pub id: String,
    /// Its folder, which holds the journal and the old images.
    pub folder: String,
}

impl From<&Finding> for FindingDocument {
    fn from(finding: &Finding) -> Self {
        let Finding { rule, severity, path, place, address, message, help, related: _ } = finding;
        Self {
            rule: (*rule).to_owned(),
            severity: *severity,
            path: path.clone(),
            line: place.as_ref().map(|place| place.line),
            column: place.as_ref().map(|place| place.column),
            address: address.as_ref().map(ToString::to_string),
            message: message.clone(),
            help: help.clone(),
        }
    }
}

impl From<&Change> for ChangeDocument {
    fn from(change: &Change) -> Self {
        let Change { address, action, reason, rename } = change;
        Self {
            address: address.clone(),
            action: match action {
                Action::Create(_) => ActionName::Create,
                Action::Replace(..) => ActionName::Replace,
                Action::Delete(_) => ActionName::Delete,
            },
            reason: *reason,
            rename: rename.clone(),
            before: action.before().cloned(),
            after: action.after().cloned(),
            precondition: match change.precondition() {
                Precondition::Absent => PreconditionDocument { exists: false, code: None, sha256: None },
                Precondition::Present(before) => PreconditionDocument {
                    exists: true,
                    code: Some(before.code.clone()),
                    sha256: before.content.as_ref().map(|content| content.sha256),
                },
            },
            result: None,
        }
    }
}

impl Document {
    /// The document of a report, without the bytes.
    #[must_use]
    pub fn of(report: &Report) -> Self {
        let select = |severity| {
            report
                .findings
                .iter()
                .filter(|finding| finding.severity == severity)
                .map(FindingDocument::from)
                .collect::<Vec<_>>()
        };
        let mut document = Self {
            format_version: FORMAT_VERSION,
            tool: Tool::this(),
            portal: report.portal.clone(),
            changes: Vec::new(),
            unmanaged: Vec::new(),
            unknown: Vec::new(),
            guards: report.guards.clone(),
            summary: Summary::default(),
            warnings: select(Severity::Warning),
            errors: select(Severity::Error),
            run: report
                .run
                .as_ref()
                .map(|run| RunDocument { id: run.id.clone(), folder: run.folder.display().to_string() }),
            plan_sha256: report.plan_sha256,
            contents: None,
        };
        if let Some(plan) = &report.plan {
            document.take(plan);
        }
        if let Some(run) = &report.run {
            for change in &mut document.changes {
                change.result = run.steps.get(&change.address).cloned();
            }
        }
        document
    }

    fn take(&mut self, plan: &Plan) {
        let counts = plan.counts();
        self.changes = plan.changes.iter().map(ChangeDocument::from).collect();
        self.unmanaged = plan
            .unmanaged
            .iter()
            .map(|(address, why)| UnmanagedDocument { address: address.clone(), why: *why })
            .collect();
        self.unknown.clone_from(&plan.unknown);
        self.summary = Summary {
            create: counts.create,
            replace: counts.replace,
            delete: counts.delete,
            unchanged: plan.unchanged,
            unmanaged: plan.unmanaged.len(),
            system: plan.system,
        };
    }

    /// The digest of the plan that this document states, whatever was added to it since.
    ///
    /// # Errors
    /// When it cannot be written as JSON, which no value of this type can cause.
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

    /// Adds the bytes, which makes it a saved plan.
    #[must_use]
    pub fn with_contents(mut self, contents: &Contents) -> Self {
        self.contents = Some(contents.iter().map(|(digest, bytes)| (*digest, STANDARD.encode(bytes))).collect());
        self
    }

    /// Reads a saved plan and holds it against its digests.
    ///
    /// # Errors
    /// When it is no saved plan of this format, or was altered.
    pub fn read_plan(bytes: &[u8]) -> Result<(Plan, Digest), BadPlan> {
        let version: Version = serde_json::from_slice(bytes).map_err(|error| BadPlan::NotAPlan(error.to_string()))?;
        if version.format_version != FORMAT_VERSION {
            return Err(BadPlan::Version(version.format_version));
        }
        let document: Self = serde_json::from_slice(bytes).map_err(|error| BadPlan::NotAPlan(error.to_string()))?;
        let digest = document.digest().map_err(|error| BadPlan::NotAPlan(error.to_string()))?;
        if document.plan_sha256 != Some(digest) {
            return Err(BadPlan::Altered("its digest does not match what it says".to_owned()));
        }
        let plan = document.into_plan()?;
        Ok((plan, digest))
    }

    fn into_plan(self) -> Result<Plan, BadPlan> {
        let portal = self.portal.ok_or_else(|| BadPlan::NotApplicable("it was made without a portal".to_owned()))?;
        if let Some(error) = self.errors.first() {
            return Err(BadPlan::NotApplicable(format!(
                "it was saved with errors, the first being: {}",
                error.message
            )));
        }
        let mut contents = Contents::new();
        for (digest, text) in self.contents.ok_or_else(|| BadPlan::NotAPlan("it has no `contents`".to_owned()))? {
            let bytes =
                STANDARD.decode(&text).map_err(|error| BadPlan::Altered(format!("contents {digest}: {error}")))?;
            if Digest::of(&bytes) != digest {
                return Err(BadPlan::Altered(format!("contents {digest} have another digest")));
            }
            contents.insert(digest, Arc::from(bytes));
        }
        let changes =
            self.changes.into_iter().map(|change| change.into_change(&contents)).collect::<Result<Vec<_>, _>>()?;
        let mut seen = BTreeSet::new();
        if let Some(twice) = changes.iter().find(|change| !seen.insert(change.address.folded())) {
            return Err(BadPlan::Altered(format!("it changes {} twice", twice.address.to_string().escape_debug())));
        }
        Ok(Plan {
            portal,
            changes,
            unchanged: self.summary.unchanged,
            unmanaged: self.unmanaged.into_iter().map(|entry| (entry.address, entry.why)).collect(),
            system: self.summary.system,
            unknown: self.unknown,
            conflicts: Vec::new(),
            contents,
        })
    }
}

impl ChangeDocument {
    fn into_change(self, contents: &Contents) -> Result<Change, BadPlan> {
        let address = self.address.clone();
        let broken = |what: &str| BadPlan::Altered(format!("{}: {what}", address.to_string().escape_debug()));
        let stated = self.precondition.clone();
        let action = match (self.action, self.before, self.after) {
            (ActionName::Create, None, Some(after)) => Action::Create(after),
            (ActionName::Replace, Some(before), Some(after)) => Action::Replace(before, after),
            (ActionName::Delete, Some(before), None) => Action::Delete(before),
            _ => return Err(broken("`before` and `after` do not fit its action")),
        };
        if let Some(after) = action.after() {
            // What is uploaded is weighed anew: a plan that states another look for its bytes is not believed.
            let bytes =
                contents.get(&after.content.sha256).ok_or_else(|| broken("its new image is not in `contents`"))?;
            if super::state::Content::of(bytes) != after.content {
                return Err(broken("its new image is not what the plan says it is"));
            }
        }
        if let Some(content) = action.before().and_then(|before| before.content.as_ref())
            && contents.get(&content.sha256).is_some_and(|bytes| super::state::Content::of(bytes) != *content)
        {
            return Err(broken("its old image is not what the plan says it is"));
        }
        if action
            .before()
            .is_some_and(|before| Address::new(address.kind, before.code.clone()).folded() != address.folded())
        {
            return Err(broken("it replaces another code"));
        }
        let change = Change { address: self.address, action, reason: self.reason, rename: self.rename };
        if Self::from(&change).precondition != stated {
            return Err(broken("its precondition does not fit what it says of the entry"));
        }
        Ok(change)
    }
}

#[derive(Deserialize)]
struct Version {
    format_version: u32,
}

/// Why a file cannot be applied as a saved plan.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadPlan {
    /// It is something else, or was cut short.
    #[error("it is no saved plan: {0}")]
    NotAPlan(String),
    /// It is of another format.
    #[error("it is of format {0}; this program reads format {FORMAT_VERSION}")]
    Version(u32),
    /// Somebody changed it after it was saved.
    #[error("it was altered after it was saved: {0}")]
    Altered(String),
    /// It states a plan that cannot be applied.
    #[error("{0}")]
    NotApplicable(String),
}

/// The JSON schema of this document.
#[must_use]
pub fn schema() -> serde_json::Value {
    schemars::generate::SchemaSettings::draft07().into_generator().into_root_schema_for::<Document>().to_value()
}
