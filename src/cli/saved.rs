//! Saved plans: taken up only when they are whole, for this portal and this manifest, and past the guards once more.

use std::path::Path;

use crate::domain::diff::Action;
use crate::domain::finding::Finding;
use crate::domain::guard::{self, Refusal};
use crate::domain::journal::Resumption;
use crate::domain::manifest::Manifest;
use crate::domain::plan::Plan;
use crate::domain::rules;
use crate::format::SavedPlan;
use crate::ops::apply;
use crate::ops::plan::counts_by_kind;
use crate::ops::ports::{PortalError, ReadArt as _, ReadPortal as _};

use super::recovery;
use super::session::{Purpose, Session};
use super::settings::PlanArgs;
use super::stored;
use super::writing::Approved;

/// Takes up a saved plan: it must be whole, for this portal and this manifest, and pass the guards again.
pub(super) fn take_up(session: &mut Session<'_>, path: &Path, comparing: &PlanArgs) -> Option<Approved> {
    let SavedPlan { document, plan, digest } = match stored::saved_plan(path).and_then(applicable) {
        Ok(saved) => saved,
        Err(finding) => {
            session.report.findings.push(*finding);
            return None;
        }
    };
    let manifest = session.parse()?;
    let connection = session.connect(Some(&manifest), Purpose::Write)?;
    session.report.plan_sha256 = Some(digest);
    if plan.portal != connection.identity {
        let message = format!("the plan is for {}, and this is {}", plan.portal.escape_debug(), connection.identity);
        session.stale(vec![Finding::error("plan-stale", message).help("nothing was written")]);
        return None;
    }
    session.report.plan = Some(plan.clone());
    let broken = forbidden(&manifest, &plan);
    if !broken.is_empty() {
        session.stale(broken);
        return None;
    }
    let resumed = Resumption::of(recovery::settle(session, &connection)?, digest);
    let declared = session.repository.declared(&manifest);
    let ownership = manifest.ownership();
    let weighed = session.read(async {
        let listing = connection.client.list().await?;
        let start = apply::start(&plan, &listing, &resumed, &session.eyes(&connection)).await;
        Ok::<_, PortalError>((counts_by_kind(&ownership, &listing, &declared), start))
    });
    let (mut counts_by_kind, start) = match weighed {
        Ok(Ok((counts_by_kind, Ok(start)))) => (counts_by_kind, start),
        Ok(Ok((_, Err(found)))) => {
            session.stale(found);
            return None;
        }
        Ok(Err(error)) => {
            session.fail(&error);
            return None;
        }
        Err(cut) => {
            session.cut_short(&cut);
            return None;
        }
    };
    // What this very plan deleted before it was cut short was owned when it began.
    for change in &plan.diff.changes {
        let deleted = matches!(change.action, Action::Delete(_)) && start.done.contains(&change.address);
        if let Some(counts) = counts_by_kind.get_mut(&change.address.kind)
            && (deleted || start.between.contains(&change.address))
        {
            counts.owned += 1;
        }
    }
    let allowances = comparing.allowances(&manifest.policy);
    session.report.guards = guard::judge(&plan, &ownership, &counts_by_kind, allowances);
    match guard::approve(plan, &ownership, &counts_by_kind, allowances) {
        Ok(plan) => Some(Approved { plan, document, connection, seen: None, resumed }),
        Err(Refusal::Findings(findings)) => {
            session.stale(findings);
            None
        }
        // The report has the verdicts already.
        Err(Refusal::Guards(_)) => None,
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

/// What the present rules find wrong with the images of a saved plan.
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
