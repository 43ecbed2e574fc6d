//! The steps that commands with a comparison share: from the options to a plan that the guards evaluated.

use crate::domain::asset::{Address, Kind};
use crate::domain::diff::Unbacked;
use crate::domain::guard::Evaluated;
use crate::domain::manifest::Manifest;
use crate::domain::state::{ControlImage, DesiredState};
use crate::domain::usage::Items;
use crate::format::Published;
use crate::ops;
use crate::ops::origin::Record;
use crate::ops::plan::{Planned, Purpose, Request, Seen};
use crate::ops::ports::PAGES_AT_ONCE;
use crate::portal::Rate;
use crate::store::runs::RunStore;
use crate::store::state_dir::StateError;

use super::attempt::Attempt;
use super::connection::Connection;
use super::context::Context;
use super::error::Failure;
use super::output;
use super::recovery;
use super::settings::{PlanArgs, SelectArgs};

/// An evaluated plan and what is needed to apply it.
pub(super) struct Made {
    pub(super) plan: Published<Evaluated>,
    pub(super) connection: Connection,
    pub(super) seen: Option<Seen>,
    /// An entry that the plan does not change.
    pub(super) control: Option<ControlImage>,
}

/// A plan that is not evaluated yet, and its inputs.
pub(super) struct Compared {
    pub(super) connection: Connection,
    pub(super) manifest: Manifest,
    pub(super) desired: DesiredState,
    pub(super) planned: Planned,
}

/// Checks, reads, compares, looks for codes in use if the options ask for it, and lets the guards evaluate the plan.
pub(super) fn make(
    context: &Context<'_>,
    arguments: &PlanArgs,
    purpose: Purpose,
    attempt: &mut Attempt,
) -> Result<Made, Failure> {
    let items = arguments.usage.items()?;
    let Compared { connection, manifest, desired, mut planned } =
        compare(context, &arguments.select, arguments.guards.unbacked(), purpose, attempt)?;
    let checked = items.map_or(Ok(()), |items| check_usage(context, &connection, &mut planned, &items));
    let (seen, control) = (planned.seen, planned.control.clone());
    context.repository.judge_checkout(&manifest, &planned.plan, &mut planned.counts_by_kind);
    // A plan that was made is shown, even if the search for codes in use was cut short.
    let plan = attempt.evaluate(planned, desired.ownership(), arguments.allowances(&manifest.policy))?;
    checked?;
    Ok(Made { plan, connection, seen, control })
}

pub(super) fn compare(
    context: &Context<'_>,
    select: &SelectArgs,
    unbacked: Unbacked,
    purpose: Purpose,
    attempt: &mut Attempt,
) -> Result<Compared, Failure> {
    let only = select.selection().map_err(Failure::usage)?;
    let (manifest, desired) = attempt.check(context)?;
    let connection = attempt.connect(context, Some(&manifest), purpose)?;
    recovery::settle(context, &connection, attempt)?;
    let history = context.repository.history(&manifest);
    let runs = RunStore::new(connection.state.clone(), None).record().map_err(StateError::from)?;
    let request = Request {
        portal: &connection.identity,
        manifest: context.repository.name(),
        desired: &desired,
        only: &only,
        unbacked,
        freshness: select.freshness(),
        purpose,
        record: Some(Record { history: &history, runs: &runs }),
    };
    let planned = context.wait(ops::plan::plan(&request, &connection.reader(context)))??;
    connection.save_cache(context, &planned.listing);
    Ok(Compared { connection, manifest, desired, planned })
}

/// Looks for the codes that a plan deletes or replaces in log entries; what is found becomes a part of the plan.
fn check_usage(
    context: &Context<'_>,
    connection: &Connection,
    planned: &mut Planned,
    items: &Items,
) -> Result<(), Failure> {
    warn_if_slow(context, items, &planned.plan.removed_or_replaced().cloned().collect::<Vec<_>>());
    let reader = connection.reader(context);
    let checked = ops::usage::check(&planned.plan, items, &reader);
    if let Some((evidence, findings)) = context.wait(checked)? {
        planned.plan.evidence = Some(evidence);
        planned.findings.extend(findings);
    }
    Ok(())
}

/// Announces how long a search of many items takes, before it begins.
pub(super) fn warn_if_slow(context: &Context<'_>, items: &Items, codes: &[Address]) {
    /// The minimum number of requests for a note.
    const MANY: usize = 20;
    let (count, requests) = (items.count(), items.count().div_ceil(PAGES_AT_ONCE));
    if requests <= MANY || codes.iter().all(|address| address.kind == Kind::Logo) {
        return;
    }
    // A burst is sent at once, unless something else used it up.
    let burst = usize::try_from(Rate::default().burst).unwrap_or(usize::MAX);
    let seconds = u32::try_from(requests.saturating_sub(burst)).map_or(f64::INFINITY, f64::from) / context.globals.rps;
    let late = if seconds > context.globals.timeout.as_secs_f64() {
        ", which is more than --timeout allows: what is not read by then stays unknown"
    } else {
        ""
    };
    let message = format!("note: {count} items take at least {requests} requests and {seconds:.0} s{late}");
    output::note(context.globals, &message);
}
