//! `brandctl show`

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use clap::Args;

use crate::domain::asset::Address;
use crate::domain::diff::Change;
use crate::domain::finding::Finding;
use crate::domain::journal::{Ending, RunCommand, RunState};
use crate::domain::plan::Plan;
use crate::domain::report::{FailureKind, Heading, NextCommands, OldImages, RecordedRun, Report, Run, Subject};
use crate::format::Document;
use crate::render;
use crate::render::json::PlanDocument;
use crate::render::run::RunEnding;
use crate::render::screen::Screen;
use crate::store::repository::Repository;
use crate::store::root;

use super::complete;
use super::exit::Exit;
use super::output;
use super::paths;
use super::plan;
use super::reports::Reports;
use super::settings::{AnyFormat, Globals, ShowArgs};
use super::stored::{self, KeptRun, LastOf, Stored};

/// Show a saved plan or a run again
///
/// Works offline, and does not depend on later changes of the portal.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  brandctl show plan.json\n  brandctl show last\n  brandctl show 20261122T171045Z\n  brandctl show plan.json --format json\n  brandctl show plan.json --report plan.html"
)]
pub(super) struct Arguments {
    /// A saved plan, a run's id or folder, or `last` for the newest run of any portal, restores included
    #[arg(value_name = "PLAN|RUN", add = complete::runs())]
    pub(super) name: String,
    #[command(flatten)]
    pub(super) reports: Reports,
    #[command(flatten)]
    show: ShowArgs,
}

pub(super) fn run(globals: &Globals, arguments: &Arguments) -> Exit {
    let repository = globals.repository();
    let complain = |finding: Finding| {
        if globals.any_format == AnyFormat::Github {
            let report =
                Report { manifest: repository.name().to_owned(), findings: vec![finding], ..Report::default() };
            return output::data(&output::annotations(&report, "show"), Exit::Error);
        }
        let (about, none) = ([finding], Report::default());
        let print = || String::new();
        output::result::<PlanDocument>(globals, &none, Exit::Error, print, &about, &none)
    };
    let shown = match stored::find(
        &arguments.name,
        &globals.state_root(repository.folder()),
        LastOf::All,
        &globals.typed("history"),
    ) {
        Ok(Stored::Plan(saved)) => {
            StoredReport::of(saved.document().clone(), saved.plan().clone(), None, globals.next())
        }
        Ok(Stored::Run(mut kept)) => {
            if let Some(finding) = overwritten(globals, &repository, &kept) {
                return complain(finding);
            }
            // A run's folder has the old images; the new ones are in the repository, unless they have changed.
            kept.plan.contents.extend(repository.unchanged_new_images(&kept.plan.diff.changes));
            let next = next(globals, &arguments.name, &kept);
            StoredReport::of(kept.document, kept.plan, Some((kept.folder, kept.state)), next)
        }
        Err(finding) => return complain(*finding),
    };
    let subject =
        Subject { portal: shown.report.portal.clone(), manifest: root::path_in_repository(globals.manifest()) };
    let report = Report { subject, manifest: repository.name().to_owned(), ..shown.report };
    // The command is the one that made the plan, so that a comment about a plan stays a comment about that plan.
    let command = if shown.state.is_some() { "apply" } else { "plan" };
    let unwritten = arguments.reports.write(&report, command, &globals.invocation.header(Exit::Success), &[]);
    let exit = if unwritten.is_empty() { Exit::Success } else { Exit::Error };
    let exit = match globals.any_format {
        AnyFormat::Json => {
            let findings = [report.findings.clone(), unwritten.clone()].concat();
            let (header, portal) = (globals.invocation.header(exit), report.portal.as_deref());
            let found = (&report, &shown.document.tool);
            return output::json(render::json::print::<PlanDocument>(&header, portal, found, &findings), exit);
        }
        AnyFormat::Diff => output::data(&render::diff::report(&report), exit),
        AnyFormat::Github => {
            let findings = [report.findings.clone(), unwritten].concat();
            return output::data(&output::annotations(&Report { findings, ..report }, command), exit);
        }
        _ => {
            let screen = output::screen_of_plan(globals, arguments.show);
            let text = human(&shown.document, &report, shown.state.as_ref(), &screen);
            let next = match shown.state {
                None => plan::saved_next(globals, &report, Path::new(&arguments.name), "", &screen),
                Some(_) => String::new(),
            };
            output::data(&(text + &next), exit)
        }
    };
    output::findings(globals, &unwritten, &report);
    exit
}

/// The commands that may follow a run that the user named.
fn next(globals: &Globals, name: &str, kept: &KeptRun) -> NextCommands {
    let images = match kept.state.command {
        // Its journal does not record which run it restored.
        Some(RunCommand::Restore) => OldImages::Unknown,
        // Its folder may be anywhere.
        _ if stored::is_last(name) => OldImages::Run,
        _ => OldImages::Folder(name.to_owned()),
    };
    NextCommands { images, ..globals.next() }
}

/// The finding that a report would overwrite a file of the run, or an image that is shown with it.
fn overwritten(globals: &Globals, repository: &Repository, kept: &KeptRun) -> Option<Finding> {
    let own = ["journal.jsonl", "plan.json", "report.json"].map(|name| kept.folder.join(name));
    if let Some(named) = paths::among(&globals.outputs, own.into_iter()).first() {
        return Some(named.would_overwrite("the run"));
    }
    if let Some(named) = paths::below(&globals.outputs, &kept.folder.join("old")).first() {
        return Some(named.would_overwrite("an image"));
    }
    let changes = kept.plan.diff.changes.iter();
    let images = changes.filter_map(|change| Some(repository.folder().join(&change.action.after()?.file)));
    paths::among(&globals.outputs, images).first().map(|named| named.would_overwrite("an image"))
}

fn human(document: &Document, report: &Report, state: Option<&RunState>, screen: &Screen) -> String {
    let mut text = render::human::remarks(&document.errors, &document.warnings, screen);
    let planned = Report { findings: Vec::new(), ..report.clone() };
    text.push_str(&match state.and_then(|state| state.command) {
        Some(RunCommand::Restore) => render::human::restore(&planned, screen),
        Some(RunCommand::Apply | RunCommand::Other) | None => render::human::plan(&planned, screen),
    });
    if let (Some(state), Some(run), Some(plan)) = (state, &report.run, &report.plan) {
        let recorded =
            RecordedRun { state: state.clone(), changes: plan.diff.changes.clone(), copies: BTreeSet::new() };
        text.push_str(&render::run::history(&[recorded], screen));
        let (command, interrupted) = (state.command.unwrap_or_default(), report.is_interrupted());
        text.push_str(&render::run::run(run, plan, RunEnding { command, interrupted }, screen));
    }
    text
}

/// A stored report, as it was published and as a report.
struct StoredReport {
    document: Document,
    report: Report,
    /// The journal, of a run.
    state: Option<RunState>,
}

impl StoredReport {
    fn of(document: Document, plan: Plan, run: Option<(PathBuf, RunState)>, next: NextCommands) -> Self {
        let (run, state) = run
            .map(|(folder, state)| {
                let without_copy = without_copy(&plan);
                let (missing, live, not_read_back) = Default::default();
                let (id, steps) = (state.run.clone(), state.steps.clone());
                (
                    Run { id, folder, steps, done_before: [].into(), missing, live, not_read_back, without_copy, next },
                    state,
                )
            })
            .unzip();
        let interrupted = state.as_ref().is_some_and(|state| state.ended == Some(Ending::Interrupted));
        let failure = interrupted.then_some(FailureKind::Interrupted);
        // A saved plan does not hold its time and commit; a run's journal does.
        let heading =
            state.as_ref().map(|state| Heading { started: Some(state.began.clone()), commit: state.commit.clone() });
        let report = Report {
            heading: heading.unwrap_or_default(),
            failure,
            portal: document.portal.clone(),
            against: document.against.map(Into::into),
            guards: document.guards.iter().cloned().map(Into::into).collect(),
            findings: document.findings(),
            plan_sha256: document.plan_sha256,
            origins: document.origins(),
            plan: Some(plan),
            run,
            ..Report::default()
        };
        Self { document, report, state }
    }
}

/// The changes of a run's plan whose old image is known and not in its folder.
fn without_copy(plan: &Plan) -> BTreeMap<Address, String> {
    let is_missing = |change: &&Change| {
        let content = change.action.before().and_then(|before| before.content.as_ref());
        content.is_some_and(|content| !plan.contents.contains_key(&content.sha256))
    };
    let missing = plan.diff.changes.iter().filter(is_missing);
    missing.map(|change| (change.address.clone(), "its copy is not in the run's folder".to_owned())).collect()
}
