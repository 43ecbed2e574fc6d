//! What apply and restore did, and the runs of a state folder, for people.

use std::collections::BTreeMap;

use textwrap::core::display_width;

use crate::domain::journal::{Ending, RunCommand, RunState};
use crate::domain::plan::Plan;
use crate::domain::report::{OldImages, Run};
use crate::domain::step::StepOutcome;

use super::outcome::{self, decided};
use super::screen::Screen;
use super::style::{BOLD, DELETE, DIM, REPLACE, shown, steps, widest};
use crate::text::{escape, escaped, plural};

/// How a run began and ended, apart from its steps.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RunEnding {
    /// The command that made it.
    pub(crate) command: RunCommand,
    /// Whether the user asked it to stop.
    pub(crate) interrupted: bool,
}

/// The result of a run: what is missing on the portal first, a line for each step that did not end as planned, and a
/// summary.
pub(crate) fn run(run: &Run, plan: &Plan, ending: RunEnding, screen: &Screen) -> String {
    let mut text = missing(run, plan, screen);
    let counts = outcome::tally(run, plan);
    if counts.is_empty() {
        let (plan, apply) = (escaped(run.next.typed("plan")), escaped(run.next.typed("apply")));
        let said = format!("It is unknown yet what this run did: the next `{plan}` or `{apply}` finds out.");
        text.push_str(&screen.wrapped(&said, 0));
        return text;
    }
    text.push_str(&not_applied(run, plan, ending, screen));
    text.push_str(&screen.wrapped(&summary(run, &counts, ending), 0));
    if counts.keys().all(|outcome| *outcome == StepOutcome::Applied) {
        return text;
    }
    let folder = escaped(run.folder.display());
    let has_copies = plan.diff.changes.iter().any(|change| run.has_copy(change));
    let kept = if has_copies { "The old images and the journal are" } else { "The journal is" };
    text.push_str(&screen.wrapped(&format!("{kept} in {folder}."), 0));
    for (_, command) in outcome::restores(run, plan) {
        text.push_str(&screen.wrapped(&format!("  help: `{command}` puts the old image back"), 4));
    }
    text
}

/// How many changes of a run were not begun.
pub(crate) fn not_begun(run: &Run, plan: &Plan) -> usize {
    outcome::tally(run, plan).get(&StepOutcome::Skipped).copied().unwrap_or_default()
}

/// What a run did, in a sentence or two.
fn summary(run: &Run, counts: &BTreeMap<StepOutcome, usize>, RunEnding { command, interrupted }: RunEnding) -> String {
    let count = |outcome| counts.get(&outcome).copied().unwrap_or_default();
    let all: usize = counts.values().sum();
    let (applied, skipped) = (count(StepOutcome::Applied), count(StepOutcome::Skipped));
    let (did, all_of_them) = match command {
        RunCommand::Restore => ("put back", plural(all, "entry", "entries")),
        RunCommand::Apply | RunCommand::Other => ("applied", steps(all - run.done_before.len().min(all))),
    };
    if applied == all {
        let end = format!("{}{}", outcome::read_back(run), outcome::done_before(run));
        return match (interrupted, command) {
            (true, _) => format!("{BOLD}Interrupted{BOLD:#} with nothing left to do: {did} {all_of_them}{end}."),
            (false, RunCommand::Restore) => format!("{BOLD}Put back{BOLD:#} {all_of_them}{end}."),
            (false, _) => format!("{BOLD}Applied{BOLD:#} {all_of_them}{end}."),
        };
    }
    let others = [StepOutcome::Failed, StepOutcome::Recovered, StepOutcome::Unknown];
    let others = others.into_iter().filter(|outcome| count(*outcome) > 0);
    let others: String = others.map(|outcome| format!(", {} {}", count(outcome), outcome.name())).collect();
    if interrupted && skipped > 0 {
        let begun = if skipped == 1 { "was not begun" } else { "were not begun" };
        return format!(
            "{BOLD}Interrupted:{BOLD:#} {did} {applied} of {all_of_them}{others}; {skipped} {begun}. {} to continue.",
            to_continue(run)
        );
    }
    let skipped = if skipped > 0 { format!(", {skipped} skipped") } else { String::new() };
    format!("{BOLD}Not everything was {did}:{BOLD:#} {applied} of {all_of_them}{others}{skipped}.")
}

/// What continues an interrupted run, as the beginning of a sentence.
fn to_continue(run: &Run) -> String {
    match &run.next.images {
        // Which run was restored is part of the command: `last` may be another one by then.
        OldImages::Restored { again, .. } => format!("Run `{}`", escaped(run.next.typed(again))),
        OldImages::Run | OldImages::Folder(_) | OldImages::Unknown => "Run it again".to_owned(),
    }
}

/// A line for each code that is missing on the portal, with the command that brings it back.
fn missing(run: &Run, plan: &Plan, screen: &Screen) -> String {
    let mut text = String::new();
    let apply = escaped(run.next.typed("apply"));
    for address in &run.missing {
        let back = match outcome::restore_of(run, plan, [address].into_iter()) {
            Some(command) if run.next.is_of_restore() => format!("`{command}` puts the old image back"),
            Some(command) => format!("`{command}` puts the old image back, `{apply}` adds the new one"),
            None => format!("`{apply}` adds the new image"),
        };
        let said = format!("{DELETE}{} is missing on the portal{DELETE:#}: {back}", shown(address));
        text.push_str(&screen.wrapped(&said, 2));
    }
    text
}

/// A line for each step that did not end as planned.
fn not_applied(run: &Run, plan: &Plan, ending: RunEnding, screen: &Screen) -> String {
    /// The text before the second column of a step: its result.
    const FATE: usize = 12;
    let mut text = String::new();
    let is_listed = |outcome| !matches!(outcome, StepOutcome::Applied | StepOutcome::Skipped);
    let decided = decided(run, plan);
    let listed: Vec<_> = decided.iter().filter(|(_, step)| is_listed(step.outcome)).collect();
    let width = widest(listed.iter().map(|(address, _)| *address));
    for (address, step) in listed {
        let style = if step.outcome == StepOutcome::Recovered { REPLACE } else { DELETE };
        let first = format!("  {style}{:9}{style:#} {}", step.outcome.name(), shown(address));
        text.push_str(&screen.row(FATE, &first, width, &escape(step.why.as_deref().unwrap_or_default())));
    }
    // What was never sent usually has one reason, and is shown in one line.
    let mut skipped: BTreeMap<&str, usize> = BTreeMap::new();
    for (_, step) in decided.iter().filter(|(_, step)| step.outcome == StepOutcome::Skipped) {
        *skipped.entry(step.why.as_deref().unwrap_or_default()).or_default() += 1;
    }
    // The summary says that it was interrupted.
    skipped.retain(|why, _| !(ending.interrupted && *why == "interrupted"));
    for (why, count) in skipped {
        let said = format!("  {DIM}skipped{DIM:#}   {}: {}", steps(count), escape(why));
        text.push_str(&screen.wrapped(&said, FATE));
    }
    text
}

/// The runs of a state folder: a line for each, the newest last.
pub(crate) fn history(runs: &[RunState], screen: &Screen) -> String {
    if runs.is_empty() {
        return "No runs here yet.\n".to_owned();
    }
    let mut text = String::new();
    let width = runs.iter().map(|run| display_width(&escape(&run.run))).max().unwrap_or(0);
    for run in runs {
        let commit = run.commit.as_deref().map(|commit| format!("  at {}", short(commit))).unwrap_or_default();
        let rest = format!("{}  {}  {}{commit}", escape(&run.began), escape(&run.portal), what_it_did(run));
        text.push_str(&screen.row(0, &escape(&run.run), width, &rest));
    }
    text
}

/// What a run did, as far as its journal says. A rename counts as two steps.
fn what_it_did(run: &RunState) -> String {
    let (done, all) = (run.applied(), run.steps.len());
    let (before, did, all_steps) = match run.command {
        Some(RunCommand::Restore) => ("restore: ", "put back", plural(all, "entry", "entries")),
        Some(RunCommand::Apply | RunCommand::Other) | None => ("", "applied", steps(all)),
    };
    let said = match run.ended {
        None if run.concluded.is_some() => {
            format!("open until its last request has ended: {did} {done} of {all_steps}")
        }
        None => "open: cut short, and not checked since".to_owned(),
        Some(Ending::Finished) if done == all => format!("{did} {all_steps}"),
        Some(Ending::Finished) => format!("{did} {done} of {all_steps}"),
        Some(Ending::Interrupted) => format!("interrupted: {did} {done} of {all_steps}"),
        Some(Ending::CutShort) => format!("cut short: {did} {done} of {all_steps}"),
    };
    format!("{before}{said}")
}

/// A commit as people write it: its first digits, and the mark of a changed tree.
fn short(commit: &str) -> String {
    let digits: String = commit.chars().take(10).filter(char::is_ascii_hexdigit).collect();
    digits + if commit.ends_with('+') { "+" } else { "" }
}
