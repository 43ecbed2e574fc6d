//! `brandctl restore`

use clap::Args;

use crate::domain::asset::{Address, Code};
use crate::domain::diff::Change;
use crate::domain::finding::Finding;
use crate::domain::plan::Contents;
use crate::domain::report::{NextCommands, OldImages};
use crate::domain::restore;
use crate::domain::resumption::Resumption;
use crate::domain::state::Selection;
use crate::ops;
use crate::ops::observe::Freshness;
use crate::ops::plan::{Purpose, Request};
use crate::text;

use super::attempt::Attempt;
use super::complete;
use super::context::Context;
use super::error::Failure;
use super::exit::Exit;
use super::recovery;
use super::reports::Reports;
use super::settings::{Globals, GuardArgs, SettleArgs, ShowArgs};
use super::stored::{self, LastOf, Stored};
use super::writing::{self, Approved, WriteArgs};

/// Put back what a run replaced or deleted
///
/// Compares the run's old images with the portal, shows what it would put back, asks for approval, and puts it back. The
/// guards are the same as for any plan. The manifest does not change: the next `apply` undoes the restore, unless the
/// repository is changed too.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  brandctl restore last                                 all of the newest run\n  brandctl restore last acme-call                       one entry\n  brandctl restore 20261122T171045Z icon/acme-call      one entry of an older run\n  brandctl restore ./artifact/20261122T171045Z --yes    from a folder, such as a CI artifact\n  brandctl restore plan.json                            from a saved plan, which holds the old images too\n\nExit codes: as for apply."
)]
pub(super) struct Arguments {
    /// `last` for the newest run of the portal that is not itself a restore, a run's id or folder, or a saved plan
    #[arg(value_name = "RUN|PLAN", add = complete::runs())]
    from: String,
    /// Only these entries: codes such as acme-call, or addresses such as icon/acme-call
    #[arg(value_name = "CODE|ADDRESS", add = complete::addresses(), value_parser = named)]
    entries: Vec<Named>,
    #[command(flatten)]
    write: WriteArgs,
    #[command(flatten)]
    settle: SettleArgs,
    #[command(flatten)]
    guards: GuardArgs,
    #[command(flatten)]
    pub(super) reports: Reports,
}

/// An entry as the user names it.
#[derive(Debug, Clone)]
enum Named {
    Address(Address),
    /// A code of either kind.
    Code(Code),
}

fn named(text: &str) -> Result<Named, String> {
    match text.parse::<Address>() {
        Ok(address) => Ok(Named::Address(address)),
        Err(_) if text.trim().is_empty() => Err("the code is missing".to_owned()),
        Err(error) if text.contains('/') => Err(error.to_string()),
        Err(_) => Ok(Named::Code(Code::new(text))),
    }
}

/// The addresses of named entries among what is put back. `show` is the command that shows all of it.
fn addresses(entries: &[Named], changes: &[Change], from: &str, show: &str) -> Result<Vec<Address>, Vec<Finding>> {
    let mut addresses = Vec::new();
    let mut findings = Vec::new();
    for entry in entries {
        let code = match entry {
            Named::Address(address) => {
                addresses.push(address.clone());
                continue;
            }
            Named::Code(code) => code,
        };
        let of_code = |address: &Address| address.folded() == Address::new(address.kind, code.clone()).folded();
        let removed = changes.iter().filter(|change| change.action.before().is_some());
        let found: Vec<_> = removed.map(|change| &change.address).filter(|address| of_code(address)).collect();
        match found.as_slice() {
            [one] => addresses.push((*one).clone()),
            [] => {
                let message = format!("{from} neither replaced nor deleted `{code}`");
                findings.push(Finding::error("restore", message).help(format!("`{show}` shows what it changed")));
            }
            several => {
                let several = several.iter().map(ToString::to_string).collect::<Vec<_>>().join(" and ");
                let message = format!("`{code}` is ambiguous: {several}");
                findings.push(Finding::error("restore", message).help("name one of them"));
            }
        }
    }
    if findings.is_empty() { Ok(addresses) } else { Err(findings) }
}

pub(super) fn run(globals: &Globals, arguments: &Arguments) -> Exit {
    let context = Context::new(globals, &arguments.settle);
    let mut attempt = Attempt::default();
    let write = &arguments.write;
    let applied = approve(&context, arguments, &mut attempt)
        .and_then(|approved| writing::apply(&context, approved, write, !write.yes, &mut attempt));
    writing::finish(&context, attempt, applied, &arguments.reports, ShowArgs::default())
}

fn approve(context: &Context<'_>, arguments: &Arguments, attempt: &mut Attempt) -> Result<Approved, Failure> {
    let manifest = attempt.parse(context)?;
    find(context, &arguments.from, None)?;
    writing::can_ask(&arguments.write, "pass --yes to go on without asking")?;
    let connection = attempt.connect(context, Some(&manifest), Purpose::Write)?;
    recovery::settle(context, &connection, attempt)?;
    // Settling may have found out more about what the run did.
    let RestoreSource { portal, changes, contents, from, name } =
        find(context, &arguments.from, Some(&connection.identity))?;
    connection.must_be(&portal, &format!("{from} is from"))?;
    let addresses = addresses(&arguments.entries, &changes, &from, &context.globals.typed(&show(&name)))
        .map_err(Failure::invalid)?;
    let (desired, doubts) =
        restore::desired(&changes, &contents, &addresses, &manifest.ownership(), &from).map_err(Failure::invalid)?;
    let only = Selection::Named(desired.entries().keys().map(Address::folded).collect());
    let request = Request {
        portal: &connection.identity,
        manifest: context.repository.name(),
        desired: &desired,
        only: &only,
        unbacked: arguments.guards.unbacked(),
        freshness: Freshness::Cached,
        purpose: Purpose::Write,
        record: None,
    };
    let mut planned = context.wait(ops::plan::plan(&request, &connection.reader(context)))??;
    planned.findings.extend(doubts);
    connection.save_cache(context, &planned.listing);
    let (seen, control) = (planned.seen, planned.control.clone());
    let allowances = arguments.guards.allowances(&manifest.policy);
    let plan = attempt.evaluate(planned, &manifest.ownership(), allowances)?;
    let plan = writing::approve(context, plan, &arguments.write, ShowArgs::default(), attempt)?;
    let next = next(context.globals, arguments, name);
    Ok(Approved { plan, connection, seen, control, resumed: Resumption::default(), next })
}

/// The commands that may follow a restore of the run or plan `from`.
fn next(globals: &Globals, arguments: &Arguments, from: String) -> NextCommands {
    let entries = arguments.entries.iter().map(|entry| match entry {
        Named::Address(address) => address.to_string(),
        Named::Code(code) => code.to_string(),
    });
    let words = std::iter::once(from.clone()).chain(entries).map(|word| format!(" {}", text::shell_word(&word)));
    let again = format!("restore{}{}", words.collect::<String>(), arguments.guards.typed());
    NextCommands { images: OldImages::Restored { from, again }, ..globals.next() }
}

/// The command that shows what a run changed, without `brandctl`.
fn show(name: &str) -> String {
    format!("show {}", text::shell_word(name))
}

/// What is put back, and where that was found.
struct RestoreSource {
    portal: String,
    /// What was replaced or deleted.
    changes: Vec<Change>,
    contents: Contents,
    /// Its name in messages.
    from: String,
    /// Its name in commands.
    name: String,
}

/// Finds a saved plan, or what a run did. `last` is a run of `portal`, or of any portal.
fn find(context: &Context<'_>, name: &str, portal: Option<&str>) -> Result<RestoreSource, Failure> {
    let root = context.globals.state_root(context.repository.folder());
    let (plan, from, state) =
        match stored::find(name, &root, LastOf::Restorable(portal), &context.globals.typed("history"))? {
            // None of it was applied, so there is nothing to put back.
            Stored::Plan(saved) if saved.document().against.is_some() => {
                let message =
                    "nothing can be restored from this plan: it was made against an export, and was never applied";
                return Err(Failure::invalid(vec![Finding::error("plan", message)]));
            }
            Stored::Plan(saved) => (saved.plan().clone(), "the saved plan".to_owned(), None),
            Stored::Run(run) => (run.plan, format!("run {}", run.state.run), Some(run.state)),
        };
    let mut changes = plan.diff.changes;
    changes.retain(|change| state.as_ref().is_none_or(|state| state.may_have_changed(&change.address)));
    // `last` may be another run by the time that the name is typed again.
    let id = state.as_ref().map(|state| &state.run).filter(|_| stored::is_last(name));
    let name = id.map_or(name, String::as_str).to_owned();
    Ok(RestoreSource { portal: plan.portal, changes, contents: plan.contents, from, name })
}
