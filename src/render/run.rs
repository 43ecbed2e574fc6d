//! What apply and restore did, and the runs of a state folder, for people.

use std::collections::BTreeMap;

use textwrap::core::display_width;

use crate::domain::journal::{Ending, RunCommand};
use crate::domain::plan::Plan;
use crate::domain::report::{OldImages, RecordedRun, Run};
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
    text.push_str(&screen.wrapped(&summary(run, plan, &counts, ending), 0));
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

/// What an interruption left to do, in a sentence; `None` if it left nothing.
pub(crate) fn interruption(run: &Run, plan: &Plan) -> Option<String> {
    let half_done = outcome::half_done(run, plan).len();
    let not_begun = outcome::not_begun(run, plan);
    let sent = |count| plural(count, "change was", "changes were");
    match (half_done, not_begun) {
        (0, 0) => None,
        (0, _) => Some(format!("interrupted before {} sent", sent(not_begun))),
        (_, 0) => Some(format!("interrupted: {} begun and not finished", sent(half_done))),
        _ => Some(format!("interrupted: {} begun and not finished, {not_begun} not begun", sent(half_done))),
    }
}

/// What a run was to do and did not, with the first reason; `None` if it did everything.
pub(crate) fn shortfall(run: &Run, plan: &Plan, command: RunCommand) -> Option<String> {
    let decided = decided(run, plan);
    let all = decided.len();
    let mut others: Vec<_> = decided.iter().filter(|(_, step)| step.outcome != StepOutcome::Applied).collect();
    // What was not sent usually follows from what failed.
    others.sort_by_key(|(_, step)| step.outcome == StepOutcome::Skipped);
    let (address, step) = others.first()?;
    let (things, done) = match command {
        RunCommand::Restore => (plural(all, "entry was", "entries were"), "put back"),
        RunCommand::Apply | RunCommand::Other => (plural(all, "change was", "changes were"), "applied"),
    };
    let (count, things) = (others.len(), things.split_once(' ').map_or(things.as_str(), |(_, words)| words));
    let why = step.why.as_deref().unwrap_or("the reason is unknown");
    Some(format!("{count} of {all} {things} not {done}; {address}: {why}"))
}

/// What a run did, in a sentence or two.
fn summary(
    run: &Run,
    plan: &Plan,
    counts: &BTreeMap<StepOutcome, usize>,
    RunEnding { command, interrupted }: RunEnding,
) -> String {
    let count = |outcome| counts.get(&outcome).copied().unwrap_or_default();
    let all: usize = counts.values().sum();
    let applied = count(StepOutcome::Applied);
    let before = outcome::done_before(run, Some(plan));
    let (did, all_of_them) = match command {
        RunCommand::Restore => ("put back", plural(all, "entry", "entries")),
        RunCommand::Apply | RunCommand::Other => ("applied", steps(all.saturating_sub(before))),
    };
    if applied == all {
        let end = format!("{}{}", outcome::read_back(run), outcome::already_done(before));
        return match (interrupted, command) {
            (true, _) => format!("{BOLD}Interrupted{BOLD:#} with nothing left to do: {did} {all_of_them}{end}."),
            (false, RunCommand::Restore) => format!("{BOLD}Put back{BOLD:#} {all_of_them}{end}."),
            (false, _) => format!("{BOLD}Applied{BOLD:#} {all_of_them}{end}."),
        };
    }
    let others = [StepOutcome::Failed, StepOutcome::Recovered, StepOutcome::Unknown];
    let others = others.into_iter().filter(|outcome| count(*outcome) > 0);
    let others: String = others.map(|outcome| format!(", {} {}", count(outcome), outcome.name())).collect();
    let (half_done, skipped) = (outcome::half_done(run, plan).len(), outcome::not_begun(run, plan));
    if interrupted && half_done + skipped > 0 {
        let were = |count| if count == 1 { "was" } else { "were" };
        let begun = match half_done {
            0 => String::new(),
            count => format!("; {count} {} begun and not finished", were(count)),
        };
        let not_begun = match skipped {
            0 => String::new(),
            count => format!("; {count} {} not begun", were(count)),
        };
        return format!(
            "{BOLD}Interrupted:{BOLD:#} {did} {applied} of {all_of_them}{others}{begun}{not_begun}. {} to continue.",
            to_continue(run)
        );
    }
    let others = if half_done > 0 { format!("{others}, {half_done} half done") } else { others };
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
    let half_done = outcome::half_done(run, plan);
    let mut decided = decided(run, plan);
    decided.retain(|(address, _)| !half_done.iter().any(|(_, old)| old == address));
    let listed: Vec<_> = decided.iter().filter(|(_, step)| is_listed(step.outcome)).collect();
    let width = widest(listed.iter().map(|(address, _)| *address).chain(half_done.iter().map(|(new, _)| *new)));
    for (address, step) in listed {
        let style = if step.outcome == StepOutcome::Recovered { REPLACE } else { DELETE };
        let first = format!("  {style}{:9}{style:#} {}", step.outcome.name(), shown(address));
        text.push_str(&screen.row(FATE, &first, width, &escape(step.why.as_deref().unwrap_or_default())));
    }
    for (new, old) in &half_done {
        let first = format!("  {REPLACE}half done{REPLACE:#} {}", shown(new));
        let said = format!("added; its old code {} is still on the portal", shown(old));
        text.push_str(&screen.row(FATE, &first, width, &said));
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
pub(crate) fn history(runs: &[RecordedRun], screen: &Screen) -> String {
    if runs.is_empty() {
        return "No runs here yet.\n".to_owned();
    }
    let mut text = String::new();
    let width = runs.iter().map(|run| display_width(&escape(&run.state.run))).max().unwrap_or(0);
    for recorded in runs {
        let run = &recorded.state;
        let commit = run.commit.as_deref().map(|commit| format!("  at {}", short(commit))).unwrap_or_default();
        let rest = format!("{}  {}  {}{commit}", escape(&run.began), escape(&run.portal), what_it_did(recorded));
        text.push_str(&screen.row(0, &escape(&run.run), width, &rest));
    }
    text
}

/// What a run did, as far as its journal says.
fn what_it_did(recorded: &RecordedRun) -> String {
    let (run, (done, all)) = (&recorded.state, recorded.counts());
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

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests fail by panicking")]
mod tests {
    use super::*;
    use crate::domain::asset::Address;
    use crate::domain::diff::{Action, After, Before, Change, Diff, Reason};
    use crate::domain::state::Content;
    use crate::domain::step::StepResult;

    fn address(text: &str) -> Address {
        text.parse().unwrap()
    }

    /// A plan that renames two codes and deletes one.
    fn plan() -> Plan {
        let content = Content::of(b"image");
        let change = |code: &str, action, rename: Option<&str>| Change {
            address: address(code),
            action,
            reason: Reason::Absent,
            rename: rename.map(address),
        };
        let added = || Action::Create(After { file: String::new(), content: content.clone() });
        let removed = |code: &str| {
            let before = Before { code: address(code).code, file_uri: String::new(), content: Some(content.clone()) };
            Action::Delete(before)
        };
        let changes = vec![
            change("icon/a-new", added(), Some("icon/a-old")),
            change("icon/a-old", removed("icon/a-old"), Some("icon/a-new")),
            change("icon/b-new", added(), Some("icon/b-old")),
            change("icon/b-old", removed("icon/b-old"), Some("icon/b-new")),
            change("icon/c", removed("icon/c"), None),
        ];
        Plan::new("acme.bitrix24.com".to_owned(), Diff { changes, ..Diff::default() }, [].into())
    }

    fn stopped(applied: &[&str]) -> Run {
        let result = |change: &Change| {
            let is_applied = applied.contains(&change.address.to_string().as_str());
            let outcome = if is_applied { StepOutcome::Applied } else { StepOutcome::Skipped };
            let why = (!is_applied).then(|| "interrupted".to_owned());
            (change.address.clone(), StepResult { outcome, why, wrote: is_applied })
        };
        Run {
            id: "r1".to_owned(),
            folder: "runs/r1".into(),
            steps: plan().diff.changes.iter().map(result).collect(),
            live: BTreeMap::new(),
            done_before: [].into(),
            missing: [].into(),
            not_read_back: [].into(),
            without_copy: BTreeMap::new(),
            next: crate::domain::report::NextCommands::default(),
        }
    }

    fn said(applied: &[&str], interrupted: bool) -> String {
        let ending = RunEnding { command: RunCommand::Apply, interrupted };
        anstream::adapter::strip_str(&run(&stopped(applied), &plan(), ending, &Screen::default())).to_string()
    }

    #[test]
    fn a_rename_that_was_stopped_halfway_was_begun() {
        let text = said(&["icon/a-new", "icon/b-new"], true);
        assert!(
            text.contains("half done icon/a-new  added; its old code icon/a-old is still on the portal\n"),
            "{text}"
        );
        assert!(
            text.contains("half done icon/b-new  added; its old code icon/b-old is still on the portal\n"),
            "{text}"
        );
        let summary = "Interrupted: applied 0 of 3 changes; 2 were begun and not finished; 1 was not begun. ";
        assert!(text.contains(summary), "{text}");
        let text = said(&["icon/a-new", "icon/a-old", "icon/b-new"], false);
        assert!(text.contains("Not everything was applied: 1 of 3 changes, 1 half done, 1 skipped."), "{text}");
        let text = said(&["icon/a-new", "icon/a-old"], true);
        assert!(text.contains("Interrupted: applied 1 of 3 changes; 2 were not begun. "), "{text}");
        assert!(!text.contains("half done"), "{text}");

        let of = |applied: &[&str]| interruption(&stopped(applied), &plan());
        assert_eq!(of(&[]).unwrap(), "interrupted before 3 changes were sent");
        assert_eq!(of(&["icon/a-new"]).unwrap(), "interrupted: 1 change was begun and not finished, 2 not begun");
        assert_eq!(of(&["icon/a-new", "icon/a-old", "icon/b-new", "icon/b-old", "icon/c"]), None);
    }
}
