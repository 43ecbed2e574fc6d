//! The printed form of a plan and its outcome. The form that is saved and read back is
//! [`crate::format::Document`].

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::Serialize;

use super::envelope::Printed;
use crate::domain::asset::{Address, Digest};
use crate::domain::diff::{Action, Change};
use crate::domain::plan::Plan;
use crate::domain::png::{self, compare};
use crate::domain::report::{Report, Run};
use crate::domain::step::{self, StepOutcome};
use crate::format::plan::{ChangeParts, RunDocument, UnmanagedDocument};
use crate::format::{
    ActionName, AfterDocument, AgainstName, BeforeDocument, CodeUsage, CoverageDocument, Document, OriginDocument,
    PreconditionDocument, ReasonName, StepOutcomeName, Tool, UnknownDocument, VerdictDocument, printed,
};
use crate::render::outcome;

/// A plan, and its outcome.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, JsonSchema)]
#[schemars(title = "brandctl plan, printed", deny_unknown_fields)]
pub struct PlanDocument {
    /// The codes that are missing on the portal after an apply: they had an image when it began, and have none at its
    /// end.
    pub(crate) missing: Vec<Address>,
    /// What took the place of the portal; absent if the portal itself was read. A plan with this is shown, never applied.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) against: Option<AgainstName>,
    /// The program that made the plan, from `show`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) made_by: Option<Tool>,
    /// The changes, sorted by address.
    pub(crate) changes: Vec<PrintedChange>,
    /// Custom entries that are left alone.
    pub(crate) unmanaged: Vec<UnmanagedDocument>,
    /// Entries whose content could not be fetched, which are left alone too.
    pub(crate) unknown: Vec<UnknownDocument>,
    /// What was searched to find out whether codes are in use; absent if no search was requested.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) usage_coverage: Option<CoverageDocument>,
    /// The verdict of each guard.
    pub(crate) guards: Vec<VerdictDocument>,
    /// Counts.
    pub(crate) summary: PlanSummary,
    /// The run of apply, when it began.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) run: Option<RunDocument>,
    /// The digest of the plan; null when there is no plan.
    pub(crate) plan_sha256: Option<Digest>,
}

/// One change. The last four fields are present once apply began.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub(crate) struct PrintedChange {
    /// The entry.
    pub(crate) address: Address,
    /// What is done to it.
    pub(crate) action: ActionName,
    /// The reason for the change.
    pub(crate) reason: ReasonName,
    /// The other half of a rename.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) rename: Option<Address>,
    /// Who moved, by the history of the repository.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) origin: Option<OriginDocument>,
    /// The entry as it was; null for a create.
    pub(crate) before: Option<BeforeDocument>,
    /// The entry as it is planned; null for a delete.
    pub(crate) after: Option<AfterDocument>,
    /// How much of the image a replace changes; absent if one of the two images is not available or cannot be decoded.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) pixels: Option<PixelsDocument>,
    /// What must be true of the code for the change to be made.
    pub(crate) precondition: PreconditionDocument,
    /// Whether the code is in use, for an entry that is deleted or replaced; absent if no search was requested.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) usage: Option<CodeUsage>,
    /// The outcome of the change.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) outcome: Option<StepOutcomeName>,
    /// Why the outcome is not `applied`: one sentence.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) why: Option<String>,
    /// Whether any of its writes took effect; absent if that is unknown.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) wrote: Option<bool>,
    /// What the portal has under the code at the end, by the last reading; absent from `show`, because a run's folder
    /// does not keep it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) live: Option<LiveStateName>,
}

/// How much of an image changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(rename = "Pixels", deny_unknown_fields)]
pub(crate) struct PixelsDocument {
    /// How many pixels differ.
    pub(crate) changed: usize,
    /// How many pixels there are.
    pub(crate) total: usize,
}

/// Counts. A rename is one change: its create and its delete are not counted again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub(crate) struct PlanSummary {
    /// Adds.
    pub(crate) create: usize,
    /// Deletes followed by adds.
    pub(crate) replace: usize,
    /// Deletes.
    pub(crate) delete: usize,
    /// Images that get another code.
    pub(crate) renames: usize,
    /// Declared entries that need no change.
    pub(crate) unchanged: usize,
    /// Custom entries that are left alone.
    pub(crate) unmanaged: usize,
    /// System entries, which are never touched.
    pub(crate) system: usize,
    /// Changes that apply made as planned.
    pub(crate) applied: usize,
    /// Changes with the outcome `failed`.
    pub(crate) failed: usize,
    /// Changes with the outcome `recovered`: the new image was refused, and the old one is back.
    pub(crate) recovered: usize,
    /// Changes with the outcome `unknown`.
    pub(crate) unknown: usize,
    /// Renames that apply began and did not finish: the new code was added, and the old one was not deleted.
    pub(crate) unfinished: usize,
    /// Changes that apply did not begin.
    pub(crate) skipped: usize,
    /// Codes that are missing on the portal after an apply.
    pub(crate) missing: usize,
}

printed! {
    /// What a portal has under the code of a change.
    #[serde(rename_all = "lowercase")]
    #[schemars(rename = "Live")]
    LiveStateName = step::LiveState {
        /// The new image.
        New,
        /// The old image.
        Old,
        /// Something else.
        Other,
        /// Nothing.
        Absent,
        /// It was not read since something was sent for the code, or its image could not be fetched.
        Unknown,
    }
}

impl From<&Report> for PlanDocument {
    fn from(report: &Report) -> Self {
        let run = report.run.as_ref();
        let missing: Vec<_> = run.map(|run| run.missing.iter().cloned().collect()).unwrap_or_default();
        let mut document = Self {
            against: report.against.map(Into::into),
            guards: report.guards.iter().cloned().map(Into::into).collect(),
            run: run.map(RunDocument::from),
            plan_sha256: report.plan_sha256,
            ..Self::default()
        };
        if let Some(plan) = &report.plan {
            document.changes = plan.diff.changes.iter().map(|change| printed_change(change, plan, report)).collect();
            document.unmanaged = UnmanagedDocument::of(plan);
            document.unknown = plan.diff.unknown.iter().cloned().map(Into::into).collect();
            document.usage_coverage = plan.evidence.as_ref().map(|evidence| evidence.coverage.clone().into());
            document.summary = PlanSummary { missing: missing.len(), ..summary(plan, run) };
        }
        Self { missing, ..document }
    }
}

/// A stored plan, which may be another program's.
impl From<(&Report, &Tool)> for PlanDocument {
    fn from((report, made_by): (&Report, &Tool)) -> Self {
        Self { made_by: Some(made_by.clone()), ..Self::from(report) }
    }
}

fn printed_change(change: &Change, plan: &Plan, report: &Report) -> PrintedChange {
    let ChangeParts { address, action, reason, rename, before, after, precondition } = change.into();
    let run = report.run.as_ref();
    let step = run.and_then(|run| run.steps.get(&change.address));
    PrintedChange {
        address,
        action,
        reason,
        rename,
        origin: report.origins.get(&change.address).cloned().map(Into::into),
        before,
        after,
        pixels: pixels(change, plan),
        precondition,
        usage: plan.usage(change).map(Into::into),
        outcome: step.map(|step| step.outcome.into()),
        why: step.and_then(|step| step.why.clone()),
        wrote: step.and_then(|step| (step.wrote || step.outcome != StepOutcome::Unknown).then_some(step.wrote)),
        live: run.and_then(|run| run.live.get(&change.address)).map(|live| (*live).into()),
    }
}

/// How much of the image a replace changes, if both images are available.
fn pixels(change: &Change, plan: &Plan) -> Option<PixelsDocument> {
    let Action::Replace(_, after) = &change.action else { return None };
    let image = |digest| png::read(plan.contents.get(&digest)?).ok();
    let comparison = compare(&image(change.comparable_before()?.sha256)?, &image(after.content.sha256)?)?;
    Some(PixelsDocument { changed: comparison.changed, total: comparison.total })
}

/// The counts of a plan and of its steps.
fn summary(plan: &Plan, run: Option<&Run>) -> PlanSummary {
    let (counts, diff) = (plan.counts(), &plan.diff);
    let tally = run.map(|run| outcome::tally(run, plan)).unwrap_or_default();
    let ended = |outcome| tally.get(&outcome).copied().unwrap_or_default();
    PlanSummary {
        create: counts.create,
        replace: counts.replace,
        delete: counts.delete,
        renames: counts.rename,
        unchanged: diff.unchanged,
        unmanaged: diff.unmanaged.len(),
        system: diff.system,
        applied: ended(StepOutcome::Applied),
        failed: ended(StepOutcome::Failed),
        recovered: ended(StepOutcome::Recovered),
        unknown: ended(StepOutcome::Unknown),
        unfinished: run.map_or(0, |run| outcome::half_done(run, plan).len()),
        skipped: run.map_or(0, |run| outcome::not_begun(run, plan)),
        missing: 0,
    }
}

/// What `schema/plan.schema.json` describes: a plan as it is printed, or as it is saved.
pub(super) struct PlanFormats;

impl JsonSchema for PlanFormats {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "brandctl plan".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let printed = generator.subschema_for::<Printed<PlanDocument>>();
        let saved = generator.subschema_for::<Document>();
        schemars::json_schema!({
            "title": "brandctl plan",
            "description": "A plan, and its outcome: printed (format 2) by plan, apply, drift, restore and show, or saved (format 1) by `plan -o` and in a run's folder.",
            "anyOf": [printed, saved],
        })
    }
}
