//! A plan together with the document that publishes it: both are made here, one from the other, so that the stored plan
//! matches what is sent.

use super::plan::Document;
use super::saved::SavedPlan;
use crate::domain::asset::Digest;
use crate::domain::finding::Finding;
use crate::domain::guard::{self, Allowances, ApprovedPlan, CountsByKind, Evaluated, Refusal};
use crate::domain::origin::Origins;
use crate::domain::ownership::Ownership;
use crate::domain::report::Against;

/// A plan, evaluated or approved, with its published form.
#[derive(Debug, Clone)]
pub struct Published<P> {
    plan: P,
    document: Document,
    digest: Digest,
}

impl<P> Published<P> {
    /// The plan.
    pub(crate) const fn plan(&self) -> &P {
        &self.plan
    }

    /// Its published form, without the bytes.
    pub const fn document(&self) -> &Document {
        &self.document
    }

    /// The digest that the document states.
    pub const fn digest(&self) -> Digest {
        self.digest
    }
}

impl Published<Evaluated> {
    /// Publishes a plan that was just made, with the findings made on the way.
    ///
    /// # Errors
    /// When the document cannot be written as JSON, from which its digest is made.
    pub fn new(
        evaluated: Evaluated,
        against: Option<Against>,
        origins: &Origins,
        findings: &[Finding],
    ) -> Result<Self, serde_json::Error> {
        let mut document =
            Document::new(Some(evaluated.plan().portal.clone()), against, evaluated.verdicts(), findings);
        document.take(evaluated.plan(), origins);
        let digest = document.digest()?;
        document.plan_sha256 = Some(digest);
        Ok(Self { plan: evaluated, document, digest })
    }

    /// The document with the bytes, to be saved.
    pub(crate) fn with_contents(&self) -> Document {
        self.document.clone().with_contents(&self.plan.plan().contents)
    }

    /// Approves the plan, unless a conflict, a step outside the manifest or a guard forbids it.
    pub fn approve(self) -> Result<Published<ApprovedPlan>, Refusal> {
        Ok(Published { plan: self.plan.approve()?, document: self.document, digest: self.digest })
    }
}

impl SavedPlan {
    /// Evaluates the plan again, with the present portal and options. The document stays as it was saved, with the old
    /// verdicts: its digest identifies the plan. The new verdicts are those of the returned plan.
    pub(crate) fn evaluate(
        self,
        ownership: &Ownership,
        counts_by_kind: &CountsByKind,
        allowances: Allowances,
    ) -> Published<Evaluated> {
        let digest = self.digest();
        let plan = guard::evaluate(self.plan, ownership, counts_by_kind, allowances);
        Published { plan, document: self.document, digest }
    }
}
