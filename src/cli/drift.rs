//! `brandctl drift`

use clap::Args;

use crate::domain::diff::{Action, Change};
use crate::domain::finding::Finding;
use crate::domain::origin::OriginKind;
use crate::domain::report::{DriftScope, Report};
use crate::ops::plan::Purpose;
use crate::render;
use crate::render::screen::Screen;
use crate::text;

use super::attempt::Attempt;
use super::context::Context;
use super::error;
use super::exit::Exit;
use super::output;
use super::planning;
use super::settings::{AnyFormat, Globals, PlanArgs};

/// Check whether the portal still matches the manifest, for cron
///
/// Makes the same comparison as `plan` and writes nothing. If a guard would stop `apply`, that is shown, but it does not
/// change the exit code.
///
/// The Git history of the manifest shows who moved: the repository (pending: a commit is not applied yet) or the portal
/// (drifted: it has something that was never committed; vanished: something that was applied is missing).
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  brandctl drift\n  brandctl drift --quiet || notify-the-team\n  brandctl drift --only-portal       fail only if something changed on the portal\n\nExit codes: 0 no drift, 1 error, 2 something differs, 130 interrupted. With --only-portal: 0 also if every difference is pending, 1 if it is unknown who moved (no Git history, a shallow clone)."
)]
pub(super) struct Arguments {
    /// End with exit code 2 only for drifted and vanished entries; pending ones are listed as well
    #[arg(long)]
    only_portal: bool,
    #[command(flatten)]
    pub(super) plan: PlanArgs,
}

pub(super) fn run(globals: &Globals, arguments: &Arguments) -> Exit {
    let Arguments { only_portal, plan } = arguments;
    let context = Context::new(globals, &plan.settle);
    let mut attempt = Attempt::default();
    let made = planning::make(&context, plan, Purpose::Read, &mut attempt);
    let drift_scope = if *only_portal { DriftScope::Portal } else { DriftScope::Everything };
    let mut report = Report { drift_scope, ..attempt.into_report(&context, made.err()) };
    let missed = report.unknown_origins();
    if *only_portal && missed > 0 {
        let entries = text::plural(missed, "entry", "entries");
        let message = format!("it is unknown for {entries} whether the portal or the repository moved");
        let help = "the reasons are above; omit --only-portal if it does not matter who moved";
        report.findings.push(Finding::error("origin-unknown", message).help(help));
    }
    let exit = error::exit_of_drift(&report);
    context.write_reports(&plan.reports, &mut report, "drift", exit);
    context.progress.clear();
    let screen = output::screen_of_plan(globals, plan.show);
    output::report(globals, &report, error::exit_of_drift(&report), |report| match globals.any_format {
        AnyFormat::Diff => render::diff::report(report),
        AnyFormat::Github => output::annotations(report, "drift"),
        _ => render::human::drift(report, &screen) + &next_step(globals, report, plan, &screen),
    })
}

/// The commands that make the portal match again, if something differs and nothing prevents it.
fn next_step(globals: &Globals, report: &Report, options: &PlanArgs, screen: &Screen) -> String {
    let is_clear = !report.has_errors() && !report.refused();
    let differs = report.plan.as_ref().is_some_and(|plan| !plan.diff.changes.is_empty());
    if !(is_clear && differs) {
        return String::new();
    }
    let mut steps = vec![(options.typed(globals, "apply"), "make the portal match the manifest")];
    let is_drifted = |change: &&Change| {
        matches!(change.action, Action::Replace(..))
            && report.origins.get(&change.address).is_some_and(|origin| origin.kind == OriginKind::Drifted)
    };
    if let Some(change) = report.plan.iter().flat_map(|plan| &plan.diff.changes).find(is_drifted) {
        let only = text::shell_word(&change.address.to_string()).into_owned();
        steps.push((globals.typed(&format!("export --only {only} --overwrite")), "keep the portal's image instead"));
    }
    render::human::next_steps(&steps, screen)
}
