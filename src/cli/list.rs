//! `brandctl list`

use clap::Args;

use crate::domain::list::Inventory;
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
    select: SelectArgs,
    #[command(flatten)]
    pub(super) reports: Reports,
}

pub(super) fn run(globals: &Globals, arguments: &Arguments) -> Exit {
    let context = Context::reading_once(globals);
    let (mut attempt, mut inventory) = (Attempt::default(), Inventory::default());
    let failure = look(&context, arguments, &mut attempt, &mut inventory).err();
    context.progress.clear();
    let report = attempt.into_report(&context, failure);
    inventory.findings.clone_from(&report.findings);
    if arguments.reports.comment() {
        inventory.subject = context.subject();
    }
    let unwritten = arguments.reports.write_inventory(&inventory);
    inventory.findings.extend(unwritten);
    let exit = error::exit_of_reading(report.failure, inventory.has_errors());
    match globals.format {
        Format::Json => output::json(render::json::print::<ListDocument>(&inventory), exit),
        Format::Human => {
            let systems = if arguments.system { Systems::Named } else { Systems::Counted };
            let exit = output::data(&render::list::inventory(&inventory, systems, &output::screen()), exit);
            output::findings(globals, &inventory.findings, &report);
            exit
        }
    }
}

/// Lists the portal.
fn look(
    context: &Context<'_>,
    arguments: &Arguments,
    attempt: &mut Attempt,
    inventory: &mut Inventory,
) -> Result<(), Failure> {
    let Arguments { select, reports, system: _ } = arguments;
    let only = select.selection().map_err(Failure::usage)?;
    let manifest = attempt.parse_if_any(context)?;
    let connection = attempt.connect(context, manifest.as_ref(), Purpose::Read)?;
    inventory.manifest = manifest.as_ref().map(|_| context.repository.name().to_owned());
    let ownership = manifest.as_ref().map(Manifest::ownership);
    let bytes = if reports.draw() { Bytes::Kept } else { Bytes::Dropped };
    let reader = connection.reader(context);
    let listed = context.wait(ops::list::list(&reader, ownership.as_ref(), &only, select.freshness(), bytes))??;
    connection.save_cache(context, &listed.listing);
    inventory.portal = Some(connection.identity);
    inventory.entries = listed.entries;
    inventory.contents = listed.contents;
    attempt.findings.extend(listed.findings);
    Ok(())
}
