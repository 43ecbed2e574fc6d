//! `brandctl usage`

use clap::Args;

use crate::domain::asset::{Address, Code, Kind};
use crate::domain::finding::Finding;
use crate::domain::guard::Allowances;
use crate::domain::manifest::Policy;
use crate::domain::plan::Plan;
use crate::domain::usage::{Items, Span, UsageReport};
use crate::ops;
use crate::ops::ports::PAGES_AT_ONCE;
use crate::ops::usage::Scanned;
use crate::portal::Rate;
use crate::render;
use crate::render::json::UsageDocument;

use super::complete;
use super::exit::{self, Exit};
use super::output;
use super::plan::{self, Made};
use super::session::{Connection, Purpose, Session};
use super::settings::{Format, Globals, GuardArgs, SelectArgs, SettleArgs};

/// Look whether timeline log entries name codes
///
/// Reads the log entries of the CRM items that are given, 50 items in a request, and writes nothing. Without codes, looks
/// for those that `plan` would delete or replace. Only what was read is known: a code that is not seen there may be in use
/// elsewhere. Logos are not named by log entries, so their use stays unknown.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  brandctl usage --entity deal:1-500                   of what a plan would delete or replace\n  brandctl usage acme-call --entity deal:12 --entity lead:1-50\n  brandctl usage icon/acme-call --entity 1032:7 --format json\n\nExit codes: 0 each code is used, or not seen in anything that was asked for; 1 error, or something is unknown; 130 interrupted."
)]
pub(super) struct Arguments {
    /// Codes of icons, or addresses such as icon/acme-call [default: what a plan would delete or replace]
    #[arg(value_name = "CODE|ADDRESS", add = complete::patterns(), value_parser = code, conflicts_with_all = ["only", "refresh", "settle"])]
    codes: Vec<Address>,
    /// The CRM items whose log entries are looked at, such as deal:12 or deal:1-500; may be repeated
    #[arg(long = "entity", value_name = "TYPE:ID[-ID]", required = true)]
    entities: Vec<Span>,
    #[command(flatten)]
    looking: SelectArgs,
    #[command(flatten)]
    settling: SettleArgs,
}

/// A code without a kind is an icon's: nothing else is named by log entries.
fn code(text: &str) -> Result<Address, String> {
    if let Ok(address) = text.parse::<Address>() {
        return if address.code.as_str().is_empty() { Err("the code is missing".to_owned()) } else { Ok(address) };
    }
    let word = text.split_once('/').map_or("", |(word, _)| word);
    let is_of = |kind: &Kind| [kind.name(), kind.plural()].iter().any(|name| name.eq_ignore_ascii_case(word));
    match Kind::ALL.into_iter().find(is_of) {
        Some(kind) => Err(format!("an address begins with `{kind}/`")),
        None if text.trim().is_empty() => Err("the code is missing".to_owned()),
        None if text.contains('*') => {
            Err("codes are named one by one; a pattern is taken with icon/ before it only".to_owned())
        }
        None => Ok(Address::new(Kind::Icon, Code::new(text))),
    }
}

pub(super) fn run(globals: &Globals, arguments: &Arguments) -> Exit {
    let mut session = Session::new(globals, &arguments.settling);
    let mut report = UsageReport::default();
    look(&mut session, arguments, &mut report);
    session.progress.clear();
    report.portal.clone_from(&session.report.portal);
    report.findings.splice(0..0, std::mem::take(&mut session.report.findings));
    let exit = exit::of_reading(&session.report, report.has_errors());
    match globals.format {
        Format::Json => output::json(render::json::print::<UsageDocument>(&report), exit),
        Format::Human => {
            let exit = output::data(&render::usage::report(&report), exit);
            output::findings(globals, &report.findings, &session.report);
            exit
        }
    }
}

/// Fills the report as far as it comes; what stood in the way is in the session's.
fn look(session: &mut Session<'_>, arguments: &Arguments, report: &mut UsageReport) -> Option<()> {
    let items = match Items::new(arguments.entities.iter().copied()) {
        Ok(items) => items,
        Err(error) => {
            session.report.findings.push(Finding::error("usage", error.to_string()));
            return None;
        }
    };
    let (connection, codes) = if arguments.codes.is_empty() {
        let allowing = GuardArgs::default();
        let made = plan::compare(session, &arguments.looking, |policy| allowing.allowances(policy), Purpose::Read)?;
        (made.connection, removed_or_replaced(&made.planned.plan))
    } else {
        let manifest = session.parse_if_any();
        if session.report.has_errors() {
            return None;
        }
        let connection = session.connect(manifest.as_ref(), Purpose::Read)?;
        let absent = session.read(ops::usage::absent(&connection.client, &arguments.codes));
        report.findings = session.took(absent)?;
        (connection, arguments.codes.clone())
    };
    if !codes.is_empty() {
        scan(session, &connection, &items, codes, report)?;
    }
    report.is_complete = true;
    Some(())
}

/// Looks for codes, whatever plans say of them.
fn scan(
    session: &mut Session<'_>,
    connection: &Connection,
    items: &Items,
    codes: Vec<Address>,
    report: &mut UsageReport,
) -> Option<()> {
    announce(session, items, &codes);
    let scanned = ops::usage::scan(&connection.client, session.progress.as_ref(), items, codes);
    let scanned = session.read(scanned).map(Ok);
    let Scanned { evidence, stopped } = session.took(scanned)?;
    report.evidence = Some(evidence);
    if let Some(error) = stopped {
        session.fail(&error);
    }
    Some(())
}

/// What a plan would delete or replace, and what it would if its content could be fetched.
fn removed_or_replaced(plan: &Plan) -> Vec<Address> {
    plan.removed_or_replaced().chain(plan.diff.unknown.iter().map(|unknown| &unknown.address)).cloned().collect()
}

/// Looks for the codes that a plan deletes or replaces; what is found is in the plan and in the report.
pub(super) fn check(
    session: &mut Session<'_>,
    made: &mut Made,
    items: &Items,
    allowances: impl Fn(&Policy) -> Allowances,
) -> Option<()> {
    let Made { connection, validated, planned } = made;
    let allowances = allowances(&validated.manifest.as_ref()?.policy);
    let ownership = validated.checked.desired.as_ref()?.ownership();
    announce(session, items, &planned.plan.removed_or_replaced().cloned().collect::<Vec<_>>());
    let mut report = std::mem::take(&mut session.report);
    let eyes = session.eyes(connection);
    let checked = session.read(ops::usage::check(planned, ownership, allowances, items, &eyes, &mut report));
    session.report = report;
    session.took(checked.map(Ok))
}

/// Says how long it takes to look at many items, before that begins.
fn announce(session: &Session<'_>, items: &Items, codes: &[Address]) {
    /// Fewer requests than these are not worth a word.
    const MANY: usize = 20;
    let (count, requests) = (items.count(), items.count().div_ceil(PAGES_AT_ONCE));
    if requests <= MANY || codes.iter().all(|address| address.kind == Kind::Logo) {
        return;
    }
    // A burst goes out at once, as far as nothing else has used it up.
    let burst = usize::try_from(Rate::default().burst).unwrap_or(usize::MAX);
    let seconds = u32::try_from(requests.saturating_sub(burst)).map_or(f64::INFINITY, f64::from) / session.globals.rps;
    let late = if seconds > session.globals.timeout.as_secs_f64() {
        ", which is more than --timeout gives: what is not read until then stays unknown"
    } else {
        ""
    };
    let told = format!("note: {count} items take {requests} requests and more, and at least {seconds:.0} s{late}");
    output::note(session.globals, &told);
}
