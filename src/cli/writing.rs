//! What the commands that write share: the question, the run, and how it is told.

use std::io::{IsTerminal as _, Write as _};
use std::num::NonZeroUsize;

use clap::Args;

use crate::domain::document::Document;
use crate::domain::finding::Finding;
use crate::domain::guard::ApprovedPlan;
use crate::domain::journal::RunState;
use crate::ops::apply::{self, NotApplied, Tools};
use crate::ops::ports::Interrupt;
use crate::render;
use crate::store::git;
use crate::store::run::{self, RunStore};

use super::exit::{self, Exit};
use super::output;
use super::session::{self, Connection, Session};
use super::settings::Format;
use super::signals;

/// Options of the commands that write.
#[derive(Debug, Args)]
pub(super) struct Writing {
    /// Do not ask
    #[arg(short, long)]
    pub(super) yes: bool,
    /// How many batches of creates and deletes may be in flight
    #[arg(long, value_name = "N", default_value = "8")]
    concurrency: NonZeroUsize,
}

/// A plan that may be applied, and where.
pub(super) struct Approved {
    pub(super) plan: ApprovedPlan,
    pub(super) connection: Connection,
    /// A run of the same plan that was cut short, if this one takes it up again.
    pub(super) cut_short: Option<RunState>,
}

/// Refuses to go on when a question will be due and nobody can be asked.
pub(super) fn can_ask(session: &mut Session<'_>, writing: &Writing) -> Option<()> {
    if writing.yes || std::io::stdin().is_terminal() {
        return Some(());
    }
    session.report.findings.push(
        Finding::error("usage", "nobody can be asked, because standard input is no terminal")
            .help("pass --yes, or apply a saved plan"),
    );
    None
}

/// Shows a plan that is about to be applied, with what was found on the way to it.
pub(super) fn show(session: &mut Session<'_>) {
    session.progress.clear();
    if session.globals.format == Format::Human {
        output::data(&render::human::plan(&session.report), Exit::Success);
        if !session.report.findings.iter().any(Finding::is_error) {
            let told = std::mem::take(&mut session.report.findings);
            output::diagnostic(&render::human::findings(&told, &session.report));
        }
    }
}

/// Asks if it is to `ask`, applies, and tells what became of it.
pub(super) fn carry_out(
    session: &mut Session<'_>,
    approved: Option<Approved>,
    writing: &Writing,
    ask: bool,
    interrupt: &Interrupt,
) -> Exit {
    if let Some(approved) = approved {
        let changes = !approved.plan.plan().changes.is_empty();
        if changes && ask && !confirm(session) {
            output::note(session.globals, "Nothing was written.");
            return Exit::Success;
        }
        if changes {
            signals::finish_first(interrupt);
            write(session, &approved, writing, interrupt);
        }
    }
    session.progress.clear();
    let exit = exit::of_apply(&session.report, interrupt.is_raised());
    output::report(session.globals, &session.report, exit, |report| {
        report.run.as_ref().map(render::human::run).unwrap_or_default()
    })
}

fn confirm(session: &Session<'_>) -> bool {
    let portal = session.report.portal.as_deref().unwrap_or("the portal");
    output::diagnostic(&format!("\nApply these changes to {}? Only `yes` is accepted: ", render::inert(portal)));
    let _ = std::io::stderr().flush();
    let mut answer = String::new();
    std::io::stdin().read_line(&mut answer).is_ok_and(|_| answer.trim() == "yes")
}

/// Applies, and notes in the report what became of it.
fn write(session: &mut Session<'_>, approved: &Approved, writing: &Writing, interrupt: &Interrupt) {
    let Approved { plan, connection, cut_short } = approved;
    let runs = RunStore::new(connection.state.clone(), git::commit(session.repository.folder()));
    let document = Document::of(&session.report);
    let applied = session::block_on(async {
        let tools = Tools {
            eyes: session.eyes(connection),
            runs: &runs,
            interrupt,
            settle: session.settle,
            in_flight: writing.concurrency,
        };
        apply::apply(plan, &document, cut_short.as_ref(), &tools).await
    });
    match applied {
        Ok(Ok(run)) => session.report.run = run,
        Ok(Err(NotApplied::Stale(findings))) => session.stale(findings),
        Ok(Err(NotApplied::Portal(error))) => session.fail(&error),
        Ok(Err(error @ (NotApplied::Store(_) | NotApplied::Interrupted))) => {
            session.report.findings.push(Finding::error("apply", error.to_string()));
        }
        Err(error) => session.report.findings.push(Finding::error("system", format!("no runtime: {error}"))),
    }
    if let Err(error) = connection.cache.save_all(&connection.state) {
        output::note(session.globals, &format!("note: the cache cannot be written: {error}"));
    }
    if let Some(run) = &session.report.run
        && let Err(error) = run::write_report(&run.folder, &Document::of(&session.report))
    {
        output::note(session.globals, &format!("note: the run's report cannot be written: {error}"));
    }
}
