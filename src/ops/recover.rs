//! Settles runs that were cut short or whose requests could still be carried out: finds out what they did, writes it into
//! their journals, and closes them. The portal is only read; the ordinary diff has what is left to do.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::domain::diff::Change;
use crate::domain::finding::Finding;
use crate::domain::journal::{Ending, JournalEntry, RunCommand, RunState};
use crate::domain::plan::StepState;
use crate::domain::report::{self, NextCommands};
use crate::domain::step::{StepOutcome, StepResult};
use crate::domain::unanswered::{self, OpenWindow};
use crate::text;

use super::apply::step_state::{self, Unsettled};
use super::events::{Event, Stage};
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
    /// The command has no time to wait until a request cannot be carried out any more.
    #[error("{0}, and --timeout leaves no time to wait for that")]
    NoTime(String),
    /// The state folder cannot be used.
    #[error("the state folder cannot be used: {0}")]
    Store(#[from] StoreError),
}

/// Whether journals are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Closing {
    /// They are.
    Write,
    /// The state folder cannot be written: the next command that can write it finds the run open again.
    Leave,
}

/// The handling of a request that may still be carried out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Patience {
    /// The command waits for it: nothing is sent before.
    Wait,
    /// The command reports that the portal may still change.
    Tell,
}

/// How runs are settled.
#[derive(Debug, Clone, Copy)]
pub struct Settling {
    /// For how long a request without an answer may still be carried out after its last byte was sent.
    pub settle: Duration,
    /// Whether journals are written.
    pub closing: Closing,
    /// The handling of a request that may still be carried out.
    pub patience: Patience,
    /// The clock: the time since 1970.
    pub now: fn() -> Duration,
}

/// What requests of open runs may still do, as far as their journals say now: this writes nothing and does not wait. A
/// run that began after `since` is that of the running process.
pub fn tell(runs: &dyn Runs, settle: Duration, now: Duration, since: Option<&str>) -> Result<Vec<Finding>, NotSettled> {
    let open = runs.open()?;
    let windows = open.iter().filter_map(|OpenRun { state, .. }| {
        let is_at_work = since.is_some_and(|since| state.began.as_str() >= since.trim_end_matches('Z'));
        let window = if is_at_work { state.window_at_work(now, settle) } else { state.window(now, settle) };
        Some(may_change(state, &window?))
    });
    Ok(windows.collect())
}

/// Settles and closes every open run. Returns the findings about them for the user.
/// After an error, the runs that are not settled stay open.
pub async fn settle(
    runs: &dyn Runs,
    reader: &Reader<'_, impl ReadPortal>,
    next: &NextCommands,
    how: Settling,
) -> Result<Vec<Finding>, NotSettled> {
    let mut findings = Vec::new();
    for run in runs.open()? {
        if let Some(window) = run.state.window((how.now)(), how.settle) {
            let noted = match (window.counts_from_now, how.closing) {
                (true, Closing::Write) => runs.append(&run.state, &[JournalEntry::Seen]),
                _ => Ok(()),
            };
            match how.patience {
                // That is true, whether it can be noted or not.
                Patience::Tell => {
                    findings.push(may_change(&run.state, &window));
                    continue;
                }
                Patience::Wait => {
                    noted?;
                    wait(&run.state, &window, reader).await?;
                }
            }
        }
        findings.extend(close(runs, run, reader, how).await?.map(|closed| finding(&closed, next)));
    }
    Ok(findings)
}

/// Waits until nothing of a run can be carried out any more.
async fn wait(run: &RunState, window: &OpenWindow, reader: &Reader<'_, impl ReadPortal>) -> Result<(), NotSettled> {
    if reader.portal.time_left() < window.left {
        return Err(NotSettled::NoTime(open(run, window)));
    }
    let why = format!("a request of run {} may still be carried out", run.run);
    reader.observer.observe(Event::Stage { stage: Stage::Settling, total: None });
    reader.observer.observe(Event::Waiting { why, wait: window.left });
    tokio::time::sleep(window.left).await;
    Ok(())
}

/// A run that was cut short, and what is known of it now.
struct ClosedRun {
    state: RunState,
    /// How many of its changes took effect, and of how many.
    counts: (usize, usize),
    /// The codes that are missing on the portal.
    missing: Vec<String>,
}

/// Finds out what a run did, once nothing of it can be carried out any more, and closes it.
async fn close(
    runs: &dyn Runs,
    OpenRun { mut state, changes }: OpenRun,
    reader: &Reader<'_, impl ReadPortal>,
    Settling { settle, closing, .. }: Settling,
) -> Result<Option<ClosedRun>, NotSettled> {
    let write = |state: &RunState, entries: &[JournalEntry]| match closing {
        Closing::Write => runs.append(state, entries),
        Closing::Leave => Ok(()),
    };
    // It is known how each of its steps ended.
    if let Some(how) = state.concluded {
        write(&state, &[JournalEntry::end(state.steps.values(), how)])?;
        return Ok(None);
    }
    let missing = judge_all(&mut state, &changes, reader, settle).await?;
    let end = JournalEntry::end(state.steps.values(), Ending::CutShort);
    let entries: Vec<_> = JournalEntry::steps(&state.steps).chain([end]).collect();
    write(&state, &entries)?;
    let counts = report::counts(&state, &changes);
    Ok(Some(ClosedRun { state, counts, missing }))
}

/// Notes the state of each step of a run. Returns the codes that are missing.
async fn judge_all(
    state: &mut RunState,
    changes: &[Change],
    reader: &Reader<'_, impl ReadPortal>,
    settle: Duration,
) -> Result<Vec<String>, NotSettled> {
    // Only steps whose request may have left are read; the rest was never sent.
    let (sent, unsent): (Vec<_>, Vec<_>) = changes.iter().partition(|change| state.sent(&change.address));
    let states = if sent.is_empty() {
        BTreeMap::new()
    } else {
        reader.observer.observe(Event::Stage { stage: Stage::Settling, total: None });
        step_state::settled(&sent, reader, unanswered::apart(settle)).await.map_err(|unsettled| match unsettled {
            Unsettled::Unread(error) => NotSettled::Portal(error),
            Unsettled::NeverSettled => NotSettled::NeverSettled(state.run.clone()),
        })?
    };
    let missing = states.iter().filter(|(_, state)| **state == StepState::Between);
    let missing: Vec<_> = missing.map(|(address, _)| address.to_string()).collect();
    state.steps = states.into_iter().map(|(address, state)| (address, judge(state))).collect();
    state.steps.extend(unsent.into_iter().map(|change| (change.address.clone(), skipped("it was not sent"))));
    Ok(missing)
}

/// What may still be carried out, as the beginning of a sentence.
fn open(run: &RunState, window: &OpenWindow) -> String {
    let seconds = window.left.as_secs_f64().ceil();
    let codes = text::first_names(window.codes.iter(), 3);
    format!("a request of the run {} had no answer, and may still be carried out for {seconds} s: {codes}", run.run)
}

/// The finding about a portal that may still change.
fn may_change(run: &RunState, window: &OpenWindow) -> Finding {
    let message = format!("the portal may still change: {}", open(run, window));
    Finding::error("may-change", message).help("wait, then run it again; `brandctl apply` waits by itself")
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
        StepState::Diverged(why) | StepState::Unseen { why, .. } => {
            StepResult { outcome: StepOutcome::Unknown, why: Some(why), wrote: false }
        }
    }
}

fn skipped(why: &str) -> StepResult {
    StepResult { outcome: StepOutcome::Skipped, why: Some(why.to_owned()), wrote: false }
}

/// The finding about a run that was cut short.
fn finding(ClosedRun { state, counts, missing }: &ClosedRun, next: &NextCommands) -> Finding {
    let (applied, all) = counts;
    let mut message =
        format!("the run {} of {} was cut short: {applied} of {all} changes took effect", state.run, state.began);
    if missing.is_empty() {
        return Finding::warning("run-cut-short", message).help("the plan has what is left to do");
    }
    message.push_str(&format!("; missing on the portal: {}", missing.join(", ")));
    let help = match state.command {
        // Its own copies are of the images that it took away.
        Some(RunCommand::Restore) => {
            "run the same restore again, or apply: declared entries are created again".to_owned()
        }
        _ => {
            let restore = next.typed(&format!("restore {}", state.run));
            format!("declared entries are created again; `{restore}` puts old images back")
        }
    };
    Finding::warning("run-cut-short", message).help(help)
}
