//! `brandctl list`

use clap::Args;

use crate::domain::list::ListReport;
use crate::domain::manifest::Manifest;
use crate::ops;
use crate::ops::list::Bytes;
use crate::ops::plan::Purpose;
use crate::render;
use crate::render::json::ListDocument;
use crate::render::list::Systems;

use super::attempt::Attempt;
use super::context::Context;
use super::error::{self, Failure};
use super::exit::Exit;
use super::output;
use super::reports::Reports;
use super::settings::{Globals, SelectArgs};

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
    select: SelectArgs,
    #[command(flatten)]
    pub(super) reports: Reports,
}

pub(super) fn run(globals: &Globals, arguments: &Arguments) -> Exit {
    let context = Context::reading_once(globals);
    let (mut attempt, mut list) = (Attempt::default(), ListReport::default());
    let failure = look(&context, arguments, &mut attempt, &mut list).err();
    context.progress.clear();
    let report = attempt.into_report(&context, failure);
    list.findings.clone_from(&report.findings);
    if arguments.reports.comment() {
        list.subject = context.subject();
    }
    let unwritten = arguments.reports.write_list(&list, &context.spared());
    list.findings.extend(unwritten);
    let exit = error::exit_of_reading(report.failure, list.has_errors());
    let systems = if arguments.system { Systems::Named } else { Systems::Counted };
    let human = || render::list::list(&list, systems, &output::screen());
    output::result::<ListDocument>(globals, &list, exit, human, &list.findings, &report)
}

fn look(
    context: &Context<'_>,
    arguments: &Arguments,
    attempt: &mut Attempt,
    list: &mut ListReport,
) -> Result<(), Failure> {
    let Arguments { select, reports, system: _ } = arguments;
    let only = select.selection().map_err(Failure::usage)?;
    let manifest = attempt.parse_if_any(context)?;
    let connection = attempt.connect(context, manifest.as_ref(), Purpose::Read)?;
    list.manifest = manifest.as_ref().map(|_| context.repository.name().to_owned());
    let ownership = manifest.as_ref().map(Manifest::ownership);
    let bytes = if reports.draw() { Bytes::Kept } else { Bytes::Dropped };
    let reader = connection.reader(context);
    let listed = context.wait(ops::list::list(&reader, ownership.as_ref(), &only, select.freshness(), bytes))??;
    connection.save_cache(context, &listed.listing);
    list.portal = Some(connection.identity);
    list.entries = listed.entries;
    list.contents = listed.contents;
    attempt.findings.extend(listed.findings);
    Ok(())
}
