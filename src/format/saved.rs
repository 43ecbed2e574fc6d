//! Saved plans: the document with the bytes, written and read back; a reader trusts nothing that the digests
//! do not cover.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::FORMAT_VERSION;
use super::plan::{ActionName, ChangeDocument, Document};
use super::words::AgainstName;
use crate::domain::asset::{Address, Digest};
use crate::domain::diff::{Action, Change, Diff};
use crate::domain::evidence::UsageEvidence;
use crate::domain::plan::{Contents, Plan};
use crate::domain::state::Content;

impl Document {
    /// Adds the bytes, which makes it a saved plan.
    #[must_use]
    pub fn with_contents(mut self, contents: &Contents) -> Self {
        self.contents = Some(contents.iter().map(|(digest, bytes)| (*digest, STANDARD.encode(bytes))).collect());
        self
    }

    /// Reads a saved plan and checks it against its digests.
    pub fn read_saved(bytes: &[u8]) -> Result<SavedPlan, BadPlan> {
        let value: serde_json::Value = serde_json::from_slice(bytes)?;
        let version = value.get("format_version").and_then(serde_json::Value::as_u64);
        let format_version = version.ok_or_else(|| BadPlan::NotAPlan("it has no `format_version`".to_owned()))?;
        if format_version > u64::from(FORMAT_VERSION) && value.get("exit_code").is_some() {
            return Err(BadPlan::Printed);
        }
        if format_version != u64::from(FORMAT_VERSION) {
            return Err(BadPlan::Version(format_version));
        }
        let mut document: Self = serde_json::from_value(value)?;
        let digest = document.digest()?;
        if document.plan_sha256 != Some(digest) {
            return Err(BadPlan::Altered("its content does not match its digest".to_owned()));
        }
        let encoded = document.contents.take().ok_or_else(|| BadPlan::NotAPlan("it has no `contents`".to_owned()))?;
        let mut contents = Contents::new();
        for (digest, text) in encoded {
            let bytes =
                STANDARD.decode(&text).map_err(|error| BadPlan::Altered(format!("contents {digest}: {error}")))?;
            if Digest::of(&bytes) != digest {
                return Err(BadPlan::Altered(format!("contents {digest} do not match this digest")));
            }
            contents.insert(digest, Arc::from(bytes));
        }
        let plan = document.plan(contents)?;
        plan.diff.changes.iter().try_for_each(|change| check_images(change, &plan.contents))?;
        Ok(SavedPlan { document, plan, digest })
    }

    /// The plan that this document states, with the bytes that are available.
    pub fn plan(&self, contents: Contents) -> Result<Plan, BadPlan> {
        let changes = self.changes.iter().map(ChangeDocument::change).collect::<Result<Vec<_>, _>>()?;
        let mut seen = BTreeSet::new();
        if let Some(twice) = changes.iter().find(|change| !seen.insert(change.address.folded())) {
            return Err(BadPlan::Altered(format!("it changes {} twice", twice.address)));
        }
        let usage = |change: &ChangeDocument| Some((change.address.clone(), change.usage.clone()?.into()));
        let usages = self.changes.iter().filter_map(usage).collect::<BTreeMap<_, _>>();
        if self.usage_coverage.is_none() && !usages.is_empty() {
            return Err(BadPlan::Altered("it records the use of codes, but not the items that were read".to_owned()));
        }
        let diff = Diff {
            changes,
            unchanged: self.summary.unchanged,
            kept: BTreeMap::new(),
            unmanaged: self.unmanaged.iter().map(|entry| (entry.address.clone(), entry.why.into())).collect(),
            system: self.summary.system,
            unknown: self.unknown.iter().cloned().map(Into::into).collect(),
            conflicts: Vec::new(),
        };
        let evidence = self.usage_coverage.clone().map(|coverage| UsageEvidence { coverage: coverage.into(), usages });
        Ok(Plan { portal: self.portal.clone().unwrap_or_default(), diff, contents, evidence })
    }
}

/// A saved plan that is whole.
#[derive(Debug, Clone)]
pub struct SavedPlan {
    pub(super) document: Document,
    pub(super) plan: Plan,
    digest: Digest,
}

impl SavedPlan {
    /// The document, without the bytes.
    pub const fn document(&self) -> &Document {
        &self.document
    }

    /// The plan, with the bytes.
    pub const fn plan(&self) -> &Plan {
        &self.plan
    }

    /// Its digest.
    pub const fn digest(&self) -> Digest {
        self.digest
    }

    /// The reason why it cannot be applied to any portal.
    pub(crate) fn obstacle(&self) -> Option<String> {
        match (&self.document.portal, self.document.against, self.document.errors.first()) {
            (_, Some(AgainstName::Export), _) => {
                Some("it was made against an export, not the portal itself".to_owned())
            }
            (_, None, Some(error)) => Some(format!("it was saved with errors; the first is: {}", error.message)),
            (None, None, None) => Some("it was made without a portal".to_owned()),
            (Some(_), None, None) => None,
        }
    }
}

impl ChangeDocument {
    fn change(&self) -> Result<Change, BadPlan> {
        let address = &self.address;
        let broken = |what: &str| BadPlan::Altered(format!("{address}: {what}"));
        let (before, after) = (self.before.clone().map(Into::into), self.after.clone().map(Into::into));
        let action = match (self.action, before, after) {
            (ActionName::Create, None, Some(after)) => Action::Create(after),
            (ActionName::Replace, Some(before), Some(after)) => Action::Replace(before, after),
            (ActionName::Delete, Some(before), None) => Action::Delete(before),
            _ => return Err(broken("`before` and `after` do not match its action")),
        };
        if action
            .before()
            .is_some_and(|before| Address::new(address.kind, before.code.clone()).folded() != address.folded())
        {
            return Err(broken("it replaces another code"));
        }
        let change =
            Change { address: address.clone(), action, reason: self.reason.into(), rename: self.rename.clone() };
        if Self::from(&change).precondition != self.precondition {
            return Err(broken("its precondition does not match the change"));
        }
        Ok(change)
    }
}

/// Checks the facts about images in a saved plan against the images: a plan that states another appearance for its
/// bytes is rejected.
fn check_images(change: &Change, contents: &Contents) -> Result<(), BadPlan> {
    let broken = |what: &str| BadPlan::Altered(format!("{}: {what}", change.address));
    if let Some(after) = change.action.after() {
        let bytes = contents.get(&after.content.sha256).ok_or_else(|| broken("its new image is not in `contents`"))?;
        if Content::of(bytes) != after.content {
            return Err(broken("its new image does not match what the plan states"));
        }
    }
    if let Some(content) = change.action.before().and_then(|before| before.content.as_ref())
        && contents.get(&content.sha256).is_some_and(|bytes| Content::of(bytes) != *content)
    {
        return Err(broken("its old image does not match what the plan states"));
    }
    Ok(())
}

/// The reason why a file cannot be applied as a saved plan.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadPlan {
    /// It is something else, or was cut short.
    #[error("it is not a saved plan: {0}")]
    NotAPlan(String),
    /// It is the output of a command, without the images.
    #[error("it is the output of `--format json`, which has no images: save a plan with `brandctl plan -o FILE`")]
    Printed,
    /// It is of another format.
    #[error("it has format {0}, but this version of brandctl reads format {FORMAT_VERSION}")]
    Version(u64),
    /// It was changed after it was saved.
    #[error("it was altered after it was saved: {0}")]
    Altered(String),
}

impl From<serde_json::Error> for BadPlan {
    fn from(error: serde_json::Error) -> Self {
        Self::NotAPlan(error.to_string())
    }
}
