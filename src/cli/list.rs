//! `brandctl list`

use clap::Args;

use crate::domain::finding::Finding;
use crate::domain::list::ListReport;
use crate::domain::manifest::Manifest;
use crate::ops;
use crate::ops::list::Bytes;
use crate::render;
use crate::render::json::ListDocument;
use crate::render::list::Systems;

use super::exit::{self, Exit};
use super::output;
use super::reports::Reports;
use super::session::{Purpose, Session};
use super::settings::{Format, Globals, SelectArgs};

/// Show what the portal holds, and what is managed
///
/// Reads only, and works with any user's webhook. Without a manifest, custom entries are told from the product's own, and
/// nothing is known of who owns them. JSON has every entry.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  brandctl list\n  brandctl list --system                with the codes that come with the product\n  brandctl list --only 'icon/acme-*'\n  brandctl list --format json\n\nExit codes: 0 listed, 1 error, or an image could not be fetched, 130 interrupted."
)]
pub(super) struct Arguments {
    /// Name the entries that come with the product too, instead of counting them
    #[arg(long)]
    system: bool,
    #[command(flatten)]
    looking: SelectArgs,
    #[command(flatten)]
    pub(super) reports: Reports,
}

pub(super) fn run(globals: &Globals, arguments: &Arguments) -> Exit {
    let mut session = Session::looking(globals);
    let mut list = ListReport::default();
    let bytes = if arguments.reports.draw() { Bytes::Kept } else { Bytes::Dropped };
    look(&mut session, &arguments.looking, bytes, &mut list);
    session.progress.clear();
    list.findings.splice(0..0, std::mem::take(&mut session.report.findings));
    if arguments.reports.comment() {
        list.subject = session.subject();
    }
    let unwritten = arguments.reports.write_list(&list);
    list.findings.extend(unwritten);
    let exit = exit::of_reading(&session.report, list.has_errors());
    match globals.format {
        Format::Json => output::json(render::json::print::<ListDocument>(&list), exit),
        Format::Human => {
            let systems = if arguments.system { Systems::Named } else { Systems::Counted };
            let exit = output::data(&render::list::list(&list, systems, &output::screen()), exit);
            output::findings(globals, &list.findings, &session.report);
            exit
        }
    }
}

/// Fills the list as far as it comes; what stood in the way is in the report.
fn look(session: &mut Session<'_>, looking: &SelectArgs, bytes: Bytes, list: &mut ListReport) -> Option<()> {
    let only = match looking.selection() {
        Ok(only) => only,
        Err(error) => {
            session.report.findings.push(Finding::error("usage", error));
            return None;
        }
    };
    let manifest = session.parse_if_any();
    if session.report.has_errors() {
        return None;
    }
    let connection = session.connect(manifest.as_ref(), Purpose::Read)?;
    list.manifest = manifest.as_ref().map(|_| session.repository.name().to_owned());
    let ownership = manifest.as_ref().map(Manifest::ownership);
    let eyes = session.eyes(&connection);
    let listed = session.read(ops::list::list(&eyes, ownership.as_ref(), &only, looking.freshness(), bytes));
    let listed = session.took(listed)?;
    session.save_cache(&connection, &listed.listing);
    list.portal = Some(connection.identity.clone());
    list.entries = listed.entries;
    list.findings = listed.findings;
    list.contents = listed.contents;
    Some(())
}
