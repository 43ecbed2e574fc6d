//! `brandctl restore`

use clap::Args;

use crate::domain::asset::Address;
use crate::domain::document::Document;
use crate::domain::finding::Finding;
use crate::domain::guard::{self, Refusal};
use crate::domain::plan::Plan;
use crate::domain::restore;
use crate::domain::state::Selection;
use crate::ops;
use crate::ops::observe::Freshness;

use super::exit::Exit;
use super::recovery;
use super::session::{Purpose, Session};
use super::settings::{Allowing, Globals, Settling};
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
    #[arg(value_name = "RUN|PLAN")]
    from: String,
    /// Only these entries, such as icon/acme-call
    #[arg(value_name = "ADDRESS")]
    addresses: Vec<Address>,
    #[command(flatten)]
    writing: Writing,
    #[command(flatten)]
    settling: Settling,
    #[command(flatten)]
    allowing: Allowing,
}

pub(super) fn run(globals: &Globals, arguments: &Arguments) -> Exit {
    let mut session = Session::new(globals, &arguments.settling);
    let approved = approve(&mut session, arguments);
    writing::carry_out(&mut session, approved, &arguments.writing, !arguments.writing.yes)
}

fn approve(session: &mut Session<'_>, arguments: &Arguments) -> Option<Approved> {
    writing::can_ask(session, &arguments.writing)?;
    let root = session.globals.state_root(session.repository.folder());
    let (old, from): (Plan, String) = match stored::find(&arguments.from, &root) {
        Ok(Stored::Plan(saved)) => (saved.plan, "the saved plan".to_owned()),
        Ok(Stored::Run(run)) => (run.plan, format!("run {}", run.state.run)),
        Err(finding) => {
            session.report.findings.push(*finding);
            return None;
        }
    };
    let manifest = session.parse()?;
    let ownership = manifest.ownership();
    let desired = match restore::desired(&old.changes, &old.contents, &arguments.addresses, &ownership, &from) {
        Ok(desired) => desired,
        Err(findings) => {
            session.report.findings.extend(findings);
            return None;
        }
    };
    let connection = session.connect(&manifest, Purpose::Write)?;
    if old.portal != connection.identity {
        let message = format!("{from} is of {}, and this is {}", old.portal.escape_debug(), connection.identity);
        session.stale(vec![Finding::error("plan-stale", message).help("nothing was written")]);
        return None;
    }
    recovery::settle(session, &connection)?;
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
    };
    let planned = session.plan(&request, &connection)?;
    let document = Document::of(&session.report);
    writing::show(session, &arguments.writing);
    if session.report.findings.iter().any(Finding::is_error) {
        return None;
    }
    match guard::approve(planned.plan, &ownership, &planned.censuses, allowances) {
        Ok(plan) => Some(Approved { plan, document, connection, cut_short: None }),
        Err(Refusal::Findings(findings)) => {
            session.stale(findings);
            None
        }
        // The report has the verdicts already.
        Err(Refusal::Guards(_)) => None,
    }
}
