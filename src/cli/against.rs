//! `plan --against`: an export takes the place of the portal. It looks for no credentials, writes no state folder and
//! settles no run. The plan that it makes has no connection, so it cannot be applied.

use std::cell::RefCell;
use std::path::Path;

use crate::domain::guard::Evaluated;
use crate::domain::report::Against;
use crate::format::Published;
use crate::ops;
use crate::ops::observe::{NoCache, Reader};
use crate::ops::origin::Record;
use crate::ops::plan::{Purpose, Request};
use crate::store::exported::ExportedPortal;

use super::attempt::Attempt;
use super::connection;
use super::context::Context;
use super::error::Failure;
use super::settings::PlanArgs;

/// Checks the repository, compares it with the export in `folder`, and lets the guards evaluate the plan.
pub(super) fn make(
    context: &Context<'_>,
    arguments: &PlanArgs,
    folder: &Path,
    attempt: &mut Attempt,
) -> Result<Published<Evaluated>, Failure> {
    attempt.against = Some(Against::Export);
    let only = arguments.select.selection().map_err(Failure::usage)?;
    let (manifest, desired) = attempt.check(context)?;
    let exported = ExportedPortal::open(folder).map_err(|findings| {
        context.spare_below(folder);
        Failure::invalid(findings)
    })?;
    context.spare(exported.files().map(|file| folder.join(file)))?;
    let source = exported.source();
    attempt.portal = Some(source.portal.clone());
    if !source.sandbox && !manifest.is_for(&source.portal) {
        return Err(connection::wrong_portal(
            &format!("the export is of {}", source.portal),
            &format!("the manifest is for {} only", manifest.portals.join(", ")),
            "name an export of that portal, or add this one to `portal`",
        ));
    }
    let history = context.repository.history(&manifest);
    let request = Request {
        portal: &source.portal,
        manifest: context.repository.name(),
        desired: &desired,
        only: &only,
        unbacked: arguments.guards.unbacked(),
        freshness: arguments.select.freshness(),
        purpose: Purpose::Read,
        // An export remembers no runs.
        record: Some(Record { history: &history, runs: &[] }),
    };
    let known = RefCell::default();
    let reader = Reader { portal: &exported, cache: &NoCache, observer: context.progress.as_ref(), known: &known };
    let mut planned = context.wait(ops::plan::plan(&request, &reader))??;
    context.repository.judge_checkout(&manifest, &planned.plan, &mut planned.counts_by_kind);
    attempt.evaluate(planned, desired.ownership(), arguments.allowances(&manifest.policy))
}
