//! `brandctl export`

use std::path::PathBuf;

use clap::Args;

use crate::domain::export::{ExportChoice, ExportSource};
use crate::domain::report::ExportReport;
use crate::domain::scope::{Pattern, Scope};
use crate::domain::state::Selection;
use crate::ops::export::{self, Exported};
use crate::ops::plan::Purpose;
use crate::ops::ports::Existing;
use crate::render;
use crate::render::json::ExportDocument;
use crate::store::export::ExportFolder;

use super::attempt::Attempt;
use super::context::Context;
use super::error::{self, Failure};
use super::exit::Exit;
use super::output;
use super::paths::NamedFile;
use super::recovery;
use super::reports::Reports;
use super::settings::{Globals, pattern};

/// Write what the portal holds to a folder: a manifest, every image, and a snapshot for `plan --against`
///
/// Reads only, and works with any user's webhook and without a manifest. The first plan on what it writes is empty. What the
/// art rules would refuse is ignored by the manifest, and its image is kept.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  brandctl export brand\n  brandctl export brand --owns 'acme-*'        own a prefix, and export what has it\n  brandctl export brand --only 'icon/acme-*'\n  brandctl export brand --overwrite\n\nExit codes: 0 exported, 1 error, or an image could not be fetched, 130 interrupted."
)]
pub(super) struct Arguments {
    /// The folder to write to
    #[arg(value_name = "DIR")]
    folder: PathBuf,
    /// Export matching entries only, such as 'acme-*' or 'icon/acme-*'; may be repeated
    #[arg(long, value_name = "GLOB", value_parser = pattern)]
    only: Vec<Pattern>,
    /// What the manifest shall own, and what is exported; may be repeated [default: what is exported, code by code]
    #[arg(long, value_name = "GLOB", value_parser = pattern)]
    owns: Vec<Pattern>,
    /// Replace files that are there already
    #[arg(long)]
    overwrite: bool,
    #[command(flatten)]
    pub(super) reports: Reports,
}

pub(super) fn run(globals: &Globals, arguments: &Arguments) -> Exit {
    let context = Context::reading_once(globals);
    let mut attempt = Attempt::default();
    let made = export_to(&context, arguments, &mut attempt);
    context.progress.clear();
    let (Exported { export, written }, report) = attempt.finish(&context, made);
    let folder = arguments.folder.display().to_string();
    let (portal, findings) = (report.portal.clone(), report.findings.clone());
    let mut exported = ExportReport { folder, portal, items: export.items, written, findings };
    let exit = error::exit_of_reading(report.failure, exported.has_errors());
    exported.findings.extend(arguments.reports.write_export(&exported, &context.heading(exit)));
    let exit = error::exit_of_reading(report.failure, exported.has_errors());
    let human = || render::export::exported(&exported);
    output::result::<ExportDocument>(globals, &exported, exit, human, &exported.findings, &report)
}

fn export_to(context: &Context<'_>, arguments: &Arguments, attempt: &mut Attempt) -> Result<Exported, Failure> {
    let choice = chosen(arguments).map_err(Failure::usage)?;
    // A manifest is not needed; the pin of one that is named holds.
    let manifest = if context.globals.names_manifest() { attempt.parse_if_any(context)? } else { None };
    let connection = attempt.connect(context, manifest.as_ref(), Purpose::Read)?;
    let source = ExportSource { portal: connection.identity.clone(), sandbox: context.globals.sandbox.is_some() };
    let existing = if arguments.overwrite { Existing::Replaced } else { Existing::Kept };
    let target = ExportFolder::at(&arguments.folder).sparing(context.globals.inputs.iter().map(NamedFile::parts));
    recovery::remember(&connection)?;
    let reader = connection.reader_without_cache(context);
    let mut exported = context.wait(export::export(&choice, &source, &reader, &target, existing))??;
    attempt.findings.append(&mut exported.export.findings);
    Ok(exported)
}

fn chosen(arguments: &Arguments) -> Result<ExportChoice, String> {
    let scope = |patterns: &[Pattern]| {
        let scope = (!patterns.is_empty()).then(|| Scope::new(patterns.to_vec()));
        scope.transpose().map_err(|error| error.to_string())
    };
    let only = scope(&arguments.only)?.map_or(Selection::All, Selection::Matching);
    Ok(ExportChoice { only, owns: scope(&arguments.owns)? })
}
