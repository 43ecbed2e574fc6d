//! `brandctl apply`

use std::path::PathBuf;

use clap::Args;

use crate::domain::resumption::Resumption;
use crate::ops::plan::Purpose;

use super::attempt::Attempt;
use super::context::Context;
use super::error::Failure;
use super::exit::Exit;
use super::planning::{self, Made};
use super::saved;
use super::settings::{Globals, PlanArgs};
use super::writing::{self, Approved, WriteArgs};

/// Make the portal match the manifest
///
/// Without PLAN: makes a plan, shows it, asks for approval, and applies it. With PLAN: makes exactly the changes that
/// `plan -o` saved, or none if the portal has changed since then. Old images are kept in the state folder before anything
/// is written.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  brandctl apply\n  brandctl apply --yes\n  brandctl apply plan.json\n  brandctl apply --sandbox --yes     on a portal inside this program\n\nExit codes: 0 done or nothing to do, 1 error, 3 not everything was applied, 4 a guard refuses, 5 the plan is stale or not for this manifest, 130 interrupted."
)]
pub(super) struct Arguments {
    /// A plan saved with `plan -o`
    #[arg(id = "saved", value_name = "PLAN", conflicts_with_all = ["only", "refresh", "check_usage"])]
    pub(super) saved: Option<PathBuf>,
    #[command(flatten)]
    write: WriteArgs,
    #[command(flatten)]
    pub(super) plan: PlanArgs,
}

pub(super) fn run(globals: &Globals, arguments: &Arguments) -> Exit {
    let Arguments { saved, write, plan } = arguments;
    let context = Context::new(globals, &plan.settle);
    let mut attempt = Attempt::default();
    let approved = match saved {
        Some(path) => saved::take_up(&context, path, plan, &mut attempt),
        None => fresh(&context, arguments, &mut attempt),
    };
    let ask = saved.is_none() && !write.yes;
    let applied = approved.and_then(|approved| writing::apply(&context, approved, write, ask, &mut attempt));
    writing::finish(&context, attempt, applied, &plan.reports, plan.show)
}

/// Makes a plan now, and shows it before the question.
fn fresh(context: &Context<'_>, arguments: &Arguments, attempt: &mut Attempt) -> Result<Approved, Failure> {
    let Arguments { write, plan: options, .. } = arguments;
    writing::can_ask(write, "pass --yes to go on without asking, or apply a saved plan")?;
    let Made { plan, connection, seen, control } = planning::make(context, options, Purpose::Write, attempt)?;
    let plan = writing::approve(context, plan, write, options.show, attempt)?;
    Ok(Approved { plan, connection, seen, control, resumed: Resumption::default(), next: context.globals.next() })
}
