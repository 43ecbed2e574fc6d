//! `brandctl doctor`

use clap::Args;

use crate::domain::doctor::{self, DoctorObservations, DoctorProblem, Health};
use crate::domain::finding::Finding;
use crate::domain::manifest::Manifest;
use crate::ops;
use crate::ops::ports::Probe as _;
use crate::render;
use crate::render::json::DoctorDocument;

use super::exit::Exit;
use super::output;
use super::session::{self, CutShort, Purpose, Session};
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
    let mut session = Session::looking(globals);
    let mut observed = DoctorObservations::default();
    observe(&mut session, &mut observed);
    session.progress.clear();
    let checks = doctor::checks(&observed);
    let failed = checks.iter().any(|check| check.health == Health::Failed);
    let exit = match (session.report.interrupted, failed) {
        (true, _) => Exit::Interrupted,
        (false, true) => Exit::Error,
        (false, false) => Exit::Success,
    };
    match globals.format {
        Format::Human => output::data(&render::doctor::checks(&checks), exit),
        Format::Json => {
            output::json(render::json::print::<DoctorDocument>((&*checks, session.report.portal.as_deref())), exit)
        }
    }
}

/// Looks as far as it comes. Everything goes into `observed`: a finding here is a check that failed.
fn observe(session: &mut Session<'_>, observed: &mut DoctorObservations) {
    let manifest = session.parse_if_any();
    let errors = session.report.findings.iter().filter(|finding| finding.is_error()).count();
    let found = std::mem::take(&mut session.report.findings);
    let connection = session.connect(None, Purpose::Read);
    observed.manifest = match (&manifest, found.into_iter().find(Finding::is_error)) {
        (None, None) => None,
        (None, Some(first)) => Some(Err(unusable(session, errors, first))),
        (Some(manifest), _) => Some(fit(session, manifest)),
    };
    let Some(connection) = connection else {
        observed.config = session.report.findings.pop().map(|finding| Err(problem(finding)));
        return;
    };
    observed.config = Some(Ok((connection.client.setup(), connection.source.clone())));
    let folder = connection.state.path().display();
    observed.state =
        Some(connection.state.try_writing().map(|()| format!("{folder} can be written")).map_err(|error| {
            let help = "apply keeps old images there: name a folder that can be written with --state-dir";
            DoctorProblem { message: format!("{folder} cannot be written: {error}"), help: Some(help.to_owned()) }
        }));
    let progress = session.progress.clone();
    let observing = ops::doctor::observe(&connection.client, progress.as_ref(), observed);
    match session.read(observing) {
        Ok(()) => {}
        Err(CutShort::Interrupted) => {
            session.progress.clear();
            output::complain("interrupted before everything was tried");
            session.report.interrupted = true;
        }
        Err(CutShort::NoRuntime(error)) => {
            observed.config = Some(Err(DoctorProblem { message: format!("no runtime: {error}"), help: None }));
        }
    }
}

/// Whether the manifest is for the portal that was connected to.
fn fit(session: &Session<'_>, manifest: &Manifest) -> Result<String, DoctorProblem> {
    let name = session.repository.name();
    match &session.report.portal {
        Some(portal) if session.globals.sandbox.is_none() => session::pinned(manifest, portal)
            .map(|()| if manifest.portals.is_empty() { "any portal" } else { "this portal" })
            .map(|which| format!("{name} is for {which}"))
            .map_err(|finding| problem(*finding)),
        _ => Ok(format!("{name} can be read")),
    }
}

fn unusable(session: &Session<'_>, errors: usize, first: Finding) -> DoctorProblem {
    let name = session.repository.name();
    let message = match errors {
        1 => format!("{name}: {}", first.message),
        _ => format!("{name}: {}, and {} more", first.message, errors - 1),
    };
    DoctorProblem { message, help: Some("`brandctl validate` shows where".to_owned()) }
}

fn problem(finding: Finding) -> DoctorProblem {
    DoctorProblem { message: finding.message, help: finding.help }
}
