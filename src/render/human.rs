//! Plans and runs for people, in Terraform's symbols. The text carries ANSI styles; a stream without colour strips them.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use anstyle::Style;
use textwrap::core::display_width;

use crate::domain::diff::{Action, Change};
use crate::domain::finding::Finding;
use crate::domain::guard::Outcome;
use crate::domain::journal::{Ending, RunState};
use crate::domain::origin::common_reason;
use crate::domain::plan::Plan;
use crate::domain::report::{Report, Run, Validation};
use crate::domain::step::StepOutcome;
use crate::format::FindingDocument;

use super::origin::ShownOrigins;
use super::outcome::{renames, rest};
use super::picture::{self, Pictures};
use super::reason::{in_pairs, unmanaged};
use super::screen::Screen;
use super::style::{BOLD, CREATE, DELETE, DIM, REPLACE, shown, steps, widest};
use super::{origin, outcome, reason, snippet, summary as last_words, usage};
use crate::text::{escape, escaped};

/// The most unmanaged entries that are named one by one.
const MAX_NAMED: usize = 10;

/// The most changes whose images are drawn.
const MAX_DRAWN: usize = 50;

/// The width before an address, for its symbol.
const LEAD: usize = 4;

/// The plan: a line a change, then what is left alone, the guards and a summary.
pub fn plan(report: &Report, screen: &Screen) -> String {
    let mut text = String::new();
    if let Some(plan) = &report.plan {
        let width = width(plan);
        changes(&mut text, plan, report, width, screen);
        if let Some(evidence) = &plan.evidence {
            usage::coverage(&evidence.coverage).lines().for_each(|line| text.push_str(&screen.wrapped(line, 2)));
            text.push('\n');
        }
        left_alone(&mut text, plan, width, screen);
        text.push_str(&guards(report, screen));
        if !plan.diff.changes.is_empty() || !report.findings.iter().any(Finding::is_error) {
            text.push_str(&screen.wrapped(&summary(plan), 0));
        }
        // That a history is missing is not news when planning.
        if common_reason(&report.origins).is_none()
            && let Some(moved) = origin::summary(report)
        {
            text.push_str(&screen.wrapped(&format!("{moved}."), 0));
        }
        if report.against.is_some() {
            let portal = escape(&plan.portal);
            let said =
                format!("Made against an export of {portal}, not the portal: this plan can be shown, not applied.");
            text.push_str(&screen.wrapped(&said, 0));
        }
    }
    text
}

/// The result of `drift`: the same changes, seen from the portal.
pub fn drift(report: &Report, screen: &Screen) -> String {
    let mut text = plan(report, screen);
    if common_reason(&report.origins).is_some()
        && let Some(moved) = origin::summary(report)
    {
        text.push_str(&screen.wrapped(&format!("{moved}."), 0));
    }
    if let Some(plan) = &report.plan
        && !report.has_errors()
    {
        let last = match plan.diff.changes.len() {
            0 => format!("No drift: {} looks as the manifest says.", escape(&plan.portal)),
            1 => "Drift: 1 entry differs from the manifest.".to_owned(),
            count => format!("Drift: {count} entries differ from the manifest."),
        };
        text.push_str(&screen.wrapped(&last, 0));
    }
    text
}

/// The result of apply: a line a step that did not end as planned, and a summary.
pub(crate) fn run(run: &Run, plan: &Plan, screen: &Screen) -> String {
    let mut text = missing(run, plan, screen);
    text.push_str(&not_applied(run, screen));
    let mut counts: BTreeMap<StepOutcome, usize> = BTreeMap::new();
    run.steps.values().for_each(|step| *counts.entry(step.outcome).or_default() += 1);
    if counts.is_empty() {
        text.push_str(&screen.wrapped("What it did is not known yet: the next plan or apply finds it out.", 0));
        return text;
    }
    if counts.keys().all(|outcome| *outcome == StepOutcome::Applied) {
        let said = outcome::applied_all(run).replacen("Applied", &format!("{BOLD}Applied{BOLD:#}"), 1);
        text.push_str(&screen.wrapped(&format!("{said}."), 0));
        return text;
    }
    let parts: Vec<_> = counts.iter().map(|(outcome, count)| format!("{count} {}", outcome.name())).collect();
    let said = format!("{BOLD}Not everything was applied:{BOLD:#} {}.", parts.join(", "));
    text.push_str(&screen.wrapped(&said, 0));
    let folder = escaped(run.folder.display());
    let has_copies = plan.diff.changes.iter().any(|change| run.has_copy(change));
    let kept = if has_copies { "The old images and the journal are" } else { "The journal is" };
    text.push_str(&screen.wrapped(&format!("{kept} in {folder}."), 0));
    for (_, command) in outcome::restores(run, plan) {
        text.push_str(&screen.wrapped(&format!("  help: `{command}` puts the old image back"), 4));
    }
    text
}

/// A line a code that lost its image, with what brings it back.
fn missing(run: &Run, plan: &Plan, screen: &Screen) -> String {
    let mut text = String::new();
    for address in &run.missing {
        let command = outcome::restore_of(run, plan, [address].into_iter());
        let command = escape(command.as_deref().unwrap_or("brandctl apply")).into_owned();
        let said = format!("{DELETE}missing{DELETE:#}  {} has no image any more: `{command}`", shown(address));
        text.push_str(&screen.wrapped(&said, 4));
    }
    text
}

/// A line a step that did not end as planned.
fn not_applied(run: &Run, screen: &Screen) -> String {
    /// The text before the second column of a step: its result.
    const FATE: usize = 12;
    let mut text = String::new();
    let is_listed = |outcome| !matches!(outcome, StepOutcome::Applied | StepOutcome::Skipped);
    let listed: Vec<_> = run.steps.iter().filter(|(_, step)| is_listed(step.outcome)).collect();
    let width = widest(listed.iter().map(|(address, _)| *address));
    for (address, step) in listed {
        let style = if step.outcome == StepOutcome::Recovered { REPLACE } else { DELETE };
        let first = format!("  {style}{:9}{style:#} {}", step.outcome.name(), shown(address));
        text.push_str(&screen.row(FATE, &first, width, &escape(step.why.as_deref().unwrap_or_default())));
    }
    // What was never sent usually has one reason, and is shown in one line.
    let mut skipped: BTreeMap<&str, usize> = BTreeMap::new();
    for step in run.steps.values().filter(|step| step.outcome == StepOutcome::Skipped) {
        *skipped.entry(step.why.as_deref().unwrap_or_default()).or_default() += 1;
    }
    for (why, count) in skipped {
        let said = format!("  {DIM}skipped{DIM:#}   {}: {}", steps(count), escape(why));
        text.push_str(&screen.wrapped(&said, FATE));
    }
    text
}

/// The runs of a state folder: a line each, the newest last.
pub(crate) fn history(runs: &[RunState], screen: &Screen) -> String {
    if runs.is_empty() {
        return "No runs here yet.\n".to_owned();
    }
    let mut text = String::new();
    let width = runs.iter().map(|run| display_width(&escape(&run.run))).max().unwrap_or(0);
    for run in runs {
        let (applied, all) = (run.applied(), run.steps.len());
        let outcome = match run.ended {
            None if run.concluded.is_some() => {
                format!("open until its last request is over: applied {applied} of {}", steps(all))
            }
            None => "open: cut short, and not looked at since".to_owned(),
            Some(Ending::Finished) if applied == all => format!("applied {}", steps(all)),
            Some(Ending::Finished) => format!("applied {applied} of {}", steps(all)),
            Some(Ending::Interrupted) => format!("interrupted: applied {applied} of {}", steps(all)),
            Some(Ending::CutShort) => format!("cut short: applied {applied} of {}", steps(all)),
        };
        let commit = run.commit.as_deref().map(|commit| format!("  at {}", short(commit))).unwrap_or_default();
        let rest = format!("{}  {}  {outcome}{commit}", escape(&run.began), escape(&run.portal));
        text.push_str(&screen.row(0, &escape(&run.run), width, &rest));
    }
    text
}

/// A commit as people write it: its first digits, and the mark of a changed tree.
fn short(commit: &str) -> String {
    let digits: String = commit.chars().take(10).filter(char::is_ascii_hexdigit).collect();
    digits + if commit.ends_with('+') { "+" } else { "" }
}

/// The findings of the time when a plan was saved.
pub(crate) fn remarks(errors: &[FindingDocument], warnings: &[FindingDocument], screen: &Screen) -> String {
    let line = |word: &str, style: Style, finding: &FindingDocument| {
        screen.wrapped(&format!("{style}{word}[{}]{style:#}: {}", escape(&finding.rule), escape(&finding.message)), 2)
    };
    let errors = errors.iter().map(|finding| line("error", DELETE, finding));
    let warnings = warnings.iter().map(|finding| line("warning", REPLACE, finding));
    errors.chain(warnings).collect()
}

/// The result of `validate`: the findings, with the pictures of those images that `pictures` has, and a summary.
pub fn validation(validation: &Validation, pictures: &Pictures, screen: &Screen) -> String {
    let Validation { findings, manifest, source, .. } = validation;
    let last: String =
        last_words::summary(validation, [CREATE, DELETE]).lines().map(|line| screen.wrapped(line, 0)).collect();
    snippet::findings(findings, manifest, source, pictures, screen) + &last
}

/// The findings for the error stream.
pub(crate) fn findings(findings: &[Finding], report: &Report, screen: &Screen) -> String {
    snippet::findings(findings, &report.manifest, &report.source, &Pictures::new(), screen)
}

/// The width of the column of addresses, the same for all lines.
fn width(plan: &Plan) -> usize {
    let changed = plan.diff.changes.iter().map(|change| &change.address);
    let unknown = plan.diff.unknown.iter().map(|unknown| &unknown.address);
    let unmanaged = plan.diff.unmanaged.iter().take(MAX_NAMED).map(|(address, _)| address);
    widest(changed.chain(unknown).chain(unmanaged))
}

fn changes(text: &mut String, plan: &Plan, report: &Report, width: usize, screen: &Screen) {
    let origins = ShownOrigins::of(report);
    let mut drawn = 0;
    for change in in_pairs(plan) {
        let (style, symbol) = match change.action {
            Action::Create(_) => (CREATE, "  +"),
            Action::Replace(..) => (REPLACE, "-/+"),
            Action::Delete(_) => (DELETE, "  -"),
        };
        let first = format!("{style}{symbol} {}{style:#}", shown(&change.address));
        text.push_str(&screen.row(LEAD, &first, width, &reason(change, plan, origins)));
        if let (Some(colours), Some(columns)) = (screen.colours, screen.columns)
            && drawn < MAX_DRAWN
        {
            let [before, after] = reason::images(change, plan).map(|image| image.map(|image| image.pixels));
            text.push_str(&picture::pair(before.as_ref(), after.as_ref(), columns, colours));
            drawn += 1;
        }
    }
    if screen.colours.is_some() && drawn < plan.diff.changes.len() {
        let more = plan.diff.changes.len() - drawn;
        text.push_str(&screen.wrapped(&format!("{DIM}the images of {more} more changes are not drawn{DIM:#}"), 0));
    }
    if !plan.diff.changes.is_empty() {
        text.push('\n');
    }
}

fn reason(change: &Change, plan: &Plan, origins: ShownOrigins<'_>) -> String {
    let why = reason::in_full(change, plan, |spelling| format!("`{}`", escape(spelling)), shown);
    match origins.get(&change.address) {
        Some(origin) => format!("{why}; {}", origin::in_words(origin)),
        None => why,
    }
}

fn left_alone(text: &mut String, plan: &Plan, width: usize, screen: &Screen) {
    for unknown in &plan.diff.unknown {
        let first = format!("{REPLACE}  ?{REPLACE:#} {}", shown(&unknown.address));
        text.push_str(&screen.row(LEAD, &first, width, &format!("left alone: {}", escape(&unknown.why))));
    }
    for (address, why) in plan.diff.unmanaged.iter().take(MAX_NAMED) {
        let why = unmanaged(address.kind, *why);
        let first = format!("{DIM}    {}", shown(address));
        text.push_str(&screen.row(LEAD, &first, width, &format!("unmanaged: {why}{DIM:#}")));
    }
    if plan.diff.unmanaged.len() > MAX_NAMED {
        let more = plan.diff.unmanaged.len() - MAX_NAMED;
        let said = format!("{DIM}    and {more} more unmanaged (all of them with --format json){DIM:#}");
        text.push_str(&screen.wrapped(&said, LEAD));
    }
    if !plan.diff.unknown.is_empty() || !plan.diff.unmanaged.is_empty() {
        text.push('\n');
    }
}

/// The guards that did not pass, each with the entries that it is about.
pub(crate) fn guards(report: &Report, screen: &Screen) -> String {
    let mut text = String::new();
    for verdict in &report.guards {
        let style = match verdict.outcome {
            Outcome::Passed => continue,
            Outcome::Allowed => REPLACE,
            Outcome::Refused => DELETE,
        };
        let word = verdict.outcome.name();
        let said = format!("{style}guard {}: {word}{style:#}: {}", verdict.guard.name(), escape(&verdict.message));
        text.push_str(&screen.wrapped(&said, 2));
        for address in verdict.addresses.iter().take(MAX_NAMED) {
            let _ = writeln!(text, "    {}", shown(address));
        }
        if verdict.addresses.len() > MAX_NAMED {
            let _ = writeln!(text, "    and {} more", verdict.addresses.len() - MAX_NAMED);
        }
        if let Some(help) = &verdict.help {
            text.push_str(&screen.wrapped(&format!("  help: {}", escape(help)), 4));
        }
        text.push('\n');
    }
    text
}

fn summary(plan: &Plan) -> String {
    let counts = plan.counts();
    let first = if plan.diff.changes.is_empty() && !plan.diff.unknown.is_empty() {
        format!("{BOLD}Nothing is known to differ.{BOLD:#}")
    } else if plan.diff.changes.is_empty() {
        format!("{BOLD}Nothing to do.{BOLD:#}")
    } else {
        format!(
            "{BOLD}Plan:{BOLD:#} {CREATE}{} to create{CREATE:#}, {REPLACE}{} to replace{REPLACE:#}, {DELETE}{} to delete{DELETE:#}{}.",
            counts.create,
            counts.replace,
            counts.delete,
            renames(counts),
        )
    };
    format!("{first} {}.", rest(plan))
}
