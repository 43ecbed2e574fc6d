//! The steps that commands with writes share: the question, the run, and how it is shown.

use std::io::IsTerminal as _;
use std::num::NonZeroUsize;
use std::time::Instant;

use clap::Args;
use tokio::sync::oneshot;

use crate::domain::asset::Address;
use crate::domain::finding::Finding;
use crate::domain::guard::{ApprovedPlan, Evaluated};
use crate::domain::journal::RunCommand;
use crate::domain::report::{FailureKind, NextCommands, Report};
use crate::domain::resumption::Resumption;
use crate::domain::state::ControlImage;
use crate::format::Published;
use crate::ops::apply::{self, Applied, Tools};
use crate::ops::plan::Seen;
use crate::render;
use crate::render::json::PlanDocument;
use crate::render::run::RunEnding;
use crate::render::screen::Screen;
use crate::store::runs::RunStore;
use crate::text;

use super::attempt::Attempt;
use super::connection::Connection;
use super::context::Context;
use super::error::{self, Failure};
use super::exit::Exit;
use super::output;
use super::progress::run_command;
use super::reports::Reports;
use super::settings::{AnyFormat, Format, ShowArgs};

/// Options of the commands that write.
#[derive(Debug, Args)]
pub(super) struct WriteArgs {
    /// Go on without asking; needed where stdin is not a terminal
    #[arg(short, long)]
    pub(super) yes: bool,
    /// How many batches of creates and deletes may be in flight
    #[arg(long, value_name = "N", default_value = "8")]
    concurrency: NonZeroUsize,
}

/// A plan that may be applied, and where.
pub(super) struct Approved {
    pub(super) plan: Published<ApprovedPlan>,
    pub(super) connection: Connection,
    /// The portal as it was when the plan was made, if that was in this process.
    pub(super) seen: Option<Seen>,
    /// An entry that the plan does not change.
    pub(super) control: Option<ControlImage>,
    /// What earlier runs of the same plan did that were cut short.
    pub(super) resumed: Resumption,
    /// The commands that may follow the run.
    pub(super) next: NextCommands,
}

/// Refuses to go on if a question will be needed and cannot be asked. `help` gives the way out.
pub(super) fn can_ask(write: &WriteArgs, help: &str) -> Result<(), Failure> {
    if write.yes || std::io::stdin().is_terminal() {
        return Ok(());
    }
    let finding = Finding::error("unasked", "cannot ask: stdin is not a terminal").help(help);
    Err(Failure::new(FailureKind::Unasked, finding))
}

/// Shows a plan that was just made, and accepts it if nothing prevents applying it.
pub(super) fn approve(
    context: &Context<'_>,
    plan: Published<Evaluated>,
    write: &WriteArgs,
    show: ShowArgs,
    attempt: &mut Attempt,
) -> Result<Published<ApprovedPlan>, Failure> {
    show_plan(context, write, show, attempt);
    // The report has these errors already.
    if attempt.findings.iter().any(Finding::is_error) {
        return Err(Failure::invalid(Vec::new()));
    }
    Ok(plan.approve()?)
}

/// Shows a plan that is about to be applied, with the findings so far: on standard output for people, on
/// standard error if standard output is for programs and a question follows.
fn show_plan(context: &Context<'_>, write: &WriteArgs, show: ShowArgs, attempt: &mut Attempt) {
    context.progress.clear();
    let screen = output::screen_of_plan(context.globals, show);
    let report = attempt.clone().into_report(context, None);
    attempt.shown = Some(0);
    match context.globals.any_format {
        AnyFormat::Json | AnyFormat::Github if write.yes => {}
        AnyFormat::Json | AnyFormat::Github => {
            output::diagnostic(&planned(context, &report, &Screen::default()));
        }
        _ => {
            output::data(&planned(context, &report, &screen), Exit::Success);
            // Errors are shown at the end: if there are any, nothing is asked and nothing is done.
            let warnings: Vec<_> = report.findings.iter().filter(|finding| !finding.is_error()).cloned().collect();
            output::findings(context.globals, &warnings, &report);
            attempt.shown = Some(attempt.findings.len());
        }
    }
}

/// The plan in the words of the command that made it.
fn planned(context: &Context<'_>, report: &Report, screen: &Screen) -> String {
    match run_command(context.globals) {
        RunCommand::Restore => render::human::restore(report, screen),
        RunCommand::Apply | RunCommand::Other => render::human::plan(report, screen),
    }
}

/// Asks for approval if `ask` is set, and applies the plan.
pub(super) fn apply(
    context: &Context<'_>,
    mut approved: Approved,
    write: &WriteArgs,
    ask: bool,
    attempt: &mut Attempt,
) -> Result<(), Failure> {
    if approved.plan.plan().plan().diff.changes.is_empty() {
        return Ok(());
    }
    if ask {
        confirm(context, &mut approved.connection)?;
    }
    context.writing.raise();
    let connection = &approved.connection;
    let command = run_command(context.globals);
    let runs = RunStore::new(connection.state.clone(), context.repository.commit()).made_by(command);
    let applied = send(context, &approved, &runs, write);
    if let Err(error) = connection.cache.save_all(&connection.state) {
        output::note(context.globals, &format!("note: the cache cannot be written: {error}"));
    }
    let Some(Applied { run, findings }) = applied? else { return Ok(()) };
    attempt.findings.extend(findings);
    let mut document = approved.plan.document().clone();
    document.add_run(&run);
    if let Err(error) = runs.write_report(&run.id, &document) {
        output::note(context.globals, &format!("note: the run's report cannot be written: {error}"));
    }
    let plan = approved.plan.plan().plan();
    attempt.findings.extend(run.without_copy.iter().map(|(address, why)| without_copy(address, why)));
    let interruption = render::run::interruption(&run, plan).filter(|_| context.interrupt.is_raised());
    if interruption.is_none() && !attempt.findings.iter().any(Finding::is_error) {
        attempt.findings.extend(render::run::shortfall(&run, plan, command).map(not_applied));
    }
    attempt.run = Some(run);
    match interruption {
        Some(message) => Err(Failure::interrupted(message)),
        None => Ok(()),
    }
}

/// The error about a run that did not do everything, for formats that have no sentence about it.
fn not_applied(message: String) -> Finding {
    Finding::error("not-applied", message).help("fix the cause, then run it again: it does what is left")
}

fn without_copy(address: &Address, why: &str) -> Finding {
    Finding::warning("unbacked", format!("{address}: {why}"))
        .about(address.clone())
        .help("it has no copy that can be trusted for a restore")
}

fn send(
    context: &Context<'_>,
    approved: &Approved,
    runs: &RunStore,
    write: &WriteArgs,
) -> Result<Option<Applied>, Failure> {
    let Approved { plan, connection, seen, control, resumed, next } = approved;
    let applied = context.block_on(async {
        let tools = Tools {
            reader: connection.reader(context),
            runs,
            control: control.clone(),
            interrupt: &context.interrupt,
            settle: context.settle,
            in_flight: write.concurrency,
            next: next.clone(),
        };
        apply::apply(plan, *seen, resumed, &tools).await
    })??;
    Ok(applied)
}

/// Asks for approval. The time that the user takes does not count for `--timeout`.
fn confirm(context: &Context<'_>, connection: &mut Connection) -> Result<(), Failure> {
    let asked = Instant::now();
    let portal = text::escape(&connection.identity);
    let question = match run_command(context.globals) {
        RunCommand::Restore => format!("\nPut these back on {portal}? Type `yes` to restore: "),
        RunCommand::Apply | RunCommand::Other => format!("\nMake these changes on {portal}? Type `yes` to apply: "),
    };
    output::diagnostic(&question);
    let (answers, answer) = oneshot::channel();
    // Waiting for a line cannot be cut short: a separate thread does it.
    let asking = std::thread::Builder::new().name("question".to_owned()).spawn(move || {
        let mut line = String::new();
        let read = std::io::stdin().read_line(&mut line);
        // If the command waits no longer, the answer does not matter.
        let _ = answers.send(read.is_ok_and(|_| line.trim() == "yes"));
    });
    drop(asking);
    let answered = context.wait(answer);
    connection.client.extend(asked.elapsed());
    match answered {
        Ok(Ok(true)) => Ok(()),
        Err(failure) if failure.kind == FailureKind::Interrupted => {
            output::diagnostic("\n");
            Err(Failure::interrupted("interrupted before the changes were approved: nothing was written"))
        }
        Ok(Ok(false) | Err(_)) | Err(_) => {
            output::note(context.globals, "Nothing was written.");
            let finding = Finding::error("declined", "the changes were not approved");
            Err(Failure::new(FailureKind::Declined, finding))
        }
    }
}

/// Writes the reports and prints the result.
pub(super) fn finish(
    context: &Context<'_>,
    attempt: Attempt,
    applied: Result<(), Failure>,
    reports: &Reports,
    show: ShowArgs,
) -> Exit {
    context.progress.clear();
    let globals = context.globals;
    let shown = attempt.shown;
    let mut report = attempt.into_report(context, applied.err());
    let exit = error::exit_of_apply(&report, context.interrupt.is_raised());
    context.write_reports(reports, &mut report, globals.invocation.command, exit);
    let exit = error::exit_of_apply(&report, context.interrupt.is_raised());
    if globals.any_format == AnyFormat::Github {
        return output::data(&output::annotations(&report, globals.invocation.command), exit);
    }
    match globals.format {
        Format::Json => {
            let (header, portal) = (context.header(exit), report.portal.as_deref());
            output::json(render::json::print::<PlanDocument>(&header, portal, &report, &report.findings), exit)
        }
        Format::Human => {
            let text = match (&report.run, &report.plan) {
                (Some(run), Some(plan)) => {
                    let (command, interrupted) = (run_command(globals), context.interrupt.is_raised());
                    render::run::run(run, plan, RunEnding { command, interrupted }, &output::screen())
                }
                // A saved plan that is not sent, with the guards that refuse it. A stale one says nothing
                // about this portal.
                (None, _) if shown.is_none() && !report.is_stale() => {
                    planned(context, &report, &output::screen_of_plan(globals, show))
                }
                _ => String::new(),
            };
            let exit = output::data(&text, exit);
            output::findings(globals, &unshown(&report, shown.unwrap_or_default()), &report);
            exit
        }
    }
}

/// The findings of a report without the warnings among the first ones, which were shown with the plan.
fn unshown(report: &Report, shown: usize) -> Vec<Finding> {
    let (first, rest) = report.findings.split_at_checked(shown).unwrap_or((&report.findings, &[]));
    let unshown = first.iter().filter(|finding| finding.is_error()).chain(rest);
    // The lines about the run say the same.
    unshown.filter(|finding| finding.rule != "not-applied").cloned().collect()
}
