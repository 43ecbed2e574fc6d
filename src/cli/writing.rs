//! What the commands that write share: the question, the run, and how it is told.

use std::io::IsTerminal as _;
use std::num::NonZeroUsize;
use std::time::Instant;

use clap::Args;
use tokio::sync::oneshot;

use crate::domain::finding::Finding;
use crate::domain::guard::ApprovedPlan;
use crate::domain::journal::Resumption;
use crate::domain::step::StepOutcome;
use crate::format::Document;
use crate::ops::apply::{self, NotApplied, Tools};
use crate::ops::plan::Seen;
use crate::render;
use crate::render::screen::Screen;
use crate::store::git;
use crate::store::runs::RunStore;
use crate::text::escape;

use super::exit::{self, Exit};
use super::output;
use super::session::{self, Connection, CutShort, Session};
use super::settings::Format;

/// Options of the commands that write.
#[derive(Debug, Args)]
pub(super) struct Writing {
    /// Go on without asking; needed where standard input is no terminal
    #[arg(short, long)]
    pub(super) yes: bool,
    /// How many batches of creates and deletes may be in flight
    #[arg(long, value_name = "N", default_value = "8")]
    concurrency: NonZeroUsize,
}

/// A plan that may be applied, and where.
pub(super) struct Approved {
    pub(super) plan: ApprovedPlan,
    /// The plan as it is published, digest and all.
    pub(super) document: Document,
    pub(super) connection: Connection,
    /// What was seen of the portal when the plan was made, if that was in this process.
    pub(super) seen: Option<Seen>,
    /// What runs of the same plan did that were cut short.
    pub(super) resumed: Resumption,
}

/// Refuses to go on when a question will be due and nobody can be asked.
pub(super) fn can_ask(session: &mut Session<'_>, writing: &Writing) -> Option<()> {
    if writing.yes || std::io::stdin().is_terminal() {
        return Some(());
    }
    session.report.findings.push(
        Finding::error("unasked", "nobody can be asked, because standard input is no terminal")
            .help("pass --yes, or apply a saved plan"),
    );
    None
}

/// Shows a plan that is about to be applied, with what was found on the way to it: on standard output for people, on
/// standard error where standard output is for JSON and a question follows.
pub(super) fn show(session: &mut Session<'_>, writing: &Writing) {
    session.progress.clear();
    session.shown = true;
    let screen = output::screen_of_plan(session.globals, session.showing);
    match session.globals.format {
        Format::Human => {
            output::data(&render::human::plan(&session.report, &screen), Exit::Success);
            // Errors are told at the end: nothing is asked and nothing is done when there are some.
            let found = std::mem::take(&mut session.report.findings).into_iter();
            let (errors, told): (Vec<_>, Vec<_>) = found.partition(Finding::is_error);
            session.report.findings = errors;
            output::findings(session.globals, &told, &session.report);
            session.told = told;
        }
        Format::Json if !writing.yes => output::diagnostic(&render::human::plan(&session.report, &Screen::default())),
        Format::Json => {}
    }
}

/// Asks if it is to `ask`, applies, and tells what became of it.
pub(super) fn carry_out(session: &mut Session<'_>, approved: Option<Approved>, writing: &Writing, ask: bool) -> Exit {
    if let Some(mut approved) = approved.filter(|approved| !approved.plan.plan().diff.changes.is_empty()) {
        let answer = if ask { confirm(session, &mut approved.connection) } else { Answer::Yes };
        match answer {
            Answer::Yes => {
                session.writing.raise();
                write(session, &approved, writing);
            }
            Answer::No => {
                output::note(session.globals, "Nothing was written.");
                session.report.findings.push(Finding::error("declined", "the changes were not approved"));
            }
            Answer::Interrupted => {
                output::diagnostic("\n");
                session.interrupted("interrupted before the changes were approved: nothing was written");
            }
        }
    }
    session.progress.clear();
    if session.reports.comment() {
        session.report.subject = session.subject();
    }
    let mut whole = session.report.clone();
    whole.findings.splice(0..0, std::mem::take(&mut session.told));
    session.report.findings.extend(session.reports.write(&whole, "apply"));
    let exit = exit::of_apply(&session.report, session.interrupt.is_raised());
    output::report(session.globals, &session.report, exit, |report| {
        match (&report.run, report.stale || session.shown) {
            (Some(run), _) => {
                let screen = output::screen();
                report.plan.as_ref().map(|plan| render::human::run(run, plan, &screen)).unwrap_or_default()
            }
            // A saved plan of which nothing is sent, with the guards that refuse it. One that is stale says nothing of this
            // portal.
            (None, false) => render::human::plan(report, &output::screen_of_plan(session.globals, session.showing)),
            (None, true) => String::new(),
        }
    })
}

/// What came of the question.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Answer {
    Yes,
    No,
    Interrupted,
}

/// Asks. The time that the user takes is not the command's.
fn confirm(session: &Session<'_>, connection: &mut Connection) -> Answer {
    let asked = Instant::now();
    let portal = session.report.portal.as_deref().unwrap_or("the portal");
    output::diagnostic(&format!("\nApply these changes to {}? Only `yes` is accepted: ", escape(portal)));
    let (answers, answer) = oneshot::channel();
    // Waiting for a line cannot be cut short: it is left to a thread of its own.
    let asking = std::thread::Builder::new().name("question".to_owned()).spawn(move || {
        let mut line = String::new();
        let read = std::io::stdin().read_line(&mut line);
        // Where nobody waits any more, the answer does not matter.
        let _ = answers.send(read.is_ok_and(|_| line.trim() == "yes"));
    });
    drop(asking);
    let answered = session.read(answer);
    connection.client.extend(asked.elapsed());
    match answered {
        Ok(Ok(true)) => Answer::Yes,
        Err(CutShort::Interrupted) => Answer::Interrupted,
        Ok(Ok(false) | Err(_)) | Err(CutShort::NoRuntime(_)) => Answer::No,
    }
}

/// Applies, and notes in the report what became of it.
fn write(session: &mut Session<'_>, approved: &Approved, writing: &Writing) {
    let Approved { plan, document, connection, seen, resumed } = approved;
    let runs = RunStore::new(connection.state.clone(), git::commit(session.repository.folder()));
    let applied = session::block_on(async {
        let tools = Tools {
            eyes: session.eyes(connection),
            runs: &runs,
            interrupt: &session.interrupt,
            settle: session.settle,
            in_flight: writing.concurrency,
        };
        apply::apply(plan, document, *seen, resumed, &tools).await
    });
    match applied {
        Ok(Ok(run)) => session.report.run = run,
        Ok(Err(NotApplied::Stale(findings))) => session.stale(findings),
        Ok(Err(NotApplied::Portal(error))) => session.fail(&error),
        Ok(Err(error @ NotApplied::Interrupted)) => session.interrupted(error.to_string()),
        Ok(Err(error @ NotApplied::Store(_))) => {
            session.report.findings.push(Finding::error("apply", error.to_string()));
        }
        Err(error) => session.report.findings.push(Finding::error("system", format!("no runtime: {error}"))),
    }
    let skipped =
        session.report.run.iter().flat_map(|run| run.steps.values()).filter(|step| step.fate == StepOutcome::Skipped);
    match skipped.count() {
        0 => {}
        _ if !session.interrupt.is_raised() => {}
        1 => session.interrupted("interrupted before 1 change was sent"),
        skipped => session.interrupted(format!("interrupted before {skipped} changes were sent")),
    }
    if let Err(error) = connection.cache.save_all(&connection.state) {
        output::note(session.globals, &format!("note: the cache cannot be written: {error}"));
    }
    if let Some(run) = &session.report.run {
        let mut document = document.clone();
        document.add_run(run);
        let Err(error) = runs.write_report(&run.id, &document) else { return };

        output::note(session.globals, &format!("note: the run's report cannot be written: {error}"));
    }
}
