//! Settles runs that were cut short: finds out what they had done, writes it into their journals, and closes them. The
//! portal is only read; what is left to do is for the ordinary diff.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::domain::finding::Finding;
use crate::domain::journal::{Ending, JournalEntry, RunState};
use crate::domain::plan::StepState;
use crate::domain::step::{StepOutcome, StepResult};

use super::apply::step_state::{self, Unsettled};
use super::observe::Reader;
use super::ports::{OpenRun, PortalError, ReadPortal, Runs, StoreError};

/// The reason why open runs could not be settled.
#[derive(Debug, thiserror::Error)]
pub enum NotSettled {
    /// The portal cannot be read.
    #[error(transparent)]
    Portal(#[from] PortalError),
    /// Two readings of the portal never agreed.
    #[error("run {0} was cut short, and the portal kept changing while it was read")]
    NeverSettled(String),
    /// The state folder cannot be used.
    #[error("the state folder cannot be used: {0}")]
    Store(#[from] StoreError),
}

/// Whether a journal gets its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Closing {
    /// It does.
    Write,
    /// The state folder cannot be written: the next command that can finds the run open again.
    Leave,
}

/// Settles and closes every open run. Returns a finding about each for the user.
/// After an error, the runs that are not settled stay open.
pub async fn settle(
    runs: &dyn Runs,
    reader: &Reader<'_, impl ReadPortal>,
    apart: Duration,
    closing: Closing,
) -> Result<Vec<Finding>, NotSettled> {
    let mut findings = Vec::new();
    for OpenRun { mut state, changes } in runs.open()? {
        // Only what a request may have left for is looked at; the rest was never sent.
        let (sent, unsent): (Vec<_>, Vec<_>) = changes.iter().partition(|change| state.sent(&change.address));
        let states = if sent.is_empty() {
            BTreeMap::new()
        } else {
            step_state::settled(&sent, reader, apart).await.map_err(|unsettled| match unsettled {
                Unsettled::Unread(error) => NotSettled::Portal(error),
                Unsettled::NeverSettled => NotSettled::NeverSettled(state.run.clone()),
            })?
        };
        let missing = states.iter().filter(|(_, state)| **state == StepState::Between);
        let missing: Vec<_> = missing.map(|(address, _)| address.to_string()).collect();
        state.steps = states.into_iter().map(|(address, state)| (address, judge(state))).collect();
        state.steps.extend(unsent.into_iter().map(|change| (change.address.clone(), skipped("it was not sent"))));
        let end = JournalEntry::end(state.steps.values(), Ending::CutShort);
        let entries: Vec<_> = JournalEntry::steps(&state.steps).chain([end]).collect();
        if closing == Closing::Write {
            runs.close(&state, &entries)?;
        }
        findings.push(finding(&state, &missing));
    }
    Ok(findings)
}

fn judge(state: StepState) -> StepResult {
    match state {
        StepState::Done => StepResult { outcome: StepOutcome::Applied, why: None, wrote: true },
        StepState::Pending => skipped("it took no effect"),
        StepState::Between => StepResult {
            outcome: StepOutcome::Failed,
            why: Some("the old image was deleted, and the new one is not there".to_owned()),
            wrote: true,
        },
        StepState::Diverged(why) | StepState::Unseen(why) => {
            StepResult { outcome: StepOutcome::Unknown, why: Some(why), wrote: false }
        }
    }
}

fn skipped(why: &str) -> StepResult {
    StepResult { outcome: StepOutcome::Skipped, why: Some(why.to_owned()), wrote: false }
}

fn finding(state: &RunState, missing: &[String]) -> Finding {
    let mut message = format!(
        "the run {} of {} was cut short: {} of {} changes took effect",
        state.run,
        state.began,
        state.applied(),
        state.steps.len(),
    );
    if missing.is_empty() {
        return Finding::warning("run-cut-short", message).help("what is left to do is in the plan");
    }
    message.push_str(&format!("; missing on the portal: {}", missing.join(", ")));
    let help =
        format!("what is declared is created again; an old image comes back with `brandctl restore {}`", state.run);
    Finding::warning("run-cut-short", message).help(help)
}
