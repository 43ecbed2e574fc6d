//! `brandctl apply`

use std::io::{IsTerminal as _, Write as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;

use crate::domain::document::Document;
use crate::domain::finding::Finding;
use crate::domain::guard::{self, ApprovedPlan, Refusal};
use crate::domain::manifest::{self, Manifest};
use crate::domain::plan::Plan;
use crate::domain::rules;
use crate::ops::apply::{self, NotApplied, Tools};
use crate::ops::observe::Eyes;
use crate::ops::plan::censuses;
use crate::ops::ports::{Interrupt, PortalError, ReadArt as _, ReadPortal as _};
use crate::render;
use crate::store::lock::Lock;
use crate::store::run::{self, RunStore};

use super::exit::{self, Exit};
use super::output;
use super::plan;
use super::session::{self, Connection, Session};
use super::settings::{Allowing, Comparing, Format, Globals, seconds};
use super::signals;

/// Make the portal look as the manifest says
///
/// Without PLAN: makes a plan, shows it, asks, and applies it. With PLAN: does exactly what was saved with `plan -o`, or
/// nothing at all when the portal has changed since.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  brandctl apply\n  brandctl apply --yes\n  brandctl apply plan.json\n  brandctl apply --sandbox --yes     on the embedded portal\n\nExit codes: 0 done or nothing to do, 1 error, 3 not everything was applied, 4 a guard refuses,\n5 the plan is stale or not for this manifest, 130 interrupted."
)]
pub(super) struct Arguments {
    /// A plan saved with `plan -o`
    #[arg(value_name = "PLAN", conflicts_with_all = ["only", "refresh"])]
    plan: Option<PathBuf>,
    /// Do not ask
    #[arg(short, long)]
    yes: bool,
    /// After an answer was lost: how far apart two readings of the portal must be to be believed
    #[arg(long, value_name = "SECONDS", default_value = "5", value_parser = seconds)]
    settle: Duration,
    #[command(flatten)]
    comparing: Comparing,
}

pub(super) fn run(globals: &Globals, arguments: &Arguments) -> Exit {
    let mut session = Session::new(globals);
    let interrupt = Interrupt::default();
    let approved = match &arguments.plan {
        Some(path) => saved(&mut session, path, &arguments.comparing.allowing),
        None => fresh(&mut session, arguments),
    };
    let Some((approved, connection)) = approved else {
        session.progress.clear();
        show_saved(&session, arguments);
        return finish(&session, &interrupt);
    };
    if approved.plan().changes.is_empty() {
        session.progress.clear();
        show_saved(&session, arguments);
    }
    let confirmed = arguments.yes || arguments.plan.is_some() || approved.plan().changes.is_empty();
    if !confirmed && !confirm(&session) {
        output::note(globals, "Nothing was written.");
        return Exit::Success;
    }
    signals::watch(interrupt.clone());
    write(&mut session, &approved, &connection, arguments.settle, &interrupt);
    session.progress.clear();
    finish(&session, &interrupt)
}

/// Plans anew. The plan is shown here, so that the question can follow it.
fn fresh(session: &mut Session<'_>, arguments: &Arguments) -> Option<(ApprovedPlan, Connection)> {
    if !arguments.yes && !std::io::stdin().is_terminal() {
        session.report.findings.push(
            Finding::error("usage", "nobody can be asked, because standard input is no terminal")
                .help("pass --yes, or apply a saved plan"),
        );
        return None;
    }
    let made = plan::make(session, &arguments.comparing)?;
    session.progress.clear();
    if session.globals.format == Format::Human {
        output::data(&render::human::plan(&session.report), Exit::Success);
    }
    if session.report.findings.iter().any(Finding::is_error) {
        return None;
    }
    let manifest = made.validated.manifest.as_ref()?;
    let allowances = arguments.comparing.allowing.allowances(&manifest.policy);
    match guard::approve(made.planned.plan, &manifest.ownership(), &made.planned.censuses, allowances) {
        Ok(approved) => Some((approved, made.connection)),
        // The report has the verdicts and the conflicts already.
        Err(_) => None,
    }
}

/// Takes up a saved plan: it must be whole, for this portal and this manifest, and pass the guards again.
fn saved(session: &mut Session<'_>, path: &Path, allowing: &Allowing) -> Option<(ApprovedPlan, Connection)> {
    let bytes = match std::fs::read(path) {
        Ok(bytes) => bytes,
        Err(error) => {
            let message = format!("the plan {} cannot be read: {error}", path.display());
            session.report.findings.push(Finding::error("plan", message));
            return None;
        }
    };
    let (plan, digest) = match Document::read_plan(&bytes) {
        Ok(read) => read,
        Err(error) => {
            let finding = Finding::error("plan", format!("{} cannot be applied: {error}", path.display()));
            session.report.findings.push(finding.help("make a new one with `brandctl plan -o`"));
            return None;
        }
    };
    let manifest = parse(session)?;
    let connection = session.connect(&manifest)?;
    session.report.plan_sha256 = Some(digest);
    if plan.portal != connection.identity {
        let message = format!("the plan is for {}, and this is {}", plan.portal.escape_debug(), connection.identity);
        stale(session, vec![Finding::error("plan-stale", message).help("nothing was written")]);
        return None;
    }
    session.report.plan = Some(plan.clone());
    let broken = forbidden(&manifest, &plan);
    if !broken.is_empty() {
        stale(session, broken);
        return None;
    }
    let declared = session.repository.declared(&manifest);
    let ownership = manifest.ownership();
    let weighed = session::block_on(async {
        let listing = connection.client.list().await?;
        let eyes = Eyes { portal: &connection.client, cache: &connection.cache, observer: session.progress.as_ref() };
        let found = apply::stale(&plan, &listing, &eyes).await;
        Ok::<_, PortalError>((censuses(&ownership, &listing, &declared), found))
    });
    let (censuses, found) = match weighed {
        Ok(Ok(weighed)) => weighed,
        Ok(Err(error)) => {
            session.fail(&error);
            return None;
        }
        Err(error) => {
            session.report.findings.push(Finding::error("system", format!("no runtime: {error}")));
            return None;
        }
    };
    if !found.is_empty() {
        stale(session, found);
        return None;
    }
    session.report.guards = guard::judge(&plan, &ownership, &censuses, allowing.allowances(&manifest.policy));
    match guard::approve(plan, &ownership, &censuses, allowing.allowances(&manifest.policy)) {
        Ok(approved) => Some((approved, connection)),
        Err(Refusal::Findings(findings)) => {
            stale(session, findings);
            None
        }
        Err(Refusal::Guards(_)) => None,
    }
}

/// Reads the manifest alone: a saved plan carries its art.
fn parse(session: &mut Session<'_>) -> Option<Manifest> {
    let text = match session.repository.manifest() {
        Ok(text) => text,
        Err(finding) => {
            session.report.findings.push(*finding);
            return None;
        }
    };
    let (manifest, findings) = manifest::parse(&text, session.repository.name());
    session.report.source = String::from_utf8_lossy(&text).into_owned();
    session.report.findings.extend(findings);
    manifest
}

/// What the present rules find wrong with the images of a saved plan.
fn forbidden(manifest: &Manifest, plan: &Plan) -> Vec<Finding> {
    plan.changes
        .iter()
        .filter_map(|change| {
            let after = change.action.after()?;
            Some(rules::check_planned(
                manifest,
                &change.address,
                &after.file,
                plan.contents.get(&after.content.sha256)?,
            ))
        })
        .flatten()
        .filter(Finding::is_error)
        .collect()
}

/// The plan is not for the portal or the manifest as they are now.
fn stale(session: &mut Session<'_>, findings: Vec<Finding>) {
    session.report.stale = true;
    session.report.findings.extend(findings);
}

fn confirm(session: &Session<'_>) -> bool {
    let portal = session.report.portal.as_deref().unwrap_or("the portal");
    output::diagnostic(&format!("\nApply these changes to {}? Only `yes` is accepted: ", render::inert(portal)));
    let _ = std::io::stderr().flush();
    let mut answer = String::new();
    std::io::stdin().read_line(&mut answer).is_ok_and(|_| answer.trim() == "yes")
}

/// Applies, and notes in the report what became of it.
fn write(
    session: &mut Session<'_>,
    approved: &ApprovedPlan,
    connection: &Connection,
    settle: Duration,
    interrupt: &Interrupt,
) {
    if approved.plan().changes.is_empty() {
        return;
    }
    let since = jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
    let lock = match Lock::take(&connection.state, since) {
        Ok(lock) => lock,
        Err(error) => {
            let finding = Finding::error("lock", error.to_string());
            session.report.findings.push(finding.help("wait until it has ended, then plan again"));
            return;
        }
    };
    let runs = RunStore::new(connection.state.clone());
    let document = Document::of(&session.report);
    let applied = session::block_on(async {
        let tools = Tools {
            eyes: Eyes { portal: &connection.client, cache: &connection.cache, observer: session.progress.as_ref() },
            runs: &runs,
            interrupt,
            settle,
        };
        apply::apply(approved, &document, &tools).await
    });
    match applied {
        Ok(Ok(run)) => session.report.run = run,
        Ok(Err(NotApplied::Stale(findings))) => stale(session, findings),
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
    drop(lock);
}

/// Shows a saved plan of which nothing is sent, with the guards that refuse it. A plan made here was shown already, and
/// one that is stale says nothing of this portal.
fn show_saved(session: &Session<'_>, arguments: &Arguments) {
    if arguments.plan.is_some() && session.globals.format == Format::Human && !session.report.stale {
        output::data(&render::human::plan(&session.report), Exit::Success);
    }
}

/// Prints what became of it. The plan itself was shown before the question.
fn finish(session: &Session<'_>, interrupt: &Interrupt) -> Exit {
    let exit = exit::of_apply(&session.report, interrupt.is_raised());
    output::report(session.globals, &session.report, exit, |report| {
        report.run.as_ref().map(render::human::run).unwrap_or_default()
    })
}
