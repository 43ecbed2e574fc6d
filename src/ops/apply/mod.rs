//! Applies an approved plan: checks that the portal is still as the plan says, keeps the old images, writes in the
//! plan's order, reads everything back.
//!
//! A step is judged by the portal, never by what was sent: after an answer that was lost, the portal is read until two
//! readings agree, and what each step still lacks is what is sent next.

mod copies;
mod error;
mod independent;
mod replace;
mod send;
pub(in crate::ops) mod step_state;
mod tools;
mod verify;
mod write;

use std::collections::BTreeMap;

use tokio::time::Instant;

use crate::domain::asset::Address;
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
use write::Writer;

/// Applies `approved`. `seen` is what was seen of the portal when it was made, if that was in this process; `resumed` is
/// what runs of this same plan did that were cut short.
/// An error means that nothing was written. Once something may have been, every step has its result in the returned run.
pub async fn apply<P: ReadPortal + WritePortal>(
    approved: &Published<ApprovedPlan>,
    seen: Option<Seen>,
    resumed: &Resumption,
    tools: &Tools<'_, P>,
) -> Result<Option<Run>, NotApplied> {
    let plan = approved.plan().plan();
    if plan.diff.changes.is_empty() {
        return Ok(None);
    }
    let checked_at = Instant::now();
    let start = step_state::check(plan, seen, resumed, &tools.reader).await?;
    if tools.interrupt.is_raised() {
        return Err(NotApplied::Interrupted);
    }
    let prepared = tools.runs.prepare(approved)?;
    copies::keep(plan, seen, &start, tools, prepared.as_ref()).await?;
    let journal = prepared.begin()?;
    tools.reader.observer.observe(Event::Stage { stage: Stage::Writing, total: Some(plan.diff.changes.len()) });
    let writer = Writer::new(plan, tools, journal.as_ref(), checked_at);
    for change in plan.diff.changes.iter().filter(|change| start.done.contains(&change.address)) {
        writer.applied(change);
    }
    writer.finish_replaces(&start.between).await;
    writer.creates().await;
    writer.replaces().await;
    writer.deletes().await;
    tools.reader.observer.observe(Event::Stage { stage: Stage::Verifying, total: None });
    writer.verify().await;
    let steps = writer.finish();
    let whole = steps.values().all(|step| step.outcome == StepOutcome::Applied);
    let how = if tools.interrupt.is_raised() && !whole { Ending::Interrupted } else { Ending::Finished };
    conclude(journal.as_ref(), &steps, how);
    Ok(Some(Run { id: journal.id().to_owned(), folder: journal.folder().to_owned(), steps }))
}

/// Notes how each step and the run ended. A run with a step of unknown result stays open, and so does one whose
/// journal cannot be written any more: the next command looks at it again.
fn conclude(journal: &dyn Journal, steps: &BTreeMap<Address, StepResult>, how: Ending) {
    let mut lines: Vec<_> = JournalEntry::steps(steps).collect();
    if steps.values().all(|step| step.outcome != StepOutcome::Unknown) {
        lines.push(JournalEntry::end(steps.values(), how));
    }
    // An error here takes nothing back: what was done is on the portal and in the report.
    let _ = journal.append_all(&lines);
}
