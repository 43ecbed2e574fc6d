//! `brandctl list`

use clap::Args;

use crate::domain::asset::Address;
use crate::domain::list::{Claims, ListReport};
use crate::domain::manifest::Manifest;
use crate::domain::report::Subject;
use crate::domain::state::Selection;
use crate::ops;
use crate::ops::list::Bytes;
use crate::ops::plan::Purpose;
use crate::render;
use crate::render::json::ListDocument;
use crate::render::list::Systems;

use super::attempt::Attempt;
use super::connection::Connection;
use super::context::Context;
use super::error::{self, Failure};
use super::exit::Exit;
use super::output;
use super::recovery;
use super::reports::Reports;
use super::settings::{Globals, SelectArgs, SettleArgs};

/// Show what the portal holds, and what is managed
///
/// Only reads, and works with any user's webhook. Without a manifest, custom and system entries are distinguished, but
/// their owner is unknown. JSON has every entry.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  brandctl list\n  brandctl list --system                with the codes that come with the product\n  brandctl list --only 'icon/acme-*'\n  brandctl list --format json\n\nExit codes: 0 listed, 1 error, an image could not be fetched, or the portal may still change, 130 interrupted."
)]
pub(super) struct Arguments {
    /// List the entries that come with the product too, instead of only counting them
    #[arg(long)]
    system: bool,
    #[command(flatten)]
    select: SelectArgs,
    #[command(flatten)]
    settle: SettleArgs,
    #[command(flatten)]
    pub(super) reports: Reports,
}

pub(super) fn run(globals: &Globals, arguments: &Arguments) -> Exit {
    let context = Context::new(globals, &arguments.settle);
    let mut attempt = Attempt::default();
    let opened = open(&context, arguments, &mut attempt);
    let with_manifest = opened.as_ref().is_ok_and(|(.., manifest)| manifest.is_some());
    let listed = opened.and_then(|opened| look(&context, arguments, opened, &mut attempt));
    context.progress.clear();
    let (found, report) = attempt.finish(&context, listed);
    let mut list = ListReport {
        subject: if arguments.reports.comment() { context.subject() } else { Subject::default() },
        heading: arguments.reports.heading(|| globals.invocation.started(), &context.repository),
        manifest: with_manifest.then(|| context.repository.name().to_owned()),
        findings: report.findings.clone(),
        ..found
    };
    let exit = error::exit_of_reading(report.failure, list.has_errors());
    let (portal, header) = (report.portal.as_deref(), context.header(exit));
    list.findings.extend(arguments.reports.write_list(&list, portal, &header, &context.spared()));
    let exit = error::exit_of_reading(report.failure, list.has_errors());
    let systems = if arguments.system { Systems::Named } else { Systems::Counted };
    let human = || render::list::list(&list, systems, &output::screen());
    output::result::<ListDocument>(globals, &list, exit, human, &list.findings, &report)
}

/// A portal to read, the entries that are wanted, and the manifest that decides what is managed.
type Opened = (Connection, Selection, Option<Manifest>);

fn open(context: &Context<'_>, arguments: &Arguments, attempt: &mut Attempt) -> Result<Opened, Failure> {
    let only = arguments.select.selection().map_err(Failure::usage)?;
    let manifest = attempt.parse_if_any(context)?;
    let connection = attempt.connect(context, manifest.as_ref(), Purpose::Read)?;
    Ok((connection, only, manifest))
}

/// The manifest's claims on entries. If its folders cannot be listed, an error says so.
fn claims(context: &Context<'_>, manifest: &Manifest, attempt: &mut Attempt) -> Claims {
    let declared =
        context.repository.all_addresses(manifest).map_err(|findings| attempt.findings.extend(findings)).ok();
    let declared = declared.map(|declared| declared.iter().map(Address::folded).collect());
    Claims { ownership: manifest.ownership(), declared }
}

/// Reads the entries. Findings go to `attempt`.
fn look(
    context: &Context<'_>,
    arguments: &Arguments,
    (connection, only, manifest): Opened,
    attempt: &mut Attempt,
) -> Result<ListReport, Failure> {
    let Arguments { select, reports, .. } = arguments;
    recovery::settle(context, &connection, attempt)?;
    let claims = manifest.as_ref().map(|manifest| claims(context, manifest, attempt));
    let bytes = if reports.draw() { Bytes::Kept } else { Bytes::Dropped };
    recovery::remember(&connection)?;
    let reader = connection.reader(context);
    let listed = context.wait(ops::list::list(&reader, claims.as_ref(), &only, select.freshness(), bytes))??;
    connection.save_cache(context, &listed.listing);
    attempt.findings.extend(listed.findings);
    Ok(ListReport {
        portal: Some(connection.identity),
        entries: listed.entries,
        contents: listed.contents,
        ..ListReport::default()
    })
}
