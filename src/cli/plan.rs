//! `brandctl plan`

use std::io;
use std::path::{Path, PathBuf};

use clap::Args;

use crate::domain::finding::Finding;
use crate::domain::guard::Allowances;
use crate::domain::manifest::Policy;
use crate::domain::report::Report;
use crate::domain::state::Selection;
use crate::format::Document;
use crate::ops;
use crate::ops::origin::Record;
use crate::render;
use crate::store::files::Output;
use crate::store::git::Git;
use crate::store::runs::RunStore;

use super::against;
use super::exit::{self, Detail, Exit};
use super::output;
use super::recovery;
use super::session::{Connection, Purpose, Session};
use super::settings::{AnyFormat, Globals, PlanArgs, SelectArgs};
use super::usage;

/// Show what apply would do; write nothing
///
/// Checks the manifest and its PNGs, reads the portal, compares, and asks the guards. A webhook without administrator
/// rights is enough.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  brandctl plan\n  brandctl plan -o plan.json         save it for `brandctl apply plan.json`\n  brandctl plan --detailed-exitcode  end with 2 when there are changes\n  brandctl plan --only 'icon/acme-*'\n  brandctl plan --check-usage --entity deal:1-500   is anything in use that goes?\n  brandctl plan --against snapshot   without a portal, on what `brandctl export snapshot` wrote\n\nExit codes: 0 planned, 1 error, 2 changes (with --detailed-exitcode), 4 a guard refuses, 130 interrupted."
)]
pub(super) struct Arguments {
    /// Save the plan to FILE, with every image it needs, for `brandctl apply FILE`; `-` is standard output
    #[arg(short, long, value_name = "FILE")]
    pub(super) output: Option<PathBuf>,
    /// End with exit code 2 when there are changes, as `drift` does
    #[arg(long)]
    detailed_exitcode: bool,
    /// Plan without a portal or credentials, against what `export` wrote to DIR; such a plan can be shown, not applied
    #[arg(long, value_name = "DIR", conflicts_with_all = ["sandbox", "refresh", "check_usage"])]
    against: Option<PathBuf>,
    #[command(flatten)]
    pub(super) comparing: PlanArgs,
}

pub(super) fn run(globals: &Globals, arguments: &Arguments) -> Exit {
    let mut session = Session::new(globals, &arguments.comparing.settling);
    let planned = match &arguments.against {
        Some(folder) => against::make(&mut session, &arguments.comparing, folder),
        None => make(&mut session, &arguments.comparing, Purpose::Read).map(drop),
    };
    let detail = if arguments.detailed_exitcode { Detail::Changes } else { Detail::Plain };
    session.progress.clear();
    let saved = match (&planned, &arguments.output) {
        (Some(_), Some(path)) => save(&mut session.report, path),
        _ => Saved::Elsewhere,
    };
    session.write_reports(&arguments.comparing.reports, "plan");
    let screen = output::screen_of_plan(globals, arguments.comparing.showing);
    output::report(globals, &session.report, exit::of_plan(&session.report, detail), |report| {
        let text = match globals.any_format {
            AnyFormat::Diff => render::diff::report(report),
            _ => render::human::plan(report, &screen),
        };
        if saved == Saved::OnStandardOutput {
            output::diagnostic(&text);
            return String::new();
        }
        text
    })
}

/// Where the plan was saved, if anywhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Saved {
    /// In the way of nothing.
    Elsewhere,
    /// Where text for people would spoil it for whoever reads it.
    OnStandardOutput,
}

/// A plan and what it takes to apply it.
pub(super) struct Made {
    pub(super) connection: Connection,
    pub(super) validated: ops::validate::Validated,
    pub(super) planned: ops::plan::Planned,
}

/// Checks, reads, compares and, if that is wanted, looks for codes in use; what was found is in the report. `None` when it
/// did not come to a plan.
pub(super) fn make(session: &mut Session<'_>, comparing: &PlanArgs, purpose: Purpose) -> Option<Made> {
    let items = match comparing.checking.items() {
        Ok(items) => items,
        Err(error) => {
            session.report.findings.push(Finding::error("usage", error.to_string()));
            return None;
        }
    };
    let allowances = |policy: &Policy| comparing.allowances(policy);
    let mut made = compare(session, &comparing.looking, allowances, purpose)?;
    if let Some(items) = items {
        usage::check(session, &mut made, &items, allowances)?;
    }
    Some(made)
}

/// Checks, reads and compares; what was found is in the report. `None` when it did not come to a plan.
pub(super) fn compare(
    session: &mut Session<'_>,
    looking: &SelectArgs,
    allowances: impl Fn(&Policy) -> Allowances,
    purpose: Purpose,
) -> Option<Made> {
    let only = selection(session, looking)?;
    let validated = session.validate();
    let (manifest, desired) = (validated.manifest.as_ref()?, validated.checked.desired.as_ref()?);
    let connection = session.connect(Some(manifest), purpose)?;
    recovery::settle(session, &connection)?;
    let history = Git::of(session.globals.manifest());
    let runs = RunStore::new(connection.state.clone(), None).record();
    let name = session.repository.name().to_owned();
    let request = ops::plan::Request {
        portal: &connection.identity,
        manifest: &name,
        desired,
        only: &only,
        allowances: allowances(&manifest.policy),
        freshness: looking.freshness(),
        purpose: match purpose {
            Purpose::Read => ops::plan::Purpose::Show,
            Purpose::Write => ops::plan::Purpose::Apply,
        },
        record: Some(Record { history: &history, runs: &runs }),
    };
    let planned = session.plan(&request, &connection)?;
    Some(Made { connection, validated, planned })
}

/// What the command is limited to; why it cannot be is in the report.
pub(super) fn selection(session: &mut Session<'_>, looking: &SelectArgs) -> Option<Selection> {
    let selected = looking.selection();
    selected.map_err(|error| session.report.findings.push(Finding::error("usage", error))).ok()
}

/// Writes the plan with its images; why that failed is in the report.
fn save(report: &mut Report, path: &Path) -> Saved {
    let Some(plan) = &report.plan else { return Saved::Elsewhere };
    let write = || {
        let bytes = serde_json::to_vec_pretty(&Document::from(&*report).with_contents(&plan.contents))?;
        let output = Output::open(path)?;
        let saved = if matches!(output, Output::Standard) { Saved::OnStandardOutput } else { Saved::Elsewhere };
        output.write(&bytes).map(|()| saved)
    };
    write().unwrap_or_else(|error: io::Error| {
        let message = format!("the plan cannot be saved to {}: {error}", path.display());
        let help = "name a file in a folder that exists and can be written";
        report.findings.push(Finding::error("output", message).help(help));
        Saved::Elsewhere
    })
}
