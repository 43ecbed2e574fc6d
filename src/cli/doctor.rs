//! `brandctl doctor`

use clap::Args;

use crate::domain::doctor::{self, DoctorObservations, Health};
use crate::domain::finding::Problem;
use crate::domain::manifest::Manifest;
use crate::domain::report::FailureKind;
use crate::ops;
use crate::ops::plan::Purpose;
use crate::ops::ports::DoctorPort as _;
use crate::render;
use crate::render::json::DoctorDocument;

use super::attempt::Attempt;
use super::connection::{self, Connection};
use super::context::Context;
use super::error::{self, Failure};
use super::exit::Exit;
use super::output;
use super::settings::{Format, Globals};

/// Check what apply needs: credentials, network, rights, limits
///
/// Checks the way to the portal step by step, prints a line for each check, and says how to fix what fails. Writes
/// nothing and needs no manifest; if there is one, it must be for this portal.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  brandctl doctor\n  brandctl doctor --format json\n  brandctl doctor --ca-cert company-ca.pem\n\nExit codes: 0 no check failed, 1 a check failed: apply would fail, 130 interrupted."
)]
pub(super) struct Arguments {}

pub(super) fn run(globals: &Globals, _: &Arguments) -> Exit {
    let context = Context::reading_once(globals);
    let (observed, portal) = observe(&context);
    context.progress.clear();
    let interrupted = context.interrupt.is_raised().then_some(FailureKind::Interrupted);
    let is_cut = interrupted.is_some() && observed.config.as_ref().is_some_and(Result::is_ok);
    let cut = is_cut.then(|| Failure::interrupted("interrupted before every check was made"));
    let findings = cut.map(|cut| cut.findings).unwrap_or_default();
    let checks = doctor::checks(&observed);
    let failed = checks.iter().any(|check| check.health == Health::Failed);
    let exit = error::exit_of_reading(interrupted, failed);
    match globals.format {
        Format::Human => {
            findings.iter().for_each(|finding| output::complain(&finding.message));
            output::data(&render::doctor::checks(&checks), exit)
        }
        Format::Json => {
            let (header, portal) = (context.header(exit), portal.as_deref());
            output::json(render::json::print::<DoctorDocument>(&header, portal, &*checks, &findings), exit)
        }
    }
}

/// The checks of the way to the portal, and the portal's identity if it is known.
fn observe(context: &Context<'_>) -> (DoctorObservations, Option<String>) {
    let manifest = Attempt::default().parse_if_any(context);
    let connection = Connection::open(context, None, Purpose::Read);
    let portal = connection.as_ref().ok().map(|connection| connection.identity.clone());
    let manifest = match manifest {
        Ok(manifest) => manifest.map(|manifest| fit(context, &manifest, portal.as_deref())),
        Err(failure) => Some(Err(unusable(context, &failure))),
    };
    let reached = connection.and_then(|connection| reach(context, &connection)).unwrap_or_else(|failure| {
        DoctorObservations { config: Some(Err(problem(&failure))), ..DoctorObservations::default() }
    });
    (DoctorObservations { manifest, ..reached }, portal)
}

/// The checks of a portal that there are credentials for, and of its state folder.
fn reach(context: &Context<'_>, connection: &Connection) -> Result<DoctorObservations, Failure> {
    let folder = connection.state.path().display();
    let state = connection.state.try_writing().map(|()| format!("{folder} can be written")).map_err(|error| {
        let help = "apply keeps old images there: use --state-dir to name a writable folder";
        Problem::new(format!("{folder} cannot be written: {error}")).help(help)
    });
    let seen =
        context.block_on(ops::doctor::observe(&connection.client, context.progress.as_ref(), &context.interrupt))?;
    let config = Ok((connection.client.setup(), connection.source.clone()));
    let lost = context.progress.failures().pop().map(Problem::from);
    Ok(DoctorObservations { config: Some(config), lost, state: Some(state), ..seen })
}

/// Whether the manifest is for the portal that was connected to.
fn fit(context: &Context<'_>, manifest: &Manifest, portal: Option<&str>) -> Result<String, Problem> {
    let name = context.repository.name();
    match portal {
        Some(portal) if context.globals.sandbox.is_none() => connection::pinned(manifest, portal)
            .map(|()| if manifest.portals.is_empty() { "any portal" } else { "this portal" })
            .map(|which| format!("{name} is for {which}"))
            .map_err(|failure| problem(&failure)),
        _ => Ok(format!("{name} can be read")),
    }
}

fn unusable(context: &Context<'_>, failure: &Failure) -> Problem {
    let (name, first) = (context.repository.name(), problem(failure).message);
    let message = match failure.findings.len() {
        1 => format!("{name}: {first}"),
        errors => format!("{name}: {first}, and {} more", errors - 1),
    };
    Problem::new(message).help("`brandctl validate` shows where")
}

/// The message of a failure's first finding.
fn problem(failure: &Failure) -> Problem {
    let first = failure.findings.first().map(|finding| (finding.message.clone(), finding.help.clone()));
    let (message, help) = first.unwrap_or_default();
    Problem { message, help }
}
