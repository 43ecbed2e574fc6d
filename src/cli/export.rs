//! `brandctl export`

use std::path::PathBuf;

use clap::Args;

use crate::domain::export::{ExportChoice, ExportSource, MANIFEST};
use crate::domain::report::ExportReport;
use crate::domain::scope::{Pattern, Scope};
use crate::domain::state::Selection;
use crate::ops::export::{self, Exported};
use crate::ops::plan::Purpose;
use crate::ops::ports::{Existing, ReadArt as _};
use crate::ops::take;
use crate::render;
use crate::render::json::ExportDocument;
use crate::store::export::ExportFolder;
use crate::store::files::place;
use crate::store::paths::manifest_in;
use crate::store::repository::Repository;
use crate::text;

use super::attempt::Attempt;
use super::context::Context;
use super::error::{self, Failure};
use super::exit::Exit;
use super::output;
use super::paths::NamedFile;
use super::recovery;
use super::reports::Reports;
use super::settings::{Globals, pattern};

/// Write what the portal holds to a folder, or take the portal's version of an entry
///
/// Writes a manifest, every image, and a snapshot for `plan --against`. Only reads the portal, and works with any user's
/// webhook and without a manifest. The first plan against the result is empty. The manifest ignores entries that the art
/// rules do not accept; their images are kept.
///
/// With --only and --overwrite in a folder that has a manifest, takes the portal's version of those entries: replaces
/// their images and changes nothing else. A file that is not committed, or that another code uses, is kept: the image
/// gets a new file, and only its line of the manifest changes.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  brandctl export brand\n  brandctl export brand --owns 'acme-*'        own a prefix, and export the codes with it\n  brandctl export brand --only 'icon/acme-*'\n  brandctl export brand --overwrite\n  brandctl export --only icon/acme-call --overwrite    take the portal's version of one icon\n\nExit codes: 0 exported, 1 error, or an image could not be fetched, 130 interrupted."
)]
pub(super) struct Arguments {
    /// The folder to write to; with --only and --overwrite, the manifest's folder by default
    #[arg(value_name = "DIR", required_unless_present_all = ["only", "overwrite"])]
    folder: Option<PathBuf>,
    /// Export matching entries only, such as 'acme-*' or 'icon/acme-*'; may be repeated
    #[arg(long, value_name = "GLOB", value_parser = pattern)]
    only: Vec<Pattern>,
    /// The patterns that the manifest owns and that limit the export; may be repeated [default: each exported code]
    #[arg(long, value_name = "GLOB", value_parser = pattern)]
    owns: Vec<Pattern>,
    /// Replace files that already exist
    #[arg(long)]
    overwrite: bool,
    #[command(flatten)]
    pub(super) reports: Reports,
}

impl Arguments {
    /// The folder to write to.
    fn folder(&self, context: &Context<'_>) -> PathBuf {
        self.folder.clone().unwrap_or_else(|| context.repository.folder().to_owned())
    }

    /// The repository whose entries are taken from the portal, if that is asked for. The error is about a folder whose
    /// manifest is another one: a plain export replaces nothing there.
    fn repository(&self, globals: &Globals) -> Result<Option<Repository>, Failure> {
        if !self.overwrite || self.only.is_empty() {
            return Ok(None);
        }
        let Some(folder) = &self.folder else { return Ok(Some(globals.repository())) };
        let repository =
            if globals.names_manifest() { globals.repository() } else { globals.repository_at(&folder.join(MANIFEST)) };
        let is_here = place::of_folder(folder) == place::of_folder(repository.folder()) && !repository.is_absent();
        match manifest_in(folder).filter(|_| !is_here) {
            Some(other) => {
                let other = text::shell_word(&other.display().to_string()).into_owned();
                let message = format!("{} has a manifest of its own: use `-f {other}`", folder.display());
                Err(Failure::usage(message))
            }
            None => Ok(is_here.then_some(repository)),
        }
    }
}

pub(super) fn run(globals: &Globals, arguments: &Arguments) -> Exit {
    let mut context = Context::reading_once(globals);
    let mut attempt = Attempt::default();
    let repository = arguments.repository(globals);
    let takes = matches!(repository, Ok(Some(_)));
    let made = repository.and_then(|repository| {
        context.repository = repository.unwrap_or_else(|| context.repository.clone());
        context.spare_repository()?;
        if takes { take_into(&context, arguments, &mut attempt) } else { export_to(&context, arguments, &mut attempt) }
    });
    context.progress.clear();
    let folder = arguments.folder(&context);
    // A report that names a file which was written just now does not replace it.
    if let Ok(made) = &made {
        let written = made.written.iter().map(|file| folder.join(file));
        attempt.findings.extend(context.spare(written).err().into_iter().flat_map(|failure| failure.findings));
    }
    let (Exported { export, written }, report) = attempt.finish(&context, made);
    let folder = folder.display().to_string();
    let (portal, findings) = (report.portal.clone(), report.findings.clone());
    let mut exported = ExportReport { folder, portal, items: export.items, written, findings };
    let exit = error::exit_of_reading(report.failure, exported.has_errors());
    exported.findings.extend(arguments.reports.write_export(&exported, &context.header(exit), &context.spared()));
    let exit = error::exit_of_reading(report.failure, exported.has_errors());
    let human = || if takes { render::export::taken(&exported) } else { render::export::exported(&exported) };
    output::result::<ExportDocument>(globals, &exported, exit, human, &exported.findings, &report)
}

/// Takes the portal's version of the chosen entries into a repository.
fn take_into(context: &Context<'_>, arguments: &Arguments, attempt: &mut Attempt) -> Result<Exported, Failure> {
    if !arguments.owns.is_empty() {
        let message = "--owns is for a new export: with --only and --overwrite, the manifest in this folder decides what is owned";
        return Err(Failure::usage(message));
    }
    let choice = chosen(arguments).map_err(Failure::usage)?;
    let text = context.repository.manifest()?;
    let manifest = attempt.parse(context)?;
    let text = String::from_utf8_lossy(&text);
    let connection = attempt.connect(context, Some(&manifest), Purpose::Read)?;
    recovery::remember(&connection)?;
    let reader = connection.reader_without_cache(context);
    let taking = take::take(&choice.only, (&manifest, &text), &reader, &context.repository);
    let mut taken = context.wait(taking)??;
    attempt.findings.append(&mut taken.export.findings);
    Ok(taken)
}

fn export_to(context: &Context<'_>, arguments: &Arguments, attempt: &mut Attempt) -> Result<Exported, Failure> {
    let choice = chosen(arguments).map_err(Failure::usage)?;
    // No manifest is needed; if one is named, its pin applies.
    let manifest = if context.globals.names_manifest() { attempt.parse_if_any(context)? } else { None };
    let connection = attempt.connect(context, manifest.as_ref(), Purpose::Read)?;
    let source = ExportSource { portal: connection.identity.clone(), sandbox: context.globals.sandbox.is_some() };
    let existing = if arguments.overwrite { Existing::Replaced } else { Existing::Kept };
    let target =
        ExportFolder::at(&arguments.folder(context)).sparing(context.globals.inputs.iter().map(NamedFile::parts));
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
