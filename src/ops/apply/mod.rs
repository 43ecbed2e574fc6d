//! Applies an approved plan: checks that the portal still matches the plan, keeps the old images, writes in the
//! plan's order, reads everything back.
//!
//! A step is judged by the portal, never by what was sent: after a lost answer, the portal is read until nothing can
//! change any more, and then what each step still lacks is sent.

mod copies;
mod ending;
mod error;
mod finish;
mod independent;
mod known;
mod replace;
mod send;
mod settle;
pub(in crate::ops) mod step_state;
mod tools;
mod verify;
mod way_back;
mod write;

use crate::domain::diff::Unbacked;
use crate::domain::guard::ApprovedPlan;
use crate::domain::resumption::Resumption;
use crate::format::Published;

use super::events::{Event, Stage};
use super::plan::Seen;
use super::ports::{ReadPortal, WritePortal};

pub use error::NotApplied;
pub use finish::Applied;
use known::RememberingJournal;
pub(crate) use step_state::{StartingPoint, start};
pub use tools::Tools;
use tools::WayBack;
use write::Writer;

/// Applies `approved`. `seen` is the portal as it was when the plan was made, if that was in this process; `resumed` is
/// what earlier runs of the same plan did that were cut short.
/// An error means that nothing was written. Once something may have been, every step has its result in the returned run.
pub async fn apply<P: ReadPortal + WritePortal>(
    approved: &Published<ApprovedPlan>,
    seen: Option<Seen>,
    resumed: &Resumption,
    tools: &Tools<'_, P>,
) -> Result<Option<Applied>, NotApplied> {
    let plan = approved.plan().plan();
    if plan.diff.changes.is_empty() {
        return Ok(None);
    }
    let observer = tools.reader.observer;
    observer.observe(Event::Stage { stage: Stage::Rechecking, total: None });
    let start = step_state::check(plan, seen, resumed, &tools.reader).await?;
    if tools.interrupt.is_raised() {
        return Err(NotApplied::Interrupted);
    }
    let prepared = tools.runs.prepare(approved)?;
    let without_copy = copies::keep(approved.plan(), seen, &start, tools, prepared.as_ref()).await?;
    let journal = RememberingJournal::new(prepared.begin()?, tools.reader.known);
    observer.observe(Event::Stage { stage: Stage::Writing, total: Some(plan.counts().changes()) });
    let way_back = if approved.plan().unbacked() == Unbacked::Change { WayBack::Proven } else { WayBack::Unproven };
    let writer = Writer::new(plan, tools, &journal, &start, way_back);
    write(&writer, &start).await;
    observer.observe(Event::Stage { stage: Stage::Verifying, total: None });
    writer.verify().await;
    let mut applied = writer.finish(without_copy);
    applied.run.done_before = start.done;
    Ok(Some(applied))
}

/// Sends the steps, in their order.
async fn write<P: ReadPortal + WritePortal>(writer: &Writer<'_, P>, start: &StartingPoint) {
    let changes = &writer.plan.diff.changes;
    for change in changes.iter().filter(|change| start.done.contains(&change.address)) {
        writer.applied(change);
    }
    // Nothing is written if it is known from the start that the second removal will not be sent.
    let removals = changes.iter().filter(|change| change.action.before().is_some()).count();
    if writer.tools.control.is_some() {
        writer.may_remove(removals).await;
    }
    writer.finish_replaces(&start.between).await;
    writer.creates().await;
    writer.replaces().await;
    writer.deletes().await;
}
