//! `brandctl drift`

use clap::Args;

use crate::domain::finding::Finding;
use crate::domain::report::DriftScope;
use crate::render;

use super::exit::{self, Exit};
use super::output;
use super::plan;
use super::session::{Purpose, Session};
use super::settings::{AnyFormat, Globals, PlanArgs};

/// Tell whether the portal still looks as the manifest says, for cron
///
/// Makes the same comparison as `plan` and writes nothing. A guard that would stop `apply` is shown, and does not change
/// the exit code.
///
/// The Git history of the manifest tells who moved: the repository (pending: a commit is not applied yet) or the portal
/// (drifted: it has what was never committed; vanished: it lost what was applied).
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  brandctl drift\n  brandctl drift --quiet || notify-the-team\n  brandctl drift --only-portal       fail on what somebody did on the portal alone\n\nExit codes: 0 no drift, 1 error, 2 something differs, 130 interrupted. With --only-portal: 0 also when all that differs is pending, 1 when it cannot be told who moved (no Git history, a shallow clone)."
)]
pub(super) struct Arguments {
    /// End with exit code 2 on drifted and vanished entries alone; the others are listed all the same
    #[arg(long)]
    only_portal: bool,
    #[command(flatten)]
    pub(super) comparing: PlanArgs,
}

pub(super) fn run(globals: &Globals, arguments: &Arguments) -> Exit {
    let mut session = Session::new(globals, &arguments.comparing.settling);
    if arguments.only_portal {
        session.report.concern = DriftScope::Portal;
    }
    plan::make(&mut session, &arguments.comparing, Purpose::Read);
    let missed = session.report.unknown_origins();
    if arguments.only_portal && missed > 0 {
        let entries = if missed == 1 { "1 entry".to_owned() } else { format!("{missed} entries") };
        let message = format!("it cannot be told of {entries} whether the portal or the repository moved");
        let help = "each says why; without --only-portal it need not be known";
        session.report.findings.push(Finding::error("origin-unknown", message).help(help));
    }
    session.write_reports(&arguments.comparing.reports, "drift");
    session.progress.clear();
    let screen = output::screen_of_plan(globals, arguments.comparing.showing);
    output::report(globals, &session.report, exit::of_drift(&session.report), |report| match globals.any_format {
        AnyFormat::Diff => render::diff::report(report),
        _ => render::human::drift(report, &screen),
    })
}
