//! `brandctl restore`

use clap::Args;

use crate::domain::asset::Address;
use crate::domain::diff::{Change, Diff};
use crate::domain::finding::Finding;
use crate::domain::guard::{self, Refusal};
use crate::domain::journal::Resumption;
use crate::domain::plan::{Contents, Plan};
use crate::domain::restore;
use crate::domain::state::Selection;
use crate::format::Document;
use crate::ops;
use crate::ops::observe::Freshness;

use super::complete;
use super::exit::Exit;
use super::recovery;
use super::session::{Purpose, Session};
use super::settings::{Globals, GuardArgs, SettleArgs};
use super::stored::{self, Stored};
use super::writing::{self, Approved, Writing};

/// Put back what a run replaced or deleted
///
/// Compares the run's old images with the portal, shows a plan, asks, and applies it, past the same guards as any plan.
/// What the manifest declares otherwise will be changed again by the next apply.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  brandctl restore 20261122T171045Z                     all of a run\n  brandctl restore 20261122T171045Z icon/acme-call      one entry\n  brandctl restore ./artifact/20261122T171045Z --yes    from a folder, such as a CI artifact\n  brandctl restore plan.json                            from a saved plan, which holds the old images too\n\nExit codes: as for apply."
)]
pub(super) struct Arguments {
    /// A run's id or folder, or a saved plan
    #[arg(value_name = "RUN|PLAN", add = complete::runs())]
    from: String,
    /// Only these entries, such as icon/acme-call
    #[arg(value_name = "ADDRESS", add = complete::addresses())]
    addresses: Vec<Address>,
    #[command(flatten)]
    writing: Writing,
    #[command(flatten)]
    settling: SettleArgs,
    #[command(flatten)]
    allowing: GuardArgs,
}

pub(super) fn run(globals: &Globals, arguments: &Arguments) -> Exit {
    let mut session = Session::new(globals, &arguments.settling);
    let approved = approve(&mut session, arguments);
    writing::carry_out(&mut session, approved, &arguments.writing, !arguments.writing.yes)
}

fn approve(session: &mut Session<'_>, arguments: &Arguments) -> Option<Approved> {
    writing::can_ask(session, &arguments.writing)?;
    let manifest = session.parse()?;
    let ownership = manifest.ownership();
    find(session, &arguments.from)?;
    let connection = session.connect(Some(&manifest), Purpose::Write)?;
    recovery::settle(session, &connection)?;
    // Settling may have found out more of what the run did.
    let Old { portal, changes, contents, from } = find(session, &arguments.from)?;
    if portal != connection.identity {
        let message = format!("{from} is of {}, and this is {}", portal.escape_debug(), connection.identity);
        session.stale(vec![Finding::error("plan-stale", message).help("nothing was written")]);
        return None;
    }
    let desired = match restore::desired(&changes, &contents, &arguments.addresses, &ownership, &from) {
        Ok(desired) => desired,
        Err(findings) => {
            session.report.findings.extend(findings);
            return None;
        }
    };
    let allowances = arguments.allowing.allowances(&manifest.policy);
    let manifest_name = session.repository.name().to_owned();
    let only = Selection::Named(desired.entries().keys().map(Address::folded).collect());
    let request = ops::plan::Request {
        portal: &connection.identity,
        manifest: &manifest_name,
        desired: &desired,
        only: &only,
        allowances,
        freshness: Freshness::Cached,
        purpose: ops::plan::Purpose::Apply,
        record: None,
    };
    let planned = session.plan(&request, &connection)?;
    let document = Document::from(&session.report);
    writing::show(session, &arguments.writing);
    if session.report.findings.iter().any(Finding::is_error) {
        return None;
    }
    match guard::approve(planned.plan, &ownership, &planned.counts_by_kind, allowances) {
        Ok(plan) => Some(Approved { plan, document, connection, seen: planned.seen, resumed: Resumption::default() }),
        Err(Refusal::Findings(findings)) => {
            session.stale(findings);
            None
        }
        // The report has the verdicts already.
        Err(Refusal::Guards(_)) => None,
    }
}

/// What can be restored from.
struct Old {
    portal: String,
    /// What was replaced or deleted.
    changes: Vec<Change>,
    contents: Contents,
    /// How the user knows it.
    from: String,
}

/// Finds a saved plan, or what a run did. `None` when there is none; why is in the report.
fn find(session: &mut Session<'_>, name: &str) -> Option<Old> {
    let root = session.globals.state_root(session.repository.folder());
    match stored::find(name, &root) {
        // Nothing was applied of it, so there is nothing to put back.
        Ok(Stored::Plan(saved)) if saved.document.against.is_some() => {
            let message =
                "nothing can be restored from this plan: it was made against an export, and was never applied";
            session.report.findings.push(Finding::error("plan", message));
            None
        }
        Ok(Stored::Plan(saved)) => {
            let Plan { portal, diff, contents, .. } = saved.plan;
            Some(Old { portal, changes: diff.changes, contents, from: "the saved plan".to_owned() })
        }
        Ok(Stored::Run(run)) => {
            let Plan { portal, diff: Diff { mut changes, .. }, contents, .. } = run.plan;
            changes.retain(|change| run.state.may_have_changed(&change.address));
            Some(Old { portal, changes, contents, from: format!("run {}", run.state.run) })
        }
        Err(finding) => {
            session.report.findings.push(*finding);
            None
        }
    }
}
