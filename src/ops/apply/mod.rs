//! Applies an approved plan: checks that the portal is still as the plan says, keeps the old images, writes in the
//! plan's order, reads everything back.
//!
//! A step is judged by the portal, never by what was sent: after an answer that was lost, the portal is read until nothing can
//! move any more, and what each step still lacks is what is sent next.

mod copies;
mod error;
mod independent;
mod replace;
mod settle;
pub(in crate::ops) mod step_state;
mod tools;
mod verify;
mod way_back;
mod write;

use std::collections::BTreeMap;
use std::time::Duration;

use crate::domain::asset::Address;
use crate::domain::finding::Finding;
use crate::domain::guard::ApprovedPlan;
use crate::domain::journal::{Ending, JournalEntry, Resumption};
use crate::domain::report::Run;
use crate::domain::step::{StepOutcome, StepResult};
use crate::format::Published;

use super::events::{Event, Stage};
use super::plan::Seen;
use super::ports::{Journal, ReadPortal, WritePortal};

pub use error::NotApplied;
pub(crate) use step_state::{StartingPoint, start};
pub use tools::Tools;
use way_back::WayBack;
use write::Writer;

/// A run that was made, and what there is to say beside its steps.
#[derive(Debug)]
pub struct Applied {
    /// The run.
    pub run: Run,
    /// Warnings.
    pub findings: Vec<Finding>,
}

/// Applies `approved`. `seen` is what was seen of the portal when it was made, if that was in this process; `resumed` is
/// what runs of this same plan did that were cut short.
/// An error means that nothing was written. Once something may have been, every step has its result in the returned run.
pub async fn apply<P: ReadPortal + WritePortal>(
    approved: &Published<ApprovedPlan>,
    seen: Option<&Seen>,
    resumed: &Resumption,
    tools: &Tools<'_, P>,
) -> Result<Option<Applied>, NotApplied> {
    let plan = approved.plan().plan();
    if plan.diff.changes.is_empty() {
        return Ok(None);
    }
    let start = step_state::check(plan, seen, resumed, &tools.reader).await?;
    if tools.interrupt.is_raised() {
        return Err(NotApplied::Interrupted);
    }
    let prepared = tools.runs.prepare(approved)?;
    copies::keep(plan, seen, &start, tools, prepared.as_ref()).await?;
    let journal = prepared.begin()?;
    tools.reader.observer.observe(Event::Stage { stage: Stage::Writing, total: Some(plan.diff.changes.len()) });
    let way_back = if approved.plan().allows_unbacked() { WayBack::Proven } else { WayBack::Unproven };
    let control = seen.and_then(|seen| seen.control.as_ref());
    let writer = Writer::new(plan, tools, journal.as_ref(), &start, (way_back, control));
    write(&writer, &start).await;
    tools.reader.observer.observe(Event::Stage { stage: Stage::Verifying, total: None });
    writer.verify().await;
    let open = writer.open_for(plan.diff.changes.iter());
    let mut findings = writer.not_read_back();
    let steps = writer.finish();
    let whole = steps.values().all(|step| step.outcome == StepOutcome::Applied);
    let how = if tools.interrupt.is_raised() && !whole { Ending::Interrupted } else { Ending::Finished };
    conclude(journal.as_ref(), &steps, how, open);
    findings.extend(still_open(journal.id(), open));
    let run = Run { id: journal.id().to_owned(), folder: journal.folder().to_owned(), steps };
    Ok(Some(Applied { run, findings }))
}

/// Sends the steps, in their order.
async fn write<P: ReadPortal + WritePortal>(writer: &Writer<'_, P>, start: &StartingPoint) {
    let changes = &writer.plan.diff.changes;
    for change in changes.iter().filter(|change| start.done.contains(&change.address)) {
        writer.applied(change);
    }
    // Nothing is written where it can be known from the outset that the second removal will not be sent.
    let removals = changes.iter().filter(|change| change.action.before().is_some()).count();
    if writer.control.is_some() {
        writer.may_remove(removals).await;
    }
    writer.finish_replaces(&start.between).await;
    writer.creates().await;
    writer.replaces().await;
    writer.deletes().await;
}

/// Notes how each step and the run ended. A run with a step of unknown result stays open, and so does one whose
/// journal cannot be written any more: the next command looks at it again. One with a request that may still be carried out
/// stays open as long.
fn conclude(journal: &dyn Journal, steps: &BTreeMap<Address, StepResult>, how: Ending, open: Duration) {
    let mut lines: Vec<_> = JournalEntry::steps(steps).collect();
    if steps.values().all(|step| step.outcome != StepOutcome::Unknown) {
        lines.push(match open {
            Duration::ZERO => JournalEntry::end(steps.values(), how),
            _ => JournalEntry::Concluded { how },
        });
    }
    // An error here takes nothing back: what was done is on the portal and in the report.
    let _ = journal.append_all(&lines);
}

/// What there is to say of a run whose requests may still be carried out.
fn still_open(run: &str, open: Duration) -> Option<Finding> {
    let seconds = open.as_secs_f64().ceil();
    let message = format!(
        "a request of the run {run} had no answer, and may still be carried out for {seconds} s: the run stays open until then"
    );
    let finding = Finding::warning("run-open", message);
    (!open.is_zero()).then(|| finding.help("the next apply waits for that; plan and drift say that the portal may still change"))
}
