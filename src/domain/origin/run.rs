//! What an earlier run says of who moved.

use std::collections::BTreeMap;

use super::past::ObjectId;
use crate::domain::asset::{FoldedCode, Kind};
use crate::domain::document::{ActionName, Document};
use crate::domain::journal::{Ending, RunState};
use crate::domain::report::Fate;
use crate::domain::state::Content;

/// An earlier run of this portal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PastRun {
    /// Its id.
    pub id: String,
    /// The commit that the manifest was at.
    pub commit: Option<ObjectId>,
    /// Whether it was finished with everything applied, from committed files only.
    pub complete: bool,
    /// How many declared entries it looked at.
    pub looked_at: usize,
    /// What it did to each entry that it was to change.
    pub done: BTreeMap<(Kind, FoldedCode), Done>,
}

/// What a run did to an entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Done {
    /// Since then it had this image.
    Put(Content),
    /// Since then it was gone.
    Deleted,
    /// It was not done as planned.
    Failed,
    /// What came of it was never found out.
    Unknown,
}

impl RunState {
    /// What this run did of `plan`, which is its own.
    #[must_use]
    pub fn record(&self, plan: &Document) -> PastRun {
        let done = plan.changes.iter().map(|change| {
            let fate = self.steps.get(&change.address).map(|step| step.fate);
            let done = match (fate, &change.after) {
                (Some(Fate::Applied), Some(after)) => Done::Put(after.content.clone()),
                (Some(Fate::Applied), None) => Done::Deleted,
                (Some(Fate::Failed | Fate::Skipped | Fate::Recovered), _) => Done::Failed,
                (Some(Fate::Unknown) | None, _) => Done::Unknown,
            };
            (change.address.folded(), done)
        });
        let commit = self.commit.as_deref();
        let kept = plan.changes.iter().filter(|change| change.action != ActionName::Delete).count();
        PastRun {
            id: self.run.clone(),
            commit: commit.and_then(|commit| ObjectId::parse(commit.trim_end_matches('+'))),
            complete: self.ended == Some(Ending::Finished)
                && self.applied() == plan.changes.len()
                && commit.is_some_and(|commit| !commit.ends_with('+')),
            looked_at: plan.summary.unchanged + kept,
            done: done.collect(),
        }
    }
}
