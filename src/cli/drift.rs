//! `brandctl drift`

use clap::Args;

use crate::render;

use super::exit::{self, Exit};
use super::output;
use super::plan;
use super::session::{Purpose, Session};
use super::settings::{AnyFormat, Comparing, Globals};

/// Tell whether the portal still looks as the manifest says, for cron
///
/// Makes the same comparison as `plan` and writes nothing. A guard that would stop `apply` is shown, and does not change
/// the exit code.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  brandctl drift\n  brandctl drift --quiet || notify-the-team\n\nExit codes: 0 no drift, 1 error, 2 something differs, 130 interrupted."
)]
pub(super) struct Arguments {
    #[command(flatten)]
    pub(super) comparing: Comparing,
}

pub(super) fn run(globals: &Globals, arguments: &Arguments) -> Exit {
    let mut session = Session::new(globals, &arguments.comparing.settling);
    plan::make(&mut session, &arguments.comparing, Purpose::Read);
    session.write_reports(&arguments.comparing.reports, "drift");
    session.progress.clear();
    let screen = output::screen_of_plan(globals, arguments.comparing.showing);
    output::report(globals, &session.report, exit::of_drift(&session.report), |report| match globals.any_format {
        AnyFormat::Diff => render::diff::report(report),
        _ => render::human::drift(report, &screen),
    })
}
