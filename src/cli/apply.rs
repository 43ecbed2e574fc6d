//! `brandctl apply`

use std::path::PathBuf;

use clap::Args;

use crate::domain::finding::Finding;
use crate::domain::guard;
use crate::domain::journal::Resumption;
use crate::format::Document;

use super::exit::Exit;
use super::plan;
use super::saved;
use super::session::{Purpose, Session};
use super::settings::{Globals, PlanArgs};
use super::writing::{self, Approved, Writing};

/// Make the portal look as the manifest says
///
/// Without PLAN: makes a plan, shows it, asks, and applies it. With PLAN: does exactly what was saved with `plan -o`, or
/// nothing at all when the portal has changed since. Old images are kept in the state folder before anything is written.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  brandctl apply\n  brandctl apply --yes\n  brandctl apply plan.json\n  brandctl apply --sandbox --yes     on a portal inside this program\n\nExit codes: 0 done or nothing to do, 1 error, 3 not everything was applied, 4 a guard refuses, 5 the plan is stale or not for this manifest, 130 interrupted."
)]
pub(super) struct Arguments {
    /// A plan saved with `plan -o`
    #[arg(value_name = "PLAN", conflicts_with_all = ["only", "refresh", "check_usage"])]
    pub(super) plan: Option<PathBuf>,
    #[command(flatten)]
    writing: Writing,
    #[command(flatten)]
    pub(super) comparing: PlanArgs,
}

pub(super) fn run(globals: &Globals, arguments: &Arguments) -> Exit {
    let mut session = Session::new(globals, &arguments.comparing.settling);
    session.reports = arguments.comparing.reports.clone();
    session.showing = arguments.comparing.showing;
    let approved = match &arguments.plan {
        Some(path) => saved::take_up(&mut session, path, &arguments.comparing),
        None => fresh(&mut session, arguments),
    };
    let ask = arguments.plan.is_none() && !arguments.writing.yes;
    writing::carry_out(&mut session, approved, &arguments.writing, ask)
}

/// Plans anew. The plan is shown at once, so that the question can follow it.
fn fresh(session: &mut Session<'_>, arguments: &Arguments) -> Option<Approved> {
    writing::can_ask(session, &arguments.writing)?;
    let made = plan::make(session, &arguments.comparing, Purpose::Write)?;
    let document = Document::from(&session.report);
    writing::show(session, &arguments.writing);
    if session.report.findings.iter().any(Finding::is_error) {
        return None;
    }
    let manifest = made.validated.manifest.as_ref()?;
    let allowances = arguments.comparing.allowances(&manifest.policy);
    // Why it was not approved, the report says already.
    let plan =
        guard::approve(made.planned.plan, &manifest.ownership(), &made.planned.counts_by_kind, allowances).ok()?;
    Some(Approved {
        plan,
        document,
        connection: made.connection,
        seen: made.planned.seen,
        resumed: Resumption::default(),
    })
}
