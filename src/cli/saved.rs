//! Saved plans: accepted only if they are complete and for this portal and this manifest, and pass the guards again.

use std::path::Path;

use crate::domain::diff::Action;
use crate::domain::finding::Finding;
use crate::domain::guard::CountsByKind;
use crate::domain::manifest::Manifest;
use crate::domain::plan::Plan;
use crate::domain::resumption::Resumption;
use crate::domain::rules::{self, Aim};
use crate::format::SavedPlan;
use crate::ops;
use crate::ops::apply::{self, StartingPoint};
use crate::ops::events::{Event, Observer as _, Stage};
use crate::ops::plan::{Purpose, counts_by_kind};
use crate::ops::ports::{PortalError, ReadArt as _, ReadPortal as _};
use crate::ops::validate;

use super::attempt::Attempt;
use super::context::Context;
use super::error::Failure;
use super::recovery;
use super::settings::PlanArgs;
use super::stored;
use super::writing::Approved;

/// Accepts a saved plan: it must be complete and for this portal and this manifest, and pass the guards again.
pub(super) fn take_up(
    context: &Context<'_>,
    path: &Path,
    options: &PlanArgs,
    attempt: &mut Attempt,
) -> Result<Approved, Failure> {
    let saved = stored::saved_plan(path).and_then(applicable)?;
    let manifest = attempt.parse(context)?;
    let connection = attempt.connect(context, Some(&manifest), Purpose::Write)?;
    attempt.plan_sha256 = Some(saved.digest());
    let plan = saved.plan();
    connection.must_be(&plan.portal, "the plan is for")?;
    attempt.plan = Some(plan.clone());
    let forbidden = forbidden(&manifest, plan);
    if !forbidden.is_empty() {
        return Err(Failure::stale(forbidden));
    }
    let resumed = Resumption::of(recovery::settle(context, &connection, attempt)?, saved.digest());
    let declared = context.repository.declared(&manifest);
    let ownership = manifest.ownership();
    // The art that is declared now may not be valid: the plan has images of its own.
    let desired =
        validate::validate(context.repository.name(), &context.repository, Aim::DesiredState, &*context.progress);
    let desired = desired.checked.desired;
    context.progress.observe(Event::Stage { stage: Stage::Listing, total: None });
    let (mut counts_by_kind, start, control) = context.wait(async {
        let (reader, listing) = (connection.reader(context), connection.client.list().await?);
        let start = apply::start(plan, &listing, &resumed, &reader).await;
        let control = match &desired {
            Some(desired) => ops::plan::control(&listing, desired, &plan.diff, &reader).await,
            None => None,
        };
        Ok::<_, PortalError>((counts_by_kind(&ownership, &listing, &declared), start, control))
    })??;
    count_own_deletes(&mut counts_by_kind, plan, &start.map_err(Failure::stale)?);
    context.repository.judge_checkout(&manifest, plan, &mut counts_by_kind);
    let evaluated = saved.evaluate(&ownership, &counts_by_kind, options.allowances(&manifest.policy));
    attempt.evaluated(&evaluated);
    let next = context.globals.next();
    Ok(Approved { plan: evaluated.approve()?, connection, seen: None, control, resumed, next })
}

/// Counts the entries that this plan deleted before it was cut short: they were owned when it began.
fn count_own_deletes(counts_by_kind: &mut CountsByKind, plan: &Plan, start: &StartingPoint) {
    for change in &plan.diff.changes {
        let deleted = matches!(change.action, Action::Delete(_)) && start.done.contains(&change.address);
        if let Some(counts) = counts_by_kind.get_mut(&change.address.kind)
            && (deleted || start.between.contains(&change.address))
        {
            counts.owned += 1;
        }
    }
}

fn applicable(saved: SavedPlan) -> Result<SavedPlan, Box<Finding>> {
    match saved.obstacle() {
        None => Ok(saved),
        Some(why) => {
            let finding = Finding::error("plan", format!("the plan cannot be applied: {why}"));
            Err(Box::new(finding.help("make a new one with `brandctl plan -o`")))
        }
    }
}

/// The findings of the current rules about the images of a saved plan.
fn forbidden(manifest: &Manifest, plan: &Plan) -> Vec<Finding> {
    plan.diff
        .changes
        .iter()
        .filter_map(|change| {
            let after = change.action.after()?;
            Some(rules::check_planned(
                manifest,
                &change.address,
                &after.file,
                plan.contents.get(&after.content.sha256)?,
            ))
        })
        .flatten()
        .filter(Finding::is_error)
        .collect()
}
