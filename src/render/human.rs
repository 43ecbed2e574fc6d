//! Plans and runs for people, in Terraform's symbols. The text carries ANSI styles; a stream without colour strips them.

use std::collections::BTreeSet;

use anstyle::Style;
use textwrap::core::display_width;

use crate::domain::asset::Address;
use crate::domain::finding::Finding;
use crate::domain::guard::Outcome;
use crate::domain::journal::RunCommand;
use crate::domain::origin::common_reason;
use crate::domain::ownership::Unmanaged;
use crate::domain::plan::Plan;
use crate::domain::report::{Report, Validation};
use crate::domain::rules::RULES;
use crate::format::FindingDocument;

use super::changes::{LEAD, UNKNOWN, changes, images};
use super::origin::GroupedOrigins;
use super::outcome::{NEXT_APPLY_UNDOES, put_back, renames, rest};
use super::picture::Pictures;
use super::reason::rows;
use super::screen::{Screen, Verbosity};
use super::style::{BOLD, CREATE, DELETE, DIM, REPLACE, shown, widest};
use super::{drift, origin, reason, snippet, summary as last_words, usage};
use crate::text::escape;

/// The maximum number of a guard's entries that are named one by one.
const MAX_NAMED: usize = 10;

/// The plan: the symbols, a line a change, then what is left alone, the guards and a summary.
pub fn plan(report: &Report, screen: &Screen) -> String {
    let Some(plan) = &report.plan else { return String::new() };
    let mut text = compared(report, plan, RunCommand::Apply, screen);
    if !plan.diff.changes.is_empty() || !report.findings.iter().any(Finding::is_error) {
        text.push_str(&plan_summary(plan, screen));
    }
    // A plan does not report that the history is missing.
    if let Some(moved) = GroupedOrigins::of(report, plan).summary() {
        text.push_str(&screen.wrapped(&format!("{moved}."), 0));
    }
    if report.against.is_some() {
        let portal = escape(&plan.portal);
        let said = format!("This plan was made against an export of {portal}: it can be shown, but not applied.");
        text.push_str(&screen.wrapped(&said, 0));
    }
    text
}

/// The plan of `restore`: what is put back, and for how long.
pub(crate) fn restore(report: &Report, screen: &Screen) -> String {
    let Some(plan) = &report.plan else { return String::new() };
    let mut text = compared(report, plan, RunCommand::Restore, screen);
    let back = rows(plan).len();
    if back == 0 && report.findings.iter().any(Finding::is_error) {
        return text;
    }
    text.push_str(&screen.wrapped(&format!("{BOLD}Restore:{BOLD:#} {}.", put_back(plan)), 0));
    if back > 0 && screen.verbosity != Verbosity::Results {
        text.push_str(&screen.wrapped(NEXT_APPLY_UNDOES, 0));
    }
    text
}

/// The result of `drift`: what was changed on the portal, and what is not applied yet.
pub fn drift(report: &Report, screen: &Screen) -> String {
    let Some(plan) = &report.plan else { return String::new() };
    let origins = GroupedOrigins::of(report, plan);
    let width = width(plan, screen);
    let mut text = drift::lines(plan, &origins, width, screen);
    text.push_str(&images(&rows(plan), plan, screen));
    text.push_str(&evidence(plan, screen));
    left_alone(&mut text, plan, width, screen);
    text.push_str(&guards(report, screen));
    let left = left(plan, screen);
    match drift::summary(plan) {
        Some(found) => text.push_str(&with_counts(&found, &left, Some("Drift:"), screen)),
        None if report.has_errors() => text.push_str(&screen.wrapped(&left, 0)),
        None => {
            let said = format!("{BOLD}No drift:{BOLD:#} {} matches the manifest.", escape(&plan.portal));
            text.push_str(&with_counts(&said, &left, None, screen));
        }
    }
    let unknown = || origin::summary(report).filter(|_| common_reason(&report.origins).is_some());
    if let Some(moved) = origins.summary().or_else(unknown) {
        text.push_str(&screen.wrapped(&format!("{moved}."), 0));
    }
    text
}

/// The lines before the summary of a comparison.
fn compared(report: &Report, plan: &Plan, command: RunCommand, screen: &Screen) -> String {
    let width = width(plan, screen);
    let mut text = changes(plan, &GroupedOrigins::of(report, plan), command, width, screen);
    text.push_str(&evidence(plan, screen));
    left_alone(&mut text, plan, width, screen);
    text + &guards(report, screen)
}

/// What was read to find out whether codes are in use.
fn evidence(plan: &Plan, screen: &Screen) -> String {
    let Some(evidence) = &plan.evidence else { return String::new() };
    let lines: String = usage::coverage(&evidence.coverage).lines().map(|line| screen.wrapped(line, 2)).collect();
    lines + "\n"
}

/// The commands that go on from a result, each with what it does.
pub(crate) fn next_steps(steps: &[(String, &str)], screen: &Screen) -> String {
    if steps.is_empty() || screen.verbosity == Verbosity::Results {
        return String::new();
    }
    let width = steps.iter().map(|(command, _)| display_width(&escape(command))).max().unwrap_or_default();
    let rows = steps.iter().map(|(command, does)| screen.row(2, &format!("  {}", escape(command)), width, does));
    format!("\nNext:\n{}", rows.collect::<String>())
}

/// A result and the counts of what it leaves: in one line, or below each other in the column behind the result's first
/// word.
fn with_counts(result: &str, counts: &str, below: Option<&str>, screen: &Screen) -> String {
    match below {
        None => screen.wrapped(&format!("{result} {counts}"), 0),
        Some(word) => {
            let column = word.len() + 1;
            let counts = format!("{:column$}{counts}", "");
            screen.wrapped(&format!("{BOLD}{word}{BOLD:#} {result}"), column) + &screen.wrapped(&counts, column)
        }
    }
}

/// The findings from when a plan was saved.
pub(crate) fn remarks(errors: &[FindingDocument], warnings: &[FindingDocument], screen: &Screen) -> String {
    let line = |word: &str, style: Style, finding: &FindingDocument| {
        screen.wrapped(&format!("{style}{word}[{}]{style:#}: {}", escape(&finding.rule), escape(&finding.message)), 2)
    };
    let errors = errors.iter().map(|finding| line("error", DELETE, finding));
    let mut text: String = errors.collect();
    let mut counted = BTreeSet::new();
    for warning in warnings {
        // The warnings of an art rule are one line, as when the plan was made.
        let same = warnings.iter().filter(|other| other.rule == warning.rule).count();
        if same == 1 || !RULES.iter().any(|rule| rule.id == warning.rule) {
            text.push_str(&line("warning", REPLACE, warning));
        } else if counted.insert(&warning.rule) {
            let message = format!("{same} findings of this rule");
            text.push_str(&line("warning", REPLACE, &FindingDocument { message, ..warning.clone() }));
        }
    }
    text
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
fn width(plan: &Plan, screen: &Screen) -> usize {
    let changed = plan.diff.changes.iter().map(|change| &change.address);
    let unknown = plan.diff.unknown.iter().map(|unknown| &unknown.address);
    let unmanaged = named(plan, screen).iter().map(|(address, _)| address);
    widest(changed.chain(unknown).chain(unmanaged))
}

/// The unmanaged entries that are named one by one.
fn named<'a>(plan: &'a Plan, screen: &Screen) -> &'a [(Address, Unmanaged)] {
    if screen.verbosity == Verbosity::Everything { &plan.diff.unmanaged } else { &[] }
}

fn left_alone(text: &mut String, plan: &Plan, width: usize, screen: &Screen) {
    for unknown in &plan.diff.unknown {
        let first = format!("{REPLACE}{UNKNOWN}{REPLACE:#} {}", shown(&unknown.address));
        text.push_str(&screen.row(LEAD, &first, width, &format!("left alone: {}", escape(&unknown.why))));
    }
    let unmanaged = named(plan, screen);
    for (address, why) in unmanaged {
        let why = reason::unmanaged(address.kind, *why);
        let first = format!("{DIM}    {}", shown(address));
        text.push_str(&screen.row(LEAD, &first, width, &format!("unmanaged: {why}{DIM:#}")));
    }
    if !plan.diff.unknown.is_empty() || !unmanaged.is_empty() {
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
            text.push_str(&format!("    {}\n", shown(address)));
        }
        if verdict.addresses.len() > MAX_NAMED {
            text.push_str(&format!("    and {} more\n", verdict.addresses.len() - MAX_NAMED));
        }
        if let Some(help) = &verdict.help {
            text.push_str(&screen.wrapped(&format!("  help: {}", escape(help)), 4));
        }
        text.push('\n');
    }
    text
}

/// What a plan would do, and the counts of what it leaves alone.
fn plan_summary(plan: &Plan, screen: &Screen) -> String {
    let counts = plan.counts();
    let left = left(plan, screen);
    if plan.diff.changes.is_empty() {
        let known = if plan.diff.unknown.is_empty() { "Nothing to do." } else { "Nothing is known to differ." };
        return with_counts(&format!("{BOLD}{known}{BOLD:#}"), &left, None, screen);
    }
    let planned = format!(
        "{CREATE}{} to create{CREATE:#}, {REPLACE}{} to replace{REPLACE:#}, {DELETE}{} to delete{DELETE:#}{}.",
        counts.create,
        counts.replace,
        counts.delete,
        renames(counts),
    );
    with_counts(&planned, &left, Some("Plan:"), screen)
}

/// The counts of what is left alone, and how to see more of it.
fn left(plan: &Plan, screen: &Screen) -> String {
    let counts = rest(plan);
    match screen.verbosity {
        Verbosity::Usual if !plan.diff.unmanaged.is_empty() => {
            format!("{}.", counts.replacen(" unmanaged", " unmanaged (-v lists them)", 1))
        }
        _ => format!("{counts}."),
    }
}
