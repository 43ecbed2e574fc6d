//! `brandctl log`

use clap::builder::NonEmptyStringValueParser;
use clap::{Args, Subcommand, ValueEnum};

use crate::domain::finding::Finding;
use crate::domain::logmessage::{self, Entity, LogEntry, LogOutcome, LogReport, NewLogEntry};
use crate::domain::report::FailureKind;
use crate::ops;
use crate::ops::events::{Event, Observer as _, Stage};
use crate::ops::plan::Purpose;
use crate::ops::ports::{PortalError, ReadLog as _, WriteError, WriteLog as _};
use crate::render;
use crate::render::json::LogDocument;

use super::attempt::Attempt;
use super::connection::Connection;
use super::context::Context;
use super::error::{self, Failure};
use super::exit::Exit;
use super::output;
use super::settings::{Globals, parsed};

/// Add, get, list and delete log entries in the timelines of CRM items
///
/// An item is a type and a number: deal:12, lead:7, smart-invoice:3. For a smart process, the type is its number, as in
/// 1032:5 or T408:5. Portals list only entries that were added in this way.
#[derive(Debug, Args)]
#[command(
    arg_required_else_help = false,
    after_help = "Examples:\n  brandctl log add --entity deal:12 --title Sent --text 0034-1234 --icon acme-parcel\n  brandctl log list --entity deal:12\n  brandctl log get 42074\n  brandctl log delete 42074\n\nExit codes: 0 done, 1 error, or something is unknown, 130 interrupted."
)]
pub(super) struct Arguments {
    #[command(subcommand)]
    action: LogAction,
}

impl Arguments {
    /// The command's name, as the user types it.
    pub(super) const fn name(&self) -> &'static str {
        match self.action {
            LogAction::Add(_) => "log add",
            LogAction::Get(_) => "log get",
            LogAction::List(_) => "log list",
            LogAction::Delete(_) => "log delete",
        }
    }
}

#[derive(Debug, Subcommand)]
enum LogAction {
    /// Add an entry to an item's timeline
    ///
    /// The portal accepts any icon code; brandctl checks first whether the portal has the icon. An entry that was added
    /// through a webhook can never be deleted.
    #[command(
        after_help = "Examples:\n  brandctl log add --entity deal:12 --title Sent --text 0034-1234 --icon acme-parcel"
    )]
    Add(AddArgs),
    /// Show one entry
    #[command(after_help = "Examples:\n  brandctl log get 42074")]
    Get(IdArgs),
    /// List an item's entries
    #[command(
        after_help = "Examples:\n  brandctl log list --entity deal:12\n  brandctl log list --entity 1032:5 --order asc --limit 20 --format json"
    )]
    List(ListArgs),
    /// Delete an entry
    ///
    /// Portals let only the application that added an entry delete it. A webhook is not an application.
    #[command(after_help = "Examples:\n  brandctl log delete 42074")]
    Delete(IdArgs),
}

#[derive(Debug, Args)]
struct AddArgs {
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
    /// Add the entry even if the portal does not have its icon: it is shown without one until that code is added
    #[arg(long)]
    allow_unknown_icon: bool,
}

#[derive(Debug, Args)]
struct IdArgs {
    /// The entry's id
    #[arg(value_parser = clap::value_parser!(u64).range(1..))]
    id: u64,
}

#[derive(Debug, Args)]
struct ListArgs {
    /// The item, such as deal:12
    #[arg(long, value_name = "TYPE:ID", value_parser = parsed::<Entity>)]
    entity: Entity,
    /// Stop after N entries
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    limit: Option<u32>,
    /// Which entries come first
    #[arg(long, value_enum, default_value_t = OrderArg::Desc)]
    order: OrderArg,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum OrderArg {
    /// The oldest
    Asc,
    /// The newest
    Desc,
}

pub(super) fn run(globals: &Globals, arguments: &Arguments) -> Exit {
    let context = Context::reading_once(globals);
    let (mut attempt, mut log) = (Attempt::default(), LogReport::default());
    let failure = act(&context, &arguments.action, &mut attempt, &mut log).err();
    context.progress.clear();
    let report = attempt.into_report(&context, failure);
    log.portal.clone_from(&report.portal);
    log.findings.clone_from(&report.findings);
    let is_bad = log.outcome != LogOutcome::Done || log.findings.iter().any(Finding::is_error);
    let exit = error::exit_of_reading(report.failure, is_bad);
    output::result::<LogDocument>(globals, &log, exit, || human(&arguments.action, &log), &log.findings, &report)
}

fn act(context: &Context<'_>, action: &LogAction, attempt: &mut Attempt, log: &mut LogReport) -> Result<(), Failure> {
    let manifest = attempt.parse_if_any(context)?;
    // Plans do not contain log entries: an open run does not block a write to them.
    let connection = attempt.connect(context, manifest.as_ref(), Purpose::Read)?;
    context.progress.observe(Event::Stage { stage: Stage::Asking, total: None });
    match action {
        LogAction::Add(AddArgs { entity, title, text, icon, allow_unknown_icon }) => {
            let draft = NewLogEntry { title: title.clone(), text: text.clone(), icon: icon.clone() };
            if !allow_unknown_icon && !context.wait(ops::logmessage::has_icon(&connection.client, &draft))?? {
                return Err(unknown_icon(icon));
            }
            let added = context.wait(connection.client.add_log_entry(*entity, &draft));
            let help =
                format!("`brandctl log list --entity {entity}` shows whether it was added: add it again only if not");
            log.entries = vec![wrote(added, log, "the entry may have been added", &help)?];
        }
        LogAction::Get(IdArgs { id }) => log.entries = vec![context.wait(connection.client.log_entry(*id))??],
        LogAction::List(arguments) => log.entries = list(context, arguments, &connection, attempt)?,
        LogAction::Delete(IdArgs { id }) => {
            let deleted = context.wait(connection.client.delete_log_entry(*id));
            let help = format!("`brandctl log get {id}` shows whether it is still there");
            wrote(deleted, log, "the entry may have been deleted", &help)?;
            log.deleted = Some(*id);
        }
    }
    log.outcome = LogOutcome::Done;
    Ok(())
}

/// A log entry cannot be deleted through a webhook, so one that is probably a mistake is not added.
fn unknown_icon(icon: &str) -> Failure {
    let message = format!("the portal does not have an icon `{icon}`; nothing was added");
    let help = "`brandctl list --system` shows the codes; --allow-unknown-icon adds the entry anyway";
    Failure::new(FailureKind::Invalid, Finding::error("unknown-icon", message).help(help))
}

fn list(
    context: &Context<'_>,
    arguments: &ListArgs,
    connection: &Connection,
    attempt: &mut Attempt,
) -> Result<Vec<LogEntry>, Failure> {
    let ListArgs { entity, limit, order } = arguments;
    let order = match order {
        OrderArg::Asc => logmessage::LogOrder::Ascending,
        OrderArg::Desc => logmessage::LogOrder::Descending,
    };
    let limit = limit.and_then(|limit| usize::try_from(limit).ok());
    let (entries, counted) = context.wait(ops::logmessage::list(&connection.client, *entity, order, limit))??;
    if let Some(counted) = counted {
        let message = format!("the portal counts {counted} entries, but returned {}", entries.len());
        let help = format!("`--limit {}` lists only these", entries.len().max(1));
        attempt.findings.push(Finding::error("incomplete", message).help(help));
    }
    Ok(entries)
}

/// The report of a write. If its answer was lost, it is not sent again, because it may have taken effect.
fn wrote<T>(
    outcome: Result<Result<T, WriteError>, Failure>,
    log: &mut LogReport,
    maybe: &str,
    help: &str,
) -> Result<T, Failure> {
    match outcome {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(WriteError::NoEffect(error))) => Err(error.into()),
        Ok(Err(WriteError::Unclear(error) | WriteError::Unanswered(error))) => {
            log.outcome = LogOutcome::Unknown;
            let message = format!("{}; {maybe}", error.message);
            Err(PortalError { message, hint: Some(help.to_owned()), ..error }.into())
        }
        Err(failure) if failure.kind == FailureKind::Interrupted => {
            log.outcome = LogOutcome::Unknown;
            let message = format!("interrupted before the portal answered; {maybe}");
            Err(Failure::new(failure.kind, Finding::error("interrupted", message).help(help)))
        }
        Err(failure) => Err(failure),
    }
}

fn human(action: &LogAction, report: &LogReport) -> String {
    match (action, report.outcome, report.entries.as_slice()) {
        (LogAction::List(ListArgs { entity, .. }), LogOutcome::Done, entries) => {
            render::logmessage::list(entries, *entity)
        }
        (LogAction::Get(_), LogOutcome::Done, [entry]) => render::logmessage::entry(entry),
        (LogAction::Add(AddArgs { entity, .. }), LogOutcome::Done, [entry]) => {
            format!("Added log entry {} to {entity}.\n", entry.id)
        }
        (LogAction::Delete(IdArgs { id }), LogOutcome::Done, _) => format!("Deleted log entry {id}.\n"),
        _ => String::new(),
    }
}
