//! `brandctl export`

use std::path::PathBuf;

use clap::Args;

use crate::domain::export::{ExportChoice, ExportSource};
use crate::domain::finding::Finding;
use crate::domain::report::{ExportReport, Report};
use crate::domain::scope::{Pattern, Scope};
use crate::domain::state::Selection;
use crate::ops::export;
use crate::ops::observe::{NoCache, Reader};
use crate::ops::ports::Existing;
use crate::render;
use crate::render::json::ExportDocument;
use crate::store::export::ExportFolder;

use super::exit::{self, Exit};
use super::output;
use super::session::{Purpose, Session};
use super::settings::{Format, Globals, pattern};

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
}

pub(super) fn run(globals: &Globals, arguments: &Arguments) -> Exit {
    let mut session = Session::looking(globals);
    let mut report = ExportReport { folder: arguments.folder.display().to_string(), ..ExportReport::default() };
    carry_out(&mut session, arguments, &mut report);
    session.progress.clear();
    report.findings.splice(0..0, std::mem::take(&mut session.report.findings));
    let exit = exit::of_reading(&session.report, report.has_errors());
    match globals.format {
        Format::Json => output::json(render::json::print::<ExportDocument>(&report), exit),
        Format::Human => {
            let exit = output::data(&render::export::exported(&report), exit);
            output::findings(globals, &report.findings, &Report::default());
            exit
        }
    }
}

/// Exports, as far as it comes; what stood in the way is in the session's report.
fn carry_out(session: &mut Session<'_>, arguments: &Arguments, report: &mut ExportReport) -> Option<()> {
    let choice = match chosen(arguments) {
        Ok(choice) => choice,
        Err(error) => {
            session.report.findings.push(Finding::error("usage", error));
            return None;
        }
    };
    // A manifest is not needed; the pin of one that is named holds.
    let manifest = if session.globals.names_manifest() { Some(session.parse_if_any()?) } else { None };
    let connection = session.connect(manifest.as_ref(), Purpose::Read)?;
    report.portal = Some(connection.identity.clone());
    let source = ExportSource { portal: connection.identity.clone(), sandbox: session.globals.sandbox.is_some() };
    let existing = if arguments.overwrite { Existing::Replaced } else { Existing::Kept };
    let target = ExportFolder::at(&arguments.folder);
    let eyes = Reader { portal: &connection.client, cache: &NoCache, observer: session.progress.as_ref() };
    let exported = session.read(export::export(&choice, &source, &eyes, &target, existing));
    let exported = session.took(exported)?;
    report.items = exported.export.items;
    report.findings = exported.export.findings;
    report.written = exported.written;
    Some(())
}

fn chosen(arguments: &Arguments) -> Result<ExportChoice, String> {
    let scope = |patterns: &[Pattern]| {
        let scope = (!patterns.is_empty()).then(|| Scope::new(patterns.to_vec()));
        scope.transpose().map_err(|error| error.to_string())
    };
    let only = scope(&arguments.only)?.map_or(Selection::All, Selection::Matching);
    Ok(ExportChoice { only, owns: scope(&arguments.owns)? })
}
