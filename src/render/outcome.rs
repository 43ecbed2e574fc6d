//! How a command ended, in a sentence: the headline of a page and of a comment.

use std::collections::BTreeMap;

use super::drift;
use super::reason::{PlanRow, rows};
use crate::domain::asset::Address;
use crate::domain::diff::Change;
use crate::domain::plan::{Counts, Plan};
use crate::domain::report::{FailureKind, Report, Run, Validation};
use crate::domain::step::{StepOutcome, StepResult};
use crate::domain::{finding::Finding, list::ListReport};
use crate::text::{escaped, plural};

/// What the counts of a stale plan are of.
const NOT_WRITTEN: &str = "Planned, not written";

/// A sentence and its tone.
pub(super) struct Headline {
    pub(super) tone: Tone,
    pub(super) text: String,
}

/// The tone of an outcome.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tone {
    Good,
    Pending,
    Warn,
    Bad,
}

impl Tone {
    /// Its word in a style sheet.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Pending => "pending",
            Self::Warn => "warn",
            Self::Bad => "bad",
        }
    }
}

impl Headline {
    fn new(tone: Tone, text: impl Into<String>) -> Self {
        Self { tone, text: text.into() }
    }

    /// The headline of a command that compares or writes, as the user typed it: `drift`.
    pub(super) fn of_report(report: &Report, command: &str) -> Self {
        let mut outcome = Self::of_portal(report, command);
        if report.against.is_some() {
            outcome.text.push_str(", against an export: it can be shown, but not applied");
        }
        outcome
    }

    fn of_portal(report: &Report, command: &str) -> Self {
        if report.is_stale() {
            return Self::new(Tone::Bad, "The plan is stale: nothing was written");
        }
        if let Some(run) = &report.run {
            return Self::of_run(run, report, command);
        }
        if errors(&report.findings) > 0 {
            return Self::of_failure(report, command);
        }
        let Some(plan) = &report.plan else { return Self::new(Tone::Bad, "No plan was made") };
        match command {
            "drift" => Self::of_drift(plan, report.refused()),
            "restore" => Self::of_restore(plan, report.refused()),
            _ => Self::of_plan(plan, report.refused()),
        }
    }

    fn of_run(run: &Run, report: &Report, command: &str) -> Self {
        let plan = report.plan.as_ref();
        if !run.missing.is_empty() {
            return Self::new(Tone::Bad, missing(run, plan));
        }
        let counts = match plan {
            Some(plan) => tally(run, plan),
            None => tally_of(run.steps.values()),
        };
        let applied = counts.get(&StepOutcome::Applied).copied().unwrap_or_default();
        let all = counts.values().sum();
        if applied == all {
            Self::new(Tone::Good, applied_all(run, plan, all, command))
        } else if report.is_interrupted() {
            let (things, done) = match command {
                "restore" => (plural(all, "entry", "entries"), "put back"),
                _ => (plural(all, "change", "changes"), "applied"),
            };
            Self::new(Tone::Bad, format!("Interrupted: {applied} of {things} {done}"))
        } else {
            let done = if command == "restore" { "put back" } else { "applied" };
            Self::new(Tone::Bad, format!("Not everything was {done}: {applied} of {all}"))
        }
    }

    /// The headline of a command that ended with errors: the cause, and what that means for the purpose of the command.
    fn of_failure(report: &Report, command: &str) -> Self {
        let what = match report.failure {
            Some(FailureKind::Interrupted) => "Interrupted".to_owned(),
            Some(FailureKind::Declined) => "Declined".to_owned(),
            Some(FailureKind::Unasked) => "Could not ask for approval".to_owned(),
            Some(FailureKind::Portal(_)) if report.plan.is_none() => "The portal could not be read".to_owned(),
            _ => plural(errors(&report.findings), "error", "errors"),
        };
        let so = match (command, &report.plan) {
            ("apply" | "restore", _) => "nothing was written",
            ("drift", None) => "nothing was compared",
            ("drift", Some(plan)) => {
                let differ = differing(plan.counts().changes());
                return Self::new(Tone::Bad, format!("{what}; {differ}, as far as was compared"));
            }
            _ if report.is_interrupted() => "nothing was planned",
            _ => "nothing can be applied",
        };
        Self::new(Tone::Bad, format!("{what}: {so}"))
    }

    fn of_plan(plan: &Plan, refused: bool) -> Self {
        let planned = format!("Plan: {}", to_do(plan));
        if refused {
            Self::new(Tone::Bad, format!("{planned}; a guard refuses it"))
        } else if !plan.diff.unknown.is_empty() {
            Self::new(Tone::Warn, format!("{planned}; {} could not be read", plan.diff.unknown.len()))
        } else if plan.diff.changes.is_empty() {
            Self::new(Tone::Good, "Nothing to do")
        } else {
            Self::new(Tone::Pending, planned)
        }
    }

    /// A guard can stop `apply`; it does not affect `drift`.
    fn of_drift(plan: &Plan, refused: bool) -> Self {
        let Some(found) = drift::summary(plan) else { return Self::new(Tone::Good, "No drift") };
        let found = format!("Drift: {}", found.trim_end_matches('.'));
        if !plan.diff.unknown.is_empty() {
            Self::new(Tone::Warn, found)
        } else if refused {
            Self::new(Tone::Pending, format!("{found}; a guard would stop apply"))
        } else {
            Self::new(Tone::Pending, found)
        }
    }

    fn of_restore(plan: &Plan, refused: bool) -> Self {
        let found = format!("Restore: {}", put_back(plan));
        if refused {
            Self::new(Tone::Bad, format!("{found}; a guard refuses it"))
        } else if !plan.diff.unknown.is_empty() {
            Self::new(Tone::Warn, format!("{found}; {} could not be read", plan.diff.unknown.len()))
        } else if plan.diff.changes.is_empty() {
            Self::new(Tone::Good, found)
        } else {
            Self::new(Tone::Pending, found)
        }
    }

    /// The headline of `validate`.
    pub(super) fn of_validation(validation: &Validation) -> Self {
        let errors = errors(&validation.findings);
        let warnings = validation.findings.len() - errors;
        let images = plural(validation.images, "image", "images");
        let mut found = Vec::new();
        if errors > 0 {
            found.push(plural(errors, "error", "errors"));
        }
        if warnings > 0 {
            found.push(plural(warnings, "warning", "warnings"));
        }
        let text = [vec![images], found].concat().join(", ");
        match (validation.passed(), warnings) {
            (false, _) => Self::new(Tone::Bad, format!("Not valid: {text}")),
            (true, 0) => Self::new(Tone::Good, format!("Valid: {text}")),
            (true, _) => Self::new(Tone::Warn, format!("Valid: {text}")),
        }
    }

    /// The headline of `list`.
    pub(super) fn of_list(list: &ListReport) -> Self {
        if list.portal.is_none() {
            return Self::new(Tone::Bad, "The portal was not read");
        }
        let (custom, system) = (list.custom(), list.entries.len() - list.custom());
        let text = format!("{custom} custom, {system} system");
        match (list.has_errors(), list.unknown()) {
            (_, unknown @ 1..) => Self::new(Tone::Warn, format!("{text}; {unknown} could not be read")),
            (true, 0) => Self::new(Tone::Bad, text),
            (false, 0) => Self::new(Tone::Good, text),
        }
    }
}

/// What a restore puts back, in counts.
pub(super) fn put_back(plan: &Plan) -> String {
    match (rows(plan).len(), plan.diff.unchanged) {
        (0, 0) => "nothing to put back".to_owned(),
        (0, same) => format!("nothing to put back: {same} already as before"),
        (back, 0) => format!("{back} to put back"),
        (back, same) => format!("{back} to put back, {same} already as before"),
    }
}

/// How long what a restore put back stays.
pub(super) const NEXT_APPLY_UNDOES: &str =
    "The next `brandctl apply` undoes this restore, unless you change the repository too.";

/// The codes that lost their image in a run, and the command that brings them back.
fn missing(run: &Run, plan: Option<&Plan>) -> String {
    /// The most codes that a headline names.
    const MAX_NAMED: usize = 3;
    let mut codes: Vec<_> = run.missing.iter().take(MAX_NAMED).map(escaped).collect();
    if run.missing.len() > MAX_NAMED {
        codes.push(format!("{} more", run.missing.len() - MAX_NAMED));
    }
    let last = codes.pop().unwrap_or_default();
    let names = if codes.is_empty() { last } else { format!("{} and {last}", codes.join(", ")) };
    let (are, image) = if run.missing.len() == 1 { ("is", "image") } else { ("are", "images") };
    let back = match plan.and_then(|plan| restore_of(run, plan, run.missing.iter())) {
        Some(_) if run.missing.len() > MAX_NAMED => format!("`brandctl restore` puts the old {image} back, see below"),
        Some(command) => format!("`{command}` puts the old {image} back"),
        None => format!("`{}` adds the new {image}", escaped(run.next.typed("apply"))),
    };
    format!("{names} {are} missing on the portal: {back}")
}

/// What decided how each change of a run ended: of a rename, the half that was not applied, or else the new code.
pub(super) fn decided<'a>(run: &'a Run, plan: &'a Plan) -> Vec<(&'a Address, &'a StepResult)> {
    rows(plan).into_iter().filter_map(|row| decided_of(run, row)).collect()
}

/// The same of one change.
pub(super) fn decided_of<'a>(run: &'a Run, row: PlanRow<'a>) -> Option<(&'a Address, &'a StepResult)> {
    let result = |change: &'a Change| Some((&change.address, run.steps.get(&change.address)?));
    let is_applied = |(_, step): &(&Address, &StepResult)| step.outcome == StepOutcome::Applied;
    let (new, old) = (result(row.change)?, row.old.and_then(result));
    Some(old.filter(|old| is_applied(&new) && !is_applied(old)).unwrap_or(new))
}

/// How many changes of a run ended in each way. A rename is one change.
pub(super) fn tally(run: &Run, plan: &Plan) -> BTreeMap<StepOutcome, usize> {
    tally_of(decided(run, plan).into_iter().map(|(_, step)| step))
}

/// The renames of a run whose new code was added, and whose old code was not deleted yet.
pub(super) fn half_done<'a>(run: &Run, plan: &'a Plan) -> Vec<(&'a Address, &'a Address)> {
    let outcome = |change: &Change| run.steps.get(&change.address).map(|step| step.outcome);
    let halves = rows(plan).into_iter().filter_map(|row| Some((row.change, row.old?)));
    halves
        .filter(|(new, old)| outcome(new) == Some(StepOutcome::Applied) && outcome(old) == Some(StepOutcome::Skipped))
        .map(|(new, old)| (&new.address, &old.address))
        .collect()
}

/// How many changes of a run were not begun.
pub(super) fn not_begun(run: &Run, plan: &Plan) -> usize {
    let skipped = tally(run, plan).get(&StepOutcome::Skipped).copied().unwrap_or_default();
    skipped - half_done(run, plan).len()
}

fn tally_of<'a>(steps: impl Iterator<Item = &'a StepResult>) -> BTreeMap<StepOutcome, usize> {
    let mut counts = BTreeMap::new();
    steps.for_each(|step| *counts.entry(step.outcome).or_default() += 1);
    counts
}

/// A run that did everything that was planned, in words.
fn applied_all(run: &Run, plan: Option<&Plan>, changes: usize, command: &str) -> String {
    if command == "restore" {
        return format!("Put back {}{}", plural(changes, "entry", "entries"), read_back(run));
    }
    let before = done_before(run, plan);
    let changes = plural(changes.saturating_sub(before), "change", "changes");
    format!("Applied {changes}{}{}", read_back(run), already_done(before))
}

/// Whether everything was read back, at the end of a sentence.
pub(super) fn read_back(run: &Run) -> String {
    match run.not_read_back.len() {
        0 => " and read back".to_owned(),
        count => format!("; {count} could not be read back"),
    }
}

/// How many changes an earlier run of the same plan did. A rename is one change, and done once both halves are.
pub(super) fn done_before(run: &Run, plan: Option<&Plan>) -> usize {
    let Some(plan) = plan else { return run.done_before.len() };
    rows(plan).into_iter().filter(|row| row.halves().all(|half| run.done_before.contains(&half.address))).count()
}

/// What an earlier run of the same plan did, at the end of a sentence; nothing if there was none.
pub(super) fn already_done(changes: usize) -> String {
    match changes {
        0 => String::new(),
        count => format!("; {count} already done by an earlier run"),
    }
}

fn differing(changes: usize) -> String {
    let differ = if changes == 1 { "differs" } else { "differ" };
    format!("{} {differ} from the manifest", plural(changes, "entry", "entries"))
}

fn errors(findings: &[Finding]) -> usize {
    findings.iter().filter(|finding| finding.is_error()).count()
}

/// How many changes are renames, as the end of a list; nothing where none is.
pub(super) fn renames(counts: Counts) -> String {
    match counts.rename {
        0 => String::new(),
        count => format!(", {count} to rename"),
    }
}

/// What a plan would do, in counts that are not zero.
fn to_do(plan: &Plan) -> String {
    let Counts { create, replace, delete, rename } = plan.counts();
    let counts = [(create, "create"), (replace, "replace"), (delete, "delete"), (rename, "rename")];
    let counts: Vec<_> =
        counts.iter().filter(|(count, _)| *count > 0).map(|(count, word)| format!("{count} to {word}")).collect();
    if counts.is_empty() { "nothing to do".to_owned() } else { counts.join(", ") }
}

/// The counts that a headline leaves to the line below it, and what they count.
pub(super) fn counts_below(report: &Report, command: &str) -> Option<(&'static str, String)> {
    let compares = command == "restore" || report.run.is_none();
    let says_all = compares && !report.is_stale() && errors(&report.findings) == 0;
    let plan = report.plan.as_ref()?;
    Some(match says_all {
        true => ("Left alone", rest(plan)),
        false if report.is_stale() => (NOT_WRITTEN, counts(plan)),
        false => ("Plan", counts(plan)),
    })
}

/// The counts of a plan.
pub(super) fn counts(plan: &Plan) -> String {
    let counts = plan.counts();
    let (create, replace, delete) = (counts.create, counts.replace, counts.delete);
    format!("{create} to create, {replace} to replace, {delete} to delete{}; {}", renames(counts), rest(plan))
}

/// The counts of what a plan leaves alone.
pub(super) fn rest(plan: &Plan) -> String {
    let (unchanged, unmanaged, system) = (plan.diff.unchanged, plan.diff.unmanaged.len(), plan.diff.system);
    let unknown = match plan.diff.unknown.len() {
        0 => String::new(),
        count => format!(", {count} unknown"),
    };
    format!("{unchanged} unchanged, {unmanaged} unmanaged, {system} system{unknown}")
}

/// The counts of a report's plan, also of one made before the portal changed.
pub(super) fn counts_of(report: &Report) -> Option<String> {
    let lead = if report.is_stale() { format!("{NOT_WRITTEN}: ") } else { String::new() };
    report.plan.as_ref().map(|plan| format!("{lead}{}", counts(plan)))
}

/// The entries that lost their image, each with the command that puts it back.
pub(super) fn restores<'a>(run: &'a Run, plan: &Plan) -> Vec<(&'a Address, String)> {
    run.steps
        .iter()
        .filter(|(_, step)| step.wrote && matches!(step.outcome, StepOutcome::Failed | StepOutcome::Unknown))
        .filter_map(|(address, _)| Some((address, restore_of(run, plan, [address].into_iter())?)))
        .collect()
}

/// The command that puts back the old images of these entries, of those that have a copy.
pub(super) fn restore_of<'a>(run: &Run, plan: &Plan, addresses: impl Iterator<Item = &'a Address>) -> Option<String> {
    let change = |address: &Address| plan.diff.changes.iter().find(|change| change.address == *address);
    run.restore(addresses.filter_map(change)).map(escaped)
}
