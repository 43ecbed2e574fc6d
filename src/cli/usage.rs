//! `brandctl usage`

use clap::Args;

use crate::domain::asset::{Address, Code, Kind};
use crate::domain::diff::Unbacked;
use crate::domain::evidence::UsageEvidence;
use crate::domain::plan::Plan;
use crate::domain::usage::{Items, Span, UsageReport};
use crate::ops;
use crate::ops::events::{Event, Observer as _, Stage};
use crate::ops::plan::Purpose;
use crate::ops::usage::Scanned;
use crate::render;
use crate::render::json::UsageDocument;

use super::attempt::Attempt;
use super::complete;
use super::context::Context;
use super::error::{self, Failure};
use super::exit::Exit;
use super::output;
use super::planning;
use super::settings::{Globals, SelectArgs, SettleArgs, parsed};

/// Check whether timeline log entries use codes
///
/// Reads the log entries of the given CRM items, 50 items in a request, and writes nothing. Without codes, checks those
/// that `plan` would delete or replace. The result covers only what was read: a code that was not seen there may be in
/// use elsewhere. Log entries do not name logos, so their use stays unknown.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  brandctl usage --entity deal:1-500                   codes that a plan would delete or replace\n  brandctl usage acme-call --entity deal:12 --entity lead:1-50\n  brandctl usage icon/acme-call --entity 1032:7 --format json\n\nExit codes: 0 each code is in use, or was not seen in these items; 1 error, or something is unknown; 130 interrupted."
)]
pub(super) struct Arguments {
    /// Codes of icons, or addresses such as icon/acme-call [default: what a plan would delete or replace]
    #[arg(value_name = "CODE|ADDRESS", add = complete::patterns(), value_parser = code, conflicts_with_all = ["only", "refresh", "settle"])]
    codes: Vec<Address>,
    /// The CRM items whose log entries are read, such as deal:12 or deal:1-500; may be repeated
    #[arg(long = "entity", value_name = "TYPE:ID[-ID]", required = true, value_parser = parsed::<Span>)]
    entities: Vec<Span>,
    #[command(flatten)]
    select: SelectArgs,
    #[command(flatten)]
    settle: SettleArgs,
}

/// The address that an argument names. A code without a kind is an icon: log entries name nothing else.
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
            Err("patterns do not work here: name each code, and write a code that contains `*` as icon/CODE".to_owned())
        }
        None => Ok(Address::new(Kind::Icon, Code::new(text))),
    }
}

pub(super) fn run(globals: &Globals, arguments: &Arguments) -> Exit {
    let context = Context::new(globals, &arguments.settle);
    let mut attempt = Attempt::default();
    let looked = look(&context, arguments, &mut attempt);
    context.progress.clear();
    let is_complete = looked.is_ok();
    let (evidence, report) = attempt.finish(&context, looked);
    let usage = UsageReport { evidence, findings: report.findings.clone(), is_complete };
    let exit = error::exit_of_reading(report.failure, usage.has_errors());
    let human = || render::usage::report(&usage);
    output::result::<UsageDocument>(globals, &usage, exit, human, &usage.findings, &report)
}

/// Looks for the codes that the user named, or that a plan would delete or replace. `None` if there are none.
fn look(context: &Context<'_>, arguments: &Arguments, attempt: &mut Attempt) -> Result<Option<UsageEvidence>, Failure> {
    let items = Items::new(arguments.entities.iter().copied())?;
    let (connection, codes) = if arguments.codes.is_empty() {
        let compared = planning::compare(context, &arguments.select, Unbacked::Keep, Purpose::Read, attempt)?;
        attempt.findings.extend(compared.planned.findings);
        (compared.connection, removed_or_replaced(&compared.planned.plan))
    } else {
        let manifest = attempt.parse_if_any(context)?;
        let connection = attempt.connect(context, manifest.as_ref(), Purpose::Read)?;
        context.progress.observe(Event::Stage { stage: Stage::Asking, total: None });
        let absent = context.wait(ops::usage::absent(&connection.client, &arguments.codes))??;
        attempt.findings.extend(absent);
        (connection, arguments.codes.clone())
    };
    if codes.is_empty() {
        return Ok(None);
    }
    planning::warn_if_slow(context, &items, &codes);
    let scanned = ops::usage::scan(&connection.client, context.progress.as_ref(), &items, codes);
    let Scanned { evidence, stopped } = context.wait(scanned)?;
    // What was read before an error counts.
    attempt.findings.extend(stopped.into_iter().flat_map(|error| Failure::from(error).findings));
    Ok(Some(evidence))
}

/// The addresses that a plan would delete or replace, or would if their content could be fetched.
fn removed_or_replaced(plan: &Plan) -> Vec<Address> {
    plan.removed_or_replaced().chain(plan.diff.unknown.iter().map(|unknown| &unknown.address)).cloned().collect()
}
