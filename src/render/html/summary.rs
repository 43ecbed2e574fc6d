//! The top of the page: what ran where and how it ended, then what a reviewer must know before the images.

use maud::{Markup, html};

use super::card::{anchor, name, severity, word};
use super::entry::Entry;
use crate::domain::asset::Address;
use crate::domain::finding::Finding;
use crate::domain::guard::{Outcome, Verdict};
use crate::domain::plan::Plan;
use crate::domain::report::{Fate, Report, Run, Validation};
use crate::render::{inert, unmanaged};

/// How it ended: the tone sets the sign and the colour.
struct Ending {
    tone: &'static str,
    text: String,
}

impl Ending {
    fn new(tone: &'static str, text: impl Into<String>) -> Self {
        Self { tone, text: text.into() }
    }
}

/// The top of a page about a portal.
pub(super) fn of_report(report: &Report, command: &str, entries: &[Entry<'_>]) -> Markup {
    html! {
        header.top {
            p.ran { "brandctl " b { (command) } }
            h1 { bdi { (inert(report.portal.as_deref().unwrap_or("no portal was read"))) } }
            (outcome(&ending(report)))
            dl.facts {
                @if let Some(plan) = &report.plan { dt { "Plan" } dd { (counts(plan)) } }
                dt { "Manifest" } dd { bdi { (inert(&report.manifest)) } }
                @if let Some(digest) = &report.plan_sha256 { dt { "Digest" } dd { code { (digest) } } }
                @if let Some(run) = &report.run { dt { "Run" } dd { code { (inert(&run.id)) } } }
            }
        }
        section.panels aria-label="What to know first" {
            (general_findings(&report.findings, entries))
            (guards(&report.guards))
            @if let Some(run) = &report.run { (steps(run)) }
            @if let Some(plan) = &report.plan { (left_alone(plan)) }
        }
    }
}

/// The top of a page about a manifest alone.
pub(super) fn of_validation(validation: &Validation, entries: &[Entry<'_>]) -> Markup {
    let errors = validation.findings.iter().filter(|finding| finding.is_error()).count();
    let warnings = validation.findings.len() - errors;
    let images = counted(validation.images, "image", "images");
    let warned = if warnings > 0 { format!(", {}", counted(warnings, "warning", "warnings")) } else { String::new() };
    let ending = if errors > 0 {
        Ending::new("bad", format!("Not valid: {images}, {}{warned}", counted(errors, "error", "errors")))
    } else {
        Ending::new(if warnings > 0 { "warn" } else { "good" }, format!("Valid: {images}{warned}"))
    };
    html! {
        header.top {
            p.ran { "brandctl " b { "validate" } }
            h1 { bdi { (inert(&validation.manifest)) } }
            (outcome(&ending))
        }
        section.panels aria-label="What to know first" { (general_findings(&validation.findings, entries)) }
    }
}

fn outcome(ending: &Ending) -> Markup {
    html! { p class={ "outcome " (ending.tone) } { (ending.text) } }
}

fn ending(report: &Report) -> Ending {
    let errors = report.findings.iter().filter(|finding| finding.is_error()).count();
    if report.stale {
        return Ending::new("bad", "The plan is stale: nothing was written");
    }
    if let Some(run) = &report.run {
        let applied = run.steps.values().filter(|step| step.fate == Fate::Applied).count();
        return if applied == run.steps.len() {
            Ending::new("good", format!("Applied {} and read back", counted(applied, "change", "changes")))
        } else {
            Ending::new("bad", format!("Not everything was applied: {applied} of {}", run.steps.len()))
        };
    }
    if errors > 0 {
        return Ending::new("bad", format!("{}: nothing can be applied", counted(errors, "error", "errors")));
    }
    let Some(plan) = &report.plan else { return Ending::new("bad", "It did not come to a plan") };
    let changes = counted(plan.changes.len(), "change", "changes");
    if report.refused() {
        Ending::new("bad", format!("{changes} planned, and a guard refuses"))
    } else if !plan.unknown.is_empty() {
        Ending::new("warn", format!("{changes} planned; {} could not be read", plan.unknown.len()))
    } else if plan.changes.is_empty() {
        Ending::new("good", "Nothing to do")
    } else {
        Ending::new("pending", format!("{changes} planned"))
    }
}

fn counts(plan: &Plan) -> String {
    let counts = plan.counts();
    let renames = plan.changes.iter().filter(|change| change.rename.is_some()).count() / 2;
    let mut text = format!("{} to create, {} to replace, {} to delete", counts.create, counts.replace, counts.delete);
    if renames > 0 {
        text.push_str(&format!(" (of these {} as a create and a delete)", counted(renames, "rename", "renames")));
    }
    text.push_str(&format!(
        "; {} unchanged, {} unmanaged, {} system",
        plan.unchanged,
        plan.unmanaged.len(),
        plan.system
    ));
    text
}

/// Every finding, with a link to its card where there is one.
fn general_findings(findings: &[Finding], entries: &[Entry<'_>]) -> Markup {
    let has_card = |address: &Address| entries.iter().any(|entry| entry.address == address);
    let errors = findings.iter().any(Finding::is_error);
    html! {
        @if !findings.is_empty() {
            details.panel open[errors] {
                summary { b { (findings.len()) } " " @if findings.len() == 1 { "finding" } @else { "findings" } }
                ul.findings {
                    @for finding in findings {
                        li class=(severity(finding)) {
                            b { (severity(finding)) } " " code { (finding.rule) } " "
                            @if let Some(address) = &finding.address {
                                @if has_card(address) { a href={ "#" (anchor(address)) } { (name(address)) } } @else { (name(address)) }
                                ": "
                            }
                            (inert(&finding.message))
                            @if let (Some(path), Some(place)) = (&finding.path, &finding.place) {
                                span.at { " at " bdi { (inert(path)) ":" (place.line) ":" (place.column) } }
                            }
                            @if let Some(help) = &finding.help { small { (inert(help)) } }
                        }
                    }
                }
            }
        }
    }
}

fn guards(verdicts: &[Verdict]) -> Markup {
    let refused = verdicts.iter().filter(|verdict| verdict.outcome == Outcome::Refused).count();
    html! {
        @if !verdicts.is_empty() {
            details.panel open[refused > 0] {
                summary { "Guards: " @if refused > 0 { b { (refused) " refused" } } @else { "nothing refused" } }
                ul.guards {
                    @for verdict in verdicts {
                        @let word = match verdict.outcome { Outcome::Passed => "passed", Outcome::Allowed => "allowed", Outcome::Refused => "refused" };
                        li class=(word) {
                            b { (word) } " " code { (verdict.guard.name()) } " " (inert(&verdict.message))
                            @if !verdict.addresses.is_empty() {
                                ": " @for (index, address) in verdict.addresses.iter().enumerate() {
                                    @if index > 0 { ", " } a href={ "#" (anchor(address)) } { (name(address)) }
                                }
                            }
                            @if let Some(help) = &verdict.help { small { (inert(help)) } }
                        }
                    }
                }
            }
        }
    }
}

/// The steps that did not end as planned, each linked to its card.
fn steps(run: &Run) -> Markup {
    let failed: Vec<_> = run.steps.iter().filter(|(_, step)| step.fate != Fate::Applied).collect();
    html! {
        details.panel open[!failed.is_empty()] {
            summary { "Run: " (run.steps.len() - failed.len()) " applied" @if !failed.is_empty() { ", " b { (failed.len()) " not" } } }
            ul.guards {
                @for (address, step) in &failed {
                    li class=(word(step.fate)) {
                        b { (word(step.fate)) } " " a href={ "#" (anchor(address)) } { (name(address)) }
                        @if let Some(why) = &step.why { ": " (inert(why)) }
                    }
                }
            }
            p { "Old images and journal: " code { (inert(&run.folder.display().to_string())) } }
        }
    }
}

fn left_alone(plan: &Plan) -> Markup {
    html! {
        @if !plan.unmanaged.is_empty() {
            details.panel {
                summary { b { (plan.unmanaged.len()) } " unmanaged, left alone" }
                ul { @for (address, why) in &plan.unmanaged { li { (name(address)) " " span.at { (unmanaged(address.kind, *why)) } } } }
            }
        }
    }
}

fn counted(count: usize, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}
