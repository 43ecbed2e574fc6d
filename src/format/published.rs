//! A plan together with the document that publishes it: both are made here, one from the other, so that what is kept of a
//! plan says what is sent.

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
    pub const fn digest(&self) -> Option<Digest> {
        self.document.plan_sha256
    }
}

impl Published<Evaluated> {
    /// Publishes a plan that was just made, with what was found on the way to it.
    pub fn new(evaluated: Evaluated, against: Option<Against>, origins: &Origins, findings: &[Finding]) -> Self {
        let mut document =
            Document::new(Some(evaluated.plan().portal.clone()), against, evaluated.verdicts(), findings);
        document.take(evaluated.plan(), origins);
        document.plan_sha256 = document.digest().ok();
        Self { plan: evaluated, document }
    }

    /// The document with the bytes, to be saved.
    pub(crate) fn with_contents(&self) -> Document {
        self.document.clone().with_contents(&self.plan.plan().contents)
    }

    /// Lets the plan through if nothing speaks against it.
    pub fn approve(self) -> Result<Published<ApprovedPlan>, Refusal> {
        Ok(Published { plan: self.plan.approve()?, document: self.document })
    }
}

impl SavedPlan {
    /// Asks the guards again. The document stays as it was saved: its digest is what the plan is known by.
    pub(crate) fn evaluate(
        self,
        ownership: &Ownership,
        counts_by_kind: &CountsByKind,
        allowances: Allowances,
    ) -> Published<Evaluated> {
        let plan = guard::evaluate(self.plan, ownership, counts_by_kind, allowances);
        Published { plan, document: self.document }
    }
}
