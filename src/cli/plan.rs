//! `brandctl plan`

use std::io;
use std::path::{Path, PathBuf};

use clap::Args;

use crate::domain::finding::Finding;
use crate::domain::guard::{Evaluated, Outcome};
use crate::domain::report::Report;
use crate::format::Published;
use crate::ops::plan::Purpose;
use crate::render;
use crate::render::screen::Screen;
use crate::store::files::Output;
use crate::text;

use super::against;
use super::attempt::Attempt;
use super::context::Context;
use super::error::{self, Detail};
use super::exit::Exit;
use super::output;
use super::planning;
use super::reports;
use super::settings::{AnyFormat, Globals, PlanArgs};

/// Show what apply would do; write nothing
///
/// Checks the manifest and its PNGs, reads the portal, compares them, and evaluates the guards. A webhook without
/// administrator rights is enough.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  brandctl plan\n  brandctl plan -o plan.json         save it for `brandctl apply plan.json`\n  brandctl plan --detailed-exitcode  end with 2 when there are changes\n  brandctl plan --only 'icon/acme-*'\n  brandctl plan --check-usage --entity deal:1-500   check whether deleted or replaced codes are in use\n  brandctl plan --against snapshot   without a portal, against what `brandctl export snapshot` wrote\n\nExit codes: 0 planned, 1 error, 2 changes (with --detailed-exitcode), 4 a guard refuses, 130 interrupted."
)]
pub(super) struct Arguments {
    /// Save the plan to FILE, with every image it needs, for `brandctl apply FILE`; `-` is standard output
    #[arg(short, long, value_name = "FILE")]
    pub(super) output: Option<PathBuf>,
    /// End with exit code 2 if there are changes, as `drift` does
    #[arg(long)]
    detailed_exitcode: bool,
    /// Plan without a portal or credentials, against what `export` wrote to DIR; such a plan can be shown, but not
    /// applied
    #[arg(long, value_name = "DIR", conflicts_with_all = ["sandbox", "refresh", "check_usage"])]
    pub(super) against: Option<PathBuf>,
    #[command(flatten)]
    pub(super) plan: PlanArgs,
}

impl Arguments {
    /// Whether the saved plan goes to standard output.
    pub(super) fn prints_plan(&self) -> bool {
        self.output.as_deref() == Some(Path::new("-"))
    }
}

pub(super) fn run(globals: &Globals, arguments: &Arguments) -> Exit {
    let Arguments { output, detailed_exitcode, against, plan } = arguments;
    let context = Context::new(globals, &plan.settle);
    let mut attempt = Attempt::default();
    let made = match against {
        Some(folder) => against::make(&context, plan, folder, &mut attempt),
        None => planning::make(&context, plan, Purpose::Read, &mut attempt).map(|made| made.plan),
    };
    context.progress.clear();
    let mut document_is_on_stdout = false;
    if let (Ok(made), Some(path)) = (&made, output) {
        match save(made, path) {
            Ok(written_to) => document_is_on_stdout = written_to == WrittenTo::StandardOutput,
            Err(unsaved) => attempt.findings.push(*unsaved),
        }
    }
    let mut report = attempt.into_report(&context, made.err());
    let detail = if *detailed_exitcode { Detail::Changes } else { Detail::Plain };
    let exit = error::exit_of_plan(&report, detail);
    context.write_reports(&plan.reports, &mut report, "plan", exit);
    let screen = output::screen_of_plan(globals, plan.show);
    output::report(globals, &report, error::exit_of_plan(&report, detail), |report| {
        let text = match globals.any_format {
            AnyFormat::Diff => render::diff::report(report),
            AnyFormat::Github => output::annotations(report, "plan"),
            _ => render::human::plan(report, &screen) + &next_steps(globals, report, arguments, &screen),
        };
        // Text for people would corrupt the plan.
        if document_is_on_stdout {
            output::diagnostic(&text);
            return String::new();
        }
        text
    })
}

/// Whether a plan has changes, and nothing prevents applying them.
fn can_be_applied(report: &Report) -> bool {
    let has_changes = report.plan.as_ref().is_some_and(|plan| !plan.diff.changes.is_empty());
    has_changes && !report.has_errors() && !report.refused() && report.against.is_none()
}

/// The command that applies a saved plan, if nothing prevents it. `allowed` are the exceptions from the guards that it
/// needs.
pub(super) fn saved_next(globals: &Globals, report: &Report, path: &Path, allowed: &str, screen: &Screen) -> String {
    if !can_be_applied(report) || path == Path::new("-") {
        return String::new();
    }
    let path = text::shell_word(&path.display().to_string()).into_owned();
    let apply = format!("{} {path}{allowed}", globals.typed("apply"));
    let text = render::human::next_steps(&[(apply, "make exactly these changes")], screen);
    let is_allowed = report.guards.iter().any(|verdict| verdict.outcome == Outcome::Allowed);
    let note = "  The guards allow this only with the options that the plan was made with.\n";
    if text.is_empty() || !is_allowed || !allowed.is_empty() { text } else { text + note }
}

/// The commands that apply the plan, if nothing prevents it. A plan that was not saved can be made again and saved.
fn next_steps(globals: &Globals, report: &Report, arguments: &Arguments, screen: &Screen) -> String {
    if let Some(path) = &arguments.output {
        return saved_next(globals, report, path, &arguments.plan.allowed(), screen);
    }
    if !can_be_applied(report) {
        return String::new();
    }
    let typed = |command: &str| arguments.plan.typed(globals, command);
    let steps = [
        (typed("apply"), "make these changes"),
        (format!("{} -o plan.json", typed("plan")), "save them, to apply exactly this plan later"),
    ];
    render::human::next_steps(&steps, screen)
}

/// The file or stream of a saved plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum WrittenTo {
    File,
    StandardOutput,
}

/// Writes the plan with its images.
fn save(plan: &Published<Evaluated>, path: &Path) -> Result<WrittenTo, Box<Finding>> {
    let write = || -> io::Result<WrittenTo> {
        let bytes = serde_json::to_vec_pretty(&plan.with_contents())?;
        let output = Output::open(path)?;
        let written_to = if matches!(output, Output::Standard) { WrittenTo::StandardOutput } else { WrittenTo::File };
        output.write(&bytes).map(|()| written_to)
    };
    write().map_err(|error| Box::new(reports::unwritten("plan cannot be saved", path, &error)))
}
