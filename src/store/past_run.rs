//! What an earlier run did to the portal, from its journal and its plan, for the origins of changes.

use crate::domain::journal::{Ending, RunState};
use crate::domain::origin::past::ObjectId;
use crate::domain::origin::{PastOutcome, PastRun};
use crate::domain::step::StepOutcome;
use crate::format::{ActionName, Document};

/// The outcome of `run` for `plan`, its own plan.
pub(super) fn past_run(run: &RunState, plan: &Document) -> PastRun {
    let done = plan.changes.iter().map(|change| {
        let outcome = run.steps.get(&change.address).map(|step| step.outcome);
        let done = match (outcome, &change.after) {
            (Some(StepOutcome::Applied), Some(after)) => PastOutcome::Put(after.content.clone().into()),
            (Some(StepOutcome::Applied), None) => PastOutcome::Deleted,
            (Some(StepOutcome::Failed | StepOutcome::Skipped | StepOutcome::Recovered), _) => PastOutcome::Failed,
            (Some(StepOutcome::Unknown) | None, _) => PastOutcome::Unknown,
        };
        (change.address.folded(), done)
    });
    let commit = run.commit.as_deref();
    let kept = plan.changes.iter().filter(|change| change.action != ActionName::Delete).count();
    PastRun {
        id: run.run.clone(),
        commit: commit.and_then(|commit| ObjectId::parse(commit.trim_end_matches('+'))),
        complete: run.ended == Some(Ending::Finished)
            && run.applied() == plan.changes.len()
            && commit.is_some_and(|commit| !commit.ends_with('+')),
        looked_at: plan.summary.unchanged + kept,
        done: done.collect(),
    }
}
