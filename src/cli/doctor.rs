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
use super::connection;
use super::context::Context;
use super::error::{self, Failure};
use super::exit::Exit;
use super::output;
use super::settings::{Format, Globals};

/// Check what apply needs: credentials, network, rights, limits
///
/// Tries the way to the portal step by step, a line each, and says what to do about what is not right. Writes nothing and
/// needs no manifest; where there is one, it must be for this portal.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  brandctl doctor\n  brandctl doctor --format json\n  brandctl doctor --ca-cert company-ca.pem\n\nExit codes: 0 nothing stands in the way of apply, 1 apply would fail, 130 interrupted."
)]
pub(super) struct Arguments {}

pub(super) fn run(globals: &Globals, _: &Arguments) -> Exit {
    let context = Context::reading_once(globals);
    let (mut attempt, mut observed) = (Attempt::default(), DoctorObservations::default());
    let failure = observe(&context, &mut attempt, &mut observed).err().map(|failure| failure.kind);
    context.progress.clear();
    if failure == Some(FailureKind::Interrupted) && observed.config.as_ref().is_some_and(Result::is_ok) {
        output::complain("interrupted before everything was tried");
    }
    let checks = doctor::checks(&observed);
    let failed = checks.iter().any(|check| check.health == Health::Failed);
    let exit = error::exit_of_reading(failure, failed);
    match globals.format {
        Format::Human => output::data(&render::doctor::checks(&checks), exit),
        Format::Json => {
            output::json(render::json::print::<DoctorDocument>((&*checks, attempt.portal.as_deref())), exit)
        }
    }
}

/// Observes step after step until one fails. Everything goes into `observed`: a finding here is a check that failed.
fn observe(context: &Context<'_>, attempt: &mut Attempt, observed: &mut DoctorObservations) -> Result<(), Failure> {
    let manifest = attempt.parse_if_any(context);
    let connection = attempt.connect(context, None, Purpose::Read);
    observed.manifest = match &manifest {
        Ok(None) => None,
        Ok(Some(manifest)) => Some(fit(context, manifest, attempt.portal.as_deref())),
        Err(failure) => Some(Err(unusable(context, failure))),
    };
    let connection = connection.inspect_err(|failure| observed.config = Some(Err(problem(failure))))?;
    observed.config = Some(Ok((connection.client.setup(), connection.source.clone())));
    let folder = connection.state.path().display();
    observed.state =
        Some(connection.state.try_writing().map(|()| format!("{folder} can be written")).map_err(|error| {
            let help = "apply keeps old images there: name a folder that can be written with --state-dir";
            Problem::new(format!("{folder} cannot be written: {error}")).help(help)
        }));
    context.wait(ops::doctor::observe(&connection.client, context.progress.as_ref(), observed)).inspect_err(|failure| {
        if failure.kind != FailureKind::Interrupted {
            observed.config = Some(Err(problem(failure)));
        }
    })
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

/// The first thing that a failure has to say.
fn problem(failure: &Failure) -> Problem {
    let first = failure.findings.first().map(|finding| (finding.message.clone(), finding.help.clone()));
    let (message, help) = first.unwrap_or_default();
    Problem { message, help }
}
