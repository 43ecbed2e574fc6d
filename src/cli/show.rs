//! `brandctl show`

use clap::Args;

use crate::domain::report::{Report, Run};
use crate::render;
use crate::store::repository::Repository;

use super::exit::Exit;
use super::output;
use super::settings::{Format, Globals};
use super::stored::{self, Stored};

/// Show a saved plan or a run again
///
/// Offline, and whatever has become of the portal since.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  brandctl show plan.json\n  brandctl show 20261122T171045Z\n  brandctl show plan.json --format json"
)]
pub(super) struct Arguments {
    /// A saved plan, or a run's id or folder
    #[arg(value_name = "PLAN|RUN")]
    name: String,
}

pub(super) fn run(globals: &Globals, arguments: &Arguments) -> Exit {
    let root = globals.state_root(Repository::at(globals.manifest()).folder());
    let (mut document, plan, run) = match stored::find(&arguments.name, &root) {
        Ok(Stored::Plan(saved)) => (saved.document, saved.plan, None),
        Ok(Stored::Run(kept)) => {
            let run = Run { id: kept.state.run.clone(), folder: kept.folder.clone(), steps: kept.state.steps.clone() };
            (kept.document, kept.plan, Some((run, kept.state)))
        }
        Err(finding) => {
            output::diagnostic(&render::human::findings(&[*finding], &Report::default()));
            return Exit::Error;
        }
    };
    if let Some((run, _)) = &run {
        document.add_run(run);
    }
    match globals.format {
        Format::Json => output::json(render::json::document(&document), Exit::Success),
        Format::Human => {
            let report = Report {
                portal: document.portal.clone(),
                guards: document.guards.clone(),
                plan: Some(plan),
                ..Report::default()
            };
            let plan = &report.plan;
            let mut text = render::human::remarks(&document.errors, &document.warnings);
            text.push_str(&render::human::plan(&report));
            if let (Some((run, state)), Some(plan)) = (&run, plan) {
                text.push_str(&render::human::history(std::slice::from_ref(state)));
                text.push_str(&render::human::run(run, plan));
            }
            output::data(&text, Exit::Success)
        }
    }
}
