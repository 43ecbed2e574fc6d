//! A saved plan: a document with the bytes in it, and the way back from it to a plan.

use std::collections::BTreeSet;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;

use crate::domain::asset::{Address, Digest};
use crate::domain::diff::{Action, Change};
use crate::domain::plan::{Contents, Plan};
use crate::domain::state::Content;

use super::FORMAT_VERSION;
use super::plan::{ActionName, ChangeDocument, Document};

impl Document {
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
            if Content::of(bytes) != after.content {
                return Err(broken("its new image is not what the plan says it is"));
            }
        }
        if let Some(content) = action.before().and_then(|before| before.content.as_ref())
            && contents.get(&content.sha256).is_some_and(|bytes| Content::of(bytes) != *content)
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
