//! `brandctl validate`

use clap::Args;

use crate::domain::finding::Finding;
use crate::domain::report::Validation;
use crate::ops;
use crate::render;
use crate::store::repository::Repository;

use super::exit::Exit;
use super::output;
use super::progress::Progress;
use super::reports::Reports;
use super::settings::{Format, Globals};

/// Check the manifest and its PNGs, offline
///
/// Needs no portal and no credentials, and tells all that it finds, not just the first thing.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  brandctl validate\n  brandctl validate -f examples/acme/brand.yaml --format json\n\nExit codes: 0 no error (warnings are none), 1 error."
)]
pub(super) struct Arguments {
    #[command(flatten)]
    reports: Reports,
}

pub(super) fn run(globals: &Globals, arguments: &Arguments) -> Exit {
    let repository = Repository::at(&globals.file);
    let progress = Progress::new(globals);
    let validated = ops::validate::validate(repository.name(), &repository, progress.as_ref());
    progress.clear();
    let mut validation = Validation {
        manifest: repository.name().to_owned(),
        source: validated.source,
        images: validated.images,
        findings: validated.checked.findings,
        art: validated.art,
    };
    let unwritten = arguments.reports.write_validation(&validation);
    validation.findings.extend(unwritten);
    let exit = if validation.findings.iter().any(Finding::is_error) { Exit::Error } else { Exit::Success };
    match globals.format {
        Format::Human => output::data(&render::human::validation(&validation), exit),
        Format::Json => output::json(render::json::validation(&validation), exit),
    }
}
