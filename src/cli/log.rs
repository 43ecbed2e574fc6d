//! `brandctl log`

use clap::builder::NonEmptyStringValueParser;
use clap::{Args, Subcommand, ValueEnum};

use crate::domain::finding::Finding;
use crate::domain::logmessage::{self, Entity, LogOutcome, LogReport, NewLogEntry};
use crate::ops;
use crate::ops::ports::{ReadLog as _, WriteError, WriteLog as _};
use crate::render;
use crate::render::json::LogDocument;

use super::exit::Exit;
use super::output;
use super::session::{Connection, CutShort, Purpose, Session};
use super::settings::{Format, Globals, parsed};

/// Add, get, list and delete log entries in the timelines of CRM items
///
/// An item is written as type and number: deal:12, lead:7, smart-invoice:3, or for a smart process its number, as in
/// 1032:5 or T408:5. Portals only tell of entries that were added in this way.
#[derive(Debug, Args)]
#[command(
    arg_required_else_help = false,
    after_help = "Examples:\n  brandctl log add --entity deal:12 --title Sent --text 0034-1234 --icon acme-parcel\n  brandctl log list --entity deal:12\n  brandctl log get 42074\n  brandctl log delete 42074\n\nExit codes: 0 done, 1 error, or not all could be determined, 130 interrupted."
)]
pub(super) struct Arguments {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Add an entry to an item's timeline
    ///
    /// The portal does not look whether it has the icon; brandctl does, and warns. What was added through a webhook can
    /// never be deleted.
    #[command(
        after_help = "Examples:\n  brandctl log add --entity deal:12 --title Sent --text 0034-1234 --icon acme-parcel"
    )]
    Add(Adding),
    /// Show one entry
    #[command(after_help = "Examples:\n  brandctl log get 42074")]
    Get(Naming),
    /// List an item's entries
    #[command(
        after_help = "Examples:\n  brandctl log list --entity deal:12\n  brandctl log list --entity 1032:5 --order asc --limit 20 --format json"
    )]
    List(Listing),
    /// Delete an entry
    ///
    /// Portals let only the application that added an entry delete it. A webhook is no application.
    #[command(after_help = "Examples:\n  brandctl log delete 42074")]
    Delete(Naming),
}

#[derive(Debug, Args)]
struct Adding {
    /// The item, such as deal:12
    #[arg(long, value_name = "TYPE:ID", value_parser = parsed::<Entity>)]
    entity: Entity,
    /// The entry's title
    #[arg(long, value_parser = NonEmptyStringValueParser::new())]
    title: String,
    /// The entry's text
    #[arg(long, value_parser = NonEmptyStringValueParser::new())]
    text: String,
    /// The code of the entry's icon
    #[arg(long, value_name = "CODE", value_parser = NonEmptyStringValueParser::new())]
    icon: String,
}

#[derive(Debug, Args)]
struct Naming {
    /// The entry's id
    #[arg(value_parser = clap::value_parser!(u64).range(1..))]
    id: u64,
}

#[derive(Debug, Args)]
struct Listing {
    /// The item, such as deal:12
    #[arg(long, value_name = "TYPE:ID", value_parser = parsed::<Entity>)]
    entity: Entity,
    /// Stop after so many entries
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    limit: Option<u32>,
    /// Which entries come first
    #[arg(long, value_enum, default_value_t = Order::Desc)]
    order: Order,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Order {
    /// The oldest
    Asc,
    /// The newest
    Desc,
}

pub(super) fn run(globals: &Globals, arguments: &Arguments) -> Exit {
    let mut session = Session::looking(globals);
    let mut report = LogReport::default();
    act(&mut session, &arguments.action, &mut report);
    session.progress.clear();
    report.portal.clone_from(&session.report.portal);
    report.findings.splice(0..0, std::mem::take(&mut session.report.findings));
    let is_bad = report.outcome != LogOutcome::Done || report.findings.iter().any(Finding::is_error);
    let exit = match (session.report.interrupted, is_bad) {
        (true, _) => Exit::Interrupted,
        (false, true) => Exit::Error,
        (false, false) => Exit::Success,
    };
    match globals.format {
        Format::Json => output::json(render::json::print::<LogDocument>(&report), exit),
        Format::Human => {
            let exit = output::data(&human(&arguments.action, &report), exit);
            output::findings(globals, &report.findings, &session.report);
            exit
        }
    }
}

/// Does it; what stood in the way is in one of the two reports.
fn act(session: &mut Session<'_>, action: &Action, report: &mut LogReport) -> Option<()> {
    let manifest = session.parse_if_any();
    if session.report.has_errors() {
        return None;
    }
    // Log entries are in no plan: no run is in the way of a write to them.
    let connection = session.connect(manifest.as_ref(), Purpose::Read)?;
    match action {
        Action::Add(adding) => add(session, adding, &connection, report)?,
        Action::Get(Naming { id }) => {
            let entry = session.read(connection.client.log_entry(*id));
            report.entries = vec![session.took(entry)?];
        }
        Action::List(listing) => list(session, listing, &connection, report)?,
        Action::Delete(Naming { id }) => {
            let deleted = session.read(connection.client.delete_log_entry(*id));
            let help = format!("`brandctl log get {id}` shows whether it is still there");
            wrote(session, deleted, report, "the entry may have been deleted all the same", &help)?;
            report.deleted = Some(*id);
        }
    }
    report.outcome = LogOutcome::Done;
    Some(())
}

fn add(session: &mut Session<'_>, adding: &Adding, connection: &Connection, report: &mut LogReport) -> Option<()> {
    let Adding { entity, title, text, icon } = adding;
    let draft = NewLogEntry { title: title.clone(), text: text.clone(), icon: icon.clone() };
    let added = session.read(ops::logmessage::add(&connection.client, *entity, &draft, &mut report.findings));
    let help = format!("`brandctl log list --entity {entity}` shows whether it is there: add it again only if not");
    report.entries = vec![wrote(session, added, report, "the entry may have been added all the same", &help)?];
    Some(())
}

fn list(session: &mut Session<'_>, listing: &Listing, connection: &Connection, report: &mut LogReport) -> Option<()> {
    let Listing { entity, limit, order } = listing;
    let order = match order {
        Order::Asc => logmessage::LogOrder::Ascending,
        Order::Desc => logmessage::LogOrder::Descending,
    };
    let limit = limit.and_then(|limit| usize::try_from(limit).ok());
    let listed = session.read(ops::logmessage::list(&connection.client, *entity, order, limit));
    let (entries, counted) = session.took(listed)?;
    if let Some(counted) = counted {
        let message = format!("the portal counts {counted} entries and gave {}", entries.len());
        let help = format!("with `--limit {}` no more than these are asked for", entries.len().max(1));
        report.findings.push(Finding::error("incomplete", message).help(help));
    }
    report.entries = entries;
    Some(())
}

/// What came of a write. One whose answer was lost is not sent again: it may have been done.
fn wrote<T>(
    session: &mut Session<'_>,
    outcome: Result<Result<T, WriteError>, CutShort>,
    report: &mut LogReport,
    maybe: &str,
    help: &str,
) -> Option<T> {
    if matches!(outcome, Err(CutShort::Interrupted)) {
        report.outcome = LogOutcome::Unknown;
        session.report.interrupted = true;
        let message = format!("interrupted before the portal answered; {maybe}");
        session.report.findings.push(Finding::error("interrupted", message).help(help));
        return None;
    }
    let outcome = outcome.map(|written| {
        written.map_err(|error| match error {
            WriteError::NoEffect(error) => error,
            WriteError::Unknown(mut error) => {
                report.outcome = LogOutcome::Unknown;
                error.message = format!("{}; {maybe}", error.message);
                error.hint = Some(help.to_owned());
                error
            }
        })
    });
    session.took(outcome)
}

fn human(action: &Action, report: &LogReport) -> String {
    match (action, report.outcome, report.entries.as_slice()) {
        (Action::List(Listing { entity, .. }), LogOutcome::Done, entries) => render::logmessage::list(entries, *entity),
        (Action::Get(_), LogOutcome::Done, [entry]) => render::logmessage::entry(entry),
        (Action::Add(Adding { entity, .. }), LogOutcome::Done, [entry]) => {
            format!("Added log entry {} to {entity}.\n", entry.id)
        }
        (Action::Delete(Naming { id }), LogOutcome::Done, _) => format!("Deleted log entry {id}.\n"),
        _ => String::new(),
    }
}
